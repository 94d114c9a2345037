/* json_text.h - the inside of JSON tokens: escapes of strings, spelling of numbers and literals. RFC 8259.
 * What is made of tokens: json_container.h; what they stand for: json_equal.h. Pure and reentrant.
 *
 * Tokens come from a record whose bytes were found to be valid UTF-8 with closed strings and no raw control
 * character inside them (stage 1 of simdjson, or record_defect.c). */
#ifndef PENSTOCK_CORE_RECORD_JSON_TEXT_H
#define PENSTOCK_CORE_RECORD_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline bool json_is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* The first byte of [at, end) that is none; `end`: they all are. */
static inline const uint8_t *json_pass_blanks(const uint8_t *at, const uint8_t *end)
{
    while (at < end && json_is_blank(*at))
        at++;
    return at;
}

/* What a string holds besides its text. Offsets are of the escape in the raw text, SIZE_MAX: none. */
struct json_string {
    size_t length;         /* of the text written */
    size_t lone_surrogate; /* the first one; its text is U+FFFD */
    size_t null_character; /* the first \u0000; its text is a NUL byte */
    size_t bad;            /* an escape that RFC 8259 does not know: the call returned false */
};

/* Unescapes `length` bytes between the quotes to `out` (at most `length` bytes are written; NULL: only look).
 * False: a bad escape, at string->bad. */
bool json_unescape(const uint8_t *raw, size_t length, uint8_t *out, struct json_string *string);

/* The UTF-16 code unit that the four digits behind \u stand for; -1: not four digits among the `left` bytes.
 */
int32_t json_escape_unit(const uint8_t *digits, size_t left);

/* Is this bad escape only cut off by the end of the text? */
bool json_escape_is_cut(const uint8_t *escape, size_t length);

/* A string that begins with its quote: passes it, *end is behind the quote that closes it. False: at *end is
 * the first wrong byte; `length`: the text ends too early. */
bool json_pass_string(const uint8_t *text, size_t length, size_t *end);

/* -0.5e+10 and the like: exactly RFC 8259's number. */
bool json_is_number(const uint8_t *token, size_t length);

/* A whole scalar token, a string with its quotes: is it well-formed? `bad` (may be NULL) gets the offset of
 * the first wrong byte. */
bool json_is_scalar(const uint8_t *token, size_t length, size_t *bad);

/* The texts of two strings between their quotes, unescaped, in the order of their bytes: below 0, 0, above 0.
 * A bad escape is equal to nothing. */
int json_compare_text(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length);

/* Of the text of a string between its quotes: the same for strings that json_equal() finds equal. */
uint32_t json_hash(const uint8_t *raw, size_t length);

#ifdef __cplusplus
}
#endif

#endif
