/* s3_upload.h - one object on its way to S3, as a value: bytes in, parts out. Asks nobody over the network.
 *
 *     s3_upload_take(piece) ...          the part being filled  -- full -->  queue of whole parts
 *     s3_upload_end()                    its last part too, or the whole object is kept in memory
 *     s3_upload_next()                   the sink takes whole parts from the queue and sends them
 *
 * Part n has s3_plan_part(part_size, n) bytes exactly, the last one what is left. A part is a list of spans
 * over the memory that the bytes were written into (s3_hold.h). Its checksum is combined of its pieces':
 * where its end cuts a piece, the head is summed anew and the tail follows from the whole's by the algebra of
 * CRCs, so that a byte that changed in memory since the piece was made shows at one side or the other.
 *
 * Thread rule: the assembler's. Owns key, upload id, parts and kept bytes; holds uses of pieces and blocks.
 */
#ifndef PENSTOCK_IO_OUTPUT_S3_UPLOAD_H
#define PENSTOCK_IO_OUTPUT_S3_UPLOAD_H

#include "core/base/checksum.h"
#include "io/output/s3_hold.h"
#include "io/s3/s3_op.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A part that is being filled, waits for the upload's id, or is on its way. */
struct s3_outgoing {
    struct s3_outgoing *next; /* in the queue */
    uint32_t number;          /* from 1 */
    uint64_t size, length;    /* bytes when it is whole; bytes that it has */
    uint64_t checksum;        /* of these */
    uint64_t short_bytes;     /* of these, those in short pieces that wait to be copied */
    uint32_t long_pieces;     /* that it pins */
    struct http_span *spans;
    struct s3_hold **holds; /* one for each span; NULL: memory that outlives the run */
    size_t count, room;
};

/* What Complete must know of a part. Kept small: there may be 10,000 for each object. */
struct s3_sent {
    uint64_t size, checksum;
    char *etag; /* NULL: not with S3 yet */
};

enum s3_upload_state {
    S3_UPLOAD_NONE,     /* S3 knows nothing of it */
    S3_UPLOAD_CREATING, /* CreateMultipartUpload is on its way */
    S3_UPLOAD_OPEN,     /* has an upload id */
    S3_UPLOAD_COMPLETE, /* the object is there */
    S3_UPLOAD_VERIFIED, /* and is what we sent */
    S3_UPLOAD_GONE,     /* aborted */
    S3_UPLOAD_STUCK     /* could not be aborted */
};

struct s3_upload {
    char *key; /* whole */
    enum sink_stage stage;
    char *upload_id;
    enum s3_upload_state state;
    bool ended;
    uint32_t open_place; /* until then: among the open files */
    bool is_kept;        /* put by one request in commit; `kept` are its bytes */
    bool in_doubt;       /* it is not known whether it was completed */
    bool former;         /* s3_withdraw.h: another object has its name and must go first */
    uint8_t *kept;
    uint64_t size, checksum; /* of the whole parts; after the end, of the object */
    struct s3_sent *parts;
    uint32_t part_count, part_room;
    struct s3_outgoing *filling, *first, *last; /* and the queue */
    struct s3_hold *block;                      /* of copies, being filled */
    uint32_t queued, queued_counted;            /* parts in it; of these, in s3_delivery's sum */
    bool has_stray;                  /* s3_stray.h: an upload may be there whose id we don't know */
    int64_t stray_from, stray_until; /* begun between these, seconds since 1970 by our clock */
};

struct s3_upload_rules {
    const char *bucket; /* for messages */
    enum checksum_kind checksum;
    uint64_t part_size, hold;
};

/* Takes a copy of `key`; NULL: no memory. */
struct s3_upload *s3_upload_create(const char *key, enum sink_stage stage);
/* Lets go of all that it holds, sent parts excepted: they are the caller's. Takes NULL. */
void s3_upload_destroy(struct s3_upload *upload, struct s3_holds *holds);
/* Lets go of bytes that will not be sent any more: the part being filled and the queue. */
void s3_upload_drop(struct s3_upload *upload, struct s3_holds *holds);
/* Forgets what only Complete and Abort want to know; a complete one keeps its upload id until it is verified.
 */
void s3_upload_settle(struct s3_upload *upload, enum s3_upload_state state);

/* Takes the next bytes. The piece goes home when nothing needs it any more, also after a failure. With
 * `copy` a short piece is copied even beyond the bound of all copies: nothing is on its way that could make
 * room. STATUS_JOB: the object can't have so many or such large parts. */
enum status s3_upload_take(struct s3_upload *upload, const struct s3_upload_rules *rules,
                           struct s3_holds *holds, const struct sink_piece *piece, bool copy,
                           struct fault *fault);
/* Lets chunks go home: copies the short pieces of the part being filled when there is room for all (or with
 * `copy`), and long ones as long as there is room and parts being filled pin more than their share. */
enum status s3_upload_tidy(struct s3_upload *upload, struct s3_holds *holds, bool copy, struct fault *fault);
/* The last part is whole now. With `keep` its bytes are copied instead, and the object is put in one request:
 * only for objects without a part in the queue or sent. */
enum status s3_upload_end(struct s3_upload *upload, const struct s3_upload_rules *rules,
                          struct s3_holds *holds, bool keep, struct fault *fault);
/* Bytes of the part being filled. */
uint64_t s3_upload_filled(const struct s3_upload *upload);

/* Takes the next whole part from the queue; NULL: none. */
struct s3_outgoing *s3_upload_next(struct s3_upload *upload);
/* The part is done with: lets go of its bytes and frees it. Takes NULL. */
void s3_outgoing_free(struct s3_outgoing *part, struct s3_holds *holds);

#endif
