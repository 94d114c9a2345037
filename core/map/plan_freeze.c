/* plan_freeze.c - see the header. Thread: main, before the run. Owns nothing: all lies in the arena. */
#include "core/map/plan_freeze.h"

#include <string.h>

_Static_assert(sizeof(struct plan_node) == 128, "a power of two");

struct freezer {
    struct arena *arena;
    struct plan_node *nodes;
    bool *slot_many;
    enum plan_use *slot_use;
    const struct path **slot_path;
    uint32_t node_next, slot_next, inner_next, depth_max;
};

/* ---- numbering: depth first, so that what lies below a node is one range of slots ---- */

static void draft_number(struct freezer *freezer, struct plan_draft *draft, uint32_t depth)
{
    draft->node = freezer->node_next++;
    draft->slot_first = freezer->slot_next;
    draft->slot = PLAN_NONE;
    if (depth > freezer->depth_max) freezer->depth_max = depth;
    if (draft->selected) {
        draft->slot = freezer->slot_next++;
        freezer->slot_many[draft->slot] = draft->many;
        freezer->slot_use[draft->slot] = draft->use;
        freezer->slot_path[draft->slot] = draft->path;
    }
    /* bounded: a path has at most PATH_PARTS_MAX parts, a test adds one level, and so does a second table */
    for (struct plan_draft_edge *edge = draft->edges; edge != NULL; edge = edge->next) {
        if (edge->test != NULL) draft_number(freezer, edge->test, depth + 1);
        draft_number(freezer, edge->to, depth + 1);
    }
    if (draft->folded != NULL) draft_number(freezer, draft->folded, depth);
    draft->slot_end = freezer->slot_next;
}

/* ---- freezing ---- */

static uint32_t edges_of(const struct plan_draft *draft, enum path_part_kind kind)
{
    uint32_t count = 0;
    for (const struct plan_draft_edge *edge = draft->edges; edge != NULL; edge = edge->next)
        count += edge->part.kind == kind;
    return count;
}

static const struct plan_key no_keys = {.length = PLAN_KEY_EMPTY};

static uint64_t next_multiplier(uint64_t multiplier)
{
    return (multiplier * 6364136223846793005ull + 1442695040888963407ull) | 1; /* Knuth's MMIX generator */
}

/* Entries that stand behind their home place: the cost of a table. */
static uint32_t keys_place(const struct plan_node *node, const struct plan_key *list, uint32_t count,
                           struct plan_key *table, size_t table_size)
{
    for (size_t i = 0; i < table_size; i++)
        table[i] = (struct plan_key){.length = PLAN_KEY_EMPTY};
    uint32_t displaced = 0;
    for (uint32_t k = 0; k < count; k++) {
        size_t at = plan_key_hash(node, list[k].prefix, list[k].last, list[k].length);
        while (table[at].length != PLAN_KEY_EMPTY) {
            at++;
            displaced++;
        }
        table[at] = list[k];
    }
    return displaced;
}

/* The keys of a node's members, in the order of its edges. False: no memory. */
static bool keys_list(struct arena *arena, const struct plan_draft *draft, struct plan_key *list)
{
    uint32_t filled = 0;
    for (const struct plan_draft_edge *edge = draft->edges; edge != NULL; edge = edge->next) {
        if (edge->part.kind != PATH_NAME) continue;
        /* the hash loads 8 bytes whatever the length: a copy with room */
        char *name = arena_alloc(arena, edge->part.name_length + 8);
        if (name == NULL) return false;
        memcpy(name, edge->part.name, edge->part.name_length);
        uint32_t const length = (uint32_t)edge->part.name_length;
        uint64_t const prefix = plan_key_prefix((const uint8_t *)name, length);
        list[filled++] = (struct plan_key){.prefix = prefix,
                                           .last = plan_key_last((const uint8_t *)name, length, prefix),
                                           .name = name,
                                           .length = length,
                                           .node = edge->to->node};
    }
    return true;
}

/* Places the keys by the multiplier, of some, that leaves the most at home. */
static void keys_place_well(struct plan_node *node, const struct plan_key *list, uint32_t count,
                            struct plan_key *table, size_t table_size)
{
    enum { TRIES = 64 };
    uint64_t best = 0, multiplier = 0x9e3779b97f4a7c15ull; /* 2^64 / golden ratio: Knuth's start */
    uint32_t best_displaced = UINT32_MAX;
    for (int try = 0; try < TRIES && best_displaced != 0; try++, multiplier = next_multiplier(multiplier)) {
        node->multiplier = multiplier;
        uint32_t const displaced = keys_place(node, list, count, table, table_size);
        if (displaced >= best_displaced) continue;
        best_displaced = displaced;
        best = multiplier;
    }
    node->multiplier = best;
    keys_place(node, list, count, table, table_size);
}

