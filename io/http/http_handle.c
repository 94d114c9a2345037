/* http_handle.c - see the header. Thread: the owner's. Owns nothing. */
#include "io/http/http_handle.h"

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

long http_handle_upload_buffer(size_t wanted)
{
    if (wanted == 0) return (long)UPLOAD_BUFFER_DEFAULT;
    if (wanted < UPLOAD_BUFFER_MIN) return (long)UPLOAD_BUFFER_MIN;
    return (long)(wanted < UPLOAD_BUFFER_MAX ? wanted : UPLOAD_BUFFER_MAX);
}

long http_handle_receive_buffer(size_t wanted)
{
    if (wanted == 0) return (long)RECEIVE_BUFFER_DEFAULT;
    return (long)(wanted < RECEIVE_BUFFER_MAX ? wanted : RECEIVE_BUFFER_MAX);
}

static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    return http_sockets_open(context, address->family, address->socktype, address->protocol);
}

/* Also for kept connections, in curl_multi_cleanup(). */
static int on_close(void *context, curl_socket_t socket)
{
    return http_sockets_close(context, socket);
}

static bool set_security(CURL *easy, const struct http_handle_rules *rules)
{
    bool ok = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1l) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2l) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_SHARE, rules->share) == CURLE_OK;
    if (rules->ca_bundle != NULL) {
        /* In place of the system's certificates, not beside them. */
        ok = ok && curl_easy_setopt(easy, CURLOPT_CAINFO, rules->ca_bundle) == CURLE_OK;
        ok = ok && curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK;
        ok = ok && curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, rules->ca_bundle) == CURLE_OK;
        ok = ok && curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL) == CURLE_OK;
    }
    return ok;
}

static bool set_connection(CURL *easy, const struct http_handle_rules *rules)
{
    bool ok = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1l) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, rules->sockets) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, rules->sockets) == CURLE_OK;
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
    if (rules->no_proxy) ok = ok && curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK;
    return ok;
}

static bool set_protocol(CURL *easy, const struct http_handle_rules *rules)
{
    bool ok = curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0l) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1l) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, rules->receive_buffer) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, rules->upload_buffer) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_USERAGENT, rules->user_agent) == CURLE_OK;
    return ok;
}

CURL *http_handle_create(const struct http_handle_rules *rules)
{
    CURL *const easy = curl_easy_init();
    if (easy == NULL) return NULL;
    if (set_security(easy, rules) && set_connection(easy, rules) && set_protocol(easy, rules)) return easy;
    curl_easy_cleanup(easy);
    return NULL;
}
