/* verify_reach.h - how `verify` gets at what it reads: files of this machine, or a client of S3, its pump and
 * the crew.
 *
 * Endpoint, region and all else of S3 come from the job's destination when there is one, else from the
 * environment and the profile, as for `cleanup`. Thread: main. Owns all of it. */
#ifndef PENSTOCK_IO_CLI_VERIFY_REACH_H
#define PENSTOCK_IO_CLI_VERIFY_REACH_H

#include "core/flow/wait.h"
#include "io/cli/store.h"
#include "io/job/job.h"
#include "io/s3/s3_client.h"
#include "io/s3/s3_url.h"
#include "io/verify/verify_crew.h"
#include "io/verify/verify_source.h"

struct verify_reach {
    bool is_s3;
    const char *manifest;         /* path, or key; lives in `url` or is the caller's */
    char root[S3_BUCKET_MAX + 8]; /* "s3://bucket/", or "" */
    struct s3_url url;
    const char *expected_owner;
    struct store store;
    struct wait arrivals;
    bool has_wait;
    struct s3_client *client;
    struct s3_pump *pump;
    struct verify_crew crew;
};

/* `job` may be NULL. STATUS_USAGE: no such URL; STATUS_NO_SOURCE: no such bucket; else the client's. */
enum status verify_reach_open(struct verify_reach *reach, const char *url, const struct job *job,
                              uint32_t connections, struct fault *fault);
void verify_reach_close(struct verify_reach *reach); /* zeroed is fine */

/* One more source; of S3 with `ahead` ranges of `range_bytes`. NULL: no memory. */
struct verify_source *verify_reach_source(struct verify_reach *reach, size_t range_bytes, uint32_t ahead,
                                          struct fault *fault);

struct verify_text {
    uint8_t *bytes; /* NULL: none */
    size_t length;
};

/* A whole small file at `place`. STATUS_NO_SOURCE: it is missing, may not be read, or is none; STATUS_IO: it
 * has more than `most` bytes, or reading failed; S3's statuses. */
enum status verify_reach_read(struct verify_reach *reach, const char *place, size_t most,
                              struct verify_text *text, struct fault *fault);
/* The same of a local path, whatever the reach. */
enum status verify_text_load(const char *path, size_t most, struct verify_text *text, struct fault *fault);
void verify_text_free(struct verify_text *text); /* zeroed is fine */

#endif
