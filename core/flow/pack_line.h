/* pack_line.h - units on their way through the crew: given in an order, taken back in the same order.
 *
 *   pack_line_unit() -> caller fills it -> pack_line_send() -> worker compresses it -> pack_line_first()
 *
 * A slot is a unit with the room for its result; slots are a ring, so that the order is theirs. As many exist
 * as the crew takes works, and units as slots and files that fill one; none is made later.
 *
 * Thread rule: the assembler's; between pack_line_send() and the time when the slot is the first and done,
 * its worker reads the unit and writes the result. Owns units, slots and tools; the crew is lent. */
#ifndef PENSTOCK_CORE_FLOW_PACK_LINE_H
#define PENSTOCK_CORE_FLOW_PACK_LINE_H

#include "core/codec/pack.h"
#include "core/flow/crew.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pack_slot {
    struct crew_work work; /* first: the worker finds the slot by it */
    const struct pack_line *line;
    uint32_t file;
    bool is_last; /* of its file */
    uint8_t *unit;
    size_t length;
    uint8_t *out; /* the worker's until it is done, as what follows */
    size_t out_length;
    uint32_t crc32; /* of the unit, when the format wants it */
    bool good;      /* false: the library has no memory */
};

struct pack_line {
    enum pack_kind kind;
    size_t unit;
    struct crew *crew;
    struct pack_tool **tools; /* one a worker */
    struct pack_slot *slots;
    uint32_t slot_count, first, busy;
    uint8_t *unit_bytes, *out_bytes;
    uint8_t **empty; /* a stack: what was used last is in the cache */
    uint32_t empty_count;
};

/* With a crew of so many workers, for `open` files. */
uint64_t pack_line_memory(enum pack_kind kind, size_t unit, uint32_t open, uint32_t workers);
/* False: no memory; pack_line_destroy() is due all the same. */
bool pack_line_create(struct pack_line *line, enum pack_kind kind, size_t unit, uint32_t open,
                      struct crew *crew);
void pack_line_destroy(struct pack_line *line); /* no worker has a slot; zeroed is fine */

/* An empty unit. There is one while fewer than `open` are being filled. */
uint8_t *pack_line_unit(struct pack_line *line);
bool pack_line_has_slot(const struct pack_line *line);
bool pack_line_is_idle(const struct pack_line *line);
/* Takes the unit over (NULL with length 0); has_slot. `is_needed` false: it has no bytes, only its place in
 * the order. */
void pack_line_send(struct pack_line *line, uint32_t file, uint8_t *unit, size_t length, bool is_last,
                    bool is_needed);
/* What came back from the crew is marked. */
void pack_line_reap(struct pack_line *line);
/* The slot that is next in order, when it is done; else NULL. */
const struct pack_slot *pack_line_first(const struct pack_line *line);
/* It was dealt with. */
void pack_line_pop(struct pack_line *line);

#endif
