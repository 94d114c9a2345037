/* source_stream.c - see the header. Thread: whoever reads the stream now. Owns, while open: the descriptor
 * (but standard input's), the buffer of stored bytes, the object's reader, the decoder. */
#include "io/input/source_stream.h"

#include "core/flow/track.h"
#include "io/input/source_file.h"
#include "io/input/source_frames.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often a read that waits asks whether the run is being stopped. */
#define POLL_MILLISECONDS 50

struct source_stream {
    struct source port;
    struct source_bytes *bytes; /* of an object; NULL: it is none, or: */
    struct source *object;      /* which can be read anywhere */
    const struct source_remote *remote;
    struct stream stream;
    char *path;
    enum unpack_form form;
    struct source_stamp before; /* of a file, when it was listed; of a redirected one, at open */
    struct source_stamp after;  /* at close */
    unsigned window_log_max;
    struct source_stream_share share; /* zeroed: frames are decompressed by one */
    enum form_choice format;
    struct form records; /* of standard input, once it was looked at */
    bool is_standard_input, is_file, was_open;
    uint64_t stored; /* bytes read */

    /* while open */
    int descriptor;
    struct source_reader *reader; /* of the object */
    struct unpack *unpack;        /* NULL: plain, or: */
    struct source_frames *frames;
    struct source *shared; /* a file's, for them */
    uint8_t *in;           /* SOURCE_STREAM_STEP */
    size_t in_at, in_left; /* stored bytes that were read and not used */
    bool at_end;           /* of what is stored */
    uint8_t *head;         /* of standard input: SOURCE_HEAD_BYTES of text that were looked at; NULL: none */
    size_t head_at, head_left;
    bool looked; /* at the head; true for files, whose head the list looked at */
};

/* ---- stored bytes ---- */

static bool is_stopped(const struct source_stream *self)
{
    const struct stream *const stream = &self->stream;
    return stream->stopped != NULL && stream->stopped(stream->stopped_context);
}

static enum status say_stopped(const struct source_stream *self, struct fault *fault)
{
    return fault_set(fault, STATUS_IO, "%s: reading it was stopped", self->path);
}

/* Waits until a read() would not; STATUS_IO: the run is being stopped, or it can't be waited for. */
static enum status wait_for_bytes(const struct source_stream *self, struct fault *fault)
{
    for (;;) {
        struct pollfd about = {.fd = self->descriptor, .events = POLLIN};
        int const ready = poll(&about, 1, POLL_MILLISECONDS);
        if (ready > 0) return STATUS_OK;
        if (is_stopped(self)) return say_stopped(self, fault);
        if (ready < 0 && errno != EINTR)
            return fault_set(fault, STATUS_IO, "%s: can't be waited for: %s", self->path, strerror(errno));
    }
}

static enum status read_object(struct source_stream *self, uint8_t *into, size_t room, size_t *length,
                               struct fault *fault)
{
    enum status const status = self->bytes->read(self->bytes, into, room, length, fault);
    if (status == STATUS_OK) self->stored += *length;
    return status;
}

/* At its end: is it what the store says it holds? */
static enum status read_anywhere(struct source_stream *self, uint8_t *into, size_t room, size_t *length,
                                 struct fault *fault)
{
    struct source_window window;
    enum status const status = self->object->window(self->reader, self->stored, room, &window, fault);
    if (status != STATUS_OK) return status;
    if (window.length == 0) return self->remote->check(self->object, fault);
    memcpy(into, window.bytes, window.length);
    self->stored += window.length;
    *length = window.length;
    return STATUS_OK;
}

/* The next stored bytes to `into`; 0: the end. */
static enum status read_stored(struct source_stream *self, uint8_t *into, size_t room, size_t *length,
                               struct fault *fault)
{
    if (self->bytes != NULL) return read_object(self, into, room, length, fault);
    if (self->object != NULL) return read_anywhere(self, into, room, length, fault);
    for (;;) {
        if (!self->is_file) {
            enum status const status = wait_for_bytes(self, fault);
            if (status != STATUS_OK) return status;
        }
        ssize_t const got = read(self->descriptor, into, room);
        if (got >= 0) {
            *length = (size_t)got;
            self->stored += (uint64_t)got;
            return STATUS_OK;
        }
        if (errno != EINTR && errno != EAGAIN)
            return fault_set(fault, STATUS_IO, "%s: can't be read at byte %llu: %s", self->path,
                             (unsigned long long)self->stored, strerror(errno));
    }
}

