/* source_walk.c - see the header. Reentrant. Owns a directory stream for each level that is being walked. */
#include "io/input/source_walk.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- lists of paths ---- */

static enum status no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_IO, "there is no memory for the list of sources: name fewer files");
}

enum status source_paths_add(struct source_paths *paths, struct arena *arena, const char *path, size_t length,
                             struct fault *fault)
{
    if (paths->count == SOURCE_FILES_MAX)
        return fault_set(fault, STATUS_INPUT, "%s: is file number %u; a run takes %u: name fewer files", path,
                         SOURCE_FILES_MAX + 1, SOURCE_FILES_MAX);
    if (paths->count == paths->room) {
        size_t const room = paths->room == 0 ? 64 : 2 * paths->room;
        const char **const items = realloc(paths->items, room * sizeof *items);
        if (items == NULL) return no_memory(fault);
        paths->items = items;
        paths->room = room;
    }
    const char *const copy = arena_text(arena, path, length);
    if (copy == NULL) return no_memory(fault);
    paths->items[paths->count++] = copy;
    return STATUS_OK;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b); /* as unsigned char: byte order */
}

void source_paths_sort(struct source_paths *paths)
{
    if (paths->count > 1) qsort(paths->items, paths->count, sizeof *paths->items, compare_paths);
}

void source_paths_free(struct source_paths *paths)
{
    free(paths->items);
    *paths = (struct source_paths){0};
}

/* ---- directories ---- */

bool source_walk_leaves_out(const char *name)
{
    static const char checksum[] = ".crc";
    size_t const length = strlen(name), tail = sizeof checksum - 1;
    if (name[0] == '.' || name[0] == '_') return true;
    return length > tail && strcmp(name + length - tail, checksum) == 0;
}

/* The directories from the walk's first down to one. */
struct level {
    const struct level *above;
    unsigned depth;
    dev_t device;
    ino_t number;
};

struct walk {
    struct source_paths *paths;
    struct arena *arena;
    struct fault *fault;
};

static bool leads_back(const struct level *level, const struct stat *about)
{
    for (; level != NULL; level = level->above)
        if (level->device == about->st_dev && level->number == about->st_ino) return true;
    return false;
}

static enum status say_unread(const struct walk *walk, const char *path)
{
    bool const is_users =
        errno == EACCES || errno == EPERM || errno == ENOENT || errno == ELOOP || errno == ENAMETOOLONG;
    return fault_set(walk->fault, is_users ? STATUS_NO_SOURCE : STATUS_IO, "%s: can't be read: %s%s", path,
                     strerror(errno), errno == EACCES ? ": grant read permission" : "");
}

static enum status walk_level(const struct walk *walk, const char *path, const struct level *above,
                              const struct stat *about);

/* Recursion by way of walk_level() ends at SOURCE_WALK_DEPTH_MAX. */
static enum status take_entry(const struct walk *walk, const char *path, const struct level *level)
{
    struct stat about;
    if (stat(path, &about) != 0) return say_unread(walk, path);
    if (!S_ISDIR(about.st_mode))
        return source_paths_add(walk->paths, walk->arena, path, strlen(path), walk->fault);
    if (leads_back(level, &about)) return STATUS_OK;
    return walk_level(walk, path, level, &about);
}

static enum status walk_entries(const struct walk *walk, DIR *directory, const char *path,
                                const struct level *level)
{
    size_t const length = strlen(path);
    bool const has_slash = length > 0 && path[length - 1] == '/';
    for (;;) {
        errno = 0;
        const struct dirent *const entry = readdir(directory);
        if (entry == NULL) return errno == 0 ? STATUS_OK : say_unread(walk, path);
        if (source_walk_leaves_out(entry->d_name)) continue;
        size_t const name = strlen(entry->d_name);
        char *const child = malloc(length + 1 + name + 1);
        if (child == NULL) return no_memory(walk->fault);
        memcpy(child, path, length);
        child[length] = '/';
        memcpy(child + length + !has_slash, entry->d_name, name + 1);
        enum status const status = take_entry(walk, child, level);
        free(child);
        if (status != STATUS_OK) return status;
    }
}

static enum status walk_level(const struct walk *walk, const char *path, const struct level *above,
                              const struct stat *about)
{
    struct level const level = {.above = above,
                                .depth = above == NULL ? 1 : above->depth + 1,
                                .device = about->st_dev,
                                .number = about->st_ino};
    if (level.depth > SOURCE_WALK_DEPTH_MAX)
        return fault_set(walk->fault, STATUS_INPUT,
                         "%s: lies more than %u directories deep: name a directory further down", path,
                         SOURCE_WALK_DEPTH_MAX);
    DIR *const directory = opendir(path);
    if (directory == NULL) return say_unread(walk, path);
    enum status const status = walk_entries(walk, directory, path, &level);
    (void)closedir(directory);
    return status;
}

enum status source_walk(const char *directory, struct source_paths *paths, struct arena *arena,
                        struct fault *fault)
{
    struct walk const walk = {.paths = paths, .arena = arena, .fault = fault};
    struct stat about;
    if (stat(directory, &about) != 0) return say_unread(&walk, directory);
    return walk_level(&walk, directory, NULL, &about);
}
