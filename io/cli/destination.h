/* destination.h - where a run delivers to: a URL becomes a sink.
 *
 *   destination_read()  what kind it is: a directory, null:, or s3://bucket/prefix/ with the configuration
 *   destination_plan()  what an upload takes of the memory limit (S3 only)
 *   destination_open()  the sink; of S3: credentials, region, bucket and the uploader threads before it
 *
 * Thread rule: main. Owns what it opens; the job outlives it. */
#ifndef PENSTOCK_IO_CLI_DESTINATION_H
#define PENSTOCK_IO_CLI_DESTINATION_H

#include "core/flow/sink.h"
#include "core/flow/wait.h"
#include "io/cli/log.h"
#include "io/cli/store.h"
#include "io/job/job.h"
#include "io/output/former_delivery.h"
#include "io/s3/s3_client.h"
#include "io/s3/s3_plan.h"
#include "io/s3/s3_url.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum destination_kind { DESTINATION_DIRECTORY, DESTINATION_NULL, DESTINATION_S3 };

/* Random, in hex: tells our objects from another's of the same name. */
#define DESTINATION_TOKEN_SIZE 33u

struct destination {
    enum destination_kind kind;
    const char *url; /* as given */
    const struct job *job;
    const char *run_id;
    const struct log *logger;
    struct former_rules former; /* for destination_open(): of the deliveries that it may replace */
    struct sink *sink;
    /* S3 only */
    struct s3_url place;
    struct store store;
    struct s3_plan plan;
    struct track *tracks; /* of the client's threads; NULL: none */
    struct s3_client *client;
    struct aws_pair metadata[2], *tags;
    char token[DESTINATION_TOKEN_SIZE];
};

/* `job` has the keys beside the URL; `url_is_jobs`: it stands in the job file (which decides the status of a
 * bad one). */
enum status destination_read(struct destination *destination, const char *url, bool url_is_jobs,
                             const struct job *job, const char *run_id, const struct log *logger,
                             struct fault *fault);
/* Which checksum the converters make of what they write. */
enum checksum_kind destination_checksum(const struct destination *destination);
/* Files of rows that a run of this job writes at once: one for each segment with segments.split, times
 * files.count. */
uint32_t destination_open_files(const struct job *job);
/* The plan of an upload within `memory` bytes; `least` as s3_plan_make() says. Only for S3. */
enum status destination_plan(struct destination *destination, uint64_t memory, uint32_t connections,
                             uint64_t part_size, uint64_t input_bytes, uint64_t *least, struct fault *fault);
/* The client of an S3 destination, without the sink; destination_open() calls it. For `check`. */
enum status destination_connect(struct destination *destination, bool probe, struct wait *arrivals,
                                struct fault *fault);
/* How objects are created: options of the job, and where they come from. The texts live as long as the
 * destination. */
enum status destination_describe_objects(struct destination *destination, struct s3_object_options *object,
                                         struct fault *fault);
enum status destination_open(struct destination *destination, size_t chunk_bytes, struct wait *arrivals,
                             struct fault *fault);
void destination_close(struct destination *destination); /* zeroed is fine */

#endif
