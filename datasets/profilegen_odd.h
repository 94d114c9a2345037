/* profilegen_odd.h - records that look wrong and are right, and what may stand around a record.
 * Thread rule: reentrant. */
#ifndef PENSTOCK_DATASETS_PROFILEGEN_ODD_H
#define PENSTOCK_DATASETS_PROFILEGEN_ODD_H

#include "datasets/profilegen_nasty.h"

/* One oddity inside the record: duplicate keys, escaped keys, prefixes, big numbers, deep nesting, … */
void odd_change(struct prng *prng, struct text *text);

/* What may stand around it: blank lines before, blanks on both sides, CR LF for LF. Adds the line end, and
 * fills lines_before, offset and length of `nasty`. */
void odd_frame(struct prng *prng, struct text *text, struct nasty *nasty);

/* A first member whose value has so many levels that the record nests `levels` deep, itself included: arrays,
 * or objects. */
void odd_nest(struct text *text, uint32_t levels, bool objects);

#endif
