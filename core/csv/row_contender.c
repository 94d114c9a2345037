/* row_contender.c - see the header. Thread: the row's. Owns nothing. */
#include "core/csv/row_contender.h"

#include "core/csv/timestamp.h"

static bool read_time(struct csv_row *row, const struct cells *cells)
{
    const struct path *path = &row->plan->mapping->identity.timestamp;
    struct csv_value value;
    uint32_t length;
    row->time = ROW_TIME_NONE;
    if (row->plan->time_slot == PLAN_NONE) return true;
    const uint8_t *const at = csv_value_first(row, cells, row->plan->time_slot, &length);
    if (at == NULL) return true;
    if (!csv_value_of_token(row, cells, at, length, path, row->buffers[0], &value)) return false;
    if (value.is_null || (value.is_text && value.length == 0)) return true;
    const char *const text = (const char *)value.bytes;
    if (value.is_number ? timestamp_micros_from_number(text, value.length, &row->time)
                        : value.is_text && timestamp_micros_from_text(text, value.length, &row->time))
        return true;
    return csv_value_fail(row, DEFECT_BAD_TIMESTAMP, cells, at, path);
}

bool row_contender_make(struct csv_row *row, const struct cells *cells)
{
    row->is_contender = read_time(row, cells);
    return row->is_contender;
}
