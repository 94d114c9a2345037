/* plan.h - a mapping compiled for the walk over a record: all paths of a job in one trie.
 *
 * A node is a place in a record, its edges are the parts of the paths that lead further. One walk over a
 * record follows the trie and fills the slots: slot s is what the distinct path number s selects. Two columns
 * with equal paths share a slot. The root (node 0) is the record itself.
 *
 *   mapping                       plan
 *   person.name.firstName   \     0 -person-> 1 -name-> 2 -firstName-> 3 (slot 0)
 *   person.name.lastName    /                           \ -lastName--> 4 (slot 1)
 *   _acme.tags[*]                 0 -_acme-> 5 -tags-> 6 -[*]-> 7 (slot 2, many)
 *
 * Nodes are numbered depth first, and so are slots: what lies below a node is the range [slot_first,
 * slot_end), which is what a duplicate key has to clear.
 *
 * Ownership: everything lies in the arena given to plan_compile(). Thread rule: read-only afterwards. */
#ifndef PENSTOCK_CORE_MAP_PLAN_H
#define PENSTOCK_CORE_MAP_PLAN_H

#include "core/base/arena.h"
#include "core/base/status.h"
#include "core/map/mapping.h"
#include "core/map/word_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PLAN_NONE UINT32_MAX

/* Nodes of one plan: 500 columns with 16 fallbacks of 64 parts would be 544,000; real jobs have some 100. */
#define PLAN_NODES_MAX 600000u

/* One named edge, in a sparse hash table: a look-up compares one entry, rarely two. */
struct plan_key {
    uint64_t prefix; /* plan_key_prefix() of the name */
    uint64_t last;   /* plan_key_last() of the name */
    const char *name;
    uint32_t length; /* PLAN_KEY_EMPTY: no entry */
    uint32_t node;
};

struct plan_index {
    int64_t index; /* negative: from the end */
    uint32_t node;
};

struct plan_filter {
    uint32_t test_node; /* walked over an element first: its one edge is the key that is compared */
    uint32_t test_slot;
    uint32_t node; /* walked over the element when the test holds */
    const char *literal;
    size_t literal_length;
};

struct plan_node {
    /* what a walk reads for every key and value: one cache line */
    const struct plan_key *keys; /* a table with one empty entry when there are no named edges */
    uint64_t multiplier;
    uint32_t shift; /* 64 - log2(table size) */
    uint32_t slot;  /* what ends here, or PLAN_NONE */
    bool fold; /* this is `identityMap`: named edges match without regard to ASCII case (names in lower case)
                */
    bool under_fold;    /* reached by such an edge: several keys of one object may lead here */
    bool many;          /* the slot may select several values */
    bool enters_object; /* has named edges, [*] or filters */
    bool enters_array;  /* has indexes, [*] or filters */
    bool branches;      /* has [*] or filters: an element or member may lead to more than one node */
    bool several;       /* an object's member may: branches, twins or folded */
    bool negative;      /* has a negative index: elements must be counted first */
    uint32_t slot_first, slot_end;
    uint32_t inner; /* number among the nodes with enters_object */
    bool twins;     /* has a name both with and without `xdm:` before it: the key with it leads to both */
    /* the rest */
    uint32_t key_count; /* entries that are not empty */
    uint32_t wildcard;  /* node of [*], or PLAN_NONE */
    uint32_t index_count, filter_count;
    const struct plan_index *indexes;
    const struct plan_filter *filters;
    uint32_t folded; /* no place of its own: names that match here without regard to case, beside the exact
                        ones; or PLAN_NONE */
    uint32_t unused[11]; /* to a power of two: a walk finds a node by a shift */
};

/* What the value that a slot selects is for: how much of it has to be well-formed. */
enum plan_use {
    PLAN_IGNORED, /* only its place matters: a namespace's elements */
    PLAN_TYPED,   /* only its type: scalars are checked, containers are not */
    PLAN_USED     /* it is written or compared */
};

/* The slots of a list of ids: the list itself, its elements, their ids, and their primary flags. */
struct plan_entries {
    uint32_t list, element, id, primary;
};

struct plan_column {
    const struct column *column;
    uint32_t *slots; /* of the path and its fallbacks, in order */
};

/* Is this path `identityMap.NS`? */
bool plan_is_namespace(const struct path *path);

/* `identityMap.NS` as an identity path means the ids of that namespace: those of the map, then those of the
 * record's `identities` whose code is NS. */
