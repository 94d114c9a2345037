/* http.c - requests by libcurl's multi interface (7.88). The only file that includes curl/curl.h.
 *
 * A request waits in a queue until one of `connections` transfers is free. A transfer is an easy handle with
 * its options set once, and all that a request in flight needs; it is used again for the next one. The queue
 * is ours, because libcurl 7.88 doesn't look at the clock of handles that wait for a connection.
 *
 * Thread: the owner of the struct http, but for http_wake().
 * Owns: handles, buffers of replies while they grow. A body is read from where the caller has it. */
#include "io/http/http.h"

#include "core/flow/track.h"
#include "io/http/http_memory.h"
#include "io/http/http_queue.h"
#include "io/http/http_reply.h"
#include "io/http/http_send.h"
#include "io/http/http_sockets.h"
#include "io/http/http_watch.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_MS_DEFAULT     10000u
#define UPLOAD_BUFFER_DEFAULT  (64u * 1024)
#define UPLOAD_BUFFER_MIN      (16u * 1024)       /* libcurl's bounds */
#define UPLOAD_BUFFER_MAX      (2u * 1024 * 1024) /* libcurl's bounds */
#define RECEIVE_BUFFER_DEFAULT (64u * 1024)       /* one recv(): four TLS records */
#define RECEIVE_BUFFER_MAX     (512u * 1024)      /* libcurl's bound before 7.88 */
/* S3 closes what was idle for 5 s (observed by the AWS CRT); a second less leaves time for the way. */
#define IDLE_SECONDS_MAX 4l
/* A connection is left after that, so that new addresses in the DNS get their share. */
#define LIFETIME_SECONDS_MAX 300l
#define KEEPALIVE_IDLE       30l
#define KEEPALIVE_INTERVAL   10l
/* How often silence and waiting requests are looked at, and http_perform() asks whether to stop. */
#define SWEEP_US 200000u
#define STOP_MS  200u
/* An early answer that doesn't say where it ends (no length) is taken for whole after that silence: the
 * server may be waiting for the rest of a body that we no longer send. */
#define EARLY_QUIET_US 1000000u
struct transfer {
    CURL *easy;
    struct http *http;
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

struct http {
    CURLM *multi;
    CURLSH *share; /* TLS sessions: a new connection of any transfer resumes */
    char *ca_bundle, *user_agent;
    bool no_proxy;
    long upload_buffer, receive_buffer;
    struct transfer *transfers; /* one a connection; easy handles are made when first needed */
    size_t connections, running;
    struct http_queue queue;
    struct http_sockets sockets;
    struct track *track; /* borrowed; may be NULL */
    uint64_t moved;
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

/* ---- libcurl's callbacks: inside curl_multi_perform() ---- */

static int on_connected(void *context, char *remote, char *local, int remote_port, int local_port)
{
    (void)remote, (void)local;
    struct transfer *const transfer = context;
    uint64_t const now = http_watch_now();
    transfer->connected_us = now;
    transfer->rounds++;
    transfer->socket = http_sockets_find(&transfer->http->sockets, local_port, remote_port);
    http_watch_start(&transfer->watch, now);
    return CURL_PREREQFUNC_OK;
}

static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct http *const http = context;
    return http_sockets_open(&http->sockets, address->family, address->socktype, address->protocol);
}

/* Also for kept connections, in curl_multi_cleanup(). */
static int on_close(void *context, curl_socket_t socket)
{
    struct http *const http = context;
    return http_sockets_close(&http->sockets, socket);
}

static size_t on_send(char *out, size_t size, size_t count, void *context)
{
    struct transfer *const transfer = context;
    /* libcurl stops by itself, but not when the connection is to be closed behind the answer (7.88, http.c).
     */
    if (transfer->build.status >= 300) {
        transfer->paused = true;
        return CURL_READFUNC_PAUSE;
    }
    size_t const length = http_cursor_read(&transfer->cursor, (uint8_t *)out, size * count);
    transfer->http->moved += length;
    return length;
}

static int on_seek(void *context, curl_off_t offset, int origin)
{
    struct transfer *const transfer = context;
    if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
    return http_cursor_seek(&transfer->cursor, (uint64_t)offset) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
    struct transfer *const transfer = context;
    transfer->refused = http_build_line(&transfer->build, line, size * count);
    if (transfer->build.status >= 200 && transfer->first_byte_us == 0)
        transfer->first_byte_us = http_watch_now();
    return transfer->refused == HTTP_OK ? size * count : 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct transfer *const transfer = context;
    struct http_request *const request = transfer->request;
    size_t const length = size * count;
    struct http_build *const build = &transfer->build;
    transfer->http->moved += length;
    if (request->take != NULL && build->status / 100 == 2) {
        build->received += length;
        if (!request->take(request->context, (const uint8_t *)bytes, length))
            transfer->refused = HTTP_REFUSED;
    } else
        transfer->refused = http_build_body(build, (const uint8_t *)bytes, length, request->reply_max);
    return transfer->refused == HTTP_OK ? length : 0;
}

/* ---- handles ---- */

static bool set_security(CURL *easy, const struct http *http)
{
    bool ok = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1l) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2l) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_SHARE, http->share) == CURLE_OK;
    if (http->ca_bundle != NULL) {
        /* In place of the system's certificates, not beside them. */
        ok = ok && curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca_bundle) == CURLE_OK;
        ok = ok && curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK;
        ok = ok && curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, http->ca_bundle) == CURLE_OK;
        ok = ok && curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL) == CURLE_OK;
    }
    return ok;
}

