/* http_send.h - what goes out: a place in a body of several spans, and header lines in one block. Pure.
 * Thread rule: one owner. Private to io/http. */
#ifndef PENSTOCK_IO_HTTP_HTTP_SEND_H
#define PENSTOCK_IO_HTTP_HTTP_SEND_H

#include "io/http/http.h"

/* The next byte to read. Zeroed: the begin of an empty body. */
struct http_cursor {
    const struct http_span *spans;
    size_t count;
    size_t span, offset;
};

/* Copies the next bytes, at most `size`; 0 at the end. */
size_t http_cursor_read(struct http_cursor *cursor, uint8_t *out, size_t size);
/* False: behind the end. */
bool http_cursor_seek(struct http_cursor *cursor, uint64_t position);

/* Header lines as libcurl wants them, terminated by 0, in one block that is kept for the next request. It
 * holds signatures and tokens: http_lines_wipe() after use. Zeroed is empty. */
struct http_lines {
    char *block;
    size_t used, size;
    size_t count;
};

/* NULL, or the name of a header that can't be sent: a line end in it, no name ("(nameless)"), Content-Length.
 */
const char *http_lines_check(const struct http_header *headers, size_t count);
/* The caller's, and those that keep libcurl from adding its own. False: no memory. */
bool http_lines_make(struct http_lines *lines, const struct http_header *headers, size_t count);
/* The line behind `line`, the first for NULL; count says how many there are. */
char *http_lines_next(const struct http_lines *lines, const char *line);
void http_lines_wipe(struct http_lines *lines);
void http_lines_free(struct http_lines *lines);

#endif
