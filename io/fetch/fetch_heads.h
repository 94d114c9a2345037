/* fetch_heads.h - the first bytes of many objects, some of them on their way while one is looked at.
 *
 * Memory: SOURCE_HEAD_BYTES and a call for each that is on its way. Thread rule: one thread. */
#ifndef PENSTOCK_IO_FETCH_FETCH_HEADS_H
#define PENSTOCK_IO_FETCH_FETCH_HEADS_H

#include "io/input/source_remote.h"

struct fetch_heads;

/* NULL: no memory. `most` at once, at least 1. */
struct fetch_heads *fetch_heads_create(uint32_t most);
void fetch_heads_destroy(struct fetch_heads *heads); /* waits for what is on its way; takes NULL */

/* source_remote.h's head(): `room` is at most SOURCE_HEAD_BYTES. */
enum status fetch_heads_read(struct fetch_heads *heads, const struct source_found *found, size_t i,
                             uint8_t *into, size_t room, size_t *length, struct fault *fault);

#endif
