/* dedup_table.h - which candidate of each key stays: the one with the latest time, and on ties the later one
 * in input order (identity.deduplicate: latest). Exact whatever the order in which they come.
 *
 * Keys are told apart by their digests: first bits choose the partition, 60 others are kept. Partitions have
 * a mutex each, so that workers hardly ever meet.
 *
 * Memory. An entry takes 21 bytes (dedup_entry.h). Loose ones (dedup_run.h) are merged when they are an
 * eighth of the run (a quarter while less than half of the budget is used): 21 * 9/8 = 23.6 bytes a key at
 * most, and an eighth of a byte for each candidate's bit (losers.h): 24 bytes a key, all included. The table
 * is full when a partition can take no more than a sixteenth above its run. The largest of 2,000 partitions
 * of 49,000 keys or more stands 3.5 standard deviations, 1.6 %, above their mean: then there are 21 * 17/16
 * * 1.016 = 22.7 bytes for each key. So a budget of 24 bytes for each of n keys does, for n of a million and
 * more.
 *
 * Two keys are taken for one when their partition and their 60 bits agree: among n keys with a probability of
 * n^2 / 2 / 2^(60 + partition bits). A budget for 10^8 keys has 2^11 partitions: 10^16 / 2^72 = 2 * 10^-6.
 *
 * Thread rule: create, destroy and finish's caller as said there; insert by any thread, each with a scratch
 * of its own. Owns the entries and the bits. */
#ifndef PENSTOCK_CORE_FLOW_DEDUP_TABLE_H
#define PENSTOCK_CORE_FLOW_DEDUP_TABLE_H

#include "core/base/key_digest.h"
#include "core/base/status.h"
#include "core/flow/dedup_run.h"
#include "core/flow/prepare.h"

#include <pthread.h>

/* Of what a memory limit leaves for deduplication the table gets 3 parts of 4, the spool (spool.h) the rest.
 */
#define DEDUP_TABLE_SHARE 3u
#define DEDUP_TABLE_PARTS 4u

/* What a key takes, for messages: see above. */
#define DEDUP_KEY_BYTES 24u

/* Bits of the digest's high half that choose a partition. At most 2^18: 256 GiB, 16 MiB of them mutexes. */
#define DEDUP_PARTITION_BITS_MAX 18u
/* As many partitions as leave each of them 256 to 512 blocks, 49,000 to 98,000 keys: an eighth of them fits
 * the scratch, and more partitions would only be further apart. */
#define DEDUP_PARTITION_BLOCKS 256u

/* The least budget: 2 partitions. */
#define DEDUP_TABLE_BYTES_MIN (UINT64_C(1024) * 1024)

struct dedup_candidate {
    struct key_digest key;
    int64_t time; /* microseconds since 1970; INT64_MIN: none */
};

struct dedup_partition {
    _Alignas(64) pthread_mutex_t mutex;
    uint32_t sorted;         /* under the mutex */
    uint32_t merge_at;       /* with so many entries it is merged, or the table is full; under the mutex */
    _Atomic uint32_t filled; /* entries, loose ones included; written under the mutex, relaxed: who looks
                                without it learns what to bring into the cache */
};
_Static_assert(sizeof(struct dedup_partition) % 64 == 0, "a partition shares its line with no other");

struct dedup_table_options {
    uint64_t bytes;      /* the budget, at least DEDUP_TABLE_BYTES_MIN */
    uint64_t beside;     /* what all else takes of a larger memory limit, for the message */
    uint64_t units;      /* of the whole input; 0: not known before its end */
    prepare_fn *prepare; /* may be NULL */
};

struct dedup_table {
    struct dedup_table_options options;
    struct dedup_partition *partitions;
    unsigned partition_bits;
    size_t slab_bytes;
    uint32_t slab_max;
    _Atomic uint32_t slab_count; /* that are touched; relaxed: how full it is */
    uint8_t *slabs;              /* one behind the other; what was never used costs no page */
    struct losers losers;
    _Atomic uint64_t units_done; /* relaxed: a count, for the message */
};

/* False: no memory; destroy is due all the same. */
bool dedup_table_create(struct dedup_table *table, const struct dedup_table_options *options);
void dedup_table_destroy(struct dedup_table *table); /* zeroed is fine */

/* Enters `count` candidates (1 to LOSERS_PIECE_MAX) of unit `order`, the first of which is number `first`.
 * *piece is the unit's last piece (NULL: it has none), and then the new one. STATUS_USAGE: the table is full,
 * the message says how many keys there are and what limit would do. */
enum status dedup_table_insert(struct dedup_table *table, struct dedup_scratch *scratch, uint64_t order,
                               uint64_t first, const struct dedup_candidate *candidates, uint32_t count,
                               struct losers_piece **piece, struct fault *fault);
/* A unit has no more candidates: for the message. */
void dedup_table_count_unit(struct dedup_table *table);

/* Marks the losers that a partition's loose entries still hide. For each of the partitions once, by any
 * thread, when all candidates are entered (behind an edge from those who did). */
void dedup_table_finish(struct dedup_table *table, struct dedup_scratch *scratch, uint32_t partition);
static inline uint32_t dedup_table_partitions(const struct dedup_table *table)
{
    return UINT32_C(1) << table->partition_bits;
}
/* Frees all but the losers' bits: when all partitions are finished. */
void dedup_table_forget_keys(struct dedup_table *table);

#endif
