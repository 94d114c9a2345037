/* test_convert.c - one worker's work, without threads: shards of every size, blocks down to less than a
 * record, both walks; what comes out may never depend on any of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/pipeline.h"
#include "tests/unit/memory_ports.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const size_t capacities[] = {64, 65, 100, 256, 1000, PIPELINE_BLOCK_MIN};

/* ---- a worker, its assembler and their chunks, all in one thread ---- */

struct desk {
    struct memory_job *job;
    struct convert_rules rules;
    struct convert convert;
    struct convert_tools large;
    struct chunk *pool[PIPELINE_CHUNKS_MIN];
    struct chunk *spare[PIPELINE_CHUNKS_MIN];
    uint32_t spare_count;
    uint64_t calls, stop_at; /* of the port; the call from which on the run is being stopped, 0: never */
    uint64_t turns;          /* uses of the large lane */
    struct memory_source sources[2];
    struct source *ports[2];
    struct memory_sink sink;
    struct memory_log log;
    struct assemble_rules assemble_rules;
    struct assemble assemble;
    struct dedup_table table;      /* of a job that deduplicates */
    struct memory_text contenders; /* a line for each contender */
    uint32_t marks;                /* of the next row */
    struct fault fault;
};

static bool stops(struct desk *desk)
{
    desk->calls++;
    return desk->stop_at != 0 && desk->calls >= desk->stop_at;
}

static struct chunk *desk_take(void *context)
{
    struct desk *desk = context;
    if (stops(desk)) return NULL;
    assert_true(desk->spare_count > 0); /* a real worker would wait for ever */
    return desk->spare[--desk->spare_count];
}

static void desk_home(void *context, struct chunk *chunk)
{
    struct desk *desk = context;
    memset(chunk->bytes, 0xDB, chunk->capacity);
    desk->spare[desk->spare_count++] = chunk;
}

static void print_contenders(struct desk *desk, const struct chunk *chunk)
{
    for (uint32_t i = 0; i < chunk->rows; i++) {
        struct contender contender;
        char line[256];
        const char *outcome = "rows", *reason = "";
        memcpy(&contender, chunk->bytes + i * sizeof contender, sizeof contender);
        if (contender.outcome == CONTENDER_SKIPPED) {
            outcome = "skipped";
            reason = tally_skip_name((enum skip)contender.reason);
        } else if (contender.outcome == CONTENDER_FAILED) {
            outcome = "failed";
            reason = tally_defect_name((enum defect)contender.reason);
        }
        snprintf(line, sizeof line, "%u ids: %s %s rule %u newlines %u%s\n", contender.candidates, outcome,
                 reason, contender.rule, contender.changed[CHANGE_NEWLINE],
                 contender.shape == CONTENDER_MORE ? " more" : "");
        memory_print(&desk->contenders, line);
    }
}

static void desk_give(void *context, struct chunk *chunk)
{
    struct desk *desk = context;
    size_t const source = desk->convert.source_number;
    assert_true(chunk->length <= chunk->capacity && chunk->rows <= chunk->rows_max);
    if (chunk->kind == CHUNK_CONTENDERS) {
        print_contenders(desk, chunk);
        desk_home(desk, chunk);
        return;
    }
    for (uint32_t i = 0; chunk->row_marks != NULL && chunk->kind == CHUNK_ROWS && i < chunk_mark_count(chunk);
         i++)
        assert_int_equal(chunk->row_marks[i], desk->marks++);
    assert_int_equal(assemble_chunk(&desk->assemble, chunk, source, &desk->fault), STATUS_OK);
}

static bool desk_turn(void *context, uint64_t shard)
{
    struct desk *desk = context;
    desk->turns++;
    (void)shard;
    return !stops(desk);
}

static bool desk_stopped(void *context)
{
    return stops(context);
}

static struct desk *desk_create(struct memory_job *job, size_t capacity, uint64_t max_record,
                                enum convert_walk walk)
{
    struct desk *desk = memory_must(calloc(1, sizeof *desk));
    desk->job = job;
    desk->rules = (struct convert_rules){.plan = &job->plan,
                                         .max_record = max_record,
                                         .max_depth = 64,
                                         .walk = walk,
                                         .prefilter = job->prefilter};
    assert_true(convert_tools_create(&desk->convert.tools, &desk->rules, capacity));
    assert_true(
        convert_tools_create(&desk->large, &desk->rules, convert_large_capacity(&desk->rules, capacity)));
    for (uint32_t c = 0; c < PIPELINE_CHUNKS_MIN; c++)
        desk->pool[c] = memory_must(chunk_create(CHUNK_BYTES_MIN, 1));
    desk->convert.rules = &desk->rules;
    desk->convert.large = &desk->large;
    desk->convert.sources = desk->ports;
    desk->convert.port = (struct convert_port){.context = desk,
                                               .take = desk_take,
                                               .give = desk_give,
                                               .wait_for_turn = desk_turn,
                                               .stopped = desk_stopped};
    if (!convert_deduplicates(&desk->rules)) return desk;
    struct dedup_table_options const options = {.bytes = DEDUP_TABLE_BYTES_MIN, .units = 100};
    assert_true(dedup_table_create(&desk->table, &options));
    assert_true(contend_create(&desk->convert.contend, &desk->table));
    for (uint32_t c = 0; c < PIPELINE_CHUNKS_MIN; c++)
        assert_true(chunk_add_marks(desk->pool[c]));
    return desk;
}

