/* s3_stray.c - finds and aborts uploads whose id was never told. Thread: the assembler's. Owns the errands
 * that it runs. Rare, so one after the other. */
#include "io/output/s3_stray.h"

#include "io/s3/s3_xml_text.h"

#include <string.h>

/* Ceph RGW 16 encodes keys of lists without saying so. */
static bool is_key(const char *listed, const char *key)
{
    if (strcmp(listed, key) == 0) return true;
    char hidden[S3_KEY_MAX + 1];
    return s3_xml_text_hidden_key(listed, hidden) && strcmp(hidden, key) == 0;
}

static bool is_stray(const struct s3_delivery *delivery, const struct s3_upload *upload,
                     const struct s3_listed_upload *listed)
{
    int64_t const begun = listed->initiated - delivery->clock_offset;
    if (!is_key(listed->key, upload->key)) return false;
    if (upload->upload_id != NULL && strcmp(listed->upload_id, upload->upload_id) == 0) return false;
    return begun >= upload->stray_from - S3_STRAY_SLACK_SECONDS &&
           begun <= upload->stray_until + S3_STRAY_SLACK_SECONDS;
}

static bool remove_stray(struct s3_delivery *delivery, struct s3_upload *upload, const char *upload_id)
{
    struct s3_errand *const errand = s3_errand_create(delivery, upload, S3_STEP_ABORT, S3_ABORT_UPLOAD, NULL);
    if (errand == NULL) return false;
    errand->call.op.upload_id = upload_id;
    s3_client_run(delivery->options.client, &errand->call, true);
    bool const gone = errand->call.verdict == S3_DONE || errand->call.verdict == S3_NO_UPLOAD;
    s3_errand_free(delivery, errand);
    return gone;
}

/* All uploads of the key stand on the first page: it is the first of the keys that begin with it. */
static bool sweep(struct s3_delivery *delivery, struct s3_upload *upload)
{
    struct s3_errand *const errand = s3_errand_create(delivery, upload, S3_STEP_LIST, S3_LIST_UPLOADS, NULL);
    if (errand == NULL) return false;
    struct s3_op *const op = &errand->call.op;
    op->key = NULL;
    op->upload_id = NULL;
    op->prefix = upload->key;
    s3_client_run(delivery->options.client, &errand->call, true);
    const struct s3_answer *const answer = &errand->call.answer;
    bool clean = errand->call.verdict == S3_DONE;
    for (size_t i = 0; clean && i < answer->upload_count; i++)
        if (is_stray(delivery, upload, &answer->uploads[i]))
            clean = remove_stray(delivery, upload, answer->uploads[i].upload_id);
    s3_errand_free(delivery, errand);
    return clean;
}

uint32_t s3_stray_sweep(struct s3_delivery *delivery, uint64_t deadline)
{
    uint32_t left = 0;
    char url[S3_DELIVERY_URL_SIZE];
    for (uint32_t i = 0; i < delivery->count; i++) {
        struct s3_upload *const upload = delivery->uploads[i];
        if (!upload->has_stray) continue;
        upload->has_stray = false;
        if (s3_delivery_now() < deadline && sweep(delivery, upload)) continue;
        if (left++ == 0)
            s3_delivery_warn(
                delivery,
                "%s: an upload whose id S3 did not tell us may be left unfinished; `penstock cleanup "
                "s3://%s/%s --older-than 1h` removes it",
                s3_delivery_url(delivery, upload, url), delivery->options.bucket, delivery->options.prefix);
    }
    if (left > 1)
        s3_delivery_warn(delivery, "S3: so may %u more unfinished uploads of other files", left - 1);
    return left;
}
