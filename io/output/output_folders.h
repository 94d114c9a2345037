/* output_folders.h - the folders below a destination directory that files of a run stand in: made when
 * missing, made durable, and what was made taken away again.
 *
 * No descriptor is kept: folders are reached through the destination's, by name. A folder that is a symbolic
 * link to one is followed, as it is in the path of the destination itself; what is created, renamed and
 * removed in it is compared by device and inode (output_publish.h).
 *
 * Ownership: the struct owns the list from the first make() to free(); the directory is lent. Thread rule:
 * one thread. */
#ifndef PENSTOCK_IO_OUTPUT_OUTPUT_FOLDERS_H
#define PENSTOCK_IO_OUTPUT_OUTPUT_FOLDERS_H

#include "core/base/status.h"
#include "io/output/output_directory.h"

#include <stdbool.h>
#include <stddef.h>

struct output_folder {
    char *name;   /* below the destination, without a slash at its end; "": the destination */
    bool made;    /* by this run */
    bool used;    /* a file of this run stands in it */
    bool changed; /* names in it came or went since it was synced */
};

struct output_folders {
    const struct output_directory *directory;
    struct output_folder *list; /* in byte order: a folder stands before those in it */
    size_t count, room;
};

/* The folders of the file `name` (checked) are there afterwards (mode 0777 less umask). *first: no file of
 * this run was to stand in its folder before. STATUS_JOB when something else is in the way, STATUS_IO for
 * rights and the like. */
enum status output_folders_make(struct output_folders *folders, const char *name, bool *first,
                                struct fault *fault);
/* A name in the folder of that file came or went. */
void output_folders_note(struct output_folders *folders, const char *name);
/* What was noted, and the names of made folders, are on stable storage; so are the destination's. */
enum status output_folders_sync(struct output_folders *folders, struct fault *fault);
/* Removes the folders that were made, as far as they are empty. */
void output_folders_remove_made(struct output_folders *folders);
void output_folders_free(struct output_folders *folders); /* zeroed is fine */

/* Could the folders of that file be made, or written into? Looks only; statuses as make()'s. */
enum status output_folders_look(const struct output_directory *directory, const char *name,
                                struct fault *fault);

#endif