/* The next step of stored bytes, when all that was there is used. It is filled to its end, however a pipe
 * gives them: where steps end must depend on the bytes alone (unpack.h). */
static enum status fill_in(struct source_stream *self, struct fault *fault)
{
    enum status status = STATUS_OK;
    self->in_at = self->in_left = 0;
    while (status == STATUS_OK && !self->at_end && self->in_left < SOURCE_STREAM_STEP) {
        size_t length = 0;
        status =
            read_stored(self, self->in + self->in_left, SOURCE_STREAM_STEP - self->in_left, &length, fault);
        self->in_left += length;
        self->at_end = status == STATUS_OK && length == 0;
    }
    return status;
}

/* ---- text ---- */

/* Has the file changed since it was listed? Then that is why it can't be read on. */
static enum status check_now(const struct source_stream *self, struct fault *fault)
{
    struct stat about;
    if (!self->is_file || fstat(self->descriptor, &about) != 0) return STATUS_OK;
    struct source_stamp const now = source_stamp_of(&about);
    return source_stamp_check(self->path, &self->before, &now, fault);
}

static enum status say_broken(struct source_stream *self, const struct unpack_defect *defect,
                              struct fault *fault)
{
    char text[UNPACK_DEFECT_TEXT];
    if (check_now(self, fault) != STATUS_OK) return STATUS_IO;
    unpack_defect_text(self->form, defect, text);
    switch (defect->kind) {
    case UNPACK_WINDOW:
        return fault_set(fault, STATUS_INPUT,
                         "%s: %s, 2^%u bytes: raise --memory-limit, or compress it with a smaller window "
                         "(zstd --long=%u is the largest that can be read)",
                         self->path, text, self->window_log_max, UNPACK_WINDOW_LOG_MOST);
    case UNPACK_DICTIONARY:
        return fault_set(fault, STATUS_INPUT,
                         "%s: %s, which is not supported: decompress it first (zstd -d -D DICTIONARY)",
                         self->path, text);
    case UNPACK_NO_MEMORY: return fault_set(fault, STATUS_IO, "%s: %s", self->path, text);
    case UNPACK_FINE:
    case UNPACK_TRUNCATED:
    case UNPACK_GARBAGE:
    case UNPACK_BAD_HEADER:
    case UNPACK_BAD_DATA:
    case UNPACK_BAD_CHECKSUM: break;
    }
    self->stream.damaged = true;
    return fault_set(fault, STATUS_IO,
                     "%s: %s: get the file again, or set source.on_corrupt: skip_rest, which leaves out what "
                     "follows",
                     self->path, text);
}

static enum status read_compressed(struct source_stream *self, uint8_t *into, size_t room, size_t *length,
                                   struct fault *fault)
{
    for (;;) {
        struct unpack_step step = {.in = self->in + self->in_at,
                                   .in_left = self->in_left,
                                   .out = into,
                                   .out_left = room,
                                   .last = self->at_end};
        struct track_mark const mark = track_begin(self->stream.track);
        enum unpack_state const state = unpack_run(self->unpack, &step);
        track_end(self->stream.track, mark, TRACK_INFLATE, self->in_left - step.in_left);
        self->in_at += self->in_left - step.in_left;
        self->in_left = step.in_left;
        *length = room - step.out_left;
        if (*length > 0 || state == UNPACK_ENDED) return STATUS_OK; /* a defect comes again */
        if (state == UNPACK_BROKEN) return say_broken(self, unpack_defect(self->unpack), fault);
        enum status const status = fill_in(self, fault);
        if (status != STATUS_OK) return status;
    }
}

