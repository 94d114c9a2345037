/* row_identity.h - whose row it is: the ids that the first identity path with any gives.
 *
 * Thread rule: the row's. */
#ifndef PENSTOCK_CORE_CSV_ROW_IDENTITY_H
#define PENSTOCK_CORE_CSV_ROW_IDENTITY_H

#include "core/csv/csv_value.h"

/* Sets row->ids and row->id_count; 0: the record has no identity. False: a defect. */
bool row_identity_find(struct csv_row *row, const struct cells *cells);

#endif
