/* element_clean.h - the fast half of element_scan.c: passes the bytes of an element as long as nothing in
 * them is out of place, 64 at a time.
 *
 * It says nothing of its own. Whatever is odd, begins or ends an element is left to element_scan.c, byte by
 * byte; up to there the scan is left exactly as those bytes would have left it, one by one.
 *
 * Thread rule: pure; any thread, one struct element_scan each. */
#ifndef PENSTOCK_CORE_RECORD_ELEMENT_CLEAN_H
#define PENSTOCK_CORE_RECORD_ELEMENT_CLEAN_H

#include "core/record/element_scan.h"

/* What the next token may be: element_scan->expect. */
enum element_expect {
    ELEMENT_VALUE,
    ELEMENT_VALUE_OR_END,
    ELEMENT_KEY,
    ELEMENT_KEY_OR_END,
    ELEMENT_COLON,
    ELEMENT_COMMA_OR_END
};

/* Has this CPU what it needs (AVX2)? Elsewhere all bytes are looked at one by one. */
bool element_clean_here(void);

/* May the scan's next bytes be passed so? In brackets only, and while nothing was out of place. */
static inline bool element_clean_may(const struct element_scan *scan)
{
    return scan->has_clean && scan->depth != 0 && scan->depth <= LIMIT_DEPTH_MAX && scan->arrays == 0 &&
           !scan->wrong;
}

/* Goes on to `to` at most; no mark is before that. `bytes`: those of the source at scan->at, with
 * LIMIT_PADDING readable ones behind `to`. */
void element_clean_pass(struct element_scan *scan, const uint8_t *bytes, uint64_t to);

#endif
