/* test_pipeline_pack.c - the pipeline with a sink that compresses: its workers convert and compress. The same
 * bytes whatever the threads, and an orderly end whatever fails and whenever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/pack_sink.h"
#include "core/flow/pipeline.h"
#include "tests/unit/memory_ports.h"
#include "tests/unit/pack_desk.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A healthy run takes milliseconds. */
#define WATCHDOG_SECONDS 60u
#define UNIT             5000u

static const uint32_t thread_counts[] = {1, 2, 3, 8};

static uint64_t looks, stop_at_look;

static enum status interrupted(void)
{
    return ++looks == stop_at_look ? STATUS_TERMINATED : STATUS_OK;
}

struct scene {
    struct memory_job job;
    struct memory_text dump;
    struct memory_log log;
    struct wait arrivals;
    struct convert_rules rules;
    uint64_t max_rows, fail_read, fail_sink;
    uint32_t hold; /* pieces that the inner sink keeps */
    struct memory_sink inner;
    struct fault fault;
};

static void no_destroy(struct sink *sink)
{
    (void)sink;
}

static struct scene *scene_create(uint32_t records)
{
    struct scene *scene = memory_must(calloc(1, sizeof *scene));
    memory_job_start(&scene->job, "id");
    memory_column(&scene->job, "a");
    memory_job_compile(&scene->job);
    for (uint32_t i = 0; i < records; i++) {
        char line[100];
        snprintf(line, sizeof line, "{\"id\":%u,\"a\":\"value, %u\"}\n", i, i * 31);
        memory_print(&scene->dump, i % 19 == 5 ? "{\"broken\":\n" : line);
        if (i % 301 != 60) continue;
        memory_print(&scene->dump, "{\"id\":\"giant\",\"a\":\"");
        memory_fill(&scene->dump, 'G', CHUNK_BYTES_MIN + 500);
        memory_print(&scene->dump, "\"}\n");
    }
    scene->rules = (struct convert_rules){.plan = &scene->job.plan, .max_record = 1 << 20, .max_depth = 64};
    assert_true(wait_init(&scene->arrivals));
    return scene;
}

static void scene_destroy(struct scene *scene)
{
    memory_text_free(&scene->dump);
    memory_text_free(&scene->log.rejects);
    memory_job_free(&scene->job);
    wait_destroy(&scene->arrivals);
    free(scene);
}

/* `kind` NULL: nothing is compressed. What came out is in scene->inner, memory_sink_free() it. */
static enum status scene_run(struct scene *scene, const enum pack_kind *kind, uint32_t threads,
                             uint64_t shard)
{
    struct crew crew = {.lanes = NULL};
    struct shard_plan plan;
    struct memory_source source;
    struct pipeline_result result;
    struct source *const port = &source.port;
    memory_source_start(&source, "dump", scene->dump.bytes, scene->dump.length);
    source.fail_at = scene->fail_read;
    assert_true(
        shard_plan_create(&plan, &(struct shard_source){.begin = 0, .size = scene->dump.length}, 1, shard));
    memory_sink_start(&scene->inner);
    scene->inner.port.destroy = no_destroy;
    scene->inner.fail_at = scene->fail_sink;
    scene->inner.hold = scene->hold;
    memory_text_free(&scene->log.rejects);
    struct pipeline_options options = {
        .threads = threads,
        .arrivals = &scene->arrivals,
        .rules = &scene->rules,
        .sizes = {.block = PIPELINE_BLOCK_MIN, .chunk = CHUNK_BYTES_MIN, .chunks = PIPELINE_CHUNKS_MIN},
        .buffered_sources = true,
        .now = memory_now,
        .interrupted = interrupted,
        .assemble = memory_rules(&scene->log, "Id,A\n")};
    options.assemble.max_rows = scene->max_rows;
    struct sink *sink = &scene->inner.port;
    if (kind != NULL) {
        assert_true(crew_create(&crew, threads));
        struct pack_sink_options const pack = {.kind = *kind,
                                               .unit = UNIT,
                                               .open = 1,
                                               .hold = scene->hold * (uint64_t)UNIT,
                                               .block_bytes = UNIT,
                                               .checksum = CHECKSUM_CRC32C,
                                               .crew = &crew,
                                               .arrivals = &scene->arrivals,
                                               .now = memory_now,
                                               .interrupted = interrupted};
        sink = pack_sink_create(&pack, sink, &scene->fault);
        assert_non_null(sink);
        options.crew = &crew;
    }
    looks = 0;
    memory_watch(WATCHDOG_SECONDS);
    enum status const status = pipeline_run(&options, &port, &plan, sink, &result, &scene->fault);
    memory_watch_end();
    assert_int_equal(scene->inner.aborts, status == STATUS_OK ? 0 : 1);
    assert_int_equal(scene->inner.wrong, 0);
    if (kind != NULL && status == STATUS_OK) {
        assert_true(sink->drained(sink));
        memory_give_all(&scene->inner); /* its bytes are looked at only then */
    }
    if (kind != NULL) sink->destroy(sink);
    crew_destroy(&crew);
    assemble_free(&result.assemble);
    shard_plan_destroy(&plan);
    return status;
}

