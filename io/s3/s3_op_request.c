/* s3_op_request.c - an operation as a request: path, query and headers.
 *
 * Headers: docs.aws.amazon.com/AmazonS3/latest/API, each operation's page. Two facts that are not there:
 * PutObject's checksum is passed over by RGW unless x-amz-sdk-checksum-algorithm stands beside it (the SDKs
 * always send it), and UploadPart needs no more than Create's x-amz-checksum-algorithm.
 *
 * Thread rule: pure. Owns nothing: all texts lie in the caller's arena. */
#include "io/s3/s3_op.h"

#include "io/s3/s3_complete_xml.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A request in the making. The first failure stays; what follows it does nothing. */
struct draft {
    const struct s3_op *op;
    struct aws_request *request;
    struct arena *arena;
    struct fault *fault;
    enum status status;
};

const char *s3_op_name(enum s3_op_kind kind)
{
    static const char *const names[S3_OP_KINDS] = {
        [S3_HEAD_BUCKET] = "HeadBucket",
        [S3_CREATE_UPLOAD] = "CreateMultipartUpload",
        [S3_UPLOAD_PART] = "UploadPart",
        [S3_COMPLETE_UPLOAD] = "CompleteMultipartUpload",
        [S3_ABORT_UPLOAD] = "AbortMultipartUpload",
        [S3_LIST_PARTS] = "ListParts",
        [S3_LIST_UPLOADS] = "ListMultipartUploads",
        [S3_LIST_OBJECTS] = "ListObjectsV2",
        [S3_PUT_OBJECT] = "PutObject",
        [S3_HEAD_OBJECT] = "HeadObject",
        [S3_GET_OBJECT] = "GetObject",
        [S3_DELETE_OBJECT] = "DeleteObject",
    };
    return kind < S3_OP_KINDS ? names[kind] : "?";
}

static void fail_memory(struct draft *draft)
{
    if (draft->status == STATUS_OK)
        draft->status = fault_set(draft->fault, STATUS_IO, "out of memory for the request %s",
                                  s3_op_name(draft->op->kind));
}

static void fail_internal(struct draft *draft, const char *what)
{
    if (draft->status == STATUS_OK)
        draft->status = fault_set(draft->fault, STATUS_INTERNAL, "%s: %s", s3_op_name(draft->op->kind), what);
}

static const char *format(struct draft *draft, const char *pattern, ...)
    __attribute__((format(printf, 2, 3)));

static const char *format(struct draft *draft, const char *pattern, ...)
{
    va_list arguments, again;
    va_start(arguments, pattern);
    va_copy(again, arguments);
    int const length = vsnprintf(NULL, 0, pattern, arguments);
    va_end(arguments);
    char *text = length < 0 ? NULL : arena_alloc(draft->arena, (size_t)length + 1);
    if (text != NULL) vsnprintf(text, (size_t)length + 1, pattern, again);
    va_end(again);
    if (text == NULL) fail_memory(draft);
    return text != NULL ? text : "";
}

static void query(struct draft *draft, const char *name, const char *value)
{
    if (draft->request->query_count == AWS_QUERY_MAX) {
        fail_internal(draft, "too many query parameters");
        return;
    }
    draft->request->query[draft->request->query_count++] = (struct aws_pair){name, value};
}

/* Signing trims and joins blanks, and S3 stores ASCII only: other values would come back changed. */
static bool is_header_value(const char *value)
{
    size_t const length = strlen(value);
    if (length == 0 || value[0] == ' ' || value[length - 1] == ' ') return false;
    for (size_t i = 0; i < length; i++)
        if (value[i] < ' ' || value[i] > '~' || (value[i] == ' ' && value[i + 1] == ' ')) return false;
    return true;
}

static void header(struct draft *draft, const char *name, const char *value)
{
    if (draft->status != STATUS_OK || value == NULL) return;
    if (draft->request->header_count == AWS_HEADERS_MAX) {
        draft->status =
            fault_set(draft->fault, STATUS_JOB, "%s: more than %u request headers; give fewer metadata",
                      s3_op_name(draft->op->kind), AWS_HEADERS_MAX);
        return;
    }
    if (!is_header_value(value)) {
        draft->status = fault_set(draft->fault, STATUS_JOB,
                                  "the value for the header %s can't be sent: it is empty, or has characters "
                                  "that are not printable ASCII, or blanks around it or side by side",
                                  name);
        return;
    }
    draft->request->headers[draft->request->header_count++] = (struct aws_pair){name, value};
}

static void number_header(struct draft *draft, const char *name, uint64_t value)
{
    header(draft, name, format(draft, "%" PRIu64, value));
}

/* ---- checksums ---- */

static void checksum_header(struct draft *draft)
{
    enum checksum_kind const kind = draft->op->checksum_kind;
    if (kind == CHECKSUM_NONE) return;
    char text[CHECKSUM_TEXT_SIZE];
    checksum_text(kind, draft->op->checksum, text);
    header(draft, format(draft, "x-amz-checksum-%s", checksum_name(kind)), format(draft, "%s", text));
}

