/* source_frames.c - see the header: the reader's side, and the begin and end of all. The decoders' side is
 * source_decoder.c. Threads: the reader's. Owns the hall with its pieces and slots, and the decoders. */
#include "io/input/source_frames.h"

#include "core/flow/track.h"
#include "io/input/source_decoder.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How often a read that waits asks whether the run is being stopped. */
#define LOOK_NANOSECONDS 50000000

struct source_frames {
    struct source_hall hall;
    struct source_piece_queue taken; /* pieces that the reader has out of a run */
    size_t taken_at;                 /* what it has read of the first one */
    struct source_decoder decoders[];
};

/* ---- reading ---- */

static struct source_slot *find_run(struct source_frames *frames, uint64_t number)
{
    for (uint32_t i = 0; i < source_decoder_slots(&frames->hall); i++)
        if (frames->hall.slots[i].state != SOURCE_SLOT_EMPTY && frames->hall.slots[i].number == number)
            return &frames->hall.slots[i];
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
    pthread_cond_timedwait(&frames->hall.arrived, &frames->hall.mutex, &until);
    if (!stream_is_stopped(stream)) return STATUS_OK;
    return fault_set(fault, STATUS_IO, "%s: reading it was stopped", frames->hall.rules.source->name);
}

/* The run is through, and the next one is read. */
static void pass(struct source_frames *frames, struct source_slot *slot)
{
    slot->state = SOURCE_SLOT_EMPTY;
    frames->hall.current++;
    pthread_cond_broadcast(&frames->hall.freed);
}

/* Waits until the run that is read has `want` bytes or as many as it can, is broken, or all runs are through
 * (*slot is NULL then). */
static enum status wait_for_text(struct source_frames *frames, const struct stream *stream, size_t want,
                                 struct source_slot **slot, struct fault *fault)
{
    for (;;) {
        struct source_slot *const run = *slot = find_run(frames, frames->hall.current);
        if (run == NULL && frames->hall.all_claimed && frames->hall.current == frames->hall.claimed)
            return STATUS_OK;
        bool const goes_on = run == NULL || (run->state == SOURCE_SLOT_FILLING && !run->starves);
        bool const has_text = run != NULL && run->text.bytes > 0;
        if (has_text && (!goes_on || run->text.bytes >= want)) return STATUS_OK;
        if (run != NULL && (run->state == SOURCE_SLOT_BROKEN || run->state == SOURCE_SLOT_UNREAD))
            return STATUS_OK;
        if (run != NULL && run->state == SOURCE_SLOT_ENDED) {
            pass(frames, run);
            continue;
        }
        enum status const status = wait_for_change(frames, stream, fault);
        if (status != STATUS_OK) return status;
    }
}

/* Takes pieces of `want` bytes out of the run that is read, or what it has. */
static enum status take_text(struct source_frames *frames, const struct stream *stream, size_t want,
                             struct unpack_defect *defect, struct fault *fault)
{
    struct source_slot *slot = NULL;
    pthread_mutex_lock(&frames->hall.mutex);
    enum status const status = wait_for_text(frames, stream, want, &slot, fault);
    while (status == STATUS_OK && slot != NULL && slot->text.bytes > 0 && frames->taken.bytes < want)
        source_piece_push(&frames->taken, source_piece_pop(&slot->text));
    pthread_mutex_unlock(&frames->hall.mutex);
    if (status != STATUS_OK || slot == NULL || frames->taken.bytes > 0) return status;
    if (slot->state == SOURCE_SLOT_UNREAD)
        return fault_set(fault, slot->fault.status, "%s", slot->fault.message);
    *defect = slot->defect;
    return STATUS_IO;
}

/* Copies out of the pieces that were taken, and moves those that were read to `read`. */
static size_t copy_text(struct source_frames *frames, uint8_t *into, size_t room,
                        struct source_piece_queue *read)
{
    size_t copied = 0;
    while (copied < room && frames->taken.first != NULL) {
        const struct source_piece *const piece = frames->taken.first;
        size_t const left = piece->length - frames->taken_at;
        size_t const length = left < room - copied ? left : room - copied;
        memcpy(into + copied, piece->memory + frames->hall.pieces.lead + frames->taken_at, length);
        copied += length;
        frames->taken_at += length;
        if (length < left) break;
        frames->taken_at = 0;
        source_piece_push(read, source_piece_pop(&frames->taken));
    }
    return copied;
}

static void give_back(struct source_frames *frames, struct source_piece_queue *read)
{
    pthread_mutex_lock(&frames->hall.mutex);
    source_pieces_give_all(&frames->hall.pieces, read);
    pthread_cond_broadcast(&frames->hall.freed);
    pthread_mutex_unlock(&frames->hall.mutex);
}

enum status source_frames_read(struct source_frames *frames, const struct stream *stream, uint8_t *into,
                               size_t room, size_t *length, struct unpack_defect *defect, struct fault *fault)
{
    struct source_piece_queue read = {.bytes = 0};
    *length = 0;
    if (frames->taken.first ==
        NULL) { /* else nothing is waited for: the pieces may be what a run waits for */
        enum status const status = take_text(frames, stream, room, defect, fault);
        if (status != STATUS_OK) return status;
    }
    *length = copy_text(frames, into, room, &read);
    if (read.first != NULL) give_back(frames, &read);
    return STATUS_OK;
}

