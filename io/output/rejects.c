/* rejects.c - writes the reject file. Thread: the assembler's. Owns its descriptor and one buffer; a struct
 * reject is borrowed for the call. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "io/output/rejects.h"

#include "core/base/limits.h"
#include "io/output/output_fs.h"
#include "io/output/output_text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What every reject file begins with; what does not is another's and is left alone. */
#define FIRST_BYTES "{\"source\":"

/* A source's name (PATH_MAX) and a column's path (PATH_TEXT_MAX of core/map/path.h, 4096) fit whole, whatever
 * they are made of; a longer one is cut. */
#define TEXT_BYTES ((size_t)PATH_MAX * OUTPUT_TEXT_JSON_GROWTH)
#define RAW_BYTES  (((size_t)LIMIT_REJECT_RAW + 2) / 3 * 4)
/* Keys, punctuation, three numbers of at most 20 digits, the longest code: some 150 bytes. */
#define REST_BYTES   ((size_t)256)
#define LINE_BYTES   (2 * TEXT_BYTES + RAW_BYTES + REST_BYTES) /* 133 KiB */
#define BUFFER_BYTES ((size_t)256 * LIMIT_KIB)
_Static_assert(LINE_BYTES <= BUFFER_BYTES, "the buffer holds any line whole");

struct rejects {
    char *path;
    char *buffer;
    size_t used;
    int fd;         /* -1: not made yet, or closed */
    bool is_stream; /* a pipe, terminal or device stood there at the start */
    bool failed;    /* lines were lost */
    bool is_former; /* an earlier run's file stands there, with these: */
    dev_t device;
    ino_t inode;
};

static enum status failure(struct rejects *rejects, int error, const char *doing, struct fault *fault)
{
    rejects->failed = true;
    rejects->used = 0;
    return output_fs_fault(fault, STATUS_IO, error, doing, rejects->path);
}

/* "FILE: WHAT", with the remedy that fits all of these. */
static enum status refuse(const char *path, const char *what, struct fault *fault)
{
    char shown[OUTPUT_TEXT_PRINTABLE];
    return fault_set(fault, STATUS_JOB,
                     "%s: %s: give another path for the reject file (rejects.path, --rejects)",
                     output_text_printable(path, shown, sizeof shown), what);
}

/* Empty, or begins as reject files do. Opened without following links, and without waiting. */
static enum status check_former(const char *path, struct fault *fault)
{
    int const fd = output_fs_open_at(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (fd < 0)
        return output_fs_fault(fault, STATUS_IO, errno, "opening the reject file of an earlier run", path);
    char first[sizeof FIRST_BYTES - 1];
    ssize_t length = 0;
    do {
        length = pread(fd, first, sizeof first, 0);
    } while (length < 0 && errno == EINTR);
    int const error = length < 0 ? errno : 0;
    output_fs_close(fd);
    if (error != 0)
        return output_fs_fault(fault, STATUS_IO, error, "reading the reject file of an earlier run", path);
    if (length == 0 || (length == sizeof first && memcmp(first, FIRST_BYTES, sizeof first) == 0))
        return STATUS_OK;
    return refuse(path, "exists and is not a reject file, so it is not replaced", fault);
}

/* The directory a file is made in must be there and writable: told now, not hours later at the first reject.
 */
static enum status check_folder(const char *path, struct fault *fault)
{
    const char *const slash = strrchr(path, '/');
    char *const folder =
        slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (folder == NULL) return fault_set(fault, STATUS_IO, "reject file: no memory left");
    struct stat found;
    int error = stat(folder, &found) != 0 ? errno : S_ISDIR(found.st_mode) ? 0 : ENOTDIR;
    if (error == 0 && faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) != 0) error = errno;
    enum status status = STATUS_OK;
    if (error != 0)
        status = output_fs_fault(fault, output_fs_place_status(error), error, "the reject file's directory",
                                 folder);
    free(folder);
    return status;
}

