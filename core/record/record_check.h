/* record_check.h - is a record well-formed, all of it? Over its structural tokens, without looking at more
 * bytes than scalars have. It says the same as record_defect() with a plan that selects the whole record, and
 * faster.
 *
 * Three ways over the same grammar: record_check() says yes or no; record_check_keys() also notes whether a
 * key comes twice in any object; record_check_exact() says which defect is the first in byte order.
 *
 * Thread rule: pure and reentrant; `brackets` and `keys` are the caller's scratch. */
#ifndef PENSTOCK_CORE_RECORD_RECORD_CHECK_H
#define PENSTOCK_CORE_RECORD_RECORD_CHECK_H

#include "core/base/tally.h"
#include "core/record/json_text.h"
#include "core/record/record_keys.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Where the backslashes of a record are, asked front to back: most texts have none, and few records many. */
struct record_escapes {
    const uint8_t *bytes;
    uint32_t at, end; /* the next one; `end`: there is none */
};

static inline void record_escapes_find(struct record_escapes *escapes, uint32_t from)
{
    const uint8_t *const found = memchr(escapes->bytes + from, '\\', escapes->end - from);
    escapes->at = found == NULL ? escapes->end : (uint32_t)(found - escapes->bytes);
}

/* Has the text [begin, end) one? `begin` never goes back. */
static inline bool record_escapes_in(struct record_escapes *escapes, uint32_t begin, uint32_t end)
{
    if (escapes->at < begin) record_escapes_find(escapes, begin);
    return escapes->at < end;
}

#define RECORD_CHECK_ALL_CLOSED UINT32_MAX

struct record_check {
    const uint8_t *bytes; /* what tokens count from */
    uint32_t end;         /* of the record */
    struct record_escapes escapes;
    uint8_t *brackets; /* depth_max + 1 */
    uint32_t depth_max;
    bool refuses_surrogates, refuses_nulls; /* escapes that stand for no character, or for NUL */
    struct record_keys *keys;               /* of record_check_keys(): begun */
    /* of record_check_exact() */
    uint32_t open_string; /* a last token whose string has no end; RECORD_CHECK_ALL_CLOSED: there is none */
    enum defect defect;   /* set when it fails */
    uint32_t defect_at;   /* `end`: only that it goes no further is wrong */
};

/* The first token behind the record, NULL: it is not one good object and nothing behind it. Tokens end as
 * index_walk.h says. */
const uint32_t *record_check(struct record_check *check, const uint32_t *token);
const uint32_t *record_check_keys(struct record_check *check, const uint32_t *token);
const uint32_t *record_check_exact(struct record_check *check, const uint32_t *token);

/* What is wrong with the escapes of a text between its quotes, at *bad of it. */
enum defect record_check_text(const struct record_check *check, const uint8_t *raw, size_t length,
                              size_t *bad);

/* Where the scalar ends that stands before the token `next`: blanks behind it are not its. */
static inline uint32_t record_check_scalar_end(const uint8_t *bytes, uint32_t next, uint32_t end)
{
    if (next > end) next = end;
    while (json_is_blank(bytes[next - 1]))
        next--; /* ends: the scalar's first byte is no blank */
    return next;
}

#endif
