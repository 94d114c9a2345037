/* sink.h - the port through which a run's files leave core: a directory, S3, nothing (null:).
 *
 * One sink serves one run. The assembler thread is its only caller (but for sink->destroy, after join). Files
 * are numbered from 0 in the order of begin(); several may be open at once. Nothing may become visible under
 * a final name before commit().
 *
 *   begin(file, name, stage)
 *              a new file. `name` is its final name below the destination and may hold '/' for folders;
 *              STATUS_EXISTS when it is taken. `stage` says when it becomes visible.
 *
 *   write(file, piece)
 *              the next bytes of that open file. They stay valid and unchanged until the sink gives the
 *              piece home by calling home(home_context, piece) exactly once, on the assembler's thread,
 *              from inside any of the calls below or write() itself. A sink that writes at once gives
 *              it home at once; one that uploads in the background gives it home when it is reaped. It
 *              never waits for more writes: the pipeline sees to it that the pieces of `hold` bytes
 *              (pipeline.h) can be out while rows still come.
 *
 *   end(file, rows, bytes)
 *              that file has all its bytes (both numbers count what was written, for checks; rows is 0 for a
 *              file that has none).
 *
 *   reap()     gives home what was finished in the background; called often, never waits. A sink's threads
 *              wake the `arrivals` that it was made with when there is something to reap.
 *
 *   drained()  optional (NULL: write() keeps nothing but pieces): has all that was written been passed on? A
 *              run waits for it, reaping, before it commits.
 *
 *   stored(file)
 *              optional (NULL: the bytes written are the bytes stored): what became of an ended file. Valid
 *              when drained.
 *
 *   commit()   the whole input was within its budget: make every file visible under its final name, or none.
 *              Stage by stage: every file of a stage is visible and verified before the first of the next one
 *              appears. Returns when they are safe.
 *
 *   abort()    leave no trace of this run, give all pieces home. Called instead of commit(), or after a
 *              commit() that failed; a second call does nothing.
 *
 * begin(), end(), commit() and abort() may take their time (the network's); write() and reap() don't.
 * Every call but abort() may fail; after a failure only abort() and destroy() follow. */
#ifndef PENSTOCK_CORE_FLOW_SINK_H
#define PENSTOCK_CORE_FLOW_SINK_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order in which they become visible: who sees a token finds the manifest, who sees a manifest finds
 * its files. */
enum sink_stage { SINK_DATA, SINK_MANIFEST, SINK_TOKEN };

struct sink_piece {
    const uint8_t *bytes;
    size_t length;
    void
        *owner; /* the caller's: what to give home (NULL: the bytes live until the run ends, e.g. a header) */
    uint64_t checksum; /* of the run's kind, when has_checksum; made by the worker that made the bytes */
    bool has_checksum;
};

struct sink_stored {
    uint64_t bytes;
    uint64_t checksum; /* of the run's kind */
};

typedef void sink_home_fn(void *context, const struct sink_piece *piece);

struct sink {
    void *self;
    bool background; /* pieces may come home later than the call that took them */
    sink_home_fn *home;
    void *home_context;
    enum status (*begin)(struct sink *sink, uint32_t file, const char *name, enum sink_stage stage,
                         struct fault *fault);
    enum status (*write)(struct sink *sink, uint32_t file, const struct sink_piece *piece,
                         struct fault *fault);
    enum status (*end)(struct sink *sink, uint32_t file, uint64_t rows, uint64_t bytes, struct fault *fault);
    enum status (*reap)(struct sink *sink, struct fault *fault);
    bool (*drained)(const struct sink *sink);
    void (*stored)(const struct sink *sink, uint32_t file, struct sink_stored *stored);
    enum status (*commit)(struct sink *sink, struct fault *fault);
    void (*abort)(struct sink *sink);
    /* The place of a file for reports and messages: a path, s3://…, or null:NAME. Writes a terminated text.
     */
    void (*url)(const struct sink *sink, const char *name, char *out, size_t size);
    void (*destroy)(struct sink *sink);
};

#endif
