/* walk_object.h - objects that the plan enters: their members, by the keys that are expected. Thread rule:
 * the walk's.
 *
 * Both take the token of the '{' and return the token behind the object, NULL at a defect. `depth`:
 * containers open around it. */
#ifndef PENSTOCK_CORE_RECORD_WALK_OBJECT_H
#define PENSTOCK_CORE_RECORD_WALK_OBJECT_H

#include "core/record/index_walk.h"

/* Each member leads to one node at most. Objects of this kind that lie inside each other are walked in one
 * loop: this is where most of a walk's time goes. */
const uint32_t *walk_object(struct index_walk *walk, const uint32_t *token, const struct plan_node *node,
                            uint32_t depth);
/* Members may lead to several nodes: node->several. */
const uint32_t *walk_object_several(struct index_walk *walk, const uint32_t *token,
                                    const struct plan_node *node, uint32_t depth);

#endif
