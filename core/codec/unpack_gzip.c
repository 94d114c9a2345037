/* unpack_gzip.c - a member's header by hand, its data and trailer by isa-l's inflate. isa-l 2.30 would read
 * the header too, but forgets its checksum when the header comes in two pieces.
 *
 * Thread: one each (isa-l chooses its code for the CPU at the first call, by writing a pointer that every
 * thread would write alike). Owns its state, 32 KiB of history among it. */
#include "core/codec/unpack_gzip.h"

#include "core/base/checksum.h"

#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <string.h>

/* isa-l counts in 32 bits. */
#define PIECE_MAX ((size_t)1 << 30)

/* RFC 1952, 2.3.1 */
#define FLAG_HEADER_CRC 0x02u
#define FLAG_EXTRA      0x04u
#define FLAG_NAME       0x08u
#define FLAG_COMMENT    0x10u
#define FLAGS_RESERVED  0xE0u
#define FIXED_BYTES     10u
#define METHOD_AT       2u
#define METHOD_DEFLATE  8u
#define FLAGS_AT        3u

enum header_part { PART_FIXED, PART_EXTRA_LENGTH, PART_EXTRA, PART_NAME, PART_COMMENT, PART_CRC, PART_BODY };

struct unpack_gzip {
    enum header_part part;
    unsigned flags;
    uint32_t at;       /* bytes of this part so far */
    uint32_t extra;    /* length of the extra field */
    uint32_t crc_said; /* in the header */
    uint64_t crc;      /* of the header's bytes before it */
    int failure;       /* what isa-l said; 0: nothing */
    struct inflate_state state;
};

struct unpack_gzip *unpack_gzip_create(void)
{
    struct unpack_gzip *const gzip = malloc(sizeof *gzip);
    if (gzip != NULL) unpack_gzip_begin(gzip);
    return gzip;
}

void unpack_gzip_destroy(struct unpack_gzip *gzip)
{
    free(gzip);
}

void unpack_gzip_begin(struct unpack_gzip *gzip)
{
    gzip->part = PART_FIXED;
    gzip->flags = 0;
    gzip->at = gzip->extra = gzip->crc_said = 0;
    gzip->crc = 0;
    gzip->failure = 0;
    isal_inflate_init(&gzip->state);
    /* damaged data may refer to text before the member's first: to none of another's, and to the same each
     * time */
    memset(gzip->state.tmp_out_buffer, 0, sizeof gzip->state.tmp_out_buffer);
    gzip->state.crc_flag = ISAL_GZIP_NO_HDR_VER;
}

size_t unpack_gzip_memory(void)
{
    return sizeof(struct unpack_gzip);
}

/* ---- the header ---- */

static bool is_there(const struct unpack_gzip *gzip, enum header_part part)
{
    switch (part) {
    case PART_EXTRA_LENGTH: return (gzip->flags & FLAG_EXTRA) != 0;
    case PART_EXTRA: return gzip->extra > 0;
    case PART_NAME: return (gzip->flags & FLAG_NAME) != 0;
    case PART_COMMENT: return (gzip->flags & FLAG_COMMENT) != 0;
    case PART_CRC: return (gzip->flags & FLAG_HEADER_CRC) != 0;
    case PART_FIXED:
    case PART_BODY: break;
    }
    return true;
}

static void next_part(struct unpack_gzip *gzip)
{
    gzip->at = 0;
    do
        gzip->part = (enum header_part)(gzip->part + 1);
    while (!is_there(gzip, gzip->part));
}

static enum unpack_defect_kind take_fixed(struct unpack_gzip *gzip, uint8_t byte)
{
    if (gzip->at == METHOD_AT && byte != METHOD_DEFLATE) return UNPACK_BAD_HEADER;
    if (gzip->at == FLAGS_AT) gzip->flags = byte;
    if ((gzip->flags & FLAGS_RESERVED) != 0) return UNPACK_BAD_HEADER;
    if (++gzip->at == FIXED_BYTES) next_part(gzip);
    return UNPACK_FINE;
}

