/* source_frames.c - see the header. Threads: the reader's, and the decoders that are made here. Owns runs,
 * pieces, decoders, and readers of the source.
 *
 * Two locks: `claiming` is held by the one decoder that looks for its next run, `mutex` for moments only. */
#include "io/input/source_frames.h"

#include "core/flow/track.h"
#include "io/input/source_pieces.h"
#include "io/input/source_runs.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Stored bytes that a decoder reads at once. */
#define STEP_BYTES (256u * 1024)
/* How often a read that waits asks whether the run is being stopped. */
#define LOOK_NANOSECONDS 50000000
/* libzstd's needs of a thread's stack are a few KiB. */
#define STACK_BYTES (256u * 1024)

enum slot_state { SLOT_EMPTY, SLOT_FILLING, SLOT_ENDED, SLOT_BROKEN, SLOT_UNREAD };

/* A run of frames. */
struct slot {
    enum slot_state state;
    bool starves;                   /* its decoder waits for a piece */
    uint64_t number;                /* of the run */
    uint64_t begin, end;            /* in the source */
    struct source_piece_queue text; /* decoded and not read */
    struct unpack_defect defect;    /* BROKEN */
    struct fault fault;             /* UNREAD */
};

struct decoder {
    struct source_frames *frames;
    struct track *track; /* NULL: none */
    struct unpack *unpack;
    struct source_reader *reader; /* windows of STEP_BYTES */
    uint64_t at;                  /* in the source, behind what was read of the run */
    uint64_t stored;              /* bytes read that the mutex's `stored` lacks */
    struct unpack_step step;
    pthread_t thread;
    bool started;
};

struct source_frames {
    struct source_frames_rules rules;
    pthread_mutex_t claiming;
    uint64_t next_begin;             /* under `claiming` */
    struct source_runs runs;         /* likewise */
    struct source_piece_queue taken; /* the reader's: pieces it has out of a run */
    size_t taken_at;                 /* likewise: what it has read of the first one */
    pthread_mutex_t mutex;           /* of what follows */
    pthread_cond_t arrived;          /* for the reader: text, an end, or a decoder that waits for it */
    pthread_cond_t freed;            /* for decoders: pieces, slots, or another run that is read */
    struct source_pieces pieces;
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

/* ---- runs ---- */

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
        pthread_cond_wait(&frames->freed, &frames->mutex);
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
        uint64_t const begin = frames->next_begin, end = source_runs_end(&frames->runs, begin);
        pthread_mutex_lock(&frames->mutex);
        *slot = (struct slot){.state = SLOT_FILLING, .number = frames->claimed++, .begin = begin, .end = end};
        frames->next_begin = end;
        frames->all_claimed = end == frames->rules.source->size;
        pthread_mutex_unlock(&frames->mutex);
    }
    pthread_mutex_unlock(&frames->claiming);
    track_end(track, mark, TRACK_READ, 0); /* the bytes are counted where they are decoded */
    return slot;
}

/* ---- decoding ---- */

/* Runs behind the one that is read leave some pieces to it. */
static bool may_take(const struct source_frames *frames, const struct slot *slot)
{
    return frames->pieces.empty_count > (slot->number == frames->current ? 0 : SOURCE_FRAMES_RESERVE);
}

/* An empty piece; NULL: the run is being stopped. */
static struct source_piece *wait_for_piece(struct decoder *decoder, struct slot *slot)
{
    struct source_frames *const frames = decoder->frames;
    struct track_mark const mark = track_begin(decoder->track);
    pthread_mutex_lock(&frames->mutex);
    bool const waits = !may_take(frames, slot);
    while (!frames->stopping && !may_take(frames, slot)) {
        slot->starves = true;
        if (slot->number == frames->current) pthread_cond_signal(&frames->arrived);
        pthread_cond_wait(&frames->freed, &frames->mutex);
    }
    slot->starves = false;
    struct source_piece *const piece = frames->stopping ? NULL : source_pieces_take(&frames->pieces);
    pthread_mutex_unlock(&frames->mutex);
    if (waits) track_end(decoder->track, mark, TRACK_WAIT_READER, 0);
    return piece;
}

