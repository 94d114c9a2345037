/* fetch_heads.c - a ring of ranges: item i of what was found lies in place i modulo its size. Thread: the
 * caller's. Owns buffers and calls. */
#include "io/fetch/fetch_inside.h"

#include "io/input/source_head.h"

#include <stdlib.h>
#include <string.h>

struct place {
    struct s3_object object;
    struct s3_range range;
    bool out; /* asked for, not taken */
    uint8_t bytes[SOURCE_HEAD_BYTES];
};

struct fetch_heads {
    uint32_t most;
    const struct source_found *found; /* what is gone through; NULL: nothing */
    const struct source_object *items;
    size_t asked; /* items before it were asked for */
    size_t next;  /* the one that is to be read next */
    struct place places[];
};

struct fetch_heads *fetch_heads_create(uint32_t most)
{
    struct fetch_heads *const heads = calloc(1, sizeof *heads + most * sizeof(struct place));
    if (heads != NULL) heads->most = most;
    return heads;
}

/* What is on its way is of no use any more, but its buffers are. */
static void forget(struct fetch_heads *heads)
{
    for (uint32_t k = 0; k < heads->most; k++) {
        struct place *const place = &heads->places[k];
        if (place->out) (void)s3_range_take(&place->range, &place->object, NULL, NULL);
        place->out = false;
    }
}

void fetch_heads_destroy(struct fetch_heads *heads)
{
    if (heads == NULL) return;
    forget(heads);
    free(heads);
}

static void ask(struct fetch_heads *heads, size_t i)
{
    struct place *const place = &heads->places[i % heads->most];
    const struct source_object *const object = &heads->items[i];
    size_t const length = object->size < SOURCE_HEAD_BYTES ? (size_t)object->size : SOURCE_HEAD_BYTES;
    if (length == 0) return; /* S3 has no empty ranges */
    place->object = fetch_object(object);
    place->range.bytes = place->bytes;
    s3_range_ask(&place->range, &place->object, 0, length);
    place->out = true;
}

/* Another list than before, or not in order: begins anew there. */
static void turn_to(struct fetch_heads *heads, const struct source_found *found, size_t i)
{
    if (i != 0 && heads->found == found && heads->items == found->items && heads->next == i) return;
    forget(heads);
    heads->found = found;
    heads->items = found->items;
    heads->asked = i;
}

enum status fetch_heads_read(struct fetch_heads *heads, const struct source_found *found, size_t i,
                             uint8_t *into, size_t room, size_t *length, struct fault *fault)
{
    turn_to(heads, found, i);
    heads->next = i + 1;
    for (; heads->asked < found->count && heads->asked < i + heads->most; heads->asked++)
        ask(heads, heads->asked);
    struct place *const place = &heads->places[i % heads->most];
    *length = 0;
    if (!place->out) return STATUS_OK;
    enum status const status = s3_range_take(&place->range, &place->object, NULL, fault);
    place->out = false;
    if (status != STATUS_OK) return status;
    *length = place->range.filled < room ? place->range.filled : room;
    memcpy(into, place->bytes, *length);
    return STATUS_OK;
}
