/* test_dedup.c - whole runs that keep the latest record of each key, against a model that judges records one
 * by one: rows, rejects and counts, for any threads, shards, streams, ids and budgets; and an orderly end
 * whatever fails and whenever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/pipeline.h"
#include "tests/unit/memory_ports.h"
#include "tests/unit/memory_store.h"
#include "tests/unit/memory_stream.h"
#include "tests/unit/under_tsan.h"

#define WATCHDOG_SECONDS 120u
#define IDS_MAX          5u
#define STREAMS_MAX      4u

/* ---- records ---- */

enum fate {
    GOOD,
    NEWLINE, /* good, with a value that is changed */
    GIANT,   /* good, with a row longer than a chunk */
    NO_REQUIRED,
    NO_CONSENT,
    BAD_TIME, /* in a column */
    BROKEN,
    NO_ID,
    NO_SEGMENT,
    FATES
};

struct record {
    enum fate fate;
    uint32_t ids[IDS_MAX], id_count;
    uint32_t time;    /* 0: none */
    uint32_t members; /* bits of streams */
};

struct shape {
    uint32_t records, keys, times;
    uint32_t ids;     /* at most, of a record */
    uint32_t streams; /* segments; 0: none */
    bool split;
    uint32_t odd; /* one in so many records is not GOOD; 0: none */
    bool giants;
    uint64_t budget; /* UINT64_MAX: none */
};

struct scene {
    struct shape shape;
    struct record *records;
    struct memory_job job;
    struct memory_text dumps[2]; /* the second half of the records in the second one */
    struct memory_source sources[2];
    struct memory_stream streams[2];
    uint32_t as_streams; /* bits of the sources that are read front to back */
    struct source *ports[2];
    struct shard_plan plan;
    struct convert_rules rules;
    struct pipeline_options options;
    struct memory_store store;
    struct memory_sink sink;
    struct memory_log log;
    struct wait arrivals;
    struct pipeline_result result;
    struct fault fault;
    uint32_t random;
};

static uint32_t any(struct scene *scene, uint32_t below)
{
    scene->random = scene->random * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(scene->random >> 4) * below >> 28);
}

static bool has_id(const struct record *record, uint32_t id)
{
    for (uint32_t i = 0; i < record->id_count; i++)
        if (record->ids[i] == id) return true;
    return false;
}

static void record_make(struct scene *scene, struct record *record)
{
    const struct shape *const shape = &scene->shape;
    *record = (struct record){.time = any(scene, shape->times + 1)};
    uint32_t const ids = 1 + any(scene, shape->ids);
    for (uint32_t i = 0; i < ids; i++) {
        uint32_t const id = any(scene, shape->keys);
        if (!has_id(record, id)) record->ids[record->id_count++] = id;
    }
    record->members = 1 + any(scene, (1u << shape->streams) - 1);
    if (shape->odd == 0 || any(scene, shape->odd) != 0) return;
    record->fate = (enum fate)any(scene, FATES);
    if (record->fate == GIANT && !(shape->giants && any(scene, 10) == 0)) record->fate = GOOD;
    if (record->fate == NO_SEGMENT && shape->streams == 0) record->fate = GOOD;
}

