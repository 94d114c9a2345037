/* test_http_connections.c - where requests go: no connection, many of them, threads, proxies; TLS against
 * python3's ssl. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/http_client_desk.h"

/* ---- no connection ---- */

static void names_why_it_cannot_connect(void **state)
{
    (void)state;
    uint16_t port;
    int const held = desk_closed_port(&port);
    struct http *const http = open_http(1);
    char url[URL_SIZE];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/secret?X-Amz-Signature=hidden", port);
    struct http_request request = make(HTTP_GET, url);
    perform(http, &request, HTTP_CONNECT, 0);
    assert_null(strstr(request.reply.failure_text, "hidden"));
    assert_int_equal(request.reply.connect_us, 0);
    http_reply_free(&request.reply);
    request.url = "http://nowhere.invalid/?hidden";
    perform(http, &request, HTTP_RESOLVE, 0);
    assert_null(strstr(request.reply.failure_text, "hidden"));
    http_reply_free(&request.reply);
    static const char *const bad[] = {"ftp://127.0.0.1/hidden", "file:///etc/passwd", "http://a b/hidden",
                                      ""};
    for (size_t i = 0; i < COUNT(bad); i++) {
        request.url = bad[i];
        perform(http, &request, HTTP_RESOLVE, 0);
        assert_null(strstr(request.reply.failure_text, "hidden"));
        http_reply_free(&request.reply);
    }
    http_destroy(http);
    (void)close(held);
}

/* ---- many ---- */

static void count_done(void *context, struct http_request *request)
{
    (*(unsigned *)context)++;
    assert_int_equal(request->reply.failure, HTTP_OK);
    assert_int_equal(request->reply.status, 200);
}

#define MANY 100u

static void keeps_the_limit_of_connections(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, serve_well, NULL);
    struct http *const http = open_http(5);
    char url[URL_SIZE];
    uint8_t *const bytes = make_body(100000);
    struct http_span const span = {bytes, 100000};
    struct http_request *const requests = calloc(MANY, sizeof *requests);
    assert_non_null(requests);
    unsigned done = 0;
    for (unsigned i = 0; i < MANY; i++) {
        requests[i] = make(HTTP_PUT, url_of(&desk, "/", url));
        requests[i].body = &span;
        requests[i].body_count = 1;
        requests[i].body_length = span.length;
        requests[i].done = count_done;
        requests[i].context = &done;
        requests[i].fresh_connection = i % 7 == 3;
        assert_int_equal(http_start(http, &requests[i], NULL), STATUS_OK);
        assert_int_equal(http_running(http), i + 1);
    }
    while (http_running(http) > 0)
        http_turn(http, 1000);
    assert_int_equal(done, MANY);
    assert_int_equal(atomic_load(&desk.requests), MANY);
    assert_true(atomic_load(&desk.open_most) > 1);
    for (unsigned i = 0; i < MANY; i++)
        http_reply_free(&requests[i].reply);
    http_destroy(http);
    desk_close(&desk);
    print_message("at most %u connections of 5 at once\n", atomic_load(&desk.open_most));
    /* The server learns of a close a little later than of the next connection: one for each that closes. */
    assert_true(atomic_load(&desk.links) <= MANY / 7 + 1 + 5);
    free(requests);
    free(bytes);
}

struct chain {
    struct http *http;
    struct http_request *next;
    unsigned *done;
};

static void start_next(void *context, struct http_request *request)
{
    struct chain *const chain = context;
    assert_int_equal(request->reply.status, 200);
    (*chain->done)++;
    if (chain->next != NULL) assert_int_equal(http_start(chain->http, chain->next, NULL), STATUS_OK);
}

static void starts_and_cancels_in_done(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, serve_well, NULL);
    struct http *const http = open_http(1);
    char url[URL_SIZE];
    unsigned done = 0;
    struct http_request requests[3];
    struct chain chains[3];
    for (size_t i = 0; i < 3; i++) {
        requests[i] = make(HTTP_GET, url_of(&desk, "/", url));
        chains[i] = (struct chain){http, i < 2 ? &requests[i + 1] : NULL, &done};
        requests[i].done = start_next;
        requests[i].context = &chains[i];
    }
    assert_int_equal(http_start(http, &requests[0], NULL), STATUS_OK);
    while (http_running(http) > 0)
        http_turn(http, 1000);
    assert_int_equal(done, 3);
    for (size_t i = 0; i < 3; i++)
        http_reply_free(&requests[i].reply);
    http_destroy(http);
    desk_close(&desk);
    assert_int_equal(atomic_load(&desk.links), 1);
}

