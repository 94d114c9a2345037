/* record_check.h - is a record well-formed, all of it? Over its structural tokens, without looking at more
 * bytes than scalars have. It says the same as record_defect() with a plan that selects the whole record, and
 * faster.
 *
 * Thread rule: pure and reentrant; `brackets` is the caller's scratch. */
#ifndef PENSTOCK_CORE_INSPECT_RECORD_CHECK_H
#define PENSTOCK_CORE_INSPECT_RECORD_CHECK_H

#include <stdbool.h>
#include <stdint.h>

struct record_check {
    const uint8_t *bytes; /* what tokens count from */
    uint32_t end;         /* of the record */
    bool escapes;         /* it may hold backslashes: strings and keys are looked at */
    uint8_t *brackets;    /* depth_max + 1 */
    uint32_t depth_max;
};

/* The first token behind the record, NULL: it is not one good object and nothing behind it. */
const uint32_t *record_check(const struct record_check *check, const uint32_t *token);

/* Where the scalar that begins at `token` ends. */
uint32_t record_check_scalar_end(const uint8_t *bytes, uint32_t next, uint32_t end);

#endif
