/* s3_read.c - see the header. Thread: the reader's. Owns the buffers and the ranges. */
#include "io/s3/s3_read.h"

#include <stdlib.h>
#include <string.h>

struct slot {
    struct s3_range range; /* its buffer is of options.range_bytes */
    bool out;              /* asked for, not taken */
};

struct s3_read {
    struct s3_read_options options;
    struct s3_object object;
    struct s3_object_facts facts; /* of one that was not known */
    uint64_t asked;               /* bytes that ranges were asked for */
    uint32_t next;                /* the slot that comes next */
    uint32_t free;                /* the slot that is asked for next */
    uint32_t out;                 /* ranges on their way */
    bool begun;                   /* the caller has had the first */
    struct slot slots[];
};

struct s3_read *s3_read_create(const struct s3_read_options *options, struct fault *fault)
{
    struct s3_read *const read = calloc(1, sizeof *read + options->ahead * sizeof(struct slot));
    if (read == NULL) goto failed;
    read->options = *options;
    for (uint32_t i = 0; i < options->ahead; i++) {
        read->slots[i].range.bytes = malloc(options->range_bytes);
        if (read->slots[i].range.bytes == NULL) goto failed;
    }
    return read;
failed:
    (void)fault_set(fault, STATUS_IO, "no memory to read from S3");
    s3_read_destroy(read);
    return NULL;
}

void s3_read_destroy(struct s3_read *read)
{
    if (read == NULL) return;
    s3_read_close(read);
    for (uint32_t i = 0; i < read->options.ahead; i++)
        free(read->slots[i].range.bytes);
    free(read);
}

/* ---- ranges ---- */

static void ask(struct s3_read *read)
{
    struct slot *const slot = &read->slots[read->free];
    uint64_t const left = read->object.size - read->asked;
    size_t const length = left < read->options.range_bytes ? (size_t)left : read->options.range_bytes;
    s3_range_ask(&slot->range, &read->object, read->asked, length);
    slot->out = true;
    read->asked += length;
    read->free = (read->free + 1) % read->options.ahead;
    read->out++;
}

static enum status take(struct s3_read *read, struct slot *slot, struct fault *fault)
{
    enum status const status = s3_range_take(&slot->range, &read->object, NULL, fault);
    slot->out = false;
    read->out--;
    return status;
}

/* ---- the object ---- */

static void begin(struct s3_read *read, const struct s3_object *object, bool begun)
{
    read->object = *object;
    read->asked = 0;
    read->next = read->free = 0;
    read->begun = begun;
}

enum status s3_read_open(struct s3_read *read, const char *key, struct fault *fault)
{
    struct s3_object object = {.pump = read->options.pump,
                               .bucket = read->options.bucket,
                               .key = key,
                               .expected_owner = read->options.expected_owner};
    begin(read, &object, false);
    enum status const status = s3_object_look(&object, &read->facts, fault);
    if (status != STATUS_OK) return status;
    read->object.size = read->facts.size;
    read->object.etag = read->facts.etag[0] != '\0' ? read->facts.etag : NULL;
    if (read->object.size > 0) ask(read);
    return STATUS_OK;
}

void s3_read_open_known(struct s3_read *read, const struct s3_object *object)
{
    begin(read, object, true);
    if (object->size > 0) ask(read);
}

uint64_t s3_read_size(const struct s3_read *read)
{
    return read->object.size;
}

enum status s3_read_next(struct s3_read *read, const uint8_t **bytes, size_t *length, struct fault *fault)
{
    uint32_t const ahead = read->options.ahead;
    /* Who wants the first bytes only does not have others sent. */
    while (read->begun && read->out < ahead && read->asked < read->object.size)
        ask(read);
    *length = 0;
    struct slot *const slot = &read->slots[read->next];
    if (!slot->out) return STATUS_OK;
    enum status const status = take(read, slot, fault);
    if (status != STATUS_OK) return status;
    *bytes = slot->range.bytes;
    *length = slot->range.filled;
    read->next = (read->next + 1) % ahead;
    read->begun = true;
    return STATUS_OK;
}

void s3_read_close(struct s3_read *read)
{
    read->asked = read->object.size; /* no more */
    for (uint32_t i = 0; i < read->options.ahead; i++)
        if (read->slots[i].out) (void)take(read, &read->slots[i], NULL);
    read->asked = read->object.size = 0;
}
