/* source_frames.c - see the header. Threads: the reader's, and the decoders that are made here. Owns slots,
 * decoders, and readers of the source.
 *
 * Two locks: `claiming` is held by the one decoder that looks for its next run, `mutex` for moments only. */
#include "io/input/source_frames.h"

#include "core/codec/zstd_frame.h"
#include "core/flow/track.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Stored bytes that a decoder reads at once, and text after which it tells how far it is. */
#define STEP_BYTES (256u * 1024)
/* How often a read that waits asks whether the run is being stopped. */
#define LOOK_NANOSECONDS 50000000
/* libzstd's needs of a thread's stack are a few KiB. */
#define STACK_BYTES (256u * 1024)

enum slot_state { SLOT_EMPTY, SLOT_FILLING, SLOT_ENDED, SLOT_BROKEN, SLOT_UNREAD };

/* A run of frames. `bytes` between `drained` and `filled` are the reader's, those behind the decoder's. */
struct slot {
    enum slot_state state;
    uint64_t number;     /* of the run */
    uint64_t begin, end; /* in the source */
    uint8_t *bytes;
    size_t filled, drained;
    struct unpack_defect defect; /* BROKEN */
    struct fault fault;          /* UNREAD */
};

struct decoder {
    struct source_frames *frames;
    struct track *track; /* NULL: none */
    struct unpack *unpack;
    struct source_reader *reader; /* windows of STEP_BYTES */
    pthread_t thread;
    bool started;
};

struct source_frames {
    struct source_frames_rules rules;
    pthread_mutex_t claiming;
    uint64_t next_begin;          /* under `claiming` */
    struct source_reader *walker; /* likewise */
    pthread_mutex_t mutex;        /* of what follows */
    pthread_cond_t changed;
    struct slot *slots;
    uint64_t claimed, current; /* runs: claimed so far, the one that is read */
    bool all_claimed, stopping;
    uint64_t stored;
    struct decoder decoders[];
};

static uint32_t slot_count(const struct source_frames *frames)
{
    return frames->rules.decoders * SOURCE_FRAMES_SLOTS;
}

/* ---- finding frames ---- */

/* What is at `at`, up to `length` bytes of it; less: the source ends there, or can't be read, which is said
 * by whoever decodes what is before it. Until the next look. */
static const uint8_t *look_at(const struct source_frames *frames, uint64_t at, size_t *length)
{
    struct source *const source = frames->rules.source;
    struct source_window window = {.length = 0};
    if (at >= source->size || source->window(frames->walker, at, *length, &window, NULL) != STATUS_OK)
        window = (struct source_window){.length = 0};
    *length = window.length;
    return window.bytes;
}

/* The end of the frame at `begin`, or 0: it is none, is not whole, or its end is too far away. */
static uint64_t find_frame_end(const struct source_frames *frames, uint64_t begin)
{
    struct zstd_frame frame;
    uint64_t const size = frames->rules.source->size;
    uint64_t whole;
    size_t length = ZSTD_FRAME_HEADER_MAX;
    const uint8_t *const head = look_at(frames, begin, &length);
    if (length == 0) return 0;
    if (zstd_frame_skippable(head, length, &whole)) return whole <= size - begin ? begin + whole : 0;
    if (!zstd_frame_read(head, length, &frame)) return 0;
    uint64_t at = begin + frame.header;
    bool is_last = false;
    while (!is_last) {
        if (at - begin > frames->rules.walk_max) return 0;
        length = ZSTD_FRAME_BLOCK_BYTES;
        const uint8_t *const block = look_at(frames, at, &length);
        if (length != ZSTD_FRAME_BLOCK_BYTES) return 0;
        at += ZSTD_FRAME_BLOCK_BYTES + zstd_frame_block(block, &is_last);
    }
    if (frame.has_checksum) at += ZSTD_FRAME_CHECKSUM_BYTES;
    return at <= size ? at : 0;
}

/* The end of a run that begins at `begin`: whole frames, up to the file's end or to where another frame
 * begins. */
static uint64_t find_run_end(const struct source_frames *frames, uint64_t begin)
{
    uint64_t const size = frames->rules.source->size;
    uint64_t end = begin;
    do {
        end = find_frame_end(frames, end);
        if (end == 0 || end == size) return size;
        size_t length = UNPACK_MAGIC_BYTES;
        const uint8_t *const magic = look_at(frames, end, &length);
        bool const is_frame = length == UNPACK_MAGIC_BYTES && unpack_recognise(magic, length) == UNPACK_ZSTD;
        if (!is_frame) return size; /* garbage is the business of whoever decodes what is before it */
    } while (end - begin < frames->rules.run_bytes);
    return end;
}

