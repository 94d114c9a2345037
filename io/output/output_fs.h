/* output_fs.h - the few file system calls that every output file needs, whole: short writes and EINTR
 * handled, and errors told with their remedy. No state; any thread. */
#ifndef PENSTOCK_IO_OUTPUT_OUTPUT_FS_H
#define PENSTOCK_IO_OUTPUT_OUTPUT_FS_H

#include "core/base/status.h"

#include <stddef.h>

/* The next three return 0 or an errno value. */

/* All of the bytes, at the descriptor's position. SIGXFSZ and SIGPIPE must be ignored by the process, so that
 * EFBIG and EPIPE arrive here. A non-blocking descriptor that is full is waited for. */
int output_fs_write(int fd, const void *bytes, size_t length);
/* Data and size are on stable storage. */
int output_fs_sync(int fd);
/* Closes in any case. EINTR is success: Linux has closed the descriptor then (close(2)). */
int output_fs_close(int fd);

/* The same as output_fs_sync() for a directory, whose file system may be one that can't sync directories
 * (EINVAL on some network and FUSE file systems, fsync(2)): that is no error, it is all there is to have. */
int output_fs_sync_directory(int fd);
/* Of the directory `path` below the open one (AT_FDCWD: the working directory). One that may be entered but
 * not read can't be opened for fsync: then all of the file system of `neighbour`, an open directory that
 * shares it, is synced instead. */
int output_fs_sync_directory_at(int directory, const char *path, int neighbour);

/* open(2) again as long as a signal interrupts it; -1 with errno. Always O_CLOEXEC. */
int output_fs_open_at(int directory, const char *path, int flags, unsigned mode);

/* Fills the fault: "PATH: DOING: error text; remedy", and returns `status`. `path` is escaped for printing.
 */
enum status output_fs_fault(struct fault *fault, enum status status, int error, const char *doing,
                            const char *path);

/* The status of an error met while a place for output is looked up or made: STATUS_JOB when the place can't
 * be (a file in place of a directory, a name too long, no such directory), else STATUS_IO. */
enum status output_fs_place_status(int error);

#endif
