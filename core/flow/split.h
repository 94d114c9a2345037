/* split.h - rows of several streams: gathered in input order, handed out stream by stream.
 *
 * A job that splits its rows by segment writes a stream of rows for each. A worker writes a row once, into
 * the gathering chunk, and notes the streams that it is for. When that would not fit a chunk any more, the
 * rows are copied into chunks for the assembler, those of a stream together, in the order in which they came.
 * So each stream's rows stay in input order, and a chunk has one run of rows for each stream.
 *
 *   gathered:  A(0,2) B(2) C(0)     ->   chunk:  A C | A B   runs: stream 0 with 2 rows, stream 2 with 2
 *
 * Thread rule: a worker's own. Nothing allocates after create. */
#ifndef PENSTOCK_CORE_FLOW_SPLIT_H
#define PENSTOCK_CORE_FLOW_SPLIT_H

#include "core/flow/chunk.h"

/* One row for one stream. */
struct split_item {
    uint32_t row;  /* in the gathering chunk */
    uint32_t next; /* item of the same stream, if it isn't the last */
};

struct split_stream {
    uint32_t first, last; /* items, when there are any */
    uint32_t count;       /* of items not yet handed out */
};

struct split {
    uint32_t stream_count; /* 0: zeroed, rows have one stream */
    struct split_stream *streams;
    struct chunk *rows; /* as they came; no runs */
    struct split_item *items;
    uint32_t item_count, item_max;
    uint64_t bytes;  /* of all items' rows */
    uint32_t stream; /* to hand out next */
};

/* Memory for rows of chunks of `capacity` bytes; 0 for one stream. */
size_t split_memory(size_t capacity, uint32_t streams);
/* For one stream it stays zeroed. False: no memory; destroy is due all the same. */
bool split_create(struct split *split, size_t capacity, uint32_t streams);
void split_destroy(struct split *split); /* zeroed is fine */
/* Forgets the rows. */
void split_reset(struct split *split);

static inline bool split_is_empty(const struct split *split)
{
    return split->item_count == 0;
}

/* Takes the row that was written behind the last one of split->rows, up to offset `end`, for `count` streams
 * (not 0, ascending). False: all rows together would need more than one chunk; nothing has changed. The first
 * row is always taken. */
bool split_add(struct split *split, uint32_t end, const uint32_t *streams, uint32_t count);
/* Fills an empty chunk with the next rows. False: that were the last, and the split is empty again. */
bool split_fill(struct split *split, struct chunk *chunk);

#endif
