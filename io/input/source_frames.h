/* source_frames.h - one zstd file or object of many frames, decompressed by several threads and read in
 * order.
 *
 *   source | frame | frame | frame | frame |        runs of frames, found by the headers of their blocks
 *              |       |       |
 *           decoder  decoder  ...                   each fills pieces (source_pieces.h)
 *              \       |      /
 *               read(): the pieces of one run after another, in the order of the file
 *
 * Ends are looked for by one thread at a time, ahead of the decoders: an object's ranges are fetched in this
 * order, and each is there still when its decoder comes, as long as `walk_max` keeps to what can be held. A
 * run of frames whose end can't be seen (`walk_max`, or something that is no frame) is decoded to the file's
 * end by one thread, which then meets what is wrong, if anything is. So results and defects are those of one
 * decoder over the whole file.
 *
 * Memory: pieces and decoders, as the rules say. All runs share the pieces: how long a frame is does not
 * matter, and as many are touched as text really waits.
 *
 * Why that can't lock up: runs are claimed in order, so the run that is read next has a decoder. It waits for
 * nothing but an empty piece. Others leave it SOURCE_FRAMES_RESERVE of them: when none is empty, the runs
 * that were read since then have taken these, so that it has filled some itself, and the reader, who does not
 * wait while a decoder waits for pieces that it could empty, gives them back.
 *
 * Thread rule: start, read and stop by one thread at a time; the decoders are made and joined here. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_FRAMES_H
#define PENSTOCK_IO_INPUT_SOURCE_FRAMES_H

#include "core/base/status.h"
#include "core/codec/unpack.h"
#include "core/flow/source.h"
#include "core/flow/stream.h"

/* Stored bytes of a run at least, when there are more frames: claiming one is then small beside decoding it.
 */
#define SOURCE_FRAMES_RUN_BYTES (512u * 1024)
/* Stored bytes of a file's frame at most whose end is looked for: some 500 small reads, at most 0.1 s on slow
 * disks.
 */
#define SOURCE_FRAMES_WALK_MAX (64u * 1024 * 1024)
/* Text of each decoder that may wait: less is not worth its thread; frames of more are rare. */
#define SOURCE_FRAMES_TEXT_MIN (2u * 1024 * 1024)
#define SOURCE_FRAMES_TEXT_MAX (512u * 1024 * 1024)
/* Pieces that runs leave to the one that is read: one is filled while the other is read. */
#define SOURCE_FRAMES_RESERVE 2u
/* A piece has memory in front of its text (1 / this) for what a block carries over (stream.h). */
#define SOURCE_FRAMES_LEAD_SHARE 16u
/* Runs of each decoder: one is filled while the other is read. */
#define SOURCE_FRAMES_SLOTS 2u

struct source_frames_rules {
    struct source *source; /* the stored bytes, which can be read anywhere; borrowed */
    uint32_t decoders;
    size_t pieces;            /* at least 1 */
    size_t piece_bytes, lead; /* of the memory of each; of them, in front of the text. The rest is not 0. */
    size_t run_bytes;         /* SOURCE_FRAMES_RUN_BYTES, but in tests */
    uint64_t walk_max;        /* stored bytes of a frame at most whose end is looked for */
    unsigned window_log_max;
    struct track *tracks; /* of each decoder, written until stop; NULL: none */
};

struct source_frames; /* the implementation's */

/* NULL: the file is one run, so that there is nothing to share; or no memory, or no threads. */
struct source_frames *source_frames_start(const struct source_frames_rules *rules);
void source_frames_stop(struct source_frames *frames); /* takes NULL */

/* The next bytes of the text: *length 0 with STATUS_OK is the end. When *defect was filled, the file is
 * broken there; else it is what the source says, or STATUS_IO: the stream says that it is stopped. */
enum status source_frames_read(struct source_frames *frames, const struct stream *stream, uint8_t *into,
                               size_t room, size_t *length, struct unpack_defect *defect,
                               struct fault *fault);
/* The same, but for the text: it comes where it lies, as stream.h says of swap(). */
enum status source_frames_swap(struct source_frames *frames, const struct stream *stream, uint8_t **memory,
                               size_t *begin, size_t *length, struct unpack_defect *defect,
                               struct fault *fault);
/* Stored bytes that were read so far. */
uint64_t source_frames_stored(struct source_frames *frames);

/* What it allocates beside pieces. */
uint64_t source_frames_memory(uint32_t decoders, unsigned window_log_max);
/* Pieces that fit into so many bytes; 0: too few to be worth it. */
size_t source_frames_pieces(uint32_t decoders, size_t piece_bytes, uint64_t bytes);

#endif
