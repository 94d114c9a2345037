/* pipeline_desk.h - one run of the pipeline after another: three sources in memory, a sink in memory, and
 * what came out as one text to compare with that of other runs.
 *
 * One test program includes it once; one run at a time. */
#ifndef PENSTOCK_TESTS_UNIT_PIPELINE_DESK_H
#define PENSTOCK_TESTS_UNIT_PIPELINE_DESK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/pipeline.h"
#include "tests/unit/memory_ports.h"
#include "tests/unit/memory_stream.h"

#include <inttypes.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A healthy run takes milliseconds, the whole program some seconds. */
#define SCENE_SECONDS 60u

static const uint32_t scene_threads[] = {1, 2, 3, 8, 64};

#define SCENE_SOURCES  3
#define SCENE_SEGMENTS 50u

/* ---- one run ---- */

/* The pipeline asks without a context: one run at a time. Only the assembler's thread calls it. */
static uint64_t scene_polls, scene_stop_at_poll;

static inline enum status scene_interrupted(void)
{
    return ++scene_polls == scene_stop_at_poll ? STATUS_TERMINATED : STATUS_OK;
}

struct scene {
    struct memory_job job;
    struct memory_text dumps[SCENE_SOURCES];
    struct memory_source sources[SCENE_SOURCES];
    struct memory_stream streams[SCENE_SOURCES];
    uint32_t as_streams; /* bit i: source i is read front to back */
    struct source *ports[SCENE_SOURCES];
    struct shard_plan plan;
    struct convert_rules rules;
    struct pipeline_options options;
    struct memory_sink sink;
    struct memory_log log;
    struct pipeline_result result;
    struct fault fault;
    struct wait arrivals;
    struct segment segments[SCENE_SEGMENTS];
    char segment_ids[SCENE_SEGMENTS][8];
};

static inline void scene_print_dump(struct memory_text *dump, uint32_t records, uint32_t salt)
{
    char line[200];
    for (uint32_t i = 0; i < records; i++) {
        uint32_t const kind = (i * 7 + salt) % 23;
        if (kind == 0)
            snprintf(line, sizeof line, "{\"id\":%u,\"a\":\"open}\n", i);
        else if (kind == 1)
            snprintf(line, sizeof line, "\r\n  {\"id\":%u,\"a\":[%u,{\"x\":null}]}\r\n", i, salt);
        else if (kind == 2)
            snprintf(line, sizeof line, "{\"a\":\"no id\"}\n\n");
        else
            snprintf(line, sizeof line, "{\"id\":%u,\"skip\":{\"k\":[1,2]},\"a\":\"value, %u\"}\n", i,
                     i * 31);
        memory_print(dump, line);
        if (i % 97 == 50) { /* longer than a block */
            memory_print(dump, "{\"id\":\"long\",\"a\":\"");
            memory_fill(dump, 'L', PIPELINE_BLOCK_MIN + 500);
            memory_print(dump, "\"}\n");
        }
        if (i % 301 == 60) { /* its row is longer than a chunk */
            memory_print(dump, "{\"id\":\"giant\",\"a\":\"");
            memory_fill(dump, 'G', CHUNK_BYTES_MIN + 500);
            memory_print(dump, "\"}\n");
        }
    }
}

static inline struct scene *scene_create(uint32_t records)
{
    struct scene *scene = memory_must(calloc(1, sizeof *scene));
    memory_job_start(&scene->job, "id");
    memory_column(&scene->job, "a");
    memory_column(&scene->job, "skip.k[*]");
    memory_job_compile(&scene->job);
    scene_print_dump(&scene->dumps[0], records, 3);
    scene_print_dump(&scene->dumps[2], records / 2, 11); /* the second source is empty */
    scene->rules = (struct convert_rules){
        .plan = &scene->job.plan, .max_record = 1 << 20, .max_depth = 64, .checksum = CHECKSUM_CRC64NVME};
    assert_true(wait_init(&scene->arrivals));
    scene->options = (struct pipeline_options){.threads = 1,
                                               .arrivals = &scene->arrivals,
                                               .rules = &scene->rules,
                                               .sizes = {.block = PIPELINE_BLOCK_MIN,
                                                         .stream_block = PIPELINE_STREAM_BLOCK_MIN,
                                                         .chunk = CHUNK_BYTES_MIN,
                                                         .chunks = PIPELINE_CHUNKS_MIN},
                                               .buffered_sources = true,
                                               .now = memory_now,
                                               .interrupted = scene_interrupted};
    return scene;
}

/* Sources and their shards; `fail_read`: the first one fails there. */
static inline void scene_start_sources(struct scene *scene, uint32_t threads, uint64_t shard_bytes,
                                       uint64_t fail_read)
{
    static const char *const names[] = {"first", "second", "third"};
    struct shard_source extents[SCENE_SOURCES];
    for (int i = 0; i < SCENE_SOURCES; i++) {
        memory_source_start(&scene->sources[i], names[i], scene->dumps[i].bytes, scene->dumps[i].length);
        scene->ports[i] = &scene->sources[i].port;
        extents[i] = (struct shard_source){.begin = 0, .size = scene->dumps[i].length};
        if ((scene->as_streams >> i & 1) == 0) continue;
        memory_stream_start(&scene->streams[i], names[i], scene->dumps[i].bytes, scene->dumps[i].length,
                            threads);
        if (fail_read != 0) scene->streams[i].fails_at = fail_read;
        size_t const block = scene->options.sizes.stream_block;
        if (threads % 2 != 0) memory_stream_swaps(&scene->streams[i], block, block / 4);
        scene->sources[i].port.stream = &scene->streams[i].port;
        extents[i].size = 0;
    }
    scene->sources[0].fail_at = fail_read;
    assert_true(shard_plan_create(&scene->plan, extents, SCENE_SOURCES, shard_bytes));
}

