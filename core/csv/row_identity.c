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

struct chain {
    const struct cells *cells;
    uint32_t number;
};

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

/* Does the element that holds `id` have "primary": true? All three chains run backwards in step. */
static bool is_primary(const struct cells_item *id, struct chain *elements, struct chain *primaries)
{
    const struct cells_item *element = chain_back(elements, id->offset + 1);
    if (element == NULL) return false;
    const struct cells_item *primary = chain_back(primaries, element->offset + element->length);
    return primary != NULL && primary->offset >= element->offset && primary->length == 4 &&
           memcmp(elements->cells->record + primary->offset, "true", 4) == 0;
}

/* ---- ids, met last one first: all of them are kept, or the one that is picked ---- */

struct pick {
    struct csv_row *row;
    bool wants_primary;
    bool has_primary;
};

static bool pick_add(struct pick *pick, const struct cells *cells, const struct cells_item *id, bool primary)
{
    struct csv_row *row = pick->row;
    if (row->id_max > 1) {
        if (row->id_count == row->id_max) /* CSV_BYTES_PER_ID says that it can't be */
            return csv_value_fail(row, DEFECT_TOO_LARGE, cells, cells->record + id->offset, NULL);
        row->id_count++;
    } else {
        if (pick->has_primary && !primary) return true;
        pick->has_primary = primary;
        row->id_count = 1;
    }
    row->id_room[row->id_max - row->id_count] = (struct csv_id){.offset = id->offset, .length = id->length};
    return true;
}

static bool pick_of_namespace(struct pick *pick, const struct cells *cells,
                              const struct plan_entries *name_space)
{
    struct chain ids = {cells, cells->slots[name_space->id].last};
    struct chain elements = {cells, cells->slots[name_space->element].last};
    struct chain primaries = {cells, cells->slots[name_space->primary].last};
    for (const struct cells_item *id; (id = chain_item(&ids)) != NULL; ids.number = id->before) {
        if (!is_id(pick->row, cells->record + id->offset, id->length)) continue;
        bool const primary = pick->wants_primary && is_primary(id, &elements, &primaries);
        if (!pick_add(pick, cells, id, primary)) return false;
    }
    return true;
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
    struct chain chain = {cells, cell->last};
    for (const struct cells_item *item; (item = chain_item(&chain)) != NULL; chain.number = item->before) {
        if (!is_id(row, cells->record + item->offset, item->length)) continue;
        *out = (struct csv_id){.offset = item->offset, .length = item->length};
        row->id_count = 1;
    }
}

/* ---- the record's ids ---- */

/* The commonest case: the first path gives one string without escapes. */
static bool find_fast(struct csv_row *row, const struct cells *cells)
{
    uint32_t const slot = row->fast_identity.slot;
    if (slot == PLAN_NONE) return false;
    uint32_t length;
    const uint8_t *const token = csv_put_single(row, cells, slot, &length);
    if (token == NULL || *token != '"' || length <= 2) return false;
    if (scan_has_either(token + 1, length - 2, '\\', '\\')) return false;
    row->id_room[row->id_max - 1] =
        (struct csv_id){.offset = (uint32_t)(token - cells->record), .length = length};
    row->id_count = 1;
    return true;
}

/* Has none of the ids that were found a defect? */
static bool check_ids(struct csv_row *row, const struct cells *cells, const struct path *path)
{
    bool good = true;
    for (uint32_t i = 0; i < row->id_count; i++) {
        struct csv_id const id = row->id_room[row->id_max - row->id_count + i];
        struct csv_value value;
        good = csv_value_of_token(row, cells, cells->record + id.offset, id.length, path, row->buffers[0],
                                  &value) &&
               good;
    }
    return good;
}

static bool find_ids(struct csv_row *row, const struct cells *cells)
{
    const struct identity *identity = &row->plan->mapping->identity;
    /* find_unread() of csv_row.c left it to us */
    uint32_t const unchecked = row->fast_identity.slot;
    if (unchecked != PLAN_NONE && !csv_value_check(row, cells, unchecked)) return false;
    for (size_t p = 0; p < identity->path_count && row->id_count == 0; p++) {
        const struct plan_identity_path *planned = &row->plan->identity_paths[p];
        struct pick pick = {.row = row, .wants_primary = identity->multiple == IDENTITY_PRIMARY};
        if (!planned->is_namespace)
            pick_of_path(row, cells, planned->slot);
        else if (!pick_of_namespace(&pick, cells, &planned->name_space))
            return false;
        if (!check_ids(row, cells, &identity->paths[p])) return false;
    }
    return true;
}

bool row_identity_find(struct csv_row *row, const struct cells *cells)
{
    row->id_count = 0;
    if (!find_fast(row, cells) && !find_ids(row, cells)) return false;
    row->ids = row->id_room + row->id_max - row->id_count;
    return true;
}
