/* test_key_digest.c - the published value of the empty text, and that every byte and length counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/key_digest.h"

#include <stdbool.h>
#include <string.h>

static bool same(struct key_digest a, struct key_digest b)
{
    return a.low == b.low && a.high == b.high;
}

/* XXH128 of no bytes, seed 0: 99aa06d3014798d86001c324468d497f (xxHash's own test vectors). */
static void is_xxh3(void **state)
{
    (void)state;
    struct key_digest const none = key_digest_of("", 0);
    assert_true(none.high == UINT64_C(0x99aa06d3014798d8));
    assert_true(none.low == UINT64_C(0x6001c324468d497f));
}

static void every_byte_and_length_counts(void **state)
{
    (void)state;
    enum { LENGTH = 300 }; /* all of XXH3's kinds of lengths */
    char text[LENGTH + 1];
    memset(text, 'x', sizeof text);
    for (size_t length = 1; length <= LENGTH; length++) {
        struct key_digest const whole = key_digest_of(text, length);
        assert_true(same(whole, key_digest_of(text, length)));
        assert_false(same(whole, key_digest_of(text, length - 1)));
        for (size_t i = 0; i < length; i += 1 + i / 8) {
            text[i] = 'y';
            assert_false(same(whole, key_digest_of(text, length)));
            text[i] = 'x';
        }
    }
    /* wherever the text lies */
    char moved[LENGTH + 20];
    for (size_t by = 0; by < 16; by++) {
        memcpy(moved + by, text, LENGTH);
        assert_true(same(key_digest_of(moved + by, LENGTH), key_digest_of(text, LENGTH)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_xxh3),
                                       cmocka_unit_test(every_byte_and_length_counts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
