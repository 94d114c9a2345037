/* csv_row.c - one record's cells to one CSV row. Thread: one struct a thread. Owns its text buffers.
 *
 * The order of what can end a row follows the contract ("Which record goes where"): syntax of the values
 * used, identity, required, columns. A defect found in one stage never hides one of an earlier stage: what an
 * earlier stage has not looked at yet is checked when a record is dropped (check_slots). Within a stage the
 * first in byte order is named. */
#include "core/csv/csv_row.h"

#include "core/base/limits.h"
#include "core/base/scan.h"
#include "core/csv/timestamp.h"
#include "core/csv/transform.h"
#include "core/record/json_text.h"

#include <stdlib.h>
#include <string.h>

/* A value on its way to its field. */
struct value {
    const uint8_t *bytes;
    size_t length;
    bool is_null;
    bool is_text;   /* from a string or a list: formula_escape looks at it */
    bool is_number; /* a JSON number: a time in milliseconds */
    int buffer;     /* index of the row's buffer that holds it, -1: none */
};

/* ---- defects ---- */

/* Keeps the defect that the record is to be named after: syntax belongs to the first stage, the others are
 * taken in byte order. Always false, for `return`. */
static bool fail(struct csv_row *row, enum defect defect, const struct cells *cells, const uint8_t *at,
                 const struct path *path)
{
    uint32_t const offset = (uint32_t)(at - cells->record);
    bool const first = row->defect == DEFECT_NONE;
    bool const stronger = defect == DEFECT_SYNTAX && row->defect != DEFECT_SYNTAX;
    bool const weaker = defect != DEFECT_SYNTAX && row->defect == DEFECT_SYNTAX;
    if (!first && !stronger && (weaker || offset >= row->defect_at)) return false;
    row->defect = defect;
    row->defect_at = offset;
    row->defect_path = defect == DEFECT_SYNTAX ? NULL : path;
    return false;
}

/* ---- slots ---- */

static inline bool is_null_token(const uint8_t *at, uint32_t length)
{
    return length == 4 && memcmp(at, "null", 4) == 0;
}

/* Calls `visit` with every value of a slot, last one first, until it returns false. */
typedef bool visit_fn(void *context, const uint8_t *at, uint32_t length);

static bool visit_slot(const struct csv_row *row, const struct cells *cells, uint32_t slot, visit_fn *visit,
                       void *context)
{
    const struct cell *cell = &cells->slots[slot];
    if (!row->plan->slot_many[slot]) return cell->at == NULL || visit(context, cell->at, cell->length);
    for (uint32_t number = cell->last; number != 0; number = cells->items[number - 1].before) {
        const struct cells_item *item = &cells->items[number - 1];
        if (!visit(context, cells->record + item->offset, item->length)) return false;
    }
    return true;
}

struct check {
    struct csv_row *row;
    const struct cells *cells;
};

static bool check_token(void *context, const uint8_t *at, uint32_t length)
{
    const struct check *check = context;
    size_t bad, written;
    if (*at == '{' || *at == '[') {
        if (json_container(at, length, check->row->brackets, check->row->depth_max, NULL, &written, &bad))
            return true;
    } else if (json_is_scalar(at, length, &bad)) {
        return true;
    }
    return fail(check->row, DEFECT_SYNTAX, check->cells, at + bad, NULL);
}

/* Is every value that the job may use well-formed? Asked before a record is dropped for another reason. */
static bool check_slots(struct csv_row *row, const struct cells *cells)
{
    struct check check = {row, cells};
    bool good = true;
    for (uint32_t slot = 0; slot < row->plan->slot_count; slot++)
        if (row->plan->slot_used[slot]) good = visit_slot(row, cells, slot, check_token, &check) && good;
    return good;
}

/* ---- values ---- */

