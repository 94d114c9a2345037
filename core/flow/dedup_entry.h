/* dedup_entry.h - what the table of keys remembers of a candidate: 21 bytes.
 *
 *   key    60 bits of the key's digest
 *   time   60 bits: microseconds since year 0 and one; 0: no time, older than any
 *   place 48 bits: where the candidate stands (losers.h)
 *
 * Packed, they follow each other from the highest bit down: two words of 64 bits and one of 40, each in the
 * machine's byte order.
 *
 * Thread rule: pure. */
#ifndef PENSTOCK_CORE_FLOW_DEDUP_ENTRY_H
#define PENSTOCK_CORE_FLOW_DEDUP_ENTRY_H

#include "core/csv/timestamp.h"

#include <stdint.h>
#include <string.h>

#define DEDUP_ENTRY_BYTES 21u
#define DEDUP_KEY_BITS    60u
#define DEDUP_PLACE_BITS  48u

/* Nothing has this key. */
#define DEDUP_KEY_NONE UINT64_MAX

struct dedup_entry {
    uint64_t key, time, place;
};

/* The first 60 bits of a packed entry: by these a run is sorted. */
static inline uint64_t dedup_entry_key(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word >> 4;
}

static inline void dedup_entry_pack(const struct dedup_entry *entry, uint8_t *at)
{
    uint64_t const first = entry->key << 4 | entry->time >> 56;
    uint64_t const second = entry->time << 8 | entry->place >> 40;
    uint32_t const third = (uint32_t)entry->place;
    at[20] = (uint8_t)(entry->place >> 32);
    memcpy(at, &first, sizeof first);
    memcpy(at + 8, &second, sizeof second);
    memcpy(at + 16, &third, sizeof third);
}

static inline struct dedup_entry dedup_entry_unpack(const uint8_t *at)
{
    uint64_t first, second;
    uint32_t third;
    memcpy(&first, at, sizeof first);
    memcpy(&second, at + 8, sizeof second);
    memcpy(&third, at + 16, sizeof third);
    return (struct dedup_entry){.key = first >> 4,
                                .time = (first & 15) << 56 | second >> 8,
                                .place = (second & 255) << 40 | (uint64_t)at[20] << 32 | third};
}

/* `microseconds` since 1970, in the years of timestamp.h; INT64_MIN: none. */
static inline uint64_t dedup_entry_time(int64_t microseconds)
{
    int64_t const first = TIMESTAMP_SECONDS_MIN * 1000000;
    return microseconds == INT64_MIN ? 0 : (uint64_t)(microseconds - first) + 1;
}

_Static_assert((TIMESTAMP_SECONDS_MAX - TIMESTAMP_SECONDS_MIN + 1) * 1000000 < INT64_C(1) << 60,
               "ten thousand years of microseconds have 59 bits");

#endif
