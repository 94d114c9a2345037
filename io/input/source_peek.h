/* source_peek.h - the first bytes of a file as text: decompressed, if it is compressed.
 *
 * Thread rule: one thread a peek. Owns its buffers and decoders, which serve for any number of files. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_PEEK_H
#define PENSTOCK_IO_INPUT_SOURCE_PEEK_H

#include "core/base/status.h"
#include "io/input/source_head.h"

struct source_peek; /* the implementation's */

struct source_peek *source_peek_create(void);       /* NULL: no memory */
void source_peek_destroy(struct source_peek *peek); /* takes NULL */

struct source_look {
    enum unpack_form form;
    unsigned window_log;     /* of the first zstd frame (zstd_frame.h); 0: not known */
    struct source_head head; /* the peek's bytes, until its next look; `lines` is the caller's */
};

/* Looks at an open regular file of `size` bytes. Damage within the first bytes ends the head: it is met again
 * by whoever reads on. STATUS_IO: it can't be read. */
enum status source_peek_look(struct source_peek *peek, int descriptor, const char *path, uint64_t size,
                             struct source_look *look, struct fault *fault);

#endif