/* Sources stay the same for the desk's life: readers look into them. */
static void desk_sources(struct desk *desk, const struct memory_text *first, const struct memory_text *second)
{
    memory_source_start(&desk->sources[0], "a", first->bytes, first->length);
    memory_source_start(&desk->sources[1], "b", second == NULL ? NULL : second->bytes,
                        second == NULL ? 0 : second->length);
    desk->ports[0] = &desk->sources[0].port;
    desk->ports[1] = &desk->sources[1].port;
}

static void print_tally(struct memory_text *out, const struct tally *tally)
{
    char line[256];
    snprintf(line, sizeof line,
             "input %llu delivered %llu skipped %llu failed %llu duplicates %llu lines %llu\n",
             (unsigned long long)tally->input, (unsigned long long)tally->delivered,
             (unsigned long long)tally_skipped(tally), (unsigned long long)tally_failed(tally),
             (unsigned long long)tally->duplicate_keys, (unsigned long long)tally->lines);
    memory_print(out, line);
}

/* Nobody wrote to a chunk that was given away: in a pipeline the assembler may be reading it. */
static void check_spares(const struct desk *desk)
{
    for (uint32_t c = 0; c < desk->spare_count; c++) {
        const uint8_t *bytes = desk->spare[c]->bytes;
        assert_int_equal(bytes[0], 0xDB);
        assert_memory_equal(bytes, bytes + 1, desk->spare[c]->capacity - 1);
    }
}

/* The chunks at hand when a run was stopped are the pool's. */
static void forget_chunks(struct convert *convert)
{
    convert->rows = NULL;
    convert->rejects = NULL;
    convert->contenders = NULL;
    split_reset(&convert->split);
}

/* Converts everything; *text: files, rejects and counts. */
static enum status desk_run(struct desk *desk, uint64_t begin, uint64_t shard_bytes, struct memory_text *text)
{
    struct shard_source const extents[2] = {{.begin = begin, .size = desk->sources[0].port.size},
                                            {.begin = 0, .size = desk->sources[1].port.size}};
    struct shard_plan plan;
    assert_true(shard_plan_create(&plan, extents, 2, shard_bytes));
    memory_sink_start(&desk->sink);
    desk->log = (struct memory_log){.reject_count = 0};
    desk->assemble_rules = memory_rules(&desk->log, "");
    desk->assemble_rules.header = CSV_HEADER_NONE;
    desk->assemble_rules.home = desk_home;
    desk->assemble_rules.home_context = desk;
    assemble_start(&desk->assemble, &desk->assemble_rules, &desk->sink.port, desk->ports);
    desk->spare_count = 0;
    while (desk->spare_count < PIPELINE_CHUNKS_MIN) {
        struct chunk *chunk = desk->pool[desk->spare_count];
        if (desk->stop_at != 0) memset(chunk->bytes, 0xDB, chunk->capacity);
        desk->spare[desk->spare_count++] = chunk;
    }
    enum status status = STATUS_OK;
    desk->calls = desk->turns = 0;
    desk->convert.stopping = false;
    for (uint64_t number = 0; number < plan.count && status == STATUS_OK && !desk->convert.stopping;
         number++) {
        struct shard const shard = shard_plan_get(&plan, number);
        struct feed_task const task = {.order = number, .source = shard.source, .shard = shard};
        status = convert_task(&desk->convert, &task, &desk->fault);
        if (desk->stop_at != 0 && desk->calls >= desk->stop_at) break;
    }
    if (desk->stop_at != 0) check_spares(desk);
    bool const whole = status == STATUS_OK && desk->stop_at == 0;
    if (whole) {
        assert_int_equal(assemble_finish(&desk->assemble, &desk->fault), STATUS_OK);
        assert_int_equal(desk->spare_count, PIPELINE_CHUNKS_MIN);
        *text = memory_sink_text(&desk->sink);
        text->length--; /* its terminator */
        memory_append(text, desk->log.rejects.bytes, desk->log.rejects.length);
        print_tally(text, &desk->assemble.tally);
        memory_append(text, "", 1);
    }
    forget_chunks(&desk->convert);
    assert_int_equal(atomic_load(&desk->sources[0].wrong) + atomic_load(&desk->sources[1].wrong), 0);
    assert_int_equal(desk->sink.wrong, 0);
    assemble_free(&desk->assemble);
    memory_sink_free(&desk->sink);
    memory_text_free(&desk->log.rejects);
    shard_plan_destroy(&plan);
    return status;
}

static void desk_destroy(struct desk *desk)
{
    convert_tools_destroy(&desk->convert.tools, desk->ports);
    convert_tools_destroy(&desk->large, desk->ports);
    assert_int_equal(atomic_load(&desk->sources[0].readers) + atomic_load(&desk->sources[1].readers), 0);
    for (uint32_t c = 0; c < PIPELINE_CHUNKS_MIN; c++)
        chunk_destroy(desk->pool[c]);
    contend_destroy(&desk->convert.contend);
    dedup_table_destroy(&desk->table);
    memory_text_free(&desk->contenders);
    free(desk);
}

static void job_abc(struct memory_job *job)
{
    memory_job_start(job, "id");
    memory_column(job, "a");
    memory_column(job, "b[*]");
    memory_job_compile(job);
}

