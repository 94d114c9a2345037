/* catalogue.h - the paths that a dump holds, as a tree, and what was seen at each.
 *
 *   record (root)
 *     identityMap            object
 *       [*]                  every namespace: keys that are data stand for one path
 *         [*]                every entry of it
 *           id               string, 1.2 million different ones, ...
 *
 * A node is a path. Its edges are the keys of objects, or [*]: every element of an array, and every member of
 * an object whose keys are data. Of such maps are known: segmentMembership (namespaces, then ids),
 * identityMap, and idSpecific (namespaces, then ids). Any other object becomes one as soon as it had more
 * than CATALOGUE_KEYS_MAX different keys, or one that is longer than CATALOGUE_KEY_MAX; or at the end, when
 * it has many keys of which a record has hardly one (CATALOGUE_SPARSE_KEYS). What is counted adds up then,
 * but in how many records a path below such a map occurs can't be told from how many had it under each key:
 * such nodes are `loose`.
 *
 * Each worker fills a catalogue of its own; merged in any order they are the same as one that was filled
 * alone: counts add up, sketches take maxima, the example and the order of paths are those of the first place
 * in the input. One bound may break that, CATALOGUE_PATHS_MAX: which paths come first then depends on who
 * filled what; `full` says so. No dump of a real schema comes near (an AEP union schema has some thousand
 * fields).
 *
 * Ownership: owns nodes and their texts. Thread rule: one thread. */
#ifndef PENSTOCK_CORE_INSPECT_CATALOGUE_H
#define PENSTOCK_CORE_INSPECT_CATALOGUE_H

#include "core/inspect/census.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CATALOGUE_PATHS_MAX 8192u
/* Pega and AEP end at 500 columns: a flat export has no more keys than that. */
#define CATALOGUE_KEYS_MAX 512u
#define CATALOGUE_KEY_MAX  256u
/* An object of more keys than this, of which its records have less than one in a hundred, is a map. */
#define CATALOGUE_SPARSE_KEYS  100u
#define CATALOGUE_SPARSE_SHARE 100u
/* Parts of a path. XDM nests 8 or so deep; what lies deeper is counted as the container that it is in. */
#define CATALOGUE_DEPTH_MAX 32u
#define CATALOGUE_EXAMPLE   60u /* bytes of a value that are kept to be shown */
#define CATALOGUE_SEGMENTS  4096u
#define CATALOGUE_SPACES    256u
/* Keys up to this length are compared 32 bytes at once, with their closing quote. */
#define CATALOGUE_TEXT 32u

enum catalogue_type {
    CATALOGUE_STRING,
    CATALOGUE_NUMBER,
    CATALOGUE_BOOLEAN,
    CATALOGUE_NULL,
    CATALOGUE_OBJECT,
    CATALOGUE_ARRAY,
    CATALOGUE_TYPES
};

/* What a path means to penstock beside being one. */
enum catalogue_role {
    ROLE_PLAIN,
    ROLE_ROOT,
    ROLE_MAP, /* keys are data */
    ROLE_MAP_OF_MAPS,
    ROLE_SEGMENTS, /* segmentMembership, then its namespaces, then the members and their status */
    ROLE_SEGMENT_SPACE,
    ROLE_SEGMENT,
    ROLE_STATUS,
    ROLE_IDENTITIES, /* identityMap, then its namespaces, then their entries */
    ROLE_IDENTITY_SPACE,
    ROLE_IDENTITY_LIST, /* `identities` of the entities form */
    ROLE_IDENTITY,
    ROLE_ID,
    ROLE_PRIMARY,
    ROLE_CODE_HOLDER, /* namespace.code of an entry of that form */
    ROLE_CODE
};

/* Counts of a segment id and of a namespace. */
enum catalogue_status { SEGMENT_REALIZED, SEGMENT_EXISTING, SEGMENT_EXITED, SEGMENT_OTHER };
enum catalogue_space { SPACE_IDS, SPACE_PRIMARY };

/* How the strings of a path read; bits. */
enum catalogue_reading {
    READS_DATE = 1,     /* yyyy-MM-dd */
    READS_TIME = 2,     /* another time that a column of type timestamp takes */
    READS_NO_TIME = 4,  /* neither; empty strings count as nothing */
    READS_NULL_CHAR = 8 /* holds a NUL */
};

