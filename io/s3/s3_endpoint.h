/* s3_endpoint.h - which host answers for a bucket, and which region its requests are signed for. Pure.
 *
 * Without an endpoint of the user's: the partition by the region's name (aws, aws-cn, aws-us-gov, the iso
 * ones); FIPS and dualstack hosts (s3-fips.dualstack.REGION.amazonaws.com); virtual addressing but for names
 * with dots (their wildcard certificate does not match); access points by ARN, in their own region. With one
 * (http[s]://host[:port][/base]): path addressing unless told otherwise. Region "aws-global" is us-east-1. */
#ifndef PENSTOCK_IO_S3_S3_ENDPOINT_H
#define PENSTOCK_IO_S3_S3_ENDPOINT_H

#include "core/base/status.h"
#include "io/aws/aws_config.h"

#include <stdbool.h>

#define S3_HOST_MAX   255u
#define S3_REGION_MAX 63u

struct s3_endpoint_rules {
    const char *endpoint; /* NULL: AWS's own */
    const char *region;   /* never NULL */
    enum aws_addressing addressing;
    bool fips, dualstack, accelerate;
};

struct s3_endpoint {
    bool tls;
    char host[S3_HOST_MAX + 8]; /* in lower case; with ":port" where it is not the scheme's own */
    char base[2048 + 256]; /* path before the key, without a last slash: "", "/bucket" or "/base/bucket" */
    char region[S3_REGION_MAX + 1];
    bool is_aws; /* not an endpoint of the user's */
};

/* `bucket`: a name or an ARN that s3_url_parse() took. STATUS_JOB: what is wrong (endpoint, region,
 * contradictions) and the remedy. */
enum status s3_endpoint_resolve(const struct s3_endpoint_rules *rules, const char *bucket,
                                struct s3_endpoint *endpoint, struct fault *fault);

#endif
