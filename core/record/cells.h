/* cells.h - what a walk found in one record: for each slot of the plan the value's place in the record's
 * bytes.
 *
 * Filled by the two walkers (index_walk.c over simdjson's structural index, record_walk.cpp by On-Demand)
 * through the functions below, read by csv_row.c. A value is the raw JSON text (a string with its quotes);
 * its first byte tells its type. Nothing is copied.
 *
 * A slot that may select several values (plan->slot_many) keeps them as a chain through `items`, last one
 * first.
 *
 * Ownership: cells_create() allocates, once a thread; the values point into the record and live as long as
 * its window. Thread rule: one thread. */
#ifndef PENSTOCK_CORE_RECORD_CELLS_H
#define PENSTOCK_CORE_RECORD_CELLS_H

#include "core/base/tally.h"
#include "core/map/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of record for one item: no value with its comma is shorter, so a record of n bytes selects at most
 * n / CELLS_BYTES_PER_ITEM values by one path with [*]. Only several paths that select the same short values
 * could pass that; such a record is treated as too large. */
#define CELLS_BYTES_PER_ITEM 2u
#define CELLS_ITEMS_MIN      1024u

struct cell {
    const uint8_t *at; /* NULL: nothing selected */
    uint32_t length;
    uint32_t last; /* many: number of the last item, from 1; 0: none */
};

struct cells_item {
    uint32_t offset; /* of the value in the record */
    uint32_t length;
    uint32_t before; /* number of the item before it in the same slot, 0: none */
};

/* How a node was reached in one object: for duplicates, and for `key` against `xdm:key`. */
struct cells_seen {
    uint64_t object;     /* number of the object that it was last reached in */
    uint32_t item_first; /* items made before: those behind it are of this object */
    bool exact;          /* by its exact key */
    bool prefixed;       /* by the prefixed one */
    uint8_t spellings;   /* under a fold: see cells_spelling; at most CELLS_SPELLINGS_MAX + 1 */
};

/* Under `identityMap` keys that differ in case only lead to one node. Each spelling has its own values, so
 * that a repeated spelling can replace its own. Spellings of one name in one object beyond the bound are all
 * kept. */
#define CELLS_SPELLINGS_MAX 8u

struct cells_spelling {
    const uint8_t *key;
    uint32_t length;
    uint32_t item_first, item_end; /* items made under it */
};

/* Members that open objects under [*] or filters may have in all to be looked at for duplicates; beyond that
 * all values are kept. A map of a profile (segments, namespaces) has some hundred; entries and table take 200
 * KiB, which stays in the second cache. */
#define CELLS_MEMBERS_MAX 4096u

/* A member of an object under [*] or filters: any key may come twice there. */
struct cells_member {
    uint64_t object;
    const uint8_t *key; /* raw */
    uint32_t length;
    uint32_t item_first, item_end; /* items made of its value by [*] and filters */
    uint32_t place;                /* in the table */
};

struct cells {
    const struct plan *plan;
    const uint8_t *record;   /* what item offsets count from */
    struct cell *slots;      /* plan->slot_count */
    struct cells_seen *seen; /* plan->node_count */
    struct cells_spelling
        *spellings; /* plan->node_count x CELLS_SPELLINGS_MAX; only with a fold, else NULL */
    struct cells_item *items;
    uint32_t item_count, item_max;
    /* the sparse slots (plan->sparse_first) that the record filled, in the order in which it first did; all
     * others are empty */
    uint32_t *filled;
    uint32_t filled_count;
    bool *is_filled; /* of each sparse slot: it is in that list */
    struct cells_member
        *members;           /* a stack: CELLS_MEMBERS_MAX, when the plan has [*] or filters, else none */
    uint16_t *member_table; /* hashed by key: number in the stack, from 1; 0: free */
    uint32_t member_count, member_max;
    uint64_t object; /* number of the last object entered, over the thread's life */
    bool duplicate;  /* the record has an object with a key twice, among the names that paths use */
    bool overflow;   /* items were needed beyond item_max: the cells are not whole */
};

