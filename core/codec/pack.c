/* pack.c - one of two formats. Thread: whoever has the tool. Owns the tool. */
#include "core/codec/pack.h"

#include "core/codec/pack_gzip.h"
#include "core/codec/pack_zstd.h"

#include <stdlib.h>

_Static_assert(PACK_GZIP_HEAD <= PACK_ENDS_MAX && PACK_GZIP_TAIL <= PACK_ENDS_MAX, "room for both ends");
_Static_assert(PACK_UNIT <= PACK_ZSTD_UNIT_MAX, "pack_zstd_memory() is for units of that size");

struct pack_tool {
    enum pack_kind kind;
    struct pack_gzip *gzip;
    struct pack_zstd *zstd;
};

struct pack_tool *pack_tool_create(enum pack_kind kind)
{
    struct pack_tool *const tool = calloc(1, sizeof *tool);
    if (tool == NULL) return NULL;
    tool->kind = kind;
    switch (kind) {
    case PACK_GZIP: tool->gzip = pack_gzip_create(); break;
    case PACK_ZSTD: tool->zstd = pack_zstd_create(); break;
    }
    if (tool->gzip != NULL || tool->zstd != NULL) return tool;
    pack_tool_destroy(tool);
    return NULL;
}

void pack_tool_destroy(struct pack_tool *tool)
{
    if (tool == NULL) return;
    pack_gzip_destroy(tool->gzip);
    pack_zstd_destroy(tool->zstd);
    free(tool);
}

size_t pack_tool_memory(enum pack_kind kind)
{
    return sizeof(struct pack_tool) + (kind == PACK_GZIP ? pack_gzip_memory() : pack_zstd_memory());
}

size_t pack_room(enum pack_kind kind, size_t length)
{
    return kind == PACK_GZIP ? pack_gzip_room(length) : pack_zstd_room(length);
}

bool pack_has_empty_unit(enum pack_kind kind)
{
    return kind == PACK_ZSTD;
}

bool pack_wants_crc32(enum pack_kind kind)
{
    return kind == PACK_GZIP;
}

size_t pack_head(enum pack_kind kind, uint8_t out[PACK_ENDS_MAX])
{
    if (kind != PACK_GZIP) return 0;
    pack_gzip_head(out);
    return PACK_GZIP_HEAD;
}

bool pack_unit(struct pack_tool *tool, const uint8_t *bytes, size_t length, uint8_t *out, size_t *written)
{
    if (tool->kind == PACK_GZIP) {
        *written = pack_gzip_unit(tool->gzip, bytes, length, out);
        return true;
    }
    *written = pack_zstd_unit(tool->zstd, bytes, length, out);
    return *written != 0;
}

size_t pack_tail(enum pack_kind kind, uint32_t crc32, uint64_t length, uint8_t out[PACK_ENDS_MAX])
{
    if (kind != PACK_GZIP) return 0;
    pack_gzip_tail(crc32, length, out);
    return PACK_GZIP_TAIL;
}
