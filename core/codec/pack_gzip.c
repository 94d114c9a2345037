/* pack_gzip.c - see the header. Thread: whoever has the tool. Owns the tool's memory.
 *
 * A unit's bytes must tell nothing but its own, and isa-l 2.30 has to be led around two faults for that:
 *
 * - The loop that most bytes go through (igzip_icf_body_h1_gr_bt.asm, .write_first_byte) takes the stream's
 *   address for data when it begins a stream, and enters its hash as the place of the third byte. Rarely, a
 *   match is found or missed by it: the same input gives other bytes at another address, which is to say, in
 *   every run. The loop for a stream's last bytes has no such fault and takes inputs of up to 16 bytes whole.
 *   So a unit's first 16 bytes are a block of their own.
 * - isal_deflate_stateless(), and others with FULL_FLUSH, clear less of the hash table for a short input than
 *   they use of it, and a dictionary is used with a table that is not cleared at all. isal_deflate() with
 *   SYNC_FLUSH clears all of it at the beginning of a stream. */
#include "core/codec/pack_gzip.h"

#include "core/base/wide_registers.h"

#include <isa-l/igzip_lib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Chosen by measurement, see DESIGN.md. */
#define LEVEL        1
#define LEVEL_MEMORY ISAL_DEF_LVL1_LARGE

/* RFC 1951, 3.2.4: a stored block's bits (with what fills up its first byte), LEN and NLEN; LEN's most. */
#define STORED_HEAD 5u
#define STORED_MAX  65535u

/* Bytes at the beginning of a unit that make a block of their own: MIN_INBUF_PADDING of that file. */
#define FIRST_BYTES 16u

struct pack_gzip {
    struct isal_zstream stream;
    _Alignas(16) uint8_t level_memory[LEVEL_MEMORY]; /* structs of isa-l lie in it */
};

struct pack_gzip *pack_gzip_create(void)
{
    return calloc(1, sizeof(struct pack_gzip));
}

void pack_gzip_destroy(struct pack_gzip *gzip)
{
    free(gzip);
}

size_t pack_gzip_memory(void)
{
    return sizeof(struct pack_gzip);
}

void pack_gzip_head(uint8_t out[PACK_GZIP_HEAD])
{
    /* ID1, ID2, CM deflate, no FLG, no MTIME, no XFL, OS unknown */
    static const uint8_t head[PACK_GZIP_HEAD] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    memcpy(out, head, sizeof head);
}

size_t pack_gzip_room(size_t length)
{
    return length + (length + STORED_MAX - 1) / STORED_MAX * STORED_HEAD;
}

/* The next bytes of the unit, up to and with an empty stored block. False: no room. */
static bool deflate(struct isal_zstream *stream, const uint8_t *bytes, size_t length)
{
    stream->next_in = (uint8_t *)(uintptr_t)bytes; /* which it only reads */
    stream->avail_in = (uint32_t)length;
    stream->flush = SYNC_FLUSH;
    if (isal_deflate(stream) != COMP_OK || stream->avail_in != 0) return false;
    /* Where room is short, it keeps bytes of either side back for a next call, and does not come to this: */
    const struct isal_zstate *const state = &stream->internal_state;
    return state->state == ZSTATE_NEW_HDR && state->b_bytes_processed == state->b_bytes_valid;
}

static size_t put_stored(const uint8_t *bytes, size_t length, uint8_t *out)
{
    uint8_t *const begin = out;
    for (size_t step; length != 0; length -= step) {
        step = length < STORED_MAX ? length : STORED_MAX;
        out[0] = 0; /* BTYPE 00, not the last */
        out[1] = (uint8_t)step;
        out[2] = (uint8_t)(step >> 8);
        out[3] = (uint8_t)~out[1];
        out[4] = (uint8_t)~out[2];
        memcpy(out + STORED_HEAD, bytes, step);
        out += STORED_HEAD + step;
        bytes += step;
    }
    return (size_t)(out - begin);
}

size_t pack_gzip_unit(struct pack_gzip *gzip, const uint8_t *bytes, size_t length, uint8_t *out)
{
    struct isal_zstream *const stream = &gzip->stream;
    size_t const room = pack_gzip_room(length);
    size_t const first = length < FIRST_BYTES ? length : FIRST_BYTES;
    if (length == 0) return 0;
    isal_deflate_init(stream);
    stream->level = LEVEL;
    stream->level_buf = gzip->level_memory;
    stream->level_buf_size = sizeof gzip->level_memory;
    stream->next_out = out;
    stream->avail_out = (uint32_t)room;
    bool const fits =
        deflate(stream, bytes, first) && (first == length || deflate(stream, bytes + first, length - first));
    wide_registers_leave();
    return fits ? room - stream->avail_out : put_stored(bytes, length, out);
}

static void put_32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

void pack_gzip_tail(uint32_t crc32, uint64_t length, uint8_t out[PACK_GZIP_TAIL])
{
    out[0] = 3; /* BFINAL, BTYPE 01, and the fixed code of the end of a block: seven zeros */
    out[1] = 0;
    put_32(out + 2, crc32);
    put_32(out + 6, (uint32_t)length);
}