/* Bytes that cells_create() takes for records of at most `record_max` bytes. */
size_t cells_bytes(const struct plan *plan, size_t record_max);
bool cells_create(struct cells *cells, const struct plan *plan, size_t record_max);
void cells_destroy(struct cells *cells); /* a zeroed struct is fine */

static inline void cells_begin(struct cells *cells, const uint8_t *record);
/* A value of `slot` was found. `many`: plan->slot_many[slot], which the caller has at hand. */
static inline void cells_put(struct cells *cells, uint32_t slot, bool many, const uint8_t *at,
                             uint32_t length);
/* Forgets all values of the slots in [first, end), which must not select several. */
void cells_clear(struct cells *cells, uint32_t first, uint32_t end);

/* The key of a member leads to `node` in object number `object`: says whether the value counts. A key that
 * came before in the same object loses its values and is noted as a duplicate; `xdm:key` gives way to `key`.
 */
static inline bool cells_enter(struct cells *cells, uint64_t object, uint32_t node, bool exact);
/* The same behind the fact, of the first key of the object that led to `node`; `item_first`: items made
 * before the object. */
static inline void cells_entered(struct cells *cells, uint64_t object, uint32_t node, bool exact,
                                 uint32_t item_first);
/* The same for nodes under a fold, whose key is needed; to be followed by cells_leave_fold() behind the
 * value. */
bool cells_enter_fold(struct cells *cells, uint64_t object, uint32_t node, bool exact, const uint8_t *key,
                      uint32_t length);
void cells_leave_fold(struct cells *cells, uint32_t node);

#define CELLS_NO_MEMBER UINT32_MAX

/* A member of the object that is walked by [*] and filters of `node`: forgets what they found under the same
 * key before. To be followed by cells_leave_member() behind the value, with what was returned, and at the
 * object's end by cells_leave_object(). */
uint32_t cells_enter_member(struct cells *cells, uint64_t object, const struct plan_node *node,
                            const uint8_t *key, uint32_t length);
void cells_leave_member(struct cells *cells, uint32_t member);
void cells_leave_object(struct cells *cells, uint64_t object);

/* A well-formed value that a filter is about to compare: what the contract has against that, at *bad. */
enum defect cells_compared(const struct cells *cells, const uint8_t *at, uint32_t length, size_t *bad);

/* ------------------------------------------------------------------------------------------------------- */

bool cells_enter_again(struct cells *cells, uint32_t node, bool exact);
void cells_drop_members(struct cells *cells);
void cells_put_many(struct cells *cells, uint32_t slot, const uint8_t *at, uint32_t length);
void cells_empty_filled(struct cells *cells);

static inline void cells_begin(struct cells *cells, const uint8_t *record)
{
    __builtin_memset(cells->slots, 0, cells->plan->sparse_first * sizeof *cells->slots);
    if (cells->filled_count != 0) cells_empty_filled(cells);
    cells->record = record;
    cells->item_count = 0;
    cells->duplicate = false;
    cells->overflow = false;
    if (cells->member_count != 0) cells_drop_members(cells); /* of a walk that was broken off */
}

static inline void cells_put(struct cells *cells, uint32_t slot, bool many, const uint8_t *at,
                             uint32_t length)
{
    struct cell *cell = &cells->slots[slot];
    cell->at = at;
    cell->length = length;
    if (__builtin_expect(many, 0)) cells_put_many(cells, slot, at, length);
}

static inline void cells_entered(struct cells *cells, uint64_t object, uint32_t node, bool exact,
                                 uint32_t item_first)
{
    cells->seen[node] = (struct cells_seen){
        .object = object, .item_first = item_first, .exact = exact, .prefixed = !exact, .spellings = 0};
}

static inline bool cells_enter(struct cells *cells, uint64_t object, uint32_t node, bool exact)
{
    struct cells_seen *seen = &cells->seen[node];
    if (__builtin_expect(seen->object == object, 0)) return cells_enter_again(cells, node, exact);
    cells_entered(cells, object, node, exact, cells->item_count);
    return true;
}

#ifdef __cplusplus
}
#endif

#endif
