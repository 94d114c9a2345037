/* aws_canonical.c - writes the canonical request: method, path, query, headers, names of headers, hash.
 *
 * One block is allocated, as large as the texts can become, and a cursor goes over it: no text is
 * measured twice. Thread rule: pure but for memory. Owns the block until aws_canonical_free(). */
#include "io/aws/aws_canonical.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
    CANONICAL_HEADERS_MAX = AWS_HEADERS_MAX + AWS_OWN_HEADERS_MAX,
    ENCODED_MOST = 3, /* %XX */
    /* Line ends, the longest method, '=', '&', terminators: less than this for each part and each pair. */
    CANONICAL_SLACK = 32
};

struct cursor {
    char *at, *end;
};

static void put(struct cursor *cursor, const char *text, size_t length)
{
    memcpy(cursor->at, text, length); /* the block was measured for it: canonical_bound() */
    cursor->at += length;
}

static void put_char(struct cursor *cursor, char c)
{
    *cursor->at++ = c;
}

static void put_text(struct cursor *cursor, const char *text)
{
    put(cursor, text, strlen(text));
}

static void put_encoded(struct cursor *cursor, const char *text, bool keep_slash)
{
    cursor->at += aws_encode(text, keep_slash, cursor->at, (size_t)(cursor->end - cursor->at));
}

/* What stands between `start` and the cursor becomes a text. */
static const char *finish(struct cursor *cursor, const char *start)
{
    put_char(cursor, '\0');
    return start;
}

/* "GET" */
static const char *method_name(enum http_method method)
{
    switch (method) {
    case HTTP_GET: return "GET";
    case HTTP_HEAD: return "HEAD";
    case HTTP_PUT: return "PUT";
    case HTTP_POST: return "POST";
    case HTTP_DELETE: break;
    }
    return "DELETE";
}

bool aws_canonical_timestamp(int64_t time, char out[AWS_TIMESTAMP_SIZE])
{
    time_t const seconds = (time_t)time;
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL || parts.tm_year < -1900 || parts.tm_year > 9999 - 1900)
        return false;
    return strftime(out, AWS_TIMESTAMP_SIZE, "%Y%m%dT%H%M%SZ", &parts) == AWS_TIMESTAMP_SIZE - 1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_token(const char *name)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"; /* RFC 9110, 5.6.2 */
    return *name != '\0' && name[strspn(name, token)] == '\0';
}

static bool is_value(const char *value)
{
    for (const char *at = value; *at != '\0'; at++) {
        unsigned char const c = (unsigned char)*at;
        if ((c < 0x20 && c != '\t') || c == 0x7F) return false;
    }
    return true;
}

