/* s3_commit.c - HEADs, Completes and Puts, verifications. Thread: the assembler's. Owns errands between reap
 * and free. */
#include "io/output/s3_commit.h"

#include "io/output/s3_pass.h"
#include "io/output/s3_stray.h"
#include "io/output/s3_withdraw.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

static int compare_keys(const void *a, const void *b)
{
    const struct s3_upload *const *const first = a;
    const struct s3_upload *const *const second = b;
    return strcmp((*first)->key, (*second)->key);
}

/* The second of two files with one name would replace the first, or be taken for another's. */
static enum status check_names(const struct s3_delivery *delivery, struct fault *fault)
{
    if (delivery->count < 2) return STATUS_OK;
    struct s3_upload **const sorted = calloc(delivery->count, sizeof(void *));
    if (sorted == NULL) return fault_set(fault, STATUS_IO, "S3: no memory left for the list of files");
    memcpy(sorted, delivery->uploads, delivery->count * sizeof(void *));
    qsort(sorted, delivery->count, sizeof(void *), compare_keys);
    enum status status = STATUS_OK;
    for (uint32_t i = 1; i < delivery->count && status == STATUS_OK; i++)
        if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0)
            status = s3_delivery_same_name(delivery, sorted[i - 1], sorted[i], fault);
    free(sorted);
    return status;
}

/* ---- is the name still free? ---- */

static bool wants_look(const struct s3_upload *upload)
{
    return upload->state == S3_UPLOAD_NONE || upload->state == S3_UPLOAD_OPEN;
}

static enum status start_look(struct s3_delivery *delivery, struct s3_upload *upload, struct fault *fault)
{
    struct s3_errand *const errand = s3_delivery_look(delivery, upload, fault);
    if (errand == NULL) return STATUS_IO;
    s3_errand_submit(delivery, errand);
    return STATUS_OK;
}

/* ---- Complete and Put ---- */

static bool fill_put(struct s3_errand *errand, const struct s3_delivery *delivery)
{
    const struct s3_upload *const upload = errand->upload;
    struct s3_op *const op = &errand->call.op;
    errand->span = (struct http_span){.bytes = upload->kept, .length = (size_t)upload->size};
    op->body = &errand->span;
    op->body_count = upload->size == 0 ? 0 : 1;
    op->body_length = upload->size;
    op->object = &delivery->objects[upload->stage];
    return true;
}

static bool fill_complete(struct s3_errand *errand)
{
    const struct s3_upload *const upload = errand->upload;
    struct s3_op *const op = &errand->call.op;
    errand->parts = calloc(upload->part_count, sizeof *errand->parts);
    if (errand->parts == NULL) return false;
    for (uint32_t i = 0; i < upload->part_count; i++) {
        const struct s3_sent *const sent = &upload->parts[i];
        errand->parts[i] = (struct s3_part){.number = i + 1, .size = sent->size, .checksum = sent->checksum};
        snprintf(errand->parts[i].etag, sizeof errand->parts[i].etag, "%s", sent->etag);
    }
    op->parts = errand->parts;
    op->part_count = upload->part_count;
    op->object_size = upload->size;
    return true;
}

static enum status start_complete(struct s3_delivery *delivery, struct s3_upload *upload, struct fault *fault)
{
    struct s3_errand *const errand = s3_errand_create(
        delivery, upload, S3_STEP_COMPLETE, upload->is_kept ? S3_PUT_OBJECT : S3_COMPLETE_UPLOAD, fault);
    if (errand == NULL) return STATUS_IO;
    errand->call.op.checksum = upload->checksum;
    errand->call.op.if_none_match = !delivery->options.replace;
    if (!(upload->is_kept ? fill_put(errand, delivery) : fill_complete(errand))) {
        s3_errand_free(delivery, errand);
        return fault_set(fault, STATUS_IO, "S3: no memory left for the list of parts");
    }
    s3_errand_submit(delivery, errand);
    return STATUS_OK;
}