/* A string token's text. */
static bool value_of_string(struct csv_row *row, const struct cells *cells, const uint8_t *at,
                            uint32_t length, const struct path *path, uint8_t *out, struct value *value)
{
    *value = (struct value){.bytes = at + 1, .length = length - 2, .is_text = true, .buffer = -1};
    if (!scan_has_either(at + 1, length - 2, '\\', '\\')) return true;
    struct json_string string;
    if (!json_unescape(at + 1, length - 2, out, &string))
        return fail(row, DEFECT_SYNTAX, cells, at + 1 + string.bad, path);
    value->bytes = out;
    value->length = string.length;
    value->buffer = 0;
    size_t const null_at = row->field.null_drop ? SIZE_MAX : string.null_character;
    if (string.lone_surrogate < null_at)
        return fail(row, DEFECT_LONE_SURROGATE, cells, at + 1 + string.lone_surrogate, path);
    if (null_at != SIZE_MAX) return fail(row, DEFECT_NULL_CHARACTER, cells, at + 1 + null_at, path);
    return true;
}

/* The value of one token. `out` has room for the token's length. */
static bool value_of_token(struct csv_row *row, const struct cells *cells, const uint8_t *at, uint32_t length,
                           const struct path *path, uint8_t *out, struct value *value)
{
    size_t bad;
    if (*at == '"') return value_of_string(row, cells, at, length, path, out, value);
    *value = (struct value){.bytes = at, .length = length, .buffer = -1};
    if (*at == '{' || *at == '[') {
        value->bytes = out;
        value->buffer = 0;
        if (json_container(at, length, row->brackets, row->depth_max, out, &value->length, &bad)) return true;
        return fail(row, DEFECT_SYNTAX, cells, at + bad, path);
    }
    if (!json_is_scalar(at, length, &bad)) return fail(row, DEFECT_SYNTAX, cells, at + bad, path);
    value->is_null = *at == 'n';
    value->is_number = *at == '-' || (*at >= '0' && *at <= '9');
    return true;
}

/* A list of several values: their texts, joined; nulls left out. The chain runs backwards, and so does the
 * join: it fills the buffer from its end. */
static bool value_of_list(struct csv_row *row, const struct cells *cells, uint32_t number,
                          const struct path *path, struct value *value)
{
    const char *const separator = row->csv->list_separator;
    size_t const separator_length = strlen(separator);
    uint8_t *const begin = row->buffers[0], *const end = begin + row->text_max;
    uint8_t *at = end;
    bool good = true;
    size_t count = 0;
    *value = (struct value){.is_null = true, .buffer = 0};
    for (; number != 0; number = cells->items[number - 1].before) {
        const struct cells_item *item = &cells->items[number - 1];
        struct value one;
        good = value_of_token(row, cells, cells->record + item->offset, item->length, path, row->buffers[1],
                              &one) &&
               good;
        if (!good || one.is_null) continue;
        size_t const need = one.length + (count != 0 ? separator_length : 0);
        if (need > (size_t)(at - begin))
            return fail(row, DEFECT_TOO_LARGE, cells, cells->record + item->offset, path);
        if (count++ != 0) {
            at -= separator_length;
            memcpy(at, separator, separator_length);
        }
        at -= one.length;
        memcpy(at, one.bytes, one.length);
        *value = one;
    }
    if (!good || count == 0) return good;
    value->bytes = at;
    value->length = (size_t)(end - at);
    value->buffer = 0;
    if (count > 1) {
        value->is_text = true;
        value->is_number = false;
    }
    return true;
}

/* What a slot gives. is_null also when it gives nothing. */
static bool value_of_slot(struct csv_row *row, const struct cells *cells, uint32_t slot,
                          const struct path *path, struct value *value)
{
    const struct cell *cell = &cells->slots[slot];
    *value = (struct value){.is_null = true, .buffer = -1};
    if (!row->plan->slot_many[slot]) {
        if (cell->at == NULL) return true;
        return value_of_token(row, cells, cell->at, cell->length, path, row->buffers[0], value);
    }
    if (cell->last == 0) return true;
    const struct cells_item *item = &cells->items[cell->last - 1];
    if (item->before != 0) return value_of_list(row, cells, cell->last, path, value);
    return value_of_token(row, cells, cells->record + item->offset, item->length, path, row->buffers[0],
                          value);
}

/* ---- transforms and types ---- */

static uint8_t *other_buffer(const struct csv_row *row, struct value *value)
{
    value->buffer = value->buffer == 0 ? 1 : 0;
    return row->buffers[value->buffer];
}