/* A link's target decides: /dev/stderr and /dev/fd/63 are links to streams. */
static enum status check_link(struct rejects *rejects, struct fault *fault)
{
    struct stat target;
    if (stat(rejects->path, &target) == 0 && !S_ISREG(target.st_mode) && !S_ISDIR(target.st_mode)) {
        rejects->is_stream = true;
        return STATUS_OK;
    }
    return refuse(rejects->path, "is a symbolic link, and profile data is not written through links", fault);
}

static enum status prepare(struct rejects *rejects, struct fault *fault)
{
    const char *const path = rejects->path;
    if (path[0] == '\0') return refuse(path, "the reject file's path is empty", fault);
    struct stat found;
    if (lstat(path, &found) != 0) {
        if (errno == ENOENT && path[strlen(path) - 1] != '/') return check_folder(path, fault);
        if (errno == ENOENT) return refuse(path, "names a directory", fault);
        return output_fs_fault(fault, output_fs_place_status(errno), errno, "looking up the reject file",
                               path);
    }
    if (S_ISDIR(found.st_mode)) return refuse(path, "is a directory", fault);
    if (S_ISLNK(found.st_mode)) return check_link(rejects, fault);
    rejects->is_stream = !S_ISREG(found.st_mode);
    if (rejects->is_stream) return STATUS_OK;
    enum status status = check_former(path, fault);
    if (status == STATUS_OK) status = check_folder(path, fault);
    rejects->is_former = true;
    rejects->device = found.st_dev;
    rejects->inode = found.st_ino;
    return status;
}

struct rejects *rejects_open(const char *path, struct fault *fault)
{
    struct rejects *const rejects = calloc(1, sizeof *rejects);
    if (rejects != NULL) {
        rejects->fd = -1;
        rejects->path = strdup(path);
    }
    if (rejects == NULL || rejects->path == NULL) {
        fault_set(fault, STATUS_IO, "reject file: no memory left");
    } else if (prepare(rejects, fault) == STATUS_OK) {
        return rejects;
    }
    rejects_destroy(rejects);
    return NULL;
}

enum status rejects_remove_former(struct rejects *rejects, struct fault *fault)
{
    if (rejects == NULL || !rejects->is_former) return STATUS_OK;
    rejects->is_former = false;
    struct stat found;
    int error = lstat(rejects->path, &found) == 0 ? 0 : errno;
    /* another file by now is another run's */
    if (error == 0 && (found.st_dev != rejects->device || found.st_ino != rejects->inode)) return STATUS_OK;
    if (error == 0 && unlink(rejects->path) != 0) error = errno;
    if (error == 0 || error == ENOENT) return STATUS_OK;
    return output_fs_fault(fault, STATUS_IO, error, "removing the reject file of an earlier run",
                           rejects->path);
}

/* At the first reject. O_EXCL: what is there now is another run's. fchmod: 0600 whatever the umask. */
static enum status make_file(struct rejects *rejects, struct fault *fault)
{
    rejects->buffer = malloc(BUFFER_BYTES);
    if (rejects->buffer == NULL) return failure(rejects, ENOMEM, "making the reject file", fault);
    if (rejects_remove_former(rejects, fault) != STATUS_OK) {
        rejects->failed = true;
        return STATUS_IO;
    }
    int const flags = rejects->is_stream ? O_WRONLY | O_NOCTTY : O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    rejects->fd = output_fs_open_at(AT_FDCWD, rejects->path, flags, 0600);
    if (rejects->fd < 0) return failure(rejects, errno, "making the reject file", fault);
    if (!rejects->is_stream && fchmod(rejects->fd, 0600) != 0)
        return failure(rejects, errno, "setting the reject file's mode to 0600", fault);
    return STATUS_OK;
}

static enum status flush(struct rejects *rejects, struct fault *fault)
{
    int const error = output_fs_write(rejects->fd, rejects->buffer, rejects->used);
    if (error != 0) return failure(rejects, error, "writing the reject file", fault);
    rejects->used = 0;
    return STATUS_OK;
}

