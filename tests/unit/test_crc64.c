/* Unit tests of core/base/crc64.h: every way that this CPU has against the published values and against a CRC
 * bit by bit; the constants of crc64_powers.h. */
#include "core/base/crc64.h"

#include "core/base/crc64_powers.h"
#include "tests/unit/crc_by_hand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define LENGTHS    2001u
#define ALIGNMENTS 64u
#define LONG_BYTES (1u << 20)

static const struct by_hand *const nvme = &by_hand_crc64nvme;
static uint8_t sample[LONG_BYTES];
static uint64_t expected[LONG_BYTES + 1]; /* of the sample's first bytes */

static int make_sample(void **state)
{
    (void)state;
    uint64_t reg = by_hand_ones(nvme);
    by_hand_fill(64, sample, sizeof sample);
    for (size_t i = 0; i <= sizeof sample; i++) {
        expected[i] = by_hand_finished(nvme, reg);
        if (i < sizeof sample) reg = by_hand_feed(nvme, reg, sample + i, 1);
    }
    return 0;
}

/* The next way that this CPU has, and CRC64_WAYS behind the last. */
static enum crc64_way next_way(int way)
{
    do
        way++;
    while (way < CRC64_WAYS && !crc64_supported((enum crc64_way)way));
    return (enum crc64_way)way;
}

static void way_says(enum crc64_way way, const uint8_t *bytes, size_t length, uint64_t right)
{
    uint64_t const got = crc64_update_by(way, 0, bytes, length);
    if (got != right)
        fail_msg("%s, %zu bytes: %016llx instead of %016llx", crc64_way_name(way), length,
                 (unsigned long long)got, (unsigned long long)right);
}

static void says(const uint8_t *bytes, size_t length, uint64_t right)
{
    assert_int_equal(by_hand_crc(nvme, bytes, length), right);
    assert_int_equal(crc64_update(0, bytes, length), right);
    for (enum crc64_way way = CRC64_TABLE; way < CRC64_WAYS; way = next_way((int)way))
        way_says(way, bytes, length, right);
}

/* ---- published values ---- */

/* "123456789": the catalogue's check value. The pages
 * of 4096 bytes: the test cases of NVM Express NVM Command Set 1.0d, 5.2.1.3.5. */
static void published_values(void **state)
{
    (void)state;
    uint8_t page[4096];
    says((const uint8_t *)"123456789", 9, UINT64_C(0xae8b14860a799888));
    memset(page, 0, sizeof page);
    says(page, sizeof page, UINT64_C(0x6482d367eb22b64e));
    memset(page, 0xFF, sizeof page);
    says(page, sizeof page, UINT64_C(0xc0ddba7302eca3ac));
    for (size_t i = 0; i < sizeof page; i++)
        page[i] = (uint8_t)i;
    says(page, sizeof page, UINT64_C(0x3e729f5f6750449c));
    for (size_t i = 0; i < sizeof page; i++)
        page[i] = (uint8_t)(255 - i % 256);
    says(page, sizeof page, UINT64_C(0x9a2df64b8e9e517e));
}

static void nothing_is_zero(void **state)
{
    (void)state;
    says((const uint8_t *)"", 0, 0);
    assert_int_equal(crc64_update(0, NULL, 0), 0);
    assert_int_equal(crc64_update(12345, NULL, 0), 12345);
}

/* ---- the ways ---- */

