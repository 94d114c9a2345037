/* s3_endpoint.c - hosts by AWS's rules, or by the user's endpoint.
 *
 * Facts: docs.aws.amazon.com/general/latest/gr/s3.html; the partitions of botocore's endpoints.json; hosts of
 * access points: docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html.
 * Thread rule: pure and reentrant. Owns nothing. */
#include "io/s3/s3_endpoint.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct partition {
    const char *name, *region_prefix, *suffix;
    bool fips, dualstack, accelerate;
};

/* The first whose prefix fits; the last fits all. */
static const struct partition partitions[] = {
    {"aws-cn", "cn-", "amazonaws.com.cn", false, true, false},
    {"aws-us-gov", "us-gov-", "amazonaws.com", true, true, false},
    {"aws-iso", "us-iso-", "c2s.ic.gov", true, false, false},
    {"aws-iso-b", "us-isob-", "sc2s.sgov.gov", true, false, false},
    {"aws", "", "amazonaws.com", true, true, true},
};

/* An access point's ARN, taken apart. */
struct access_point {
    char partition[33], region[S3_REGION_MAX + 1], account[13], name[51]; /* bounds of s3_url.c */
};

/* The user's endpoint, taken apart. */
struct address {
    bool tls;
    char host[S3_HOST_MAX + 1]; /* IPv6 in its brackets */
    unsigned port;              /* 0: the scheme's own */
    char base[1025];
};

