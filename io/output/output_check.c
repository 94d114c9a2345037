/* output_check.c - looks at a destination directory. Thread: the one that owns the struct. Owns the
 * directory's descriptor. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* faccessat with AT_EACCESS */
#endif
#include "io/output/output_check.h"

#include "io/output/file_name.h"
#include "io/output/output_folders.h"
#include "io/output/output_fs.h"
#include "io/output/output_path.h"
#include "io/output/output_publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* RFC 3986, 3.1; output_directory_open() refuses them. */
static bool is_url(const char *path)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t const length = strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
    return length > 0 && strchr(letters, path[0]) != NULL && strncmp(path + length, "://", 3) == 0;
}

/* Is there no such directory, so that an export would make it? Everything else, a URL and an empty text among
 * it, is output_directory_open()'s to judge, which makes nothing then. */
static bool would_be_made(const char *path)
{
    struct stat found;
    if (path[0] == '\0' || is_url(path)) return false;
    return lstat(path, &found) != 0 && errno == ENOENT;
}

/* Cuts the path to what stands before its last part: "a/b" to "a", "a" to ".", "/a" to "/". */
static void cut_last(char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    while (length > 0 && path[length - 1] != '/')
        length--;
    while (length > 1 && path[length - 1] == '/')
        length--;
    if (length == 0) path[length++] = '.';
    path[length] = '\0';
}

/* The kernel would say so at the first part that can't be made. */
static bool has_long_part(const char *path)
{
    for (; *path != '\0'; path += *path == '/') {
        size_t const length = strcspn(path, "/");
        if (length > FILE_NAME_BYTES_MAX) return true;
        path += length;
    }
    return false;
}

static int look_at_parent(char *path)
{
    struct stat found;
    if (has_long_part(path)) return ENAMETOOLONG;
    do {
        cut_last(path); /* ends at "." or "/" */
    } while (lstat(path, &found) != 0 && errno == ENOENT);
    if (stat(path, &found) != 0) return errno;
    if (!S_ISDIR(found.st_mode)) return ENOTDIR;
    return faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

enum status output_check_open(const char *path, const char *run_id, bool replace, struct output_check *check,
                              struct fault *fault)
{
    *check = (struct output_check){.directory = {.fd = -1}, .run_id = run_id, .replace = replace};
    if (!would_be_made(path)) return output_directory_open(path, &check->directory, fault);
    char *const parent = strdup(path);
    int const error = parent == NULL ? ENOMEM : look_at_parent(parent);
    enum status status = STATUS_OK;
    if (error != 0)
        status =
            output_fs_fault(fault, output_fs_place_status(error), error,
                            "the destination directory is to be made in it", parent == NULL ? path : parent);
    free(parent);
    return status;
}

bool output_check_is_there(const struct output_check *check)
{
    return check->directory.fd >= 0;
}

enum status output_check_name(const struct output_check *check, const char *name, struct fault *fault)
{
    struct output_target const place = {
        .directory = &check->directory, .run_id = check->run_id, .replace = check->replace};
    enum status status = output_path_check(name, check->run_id, fault);
    if (status != STATUS_OK || !output_check_is_there(check)) return status;
    status = output_folders_look(&check->directory, name, fault);
    return status == STATUS_OK ? output_publish_check(&place, name, fault) : status;
}

void output_check_close(struct output_check *check)
{
    output_directory_close(&check->directory);
}
