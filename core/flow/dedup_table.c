/* dedup_table.c - see the header. Threads: any, a partition at a time under its mutex. Owns partitions, slabs
 * and the losers' bits. */
#include "core/flow/dedup_table.h"

#include "core/base/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Fewer loose entries are not worth a merge: sorting as many takes a core's first cache only (12 KiB), and a
 * table of a few per partition is sorted once, when it is finished. */
#define LOOSE_MIN 512u

/* How many candidates ahead a partition is brought into the cache, and then the place of its next entry: each
 * well longer than a memory's delay. */
#define PREFETCH_PARTITION 32u
#define PREFETCH_ENTRY     16u

/* ---- memory ---- */

static uint64_t partition_bytes(const struct dedup_table *table)
{
    return dedup_table_partitions(table) * sizeof(struct dedup_partition);
}

static unsigned bits_for(uint64_t bytes)
{
    unsigned bits = 1;
    while (bits < DEDUP_PARTITION_BITS_MAX &&
           (UINT64_C(2) << bits) * DEDUP_PARTITION_BLOCKS * DEDUP_BLOCK_BYTES <= bytes)
        bits++;
    return bits;
}

static size_t whole_pages(size_t bytes)
{
    return (bytes + LIMIT_LARGE_PAGE - 1) / LIMIT_LARGE_PAGE * LIMIT_LARGE_PAGE;
}

bool dedup_table_create(struct dedup_table *table, const struct dedup_table_options *options)
{
    *table = (struct dedup_table){.options = *options, .partition_bits = bits_for(options->bytes)};
    uint32_t const partitions = dedup_table_partitions(table);
    table->slab_bytes = (size_t)partitions * DEDUP_BLOCK_BYTES;
    table->slab_max = (uint32_t)(options->bytes / table->slab_bytes);
    size_t const bytes = table->slab_max * table->slab_bytes;
    table->slabs = aligned_alloc(LIMIT_LARGE_PAGE, whole_pages(bytes));
    struct dedup_partition *const made =
        aligned_alloc(_Alignof(struct dedup_partition), partition_bytes(table));
    bool const has_bits = losers_create(&table->losers);
    bool good = table->slabs != NULL && made != NULL && has_bits;
    uint32_t ready = 0;
    while (good && ready < partitions) {
        made[ready].sorted = 0;
        atomic_init(&made[ready].filled, 0);
        made[ready].merge_at = LOOSE_MIN;
        good = pthread_mutex_init(&made[ready].mutex, NULL) == 0;
        ready += good;
    }
    if (good) {
        table->partitions = made;
        return true;
    }
    while (ready > 0)
        pthread_mutex_destroy(&made[--ready].mutex);
    free(made);
    return false;
}

void dedup_table_forget_keys(struct dedup_table *table)
{
    for (uint32_t p = 0; table->partitions != NULL && p < dedup_table_partitions(table); p++)
        pthread_mutex_destroy(&table->partitions[p].mutex);
    free(table->partitions);
    table->partitions = NULL;
    free(table->slabs);
    table->slabs = NULL;
}

void dedup_table_destroy(struct dedup_table *table)
{
    dedup_table_forget_keys(table);
    losers_destroy(&table->losers);
}

/* Slabs that the budget has room for, beside all else. */
static uint32_t slabs_allowed(const struct dedup_table *table)
{
    uint64_t const rest =
        partition_bytes(table) + atomic_load_explicit(&table->losers.bytes, memory_order_relaxed);
    uint64_t const bytes = table->options.bytes;
    return rest >= bytes ? 0 : (uint32_t)((bytes - rest) / table->slab_bytes);
}

/* Slabs follow each other: each one is asked for up to the end of its last large page. */
static void prepare_slab(const struct dedup_table *table, uint32_t number)
{
    size_t const all = table->slab_max * table->slab_bytes;
    size_t const begin = whole_pages(number * table->slab_bytes);
    size_t const end = whole_pages((number + 1) * table->slab_bytes);
    size_t const most = end < all ? end : all;
    if (table->options.prepare != NULL && begin < most)
        table->options.prepare(table->slabs + begin, most - begin, PREPARE_SCATTERED);
}

/* Takes slab number `number` into use. False: the budget has no room for it. */
static bool use_slab(struct dedup_table *table, uint32_t number)
{
    uint32_t count = atomic_load_explicit(&table->slab_count, memory_order_relaxed);
    if (number >= slabs_allowed(table)) return false;
    while (count <= number)
        if (atomic_compare_exchange_weak_explicit(&table->slab_count, &count, number + 1,
                                                  memory_order_relaxed, memory_order_relaxed)) {
            prepare_slab(table, number);
            break;
        }
    return true;
}

