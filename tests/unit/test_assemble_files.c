/* test_assemble_files.c - rows of several streams to their files: cuts, even files, headers, files without
 * rows, rows larger than a chunk: against a distribution that goes row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/assemble.h"
#include "tests/unit/memory_ports.h"

#define HEADER      "Id,A\n"
#define STREAMS_MAX 50u
#define ROWS_MAX    120u
#define FILES_MAX   200u
#define CHUNKS_MAX  2000u

/* ---- a run ---- */

struct row {
    size_t length;
    uint32_t stream, shard;
};

struct scene {
    uint32_t streams;
    struct row rows[ROWS_MAX]; /* shards ascend */
    uint32_t row_count;
    struct chunk *chunks[CHUNKS_MAX];
    uint32_t chunk_count, chunks_home;
    struct memory_sink sink;
    struct memory_log log;
    struct memory_source source;
    struct source *port;
    struct assemble_rules rules;
    struct assemble assemble;
    struct fault fault;
};

static void come_home(void *context, struct chunk *chunk)
{
    struct scene *scene = context;
    scene->chunks_home++;
    memset(chunk->bytes, 0xDB, chunk->capacity);
}

static struct scene *scene_create(uint32_t streams)
{
    struct scene *scene = memory_must(calloc(1, sizeof *scene));
    scene->streams = streams;
    memory_sink_start(&scene->sink);
    memory_source_start(&scene->source, "a.ndjson", "", 0);
    scene->port = &scene->source.port;
    scene->rules = memory_rules(&scene->log, HEADER);
    scene->rules.streams = streams;
    scene->rules.checksum = CHECKSUM_CRC64NVME;
    scene->rules.home = come_home;
    scene->rules.home_context = scene;
    return scene;
}

static void add_row(struct scene *scene, uint32_t stream, uint32_t shard, size_t length)
{
    assert_true(scene->row_count < ROWS_MAX);
    scene->rows[scene->row_count++] = (struct row){.length = length, .stream = stream, .shard = shard};
}

static void row_text(struct memory_text *text, uint32_t number, size_t length)
{
    for (size_t i = 0; i + 1 < length; i++) {
        char const letter = (char)('a' + (number * 7 + i) % 26);
        memory_append(text, &letter, 1);
    }
    memory_append(text, "\n", 1);
}

static void scene_destroy(struct scene *scene)
{
    assemble_free(&scene->assemble);
    memory_sink_free(&scene->sink);
    for (uint32_t i = 0; i < scene->chunk_count; i++)
        chunk_destroy(scene->chunks[i]);
    free(scene);
}

/* ---- chunks, as a worker fills them ---- */

static struct chunk *add_chunk(struct scene *scene, size_t capacity)
{
    assert_true(scene->chunk_count < CHUNKS_MAX);
    struct chunk *chunk = memory_must(chunk_create(capacity, scene->streams));
    chunk_reset(chunk, CHUNK_ROWS, 0);
    scene->chunks[scene->chunk_count++] = chunk;
    return chunk;
}

static void begin_run(const struct scene *scene, struct chunk *chunk, uint32_t stream)
{
    if (scene->streams < 2) return;
    if (chunk->run_count != 0 && chunk->runs[chunk->run_count - 1].stream == stream) return;
    chunk->runs[chunk->run_count++] = (struct chunk_run){.stream = stream};
}

static void end_row(const struct scene *scene, struct chunk *chunk)
{
    chunk->row_ends[chunk->rows++] = chunk->length;
    if (scene->streams > 1) chunk->runs[chunk->run_count - 1].rows++;
}

static void append(struct chunk *chunk, const uint8_t *bytes, size_t length)
{
    memcpy(chunk->bytes + chunk->length, bytes, length);
    chunk->length += (uint32_t)length;
}

