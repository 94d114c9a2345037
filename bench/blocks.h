/* blocks.h - a dump as the program reads it: the same reader, the same windows, the same blocks of whole
 * lines as core/flow/convert_lines.c asks for, one shard after the other.
 *
 * A record that does not fit a block ends the program: the floor has no lane for large records.
 * Thread rule: one thread. Owns source and reader. */
#ifndef PENSTOCK_BENCH_BLOCKS_H
#define PENSTOCK_BENCH_BLOCKS_H

#include "io/input/source_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blocks {
    struct source *source;
    struct source_reader *reader;
    uint64_t at;          /* offset behind the block */
    const uint8_t *bytes; /* the block; LIMIT_PADDING readable bytes behind it */
    size_t length;
};

void blocks_open(struct blocks *blocks, const char *path, enum source_mode mode);
bool blocks_next(struct blocks *blocks); /* false: the source is at its end */
void blocks_close(struct blocks *blocks);

/* The line at `from`: its end, where its line feed or the block's end is. */
static inline size_t blocks_line_end(const struct blocks *blocks, size_t from)
{
    const uint8_t *feed = __builtin_memchr(blocks->bytes + from, '\n', blocks->length - from);
    return feed == NULL ? blocks->length : (size_t)(feed - blocks->bytes);
}

#endif
