/* walk_desk.h - both walkers on a desk: a plan from the texts of paths, cells for each walker, and their
 * contents as one line of text to compare. For test_walk.c, test_record_defect.c and fuzz_walk.c. What goes
 * wrong here is a fault of the test: it aborts. */
#ifndef PENSTOCK_TESTS_UNIT_WALK_DESK_H
#define PENSTOCK_TESTS_UNIT_WALK_DESK_H

#include "core/base/limits.h"
#include "core/record/json_container.h"
#include "core/record/json_text.h"
#include "core/record/record_defect.h"
#include "core/record/record_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WALK_DESK_COLUMNS  16
#define WALK_DESK_SEGMENTS 8

/* Mappings with every kind of part, and every mix that a walk treats in its own way. */
struct walk_mapping {
    const char *columns[WALK_DESK_COLUMNS];
    const char *identity[4];
    const char *name_space; /* of the segments */
    const char *segments[WALK_DESK_SEGMENTS];
};

enum walk_mappings {
    WALK_PLAIN,
    WALK_WILDCARD,
    WALK_INDEX,
    WALK_FILTER,
    WALK_FOLD,
    WALK_PREFIX,
    WALK_MIX,
    WALK_KEYS,
    WALK_ROOT,
    WALK_IDENTITIES,
    WALK_SEGMENTS,
    WALK_BESIDE, /* segments and columns below segmentMembership */
    WALK_DEEP,   /* more objects inside each other than the walk takes without a call */
    WALK_MAPPINGS
};

static const struct walk_mapping walk_mappings[WALK_MAPPINGS] = {
    [WALK_PLAIN] = {.columns = {"a", "a.b", "a.b.c", "b", "person.name.firstName"}},
    [WALK_WILDCARD] = {.columns = {"a[*]", "a[*].b", "m[*].x[*]", "b"}},
    [WALK_INDEX] = {.columns = {"a[0]", "a[-1]", "a[1].b", "a[-2].b", "a[0][-1]"}},
    [WALK_FILTER] = {.columns = {"a[?@.k == 'v'].b", "a[?@.k == 1]", "a[?@.k == null].b",
                                 "m[?@['x y'] == true].z"}},
    [WALK_FOLD] = {.columns = {"identityMap.ECID[*].id", "identityMap.crm[0].id", "b"},
                   .identity = {"identityMap.Ecid", "c"}},
    [WALK_PREFIX] = {.columns = {"a", "b.c", "b['xdm:c']", "xdm:d", "e[*].f"}},
    [WALK_MIX] = {.columns = {"a", "a[*]", "a[0]", "a[-1]", "a[?@.k == 'v']", "a.k", "a[*].k"}},
    [WALK_KEYS] = {.columns = {"['']", "['a\\\\b']", "['\u00e9\"']", "exactly16bytes__",
                               "thirty_bytes_of_a_key_to_match", "thirty_one_bytes_of_a_key_match",
                               "['more than 32 bytes: looked up every time']", "identityMap['xdm:ecid'][*]",
                               "identityMap.ecid[*]", "identityMap[*][*].id"}},
    [WALK_ROOT] = {.columns = {"[*]", "[*].k", "[?@.k == 2].l", "[*][*]"}},
    [WALK_IDENTITIES] = {.columns = {"identities[0].id"}, .identity = {"identityMap.CRM", "c"}},
    [WALK_SEGMENTS] = {.columns = {"b"},
                       .name_space = "ups",
                       .segments = {"s.1", "s2", "xdm:s2", "a \"b\"", "identityMap"}},
    [WALK_BESIDE] = {.columns = {"segmentMembership.UPS['s.1'].status", "segmentMembership.ups.s2.x",
                                 "segmentMembership[*].s2.status", "b"},
                     .name_space = "Ups",
                     .segments = {"s.1", "s2"}},
    [WALK_DEEP] = {.columns = {"a.b.a.b.a.b.a.b.a.b.a.b", "a.b.a.b.a.b.a.b.a.c", "a.c", "b"}},
};

struct walk_desk {
    struct arena arena;
    struct column columns[WALK_DESK_COLUMNS];
    struct path paths[WALK_DESK_COLUMNS], identity_paths[WALK_DESK_COLUMNS];
    struct segment segments[WALK_DESK_SEGMENTS];
    struct mapping mapping;
    struct plan plan;
    struct cells fast, slow;
    struct index_walk walk;
    struct record_parser *parser;
    uint32_t *tokens; /* a copy of the index: the parser's own is overwritten by the other walk */
    size_t token_count, record_max;
    uint32_t depth_max;
};

static inline void walk_desk_must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "walk_desk: %s\n", what);
    abort();
}