/* ---- what an object is created with ---- */

static void tags(struct draft *draft, const struct s3_object_options *object)
{
    if (object->tag_count == 0 || draft->status != STATUS_OK) return;
    if (object->tag_count > S3_TAGS_MAX) {
        draft->status = fault_set(draft->fault, STATUS_JOB, "%zu tags; an object has %u at most",
                                  object->tag_count, S3_TAGS_MAX);
        return;
    }
    size_t size = 1;
    for (size_t i = 0; i < object->tag_count; i++)
        size += aws_encode(object->tags[i].name, false, NULL, 0) +
                aws_encode(object->tags[i].value, false, NULL, 0) + strlen("&=");
    char *text = arena_alloc(draft->arena, size);
    if (text == NULL) {
        fail_memory(draft);
        return;
    }
    char *at = text, *const end = text + size;
    for (size_t i = 0; i < object->tag_count; i++) {
        if (i > 0) *at++ = '&';
        at += aws_encode(object->tags[i].name, false, at, (size_t)(end - at));
        *at++ = '=';
        at += aws_encode(object->tags[i].value, false, at, (size_t)(end - at));
    }
    *at = '\0';
    header(draft, "x-amz-tagging", text);
}

static void metadata(struct draft *draft, const struct s3_object_options *object)
{
    size_t bytes = 0;
    for (size_t i = 0; i < object->metadata_count && draft->status == STATUS_OK; i++) {
        const struct aws_pair *pair = &object->metadata[i];
        bytes += strlen(pair->name) + strlen(pair->value);
        if (bytes > S3_METADATA_BYTES_MAX)
            draft->status = fault_set(draft->fault, STATUS_JOB,
                                      "metadata of an object, names and values together, may have %u bytes",
                                      S3_METADATA_BYTES_MAX);
        header(draft, format(draft, "x-amz-meta-%s", pair->name), pair->value);
    }
}

static void object_headers(struct draft *draft)
{
    const struct s3_object_options *object = draft->op->object;
    if (object == NULL) return;
    header(draft, "content-type", object->content_type);
    header(draft, "content-encoding", object->content_encoding);
    header(draft, "x-amz-server-side-encryption", object->sse);
    header(draft, "x-amz-server-side-encryption-aws-kms-key-id", object->kms_key_id);
    header(draft, "x-amz-storage-class", object->storage_class);
    header(draft, "x-amz-acl", object->acl);
    tags(draft, object);
    metadata(draft, object);
}

/* ---- operations ---- */

static void create(struct draft *draft)
{
    const char *kind = s3_complete_xml_checksum(draft->op->checksum_kind);
    draft->request->method = HTTP_POST;
    query(draft, "uploads", "");
    object_headers(draft);
    header(draft, "x-amz-checksum-algorithm", kind);
    if (kind != NULL) header(draft, "x-amz-checksum-type", "FULL_OBJECT");
}

static void upload_part(struct draft *draft)
{
    if (draft->op->part < 1 || draft->op->part > S3_PARTS_MAX) fail_internal(draft, "no such part number");
    draft->request->method = HTTP_PUT;
    query(draft, "partNumber", format(draft, "%" PRIu32, draft->op->part));
    query(draft, "uploadId", draft->op->upload_id);
    checksum_header(draft);
}

static void complete(struct draft *draft, const struct s3_endpoint *endpoint, struct http_span *xml)
{
    const struct s3_op *op = draft->op;
    draft->request->method = HTTP_POST;
    query(draft, "uploadId", op->upload_id);
    header(draft, "content-type", "application/xml");
    if (op->checksum_kind != CHECKSUM_NONE) {
        checksum_header(draft);
        header(draft, "x-amz-checksum-type", "FULL_OBJECT");
    }
    if (op->checksum_kind != CHECKSUM_NONE || endpoint->is_aws)
        number_header(draft, "x-amz-mp-object-size", op->object_size);
    if (op->if_none_match) header(draft, "if-none-match", "*");
    if (draft->status == STATUS_OK) draft->status = s3_complete_xml(op, draft->arena, xml, draft->fault);
}

static void list_parts(struct draft *draft)
{
    const struct s3_op *op = draft->op;
    draft->request->method = HTTP_GET;
    query(draft, "uploadId", op->upload_id);
    query(draft, "max-parts", format(draft, "%" PRIu32, op->list_most != 0 ? op->list_most : S3_LIST_MAX));
    if (op->part_marker != 0) query(draft, "part-number-marker", format(draft, "%" PRIu32, op->part_marker));
}

static void list_uploads(struct draft *draft)
{
    const struct s3_op *op = draft->op;
    draft->request->method = HTTP_GET;
    query(draft, "uploads", "");
    query(draft, "encoding-type", "url"); /* keys may have characters that XML can't carry */
    query(draft, "max-uploads", format(draft, "%" PRIu32, op->list_most != 0 ? op->list_most : S3_LIST_MAX));
    if (op->prefix != NULL && *op->prefix != '\0') query(draft, "prefix", op->prefix);
    if (op->key_marker != NULL && *op->key_marker != '\0') {
        query(draft, "key-marker", op->key_marker);
        /* Without a key S3 refuses it. */
        if (op->upload_marker != NULL && *op->upload_marker != '\0')
            query(draft, "upload-id-marker", op->upload_marker);
    }
}

