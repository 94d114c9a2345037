/* source_pieces.c - see the header. Thread: any, under the owner's lock. */
#include "io/input/source_pieces.h"

#include "core/base/limits.h"

#include <stdlib.h>

/* What malloc() keeps in front of a piece, and the page that it is in: an upper bound. */
#define BESIDE_BYTES ((size_t)4096 + 16)

static uint64_t bytes_of(size_t piece_bytes)
{
    return sizeof(struct source_piece) + piece_bytes + LIMIT_PADDING + BESIDE_BYTES;
}

size_t source_pieces_fit(uint64_t bytes, size_t piece_bytes)
{
    uint64_t const count = bytes / bytes_of(piece_bytes), most = SIZE_MAX / 2 / sizeof(struct source_piece);
    return (size_t)(count < most ? count : most);
}

uint64_t source_pieces_memory(size_t count, size_t piece_bytes)
{
    return count * bytes_of(piece_bytes);
}

bool source_pieces_create(struct source_pieces *pieces, size_t count, size_t piece_bytes, size_t lead)
{
    *pieces = (struct source_pieces){.piece_bytes = piece_bytes, .lead = lead};
    pieces->all = calloc(count, sizeof *pieces->all);
    if (pieces->all == NULL) return false;
    for (; pieces->count < count; pieces->count++) {
        struct source_piece *const piece = &pieces->all[pieces->count];
        piece->memory = malloc(piece_bytes + LIMIT_PADDING); /* pages come when they are filled */
        if (piece->memory == NULL) return false;
        source_pieces_give(pieces, piece);
    }
    return true;
}

void source_pieces_destroy(struct source_pieces *pieces)
{
    for (size_t i = 0; i < pieces->count; i++)
        free(pieces->all[i].memory);
    free(pieces->all);
    *pieces = (struct source_pieces){0};
}

struct source_piece *source_pieces_take(struct source_pieces *pieces)
{
    struct source_piece *const piece = pieces->empty;
    if (piece == NULL) return NULL;
    pieces->empty = piece->next;
    pieces->empty_count--;
    piece->length = 0;
    piece->next = NULL;
    return piece;
}

void source_pieces_give(struct source_pieces *pieces, struct source_piece *piece)
{
    piece->next = pieces->empty;
    pieces->empty = piece;
    pieces->empty_count++;
}

void source_pieces_give_all(struct source_pieces *pieces, struct source_piece_queue *queue)
{
    for (struct source_piece *piece; (piece = source_piece_pop(queue)) != NULL;)
        source_pieces_give(pieces, piece);
}

void source_piece_push(struct source_piece_queue *queue, struct source_piece *piece)
{
    piece->next = NULL;
    if (queue->first == NULL)
        queue->first = piece;
    else
        queue->last->next = piece;
    queue->last = piece;
    queue->bytes += piece->length;
}

struct source_piece *source_piece_pop(struct source_piece_queue *queue)
{
    struct source_piece *const piece = queue->first;
    if (piece == NULL) return NULL;
    queue->first = piece->next;
    queue->bytes -= piece->length;
    return piece;
}