/* Why the object is not there, in words that say what to do. */
static enum status complete_fault(const struct s3_delivery *delivery, const struct s3_errand *errand,
                                  struct fault *fault)
{
    char url[S3_DELIVERY_URL_SIZE];
    s3_delivery_url(delivery, errand->upload, url);
    const char *const told = errand->call.fault.message;
    bool const conditional = errand->call.op.if_none_match;
    switch (errand->call.verdict) {
    case S3_EXISTS:
        return fault_set(fault, STATUS_EXISTS,
                         "%s: exists already: another program wrote it while this run went on. if_exists: "
                         "replace replaces files; else give another destination, files.name or --run-time",
                         url);
    case S3_CONFLICT:
        return fault_set(fault, STATUS_TRY_AGAIN,
                         "%s: another program writes it at the same time: run again when it has ended (%s)",
                         url, told);
    case S3_NOT_SUPPORTED:
        if (!conditional) return s3_errand_fault(errand, fault);
        return fault_set(
            fault, STATUS_JOB,
            "%s: the store does not take If-None-Match, by which if_exists: fail never replaces a "
            "file: have destination.if_exists: replace (%s)",
            url, told);
    default: return s3_errand_fault(errand, fault);
    }
}

static enum status judge(struct s3_delivery *delivery, struct s3_errand *errand, struct fault *fault)
{
    struct s3_errand *const head =
        s3_errand_create(delivery, errand->upload, S3_STEP_JUDGE, S3_HEAD_OBJECT, NULL);
    if (head == NULL) {
        errand->upload->in_doubt = true;
        enum status const status = complete_fault(delivery, errand, fault);
        s3_errand_free(delivery, errand);
        return status;
    }
    head->doubt = errand;
    delivery->doubts++;
    s3_errand_submit(delivery, head);
    return STATUS_OK;
}

static enum status completed(struct s3_delivery *delivery, struct s3_errand *errand, struct fault *fault)
{
    if (errand->call.verdict != S3_DONE) return judge(delivery, errand, fault);
    s3_upload_settle(errand->upload, S3_UPLOAD_COMPLETE);
    s3_errand_free(delivery, errand);
    return STATUS_OK;
}

static enum status judged(struct s3_delivery *delivery, struct s3_errand *head, struct fault *fault)
{
    struct s3_upload *const upload = head->upload;
    enum status status = STATUS_OK;
    delivery->doubts--;
    if (s3_errand_found_ours(delivery, head)) {
        s3_upload_settle(upload, S3_UPLOAD_VERIFIED);
    } else {
        status = complete_fault(delivery, head->doubt, fault);
        upload->in_doubt = head->call.verdict != S3_DONE && head->call.verdict != S3_NO_KEY;
    }
    s3_errand_free(delivery, head);
    return status;
}

static enum status finish_complete(struct s3_delivery *delivery, struct s3_errand *errand,
                                   struct fault *fault)
{
    return errand->step == S3_STEP_JUDGE ? judged(delivery, errand, fault)
                                         : completed(delivery, errand, fault);
}

/* ---- verification ---- */

static bool wants_verify(const struct s3_upload *upload)
{
    return upload->state == S3_UPLOAD_COMPLETE;
}

static enum status start_verify(struct s3_delivery *delivery, struct s3_upload *upload, struct fault *fault)
{
    struct s3_errand *const errand =
        s3_errand_create(delivery, upload, S3_STEP_VERIFY, S3_HEAD_OBJECT, fault);
    if (errand == NULL) return STATUS_IO;
    s3_errand_submit(delivery, errand);
    return STATUS_OK;
}

