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

/* A stretch of fields that go the fast way: what is needed of the output and the options, in registers. */
struct csv_run {
    uint8_t *at;
    const uint8_t *last; /* a field may be written whose end is not behind it, and a delimiter */
    uint8_t delimiter;
};

/* The fast way is tried for outputs with this much room behind a field: a delimiter, and what a step writes.
 */
#define CSV_RUN_BEHIND (1 + SCAN_STEP)

/* False: there is less. */
static inline bool csv_run_begin(struct csv_run *run, const struct csv_row *row, const struct csv_out *out)
{
    if ((size_t)(out->end - out->at) < CSV_RUN_BEHIND) return false;
    *run =
        (struct csv_run){.at = out->at, .last = out->end - CSV_RUN_BEHIND, .delimiter = row->field.delimiter};
    return true;
}

/* A string: copied while it is looked through. False: it needs the general way. */
static inline bool csv_run_plain(struct csv_run *run, const uint8_t *text, uint32_t length)
{
    uint8_t *at = run->at;
    if (run->last - at < (int64_t)length) return false;
    uint32_t left = length;
    while (left > SCAN_STEP) {
        if (scan_copy_either(at, text, run->delimiter, '\\') != 0) return false;
        at += SCAN_STEP;
        text += SCAN_STEP;
        left -= SCAN_STEP;
    }
    if ((scan_copy_either(at, text, run->delimiter, '\\') & ((1u << left) - 1)) != 0) return false;
    run->at = at + left;
    return true;
}

/* Is the token 12, 0.5 or the like, of less than SCAN_STEP bytes? Most numbers of profiles are; false says
 * nothing. */
static inline bool csv_run_is_number(const uint8_t *token, uint32_t length)
{
    if (length >= SCAN_STEP) return false;
    uint32_t const others = ~scan_digits(token) & ((1u << length) - 1); /* bit i: byte i is no digit */
    if (others == 0) return length == 1 || (length != 0 && token[0] != '0');
    uint32_t const point = (uint32_t)__builtin_ctz(others);
    return (others & (others - 1)) == 0 && token[point] == '.' && point != 0 && point + 1 != length &&
           (point == 1 || token[0] != '0');
}

static inline bool csv_run_token(struct csv_run *run, const uint8_t *token, uint32_t length)
{
    if (*token == '"') return length > 2 && csv_run_plain(run, token + 1, length - 2);
    if (*token >= '{' || *token == '[' || *token == 'n') return false;
    return (csv_run_is_number(token, length) || json_is_scalar(token, length, NULL)) &&
           csv_run_plain(run, token, length);
}

/* Does the column's path give a value that can go the fast way? Then it is written. */
static inline bool csv_run_column(struct csv_run *run, const struct cells *cells, const struct csv_fast *fast)
{
    if (fast->slot == PLAN_NONE || __builtin_expect(fast->many, 0)) return false;
    const struct cell *const cell = &cells->slots[fast->slot];
    if (cell->at == NULL) return fast->empty && run->at <= run->last;
    return csv_run_token(run, cell->at, cell->length);
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

/* A token that can go the fast way is written. */
static inline bool csv_put_token(const struct csv_row *row, struct csv_out *out, const uint8_t *token,
                                 uint32_t length)
{
    struct csv_run run;
    if (!csv_run_begin(&run, row, out) || !csv_run_token(&run, token, length)) return false;
    out->at = run.at;
    return true;
}

/* The same of a column's value by a path that may select several. */
static inline bool csv_put_many(const struct csv_row *row, const struct cells *cells,
                                const struct csv_fast *fast, struct csv_out *out)
{
    uint32_t length;
    if (fast->slot == PLAN_NONE || !fast->many) return false;
    const uint8_t *token = csv_put_single(row, cells, fast->slot, &length);
    return token != NULL && csv_put_token(row, out, token, length);
}
#endif
