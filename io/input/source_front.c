/* source_front.c - see the header. Thread: whoever reads the stream now. */
#include "io/input/source_front.h"

#include <stdlib.h>
#include <string.h>

static bool grow(struct source_front *front, size_t room)
{
    uint8_t *const bytes = realloc(front->bytes, room);
    if (bytes == NULL) return false;
    front->bytes = bytes;
    return true;
}

/* Reads on, up to `room` bytes; false: the text ended, or failed. */
static bool fill(struct source_front *front, const struct source_front_port *port, size_t room, bool *whole)
{
    while (front->left < room) {
        size_t length = 0;
        enum status const status =
            port->read(port->context, front->bytes + front->left, room - front->left, &length);
        front->left += length;
        *whole = status != STATUS_OK || length == 0; /* behind damage nothing comes */
        if (status != STATUS_OK || length == 0) return false;
    }
    return true;
}

enum status source_front_look(struct source_front *front, const struct source_front_port *port,
                              enum form_choice choice, struct form *form, const char **refusal)
{
    bool goes_on = true, whole = false;
    for (size_t room = SOURCE_HEAD_BYTES; goes_on; room = source_head_further(room)) {
        if (!grow(front, room)) return STATUS_IO;
        goes_on = fill(front, port, room, &whole);
        struct source_head const head = {
            .bytes = front->bytes, .length = front->left, .whole = whole, .choice = choice};
        *refusal = source_head_judge(&head, form);
        goes_on = goes_on && *refusal == NULL && form->unsure && source_head_further(room) != 0;
    }
    return STATUS_OK;
}

size_t source_front_read(struct source_front *front, uint8_t *into, size_t room)
{
    size_t const length = front->left < room ? front->left : room;
    if (length != 0) memcpy(into, front->bytes + front->at, length);
    front->at += length;
    front->left -= length;
    if (front->left == 0) source_front_free(front);
    return length;
}

void source_front_free(struct source_front *front)
{
    free(front->bytes);
    *front = (struct source_front){.bytes = NULL};
}
