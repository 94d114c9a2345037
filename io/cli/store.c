/* store.c - see the header. Thread: main. */
#include "io/cli/store.h"

#include "io/cli/machine.h"
#include "io/cli/signals.h"
#include "io/cli/version.h"
#include "io/http/http.h"
#include "io/s3/s3_engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *environment(void *context, const char *name)
{
    (void)context;
    return getenv(name);
}

enum status store_configure(struct store *store, struct fault *fault)
{
    return aws_config_load(environment, NULL, &store->config, fault);
}

static enum status check_authorities(const char *path, struct fault *fault)
{
    if (path == NULL || access(path, R_OK) == 0) return STATUS_OK;
    return fault_set(fault, STATUS_JOB,
                     "%s: can't be read: %s; AWS_CA_BUNDLE or the profile's ca_bundle names it", path,
                     strerror(errno));
}

enum status store_start(struct store *store, struct fault *fault)
{
    enum status const status = http_global_start(fault);
    if (status != STATUS_OK) return status;
    store->has_http = true;
    return check_authorities(store->config.ca_bundle, fault);
}

void store_close(struct store *store)
{
    aws_config_free(&store->config);
    if (store->has_http) http_global_stop();
    *store = (struct store){.has_http = false};
}

struct s3_client_options store_client(const struct store *store, const char *bucket, struct wait *arrivals)
{
    return (struct s3_client_options){.config = &store->config,
                                      .bucket = bucket,
                                      .addressing = AWS_ADDRESSING_AUTO,
                                      .checksum = CHECKSUM_NONE,
                                      .connections = 1,
                                      .threads = 1,
                                      .user_agent = "penstock/" PENSTOCK_VERSION,
                                      .arrivals = arrivals,
                                      .interrupted = signals_caught,
                                      .now = machine_now,
                                      .wall_milliseconds = machine_wall_milliseconds};
}

void store_for_reading(struct s3_client_options *options, uint32_t connections, size_t receive_buffer)
{
    options->is_source = true;
    options->connections = connections;
    options->threads = (connections + S3_OTHERS_MOST - 1) / S3_OTHERS_MOST;
    options->receive_buffer = receive_buffer;
}

static enum aws_addressing addressing_of(enum job_addressing addressing)
{
    switch (addressing) {
    case JOB_ADDRESSING_AUTO: return AWS_ADDRESSING_AUTO;
    case JOB_ADDRESSING_VIRTUAL: return AWS_ADDRESSING_VIRTUAL;
    case JOB_ADDRESSING_PATH: return AWS_ADDRESSING_PATH;
    }
    return AWS_ADDRESSING_AUTO;
}

void store_as_destination(struct s3_client_options *options, const struct job_destination *destination)
{
    options->region = destination->region;
    options->endpoint = destination->endpoint;
    options->addressing = addressing_of(destination->addressing);
}
