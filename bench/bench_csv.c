/* bench_csv.c - encoding alone: the cells of some records are found once, their rows are written again and
 * again into a buffer of a chunk's size.
 *
 *   block   the records of one block: bytes and cells in the inner caches, as when the program writes them
 *   sample  the records of 8 MiB: bytes from the outer cache or memory
 *
 * Verified against a plain encoder, byte by byte, for columns that are paths without options (job A).
 * Thread: main. */
#include "bench/blocks.h"
#include "bench/harness.h"
#include "bench/tools.h"
#include "core/base/limits.h"
#include "core/flow/pipeline.h"
#include "core/record/json_text.h"

#include <stdlib.h>
#include <string.h>

#define SAMPLE_BYTES (8u * 1024 * 1024)
/* Rows of one lap, at least: some 10 ms. */
#define LAP_ROWS 200000u

static const struct harness_wants wants = {
    .name = "bench_csv",
    .about = "Times the encoding of rows whose cells are known, for the first records of a dump.",
    .file = true,
    .job = true};

struct sample {
    uint8_t *bytes; /* whole records, LIMIT_PADDING bytes behind them */
    size_t length;
    struct cells *cells; /* one for each record */
    size_t count, room;
};

/* ---- the sample ---- */

static void sample_read(struct sample *sample, const char *path, size_t most)
{
    struct blocks blocks;
    sample->bytes = malloc(most + LIMIT_PADDING);
    if (sample->bytes == NULL) harness_fail("no memory for the sample");
    blocks_open(&blocks, path, SOURCE_MODE_READ);
    while (blocks_next(&blocks) && blocks.length <= most - sample->length) {
        memcpy(sample->bytes + sample->length, blocks.bytes, blocks.length);
        sample->length += blocks.length;
    }
    blocks_close(&blocks);
    if (sample->length == 0) harness_fail("%s: no record in it", path);
}

static void *copy_of(const void *from, size_t bytes)
{
    void *copy = malloc(bytes + 1);
    if (copy == NULL) harness_fail("no memory for the cells");
    return memcpy(copy, from, bytes);
}

/* What csv_row reads of the cells; the walk's own notes stay with the tools. */
static void sample_keep(struct sample *sample, const struct cells *found)
{
    if (sample->count == sample->room) {
        sample->room = 2 * sample->room + 256;
        sample->cells = realloc(sample->cells, sample->room * sizeof *sample->cells);
        if (sample->cells == NULL) harness_fail("no memory for the cells");
    }
    struct cells *cells = &sample->cells[sample->count++];
    *cells = *found;
    cells->slots = copy_of(found->slots, found->plan->slot_count * sizeof *cells->slots);
    cells->items = copy_of(found->items, found->item_count * sizeof *cells->items);
}

/* Records of at most PIPELINE_BLOCK_MAX bytes at a time: what the parser takes. */
static void sample_walk(struct sample *sample, struct tools *tools)
{
    for (size_t begin = 0; begin < sample->length;) {
        const uint8_t *const bytes = sample->bytes + begin;
        size_t length = sample->length - begin;
        if (length > PIPELINE_BLOCK_MAX)
            length = (size_t)((uint8_t *)memrchr(bytes, '\n', PIPELINE_BLOCK_MAX) - bytes) + 1;
        struct blocks const block = {.bytes = bytes, .length = length};
        const uint32_t *token = tools_index(tools, bytes, length);
        for (size_t at = 0; at < length;) {
            size_t const end = blocks_line_end(&block, at);
            if (*token < end) {
                token = tools_walk(tools, bytes, end, token);
                sample_keep(sample, &tools->convert.cells);
            }
            at = end + 1;
        }
        begin += length;
    }
}

static void sample_free(struct sample *sample)
{
    for (size_t i = 0; i < sample->count; i++) {
        free(sample->cells[i].slots);
        free(sample->cells[i].items);
    }
    free(sample->cells);
    free(sample->bytes);
}

/* ---- the independent result ---- */

/* Columns that the plain encoder below knows. */
static bool is_plain(const struct tools *tools)
{
    const struct mapping *mapping = &tools->job.mapping;
    bool plain = mapping->csv.delimiter == ',' && mapping->csv.null_text[0] == '\0' &&
                 mapping->csv.quote == CSV_QUOTE_NECESSARY && mapping->csv.line_end == CSV_LINE_LF &&
                 !mapping->csv.newline_to_space && !mapping->csv.formula_escape;
    if (mapping->identity.column != NULL)
        plain = plain && mapping->identity.path_count == 1 && !tools->plan.identity_paths[0].is_namespace;
    for (size_t c = 0; c < mapping->column_count; c++) {
        const struct column *column = &mapping->columns[c];
        plain = plain && column->path_count == 1 && column->default_text == NULL &&
                column->type == COLUMN_TEXT && column->transform_count == 0;
    }
    return plain;
}

