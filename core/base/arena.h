/* arena.h - memory for what lives as long as a run: a job's texts, paths, the plan.
 *
 * Everything is freed at once by arena_free(). An allocation that fails returns NULL and marks the arena as
 * failed, so that a builder may check arena_failed() once at its end instead of after every string.
 * Thread rule: one thread builds; afterwards many may read what it holds. */
#ifndef PENSTOCK_CORE_BASE_ARENA_H
#define PENSTOCK_CORE_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    bool failed;
    bool secret; /* set by the owner before the first allocation: arena_free() overwrites what it frees */
};

/* Zeroed memory for any type; NULL when there is none. `bytes` 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t bytes);
/* The same for `count` items of `bytes` each, with the multiplication checked. */
void *arena_array(struct arena *arena, size_t count, size_t bytes);
/* A zero-terminated copy of `length` bytes. */
char *arena_text(struct arena *arena, const char *text, size_t length);
bool arena_failed(const struct arena *arena);
/* Frees all; the arena is then empty and may be used again. A zeroed arena is valid and empty. */
void arena_free(struct arena *arena);

#endif