static void print(struct memory_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void print(struct memory_text *text, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    memory_print(text, line);
}

static void print_value(struct memory_text *text, const struct record *record, uint32_t number,
                        const char *newline)
{
    print(text, "v%s%u", record->fate == NEWLINE ? newline : "", number);
    if (record->fate == GIANT) memory_fill(text, 'G', CHUNK_BYTES_MIN + number % 7 * 40000);
}

static void print_record(struct memory_text *dump, const struct record *record, uint32_t number)
{
    print(dump, "{\"a\":\"");
    print_value(dump, record, number, "\\n");
    print(dump, "\",\"segmentMembership\":{\"ups\":{");
    for (uint32_t s = 0; s < STREAMS_MAX; s++)
        print(dump, "%s\"s%u\":{\"status\":\"%s\"}", s == 0 ? "" : ",", s,
              record->fate != NO_SEGMENT && (record->members >> s & 1) != 0 ? "realized" : "exited");
    print(dump, "}},\"identityMap\":{\"K\":[");
    for (uint32_t i = 0; record->fate != NO_ID && i < record->id_count; i++)
        print(dump, "%s{\"id\":\"k%u\"}", i == 0 ? "" : ",", record->ids[i]);
    print(dump, "]}");
    if (record->time != 0) print(dump, ",\"t\":\"2026-01-01T00:00:00.%06uZ\"", record->time);
    bool const bad_value = record->fate == BROKEN && number % 2 == 0; /* met when the row is written */
    if (record->fate != NO_REQUIRED) print(dump, ",\"r\":%s", bad_value ? "tru" : "\"x\"");
    print(dump, ",\"c\":\"%s\"", record->fate == NO_CONSENT ? "n" : "y");
    print(dump, ",\"d\":\"%s\"", record->fate == BAD_TIME ? "soon" : "2026-01-02");
    print(dump, record->fate == BROKEN && !bad_value ? "\n" : "}\n");
}

/* ---- the model ---- */

struct model {
    struct memory_text rows[STREAMS_MAX]; /* of each stream */
    struct memory_text rejects;           /* "SOURCE:LINE CODE\n" */
    struct tally tally;
    enum status status;
};

/* Does the record get as far as deduplication? */
static bool contends(const struct record *record)
{
    return record->fate != BROKEN && record->fate != NO_ID && record->fate != NO_SEGMENT;
}

/* The number of the record that stays of each key. */
static uint32_t *find_best(const struct scene *scene)
{
    uint32_t *const best = memory_must(malloc((scene->shape.keys + 1) * sizeof *best));
    memset(best, 0xFF, scene->shape.keys * sizeof *best);
    for (uint32_t r = 0; r < scene->shape.records; r++)
        for (uint32_t i = 0; contends(&scene->records[r]) && i < scene->records[r].id_count; i++) {
            uint32_t *const now = &best[scene->records[r].ids[i]];
            if (*now == UINT32_MAX || scene->records[r].time >= scene->records[*now].time) *now = r;
        }
    return best;
}

static void model_rows(struct model *model, const struct scene *scene, uint32_t number, const uint32_t *best)
{
    const struct record *const record = &scene->records[number];
    bool const split = scene->shape.split;
    model->tally.delivered++;
    for (uint32_t i = 0; i < record->id_count; i++) {
        if (best[record->ids[i]] != number) continue;
        for (uint32_t s = 0; s < (split ? scene->shape.streams : 1); s++) {
            if (split && (record->members >> s & 1) == 0) continue;
            print(&model->rows[s], "k%u,", record->ids[i]);
            print_value(&model->rows[s], record, number, " ");
            print(&model->rows[s], ",x,2026-01-02 00:00:00\n");
            model->tally.rows++;
            model->tally.changed[CHANGE_NEWLINE] += record->fate == NEWLINE;
        }
    }
}

static void model_failed(struct model *model, const struct scene *scene, uint32_t number, enum defect code)
{
    uint32_t const half = (scene->shape.records + 1) / 2;
    model->tally.failed[code]++;
    print(&model->rejects, "%s:%u %s\n", number < half ? "a" : "b",
          1 + (number < half ? number : number - half), tally_defect_name(code));
    if (tally_failed(&model->tally) > scene->shape.budget) model->status = STATUS_INPUT;
}

static void model_record(struct model *model, const struct scene *scene, uint32_t number,
                         const uint32_t *best)
{
    const struct record *const record = &scene->records[number];
    bool stays = !contends(record);
    for (uint32_t i = 0; i < record->id_count; i++)
        stays = stays || best[record->ids[i]] == number;
    model->tally.input++;
    if (!stays) {
        model->tally.skipped[SKIP_DUPLICATE]++;
        return;
    }
    switch (record->fate) {
    case BROKEN: model_failed(model, scene, number, DEFECT_SYNTAX); break;
    case NO_SEGMENT: model->tally.skipped[SKIP_SEGMENT]++; break;
    case NO_ID: model_failed(model, scene, number, DEFECT_MISSING_IDENTITY); break;
    case NO_CONSENT:
        model->tally.skipped[SKIP_CONSENT]++;
        model->tally.consent[0]++;
        break;
    case NO_REQUIRED: model->tally.skipped[SKIP_REQUIRED]++; break;
    case BAD_TIME: model_failed(model, scene, number, DEFECT_BAD_TIMESTAMP); break;
    default: model_rows(model, scene, number, best); break;
    }
}

static struct model model_make(const struct scene *scene)
{
    struct model model = {.status = STATUS_OK};
    uint32_t *const best = find_best(scene);
    for (uint32_t r = 0; r < scene->shape.records && model.status == STATUS_OK; r++)
        model_record(&model, scene, r, best);
    free(best);
    return model;
}

static void model_free(struct model *model)
{
    for (uint32_t s = 0; s < STREAMS_MAX; s++)
        memory_text_free(&model->rows[s]);
    memory_text_free(&model->rejects);
}

/* ---- a run ---- */

static uint64_t polls, stop_at_poll; /* one run at a time */

static enum status interrupted(void)
{
    return ++polls == stop_at_poll ? STATUS_TERMINATED : STATUS_OK;
}

static void make_job(struct scene *scene)
{
    static const char *const yes[] = {"y"}, *const realized[] = {"realized"}, *const paths[] = {"t", "c"};
    struct memory_job *const job = &scene->job;
    memory_job_start(job, "identityMap.K");
    const struct path *const parsed = memory_paths(&job->arena, paths, 2);
    job->mapping.identity.multiple = IDENTITY_EXPLODE;
    job->mapping.identity.deduplicate = IDENTITY_KEEP_LATEST;
    job->mapping.identity.timestamp = parsed[0];
    struct consent_rule *const consent = memory_must(arena_array(&job->arena, 1, sizeof *consent));
    *consent = (struct consent_rule){.path = parsed[1], .allow = yes, .allow_count = 1};
    job->mapping.consent = consent;
    job->mapping.consent_count = 1;
    job->mapping.csv.newline_to_space = true;
    memory_column(job, "a");
    memory_column(job, "r")->required = true;
    memory_column(job, "d")->type = COLUMN_TIMESTAMP;
    static const struct segment segments[STREAMS_MAX] = {
        {"s0", 2, NULL}, {"s1", 2, NULL}, {"s2", 2, NULL}, {"s3", 2, NULL}};
    if (scene->shape.streams != 0)
        job->mapping.segments = (struct segments){.name_space = "ups",
                                                  .list = segments,
                                                  .count = scene->shape.streams,
                                                  .statuses = realized,
                                                  .status_count = 1,
                                                  .split = scene->shape.split};
    memory_job_compile(job);
}

static struct scene *scene_create(struct shape shape, uint32_t seed)
{
    struct scene *const scene = memory_must(calloc(1, sizeof *scene));
    scene->shape = shape;
    scene->random = seed;
    scene->records = memory_must(calloc(shape.records + 1, sizeof *scene->records));
    for (uint32_t r = 0; r < shape.records; r++) {
        record_make(scene, &scene->records[r]);
        print_record(&scene->dumps[r >= (shape.records + 1) / 2], &scene->records[r], r);
    }
    make_job(scene);
    scene->rules = (struct convert_rules){.plan = &scene->job.plan,
                                          .max_record = 1 << 20,
                                          .max_depth = 64,
                                          .checksum = CHECKSUM_CRC64NVME,
                                          .streams = shape.split ? shape.streams : 1};
    assert_true(wait_init(&scene->arrivals));
    scene->options = (struct pipeline_options){.arrivals = &scene->arrivals,
                                               .rules = &scene->rules,
                                               .sizes = {.block = PIPELINE_BLOCK_MIN,
                                                         .stream_block = PIPELINE_STREAM_BLOCK_MIN,
                                                         .chunk = CHUNK_BYTES_MIN,
                                                         .chunks = PIPELINE_CHUNKS_MIN,
                                                         .dedup = DEDUP_SIZES_MIN},
                                               .store = &scene->store.port,
                                               .buffered_sources = true,
                                               .now = memory_now,
                                               .interrupted = interrupted};
    return scene;
}

static void scene_destroy(struct scene *scene)
{
    for (int i = 0; i < 2; i++)
        memory_text_free(&scene->dumps[i]);
    memory_job_free(&scene->job);
    wait_destroy(&scene->arrivals);
    free(scene->records);
    free(scene);
}

static enum status scene_run(struct scene *scene, uint32_t threads, uint64_t shard_bytes,
                             const struct memory_sink *like)
{
    static const char *const names[] = {"a", "b"};
    struct shard_source extents[2];
    for (int i = 0; i < 2; i++) {
        memory_source_start(&scene->sources[i], names[i], scene->dumps[i].bytes, scene->dumps[i].length);
        scene->ports[i] = &scene->sources[i].port;
        extents[i] = (struct shard_source){.size = scene->dumps[i].length};
        if ((scene->as_streams >> i & 1) == 0) continue;
        const uint8_t *const bytes = scene->dumps[i].bytes;
        memory_stream_start(&scene->streams[i], names[i], bytes == NULL ? (const uint8_t *)"" : bytes,
                            scene->dumps[i].length, threads);
        scene->sources[i].port.stream = &scene->streams[i].port;
        extents[i].size = 0;
    }
    uint64_t const fail_store = scene->store.fail_at;
    memory_store_start(&scene->store);
    scene->store.fail_at = fail_store;
    assert_true(shard_plan_create(&scene->plan, extents, 2, shard_bytes));
    memory_sink_start(&scene->sink);
    scene->sink.hold = like->hold;
    scene->sink.random = like->random;
    scene->sink.fail_at = like->fail_at;
    scene->log = (struct memory_log){.reject_count = 0};
    scene->options.assemble = memory_rules(&scene->log, "");
    scene->options.assemble.header = CSV_HEADER_NONE;
    scene->options.assemble.max_rows = 1000;
    scene->options.assemble.checksum = CHECKSUM_CRC64NVME;
    scene->options.assemble.budget_records = scene->shape.budget;
    scene->options.threads = threads;
    polls = 0;
    memory_watch(WATCHDOG_SECONDS);
    struct memory_waker waker;
    memory_waker_start(&waker, &scene->arrivals);
    enum status const status = pipeline_run(&scene->options, scene->ports, &scene->plan, &scene->sink.port,
                                            &scene->result, &scene->fault);
    memory_waker_stop(&waker);
    memory_watch_end();
    assert_int_equal(scene->sink.aborts, status == STATUS_OK ? 0 : 1);
    assert_int_equal(scene->sink.held_count + scene->sink.wrong + scene->store.wrong, 0);
    return status;
}

static void run_end(struct scene *scene)
{
    assemble_free(&scene->result.assemble);
    memory_sink_free(&scene->sink);
    memory_store_free(&scene->store);
    memory_text_free(&scene->log.rejects);
    shard_plan_destroy(&scene->plan);
}

/* ---- both compared ---- */

/* "SOURCE:LINE CODE\n" of each line of the log. */
static struct memory_text short_rejects(const struct memory_text *log)
{
    struct memory_text out = {0};
    if (log->length == 0) return out;
    for (const uint8_t *at = log->bytes, *const end = at + log->length; at < end;) {
        const uint8_t *const feed = memchr(at, '\n', (size_t)(end - at));
        char name[8], code[40];
        unsigned line;
        assert_int_equal(sscanf((const char *)at, "%7[^:]:%u %*s %39s", name, &line, code), 3);
        print(&out, "%s:%u %s\n", name, line, code);
        at = feed + 1;
    }
    return out;
}

static void same_text(const struct memory_text *got, const struct memory_text *wanted)
{
    assert_int_equal(got->length, wanted->length);
    if (wanted->length != 0) assert_memory_equal(got->bytes, wanted->bytes, wanted->length);
}

static void compare_rows(const struct scene *scene, const struct model *model)
{
    const struct assemble *const assemble = &scene->result.assemble;
    for (uint32_t s = 0, f = 0; s < STREAMS_MAX; s++) {
        struct memory_text rows = {0};
        for (; f < assemble->file_count && assemble->files[f].stream == s; f++) {
            const struct memory_text *const text = &scene->sink.files[assemble->files[f].number].text;
            memory_append(&rows, text->bytes, text->length);
            assert_true(assemble->files[f].checksum ==
                        checksum_update(CHECKSUM_CRC64NVME, 0, text->bytes, text->length));
        }
        same_text(&rows, &model->rows[s]);
        memory_text_free(&rows);
    }
}

static void compare(const struct scene *scene, const struct model *model)
{
    struct tally got = scene->result.assemble.tally;
    struct memory_text rejects = short_rejects(&scene->log.rejects);
    same_text(&rejects, &model->rejects);
    memory_text_free(&rejects);
    got.lines = 0; /* the assembler's tests look at them */
    assert_memory_equal(&got, &model->tally, sizeof got);
    if (model->status == STATUS_OK) compare_rows(scene, model);
}

static const struct memory_sink at_once = {.hold = 0}, late = {.hold = 10000, .random = 7};

static void check_shape(struct shape shape, uint32_t seed)
{
    static const uint32_t thread_counts[] = {1, 2, 5};
    struct scene *const scene = scene_create(shape, seed);
    struct model model = model_make(scene);
    uint64_t const shards[] = {UINT64_C(1) << 40, 500, 7000, 100000};
    for (size_t i = 0; i < sizeof shards / sizeof *shards; i++) {
        if (shape.records * 400u / shards[i] > 3000) continue; /* too many to be quick */
        for (size_t t = 0; t < sizeof thread_counts / sizeof *thread_counts; t++) {
            uint32_t const threads = thread_counts[t];
            scene->as_streams = (uint32_t)(i + t) % 4;
            assert_int_equal(scene_run(scene, threads, shards[i], t == 1 ? &late : &at_once), model.status);
            compare(scene, &model);
            run_end(scene);
        }
    }
    model_free(&model);
    scene_destroy(scene);
}

/* ---- tests ---- */

static void keeps_the_latest(void **state)
{
    (void)state;
    static const uint32_t counts[] = {0, 1, 2, 30, 1000, 4000};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (uint32_t keys = 1; keys <= 10000; keys *= UNDER_TSAN ? 100 : 10)
            check_shape(
                (struct shape){
                    .records = counts[c], .keys = keys, .times = keys % 7, .ids = 1, .budget = UINT64_MAX},
                keys + 5);
}

static void judges_records_in_the_order_of_stages(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 4; seed++)
        check_shape((struct shape){.records = 3000,
                                   .keys = 700 * seed,
                                   .times = seed,
                                   .ids = 1,
                                   .streams = seed % 2 * 2,
                                   .odd = 2,
                                   .budget = UINT64_MAX},
                    seed);
}

