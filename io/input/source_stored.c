/* source_stored.c - see the header. Thread: whoever reads now. Owns what the header says. */
#include "io/input/source_stored.h"

#include "io/input/source_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often a read that waits asks whether the run is being stopped. */
#define POLL_MILLISECONDS 50

enum status source_stored_say_stopped(const struct source_stored *stored, struct fault *fault)
{
    return fault_set(fault, STATUS_IO, "%s: reading it was stopped", stored->path);
}

/* ---- reading ---- */

/* Waits until a read() would not; STATUS_IO: the run is being stopped, or it can't be waited for. */
static enum status wait_for_bytes(const struct source_stored *stored, const struct stream *stream,
                                  struct fault *fault)
{
    for (;;) {
        struct pollfd about = {.fd = stored->descriptor, .events = POLLIN};
        int const ready = poll(&about, 1, POLL_MILLISECONDS);
        if (ready > 0) return STATUS_OK;
        if (stream_is_stopped(stream)) return source_stored_say_stopped(stored, fault);
        if (ready < 0 && errno != EINTR)
            return fault_set(fault, STATUS_IO, "%s: can't be waited for: %s", stored->path, strerror(errno));
    }
}

static enum status read_object(struct source_stored *stored, uint8_t *into, size_t room, size_t *length,
                               struct fault *fault)
{
    enum status const status = stored->bytes->read(stored->bytes, into, room, length, fault);
    if (status == STATUS_OK) stored->count += *length;
    return status;
}

/* At its end: is it what the store says it holds? */
static enum status read_anywhere(struct source_stored *stored, uint8_t *into, size_t room, size_t *length,
                                 struct fault *fault)
{
    struct source_window window;
    enum status const status = stored->object->window(stored->reader, stored->count, room, &window, fault);
    if (status != STATUS_OK) return status;
    if (window.length == 0) return stored->remote->check(stored->object, fault);
    memcpy(into, window.bytes, window.length);
    stored->count += window.length;
    *length = window.length;
    return STATUS_OK;
}

/* The next stored bytes to `into`; 0: the end. */
static enum status read_more(struct source_stored *stored, const struct stream *stream, uint8_t *into,
                             size_t room, size_t *length, struct fault *fault)
{
    if (stored->bytes != NULL) return read_object(stored, into, room, length, fault);
    if (stored->object != NULL) return read_anywhere(stored, into, room, length, fault);
    for (;;) {
        if (!stored->is_file) {
            enum status const status = wait_for_bytes(stored, stream, fault);
            if (status != STATUS_OK) return status;
        }
        ssize_t const got = read(stored->descriptor, into, room);
        if (got >= 0) {
            *length = (size_t)got;
            stored->count += (uint64_t)got;
            return STATUS_OK;
        }
        if (errno != EINTR && errno != EAGAIN)
            return fault_set(fault, STATUS_IO, "%s: can't be read at byte %llu: %s", stored->path,
                             (unsigned long long)stored->count, strerror(errno));
    }
}

enum status source_stored_fill(struct source_stored *stored, const struct stream *stream, struct fault *fault)
{
    enum status status = STATUS_OK;
    stored->in_at = stored->in_left = 0;
    while (status == STATUS_OK && !stored->at_end && stored->in_left < SOURCE_STORED_STEP) {
        size_t length = 0;
        status = read_more(stored, stream, stored->in + stored->in_left, SOURCE_STORED_STEP - stored->in_left,
                           &length, fault);
        stored->in_left += length;
        stored->at_end = status == STATUS_OK && length == 0;
    }
    return status;
}

enum status source_stored_read(struct source_stored *stored, const struct stream *stream, uint8_t *into,
                               size_t room, size_t *length, struct fault *fault)
{
    if (stored->in_left == 0) return read_more(stored, stream, into, room, length, fault);
    *length = stored->in_left < room ? stored->in_left : room;
    memcpy(into, stored->in + stored->in_at, *length);
    stored->in_at += *length;
    stored->in_left -= *length;
    return STATUS_OK;
}

/* ---- what was read, and is it that still ---- */

