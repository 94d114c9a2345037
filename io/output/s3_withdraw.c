/* s3_withdraw.c - HEADs and Deletes of former tokens and manifests. Thread: the assembler's. Owns errands
 * between reap and free. */
#include "io/output/s3_withdraw.h"

#include "io/output/s3_former.h"
#include "io/output/s3_pass.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- does one stand there? ---- */

static bool is_of_delivery(const struct s3_upload *upload)
{
    return upload->stage != SINK_DATA;
}

static enum status start_head(struct s3_delivery *delivery, struct s3_upload *upload, struct fault *fault)
{
    struct s3_errand *const errand =
        s3_errand_create(delivery, upload, S3_STEP_FORMER, S3_HEAD_OBJECT, fault);
    if (errand == NULL) return STATUS_IO;
    s3_errand_submit(delivery, errand);
    return STATUS_OK;
}

/* Denied is what S3 says of a missing object, too, to whom may not list: the Delete will tell. */
static enum status finish_head(struct s3_delivery *delivery, struct s3_errand *errand, struct fault *fault)
{
    enum s3_verdict const verdict = errand->call.verdict;
    enum status status = STATUS_OK;
    errand->upload->former = verdict == S3_DONE || verdict == S3_DENIED;
    if (!errand->upload->former && verdict != S3_NO_KEY) status = s3_errand_fault(errand, fault);
    s3_errand_free(delivery, errand);
    return status;
}

/* ---- away with it ---- */

static bool has_former(const struct s3_upload *upload)
{
    return upload->former;
}

static enum status start_delete(struct s3_delivery *delivery, struct s3_upload *upload, struct fault *fault)
{
    struct s3_errand *const errand =
        s3_errand_create(delivery, upload, S3_STEP_WITHDRAW, S3_DELETE_OBJECT, fault);
    if (errand == NULL) return STATUS_IO;
    errand->call.op.upload_id = NULL; /* with it, it would abort the upload */
    s3_errand_submit(delivery, errand);
    return STATUS_OK;
}

static enum status delete_fault(const struct s3_errand *errand, struct fault *fault)
{
    if (errand->call.verdict != S3_DENIED) return s3_errand_fault(errand, fault);
    return fault_set(
        fault, STATUS_RIGHTS,
        "%s; if_exists: replace takes a former token and manifest away before it replaces their data "
        "files: that takes s3:DeleteObject (and s3:ListBucket, to see that there is none); or have "
        "{run_time} or {run_id} in the names, and if_exists: fail",
        errand->call.fault.message);
}

/* What failed otherwise than by a refusal may have been done: its reply was lost. */
static enum status finish_delete(struct s3_delivery *delivery, struct s3_errand *errand, struct fault *fault)
{
    enum s3_verdict const verdict = errand->call.verdict;
    bool const gone = verdict == S3_DONE || verdict == S3_NO_KEY;
    bool const untouched = verdict == S3_DENIED || errand->call.attempts == 0;
    delivery->withdrawn += !untouched;
    errand->upload->former = !gone;
    enum status const status = gone ? STATUS_OK : delete_fault(errand, fault);
    s3_errand_free(delivery, errand);
    return status;
}

/* Of the run's own names, and of those that were found beside them. */
static enum status withdraw_stage(struct s3_delivery *delivery, enum sink_stage stage, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (int over_found = 0; over_found < 2 && status == STATUS_OK; over_found++) {
        struct s3_pass const withdraw = {.over_found = over_found == 1,
                                         .of_stage = true,
                                         .stage = stage,
                                         .wants = has_former,
                                         .start = start_delete,
                                         .finish = finish_delete,
                                         .uninterrupted = true};
        status = s3_pass_run(delivery, &withdraw, fault);
    }
    return status;
}

enum status s3_withdraw(struct s3_delivery *delivery, struct fault *fault)
{
    struct s3_pass const look = {.wants = is_of_delivery, .start = start_head, .finish = finish_head};
    enum status status = s3_former_find(delivery, fault);
    if (status == STATUS_OK) status = s3_pass_run(delivery, &look, fault);
    for (int stage = SINK_TOKEN; stage > SINK_DATA && status == STATUS_OK; stage--)
        status = withdraw_stage(delivery, (enum sink_stage)stage, fault);
    return status;
}

/* ---- behind the delivery ---- */

/* The first failure does not end the others. */
static enum status finish_surplus(struct s3_delivery *delivery, struct s3_errand *errand, struct fault *fault)
{
    enum s3_verdict const verdict = errand->call.verdict;
    (void)fault;
    errand->upload->former = verdict != S3_DONE && verdict != S3_NO_KEY;
    if (errand->upload->former && delivery->abort_failed[0] == '\0')
        snprintf(delivery->abort_failed, sizeof delivery->abort_failed, "%.*s",
                 (int)sizeof delivery->abort_failed - 1, errand->call.fault.message);
    s3_errand_free(delivery, errand);
    return STATUS_OK;
}

void s3_withdraw_surplus(struct s3_delivery *delivery)
{
    struct s3_pass const remove = {.over_found = true,
                                   .of_stage = true,
                                   .stage = SINK_DATA,
                                   .wants = has_former,
                                   .start = start_delete,
                                   .finish = finish_surplus,
                                   .deadline = s3_delivery_now() + S3_ABORT_SECONDS * 1000000000ull,
                                   .uninterrupted = true};
    char url[S3_DELIVERY_URL_SIZE];
    const struct s3_upload *first = NULL;
    uint32_t left = 0;
    (void)s3_pass_run(delivery, &remove, NULL);
    for (uint32_t i = 0; i < delivery->found_count; i++) {
        if (delivery->found[i]->stage != SINK_DATA || !delivery->found[i]->former) continue;
        if (left++ == 0) first = delivery->found[i];
    }
    if (first != NULL)
        s3_delivery_warn(
            delivery,
            "the delivery stands, but %" PRIu32 " data files of the one that it replaces could not be "
            "deleted: %s%s (%s); remove them, no manifest names them any more",
            left, s3_delivery_url(delivery, first, url), left > 1 ? ", ..." : "", delivery->abort_failed);
}
