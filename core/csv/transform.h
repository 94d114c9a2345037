/* transform.h - what a job may do to a text before it is written: trim, lower, upper, sha256.
 *
 * Texts are valid UTF-8 (the record was checked) and may hold NUL. Case mapping is Unicode's simple mapping,
 * one code point to one (libutf8proc), so that a length grows at most as UTF-8 lengths of single code points
 * do; sharp s has no simple upper case and stays.
 *
 * Thread rule: pure and reentrant. */
#ifndef PENSTOCK_CORE_CSV_TRANSFORM_H
#define PENSTOCK_CORE_CSV_TRANSFORM_H

#include <stddef.h>

/* JSON white space (space, TAB, LF, CR) off both ends: moves *text and shortens *length. */
void transform_trim(const char **text, size_t *length);

/* Bytes that transform_lower/upper may write for `length` bytes of input: a 2-byte code point can map to a
 * 3-byte one (U+023A lower is U+2C65), a 1-byte one never grows. */
size_t transform_case_bound(size_t length);
/* Write the mapped text to `out` (transform_case_bound() bytes, may not overlap); return its length. */
size_t transform_lower(const char *text, size_t length, char *out);
size_t transform_upper(const char *text, size_t length, char *out);

#endif
