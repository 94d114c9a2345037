/* walk_object.c - see the header. Thread: the walk's. Owns nothing. */
#include "core/record/walk_object.h"

#include "core/record/walk_key.h"
#include "core/record/walk_value.h"

/* The value at `token` of a member whose key leads to a node. */
static const uint32_t *walk_member(struct index_walk *walk, const uint32_t *token,
                                   const struct index_walk_memo *memo, const uint8_t *key, uint64_t object,
                                   uint32_t depth)
{
    struct cells *const cells = walk->cells;
    uint32_t const id =
        (uint32_t)(memo->to - walk->nodes); /* the memo may be used again for what lies inside */
    if (__builtin_expect(memo->to->under_fold, 0)) {
        if (!cells_enter_fold(cells, object, id, memo->exact, key, memo->length))
            return walk_skip_value(walk, token, depth);
        const uint32_t *next = walk_value(walk, token, memo->to, depth);
        cells_leave_fold(cells, id);
        return next;
    }
    if (!cells_enter(cells, object, id, memo->exact)) return walk_skip_value(walk, token, depth);
    return walk_value(walk, token, memo->to, depth);
}

/* ---- members that may lead to several nodes ---- */

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
    member.to = walk->nodes + twin;
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
            walk_folded(walk, token, next, walk->nodes + node->folded, key, length, object, depth);
        if (next != NULL) next = behind;
    }
    if (node->branches && (next != NULL || walk->exact)) {
        uint32_t const entered = cells_enter_member(walk->cells, object, node, key, length);
        const uint32_t *const behind = walk_value_branches(walk, token, node, depth);
        cells_leave_member(walk->cells, entered);
        if (next != NULL) next = behind;
    }
    return next;
}

/* ---- members one by one ---- */

/* An object of which each member that leads somewhere is noted. */
struct frame {
    const struct plan_node *node;
    uint64_t object;
    const struct index_walk_memo *expected; /* the next key */
    bool first;                             /* the joint at hand is the object's '{' */
};

enum next { NEXT_MEMBER, NEXT_END, NEXT_DEFECT };

/* What stands at the joint `token`: the object's end, or a member. Of its key `*memo` is what is known, and
 * the one to expect behind it is noted. */
static inline enum next next_member(struct index_walk *walk, const uint32_t *token, struct frame *now,
                                    const struct index_walk_memo **memo)
{
    *memo = now->expected;
    if (!now->first && walk->bytes[token[0]] == '}' && token[0] < walk->end) return NEXT_END;
    if (!walk_key_follows(walk, token, *memo, now->first))
        *memo = walk_key_other(walk, now->node, token, now->first, *memo);
    if (*memo == NULL) return NEXT_DEFECT;
    if (*memo == &walk_key_none) return NEXT_END;
    if (*memo != &walk->once) now->expected = *memo + 1;
    return NEXT_MEMBER;
}

/* The members from the joint `token` on; `depth`: containers open around them. */
static const uint32_t *walk_members(struct index_walk *walk, const uint32_t *token, struct frame now,
                                    uint32_t depth)
{
    for (;;) {
        const struct index_walk_memo *memo;
        enum next const next = next_member(walk, token, &now, &memo);
        if (next == NEXT_DEFECT) return NULL;
        if (next == NEXT_END) break;
        const uint8_t *const key = walk->bytes + token[1] + 1;
        now.first = false;
        token += 3;
        if (now.node->several)
            token = walk_several(walk, token, now.node, memo, key, now.object, depth);
        else if (memo->to == NULL)
            token = walk_skip_value(walk, token, depth);
        else
            token = walk_member(walk, token, memo, key, now.object, depth);
        if (token == NULL) return NULL;
    }
    return token + (now.first ? 2 : 1); /* an empty object's end begins at its '{' */
}

const uint32_t *walk_object_several(struct index_walk *walk, const uint32_t *token,
                                    const struct plan_node *node, uint32_t depth)
{
    if (depth == walk->depth_max) return walk_defect(walk, DEFECT_DEPTH, *token);
    struct frame const begin = {.node = node,
                                .object = ++walk->cells->object,
                                .expected = walk_key_memos(walk, node)->list,
                                .first = true};
    token = walk_members(walk, token, begin, depth + 1);
    if (token != NULL) cells_leave_object(walk->cells, begin.object);
    return token;
}

