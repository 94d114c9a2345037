/* s3_client_inside.h - struct s3_client, for the files that make it up, and its making with other limits, for
 * tests. Private to io/s3's client. */
#ifndef PENSTOCK_IO_S3_S3_CLIENT_INSIDE_H
#define PENSTOCK_IO_S3_S3_CLIENT_INSIDE_H

#include "io/s3/s3_engine.h"

struct s3_calls { /* by call->next */
    struct s3_call *first, *last;
};

struct s3_client {
    struct s3_shared shared;
    struct s3_engine *engines[S3_ENGINES_MAX]; /* shared.engines of them */
    uint32_t inside[S3_ENGINES_MAX];           /* calls given and not taken back; at most S3_ENGINE_CALLS */
    struct s3_calls overflow;                  /* no engine has room */
    struct s3_calls ready;                     /* to be reaped */
    size_t out;
    struct s3_endpoint *shown; /* a copy for s3_client_endpoint() */
};

struct s3_client *s3_client_create_with(const struct s3_client_options *options,
                                        const struct s3_limits *limits, bool probe, struct fault *fault);

#endif
