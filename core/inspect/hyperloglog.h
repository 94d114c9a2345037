/* hyperloglog.h - about how many different values there were, in at most 2 KiB: a HyperLogLog.
 *
 * 2^11 registers; a value's hash chooses one, which keeps the longest run of leading zeroes that the rest of
 * such hashes had. The estimate is Ertl's improved one ("New cardinality estimation algorithms for
 * HyperLogLog sketches", 2017, algorithm 6), which has no bias for small numbers and none between small and
 * large. The standard error is 1.04 / sqrt(2^11) = 2.3 %: two estimates of three are closer, of 1000 three
 * are off by more than 6.9 %. Few values are all but exact.
 *
 * Registers that are not empty are a list first: most paths of a dump have few different values. What is told
 * depends on the values alone, never on their order or on how sketches were merged.
 *
 * Ownership: allocates when the list is full; hyperloglog_free() is due. A zeroed struct is an empty sketch.
 * Thread rule: one thread. */
#ifndef PENSTOCK_CORE_INSPECT_HYPERLOGLOG_H
#define PENSTOCK_CORE_INSPECT_HYPERLOGLOG_H

#include <stdbool.h>
#include <stdint.h>

#define HYPERLOGLOG_BITS      11u
#define HYPERLOGLOG_REGISTERS (1u << HYPERLOGLOG_BITS)
/* In hundredths of a percent. */
#define HYPERLOGLOG_ERROR 230u
/* Registers of the list: beyond that many values a path has one of the 2 KiB. */
#define HYPERLOGLOG_LIST 16u

struct hyperloglog {
    uint8_t *registers;              /* NULL: the list */
    uint16_t count;                  /* of the list */
    uint32_t list[HYPERLOGLOG_LIST]; /* number of the register, its rank in the low byte */
};

/* Adds a value by 64 evenly spread bits of it. False: no memory; the value is not counted. */
bool hyperloglog_add(struct hyperloglog *sketch, uint64_t hash);
/* Adds all that `more` holds. False: no memory. */
bool hyperloglog_merge(struct hyperloglog *sketch, const struct hyperloglog *more);
uint64_t hyperloglog_estimate(const struct hyperloglog *sketch);
void hyperloglog_free(struct hyperloglog *sketch);

#endif
