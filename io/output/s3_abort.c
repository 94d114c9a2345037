/* s3_abort.c - the way out of a run that failed. Thread: the assembler's. Owns errands between reap and free.
 */
#include "io/output/s3_abort.h"

#include "io/output/output_text.h"
#include "io/output/s3_pass.h"
#include "io/output/s3_stray.h"

#include <stdio.h>

#define NANOSECONDS 1000000000ull

/* ---- what is on its way ---- */

static void settle_all(struct s3_delivery *delivery)
{
    delivery->failed = true; /* nothing follows from what comes back */
    struct s3_errand *errand;
    while ((errand = s3_errand_reap(delivery)) != NULL)
        s3_delivery_settle(delivery, errand, NULL);
}

static void stop_all(struct s3_delivery *delivery)
{
    struct s3_client *const client = delivery->options.client;
    uint64_t const until = s3_delivery_now() + S3_ABORT_CREATE_SECONDS * NANOSECONDS;
    settle_all(delivery);
    while (delivery->creates_out != 0 && s3_delivery_now() < until) {
        s3_client_wait(client);
        settle_all(delivery);
    }
    if (delivery->out != 0) s3_client_cancel(client);
    settle_all(delivery);
    while (delivery->out != 0) { /* all are ready to be reaped; but their bytes are read until they are */
        s3_client_wait(client);
        settle_all(delivery);
    }
    for (uint32_t i = 0; i < delivery->count; i++)
        s3_upload_drop(delivery->uploads[i], &delivery->holds);
    s3_holds_end(&delivery->holds);
}

/* ---- uploads ---- */

static bool wants_abort(const struct s3_upload *upload)
{
    return upload->state == S3_UPLOAD_OPEN;
}

static enum status start_abort(struct s3_delivery *delivery, struct s3_upload *upload, struct fault *fault)
{
    struct s3_errand *const errand =
        s3_errand_create(delivery, upload, S3_STEP_ABORT, S3_ABORT_UPLOAD, fault);
    if (errand != NULL) s3_errand_submit(delivery, errand);
    return STATUS_OK; /* without memory it is left, and told */
}

static void start_list(struct s3_delivery *delivery, struct s3_upload *upload)
{
    struct s3_errand *const errand = s3_errand_create(delivery, upload, S3_STEP_LIST, S3_LIST_PARTS, NULL);
    if (errand == NULL) return;
    errand->call.op.list_most = 1; /* whether it answers is all that counts */
    s3_errand_submit(delivery, errand);
}

/* After an Abort that succeeded ListParts tells whether it is gone. One that we may not ask, or that a store
 * doesn't know, leaves it at the Abort's word; any other answer: once more in the next round. */
static enum s3_upload_state state_after_list(enum s3_verdict verdict)
{
    switch (verdict) {
    case S3_NO_UPLOAD:
    case S3_NO_KEY:
    case S3_NO_BUCKET:
    case S3_DENIED:
    case S3_NOT_SUPPORTED: return S3_UPLOAD_GONE;
    default: return S3_UPLOAD_OPEN;
    }
}

/* The client has repeated what a repeat may help; only a conflict (a Complete that the server still works on)
 * passes by itself. */
static enum s3_upload_state state_after_abort(enum s3_verdict verdict)
{
    switch (verdict) {
    case S3_NO_UPLOAD:
    case S3_NO_KEY:
    case S3_NO_BUCKET: return S3_UPLOAD_GONE;
    case S3_DONE:
    case S3_CONFLICT: return S3_UPLOAD_OPEN;
    default: return S3_UPLOAD_STUCK;
    }
}

static enum status finish_abort(struct s3_delivery *delivery, struct s3_errand *errand, struct fault *fault)
{
    (void)fault;
    enum s3_verdict const verdict = errand->call.verdict;
    struct s3_upload *const upload = errand->upload;
    bool const listed = errand->step == S3_STEP_LIST;
    upload->state = listed ? state_after_list(verdict) : state_after_abort(verdict);
    if (upload->state == S3_UPLOAD_STUCK && delivery->abort_failed[0] == '\0')
        snprintf(delivery->abort_failed, sizeof delivery->abort_failed, "%.255s", errand->call.fault.message);
    s3_errand_free(delivery, errand);
    if (!listed && verdict == S3_DONE) start_list(delivery, upload);
    return STATUS_OK;
}

static bool are_uploads_left(const struct s3_delivery *delivery)
{
    for (uint32_t i = 0; i < delivery->count; i++)
        if (wants_abort(delivery->uploads[i])) return true;
    return false;
}

static void abort_all(struct s3_delivery *delivery, uint64_t deadline)
{
    struct s3_pass const pass = {.wants = wants_abort,
                                 .start = start_abort,
                                 .finish = finish_abort,
                                 .deadline = deadline,
                                 .uninterrupted = true};
    for (uint32_t round = 0; round < S3_ABORT_ROUNDS && are_uploads_left(delivery); round++) {
        if (round > 0) s3_delivery_pause(S3_ABORT_PAUSE_MS << (round - 1));
        if (s3_delivery_now() >= deadline) return;
        s3_pass_run(delivery, &pass, NULL);
    }
}

static void tell_left(const struct s3_delivery *delivery)
{
    uint32_t told = 0;
    for (uint32_t i = 0; i < delivery->count; i++) {
        const struct s3_upload *const upload = delivery->uploads[i];
        bool const left = upload->state == S3_UPLOAD_OPEN || upload->state == S3_UPLOAD_STUCK;
        if (!left || told++ >= S3_ABORT_NAMED) continue;
        char url[S3_DELIVERY_URL_SIZE], id[OUTPUT_TEXT_PRINTABLE];
        s3_delivery_warn(
            delivery,
            "%s: the unfinished upload %s could not be removed (%s) and costs as much as an object; "
            "`penstock cleanup s3://%s/%s --older-than 1h` removes it",
            s3_delivery_url(delivery, upload, url), output_text_printable(upload->upload_id, id, sizeof id),
            delivery->abort_failed[0] != '\0' ? delivery->abort_failed : "there was no time left",
            delivery->options.bucket, delivery->options.prefix);
    }
    if (told > S3_ABORT_NAMED)
        s3_delivery_warn(delivery, "S3: neither could %u more unfinished uploads", told - S3_ABORT_NAMED);
}

void s3_abort(struct s3_delivery *delivery)
{
    uint64_t const deadline = s3_delivery_now() + S3_ABORT_SECONDS * NANOSECONDS;
    s3_client_hurry(delivery->options.client, S3_ABORT_SECONDS * 1000);
    stop_all(delivery);
    abort_all(delivery, deadline);
    tell_left(delivery);
    s3_stray_sweep(delivery, deadline);
}
