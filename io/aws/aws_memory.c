/* aws_memory.c - see the header. Thread: any. Owns nothing. */
#include "io/aws/aws_memory.h"

#include "io/aws/aws_credentials.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Before each block stands its length; 16 keeps the block aligned for every type. */
#define PREFIX 16u

static size_t size_of(const void *memory)
{
    size_t size;
    memcpy(&size, (const unsigned char *)memory - PREFIX, sizeof size);
    return size;
}

void *aws_memory_allocate(size_t size)
{
    if (size > SIZE_MAX - PREFIX) return NULL;
    unsigned char *const block = malloc(PREFIX + size);
    if (block == NULL) return NULL;
    memcpy(block, &size, sizeof size);
    return block + PREFIX;
}

void aws_memory_release(void *memory)
{
    if (memory == NULL) return;
    aws_wipe_free((unsigned char *)memory - PREFIX, PREFIX + size_of(memory));
}

void *aws_memory_resize(void *memory, size_t size)
{
    if (memory == NULL) return aws_memory_allocate(size);
    size_t const before = size_of(memory);
    void *const moved = aws_memory_allocate(size);
    if (moved == NULL) return NULL;
    memcpy(moved, memory, before < size ? before : size);
    aws_memory_release(memory);
    return moved;
}
