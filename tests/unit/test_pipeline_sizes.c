/* test_pipeline_sizes.c - what a run takes of its memory limit, and the least that it can do with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/pipeline.h"
#include "tests/unit/memory_ports.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const uint32_t thread_counts[] = {1, 2, 3, 8, 64};

static void sizes_fit_their_limit(void **state)
{
    (void)state;
    static const uint64_t records[] = {64, 16 * LIMIT_MIB, 64 * LIMIT_MIB, LIMIT_RECORD_MAX};
    struct memory_job job;
    memory_job_start(&job, "id");
    memory_column(&job, "a[*]");
    memory_job_compile(&job);
    for (size_t r = 0; r < COUNT(records); r++)
        for (size_t t = 0; t < COUNT(thread_counts); t++)
            for (int buffered = 0; buffered < 2; buffered++) {
                struct convert_rules const rules = {
                    .plan = &job.plan, .max_record = records[r], .max_depth = 1024};
                struct pipeline_sizes sizes, least;
                struct fault fault;
                uint32_t const threads = thread_counts[t];
                struct pipeline_needs const needs = {
                    .rules = &rules, .threads = threads, .buffered_sources = buffered};
                assert_int_equal(pipeline_size(&needs, UINT64_MAX, &sizes, &fault), STATUS_OK);
                assert_int_equal(sizes.block, PIPELINE_BLOCK_MAX);
                assert_int_equal(sizes.chunk, CHUNK_BYTES_MAX);
                assert_int_equal(sizes.chunks, PIPELINE_CHUNKS_PER_WORKER);
                assert_int_equal(pipeline_size(&needs, 0, &least, &fault), STATUS_USAGE);
                const char *named = strstr(fault.message, "the least that works is ");
                assert_non_null(named);
                assert_int_equal(pipeline_least(&needs), least.memory);
                struct pipeline_needs ahead = needs; /* each worker's reader has that, not the lane's */
                ahead.reads_ahead = LIMIT_MIB;
                assert_int_equal(pipeline_least(&ahead), least.memory + threads * LIMIT_MIB);
                uint64_t const mebibytes = strtoull(named + strlen("the least that works is "), NULL, 10);
                assert_int_equal(pipeline_size(&needs, mebibytes * LIMIT_MIB, &sizes, &fault), STATUS_OK);
                assert_int_equal(pipeline_size(&needs, least.memory, &sizes, &fault), STATUS_OK);
                assert_int_equal(pipeline_size(&needs, least.memory - 1, &sizes, &fault), STATUS_USAGE);
                assert_int_equal(sizes.chunks, PIPELINE_CHUNKS_MIN);
                for (uint64_t more = 0; more < 400; more += 7) {
                    uint64_t const limit = least.memory + more * LIMIT_MIB;
                    assert_int_equal(pipeline_size(&needs, limit, &sizes, &fault), STATUS_OK);
                    assert_true(sizes.memory <= limit);
                    assert_true(sizes.block >= PIPELINE_BLOCK_MIN && sizes.chunk >= CHUNK_BYTES_MIN &&
                                sizes.chunks >= PIPELINE_CHUNKS_MIN);
                }
            }
    memory_job_free(&job);
}

