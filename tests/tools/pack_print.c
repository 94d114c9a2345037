/* pack_print.c - prints what both compressors make of the same bytes, as lengths and checksums: a line a
 * case. tests/property/simd.py runs it on several CPUs, which must agree. */
#include "core/base/checksum.h"
#include "core/codec/pack.h"
#include "tests/unit/pack_desk.h"

#include <inttypes.h>

static void print(enum pack_kind kind, enum desk_sort sort, size_t length)
{
    struct pack_tool *const tool = desk_must(pack_tool_create(kind));
    uint8_t *const bytes = desk_make(sort, length);
    uint8_t *const out = desk_must(malloc(pack_room(kind, length) + 1));
    size_t written;
    if (!pack_unit(tool, bytes, length, out, &written)) abort();
    printf("%d %d %zu: %zu %016" PRIx64 "\n", (int)kind, (int)sort, length, written,
           checksum_update(CHECKSUM_CRC64NVME, 0, out, written));
    free(out);
    free(bytes);
    pack_tool_destroy(tool);
}

int main(void)
{
    for (enum pack_kind kind = PACK_GZIP; kind <= PACK_ZSTD; kind++)
        for (enum desk_sort sort = DESK_ROWS; sort <= DESK_ZEROS; sort++) {
            for (size_t length = 0; length < 600; length++)
                print(kind, sort, length);
            for (size_t length = 600; length < PACK_UNIT; length += length / 7)
                print(kind, sort, length);
            print(kind, sort, PACK_UNIT);
        }
    return 0;
}
