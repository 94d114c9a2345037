/* test_http.c - requests against a scripted server of plain sockets (http_desk.h): what is sent, what comes
 * back, what breaks, silence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/http_client_desk.h"

/* ---- what is sent ---- */

static void assert_head(struct desk *desk, const char *format)
{
    char expected[1024];
    (void)snprintf(expected, sizeof expected, format, desk->port);
    (void)pthread_mutex_lock(&desk->mutex);
    assert_string_equal(desk->last_head, expected);
    (void)pthread_mutex_unlock(&desk->mutex);
}

static void sends_heads_as_told(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, serve_well, NULL);
    struct http *const http = open_http(1);
    char url[URL_SIZE];
    struct http_header const headers[] = {{"x-amz-date", "20261122T030000Z"},
                                          {"Host", "bucket.s3.example"},
                                          {"X-Empty", ""},
                                          {"x-blank", "  "}};

    struct http_request request = make(HTTP_GET, url_of(&desk, "/a/../b//c%2F?uploads=&x=%20", url));
    perform(http, &request, HTTP_OK, 200);
    assert_head(&desk, "GET /a/../b//c%%2F?uploads=&x=%%20 HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
                       "User-Agent: test/1\r\n\r\n");
    assert_int_equal(request.reply.body_length, 2);
    assert_string_equal((char *)request.reply.body, "ok");
    http_reply_free(&request.reply);

    struct http_span const span = {(const uint8_t *)"\0\1\2", 3}; /* desk_byte() of 0, 1, 2 */
    request = make(HTTP_PUT, url_of(&desk, "/k", url));
    request.headers = headers;
    request.header_count = COUNT(headers);
    request.body = &span;
    request.body_count = 1;
    request.body_length = 3;
    perform(http, &request, HTTP_OK, 200);
    assert_head(&desk, "PUT /k HTTP/1.1\r\nHost: bucket.s3.example\r\nUser-Agent: test/1\r\n"
                       "x-amz-date: 20261122T030000Z\r\nX-Empty:\r\nx-blank:\r\nContent-Length: 3\r\n\r\n");
    assert_int_equal(request.reply.sent, 3);
    http_reply_free(&request.reply);

    request.method = HTTP_POST;
    request.header_count = 1;
    perform(http, &request, HTTP_OK, 200);
    assert_head(&desk, "POST /k HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: test/1\r\n"
                       "x-amz-date: 20261122T030000Z\r\nContent-Length: 3\r\n\r\n");
    http_reply_free(&request.reply);

    request = make(HTTP_POST, url_of(&desk, "/k?uploads=", url));
    perform(http, &request, HTTP_OK, 200);
    assert_head(&desk, "POST /k?uploads= HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: test/1\r\n"
                       "Content-Length: 0\r\n\r\n");
    http_reply_free(&request.reply);

    request.method = HTTP_HEAD;
    perform(http, &request, HTTP_OK, 200);
    assert_head(&desk, "HEAD /k?uploads= HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: test/1\r\n\r\n");
    assert_string_equal(http_reply_header(&request.reply, "content-length"), "2");
    assert_null(request.reply.body);
    http_reply_free(&request.reply);

    request.method = HTTP_DELETE;
    perform(http, &request, HTTP_OK, 200);
    assert_head(&desk, "DELETE /k?uploads= HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: test/1\r\n\r\n");
    assert_true(request.reply.reused);
    http_reply_free(&request.reply);

    request.method = HTTP_GET; /* nothing of the others sticks */
    perform(http, &request, HTTP_OK, 200);
    assert_head(&desk, "GET /k?uploads= HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: test/1\r\n\r\n");
    http_reply_free(&request.reply);
    http_destroy(http);
    desk_close(&desk);
    assert_int_equal(atomic_load(&desk.links), 1); /* all over one connection */
}

