/* catalogue.c - nodes, edges, folding. Thread: the caller's. Owns nodes and their texts. */
#include "core/inspect/catalogue.h"

#include <stdlib.h>
#include <string.h>

/* At most a quarter full; a power of two. */
static uint32_t table_size(const struct catalogue_limits *limits)
{
    uint32_t size = 16;
    while (size < 4 * limits->paths)
        size *= 2;
    return size;
}

size_t catalogue_bytes(const struct catalogue_limits *limits)
{
    size_t const node = sizeof(struct catalogue_node) + HYPERLOGLOG_REGISTERS + CATALOGUE_KEY_MAX + 1;
    size_t const sketches = 2 * (size_t)limits->spaces * HYPERLOGLOG_REGISTERS;
    return (limits->paths + 1) * node + table_size(limits) * sizeof(struct catalogue_node *) +
           census_bytes(limits->segments) + census_bytes(limits->spaces) + sketches;
}

bool catalogue_create(struct catalogue *catalogue, const struct catalogue_limits *limits)
{
    uint32_t const size = table_size(limits);
    *catalogue = (struct catalogue){.limits = *limits, .node_count = 1, .table_mask = size - 1};
    catalogue->nodes = calloc(limits->paths + 1, sizeof *catalogue->nodes);
    catalogue->table = calloc(size, sizeof *catalogue->table);
    bool const good = catalogue->nodes != NULL && catalogue->table != NULL &&
                      census_create(&catalogue->segments, limits->segments) &&
                      census_create(&catalogue->spaces, limits->spaces);
    if (!good) return false;
    catalogue->root = catalogue->nodes;
    catalogue->root->role = ROLE_ROOT;
    return true;
}

void catalogue_destroy(struct catalogue *catalogue)
{
    for (uint32_t i = 0; catalogue->nodes != NULL && i < catalogue->node_count; i++) {
        free(catalogue->nodes[i].key);
        hyperloglog_free(&catalogue->nodes[i].distinct);
    }
    free(catalogue->nodes);
    free(catalogue->table);
    census_destroy(&catalogue->segments);
    census_destroy(&catalogue->spaces);
    *catalogue = (struct catalogue){0};
}

/* ---- what keys mean ---- */

static bool is_key(const uint8_t *key, size_t length, const char *name)
{
    if (length > 4 && memcmp(key, "xdm:", 4) == 0) return is_key(key + 4, length - 4, name);
    return strlen(name) == length && memcmp(key, name, length) == 0;
}

static enum catalogue_role role_of_member(enum catalogue_role parent, const uint8_t *key, size_t length)
{
    static const struct {
        enum catalogue_role parent;
        const char *key;
        enum catalogue_role role;
    } rules[] = {{ROLE_ROOT, "segmentMembership", ROLE_SEGMENTS},
                 {ROLE_ROOT, "identityMap", ROLE_IDENTITIES},
                 {ROLE_ROOT, "identities", ROLE_IDENTITY_LIST},
                 {ROLE_SEGMENT, "status", ROLE_STATUS},
                 {ROLE_IDENTITY, "id", ROLE_ID},
                 {ROLE_IDENTITY, "primary", ROLE_PRIMARY},
                 {ROLE_IDENTITY, "namespace", ROLE_CODE_HOLDER},
                 {ROLE_CODE_HOLDER, "code", ROLE_CODE}};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].parent == parent && is_key(key, length, rules[i].key)) return rules[i].role;
    return is_key(key, length, "idSpecific") ? ROLE_MAP_OF_MAPS : ROLE_PLAIN;
}

static enum catalogue_role role_of_each(enum catalogue_role parent)
{
    switch (parent) {
    case ROLE_MAP_OF_MAPS: return ROLE_MAP;
    case ROLE_SEGMENTS: return ROLE_SEGMENT_SPACE;
    case ROLE_SEGMENT_SPACE: return ROLE_SEGMENT;
    case ROLE_IDENTITIES: return ROLE_IDENTITY_SPACE;
    case ROLE_IDENTITY_SPACE:
    case ROLE_IDENTITY_LIST: return ROLE_IDENTITY;
    default: return ROLE_PLAIN;
    }
}

static bool is_map_role(enum catalogue_role role)
{
    return role == ROLE_MAP || role == ROLE_MAP_OF_MAPS || role == ROLE_SEGMENTS ||
           role == ROLE_SEGMENT_SPACE || role == ROLE_IDENTITIES;
}

/* ---- nodes ---- */

static struct catalogue_node *node_new(struct catalogue *catalogue, struct catalogue_node *parent,
                                       enum catalogue_role role)
{
    struct catalogue_node *node = catalogue->empty;
    if (parent->level == CATALOGUE_DEPTH_MAX) return NULL;
    if (node != NULL)
        catalogue->empty = node->next;
    else if (catalogue->node_count <= catalogue->limits.paths)
        node = &catalogue->nodes[catalogue->node_count++];
    if (node == NULL) {
        catalogue->full = true;
        return NULL;
    }
    *node = (struct catalogue_node){.role = role,
                                    .is_map = is_map_role(role),
                                    .level = (uint8_t)(parent->level + 1),
                                    .parent = parent,
                                    .next = parent->children};
    parent->children = node;
    return node;
}

