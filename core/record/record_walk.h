/* record_walk.h - simdjson behind a C face: the one door to C++.
 *
 * Two services on a parser:
 *   record_parser_index()
 *       stage 1 over a whole block of records: the structural index that index_walk.c walks. One call a
 *       block. Fails as a whole when any record of the block has bad UTF-8, an open string, or a raw
 *       control character in a string.
 *
 *   record_walk()
 *       simdjson On-Demand over one record. One call a record. It is slower than index_walk.c and independent
 *       of it: records of a block that failed go through it, and it is the judge of what a good record is.
 *       Both find the same cells, which is tested.
 *
 * No call throws, prints or aborts. Ownership: the parser owns its index, valid until its next call. Bytes
 * are borrowed for the call and have LIMIT_PADDING readable bytes behind them. Thread rule: one parser a
 * thread. */
#ifndef PENSTOCK_CORE_RECORD_RECORD_WALK_H
#define PENSTOCK_CORE_RECORD_RECORD_WALK_H

#include "core/map/plan.h"
#include "core/record/cells.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct record_parser;

/* A walk may look as far behind the last token before it notices that it ran out of the record. */
#define RECORD_INDEX_BEHIND 4u

struct record_index {
    const uint32_t
        *tokens; /* offsets, ascending; RECORD_INDEX_BEHIND more behind the last one are `length` */
    size_t count;
};

/* The memory of a parser for blocks and records of at most `capacity` bytes: simdjson 3.0 keeps a 4-byte
 * offset for each byte; On-Demand keeps an index of its own and a string buffer of 5/3 bytes for each byte.
 */
size_t record_parser_bytes(size_t capacity, uint32_t depth_max);
size_t record_parser_index_bytes(size_t capacity, uint32_t depth_max);
/* NULL: no memory, or a simdjson of another version than this was written for. The second makes a parser for
 * record_parser_index() alone: its record_walk() refuses every record. */
struct record_parser *record_parser_create(size_t capacity, uint32_t depth_max);
struct record_parser *record_parser_create_index(size_t capacity, uint32_t depth_max);
void record_parser_destroy(struct record_parser *parser); /* takes NULL */

/* False: not clean as a whole (or longer than the capacity). An empty block is clean and has no tokens. */
bool record_parser_index(struct record_parser *parser, const uint8_t *bytes, size_t length,
                         struct record_index *index);

/* False: the record is not good, or has more values than cells->item_max (cells->overflow says so).
 * cells_begin() was called. On false the cells mean nothing. */
bool record_walk(struct record_parser *parser, const uint8_t *bytes, size_t length, struct cells *cells);

/* The parser's room for an index, for record_defect.c: capacity + RECORD_INDEX_BEHIND tokens and a bit.
 * Overwritten by the next call. */
uint32_t *record_parser_tokens(struct record_parser *parser);

bool record_is_utf8(const uint8_t *bytes, size_t length);

/* The SIMD kernel that stage 1 runs on here: "icelake", "haswell", "westmere", "fallback", … */
void record_parser_kernel(char *name, size_t size);
/* May it run? Not "fallback", which is for CPUs without such instructions: it takes a quote within a scalar
 * (-"x") for a part of it and does not look at bytes outside of strings, so that records get other codes or
 * pass. Nor one that the environment asks for and that simdjson does not know, or the CPU can't run. */
bool record_parser_kernel_is_good(void);
/* The names of those that may run here, the best first, divided by ", "; empty: none. */
void record_parser_kernels(char *names, size_t size);
const char *record_parser_version(void);

#ifdef __cplusplus
}
#endif

#endif
