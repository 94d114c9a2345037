/* contender.h - what a worker tells of a record that reached deduplication (identity.deduplicate: latest).
 *
 * Which of the records with a key stays is known only when all are read. So a record is judged, written and
 * counted as if it stayed, and what it was counted as goes along, so that it can be taken back of a loser: a
 * loser is a duplicate, whatever else had become of it behind that stage. The records of a shard come in
 * input order, and so do the candidates of a record: its ids.
 *
 * Records of one candidate each that were counted alike share a contender when they follow each other. A
 * record of several candidates has one of its own, or several when its ids were changed differently. */
#ifndef PENSTOCK_CORE_FLOW_CONTENDER_H
#define PENSTOCK_CORE_FLOW_CONTENDER_H

#include "core/base/tally.h"

#include <stdbool.h>
#include <stdint.h>

enum contender_outcome { CONTENDER_ROWS, CONTENDER_SKIPPED, CONTENDER_FAILED };

enum contender_shape {
    CONTENDER_ALONE, /* each candidate is a record */
    CONTENDER_MORE,  /* candidates of one record, others of it follow */
    CONTENDER_WHOLE  /* the last or only candidates of a record */
};

struct contender {
    uint32_t candidates;            /* ids */
    uint16_t rows;                  /* CONTENDER_ROWS: of each candidate, one a stream */
    uint16_t changed[CHANGE_COUNT]; /* CONTENDER_ROWS: what each row was counted in tally.changed */
    uint8_t outcome;                /* enum contender_outcome */
    uint8_t reason;                 /* CONTENDER_SKIPPED: enum skip; CONTENDER_FAILED: enum defect */
    uint8_t rule;                   /* SKIP_CONSENT: number of the rule */
    uint8_t shape;                  /* enum contender_shape */
};

/* All but the candidates. Field by field: a look at several at once would wait for what was just written of
 * each. */
static inline bool contender_is_like(const struct contender *a, const struct contender *b)
{
    unsigned differ = (unsigned)(a->rows ^ b->rows) | (unsigned)(a->outcome ^ b->outcome) |
                      (unsigned)(a->reason ^ b->reason) | (unsigned)(a->rule ^ b->rule) |
                      (unsigned)(a->shape ^ b->shape);
    for (unsigned c = 0; c < CHANGE_COUNT; c++)
        differ |= (unsigned)(a->changed[c] ^ b->changed[c]);
    return differ == 0;
}

/* Takes the candidates of `next` into `last`, if one contender can stand for both. */
static inline bool contender_join(struct contender *last, const struct contender *next)
{
    if (last->shape != CONTENDER_ALONE || !contender_is_like(last, next)) return false;
    if (last->candidates > UINT32_MAX - next->candidates) return false;
    last->candidates += next->candidates;
    return true;
}

_Static_assert(sizeof(struct contender) == 16, "small: the spool keeps them");

#endif
