/* s3_hold.h - what keeps the bytes of parts in memory: the assembler's pieces, and blocks of copies.
 *
 * A span of a part lies in a piece (which pins the chunk that it was written into) or in a block of ours. A
 * piece may serve two parts, a block many: both count their uses. With the last one a piece goes home and a
 * block is freed. Copies are made of pieces so short that they would pin more than twice their size.
 *
 * Thread rule: the assembler's. Owns blocks and holds; pieces are borrowed until they go home. */
#ifndef PENSTOCK_IO_OUTPUT_S3_HOLD_H
#define PENSTOCK_IO_OUTPUT_S3_HOLD_H

#include "core/flow/sink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct s3_hold;

struct s3_holds {
    const struct sink *sink; /* whose home() */
    size_t block_bytes;      /* capacity of a block: a chunk's */
    uint64_t blocks_max;     /* bytes that all blocks may take; more only where nothing else would go on */
    uint64_t blocks_now;     /* bytes that they take */
    struct s3_hold *block;   /* being filled, with one use for that; NULL: none */
};

/* Gives a piece home that is not held. */
void s3_holds_home(const struct s3_holds *holds, const struct sink_piece *piece);
/* Is a piece of that length short enough to be copied? */
bool s3_holds_is_short(const struct s3_holds *holds, size_t length);
/* Would copies of so many bytes stay within blocks_max? */
bool s3_holds_have_room(const struct s3_holds *holds, uint64_t length);
/* Lets go of the block being filled. */
void s3_holds_end(struct s3_holds *holds);

/* The piece with one use; NULL: no memory. */
struct s3_hold *s3_hold_piece(const struct sink_piece *piece);
/* Copies as much of the bytes as the block being filled has room for, at least one. Returns where the copy
 * lies, *copied says how much, *hold has one more use; NULL: no memory. `length` is not 0. */
const uint8_t *s3_hold_copy(struct s3_holds *holds, const uint8_t *bytes, size_t length, size_t *copied,
                            struct s3_hold **hold);
/* Is it a piece that should be copied as soon as there is room? */
bool s3_hold_is_short_piece(const struct s3_holds *holds, const struct s3_hold *hold);
void s3_hold_use(struct s3_hold *hold);                             /* takes NULL */
void s3_hold_release(struct s3_holds *holds, struct s3_hold *hold); /* takes NULL */

#endif
