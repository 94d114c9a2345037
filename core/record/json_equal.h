/* json_equal.h - do two JSON values mean the same, however they are spelled? Pure and reentrant. */
#ifndef PENSTOCK_CORE_RECORD_JSON_EQUAL_H
#define PENSTOCK_CORE_RECORD_JSON_EQUAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Do two scalar tokens stand for the same value, as RFC 9535 compares them? Numbers by value, however long;
 * strings by their text; other types when equal. Containers never. */
bool json_equal(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length);

#ifdef __cplusplus
}
#endif

#endif
