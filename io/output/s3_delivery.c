/* s3_delivery.c - uploads and errands of one run. Thread: the assembler's. Owns them; errands that are out
 * belong to the client until they are reaped. */
#include "io/output/s3_delivery.h"

#include "io/output/output_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Name of the metadata that tells our object from another's (s3_op.h reads it back as answer.token). */
#define TOKEN_NAME "penstock-token"
/* NULL: what the options say, which is for rows. */
static const char *const content_types[] = {
    [SINK_DATA] = NULL, [SINK_MANIFEST] = "application/xml", [SINK_TOKEN] = "application/octet-stream"};

uint64_t s3_delivery_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Seconds since 1970. */
static int64_t wall_seconds(void)
{
    return (int64_t)time(NULL);
}

void s3_delivery_pause(uint32_t ms)
{
    struct timespec const pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&pause, NULL); /* a signal may cut it short: whoever waits looks for it next */
}

/* ---- the delivery ---- */

enum status s3_delivery_start(struct s3_delivery *delivery, const struct sink_s3_options *options,
                              const struct sink *sink, struct fault *fault)
{
    size_t const count = options->object.metadata_count;
    struct aws_pair *const metadata = calloc(count + 1, sizeof *metadata);
    if (metadata == NULL) return fault_set(fault, STATUS_IO, "S3: no memory left");
    for (size_t i = 0; i < count; i++)
        metadata[i] = options->object.metadata[i];
    metadata[count] = (struct aws_pair){.name = TOKEN_NAME, .value = options->token};
    *delivery = (struct s3_delivery){.options = *options,
                                     .rules = {.bucket = options->bucket,
                                               .checksum = options->checksum,
                                               .part_size = options->part_size,
                                               .hold = options->hold},
                                     .metadata = metadata,
                                     .holds = {.sink = sink,
                                               .block_bytes = options->chunk_bytes,
                                               .blocks_max = sink_s3_copies(options),
                                               .filling_max = sink_s3_fill(options) + options->hold / 5 * 2,
                                               .pinned_max = options->hold / 5 * 2}};
    for (int stage = SINK_DATA; stage <= SINK_TOKEN; stage++) {
        struct s3_object_options *const object = &delivery->objects[stage];
        *object = options->object;
        object->metadata = metadata;
        object->metadata_count = count + 1;
        if (content_types[stage] != NULL) object->content_type = content_types[stage];
    }
    return STATUS_OK;
}

void s3_delivery_end(struct s3_delivery *delivery)
{
    for (uint32_t i = 0; i < delivery->count; i++)
        s3_upload_destroy(delivery->uploads[i], &delivery->holds);
    for (uint32_t i = 0; i < delivery->found_count; i++)
        s3_upload_destroy(delivery->found[i], &delivery->holds);
    s3_holds_end(&delivery->holds);
    free(delivery->found);
    free(delivery->uploads);
    free(delivery->metadata);
}

struct s3_upload *s3_delivery_add(struct s3_delivery *delivery, const char *name, enum sink_stage stage,
                                  struct fault *fault)
{
    char key[S3_KEY_MAX + 1];
    int const length = snprintf(key, sizeof key, "%s%s", delivery->options.prefix, name);
    if (length < 0 || (size_t)length >= sizeof key) {
        fault_set(fault, STATUS_JOB,
                  "s3://%s/%.100s...: the key has more than %u bytes: shorten files.name or "
                  "the destination's prefix",
                  delivery->options.bucket, delivery->options.prefix, S3_KEY_MAX);
        return NULL;
    }
    if (delivery->count == delivery->room) {
        uint32_t const room = delivery->room == 0 ? 16 : 2 * delivery->room;
        struct s3_upload **const uploads = reallocarray(delivery->uploads, room, sizeof(void *));
        if (uploads != NULL) {
            delivery->uploads = uploads;
            delivery->room = room;
        }
    }
    struct s3_upload *const upload = delivery->count == delivery->room ? NULL : s3_upload_create(key, stage);
    if (upload == NULL) {
        fault_set(fault, STATUS_IO, "S3: no memory left for the list of files");
        return NULL;
    }
    delivery->uploads[delivery->count++] = upload;
    return upload;
}

const char *s3_delivery_url(const struct s3_delivery *delivery, const struct s3_upload *upload,
                            char out[S3_DELIVERY_URL_SIZE])
{
    char key[OUTPUT_TEXT_PRINTABLE];
    snprintf(out, S3_DELIVERY_URL_SIZE, "s3://%s/%s", delivery->options.bucket,
             output_text_printable(upload->key, key, sizeof key));
    return out;
}

enum status s3_delivery_same_name(const struct s3_delivery *delivery, const struct s3_upload *one,
                                  const struct s3_upload *other, struct fault *fault)
{
    char url[S3_DELIVERY_URL_SIZE];
    s3_delivery_url(delivery, one, url);
    if (one->stage == SINK_DATA && other->stage == SINK_DATA)
        return fault_set(fault, STATUS_JOB,
                         "files.name: gives %s for two files of this run: have {part} in it, or no limit of "
                         "rows or bytes",
                         url);
    return fault_set(
        fault, STATUS_JOB,
        "%s: is the name of two files of this run: give files.name, pega.manifest and pega.token "
        "that make different names",
        url);
}

