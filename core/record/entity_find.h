/* entity_find.h - the record in a member of an entity map: `"id": { …, "entity": { the record }, … }`, by the
 * index of stage 1.
 *
 * Thread rule: that of the walk. Owns nothing. */
#ifndef PENSTOCK_CORE_RECORD_ENTITY_FIND_H
#define PENSTOCK_CORE_RECORD_ENTITY_FIND_H

#include "core/record/index_walk.h"

struct entity {
    const uint32_t *record; /* the entity's first token */
    uint32_t end;           /* behind its last byte */
    const uint32_t *next;   /* the token behind the member */
};

/* The member whose key is *token, before walk->end. `walks`: the entity is walked to the walk's cells; else
 * all is passed by its brackets. Of several entities the last one counts. False: it is no such member, or
 * something in it is odd. */
bool entity_find(struct index_walk *walk, const uint32_t *token, bool walks, struct entity *entity);

#endif
