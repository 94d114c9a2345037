/* s3_range.c - see the header. Thread: the caller's; on_bytes() runs on the client's, and what it wrote is
 * seen after s3_pump_await(). Owns nothing but its calls. */
#include "io/s3/s3_range.h"

#include <stdlib.h>
#include <string.h>

static bool on_bytes(void *context, const uint8_t *bytes, size_t length)
{
    struct s3_range *const range = context;
    if (length > range->wanted - range->filled) return false;
    memcpy(range->bytes + range->filled, bytes, length);
    range->filled += length;
    return true;
}

void s3_range_ask(struct s3_range *range, const struct s3_object *object, uint64_t begin, size_t length)
{
    bool const is_whole = begin == 0 && length == object->size;
    range->wanted = length;
    range->filled = 0;
    range->job.call = (struct s3_call){.op = {.kind = S3_GET_OBJECT,
                                              .key = object->key,
                                              .if_match = object->etag,
                                              .any_checksum = is_whole,
                                              .range_begin = begin,
                                              .range_length = is_whole ? 0 : length,
                                              .take = on_bytes,
                                              .take_context = range,
                                              .expected_owner = object->expected_owner}};
    s3_pump_submit(object->pump, &range->job);
}

/* It is another one than it was. */
static enum status changed(const struct s3_object *object, struct fault *fault)
{
    return fault_set(fault, STATUS_IO,
                     "s3://%.256s/%.512s: changed while it was read; wait until nobody writes it any more",
                     object->bucket, object->key);
}

/* 412 to If-Match, 416 or 404 since it is another object now, or none. */
static bool is_changed(const struct s3_call *call)
{
    return call->answer.status == 412 || call->answer.status == 416 || call->verdict == S3_NO_KEY;
}

static void read_proof(const struct s3_answer *answer, struct s3_proof *proof)
{
    *proof = (struct s3_proof){.kind = CHECKSUM_NONE};
    if (!answer->has_checksum || answer->checksum_is_composite) return;
    *proof = (struct s3_proof){.kind = answer->checksum_kind, .value = answer->checksum};
}

static enum status judge(const struct s3_range *range, const struct s3_object *object, struct fault *fault)
{
    const struct s3_call *const call = &range->job.call;
    if (call->verdict == S3_DONE && range->filled == range->wanted) return STATUS_OK;
    if (call->verdict == S3_DONE || is_changed(call)) return changed(object, fault);
    enum status const status = call->verdict == S3_NO_BUCKET ? STATUS_NO_SOURCE : call->status;
    return fault_set(fault, status, "%s", call->fault.message);
}

enum status s3_range_take(struct s3_range *range, const struct s3_object *object, struct s3_proof *proof,
                          struct fault *fault)
{
    s3_pump_await(object->pump, &range->job);
    enum status const status = judge(range, object, fault);
    if (proof != NULL) read_proof(&range->job.call.answer, proof);
    s3_call_free(&range->job.call);
    return status;
}

void s3_object_ask(struct s3_pump_job *job, const struct s3_object *object)
{
    job->call = (struct s3_call){.op = {.kind = S3_HEAD_OBJECT,
                                        .key = object->key,
                                        .any_checksum = true,
                                        .expected_owner = object->expected_owner}};
    s3_pump_submit(object->pump, job);
}

enum status s3_object_take(struct s3_pump_job *job, const struct s3_object *object,
                           struct s3_object_facts *facts, struct fault *fault)
{
    s3_pump_await(object->pump, job);
    const struct s3_call *const call = &job->call;
    enum status status = call->status;
    *facts = (struct s3_object_facts){.missing = call->verdict == S3_NO_KEY};
    if (call->verdict == S3_NO_KEY || call->verdict == S3_NO_BUCKET) status = STATUS_NO_SOURCE;
    if (status == STATUS_OK) {
        facts->size = call->answer.content_length;
        memcpy(facts->etag, call->answer.etag, sizeof call->answer.etag);
        read_proof(&call->answer, &facts->proof);
    } else {
        (void)fault_set(fault, status, "%s", call->fault.message);
    }
    s3_call_free(&job->call);
    return status;
}

enum status s3_object_look(const struct s3_object *object, struct s3_object_facts *facts, struct fault *fault)
{
    struct s3_pump_job *const job = malloc(sizeof *job); /* some 8 KB: not for the stack */
    if (job == NULL) return fault_set(fault, STATUS_IO, "S3: no memory left for a request");
    s3_object_ask(job, object);
    enum status const status = s3_object_take(job, object, facts, fault);
    free(job);
    return status;
}
