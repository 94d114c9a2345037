/* hyperloglog.c - see the header. Thread: the caller's. Owns the registers. */
#include "core/inspect/hyperloglog.h"

#include <stdlib.h>

#define RANK_BITS 8u
/* Bits of a hash behind the register's number: the highest rank. */
#define RANK_MAX (64u - HYPERLOGLOG_BITS)

static bool to_registers(struct hyperloglog *sketch)
{
    uint8_t *const registers = calloc(HYPERLOGLOG_REGISTERS, 1);
    if (registers == NULL) return false;
    for (uint32_t i = 0; i < sketch->count; i++)
        registers[sketch->list[i] >> RANK_BITS] = (uint8_t)sketch->list[i];
    sketch->registers = registers;
    sketch->count = 0;
    return true;
}

/* Lifts a register to a rank. */
static bool lift(struct hyperloglog *sketch, uint32_t number, uint32_t rank)
{
    for (uint32_t i = 0; sketch->registers == NULL && i < sketch->count; i++) {
        if (sketch->list[i] >> RANK_BITS != number) continue;
        if ((uint8_t)sketch->list[i] < rank) sketch->list[i] = number << RANK_BITS | rank;
        return true;
    }
    if (sketch->registers == NULL && sketch->count < HYPERLOGLOG_LIST) {
        sketch->list[sketch->count++] = number << RANK_BITS | rank;
        return true;
    }
    if (sketch->registers == NULL && !to_registers(sketch)) return false;
    if (sketch->registers[number] < rank) sketch->registers[number] = (uint8_t)rank;
    return true;
}

bool hyperloglog_add(struct hyperloglog *sketch, uint64_t hash)
{
    uint32_t const number = (uint32_t)(hash >> RANK_MAX);
    uint64_t const rest = hash << HYPERLOGLOG_BITS;
    /* a hash of 2^53 has a rest of zeroes: it counts as the next rank below, so that no rank needs a case of
     * its own in the estimate */
    uint32_t const rank = rest == 0 ? RANK_MAX : (uint32_t)__builtin_clzll(rest) + 1;
    if (sketch->registers == NULL) return lift(sketch, number, rank);
    if (sketch->registers[number] < rank) sketch->registers[number] = (uint8_t)rank;
    return true;
}

bool hyperloglog_merge(struct hyperloglog *sketch, const struct hyperloglog *more)
{
    bool good = true;
    for (uint32_t i = 0; i < more->count; i++)
        good = lift(sketch, more->list[i] >> RANK_BITS, (uint8_t)more->list[i]) && good;
    if (more->registers == NULL) return good;
    if (sketch->registers == NULL && !to_registers(sketch)) return false;
    for (uint32_t i = 0; i < HYPERLOGLOG_REGISTERS; i++)
        if (sketch->registers[i] < more->registers[i]) sketch->registers[i] = more->registers[i];
    return good;
}

/* The sum of x^(2^k) 2^(k-1), k from 1, and x: what the empty registers' share x says of small numbers. x
 * < 1. */
static double sigma(double x)
{
    double power = x, weight = 1, sum = x, before;
    do {
        power *= power;
        before = sum;
        sum += power * weight;
        weight += weight;
    } while (sum != before); /* ends: x^(2^k) falls faster than 2^k grows */
    return sum;
}

uint64_t hyperloglog_estimate(const struct hyperloglog *sketch)
{
    double const registers = HYPERLOGLOG_REGISTERS;
    double const alpha = 0.721347520444481703680; /* 1 / (2 ln 2) */
    uint32_t of_rank[RANK_MAX + 1] = {0};
    for (uint32_t i = 0; sketch->registers != NULL && i < HYPERLOGLOG_REGISTERS; i++)
        of_rank[sketch->registers[i]]++;
    for (uint32_t i = 0; sketch->registers == NULL && i < sketch->count; i++)
        of_rank[(uint8_t)sketch->list[i]]++;
    if (sketch->registers == NULL) of_rank[0] = HYPERLOGLOG_REGISTERS - sketch->count;
    if (of_rank[0] == HYPERLOGLOG_REGISTERS) return 0;
    double sum = 0;
    for (uint32_t rank = RANK_MAX; rank > 0; rank--)
        sum = (sum + of_rank[rank]) / 2;
    sum += registers * sigma(of_rank[0] / registers);
    return (uint64_t)(alpha * registers * registers / sum + 0.5);
}

void hyperloglog_free(struct hyperloglog *sketch)
{
    free(sketch->registers);
    *sketch = (struct hyperloglog){0};
}
