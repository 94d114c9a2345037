/* fetch_sums.c - see the header. Thread: the caller's. Owns both arrays. */
#include "io/fetch/fetch_sums.h"

#include <stdlib.h>

static uint64_t count_of(const struct fetch_sums *sums)
{
    return (sums->size + sums->range_bytes - 1) / sums->range_bytes;
}

bool fetch_sums_start(struct fetch_sums *sums, const struct s3_proof *proof, uint64_t size,
                      size_t range_bytes)
{
    *sums = (struct fetch_sums){.proof = *proof, .size = size, .range_bytes = range_bytes};
    sums->missing = count_of(sums);
    sums->values = calloc((size_t)sums->missing + 1, sizeof *sums->values);
    sums->there = calloc((size_t)sums->missing + 1, sizeof *sums->there);
    return sums->values != NULL && sums->there != NULL;
}

static void free_arrays(struct fetch_sums *sums)
{
    free(sums->values);
    free(sums->there);
    sums->values = NULL;
    sums->there = NULL;
}

static void join(struct fetch_sums *sums)
{
    enum checksum_kind const kind = sums->proof.kind;
    uint64_t const count = count_of(sums);
    uint64_t value = sums->values[0],
             left = sums->size - (sums->size < sums->range_bytes ? sums->size : sums->range_bytes);
    for (uint64_t i = 1; i < count; i++) {
        uint64_t const length = left < sums->range_bytes ? left : sums->range_bytes;
        value = checksum_combine(kind, value, sums->values[i], length);
        left -= length;
    }
    sums->wrong = value != sums->proof.value;
    free_arrays(sums);
}

void fetch_sums_add(struct fetch_sums *sums, uint64_t range, uint64_t value)
{
    if (sums->values == NULL || sums->there == NULL || sums->there[range]) return;
    sums->there[range] = true;
    sums->values[range] = value;
    if (--sums->missing == 0) join(sums);
}

void fetch_sums_free(struct fetch_sums *sums)
{
    free_arrays(sums);
}
