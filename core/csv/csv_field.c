/* csv_field.c - see the header. Thread: any. Owns nothing. */
#include "core/csv/csv_field.h"

#include <string.h>

struct csv_field csv_field_options(const struct csv_options *options)
{
    bool const crlf = options->line_end == CSV_LINE_CRLF;
    return (struct csv_field){.delimiter = (uint8_t)options->delimiter,
                              .quote_all = options->quote == CSV_QUOTE_ALL,
                              .newline_to_space = options->newline_to_space,
                              .null_drop = options->null_character_drop,
                              .formula_escape = options->formula_escape,
                              .null_text = (const uint8_t *)options->null_text,
                              .null_length = strlen(options->null_text),
                              .line_end = crlf ? "\r\n" : "\n",
                              .line_end_length = crlf ? 2 : 1};
}

bool csv_field_quoted(const struct csv_field *field, const uint8_t *text, size_t length, bool is_null)
{
    if (field->quote_all) return true;
    if (!is_null && field->null_length != 0 && length == field->null_length &&
        memcmp(text, field->null_text, length) == 0)
        return true;
    for (size_t i = 0; i < length; i++)
        if (text[i] == field->delimiter || text[i] == '"' || text[i] == '\n' || text[i] == '\r') return true;
    return false;
}

uint8_t *csv_field_double(uint8_t *out, const uint8_t *text, size_t length)
{
    while (length > 0) {
        const uint8_t *quote = memchr(text, '"', length);
        size_t const plain = quote == NULL ? length : (size_t)(quote - text) + 1;
        memcpy(out, text, plain);
        out += plain;
        text += plain;
        length -= plain;
        if (quote != NULL) *out++ = '"';
    }
    return out;
}

static bool is_formula(uint8_t first)
{
    return first == '=' || first == '+' || first == '-' || first == '@' || first == '\t' || first == '\r';
}

bool csv_field_changes(const struct csv_field *field, const uint8_t *text, size_t length)
{
    if (length == 0) return false;
    if (field->formula_escape && is_formula(text[0])) return true;
    /* without its NULs, a text may begin with such a character */
    if (field->null_drop && memchr(text, '\0', length) != NULL) return true;
    return field->newline_to_space &&
           (memchr(text, '\n', length) != NULL || memchr(text, '\r', length) != NULL);
}

size_t csv_field_change(const struct csv_field *field, const uint8_t *text, size_t length, uint8_t *out,
                        uint32_t changed[CHANGE_COUNT])
{
    bool dropped = false, spaced = false;
    uint8_t *const begin = out + 1; /* room for the formula's apostrophe */
    uint8_t *at = begin;
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = text[i];
        if (byte == '\0' && field->null_drop) {
            dropped = true;
            continue;
        }
        if (field->newline_to_space && (byte == '\n' || byte == '\r')) {
            size_t next = i + 1;
            while (field->null_drop && next < length && text[next] == '\0')
                next++;
            if (byte == '\r' && next < length && text[next] == '\n') {
                dropped = dropped || next != i + 1;
                i = next; /* a CRLF is one newline */
            }
            byte = ' ';
            spaced = true;
        }
        *at++ = byte;
    }
    changed[CHANGE_NULL_CHARACTER] += dropped;
    changed[CHANGE_NEWLINE] += spaced;
    size_t const kept = (size_t)(at - begin);
    if (field->formula_escape && kept > 0 && is_formula(begin[0])) {
        changed[CHANGE_FORMULA]++;
        out[0] = '\'';
        return kept + 1;
    }
    memmove(out, begin, kept);
    return kept;
}
