/* source_stream.c - see the header. Thread: whoever reads the stream now. Owns the stored bytes' place, and
 * while open the decoder, or the decoders of frames, and the front. */
#include "io/input/source_stream.h"

#include "core/flow/track.h"
#include "io/input/source_frames.h"
#include "io/input/source_front.h"
#include "io/input/source_stored.h"

#include <stdlib.h>
#include <string.h>

struct source_stream {
    struct source port;
    struct stream stream;
    char *path;
    struct source_stored stored; /* where the bytes come from */
    enum unpack_form form;
    unsigned window_log_max;
    struct source_stream_share share; /* zeroed: frames are decompressed by one */
    enum form_choice format;
    struct form records; /* of standard input, once it was looked at */
    bool was_open;

    /* while open */
    struct unpack *unpack; /* NULL: plain, or: */
    struct source_frames *frames;
    struct source_front front; /* of standard input: text that was looked at and not read */
    bool looked;               /* at it; true for files, whose head the list looked at */
};

/* ---- text ---- */

static enum status say_broken(struct source_stream *self, const struct unpack_defect *defect,
                              struct fault *fault)
{
    char text[UNPACK_DEFECT_TEXT];
    if (source_stored_check_now(&self->stored, fault) != STATUS_OK) return STATUS_IO;
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
    struct source_stored *const stored = &self->stored;
    for (;;) {
        struct unpack_step step = {.in = stored->in + stored->in_at,
                                   .in_left = stored->in_left,
                                   .out = into,
                                   .out_left = room,
                                   .last = stored->at_end};
        struct track_mark const mark = track_begin(self->stream.track);
        enum unpack_state const state = unpack_run(self->unpack, &step);
        track_end(self->stream.track, mark, TRACK_INFLATE, stored->in_left - step.in_left);
        stored->in_at += stored->in_left - step.in_left;
        stored->in_left = step.in_left;
        *length = room - step.out_left;
        if (*length > 0 || state == UNPACK_ENDED) return STATUS_OK; /* a defect comes again */
        if (state == UNPACK_BROKEN) return say_broken(self, unpack_defect(self->unpack), fault);
        enum status const status = source_stored_fill(stored, &self->stream, fault);
        if (status != STATUS_OK) return status;
    }
}

/* What is due behind a look for text of frames. */
static enum status end_frames(struct source_stream *self, struct track_mark mark, enum status status,
                              size_t length, const struct unpack_defect *defect, struct fault *fault)
{
    uint64_t const before = self->stored.count;
    self->stored.count = source_frames_stored(self->frames);
    /* Others did, it waited. */
    track_end(self->stream.track, mark, TRACK_INFLATE, self->stored.count - before);
    if (defect->kind != UNPACK_FINE) return say_broken(self, defect, fault);
    bool const is_end = status == STATUS_OK && length == 0;
    return is_end ? source_stored_check_whole(&self->stored, fault) : status;
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
                                : source_stored_read(&self->stored, &self->stream, into, room, length, fault);
}

/* ---- the front of standard input ---- */

static enum status make_unpack(struct source_stream *self, struct fault *fault)
{
    if (self->form == UNPACK_PLAIN) return STATUS_OK;
    self->unpack = unpack_create(self->form, self->window_log_max);
    return self->unpack != NULL ? STATUS_OK
                                : fault_set(fault, STATUS_IO, "%s: no memory to decompress it", self->path);
}

static enum status find_form(struct source_stream *self, struct fault *fault)
{
    struct source_stored *const stored = &self->stored;
    enum status const status = source_stored_fill(stored, &self->stream, fault);
    if (status != STATUS_OK) return status;
    self->form = source_head_form(stored->in, stored->in_left, stored->at_end);
    return make_unpack(self, fault);
}

static enum status read_front(void *context, uint8_t *into, size_t room, size_t *length)
{
    return read_text(context, into, room, length, NULL);
}

/* Reads the first bytes of the text and judges them. A failure comes again when they are used up. */
static enum status look_at_front(struct source_stream *self, struct fault *fault)
{
    struct source_front_port const port = {.context = self, .read = read_front};
    const char *refusal;
    self->looked = true;
    enum status const status = find_form(self, fault);
    if (status != STATUS_OK) return status;
    if (source_front_look(&self->front, &port, self->format, &self->records, &refusal) != STATUS_OK)
        return fault_set(fault, STATUS_IO, "%s: no memory to look at it", self->path);
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
    /* A small file may stand for an endless line. */
    if (stream_is_stopped(stream)) return source_stored_say_stopped(&self->stored, fault);
    if (!self->looked) {
        enum status const status = look_at_front(self, fault);
        if (status != STATUS_OK) return status;
    }
    *length = source_front_read(&self->front, into, room);
    return *length != 0 ? STATUS_OK : read_text(self, into, room, length, fault);
}

static enum status stream_swap(struct stream *stream, uint8_t **memory, size_t *begin, size_t *length,
                               struct fault *fault)
{
    struct source_stream *const self = stream->self;
    struct unpack_defect defect = {.kind = UNPACK_FINE};
    if (stream_is_stopped(stream)) return source_stored_say_stopped(&self->stored, fault);
    struct track_mark const mark = track_begin(stream->track);
    enum status const status =
        source_frames_swap(self->frames, stream, memory, begin, length, &defect, fault);
    return end_frames(self, mark, status, *length, &defect, fault);
}

/* Where it can't be done, the file or object is read by one. */
static void start_frames(struct source_stream *self)
{
    struct source *const source = source_stored_anywhere(&self->stored);
    if (source == NULL) return;
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

static enum status stream_open(struct stream *stream, struct fault *fault)
{
    struct source_stream *const self = stream->self;
    self->was_open = true;
    stream->damaged = false;
    stream->swap_bytes = 0;
    enum status const status = source_stored_open(&self->stored, is_shared(self), fault);
    if (status != STATUS_OK || self->stored.is_standard_input) return status;
    if (is_shared(self)) start_frames(self);
    return self->frames != NULL ? STATUS_OK : make_unpack(self, fault);
}

static void stream_close(struct stream *stream)
{
    struct source_stream *const self = stream->self;
    source_frames_stop(self->frames); /* its decoders read from: */
    self->frames = NULL;
    source_stored_close(&self->stored);
    unpack_destroy(self->unpack);
    self->unpack = NULL;
    source_front_free(&self->front);
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
                                   .form = rules->form,
                                   .window_log_max = rules->window_log_max,
                                   .format = rules->format,
                                   .looked = !rules->is_standard_input};
    self->stored = (struct source_stored){.path = path,
                                          .bytes = rules->bytes,
                                          .object = rules->object,
                                          .remote = rules->remote,
                                          .is_standard_input = rules->is_standard_input,
                                          .is_file = !rules->is_standard_input && rules->bytes == NULL &&
                                                     rules->object == NULL,
                                          .before = rules->stamp,
                                          .after = rules->stamp,
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
    source_stored_destroy(&self->stored);
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
    return self->was_open ? source_stored_check(&self->stored, fault) : STATUS_OK;
}

uint64_t source_stream_stored(const struct source *source)
{
    return ((const struct source_stream *)source->self)->stored.count;
}

enum unpack_form source_stream_form(const struct source *source)
{
    return ((const struct source_stream *)source->self)->form;
}

uint64_t source_stream_memory(enum unpack_form form, unsigned window_log_max)
{
    uint64_t const decoder = form == UNPACK_PLAIN ? 0 : unpack_memory(form, window_log_max);
    return sizeof(struct source_stream) + SOURCE_STORED_STEP + decoder;
}
