/* json_container.h - the syntax and the text of JSON values that hold others: objects and arrays, all the way
 * down. RFC 8259. Pure and reentrant, without recursion.
 *
 * Offsets are bytes from the value's begin. Bytes are as json_text.h says of tokens; that strings close is
 * checked here again, since a container's end is the caller's guess. */
#ifndef PENSTOCK_CORE_RECORD_JSON_CONTAINER_H
#define PENSTOCK_CORE_RECORD_JSON_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An object or array: is its syntax right, all the way down? Writes its text without the blanks between
 * tokens to `out` (at most `length` bytes; NULL: only look) and its length to *written. `brackets` has room
 * for depth_max + 1 bytes. False: the first wrong byte is at *bad. */
bool json_container(const uint8_t *text, size_t length, uint8_t *brackets, uint32_t depth_max, uint8_t *out,
                    size_t *written, size_t *bad);

/* A whole value of either kind: is it well-formed? */
bool json_is_value(const uint8_t *text, size_t length, uint8_t *brackets, uint32_t depth_max);

#ifdef __cplusplus
}
#endif

#endif
