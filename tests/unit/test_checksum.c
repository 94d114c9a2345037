/* Unit tests of core/base/checksum.h: published values, pieces, joining, texts; each kind against a CRC bit
 * by bit. */
#include "core/base/checksum.h"

#include "core/base/crc_shift.h"
#include "tests/unit/crc_by_hand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define LENGTHS    2001u
#define ALIGNMENTS 64u
#define KINDS      3u

static const struct kind {
    enum checksum_kind kind;
    const struct by_hand *by_hand;
    struct crc_shift_modulus modulus;
    const char *name;
    uint64_t check; /* of "123456789", from the catalogue of parametrised CRC algorithms */
    const char *check_text;
} kinds[KINDS] = {
    {CHECKSUM_CRC64NVME, &by_hand_crc64nvme, CRC_SHIFT_CRC64NVME, "crc64nvme", UINT64_C(0xae8b14860a799888),
     "rosUhgp5mIg="},
    {CHECKSUM_CRC32C, &by_hand_crc32c, CRC_SHIFT_CRC32C, "crc32c", 0xe3069283, "4waSgw=="},
    {CHECKSUM_CRC32, &by_hand_crc32, CRC_SHIFT_CRC32, "crc32", 0xcbf43926, "y/Q5Jg=="},
};

/* ---- values ---- */

static void published_values(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        char text[CHECKSUM_TEXT_SIZE];
        uint64_t const crc = checksum_update(kinds[k].kind, 0, "123456789", 9);
        assert_int_equal(crc, kinds[k].check);
        assert_int_equal(by_hand_crc(kinds[k].by_hand, (const uint8_t *)"123456789", 9), kinds[k].check);
        checksum_text(kinds[k].kind, crc, text);
        assert_string_equal(text, kinds[k].check_text);
        assert_string_equal(checksum_name(kinds[k].kind), kinds[k].name);
    }
}

/* RFC 3720, B.4: CRC-32C of 32 bytes each. */
static void iscsi_values(void **state)
{
    (void)state;
    uint8_t bytes[32];
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(checksum_update(CHECKSUM_CRC32C, 0, bytes, sizeof bytes), 0x8a9136aa);
    memset(bytes, 0xFF, sizeof bytes);
    assert_int_equal(checksum_update(CHECKSUM_CRC32C, 0, bytes, sizeof bytes), 0x62a8ab43);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(checksum_update(CHECKSUM_CRC32C, 0, bytes, sizeof bytes), 0x46dd794e);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(31 - i);
    assert_int_equal(checksum_update(CHECKSUM_CRC32C, 0, bytes, sizeof bytes), 0x113fdb5c);
}

static void none_is_nothing(void **state)
{
    (void)state;
    char text[CHECKSUM_TEXT_SIZE] = "before";
    assert_int_equal(checksum_update(CHECKSUM_NONE, 7, "abc", 3), 0);
    assert_int_equal(checksum_combine(CHECKSUM_NONE, 7, 8, 9), 0);
    checksum_text(CHECKSUM_NONE, 7, text);
    assert_string_equal(text, "");
    assert_string_equal(checksum_name(CHECKSUM_NONE), "none");
}

static void texts(void **state)
{
    (void)state;
    char text[CHECKSUM_TEXT_SIZE];
    checksum_text(CHECKSUM_CRC64NVME, 0, text);
    assert_string_equal(text, "AAAAAAAAAAA=");
    checksum_text(CHECKSUM_CRC64NVME, UINT64_MAX, text);
    assert_string_equal(text, "//////////8=");
    checksum_text(CHECKSUM_CRC64NVME, UINT64_C(0x0123456789abcdef), text);
    assert_string_equal(text, "ASNFZ4mrze8=");
    checksum_text(CHECKSUM_CRC32C, 0, text);
    assert_string_equal(text, "AAAAAA==");
    checksum_text(CHECKSUM_CRC32, UINT32_MAX, text);
    assert_string_equal(text, "/////w==");
    checksum_text(CHECKSUM_CRC32, 0xfbef0001, text);
    assert_string_equal(text, "++8AAQ==");
}

/* ---- pieces ---- */

