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
    uint64_t window;  /* bytes that a decoder has to keep */
    bool has_content; /* the frame says how much it holds: */
    uint64_t content; /* bytes, decompressed */
};

/* The frame whose header is at `bytes`. False: none is, or not all of it. */
bool zstd_frame_read(const uint8_t *bytes, size_t length, struct zstd_frame *frame);
/* Log 2, rounded up, of the window of the first frame behind skippable ones; 0: not to be told from these
 * bytes. */
unsigned zstd_frame_window_log(const uint8_t *bytes, size_t length);

#endif