/* One step of a column's transforms. trim, lower and upper are for texts: a number keeps its characters, JSON
 * text its escapes, true and false their spelling. */
static bool transform_once(struct csv_row *row, enum transform step, struct value *value)
{
    const char *text = (const char *)value->bytes;
    if (step == TRANSFORM_TRIM) {
        if (value->is_text) transform_trim(&text, &value->length);
        value->bytes = (const uint8_t *)text;
        return true;
    }
    if (step != TRANSFORM_SHA256 && !value->is_text) return true;
    if (step == TRANSFORM_SHA256 && value->length == 0) {
        value->is_null = true;
        return true;
    }
    char *const out = (char *)other_buffer(row, value);
    value->bytes = (const uint8_t *)out;
    if (step == TRANSFORM_SHA256) {
        if (!sha256_hex(row->hasher, text, value->length, out)) return false;
        value->length = SHA256_HEX_LENGTH;
        value->is_text = true;
        return true;
    }
    value->length = step == TRANSFORM_LOWER ? transform_lower(text, value->length, out)
                                            : transform_upper(text, value->length, out);
    return true;
}

static bool transform(struct csv_row *row, const struct column *column, struct value *value)
{
    for (size_t i = 0; i < column->transform_count && !value->is_null; i++)
        if (!transform_once(row, column->transforms[i], value)) return false;
    return true;
}

static bool convert_time(struct csv_row *row, const struct cells *cells, const uint8_t *token,
                         const struct column *column, const struct path *path, struct value *value)
{
    if (value->is_null) return true;
    if (value->is_text && value->length == 0) {
        value->is_null = true;
        return true;
    }
    int64_t seconds;
    const char *text = (const char *)value->bytes;
    bool const good = value->is_number ? timestamp_from_number(text, value->length, &seconds)
                                       : value->is_text && timestamp_from_text(text, value->length, &seconds);
    if (!good) return fail(row, DEFECT_BAD_TIMESTAMP, cells, token, path);
    uint8_t *out = other_buffer(row, value);
    if (column->type == COLUMN_DATE)
        timestamp_write_date(seconds, (char *)out);
    else
        timestamp_write(seconds, (char *)out);
    value->bytes = out;
    value->length = column->type == COLUMN_DATE ? TIMESTAMP_DATE_LENGTH : TIMESTAMP_TEXT_LENGTH;
    value->is_text = false;
    return true;
}

/* Where a slot's value stands in the record, for the order of defects. */
static const uint8_t *slot_at(const struct csv_row *row, const struct cells *cells, uint32_t slot)
{
    const struct cell *cell = &cells->slots[slot];
    if (!row->plan->slot_many[slot]) return cell->at;
    return cells->record + cells->items[cell->last - 1].offset;
}

/* A column's value: the first path that gives one, its transforms and type; else the default. */
static bool value_of_column(struct csv_row *row, const struct cells *cells, const struct plan_column *planned,
                            struct value *value)
{
    const struct column *column = planned->column;
    if (column->constant != NULL) {
        *value = (struct value){
            .bytes = (const uint8_t *)column->constant, .length = strlen(column->constant), .buffer = -1};
        return true;
    }
    for (size_t p = 0; p < column->path_count; p++) {
        uint32_t const slot = planned->slots[p];
        const struct path *path = &column->paths[p];
        if (!value_of_slot(row, cells, slot, path, value)) return false;
        if (value->is_null) continue;
        if (column->transform_count != 0 && !transform(row, column, value)) return false;
        if (column->type == COLUMN_TEXT) return true;
        return convert_time(row, cells, slot_at(row, cells, slot), column, path, value);
    }
    *value = (struct value){.is_null = column->default_text == NULL, .buffer = -1};
    if (column->default_text == NULL) return true;
    value->bytes = (const uint8_t *)column->default_text;
    value->length = strlen(column->default_text);
    return true;
}

/* ---- identity ---- */