static void all_lengths_at_all_alignments(void **state)
{
    (void)state;
    static _Alignas(64) uint8_t room[ALIGNMENTS + LENGTHS];
    static uint8_t sample[LENGTHS];
    by_hand_fill(1, sample, sizeof sample);
    for (size_t k = 0; k < KINDS; k++) {
        const struct by_hand *const by_hand = kinds[k].by_hand;
        for (size_t shift = 0; shift < ALIGNMENTS; shift++) {
            memset(room, 0x5A, sizeof room);
            memcpy(room + shift, sample, LENGTHS - 1);
            uint64_t reg = by_hand_ones(by_hand);
            for (size_t length = 0; length < LENGTHS; length++) {
                assert_int_equal(checksum_update(kinds[k].kind, 0, room + shift, length),
                                 by_hand_finished(by_hand, reg));
                reg = by_hand_feed(by_hand, reg, sample + length, 1);
            }
        }
        assert_int_equal(checksum_update(kinds[k].kind, 77, NULL, 0), 77);
    }
}

/* Pages that may not be read lie right before and right behind. */
static void reads_nothing_outside(void **state)
{
    (void)state;
    size_t const page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *const pages = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    uint8_t *const begin = pages + page, *const end = begin + page;
    assert_int_equal(mprotect(begin, page, PROT_READ | PROT_WRITE), 0);
    for (size_t k = 0; k < KINDS; k++) {
        memset(begin, 0x31, page);
        for (size_t length = 0; length <= page && length < LENGTHS; length++)
            assert_int_equal(checksum_update(kinds[k].kind, 0, begin, length),
                             checksum_update(kinds[k].kind, 0, end - length, length));
    }
    munmap(pages, 3 * page);
}

/* In pieces one after the other, and each piece by itself and joined. */
static void split_and_join_anywhere(void **state)
{
    (void)state;
    static uint8_t sample[60000];
    uint64_t seed = 3;
    by_hand_fill(2, sample, sizeof sample);
    for (unsigned round = 0; round < 120; round++) {
        const struct kind *const kind = &kinds[round % KINDS];
        size_t const length = (size_t)(by_hand_random(&seed) % sizeof sample);
        uint64_t const right = by_hand_crc(kind->by_hand, sample, length);
        uint64_t updated = 0, joined = 0;
        for (size_t at = 0; at < length;) {
            size_t piece = (size_t)(by_hand_random(&seed) % (round % 2 == 0 ? 100 : 20000));
            if (piece > length - at) piece = length - at;
            updated = checksum_update(kind->kind, updated, sample + at, piece);
            joined = checksum_combine(kind->kind, joined, checksum_update(kind->kind, 0, sample + at, piece),
                                      piece);
            at += piece;
        }
        assert_int_equal(updated, right);
        assert_int_equal(joined, right);
    }
}

/* Longer than an int counts: 2 GiB and 5 bytes, from one MiB that is mapped again and again. */
static void longer_than_an_int(void **state)
{
    (void)state;
    size_t const block = (size_t)1 << 20, blocks = 2048, rest = 5;
    int const memory = memfd_create("block", 0);
    uint8_t *const sample = malloc(block);
    assert_true(memory >= 0 && sample != NULL);
    by_hand_fill(4, sample, block);
    assert_int_equal(write(memory, sample, block), block);
    uint8_t *const all =
        mmap(NULL, (blocks + 1) * block, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(all != MAP_FAILED);
    for (size_t i = 0; i <= blocks; i++)
        assert_true(mmap(all + i * block, block, PROT_READ, MAP_SHARED | MAP_FIXED, memory, 0) != MAP_FAILED);
    for (size_t k = 0; k < KINDS; k++) {
        const struct by_hand *const by_hand = kinds[k].by_hand;
        /* the register is linear: that of zeros, plus what a block brings in, moved on by each further one */
        uint64_t const power = by_hand_power(by_hand, block);
        uint64_t const brings = by_hand_feed(by_hand, 0, sample, block);
        uint64_t reg = by_hand_ones(by_hand);
        for (size_t i = 0; i < blocks; i++)
            reg = by_hand_product(by_hand, reg, power) ^ brings;
        reg = by_hand_feed(by_hand, reg, sample, rest);
        assert_int_equal(checksum_update(kinds[k].kind, 0, all, blocks * block + rest),
                         by_hand_finished(by_hand, reg));
    }
    munmap(all, (blocks + 1) * block);
    free(sample);
    close(memory);
}

/* ---- joining ---- */

static void joining_nothing(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        assert_int_equal(checksum_combine(kinds[k].kind, kinds[k].check, 0, 0), kinds[k].check);
        assert_int_equal(checksum_combine(kinds[k].kind, 0, kinds[k].check, 9), kinds[k].check);
        assert_int_equal(checksum_combine(kinds[k].kind, 0, 0, UINT64_MAX), 0);
    }
}

