/* row_identity.c - see the header. Thread: the row's. Owns nothing. */
#include "core/csv/row_identity.h"

#include "core/base/scan.h"
#include "core/csv/csv_put.h"

#include <string.h>

static inline bool is_null_token(const uint8_t *at, uint32_t length)
{
    return length == 4 && memcmp(at, "null", 4) == 0;
}

/* The same of a string as written: only \u0000 escapes stand in it. */
static bool is_empty_string(const struct csv_row *row, const uint8_t *raw, uint32_t length)
{
    if (length == 0) return true;
    if (!row->field.null_drop || length % 6 != 0) return false;
    for (uint32_t i = 0; i < length; i += 6)
        if (memcmp(raw + i, "\\u0000", 6) != 0) return false;
    return true;
}

/* Can this token be an id? Null, empty strings and containers can't. */
static bool is_id(const struct csv_row *row, const uint8_t *at, uint32_t length)
{
    if (*at == '"') return !is_empty_string(row, at + 1, length - 2);
    return *at != '{' && *at != '[' && !is_null_token(at, length);
}

/* ---- lists of entries: chains of places that run backwards in step ---- */

struct chain {
    const struct cells *cells;
    uint32_t number;
};

static struct chain chain_of(const struct cells *cells, uint32_t slot)
{
    return (struct chain){.cells = cells, .number = cells->slots[slot].last};
}

static const struct cells_item *chain_item(const struct chain *chain)
{
    return chain->number == 0 ? NULL : &chain->cells->items[chain->number - 1];
}

/* Moves back to the last item that begins before `end`. */
static const struct cells_item *chain_back(struct chain *chain, uint32_t end)
{
    const struct cells_item *item = chain_item(chain);
    while (item != NULL && item->offset >= end) {
        chain->number = item->before;
        item = chain_item(chain);
    }
    return item;
}

struct entries {
    struct chain ids, elements, primaries, codes; /* codes: only those of `identities` */
};

/* What the element that holds `id` has of another chain; NULL: nothing. */
static const struct cells_item *of_element(struct entries *entries, const struct cells_item *id,
                                           struct chain *chain)
{
    const struct cells_item *element = chain_back(&entries->elements, id->offset + 1);
    if (element == NULL) return NULL;
    const struct cells_item *item = chain_back(chain, element->offset + element->length);
    return item != NULL && item->offset >= element->offset ? item : NULL;
}

/* Does the element that holds `id` have "primary": true? */
static bool is_primary(struct entries *entries, const struct cells_item *id)
{
    const struct cells_item *primary = of_element(entries, id, &entries->primaries);
    return primary != NULL && primary->length == 4 &&
           memcmp(entries->ids.cells->record + primary->offset, "true", 4) == 0;
}

/* ---- ids, met last one first: all of them are kept, or the one that is picked ---- */

struct pick {
    struct csv_row *row;
    const struct cells *cells;
    const struct path *path;
    bool wants_primary;
    bool has_primary;
};

static bool pick_add(struct pick *pick, const struct cells_item *id, bool primary)
{
    struct csv_row *row = pick->row;
    if (row->id_max > 1) {
        if (row->id_count == row->id_max) /* CSV_BYTES_PER_ID says that it can't be */
            return csv_value_fail(row, DEFECT_TOO_LARGE, pick->cells, pick->cells->record + id->offset,
                                  pick->path);
        row->id_count++;
    } else {
        if (pick->has_primary && !primary) return true;
        pick->has_primary = primary;
        row->id_count = 1;
    }
    row->id_room[row->id_max - row->id_count] = (struct csv_id){.offset = id->offset, .length = id->length};
    return true;
}

/* Are `length` bytes the path's namespace, without regard to ASCII case? */
static bool is_namespace(const struct path *path, const uint8_t *text, size_t length)
{
    const struct path_part *part = &path->parts[1];
    if (part->name_length != length) return false;
    for (size_t i = 0; i < length; i++) {
        uint8_t const a = text[i], b = (uint8_t)part->name[i];
        bool const letter = (a | 0x20) >= 'a' && (a | 0x20) <= 'z';
        if (a != b && !(letter && (a | 0x20) == (b | 0x20))) return false;
    }
    return true;
}

