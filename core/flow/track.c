/* track.c - see the header. Thread: each track's own. Owns the spans. */
#include "core/flow/track.h"

#include <stdlib.h>

bool track_init(struct track *track, uint64_t (*now)(void), uint32_t spans)
{
    *track = (struct track){.now = now, .span_room = spans};
    if (spans == 0) return true;
    track->spans = malloc(spans * sizeof *track->spans); /* not touched before it is used */
    return track->spans != NULL;
}

void track_free(struct track *track)
{
    free(track->spans);
    track->spans = NULL;
}

struct track_mark track_begin(const struct track *track)
{
    if (track == NULL) return (struct track_mark){0};
    return (struct track_mark){.began = track->now(), .counted = track->counted};
}

static void add_span(struct track *track, const struct track_span *span)
{
    if (track->spans == NULL) return;
    if (track->span_count == track->span_room)
        track->dropped++;
    else
        track->spans[track->span_count++] = *span;
}

void track_end(struct track *track, struct track_mark mark, enum track_act act, uint64_t bytes)
{
    if (track == NULL) return;
    uint64_t const took = track->now() - mark.began;
    uint64_t const inside = track->counted - mark.counted;
    uint64_t const own = took - inside;
    track->spent[act] += own;
    track->bytes[act] += bytes;
    track->counted += own;
    struct track_span const span = {
        .began = mark.began, .took = took, .own = own, .bytes = bytes, .act = act};
    add_span(track, &span);
}

void track_add(const struct track *tracks, size_t count, struct track *sum)
{
    for (size_t t = 0; t < count; t++) {
        for (unsigned a = 0; a < TRACK_ACTS; a++) {
            sum->spent[a] += tracks[t].spent[a];
            sum->bytes[a] += tracks[t].bytes[a];
        }
        sum->counted += tracks[t].counted;
        sum->dropped += tracks[t].dropped;
    }
}

const char *track_act_name(enum track_act act)
{
    static const char *const names[TRACK_ACTS] = {[TRACK_READ] = "read",
                                                  [TRACK_INFLATE] = "inflate",
                                                  [TRACK_CONVERT] = "convert",
                                                  [TRACK_COMPRESS] = "compress",
                                                  [TRACK_WRITE] = "write",
                                                  [TRACK_FINISH] = "finish",
                                                  [TRACK_TRANSFER] = "transfer",
                                                  [TRACK_WAIT_TEXT] = "wait for text",
                                                  [TRACK_WAIT_CHUNK] = "wait for an empty chunk",
                                                  [TRACK_WAIT_TURN] = "wait for the turn",
                                                  [TRACK_WAIT_ROWS] = "wait for rows",
                                                  [TRACK_WAIT_WORK] = "wait for compression",
                                                  [TRACK_WAIT_SINK] = "wait for the destination",
                                                  [TRACK_WAIT_READER] = "wait for the reader",
                                                  [TRACK_WAIT_NETWORK] = "wait for the network"};
    return names[act];
}

bool track_is_wait(enum track_act act)
{
    return act >= TRACK_WAIT_TEXT;
}