static bool set_connection(CURL *easy, struct http *http)
{
    bool ok = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1l) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, http) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, http) == CURLE_OK;
    /* Not to wait for a thread in getaddrinfo() when a request is cancelled. */
    ok = ok && curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1l) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1l) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1l) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, IDLE_SECONDS_MAX) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, LIFETIME_SECONDS_MAX) == CURLE_OK;
    /* libcurl shuffles an answer of the DNS once and then keeps it: without a cache every connection gets an
     * address of its own, which is how S3 wants its load spread. */
    ok = ok && curl_easy_setopt(easy, CURLOPT_DNS_SHUFFLE_ADDRESSES, 1l) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0l) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1l) == CURLE_OK;
    if (http->no_proxy) ok = ok && curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK;
    return ok;
}

static bool set_protocol(CURL *easy, const struct http *http)
{
    bool ok = curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0l) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1l) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, http->receive_buffer) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, http->upload_buffer) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_USERAGENT, http->user_agent) == CURLE_OK;
    return ok;
}

static bool set_callbacks(CURL *easy, struct transfer *transfer)
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

static bool transfer_open(struct transfer *transfer, struct http *http)
{
    if (transfer->easy != NULL) return true;
    transfer->http = http;
    CURL *const easy = curl_easy_init();
    if (easy == NULL) return false;
    if (!set_security(easy, http) || !set_connection(easy, http) || !set_protocol(easy, http) ||
        !set_callbacks(easy, transfer)) {
        curl_easy_cleanup(easy);
        return false;
    }
    transfer->easy = easy;
    return true;
}

static void transfer_close(struct transfer *transfer)
{
    if (transfer->easy != NULL) curl_easy_cleanup(transfer->easy);
    http_lines_free(&transfer->lines);
    http_build_free(&transfer->build);
    free(transfer->nodes);
}

