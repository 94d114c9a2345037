/* plan_draft.h - a plan under construction: the trie as nodes with lists of edges, to which paths are added.
 * plan_freeze.h numbers it and makes of it what a walk reads.
 *
 * Ownership: all in the arena. Thread rule: main, before the run. */
#ifndef PENSTOCK_CORE_MAP_PLAN_DRAFT_H
#define PENSTOCK_CORE_MAP_PLAN_DRAFT_H

#include "core/map/plan.h"

struct plan_draft;

struct plan_draft_edge {
    struct plan_draft_edge *next;
    struct path_part part; /* names below a fold in lower case */
    struct plan_draft *to;
    struct plan_draft *test; /* PATH_FILTER: the element's member that is compared */
};

struct plan_draft {
    struct plan_draft_edge *edges, **edges_end; /* in the order in which they were made */
    struct plan_draft
        *folded; /* its names match without regard to case, beside the exact ones here; or NULL */
    bool fold, under_fold, many;
    bool selected;                             /* some path ends here */
    enum plan_use use;                         /* what for */
    const struct path *path;                   /* the first one that ends here */
    uint32_t node, slot, slot_first, slot_end; /* set when numbered; slot: PLAN_NONE when not selected */
};

struct plan_drafts {
    struct arena *arena;
    uint32_t count;
    struct plan_draft *root;
};

/* All return NULL when there is no memory. */
struct plan_draft *plan_draft_new(struct plan_drafts *drafts);
/* Where the edge from `from` for `part` leads; made when it is not there yet. */
struct plan_draft *plan_draft_follow(struct plan_drafts *drafts, struct plan_draft *from,
                                     const struct path_part *part);
/* The same for a key by its name. */
struct plan_draft *plan_draft_name(struct plan_drafts *drafts, struct plan_draft *from, const char *name);
/* The same for a name that matches without regard to ASCII case, beside exact names. To be asked for when all
 * exact names of `from` are there: a node has a second table only when it needs one. */
struct plan_draft *plan_draft_fold(struct plan_drafts *drafts, struct plan_draft *from, const char *name);
/* What `draft` stands for is selected, for messages by `path`. */
void plan_draft_select(struct plan_draft *draft, const struct path *path, enum plan_use use);
/* Where a path leads, which is selected. */
struct plan_draft *plan_draft_add(struct plan_drafts *drafts, const struct path *path);
/* The edge from `from` to `to` becomes the last one: what lies below is numbered last. */
void plan_draft_move_last(struct plan_draft *from, const struct plan_draft *to);

bool plan_draft_is_identity_map(const struct path_part *part);

#endif