/* Rows of sources ahead of the front one get a share of the limit, where there are any. */
static void sizes_for_stream_sources(void **state)
{
    (void)state;
    enum { STREAM_BYTES = 9 << 20 };
    struct memory_job job;
    memory_job_start(&job, "id");
    memory_job_compile(&job);
    struct convert_rules const rules = {.plan = &job.plan, .max_record = 64, .max_depth = 1024};
    struct pipeline_needs needs = {
        .rules = &rules, .threads = 4, .sources = 1, .stream_sources = 1, .stream_bytes = STREAM_BYTES};
    struct pipeline_sizes sizes;
    struct fault fault;
    uint64_t const limit = 1024 * LIMIT_MIB, one = pipeline_least(&needs);
    assert_int_equal(pipeline_size(&needs, limit, &sizes, &fault), STATUS_OK);
    assert_int_equal(sizes.chunks, PIPELINE_CHUNKS_PER_WORKER); /* nothing is ahead */
    assert_int_equal(sizes.stream_block, STREAM_BLOCK_BYTES);
    needs.sources = needs.stream_sources = 3;
    assert_int_equal(pipeline_least(&needs), one + 2 * STREAM_BYTES);
    needs.sources = needs.stream_sources = 100;
    assert_int_equal(pipeline_least(&needs), one + 4 * STREAM_BYTES); /* open at once */
    assert_int_equal(pipeline_size(&needs, limit, &sizes, &fault), STATUS_OK);
    uint64_t const ahead = (sizes.chunks - PIPELINE_CHUNKS_PER_WORKER) * (uint64_t)needs.threads;
    assert_in_range(ahead * chunk_memory(sizes.chunk, rules.streams), limit / 5, limit / 4);
    assert_true(sizes.memory <= limit);
    for (uint64_t more = 0; more < 200; more += 3) {
        uint64_t const tight = pipeline_least(&needs) + more * LIMIT_MIB;
        assert_int_equal(pipeline_size(&needs, tight, &sizes, &fault), STATUS_OK);
        assert_true(sizes.memory <= tight);
    }
    assert_int_equal(pipeline_size(&needs, UINT64_MAX, &sizes, &fault), STATUS_OK);
    assert_int_equal(sizes.chunks, PIPELINE_CHUNKS_PER_WORKER + PIPELINE_AHEAD_MAX);
    needs.blocks_show = true; /* files.count */
    assert_int_equal(pipeline_size(&needs, pipeline_least(&needs), &sizes, &fault), STATUS_OK);
    assert_int_equal(sizes.stream_block, STREAM_BLOCK_BYTES);
    needs.threads = 1; /* it stays with the front source */
    assert_int_equal(pipeline_size(&needs, limit, &sizes, &fault), STATUS_OK);
    assert_int_equal(sizes.chunks, PIPELINE_CHUNKS_PER_WORKER);
    memory_job_free(&job);
}

static void sizes_for_a_sink_that_holds(void **state)
{
    (void)state;
    struct memory_job job;
    memory_job_start(&job, "id");
    memory_job_compile(&job);
    struct convert_rules const rules = {.plan = &job.plan, .max_record = 16 * LIMIT_MIB, .max_depth = 64};
    struct pipeline_needs const none = {.rules = &rules, .threads = 2};
    struct pipeline_needs const holds = {
        .rules = &rules, .threads = 2, .hold = 100 * LIMIT_MIB + 1, .other = 7 * LIMIT_MIB};
    struct pipeline_sizes sizes;
    struct fault fault;
    assert_int_equal(pipeline_size(&holds, UINT64_MAX, &sizes, &fault), STATUS_OK);
    assert_int_equal(sizes.chunk, CHUNK_BYTES_MIN);
    assert_int_equal(sizes.extra, 801);
    assert_true(pipeline_least(&holds) > pipeline_least(&none) + 107 * LIMIT_MIB);
    assert_int_equal(pipeline_size(&holds, pipeline_least(&holds) - 1, &sizes, &fault), STATUS_USAGE);
    memory_job_free(&job);
}

/* Each worker gathers a chunk of rows beside, and each chunk has its runs. */
static void sizes_for_streams(void **state)
{
    (void)state;
    struct memory_job job;
    memory_job_start(&job, "id");
    memory_job_compile(&job);
    struct convert_rules rules = {.plan = &job.plan, .max_record = 16 * LIMIT_MIB, .max_depth = 64};
    struct pipeline_needs const needs = {.rules = &rules, .threads = 3, .hold = 100 * LIMIT_MIB};
    uint64_t const none = pipeline_least(&needs);
    rules.streams = 1;
    assert_int_equal(pipeline_least(&needs), none);
    rules.streams = 256;
    uint64_t const gathered = 3 * split_memory(CHUNK_BYTES_MIN, 256);
    uint64_t const runs = (800 + 3 * PIPELINE_CHUNKS_MIN) * 256 * sizeof(struct chunk_run);
    assert_int_equal(pipeline_least(&needs), none + gathered + runs);
    memory_job_free(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_fit_their_limit),
        cmocka_unit_test(sizes_for_stream_sources),
        cmocka_unit_test(sizes_for_a_sink_that_holds),
        cmocka_unit_test(sizes_for_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
