/* s3_message_remedy.c - what to do about a call that failed: which key of the job, which right, which
 * variable. Thread: any; pure. Owns nothing. */
#include "io/s3/s3_message_remedy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A text that grows; what does not fit is left out. */
struct remedy {
    char *out;
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct remedy *remedy, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t const room = S3_REMEDY_MAX - remedy->used;
    int const length = vsnprintf(remedy->out + remedy->used, room, format, arguments);
    va_end(arguments);
    if (length > 0) remedy->used += (size_t)length < room ? (size_t)length : room - 1;
}

/* A host or a bucket in a remedy: an ARN may be long. */
#define NAME_SHOWN 128

static bool is_code(const struct s3_failure *failure, const char *code)
{
    return strcmp(failure->answer->code, code) == 0;
}

static const char *right_of(enum s3_op_kind kind)
{
    switch (kind) {
    case S3_HEAD_BUCKET: return "s3:ListBucket";
    case S3_CREATE_UPLOAD:
    case S3_UPLOAD_PART:
    case S3_COMPLETE_UPLOAD:
    case S3_PUT_OBJECT: return "s3:PutObject";
    case S3_ABORT_UPLOAD: return "s3:AbortMultipartUpload";
    case S3_LIST_PARTS: return "s3:ListMultipartUploadParts";
    case S3_LIST_OBJECTS: return "s3:ListBucket";
    case S3_LIST_UPLOADS: return "s3:ListBucketMultipartUploads";
    case S3_HEAD_OBJECT:
        return "s3:GetObject and s3:ListBucket (without it a missing object is refused, too)";
    case S3_GET_OBJECT: return "s3:GetObject";
    case S3_DELETE_OBJECT: return "s3:DeleteObject";
    case S3_OP_KINDS: break;
    }
    return "of this operation";
}

/* What the object's options need besides. */
static void add_rights(struct remedy *remedy, const struct s3_op *op)
{
    add(remedy, "%s", right_of(op->kind));
    if (op->object == NULL) return;
    if (op->object->tag_count > 0) add(remedy, ", s3:PutObjectTagging (destination.tags)");
    if (op->object->acl != NULL) add(remedy, ", s3:PutObjectAcl (destination.acl)");
    if (op->object->sse != NULL && strncmp(op->object->sse, "aws:kms", 7) == 0)
        add(remedy, ", kms:GenerateDataKey and kms:Decrypt of the key (destination.kms_key_id)");
}

static void add_denied(struct remedy *remedy, const struct s3_subject *subject, const struct s3_op *op,
                       const struct s3_failure *failure)
{
    if (is_code(failure, "InvalidAccessKeyId")) {
        add(remedy,
            "%s does not know this access key: check the credentials in use (%s), and that they are of "
            "this store",
            subject->host, subject->credentials);
        return;
    }
    if (is_code(failure, "SignatureDoesNotMatch")) {
        add(remedy, "the secret access key is not that of the access key: check the credentials in use (%s)",
            subject->credentials);
        return;
    }
    if (is_code(failure, "InvalidToken")) {
        add(remedy,
            "the session token is not valid, or not that of the access key: check the credentials in use "
            "(%s)",
            subject->credentials);
        return;
    }
    if (is_code(failure, "AccountProblem") || is_code(failure, "AllAccessDisabled") ||
        is_code(failure, "NotSignedUp")) {
        add(remedy, "this account may not use S3 at present: ask its owner");
        return;
    }
    bool const is_head = op->kind == S3_HEAD_BUCKET || op->kind == S3_HEAD_OBJECT;
    add(remedy, "give the identity of the credentials in use (%s) the right ", subject->credentials);
    add_rights(remedy, op);
    add(remedy, " on bucket %.*s", NAME_SHOWN, subject->bucket);
    if (is_head) add(remedy, ", or correct the credentials (the answer to a HEAD does not tell which it is)");
    if (subject->expected_owner != NULL)
        add(remedy, "; also refused when the bucket does not belong to account %s (account_id)",
            subject->expected_owner);
}

static bool mentions(const struct s3_failure *failure, const char *word)
{
    return strcasestr(failure->answer->message, word) != NULL ||
           strcasestr(failure->answer->code, word) != NULL;
}

