/* s3_objects.h - the objects of a bucket whose keys begin with a prefix: ListObjectsV2, all pages.
 *
 * Thread rule: with a pump any thread but the one that turns it, with a port the client's. Owns nothing but
 * its calls. */
#ifndef PENSTOCK_IO_S3_S3_OBJECTS_H
#define PENSTOCK_IO_S3_S3_OBJECTS_H

#include "io/s3/s3_port.h"
#include "io/s3/s3_pump.h"

/* Told of each object, in the store's order; its texts are lent. Anything but STATUS_OK ends the listing with
 * that. */
typedef enum status s3_objects_fn(void *context, const struct s3_listed_object *object, struct fault *fault);

struct s3_objects_request {
    struct s3_pump *pump;       /* or: */
    const struct s3_port *port; /* NULL: by the pump */
    const char *bucket;         /* for messages */
    const char *expected_owner; /* NULL: not sent */
    const char *prefix;         /* "": all */
    uint32_t page;   /* entries of a page at most; 0: S3_LIST_MAX, of which one page is in memory */
    bool first_page; /* no more than that */
    bool flat;       /* not those with a slash behind the prefix, as far as the store knows a delimiter */
    /* With pages_most not 0: pages behind the first one, over several lists; counted here, more of them are
     * STATUS_JOB. */
    uint32_t *pages, pages_most;
};

/* STATUS_NO_SOURCE: no such bucket (by the pump); else the call's. No such object is no failure. */
enum status s3_objects_list(const struct s3_objects_request *request, s3_objects_fn *each, void *context,
                            struct fault *fault);

#endif