static enum status read_plain(struct source_stream *self, uint8_t *into, size_t room, size_t *length,
                              struct fault *fault)
{
    if (self->in_left == 0) return read_stored(self, into, room, length, fault);
    *length = self->in_left < room ? self->in_left : room;
    memcpy(into, self->in + self->in_at, *length);
    self->in_at += *length;
    self->in_left -= *length;
    return STATUS_OK;
}

/* What is due behind a look for text of frames. */
static enum status end_frames(struct source_stream *self, struct track_mark mark, enum status status,
                              size_t length, const struct unpack_defect *defect, struct fault *fault)
{
    uint64_t const before = self->stored;
    self->stored = source_frames_stored(self->frames);
    track_end(self->stream.track, mark, TRACK_INFLATE, self->stored - before); /* others did, it waited */
    if (defect->kind != UNPACK_FINE) return say_broken(self, defect, fault);
    bool const is_end = status == STATUS_OK && length == 0;
    return is_end && self->object != NULL ? self->remote->check(self->object, fault) : status;
}

static enum status read_frames(struct source_stream *self, uint8_t *into, size_t room, size_t *length,
                               struct fault *fault)
{
    struct unpack_defect defect = {.kind = UNPACK_FINE};
    struct track_mark const mark = track_begin(self->stream.track);
    enum status const status =
        source_frames_read(self->frames, &self->stream, into, room, length, &defect, fault);
    return end_frames(self, mark, status, *length, &defect, fault);
}

static enum status read_text(struct source_stream *self, uint8_t *into, size_t room, size_t *length,
                             struct fault *fault)
{
    if (self->frames != NULL) return read_frames(self, into, room, length, fault);
    return self->unpack != NULL ? read_compressed(self, into, room, length, fault)
                                : read_plain(self, into, room, length, fault);
}

/* ---- the head of standard input ---- */

static enum status make_unpack(struct source_stream *self, struct fault *fault)
{
    if (self->form == UNPACK_PLAIN) return STATUS_OK;
    self->unpack = unpack_create(self->form, self->window_log_max);
    return self->unpack != NULL ? STATUS_OK
                                : fault_set(fault, STATUS_IO, "%s: no memory to decompress it", self->path);
}

static enum status find_form(struct source_stream *self, struct fault *fault)
{
    enum status const status = fill_in(self, fault);
    if (status != STATUS_OK) return status;
    self->form = source_head_form(self->in, self->in_left, self->at_end);
    return make_unpack(self, fault);
}

/* Reads the first bytes of the text and judges them. A failure comes again when they are used up. */
static enum status look_at_head(struct source_stream *self, struct fault *fault)
{
    self->looked = true;
    self->head = malloc(SOURCE_HEAD_BYTES);
    if (self->head == NULL) return fault_set(fault, STATUS_IO, "%s: no memory to look at it", self->path);
    enum status status = find_form(self, fault);
    if (status != STATUS_OK) return status;
    bool ended = false;
    while (status == STATUS_OK && !ended && self->head_left < SOURCE_HEAD_BYTES) {
        size_t length = 0;
        status =
            read_text(self, self->head + self->head_left, SOURCE_HEAD_BYTES - self->head_left, &length, NULL);
        self->head_left += length;
        ended = status == STATUS_OK && length == 0;
    }
    struct source_head const head = {
        .bytes = self->head, .length = self->head_left, .whole = ended, .choice = self->format};
    const char *const refusal = source_head_judge(&head, &self->records);
    if (refusal == NULL && self->records.kind != FORM_NDJSON) self->stream.form = &self->records;
    if (refusal == NULL) return STATUS_OK;
    if (self->form == UNPACK_PLAIN) return fault_set(fault, STATUS_INPUT, "%s: %s", self->path, refusal);
    return fault_set(fault, STATUS_INPUT, "%s (%s): %s", self->path, unpack_form_name(self->form), refusal);
}

/* ---- the port ---- */

static enum status stream_read(struct stream *stream, uint8_t *into, size_t room, size_t *length,
                               struct fault *fault)
{
    struct source_stream *const self = stream->self;
    if (is_stopped(self)) return say_stopped(self, fault); /* a small file may stand for an endless line */
    if (!self->looked) {
        enum status const status = look_at_head(self, fault);
        if (status != STATUS_OK) return status;
    }
    if (self->head_left == 0) return read_text(self, into, room, length, fault);
    *length = self->head_left < room ? self->head_left : room;
    memcpy(into, self->head + self->head_at, *length);
    self->head_at += *length;
    self->head_left -= *length;
    return STATUS_OK;
}

