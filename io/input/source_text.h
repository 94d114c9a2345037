/* source_text.h - which form a text has: lines of JSON, or another one that is refused by name.
 *
 * Pure. Thread rule: any thread. */
#ifndef PENSTOCK_IO_INPUT_SOURCE_TEXT_H
#define PENSTOCK_IO_INPUT_SOURCE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* The first bytes of a text, without its byte order mark; `whole`: it ends here. NULL: NDJSON as far as one
 * can see; else a phrase that goes on after "FILE: ". */
const char *source_text_judge(const uint8_t *text, const uint8_t *end, bool whole);
/* The same for what is no JSON at all: CSV, HTML or XML, in place of data. */
const char *source_text_foreign(const uint8_t *text, const uint8_t *end);

#endif
