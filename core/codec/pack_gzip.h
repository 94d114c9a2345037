/* pack_gzip.h - a file as one gzip member (RFC 1952), made of units that are compressed apart.
 *
 *   head | unit | unit | ... | tail
 *
 * A unit is deflate blocks (RFC 1951) of its own bytes only, none of them final, and ends at a byte: with an
 * empty stored block, as zlib's flushes do, or with stored blocks where its bytes can't be made smaller.
 * So units can be made by any thread, in any order, and stand side by side. The tail is the final block,
 * which is empty, the CRC-32 of all bytes and their number modulo 2^32. One member, since readers exist that
 * stop after the first: Java's GZIPInputStream does when its stream says that nothing is available.
 *
 * A unit's bytes depend on its own bytes and on isa-l's version only: no history of the unit before (it would
 * make files 2 % smaller and take 6 % more instructions), and level 1, whose code for SSE4.2, AVX, AVX2 and
 * AVX-512 finds the same matches (level 3's doesn't). A CPU without SSE4.2, none since 2011, or another
 * architecture takes another hash function in isa-l: files of the same content, but of other bytes.
 *
 * Thread rule: a tool serves one thread at a time; the rest is pure. */
#ifndef PENSTOCK_CORE_CODEC_PACK_GZIP_H
#define PENSTOCK_CORE_CODEC_PACK_GZIP_H

#include <stddef.h>
#include <stdint.h>

#define PACK_GZIP_HEAD 10u /* RFC 1952, 2.3 */
#define PACK_GZIP_TAIL 10u /* an empty final block, CRC-32, ISIZE */

struct pack_gzip; /* what compresses units, one after another */

struct pack_gzip *pack_gzip_create(void); /* NULL: no memory */
void pack_gzip_destroy(struct pack_gzip *gzip);
size_t pack_gzip_memory(void); /* of one */

/* No name, no time, no operating system: the same for every file. */
void pack_gzip_head(uint8_t out[PACK_GZIP_HEAD]);
/* Bytes that a unit of that length has at most. */
size_t pack_gzip_room(size_t length);
/* Compresses a unit (at most 1 GiB) into `out`, which has its room. Returns the bytes written. Can't fail. */
size_t pack_gzip_unit(struct pack_gzip *gzip, const uint8_t *bytes, size_t length, uint8_t *out);
/* `crc32` and `length` of all bytes of the file. */
void pack_gzip_tail(uint32_t crc32, uint64_t length, uint8_t out[PACK_GZIP_TAIL]);

#endif