static enum status stream_swap(struct stream *stream, uint8_t **memory, size_t *begin, size_t *length,
                               struct fault *fault)
{
    struct source_stream *const self = stream->self;
    struct unpack_defect defect = {.kind = UNPACK_FINE};
    if (is_stopped(self)) return say_stopped(self, fault);
    struct track_mark const mark = track_begin(stream->track);
    enum status const status =
        source_frames_swap(self->frames, stream, memory, begin, length, &defect, fault);
    return end_frames(self, mark, status, *length, &defect, fault);
}

static enum status open_standard_input(struct source_stream *self, struct fault *fault)
{
    struct stat about;
    self->descriptor = STDIN_FILENO;
    if (fstat(STDIN_FILENO, &about) != 0)
        return fault_set(fault, STATUS_NO_SOURCE, "%s: standard input can't be read: %s", self->path,
                         strerror(errno));
    self->is_file = S_ISREG(about.st_mode);
    self->before = source_stamp_of(&about);
    return STATUS_OK;
}

/* Where it can't be done, the file or object is read by one. */
static void start_frames(struct source_stream *self, struct source *source)
{
    struct source_frames_rules const rules = {.source = source,
                                              .decoders = self->share.decoders,
                                              .pieces = self->share.pieces,
                                              .piece_bytes = self->share.piece_bytes,
                                              .lead = self->share.piece_bytes / SOURCE_FRAMES_LEAD_SHARE,
                                              .run_bytes = SOURCE_FRAMES_RUN_BYTES,
                                              .walk_max = self->share.walk_max,
                                              .tracks = self->share.tracks,
                                              .window_log_max = self->window_log_max};
    self->frames = source_frames_start(&rules);
    if (self->frames == NULL || !self->share.swaps) return;
    self->stream.swap_bytes = rules.piece_bytes;
    self->stream.swap_lead = rules.lead;
}

static bool is_shared(const struct source_stream *self)
{
    return self->share.decoders > 1 && self->form == UNPACK_ZSTD;
}

/* The file that is open, and no other one of its name. */
static void share_file(struct source_stream *self, const struct stat *about)
{
    int const descriptor = fcntl(self->descriptor, F_DUPFD_CLOEXEC, 0);
    if (descriptor < 0) return;
    self->shared = source_file_adopt(self->path, descriptor, about, SOURCE_MODE_READ, NULL);
    if (self->shared != NULL) start_frames(self, self->shared);
}

static enum status open_file(struct source_stream *self, struct fault *fault)
{
    struct stat about;
    self->descriptor = source_file_descriptor(self->path, &about, fault);
    if (self->descriptor < 0) return fault->status;
    (void)posix_fadvise(self->descriptor, 0, 0, POSIX_FADV_SEQUENTIAL); /* a hint: reads work without it */
    struct source_stamp const now = source_stamp_of(&about);
    enum status const status = source_stamp_check(self->path, &self->before, &now, fault);
    if (status != STATUS_OK) return status;
    if (is_shared(self)) share_file(self, &about);
    return self->frames != NULL ? STATUS_OK : make_unpack(self, fault);
}

static enum status open_object(struct source_stream *self, struct fault *fault)
{
    if (self->bytes != NULL) {
        enum status const status = self->bytes->open(self->bytes, fault);
        return status == STATUS_OK ? make_unpack(self, fault) : status;
    }
    self->reader = self->object->open_reader(self->object, SOURCE_STREAM_STEP);
    if (self->reader == NULL) return fault_set(fault, STATUS_IO, "%s: no memory to read it", self->path);
    if (is_shared(self)) start_frames(self, self->object);
    return self->frames != NULL ? STATUS_OK : make_unpack(self, fault);
}

