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

/* ---- the next member ---- */

/* An object whose members are walked. */
struct frame {
    const struct plan_node *node;
    uint64_t object;
    const struct index_walk_memo *expected; /* the next key */
};

enum next { NEXT_MEMBER, NEXT_END, NEXT_DEFECT };

/* What stands at the joint `token`: the object's end, or a member. Of its key `*memo` is what is known, and
 * the one to expect behind it is noted. Inlined: most keys are the expected one, and take no call. */
static inline __attribute__((always_inline)) enum next next_member(struct index_walk *walk,
                                                                   const uint32_t *token, uint32_t any,
                                                                   uint32_t end, struct frame *now,
                                                                   const struct index_walk_memo **memo)
{
    *memo = now->expected;
    if (__builtin_expect(walk_key_follows(walk, token, *memo, any, end), 1)) {
        now->expected++;
        return NEXT_MEMBER;
    }
    if (any == 0 && walk->bytes[token[0]] == '}' && token[0] < end) return NEXT_END;
    if (walk_key_follows_apart(walk, token, *memo, any, end)) {
        now->expected++;
        return NEXT_MEMBER;
    }
    *memo = walk_key_other(walk, now->node, token, any, *memo);
    if (*memo == NULL) return NEXT_DEFECT;
    if (*memo == &walk_key_none) return NEXT_END;
    if (*memo != &walk->once) now->expected = *memo + 1;
    return NEXT_MEMBER;
}

/* The token behind the '}' of an object that ends at the joint `token`: an empty one's begins there, too. */
static inline const uint32_t *behind_end(const uint32_t *token, uint32_t any)
{
    return token + (any == 0 ? 1 : 2);
}

/* ---- members that lead to one node at most ---- */

/* Objects of the plan that are walked in one loop; deeper ones take a call. Paths seldom have more parts. */
#define FRAMES 8u

const uint32_t *walk_object(struct index_walk *walk, const uint32_t *token, const struct plan_node *node,
                            uint32_t depth)
{
    uint32_t const end = walk->end;
    struct cells *const cells = walk->cells;
    struct frame outer[FRAMES], *frame = outer;
    struct frame now = {
        .node = node, .object = ++cells->object, .expected = walk_key_memos(walk, node)->list};
    uint32_t any = WALK_KEY_ANY_JOINT;
    if (depth == walk->depth_max) return walk_defect(walk, DEFECT_DEPTH, *token);
    depth++;
    for (;;) {
        const struct index_walk_memo *memo;
        enum next const next = next_member(walk, token, any, end, &now, &memo);
        if (next == NEXT_DEFECT) return NULL;
        if (next == NEXT_END) {
            token = behind_end(token, any);
            if (frame == outer) return token;
            now = *--frame;
            any = 0;
            depth--;
            continue;
        }
        const uint8_t *const key = walk->bytes + token[1] + 1;
        any = 0;
        token += 3;
        if (memo->to == NULL) {
            token = walk_skip_value(walk, token, depth);
        } else if (__builtin_expect(memo->folds, 0)) {
            token = walk_member(walk, token, memo, key, now.object, depth);
        } else if (!cells_enter(cells, now.object, memo->node, memo->exact)) {
            token = walk_skip_value(walk, token, depth);
        } else if (memo->nests && walk->bytes[token[0]] == '{' && frame != outer + FRAMES &&
                   depth != walk->depth_max) {
            *frame++ = now;
            now = (struct frame){.node = memo->to, .object = ++cells->object, .expected = memo->inside};
            any = WALK_KEY_ANY_JOINT;
            depth++;
            continue;
        } else {
            token = walk_value(walk, token, memo->to, depth);
        }
        if (token == NULL) return NULL;
    }
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
    member.node = twin;
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

const uint32_t *walk_object_several(struct index_walk *walk, const uint32_t *token,
                                    const struct plan_node *node, uint32_t depth)
{
    struct frame now = {
        .node = node, .object = ++walk->cells->object, .expected = walk_key_memos(walk, node)->list};
    uint32_t any = WALK_KEY_ANY_JOINT;
    if (depth == walk->depth_max) return walk_defect(walk, DEFECT_DEPTH, *token);
    for (;;) {
        const struct index_walk_memo *memo;
        enum next const next = next_member(walk, token, any, walk->end, &now, &memo);
        if (next == NEXT_DEFECT) return NULL;
        if (next == NEXT_END) break;
        const uint8_t *const key = walk->bytes + token[1] + 1;
        any = 0;
        token = walk_several(walk, token + 3, node, memo, key, now.object, depth + 1);
        if (token == NULL) return NULL;
    }
    cells_leave_object(walk->cells, now.object);
    return behind_end(token, any);
}