static uint32_t filled(const struct dedup_partition *partition)
{
    return atomic_load_explicit(&partition->filled, memory_order_relaxed);
}

/* ---- a full table ---- */

static uint64_t count_keys(struct dedup_table *table)
{
    uint64_t keys = 0;
    for (uint32_t p = 0; p < dedup_table_partitions(table); p++) {
        struct dedup_partition *const partition = &table->partitions[p];
        pthread_mutex_lock(&partition->mutex);
        keys += filled(partition);
        pthread_mutex_unlock(&partition->mutex);
    }
    return keys;
}

/* The limit that is enough for all of the input, when the rest of it is like what was met. */
static double enough(const struct dedup_table *table, uint64_t keys, double share)
{
    double const bits = (double)atomic_load_explicit(&table->losers.bytes, memory_order_relaxed);
    double const whole = ((double)keys * DEDUP_KEY_BYTES + bits) / share;
    return (double)table->options.beside + whole * DEDUP_TABLE_PARTS / DEDUP_TABLE_SHARE;
}

/* No partition is locked by the caller. */
static enum status table_full(struct dedup_table *table, struct fault *fault)
{
    uint64_t const units = table->options.units;
    uint64_t const done = atomic_load_explicit(&table->units_done, memory_order_relaxed);
    uint64_t const keys = count_keys(table);
    double const share = units == 0 ? 0 : (double)(done == 0 ? 1 : done) / (double)units;
    char rest[120] = "a larger --memory-limit holds more";
    char part[40] = "the input so far";
    if (units != 0) {
        snprintf(rest, sizeof rest, "if the rest is alike, --memory-limit %.0fMiB is enough",
                 enough(table, keys, share) / (double)LIMIT_MIB + 1);
        snprintf(part, sizeof part, "%.0f %% of the input", 100 * share);
    }
    return fault_set(fault, STATUS_USAGE,
                     "--memory-limit: identity.deduplicate: latest takes %u bytes for each key, and the %.1f "
                     "MiB that the limit leaves for them are full: %s had %" PRIu64 " keys; %s",
                     DEDUP_KEY_BYTES, (double)table->options.bytes / (double)LIMIT_MIB, part, keys, rest);
}

/* ---- entering ---- */

static struct dedup_run run_of(struct dedup_table *table, const struct dedup_partition *partition)
{
    return (struct dedup_run){.first =
                                  table->slabs + (size_t)(partition - table->partitions) * DEDUP_BLOCK_BYTES,
                              .slab_bytes = table->slab_bytes,
                              .sorted = partition->sorted,
                              .loose = filled(partition) - partition->sorted,
                              .losers = &table->losers};
}

/* How many loose entries are worth a merge. */
static uint32_t loose_wanted(const struct dedup_table *table, uint32_t sorted)
{
    bool const ample = atomic_load_explicit(&table->slab_count, memory_order_relaxed) < table->slab_max / 2;
    uint32_t const wanted = sorted / (ample ? 4 : 8);
    return wanted < LOOSE_MIN ? LOOSE_MIN : wanted > DEDUP_LOOSE_MAX ? DEDUP_LOOSE_MAX : wanted;
}

/* Takes the loose entries into the run. False: there is no room for enough new ones. */
static bool merge(struct dedup_table *table, struct dedup_partition *partition, struct dedup_scratch *scratch)
{
    struct dedup_run run = run_of(table, partition);
    dedup_run_merge(&run, scratch, dedup_run_settle(&run, scratch));
    uint64_t const room = (uint64_t)slabs_allowed(table) * DEDUP_BLOCK_ENTRIES;
    uint32_t const wanted = loose_wanted(table, run.sorted);
    partition->sorted = run.sorted;
    atomic_store_explicit(&partition->filled, run.sorted, memory_order_relaxed);
    partition->merge_at = run.sorted + wanted < room ? run.sorted + wanted : (uint32_t)room;
    return run.sorted + run.sorted / 16 < room;
}

/* False: there is no room. */
static bool put(struct dedup_table *table, struct dedup_partition *partition, const struct dedup_entry *entry)
{
    struct dedup_run const run = run_of(table, partition);
    uint32_t const at = run.sorted + run.loose;
    if (at % DEDUP_BLOCK_ENTRIES == 0 && !use_slab(table, at / DEDUP_BLOCK_ENTRIES)) return false;
    dedup_entry_pack(entry, dedup_run_at(&run, at));
    atomic_store_explicit(&partition->filled, at + 1, memory_order_relaxed);
    return true;
}

