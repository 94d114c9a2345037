/* http_reply.c - builds replies from lines and bytes, finds their headers, names failures. Pure.
 * Thread: whoever owns the build or the reply.
 * Owns: the buffers of a build; a reply's storage and body until http_reply_free(). Bodies may hold
 * credentials (STS, metadata services), so that no copy of one is freed without being wiped. */
#include "io/http/http_reply.h"

#include <stdlib.h>
#include <string.h>

/* The first buffers: a reply of S3 has some 10 headers in 600 bytes; bodies of unknown length are short XML.
 */
#define TEXT_FIRST    2048u
#define HEADERS_FIRST 32u
#define BODY_FIRST    4096u

static void wipe_free(void *bytes, size_t length)
{
    if (bytes == NULL) return;
    explicit_bzero(bytes, length);
    free(bytes);
}

void http_build_reset(struct http_build *build)
{
    wipe_free(build->body, build->body_length);
    build->body = NULL;
    build->body_length = build->body_size = 0;
    build->text_length = build->header_count = build->line_bytes = 0;
    build->received = 0;
    build->status = 0;
    build->head_ended = false;
}

void http_build_free(struct http_build *build)
{
    http_build_reset(build);
    wipe_free(build->text, build->text_size);
    free(build->headers);
    *build = (struct http_build){0};
}

static bool reserve_text(struct http_build *build, size_t more)
{
    size_t const need = build->text_length + more;
    if (need <= build->text_size) return true;
    size_t size = build->text_size == 0 ? TEXT_FIRST : build->text_size;
    while (size < need) /* ends: need is at most twice HTTP_REPLY_HEADERS_MAX */
        size *= 2;
    char *const text = realloc(build->text, size);
    if (text == NULL) return false;
    build->text = text;
    build->text_size = size;
    return true;
}

static bool reserve_header(struct http_build *build)
{
    if (build->header_count < build->header_size) return true;
    size_t const size = build->header_size == 0 ? HEADERS_FIRST : build->header_size * 2;
    struct http_build_header *const headers = realloc(build->headers, size * sizeof *headers);
    if (headers == NULL) return false;
    build->headers = headers;
    build->header_size = size;
    return true;
}

static bool is_blank(char character)
{
    return character == ' ' || character == '\t';
}

static void trim(const char **text, size_t *length)
{
    while (*length > 0 && is_blank(**text)) {
        (*text)++;
        (*length)--;
    }
    while (*length > 0 && is_blank((*text)[*length - 1]))
        (*length)--;
}

static void put_text(struct http_build *build, const char *text, size_t length)
{
    if (length > 0) memcpy(build->text + build->text_length, text, length);
    build->text_length += length;
    build->text[build->text_length++] = '\0';
}

/* A header folded over several lines (RFC 9112, 5.2): one blank joins the parts. */
static enum http_failure join_line(struct http_build *build, const char *line, size_t length)
{
    if (build->header_count == 0) return HTTP_OK;
    trim(&line, &length);
    if (!reserve_text(build, length + 1)) return HTTP_MEMORY;
    build->text[build->text_length - 1] = ' ';
    put_text(build, line, length);
    return HTTP_OK;
}

static enum http_failure add_header(struct http_build *build, const char *line, size_t length)
{
    const char *const colon = memchr(line, ':', length);
    if (colon == NULL) return HTTP_OK; /* the blank line, or nothing that has a name */
    size_t name_length = (size_t)(colon - line);
    const char *value = colon + 1;
    size_t value_length = length - name_length - 1;
    trim(&line, &name_length);
    trim(&value, &value_length);
    if (!reserve_header(build) || !reserve_text(build, name_length + value_length + 2)) return HTTP_MEMORY;
    struct http_build_header *const header = &build->headers[build->header_count++];
    header->name = (uint32_t)build->text_length;
    put_text(build, line, name_length);
    for (char *name = build->text + header->name; *name != '\0'; name++)
        if (*name >= 'A' && *name <= 'Z') *name = (char)(*name | 0x20);
    header->value = (uint32_t)build->text_length;
    put_text(build, value, value_length);
    return HTTP_OK;
}

/* "HTTP/1.1 503 Slow Down" */
static unsigned read_status(const char *line, size_t length)
{
    const char *const blank = memchr(line, ' ', length);
    if (blank == NULL || (size_t)(blank - line) + 4 > length) return 0;
    unsigned status = 0;
    for (size_t i = 1; i <= 3; i++) {
        if (blank[i] < '0' || blank[i] > '9') return 0;
        status = status * 10 + (unsigned)(blank[i] - '0');
    }
    return status;
}

enum http_failure http_build_line(struct http_build *build, const char *line, size_t length)
{
    size_t const raw = length;
    while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
        length--;
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0 && memchr(line, ' ', length) != NULL) {
        /* After 100 Continue, or when libcurl began anew. */
        http_build_reset(build);
        if (raw > HTTP_REPLY_HEADERS_MAX) return HTTP_BAD_REPLY;
        build->status = read_status(line, length);
        build->line_bytes = raw;
        return HTTP_OK;
    }
    if (raw > HTTP_REPLY_HEADERS_MAX - build->line_bytes) return HTTP_BAD_REPLY;
    build->line_bytes += raw;
    if (length == 0) build->head_ended = true;
    if (length > 0 && is_blank(line[0])) return join_line(build, line, length);
    return add_header(build, line, length);
}