static struct slot *find_slot(struct source_frames *frames, enum slot_state state)
{
    for (uint32_t i = 0; i < slot_count(frames); i++)
        if (frames->slots[i].state == state) return &frames->slots[i];
    return NULL;
}

/* An empty slot; NULL: there is nothing more to decode. */
static struct slot *wait_for_slot(struct source_frames *frames, struct track *track)
{
    struct slot *slot = NULL;
    struct track_mark const mark = track_begin(track);
    pthread_mutex_lock(&frames->mutex);
    while (!frames->stopping && !frames->all_claimed && (slot = find_slot(frames, SLOT_EMPTY)) == NULL)
        pthread_cond_wait(&frames->changed, &frames->mutex);
    if (frames->stopping) slot = NULL;
    pthread_mutex_unlock(&frames->mutex);
    track_end(track, mark, TRACK_WAIT_READER, 0);
    return slot;
}

/* The next run, in a slot of its own; NULL: there is none. */
static struct slot *claim(struct source_frames *frames, struct track *track)
{
    struct track_mark const mark = track_begin(track);
    pthread_mutex_lock(&frames->claiming);
    struct slot *const slot = wait_for_slot(frames, track);
    if (slot != NULL) {
        uint64_t const begin = frames->next_begin, end = find_run_end(frames, begin);
        pthread_mutex_lock(&frames->mutex);
        *slot = (struct slot){.state = SLOT_FILLING,
                              .number = frames->claimed++,
                              .begin = begin,
                              .end = end,
                              .bytes = slot->bytes};
        frames->next_begin = end;
        frames->all_claimed = end == frames->rules.source->size;
        pthread_mutex_unlock(&frames->mutex);
    }
    pthread_mutex_unlock(&frames->claiming);
    track_end(track, mark, TRACK_READ, 0); /* the bytes are counted where they are decoded */
    return slot;
}

/* ---- decoding ---- */

/* Tells how far the slot is. */
static void publish(struct source_frames *frames, struct slot *slot, size_t more, enum slot_state state)
{
    pthread_mutex_lock(&frames->mutex);
    slot->filled += more;
    slot->state = state;
    pthread_cond_broadcast(&frames->changed);
    pthread_mutex_unlock(&frames->mutex);
}

/* Room for a step of text, when the reader has made some; 0: the run is being stopped. */
static size_t wait_for_room(struct decoder *decoder, struct slot *slot)
{
    struct source_frames *const frames = decoder->frames;
    size_t const capacity = frames->rules.slot_bytes;
    struct track_mark const mark = track_begin(decoder->track);
    pthread_mutex_lock(&frames->mutex);
    bool const is_full = slot->filled == capacity && slot->drained != slot->filled;
    while (!frames->stopping && slot->filled == capacity && slot->drained != slot->filled)
        pthread_cond_wait(&frames->changed, &frames->mutex);
    if (slot->filled == capacity) slot->filled = slot->drained = 0;
    size_t const room = frames->stopping ? 0 : capacity - slot->filled;
    pthread_mutex_unlock(&frames->mutex);
    if (is_full) track_end(decoder->track, mark, TRACK_WAIT_READER, 0);
    return room < STEP_BYTES ? room : STEP_BYTES;
}

/* More stored bytes of the run from `at` on. False: the slot says why not. */
static bool read_stored(struct decoder *decoder, struct slot *slot, uint64_t at, struct source_window *window)
{
    struct source_frames *const frames = decoder->frames;
    uint64_t const left = slot->end - at;
    size_t const length = left < STEP_BYTES ? (size_t)left : STEP_BYTES;
    struct track_mark const mark = track_begin(decoder->track);
    *window = (struct source_window){.length = 0};
    enum status const status =
        frames->rules.source->window(decoder->reader, at, length, window, &slot->fault);
    track_end(decoder->track, mark, TRACK_READ, window->length);
    if (status != STATUS_OK) return false;
    pthread_mutex_lock(&frames->mutex);
    frames->stored += window->length;
    pthread_mutex_unlock(&frames->mutex);
    return true;
}