struct catalogue_node {
    /* what the walk looks at first */
    uint8_t text[CATALOGUE_TEXT]; /* key" */
    uint32_t low, high;           /* which bytes of its halves count: bit i for byte i; both 0: look it up */
    enum catalogue_role role;
    uint8_t level;                 /* parts of its path */
    bool is_map;                   /* all members are [*] */
    bool is_each;                  /* it is [*] */
    bool loose;                    /* `records` can't be told */
    bool seen;                     /* `first` is set */
    uint8_t readings;              /* enum catalogue_reading */
    uint64_t last_record, records; /* with a value that is not null */
    struct catalogue_node *first_follow,
        *follow; /* the member that came first in it, and behind it, last time */
    uint64_t types[CATALOGUE_TYPES];
    uint64_t longest;            /* bytes of the text of its longest scalar */
    uint64_t last_hash;          /* of the scalar before: often the same */
    struct hyperloglog distinct; /* of the texts of its scalars */
    /* the rest */
    struct catalogue_node *parent, *children, *next;
    struct catalogue_node *each;
    char *key; /* unescaped, NULL for [*] and the root */
    uint32_t key_length, key_count;
    struct census_place first; /* of a value */
    struct census_place example_at;
    uint64_t example_length; /* of the whole value; 0: there is none */
    uint8_t example[CATALOGUE_EXAMPLE];
};

/* How much is kept; tests take less than the usual. */
struct catalogue_limits {
    uint32_t paths, segments, spaces;
};

#define CATALOGUE_USUAL         \
    ((struct catalogue_limits){ \
        .paths = CATALOGUE_PATHS_MAX, .segments = CATALOGUE_SEGMENTS, .spaces = CATALOGUE_SPACES})

struct catalogue {
    struct catalogue_limits limits;
    struct catalogue_node *nodes, *empty; /* empty: chained by `next` */
    struct catalogue_node *root;
    struct catalogue_node **table; /* of members, by parent and key */
    uint32_t table_mask;
    uint32_t node_count;        /* of `nodes` in use */
    uint64_t records;           /* good ones */
    uint64_t surrogate_records; /* with a lone surrogate somewhere */
    bool full;                  /* there were more paths than CATALOGUE_PATHS_MAX */
    bool no_memory;             /* something is not counted for a lack of it */
    struct census segments, spaces;
};

size_t catalogue_bytes(const struct catalogue_limits *limits); /* at most, all included */
/* False: no memory; destroy is due all the same. */
bool catalogue_create(struct catalogue *catalogue, const struct catalogue_limits *limits);
void catalogue_destroy(struct catalogue *catalogue); /* zeroed is fine */

/* The path of a member of an object, by its unescaped key; NULL: beyond a bound. May turn `node` into a map.
 */
struct catalogue_node *catalogue_member(struct catalogue *catalogue, struct catalogue_node *node,
                                        const uint8_t *key, size_t length);
/* [*] of it. NULL: beyond a bound. */
struct catalogue_node *catalogue_each(struct catalogue *catalogue, struct catalogue_node *node);

/* Adds all that `more` holds. */
void catalogue_merge(struct catalogue *catalogue, const struct catalogue *more);
/* Folds sparse objects and puts children in the order in which the input has them. Nothing is added
 * afterwards. */
void catalogue_finish(struct catalogue *catalogue);

/* ---- of a finished one ---- */

/* Depth first, the root left out. NULL: that was the last one. */
const struct catalogue_node *catalogue_first(const struct catalogue *catalogue);
const struct catalogue_node *catalogue_next(const struct catalogue_node *node);
/* Records with a value there that is not null: as counted, or of a loose path the most that it can be. */
uint64_t catalogue_records(const struct catalogue_node *node);
static inline uint64_t catalogue_scalars(const struct catalogue_node *node)
{
    return node->types[CATALOGUE_STRING] + node->types[CATALOGUE_NUMBER] + node->types[CATALOGUE_BOOLEAN];
}
/* The path as jobs write it. Returns its length; when that is not below `size`, `out` holds the front of it.
 */
size_t catalogue_path(const struct catalogue_node *node, char *out, size_t size);

#endif
