/* walk_key.h - where a member's key leads, by the plan or by what was learnt. Thread rule: the walk's. */
#ifndef PENSTOCK_CORE_RECORD_WALK_KEY_H
#define PENSTOCK_CORE_RECORD_WALK_KEY_H

#include "core/base/scan.h"
#include "core/record/index_walk.h"

struct walk_key {
    const uint8_t *key; /* raw, between its quotes */
    uint32_t length;
    uint32_t node; /* that the key leads to */
    bool exact;    /* not by an `xdm:` prefix */
};

/* What stands before a key's quote does not count: a '{', or a blank. */
#define WALK_KEY_ANY_JOINT 1u

/* Does the memo's text stand at `joint`, but for the bytes that `any` has bits of? */
static inline bool walk_key_matches(const struct index_walk_memo *memo, const uint8_t *joint, uint32_t any)
{
    if (((scan_equal(joint, memo->text) | any) & memo->low) != memo->low) return false;
    if (__builtin_expect(memo->high == 0, 1)) return true;
    return (scan_equal(joint + SCAN_STEP, memo->text + SCAN_STEP) & memo->high) == memo->high;
}

/* What was learnt of the keys of a node's objects. */
static inline struct index_walk_memos *walk_key_memos(struct index_walk *walk, const struct plan_node *node)
{
    return walk->exact ? &walk->no_memos : &walk->memos[node->inner];
}

/* Looks the key up: `key` and `length` are given. False: a defect in the key. */
bool walk_key_find(struct index_walk *walk, const struct plan_node *node, struct walk_key *member,
                   bool *escaped);
/* Where a key that was looked up leads, as a memo; its text stays as it was. */
void walk_key_memo(struct index_walk *walk, const struct walk_key *member, struct index_walk_memo *memo);
/* The key at `token`, a quote, which is not the expected one of the node: may be learnt. NULL: a defect. */
const struct index_walk_memo *walk_key_other(struct index_walk *walk, const struct plan_node *node,
                                             const uint32_t *token, const struct index_walk_memo *expected);
/* The node that a key with the prefix `xdm:` leads to without it, beside the one that it leads to as it is.
 */
uint32_t walk_key_twin(struct index_walk *walk, const struct plan_node *node, const uint8_t *key,
                       uint32_t length);

#endif