static void sends_a_body_of_spans(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, serve_well, NULL);
    struct http *const http = open_http(1);
    char url[URL_SIZE];
    static const size_t lengths[] = {0, 1, 2, 65535, 65536, 65537, 3 * MIB + 1, 8 * MIB};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        size_t const length = lengths[i];
        uint8_t *const bytes = make_body(length + 1);
        struct http_span const spans[] = {{NULL, 0},
                                          {bytes, length / 3},
                                          {bytes, 0},
                                          {bytes + length / 3, length / 2 - length / 3},
                                          {bytes + length / 2, length - length / 2},
                                          {NULL, 0}};
        struct http_request request = make(i % 2 == 0 ? HTTP_PUT : HTTP_POST, url_of(&desk, "/", url));
        request.body = spans;
        request.body_count = COUNT(spans);
        request.body_length = length;
        perform(http, &request, HTTP_OK, 200);
        assert_int_equal(request.reply.sent, length);
        assert_int_equal(request.reply.received, 2);
        assert_int_equal(request.reply.reused, i > 0);
        assert_false(request.reply.replayed);
        assert_true(request.reply.connect_us > 0);
        assert_true(request.reply.first_byte_us >= request.reply.connect_us);
        assert_true(request.reply.total_us >= request.reply.first_byte_us);
        http_reply_free(&request.reply);
        http_reply_free(&request.reply); /* twice is fine */
        free(bytes);
    }
    http_destroy(http);
    desk_close(&desk);
}

static void refuses_headers_that_split(void **state)
{
    (void)state;
    struct http *const http = open_http(1);
    static const struct http_header bad[] = {
        {"a", "b\r\nc: d"}, {"a", "b\n"}, {"a\r\nb", "c"},        {"a:", "c"},
        {"", "c"},          {"a b", "c"}, {"content-length", "3"}};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct fault fault = {0};
        struct http_request request = make(HTTP_GET, "http://127.0.0.1:9/");
        request.headers = &bad[i];
        request.header_count = 1;
        assert_int_equal(http_start(http, &request, &fault), STATUS_INTERNAL);
        assert_int_equal(http_running(http), 0);
        assert_true(http_perform(http, &request, NULL, NULL));
        assert_int_equal(request.reply.failure, HTTP_REFUSED);
        http_reply_free(&request.reply);
    }
    http_destroy(http);
}

static void serve_continue(struct desk_link *link)
{
    if (!desk_read_head(link)) return;
    (void)desk_say(link, "HTTP/1.1 100 Continue\r\nX-Early: yes\r\n\r\n");
    if (!desk_read_body(link, 0, desk_content_length(link))) return;
    (void)desk_say(link, ANSWER_OK);
    desk_drain(link);
}

static void waits_for_100_when_asked(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, serve_continue, NULL);
    struct http *const http = open_http(1);
    char url[URL_SIZE];
    uint8_t *const bytes = make_body(100000);
    struct http_span const span = {bytes, 100000};
    struct http_header const expect = {"Expect", "100-continue"};
    struct http_request request = make(HTTP_PUT, url_of(&desk, "/", url));
    request.headers = &expect;
    request.header_count = 1;
    request.body = &span;
    request.body_count = 1;
    request.body_length = span.length;
    perform(http, &request, HTTP_OK, 200);
    assert_non_null(strstr(desk.last_head, "\r\nExpect: 100-continue\r\n"));
    assert_null(http_reply_header(&request.reply, "x-early")); /* of the 100, not of the reply */
    assert_string_equal(http_reply_header(&request.reply, "etag"), "\"abc\"");
    http_reply_free(&request.reply);
    free(bytes);
    http_destroy(http);
    desk_close(&desk);
}

/* ---- what comes back ---- */

