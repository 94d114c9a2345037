/* output_text.h - texts that come from outside (file names, source names, messages) made safe to write: as
 * the inside of a JSON string, and for a message on a terminal.
 *
 * File names are bytes, not text: what is not well-formed UTF-8 must not reach a JSON file (RFC 8259, 8.1),
 * and a control character must not reach a terminal. Pure and reentrant. */
#ifndef PENSTOCK_IO_OUTPUT_OUTPUT_TEXT_H
#define PENSTOCK_IO_OUTPUT_OUTPUT_TEXT_H

#include <stddef.h>

/* Bytes that one byte of text can become: "\u001f" in JSON. */
#define OUTPUT_TEXT_JSON_GROWTH 6u

/* Room for a name in a message: a NAME_MAX name with some escapes, or most paths; a fault (FAULT_MESSAGE_MAX)
 * holds two of these and a sentence. Longer ones are cut and end in "...". */
#define OUTPUT_TEXT_PRINTABLE 768u

/* Writes the inside of a JSON string (no quotes around it) and a terminator; returns its length. A byte that
 * is not well-formed UTF-8 becomes U+FFFD, one for each byte: the text is then readable, and marked as
 * damaged, where \u00XX would look like another name. Room of length * OUTPUT_TEXT_JSON_GROWTH + 1 is always
 * enough; in less the text is cut behind a whole character. `size` is at least 1. */
size_t output_text_json(const char *text, size_t length, char *out, size_t size);

/* Writes a terminated text for a message: control characters (C0, DEL, C1) and bytes that are not well-formed
 * UTF-8 as \xNN, a backslash doubled. Returns `out`. `size` is at least 8. */
const char *output_text_printable(const char *text, char *out, size_t size);

#endif
