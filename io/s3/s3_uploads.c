/* s3_uploads.c - lists and aborts unfinished uploads, one request at a time. Thread: main. Owns its calls and
 * the marks of where a listing goes on. */
#include "io/s3/s3_uploads.h"

#include "io/s3/s3_xml_text.h"

#include <stdlib.h>
#include <string.h>

/* A call has some 8 KB: not for the stack of whoever calls from deep inside. */
static struct s3_call *new_call(enum s3_op_kind kind, struct fault *fault)
{
    struct s3_call *const call = calloc(1, sizeof *call);
    if (call == NULL)
        fault_set(fault, STATUS_IO, "S3: no memory left for a request");
    else
        call->op.kind = kind;
    return call;
}

static void free_call(struct s3_call *call)
{
    if (call != NULL) s3_call_free(call);
    free(call);
}

/* ---- keys ---- */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Ceph RGW 16 encodes the keys of a list, as we ask it to, but does not say so in EncodingType as S3 does,
 * and leaves NextKeyMarker as it is. A key with `%` in it can't be told from an encoded one by itself; but
 * all keys begin with the prefix, and the marker is the last key. */
static bool is_encoded(const struct s3_answer *answer, const char *prefix)
{
    char key[S3_KEY_MAX + 1];
    for (size_t i = 0; i < answer->upload_count; i++) {
        const char *const listed = answer->uploads[i].key;
        if (!s3_xml_text_hidden_key(listed, key)) continue;
        if (!begins(listed, prefix) && begins(key, prefix)) return true;
        bool const marked = i + 1 == answer->upload_count && answer->next_key_marker != NULL;
        if (marked && strcmp(listed, answer->next_key_marker) != 0 &&
            strcmp(key, answer->next_key_marker) == 0)
            return true;
    }
    return false;
}

/* ---- the list ---- */

/* Where the next page begins. */
struct marks {
    char *key, *upload;
    bool encoded; /* the keys of this store's lists are */
};

