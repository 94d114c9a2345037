/* index_walk.c - the walk over structural tokens. Thread: one a struct. Owns its two scratch arrays.
 *
 * Functions take the token they begin at and return the token behind what they passed, NULL at a defect. A
 * token is trusted to be the record's when its byte fits the grammar; that its offset lies before the
 * record's end is checked once behind every member or element, and at every token that is skipped: offsets
 * only grow, so a walk that ran out of the record is found there. By then it is at most one entry behind that
 * of the index's end, and has looked at two more. */
#include "core/record/index_walk.h"

#include "core/record/json_text.h"
#include "core/record/walk_key.h"
#include "core/record/walk_skip.h"

#include <stdlib.h>
#include <string.h>

static inline const struct plan_node *node_of(const struct index_walk *walk, uint32_t id)
{
    return walk->nodes + id;
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

static const uint32_t *select_exactly(struct index_walk *walk, const uint32_t *token,
                                      const struct plan_node *node)
{
    uint32_t const begin = token[0];
    if (begin >= walk->end) return walk_defect(walk, DEFECT_SYNTAX, walk->end);
    uint32_t const end = scalar_end(walk, token[1]);
    const uint8_t *const at = walk->bytes + begin;
    if (*at == '"' && (end - begin < 2 || walk->bytes[end - 1] != '"'))
        return walk_defect_open_string(walk, begin, plan_reads(walk->plan, node->slot, *at));
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
    bool const good = walk_skip_opens(*at) ? json_container(at, length, walk->brackets + depth,
                                                            walk->depth_max - depth, NULL, &written, &bad)
                                           : json_is_scalar(at, length, &bad);
    if (!good) walk_defect(walk, DEFECT_SYNTAX, begin + (uint32_t)bad);
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
    uint8_t const byte = walk->bytes[*token], first = walk_first_of[byte];
    if (first == WALK_FIRST_SCALAR)
        return node->slot == PLAN_NONE ? token + 1 : select_scalar(walk, token, node);
    if (first == WALK_FIRST_BAD) return walk_defect_syntax(walk, token);
    const uint32_t *next;
    if (byte == '{' && node->enters_object)
        next = __builtin_expect(node->several, 0) ? walk_object_several(walk, token, node, depth)
                                                  : walk_object(walk, token, node, depth);
    else if (byte == '[' && node->enters_array)
        next = walk_array(walk, token, node, depth);
    else
        next = walk_skip_container(walk, token, depth);
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
    if (defect != DEFECT_NONE) return walk_defect(walk, defect, begin + (uint32_t)bad);
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

/* The value at `token` of a member whose key leads to a node. */
static const uint32_t *walk_member(struct index_walk *walk, const uint32_t *token,
                                   const struct index_walk_memo *memo, const uint8_t *key, uint64_t object,
                                   uint32_t depth)
{
    struct cells *const cells = walk->cells;
    uint32_t const id = memo->node; /* the memo may be used again for what lies inside the value */
    if (__builtin_expect(memo->folds, 0)) {
        if (!cells_enter_fold(cells, object, id, memo->exact, key, memo->length))
            return walk_skip_value(walk, token, depth);
        const uint32_t *next = walk_value(walk, token, memo->to, depth);
        cells_leave_fold(cells, id);
        return next;
    }
    if (!cells_enter(cells, object, id, memo->exact)) return walk_skip_value(walk, token, depth);
    return walk_value(walk, token, memo->to, depth);
}

/* The value at `token` of a member, by the names of `node`: its key may lead to two nodes. Goes on behind a
 * defect when the walk is exact. */
static const uint32_t *walk_named(struct index_walk *walk, const uint32_t *token,
                                  const struct plan_node *node, struct index_walk_memo member,
                                  const uint8_t *key, uint64_t object, uint32_t depth)
{
    uint32_t const twin = node->twins && member.to != NULL && member.exact
                              ? walk_key_twin(walk, node, key, member.length)
                              : PLAN_NONE;
    const uint32_t *next = member.to == NULL ? walk_skip_value(walk, token, depth)
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
    struct walk_key member = {.key = key, .length = length};
    struct index_walk_memo memo;
    bool escaped;
    if (!walk_key_find(walk, folded, &member, &escaped)) return NULL;
    if (member.node == PLAN_NONE) return next;
    walk_key_memo(walk, &member, &memo);
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
        walk_defect(walk, DEFECT_SYNTAX, end);
    else if (!first && bytes[token[0]] != ',')
        walk_defect_syntax(walk, token);
    else if (bytes[quote] != '"' || quote >= end)
        walk_defect_syntax(walk, token + 1);
    else
        return walk_key_other(walk, node, token + 1, expected);
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
    return walk_key_matches(memo, walk->bytes + token[0], any) && token[2] < end;
}

/* The same with blanks before the key's quote. */
static inline bool joint_matches_apart(const struct index_walk *walk, const uint32_t *token,
                                       const struct index_walk_memo *memo, uint32_t any, uint32_t end)
{
    const uint8_t *const bytes = walk->bytes;
    return (any != 0 || bytes[token[0]] == ',') && token[2] < end &&
           walk_key_matches(memo, bytes + token[1] - 1, WALK_KEY_ANY_JOINT);
}

/* `depth`: containers open around the object. */
static const uint32_t *walk_object(struct index_walk *walk, const uint32_t *token,
                                   const struct plan_node *node, uint32_t depth)
{
    const uint8_t *const bytes = walk->bytes;
    uint32_t const end = walk->end;
    struct cells *const cells = walk->cells;
    const struct index_walk_memo *memo = walk_key_memos(walk, node)->list, *expected;
    struct frame frames[FRAMES], *frame = frames;
    uint64_t object = ++cells->object;
    uint32_t any = WALK_KEY_ANY_JOINT;
    if (depth == walk->depth_max) return walk_defect(walk, DEFECT_DEPTH, *token);
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
        } else if (joint_matches_apart(walk, token, memo, any, end)) {
            expected = memo + 1;
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
            token = walk_skip_value(walk, token, depth);
        } else if (__builtin_expect(memo->folds, 0)) {
            token = walk_member(walk, token, memo, key, object, depth);
        } else if (!cells_enter(cells, object, memo->node, memo->exact)) {
            token = walk_skip_value(walk, token, depth);
        } else if (memo->nests && bytes[token[0]] == '{' && frame != frames + FRAMES &&
                   depth != walk->depth_max) {
            *frame++ = (struct frame){.node = node, .object = object, .expected = expected};
            node = memo->to;
            object = ++cells->object;
            memo = memo->inside;
            any = WALK_KEY_ANY_JOINT;
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
    const struct index_walk_memo *memo = walk_key_memos(walk, node)->list, *expected;
    bool first = true;
    if (depth == walk->depth_max) return walk_defect(walk, DEFECT_DEPTH, *token);
    for (;;) {
        expected = memo;
        uint32_t const any = first ? WALK_KEY_ANY_JOINT : 0;
        if (!joint_matches(walk, token, memo, any, walk->end) &&
            !joint_matches_apart(walk, token, memo, any, walk->end)) {
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
        if (*token >= walk->end) return walk_defect(walk, DEFECT_SYNTAX, walk->end) != NULL;
        token = walk_skip_value(walk, token, depth);
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
        next = walk_skip_value(walk, token, depth);
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
    if (depth == walk->depth_max) return walk_defect(walk, DEFECT_DEPTH, *token);
    depth++;
    int64_t count = 0;
    if (node->negative && !count_exactly(walk, token, depth, &count)) return NULL;
    token++;
    if (walk->bytes[*token] == ']' && *token < walk->end) return token + 1;
    for (int64_t index = 0;; index++) {
        if (*token >= walk->end) return walk_defect(walk, DEFECT_SYNTAX, walk->end);
        token = walk_element(walk, token, node, index, count, depth);
        if (token == NULL) return NULL;
        if (*token >= walk->end) return walk_defect(walk, DEFECT_SYNTAX, walk->end);
        uint8_t const byte = walk->bytes[*token++];
        if (byte == ',') continue;
        if (byte == ']') return token;
        return walk_defect_syntax(walk, token - 1);
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
    return walk_defect(walk, is_value ? DEFECT_NOT_AN_OBJECT : DEFECT_SYNTAX, *token);
}

const uint32_t *index_walk_element(struct index_walk *walk, const uint32_t *token)
{
    if (*token >= walk->end) return walk_defect(walk, DEFECT_SYNTAX, walk->end);
    if (walk->bytes[*token] != '{') return not_an_object(walk, token);
    const uint32_t *next = walk_value(walk, token, walk->nodes, 0);
    if (next == NULL || (walk->cells->overflow && !walk->exact)) return NULL;
    return next[-1] < walk->end ? next : walk_defect(walk, DEFECT_SYNTAX, walk->end);
}

const uint32_t *index_walk_record(struct index_walk *walk, const uint32_t *token)
{
    const uint32_t *const next = index_walk_element(walk, token);
    if (next == NULL) return NULL;
    return *next < walk->end ? walk_defect(walk, DEFECT_TRAILING_CONTENT, *next) : next;
}

const uint32_t *index_walk_skip(struct index_walk *walk, const uint32_t *token, uint32_t depth)
{
    if (*token >= walk->end) return NULL;
    const uint32_t *const next = walk_skip_value(walk, token, depth);
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