/* One run; the caller frees the text. */
static struct memory_text convert_once(struct memory_job *job, const struct memory_text *dump,
                                       size_t capacity, uint64_t max_record, enum convert_walk walk,
                                       uint64_t shard_bytes)
{
    struct memory_text text = {0};
    struct desk *desk = desk_create(job, capacity, max_record, walk);
    desk_sources(desk, dump, NULL);
    assert_int_equal(desk_run(desk, 0, shard_bytes, &text), STATUS_OK);
    desk_destroy(desk);
    return text;
}

/* Every capacity, both walks, shards of `first` bytes and then of `step` more each: all give `wanted`. */
static void same_everywhere(struct memory_job *job, const struct memory_text *dump,
                            const struct memory_text *second, uint64_t max_record, uint64_t begin,
                            uint64_t step, const char *wanted)
{
    for (size_t c = 0; c < COUNT(capacities); c++)
        for (int walk = CONVERT_FAST; walk <= CONVERT_ON_DEMAND; walk++) {
            struct desk *desk = desk_create(job, capacities[c], max_record, (enum convert_walk)walk);
            desk_sources(desk, dump, second);
            for (uint64_t bytes = 1; bytes <= dump->length + step; bytes += step) {
                struct memory_text got = {0};
                assert_int_equal(desk_run(desk, begin, bytes, &got), STATUS_OK);
                size_t at = 0;
                while (wanted[at] != '\0' && got.bytes[at] == (uint8_t)wanted[at])
                    at++;
                if (got.bytes[at] != '\0' || wanted[at] != '\0')
                    fail_msg("blocks of %zu, shards of %llu, walk %d, byte %zu:\n%.300s\nexpected\n%.300s",
                             capacities[c], (unsigned long long)bytes, walk, at, (char *)got.bytes + at,
                             wanted + at);
                memory_text_free(&got);
            }
            desk_destroy(desk);
        }
}

/* ---- seams ---- */

static const char mixed[] = "\xEF\xBB\xBF{\"id\":1,\"a\":\"x\",\"b\":[1,2]}\n"
                            "\n"
                            "  {\"id\":\"two\",\"a\":\"with, a comma\"}  \r\n"
                            "{\"id\":3,\"a\":\"an \\\"escape\\\" \\u00e9\",\"b\":[null,\"c\"]}\n"
                            "{\"id\":4,\"a\":broken}\n"
                            " \t \r\n"
                            "\r\n"
                            "{\"id\":5,\"a\":\"open}\n"
                            "{\"id\":6} {\"id\":66}\n"
                            "[7]\n"
                            "{\"id\":8,\"skip\":{\"deep\":[[[{\"x\":\"}]\"}]]]},\"a\":{ \"k\" : [ 1 ] }}\n"
                            "{\"a\":\"nobody\"}\n"
                            "{\"id\":9,\"a\":\"bad \x80 utf8\"}\n"
                            "{\"id\":10,\"a\":1.50,\"a\":-0}\n"
                            "{\"id\":11,\"a\":\"the last one has no line feed\"}";

static const char mixed_wanted[] = "[f1 6]\n"
                                   "1,x,1|2\n"
                                   "two,\"with, a comma\",\n"
                                   "3,\"an \"\"escape\"\" \xC3\xA9\",c\n"
                                   "8,\"{\"\"k\"\":[1]}\",\n"
                                   "10,-0,\n"
                                   "11,the last one has no line feed,\n"
                                   "a:5 120+19 syntax  {\"id\":4,\"a\":broken}\n"
                                   "a:8 147+18 unclosed_string  {\"id\":5,\"a\":\"open}\n"
                                   "a:9 166+18 trailing_content  {\"id\":6} {\"id\":66}\n"
                                   "a:10 185+3 not_an_object  [7]\n"
                                   "a:12 251+14 missing_identity id {\"a\":\"nobody\"}\n"
                                   "a:13 266+25 utf8  {\"id\":9,\"a\":\"bad \x80 utf8\"}\n"
                                   "input 12 delivered 6 skipped 0 failed 6 duplicates 1 lines 14\n";

static struct memory_text text_of(const char *text)
{
    struct memory_text copy = {0};
    memory_print(&copy, text);
    return copy;
}

static void cuts_at_every_byte(void **state)
{
    (void)state;
    struct memory_job job;
    struct memory_text dump = text_of(mixed);
    job_abc(&job);
    same_everywhere(&job, &dump, NULL, 4096, 3, 1, mixed_wanted);
    memory_job_free(&job);
    memory_text_free(&dump);
}

