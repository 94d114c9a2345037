/* destination.c - composes a sink of the parts in io/output, io/s3 and io/aws. Thread: main. Owns the sink,
 * the client and the AWS configuration. */
#include "io/cli/destination.h"

#include "core/flow/chunk.h"
#include "io/cli/machine.h"
#include "io/cli/signals.h"
#include "io/cli/version.h"
#include "io/output/sink_directory.h"
#include "io/output/sink_null.h"
#include "io/output/sink_s3.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static enum status read_place(struct destination *destination, bool url_is_jobs, struct fault *fault)
{
    struct fault found;
    enum status const status = s3_url_parse_folder(destination->url, &destination->place, &found);
    if (status == STATUS_OK) return store_configure(&destination->store, fault);
    if (!url_is_jobs) return fault_set(fault, status, "--to: %s", found.message);
    return fault_set(fault, STATUS_JOB, "%s: destination.url: %s", destination->job->file, found.message);
}

enum status destination_read(struct destination *destination, const char *url, bool url_is_jobs,
                             const struct job *job, const char *run_id, const struct log *logger,
                             struct fault *fault)
{
    *destination = (struct destination){.url = url, .job = job, .run_id = run_id, .logger = logger};
    if (strncasecmp(url, "s3:", 3) == 0 && !s3_url_is(url))
        return fault_set(fault, url_is_jobs ? STATUS_JOB : STATUS_USAGE,
                         "%s%s: is no S3 URL; s3://bucket/prefix/ is (or ./%s for a directory of that name)",
                         url_is_jobs ? "destination.url: " : "--to: ", url, url);
    if (strcmp(url, "null:") == 0)
        destination->kind = DESTINATION_NULL;
    else
        destination->kind = s3_url_is(url) ? DESTINATION_S3 : DESTINATION_DIRECTORY;
    return destination->kind == DESTINATION_S3 ? read_place(destination, url_is_jobs, fault) : STATUS_OK;
}

/* The report has the sum of local files too; null: measures the rest. */
enum checksum_kind destination_checksum(const struct destination *destination)
{
    switch (destination->kind) {
    case DESTINATION_DIRECTORY: return CHECKSUM_CRC64NVME;
    case DESTINATION_NULL: return CHECKSUM_NONE;
    case DESTINATION_S3: break;
    }
    /* A store that knows no checksums: the report has one all the same. */
    enum checksum_kind const kind = destination->job->destination.checksum;
    return kind == CHECKSUM_NONE ? CHECKSUM_CRC64NVME : kind;
}

/* What a chunk takes beside its bytes: its row ends (4 bytes for CHUNK_BYTES_PER_ROW), its padding, its
 * struct. */
#define HOLD_PERCENT 126u
_Static_assert(100 * (sizeof(struct chunk) + 64) / CHUNK_BYTES_MIN < 1 && 400 / CHUNK_BYTES_PER_ROW == 25,
               "HOLD_PERCENT is what chunk_memory() says");

/* With deduplication also marks of its rows, in percent rounded up. */
static uint32_t mark_percent(const struct mapping *mapping)
{
    size_t const bytes = chunk_mark_room(CHUNK_BYTES_MIN) * sizeof(uint32_t);
    if (mapping->identity.deduplicate != IDENTITY_KEEP_LATEST) return 0;
    return (uint32_t)((100 * bytes + CHUNK_BYTES_MIN - 1) / CHUNK_BYTES_MIN);
}

/* The compressor's blocks are full, and have but a small struct beside them. */
#define HOLD_PERCENT_PACKED 101u

/* With several streams also its runs, in percent rounded up. */
static uint32_t run_percent(const struct segments *segments)
{
    uint32_t const streams = segments->split ? (uint32_t)segments->count : 1;
    size_t const bytes = chunk_run_room(streams) * sizeof(struct chunk_run);
    return (uint32_t)((100 * bytes + CHUNK_BYTES_MIN - 1) / CHUNK_BYTES_MIN);
}

_Static_assert(S3_PLAN_FILES_MAX == S3_FILES_MAX, "what is planned for is what the sink takes");

/* The sink's memory at these sizes; its chunks are the smallest (pipeline_size). */
static uint64_t sink_memory(uint64_t part_size, uint32_t connections, uint32_t open_files)
{
    struct sink_s3_options const options = {.part_size = part_size,
                                            .connections = connections,
                                            .open_files = open_files,
                                            .chunk_bytes = CHUNK_BYTES_MIN};
    return sink_s3_memory(&options);
}

uint32_t destination_open_files(const struct job *job)
{
    uint64_t const streams = job->mapping.segments.split ? job->mapping.segments.count : 1;
    uint64_t const files = streams * (job->file_count == 0 ? 1 : job->file_count);
    return files < UINT32_MAX ? (uint32_t)files : UINT32_MAX;
}

/* Even files share the input; of segments each may get all of it. 0: not known. */
static uint64_t largest_file(const struct job *job, uint64_t input_bytes)
{
    if (job->max_bytes != 0) return job->max_bytes;
    uint32_t const even = job->file_count == 0 ? 1 : job->file_count;
    return input_bytes / even + (input_bytes % even != 0);
}

