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

#define WALK_KEY_HALF 0xffffu /* all bytes of one half of a memo's text */

/* Do the halves of the memo's text stand at `joint`, but for the bytes that `any` has bits of? */
static inline bool walk_key_matches_low(const struct index_walk_memo *memo, const uint8_t *joint,
                                        uint32_t any)
{
    uint32_t const low = scan_equal_aligned(joint, memo->text);
    return (low | memo->low | (any & WALK_KEY_HALF)) == WALK_KEY_HALF;
}

static inline bool walk_key_matches_high(const struct index_walk_memo *memo, const uint8_t *joint,
                                         uint32_t any)
{
    uint32_t const high = scan_equal_aligned(joint + SCAN_STEP, memo->text + SCAN_STEP);
    return (high | memo->high | any >> SCAN_STEP) == WALK_KEY_HALF;
}

/* What was learnt of the keys of a node's objects. */
static inline struct index_walk_memos *walk_key_memos(struct index_walk *walk, const struct plan_node *node)
{
    return walk->exact ? &walk->no_memos : &walk->memos[node->inner];
}

/* A joint is where a member's key is due: the '{' of an object (`first`), or the token behind a member's
 * value, a comma if the key is to be one. Behind it in the index are the key's quote and the colon. */

/* Is the memo's key at the joint `token`, whatever the joint is and the value begins with? Four entries stand
 * behind the index, of which `token` is one of the first two at most. */
static inline bool walk_key_is(const struct index_walk *walk, const uint32_t *token,
                               const struct index_walk_memo *memo)
{
    const uint8_t *const joint = walk->bytes + (memo->apart ? token[1] - 1 : token[0]);
    uint32_t const any = 1u | 1u << memo->value;
    return walk_key_matches_low(memo, joint, any) &&
           (memo->act < WALK_ACT_LONG || walk_key_matches_high(memo, joint, any));
}

/* Is it a key with its colon, and that one? */
static inline bool walk_key_follows(const struct index_walk *walk, const uint32_t *token,
                                    const struct index_walk_memo *memo, bool first)
{
    return (first || walk->bytes[token[0]] == ',') && token[2] < walk->end && memo->act != WALK_ACT_END &&
           walk_key_is(walk, token, memo);
}

/* Stands for the '}' of an object that has no member. */
extern const struct index_walk_memo walk_key_none;

/* The joint at `token` is not followed by the expected key, nor is it the '}' behind a value. Returns what is
 * known of the key that is there, which may be learnt; &walk_key_none at the end of an empty object; NULL at
 * a defect. */
const struct index_walk_memo *walk_key_other(struct index_walk *walk, const struct plan_node *node,
                                             const uint32_t *token, bool first,
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
