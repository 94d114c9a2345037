/* ring.c - a bounded single-producer, single-consumer queue of pointers.
 *
 * P is the one producer thread, C the one consumer thread. Both indices count pushes and pops modulo 2^32;
 * their difference, taken in 32 bits, is the number of items (0 to the size), whatever the wrap. Each side
 * keeps the other's index as it last saw it: peer indices only grow, so an old one can only make a ring look
 * fuller (P) or emptier (C) than it is, and then the side looks afresh. Most calls touch no line of the other
 * thread.
 *
 * Edges: every atomic access below is labelled and names its partner.
 *   P2 -> C1  tail: the slot was written before C reads it
 *   C2 -> P1  head: the slot was read before P writes over it
 *   P3 -> C3  closed: all of P's pushes came before it, so C's look at tail after C3 sees the last one
 * Relaxed accesses are loads of an index by its only writer.
 *
 * Owns: the slots. Never waits, never allocates after ring_init(). */
#include "core/flow/ring.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

/* The largest power of two that 32-bit indices can tell full from empty with. */
#define RING_SLOTS_MAX (UINT32_C(1) << 31)

static uint32_t slots_for(uint32_t capacity)
{
    uint32_t slots = 1;
    while (slots < capacity)
        slots *= 2;
    return slots;
}

bool ring_init(struct ring *ring, uint32_t capacity, uint32_t first_index)
{
    *ring = (struct ring){0};
    if (capacity > RING_SLOTS_MAX) return false;
    uint32_t const count = slots_for(capacity);
    void **slots = calloc(count, sizeof *slots); /* calloc refuses a product that overflows size_t */
    if (slots == NULL) return false;

    ring->slots = slots;
    ring->mask = count - 1;
    ring->head_seen = first_index;
    ring->tail_seen = first_index;
    atomic_init(&ring->head, first_index); /* no edge: the threads start after this */
    atomic_init(&ring->tail, first_index);
    return true;
}

void ring_free(struct ring *ring)
{
    free(ring->slots);
    ring->slots = NULL;
}

bool ring_push(struct ring *ring, void *item)
{
    assert(item != NULL); /* NULL is how ring_pop() says empty */
    uint32_t const tail = atomic_load_explicit(&ring->tail, memory_order_relaxed); /* own */
    if (tail - ring->head_seen > ring->mask) {
        /* P1: acquire, pairs with C2. C has done reading every slot before this head. */
        ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
        if (tail - ring->head_seen > ring->mask) return false;
    }
    ring->slots[tail & ring->mask] = item;
    /* P2: release, pairs with C1. Without it C could read the slot, or what the item points at, too early. */
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return true;
}

void ring_close(struct ring *ring)
{
    /* P3: release, pairs with C3. Without it C could see "closed" and still miss the last push. */
    atomic_store_explicit(&ring->closed, true, memory_order_release);
}

void *ring_peek(struct ring *ring)
{
    uint32_t const head = atomic_load_explicit(&ring->head, memory_order_relaxed); /* own */
    if (head == ring->tail_seen) {
        /* C1: acquire, pairs with P2. Every slot before this tail holds its item. */
        ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
        if (head == ring->tail_seen) return NULL;
    }
    return ring->slots[head & ring->mask];
}

void *ring_pop(struct ring *ring)
{
    void *item = ring_peek(ring);
    if (item == NULL) return NULL;
    uint32_t const head = atomic_load_explicit(&ring->head, memory_order_relaxed); /* own */
    /* C2: release, pairs with P1. Without it P could write over the slot that was being read. */
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    return item;
}

bool ring_finished(struct ring *ring)
{
    /* C3: acquire, pairs with P3. The order counts: were tail looked at first, the last push and the close
     * could both fall between the two looks. */
    if (!atomic_load_explicit(&ring->closed, memory_order_acquire)) return false;
    return ring_peek(ring) == NULL;
}
