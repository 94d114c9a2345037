/* source_decoder.c - see the header. Threads: the decoders. Owns, of each, its decoder and its reader. */
#include "io/input/source_decoder.h"

#include "core/flow/track.h"

#include <pthread.h>

/* Stored bytes that a decoder reads at once. */
#define STEP_BYTES (256u * 1024)
/* libzstd's needs of a thread's stack are a few KiB. */
#define STACK_BYTES (256u * 1024)

/* ---- runs ---- */

static struct source_slot *find_slot(struct source_hall *hall, enum source_slot_state state)
{
    for (uint32_t i = 0; i < source_decoder_slots(hall); i++)
        if (hall->slots[i].state == state) return &hall->slots[i];
    return NULL;
}

/* An empty slot; NULL: there is nothing more to decode. */
static struct source_slot *wait_for_slot(struct source_hall *hall, struct track *track)
{
    struct source_slot *slot = NULL;
    struct track_mark const mark = track_begin(track);
    pthread_mutex_lock(&hall->mutex);
    while (!hall->stopping && !hall->all_claimed && (slot = find_slot(hall, SOURCE_SLOT_EMPTY)) == NULL)
        pthread_cond_wait(&hall->freed, &hall->mutex);
    if (hall->stopping) slot = NULL;
    pthread_mutex_unlock(&hall->mutex);
    track_end(track, mark, TRACK_WAIT_READER, 0);
    return slot;
}

/* The next run, in a slot of its own; NULL: there is none. */
static struct source_slot *claim(struct source_hall *hall, struct track *track)
{
    struct track_mark const mark = track_begin(track);
    pthread_mutex_lock(&hall->claiming);
    struct source_slot *const slot = wait_for_slot(hall, track);
    if (slot != NULL) {
        uint64_t const begin = hall->next_begin, end = source_runs_end(&hall->runs, begin);
        pthread_mutex_lock(&hall->mutex);
        *slot = (struct source_slot){
            .state = SOURCE_SLOT_FILLING, .number = hall->claimed++, .begin = begin, .end = end};
        hall->next_begin = end;
        hall->all_claimed = end == hall->rules.source->size;
        pthread_mutex_unlock(&hall->mutex);
    }
    pthread_mutex_unlock(&hall->claiming);
    track_end(track, mark, TRACK_READ, 0); /* the bytes are counted where they are decoded */
    return slot;
}

/* ---- decoding ---- */

/* Runs behind the one that is read leave some pieces to it. */
static bool may_take(const struct source_hall *hall, const struct source_slot *slot)
{
    return hall->pieces.empty_count > (slot->number == hall->current ? 0 : SOURCE_FRAMES_RESERVE);
}

/* An empty piece; NULL: the run is being stopped. */
static struct source_piece *wait_for_piece(struct source_decoder *decoder, struct source_slot *slot)
{
    struct source_hall *const hall = decoder->hall;
    struct track_mark const mark = track_begin(decoder->track);
    pthread_mutex_lock(&hall->mutex);
    bool const waits = !may_take(hall, slot);
    while (!hall->stopping && !may_take(hall, slot)) {
        slot->starves = true;
        if (slot->number == hall->current) pthread_cond_signal(&hall->arrived);
        pthread_cond_wait(&hall->freed, &hall->mutex);
    }
    slot->starves = false;
    struct source_piece *const piece = hall->stopping ? NULL : source_pieces_take(&hall->pieces);
    pthread_mutex_unlock(&hall->mutex);
    if (waits) track_end(decoder->track, mark, TRACK_WAIT_READER, 0);
    return piece;
}

/* Gives what was decoded, and tells how far the run is. */
static void publish(struct source_decoder *decoder, struct source_slot *slot, struct source_piece *piece,
                    enum source_slot_state state)
{
    struct source_hall *const hall = decoder->hall;
    pthread_mutex_lock(&hall->mutex);
    if (piece->length > 0)
        source_piece_push(&slot->text, piece);
    else
        source_pieces_give(&hall->pieces, piece);
    slot->state = state;
    hall->stored += decoder->stored;
    decoder->stored = 0;
    if (slot->number == hall->current) pthread_cond_signal(&hall->arrived);
    pthread_mutex_unlock(&hall->mutex);
}