static void reads_replies_of_all_forms(void **state)
{
    (void)state;
    static const struct {
        char *text;
        unsigned status;
        const char *body; /* NULL: none */
    } cases[] = {
        {"HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n", 204, NULL},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", 304, NULL},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, NULL},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n", 200,
         "abcd"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n", 200, "abc"},
        {"HTTP/1.1 200 OK\r\n\r\nto the end", 200, "to the end"},
        {"HTTP/1.0 200 OK\r\n\r\nold", 200, "old"},
        {"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 4\r\n\r\nmove", 301, "move"},
        {"HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 2\r\n\r\nno", 401, "no"},
        {"HTTP/1.1 500 Oh\r\nContent-Length: 3\r\n\r\nbad", 500, "bad"},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nraw", 200, "raw"},
        {"HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny", 200, "y"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct desk desk;
        desk_open(&desk, serve_text, cases[i].text);
        struct http *const http = open_http(1);
        char url[URL_SIZE];
        struct http_request request = make(HTTP_GET, url_of(&desk, "/", url));
        perform(http, &request, HTTP_OK, cases[i].status);
        if (cases[i].body == NULL)
            assert_null(request.reply.body);
        else {
            assert_string_equal((char *)request.reply.body, cases[i].body);
            assert_int_equal(request.reply.body_length, strlen(cases[i].body));
        }
        assert_int_equal(request.reply.received, request.reply.body_length);
        http_reply_free(&request.reply);
        http_destroy(http);
        desk_close(&desk);
    }
}

static void keeps_headers_in_order(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, serve_text,
              "HTTP/1.1 200 OK\r\nX-Amz-Request-ID:  7 7 \r\nSet-Cookie: a\r\nset-cookie: b\r\nEmpty:\r\n"
              "Folded: one\r\n  two\r\nContent-Length: 0\r\n\r\n");
    struct http *const http = open_http(1);
    char url[URL_SIZE];
    struct http_request request = make(HTTP_GET, url_of(&desk, "/", url));
    perform(http, &request, HTTP_OK, 200);
    static const char *const expected[][2] = {{"x-amz-request-id", "7 7"}, {"set-cookie", "a"},
                                              {"set-cookie", "b"},         {"empty", ""},
                                              {"folded", "one two"},       {"content-length", "0"}};
    assert_int_equal(request.reply.header_count, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_string_equal(request.reply.headers[i].name, expected[i][0]);
        assert_string_equal(request.reply.headers[i].value, expected[i][1]);
    }
    assert_string_equal(http_reply_header(&request.reply, "set-cookie"), "a"); /* the first */
    assert_null(http_reply_header(&request.reply, "none"));
    http_reply_free(&request.reply);
    assert_null(http_reply_header(&request.reply, "empty"));
    http_destroy(http);
    desk_close(&desk);
}

static void names_what_is_no_reply(void **state)
{
    (void)state;
    char *const many = calloc(1, 256 * 1024), *const line = calloc(1, 256 * 1024);
    assert_true(many != NULL && line != NULL);
    strcpy(many, "HTTP/1.1 200 OK\r\n");
    for (size_t i = 0; i < 8; i++) { /* 80 KiB of headers, one below libcurl's own bounds each */
        strcat(many, "x: ");
        size_t const length = strlen(many);
        memset(many + length, 'a', 10000);
        strcat(many, "\r\n");
    }
    strcat(many, "\r\n");
    strcpy(line, "HTTP/1.1 200 OK\r\nx: ");
    memset(line + strlen(line), 'a', 150000); /* one line above libcurl's bound */
    strcat(line, "\r\n\r\n");
    struct {
        char *text;
        enum http_failure failure;
        unsigned status;
    } const cases[] = {
        {"", HTTP_BROKEN, 0},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", HTTP_BROKEN, 200},
        {"HTTP/1.1 503 No\r\nContent-Length: 10\r\n\r\nshort", HTTP_BROKEN, 503},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", HTTP_BROKEN, 200},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab", HTTP_BROKEN, 200},
        {"SSH-2.0-OpenSSH_9.2p1\r\n\r\n", HTTP_BAD_REPLY, 0},
        {"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", HTTP_BAD_REPLY, 200},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n", HTTP_BROKEN, 200},
        {many, HTTP_BAD_REPLY, 200},
        {line, HTTP_BAD_REPLY, 200},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct desk desk;
        desk_open(&desk, serve_text, cases[i].text);
        struct http *const http = open_http(1);
        get(&desk, http, "/", cases[i].failure, cases[i].status);
        http_destroy(http);
        desk_close(&desk);
    }
    free(many);
    free(line);
}

static void bounds_the_body(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, serve_text, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789");
    struct http *const http = open_http(1);
    char url[URL_SIZE];
    for (size_t most = 0; most <= 11; most++) {
        struct http_request request = make(HTTP_GET, url_of(&desk, "/", url));
        request.reply_max = most;
        perform(http, &request, most < 10 ? HTTP_BAD_REPLY : HTTP_OK, 200);
        http_reply_free(&request.reply);
    }
    http_destroy(http);
    desk_close(&desk);
}