/* Gives what was decoded, and tells how far the run is. */
static void publish(struct decoder *decoder, struct slot *slot, struct source_piece *piece,
                    enum slot_state state)
{
    struct source_frames *const frames = decoder->frames;
    pthread_mutex_lock(&frames->mutex);
    if (piece->length > 0)
        source_piece_push(&slot->text, piece);
    else
        source_pieces_give(&frames->pieces, piece);
    slot->state = state;
    frames->stored += decoder->stored;
    decoder->stored = 0;
    if (slot->number == frames->current) pthread_cond_signal(&frames->arrived);
    pthread_mutex_unlock(&frames->mutex);
}

/* More stored bytes of the run. False: the slot says why not. */
static bool read_stored(struct decoder *decoder, struct slot *slot)
{
    uint64_t const left = slot->end - decoder->at;
    size_t const length = left < STEP_BYTES ? (size_t)left : STEP_BYTES;
    struct track_mark const mark = track_begin(decoder->track);
    struct source_window window = {.length = 0};
    enum status const status =
        decoder->frames->rules.source->window(decoder->reader, decoder->at, length, &window, &slot->fault);
    track_end(decoder->track, mark, TRACK_READ, window.length);
    if (status != STATUS_OK) return false;
    decoder->at += window.length;
    decoder->stored += window.length;
    decoder->step.in = window.bytes;
    decoder->step.in_left = window.length;
    decoder->step.last = window.length == 0 || decoder->at == slot->end;
    return true;
}

static enum slot_state end_broken(const struct decoder *decoder, struct slot *slot)
{
    slot->defect = *unpack_defect(decoder->unpack);
    slot->defect.offset += slot->begin;
    slot->defect.member += slot->begin;
    return SLOT_BROKEN;
}

/* Fills a piece, or what the run has for it. */
static enum slot_state fill(struct decoder *decoder, struct slot *slot, struct source_piece *piece)
{
    struct unpack_step *const step = &decoder->step;
    const struct source_pieces *const pieces = &decoder->frames->pieces;
    size_t const room = pieces->piece_bytes - pieces->lead;
    while (piece->length < room) {
        if (step->in_left == 0 && !step->last && !read_stored(decoder, slot)) return SLOT_UNREAD;
        step->out = piece->memory + pieces->lead + piece->length;
        step->out_left = room - piece->length;
        size_t const before = step->in_left;
        struct track_mark const mark = track_begin(decoder->track);
        enum unpack_state const state = unpack_run(decoder->unpack, step);
        track_end(decoder->track, mark, TRACK_INFLATE, before - step->in_left);
        piece->length = room - step->out_left;
        if (state == UNPACK_BROKEN) return end_broken(decoder, slot);
        if (state == UNPACK_ENDED) return SLOT_ENDED;
    }
    return SLOT_FILLING;
}

