/* s3_url.h - s3://bucket/prefix/ as a value, and the rules of names. Pure.
 *
 * Bucket names: docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html (3 to 63 of a-z 0-9 . -,
 * begins and ends with a letter or digit, no "..", not like an IP address, no xn-- sthree- prefix). The alias
 * of an access point (...-s3alias) or its ARN may stand in the bucket's place. Refused by name, since they
 * need other protocols: directory buckets (--x-s3), Object Lambda (--ol-s3, s3-object-lambda ARNs), Outposts,
 * multi-region access points (.mrap). Keys have at most 1,024 bytes of UTF-8. */
#ifndef PENSTOCK_IO_S3_S3_URL_H
#define PENSTOCK_IO_S3_S3_URL_H

#include "core/base/status.h"

#include <stdbool.h>

#define S3_KEY_MAX    1024u
#define S3_BUCKET_MAX 2048u /* an ARN; a name has 63 */

struct s3_url {
    char bucket[S3_BUCKET_MAX + 1];
    char key[S3_KEY_MAX +
             1]; /* what stands behind the bucket and its slash; for a prefix with its last slash */
};

/* Is it an S3 URL at all ("s3://", without regard to case)? */
bool s3_url_is(const char *text);
/* STATUS_USAGE with what is wrong and what is allowed. Nothing is decoded: %41 is three characters. */
enum status s3_url_parse(const char *text, struct s3_url *url, struct fault *fault);
/* The same for a place where files go: a key that does not end in '/' gets one ("s3://b/x" is "s3://b/x/").
 */
enum status s3_url_parse_folder(const char *text, struct s3_url *url, struct fault *fault);

#endif
