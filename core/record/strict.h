/* strict.h - `--strict`: a record is judged as a whole, what no path looks at included.
 *
 * Beside what every run checks: commas, colons, keys, numbers, literals and escapes in every value; lone
 * surrogates and NUL escapes anywhere (these unless csv.null_character drops them); and keys that come twice
 * are noticed in every object. Over the tokens of stage 1, behind the walk along the plan, whichever walk
 * that was; a run without --strict never comes here.
 *
 * Ownership: strict_create() allocates, once a thread. Thread rule: one thread. */
#ifndef PENSTOCK_CORE_RECORD_STRICT_H
#define PENSTOCK_CORE_RECORD_STRICT_H

#include "core/record/record_check.h"

struct strict {
    struct record_keys keys; /* keys.duplicate: of the last record that was found good */
    uint8_t *brackets;       /* depth_max + 2: what is around a record is one level more */
    uint32_t depth_max;
    bool drops_nulls; /* csv.null_character: drop */
};

/* Bytes that strict_create() takes for records of at most `record_max` bytes. */
size_t strict_bytes(size_t record_max, uint32_t depth_max);
bool strict_create(struct strict *strict, size_t record_max, uint32_t depth_max, bool drops_nulls);
void strict_destroy(struct strict *strict); /* a zeroed struct is fine */

/* The first token behind the record, which ends at `end` of `bytes`; NULL: it is not good. Tokens are those
 * of stage 1, as index_walk.h has them. */
const uint32_t *strict_record(struct strict *strict, const uint8_t *bytes, const uint32_t *token,
                              uint32_t end);
/* The same of what is around a record: an object with the record as one of its members. */
bool strict_around(struct strict *strict, const uint8_t *bytes, const uint32_t *token, uint32_t end);
/* The text of a string between its quotes that stands by itself. */
enum defect strict_text(const struct strict *strict, const uint8_t *raw, size_t length);

/* The first defect in byte order of a record with these tokens, at *at (`end`: it ends too early).
 * `open_string`: see record_check.h. */
enum defect strict_defect(struct strict *strict, const uint8_t *bytes, const uint32_t *token, uint32_t end,
                          uint32_t open_string, uint32_t *at);

#endif
