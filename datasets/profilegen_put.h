/* profilegen_put.h - the fast ways to append to a record: no formatting, no checks, copies of fixed size.
 *
 * Every put_ function writes at `p` and returns what follows; up to WORD_TEXT_MAX bytes behind that may be
 * spoilt. The caller's buffer has room (RECORD_BYTES_MAX). Pure. */
#ifndef PENSTOCK_DATASETS_PROFILEGEN_PUT_H
#define PENSTOCK_DATASETS_PROFILEGEN_PUT_H

#include "datasets/profilegen_words.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A string literal: its length is known to the compiler, which makes moves of the copy. */
#define PUT(p, literal) put_bytes((p), (literal), sizeof(literal) - 1)

static inline char *put_bytes(char *p, const char *bytes, size_t length)
{
    memcpy(p, bytes, length);
    return p + length;
}

static inline char *put_word(char *p, const struct word *word)
{
    memcpy(p, word->text, WORD_TEXT_MAX);
    return p + word->length;
}

/* The `digits` lowest decimal digits, leading zeros kept. */
static inline char *put_digits(char *p, uint64_t value, unsigned digits)
{
    for (unsigned i = digits; i > 0; i--) {
        p[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    return p + digits;
}

/* A number without leading zeros. */
static inline char *put_number(char *p, uint32_t value)
{
    unsigned digits = 1;
    for (uint32_t rest = value; rest >= 10; rest /= 10)
        digits++;
    return put_digits(p, value, digits);
}

static inline char *put_hex(char *p, uint64_t value)
{
    for (int shift = 60; shift >= 0; shift -= 4)
        *p++ = "0123456789abcdef"[(value >> shift) & 15];
    return p;
}

/* Ends an object or array whose members were each written with a comma behind. */
static inline char *put_close(char *p, char bracket)
{
    if (p[-1] == ',') p--;
    *p = bracket;
    return p + 1;
}

#endif
