/* source_peek.h - the first bytes of a file or object as text: decompressed, if it is compressed.
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

/* What is looked at. read() gives [offset, offset + length) as far as there is so much. */
struct source_peek_port {
    void *context;
    const char *path; /* for messages */
    uint64_t size;    /* bytes */
    enum status (*read)(void *context, uint64_t offset, uint8_t *into, size_t length, size_t *got,
                        struct fault *fault);
};

/* Damage within the first bytes ends the head: it is met again by whoever reads on. Else the port's failures.
 */
enum status source_peek_look(struct source_peek *peek, const struct source_peek_port *port,
                             struct source_look *look, struct fault *fault);
/* After a look: the same text up to `room` bytes, which are more than it showed. Its choice stays. */
enum status source_peek_further(struct source_peek *peek, const struct source_peek_port *port, size_t room,
                                struct source_look *look, struct fault *fault);

#endif
