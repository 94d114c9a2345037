/* http.h - HTTP/1.1 requests, many at once, by libcurl's multi interface. The only folder that knows libcurl.
 *
 * One struct http belongs to one thread, which starts requests and turns the wheel:
 *
 *     http_start(http, &request);  ...  while (work) http_turn(http, 200);     // calls request.done()
 *
 * http_perform() is the blocking form for who has one request at a time. Connections are kept alive and
 * reused (up to `connections` at once; further requests wait inside). An answer of 300 or more that comes
 * while the body is still being sent ends the sending and is the reply; a lower one that a broken connection
 * follows is HTTP_BROKEN. Redirects are not followed, nothing is retried (but for a kept connection that
 * turns out to be dead: `replayed`), `Expect: 100-continue` is not sent unless asked for: all of that is the
 * caller's to decide. TLS 1.2 or newer, certificates always verified. Proxies: HTTPS_PROXY, HTTP_PROXY's
 * lower-case form, NO_PROXY, ALL_PROXY as libcurl reads them.
 *
 * Ownership: a request and all it points at is the caller's and must stay until done() was called or
 * http_cancel() returned; reply.body and reply.headers live until http_reply_free().
 * Thread rule: everything by the owning thread, but for http_wake(), which any thread may call.
 * http_global_start() once by main before any thread, http_global_stop() at the end. */
#ifndef PENSTOCK_IO_HTTP_HTTP_H
#define PENSTOCK_IO_HTTP_HTTP_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of headers of one reply that are kept; more fails the request (HTTP_BAD_REPLY). S3 sends about 1 KiB.
 */
#define HTTP_REPLY_HEADERS_MAX (64u * 1024)

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_PUT, HTTP_POST, HTTP_DELETE };

/* Why there is no (whole) reply. HTTP_OK: there is one, whatever its status. */
enum http_failure {
    HTTP_OK,
    HTTP_RESOLVE,   /* no such host */
    HTTP_CONNECT,   /* refused, unreachable, connect time-out */
    HTTP_TLS_TRUST, /* the certificate is not trusted */
    HTTP_TLS,       /* the handshake failed for another reason */
    HTTP_STALLED,   /* no byte for stall_seconds, or the whole took longer than timeout_ms */
    HTTP_BROKEN,    /* the connection was reset or closed too early */
    HTTP_BAD_REPLY, /* not HTTP, too many headers, body longer than reply_max */
    HTTP_PROXY,     /* the proxy refused */
    HTTP_MEMORY,
    HTTP_REFUSED /* request.take() said no */
};

struct http_span {
    const uint8_t *bytes;
    size_t length;
};

struct http_header {
    const char *name, *value;
};

struct http_reply {
    enum http_failure failure;
    char failure_text[256]; /* libcurl's words, without secrets or URLs' queries */
    unsigned status;        /* 0: none came; may be set with a failure too (an early answer, a cut body) */
    const struct http_header *headers; /* in order; names in lower case */
    size_t header_count;
    uint8_t *body; /* terminated by a 0 that is not counted; NULL when there is none or take() took it */
    size_t body_length;
    uint64_t sent, received;                      /* body bytes */
    uint64_t connect_us, first_byte_us, total_us; /* from http_start(); 0: not reached */
    bool reused;                                  /* the connection had served before */
    bool replayed; /* sent twice: the first connection died without an answer. What isn't idempotent may have
                      been done twice */
    void *storage; /* http_reply.c's */
};

struct http_request {
    enum http_method method;
    const char *url; /* whole, encoded, with scheme; sent as it is (no path normalisation) */
    /* All but Content-Length, which is the body's. `Host` is allowed. A header of libcurl's own (Accept,
     * Content-Type, Expect) is not sent unless listed. */
    const struct http_header *headers;
    size_t header_count;
    const struct http_span *body; /* PUT, POST: sent from where it lies; may be read again from its start when
                                     the connection turns out to be dead and libcurl begins anew */
    size_t body_count;
    uint64_t body_length;   /* the sum of the spans */
    size_t reply_max;       /* bytes of body kept; more: HTTP_BAD_REPLY */
    uint32_t connect_ms;    /* 0: 10,000 */
    uint32_t timeout_ms;    /* of the whole, from http_start(); 0: none */
    uint32_t stall_seconds; /* without a byte in either direction, once connected; 0: none */
    bool fresh_connection;  /* a new connection and address: for a repeat after a stall */
    /* Takes the body of a reply with a 2xx status as it comes, instead of keeping it; NULL: kept. */
    bool (*take)(void *context, const uint8_t *bytes, size_t length);
    void (*done)(void *context, struct http_request *request); /* in http_turn(); may start others */
    void *context;
    struct http_reply reply;
    void *transfer; /* http_transfer.c's */
};

struct http_options {
    uint32_t connections;  /* at most at once */
    const char *ca_bundle; /* file; NULL: the system's */
    const char *user_agent;
    bool no_proxy;         /* metadata services: never by a proxy */
    size_t upload_buffer;  /* libcurl's, a connection that sends; 0: 64 KiB; at most 2 MiB */
    size_t receive_buffer; /* libcurl's, a connection; 0: 64 KiB; at most 512 KiB */
    struct track *track;   /* of the owning thread: its sleeps (core/flow/track.h); NULL: not told */
};

struct http;
struct track;

enum status http_global_start(struct fault *fault);
void http_global_stop(void);

struct http *http_create(const struct http_options *options, struct fault *fault);
void http_destroy(struct http *http); /* cancels what runs; takes NULL */

/* STATUS_IO: no memory; STATUS_INTERNAL: a header can't be sent (a line end in it). Nothing was started then.
 * May be called in done(), and in take(). */
enum status http_start(struct http *http, struct http_request *request, struct fault *fault);
/* done() is not called. Nothing happens when it was called already. Not in take(). */
void http_cancel(struct http *http, struct http_request *request);
/* Moves all transfers on, waits up to `wait_ms` for something to do. Calls done() of what ended. */
void http_turn(struct http *http, uint32_t wait_ms);
void http_wake(struct http *http); /* ends the wait of http_turn() */
size_t http_running(const struct http *http);
/* Bytes of bodies that went either way, from create on. */
uint64_t http_moved(const struct http *http);

/* Runs one request to its end. False: stopped, by `stop` (asked every 200 ms; NULL: never). */
bool http_perform(struct http *http, struct http_request *request, bool (*stop)(void *context),
                  void *context);

/* A header of the reply, NULL: not there. `name` in lower case. */
const char *http_reply_header(const struct http_reply *reply, const char *name);
void http_reply_free(struct http_reply *reply);
/* "can't connect", ...: for messages. */
const char *http_failure_text(enum http_failure failure);

#endif