/* More stored bytes of the run. False: the slot says why not. */
static bool read_stored(struct source_decoder *decoder, struct source_slot *slot)
{
    uint64_t const left = slot->end - decoder->at;
    size_t const length = left < STEP_BYTES ? (size_t)left : STEP_BYTES;
    struct track_mark const mark = track_begin(decoder->track);
    struct source_window window = {.length = 0};
    enum status const status =
        decoder->hall->rules.source->window(decoder->reader, decoder->at, length, &window, &slot->fault);
    track_end(decoder->track, mark, TRACK_READ, window.length);
    if (status != STATUS_OK) return false;
    decoder->at += window.length;
    decoder->stored += window.length;
    decoder->step.in = window.bytes;
    decoder->step.in_left = window.length;
    decoder->step.last = window.length == 0 || decoder->at == slot->end;
    return true;
}

static enum source_slot_state end_broken(const struct source_decoder *decoder, struct source_slot *slot)
{
    slot->defect = *unpack_defect(decoder->unpack);
    slot->defect.offset += slot->begin;
    slot->defect.member += slot->begin;
    return SOURCE_SLOT_BROKEN;
}

/* Fills a piece, or what the run has for it. */
static enum source_slot_state fill(struct source_decoder *decoder, struct source_slot *slot,
                                   struct source_piece *piece)
{
    struct unpack_step *const step = &decoder->step;
    const struct source_pieces *const pieces = &decoder->hall->pieces;
    size_t const room = pieces->piece_bytes - pieces->lead;
    while (piece->length < room) {
        if (step->in_left == 0 && !step->last && !read_stored(decoder, slot)) return SOURCE_SLOT_UNREAD;
        step->out = piece->memory + pieces->lead + piece->length;
        step->out_left = room - piece->length;
        size_t const before = step->in_left;
        struct track_mark const mark = track_begin(decoder->track);
        enum unpack_state const state = unpack_run(decoder->unpack, step);
        track_end(decoder->track, mark, TRACK_INFLATE, before - step->in_left);
        piece->length = room - step->out_left;
        if (state == UNPACK_BROKEN) return end_broken(decoder, slot);
        if (state == UNPACK_ENDED) return SOURCE_SLOT_ENDED;
    }
    return SOURCE_SLOT_FILLING;
}

static void decode(struct source_decoder *decoder, struct source_slot *slot)
{
    decoder->step = (struct unpack_step){.in = NULL};
    decoder->at = slot->begin;
    unpack_restart(decoder->unpack);
    for (struct source_piece *piece; (piece = wait_for_piece(decoder, slot)) != NULL;) {
        enum source_slot_state const state = fill(decoder, slot, piece);
        publish(decoder, slot, piece, state);
        if (state != SOURCE_SLOT_FILLING) return;
    }
}

static void *decoder_main(void *argument)
{
    struct source_decoder *const decoder = argument;
    for (struct source_slot *slot; (slot = claim(decoder->hall, decoder->track)) != NULL;)
        decode(decoder, slot);
    return NULL;
}

/* ---- start and end ---- */

bool source_decoder_start(struct source_decoder *decoder, struct source_hall *hall, struct track *track)
{
    pthread_attr_t attributes;
    decoder->hall = hall;
    decoder->track = track;
    decoder->unpack = unpack_create(UNPACK_ZSTD, hall->rules.window_log_max);
    decoder->reader = hall->rules.source->open_reader(hall->rules.source, STEP_BYTES);
    if (decoder->unpack == NULL || decoder->reader == NULL || pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    decoder->started = pthread_create(&decoder->thread, &attributes, decoder_main, decoder) == 0;
    pthread_attr_destroy(&attributes);
    return decoder->started;
}

void source_decoder_end(struct source_decoder *decoder)
{
    if (decoder->hall == NULL) return;
    if (decoder->started) pthread_join(decoder->thread, NULL);
    unpack_destroy(decoder->unpack);
    decoder->hall->rules.source->close_reader(decoder->reader);
}

uint64_t source_decoder_memory(unsigned window_log_max)
{
    return sizeof(struct source_decoder) + STEP_BYTES + STACK_BYTES +
           unpack_memory(UNPACK_ZSTD, window_log_max);
}
