/* test_pipeline.c - the whole core between a source and a sink in memory: the same bytes whatever the
 * threads, and an orderly end whatever fails and whenever. */
#include "tests/unit/pipeline_desk.h"
#include "tests/unit/under_tsan.h"

/* ---- the same bytes ---- */

static void same_bytes_for_threads_and_shards(void **state)
{
    (void)state;
    static const uint64_t shards[] = {1000, 8191, 40000, 150000, UINT64_C(1) << 40};
    struct scene *scene = scene_create(400);
    scene->options.assemble.max_rows = 100;
    struct memory_text wanted = scene_reference(scene);
    for (size_t t = 0; t < COUNT(scene_threads); t++)
        for (size_t s = 0; s < COUNT(shards); s++) {
            assert_int_equal(scene_run(scene, scene_threads[t], shards[s], NULL, 0), STATUS_OK);
            scene_same_as(scene, &wanted);
            scene_end(scene);
        }
    memory_text_free(&wanted);
    scene_destroy(scene);
}

static void same_bytes_for_shards_of_any_size(void **state)
{
    (void)state;
    struct scene *scene = scene_create(24);
    struct memory_text wanted = scene_reference(scene);
    for (uint64_t bytes = 1; bytes <= scene->dumps[0].length + 1; bytes += 1 + bytes / 8) {
        assert_int_equal(scene_run(scene, 3, bytes, NULL, 0), STATUS_OK);
        scene_same_as(scene, &wanted);
        scene_end(scene);
    }
    memory_text_free(&wanted);
    scene_destroy(scene);
}

/* Sources that are read front to back, alone and among others, in blocks of all sizes. */
static void same_bytes_for_streams(void **state)
{
    (void)state;
    static const size_t blocks[] = {64, 5000, PIPELINE_STREAM_BLOCK_MIN, STREAM_BLOCK_BYTES};
    struct scene *scene = scene_create(400);
    scene->options.assemble.max_rows = 100;
    struct memory_text wanted = scene_reference(scene);
    for (scene->as_streams = 1; scene->as_streams < 8; scene->as_streams++)
        for (size_t b = 0; b < COUNT(blocks); b++)
            for (size_t t = 0; t < COUNT(scene_threads); t++) {
                scene->options.sizes.stream_block = blocks[b];
                assert_int_equal(scene_run(scene, scene_threads[t], 5000, NULL, 0), STATUS_OK);
                scene_same_as(scene, &wanted);
                scene_end(scene);
            }
    memory_text_free(&wanted);
    scene_destroy(scene);
}

/* What stands before the break counts, whatever the threads. */
static void a_stream_that_breaks_ends_the_run_in_order(void **state)
{
    (void)state;
    struct scene *scene = scene_create(400);
    uint64_t input = 0;
    scene->as_streams = 5;
    scene->options.sizes.stream_block = 5000;
    for (size_t t = 0; t < COUNT(scene_threads); t++) {
        assert_int_equal(scene_run(scene, scene_threads[t], 5000, NULL, 60000), STATUS_IO);
        assert_string_equal(scene->fault.message, "first: broken at 60000");
        if (t == 0) input = scene->result.assemble.tally.input;
        assert_true(input > 0);
        assert_int_equal(scene->result.assemble.tally.input, input);
        scene_end(scene);
    }
    scene_destroy(scene);
}

static void same_bytes_for_both_walks_and_all_sizes(void **state)
{
    (void)state;
    static const size_t blocks[] = {64, 1000, PIPELINE_BLOCK_MAX};
    struct scene *scene = scene_create(200);
    struct memory_text wanted = scene_reference(scene);
    for (size_t b = 0; b < COUNT(blocks); b++)
        for (int walk = CONVERT_FAST; walk <= CONVERT_ON_DEMAND; walk++)
            for (uint32_t chunks = PIPELINE_CHUNKS_MIN; chunks <= PIPELINE_CHUNKS_PER_WORKER; chunks++) {
                scene->rules.walk = (enum convert_walk)walk;
                scene->options.sizes = (struct pipeline_sizes){
                    .block = blocks[b], .chunk = CHUNK_BYTES_MIN, .chunks = chunks, .stream_block = 4096};
                assert_int_equal(scene_run(scene, 2, 5000, NULL, 0), STATUS_OK);
                scene_same_as(scene, &wanted);
                scene_end(scene);
            }
    memory_text_free(&wanted);
    scene_destroy(scene);
}

