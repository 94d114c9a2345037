/* test_assemble.c - cutting files, budgets, line numbers, pieces that come home late, sinks that fail: with
 * chunks made by hand, against a cut that goes row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/assemble.h"
#include "tests/unit/memory_ports.h"

#define HEADER     "Id,A\n"
#define CHUNKS_MAX 1024u
#define ROWS_MAX   100u
#define STREAMS    5u

/* ---- a stage with its chunks ---- */

struct stage {
    struct chunk *chunks[CHUNKS_MAX];
    size_t chunk_source[CHUNKS_MAX];
    size_t chunk_count, fed;
    bool home[CHUNKS_MAX];
    uint64_t home_twice;
    struct memory_sink sink;
    struct memory_log log;
    struct memory_source sources[3];
    struct source *ports[3];
    struct assemble_rules rules;
    struct assemble assemble;
    struct fault fault;
};

/* A chunk that came home is the worker's again: who looks at it later sees rubbish. */
static void come_home(void *context, struct chunk *chunk)
{
    struct stage *stage = context;
    size_t const number = (size_t)chunk->shard;
    if (stage->home[number]) stage->home_twice++;
    stage->home[number] = true;
    memset(chunk->bytes, 0xDB, chunk->capacity);
    memset(chunk->row_ends, 0xDB, chunk->rows_max * sizeof *chunk->row_ends);
}

static struct stage *stage_create(const char *header)
{
    struct stage *stage = memory_must(calloc(1, sizeof *stage));
    memory_sink_start(&stage->sink);
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"a.ndjson", "b.ndjson", "c.ndjson"};
        memory_source_start(&stage->sources[i], names[i], "", 0);
        stage->ports[i] = &stage->sources[i].port;
    }
    stage->rules = memory_rules(&stage->log, header);
    stage->rules.home = come_home;
    stage->rules.home_context = stage;
    return stage;
}

static struct chunk *chunk_add(struct stage *stage, size_t capacity, enum chunk_kind kind, size_t source)
{
    assert_true(stage->chunk_count < CHUNKS_MAX);
    struct chunk *chunk = memory_must(chunk_create(capacity, STREAMS));
    chunk_reset(chunk, kind, stage->chunk_count); /* `shard` serves as its number here */
    stage->chunk_source[stage->chunk_count] = source;
    stage->chunks[stage->chunk_count++] = chunk;
    return chunk;
}

static enum status stage_run(struct stage *stage)
{
    assemble_start(&stage->assemble, &stage->rules, &stage->sink.port, stage->ports);
    enum status status = STATUS_OK;
    for (stage->fed = 0; stage->fed < stage->chunk_count && status == STATUS_OK; stage->fed++) {
        status = assemble_chunk(&stage->assemble, stage->chunks[stage->fed], stage->chunk_source[stage->fed],
                                &stage->fault);
        if (status == STATUS_OK) status = stage->sink.port.reap(&stage->sink.port, &stage->fault);
    }
    if (status == STATUS_OK) status = assemble_finish(&stage->assemble, &stage->fault);
    while (status == STATUS_OK && stage->assemble.pieces_out != 0)
        status = stage->sink.port.reap(&stage->sink.port, &stage->fault);
    if (status != STATUS_OK) stage->sink.port.abort(&stage->sink.port);
    for (size_t i = 0; i < stage->chunk_count; i++)
        assert_int_equal(stage->home[i], i < stage->fed);
    assert_int_equal(stage->home_twice, 0);
    assert_int_equal(stage->sink.wrong, 0);
    return status;
}

static void stage_destroy(struct stage *stage)
{
    assemble_free(&stage->assemble);
    memory_sink_free(&stage->sink);
    memory_text_free(&stage->log.rejects);
    for (size_t i = 0; i < stage->chunk_count; i++)
        chunk_destroy(stage->chunks[i]);
    free(stage);
}

/* ---- rows ---- */

