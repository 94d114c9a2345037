/* walk_defect.h - what index_walk.c and its parts found wrong. Thread rule: the walk's. */
#ifndef PENSTOCK_CORE_RECORD_WALK_DEFECT_H
#define PENSTOCK_CORE_RECORD_WALK_DEFECT_H

#include "core/record/index_walk.h"

/* Notes the defect at offset `at`, of an exact walk only when it is the first in byte order: such a walk may
 * go over a value several times, for several nodes. Returns NULL. */
const uint32_t *walk_defect(struct index_walk *walk, enum defect defect, uint32_t at);
const uint32_t *walk_defect_syntax(struct index_walk *walk, const uint32_t *token);
/* A string that begins at `begin` is open at the record's end; one whose text matters may hold a bad escape
 * before. */
const uint32_t *walk_defect_open_string(struct index_walk *walk, uint32_t begin, bool matters);

#endif
