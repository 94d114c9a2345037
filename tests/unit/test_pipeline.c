/* test_pipeline.c - the whole core between a source and a sink in memory: the same bytes whatever the
 * threads, and an orderly end whatever fails and whenever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/pipeline.h"
#include "tests/unit/memory_ports.h"
#include "tests/unit/memory_stream.h"
#include "tests/unit/under_tsan.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A healthy run takes milliseconds, the whole program some seconds. */
#define WATCHDOG_SECONDS 60u

static const uint32_t thread_counts[] = {1, 2, 3, 8, 64};

#define STREAMS_MAX 50u

/* ---- one run ---- */

/* The pipeline asks without a context: one run at a time. Only the assembler's thread calls it. */
static uint64_t polls, stop_at_poll;

static enum status interrupted(void)
{
    return ++polls == stop_at_poll ? STATUS_TERMINATED : STATUS_OK;
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void watchdog(int number)
{
    static const char message[] = "watchdog: the pipeline hangs: a wake-up or a chunk was lost\n";
    (void)number;
    if (write(STDERR_FILENO, message, sizeof message - 1) < 0) _exit(2);
    abort();
}

struct scene {
    struct memory_job job;
    struct memory_text dumps[3];
    struct memory_source sources[3];
    struct memory_stream streams[3];
    uint32_t as_streams; /* bit i: source i is read front to back */
    struct source *ports[3];
    struct shard_plan plan;
    struct convert_rules rules;
    struct pipeline_options options;
    struct memory_sink sink;
    struct memory_log log;
    struct pipeline_result result;
    struct fault fault;
    struct wait arrivals;
    struct segment segments[STREAMS_MAX];
    char segment_ids[STREAMS_MAX][8];
};

static void dump_print(struct memory_text *dump, uint32_t records, uint32_t salt)
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

static struct scene *scene_create(uint32_t records)
{
    struct scene *scene = memory_must(calloc(1, sizeof *scene));
    memory_job_start(&scene->job, "id");
    memory_column(&scene->job, "a");
    memory_column(&scene->job, "skip.k[*]");
    memory_job_compile(&scene->job);
    dump_print(&scene->dumps[0], records, 3);
    dump_print(&scene->dumps[2], records / 2, 11); /* the second source is empty */
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
                                               .now = now,
                                               .interrupted = interrupted};
    return scene;
}

/* The options may be changed before; the sink's fields in `sink` are taken over. */
static enum status scene_run(struct scene *scene, uint32_t threads, uint64_t shard_bytes,
                             const struct memory_sink *like, uint64_t fail_read)
{
    static const char *const names[] = {"first", "second", "third"};
    struct shard_source extents[3];
    for (int i = 0; i < 3; i++) {
        memory_source_start(&scene->sources[i], names[i], scene->dumps[i].bytes, scene->dumps[i].length);
        scene->ports[i] = &scene->sources[i].port;
        extents[i] = (struct shard_source){.begin = 0, .size = scene->dumps[i].length};
        if ((scene->as_streams >> i & 1) == 0) continue;
        memory_stream_start(&scene->streams[i], names[i], scene->dumps[i].bytes, scene->dumps[i].length,
                            threads);
        if (fail_read != 0) scene->streams[i].fails_at = fail_read;
        scene->sources[i].port.stream = &scene->streams[i].port;
        extents[i].size = 0;
    }
    scene->sources[0].fail_at = fail_read;
    assert_true(shard_plan_create(&scene->plan, extents, 3, shard_bytes));
    memory_sink_start(&scene->sink);
    if (like != NULL) {
        scene->sink.hold = like->hold;
        scene->sink.random = like->random;
        scene->sink.part = like->part;
        scene->sink.undrained = like->undrained;
        scene->sink.fail_at = like->fail_at;
    }
    memory_text_free(&scene->log.rejects);
    scene->log = (struct memory_log){.reject_count = 0};
    struct assemble_rules const changed = scene->options.assemble;
    scene->options.assemble = memory_rules(&scene->log, "Id,A,K\n");
    scene->options.assemble.max_rows = changed.max_rows;
    scene->options.assemble.file_count = changed.file_count;
    scene->options.assemble.empty_header = changed.empty_header;
    scene->options.assemble.checksum = CHECKSUM_CRC64NVME;
    if (changed.budget_records != 0) scene->options.assemble.budget_records = changed.budget_records;
    scene->options.threads = threads;
    polls = 0;
    alarm(WATCHDOG_SECONDS);
    struct memory_waker waker;
    if (like != NULL) memory_waker_start(&waker, &scene->arrivals);
    enum status const status = pipeline_run(&scene->options, scene->ports, &scene->plan, &scene->sink.port,
                                            &scene->result, &scene->fault);
    if (like != NULL) memory_waker_stop(&waker);
    alarm(0);
    for (uint32_t f = 0; status == STATUS_OK && f < scene->sink.file_count; f++) {
        const struct assemble_file *file = &scene->result.assemble.files[f];
        const struct memory_text *text = &scene->sink.files[file->number].text;
        assert_true(file->checksum == checksum_update(CHECKSUM_CRC64NVME, 0, text->bytes, text->length));
    }
    assert_int_equal(scene->sink.aborts, status == STATUS_OK ? 0 : 1);
    assert_int_equal(scene->sink.held_count, 0); /* every piece is home */
    if (status == STATUS_OK) assert_int_equal(scene->sink.undrained, 0);
    assert_int_equal(scene->sink.wrong, 0);
    uint64_t expected = 0;
    for (int i = 0; i < 3; i++)
        expected += atomic_exchange(&scene->sources[i].expectations, 0);
    if (status == STATUS_OK) assert_int_equal(expected, scene->plan.count);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(atomic_load(&scene->sources[i].readers), 0);
        assert_int_equal(atomic_load(&scene->sources[i].wrong), 0);
        assert_int_equal(scene->streams[i].opened, scene->streams[i].closed);
        assert_int_equal(scene->streams[i].wrong, 0);
    }
    shard_plan_destroy(&scene->plan);
    return status;
}

