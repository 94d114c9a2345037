/* source_walk.h - the data files below a directory.
 *
 * Directories are walked down to the last, symbolic links followed (but for one that leads back up). Left out
 * are what tools put beside data: names that begin with a dot or with `_` (_SUCCESS, _committed_…,
 * _delta_log, _temporary) and checksum files (NAME.crc).
 *
 * Thread rule: reentrant. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_WALK_H
#define PENSTOCK_IO_INPUT_SOURCE_WALK_H

#include "core/base/arena.h"
#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>

/* Directories inside each other: partitioned datasets nest by year, month, day, hour and a few keys. */
#define SOURCE_WALK_DEPTH_MAX 64u
/* Files of a run: each plain one keeps a descriptor, of which Linux gives a process at most 1,048,576
 * (fs.nr_open). */
#define SOURCE_FILES_MAX 1000000u

/* Paths of files, in an arena. Zeroed is empty. */
struct source_paths {
    const char **items; /* malloc'd; the texts lie in the arena */
    size_t count, room;
};

/* Adds a copy of `length` bytes. STATUS_IO: no memory; STATUS_INPUT: more than SOURCE_FILES_MAX. */
enum status source_paths_add(struct source_paths *paths, struct arena *arena, const char *path, size_t length,
                             struct fault *fault);
void source_paths_sort(struct source_paths *paths); /* in byte order */
void source_paths_free(struct source_paths *paths);

/* Is a file or directory of this name one that is left out? `name`: without folders. */
bool source_walk_leaves_out(const char *name);
/* Adds the files below `directory`, in any order; "directory/name", without a second slash. STATUS_NO_SOURCE:
 * it may not be read; STATUS_INPUT: it nests too deep. */
enum status source_walk(const char *directory, struct source_paths *paths, struct arena *arena,
                        struct fault *fault);

#endif