static void decode(struct decoder *decoder, struct slot *slot)
{
    decoder->step = (struct unpack_step){.in = NULL};
    decoder->at = slot->begin;
    unpack_restart(decoder->unpack);
    for (struct source_piece *piece; (piece = wait_for_piece(decoder, slot)) != NULL;) {
        enum slot_state const state = fill(decoder, slot, piece);
        publish(decoder, slot, piece, state);
        if (state != SLOT_FILLING) return;
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
    pthread_cond_timedwait(&frames->arrived, &frames->mutex, &until);
    if (!stream_is_stopped(stream)) return STATUS_OK;
    return fault_set(fault, STATUS_IO, "%s: reading it was stopped", frames->rules.source->name);
}

/* The run is through, and the next one is read. */
static void pass(struct source_frames *frames, struct slot *slot)
{
    slot->state = SLOT_EMPTY;
    frames->current++;
    pthread_cond_broadcast(&frames->freed);
}

/* Waits until the run that is read has `want` bytes or as many as it can, is broken, or all runs are through
 * (*slot is NULL then). */
static enum status wait_for_text(struct source_frames *frames, const struct stream *stream, size_t want,
                                 struct slot **slot, struct fault *fault)
{
    for (;;) {
        struct slot *const run = *slot = find_run(frames, frames->current);
        if (run == NULL && frames->all_claimed && frames->current == frames->claimed) return STATUS_OK;
        bool const goes_on = run == NULL || (run->state == SLOT_FILLING && !run->starves);
        bool const has_text = run != NULL && run->text.bytes > 0;
        if (has_text && (!goes_on || run->text.bytes >= want)) return STATUS_OK;
        if (run != NULL && (run->state == SLOT_BROKEN || run->state == SLOT_UNREAD)) return STATUS_OK;
        if (run != NULL && run->state == SLOT_ENDED) {
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
    struct slot *slot = NULL;
    pthread_mutex_lock(&frames->mutex);
    enum status const status = wait_for_text(frames, stream, want, &slot, fault);
    while (status == STATUS_OK && slot != NULL && slot->text.bytes > 0 && frames->taken.bytes < want)
        source_piece_push(&frames->taken, source_piece_pop(&slot->text));
    pthread_mutex_unlock(&frames->mutex);
    if (status != STATUS_OK || slot == NULL || frames->taken.bytes > 0) return status;
    if (slot->state == SLOT_UNREAD) return fault_set(fault, slot->fault.status, "%s", slot->fault.message);
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
        memcpy(into + copied, piece->memory + frames->pieces.lead + frames->taken_at, length);
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
    pthread_mutex_lock(&frames->mutex);
    source_pieces_give_all(&frames->pieces, read);
    pthread_cond_broadcast(&frames->freed);
    pthread_mutex_unlock(&frames->mutex);
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
    *begin = frames->pieces.lead + frames->taken_at;
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
    pthread_mutex_lock(&frames->mutex);
    uint64_t const stored = frames->stored;
    pthread_mutex_unlock(&frames->mutex);
    return stored;
}

/* ---- start and end ---- */

uint64_t source_frames_memory(uint32_t decoders, unsigned window_log_max)
{
    uint64_t const decoder =
        sizeof(struct decoder) + STEP_BYTES + STACK_BYTES + unpack_memory(UNPACK_ZSTD, window_log_max);
    return sizeof(struct source_frames) + decoders * (decoder + SOURCE_FRAMES_SLOTS * sizeof(struct slot));
}

size_t source_frames_pieces(uint32_t decoders, size_t piece_bytes, uint64_t bytes)
{
    size_t const count = source_pieces_fit(bytes, piece_bytes);
    size_t const least = (size_t)decoders * (size_t)SOURCE_FRAMES_TEXT_MIN / piece_bytes;
    size_t const most = (size_t)decoders * (size_t)SOURCE_FRAMES_TEXT_MAX / piece_bytes;
    if (count < least) return 0;
    return count < most ? count : most;
}

static bool make_locks(struct source_frames *frames)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) return false;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    bool const good = pthread_cond_init(&frames->arrived, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (!good) return false;
    pthread_cond_init(&frames->freed, NULL); /* these can't fail: default attributes */
    pthread_mutex_init(&frames->mutex, NULL);
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
    return frames->slots != NULL && source_pieces_create(&frames->pieces, frames->rules.pieces,
                                                         frames->rules.piece_bytes, frames->rules.lead);
}

struct source_frames *source_frames_start(const struct source_frames_rules *rules)
{
    struct source_frames *const frames =
        calloc(1, sizeof *frames + rules->decoders * sizeof *frames->decoders);
    if (frames == NULL) return NULL;
    frames->rules = *rules;
    frames->runs = (struct source_runs){
        .source = rules->source, .run_bytes = rules->run_bytes, .walk_max = rules->walk_max};
    frames->runs.reader = rules->source->open_reader(rules->source, SOURCE_RUNS_WINDOW);
    if (frames->runs.reader == NULL || source_runs_end(&frames->runs, 0) == rules->source->size ||
        !make_locks(frames)) {
        rules->source->close_reader(frames->runs.reader);
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
    pthread_cond_broadcast(&frames->freed);
    pthread_mutex_unlock(&frames->mutex);
    for (uint32_t i = 0; i < frames->rules.decoders; i++) {
        struct decoder *const decoder = &frames->decoders[i];
        if (decoder->started) pthread_join(decoder->thread, NULL);
        unpack_destroy(decoder->unpack);
        frames->rules.source->close_reader(decoder->reader);
    }
    source_pieces_destroy(&frames->pieces);
    free(frames->slots);
    frames->rules.source->close_reader(frames->runs.reader);
    pthread_cond_destroy(&frames->arrived);
    pthread_cond_destroy(&frames->freed);
    pthread_mutex_destroy(&frames->mutex);
    pthread_mutex_destroy(&frames->claiming);
    free(frames);
}