static void run_end(struct scene *scene)
{
    assemble_free(&scene->result.assemble);
    memory_sink_free(&scene->sink);
}

static void scene_destroy(struct scene *scene)
{
    for (int i = 0; i < 3; i++)
        memory_text_free(&scene->dumps[i]);
    memory_text_free(&scene->log.rejects);
    memory_job_free(&scene->job);
    wait_destroy(&scene->arrivals);
    free(scene);
}

/* All that the last run put out, as one text: files by stream and part. */
static struct memory_text run_text(const struct scene *scene)
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

static void same_as(const struct scene *scene, const struct memory_text *wanted)
{
    struct memory_text got = run_text(scene);
    assert_int_equal(got.length, wanted->length);
    assert_memory_equal(got.bytes, wanted->bytes, got.length);
    memory_text_free(&got);
}

/* What one thread with one shard a source gives. */
static struct memory_text reference(struct scene *scene)
{
    assert_int_equal(scene_run(scene, 1, UINT64_C(1) << 40, NULL, 0), STATUS_OK);
    struct memory_text wanted = run_text(scene);
    run_end(scene);
    return wanted;
}

/* ---- the same bytes ---- */

static void same_bytes_for_threads_and_shards(void **state)
{
    (void)state;
    static const uint64_t shards[] = {1000, 8191, 40000, 150000, UINT64_C(1) << 40};
    struct scene *scene = scene_create(400);
    scene->options.assemble.max_rows = 100;
    struct memory_text wanted = reference(scene);
    for (size_t t = 0; t < COUNT(thread_counts); t++)
        for (size_t s = 0; s < COUNT(shards); s++) {
            assert_int_equal(scene_run(scene, thread_counts[t], shards[s], NULL, 0), STATUS_OK);
            same_as(scene, &wanted);
            run_end(scene);
        }
    memory_text_free(&wanted);
    scene_destroy(scene);
}