/* A sink that keeps more pieces than the workers have chunks: only waiting for it can go on. */
static void goes_on_with_a_sink_that_keeps_pieces(void **state)
{
    (void)state;
    static const struct memory_sink sinks[] = {
        {.hold = 1}, {.hold = 3, .random = 5}, {.hold = 10000}, {.hold = 10000, .random = 9}};
    struct scene *scene = scene_create(1500);
    scene->options.assemble.max_rows = 700;
    struct memory_text wanted = scene_reference(scene);
    for (size_t i = 0; i < COUNT(sinks); i++)
        for (uint32_t threads = 1; threads <= 4; threads += 3)
            for (uint64_t shard = 60000; shard < 100000000; shard *= 100) {
                assert_int_equal(scene_run(scene, threads, shard, &sinks[i], 0), STATUS_OK);
                scene_same_as(scene, &wanted);
                scene_end(scene);
            }
    memory_text_free(&wanted);
    scene_destroy(scene);
}

/* A sink that lets go of nothing before it has a whole part, of chunks that are mostly full: the chunks on
 * top of the workers' quotas see to it that the part gets whole. */
static void goes_on_with_a_sink_that_gathers_parts(void **state)
{
    (void)state;
    static const struct memory_sink sink = {.hold = 10000, .part = 3 * CHUNK_BYTES_MIN};
    struct scene *scene = scene_create(1500);
    struct memory_text wanted = scene_reference(scene);
    scene->options.sizes.extra = 6;
    for (uint32_t threads = 1; threads <= 8; threads++) {
        assert_int_equal(scene_run(scene, threads, 400000, &sink, 0), STATUS_OK);
        scene_same_as(scene, &wanted);
        scene_end(scene);
    }
    memory_text_free(&wanted);
    scene_destroy(scene);
}

static void delivers_nothing_of_nothing(void **state)
{
    (void)state;
    struct scene *scene = scene_create(0);
    for (size_t t = 0; t < COUNT(scene_threads); t++) {
        assert_int_equal(scene_run(scene, scene_threads[t], 1000, NULL, 0), STATUS_OK);
        assert_int_equal(scene->sink.file_count, 0);
        assert_int_equal(scene->result.assemble.tally.input, 0);
        scene_end(scene);
    }
    scene_destroy(scene);
}

static void waits_until_the_sink_has_passed_all_on(void **state)
{
    (void)state;
    struct scene *scene = scene_create(40);
    struct memory_text wanted = scene_reference(scene);
    for (uint32_t reaps = 1; reaps <= 1000; reaps *= 10) {
        struct memory_sink const like = {.undrained = reaps};
        assert_int_equal(scene_run(scene, 2, 9000, &like, 0), STATUS_OK); /* looks at it, too */
        scene_same_as(scene, &wanted);
        scene_end(scene);
    }
    memory_text_free(&wanted);
    scene_destroy(scene);
}

/* ---- failures ---- */

static void survives_a_read_that_fails(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 8; threads += 7) {
        struct scene *scene = scene_create(120);
        for (uint64_t k = 1;; k++) {
            enum status const status = scene_run(scene, threads, 9000, NULL, k);
            bool const end = atomic_load(&scene->sources[0].reads) < k;
            assert_int_equal(status, end ? STATUS_OK : STATUS_IO);
            if (!end) {
                assert_string_equal(scene->fault.message, "first: read failed");
                assert_int_equal(scene->fault.status, STATUS_IO);
            }
            scene_end(scene);
            if (end) break;
        }
        scene_destroy(scene);
    }
}

static void survives_a_sink_that_fails(void **state)
{
    (void)state;
    static const struct memory_sink sinks[] = {{.hold = 0}, {.hold = 2}, {.hold = 10000, .random = 3}};
    for (size_t i = 0; i < COUNT(sinks); i++)
        for (uint32_t threads = 1; threads <= 3; threads += 2) {
            struct scene *scene = scene_create(120);
            scene->options.assemble.max_rows = 50;
            for (uint64_t k = 1;; k += UNDER_TSAN ? 4 : 1) {
                struct memory_sink like = sinks[i];
                like.fail_at = k;
                enum status const status = scene_run(scene, threads, 30000, &like, 0);
                bool const end = scene->sink.calls < k;
                assert_int_equal(status, end ? STATUS_OK : STATUS_IO);
                if (!end) assert_int_equal(scene->sink.calls, k);
                if (!end) assert_non_null(strstr(scene->fault.message, "sink: call"));
                scene_end(scene);
                if (end) break;
            }
            scene_destroy(scene);
        }
}

