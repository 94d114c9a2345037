/* output_directory.h - the destination directory: found or made (with its parents), held open, made durable,
 * and what was made taken away again.
 *
 * Ownership: the struct owns its descriptor and texts from open to close. Thread rule: one thread. */
#ifndef PENSTOCK_IO_OUTPUT_OUTPUT_DIRECTORY_H
#define PENSTOCK_IO_OUTPUT_OUTPUT_DIRECTORY_H

#include "core/base/status.h"

#include <stddef.h>

struct output_directory {
    char *path;   /* as the user wrote it, slashes at the end left out */
    int fd;       /* -1: closed */
    size_t *made; /* lengths of the prefixes of `path` that this run made, shortest first */
    size_t made_count;
};

/* Opens `path`; makes it and its missing parents (mode 0777 less umask). STATUS_JOB when it can't be a
 * directory (a file is in the way, a URL, an empty text); STATUS_IO for rights, a read-only file system and
 * the like. After a failure nothing is left to close and nothing that was made remains. */
enum status output_directory_open(const char *path, struct output_directory *directory, struct fault *fault);

/* The names in the directory, and those of the parents that were made, are on stable storage. */
enum status output_directory_sync(const struct output_directory *directory, struct fault *fault);

/* Removes the directories that open() made, as far as they are empty. */
void output_directory_remove_made(struct output_directory *directory);

void output_directory_close(struct output_directory *directory);

#endif
