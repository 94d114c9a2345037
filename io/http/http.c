/* http.c - requests by libcurl's multi interface (7.88): the wheel that turns the transfers.
 *
 * A request waits in a queue until one of `connections` transfers (http_transfer.h) is free; one that was
 * used is used again. The queue is ours, because libcurl 7.88 doesn't look at the clock of handles that wait
 * for a connection. How a transfer ended is http_judge.h's to say.
 *
 * Thread: the owner of the struct http, but for http_wake().
 * Owns: the multi handle, what is shared, the transfers, the queue. */
#include "io/http/http.h"

#include "core/flow/track.h"
#include "io/http/http_judge.h"
#include "io/http/http_memory.h"
#include "io/http/http_queue.h"
#include "io/http/http_transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often silence and waiting requests are looked at, and http_perform() asks whether to stop. */
#define SWEEP_US 200000u
#define STOP_MS  200u

struct http {
    struct http_hub hub;
    CURLSH *share;
    char *ca_bundle, *user_agent;
    struct http_transfer *transfers; /* one a connection; easy handles are made when first needed */
    size_t connections;
    struct http_queue queue;
    struct track *track; /* borrowed; may be NULL */
    uint64_t swept_us;
};

enum status http_global_start(struct fault *fault)
{
    CURLcode const code = curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, http_memory_free,
                                               http_memory_resize, strdup, calloc);
    if (code == CURLE_OK) return STATUS_OK;
    return fault_set(fault, STATUS_IO, "can't start libcurl: %s", curl_easy_strerror(code));
}

void http_global_stop(void)
{
    curl_global_cleanup();
}

/* ---- create and destroy ---- */

/* No lock functions: all handles belong to one thread. */
static bool set_shared(struct http *http)
{
    long const most = (long)http->connections;
    return curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK &&
           curl_multi_setopt(http->hub.multi, CURLMOPT_MAXCONNECTS, most) == CURLM_OK &&
           curl_multi_setopt(http->hub.multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most) == CURLM_OK;
}

struct http *http_create(const struct http_options *options, struct fault *fault)
{
    struct http *const http = calloc(1, sizeof *http);
    if (http == NULL) goto failed;
    http->connections = options->connections == 0 ? 1 : options->connections;
    http->track = options->track;
    http->transfers = calloc(http->connections, sizeof *http->transfers);
    http->hub.multi = curl_multi_init();
    http->share = curl_share_init();
    if (http->transfers == NULL || http->hub.multi == NULL || http->share == NULL) goto failed;
    if (options->ca_bundle != NULL && (http->ca_bundle = strdup(options->ca_bundle)) == NULL) goto failed;
    if (options->user_agent != NULL && (http->user_agent = strdup(options->user_agent)) == NULL) goto failed;
    if (!set_shared(http)) goto failed;
    http->hub.rules =
        (struct http_handle_rules){.share = http->share,
                                   .ca_bundle = http->ca_bundle,
                                   .user_agent = http->user_agent,
                                   .no_proxy = options->no_proxy,
                                   .upload_buffer = http_handle_upload_buffer(options->upload_buffer),
                                   .receive_buffer = http_handle_receive_buffer(options->receive_buffer),
                                   .sockets = &http->hub.sockets};
    return http;
failed:
    http_destroy(http);
    (void)fault_set(fault, STATUS_IO, "no memory for HTTP connections; lower --connections");
    return NULL;
}

void http_destroy(struct http *http)
{
    if (http == NULL) return;
    for (size_t i = 0; http->transfers != NULL && i < http->connections; i++)
        if (http->transfers[i].request != NULL) http_transfer_release(&http->transfers[i]);
    /* In this order: handles use the share, and closing connections needs a handle's settings. */
    for (size_t i = 0; http->transfers != NULL && i < http->connections; i++)
        http_transfer_close(&http->transfers[i]);
    if (http->hub.multi != NULL) (void)curl_multi_cleanup(http->hub.multi);
    if (http->share != NULL) (void)curl_share_cleanup(http->share);
    free(http->transfers);
    http_queue_free(&http->queue);
    http_sockets_free(&http->hub.sockets);
    free(http->ca_bundle);
    free(http->user_agent);
    free(http);
}

/* ---- the wheel ---- */

/* Ends a request that has no transfer. */
static void fail_waiting(struct http_request *request, enum http_failure failure, uint64_t waited_us,
                         const char *text)
{
    request->reply.failure = failure;
    request->reply.total_us = waited_us;
    (void)snprintf(request->reply.failure_text, sizeof request->reply.failure_text, "%.255s", text);
    if (request->done != NULL) request->done(request->context, request);
}

