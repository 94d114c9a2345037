/* http_client_desk.h - the client's side of the tests of io/http, and the scripts that many of them give the
 * server (http_desk.h). A client that hangs fails by its timeout_ms, since no failure is then what a case
 * expects. */
#ifndef PENSTOCK_TESTS_UNIT_HTTP_CLIENT_DESK_H
#define PENSTOCK_TESTS_UNIT_HTTP_CLIENT_DESK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/http/http.h"
#include "tests/unit/http_desk.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define COUNT(array)  (sizeof(array) / sizeof *(array))
#define PATIENCE_MS   60000u
#define MIB           (1024u * 1024)
#define URL_SIZE      128u
#define UPLOAD_BUFFER (64u * 1024)

/* ---- the client's side ---- */

static inline struct http *open_http(uint32_t connections)
{
    struct fault fault = {0};
    struct http_options const options = {
        .connections = connections, .user_agent = "test/1", .upload_buffer = UPLOAD_BUFFER};
    struct http *const http = http_create(&options, &fault);
    assert_non_null(http);
    return http;
}

static const char *url_of(const struct desk *desk, const char *target, char out[URL_SIZE])
{
    (void)snprintf(out, URL_SIZE, "http://127.0.0.1:%u%s", desk->port, target);
    return out;
}

static inline struct http_request make(enum http_method method, const char *url)
{
    return (struct http_request){
        .method = method, .url = url, .reply_max = MIB, .timeout_ms = PATIENCE_MS, .stall_seconds = 50};
}

static inline void perform(struct http *http, struct http_request *request, enum http_failure failure,
                           unsigned status)
{
    assert_true(http_perform(http, request, NULL, NULL));
    if (request->reply.failure != failure)
        print_error("%s: %s\n", http_failure_text(request->reply.failure), request->reply.failure_text);
    assert_int_equal(request->reply.failure, failure);
    assert_int_equal(request->reply.status, status);
    assert_int_equal(failure == HTTP_OK, request->reply.failure_text[0] == '\0');
    assert_null(strchr(request->reply.failure_text, '\n'));
}

/* One request for `target`, its reply freed. */
static inline void get(struct desk *desk, struct http *http, const char *target, enum http_failure failure,
                       unsigned status)
{
    char url[URL_SIZE];
    struct http_request request = make(HTTP_GET, url_of(desk, target, url));
    perform(http, &request, failure, status);
    http_reply_free(&request.reply);
}

static inline uint8_t *make_body(size_t length)
{
    uint8_t *const body = malloc(length);
    assert_non_null(body);
    for (size_t i = 0; i < length; i++)
        body[i] = desk_byte(i);
    return body;
}

/* PUT of `length` bytes. The caller frees the reply. */
static inline struct http_request put(struct desk *desk, struct http *http, size_t length,
                                      enum http_failure failure, unsigned status)
{
    char url[URL_SIZE];
    uint8_t *const bytes = make_body(length);
    struct http_span const span = {bytes, length};
    struct http_request request = make(HTTP_PUT, url_of(desk, "/put", url));
    request.body = &span;
    request.body_count = 1;
    request.body_length = length;
    perform(http, &request, failure, status);
    free(bytes);
    request.body = NULL;
    request.url = NULL;
    return request;
}

/* ---- scripts ---- */

#define ANSWER_OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nETag: \"abc\"\r\n\r\nok"

/* Reads requests and answers them, on and on. A wrong body is a 400. */
static inline void serve_well(struct desk_link *link)
{
    while (desk_read_head(link)) {
        uint64_t const length = desk_content_length(link);
        if (!desk_read_body(link, 0, length)) {
            (void)desk_say(link, "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n");
            return;
        }
        bool const head = strncmp(link->head, "HEAD ", 5) == 0;
        (void)desk_say_bytes(link, ANSWER_OK, sizeof ANSWER_OK - 1 - (head ? 2 : 0));
    }
}

/* Answers with the text of the context; for several connections the same. Then closes in order. */
static inline void serve_text(struct desk_link *link)
{
    if (!desk_read_head(link) || !desk_read_body(link, 0, desk_content_length(link))) return;
    (void)desk_say(link, link->desk->context);
    (void)shutdown(link->socket, SHUT_WR);
    desk_drain(link);
}

static inline int start_group(void **state)
{
    (void)state;
    static const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                          "ALL_PROXY",  "no_proxy",    "NO_PROXY"};
    for (size_t i = 0; i < COUNT(proxies); i++)
        (void)unsetenv(proxies[i]);
    return http_global_start(NULL) == STATUS_OK ? 0 : -1;
}

static inline int stop_group(void **state)
{
    (void)state;
    http_global_stop();
    return 0;
}

static inline void serve_half_and_silence(struct desk_link *link)
{
    if (!desk_read_head(link)) return;
    (void)desk_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    desk_drain(link);
}

#endif
