/* pack_zstd.h - a file as Zstandard frames (RFC 8878), one for each unit.
 *
 * Every reader takes frames that follow one another for one stream (RFC 8878, 3). Each frame tells the size
 * of its content and carries its checksum, so that damage is noticed where it is read, and says which unit it
 * hit; that is 4 bytes a unit. A unit's bytes depend on its own bytes and on libzstd's version only.
 *
 * Thread rule: a tool serves one thread at a time; the rest is pure. */
#ifndef PENSTOCK_CORE_CODEC_PACK_ZSTD_H
#define PENSTOCK_CORE_CODEC_PACK_ZSTD_H

#include <stddef.h>
#include <stdint.h>

struct pack_zstd; /* what compresses units, one after another */

struct pack_zstd *pack_zstd_create(void); /* NULL: no memory */
void pack_zstd_destroy(struct pack_zstd *zstd);
size_t pack_zstd_memory(void); /* of one, for units up to PACK_ZSTD_UNIT_MAX */

#define PACK_ZSTD_UNIT_MAX (256u * 1024)

/* Bytes that a unit of that length has at most. */
size_t pack_zstd_room(size_t length);
/* Compresses a unit, which may be empty, into `out`, which has its room. Returns the bytes written, 0: no
 * memory. */
size_t pack_zstd_unit(struct pack_zstd *zstd, const uint8_t *bytes, size_t length, uint8_t *out);

#endif
