/* sigv4_print.c - signs the requests that standard input describes, for tests/property/sigv4_differential.py.
 *
 * One request a line, fields with blanks between them, texts in hex ("-" is the empty one), since paths and
 * values may hold anything:
 *   METHOD SCHEME HOST PATH REGION SERVICE TIME TOKEN HASH FLAGS QUERIES {NAME VALUE} HEADERS {NAME VALUE}
 * FLAGS is a sum: 1 encode_twice, 2 normalize_path, 4 sign_payload_header. Keys are those of AWS's examples.
 * For each line: URL, authorization, or "refused" and the message. */
#include "io/aws/aws_sigv4.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line {
    char *rest;
};

static char *word(struct line *line)
{
    char *text = strsep(&line->rest, " \n");
    if (text == NULL) {
        fputs("sigv4_print: a line is cut\n", stderr);
        exit(2);
    }
    return text;
}

static size_t number(struct line *line)
{
    return (size_t)strtoul(word(line), NULL, 10);
}

/* Decodes in place. */
static const char *text(struct line *line)
{
    char *const start = word(line), *out = start;
    unsigned byte = 0;
    for (const char *at = start; sscanf(at, "%2x", &byte) == 1; at += 2)
        *out++ = (char)byte;
    *out = '\0';
    return start;
}

static size_t pairs(struct line *line, struct aws_pair *out, size_t most)
{
    size_t const count = number(line);
    if (count > most) {
        fputs("sigv4_print: too many pairs\n", stderr);
        exit(2);
    }
    for (size_t i = 0; i < count; i++) {
        out[i].name = text(line);
        out[i].value = text(line);
    }
    return count;
}

static enum http_method method(const char *name)
{
    static const char *const names[] = {"GET", "HEAD", "PUT", "POST", "DELETE"};
    size_t at = 0;
    while (at < 4 && strcmp(names[at], name) != 0)
        at++;
    return (enum http_method)at;
}

static void print_signed(struct aws_signer *signer, struct line *line)
{
    char access[] = "AKIDEXAMPLE", secret[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    struct aws_request request = {.method = method(word(line))};
    request.scheme = text(line);
    request.host = text(line);
    request.path = text(line);
    struct aws_scope scope = {.region = text(line)};
    scope.service = text(line);
    scope.time = (int64_t)number(line);
    char *token = strdup(text(line));
    const char *hash = text(line);
    size_t const flags = number(line);
    scope.encode_twice = (flags & 1) != 0;
    scope.normalize_path = (flags & 2) != 0;
    scope.sign_payload_header = (flags & 4) != 0;
    request.query_count = pairs(line, request.query, AWS_QUERY_MAX);
    request.header_count = pairs(line, request.headers, AWS_HEADERS_MAX);
    struct aws_credentials const credentials = {.access_key_id = access,
                                                .secret_access_key = secret,
                                                .session_token =
                                                    token != NULL && *token != '\0' ? token : NULL};
    struct aws_signed out;
    struct fault fault = {0};
    if (aws_sign(signer, &request, &scope, &credentials, hash, &out, &fault) == STATUS_OK) {
        printf("%s %s\n", out.url, out.headers[out.header_count - 1].value);
        aws_signed_free(&out);
    } else {
        printf("refused %s\n", fault.message);
    }
    free(token);
}

int main(void)
{
    struct fault fault = {0};
    struct aws_signer *signer = aws_signer_create(&fault);
    if (signer == NULL) {
        fprintf(stderr, "sigv4_print: %s\n", fault.message);
        return 1;
    }
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0)
        print_signed(signer, &(struct line){line});
    free(line);
    aws_signer_destroy(signer);
    return 0;
}
