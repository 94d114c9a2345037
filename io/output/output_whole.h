/* output_whole.h - a file beside the delivery (report, trace) that appears whole, and replaces only its like.
 *
 * It is written under a temporary name and renamed over what was there (symbolic links are followed, also to
 * where nothing is yet); into a pipe or device as it is, but not into a pipe that nobody has open for reading
 * by then; "-" is standard output. All such files begin alike: what is there and is neither empty nor one of
 * them belongs to somebody else, and is not replaced.
 *
 * Thread rule: one thread. No state. */
#ifndef PENSTOCK_IO_OUTPUT_OUTPUT_WHOLE_H
#define PENSTOCK_IO_OUTPUT_OUTPUT_WHOLE_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stdio.h>

struct output_whole {
    const char *path;
    const char *run_id;  /* of the temporary name */
    const char *kind;    /* for messages: "report" */
    const char *setting; /* where another path can be given: "--report" */
    const char *first;   /* what every file of the kind begins with */
    bool sync;           /* its bytes are on stable storage before it appears */
};

/* Writes what `put` prints; `put` says false when it has no memory. `more` ends the message of a file that is
 * not replaced. STATUS_IO: nothing was written, and what was there stays. */
enum status output_whole_write(const struct output_whole *whole, bool (*put)(FILE *out, void *context),
                               void *context, const char *more, struct fault *fault);
/* Can it be written later? STATUS_USAGE for a file that is not of the kind, else STATUS_IO. */
enum status output_whole_check(const struct output_whole *whole, struct fault *fault);

#endif
