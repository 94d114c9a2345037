/* aws_provider_role.c - roles that profiles and the environment name: AssumeRole over a chain of source
 * profiles, AssumeRoleWithWebIdentity with a token from a file.
 *
 * Facts: "Assume role credential provider" of the SDK guide; botocore's order: the first profile's role
 * outranks its keys, a source profile's keys outrank its role; a profile may be its own source when it has
 * keys. Thread rule: reentrant. Owns the credentials of each step until the next has them. */
#include "io/aws/aws_form.h"
#include "io/aws/aws_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* AWS itself allows any length, but each step is an hour at most and a call of STS; people use one or two. */
#define ROLE_CHAIN_MAX 8u

static const char role_provider[] = "assumed role";
static const char web_provider[] = "web identity";

/* The profiles from the first, which names the role that is wanted, to the one whose source has keys. */
struct role_chain {
    const struct aws_profile *steps[ROLE_CHAIN_MAX];
    size_t count;
    const struct aws_profile *base; /* NULL: the last step has a credential_source */
};

static bool role_has_keys(const struct aws_profile *profile)
{
    return aws_profile_get(profile, "aws_access_key_id") != NULL ||
           aws_profile_get(profile, "aws_secret_access_key") != NULL;
}

static bool role_is_assumed(const struct aws_profile *profile)
{
    return aws_profile_get(profile, "role_arn") != NULL &&
           aws_profile_get(profile, "web_identity_token_file") == NULL;
}

static bool role_refuse(const struct aws_profile *profile, const char *key, const char *what,
                        struct fault *fault)
{
    const struct aws_setting *const setting = aws_profile_setting(profile, key);
    fault_set(fault, STATUS_RIGHTS, "%s:%u: profile '%s': %s", setting->file, setting->line, profile->name,
              what);
    return false;
}

/* The next profile in the chain, by source_profile. */
static const struct aws_profile *role_source(const struct aws_source *source, const struct role_chain *chain,
                                             const struct aws_profile *profile, struct fault *fault)
{
    const char *const name = aws_profile_get(profile, "source_profile");
    const struct aws_profile *const next = aws_config_profile(source->config, name);
    if (next == NULL) {
        role_refuse(profile, "source_profile", "its source_profile is in neither file", fault);
        return NULL;
    }
    bool const own_keys = next == profile && role_has_keys(profile);
    for (size_t i = 0; i < chain->count && !own_keys; i++)
        if (chain->steps[i] == next) {
            role_refuse(profile, "source_profile", "its source_profile leads back to a profile before it",
                        fault);
            return NULL;
        }
    return next;
}

/* Each step has one source; what it can't have is said. */
static bool role_check(const struct aws_profile *profile, struct fault *fault)
{
    bool const from_profile = aws_profile_get(profile, "source_profile") != NULL;
    bool const from_place = aws_profile_get(profile, "credential_source") != NULL;
    if (aws_profile_get(profile, "mfa_serial") != NULL)
        return role_refuse(
            profile, "mfa_serial",
            "a role that asks for a second factor can't be assumed by a program that runs alone", fault);
    if (from_profile && from_place)
        return role_refuse(profile, "credential_source",
                           "source_profile and credential_source exclude each other", fault);
    if (!from_profile && !from_place)
        return role_refuse(profile, "role_arn", "role_arn needs source_profile or credential_source", fault);
    return true;
}

static bool role_follow(const struct aws_source *source, struct role_chain *chain, struct fault *fault)
{
    const struct aws_profile *profile = source->config->profile;
    do {
        if (chain->count == ROLE_CHAIN_MAX) {
            fault_set(fault, STATUS_RIGHTS,
                      "profile '%s': its chain of source profiles has more than %u roles",
                      source->config->profile->name, ROLE_CHAIN_MAX);
            return false;
        }
        if (!role_check(profile, fault)) return false;
        chain->steps[chain->count++] = profile;
        if (aws_profile_get(profile, "source_profile") == NULL) return true;
        profile = role_source(source, chain, profile, fault);
        if (profile == NULL) return false;
    } while (role_is_assumed(profile) && !role_has_keys(profile));
    chain->base = profile;
    return true;
}

