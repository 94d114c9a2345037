/* test_hyperloglog.c - estimates within their error, and sketches that do not depend on order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/key_digest.h"
#include "core/inspect/hyperloglog.h"

static uint64_t hash_of(uint64_t number)
{
    return key_digest_of(&number, sizeof number).low;
}

static void add(struct hyperloglog *sketch, uint64_t begin, uint64_t end)
{
    for (uint64_t i = begin; i < end; i++)
        assert_true(hyperloglog_add(sketch, hash_of(i)));
}

static void assert_near(uint64_t estimate, uint64_t exact, uint64_t errors)
{
    uint64_t const most = errors * exact * HYPERLOGLOG_ERROR / 10000 + 1;
    uint64_t const off = estimate > exact ? estimate - exact : exact - estimate;
    if (off > most) fail_msg("%llu for %llu", (unsigned long long)estimate, (unsigned long long)exact);
}

static void test_nothing_and_few(void **state)
{
    (void)state;
    struct hyperloglog sketch = {0};
    assert_int_equal(hyperloglog_estimate(&sketch), 0);
    for (uint64_t count = 1; count <= 40; count++) {
        add(&sketch, 0, count);
        assert_near(hyperloglog_estimate(&sketch), count, 1);
    }
    assert_non_null(sketch.registers);
    hyperloglog_free(&sketch);
    assert_int_equal(hyperloglog_estimate(&sketch), 0);
}

/* At every size, the turns between small and large ones included. */
static void test_errors(void **state)
{
    (void)state;
    static const uint64_t counts[] = {100, 500, 1000, 2000, 4000, 5000, 6000, 10000, 100000, 1000000};
    double squares = 0;
    unsigned tries = 0;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            struct hyperloglog sketch = {0};
            uint64_t const begin = (seed << 40) + (i << 32);
            if (counts[i] > 100000 && seed > 2) break;
            add(&sketch, begin, begin + counts[i]);
            uint64_t const estimate = hyperloglog_estimate(&sketch);
            assert_near(estimate, counts[i], 4);
            double const off = (double)estimate / (double)counts[i] - 1;
            squares += off * off;
            tries++;
            hyperloglog_free(&sketch);
        }
    double const error = HYPERLOGLOG_ERROR / 10000.0;
    assert_true(squares / tries < 1.5 * error * error);
}

/* The same values in any order, in any parts. */
static void test_merge(void **state)
{
    (void)state;
    static const uint64_t counts[] = {0, 1, 5, HYPERLOGLOG_LIST, HYPERLOGLOG_LIST + 1, 1000};
    enum { COUNTS = sizeof counts / sizeof *counts };
    for (size_t a = 0; a < COUNTS; a++)
        for (size_t b = 0; b < COUNTS; b++) {
            struct hyperloglog all = {0}, left = {0}, right = {0};
            add(&all, 0, counts[a]);
            add(&left, 0, counts[a]);
            add(&all, 5000, 5000 + counts[b]);
            add(&right, 5000, 5000 + counts[b]);
            add(&right, 0, counts[a] / 2); /* both have some */
            assert_true(hyperloglog_merge(&left, &right));
            assert_int_equal(hyperloglog_estimate(&left), hyperloglog_estimate(&all));
            hyperloglog_free(&all);
            hyperloglog_free(&left);
            hyperloglog_free(&right);
        }
}

static void test_edges_of_hashes(void **state)
{
    (void)state;
    struct hyperloglog sketch = {0};
    assert_true(hyperloglog_add(&sketch, 0)); /* no bit behind the register's number */
    assert_true(hyperloglog_add(&sketch, UINT64_MAX));
    assert_true(hyperloglog_add(&sketch, 1));
    assert_int_equal(sketch.count, 2);
    assert_true(hyperloglog_estimate(&sketch) >= 1);
    hyperloglog_free(&sketch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_and_few),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_edges_of_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
