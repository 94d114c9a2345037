/* source_file_descriptor.c - regular files as descriptors, and plain reads from them: the part of
 * source_file.h that others use, too. Thread: any. Owns nothing. */
#include "io/input/source_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *kind_of(mode_t mode)
{
    if (S_ISDIR(mode)) return "is a directory where a file is wanted";
    if (S_ISFIFO(mode))
        return "is a FIFO, which is read as standard input only: name - and redirect it (- < FIFO)";
    if (S_ISSOCK(mode)) return "is a socket, which is not supported: name a regular file";
    return "is a device, which is read as standard input only: name - and redirect it (- < DEVICE)";
}

/* What kept a path from being opened: the caller's mistake to mend (66), or the system's trouble (74). */
static enum status fault_unopened(const char *path, int error, struct fault *fault)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return fault_set(fault, STATUS_NO_SOURCE, "%s: there is no such file",
                         path[0] == '\0' ? "(empty path)" : path);
    case EACCES:
    case EPERM:
        return fault_set(fault, STATUS_NO_SOURCE, "%s: may not be read (%s): grant read permission", path,
                         strerror(error));
    case ELOOP:
    case ENAMETOOLONG:
        return fault_set(fault, STATUS_NO_SOURCE, "%s: can't be reached: %s", path, strerror(error));
    case EMFILE:
    case ENFILE:
        return fault_set(fault, STATUS_IO,
                         "%s: can't be opened: %s: raise the limit (ulimit -n) or name fewer files", path,
                         strerror(error));
    default: return fault_set(fault, STATUS_IO, "%s: can't be opened: %s", path, strerror(error));
    }
}

int source_file_descriptor(const char *path, struct stat *about, struct fault *fault)
{
    /* Looks before it opens: opening a device may do something. O_NONBLOCK: should a FIFO take the place of
     * the file in between, open() must not wait for its writer; it means nothing for regular files. */
    if (stat(path, about) != 0) {
        fault_unopened(path, errno, fault);
        return -1;
    }
    int descriptor = -1;
    if (S_ISREG(about->st_mode)) {
        do
            descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        while (descriptor < 0 && errno == EINTR);
        if (descriptor < 0 || fstat(descriptor, about) != 0) {
            fault_unopened(path, errno, fault);
            if (descriptor >= 0) (void)close(descriptor);
            return -1;
        }
    }
    if (S_ISREG(about->st_mode)) return descriptor;
    fault_set(fault, STATUS_INPUT, "%s: %s", path, kind_of(about->st_mode));
    if (descriptor >= 0) (void)close(descriptor);
    return -1;
}

int64_t source_file_pread(int descriptor, void *buffer, size_t length, uint64_t offset)
{
    size_t done = 0;
    while (done < length) {
        ssize_t const more =
            pread(descriptor, (uint8_t *)buffer + done, length - done, (off_t)(offset + done));
        if (more < 0 && errno == EINTR) continue;
        if (more < 0) return -1;
        if (more == 0) break;
        done += (size_t)more;
    }
    return (int64_t)done;
}
