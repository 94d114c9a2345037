/* arena.c - a list of blocks, each handed out from its front. */
#include "core/base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    ARENA_BLOCK_BYTES = 16 * 1024, /* a job of 500 columns takes some 20 of them */
    ARENA_ALIGN = 16               /* what malloc gives: enough for every C type */
};

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    _Alignas(ARENA_ALIGN) unsigned char bytes[];
};

static struct arena_block *block_new(struct arena *arena, size_t bytes)
{
    size_t const size = bytes > ARENA_BLOCK_BYTES ? bytes : ARENA_BLOCK_BYTES;
    struct arena_block *block = calloc(1, sizeof *block + size);
    if (block == NULL) {
        arena->failed = true;
        return NULL;
    }
    block->size = size;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 2) {
        arena->failed = true;
        return NULL;
    }
    size_t const rounded = (bytes + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    struct arena_block *block = arena->blocks;
    if (block == NULL || block->size - block->used < rounded) block = block_new(arena, rounded);
    if (block == NULL) return NULL;
    void *memory = block->bytes + block->used;
    block->used += rounded;
    return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t bytes)
{
    if (bytes != 0 && count > SIZE_MAX / 2 / bytes) {
        arena->failed = true;
        return NULL;
    }
    return arena_alloc(arena, count * bytes);
}

char *arena_text(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);
    if (copy != NULL && length != 0) memcpy(copy, text, length);
    return copy;
}

bool arena_failed(const struct arena *arena)
{
    return arena->failed;
}

void arena_free(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        if (arena->secret) explicit_bzero(block->bytes, block->used);
        free(block);
    }
    arena->failed = false;
}