static void same_bytes_for_shards_of_any_size(void **state)
{
    (void)state;
    struct scene *scene = scene_create(24);
    struct memory_text wanted = reference(scene);
    for (uint64_t bytes = 1; bytes <= scene->dumps[0].length + 1; bytes += 1 + bytes / 8) {
        assert_int_equal(scene_run(scene, 3, bytes, NULL, 0), STATUS_OK);
        same_as(scene, &wanted);
        run_end(scene);
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
    struct memory_text wanted = reference(scene);
    for (scene->as_streams = 1; scene->as_streams < 8; scene->as_streams++)
        for (size_t b = 0; b < COUNT(blocks); b++)
            for (size_t t = 0; t < COUNT(thread_counts); t++) {
                scene->options.sizes.stream_block = blocks[b];
                assert_int_equal(scene_run(scene, thread_counts[t], 5000, NULL, 0), STATUS_OK);
                same_as(scene, &wanted);
                run_end(scene);
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
    for (size_t t = 0; t < COUNT(thread_counts); t++) {
        assert_int_equal(scene_run(scene, thread_counts[t], 5000, NULL, 60000), STATUS_IO);
        assert_string_equal(scene->fault.message, "first: broken at 60000");
        if (t == 0) input = scene->result.assemble.tally.input;
        assert_true(input > 0);
        assert_int_equal(scene->result.assemble.tally.input, input);
        run_end(scene);
    }
    scene_destroy(scene);
}

static void same_bytes_for_both_walks_and_all_sizes(void **state)
{
    (void)state;
    static const size_t blocks[] = {64, 1000, PIPELINE_BLOCK_MAX};
    struct scene *scene = scene_create(200);
    struct memory_text wanted = reference(scene);
    for (size_t b = 0; b < COUNT(blocks); b++)
        for (int walk = CONVERT_FAST; walk <= CONVERT_ON_DEMAND; walk++)
            for (uint32_t chunks = PIPELINE_CHUNKS_MIN; chunks <= PIPELINE_CHUNKS_PER_WORKER; chunks++) {
                scene->rules.walk = (enum convert_walk)walk;
                scene->options.sizes = (struct pipeline_sizes){
                    .block = blocks[b], .chunk = CHUNK_BYTES_MIN, .chunks = chunks, .stream_block = 4096};
                assert_int_equal(scene_run(scene, 2, 5000, NULL, 0), STATUS_OK);
                same_as(scene, &wanted);
                run_end(scene);
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
    struct memory_text wanted = reference(scene);
    for (size_t i = 0; i < COUNT(sinks); i++)
        for (uint32_t threads = 1; threads <= 4; threads += 3)
            for (uint64_t shard = 60000; shard < 100000000; shard *= 100) {
                assert_int_equal(scene_run(scene, threads, shard, &sinks[i], 0), STATUS_OK);
                same_as(scene, &wanted);
                run_end(scene);
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
    struct memory_text wanted = reference(scene);
    scene->options.sizes.extra = 6;
    for (uint32_t threads = 1; threads <= 8; threads++) {
        assert_int_equal(scene_run(scene, threads, 400000, &sink, 0), STATUS_OK);
        same_as(scene, &wanted);
        run_end(scene);
    }
    memory_text_free(&wanted);
    scene_destroy(scene);
}

static void delivers_nothing_of_nothing(void **state)
{
    (void)state;
    struct scene *scene = scene_create(0);
    for (size_t t = 0; t < COUNT(thread_counts); t++) {
        assert_int_equal(scene_run(scene, thread_counts[t], 1000, NULL, 0), STATUS_OK);
        assert_int_equal(scene->sink.file_count, 0);
        assert_int_equal(scene->result.assemble.tally.input, 0);
        run_end(scene);
    }
    scene_destroy(scene);
}

static void waits_until_the_sink_has_passed_all_on(void **state)
{
    (void)state;
    struct scene *scene = scene_create(40);
    struct memory_text wanted = reference(scene);
    for (uint32_t reaps = 1; reaps <= 1000; reaps *= 10) {
        struct memory_sink const like = {.undrained = reaps};
        assert_int_equal(scene_run(scene, 2, 9000, &like, 0), STATUS_OK); /* looks at it, too */
        same_as(scene, &wanted);
        run_end(scene);
    }
    memory_text_free(&wanted);
    scene_destroy(scene);
}

/* ---- streams ---- */

/* Is record `i` for the stream? Some are for one, some for many; the last of 50 streams has no rows. */
static bool is_member(uint32_t i, uint32_t stream, uint32_t streams)
{
    if (streams == STREAMS_MAX && stream == streams - 1) return false;
    return stream == i % (streams - 1) || (i * 13 + stream * 7) % 11 == 0;
}

static void print_members(struct memory_text *dump, uint32_t i, uint32_t streams)
{
    char text[64];
    const char *comma = "";
    memory_print(dump, "\"m\":\":");
    for (uint32_t s = 0; s < streams; s++)
        if (is_member(i, s, streams)) {
            snprintf(text, sizeof text, "%u:", s);
            memory_print(dump, text);
        }
    memory_print(dump, "\",\"segmentMembership\":{\"ups\":{");
    for (uint32_t s = streams; s-- > 0;) /* the order in which they come doesn't count */
        if (is_member(i, s, streams)) {
            snprintf(text, sizeof text, "%s\"seg%02u\":{\"status\":\"realized\"}", comma, s);
            memory_print(dump, text);
            comma = ",";
        }
    memory_print(dump, "}}");
}

static void print_split_dump(struct memory_text *dump, uint32_t records, uint32_t streams)
{
    char text[64];
    for (uint32_t i = 0; i < records; i++) {
        snprintf(text, sizeof text, "{\"id\":%u,", i);
        memory_print(dump, text);
        print_members(dump, i, streams);
        memory_print(dump, ",\"a\":\"");
        memory_fill(dump, (char)('a' + i % 26), i % 83);
        if (i % 53 == 30) memory_fill(dump, 'L', PIPELINE_BLOCK_MIN + 500); /* longer than a block */
        if (i % 211 == 60) memory_fill(dump, 'G', CHUNK_BYTES_MIN + 500);   /* its row: than a chunk */
        memory_print(dump, i % 29 == 7 ? "}\n" : "\"}\n");
    }
}

/* Records that are members of so many segments, in a run that splits its rows by them or doesn't. */
static struct scene *scene_with_segments(uint32_t records, uint32_t streams, bool split)
{
    static const char *const statuses[] = {"realized"};
    struct scene *scene = scene_create(0);
    memory_job_free(&scene->job);
    memory_job_start(&scene->job, "id");
    memory_column(&scene->job, "a");
    memory_column(&scene->job, "m");
    for (uint32_t s = 0; s < streams; s++) {
        snprintf(scene->segment_ids[s], sizeof scene->segment_ids[s], "seg%02u", s);
        scene->segments[s] = (struct segment){.id = scene->segment_ids[s], .id_length = 5};
    }
    if (split)
        scene->job.mapping.segments = (struct segments){.name_space = "ups",
                                                        .list = scene->segments,
                                                        .count = streams,
                                                        .statuses = statuses,
                                                        .status_count = 1,
                                                        .split = true};
    memory_job_compile(&scene->job);
    scene->rules.streams = split ? streams : 1;
    print_split_dump(&scene->dumps[0], records, streams);
    print_split_dump(&scene->dumps[2], records / 3, streams);
    return scene;
}

/* The lines of `all` that name the stream in their last field. */
static struct memory_text lines_of(const struct memory_text *all, uint32_t stream, uint64_t *count)
{
    struct memory_text lines = {0};
    char name[16];
    snprintf(name, sizeof name, ":%u:", stream);
    *count = 0;
    for (size_t at = 0; at < all->length;) {
        const uint8_t *const line = all->bytes + at;
        const uint8_t *const end = (const uint8_t *)memchr(line, '\n', all->length - at) + 1;
        const uint8_t *const last = memrchr(line, ',', (size_t)(end - line));
        if (memmem(last, (size_t)(end - last), name, strlen(name)) != NULL) {
            memory_append(&lines, line, (size_t)(end - line));
            ++*count;
        }
        at += (size_t)(end - line);
    }
    return lines;
}

/* Each stream has the rows that a run without streams has for it. */
static void check_streams(const struct scene *scene, const struct memory_text *all, uint32_t streams)
{
    static const char header[] = "Id,A,K\n";
    const struct assemble *assemble = &scene->result.assemble;
    uint32_t f = 0;
    for (uint32_t s = 0; s < streams; s++) {
        uint64_t count, rows = 0;
        struct memory_text wanted = lines_of(all, s, &count), got = {0};
        for (; f < assemble->file_count && assemble->files[f].stream == s; f++) {
            const struct memory_text *text = &scene->sink.files[assemble->files[f].number].text;
            assert_memory_equal(text->bytes, header, strlen(header));
            memory_append(&got, text->bytes + strlen(header), text->length - strlen(header));
            rows += assemble->files[f].rows;
        }
        assert_int_equal(rows, count);
        assert_int_equal(got.length, wanted.length);
        if (got.length != 0) assert_memory_equal(got.bytes, wanted.bytes, got.length);
        memory_text_free(&wanted);
        memory_text_free(&got);
    }
    assert_int_equal(f, assemble->file_count);
}

/* The rows of a run without streams, no header. */
static struct memory_text rows_unsplit(uint32_t records, uint32_t streams)
{
    struct scene *scene = scene_with_segments(records, streams, false);
    assert_int_equal(scene_run(scene, 1, UINT64_C(1) << 40, NULL, 0), STATUS_OK);
    assert_int_equal(scene->sink.file_count, 1);
    struct memory_text rows = {0};
    memory_append(&rows, scene->sink.files[0].text.bytes + 7, scene->sink.files[0].text.length - 7);
    run_end(scene);
    scene_destroy(scene);
    return rows;
}

static void splits_to_the_same_bytes(void **state)
{
    (void)state;
    static const uint32_t counts[] = {2, 3, STREAMS_MAX};
    static const uint64_t shards[] = {1000, 40000, UINT64_C(1) << 40};
    for (size_t c = 0; c < COUNT(counts); c++) {
        struct scene *scene = scene_with_segments(500, counts[c], true);
        struct memory_text rows = rows_unsplit(500, counts[c]);
        scene->options.assemble.max_rows = 40;
        struct memory_text wanted = reference(scene);
        for (size_t t = 0; t < COUNT(thread_counts); t++)
            for (size_t s = 0; s < COUNT(shards); s++)
                for (size_t chunk = CHUNK_BYTES_MIN; chunk <= CHUNK_BYTES_MAX; chunk *= 4) {
                    scene->options.sizes.chunk = chunk;
                    assert_int_equal(scene_run(scene, thread_counts[t], shards[s], NULL, 0), STATUS_OK);
                    same_as(scene, &wanted);
                    check_streams(scene, &rows, counts[c]);
                    run_end(scene);
                }
        memory_text_free(&wanted);
        memory_text_free(&rows);
        scene_destroy(scene);
    }
}

static void splits_for_a_sink_that_keeps_pieces(void **state)
{
    (void)state;
    static const struct memory_sink sinks[] = {
        {.hold = 3, .random = 5}, {.hold = 100000}, {.hold = 100000, .random = 9, .undrained = 50}};
    struct scene *scene = scene_with_segments(700, STREAMS_MAX, true);
    struct memory_text wanted = reference(scene);
    for (size_t i = 0; i < COUNT(sinks); i++)
        for (uint32_t threads = 1; threads <= 4; threads += 3)
            for (uint64_t shard = 10000; shard < 100000000; shard *= 100) {
                assert_int_equal(scene_run(scene, threads, shard, &sinks[i], 0), STATUS_OK);
                same_as(scene, &wanted);
                run_end(scene);
            }
    memory_text_free(&wanted);
    scene_destroy(scene);
}

/* Even files depend on the shards' size, on nothing else. */
static void fills_even_files_alike(void **state)
{
    (void)state;
    static const uint64_t shards[] = {3000, 40000, UINT64_C(1) << 40};
    for (int split = 0; split < 2; split++) {
        struct scene *scene = scene_with_segments(300, 6, split);
        scene->options.assemble.file_count = 4;
        scene->options.assemble.empty_header = true;
        for (size_t s = 0; s < COUNT(shards); s++) {
            struct memory_text wanted = {0};
            for (size_t t = 0; t < COUNT(thread_counts); t++)
                for (size_t chunk = CHUNK_BYTES_MIN; chunk <= CHUNK_BYTES_MAX; chunk *= 4) {
                    scene->options.sizes.chunk = chunk;
                    assert_int_equal(scene_run(scene, thread_counts[t], shards[s], NULL, 0), STATUS_OK);
                    if (wanted.length == 0) wanted = run_text(scene);
                    same_as(scene, &wanted);
                    run_end(scene);
                }
            memory_text_free(&wanted);
        }
        scene_destroy(scene);
    }
}

static void survives_failures_of_a_split_run(void **state)
{
    (void)state;
    struct scene *scene = scene_with_segments(130, 5, true);
    scene->options.assemble.max_rows = 20;
    scene->options.assemble.empty_header = true;
    for (uint32_t threads = 1; threads <= 3; threads += 2)
        for (uint64_t k = 1;; k += 1 + k / 8) {
            struct memory_sink const like = {.hold = 4, .random = 1, .fail_at = k};
            enum status const status = scene_run(scene, threads, 20000, &like, 0);
            bool const end = scene->sink.calls < k;
            assert_int_equal(status, end ? STATUS_OK : STATUS_IO);
            if (!end) assert_int_equal(scene->sink.calls, k);
            run_end(scene);
            if (end) break;
        }
    for (stop_at_poll = 1;; stop_at_poll += 3) {
        enum status const status = scene_run(scene, 3, 20000, NULL, 0);
        bool const end = polls < stop_at_poll;
        assert_int_equal(status, end ? STATUS_OK : STATUS_TERMINATED);
        run_end(scene);
        if (end) break;
    }
    stop_at_poll = 0;
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
            run_end(scene);
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
                run_end(scene);
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
        for (stop_at_poll = 1;; stop_at_poll += UNDER_TSAN ? 3 : 1) {
            enum status const status =
                scene_run(scene, threads, 9000, stop_at_poll % 2 == 0 ? &late : NULL, 0);
            bool const end = polls < stop_at_poll;
            assert_int_equal(status, end ? STATUS_OK : STATUS_TERMINATED);
            if (!end) {
                assert_int_equal(polls, stop_at_poll);
                assert_string_equal(scene->fault.message, "stopped by a signal");
            }
            run_end(scene);
            if (end) break;
        }
        stop_at_poll = 0;
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
        stop_at_poll = k % 5 == 0 ? k / 3 : 0;
        enum status const status = scene_run(scene, 8, 700, &like, 1 + k % 37);
        assert_true(status == STATUS_IO || status == STATUS_INPUT || status == STATUS_TERMINATED);
        assert_int_equal(status, scene->fault.status);
        run_end(scene);
    }
    stop_at_poll = 0;
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
        for (size_t t = 0; t < COUNT(thread_counts); t++) {
            scene->options.assemble.budget_records = budget;
            assert_int_equal(scene_run(scene, thread_counts[t], 2000, NULL, 0), STATUS_INPUT);
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
            run_end(scene);
        }
        memory_text_free(&wanted);
    }
    scene_destroy(scene);
}

/* ---- sizes ---- */

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
        cmocka_unit_test(same_bytes_for_threads_and_shards),
        cmocka_unit_test(same_bytes_for_shards_of_any_size),
        cmocka_unit_test(same_bytes_for_streams),
        cmocka_unit_test(a_stream_that_breaks_ends_the_run_in_order),
        cmocka_unit_test(same_bytes_for_both_walks_and_all_sizes),
        cmocka_unit_test(goes_on_with_a_sink_that_keeps_pieces),
        cmocka_unit_test(goes_on_with_a_sink_that_gathers_parts),
        cmocka_unit_test(delivers_nothing_of_nothing),
        cmocka_unit_test(waits_until_the_sink_has_passed_all_on),
        cmocka_unit_test(splits_to_the_same_bytes),
        cmocka_unit_test(splits_for_a_sink_that_keeps_pieces),
        cmocka_unit_test(fills_even_files_alike),
        cmocka_unit_test(survives_failures_of_a_split_run),
        cmocka_unit_test(survives_a_read_that_fails),
        cmocka_unit_test(survives_a_sink_that_fails),
        cmocka_unit_test(stops_at_any_poll),
        cmocka_unit_test(survives_failures_that_meet),
        cmocka_unit_test(passes_the_budget_at_the_same_record),
        cmocka_unit_test(sizes_fit_their_limit),
        cmocka_unit_test(sizes_for_stream_sources),
        cmocka_unit_test(sizes_for_a_sink_that_holds),
        cmocka_unit_test(sizes_for_streams),
    };
    signal(SIGALRM, watchdog);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