static inline void scene_start_sink(struct scene *scene, const struct memory_sink *like)
{
    memory_sink_start(&scene->sink);
    if (like == NULL) return;
    scene->sink.hold = like->hold;
    scene->sink.random = like->random;
    scene->sink.part = like->part;
    scene->sink.undrained = like->undrained;
    scene->sink.fail_at = like->fail_at;
}

/* What tests changed of the rules stays as it is. */
static inline void scene_start_assembler(struct scene *scene)
{
    struct assemble_rules const changed = scene->options.assemble;
    memory_text_free(&scene->log.rejects);
    scene->log = (struct memory_log){.reject_count = 0};
    scene->options.assemble = memory_rules(&scene->log, "Id,A,K\n");
    scene->options.assemble.max_rows = changed.max_rows;
    scene->options.assemble.file_count = changed.file_count;
    scene->options.assemble.empty_header = changed.empty_header;
    scene->options.assemble.checksum = CHECKSUM_CRC64NVME;
    if (changed.budget_records != 0) scene->options.assemble.budget_records = changed.budget_records;
}

/* Every file has its sum, every piece is home, every source was read as it should be, and is left. */
static inline void scene_check_run(struct scene *scene, enum status status)
{
    bool const good = status == STATUS_OK;
    for (uint32_t f = 0; good && f < scene->sink.file_count; f++) {
        const struct assemble_file *file = &scene->result.assemble.files[f];
        const struct memory_text *text = &scene->sink.files[file->number].text;
        assert_true(file->checksum == checksum_update(CHECKSUM_CRC64NVME, 0, text->bytes, text->length));
    }
    assert_int_equal(scene->sink.aborts, good ? 0 : 1);
    assert_int_equal(scene->sink.held_count, 0);
    if (good) assert_int_equal(scene->sink.undrained, 0);
    assert_int_equal(scene->sink.wrong, 0);
    uint64_t expected = 0;
    for (int i = 0; i < SCENE_SOURCES; i++) {
        expected += atomic_exchange(&scene->sources[i].expectations, 0);
        assert_int_equal(atomic_load(&scene->sources[i].readers), 0);
        assert_int_equal(atomic_load(&scene->sources[i].wrong), 0);
        assert_int_equal(scene->streams[i].opened, scene->streams[i].closed);
        assert_int_equal(scene->streams[i].wrong, 0);
    }
    if (good) assert_int_equal(expected, scene->plan.count);
}

/* The options may be changed before; the sink's fields in `like` are taken over. */
static inline enum status scene_run(struct scene *scene, uint32_t threads, uint64_t shard_bytes,
                                    const struct memory_sink *like, uint64_t fail_read)
{
    struct memory_waker waker;
    scene_start_sources(scene, threads, shard_bytes, fail_read);
    scene_start_sink(scene, like);
    scene_start_assembler(scene);
    scene->options.threads = threads;
    scene_polls = 0;
    memory_watch(SCENE_SECONDS);
    if (like != NULL) memory_waker_start(&waker, &scene->arrivals);
    enum status const status = pipeline_run(&scene->options, scene->ports, &scene->plan, &scene->sink.port,
                                            &scene->result, &scene->fault);
    if (like != NULL) memory_waker_stop(&waker);
    memory_watch_end();
    scene_check_run(scene, status);
    shard_plan_destroy(&scene->plan);
    return status;
}

static inline void scene_end(struct scene *scene)
{
    assemble_free(&scene->result.assemble);
    memory_sink_free(&scene->sink);
}

static inline void scene_destroy(struct scene *scene)
{
    for (int i = 0; i < SCENE_SOURCES; i++)
        memory_text_free(&scene->dumps[i]);
    memory_text_free(&scene->log.rejects);
    memory_job_free(&scene->job);
    wait_destroy(&scene->arrivals);
    free(scene);
}

/* All that the last run put out, as one text: files by stream and part. */
static inline struct memory_text scene_text(const struct scene *scene)
{
    const struct assemble *assemble = &scene->result.assemble;
    struct memory_text text = {0};
    assert_int_equal(assemble->file_count, scene->sink.file_count);
    for (uint32_t f = 0; f < assemble->file_count; f++) {
        const struct memory_file *file = &scene->sink.files[assemble->files[f].number];
        char title[ASSEMBLE_NAME_MAX + 40];
        snprintf(title, sizeof title, "[%s %" PRIu64 "]\n", file->name, file->rows);
        memory_print(&text, title);
        memory_append(&text, file->text.bytes, file->text.length);
    }
    const struct tally *tally = &scene->result.assemble.tally;
    char line[200];
    memory_append(&text, scene->log.rejects.bytes, scene->log.rejects.length);
    snprintf(line, sizeof line, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", tally->input,
             tally->delivered, tally->rows, tally_failed(tally), tally->lines);
    memory_print(&text, line);
    return text;
}

static inline void scene_same_as(const struct scene *scene, const struct memory_text *wanted)
{
    struct memory_text got = scene_text(scene);
    assert_int_equal(got.length, wanted->length);
    assert_memory_equal(got.bytes, wanted->bytes, got.length);
    memory_text_free(&got);
}

/* What one thread with one shard a source gives. */
static inline struct memory_text scene_reference(struct scene *scene)
{
    assert_int_equal(scene_run(scene, 1, UINT64_C(1) << 40, NULL, 0), STATUS_OK);
    struct memory_text wanted = scene_text(scene);
    scene_end(scene);
    return wanted;
}

#endif
