/* inspect_columns.c - see the header. Thread: main. Owns nothing. */
#include "io/cli/inspect_columns.h"

#include "io/cli/inspect_tell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Of 10 records with an id-like path, so many must have another value for it to be an identity. */
#define DISTINCT_IN_10 9u

/* ---- the identity ---- */

static bool is_better_space(const struct census_entry *a, const struct census_entry *b)
{
    if (b == NULL || a->records != b->records) return b == NULL || a->records > b->records;
    if (a->counts[SPACE_PRIMARY] != b->counts[SPACE_PRIMARY])
        return a->counts[SPACE_PRIMARY] > b->counts[SPACE_PRIMARY];
    return a->counts[SPACE_IDS] < b->counts[SPACE_IDS]; /* one for each record */
}

static const struct census_entry *best_space(const struct census *spaces)
{
    const struct census_entry *best = NULL;
    for (uint32_t i = 0; i < spaces->count; i++) {
        const struct census_entry *const entry = &spaces->entries[i];
        bool const is_whole = strlen(entry->name) < CENSUS_NAME_MAX; /* a longer name was cut */
        if (is_whole && is_better_space(entry, best)) best = entry;
    }
    return best;
}

static bool ends_with(const struct catalogue_node *node, const char *end)
{
    size_t const length = strlen(end);
    return node->key_length >= length && strcasecmp(node->key + node->key_length - length, end) == 0;
}

static bool is_id_like(const struct catalogue *catalogue, const struct inspect_column *column)
{
    const struct catalogue_node *const node = column->node;
    if (column->is_list || (!ends_with(node, "id") && !ends_with(node, "key"))) return false;
    if (inspect_reading(node) != NULL || node->types[CATALOGUE_BOOLEAN] != 0) return false;
    uint64_t const records = catalogue_records(node);
    return records * 2 > catalogue->records &&
           hyperloglog_estimate(&node->distinct) * 10 >= records * DISTINCT_IN_10;
}

/* The one that most records have, the first of them. */
static const struct catalogue_node *best_id(const struct catalogue *catalogue,
                                            const struct inspect_columns *columns)
{
    const struct catalogue_node *best = NULL;
    for (size_t i = 0; i < columns->count; i++) {
        const struct catalogue_node *const node = columns->list[i].node;
        if (!is_id_like(catalogue, &columns->list[i])) continue;
        if (best == NULL || catalogue_records(node) > catalogue_records(best)) best = node;
    }
    return best;
}

/* ---- the columns ---- */

static bool is_column(const struct catalogue_node *node)
{
    if (catalogue_scalars(node) == 0) return false;
    for (; node != NULL; node = node->parent)
        if (node->is_map || node->role == ROLE_IDENTITY_LIST) return false;
    return true;
}

static bool is_in_list(const struct catalogue_node *node)
{
    while (node != NULL && !node->is_each)
        node = node->parent;
    return node != NULL;
}

