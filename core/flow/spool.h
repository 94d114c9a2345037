/* spool.h - bytes that are kept until all of the input was read: first in memory, beyond a budget in a store.
 *
 * Written once, from the first to the last byte, then read once in the same order. What is in memory stands
 * before what is in the store; the store sees large writes and reads that follow each other.
 *
 * Thread rule: one thread, the assembler's. Owns the memory; the store is the caller's. */
#ifndef PENSTOCK_CORE_FLOW_SPOOL_H
#define PENSTOCK_CORE_FLOW_SPOOL_H

#include "core/base/limits.h"
#include "core/base/status.h"
#include "core/flow/prepare.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where bytes go that memory has no room for. Offsets begin with 0 and follow each other, in writes and then
 * in reads. Each call takes or gives all of the bytes, or fails for good. */
struct spool_store {
    void *self;
    enum status (*write)(void *self, uint64_t offset, const void *bytes, size_t length, struct fault *fault);
    enum status (*read)(void *self, uint64_t offset, void *bytes, size_t length, struct fault *fault);
};

/* What is written and read at once: long enough for a disk, and a fraction of any budget. */
#define SPOOL_BLOCK_BYTES (1u * LIMIT_MIB)
/* One block at least, which then is the buffer of the store. */
#define SPOOL_BYTES_MIN SPOOL_BLOCK_BYTES

struct spool {
    const struct spool_store *store;
    prepare_fn *prepare;
    uint8_t *memory; /* blocks; the last one is the buffer of the store; what was never used costs no page */
    uint32_t block_max;
    uint64_t length; /* bytes appended */
    uint64_t stored; /* of them written to the store */
    uint64_t taken;  /* bytes read */
    size_t buffered; /* bytes that the store gave into the buffer */
};

/* `bytes`: the budget, at least SPOOL_BYTES_MIN. `prepare` may be NULL. False: no memory. */
bool spool_create(struct spool *spool, uint64_t bytes, const struct spool_store *store, prepare_fn *prepare);
void spool_destroy(struct spool *spool); /* zeroed is fine */

enum status spool_append(struct spool *spool, const void *bytes, size_t length, struct fault *fault);
/* All bytes are appended, reading begins. */
enum status spool_rewind(struct spool *spool, struct fault *fault);
/* The next `length` bytes; there must be as many. `bytes` NULL: they are passed. */
enum status spool_take(struct spool *spool, void *bytes, size_t length, struct fault *fault);
static inline uint64_t spool_left(const struct spool *spool)
{
    return spool->length - spool->taken;
}

#endif