/* Row `number`, `length` bytes with its line end: no two look alike at the same place. */
static void row_text(struct memory_text *text, uint32_t number, size_t length)
{
    for (size_t i = 0; i + 1 < length; i++) {
        char const letter = (char)('a' + (number * 7 + i) % 26);
        memory_append(text, &letter, 1);
    }
    memory_append(text, "\n", 1);
}

struct rows {
    uint32_t count;
    size_t lengths[ROWS_MAX];
};

/* What must come out: each row by itself. */
static struct memory_text expect(const struct assemble_rules *rules, const struct rows *rows)
{
    struct memory_text all = {0}, file = {0};
    uint64_t in_file = 0;
    uint32_t files = 0;
    char title[64];
    for (uint32_t r = 0; r <= rows->count; r++) {
        size_t const length = r < rows->count ? rows->lengths[r] : 0;
        bool const full = (rules->max_rows != 0 && in_file == rules->max_rows) ||
                          (rules->max_bytes != 0 && file.length + length > rules->max_bytes);
        if (in_file > 0 && (full || r == rows->count)) {
            snprintf(title, sizeof title, "[f%u %llu]\n", files, (unsigned long long)in_file);
            memory_print(&all, title);
            memory_append(&all, file.bytes, file.length);
            file.length = 0;
            in_file = 0;
        }
        if (r == rows->count) break;
        if (in_file == 0) {
            files++;
            if (rules->header == CSV_HEADER_EVERY || (rules->header == CSV_HEADER_FIRST && files == 1))
                memory_append(&file, rules->header_line.bytes, rules->header_line.length);
        }
        row_text(&file, r, length);
        in_file++;
    }
    memory_append(&all, "", 1);
    memory_text_free(&file);
    return all;
}

static void rows_tally(struct chunk *chunk, uint32_t rows)
{
    chunk->last = true;
    chunk->tally = (struct tally){.input = rows, .delivered = rows, .rows = rows, .lines = rows};
}

/* Rows to chunks of `capacity`, as a worker fills them; a longer row goes through several. `every`: a chunk
 * takes at most so many rows, and ends its shard. */
static void rows_to_chunks(struct stage *stage, const struct rows *rows, size_t capacity, uint32_t every)
{
    struct memory_text text = {0};
    struct chunk *chunk = chunk_add(stage, capacity, CHUNK_ROWS, 0);
    uint32_t in_shard = 0;
    for (uint32_t r = 0; r < rows->count; r++) {
        size_t const length = rows->lengths[r];
        bool const giant = length > capacity;
        if (chunk->rows >= every || chunk->rows == chunk->rows_max) {
            rows_tally(chunk, in_shard);
            in_shard = 0;
            chunk = chunk_add(stage, capacity, CHUNK_ROWS, 0);
        } else if (giant ? chunk->length == capacity : capacity - chunk->length < length) {
            chunk = chunk_add(stage, capacity, CHUNK_ROWS, 0);
        }
        text.length = 0;
        row_text(&text, r, length);
        if (giant) chunk->open_row = length;
        for (size_t at = 0; at < length;) {
            if (chunk->length == capacity) chunk = chunk_add(stage, capacity, CHUNK_ROWS, 0);
            size_t const room = capacity - chunk->length;
            size_t const piece = length - at < room ? length - at : room;
            memcpy(chunk->bytes + chunk->length, text.bytes + at, piece);
            chunk->length += (uint32_t)piece;
            at += piece;
        }
        chunk->row_ends[chunk->rows++] = chunk->length;
        in_shard++;
        if (giant && chunk->open_row != 0) fail_msg("a giant row fits into its first chunk");
    }
    rows_tally(chunk, in_shard);
    memory_text_free(&text);
}

