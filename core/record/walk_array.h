/* walk_array.h - arrays that the plan enters: [n], [-n], and what branches at each element. Thread rule: the
 * walk's. */
#ifndef PENSTOCK_CORE_RECORD_WALK_ARRAY_H
#define PENSTOCK_CORE_RECORD_WALK_ARRAY_H

#include "core/record/index_walk.h"

/* Walks the array at `token`, which `node` of the plan enters; `depth`: containers open around it. Returns
 * the token behind it, NULL at a defect. */
const uint32_t *walk_array(struct index_walk *walk, const uint32_t *token, const struct plan_node *node,
                           uint32_t depth);

#endif
