/* http_queue.h - requests that wait for a connection, in order. Pure. One owner. Private to io/http. */
#ifndef PENSTOCK_IO_HTTP_HTTP_QUEUE_H
#define PENSTOCK_IO_HTTP_HTTP_QUEUE_H

#include "io/http/http.h"

struct http_waiting {
    struct http_request *request;
    uint64_t started_us;
};

/* Zeroed is empty. */
struct http_queue {
    struct http_waiting *items; /* the waiting ones from head */
    size_t head, count, size;
};

bool http_queue_add(struct http_queue *queue, struct http_request *request,
                    uint64_t now_us);                                     /* false: no memory */
bool http_queue_take(struct http_queue *queue, struct http_waiting *out); /* false: empty */
bool http_queue_holds(const struct http_queue *queue, const struct http_request *request);
bool http_queue_leave(struct http_queue *queue, const struct http_request *request); /* false: wasn't there */
/* Takes out the first whose timeout_ms is over. */
bool http_queue_expire(struct http_queue *queue, uint64_t now_us, struct http_waiting *out);
void http_queue_free(struct http_queue *queue);

#endif
