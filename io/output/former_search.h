/* former_search.h - looks for former deliveries (former_delivery.h) through a port: a directory, S3.
 *
 * Thread rule: the sink's. Owns nothing beyond each call. */
#ifndef PENSTOCK_IO_OUTPUT_FORMER_SEARCH_H
#define PENSTOCK_IO_OUTPUT_FORMER_SEARCH_H

#include "io/output/former_delivery.h"

struct former_port {
    void *context;
    /* former_seen() for each regular file of that folder ("", or with its last slash), not of those in it. */
    enum status (*list)(void *context, const char *folder, struct former *former, struct fault *fault);
    /* Its first `most` bytes at most; *bytes is malloc'd, and the caller's. NULL: it is not there any more.
     */
    enum status (*read)(void *context, const char *name, size_t most, uint8_t **bytes, size_t *length,
                        struct fault *fault);
};

/* All files of the run were told to former_own(). Fills former->list. STATUS_JOB: something stands there of
 * which it is not known whether it may stay; or the port's. */
enum status former_search(struct former *former, const struct former_port *port, struct fault *fault);

#endif
