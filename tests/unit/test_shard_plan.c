/* test_shard_plan.c - shards cover every byte of every source once, in order, whatever the sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/record/shard_plan.h"

static void assert_shard(const struct shard_plan *plan, uint64_t number, size_t source, uint64_t begin,
                         uint64_t end)
{
    struct shard const shard = shard_plan_get(plan, number);
    assert_int_equal(shard.source, source);
    assert_int_equal(shard.begin, begin);
    assert_int_equal(shard.end, end);
    assert_int_equal(shard.source_begin, plan->sources[source].begin);
}

static void one_source_is_cut(void **state)
{
    (void)state;
    struct shard_plan plan;
    struct shard_source const source = {.begin = 3, .size = 25}; /* behind a byte order mark */
    assert_true(shard_plan_create(&plan, &source, 1, 10));
    assert_int_equal(plan.count, 3);
    assert_shard(&plan, 0, 0, 3, 13);
    assert_shard(&plan, 1, 0, 13, 23);
    assert_shard(&plan, 2, 0, 23, 25);
    shard_plan_destroy(&plan);
}

static void sources_without_contents_have_no_shard(void **state)
{
    (void)state;
    struct shard_source const sources[] = {{0, 0}, {3, 3}, {0, 10}, {0, 0}, {3, 2}, {0, 1}, {0, 0}};
    struct shard_plan plan;
    assert_true(shard_plan_create(&plan, sources, 7, 10));
    assert_int_equal(plan.count, 2);
    assert_shard(&plan, 0, 2, 0, 10);
    assert_shard(&plan, 1, 5, 0, 1);
    shard_plan_destroy(&plan);
    assert_true(shard_plan_create(&plan, sources, 2, 10));
    assert_int_equal(plan.count, 0);
    shard_plan_destroy(&plan);
    assert_true(shard_plan_create(&plan, NULL, 0, 10));
    assert_int_equal(plan.count, 0);
    shard_plan_destroy(&plan);
    shard_plan_destroy(&plan); /* a zeroed struct is fine */
}

static void positions_take_64_bits(void **state)
{
    (void)state;
    uint64_t const tera = (uint64_t)1 << 40;
    struct shard_source const sources[] = {{0, 5 * tera + 1}, {0, UINT64_MAX}};
    struct shard_plan plan;
    assert_true(shard_plan_create(&plan, sources, 2, tera));
    assert_int_equal(plan.first[1], 6);
    assert_shard(&plan, 5, 0, 5 * tera, 5 * tera + 1);
    assert_int_equal(plan.count, 6 + ((uint64_t)1 << 24));
    assert_shard(&plan, plan.count - 1, 1, UINT64_MAX - tera + 1, UINT64_MAX);
    shard_plan_destroy(&plan);
    assert_true(shard_plan_create(&plan, sources, 2, UINT64_MAX));
    assert_int_equal(plan.count, 2);
    assert_shard(&plan, 1, 1, 0, UINT64_MAX);
    shard_plan_destroy(&plan);
}

static void shards_cover_all_once(void **state)
{
    (void)state;
    for (uint64_t bytes = 1; bytes <= 12; bytes++) {
        struct shard_source sources[24];
        for (uint64_t i = 0; i < 24; i++)
            sources[i] = (struct shard_source){.begin = i % 4, .size = i * 7 % 31};
        struct shard_plan plan;
        assert_true(shard_plan_create(&plan, sources, 24, bytes));
        uint64_t number = 0;
        for (size_t i = 0; i < 24; i++) {
            assert_int_equal(plan.first[i], number);
            for (uint64_t at = sources[i].begin; at < sources[i].size; number++) {
                struct shard const shard = shard_plan_get(&plan, number);
                assert_true(shard.source == i && shard.begin == at && shard.end > at);
                assert_true(shard.end - at <= bytes && shard.end <= sources[i].size);
                assert_true(shard.end - at == bytes || shard.end == sources[i].size);
                at = shard.end;
            }
        }
        assert_int_equal(number, plan.count);
        shard_plan_destroy(&plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_source_is_cut),
        cmocka_unit_test(sources_without_contents_have_no_shard),
        cmocka_unit_test(positions_take_64_bits),
        cmocka_unit_test(shards_cover_all_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
