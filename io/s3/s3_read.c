/* s3_read.c - see the header. Thread: the reader's; on_bytes() runs on the client's, and what it wrote is
 * seen after s3_pump_await(). Owns the buffers and the jobs. */
#include "io/s3/s3_read.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct range {
    struct s3_pump_job job;
    uint8_t *bytes; /* of options.range_bytes */
    size_t wanted, filled;
    bool out; /* submitted, not awaited */
};

struct s3_read {
    struct s3_read_options options;
    const char *key;
    uint64_t size;
    char etag[S3_ETAG_MAX + 1];
    uint64_t asked; /* bytes that ranges were submitted for */
    uint32_t next;  /* the range that comes next */
    uint32_t free;  /* the range that is asked for next */
    uint32_t out;   /* ranges on their way */
    bool begun;     /* the caller has had the first */
    struct range ranges[];
};

struct s3_read *s3_read_create(const struct s3_read_options *options, struct fault *fault)
{
    struct s3_read *const read = calloc(1, sizeof *read + options->ahead * sizeof(struct range));
    if (read == NULL) goto failed;
    read->options = *options;
    for (uint32_t i = 0; i < options->ahead; i++) {
        read->ranges[i].bytes = malloc(options->range_bytes);
        if (read->ranges[i].bytes == NULL) goto failed;
    }
    return read;
failed:
    (void)fault_set(fault, STATUS_IO, "no memory to read from S3");
    s3_read_destroy(read);
    return NULL;
}

void s3_read_destroy(struct s3_read *read)
{
    if (read == NULL) return;
    s3_read_close(read);
    for (uint32_t i = 0; i < read->options.ahead; i++)
        free(read->ranges[i].bytes);
    free(read);
}

/* ---- ranges ---- */

static bool on_bytes(void *context, const uint8_t *bytes, size_t length)
{
    struct range *const range = context;
    if (length > range->wanted - range->filled) return false;
    memcpy(range->bytes + range->filled, bytes, length);
    range->filled += length;
    return true;
}

static void ask(struct s3_read *read)
{
    struct range *const range = &read->ranges[read->free];
    uint64_t const left = read->size - read->asked;
    range->wanted = left < read->options.range_bytes ? (size_t)left : read->options.range_bytes;
    range->filled = 0;
    range->out = true;
    range->job.call = (struct s3_call){.op = {.kind = S3_GET_OBJECT,
                                              .key = read->key,
                                              .if_match = read->etag[0] != '\0' ? read->etag : NULL,
                                              .range_begin = read->asked,
                                              .range_length = range->wanted,
                                              .take = on_bytes,
                                              .take_context = range,
                                              .expected_owner = read->options.expected_owner}};
    read->asked += range->wanted;
    read->free = (read->free + 1) % read->options.ahead;
    read->out++;
    s3_pump_submit(read->options.pump, &range->job);
}

static void await(struct s3_read *read, struct range *range)
{
    s3_pump_await(read->options.pump, &range->job);
    range->out = false;
    read->out--;
}

static enum status changed(const struct s3_read *read, struct fault *fault)
{
    return fault_set(fault, STATUS_IO,
                     "s3://%.256s/%.512s: changed while it was read; wait until nobody writes it any more",
                     read->options.bucket, read->key);
}

/* 412 to If-Match, 416 or 404 since it is another object now, or none. */
static bool is_changed(const struct s3_call *call)
{
    return call->answer.status == 412 || call->answer.status == 416 || call->verdict == S3_NO_KEY;
}

static enum status judge(const struct s3_read *read, const struct range *range, struct fault *fault)
{
    const struct s3_call *const call = &range->job.call;
    if (call->verdict == S3_DONE && range->filled == range->wanted) return STATUS_OK;
    if (call->verdict == S3_DONE || is_changed(call)) return changed(read, fault);
    return fault_set(fault, call->status, "%s", call->fault.message);
}

/* ---- the object ---- */

enum status s3_read_open(struct s3_read *read, const char *key, struct fault *fault)
{
    read->key = key;
    read->size = read->asked = 0;
    read->next = read->free = 0;
    read->begun = false;
    struct s3_pump_job job = {
        .call.op = {.kind = S3_HEAD_OBJECT, .key = key, .expected_owner = read->options.expected_owner}};
    s3_pump_submit(read->options.pump, &job);
    s3_pump_await(read->options.pump, &job);
    enum status status = job.call.status;
    if (job.call.verdict == S3_NO_KEY || job.call.verdict == S3_NO_BUCKET) status = STATUS_NO_SOURCE;
    if (status == STATUS_OK) {
        read->size = job.call.answer.content_length;
        memcpy(read->etag, job.call.answer.etag, sizeof read->etag);
        if (read->size > 0) ask(read);
    } else {
        (void)fault_set(fault, status, "%s", job.call.fault.message);
    }
    s3_call_free(&job.call);
    return status;
}

uint64_t s3_read_size(const struct s3_read *read)
{
    return read->size;
}

enum status s3_read_next(struct s3_read *read, const uint8_t **bytes, size_t *length, struct fault *fault)
{
    uint32_t const ahead = read->options.ahead;
    /* Who wants the first bytes only does not have others sent. */
    while (read->begun && read->out < ahead && read->asked < read->size)
        ask(read);
    *length = 0;
    struct range *const range = &read->ranges[read->next];
    if (!range->out) return STATUS_OK;
    await(read, range);
    enum status const status = judge(read, range, fault);
    s3_call_free(&range->job.call);
    if (status != STATUS_OK) return status;
    *bytes = range->bytes;
    *length = range->filled;
    read->next = (read->next + 1) % ahead;
    read->begun = true;
    return STATUS_OK;
}

void s3_read_close(struct s3_read *read)
{
    read->asked = read->size; /* no more */
    for (uint32_t i = 0; i < read->options.ahead; i++) {
        struct range *const range = &read->ranges[i];
        if (!range->out) continue;
        await(read, range);
        s3_call_free(&range->job.call);
    }
    read->size = 0;
}
