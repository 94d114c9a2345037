/* bench_walk.c - parsing alone: the values of a job's columns are found, nothing is written.
 *
 *   index_walk  stage 1 once a block, index_walk.c for each record: the program's way
 *   on_demand   simdjson On-Demand for each record (--walk on-demand, and the judge of bad records)
 *
 * Verified against each other, which share no code but the parser's first stage: every cell of every record
 * is at the same place. bench/run compares the CSV of both with Python's. Thread: main. */
#include "bench/blocks.h"
#include "bench/harness.h"
#include "bench/tools.h"

static const struct harness_wants wants = {.name = "bench_walk",
                                           .about =
                                               "Times both walks over the records of a dump, without CSV.",
                                           .file = true,
                                           .job = true};

struct count {
    uint64_t records;
    uint64_t bytes; /* of the first slot's values: a walk whose result nobody looks at could be left out */
};

static void count_record(struct count *count, const struct cells *cells)
{
    count->records++;
    count->bytes += cells->slots[0].length;
}

/* ---- the laps ---- */

static struct count index_walk(struct blocks *blocks, struct tools *tools)
{
    struct count count = {0, 0};
    while (blocks_next(blocks)) {
        const uint32_t *token = tools_index(tools, blocks->bytes, blocks->length);
        for (size_t at = 0; at < blocks->length;) {
            size_t const end = blocks_line_end(blocks, at);
            if (*token < end) {
                token = tools_walk(tools, blocks->bytes, end, token);
                count_record(&count, &tools->convert.cells);
            }
            at = end + 1;
        }
    }
    return count;
}

static void walk_alone(struct tools *tools, const uint8_t *bytes, size_t length)
{
    struct cells *cells = &tools->convert.cells;
    cells_begin(cells, bytes);
    if (!record_walk(tools->convert.parser, bytes, length, cells))
        harness_fail("On-Demand refuses a record: benchmarks take clean dumps");
}

static struct count on_demand(struct blocks *blocks, struct tools *tools)
{
    struct count count = {0, 0};
    while (blocks_next(blocks)) {
        for (size_t at = 0; at < blocks->length;) {
            size_t const end = blocks_line_end(blocks, at);
            if (end > at) {
                walk_alone(tools, blocks->bytes + at, end - at);
                count_record(&count, &tools->convert.cells);
            }
            at = end + 1;
        }
    }
    return count;
}

/* ---- the independent result: one walk judges the other ---- */

static bool same_cells(const struct cells *a, const struct cells *b)
{
    bool same = a->item_count == b->item_count && a->duplicate == b->duplicate;
    for (uint32_t s = 0; s < a->plan->slot_count; s++)
        same = same && a->slots[s].at == b->slots[s].at && a->slots[s].length == b->slots[s].length;
    return same;
}

static bool verify(const char *path, struct tools *fast, struct tools *judge, struct count *want)
{
    struct blocks blocks;
    bool same = true;
    blocks_open(&blocks, path, SOURCE_MODE_READ);
    while (blocks_next(&blocks)) {
        const uint32_t *token = tools_index(fast, blocks.bytes, blocks.length);
        for (size_t at = 0; at < blocks.length;) {
            size_t const end = blocks_line_end(&blocks, at);
            if (*token < end) {
                token = tools_walk(fast, blocks.bytes, end, token);
                walk_alone(judge, blocks.bytes + at, end - at);
                same = same && same_cells(&fast->convert.cells, &judge->convert.cells);
                count_record(want, &judge->convert.cells);
            }
            at = end + 1;
        }
    }
    blocks_close(&blocks);
    return same;
}

/* ---- the benchmark ---- */

struct variant {
    const char *name;
    struct count (*lap)(struct blocks *, struct tools *);
};

static const struct variant variants[] = {{"index_walk", index_walk}, {"on_demand", on_demand}};
enum { VARIANTS = sizeof variants / sizeof variants[0], MODES = 2 };

struct measured {
    struct harness_laps laps;
    struct count count;
    bool correct;
    uint64_t bytes;
};

static void measure(struct measured *measured, const struct variant *variant, const char *path,
                    enum source_mode mode, struct tools *tools, struct count *want)
{
    struct blocks blocks;
    struct harness_time const began = harness_begin();
    blocks_open(&blocks, path, mode);
    measured->count = variant->lap(&blocks, tools);
    measured->bytes = blocks.at;
    blocks_close(&blocks);
    harness_lap(&measured->laps, began);
    if (want->records == 0) *want = measured->count;
    measured->correct =
        measured->correct && measured->count.records == want->records && measured->count.bytes == want->bytes;
}

static void print(const struct measured *measured, const struct variant *variant, enum source_mode mode,
                  bool verified)
{
    struct harness_result const result = {.bench = "walk",
                                          .variant = variant->name,
                                          .mode = harness_mode_name(mode),
                                          .unit = "record",
                                          .items = measured->count.records,
                                          .bytes = measured->bytes,
                                          .threads = 1,
                                          .verified = verified,
                                          .correct = measured->correct,
                                          .laps = &measured->laps};
    harness_print(&result);
}

int main(int argc, char **argv)
{
    static struct measured all[VARIANTS][MODES];
    static struct tools tools, judge;
    struct harness_options const options = harness_options(argc, argv, &wants);
    tools_open(&tools, options.job);
    tools_open(&judge, options.job);
    harness_environment(&wants, &options);
    struct count want = {0, 0};
    bool const same = !options.verify || verify(options.file, &tools, &judge, &want);
    enum source_mode const modes[MODES] = {SOURCE_MODE_READ, SOURCE_MODE_MMAP};
    bool const wanted[MODES] = {options.read, options.mmap};
    for (int v = 0; v < VARIANTS; v++)
        for (int m = 0; m < MODES; m++)
            all[v][m].correct = same;
    for (unsigned round = 0; round < options.rounds; round++)
        for (int m = 0; m < MODES; m++)
            for (int v = 0; wanted[m] && v < VARIANTS; v++)
                measure(&all[v][m], &variants[v], options.file, modes[m], &tools, &want);
    for (int m = 0; m < MODES; m++)
        for (int v = 0; wanted[m] && v < VARIANTS; v++)
            print(&all[v][m], &variants[v], modes[m], options.verify);
    tools_close(&judge);
    tools_close(&tools);
    return harness_status();
}