/* *holds: the element of `identities` that holds `id` is of the namespace. False: a defect. */
static bool judge_code(struct pick *pick, struct entries *entries, const struct cells_item *id, bool *holds)
{
    const struct cells_item *code = of_element(entries, id, &entries->codes);
    struct csv_value value;
    *holds = false;
    if (code == NULL || pick->cells->record[code->offset] != '"') return true;
    if (!csv_value_of_token(pick->row, pick->cells, pick->cells->record + code->offset, code->length,
                            pick->path, pick->row->buffers[0], &value))
        return false;
    *holds = is_namespace(pick->path, value.bytes, value.length);
    return true;
}

/* The ids of a list; code: PLAN_NONE, or the slot of the codes that say whose an id is. */
static bool pick_of_entries(struct pick *pick, const struct plan_entries *slots, uint32_t code)
{
    const struct cells *cells = pick->cells;
    struct entries entries = {.ids = chain_of(cells, slots->id),
                              .elements = chain_of(cells, slots->element),
                              .primaries = chain_of(cells, slots->primary)};
    if (code != PLAN_NONE) entries.codes = chain_of(cells, code);
    bool good = true;
    for (const struct cells_item *id; (id = chain_item(&entries.ids)) != NULL;
         entries.ids.number = id->before) {
        bool holds = true;
        if (!is_id(pick->row, cells->record + id->offset, id->length)) continue;
        if (code != PLAN_NONE) good = judge_code(pick, &entries, id, &holds) && good;
        if (!holds) continue;
        good = pick_add(pick, id, pick->wants_primary && is_primary(&entries, id)) && good;
    }
    return good;
}

/* A namespace is an array. Null is nothing. */
static bool check_types(const struct pick *pick, uint32_t slot)
{
    bool good = true;
    struct chain lists = chain_of(pick->cells, slot);
    for (const struct cells_item *list; (list = chain_item(&lists)) != NULL; lists.number = list->before) {
        const uint8_t *const at = pick->cells->record + list->offset;
        if (*at == '[' || is_null_token(at, list->length)) continue;
        good = csv_value_fail(pick->row, DEFECT_MISSING_IDENTITY, pick->cells, at, pick->path);
    }
    return good;
}

/* The ids of a namespace, last one first: those of the record's `identities` (when that is an array), then
 * those of the map. */
static bool pick_of_namespace(struct pick *pick, const struct plan_identity_path *planned)
{
    const struct cell *list = &pick->cells->slots[planned->identities.list];
    bool good = check_types(pick, planned->name_space.list);
    if (list->at != NULL && *list->at == '[')
        good = pick_of_entries(pick, &planned->identities, planned->code) && good;
    return pick_of_entries(pick, &planned->name_space, PLAN_NONE) && good;
}

/* The first id among the values of a plain path: ids are not joined. */
static void pick_of_path(struct csv_row *row, const struct cells *cells, uint32_t slot)
{
    const struct cell *cell = &cells->slots[slot];
    struct csv_id *const out = &row->id_room[row->id_max - 1];
    if (!row->plan->slot_many[slot]) {
        if (cell->at == NULL || !is_id(row, cell->at, cell->length)) return;
        *out = (struct csv_id){.offset = (uint32_t)(cell->at - cells->record), .length = cell->length};
        row->id_count = 1;
        return;
    }
    struct chain chain = chain_of(cells, slot);
    for (const struct cells_item *item; (item = chain_item(&chain)) != NULL; chain.number = item->before) {
        if (!is_id(row, cells->record + item->offset, item->length)) continue;
        *out = (struct csv_id){.offset = item->offset, .length = item->length};
        row->id_count = 1;
    }
}

/* ---- the record's ids ---- */

/* Is the namespace one array, and `identities` without an id? */
static bool is_plain_namespace(const struct cells *cells, const struct plan_identity_path *planned)
{
    struct chain const lists = chain_of(cells, planned->name_space.list);
    const struct cells_item *list = chain_item(&lists);
    return list != NULL && list->before == 0 && cells->record[list->offset] == '[' &&
           cells->slots[planned->identities.id].last == 0;
}

/* The key of an id is that of its text as it is written: rows that show one id are of one person. A string
 * without escapes holds neither NULs nor newlines, but may begin like a formula. */
