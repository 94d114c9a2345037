/* csv_put.c - the general way of a field. Thread: the row's. Owns nothing. */
#include "core/csv/csv_put.h"

#include <string.h>

/* A field that may be longer than the room. */
static void put_pieces(struct csv_out *out, const uint8_t *text, size_t length, bool quoted)
{
    size_t const piece_max = CSV_OUT_ROOM_MIN / 4;
    while (length > 0 && csv_put_room(out, CSV_OUT_ROOM_MIN / 2)) {
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
    bool const fits = csv_put_room(out, csv_field_bound(length) < CSV_OUT_ROOM_MIN / 2 || out->more == NULL
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
    if (!csv_put_room(out, 1)) return false;
    *out->at++ = '"';
    return true;
}

bool csv_put_value(struct csv_row *row, struct csv_out *out, struct csv_value *value)
{
    if (value->is_null) return put_text(row, out, row->field.null_text, row->field.null_length, true);
    /* numbers, times, constants and defaults hold none of what the options change */
    if (value->is_text && csv_field_changes(&row->field, value->bytes, value->length)) {
        uint8_t *changed = csv_value_other_buffer(row, value);
        value->length = csv_field_change(&row->field, value->bytes, value->length, changed, row->changed);
        value->bytes = changed;
    }
    return put_text(row, out, value->bytes, value->length, false);
}