static struct http_transfer *find_free(struct http *http)
{
    if (http->hub.running == http->connections) return NULL;
    for (size_t i = 0; i < http->connections; i++)
        if (http->transfers[i].request == NULL) return &http->transfers[i];
    return NULL;
}

/* Fills the connections. done() of a request that can't begin may start and cancel others. */
static void admit(struct http *http)
{
    struct http_transfer *transfer;
    struct http_waiting waiting;
    while ((transfer = find_free(http)) != NULL && http_queue_take(&http->queue, &waiting))
        if (!http_transfer_begin(transfer, &http->hub, &waiting))
            fail_waiting(waiting.request, HTTP_MEMORY, http_watch_now() - waiting.started_us,
                         "no memory for a request");
}

static void conclude(struct http_transfer *transfer, CURLcode code)
{
    const char *text;
    if (http_transfer_begin_anew(transfer, code)) return;
    enum http_failure const failure = http_judge(transfer, code, &text);
    http_transfer_end(transfer, failure, text);
}

static void collect(struct http *http)
{
    CURLMsg *message;
    int left;
    /* A message is gone with the next call into libcurl: what is needed is copied first. */
    while ((message = curl_multi_info_read(http->hub.multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) continue;
        CURLcode const code = message->data.result;
        struct http_transfer *transfer = NULL;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        conclude(transfer, code);
    }
}

static void sweep_transfer(struct http_transfer *transfer, uint64_t now_us)
{
    if (transfer->connected_us == 0) return; /* libcurl's connect time-out */
    uint64_t const silent_us = http_transfer_silence(transfer, now_us);
    uint32_t const seconds = transfer->request->stall_seconds;
    if (http_judge_early_answer(transfer, silent_us)) {
        http_transfer_end(transfer, HTTP_OK, "");
    } else if (seconds != 0 && silent_us >= (uint64_t)seconds * 1000000) {
        char text[64];
        (void)snprintf(text, sizeof text, "no byte for %u seconds", seconds);
        http_transfer_end(transfer, HTTP_STALLED, text);
    }
}

static void sweep(struct http *http)
{
    uint64_t const now = http_watch_now();
    if (now - http->swept_us < SWEEP_US) return;
    http->swept_us = now;
    for (size_t i = 0; i < http->connections; i++)
        if (http->transfers[i].request != NULL) sweep_transfer(&http->transfers[i], now);
    struct http_waiting waiting;
    while (http_queue_expire(&http->queue, now, &waiting))
        fail_waiting(waiting.request, HTTP_STALLED, now - waiting.started_us,
                     "waited too long for a free connection");
}

void http_turn(struct http *http, uint32_t wait_ms)
{
    admit(http);
    int running;
    if (http->hub.running > 0 && wait_ms > SWEEP_US / 1000) wait_ms = SWEEP_US / 1000;
    struct track_mark const mark = track_begin(http->track);
    (void)curl_multi_poll(http->hub.multi, NULL, 0, (int)(wait_ms > INT32_MAX ? INT32_MAX : wait_ms), NULL);
    track_end(http->track, mark, TRACK_WAIT_NETWORK, 0);
    (void)curl_multi_perform(http->hub.multi, &running);
    collect(http);
    sweep(http);
}

void http_wake(struct http *http)
{
    (void)curl_multi_wakeup(http->hub.multi);
}

uint64_t http_moved(const struct http *http)
{
    return http->hub.moved;
}

size_t http_running(const struct http *http)
{
    return http->hub.running + http->queue.count;
}

enum status http_start(struct http *http, struct http_request *request, struct fault *fault)
{
    request->reply = (struct http_reply){0};
    request->transfer = NULL;
    const char *const bad = http_lines_check(request->headers, request->header_count);
    if (bad != NULL)
        return fault_set(fault, STATUS_INTERNAL, "header %s of an HTTP request can't be sent as it is", bad);
    if (!http_queue_add(&http->queue, request, http_watch_now()))
        return fault_set(fault, STATUS_IO, "no memory for an HTTP request");
    return STATUS_OK;
}

void http_cancel(struct http *http, struct http_request *request)
{
    if (request->transfer != NULL)
        http_transfer_release(request->transfer);
    else
        (void)http_queue_leave(&http->queue, request);
}

bool http_perform(struct http *http, struct http_request *request, bool (*stop)(void *context), void *context)
{
    struct fault fault;
    if (http_start(http, request, &fault) != STATUS_OK) {
        fail_waiting(request, fault.status == STATUS_IO ? HTTP_MEMORY : HTTP_REFUSED, 0, fault.message);
        return true;
    }
    while (request->transfer != NULL || http_queue_holds(&http->queue, request)) {
        if (stop != NULL && stop(context)) {
            http_cancel(http, request);
            return false;
        }
        http_turn(http, STOP_MS);
    }
    return true;
}