/* A row larger than a chunk: pieces that fill chunks, and a last one. */
static void chunk_giant(struct scene *scene, const struct memory_text *text, uint32_t stream, size_t capacity)
{
    for (size_t at = 0; at < text->length;) {
        struct chunk *chunk = add_chunk(scene, capacity);
        size_t const piece = text->length - at < capacity ? text->length - at : capacity;
        begin_run(scene, chunk, stream);
        if (at == 0) chunk->open_row = text->length;
        append(chunk, text->bytes + at, piece);
        at += piece;
        if (at == text->length) end_row(scene, chunk);
    }
}

/* Rows [from, to) stream by stream, which fit a chunk together. */
static void chunk_rows(struct scene *scene, uint32_t from, uint32_t to, size_t capacity)
{
    if (from == to) return;
    struct chunk *chunk = add_chunk(scene, capacity);
    for (uint32_t s = 0; s < scene->streams; s++)
        for (uint32_t r = from; r < to; r++) {
            struct memory_text text = {0};
            if (scene->rows[r].stream != s) continue;
            row_text(&text, r, scene->rows[r].length);
            begin_run(scene, chunk, s);
            append(chunk, text.bytes, text.length);
            end_row(scene, chunk);
            memory_text_free(&text);
        }
}

static void sum_chunks(struct scene *scene)
{
    for (uint32_t c = 0; c < scene->chunk_count; c++) {
        struct chunk *chunk = scene->chunks[c];
        uint32_t row = 0, begin = 0;
        chunk->checksum = checksum_update(CHECKSUM_CRC64NVME, 0, chunk->bytes, chunk->length);
        for (uint32_t i = 0; i < chunk->run_count; i++) {
            row += chunk->runs[i].rows;
            uint32_t const end = i + 1 == chunk->run_count ? chunk->length : chunk->row_ends[row - 1];
            chunk->runs[i].checksum =
                checksum_update(CHECKSUM_CRC64NVME, 0, chunk->bytes + begin, end - begin);
            begin = end;
        }
    }
}

/* All rows, at most `every` in a chunk; a shard's last chunk says so. */
static void make_chunks(struct scene *scene, size_t capacity, uint32_t every)
{
    uint32_t r = 0;
    if (every > chunk_row_room(capacity)) every = (uint32_t)chunk_row_room(capacity);
    while (r < scene->row_count) {
        uint32_t const shard = scene->rows[r].shard;
        uint32_t in_shard = 0;
        while (r < scene->row_count && scene->rows[r].shard == shard) {
            uint32_t const from = r;
            for (size_t length = 0; r < scene->row_count && r - from < every; r++) {
                length += scene->rows[r].length;
                if (scene->rows[r].shard != shard || length > capacity) break;
            }
            chunk_rows(scene, from, r, capacity);
            in_shard += r - from;
            if (r == from) {
                struct memory_text text = {0};
                row_text(&text, r, scene->rows[r].length);
                chunk_giant(scene, &text, scene->rows[r].stream, capacity);
                memory_text_free(&text);
                in_shard++;
                r++;
            }
        }
        struct chunk *last = scene->chunks[scene->chunk_count - 1];
        last->last = true;
        last->tally = (struct tally){.input = in_shard, .delivered = in_shard, .rows = in_shard};
    }
    sum_chunks(scene);
}

static enum status run(struct scene *scene)
{
    assemble_start(&scene->assemble, &scene->rules, &scene->sink.port, &scene->port);
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < scene->chunk_count && status == STATUS_OK; i++) {
        status = assemble_chunk(&scene->assemble, scene->chunks[i], 0, &scene->fault);
        if (status == STATUS_OK) status = scene->sink.port.reap(&scene->sink.port, &scene->fault);
    }
    if (status == STATUS_OK) status = assemble_finish(&scene->assemble, &scene->fault);
    while (status == STATUS_OK && scene->assemble.pieces_out != 0)
        status = scene->sink.port.reap(&scene->sink.port, &scene->fault);
    if (status != STATUS_OK) scene->sink.port.abort(&scene->sink.port);
    if (status == STATUS_OK) assert_int_equal(scene->chunks_home, scene->chunk_count);
    assert_int_equal(scene->sink.wrong, 0);
    return status;
}

