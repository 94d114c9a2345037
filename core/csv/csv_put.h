/* csv_put.h - a value into the output, as a field: the fast way of plain values, and the general one.
 *
 * Thread rule: the row's. */
#ifndef PENSTOCK_CORE_CSV_CSV_PUT_H
#define PENSTOCK_CORE_CSV_CSV_PUT_H

#include "core/base/scan.h"
#include "core/csv/csv_value.h"
#include "core/record/json_text.h"

/* False: no room. */
bool csv_put_value(struct csv_row *row, struct csv_out *out, struct csv_value *value);

/* Room for `need` bytes, which is at most CSV_OUT_ROOM_MIN when the output has `more`. */
static inline bool csv_put_room(struct csv_out *out, size_t need)
{
    if ((size_t)(out->end - out->at) >= need) return true;
    if (out->more == NULL) return false;
    out->more(out);
    return (size_t)(out->end - out->at) >= need;
}

/* The fast way of a string: copied while it is looked through. False: it needs the general way. */
static inline bool csv_put_plain(const struct csv_row *row, struct csv_out *out, const uint8_t *text,
                                 uint32_t length)
{
    uint8_t *at = out->at;
    if ((size_t)(out->end - at) < (size_t)length + SCAN_STEP) return false;
    uint8_t const delimiter = row->field.delimiter;
    uint32_t left = length;
    while (left > SCAN_STEP) {
        if (scan_copy_either(at, text, delimiter, '\\') != 0) return false;
        at += SCAN_STEP;
        text += SCAN_STEP;
        left -= SCAN_STEP;
    }
    if ((scan_copy_either(at, text, delimiter, '\\') & ((1u << left) - 1)) != 0) return false;
    out->at = at + left;
    return true;
}

/* The token of a slot with one value; NULL: none, or several. */
static inline const uint8_t *csv_put_single(const struct csv_row *row, const struct cells *cells,
                                            uint32_t slot, uint32_t *length)
{
    const struct cell *cell = &cells->slots[slot];
    if (!row->plan->slot_many[slot]) {
        *length = cell->length;
        return cell->at;
    }
    if (cell->last == 0) return NULL;
    const struct cells_item *item = &cells->items[cell->last - 1];
    *length = item->length;
    return item->before == 0 ? cells->record + item->offset : NULL;
}

static inline bool csv_put_token(const struct csv_row *row, struct csv_out *out, const uint8_t *token,
                                 uint32_t length)
{
    if (*token == '"') return length > 2 && csv_put_plain(row, out, token + 1, length - 2);
    return *token < '{' && *token != '[' && *token != 'n' && json_is_scalar(token, length, NULL) &&
           csv_put_plain(row, out, token, length);
}

/* Does the column's path give a value that can go the fast way? Then it is written. */
static inline bool csv_put_fast(const struct csv_row *row, const struct cells *cells,
                                const struct csv_fast *fast, struct csv_out *out)
{
    if (fast->slot == PLAN_NONE) return false;
    const struct cell *const cell = &cells->slots[fast->slot];
    if (__builtin_expect(!fast->many, 1)) {
        if (cell->at == NULL) return fast->empty;
        return csv_put_token(row, out, cell->at, cell->length);
    }
    uint32_t length;
    const uint8_t *token = csv_put_single(row, cells, fast->slot, &length);
    return token != NULL && csv_put_token(row, out, token, length);
}
#endif
