/* plan_draft.c - see the header. Thread: main, before the run. Owns nothing: all lies in the arena. */
#include "core/map/plan_draft.h"

#include <string.h>

struct plan_draft *plan_draft_new(struct plan_drafts *drafts)
{
    struct plan_draft *draft = arena_alloc(drafts->arena, sizeof *draft);
    if (draft == NULL) return NULL;
    draft->edges_end = &draft->edges;
    drafts->count++;
    return draft;
}

static bool bytes_equal(const char *a, size_t a_length, const char *b, size_t b_length)
{
    return a_length == b_length && memcmp(a, b, a_length) == 0;
}

static bool part_equal(const struct path_part *a, const struct path_part *b)
{
    if (a->kind != b->kind) return false;
    switch (a->kind) {
    case PATH_NAME: return bytes_equal(a->name, a->name_length, b->name, b->name_length);
    case PATH_INDEX: return a->index == b->index;
    case PATH_WILDCARD: return true;
    case PATH_FILTER:
        return bytes_equal(a->name, a->name_length, b->name, b->name_length) &&
               bytes_equal(a->literal, a->literal_length, b->literal, b->literal_length);
    }
    return false;
}

static const char *fold_name(struct arena *arena, const char *name, size_t length)
{
    char *copy = arena_text(arena, name, length);
    for (size_t i = 0; copy != NULL && i < length; i++)
        if (copy[i] >= 'A' && copy[i] <= 'Z') copy[i] = (char)(copy[i] | 0x20);
    return copy;
}

bool plan_draft_is_identity_map(const struct path_part *part)
{
    return part->kind == PATH_NAME && bytes_equal(part->name, part->name_length, "identityMap", 11);
}

struct plan_draft *plan_draft_follow(struct plan_drafts *drafts, struct plan_draft *from,
                                     const struct path_part *part)
{
    struct path_part wanted = *part;
    bool const folds = from->fold && part->kind == PATH_NAME;
    if (folds) wanted.name = fold_name(drafts->arena, part->name, part->name_length);
    if (folds && wanted.name == NULL) return NULL;
    for (struct plan_draft_edge *edge = from->edges; edge != NULL; edge = edge->next)
        if (part_equal(&edge->part, &wanted)) return edge->to;

    struct plan_draft_edge *edge = arena_alloc(drafts->arena, sizeof *edge);
    struct plan_draft *to = edge == NULL ? NULL : plan_draft_new(drafts);
    if (to == NULL) return NULL;
    edge->part = wanted;
    edge->to = to;
    *from->edges_end = edge;
    from->edges_end = &edge->next;
    to->fold = plan_draft_is_identity_map(part);
    to->under_fold = folds;
    to->many = from->many || folds || part->kind == PATH_WILDCARD || part->kind == PATH_FILTER;
    if (part->kind != PATH_FILTER) return to;

    struct path_part const key = {.kind = PATH_NAME, .name = wanted.name, .name_length = wanted.name_length};
    edge->test = plan_draft_new(drafts);
    struct plan_draft *tested = edge->test == NULL ? NULL : plan_draft_follow(drafts, edge->test, &key);
    if (tested == NULL) return NULL;
    plan_draft_select(tested, NULL, PLAN_USED);
    return to;
}

struct plan_draft *plan_draft_name(struct plan_drafts *drafts, struct plan_draft *from, const char *name)
{
    struct path_part const part = {.kind = PATH_NAME, .name = name, .name_length = strlen(name)};
    return plan_draft_follow(drafts, from, &part);
}

static bool has_names(const struct plan_draft *draft)
{
    for (const struct plan_draft_edge *edge = draft->edges; edge != NULL; edge = edge->next)
        if (edge->part.kind == PATH_NAME) return true;
    return false;
}

struct plan_draft *plan_draft_fold(struct plan_drafts *drafts, struct plan_draft *from, const char *name)
{
    if (!from->fold && !has_names(from)) from->fold = true;
    if (from->fold) return plan_draft_name(drafts, from, name);
    if (from->folded == NULL) {
        from->folded = plan_draft_new(drafts);
        if (from->folded == NULL) return NULL;
        from->folded->fold = true;
        from->folded->many = from->many;
    }
    return plan_draft_name(drafts, from->folded, name);
}

void plan_draft_select(struct plan_draft *draft, const struct path *path, enum plan_use use)
{
    draft->selected = true;
    if (use > draft->use) draft->use = use;
    if (draft->path == NULL) draft->path = path;
}

struct plan_draft *plan_draft_add(struct plan_drafts *drafts, const struct path *path)
{
    struct plan_draft *at = drafts->root;
    for (size_t i = 0; at != NULL && i < path->part_count; i++)
        at = plan_draft_follow(drafts, at, &path->parts[i]);
    if (at != NULL) plan_draft_select(at, path, PLAN_USED);
    return at;
}

void plan_draft_move_last(struct plan_draft *from, const struct plan_draft *to)
{
    for (struct plan_draft_edge **link = &from->edges; *link != NULL; link = &(*link)->next) {
        struct plan_draft_edge *const edge = *link;
        if (edge->to != to || edge->next == NULL) continue;
        *link = edge->next;
        edge->next = NULL;
        *from->edges_end = edge;
        from->edges_end = &edge->next;
        return;
    }
}
