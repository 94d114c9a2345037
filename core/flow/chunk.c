/* chunk.c - memory of chunks. Thread: main creates and destroys. */
#include "core/flow/chunk.h"

#include "core/base/limits.h"

#include <stdlib.h>

size_t chunk_memory(size_t capacity)
{
    return sizeof(struct chunk) + capacity + LIMIT_PADDING +
           capacity / CHUNK_BYTES_PER_ROW * sizeof(uint32_t);
}

struct chunk *chunk_create(size_t capacity, uint32_t worker)
{
    struct chunk *chunk = calloc(1, sizeof *chunk);
    if (chunk == NULL) return NULL;
    chunk->capacity = (uint32_t)capacity;
    chunk->rows_max = (uint32_t)(capacity / CHUNK_BYTES_PER_ROW);
    chunk->worker = worker;
    chunk->bytes = malloc(capacity + LIMIT_PADDING);
    chunk->row_ends = malloc(chunk->rows_max * sizeof *chunk->row_ends);
    if (chunk->bytes != NULL && chunk->row_ends != NULL) return chunk;
    chunk_destroy(chunk);
    return NULL;
}

void chunk_destroy(struct chunk *chunk)
{
    if (chunk == NULL) return;
    free(chunk->bytes);
    free(chunk->row_ends);
    free(chunk);
}

void chunk_reset(struct chunk *chunk, enum chunk_kind kind, uint64_t shard)
{
    chunk->kind = kind;
    chunk->length = 0;
    chunk->rows = 0;
    chunk->open_row = 0;
    chunk->shard = shard;
    chunk->last = false;
    chunk->pieces = 0;
}