static void check_cut(const struct rows *rows, struct stage *stage)
{
    struct memory_text wanted = expect(&stage->rules, rows);
    assert_int_equal(stage_run(stage), STATUS_OK);
    struct memory_text got = memory_sink_text(&stage->sink);
    assert_string_equal((char *)got.bytes, (char *)wanted.bytes);
    assert_int_equal(stage->assemble.tally.rows, rows->count);
    for (uint32_t f = 0; f < stage->sink.file_count; f++) {
        assert_false(stage->sink.files[f].open);
        assert_string_equal(stage->sink.files[f].name, stage->assemble.files[f].name);
        assert_int_equal(stage->sink.files[f].rows, stage->assemble.files[f].rows);
        assert_int_equal(stage->sink.files[f].text.length, stage->assemble.files[f].bytes);
    }
    assert_int_equal(stage->sink.file_count, stage->assemble.file_count);
    memory_text_free(&wanted);
    memory_text_free(&got);
}

/* ---- cuts ---- */

static void cuts_rows_everywhere(void **state)
{
    (void)state;
    struct rows rows = {.count = 24};
    for (uint32_t r = 0; r < rows.count; r++)
        rows.lengths[r] = 2 + r % 5;
    for (uint64_t max_rows = 0; max_rows <= 25; max_rows++)
        for (uint32_t every = 1; every <= 24; every += 1 + every / 4)
            for (int header = CSV_HEADER_EVERY; header <= CSV_HEADER_NONE; header++) {
                struct stage *stage = stage_create(HEADER);
                stage->rules.max_rows = max_rows;
                stage->rules.header = (enum csv_header)header;
                rows_to_chunks(stage, &rows, 512, every);
                check_cut(&rows, stage);
                stage_destroy(stage);
            }
}

static void cuts_bytes_everywhere(void **state)
{
    (void)state;
    struct rows rows = {.count = 20};
    for (uint32_t r = 0; r < rows.count; r++)
        rows.lengths[r] = 1 + (r * 5) % 9;
    for (uint64_t max_bytes = 1; max_bytes <= 120; max_bytes++)
        for (uint32_t every = 1; every <= 20; every += 1 + every / 2)
            for (int header = CSV_HEADER_EVERY; header <= CSV_HEADER_NONE; header++) {
                struct stage *stage = stage_create(HEADER);
                stage->rules.max_bytes = max_bytes;
                stage->rules.header = (enum csv_header)header;
                rows_to_chunks(stage, &rows, 512, every);
                check_cut(&rows, stage);
                stage_destroy(stage);
            }
}

/* A file may be exactly max_bytes long, its header included; one byte less makes a cut. */
static void counts_the_header(void **state)
{
    (void)state;
    struct rows const rows = {.count = 3, .lengths = {10, 10, 10}};
    for (uint64_t less = 0; less < 2; less++) {
        struct stage *stage = stage_create(HEADER);
        stage->rules.max_bytes = strlen(HEADER) + 20 - less;
        rows_to_chunks(stage, &rows, 512, 99);
        assert_int_equal(stage_run(stage), STATUS_OK);
        assert_int_equal(stage->sink.file_count, less == 0 ? 2 : 3);
        assert_int_equal(stage->log.large_rows, 0);
        stage_destroy(stage);
    }
}

static void warns_of_large_rows_only(void **state)
{
    (void)state;
    struct rows const rows = {.count = 5, .lengths = {4, 21, 4, 20, 300}};
    for (size_t capacity = 64; capacity <= 512; capacity *= 8) {
        struct stage *stage = stage_create("");
        stage->rules.header = CSV_HEADER_NONE;
        stage->rules.max_bytes = 20;
        rows_to_chunks(stage, &rows, capacity, 99);
        check_cut(&rows, stage);
        assert_int_equal(stage->sink.file_count, 5);
        assert_int_equal(stage->log.large_rows, 2); /* 21 and 300 bytes */
        assert_int_equal(stage->log.large_bytes, 300);
        stage_destroy(stage);
    }
}

