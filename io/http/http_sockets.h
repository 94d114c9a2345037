/* http_sockets.h - the sockets that libcurl has open for one struct http, to look at a connection's counters.
 *
 * libcurl 7.88 tells a transfer's socket (CURLINFO_ACTIVESOCKET) only when the transfer has ended, but the
 * ports of its connection when it begins. Thread rule: one owner. Private to io/http. */
#ifndef PENSTOCK_IO_HTTP_HTTP_SOCKETS_H
#define PENSTOCK_IO_HTTP_HTTP_SOCKETS_H

#include <stddef.h>

/* Zeroed is empty. */
struct http_sockets {
    int *items;
    size_t count, size;
};

int http_sockets_open(struct http_sockets *sockets, int domain, int type, int protocol); /* -1 and errno */
int http_sockets_close(struct http_sockets *sockets, int socket);
/* The one between these ports, -1: none. */
int http_sockets_find(const struct http_sockets *sockets, int local_port, int remote_port);
void http_sockets_free(struct http_sockets *sockets); /* closes nothing: libcurl has */

#endif
