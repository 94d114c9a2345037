/* sink.h - the port through which data files leave core: a directory, nothing (null:), later S3.
 *
 * One sink serves one run. The assembler thread is its only caller (but for sink->destroy, after join). Files
 * are numbered from 0 in output order; begin / write... / end come for one file after another, never mixed.
 * Nothing may become visible under a final name before commit().
 *
 *   begin(file, name)  a new data file. `name` is its final name (no folder); STATUS_EXISTS when it is taken.
 *   write(piece)       the next bytes of the current file. The bytes stay valid and unchanged until the sink
 * gives the piece home by calling home(home_context, piece) exactly once, on the assembler's thread, from
 * inside any of the calls below or write() itself. A sink that writes at once gives it home at once; one that
 *       uploads in the background gives it home when it is reaped. It never waits for more writes: the
 * pipeline sees to it that the pieces of `hold` bytes (pipeline.h) can be out while rows still come.
 *   end(rows, bytes)   the current file has all its bytes (both numbers count what was written, for checks).
 *   reap()             gives home what was finished in the background; called often, never waits. A sink's
 *       threads wake the `arrivals` that it was made with when there is something to reap.
 *   commit()           the whole input was within its budget: make every file visible under its final name,
 * or none. Returns when they are safe. abort()            leave no trace of this run, give all pieces home.
 * Called instead of commit(), or after a commit() that failed; a second call does nothing.
 *
 * begin(), end(), commit() and abort() may take their time (the network's); write() and reap() don't.
 * Every call but abort() may fail; after a failure only abort() and destroy() follow. */
#ifndef PENSTOCK_CORE_FLOW_SINK_H
#define PENSTOCK_CORE_FLOW_SINK_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sink_piece {
    const uint8_t *bytes;
    size_t length;
    void
        *owner; /* the caller's: what to give home (NULL: the bytes live until the run ends, e.g. a header) */
    uint64_t checksum; /* of the run's kind, when has_checksum; made by the worker that made the bytes */
    bool has_checksum;
};

typedef void sink_home_fn(void *context, const struct sink_piece *piece);

struct sink {
    void *self;
    bool background; /* pieces may come home later than the call that took them */
    sink_home_fn *home;
    void *home_context;
    enum status (*begin)(struct sink *sink, uint32_t file, const char *name, struct fault *fault);
    enum status (*write)(struct sink *sink, const struct sink_piece *piece, struct fault *fault);
    enum status (*end)(struct sink *sink, uint64_t rows, uint64_t bytes, struct fault *fault);
    enum status (*reap)(struct sink *sink, struct fault *fault);
    enum status (*commit)(struct sink *sink, struct fault *fault);
    void (*abort)(struct sink *sink);
    /* The place of a file for reports and messages: a path, s3://…, or null:NAME. Writes a terminated text.
     */
    void (*url)(const struct sink *sink, const char *name, char *out, size_t size);
    void (*destroy)(struct sink *sink);
};

#endif
