/* catalogue_desk.h - lines into a catalogue, its contents as text, and the judge beside the check. For
 * test_catalogue_walk.c and fuzz_catalogue.c. What goes wrong here is a fault of the test: it aborts. */
#ifndef PENSTOCK_TESTS_UNIT_CATALOGUE_DESK_H
#define PENSTOCK_TESTS_UNIT_CATALOGUE_DESK_H

#include "core/base/limits.h"
#include "core/inspect/catalogue_walk.h"
#include "core/record/record_defect.h"
#include "core/record/record_walk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct catalogue_desk {
    struct catalogue catalogue;
    struct catalogue_walk walk;
    /* the judge: a plan that selects the whole record */
    struct arena arena;
    struct path whole;
    struct column column;
    struct mapping mapping;
    struct plan plan;
    struct cells cells;
    struct index_walk judge;
    struct record_parser *parser;
    uint32_t depth_max;
    size_t record_max;
};

static inline void catalogue_desk_must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "catalogue_desk: %s\n", what);
    abort();
}

static inline void catalogue_desk_limited(struct catalogue_desk *desk, uint32_t depth_max, size_t record_max,
                                          struct catalogue_limits limits)
{
    struct fault fault = {0};
    *desk = (struct catalogue_desk){.depth_max = depth_max, .record_max = record_max};
    desk->whole = (struct path){.text = ""};
    desk->column = (struct column){.name = "record", .paths = &desk->whole, .path_count = 1};
    desk->mapping = (struct mapping){.columns = &desk->column, .column_count = 1};
    desk->mapping.csv = (struct csv_options){.delimiter = ',', .null_text = "", .list_separator = "|"};
    catalogue_desk_must(plan_compile(&desk->arena, &desk->mapping, &desk->plan, &fault) == STATUS_OK, "plan");
    catalogue_desk_must(cells_create(&desk->cells, &desk->plan, record_max) &&
                            index_walk_create(&desk->judge, &desk->plan, depth_max) &&
                            catalogue_create(&desk->catalogue, &limits) &&
                            catalogue_walk_create(&desk->walk, &desk->catalogue, depth_max),
                        "no memory");
    desk->judge.cells = &desk->cells;
    desk->parser = record_parser_create_index(record_max, depth_max);
    catalogue_desk_must(desk->parser != NULL, "no parser");
}

static inline void catalogue_desk_open(struct catalogue_desk *desk, uint32_t depth_max, size_t record_max)
{
    catalogue_desk_limited(desk, depth_max, record_max, CATALOGUE_USUAL);
}

static inline void catalogue_desk_close(struct catalogue_desk *desk)
{
    catalogue_walk_destroy(&desk->walk);
    catalogue_destroy(&desk->catalogue);
    cells_destroy(&desk->cells);
    index_walk_destroy(&desk->judge);
    record_parser_destroy(desk->parser);
    arena_free(&desk->arena);
}

/* A line at `offset` of the first source: was it counted? Both judges must agree. */
static inline bool catalogue_desk_line(struct catalogue_desk *desk, const char *line, size_t length,
                                       uint64_t offset)
{
    struct record_index index;
    uint8_t *const bytes = calloc(1, length + LIMIT_PADDING);
    catalogue_desk_must(bytes != NULL, "no memory");
    memcpy(bytes, line, length);
    uint64_t const before = desk->catalogue.records;
    bool good = record_parser_index(desk->parser, bytes, length, &index) && index.count != 0;
    if (good) {
        struct record_view const view = {
            .bytes = bytes, .token = index.tokens, .end = (uint32_t)length, .offset = offset};
        const uint32_t *const next = catalogue_walk_record(&desk->walk, &view);
        catalogue_desk_must(next == NULL || next == index.tokens + index.count, "not at the record's end");
        good = next != NULL;
    }
    enum defect const defect =
        record_defect(&desk->judge, bytes, (uint32_t)length, record_parser_tokens(desk->parser));
    catalogue_desk_must(good == (defect == DEFECT_NONE), "the check and the judge disagree");
    catalogue_desk_must(desk->catalogue.records == before + good, "a bad record was counted");
    free(bytes);
    return good;
}

/* "path records types longest distinct" of each path of a finished catalogue, on a line each. */
static inline char *catalogue_desk_text(const struct catalogue *catalogue)
{
    static const char letters[] = "snbzoa";
    char *text = NULL;
    size_t size = 0;
    FILE *const out = open_memstream(&text, &size);
    catalogue_desk_must(out != NULL, "no memory");
    for (const struct catalogue_node *node = catalogue_first(catalogue); node != NULL;
         node = catalogue_next(node)) {
        char path[4096];
        catalogue_path(node, path, sizeof path);
        fprintf(out, "%s %s%" PRIu64 " ", path, node->loose ? "<" : "", catalogue_records(node));
        for (unsigned t = 0; t < CATALOGUE_TYPES; t++)
            if (node->types[t] != 0) fprintf(out, "%c%" PRIu64, letters[t], node->types[t]);
        if (catalogue_scalars(node) != 0)
            fprintf(out, " %" PRIu64 " ~%" PRIu64, node->longest, hyperloglog_estimate(&node->distinct));
        fputc('\n', out);
    }
    fclose(out);
    return text;
}

#endif