static uint32_t random_next(uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    return *random >> 8;
}

/* Everything at once: rows of 1 byte to many chunks, both limits, pieces that come home late. */
static void cuts_random_rows(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 600; seed++) {
        uint32_t random = seed;
        struct rows rows = {.count = random_next(&random) % 80};
        size_t const capacity = 32 + random_next(&random) % 200;
        for (uint32_t r = 0; r < rows.count; r++)
            rows.lengths[r] = random_next(&random) % 12 == 0 ? 1 + random_next(&random) % (6 * capacity)
                                                             : 1 + random_next(&random) % 40;
        struct stage *stage = stage_create(HEADER);
        if (random_next(&random) % 2 == 0) stage->rules.max_rows = 1 + random_next(&random) % 12;
        if (random_next(&random) % 2 == 0) stage->rules.max_bytes = 1 + random_next(&random) % 400;
        stage->rules.header = (enum csv_header)(random_next(&random) % 3);
        stage->sink.hold = random_next(&random) % 3 * 7;
        stage->sink.random = random_next(&random) % 2 == 0 ? 0 : seed;
        rows_to_chunks(stage, &rows, capacity, 1 + random_next(&random) % 40);
        check_cut(&rows, stage);
        stage_destroy(stage);
    }
}

static void writes_no_file_without_rows(void **state)
{
    (void)state;
    struct stage *stage = stage_create(HEADER);
    assert_int_equal(stage_run(stage), STATUS_OK); /* not one shard */
    assert_int_equal(stage->sink.file_count, 0);
    stage_destroy(stage);
    stage = stage_create(HEADER);
    struct chunk *chunk = chunk_add(stage, 64, CHUNK_ROWS, 0);
    chunk->last = true;
    chunk->tally = (struct tally){.input = 3, .skipped[SKIP_REQUIRED] = 3};
    assert_int_equal(stage_run(stage), STATUS_OK);
    assert_int_equal(stage->sink.file_count, 0);
    assert_int_equal(stage->assemble.tally.input, 3);
    stage_destroy(stage);
}

/* ---- sums ---- */

static void checks_the_sums(void **state)
{
    (void)state;
    for (int lie = 0; lie < 4; lie++) {
        struct rows const rows = {.count = 3, .lengths = {4, 4, 4}};
        struct stage *stage = stage_create(HEADER);
        rows_to_chunks(stage, &rows, 64, 99);
        struct tally *tally = &stage->chunks[0]->tally;
        if (lie == 1) tally->input++;
        if (lie == 2) tally->rows++;
        if (lie == 3) tally->rows--;
        assert_int_equal(stage_run(stage), lie == 0 ? STATUS_OK : STATUS_INTERNAL);
        if (lie != 0) assert_non_null(strstr(stage->fault.message, "report"));
        stage_destroy(stage);
    }
}

static void checks_that_rows_end(void **state)
{
    (void)state;
    struct stage *stage = stage_create(HEADER);
    struct chunk *chunk = chunk_add(stage, 64, CHUNK_ROWS, 0);
    memset(chunk->bytes, 'x', 64);
    chunk->length = 64;
    chunk->open_row = 100; /* its rest never comes */
    rows_tally(chunk, 0);
    assert_int_equal(stage_run(stage), STATUS_INTERNAL);
    stage_destroy(stage);
}

/* ---- rejects ---- */

static const uint8_t raw_bytes[16] = "{\"broken record";

/* A reject in the chunk; its shard so far: `tally`. */
static void reject_add(struct chunk *chunk, const struct tally *tally, uint64_t offset, uint32_t raw)
{
    struct chunk_reject const entry = {
        .tally = *tally, .offset = offset, .length = offset + 100, .code = DEFECT_SYNTAX, .raw_length = raw};
    memcpy(chunk->bytes + chunk->length, &entry, sizeof entry);
    memcpy(chunk->bytes + chunk->length + sizeof entry, raw_bytes, raw);
    chunk->length += (uint32_t)chunk_reject_bytes(raw);
    chunk->rows++;
}