static void judges_each_id(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 4; seed++)
        check_shape((struct shape){.records = 1500,
                                   .keys = 1000 * seed,
                                   .times = 3,
                                   .ids = IDS_MAX,
                                   .odd = 2,
                                   .budget = UINT64_MAX},
                    seed);
}

static void keeps_streams_apart(void **state)
{
    (void)state;
    for (uint32_t seed = 2; seed <= STREAMS_MAX; seed++)
        check_shape((struct shape){.records = 2000,
                                   .keys = 1500,
                                   .times = 3,
                                   .ids = 1 + seed % 3,
                                   .streams = seed,
                                   .split = true,
                                   .odd = 3,
                                   .budget = UINT64_MAX},
                    seed);
}

/* Rows over several chunks, in one stream and in several: of winners and of losers. */
static void takes_rows_larger_than_a_chunk(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= (UNDER_TSAN ? 3 : 6); seed++) /* streams: 2, 3, 1 */
        check_shape((struct shape){.records = 700,
                                   .keys = 500,
                                   .times = 2,
                                   .ids = 1 + seed % IDS_MAX,
                                   .streams = seed % 3 + 1,
                                   .split = seed % 3 != 0,
                                   .odd = 2,
                                   .giants = true,
                                   .budget = UINT64_MAX},
                    seed);
}

