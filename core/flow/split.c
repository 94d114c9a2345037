/* split.c - see the header. Thread: a worker's. Owns the gathering chunk, the items and the streams' lists.
 */
#include "core/flow/split.h"

#include <stdlib.h>
#include <string.h>

/* A row with one stream takes one item; the first row may be for all of them. */
static size_t item_room(size_t capacity, uint32_t streams)
{
    size_t const rows = chunk_row_room(capacity);
    return rows > streams ? rows : streams;
}

size_t split_memory(size_t capacity, uint32_t streams)
{
    if (streams < 2) return 0;
    return chunk_memory(capacity, 1) + item_room(capacity, streams) * sizeof(struct split_item) +
           streams * sizeof(struct split_stream);
}

bool split_create(struct split *split, size_t capacity, uint32_t streams)
{
    *split = (struct split){.stream_count = 0};
    if (streams < 2) return true;
    size_t const items = item_room(capacity, streams);
    split->stream_count = streams;
    split->item_max = (uint32_t)items;
    split->rows = chunk_create(capacity, 1);
    split->items = malloc(items * sizeof *split->items);
    split->streams = malloc(streams * sizeof *split->streams);
    if (split->rows == NULL || split->items == NULL || split->streams == NULL) return false;
    split_reset(split);
    return true;
}

void split_destroy(struct split *split)
{
    chunk_destroy(split->rows);
    free(split->items);
    free(split->streams);
    *split = (struct split){.stream_count = 0};
}

void split_reset(struct split *split)
{
    if (split->stream_count == 0) return;
    chunk_reset(split->rows, CHUNK_ROWS, 0);
    memset(split->streams, 0, split->stream_count * sizeof *split->streams);
    split->item_count = 0;
    split->bytes = 0;
    split->stream = 0;
}

/* ---- gathering ---- */

bool split_add(struct split *split, uint32_t end, const uint32_t *streams, uint32_t count)
{
    struct chunk *const rows = split->rows;
    uint64_t const bytes = (uint64_t)(end - rows->length) * count;
    bool const fits = rows->rows < rows->rows_max && split->item_max - split->item_count >= count &&
                      split->bytes + bytes <= rows->capacity;
    if (!fits && !split_is_empty(split)) return false;
    for (uint32_t i = 0; i < count; i++) {
        struct split_stream *const stream = &split->streams[streams[i]];
        uint32_t const item = split->item_count++;
        split->items[item].row = rows->rows;
        if (stream->count++ == 0)
            stream->first = item;
        else
            split->items[stream->last].next = item;
        stream->last = item;
    }
    split->bytes += bytes;
    rows->length = end;
    rows->row_ends[rows->rows++] = end;
    return true;
}

/* ---- handing out ---- */

/* Copies rows of one stream until there are none left or the chunk is full. */
static void fill_run(struct split *split, struct split_stream *stream, struct chunk *chunk)
{
    const struct chunk *const rows = split->rows;
    struct chunk_run run = {.stream = split->stream};
    while (stream->count > 0 && chunk->rows < chunk->rows_max) {
        const struct split_item *const item = &split->items[stream->first];
        uint32_t const begin = item->row == 0 ? 0 : rows->row_ends[item->row - 1];
        uint32_t const length = rows->row_ends[item->row] - begin;
        if (length > chunk->capacity - chunk->length) break;
        memcpy(chunk->bytes + chunk->length, rows->bytes + begin, length);
        chunk->length += length;
        if (chunk->row_marks != NULL) chunk->row_marks[chunk->rows] = rows->row_marks[item->row];
        chunk->row_ends[chunk->rows++] = chunk->length;
        run.rows++;
        stream->first = item->next;
        stream->count--;
    }
    if (run.rows != 0) chunk->runs[chunk->run_count++] = run;
}

bool split_fill(struct split *split, struct chunk *chunk)
{
    while (split->stream < split->stream_count) {
        struct split_stream *const stream = &split->streams[split->stream];
        if (stream->count > 0) fill_run(split, stream, chunk);
        if (stream->count > 0) return true; /* the chunk is full */
        split->stream++;
    }
    split_reset(split);
    return false;
}
