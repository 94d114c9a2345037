/* census.h - counts by key, of keys that nobody knows beforehand: segment ids by status, ids by namespace.
 *
 * A key is a namespace (compared without regard to ASCII case, as jobs do) and an id (literally; "" for a
 * namespace alone). Memory is bounded: of more than `limit` keys those with the lowest digests stay, which is
 * the same choice whatever the order in which keys come, and a key that stays was counted from its first
 * sight on. So a census that was made in parts and merged is the same as one made at once.
 *
 * Ownership: owns its entries. Thread rule: one thread. */
#ifndef PENSTOCK_CORE_INSPECT_CENSUS_H
#define PENSTOCK_CORE_INSPECT_CENSUS_H

#include "core/base/key_digest.h"
#include "core/inspect/hyperloglog.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CENSUS_COUNTS 4u
/* Bytes of a namespace and of an id that are kept to be shown; of longer ones the front; a NUL is shown
 * as U+2400. AEP's are UUIDs. */
#define CENSUS_NAME_MAX 64u
#define CENSUS_ID_MAX   128u

/* Where something stands in the input: places compare as the input is ordered. */
struct census_place {
    uint64_t source, offset;
};

struct census_entry {
    struct key_digest digest;
    struct census_place first;
    char name[CENSUS_NAME_MAX + 1], id[CENSUS_ID_MAX + 1]; /* as first seen */
    uint64_t counts[CENSUS_COUNTS];                        /* what they mean, the caller knows */
    uint64_t records, last_record;
    struct hyperloglog distinct;
};

struct census {
    struct census_entry *entries; /* 2 * limit; in no order */
    uint32_t *table;              /* number of an entry, from 1; 0: free */
    uint32_t count, limit, table_mask;
    uint64_t ceiling; /* digests above it are not taken any more */
    bool over;        /* there were more keys than `limit` */
};

struct census_key {
    const uint8_t *name, *id;
    uint32_t name_length, id_length;
    struct census_place place;
};

size_t census_bytes(uint32_t limit);
bool census_create(struct census *census, uint32_t limit); /* false: no memory */
void census_destroy(struct census *census);                /* zeroed is fine */

/* The entry of a key; a new one has zero counts. NULL: the key is beyond the bound. Valid until the next
 * call. */
struct census_entry *census_find(struct census *census, const struct census_key *key);
/* False: no memory for what `distinct` holds. */
bool census_merge(struct census *census, const struct census *more);
/* In order of namespace and id, byte for byte, `limit` of them at most. Nothing is counted afterwards. */
void census_finish(struct census *census);

#endif