static bool same(const char *one, const char *other)
{
    return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

/* A list that says it goes on where it began would never end. */
static enum status move_on(struct marks *marks, const struct s3_answer *answer, const struct s3_port *port,
                           struct fault *fault)
{
    if (same(marks->key, answer->next_key_marker) && same(marks->upload, answer->next_upload_marker))
        return fault_set(fault, STATUS_IO,
                         "ListMultipartUploads s3://%s: the store's list does not go on behind its first %u "
                         "entries; this is the store's mistake: abort those first, or ask its support",
                         port->bucket, S3_LIST_MAX);
    free(marks->key);
    free(marks->upload);
    const char *const key = answer->next_key_marker, *const upload = answer->next_upload_marker;
    marks->key = key == NULL ? NULL : strdup(key);
    marks->upload = upload == NULL ? NULL : strdup(upload);
    bool const failed = (key != NULL && marks->key == NULL) || (upload != NULL && marks->upload == NULL);
    return failed ? fault_set(fault, STATUS_IO, "S3: no memory left for a list") : STATUS_OK;
}

static enum status list_page(const struct s3_port *port, const char *prefix, struct marks *marks,
                             s3_uploads_fn *each, void *context, bool *more, struct fault *fault)
{
    struct s3_call *const call = new_call(S3_LIST_UPLOADS, fault);
    if (call == NULL) return STATUS_IO;
    call->op.prefix = prefix;
    call->op.key_marker = marks->key;
    call->op.upload_marker = marks->upload;
    enum status status = s3_port_run(port, call, false, fault);
    const struct s3_answer *const answer = &call->answer;
    marks->encoded = marks->encoded || is_encoded(answer, prefix);
    for (size_t i = 0; status == STATUS_OK && i < answer->upload_count; i++) {
        struct s3_listed_upload upload = answer->uploads[i];
        char key[S3_KEY_MAX + 1];
        if (marks->encoded && s3_xml_text_hidden_key(upload.key, key)) upload.key = key;
        status = each(context, &upload, answer->date, fault);
    }
    *more = answer->truncated;
    if (status == STATUS_OK && *more) status = move_on(marks, answer, port, fault);
    free_call(call);
    return status;
}

enum status s3_uploads_list(const struct s3_port *port, const char *prefix, s3_uploads_fn *each,
                            void *context, struct fault *fault)
{
    struct marks marks = {.key = NULL};
    enum status status = STATUS_OK;
    for (bool more = true; status == STATUS_OK && more;)
        status = list_page(port, prefix, &marks, each, context, &more, fault);
    free(marks.key);
    free(marks.upload);
    return status;
}

/* ---- the way out ---- */

static enum s3_verdict ask(const struct s3_port *port, enum s3_op_kind kind, const char *key,
                           const char *upload_id, bool uninterrupted, enum status *status,
                           struct fault *fault)
{
    struct s3_call *const call = new_call(kind, fault);
    if (call == NULL) {
        *status = STATUS_IO;
        return S3_FATAL;
    }
    call->op.key = key;
    call->op.upload_id = upload_id;
    if (kind == S3_LIST_PARTS) call->op.list_most = 1; /* whether it answers is all that counts */
    *status = s3_port_run(port, call, uninterrupted, fault);
    enum s3_verdict const verdict = call->verdict;
    free_call(call);
    return verdict;
}

enum outcome { GONE, GONE_UNPROVEN, THERE, STUCK };

/* A key that was listed without telling that it is encoded (see is_encoded()): its upload is found under what
 * it stands for. An upload's id belongs to one key, so no other one can be hit. */
static enum s3_verdict ask_abort(const struct s3_port *port, char key[S3_KEY_MAX + 1], const char *upload_id,
                                 bool uninterrupted, enum status *status, struct fault *fault)
{
    char decoded[S3_KEY_MAX + 1];
    enum s3_verdict const verdict = ask(port, S3_ABORT_UPLOAD, key, upload_id, uninterrupted, status, fault);
    if ((verdict != S3_NO_UPLOAD && verdict != S3_NO_KEY) || !s3_xml_text_hidden_key(key, decoded))
        return verdict;
    memcpy(key, decoded, sizeof decoded);
    return ask(port, S3_ABORT_UPLOAD, key, upload_id, uninterrupted, status, fault);
}

static enum outcome abort_once(const struct s3_port *port, char key[S3_KEY_MAX + 1], const char *upload_id,
                               bool uninterrupted, enum status *status, struct fault *fault)
{
    switch (ask_abort(port, key, upload_id, uninterrupted, status, fault)) {
    case S3_DONE: break;
    case S3_NO_UPLOAD:
    case S3_NO_KEY: return GONE;
    case S3_CONFLICT: return THERE; /* a Complete that the server still works on */
    default: return STUCK;
    }
    switch (ask(port, S3_LIST_PARTS, key, upload_id, uninterrupted, status, fault)) {
    case S3_NO_UPLOAD:
    case S3_NO_KEY: return GONE;
    case S3_DENIED:
    case S3_NOT_SUPPORTED: return GONE_UNPROVEN;
    case S3_DONE: return THERE;
    default: return STUCK;
    }
}

enum status s3_uploads_abort(const struct s3_port *port, const char *key, const char *upload_id,
                             enum status (*interrupted)(void), bool *proven, struct fault *fault)
{
    enum status status = STATUS_OK;
    char known[S3_KEY_MAX + 1]; /* may become the decoded one */
    if (strlen(key) > S3_KEY_MAX)
        return fault_set(fault, STATUS_IO, "s3://%s/%.100s...: the key has more than %u bytes", port->bucket,
                         key, S3_KEY_MAX);
    memcpy(known, key, strlen(key) + 1);
    for (uint32_t round = 0; round < S3_UPLOADS_ROUNDS; round++) {
        if (round > 0) port->pause(port->context, S3_UPLOADS_PAUSE_MS << (round - 1));
        status = round > 0 && interrupted != NULL ? interrupted() : STATUS_OK;
        if (status != STATUS_OK)
            return fault_set(fault, status, "stopped while s3://%s/%s was aborted", port->bucket, key);
        switch (abort_once(port, known, upload_id, interrupted == NULL, &status, fault)) {
        case GONE:
            if (proven != NULL) *proven = true;
            return STATUS_OK;
        case GONE_UNPROVEN:
            if (proven != NULL) *proven = false;
            return STATUS_OK;
        case STUCK: return status;
        case THERE: break;
        }
    }
    return fault_set(
        fault, STATUS_TRY_AGAIN,
        "AbortMultipartUpload s3://%s/%s: the upload is still there after %u aborts: parts of it may "
        "still be on their way; try again later",
        port->bucket, key, S3_UPLOADS_ROUNDS);
}
