/* contend.h - a worker's side of deduplication: it numbers the candidates of its unit (feed.h), enters them
 * into the table of keys, notes which rows are whose, and what became of each record.
 *
 * Candidates are entered in batches. Rows are marked with their candidates' numbers after the fact, once a
 * record or once a chunk: a candidate of a record that has rows has one in each stream, in the order of the
 * candidates.
 *
 * Thread rule: a worker's own; the table is shared. Nothing allocates after create. */
#ifndef PENSTOCK_CORE_FLOW_CONTEND_H
#define PENSTOCK_CORE_FLOW_CONTEND_H

#include "core/csv/csv_row.h"
#include "core/flow/chunk.h"
#include "core/flow/contender.h"
#include "core/flow/dedup_table.h"

/* Candidates entered at once. */
#define CONTEND_BATCH LOSERS_PIECE_MAX

struct contend {
    struct dedup_table *table; /* NULL: zeroed, the run keeps all records */
    struct dedup_scratch *scratch;
    struct dedup_candidate *batch;
    uint32_t batch_count;
    /* of the unit at hand */
    uint64_t order;
    struct losers_piece *first, *last; /* its candidates' bits */
    uint64_t records, candidates;      /* before the record at hand */
    uint64_t next_row;                 /* the candidate of the next row that is not marked */
    uint32_t marked;                   /* rows of the chunk that is being filled */
    /* the first failure; nothing is entered after it */
    enum status status;
    struct fault fault;
};

/* What became of a record. */
struct contend_outcome {
    enum contender_outcome outcome;
    uint8_t reason; /* enum skip or enum defect */
    uint16_t rows;  /* streams of each row */
};

size_t contend_memory(void);
/* False: no memory; destroy is due all the same. */
bool contend_create(struct contend *contend, struct dedup_table *table);
void contend_destroy(struct contend *contend); /* zeroed is fine */

void contend_begin(struct contend *contend, uint64_t order);
/* Numbers fit a mark: a unit and the record that it ends with have at most 2 GiB, and an id takes 9 bytes
 * (CSV_BYTES_PER_ID). */
/* Marks the rows at the end of a chunk that is being filled, and the row that goes on behind them. */
static inline void contend_mark(struct contend *contend, struct chunk *chunk)
{
    while (contend->marked < chunk->rows)
        chunk->row_marks[contend->marked++] = (uint32_t)contend->next_row++;
    chunk->row_marks[chunk->rows] = (uint32_t)contend->next_row;
}
/* That chunk is given away, or emptied: an empty one follows. */
static inline void contend_next_chunk(struct contend *contend)
{
    contend->marked = 0;
}

/* *contender: of the record that was opened in `row`, from id number *id on; moves *id behind its candidates.
 */
void contend_describe(const struct csv_row *row, const struct contend_outcome *outcome, uint32_t *id,
                      struct contender *contender);
/* Takes that record's candidates, behind all that became of it: its rows are marked. */
void contend_record(struct contend *contend, const struct csv_row *row);
/* Enters what is left of the unit: contend->first are all its candidates' bits. */
void contend_finish(struct contend *contend);

#endif
