/* row_identity.h - whose row it is: the id that the identity paths give.
 *
 * Thread rule: the row's. */
#ifndef PENSTOCK_CORE_CSV_ROW_IDENTITY_H
#define PENSTOCK_CORE_CSV_ROW_IDENTITY_H

#include "core/csv/csv_value.h"

/* is_null: the record has no identity. False: a defect. */
bool row_identity_value(struct csv_row *row, const struct cells *cells, struct csv_value *value);

#endif
