/* csv_field.h - one field of a CSV line: what csv options change in a text, and quoting (RFC 4180, section
 * 2). Pure. */
#ifndef PENSTOCK_CORE_CSV_CSV_FIELD_H
#define PENSTOCK_CORE_CSV_CSV_FIELD_H

#include "core/base/tally.h"
#include "core/map/mapping.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct csv_field {
    uint8_t delimiter;
    bool quote_all;
    bool newline_to_space, null_drop, formula_escape;
    const uint8_t *null_text;
    size_t null_length;
    const char *line_end;
    size_t line_end_length;
};

struct csv_field csv_field_options(const struct csv_options *options);

/* Bytes that a field of `length` bytes of text takes at most: quotes around it and one for each inside. */
static inline size_t csv_field_bound(size_t length)
{
    return 2 * length + 2;
}

/* Does the text have to stand in quotes? `is_null`: it stands for no value. */
bool csv_field_quoted(const struct csv_field *field, const uint8_t *text, size_t length, bool is_null);

/* Copies text, each quote twice; returns the end. At most 2 * length bytes. */
uint8_t *csv_field_double(uint8_t *out, const uint8_t *text, size_t length);

/* Does any option change this text (null characters, newlines, a formula's first character)? */
bool csv_field_changes(const struct csv_field *field, const uint8_t *text, size_t length);
/* Writes the changed text to `out` (at most length + 1 bytes) and counts each kind of change once in
 * `changed`; returns its length. */
size_t csv_field_change(const struct csv_field *field, const uint8_t *text, size_t length, uint8_t *out,
                        uint32_t changed[CHANGE_COUNT]);

#endif
