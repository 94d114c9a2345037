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

/* A joint is where a member's key is due: the '{' of an object (with `any` WALK_KEY_ANY_JOINT), or the token
 * behind a member's value (0), a comma if the key is to be one. Behind it in the index are the key's quote
 * and the colon. */

/* Does the memo's key with its colon stand at the joint `token`? Four entries stand behind the index, of
 * which `token` is one of the first two at most. */
static inline bool walk_key_follows(const struct index_walk *walk, const uint32_t *token,
                                    const struct index_walk_memo *memo, uint32_t any, uint32_t end)
{
    return walk_key_matches(memo, walk->bytes + token[0], any) && token[2] < end;
}

/* The same with blanks before the key's quote. */
static inline bool walk_key_follows_apart(const struct index_walk *walk, const uint32_t *token,
                                          const struct index_walk_memo *memo, uint32_t any, uint32_t end)
{
    const uint8_t *const bytes = walk->bytes;
    return (any != 0 || bytes[token[0]] == ',') && token[2] < end &&
           walk_key_matches(memo, bytes + token[1] - 1, WALK_KEY_ANY_JOINT);
}

/* Stands for the '}' of an object that has no member. */
extern const struct index_walk_memo walk_key_none;

/* The joint at `token` is not followed by the expected key, nor is it the '}' behind a value. Returns what is
 * known of the key that is there, which may be learnt; &walk_key_none at the end of an empty object; NULL at
 * a defect. */
const struct index_walk_memo *walk_key_other(struct index_walk *walk, const struct plan_node *node,
                                             const uint32_t *token, uint32_t any,
                                             const struct index_walk_memo *expected);

/* Looks the key up: `key` and `length` are given. False: a defect in the key. */
bool walk_key_find(struct index_walk *walk, const struct plan_node *node, struct walk_key *member,
                   bool *escaped);
/* Where a key that was looked up leads, as a memo; its text stays as it was. */
void walk_key_memo(struct index_walk *walk, const struct walk_key *member, struct index_walk_memo *memo);
/* The node that a key with the prefix `xdm:` leads to without it, beside the one that it leads to as it is.
 */
uint32_t walk_key_twin(struct index_walk *walk, const struct plan_node *node, const uint8_t *key,
                       uint32_t length);

#endif
