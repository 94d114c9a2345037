/* test_sha256.c - published vectors, lengths around the block size, reuse of one hasher. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/sha256.h"

#include <string.h>

static int setup(void **state)
{
    *state = sha256_create();
    return *state == NULL;
}

static int teardown(void **state)
{
    sha256_destroy(*state);
    return 0;
}

static void expect(struct sha256 *hasher, const void *bytes, size_t length, const char *wanted)
{
    char hex[SHA256_HEX_LENGTH + 2];
    memset(hex, '#', sizeof hex);
    assert_true(sha256_hex(hasher, bytes, length, hex + 1));
    assert_int_equal(hex[0], '#'); /* exactly the digits, no terminator */
    assert_int_equal(hex[SHA256_HEX_LENGTH + 1], '#');
    assert_memory_equal(hex + 1, wanted, SHA256_HEX_LENGTH);
}

/* FIPS 180-2, appendix B; the empty message is in NIST's SHA256ShortMsg.rsp. */
static void gives_published_digests(void **state)
{
    expect(*state, "abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(*state, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
           "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    expect(*state, "", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect(*state, NULL, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void gives_the_digest_of_a_million(void **state)
{
    static char bytes[1000000];
    memset(bytes, 'a', sizeof bytes);
    expect(*state, bytes, sizeof bytes, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void hashes_nul_and_high_bytes(void **state)
{
    char with_nul[SHA256_HEX_LENGTH], without[SHA256_HEX_LENGTH];
    assert_true(sha256_hex(*state, "a\0b", 3, with_nul));
    assert_true(sha256_hex(*state, "a", 1, without));
    assert_memory_not_equal(with_nul, without, SHA256_HEX_LENGTH);
    expect(*state, "\0", 1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    expect(*state, "\xff", 1, "a8100ae6aa1940d0b663bb31cd466142ebbdbd5187131b92d93818987832eb89");
}

static void forgets_the_value_before(void **state)
{
    for (int i = 0; i < 100; i++) {
        char ignored[SHA256_HEX_LENGTH];
        assert_true(sha256_hex(*state, "something else", (size_t)(i % 14), ignored));
        expect(*state, "abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}

static void two_hashers_are_independent(void **state)
{
    struct sha256 *other = sha256_create();
    assert_non_null(other);
    expect(other, "abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_destroy(other);
    expect(*state, "abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_published_digests),     cmocka_unit_test(gives_the_digest_of_a_million),
        cmocka_unit_test(hashes_nul_and_high_bytes),   cmocka_unit_test(forgets_the_value_before),
        cmocka_unit_test(two_hashers_are_independent),
    };
    return cmocka_run_group_tests_name("sha256", tests, setup, teardown);
}
