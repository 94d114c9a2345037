/* fuzz_aws_json.c - any bytes as what IMDS, a credential_process or STS answers: read or refused, and no
 * message ever holds more of it than names of ours. Times: what is read is in range. */
#include "io/aws/aws_json.h"
#include "io/aws/aws_sts_xml.h"
#include "io/aws/aws_time.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds)
{
    if (!holds) abort();
}

static void check_json(const char *bytes, size_t size)
{
    static const char *const messages[] = {"x: not a JSON object",
                                           "x: \"AccessKeyId\" is not a text",
                                           "x: \"SecretAccessKey\" is not a text",
                                           "x: \"Token\" is not a text",
                                           "x: \"SessionToken\" is not a text",
                                           "x: \"Version\" is not an integer",
                                           "x: \"Expiration\" is not a time such as \"2026-11-23T10:00:00Z\"",
                                           "x: more than 65536 bytes"};
    struct aws_json_credentials json;
    struct fault fault = {0};
    enum status const status = aws_json_read("x", bytes, size, &json, &fault);
    if (status == STATUS_OK) {
        expect(json.access_key_id == NULL || json.access_key_id[0] != '\0');
        expect(json.session_token == NULL || strlen(json.session_token) < size);
        expect(!json.expires_given || json.expires >= 0);
        expect(strlen(json.code) < AWS_JSON_CODE_MAX);
    } else {
        bool known = false;
        for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
            known = known || strcmp(fault.message, messages[i]) == 0;
        expect(status == STATUS_RIGHTS && known && json.access_key_id == NULL &&
               json.secret_access_key == NULL);
    }
    aws_json_free(&json);
}

static void check_xml(const char *bytes, size_t size)
{
    struct aws_sts_reply reply;
    bool const read = aws_sts_xml_read(bytes, size, &reply);
    for (const char *at = reply.message; *at != '\0'; at++)
        expect(*at >= ' ' && *at <= '~');
    for (const char *at = reply.code; *at != '\0'; at++)
        expect(*at >= ' ' && *at <= '~');
    expect(read || (reply.session_token == NULL && reply.code[0] == '\0'));
    aws_sts_xml_free(&reply);
}

static void check_time(const char *text)
{
    int64_t seconds = 0;
    /* Until the end of the year 9999, and a day for an offset. */
    if (aws_time_rfc3339(text, &seconds)) expect(seconds >= 0 && seconds <= 253402300800 + 86400);
    if (aws_time_http(text, &seconds)) expect(seconds >= 0 && seconds <= 253402300800);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *const text = malloc(size + 1);
    expect(text != NULL);
    if (size != 0) memcpy(text, data, size);
    text[size] = '\0';
    check_json((const char *)data, size);
    check_xml((const char *)data, size);
    check_time(text);
    free(text);
    return 0;
}
