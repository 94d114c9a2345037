/* http_desk.h - a small HTTP server on 127.0.0.1 inside a test: one thread accepts, one thread a connection
 * runs the test's script on plain sockets. The script sees every byte and may answer, stall, cut or reset
 * where it likes. Owns its threads and sockets until desk_close(), which the test calls when its clients are
 * gone. */
#ifndef PENSTOCK_TESTS_UNIT_HTTP_DESK_H
#define PENSTOCK_TESTS_UNIT_HTTP_DESK_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define DESK_LINKS_MAX 256u
#define DESK_HEAD_MAX  16384u

struct desk;

struct desk_link {
    struct desk *desk;
    pthread_t thread;
    int socket;
    unsigned number; /* of the connection, from 0 */
    char held[DESK_HEAD_MAX];
    size_t held_length; /* read, not used yet */
    char head[DESK_HEAD_MAX];
};

typedef void desk_script(struct desk_link *link);

struct desk {
    desk_script *script;
    void *context; /* the script's */
    int listener;
    uint16_t port;
    pthread_t thread;
    atomic_uint links, open, open_most, requests;
    atomic_bool closing;
    pthread_mutex_t mutex; /* over last_head */
    char last_head[DESK_HEAD_MAX];
    struct desk_link *link[DESK_LINKS_MAX];
};

/* What a body of the tests holds at `at`: no short period, so that a slip shows. */
static inline uint8_t desk_byte(uint64_t at)
{
    return (uint8_t)(at ^ (at >> 8) * 31 ^ (at >> 16) * 7);
}

static void *desk_run_link(void *context)
{
    struct desk_link *const link = context;
    link->desk->script(link);
    if (link->socket >= 0) (void)close(link->socket);
    atomic_fetch_sub(&link->desk->open, 1);
    return NULL;
}

static void *desk_accept(void *context)
{
    struct desk *const desk = context;
    for (;;) {
        int const socket = accept(desk->listener, NULL, NULL);
        unsigned const number = atomic_load(&desk->links);
        if (socket < 0 || number == DESK_LINKS_MAX) return NULL;
        /* No script waits for ever, whatever a broken client does. */
        struct timeval const patience = {.tv_sec = 60};
        (void)setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        struct desk_link *const link = calloc(1, sizeof *link);
        if (link == NULL) abort();
        link->desk = desk;
        link->socket = socket;
        link->number = number;
        desk->link[number] = link;
        unsigned const open = atomic_fetch_add(&desk->open, 1) + 1;
        if (open > atomic_load(&desk->open_most)) atomic_store(&desk->open_most, open);
        atomic_store(&desk->links, number + 1);
        if (pthread_create(&link->thread, NULL, desk_run_link, link) != 0) abort();
    }
}

static inline void desk_open(struct desk *desk, desk_script *script, void *context)
{
    memset(desk, 0, sizeof *desk);
    desk->script = script;
    desk->context = context;
    (void)pthread_mutex_init(&desk->mutex, NULL);
    desk->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (desk->listener < 0 || bind(desk->listener, (struct sockaddr *)&address, length) != 0 ||
        listen(desk->listener, 128) != 0 ||
        getsockname(desk->listener, (struct sockaddr *)&address, &length) != 0)
        abort();
    desk->port = ntohs(address.sin_port);
    if (pthread_create(&desk->thread, NULL, desk_accept, desk) != 0) abort();
}

/* A port at which nobody listens, nor will as long as the socket is held, which is the caller's to close: one
 * that was free a moment ago may be another test's by now. */
static inline int desk_closed_port(uint16_t *port)
{
    int const held = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (held < 0 || bind(held, (struct sockaddr *)&address, length) != 0 ||
        getsockname(held, (struct sockaddr *)&address, &length) != 0)
        abort();
    *port = ntohs(address.sin_port);
    return held;
}

