/* stream.h - the port of a source that is read once, front to back: standard input, compressed files, objects
 * on S3. (What can be read anywhere is source.h's.)
 *
 *   open()   before the first read(). Sources are opened when their turn is near, not all at once.
 *
 *   read(into, room, &length)
 *            the next bytes, at least one and at most `room`; 0: the end. May wait for them. After a failure
 *            nothing more is read; `damaged` tells whether the bytes themselves are at fault (a truncated
 *            member, a wrong checksum), which a job may forgive, or the world is.
 *
 *   swap(&memory, &begin, &length)
 *            in place of read(), by streams that keep text in memory of their own: the next text where
 *            it lies, so that nobody copies it. The caller gives memory of swap_bytes, and LIMIT_PADDING
 *            readable ones behind, and has another piece of that size for it, with text of `length` at
 *            `begin`, at least swap_lead from its front. Where pieces end is chance. A length of 0 is the
 *            end, where nothing was exchanged; nor was it by a failure.
 *
 *   close()  after the last read(), or instead of it. Also without open().
 *
 * Thread rule: one thread at a time; it passes from one to another under feed.h's mutex. */
#ifndef PENSTOCK_CORE_FLOW_STREAM_H
#define PENSTOCK_CORE_FLOW_STREAM_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct form;
struct track;

struct stream {
    void *self;
    const char *name; /* as the user wrote it, for messages and reject lines */
    /* Of its records; NULL: lines. Set when the first read() is through. */
    const struct form *form;
    /* Of such records no more than so many are wanted; 0: all. Set before open(); whoever cuts the stream
     * (stream_cut.h) keeps to it, not read(). */
    uint64_t wanted;
    bool damaged; /* set by a read() that fails for the contents' sake */
    /* Set by the pipeline: the run is being stopped. A read() that waits asks now and then, and ends with any
     * failure: nobody will look at it. NULL: never. */
    bool (*stopped)(void *context);
    void *stopped_context;
    struct track
        *track; /* of the thread that reads now, set before each read(): what inflates says so; or NULL */
    size_t swap_bytes, swap_lead; /* set by open(); 0: swap() may not be called */
    enum status (*swap)(struct stream *stream, uint8_t **memory, size_t *begin, size_t *length,
                        struct fault *fault);
    enum status (*open)(struct stream *stream, struct fault *fault);
    enum status (*read)(struct stream *stream, uint8_t *into, size_t room, size_t *length,
                        struct fault *fault);
    void (*close)(struct stream *stream);
};

/* Is the run being stopped? For a read() that waits, or goes on for long. */
static inline bool stream_is_stopped(const struct stream *stream)
{
    return stream->stopped != NULL && stream->stopped(stream->stopped_context);
}

#endif