static struct dedup_partition *partition_of(const struct dedup_table *table, const struct key_digest *key)
{
    return &table->partitions[key->high >> (64 - table->partition_bits)];
}

/* Brings in what the candidates that follow number `i` need. */
static inline void prefetch(const struct dedup_table *table, const struct dedup_candidate *candidates,
                            uint32_t count, uint32_t i)
{
    if (count - i > PREFETCH_PARTITION)
        __builtin_prefetch(partition_of(table, &candidates[i + PREFETCH_PARTITION].key), 1);
    if (count - i <= PREFETCH_ENTRY) return;
    const struct dedup_partition *const partition = partition_of(table, &candidates[i + PREFETCH_ENTRY].key);
    uint32_t const at = filled(partition);
    const uint8_t *const entry = table->slabs + at / DEDUP_BLOCK_ENTRIES * table->slab_bytes +
                                 (size_t)(partition - table->partitions) * DEDUP_BLOCK_BYTES +
                                 at % DEDUP_BLOCK_ENTRIES * DEDUP_ENTRY_BYTES;
    __builtin_prefetch(entry, 1);
    __builtin_prefetch(entry + DEDUP_ENTRY_BYTES - 1, 1); /* a third of them lie in two lines */
}

static enum status enter(struct dedup_table *table, struct dedup_scratch *scratch,
                         const struct dedup_candidate *candidate, uint64_t place, struct fault *fault)
{
    struct dedup_partition *const partition = partition_of(table, &candidate->key);
    struct dedup_entry const entry = {.key = candidate->key.low >> (64 - DEDUP_KEY_BITS),
                                      .time = dedup_entry_time(candidate->time),
                                      .place = place};
    pthread_mutex_lock(&partition->mutex);
    bool const fits = (filled(partition) < partition->merge_at || merge(table, partition, scratch)) &&
                      put(table, partition, &entry);
    pthread_mutex_unlock(&partition->mutex);
    return fits ? STATUS_OK : table_full(table, fault);
}

/* A piece for the bits of `count` candidates. */
static enum status make_piece(struct dedup_table *table, uint64_t order, uint64_t first, uint32_t count,
                              struct losers_piece **piece, struct fault *fault)
{
    uint64_t const used = partition_bytes(table) +
                          atomic_load_explicit(&table->losers.bytes, memory_order_relaxed) +
                          atomic_load_explicit(&table->slab_count, memory_order_relaxed) * table->slab_bytes;
    if (used + losers_piece_bytes(count) > table->options.bytes) return table_full(table, fault);
    struct losers_piece *const made = losers_add(&table->losers, order, first, count, *piece);
    if (made != NULL) {
        *piece = made;
        return STATUS_OK;
    }
    if (atomic_load_explicit(&table->losers.count, memory_order_relaxed) < LOSERS_PIECES_MAX)
        return fault_set(fault, STATUS_IO, "no memory for the keys of identity.deduplicate");
    return fault_set(fault, STATUS_USAGE,
                     "--shard-size: identity.deduplicate takes an input of at most %" PRIu64
                     " shards; larger ones are fewer",
                     LOSERS_PIECES_MAX);
}

enum status dedup_table_insert(struct dedup_table *table, struct dedup_scratch *scratch, uint64_t order,
                               uint64_t first, const struct dedup_candidate *candidates, uint32_t count,
                               struct losers_piece **piece, struct fault *fault)
{
    enum status status = make_piece(table, order, first, count, piece, fault);
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++) {
        prefetch(table, candidates, count, i);
        status = enter(table, scratch, &candidates[i], losers_place(*piece, i), fault);
    }
    return status;
}

void dedup_table_count_unit(struct dedup_table *table)
{
    atomic_fetch_add_explicit(&table->units_done, 1, memory_order_relaxed);
}

void dedup_table_finish(struct dedup_table *table, struct dedup_scratch *scratch, uint32_t partition)
{
    struct dedup_partition *const finished = &table->partitions[partition];
    pthread_mutex_lock(&finished->mutex);
    struct dedup_run run = run_of(table, finished);
    dedup_run_settle(&run, scratch);
    /* what the run lacks now, nobody asks for */
    atomic_store_explicit(&finished->filled, run.sorted, memory_order_relaxed);
    pthread_mutex_unlock(&finished->mutex);
}
