/* source.h - the port through which bytes enter core: one source is one input file.
 *
 * Most can be read anywhere, by window(). Those that can't have a `stream` (stream.h) in place of it, and no
 * size that is known before their end.
 *
 * A source is shared by all workers; each worker reads through a reader of its own. A window is a view of the
 * source's bytes with LIMIT_PADDING readable bytes behind its end (their value is not specified).
 *
 *   window(reader, offset, length, &window, fault)
 *       shows [offset, offset+length), cut at the source's end. Valid until the same reader's next window()
 * or drop(). `length` is at most what the reader was opened with. STATUS_IO when the bytes can't be had, also
 *       when the source became shorter than `size`.
 *   drop(reader, end)
 *       the reader has done with bytes before `end` (mapped pages may go). A hint: the first look at a later
 *       shard may come back to them. Optional: may be NULL.
 *   expect(reader, from, to)
 *       the reader's next windows will lie in [from, to), front to back, and may go on a little behind it:
 * their bytes may be fetched ahead. Ends what a window showed. A hint, optional like drop().
 *
 * Thread rule: open_reader/close_reader and window on one reader by one thread; different readers
 * concurrently. */
#ifndef PENSTOCK_CORE_FLOW_SOURCE_H
#define PENSTOCK_CORE_FLOW_SOURCE_H

#include "core/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct source_window {
    const uint8_t *bytes;
    size_t length; /* shorter than asked for only at the source's end */
};

struct source_reader; /* the implementation's */
struct form;
struct stream;

struct source {
    void *self;
    const char *name;        /* as the user wrote it, for messages and reject lines */
    uint64_t size;           /* bytes, fixed when the run starts */
    const struct form *form; /* of its records (core/record/form.h); NULL: lines. A stream has its own. */
    struct stream *stream;   /* NULL: windows are shown, as below; else all below is NULL */
    /* A reader for windows of at most `window_max` bytes; NULL when there is no memory. */
    struct source_reader *(*open_reader)(struct source *source, size_t window_max);
    void (*close_reader)(struct source_reader *reader); /* takes NULL */
    enum status (*window)(struct source_reader *reader, uint64_t offset, size_t length,
                          struct source_window *window, struct fault *fault);
    void (*drop)(struct source_reader *reader, uint64_t end);
    void (*expect)(struct source_reader *reader, uint64_t from, uint64_t to);
};

#endif
