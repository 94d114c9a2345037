/* output_check.h - could files be delivered to this directory? Looks only: makes nothing, not for a moment.
 *
 * Thread rule: one thread. Ownership: the struct owns the open directory from open to close. */
#ifndef PENSTOCK_IO_OUTPUT_OUTPUT_CHECK_H
#define PENSTOCK_IO_OUTPUT_OUTPUT_CHECK_H

#include "core/base/status.h"
#include "io/output/output_directory.h"

#include <stdbool.h>

struct output_check {
    struct output_directory directory; /* fd -1: it would be made */
    const char *run_id;                /* borrowed */
    bool replace;
};

/* The directory is there and may be written to, or its nearest parent that is there may be. Statuses as
 * output_directory_open()'s. After a failure nothing is left to close. */
enum status output_check_open(const char *path, const char *run_id, bool replace, struct output_check *check,
                              struct fault *fault);
bool output_check_is_there(const struct output_check *check);
/* May a file of this name, which may have folders, be put there? STATUS_EXISTS, STATUS_JOB; STATUS_IO for
 * rights. */
enum status output_check_name(const struct output_check *check, const char *name, struct fault *fault);
void output_check_close(struct output_check *check); /* zeroed is not fine: fd -1 */

#endif
