/* walk_key.c - see the header. Thread: the walk's. Owns nothing. */
#include "core/record/walk_key.h"

#include "core/record/json_text.h"
#include "core/record/walk_defect.h"

#include <string.h>

static uint32_t find_key(const struct plan_node *node, const uint8_t *key, uint32_t length)
{
    return node->fold ? plan_find_fold(node, key, length) : plan_find(node, key, length);
}

/* The rare keys: with escapes, or with the prefix. */
static bool find_rare(struct index_walk *walk, const struct plan_node *node, struct walk_key *member,
                      bool escaped)
{
    const uint8_t *key = member->key;
    uint32_t length = member->length;
    if (escaped) {
        struct json_string string;
        uint8_t *const out = length <= INDEX_WALK_KEY_MAX ? walk->key : NULL;
        if (!json_unescape(key, length, out, &string)) {
            walk_defect(walk, DEFECT_SYNTAX, (uint32_t)(key + string.bad - walk->bytes));
            return false;
        }
        if (out == NULL || string.lone_surrogate != SIZE_MAX) return true; /* can't match */
        memset(out + string.length, 0, 8);
        key = out;
        length = (uint32_t)string.length;
        member->node = find_key(node, key, length);
    }
    if (member->node != PLAN_NONE || length < 4 || memcmp(key, "xdm:", 4) != 0) return true;
    member->node = find_key(node, key + 4, length - 4);
    member->exact = false;
    return true;
}

bool walk_key_find(struct index_walk *walk, const struct plan_node *node, struct walk_key *member,
                   bool *escaped)
{
    member->node = PLAN_NONE;
    member->exact = true;
    *escaped = scan_has_either(member->key, member->length, '\\', '\\');
    if (!*escaped) member->node = find_key(node, member->key, member->length);
    return member->node != PLAN_NONE || find_rare(walk, node, member, *escaped);
}

/* No colon behind a key. */
static const uint32_t *defect_colon(struct index_walk *walk, const uint32_t *key)
{
    if (key[0] < walk->end && key[1] >= walk->end) return walk_defect_open_string(walk, key[0], true);
    return walk_defect_syntax(walk, key + 1);
}

/* The key at `token`, a quote: its bytes, when a colon is the next token. */
static inline bool read_key(struct index_walk *walk, const uint32_t *token, struct walk_key *member)
{
    const uint8_t *const bytes = walk->bytes;
    uint32_t const begin = token[0] + 1, colon = token[1];
    member->key = bytes + begin;
    member->length = colon - begin - 1;
    if (bytes[colon] != ':' || colon >= walk->end) return defect_colon(walk, token) != NULL;
    if (__builtin_expect(colon > begin && bytes[colon - 1] == '"', 1)) return true;
    const uint8_t *close = bytes + colon - 1; /* blanks before the colon */
    while (json_is_blank(*close))
        close--;
    member->length = (uint32_t)(close - member->key);
    return (*close == '"' && close >= member->key) || walk_defect_syntax(walk, token) != NULL;
}

/* ---- keys that were seen before ---- */

#define MEMO_AROUND 4u /* bytes around a key: ," and ": */

void walk_key_memo(struct index_walk *walk, const struct walk_key *member, struct index_walk_memo *memo)
{
    memo->length = member->length;
    memo->node = member->node;
    memo->exact = member->exact;
    memo->to = member->node == PLAN_NONE ? NULL : walk->nodes + member->node;
    memo->folds = memo->to != NULL && memo->to->under_fold;
    memo->nests =
        memo->to != NULL && memo->to->enters_object && !memo->to->several && memo->to->slot == PLAN_NONE;
    memo->inside = memo->nests ? walk_key_memos(walk, memo->to)->list : NULL;
}

/* Remembers the key at its place, before the one that was expected: so the list keeps the order of the
 * members although not every object has all of them. */
