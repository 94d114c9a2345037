/* unpack_gzip.h - one gzip member at a time (RFC 1952), by isa-l's inflate. For unpack.c.
 * Thread rule: pure but for malloc; one thread each. */
#ifndef PENSTOCK_CORE_CODEC_UNPACK_GZIP_H
#define PENSTOCK_CORE_CODEC_UNPACK_GZIP_H

#include "core/codec/unpack.h"

struct unpack_gzip;

struct unpack_gzip *unpack_gzip_create(void); /* NULL: no memory */
void unpack_gzip_destroy(struct unpack_gzip *gzip);
void unpack_gzip_begin(struct unpack_gzip *gzip); /* of a member, at its header */
/* Uses up input, fills output. True: the member has ended, and is what its trailer says. `kind` is set when
 * it can't go on. */
bool unpack_gzip_step(struct unpack_gzip *gzip, struct unpack_step *step, enum unpack_defect_kind *kind);
size_t unpack_gzip_memory(void);

#endif
