/* walk_value.h - a value that a node of the plan stands for: into its cell, and what the plan enters of it.
 * Thread rule: the walk's.
 *
 * Functions take the token they begin at and return the token behind what they passed, NULL at a defect.
 * `depth`: containers open around the value. */
#ifndef PENSTOCK_CORE_RECORD_WALK_VALUE_H
#define PENSTOCK_CORE_RECORD_WALK_VALUE_H

#include "core/record/json_text.h"
#include "core/record/walk_array.h"
#include "core/record/walk_object.h"
#include "core/record/walk_skip.h"

/* Where the scalar that begins before `next` ends: the blanks between it and the next token are not its. */
static inline uint32_t walk_value_scalar_end(const struct index_walk *walk, uint32_t next)
{
    if (next > walk->end) next = walk->end;
    const uint8_t *bytes = walk->bytes + next;
    while (json_is_blank(bytes[-1]))
        bytes--; /* ends: the scalar's first byte is no blank */
    return (uint32_t)(bytes - walk->bytes);
}

/* A scalar to its cell, as an exact walk does it. */
const uint32_t *walk_value_scalar_exactly(struct index_walk *walk, const uint32_t *token,
                                          const struct plan_node *node);

/* A scalar to its cell. A string's closing quote is looked at by exact walks alone: stage 1 saw that it is
 * there, and what stands between it and the next token can only be blanks. So are the record's ends: whoever
 * put a cell that lies across it fails at the next token. */
static inline const uint32_t *walk_value_scalar(struct index_walk *walk, const uint32_t *token,
                                                const struct plan_node *node)
{
    if (__builtin_expect(walk->exact, 0)) return walk_value_scalar_exactly(walk, token, node);
    const uint8_t *const at = walk->bytes + token[0], *behind = walk->bytes + token[1];
    while (__builtin_expect(json_is_blank(behind[-1]), 0))
        behind--;
    cells_put(walk->cells, node->slot, node->many, at, (uint32_t)(behind - at));
    return token + 1;
}

/* Is the value at `begin`, of at most `length` bytes, well-formed? Notes the defect if not. */
bool walk_value_check(struct index_walk *walk, uint32_t begin, uint32_t length, uint32_t depth);

/* A value that `node` of the plan stands for. Inlined whatever the compiler thinks of its many callers: in
 * the loop over members that is worth 5 % of all instructions. */
static inline __attribute__((always_inline)) const uint32_t *
walk_value(struct index_walk *walk, const uint32_t *token, const struct plan_node *node, uint32_t depth)
{
    uint8_t const byte = walk->bytes[*token], first = walk_first_of[byte];
    if (first == WALK_FIRST_SCALAR)
        return node->slot == PLAN_NONE ? token + 1 : walk_value_scalar(walk, token, node);
    if (first == WALK_FIRST_BAD) return walk_defect_syntax(walk, token);
    const uint32_t *next;
    if (byte == '{' && node->enters_object)
        next = __builtin_expect(node->several, 0) ? walk_object_several(walk, token, node, depth)
                                                  : walk_object(walk, token, node, depth);
    else if (byte == '[' && node->enters_array)
        next = walk_array(walk, token, node, depth);
    else
        next = walk_skip_container(walk, token, depth);
    if (node->slot == PLAN_NONE) return next;
    if (next != NULL)
        cells_put(walk->cells, node->slot, node->many, walk->bytes + *token, next[-1] + 1 - *token);
    else if (walk->exact && plan_reads(walk->plan, node->slot, byte)) /* what was passed over may be worse */
        walk_value_check(walk, *token, walk->end - *token, depth);
    return next;
}

/* [*] and the filters of a node that branches, over one element or member value. Goes on behind a defect when
 * the walk is exact. */
const uint32_t *walk_value_branches(struct index_walk *walk, const uint32_t *token,
                                    const struct plan_node *node, uint32_t depth);

#endif
