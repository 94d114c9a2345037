/* dedup_replay.h - a unit's chunks once more, when it is known who stays: rows of losers are taken out, and
 * so are the rejects of losing records; what these were counted as is taken back, and they are counted as
 * duplicates.
 *
 * A record with several candidates (identity.multiple: explode) loses when all of them do.
 *
 * Thread rule: one thread, the assembler's, behind an edge from all who entered candidates. Owns the
 * contenders at hand. */
#ifndef PENSTOCK_CORE_FLOW_DEDUP_REPLAY_H
#define PENSTOCK_CORE_FLOW_DEDUP_REPLAY_H

#include "core/base/checksum.h"
#include "core/flow/chunk.h"
#include "core/flow/contender.h"
#include "core/flow/losers.h"
#include "core/flow/spool.h"

struct dedup_replay {
    enum checksum_kind checksum;    /* of the chunks */
    struct contender *contenders;   /* of the last chunk of them; room for a whole one */
    uint32_t contender_count, next; /* next: the first that is not wholly counted yet */
    uint32_t counted;               /* candidates of it that are */
    /* of the unit at hand */
    struct losers_unit losers;
    bool has_losers;
    uint64_t records, candidates; /* counted */
    bool some_stay;               /* of the record at hand, whose other candidates follow */
    struct tally correction;      /* of all records counted; modulo 2^64, where it is less than nothing */
};

/* `chunk`: the chunks' capacity. False: no memory. */
bool dedup_replay_create(struct dedup_replay *replay, enum checksum_kind checksum, size_t chunk);
void dedup_replay_destroy(struct dedup_replay *replay); /* zeroed is fine */

/* The next unit. */
void dedup_replay_begin(struct dedup_replay *replay, struct losers_unit losers);
/* The next contenders: `count` were written to replay->contenders, behind a call of dedup_replay_count(). */
void dedup_replay_contenders(struct dedup_replay *replay, uint32_t count);
/* Counts all contenders at hand. */
void dedup_replay_count(struct dedup_replay *replay);
/* A chunk of rows of which all is there but the bytes, which the spool gives next: takes those that stay. */
enum status dedup_replay_rows(struct dedup_replay *replay, struct chunk *chunk, struct spool *spool,
                              struct fault *fault);
/* Takes the losers out of a chunk of rejects. */
void dedup_replay_rejects(struct dedup_replay *replay, struct chunk *chunk);

#endif