static enum unpack_defect_kind take_crc(struct unpack_gzip *gzip, uint8_t byte)
{
    gzip->crc_said |= (uint32_t)byte << (8 * gzip->at);
    if (++gzip->at < 2) return UNPACK_FINE;
    if (gzip->crc_said != (gzip->crc & 0xFFFF)) return UNPACK_BAD_CHECKSUM;
    next_part(gzip);
    return UNPACK_FINE;
}

static enum unpack_defect_kind take_header(struct unpack_gzip *gzip, uint8_t byte)
{
    if (gzip->part == PART_CRC) return take_crc(gzip, byte);
    gzip->crc = checksum_update(CHECKSUM_CRC32, gzip->crc, &byte, 1);
    switch (gzip->part) {
    case PART_FIXED: return take_fixed(gzip, byte);
    case PART_EXTRA_LENGTH:
        gzip->extra |= (uint32_t)byte << (8 * gzip->at);
        if (++gzip->at == 2) next_part(gzip);
        break;
    case PART_EXTRA:
        if (++gzip->at == gzip->extra) next_part(gzip);
        break;
    case PART_NAME:
    case PART_COMMENT:
        if (byte == 0) next_part(gzip);
        break;
    case PART_CRC:
    case PART_BODY: break;
    }
    return UNPACK_FINE;
}

/* ---- the data ---- */

static enum unpack_defect_kind defect_of(int result)
{
    switch (result) {
    case ISAL_INCORRECT_CHECKSUM: return UNPACK_BAD_CHECKSUM;
    case ISAL_NEED_DICT: return UNPACK_DICTIONARY;
    default: return UNPACK_BAD_DATA;
    }
}

/* Text that isa-l decoded before it failed, and keeps in its state. False: all of it was given. */
static bool give_rest(struct inflate_state *state, struct unpack_step *step)
{
    int32_t const kept = state->tmp_out_valid - state->tmp_out_processed;
    size_t const rest = kept > 0 ? (size_t)kept : 0;
    size_t const length = rest < step->out_left ? rest : step->out_left;
    memcpy(step->out, state->tmp_out_buffer + state->tmp_out_processed, length);
    state->tmp_out_processed += (int32_t)length;
    step->out += length;
    step->out_left -= length;
    return length < rest;
}

/* One call of isa-l. */
static void inflate_some(struct unpack_gzip *gzip, struct unpack_step *step)
{
    struct inflate_state *const state = &gzip->state;
    size_t const in = step->in_left < PIECE_MAX ? step->in_left : PIECE_MAX;
    size_t const out = step->out_left < PIECE_MAX ? step->out_left : PIECE_MAX;
    state->next_in = (uint8_t *)(uintptr_t)step->in; /* only read */
    state->avail_in = (uint32_t)in;
    state->next_out = step->out;
    state->avail_out = (uint32_t)out;
    int const result = isal_inflate(state);
    /* when it fails, isa-l may put back bytes of calls before */
    size_t const read = state->avail_in < in ? in - state->avail_in : 0, written = out - state->avail_out;
    step->in += read;
    step->in_left -= read;
    step->out += written;
    step->out_left -= written;
    if (result < 0 || result == ISAL_NEED_DICT) gzip->failure = result;
}

bool unpack_gzip_step(struct unpack_gzip *gzip, struct unpack_step *step, enum unpack_defect_kind *kind)
{
    while (gzip->part != PART_BODY && step->in_left > 0) {
        *kind = take_header(gzip, *step->in++);
        step->in_left--;
        if (*kind != UNPACK_FINE) return false;
    }
    if (gzip->part != PART_BODY) return false;
    if (gzip->failure == 0) inflate_some(gzip, step);
    if (gzip->failure == 0) return gzip->state.block_state == ISAL_BLOCK_FINISH;
    if (!give_rest(&gzip->state, step)) *kind = defect_of(gzip->failure);
    return false;
}
