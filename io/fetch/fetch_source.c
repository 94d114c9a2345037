/* fetch_source.c - a plain object as a source (core/flow/source.h): windows lie on the shelf, but for those
 * across two ranges, which are copied together. Thread: source.h's. Owns each reader's buffer. */
#include "io/fetch/fetch_inside.h"

#include "core/base/limits.h"

#include <stdlib.h>
#include <string.h>

struct fetch_source {
    struct source port;
    struct fetch_shelf *shelf;
    size_t object; /* on the shelf */
};

struct source_reader {
    const struct fetch_source *source;
    struct fetch_view view;
    size_t window_max;
    uint8_t *buffer;
};

static enum status window(struct source_reader *reader, uint64_t offset, size_t length,
                          struct source_window *shown, struct fault *fault)
{
    const struct fetch_source *const source = reader->source;
    uint64_t const size = source->port.size;
    if (length > reader->window_max)
        return fault_set(fault, STATUS_INTERNAL, "%s: a window of %zu bytes was asked of a reader for %zu",
                         source->port.name, length, reader->window_max);
    if (offset > size) offset = size;
    if (length > size - offset) length = (size_t)(size - offset);
    *shown = (struct source_window){.bytes = reader->buffer, .length = length};
    if (length == 0) return STATUS_OK;
    enum status const status =
        fetch_shelf_show(source->shelf, &reader->view, source->object, offset, length, &shown->bytes, fault);
    if (status != STATUS_OK || shown->bytes != NULL) return status;
    shown->bytes = reader->buffer;
    return fetch_shelf_read(source->shelf, &reader->view, source->object, offset, reader->buffer, length,
                            fault);
}

static void close_reader(struct source_reader *reader)
{
    if (reader == NULL) return;
    fetch_shelf_leave(reader->source->shelf, &reader->view);
    free(reader->buffer);
    free(reader);
}

static struct source_reader *open_reader(struct source *port, size_t window_max)
{
    const struct fetch_source *const source = port->self;
    struct source_reader *const reader = calloc(1, sizeof *reader);
    if (reader == NULL) return NULL;
    size_t const most = window_max < port->size ? window_max : (size_t)port->size; /* no window is longer */
    *reader = (struct source_reader){
        .source = source, .window_max = window_max, .buffer = malloc(most + LIMIT_PADDING)};
    if (reader->buffer != NULL) {
        memset(reader->buffer, 0, LIMIT_PADDING); /* an empty first window has padding, too */
        fetch_shelf_join(source->shelf, &reader->view);
        return reader;
    }
    free(reader);
    return NULL;
}

struct source *fetch_source_open(void *self, const struct source_object *object, struct fault *fault)
{
    struct fetch *const fetch = self;
    struct s3_object const shelved = fetch_object(object);
    struct fetch_source *const source = calloc(1, sizeof *source);
    size_t const number = source == NULL ? SIZE_MAX : fetch_shelf_add(fetch->shelf, &shelved);
    if (number == SIZE_MAX) {
        free(source);
        (void)fault_set(fault, STATUS_IO, "%s: there is no memory to open it", object->path);
        return NULL;
    }
    *source = (struct fetch_source){.port = {.self = source,
                                             .name = object->path,
                                             .size = object->size,
                                             .open_reader = open_reader,
                                             .close_reader = close_reader,
                                             .window = window},
                                    .shelf = fetch->shelf,
                                    .object = number};
    return &source->port;
}

enum status fetch_source_check(const struct source *port, struct fault *fault)
{
    const struct fetch_source *const source = port->self;
    return fetch_shelf_check(source->shelf, source->object, fault);
}

void fetch_source_close(struct source *port)
{
    if (port != NULL) free(port->self);
}

void fetch_cut(const struct source *port, uint64_t bytes)
{
    const struct fetch_source *const source = port->self;
    fetch_shelf_cut(source->shelf, source->object, bytes);
}