/* It, and all below it, which is at most CATALOGUE_DEPTH_MAX levels. */
static void node_free(struct catalogue *catalogue, struct catalogue_node *node)
{
    for (struct catalogue_node *child = node->children, *next; child != NULL; child = next) {
        next = child->next;
        node_free(catalogue, child);
    }
    free(node->key);
    hyperloglog_free(&node->distinct);
    *node = (struct catalogue_node){.next = catalogue->empty};
    catalogue->empty = node;
}

struct catalogue_node *catalogue_each(struct catalogue *catalogue, struct catalogue_node *node)
{
    if (node->each != NULL) return node->each;
    struct catalogue_node *const each = node_new(catalogue, node, role_of_each(node->role));
    if (each == NULL) return NULL;
    each->is_each = true;
    each->loose = node->loose || (node->is_map && !is_map_role(node->role));
    node->each = each;
    return each;
}

/* ---- members ---- */

static uint32_t place_of(const struct catalogue *catalogue, const struct catalogue_node *parent,
                         const uint8_t *key, size_t length)
{
    uint64_t const hash =
        key_digest_of(key, length).low + (uint64_t)(parent - catalogue->nodes) * 0x9E3779B97F4A7C15u;
    uint32_t at = (uint32_t)(hash >> 32) & catalogue->table_mask;
    for (; catalogue->table[at] != NULL;
         at = (at + 1) & catalogue->table_mask) { /* ends: three quarters are free */
        const struct catalogue_node *const node = catalogue->table[at];
        if (node->parent == parent && node->key_length == length && memcmp(node->key, key, length) == 0)
            break;
    }
    return at;
}

/* After nodes went. */
static void index_again(struct catalogue *catalogue)
{
    memset(catalogue->table, 0, (catalogue->table_mask + 1) * sizeof(struct catalogue_node *));
    for (uint32_t i = 0; i < catalogue->node_count; i++) {
        struct catalogue_node *const node = &catalogue->nodes[i];
        if (node->key == NULL) continue;
        catalogue->table[place_of(catalogue, node->parent, (const uint8_t *)node->key, node->key_length)] =
            node;
    }
}

/* Keys with characters that are spelled as escapes are looked up: their text is not what the input has. */
static void remember_text(struct catalogue_node *node)
{
    if (node->key_length + 1 > CATALOGUE_TEXT || strpbrk(node->key, "\"\\") != NULL) return;
    if (strlen(node->key) != node->key_length) return; /* a NUL */
    memcpy(node->text, node->key, node->key_length);
    node->text[node->key_length] = '"';
    uint64_t const mask = (UINT64_C(2) << node->key_length) - 1;
    node->low = (uint32_t)mask & 0xffff;
    node->high = (uint32_t)(mask >> 16);
}

static void fold(struct catalogue *catalogue, struct catalogue_node *node);

struct catalogue_node *catalogue_member(struct catalogue *catalogue, struct catalogue_node *node,
                                        const uint8_t *key, size_t length)
{
    if (node->is_map) return catalogue_each(catalogue, node);
    uint32_t const at = place_of(catalogue, node, key, length);
    if (catalogue->table[at] != NULL) return catalogue->table[at];
    if (node->key_count == CATALOGUE_KEYS_MAX || length > CATALOGUE_KEY_MAX) {
        fold(catalogue, node);
        return catalogue_each(catalogue, node);
    }
    char *const text = malloc(length + 1);
    struct catalogue_node *const child =
        text == NULL ? NULL : node_new(catalogue, node, role_of_member(node->role, key, length));
    catalogue->no_memory = catalogue->no_memory || text == NULL;
    if (child == NULL) {
        free(text);
        return NULL;
    }
    memcpy(text, key, length);
    text[length] = '\0';
    child->key = text;
    child->key_length = (uint32_t)length;
    child->loose = node->loose;
    remember_text(child);
    node->key_count++;
    catalogue->table[at] = child;
    return child;
}

/* ---- adding up ---- */

static bool is_before(struct census_place a, struct census_place b)
{
    return a.source != b.source ? a.source < b.source : a.offset < b.offset;
}

static void add_node(struct catalogue *catalogue, struct catalogue_node *to,
                     const struct catalogue_node *from)
{
    if (from->seen && (!to->seen || is_before(from->first, to->first))) to->first = from->first;
    to->seen = to->seen || from->seen;
    for (unsigned t = 0; t < CATALOGUE_TYPES; t++)
        to->types[t] += from->types[t];
    to->records += from->records;
    to->readings |= from->readings;
    if (to->longest < from->longest) to->longest = from->longest;
    if (!hyperloglog_merge(&to->distinct, &from->distinct)) catalogue->no_memory = true;
    bool const has = from->example_length != 0;
    if (!has || (to->example_length != 0 && is_before(to->example_at, from->example_at))) return;
    to->example_at = from->example_at;
    to->example_length = from->example_length;
    memcpy(to->example, from->example, CATALOGUE_EXAMPLE);
}