enum status source_frames_swap(struct source_frames *frames, const struct stream *stream, uint8_t **memory,
                               size_t *begin, size_t *length, struct unpack_defect *defect,
                               struct fault *fault)
{
    struct source_piece_queue read = {.bytes = 0};
    *length = 0;
    if (frames->taken.first == NULL) {
        enum status const status = take_text(frames, stream, 1, defect, fault);
        if (status != STATUS_OK || frames->taken.first == NULL) return status;
    }
    struct source_piece *const piece = source_piece_pop(&frames->taken);
    *begin = frames->hall.pieces.lead + frames->taken_at;
    *length = piece->length - frames->taken_at;
    frames->taken_at = 0;
    uint8_t *const text = piece->memory;
    piece->memory = *memory;
    *memory = text;
    source_piece_push(&read, piece);
    give_back(frames, &read);
    return STATUS_OK;
}

uint64_t source_frames_stored(struct source_frames *frames)
{
    pthread_mutex_lock(&frames->hall.mutex);
    uint64_t const stored = frames->hall.stored;
    pthread_mutex_unlock(&frames->hall.mutex);
    return stored;
}

/* ---- start and end ---- */

uint64_t source_frames_memory(uint32_t decoders, unsigned window_log_max)
{
    uint64_t const decoder = source_decoder_memory(window_log_max);
    return sizeof(struct source_frames) +
           decoders * (decoder + SOURCE_FRAMES_SLOTS * sizeof(struct source_slot));
}

size_t source_frames_pieces(uint32_t decoders, size_t piece_bytes, uint64_t bytes)
{
    size_t const count = source_pieces_fit(bytes, piece_bytes);
    size_t const least = (size_t)decoders * (size_t)SOURCE_FRAMES_TEXT_MIN / piece_bytes;
    size_t const most = (size_t)decoders * (size_t)SOURCE_FRAMES_TEXT_MAX / piece_bytes;
    if (count < least) return 0;
    return count < most ? count : most;
}

static bool make_locks(struct source_hall *hall)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) return false;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    bool const good = pthread_cond_init(&hall->arrived, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (!good) return false;
    pthread_cond_init(&hall->freed, NULL); /* these can't fail: default attributes */
    pthread_mutex_init(&hall->mutex, NULL);
    pthread_mutex_init(&hall->claiming, NULL);
    return true;
}

static bool make_slots(struct source_hall *hall)
{
    const struct source_frames_rules *const rules = &hall->rules;
    hall->slots = calloc(source_decoder_slots(hall), sizeof *hall->slots);
    return hall->slots != NULL &&
           source_pieces_create(&hall->pieces, rules->pieces, rules->piece_bytes, rules->lead);
}

struct source_frames *source_frames_start(const struct source_frames_rules *rules)
{
    struct source_frames *const frames =
        calloc(1, sizeof *frames + rules->decoders * sizeof *frames->decoders);
    if (frames == NULL) return NULL;
    frames->hall.rules = *rules;
    frames->hall.runs = (struct source_runs){
        .source = rules->source, .run_bytes = rules->run_bytes, .walk_max = rules->walk_max};
    frames->hall.runs.reader = rules->source->open_reader(rules->source, SOURCE_RUNS_WINDOW);
    if (frames->hall.runs.reader == NULL || source_runs_end(&frames->hall.runs, 0) == rules->source->size ||
        !make_locks(&frames->hall)) {
        rules->source->close_reader(frames->hall.runs.reader);
        free(frames);
        return NULL;
    }
    bool good = make_slots(&frames->hall);
    for (uint32_t i = 0; i < rules->decoders && good; i++) {
        struct track *const track = rules->tracks == NULL ? NULL : &rules->tracks[i];
        good = source_decoder_start(&frames->decoders[i], &frames->hall, track);
    }
    if (good) return frames;
    source_frames_stop(frames);
    return NULL;
}

void source_frames_stop(struct source_frames *frames)
{
    if (frames == NULL) return;
    pthread_mutex_lock(&frames->hall.mutex);
    frames->hall.stopping = true;
    pthread_cond_broadcast(&frames->hall.freed);
    pthread_mutex_unlock(&frames->hall.mutex);
    for (uint32_t i = 0; i < frames->hall.rules.decoders; i++)
        source_decoder_end(&frames->decoders[i]);
    source_pieces_destroy(&frames->hall.pieces);
    free(frames->hall.slots);
    frames->hall.rules.source->close_reader(frames->hall.runs.reader);
    pthread_cond_destroy(&frames->hall.arrived);
    pthread_cond_destroy(&frames->hall.freed);
    pthread_mutex_destroy(&frames->hall.mutex);
    pthread_mutex_destroy(&frames->hall.claiming);
    free(frames);
}