struct taken {
    uint64_t bytes;
    uint64_t most; /* refuses what goes beyond */
    bool wrong;
};

static bool take(void *context, const uint8_t *bytes, size_t length)
{
    struct taken *const taken = context;
    for (size_t i = 0; i < length; i++)
        taken->wrong = taken->wrong || bytes[i] != desk_byte(taken->bytes + i);
    taken->bytes += length;
    return taken->bytes <= taken->most;
}

#define LONG_REPLY (4u * MIB)

static void serve_long(struct desk_link *link)
{
    while (desk_read_head(link)) {
        char head[128];
        bool const found = desk_asked(link, "/found");
        (void)snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: %u\r\n\r\n",
                       found ? "206 Partial" : "404 No", found ? LONG_REPLY : 4);
        (void)desk_say(link, head);
        if (!found) {
            (void)desk_say(link, "gone");
            continue;
        }
        uint8_t *const bytes = make_body(LONG_REPLY);
        bool const all = desk_say_bytes(link, bytes, LONG_REPLY);
        free(bytes);
        if (!all) return;
    }
}

static void hands_the_body_over(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, serve_long, NULL);
    struct http *const http = open_http(1);
    char url[URL_SIZE];
    struct taken taken = {.most = LONG_REPLY};
    struct http_request request = make(HTTP_GET, url_of(&desk, "/found", url));
    request.take = take;
    request.context = &taken;
    request.reply_max = 10; /* is for what is kept */
    perform(http, &request, HTTP_OK, 206);
    assert_int_equal(taken.bytes, LONG_REPLY);
    assert_false(taken.wrong);
    assert_null(request.reply.body);
    assert_int_equal(request.reply.received, LONG_REPLY);
    http_reply_free(&request.reply);

    request.url = url_of(&desk, "/other", url); /* not 2xx: kept */
    perform(http, &request, HTTP_OK, 404);
    assert_string_equal((char *)request.reply.body, "gone");
    assert_int_equal(taken.bytes, LONG_REPLY);
    http_reply_free(&request.reply);

    request.url = url_of(&desk, "/found", url);
    taken = (struct taken){.most = 100000};
    perform(http, &request, HTTP_REFUSED, 206);
    http_reply_free(&request.reply);

    request.take = NULL;
    request.reply_max = LONG_REPLY; /* the same, kept */
    perform(http, &request, HTTP_OK, 206);
    assert_int_equal(request.reply.body_length, LONG_REPLY);
    for (size_t i = 0; i < LONG_REPLY; i++)
        if (request.reply.body[i] != desk_byte(i)) fail_msg("byte %zu differs", i);
    assert_int_equal(request.reply.body[LONG_REPLY], 0);
    http_reply_free(&request.reply);
    http_destroy(http);
    desk_close(&desk);
}

/* ---- answers and breaks while the body is sent ---- */

#define SLOW_DOWN                                                                    \
    "HTTP/1.1 503 Slow Down\r\nContent-Length: 13\r\nRetry-After: 1\r\nConnection: " \
    "close\r\n\r\n<Error/>12345"

/* Answers at once, then: reads on without an end (the client must not wait for it) ... */
static void serve_early_and_reads(struct desk_link *link)
{
    if (!desk_read_head(link)) return;
    (void)desk_say(link, SLOW_DOWN);
    desk_drain(link);
}

/* ... never reads a byte of the body ... */
static void serve_early_and_waits(struct desk_link *link)
{
    if (!desk_read_head(link)) return;
    (void)desk_say(link, SLOW_DOWN);
    desk_sleep(link);
}

/* ... closes its side in the middle of the body, and reads ... */
static void serve_early_and_shuts(struct desk_link *link)
{
    if (!desk_read_head(link) || !desk_read_body(link, 0, MIB)) return;
    (void)desk_say(link, SLOW_DOWN);
    (void)shutdown(link->socket, SHUT_WR);
    desk_drain(link);
}

