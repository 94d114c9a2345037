/* index_walk.c - the walk over structural tokens. Thread: one a struct. Owns its two scratch arrays.
 *
 * Its parts: walk_value.h (what a node of the plan takes of a value), walk_object.h and walk_array.h (what it
 * enters), walk_key.h (where a key leads), walk_skip.h (what nothing selects), walk_defect.h.
 *
 * Functions take the token they begin at and return the token behind what they passed, NULL at a defect. A
 * token is trusted to be the record's when its byte fits the grammar; that its offset lies before the
 * record's end is checked once a member or element, where its key or itself is due, and at tokens that are
 * skipped: offsets only grow, so a walk that ran out of the record is found there. By then it is at the last
 * of the four entries behind the index at most, and has looked at none behind that. */
#include "core/record/index_walk.h"

#include "core/record/json_text.h"
#include "core/record/walk_skip.h"
#include "core/record/walk_value.h"

#include <stdlib.h>

/* ---- records ---- */

/* The record's first byte is no '{': a JSON value of another kind, or none. */
static const uint32_t *not_an_object(struct index_walk *walk, const uint32_t *token)
{
    uint8_t const byte = walk->bytes[*token];
    uint32_t const end = walk_value_scalar_end(walk, token[1]);
    bool const is_value =
        byte == '[' || byte == '"' || json_is_scalar(walk->bytes + *token, end - *token, NULL);
    return walk_defect(walk, is_value ? DEFECT_NOT_AN_OBJECT : DEFECT_SYNTAX, *token);
}

const uint32_t *index_walk_element(struct index_walk *walk, const uint32_t *token)
{
    if (*token >= walk->end) return walk_defect(walk, DEFECT_SYNTAX, walk->end);
    if (walk->bytes[*token] != '{') return not_an_object(walk, token);
    const uint32_t *next = walk_value(walk, token, walk->nodes, 0);
    if (next == NULL || (walk->cells->overflow && !walk->exact)) return NULL;
    return next[-1] < walk->end ? next : walk_defect(walk, DEFECT_SYNTAX, walk->end);
}

const uint32_t *index_walk_record(struct index_walk *walk, const uint32_t *token)
{
    const uint32_t *const next = index_walk_element(walk, token);
    if (next == NULL) return NULL;
    return *next < walk->end ? walk_defect(walk, DEFECT_TRAILING_CONTENT, *next) : next;
}

const uint32_t *index_walk_skip(struct index_walk *walk, const uint32_t *token, uint32_t depth)
{
    if (*token >= walk->end) return NULL;
    const uint32_t *const next = walk_skip_value(walk, token, depth);
    return next != NULL && next[-1] < walk->end ? next : NULL;
}

/* ---- memory ---- */

size_t index_walk_bytes(const struct plan *plan, uint32_t depth_max)
{
    return (size_t)depth_max + 2 + INDEX_WALK_KEY_MAX + 8 +
           plan->inner_count * sizeof(struct index_walk_memos);
}

static struct index_walk_memos memos_none(void)
{
    struct index_walk_memos memos = {.count = 0};
    memos.list[0] =
        (struct index_walk_memo){.text = {'}'}, .low = 0xfffe, .high = 0xffff, .act = WALK_ACT_END};
    return memos;
}

bool index_walk_create(struct index_walk *walk, const struct plan *plan, uint32_t depth_max)
{
    *walk = (struct index_walk){.plan = plan, .nodes = plan->nodes, .depth_max = depth_max};
    walk->brackets = calloc(1, (size_t)depth_max + 2);
    walk->key = calloc(1, INDEX_WALK_KEY_MAX + 8);
    walk->memos = calloc(plan->inner_count + 1, sizeof *walk->memos);
    if (walk->brackets == NULL || walk->key == NULL || walk->memos == NULL) {
        index_walk_destroy(walk);
        return false;
    }
    walk->no_memos = memos_none();
    for (uint32_t i = 0; i < plan->inner_count; i++)
        walk->memos[i] = walk->no_memos;
    return true;
}

void index_walk_destroy(struct index_walk *walk)
{
    free(walk->brackets);
    free(walk->key);
    free(walk->memos);
    *walk = (struct index_walk){0};
}
