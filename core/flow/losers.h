/* losers.h - which candidates were beaten by another one with the same key: a bit each.
 *
 * A worker numbers the candidates of its unit (a shard, or a stream's block: feed.h) from 0, in input order,
 * and adds a piece with their bits before it enters them into the table; whoever finds out that one has lost
 * sets its bit. Pieces are numbered as they are added, whatever the input's order, so that a place is a small
 * number: a piece's, and a candidate's within it. The pieces of a unit are chained, and the chains are kept
 * in input order.
 *
 * Thread rule: losers_add() by any thread. losers_mark() and losers_is_later() by any thread that was told of
 * the places behind their losers_add() (the table's mutexes do that: all of a piece was written before).
 * losers_keep() by one thread; what reads bits by one thread, behind an edge from all of the others. Owns the
 * pieces. */
#ifndef PENSTOCK_CORE_FLOW_LOSERS_H
#define PENSTOCK_CORE_FLOW_LOSERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Candidates in a piece. */
#define LOSERS_PIECE_BITS 12u
#define LOSERS_PIECE_MAX  (1u << LOSERS_PIECE_BITS)

/* Pieces are found through two steps of tables. 2^28 pieces are 256 TiB of input in shards of 1 MiB. */
#define LOSERS_STEP_BITS  12u
#define LOSERS_STEPS      (1u << 16)
#define LOSERS_PIECES_MAX ((uint64_t)LOSERS_STEPS << LOSERS_STEP_BITS)
/* Bits of a place. */
#define LOSERS_PLACE_BITS (16u + LOSERS_STEP_BITS + LOSERS_PIECE_BITS)

struct losers_piece {
    uint64_t order;            /* the unit's: ascends in input order */
    uint64_t first;            /* number of its first candidate in the unit */
    struct losers_piece *next; /* of the unit */
    uint32_t count;            /* candidates */
    uint32_t number;
    _Atomic uint64_t words[];
};

struct losers {
    /* L1: release by who made the table, L2: acquire by who adds a piece to it. */
    _Atomic(struct losers_piece **) *steps;
    _Atomic uint64_t count;      /* relaxed fetch_add: numbers pieces, publishes nothing */
    _Atomic uint64_t bytes;      /* that all of this takes; relaxed: a sum */
    struct losers_piece **units; /* chains in input order; NULL: a unit without candidates */
    uint64_t unit_count, unit_room;
};

bool losers_create(struct losers *losers);  /* false: no memory; destroy is due all the same */
void losers_destroy(struct losers *losers); /* zeroed is fine */

/* Bytes that a piece takes. */
size_t losers_piece_bytes(uint32_t count);
/* Room for `count` candidates (1 to LOSERS_PIECE_MAX) of a unit, the first of which is number `first`; behind
 * piece `before` of the unit (NULL: there is none). NULL: no memory, or losers->count says that there are too
 * many. */
struct losers_piece *losers_add(struct losers *losers, uint64_t order, uint64_t first, uint32_t count,
                                struct losers_piece *before);
/* The place of candidate number `within` of a piece. */
static inline uint64_t losers_place(const struct losers_piece *piece, uint32_t within)
{
    return (uint64_t)piece->number << LOSERS_PIECE_BITS | within;
}
/* Does place `a` stand behind place `b` in the input? */
bool losers_is_later(const struct losers *losers, uint64_t a, uint64_t b);
void losers_mark(struct losers *losers, uint64_t place);

/* The next unit in input order, by its first piece (NULL: it has none). False: no memory. */
bool losers_keep(struct losers *losers, struct losers_piece *first);

/* ---- when all is known ---- */

/* A unit's bits, looked at mostly in order. */
struct losers_unit {
    const struct losers_piece *first, *at;
};

struct losers_unit losers_unit(const struct losers *losers, uint64_t unit); /* number `unit` that was kept */
bool losers_any(const struct losers_unit *unit);
/* Moves to the piece that the candidate stands in. */
void losers_find(struct losers_unit *unit, uint64_t candidate);
static inline bool losers_has(struct losers_unit *unit, uint64_t candidate)
{
    if (candidate - unit->at->first >= unit->at->count) losers_find(unit, candidate);
    uint64_t const within = candidate - unit->at->first;
    return (atomic_load_explicit(&unit->at->words[within / 64], memory_order_relaxed) >> within % 64) & 1;
}
/* A unit's bits are not needed any more. */
void losers_drop(struct losers *losers, uint64_t unit);

#endif
