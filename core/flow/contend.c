/* contend.c - see the header. Thread: a worker's. Owns the batch and the scratch. */
#include "core/flow/contend.h"

#include <stdlib.h>

size_t contend_memory(void)
{
    return sizeof(struct dedup_scratch) + CONTEND_BATCH * sizeof(struct dedup_candidate);
}

bool contend_create(struct contend *contend, struct dedup_table *table)
{
    *contend = (struct contend){.table = table};
    contend->scratch = malloc(sizeof *contend->scratch);
    contend->batch = malloc(CONTEND_BATCH * sizeof *contend->batch);
    return contend->scratch != NULL && contend->batch != NULL;
}

void contend_destroy(struct contend *contend)
{
    free(contend->scratch);
    free(contend->batch);
    *contend = (struct contend){.table = NULL};
}

void contend_begin(struct contend *contend, uint64_t order)
{
    contend->order = order;
    contend->first = contend->last = NULL;
    contend->batch_count = 0;
    contend->records = contend->candidates = contend->next_row = 0;
    contend->marked = 0;
}

void contend_describe(const struct csv_row *row, const struct contend_outcome *outcome, uint32_t *id,
                      struct contender *contender)
{
    uint32_t const first = *id;
    *contender = (struct contender){
        .outcome = (uint8_t)outcome->outcome, .reason = outcome->reason, .rows = outcome->rows};
    if (outcome->outcome == CONTENDER_SKIPPED && outcome->reason == SKIP_CONSENT)
        contender->rule = (uint8_t)row->consent_rule;
    if (outcome->outcome != CONTENDER_ROWS) {
        *id = row->id_count;
    } else if (row->id_count == 1) {
        *id = 1;
        for (unsigned c = 0; c < CHANGE_COUNT; c++)
            contender->changed[c] = (uint16_t)row->changed[c];
    } else {
        uint8_t const of_last = row->id_changed[row->id_count - 1]; /* row->changed is the last row's */
        uint8_t const of_these = row->id_changed[first];
        for (unsigned c = 0; c < CHANGE_COUNT; c++)
            contender->changed[c] = (uint16_t)(row->changed[c] - (of_last >> c & 1u) + (of_these >> c & 1u));
        while (*id < row->id_count && row->id_changed[*id] == of_these)
            ++*id;
    }
    contender->candidates = *id - first;
    contender->shape = row->id_count == 1    ? CONTENDER_ALONE
                       : *id < row->id_count ? CONTENDER_MORE
                                             : CONTENDER_WHOLE;
}

static void enter(struct contend *contend)
{
    uint32_t const count = contend->batch_count;
    contend->batch_count = 0;
    if (contend->status != STATUS_OK || count == 0) return;
    contend->status =
        dedup_table_insert(contend->table, contend->scratch, contend->order, contend->candidates - count,
                           contend->batch, count, &contend->last, &contend->fault);
    if (contend->first == NULL) contend->first = contend->last;
}

void contend_record(struct contend *contend, const struct csv_row *row)
{
    for (uint32_t id = 0; id < row->id_count; id++) {
        if (contend->batch_count == CONTEND_BATCH) enter(contend);
        contend->batch[contend->batch_count++] =
            (struct dedup_candidate){.key = row->keys[id], .time = row->time};
        contend->candidates++;
    }
    contend->records++;
    contend->next_row = contend->candidates;
}

void contend_finish(struct contend *contend)
{
    enter(contend);
    dedup_table_count_unit(contend->table);
}
