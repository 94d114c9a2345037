/* walk_skip.h - values that a walk passes without looking into them. Thread rule: the walk's.
 *
 * Functions take the token they begin at and return the token behind what they passed, NULL at a defect. */
#ifndef PENSTOCK_CORE_RECORD_WALK_SKIP_H
#define PENSTOCK_CORE_RECORD_WALK_SKIP_H

#include "core/record/walk_defect.h"

/* What a value's first byte says: most begin a scalar. */
enum walk_first { WALK_FIRST_SCALAR, WALK_FIRST_OPEN, WALK_FIRST_BAD };
static const uint8_t walk_first_of[256] = {
    ['{'] = WALK_FIRST_OPEN, ['['] = WALK_FIRST_OPEN, [','] = WALK_FIRST_BAD,
    [':'] = WALK_FIRST_BAD,  [']'] = WALK_FIRST_BAD,  ['}'] = WALK_FIRST_BAD};

static inline bool walk_skip_opens(uint8_t byte)
{
    return (byte | 0x20) == '{';
}

/* Passes the object or array at `token` by its brackets; `depth`: containers open around it. */
const uint32_t *walk_skip_container(struct index_walk *walk, const uint32_t *token, uint32_t depth);

/* The same of any value. */
static inline const uint32_t *walk_skip_value(struct index_walk *walk, const uint32_t *token, uint32_t depth)
{
    uint8_t const first = walk_first_of[walk->bytes[*token]];
    if (__builtin_expect(first == WALK_FIRST_SCALAR, 1)) return token + 1;
    return first == WALK_FIRST_OPEN ? walk_skip_container(walk, token, depth)
                                    : walk_defect_syntax(walk, token);
}

#endif
