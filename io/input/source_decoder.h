/* source_decoder.h - threads that decompress runs of frames of one zstd file (source_frames.h), and the hall
 * where they leave the text for its reader.
 *
 * A decoder claims the next run with an empty slot, and fills pieces of text until the run ends, is broken or
 * can't be read; then the slot says so, and it claims another. The reader empties slots in the order of their
 * runs.
 *
 * Locks: `claiming` is held by the one decoder that looks for its next run, `mutex` for moments only; `mutex`
 * may be taken under `claiming`. Thread rule: start and end by the thread that owns the hall, which sets
 * `stopping` and signals `freed` before the end. Private to source_frames.c. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_DECODER_H
#define PENSTOCK_IO_INPUT_SOURCE_DECODER_H

#include "io/input/source_frames.h"
#include "io/input/source_pieces.h"
#include "io/input/source_runs.h"

#include <pthread.h>

enum source_slot_state {
    SOURCE_SLOT_EMPTY,
    SOURCE_SLOT_FILLING,
    SOURCE_SLOT_ENDED,
    SOURCE_SLOT_BROKEN,
    SOURCE_SLOT_UNREAD
};

/* A run of frames. While it is FILLING, its decoder alone writes `fault` and `defect`; under the mutex the
 * rest. */
struct source_slot {
    enum source_slot_state state;
    bool starves;                   /* its decoder waits for a piece */
    uint64_t number;                /* of the run */
    uint64_t begin, end;            /* in the source */
    struct source_piece_queue text; /* decoded and not read */
    struct unpack_defect defect;    /* BROKEN */
    struct fault fault;             /* UNREAD */
};

/* What the decoders and the reader have in common. */
struct source_hall {
    struct source_frames_rules rules;
    pthread_mutex_t claiming;
    uint64_t next_begin;     /* under `claiming` */
    struct source_runs runs; /* likewise */
    pthread_mutex_t mutex;   /* of what follows */
    pthread_cond_t arrived;  /* for the reader: text, an end, or a decoder that waits for it */
    pthread_cond_t freed;    /* for decoders: pieces, slots, or another run that is read */
    struct source_pieces pieces;
    struct source_slot *slots; /* source_decoder_slots() */
    uint64_t claimed, current; /* runs: claimed so far, the one that is read */
    bool all_claimed, stopping;
    uint64_t stored; /* bytes read */
};

static inline uint32_t source_decoder_slots(const struct source_hall *hall)
{
    return hall->rules.decoders * SOURCE_FRAMES_SLOTS;
}

/* Zeroed: never started. */
struct source_decoder {
    struct source_hall *hall;
    struct track *track; /* NULL: none */
    struct unpack *unpack;
    struct source_reader *reader; /* of the source */
    uint64_t at;                  /* in the source, behind what was read of the run */
    uint64_t stored;              /* bytes read that the hall's `stored` lacks */
    struct unpack_step step;
    pthread_t thread;
    bool started;
};

/* False: no memory, or no thread; source_decoder_end() all the same. */
bool source_decoder_start(struct source_decoder *decoder, struct source_hall *hall, struct track *track);
/* Waits for the thread, frees what it had. */
void source_decoder_end(struct source_decoder *decoder);
/* Of one, beside slots and pieces. */
uint64_t source_decoder_memory(unsigned window_log_max);

#endif