static void shift_is(const struct kind *kind, uint64_t value, uint64_t bytes)
{
    const struct by_hand *const by_hand = kind->by_hand;
    uint64_t const plain = by_hand_reverse(value, by_hand->width);
    uint64_t const right =
        by_hand_reverse(by_hand_product(by_hand, plain, by_hand_power(by_hand, bytes)), by_hand->width);
    assert_int_equal(crc_shift(kind->modulus, value, bytes), right);
    assert_int_equal(crc_shift_plain(kind->modulus, value, bytes), right);
    assert_int_equal(checksum_combine(kind->kind, value, 1, bytes), right ^ 1);
}

/* Every power of two, its neighbours, and lengths at random: as far as 64 bits go. */
static void joins_any_length(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (size_t k = 0; k < KINDS; k++) {
        uint64_t const ones = by_hand_ones(kinds[k].by_hand);
        for (unsigned i = 0; i < 64; i++) {
            shift_is(&kinds[k], by_hand_random(&seed) & ones, UINT64_C(1) << i);
            shift_is(&kinds[k], by_hand_random(&seed) & ones, (UINT64_C(1) << i) - 1);
            shift_is(&kinds[k], by_hand_random(&seed) & ones, (UINT64_C(1) << i) + 1);
            shift_is(&kinds[k], by_hand_random(&seed) & ones, by_hand_random(&seed) >> i);
            shift_is(&kinds[k], UINT64_C(1) << i & ones, 12345678);
        }
        shift_is(&kinds[k], ones, UINT64_MAX);
    }
}

/* Pieces of far-off sizes: (A B) C = A (B C). */
static void joins_in_any_order(void **state)
{
    (void)state;
    uint64_t seed = 6;
    for (unsigned i = 0; i < 3000; i++) {
        const struct kind *const kind = &kinds[i % KINDS];
        enum checksum_kind const of = kind->kind;
        uint64_t const ones = by_hand_ones(kind->by_hand);
        uint64_t const a = by_hand_random(&seed) & ones, b = by_hand_random(&seed) & ones;
        uint64_t const c = by_hand_random(&seed) & ones;
        uint64_t const b_length = by_hand_random(&seed) >> (1 + i % 60),
                       c_length = by_hand_random(&seed) >> 2;
        uint64_t const left = checksum_combine(of, checksum_combine(of, a, b, b_length), c, c_length);
        uint64_t const right =
            checksum_combine(of, a, checksum_combine(of, b, c, c_length), b_length + c_length);
        assert_int_equal(left, right);
    }
}

/* Long division of x^128 by the modulus of degree 64: digits of the quotient from that of x^64 down. */
static void moduli(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct by_hand const modulus = {64, kinds[k].by_hand->polynomial << (64 - kinds[k].by_hand->width)};
        uint64_t left = modulus.polynomial, digits = 1;
        for (unsigned i = 1; i < 64; i++) {
            digits |= (left >> 63) << i;
            left = by_hand_step(&modulus, left, 0);
        }
        assert_int_equal(digits, kinds[k].modulus.quotient);
        assert_int_equal(by_hand_reverse(modulus.polynomial, 64), kinds[k].modulus.low);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_values),
        cmocka_unit_test(iscsi_values),
        cmocka_unit_test(none_is_nothing),
        cmocka_unit_test(texts),
        cmocka_unit_test(all_lengths_at_all_alignments),
        cmocka_unit_test(reads_nothing_outside),
        cmocka_unit_test(split_and_join_anywhere),
        cmocka_unit_test(longer_than_an_int),
        cmocka_unit_test(joining_nothing),
        cmocka_unit_test(joins_any_length),
        cmocka_unit_test(joins_in_any_order),
        cmocka_unit_test(moduli),
    };
    return cmocka_run_group_tests_name("checksum", tests, NULL, NULL);
}
