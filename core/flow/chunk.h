/* chunk.h - what travels from a worker to the assembler and back: a piece of output and what is known of it.
 *
 * A shard's chunks travel in order over the worker's ring; the last one carries the shard's tally. A chunk
 * holds whole rows (`row_ends` says where each ends), but for a row that is larger than a chunk: then
 * `open_row` is its whole length, it begins behind the chunk's last row end, and goes on through the chunks
 * that follow. Rejects travel in chunks of their own kind, as a sequence of reject entries with their raw
 * bytes.
 *
 * A run that writes several streams (split.h) says in `runs` whose rows a chunk's are: those of one stream
 * lie together, in input order. A piece of a larger row has a run of its own. No runs: all are stream 0's.
 *
 * A run that deduplicates marks each row with the number of its candidate in the shard, and sends what became
 * of its records as a sequence of contenders (contender.h) in chunks of their own kind, or, the last ones, in
 * the shard's last chunk. A chunk of rejects follows the contenders that stand before its entries, and its
 * entries stand among those of the last such chunk.
 *
 * Ownership: chunks belong to the pool (chunk_pool.h), which the assembler keeps. A worker gets one by its
 * home ring and gives it back, filled, by its forward ring. Thread rule: whoever holds the pointer; the
 * rings' edges carry the contents. */
#ifndef PENSTOCK_CORE_FLOW_CHUNK_H
#define PENSTOCK_CORE_FLOW_CHUNK_H

#include "core/base/tally.h"
#include "core/flow/contender.h"
#include "core/map/path.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Chunk sizes that a memory limit can lead to. The least holds a reject entry with its 64 KiB of raw bytes;
 * the most is what a core's L2 cache likes to pass on. */
#define CHUNK_BYTES_MIN (128u * 1024)
#define CHUNK_BYTES_MAX (512u * 1024)

/* A row is one line end at least; most are longer than 16 bytes. A chunk that has no row end left is full. */
#define CHUNK_BYTES_PER_ROW 16u

enum chunk_kind { CHUNK_ROWS, CHUNK_REJECTS, CHUNK_CONTENDERS };

struct losers_piece; /* losers.h */

/* Contenders that the last chunk of a shard carries itself: most shards' records are counted alike. */
#define CHUNK_CONTENDERS_MAX 4u

struct chunk_run {
    uint32_t stream;
    uint32_t rows;     /* row ends in it; 0: a piece from within a row that is larger than a chunk */
    uint64_t checksum; /* of its bytes, of the run's kind */
};

struct chunk {
    uint8_t *bytes;         /* set once; contents by the holder */
    uint32_t *row_ends;     /* set once; contents by the holder */
    struct chunk_run *runs; /* set once, NULL with one stream; contents by the holder */
    uint32_t *row_marks;    /* set once, NULL without deduplication; contents by the holder. One more than
                               row_ends: of the row that goes on behind the last row end. */
    uint32_t capacity, rows_max; /* set once */
    uint32_t worker;             /* who has it or had it last: the pool's */
    enum chunk_kind kind;
    uint32_t length;
    uint32_t rows; /* row ends in it; rejects, contenders: entries */
    uint32_t run_count;
    uint64_t open_row;
    uint64_t shard;     /* feed_order() of its shard or block */
    uint64_t began;     /* of a source with a form: where the shard's first record was taken to begin */
    uint64_t ended;     /* last: where the first record behind it begins (convert_form.h) */
    bool last;          /* of its shard */
    bool ends_source;   /* last: no other shard of the source follows */
    struct tally tally; /* last: the whole shard's */
    struct losers_piece *losers; /* last: the bits of its candidates; NULL: it has none */
    /* last: the shard's last contenders, when they are few */
    struct contender contenders[CHUNK_CONTENDERS_MAX];
    uint32_t contender_count;
    uint64_t checksum;  /* rows without runs: of its bytes, of the run's kind */
    uint32_t pieces;    /* assembler only: handed to the sink and not yet home */
    struct chunk *next; /* empty: of the pool's stack, or of the worker's who has it */
    uint32_t node;      /* of its memory: the pool's */
};

/* One failed record; its raw bytes follow, up to the next multiple of 8. */
struct chunk_reject {
    struct tally tally; /* of the shard up to and including this record */
    uint64_t offset, length;
    const struct path *path; /* NULL: none */
    enum defect code;
    uint32_t raw_length;
    uint64_t contenders; /* records of the shard before this one that were compared with others */
    bool contends;       /* and so is this one */
};

/* Marks that a chunk of rows has: of its rows, and of one that goes on behind them. */
static inline uint32_t chunk_mark_count(const struct chunk *chunk)
{
    uint32_t const end = chunk->rows == 0 ? 0 : chunk->row_ends[chunk->rows - 1];
    return chunk->rows + (chunk->length > end);
}

static inline size_t chunk_reject_bytes(size_t raw_length)
{
    return sizeof(struct chunk_reject) + (raw_length + 7) / 8 * 8;
}

/* Memory of one chunk of `capacity` bytes for rows of so many streams (0 is as good as 1). */
size_t chunk_memory(size_t capacity, uint32_t streams);
/* Room for its bytes, for its row ends and its runs (items), as chunk_init() wants them. */
size_t chunk_byte_room(size_t capacity);
size_t chunk_row_room(size_t capacity);
size_t chunk_run_room(uint32_t streams);
void chunk_init(struct chunk *chunk, size_t capacity, uint8_t *bytes, uint32_t *row_ends,
                struct chunk_run *runs);
/* Room for marks (items). */
size_t chunk_mark_room(size_t capacity);
/* One alone; NULL: no memory. */
struct chunk *chunk_create(size_t capacity, uint32_t streams);
/* Gives one that was created alone room for marks. False: no memory. */
bool chunk_add_marks(struct chunk *chunk);
void chunk_destroy(struct chunk *chunk); /* takes NULL */
void chunk_reset(struct chunk *chunk, enum chunk_kind kind, uint64_t shard);

#endif