/* The signer writes these itself; a second one would be signed as a list that nobody sends. */
static bool is_own(const char *name)
{
    static const char *const own[] = {"host", "x-amz-date", "x-amz-security-token", "authorization"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (strcasecmp(name, own[i]) == 0) return true;
    return false;
}

/* Proxies may change these on the way, so a signature over them breaks (botocore leaves them out too). */
static bool is_unsigned(const char *name)
{
    static const char *const hop[] = {"connection", "expect", "transfer-encoding", "user-agent",
                                      "x-amzn-trace-id"};
    for (size_t i = 0; i < sizeof hop / sizeof hop[0]; i++)
        if (strcasecmp(name, hop[i]) == 0) return true;
    return false;
}

/* Names and values of a request can be sent as headers: a token, and no control characters. */
static enum status check_request(const struct aws_request *request, struct fault *fault)
{
    if (request->header_count > AWS_HEADERS_MAX || request->query_count > AWS_QUERY_MAX)
        return fault_set(fault, STATUS_INTERNAL, "a request with %zu headers and %zu query parameters",
                         request->header_count, request->query_count);
    if (request->path[0] != '/')
        return fault_set(fault, STATUS_INTERNAL, "a request's path that does not begin with a slash");
    if (request->host[0] == '\0' || !is_value(request->host))
        return fault_set(fault, STATUS_INTERNAL, "a request without a host");
    for (size_t i = 0; i < request->header_count; i++) {
        const char *name = request->headers[i].name;
        if (!is_token(name))
            return fault_set(fault, STATUS_JOB,
                             "request header number %zu: its name can't be sent; letters, digits and - are "
                             "allowed",
                             i + 1);
        if (is_own(name))
            return fault_set(fault, STATUS_INTERNAL, "request header %s is the signer's own", name);
        if (!is_value(request->headers[i].value))
            return fault_set(fault, STATUS_JOB,
                             "request header %s: control characters and line ends can't be sent", name);
    }
    return STATUS_OK;
}

/* Dot segments are resolved and runs of slashes become one, as botocore's normalize_url_path() and the
 * vectors have it; a slash at the end stays. `out` has room for the path. */
static void normalize(const char *path, char *out)
{
    char *end = out;
    const char *at = path;
    bool slash_last = false;
    while (*at != '\0') {
        at += strspn(at, "/");
        size_t const length = strcspn(at, "/");
        slash_last = at[length] == '/' || length == 0;
        if (length == 2 && at[0] == '.' && at[1] == '.') {
            while (end > out && *--end != '/')
                ;
        } else if (length != 0 && !(length == 1 && at[0] == '.')) {
            *end++ = '/';
            memcpy(end, at, length);
            end += length;
        }
        at += length;
    }
    if (end == out || slash_last) *end++ = '/';
    *end = '\0';
}

static enum status put_path(struct cursor *cursor, const struct aws_canonical_input *input,
                            struct fault *fault)
{
    const char *path = input->request->path;
    size_t const size = strlen(path) + 2;
    size_t const encoded_size = ENCODED_MOST * size;
    if (!input->normalize_path && !input->encode_twice) {
        put_encoded(cursor, path, true);
        return STATUS_OK;
    }
    char *scratch = malloc(size + encoded_size);
    if (scratch == NULL) return fault_set(fault, STATUS_IO, "out of memory for a request's path");
    if (input->normalize_path) {
        normalize(path, scratch);
        path = scratch;
    }
    if (input->encode_twice) {
        aws_encode(path, true, scratch + size, encoded_size);
        path = scratch + size;
    }
    put_encoded(cursor, path, true);
    free(scratch);
    return STATUS_OK;
}

/* By encoded name, then by encoded value: "a" before "a-b", though '=' follows '-'. */
static int pair_order(const struct aws_pair *left, const struct aws_pair *right)
{
    int const by_name = strcmp(left->name, right->name);
    return by_name != 0 ? by_name : strcmp(left->value, right->value);
}

static void sort_pairs(struct aws_pair *pairs, size_t count, bool by_value)
{
    /* Insertion: a few pairs, and stable, which headers of one name need. */
    for (size_t i = 1; i < count; i++) {
        struct aws_pair const moved = pairs[i];
        size_t at = i;
        while (at > 0) {
            int const order =
                by_value ? pair_order(&moved, &pairs[at - 1]) : strcmp(moved.name, pairs[at - 1].name);
            if (order >= 0) break;
            pairs[at] = pairs[at - 1];
            at--;
        }
        pairs[at] = moved;
    }
}

static const char *put_query(struct cursor *cursor, const struct aws_request *request)
{
    struct aws_pair pairs[AWS_QUERY_MAX];
    for (size_t i = 0; i < request->query_count; i++) {
        char *start = cursor->at;
        put_encoded(cursor, request->query[i].name, false);
        pairs[i].name = finish(cursor, start);
        start = cursor->at;
        put_encoded(cursor, request->query[i].value, false);
        pairs[i].value = finish(cursor, start);
    }
    sort_pairs(pairs, request->query_count, true);
    char *start = cursor->at;
    for (size_t i = 0; i < request->query_count; i++) {
        if (i > 0) put_char(cursor, '&');
        put_text(cursor, pairs[i].name);
        put_char(cursor, '='); /* also where there is no value: "uploads=" */
        put_text(cursor, pairs[i].value);
    }
    return finish(cursor, start);
}

static const char *put_lower(struct cursor *cursor, const char *name)
{
    char *start = cursor->at;
    for (; *name != '\0'; name++)
        put_char(cursor, *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name);
    return finish(cursor, start);
}

/* Headers to be signed, names in lower case, in order; of one name in the order given. */
static size_t collect_headers(struct cursor *cursor, const struct aws_canonical_input *input,
                              struct aws_pair headers[CANONICAL_HEADERS_MAX])
{
    const struct aws_request *request = input->request;
    size_t count = 0;
    headers[count++] = (struct aws_pair){"host", request->host};
    headers[count++] = (struct aws_pair){"x-amz-date", input->timestamp};
    if (input->content_hash != NULL)
        headers[count++] = (struct aws_pair){"x-amz-content-sha256", input->content_hash};
    if (input->token != NULL) headers[count++] = (struct aws_pair){"x-amz-security-token", input->token};
    for (size_t i = 0; i < request->header_count; i++) {
        if (is_unsigned(request->headers[i].name)) continue;
        headers[count].name = put_lower(cursor, request->headers[i].name);
        headers[count++].value = request->headers[i].value;
    }
    sort_pairs(headers, count, false);
    return count;
}

/* Without blanks around it, runs of blanks as one space. */
static void put_trimmed(struct cursor *cursor, const char *value)
{
    bool gap = false, begun = false;
    for (; *value != '\0'; value++) {
        if (is_blank(*value)) {
            gap = true;
            continue;
        }
        if (gap && begun) put_char(cursor, ' ');
        put_char(cursor, *value);
        gap = false;
        begun = true;
    }
}

static void put_headers(struct cursor *cursor, const struct aws_pair *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool const again = i > 0 && strcmp(headers[i].name, headers[i - 1].name) == 0;
        if (again) {
            cursor->at--; /* over the line end: "a:1\n" becomes "a:1,2\n" */
            put_char(cursor, ',');
        } else {
            put_text(cursor, headers[i].name);
            put_char(cursor, ':');
        }
        put_trimmed(cursor, headers[i].value);
        put_char(cursor, '\n');
    }
}

