/* index_walk.c - the walk over structural tokens. Thread: one a struct. Owns its two scratch arrays.
 *
 * Functions take the token they begin at and return the token behind what they passed, NULL at a defect. A
 * token is trusted to be the record's when its byte fits the grammar; that its offset lies before the
 * record's end is checked once behind every member or element, and at every token that is skipped: offsets
 * only grow, so a walk that ran out of the record is found there, at most two entries behind the index's end.
 */
#include "core/record/index_walk.h"

#include "core/base/scan.h"
#include "core/record/json_text.h"

#include <stdlib.h>
#include <string.h>

static inline const struct plan_node *node_of(const struct index_walk *walk, uint32_t id)
{
    return walk->nodes + id;
}

/* ---- defects ---- */

/* An exact walk may go over a value several times, for several nodes: the first defect in byte order stays.
 */
static const uint32_t *defect_is(struct index_walk *walk, enum defect defect, uint32_t at)
{
    if (at > walk->end) at = walk->end;
    if (walk->exact && walk->defect != DEFECT_NONE && walk->defect_at <= at) return NULL;
    walk->defect = defect;
    walk->defect_at = at;
    return NULL;
}

static const uint32_t *defect_syntax(struct index_walk *walk, const uint32_t *token)
{
    return defect_is(walk, DEFECT_SYNTAX, *token);
}

/* ---- values that are skipped ---- */

static inline bool opens(uint8_t byte)
{
    return (byte | 0x20) == '{';
}

/* Which bytes are brackets. */
static const bool is_bracket[256] = {['{'] = true, ['}'] = true, ['['] = true, [']'] = true};

/* The next bracket from `token` on, or a token at or behind the record's end. Two tokens at a time: two
 * entries at least stand behind the index. */
static inline __attribute__((always_inline)) const uint32_t *next_bracket(const uint8_t *bytes,
                                                                          const uint32_t *token, uint32_t end)
{
    for (; token[1] < end; token += 2) {
        if (is_bracket[bytes[token[0]]]) return token;
        if (is_bracket[bytes[token[1]]]) return token + 1;
    }
    return token[0] >= end || is_bracket[bytes[token[0]]] ? token : token + 1;
}

/* Passes the object or array at `token`, bracket by bracket; '{' + 2 == '}' and '[' + 2 == ']'. */
static const uint32_t *skip_container(struct index_walk *walk, const uint32_t *token, uint32_t depth)
{
    const uint8_t *const bytes = walk->bytes;
    uint8_t *const brackets = walk->brackets;
    uint32_t const end = walk->end;
    uint32_t now = depth;
    do {
        token = next_bracket(bytes, token, end);
        uint32_t const offset = *token++;
        if (offset >= end) return defect_is(walk, DEFECT_SYNTAX, end);
        uint8_t const byte = bytes[offset];
        if (opens(byte)) {
            if (now == walk->depth_max) return defect_is(walk, DEFECT_DEPTH, offset);
            brackets[++now] = byte;
        } else {
            if (brackets[now] + 2 != byte) return defect_is(walk, DEFECT_SYNTAX, offset);
            now--;
        }
    } while (now != depth);
    return token;
}

/* What a value's first byte says: most begin a scalar. */
enum first { FIRST_SCALAR, FIRST_OPEN, FIRST_BAD };
static const uint8_t first_of[256] = {['{'] = FIRST_OPEN, ['['] = FIRST_OPEN, [','] = FIRST_BAD,
                                      [':'] = FIRST_BAD,  [']'] = FIRST_BAD,  ['}'] = FIRST_BAD};

static inline const uint32_t *skip_value(struct index_walk *walk, const uint32_t *token, uint32_t depth)
{
    uint8_t const first = first_of[walk->bytes[*token]];
    if (__builtin_expect(first == FIRST_SCALAR, 1)) return token + 1;
    return first == FIRST_OPEN ? skip_container(walk, token, depth) : defect_syntax(walk, token);
}

/* ---- values that are selected ---- */

/* Where the scalar that begins before `next` ends: the blanks between it and the next token are not its. */
static inline uint32_t scalar_end(const struct index_walk *walk, uint32_t next)
{
    if (next > walk->end) next = walk->end;
    const uint8_t *bytes = walk->bytes + next;
    while (json_is_blank(bytes[-1]))
        bytes--; /* ends: the scalar's first byte is no blank */
    return (uint32_t)(bytes - walk->bytes);
}

