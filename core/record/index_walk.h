/* index_walk.h - the fast walk: one record, over simdjson's structural index, along the plan.
 *
 * Stage 1 of simdjson (record_walk.h) gives the offsets of a block's structural characters: { } [ ] : , the
 * opening quote of each string and the first byte of each other scalar. This walk goes over those of one
 * record once, checks the grammar of what the plan enters and the brackets of what it skips, and puts the
 * values that the plan selects into cells. It never looks at the bytes of skipped values.
 *
 * Checked: in objects and arrays that the plan enters, keys, colons and commas; everywhere, that brackets
 * match and nest at most depth_max deep. Not checked here: the bytes of scalars (csv_row.c does, when it uses
 * one) - unless `exact` is set. With `exact` the walk is slower and names the first defect in byte order: the
 * code and offset that a reject line carries. Without it a defect's code and offset mean nothing.
 *
 * Thread rule: one struct a thread. Never allocates. */
#ifndef PENSTOCK_CORE_RECORD_INDEX_WALK_H
#define PENSTOCK_CORE_RECORD_INDEX_WALK_H

#include "core/base/scan.h"
#include "core/base/tally.h"
#include "core/map/plan.h"
#include "core/record/cells.h"

#include <stdbool.h>
#include <stdint.h>

/* An escaped key is unescaped to be looked up; longer raw ones (6 bytes for each of the text's) match
 * nothing. */
#define INDEX_WALK_KEY_MAX (6u * PATH_TEXT_MAX)

/* Records of one dump look alike: the key that followed another one in an object is likely to follow it
 * again, and its value to begin as the last one did. So each node of the plan that is entered keeps the keys
 * that its objects had, in their order, with what the plan says of each (mostly: nothing). A key that is the
 * expected one, with the comma and quotes and the colon around it and the first byte of its value, costs one
 * comparison of 16 or 32 bytes, and what is to be done is known; any other is looked up in the plan. Only
 * speed depends on what was learnt. */
#define INDEX_WALK_MEMOS 32u /* keys remembered for a node: more than most objects of a profile have */
/* Bytes, with what stands around the key: longer ones are looked up each time. */
#define INDEX_WALK_MEMO_TEXT 32u
/* How many expected members may be missing before the whole list is searched. */
#define INDEX_WALK_MEMO_AHEAD 4u

/* What is to be done where a memo's text stands. Bits, so that compilers test one after the other: the first
 * ones are what most members are. */
enum walk_act {
    WALK_ACT_PASS = 0,      /* a string that leads nowhere */
    WALK_ACT_STRING = 1,    /* a string that fills a cell */
    WALK_ACT_OBJECT = 2,    /* an object of the plan that can be walked in the same loop */
    WALK_ACT_END = 4,       /* no key, but the '}' behind all that were learnt */
    WALK_ACT_CONTAINER = 8, /* an object or array that leads nowhere */
    WALK_ACT_LOOK = 16,     /* the value's first byte decides: it is not part of the text */
    WALK_ACT_FOLD = 32,     /* the same, and the node is one under a fold */
    WALK_ACT_LONG = 128     /* added where the text goes into the second half */
};

struct index_walk_memo {
    /* ,"key": with the blanks in it, '{' in place of the comma of the first in the list, and mostly the
       value's first byte */
    _Alignas(SCAN_STEP) uint8_t text[INDEX_WALK_MEMO_TEXT];
    uint32_t low;               /* which bytes of its first half don't count: bit i for byte i */
    uint16_t high;              /* and of its second one */
    uint8_t act;                /* enum walk_act */
    uint8_t value;              /* place of the value's first byte in the text; 0: it is not there */
    uint32_t length;            /* of the key */
    bool exact;                 /* not by an `xdm:` prefix */
    bool nests;                 /* an object there can be walked in the same loop */
    bool apart;                 /* the text is that without blanks, which were too many */
    uint8_t key;                /* place of the key in the text */
    const struct plan_node *to; /* where it leads, or NULL */
    union {
        const struct index_walk_memo *inside; /* when it nests: the first one of its own keys */
        uint32_t slot;                        /* WALK_ACT_STRING */
    };
};

/* No two memos of a list lead to the same node, but for nodes under a fold: a member that comes in the list's
 * order is the first of its node. */
struct index_walk_memos {
    uint32_t count;
    struct index_walk_memo list[INDEX_WALK_MEMOS + 1]; /* list[count]: WALK_ACT_END */
};

struct index_walk {
    const struct plan *plan;
    const struct plan_node *nodes; /* the plan's */
    struct cells *cells;
    const uint8_t *bytes; /* what the index counts from; LIMIT_PADDING readable bytes behind the block */
    uint32_t end;         /* of the record: no token at or behind it is the record's */
    uint32_t depth_max;
    bool exact;
    uint8_t *brackets;                /* depth_max + 2: the open brackets */
    uint8_t *key;                     /* INDEX_WALK_KEY_MAX + 8: an unescaped key */
    struct index_walk_memos *memos;   /* of the plan's nodes that are entered: node->inner */
    struct index_walk_memos no_memos; /* for exact walks, which learn nothing */
    struct index_walk_memo once;      /* a key that is not learnt */
    enum defect defect;               /* set when a walk fails */
    uint32_t defect_at;
};

/* Bytes that index_walk_create() takes. */
size_t index_walk_bytes(const struct plan *plan, uint32_t depth_max);
bool index_walk_create(struct index_walk *walk, const struct plan *plan, uint32_t depth_max);
void index_walk_destroy(struct index_walk *walk); /* a zeroed struct is fine */

/* Walks the record whose first token is *token and that ends at walk->end. Returns the first token behind it,
 * NULL at a defect (or when cells->overflow). Behind the index stand RECORD_INDEX_BEHIND entries
 * (record_walk.h) that are at or behind the record's end. cells_begin() was called. */
const uint32_t *index_walk_record(struct index_walk *walk, const uint32_t *token);
/* The same for a record that others may follow before walk->end: what stands behind it is the caller's to
 * judge. Never with `exact`. */
const uint32_t *index_walk_element(struct index_walk *walk, const uint32_t *token);
/* Passes a value that nothing selects, by its brackets; `depth`: containers open around it. NULL: they don't
 * match before walk->end, or it is no value. */
const uint32_t *index_walk_skip(struct index_walk *walk, const uint32_t *token, uint32_t depth);

#endif
