/* fetch_sums.h - the checksum of an object that comes in ranges, in any order: each range's is made where it
 * is read, and when all are there they are joined and compared with the one that the store keeps.
 *
 * Thread rule: one at a time (the shelf's mutex). Memory: 9 bytes a range, from the first to the last that
 * comes. */
#ifndef PENSTOCK_IO_FETCH_FETCH_SUMS_H
#define PENSTOCK_IO_FETCH_FETCH_SUMS_H

#include "io/s3/s3_range.h"

#include <stdbool.h>

struct fetch_sums {
    struct s3_proof proof; /* what is to come out */
    uint64_t size;         /* of the object */
    size_t range_bytes;
    uint64_t *values; /* one a range; NULL: none came yet, or all did */
    bool *there;
    uint64_t missing; /* ranges */
    bool wrong;       /* all came, and they are not what the store says */
};

/* `proof` with a kind. False: no memory. */
bool fetch_sums_start(struct fetch_sums *sums, const struct s3_proof *proof, uint64_t size,
                      size_t range_bytes);
/* The checksum of range number `range`; one that was there already changes nothing. */
void fetch_sums_add(struct fetch_sums *sums, uint64_t range, uint64_t value);
void fetch_sums_free(struct fetch_sums *sums); /* zeroed is fine */

#endif
