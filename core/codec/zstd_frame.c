/* zstd_frame.c - see the header. Pure. */
#include "core/codec/zstd_frame.h"

#include <string.h>

#define MAGIC_BYTES 4u

/* The least that a window is: RFC 8878, 3.1.1.1.2. */
#define WINDOW_LOG_MIN 10u

static uint64_t little_endian(const uint8_t *bytes, size_t length)
{
    uint64_t value = 0;
    for (size_t i = length; i > 0; i--)
        value = value << 8 | bytes[i - 1];
    return value;
}

/* Bytes of the field Frame_Content_Size, 3.1.1.1.1. */
static size_t content_bytes(uint8_t descriptor)
{
    static const uint8_t sizes[] = {0, 2, 4, 8};
    unsigned const flag = descriptor >> 6;
    bool const is_single = (descriptor & 0x20) != 0;
    return flag == 0 && is_single ? 1 : sizes[flag];
}

bool zstd_frame_read(const uint8_t *bytes, size_t length, struct zstd_frame *frame)
{
    static const uint8_t magic[MAGIC_BYTES] = {0x28, 0xb5, 0x2f, 0xfd};
    static const uint8_t dictionary_bytes[] = {0, 1, 2, 4};
    if (length <= MAGIC_BYTES || memcmp(bytes, magic, MAGIC_BYTES) != 0) return false;
    uint8_t const descriptor = bytes[MAGIC_BYTES];
    bool const is_single = (descriptor & 0x20) != 0;
    size_t const content_at = MAGIC_BYTES + 1 + !is_single + dictionary_bytes[descriptor & 3];
    size_t const content = content_bytes(descriptor);
    if (length < content_at + content) return false;
    *frame = (struct zstd_frame){.header = (uint32_t)(content_at + content),
                                 .has_checksum = (descriptor & 0x04) != 0,
                                 .has_content = content != 0,
                                 .content = little_endian(bytes + content_at, content)};
    if (content == 2) frame->content += 256;
    if (is_single) {
        frame->window = frame->content;
        return true;
    }
    uint8_t const window = bytes[MAGIC_BYTES + 1];
    uint64_t const base = (uint64_t)1 << (WINDOW_LOG_MIN + (window >> 3));
    frame->window = base + base / 8 * (window & 7);
    return true;
}

/* 3.1.1.2: a run stores one byte for all of its content. */
uint32_t zstd_frame_block(const uint8_t header[static ZSTD_FRAME_BLOCK_BYTES], bool *is_last)
{
    enum { TYPE_RUN = 1 };
    uint32_t const value = (uint32_t)little_endian(header, ZSTD_FRAME_BLOCK_BYTES);
    *is_last = (value & 1) != 0;
    return (value >> 1 & 3) == TYPE_RUN ? 1 : value >> 3;
}

bool zstd_frame_skippable(const uint8_t *bytes, size_t length, uint64_t *whole)
{
    static const uint8_t magic[MAGIC_BYTES - 1] = {0x2a, 0x4d, 0x18}; /* 3.1.2 */
    if (length < ZSTD_FRAME_SKIPPABLE_BYTES || (bytes[0] & 0xf0) != 0x50 ||
        memcmp(bytes + 1, magic, sizeof magic) != 0)
        return false;
    *whole = ZSTD_FRAME_SKIPPABLE_BYTES + little_endian(bytes + MAGIC_BYTES, 4);
    return true;
}

unsigned zstd_frame_window_log(const uint8_t *bytes, size_t length)
{
    struct zstd_frame frame;
    size_t at = 0;
    for (uint64_t whole; zstd_frame_skippable(bytes + at, length - at, &whole); at += (size_t)whole)
        if (whole > length - at) return 0;
    if (!zstd_frame_read(bytes + at, length - at, &frame)) return 0;
    unsigned log = WINDOW_LOG_MIN;
    while (log < 63 && (uint64_t)1 << log < frame.window)
        log++;
    return log;
}