/* The run stops at the same record, with the same counts. */
static void stops_at_the_record_that_passes_the_budget(void **state)
{
    (void)state;
    static const uint64_t budgets[] = {0, 1, 7, 50, 200, 1000};
    for (size_t b = 0; b < sizeof budgets / sizeof *budgets; b++)
        check_shape((struct shape){.records = 2500,
                                   .keys = 1500,
                                   .times = 3,
                                   .ids = 1 + (uint32_t)b % 3,
                                   .odd = 2,
                                   .budget = budgets[b]},
                    (uint32_t)b + 1);
}

/* Chunks of contenders that are full in the middle of a shard, among many rejects. */
static void counts_in_shards_of_many_records(void **state)
{
    (void)state;
    for (uint64_t budget = 100; budget <= 100000; budget *= UNDER_TSAN ? 1000 : 10)
        check_shape(
            (struct shape){.records = 40000, .keys = 25000, .times = 2, .ids = 2, .odd = 2, .budget = budget},
            (uint32_t)budget);
}

static struct scene *scene_for_failures(void)
{
    return scene_create((struct shape){.records = 9000,
                                       .keys = 6000,
                                       .times = 3,
                                       .ids = 2,
                                       .odd = 5,
                                       .giants = true,
                                       .budget = UINT64_MAX},
                        3);
}