static enum status mismatch(const struct s3_delivery *delivery, const struct s3_errand *errand,
                            struct fault *fault)
{
    const struct s3_answer *const answer = &errand->call.answer;
    const struct s3_upload *const upload = errand->upload;
    char url[S3_DELIVERY_URL_SIZE];
    s3_delivery_url(delivery, upload, url);
    if (strcmp(answer->token, delivery->options.token) != 0)
        return fault_set(
            fault, STATUS_IO,
            "%s: integrity: the object there is not the one that this run completed (it lacks our "
            "metadata penstock-token): another program writes the same names; run again without it",
            url);
    if (answer->content_length != upload->size)
        return fault_set(fault, STATUS_IO,
                         "%s: integrity: has %" PRIu64 " bytes, %" PRIu64
                         " were sent: do not use it; remove it and run again",
                         url, answer->content_length, upload->size);
    enum checksum_kind const kind = delivery->options.checksum;
    char ours[CHECKSUM_TEXT_SIZE], theirs[CHECKSUM_TEXT_SIZE];
    checksum_text(kind, upload->checksum, ours);
    checksum_text(kind, answer->checksum, theirs);
    return fault_set(
        fault, STATUS_IO,
        "%s: integrity: the store has %s %s, sent was %s: do not use it; remove it and run again", url,
        checksum_name(kind), theirs, ours);
}

/* An object that is not there yet stays S3_UPLOAD_COMPLETE, for the next round. */
static enum status finish_verify(struct s3_delivery *delivery, struct s3_errand *errand, struct fault *fault)
{
    enum status status = STATUS_OK;
    if (s3_errand_found_ours(delivery, errand)) {
        errand->upload->state = S3_UPLOAD_VERIFIED;
    } else if (errand->call.verdict == S3_DONE) {
        status = mismatch(delivery, errand, fault);
        bool const is_ours = strcmp(errand->call.answer.token, delivery->options.token) == 0;
        if (!is_ours) errand->upload->state = S3_UPLOAD_GONE; /* replaced: nothing of ours stays */
    } else if (errand->call.verdict != S3_NO_KEY) {
        status = s3_errand_fault(errand, fault);
    }
    s3_errand_free(delivery, errand);
    return status;
}

static const struct s3_upload *first_unverified(const struct s3_delivery *delivery, enum sink_stage stage)
{
    for (uint32_t i = 0; i < delivery->count; i++) {
        const struct s3_upload *const upload = delivery->uploads[i];
        if (upload->stage == stage && upload->state != S3_UPLOAD_VERIFIED) return upload;
    }
    return NULL;
}

/* A server that said "completed" and did not may have the upload still: abort() is to remove it. */
static void reopen_missing(struct s3_delivery *delivery)
{
    for (uint32_t i = 0; i < delivery->count; i++) {
        struct s3_upload *const upload = delivery->uploads[i];
        if (upload->state == S3_UPLOAD_COMPLETE && upload->upload_id != NULL) upload->state = S3_UPLOAD_OPEN;
    }
}

static enum status verify(struct s3_delivery *delivery, enum sink_stage stage, struct fault *fault)
{
    /* All is there: a run that is stopped now would tell the person to do again what is done. */
    struct s3_pass const pass = {.of_stage = true,
                                 .stage = stage,
                                 .wants = wants_verify,
                                 .start = start_verify,
                                 .finish = finish_verify,
                                 .uninterrupted = true};
    for (uint32_t round = 0;; round++) {
        enum status const status = s3_pass_run(delivery, &pass, fault);
        const struct s3_upload *const missing = first_unverified(delivery, stage);
        if (status != STATUS_OK || missing == NULL) return status;
        char url[S3_DELIVERY_URL_SIZE];
        if (round + 1 == S3_VERIFY_ROUNDS) {
            reopen_missing(delivery);
            return fault_set(
                fault, STATUS_IO,
                "%s: integrity: was completed, but is not there: another program or a rule of the "
                "bucket removed it; run again",
                s3_delivery_url(delivery, missing, url));
        }
        s3_delivery_pause(S3_VERIFY_PAUSE_MS << round);
    }
}

/* ---- all of it ---- */

/* "; no manifest and no token is written": of the stages behind the one that failed. */
static const char *not_written(const struct s3_delivery *delivery, enum sink_stage failed)
{
    bool manifest = false, token = false;
    for (uint32_t i = 0; i < delivery->count; i++) {
        enum sink_stage const stage = delivery->uploads[i]->stage;
        manifest |= stage == SINK_MANIFEST && stage > failed;
        token |= stage == SINK_TOKEN && stage > failed;
    }
    if (manifest) return token ? "; no manifest and no token is written" : "; no manifest is written";
    return token ? "; no token is written" : "";
}

