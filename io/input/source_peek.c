/* source_peek.c - see the header. Thread: one a peek. Owns buffers and decoders. */
#include "io/input/source_peek.h"

#include "core/codec/zstd_frame.h"
#include "io/input/source_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FORMS = UNPACK_ZSTD + 1 };

struct source_peek {
    uint8_t stored[SOURCE_HEAD_BYTES];
    uint8_t text[SOURCE_HEAD_BYTES];
    struct unpack *unpacks[FORMS]; /* made when they are needed */
};

struct source_peek *source_peek_create(void)
{
    return calloc(1, sizeof(struct source_peek));
}

void source_peek_destroy(struct source_peek *peek)
{
    if (peek == NULL) return;
    for (int form = 0; form < FORMS; form++)
        unpack_destroy(peek->unpacks[form]);
    free(peek);
}

/* `length` bytes stand in peek->stored, the file's first. */
static enum status look_inside(struct source_peek *peek, int descriptor, const char *path, int64_t length,
                               struct source_look *look, struct fault *fault)
{
    struct unpack **const unpack = &peek->unpacks[look->form];
    if (*unpack == NULL) *unpack = unpack_create(look->form, UNPACK_WINDOW_LOG_MOST);
    if (*unpack == NULL) return fault_set(fault, STATUS_IO, "%s: no memory to look into it", path);
    unpack_restart(*unpack);
    struct unpack_step step = {.out = peek->text, .out_left = sizeof peek->text};
    enum unpack_state state = UNPACK_GOES_ON;
    for (uint64_t at = 0; state == UNPACK_GOES_ON && step.out_left > 0;) {
        step.in = peek->stored;
        step.in_left = (size_t)length;
        step.last = length == 0;
        state = unpack_run(*unpack, &step);
        at += (uint64_t)length;
        if (state != UNPACK_GOES_ON || step.out_left == 0) break;
        length = source_file_pread(descriptor, peek->stored, sizeof peek->stored, at);
        if (length < 0)
            return fault_set(fault, STATUS_IO, "%s: can't be read at byte %llu: %s", path,
                             (unsigned long long)at, strerror(errno));
    }
    look->head.length = sizeof peek->text - step.out_left;
    look->head.whole = state == UNPACK_ENDED;
    return STATUS_OK;
}

enum status source_peek_look(struct source_peek *peek, int descriptor, const char *path, uint64_t size,
                             struct source_look *look, struct fault *fault)
{
    int64_t const length = source_file_pread(descriptor, peek->stored, sizeof peek->stored, 0);
    if (length < 0)
        return fault_set(fault, STATUS_IO, "%s: can't be read at byte 0: %s", path, strerror(errno));
    bool const whole = (uint64_t)length >= size;
    *look = (struct source_look){.form = source_head_form(peek->stored, (size_t)length, whole)};
    if (look->form == UNPACK_PLAIN) {
        look->head = (struct source_head){.bytes = peek->stored, .length = (size_t)length, .whole = whole};
        return STATUS_OK;
    }
    look->head.bytes = peek->text;
    if (look->form == UNPACK_ZSTD) look->window_log = zstd_frame_window_log(peek->stored, (size_t)length);
    return look_inside(peek, descriptor, path, length, look, fault);
}
