/* run_objects.c - see the header. Thread: main. Owns clients, pumps, tender and fetch. */
#include "io/cli/run_objects.h"

#include "io/cli/machine.h"
#include "io/cli/signals.h"
#include "io/s3/s3_plan.h"

#include <stdlib.h>
#include <string.h>

/* ---- which buckets ---- */

static enum status note_bucket(struct run_objects *objects, const char *path, struct fault *fault)
{
    struct s3_url url;
    enum status const status = s3_url_parse(path, &url, fault);
    if (status != STATUS_OK) return status;
    for (uint32_t i = 0; i < objects->count; i++)
        if (strcmp(objects->names[i], url.bucket) == 0) return STATUS_OK;
    if (objects->count == RUN_OBJECTS_BUCKETS_MAX)
        return fault_set(fault, STATUS_USAGE, "%s: is in bucket number %u; a run reads from %u: name fewer",
                         path, RUN_OBJECTS_BUCKETS_MAX + 1, RUN_OBJECTS_BUCKETS_MAX);
    objects->names[objects->count] = strdup(url.bucket);
    if (objects->names[objects->count] == NULL)
        return fault_set(fault, STATUS_IO, "%s: no memory to open it", path);
    objects->count++;
    return STATUS_OK;
}

static enum status share_connections(struct run_objects *objects, const struct run_objects_request *request,
                                     struct fault *fault)
{
    uint32_t const asked = request->connections;
    objects->connections = asked == 0 ? S3_CONNECTIONS_DEFAULT : asked;
    if (asked == 0 || !request->shared) return STATUS_OK;
    objects->connections = asked / 2;
    return asked >= 2
               ? STATUS_OK
               : fault_set(fault, STATUS_USAGE,
                           "--connections: %u is too few to read from S3 and write to it; 2 are the least",
                           asked);
}

uint32_t run_objects_spare(const struct run_objects *objects, uint32_t connections)
{
    return objects->fetch == NULL || connections == 0 ? connections : connections - objects->connections;
}

/* ---- clients ---- */

/* The environment's store is the destination's when they don't name two: the job's words hold for both then.
 * Its region does when it names the endpoint, too, or when nobody else names a region; AWS has many, and the
 * bucket says which. */
static void describe_store(const struct run_objects *objects, const struct job_destination *destination,
                           struct s3_client_options *options)
{
    const char *const ours = objects->store.config.endpoint_url, *const jobs = destination->endpoint;
    if (ours != NULL && jobs != NULL && strcmp(ours, jobs) != 0) return;
    store_as_destination(options, destination);
    bool const is_aws = ours == NULL && jobs == NULL;
    if (is_aws || (jobs == NULL && objects->store.config.region != NULL)) options->region = NULL;
}

static enum status open_bucket(struct run_objects *objects, uint32_t i,
                               const struct run_objects_request *request, struct fault *fault)
{
    uint32_t const share = objects->connections / objects->count;
    struct s3_client_options options = store_client(&objects->store, objects->names[i], &objects->arrivals);
    store_for_reading(&options, share == 0 ? 1 : share, objects->receive_buffer);
    describe_store(objects, request->destination, &options);
    options.tracks = request->make_tracks(request->context, options.threads);
    objects->clients[i] = s3_client_create(&options, false, fault);
    if (objects->clients[i] == NULL) return fault->status;
    objects->pumps[i] = s3_pump_create(objects->clients[i], &objects->arrivals);
    if (objects->pumps[i] == NULL) return fault_set(fault, STATUS_IO, "no memory to read from S3");
    objects->buckets[i] = (struct fetch_bucket){.name = objects->names[i], .pump = objects->pumps[i]};
    return STATUS_OK;
}

static enum status open_store(struct run_objects *objects, struct fault *fault)
{
    enum status status = store_configure(&objects->store, fault);
    if (status == STATUS_OK) status = store_start(&objects->store, fault);
    if (status != STATUS_OK) return status;
    objects->has_wait = wait_init(&objects->arrivals);
    return objects->has_wait ? STATUS_OK : fault_set(fault, STATUS_IO, "no memory to wait with");
}

static enum status start_fetching(struct run_objects *objects, struct fault *fault)
{
    struct s3_tender_options const tender = {.pumps = objects->pumps,
                                             .count = objects->count,
                                             .arrivals = &objects->arrivals,
                                             .interrupted = signals_caught,
                                             .now = machine_now};
    struct fetch_options const fetch = {.buckets = objects->buckets,
                                        .bucket_count = objects->count,
                                        .heads = objects->connections,
                                        .prepare = machine_prepare_memory,
                                        .now = machine_now};
    objects->tender = s3_tender_start(&tender, fault);
    if (objects->tender == NULL) return fault->status;
    objects->fetch = fetch_create(&fetch, fault);
    return objects->fetch == NULL ? fault->status : STATUS_OK;
}

enum status run_objects_open(struct run_objects *objects, const struct run_objects_request *request,
                             struct fault *fault)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < request->count && status == STATUS_OK; i++)
        if (fetch_is_path(request->paths[i])) status = note_bucket(objects, request->paths[i], fault);
    if (status != STATUS_OK || objects->count == 0) return status;
    objects->receive_buffer = request->memory < RUN_OBJECTS_ROOMY ? S3_RECEIVE_SMALL : S3_RECEIVE_LARGE;
    status = share_connections(objects, request, fault);
    if (status == STATUS_OK) status = open_store(objects, fault);
    for (uint32_t i = 0; i < objects->count && status == STATUS_OK; i++)
        status = open_bucket(objects, i, request, fault);
    return status == STATUS_OK ? start_fetching(objects, fault) : status;
}

/* ---- use ---- */

const struct source_remote *run_objects_port(const struct run_objects *objects)
{
    return objects->fetch == NULL ? NULL : fetch_port(objects->fetch);
}

void run_objects_stats(const struct run_objects *objects, struct s3_client_stats *stats)
{
    for (uint32_t i = 0; i < objects->count; i++) {
        struct s3_client_stats of = {0};
        if (objects->clients[i] == NULL) continue;
        s3_client_stats(objects->clients[i], &of);
        stats->retries += of.retries;
        stats->throttles += of.throttles;
    }
}

void run_objects_stop(struct run_objects *objects)
{
    s3_tender_stop(objects->tender);
    objects->tender = NULL;
}

void run_objects_close(struct run_objects *objects)
{
    run_objects_stop(objects);
    fetch_destroy(objects->fetch);
    for (uint32_t i = 0; i < objects->count; i++) {
        s3_pump_destroy(objects->pumps[i]);
        s3_client_destroy(objects->clients[i]);
        free(objects->names[i]);
    }
    store_close(&objects->store);
    if (objects->has_wait) wait_destroy(&objects->arrivals);
    *objects = (struct run_objects){.count = 0};
}