static enum aws_found role_from_place(struct aws_source *source, const struct aws_profile *profile,
                                      struct aws_credentials *out, struct fault *fault)
{
    static const struct {
        const char *name;
        aws_source_fn *fetch;
    } places[] = {{"Environment", aws_source_environment},
                  {"Ec2InstanceMetadata", aws_source_imds},
                  {"EcsContainer", aws_source_container}};
    const struct aws_setting *const setting = aws_profile_setting(profile, "credential_source");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (strcasecmp(setting->value, places[i].name) != 0) continue;
        enum aws_found const found = places[i].fetch(source, out, fault);
        if (found != AWS_ABSENT) return found;
        return aws_source_fail(fault, STATUS_RIGHTS,
                               "%s:%u: profile '%s': credential_source = %s has no credentials%s%s",
                               setting->file, setting->line, profile->name, places[i].name,
                               source->note[0] == '\0' ? "" : ": ", source->note);
    }
    return aws_source_fail(
        fault, STATUS_RIGHTS,
        "%s:%u: profile '%s': credential_source: allowed are Environment, Ec2InstanceMetadata and "
        "EcsContainer",
        setting->file, setting->line, profile->name);
}

struct role {
    const char *arn, *session_name, *external_id, *duration;
    char where[1024];
    char own_name[64];
};

/* Two to 64 characters of [\w+=,.@-]: STS would say so too, but with the request quoted. */
static bool role_name_ok(const char *name)
{
    size_t const length = strlen(name);
    return length >= 2 && length <= 64 &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-") == length;
}