static enum status stream_open(struct stream *stream, struct fault *fault)
{
    struct source_stream *const self = stream->self;
    self->was_open = true;
    self->stream.damaged = self->at_end = false;
    self->stream.swap_bytes = 0;
    self->in_at = self->in_left = self->head_at = self->head_left = 0;
    self->stored = 0;
    self->in = malloc(SOURCE_STREAM_STEP);
    if (self->in == NULL) return fault_set(fault, STATUS_IO, "%s: no memory to read it", self->path);
    if (self->bytes != NULL || self->object != NULL) return open_object(self, fault);
    return self->is_standard_input ? open_standard_input(self, fault) : open_file(self, fault);
}

static void stream_close(struct stream *stream)
{
    struct source_stream *const self = stream->self;
    struct stat about;
    self->after = self->before;
    if (self->is_file && self->descriptor >= 0 && fstat(self->descriptor, &about) == 0)
        self->after = source_stamp_of(&about);
    if (self->bytes != NULL) self->bytes->close(self->bytes);
    source_frames_stop(self->frames); /* its decoders read from: */
    source_file_close(self->shared);
    if (self->reader != NULL) self->object->close_reader(self->reader);
    self->frames = NULL;
    self->shared = NULL;
    self->reader = NULL;
    if (!self->is_standard_input && self->descriptor >= 0) (void)close(self->descriptor);
    self->descriptor = -1;
    unpack_destroy(self->unpack);
    self->unpack = NULL;
    free(self->in);
    self->in = NULL;
    free(self->head);
    self->head = NULL;
}

/* ---- the source ---- */

struct source *source_stream_create(const struct source_stream_rules *rules, struct fault *fault)
{
    struct source_stream *const self = calloc(1, sizeof *self);
    char *const path = strdup(rules->path);
    if (self == NULL || path == NULL) {
        free(self);
        free(path);
        fault_set(fault, STATUS_IO, "%s: no memory to open it", rules->path);
        return NULL;
    }
    *self = (struct source_stream){.path = path,
                                   .bytes = rules->bytes,
                                   .object = rules->object,
                                   .remote = rules->remote,
                                   .form = rules->form,
                                   .before = rules->stamp,
                                   .after = rules->stamp,
                                   .window_log_max = rules->window_log_max,
                                   .format = rules->format,
                                   .is_standard_input = rules->is_standard_input,
                                   .is_file = !rules->is_standard_input && rules->bytes == NULL &&
                                              rules->object == NULL,
                                   .looked = !rules->is_standard_input,
                                   .descriptor = -1};
    self->stream = (struct stream){.self = self,
                                   .name = path,
                                   .open = stream_open,
                                   .read = stream_read,
                                   .swap = stream_swap,
                                   .close = stream_close,
                                   .form = rules->records};
    self->port = (struct source){.self = self, .name = path, .stream = &self->stream};
    return &self->port;
}

void source_stream_destroy(struct source *source)
{
    if (source == NULL) return;
    struct source_stream *const self = source->self;
    if (self->bytes != NULL) self->bytes->destroy(self->bytes);
    if (self->object != NULL) self->remote->close(self->object);
    free(self->path);
    free(self);
}

void source_stream_allow_window(struct source *source, unsigned window_log_max)
{
    ((struct source_stream *)source->self)->window_log_max = window_log_max;
}

void source_stream_share(struct source *source, const struct source_stream_share *share)
{
    ((struct source_stream *)source->self)->share = *share;
}

enum status source_stream_check(const struct source *source, struct fault *fault)
{
    const struct source_stream *const self = source->self;
    return self->was_open ? source_stamp_check(self->path, &self->before, &self->after, fault) : STATUS_OK;
}

uint64_t source_stream_stored(const struct source *source)
{
    return ((const struct source_stream *)source->self)->stored;
}

enum unpack_form source_stream_form(const struct source *source)
{
    return ((const struct source_stream *)source->self)->form;
}

uint64_t source_stream_memory(enum unpack_form form, unsigned window_log_max)
{
    uint64_t const decoder = form == UNPACK_PLAIN ? 0 : unpack_memory(form, window_log_max);
    return sizeof(struct source_stream) + SOURCE_STREAM_STEP + SOURCE_HEAD_BYTES + decoder;
}
