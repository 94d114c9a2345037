/* s3_hold.c - counted uses of pieces and of blocks of copies. Thread: the assembler's. Owns the holds; the
 * last release gives the piece home or frees the block. */
#include "io/output/s3_hold.h"

#include <stdlib.h>
#include <string.h>

struct s3_hold {
    uint32_t uses;
    struct sink_piece piece; /* bytes NULL: it is a block */
    size_t used;             /* of a block */
    uint8_t bytes[];         /* of a block */
};

void s3_holds_home(const struct s3_holds *holds, const struct sink_piece *piece)
{
    const struct sink *const sink = holds->sink;
    if (piece->owner != NULL && sink->home != NULL) sink->home(sink->home_context, piece);
}

bool s3_holds_is_short(const struct s3_holds *holds, size_t length)
{
    return length < holds->block_bytes / 2;
}

/* What is free in the block that a file goes on in. */
static uint64_t rest_of(const struct s3_holds *holds, const struct s3_hold *block)
{
    if (block == NULL) block = holds->spare;
    return block == NULL ? 0 : holds->block_bytes - block->used;
}

bool s3_holds_have_room(const struct s3_holds *holds, const struct s3_hold *block, uint64_t length)
{
    uint64_t const rest = rest_of(holds, block);
    if (length <= rest) return true;
    uint64_t const blocks = (length - rest + holds->block_bytes - 1) / holds->block_bytes;
    return blocks <= holds->blocks_max / holds->block_bytes &&
           holds->blocks_now <= holds->blocks_max - blocks * holds->block_bytes;
}

bool s3_holds_pin_too_much(const struct s3_holds *holds, uint32_t pieces_more)
{
    return holds->pinned + (uint64_t)pieces_more * holds->block_bytes > holds->pinned_max;
}

void s3_holds_leave(struct s3_holds *holds, struct s3_hold *block)
{
    bool const has_room = block != NULL && block->used < holds->block_bytes;
    if (!has_room || (holds->spare != NULL && holds->spare->used <= block->used)) {
        s3_hold_release(holds, block);
        return;
    }
    s3_holds_end(holds);
    holds->spare = block;
}

void s3_holds_end(struct s3_holds *holds)
{
    struct s3_hold *const block = holds->spare;
    holds->spare = NULL;
    s3_hold_release(holds, block);
}

struct s3_hold *s3_hold_piece(const struct sink_piece *piece)
{
    struct s3_hold *const hold = malloc(sizeof *hold);
    if (hold != NULL) *hold = (struct s3_hold){.uses = 1, .piece = *piece};
    return hold;
}

/* A file's first one may be the one that another left behind. With a use for being filled. */
static struct s3_hold *next_block(struct s3_holds *holds, bool is_first)
{
    struct s3_hold *block = is_first ? holds->spare : NULL;
    if (block != NULL) {
        holds->spare = NULL;
        return block;
    }
    block = malloc(sizeof *block + holds->block_bytes);
    if (block == NULL) return NULL;
    *block = (struct s3_hold){.uses = 1};
    holds->blocks_now += holds->block_bytes;
    return block;
}

const uint8_t *s3_hold_copy(struct s3_holds *holds, struct s3_hold **block, const uint8_t *bytes,
                            size_t length, size_t *copied)
{
    if (*block == NULL || (*block)->used == holds->block_bytes) {
        struct s3_hold *const next = next_block(holds, *block == NULL);
        if (next == NULL) return NULL;
        s3_hold_release(holds, *block);
        *block = next;
    }
    struct s3_hold *const filled = *block;
    size_t const room = holds->block_bytes - filled->used;
    uint8_t *const at = filled->bytes + filled->used;
    *copied = length < room ? length : room;
    memcpy(at, bytes, *copied);
    filled->used += *copied;
    filled->uses++;
    return at;
}

bool s3_hold_is_piece(const struct s3_hold *hold)
{
    return hold != NULL && hold->piece.bytes != NULL;
}

void s3_hold_use(struct s3_hold *hold)
{
    if (hold != NULL) hold->uses++;
}

void s3_hold_release(struct s3_holds *holds, struct s3_hold *hold)
{
    if (hold == NULL || --hold->uses != 0) return;
    if (hold->piece.bytes == NULL)
        holds->blocks_now -= holds->block_bytes;
    else
        s3_holds_home(holds, &hold->piece);
    free(hold);
}