/* The value of the last header of that name, NULL: not there. */
static const char *find_header(const struct http_build *build, const char *name)
{
    for (size_t i = build->header_count; i > 0; i--)
        if (strcmp(build->text + build->headers[i - 1].name, name) == 0)
            return build->text + build->headers[i - 1].value;
    return NULL;
}

/* Content-Length, or UINT64_MAX. */
static uint64_t announced(const struct http_build *build)
{
    const char *const text = find_header(build, "content-length");
    if (text == NULL || *text < '0' || *text > '9') return UINT64_MAX;
    uint64_t length = 0;
    for (const char *digit = text; *digit >= '0' && *digit <= '9'; digit++) {
        if (length > (UINT64_MAX - 9) / 10) return UINT64_MAX;
        length = length * 10 + (uint64_t)(*digit - '0');
    }
    return length;
}

bool http_build_is_framed(const struct http_build *build)
{
    return build->status == 204 || build->status == 304 || find_header(build, "transfer-encoding") != NULL ||
           announced(build) != UINT64_MAX;
}

bool http_build_is_whole(const struct http_build *build, bool without_body)
{
    if (build->status < 200) return false;
    if (without_body || build->status == 204 || build->status == 304) return true;
    /* The end of a chunked body is known to libcurl only. */
    if (find_header(build, "transfer-encoding") != NULL) return false;
    return announced(build) == build->received;
}

/* Not realloc(): it would leave the old bytes behind. */
static bool grow_body(struct http_build *build, size_t size)
{
    uint8_t *const body = malloc(size);
    if (body == NULL) return false;
    if (build->body_length > 0) memcpy(body, build->body, build->body_length);
    wipe_free(build->body, build->body_length);
    build->body = body;
    build->body_size = size;
    return true;
}

enum http_failure http_build_body(struct http_build *build, const uint8_t *bytes, size_t length, size_t most)
{
    build->received += length;
    if (length > most || build->body_length > most - length) return HTTP_BAD_REPLY;
    if (length == 0) return HTTP_OK;
    size_t const need = build->body_length + length + 1; /* the 0 behind it */
    if (need > build->body_size) {
        uint64_t const whole = announced(build);
        size_t size = build->body_size == 0 ? BODY_FIRST : build->body_size * 2;
        if (build->body_size == 0 && whole <= most) size = (size_t)whole + 1;
        if (size < need) size = need;
        if (!grow_body(build, size)) return HTTP_MEMORY;
    }
    memcpy(build->body + build->body_length, bytes, length);
    build->body_length += length;
    build->body[build->body_length] = 0;
    return HTTP_OK;
}

bool http_build_give(struct http_build *build, struct http_reply *reply)
{
    reply->status = build->status >= 200 ? build->status : 0;
    reply->received = build->received;
    if (reply->status == 0) return true;
    if (build->header_count > 0) {
        size_t const table = build->header_count * sizeof(struct http_header);
        struct http_header *const headers = malloc(table + build->text_length);
        if (headers == NULL) return false;
        char *const text = (char *)headers + table;
        memcpy(text, build->text, build->text_length);
        for (size_t i = 0; i < build->header_count; i++)
            headers[i] = (struct http_header){text + build->headers[i].name, text + build->headers[i].value};
        reply->storage = headers;
        reply->headers = headers;
        reply->header_count = build->header_count;
    }
    reply->body = build->body;
    reply->body_length = build->body_length;
    build->body = NULL;
    build->body_length = build->body_size = 0;
    return true;
}

const char *http_reply_header(const struct http_reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->header_count; i++)
        if (strcmp(reply->headers[i].name, name) == 0) return reply->headers[i].value;
    return NULL;
}

void http_reply_free(struct http_reply *reply)
{
    free(reply->storage);
    wipe_free(reply->body, reply->body_length);
    reply->storage = NULL;
    reply->headers = NULL;
    reply->header_count = 0;
    reply->body = NULL;
    reply->body_length = 0;
}

const char *http_failure_text(enum http_failure failure)
{
    switch (failure) {
    case HTTP_OK: return "no failure";
    case HTTP_RESOLVE: return "can't find the host";
    case HTTP_CONNECT: return "can't connect";
    case HTTP_TLS_TRUST: return "the server's certificate is not trusted";
    case HTTP_TLS: return "the TLS handshake failed";
    case HTTP_STALLED: return "the server fell silent";
    case HTTP_BROKEN: return "the connection broke";
    case HTTP_BAD_REPLY: return "the reply makes no sense";
    case HTTP_PROXY: return "the proxy refused";
    case HTTP_MEMORY: return "no memory";
    case HTTP_REFUSED: return "the reader gave up";
    }
    return "unknown failure";
}
