/* memory_stream.h - a stream (core/flow/stream.h) over bytes in memory: gives them in pieces of random sizes,
 * may fail at a byte, checks the order of calls. */
#ifndef PENSTOCK_TESTS_UNIT_MEMORY_STREAM_H
#define PENSTOCK_TESTS_UNIT_MEMORY_STREAM_H

#include "core/base/limits.h"
#include "core/flow/stream.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct memory_stream {
    struct stream port;
    const uint8_t *bytes;
    size_t length, at;
    size_t fails_at; /* SIZE_MAX: never */
    bool damage;     /* it fails for the contents' sake */
    uint32_t swaps;
    uint32_t seed;
    uint32_t opened, closed, wrong;
    atomic_bool busy; /* two threads at once */
};

static inline enum status memory_stream_open(struct stream *port, struct fault *fault)
{
    struct memory_stream *stream = port->self;
    (void)fault;
    stream->opened++;
    stream->wrong += stream->closed;
    return STATUS_OK;
}

static inline enum status memory_stream_read(struct stream *port, uint8_t *into, size_t room, size_t *length,
                                             struct fault *fault)
{
    struct memory_stream *stream = port->self;
    if (atomic_exchange(&stream->busy, true)) stream->wrong++;
    stream->wrong += stream->opened != 1 || stream->closed != 0 || room == 0;
    stream->seed = stream->seed * 1664525u + 1013904223u;
    size_t most = 1 + (stream->seed >> 8) % ((stream->seed >> 28) == 0 ? 7 : 5000);
    if (most > room) most = room;
    size_t const end = stream->fails_at < stream->length ? stream->fails_at : stream->length;
    if (most > end - stream->at) most = end - stream->at;
    if (most != 0)
        memcpy(into, stream->bytes + stream->at, most); /* an empty text may have no bytes at all */
    stream->at += most;
    *length = most;
    atomic_store(&stream->busy, false);
    if (most != 0 || stream->at < stream->fails_at) return STATUS_OK;
    port->damaged = stream->damage;
    return fault_set(fault, STATUS_IO, "%s: broken at %zu", port->name, stream->at);
}

/* Text of random lengths at random places behind swap_lead, never to the end of the memory but by chance. */
static inline enum status memory_stream_swap(struct stream *port, uint8_t **memory, size_t *begin,
                                             size_t *length, struct fault *fault)
{
    struct memory_stream *const stream = port->self;
    uint8_t *const other = malloc(port->swap_bytes + LIMIT_PADDING);
    if (other == NULL) abort();
    size_t const room = port->swap_bytes - port->swap_lead;
    size_t const skipped = stream->seed % 3 == 0 ? stream->seed / 3 % room : 0;
    *begin = port->swap_lead + skipped;
    enum status const status =
        memory_stream_read(port, other + *begin, port->swap_bytes - *begin, length, fault);
    if (status != STATUS_OK || *length == 0) {
        free(other);
        return status;
    }
    stream->swaps++;
    free(*memory);
    *memory = other;
    return STATUS_OK;
}

static inline void memory_stream_close(struct stream *port)
{
    ((struct memory_stream *)port->self)->closed++;
}

static inline void memory_stream_start(struct memory_stream *stream, const char *name, const void *bytes,
                                       size_t length, uint32_t seed)
{
    memset(stream, 0, sizeof *stream);
    stream->bytes = bytes;
    stream->length = length;
    stream->fails_at = SIZE_MAX;
    stream->seed = seed;
    stream->port.self = stream;
    stream->port.name = name;
    stream->port.open = memory_stream_open;
    stream->port.read = memory_stream_read;
    stream->port.close = memory_stream_close;
}

/* It exchanges memory. At least one byte of it is text. */
static inline void memory_stream_swaps(struct memory_stream *stream, size_t bytes, size_t lead)
{
    stream->port.swap = memory_stream_swap;
    stream->port.swap_bytes = bytes;
    stream->port.swap_lead = lead < bytes ? lead : bytes - 1;
}

#endif