/* A string that begins at `begin` is open at the record's end; one whose text matters may hold a bad escape
 * before. */
static const uint32_t *defect_open_string(struct index_walk *walk, uint32_t begin, bool matters)
{
    const uint8_t *const raw = walk->bytes + begin + 1;
    uint32_t const length = walk->end - begin - 1;
    struct json_string string;
    if (walk->exact && matters && !json_unescape(raw, length, NULL, &string) &&
        !json_escape_is_cut(raw + string.bad, length - string.bad))
        return defect_is(walk, DEFECT_SYNTAX, begin + 1 + (uint32_t)string.bad);
    return defect_is(walk, DEFECT_UNCLOSED_STRING, walk->end);
}

static const uint32_t *select_exactly(struct index_walk *walk, const uint32_t *token,
                                      const struct plan_node *node)
{
    uint32_t const begin = token[0];
    if (begin >= walk->end) return defect_is(walk, DEFECT_SYNTAX, walk->end);
    uint32_t const end = scalar_end(walk, token[1]);
    const uint8_t *const at = walk->bytes + begin;
    if (*at == '"' && (end - begin < 2 || walk->bytes[end - 1] != '"'))
        return defect_open_string(walk, begin, plan_reads(walk->plan, node->slot, *at));
    cells_put(walk->cells, node->slot, node->many, at, end - begin);
    return token + 1;
}

/* A scalar to its cell. A string's closing quote is looked at by exact walks alone: stage 1 saw that it is
 * there, and what stands between it and the next token can only be blanks. So are the record's ends: whoever
 * put a cell that lies across it fails at the next token. */
static inline const uint32_t *select_scalar(struct index_walk *walk, const uint32_t *token,
                                            const struct plan_node *node)
{
    if (__builtin_expect(walk->exact, 0)) return select_exactly(walk, token, node);
    const uint8_t *const at = walk->bytes + token[0], *behind = walk->bytes + token[1];
    while (__builtin_expect(json_is_blank(behind[-1]), 0))
        behind--;
    cells_put(walk->cells, node->slot, node->many, at, (uint32_t)(behind - at));
    return token + 1;
}

/* Is the value at `begin`, of at most `length` bytes, well-formed? Notes the defect if not. */
static bool check_value(struct index_walk *walk, uint32_t begin, uint32_t length, uint32_t depth)
{
    const uint8_t *const at = walk->bytes + begin;
    size_t written, bad;
    bool const good = opens(*at) ? json_container(at, length, walk->brackets + depth, walk->depth_max - depth,
                                                  NULL, &written, &bad)
                                 : json_is_scalar(at, length, &bad);
    if (!good) defect_is(walk, DEFECT_SYNTAX, begin + (uint32_t)bad);
    return good;
}

static const uint32_t *walk_object(struct index_walk *walk, const uint32_t *token,
                                   const struct plan_node *node, uint32_t depth);
static const uint32_t *walk_object_several(struct index_walk *walk, const uint32_t *token,
                                           const struct plan_node *node, uint32_t depth);
static const uint32_t *walk_array(struct index_walk *walk, const uint32_t *token,
                                  const struct plan_node *node, uint32_t depth);

/* A value that `node` of the plan stands for. `depth`: containers open around it. Inlined whatever the
 * compiler thinks of its many callers: in the loop over members that is worth 5 % of all instructions. */
static inline __attribute__((always_inline)) const uint32_t *
walk_value(struct index_walk *walk, const uint32_t *token, const struct plan_node *node, uint32_t depth)
{
    uint8_t const byte = walk->bytes[*token], first = first_of[byte];
    if (first == FIRST_SCALAR) return node->slot == PLAN_NONE ? token + 1 : select_scalar(walk, token, node);
    if (first == FIRST_BAD) return defect_syntax(walk, token);
    const uint32_t *next;
    if (byte == '{' && node->enters_object)
        next = __builtin_expect(node->several, 0) ? walk_object_several(walk, token, node, depth)
                                                  : walk_object(walk, token, node, depth);
    else if (byte == '[' && node->enters_array)
        next = walk_array(walk, token, node, depth);
    else
        next = skip_container(walk, token, depth);
    if (node->slot == PLAN_NONE) return next;
    if (next != NULL)
        cells_put(walk->cells, node->slot, node->many, walk->bytes + *token, next[-1] + 1 - *token);
    else if (walk->exact && plan_reads(walk->plan, node->slot, byte)) /* what was passed over may be worse */
        check_value(walk, *token, walk->end - *token, depth);
    return next;
}

