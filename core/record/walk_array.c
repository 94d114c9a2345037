/* walk_array.c - see the header. Thread: the walk's. Owns nothing. */
#include "core/record/walk_array.h"

#include "core/record/walk_value.h"

/* How many elements the array at `token` has, for [-1]. */
static bool count_elements(struct index_walk *walk, const uint32_t *token, uint32_t depth, int64_t *count)
{
    *count = 0;
    token++;
    if (walk->bytes[*token] == ']') return true;
    for (;;) {
        if (*token >= walk->end) return walk_defect(walk, DEFECT_SYNTAX, walk->end) != NULL;
        token = walk_skip_value(walk, token, depth);
        if (token == NULL) return false;
        ++*count;
        if (*token >= walk->end || walk->bytes[*token] != ',') return true; /* the walk judges it */
        token++;
    }
}

static const uint32_t *walk_element(struct index_walk *walk, const uint32_t *token,
                                    const struct plan_node *node, int64_t index, int64_t count,
                                    uint32_t depth)
{
    const uint32_t *next = NULL;
    bool good = true;
    for (uint32_t i = 0; (good || walk->exact) && i < node->index_count; i++) {
        int64_t const wanted = node->indexes[i].index;
        if (wanted != index && (wanted >= 0 || wanted + count != index)) continue;
        next = walk_value(walk, token, walk->nodes + node->indexes[i].node, depth);
        good = good && next != NULL;
    }
    if (node->branches && (good || walk->exact))
        next = walk_value_branches(walk, token, node, depth);
    else if (next == NULL && good)
        next = walk_skip_value(walk, token, depth);
    return good ? next : NULL;
}

/* An exact walk goes on when the elements can't be counted: negative indexes then select nothing, and what is
 * wrong is found later on. */
static bool count_exactly(struct index_walk *walk, const uint32_t *token, uint32_t depth, int64_t *count)
{
    enum defect const defect = walk->defect;
    uint32_t const defect_at = walk->defect_at;
    if (count_elements(walk, token, depth, count)) return true;
    *count = 0;
    walk->defect = defect;
    walk->defect_at = defect_at;
    return walk->exact;
}

const uint32_t *walk_array(struct index_walk *walk, const uint32_t *token, const struct plan_node *node,
                           uint32_t depth)
{
    if (depth == walk->depth_max) return walk_defect(walk, DEFECT_DEPTH, *token);
    depth++;
    int64_t count = 0;
    if (node->negative && !count_exactly(walk, token, depth, &count)) return NULL;
    token++;
    if (walk->bytes[*token] == ']' && *token < walk->end) return token + 1;
    for (int64_t index = 0;; index++) {
        if (*token >= walk->end) return walk_defect(walk, DEFECT_SYNTAX, walk->end);
        token = walk_element(walk, token, node, index, count, depth);
        if (token == NULL) return NULL;
        if (*token >= walk->end) return walk_defect(walk, DEFECT_SYNTAX, walk->end);
        uint8_t const byte = walk->bytes[*token++];
        if (byte == ',') continue;
        if (byte == ']') return token;
        return walk_defect_syntax(walk, token - 1);
    }
}