/* All below `from`, which may be of another catalogue, to below `to`. */
static void add_children(struct catalogue *catalogue, struct catalogue_node *to,
                         const struct catalogue_node *from)
{
    for (const struct catalogue_node *child = from->children; child != NULL; child = child->next) {
        struct catalogue_node *const mine =
            child->is_each ? catalogue_each(catalogue, to)
                           : catalogue_member(catalogue, to, (const uint8_t *)child->key, child->key_length);
        if (mine == NULL) continue;
        add_node(catalogue, mine, child);
        if (child->is_map && !mine->is_map) fold(catalogue, mine);
        add_children(catalogue, mine, child);
    }
}

/* ---- maps ---- */

static void set_loose(struct catalogue_node *node)
{
    for (struct catalogue_node *child = node->children; child != NULL; child = child->next) {
        child->loose = true;
        set_loose(child);
    }
}

/* Turns an object's keys into data: what lies below them is joined below [*]. */
static void fold(struct catalogue *catalogue, struct catalogue_node *node)
{
    struct catalogue_node members = {.level = node->level}; /* those with keys, out of the tree */
    struct catalogue_node **link = &node->children;
    while (*link != NULL) {
        struct catalogue_node *const child = *link;
        if (child->is_each) {
            link = &child->next;
            continue;
        }
        *link = child->next;
        child->next = members.children;
        members.children = child;
    }
    node->is_map = true;
    node->key_count = 0;
    node->first_follow = NULL;
    add_children(catalogue, node, &members);
    for (struct catalogue_node *child = members.children, *next; child != NULL; child = next) {
        next = child->next;
        node_free(catalogue, child);
    }
    index_again(catalogue);
    set_loose(node);
}

/* ---- the whole ---- */

void catalogue_merge(struct catalogue *catalogue, const struct catalogue *more)
{
    catalogue->records += more->records;
    catalogue->surrogate_records += more->surrogate_records;
    catalogue->full = catalogue->full || more->full;
    catalogue->no_memory = catalogue->no_memory || more->no_memory;
    add_node(catalogue, catalogue->root, more->root);
    if (more->root->is_map && !catalogue->root->is_map) fold(catalogue, catalogue->root);
    add_children(catalogue, catalogue->root, more->root);
    bool const segments = census_merge(&catalogue->segments, &more->segments);
    bool const spaces = census_merge(&catalogue->spaces, &more->spaces);
    if (!segments || !spaces) catalogue->no_memory = true;
}

static bool is_sparse(const struct catalogue_node *node)
{
    uint64_t members = 0;
    if (node->is_map || node->role == ROLE_ROOT || node->key_count <= CATALOGUE_SPARSE_KEYS) return false;
    for (const struct catalogue_node *child = node->children; child != NULL; child = child->next)
        if (!child->is_each) members += child->records;
    return members * CATALOGUE_SPARSE_SHARE < node->key_count * node->records;
}

static int by_place(const void *left, const void *right)
{
    const struct catalogue_node *const a = *(const struct catalogue_node *const *)left;
    const struct catalogue_node *const b = *(const struct catalogue_node *const *)right;
    return is_before(a->first, b->first) ? -1 : is_before(b->first, a->first);
}

static void sort_children(struct catalogue_node *node)
{
    struct catalogue_node *list[CATALOGUE_KEYS_MAX + 1]; /* with [*] */
    size_t count = 0;
    for (struct catalogue_node *child = node->children; child != NULL; child = child->next)
        list[count++] = child;
    qsort(list, count, sizeof *list, by_place);
    node->children = NULL;
    while (count > 0) {
        list[--count]->next = node->children;
        node->children = list[count];
    }
}

static void finish_node(struct catalogue *catalogue, struct catalogue_node *node)
{
    if (is_sparse(node)) fold(catalogue, node);
    sort_children(node);
    for (struct catalogue_node *child = node->children; child != NULL; child = child->next)
        finish_node(catalogue, child);
}

void catalogue_finish(struct catalogue *catalogue)
{
    finish_node(catalogue, catalogue->root);
    census_finish(&catalogue->segments);
    census_finish(&catalogue->spaces);
}

const struct catalogue_node *catalogue_first(const struct catalogue *catalogue)
{
    return catalogue->root->children;
}

const struct catalogue_node *catalogue_next(const struct catalogue_node *node)
{
    if (node->children != NULL) return node->children;
    while (node->next == NULL && node->parent != NULL)
        node = node->parent;
    return node->parent == NULL ? NULL : node->next;
}

uint64_t catalogue_records(const struct catalogue_node *node)
{
    while (node->loose)
        node = node->parent; /* ends: what stands above the map is not loose, or below another one */
    return node->records;
}
