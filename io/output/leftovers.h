/* leftovers.h - unfinished files of other runs in a folder: `.NAME.RUNID.tmp` and `.NAME.RUNID.old` beside
 * their final names, which a run that was killed leaves. Looks only.
 *
 * Thread rule: one thread. Owns nothing. */
#ifndef PENSTOCK_IO_OUTPUT_LEFTOVERS_H
#define PENSTOCK_IO_OUTPUT_LEFTOVERS_H

#include "io/output/file_name.h"
#include "io/output/output_directory.h"

#include <stdint.h>

struct leftovers {
    uint64_t count;
    char first[FILE_NAME_SIZE]; /* one of them; "" when there is none */
};

/* Has the name, without folders, the form of an unfinished file's, and of another run's than `run_id` (NULL:
 * of any)? */
bool leftovers_is_one(const char *name, const char *run_id);
/* Adds those of the folder, "" or below the directory. One that can't be read counts as empty: whoever writes
 * there will say so. */
void leftovers_count(const struct output_directory *directory, const char *folder, const char *run_id,
                     struct leftovers *leftovers);
/* Tells the person how many there are in all, and what to do; not when there are none. */
void leftovers_tell(const struct leftovers *leftovers, const struct output_directory *directory,
                    void (*warn)(void *context, const char *message), void *context);

#endif
