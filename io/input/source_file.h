/* source_file.h - a local regular file as a source (core/flow/source.h), read in one of three ways.
 *
 * SOURCE_MODE_READ     each reader has a buffer of its own and fills it with pread(); bytes that a window
 *                      shares with the end of the one before are moved, not read again.
 * SOURCE_MODE_MMAP     the file is mapped once, read-only, for all readers; window() brings its pages in with
 *                      one system call, drop() lets them go. Costs address space of the file's size, and
 *                      page tables of 1/512 of what was read (2 GiB for a tebibyte; they stay until close on
 *                      kernels before 6.14), which is why very large files are better read.
 * SOURCE_MODE_DIRECT   reads go around the page cache, and what a reader expects is on its way before it is
 *                      looked at (source_direct.h).
 *
 * Bytes behind the size at open are never read. A file that changes while it is read is found out by
 * source_file_check(), one that shrinks also by window(); neither kills the process (source_guard.h, its
 * condition on SIGBUS included). Until the check has said STATUS_OK, what was read may hold zeroes in place
 * of bytes that were lost: call it before anything of the run becomes visible, and also when a run is about
 * to end with failed records, whose true cause it may know.
 *
 * Thread rule: open, check and close by one thread, close after all readers are closed; check may run beside
 * readers. Readers: as in source.h. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_FILE_H
#define PENSTOCK_IO_INPUT_SOURCE_FILE_H

#include "core/base/status.h"
#include "core/flow/source.h"

struct stat;

enum source_mode {
    SOURCE_MODE_MMAP,
    SOURCE_MODE_READ,
    SOURCE_MODE_DIRECT,
    SOURCE_MODE_LARGE /* DIRECT where the file system has that, else READ */
};

/* Pages that were read go in steps of at least this: one system call (and one interruption of every CPU that
 * runs a thread of ours) for 256 pages. What a reader keeps resident is its window and one step. */
#define SOURCE_FILE_DROP_STEP (1024u * 1024)

/* NULL with the fault filled: STATUS_NO_SOURCE (missing, no permission), STATUS_INPUT (not a regular file),
 * STATUS_IO, STATUS_USAGE (SOURCE_MODE_DIRECT, of which the file system has none). Copies `path`. A file that
 * can't be mapped (empty, more than SOURCE_GUARD_RANGES_MAX mapped already, address space, file system) is
 * opened in SOURCE_MODE_READ instead. */
struct source *source_file_open(const char *path, enum source_mode mode, struct fault *fault);
/* The mode in use, never SOURCE_MODE_LARGE. */
enum source_mode source_file_mode(const struct source *source);
/* In SOURCE_MODE_DIRECT, before readers are opened: bytes of one read (source_direct.h). */
void source_file_read_ahead(struct source *source, size_t bytes);
/* STATUS_IO when bytes were lost, or the file's size or modification time is another than at open. A writer
 * that has the file mapped may change its time late: no system can tell. */
enum status source_file_check(const struct source *source, struct fault *fault);
void source_file_close(struct source *source); /* takes NULL */

/* The same of a descriptor that was opened for reading, with its status; `path` is for messages. The
 * descriptor is the source's, also when there is no memory for one (NULL, STATUS_IO). */
struct source *source_file_adopt(const char *path, int descriptor, const struct stat *about,
                                 enum source_mode mode, struct fault *fault);

/* Opens a regular file for reading and tells its status: a descriptor, or -1 with the fault filled as
 * source_file_open() does. Never waits for the other end of a FIFO. */
int source_file_descriptor(const char *path, struct stat *about, struct fault *fault);
/* Reads [offset, offset+length) as far as the file goes; the bytes read, or -1 with errno set. Goes on after
 * interruptions and short reads. */
int64_t source_file_pread(int descriptor, void *buffer, size_t length, uint64_t offset);

#endif