static inline void desk_close(struct desk *desk)
{
    atomic_store(&desk->closing, true);
    (void)shutdown(desk->listener, SHUT_RDWR); /* ends accept() */
    (void)pthread_join(desk->thread, NULL);
    (void)close(desk->listener);
    for (unsigned i = 0; i < atomic_load(&desk->links); i++) {
        (void)pthread_join(desk->link[i]->thread, NULL);
        free(desk->link[i]);
    }
    (void)pthread_mutex_destroy(&desk->mutex);
}

/* ---- for scripts ---- */

/* The next head, with its blank line, into link->head. False: the client is gone. */
static inline bool desk_read_head(struct desk_link *link)
{
    for (;;) {
        char *const end = memmem(link->held, link->held_length, "\r\n\r\n", 4);
        if (end != NULL) {
            size_t const length = (size_t)(end - link->held) + 4;
            memcpy(link->head, link->held, length);
            link->head[length] = '\0';
            link->held_length -= length;
            memmove(link->held, link->held + length, link->held_length);
            break;
        }
        ssize_t const got =
            recv(link->socket, link->held + link->held_length, sizeof link->held - 1 - link->held_length, 0);
        if (got <= 0) return false;
        link->held_length += (size_t)got;
    }
    struct desk *const desk = link->desk;
    (void)pthread_mutex_lock(&desk->mutex);
    memcpy(desk->last_head, link->head, sizeof link->head);
    (void)pthread_mutex_unlock(&desk->mutex);
    atomic_fetch_add(&desk->requests, 1);
    return true;
}

static inline uint64_t desk_content_length(const struct desk_link *link)
{
    const char *const header = strcasestr(link->head, "\r\ncontent-length:");
    return header == NULL ? 0 : strtoull(header + 17, NULL, 10);
}

/* Reads `length` bytes of a body. Bytes that came and are not desk_byte()'s from `at` on make `*differs`,
 * also of a body that ends too early. False: the client is gone. */
static inline bool desk_take_body(struct desk_link *link, uint64_t at, uint64_t length, bool *differs)
{
    uint8_t piece[16384];
    for (uint64_t const end = at + length; at < end;) {
        size_t want = end - at < sizeof piece ? (size_t)(end - at) : sizeof piece;
        if (link->held_length > 0) {
            if (want > link->held_length) want = link->held_length;
            memcpy(piece, link->held, want);
            link->held_length -= want;
            memmove(link->held, link->held + want, link->held_length);
        } else {
            ssize_t const got = recv(link->socket, piece, want, 0);
            if (got <= 0) return false;
            want = (size_t)got;
        }
        for (size_t i = 0; i < want; i++)
            *differs |= piece[i] != desk_byte(at + i);
        at += want;
    }
    return true;
}

/* False: the client is gone, or the bytes differ. */
static inline bool desk_read_body(struct desk_link *link, uint64_t at, uint64_t length)
{
    bool differs = false;
    return desk_take_body(link, at, length, &differs) && !differs;
}

/* Reads and drops whatever comes, to the end. */
static inline void desk_drain(struct desk_link *link)
{
    char piece[16384];
    while (recv(link->socket, piece, sizeof piece, 0) > 0) {
    }
}

/* Neither reads nor writes until the desk closes. */
static inline void desk_sleep(struct desk_link *link)
{
    while (!atomic_load(&link->desk->closing))
        (void)usleep(1000);
}

static inline bool desk_say_bytes(struct desk_link *link, const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length > 0) {
        ssize_t const sent = send(link->socket, at, length, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        at += sent;
        length -= (size_t)sent;
    }
    return true;
}

static inline bool desk_say(struct desk_link *link, const char *text)
{
    return desk_say_bytes(link, text, strlen(text));
}

/* Ends the connection by a RST. */
static inline void desk_reset(struct desk_link *link)
{
    struct linger const now = {.l_onoff = 1};
    (void)setsockopt(link->socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    (void)close(link->socket);
    link->socket = -1;
}

/* Does the request's target begin so? */
static inline bool desk_asked(const struct desk_link *link, const char *target)
{
    const char *const blank = strchr(link->head, ' ');
    return blank != NULL && strncmp(blank + 1, target, strlen(target)) == 0;
}

#endif
