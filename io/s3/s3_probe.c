/* s3_probe.c - the steps of a trial delivery. Thread: main. Owns the call at hand and the upload's id.
 *
 * Which right a request needs: docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html, "Multipart
 * upload API and permissions"; the call's own message names those of its operation (s3_message.h). */
#include "io/s3/s3_probe.h"

#include "io/s3/s3_uploads.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The part that is sent; what it is does not matter, S3 takes a last part of any size. */
static const uint8_t part_bytes[] = {'\n'};

struct probe {
    const struct s3_port *port;
    const struct s3_probe_request *request;
    struct s3_probe_result *result;
    char *upload_id; /* NULL: there is no upload */
    /* What the HEAD of the key was denied for: told when the credentials are known to be good. */
    char doubt[FAULT_MESSAGE_MAX + 256];
    enum status doubt_status; /* STATUS_OK: an export may do without */
    enum status status;       /* the first failure */
    struct fault *fault;
};

/* ---- telling ---- */

__attribute__((format(printf, 2, 3))) static void warn(const struct probe *probe, const char *format, ...)
{
    char message[FAULT_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    probe->request->warn(probe->request->warn_context, message);
}

/* The first failure is the result, later ones are told; what an interruption stopped is neither. */
__attribute__((format(printf, 3, 4))) static void fail(struct probe *probe, enum status status,
                                                       const char *format, ...)
{
    char message[FAULT_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (probe->status == STATUS_OK)
        probe->status = fault_set(probe->fault, status, "%s", message);
    else if (status != STATUS_INTERRUPTED && status != STATUS_TERMINATED)
        probe->request->warn(probe->request->warn_context, message);
}

static bool is_interrupted(struct probe *probe)
{
    enum status const status = probe->request->interrupted();
    if (status != STATUS_OK) fail(probe, status, "stopped");
    return status != STATUS_OK;
}

/* ---- calls ---- */

static struct s3_call *new_call(struct probe *probe, enum s3_op_kind kind)
{
    struct s3_call *const call = calloc(1, sizeof *call);
    if (call == NULL) {
        fail(probe, STATUS_IO, "S3: no memory left for a request");
        return NULL;
    }
    call->op.kind = kind;
    if (kind != S3_HEAD_BUCKET) call->op.key = probe->request->key;
    call->op.upload_id = probe->upload_id;
    return call;
}

static void free_call(struct s3_call *call)
{
    if (call != NULL) s3_call_free(call);
    free(call);
}

static enum s3_verdict run(struct probe *probe, struct s3_call *call, bool uninterrupted)
{
    return s3_port_run(probe->port, call, uninterrupted, NULL) == STATUS_OK ? S3_DONE : call->verdict;
}

/* The credentials themselves are refused: then no right can be judged. A HEAD does not tell (its answer has
 * no body), other operations do. */
static bool is_about_credentials(const struct s3_call *call)
{
    static const char *const codes[] = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken"};
    for (size_t i = 0; call->verdict == S3_DENIED && i < sizeof codes / sizeof *codes; i++)
        if (strcmp(call->answer.code, codes[i]) == 0) return true;
    return false;
}

/* ---- HEAD ---- */

/* False: no use in going on. */
static bool look_at_bucket(struct probe *probe)
{
    struct s3_call *const call = new_call(probe, S3_HEAD_BUCKET);
    if (call == NULL) return false;
    enum s3_verdict const verdict = run(probe, call, false);
    probe->result->lists_bucket = verdict == S3_DONE;
    if (verdict != S3_DONE && verdict != S3_DENIED) fail(probe, call->status, "%s", call->fault.message);
    free_call(call);
    return verdict == S3_DONE || verdict == S3_DENIED;
}

static void key_denied(struct probe *probe, const struct s3_call *call)
{
    const char *const said = call->fault.message;
    probe->doubt_status = call->status;
    if (!probe->request->replace) {
        snprintf(probe->doubt, sizeof probe->doubt,
                 "%s; with if_exists: fail an export looks first whether a file is there: that takes "
                 "s3:GetObject and s3:ListBucket%s; if_exists: replace looks only at what it wrote itself",
                 said, probe->result->lists_bucket ? " (the latter is there)" : "");
    } else if (probe->result->lists_bucket) {
        snprintf(probe->doubt, sizeof probe->doubt,
                 "%s; an export looks at what it wrote: that takes s3:GetObject", said);
    } else {
        snprintf(
            probe->doubt, sizeof probe->doubt,
            "%s; whether s3:GetObject is there can't be seen without s3:ListBucket: an export needs it, to "
            "look at what it wrote",
            said);
        probe->doubt_status = STATUS_OK;
    }
}

static void tell_doubt(struct probe *probe)
{
    if (probe->doubt[0] == '\0') return;
    if (probe->doubt_status == STATUS_OK)
        warn(probe, "%s", probe->doubt);
    else
        fail(probe, probe->doubt_status, "%s", probe->doubt);
    probe->doubt[0] = '\0';
}

static enum status exists(const struct s3_port *port, const char *key, struct fault *fault)
{
    return fault_set(
        fault, STATUS_EXISTS,
        "s3://%s/%s: exists already. if_exists: replace replaces files, also those that a killed run "
        "left; else give another destination, files.name or --run-time",
        port->bucket, key);
}

/* False: no use in going on. */
static bool look_at_key(struct probe *probe)
{
    struct s3_call *const call = new_call(probe, S3_HEAD_OBJECT);
    if (call == NULL) return false;
    bool goes_on = true;
    switch (run(probe, call, false)) {
    case S3_NO_KEY: break;
    case S3_DENIED: key_denied(probe, call); break;
    case S3_DONE:
        probe->result->taken = true;
        if (probe->request->replace) break;
        probe->status =
            exists(probe->port, probe->request->key, probe->fault); /* the first: see look_at_bucket() */
        goes_on = false;
        break;
    default:
        fail(probe, call->status, "%s", call->fault.message);
        goes_on = false;
        break;
    }
    free_call(call);
    return goes_on;
}

/* ---- Create ---- */

static bool uses_kms(const struct s3_object_options *object)
{
    return object->sse != NULL && strncmp(object->sse, "aws:kms", strlen("aws:kms")) == 0;
}

static void keep_upload(struct probe *probe, const struct s3_call *call)
{
    probe->upload_id = strdup(call->answer.upload_id);
    if (probe->upload_id == NULL)
        fail(probe, STATUS_IO, "S3: no memory left; the upload %s of s3://%s/%s stays unfinished",
             call->answer.upload_id, probe->port->bucket, probe->request->key);
}

/* Takes the upload away again. */
static void abort_upload(struct probe *probe)
{
    struct fault fault;
    enum status const status = s3_uploads_abort(probe->port, probe->request->key, probe->upload_id, NULL,
                                                &probe->result->lists_parts, &fault);
    if (status != STATUS_OK)
        fail(probe, status, "%s; the upload %s stays unfinished, as would those of an export that fails",
             fault.message, probe->upload_id);
    free(probe->upload_id);
    probe->upload_id = NULL;
}

/* Not interrupted: whether there is an upload to abort would be unknown. True: there is one. */
static bool create(struct probe *probe, const struct s3_object_options *object, struct s3_call *call)
{
    call->op.object = object;
    call->op.checksum_kind = probe->request->checksum;
    if (run(probe, call, true) != S3_DONE) return false;
    probe->result->abort_date = call->answer.abort_date;
    if (call->attempts > 1)
        warn(probe,
             "CreateMultipartUpload s3://%s/%s: an answer was lost, so that one more unfinished upload of it "
             "may "
             "be there: `penstock cleanup` lists it",
             probe->port->bucket, probe->request->key);
    keep_upload(probe, call);
    return probe->upload_id != NULL;
}

/* Would it be allowed with these options? Leaves nothing behind. */
static bool is_allowed(struct probe *probe, const struct s3_object_options *object)
{
    struct s3_call *const call = is_interrupted(probe) ? NULL : new_call(probe, S3_CREATE_UPLOAD);
    bool const allowed = call != NULL && create(probe, object, call);
    if (allowed) abort_upload(probe);
    free_call(call);
    return allowed;
}

/* Which of the options is it? Each is left out in turn; the others stay, for a bucket may insist on one. */
static void name_right(struct probe *probe, const struct s3_call *denied)
{
    const struct s3_object_options *const all = probe->request->object;
    struct s3_object_options without_tags = *all, without_acl = *all, without_kms = *all;
    without_tags.tag_count = 0;
    without_acl.acl = NULL;
    without_kms.sse = NULL;
    without_kms.kms_key_id = NULL;
    const char *right = NULL;
    if (all->tag_count > 0 && is_allowed(probe, &without_tags))
        right = "s3:PutObjectTagging (it is allowed without destination.tags)";
    else if (all->acl != NULL && is_allowed(probe, &without_acl))
        right = "s3:PutObjectAcl (it is allowed without destination.acl)";
    else if (uses_kms(all) && is_allowed(probe, &without_kms))
        right = "kms:GenerateDataKey of the key (it is allowed without destination.sse)";
    if (right == NULL)
        fail(probe, denied->status, "%s", denied->fault.message);
    else
        fail(probe, denied->status, "%s; what is missing is %s", denied->fault.message, right);
}

static bool begin(struct probe *probe)
{
    struct s3_call *const call = new_call(probe, S3_CREATE_UPLOAD);
    if (call == NULL) return false;
    bool const begun = create(probe, probe->request->object, call);
    /* credentials that are refused explain every HEAD that was denied */
    if (!is_about_credentials(call)) tell_doubt(probe);
    if (!begun && call->verdict == S3_DENIED && !is_about_credentials(call))
        name_right(probe, call);
    else if (!begun && call->verdict != S3_DONE)
        fail(probe, call->status, "%s", call->fault.message);
    free_call(call);
    return begun;
}

/* ---- the upload ---- */

static void send_part(struct probe *probe)
{
    struct s3_call *const call = new_call(probe, S3_UPLOAD_PART);
    if (call == NULL) return;
    struct http_span const span = {.bytes = part_bytes, .length = sizeof part_bytes};
    call->op.part = 1;
    call->op.body = &span;
    call->op.body_count = 1;
    call->op.body_length = sizeof part_bytes;
    call->op.checksum_kind = probe->request->checksum;
    call->op.checksum = checksum_update(call->op.checksum_kind, 0, part_bytes, sizeof part_bytes);
    enum s3_verdict const verdict = run(probe, call, false);
    if (verdict == S3_DENIED && uses_kms(probe->request->object))
        fail(probe, call->status,
             "%s; the upload could be begun, so what is missing is kms:Decrypt of the key",
             call->fault.message);
    else if (verdict != S3_DONE)
        fail(probe, call->status, "%s", call->fault.message);
    free_call(call);
}

static void list_parts(struct probe *probe)
{
    struct s3_call *const call = new_call(probe, S3_LIST_PARTS);
    if (call == NULL) return;
    call->op.list_most = 1;
    enum s3_verdict const verdict = run(probe, call, false);
    probe->result->lists_parts = verdict == S3_DONE;
    if (verdict == S3_DENIED || verdict == S3_NOT_SUPPORTED)
        warn(probe, "%s; an export works without, but can't prove that nothing stays behind when it fails",
             call->fault.message);
    else if (verdict != S3_DONE)
        fail(probe, call->status, "%s", call->fault.message);
    free_call(call);
}

static void try_upload(struct probe *probe)
{
    if (!begin(probe)) return;
    if (!is_interrupted(probe)) send_part(probe);
    if (!is_interrupted(probe)) list_parts(probe);
    bool const lists_parts = probe->result->lists_parts;
    abort_upload(probe);
    probe->result->lists_parts = lists_parts;
}

enum status s3_probe(const struct s3_port *port, const struct s3_probe_request *request,
                     struct s3_probe_result *result, struct fault *fault)
{
    *result = (struct s3_probe_result){.taken = false};
    struct probe probe = {.port = port, .request = request, .result = result, .fault = fault};
    if (look_at_bucket(&probe) && !is_interrupted(&probe) && look_at_key(&probe) && !is_interrupted(&probe))
        try_upload(&probe);
    if (probe.status == STATUS_OK && !result->lists_bucket)
        warn(&probe,
             "HEAD of bucket %s is denied: s3:ListBucket is missing; an export works without it here, but "
             "with a "
             "poorer message when a file is missing",
             port->bucket);
    return probe.status;
}

enum status s3_probe_name(const struct s3_port *port, const char *key, bool replace, bool *taken,
                          struct fault *fault)
{
    struct s3_call *const call = calloc(1, sizeof *call);
    if (call == NULL) return fault_set(fault, STATUS_IO, "S3: no memory left for a request");
    call->op.kind = S3_HEAD_OBJECT;
    call->op.key = key;
    enum status status = s3_port_run(port, call, false, fault);
    *taken = status == STATUS_OK;
    if (*taken && !replace) status = exists(port, key, fault);
    if (call->verdict == S3_NO_KEY || call->verdict == S3_DENIED) status = STATUS_OK;
    free_call(call);
    return status;
}
