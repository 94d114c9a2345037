/* http_watch.h - since when has a connection been silent?
 *
 * libcurl's own LOW_SPEED options average over seconds and count a byte as sent when the kernel took it,
 * which on a slow line is long before it left. Here the kernel is asked what the peer has acknowledged and
 * sent. Thread rule: one owner. Private to io/http. */
#ifndef PENSTOCK_IO_HTTP_HTTP_WATCH_H
#define PENSTOCK_IO_HTTP_HTTP_WATCH_H

#include <stdint.h>

/* Zeroed: never looked. */
struct http_watch {
    uint64_t bytes;    /* sum of all counters when they last changed */
    uint64_t since_us; /* then */
};

uint64_t http_watch_now(void); /* microseconds, monotonic, never 0 */
/* (Re)starts: silence counts from now. */
void http_watch_start(struct http_watch *watch, uint64_t now_us);
/* `counted`: bytes in both directions that the caller knows of; `socket`: -1 for none. Returns the
 * microseconds of silence. */
uint64_t http_watch_silence(struct http_watch *watch, uint64_t counted, int socket, uint64_t now_us);

#endif
