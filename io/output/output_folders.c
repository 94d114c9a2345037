/* output_folders.c - mkdir -p below an open directory, with a memory. Thread: the one that owns the struct.
 * Owns the list of folders. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* faccessat with AT_EACCESS */
#endif
#include "io/output/output_folders.h"

#include "io/output/output_fs.h"
#include "io/output/output_path.h"
#include "io/output/output_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status folder_fault(const struct output_directory *directory, enum status status, int error,
                                const char *doing, const char *folder, struct fault *fault)
{
    char path[OUTPUT_TEXT_PRINTABLE + OUTPUT_NAME_SIZE]; /* shown cut */
    snprintf(path, sizeof path, "%s/%s", directory->path, folder);
    return output_fs_fault(fault, status, error, doing, path);
}

/* ---- the list ---- */

/* Where the folder stands in the list, or where it belongs. */
static size_t place_of(const struct output_folders *folders, const char *name, bool *is_there)
{
    size_t low = 0, high = folders->count;
    *is_there = false;
    while (low < high) {
        size_t const middle = low + (high - low) / 2;
        int const order = strcmp(folders->list[middle].name, name);
        if (order == 0) *is_there = true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct output_folder *find(const struct output_folders *folders, const char *name)
{
    bool is_there;
    size_t const place = place_of(folders, name, &is_there);
    return is_there ? &folders->list[place] : NULL;
}

static struct output_folder *add(struct output_folders *folders, const char *name)
{
    if (folders->count == folders->room) {
        size_t const room = folders->room == 0 ? 8 : 2 * folders->room;
        struct output_folder *const list = reallocarray(folders->list, room, sizeof *list);
        if (list == NULL) return NULL;
        folders->list = list;
        folders->room = room;
    }
    char *const kept = strdup(name);
    if (kept == NULL) return NULL;
    bool is_there;
    size_t const place = place_of(folders, name, &is_there);
    struct output_folder *const folder = &folders->list[place];
    memmove(folder + 1, folder, (folders->count++ - place) * sizeof *folder);
    *folder = (struct output_folder){.name = kept};
    return folder;
}

/* Cuts a name to what it stands in: "a/b/c" to "a/b", "a" to "". */
static void cut_last(char *name)
{
    size_t const folders = output_path_folders(name);
    name[folders == 0 ? 0 : folders - 1] = '\0';
}

static struct output_folder *folder_of(const struct output_folders *folders, const char *name)
{
    char folder[OUTPUT_NAME_SIZE];
    snprintf(folder, sizeof folder, "%s", name);
    cut_last(folder);
    return find(folders, folder);
}

void output_folders_note(struct output_folders *folders, const char *name)
{
    struct output_folder *const folder = folder_of(folders, name);
    if (folder != NULL) folder->changed = true;
}

/* ---- making ---- */

/* Some file systems look at rights before they look whether the folder is there: any error is forgiven when
 * it is. */
static int make_one(int directory, const char *name, bool *made)
{
    struct stat found;
    *made = mkdirat(directory, name, 0777) == 0;
    if (*made) return 0;
    int const error = errno;
    if (fstatat(directory, name, &found, 0) == 0) return S_ISDIR(found.st_mode) ? 0 : ENOTDIR;
    return error == EEXIST ? errno : error; /* EEXIST: a link to nowhere */
}

/* The folder, "" among them, is there and in the list. Those above it are already. */
static enum status see_to(struct output_folders *folders, const char *name, struct fault *fault)
{
    if (find(folders, name) != NULL) return STATUS_OK;
    bool made = false;
    int const error = name[0] == '\0' ? 0 : make_one(folders->directory->fd, name, &made);
    if (error != 0)
        return folder_fault(folders->directory, output_fs_place_status(error), error, "making the folder",
                            name, fault);
    struct output_folder *const folder = add(folders, name);
    if (folder == NULL) {
        if (made) unlinkat(folders->directory->fd, name, AT_REMOVEDIR);
        return fault_set(fault, STATUS_IO, "destination directory: no memory left for the list of folders");
    }
    folder->made = made;
    if (made) output_folders_note(folders, name);
    return STATUS_OK;
}

enum status output_folders_make(struct output_folders *folders, const char *name, bool *first,
                                struct fault *fault)
{
    char folder[OUTPUT_NAME_SIZE] = "";
    enum status status = see_to(folders, folder, fault);
    for (const char *slash = strchr(name, '/'); slash != NULL && status == STATUS_OK;
         slash = strchr(slash + 1, '/')) {
        size_t const length = (size_t)(slash - name);
        memcpy(folder, name, length);
        folder[length] = '\0';
        status = see_to(folders, folder, fault);
    }
    if (status != STATUS_OK) return status;
    struct output_folder *const last = find(folders, folder);
    *first = !last->used;
    last->used = true;
    return STATUS_OK;
}

/* ---- syncing, taking away ---- */

enum status output_folders_sync(struct output_folders *folders, struct fault *fault)
{
    int const directory = folders->directory->fd;
    for (size_t i = folders->count; i > 0; i--) { /* what is in a folder, then the folder's name */
        struct output_folder *const folder = &folders->list[i - 1];
        if (!folder->changed || folder->name[0] == '\0') continue;
        int const error = output_fs_sync_directory_at(directory, folder->name, directory);
        if (error != 0)
            return folder_fault(folders->directory, STATUS_IO, error, "fsync of the folder", folder->name,
                                fault);
        folder->changed = false;
    }
    return output_directory_sync(folders->directory, fault);
}

void output_folders_remove_made(struct output_folders *folders)
{
    for (size_t i = folders->count; i > 0; i--) { /* inner ones first; what others use is theirs now */
        struct output_folder *const folder = &folders->list[i - 1];
        if (folder->made) unlinkat(folders->directory->fd, folder->name, AT_REMOVEDIR);
        folder->made = false;
    }
}

void output_folders_free(struct output_folders *folders)
{
    for (size_t i = 0; i < folders->count; i++)
        free(folders->list[i].name);
    free(folders->list);
    *folders = (struct output_folders){.directory = folders->directory};
}

/* ---- looking ---- */

enum status output_folders_look(const struct output_directory *directory, const char *name,
                                struct fault *fault)
{
    char folder[OUTPUT_NAME_SIZE];
    struct stat found;
    snprintf(folder, sizeof folder, "%s", name);
    int error;
    do { /* up to the nearest one that is there: the destination at last */
        cut_last(folder);
        if (folder[0] == '\0') return STATUS_OK;
        error = fstatat(directory->fd, folder, &found, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
    } while (error == ENOENT);
    if (error == 0 && fstatat(directory->fd, folder, &found, 0) != 0) error = errno;
    if (error == 0 && !S_ISDIR(found.st_mode)) error = ENOTDIR;
    if (error == 0 && faccessat(directory->fd, folder, W_OK | X_OK, AT_EACCESS) != 0) error = errno;
    if (error == 0) return STATUS_OK;
    return folder_fault(directory, output_fs_place_status(error), error, "files are to be put into it",
                        folder, fault);
}