struct http *http_create(const struct http_options *options, struct fault *fault)
{
    struct http *const http = calloc(1, sizeof *http);
    if (http == NULL) goto failed;
    http->connections = options->connections == 0 ? 1 : options->connections;
    http->no_proxy = options->no_proxy;
    http->track = options->track;
    size_t buffer = options->upload_buffer == 0 ? UPLOAD_BUFFER_DEFAULT : options->upload_buffer;
    if (buffer < UPLOAD_BUFFER_MIN) buffer = UPLOAD_BUFFER_MIN;
    if (buffer > UPLOAD_BUFFER_MAX) buffer = UPLOAD_BUFFER_MAX;
    http->upload_buffer = (long)buffer;
    size_t const receives = options->receive_buffer == 0 ? RECEIVE_BUFFER_DEFAULT : options->receive_buffer;
    http->receive_buffer = (long)(receives < RECEIVE_BUFFER_MAX ? receives : RECEIVE_BUFFER_MAX);
    http->transfers = calloc(http->connections, sizeof *http->transfers);
    http->multi = curl_multi_init();
    http->share = curl_share_init();
    if (http->transfers == NULL || http->multi == NULL || http->share == NULL) goto failed;
    if (options->ca_bundle != NULL && (http->ca_bundle = strdup(options->ca_bundle)) == NULL) goto failed;
    if (options->user_agent != NULL && (http->user_agent = strdup(options->user_agent)) == NULL) goto failed;
    /* No lock functions: all handles belong to one thread. */
    long const most = (long)http->connections;
    if (curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK ||
        curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, most) != CURLM_OK ||
        curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most) != CURLM_OK)
        goto failed;
    return http;
failed:
    http_destroy(http);
    (void)fault_set(fault, STATUS_IO, "no memory for HTTP connections; lower --connections");
    return NULL;
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

static bool set_headers(struct transfer *transfer, const struct http_request *request)
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

static bool set_request(struct transfer *transfer, uint64_t now_us)
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

/* From the started request to the event; 0: it didn't come. */
static uint64_t since(const struct transfer *transfer, uint64_t event_us)
{
    if (event_us == 0) return 0;
    return event_us > transfer->started_us ? event_us - transfer->started_us : 1;
}

static void fill_reply(struct transfer *transfer, enum http_failure failure, const char *text)
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

/* Off the multi handle: libcurl keeps the connection when the transfer came to its end, else closes it. */
static void transfer_release(struct transfer *transfer)
{
    struct http *const http = transfer->http;
    (void)curl_multi_remove_handle(http->multi, transfer->easy);
    (void)curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, NULL);
    http_lines_wipe(&transfer->lines);
    http_build_reset(&transfer->build);
    transfer->request->transfer = NULL;
    transfer->request = NULL;
    http->running--;
}

static void transfer_end(struct transfer *transfer, enum http_failure failure, const char *text)
{
    struct http_request *const request = transfer->request;
    fill_reply(transfer, failure, text);
    transfer_release(transfer);
    if (request->done != NULL) request->done(request->context, request);
}

/* Ends a request that has no transfer. */
static void fail_waiting(struct http_request *request, enum http_failure failure, uint64_t waited_us,
                         const char *text)
{
    request->reply.failure = failure;
    request->reply.total_us = waited_us;
    (void)snprintf(request->reply.failure_text, sizeof request->reply.failure_text, "%.255s", text);
    if (request->done != NULL) request->done(request->context, request);
}

/* ---- what libcurl says when a transfer ended ---- */

/* A time-out means what it was doing. */
static enum http_failure judge_timeout(const struct transfer *transfer)
{
    uint64_t const total = http_watch_now() - transfer->started_us;
    uint32_t const timeout_ms = transfer->request->timeout_ms;
    if (transfer->connected_us != 0 || (timeout_ms != 0 && total >= (uint64_t)timeout_ms * 1000))
        return HTTP_STALLED;
    curl_off_t resolved = 0;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
    return resolved == 0 ? HTTP_RESOLVE : HTTP_CONNECT;
}

/* A connection that broke before it was up: a proxy that refused is told apart by its status. */
static enum http_failure judge_broken(const struct transfer *transfer)
{
    long status = 0;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    return transfer->connected_us == 0 && status != 0 && status / 100 != 2 ? HTTP_PROXY : HTTP_BROKEN;
}

/* A handshake that was cut is no matter of TLS; libcurl tells it by its text only. */
static enum http_failure judge_handshake(const struct transfer *transfer)
{
    static const char *const cuts[] = {"SSL_ERROR_SYSCALL", "onnection reset", "unexpected eof",
                                       "roken pipe"};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++)
        if (strstr(transfer->error, cuts[i]) != NULL) return HTTP_BROKEN;
    return HTTP_TLS;
}

