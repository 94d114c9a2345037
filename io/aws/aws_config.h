/* aws_config.h - what the environment and the shared files (~/.aws/config, ~/.aws/credentials) say, as
 * values.
 *
 * Precedence: environment, then profile. AWS_PROFILE, else AWS_DEFAULT_PROFILE, else "default" names the
 * profile; AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE the files (botocore's rules). A profile that was
 * named and is in neither file is an error (77); one in a file that can't be parsed names file and line.
 * Texts lie in the arena, secrets among them: aws_config_free() wipes it.
 * Thread rule: loaded by main; read-only afterwards. */
#ifndef PENSTOCK_IO_AWS_AWS_CONFIG_H
#define PENSTOCK_IO_AWS_AWS_CONFIG_H

#include "core/base/arena.h"
#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>

/* Each of the two files; the largest seen in the wild, with thousands of generated SSO profiles, have some
 * 500 KiB. */
#define AWS_FILE_BYTES_MAX (4u * 1024 * 1024)

typedef const char *aws_environment_fn(void *context, const char *name);

enum aws_addressing { AWS_ADDRESSING_AUTO, AWS_ADDRESSING_VIRTUAL, AWS_ADDRESSING_PATH };
enum aws_tristate { AWS_UNSET, AWS_FALSE, AWS_TRUE };

/* A line `key = value` of a profile; nested blocks (`s3 =`) have keys such as "s3.addressing_style". */
struct aws_setting {
    const char *key, *value;
    const char *file;
    unsigned line;
};

struct aws_profile {
    const char *name;
    struct aws_setting *settings; /* the later wins: the credentials file's come behind the config file's */
    size_t count;
    struct aws_profile *next;
};

struct aws_config {
    struct arena arena;
    aws_environment_fn *environment; /* kept for the credential chain */
    void *environment_context;
    struct aws_profile *profiles;
    const struct aws_profile *profile; /* the one in use; NULL: none */
    bool profile_was_named;   /* by AWS_PROFILE (keys of the environment win all the same, as in aws) */
    const char *region;       /* AWS_REGION, AWS_DEFAULT_REGION, profile's region; NULL: none */
    const char *endpoint_url; /* AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, profile's services/s3 or endpoint_url;
                                 NULL also when AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true */
    const char *sts_endpoint_url; /* AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL, ...; NULL: AWS's own */
    const char *ca_bundle;        /* AWS_CA_BUNDLE, profile's ca_bundle; NULL: the system's */
    bool use_fips, use_dualstack, use_accelerate;
    enum aws_addressing addressing;    /* s3.addressing_style */
    enum aws_tristate payload_signing; /* s3.payload_signing_enabled */
};

enum status aws_config_load(aws_environment_fn *environment, void *context, struct aws_config *config,
                            struct fault *fault);
void aws_config_free(struct aws_config *config); /* zeroed is fine */

const struct aws_profile *aws_config_profile(const struct aws_config *config,
                                             const char *name); /* NULL: none */
const char *aws_profile_get(const struct aws_profile *profile,
                            const char *key); /* NULL: not set; takes NULL */
/* The same with its place, for messages. A setting without value is none. */
const struct aws_setting *aws_profile_setting(const struct aws_profile *profile, const char *key);
/* Environment variable that is set and not empty; else NULL. */
const char *aws_config_variable(const struct aws_config *config, const char *name);

#endif
