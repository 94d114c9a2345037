/* utf8.h - is a text well-formed UTF-8, and how many characters does it have: for texts of jobs and flags,
 * where clarity counts more than speed (records have simdjson's check). Pure and reentrant. */
#ifndef PENSTOCK_CORE_BASE_UTF8_H
#define PENSTOCK_CORE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most bytes that one character takes. */
#define UTF8_BYTES_MAX 4

/* Leading bytes that are whole, well-formed characters (Unicode 15, table 3-7): `length` when all are. */
size_t utf8_valid_prefix(const char *text, size_t length);
/* Code points in `length` bytes of valid UTF-8. */
size_t utf8_characters(const char *text, size_t length);
/* C0 and C1 control characters and DEL, anywhere in valid UTF-8. */
bool utf8_has_control(const char *text, size_t length);
/* Writes the code point (at most 0x10FFFF) and returns its bytes, 1 to UTF8_BYTES_MAX. */
size_t utf8_write(uint32_t character, char *out);

#endif
