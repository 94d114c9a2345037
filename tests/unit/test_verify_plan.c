/* test_verify_plan.c - memory: what fits, what gives way first, what is too little. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/verify/verify_plan.h"

#define MIB ((uint64_t)1024 * 1024)

static bool plan(uint64_t memory, uint32_t threads, bool given, bool is_s3, struct verify_plan *out,
                 uint64_t *least)
{
    struct verify_plan_request const request = {
        .memory = memory, .fixed = 20 * MIB, .threads = threads, .threads_given = given, .is_s3 = is_s3};
    return verify_plan_make(&request, out, least);
}

static void takes_all_where_there_is_enough(void **state)
{
    (void)state;
    struct verify_plan out;
    uint64_t least;
    assert_true(plan(2048 * MIB, 16, false, true, &out, &least));
    assert_int_equal(out.threads, 16);
    assert_int_equal(out.range_bytes, VERIFY_OBJECT_RANGE_MAX);
    assert_true(least < 40 * MIB);
}

static void makes_ranges_smaller_then_threads_fewer(void **state)
{
    (void)state;
    struct verify_plan out;
    uint64_t least;
    assert_true(plan(150 * MIB, 8, false, true, &out, &least));
    assert_int_equal(out.threads, 8);
    assert_int_equal(out.range_bytes, VERIFY_OBJECT_RANGE_MIN);
    assert_true(plan(60 * MIB, 8, false, true, &out, &least));
    assert_true(out.threads < 8 && out.threads >= 1);
    assert_true(plan(60 * MIB, 8, false, false, &out, &least));
    assert_true(out.threads < 8 && out.threads >= 2);
}

static void says_the_least(void **state)
{
    (void)state;
    struct verify_plan out;
    uint64_t least, again;
    for (unsigned i = 0; i < 4; i++) {
        bool const given = (i & 1) != 0, is_s3 = (i & 2) != 0;
        assert_false(plan(21 * MIB, 4, given, is_s3, &out, &least));
        assert_false(plan(least - 1, 4, given, is_s3, &out, &again));
        assert_int_equal(least, again);
        assert_true(plan(least, 4, given, is_s3, &out, &again));
        assert_int_equal(out.threads, given ? 4 : 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_all_where_there_is_enough),
        cmocka_unit_test(makes_ranges_smaller_then_threads_fewer),
        cmocka_unit_test(says_the_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
