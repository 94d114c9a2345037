/* pack.h - compression of a file's units, whatever the format (pack_gzip.h, pack_zstd.h).
 *
 * A file is its head, its units in order, and its tail; head and tail may be empty. It is cut into units of
 * PACK_UNIT bytes, the last one shorter, so that its compressed bytes depend on its content only.
 *
 * Thread rule: a tool serves one thread at a time; the rest is pure. */
#ifndef PENSTOCK_CORE_CODEC_PACK_H
#define PENSTOCK_CORE_CODEC_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pack_kind { PACK_GZIP, PACK_ZSTD };

/* Bytes of a unit. Enough that the start of a unit, which finds no earlier bytes to refer to, costs little
 * (2 % for gzip); few enough that a unit and its result stay in a core's L2 cache, and that threads get many
 * of them. */
#define PACK_UNIT (256u * 1024)

#define PACK_ENDS_MAX 16u /* bytes of a head or a tail at most */

struct pack_tool; /* what compresses units, one after another */

struct pack_tool *pack_tool_create(enum pack_kind kind); /* NULL: no memory */
void pack_tool_destroy(struct pack_tool *tool);          /* takes NULL */
size_t pack_tool_memory(enum pack_kind kind);            /* of one */

/* Bytes that a unit of that length has at most. */
size_t pack_room(enum pack_kind kind, size_t length);
/* Does an empty unit have bytes? One stands for a file that is empty. */
bool pack_has_empty_unit(enum pack_kind kind);
/* Does the tail want the CRC-32 of the file's bytes? */
bool pack_wants_crc32(enum pack_kind kind);

/* Each returns the bytes written. */
size_t pack_head(enum pack_kind kind, uint8_t out[PACK_ENDS_MAX]);
/* A unit of at most PACK_UNIT bytes into `out`, which has its room. False: the library has no memory for it.
 */
bool pack_unit(struct pack_tool *tool, const uint8_t *bytes, size_t length, uint8_t *out, size_t *written);
size_t pack_tail(enum pack_kind kind, uint32_t crc32, uint64_t length, uint8_t out[PACK_ENDS_MAX]);

#endif
