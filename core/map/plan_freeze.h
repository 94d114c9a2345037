/* plan_freeze.h - a drafted trie to the arrays of a plan: nodes and slots numbered depth first, names in hash
 * tables.
 *
 * Ownership: all in the arena. Thread rule: main, before the run. */
#ifndef PENSTOCK_CORE_MAP_PLAN_FREEZE_H
#define PENSTOCK_CORE_MAP_PLAN_FREEZE_H

#include "core/map/plan_draft.h"

/* Fills what the plan says of nodes and slots; sets numbers in the drafts. False: no memory. */
bool plan_freeze(const struct plan_drafts *drafts, struct plan *plan);

#endif
