/* pack_out.h - the compressed bytes of a sink's files on their way to the inner sink: gathered in blocks,
 * each with its checksum.
 *
 * Results of units are of any length, and their memory is wanted for the next ones; the inner sink may keep
 * what it is given. So their bytes are copied, which costs a twentieth of what compressing them did, into
 * blocks of one size. Each file that is open fills one; a full one goes to the inner sink as a piece, the
 * last one of a file as it is.
 *
 * Why blocks don't run out: there are as many as the inner sink asked to hold, one for each open file, and as
 * many as one addition may need. Where fewer than these are left, the inner sink has more than it holds back:
 * some of it is on its way and comes home (sink.h).
 *
 * Thread rule: the assembler's. Owns the blocks; the inner sink is its maker's. */
#ifndef PENSTOCK_CORE_FLOW_PACK_OUT_H
#define PENSTOCK_CORE_FLOW_PACK_OUT_H

#include "core/base/checksum.h"
#include "core/flow/sink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pack_block;

/* A file that is open. */
struct pack_stream {
    uint32_t file;
    struct pack_block *block; /* being filled; NULL: none */
    struct sink_stored stored;
};

struct pack_out_rules {
    enum checksum_kind checksum; /* of pieces and files */
    size_t block_bytes;
    size_t add_max; /* bytes that one round of pack_out_add() brings at most, see pack_out_has_room() */
    uint64_t hold;  /* bytes that the inner sink may hold back */
    uint32_t open;  /* files that may be open at once */
};

struct pack_out {
    struct pack_out_rules rules;
    struct sink *inner;
    uint8_t *bytes; /* of all blocks; one that was never used costs no page */
    struct pack_block *blocks;
    struct pack_block *empty; /* a list: what was used last is in the cache */
    uint32_t empty_count, add_blocks;
};

uint64_t pack_out_memory(const struct pack_out_rules *rules);
/* Becomes the inner sink's home. False: no memory; pack_out_destroy() is due all the same. */
bool pack_out_create(struct pack_out *out, const struct pack_out_rules *rules, struct sink *inner);
void pack_out_destroy(struct pack_out *out); /* the inner sink has let go of its pieces; zeroed is fine */

/* Are there blocks for `add_max` bytes, added to any of the files? False: reap the inner sink, or wait. */
bool pack_out_has_room(const struct pack_out *out);
/* The file's next bytes. */
enum status pack_out_add(struct pack_out *out, struct pack_stream *stream, const uint8_t *bytes,
                         size_t length, struct fault *fault);
/* Sends what is left of a file. stream->stored is final. */
enum status pack_out_flush(struct pack_out *out, struct pack_stream *stream, struct fault *fault);

#endif