/* "; 2 of 5 files are complete and stay: ..." */
static void list_completed(const struct s3_delivery *delivery, char *text, size_t size)
{
    char names[S3_COMMIT_NAMED * 400] = "", doubt[96] = "", url[S3_DELIVERY_URL_SIZE];
    uint32_t count = 0, doubts = 0;
    for (uint32_t i = 0; i < delivery->count; i++) {
        const struct s3_upload *const upload = delivery->uploads[i];
        doubts += upload->in_doubt;
        if (upload->state != S3_UPLOAD_COMPLETE && upload->state != S3_UPLOAD_VERIFIED) continue;
        size_t const used = strlen(names);
        if (count++ < S3_COMMIT_NAMED)
            snprintf(names + used, sizeof names - used, "%s%.390s", used == 0 ? "" : ", ",
                     s3_delivery_url(delivery, upload, url));
    }
    text[0] = '\0';
    if (count == 0 && doubts == 0) return;
    if (doubts != 0)
        snprintf(doubt, sizeof doubt, "; of %" PRIu32 " it is not known whether they are complete", doubts);
    snprintf(text, size, "; %" PRIu32 " of %" PRIu32 " files are complete and stay%s%s%s%s", count,
             delivery->count, count == 0 ? "" : ": ", names, count > S3_COMMIT_NAMED ? ", ..." : "", doubt);
}

/* What a failed replacement leaves: no token, and data files of two deliveries. */
static const char *withdrawn(const struct s3_delivery *delivery)
{
    return delivery->withdrawn == 0
               ? ""
               : "; the former tokens and manifests were taken away first, so that nothing imports a "
                 "mixture: "
                 "all other names have their former objects, and the run must be repeated";
}

/* Adds to the message what is there all the same, and what is not. */
static enum status tell_completed(const struct s3_delivery *delivery, enum sink_stage failed,
                                  enum status status, struct fault *fault)
{
    char completed[S3_COMMIT_NAMED * 400 + 200], told[FAULT_MESSAGE_MAX];
    if (fault == NULL) return status;
    list_completed(delivery, completed, sizeof completed);
    if (completed[0] == '\0' && delivery->withdrawn == 0) return status;
    memcpy(told, fault->message, sizeof told);
    return fault_set(fault, status, "%s%s%s%s", told, not_written(delivery, failed), completed,
                     withdrawn(delivery));
}

/* Once all rows are there, a run that is stopped would leave them without what makes them a delivery: the few
 * small objects that are left are put all the same. So would one of which the former token is gone: its parts
 * are all there, and Completes are short. */
static enum status commit_stage(struct s3_delivery *delivery, enum sink_stage stage, struct fault *fault)
{
    struct s3_pass const complete = {.of_stage = true,
                                     .stage = stage,
                                     .wants = wants_look,
                                     .start = start_complete,
                                     .finish = finish_complete,
                                     .uninterrupted = stage != SINK_DATA || delivery->withdrawn != 0};
    enum status const status = s3_pass_run(delivery, &complete, fault);
    return status == STATUS_OK ? verify(delivery, stage, fault) : status;
}

enum status s3_commit(struct s3_delivery *delivery, struct fault *fault)
{
    struct s3_pass const look = {.wants = wants_look, .start = start_look, .finish = s3_delivery_settle};
    enum status status = check_names(delivery, fault);
    if (status == STATUS_OK && !delivery->options.replace) status = s3_pass_run(delivery, &look, fault);
    if (status != STATUS_OK) return status;
    if (delivery->options.replace) status = s3_withdraw(delivery, fault);
    if (status != STATUS_OK) return tell_completed(delivery, SINK_DATA, status, fault);
    for (int stage = SINK_DATA; stage <= SINK_TOKEN; stage++) {
        status = commit_stage(delivery, (enum sink_stage)stage, fault);
        if (status != STATUS_OK) return tell_completed(delivery, (enum sink_stage)stage, status, fault);
    }
    s3_withdraw_surplus(delivery);
    s3_stray_sweep(delivery, s3_delivery_now() + S3_ABORT_SECONDS * 1000000000ull);
    return STATUS_OK;
}
