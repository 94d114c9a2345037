/* track.h - what one thread does, act by act: for how long, with how many bytes; and for a trace, when.
 *
 *     struct track_mark const mark = track_begin(track);
 *     …                                                    other acts may begin and end in here
 *     track_end(track, mark, TRACK_CONVERT, bytes);
 *
 * An act's own time is what no act inside it took, so that the sums over all acts are the time of the thread,
 * each nanosecond once. An act is a block, a shard or a sleep, never a record: two looks at the clock.
 *
 * With spans, each act leaves one, up to the room that there is: those that come later are counted as
 * dropped. The sums are whole all the same. The first ones stay, since a run is even once it has begun, and
 * since nothing that was written has to be looked at again.
 *
 * Thread rule: one thread writes a track; others read it after join. A track that passes from thread to
 * thread (a stream's, under feed.h's mutex) is never needed: who reads says so in its own. NULL for a track
 * is fine everywhere: nothing is counted. Owns the spans. */
#ifndef PENSTOCK_CORE_FLOW_TRACK_H
#define PENSTOCK_CORE_FLOW_TRACK_H

#include "core/base/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum track_act {
    /* at work */
    TRACK_READ,     /* a source; its bytes are those of its text, decompressed */
    TRACK_INFLATE,  /* stored bytes to text */
    TRACK_CONVERT,  /* text to rows */
    TRACK_COMPRESS, /* rows to what is stored */
    TRACK_WRITE,    /* the assembler: order, files, the sink's calls */
    TRACK_FINISH,   /* the assembler, when there are no more rows: the last pieces, commit */
    TRACK_TRANSFER, /* a thread of an S3 client: bytes of bodies in either direction */
    /* asleep */
    TRACK_WAIT_TEXT,    /* a worker: for a stream to be read */
    TRACK_WAIT_CHUNK,   /* a worker: for an empty chunk */
    TRACK_WAIT_TURN,    /* a worker: for all before its shard to be written */
    TRACK_WAIT_ROWS,    /* the assembler: for rows */
    TRACK_WAIT_WORK,    /* the assembler: for the crew */
    TRACK_WAIT_SINK,    /* the assembler: for the sink, which has all chunks there are */
    TRACK_WAIT_READER,  /* a decoder of frames: for what it decompressed to be read */
    TRACK_WAIT_NETWORK, /* a thread of an S3 client: for the network, or for something to do */
    TRACK_ACTS
};

/* Spans of one thread: those of some 10 GB of input a thread (16 blocks of 256 KiB, a shard and a few sleeps
 * for each 4 MiB), in 2.5 MiB. */
#define TRACK_SPANS_MAX 65536u

struct track_span {
    uint64_t began, took, own; /* nanoseconds: of the clock; from begin to end; without the acts inside */
    uint64_t bytes;
    enum track_act act;
};

struct track {
    _Alignas(LIMIT_LINE) uint64_t spent[TRACK_ACTS]; /* nanoseconds */
    uint64_t bytes[TRACK_ACTS];
    uint64_t counted; /* the sum of `spent` */
    uint64_t (*now)(void);
    struct track_span *spans; /* NULL: no trace */
    uint32_t span_room, span_count;
    uint64_t dropped;
};
_Static_assert(sizeof(struct track) % LIMIT_LINE == 0, "tracks stand side by side, each one thread's");

struct track_mark {
    uint64_t began, counted;
};

/* `spans` 0: no trace. False: no memory; free is due all the same. The struct must be aligned to LIMIT_LINE.
 */
bool track_init(struct track *track, uint64_t (*now)(void), uint32_t spans);
void track_free(struct track *track); /* zeroed is fine */

struct track_mark track_begin(const struct track *track);
void track_end(struct track *track, struct track_mark mark, enum track_act act, uint64_t bytes);
/* Adds the sums of `count` tracks to *sum, without spans. */
void track_add(const struct track *tracks, size_t count, struct track *sum);

/* "read", "convert", "wait for rows", … for a trace. */
const char *track_act_name(enum track_act act);
/* Does the thread sleep in it? */
bool track_is_wait(enum track_act act);

#endif
