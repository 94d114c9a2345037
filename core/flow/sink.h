/* sink.h - the port through which data files leave core: a directory, nothing (null:), later S3.
 *
 * One sink serves one run. The assembler thread is its only caller (but for sink->destroy, after join). Files
 * are numbered from 0 in output order; begin / write... / end come for one file after another, never mixed.
 * Nothing may become visible under a final name before commit().
 *
 *   begin(file, name)   a new data file. `name` is its final name (no folder); STATUS_EXISTS when it is
 * taken. write(piece)        the next bytes of the current file. The bytes stay valid and unchanged until the
 * sink gives the piece home by calling home(home_context, piece) exactly once, on the assembler's thread,
 * from inside write(), end(), reap() or commit()/abort(). A sink that writes at once gives it home at once;
 * one that uploads in the background does it when reaped. end(rows, bytes)    the current file has all its
 * bytes (both numbers count what was written, for checks). reap()              gives home what was finished
 * in the background; called often, never waits. wait()              the assembler has nothing else to do
 * until a piece comes home; may return early, but can't wait for more writes: what the sink holds back for
 * them it copies. NULL for sinks that give home at once. commit()            the
 * whole input was within its budget: make every file visible under its final name, or none. Returns when they
 * are safe (fsync). abort()             leave no trace of this run, give all pieces home. Called instead of
 * commit(), or after a commit() that failed; a second call does nothing.
 *
 * Every call but abort() may fail; after a failure only abort() and destroy() follow. */
#ifndef PENSTOCK_CORE_FLOW_SINK_H
#define PENSTOCK_CORE_FLOW_SINK_H

#include "core/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct sink_piece {
    const uint8_t *bytes;
    size_t length;
    void
        *owner; /* the caller's: what to give home (NULL: the bytes live until the run ends, e.g. a header) */
};

typedef void sink_home_fn(void *context, const struct sink_piece *piece);

struct sink {
    void *self;
    sink_home_fn *home;
    void *home_context;
    enum status (*begin)(struct sink *sink, uint32_t file, const char *name, struct fault *fault);
    enum status (*write)(struct sink *sink, const struct sink_piece *piece, struct fault *fault);
    enum status (*end)(struct sink *sink, uint64_t rows, uint64_t bytes, struct fault *fault);
    enum status (*reap)(struct sink *sink, struct fault *fault);
    enum status (*wait)(struct sink *sink, struct fault *fault);
    enum status (*commit)(struct sink *sink, struct fault *fault);
    void (*abort)(struct sink *sink);
    /* The place of a file for reports and messages: a path, s3://…, or null:NAME. Writes a terminated text.
     */
    void (*url)(const struct sink *sink, const char *name, char *out, size_t size);
    void (*destroy)(struct sink *sink);
};

#endif
