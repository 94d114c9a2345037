/* http_reply.h - a reply as it grows out of header lines and body bytes. Pure: no libcurl, no socket.
 *
 * The buffer of the headers is kept from one reply to the next; what the caller gets is copied out (headers)
 * or handed over (body). Thread rule: one owner. Private to io/http. */
#ifndef PENSTOCK_IO_HTTP_HTTP_REPLY_H
#define PENSTOCK_IO_HTTP_HTTP_REPLY_H

#include "io/http/http.h"

struct http_build_header {
    uint32_t name, value; /* where they begin in text */
};

/* Zeroed is empty. */
struct http_build {
    char *text; /* "name\0value\0name\0value\0" */
    size_t text_length, text_size;
    struct http_build_header *headers;
    size_t header_count, header_size;
    size_t line_bytes; /* of all lines as they came: what HTTP_REPLY_HEADERS_MAX bounds */
    uint8_t *body;
    size_t body_length, body_size;
    uint64_t received; /* body bytes, kept or taken */
    unsigned status;   /* of the newest status line, 1xx too */
    bool head_ended;   /* its blank line has come */
};

/* One line with or without its line end. A status line begins the reply anew. HTTP_OK, HTTP_BAD_REPLY (too
 * many bytes) or HTTP_MEMORY. */
enum http_failure http_build_line(struct http_build *build, const char *line, size_t length);
/* Keeps body bytes, at most `most` in all. */
enum http_failure http_build_body(struct http_build *build, const uint8_t *bytes, size_t length, size_t most);
/* Does the head say where the body ends, and is all of that here? `without_body`: the request was a HEAD. */
bool http_build_is_whole(const struct http_build *build, bool without_body);
/* Does the head say where the body ends, other than by closing? */
bool http_build_is_framed(const struct http_build *build);
/* Gives status, headers and body to `reply`. False: no memory; reply has the status only. */
bool http_build_give(struct http_build *build, struct http_reply *reply);
void http_build_reset(struct http_build *build); /* for the next reply */
void http_build_free(struct http_build *build);

#endif
