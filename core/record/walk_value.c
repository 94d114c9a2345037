/* walk_value.c - see the header. Thread: the walk's. Owns nothing. */
#include "core/record/walk_value.h"

#include "core/record/json_container.h"
#include "core/record/json_equal.h"

const uint32_t *walk_value_scalar_exactly(struct index_walk *walk, const uint32_t *token,
                                          const struct plan_node *node)
{
    uint32_t const begin = token[0];
    if (begin >= walk->end) return walk_defect(walk, DEFECT_SYNTAX, walk->end);
    uint32_t const end = walk_value_scalar_end(walk, token[1]);
    const uint8_t *const at = walk->bytes + begin;
    if (*at == '"' && (end - begin < 2 || walk->bytes[end - 1] != '"'))
        return walk_defect_open_string(walk, begin, plan_reads(walk->plan, node->slot, *at));
    cells_put(walk->cells, node->slot, node->many, at, end - begin);
    return token + 1;
}

bool walk_value_check(struct index_walk *walk, uint32_t begin, uint32_t length, uint32_t depth)
{
    const uint8_t *const at = walk->bytes + begin;
    size_t written, bad;
    bool const good = walk_skip_opens(*at) ? json_container(at, length, walk->brackets + depth,
                                                            walk->depth_max - depth, NULL, &written, &bad)
                                           : json_is_scalar(at, length, &bad);
    if (!good) walk_defect(walk, DEFECT_SYNTAX, begin + (uint32_t)bad);
    return good;
}

/* An element or member value that a filter may pick: walked once to test, once more when the test holds. */
static const uint32_t *walk_filter(struct index_walk *walk, const uint32_t *token,
                                   const struct plan_filter *filter, uint32_t depth)
{
    struct cells *cells = walk->cells;
    const struct plan_node *test = walk->nodes + filter->test_node;
    cells_clear(cells, test->slot_first, test->slot_end);
    const uint32_t *next = walk_value(walk, token, test, depth);
    if (next == NULL) return NULL;
    struct cell const *found = &cells->slots[filter->test_slot];
    if (found->at == NULL) return next;
    uint32_t const begin = (uint32_t)(found->at - walk->bytes);
    if (!walk_value_check(walk, begin, found->length, depth)) return NULL;
    size_t bad;
    enum defect const defect = cells_compared(cells, found->at, found->length, &bad);
    if (defect != DEFECT_NONE) return walk_defect(walk, defect, begin + (uint32_t)bad);
    if (!json_equal(found->at, found->length, (const uint8_t *)filter->literal, filter->literal_length))
        return next;
    return walk_value(walk, token, walk->nodes + filter->node, depth);
}

const uint32_t *walk_value_branches(struct index_walk *walk, const uint32_t *token,
                                    const struct plan_node *node, uint32_t depth)
{
    const uint32_t *next = token;
    if (node->wildcard != PLAN_NONE) next = walk_value(walk, token, walk->nodes + node->wildcard, depth);
    for (uint32_t i = 0; (next != NULL || walk->exact) && i < node->filter_count; i++) {
        const uint32_t *const behind = walk_filter(walk, token, &node->filters[i], depth);
        if (next != NULL) next = behind;
    }
    return next;
}
