/* memory_store.h - a spool's store in memory, which checks that it is used as it says, and can fail at a
 * call. */
#ifndef PENSTOCK_TESTS_UNIT_MEMORY_STORE_H
#define PENSTOCK_TESTS_UNIT_MEMORY_STORE_H

#include "core/flow/spool.h"

#include <stdlib.h>
#include <string.h>

struct memory_store {
    struct spool_store port;
    uint8_t *bytes;
    uint64_t length, read;
    uint64_t writes, reads;
    uint64_t fail_at; /* the call that fails, from 1; 0: none */
    uint64_t wrong;
};

static inline bool memory_store_fails(struct memory_store *store)
{
    return store->writes + store->reads == store->fail_at;
}

static inline enum status memory_store_write(void *self, uint64_t offset, const void *bytes, size_t length,
                                             struct fault *fault)
{
    struct memory_store *const store = self;
    store->writes++;
    if (memory_store_fails(store)) return fault_set(fault, STATUS_IO, "store: write failed");
    store->wrong += offset != store->length || store->reads != 0 || length == 0;
    store->bytes = realloc(store->bytes, store->length + length);
    if (store->bytes == NULL) abort();
    memcpy(store->bytes + store->length, bytes, length);
    store->length += length;
    return STATUS_OK;
}

static inline enum status memory_store_read(void *self, uint64_t offset, void *bytes, size_t length,
                                            struct fault *fault)
{
    struct memory_store *const store = self;
    store->reads++;
    if (memory_store_fails(store)) return fault_set(fault, STATUS_IO, "store: read failed");
    store->wrong += offset != store->read || length > store->length - offset || length == 0;
    memcpy(bytes, store->bytes + offset, length);
    store->read += length;
    return STATUS_OK;
}

static inline void memory_store_start(struct memory_store *store)
{
    *store = (struct memory_store){
        .port = {.self = store, .write = memory_store_write, .read = memory_store_read}};
}

static inline void memory_store_free(struct memory_store *store)
{
    free(store->bytes);
    store->bytes = NULL;
}

#endif
