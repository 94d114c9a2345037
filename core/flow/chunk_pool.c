/* chunk_pool.c - who gets the next empty chunk. Thread: the assembler's. Owns all chunks. */
#include "core/flow/chunk_pool.h"

#include <stdlib.h>

bool chunk_pool_create(struct chunk_pool *pool, uint32_t workers, uint32_t quota, uint32_t extra,
                       size_t bytes, uint32_t streams)
{
    size_t const count = (size_t)workers * quota + extra;
    *pool = (struct chunk_pool){.workers = workers, .quota = quota, .count = count};
    size_t const byte_room = chunk_byte_room(bytes), row_room = chunk_row_room(bytes);
    size_t const run_room = chunk_run_room(streams);
    pool->all = calloc(count, sizeof *pool->all);
    pool->empty = calloc(count, sizeof(struct chunk *));
    pool->with = calloc(workers, sizeof *pool->with);
    pool->bytes = malloc(count * byte_room);
    pool->row_ends = malloc(count * row_room * sizeof *pool->row_ends);
    if (run_room != 0) pool->runs = malloc(count * run_room * sizeof *pool->runs);
    if (pool->all == NULL || pool->empty == NULL || pool->with == NULL || pool->bytes == NULL ||
        pool->row_ends == NULL || (run_room != 0 && pool->runs == NULL))
        return false;
    for (size_t i = 0; i < count; i++)
        chunk_init(&pool->all[i], bytes, pool->bytes + i * byte_room, pool->row_ends + i * row_room,
                   run_room == 0 ? NULL : pool->runs + i * run_room);
    chunk_pool_take_back(pool);
    return true;
}

bool chunk_pool_add_marks(struct chunk_pool *pool)
{
    size_t const room = chunk_mark_room(pool->all[0].capacity);
    pool->row_marks = malloc(pool->count * room * sizeof *pool->row_marks);
    if (pool->row_marks == NULL) return false;
    for (size_t i = 0; i < pool->count; i++)
        pool->all[i].row_marks = pool->row_marks + i * room;
    return true;
}

void chunk_pool_destroy(struct chunk_pool *pool)
{
    free(pool->all);
    free(pool->empty);
    free(pool->with);
    free(pool->bytes);
    free(pool->row_ends);
    free(pool->runs);
    free(pool->row_marks);
    *pool = (struct chunk_pool){0};
}

static struct chunk *give_to(struct chunk_pool *pool, uint32_t worker)
{
    struct chunk *const chunk = pool->empty[--pool->empty_count];
    chunk->worker = worker;
    pool->with[worker]++;
    return chunk;
}

struct chunk *chunk_pool_take(struct chunk_pool *pool, uint32_t first)
{
    if (pool->empty_count == 0) return NULL;
    if (first < pool->workers && pool->with[first] < pool->quota) return give_to(pool, first);
    for (uint32_t i = 0; i < pool->workers; i++) {
        uint32_t const worker = (pool->turn + i) % pool->workers;
        if (pool->with[worker] >= pool->quota) continue;
        pool->turn = (worker + 1) % pool->workers;
        return give_to(pool, worker);
    }
    return NULL;
}

void chunk_pool_came(struct chunk_pool *pool, const struct chunk *chunk)
{
    pool->with[chunk->worker]--;
}

void chunk_pool_home(struct chunk_pool *pool, struct chunk *chunk)
{
    pool->empty[pool->empty_count++] = chunk;
}

void chunk_pool_take_back(struct chunk_pool *pool)
{
    pool->empty_count = 0;
    for (size_t i = pool->count; i-- > 0;) /* the first ones on top */
        pool->empty[pool->empty_count++] = &pool->all[i];
}

struct chunk *chunk_pool_spare(struct chunk_pool *pool)
{
    return pool->empty_count == 0 ? NULL : pool->empty[--pool->empty_count];
}
