/* source_direct.h - a file around the page cache (O_DIRECT): each reader has the next reads of what it was
 * told to expect on their way (source_ahead.h, source_ring.h).
 *
 * Where there is nothing to be ahead of (a file of one read, a window larger than the reads on their way
 * hold: those of large records) or no ring to be had (descriptors, memory), windows are read when they are
 * asked for.
 *
 * Thread rule: source_direct_align() by who opens the file; each reader by one thread. A reader owns its
 * buffers and its ring. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_DIRECT_H
#define PENSTOCK_IO_INPUT_SOURCE_DIRECT_H

#include "io/input/source_ahead.h"

/* Bytes of one read, reads on their way: measured (DESIGN.md, "Reading"). */
#define SOURCE_DIRECT_READ  (1024u * 1024)
#define SOURCE_DIRECT_DEPTH 4u
/* When memory is short. All reads together hold the largest window of the pipeline. */
#define SOURCE_DIRECT_READ_MIN (64u * 1024)
/* What a block of the device may ask for at most: as large as what the memory plan sets aside at each end of
 * a buffer (pipeline_sizes.c). Devices have blocks of 512 or 4096 bytes. */
#define SOURCE_DIRECT_ALIGN_MAX 4096u

/* What a reader of blocks has beside its window, for one read. */
#define SOURCE_DIRECT_BYTES(read) ((uint64_t)(read)*SOURCE_DIRECT_DEPTH + SOURCE_DIRECT_BESIDE)
/* The ring, and what it is kept in. */
#define SOURCE_DIRECT_BESIDE (16u * 1024)

struct source_direct_file {
    int descriptor;
    uint64_t size;
    size_t align;
    size_t read; /* bytes: a multiple of align */
};

struct source_direct;

/* Makes reads of a descriptor go around the page cache, and tries one. Their alignment; 0 with *error, an
 * errno (EINVAL: the file system has no such reads; its own alignment larger than SOURCE_DIRECT_ALIGN_MAX).
 */
size_t source_direct_align(int descriptor, int *error);
/* Pure: the largest read for which SOURCE_DIRECT_BYTES are not more than `memory`, SOURCE_DIRECT_READ_MIN at
 * least. */
size_t source_direct_fit(uint64_t memory);

/* NULL: no memory. */
struct source_direct *source_direct_create(const struct source_direct_file *file, size_t window_max);
void source_direct_destroy(struct source_direct *direct); /* takes NULL */
/* As source_ahead.h says. */
void source_direct_expect(struct source_direct *direct, uint64_t from, uint64_t to);
const uint8_t *source_direct_window(struct source_direct *direct, uint64_t offset, size_t length,
                                    struct source_ahead_trouble *trouble);

#endif