static void survives_a_store_that_fails(void **state)
{
    (void)state;
    struct scene *const scene = scene_for_failures();
    for (uint64_t k = 1;; k += UNDER_TSAN ? 3 : 1) {
        scene->store.fail_at = k;
        enum status const status = scene_run(scene, 3, 100000, &at_once);
        bool const end = scene->store.writes + scene->store.reads < k;
        assert_int_equal(status, end ? STATUS_OK : STATUS_IO);
        if (!end) assert_non_null(strstr(scene->fault.message, "store: "));
        run_end(scene);
        if (end) {
            assert_true(k > 4); /* the store was needed */
            break;
        }
    }
    scene_destroy(scene);
}

static void survives_a_sink_that_fails(void **state)
{
    (void)state;
    struct scene *const scene = scene_for_failures();
    for (uint64_t k = 1;; k += 1 + k / (UNDER_TSAN ? 5 : 20)) {
        struct memory_sink like = late;
        like.fail_at = k;
        enum status const status = scene_run(scene, 2, 300000, &like);
        bool const end = scene->sink.calls < k;
        assert_int_equal(status, end ? STATUS_OK : STATUS_IO);
        run_end(scene);
        if (end) break;
    }
    scene_destroy(scene);
}

static void stops_at_any_poll(void **state)
{
    (void)state;
    struct scene *const scene = scene_for_failures();
    for (stop_at_poll = 1;; stop_at_poll += 1 + stop_at_poll / (UNDER_TSAN ? 5 : 20)) {
        enum status const status = scene_run(scene, 3, 300000, stop_at_poll % 2 == 0 ? &late : &at_once);
        bool const end = polls < stop_at_poll;
        assert_int_equal(status, end ? STATUS_OK : STATUS_TERMINATED);
        run_end(scene);
        if (end) break;
    }
    stop_at_poll = 0;
    scene_destroy(scene);
}

