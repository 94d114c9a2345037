/* http_memory.c - free() and realloc() that leave nothing behind. Any thread; owns nothing. */
#include "io/http/http_memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* Larger blocks of libcurl's are buffers of bodies, of parts sent and of objects read, the only ones of that
 * size; headers have 64 KiB at most. */
#define WIPE_MAX (128u * 1024)

void http_memory_free(void *memory)
{
    if (memory == NULL) return;
    size_t const size = malloc_usable_size(memory);
    if (size <= WIPE_MAX) explicit_bzero(memory, size);
    free(memory);
}

/* Not realloc(): when that moves a block, it leaves the old bytes behind. */
void *http_memory_resize(void *memory, size_t size)
{
    if (memory == NULL) return malloc(size);
    size_t const have = malloc_usable_size(memory);
    if (have > WIPE_MAX) return realloc(memory, size);
    void *const moved = malloc(size);
    if (moved == NULL) return NULL;
    memcpy(moved, memory, have < size ? have : size);
    http_memory_free(memory);
    return moved;
}
