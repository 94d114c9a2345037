/* output_fs.c - write, sync, close and error sentences for output files. No state; any thread. Owns nothing:
 * descriptors are the callers'. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* syncfs; strerrordesc_np: strerror() is not safe among threads */
#endif
#include "io/output/output_fs.h"

#include "io/output/output_text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* write(2) transfers at most 0x7ffff000 bytes; a round number below it. */
#define WRITE_MAX ((size_t)1 << 30)

static int wait_writable(int fd)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLOUT};
    return poll(&pollfd, 1, -1) < 0 && errno != EINTR ? errno : 0;
}

int output_fs_write(int fd, const void *bytes, size_t length)
{
    const char *next = bytes;
    while (length > 0) {
        ssize_t const written = write(fd, next, length < WRITE_MAX ? length : WRITE_MAX);
        if (written > 0) {
            next += written;
            length -= (size_t)written;
        } else if (written == 0) {
            return EIO; /* no progress and no reason given: never spin */
        } else if (errno == EAGAIN) {
            int const error = wait_writable(fd);
            if (error != 0) return error;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

int output_fs_sync(int fd)
{
    while (fsync(fd) != 0)
        if (errno != EINTR) return errno;
    return 0;
}

int output_fs_sync_directory(int fd)
{
    int const error = output_fs_sync(fd);
    return error == EINVAL || error == ENOTSUP ? 0 : error;
}

int output_fs_close(int fd)
{
    return close(fd) != 0 && errno != EINTR ? errno : 0;
}

int output_fs_open_at(int directory, const char *path, int flags, unsigned mode)
{
    int fd = -1;
    do {
        fd = openat(directory, path, flags | O_CLOEXEC, (mode_t)mode);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

int output_fs_sync_directory_at(int directory, const char *path, int neighbour)
{
    int const fd = output_fs_open_at(directory, path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) {
        if (errno != EACCES) return errno;
        return syncfs(neighbour) == 0 ? 0 : errno;
    }
    int const error = output_fs_sync_directory(fd);
    int const close_error = output_fs_close(fd);
    return error != 0 ? error : close_error;
}

static const char *remedy(int error)
{
    switch (error) {
    case ENOSPC: return "the file system is full: free space or give another place";
    case EDQUOT: return "the disk quota is used up: free space or give another place";
    case EFBIG:
        return "larger than the file system or this process's limit (ulimit -f) allows: raise it, or have "
               "smaller "
               "files with files.max_rows or files.max_bytes";
    case EACCES:
    case EPERM: return "this user may not write there: grant the right or give another place";
    case EROFS: return "mounted read-only: mount it writable or give another place";
    case EMFILE:
    case ENFILE: return "too many open files: raise the limit (ulimit -n)";
    case ENOTDIR: return "a part of the path is a file where a directory is needed: give another place";
    case ENOENT: return "a directory of the path does not exist: make it, or see what removed it";
    case ENAMETOOLONG: return "a name may have 255 bytes, a path 4095: give a shorter one";
    case ELOOP: return "too many symbolic links, or one where none is followed: give the path that is meant";
    case EEXIST:
        return "another run uses it, or one that was killed left it: remove it, or give another --run-id";
    case EISDIR: return "it is a directory: give the path of a file";
    case EPIPE: return "its reader has gone away";
    case ENXIO: return "nobody reads from that pipe: start its reader before the run, or give a file";
    case EIO:
    case ESTALE: return "the device or network file system failed: see the system's log, then run again";
    default: return "see the system's log, then run again";
    }
}

enum status output_fs_fault(struct fault *fault, enum status status, int error, const char *doing,
                            const char *path)
{
    char shown[OUTPUT_TEXT_PRINTABLE];
    const char *const described = strerrordesc_np(error);
    return fault_set(fault, status, "%s: %s: %s; %s", output_text_printable(path, shown, sizeof shown), doing,
                     described != NULL ? described : "unknown error", remedy(error));
}

enum status output_fs_place_status(int error)
{
    switch (error) {
    case ENOTDIR:
    case EISDIR:
    case ENOENT:
    case ELOOP:
    case ENAMETOOLONG:
    case EINVAL: return STATUS_JOB;
    default: return STATUS_IO;
    }
}