/* Is nothing left of a text when csv.null_character drops its NULs? */
static bool is_empty_text(const struct csv_row *row, const uint8_t *text, size_t length)
{
    if (length != 0 && !row->field.null_drop) return false;
    for (size_t i = 0; i < length; i++)
        if (text[i] != '\0') return false;
    return true;
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

/* is_null: the record has no identity. */
static bool value_of_identity(struct csv_row *row, const struct cells *cells, struct value *value)
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
            return value_of_token(row, cells, at, length, &identity->paths[p], row->buffers[0], value);
    }
    *value = (struct value){.is_null = true, .buffer = -1};
    return true;
}

/* ---- fields ---- */

/* Room for `need` bytes, which is at most CSV_OUT_ROOM_MIN when the output has `more`. */
static inline bool out_room(struct csv_out *out, size_t need)
{
    if ((size_t)(out->end - out->at) >= need) return true;
    if (out->more == NULL) return false;
    out->more(out);
    return (size_t)(out->end - out->at) >= need;
}

/* A field that may be longer than the room. */
static void put_pieces(struct csv_out *out, const uint8_t *text, size_t length, bool quoted)
{
    size_t const piece_max = CSV_OUT_ROOM_MIN / 4;
    while (length > 0 && out_room(out, CSV_OUT_ROOM_MIN / 2)) {
        size_t const piece = length < piece_max ? length : piece_max;
        if (quoted) {
            out->at = csv_field_double(out->at, text, piece);
        } else {
            memcpy(out->at, text, piece);
            out->at += piece;
        }
        text += piece;
        length -= piece;
    }
}

static bool put_text(struct csv_row *row, struct csv_out *out, const uint8_t *text, size_t length,
                     bool is_null)
{
    bool const quoted = csv_field_quoted(&row->field, text, length, is_null) ||
                        (length == 0 && row->field_count == 1); /* no blank line: readers pass over them */
    bool const fits = out_room(out, csv_field_bound(length) < CSV_OUT_ROOM_MIN / 2 || out->more == NULL
                                        ? csv_field_bound(length)
                                        : CSV_OUT_ROOM_MIN / 2);
    if (!fits) return false;
    if (quoted) *out->at++ = '"';
    if ((size_t)(out->end - out->at) >= csv_field_bound(length)) {
        if (quoted) {
            out->at = csv_field_double(out->at, text, length);
        } else if (length != 0) {
            memcpy(out->at, text, length);
            out->at += length;
        }
    } else {
        put_pieces(out, text, length, quoted);
    }
    if (!quoted) return true;
    if (!out_room(out, 1)) return false;
    *out->at++ = '"';
    return true;
}

static bool put_value(struct csv_row *row, struct csv_out *out, struct value *value)
{
    if (value->is_null) return put_text(row, out, row->field.null_text, row->field.null_length, true);
    /* numbers, times, constants and defaults hold none of what the options change */
    if (value->is_text && csv_field_changes(&row->field, value->bytes, value->length)) {
        uint8_t *changed = other_buffer(row, value);
        value->length = csv_field_change(&row->field, value->bytes, value->length, changed, row->changed);
        value->bytes = changed;
    }
    return put_text(row, out, value->bytes, value->length, false);
}

