/* aws_source.c - what the sources of credentials share: requests, waits, tokens, the last check.
 *
 * Thread rule: a struct aws_source belongs to one thread at a time. Owns nothing. */
#include "io/aws/aws_source.h"

#include "io/aws/aws_config_file.h"
#include "io/aws/aws_json.h"
#include "io/aws/aws_time.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A waiting source asks whether it shall stop that often: soon enough for a person at the keyboard. */
#define SOURCE_SLICE_MS 100u

static int64_t source_now(void *context)
{
    (void)context;
    return (int64_t)time(NULL);
}

struct aws_tuning aws_source_tuning(void)
{
    return (struct aws_tuning){
        .now = source_now,
        .advisory_seconds = 15 * 60, /* botocore's */
        .retry_ms = 30 * 1000,
        .look_ms = 60 * 1000,
        .process_ms = 60 * 1000,
        .pause_ms = 500,
        .container_base = "http://169.254.170.2", /* ECS's agent */
    };
}

int64_t aws_source_milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

enum aws_found aws_source_fail(struct fault *fault, enum status status, const char *format, ...)
{
    char text[FAULT_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fault_set(fault, status, "%s", text);
    return AWS_FAILED;
}

bool aws_source_is_token(const char *text)
{
    for (const char *at = text; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~') return false;
    return *text != '\0';
}

/* What a key's text is not fit for: NULL when it is. A line end in it would end a header. */
static const char *source_unfit(const char *text)
{
    if (text == NULL || text[0] == '\0') return "missing";
    if (strlen(text) > AWS_CREDENTIAL_TEXT_MAX) return "too long";
    return aws_source_is_token(text) ? NULL : "not of printable ASCII characters without blanks";
}

enum aws_found aws_source_found(const struct aws_source *source, const struct aws_found_keys *keys,
                                const char *provider, const char *where, struct aws_credentials *out,
                                struct fault *fault)
{
    const char *unfit = source_unfit(keys->access_key_id);
    if (unfit != NULL)
        return aws_source_fail(fault, STATUS_RIGHTS, "%s: the access key id is %s", where, unfit);
    unfit = source_unfit(keys->secret_access_key);
    if (unfit != NULL)
        return aws_source_fail(fault, STATUS_RIGHTS,
                               "%s: there is an access key id, but the secret access key is %s", where,
                               unfit);
    unfit = keys->session_token == NULL ? NULL : source_unfit(keys->session_token);
    if (unfit != NULL)
        return aws_source_fail(fault, STATUS_RIGHTS, "%s: the session token is %s", where, unfit);
    int64_t const skew = source == NULL ? 0 : source->skew;
    int64_t const expires = keys->expires == 0 ? 0 : keys->expires - skew;
    if (aws_credentials_set(out, keys->access_key_id, keys->secret_access_key, keys->session_token, expires,
                            provider))
        return AWS_FOUND;
    return aws_source_fail(fault, STATUS_IO, "%s: no memory for the credentials", where);
}

/* The services and a credential_process write Code and Version for different ends. */
static enum aws_found source_json_check(const struct aws_json_credentials *json, bool versioned,
                                        const char *where, struct fault *fault)
{
    if (versioned && !json->version_given)
        return aws_source_fail(fault, STATUS_RIGHTS, "%s: \"Version\": 1 is missing", where);
    if (versioned && json->version != 1)
        return aws_source_fail(fault, STATUS_RIGHTS, "%s: \"Version\" is %lld; only 1 is known", where,
                               (long long)json->version);
    if (!versioned && json->code[0] != '\0' && strcmp(json->code, "Success") != 0)
        return aws_source_fail(fault, STATUS_RIGHTS, "%s: has no credentials: %s", where, json->code);
    return AWS_FOUND;
}

enum aws_found aws_source_json(const struct aws_source *source, const char *text, size_t length,
                               bool versioned, const char *provider, const char *where,
                               struct aws_credentials *out, struct fault *fault)
{
    struct aws_json_credentials json = {0};
    if (aws_json_read(where, text, length, &json, fault) != STATUS_OK) return AWS_FAILED;
    enum aws_found found = source_json_check(&json, versioned, where, fault);
    struct aws_found_keys const keys = {.access_key_id = json.access_key_id,
                                        .secret_access_key = json.secret_access_key,
                                        .session_token = json.session_token,
                                        .expires = json.expires_given ? json.expires : 0};
    if (found == AWS_FOUND) found = aws_source_found(source, &keys, provider, where, out, fault);
    aws_json_free(&json);
    return found;
}

struct http *aws_source_http(const struct aws_source *source, bool metadata, struct fault *fault)
{
    struct http_options const options = {.connections = 1,
                                         .ca_bundle = source->config->ca_bundle,
                                         .user_agent = source->user_agent,
                                         .no_proxy = metadata};
    return http_create(&options, fault);
}

static void source_stopped(struct fault *fault)
{
    fault_set(fault, STATUS_TRY_AGAIN, "stopped while credentials were being fetched");
}

bool aws_source_send(struct aws_source *source, struct http *http, struct http_request *request,
                     struct fault *fault)
{
    request->reply_max = AWS_SOURCE_REPLY_MAX;
    if (!http_perform(http, request, source->stop, source->stop_context)) {
        source_stopped(fault);
        return false;
    }
    const char *const date =
        request->reply.failure == HTTP_OK ? http_reply_header(&request->reply, "date") : NULL;
    int64_t server = 0;
    source->skew = 0;
    if (date != NULL && aws_time_http(date, &server)) {
        int64_t const ahead = server - source->tuning->now(source->tuning->now_context);
        if (ahead > AWS_SOURCE_SKEW_SECONDS || ahead < -AWS_SOURCE_SKEW_SECONDS) source->skew = ahead;
    }
    return true;
}

void aws_source_reply_free(struct http_request *request)
{
    if (request->reply.body != NULL) explicit_bzero(request->reply.body, request->reply.body_length);
    http_reply_free(&request->reply);
}

enum aws_found aws_source_no_reply(const struct http_request *request, const char *where, struct fault *fault)
{
    const struct http_reply *const reply = &request->reply;
    const char *const words = http_failure_text(reply->failure);
    if (reply->failure == HTTP_TLS_TRUST)
        return aws_source_fail(fault, STATUS_RIGHTS,
                               "%s: %s (%s); AWS_CA_BUNDLE names the file with the authority's certificate",
                               where, words, reply->failure_text);
    enum status const status = reply->failure == HTTP_MEMORY    ? STATUS_IO
                               : reply->failure == HTTP_REFUSED ? STATUS_RIGHTS
                                                                : STATUS_TRY_AGAIN;
    return aws_source_fail(fault, status, "%s: %s (%s)", where, words, reply->failure_text);
}

bool aws_source_passing(const struct http_reply *reply)
{
    switch (reply->failure) {
    case HTTP_OK: return reply->status == 429 || reply->status >= 500;
    case HTTP_TLS_TRUST:
    case HTTP_MEMORY:
    case HTTP_REFUSED: return false;
    default: return true;
    }
}

bool aws_source_pause(const struct aws_source *source, uint32_t milliseconds, struct fault *fault)
{
    for (uint32_t left = milliseconds;;) {
        if (source->stop != NULL && source->stop(source->stop_context)) {
            source_stopped(fault);
            return false;
        }
        if (left == 0) return true;
        uint32_t const slice = left < SOURCE_SLICE_MS ? left : SOURCE_SLICE_MS;
        struct timespec const span = {.tv_nsec = (long)slice * 1000000};
        nanosleep(&span, NULL);
        left -= slice;
    }
}

static bool source_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool source_token_fault(const char *path, const char *what, const char *wrong, struct fault *fault)
{
    fault_set(fault, STATUS_RIGHTS, "%s (%s): %s", path, what, wrong);
    return false;
}

/* A token in a header's value may begin with a scheme ("Basic ..."): a blank inside is fine, a line end is
 * not. */
static bool source_fits_header(const char *text)
{
    for (const char *at = text; *at != '\0'; at++)
        if (*at < ' ' || *at > '~') return false;
    return *text != '\0';
}

/* The token without the blanks around it, in `room`. False: it is none. */
static bool source_trim(const char *bytes, size_t length, char room[AWS_SOURCE_TOKEN_MAX + 1])
{
    while (length != 0 && source_blank(bytes[length - 1]))
        length--;
    while (length != 0 && source_blank(bytes[0])) {
        bytes++;
        length--;
    }
    memcpy(room, bytes, length);
    room[length] = '\0';
    return strlen(room) == length && source_fits_header(room);
}

bool aws_source_token_file(const char *path, const char *what, char **token, struct fault *fault)
{
    char *bytes = NULL;
    size_t length = 0;
    *token = NULL;
    switch (aws_config_file_bytes(path, AWS_SOURCE_TOKEN_MAX, &bytes, &length)) {
    case AWS_FILE_READ: break;
    case AWS_FILE_MISSING: return source_token_fault(path, what, "there is no such file", fault);
    case AWS_FILE_TOO_LONG: return source_token_fault(path, what, "too long for a token", fault);
    case AWS_FILE_FAILED: return source_token_fault(path, what, strerror(errno), fault);
    }
    char *const room = calloc(1, AWS_SOURCE_TOKEN_MAX + 1);
    bool const good = room != NULL && source_trim(bytes, length, room);
    aws_wipe_free(bytes, length);
    if (good) {
        *token = room;
        return true;
    }
    if (room != NULL)
        source_token_fault(path, what, "doesn't hold a token", fault);
    else
        fault_set(fault, STATUS_IO, "%s (%s): no memory to read it", path, what);
    aws_wipe_free(room, AWS_SOURCE_TOKEN_MAX + 1);
    return false;
}
