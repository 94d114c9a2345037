/* sink_directory.h - files into a directory and folders below it (sink.h), whole or not at all.
 *
 * What it promises:
 * - A file is written as `.NAME.RUNID.tmp` beside its final name, mode 0666 less umask, never through
 *   something that is there already, and is on stable storage (fsync) when end() returns.
 * - commit() gives all files their final names, stage by stage: those of a stage are synced, and looked at
 * once more, before the first of the next one appears. Or it takes those back that it gave, of all stages:
 * after a failed commit no file of the run is left under a final name. Without `replace` no file is ever
 * replaced, not even in a race; with it the former files are back after a failure, no former manifest or
 * token stands while data files are exchanged, and what only former deliveries held goes
 * (directory_commit.h). Names, and the names of made directories and folders, are synced as well. One run at
 * a time commits into a directory: STATUS_TRY_AGAIN when another one does not end.
 * - abort() removes every temporary file and, as far as empty, the folders that begin() and the directories
 * that create() made; it is safe in any state, also twice, and does nothing after a commit() that delivered.
 * - No descriptor but the directory's and the open files' is ever kept, so any number of files works, as many
 * at once as `ulimit -n` allows: one more is refused with STATUS_IO.
 * - What is not this run's own is never removed (device and inode are compared).
 * Two processes that share a run id and a directory (array runs) don't meet as long as their names differ.
 *
 * Before that it warns of unfinished files of other runs in its folders (leftovers.h).
 * If removing the former content fails after everything is delivered (replace), commit() succeeds and warns.
 *
 * The process must ignore SIGXFSZ: a file too large is then an error with a message instead of a death. */
#ifndef PENSTOCK_IO_OUTPUT_SINK_DIRECTORY_H
#define PENSTOCK_IO_OUTPUT_SINK_DIRECTORY_H

#include "core/flow/sink.h"
#include "io/output/former_delivery.h"

#include <stdbool.h>

/* Files of rows in one run. More come from a mistaken files.max_rows or max_bytes; directories of many
 * millions are slow for everything that comes after. Bounds the list of names to some 130 MB. */
#define SINK_DIRECTORY_FILES_MAX 1000000u

struct sink_directory_options {
    const char *path, *run_id;
    bool replace; /* if_exists */
    /* With `replace`: what is known of former deliveries, and where warnings go. What it points at is lent
     * and outlives the sink. */
    struct former_rules former;
    /* Asked while commit() waits for another run; it then ends with that status. NULL: never. */
    enum status (*interrupted)(void);
};

/* Opens the directory, making it and its parents when missing. The caller sets `home` and `home_context`
 * before the first begin(); pieces go home from inside write(). Texts are copied. NULL with the fault filled:
 * STATUS_JOB for a place that can't be a directory, STATUS_USAGE for a run id that can't be in a file name,
 * STATUS_IO for rights and the rest. */
struct sink *sink_directory_create(const struct sink_directory_options *options, struct fault *fault);

#endif
