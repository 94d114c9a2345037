/* test_aws_json.c - credentials in JSON, STS's answers in XML; neither ever quotes what it read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/aws/aws_json.h"
#include "io/aws/aws_sts_xml.h"

#include <stdlib.h>
#include <string.h>

static void reads_imds(void **state)
{
    (void)state;
    static const char text[] =
        "{\"Code\":\"Success\",\"LastUpdated\":\"2026-11-23T09:00:00Z\",\"Type\":\"AWS-HMAC\","
        "\"AccessKeyId\":\"ASIA1\",\"SecretAccessKey\":\"se/cret+\",\"Token\":\"to\\/ken==\","
        "\"Expiration\":\"2026-11-23T10:00:00Z\"}";
    struct aws_json_credentials json;
    struct fault fault;
    assert_int_equal(aws_json_read("x", text, strlen(text), &json, &fault), STATUS_OK);
    assert_string_equal(json.access_key_id, "ASIA1");
    assert_string_equal(json.secret_access_key, "se/cret+");
    assert_string_equal(json.session_token, "to/ken==");
    assert_true(json.expires_given);
    assert_int_equal(json.expires, 1795428000);
    assert_false(json.version_given);
    assert_string_equal(json.code, "Success");
    aws_json_free(&json);
    assert_null(json.access_key_id);
}

static void reads_a_process(void **state)
{
    (void)state;
    static const char text[] = " {\"Version\": 1, \"AccessKeyId\": \"a\", \"SecretAccessKey\": \"b\",\n"
                               "\"SessionToken\": null, \"Expiration\": null}\n";
    struct aws_json_credentials json;
    struct fault fault;
    assert_int_equal(aws_json_read("x", text, strlen(text), &json, &fault), STATUS_OK);
    assert_true(json.version_given);
    assert_int_equal(json.version, 1);
    assert_null(json.session_token);
    assert_false(json.expires_given);
    assert_string_equal(json.code, "");
    aws_json_free(&json);
}

static void takes_what_is_missing(void **state)
{
    (void)state;
    struct aws_json_credentials json;
    struct fault fault;
    assert_int_equal(aws_json_read("x", "{}", 2, &json, &fault), STATUS_OK);
    assert_null(json.access_key_id);
    assert_null(json.secret_access_key);
    static const char odd[] =
        "{\"AccessKeyId\":\"\",\"Code\":\"a b\\u001b[0m\",\"Token\":\"1\",\"SessionToken\":\"2\"}";
    assert_int_equal(aws_json_read("x", odd, strlen(odd), &json, &fault), STATUS_OK);
    assert_null(json.access_key_id);
    assert_string_equal(json.code, "(unreadable)");
    assert_string_equal(json.session_token, "2");
    aws_json_free(&json);
    static const char twice[] = "{\"Token\":\"1\",\"Token\":\"2\",\"Code\":7}";
    assert_int_equal(aws_json_read("x", twice, strlen(twice), &json, &fault), STATUS_OK);
    assert_string_equal(json.session_token, "2");
    assert_string_equal(json.code, "");
    aws_json_free(&json);
}

static void refuses_without_quoting(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "x: not a JSON object"},
        {"secret", "x: not a JSON object"},
        {"[\"secret\"]", "x: not a JSON object"},
        {"\"secret\"", "x: not a JSON object"},
        {"{\"SecretAccessKey\":\"secret", "x: not a JSON object"},
        {"{\"SecretAccessKey\":\"secret\"} trailing", "x: not a JSON object"},
        {"{\"SecretAccessKey\":\"sec\\u0000ret\"}", "x: not a JSON object"},
        {"{\"SecretAccessKey\":\"sec\xFFret\"}", "x: not a JSON object"},
        {"{\"SecretAccessKey\":[\"secret\"]}", "x: \"SecretAccessKey\" is not a text"},
        {"{\"AccessKeyId\":12}", "x: \"AccessKeyId\" is not a text"},
        {"{\"Token\":true}", "x: \"Token\" is not a text"},
        {"{\"Version\":\"1\"}", "x: \"Version\" is not an integer"},
        {"{\"Version\":1.0}", "x: \"Version\" is not an integer"},
        {"{\"Expiration\":1795428000}", "x: \"Expiration\" is not a time such as \"2026-11-23T10:00:00Z\""},
        {"{\"AccessKeyId\":\"a\",\"Expiration\":\"soon\"}",
         "x: \"Expiration\" is not a time such as \"2026-11-23T10:00:00Z\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct aws_json_credentials json;
        struct fault fault = {0};
        assert_int_equal(aws_json_read("x", cases[i].text, strlen(cases[i].text), &json, &fault),
                         STATUS_RIGHTS);
        assert_string_equal(fault.message, cases[i].message);
        assert_null(json.access_key_id);
    }
}

static void is_bounded(void **state)
{
    (void)state;
    size_t const length = AWS_JSON_BYTES_MAX + 1;
    char *const text = malloc(length);
    assert_non_null(text);
    struct aws_json_credentials json;
    struct fault fault = {0};
    memset(text, ' ', length);
    assert_int_equal(aws_json_read("x", text, length, &json, &fault), STATUS_RIGHTS);
    assert_string_equal(fault.message, "x: more than 65536 bytes");
    memset(text, '[', length);
    assert_int_equal(aws_json_read("x", text, length - 1, &json, &fault), STATUS_RIGHTS);
    free(text);
}

static bool read_xml(const char *text, struct aws_sts_reply *reply)
{
    return aws_sts_xml_read(text, strlen(text), reply);
}

static void reads_sts(void **state)
{
    (void)state;
    struct aws_sts_reply reply;
    assert_true(read_xml(
        "<?xml version=\"1.0\"?><AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
        "<AssumeRoleResult><AssumedRoleUser><Arn>arn</Arn></AssumedRoleUser><Credentials>"
        "<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s&amp;t</SecretAccessKey>"
        "<SessionToken>tok</SessionToken><Expiration>2026-11-23T10:00:00Z</Expiration>"
        "</Credentials></AssumeRoleResult></AssumeRoleResponse>",
        &reply));
    assert_string_equal(reply.access_key_id, "ASIA");
    assert_string_equal(reply.secret_access_key, "s&t");
    assert_string_equal(reply.session_token, "tok");
    assert_string_equal(reply.expiration, "2026-11-23T10:00:00Z");
    assert_string_equal(reply.code, "");
    aws_sts_xml_free(&reply);
    assert_null(reply.session_token);
}

static void reads_errors(void **state)
{
    (void)state;
    struct aws_sts_reply reply;
    assert_true(
        read_xml("<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
                 "<Message>no\nway \xC3\xA4</Message></Error><RequestId>1</RequestId></ErrorResponse>",
                 &reply));
    assert_string_equal(reply.code, "AccessDenied");
    assert_string_equal(reply.message, "no way ??");
    assert_null(reply.access_key_id);
    aws_sts_xml_free(&reply);
    /* The first counts, also with a prefix; an empty one is none. */
    assert_true(
        read_xml("<e:Error xmlns:e='u'><e:Code>A</e:Code><Code>B</Code><Message/></e:Error>", &reply));
    assert_string_equal(reply.code, "A");
    assert_string_equal(reply.message, "");
    aws_sts_xml_free(&reply);
}

