/* test_s3_url.c - s3:// URLs: what is taken, what is refused and with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/s3/s3_url.h"

#include <stdio.h>
#include <string.h>

#define POINT "arn:aws:s3:eu-central-1:123456789012:accesspoint"

static void expect(const char *text, const char *bucket, const char *key)
{
    struct s3_url url;
    struct fault fault = {0};
    enum status const status = s3_url_parse(text, &url, &fault);
    assert_string_equal(fault.message, "");
    assert_int_equal(status, STATUS_OK);
    assert_string_equal(url.bucket, bucket);
    assert_string_equal(url.key, key);
}

static void expect_folder(const char *text, const char *key)
{
    struct s3_url url;
    struct fault fault = {0};
    enum status const status = s3_url_parse_folder(text, &url, &fault);
    assert_string_equal(fault.message, "");
    assert_int_equal(status, STATUS_OK);
    assert_string_equal(url.key, key);
}

static void expect_words(enum status status, const struct fault *fault, const char *words)
{
    assert_int_equal(status, STATUS_USAGE);
    assert_int_equal(fault->status, STATUS_USAGE);
    if (strstr(fault->message, words) == NULL) fail_msg("'%s' not in: %s", words, fault->message);
}

static void refuse(const char *text, const char *words)
{
    struct s3_url url;
    struct fault fault = {0};
    expect_words(s3_url_parse(text, &url, &fault), &fault, words);
    expect_words(s3_url_parse_folder(text, &url, &fault), &fault, words);
}

static void refuse_folder(const char *text, const char *words)
{
    struct s3_url url;
    struct fault fault = {0};
    assert_int_equal(s3_url_parse(text, &url, &fault), STATUS_OK);
    expect_words(s3_url_parse_folder(text, &url, &fault), &fault, words);
}

static void recognises(void **state)
{
    (void)state;
    assert_true(s3_url_is("s3://"));
    assert_true(s3_url_is("S3://b"));
    assert_false(s3_url_is("s3:/b"));
    assert_false(s3_url_is("s3a://b"));
    assert_false(s3_url_is("s3"));
    assert_false(s3_url_is(""));
    assert_false(s3_url_is(" s3://b"));
}

static void parses(void **state)
{
    (void)state;
    expect("s3://bucket", "bucket", "");
    expect("s3://bucket/", "bucket", "");
    expect("S3://bucket/a/b.csv", "bucket", "a/b.csv");
    expect("s3://bucket//a", "bucket", "/a");
    expect("s3://bucket/a//", "bucket", "a//");
    expect("s3://bucket/a b?c=d#e%41&+~=", "bucket", "a b?c=d#e%41&+~="); /* nothing is decoded */
    expect("s3://bucket/\xC3\xA4/\xF0\x9F\x98\x80", "bucket", "\xC3\xA4/\xF0\x9F\x98\x80");
    expect("s3://bucket/a/../b", "bucket", "a/../b"); /* a source may be called so */
    expect("s3://a.b-c.9/k", "a.b-c.9", "k");
    expect("s3://1.2.3/k", "1.2.3", "k");
    expect("s3://1.2.3.4.5/k", "1.2.3.4.5", "k");
    expect("s3://my-point-abcdefghijklmnop-s3alias/k", "my-point-abcdefghijklmnop-s3alias", "k");
}

static void adds_the_slash(void **state)
{
    (void)state;
    expect_folder("s3://bucket", "");
    expect_folder("s3://bucket/", "");
    expect_folder("s3://bucket/x", "x/");
    expect_folder("s3://bucket/x/", "x/");
    expect_folder("s3://bucket/x/y.z/...", "x/y.z/.../");
    expect_folder("s3://bucket/.a/..b/", ".a/..b/");
    refuse_folder("s3://bucket/./x/", ". and .. mean nothing");
    refuse_folder("s3://bucket/x/..", ". and .. mean nothing");
    refuse_folder("s3://bucket/../", ". and .. mean nothing");
}