/* RFC 4648, section 4, with padding. Writes (length + 2) / 3 * 4 bytes. */
static size_t write_base64(const uint8_t *bytes, size_t length, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *next = out;
    for (size_t at = 0; at < length; at += 3) {
        size_t const left = length - at;
        uint32_t const group = (uint32_t)bytes[at] << 16 | (left > 1 ? (uint32_t)bytes[at + 1] << 8 : 0) |
                               (left > 2 ? (uint32_t)bytes[at + 2] : 0);
        *next++ = digits[group >> 18];
        *next++ = digits[group >> 12 & 63];
        *next++ = left > 1 ? digits[group >> 6 & 63] : '=';
        *next++ = left > 2 ? digits[group & 63] : '=';
    }
    return (size_t)(next - out);
}

static size_t write_text(const char *text, char *out)
{
    return output_text_json(text, strlen(text), out, TEXT_BYTES);
}

/* One line of at most LINE_BYTES. */
static size_t write_line(const struct reject *reject, char *out)
{
    size_t const raw = reject->raw_length < LIMIT_REJECT_RAW ? reject->raw_length : (size_t)LIMIT_REJECT_RAW;
    char *next = out + sprintf(out, FIRST_BYTES "\"");
    next += write_text(reject->source, next);
    next += sprintf(next, "\",\"offset\":%" PRIu64 ",\"length\":%" PRIu64 ",\"line\":%" PRIu64,
                    reject->offset, reject->length, reject->line);
    next += sprintf(next, ",\"code\":\"%s\",\"path\":\"", tally_defect_name(reject->code));
    next += write_text(reject->path == NULL ? "" : reject->path, next);
    next += sprintf(next, "\",\"raw\":\"");
    next += write_base64(reject->raw, raw, next);
    next += sprintf(next, "\"}\n");
    return (size_t)(next - out);
}

enum status rejects_add(struct rejects *rejects, const struct reject *reject, struct fault *fault)
{
    if (rejects == NULL) return STATUS_OK;
    if (rejects->failed)
        return fault_set(fault, STATUS_IO,
                         "reject file: written to after a failure; this is a bug: report it");
    enum status status = STATUS_OK;
    if (rejects->fd < 0) status = make_file(rejects, fault);
    if (status == STATUS_OK && BUFFER_BYTES - rejects->used < LINE_BYTES) status = flush(rejects, fault);
    if (status == STATUS_OK) rejects->used += write_line(reject, rejects->buffer + rejects->used);
    return status;
}

static enum status incomplete(const struct rejects *rejects, struct fault *fault)
{
    char shown[OUTPUT_TEXT_PRINTABLE];
    return fault_set(fault, STATUS_IO, "%s: the reject file is incomplete: writing it failed before",
                     output_text_printable(rejects->path, shown, sizeof shown));
}

enum status rejects_close(struct rejects *rejects, struct fault *fault)
{
    if (rejects == NULL) return STATUS_OK;
    enum status status = rejects->failed ? incomplete(rejects, fault) : STATUS_OK;
    if (rejects->fd < 0) return status;
    if (status == STATUS_OK) status = flush(rejects, fault);
    int error = status == STATUS_OK && !rejects->is_stream ? output_fs_sync(rejects->fd) : 0;
    if (error != 0) status = failure(rejects, error, "fsync of the reject file", fault);
    error = output_fs_close(rejects->fd);
    rejects->fd = -1;
    if (error != 0 && status == STATUS_OK) status = failure(rejects, error, "closing the reject file", fault);
    return status;
}

void rejects_destroy(struct rejects *rejects)
{
    if (rejects == NULL) return;
    if (rejects->fd >= 0) output_fs_close(rejects->fd);
    free(rejects->buffer);
    free(rejects->path);
    free(rejects);
}