static enum http_failure judge(const struct transfer *transfer, CURLcode code)
{
    bool const connected = transfer->connected_us != 0;
    switch (code) {
    case CURLE_OK: return HTTP_OK;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_URL_MALFORMAT: return HTTP_RESOLVE;
    case CURLE_UNSUPPORTED_PROTOCOL:
        return connected ? HTTP_BAD_REPLY : HTTP_RESOLVE; /* HTTP/0.9, or ftp:// */
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY: return HTTP_PROXY;
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED: return HTTP_CONNECT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE: return HTTP_TLS_TRUST;
    case CURLE_SSL_CONNECT_ERROR: return judge_handshake(transfer);
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_USE_SSL_FAILED: return HTTP_TLS;
    case CURLE_OPERATION_TIMEDOUT: return judge_timeout(transfer);
    case CURLE_OUT_OF_MEMORY: /* 7.88's word for a header line of more than 100 KiB, too */
        return transfer->build.status != 0 && !transfer->build.head_ended ? HTTP_BAD_REPLY : HTTP_MEMORY;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING: return HTTP_BAD_REPLY;
    default: return judge_broken(transfer);
    }
}

/* libcurl's own words, unless they might quote a URL or a proxy with its password. */
static const char *safe_text(const struct transfer *transfer, CURLcode code)
{
    const char *const text = transfer->error;
    bool const quotes = strstr(text, "://") != NULL || strchr(text, '?') != NULL || strchr(text, '@') != NULL;
    return text[0] == '\0' || quotes ? curl_easy_strerror(code) : text;
}

/* A reused connection that died under the body: libcurl goes on with a fresh one when it learns of it by
 * reading, but not when by writing. The same here, once. */
static bool begin_anew(struct transfer *transfer, CURLcode code)
{
    long connects = 0;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connects);
    if (code != CURLE_SEND_ERROR || connects != 0 || transfer->rounds != 1 || transfer->build.status != 0)
        return false;
    CURLM *const multi = transfer->http->multi;
    transfer->error[0] = '\0';
    return curl_multi_remove_handle(multi, transfer->easy) == CURLM_OK &&
           http_cursor_seek(&transfer->cursor, 0) &&
           curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, 1l) == CURLE_OK &&
           curl_multi_add_handle(multi, transfer->easy) == CURLM_OK;
}

static void conclude(struct transfer *transfer, CURLcode code)
{
    const struct http_request *const request = transfer->request;
    const struct http_build *const build = &transfer->build;
    if (begin_anew(transfer, code)) return;
    enum http_failure failure = judge(transfer, code);
    const char *text = safe_text(transfer, code);
    if (transfer->refused != HTTP_OK) {
        failure = transfer->refused;
        text = failure == HTTP_BAD_REPLY ? "the reply is longer than expected" : http_failure_text(failure);
    } else if (failure == HTTP_BROKEN && build->status >= 300 &&
               http_build_is_whole(build, request->method == HTTP_HEAD)) {
        failure = HTTP_OK; /* what broke after the whole answer doesn't matter */
    } else if (failure == HTTP_OK && build->status < 200) {
        failure = HTTP_BAD_REPLY;
        text = "no final status";
    } else if (failure == HTTP_OK && build->status < 300 && request->method == HTTP_PUT) {
        curl_off_t sent = 0;
        (void)curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
        if ((uint64_t)sent < request->body_length) {
            failure = HTTP_BROKEN;
            text = "answered before the whole body was sent";
        }
    }
    transfer_end(transfer, failure, text);
}

/* ---- the wheel ---- */

static struct transfer *find_free(struct http *http)
{
    if (http->running == http->connections) return NULL;
    for (size_t i = 0; i < http->connections; i++)
        if (http->transfers[i].request == NULL) return &http->transfers[i];
    return NULL;
}

