/* structurals.h - simdjson's structural index, made by code of our own for CPUs with AVX2, for
 * record_walk.cpp only.
 *
 * It is the index that stage 1 of simdjson 3 makes, token for token, and finds the same blocks unclean; tests
 * and a fuzzer compare both on whatever they are given. It stands in for simdjson's kernel "haswell", which
 * takes 1.6 times the instructions for the tokens of profiles: those stand so close that writing them one by
 * one costs more than finding them. Where simdjson has AVX-512 its own kernel is used: it does that better.
 *
 * Thread rule: pure; any thread. */
#ifndef PENSTOCK_CORE_RECORD_STRUCTURALS_H
#define PENSTOCK_CORE_RECORD_STRUCTURALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Has this CPU what structurals_find() needs? */
bool structurals_here(void);

/* The offsets of { } [ ] : , outside of strings, of opening quotes, and of the first byte of each other run
 * of bytes that are no blanks; ascending. `tokens` has room for `length`, rounded up to a multiple of 64.
 * False: not clean (bad UTF-8, an open string, a control character in a string); *count means nothing then.
 * As in simdjson, a quote behind an odd number of backslashes is no quote wherever it stands. */
bool structurals_find(const uint8_t *bytes, size_t length, uint32_t *tokens, size_t *count);

#ifdef __cplusplus
}
#endif

#endif
