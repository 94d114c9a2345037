/* output_whole.c - see the header. Thread: main's. Owns nothing beyond each call. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "io/output/output_whole.h"

#include "io/output/output_fs.h"
#include "io/output/output_text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Longest `first`. */
#define FIRST_MAX 64u
/* Symbolic links from a path to its end: as many as Linux follows (path_resolution(7)). */
#define LINKS_MAX 40u

/* What is written: with each call. */
struct content {
    bool (*put)(FILE *out, void *context);
    void *context;
};

/* Of a stream over a descriptor: it may be one that does not wait. */
static ssize_t write_some(void *cookie, const char *bytes, size_t length)
{
    const int *const fd = cookie;
    int const error = output_fs_write(*fd, bytes, length);
    errno = error;
    return error == 0 ? (ssize_t)length : 0;
}

/* 0 or errno. */
static int print(int fd, const struct content *content)
{
    cookie_io_functions_t const functions = {.write = write_some};
    FILE *const out = fopencookie(&fd, "w", functions);
    if (out == NULL) return errno;
    errno = 0;
    int error = content->put(out, content->context) ? 0 : ENOMEM;
    if (fflush(out) != 0 || ferror(out) != 0) error = errno != 0 ? errno : EIO;
    return fclose(out) != 0 && error == 0 ? errno : error;
}

/* Takes the descriptor over: prints, syncs where that means something, closes. 0 or errno. */
static int print_and_close(int fd, const struct content *content, bool sync)
{
    int error = print(fd, content);
    if (error == 0 && sync) error = output_fs_sync(fd);
    int const close_error = output_fs_close(fd);
    return error != 0 ? error : close_error;
}

/* Without waiting for somebody to read a pipe, who may never come: ENXIO then. */
static int write_stream(const char *path, const struct content *content)
{
    int const fd = output_fs_open_at(AT_FDCWD, path, O_WRONLY | O_NOCTTY | O_NONBLOCK, 0);
    return fd < 0 ? errno : print_and_close(fd, content, false);
}

/* A temporary file of this name is this run's, or that of a killed run with the same id: it may go. */
static int open_temporary(const char *temporary)
{
    int const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    int const fd = output_fs_open_at(AT_FDCWD, temporary, flags, 0666);
    if (fd >= 0 || errno != EEXIST || unlink(temporary) != 0) return fd;
    return output_fs_open_at(AT_FDCWD, temporary, flags, 0666);
}

/* The name of the temporary file beside `path`; NULL: no memory. The caller frees it. */
static char *temporary_name(const char *path, const char *run_id)
{
    const char *const slash = strrchr(path, '/');
    const char *const name = slash == NULL ? path : slash + 1;
    char *temporary = NULL;
    return asprintf(&temporary, "%.*s.%s.%s.tmp", (int)(name - path), path, name, run_id) < 0 ? NULL
                                                                                              : temporary;
}

static int write_file(const struct output_whole *whole, const char *path, const struct content *content)
{
    char *const temporary = temporary_name(path, whole->run_id);
    if (temporary == NULL) return ENOMEM;
    int const fd = open_temporary(temporary);
    int error = fd < 0 ? errno : print_and_close(fd, content, whole->sync);
    if (error == 0 && rename(temporary, path) != 0) error = errno;
    if (error != 0 && fd >= 0) unlink(temporary);
    free(temporary);
    return error;
}

/* What `link` says, which stands at `path`. NULL: no memory. The caller frees it. */
static char *read_from(const char *path, const char *link)
{
    const char *const slash = strrchr(path, '/');
    char *there = NULL;
    if (link[0] == '/' || slash == NULL) return strdup(link);
    return asprintf(&there, "%.*s%s", (int)(slash + 1 - path), path, link) < 0 ? NULL : there;
}

/* Where nothing is yet: `path`, or the end of the links that begin there. NULL with errno; the caller frees
 * it. */
static char *find_end(const char *path)
{
    char link[PATH_MAX];
    char *at = strdup(path);
    for (unsigned links = 0; at != NULL; links++) {
        ssize_t const length = readlink(at, link, sizeof link - 1);
        if (length < 0) return at;
        link[length] = '\0';
        char *const next = links < LINKS_MAX ? read_from(at, link) : NULL;
        if (links == LINKS_MAX) errno = ELOOP;
        free(at);
        at = next;
    }
    return NULL;
}

static int write_new(const struct output_whole *whole, const struct content *content)
{
    char *const end = find_end(whole->path);
    if (end == NULL) return errno;
    int const error = write_file(whole, end, content);
    free(end);
    return error;
}