/* Records longer than a block, than max_record by one byte and by far, two sources, no text in the second. */
static void takes_long_records_anywhere(void **state)
{
    (void)state;
    struct memory_job job;
    struct memory_text dump = {0}, second = text_of(" \n\n  ");
    job_abc(&job);
    memory_print(&dump, "{\"id\":1,\"a\":\"");
    memory_fill(&dump, 'x', 300 - 15); /* 300 bytes: as long as a record may be */
    memory_print(&dump, "\"}\n{\"id\":2,\"a\":\"");
    memory_fill(&dump, 'y', 301 - 15);
    memory_print(&dump, "\"}\r\n\n{\"id\":3,\"a\":\"");
    memory_fill(&dump, 'z', 900);
    memory_print(&dump, "\"}\n   {\"id\":4,\"b\":[");
    memory_fill(&dump, ' ', 280); /* blanks inside count */
    memory_print(&dump, "4]}     \n");
    memory_fill(&dump, ' ', 700); /* blanks around do not */
    memory_print(&dump, "{\"id\":5}");
    memory_fill(&dump, ' ', 500);
    struct memory_text wanted = text_of("[f1 3]\n1,");
    memory_fill(&wanted, 'x', 285);
    memory_print(&wanted, ",\n4,,4\n5,,\na:2 301+301 too_large  ");
    memory_append(&wanted, dump.bytes + 301, 301);
    memory_print(&wanted, "\na:4 605+915 too_large  ");
    memory_append(&wanted, dump.bytes + 605, 915);
    memory_print(&wanted, "\ninput 5 delivered 3 skipped 0 failed 2 duplicates 0 lines 7\n");
    memory_append(&wanted, "", 1);
    same_everywhere(&job, &dump, &second, 300, 0, 3, (char *)wanted.bytes);
    memory_text_free(&dump);
    memory_text_free(&second);
    memory_text_free(&wanted);
    memory_job_free(&job);
}

static void passes_over_nothing_at_all(void **state)
{
    (void)state;
    static const char *const dumps[] = {"", "\n", "\r\n\r\n", "   ", "\n\n\n \t\r\n"};
    static const char *const wanted[] = {
        "input 0 delivered 0 skipped 0 failed 0 duplicates 0 lines 0\n",
        "input 0 delivered 0 skipped 0 failed 0 duplicates 0 lines 1\n",
        "input 0 delivered 0 skipped 0 failed 0 duplicates 0 lines 2\n",
        "input 0 delivered 0 skipped 0 failed 0 duplicates 0 lines 0\n",
        "input 0 delivered 0 skipped 0 failed 0 duplicates 0 lines 4\n",
    };
    struct memory_job job;
    job_abc(&job);
    for (size_t i = 0; i < COUNT(dumps); i++) {
        struct memory_text dump = text_of(dumps[i]);
        same_everywhere(&job, &dump, NULL, 64, 0, 1, wanted[i]);
        memory_text_free(&dump);
    }
    memory_job_free(&job);
}

/* Blank lines of megabytes, and lines that are one blank after the other. */
static void passes_over_megabytes_of_blanks(void **state)
{
    (void)state;
    struct memory_job job;
    struct memory_text dump = {0};
    job_abc(&job);
    memory_print(&dump, "{\"id\":1}\n");
    memory_fill(&dump, ' ', 2500000);
    memory_print(&dump, "\r\n");
    memory_fill(&dump, '\t', 1500000);
    memory_print(&dump, "{\"id\":2}");
    memory_fill(&dump, '\r', 700000);
    memory_print(&dump, "\n");
    memory_fill(&dump, '\n', 1000000);
    memory_print(&dump, "{\"id\":}\n");
    memory_fill(&dump, ' ', 300000);
    static const uint64_t shards[] = {100000, 1000003, UINT64_C(1) << 40};
    char wanted[256];
    snprintf(wanted, sizeof wanted,
             "[f1 2]\n1,,\n2,,\na:1000004 %u+7 syntax  {\"id\":}\n"
             "input 3 delivered 2 skipped 0 failed 1 duplicates 0 lines 1000004\n",
             9 + 2500002 + 1500000 + 8 + 700001 + 1000000);
    for (size_t s = 0; s < COUNT(shards); s++)
        for (int walk = CONVERT_FAST; walk <= CONVERT_ON_DEMAND; walk++) {
            struct memory_text got =
                convert_once(&job, &dump, PIPELINE_BLOCK_MIN, 65536, (enum convert_walk)walk, shards[s]);
            assert_string_equal((char *)got.bytes, wanted);
            memory_text_free(&got);
        }
    memory_text_free(&dump);
    memory_job_free(&job);
}

/* More bad records in a block than are indexed again, and bad ones between good ones. */
static void isolates_bad_records(void **state)
{
    (void)state;
    struct memory_job job;
    struct memory_text dump = {0}, wanted = {0}, rejects = {0};
    uint64_t failed = 0;
    char line[160];
    job_abc(&job);
    for (unsigned i = 1; i <= 60; i++) {
        bool const bad = i % 7 == 3 || (i > 20 && i < 32);
        static const char *const defects[] = {"syntax", "unclosed_string", "utf8"};
        static const char *const forms[] = {"{\"id\":%u,,}", "{\"id\":%u,\"a\":\"}",
                                            "{\"id\":%u,\"q\":\"\xFF\"}"};
        size_t const at = dump.length;
        snprintf(line, sizeof line, bad ? forms[i % 3] : "{\"id\":%u,\"a\":\"good\"}", i);
        memory_print(&dump, line);
        if (bad) {
            char reject[256];
            snprintf(reject, sizeof reject, "a:%u %zu+%zu %s  %s\n", i, at, dump.length - at, defects[i % 3],
                     line);
            memory_print(&rejects, reject);
            failed++;
        } else {
            snprintf(line, sizeof line, "%u,good,\n", i);
            memory_print(&wanted, line);
        }
        memory_print(&dump, "\n");
    }
    char *whole = memory_must(malloc(wanted.length + rejects.length + 256));
    int const length = sprintf(whole, "[f1 %llu]\n%.*s%.*s", 60ull - failed, (int)wanted.length,
                               (char *)wanted.bytes, (int)rejects.length, (char *)rejects.bytes);
    sprintf(whole + length, "input 60 delivered %llu skipped 0 failed %llu duplicates 0 lines 60\n",
            60ull - failed, (unsigned long long)failed);
    same_everywhere(&job, &dump, NULL, 4096, 0, 7, whole);
    free(whole);
    memory_text_free(&dump);
    memory_text_free(&wanted);
    memory_text_free(&rejects);
    memory_job_free(&job);
}

