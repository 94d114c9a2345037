/* http_transfer.c - see the header. Thread: the owner's; the callbacks are libcurl's, inside
 * curl_multi_perform(). Owns the handle, its list of header lines, the reply while it grows. */
#include "io/http/http_transfer.h"

#include <stdio.h>
#include <stdlib.h>

#define CONNECT_MS_DEFAULT 10000u

/* ---- libcurl's callbacks: inside curl_multi_perform() ---- */

static int on_connected(void *context, char *remote, char *local, int remote_port, int local_port)
{
    (void)remote, (void)local;
    struct http_transfer *const transfer = context;
    uint64_t const now = http_watch_now();
    transfer->connected_us = now;
    transfer->rounds++;
    transfer->socket = http_sockets_find(&transfer->hub->sockets, local_port, remote_port);
    http_watch_start(&transfer->watch, now);
    return CURL_PREREQFUNC_OK;
}

static size_t on_send(char *out, size_t size, size_t count, void *context)
{
    struct http_transfer *const transfer = context;
    /* libcurl stops by itself, but not when the connection is to be closed behind the answer (7.88,
     * lib/http.c).
     */
    if (transfer->build.status >= 300) {
        transfer->paused = true;
        return CURL_READFUNC_PAUSE;
    }
    size_t const length = http_cursor_read(&transfer->cursor, (uint8_t *)out, size * count);
    transfer->hub->moved += length;
    return length;
}

static int on_seek(void *context, curl_off_t offset, int origin)
{
    struct http_transfer *const transfer = context;
    if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
    return http_cursor_seek(&transfer->cursor, (uint64_t)offset) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
    struct http_transfer *const transfer = context;
    transfer->refused = http_build_line(&transfer->build, line, size * count);
    if (transfer->build.status >= 200 && transfer->first_byte_us == 0)
        transfer->first_byte_us = http_watch_now();
    return transfer->refused == HTTP_OK ? size * count : 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct http_transfer *const transfer = context;
    struct http_request *const request = transfer->request;
    size_t const length = size * count;
    struct http_build *const build = &transfer->build;
    transfer->hub->moved += length;
    if (request->take != NULL && build->status / 100 == 2) {
        build->received += length;
        if (!request->take(request->context, (const uint8_t *)bytes, length))
            transfer->refused = HTTP_REFUSED;
    } else
        transfer->refused = http_build_body(build, (const uint8_t *)bytes, length, request->reply_max);
    return transfer->refused == HTTP_OK ? length : 0;
}

static bool set_callbacks(CURL *easy, struct http_transfer *transfer)
{
    bool ok = curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_send) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_READDATA, transfer) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK;
    return ok;
}

/* Gives it a handle, when it has none. */
static bool open_handle(struct http_transfer *transfer, struct http_hub *hub)
{
    if (transfer->easy != NULL) return true;
    transfer->hub = hub;
    CURL *const easy = http_handle_create(&hub->rules);
    if (easy == NULL) return false;
    if (!set_callbacks(easy, transfer)) {
        curl_easy_cleanup(easy);
        return false;
    }
    transfer->easy = easy;
    return true;
}

/* ---- one request ---- */

static bool set_method(CURL *easy, const struct http_request *request)
{
    /* GET first: it takes back what an earlier method set. */
    bool ok = curl_easy_setopt(easy, CURLOPT_HTTPGET, 1l) == CURLE_OK;
    const char *verb = NULL;
    switch (request->method) {
    case HTTP_GET: break;
    case HTTP_HEAD: ok = ok && curl_easy_setopt(easy, CURLOPT_NOBODY, 1l) == CURLE_OK; break;
    case HTTP_DELETE: verb = "DELETE"; break;
    case HTTP_POST:
        verb = "POST"; /* as PUT: libcurl's POST adds a Content-Type */
        /* fall through */
    case HTTP_PUT:
        ok = ok && curl_easy_setopt(easy, CURLOPT_UPLOAD, 1l) == CURLE_OK;
        ok = ok &&
             curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body_length) == CURLE_OK;
        break;
    }
    return ok && curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, verb) == CURLE_OK;
}

static bool set_headers(struct http_transfer *transfer, const struct http_request *request)
{
    if (!http_lines_make(&transfer->lines, request->headers, request->header_count)) return false;
    size_t const count = transfer->lines.count; /* never 0 */
    if (count > transfer->node_count) {
        struct curl_slist *const nodes = realloc(transfer->nodes, count * sizeof *nodes);
        if (nodes == NULL) return false;
        transfer->nodes = nodes;
        transfer->node_count = count;
    }
    char *line = NULL;
    for (size_t i = 0; i < count; i++) {
        line = http_lines_next(&transfer->lines, line);
        transfer->nodes[i] =
            (struct curl_slist){.data = line, .next = i + 1 < count ? &transfer->nodes[i + 1] : NULL};
    }
    return curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->nodes) == CURLE_OK;
}

