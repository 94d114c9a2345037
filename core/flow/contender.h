/* contender.h - what a worker tells of a record that reached deduplication (identity.deduplicate: latest).
 *
 * Which of the records with a key stays is known only when all are read. So a record is judged, written and
 * counted as if it stayed, and what it was counted as goes along, so that it can be taken back of a loser: a
 * loser is a duplicate, whatever else had become of it behind that stage. The records of a shard come in
 * input order. */
#ifndef PENSTOCK_CORE_FLOW_CONTENDER_H
#define PENSTOCK_CORE_FLOW_CONTENDER_H

#include "core/base/key_digest.h"
#include "core/base/tally.h"

#include <stdbool.h>
#include <stdint.h>

enum contender_outcome {
    CONTENDER_ROWS, /* one row for each candidate, in this order, with no other record's between them */
    CONTENDER_SKIPPED,
    CONTENDER_FAILED
};

struct contender {
    uint32_t candidates; /* ids of the record: 1, but with identity.multiple: explode */
    uint8_t outcome;     /* enum contender_outcome */
    uint8_t reason;      /* CONTENDER_SKIPPED: enum skip; CONTENDER_FAILED: enum defect */
    uint8_t rule;        /* SKIP_CONSENT: number of the rule */
    bool duplicate_key;  /* counted in tally.duplicate_keys */
    /* CONTENDER_ROWS: what each of its rows was counted in tally.changed, but for the ids, each of which has
     * its own: row->id_changed */
    uint16_t changed[CHANGE_COUNT];
};

#endif
