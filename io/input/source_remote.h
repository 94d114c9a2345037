/* source_remote.h - the port through which sources come that are no files of this machine: objects of a
 * store.
 *
 * The list finds them and looks at their first bytes; source_open.h makes sources of them. Their paths are
 * what messages, reports and reject lines show, and what the run's order goes by.
 *
 * Thread rule: find, head, read, open, bytes and what undoes them by main; what a source shows, and what
 * bytes give, as source.h and stream.h say. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_REMOTE_H
#define PENSTOCK_IO_INPUT_SOURCE_REMOTE_H

#include "core/base/arena.h"
#include "core/base/status.h"
#include "core/flow/source.h"
#include "core/flow/stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As it is when it is listed; what is read later is this or a failure. */
struct source_object {
    const char *path; /* whole */
    const char *etag; /* what tells it from another of its name; NULL: the store does not say */
    uint64_t size;    /* stored bytes */
    void *place;      /* the implementation's */
};

/* Objects in byte order of their paths. Zeroed is empty; the texts lie in an arena. */
struct source_found {
    struct source_object *items; /* malloc'd */
    size_t count, room;
};

/* The stored bytes of an object, front to back.
 *   read()   at least one byte; 0: the end, when all that was read is what the store says it holds
 *   close()  after the last read(), or instead of it */
struct source_bytes {
    void *self;
    enum status (*open)(struct source_bytes *bytes, struct fault *fault);
    enum status (*read)(struct source_bytes *bytes, uint8_t *into, size_t room, size_t *length,
                        struct fault *fault);
    void (*close)(struct source_bytes *bytes);
    void (*destroy)(struct source_bytes *bytes);
};

struct source_remote {
    void *self;
    /* Is that path one of its own? */
    bool (*is_path)(const char *path);
    /* Adds the objects that a path stands for: itself, all below a folder, what a glob matches. Left out is
     * what source_walk.h leaves out, but for `everything`. STATUS_NO_SOURCE: none. */
    enum status (*find)(void *self, const char *path, bool everything, struct arena *arena,
                        struct source_found *found, struct fault *fault);
    /* The first bytes of item `i`, at most `room`. To be asked in order from 0, so that others can be on
     * their way; `found` stays as it is meanwhile. */
    enum status (*head)(void *self, const struct source_found *found, size_t i, uint8_t *into, size_t room,
                        size_t *length, struct fault *fault);
    /* All of [offset, offset + length), which is within the object. */
    enum status (*read)(void *self, const struct source_object *object, uint64_t offset, uint8_t *into,
                        size_t length, struct fault *fault);
    /* One that can be read anywhere. NULL with the fault filled. Its windows come when memory was planned. */
    struct source *(*open)(void *self, const struct source_object *object, struct fault *fault);
    /* STATUS_IO: what was read is not what the store says it holds. */
    enum status (*check)(const struct source *source, struct fault *fault);
    void (*close)(struct source *source);
    /* One that is read front to back. NULL with the fault filled. */
    struct source_bytes *(*bytes)(void *self, const struct source_object *object, struct fault *fault);
};

#endif
