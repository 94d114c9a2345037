/* output_directory.c - mkdir -p with a memory. Thread: the one that owns the struct. Owns the directory's
 * descriptor, its path and the list of what was made. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* faccessat with AT_EACCESS */
#endif
#include "io/output/output_directory.h"

#include "io/output/output_fs.h"
#include "io/output/output_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* scheme:// as RFC 3986, 3.1 has it. */
static bool has_scheme(const char *path)
{
    if (!is_letter(path[0])) return false;
    size_t const length = strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
    return strncmp(path + length, "://", 3) == 0;
}

static enum status check_path(const char *path, struct fault *fault)
{
    char shown[OUTPUT_TEXT_PRINTABLE];
    if (path[0] == '\0')
        return fault_set(fault, STATUS_JOB, "destination: the path is empty; \".\" is the working directory");
    if (has_scheme(path))
        return fault_set(fault, STATUS_JOB,
                         "%s: a URL of this kind is no directory: give a plain path, without a scheme",
                         output_text_printable(path, shown, sizeof shown));
    return STATUS_OK;
}

/* `path` without slashes at its end ("/" stays), and a list with room for every prefix of it. */
static enum status copy_path(const char *path, struct output_directory *directory, struct fault *fault)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    size_t prefixes = 1;
    for (size_t i = 0; i < length; i++)
        prefixes += path[i] == '/';
    directory->path = strndup(path, length);
    directory->made = calloc(prefixes, sizeof *directory->made);
    if (directory->path != NULL && directory->made != NULL) return STATUS_OK;
    return fault_set(fault, STATUS_IO, "destination: no memory left");
}

static bool is_directory(const char *path)
{
    struct stat stat_;
    return stat(path, &stat_) == 0 && S_ISDIR(stat_.st_mode);
}

/* Makes the first `length` bytes of the path. Some file systems look at rights before they look whether the
 * directory is there, so any error is forgiven when it is. */
static int make_one(struct output_directory *directory, size_t length)
{
    char *const path = directory->path;
    char const behind = path[length];
    path[length] = '\0';
    int error = mkdir(path, 0777) == 0 ? 0 : errno;
    if (error == 0)
        directory->made[directory->made_count++] = length;
    else if (error == EEXIST || is_directory(path))
        error = 0; /* a file in place of a directory is told by the next step */
    path[length] = behind;
    return error;
}

static int make_all(struct output_directory *directory)
{
    const char *const path = directory->path;
    for (size_t end = strspn(path, "/"); path[end] != '\0'; end += strspn(path + end, "/")) {
        end += strcspn(path + end, "/");
        int const error = make_one(directory, end);
        if (error != 0) return error;
    }
    return 0;
}

static int open_directory(const char *path)
{
    return output_fs_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
}

static enum status find_or_make(struct output_directory *directory, struct fault *fault)
{
    const char *doing = "opening the destination directory";
    int error = 0;
    directory->fd = open_directory(directory->path);
    if (directory->fd < 0 && errno == ENOENT) {
        error = make_all(directory);
        if (error != 0)
            doing = "making the destination directory";
        else
            directory->fd = open_directory(directory->path);
    }
    if (directory->fd < 0) {
        if (error == 0) error = errno;
    } else {
        /* now, not after the first gigabytes: may files be made here? */
        doing = "writing into the destination directory";
        error = faccessat(directory->fd, ".", W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
    }
    if (error == 0) return STATUS_OK;
    return output_fs_fault(fault, output_fs_place_status(error), error, doing, directory->path);
}

enum status output_directory_open(const char *path, struct output_directory *directory, struct fault *fault)
{
    *directory = (struct output_directory){.fd = -1};
    enum status status = check_path(path, fault);
    if (status == STATUS_OK) status = copy_path(path, directory, fault);
    if (status == STATUS_OK) status = find_or_make(directory, fault);
    if (status != STATUS_OK) {
        output_directory_remove_made(directory);
        output_directory_close(directory);
    }
    return status;
}

/* The directory that holds the name of made[0]. NULL: no memory. */
static char *first_parent(const struct output_directory *directory)
{
    size_t length = directory->made[0];
    while (length > 0 && directory->path[length - 1] != '/')
        length--;
    return length == 0 ? strdup(".") : strndup(directory->path, length);
}

/* Each made directory's name stands in its parent: the one above the first, and all but the last. */
static int sync_parents(const struct output_directory *directory)
{
    char *const above = first_parent(directory);
    if (above == NULL) return ENOMEM;
    int error = output_fs_sync_directory_at(AT_FDCWD, above, directory->fd);
    free(above);
    for (size_t i = 0; error == 0 && i + 1 < directory->made_count; i++) {
        char *const path = strndup(directory->path, directory->made[i]);
        if (path == NULL) return ENOMEM;
        error = output_fs_sync_directory_at(AT_FDCWD, path, directory->fd);
        free(path);
    }
    return error;
}

enum status output_directory_sync(const struct output_directory *directory, struct fault *fault)
{
    int error = output_fs_sync_directory(directory->fd);
    if (error == 0 && directory->made_count > 0) error = sync_parents(directory);
    if (error == 0) return STATUS_OK;
    return output_fs_fault(fault, STATUS_IO, error, "fsync of the destination directory", directory->path);
}

void output_directory_remove_made(struct output_directory *directory)
{
    while (directory->made_count > 0) {
        char *const end = directory->path + directory->made[--directory->made_count];
        char const behind = *end;
        *end = '\0';
        bool const removed = rmdir(directory->path) == 0;
        *end = behind;
        if (!removed) directory->made_count = 0; /* in use by others: theirs now, and those above it */
    }
}

void output_directory_close(struct output_directory *directory)
{
    if (directory->fd >= 0) output_fs_close(directory->fd);
    free(directory->path);
    free(directory->made);
    *directory = (struct output_directory){.fd = -1};
}
