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

struct unpack_zstd {
    ZSTD_DCtx *context;
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

bool unpack_zstd_step(struct unpack_zstd *zstd, struct unpack_step *step, enum unpack_defect_kind *kind)
{
    ZSTD_inBuffer in = {.src = step->in, .size = step->in_left};
    ZSTD_outBuffer out = {.dst = step->out, .size = step->out_left};
    /* It counts calls that can do nothing, and takes the 16th for a mistake. */
    if (in.size == 0 && out.size == 0) return false;
    size_t const result = ZSTD_decompressStream(zstd->context, &out, &in);
    step->in += in.pos;
    step->in_left -= in.pos;
    step->out += out.pos;
    step->out_left -= out.pos;
    if (!ZSTD_isError(result)) return result == 0;
    *kind = defect_of(result);
    return false;
}
