/* directory_former.h - former deliveries in a directory's folders (former_delivery.h): found, and their
 * tokens and manifests made ready to be moved aside.
 *
 * Folders and files are reached below the destination's descriptor. A file that may be a manifest is read
 * through a symbolic link, as its importer would; it is the link that goes. What is no regular file, nor a
 * link to one, is passed by.
 *
 * Thread rule: one thread. Ownership: directory_former_free() frees all. */
#ifndef PENSTOCK_IO_OUTPUT_DIRECTORY_FORMER_H
#define PENSTOCK_IO_OUTPUT_DIRECTORY_FORMER_H

#include "io/output/former_delivery.h"
#include "io/output/output_publish.h"

struct directory_former {
    struct former former;
    struct output_file *files; /* one for each of former.list but surplus data files */
    size_t count;              /* of them; behind these in the list stand the surplus ones */
    char *place;
};

/* Names are of this run's files: call former_own() for each of them between start and find. */
enum status directory_former_start(struct directory_former *found, const struct output_directory *directory,
                                   const struct former_rules *rules, struct fault *fault);
/* STATUS_JOB: as former_search(), or a name is too long to be moved aside. STATUS_IO: a folder or a file
 * can't be read. */
enum status directory_former_find(struct directory_former *found, const struct output_target *place,
                                  struct fault *fault);
/* Removes a surplus data file. Something that is no regular file or link is left: STATUS_JOB. */
enum status directory_former_remove(const struct output_target *place, const char *name, struct fault *fault);
void directory_former_free(struct directory_former *found); /* zeroed is fine */

#endif
