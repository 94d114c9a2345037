/* plan.c - builds the trie of a mapping's paths and freezes it into arrays for the walk.
 *
 * Two forms: while paths are added, a node is a `struct draft` with lists of edges; afterwards drafts are
 * numbered depth first and copied into plan_nodes with hash tables. Drafts and result lie in the same arena.
 * Thread: main, before the run. */
#include "core/map/plan.h"

#include <string.h>

_Static_assert(sizeof(struct plan_node) == 128, "a power of two");

struct draft;

struct draft_edge {
    struct draft_edge *next;
    struct path_part part; /* names below a fold in lower case */
    struct draft *to;
    struct draft *test; /* PATH_FILTER: the element's member that is compared */
};

struct draft {
    struct draft_edge *edges, **edges_end; /* in the order of the columns */
    uint32_t edge_count;
    bool fold, under_fold, many;
    bool selected;                             /* some path ends here */
    bool used;                                 /* and its value is written or compared */
    const struct path *path;                   /* the first one that ends here */
    uint32_t node, slot, slot_first, slot_end; /* set when numbered */
};

struct builder {
    struct arena *arena;
    uint32_t draft_count;
    struct draft *root;
    /* results under construction */
    struct plan_node *nodes;
    bool *slot_many, *slot_used;
    const struct path **slot_path;
    uint32_t node_next, slot_next, inner_next, depth_max;
};

static struct draft *draft_new(struct builder *builder)
{
    struct draft *draft = arena_alloc(builder->arena, sizeof *draft);
    if (draft == NULL) return NULL;
    draft->edges_end = &draft->edges;
    draft->slot = PLAN_NONE;
    builder->draft_count++;
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

static bool is_identity_map(const struct path_part *part)
{
    return part->kind == PATH_NAME && bytes_equal(part->name, part->name_length, "identityMap", 11);
}

/* The edge from `from` for `part`, made when it is not there yet. NULL: no memory. */
static struct draft *draft_follow(struct builder *builder, struct draft *from, const struct path_part *part)
{
    struct path_part wanted = *part;
    bool const folds = from->fold && part->kind == PATH_NAME;
    if (folds) wanted.name = fold_name(builder->arena, part->name, part->name_length);
    if (folds && wanted.name == NULL) return NULL;
    for (struct draft_edge *edge = from->edges; edge != NULL; edge = edge->next)
        if (part_equal(&edge->part, &wanted)) return edge->to;

    struct draft_edge *edge = arena_alloc(builder->arena, sizeof *edge);
    struct draft *to = edge == NULL ? NULL : draft_new(builder);
    if (to == NULL) return NULL;
    edge->part = wanted;
    edge->to = to;
    *from->edges_end = edge;
    from->edges_end = &edge->next;
    from->edge_count++;
    to->fold = is_identity_map(part);
    to->under_fold = folds;
    to->many = from->many || folds || part->kind == PATH_WILDCARD || part->kind == PATH_FILTER;
    if (part->kind != PATH_FILTER) return to;

