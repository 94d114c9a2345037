/* source_front.h - the first bytes of a text that can't be looked at before it is read (standard input):
 * judged, as those of files are, then read as if nobody had looked.
 *
 * Thread rule: one thread at a time. Owns its bytes, which it gives up when they were read. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_FRONT_H
#define PENSTOCK_IO_INPUT_SOURCE_FRONT_H

#include "core/base/status.h"
#include "io/input/source_head.h"

struct source_front {
    uint8_t *bytes;  /* NULL: none */
    size_t at, left; /* of them, what was not read yet */
};

/* Memory of one at most: the longest head, and the one before it, from which it is copied. */
static inline uint64_t source_front_memory(enum form_choice choice)
{
    return choice == FORM_CHOICE_AUTO ? SOURCE_HEAD_BYTES_MAX + SOURCE_HEAD_BYTES_MAX / SOURCE_HEAD_STEP
                                      : SOURCE_HEAD_BYTES;
}

/* Where the text comes from, as a stream's read() gives it. A failure ends the front: it comes again. */
struct source_front_port {
    void *context;
    enum status (*read)(void *context, uint8_t *into, size_t room, size_t *length);
};

/* As much of the text as it takes to be sure; *form and *refusal as of source_head_judge(). Not twice.
 * STATUS_IO: no memory; *refusal is not set then. */
enum status source_front_look(struct source_front *front, const struct source_front_port *port,
                              enum form_choice choice, struct form *form, const char **refusal);
/* What comes next of it; 0: nothing is left. */
size_t source_front_read(struct source_front *front, uint8_t *into, size_t room);
void source_front_free(struct source_front *front); /* zeroed is fine */

#endif
