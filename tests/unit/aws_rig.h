/* aws_rig.h - for tests of io/aws: an environment of one's own, a scratch folder, and a small HTTP server on
 * loopback that answers by a function. */
#ifndef PENSTOCK_TESTS_UNIT_AWS_RIG_H
#define PENSTOCK_TESTS_UNIT_AWS_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define RIG_VARIABLES 16u

struct rig_environment {
    struct {
        char name[64], value[512];
    } variables[RIG_VARIABLES];
    size_t count;
};

__attribute__((unused)) static const char *rig_variable(void *context, const char *name)
{
    const struct rig_environment *const environment = context;
    for (size_t i = 0; i < environment->count; i++)
        if (strcmp(environment->variables[i].name, name) == 0) return environment->variables[i].value;
    return NULL;
}

__attribute__((unused, format(printf, 3, 4))) static void rig_set(struct rig_environment *environment,
                                                                  const char *name, const char *format, ...)
{
    size_t at = 0;
    while (at < environment->count && strcmp(environment->variables[at].name, name) != 0)
        at++;
    assert_true(at < RIG_VARIABLES);
    if (at == environment->count) environment->count++;
    snprintf(environment->variables[at].name, sizeof environment->variables[at].name, "%s", name);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(environment->variables[at].value, sizeof environment->variables[at].value, format, arguments);
    va_end(arguments);
}

__attribute__((unused)) static void rig_write(const char *path, const char *text)
{
    FILE *const file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

__attribute__((unused)) static int rig_enter_scratch(void **state)
{
    char *const folder = strdup("/tmp/test_aws_XXXXXX");
    *state = folder;
    return folder == NULL || mkdtemp(folder) == NULL || chdir(folder) != 0;
}

__attribute__((unused)) static int rig_leave_scratch(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", (char *)*state);
    int const failed = chdir("/") != 0 || system(command) != 0;
    free(*state);
    return failed;
}

struct rig_request {
    char method[8], path[512];
    char text[64 * 1024]; /* all of it, terminated */
    const char *headers, *body;
};

struct rig_reply {
    unsigned status;
    char body[8192];
    char headers[256]; /* more of them, each with its line end */
    bool hang;         /* no answer until the rig ends */
};

typedef void rig_answer(void *context, const struct rig_request *request, struct rig_reply *reply);

struct rig {
    int listener;
    unsigned port;
    pthread_t thread;
    atomic_bool ending;
    rig_answer *answer;
    void *context;
};

/* The value of a header (lower-case name) in `out`; "" when it isn't there. */
__attribute__((unused)) static const char *rig_header(const struct rig_request *request, const char *name,
                                                      char *out, size_t size)
{
    size_t const length = strlen(name);
    out[0] = '\0';
    for (const char *line = request->headers; line < request->body; line = strstr(line, "\r\n") + 2) {
        if (strncasecmp(line, name, length) != 0 || line[length] != ':') continue;
        const char *value = line + length + 1;
        while (*value == ' ')
            value++;
        size_t const taken = strcspn(value, "\r");
        snprintf(out, size, "%.*s", (int)taken, value);
        break;
    }
    return out;
}

static bool rig_whole(struct rig_request *request, size_t length)
{
    request->text[length] = '\0';
    char *const end = strstr(request->text, "\r\n\r\n");
    if (end == NULL) return false;
    char number[32];
    request->headers = strstr(request->text, "\r\n") + 2;
    request->body = end + 4;
    rig_header(request, "content-length", number, sizeof number);
    return length - (size_t)(request->body - request->text) >= strtoul(number, NULL, 10);
}

static bool rig_receive(const struct rig *rig, int connection, struct rig_request *request)
{
    size_t length = 0;
    while (!atomic_load(&rig->ending) && length < sizeof request->text - 1) {
        struct pollfd ready = {.fd = connection, .events = POLLIN};
        if (poll(&ready, 1, 20) <= 0) continue;
        ssize_t const got = recv(connection, request->text + length, sizeof request->text - 1 - length, 0);
        if (got <= 0) return false;
        length += (size_t)got;
        if (rig_whole(request, length))
            return sscanf(request->text, "%7s %511s", request->method, request->path) == 2;
    }
    return false;
}

static void rig_serve(const struct rig *rig, int connection)
{
    struct rig_request *const request = calloc(1, sizeof *request);
    struct rig_reply reply = {.status = 200};
    char *text = NULL;
    if (request != NULL && rig_receive(rig, connection, request)) {
        rig->answer(rig->context, request, &reply);
        while (reply.hang && !atomic_load(&rig->ending))
            poll(NULL, 0, 10);
        int const length =
            asprintf(&text, "HTTP/1.1 %u Because\r\n%sContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                     reply.status, reply.headers, strlen(reply.body), reply.body);
        if (length > 0 && send(connection, text, (size_t)length, MSG_NOSIGNAL) != length)
            print_message("the reply was not taken\n");
        free(text);
    }
    free(request);
    shutdown(connection, SHUT_WR);
    close(connection);
}

static void *rig_run(void *context)
{
    const struct rig *const rig = context;
    while (!atomic_load(&rig->ending)) {
        struct pollfd ready = {.fd = rig->listener, .events = POLLIN};
        if (poll(&ready, 1, 20) <= 0) continue;
        int const connection = accept4(rig->listener, NULL, NULL, SOCK_CLOEXEC);
        if (connection >= 0) rig_serve(rig, connection);
    }
    return NULL;
}

__attribute__((unused)) static void rig_start(struct rig *rig, rig_answer *answer, void *context)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    *rig = (struct rig){.answer = answer, .context = context};
    rig->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(rig->listener >= 0);
    assert_int_equal(bind(rig->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(rig->listener, 16), 0);
    assert_int_equal(getsockname(rig->listener, (struct sockaddr *)&address, &size), 0);
    rig->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&rig->thread, NULL, rig_run, rig), 0);
}

__attribute__((unused)) static void rig_stop(struct rig *rig)
{
    atomic_store(&rig->ending, true);
    pthread_join(rig->thread, NULL);
    close(rig->listener);
}

#endif