static void never_done(void *context, struct http_request *request)
{
    (void)context, (void)request;
    fail_msg("a cancelled request was done");
}

static void cancels(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, serve_half_and_silence, NULL);
    struct http *const http = open_http(2);
    char url[URL_SIZE];
    struct http_request requests[4];
    for (size_t i = 0; i < 4; i++) {
        requests[i] = make(HTTP_GET, url_of(&desk, "/", url));
        requests[i].done = never_done;
        http_cancel(http, &requests[i]); /* never started: nothing */
        assert_int_equal(http_start(http, &requests[i], NULL), STATUS_OK);
    }
    http_cancel(http, &requests[3]); /* before any turn */
    assert_int_equal(http_running(http), 3);
    while (atomic_load(&desk.requests) < 2)
        http_turn(http, 10);
    http_cancel(http, &requests[0]); /* running */
    http_cancel(http, &requests[2]); /* waiting */
    http_cancel(http, &requests[0]); /* twice */
    assert_int_equal(http_running(http), 1);
    for (size_t i = 0; i < 4; i++)
        http_reply_free(&requests[i].reply);
    http_turn(http, 0);
    http_destroy(http); /* cancels the last */
    desk_close(&desk);
}

static void expires_in_the_queue(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, serve_half_and_silence, NULL);
    struct http *const http = open_http(1);
    char url[URL_SIZE];
    struct http_request first = make(HTTP_GET, url_of(&desk, "/", url));
    first.done = never_done;
    assert_int_equal(http_start(http, &first, NULL), STATUS_OK);
    struct http_request second = first;
    second.done = NULL;
    second.timeout_ms = 300;
    perform(http, &second, HTTP_STALLED, 0);
    http_cancel(http, &first);
    http_destroy(http);
    desk_close(&desk);
}

/* ---- threads ---- */

static void *wake_soon(void *context)
{
    (void)usleep(50000);
    http_wake(context);
    return NULL;
}

static void wakes_from_another_thread(void **state)
{
    (void)state;
    struct http *const http = open_http(1);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wake_soon, http), 0);
    http_turn(http, UINT32_MAX); /* 24 days, were it not for the wake */
    assert_int_equal(pthread_join(thread, NULL), 0);
    http_wake(http);
    http_turn(http, UINT32_MAX); /* a wake before the wait counts */
    http_destroy(http);
    http_destroy(NULL);
}

static bool stop_third(void *context)
{
    return ++*(unsigned *)context == 3;
}

static void stops_performing(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, serve_half_and_silence, NULL);
    struct http *const http = open_http(1);
    char url[URL_SIZE];
    unsigned asked = 0;
    struct http_request request = make(HTTP_GET, url_of(&desk, "/", url));
    request.done = never_done;
    assert_false(http_perform(http, &request, stop_third, &asked));
    assert_int_equal(asked, 3);
    assert_int_equal(http_running(http), 0);
    http_reply_free(&request.reply);
    http_destroy(http);
    desk_close(&desk);
}

/* ---- proxies ---- */

/* Takes CONNECT, then plays the server itself without TLS (which the client won't like), or refuses; any
 * other request it answers in the name of the server. */
static void serve_proxy(struct desk_link *link)
{
    if (!desk_read_head(link)) return;
    if (strncmp(link->head, "CONNECT ", 8) == 0) {
        bool const allowed = desk_asked(link, "open.example:443");
        (void)desk_say(link, allowed ? "HTTP/1.1 200 Connection established\r\n\r\n"
                                     : "HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n");
        if (allowed) (void)desk_say(link, "this is no TLS record at all\r\n");
    } else
        (void)desk_say(link, ANSWER_OK);
    (void)shutdown(link->socket, SHUT_WR);
    desk_drain(link);
}

