/* contender.h - what a worker tells of a record that reached deduplication (identity.deduplicate: latest).
 *
 * Which of the records with a key stays is known only when all are read. So a record is judged, written and
 * counted as if it stayed, and what it was counted as goes along, so that it can be taken back of a loser: a
 * loser is a duplicate, whatever else had become of it behind that stage. The records of a shard come in
 * input order, and so do the candidates of a record: its ids.
 *
 * A record takes one contender; one with rows takes several when its ids were changed differently. */
#ifndef PENSTOCK_CORE_FLOW_CONTENDER_H
#define PENSTOCK_CORE_FLOW_CONTENDER_H

#include "core/base/tally.h"

#include <stdbool.h>
#include <stdint.h>

enum contender_outcome { CONTENDER_ROWS, CONTENDER_SKIPPED, CONTENDER_FAILED };

struct contender {
    uint32_t candidates;            /* ids: 1, but with identity.multiple: explode */
    uint16_t rows;                  /* CONTENDER_ROWS: of each candidate, one a stream */
    uint16_t changed[CHANGE_COUNT]; /* CONTENDER_ROWS: what each row was counted in tally.changed */
    uint8_t outcome;                /* enum contender_outcome */
    uint8_t reason;                 /* CONTENDER_SKIPPED: enum skip; CONTENDER_FAILED: enum defect */
    uint8_t rule;                   /* SKIP_CONSENT: number of the rule */
    bool more;                      /* the next contender is of the same record */
};

#endif
