/* row_contender.h - what deduplication compares of a record beside its ids' keys: its time.
 *
 * Thread rule: the row's. */
#ifndef PENSTOCK_CORE_CSV_ROW_CONTENDER_H
#define PENSTOCK_CORE_CSV_ROW_CONTENDER_H

#include "core/csv/csv_value.h"

/* Makes a contender of the record, whose ids and keys are known: sets row->time. False: a time that can't be
 * read, or another defect in it. For jobs with identity.deduplicate: latest. */
bool row_contender_make(struct csv_row *row, const struct cells *cells);

#endif