/* ---- what must come out ---- */

struct wanted_file {
    struct memory_text text;
    uint64_t rows;
};

struct wanted {
    struct wanted_file files[FILES_MAX]; /* of one stream, by part */
    uint32_t count;
};

static struct wanted_file *wanted_begin(struct wanted *wanted, const struct assemble_rules *rules)
{
    assert_true(wanted->count < FILES_MAX);
    struct wanted_file *file = &wanted->files[wanted->count++];
    if (rules->header == CSV_HEADER_EVERY || (rules->header == CSV_HEADER_FIRST && wanted->count == 1))
        memory_append(&file->text, rules->header_line.bytes, rules->header_line.length);
    return file;
}

static struct wanted_file *wanted_cut(struct wanted *wanted, const struct assemble_rules *rules,
                                      size_t length)
{
    struct wanted_file *file = wanted->count == 0 ? NULL : &wanted->files[wanted->count - 1];
    if (file == NULL) return wanted_begin(wanted, rules);
    bool const full = (rules->max_rows != 0 && file->rows == rules->max_rows) ||
                      (rules->max_bytes != 0 && file->text.length + length > rules->max_bytes);
    return full && file->rows > 0 ? wanted_begin(wanted, rules) : file;
}

static struct wanted_file *wanted_even(struct wanted *wanted, const struct assemble_rules *rules)
{
    if (wanted->count < rules->file_count) return wanted_begin(wanted, rules);
    struct wanted_file *best = &wanted->files[0];
    for (uint32_t i = 1; i < wanted->count; i++)
        if (wanted->files[i].rows < best->rows) best = &wanted->files[i];
    return best;
}

static struct wanted *wanted_of(const struct scene *scene, uint32_t stream)
{
    const struct assemble_rules *rules = &scene->rules;
    struct wanted *wanted = memory_must(calloc(1, sizeof *wanted));
    struct wanted_file *file = NULL;
    uint32_t shard = UINT32_MAX;
    for (uint32_t r = 0; r < scene->row_count; r++) {
        const struct row *row = &scene->rows[r];
        if (row->stream != stream) continue;
        if (rules->file_count == 0)
            file = wanted_cut(wanted, rules, row->length);
        else if (file == NULL || row->shard != shard)
            file = wanted_even(wanted, rules);
        shard = row->shard;
        row_text(&file->text, r, row->length);
        file->rows++;
    }
    if (wanted->count == 0 && rules->empty_header) wanted_begin(wanted, rules);
    return wanted;
}

static void check_file(const struct scene *scene, const struct assemble_file *file,
                       const struct wanted_file *wanted)
{
    char name[ASSEMBLE_NAME_MAX];
    memory_name(NULL, file->stream, file->part, name, sizeof name, NULL);
    assert_string_equal(file->name, name);
    const struct memory_file *stored = &scene->sink.files[file->number];
    assert_string_equal(stored->name, name);
    assert_false(stored->open);
    assert_false(file->is_open);
    assert_int_equal(file->rows, wanted->rows);
    assert_int_equal(stored->rows, wanted->rows);
    assert_int_equal(file->bytes, wanted->text.length);
    assert_int_equal(stored->text.length, wanted->text.length);
    if (file->bytes != 0) assert_memory_equal(stored->text.bytes, wanted->text.bytes, wanted->text.length);
    assert_int_equal(file->checksum_kind, CHECKSUM_CRC64NVME);
    assert_true(file->checksum ==
                checksum_update(CHECKSUM_CRC64NVME, 0, wanted->text.bytes, wanted->text.length));
}

