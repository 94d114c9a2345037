/* row_identity.c - see the header. Thread: the row's. Owns nothing. */
#include "core/csv/row_identity.h"

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

/* The id of a namespace: the first, or the first primary one. NULL: none. */
static const struct cells_item *pick_id(const struct csv_row *row, const struct cells *cells,
                                        const struct plan_namespace *name_space)
{
    struct chain ids = {cells, cells->slots[name_space->id].last};
    struct chain elements = {cells, cells->slots[name_space->element].last};
    struct chain primaries = {cells, cells->slots[name_space->primary].last};
    bool const wants_primary = row->plan->mapping->identity.multiple == IDENTITY_PRIMARY;
    const struct cells_item *first = NULL, *primary = NULL;
    for (const struct cells_item *id; (id = chain_item(&ids)) != NULL; ids.number = id->before) {
        if (!is_id(row, cells->record + id->offset, id->length)) continue;
        first = id;
        if (wants_primary && is_primary(id, &elements, &primaries)) primary = id;
    }
    return primary != NULL ? primary : first;
}

/* The first id among the values of a plain path: ids are not joined. */
static bool first_id(const struct csv_row *row, const struct cells *cells, uint32_t slot, const uint8_t **at,
                     uint32_t *length)
{
    const struct cell *cell = &cells->slots[slot];
    *at = NULL;
    if (!row->plan->slot_many[slot]) {
        if (cell->at == NULL || !is_id(row, cell->at, cell->length)) return false;
        *at = cell->at;
        *length = cell->length;
        return true;
    }
    struct chain chain = {cells, cell->last};
    for (const struct cells_item *item; (item = chain_item(&chain)) != NULL; chain.number = item->before) {
        if (!is_id(row, cells->record + item->offset, item->length)) continue;
        *at = cells->record + item->offset;
        *length = item->length;
    }
    return *at != NULL;
}

bool row_identity_value(struct csv_row *row, const struct cells *cells, struct csv_value *value)
{
    const struct identity *identity = &row->plan->mapping->identity;
    for (size_t p = 0; p < identity->path_count; p++) {
        const struct plan_identity_path *planned = &row->plan->identity_paths[p];
        const uint8_t *at = NULL;
        uint32_t length = 0;
        if (planned->is_namespace) {
            const struct cells_item *id = pick_id(row, cells, &planned->name_space);
            at = id == NULL ? NULL : cells->record + id->offset;
            length = id == NULL ? 0 : id->length;
        } else {
            (void)first_id(row, cells, planned->slot, &at, &length);
        }
        if (at != NULL)
            return csv_value_of_token(row, cells, at, length, &identity->paths[p], row->buffers[0], value);
    }
    *value = (struct csv_value){.is_null = true, .buffer = -1};
    return true;
}
