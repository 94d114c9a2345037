/* http_handle.h - an easy handle of libcurl, with what it keeps for all requests that it will carry: TLS, the
 * connection, the protocol.
 *
 * Ownership: the handle is the caller's (curl_easy_cleanup()). What the rules point at is borrowed until the
 * multi handle is gone, too, as that is what closes the last sockets. Thread rule: one owner. Private to
 * io/http, whose files have libcurl by this header alone. */
#ifndef PENSTOCK_IO_HTTP_HTTP_HANDLE_H
#define PENSTOCK_IO_HTTP_HTTP_HANDLE_H

#include "io/http/http_sockets.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

struct http_handle_rules {
    CURLSH *share;         /* TLS sessions: a new connection of any handle resumes */
    const char *ca_bundle; /* file; NULL: the system's */
    const char *user_agent;
    bool no_proxy;
    long upload_buffer, receive_buffer; /* bytes, as the next two say */
    struct http_sockets *sockets;       /* where those that are opened and closed are noted */
};

/* What libcurl takes of what is wanted; 0: the default (http.h). */
long http_handle_upload_buffer(size_t wanted);
long http_handle_receive_buffer(size_t wanted);

/* NULL: no memory, or a libcurl that lacks one of the options. */
CURL *http_handle_create(const struct http_handle_rules *rules);

#endif
