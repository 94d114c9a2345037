/* profilegen_record.h - one AEP profile as a line of JSON.
 *
 * Record `index` of a seed depends on seed and index alone: a longer file begins with the shorter one, and
 * any record can be made again by itself. Thread rule: a generator is read-only once made. */
#ifndef PENSTOCK_DATASETS_PROFILEGEN_RECORD_H
#define PENSTOCK_DATASETS_PROFILEGEN_RECORD_H

#include <stdbool.h>
#include <stdint.h>

/* Most bytes of one record, with the bytes that copies of fixed size may spoil behind it. The longest of
 * three million records has 2,261; with every optional part and the longest words it stays under 4,000. */
#define RECORD_BYTES_MAX 8192u

/* Segments of namespace ups: the wanted one and a prime number of others, so that steps of any width through
 * the others meet no segment twice. */
#define RECORD_SEGMENTS_OTHER  101u
#define RECORD_SEGMENT_LENGTH  36u
#define RECORD_SEGMENT_WANTED  "59bd2fcd-3c48-4b18-bf56-4f5c5e6967ae"
#define RECORD_SEGMENTS_MEMBER 6u /* most memberships of one profile */

/* Customer numbers have ten digits and do not repeat within as many records. */
#define RECORD_CUSTOMERS 10000000000u

struct generator {
    uint64_t seed;
    uint32_t
        duplicates; /* share (of PRNG_SHARE_ONE) of the records that repeat the customer of an earlier one */
    char segments[RECORD_SEGMENTS_OTHER + 1][RECORD_SEGMENT_LENGTH]; /* the wanted one first */
};

void generator_init(struct generator *generator, uint64_t seed, uint32_t duplicates);

/* Writes record `index` (from 0) without a line end; returns what follows its last byte. `out` has room for
 * RECORD_BYTES_MAX. `full`: nothing is missing or null (so that defects find their places). */
char *record_write(const struct generator *generator, uint64_t index, bool full, char *out);

#endif