/* ---- rows and rejects larger than chunks ---- */

static void writes_giant_rows(void **state)
{
    (void)state;
    struct memory_job job;
    struct memory_text dump = {0}, wanted = text_of("[f1 4]\n0,s,s,s\n1,");
    memory_job_start(&job, "id");
    for (int i = 0; i < 3; i++)
        memory_column(&job, "a");
    memory_job_compile(&job);
    /* the value: commas, quotes to be doubled, and a stretch that ends pieces at odd places */
    struct memory_text value = {0}, field = text_of("\"");
    for (unsigned i = 0; i < 60000; i++) {
        memory_print(&value, i % 11 == 0 ? "\\\"," : "ab");
        memory_print(&field, i % 11 == 0 ? "\"\"," : "ab");
    }
    memory_print(&field, "\"");
    memory_print(&dump, "{\"id\":0,\"a\":\"s\"}\n{\"id\":1,\"a\":\"");
    memory_append(&dump, value.bytes, value.length);
    memory_print(&dump, "\"}\n{\"id\":2,\"a\":\"");
    memory_fill(&dump, 'p', 3 * CHUNK_BYTES_MIN);
    memory_print(&dump, "\"}\n{\"a\":\"");
    memory_fill(&dump, 'n', 2 * CHUNK_BYTES_MIN); /* has no identity: nothing of it may be written */
    memory_print(&dump, "\"}\n{\"id\":3,\"a\":\"t\"}\n");
    for (int i = 0; i < 3; i++) {
        memory_append(&wanted, field.bytes, field.length);
        memory_print(&wanted, i == 2 ? "\n2," : ",");
    }
    for (int i = 0; i < 3; i++) {
        memory_fill(&wanted, 'p', 3 * CHUNK_BYTES_MIN);
        memory_print(&wanted, i == 2 ? "\n3,t,t,t\na:4 " : ",");
    }
    static const size_t blocks[] = {PIPELINE_BLOCK_MIN, PIPELINE_BLOCK_MAX, 4 * PIPELINE_BLOCK_MAX};
    for (size_t b = 0; b < COUNT(blocks); b++)
        for (int walk = CONVERT_FAST; walk <= CONVERT_ON_DEMAND; walk++) {
            struct memory_text got =
                convert_once(&job, &dump, blocks[b], 1 << 20, (enum convert_walk)walk, 100000);
            assert_true(got.length > wanted.length);
            assert_memory_equal(got.bytes, wanted.bytes, wanted.length);
            assert_non_null(strstr((char *)got.bytes + wanted.length, "missing_identity id"));
            memory_text_free(&got);
        }
    memory_text_free(&dump);
    memory_text_free(&wanted);
    memory_text_free(&value);
    memory_text_free(&field);
    memory_job_free(&job);
}

/* Reject lines carry 64 KiB; a chunk holds one of them at least. */
static void carries_raw_bytes_up_to_the_limit(void **state)
{
    (void)state;
    static const size_t lengths[] = {LIMIT_REJECT_RAW - 1, LIMIT_REJECT_RAW, LIMIT_REJECT_RAW + 1, 200000,
                                     700000};
    struct memory_job job;
    struct memory_text dump = {0}, wanted = {0};
    char line[100];
    job_abc(&job);
    for (size_t i = 0; i < COUNT(lengths); i++) {
        size_t const at = dump.length;
        memory_print(&dump, "[");
        memory_fill(&dump, 'x', lengths[i] - 1);
        memory_print(&dump, "\n");
        snprintf(line, sizeof line, "a:%zu %zu+%zu %s  ", i + 1, at, lengths[i],
                 lengths[i] > 300000 ? "too_large" : "not_an_object");
        memory_print(&wanted, line);
        memory_append(&wanted, dump.bytes + at,
                      lengths[i] < LIMIT_REJECT_RAW ? lengths[i] : LIMIT_REJECT_RAW);
        memory_print(&wanted, "\n");
    }
    memory_print(&wanted, "input 5 delivered 0 skipped 0 failed 5 duplicates 0 lines 5\n");
    memory_append(&wanted, "", 1);
    for (size_t block = PIPELINE_BLOCK_MIN; block <= 1024 * 1024; block *= 2) {
        struct memory_text got = convert_once(&job, &dump, block, 300000, CONVERT_FAST, 90001);
        assert_string_equal((char *)got.bytes, (char *)wanted.bytes);
        memory_text_free(&got);
    }
    memory_text_free(&dump);
    memory_text_free(&wanted);
    memory_job_free(&job);
}

