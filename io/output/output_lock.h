/* output_lock.h - one delivery at a time into a directory: an advisory lock on the directory itself (flock),
 * held while names change. A process that dies lets it go.
 *
 * Thread rule: one thread. The lock lives on the directory's descriptor. */
#ifndef PENSTOCK_IO_OUTPUT_OUTPUT_LOCK_H
#define PENSTOCK_IO_OUTPUT_OUTPUT_LOCK_H

#include "core/base/status.h"
#include "io/output/output_directory.h"

/* Names of a delivery change in milliseconds; large former files may take a second each to be removed. */
#define OUTPUT_LOCK_SECONDS 10u
#define OUTPUT_LOCK_LOOK_MS 20u

/* Waits for another run. STATUS_TRY_AGAIN: it did not end in that time. `interrupted` is asked before each
 * look: another status than STATUS_OK ends the wait with it, nothing locked; NULL: never. A file system
 * without such locks (NFS takes none on directories) is STATUS_OK, and nothing is locked. */
enum status output_lock_take(const struct output_directory *directory, enum status (*interrupted)(void),
                             struct fault *fault);
void output_lock_release(const struct output_directory *directory); /* fine also when nothing is locked */

#endif
