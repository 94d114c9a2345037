/* dedup.c - see the header. Threads: as it says. Owns table, spool and replay. */
#include "core/flow/dedup.h"

struct dedup_sizes dedup_share(uint64_t bytes)
{
    struct dedup_sizes sizes = DEDUP_SIZES_MIN;
    uint64_t const table = bytes / DEDUP_TABLE_PARTS * DEDUP_TABLE_SHARE;
    if (sizes.table < table) sizes.table = table;
    if (sizes.spool < bytes - table) sizes.spool = bytes - table;
    return sizes;
}

bool dedup_create(struct dedup *dedup, const struct dedup_options *options)
{
    struct dedup_table_options const table = {.bytes = options->sizes.table,
                                              .beside = options->sizes.beside,
                                              .units = options->units,
                                              .prepare = options->prepare};
    *dedup = (struct dedup){.in_unit = false};
    return dedup_table_create(&dedup->table, &table) &&
           spool_create(&dedup->spool, options->sizes.spool, options->store, options->prepare) &&
           dedup_replay_create(&dedup->replay, options->checksum, options->chunk);
}

void dedup_destroy(struct dedup *dedup)
{
    dedup_table_destroy(&dedup->table);
    spool_destroy(&dedup->spool);
    dedup_replay_destroy(&dedup->replay);
}

/* ---- gather ---- */

/* What a chunk is preceded by in the spool. For rows their ends, marks and runs follow, so that it is known
 * who stays before the bytes come, then the bytes, and for the last of a shard its tally. */
struct kept {
    uint64_t shard, open_row, checksum;
    uint32_t kind, length, rows, run_count, contender_count;
    bool last, ends_source;
};

enum status dedup_keep(struct dedup *dedup, const struct chunk *chunk, struct fault *fault)
{
    struct spool *const spool = &dedup->spool;
    struct kept const kept = {.shard = chunk->shard,
                              .open_row = chunk->open_row,
                              .checksum = chunk->checksum,
                              .kind = chunk->kind,
                              .length = chunk->length,
                              .rows = chunk->rows,
                              .run_count = chunk->run_count,
                              .contender_count = chunk->contender_count,
                              .last = chunk->last,
                              .ends_source = chunk->ends_source};
    enum status status = spool_append(spool, &kept, sizeof kept, fault);
    if (status == STATUS_OK && chunk->kind == CHUNK_ROWS) {
        status = spool_append(spool, chunk->row_ends, chunk->rows * sizeof *chunk->row_ends, fault);
        if (status == STATUS_OK)
            status = spool_append(spool, chunk->row_marks, chunk_mark_count(chunk) * sizeof *chunk->row_marks,
                                  fault);
        if (status == STATUS_OK)
            status = spool_append(spool, chunk->runs, chunk->run_count * sizeof *chunk->runs, fault);
    }
    if (status == STATUS_OK) status = spool_append(spool, chunk->bytes, chunk->length, fault);
    if (status != STATUS_OK || !chunk->last) return status;
    if (!losers_keep(&dedup->table.losers, chunk->losers))
        return fault_set(fault, STATUS_IO, "no memory for the list of shards");
    status = spool_append(spool, &chunk->tally, sizeof chunk->tally, fault);
    if (status != STATUS_OK) return status;
    return spool_append(spool, chunk->contenders, chunk->contender_count * sizeof *chunk->contenders, fault);
}

/* ---- settle ---- */

void dedup_settle(struct dedup *dedup, struct dedup_scratch *scratch)
{
    uint32_t const count = dedup_table_partitions(&dedup->table);
    for (;;) {
        uint32_t const partition = atomic_fetch_add_explicit(&dedup->next_partition, 1, memory_order_relaxed);
        if (partition >= count) return;
        dedup_table_finish(&dedup->table, scratch, partition);
    }
}

/* ---- replay ---- */

enum status dedup_rewind(struct dedup *dedup, struct fault *fault)
{
    dedup_table_forget_keys(&dedup->table);
    return spool_rewind(&dedup->spool, fault);
}

static enum status take_contenders(struct dedup *dedup, uint32_t count, struct fault *fault)
{
    dedup_replay_count(&dedup->replay);
    enum status const status =
        spool_take(&dedup->spool, dedup->replay.contenders, count * sizeof(struct contender), fault);
    if (status == STATUS_OK) dedup_replay_contenders(&dedup->replay, count);
    return status;
}

static enum status take_rows(struct dedup *dedup, struct chunk *chunk, struct fault *fault)
{
    struct spool *const spool = &dedup->spool;
    enum status status = spool_take(spool, chunk->row_ends, chunk->rows * sizeof *chunk->row_ends, fault);
    if (status == STATUS_OK)
        status =
            spool_take(spool, chunk->row_marks, chunk_mark_count(chunk) * sizeof *chunk->row_marks, fault);
    if (status == STATUS_OK)
        status = spool_take(spool, chunk->runs, chunk->run_count * sizeof *chunk->runs, fault);
    return status == STATUS_OK ? dedup_replay_rows(&dedup->replay, chunk, spool, fault) : status;
}

static enum status take_rejects(struct dedup *dedup, struct chunk *chunk, struct fault *fault)
{
    enum status const status = spool_take(&dedup->spool, chunk->bytes, chunk->length, fault);
    if (status == STATUS_OK) dedup_replay_rejects(&dedup->replay, chunk);
    return status;
}

/* The end of a unit. */
static enum status take_tally(struct dedup *dedup, const struct kept *kept, struct chunk *chunk,
                              struct fault *fault)
{
    enum status status = spool_take(&dedup->spool, &chunk->tally, sizeof chunk->tally, fault);
    if (status == STATUS_OK) status = take_contenders(dedup, kept->contender_count, fault);
    if (status != STATUS_OK) return status;
    dedup_replay_count(&dedup->replay);
    tally_add(&chunk->tally, &dedup->replay.correction);
    losers_drop(&dedup->table.losers, dedup->unit++);
    dedup->in_unit = false;
    return STATUS_OK;
}

static enum status take_chunk(struct dedup *dedup, const struct kept *kept, struct chunk *chunk,
                              struct fault *fault)
{
    chunk_reset(chunk, (enum chunk_kind)kept->kind, kept->shard);
    chunk->open_row = kept->open_row;
    chunk->checksum = kept->checksum;
    chunk->length = kept->length;
    chunk->rows = kept->rows;
    chunk->run_count = kept->run_count;
    chunk->last = kept->last;
    chunk->ends_source = kept->ends_source;
    enum status const status =
        chunk->kind == CHUNK_ROWS ? take_rows(dedup, chunk, fault) : take_rejects(dedup, chunk, fault);
    return status == STATUS_OK && chunk->last ? take_tally(dedup, kept, chunk, fault) : status;
}

enum status dedup_next(struct dedup *dedup, struct chunk *chunk, struct fault *fault)
{
    for (;;) {
        struct kept kept;
        enum status status = spool_take(&dedup->spool, &kept, sizeof kept, fault);
        if (status != STATUS_OK) return status;
        if (!dedup->in_unit)
            dedup_replay_begin(&dedup->replay, losers_unit(&dedup->table.losers, dedup->unit));
        dedup->in_unit = true;
        if (kept.kind == CHUNK_CONTENDERS) {
            status = take_contenders(dedup, kept.rows, fault);
            if (status != STATUS_OK) return status;
            continue;
        }
        status = take_chunk(dedup, &kept, chunk, fault);
        if (status != STATUS_OK || chunk->length != 0 || chunk->last) return status;
    }
}