/* Rows of two bytes: a chunk's row ends are used up before its bytes. */
static void fills_chunks_with_short_rows(void **state)
{
    (void)state;
    struct memory_job job;
    struct memory_text dump = {0};
    memory_job_start(&job, NULL);
    memory_column(&job, "a");
    memory_column(&job, "b");
    memory_job_compile(&job);
    uint32_t const rows = 3 * CHUNK_BYTES_MIN / CHUNK_BYTES_PER_ROW + 5;
    for (uint32_t i = 0; i < rows; i++)
        memory_print(&dump, "{}\n");
    struct memory_text got =
        convert_once(&job, &dump, PIPELINE_BLOCK_MIN, 4096, CONVERT_FAST, UINT64_C(1) << 40);
    char title[40];
    int const length = snprintf(title, sizeof title, "[f1 %u]\n", rows);
    assert_memory_equal(got.bytes, title, (size_t)length);
    for (uint32_t i = 0; i < rows; i++)
        assert_memory_equal(got.bytes + length + 2 * i, ",\n", 2);
    memory_text_free(&got);
    memory_text_free(&dump);
    memory_job_free(&job);
}

/* ---- what only the large lane can hold ---- */

/* More values than a block's cells have room for; with a small max_record, more than any have. */
static void takes_many_values_to_the_large_lane(void **state)
{
    (void)state;
    struct memory_job job;
    struct memory_text dump = text_of("{\"id\":1,\"b\":[1"), wanted = text_of("[f1 2]\n1,,1");
    job_abc(&job);
    for (int i = 0; i < 6000; i++) {
        memory_print(&dump, ",2");
        memory_print(&wanted, "|2");
    }
    memory_print(&dump, "]}\n{\"id\":2}\n");
    memory_print(&wanted, "\n2,,\ninput 2 delivered 2 skipped 0 failed 0 duplicates 0 lines 2\n");
    memory_append(&wanted, "", 1);
    same_everywhere(&job, &dump, NULL, 65536, 0, 4999, (char *)wanted.bytes);
    same_everywhere(&job, &dump, NULL, 12016, 0, 4999, (char *)wanted.bytes); /* the record just fits */
    memory_text_free(&dump);
    memory_text_free(&wanted);
    memory_job_free(&job);
}

/* A list that grows by its separators beyond the record's length. */
static void takes_long_lists_to_the_large_lane(void **state)
{
    (void)state;
    char separator[1001] = "";
    struct memory_job job;
    memset(separator, '-', 1000);
    memory_job_start(&job, "id");
    memory_column(&job, "b[*]");
    job.mapping.csv.list_separator = separator;
    memory_job_compile(&job);
    struct memory_text dump = text_of("{\"id\":1,\"b\":[1"), wanted = text_of("[f1 1]\n1,1");
    for (int i = 0; i < 40; i++) {
        memory_print(&dump, ",2");
        memory_print(&wanted, separator);
        memory_print(&wanted, "2");
    }
    memory_print(&dump, "]}\n");
    memory_print(&wanted, "\ninput 1 delivered 1 skipped 0 failed 0 duplicates 0 lines 1\n");
    memory_append(&wanted, "", 1);
    same_everywhere(&job, &dump, NULL, 65536, 0, 13, (char *)wanted.bytes);
    wanted.length = 0;
    memory_print(&wanted, "a:1 0+96 too_large b[*] ");
    memory_append(&wanted, dump.bytes, 96);
    memory_print(&wanted, "\ninput 1 delivered 0 skipped 0 failed 1 duplicates 0 lines 1\n");
    memory_append(&wanted, "", 1);
    same_everywhere(&job, &dump, NULL, 40000, 0, 13, (char *)wanted.bytes);
    memory_text_free(&dump);
    memory_text_free(&wanted);
    memory_job_free(&job);
}

/* ---- failures and stops ---- */

static struct memory_text dump_of_all_kinds(void)
{
    struct memory_text dump = text_of(mixed + 3);
    memory_print(&dump, "\n{\"id\":20,\"a\":\"");
    memory_fill(&dump, 'L', 3000);
    memory_print(&dump, "\"}\n[\n{\"id\":21,\"a\":\"");
    memory_fill(&dump, 'G', 2 * CHUNK_BYTES_MIN);
    memory_print(&dump, "\"}\n");
    memory_fill(&dump, ' ', 5000);
    memory_print(&dump, "\n{\"id\":22}\n");
    return dump;
}

/* Lines without the id are skipped, broken ones too; what may have it as a key is parsed. */
static void passes_records_that_name_no_segment(void **state)
{
    (void)state;
    struct memory_job job;
    struct segment const id = {.id = "seg-1", .id_length = 5};
    struct segments const segments = {.list = &id, .count = 1};
    struct memory_text dump = text_of("{\"id\":1,\"a\": \"seg-1\"}\n"
                                      "{\"id\":2,\"a\":\"seg-1\"}\n"
                                      "{\"id\":3,\"a\":broken}\n"
                                      "\n \r\n"
                                      "[ \"seg-1\"]\n"
                                      "{\"id\":4,\"a\":\"\\u0073eg\"}\r\n"
                                      "{\"id\":5,\"a\":\"\\n\"}\n");
    memory_print(&dump, "{\"id\":6,\"a\":\""); /* the id lies over the seam of two windows of the lane */
    memory_fill(&dump, 'x', LIMIT_REJECT_RAW - 18);
    memory_print(&dump, "\",\"seg-1\":1}\n{\"id\":7,\"a\":\"");
    memory_fill(&dump, 'y', 2 * LIMIT_REJECT_RAW);
    memory_print(&dump, "\"}\n{\"id\":8,\"a\": \"seg-1\"}");
    job_abc(&job);
    job.prefilter = prefilter_create(&job.arena, &segments);
    struct memory_text wanted = text_of("[f1 3]\n1,seg-1,\n4,seg,\n8,seg-1,\n"
                                        "a:6 67+10 not_an_object  [ \"seg-1\"]\na:9 121+65543 too_large  ");
    memory_append(&wanted, dump.bytes + 121, LIMIT_REJECT_RAW);
    memory_print(&wanted, "\ninput 9 delivered 3 skipped 4 failed 2 duplicates 0 lines 10\n");
    memory_append(&wanted, "", 1);
    same_everywhere(&job, &dump, NULL, 300, 0, 7919, (char *)wanted.bytes);
    memory_text_free(&dump);
    memory_text_free(&wanted);
    memory_job_free(&job);
}