/* An element or member value that a filter may pick: walked once to test, once more when the test holds. */
static const uint32_t *walk_filter(struct index_walk *walk, const uint32_t *token,
                                   const struct plan_filter *filter, uint32_t depth)
{
    struct cells *cells = walk->cells;
    const struct plan_node *test = node_of(walk, filter->test_node);
    cells_clear(cells, test->slot_first, test->slot_end);
    const uint32_t *next = walk_value(walk, token, test, depth);
    if (next == NULL) return NULL;
    struct cell const *found = &cells->slots[filter->test_slot];
    if (found->at == NULL) return next;
    uint32_t const begin = (uint32_t)(found->at - walk->bytes);
    if (!check_value(walk, begin, found->length, depth)) return NULL;
    size_t bad;
    enum defect const defect = cells_compared(cells, found->at, found->length, &bad);
    if (defect != DEFECT_NONE) return defect_is(walk, defect, begin + (uint32_t)bad);
    if (!json_equal(found->at, found->length, (const uint8_t *)filter->literal, filter->literal_length))
        return next;
    return walk_value(walk, token, node_of(walk, filter->node), depth);
}

/* [*] and the filters of a node that branches, over one element or member value. Goes on behind a defect when
 * the walk is exact. */
static const uint32_t *walk_branches(struct index_walk *walk, const uint32_t *token,
                                     const struct plan_node *node, uint32_t depth)
{
    const uint32_t *next = token;
    if (node->wildcard != PLAN_NONE) next = walk_value(walk, token, node_of(walk, node->wildcard), depth);
    for (uint32_t i = 0; (next != NULL || walk->exact) && i < node->filter_count; i++) {
        const uint32_t *const behind = walk_filter(walk, token, &node->filters[i], depth);
        if (next != NULL) next = behind;
    }
    return next;
}

/* ---- objects ---- */

struct member {
    const uint8_t *key; /* raw, between its quotes */
    uint32_t length;
    uint32_t node; /* that the key leads to */
    bool exact;    /* not by an `xdm:` prefix */
};

static uint32_t find_key(const struct plan_node *node, const uint8_t *key, uint32_t length)
{
    return node->fold ? plan_find_fold(node, key, length) : plan_find(node, key, length);
}

