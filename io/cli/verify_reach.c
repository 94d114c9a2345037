/* verify_reach.c - see the header. Thread: main; read_text() on the crew's. */
#include "io/cli/verify_reach.h"

#include "io/cli/machine.h"
#include "io/cli/signals.h"
#include "io/s3/s3_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Connections at once, whatever the threads. */
#define CONNECTIONS_MAX S3_CONNECTIONS_DEFAULT
/* Of the manifest; a usual one is a single range. */
#define TEXT_RANGE ((size_t)1024 * 1024)
#define TEXT_AHEAD 2u

static enum status connect(struct verify_reach *reach, const struct job *job, uint32_t connections,
                           struct fault *fault)
{
    enum status status = store_configure(&reach->store, fault);
    if (status == STATUS_OK) status = store_start(&reach->store, fault);
    if (status != STATUS_OK) return status;
    struct s3_client_options options = store_client(&reach->store, reach->url.bucket, &reach->arrivals);
    store_for_reading(&options, connections < CONNECTIONS_MAX ? connections : CONNECTIONS_MAX,
                      S3_RECEIVE_LARGE);
    if (job != NULL) {
        store_as_destination(&options, &job->destination);
        reach->expected_owner = options.expected_owner = job->destination.account_id;
    }
    reach->client = s3_client_create(&options, false, fault);
    if (reach->client == NULL) return fault->status;
    reach->pump = s3_pump_create(reach->client, &reach->arrivals);
    if (reach->pump == NULL) return fault_set(fault, STATUS_IO, "no memory to read from S3");
    return STATUS_OK;
}

enum status verify_reach_open(struct verify_reach *reach, const char *url, const struct job *job,
                              uint32_t connections, struct fault *fault)
{
    reach->manifest = url;
    reach->is_s3 = s3_url_is(url);
    if (!reach->is_s3 && strncasecmp(url, "s3:", 3) == 0)
        return fault_set(fault, STATUS_USAGE, "%s: is no S3 URL; s3://bucket/manifest.xml is", url);
    reach->has_wait = wait_init(&reach->arrivals);
    if (!reach->has_wait) return fault_set(fault, STATUS_IO, "no memory to wait with");
    enum status status = STATUS_OK;
    if (reach->is_s3) {
        status = s3_url_parse(url, &reach->url, fault);
        if (status == STATUS_OK && reach->url.key[0] == '\0')
            status = fault_set(fault, STATUS_USAGE, "%s: names a bucket; name the manifest in it", url);
        if (status == STATUS_OK) status = connect(reach, job, connections, fault);
        reach->manifest = reach->url.key;
        (void)snprintf(reach->root, sizeof reach->root, "s3://%s/", reach->url.bucket);
    }
    reach->crew = (struct verify_crew){
        .pump = reach->pump, .arrivals = &reach->arrivals, .interrupted = signals_caught, .now = machine_now};
    return status;
}

void verify_reach_close(struct verify_reach *reach)
{
    s3_pump_destroy(reach->pump);
    s3_client_destroy(reach->client);
    store_close(&reach->store);
    if (reach->has_wait) wait_destroy(&reach->arrivals);
}

struct verify_source *verify_reach_source(struct verify_reach *reach, size_t range_bytes, uint32_t ahead,
                                          struct fault *fault)
{
    if (reach->is_s3) {
        struct s3_read_options const options = {.pump = reach->pump,
                                                .bucket = reach->url.bucket,
                                                .expected_owner = reach->expected_owner,
                                                .range_bytes = range_bytes,
                                                .ahead = ahead};
        return verify_source_s3(&options, fault);
    }
    struct verify_source *const source = verify_source_local();
    if (source == NULL) (void)fault_set(fault, STATUS_IO, "no memory to read files");
    return source;
}

/* ---- small files, whole ---- */

void verify_text_free(struct verify_text *text)
{
    free(text->bytes);
    *text = (struct verify_text){.bytes = NULL};
}

static enum status take_all(struct verify_source *source, const char *place, uint64_t size,
                            struct verify_text *text, struct fault *fault)
{
    text->bytes = malloc((size_t)size + 1);
    if (text->bytes == NULL) return fault_set(fault, STATUS_IO, "%s: no memory to read it", place);
    for (;;) {
        const uint8_t *bytes = NULL;
        size_t length = 0;
        enum status const status = source->next(source, &bytes, &length, fault);
        if (status != STATUS_OK || length == 0) return status;
        if (length > size - text->length)
            return fault_set(fault, STATUS_IO, "%s: changed while it was read; try again", place);
        memcpy(text->bytes + text->length, bytes, length);
        text->length += length;
    }
}

static enum status read_all(struct verify_source *source, bool is_local, const char *place, size_t most,
                            struct verify_text *text, struct fault *fault)
{
    uint64_t size = 0;
    enum status status = source->open(source, place, &size, fault);
    if (is_local && status != STATUS_OK) status = STATUS_NO_SOURCE;
    if (status == STATUS_OK && size > most)
        status = fault_set(fault, STATUS_IO, "%s: has %llu bytes; at most %zu can be read", place,
                           (unsigned long long)size, most);
    if (status == STATUS_OK) status = take_all(source, place, size, text, fault);
    source->close(source);
    return status;
}

struct text_work {
    struct verify_source *source;
    const char *place;
    size_t most;
    struct verify_text *text;
};

static enum status read_text(void *context, uint32_t thread, struct fault *fault)
{
    struct text_work *const work = context;
    (void)thread;
    return read_all(work->source, false, work->place, work->most, work->text, fault);
}

enum status verify_reach_read(struct verify_reach *reach, const char *place, size_t most,
                              struct verify_text *text, struct fault *fault)
{
    if (!reach->is_s3) return verify_text_load(place, most, text, fault);
    struct text_work work = {.source = verify_reach_source(reach, TEXT_RANGE, TEXT_AHEAD, fault),
                             .place = place,
                             .most = most,
                             .text = text};
    if (work.source == NULL) return fault->status;
    enum status const status = verify_crew_run(&reach->crew, 1, read_text, &work, fault);
    work.source->destroy(work.source);
    return status;
}

enum status verify_text_load(const char *path, size_t most, struct verify_text *text, struct fault *fault)
{
    struct verify_source *const source = verify_source_local();
    if (source == NULL) return fault_set(fault, STATUS_IO, "%s: no memory to read it", path);
    enum status const status = read_all(source, true, path, most, text, fault);
    source->destroy(source);
    return status;
}