    struct path_part const key = {.kind = PATH_NAME, .name = wanted.name, .name_length = wanted.name_length};
    edge->test = draft_new(builder);
    struct draft *tested = edge->test == NULL ? NULL : draft_follow(builder, edge->test, &key);
    if (tested == NULL) return NULL;
    tested->selected = tested->used = true;
    return to;
}

static struct draft *draft_add(struct builder *builder, const struct path *path, bool used)
{
    struct draft *at = builder->root;
    for (size_t i = 0; at != NULL && i < path->part_count; i++)
        at = draft_follow(builder, at, &path->parts[i]);
    if (at == NULL) return NULL;
    at->selected = true;
    at->used = at->used || used;
    if (at->path == NULL) at->path = path;
    return at;
}

/* `identityMap.NS` as an identity path: [*] below it, and id and primary of each element. */
static bool draft_add_namespace(struct builder *builder, const struct path *path, struct draft *out[3])
{
    struct path_part const wildcard = {.kind = PATH_WILDCARD};
    struct path_part const id = {.kind = PATH_NAME, .name = "id", .name_length = 2};
    struct path_part const primary = {.kind = PATH_NAME, .name = "primary", .name_length = 7};
    struct draft *at = draft_follow(builder, builder->root, &path->parts[0]);
    if (at != NULL) at = draft_follow(builder, at, &path->parts[1]);
    if (at != NULL) at = draft_follow(builder, at, &wildcard);
    if (at == NULL) return false;
    out[0] = at;
    out[1] = draft_follow(builder, at, &id);
    out[2] = draft_follow(builder, at, &primary);
    for (int i = 0; i < 3; i++) {
        if (out[i] == NULL) return false;
        out[i]->selected = true;
        if (out[i]->path == NULL) out[i]->path = path;
    }
    out[1]->used = out[2]->used = true;
    return true;
}

static bool is_namespace_path(const struct path *path)
{
    return path->part_count == 2 && is_identity_map(&path->parts[0]) && path->parts[1].kind == PATH_NAME;
}

/* ---- numbering: depth first, so that what lies below a node is one range of slots ---- */

static void draft_number(struct builder *builder, struct draft *draft, uint32_t depth)
{
    draft->node = builder->node_next++;
    draft->slot_first = builder->slot_next;
    if (depth > builder->depth_max) builder->depth_max = depth;
    if (draft->selected) {
        draft->slot = builder->slot_next++;
        builder->slot_many[draft->slot] = draft->many;
        builder->slot_used[draft->slot] = draft->used;
        builder->slot_path[draft->slot] = draft->path;
    }
    /* bounded: a path has at most PATH_PARTS_MAX parts, and a test adds one level */
    for (struct draft_edge *edge = draft->edges; edge != NULL; edge = edge->next) {
        if (edge->test != NULL) draft_number(builder, edge->test, depth + 1);
        draft_number(builder, edge->to, depth + 1);
    }
    draft->slot_end = builder->slot_next;
}

/* ---- freezing ---- */

static uint32_t edges_of(const struct draft *draft, enum path_part_kind kind)
{
    uint32_t count = 0;
    for (const struct draft_edge *edge = draft->edges; edge != NULL; edge = edge->next)
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

/* Fills node->keys: a table of at least 4 entries a key, placed with the best of some multipliers. */
static bool keys_freeze(struct arena *arena, struct plan_node *node, const struct draft *draft)
{
    enum { TRIES = 64 };
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
    if (list == NULL || table == NULL) return false;

    uint32_t filled = 0;
    for (const struct draft_edge *edge = draft->edges; edge != NULL; edge = edge->next) {
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
    node->keys = table;
    return true;
}

static bool steps_freeze(struct arena *arena, struct plan_node *node, const struct draft *draft)
{
    node->index_count = edges_of(draft, PATH_INDEX);
    node->filter_count = edges_of(draft, PATH_FILTER);
    struct plan_index *indexes = arena_array(arena, node->index_count, sizeof *indexes);
    struct plan_filter *filters = arena_array(arena, node->filter_count, sizeof *filters);
    if (indexes == NULL || filters == NULL) return false;
    node->indexes = indexes;
    node->filters = filters;
    for (const struct draft_edge *edge = draft->edges; edge != NULL; edge = edge->next) {
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
static bool has_twins(const struct plan_node *node, const struct draft *draft)
{
    for (const struct draft_edge *edge = draft->edges; edge != NULL; edge = edge->next) {
        const struct path_part *part = &edge->part;
        if (part->kind != PATH_NAME || part->name_length < 4 || memcmp(part->name, "xdm:", 4) != 0) continue;
        uint8_t rest[PATH_TEXT_MAX + 8] = {0};
        memcpy(rest, part->name + 4, part->name_length - 4);
        if (plan_find(node, rest, (uint32_t)part->name_length - 4) != PLAN_NONE) return true;
    }
    return false;
}

static bool draft_freeze(struct builder *builder, const struct draft *draft)
{
    struct plan_node *node = &builder->nodes[draft->node];
    *node = (struct plan_node){.slot = draft->slot,
                               .many = draft->many,
                               .slot_first = draft->slot_first,
                               .slot_end = draft->slot_end,
                               .wildcard = PLAN_NONE,
                               .fold = draft->fold,
                               .under_fold = draft->under_fold};
    if (!keys_freeze(builder->arena, node, draft) || !steps_freeze(builder->arena, node, draft)) return false;
    node->branches = node->wildcard != PLAN_NONE || node->filter_count != 0;
    node->twins = has_twins(node, draft);
    node->several = node->branches || node->twins;
    node->enters_object = node->key_count != 0 || node->branches;
    node->inner = node->enters_object ? builder->inner_next++ : 0;
    node->enters_array = node->index_count != 0 || node->branches;
    for (const struct draft_edge *edge = draft->edges; edge != NULL; edge = edge->next) {
        if (edge->test != NULL && !draft_freeze(builder, edge->test)) return false;
        if (!draft_freeze(builder, edge->to)) return false;
    }
    return true;
}

/* ---- from the mapping ---- */

/* Drafts of every path of the mapping, in the order in which the columns and identity paths are read again.
 */
struct selection {
    struct draft **drafts;
    size_t count;
};

static bool selection_add_identity(struct builder *builder, const struct identity *identity,
                                   struct selection *selection)
{
    for (size_t i = 0; i < identity->path_count; i++) {
        struct draft *found[3] = {NULL, NULL, NULL};
        const struct path *path = &identity->paths[i];
        if (is_namespace_path(path)) {
            if (!draft_add_namespace(builder, path, found)) return false;
        } else if ((found[0] = draft_add(builder, path, true)) == NULL) {
            return false;
        }
        memcpy(selection->drafts + selection->count, found, sizeof found);
        selection->count += 3;
    }
    return true;
}

static bool selection_add_columns(struct builder *builder, const struct mapping *mapping,
                                  struct selection *selection)
{
    for (size_t c = 0; c < mapping->column_count; c++)
        for (size_t p = 0; p < mapping->columns[c].path_count; p++) {
            struct draft *draft = draft_add(builder, &mapping->columns[c].paths[p], true);
            if (draft == NULL) return false;
            selection->drafts[selection->count++] = draft;
        }
    return true;
}

static size_t path_total(const struct mapping *mapping)
{
    size_t total = 3 * mapping->identity.path_count;
    for (size_t c = 0; c < mapping->column_count; c++)
        total += mapping->columns[c].path_count;
    return total;
}

static bool plan_link(struct arena *arena, const struct mapping *mapping, const struct selection *selection,
                      struct plan *plan)
{
    struct draft *const *next = selection->drafts;
    struct plan_identity_path *identity_paths =
        arena_array(arena, mapping->identity.path_count, sizeof *identity_paths);
    struct plan_column *columns = arena_array(arena, mapping->column_count, sizeof *columns);
    if (identity_paths == NULL || columns == NULL) return false;
    for (size_t i = 0; i < mapping->identity.path_count; i++, next += 3) {
        identity_paths[i].is_namespace = is_namespace_path(&mapping->identity.paths[i]);
        identity_paths[i].slot = next[0]->slot;
        if (!identity_paths[i].is_namespace) continue;
        identity_paths[i].name_space =
            (struct plan_namespace){.element = next[0]->slot, .id = next[1]->slot, .primary = next[2]->slot};
    }
    for (size_t c = 0; c < mapping->column_count; c++) {
        const struct column *column = &mapping->columns[c];
        uint32_t *slots = arena_array(arena, column->path_count, sizeof *slots);
        if (slots == NULL) return false;
        for (size_t p = 0; p < column->path_count; p++)
            slots[p] = (*next++)->slot;
        columns[c] = (struct plan_column){.column = column, .slots = slots};
    }
    plan->identity_paths = identity_paths;
    plan->columns = columns;
    return true;
}

enum status plan_compile(struct arena *arena, const struct mapping *mapping, struct plan *plan,
                         struct fault *fault)
{
    struct builder builder = {.arena = arena};
    struct selection selection = {0};
    builder.root = draft_new(&builder);
    selection.drafts = arena_array(arena, path_total(mapping), sizeof *selection.drafts);
    if (builder.root == NULL || selection.drafts == NULL ||
        !selection_add_identity(&builder, &mapping->identity, &selection) ||
        !selection_add_columns(&builder, mapping, &selection))
        return fault_set(fault, STATUS_IO, "no memory for the mapping's paths");
    uint32_t const count = builder.draft_count;
    if (count > PLAN_NODES_MAX)
        return fault_set(fault, STATUS_JOB, "the columns' paths have %u parts; at most %u are supported",
                         count, PLAN_NODES_MAX);
    builder.nodes = arena_array(arena, count, sizeof *builder.nodes);
    builder.slot_many = arena_array(arena, count, sizeof *builder.slot_many);
    builder.slot_used = arena_array(arena, count, sizeof *builder.slot_used);
    builder.slot_path = arena_array(arena, count, sizeof(struct path *));
    if (arena_failed(arena)) return fault_set(fault, STATUS_IO, "no memory for the mapping's paths");
    draft_number(&builder, builder.root, 0);
    *plan = (struct plan){.mapping = mapping, .nodes = builder.nodes, .node_count = count};
    plan->slot_count = builder.slot_next;
    plan->slot_many = builder.slot_many;
    plan->slot_used = builder.slot_used;
    plan->slot_path = (const struct path *const *)builder.slot_path;
    plan->depth_max = builder.depth_max;
    for (uint32_t s = 0; s < plan->slot_count; s++)
        plan->has_many = plan->has_many || builder.slot_many[s];
    if (!draft_freeze(&builder, builder.root) || !plan_link(arena, mapping, &selection, plan))
        return fault_set(fault, STATUS_IO, "no memory for the mapping's paths");
    plan->inner_count = builder.inner_next;
    return STATUS_OK;
}

uint32_t plan_find_fold(const struct plan_node *node, const uint8_t *key, uint32_t length)
{
    enum { FOLD_MAX = PATH_TEXT_MAX }; /* no path holds a longer name, so none can match */
    uint8_t folded[FOLD_MAX + 8];
    if (length > FOLD_MAX) return PLAN_NONE;
    for (uint32_t i = 0; i < length; i++)
        folded[i] = key[i] >= 'A' && key[i] <= 'Z' ? (uint8_t)(key[i] | 0x20) : key[i];
    memset(folded + length, 0, 8);
    return plan_find(node, folded, length);
}
