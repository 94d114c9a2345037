/* zstd_frame.h - what the header of a zstd frame says (RFC 8878, 3.1.1.1), before anything is decompressed.
 *
 * Pure. Thread rule: any thread. */
#ifndef PENSTOCK_CORE_CODEC_ZSTD_FRAME_H
#define PENSTOCK_CORE_CODEC_ZSTD_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Magic, descriptor, window, dictionary's id, size of the content. */
#define ZSTD_FRAME_HEADER_MAX 18u

struct zstd_frame {
    uint32_t header; /* bytes up to the first block */
    bool has_checksum;
    uint64_t window;  /* bytes that a decoder has to keep */
    bool has_content; /* the frame says how much it holds: */
    uint64_t content; /* bytes, decompressed */
};

/* The frame whose header is at `bytes`. False: none is, or not all of it. */
bool zstd_frame_read(const uint8_t *bytes, size_t length, struct zstd_frame *frame);
#define ZSTD_FRAME_BLOCK_BYTES    3u /* of a block's header */
#define ZSTD_FRAME_CHECKSUM_BYTES 4u
/* Bytes of a block's contents as stored; *is_last: the frame ends behind it. */
uint32_t zstd_frame_block(const uint8_t header[static ZSTD_FRAME_BLOCK_BYTES], bool *is_last);

#define ZSTD_FRAME_SKIPPABLE_BYTES 8u
/* Is a skippable frame at `bytes`? *whole: all of its bytes. */
bool zstd_frame_skippable(const uint8_t *bytes, size_t length, uint64_t *whole);

/* Log 2, rounded up, of the window of the first frame behind skippable ones; 0: not to be told from these
 * bytes. */
unsigned zstd_frame_window_log(const uint8_t *bytes, size_t length);

#endif