static void goes_through_proxies(void **state)
{
    (void)state;
    struct desk desk, server;
    desk_open(&desk, serve_proxy, NULL);
    desk_open(&server, serve_well, NULL);
    char proxy[URL_SIZE];
    (void)snprintf(proxy, sizeof proxy, "http://user:pass%%20word@127.0.0.1:%u", desk.port);
    (void)setenv("HTTPS_PROXY", proxy, 1);
    (void)setenv("http_proxy", proxy, 1);
    struct http *http = open_http(1);
    struct http_header const secret = {"x-amz-security-token", "hidden"};

    struct http_request request = make(HTTP_GET, "https://closed.example/");
    request.headers = &secret;
    request.header_count = 1;
    perform(http, &request, HTTP_PROXY, 0);
    assert_null(strstr(request.reply.failure_text, "pass"));
    assert_non_null(strstr(desk.last_head, "CONNECT closed.example:443 HTTP/1.1\r\n"));
    assert_non_null(strstr(desk.last_head, "Proxy-Authorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\n"));
    assert_null(strstr(desk.last_head, "hidden")); /* is for the server only */
    http_reply_free(&request.reply);
    request.url = "https://open.example/";
    perform(http, &request, HTTP_TLS, 0);
    http_reply_free(&request.reply);
    request.url = "http://plain.example/x";
    perform(http, &request, HTTP_OK, 200);
    assert_non_null(strstr(desk.last_head, "GET http://plain.example/x HTTP/1.1\r\n"));
    http_reply_free(&request.reply);
    http_destroy(http);

    unsigned const asked = atomic_load(&desk.requests);
    struct http_options const options = {.connections = 1, .no_proxy = true};
    http = http_create(&options, NULL);
    assert_non_null(http);
    get(&server, http, "/", HTTP_OK, 200); /* not by the proxy */
    http_destroy(http);
    (void)setenv("NO_PROXY", "example.org,127.0.0.1", 1);
    http = open_http(1);
    get(&server, http, "/", HTTP_OK, 200);
    http_destroy(http);
    (void)unsetenv("NO_PROXY");
    assert_int_equal(atomic_load(&desk.requests), asked);

    (void)setenv("http_proxy", "gopher://user:pass@127.0.0.1:1", 1);
    http = open_http(1);
    request.url = "http://plain.example/x";
    perform(http, &request, HTTP_CONNECT, 0);
    assert_null(strstr(request.reply.failure_text, "pass"));
    http_destroy(http);
    (void)unsetenv("HTTPS_PROXY");
    (void)unsetenv("http_proxy");
    desk_close(&desk);
    desk_close(&server);
}

/* ---- TLS: a certificate made for the test, python3's ssl as the server ---- */

static const char tls_server[] =
    "import ssl, socket, struct, sys, threading\n"
    "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
    "context.load_cert_chain(sys.argv[1] + '/cert.pem', sys.argv[1] + '/key.pem')\n"
    "if sys.argv[2] == 'old': context.maximum_version = ssl.TLSVersion.TLSv1_1\n"
    "listener = socket.create_server(('127.0.0.1', 0))\n"
    "print(listener.getsockname()[1], flush=True)\n"
    "def serve(plain):\n"
    "    try:\n"
    "        if sys.argv[2] == 'cut': plain.recv(1); return plain.close()\n"
    "        link = context.wrap_socket(plain, server_side=True)\n"
    "        data = link.makefile('rb')\n"
    "        while line := data.readline():\n"
    "            length = 0\n"
    "            while (header := data.readline()) not in (b'', b'\\r\\n'):\n"
    "                if header.lower().startswith(b'content-length:'): length = int(header.split(b':')[1])\n"
    "            if b'/reset' in line:\n"
    "                data.read(100000)\n"
    "                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))\n"
    "                data.close(); link.close(); return\n"
    "            body = data.read(length)\n"
    "            answer = b'%d %d' % (len(body), link.session_reused)\n"
    "            close = b'Connection: close\\r\\n' if b'/close' in line else b''\n"
    "            link.sendall(b'HTTP/1.1 200 OK\\r\\n%sContent-Length: %d\\r\\n\\r\\n' % (close, "
    "len(answer)))\n"
    "            link.sendall(answer)\n"
    "            if close: return link.close()\n"
    "    except (OSError, ssl.SSLError): pass\n"
    "while True: threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()\n";

struct tls {
    char folder[32], certificate[48];
    pid_t child;
    unsigned port;
};

static void run(const char *command)
{
    if (system(command) != 0) fail_msg("%s", command);
}

static void tls_open(struct tls *tls, const char *mode)
{
    char command[512];
    strcpy(tls->folder, "/tmp/test_http.XXXXXX");
    assert_non_null(mkdtemp(tls->folder));
    (void)snprintf(tls->certificate, sizeof tls->certificate, "%s/cert.pem", tls->folder);
    (void)snprintf(command, sizeof command,
                   "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
                   "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout %s/key.pem -out %s 2> %s/log",
                   tls->folder, tls->certificate, tls->folder);
    run(command);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    tls->child = fork();
    assert_true(tls->child >= 0);
    if (tls->child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when a case fails before tls_close() */
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)close(ends[0]);
        (void)execlp("python3", "python3", "-Wignore", "-c", tls_server, tls->folder, mode, (char *)NULL);
        _exit(127);
    }
    (void)close(ends[1]);
    FILE *const port = fdopen(ends[0], "r");
    assert_non_null(port);
    assert_int_equal(fscanf(port, "%u", &tls->port), 1);
    (void)fclose(port);
}