static void says_when_there_are_too_many_keys(void **state)
{
    (void)state;
    struct shape const shape = {
        .records = 60000, .keys = 10000000, .times = 1, .ids = 1, .budget = UINT64_MAX};
    struct scene *const scene = scene_create(shape, 1);
    for (uint32_t threads = 1; threads <= 4; threads += 3) {
        assert_int_equal(scene_run(scene, threads, 100000, &at_once), STATUS_USAGE);
        assert_non_null(strstr(scene->fault.message, "takes 24 bytes for each key, and the 1.0 MiB"));
        run_end(scene);
    }
    scene_destroy(scene);
}

/* ---- sizes ---- */

static void shares_what_the_limit_leaves(void **state)
{
    (void)state;
    struct scene *const scene = scene_create((struct shape){.keys = 1, .ids = 1}, 1);
    struct pipeline_needs const needs = {.rules = &scene->rules, .threads = 3, .buffered_sources = true};
    struct pipeline_sizes sizes;
    struct fault fault;
    uint64_t const least = pipeline_least(&needs);
    assert_int_equal(pipeline_size(&needs, least, &sizes, &fault), STATUS_OK);
    assert_true(sizes.dedup.table == DEDUP_TABLE_BYTES_MIN && sizes.dedup.spool == SPOOL_BYTES_MIN);
    pipeline_fill(&needs, least, &sizes);
    assert_true(sizes.memory <= least);
    assert_int_equal(pipeline_size(&needs, least - 1, &sizes, &fault), STATUS_USAGE);
    uint64_t const limit = 2048 * LIMIT_MIB;
    assert_int_equal(pipeline_size(&needs, limit, &sizes, &fault), STATUS_OK);
    uint64_t const before = sizes.memory;
    pipeline_fill(&needs, limit, &sizes);
    assert_true(sizes.memory <= limit && sizes.memory > limit - 100);
    assert_in_range(sizes.dedup.table, (limit - before) / 4 * 3, (limit - before) / 4 * 3 + 2 * LIMIT_MIB);
    assert_in_range(sizes.dedup.spool, (limit - before) / 4, (limit - before) / 4 + 2 * LIMIT_MIB);
    scene->job.mapping.identity.deduplicate = IDENTITY_KEEP_ALL;
    assert_true(pipeline_least(&needs) < least - SPOOL_BYTES_MIN);
    assert_int_equal(pipeline_size(&needs, limit, &sizes, &fault), STATUS_OK);
    pipeline_fill(&needs, limit, &sizes);
    assert_true(sizes.dedup.table == 0 && sizes.dedup.spool == 0);
    scene_destroy(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_latest),
        cmocka_unit_test(judges_records_in_the_order_of_stages),
        cmocka_unit_test(judges_each_id),
        cmocka_unit_test(keeps_streams_apart),
        cmocka_unit_test(takes_rows_larger_than_a_chunk),
        cmocka_unit_test(stops_at_the_record_that_passes_the_budget),
        cmocka_unit_test(counts_in_shards_of_many_records),
        cmocka_unit_test(survives_a_store_that_fails),
        cmocka_unit_test(survives_a_sink_that_fails),
        cmocka_unit_test(stops_at_any_poll),
        cmocka_unit_test(says_when_there_are_too_many_keys),
        cmocka_unit_test(shares_what_the_limit_leaves),
    };
    return cmocka_run_group_tests_name("dedup", tests, NULL, NULL);
}
