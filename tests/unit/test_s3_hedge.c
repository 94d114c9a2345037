/* test_s3_hedge.c - when hedging begins, follows, backs off and stops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/s3/s3_hedge.h"

static void feed(struct s3_hedge *hedge, unsigned count, uint32_t answer_ms)
{
    for (unsigned i = 0; i < count; i++)
        s3_hedge_sample(hedge, answer_ms);
}

static void says_nothing_before_there_are_samples(void **state)
{
    (void)state;
    static const uint32_t connections[] = {0, 1, 10, 11, 25, 1024};
    static const unsigned least[] = {10, 10, 10, 11, 25, 1024};
    for (size_t i = 0; i < sizeof least / sizeof *least; i++) {
        struct s3_hedge hedge;
        s3_hedge_start(&hedge, connections[i]);
        assert_int_equal(s3_hedge_limit(&hedge), 0);
        feed(&hedge, least[i] - 1, 200);
        assert_int_equal(s3_hedge_limit(&hedge), 0);
        feed(&hedge, 1, 200);
        assert_int_equal(s3_hedge_limit(&hedge), 1000);
    }
}

static void keeps_no_more_samples_than_there_is_room(void **state)
{
    (void)state;
    struct s3_hedge hedge;
    s3_hedge_start(&hedge, UINT32_MAX);
    feed(&hedge, S3_HEDGE_SAMPLES - 1, 100);
    assert_int_equal(s3_hedge_limit(&hedge), 0);
    feed(&hedge, 100000, 100);
    assert_int_not_equal(s3_hedge_limit(&hedge), 0);
    assert_int_equal(hedge.kept, S3_HEDGE_SAMPLES);
}

static void begins_at_the_90th_percentile(void **state)
{
    (void)state;
    struct s3_hedge hedge;
    s3_hedge_start(&hedge, 10);
    for (uint32_t i = 10; i > 0; i--) /* in no order: 2000, 1800 ... 200 */
        s3_hedge_sample(&hedge, i * 200);
    assert_int_equal(s3_hedge_limit(&hedge), 1800);
    s3_hedge_start(&hedge, 10);
    feed(&hedge, 8, 100);
    feed(&hedge, 2, 3000); /* the ninth of ten */
    assert_int_equal(s3_hedge_limit(&hedge), 3000);
    s3_hedge_start(&hedge, 10);
    feed(&hedge, 1, 3000);
    feed(&hedge, 9, 100);
    assert_int_equal(s3_hedge_limit(&hedge), 1000);
    s3_hedge_start(&hedge, 25); /* 23 of 25 are the least count that nine tenths don't pass */
    feed(&hedge, 22, 100);
    feed(&hedge, 3, 4000);
    assert_int_equal(s3_hedge_limit(&hedge), 4000);
}

static void follows_the_mean(void **state)
{
    (void)state;
    struct s3_hedge hedge;
    s3_hedge_start(&hedge, 10);
    feed(&hedge, 10, 200);
    feed(&hedge, 1, 200);
    assert_int_equal(s3_hedge_limit(&hedge), 999); /* 0.99 * 1000 + 0.01 * 900 */
    feed(&hedge, 5000, 200);
    assert_in_range(s3_hedge_limit(&hedge), 899, 901);
    feed(&hedge, 100000, 1300);
    assert_in_range(s3_hedge_limit(&hedge), 1900, 2000); /* the mean is of all samples */
}

static void slow_answers_are_not_hedged_at_all(void **state)
{
    (void)state;
    struct s3_hedge hedge;
    s3_hedge_start(&hedge, 10);
    feed(&hedge, 10, 5001);
    assert_int_equal(s3_hedge_limit(&hedge), 0);
    feed(&hedge, 100000, 1); /* for good */
    assert_int_equal(s3_hedge_limit(&hedge), 0);
    s3_hedge_count(&hedge);
    assert_int_equal(s3_hedge_limit(&hedge), 0);
    s3_hedge_start(&hedge, 10);
    feed(&hedge, 10, 5000); /* just not */
    assert_int_equal(s3_hedge_limit(&hedge), 5000);
    s3_hedge_start(&hedge, 10);
    feed(&hedge, 9, 1);
    feed(&hedge, 1, 60000); /* one of ten, but the mean is too high */
    assert_int_equal(s3_hedge_limit(&hedge), 0);
}

