/* source_runs.c - see the header. Thread: one at a time. */
#include "io/input/source_runs.h"

#include "core/codec/unpack.h"

_Static_assert(SOURCE_RUNS_WINDOW >= UNPACK_MAGIC_BYTES && SOURCE_RUNS_WINDOW >= ZSTD_FRAME_BLOCK_BYTES,
               "a reader's window holds what is looked at");

/* What is at `at`, up to `length` bytes of it; less: the source ends there, or can't be read, which is said
 * by whoever decodes what is before it. Until the next look. */
static const uint8_t *look_at(const struct source_runs *runs, uint64_t at, size_t *length)
{
    struct source *const source = runs->source;
    struct source_window window = {.length = 0};
    if (at >= source->size || source->window(runs->reader, at, *length, &window, NULL) != STATUS_OK)
        window = (struct source_window){.length = 0};
    *length = window.length;
    return window.bytes;
}

/* The end of the frame at `begin`, or 0: it is none, is not whole, or its end is too far away. */
static uint64_t find_frame_end(const struct source_runs *runs, uint64_t begin)
{
    struct zstd_frame frame;
    uint64_t const size = runs->source->size;
    uint64_t whole;
    size_t length = ZSTD_FRAME_HEADER_MAX;
    const uint8_t *const head = look_at(runs, begin, &length);
    if (length == 0) return 0;
    if (zstd_frame_skippable(head, length, &whole)) return whole <= size - begin ? begin + whole : 0;
    if (!zstd_frame_read(head, length, &frame)) return 0;
    uint64_t at = begin + frame.header;
    bool is_last = false;
    while (!is_last) {
        if (at - begin > runs->walk_max) return 0;
        length = ZSTD_FRAME_BLOCK_BYTES;
        const uint8_t *const block = look_at(runs, at, &length);
        if (length != ZSTD_FRAME_BLOCK_BYTES) return 0;
        at += ZSTD_FRAME_BLOCK_BYTES + zstd_frame_block(block, &is_last);
    }
    if (frame.has_checksum) at += ZSTD_FRAME_CHECKSUM_BYTES;
    return at <= size ? at : 0;
}

uint64_t source_runs_end(const struct source_runs *runs, uint64_t begin)
{
    uint64_t const size = runs->source->size;
    uint64_t end = begin;
    do {
        end = find_frame_end(runs, end);
        if (end == 0 || end == size) return size;
        size_t length = UNPACK_MAGIC_BYTES;
        const uint8_t *const magic = look_at(runs, end, &length);
        bool const is_frame = length == UNPACK_MAGIC_BYTES && unpack_recognise(magic, length) == UNPACK_ZSTD;
        if (!is_frame) return size; /* garbage is the business of whoever decodes what is before it */
    } while (end - begin < runs->run_bytes);
    return end;
}
