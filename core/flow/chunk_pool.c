/* chunk_pool.c - who gets the next empty chunk. Thread: the assembler's. Owns all chunks. */
#include "core/flow/chunk_pool.h"

#include <stdlib.h>
#include <string.h>

/* The stack of chunks whose memory nobody touched. */
#define FRESH CHUNK_POOL_NODES

bool chunk_pool_create(struct chunk_pool *pool, uint32_t workers, uint32_t quota, uint32_t extra,
                       size_t bytes, uint32_t streams)
{
    size_t const count = (size_t)workers * quota + extra;
    *pool = (struct chunk_pool){.workers = workers, .quota = quota, .count = count, .nodes = pool->nodes};
    size_t const byte_room = chunk_byte_room(bytes), row_room = chunk_row_room(bytes);
    size_t const run_room = chunk_run_room(streams);
    pool->all = calloc(count, sizeof *pool->all);
    pool->with = calloc(workers, sizeof *pool->with);
    pool->bytes = malloc(count * byte_room);
    pool->row_ends = malloc(count * row_room * sizeof *pool->row_ends);
    if (run_room != 0) pool->runs = malloc(count * run_room * sizeof *pool->runs);
    if (pool->all == NULL || pool->with == NULL || pool->bytes == NULL || pool->row_ends == NULL ||
        (run_room != 0 && pool->runs == NULL))
        return false;
    for (size_t i = 0; i < count; i++) {
        chunk_init(&pool->all[i], bytes, pool->bytes + i * byte_room, pool->row_ends + i * row_room,
                   run_room == 0 ? NULL : pool->runs + i * run_room);
        pool->all[i].node = FRESH;
    }
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
    free(pool->with);
    free(pool->bytes);
    free(pool->row_ends);
    free(pool->runs);
    free(pool->row_marks);
    *pool = (struct chunk_pool){0};
}

static struct chunk *pop(struct chunk_pool *pool, uint32_t node)
{
    struct chunk *const chunk = pool->empty[node];
    if (chunk == NULL) return NULL;
    pool->empty[node] = chunk->next;
    pool->empty_count--;
    return chunk;
}

static void push(struct chunk_pool *pool, struct chunk *chunk)
{
    chunk->next = pool->empty[chunk->node];
    pool->empty[chunk->node] = chunk;
    pool->empty_count++;
}

/* The best for a node; one is empty. */
static struct chunk *pop_for(struct chunk_pool *pool, uint32_t node)
{
    struct chunk *chunk = pop(pool, node);
    if (chunk == NULL) chunk = pop(pool, FRESH);
    for (uint32_t n = 0; chunk == NULL && n < CHUNK_POOL_NODES; n++)
        chunk = pop(pool, n);
    return chunk;
}

static uint32_t node_of(const struct chunk_pool *pool, uint32_t worker)
{
    uint32_t const node = pool->nodes == NULL ? 0 : pool->nodes[worker];
    return node < CHUNK_POOL_NODES ? node : CHUNK_POOL_NODES - 1;
}

static struct chunk *give_to(struct chunk_pool *pool, uint32_t worker)
{
    uint32_t const node = node_of(pool, worker);
    struct chunk *const chunk = pop_for(pool, node);
    if (chunk->node == FRESH) chunk->node = node;
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
    push(pool, chunk);
}

void chunk_pool_take_back(struct chunk_pool *pool)
{
    pool->empty_count = 0;
    memset(pool->empty, 0, sizeof pool->empty);
    for (size_t i = pool->count; i-- > 0;) /* the first ones on top */
        push(pool, &pool->all[i]);
}

struct chunk *chunk_pool_spare(struct chunk_pool *pool)
{
    return pool->empty_count == 0 ? NULL : pop_for(pool, 0);
}
