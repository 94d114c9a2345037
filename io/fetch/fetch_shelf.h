/* fetch_shelf.h - ranges of objects, fetched ahead of all workers and read by any of them.
 *
 *   objects  |---- a ----|-- b --|------ c ------|      as the run reads them; cut into ranges, numbered
 * through slots         [3][4][5][6][7] -> on their way       each holds a range, or waits for one workers ^
 * ^
 *
 * Workers claim shards in input order, so that all of them together read the ranges one after the other. The
 * shelf asks for those behind the last one that was wanted, first one, then two, four, ... until every slot
 * is in use: who wants a few records does not have others sent; of a near store only few (fetch_pace.h). A
 * slot is free again when each of its cells was read to its end and no reader is as far back as that any more
 * (one that stood still for long does not count). Whoever comes back to a range that has gone (a record's
 * second look, a shard that is converted again), or to one for which no slot is free, reads it past the
 * shelf, or from a slot that is for the taking: nothing that is read hangs on what is on the shelf, and
 * nobody waits for a slot, only for a range that is on its way.
 *
 * Checksums: an object that is one range is asked for whole, with the store's checksum in the reply. Of
 * larger ones HEAD tells it, sent beside the first range; who takes a range off the network first sums it up,
 * after others may read it, and fetch_sums.h joins.
 *
 * Memory: fetch_plan.h's slots, from start to destroy; a call for each.
 * Thread rule: add, start, cut, restart, check and destroy by main while nobody reads; the rest by any
 * thread, a view by one. */
#ifndef PENSTOCK_IO_FETCH_FETCH_SHELF_H
#define PENSTOCK_IO_FETCH_FETCH_SHELF_H

#include "core/base/status.h"
#include "core/flow/prepare.h"
#include "io/s3/s3_range.h"

struct fetch_shelf;

struct fetch_shelf *fetch_shelf_create(void); /* NULL: no memory */
/* Waits for what is on its way; takes NULL. */
void fetch_shelf_destroy(struct fetch_shelf *shelf);

/* The next object of the run, whose texts are borrowed. Its number from 0, or SIZE_MAX: no memory. */
size_t fetch_shelf_add(struct fetch_shelf *shelf, const struct s3_object *object);
struct fetch_shelf_rules {
    size_t range_bytes;
    uint32_t slots;
    prepare_fn *prepare;   /* told of a slot's memory before it is filled first; may be NULL */
    uint64_t (*now)(void); /* NULL: see fetch.h */
};

/* False: no memory. `rules` is copied. */
bool fetch_shelf_start(struct fetch_shelf *shelf, const struct fetch_shelf_rules *rules);
/* Nothing behind the first `bytes` of an object is wanted; from fetch_shelf_restart() on. */
void fetch_shelf_cut(struct fetch_shelf *shelf, size_t object, uint64_t bytes);
/* Begins anew with the first object. */
void fetch_shelf_restart(struct fetch_shelf *shelf);

/* What a reader of the shelf is to it. Zeroed before fetch_shelf_join(). */
struct fetch_view {
    struct fetch_view *next;
    uint64_t number;          /* of the range that it looks at */
    struct fetch_slot *shown; /* whose bytes it was shown; NULL: none */
};

void fetch_shelf_join(struct fetch_shelf *shelf, struct fetch_view *view);
void fetch_shelf_leave(struct fetch_shelf *shelf, struct fetch_view *view);

/* [offset, offset + length) of the object, which has so much and more than nothing, where it lies, with
 * LIMIT_PADDING readable bytes behind it: until the view is used again. *bytes NULL: it has to be read, since
 * it lies in several ranges, or past the shelf. STATUS_IO: the object changed; else the call's. */
enum status fetch_shelf_show(struct fetch_shelf *shelf, struct fetch_view *view, size_t object,
                             uint64_t offset, size_t length, const uint8_t **bytes, struct fault *fault);
/* The same copied. */
enum status fetch_shelf_read(struct fetch_shelf *shelf, struct fetch_view *view, size_t object,
                             uint64_t offset, uint8_t *into, size_t length, struct fault *fault);
/* STATUS_IO: all of it was read, and is not what the store's checksum says. */
enum status fetch_shelf_check(struct fetch_shelf *shelf, size_t object, struct fault *fault);

#endif
