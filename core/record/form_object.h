/* form_object.h - one object that holds all records of a source: in an array that is one of its members, or
 * as the members of a map. Told by the source's first bytes, which may end anywhere.
 *
 * Pure. Thread rule: any; bytes are borrowed. Private to the form (form.h). */
#ifndef PENSTOCK_CORE_RECORD_FORM_OBJECT_H
#define PENSTOCK_CORE_RECORD_FORM_OBJECT_H

#include "core/record/form_look.h"

/* An array of records in an object. */
struct form_array {
    const uint8_t *array, *first; /* its bracket; what stands behind it */
    bool alone;                   /* the object's first member */
    bool named;                   /* by its key, or what stands before it: anything may stand beside it */
    bool on_line;                 /* the object, as far as it is seen, is all on one line */
};

/* The array of records in an object; false: it is no such object. `asked`: one is wanted, so the first array
 * of objects is it. On one line a record is more likely, unless the array is the only member or named. When
 * one of the records is broken, or the first one longer than the head, what follows can't be told: then it is
 * enough that the array is named, or that one record follows another in it, and that the lines are no
 * records. */
bool form_object_array(const struct form_head *head, bool asked, struct form_array *found);

/* Behind the brace that opens the map; NULL: it is none. One whose first member the head does not hold is
 * told by its lines, which no records are, or by the entity's own id beside it. */
const uint8_t *form_object_map(const struct form_head *head);

/* What may stand behind the array beside scalars; what does. */
enum form_beside { FORM_BESIDE_NOTHING, FORM_BESIDE_NO_RECORDS, FORM_BESIDE_ANYTHING };
enum form_rest { FORM_REST_FITS, FORM_REST_IS_OTHER, FORM_REST_UNSEEN };
/* From behind the array (takes NULL) up to the object's end; FITS: *end is behind that. */
enum form_rest form_object_rest(const uint8_t *at, const uint8_t *limit, enum form_beside beside,
                                const uint8_t **end);

#endif
