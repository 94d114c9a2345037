/* run_objects.h - how a run gets at sources on S3: a client for each bucket, a thread that turns their pumps,
 * and what fetches objects through them.
 *
 * Endpoint, region and addressing are those of the environment and the profile, as for every AWS tool; where
 * these name no endpoint, or the same, the job's destination says them. The destination's account is not
 * asked for: a source may be another's.
 *
 * `--connections` is for both directions: sources get half of them when the destination is on S3, too.
 *
 * Thread rule: main. Owns all that it opens; a zeroed struct is one without such sources. */
#ifndef PENSTOCK_IO_CLI_RUN_OBJECTS_H
#define PENSTOCK_IO_CLI_RUN_OBJECTS_H

#include "core/base/limits.h"
#include "core/flow/wait.h"
#include "io/cli/store.h"
#include "io/fetch/fetch.h"
#include "io/job/job.h"
#include "io/s3/s3_client.h"
#include "io/s3/s3_tender.h"

struct track;

/* Memory limit from which on connections have large buffers: 25 of them take a fiftieth of it. */
#define RUN_OBJECTS_ROOMY (256 * LIMIT_MIB)
/* Buckets of one run: each has a client, with threads and connections of its own. */
#define RUN_OBJECTS_BUCKETS_MAX 16u

struct run_objects {
    struct store store;
    struct wait arrivals;
    bool has_wait;
    uint32_t connections;  /* over all buckets */
    size_t receive_buffer; /* of each */
    uint32_t count;
    char *names[RUN_OBJECTS_BUCKETS_MAX];
    struct s3_client *clients[RUN_OBJECTS_BUCKETS_MAX];
    struct s3_pump *pumps[RUN_OBJECTS_BUCKETS_MAX];
    struct fetch_bucket buckets[RUN_OBJECTS_BUCKETS_MAX];
    struct s3_tender *tender;
    struct fetch *fetch; /* NULL: no source is on S3 */
    struct fetch_plan plan;
};

struct run_objects_request {
    const char *const *paths; /* of all sources */
    size_t count;
    uint32_t connections; /* --connections; 0: derive */
    uint64_t memory;      /* --memory-limit */
    bool shared;          /* the destination is on S3 */
    const struct job_destination *destination;
    /* Tracks of so many threads of a client, for as long as it lives; may give NULL (run_tracks.h). */
    struct track *(*make_tracks)(void *context, uint32_t threads);
    void *context;
};

/* Nothing, when no path is an S3 URL. STATUS_USAGE: a bad URL, too few connections; STATUS_NO_SOURCE: no such
 * bucket; else the client's. */
enum status run_objects_open(struct run_objects *objects, const struct run_objects_request *request,
                             struct fault *fault);
/* What is left of --connections for the upload; 0 stays 0. */
uint32_t run_objects_spare(const struct run_objects *objects, uint32_t connections);
/* NULL: no source is on S3. */
const struct source_remote *run_objects_port(const struct run_objects *objects);
/* Adds what the clients count. */
void run_objects_stats(const struct run_objects *objects, struct s3_client_stats *stats);
void run_objects_stop(struct run_objects *objects);  /* nothing is fetched any more */
void run_objects_close(struct run_objects *objects); /* when the sources are closed */

#endif