/* The rare keys: with escapes, or with the prefix. */
static bool find_rare(struct index_walk *walk, const struct plan_node *node, struct member *member,
                      bool escaped)
{
    const uint8_t *key = member->key;
    uint32_t length = member->length;
    if (escaped) {
        struct json_string string;
        uint8_t *const out = length <= INDEX_WALK_KEY_MAX ? walk->key : NULL;
        if (!json_unescape(key, length, out, &string)) {
            defect_is(walk, DEFECT_SYNTAX, (uint32_t)(key + string.bad - walk->bytes));
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

/* Where a member's key leads. False: a defect in the key. */
static bool find_member(struct index_walk *walk, const struct plan_node *node, struct member *member,
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
    if (key[0] < walk->end && key[1] >= walk->end) return defect_open_string(walk, key[0], true);
    return defect_syntax(walk, key + 1);
}

/* The key at `token`, a quote: its bytes, when a colon is the next token. */
static inline bool read_key(struct index_walk *walk, const uint32_t *token, struct member *member)
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
    return (*close == '"' && close >= member->key) || defect_syntax(walk, token) != NULL;
}

/* ---- keys that were seen before ---- */

#define MEMO_AROUND 4u /* bytes around a key: ," and ": */
/* What stands before a key's quote does not count: a '{', or a blank. */
#define MEMO_ANY_JOINT 1u

/* Does the memo's text stand at `joint`, but for the bytes that `any` has bits of? */
static inline bool memo_matches(const struct index_walk_memo *memo, const uint8_t *joint, uint32_t any)
{
    if (((scan_equal(joint, memo->text) | any) & memo->low) != memo->low) return false;
    if (__builtin_expect(memo->high == 0, 1)) return true;
    return (scan_equal(joint + SCAN_STEP, memo->text + SCAN_STEP) & memo->high) == memo->high;
}

static struct index_walk_memos *memos_of(struct index_walk *walk, const struct plan_node *node)
{
    return walk->exact ? &walk->no_memos : &walk->memos[node->inner];
}

static void memo_fill(struct index_walk *walk, const struct member *member, struct index_walk_memo *memo)
{
    memo->length = member->length;
    memo->node = member->node;
    memo->exact = member->exact;
    memo->to = member->node == PLAN_NONE ? NULL : node_of(walk, member->node);
    memo->folds = memo->to != NULL && memo->to->under_fold;
    memo->nests =
        memo->to != NULL && memo->to->enters_object && !memo->to->several && memo->to->slot == PLAN_NONE;
    memo->inside = memo->nests ? memos_of(walk, memo->to)->list : NULL;
}

/* Remembers the key at its place, before the one that was expected: so the list keeps the order of the
 * members although not every object has all of them. */
static const struct index_walk_memo *memo_learn(struct index_walk *walk, const struct member *member,
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
    memo_fill(walk, member, memo);
    return memo;
}

/* Another key than the expected one: is it one of those behind it, or anywhere in the list? */
static const struct index_walk_memo *memo_search(const struct index_walk_memos *memos,
                                                 const struct index_walk_memo *expected, const uint8_t *joint)
{
    const struct index_walk_memo *const end = memos->list + memos->count;
    if (memo_matches(expected, joint, MEMO_ANY_JOINT)) return expected; /* blanks before it */
    for (unsigned ahead = 0; ahead < INDEX_WALK_MEMO_AHEAD && expected < end; ahead++)
        if (memo_matches(++expected, joint, MEMO_ANY_JOINT)) return expected;
    for (const struct index_walk_memo *memo = memos->list; memo < end; memo++)
        if (memo_matches(memo, joint, MEMO_ANY_JOINT)) return memo;
    return NULL;
}

/* The key at `token`, a quote, which is not the expected one. NULL: a defect. */
static const struct index_walk_memo *memo_other(struct index_walk *walk, const struct plan_node *node,
                                                const uint32_t *token, struct index_walk_memos *memos,
                                                const struct index_walk_memo *expected)
{
    struct member member;
    bool escaped;
    if (!read_key(walk, token, &member)) return NULL;
    const struct index_walk_memo *memo = memo_search(memos, expected, member.key - 2);
    if (memo != NULL) return memo;
    if (!find_member(walk, node, &member, &escaped)) return NULL;
    bool const learns = !escaped && !walk->exact && memos->count < INDEX_WALK_MEMOS &&
                        member.length + MEMO_AROUND <= INDEX_WALK_MEMO_TEXT;
    if (learns) return memo_learn(walk, &member, memos, expected - memos->list);
    memo_fill(walk, &member, &walk->once);
    return &walk->once;
}

/* The value at `token` of a member whose key leads to a node. */
static const uint32_t *walk_member(struct index_walk *walk, const uint32_t *token,
                                   const struct index_walk_memo *memo, const uint8_t *key, uint64_t object,
                                   uint32_t depth)
{
    struct cells *const cells = walk->cells;
    uint32_t const id = memo->node; /* the memo may be used again for what lies inside the value */
    if (__builtin_expect(memo->folds, 0)) {
        if (!cells_enter_fold(cells, object, id, memo->exact, key, memo->length))
            return skip_value(walk, token, depth);
        const uint32_t *next = walk_value(walk, token, memo->to, depth);
        cells_leave_fold(cells, id);
        return next;
    }
    if (!cells_enter(cells, object, id, memo->exact)) return skip_value(walk, token, depth);
    return walk_value(walk, token, memo->to, depth);
}

/* The node that a key with the prefix leads to without it, beside the one that it leads to as it is. */
static uint32_t find_twin(struct index_walk *walk, const struct plan_node *node, const uint8_t *key,
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

/* The value at `token` of a member, by the names of `node`: its key may lead to two nodes. Goes on behind a
 * defect when the walk is exact. */
static const uint32_t *walk_named(struct index_walk *walk, const uint32_t *token,
                                  const struct plan_node *node, struct index_walk_memo member,
                                  const uint8_t *key, uint64_t object, uint32_t depth)
{
    uint32_t const twin = node->twins && member.to != NULL && member.exact
                              ? find_twin(walk, node, key, member.length)
                              : PLAN_NONE;
    const uint32_t *next = member.to == NULL ? skip_value(walk, token, depth)
                                             : walk_member(walk, token, &member, key, object, depth);
    if (twin == PLAN_NONE || (next == NULL && !walk->exact)) return next;
    member.node = twin;
    member.to = node_of(walk, twin);
    member.exact = false;
    const uint32_t *const behind = walk_member(walk, token, &member, key, object, depth);
    return next == NULL ? NULL : behind;
}

/* The same by the names that match without regard to case, beside those of a node. `next`: what is behind the
 * value, returned when none of them matches. */
static const uint32_t *walk_folded(struct index_walk *walk, const uint32_t *token, const uint32_t *next,
                                   const struct plan_node *folded, const uint8_t *key, uint32_t length,
                                   uint64_t object, uint32_t depth)
{
    struct member member = {.key = key, .length = length};
    struct index_walk_memo memo;
    bool escaped;
    if (!find_member(walk, folded, &member, &escaped)) return NULL;
    if (member.node == PLAN_NONE) return next;
    memo_fill(walk, &member, &memo);
    return walk_named(walk, token, folded, memo, key, object, depth);
}

/* The value at `token` of a member that may lead to several nodes. Goes on behind a defect when the walk is
 * exact. */
static const uint32_t *walk_several(struct index_walk *walk, const uint32_t *token,
                                    const struct plan_node *node, const struct index_walk_memo *memo,
                                    const uint8_t *key, uint64_t object, uint32_t depth)
{
    uint32_t const length = memo->length; /* walk->once may be used again for what lies inside the value */
    const uint32_t *next = walk_named(walk, token, node, *memo, key, object, depth);
    if (node->folded != PLAN_NONE && (next != NULL || walk->exact)) {
        const uint32_t *const behind =
            walk_folded(walk, token, next, node_of(walk, node->folded), key, length, object, depth);
        if (next != NULL) next = behind;
    }
    if (node->branches && (next != NULL || walk->exact)) {
        uint32_t const entered = cells_enter_member(walk->cells, object, node, key, length);
        const uint32_t *const behind = walk_branches(walk, token, node, depth);
        cells_leave_member(walk->cells, entered);
        if (next != NULL) next = behind;
    }
    return next;
}

/* Stands for the '}' of an object that has no member. */
static const struct index_walk_memo no_member;

/* The joint at `token` is not followed by the expected key: a '{' when `first`, else whatever is behind a
 * value. Returns what is known of the key at token[1], &no_member at the end of an empty object, NULL at a
 * defect. */
static __attribute__((noinline)) const struct index_walk_memo *
joint_other(struct index_walk *walk, const struct plan_node *node, const uint32_t *token, bool first,
            const struct index_walk_memo *expected)
{
    const uint8_t *const bytes = walk->bytes;
    uint32_t const end = walk->end, quote = token[1];
    if (first && bytes[quote] == '}' && quote < end) return &no_member;
    if (!first && token[0] >= end)
        defect_is(walk, DEFECT_SYNTAX, end);
    else if (!first && bytes[token[0]] != ',')
        defect_syntax(walk, token);
    else if (bytes[quote] != '"' || quote >= end)
        defect_syntax(walk, token + 1);
    else
        return memo_other(walk, node, token + 1, memos_of(walk, node), expected);
    return NULL;
}

/* An object whose member is walked. */
struct frame {
    const struct plan_node *node;
    uint64_t object;
    const struct index_walk_memo *expected; /* behind that member */
};

/* Objects of the plan that are walked in one loop; deeper ones take a call. Paths seldom have more parts. */
#define FRAMES 8u

/* Is the expected key with its colon at this joint? Four entries stand behind the index, of which `token` is
 * one of the first two at most. */
static inline bool joint_matches(const struct index_walk *walk, const uint32_t *token,
                                 const struct index_walk_memo *memo, uint32_t any, uint32_t end)
{
    return memo_matches(memo, walk->bytes + token[0], any) && token[2] < end;
}

/* `depth`: containers open around the object. */
static const uint32_t *walk_object(struct index_walk *walk, const uint32_t *token,
                                   const struct plan_node *node, uint32_t depth)
{
    const uint8_t *const bytes = walk->bytes;
    uint32_t const end = walk->end;
    struct cells *const cells = walk->cells;
    const struct index_walk_memo *memo = memos_of(walk, node)->list, *expected;
    struct frame frames[FRAMES], *frame = frames;
    uint64_t object = ++cells->object;
    uint32_t any = MEMO_ANY_JOINT;
    if (depth == walk->depth_max) return defect_is(walk, DEFECT_DEPTH, *token);
    depth++;
    for (;;) { /* at a '{', or behind a value */
        if (__builtin_expect(joint_matches(walk, token, memo, any, end), 1)) {
            expected = memo + 1;
        } else if (any == 0 && bytes[token[0]] == '}' && token[0] < end) {
            token++;
            if (frame == frames) return token;
            frame--;
            depth--;
            node = frame->node;
            object = frame->object;
            memo = frame->expected;
            continue;
        } else {
            expected = memo;
            memo = joint_other(walk, node, token, any != 0, expected);
            if (memo == NULL) return NULL;
            any = 0;
            if (memo == &no_member) { /* at its '}' next */
                memo = expected;
                token++;
                continue;
            }
            if (memo != &walk->once) expected = memo + 1;
        }
        any = 0;
        const uint8_t *const key = bytes + token[1] + 1;
        token += 3;
        if (memo->to == NULL) {
            token = skip_value(walk, token, depth);
        } else if (__builtin_expect(memo->folds, 0)) {
            token = walk_member(walk, token, memo, key, object, depth);
        } else if (!cells_enter(cells, object, memo->node, memo->exact)) {
            token = skip_value(walk, token, depth);
        } else if (memo->nests && bytes[token[0]] == '{' && frame != frames + FRAMES &&
                   depth != walk->depth_max) {
            *frame++ = (struct frame){.node = node, .object = object, .expected = expected};
            node = memo->to;
            object = ++cells->object;
            memo = memo->inside;
            any = MEMO_ANY_JOINT;
            depth++;
            continue;
        } else {
            token = walk_value(walk, token, memo->to, depth);
        }
        if (token == NULL) return NULL;
        memo = expected;
    }
}

/* The same for an object whose members may lead to several nodes. */
static const uint32_t *walk_object_several(struct index_walk *walk, const uint32_t *token,
                                           const struct plan_node *node, uint32_t depth)
{
    uint64_t const object = ++walk->cells->object;
    const struct index_walk_memo *memo = memos_of(walk, node)->list, *expected;
    bool first = true;
    if (depth == walk->depth_max) return defect_is(walk, DEFECT_DEPTH, *token);
    for (;;) {
        expected = memo;
        if (!joint_matches(walk, token, memo, first ? MEMO_ANY_JOINT : 0, walk->end)) {
            if (!first && walk->bytes[token[0]] == '}' && token[0] < walk->end) break;
            memo = joint_other(walk, node, token, first, expected);
            if (memo == NULL) return NULL;
            if (memo == &no_member) {
                token++;
                break;
            }
        }
        if (memo != &walk->once) expected = memo + 1;
        first = false;
        const uint8_t *const key = walk->bytes + token[1] + 1;
        token = walk_several(walk, token + 3, node, memo, key, object, depth + 1);
        if (token == NULL) return NULL;
        memo = expected;
    }
    cells_leave_object(walk->cells, object);
    return token + 1;
}

/* ---- arrays ---- */

/* How many elements the array at `token` has, for [-1]. */
static bool count_elements(struct index_walk *walk, const uint32_t *token, uint32_t depth, int64_t *count)
{
    *count = 0;
    token++;
    if (walk->bytes[*token] == ']') return true;
    for (;;) {
        if (*token >= walk->end) return defect_is(walk, DEFECT_SYNTAX, walk->end) != NULL;
        token = skip_value(walk, token, depth);
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
        next = walk_value(walk, token, node_of(walk, node->indexes[i].node), depth);
        good = good && next != NULL;
    }
    if (node->branches && (good || walk->exact))
        next = walk_branches(walk, token, node, depth);
    else if (next == NULL && good)
        next = skip_value(walk, token, depth);
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

static const uint32_t *walk_array(struct index_walk *walk, const uint32_t *token,
                                  const struct plan_node *node, uint32_t depth)
{
    if (depth == walk->depth_max) return defect_is(walk, DEFECT_DEPTH, *token);
    depth++;
    int64_t count = 0;
    if (node->negative && !count_exactly(walk, token, depth, &count)) return NULL;
    token++;
    if (walk->bytes[*token] == ']' && *token < walk->end) return token + 1;
    for (int64_t index = 0;; index++) {
        if (*token >= walk->end) return defect_is(walk, DEFECT_SYNTAX, walk->end);
        token = walk_element(walk, token, node, index, count, depth);
        if (token == NULL) return NULL;
        if (*token >= walk->end) return defect_is(walk, DEFECT_SYNTAX, walk->end);
        uint8_t const byte = walk->bytes[*token++];
        if (byte == ',') continue;
        if (byte == ']') return token;
        return defect_syntax(walk, token - 1);
    }
}

/* ---- records ---- */

/* The record's first byte is no '{': a JSON value of another kind, or none. */
static const uint32_t *not_an_object(struct index_walk *walk, const uint32_t *token)
{
    uint8_t const byte = walk->bytes[*token];
    uint32_t const end = scalar_end(walk, token[1]);
    bool const is_value =
        byte == '[' || byte == '"' || json_is_scalar(walk->bytes + *token, end - *token, NULL);
    return defect_is(walk, is_value ? DEFECT_NOT_AN_OBJECT : DEFECT_SYNTAX, *token);
}

const uint32_t *index_walk_element(struct index_walk *walk, const uint32_t *token)
{
    if (*token >= walk->end) return defect_is(walk, DEFECT_SYNTAX, walk->end);
    if (walk->bytes[*token] != '{') return not_an_object(walk, token);
    const uint32_t *next = walk_value(walk, token, walk->nodes, 0);
    if (next == NULL || (walk->cells->overflow && !walk->exact)) return NULL;
    return next[-1] < walk->end ? next : defect_is(walk, DEFECT_SYNTAX, walk->end);
}

const uint32_t *index_walk_record(struct index_walk *walk, const uint32_t *token)
{
    const uint32_t *const next = index_walk_element(walk, token);
    if (next == NULL) return NULL;
    return *next < walk->end ? defect_is(walk, DEFECT_TRAILING_CONTENT, *next) : next;
}

const uint32_t *index_walk_skip(struct index_walk *walk, const uint32_t *token, uint32_t depth)
{
    if (*token >= walk->end) return NULL;
    const uint32_t *const next = skip_value(walk, token, depth);
    return next != NULL && next[-1] < walk->end ? next : NULL;
}

/* ---- memory ---- */

size_t index_walk_bytes(const struct plan *plan, uint32_t depth_max)
{
    return (size_t)depth_max + 2 + INDEX_WALK_KEY_MAX + 8 +
           plan->inner_count * sizeof(struct index_walk_memos);
}

/* 0xff is no byte of UTF-8: it never stands where a key's quote does. */
static struct index_walk_memos memos_none(void)
{
    struct index_walk_memos memos = {.count = 0};
    memos.list[0] = (struct index_walk_memo){.text = {0, 0xff}, .low = 2, .node = PLAN_NONE};
    return memos;
}

bool index_walk_create(struct index_walk *walk, const struct plan *plan, uint32_t depth_max)
{
    *walk = (struct index_walk){.plan = plan, .nodes = plan->nodes, .depth_max = depth_max};
    walk->brackets = calloc(1, (size_t)depth_max + 2);
    walk->key = calloc(1, INDEX_WALK_KEY_MAX + 8);
    walk->memos = calloc(plan->inner_count + 1, sizeof *walk->memos);
    if (walk->brackets == NULL || walk->key == NULL || walk->memos == NULL) {
        index_walk_destroy(walk);
        return false;
    }
    walk->no_memos = memos_none();
    for (uint32_t i = 0; i < plan->inner_count; i++)
        walk->memos[i] = walk->no_memos;
    return true;
}

void index_walk_destroy(struct index_walk *walk)
{
    free(walk->brackets);
    free(walk->key);
    free(walk->memos);
    *walk = (struct index_walk){0};
}
