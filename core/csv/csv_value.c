/* csv_value.c - cells to values: texts, lists, transforms, times. Thread: the row's. Owns nothing: values
 * lie in the record or in the row's buffers. */
#include "core/csv/csv_value.h"

#include "core/base/scan.h"
#include "core/csv/timestamp.h"
#include "core/csv/transform.h"
#include "core/record/json_container.h"
#include "core/record/json_text.h"

#include <string.h>

/* ---- defects ---- */

bool csv_value_fail(struct csv_row *row, enum defect defect, const struct cells *cells, const uint8_t *at,
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

/* A string without escapes is good: that it is closed, and holds no control character, stage 1 has seen. */
static bool check_token(struct csv_row *row, const struct cells *cells, uint32_t slot, const uint8_t *at,
                        uint32_t length)
{
    size_t bad, written;
    if (*at == '"' && !scan_has_either(at + 1, length - 2, '\\', '\\')) return true;
    if (!plan_reads(row->plan, slot, *at)) return true;
    if (length == 4 && memcmp(at, "true", 4) == 0) return true; /* as most primary flags are */
    bool const good = *at == '{' || *at == '['
                          ? json_container(at, length, row->brackets, row->depth_max, NULL, &written, &bad)
                          : json_is_scalar(at, length, &bad);
    return good || csv_value_fail(row, DEFECT_SYNTAX, cells, at + bad, NULL);
}

bool csv_value_check(struct csv_row *row, const struct cells *cells, uint32_t slot)
{
    const struct cell *cell = &cells->slots[slot];
    bool good = true;
    if (!row->plan->slot_many[slot])
        return cell->at == NULL || check_token(row, cells, slot, cell->at, cell->length);
    for (uint32_t number = cell->last; number != 0; number = cells->items[number - 1].before) {
        const struct cells_item *item = &cells->items[number - 1];
        good = check_token(row, cells, slot, cells->record + item->offset, item->length) && good;
    }
    return good;
}

bool csv_value_check_all(struct csv_row *row, const struct cells *cells)
{
    bool good = true;
    for (uint32_t slot = 0; slot < row->plan->sparse_first; slot++)
        if (row->plan->slot_use[slot] != PLAN_IGNORED) good = csv_value_check(row, cells, slot) && good;
    for (uint32_t i = 0; i < cells->filled_count; i++)
        good = csv_value_check(row, cells, cells->filled[i]) && good;
    return good;
}

/* ---- values ---- */

/* A string token's text. */
static bool value_of_string(struct csv_row *row, const struct cells *cells, const uint8_t *at,
                            uint32_t length, const struct path *path, uint8_t *out, struct csv_value *value)
{
    *value = (struct csv_value){.bytes = at + 1, .length = length - 2, .is_text = true, .buffer = -1};
    if (!scan_has_either(at + 1, length - 2, '\\', '\\')) return true;
    struct json_string string;
    if (!json_unescape(at + 1, length - 2, out, &string))
        return csv_value_fail(row, DEFECT_SYNTAX, cells, at + 1 + string.bad, path);
    value->bytes = out;
    value->length = string.length;
    value->buffer = 0;
    size_t const null_at = row->field.null_drop ? SIZE_MAX : string.null_character;
    if (string.lone_surrogate < null_at)
        return csv_value_fail(row, DEFECT_LONE_SURROGATE, cells, at + 1 + string.lone_surrogate, path);
    if (null_at != SIZE_MAX) return csv_value_fail(row, DEFECT_NULL_CHARACTER, cells, at + 1 + null_at, path);
    return true;
}

bool csv_value_of_token(struct csv_row *row, const struct cells *cells, const uint8_t *at, uint32_t length,
                        const struct path *path, uint8_t *out, struct csv_value *value)
{
    size_t bad;
    if (*at == '"') return value_of_string(row, cells, at, length, path, out, value);
    *value = (struct csv_value){.bytes = at, .length = length, .buffer = -1};
    if (*at == '{' || *at == '[') {
        value->bytes = out;
        value->buffer = 0;
        value->has_json = true;
        if (json_container(at, length, row->brackets, row->depth_max, out, &value->length, &bad)) return true;
        return csv_value_fail(row, DEFECT_SYNTAX, cells, at + bad, path);
    }
    if (!json_is_scalar(at, length, &bad)) return csv_value_fail(row, DEFECT_SYNTAX, cells, at + bad, path);
    value->is_null = *at == 'n';
    value->is_number = *at == '-' || (*at >= '0' && *at <= '9');
    return true;
}

/* A list of several values: their texts, joined; nulls left out. The chain runs backwards, and so does the
 * join: it fills the buffer from its end. */
static bool value_of_list(struct csv_row *row, const struct cells *cells, uint32_t number,
                          const struct path *path, struct csv_value *value)
{
    const char *const separator = row->csv->list_separator;
    size_t const separator_length = strlen(separator);
    uint8_t *const begin = row->buffers[0], *const end = begin + row->text_max;
    uint8_t *at = end;
    bool good = true;
    size_t count = 0;
    bool has_json = false;
    *value = (struct csv_value){.is_null = true, .buffer = 0};
    for (; number != 0; number = cells->items[number - 1].before) {
        const struct cells_item *item = &cells->items[number - 1];
        struct csv_value one;
        good = csv_value_of_token(row, cells, cells->record + item->offset, item->length, path,
                                  row->buffers[1], &one) &&
               good;
        if (!good || one.is_null) continue;
        size_t const need = one.length + (count != 0 ? separator_length : 0);
        if (need > (size_t)(at - begin))
            return csv_value_fail(row, DEFECT_TOO_LARGE, cells, cells->record + item->offset, path);
        if (count++ != 0) {
            at -= separator_length;
            memcpy(at, separator, separator_length);
        }
        at -= one.length;
        memcpy(at, one.bytes, one.length);
        has_json = has_json || one.has_json;
        *value = one;
    }
    if (!good || count == 0) return good;
    value->bytes = at;
    value->length = (size_t)(end - at);
    value->buffer = 0;
    value->has_json = has_json;
    if (count > 1) {
        value->is_text = true;
        value->is_number = false;
    }
    return true;
}

const uint8_t *csv_value_first(const struct csv_row *row, const struct cells *cells, uint32_t slot,
                               uint32_t *length)
{
    const struct cell *cell = &cells->slots[slot];
    *length = cell->length;
    if (!row->plan->slot_many[slot] || cell->last == 0) return cell->at;
    const struct cells_item *item = &cells->items[cell->last - 1];
    while (item->before != 0)
        item = &cells->items[item->before - 1];
    *length = item->length;
    return cells->record + item->offset;
}

/* What a slot gives. is_null also when it gives nothing. */
static bool value_of_slot(struct csv_row *row, const struct cells *cells, uint32_t slot,
                          const struct path *path, struct csv_value *value)
{
    const struct cell *cell = &cells->slots[slot];
    *value = (struct csv_value){.is_null = true, .buffer = -1};
    if (!row->plan->slot_many[slot]) {
        if (cell->at == NULL) return true;
        return csv_value_of_token(row, cells, cell->at, cell->length, path, row->buffers[0], value);
    }
    if (cell->last == 0) return true;
    const struct cells_item *item = &cells->items[cell->last - 1];
    if (item->before != 0) return value_of_list(row, cells, cell->last, path, value);
    return csv_value_of_token(row, cells, cells->record + item->offset, item->length, path, row->buffers[0],
                              value);
}

/* ---- transforms and types ---- */

uint8_t *csv_value_other_buffer(const struct csv_row *row, struct csv_value *value)
{
    value->buffer = value->buffer == 0 ? 1 : 0;
    return row->buffers[value->buffer];
}

/* One step of a column's transforms. trim, lower and upper are for texts: a number keeps its characters, JSON
 * text its escapes, wherever it stands in a list, true and false their spelling. */
static bool transform_once(struct csv_row *row, enum transform step, struct csv_value *value)
{
    const char *text = (const char *)value->bytes;
    if (step != TRANSFORM_SHA256 && (!value->is_text || value->has_json)) return true;
    if (step == TRANSFORM_TRIM) {
        transform_trim(&text, &value->length);
        value->bytes = (const uint8_t *)text;
        return true;
    }
    if (step == TRANSFORM_SHA256 && value->length == 0) {
        value->is_null = true;
        return true;
    }
    char *const out = (char *)csv_value_other_buffer(row, value);
    value->bytes = (const uint8_t *)out;
    if (step == TRANSFORM_SHA256) {
        if (!sha256_hex(row->hasher, text, value->length, out)) return false;
        value->length = SHA256_HEX_LENGTH;
        value->is_text = true;
        value->has_json = false;
        return true;
    }
    value->length = step == TRANSFORM_LOWER ? transform_lower(text, value->length, out)
                                            : transform_upper(text, value->length, out);
    return true;
}

static bool transform(struct csv_row *row, const struct column *column, struct csv_value *value)
{
    for (size_t i = 0; i < column->transform_count && !value->is_null; i++)
        if (!transform_once(row, column->transforms[i], value)) return false;
    return true;
}

static bool convert_time(struct csv_row *row, const struct cells *cells, const uint8_t *token,
                         const struct column *column, const struct path *path, struct csv_value *value)
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
    if (!good) return csv_value_fail(row, DEFECT_BAD_TIMESTAMP, cells, token, path);
    uint8_t *out = csv_value_other_buffer(row, value);
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

bool csv_value_of_column(struct csv_row *row, const struct cells *cells, const struct plan_column *planned,
                         struct csv_value *value)
{
    const struct column *column = planned->column;
    if (column->constant != NULL) {
        *value = (struct csv_value){
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
    *value = (struct csv_value){.is_null = column->default_text == NULL, .buffer = -1};
    if (column->default_text == NULL) return true;
    value->bytes = (const uint8_t *)column->default_text;
    value->length = strlen(column->default_text);
    return true;
}

bool csv_value_is_empty(const struct csv_row *row, const uint8_t *text, size_t length)
{
    if (length != 0 && !row->field.null_drop) return false;
    for (size_t i = 0; i < length; i++)
        if (text[i] != '\0') return false;
    return true;
}