static inline void walk_desk_path(struct walk_desk *desk, const char *text, struct path *path)
{
    struct fault fault = {0};
    walk_desk_must(path_parse(&desk->arena, text, strlen(text), path, &fault) == STATUS_OK, fault.message);
}

/* Its lists end with NULL. */
static inline void walk_desk_open(struct walk_desk *desk, const struct walk_mapping *from, uint32_t depth_max,
                                  size_t record_max)
{
    const char *const *columns = from->columns, *const *identity = from->identity;
    struct fault fault = {0};
    size_t count = 0;
    *desk = (struct walk_desk){.depth_max = depth_max, .record_max = record_max};
    for (; columns[count] != NULL; count++) {
        walk_desk_must(count < WALK_DESK_COLUMNS, "too many columns");
        walk_desk_path(desk, columns[count], &desk->paths[count]);
        desk->columns[count] =
            (struct column){.name = columns[count], .paths = &desk->paths[count], .path_count = 1};
    }
    desk->mapping = (struct mapping){.columns = desk->columns, .column_count = count};
    desk->mapping.csv = (struct csv_options){.delimiter = ',', .null_text = "", .list_separator = "|"};
    for (; *identity != NULL; identity++)
        walk_desk_path(desk, *identity, &desk->identity_paths[desk->mapping.identity.path_count++]);
    desk->mapping.identity.paths = desk->identity_paths;
    desk->mapping.identity.column = desk->mapping.identity.path_count == 0 ? NULL : "Id";
    desk->mapping.segments = (struct segments){.name_space = from->name_space, .list = desk->segments};
    for (const char *const *id = from->segments; *id != NULL; id++)
        desk->segments[desk->mapping.segments.count++] =
            (struct segment){.id = *id, .id_length = strlen(*id)};
    walk_desk_must(plan_compile(&desk->arena, &desk->mapping, &desk->plan, &fault) == STATUS_OK,
                   fault.message);
    desk->parser = record_parser_create(record_max, depth_max);
    desk->tokens = malloc((record_max + RECORD_INDEX_BEHIND) * sizeof *desk->tokens);
    walk_desk_must(desk->parser != NULL && desk->tokens != NULL &&
                       cells_create(&desk->fast, &desk->plan, record_max) &&
                       cells_create(&desk->slow, &desk->plan, record_max) &&
                       index_walk_create(&desk->walk, &desk->plan, depth_max),
                   "no memory");
    desk->walk.cells = &desk->fast;
}

static inline void walk_desk_close(struct walk_desk *desk)
{
    index_walk_destroy(&desk->walk);
    cells_destroy(&desk->fast);
    cells_destroy(&desk->slow);
    record_parser_destroy(desk->parser);
    free(desk->tokens);
    arena_free(&desk->arena);
}

/* Stage 1 over a block; the tokens are copied. False: it is not clean. */
static inline bool walk_desk_index(struct walk_desk *desk, const uint8_t *bytes, size_t length)
{
    struct record_index index;
    if (!record_parser_index(desk->parser, bytes, length, &index)) return false;
    memcpy(desk->tokens, index.tokens, (index.count + RECORD_INDEX_BEHIND) * sizeof *desk->tokens);
    desk->token_count = index.count;
    return true;
}

/* The fast walk over the record whose first token is `token` and that ends at `end` of the block. */
static inline const uint32_t *walk_desk_fast(struct walk_desk *desk, const uint8_t *block,
                                             const uint32_t *token, size_t end)
{
    desk->walk.bytes = block;
    desk->walk.end = (uint32_t)end;
    cells_begin(&desk->fast, block + *token);
    return index_walk_record(&desk->walk, token);
}

static inline bool walk_desk_slow(struct walk_desk *desk, const uint8_t *record, size_t length)
{
    cells_begin(&desk->slow, record);
    return record_walk(desk->parser, record, length, &desk->slow);
}

static inline enum defect walk_desk_defect(struct walk_desk *desk, const uint8_t *record, size_t length)
{
    return record_defect(&desk->walk, record, (uint32_t)length, record_parser_tokens(desk->parser));
}

/* ---- cells as text ---- */

struct walk_text {
    char *at;
    size_t length, size;
};

static inline void walk_text_put(struct walk_text *text, const void *bytes, size_t length)
{
    while (text->size - text->length <= length) {
        text->size = 2 * text->size + 256;
        text->at = realloc(text->at, text->size);
        walk_desk_must(text->at != NULL, "no memory");
    }
    memcpy(text->at + text->length, bytes, length);
    text->length += length;
    text->at[text->length] = '\0';
}