static struct key_digest key_of(struct csv_row *row, struct csv_value *value)
{
    bool const may_change = value->is_text && (value->buffer >= 0 || row->field.formula_escape);
    if (may_change && csv_field_changes(&row->field, value->bytes, value->length)) {
        uint32_t ignored[CHANGE_COUNT] = {0}; /* counted when the row is written */
        uint8_t *const out = csv_value_other_buffer(row, value);
        value->length = csv_field_change(&row->field, value->bytes, value->length, out, ignored);
        value->bytes = out;
    }
    return key_digest_of(value->bytes, value->length);
}

/* The commonest case: the first path gives one string without escapes. */
static bool find_fast(struct csv_row *row, const struct cells *cells)
{
    uint32_t const slot = row->fast_identity.slot;
    if (slot == PLAN_NONE) return false;
    const struct plan_identity_path *first = &row->plan->identity_paths[0];
    if (first->is_namespace && !is_plain_namespace(cells, first)) return false;
    uint32_t length;
    const uint8_t *const token = csv_put_single(row, cells, slot, &length);
    if (token == NULL || *token != '"' || length <= 2) return false;
    if (scan_has_either(token + 1, length - 2, '\\', '\\')) return false;
    row->id_room[row->id_max - 1] =
        (struct csv_id){.offset = (uint32_t)(token - cells->record), .length = length};
    row->id_count = 1;
    struct csv_value value = {.bytes = token + 1, .length = length - 2, .is_text = true, .buffer = -1};
    if (row->wants_keys) row->keys[0] = key_of(row, &value);
    return true;
}

/* Has none of the ids that were found a defect? Sets their keys, too. */
static bool check_ids(struct csv_row *row, const struct cells *cells, const struct path *path)
{
    bool good = true;
    for (uint32_t i = 0; i < row->id_count; i++) {
        struct csv_id const id = row->id_room[row->id_max - row->id_count + i];
        struct csv_value value;
        good = csv_value_of_token(row, cells, cells->record + id.offset, id.length, path, row->buffers[0],
                                  &value) &&
               good;
        if (good && row->wants_keys) row->keys[i] = key_of(row, &value);
    }
    return good;
}

/* An id that stands twice in a record has one row, at its first place. */
static void drop_repeats(struct csv_row *row)
{
    struct csv_id *const ids = row->id_room + row->id_max - row->id_count;
    uint32_t size = 2, kept = 0;
    while (size < 2 * row->id_count) /* at most half full: a search ends soon */
        size *= 2;
    memset(row->id_table, 0, size * sizeof *row->id_table);
    for (uint32_t i = 0; i < row->id_count; i++) {
        struct key_digest const key = row->keys[i];
        uint32_t at = (uint32_t)key.low & (size - 1);
        for (; row->id_table[at] != 0; at = (at + 1) & (size - 1)) {
            const struct key_digest *other = &row->keys[row->id_table[at] - 1];
            if (other->low == key.low && other->high == key.high) break;
        }
        if (row->id_table[at] != 0) continue;
        row->id_table[at] = kept + 1;
        row->keys[kept] = key;
        ids[kept++] = ids[i];
    }
    row->ids = ids;
    row->id_count = kept;
}

static bool find_ids(struct csv_row *row, const struct cells *cells)
{
    const struct identity *identity = &row->plan->mapping->identity;
    /* find_unread() of csv_row.c left it to us */
    uint32_t const unchecked = row->fast_identity.slot;
    if (unchecked != PLAN_NONE && !csv_value_check(row, cells, unchecked)) return false;
    for (size_t p = 0; p < identity->path_count && row->id_count == 0; p++) {
        const struct plan_identity_path *planned = &row->plan->identity_paths[p];
        const struct path *path = &identity->paths[p];
        struct pick pick = {.row = row, .cells = cells, .path = path};
        pick.wants_primary = identity->multiple == IDENTITY_PRIMARY;
        bool good = true;
        if (planned->is_namespace)
            good = pick_of_namespace(&pick, planned);
        else
            pick_of_path(row, cells, planned->slot);
        if (!check_ids(row, cells, path) || !good) return false;
    }
    return true;
}

bool row_identity_find(struct csv_row *row, const struct cells *cells)
{
    row->id_count = 0;
    if (!find_fast(row, cells) && !find_ids(row, cells)) return false;
    row->ids = row->id_room + row->id_max - row->id_count;
    if (row->id_count > 1) drop_repeats(row);
    return true;
}
