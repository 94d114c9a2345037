/* ring.h - a bounded queue of pointers from one thread to one other (single producer, single consumer).
 *
 * Indices run freely in 32 bits, the size is a power of two, the whole capacity is usable. A ring never
 * waits: waiting is wait.h's. Only acquire and release on the two indices; each atomic line names its
 * partner.
 *
 * Close: the producer calls ring_close() after its last push; a consumer that finds the ring empty and
 * closed looks once more (ring_finished does) before it believes that nothing is left.
 *
 * Ownership: the slots belong to the ring; what the pointers point at changes hands with them. */
#ifndef PENSTOCK_CORE_FLOW_RING_H
#define PENSTOCK_CORE_FLOW_RING_H

#include "core/base/limits.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct ring {
    /* producer's line */
    _Alignas(LIMIT_LINE) _Atomic uint32_t tail; /* written by P, read by C */
    uint32_t head_seen;                         /* P only: last head it read */
    _Atomic bool closed;                        /* written by P once, read by C */
    /* consumer's line */
    _Alignas(LIMIT_LINE) _Atomic uint32_t head; /* written by C, read by P */
    uint32_t tail_seen;                         /* C only */
    /* set at init, read by both */
    _Alignas(LIMIT_LINE) void **slots;
    uint32_t mask;
};
_Static_assert(LIMIT_APART(struct ring, tail, head) && LIMIT_APART(struct ring, closed, head) &&
                   LIMIT_APART(struct ring, head, slots) && LIMIT_APART(struct ring, tail_seen, slots),
               "producer's, consumer's, and what neither writes");

/* `capacity` is rounded up to a power of two (0 counts as 1). `first_index` is 0 but in tests of wrap-around.
 * False: no memory, or more than 2^31 slots; the ring may then be freed but not used.
 * The struct must be aligned to LIMIT_LINE. */
bool ring_init(struct ring *ring, uint32_t capacity, uint32_t first_index);
void ring_free(struct ring *ring); /* after both threads are joined; a zeroed ring is fine */

bool ring_push(struct ring *ring, void *item); /* P only; false: full. `item` is never NULL. */
void ring_close(struct ring *ring);            /* P only */
void *ring_peek(struct ring *ring);            /* C only; NULL: empty. The item stays. */
void *ring_pop(struct ring *ring);             /* C only; NULL: empty */
bool ring_finished(struct ring *ring);         /* C only: closed, and nothing left */

#endif
