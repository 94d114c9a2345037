/* test_chunk_pool.c - who gets the next empty chunk: quotas, the first in line, turns, a sink that holds. */
#include "core/flow/chunk_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { BYTES = 4096, NOBODY = 1000 };

static void hands_out_quotas(void **state)
{
    (void)state;
    struct chunk_pool pool = {.nodes = NULL};
    assert_true(chunk_pool_create(&pool, 3, 2, 5, BYTES, 1));
    uint32_t got[3] = {0};
    for (int i = 0; i < 6; i++) {
        struct chunk *const chunk = chunk_pool_take(&pool, NOBODY);
        assert_non_null(chunk);
        assert_int_equal(chunk->capacity, BYTES);
        got[chunk->worker]++;
    }
    for (int w = 0; w < 3; w++)
        assert_int_equal(got[w], 2);
    assert_null(chunk_pool_take(&pool, NOBODY)); /* five are empty, but all have their quota */
    assert_null(chunk_pool_take(&pool, 1));
    chunk_pool_destroy(&pool);
}

static void serves_the_first_in_line(void **state)
{
    (void)state;
    struct chunk_pool pool = {.nodes = NULL};
    assert_true(chunk_pool_create(&pool, 4, 3, 0, BYTES, 1));
    struct chunk *chunks[12];
    for (int i = 0; i < 12; i++)
        assert_non_null(chunks[i] = chunk_pool_take(&pool, NOBODY));
    for (int i = 0; i < 12; i++)
        chunk_pool_came(&pool, chunks[i]);
    assert_null(chunk_pool_take(&pool, 2)); /* all are with the sink */
    for (int i = 0; i < 12; i++) {
        chunk_pool_home(&pool, chunks[i]);
        struct chunk *const next = chunk_pool_take(&pool, 2);
        assert_ptr_equal(next, chunks[i]);
        if (i < 3) assert_int_equal(next->worker, 2); /* then it has its quota */
        if (i >= 3) assert_int_not_equal(next->worker, 2);
    }
    chunk_pool_destroy(&pool);
}

/* The sink has kept all that it may; the others have their quotas: the one whose turn it is still gets a
 * chunk. */
static void never_starves_the_turn(void **state)
{
    (void)state;
    enum { WORKERS = 5, QUOTA = 4, EXTRA = 7 };
    struct chunk_pool pool = {.nodes = NULL};
    assert_true(chunk_pool_create(&pool, WORKERS, QUOTA, EXTRA, BYTES, 1));
    uint32_t held = 0;
    for (uint32_t random = 1; held < EXTRA;) {
        random = random * 1664525u + 1013904223u;
        struct chunk *const chunk = chunk_pool_take(&pool, 0);
        if (chunk == NULL) break;
        if (chunk->worker != 0) continue; /* stays with its worker, for a later shard */
        chunk_pool_came(&pool, chunk);
        held++; /* and is not given back */
    }
    assert_int_equal(held, EXTRA);
    struct chunk *const chunk = chunk_pool_take(&pool, 0);
    assert_non_null(chunk);
    assert_int_equal(chunk->worker, 0);
    chunk_pool_destroy(&pool);
}

/* Chunks stay where they were touched first, and nobody goes without. */
static void keeps_chunks_on_their_nodes(void **state)
{
    (void)state;
    static const uint8_t nodes[4] = {0, 0, 1, 255};
    struct chunk_pool pool = {.nodes = nodes};
    assert_true(chunk_pool_create(&pool, 4, 2, 4, BYTES, 1));
    struct chunk *chunks[8];
    for (int i = 0; i < 8; i++) {
        assert_non_null(chunks[i] = chunk_pool_take(&pool, NOBODY));
        assert_int_equal(chunks[i]->node, chunks[i]->worker < 2    ? 0
                                          : chunks[i]->worker == 2 ? 1
                                                                   : CHUNK_POOL_NODES - 1);
    }
    for (int i = 0; i < 8; i++) {
        chunk_pool_came(&pool, chunks[i]);
        chunk_pool_home(&pool, chunks[i]);
    }
    for (int i = 0; i < 8; i++) { /* in turn, in another order of chunks: each gets its own ones again */
        struct chunk *const chunk = chunk_pool_take(&pool, NOBODY);
        assert_int_equal(chunk->node, chunk->worker < 2 ? 0 : chunk->worker == 2 ? 1 : CHUNK_POOL_NODES - 1);
        chunk_pool_came(&pool, chunk);
        chunks[i] = chunk; /* with the sink */
    }
    for (int i = 0; i < 4; i++) { /* none of its own: one that nobody had */
        struct chunk *const chunk = chunk_pool_take(&pool, 2);
        assert_int_equal(chunk->node, chunk->worker == 2 ? 1 : chunk->worker < 2 ? 0 : CHUNK_POOL_NODES - 1);
        chunk_pool_came(&pool, chunk);
    }
    assert_int_equal(pool.empty_count, 0);
    chunks[0]->node = 1;
    chunk_pool_home(&pool, chunks[0]); /* another's, when there is nothing else */
    assert_ptr_equal(chunk_pool_take(&pool, 0), chunks[0]);
    assert_int_equal(chunks[0]->node, 1);
    chunk_pool_destroy(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_out_quotas),
        cmocka_unit_test(serves_the_first_in_line),
        cmocka_unit_test(never_starves_the_turn),
        cmocka_unit_test(keeps_chunks_on_their_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
