/* fuzz_sigv4.c - any bytes as a request to be signed: signed or refused with words, never a crash; what goes
 * out is what was signed; the order of query parameters and headers does not matter; encoding can be undone.
 */
#include "core/base/utf8.h"
#include "io/aws/aws_canonical.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
    if (!holds) abort();
}

/* The next text of the input, up to a zero byte. */
static const char *next(char **at, char *end)
{
    char *text = *at;
    if (text >= end) return "";
    *at = text + strlen(text) + 1;
    return text;
}

static void next_pair(char **at, char *end, struct aws_pair *pair)
{
    pair->name = next(at, end);
    pair->value = next(at, end);
}

static void fill(struct aws_request *request, char *text, char *end, unsigned counts)
{
    request->path = next(&text, end);
    request->query_count = counts % AWS_QUERY_MAX;
    for (size_t i = 0; i < request->query_count; i++)
        next_pair(&text, end, &request->query[i]);
    request->header_count = counts / 16;
    for (size_t i = 0; i < request->header_count; i++)
        next_pair(&text, end, &request->headers[i]);
}

/* Headers of one name keep their order, so only others may change places. */
static bool names_differ(const struct aws_request *request)
{
    for (size_t i = 0; i < request->header_count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcasecmp(request->headers[i].name, request->headers[j].name) == 0) return false;
    return true;
}

static struct aws_request reversed(const struct aws_request *request)
{
    struct aws_request turned = *request;
    for (size_t i = 0; i < request->query_count; i++)
        turned.query[i] = request->query[request->query_count - 1 - i];
    for (size_t i = 0; i < request->header_count && names_differ(request); i++)
        turned.headers[i] = request->headers[request->header_count - 1 - i];
    return turned;
}

static void check_encoding(const char *text)
{
    size_t const length = aws_encode(text, false, NULL, 0);
    char *encoded = malloc(length + 1);
    if (encoded == NULL) return;
    expect(aws_encode(text, false, encoded, length + 1) == length && strlen(encoded) == length);
    const char *at = encoded;
    for (; *text != '\0'; text++) {
        unsigned byte = (unsigned char)*at;
        if (*at == '%') expect(sscanf(at + 1, "%2X", &byte) == 1);
        at += *at == '%' ? 3 : 1;
        expect(byte == (unsigned char)*text);
    }
    expect(*at == '\0');
    free(encoded);
}

/* The query of the URL is the third line of the canonical request. */
static void check_sent(const struct aws_signed *out, const char *canonical)
{
    const char *query = strchr(out->url, '?');
    query = query != NULL ? query + 1 : "";
    const char *line = strchr(strchr(canonical, '\n') + 1, '\n') + 1;
    expect(strncmp(line, query, strlen(query)) == 0 && line[strlen(query)] == '\n');
    for (const char *c = out->url; *c != '\0'; c++)
        expect(*c > ' ' && *c <= '~');
}

static void check(struct aws_signer *signer, const struct aws_request *request, const struct aws_scope *scope)
{
    char access[] = "AKIDEXAMPLE", secret[] = "wJalrXUtnFEMI", token[] = "token";
    struct aws_credentials const credentials = {
        .access_key_id = access, .secret_access_key = secret, .session_token = token};
    struct aws_request const turned = reversed(request);
    struct aws_signed first, second;
    struct fault fault = {0};
    enum status const status =
        aws_sign(signer, request, scope, &credentials, AWS_UNSIGNED_PAYLOAD, &first, &fault);
    enum status const other =
        aws_sign(signer, &turned, scope, &credentials, AWS_UNSIGNED_PAYLOAD, &second, NULL);
    /* Of several defects the first in order is named. */
    expect((status == STATUS_OK) == (other == STATUS_OK));
    if (status != STATUS_OK) {
        expect(fault.message[0] != '\0' && first.block == NULL && second.block == NULL);
        return;
    }
    char *canonical = NULL, *to_sign = NULL;
    expect(aws_sign_explain(signer, request, scope, &credentials, AWS_UNSIGNED_PAYLOAD, &canonical, &to_sign,
                            NULL) == STATUS_OK);
    check_sent(&first, canonical);
    expect(strcmp(first.url, second.url) == 0);
    expect(strcmp(first.headers[first.header_count - 1].value,
                  second.headers[second.header_count - 1].value) == 0);
    free(canonical);
    free(to_sign);
    aws_signed_free(&first);
    aws_signed_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    struct aws_signer *signer = aws_signer_create(NULL);
    char *text = malloc(size - 1);
    if (text != NULL && signer != NULL) {
        memcpy(text, data + 2, size - 2);
        text[size - 2] = '\0';
        struct aws_request request = {.method = HTTP_GET, .scheme = "https", .host = "h"};
        struct aws_scope const scope = {.region = "eu-central-1",
                                        .service = "s3",
                                        .time = data[1] * 86400,
                                        .encode_twice = (data[1] & 1) != 0,
                                        .normalize_path = (data[1] & 2) != 0,
                                        .sign_payload_header = (data[1] & 4) != 0};
        fill(&request, text, text + size - 1, data[0]);
        check(signer, &request, &scope);
        check_encoding(text);
    }
    free(text);
    aws_signer_destroy(signer);
    return 0;
}