static const char *put_names(struct cursor *cursor, const struct aws_pair *headers, size_t count)
{
    char *start = cursor->at;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(headers[i].name, headers[i - 1].name) == 0) continue;
        if (i > 0) put_char(cursor, ';');
        put_text(cursor, headers[i].name);
    }
    return finish(cursor, start);
}

/* Room for everything: query twice (pairs, joined), header names four times (lower case, line, list of names
 * alone and in the request), the path encoded twice. */
static size_t canonical_bound(const struct aws_canonical_input *input)
{
    const struct aws_request *request = input->request;
    size_t bytes = 16 * CANONICAL_SLACK + 4 * AWS_OWN_HEADERS_MAX * CANONICAL_SLACK;
    bytes += ENCODED_MOST * ENCODED_MOST * (strlen(request->path) + 2);
    bytes += strlen(request->host) + strlen(input->timestamp) + strlen(input->payload_hash);
    if (input->content_hash != NULL) bytes += strlen(input->content_hash);
    if (input->token != NULL) bytes += strlen(input->token);
    for (size_t i = 0; i < request->query_count; i++)
        bytes += 3 * (ENCODED_MOST * (strlen(request->query[i].name) + strlen(request->query[i].value)) +
                      CANONICAL_SLACK);
    for (size_t i = 0; i < request->header_count; i++)
        bytes += 4 * (strlen(request->headers[i].name) + CANONICAL_SLACK) + strlen(request->headers[i].value);
    return bytes;
}

static enum status canonical_write(const struct aws_canonical_input *input, struct cursor *cursor,
                                   struct aws_canonical *out, struct fault *fault)
{
    struct aws_pair headers[CANONICAL_HEADERS_MAX];
    out->query = put_query(cursor, input->request);
    size_t const count = collect_headers(cursor, input, headers);
    out->signed_headers = put_names(cursor, headers, count);

    char *start = cursor->at;
    put_text(cursor, method_name(input->request->method));
    put_char(cursor, '\n');
    enum status const status = put_path(cursor, input, fault);
    if (status != STATUS_OK) return status;
    put_char(cursor, '\n');
    put_text(cursor, out->query);
    put_char(cursor, '\n');
    put_headers(cursor, headers, count);
    put_char(cursor, '\n');
    put_text(cursor, out->signed_headers);
    put_char(cursor, '\n');
    put_text(cursor, input->payload_hash);
    out->text = finish(cursor, start);
    return STATUS_OK;
}

enum status aws_canonical_make(const struct aws_canonical_input *input, struct aws_canonical *out,
                               struct fault *fault)
{
    *out = (struct aws_canonical){0};
    enum status status = check_request(input->request, fault);
    if (status != STATUS_OK) return status;
    out->block_size = canonical_bound(input);
    out->block = malloc(out->block_size);
    if (out->block == NULL) return fault_set(fault, STATUS_IO, "out of memory for a request's signature");
    struct cursor cursor = {out->block, out->block + out->block_size};
    status = canonical_write(input, &cursor, out, fault);
    if (status != STATUS_OK) aws_canonical_free(out);
    return status;
}

void aws_canonical_free(struct aws_canonical *canonical)
{
    aws_wipe_free(canonical->block, canonical->block_size);
    *canonical = (struct aws_canonical){0};
}