static bool begin(struct http *http, struct transfer *transfer, const struct http_waiting *waiting)
{
    struct http_request *const request = waiting->request;
    if (!transfer_open(transfer, http)) return false;
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
        curl_multi_add_handle(http->multi, transfer->easy) == CURLM_OK) {
        request->transfer = transfer;
        http->running++;
        return true;
    }
    http_lines_wipe(&transfer->lines);
    transfer->request = NULL;
    return false;
}

/* Fills the connections. done() of a request that can't begin may start and cancel others. */
static void admit(struct http *http)
{
    struct transfer *transfer;
    struct http_waiting waiting;
    while ((transfer = find_free(http)) != NULL && http_queue_take(&http->queue, &waiting))
        if (!begin(http, transfer, &waiting))
            fail_waiting(waiting.request, HTTP_MEMORY, http_watch_now() - waiting.started_us,
                         "no memory for a request");
}

static void collect(struct http *http)
{
    CURLMsg *message;
    int left;
    /* A message is gone with the next call into libcurl: what is needed is copied first. */
    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) continue;
        CURLcode const code = message->data.result;
        struct transfer *transfer = NULL;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        conclude(transfer, code);
    }
}

static uint64_t silence(struct transfer *transfer, uint64_t now_us)
{
    curl_off_t sent = 0;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    const struct http_build *const build = &transfer->build;
    uint64_t const counted = (uint64_t)sent + build->received + build->line_bytes;
    return http_watch_silence(&transfer->watch, counted, transfer->socket, now_us);
}

/* Is the answer because of which we stopped sending here? libcurl doesn't end a transfer whose sending
 * pauses. */
static bool is_early_answer_here(const struct transfer *transfer, uint64_t silent_us)
{
    if (!transfer->paused) return false;
    return http_build_is_whole(&transfer->build, false) ||
           (silent_us >= EARLY_QUIET_US && !http_build_is_framed(&transfer->build));
}

static void sweep_transfer(struct transfer *transfer, uint64_t now_us)
{
    if (transfer->connected_us == 0) return; /* libcurl's connect time-out */
    uint64_t const silent_us = silence(transfer, now_us);
    uint32_t const seconds = transfer->request->stall_seconds;
    if (is_early_answer_here(transfer, silent_us)) {
        transfer_end(transfer, HTTP_OK, "");
    } else if (seconds != 0 && silent_us >= (uint64_t)seconds * 1000000) {
        char text[64];
        (void)snprintf(text, sizeof text, "no byte for %u seconds", seconds);
        transfer_end(transfer, HTTP_STALLED, text);
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
    if (http->running > 0 && wait_ms > SWEEP_US / 1000) wait_ms = SWEEP_US / 1000;
    struct track_mark const mark = track_begin(http->track);
    (void)curl_multi_poll(http->multi, NULL, 0, (int)(wait_ms > INT32_MAX ? INT32_MAX : wait_ms), NULL);
    track_end(http->track, mark, TRACK_WAIT_NETWORK, 0);
    (void)curl_multi_perform(http->multi, &running);
    collect(http);
    sweep(http);
}

void http_wake(struct http *http)
{
    (void)curl_multi_wakeup(http->multi);
}

uint64_t http_moved(const struct http *http)
{
    return http->moved;
}

size_t http_running(const struct http *http)
{
    return http->running + http->queue.count;
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
        transfer_release(request->transfer);
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

void http_destroy(struct http *http)
{
    if (http == NULL) return;
    for (size_t i = 0; http->transfers != NULL && i < http->connections; i++)
        if (http->transfers[i].request != NULL) transfer_release(&http->transfers[i]);
    /* In this order: handles use the share, and closing connections needs a handle's settings. */
    for (size_t i = 0; http->transfers != NULL && i < http->connections; i++)
        transfer_close(&http->transfers[i]);
    if (http->multi != NULL) (void)curl_multi_cleanup(http->multi);
    if (http->share != NULL) (void)curl_share_cleanup(http->share);
    free(http->transfers);
    http_queue_free(&http->queue);
    http_sockets_free(&http->sockets);
    free(http->ca_bundle);
    free(http->user_agent);
    free(http);
}
