/* source_runs.h - where runs of zstd frames end, by the headers of their blocks: what is decompressed apart
 * from what follows it.
 *
 * Thread rule: one thread at a time, as the reader says. Owns nothing. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_RUNS_H
#define PENSTOCK_IO_INPUT_SOURCE_RUNS_H

#include "core/codec/zstd_frame.h"
#include "core/flow/source.h"

/* Bytes of a window that is looked at: a frame's header, a block's, the magic number behind a frame. */
#define SOURCE_RUNS_WINDOW ZSTD_FRAME_HEADER_MAX

struct source_runs {
    struct source *source;
    struct source_reader *reader; /* windows of SOURCE_RUNS_WINDOW */
    size_t run_bytes;             /* stored bytes at least, when there are more frames */
    uint64_t walk_max;            /* stored bytes of a frame at most whose end is looked for */
};

/* The end of a run that begins at `begin`: whole frames, up to the source's end or to where another frame
 * begins. The source's end, too, where an end can't be seen, and before what is no frame. */
uint64_t source_runs_end(const struct source_runs *runs, uint64_t begin);

#endif
