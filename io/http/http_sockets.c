/* http_sockets.c - opens, closes and finds sockets. Thread: the owner's.
 * Owns the list; a socket is libcurl's from open to close. */
#include "io/http/http_sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define ITEMS_FIRST 16u

int http_sockets_open(struct http_sockets *sockets, int domain, int type, int protocol)
{
    if (sockets->count == sockets->size) {
        size_t const size = sockets->size == 0 ? ITEMS_FIRST : sockets->size * 2;
        int *const items = realloc(sockets->items, size * sizeof *items);
        if (items == NULL) {
            errno = ENOMEM;
            return -1;
        }
        sockets->items = items;
        sockets->size = size;
    }
    int const made = socket(domain, type | SOCK_CLOEXEC, protocol);
    if (made >= 0) sockets->items[sockets->count++] = made;
    return made;
}

int http_sockets_close(struct http_sockets *sockets, int socket)
{
    for (size_t i = 0; i < sockets->count; i++)
        if (sockets->items[i] == socket) {
            sockets->items[i] = sockets->items[--sockets->count];
            break;
        }
    return close(socket);
}

typedef int name_fn(int socket, struct sockaddr *restrict address, socklen_t *restrict length);

/* -1: not connected, or not of the Internet. */
static int port_of(int socket, name_fn *name)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    if (name(socket, (struct sockaddr *)&address, &length) != 0) return -1;
    if (address.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&address)->sin_port);
    if (address.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return -1;
}

int http_sockets_find(const struct http_sockets *sockets, int local_port, int remote_port)
{
    for (size_t i = 0; i < sockets->count; i++)
        if (port_of(sockets->items[i], getsockname) == local_port &&
            port_of(sockets->items[i], getpeername) == remote_port)
            return sockets->items[i];
    return -1;
}

void http_sockets_free(struct http_sockets *sockets)
{
    free(sockets->items);
    *sockets = (struct http_sockets){0};
}