static void all_lengths_at_all_alignments(void **state)
{
    (void)state;
    static _Alignas(64) uint8_t room[ALIGNMENTS + LENGTHS];
    for (size_t shift = 0; shift < ALIGNMENTS; shift++) {
        memset(room, 0xA5, sizeof room); /* what must not be counted */
        memcpy(room + shift, sample, LENGTHS - 1);
        for (size_t length = 0; length < LENGTHS; length++) {
            for (enum crc64_way way = CRC64_TABLE; way < CRC64_WAYS; way = next_way((int)way))
                way_says(way, room + shift, length, expected[length]);
            assert_int_equal(crc64_update(0, room + shift, length), expected[length]);
        }
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
    for (size_t length = 0; length <= page && length < LENGTHS; length++) {
        for (enum crc64_way way = CRC64_TABLE; way < CRC64_WAYS; way = next_way((int)way)) {
            memcpy(begin, sample, length);
            way_says(way, begin, length, expected[length]);
            memcpy(end - length, sample, length);
            way_says(way, end - length, length, expected[length]);
        }
    }
    munmap(pages, 3 * page);
}

static void long_ones(void **state)
{
    (void)state;
    uint64_t seed = 1;
    says(sample, sizeof sample, expected[sizeof sample]);
    for (int i = 0; i < 300; i++) {
        size_t const length = (size_t)(by_hand_random(&seed) % (sizeof sample + 1));
        for (enum crc64_way way = CRC64_TABLE; way < CRC64_WAYS; way = next_way((int)way))
            way_says(way, sample, length, expected[length]);
    }
}

/* A single bit anywhere changes the value, and by the same in every way. */
static void single_bits(void **state)
{
    (void)state;
    uint8_t room[1030];
    memset(room, 0, sizeof room);
    for (size_t bit = 0; bit < 8 * sizeof room; bit += 3) {
        room[bit / 8] = (uint8_t)(1u << bit % 8);
        says(room, sizeof room, by_hand_crc(nvme, room, sizeof room));
        room[bit / 8] = 0;
    }
}

/* Each piece in another way, short and long ones. */
static void split_anywhere(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (int round = 0; round < 300; round++) {
        size_t const length = (size_t)(by_hand_random(&seed) % 20000);
        uint64_t crc = 0;
        for (size_t at = 0; at < length;) {
            size_t const most = round % 2 == 0 ? 40 : 3000;
            size_t piece = (size_t)(by_hand_random(&seed) % most);
            if (piece > length - at) piece = length - at;
            enum crc64_way way = (enum crc64_way)(by_hand_random(&seed) % CRC64_WAYS);
            if (!crc64_supported(way)) way = CRC64_TABLE;
            crc = crc64_update_by(way, crc, sample + at, piece);
            at += piece;
            assert_int_equal(crc, expected[at]);
        }
    }
}

static void ways_are_named(void **state)
{
    (void)state;
    assert_true(crc64_supported(CRC64_TABLE));
    assert_false(crc64_supported(CRC64_WAYS));
    assert_string_equal(crc64_way_name(CRC64_TABLE), "table");
    assert_string_equal(crc64_way_name(CRC64_FOLD_512), "fold_512");
    assert_string_equal(crc64_way_name(CRC64_WAYS), "unknown");
    for (int way = 0; way < CRC64_WAYS; way++)
        if (!crc64_supported((enum crc64_way)way))
            print_message("not tested, as this CPU lacks it: %s\n", crc64_way_name((enum crc64_way)way));
}

/* ---- the constants ---- */

static void power_is(unsigned n, uint64_t constant)
{
    uint64_t power = 1;
    for (unsigned i = 0; i < n; i++)
        power = by_hand_step(nvme, power, 0);
    if (by_hand_reverse(power, 64) != constant)
        fail_msg("x^%u is not %016llx", n, (unsigned long long)constant);
}

#define POWER(n) power_is(n, CRC64_X##n)
#define SHORT(n) power_is(n, (uint64_t)CRC64_X_##n)
#define EIGHT(a, b, c, d, e, f, g, h) \
    (SHORT(a), SHORT(b), SHORT(c), SHORT(d), SHORT(e), SHORT(f), SHORT(g), SHORT(h))

static void powers(void **state)
{
    (void)state;
    POWER(127), POWER(191), POWER(255), POWER(319), POWER(383), POWER(447);
    POWER(511), POWER(575), POWER(1023), POWER(1087), POWER(2047), POWER(2111);
    EIGHT(64, 65, 66, 67, 68, 69, 70, 71);
    EIGHT(72, 73, 74, 75, 76, 77, 78, 79);
    EIGHT(80, 81, 82, 83, 84, 85, 86, 87);
    EIGHT(88, 89, 90, 91, 92, 93, 94, 95);
    EIGHT(96, 97, 98, 99, 100, 101, 102, 103);
    EIGHT(104, 105, 106, 107, 108, 109, 110, 111);
    EIGHT(112, 113, 114, 115, 116, 117, 118, 119);
    EIGHT(120, 121, 122, 123, 124, 125, 126, 127);
}

/* Long division of x^128: of the 65 digits of the quotient the first is one, and leaves x^64; then the digit
 * is the highest coefficient of what is left. */
static void quotient(void **state)
{
    (void)state;
    uint64_t left = nvme->polynomial, digits = 1;
    for (unsigned i = 1; i < 64; i++) {
        digits |= (left >> 63) << i;
        left = by_hand_step(nvme, left, 0);
    }
    assert_int_equal(digits, CRC64_QUOTIENT);
    assert_int_equal(by_hand_reverse(nvme->polynomial, 64), CRC64_POLYNOMIAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_values),
        cmocka_unit_test(nothing_is_zero),
        cmocka_unit_test(all_lengths_at_all_alignments),
        cmocka_unit_test(reads_nothing_outside),
        cmocka_unit_test(long_ones),
        cmocka_unit_test(single_bits),
        cmocka_unit_test(split_anywhere),
        cmocka_unit_test(ways_are_named),
        cmocka_unit_test(powers),
        cmocka_unit_test(quotient),
    };
    return cmocka_run_group_tests_name("crc64", tests, make_sample, NULL);
}