static int by_fill(const void *left, const void *right)
{
    const struct inspect_column *const a = left, *const b = right;
    uint64_t const a_records = catalogue_records(a->node), b_records = catalogue_records(b->node);
    if (a_records != b_records) return a_records < b_records ? 1 : -1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static int by_order(const void *left, const void *right)
{
    const struct inspect_column *const a = left, *const b = right;
    return a->order < b->order ? -1 : a->order > b->order;
}

static void keep_the_fullest(struct inspect_columns *columns, size_t most)
{
    if (columns->count <= most) return;
    qsort(columns->list, columns->count, sizeof *columns->list, by_fill);
    columns->left_out = columns->count - most;
    columns->count = most;
    qsort(columns->list, columns->count, sizeof *columns->list, by_order);
}

static void leave_out(struct inspect_columns *columns, const struct catalogue_node *node)
{
    size_t kept = 0;
    for (size_t i = 0; i < columns->count; i++)
        if (columns->list[i].node != node) columns->list[kept++] = columns->list[i];
    columns->count = kept;
}

/* ---- headers ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char header_character(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') ? c : '_';
}

/* The last name on the way with a key. */
static const struct catalogue_node *named(const struct catalogue_node *node)
{
    while (node->is_each && node->parent->key != NULL)
        node = node->parent;
    return node;
}

/* Names that say nothing without those before them. */
static bool is_generic(const char *name)
{
    static const char *const generic[] = {"address", "code",   "id",   "key",  "label", "name", "number",
                                          "primary", "status", "time", "type", "val",   "value"};
    for (size_t i = 0; i < sizeof generic / sizeof *generic; i++)
        if (strcasecmp(generic[i], name) == 0) return true;
    return false;
}

/* FirstName; NULL: the name gives none. One with a _ is a header of AEP already. */
static char *short_header(struct arena *arena, const struct catalogue_node *node)
{
    const struct catalogue_node *const from = named(node);
    const char *key = from->key == NULL ? "" : from->key;
    if (strncmp(key, "xdm:", 4) == 0) key += 4;
    size_t const length = strlen(key);
    if (!is_letter(key[0]) || length > MAPPING_HEADER_WARN || is_generic(key)) return NULL;
    for (size_t i = 0; i < length; i++)
        if (key[i] == '_' || header_character(key[i]) != key[i]) return NULL;
    char *const header = arena_text(arena, key, length);
    if (header != NULL && header[0] >= 'a') header[0] = (char)(header[0] - 'a' + 'A');
    return header;
}

/* person_name_firstName; Pega's names begin with a letter, so what stands before the first one goes. */
static char *long_header(struct arena *arena, const struct catalogue_node *node)
{
    const struct catalogue_node *parts[CATALOGUE_DEPTH_MAX];
    size_t count = 0, length = 0, at = 0;
    for (; node->parent != NULL; node = node->parent) {
        if (node->is_each) continue;
        parts[count++] = node;
        length += node->key_length + 1u;
    }
    char *const header = arena_alloc(arena, length + 1);
    while (header != NULL && count > 0) {
        const struct catalogue_node *const part = parts[--count];
        for (uint32_t i = 0; i < part->key_length; i++)
            header[at++] = header_character(part->key[i]);
        if (count > 0) header[at++] = '_';
    }
    while (header != NULL && *header != '\0' && !is_letter(*header))
        memmove(header, header + 1, at--);
    return header;
}

static bool is_taken(const struct inspect_columns *columns, size_t before, const char *header)
{
    if (strcasecmp(header, INSPECT_IDENTITY_HEADER) == 0) return true;
    for (size_t i = 0; i < before; i++)
        if (strcasecmp(columns->list[i].header, header) == 0) return true;
    return false;
}

/* The long header of a column, with a number behind it when an earlier one has it. */
static char *free_header(struct arena *arena, const struct inspect_columns *columns, size_t i)
{
    char *const header = long_header(arena, columns->list[i].node);
    if (header == NULL || (header[0] != '\0' && !is_taken(columns, i, header))) return header;
    size_t const room = strlen(header) + 16;
    char *const numbered = arena_alloc(arena, room);
    unsigned number = 1;
    do { /* ends: there are fewer columns than numbers */
        if (numbered != NULL)
            snprintf(numbered, room, "%s_%u", header[0] == '\0' ? "Column" : header, ++number);
    } while (numbered != NULL && is_taken(columns, i, numbered));
    return numbered;
}

static bool make_headers(struct arena *arena, struct inspect_columns *columns)
{
    char **const shorts = arena_array(arena, columns->count, sizeof *shorts);
    for (size_t i = 0; shorts != NULL && i < columns->count; i++)
        shorts[i] = short_header(arena, columns->list[i].node);
    for (size_t i = 0; shorts != NULL && i < columns->count; i++) {
        bool is_alone = shorts[i] != NULL;
        for (size_t other = 0; is_alone && other < columns->count; other++)
            is_alone = other == i || shorts[other] == NULL || strcasecmp(shorts[other], shorts[i]) != 0;
        bool const is_free = is_alone && !is_taken(columns, i, shorts[i]);
        columns->list[i].header = is_free ? shorts[i] : free_header(arena, columns, i);
        if (columns->list[i].header == NULL) return false;
    }
    return !arena_failed(arena);
}

/* ---- the whole ---- */

static bool make_paths(struct arena *arena, struct inspect_columns *columns)
{
    for (size_t i = 0; i < columns->count; i++) {
        struct inspect_column *const column = &columns->list[i];
        size_t const length = catalogue_path(column->node, NULL, 0);
        column->path = arena_alloc(arena, length + 1);
        if (column->path == NULL) return false;
        catalogue_path(column->node, column->path, length + 1);
    }
    return true;
}

bool inspect_columns_choose(struct arena *arena, const struct catalogue *catalogue,
                            struct inspect_columns *columns)
{
    *columns = (struct inspect_columns){.space = best_space(&catalogue->spaces)};
    columns->list = arena_array(arena, CATALOGUE_PATHS_MAX, sizeof *columns->list);
    if (columns->list == NULL) return false;
    for (const struct catalogue_node *node = catalogue_first(catalogue); node != NULL;
         node = catalogue_next(node)) {
        if (!is_column(node) || catalogue_path(node, NULL, 0) > PATH_TEXT_MAX) continue;
        columns->list[columns->count] =
            (struct inspect_column){.node = node, .order = columns->count, .is_list = is_in_list(node)};
        columns->count++;
    }
    if (columns->space == NULL) columns->id = best_id(catalogue, columns);
    if (columns->id != NULL) leave_out(columns, columns->id);
    bool const has_identity = columns->space != NULL || columns->id != NULL;
    keep_the_fullest(columns, MAPPING_COLUMNS_WARN - has_identity);
    return make_paths(arena, columns) && make_headers(arena, columns);
}