static void stops_at_any_poll(void **state)
{
    (void)state;
    static const struct memory_sink late = {.hold = 10000, .random = 3};
    for (uint32_t threads = 1; threads <= 8; threads += 7) {
        struct scene *scene = scene_create(120);
        for (scene_stop_at_poll = 1;; scene_stop_at_poll += UNDER_TSAN ? 3 : 1) {
            enum status const status =
                scene_run(scene, threads, 9000, scene_stop_at_poll % 2 == 0 ? &late : NULL, 0);
            bool const end = scene_polls < scene_stop_at_poll;
            assert_int_equal(status, end ? STATUS_OK : STATUS_TERMINATED);
            if (!end) {
                assert_int_equal(scene_polls, scene_stop_at_poll);
                assert_string_equal(scene->fault.message, "stopped by a signal");
            }
            scene_end(scene);
            if (end) break;
        }
        scene_stop_at_poll = 0;
        scene_destroy(scene);
    }
}

/* Both at once, from several sides: somebody's failure is told, and the run ends. */
static void survives_failures_that_meet(void **state)
{
    (void)state;
    struct scene *scene = scene_create(300);
    for (uint64_t k = 1; k <= 120; k++) {
        struct memory_sink const like = {.hold = 4, .random = 1, .fail_at = k / 2};
        scene->options.assemble.budget_records = 1 + k % 9;
        scene_stop_at_poll = k % 5 == 0 ? k / 3 : 0;
        enum status const status = scene_run(scene, 8, 700, &like, 1 + k % 37);
        assert_true(status == STATUS_IO || status == STATUS_INPUT || status == STATUS_TERMINATED);
        assert_int_equal(status, scene->fault.status);
        scene_end(scene);
    }
    scene_stop_at_poll = 0;
    scene_destroy(scene);
}

/* The budget is judged in input order: the same counts, message and reject lines for any number of threads.
 */
static void passes_the_budget_at_the_same_record(void **state)
{
    (void)state;
    struct scene *scene = scene_create(300);
    for (uint64_t budget = 1; budget <= 25; budget += 6) {
        struct memory_text wanted = {0};
        for (size_t t = 0; t < COUNT(scene_threads); t++) {
            scene->options.assemble.budget_records = budget;
            assert_int_equal(scene_run(scene, scene_threads[t], 2000, NULL, 0), STATUS_INPUT);
            assert_int_equal(scene->log.reject_count, budget + 1);
            assert_int_equal(tally_failed(&scene->result.assemble.tally), budget + 1);
            assert_true(tally_balanced(&scene->result.assemble.tally));
            struct memory_text got = {0};
            memory_print(&got, scene->fault.message);
            memory_append(&got, scene->log.rejects.bytes, scene->log.rejects.length);
            if (t == 0) {
                wanted = got;
            } else {
                assert_int_equal(got.length, wanted.length);
                assert_memory_equal(got.bytes, wanted.bytes, got.length);
                memory_text_free(&got);
            }
            scene_end(scene);
        }
        memory_text_free(&wanted);
    }
    scene_destroy(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bytes_for_threads_and_shards),
        cmocka_unit_test(same_bytes_for_shards_of_any_size),
        cmocka_unit_test(same_bytes_for_streams),
        cmocka_unit_test(a_stream_that_breaks_ends_the_run_in_order),
        cmocka_unit_test(same_bytes_for_both_walks_and_all_sizes),
        cmocka_unit_test(goes_on_with_a_sink_that_keeps_pieces),
        cmocka_unit_test(goes_on_with_a_sink_that_gathers_parts),
        cmocka_unit_test(delivers_nothing_of_nothing),
        cmocka_unit_test(waits_until_the_sink_has_passed_all_on),
        cmocka_unit_test(survives_a_read_that_fails),
        cmocka_unit_test(survives_a_sink_that_fails),
        cmocka_unit_test(stops_at_any_poll),
        cmocka_unit_test(survives_failures_that_meet),
        cmocka_unit_test(passes_the_budget_at_the_same_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
