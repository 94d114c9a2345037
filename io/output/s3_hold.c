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

bool s3_holds_have_room(const struct s3_holds *holds, uint64_t length)
{
    uint64_t const rest = holds->block == NULL ? 0 : holds->block_bytes - holds->block->used;
    if (length <= rest) return true;
    uint64_t const blocks = (length - rest + holds->block_bytes - 1) / holds->block_bytes;
    return blocks <= holds->blocks_max / holds->block_bytes &&
           holds->blocks_now <= holds->blocks_max - blocks * holds->block_bytes;
}

void s3_holds_end(struct s3_holds *holds)
{
    struct s3_hold *const block = holds->block;
    holds->block = NULL;
    s3_hold_release(holds, block);
}

struct s3_hold *s3_hold_piece(const struct sink_piece *piece)
{
    struct s3_hold *const hold = malloc(sizeof *hold);
    if (hold != NULL) *hold = (struct s3_hold){.uses = 1, .piece = *piece};
    return hold;
}

static bool new_block(struct s3_holds *holds)
{
    struct s3_hold *const block = malloc(sizeof *block + holds->block_bytes);
    if (block == NULL) return false;
    *block = (struct s3_hold){.uses = 1};
    s3_holds_end(holds);
    holds->block = block;
    holds->blocks_now += holds->block_bytes;
    return true;
}

const uint8_t *s3_hold_copy(struct s3_holds *holds, const uint8_t *bytes, size_t length, size_t *copied,
                            struct s3_hold **hold)
{
    bool const full = holds->block == NULL || holds->block->used == holds->block_bytes;
    if (full && !new_block(holds)) return NULL;
    struct s3_hold *const block = holds->block;
    size_t const room = holds->block_bytes - block->used;
    uint8_t *const at = block->bytes + block->used;
    *copied = length < room ? length : room;
    memcpy(at, bytes, *copied);
    block->used += *copied;
    block->uses++;
    *hold = block;
    return at;
}

bool s3_hold_is_short_piece(const struct s3_holds *holds, const struct s3_hold *hold)
{
    return hold != NULL && hold->piece.bytes != NULL && s3_holds_is_short(holds, hold->piece.length);
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