/* Fills node->keys: a table of at least 4 entries a key. */
static bool keys_freeze(struct arena *arena, struct plan_node *node, const struct plan_draft *draft)
{
    uint32_t const count = edges_of(draft, PATH_NAME);
    node->key_count = count;
    node->keys = &no_keys;
    node->shift = 63; /* and multiplier 0: every key hashes to entry 0 */
    if (count == 0) return true;
    unsigned bits = 2;
    while ((1u << bits) < 4 * count)
        bits++;
    node->shift = 64 - bits;
    size_t const table_size = ((size_t)1 << bits) + count + 1; /* room to overflow, and an empty last entry */
    struct plan_key *list = arena_array(arena, count, sizeof *list);
    struct plan_key *table = arena_array(arena, table_size, sizeof *table);
    if (list == NULL || table == NULL || !keys_list(arena, draft, list)) return false;
    keys_place_well(node, list, count, table, table_size);
    node->keys = table;
    return true;
}

static bool steps_freeze(struct arena *arena, struct plan_node *node, const struct plan_draft *draft)
{
    node->index_count = edges_of(draft, PATH_INDEX);
    node->filter_count = edges_of(draft, PATH_FILTER);
    struct plan_index *indexes = arena_array(arena, node->index_count, sizeof *indexes);
    struct plan_filter *filters = arena_array(arena, node->filter_count, sizeof *filters);
    if (indexes == NULL || filters == NULL) return false;
    node->indexes = indexes;
    node->filters = filters;
    for (const struct plan_draft_edge *edge = draft->edges; edge != NULL; edge = edge->next) {
        const struct path_part *part = &edge->part;
        if (part->kind == PATH_WILDCARD) node->wildcard = edge->to->node;
        if (part->kind == PATH_INDEX) {
            *indexes++ = (struct plan_index){.index = part->index, .node = edge->to->node};
            node->negative = node->negative || part->index < 0;
        }
        if (part->kind == PATH_FILTER)
            *filters++ = (struct plan_filter){.test_node = edge->test->node,
                                              .test_slot = edge->test->edges->to->slot,
                                              .node = edge->to->node,
                                              .literal = part->literal,
                                              .literal_length = part->literal_length};
    }
    return true;
}

/* Names of a fold are in lower case already. */
static bool has_twins(const struct plan_node *node, const struct plan_draft *draft)
{
    for (const struct plan_draft_edge *edge = draft->edges; edge != NULL; edge = edge->next) {
        const struct path_part *part = &edge->part;
        if (part->kind != PATH_NAME || part->name_length < 4 || memcmp(part->name, "xdm:", 4) != 0) continue;
        uint8_t rest[PATH_TEXT_MAX + 8] = {0};
        memcpy(rest, part->name + 4, part->name_length - 4);
        if (plan_find(node, rest, (uint32_t)part->name_length - 4) != PLAN_NONE) return true;
    }
    return false;
}

static bool draft_freeze(struct freezer *freezer, const struct plan_draft *draft)
{
    struct plan_node *node = &freezer->nodes[draft->node];
    *node = (struct plan_node){.slot = draft->slot,
                               .many = draft->many,
                               .slot_first = draft->slot_first,
                               .slot_end = draft->slot_end,
                               .wildcard = PLAN_NONE,
                               .folded = draft->folded == NULL ? PLAN_NONE : draft->folded->node,
                               .fold = draft->fold,
                               .under_fold = draft->under_fold};
    if (!keys_freeze(freezer->arena, node, draft) || !steps_freeze(freezer->arena, node, draft)) return false;
    node->branches = node->wildcard != PLAN_NONE || node->filter_count != 0;
    node->twins = has_twins(node, draft);
    node->several = node->branches || node->twins || draft->folded != NULL;
    node->enters_object = node->key_count != 0 || node->branches; /* `folded` stands beside names */
    node->inner = node->enters_object ? freezer->inner_next++ : 0;
    node->enters_array = node->index_count != 0 || node->branches;
    for (const struct plan_draft_edge *edge = draft->edges; edge != NULL; edge = edge->next) {
        if (edge->test != NULL && !draft_freeze(freezer, edge->test)) return false;
        if (!draft_freeze(freezer, edge->to)) return false;
    }
    return draft->folded == NULL || draft_freeze(freezer, draft->folded);
}

bool plan_freeze(const struct plan_drafts *drafts, struct plan *plan)
{
    struct arena *const arena = drafts->arena;
    struct freezer freezer = {.arena = arena};
    freezer.nodes = arena_array(arena, drafts->count, sizeof *freezer.nodes);
    freezer.slot_many = arena_array(arena, drafts->count, sizeof *freezer.slot_many);
    freezer.slot_use = arena_array(arena, drafts->count, sizeof *freezer.slot_use);
    freezer.slot_path = arena_array(arena, drafts->count, sizeof(struct path *));
    if (arena_failed(arena)) return false;
    draft_number(&freezer, drafts->root, 0);
    if (!draft_freeze(&freezer, drafts->root)) return false;
    plan->nodes = freezer.nodes;
    plan->node_count = drafts->count;
    plan->inner_count = freezer.inner_next;
    plan->slot_count = freezer.slot_next;
    plan->slot_many = freezer.slot_many;
    plan->slot_use = freezer.slot_use;
    plan->slot_path = (const struct path *const *)freezer.slot_path;
    plan->depth_max = freezer.depth_max;
    for (uint32_t s = 0; s < plan->slot_count; s++)
        plan->has_many = plan->has_many || freezer.slot_many[s];
    return true;
}
