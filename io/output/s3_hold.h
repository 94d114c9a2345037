/* s3_hold.h - what keeps the bytes of parts in memory: the assembler's pieces, and blocks of copies.
 *
 * A span of a part lies in a piece (which pins the chunk that it was written into) or in a block of ours. A
 * piece may serve two parts, a block many: both count their uses. With the last one a piece goes home and a
 * block is freed. Copies are made of pieces so short that they would pin more than twice their size, and of
 * others when parts that are being filled pin more than their share of chunks.
 *
 * Each open file fills a block of its own: in one that several fill, a few rows of a file that seldom gets
 * any would keep all the others' bytes. So the copies of a part lie in at most its size in blocks and two
 * more (the first shared with the part before it, the last not yet full). A file that ends leaves its block,
 * not yet full, to the next one that wants its first.
 *
 * Why nothing locks up, with K files open and however short their pieces are: say that nothing is on its way,
 * so that nothing will come home by itself. Then no part waits either, and all that is held is in parts being
 * filled, of at most `fill` + 2/5 `hold` bytes (filling_max, looked at when a part is begun). Blocks are
 * theirs alone, and one left behind; blocks_max has room for `fill` bytes of copies and two blocks for each
 * file and one left behind, one to come. The sink then copies
 * - every short piece, whatever room there is;
 * - long ones, while more than 2/5 of `hold` is pinned, as far as there is room.
 * When there is no more room, more than `fill` bytes are copies, and what is still pinned has less than 2/5
 * of `hold` bytes, in chunks at least half of which it is: 4/5 of `hold`. Either way some of the chunks that
 * the sink was given for `hold` are free (chunk_pool.h), and rows go on until a part is whole and is sent.
 * Only parts that have grown (s3_plan.h) and consist of short pieces alone take more blocks than blocks_max,
 * by 2/5 of `hold` at most.
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
    struct s3_hold *spare;   /* a block left behind, with one use for that; NULL: none */
    /* Of parts being filled, all files' together: */
    uint64_t filling_max, filling; /* bytes when they are whole */
    uint64_t pinned_max, pinned;   /* bytes of the chunks that long pieces pin, one for each */
    uint64_t waiting;              /* bytes of short pieces that wait for room to be copied */
};

/* Gives a piece home that is not held. */
void s3_holds_home(const struct s3_holds *holds, const struct sink_piece *piece);
/* Is a piece of that length short enough to be copied? */
bool s3_holds_is_short(const struct s3_holds *holds, size_t length);
/* Would copies of so many bytes by a file that fills this block (NULL: none) stay within blocks_max? */
bool s3_holds_have_room(const struct s3_holds *holds, const struct s3_hold *block, uint64_t length);
/* Is more pinned by parts being filled than their share, with one more long piece? */
bool s3_holds_pin_too_much(const struct s3_holds *holds, uint32_t pieces_more);
/* The file fills its block no more; another may. Takes NULL. */
void s3_holds_leave(struct s3_holds *holds, struct s3_hold *block);
/* Lets go of the block that was left behind. */
void s3_holds_end(struct s3_holds *holds);

/* The piece with one use; NULL: no memory. */
struct s3_hold *s3_hold_piece(const struct sink_piece *piece);
/* Copies as much of the bytes as the file's block has room for, at least one: into a new one when there is
 * none or it is full. Returns where the copy lies, *copied says how much, **block has one more use; NULL: no
 * memory. `length` is not 0. */
const uint8_t *s3_hold_copy(struct s3_holds *holds, struct s3_hold **block, const uint8_t *bytes,
                            size_t length, size_t *copied);
/* Is it a piece, not a block, nor NULL? */
bool s3_hold_is_piece(const struct s3_hold *hold);
void s3_hold_use(struct s3_hold *hold);                             /* takes NULL */
void s3_hold_release(struct s3_holds *holds, struct s3_hold *hold); /* takes NULL */

#endif
