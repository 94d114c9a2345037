/* pack_zstd.c - see the header. Thread: whoever has the tool. Owns the context. */
#include "core/codec/pack_zstd.h"

#include <stdlib.h>
#include <zstd.h>

/* Chosen by measurement, see DESIGN.md. */
#define LEVEL 1

/* libzstd 1.5.4's context takes 582,560 bytes at level 1 for units of 256 KiB; test_pack.c asks it. */
#define CONTEXT_BYTES (640u * 1024)

struct pack_zstd {
    ZSTD_CCtx *context;
};

struct pack_zstd *pack_zstd_create(void)
{
    struct pack_zstd *const zstd = calloc(1, sizeof *zstd);
    if (zstd == NULL) return NULL;
    zstd->context = ZSTD_createCCtx();
    if (zstd->context != NULL &&
        !ZSTD_isError(ZSTD_CCtx_setParameter(zstd->context, ZSTD_c_compressionLevel, LEVEL)) &&
        !ZSTD_isError(ZSTD_CCtx_setParameter(zstd->context, ZSTD_c_checksumFlag, 1)))
        return zstd;
    pack_zstd_destroy(zstd);
    return NULL;
}

void pack_zstd_destroy(struct pack_zstd *zstd)
{
    if (zstd == NULL) return;
    ZSTD_freeCCtx(zstd->context);
    free(zstd);
}

size_t pack_zstd_memory(void)
{
    return sizeof(struct pack_zstd) + CONTEXT_BYTES;
}

size_t pack_zstd_room(size_t length)
{
    return ZSTD_compressBound(length);
}

size_t pack_zstd_unit(struct pack_zstd *zstd, const uint8_t *bytes, size_t length, uint8_t *out)
{
    size_t const written = ZSTD_compress2(zstd->context, out, ZSTD_compressBound(length), bytes, length);
    return ZSTD_isError(written) ? 0 : written; /* the room is enough: only memory can lack */
}