/* ---- members in the order that was learnt ---- */

/* An object whose members come in the order of its memos: none of them leads to a node that one before led
 * to, so none is noted. When one comes in another order, or may share its node, those that came are noted
 * behind the fact, and the others are walked one by one. */
struct object {
    const struct plan_node *node;
    const uint32_t *begin;                  /* its '{' */
    const struct index_walk_memo *expected; /* the next key, while the loop is not at this object */
    const struct index_walk_memo *member;   /* what other_act() met */
    uint64_t number;                        /* 0: it has none yet */
    uint32_t item_first;                    /* items made before */
    uint32_t skipped; /* bit i: memo i stands before the expected one, but its key did not come */
};

static inline void object_begin(const struct index_walk *walk, struct object *now, const uint32_t *token,
                                const struct plan_node *node)
{
    now->node = node;
    now->begin = token;
    now->number = 0;
    now->item_first = walk->cells->item_count;
    now->skipped = 0;
}

static uint64_t object_number(struct cells *cells, struct object *now)
{
    if (now->number == 0) now->number = ++cells->object;
    return now->number;
}

/* What is to be done at a joint, beside what memos say (all bits of theirs lie below 256). */
#define WALK_ACT_APART  256u /* the rest of the object is walked one by one */
#define WALK_ACT_DEFECT 512u

/* `memo` came in place of the expected one: those between them were skipped. */
static void expect_behind(struct object *now, const struct index_walk_memos *memos,
                          const struct index_walk_memo *memo)
{
    uint64_t const before = (1ull << (memo - memos->list)) - 1;
    now->skipped |= (uint32_t)(before & ~((1ull << (now->expected - memos->list)) - 1));
    now->expected = memo + 1;
}

/* A value of `memo` at `token`, of which nothing is known. */
static unsigned act_of_value(const struct index_walk *walk, const uint32_t *token,
                             const struct index_walk_memo *memo)
{
    if (memo->to != NULL && memo->to->under_fold) return WALK_ACT_FOLD;
    return memo->nests && walk->bytes[*token] == '{' ? WALK_ACT_OBJECT : WALK_ACT_LOOK;
}

/* The same as next_act() where the text of the expected memo does not stand. */
static __attribute__((noinline)) unsigned other_act(struct index_walk *walk, const uint32_t *token,
                                                    struct object *now)
{
    bool const first = token == now->begin;
    const struct index_walk_memo *memo = now->expected;
    if (!first && walk->bytes[token[0]] == '}' && token[0] < walk->end) return WALK_ACT_END;
    if (!walk_key_follows(walk, token, memo, first))
        memo = walk_key_other(walk, now->node, token, first, memo);
    now->member = memo;
    if (memo == NULL) return WALK_ACT_DEFECT;
    if (memo == &walk_key_none) return WALK_ACT_END;
    /* Behind the first joint the first text of the list must not be expected: it begins with the '{'. */
    bool const apart = memo->to != NULL || now->expected == walk_key_memos(walk, now->node)->list;
    if (memo == &walk->once) return apart ? WALK_ACT_APART : WALK_ACT_LOOK;
    if (memo < now->expected) return WALK_ACT_APART;
    expect_behind(now, walk_key_memos(walk, now->node), memo);
    return act_of_value(walk, token + 3, memo);
}

/* What is to be done at the joint `token`: an enum walk_act, or one of the above. `*memo` is what is known of
 * the key that stands there, `*expected` becomes the next one. Inlined: most keys are the expected one, and
 * take no call. */
static inline __attribute__((always_inline)) unsigned next_act(struct index_walk *walk, const uint32_t *token,
                                                               struct object *now,
                                                               const struct index_walk_memo **expected,
                                                               const struct index_walk_memo **memo)
{
    const uint8_t *const joint = walk->bytes + token[0];
    *memo = *expected;
    if (__builtin_expect(walk_key_matches_low(*memo, joint, 0), 1)) {
        unsigned const act = (*memo)->act;
        if (__builtin_expect(act < WALK_ACT_LONG, 1)) {
            ++*expected;
            return act;
        }
        if (walk_key_matches_high(*memo, joint, 0)) {
            ++*expected;
            return act - WALK_ACT_LONG;
        }
    }
    now->expected = *expected;
    unsigned const act = other_act(walk, token, now);
    *expected = now->expected;
    *memo = now->member;
    return act;
}