/* ---- several rows a record, and records that are compared ---- */

/* One record's rows over several chunks, and a giant row for each id. */
static void writes_a_row_for_each_id(void **state)
{
    (void)state;
    enum { IDS = 3000, GIANTS = 3 };
    struct memory_job job;
    struct memory_text dump = {0}, wanted = {0};
    char id[32];
    memory_job_start(&job, "identityMap.CRM");
    job.mapping.identity.multiple = IDENTITY_EXPLODE;
    memory_column(&job, "a");
    memory_job_compile(&job);
    snprintf(id, sizeof id, "[f1 %u]\n", IDS + GIANTS);
    memory_print(&wanted, id);
    static const unsigned counts[] = {IDS, GIANTS};
    static const size_t lengths[] = {100, CHUNK_BYTES_MIN + 1000};
    for (int record = 0; record < 2; record++) {
        memory_print(&dump, "{\"a\":\"");
        memory_fill(&dump, 'v', lengths[record]);
        memory_print(&dump, "\",\"identityMap\":{\"CRM\":[");
        for (unsigned i = 0; i < counts[record]; i++) {
            snprintf(id, sizeof id, "%s{\"id\":%u}", i == 0 ? "" : ",", i);
            memory_print(&dump, id);
            snprintf(id, sizeof id, "%u,", i);
            memory_print(&wanted, id);
            memory_fill(&wanted, 'v', lengths[record]);
            memory_print(&wanted, "\n");
        }
        memory_print(&dump, "]}}\n");
    }
    memory_print(&wanted, "input 2 delivered 2 skipped 0 failed 0 duplicates 0 lines 2\n");
    static const size_t blocks[] = {PIPELINE_BLOCK_MIN, PIPELINE_BLOCK_MAX};
    for (size_t b = 0; b < COUNT(blocks); b++) {
        struct memory_text got = convert_once(&job, &dump, blocks[b], 1 << 20, CONVERT_FAST, 50000);
        assert_int_equal(got.length, wanted.length + 1);
        assert_memory_equal(got.bytes, wanted.bytes, wanted.length);
        memory_text_free(&got);
    }
    memory_text_free(&dump);
    memory_text_free(&wanted);
    memory_job_free(&job);
}

static const char compared[] =
    "{\"identityMap\":{\"CRM\":[{\"id\":\"\\n\"},{\"id\":2}]},\"t\":1,\"c\":\"y\",\"a\":\"x\\ny\"}\n"
    "{\"identityMap\":{\"CRM\":[{\"id\":2},{\"id\":\"\\n\"}]},\"t\":\"\",\"c\":\"y\",\"a\":1,\"a\":2}\n"
    "{\"identityMap\":{\"CRM\":[{\"id\":3}]},\"t\":2,\"c\":\"n\",\"a\":1}\n"
    "{\"identityMap\":{\"CRM\":[{\"id\":4}]},\"t\":3,\"c\":\"y\",\"d\":\"n\",\"a\":1}\n"
    "{\"identityMap\":{\"CRM\":[{\"id\":5}]},\"t\":4,\"c\":\"y\"}\n"
    "{\"identityMap\":{\"CRM\":[{\"id\":6}]},\"t\":5,\"c\":\"y\",\"a\":\"\\ud800\"}\n"
    "{\"identityMap\":{\"CRM\":[{\"id\":7}]},\"t\":6,\"c\":\"y\",\"a\":tru}\n"
    "{\"t\":7,\"a\":1}\n"
    "{\"identityMap\":{\"CRM\":[{\"id\":8}]},\"t\":\"x\",\"c\":\"y\",\"a\":1}\n";

static const char compared_wanted[] = "1 ids: rows  rule 0 newlines 2 more\n"
                                      "1 ids: rows  rule 0 newlines 1\n"
                                      "1 ids: rows  rule 0 newlines 0 more\n"
                                      "1 ids: rows  rule 0 newlines 1\n"
                                      "1 ids: skipped consent rule 0 newlines 0\n"
                                      "1 ids: skipped consent rule 1 newlines 0\n"
                                      "1 ids: skipped required rule 0 newlines 0\n"
                                      "1 ids: failed lone_surrogate rule 0 newlines 0\n";

