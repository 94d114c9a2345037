/* source_peek.c - see the header. Thread: one a peek. Owns buffers and decoders. */
#include "io/input/source_peek.h"

#include "core/codec/zstd_frame.h"

#include <stdlib.h>
#include <string.h>

enum { FORMS = UNPACK_ZSTD + 1 };

struct source_peek {
    uint8_t stored[SOURCE_HEAD_BYTES];
    uint8_t text[SOURCE_HEAD_BYTES];
    uint8_t *large;                /* SOURCE_HEAD_BYTES_MAX, made when they are needed */
    struct unpack *unpacks[FORMS]; /* likewise */

    /* of the compressed text at hand */
    struct unpack_step step; /* in `stored`: what was not used yet */
    enum unpack_state state;
    uint64_t at; /* stored bytes that were read */
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
    free(peek->large);
    free(peek);
}

static enum status no_memory(const struct source_peek_port *port, struct fault *fault)
{
    return fault_set(fault, STATUS_IO, "%s: no memory to look into it", port->path);
}

/* Decompresses on, behind the look's head, which stands at `text`, where there is room for `room` bytes. */
static enum status look_inside(struct source_peek *peek, const struct source_peek_port *port, uint8_t *text,
                               size_t room, struct source_look *look, struct fault *fault)
{
    struct unpack_step *const step = &peek->step;
    step->out = text + look->head.length;
    step->out_left = room - look->head.length;
    while (peek->state == UNPACK_GOES_ON && step->out_left > 0) {
        if (step->in_left == 0 && !step->last) {
            size_t length = 0;
            enum status const status =
                port->read(port->context, peek->at, peek->stored, sizeof peek->stored, &length, fault);
            if (status != STATUS_OK) return status;
            step->in = peek->stored;
            step->in_left = length;
            step->last = length == 0;
            peek->at += length;
        }
        peek->state = unpack_run(peek->unpacks[look->form], step);
    }
    look->head.bytes = text;
    look->head.length = room - step->out_left;
    look->head.whole = peek->state != UNPACK_GOES_ON; /* behind damage nothing comes */
    return STATUS_OK;
}

/* `length` bytes stand in peek->stored, the first ones. */
static enum status begin_inside(struct source_peek *peek, const struct source_peek_port *port, size_t length,
                                struct source_look *look, struct fault *fault)
{
    struct unpack **const unpack = &peek->unpacks[look->form];
    if (*unpack == NULL) *unpack = unpack_create(look->form, UNPACK_WINDOW_LOG_MOST);
    if (*unpack == NULL) return no_memory(port, fault);
    unpack_restart(*unpack);
    peek->step = (struct unpack_step){.in = peek->stored, .in_left = length};
    peek->state = UNPACK_GOES_ON;
    peek->at = length;
    return look_inside(peek, port, peek->text, sizeof peek->text, look, fault);
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
    if (look->form == UNPACK_ZSTD) look->window_log = zstd_frame_window_log(peek->stored, length);
    return begin_inside(peek, port, length, look, fault);
}

/* A file that became shorter is met again by whoever reads on. */
static enum status look_on(const struct source_peek_port *port, uint8_t *text, size_t room,
                           struct source_look *look, struct fault *fault)
{
    size_t const before = look->head.length;
    size_t length = 0;
    enum status const status =
        port->read(port->context, before, text + before, room - before, &length, fault);
    if (status != STATUS_OK) return status;
    look->head.bytes = text;
    look->head.length = before + length;
    look->head.whole = look->head.length >= port->size;
    return STATUS_OK;
}

enum status source_peek_further(struct source_peek *peek, const struct source_peek_port *port, size_t room,
                                struct source_look *look, struct fault *fault)
{
    if (peek->large == NULL) peek->large = malloc(SOURCE_HEAD_BYTES_MAX);
    if (peek->large == NULL) return no_memory(port, fault);
    if (look->head.bytes != peek->large) memcpy(peek->large, look->head.bytes, look->head.length);
    if (look->form == UNPACK_PLAIN) return look_on(port, peek->large, room, look, fault);
    return look_inside(peek, port, peek->large, room, look, fault);
}
