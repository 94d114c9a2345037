/* s3_op.h - one S3 operation: what is asked, and what was answered. Pure.
 *
 * s3_op_request() writes the request of an operation (path, query, headers, XML body), s3_op_answer() reads a
 * reply. Headers and replies: docs.aws.amazon.com/AmazonS3/latest/API. */
#ifndef PENSTOCK_IO_S3_S3_OP_H
#define PENSTOCK_IO_S3_S3_OP_H

#include "core/base/arena.h"
#include "core/base/checksum.h"
#include "core/base/status.h"
#include "io/aws/aws_request.h"
#include "io/s3/s3_endpoint.h"
#include "io/s3/s3_url.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define S3_PARTS_MAX     10000u       /* of one upload */
#define S3_PART_MIN      (5ull << 20) /* but the last */
#define S3_PART_MAX      (5ull << 30)
#define S3_OBJECT_MAX    (S3_PARTS_MAX * S3_PART_MAX) /* 48.8 TiB */
#define S3_UPLOAD_ID_MAX 1024u                        /* AWS's have some 130 characters */
#define S3_ETAG_MAX      128u
#define S3_LIST_MAX      1000u /* entries of one listing's page */
/* CompleteMultipartUpload of 10,000 parts has 1.6 MB; a page of 1,000 keys of 1 KiB, escaped, 6 MB at most.
 */
#define S3_XML_MAX (8u << 20)

enum s3_op_kind {
    S3_HEAD_BUCKET,
    S3_CREATE_UPLOAD,
    S3_UPLOAD_PART,
    S3_COMPLETE_UPLOAD,
    S3_ABORT_UPLOAD,
    S3_LIST_PARTS,
    S3_LIST_UPLOADS,
    S3_LIST_OBJECTS, /* ListObjectsV2 */
    S3_PUT_OBJECT,
    S3_HEAD_OBJECT,
    S3_GET_OBJECT,
    S3_DELETE_OBJECT, /* `check` removes nothing but what it made */
    S3_OP_KINDS
};

/* What an object is created with (Create and Put). Texts are borrowed; NULL: not sent. */
struct s3_object_options {
    const char *content_type;     /* "text/csv; charset=utf-8" */
    const char *content_encoding; /* gzip, zstd */
    const char *sse;              /* AES256, aws:kms, aws:kms:dsse */
    const char *kms_key_id;
    const char *storage_class;
    const char *acl;
    const struct aws_pair *tags; /* as meant; encoded by s3_op_request() */
    size_t tag_count;
    const struct aws_pair *metadata; /* x-amz-meta-NAME: value; ASCII */
    size_t metadata_count;
};

struct s3_part {
    uint32_t number; /* from 1, consecutive */
    uint64_t size;
    uint64_t checksum;
    char etag[S3_ETAG_MAX + 1]; /* with its quotes, as it came */
};

struct s3_op {
    enum s3_op_kind kind;
    const char *key;       /* of the object, whole; or NULL */
    const char *upload_id; /* part, complete, abort, list parts */
    uint32_t part;         /* part: its number */
    /* part, put: the body. Lies there unchanged until the call is done. */
    const struct http_span *body;
    size_t body_count;
    uint64_t body_length;
    enum checksum_kind checksum_kind; /* NONE: no checksum header is sent */
    uint64_t checksum;                /* of the body; of the whole object for complete */
    bool any_checksum;                /* head, get: of whatever kind the store has; the answer says which */
    const struct s3_object_options *object; /* create, put */
    const struct s3_part *parts;            /* complete */
    size_t part_count;
    uint64_t object_size;               /* complete: sent as x-amz-mp-object-size, but not to a store of
                                           others' with checksum_kind NONE: the setting for those that refuse
                                           new headers */
    bool if_none_match;                 /* complete, put: only when there is no such object */
    const char *if_match;               /* get: ETag */
    uint64_t range_begin, range_length; /* get; length 0: whole */
    bool (*take)(void *context, const uint8_t *bytes, size_t length); /* get: where the body goes */
    void *take_context;
    const char *prefix;     /* list uploads, list objects */
    const char *list_token; /* list objects: next_list_token of the page before; NULL: the first */
    bool list_flat;         /* list objects: not those with a slash behind the prefix */
    const char *key_marker, *upload_marker; /* list uploads: from here; NULL: the beginning */
    uint32_t part_marker, list_most;        /* list parts: behind this number; most: 0 is S3_LIST_MAX */
    const char *expected_owner;             /* x-amz-expected-bucket-owner; NULL: not sent */
};

