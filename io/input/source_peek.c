/* source_peek.c - see the header. Thread: one a peek. Owns buffers and decoders. */
#include "io/input/source_peek.h"

#include "core/codec/zstd_frame.h"

#include <stdlib.h>

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

/* `length` bytes stand in peek->stored, the first ones. */
static enum status look_inside(struct source_peek *peek, const struct source_peek_port *port, size_t length,
                               struct source_look *look, struct fault *fault)
{
    struct unpack **const unpack = &peek->unpacks[look->form];
    if (*unpack == NULL) *unpack = unpack_create(look->form, UNPACK_WINDOW_LOG_MOST);
    if (*unpack == NULL) return fault_set(fault, STATUS_IO, "%s: no memory to look into it", port->path);
    unpack_restart(*unpack);
    struct unpack_step step = {.out = peek->text, .out_left = sizeof peek->text};
    enum unpack_state state = UNPACK_GOES_ON;
    for (uint64_t at = 0; state == UNPACK_GOES_ON && step.out_left > 0;) {
        step.in = peek->stored;
        step.in_left = length;
        step.last = length == 0;
        state = unpack_run(*unpack, &step);
        at += length;
        if (state != UNPACK_GOES_ON || step.out_left == 0) break;
        enum status const status =
            port->read(port->context, at, peek->stored, sizeof peek->stored, &length, fault);
        if (status != STATUS_OK) return status;
    }
    look->head.length = sizeof peek->text - step.out_left;
    look->head.whole = state == UNPACK_ENDED;
    return STATUS_OK;
}

enum status source_peek_look(struct source_peek *peek, const struct source_peek_port *port,
                             struct source_look *look, struct fault *fault)
{
    size_t length = 0;
    enum status const status =
        port->read(port->context, 0, peek->stored, sizeof peek->stored, &length, fault);
    if (status != STATUS_OK) return status;
    bool const whole = length >= port->size;
    *look = (struct source_look){.form = source_head_form(peek->stored, length, whole)};
    if (look->form == UNPACK_PLAIN) {
        look->head = (struct source_head){.bytes = peek->stored, .length = length, .whole = whole};
        return STATUS_OK;
    }
    look->head.bytes = peek->text;
    if (look->form == UNPACK_ZSTD) look->window_log = zstd_frame_window_log(peek->stored, length);
    return look_inside(peek, port, length, look, fault);
}