static uint8_t *plain_field(uint8_t *out, const struct cells *cells, uint32_t slot)
{
    static uint8_t text[PIPELINE_BLOCK_MAX];
    const struct cell *cell = &cells->slots[slot];
    /* below identityMap several spellings of a key may each give a value */
    if (cells->plan->slot_many[slot] && cell->last != 0 && cells->items[cell->last - 1].before != 0)
        harness_fail("a column has several values: bench_csv knows one");
    size_t length = cell->at == NULL ? 0 : cell->length;
    if (length == 4 && memcmp(cell->at, "null", 4) == 0) length = 0;
    if (length != 0 && cell->at[0] == '"') {
        struct json_string string;
        if (!json_unescape(cell->at + 1, length - 2, text, &string)) harness_fail("a bad escape");
        length = string.length;
    } else if (length != 0) {
        if (cell->at[0] == '{' || cell->at[0] == '[')
            harness_fail("a column is an object or array: bench_csv knows scalars only");
        memcpy(text, cell->at, length);
    }
    bool quoted = false;
    for (size_t i = 0; i < length; i++)
        quoted = quoted || text[i] == ',' || text[i] == '"' || text[i] == '\n' || text[i] == '\r';
    if (quoted) *out++ = '"';
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"') *out++ = '"';
        *out++ = text[i];
    }
    if (quoted) *out++ = '"';
    return out;
}

static size_t plain_row(const struct tools *tools, const struct cells *cells, uint8_t *out)
{
    const struct plan *plan = &tools->plan;
    uint8_t *at = out;
    if (plan->mapping->identity.column != NULL) {
        at = plain_field(at, cells, plan->identity_paths[0].slot);
        *at++ = ',';
    }
    for (size_t c = 0; c < plan->mapping->column_count; c++) {
        at = plain_field(at, cells, plan->columns[c].slots[0]);
        *at++ = ',';
    }
    at[-1] = '\n';
    return (size_t)(at - out);
}

/* ---- rows ---- */

/* Writes one row behind `out`; ends the program when there is none. */
static void write_row(struct tools *tools, const struct cells *cells, struct csv_out *out)
{
    struct csv_row *const row = &tools->convert.row;
    enum csv_row_result result = csv_row_open(row, cells);
    if (result == ROW_WRITTEN) result = csv_row_write(row, cells, 0, out);
    if (result == ROW_NO_ROOM) {
        out->at = out->begin;
        result = csv_row_write(row, cells, 0, out);
    }
    if (result != ROW_WRITTEN) harness_fail("a record gives no row: benchmarks take dumps that give all");
}

static bool verify(struct tools *tools, const struct sample *sample, struct csv_out *out)
{
    static uint8_t plain[4 * PIPELINE_BLOCK_MAX];
    bool same = true;
    for (size_t i = 0; i < sample->count; i++) {
        out->at = out->begin;
        write_row(tools, &sample->cells[i], out);
        size_t const length = plain_row(tools, &sample->cells[i], plain);
        same = same && length == (size_t)(out->at - out->begin) && memcmp(plain, out->begin, length) == 0;
    }
    return same;
}

static uint64_t lap(struct tools *tools, const struct sample *sample, struct csv_out *out)
{
    uint64_t rows = 0;
    while (rows < LAP_ROWS) {
        for (size_t i = 0; i < sample->count; i++)
            write_row(tools, &sample->cells[i], out);
        rows += sample->count;
    }
    return rows;
}

int main(int argc, char **argv)
{
    enum { VARIANTS = 2 };
    static const char *const names[VARIANTS] = {"block", "sample"};
    static size_t const sizes[VARIANTS] = {PIPELINE_BLOCK_MAX, SAMPLE_BYTES};
    static struct harness_laps laps[VARIANTS];
    static struct sample samples[VARIANTS];
    static struct tools tools;
    static uint8_t room[CHUNK_BYTES_MAX];
    struct csv_out out = {.begin = room, .at = room, .end = room + sizeof room};
    uint64_t rows[VARIANTS] = {0, 0};
    bool correct[VARIANTS] = {true, true};
    struct harness_options const options = harness_options(argc, argv, &wants);
    tools_open(&tools, options.job);
    harness_environment(&wants, &options);
    if (options.verify && !is_plain(&tools))
        harness_fail("%s: has columns that can't be verified here; --no-verify times them", options.job);
    for (int v = 0; v < VARIANTS; v++) {
        sample_read(&samples[v], options.file, sizes[v]);
        sample_walk(&samples[v], &tools);
        if (options.verify) correct[v] = verify(&tools, &samples[v], &out);
    }
    for (unsigned round = 0; round < options.rounds; round++) {
        for (int v = 0; v < VARIANTS; v++) {
            struct harness_time const began = harness_begin();
            rows[v] = lap(&tools, &samples[v], &out);
            harness_lap(&laps[v], began);
        }
    }
    for (int v = 0; v < VARIANTS; v++) {
        struct harness_result const result = {.bench = "csv",
                                              .variant = names[v],
                                              .unit = "record",
                                              .items = rows[v],
                                              .threads = 1,
                                              .verified = options.verify,
                                              .correct = correct[v],
                                              .laps = &laps[v]};
        harness_print(&result);
        sample_free(&samples[v]);
    }
    tools_close(&tools);
    return harness_status();
}