static bool set_request(struct http_transfer *transfer, uint64_t now_us)
{
    const struct http_request *const request = transfer->request;
    CURL *const easy = transfer->easy;
    long const connect_ms = request->connect_ms == 0 ? CONNECT_MS_DEFAULT : (long)request->connect_ms;
    long timeout_ms = 0;
    if (request->timeout_ms != 0) { /* it has waited for a while */
        timeout_ms = (long)request->timeout_ms - (long)((now_us - transfer->started_us) / 1000);
        if (timeout_ms < 1) timeout_ms = 1; /* 0 would be none */
    }
    bool ok = curl_easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK;
    ok = ok && set_method(easy, request) && set_headers(transfer, request);
    ok = ok && curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms) == CURLE_OK;
    return ok &&
           curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh_connection ? 1l : 0l) == CURLE_OK;
}

bool http_transfer_begin(struct http_transfer *transfer, struct http_hub *hub,
                         const struct http_waiting *waiting)
{
    struct http_request *const request = waiting->request;
    if (!open_handle(transfer, hub)) return false;
    transfer->request = request;
    transfer->cursor = (struct http_cursor){.spans = request->body, .count = request->body_count};
    transfer->watch = (struct http_watch){0};
    transfer->socket = -1;
    transfer->started_us = waiting->started_us;
    transfer->connected_us = transfer->first_byte_us = 0;
    transfer->refused = HTTP_OK;
    transfer->rounds = 0;
    transfer->paused = false;
    transfer->error[0] = '\0';
    if (set_request(transfer, http_watch_now()) &&
        curl_multi_add_handle(hub->multi, transfer->easy) == CURLM_OK) {
        request->transfer = transfer;
        hub->running++;
        return true;
    }
    http_lines_wipe(&transfer->lines);
    transfer->request = NULL;
    return false;
}

bool http_transfer_begin_anew(struct http_transfer *transfer, CURLcode code)
{
    long connects = 0;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connects);
    if (code != CURLE_SEND_ERROR || connects != 0 || transfer->rounds != 1 || transfer->build.status != 0)
        return false;
    CURLM *const multi = transfer->hub->multi;
    transfer->error[0] = '\0';
    return curl_multi_remove_handle(multi, transfer->easy) == CURLM_OK &&
           http_cursor_seek(&transfer->cursor, 0) &&
           curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, 1l) == CURLE_OK &&
           curl_multi_add_handle(multi, transfer->easy) == CURLM_OK;
}

uint64_t http_transfer_silence(struct http_transfer *transfer, uint64_t now_us)
{
    curl_off_t sent = 0;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    const struct http_build *const build = &transfer->build;
    uint64_t const counted = (uint64_t)sent + build->received + build->line_bytes;
    return http_watch_silence(&transfer->watch, counted, transfer->socket, now_us);
}

/* ---- its end ---- */

/* From the started request to the event; 0: it didn't come. */
static uint64_t since(const struct http_transfer *transfer, uint64_t event_us)
{
    if (event_us == 0) return 0;
    return event_us > transfer->started_us ? event_us - transfer->started_us : 1;
}

static void fill_reply(struct http_transfer *transfer, enum http_failure failure, const char *text)
{
    struct http_reply *const reply = &transfer->request->reply;
    curl_off_t sent = 0;
    long connects = 0;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connects);
    reply->sent = (uint64_t)sent;
    reply->reused = transfer->rounds > 0 && connects == 0;
    reply->replayed = transfer->rounds > 1;
    reply->connect_us = since(transfer, transfer->connected_us);
    reply->first_byte_us = since(transfer, transfer->first_byte_us);
    reply->total_us = since(transfer, http_watch_now());
    if (!http_build_give(&transfer->build, reply)) {
        failure = HTTP_MEMORY;
        text = "no memory for the headers of the reply";
    }
    reply->failure = failure;
    if (failure != HTTP_OK) (void)snprintf(reply->failure_text, sizeof reply->failure_text, "%s", text);
    for (char *letter = reply->failure_text; *letter != '\0'; letter++)
        if ((unsigned char)*letter < ' ') *letter = ' '; /* one line; libcurl's may have several */
}

void http_transfer_release(struct http_transfer *transfer)
{
    struct http_hub *const hub = transfer->hub;
    (void)curl_multi_remove_handle(hub->multi, transfer->easy);
    (void)curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, NULL);
    http_lines_wipe(&transfer->lines);
    http_build_reset(&transfer->build);
    transfer->request->transfer = NULL;
    transfer->request = NULL;
    hub->running--;
}

void http_transfer_end(struct http_transfer *transfer, enum http_failure failure, const char *text)
{
    struct http_request *const request = transfer->request;
    fill_reply(transfer, failure, text);
    http_transfer_release(transfer);
    if (request->done != NULL) request->done(request->context, request);
}

void http_transfer_close(struct http_transfer *transfer)
{
    if (transfer->easy != NULL) curl_easy_cleanup(transfer->easy);
    http_lines_free(&transfer->lines);
    http_build_free(&transfer->build);
    free(transfer->nodes);
}
