/* bench_floor.c - what no converter can be faster than: the same bytes through the same reader, in the same
 * windows and blocks, with as little done to them as can be.
 *
 *   newlines       memchr for line feeds
 *   stage1_record  simdjson's stage 1 for each record alone (the line feeds are looked for on the way)
 *   stage1_block   simdjson's stage 1 once a block, as the program does
 *
 * Verified against a plain loop, byte by byte, that counts lines and structural characters by the rules of
 * JSON. Thread: main. */
#include "bench/blocks.h"
#include "bench/harness.h"
#include "core/flow/pipeline.h"
#include "core/record/json_text.h"
#include "core/record/record_walk.h"

#define DEPTH_MAX 1024u /* of no consequence: stage 1 knows no depth */

static const struct harness_wants wants = {
    .name = "bench_floor",
    .about = "Times a scan for newlines and simdjson's stage 1 over a dump, through the program's reader.",
    .file = true};

struct count {
    uint64_t lines, tokens;
};

/* ---- the laps ---- */

static struct count newlines(struct blocks *blocks, struct record_parser *parser)
{
    struct count count = {0, 0};
    (void)parser;
    while (blocks_next(blocks))
        for (size_t at = 0; at < blocks->length; at = blocks_line_end(blocks, at) + 1)
            count.lines++;
    return count;
}

static uint64_t tokens_of(struct record_parser *parser, const uint8_t *bytes, size_t length)
{
    struct record_index index;
    if (!record_parser_index(parser, bytes, length, &index))
        harness_fail("a record is broken (UTF-8, string): the floor is measured on clean dumps");
    return index.count;
}

static struct count stage1_record(struct blocks *blocks, struct record_parser *parser)
{
    struct count count = {0, 0};
    while (blocks_next(blocks)) {
        for (size_t at = 0; at < blocks->length; count.lines++) {
            size_t const end = blocks_line_end(blocks, at);
            count.tokens += tokens_of(parser, blocks->bytes + at, end - at);
            at = end + 1;
        }
    }
    return count;
}

static struct count stage1_block(struct blocks *blocks, struct record_parser *parser)
{
    struct count count = {0, 0};
    while (blocks_next(blocks))
        count.tokens += tokens_of(parser, blocks->bytes, blocks->length);
    return count;
}

/* ---- the independent result ---- */

struct scalar {
    struct count count;
    bool string, escape, scalar; /* what the byte before was inside of */
};

static void scalar_byte(struct scalar *state, uint8_t byte)
{
    if (state->string) {
        bool const plain = !state->escape;
        state->escape = plain && byte == '\\';
        if (plain && byte == '"') state->string = false;
        return;
    }
    bool const blank = json_is_blank(byte);
    bool const mark = byte == '{' || byte == '}' || byte == '[' || byte == ']' || byte == ':' || byte == ',';
    state->string = byte == '"';
    if (mark || state->string || (!blank && !state->scalar)) state->count.tokens++;
    state->scalar = !blank && !mark && !state->string;
    if (byte == '\n') state->count.lines++;
}

static struct count expected(const char *path)
{
    struct scalar state = {.count = {0, 0}};
    struct blocks blocks;
    uint8_t last = '\n';
    blocks_open(&blocks, path, SOURCE_MODE_READ);
    while (blocks_next(&blocks)) {
        for (size_t i = 0; i < blocks.length; i++)
            scalar_byte(&state, blocks.bytes[i]);
        last = blocks.bytes[blocks.length - 1];
    }
    blocks_close(&blocks);
    state.count.lines += last != '\n';
    return state.count;
}

/* ---- the benchmark ---- */

struct variant {
    const char *name;
    struct count (*lap)(struct blocks *, struct record_parser *);
    bool lines, tokens; /* what a lap counts */
};

static const struct variant variants[] = {
    {"newlines", newlines, true, false},
    {"stage1_record", stage1_record, true, true},
    {"stage1_block", stage1_block, false, true},
};
enum { VARIANTS = sizeof variants / sizeof variants[0], MODES = 2 };

struct measured {
    struct harness_laps laps;
    bool correct;
    uint64_t bytes;
};

static void measure(struct measured *measured, const struct variant *variant, const char *path,
                    enum source_mode mode, struct record_parser *parser, struct count *want)
{
    struct blocks blocks;
    struct harness_time const began = harness_begin();
    blocks_open(&blocks, path, mode); /* opening and mapping are part of reading */
    struct count const got = variant->lap(&blocks, parser);
    measured->bytes = blocks.at;
    blocks_close(&blocks);
    harness_lap(&measured->laps, began);
    /* without --verify the first lap of each kind says what the others must find */
    if (variant->lines && want->lines == 0) want->lines = got.lines;
    if (variant->tokens && want->tokens == 0) want->tokens = got.tokens;
    measured->correct = measured->correct && (!variant->lines || got.lines == want->lines) &&
                        (!variant->tokens || got.tokens == want->tokens);
}

int main(int argc, char **argv)
{
    static struct measured all[VARIANTS][MODES];
    struct harness_options const options = harness_options(argc, argv, &wants);
    struct record_parser *parser = record_parser_create(PIPELINE_BLOCK_MAX, DEPTH_MAX);
    if (parser == NULL) harness_fail("no parser: out of memory, or another simdjson than at compile time");
    harness_environment(&wants, &options);
    struct count want = {0, 0};
    if (options.verify) want = expected(options.file);
    for (int v = 0; v < VARIANTS; v++)
        for (int m = 0; m < MODES; m++)
            all[v][m].correct = true;
    enum source_mode const modes[MODES] = {SOURCE_MODE_READ, SOURCE_MODE_MMAP};
    bool const wanted[MODES] = {options.read, options.mmap};
    for (unsigned round = 0; round < options.rounds; round++)
        for (int m = 0; m < MODES; m++)
            for (int v = 0; wanted[m] && v < VARIANTS; v++)
                measure(&all[v][m], &variants[v], options.file, modes[m], parser, &want);
    for (int m = 0; m < MODES; m++) {
        for (int v = 0; wanted[m] && v < VARIANTS; v++) {
            struct harness_result const result = {.bench = "floor",
                                                  .variant = variants[v].name,
                                                  .mode = harness_mode_name(modes[m]),
                                                  .unit = "record",
                                                  .items = want.lines,
                                                  .bytes = all[v][m].bytes,
                                                  .threads = 1,
                                                  .verified = options.verify,
                                                  .correct = all[v][m].correct,
                                                  .laps = &all[v][m].laps};
            harness_print(&result);
        }
    }
    record_parser_destroy(parser);
    return harness_status();
}