struct plan_identity_path {
    bool is_namespace;
    uint32_t slot; /* of a plain path */
    struct plan_entries name_space, identities;
    uint32_t code; /* of the elements of `identities` */
};

struct plan {
    const struct mapping *mapping;
    const struct plan_node *nodes;
    uint32_t node_count;
    uint32_t inner_count;
    uint32_t slot_count;
    const bool *slot_many;               /* per slot: may select several values */
    const enum plan_use *slot_use;       /* per slot */
    const struct path *const *slot_path; /* per slot, for messages */
    const struct plan_column *columns;
    const struct plan_identity_path *identity_paths;
    const uint32_t *consent_slots;         /* of each rule */
    const struct word_list *consent_words; /* of each rule: what it allows */
    struct word_list status_words;         /* of segments.statuses */
    uint32_t time_slot; /* of identity.timestamp, when records are compared by it; or PLAN_NONE */
    /* The statuses of segment number n: slot sparse_first + n, the last ones of all. A record fills few of
     * them: nobody goes over all for each record. slot_count when there are no segments. */
    uint32_t sparse_first;
    uint32_t depth_max; /* nodes on the longest way from the root */
    bool has_many;
};

/* STATUS_JOB: the plan is too large, or a segment's id; STATUS_IO: no memory. The ids of segments differ
 * (io/job sees to that). */
enum status plan_compile(struct arena *arena, const struct mapping *mapping, struct plan *plan,
                         struct fault *fault);

/* Does a value of this slot that begins with `first` have to be well-formed? */
static inline bool plan_reads(const struct plan *plan, uint32_t slot, uint8_t first);

/* The node that the key leads to, PLAN_NONE when none does. The key is raw (between its quotes, unescaped by
 * the caller when it holds a backslash); `key` has at least 8 readable bytes whatever its length. The rule of
 * `xdm:` is the caller's. Not for nodes that fold. */
static inline uint32_t plan_find(const struct plan_node *node, const uint8_t *key, uint32_t length);
/* The same for nodes that fold case. */
uint32_t plan_find_fold(const struct plan_node *node, const uint8_t *key, uint32_t length);

/* ------------------------------------------------------------------------------------------------------- */

#define PLAN_KEY_EMPTY UINT32_MAX

static inline bool plan_reads(const struct plan *plan, uint32_t slot, uint8_t first)
{
    enum plan_use const use = plan->slot_use[slot];
    return use == PLAN_USED || (use == PLAN_TYPED && first != '{' && first != '[');
}

/* The first 8 bytes of a key, zeroes behind a shorter one. Little-endian: the first bytes are the low ones.
 */
static inline uint64_t plan_key_prefix(const uint8_t *key, uint32_t length)
{
    uint64_t word;
    __builtin_memcpy(&word, key, sizeof word);
    return length < 8 ? word & ((1ull << (8 * length)) - 1) : word;
}

/* The last 8 bytes of a longer key. Together with the prefix it is all of a key of up to 16 bytes. */
static inline uint64_t plan_key_last(const uint8_t *key, uint32_t length, uint64_t prefix)
{
    uint64_t last = prefix;
    if (length > 8) __builtin_memcpy(&last, key + length - 8, sizeof last);
    return last;
}

/* Of both words: names like attribute_0001, attribute_0002 must spread too. */
static inline uint64_t plan_key_hash(const struct plan_node *node, uint64_t prefix, uint64_t last,
                                     uint32_t length)
{
    return ((prefix ^ (last << 23 | last >> 41)) + length) * node->multiplier >> node->shift;
}

static inline uint32_t plan_find(const struct plan_node *node, const uint8_t *key, uint32_t length)
{
    uint64_t const prefix = plan_key_prefix(key, length), last = plan_key_last(key, length, prefix);
    const struct plan_key *entry = node->keys + plan_key_hash(node, prefix, last, length);
    for (; entry->length != PLAN_KEY_EMPTY; entry++) /* ends: the table's last entry is always empty */
        if (entry->prefix == prefix && entry->last == last && entry->length == length &&
            (length <= 16 || __builtin_memcmp(entry->name + 8, key + 8, length - 16) == 0))
            return entry->node;
    return PLAN_NONE;
}

#ifdef __cplusplus
}
#endif

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "plan_key_prefix() reads little-endian words"
#endif

#endif
