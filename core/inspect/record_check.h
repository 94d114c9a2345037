/* record_check.h - is a record well-formed, all of it? Over its structural tokens, without looking at more
 * bytes than scalars have. It says the same as record_defect() with a plan that selects the whole record, and
 * faster.
 *
 * Thread rule: pure and reentrant; `brackets` is the caller's scratch. */
#ifndef PENSTOCK_CORE_INSPECT_RECORD_CHECK_H
#define PENSTOCK_CORE_INSPECT_RECORD_CHECK_H

#include "core/record/json_text.h"

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

struct record_check {
    const uint8_t *bytes; /* what tokens count from */
    uint32_t end;         /* of the record */
    struct record_escapes escapes;
    uint8_t *brackets; /* depth_max + 1 */
    uint32_t depth_max;
};

/* The first token behind the record, NULL: it is not one good object and nothing behind it. */
const uint32_t *record_check(struct record_check *check, const uint32_t *token);

/* Where the scalar ends that stands before the token `next`: blanks behind it are not its. */
static inline uint32_t record_check_scalar_end(const uint8_t *bytes, uint32_t next, uint32_t end)
{
    if (next > end) next = end;
    while (json_is_blank(bytes[next - 1]))
        next--; /* ends: the scalar's first byte is no blank */
    return next;
}

#endif