/* The settings an operation was made with, as alternatives: all in use, or those the server's words name. */
static size_t add_settings(struct remedy *remedy, const struct s3_op *op, const struct s3_failure *failure,
                           bool all)
{
    const struct s3_object_options *const object = op->object;
    struct setting {
        bool used;
        const char *word, *advice;
    } const settings[] = {
        {op->checksum_kind != CHECKSUM_NONE, "checksum", "destination.checksum: none (or crc32c, crc32)"},
        {op->if_none_match, "none-match", "destination.if_exists: replace"},
        {object != NULL && object->sse != NULL, "encryption",
         "destination.sse: none (or another destination.kms_key_id)"},
        {object != NULL && object->storage_class != NULL, "storage", "destination.storage_class: null"},
        {object != NULL && object->acl != NULL, "acl", "destination.acl: null"},
        {object != NULL && object->tag_count > 0, "tag", "destination.tags: {}"},
    };
    size_t count = 0;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (!settings[i].used || !(all || mentions(failure, settings[i].word))) continue;
        add(remedy, "%s%s", count == 0 ? "" : ", or ", settings[i].advice);
        count++;
    }
    return count;
}

static void add_not_supported(struct remedy *remedy, const struct s3_subject *subject, const struct s3_op *op,
                              const struct s3_failure *failure)
{
    if (failure->no_echo) {
        add(remedy,
            "%s does not check %s, so nobody would see a damaged upload: destination.checksum: none accepts "
            "that, or try crc32c or crc32",
            subject->host, checksum_name(op->checksum_kind));
        return;
    }
    add(remedy, "%s does not support what this was asked with: ", subject->host);
    if (add_settings(remedy, op, failure, false) == 0 && add_settings(remedy, op, failure, true) == 0)
        add(remedy, "check destination.endpoint");
}

static void add_elsewhere(struct remedy *remedy, const struct s3_subject *subject,
                          const struct s3_failure *failure)
{
    const char *const region = failure->answer->region;
    bool const known = region[0] != '\0' && strcmp(region, subject->region) != 0;
    if (subject->is_aws && known)
        add(remedy, "the bucket is in another region than %s: destination.region: %s", subject->region,
            region);
    else if (subject->is_aws)
        add(remedy,
            "the bucket is in another region than %s, and no answer says which: set destination.region",
            subject->region);
    else
        add(remedy,
            "the bucket does not answer at %s (region %s)%s%s: correct destination.endpoint and "
            "destination.region",
            subject->host, subject->region, known ? ", it is in " : "", known ? region : "");
}

/* No reply, or one that is none of S3. */
static void add_network(struct remedy *remedy, const struct s3_subject *subject,
                        const struct s3_failure *failure)
{
    switch (failure->http) {
    case HTTP_RESOLVE:
        add(remedy,
            "no address for %s: check destination.endpoint and destination.region (%s) for a typing error, "
            "and "
            "this machine's name service",
            subject->host, subject->region);
        return;
    case HTTP_CONNECT:
        add(remedy,
            "nobody answers at %s: check destination.endpoint, the network's way out, and the proxy "
            "(HTTPS_PROXY, http_proxy)",
            subject->host);
        return;
    case HTTP_TLS:
        add(remedy, "no TLS with %s: does destination.endpoint want http:// or another port?", subject->host);
        return;
    case HTTP_PROXY: add(remedy, "check HTTPS_PROXY and NO_PROXY"); return;
    case HTTP_STALLED:
    case HTTP_BROKEN:
        add(remedy, "the way to %s or the store itself fails: run it again when it is well", subject->host);
        return;
    default: break;
    }
    if (failure->http == HTTP_BAD_REPLY || is_code(failure, "BadReply"))
        add(remedy, "is %s an S3 service? check destination.endpoint, and proxies on the way to it",
            subject->host);
    else
        add(remedy, "the store has a passing fault: run it again later");
}

static void add_passing(struct remedy *remedy, const struct s3_subject *subject,
                        const struct s3_failure *failure)
{
    if (failure->budget_used_up)
        add(remedy, "too many requests of this run failed, so no more are repeated: ");
    if (failure->hurried) add(remedy, "not repeated, since the run is ending: ");
    if (failure->verdict == S3_THROTTLED)
        add(remedy, "the store limits requests: run it again later, or with fewer --connections");
    else if (failure->verdict == S3_CONFLICT)
        add(remedy,
            "another request works on the same object: see that no other run writes it, then run it again");
    else
        add_network(remedy, subject, failure);
}