/* The fast way of a string: copied while it is looked through. False: it needs the general way. */
static inline bool put_plain(const struct csv_row *row, struct csv_out *out, const uint8_t *text,
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
static inline const uint8_t *single_token(const struct csv_row *row, const struct cells *cells, uint32_t slot,
                                          uint32_t *length)
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

static inline bool put_token(const struct csv_row *row, struct csv_out *out, const uint8_t *token,
                             uint32_t length)
{
    if (*token == '"') return length > 2 && put_plain(row, out, token + 1, length - 2);
    return *token < '{' && *token != '[' && *token != 'n' && json_is_scalar(token, length, NULL) &&
           put_plain(row, out, token, length);
}

/* Does the column's path give a value that can go the fast way? Then it is written. */
static inline bool put_fast(const struct csv_row *row, const struct cells *cells, const struct csv_fast *fast,
                            struct csv_out *out)
{
    if (fast->slot == PLAN_NONE) return false;
    const struct cell *const cell = &cells->slots[fast->slot];
    if (__builtin_expect(!fast->many, 1)) {
        if (cell->at == NULL) return fast->empty;
        return put_token(row, out, cell->at, cell->length);
    }
    uint32_t length;
    const uint8_t *token = single_token(row, cells, fast->slot, &length);
    return token != NULL && put_token(row, out, token, length);
}

/* ---- the row ---- */

static enum csv_row_result outcome_failed(const struct csv_row *row)
{
    return row->defect == DEFECT_TOO_LARGE ? ROW_TOO_LONG : ROW_FAILED;
}

/* The values of the first identity path that find_unread() left to write_identity(). */
static bool check_identity(struct csv_row *row, const struct cells *cells)
{
    struct check check = {row, cells};
    uint32_t const slot = row->fast_identity.slot;
    return slot == PLAN_NONE || visit_slot(row, cells, slot, check_token, &check);
}

/* ROW_WRITTEN stands for "goes on". */
static enum csv_row_result write_identity(struct csv_row *row, const struct cells *cells, struct csv_out *out)
{
    const struct identity *identity = &row->plan->mapping->identity;
    struct value value;
    if (put_fast(row, cells, &row->fast_identity, out)) return ROW_WRITTEN;
    if (!check_identity(row, cells) || !value_of_identity(row, cells, &value)) {
        check_slots(row, cells);
        return outcome_failed(row);
    }
    if (value.is_null) {
        if (!check_slots(row, cells)) return ROW_FAILED;
        row->skip = SKIP_IDENTITY;
        if (identity->missing == IDENTITY_SKIP) return ROW_SKIPPED;
        row->defect = DEFECT_MISSING_IDENTITY;
        row->defect_path = &identity->paths[0];
        return ROW_FAILED;
    }
    return put_value(row, out, &value) ? ROW_WRITTEN : ROW_NO_ROOM;
}

/* ROW_WRITTEN: no required column lacks its value. */
static enum csv_row_result check_required(struct csv_row *row, const struct cells *cells)
{
    for (size_t c = 0; c < row->plan->mapping->column_count; c++) {
        const struct plan_column *planned = &row->plan->columns[c];
        if (!planned->column->required) continue;
        struct value value;
        if (!value_of_column(row, cells, &row->plan->columns[c], &value))
            continue; /* has one: the column's stage judges it */
        if (!value.is_null && !is_empty_text(row, value.bytes, value.length)) continue;
        row->defect = DEFECT_NONE;
        if (!check_slots(row, cells)) return ROW_FAILED;
        row->skip = SKIP_REQUIRED;
        return ROW_SKIPPED;
    }
    return row->defect == DEFECT_TOO_LARGE ? ROW_TOO_LONG : ROW_WRITTEN;
}

static enum csv_row_result write_columns(struct csv_row *row, const struct cells *cells, struct csv_out *out)
{
    bool first = row->plan->mapping->identity.column == NULL;
    for (size_t c = 0; c < row->plan->mapping->column_count; c++) {
        if (!first) {
            if (!out_room(out, 1)) return ROW_NO_ROOM;
            *out->at++ = row->field.delimiter;
        }
        first = false;
        if (put_fast(row, cells, &row->fast[c], out)) continue;
        struct value value;
        if (!value_of_column(row, cells, &row->plan->columns[c], &value)) {
            if (row->defect == DEFECT_NONE) return ROW_BROKEN;
            continue; /* the others may fail earlier in the record */
        }
        if (!put_value(row, out, &value)) return ROW_NO_ROOM;
    }
    if (row->defect == DEFECT_NONE) return ROW_WRITTEN;
    check_slots(row, cells);
    return outcome_failed(row);
}

/* Slots that no column's value need come from: fallbacks, further identity paths, primary flags. */
static bool check_unread(struct csv_row *row, const struct cells *cells)
{
    struct check check = {row, cells};
    bool good = true;
    for (uint32_t i = 0; i < row->unread_count; i++)
        good = visit_slot(row, cells, row->unread[i], check_token, &check) && good;
    return good;
}

static enum csv_row_result write_row(struct csv_row *row, const struct cells *cells, struct csv_out *out)
{
    enum csv_row_result result = ROW_WRITTEN;
    if (row->unread_count != 0 && !check_unread(row, cells)) return ROW_FAILED;
    if (row->plan->mapping->identity.column != NULL) result = write_identity(row, cells, out);
    if (result == ROW_WRITTEN && row->has_required) result = check_required(row, cells);
    if (result == ROW_WRITTEN) result = write_columns(row, cells, out);
    if (result != ROW_WRITTEN) return result;
    if (!out_room(out, row->field.line_end_length)) return ROW_NO_ROOM;
    memcpy(out->at, row->field.line_end, row->field.line_end_length);
    out->at += row->field.line_end_length;
    return ROW_WRITTEN;
}

enum csv_row_result csv_row_write(struct csv_row *row, const struct cells *cells, struct csv_out *out)
{
    uint8_t *const begin = out->at;
    row->defect = DEFECT_NONE;
    row->defect_path = NULL;
    memset(row->changed, 0, sizeof row->changed);
    enum csv_row_result const result = write_row(row, cells, out);
    if (result != ROW_WRITTEN && out->more == NULL) out->at = begin;
    return result;
}

/* ---- set-up ---- */

/* Delimiters that a number or literal may hold: such jobs take the general way. */
static bool is_odd_delimiter(uint8_t delimiter)
{
    return (delimiter >= '0' && delimiter <= '9') ||
           ((delimiter | 0x20) >= 'a' && (delimiter | 0x20) <= 'z') || delimiter == '.' || delimiter == '+' ||
           delimiter == '-' || delimiter == '\\';
}

static bool wants_sha256(const struct mapping *mapping)
{
    for (size_t c = 0; c < mapping->column_count; c++)
        for (size_t t = 0; t < mapping->columns[c].transform_count; t++)
            if (mapping->columns[c].transforms[t] == TRANSFORM_SHA256) return true;
    return false;
}

static bool wants_case(const struct mapping *mapping)
{
    for (size_t c = 0; c < mapping->column_count; c++)
        for (size_t t = 0; t < mapping->columns[c].transform_count; t++)
            if (mapping->columns[c].transforms[t] == TRANSFORM_LOWER ||
                mapping->columns[c].transforms[t] == TRANSFORM_UPPER)
                return true;
    return false;
}

/* A text, mapped to another case where a column wants that, with an apostrophe; a digest; and the padding
 * that scans may read. */
static size_t buffer_bytes(const struct mapping *mapping, size_t text_max)
{
    size_t const text = wants_case(mapping) ? transform_case_bound(text_max) : text_max;
    return (text > SHA256_HEX_LENGTH ? text : SHA256_HEX_LENGTH) + 1 + LIMIT_PADDING;
}

size_t csv_row_bytes(const struct plan *plan, size_t text_max, uint32_t depth_max)
{
    return 2 * buffer_bytes(plan->mapping, text_max) + depth_max + 1 + plan->slot_count * sizeof(uint32_t) +
           plan->mapping->column_count * sizeof(struct csv_fast);
}

/* Values that may be copied as they are: see put_fast(). */
static struct csv_fast fast_of(const struct csv_row *row, const struct column *column, const uint32_t *slots)
{
    bool const fast =
        row->plain && column->path_count != 0 && column->transform_count == 0 && column->type == COLUMN_TEXT;
    if (!fast) return (struct csv_fast){.slot = PLAN_NONE};
    bool const alone = column->path_count == 1 && column->default_text == NULL && row->field_count > 1;
    return (struct csv_fast){.slot = slots[0], .many = row->plan->slot_many[slots[0]], .empty = alone};
}

static void find_fast(struct csv_row *row)
{
    const struct mapping *mapping = row->plan->mapping;
    for (size_t c = 0; c < mapping->column_count; c++)
        row->fast[c] = fast_of(row, &mapping->columns[c], row->plan->columns[c].slots);
    row->fast_identity = (struct csv_fast){.slot = PLAN_NONE};
    if (mapping->identity.path_count == 0 || !row->plain) return;
    const struct plan_identity_path *first = &row->plan->identity_paths[0];
    uint32_t const slot = first->is_namespace ? first->name_space.id : first->slot;
    row->fast_identity = (struct csv_fast){.slot = slot, .many = row->plan->slot_many[slot]};
}

/* The slots that columns read first in any case are checked when they are written, and so is the first
 * identity path's when it has one value. */
static void find_unread(struct csv_row *row)
{
    const struct mapping *mapping = row->plan->mapping;
    for (uint32_t slot = 0; slot < row->plan->slot_count; slot++) {
        bool read = !row->plan->slot_used[slot] || slot == row->fast_identity.slot;
        for (size_t c = 0; c < mapping->column_count && !read; c++)
            read = mapping->columns[c].path_count != 0 && row->plan->columns[c].slots[0] == slot;
        if (!read) row->unread[row->unread_count++] = slot;
    }
}

bool csv_row_create(struct csv_row *row, const struct plan *plan, size_t text_max, uint32_t depth_max)
{
    const struct mapping *mapping = plan->mapping;
    *row = (struct csv_row){.plan = plan,
                            .csv = &mapping->csv,
                            .field = csv_field_options(&mapping->csv),
                            .text_max = text_max,
                            .depth_max = depth_max};
    row->plain = !row->field.quote_all && row->field.null_length == 0 && !row->field.formula_escape &&
                 !is_odd_delimiter(row->field.delimiter);
    row->field_count = (uint32_t)mapping->column_count + (mapping->identity.column != NULL);
    for (size_t c = 0; c < mapping->column_count; c++)
        row->has_required = row->has_required || mapping->columns[c].required;
    row->buffers[0] = malloc(buffer_bytes(mapping, text_max));
    row->buffers[1] = malloc(buffer_bytes(mapping, text_max));
    row->brackets = malloc((size_t)depth_max + 1);
    row->unread = calloc(plan->slot_count + 1, sizeof *row->unread);
    row->fast = calloc(mapping->column_count + 1, sizeof *row->fast);
    bool const hashes = wants_sha256(mapping);
    if (hashes) row->hasher = sha256_create();
    if (row->buffers[0] == NULL || row->buffers[1] == NULL || row->brackets == NULL || row->unread == NULL ||
        row->fast == NULL || (hashes && row->hasher == NULL)) {
        csv_row_destroy(row);
        return false;
    }
    find_fast(row);
    find_unread(row);
    return true;
}

void csv_row_destroy(struct csv_row *row)
{
    free(row->buffers[0]);
    free(row->buffers[1]);
    free(row->brackets);
    free(row->unread);
    free(row->fast);
    sha256_destroy(row->hasher);
    *row = (struct csv_row){0};
}

static size_t header_bound(const struct mapping *mapping)
{
    size_t bound = 2; /* the line's end */
    if (mapping->identity.column != NULL) bound += csv_field_bound(strlen(mapping->identity.column)) + 1;
    for (size_t c = 0; c < mapping->column_count; c++)
        bound += csv_field_bound(strlen(mapping->columns[c].name)) + 1;
    return bound;
}

static uint8_t *header_name(const struct csv_field *field, uint8_t *out, const char *name, bool first)
{
    size_t const length = strlen(name);
    if (!first) *out++ = field->delimiter;
    bool const quoted = csv_field_quoted(field, (const uint8_t *)name, length, false);
    if (quoted) *out++ = '"';
    out = csv_field_double(out, (const uint8_t *)name, length); /* unquoted: there is nothing to double */
    if (quoted) *out++ = '"';
    return out;
}

struct csv_text csv_row_header(struct arena *arena, const struct mapping *mapping)
{
    struct csv_field const field = csv_field_options(&mapping->csv);
    uint8_t *const begin = arena_alloc(arena, header_bound(mapping));
    if (begin == NULL) return (struct csv_text){0};
    uint8_t *at = begin;
    if (mapping->identity.column != NULL) at = header_name(&field, at, mapping->identity.column, true);
    for (size_t c = 0; c < mapping->column_count; c++)
        at = header_name(&field, at, mapping->columns[c].name, at == begin);
    memcpy(at, field.line_end, field.line_end_length);
    at += field.line_end_length;
    return (struct csv_text){begin, (size_t)(at - begin)};
}