void s3_delivery_warn(const struct s3_delivery *delivery, const char *format, ...)
{
    if (delivery->options.warn == NULL) return;
    char message[FAULT_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    delivery->options.warn(delivery->options.warn_context, message);
}

enum status s3_delivery_interrupted(const struct s3_delivery *delivery, struct fault *fault)
{
    if (delivery->options.interrupted == NULL) return STATUS_OK;
    enum status const status = delivery->options.interrupted();
    return status == STATUS_OK ? STATUS_OK : fault_set(fault, status, "stopped by a signal");
}

/* ---- errands ---- */

struct s3_errand *s3_errand_create(struct s3_delivery *delivery, struct s3_upload *upload, enum s3_step step,
                                   enum s3_op_kind kind, struct fault *fault)
{
    struct s3_errand *const errand = calloc(1, sizeof *errand);
    if (errand == NULL) {
        fault_set(fault, STATUS_IO, "S3: no memory left for a request");
        return NULL;
    }
    errand->step = step;
    errand->upload = upload;
    errand->call.owner = errand;
    errand->call.op = (struct s3_op){.kind = kind,
                                     .key = upload->key,
                                     .upload_id = upload->upload_id,
                                     .checksum_kind = delivery->options.checksum,
                                     .expected_owner = delivery->options.expected_owner};
    return errand;
}

void s3_errand_submit(struct s3_delivery *delivery, struct s3_errand *errand)
{
    delivery->out++;
    if (errand->step == S3_STEP_CREATE) delivery->creates_out++;
    delivery->complete_parts += errand->call.op.part_count;
    errand->submitted = wall_seconds();
    s3_client_submit(delivery->options.client, &errand->call);
}

struct s3_errand *s3_errand_reap(struct s3_delivery *delivery)
{
    struct s3_call *const call = s3_client_reap(delivery->options.client);
    if (call == NULL) return NULL;
    struct s3_errand *const errand = call->owner;
    delivery->out--;
    if (errand->step == S3_STEP_CREATE) delivery->creates_out--;
    delivery->complete_parts -= call->op.part_count;
    if (call->answer.date != 0) delivery->clock_offset = call->answer.date - wall_seconds();
    return errand;
}

void s3_errand_free(struct s3_delivery *delivery, struct s3_errand *errand)
{
    if (errand == NULL) return;
    s3_errand_free(delivery, errand->doubt); /* which has none itself */
    s3_outgoing_free(errand->part, &delivery->holds);
    s3_call_free(&errand->call);
    free(errand->parts);
    free(errand);
}

enum status s3_errand_fault(const struct s3_errand *errand, struct fault *fault)
{
    const struct s3_call *const call = &errand->call;
    enum status const status = call->status == STATUS_OK ? STATUS_IO : call->status;
    return fault_set(fault, status, "%s", call->fault.message);
}

bool s3_errand_found_ours(const struct s3_delivery *delivery, const struct s3_errand *head)
{
    const struct s3_answer *const answer = &head->call.answer;
    if (head->call.verdict != S3_DONE || strcmp(answer->token, delivery->options.token) != 0) return false;
    if (answer->content_length != head->upload->size) return false;
    return delivery->options.checksum == CHECKSUM_NONE || !answer->has_checksum ||
           answer->checksum_is_composite || answer->checksum == head->upload->checksum;
}

/* ---- while rows come ---- */

struct s3_errand *s3_delivery_look(struct s3_delivery *delivery, struct s3_upload *upload,
                                   struct fault *fault)
{
    return s3_errand_create(delivery, upload, S3_STEP_LOOK, S3_HEAD_OBJECT, fault);
}

static enum status looked(const struct s3_delivery *delivery, struct s3_errand *errand, struct fault *fault)
{
    char url[S3_DELIVERY_URL_SIZE];
    if (!delivery->failed) s3_client_explain(delivery->options.client, &errand->call);
    switch (errand->call.verdict) {
    case S3_NO_KEY: return STATUS_OK;
    case S3_DONE:
        return fault_set(
            fault, STATUS_EXISTS,
            "%s: exists already. if_exists: replace replaces files, also those that a killed run "
            "left; else give another destination, files.name or --run-time",
            s3_delivery_url(delivery, errand->upload, url));
    case S3_DENIED:
        return fault_set(
            fault, STATUS_RIGHTS,
            "%s; to see whether a file is there takes s3:GetObject and s3:ListBucket (without the "
            "latter S3 denies a look at what is not there), or if_exists: replace, which looks "
            "only at what it wrote",
            errand->call.fault.message);
    default: return s3_errand_fault(errand, fault);
    }
}

static enum status send_part(struct s3_delivery *delivery, struct s3_upload *upload, struct s3_outgoing *part,
                             struct fault *fault)
{
    struct s3_errand *const errand = s3_errand_create(delivery, upload, S3_STEP_PART, S3_UPLOAD_PART, fault);
    if (errand == NULL) {
        s3_outgoing_free(part, &delivery->holds);
        return STATUS_IO;
    }
    errand->part = part;
    struct s3_op *const op = &errand->call.op;
    op->part = part->number;
    op->body = part->spans;
    op->body_count = part->count;
    op->body_length = part->length;
    op->checksum = part->checksum;
    s3_errand_submit(delivery, errand);
    return STATUS_OK;
}

static enum status send_queue(struct s3_delivery *delivery, struct s3_upload *upload, struct fault *fault)
{
    if (upload->first == NULL || upload->state == S3_UPLOAD_CREATING) return STATUS_OK;
    if (upload->state == S3_UPLOAD_NONE) {
        struct s3_errand *const errand =
            s3_errand_create(delivery, upload, S3_STEP_CREATE, S3_CREATE_UPLOAD, fault);
        if (errand == NULL) return STATUS_IO;
        errand->call.op.object = &delivery->objects[upload->stage];
        upload->state = S3_UPLOAD_CREATING;
        s3_errand_submit(delivery, errand);
        return STATUS_OK;
    }
    enum status status = STATUS_OK;
    struct s3_outgoing *part;
    while (status == STATUS_OK && (part = s3_upload_next(upload)) != NULL)
        status = send_part(delivery, upload, part, fault);
    return status;
}

enum status s3_delivery_send(struct s3_delivery *delivery, struct s3_upload *upload, struct fault *fault)
{
    enum status const status = send_queue(delivery, upload, fault);
    delivery->queued += upload->queued;
    delivery->queued -= upload->queued_counted;
    upload->queued_counted = upload->queued;
    return status;
}

/* May the server have begun an upload whose id we were not told? */
static bool leaves_stray(const struct s3_call *call)
{
    switch (call->verdict) {
    case S3_DONE:
    case S3_DENIED:
    case S3_NO_BUCKET:
    case S3_NOT_SUPPORTED:
    case S3_TRUST: return call->attempts > 1 || call->uncertain;
    default: return call->attempts > 0; /* 0: cancelled before it was sent */
    }
}

static enum status created(struct s3_delivery *delivery, const struct s3_errand *errand, struct fault *fault)
{
    struct s3_upload *const upload = errand->upload;
    if (leaves_stray(&errand->call)) {
        upload->has_stray = true;
        upload->stray_from = errand->submitted;
        upload->stray_until = wall_seconds();
    }
    upload->state = S3_UPLOAD_NONE;
    if (errand->call.verdict != S3_DONE) return s3_errand_fault(errand, fault);
    upload->upload_id = strdup(errand->call.answer.upload_id);
    if (upload->upload_id == NULL) {
        upload->has_stray = true;
        upload->stray_from = errand->submitted;
        upload->stray_until = wall_seconds();
        return fault_set(fault, STATUS_IO, "S3: no memory left for an upload's id");
    }
    upload->state = S3_UPLOAD_OPEN;
    return delivery->failed ? STATUS_OK : s3_delivery_send(delivery, upload, fault);
}

static enum status part_sent(const struct s3_errand *errand, struct fault *fault)
{
    if (errand->call.verdict != S3_DONE) return s3_errand_fault(errand, fault);
    struct s3_sent *const sent = &errand->upload->parts[errand->part->number - 1];
    sent->etag = strdup(errand->call.answer.etag);
    return sent->etag == NULL ? fault_set(fault, STATUS_IO, "S3: no memory left for the list of parts")
                              : STATUS_OK;
}

enum status s3_delivery_settle(struct s3_delivery *delivery, struct s3_errand *errand, struct fault *fault)
{
    enum status status = STATUS_OK;
    switch (errand->step) {
    case S3_STEP_LOOK: status = looked(delivery, errand, fault); break;
    case S3_STEP_CREATE: status = created(delivery, errand, fault); break;
    case S3_STEP_PART: status = part_sent(errand, fault); break;
    case S3_STEP_FORMER:
    case S3_STEP_WITHDRAW:
    case S3_STEP_COMPLETE:
    case S3_STEP_JUDGE:
    case S3_STEP_VERIFY:
    case S3_STEP_ABORT:
    case S3_STEP_LIST: break; /* of passes, which leave none behind */
    }
    s3_errand_free(delivery, errand);
    return status;
}

enum status s3_delivery_reap(struct s3_delivery *delivery, struct fault *fault)
{
    enum status first = STATUS_OK;
    struct s3_errand *errand;
    while ((errand = s3_errand_reap(delivery)) != NULL) {
        enum status const status = s3_delivery_settle(delivery, errand, first == STATUS_OK ? fault : NULL);
        if (first == STATUS_OK) first = status;
        if (status != STATUS_OK) delivery->failed = true;
    }
    return first;
}
