/* aws_provider_static.c - keys that lie ready: in the environment, in a profile. They don't expire.
 *
 * Thread rule: reentrant. Owns nothing. */
#include "io/aws/aws_source.h"

#include <stdio.h>

enum aws_found aws_source_environment(struct aws_source *source, struct aws_credentials *out,
                                      struct fault *fault)
{
    const struct aws_config *const config = source->config;
    struct aws_found_keys keys = {.access_key_id = aws_config_variable(config, "AWS_ACCESS_KEY_ID"),
                                  .secret_access_key = aws_config_variable(config, "AWS_SECRET_ACCESS_KEY"),
                                  .session_token = aws_config_variable(config, "AWS_SESSION_TOKEN")};
    /* A secret alone is passed over, as botocore does. */
    if (keys.access_key_id == NULL) return AWS_ABSENT;
    if (keys.secret_access_key == NULL)
        return aws_source_fail(
            fault, STATUS_RIGHTS,
            "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY isn't; set both, or unset the "
            "first");
    /* The old name, which botocore reads too. */
    if (keys.session_token == NULL) keys.session_token = aws_config_variable(config, "AWS_SECURITY_TOKEN");
    return aws_source_found(NULL, &keys, "environment",
                            "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN", out, fault);
}

enum aws_found aws_profile_keys(const struct aws_profile *profile, struct aws_credentials *out,
                                struct fault *fault)
{
    const struct aws_setting *const id = aws_profile_setting(profile, "aws_access_key_id");
    const struct aws_setting *const secret = aws_profile_setting(profile, "aws_secret_access_key");
    if (id == NULL && secret == NULL) return AWS_ABSENT;
    if (id == NULL || secret == NULL) {
        const struct aws_setting *const there = id == NULL ? secret : id;
        return aws_source_fail(fault, STATUS_RIGHTS, "%s:%u: profile '%s' has %s, but no %s", there->file,
                               there->line, profile->name, there->key,
                               id == NULL ? "aws_access_key_id" : "aws_secret_access_key");
    }
    struct aws_found_keys const keys = {.access_key_id = id->value,
                                        .secret_access_key = secret->value,
                                        .session_token = aws_profile_get(profile, "aws_session_token")};
    char where[1024];
    snprintf(where, sizeof where, "%s:%u: profile '%s'", id->file, id->line, profile->name);
    return aws_source_found(NULL, &keys, "profile", where, out, fault);
}

enum aws_found aws_source_keys(struct aws_source *source, struct aws_credentials *out, struct fault *fault)
{
    return aws_profile_keys(source->config->profile, out, fault);
}