/* The files of the last run unpacked are those of `plain`. */
static void expect_content(const struct scene *scene, enum pack_kind kind, const struct memory_sink *plain)
{
    assert_int_equal(scene->inner.file_count, plain->file_count);
    for (uint32_t f = 0; f < plain->file_count; f++) {
        const struct memory_text *const packed = &scene->inner.files[f].text;
        const struct memory_text *const wanted = &plain->files[f].text;
        struct desk_text const text = kind == PACK_GZIP
                                          ? desk_gunzip(packed->bytes, packed->length, wanted->length)
                                          : desk_unzstd(packed->bytes, packed->length, wanted->length);
        assert_true(text.good);
        assert_int_equal(text.length, wanted->length);
        assert_memory_equal(text.bytes, wanted->bytes, text.length);
        free(text.bytes);
    }
}

static void same_bytes_for_threads_and_shards(void **state)
{
    (void)state;
    static const uint64_t shards[] = {3000, 60000, UINT64_C(1) << 40};
    struct scene *scene = scene_create(3000);
    scene->max_rows = 700;
    assert_int_equal(scene_run(scene, NULL, 2, 20000), STATUS_OK);
    struct memory_sink plain = scene->inner;
    for (enum pack_kind kind = PACK_GZIP; kind <= PACK_ZSTD; kind++) {
        assert_int_equal(scene_run(scene, &kind, 1, 10000), STATUS_OK);
        expect_content(scene, kind, &plain);
        struct memory_text wanted = memory_sink_text(&scene->inner);
        memory_sink_free(&scene->inner);
        for (size_t t = 0; t < COUNT(thread_counts); t++)
            for (size_t s = 0; s < COUNT(shards); s++)
                for (scene->hold = 0; scene->hold <= 8; scene->hold += 4) {
                    assert_int_equal(scene_run(scene, &kind, thread_counts[t], shards[s]), STATUS_OK);
                    struct memory_text got = memory_sink_text(&scene->inner);
                    assert_int_equal(got.length, wanted.length);
                    assert_memory_equal(got.bytes, wanted.bytes, got.length);
                    memory_text_free(&got);
                    memory_sink_free(&scene->inner);
                }
        memory_text_free(&wanted);
    }
    memory_sink_free(&plain);
    scene_destroy(scene);
}

static void a_fault_ends_the_run(void **state)
{
    (void)state;
    enum pack_kind const kind = PACK_GZIP;
    struct scene *scene = scene_create(1500);
    scene->max_rows = 400;
    for (uint64_t fail = 1; fail < 60; fail += 3)
        for (size_t t = 0; t < COUNT(thread_counts); t++) {
            scene->fail_sink = fail;
            scene->fail_read = 0;
            assert_int_equal(scene_run(scene, &kind, thread_counts[t], 20000), STATUS_IO);
            memory_sink_free(&scene->inner);
            scene->fail_sink = 0;
            scene->fail_read = 1 + fail / 4;
            assert_int_equal(scene_run(scene, &kind, thread_counts[t], 20000), STATUS_IO);
            memory_sink_free(&scene->inner);
        }
    scene_destroy(scene);
}

static void an_interrupt_ends_the_run(void **state)
{
    (void)state;
    enum pack_kind const kind = PACK_ZSTD;
    struct scene *scene = scene_create(1500);
    for (uint64_t at = 1; at < 40; at += 2)
        for (size_t t = 0; t < COUNT(thread_counts); t++) {
            stop_at_look = at;
            enum status const status = scene_run(scene, &kind, thread_counts[t], 20000);
            assert_true(status == STATUS_TERMINATED || (status == STATUS_OK && looks < at));
            memory_sink_free(&scene->inner);
        }
    stop_at_look = 0;
    scene_destroy(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bytes_for_threads_and_shards),
        cmocka_unit_test(a_fault_ends_the_run),
        cmocka_unit_test(an_interrupt_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
