/* csv_value.h - what a slot or a column gives: the text that a field is made of, and the defects met on the
 * way.
 *
 * Thread rule: the row's. A value lies in the record or in one of the row's two buffers, until the next one
 * is asked for. */
#ifndef PENSTOCK_CORE_CSV_CSV_VALUE_H
#define PENSTOCK_CORE_CSV_CSV_VALUE_H

#include "core/csv/csv_row.h"

/* A value on its way to its field. */
struct csv_value {
    const uint8_t *bytes;
    size_t length;
    bool is_null;
    bool is_text;   /* from a string or a list: formula_escape looks at it */
    bool is_number; /* a JSON number: a time in milliseconds */
    bool has_json;  /* is or holds an object or array: no text for trim, lower and upper */
    int buffer;     /* index of the row's buffer that holds it, -1: none */
};

/* Keeps the defect that the record is to be named after: syntax belongs to the first stage, the others are
 * taken in byte order. Always false, for `return`. */
bool csv_value_fail(struct csv_row *row, enum defect defect, const struct cells *cells, const uint8_t *at,
                    const struct path *path);

/* Are all values of the slot well-formed? */
bool csv_value_check(struct csv_row *row, const struct cells *cells, uint32_t slot);
/* Is every value that the job may use well-formed? Asked before a record is dropped for another reason. */
bool csv_value_check_all(struct csv_row *row, const struct cells *cells);

/* The value of one token. `out` has room for the token's length. */
bool csv_value_of_token(struct csv_row *row, const struct cells *cells, const uint8_t *at, uint32_t length,
                        const struct path *path, uint8_t *out, struct csv_value *value);
/* The token of a slot's first value. NULL: there is none. */
const uint8_t *csv_value_first(const struct csv_row *row, const struct cells *cells, uint32_t slot,
                               uint32_t *length);
/* A column's value: the first path that gives one, its transforms and type; else the default. */
bool csv_value_of_column(struct csv_row *row, const struct cells *cells, const struct plan_column *planned,
                         struct csv_value *value);

/* The buffer that does not hold the value; it is taken to hold it from here on. */
uint8_t *csv_value_other_buffer(const struct csv_row *row, struct csv_value *value);

/* Is nothing left of a text when csv.null_character drops its NULs? */
bool csv_value_is_empty(const struct csv_row *row, const uint8_t *text, size_t length);

#endif
