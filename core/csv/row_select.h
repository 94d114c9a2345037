/* row_select.h - which records go out: members of the job's segments, and those whose consent is given.
 *
 * Thread rule: the row's. */
#ifndef PENSTOCK_CORE_CSV_ROW_SELECT_H
#define PENSTOCK_CORE_CSV_ROW_SELECT_H

#include "core/csv/csv_value.h"

/* *selected: the record is a member of a segment; with segments.split of those in row->members,
 * row->member_count. False: a defect in a status. For jobs with segments. */
bool row_select_segments(struct csv_row *row, const struct cells *cells, bool *selected);

/* *selected: every rule's consent is given; else row->consent_rule is the first one that is not. False: a
 * defect in a value that is compared. */
bool row_select_consent(struct csv_row *row, const struct cells *cells, bool *selected);

#endif