/* A shard of `records`, of which each `every`th fails (line = number in the shard), in reject chunks of two.
 */
static void reject_shard(struct stage *stage, size_t source, uint64_t records, uint64_t every)
{
    struct tally tally = {0};
    struct chunk *rejects = NULL;
    for (uint64_t r = 1; r <= records; r++) {
        tally.input++;
        if (r % every != 0) {
            tally.skipped[SKIP_REQUIRED]++;
        } else {
            tally.failed[DEFECT_SYNTAX]++;
            if (rejects == NULL || rejects->rows == 2)
                rejects = chunk_add(stage, 2 * chunk_reject_bytes(16), CHUNK_REJECTS, source);
            reject_add(rejects, &tally, r, (uint32_t)(r % 16));
        }
        tally.lines++;
    }
    struct chunk *chunk = chunk_add(stage, 64, CHUNK_ROWS, source);
    chunk->last = true;
    chunk->tally = tally;
}

static void numbers_lines_over_shards_and_sources(void **state)
{
    (void)state;
    struct stage *stage = stage_create(HEADER);
    reject_shard(stage, 0, 5, 2);
    reject_shard(stage, 0, 5, 3);
    reject_shard(stage, 2, 4, 4); /* source 1 holds nothing */
    reject_shard(stage, 2, 4, 1);
    assert_int_equal(stage_run(stage), STATUS_OK);
    memory_append(&stage->log.rejects, "", 1);
    assert_string_equal((char *)stage->log.rejects.bytes, "a.ndjson:2 2+102 syntax  {\"\n"
                                                          "a.ndjson:4 4+104 syntax  {\"br\n"
                                                          "a.ndjson:8 3+103 syntax  {\"b\n"
                                                          "c.ndjson:4 4+104 syntax  {\"br\n"
                                                          "c.ndjson:5 1+101 syntax  {\n"
                                                          "c.ndjson:6 2+102 syntax  {\"\n"
                                                          "c.ndjson:7 3+103 syntax  {\"b\n"
                                                          "c.ndjson:8 4+104 syntax  {\"br\n");
    assert_int_equal(tally_failed(&stage->assemble.tally), 8);
    assert_int_equal(stage->assemble.tally.lines, 18);
    stage_destroy(stage);
}

static void stops_at_the_record_behind_the_budget(void **state)
{
    (void)state;
    for (uint64_t budget = 0; budget <= 9; budget++)
        for (int with_file = 0; with_file < 2; with_file++) {
            struct stage *stage = stage_create(HEADER);
            stage->rules.budget_records = budget;
            stage->rules.budget_text = "the number";
            if (!with_file) stage->rules.reject = NULL;
            reject_shard(stage, 0, 7, 2); /* 3 */
            reject_shard(stage, 0, 3, 1); /* 3 */
            reject_shard(stage, 1, 9, 4); /* 2: 8 in all */
            bool const passed = budget < 8;
            assert_int_equal(stage_run(stage), passed ? STATUS_INPUT : STATUS_OK);
            uint64_t const failed = passed ? budget + 1 : 8;
            assert_int_equal(tally_failed(&stage->assemble.tally), failed);
            assert_int_equal(stage->log.reject_count, with_file ? failed : 0);
            if (passed) {
                char wanted[64];
                snprintf(wanted, sizeof wanted, "%llu %s failed, the budget is the number",
                         (unsigned long long)failed, failed == 1 ? "record" : "records");
                assert_non_null(strstr(stage->fault.message, wanted));
            }
            /* input: all up to and with the record that passed the budget */
            static const uint64_t inputs[] = {2, 4, 6, 8, 9, 10, 14, 18};
            assert_int_equal(stage->assemble.tally.input, passed ? inputs[budget] : 19);
            assert_true(tally_balanced(&stage->assemble.tally));
            stage_destroy(stage);
        }
}

