/* s3_port.h - calls to one bucket, one after the other: by a client, or by a test's script.
 *
 * For work that asks a question at a time (s3_probe.h, s3_uploads.h). Thread rule: the client's. */
#ifndef PENSTOCK_IO_S3_S3_PORT_H
#define PENSTOCK_IO_S3_S3_PORT_H

#include "io/s3/s3_client.h"

struct s3_port {
    void *context; /* the client */
    /* As s3_client_run(). */
    enum status (*run)(void *context, struct s3_call *call, bool uninterrupted);
    void (*pause)(void *context, uint32_t ms);
    const char *bucket;         /* for messages */
    const char *expected_owner; /* NULL: not sent */
};

/* Calls through `client`, which is lent. */
struct s3_port s3_port_of(struct s3_client *client, const char *bucket, const char *expected_owner);

/* Runs the call, whose operation is set but for the owner; the fault is the call's when it failed. */
enum status s3_port_run(const struct s3_port *port, struct s3_call *call, bool uninterrupted,
                        struct fault *fault);

#endif