/* The rest of an object, from the joint `token` on, one by one. */
static __attribute__((noinline)) const uint32_t *walk_rest(struct index_walk *walk, const uint32_t *token,
                                                           struct object *now, uint32_t depth)
{
    const struct index_walk_memo *const list = walk_key_memos(walk, now->node)->list;
    struct frame const rest = {.node = now->node,
                               .object = object_number(walk->cells, now),
                               .expected = now->expected,
                               .first = token == now->begin};
    for (const struct index_walk_memo *memo = list; memo < now->expected; memo++) {
        bool const came = (now->skipped >> (memo - list) & 1) == 0;
        if (came && memo->to != NULL && !memo->to->under_fold)
            cells_entered(walk->cells, rest.object, (uint32_t)(memo->to - walk->nodes), memo->exact,
                          now->item_first);
    }
    return walk_members(walk, token, rest, depth);
}

/* The token behind the object at hand, whose end is at the joint `token`: an empty one's begins there, too.
 */
static inline const uint32_t *behind_end(const uint32_t *token, const struct object *now)
{
    return token + (token == now->begin ? 2 : 1);
}

/* The string at `token` to a cell. */
static inline void put_string(struct index_walk *walk, const uint32_t *token, uint32_t slot)
{
    const uint8_t *const at = walk->bytes + token[0], *behind = walk->bytes + token[1];
    while (__builtin_expect(json_is_blank(behind[-1]), 0))
        behind--;
    cells_put(walk->cells, slot, false, at, (uint32_t)(behind - at));
}

/* Members that seldom come or take a call. Returns the token behind the value. */
static inline __attribute__((always_inline)) const uint32_t *
walk_looked(struct index_walk *walk, const uint32_t *token, struct object *now,
            const struct index_walk_memo *memo, unsigned act, uint32_t depth)
{
    if (__builtin_expect(token[2] >= walk->end, 0)) return walk_defect(walk, DEFECT_SYNTAX, walk->end);
    const uint32_t *const value = token + 3;
    if (memo->to == NULL) return walk_skip_value(walk, value, depth);
    if (act == WALK_ACT_FOLD)
        return walk_member(walk, value, memo, walk->bytes + token[1] + 1, object_number(walk->cells, now),
                           depth);
    return walk_value(walk, value, memo->to, depth);
}

/* Objects of the plan that are walked in one loop; deeper ones take a call. Paths seldom have more parts. */
#define OBJECTS 8u

const uint32_t *walk_object(struct index_walk *walk, const uint32_t *token, const struct plan_node *node,
                            uint32_t depth)
{
    uint32_t const end = walk->end, more = walk->depth_max - depth;
    if (more == 0) return walk_defect(walk, DEFECT_DEPTH, *token);
    struct object objects[OBJECTS], *now = objects;
    const struct object *const last = objects + (more < OBJECTS ? more : OBJECTS) - 1;
    const struct index_walk_memo *expected = walk_key_memos(walk, node)->list, *memo;
    object_begin(walk, now, token, node);
    depth++;
    for (;;) {
        if (__builtin_expect(token[0] >= end, 0)) return walk_defect(walk, DEFECT_SYNTAX, end);
        unsigned const act = next_act(walk, token, now, &expected, &memo);
        if (act == WALK_ACT_PASS) {
            token += 4;
        } else if (act & WALK_ACT_STRING) {
            put_string(walk, token + 3, memo->slot);
            token += 4;
        } else if ((act & WALK_ACT_OBJECT) && now != last) {
            token += 3;
            now->expected = expected;
            object_begin(walk, ++now, token, memo->to);
            expected = memo->inside;
            depth++;
        } else if (act & (WALK_ACT_END | WALK_ACT_APART)) {
            token = act & WALK_ACT_END ? behind_end(token, now) : walk_rest(walk, token, now, depth);
            if (now == objects || token == NULL) return token;
            expected = (--now)->expected;
            depth--;
        } else {
            if (act & WALK_ACT_DEFECT) return NULL;
            token = act & WALK_ACT_CONTAINER ? walk_skip_container(walk, token + 3, depth)
                                             : walk_looked(walk, token, now, memo, act, depth);
            if (token == NULL) return NULL;
        }
    }
}