/* All files, by stream and part. */
static void check(struct scene *scene)
{
    assert_int_equal(run(scene), STATUS_OK);
    uint32_t at = 0;
    for (uint32_t s = 0; s < scene->streams; s++) {
        struct wanted *wanted = wanted_of(scene, s);
        for (uint32_t p = 0; p < wanted->count; p++, at++) {
            assert_true(at < scene->assemble.file_count);
            const struct assemble_file *file = &scene->assemble.files[at];
            assert_int_equal(file->stream, s);
            assert_int_equal(file->part, p + 1);
            check_file(scene, file, &wanted->files[p]);
            memory_text_free(&wanted->files[p].text);
        }
        free(wanted);
    }
    assert_int_equal(at, scene->assemble.file_count);
    assert_int_equal(at, scene->sink.file_count);
}

/* ---- tests ---- */

static void cuts_each_stream_by_itself(void **state)
{
    (void)state;
    for (uint64_t max_rows = 0; max_rows <= 8; max_rows++)
        for (uint64_t max_bytes = 0; max_bytes <= 60; max_bytes += 12)
            for (uint32_t every = 1; every <= 30; every += 1 + every / 3)
                for (int header = CSV_HEADER_EVERY; header <= CSV_HEADER_NONE; header++) {
                    struct scene *scene = scene_create(3);
                    scene->rules.max_rows = max_rows;
                    scene->rules.max_bytes = max_bytes;
                    scene->rules.header = (enum csv_header)header;
                    for (uint32_t r = 0; r < 30; r++)
                        add_row(scene, r * 5 % 7 % 3, r / 11, 2 + r % 5);
                    make_chunks(scene, 512, every);
                    check(scene);
                    scene_destroy(scene);
                }
}

static void fills_even_files(void **state)
{
    (void)state;
    for (uint32_t streams = 1; streams <= 3; streams++)
        for (uint32_t files = 1; files <= 7; files++)
            for (uint32_t every = 1; every <= 60; every *= 3) {
                struct scene *scene = scene_create(streams);
                scene->rules.file_count = files;
                scene->rules.header = (enum csv_header)(files % 3);
                for (uint32_t r = 0; r < 60; r++)
                    add_row(scene, r * 11 % 13 % streams, r * r / 200, 2 + r % 5);
                make_chunks(scene, 512, every);
                check(scene);
                assert_true(scene->assemble.file_count <= streams * files);
                scene_destroy(scene);
            }
}

/* The third shard goes to the file with fewer rows; evenness goes to the lower one. */
static void takes_the_file_with_the_fewest_rows(void **state)
{
    (void)state;
    static const uint32_t rows_of_shards[] = {3, 1, 1, 1, 2};
    static const uint64_t wanted[] = {5, 3}; /* 3 and 1, 1, 1; then the lower one of two even ones */
    struct scene *scene = scene_create(1);
    scene->rules.file_count = 2;
    for (uint32_t shard = 0; shard < 5; shard++)
        for (uint32_t i = 0; i < rows_of_shards[shard]; i++)
            add_row(scene, 0, shard, 4);
    make_chunks(scene, 512, 99);
    check(scene);
    for (uint32_t f = 0; f < 2; f++)
        assert_int_equal(scene->assemble.files[f].rows, wanted[f]);
    scene_destroy(scene);
}

static void has_fewer_files_than_asked_for_with_fewer_shards(void **state)
{
    (void)state;
    struct scene *scene = scene_create(2);
    scene->rules.file_count = 5;
    for (uint32_t shard = 0; shard < 3; shard++) {
        add_row(scene, 0, shard, 4);
        if (shard > 0) add_row(scene, 1, shard, 4);
    }
    make_chunks(scene, 512, 99);
    check(scene);
    assert_int_equal(scene->assemble.file_count, 3 + 2);
    scene_destroy(scene);
}

/* A stream without rows: nothing, a header, an empty file. */
static void writes_files_without_rows(void **state)
{
    (void)state;
    for (int empty = 0; empty < 2; empty++)
        for (uint32_t count = 0; count <= 3; count += 3)
            for (uint32_t streams = 1; streams <= 4; streams++)
                for (int header = CSV_HEADER_EVERY; header <= CSV_HEADER_NONE; header++) {
                    struct scene *scene = scene_create(streams);
                    scene->rules.empty_header = empty;
                    scene->rules.file_count = count;
                    scene->rules.header = (enum csv_header)header;
                    if (streams > 2) add_row(scene, 2, 0, 4);
                    make_chunks(scene, 512, 99);
                    check(scene);
                    uint32_t const with_rows = streams > 2 ? 1 : 0;
                    assert_int_equal(scene->assemble.file_count, empty ? streams : with_rows);
                    scene_destroy(scene);
                }
}