static bool role_duration_ok(const char *text)
{
    char *end = NULL;
    long const seconds = strtol(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && seconds >= 900 && seconds <= 43200;
}

/* What is common to both calls. `environment`: its variables outrank the profile, as in botocore. */
static bool role_read(const struct aws_source *source, const struct aws_profile *profile, bool environment,
                      struct role *role, struct fault *fault)
{
    const struct aws_config *const config = source->config;
    *role = (struct role){0};
    if (environment) {
        role->arn = aws_config_variable(config, "AWS_ROLE_ARN");
        role->session_name = aws_config_variable(config, "AWS_ROLE_SESSION_NAME");
    }
    if (role->arn == NULL) role->arn = aws_profile_get(profile, "role_arn");
    if (role->session_name == NULL) role->session_name = aws_profile_get(profile, "role_session_name");
    role->external_id = aws_profile_get(profile, "external_id");
    role->duration = aws_profile_get(profile, "duration_seconds");
    if (role->duration != NULL && !role_duration_ok(role->duration))
        return role_refuse(profile, "duration_seconds", "duration_seconds: allowed are 900 to 43200", fault);
    if (role->session_name != NULL && !role_name_ok(role->session_name)) {
        fault_set(
            fault, STATUS_RIGHTS,
            "role_session_name (AWS_ROLE_SESSION_NAME): 2 to 64 letters, digits and _+=,.@- are allowed");
        return false;
    }
    snprintf(role->own_name, sizeof role->own_name, "penstock-%lld",
             (long long)source->tuning->now(source->tuning->now_context));
    if (role->session_name == NULL) role->session_name = role->own_name;
    if (role->arn == NULL) {
        fault_set(fault, STATUS_RIGHTS,
                  "a web identity token is given, but no role for it: set AWS_ROLE_ARN, or "
                  "role_arn in the profile");
        return false;
    }
    snprintf(role->where, sizeof role->where, "the role %.512s", role->arn);
    return true;
}

static enum aws_found role_call(struct aws_source *source, const struct role *role, struct aws_form *form,
                                const struct aws_credentials *sign_with, const char *provider,
                                struct aws_credentials *out, struct fault *fault)
{
    struct aws_sts_call const call = {.body = form->text,
                                      .length = form->length,
                                      .sign_with = sign_with,
                                      .provider = provider,
                                      .where = role->where};
    enum aws_found const found = form->failed
                                     ? aws_source_fail(fault, STATUS_IO, "no memory to assume a role")
                                     : aws_sts_perform(source, &call, out, fault);
    aws_form_free(form);
    return found;
}

/* One step: the credentials in `out` become those of the profile's role. */
static enum aws_found role_step(struct aws_source *source, const struct aws_profile *profile,
                                struct aws_credentials *out, struct fault *fault)
{
    struct role role;
    struct aws_form form = {0};
    struct aws_credentials source_keys = *out;
    *out = (struct aws_credentials){0};
    enum aws_found found = AWS_FAILED;
    if (role_read(source, profile, false, &role, fault)) {
        aws_form_add(&form, "Action", "AssumeRole");
        aws_form_add(&form, "Version", "2011-06-15");
        aws_form_add(&form, "RoleArn", role.arn);
        aws_form_add(&form, "RoleSessionName", role.session_name);
        aws_form_add(&form, "ExternalId", role.external_id);
        aws_form_add(&form, "DurationSeconds", role.duration);
        found = role_call(source, &role, &form, &source_keys, role_provider, out, fault);
    }
    aws_credentials_wipe(&source_keys);
    return found;
}

static enum aws_found role_web(struct aws_source *source, const struct aws_profile *profile, const char *path,
                               bool environment, struct aws_credentials *out, struct fault *fault)
{
    struct role role;
    struct aws_form form = {0};
    char *token = NULL;
    if (!role_read(source, profile, environment, &role, fault)) return AWS_FAILED;
    /* Read anew for every fetch: Kubernetes changes the file. */
    if (!aws_source_token_file(path, "web identity token", &token, fault)) return AWS_FAILED;
    aws_form_add(&form, "Action", "AssumeRoleWithWebIdentity");
    aws_form_add(&form, "Version", "2011-06-15");
    aws_form_add(&form, "RoleArn", role.arn);
    aws_form_add(&form, "RoleSessionName", role.session_name);
    aws_form_add(&form, "WebIdentityToken", token);
    aws_form_add(&form, "DurationSeconds", role.duration);
    aws_wipe_free(token, AWS_SOURCE_TOKEN_MAX);
    return role_call(source, &role, &form, NULL, web_provider, out, fault);
}

/* What a source profile may have: a web identity, keys, a process. */
static enum aws_found role_base(struct aws_source *source, const struct aws_profile *profile,
                                struct aws_credentials *out, struct fault *fault)
{
    const char *const path = aws_profile_get(profile, "web_identity_token_file");
    if (path != NULL) return role_web(source, profile, path, false, out, fault);
    enum aws_found found = aws_profile_keys(profile, out, fault);
    if (found == AWS_ABSENT) found = aws_profile_process(source, profile, out, fault);
    if (found != AWS_ABSENT) return found;
    return aws_source_fail(
        fault, STATUS_RIGHTS,
        "profile '%s' is the source of a role, but has no credentials: it needs aws_access_key_id "
        "and aws_secret_access_key, or credential_process, or a role of its own",
        profile->name);
}

enum aws_found aws_source_role(struct aws_source *source, struct aws_credentials *out, struct fault *fault)
{
    struct role_chain chain = {0};
    if (!role_is_assumed(source->config->profile)) return AWS_ABSENT;
    if (!role_follow(source, &chain, fault)) return AWS_FAILED;
    enum aws_found found = chain.base == NULL
                               ? role_from_place(source, chain.steps[chain.count - 1], out, fault)
                               : role_base(source, chain.base, out, fault);
    for (size_t i = chain.count; i-- > 0 && found == AWS_FOUND;)
        found = role_step(source, chain.steps[i], out, fault);
    return found;
}

enum aws_found aws_source_web_identity(struct aws_source *source, struct aws_credentials *out,
                                       struct fault *fault)
{
    const struct aws_profile *const profile = source->config->profile;
    const char *path = aws_config_variable(source->config, "AWS_WEB_IDENTITY_TOKEN_FILE");
    if (path == NULL) path = aws_profile_get(profile, "web_identity_token_file");
    if (path == NULL) return AWS_ABSENT;
    return role_web(source, profile, path, true, out, fault);
}
