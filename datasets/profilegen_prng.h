/* profilegen_prng.h - the random numbers of profilegen: a 64-bit counter behind a mixer.
 *
 * SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014): every start
 * value gives a stream of its own, so record N of a seed needs nothing of the records before it.
 * Integer arithmetic only: the same bytes on every machine. Thread rule: a stream belongs to one thread. */
#ifndef PENSTOCK_DATASETS_PROFILEGEN_PRNG_H
#define PENSTOCK_DATASETS_PROFILEGEN_PRNG_H

#include <stdbool.h>
#include <stdint.h>

#define PRNG_STEP 0x9e3779b97f4a7c15u /* 2^64 / golden ratio, odd: the counter visits every value */

/* Shares are given in billionths: nine decimals, exact. */
#define PRNG_SHARE_ONE 1000000000u

struct prng {
    uint64_t state;
};

static inline uint64_t prng_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* The stream number `index` of `seed`; both are mixed so that neighbours share nothing. */
static inline struct prng prng_stream(uint64_t seed, uint64_t index)
{
    return (struct prng){prng_mix(prng_mix(seed + PRNG_STEP) + index * PRNG_STEP)};
}

static inline uint64_t prng_next(struct prng *prng)
{
    prng->state += PRNG_STEP;
    return prng_mix(prng->state);
}

/* 0 to limit - 1. Not exactly even, by at most limit / 2^32: of no weight for test data. */
static inline uint32_t prng_below(struct prng *prng, uint32_t limit)
{
    return (uint32_t)(((prng_next(prng) >> 32) * limit) >> 32);
}

/* True with the probability `share` / PRNG_SHARE_ONE; always or never at both ends. */
static inline bool prng_share(struct prng *prng, uint32_t share)
{
    return prng_below(prng, PRNG_SHARE_ONE) < share;
}

#endif