/* ... doesn't say where the answer ends. */
static void serve_early_and_open(struct desk_link *link)
{
    if (!desk_read_head(link)) return;
    (void)desk_say(link, "HTTP/1.1 503 Slow Down\r\n\r\n<Error/>12345");
    desk_drain(link);
}

static void gives_early_answers_at_once(void **state)
{
    (void)state;
    static desk_script *const scripts[] = {serve_early_and_reads, serve_early_and_waits,
                                           serve_early_and_shuts, serve_early_and_open};
    for (size_t i = 0; i < COUNT(scripts); i++) {
        struct desk desk;
        desk_open(&desk, scripts[i], NULL);
        struct http *const http = open_http(2);
        for (int round = 0; round < 3; round++) {
            struct http_request request = put(&desk, http, 64 * MIB, HTTP_OK, 503);
            assert_true(request.reply.sent < 64 * MIB);
            assert_false(request.reply.reused); /* such a connection isn't kept */
            assert_string_equal((char *)request.reply.body, "<Error/>12345");
            http_reply_free(&request.reply);
        }
        http_destroy(http);
        desk_close(&desk);
    }
}

/* An answer, then a reset at once. The kernel may drop the answer, and libcurl 7.88 doesn't look for it when
 * its next call is a write: either the reply or a broken connection, never a hang or half a reply that
 * counts. */
static void serve_early_and_resets(struct desk_link *link)
{
    if (!desk_read_head(link)) return;
    (void)desk_say(link, SLOW_DOWN);
    if (link->number % 2 == 0)
        (void)close(link->socket), link->socket = -1; /* unread bytes: a RST too */
    else
        desk_reset(link);
}

static void survives_resets_behind_an_answer(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, serve_early_and_resets, NULL);
    struct http *const http = open_http(2);
    unsigned answered = 0;
    for (int round = 0; round < 40; round++) {
        char url[URL_SIZE];
        uint8_t *const bytes = make_body(4 * MIB);
        struct http_span const span = {bytes, 4 * MIB};
        struct http_request request = make(HTTP_PUT, url_of(&desk, "/", url));
        request.body = &span;
        request.body_count = 1;
        request.body_length = span.length;
        assert_true(http_perform(http, &request, NULL, NULL));
        if (request.reply.failure == HTTP_OK) {
            assert_int_equal(request.reply.status, 503);
            assert_string_equal((char *)request.reply.body, "<Error/>12345");
            answered++;
        } else
            assert_int_equal(request.reply.failure, HTTP_BROKEN);
        http_reply_free(&request.reply);
        free(bytes);
    }
    print_message("answers behind which the server reset at once: %u of 40 read\n", answered);
    http_destroy(http);
    desk_close(&desk);
}

/* A 2xx is no reason to stop; the reset behind it is a failure, since the body didn't arrive. */
static void serve_200_and_resets(struct desk_link *link)
{
    if (!desk_read_head(link) || !desk_read_body(link, 0, 100000)) return;
    (void)desk_say(link, ANSWER_OK);
    /* More than both sockets' buffers hold (some 6 MiB): the client took turns, and saw the answer in them.
     */
    (void)desk_read_body(link, 100000, 16 * MIB);
    desk_reset(link);
}

static void serve_reset(struct desk_link *link)
{
    if (!desk_read_head(link) || !desk_read_body(link, 0, MIB)) return;
    desk_reset(link);
}

static void calls_broken_what_broke(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, serve_reset, NULL);
    struct http *http = open_http(1);
    struct http_request request = put(&desk, http, 32 * MIB, HTTP_BROKEN, 0);
    assert_false(request.reply.replayed);
    http_reply_free(&request.reply);
    http_destroy(http);
    desk_close(&desk);

    desk_open(&desk, serve_200_and_resets, NULL);
    http = open_http(1);
    request = put(&desk, http, 32 * MIB, HTTP_BROKEN, 200);
    http_reply_free(&request.reply);
    http_destroy(http);
    desk_close(&desk);
}

/* The first request of each connection is answered, the second makes it die: after its head, or in its body.
 */
