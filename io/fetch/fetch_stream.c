/* fetch_stream.c - an object's stored bytes, front to back: some ranges of it on their way (s3_read.h),
 * summed up as they are handed out, and compared at the end with the checksum that the store keeps, which
 * HEAD tells meanwhile. Thread: whoever reads the stream now. Owns, while open: the reader and the call of
 * HEAD. */
#include "io/fetch/fetch_inside.h"

#include "io/s3/s3_read.h"

#include <stdlib.h>
#include <string.h>

struct fetch_stream {
    struct source_bytes port;
    const struct fetch *fetch; /* its plan is known when streams are opened */
    struct s3_object object;

    /* while open */
    struct s3_read *read;
    struct s3_pump_job head;
    bool head_is_out;
    struct s3_proof proof; /* when it is not */
    uint64_t sum;
    const uint8_t *bytes; /* what is left of a range */
    size_t left;
};

static void take_head(struct fetch_stream *self)
{
    struct s3_object_facts facts;
    if (!self->head_is_out) return;
    self->head_is_out = false;
    enum status const status = s3_object_take(&self->head, &self->object, &facts, NULL);
    const char *const etag = self->object.etag;
    if (status == STATUS_OK && (etag == NULL || strcmp(etag, facts.etag) == 0)) self->proof = facts.proof;
}

static enum status stream_open(struct source_bytes *port, struct fault *fault)
{
    struct fetch_stream *const self = port->self;
    struct s3_read_options const options = {.pump = self->object.pump,
                                            .bucket = self->object.bucket,
                                            .range_bytes = self->fetch->plan.range_bytes,
                                            .ahead = self->fetch->plan.ahead};
    self->proof = (struct s3_proof){.kind = CHECKSUM_NONE};
    self->sum = 0;
    self->left = 0;
    self->read = s3_read_create(&options, fault);
    if (self->read == NULL) return fault->status;
    s3_object_ask(&self->head, &self->object);
    self->head_is_out = true;
    s3_read_open_known(self->read, &self->object);
    return STATUS_OK;
}

/* `left` stays 0 at the end. */
static enum status next_range(struct fetch_stream *self, struct fault *fault)
{
    enum status const status = s3_read_next(self->read, &self->bytes, &self->left, fault);
    if (status != STATUS_OK) return status;
    take_head(self);
    if (self->left > 0) {
        self->sum = checksum_update(self->proof.kind, self->sum, self->bytes, self->left);
        return STATUS_OK;
    }
    if (self->proof.kind == CHECKSUM_NONE || self->sum == self->proof.value) return STATUS_OK;
    return fetch_say_wrong_sum(&self->object, &self->proof, fault);
}

static enum status stream_read(struct source_bytes *port, uint8_t *into, size_t room, size_t *length,
                               struct fault *fault)
{
    struct fetch_stream *const self = port->self;
    *length = 0;
    if (self->left == 0) {
        enum status const status = next_range(self, fault);
        if (status != STATUS_OK) return status;
    }
    *length = self->left < room ? self->left : room;
    if (*length == 0) return STATUS_OK; /* the end */
    memcpy(into, self->bytes, *length);
    self->bytes += *length;
    self->left -= *length;
    return STATUS_OK;
}

static void stream_close(struct source_bytes *port)
{
    struct fetch_stream *const self = port->self;
    take_head(self);
    s3_read_destroy(self->read);
    self->read = NULL;
}

static void stream_destroy(struct source_bytes *port)
{
    free(port->self);
}

struct source_bytes *fetch_stream_create(void *fetch, const struct source_object *object, struct fault *fault)
{
    struct fetch_stream *const self = calloc(1, sizeof *self);
    if (self == NULL) {
        (void)fault_set(fault, STATUS_IO, "%s: no memory to open it", object->path);
        return NULL;
    }
    self->fetch = fetch;
    self->object = fetch_object(object);
    self->port = (struct source_bytes){.self = self,
                                       .open = stream_open,
                                       .read = stream_read,
                                       .close = stream_close,
                                       .destroy = stream_destroy};
    return &self->port;
}
