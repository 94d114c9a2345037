/* spool_file.h - the store of a spool (core/flow/spool.h): a temporary file without a name.
 *
 * It is made when the first byte is written, in $TMPDIR or else in /tmp, readable by this user alone, since
 * it holds personal data; it is gone when it is closed or the process ends, however it ends. A full disk is
 * STATUS_IO, and the message names the folder and the remedies.
 *
 * Thread rule: one thread. Owns the descriptor; the store is the caller's from start to close. */
#ifndef PENSTOCK_IO_OUTPUT_SPOOL_FILE_H
#define PENSTOCK_IO_OUTPUT_SPOOL_FILE_H

#include "core/flow/spool.h"

struct spool_file {
    struct spool_store store;
    const char *folder;
    int fd; /* -1: not made yet */
};

/* `folder`: where the file is made; NULL: $TMPDIR, or /tmp when that is not set or empty. */
void spool_file_start(struct spool_file *file, const char *folder);
void spool_file_close(struct spool_file *file); /* zeroed is fine; a second time, too */

#endif