static void serve_once(struct desk_link *link)
{
    const uint64_t *const die_after = link->desk->context;
    if (!desk_read_head(link) || !desk_read_body(link, 0, desk_content_length(link))) return;
    (void)desk_say(link, ANSWER_OK);
    if (!desk_read_head(link)) return;
    (void)desk_read_body(link, 0, *die_after);
    desk_reset(link);
}

static void begins_anew_on_a_dead_connection(void **state)
{
    (void)state;
    static const uint64_t places[] = {0, 1, 100000, 8 * MIB};
    for (size_t i = 0; i < COUNT(places); i++) {
        uint64_t place = places[i];
        struct desk desk;
        desk_open(&desk, serve_once, &place);
        struct http *const http = open_http(1);
        struct http_request request = put(&desk, http, 8 * MIB, HTTP_OK, 200);
        assert_false(request.reply.replayed || request.reply.reused);
        http_reply_free(&request.reply);
        request = put(&desk, http, 8 * MIB, HTTP_OK, 200); /* its body was compared by the server */
        assert_true(request.reply.replayed);
        assert_false(request.reply.reused);
        http_reply_free(&request.reply);
        http_destroy(http);
        desk_close(&desk);
        assert_int_equal(atomic_load(&desk.links), 2);
        assert_int_equal(atomic_load(&desk.requests), 3);
    }
}

static void opens_a_fresh_connection(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, serve_well, NULL);
    struct http *const http = open_http(2);
    get(&desk, http, "/", HTTP_OK, 200);
    char url[URL_SIZE];
    struct http_request request = make(HTTP_GET, url_of(&desk, "/", url));
    request.fresh_connection = true;
    perform(http, &request, HTTP_OK, 200);
    assert_false(request.reply.reused);
    http_reply_free(&request.reply);
    request.fresh_connection = false;
    perform(http, &request, HTTP_OK, 200);
    assert_true(request.reply.reused);
    http_reply_free(&request.reply);
    http_destroy(http);
    desk_close(&desk);
    assert_int_equal(atomic_load(&desk.links), 2);
}

/* ---- silence ---- */

static void serve_nothing(struct desk_link *link) /* takes the head, then neither reads nor answers */
{
    if (desk_read_head(link)) desk_sleep(link);
}

static void cuts_silence(void **state)
{
    (void)state;
    struct desk desk;
    char url[URL_SIZE];
    desk_open(&desk, serve_nothing, NULL);
    struct http *http = open_http(1);
    uint8_t *const bytes = make_body(64 * MIB);
    struct http_span const span = {bytes, 64 * MIB};
    struct http_request request = make(HTTP_PUT, url_of(&desk, "/", url));
    request.body = &span;
    request.body_count = 1;
    request.body_length = span.length;
    request.stall_seconds = 1;
    perform(http, &request, HTTP_STALLED, 0);
    assert_string_equal(request.reply.failure_text, "no byte for 1 seconds");
    http_reply_free(&request.reply);
    http_destroy(http);
    desk_close(&desk);
    free(bytes);

    desk_open(&desk, serve_half_and_silence, NULL);
    http = open_http(1);
    request = make(HTTP_GET, url_of(&desk, "/", url));
    request.stall_seconds = 3; /* time enough for the answer's first half, on a busy machine too */
    perform(http, &request, HTTP_STALLED, 200);
    http_reply_free(&request.reply);
    request.stall_seconds = 0;
    request.timeout_ms = 3000;
    perform(http, &request, HTTP_STALLED, 200);
    http_reply_free(&request.reply);
    http_destroy(http);
    desk_close(&desk);
}

/* A byte every quarter of a second, in either direction, is no silence: longer than DROPS_STALL in all. A
 * busy machine may take many times that for one. */
#define DROPS       16u /* 4 seconds of them */
#define DROPS_STALL 3
#define DROPS_KEPT  (5 * MIB) /* the kernel holds as much long before it is read here */