static uint32_t random_next(uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    return *random >> 8;
}

static void delivers_random_streams(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 600; seed++) {
        uint32_t random = seed;
        static const uint32_t counts[] = {1, 2, 5, STREAMS_MAX};
        struct scene *scene = scene_create(counts[random_next(&random) % 4]);
        size_t const capacity = 40 + random_next(&random) % 200;
        uint32_t const rows = random_next(&random) % ROWS_MAX;
        for (uint32_t r = 0, shard = 0; r < rows; r++) {
            size_t const length = random_next(&random) % 12 == 0 ? 1 + random_next(&random) % (4 * capacity)
                                                                 : 1 + random_next(&random) % 30;
            if (random_next(&random) % 9 == 0) shard++;
            add_row(scene, random_next(&random) % scene->streams, shard, length);
        }
        if (random_next(&random) % 3 == 0) {
            scene->rules.file_count = 1 + random_next(&random) % 4;
        } else {
            if (random_next(&random) % 2 == 0) scene->rules.max_rows = 1 + random_next(&random) % 12;
            if (random_next(&random) % 2 == 0) scene->rules.max_bytes = 1 + random_next(&random) % 400;
        }
        scene->rules.empty_header = random_next(&random) % 2 == 0;
        scene->rules.header = (enum csv_header)(random_next(&random) % 3);
        scene->sink.hold = random_next(&random) % 3 * 7;
        scene->sink.random = random_next(&random) % 2 == 0 ? 0 : seed;
        make_chunks(scene, capacity, 1 + random_next(&random) % 40);
        check(scene);
        scene_destroy(scene);
    }
}

/* Whatever call fails, also that of a file without rows: nothing but abort() follows. */
static void survives_a_sink_that_fails_anywhere(void **state)
{
    (void)state;
    for (uint64_t k = 1;; k++) {
        struct scene *scene = scene_create(4);
        scene->rules.file_count = 2;
        scene->rules.empty_header = true;
        scene->sink.hold = 3;
        scene->sink.fail_at = k;
        for (uint32_t r = 0; r < 20; r++)
            add_row(scene, r % 3, r / 4, r % 8 == 5 ? 300 : 4);
        make_chunks(scene, 100, 3);
        enum status const status = run(scene);
        bool const end = scene->sink.calls < k;
        assert_int_equal(status, end ? STATUS_OK : STATUS_IO);
        if (!end) assert_int_equal(scene->sink.calls, k);
        scene_destroy(scene);
        if (end) break;
    }
}

/* No file without rows is begun when nothing is delivered. */
static void begins_nothing_after_a_passed_budget(void **state)
{
    (void)state;
    struct scene *scene = scene_create(2);
    scene->rules.empty_header = true;
    scene->rules.budget_is_share = true;
    struct chunk *chunk = add_chunk(scene, 100);
    chunk->last = true;
    chunk->tally = (struct tally){.input = 2, .failed[DEFECT_SYNTAX] = 2};
    assert_int_equal(run(scene), STATUS_INPUT);
    assert_int_equal(scene->sink.file_count, 0);
    scene_destroy(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_each_stream_by_itself),
        cmocka_unit_test(fills_even_files),
        cmocka_unit_test(takes_the_file_with_the_fewest_rows),
        cmocka_unit_test(has_fewer_files_than_asked_for_with_fewer_shards),
        cmocka_unit_test(writes_files_without_rows),
        cmocka_unit_test(delivers_random_streams),
        cmocka_unit_test(survives_a_sink_that_fails_anywhere),
        cmocka_unit_test(begins_nothing_after_a_passed_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
