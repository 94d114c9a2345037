/* fetch.c - puts the room's parts together behind its port. Thread: main. Owns heads and shelf. */
#include "io/fetch/fetch_inside.h"

#include <stdlib.h>
#include <string.h>

enum { SCHEME_LENGTH = sizeof "s3://" - 1 };

bool fetch_is_path(const char *path)
{
    return s3_url_is(path);
}

struct s3_object fetch_object(const struct source_object *object)
{
    const struct fetch_bucket *const bucket = object->place;
    return (struct s3_object){.pump = bucket->pump,
                              .bucket = bucket->name,
                              .key = object->path + SCHEME_LENGTH + strlen(bucket->name) + 1,
                              .etag = object->etag,
                              .size = object->size};
}

enum status fetch_say_wrong_sum(const struct s3_object *object, const struct s3_proof *proof,
                                struct fault *fault)
{
    return fault_set(
        fault, STATUS_IO,
        "s3://%.256s/%.512s: the bytes that came are not those whose %s the store keeps: try again; "
        "when it happens again, the object is damaged: put it there anew",
        object->bucket, object->key, checksum_name(proof->kind));
}

static enum status read_part(void *self, const struct source_object *object, uint64_t offset, uint8_t *into,
                             size_t length, struct fault *fault)
{
    (void)self;
    struct s3_object const asked = fetch_object(object);
    if (length == 0) return STATUS_OK;
    struct s3_range *const range = malloc(sizeof *range); /* some 8 KB: not for the stack */
    if (range == NULL) return fault_set(fault, STATUS_IO, "%s: no memory to read it", object->path);
    range->bytes = into;
    s3_range_ask(range, &asked, offset, length);
    enum status const status = s3_range_take(range, &asked, NULL, fault);
    free(range);
    return status;
}

static enum status read_head(void *self, const struct source_found *found, size_t i, uint8_t *into,
                             size_t room, size_t *length, struct fault *fault)
{
    struct fetch *const fetch = self;
    return fetch_heads_read(fetch->heads, found, i, into, room, length, fault);
}

struct fetch *fetch_create(const struct fetch_options *options, struct fault *fault)
{
    struct fetch *const fetch = calloc(1, sizeof *fetch);
    if (fetch != NULL) {
        fetch->options = *options;
        fetch->heads = fetch_heads_create(options->heads);
        fetch->shelf = fetch_shelf_create();
        fetch->port = (struct source_remote){.self = fetch,
                                             .is_path = fetch_is_path,
                                             .find = fetch_find,
                                             .head = read_head,
                                             .read = read_part,
                                             .open = fetch_source_open,
                                             .check = fetch_source_check,
                                             .close = fetch_source_close,
                                             .bytes = fetch_stream_create};
    }
    if (fetch != NULL && fetch->heads != NULL && fetch->shelf != NULL) return fetch;
    fetch_destroy(fetch);
    (void)fault_set(fault, STATUS_IO, "no memory to read from S3");
    return NULL;
}

void fetch_destroy(struct fetch *fetch)
{
    if (fetch == NULL) return;
    fetch_heads_destroy(fetch->heads);
    fetch_shelf_destroy(fetch->shelf);
    free(fetch);
}

const struct source_remote *fetch_port(const struct fetch *fetch)
{
    return &fetch->port;
}

enum status fetch_start(struct fetch *fetch, const struct fetch_plan *plan, struct fault *fault)
{
    fetch->plan = *plan;
    struct fetch_shelf_rules const rules = {.range_bytes = plan->range_bytes,
                                            .slots = plan->slots,
                                            .prepare = fetch->options.prepare,
                                            .now = fetch->options.now};
    if (fetch_shelf_start(fetch->shelf, &rules)) return STATUS_OK;
    return fault_set(fault, STATUS_IO, "no memory for %u ranges of %zu bytes to read from S3", plan->slots,
                     plan->range_bytes);
}

void fetch_restart(struct fetch *fetch)
{
    fetch_shelf_restart(fetch->shelf);
}
