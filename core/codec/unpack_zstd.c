/* unpack_zstd.c - libzstd's streaming decoder. Thread: one each. Owns the decoder, whose buffers grow to the
 * largest window that a frame asked for. */
#include "core/codec/unpack_zstd.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/* libzstd 1.5: the context, and beside the window two blocks of 128 KiB and some padding
 * (ZSTD_decodingBufferSize, ZSTD_DStreamInSize). */
#define CONTEXT_BYTES ((size_t)192 * 1024)
#define BLOCKS_BYTES  ((size_t)3 * 128 * 1024 + 4096)

/* What a call that fails has decoded or flushed is lost (ZSTD_decompressStream() tells how far it came only
 * when it succeeds). So each call gets one block at most: that is what libzstd asks for, less the header of
 * the next block, which it asks for along with it; and nothing while there may be text to flush. Then all
 * blocks before damage come out, however the bytes come in and whatever room there is. */
#define NEXT_HEADER_BYTES 3u

struct unpack_zstd {
    ZSTD_DCtx *context;
    size_t wanted; /* stored bytes that libzstd asks for; 0: not known */
    bool is_full;  /* the last call left no room: there may be more to flush */
};

struct unpack_zstd *unpack_zstd_create(unsigned window_log_max)
{
    struct unpack_zstd *const zstd = calloc(1, sizeof *zstd);
    if (zstd == NULL) return NULL;
    zstd->context = ZSTD_createDCtx();
    if (zstd->context != NULL &&
        !ZSTD_isError(ZSTD_DCtx_setParameter(zstd->context, ZSTD_d_windowLogMax, (int)window_log_max)))
        return zstd;
    unpack_zstd_destroy(zstd);
    return NULL;
}

void unpack_zstd_destroy(struct unpack_zstd *zstd)
{
    if (zstd == NULL) return;
    (void)ZSTD_freeDCtx(zstd->context);
    free(zstd);
}

void unpack_zstd_begin(struct unpack_zstd *zstd)
{
    (void)ZSTD_DCtx_reset(zstd->context, ZSTD_reset_session_only); /* can't fail */
    zstd->wanted = 0;
    zstd->is_full = false;
}

size_t unpack_zstd_memory(unsigned window_log_max)
{
    return sizeof(struct unpack_zstd) + CONTEXT_BYTES + BLOCKS_BYTES + ((size_t)1 << window_log_max);
}

static enum unpack_defect_kind defect_of(size_t result)
{
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_prefix_unknown:
    case ZSTD_error_version_unsupported:
    case ZSTD_error_frameParameter_unsupported: return UNPACK_BAD_HEADER;
    case ZSTD_error_frameParameter_windowTooLarge: return UNPACK_WINDOW;
    case ZSTD_error_checksum_wrong: return UNPACK_BAD_CHECKSUM;
    case ZSTD_error_dictionary_wrong:
    case ZSTD_error_dictionary_corrupted: return UNPACK_DICTIONARY;
    case ZSTD_error_memory_allocation: return UNPACK_NO_MEMORY;
    default: return UNPACK_BAD_DATA;
    }
}

/* One call of libzstd with at most `most` stored bytes. True: the frame ended. */
static bool decode_some(struct unpack_zstd *zstd, struct unpack_step *step, size_t most,
                        enum unpack_defect_kind *kind)
{
    ZSTD_inBuffer in = {.src = step->in, .size = step->in_left < most ? step->in_left : most};
    ZSTD_outBuffer out = {.dst = step->out, .size = step->out_left};
    /* It counts calls that can do nothing, and takes the 16th for a mistake. */
    if (in.size == 0 && out.size == 0) return false;
    size_t const result = ZSTD_decompressStream(zstd->context, &out, &in);
    step->in += in.pos;
    step->in_left -= in.pos;
    step->out += out.pos;
    step->out_left -= out.pos;
    zstd->is_full = step->out_left == 0;
    if (ZSTD_isError(result)) {
        *kind = defect_of(result);
        return false;
    }
    zstd->wanted = result;
    return result == 0;
}

bool unpack_zstd_step(struct unpack_zstd *zstd, struct unpack_step *step, enum unpack_defect_kind *kind)
{
    if (zstd->is_full && step->out_left > 0) {
        bool const ended = decode_some(zstd, step, 0, kind);
        if (ended || *kind != UNPACK_FINE || step->out_left == 0) return ended;
    }
    size_t const most = zstd->wanted > NEXT_HEADER_BYTES ? zstd->wanted - NEXT_HEADER_BYTES : zstd->wanted;
    return decode_some(zstd, step, most == 0 ? UNPACK_MAGIC_BYTES : most, kind);
}
