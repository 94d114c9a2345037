/* pack_desk.h - what tests of compression share: other people's readers, and texts to compress. */
#ifndef PENSTOCK_TESTS_UNIT_PACK_DESK_H
#define PENSTOCK_TESTS_UNIT_PACK_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

struct desk_text {
    uint8_t *bytes; /* the caller's to free */
    size_t length;
    bool good; /* the reader took all of it for one whole stream */
};

static inline void *desk_must(void *memory)
{
    if (memory != NULL) return memory;
    fprintf(stderr, "test: no memory\n");
    abort();
}

/* zlib, as gzip(1) and Java do: one member, CRC-32 and size checked, nothing behind it. */
static inline struct desk_text desk_gunzip(const uint8_t *bytes, size_t length, size_t room)
{
    struct desk_text text = {.bytes = desk_must(malloc(room + 1))};
    z_stream stream = {.next_in = (uint8_t *)(uintptr_t)bytes,
                       .avail_in = (uInt)length,
                       .next_out = text.bytes,
                       .avail_out = (uInt)(room + 1)};
    if (inflateInit2(&stream, 15 + 16) != Z_OK) abort();
    text.good = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_in == 0;
    text.length = room + 1 - stream.avail_out;
    inflateEnd(&stream);
    return text;
}

/* libzstd's streaming reader, which joins frames. */
static inline struct desk_text desk_unzstd(const uint8_t *bytes, size_t length, size_t room)
{
    struct desk_text text = {.bytes = desk_must(malloc(room + 1))};
    ZSTD_DCtx *const context = desk_must(ZSTD_createDCtx());
    ZSTD_inBuffer in = {bytes, length, 0};
    ZSTD_outBuffer out = {text.bytes, room + 1, 0};
    size_t left = 1; /* of the frame at hand */
    while (in.pos < in.size && out.pos < out.size) {
        left = ZSTD_decompressStream(context, &out, &in);
        if (ZSTD_isError(left)) break;
    }
    text.good = left == 0 && in.pos == in.size;
    text.length = out.pos;
    ZSTD_freeDCtx(context);
    return text;
}

enum desk_sort { DESK_ROWS, DESK_NOISE, DESK_ZEROS };

/* Rows of CSV much alike, bytes that can't be made smaller, or zeros. */
static inline uint8_t *desk_make(enum desk_sort sort, size_t length)
{
    static const char *const words[] = {"gold", "silver", "bronze", "Berlin", "Boston", "Lyon", "active"};
    uint8_t *const bytes = desk_must(calloc(1, length + 80));
    uint64_t random = 88172645463325252u; /* xorshift64, G. Marsaglia, "Xorshift RNGs" (2003) */
    for (size_t at = 0; sort != DESK_ZEROS && at < length;) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        if (sort == DESK_NOISE)
            bytes[at++] = (uint8_t)(random >> 24);
        else
            at += (size_t)snprintf((char *)bytes + at, 80, "%llu,%s,%s,%u.%02u\n",
                                   (unsigned long long)(random >> 40), words[random % 7],
                                   words[(random >> 8) % 7], (unsigned)(random >> 16) % 1000,
                                   (unsigned)(random >> 32) % 100);
    }
    return bytes;
}

#endif