static void list_objects(struct draft *draft)
{
    const struct s3_op *op = draft->op;
    draft->request->method = HTTP_GET;
    query(draft, "list-type", "2");
    query(draft, "encoding-type", "url"); /* as for uploads */
    query(draft, "max-keys", format(draft, "%" PRIu32, op->list_most != 0 ? op->list_most : S3_LIST_MAX));
    if (op->prefix != NULL && *op->prefix != '\0') query(draft, "prefix", op->prefix);
    if (op->list_flat) query(draft, "delimiter", "/");
    if (op->list_token != NULL) query(draft, "continuation-token", op->list_token);
}

static void put_object(struct draft *draft)
{
    draft->request->method = HTTP_PUT;
    object_headers(draft);
    header(draft, "x-amz-sdk-checksum-algorithm", s3_complete_xml_checksum(draft->op->checksum_kind));
    checksum_header(draft);
    if (draft->op->if_none_match) header(draft, "if-none-match", "*");
}

static void read_object(struct draft *draft, enum http_method method)
{
    const struct s3_op *op = draft->op;
    draft->request->method = method;
    if (op->checksum_kind != CHECKSUM_NONE || op->any_checksum)
        header(draft, "x-amz-checksum-mode", "ENABLED");
    if (op->kind != S3_GET_OBJECT) return;
    header(draft, "if-match", op->if_match);
    if (op->range_length == 0) return;
    if (op->range_begin > UINT64_MAX - op->range_length) {
        fail_internal(draft, "a range without end");
        return;
    }
    header(
        draft, "range",
        format(draft, "bytes=%" PRIu64 "-%" PRIu64, op->range_begin, op->range_begin + op->range_length - 1));
}

static void upload_call(struct draft *draft, enum http_method method)
{
    draft->request->method = method;
    query(draft, "uploadId", draft->op->upload_id);
}

static void fill(struct draft *draft, const struct s3_endpoint *endpoint, struct http_span *xml)
{
    switch (draft->op->kind) {
    case S3_HEAD_BUCKET: draft->request->method = HTTP_HEAD; break;
    case S3_CREATE_UPLOAD: create(draft); break;
    case S3_UPLOAD_PART: upload_part(draft); break;
    case S3_COMPLETE_UPLOAD: complete(draft, endpoint, xml); break;
    case S3_ABORT_UPLOAD: upload_call(draft, HTTP_DELETE); break;
    case S3_LIST_PARTS: list_parts(draft); break;
    case S3_LIST_UPLOADS: list_uploads(draft); break;
    case S3_LIST_OBJECTS: list_objects(draft); break;
    case S3_PUT_OBJECT: put_object(draft); break;
    case S3_HEAD_OBJECT: read_object(draft, HTTP_HEAD); break;
    case S3_GET_OBJECT: read_object(draft, HTTP_GET); break;
    case S3_DELETE_OBJECT: draft->request->method = HTTP_DELETE; break;
    case S3_OP_KINDS: fail_internal(draft, "no such operation"); break;
    }
}

static bool needs_key(enum s3_op_kind kind)
{
    return kind != S3_HEAD_BUCKET && kind != S3_LIST_UPLOADS && kind != S3_LIST_OBJECTS;
}

static bool needs_upload(enum s3_op_kind kind)
{
    return kind == S3_UPLOAD_PART || kind == S3_COMPLETE_UPLOAD || kind == S3_ABORT_UPLOAD ||
           kind == S3_LIST_PARTS;
}

enum status s3_op_request(const struct s3_op *op, const struct s3_endpoint *endpoint, struct arena *arena,
                          struct aws_request *request, struct http_span *xml, struct fault *fault)
{
    struct draft draft = {.op = op, .request = request, .arena = arena, .fault = fault};
    *request = (struct aws_request){.scheme = endpoint->tls ? "https" : "http", .host = endpoint->host};
    bool const with_key = needs_key(op->kind);
    /* A DELETE or PUT without a key would be one of the bucket. */
    if (with_key && (op->key == NULL || *op->key == '\0'))
        fail_internal(&draft, "an operation without a key");
    if (needs_upload(op->kind) && (op->upload_id == NULL || *op->upload_id == '\0'))
        fail_internal(&draft, "an operation without an upload id"); /* DELETE would take the object */
    if (draft.status != STATUS_OK) return draft.status;

    if (with_key) {
        request->path = format(&draft, "%s/%s", endpoint->base, op->key);
    } else {
        request->path = endpoint->base[0] != '\0' ? endpoint->base : "/";
    }
    fill(&draft, endpoint, xml);
    header(&draft, "x-amz-expected-bucket-owner", op->expected_owner);
    return draft.status;
}
