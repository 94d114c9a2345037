/* catalogue_walk.h - records into a catalogue: a walk over all of a record's structural tokens
 * (record_walk.h, index_walk.h).
 *
 * Twice over each record: record_check.h judges its whole syntax, so that a record that is not good leaves no
 * trace; then the catalogue's walk counts, and trusts what it meets.
 *
 * What counts as a value: as often as it is there. A key that an object holds twice is counted twice. Strings
 * are told apart and measured by their text, unescaped; numbers by their characters as they stand.
 *
 * Thread rule: one struct a thread. Owns the scratch, borrows the catalogue. */
#ifndef PENSTOCK_CORE_INSPECT_CATALOGUE_WALK_H
#define PENSTOCK_CORE_INSPECT_CATALOGUE_WALK_H

#include "core/inspect/catalogue.h"
#include "core/record/record_check.h"
#include "core/record/record_view.h"

/* Room for an unescaped text. Strings with escapes that are longer are told apart by their spelling. */
#define CATALOGUE_WALK_TEXT (64u * 1024)

struct catalogue_text {
    const uint8_t *at; /* NULL: there is none */
    uint32_t length;
};

struct catalogue_walk {
    struct catalogue *catalogue;
    uint8_t *brackets; /* of the check: depth_max + 2 */
    uint8_t *text;     /* CATALOGUE_WALK_TEXT: an unescaped value */
    uint8_t *keys;     /* two unescaped keys that outlive their objects: namespace and id */
    uint32_t depth_max;
    /* the record at hand */
    const uint8_t *bytes;
    uint32_t end;
    struct record_escapes escapes;
    bool lone_surrogate;      /* in one of its values */
    uint64_t record;          /* its number, from 1 */
    struct census_place base; /* of bytes[0] */
    /* what lies around the value at hand */
    struct catalogue_text space, id,
        code; /* namespace, id of a segment or identity, namespace of `identities` */
    enum catalogue_status status;
    bool primary;
};

size_t catalogue_walk_bytes(uint32_t depth_max);
bool catalogue_walk_create(struct catalogue_walk *walk, struct catalogue *catalogue, uint32_t depth_max);
void catalogue_walk_destroy(struct catalogue_walk *walk); /* zeroed is fine */

/* As record_visitor.visit: `self` is a struct catalogue_walk. */
const uint32_t *catalogue_walk_record(void *self, const struct record_view *view);

#endif
