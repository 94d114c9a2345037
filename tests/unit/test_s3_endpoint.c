/* test_s3_endpoint.c - hosts and regions: AWS's partitions and variants, access points, endpoints of others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/s3/s3_endpoint.h"

#include <stdio.h>
#include <string.h>

#define POINT "arn:aws:s3:eu-west-1:123456789012:accesspoint/my-point"

static struct s3_endpoint_rules aws(const char *region)
{
    return (struct s3_endpoint_rules){.region = region};
}

static struct s3_endpoint_rules custom(const char *endpoint)
{
    return (struct s3_endpoint_rules){.region = "us-east-1", .endpoint = endpoint};
}

static void expect(struct s3_endpoint_rules rules, const char *bucket, const char *host, const char *base)
{
    struct s3_endpoint endpoint;
    struct fault fault = {0};
    enum status const status = s3_endpoint_resolve(&rules, bucket, &endpoint, &fault);
    assert_string_equal(fault.message, "");
    assert_int_equal(status, STATUS_OK);
    assert_string_equal(endpoint.host, host);
    assert_string_equal(endpoint.base, base);
    assert_int_equal(endpoint.is_aws, rules.endpoint == NULL);
    if (endpoint.is_aws) assert_true(endpoint.tls);
}

static void refuse(struct s3_endpoint_rules rules, const char *bucket, const char *words)
{
    struct s3_endpoint endpoint;
    struct fault fault = {0};
    assert_int_equal(s3_endpoint_resolve(&rules, bucket, &endpoint, &fault), STATUS_JOB);
    assert_int_equal(fault.status, STATUS_JOB);
    if (strstr(fault.message, words) == NULL) fail_msg("'%s' not in: %s", words, fault.message);
    if (strstr(fault.message, "hunter2") != NULL) fail_msg("a password in: %s", fault.message);
}

static void expect_region(struct s3_endpoint_rules rules, const char *bucket, const char *region)
{
    struct s3_endpoint endpoint;
    assert_int_equal(s3_endpoint_resolve(&rules, bucket, &endpoint, NULL), STATUS_OK);
    assert_string_equal(endpoint.region, region);
}

static void partitions(void **state)
{
    (void)state;
    expect(aws("eu-central-1"), "bucket", "bucket.s3.eu-central-1.amazonaws.com", "");
    expect(aws("us-east-1"), "bucket", "bucket.s3.us-east-1.amazonaws.com", "");
    expect(aws("us-gov-west-1"), "bucket", "bucket.s3.us-gov-west-1.amazonaws.com", "");
    expect(aws("cn-north-1"), "bucket", "bucket.s3.cn-north-1.amazonaws.com.cn", "");
    expect(aws("us-iso-east-1"), "bucket", "bucket.s3.us-iso-east-1.c2s.ic.gov", "");
    expect(aws("us-isob-east-1"), "bucket", "bucket.s3.us-isob-east-1.sc2s.sgov.gov", "");
    expect(aws("aws-global"), "bucket", "bucket.s3.us-east-1.amazonaws.com", "");
    expect_region(aws("aws-global"), "bucket", "us-east-1");
    expect_region(aws("eu-central-1"), "bucket", "eu-central-1");
}

static void variants(void **state)
{
    (void)state;
    struct s3_endpoint_rules rules = aws("us-west-2");
    rules.fips = true;
    expect(rules, "bucket", "bucket.s3-fips.us-west-2.amazonaws.com", "");
    rules.dualstack = true;
    expect(rules, "bucket", "bucket.s3-fips.dualstack.us-west-2.amazonaws.com", "");
    rules.fips = false;
    expect(rules, "bucket", "bucket.s3.dualstack.us-west-2.amazonaws.com", "");
    rules.accelerate = true;
    expect(rules, "bucket", "bucket.s3-accelerate.dualstack.amazonaws.com", "");
    rules.dualstack = false;
    expect(rules, "bucket", "bucket.s3-accelerate.amazonaws.com", "");
    expect_region(rules, "bucket", "us-west-2");
    rules.addressing = AWS_ADDRESSING_VIRTUAL;
    expect(rules, "bucket", "bucket.s3-accelerate.amazonaws.com", "");
    rules.addressing = AWS_ADDRESSING_PATH;
    refuse(rules, "bucket", "knows no path addressing");
    rules.addressing = AWS_ADDRESSING_AUTO;
    refuse(rules, "buc.ket", "use_accelerate_endpoint off");
    rules.fips = true;
    refuse(rules, "bucket", "no FIPS endpoints");
    rules = aws("cn-north-1");
    rules.dualstack = true;
    expect(rules, "bucket", "bucket.s3.dualstack.cn-north-1.amazonaws.com.cn", "");
    rules.fips = true;
    refuse(rules, "bucket", "aws-cn has no FIPS");
    rules.fips = false;
    rules.accelerate = true;
    refuse(rules, "bucket", "aws-cn has no S3 accelerate");
    rules = aws("us-gov-east-1");
    rules.fips = rules.dualstack = true;
    expect(rules, "bucket", "bucket.s3-fips.dualstack.us-gov-east-1.amazonaws.com", "");
    rules = aws("us-iso-east-1");
    rules.dualstack = true;
    refuse(rules, "bucket", "aws-iso has no dualstack");
}

static void addressing(void **state)
{
    (void)state;
    struct s3_endpoint_rules rules = aws("eu-central-1");
    expect(rules, "my.dotted.bucket", "s3.eu-central-1.amazonaws.com", "/my.dotted.bucket");
    rules.dualstack = true;
    expect(rules, "my.dotted.bucket", "s3.dualstack.eu-central-1.amazonaws.com", "/my.dotted.bucket");
    rules.dualstack = false;
    rules.addressing = AWS_ADDRESSING_PATH;
    expect(rules, "bucket", "s3.eu-central-1.amazonaws.com", "/bucket");
    expect(rules, "my.dotted.bucket", "s3.eu-central-1.amazonaws.com", "/my.dotted.bucket");
    rules.addressing = AWS_ADDRESSING_VIRTUAL;
    expect(rules, "bucket", "bucket.s3.eu-central-1.amazonaws.com", "");
    refuse(rules, "my.dotted.bucket", "matches no certificate");
}

static void access_points(void **state)
{
    (void)state;
    struct s3_endpoint_rules rules = aws("us-east-1");
    expect(rules, POINT, "my-point-123456789012.s3-accesspoint.eu-west-1.amazonaws.com", "");
    expect_region(rules, POINT, "eu-west-1");
    expect(rules, "arn:aws:s3:eu-west-1:123456789012:accesspoint:my-point",
           "my-point-123456789012.s3-accesspoint.eu-west-1.amazonaws.com", "");
    expect(rules, "arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/abc",
           "abc-123456789012.s3-accesspoint.cn-north-1.amazonaws.com.cn", "");
    rules.fips = true;
    expect(rules, POINT, "my-point-123456789012.s3-accesspoint-fips.eu-west-1.amazonaws.com", "");
    rules.dualstack = true;
    expect(rules, POINT, "my-point-123456789012.s3-accesspoint-fips.dualstack.eu-west-1.amazonaws.com", "");
    rules.fips = false;
    expect(rules, POINT, "my-point-123456789012.s3-accesspoint.dualstack.eu-west-1.amazonaws.com", "");
    rules.dualstack = false;
    refuse(rules, "arn:aws-cn:s3:eu-west-1:123456789012:accesspoint/abc", "partition aws, not of aws-cn");
    refuse(rules, "arn:aws:s3:cn-north-1:123456789012:accesspoint/abc", "partition aws-cn, not of aws");
    refuse(rules, "arn:aws:s3:EU:123456789012:accesspoint/abc", "accesspoint/NAME");
    refuse(rules, "arn:aws:s3:eu-west-1:123456789012:bucket/abc", "accesspoint/NAME");
    rules.addressing = AWS_ADDRESSING_PATH;
    refuse(rules, POINT, "know no path addressing");
    rules.addressing = AWS_ADDRESSING_AUTO;
    rules.accelerate = true;
    refuse(rules, POINT, "know no S3 accelerate");
    expect(custom("https://accesspoint.vpce-1a2b.s3.eu-west-1.vpce.amazonaws.com"), POINT,
           "my-point-123456789012.accesspoint.vpce-1a2b.s3.eu-west-1.vpce.amazonaws.com", "");
    expect_region(custom("https://s3.example.net"), POINT, "eu-west-1");
    refuse(custom("http://127.0.0.1:7480"), POINT, "IP address");
}

static void custom_endpoints(void **state)
{
    (void)state;
    expect(custom("https://s3.example.net"), "bucket", "s3.example.net", "/bucket");
    expect(custom("https://s3.example.net/"), "bucket", "s3.example.net", "/bucket");
    expect(custom("HTTPS://S3.Example.NET:443///"), "bucket", "s3.example.net", "/bucket");
    expect(custom("http://s3.example.net:80"), "bucket", "s3.example.net", "/bucket");
    expect(custom("http://s3.example.net:443"), "bucket", "s3.example.net:443", "/bucket");
    expect(custom("https://s3.example.net:80"), "bucket", "s3.example.net:80", "/bucket");
    expect(custom("http://127.0.0.1:7480"), "bucket", "127.0.0.1:7480", "/bucket");
    expect(custom("http://[::1]:65535/a/b/"), "buc.ket", "[::1]:65535", "/a/b/buc.ket");
    expect(custom("http://[FE80::1]"), "bucket", "[fe80::1]", "/bucket");
    expect(custom("http://my_store/~x/$"), "bucket", "my_store", "/~x/$/bucket");
    struct s3_endpoint_rules rules = custom("http://localhost:7480/base");
    rules.addressing = AWS_ADDRESSING_VIRTUAL;
    expect(rules, "bucket", "bucket.localhost:7480", "/base");
    expect(rules, "buc.ket", "buc.ket.localhost:7480", "/base");
    rules.endpoint = "http://127.0.0.1:7480";
    refuse(rules, "bucket", "IP address takes none");
    rules.endpoint = "http://[::1]";
    refuse(rules, "bucket", "IP address takes none");
    rules.addressing = AWS_ADDRESSING_PATH;
    expect(rules, "bucket", "[::1]", "/bucket");
}

static void schemes(void **state)
{
    (void)state;
    struct s3_endpoint endpoint;
    struct s3_endpoint_rules rules = custom("https://h");
    assert_int_equal(s3_endpoint_resolve(&rules, "bucket", &endpoint, NULL), STATUS_OK);
    assert_true(endpoint.tls);
    rules = custom("http://h");
    assert_int_equal(s3_endpoint_resolve(&rules, "bucket", &endpoint, NULL), STATUS_OK);
    assert_false(endpoint.tls);
}

static void refuses_endpoints(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint, *words;
    } cases[] = {
        {"", "does not begin with"},
        {"s3.example.net", "does not begin with"},
        {"ftp://s3.example.net", "does not begin with"},
        {"https:/s3.example.net", "does not begin with"},
        {"https://", "host is not one"},
        {"https:///path", "host is not one"},
        {"https://.a", "host is not one"},
        {"https://-a", "host is not one"},
        {"https://a..b", "host is not one"},
        {"https://a b", "host is not one"},
        {"https://b\xC3\xBC"
         "cher",
         "host is not one"},
        {"https://a\r\nx", "host is not one"},
        {"https://[]", "host is not one"},
        {"https://[g::1]", "host is not one"},
        {"https://[::1", "lacks its ]"},
        {"https://::1", "host is not one"},
        {"https://user:hunter2@host", "no place"},
        {"https://host:", "port is not"},
        {"https://host:0", "port is not"},
        {"https://host:65536", "port is not"},
        {"https://host:123456", "port is not"},
        {"https://host:8o", "port is not"},
        {"https://[::1]8", "port is not"},
        {"https://host?x", "not allowed"},
        {"https://host/a?x", "not allowed"},
        {"https://host/a#x", "not allowed"},
        {"https://host/a%20b", "not allowed"},
        {"https://host/a b", "not allowed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refuse(custom(cases[i].endpoint), "bucket", cases[i].words);
    char text[2048];
    snprintf(text, sizeof text, "https://h/%01100d", 0);
    refuse(custom(text), "bucket", "too long");
    snprintf(text, sizeof text, "https://%0300d", 0);
    refuse(custom(text), "bucket", "host is not one");
    snprintf(text, sizeof text, "https://h%0250d", 0);
    struct s3_endpoint_rules rules = custom(text);
    expect(rules, "bucket", text + 8, "/bucket");
    rules.addressing = AWS_ADDRESSING_VIRTUAL;
    refuse(rules, "bucket", "longer than 255");
}

static void contradictions(void **state)
{
    (void)state;
    struct s3_endpoint_rules rules = custom("https://s3.example.net");
    rules.fips = true;
    refuse(rules, "bucket", "endpoint and FIPS");
    rules.fips = false;
    rules.dualstack = true;
    refuse(rules, "bucket", "endpoint and dualstack");
    rules.dualstack = false;
    rules.accelerate = true;
    refuse(rules, "bucket", "endpoint and S3 accelerate");
}

static void regions(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "EU", "eu_central_1", "eu-central-1.evil.example", "eu/", "-eu", "eu-", "eu central", "\xC3\xA4"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refuse(aws(bad[i]), "bucket", "correct destination.region");
    char label[S3_REGION_MAX + 2];
    memset(label, 'r', sizeof label);
    label[S3_REGION_MAX + 1] = '\0';
    refuse(aws(label), "bucket", "correct destination.region");
    struct s3_endpoint_rules rules = custom("https://s3.example.net");
    rules.region = label;
    refuse(rules, "bucket", "correct destination.region");
    label[S3_REGION_MAX] = '\0';
    expect_region(aws(label), "bucket", label);
    static const char *const words[] = {"RegionOne", "auto", "us_1", "default.dc", "aws-global"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        rules.region = words[i];
        expect_region(rules, "bucket", words[i]);
    }
    static const char *const worse[] = {"", "a/b", "a b", "a,b", "a\n"};
    for (size_t i = 0; i < sizeof worse / sizeof worse[0]; i++) {
        rules.region = worse[i];
        refuse(rules, "bucket", "correct destination.region");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions),        cmocka_unit_test(variants),         cmocka_unit_test(addressing),
        cmocka_unit_test(access_points),     cmocka_unit_test(custom_endpoints), cmocka_unit_test(schemes),
        cmocka_unit_test(refuses_endpoints), cmocka_unit_test(contradictions),   cmocka_unit_test(regions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