static void decode(struct decoder *decoder, struct slot *slot)
{
    struct source_frames *const frames = decoder->frames;
    struct unpack_step step = {.in = NULL};
    uint64_t at = slot->begin;
    size_t room;
    unpack_restart(decoder->unpack);
    while ((room = wait_for_room(decoder, slot)) != 0) {
        if (step.in_left == 0 && !step.last) {
            struct source_window window;
            if (!read_stored(decoder, slot, at, &window)) {
                publish(frames, slot, 0, SLOT_UNREAD);
                return;
            }
            step.in = window.bytes;
            step.in_left = window.length;
            at += window.length;
            step.last = window.length == 0 || at == slot->end;
        }
        step.out = slot->bytes + slot->filled;
        step.out_left = room;
        size_t const before = step.in_left;
        struct track_mark const mark = track_begin(decoder->track);
        enum unpack_state const state = unpack_run(decoder->unpack, &step);
        track_end(decoder->track, mark, TRACK_INFLATE, before - step.in_left);
        enum slot_state const next = state == UNPACK_GOES_ON ? SLOT_FILLING
                                     : state == UNPACK_ENDED ? SLOT_ENDED
                                                             : SLOT_BROKEN;
        if (next == SLOT_BROKEN) {
            slot->defect = *unpack_defect(decoder->unpack);
            slot->defect.offset += slot->begin;
            slot->defect.member += slot->begin;
        }
        publish(frames, slot, room - step.out_left, next);
        if (next != SLOT_FILLING) return;
    }
}

static void *decoder_main(void *argument)
{
    struct decoder *const decoder = argument;
    for (struct slot *slot; (slot = claim(decoder->frames, decoder->track)) != NULL;)
        decode(decoder, slot);
    return NULL;
}

/* ---- reading ---- */

static struct slot *find_run(struct source_frames *frames, uint64_t number)
{
    for (uint32_t i = 0; i < slot_count(frames); i++)
        if (frames->slots[i].state != SLOT_EMPTY && frames->slots[i].number == number)
            return &frames->slots[i];
    return NULL;
}

/* Sleeps until something changed; STATUS_IO: the run is being stopped. */
static enum status wait_for_change(struct source_frames *frames, const struct stream *stream,
                                   struct fault *fault)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_NANOSECONDS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&frames->changed, &frames->mutex, &until);
    if (stream->stopped == NULL || !stream->stopped(stream->stopped_context)) return STATUS_OK;
    return fault_set(fault, STATUS_IO, "%s: reading it was stopped", frames->rules.source->name);
}

/* Waits until the run that is read has bytes, is broken, or all runs are through (*slot is NULL then). */
static enum status wait_for_text(struct source_frames *frames, const struct stream *stream,
                                 struct slot **slot, struct fault *fault)
{
    for (;;) {
        *slot = find_run(frames, frames->current);
        if (*slot == NULL && frames->all_claimed && frames->current == frames->claimed) return STATUS_OK;
        if (*slot != NULL && (*slot)->drained < (*slot)->filled) return STATUS_OK;
        if (*slot != NULL && ((*slot)->state == SLOT_BROKEN || (*slot)->state == SLOT_UNREAD))
            return STATUS_OK;
        if (*slot != NULL && (*slot)->state == SLOT_ENDED) {
            (*slot)->state = SLOT_EMPTY;
            frames->current++;
            pthread_cond_broadcast(&frames->changed);
            continue;
        }
        enum status const status = wait_for_change(frames, stream, fault);
        if (status != STATUS_OK) return status;
    }
}

enum status source_frames_read(struct source_frames *frames, const struct stream *stream, uint8_t *into,
                               size_t room, size_t *length, struct unpack_defect *defect, struct fault *fault)
{
    struct slot *slot = NULL;
    *length = 0;
    pthread_mutex_lock(&frames->mutex);
    enum status const status = wait_for_text(frames, stream, &slot, fault);
    size_t const there = status == STATUS_OK && slot != NULL ? slot->filled - slot->drained : 0;
    pthread_mutex_unlock(&frames->mutex);
    if (status != STATUS_OK || slot == NULL) return status;
    if (there == 0) {
        if (slot->state == SLOT_UNREAD)
            return fault_set(fault, slot->fault.status, "%s", slot->fault.message);
        *defect = slot->defect;
        return STATUS_IO;
    }
    *length = there < room ? there : room;
    memcpy(into, slot->bytes + slot->drained, *length);
    pthread_mutex_lock(&frames->mutex);
    slot->drained += *length;
    if (slot->drained == slot->filled) pthread_cond_broadcast(&frames->changed);
    pthread_mutex_unlock(&frames->mutex);
    return STATUS_OK;
}

