/* http_watch.c - notices silence by the kernel's counters of a TCP connection (linux/tcp.h: tcp_info).
 * Thread: whoever owns the watch. Owns nothing; the socket is looked at only. */
#include "io/http/http_watch.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <time.h>

uint64_t http_watch_now(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) return 1;
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u + 1;
}

/* Bytes that the peer acknowledged and sent; 0 where the kernel doesn't say (before 4.1). */
static uint64_t kernel_bytes(int socket)
{
    struct tcp_info info;
    socklen_t length = sizeof info;
    if (socket < 0 || getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return 0;
    if (length < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received) return 0;
    return info.tcpi_bytes_acked + info.tcpi_bytes_received;
}

void http_watch_start(struct http_watch *watch, uint64_t now_us)
{
    *watch = (struct http_watch){.since_us = now_us};
}

uint64_t http_watch_silence(struct http_watch *watch, uint64_t counted, int socket, uint64_t now_us)
{
    uint64_t const bytes = counted + kernel_bytes(socket);
    if (bytes != watch->bytes) { /* also when it is less: another connection */
        watch->bytes = bytes;
        watch->since_us = now_us;
    }
    return now_us - watch->since_us;
}
