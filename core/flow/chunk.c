/* chunk.c - memory of chunks. Thread: main creates and destroys. */
#include "core/flow/chunk.h"

#include "core/base/limits.h"

#include <stdlib.h>

size_t chunk_byte_room(size_t capacity)
{
    return capacity + LIMIT_PADDING;
}

size_t chunk_row_room(size_t capacity)
{
    return capacity / CHUNK_BYTES_PER_ROW;
}

size_t chunk_run_room(uint32_t streams)
{
    return streams > 1 ? streams : 0; /* a stream has one run in a chunk */
}

size_t chunk_mark_room(size_t capacity)
{
    return chunk_row_room(capacity) + 1;
}

size_t chunk_memory(size_t capacity, uint32_t streams)
{
    return sizeof(struct chunk) + chunk_byte_room(capacity) + chunk_row_room(capacity) * sizeof(uint32_t) +
           chunk_run_room(streams) * sizeof(struct chunk_run);
}

void chunk_init(struct chunk *chunk, size_t capacity, uint8_t *bytes, uint32_t *row_ends,
                struct chunk_run *runs)
{
    *chunk = (struct chunk){.bytes = bytes,
                            .row_ends = row_ends,
                            .runs = runs,
                            .capacity = (uint32_t)capacity,
                            .rows_max = (uint32_t)chunk_row_room(capacity)};
}

struct chunk *chunk_create(size_t capacity, uint32_t streams)
{
    struct chunk *chunk = calloc(1, sizeof *chunk);
    if (chunk == NULL) return NULL;
    size_t const runs = chunk_run_room(streams);
    chunk_init(chunk, capacity, malloc(chunk_byte_room(capacity)),
               malloc(chunk_row_room(capacity) * sizeof *chunk->row_ends),
               runs == 0 ? NULL : malloc(runs * sizeof *chunk->runs));
    if (chunk->bytes != NULL && chunk->row_ends != NULL && (runs == 0 || chunk->runs != NULL)) return chunk;
    chunk_destroy(chunk);
    return NULL;
}

bool chunk_add_marks(struct chunk *chunk)
{
    chunk->row_marks = malloc(chunk_mark_room(chunk->capacity) * sizeof *chunk->row_marks);
    return chunk->row_marks != NULL;
}

void chunk_destroy(struct chunk *chunk)
{
    if (chunk == NULL) return;
    free(chunk->bytes);
    free(chunk->row_ends);
    free(chunk->runs);
    free(chunk->row_marks);
    free(chunk);
}

void chunk_reset(struct chunk *chunk, enum chunk_kind kind, uint64_t shard)
{
    chunk->kind = kind;
    chunk->length = 0;
    chunk->rows = 0;
    chunk->run_count = 0;
    chunk->open_row = 0;
    chunk->shard = shard;
    chunk->last = false;
    chunk->contender_count = 0;
    chunk->pieces = 0;
}
