/* source_text.h - texts that are no JSON, which are refused by name.
 *
 * Pure. Thread rule: any thread. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_TEXT_H
#define PENSTOCK_IO_INPUT_SOURCE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* The first bytes of a text, without its byte order mark. NULL, or a phrase that goes on after "FILE: ": what
 * stands in place of data: HTML, XML. */
const char *source_text_foreign(const uint8_t *text, const uint8_t *end);
/* The same for CSV, which only a guess tells from broken records. */
const char *source_text_judge(const uint8_t *text, const uint8_t *end);

#endif
