/* record_defect.h - why a record is not good: names the first defect in byte order.
 *
 * Runs only on records that a walk refused, so it may be slow. It makes its own tokens, byte by byte, up to
 * the first thing that is wrong inside a string, and lets index_walk.c walk them exactly: whichever of the
 * two comes first in the record is its defect. Bad UTF-8 goes before all. */
#ifndef PENSTOCK_CORE_RECORD_RECORD_DEFECT_H
#define PENSTOCK_CORE_RECORD_RECORD_DEFECT_H

#include "core/record/index_walk.h"
#include "core/record/strict.h"

/* `tokens` has room for length + 3. The walk's cells are overwritten and mean nothing afterwards.
 * DEFECT_NONE: the record's syntax is right as far as it is checked (its values may still be at fault). */
enum defect record_defect(struct index_walk *walk, const uint8_t *bytes, uint32_t length, uint32_t *tokens);
/* The same for a run that checks all of a record: the paths play no part then. */
enum defect record_defect_strict(struct strict *strict, struct index_walk *walk, const uint8_t *bytes,
                                 uint32_t length, uint32_t *tokens);

#endif
