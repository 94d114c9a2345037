/* s3_range.h - a range of an object on its way into a buffer.
 *
 *     s3_range_ask(range, object, begin, length)    sends for it; never waits
 *     s3_range_take(range, object, &proof, fault)   until it is there
 *
 * Asked for with If-Match on the ETag, and tried again by the client; what was received is not asked for
 * twice. An object that became another one meanwhile is STATUS_IO.
 *
 * A range that is all of its object is asked for as such, since S3 tells a checksum then only.
 *
 * Thread rule: one thread at a time, not the one that turns the pump; bytes are written by the client's
 * threads from ask to take. Ownership: object and buffer stay valid and unchanged from ask until take
 * returned. */
#ifndef PENSTOCK_IO_S3_S3_RANGE_H
#define PENSTOCK_IO_S3_S3_RANGE_H

#include "io/s3/s3_pump.h"

#include <stddef.h>
#include <stdint.h>

struct s3_object {
    struct s3_pump *pump;
    const char *bucket; /* for messages */
    const char *key;
    const char *etag;           /* NULL: not known; whatever is there then */
    const char *expected_owner; /* NULL: not sent */
    uint64_t size;
};

/* What the store says that its bytes sum up to. */
struct s3_proof {
    enum checksum_kind kind; /* NONE: it does not say */
    uint64_t value;          /* of the whole object */
};

struct s3_range {
    uint8_t *bytes; /* the caller's, of the length that is asked for */
    size_t wanted, filled;
    struct s3_pump_job job;
};

/* `length` is at least 1, and within the object. */
void s3_range_ask(struct s3_range *range, const struct s3_object *object, uint64_t begin, size_t length);
/* `proof` may be NULL. STATUS_NO_SOURCE: no such bucket; else as above or the call's. */
enum status s3_range_take(struct s3_range *range, const struct s3_object *object, struct s3_proof *proof,
                          struct fault *fault);

/* HEAD, in two steps like a range. */
void s3_object_ask(struct s3_pump_job *job, const struct s3_object *object);

struct s3_object_facts {
    uint64_t size;
    char etag[S3_ETAG_MAX + 1]; /* "": the store does not say */
    struct s3_proof proof;
    bool missing; /* set with STATUS_NO_SOURCE: the object, not its bucket */
};

/* STATUS_NO_SOURCE: there is no such object or bucket; else the call's. */
enum status s3_object_take(struct s3_pump_job *job, const struct s3_object *object,
                           struct s3_object_facts *facts, struct fault *fault);
/* Both at once. */
enum status s3_object_look(const struct s3_object *object, struct s3_object_facts *facts,
                           struct fault *fault);

#endif