static void refuses_names(void **state)
{
    (void)state;
    refuse("", "not an S3 URL");
    refuse("https://bucket.s3.amazonaws.com/", "not an S3 URL");
    refuse("s3://", "without a bucket");
    refuse("s3:///key", "without a bucket");
    refuse("s3://ab/", "too short");
    refuse("s3://Bucket/", "capital letters");
    refuse("s3://under_score/", "not allowed");
    refuse("s3://user@bucket/", "not allowed");
    refuse("s3://bucket?x/", "not allowed");
    refuse("s3://b\xC3\xA4r/", "\"b??r\"");
    refuse("s3://a\nb/", "\"a?b\"");
    refuse("s3://a..b/", "two dots");
    refuse("s3://-abc/", "begins or ends");
    refuse("s3://abc-/", "begins or ends");
    refuse("s3://.abc/", "begins or ends");
    refuse("s3://abc./", "begins or ends");
    refuse("s3://192.168.5.4/", "IP address");
    refuse("s3://999.1.22.4444/", "IP address");
    refuse("s3://xn--abc/", "reserved");
    refuse("s3://sthree-abc/", "reserved");
    refuse("s3://abc--euc1-az1--x-s3/", "directory buckets");
    refuse("s3://abc--ol-s3/", "Object Lambda");
    refuse("s3://mfzwi23gnjvgw.mrap/", "multi-region");
    refuse("s3://abc--table-s3/", "table buckets");
    char text[128] = "s3://";
    memset(text + 5, 'a', 63);
    struct s3_url url;
    assert_int_equal(s3_url_parse(text, &url, NULL), STATUS_OK);
    text[5 + 63] = 'a';
    refuse(text, "too long");
}

static void refuses_keys(void **state)
{
    (void)state;
    refuse("s3://bucket/a\xFF", "not UTF-8");
    refuse("s3://bucket/\xC3", "not UTF-8");
    refuse("s3://bucket/\xED\xA0\x80", "not UTF-8");
    refuse("s3://bucket/a\tb", "control characters");
    refuse("s3://bucket/a\x7F", "control characters");
    char text[16 + S3_KEY_MAX] = "s3://bucket/";
    char *const key = text + strlen(text);
    memset(key, 'k', S3_KEY_MAX + 1);
    refuse(text, "1025 bytes");
    key[S3_KEY_MAX] = '\0';
    refuse_folder(text, "no room");
    key[S3_KEY_MAX - 1] = '/';
    refuse_folder(text, "no room");
    key[S3_KEY_MAX - 1] = '\0';
    refuse_folder(text, "no room"); /* 1,023 and a slash */
    key[S3_KEY_MAX - 2] = '\0';
    struct s3_url url;
    assert_int_equal(s3_url_parse_folder(text, &url, NULL), STATUS_OK);
    assert_int_equal(strlen(url.key), S3_KEY_MAX - 1);
}

static void access_points(void **state)
{
    (void)state;
    expect("s3://" POINT "/my-point", POINT "/my-point", "");
    expect("s3://" POINT "/my-point/", POINT "/my-point", "");
    expect("s3://" POINT "/my-point/a/b", POINT "/my-point", "a/b");
    expect("s3://" POINT ":my-point/a", POINT ":my-point", "a");
    expect("s3://arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/abc/a",
           "arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/abc", "a");
    refuse("s3://arn:aws:s3", "cut");
    refuse("s3://arn:aws:s3:eu-central-1:123456789012", "cut");
    refuse("s3://arn:aws:sqs:eu-central-1:123456789012:accesspoint/abc", "not an ARN of S3");
    refuse("s3://arn:aws:s3-outposts:eu-central-1:123456789012:outpost/o/accesspoint/abc", "Outposts");
    refuse("s3://arn:aws:s3-object-lambda:eu-central-1:123456789012:accesspoint/abc", "Object Lambda");
    refuse("s3://arn:gcp:s3:eu-central-1:123456789012:accesspoint/abc", "partition");
    refuse("s3://arn:aws:s3:::bucket/key", "write a bucket as");
    refuse("s3://arn:aws:s3::123456789012:accesspoint/abc.mrap", "multi-region");
    refuse("s3://arn:aws:s3:eu.central:123456789012:accesspoint/abc", "region");
    refuse("s3://arn:aws:s3:eu-central-1:12345678901:accesspoint/abc", "12 digits");
    refuse("s3://arn:aws:s3:eu-central-1:12345678901x:accesspoint/abc", "12 digits");
    refuse("s3://arn:aws:s3:eu-central-1:123456789012:bucket/abc", "names no access point");
    refuse("s3://arn:aws:s3:eu-central-1:123456789012:accesspointabc", "names no access point");
    refuse("s3://" POINT "/", "3 to 50");
    refuse("s3://" POINT "/ab/c", "3 to 50");
    refuse("s3://" POINT "/-abc", "3 to 50");
    refuse("s3://" POINT "/abc-", "3 to 50");
    refuse("s3://" POINT "/Abc", "3 to 50");
    char text[512];
    snprintf(text, sizeof text, "s3://" POINT "/%051d", 0);
    refuse(text, "3 to 50");
    snprintf(text, sizeof text, "s3://arn:aws%050d:s3:eu-central-1:123456789012:accesspoint/abc", 0);
    refuse(text, "partition");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recognises),    cmocka_unit_test(parses),       cmocka_unit_test(adds_the_slash),
        cmocka_unit_test(refuses_names), cmocka_unit_test(refuses_keys), cmocka_unit_test(access_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