enum status destination_plan(struct destination *destination, uint64_t memory, uint32_t connections,
                             uint64_t part_size, uint64_t input_bytes, uint64_t *least, struct fault *fault)
{
    bool const packed = destination->job->compression != JOB_COMPRESSION_NONE;
    const struct mapping *const mapping = &destination->job->mapping;
    uint32_t const percent = HOLD_PERCENT + run_percent(&mapping->segments) + mark_percent(mapping);
    struct s3_plan_request const request = {.memory = memory,
                                            .part_size = part_size,
                                            .connections = connections,
                                            .open_files = destination_open_files(destination->job),
                                            .largest = largest_file(destination->job, input_bytes),
                                            .hold_percent = packed ? HOLD_PERCENT_PACKED : percent,
                                            .beside = sink_memory};
    return s3_plan_make(&request, &destination->plan, least, fault);
}

static void make_token(struct destination *destination)
{
    char half[17];
    machine_run_id(half);
    memcpy(destination->token, half, 16);
    machine_run_id(half);
    memcpy(destination->token + 16, half, sizeof half);
}

enum status destination_connect(struct destination *destination, bool probe, struct wait *arrivals,
                                struct fault *fault)
{
    const struct job_destination *const job = &destination->job->destination;
    enum status const status = store_start(&destination->store, fault);
    if (status != STATUS_OK) return status;
    struct s3_client_options options = store_client(&destination->store, destination->place.bucket, arrivals);
    store_as_destination(&options, job);
    options.expected_owner = job->account_id;
    options.checksum = job->checksum;
    options.connections = destination->plan.connections;
    options.threads = destination->plan.threads;
    options.tracks = destination->tracks;
    destination->client = s3_client_create(&options, probe, fault);
    return destination->client == NULL ? fault->status : STATUS_OK;
}

static void warn(void *context, const char *message)
{
    const struct destination *const destination = context;
    log_error(destination->logger, "%s",
              message); /* uploads that are left cost money: said with --quiet too */
}

enum status destination_describe_objects(struct destination *destination, struct s3_object_options *object,
                                         struct fault *fault)
{
    const struct job_destination *job = &destination->job->destination;
    destination->metadata[0] = (struct aws_pair){"penstock-version", PENSTOCK_VERSION};
    destination->metadata[1] = (struct aws_pair){"penstock-run-id", destination->run_id};
    destination->tags = calloc(job->tag_count + 1, sizeof *destination->tags);
    if (destination->tags == NULL) return fault_set(fault, STATUS_IO, "no memory for the tags");
    for (size_t i = 0; i < job->tag_count; i++)
        destination->tags[i] = (struct aws_pair){job->tags[i].name, job->tags[i].value};
    /* No Content-Encoding: clients would undo it unasked, and find other bytes than the manifest says. */
    static const char *const types[] = {[JOB_COMPRESSION_NONE] = "text/csv; charset=utf-8",
                                        [JOB_COMPRESSION_GZIP] = "application/gzip",
                                        [JOB_COMPRESSION_ZSTD] = "application/zstd"};
    *object = (struct s3_object_options){.content_type = types[destination->job->compression],
                                         .sse = job->sse,
                                         .kms_key_id = job->kms_key_id,
                                         .storage_class = job->storage_class,
                                         .acl = job->acl,
                                         .tags = destination->tags,
                                         .tag_count = job->tag_count,
                                         .metadata = destination->metadata,
                                         .metadata_count = 2};
    return STATUS_OK;
}

static enum status open_s3(struct destination *destination, size_t chunk_bytes, struct wait *arrivals,
                           struct fault *fault)
{
    const struct job_destination *job = &destination->job->destination;
    struct s3_object_options object;
    enum status status = destination_connect(destination, false, arrivals, fault);
    if (status == STATUS_OK) status = destination_describe_objects(destination, &object, fault);
    if (status != STATUS_OK) return status;
    make_token(destination);
    struct sink_s3_options const options = {.client = destination->client,
                                            .bucket = destination->place.bucket,
                                            .prefix = destination->place.key,
                                            .token = destination->token,
                                            .replace = job->if_exists == JOB_EXISTS_REPLACE,
                                            .former = destination->former,
                                            .checksum = job->checksum,
                                            .object = object,
                                            .expected_owner = job->account_id,
                                            .part_size = destination->plan.part_size,
                                            .hold = destination->plan.hold,
                                            .fill = destination->plan.fill,
                                            .open_files = destination->plan.open_files,
                                            .connections = destination->plan.connections,
                                            .chunk_bytes = chunk_bytes,
                                            .interrupted = signals_caught,
                                            .warn = warn,
                                            .warn_context = destination};
    destination->sink = sink_s3_create(&options, fault);
    return destination->sink == NULL ? fault->status : STATUS_OK;
}

enum status destination_open(struct destination *destination, size_t chunk_bytes, struct wait *arrivals,
                             struct fault *fault)
{
    bool const replace = destination->job->destination.if_exists == JOB_EXISTS_REPLACE;
    switch (destination->kind) {
    case DESTINATION_NULL: destination->sink = sink_null_create(fault); break;
    case DESTINATION_DIRECTORY:
        destination->sink =
            sink_directory_create(&(struct sink_directory_options){.path = destination->url,
                                                                   .run_id = destination->run_id,
                                                                   .replace = replace,
                                                                   .former = destination->former,
                                                                   .interrupted = signals_caught},
                                  fault);
        break;
    case DESTINATION_S3: return open_s3(destination, chunk_bytes, arrivals, fault);
    }
    return destination->sink == NULL ? fault->status : STATUS_OK;
}

void destination_close(struct destination *destination)
{
    if (destination->sink != NULL) destination->sink->destroy(destination->sink);
    s3_client_destroy(destination->client);
    store_close(&destination->store);
    free(destination->tags);
    *destination = (struct destination){.url = NULL};
}
