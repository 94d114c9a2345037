/* source_frames.h - one zstd file or object of many frames, decompressed by several threads and read in
 * order.
 *
 *   source | frame | frame | frame | frame |        runs of frames, found by the headers of their blocks
 *              |       |       |
 *           decoder  decoder  ...                   each fills a slot of its own
 *              \       |      /
 *               read(): the slots in the order of the file
 *
 * Ends are looked for by one thread at a time, ahead of the decoders: an object's ranges are fetched in this
 * order, and each is there still when its decoder comes, as long as `walk_max` keeps to what can be held. A
 * run of frames whose end can't be seen (`walk_max`, or something that is no frame) is decoded to the file's
 * end by one thread, which then meets what is wrong, if anything is. So results and defects are those of one
 * decoder over the whole file.
 *
 * Memory: slots and decoders, as the rules say. A frame that is larger than a slot goes on when what is there
 * was read.
 *
 * Why that can't lock up: runs are claimed in order, each with an empty slot in hand. So the run that is read
 * next has a slot and a decoder, which waits for nothing but for its own slot to be read.
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
/* Text in a slot. Below the least it is not worth its threads; frames above the most are rare. */
#define SOURCE_FRAMES_SLOT_MIN (1024u * 1024)
#define SOURCE_FRAMES_SLOT_MAX (256u * 1024 * 1024)
/* Slots of each decoder: one is filled while the other is read. */
#define SOURCE_FRAMES_SLOTS 2u

struct source_frames_rules {
    struct source *source; /* the stored bytes, which can be read anywhere; borrowed */
    uint32_t decoders;
    size_t slot_bytes;
    size_t run_bytes;  /* SOURCE_FRAMES_RUN_BYTES, but in tests */
    uint64_t walk_max; /* stored bytes of a frame at most whose end is looked for */
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
/* Stored bytes that were read so far. */
uint64_t source_frames_stored(struct source_frames *frames);

/* What it allocates. */
uint64_t source_frames_memory(uint32_t decoders, size_t slot_bytes, unsigned window_log_max);

#endif
