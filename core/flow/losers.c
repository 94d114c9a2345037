/* losers.c - see the header. Threads: as it says. Owns the pieces and the tables they are found through.
 *
 * No edge is made for bits here: they are set relaxed, and read behind the edge that says that all units are
 * through (pipeline_assemble.c). */
#include "core/flow/losers.h"

#include <stdlib.h>

#define WORD_BITS 64u
#define STEP_SIZE (1u << LOSERS_STEP_BITS)

/* What malloc() adds: its header, and the rounding to 16 bytes. */
#define MALLOC_BYTES 16u

static void take_bytes(struct losers *losers, size_t bytes)
{
    atomic_fetch_add_explicit(&losers->bytes, bytes, memory_order_relaxed);
}

bool losers_create(struct losers *losers)
{
    *losers = (struct losers){.unit_room = 0};
    losers->steps = calloc(LOSERS_STEPS, sizeof *losers->steps);
    return losers->steps != NULL;
}

/* Pieces of a run that ended early are in no chain that was kept: each is found by its number. */
void losers_destroy(struct losers *losers)
{
    uint64_t const count = atomic_load_explicit(&losers->count, memory_order_relaxed);
    uint64_t const used =
        count < LOSERS_PIECES_MAX ? (count + STEP_SIZE - 1) >> LOSERS_STEP_BITS : LOSERS_STEPS;
    for (uint64_t s = 0; losers->steps != NULL && s < used; s++) {
        struct losers_piece **const step = atomic_load_explicit(&losers->steps[s], memory_order_relaxed);
        if (step == NULL) continue;
        for (uint32_t i = 0; i < STEP_SIZE; i++)
            free(step[i]);
        free(step);
    }
    free(losers->steps);
    free(losers->units);
    *losers = (struct losers){.steps = NULL};
}

/* ---- pieces ---- */

/* The table of pieces that number `number` stands in, made if need be. NULL: no memory. */
static struct losers_piece **step_for(struct losers *losers, uint64_t number)
{
    _Atomic(struct losers_piece **) *const place = &losers->steps[number >> LOSERS_STEP_BITS];
    /* L2, pairs with L1 */
    struct losers_piece **step = atomic_load_explicit(place, memory_order_acquire);
    if (step != NULL) return step;
    struct losers_piece **const made = calloc(STEP_SIZE, sizeof *made);
    if (made == NULL) return NULL;
    /* L1, pairs with L2; who comes second takes the first one's */
    if (atomic_compare_exchange_strong_explicit(place, &step, made, memory_order_acq_rel,
                                                memory_order_acquire)) {
        take_bytes(losers, STEP_SIZE * sizeof *made);
        return made;
    }
    free(made);
    return step;
}

size_t losers_piece_bytes(uint32_t count)
{
    return sizeof(struct losers_piece) + (count + WORD_BITS - 1) / WORD_BITS * sizeof(uint64_t) +
           MALLOC_BYTES;
}

struct losers_piece *losers_add(struct losers *losers, uint64_t order, uint64_t first, uint32_t count,
                                struct losers_piece *before)
{
    uint64_t const number = atomic_fetch_add_explicit(&losers->count, 1, memory_order_relaxed);
    if (number >= LOSERS_PIECES_MAX) return NULL;
    struct losers_piece **const step = step_for(losers, number);
    struct losers_piece *const piece =
        step == NULL ? NULL : calloc(1, losers_piece_bytes(count) - MALLOC_BYTES);
    if (piece == NULL) return NULL;
    piece->order = order;
    piece->first = first;
    piece->count = count;
    piece->number = (uint32_t)number;
    step[number & (STEP_SIZE - 1)] = piece;
    if (before != NULL) before->next = piece;
    take_bytes(losers, losers_piece_bytes(count));
    return piece;
}

/* Whose place it is, the caller was told: relaxed. */
static struct losers_piece *piece_of(const struct losers *losers, uint64_t place)
{
    uint64_t const number = place >> LOSERS_PIECE_BITS;
    struct losers_piece **const step =
        atomic_load_explicit(&losers->steps[number >> LOSERS_STEP_BITS], memory_order_relaxed);
    return step[number & (STEP_SIZE - 1)];
}

bool losers_is_later(const struct losers *losers, uint64_t a, uint64_t b)
{
    if (a >> LOSERS_PIECE_BITS == b >> LOSERS_PIECE_BITS) return a > b;
    const struct losers_piece *const of_a = piece_of(losers, a), *const of_b = piece_of(losers, b);
    return of_a->order != of_b->order ? of_a->order > of_b->order : of_a->first > of_b->first;
}

void losers_mark(struct losers *losers, uint64_t place)
{
    uint32_t const within = place & (LOSERS_PIECE_MAX - 1);
    atomic_fetch_or_explicit(&piece_of(losers, place)->words[within / WORD_BITS],
                             UINT64_C(1) << within % WORD_BITS, memory_order_relaxed);
}

/* ---- units ---- */

bool losers_keep(struct losers *losers, struct losers_piece *first)
{
    if (losers->unit_count == losers->unit_room) {
        uint64_t const room = losers->unit_room == 0 ? 1024 : 2 * losers->unit_room;
        struct losers_piece **const units = realloc(losers->units, room * sizeof *units);
        if (units == NULL) return false;
        take_bytes(losers, (room - losers->unit_room) * sizeof *units);
        losers->units = units;
        losers->unit_room = room;
    }
    losers->units[losers->unit_count++] = first;
    return true;
}

struct losers_unit losers_unit(const struct losers *losers, uint64_t unit)
{
    return (struct losers_unit){.first = losers->units[unit], .at = losers->units[unit]};
}

bool losers_any(const struct losers_unit *unit)
{
    for (const struct losers_piece *piece = unit->first; piece != NULL; piece = piece->next)
        for (uint32_t word = 0; word < (piece->count + WORD_BITS - 1) / WORD_BITS; word++)
            if (atomic_load_explicit(&piece->words[word], memory_order_relaxed) != 0) return true;
    return false;
}

void losers_find(struct losers_unit *unit, uint64_t candidate)
{
    if (candidate < unit->at->first) unit->at = unit->first;
    while (candidate - unit->at->first >= unit->at->count)
        unit->at = unit->at->next;
}

void losers_drop(struct losers *losers, uint64_t unit)
{
    struct losers_piece *piece = losers->units[unit];
    losers->units[unit] = NULL;
    while (piece != NULL) {
        struct losers_piece *const next = piece->next;
        struct losers_piece **const step =
            atomic_load_explicit(&losers->steps[piece->number >> LOSERS_STEP_BITS], memory_order_relaxed);
        step[piece->number & (STEP_SIZE - 1)] = NULL;
        free(piece);
        piece = next;
    }
}
