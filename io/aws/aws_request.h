/* aws_request.h - a request to an AWS service before it is signed, and after.
 *
 * Texts are borrowed. Pure. */
#ifndef PENSTOCK_IO_AWS_AWS_REQUEST_H
#define PENSTOCK_IO_AWS_AWS_REQUEST_H

#include "io/http/http.h"

#include <stdbool.h>
#include <stddef.h>

/* The largest operation (Create with all its options, ten tags in one header) has some 25 headers. */
#define AWS_HEADERS_MAX 48u
/* The largest listing has 6. */
#define AWS_QUERY_MAX 12u

struct aws_pair {
    const char *name, *value; /* as meant, not encoded */
};

struct aws_request {
    enum http_method method;
    const char *scheme; /* "https" or "http" */
    const char *host;   /* with ":port" where it is not the scheme's */
    const char *path;   /* begins with '/', as meant, not encoded: "/prefix/a b.csv" */
    struct aws_pair query[AWS_QUERY_MAX];
    size_t query_count;
    struct aws_pair
        headers[AWS_HEADERS_MAX]; /* without host, x-amz-date, x-amz-security-token, authorization */
    size_t header_count;
};

/* A request ready to be sent. Lies in one block of memory, since the headers hold a session token. */
struct aws_signed {
    const char *url;
    struct http_header headers[AWS_HEADERS_MAX + 8];
    size_t header_count;
    char *block; /* wiped and freed by aws_signed_free() */
    size_t block_size;
};

void aws_signed_free(struct aws_signed *signed_request); /* zeroed is fine */

/* RFC 3986's unreserved characters stay, all else becomes %XX (capitals); '/' stays when `keep_slash`.
 * Returns the length that it needs; writes at most `size` bytes, terminated. */
size_t aws_encode(const char *text, bool keep_slash, char *out, size_t size);

#endif
