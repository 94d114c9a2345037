/* unpack_zstd.h - one zstd frame at a time (RFC 8878), by libzstd. For unpack.c.
 * Thread rule: pure but for malloc; one thread each. */
#ifndef PENSTOCK_CORE_CODEC_UNPACK_ZSTD_H
#define PENSTOCK_CORE_CODEC_UNPACK_ZSTD_H

#include "core/codec/unpack.h"

struct unpack_zstd;

/* Frames whose window is larger than 2^window_log_max are refused. NULL: no memory. */
struct unpack_zstd *unpack_zstd_create(unsigned window_log_max);
void unpack_zstd_destroy(struct unpack_zstd *zstd); /* takes NULL */
void unpack_zstd_begin(struct unpack_zstd *zstd);   /* of a frame, skippable or not */
/* As unpack_gzip_step(). */
bool unpack_zstd_step(struct unpack_zstd *zstd, struct unpack_step *step, enum unpack_defect_kind *kind);
size_t unpack_zstd_memory(unsigned window_log_max);

#endif
