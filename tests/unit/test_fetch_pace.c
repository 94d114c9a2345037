/* test_fetch_pace.c - how many ranges are asked for ahead: of far stores all that there is room for, of near
 * ones few, until these turn out to be slow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/fetch/fetch_pace.h"

#define MIB           ((size_t)1024 * 1024)
#define A_MILLISECOND UINT64_C(1000000)

static void wanted(struct fetch_pace *pace, unsigned times, uint32_t readers)
{
    for (unsigned i = 0; i < times; i++)
        fetch_pace_wanted(pace, readers);
}

static void asks_a_far_store_for_all(void **state)
{
    (void)state;
    struct fetch_pace pace;
    fetch_pace_start(&pace, 28, FETCH_UNKNOWN);
    assert_int_equal(pace.reach, 1);
    wanted(&pace, 1, 2);
    assert_int_equal(pace.reach, 2);
    wanted(&pace, 9, 2);
    assert_int_equal(pace.reach, 4); /* until the first is there */
    fetch_pace_took(&pace, 4 * MIB, 76 * A_MILLISECOND);
    fetch_pace_took(&pace, 4 * MIB, A_MILLISECOND);
    wanted(&pace, 9, 2);
    assert_true(pace.reach >= 28 && pace.reach < 56);
}

/* S3 answers small requests after some 30 ms, a fast class of it after some 5. */
static void small_objects_tell_as_well(void **state)
{
    (void)state;
    for (uint64_t ms = 5; ms <= 30; ms += 25) {
        struct fetch_pace pace;
        fetch_pace_start(&pace, 28, FETCH_UNKNOWN);
        fetch_pace_took(&pace, 1000, ms * A_MILLISECOND);
        wanted(&pace, 9, 2);
        assert_true(pace.reach >= 28);
    }
}

static void asks_a_near_store_for_few(void **state)
{
    (void)state;
    struct fetch_pace pace;
    fetch_pace_start(&pace, 28, FETCH_UNKNOWN);
    for (unsigned i = 0; i < 1000; i++) {
        wanted(&pace, 1, 2);
        fetch_pace_took(&pace, 4 * MIB, (3 + i % 17) * A_MILLISECOND);
    }
    assert_int_equal(pace.reach, 4);
    wanted(&pace, 9, 12); /* many readers */
    assert_int_equal(pace.reach, 16);
    fetch_pace_start(&pace, 3, FETCH_UNKNOWN); /* no room for more */
    wanted(&pace, 9, 2);
    assert_int_equal(pace.reach, 4);
}

static void a_near_store_may_turn_out_to_be_slow(void **state)
{
    (void)state;
    struct fetch_pace pace;
    fetch_pace_start(&pace, 28, FETCH_UNKNOWN);
    fetch_pace_took(&pace, 4 * MIB, 4 * A_MILLISECOND);
    for (unsigned i = 0; i < 200; i++) /* now and then */
        fetch_pace_took(&pace, 4 * MIB, (i % 10 == 0 ? 10 : 100) * A_MILLISECOND);
    wanted(&pace, 9, 2);
    assert_int_equal(pace.reach, 4);
    for (unsigned i = 0; i < FETCH_LATE_MOST; i++)
        fetch_pace_took(&pace, 4 * MIB, 100 * A_MILLISECOND);
    wanted(&pace, 9, 2);
    assert_true(pace.reach >= 28);
}

static void nobody_measures(void **state)
{
    (void)state;
    struct fetch_pace pace;
    fetch_pace_start(&pace, 28, FETCH_FAR);
    wanted(&pace, 9, 2);
    assert_true(pace.reach >= 28);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_a_far_store_for_all),  cmocka_unit_test(small_objects_tell_as_well),
        cmocka_unit_test(asks_a_near_store_for_few), cmocka_unit_test(a_near_store_may_turn_out_to_be_slow),
        cmocka_unit_test(nobody_measures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
