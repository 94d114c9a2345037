/* spool.c - see the header. Thread: the assembler's. Owns the memory. */
#include "core/flow/spool.h"

#include <stdlib.h>
#include <string.h>

/* Memory that is prepared at once: its pages, which the system clears, are still in a core's second cache
 * when they are filled. */
#define SPOOL_STEP_BYTES (SPOOL_BLOCK_BYTES / 4)

bool spool_create(struct spool *spool, uint64_t bytes, const struct spool_store *store, prepare_fn *prepare)
{
    uint64_t const most = bytes / SPOOL_BLOCK_BYTES;
    *spool = (struct spool){
        .store = store, .prepare = prepare, .block_max = most > UINT32_MAX ? UINT32_MAX : (uint32_t)most};
    size_t const size = (size_t)spool->block_max * SPOOL_BLOCK_BYTES;
    spool->memory = malloc(size);
    return spool->memory != NULL;
}

void spool_destroy(struct spool *spool)
{
    free(spool->memory);
    *spool = (struct spool){0};
}

/* Bytes at the front that memory keeps: all, or all but the buffer's. */
static uint64_t kept(const struct spool *spool)
{
    uint64_t const front = (uint64_t)(spool->block_max - 1) * SPOOL_BLOCK_BYTES;
    return spool->stored == 0 ? spool->length : front;
}

/* ---- writing ---- */

static uint8_t *buffer_of(const struct spool *spool)
{
    return spool->memory + (size_t)(spool->block_max - 1) * SPOOL_BLOCK_BYTES;
}

/* Writes the buffer out, which holds all bytes that are neither kept nor stored. */
static enum status store_buffer(struct spool *spool, struct fault *fault)
{
    uint64_t const front = (uint64_t)(spool->block_max - 1) * SPOOL_BLOCK_BYTES;
    size_t const length = (size_t)(spool->length - front - spool->stored);
    enum status const status =
        spool->store->write(spool->store->self, spool->stored, buffer_of(spool), length, fault);
    if (status == STATUS_OK) spool->stored += length;
    return status;
}

/* Where the next byte goes, and how many fit there: *room. */
static enum status next_place(struct spool *spool, uint8_t **place, size_t *room, struct fault *fault)
{
    uint64_t const block = spool->length / SPOOL_BLOCK_BYTES;
    size_t const at = (size_t)(spool->length % SPOOL_BLOCK_BYTES);
    bool const in_memory = block < spool->block_max;
    uint8_t *const begin = in_memory ? spool->memory + block * SPOOL_BLOCK_BYTES : buffer_of(spool);
    if (in_memory && at % SPOOL_STEP_BYTES == 0 && spool->prepare != NULL)
        spool->prepare(begin + at, SPOOL_STEP_BYTES, PREPARE_IN_ORDER);
    *place = begin + at;
    *room = SPOOL_STEP_BYTES - at % SPOOL_STEP_BYTES;
    return !in_memory && at == 0 ? store_buffer(spool, fault) : STATUS_OK;
}

enum status spool_append(struct spool *spool, const void *bytes, size_t length, struct fault *fault)
{
    const uint8_t *from = bytes;
    while (length > 0) {
        uint8_t *place;
        size_t room;
        enum status const status = next_place(spool, &place, &room, fault);
        if (status != STATUS_OK) return status;
        size_t const step = length < room ? length : room;
        memcpy(place, from, step);
        spool->length += step;
        from += step;
        length -= step;
    }
    return STATUS_OK;
}

enum status spool_rewind(struct spool *spool, struct fault *fault)
{
    bool const rest = spool->stored != 0 && spool->length > kept(spool) + spool->stored;
    return rest ? store_buffer(spool, fault) : STATUS_OK;
}

/* ---- reading ---- */

static size_t take_from_memory(struct spool *spool, uint8_t *to, size_t length)
{
    uint64_t const left = kept(spool) - spool->taken;
    size_t const step = length < left ? length : (size_t)left;
    if (to != NULL) memcpy(to, spool->memory + spool->taken, step);
    return step;
}

static enum status take_from_store(struct spool *spool, uint8_t *to, size_t length, size_t *step,
                                   struct fault *fault)
{
    uint8_t *const buffer = buffer_of(spool);
    uint64_t const offset = spool->taken - kept(spool);
    size_t const at = (size_t)(offset % SPOOL_BLOCK_BYTES);
    if (at == 0) {
        uint64_t const left = spool->stored - offset;
        spool->buffered = left < SPOOL_BLOCK_BYTES ? (size_t)left : SPOOL_BLOCK_BYTES;
        enum status const status =
            spool->store->read(spool->store->self, offset, buffer, spool->buffered, fault);
        if (status != STATUS_OK) return status;
    }
    *step = spool->buffered - at < length ? spool->buffered - at : length;
    if (to != NULL) memcpy(to, buffer + at, *step);
    return STATUS_OK;
}

enum status spool_take(struct spool *spool, void *bytes, size_t length, struct fault *fault)
{
    uint8_t *to = bytes;
    if (length > spool_left(spool))
        return fault_set(fault, STATUS_INTERNAL,
                         "the rows that waited for duplicates end early. This is a fault of penstock: please "
                         "report it");
    while (length > 0) {
        size_t step = 0;
        enum status status = STATUS_OK;
        if (spool->taken < kept(spool))
            step = take_from_memory(spool, to, length);
        else
            status = take_from_store(spool, to, length, &step, fault);
        if (status != STATUS_OK) return status;
        spool->taken += step;
        if (to != NULL) to += step;
        length -= step;
    }
    return STATUS_OK;
}