static inline void walk_text_chain(struct walk_text *text, const struct cells *cells, uint32_t number)
{
    uint32_t count = 0;
    for (uint32_t n = number; n != 0; n = cells->items[n - 1].before)
        count++;
    for (uint32_t left = count; left != 0; left--) { /* first one first */
        uint32_t n = number;
        for (uint32_t back = 0; back + 1 < left; back++)
            n = cells->items[n - 1].before;
        if (left != count) walk_text_put(text, "|", 1);
        walk_text_put(text, cells->record + cells->items[n - 1].offset, cells->items[n - 1].length);
    }
}

static inline void walk_text_slot(struct walk_text *text, const struct cells *cells, uint32_t slot)
{
    const struct cell *cell = &cells->slots[slot];
    if (cell->at == NULL)
        walk_text_put(text, "-", 1);
    else if (cells->plan->slot_many[slot])
        walk_text_chain(text, cells, cell->last);
    else
        walk_text_put(text, cell->at, cell->length);
}

static inline void walk_text_next(struct walk_text *text, const struct cells *cells, uint32_t slot)
{
    if (text->length != 0) walk_text_put(text, " ; ", 3);
    walk_text_slot(text, cells, slot);
}

/* `1 ; "a"|"b" ; -`: the values of each column's path, then those of each identity path (of a namespace: its
 * elements, ids and primary flags, and when the record has `identities` the list, and the elements, ids,
 * codes and primary flags of that), then the statuses of each segment, and a ! when a key came twice. */
static inline void walk_text_cells(struct walk_text *text, const struct cells *cells)
{
    const struct plan *plan = cells->plan;
    text->length = 0;
    walk_text_put(text, "", 0);
    for (size_t c = 0; c < plan->mapping->column_count; c++)
        walk_text_next(text, cells, plan->columns[c].slots[0]);
    for (size_t i = 0; i < plan->mapping->identity.path_count; i++) {
        const struct plan_identity_path *path = &plan->identity_paths[i];
        const struct plan_entries *map = &path->name_space, *list = &path->identities;
        if (!path->is_namespace) {
            walk_text_next(text, cells, path->slot);
            continue;
        }
        uint32_t const slots[] = {map->element,  map->id,  map->primary, map->list,    list->list,
                                  list->element, list->id, path->code,   list->primary};
        size_t const count = cells->slots[list->list].at == NULL ? 3 : sizeof slots / sizeof *slots;
        for (size_t s = 0; s < count; s++)
            walk_text_next(text, cells, slots[s]);
    }
    for (size_t s = 0; s < plan->mapping->segments.count; s++)
        walk_text_next(text, cells, plan->sparse_first + (uint32_t)s);
    if (cells->duplicate) walk_text_put(text, " !", 2);
}

/* Every slot holds the same bytes at the same places; what a filter tested last too. */
static inline bool walk_desk_same(const struct cells *a, const struct cells *b)
{
    if (a->duplicate != b->duplicate || a->overflow != b->overflow) return false;
    if (a->filled_count != b->filled_count ||
        memcmp(a->filled, b->filled, a->filled_count * sizeof *a->filled) != 0)
        return false;
    for (uint32_t slot = 0; slot < a->plan->slot_count; slot++) {
        const struct cell *x = &a->slots[slot], *y = &b->slots[slot];
        if ((x->at == NULL) != (y->at == NULL) || x->length != y->length) return false;
        if (x->at != NULL && x->at - a->record != y->at - b->record) return false;
        uint32_t m = x->last, n = y->last;
        for (; m != 0 && n != 0; m = a->items[m - 1].before, n = b->items[n - 1].before)
            if (a->items[m - 1].offset != b->items[n - 1].offset ||
                a->items[m - 1].length != b->items[n - 1].length)
                return false;
        if (m != n) return false;
    }
    return true;
}

/* Is every value that the plan uses well-formed? */
static inline bool walk_desk_values_good(const struct walk_desk *desk, const struct cells *cells)
{
    const struct plan *plan = cells->plan;
    for (uint32_t slot = 0; slot < plan->slot_count; slot++) {
        const struct cell *cell = &cells->slots[slot];
        if (cell->at == NULL) continue;
        if (!plan->slot_many[slot] && plan_reads(plan, slot, *cell->at) &&
            !json_is_value(cell->at, cell->length, desk->walk.brackets, desk->depth_max))
            return false;
        for (uint32_t n = cell->last; n != 0; n = cells->items[n - 1].before) {
            const uint8_t *const at = cells->record + cells->items[n - 1].offset;
            if (plan_reads(plan, slot, *at) &&
                !json_is_value(at, cells->items[n - 1].length, desk->walk.brackets, desk->depth_max))
                return false;
        }
    }
    return true;
}

#endif
