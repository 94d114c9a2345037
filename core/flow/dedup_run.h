/* dedup_run.h - one partition of the table of keys: a run of entries sorted by key, one a key, and loose ones
 * behind it as they came. Loose ones are sorted and merged into the run from time to time.
 *
 * A run stands in small blocks. Block b of all partitions lies in slab b, one after the other; so slabs are
 * filled from their first to their last byte about when the next one is wanted, since digests fall evenly:
 * what is used of the memory is dense, and so is what is filled at a time.
 *
 * Merging goes once over the run to settle keys that are met again (their losers are marked), and once more
 * from its end to let the new keys in, in place. Both are sequential; so an entry costs the more the smaller
 * the share of loose ones, and nothing that hangs on how full a table is.
 *
 * Thread rule: whoever has the partition. Owns nothing: blocks are the table's, the scratch the worker's. */
#ifndef PENSTOCK_CORE_FLOW_DEDUP_RUN_H
#define PENSTOCK_CORE_FLOW_DEDUP_RUN_H

#include "core/flow/dedup_entry.h"
#include "core/flow/losers.h"

#define DEDUP_BLOCK_ENTRIES 192u
#define DEDUP_BLOCK_BYTES   (DEDUP_BLOCK_ENTRIES * DEDUP_ENTRY_BYTES) /* 4032: about a page */

/* Loose entries are sorted in a scratch that stays in a core's L2 cache: 384 KiB, and 64 KiB. A power of two.
 */
#define DEDUP_LOOSE_MAX 16384u

struct dedup_scratch {
    struct dedup_entry entries[DEDUP_LOOSE_MAX + 1]; /* one more: a key that nothing has */
    uint32_t starts[DEDUP_LOOSE_MAX + 1];
};

struct dedup_run {
    uint8_t *first;    /* block of the partition */
    size_t slab_bytes; /* to the next one */
    uint32_t sorted, loose;
    struct losers *losers; /* where they are marked */
};

/* Bytes of entry number `entry`. */
uint8_t *dedup_run_at(const struct dedup_run *run, uint32_t entry);
/* Sorts the loose entries into the scratch and marks all losers among them and the run's. Of the scratch's
 * entries those are left whose keys the run has not: their number. The loose ones are gone from the run. */
uint32_t dedup_run_settle(struct dedup_run *run, struct dedup_scratch *scratch);
/* Takes the scratch's `count` entries, as settle left them, into the run. Its blocks must have room. */
void dedup_run_merge(struct dedup_run *run, const struct dedup_scratch *scratch, uint32_t count);

#endif
