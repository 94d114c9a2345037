/* pack_out.c - see the header. Thread: the assembler's. Owns the blocks. */
#include "core/flow/pack_out.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct pack_block {
    uint8_t *bytes;
    size_t length;
    struct pack_block *next; /* in the list of empty ones */
};

static size_t blocks_for(const struct pack_out_rules *rules, uint64_t bytes)
{
    return (size_t)((bytes + rules->block_bytes - 1) / rules->block_bytes);
}

/* The first one may be begun by what came before. */
static size_t add_blocks(const struct pack_out_rules *rules)
{
    return blocks_for(rules, rules->add_max) + 1;
}

static size_t block_count(const struct pack_out_rules *rules)
{
    return blocks_for(rules, rules->hold) + rules->open + add_blocks(rules);
}

uint64_t pack_out_memory(const struct pack_out_rules *rules)
{
    return block_count(rules) * (uint64_t)(rules->block_bytes + sizeof(struct pack_block));
}

static void put_home(struct pack_out *out, struct pack_block *block)
{
    block->next = out->empty;
    out->empty = block;
    out->empty_count++;
}

static void piece_home(void *context, const struct sink_piece *piece)
{
    put_home(context, piece->owner);
}

bool pack_out_create(struct pack_out *out, const struct pack_out_rules *rules, struct sink *inner)
{
    size_t const count = block_count(rules);
    *out = (struct pack_out){.rules = *rules, .inner = inner, .add_blocks = (uint32_t)add_blocks(rules)};
    out->blocks = calloc(count, sizeof *out->blocks);
    out->bytes = malloc(count * rules->block_bytes);
    if (out->blocks == NULL || out->bytes == NULL) return false;
    for (size_t i = count; i-- > 0;) {
        out->blocks[i].bytes = out->bytes + i * rules->block_bytes;
        put_home(out, &out->blocks[i]);
    }
    inner->home = piece_home;
    inner->home_context = out;
    return true;
}

void pack_out_destroy(struct pack_out *out)
{
    free(out->blocks);
    free(out->bytes);
    *out = (struct pack_out){.inner = NULL};
}

bool pack_out_has_room(const struct pack_out *out)
{
    return out->empty_count >= out->add_blocks;
}

static struct pack_block *take_block(struct pack_out *out)
{
    struct pack_block *const block = out->empty;
    assert(block != NULL); /* pack_out_has_room() was asked */
    out->empty = block->next;
    out->empty_count--;
    block->length = 0;
    return block;
}

enum status pack_out_flush(struct pack_out *out, struct pack_stream *stream, struct fault *fault)
{
    struct pack_block *const block = stream->block;
    enum checksum_kind const kind = out->rules.checksum;
    if (block == NULL) return STATUS_OK;
    struct sink_piece const piece = {.bytes = block->bytes,
                                     .length = block->length,
                                     .owner = block,
                                     .checksum = checksum_update(kind, 0, block->bytes, block->length),
                                     .has_checksum = kind != CHECKSUM_NONE};
    stream->block = NULL;
    stream->stored.bytes += piece.length;
    stream->stored.checksum = checksum_combine(kind, stream->stored.checksum, piece.checksum, piece.length);
    return out->inner->write(out->inner, stream->file, &piece, fault);
}

enum status pack_out_add(struct pack_out *out, struct pack_stream *stream, const uint8_t *bytes,
                         size_t length, struct fault *fault)
{
    while (length != 0) {
        if (stream->block == NULL) stream->block = take_block(out);
        struct pack_block *const block = stream->block;
        size_t const room = out->rules.block_bytes - block->length;
        size_t const step = length < room ? length : room;
        memcpy(block->bytes + block->length, bytes, step);
        block->length += step;
        bytes += step;
        length -= step;
        if (block->length < out->rules.block_bytes) continue;
        enum status const status = pack_out_flush(out, stream, fault);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}