uint64_t source_frames_stored(struct source_frames *frames)
{
    pthread_mutex_lock(&frames->mutex);
    uint64_t const stored = frames->stored;
    pthread_mutex_unlock(&frames->mutex);
    return stored;
}

/* ---- start and end ---- */

uint64_t source_frames_memory(uint32_t decoders, size_t slot_bytes, unsigned window_log_max)
{
    uint64_t const decoder =
        sizeof(struct decoder) + STEP_BYTES + STACK_BYTES + unpack_memory(UNPACK_ZSTD, window_log_max);
    return sizeof(struct source_frames) +
           decoders * (decoder + SOURCE_FRAMES_SLOTS * (uint64_t)(slot_bytes + sizeof(struct slot)));
}

static bool make_locks(struct source_frames *frames)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) return false;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    bool const good = pthread_cond_init(&frames->changed, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (!good) return false;
    pthread_mutex_init(&frames->mutex, NULL); /* both can't fail: default attributes */
    pthread_mutex_init(&frames->claiming, NULL);
    return true;
}

static bool start_decoder(struct source_frames *frames, struct decoder *decoder)
{
    pthread_attr_t attributes;
    decoder->frames = frames;
    decoder->unpack = unpack_create(UNPACK_ZSTD, frames->rules.window_log_max);
    decoder->reader = frames->rules.source->open_reader(frames->rules.source, STEP_BYTES);
    if (decoder->unpack == NULL || decoder->reader == NULL || pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    decoder->started = pthread_create(&decoder->thread, &attributes, decoder_main, decoder) == 0;
    pthread_attr_destroy(&attributes);
    return decoder->started;
}

static bool make_slots(struct source_frames *frames)
{
    frames->slots = calloc(slot_count(frames), sizeof *frames->slots);
    if (frames->slots == NULL) return false;
    for (uint32_t i = 0; i < slot_count(frames); i++) {
        frames->slots[i].bytes = malloc(frames->rules.slot_bytes);
        if (frames->slots[i].bytes == NULL) return false;
    }
    return true;
}

struct source_frames *source_frames_start(const struct source_frames_rules *rules)
{
    struct source_frames *const frames =
        calloc(1, sizeof *frames + rules->decoders * sizeof *frames->decoders);
    if (frames == NULL) return NULL;
    frames->rules = *rules;
    frames->walker = rules->source->open_reader(rules->source, ZSTD_FRAME_HEADER_MAX);
    if (frames->walker == NULL || find_run_end(frames, 0) == rules->source->size || !make_locks(frames)) {
        rules->source->close_reader(frames->walker);
        free(frames);
        return NULL;
    }
    bool good = make_slots(frames);
    for (uint32_t i = 0; i < rules->decoders && good; i++) {
        frames->decoders[i].track = rules->tracks == NULL ? NULL : &rules->tracks[i];
        good = start_decoder(frames, &frames->decoders[i]);
    }
    if (good) return frames;
    source_frames_stop(frames);
    return NULL;
}

void source_frames_stop(struct source_frames *frames)
{
    if (frames == NULL) return;
    pthread_mutex_lock(&frames->mutex);
    frames->stopping = true;
    pthread_cond_broadcast(&frames->changed);
    pthread_mutex_unlock(&frames->mutex);
    for (uint32_t i = 0; i < frames->rules.decoders; i++) {
        struct decoder *const decoder = &frames->decoders[i];
        if (decoder->started) pthread_join(decoder->thread, NULL);
        unpack_destroy(decoder->unpack);
        frames->rules.source->close_reader(decoder->reader);
    }
    for (uint32_t i = 0; frames->slots != NULL && i < slot_count(frames); i++)
        free(frames->slots[i].bytes);
    free(frames->slots);
    frames->rules.source->close_reader(frames->walker);
    pthread_cond_destroy(&frames->changed);
    pthread_mutex_destroy(&frames->mutex);
    pthread_mutex_destroy(&frames->claiming);
    free(frames);
}