static void add_fatal(struct remedy *remedy, const struct s3_subject *subject, const struct s3_op *op,
                      const struct s3_failure *failure)
{
    const char *const code = failure->answer->code;
    if (is_code(failure, "PermanentRedirect") || is_code(failure, "TemporaryRedirect") ||
        is_code(failure, "AuthorizationHeaderMalformed"))
        add_elsewhere(remedy, subject, failure); /* told to go where it was */
    else if (failure->http == HTTP_MEMORY)
        add(remedy, "no memory: use fewer --connections or a larger --memory-limit");
    else if (failure->http == HTTP_REFUSED)
        add(remedy, "the bytes could not be taken");
    else if (failure->http == HTTP_PROXY)
        add(remedy, "the proxy refuses: check HTTPS_PROXY and NO_PROXY");
    else if (strncmp(code, "KMS.", 4) == 0)
        add(remedy, "check the key: destination.kms_key_id, and that it is of the bucket's region");
    else if (strcmp(code, "InvalidStorageClass") == 0)
        add(remedy, "correct destination.storage_class");
    else if (strcmp(code, "AccessControlListNotSupported") == 0 || strcmp(code, "MalformedACLError") == 0)
        add(remedy, "the bucket does not take this ACL: destination.acl: null");
    else if (strcmp(code, "InvalidTag") == 0)
        add(remedy, "correct destination.tags");
    else if (strcmp(code, "EntityTooLarge") == 0 || strcmp(code, "EntityTooSmall") == 0)
        add(remedy, "this store has other limits of sizes than S3: set --part-size");
    else if (strcmp(code, "QuotaExceeded") == 0 || strcmp(code, "InsufficientStorage") == 0)
        add(remedy, "make room in the bucket, or have its quota raised");
    else if (op->object != NULL &&
             (add_settings(remedy, op, failure, false) > 0 || add_settings(remedy, op, failure, true) > 0))
        add(remedy, " may help");
    else
        add(remedy,
            "this does not pass by itself: see what the server says; its support asks for the request id");
}

static void add_expired(struct remedy *remedy, const struct s3_subject *subject, const struct s3_op *op,
                        const struct s3_failure *failure)
{
    if (failure->renewal != NULL)
        add(remedy, "%s: run it again when they can be had", failure->renewal);
    else
        add(remedy, "the session of the credentials in use (%s) has expired: get new ones",
            subject->credentials);
    if (op->kind == S3_HEAD_BUCKET || op->kind == S3_HEAD_OBJECT)
        add(remedy, ", or correct destination.region (the answer to a HEAD does not tell which it is)");
}

static void add_no_bucket(struct remedy *remedy, const struct s3_subject *subject, const struct s3_op *op)
{
    bool const reads = op->kind == S3_LIST_OBJECTS || op->kind == S3_GET_OBJECT;
    add(remedy, "there is no bucket %.*s at %s: make it, or correct %s, region and endpoint", NAME_SHOWN,
        subject->bucket, subject->host, reads ? "the source's URL" : "destination.url");
}

void s3_message_remedy(const struct s3_subject *subject, const struct s3_op *op,
                       const struct s3_failure *failure, char out[static S3_REMEDY_MAX])
{
    struct remedy remedy = {.out = out};
    out[0] = '\0';
    switch (failure->verdict) {
    case S3_DONE: return;
    case S3_TRANSIENT:
    case S3_THROTTLED:
    case S3_CONFLICT: add_passing(&remedy, subject, failure); return;
    case S3_CORRUPTED:
        add(&remedy, "the bytes changed on their way to %s more than once: check proxies and the network",
            subject->host);
        return;
    case S3_CLOCK_SKEW: add(&remedy, "the server takes this machine's clock for wrong: set it"); return;
    case S3_EXPIRED: add_expired(&remedy, subject, op, failure); return;
    case S3_OTHER_REGION:
    case S3_REDIRECT: add_elsewhere(&remedy, subject, failure); return;
    case S3_DENIED: add_denied(&remedy, subject, op, failure); return;
    case S3_NO_BUCKET: add_no_bucket(&remedy, subject, op); return;
    case S3_NO_UPLOAD:
        add(&remedy,
            "the upload is gone: a lifecycle rule (AbortIncompleteMultipartUpload) or somebody aborted "
            "it; run it again");
        return;
    case S3_NO_KEY: add(&remedy, "there is no such object"); return;
    case S3_EXISTS:
        add(&remedy,
            "the object exists already: remove it, choose another files.name, or destination.if_exists: "
            "replace");
        return;
    case S3_NOT_SUPPORTED: add_not_supported(&remedy, subject, op, failure); return;
    case S3_TRUST:
        add(&remedy,
            "the certificate of %s is not trusted: name the authority's certificates (a PEM file) in "
            "AWS_CA_BUNDLE",
            subject->host);
        return;
    case S3_FATAL: add_fatal(&remedy, subject, op, failure); return;
    }
}