enum status source_stored_check_now(const struct source_stored *stored, struct fault *fault)
{
    struct stat about;
    if (!stored->is_file || fstat(stored->descriptor, &about) != 0) return STATUS_OK;
    struct source_stamp const now = source_stamp_of(&about);
    return source_stamp_check(stored->path, &stored->before, &now, fault);
}

enum status source_stored_check(const struct source_stored *stored, struct fault *fault)
{
    return source_stamp_check(stored->path, &stored->before, &stored->after, fault);
}

enum status source_stored_check_whole(const struct source_stored *stored, struct fault *fault)
{
    return stored->object != NULL ? stored->remote->check(stored->object, fault) : STATUS_OK;
}

/* ---- open and close ---- */

static enum status open_standard_input(struct source_stored *stored, struct fault *fault)
{
    struct stat about;
    stored->descriptor = STDIN_FILENO;
    if (fstat(STDIN_FILENO, &about) != 0)
        return fault_set(fault, STATUS_NO_SOURCE, "%s: standard input can't be read: %s", stored->path,
                         strerror(errno));
    stored->is_file = S_ISREG(about.st_mode);
    stored->before = source_stamp_of(&about);
    return STATUS_OK;
}

/* The file that is open, and no other one of its name. */
static void share_file(struct source_stored *stored, const struct stat *about)
{
    int const descriptor = fcntl(stored->descriptor, F_DUPFD_CLOEXEC, 0);
    if (descriptor < 0) return;
    stored->shared = source_file_adopt(stored->path, descriptor, about, SOURCE_MODE_READ, NULL);
}

static enum status open_file(struct source_stored *stored, bool share, struct fault *fault)
{
    struct stat about;
    stored->descriptor = source_file_descriptor(stored->path, &about, fault);
    if (stored->descriptor < 0) return fault->status;
    (void)posix_fadvise(stored->descriptor, 0, 0, POSIX_FADV_SEQUENTIAL); /* a hint: reads work without it */
    struct source_stamp const now = source_stamp_of(&about);
    enum status const status = source_stamp_check(stored->path, &stored->before, &now, fault);
    if (status != STATUS_OK) return status;
    if (share) share_file(stored, &about);
    return STATUS_OK;
}

static enum status open_object(struct source_stored *stored, struct fault *fault)
{
    if (stored->bytes != NULL) return stored->bytes->open(stored->bytes, fault);
    stored->reader = stored->object->open_reader(stored->object, SOURCE_STORED_STEP);
    if (stored->reader == NULL) return fault_set(fault, STATUS_IO, "%s: no memory to read it", stored->path);
    return STATUS_OK;
}

enum status source_stored_open(struct source_stored *stored, bool share, struct fault *fault)
{
    stored->at_end = false;
    stored->in_at = stored->in_left = 0;
    stored->count = 0;
    stored->in = malloc(SOURCE_STORED_STEP);
    if (stored->in == NULL) return fault_set(fault, STATUS_IO, "%s: no memory to read it", stored->path);
    if (stored->bytes != NULL || stored->object != NULL) return open_object(stored, fault);
    return stored->is_standard_input ? open_standard_input(stored, fault) : open_file(stored, share, fault);
}

struct source *source_stored_anywhere(const struct source_stored *stored)
{
    return stored->object != NULL ? stored->object : stored->shared;
}

void source_stored_close(struct source_stored *stored)
{
    struct stat about;
    stored->after = stored->before;
    if (stored->is_file && stored->descriptor >= 0 && fstat(stored->descriptor, &about) == 0)
        stored->after = source_stamp_of(&about);
    if (stored->bytes != NULL) stored->bytes->close(stored->bytes);
    source_file_close(stored->shared);
    stored->shared = NULL;
    if (stored->reader != NULL) stored->object->close_reader(stored->reader);
    stored->reader = NULL;
    if (!stored->is_standard_input && stored->descriptor >= 0) (void)close(stored->descriptor);
    stored->descriptor = -1;
    free(stored->in);
    stored->in = NULL;
}

void source_stored_destroy(struct source_stored *stored)
{
    if (stored->bytes != NULL) stored->bytes->destroy(stored->bytes);
    if (stored->object != NULL) stored->remote->close(stored->object);
}
