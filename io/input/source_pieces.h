/* source_pieces.h - text that was decompressed and waits to be read: pieces of one size, a stack of empty
 * ones, and queues of filled ones.
 *
 * The piece that was read last is filled next: it is in the cache. So no more of the memory is ever touched
 * than waited at one time, and a budget that is seldom needed costs nothing. Each has memory of its own,
 * which may be exchanged for other memory of the same size (malloc'ed, LIMIT_PADDING bytes larger).
 *
 * Thread rule: under a lock of the owner's, but for a piece's contents, which are its holder's. Owns the
 * memory; a queue owns nothing. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_PIECES_H
#define PENSTOCK_IO_INPUT_SOURCE_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct source_piece {
    uint8_t *memory;
    size_t length;             /* of text, from the pieces' `lead` on */
    struct source_piece *next; /* of the stack, or of a queue */
};

struct source_pieces {
    size_t piece_bytes, lead; /* of memory; of them, in front of text */
    size_t count, empty_count;
    struct source_piece *all, *empty;
};

/* Zeroed is empty. */
struct source_piece_queue {
    struct source_piece *first, *last;
    size_t bytes; /* of text in all of them */
};

/* How many fit into `bytes`, with what keeps them in order. */
size_t source_pieces_fit(uint64_t bytes, size_t piece_bytes);
/* What so many take. */
uint64_t source_pieces_memory(size_t count, size_t piece_bytes);

/* False: no memory; destroy is due all the same. */
bool source_pieces_create(struct source_pieces *pieces, size_t count, size_t piece_bytes, size_t lead);
void source_pieces_destroy(struct source_pieces *pieces); /* zeroed is fine */

/* An empty one; NULL: there is none. */
struct source_piece *source_pieces_take(struct source_pieces *pieces);
void source_pieces_give(struct source_pieces *pieces, struct source_piece *piece);
/* All of a queue, which is empty then. */
void source_pieces_give_all(struct source_pieces *pieces, struct source_piece_queue *queue);

void source_piece_push(struct source_piece_queue *queue, struct source_piece *piece);
struct source_piece *source_piece_pop(struct source_piece_queue *queue); /* NULL: it is empty */

#endif