/* Is the regular file at `path` empty, or of the kind? 0, EEXIST: neither, or errno. */
static int check_former(const struct output_whole *whole, const char *path)
{
    int const fd = output_fs_open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0) return errno;
    char found[FIRST_MAX];
    size_t const wanted = strnlen(whole->first, sizeof found);
    ssize_t length = 0;
    do {
        length = pread(fd, found, wanted, 0);
    } while (length < 0 && errno == EINTR);
    int error = length < 0 ? errno : 0;
    output_fs_close(fd);
    if (error == 0 && length != 0 && ((size_t)length != wanted || memcmp(found, whole->first, wanted) != 0))
        error = EEXIST;
    return error;
}

/* To where the path leads. 0, EEXIST: something stands there that is not of the kind, or errno. */
static int write_to(const struct output_whole *whole, const struct content *content)
{
    struct stat found;
    const char *const path = whole->path;
    if (stat(path, &found) != 0) return errno == ENOENT ? write_new(whole, content) : errno;
    if (S_ISDIR(found.st_mode)) return EISDIR;
    if (!S_ISREG(found.st_mode)) return write_stream(path, content);
    char *const real = realpath(path, NULL);
    if (real == NULL) return errno;
    int error = check_former(whole, real);
    if (error == 0) error = write_file(whole, real, content);
    free(real);
    return error;
}

static enum status refuse(const struct output_whole *whole, enum status status, const char *more,
                          struct fault *fault)
{
    char shown[OUTPUT_TEXT_PRINTABLE];
    return fault_set(fault, status,
                     "%s: exists and is not a %s, so it is not replaced: give another path (%s) or "
                     "remove it%s",
                     output_text_printable(whole->path, shown, sizeof shown), whole->kind, whole->setting,
                     more);
}

enum status output_whole_write(const struct output_whole *whole, bool (*put)(FILE *out, void *context),
                               void *context, const char *more, struct fault *fault)
{
    struct content const content = {.put = put, .context = context};
    bool const is_stdout = strcmp(whole->path, "-") == 0;
    if (is_stdout) fflush(stdout); /* what was printed before stays before */
    int const error = is_stdout ? print(STDOUT_FILENO, &content) : write_to(whole, &content);
    if (error == 0) return STATUS_OK;
    if (error == EEXIST && !is_stdout) return refuse(whole, STATUS_IO, more, fault);
    char doing[FIRST_MAX];
    snprintf(doing, sizeof doing, "writing the %s", whole->kind);
    return output_fs_fault(fault, STATUS_IO, error, doing, is_stdout ? "standard output" : whole->path);
}

/* Can a file be made beside `path`? 0 or errno. */
static int try_place(const struct output_whole *whole, const char *path)
{
    char *const temporary = temporary_name(path, whole->run_id);
    if (temporary == NULL) return ENOMEM;
    int const fd = open_temporary(temporary);
    int const error = fd < 0 ? errno : output_fs_close(fd);
    if (fd >= 0) unlink(temporary);
    free(temporary);
    return error;
}

static int try_new(const struct output_whole *whole)
{
    char *const end = find_end(whole->path);
    if (end == NULL) return errno;
    int const error = try_place(whole, end);
    free(end);
    return error;
}

/* The same for a regular file: is it ours to replace, and can the new one be made beside it? */
static int try_replace(const struct output_whole *whole)
{
    char *const real = realpath(whole->path, NULL);
    if (real == NULL) return errno;
    int error = check_former(whole, real);
    if (error == 0) error = try_place(whole, real);
    free(real);
    return error;
}

enum status output_whole_check(const struct output_whole *whole, struct fault *fault)
{
    struct stat found;
    const char *const path = whole->path;
    if (strcmp(path, "-") == 0) return STATUS_OK;
    int error = stat(path, &found) == 0 ? 0 : errno;
    if (error == ENOENT)
        error = try_new(whole);
    else if (error == 0 && S_ISDIR(found.st_mode))
        error = EISDIR;
    else if (error == 0 && S_ISREG(found.st_mode))
        error = try_replace(whole);
    else if (error == 0 && access(path, W_OK) != 0)
        error = errno;
    if (error == 0) return STATUS_OK;
    if (error == EEXIST) return refuse(whole, STATUS_USAGE, "", fault);
    char doing[FIRST_MAX];
    snprintf(doing, sizeof doing, "the %s can't be written there", whole->kind);
    return output_fs_fault(fault, STATUS_IO, error, doing, path);
}
