/* structurals_desk.h - structurals.c and simdjson over the same bytes: for test_structurals.c and
 * fuzz_structurals.c. What goes wrong here aborts. */
#ifndef PENSTOCK_TESTS_UNIT_STRUCTURALS_DESK_H
#define PENSTOCK_TESTS_UNIT_STRUCTURALS_DESK_H

#include "core/base/limits.h"
#include "core/record/record_walk.h"
#include "core/record/structurals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct structurals_desk {
    struct record_parser *parser;
    uint32_t *tokens;
    size_t capacity;
};

static inline void structurals_desk_must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "structurals_desk: %s\n", what);
    abort();
}

/* Before anything else asks for simdjson: of another kernel than the one that structurals.c stands in for. */
static inline void structurals_desk_open(struct structurals_desk *desk, size_t capacity)
{
    char kernel[32];
    structurals_desk_must(setenv("SIMDJSON_FORCE_IMPLEMENTATION", "westmere", 1) == 0, "no memory");
    desk->capacity = capacity;
    desk->parser = record_parser_create_index(capacity, 64);
    desk->tokens = malloc((capacity + 64) / 64 * 64 * sizeof *desk->tokens);
    structurals_desk_must(desk->parser != NULL && desk->tokens != NULL, "no memory");
    record_parser_kernel(kernel, sizeof kernel);
    structurals_desk_must(!structurals_here() || strcmp(kernel, "westmere") == 0, "another kernel");
}

static inline void structurals_desk_close(struct structurals_desk *desk)
{
    record_parser_destroy(desk->parser);
    free(desk->tokens);
}

/* The same verdict and the same tokens. `bytes`: LIMIT_PADDING more behind them, which simdjson may read. */
static inline void structurals_desk_compare(struct structurals_desk *desk, const uint8_t *bytes,
                                            size_t length)
{
    struct record_index index;
    size_t count;
    if (!structurals_here()) return; /* nothing of ours runs on this CPU */
    bool const wanted = record_parser_index(desk->parser, bytes, length, &index);
    bool const found = structurals_find(bytes, length, desk->tokens, &count);
    structurals_desk_must(found == wanted, "another verdict");
    if (!found) return;
    structurals_desk_must(count == index.count, "another number of tokens");
    structurals_desk_must(count == 0 || memcmp(desk->tokens, index.tokens, count * sizeof *index.tokens) == 0,
                          "other tokens");
}

#endif
