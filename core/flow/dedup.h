/* dedup.h - a run that keeps the latest record of each key (identity.deduplicate: latest), in one pass over
 * the input:
 *
 *   gather   workers convert all records, and enter each into the table of keys (contend.h); their chunks are
 * kept in order (spool.h) settle   workers find the losers that the table still hides, a partition at a time
 *   replay   the chunks come back in order, without the losers (dedup_replay.h), and are assembled
 *
 * So files, rejects, budgets and counts are made by what makes them in every other run.
 *
 * Thread rule: dedup_settle() by any number of threads, each once, when all candidates are entered (behind an
 * edge from those who did); the rest by the assembler's thread: dedup_next() behind an edge from all who
 * settled. */
#ifndef PENSTOCK_CORE_FLOW_DEDUP_H
#define PENSTOCK_CORE_FLOW_DEDUP_H

#include "core/flow/dedup_replay.h"
#include "core/flow/dedup_table.h"
#include "core/flow/spool.h"

struct dedup_sizes {
    uint64_t table, spool; /* bytes; 0: the run keeps all records */
    uint64_t beside;       /* what all else takes of a memory limit that is not short: for a message */
};

/* The least of both. */
#define DEDUP_SIZES_MIN ((struct dedup_sizes){.table = DEDUP_TABLE_BYTES_MIN, .spool = SPOOL_BYTES_MIN})

struct dedup_options {
    struct dedup_sizes sizes;
    uint64_t units; /* of the input; 0: not known before its end */
    size_t chunk;   /* capacity of the run's chunks */
    enum checksum_kind checksum;
    const struct spool_store *store;
    prepare_fn *prepare; /* may be NULL */
};

struct dedup {
    struct dedup_table table;
    struct spool spool;
    struct dedup_replay replay;
    bool in_unit;                    /* replay: the unit at hand has chunks left */
    uint64_t unit;                   /* replay: its number */
    _Atomic uint32_t next_partition; /* relaxed fetch_add: claims, publishes nothing */
};

/* Shares `bytes` that are left of a memory limit. */
struct dedup_sizes dedup_share(uint64_t bytes);

/* False: no memory; destroy is due all the same. */
bool dedup_create(struct dedup *dedup, const struct dedup_options *options);
void dedup_destroy(struct dedup *dedup); /* zeroed is fine */

/* Keeps the next chunk in order; it stays the caller's. */
enum status dedup_keep(struct dedup *dedup, const struct chunk *chunk, struct fault *fault);
void dedup_settle(struct dedup *dedup, struct dedup_scratch *scratch);
/* Between the last dedup_keep() and the first dedup_next(). */
enum status dedup_rewind(struct dedup *dedup, struct fault *fault);
/* Fills an empty chunk with the next one in order that has something left, or is its shard's last. As many
 * shards come as were kept. */
enum status dedup_next(struct dedup *dedup, struct chunk *chunk, struct fault *fault);

#endif
