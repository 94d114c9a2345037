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

/* What is to be done with a value of the memo that begins with `byte`, as far as that says it. */
static enum walk_act act_of(const struct index_walk_memo *memo, uint8_t byte)
{
    const struct plan_node *const to = memo->to;
    if (to == NULL && byte == '"') return WALK_ACT_PASS;
    if (to == NULL && (byte == '{' || byte == '[')) return WALK_ACT_CONTAINER;
    if (to != NULL && to->under_fold) return WALK_ACT_FOLD;
    if (memo->nests && byte == '{') return WALK_ACT_OBJECT;
    return to != NULL && to->slot != PLAN_NONE && !to->many && byte == '"' ? WALK_ACT_STRING : WALK_ACT_LOOK;
}

void walk_key_memo(struct index_walk *walk, const struct walk_key *member, struct index_walk_memo *memo)
{
    memo->length = member->length;
    memo->exact = member->exact;
    memo->to = member->node == PLAN_NONE ? NULL : walk->nodes + member->node;
    memo->nests =
        memo->to != NULL && memo->to->enters_object && !memo->to->several && memo->to->slot == PLAN_NONE;
    memo->inside = memo->nests ? walk_key_memos(walk, memo->to)->list : NULL;
}

/* The text of the member that begins at the joint `token`: up to its value, without blanks if it is too long
 * with them. Returns its length. */
static uint32_t memo_text(const struct index_walk *walk, const uint32_t *token, const struct walk_key *member,
                          struct index_walk_memo *memo)
{
    uint32_t const whole = token[3] - token[0];
    memo->apart = whole >= INDEX_WALK_MEMO_TEXT || token[3] >= walk->end;
    memo->key = (uint8_t)(memo->apart ? 2 : token[1] + 1 - token[0]);
    if (!memo->apart) {
        memcpy(memo->text, walk->bytes + token[0], whole);
        return whole;
    }
    memo->text[1] = '"';
    memcpy(memo->text + 2, member->key, member->length);
    memo->text[member->length + 2] = '"';
    memo->text[member->length + 3] = ':';
    return member->length + MEMO_AROUND;
}

/* `first`: it is the first one of its list. */
static void memo_write(const struct index_walk *walk, const uint32_t *token, const struct walk_key *member,
                       bool first, struct index_walk_memo *memo)
{
    uint8_t const value = walk->bytes[token[3]];
    uint32_t length = memo_text(walk, token, member, memo);
    memo->text[0] = first ? '{' : ',';
    memo->act = (uint8_t)act_of(memo, value);
    if (memo->act < WALK_ACT_LOOK && length == INDEX_WALK_MEMO_TEXT) memo->act = WALK_ACT_LOOK;
    if (memo->act == WALK_ACT_STRING) memo->slot = memo->to->slot;
    memo->value = memo->act < WALK_ACT_LOOK ? (uint8_t)length : 0;
    if (memo->value != 0) memo->text[length++] = value;
    uint64_t const others = ~((1ull << length) - 1);
    memo->low = (uint32_t)others & WALK_KEY_HALF;
    memo->high = (uint16_t)(others >> SCAN_STEP);
    if (length > SCAN_STEP) memo->act |= WALK_ACT_LONG;
}

/* Remembers the key at its place, before the one that was expected: so the list keeps the order of the
 * members although not every object has all of them. */
static const struct index_walk_memo *memo_learn(struct index_walk *walk, const struct walk_key *member,
                                                const uint32_t *token, struct index_walk_memos *memos,
                                                ptrdiff_t place)
{
    struct index_walk_memo *memo = &memos->list[place];
    memmove(memo + 1, memo, (++memos->count - (size_t)place) * sizeof *memo); /* with the end's */
    if (memo[1].act != WALK_ACT_END) memo[1].text[0] = ',';
    walk_key_memo(walk, member, memo);
    memo_write(walk, token, member, place == 0, memo);
    return memo;
}

/* Only one of the keys that lead to a node is learnt: see struct index_walk_memos. */
static bool leads_alone(const struct index_walk_memos *memos, const struct plan_node *to)
{
    if (to->under_fold) return true;
    for (uint32_t i = 0; i < memos->count; i++)
        if (memos->list[i].to == to) return false;
    return true;
}

/* Another key than the expected one: is it one of those behind it? */
static const struct index_walk_memo *memo_ahead(const struct index_walk *walk,
                                                const struct index_walk_memos *memos,
                                                const struct index_walk_memo *expected, const uint32_t *token)
{
    const struct index_walk_memo *const end = memos->list + memos->count;
    for (unsigned ahead = 0; ahead < INDEX_WALK_MEMO_AHEAD && expected + 1 < end; ahead++)
        if (walk_key_is(walk, token, ++expected)) return expected;
    return NULL;
}

/* Or anywhere in the list? With other blanks than before, these are learnt in place of the others. */
static const struct index_walk_memo *memo_search(const struct index_walk *walk,
                                                 struct index_walk_memos *memos, const uint32_t *token,
                                                 const struct walk_key *member)
{
    for (uint32_t i = 0; i < memos->count; i++) {
        struct index_walk_memo *const memo = &memos->list[i];
        if (memo->length != member->length || memcmp(memo->text + memo->key, member->key, memo->length) != 0)
            continue;
        if (!walk_key_is(walk, token, memo)) memo_write(walk, token, member, i == 0, memo);
        return memo;
    }
    return NULL;
}

/* The key at the joint `token`, which is not the expected one of the node. */
static const struct index_walk_memo *other_key(struct index_walk *walk, const struct plan_node *node,
                                               const uint32_t *token, const struct index_walk_memo *expected)
{
    struct index_walk_memos *const memos = walk_key_memos(walk, node);
    struct walk_key member;
    bool escaped;
    if (!read_key(walk, token + 1, &member)) return NULL;
    const struct index_walk_memo *memo = memo_ahead(walk, memos, expected, token);
    if (memo == NULL) memo = memo_search(walk, memos, token, &member);
    if (memo != NULL) return memo;
    if (!walk_key_find(walk, node, &member, &escaped)) return NULL;
    bool const learns = !escaped && !walk->exact && memos->count < INDEX_WALK_MEMOS &&
                        member.length + MEMO_AROUND <= INDEX_WALK_MEMO_TEXT &&
                        (member.node == PLAN_NONE || leads_alone(memos, walk->nodes + member.node));
    if (learns) return memo_learn(walk, &member, token, memos, expected - memos->list);
    walk_key_memo(walk, &member, &walk->once);
    return &walk->once;
}

const struct index_walk_memo walk_key_none;

/* Not inlined, by link-time optimisation either: the loop over members seldom comes here. */
__attribute__((noinline)) const struct index_walk_memo *walk_key_other(struct index_walk *walk,
                                                                       const struct plan_node *node,
                                                                       const uint32_t *token, bool first,
                                                                       const struct index_walk_memo *expected)
{
    const uint8_t *const bytes = walk->bytes;
    uint32_t const end = walk->end, quote = token[1];
    if (first && bytes[quote] == '}' && quote < end) return &walk_key_none;
    if (!first && token[0] >= end)
        walk_defect(walk, DEFECT_SYNTAX, end);
    else if (!first && bytes[token[0]] != ',')
        walk_defect_syntax(walk, token);
    else if (bytes[quote] != '"' || quote >= end)
        walk_defect_syntax(walk, token + 1);
    else
        return other_key(walk, node, token, expected);
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