static void refuses_bad_xml(void **state)
{
    (void)state;
    struct aws_sts_reply reply;
    static const char *const wrong[] = {"",
                                        "text",
                                        "<a>",
                                        "<a></b>",
                                        "<a/><b/>",
                                        "<a><AccessKeyId>A</AccessKeyId><SecretAccessKey>B",
                                        "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
                                        "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
                                        "<a>&b;</a>",
                                        "<a>\xFF</a>"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(read_xml(wrong[i], &reply));
        assert_null(reply.access_key_id);
        assert_null(reply.secret_access_key);
    }
    char deep[3 * (AWS_STS_XML_DEPTH_MAX + 1) * 3] = "";
    for (unsigned i = 0; i <= AWS_STS_XML_DEPTH_MAX; i++)
        strcat(deep, "<a>");
    for (unsigned i = 0; i <= AWS_STS_XML_DEPTH_MAX; i++)
        strcat(deep, "</a>");
    assert_false(read_xml(deep, &reply));
    size_t const length = AWS_CREDENTIAL_TEXT_MAX + 100;
    char *const text = malloc(length);
    assert_non_null(text);
    memset(text, 'a', length);
    memcpy(text, "<SessionToken>", 14);
    memcpy(text + length - 15, "</SessionToken>", 15);
    assert_false(aws_sts_xml_read(text, length, &reply));
    assert_true(aws_sts_xml_read(text + 0, 0, &reply) == false);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_imds),
        cmocka_unit_test(reads_a_process),
        cmocka_unit_test(takes_what_is_missing),
        cmocka_unit_test(refuses_without_quoting),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(reads_sts),
        cmocka_unit_test(reads_errors),
        cmocka_unit_test(refuses_bad_xml),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
