/* fuzz_s3_url.c - any bytes as an S3 URL: taken or refused with words, never a crash; what was taken is
 * within its bounds, comes out of its own text again, and has a host by every rule. */
#include "core/base/utf8.h"
#include "io/s3/s3_endpoint.h"
#include "io/s3/s3_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
    if (!holds) abort();
}

static void expect_words(enum status status, enum status expected, const struct fault *fault)
{
    size_t const length = strlen(fault->message);
    expect(status == expected && length > 0 && utf8_valid_prefix(fault->message, length) == length);
}

static void check_url(const struct s3_url *url)
{
    struct s3_url again;
    char text[sizeof url->bucket + sizeof url->key + 8];
    expect(url->bucket[0] != '\0' && strlen(url->key) <= S3_KEY_MAX);
    snprintf(text, sizeof text, "s3://%s/%s", url->bucket, url->key);
    expect(s3_url_parse(text, &again, NULL) == STATUS_OK);
    expect(strcmp(again.bucket, url->bucket) == 0 && strcmp(again.key, url->key) == 0);
}

static void check_host(const struct s3_endpoint *endpoint)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789.-_:[]";
    expect(endpoint->host[0] != '\0' && endpoint->host[strspn(endpoint->host, allowed)] == '\0');
    size_t const length = strlen(endpoint->base);
    expect(length == 0 || (endpoint->base[0] == '/' && endpoint->base[length - 1] != '/'));
}

/* `flags` choose addressing and variants. A bucket that was taken has a host without an endpoint of the
 * user's, whatever else: path addressing, no variants. */
static void check_endpoint(const char *bucket, const char *own, unsigned char flags)
{
    struct s3_endpoint endpoint;
    struct fault fault = {0};
    struct s3_endpoint_rules const rules = {.region = "eu-central-1",
                                            .endpoint = own,
                                            .addressing = (enum aws_addressing)(flags % 3),
                                            .fips = (flags & 4) != 0,
                                            .dualstack = (flags & 8) != 0,
                                            .accelerate = (flags & 16) != 0};
    enum status const status = s3_endpoint_resolve(&rules, bucket, &endpoint, &fault);
    if (status == STATUS_OK) check_host(&endpoint);
    if (status != STATUS_OK) expect_words(status, STATUS_JOB, &fault);
    struct s3_endpoint_rules const plain = {.region = "eu-central-1"};
    if (strncmp(bucket, "arn:", 4) != 0) {
        expect(s3_endpoint_resolve(&plain, bucket, &endpoint, NULL) == STATUS_OK);
        check_host(&endpoint);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct s3_url url;
    struct fault fault = {0};
    char *text = malloc(size);
    if (text == NULL) return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    enum status status = s3_url_parse_folder(text, &url, &fault);
    if (status == STATUS_OK) expect(url.key[0] == '\0' || url.key[strlen(url.key) - 1] == '/');
    if (status != STATUS_OK) expect_words(status, STATUS_USAGE, &fault);
    status = s3_url_parse(text, &url, &fault);
    if (status == STATUS_OK) {
        check_url(&url);
        check_endpoint(url.bucket, NULL, data[0]);
    } else {
        expect_words(status, STATUS_USAGE, &fault);
    }
    check_endpoint("bucket", text, data[0]); /* the same bytes as an endpoint */
    free(text);
    return 0;
}