static void serve_drops(struct desk_link *link)
{
    if (!desk_read_head(link)) return;
    if (desk_content_length(link) == 0) {
        (void)desk_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n");
        for (size_t i = 0; i < DROPS && desk_say(link, "x"); i++)
            (void)usleep(250000);
        return;
    }
    uint64_t at = 0, length = desk_content_length(link);
    for (; length - at > DROPS_KEPT; at += MIB) {
        (void)usleep(250000);
        if (!desk_read_body(link, at, MIB)) return;
    }
    if (desk_read_body(link, at, length - at)) (void)desk_say(link, ANSWER_OK);
    desk_drain(link);
}

static void waits_while_bytes_drop(void **state)
{
    (void)state;
    struct desk desk;
    char url[URL_SIZE];
    desk_open(&desk, serve_drops, NULL);
    struct http *const http = open_http(1);
    struct http_request request = make(HTTP_GET, url_of(&desk, "/", url));
    request.stall_seconds = DROPS_STALL;
    perform(http, &request, HTTP_OK, 200);
    http_reply_free(&request.reply);
    uint8_t *const bytes = make_body(DROPS * MIB + DROPS_KEPT);
    struct http_span const span = {bytes, DROPS * MIB + DROPS_KEPT};
    request.method = HTTP_PUT;
    request.body = &span;
    request.body_count = 1;
    request.body_length = span.length;
    perform(http, &request, HTTP_OK, 200);
    http_reply_free(&request.reply);
    free(bytes);
    http_destroy(http);
    desk_close(&desk);
}

#define SLOW_BODY  (2u * MIB)
#define SLOW_STALL 3
#define SLOW_STEPS 32u
#define SLOW_PAUSE 110000u /* microseconds: SLOW_STEPS of them are more than SLOW_STALL */

/* Reads for longer than SLOW_STALL what the client's kernel took at once: bytes that leave late are no
 * silence. */
static void serve_slowly(struct desk_link *link)
{
    int const narrow = 16384;
    (void)setsockopt(link->socket, SOL_SOCKET, SO_RCVBUF, &narrow, sizeof narrow);
    while (desk_read_head(link)) {
        uint64_t const length = desk_content_length(link);
        for (uint64_t at = 0; at < length; at += SLOW_BODY / SLOW_STEPS) {
            if (!desk_read_body(link, at, SLOW_BODY / SLOW_STEPS)) return;
            (void)usleep(SLOW_PAUSE);
        }
        (void)desk_say(link, ANSWER_OK);
    }
}

static void counts_bytes_that_leave_the_kernel(void **state)
{
    (void)state;
    struct desk desk;
    char url[URL_SIZE];
    desk_open(&desk, serve_slowly, NULL);
    struct http *const http = open_http(1);
    uint8_t *const bytes = make_body(SLOW_BODY);
    struct http_span const span = {bytes, SLOW_BODY};
    for (int round = 0; round < 2; round++) { /* on a new connection, and on a kept one */
        struct http_request request = make(HTTP_PUT, url_of(&desk, "/", url));
        request.body = &span;
        request.body_count = 1;
        request.body_length = span.length;
        request.stall_seconds = SLOW_STALL;
        perform(http, &request, HTTP_OK, 200);
        assert_int_equal(request.reply.reused, round == 1);
        http_reply_free(&request.reply);
    }
    free(bytes);
    http_destroy(http);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_heads_as_told),
        cmocka_unit_test(sends_a_body_of_spans),
        cmocka_unit_test(refuses_headers_that_split),
        cmocka_unit_test(waits_for_100_when_asked),
        cmocka_unit_test(reads_replies_of_all_forms),
        cmocka_unit_test(keeps_headers_in_order),
        cmocka_unit_test(names_what_is_no_reply),
        cmocka_unit_test(bounds_the_body),
        cmocka_unit_test(hands_the_body_over),
        cmocka_unit_test(gives_early_answers_at_once),
        cmocka_unit_test(survives_resets_behind_an_answer),
        cmocka_unit_test(calls_broken_what_broke),
        cmocka_unit_test(begins_anew_on_a_dead_connection),
        cmocka_unit_test(opens_a_fresh_connection),
        cmocka_unit_test(cuts_silence),
        cmocka_unit_test(waits_while_bytes_drop),
        cmocka_unit_test(counts_bytes_that_leave_the_kernel),
    };
    return cmocka_run_group_tests_name("http", tests, start_group, stop_group);
}
