/* spool_file.c - see the header. Thread: the assembler's. Owns the descriptor. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_TMPFILE, mkostemp, strerrordesc_np */
#endif
#include "io/output/spool_file.h"

#include "io/output/output_fs.h"
#include "io/output/output_text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* pread(2) and pwrite(2) transfer at most 0x7ffff000 bytes; a round number below it. */
#define TRANSFER_MAX ((size_t)1 << 30)

static enum status failure(const struct spool_file *file, int error, uint64_t offset, struct fault *fault)
{
    char shown[OUTPUT_TEXT_PRINTABLE];
    const char *const described = strerrordesc_np(error);
    return fault_set(
        fault, STATUS_IO,
        "%s: %s, with %" PRIu64 " MiB of the rows written there that wait until all duplicates are known "
        "(identity.deduplicate): make room, set TMPDIR to another folder, or raise --memory-limit, "
        "of which a part keeps rows in memory",
        output_text_printable(file->folder, shown, sizeof shown),
        described != NULL ? described : "unknown error", offset / LIMIT_MIB);
}

/* Where the file system has no unnamed files: a named one, unnamed at once. -1 with errno. */
static int make_named(const char *folder)
{
    char path[PATH_MAX];
    int const length = snprintf(path, sizeof path, "%s/penstock.XXXXXX", folder);
    if (length < 0 || (size_t)length >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int const fd = mkostemp(path, O_CLOEXEC); /* mode 0600 */
    if (fd >= 0 && unlink(path) != 0) {
        int const error = errno;
        (void)output_fs_close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static enum status make(struct spool_file *file, struct fault *fault)
{
    file->fd = output_fs_open_at(AT_FDCWD, file->folder, O_TMPFILE | O_RDWR | O_EXCL, 0600);
    /* EISDIR: a kernel that does not know O_TMPFILE (open(2)) */
    if (file->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
        file->fd = make_named(file->folder);
    return file->fd < 0 ? failure(file, errno, 0, fault) : STATUS_OK;
}

static enum status file_write(void *self, uint64_t offset, const void *bytes, size_t length,
                              struct fault *fault)
{
    struct spool_file *const file = self;
    const uint8_t *from = bytes;
    if (file->fd < 0) {
        enum status const status = make(file, fault);
        if (status != STATUS_OK) return status;
    }
    while (length > 0) {
        ssize_t const written =
            pwrite(file->fd, from, length < TRANSFER_MAX ? length : TRANSFER_MAX, (off_t)offset);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return failure(file, written == 0 ? EIO : errno, offset, fault);
        from += written;
        offset += (uint64_t)written;
        length -= (size_t)written;
    }
    return STATUS_OK;
}

static enum status file_read(void *self, uint64_t offset, void *bytes, size_t length, struct fault *fault)
{
    const struct spool_file *const file = self;
    uint8_t *to = bytes;
    while (length > 0) {
        ssize_t const got = pread(file->fd, to, length < TRANSFER_MAX ? length : TRANSFER_MAX, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) /* 0: shorter than it was written, and nobody else has it */
            return output_fs_fault(fault, STATUS_IO, got == 0 ? EIO : errno,
                                   "reading the rows that waited for duplicates", file->folder);
        to += got;
        offset += (uint64_t)got;
        length -= (size_t)got;
    }
    return STATUS_OK;
}

void spool_file_start(struct spool_file *file, const char *folder)
{
    const char *const wanted = folder != NULL ? folder : getenv("TMPDIR");
    *file = (struct spool_file){.store = {.self = file, .write = file_write, .read = file_read},
                                .folder = wanted != NULL && wanted[0] != '\0' ? wanted : "/tmp",
                                .fd = -1};
}

void spool_file_close(struct spool_file *file)
{
    if (file->store.self != NULL && file->fd >= 0) (void)output_fs_close(file->fd);
    *file = (struct spool_file){.fd = -1};
}
