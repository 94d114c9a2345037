/* http_transfer.h - one request in flight: an easy handle of libcurl and all that the request on it needs. It
 * is used again for the next one, its handle with its connection.
 *
 * Ownership: of the handle and of the buffers in which a reply grows; a body is read from where the caller
 * has it. Thread rule: one owner, that of the hub; libcurl calls back inside curl_multi_perform(). Private to
 * io/http. */
#ifndef PENSTOCK_IO_HTTP_HTTP_TRANSFER_H
#define PENSTOCK_IO_HTTP_HTTP_TRANSFER_H

#include "io/http/http_handle.h"
#include "io/http/http_queue.h"
#include "io/http/http_reply.h"
#include "io/http/http_send.h"
#include "io/http/http_watch.h"

/* What the transfers of one struct http have in common. */
struct http_hub {
    CURLM *multi;
    struct http_handle_rules rules;
    struct http_sockets sockets;
    size_t running; /* transfers with a request */
    uint64_t moved; /* bytes of bodies, either way */
};

/* Zeroed is free, without a handle. */
struct http_transfer {
    CURL *easy; /* NULL: not made yet */
    struct http_hub *hub;
    struct http_request *request; /* NULL: free */
    struct http_cursor cursor;
    struct http_lines lines;
    struct curl_slist *nodes; /* over the lines; of node_count */
    size_t node_count;
    struct http_build build;
    struct http_watch watch;
    int socket;                                       /* of its connection, to look at; -1: not known */
    uint64_t started_us, connected_us, first_byte_us; /* clock times; 0: not yet */
    enum http_failure refused;                        /* why a callback of ours ended it */
    unsigned rounds;                                  /* times that the request went out */
    bool paused; /* no more is sent, since an answer of 300 or more came */
    char error[CURL_ERROR_SIZE];
};

/* Starts it on a free transfer. False: no memory; the transfer is free then. */
bool http_transfer_begin(struct http_transfer *transfer, struct http_hub *hub,
                         const struct http_waiting *waiting);
/* A reused connection that died under the body: libcurl goes on with a fresh one when it learns of it by
 * reading, but not when by writing. The same here, once. `code`: how libcurl ended it. False: it is not that.
 */
bool http_transfer_begin_anew(struct http_transfer *transfer, CURLcode code);
/* Microseconds without a byte in either direction; of one that is connected. */
uint64_t http_transfer_silence(struct http_transfer *transfer, uint64_t now_us);
/* Fills the reply, frees the transfer, calls done(). `text`: of a failure. */
void http_transfer_end(struct http_transfer *transfer, enum http_failure failure, const char *text);
/* Off the multi handle, and free: libcurl keeps the connection when the transfer came to its end, else closes
 * it. done() is not called. */
void http_transfer_release(struct http_transfer *transfer);
void http_transfer_close(struct http_transfer *transfer); /* a free one: its memory */

#endif