static void judges_a_share_at_the_end(void **state)
{
    (void)state;
    static const struct {
        uint32_t millionths;
        uint64_t records, every;
        enum status status;
    } cases[] = {
        {0, 10, 11, STATUS_OK},         {0, 10, 10, STATUS_INPUT},    {100000, 10, 10, STATUS_OK},
        {99999, 10, 10, STATUS_INPUT},  {333333, 9, 3, STATUS_INPUT}, {333334, 9, 3, STATUS_OK},
        {1000000, 6, 1, STATUS_OK},     {999999, 6, 1, STATUS_INPUT}, {50000, 100, 20, STATUS_OK},
        {50000, 100, 16, STATUS_INPUT}, {1, 0, 1, STATUS_OK},         {0, 0, 1, STATUS_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stage *stage = stage_create(HEADER);
        stage->rules.budget_is_share = true;
        stage->rules.budget_records = 0; /* not looked at */
        stage->rules.budget_millionths = cases[i].millionths;
        stage->rules.budget_text = "P%";
        reject_shard(stage, 0, cases[i].records, cases[i].every);
        assert_int_equal(stage_run(stage), cases[i].status);
        if (cases[i].status != STATUS_OK) assert_non_null(strstr(stage->fault.message, "P%"));
        assert_int_equal(stage->assemble.tally.input, cases[i].records);
        stage_destroy(stage);
    }
}

/* Products beyond 64 bits: 2^62 records, all of which failed. */
static void judges_a_share_of_huge_counts(void **state)
{
    (void)state;
    for (uint32_t millionths = 999999; millionths <= 1000000; millionths++) {
        struct stage *stage = stage_create(HEADER);
        stage->rules.budget_is_share = true;
        stage->rules.budget_millionths = millionths;
        struct chunk *chunk = chunk_add(stage, 64, CHUNK_ROWS, 0);
        chunk->last = true;
        chunk->tally = (struct tally){.input = UINT64_C(1) << 62, .failed[DEFECT_UTF8] = UINT64_C(1) << 62};
        assert_int_equal(stage_run(stage), millionths == 1000000 ? STATUS_OK : STATUS_INPUT);
        stage_destroy(stage);
    }
}

/* ---- failures ---- */

static void fail_everywhere(uint32_t hold, uint32_t random, uint64_t max_rows)
{
    struct rows rows = {.count = 40};
    for (uint32_t r = 0; r < rows.count; r++)
        rows.lengths[r] = r % 13 == 5 ? 200 : 1 + r % 7;
    for (uint64_t k = 1;; k++) {
        struct stage *stage = stage_create(HEADER);
        stage->rules.max_rows = max_rows;
        stage->sink.hold = hold;
        stage->sink.random = random;
        stage->sink.fail_at = k;
        stage->sink.fail_status = STATUS_EXISTS;
        rows_to_chunks(stage, &rows, 96, 5);
        reject_shard(stage, 1, 9, 2);
        enum status const status = stage_run(stage);
        bool const end = stage->sink.calls < k;
        assert_int_equal(status, end ? STATUS_OK : STATUS_EXISTS);
        if (!end) {
            assert_int_equal(stage->sink.calls, k); /* nothing but abort() after a failure */
            assert_non_null(strstr(stage->fault.message, "call"));
        }
        stage_destroy(stage);
        if (end) break;
    }
}

static void survives_a_sink_that_fails_anywhere(void **state)
{
    (void)state;
    fail_everywhere(0, 0, 0);
    fail_everywhere(0, 0, 3);
    fail_everywhere(1, 0, 3);
    fail_everywhere(100, 0, 1);
    fail_everywhere(5, 77, 7);
}

static enum status name_fails(void *context, uint32_t stream, uint32_t part, char *out, size_t size,
                              struct fault *fault)
{
    if (part == 2) return fault_set(fault, STATUS_JOB, "no name for part 2");
    return memory_name(context, stream, part, out, size, fault);
}

static enum status reject_fails(void *context, const struct reject *reject, struct fault *fault)
{
    (void)context;
    if (reject->line == 4) return fault_set(fault, STATUS_IO, "no room for rejects");
    return STATUS_OK;
}

static void passes_on_other_failures(void **state)
{
    (void)state;
    struct rows const rows = {.count = 5, .lengths = {4, 4, 4, 4, 4}};
    struct stage *stage = stage_create(HEADER);
    stage->rules.max_rows = 2;
    stage->rules.name = name_fails;
    rows_to_chunks(stage, &rows, 64, 99);
    assert_int_equal(stage_run(stage), STATUS_JOB);
    assert_int_equal(stage->assemble.file_count, 1);
    stage_destroy(stage);
    stage = stage_create(HEADER);
    stage->rules.reject = reject_fails;
    reject_shard(stage, 0, 5, 2);
    assert_int_equal(stage_run(stage), STATUS_IO);
    assert_string_equal(stage->fault.message, "no room for rejects");
    stage_destroy(stage);
}

/* ---- chunks ---- */

static void makes_and_resets_chunks(void **state)
{
    (void)state;
    static const size_t capacities[] = {16, 100, CHUNK_BYTES_MIN, CHUNK_BYTES_MAX};
    for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++) {
        struct chunk *chunk = memory_must(chunk_create(capacities[i], (uint32_t)i));
        assert_int_equal(chunk->capacity, capacities[i]);
        assert_true(chunk->rows_max >= 1);
        memset(chunk->bytes, 1, capacities[i] + LIMIT_PADDING);
        memset(chunk->row_ends, 1, chunk->rows_max * sizeof *chunk->row_ends);
        assert_true(chunk_memory(capacities[i], (uint32_t)i) >=
                    sizeof *chunk + capacities[i] + LIMIT_PADDING +
                        chunk->rows_max * sizeof *chunk->row_ends);
        chunk->length = chunk->rows = chunk->pieces = 5;
        chunk->open_row = 9;
        chunk->last = true;
        chunk_reset(chunk, CHUNK_REJECTS, 12);
        assert_int_equal(chunk->kind, CHUNK_REJECTS);
        assert_int_equal(chunk->shard, 12);
        assert_int_equal(chunk->length + chunk->rows + chunk->pieces, 0);
        assert_int_equal(chunk->open_row, 0);
        assert_false(chunk->last);
        chunk_destroy(chunk);
    }
    chunk_destroy(NULL);
    assert_true(chunk_reject_bytes(LIMIT_REJECT_RAW) <= CHUNK_BYTES_MIN);
    for (size_t raw = 0; raw < 40; raw++) {
        assert_int_equal(chunk_reject_bytes(raw) % 8, 0);
        assert_in_range(chunk_reject_bytes(raw) - sizeof(struct chunk_reject), raw, raw + 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_rows_everywhere),
        cmocka_unit_test(cuts_bytes_everywhere),
        cmocka_unit_test(counts_the_header),
        cmocka_unit_test(warns_of_large_rows_only),
        cmocka_unit_test(cuts_random_rows),
        cmocka_unit_test(writes_no_file_without_rows),
        cmocka_unit_test(checks_the_sums),
        cmocka_unit_test(checks_that_rows_end),
        cmocka_unit_test(numbers_lines_over_shards_and_sources),
        cmocka_unit_test(stops_at_the_record_behind_the_budget),
        cmocka_unit_test(judges_a_share_at_the_end),
        cmocka_unit_test(judges_a_share_of_huge_counts),
        cmocka_unit_test(survives_a_sink_that_fails_anywhere),
        cmocka_unit_test(passes_on_other_failures),
        cmocka_unit_test(makes_and_resets_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
