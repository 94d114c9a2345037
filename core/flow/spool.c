/* spool.c - see the header. Thread: the assembler's. Owns the blocks. */
#include "core/flow/spool.h"

#include <stdlib.h>
#include <string.h>

bool spool_create(struct spool *spool, uint64_t bytes, const struct spool_store *store)
{
    uint64_t const most = bytes / SPOOL_BLOCK_BYTES;
    *spool = (struct spool){.store = store, .block_max = most > UINT32_MAX ? UINT32_MAX : (uint32_t)most};
    spool->blocks = calloc(spool->block_max, sizeof *spool->blocks);
    return spool->blocks != NULL;
}

void spool_destroy(struct spool *spool)
{
    for (uint32_t i = 0; spool->blocks != NULL && i < spool->block_count; i++)
        free(spool->blocks[i]);
    free(spool->blocks);
    *spool = (struct spool){0};
}

/* Bytes at the front that memory keeps: all, or all but the buffer's. */
static uint64_t kept(const struct spool *spool)
{
    uint64_t const front = (uint64_t)(spool->block_max - 1) * SPOOL_BLOCK_BYTES;
    return spool->stored == 0 ? spool->length : front;
}

/* ---- writing ---- */

/* Writes the buffer out, which holds all bytes that are neither kept nor stored. */
static enum status store_buffer(struct spool *spool, struct fault *fault)
{
    uint64_t const front = (uint64_t)(spool->block_max - 1) * SPOOL_BLOCK_BYTES;
    size_t const length = (size_t)(spool->length - front - spool->stored);
    enum status const status = spool->store->write(spool->store->self, spool->stored,
                                                   spool->blocks[spool->block_max - 1], length, fault);
    if (status == STATUS_OK) spool->stored += length;
    return status;
}

/* An empty block to write on. */
static enum status next_block(struct spool *spool, struct fault *fault)
{
    if (spool->block_count == spool->block_max) return store_buffer(spool, fault);
    uint8_t *const block = malloc(SPOOL_BLOCK_BYTES);
    if (block == NULL) return fault_set(fault, STATUS_IO, "no memory for the rows that wait for duplicates");
    spool->blocks[spool->block_count++] = block;
    return STATUS_OK;
}

enum status spool_append(struct spool *spool, const void *bytes, size_t length, struct fault *fault)
{
    const uint8_t *from = bytes;
    while (length > 0) {
        size_t const at = (size_t)(spool->length % SPOOL_BLOCK_BYTES);
        if (at == 0) {
            enum status const status = next_block(spool, fault);
            if (status != STATUS_OK) return status;
        }
        size_t const room = SPOOL_BLOCK_BYTES - at, step = length < room ? length : room;
        memcpy(spool->blocks[spool->block_count - 1] + at, from, step);
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
    size_t const at = (size_t)(spool->taken % SPOOL_BLOCK_BYTES);
    uint32_t const block = (uint32_t)(spool->taken / SPOOL_BLOCK_BYTES);
    uint64_t const left = kept(spool) - spool->taken;
    size_t step = SPOOL_BLOCK_BYTES - at;
    if (step > left) step = (size_t)left;
    if (step > length) step = length;
    memcpy(to, spool->blocks[block] + at, step);
    if (at + step == SPOOL_BLOCK_BYTES) {
        free(spool->blocks[block]);
        spool->blocks[block] = NULL;
    }
    return step;
}

static enum status take_from_store(struct spool *spool, uint8_t *to, size_t length, size_t *step,
                                   struct fault *fault)
{
    uint8_t *const buffer = spool->blocks[spool->block_max - 1];
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
    memcpy(to, buffer + at, *step);
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
        to += step;
        length -= step;
    }
    return STATUS_OK;
}