static const struct partition *partition_of(const char *region)
{
    const struct partition *at = partitions;
    while (strncmp(region, at->region_prefix, strlen(at->region_prefix)) != 0)
        at++;
    return at;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alphanumeric(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A region becomes a part of a host: nothing but a label may be one. */
static bool is_region_label(const char *region)
{
    size_t const length = strlen(region);
    if (length == 0 || length > S3_REGION_MAX || region[0] == '-' || region[length - 1] == '-') return false;
    for (size_t i = 0; i < length; i++)
        if (!is_digit(region[i]) && !(region[i] >= 'a' && region[i] <= 'z') && region[i] != '-') return false;
    return true;
}

/* Stores of others name regions as they like ("RegionOne"); it only must fit the signature's scope. */
static bool is_region_word(const char *region)
{
    size_t const length = strlen(region);
    if (length == 0 || length > S3_REGION_MAX) return false;
    for (size_t i = 0; i < length; i++)
        if (!is_alphanumeric(region[i]) && region[i] != '-' && region[i] != '_' && region[i] != '.')
            return false;
    return true;
}

static enum status too_long(struct fault *fault)
{
    return fault_set(fault, STATUS_JOB,
                     "the endpoint's host with the bucket before it is longer than %u "
                     "characters; use addressing path",
                     S3_HOST_MAX);
}

/* ---- the user's endpoint ---- */

static enum status endpoint_fault(struct fault *fault, const char *what)
{
    return fault_set(fault, STATUS_JOB,
                     "endpoint: %s; it is written https://HOST, https://HOST:PORT or "
                     "https://HOST/BASE (http:// without encryption)",
                     what);
}

/* Host, in lower case, from the `length` bytes at `text`. False: not a host. */
static bool read_host(const char *text, size_t length, char out[S3_HOST_MAX + 1])
{
    bool const brackets = length > 2 && text[0] == '[' && text[length - 1] == ']';
    if (length == 0 || length > S3_HOST_MAX || text[0] == '.' || text[0] == '-') return false;
    for (size_t i = 0; i < length; i++) {
        char const c = text[i];
        bool const good = brackets
                              ? strchr("0123456789abcdefABCDEF:.", c) != NULL || i == 0 || i == length - 1
                              : is_alphanumeric(c) || c == '-' || c == '.' || c == '_';
        if (!good || (!brackets && c == '.' && text[i - 1] == '.')) return false;
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    out[length] = '\0';
    return true;
}

/* 1 to 65535. */
static bool read_port(const char *text, size_t length, unsigned *port)
{
    *port = 0;
    if (length == 0 || length > 5) return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_digit(text[i])) return false;
        *port = *port * 10 + (unsigned)(text[i] - '0');
    }
    return *port >= 1 && *port <= 65535;
}

static bool is_base_character(char c)
{
    return is_alphanumeric(c) || strchr("-._~/!$&'()*+,;=:@", c) != NULL; /* a path's, RFC 3986, but % */
}

static enum status read_authority(const char *text, size_t length, struct address *address,
                                  struct fault *fault)
{
    size_t host = length;
    if (memchr(text, '@', length) != NULL)
        return endpoint_fault(fault, "user names and passwords have no place in it");
    if (length > 0 && text[0] == '[') {
        const char *end = memchr(text, ']', length);
        if (end == NULL) return endpoint_fault(fault, "the IPv6 address lacks its ]");
        host = (size_t)(end - text) + 1;
    } else if (memchr(text, ':', length) != NULL) {
        host = (size_t)((const char *)memchr(text, ':', length) - text);
    }
    if (!read_host(text, host, address->host)) return endpoint_fault(fault, "the host is not one");
    if (host == length) return STATUS_OK;
    if (text[host] != ':' || !read_port(text + host + 1, length - host - 1, &address->port))
        return endpoint_fault(fault, "the port is not a number from 1 to 65535");
    if (address->port == (address->tls ? 443u : 80u)) address->port = 0;
    return STATUS_OK;
}

static enum status read_address(const char *text, struct address *address, struct fault *fault)
{
    *address = (struct address){0};
    if (strncasecmp(text, "https://", 8) == 0) {
        address->tls = true;
        text += 8;
    } else if (strncasecmp(text, "http://", 7) == 0) {
        text += 7;
    } else {
        return endpoint_fault(fault, "it does not begin with https:// or http://");
    }
    size_t const authority = strcspn(text, "/?#");
    enum status const status = read_authority(text, authority, address, fault);
    if (status != STATUS_OK) return status;
    const char *base = text + authority;
    size_t length = strlen(base);
    while (length > 0 && base[length - 1] == '/')
        length--;
    if (length >= sizeof address->base) return endpoint_fault(fault, "its path is too long");
    for (size_t i = 0; i < length; i++)
        if (!is_base_character(base[i]))
            return endpoint_fault(fault,
                                  "its path has a character that is not allowed (no ?, #, % or blanks)");
    memcpy(address->base, base, length);
    return STATUS_OK;
}

/* An address has no names below it. */
static bool is_ip(const char *host)
{
    return host[0] == '[' || host[strspn(host, "0123456789.")] == '\0';
}

static enum status resolve_custom(const struct s3_endpoint_rules *rules, const char *label, bool is_point,
                                  struct s3_endpoint *endpoint, struct fault *fault)
{
    struct address address;
    enum status const status = read_address(rules->endpoint, &address, fault);
    if (status != STATUS_OK) return status;
    if (rules->fips || rules->dualstack || rules->accelerate)
        return fault_set(fault, STATUS_JOB,
                         "endpoint and %s contradict each other: leave out destination.endpoint "
                         "(AWS_ENDPOINT_URL), or switch %s off",
                         rules->fips        ? "FIPS"
                         : rules->dualstack ? "dualstack"
                                            : "S3 accelerate",
                         rules->fips        ? "AWS_USE_FIPS_ENDPOINT"
                         : rules->dualstack ? "AWS_USE_DUALSTACK_ENDPOINT"
                                            : "s3.use_accelerate_endpoint");
    bool const virtual = is_point || rules->addressing == AWS_ADDRESSING_VIRTUAL;
    if (virtual && is_ip(address.host))
        return fault_set(fault, STATUS_JOB,
                         "endpoint: virtual addressing puts the bucket before the host, and an IP address "
                         "takes none; use addressing path, or a host name");
    char port[16] = "";
    if (address.port != 0) snprintf(port, sizeof port, ":%u", address.port);
    if (strlen(address.host) + (virtual ? strlen(label) + 1 : 0) > S3_HOST_MAX) return too_long(fault);
    endpoint->tls = address.tls;
    snprintf(endpoint->host, sizeof endpoint->host, "%s%s%s%s", virtual ? label : "", virtual ? "." : "",
             address.host, port);
    snprintf(endpoint->base, sizeof endpoint->base, "%s%s%s", address.base, virtual ? "" : "/",
             virtual ? "" : label);
    return STATUS_OK;
}

/* ---- AWS's own ---- */

static enum status check_aws(const struct s3_endpoint_rules *rules, const struct partition *partition,
                             struct fault *fault)
{
    if (rules->fips && !partition->fips)
        return fault_set(fault, STATUS_JOB,
                         "region %s: partition %s has no FIPS endpoints; switch AWS_USE_FIPS_ENDPOINT off",
                         rules->region, partition->name);
    if (rules->dualstack && !partition->dualstack)
        return fault_set(fault, STATUS_JOB,
                         "region %s: partition %s has no dualstack endpoints; switch "
                         "AWS_USE_DUALSTACK_ENDPOINT off",
                         rules->region, partition->name);
    if (rules->accelerate && !partition->accelerate)
        return fault_set(
            fault, STATUS_JOB,
            "region %s: partition %s has no S3 accelerate; switch s3.use_accelerate_endpoint off",
            rules->region, partition->name);
    if (rules->accelerate && rules->fips)
        return fault_set(fault, STATUS_JOB,
                         "S3 accelerate has no FIPS endpoints; switch AWS_USE_FIPS_ENDPOINT "
                         "or s3.use_accelerate_endpoint off");
    return STATUS_OK;
}

/* "s3-fips.dualstack.eu-central-1.amazonaws.com" and its like, behind `label` and a dot when there is one. */
static enum status write_host(const struct s3_endpoint_rules *rules, const struct partition *partition,
                              const char *label, const char *service, const char *region,
                              struct s3_endpoint *endpoint, struct fault *fault)
{
    int const length =
        snprintf(endpoint->host, sizeof endpoint->host, "%s%s%s%s.%s%s%s%s", label, *label != '\0' ? "." : "",
                 service, rules->fips ? "-fips" : "", rules->dualstack ? "dualstack." : "", region,
                 *region != '\0' ? "." : "", partition->suffix);
    return length < 0 || (size_t)length > S3_HOST_MAX ? too_long(fault) : STATUS_OK;
}

static enum status resolve_aws(const struct s3_endpoint_rules *rules, const char *bucket,
                               struct s3_endpoint *endpoint, struct fault *fault)
{
    const struct partition *partition = partition_of(rules->region);
    enum status const status = check_aws(rules, partition, fault);
    if (status != STATUS_OK) return status;
    bool const dotted = strchr(bucket, '.') != NULL;
    bool const want_virtual = rules->addressing == AWS_ADDRESSING_VIRTUAL || rules->accelerate;
    if (dotted && want_virtual)
        return fault_set(
            fault, STATUS_JOB,
            "bucket %s: a name with dots before the host matches no certificate of AWS; %s", bucket,
            rules->accelerate ? "switch s3.use_accelerate_endpoint off" : "use addressing auto or path");
    if (rules->accelerate && rules->addressing == AWS_ADDRESSING_PATH)
        return fault_set(fault, STATUS_JOB,
                         "S3 accelerate knows no path addressing; use addressing auto or virtual, or switch "
                         "s3.use_accelerate_endpoint off");
    bool const path = dotted || rules->addressing == AWS_ADDRESSING_PATH;
    if (path) snprintf(endpoint->base, sizeof endpoint->base, "/%s", bucket);
    endpoint->tls = true;
    return write_host(rules, partition, path ? "" : bucket, rules->accelerate ? "s3-accelerate" : "s3",
                      rules->accelerate ? "" : rules->region, endpoint, fault);
}

static enum status resolve_access_point(const struct s3_endpoint_rules *rules,
                                        const struct access_point *point, const char *label,
                                        struct s3_endpoint *endpoint, struct fault *fault)
{
    const struct partition *partition = partition_of(point->region);
    if (strcmp(partition->name, point->partition) != 0)
        return fault_set(fault, STATUS_JOB,
                         "access point %s: its region %s is of the partition %s, not of %s; correct the ARN",
                         point->name, point->region, partition->name, point->partition);
    enum status const status = check_aws(rules, partition, fault);
    if (status != STATUS_OK) return status;
    endpoint->tls = true;
    return write_host(rules, partition, label, "s3-accesspoint", point->region, endpoint, fault);
}

/* ---- both ---- */

/* The ARN has the form that s3_url_parse() lets through. */
static bool read_access_point(const char *bucket, struct access_point *point)
{
    return sscanf(bucket, "arn:%32[^:]:s3:%63[^:]:%12[0-9]:accesspoint%*1[:/]%50[a-z0-9-]", point->partition,
                  point->region, point->account, point->name) == 4;
}

static enum status resolve_point(const struct s3_endpoint_rules *rules, const char *bucket,
                                 struct s3_endpoint *endpoint, struct fault *fault)
{
    struct access_point point;
    char label[sizeof point.name + sizeof point.account + 1];
    if (!read_access_point(bucket, &point) || !is_region_label(point.region))
        return fault_set(fault, STATUS_JOB,
                         "the ARN of an access point is arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME");
    if (rules->accelerate || rules->addressing == AWS_ADDRESSING_PATH)
        return fault_set(fault, STATUS_JOB, "access point %s: %s", point.name,
                         rules->accelerate
                             ? "access points know no S3 accelerate; switch s3.use_accelerate_endpoint off"
                             : "access points know no path addressing; use addressing auto");
    snprintf(label, sizeof label, "%s-%s", point.name, point.account);
    strcpy(endpoint->region, point.region);
    return endpoint->is_aws ? resolve_access_point(rules, &point, label, endpoint, fault)
                            : resolve_custom(rules, label, true, endpoint, fault);
}

enum status s3_endpoint_resolve(const struct s3_endpoint_rules *rules, const char *bucket,
                                struct s3_endpoint *endpoint, struct fault *fault)
{
    struct s3_endpoint_rules own = *rules;
    *endpoint = (struct s3_endpoint){.is_aws = rules->endpoint == NULL};
    if (strncmp(bucket, "arn:", 4) == 0) return resolve_point(&own, bucket, endpoint, fault);
    if (endpoint->is_aws && strcmp(own.region, "aws-global") == 0) own.region = "us-east-1";
    if (endpoint->is_aws ? !is_region_label(own.region) : !is_region_word(own.region))
        return fault_set(fault, STATUS_JOB,
                         "the region's name is not one: it has letters, digits and dashes, as in "
                         "eu-central-1; correct destination.region, AWS_REGION or the profile");
    strcpy(endpoint->region, own.region);
    return endpoint->is_aws ? resolve_aws(&own, bucket, endpoint, fault)
                            : resolve_custom(&own, bucket, false, endpoint, fault);
}