static void tls_close(struct tls *tls)
{
    char command[64];
    (void)kill(tls->child, SIGKILL);
    (void)waitpid(tls->child, NULL, 0);
    (void)snprintf(command, sizeof command, "rm -r %s", tls->folder);
    run(command);
}

static struct http_request tls_request(const struct tls *tls, const char *host, const char *target,
                                       char url[URL_SIZE])
{
    (void)snprintf(url, URL_SIZE, "https://%s:%u%s", host, tls->port, target);
    return make(HTTP_GET, url);
}

static struct http *open_trusting(const char *ca_bundle)
{
    struct http_options const options = {.connections = 2, .ca_bundle = ca_bundle};
    struct http *const http = http_create(&options, NULL);
    assert_non_null(http);
    return http;
}

static void trusts_whom_it_is_told(void **state)
{
    (void)state;
    struct tls tls;
    tls_open(&tls, "good");
    char url[URL_SIZE];
    struct http *http = open_trusting(NULL);
    struct http_request request = tls_request(&tls, "127.0.0.1", "/", url);
    perform(http, &request, HTTP_TLS_TRUST, 0);
    http_reply_free(&request.reply);
    http_destroy(http);

    http = open_trusting("/nowhere/ca.pem");
    perform(http, &request, HTTP_TLS_TRUST, 0);
    assert_non_null(strstr(request.reply.failure_text, "/nowhere/ca.pem"));
    http_destroy(http);

    http = open_trusting(tls.certificate);
    perform(http, &request, HTTP_OK, 200);
    assert_string_equal((char *)request.reply.body, "0 0");
    http_reply_free(&request.reply);
    request = tls_request(&tls, "127.1.2.3", "/", url); /* not of this name; may not even listen there */
    assert_true(http_perform(http, &request, NULL, NULL));
    assert_int_not_equal(request.reply.failure, HTTP_OK);
    http_reply_free(&request.reply);
    http_destroy(http);
    tls_close(&tls);
}

static void sends_over_tls(void **state)
{
    (void)state;
    struct tls tls;
    tls_open(&tls, "good");
    char url[URL_SIZE];
    struct http *const http = open_trusting(tls.certificate);
    uint8_t *const bytes = make_body(8 * MIB);
    struct http_span const span = {bytes, 8 * MIB};
    struct http_request request = tls_request(&tls, "localhost", "/close", url);
    request.method = HTTP_PUT;
    request.body = &span;
    request.body_count = 1;
    request.body_length = span.length;
    perform(http, &request, HTTP_OK, 200);
    assert_string_equal((char *)request.reply.body, "8388608 0");
    http_reply_free(&request.reply);
    perform(http, &request, HTTP_OK, 200); /* a new connection resumes the session */
    assert_string_equal((char *)request.reply.body, "8388608 1");
    http_reply_free(&request.reply);
    /* A reset under TLS: no SIGPIPE, which would end this program. */
    request = tls_request(&tls, "localhost", "/reset", url);
    request.method = HTTP_PUT;
    request.body = &span;
    request.body_count = 1;
    request.body_length = span.length;
    for (int round = 0; round < 5; round++) {
        perform(http, &request, HTTP_BROKEN, 0);
        http_reply_free(&request.reply);
    }
    free(bytes);
    http_destroy(http);
    tls_close(&tls);
}

static void tells_broken_handshakes_apart(void **state)
{
    (void)state;
    static const struct {
        const char *mode;
        enum http_failure failure;
    } cases[] = {{"old", HTTP_TLS}, {"cut", HTTP_BROKEN}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tls tls;
        tls_open(&tls, cases[i].mode);
        char url[URL_SIZE];
        struct http *const http = open_trusting(tls.certificate);
        struct http_request request = tls_request(&tls, "127.0.0.1", "/", url);
        perform(http, &request, cases[i].failure, 0);
        http_reply_free(&request.reply);
        http_destroy(http);
        tls_close(&tls);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_why_it_cannot_connect),
        cmocka_unit_test(keeps_the_limit_of_connections),
        cmocka_unit_test(starts_and_cancels_in_done),
        cmocka_unit_test(cancels),
        cmocka_unit_test(expires_in_the_queue),
        cmocka_unit_test(wakes_from_another_thread),
        cmocka_unit_test(stops_performing),
        cmocka_unit_test(goes_through_proxies),
        cmocka_unit_test(trusts_whom_it_is_told),
        cmocka_unit_test(sends_over_tls),
        cmocka_unit_test(tells_broken_handshakes_apart),
    };
    return cmocka_run_group_tests_name("http_connections", tests, start_group, stop_group);
}