static void a_hedge_now_and_then_changes_nothing(void **state)
{
    (void)state;
    struct s3_hedge hedge;
    s3_hedge_start(&hedge, 10);
    feed(&hedge, 10, 300);
    for (int i = 0; i < 50; i++) {
        feed(&hedge, 1000, 300);
        s3_hedge_count(&hedge);
    }
    assert_in_range(s3_hedge_limit(&hedge), 999, 1001);
    assert_int_equal(hedge.hedged, 50);
    assert_int_equal(hedge.samples, 50010);
}

static void more_than_one_in_a_thousand_raises_the_limit(void **state)
{
    (void)state;
    struct s3_hedge hedge;
    s3_hedge_start(&hedge, 10);
    feed(&hedge, 1000, 300);
    s3_hedge_count(&hedge);
    uint32_t const before = s3_hedge_limit(&hedge);
    s3_hedge_count(&hedge); /* 2 of 1000: 0.2 % */
    assert_int_equal(s3_hedge_limit(&hedge), before + 100);
    s3_hedge_count(&hedge); /* counted anew */
    assert_int_equal(s3_hedge_limit(&hedge), before + 100);
}

static void more_than_one_in_a_hundred_raises_it_much(void **state)
{
    (void)state;
    struct s3_hedge hedge;
    s3_hedge_start(&hedge, 10);
    feed(&hedge, 100, 300);
    s3_hedge_count(&hedge);
    uint32_t const before = s3_hedge_limit(&hedge);
    s3_hedge_count(&hedge);
    assert_int_equal(s3_hedge_limit(&hedge), before + 1000);
}

static void a_network_that_stalls_as_a_whole_is_not_hedged_away(void **state)
{
    (void)state;
    struct s3_hedge hedge;
    s3_hedge_start(&hedge, 25);
    feed(&hedge, 25, 300);
    unsigned sent = 0;
    while (s3_hedge_limit(&hedge) != 0 && sent < 1000) {
        s3_hedge_count(&hedge);
        sent++;
    }
    assert_in_range(sent, 5, 10);
}

static void a_hedge_before_there_is_a_limit_counts(void **state)
{
    (void)state;
    struct s3_hedge hedge; /* a caller with a limit of its own */
    s3_hedge_start(&hedge, 10);
    s3_hedge_count(&hedge);
    s3_hedge_count(&hedge);
    assert_int_equal(s3_hedge_limit(&hedge), 0);
    assert_int_equal(hedge.hedged, 2);
    feed(&hedge, 10, 100);
    assert_int_equal(s3_hedge_limit(&hedge), 1000);
}

static void takes_any_time(void **state)
{
    (void)state;
    struct s3_hedge hedge;
    s3_hedge_start(&hedge, 10);
    feed(&hedge, 100, UINT32_MAX);
    feed(&hedge, 100, 0);
    assert_int_equal(s3_hedge_limit(&hedge), 0);
    s3_hedge_start(&hedge, 10);
    feed(&hedge, 10, 0);
    assert_int_equal(s3_hedge_limit(&hedge), 1000);
    feed(&hedge, 100000, 0);
    assert_in_range(s3_hedge_limit(&hedge), 699, 701);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_nothing_before_there_are_samples),
        cmocka_unit_test(keeps_no_more_samples_than_there_is_room),
        cmocka_unit_test(begins_at_the_90th_percentile),
        cmocka_unit_test(follows_the_mean),
        cmocka_unit_test(slow_answers_are_not_hedged_at_all),
        cmocka_unit_test(a_hedge_now_and_then_changes_nothing),
        cmocka_unit_test(more_than_one_in_a_thousand_raises_the_limit),
        cmocka_unit_test(more_than_one_in_a_hundred_raises_it_much),
        cmocka_unit_test(a_network_that_stalls_as_a_whole_is_not_hedged_away),
        cmocka_unit_test(a_hedge_before_there_is_a_limit_counts),
        cmocka_unit_test(takes_any_time),
    };
    return cmocka_run_group_tests_name("s3_hedge", tests, NULL, NULL);
}
