/* source_ring.c - see the header. Thread: one. Owns the ring. */
#include "io/input/source_ring.h"

#include <errno.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdlib.h>

struct source_ring {
    struct source_ahead_port port;
    struct io_uring ring;
    int descriptor;
    int broken; /* an errno: what it was given and did not pass on may go out with a later read */
};

static int start(void *self, uint32_t slot, uint8_t *buffer, size_t length, uint64_t offset)
{
    struct source_ring *const ring = self;
    struct io_uring_sqe *const entry = ring->broken == 0 ? io_uring_get_sqe(&ring->ring) : NULL;
    if (ring->broken != 0) return ring->broken;
    if (entry == NULL) return EBUSY; /* never: there are as many entries as slots */
    io_uring_prep_read(entry, ring->descriptor, buffer, (unsigned)length, offset);
    io_uring_sqe_set_data64(entry, slot);
    int submitted;
    do
        submitted = io_uring_submit(&ring->ring);
    while (submitted == -EINTR);
    ring->broken = submitted < 0 ? -submitted : 0;
    return ring->broken;
}

static int wait_any(void *self, uint32_t *slot, int64_t *result)
{
    struct source_ring *const ring = self;
    struct io_uring_cqe *entry;
    int error;
    do
        error = io_uring_wait_cqe(&ring->ring, &entry);
    while (error == -EINTR);
    if (error < 0) return -error;
    *slot = (uint32_t)io_uring_cqe_get_data64(entry);
    *result = entry->res;
    io_uring_cqe_seen(&ring->ring, entry);
    return 0;
}

struct source_ring *source_ring_create(int descriptor, uint32_t depth, int *error)
{
    struct source_ring *const ring = calloc(1, sizeof *ring);
    *error = ENOMEM;
    if (ring == NULL) return NULL;
    *error = -io_uring_queue_init(depth, &ring->ring, 0);
    if (*error != 0) {
        free(ring);
        return NULL;
    }
    ring->descriptor = descriptor;
    ring->port = (struct source_ahead_port){.self = ring, .start = start, .wait = wait_any};
    return ring;
}

void source_ring_destroy(struct source_ring *ring)
{
    if (ring == NULL) return;
    io_uring_queue_exit(&ring->ring);
    free(ring);
}

const struct source_ahead_port *source_ring_port(const struct source_ring *ring)
{
    return &ring->port;
}

int source_ring_refusal(void)
{
    int error;
    struct source_ring *const ring = source_ring_create(-1, 1, &error);
    if (ring == NULL) return error;
    struct io_uring_probe *const probe = io_uring_get_probe_ring(&ring->ring);
    bool const reads = probe != NULL && io_uring_opcode_supported(probe, IORING_OP_READ);
    io_uring_free_probe(probe);
    source_ring_destroy(ring);
    return reads ? 0 : ENOSYS;
}
