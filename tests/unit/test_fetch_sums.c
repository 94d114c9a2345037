/* test_fetch_sums.c - sums of ranges, in any order, joined to that of the object. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/fetch/fetch_sums.h"

#define SIZE 1000u

static uint8_t bytes[SIZE];

static uint64_t sum(enum checksum_kind kind, size_t begin, size_t end)
{
    return checksum_update(kind, 0, bytes + begin, end - begin);
}

/* True: wrong. `order` steps through all ranges. */
static bool joined(enum checksum_kind kind, size_t size, size_t range, uint64_t order, uint64_t wanted)
{
    struct fetch_sums sums;
    struct s3_proof const proof = {.kind = kind, .value = wanted};
    uint64_t const count = (size + range - 1) / range;
    assert_true(fetch_sums_start(&sums, &proof, size, range));
    for (uint64_t k = 0; k < count; k++) {
        uint64_t const i = k * order % count;
        size_t const begin = (size_t)i * range, end = begin + range < size ? begin + range : size;
        assert_false(sums.wrong);
        fetch_sums_add(&sums, i, sum(kind, begin, end));
        fetch_sums_add(&sums, i, 99); /* again: passed over */
    }
    assert_int_equal(sums.missing, 0);
    bool const wrong = sums.wrong;
    fetch_sums_free(&sums);
    return wrong;
}

static void joins_in_any_order(void **state)
{
    (void)state;
    static const enum checksum_kind kinds[] = {CHECKSUM_CRC64NVME, CHECKSUM_CRC32C, CHECKSUM_CRC32};
    static const size_t sizes[] = {1, 99, 100, 101, 700, SIZE};
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 7);
    for (size_t k = 0; k < 3; k++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (uint64_t order = 1; order <= 3; order += 2) {
                uint64_t const count = (sizes[s] + 99) / 100;
                if (order > 1 && count % order == 0) continue; /* would not step through all */
                uint64_t const right = sum(kinds[k], 0, sizes[s]);
                assert_false(joined(kinds[k], sizes[s], 100, order, right));
                assert_true(joined(kinds[k], sizes[s], 100, order, right ^ 1));
            }
}

static void says_nothing_before_all_are_there(void **state)
{
    (void)state;
    struct fetch_sums sums = {.values = NULL};
    struct s3_proof const proof = {.kind = CHECKSUM_CRC32, .value = 1};
    fetch_sums_add(&sums, 0, 5); /* none was started */
    fetch_sums_free(&sums);
    assert_true(fetch_sums_start(&sums, &proof, 250, 100));
    fetch_sums_add(&sums, 2, 1);
    fetch_sums_add(&sums, 0, 2);
    assert_false(sums.wrong);
    assert_int_equal(sums.missing, 1);
    fetch_sums_free(&sums);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_in_any_order),
        cmocka_unit_test(says_nothing_before_all_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