/* What is told of each record that reached deduplication, whatever lane it took; and consent by rule. */
static void tells_of_contenders(void **state)
{
    (void)state;
    static const char *const yes[] = {"y"}, *const paths[] = {"t", "c", "d"};
    struct memory_job job;
    struct memory_text dump = text_of(compared);
    memory_job_start(&job, "identityMap.CRM");
    const struct path *parsed = memory_paths(&job.arena, paths, 3);
    struct consent_rule const rules[] = {
        {.path = parsed[1], .allow = yes, .allow_count = 1, .missing = CONSENT_DENY},
        {.path = parsed[2], .allow = yes, .allow_count = 1, .missing = CONSENT_ALLOW}};
    job.mapping.identity.multiple = IDENTITY_EXPLODE;
    job.mapping.identity.deduplicate = IDENTITY_KEEP_LATEST;
    job.mapping.identity.timestamp = parsed[0];
    job.mapping.consent = rules;
    job.mapping.consent_count = 2;
    job.mapping.csv.newline_to_space = true;
    memory_column(&job, "a")->required = true;
    memory_job_compile(&job);
    for (size_t c = 0; c < COUNT(capacities); c++)
        for (int walk = CONVERT_FAST; walk <= CONVERT_ON_DEMAND; walk++) {
            struct memory_text text = {0};
            struct desk *desk = desk_create(&job, capacities[c], 4096, (enum convert_walk)walk);
            desk_sources(desk, &dump, NULL);
            assert_int_equal(desk_run(desk, 0, 4096, &text), STATUS_OK);
            memory_append(&desk->contenders, "", 1);
            assert_string_equal((char *)desk->contenders.bytes, compared_wanted);
            const struct tally *tally = &desk->assemble.tally;
            assert_true(tally->skipped[SKIP_CONSENT] == 2 && tally->consent[0] == 1 &&
                        tally->consent[1] == 1);
            assert_true(tally->delivered == 2 && tally->rows == 4 && tally->changed[CHANGE_NEWLINE] == 4);
            memory_text_free(&text);
            desk_destroy(desk);
        }
    memory_text_free(&dump);
    memory_job_free(&job);
}

static void survives_a_read_that_fails(void **state)
{
    (void)state;
    struct memory_job job;
    struct memory_text dump = dump_of_all_kinds();
    job_abc(&job);
    for (uint64_t k = 1, step = 1;; k += step) {
        struct memory_text text = {0};
        struct desk *desk = desk_create(&job, 1000, 2 << 20, CONVERT_FAST);
        desk_sources(desk, &dump, NULL);
        desk->sources[0].fail_at = k;
        enum status const status = desk_run(desk, 0, 90000, &text);
        uint64_t const reads = atomic_load(&desk->sources[0].reads);
        if (status != STATUS_OK) assert_string_equal(desk->fault.message, "a: read failed");
        memory_text_free(&text);
        desk_destroy(desk);
        if (status == STATUS_OK) {
            assert_true(reads < k);
            break;
        }
        assert_int_equal(status, STATUS_IO);
        assert_int_equal(reads, k); /* not one read behind the failure */
        step = k < 60 ? 1 : 17;
    }
    memory_text_free(&dump);
    memory_job_free(&job);
}

/* The run is being stopped from call k of the port on: nothing hangs, nothing is lost. */
static void stops_at_any_call(void **state)
{
    (void)state;
    struct memory_job job;
    struct memory_text dump = dump_of_all_kinds();
    job_abc(&job);
    for (uint64_t k = 1, step = 1;; k += step) {
        struct memory_text text = {0};
        struct desk *desk = desk_create(&job, 1000, 2 << 20, CONVERT_FAST);
        desk_sources(desk, &dump, NULL);
        desk->stop_at = k;
        assert_int_equal(desk_run(desk, 0, 90000, &text), STATUS_OK);
        bool const end = desk->calls < k;
        if (!end) assert_true(desk->calls <= k + 3); /* it is noticed at once */
        memory_text_free(&text);
        desk_destroy(desk);
        if (end) break;
        step = k < 60 ? 1 : 7;
    }
    memory_text_free(&dump);
    memory_job_free(&job);
}

static void keeps_its_memory_promise(void **state)
{
    (void)state;
    struct memory_job job;
    job_abc(&job);
    struct convert_rules const rules = {.plan = &job.plan, .max_record = 100000, .max_depth = 64};
    uint64_t last = 0;
    for (size_t capacity = 64; capacity <= 1 << 20; capacity *= 2) {
        size_t const bytes = convert_tools_bytes(&rules, capacity);
        /* tools above the bound have no On-Demand: the first of them may take less */
        if (capacity != 2 * CONVERT_ON_DEMAND_MAX) assert_true(bytes > last);
        last = bytes;
    }
    struct convert_tools nothing = {0};
    convert_tools_destroy(&nothing, NULL);
    memory_job_free(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_at_every_byte),
        cmocka_unit_test(takes_long_records_anywhere),
        cmocka_unit_test(passes_over_nothing_at_all),
        cmocka_unit_test(passes_over_megabytes_of_blanks),
        cmocka_unit_test(isolates_bad_records),
        cmocka_unit_test(writes_giant_rows),
        cmocka_unit_test(carries_raw_bytes_up_to_the_limit),
        cmocka_unit_test(fills_chunks_with_short_rows),
        cmocka_unit_test(takes_many_values_to_the_large_lane),
        cmocka_unit_test(takes_long_lists_to_the_large_lane),
        cmocka_unit_test(passes_records_that_name_no_segment),
        cmocka_unit_test(writes_a_row_for_each_id),
        cmocka_unit_test(tells_of_contenders),
        cmocka_unit_test(survives_a_read_that_fails),
        cmocka_unit_test(stops_at_any_call),
        cmocka_unit_test(keeps_its_memory_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
