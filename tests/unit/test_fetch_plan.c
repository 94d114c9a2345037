/* test_fetch_plan.c - what reading from S3 takes of any memory: never more than it may, but the least; the
 * more there is the larger ranges are, and there is room for all shards in hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/fetch/fetch_plan.h"

#define MIB ((uint64_t)1024 * 1024)

static struct fetch_request usual(uint64_t memory)
{
    return (struct fetch_request){.memory = memory,
                                  .connections = 25,
                                  .receive_buffer = 64 * 1024,
                                  .threads = 4,
                                  .buckets = 1,
                                  .streams = 0,
                                  .shelved = 100000 * MIB,
                                  .objects = 10,
                                  .shard = MIB};
}

static struct fetch_plan plan_of(const struct fetch_request *request)
{
    struct fetch_plan plan;
    fetch_plan_make(request, &plan);
    return plan;
}

static void takes_what_it_likes(void **state)
{
    (void)state;
    struct fetch_request request = usual(1024 * MIB);
    struct fetch_plan plan = plan_of(&request);
    assert_int_equal(plan.range_bytes, FETCH_RANGE_MAX);
    assert_int_equal(plan.slots, 25 + 4 + 1);
    assert_int_equal(plan.ahead, 0);
    assert_true(plan.memory <= 160 * MIB);
    request.streams = 5;
    plan = plan_of(&request);
    assert_int_equal(plan.ahead, 6);
    request.streams = 1;
    request.objects = 0;
    request.shelved = 0;
    plan = plan_of(&request);
    assert_int_equal(plan.slots, 0);
    assert_int_equal(plan.ahead, FETCH_AHEAD_MAX);
}

static void small_inputs_take_little(void **state)
{
    (void)state;
    struct fetch_request request = usual(1024 * MIB);
    request.shelved = 5000;
    request.objects = 3;
    assert_int_equal(plan_of(&request).slots, 3);
}

static void stays_within_its_memory_or_is_the_least(void **state)
{
    (void)state;
    struct fetch_request none = usual(0);
    none.streams = 3;
    uint64_t const least = plan_of(&none).memory;
    assert_int_equal(plan_of(&none).range_bytes, FETCH_RANGE_MIN);
    uint64_t before = 0;
    for (uint64_t memory = 0; memory < 400 * MIB; memory += MIB / 2) {
        struct fetch_request request = usual(memory);
        request.streams = 3;
        struct fetch_plan const plan = plan_of(&request);
        assert_true(plan.memory <= memory || plan.memory == least);
        assert_true(plan.ahead >= FETCH_AHEAD_MIN);
        assert_true((plan.slots - 1) * plan.range_bytes >= (request.threads + 1) * request.shard);
        assert_true(plan.range_bytes >= before);
        before = plan.range_bytes;
    }
    assert_int_equal(before, FETCH_RANGE_MAX);
}

static void very_large_shards_do_not_count(void **state)
{
    (void)state;
    struct fetch_request request = usual(0);
    request.shard = 4096 * MIB;
    assert_true(plan_of(&request).memory < 60 * MIB);
    request = usual(0);
    request.threads = 192;
    assert_true((plan_of(&request).slots - 1) * FETCH_RANGE_MIN >= 193 * MIB);
}

/* Of an object whose frames are shared there is room for a run of each thread, as far as there is memory. */
static void wishes_are_granted_when_there_is_memory(void **state)
{
    (void)state;
    struct fetch_request request = usual(1024 * MIB);
    request.objects = 1;
    request.shard = 0;
    request.wish = 15 * MIB;
    assert_int_equal(plan_of(&request).slots, 25 + 4 * 4 + 1);
    request.memory = 120 * MIB;
    assert_true(plan_of(&request).memory <= request.memory);
    request.memory = 0;
    struct fetch_plan const least = plan_of(&request);
    assert_true(least.slots <= 3);
    assert_int_equal(least.range_bytes, FETCH_RANGE_MIN);
    request.memory = 1024 * MIB;
    request.shelved = 7 * MIB;
    assert_int_equal(plan_of(&request).slots, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_it_likes),
        cmocka_unit_test(small_inputs_take_little),
        cmocka_unit_test(stays_within_its_memory_or_is_the_least),
        cmocka_unit_test(very_large_shards_do_not_count),
        cmocka_unit_test(wishes_are_granted_when_there_is_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