struct s3_listed_upload {
    const char *key, *upload_id;
    int64_t initiated; /* seconds since 1970 */
};

/* One of a bucket's, as it was when it was listed. */
struct s3_listed_object {
    const char *key;
    const char *etag; /* with its quotes, as it came; NULL: the store does not tell */
    uint64_t size;
};

/* Most tags of an object, and bytes of its metadata, names and values together (S3's). */
#define S3_TAGS_MAX           10u
#define S3_METADATA_BYTES_MAX 2048u

/* Facts of a reply; what was not in it is 0 or "". Texts of lists lie in `arena`. */
struct s3_answer {
    unsigned status;   /* HTTP; 0: no reply */
    char code[64];     /* S3's error code: "NoSuchBucket"; of a reply without a body by its status:
                          "AccessDenied" for 403 and so on; "BadReply" when it can't be understood */
    char message[512]; /* S3's words, control characters removed */
    char request_id[128], host_id[160]; /* x-amz-request-id, x-amz-id-2: what support asks for */
    char region[S3_REGION_MAX + 1];     /* x-amz-bucket-region, or <Region> of an error */
    char endpoint[S3_HOST_MAX + 1];     /* <Endpoint> or Location's host of a redirect */
    int64_t date;                       /* the reply's Date, seconds since 1970; 0: none */
    int64_t retry_after_ms; /* Retry-After (seconds or date) or x-amz-retry-after (ms); -1: none */
    char upload_id[S3_UPLOAD_ID_MAX + 1];
    char etag[S3_ETAG_MAX + 1];
    bool has_checksum;                /* of the kind that was asked for */
    enum checksum_kind checksum_kind; /* with `any_checksum`: which it is */
    uint64_t checksum;
    bool checksum_is_composite;
    uint64_t content_length; /* head, get: of what was sent, so of a range its length */
    char token[128];         /* x-amz-meta-penstock-token of head */
    char version_id[1025];
    int64_t abort_date; /* x-amz-abort-date of create; 0: none */
    bool truncated;     /* of a listing: more pages; next_* say where */
    uint32_t next_part_marker;
    const char *next_key_marker, *next_upload_marker;
    struct s3_part *parts;
    size_t part_count;
    struct s3_listed_upload *uploads;
    size_t upload_count;
    struct s3_listed_object *objects;
    size_t object_count;
    const char *next_list_token;
    struct arena arena;
};

/* Name for messages: "CreateMultipartUpload". */
const char *s3_op_name(enum s3_op_kind kind);
/* Statuses that mean that it was done: 200, 204 for deletes, 206. */
bool s3_op_succeeded(enum s3_op_kind kind, unsigned status);

/* Fills `request`; its texts lie in `arena`. For complete, `*xml` is the body (one span, in the arena); for
 * other operations it is left alone. STATUS_JOB when a text can't be a header's value. */
enum status s3_op_request(const struct s3_op *op, const struct s3_endpoint *endpoint, struct arena *arena,
                          struct aws_request *request, struct http_span *xml, struct fault *fault);

/* `answer` is zeroed, or that of an attempt before, which is freed. Reads a reply, also errors, also the 200
 * with an <Error> (its code is set then and status stays 200). True: the operation succeeded. False with code
 * "BadReply": a 2xx whose body or headers are not what the operation gives. */
bool s3_op_answer(const struct s3_op *op, const struct http_reply *reply, struct s3_answer *answer);
void s3_answer_free(struct s3_answer *answer); /* its lists; zeroed is fine */

#endif