static const struct index_walk_memo *memo_learn(struct index_walk *walk, const struct walk_key *member,
                                                struct index_walk_memos *memos, ptrdiff_t place)
{
    struct index_walk_memo *memo = &memos->list[place];
    memmove(memo + 1, memo,
            (++memos->count - (size_t)place) * sizeof *memo); /* with the one that matches nothing */
    uint32_t const text_length = member->length + MEMO_AROUND;
    memo->text[0] = ',';
    memo->text[1] = '"';
    memcpy(memo->text + 2, member->key, member->length);
    memo->text[member->length + 2] = '"';
    memo->text[member->length + 3] = ':';
    uint64_t const mask = (1ull << text_length) - 1;
    memo->low = (uint16_t)mask;
    memo->high = (uint16_t)(mask >> SCAN_STEP);
    walk_key_memo(walk, member, memo);
    return memo;
}

/* Another key than the expected one: is it one of those behind it, or anywhere in the list? */
static const struct index_walk_memo *memo_search(const struct index_walk_memos *memos,
                                                 const struct index_walk_memo *expected, const uint8_t *joint)
{
    const struct index_walk_memo *const end = memos->list + memos->count;
    for (unsigned ahead = 0; ahead < INDEX_WALK_MEMO_AHEAD && expected < end; ahead++)
        if (walk_key_matches(++expected, joint, WALK_KEY_ANY_JOINT)) return expected;
    for (const struct index_walk_memo *memo = memos->list; memo < end; memo++)
        if (walk_key_matches(memo, joint, WALK_KEY_ANY_JOINT)) return memo;
    return NULL;
}

/* The key at `token`, a quote, which is not the expected one of the node. */
static const struct index_walk_memo *other_key(struct index_walk *walk, const struct plan_node *node,
                                               const uint32_t *token, const struct index_walk_memo *expected)
{
    struct index_walk_memos *const memos = walk_key_memos(walk, node);
    struct walk_key member;
    bool escaped;
    if (!read_key(walk, token, &member)) return NULL;
    const struct index_walk_memo *memo = memo_search(memos, expected, member.key - 2);
    if (memo != NULL) return memo;
    if (!walk_key_find(walk, node, &member, &escaped)) return NULL;
    bool const learns = !escaped && !walk->exact && memos->count < INDEX_WALK_MEMOS &&
                        member.length + MEMO_AROUND <= INDEX_WALK_MEMO_TEXT;
    if (learns) return memo_learn(walk, &member, memos, expected - memos->list);
    walk_key_memo(walk, &member, &walk->once);
    return &walk->once;
}

const struct index_walk_memo walk_key_none;

/* Not inlined, by link-time optimisation either: the loop over members seldom comes here. */
__attribute__((noinline)) const struct index_walk_memo *walk_key_other(struct index_walk *walk,
                                                                       const struct plan_node *node,
                                                                       const uint32_t *token, uint32_t any,
                                                                       const struct index_walk_memo *expected)
{
    const uint8_t *const bytes = walk->bytes;
    bool const first = any != 0;
    uint32_t const end = walk->end, quote = token[1];
    if (first && bytes[quote] == '}' && quote < end) return &walk_key_none;
    if (!first && token[0] >= end)
        walk_defect(walk, DEFECT_SYNTAX, end);
    else if (!first && bytes[token[0]] != ',')
        walk_defect_syntax(walk, token);
    else if (bytes[quote] != '"' || quote >= end)
        walk_defect_syntax(walk, token + 1);
    else
        return other_key(walk, node, token + 1, expected);
    return NULL;
}

/* ---- keys with the prefix ---- */

uint32_t walk_key_twin(struct index_walk *walk, const struct plan_node *node, const uint8_t *key,
                       uint32_t length)
{
    struct json_string string;
    if (memchr(key, '\\', length) != NULL) {
        if (length > INDEX_WALK_KEY_MAX || !json_unescape(key, length, walk->key, &string)) return PLAN_NONE;
        if (string.lone_surrogate != SIZE_MAX) return PLAN_NONE;
        memset(walk->key + string.length, 0, 8);
        key = walk->key;
        length = (uint32_t)string.length;
    }
    if (length < 4 || memcmp(key, "xdm:", 4) != 0) return PLAN_NONE;
    return find_key(node, key + 4, length - 4);
}
