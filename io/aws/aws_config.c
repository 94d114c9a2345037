/* aws_config.c - environment and shared files, weighed against each other.
 *
 * Facts: "Shared config and credentials files" and "Service-specific endpoints" of the AWS SDK and tools
 * guide; botocore where that is silent. The files' text is wiped as soon as it is parsed. Thread rule: main,
 * before other threads. Owns the config's arena. */
#include "io/aws/aws_config.h"

#include "io/aws/aws_config_file.h"
#include "io/aws/aws_ini.h"

#include <string.h>
#include <strings.h>

struct config_loader {
    struct aws_config *config;
    const char *config_file, *credentials_file; /* paths; NULL: there is no home directory */
    struct aws_ini ini, credentials;
    const struct aws_ini_section *services; /* of the profile in use */
    struct fault *fault;
};

const char *aws_config_variable(const struct aws_config *config, const char *name)
{
    const char *const value = config->environment(config->environment_context, name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

const struct aws_profile *aws_config_profile(const struct aws_config *config, const char *name)
{
    for (const struct aws_profile *p = config->profiles; p != NULL; p = p->next)
        if (strcmp(p->name, name) == 0) return p;
    return NULL;
}

const struct aws_setting *aws_profile_setting(const struct aws_profile *profile, const char *key)
{
    const struct aws_setting *const found =
        profile == NULL ? NULL : aws_ini_get(profile->settings, profile->count, key);
    return found == NULL || found->value[0] == '\0' ? NULL : found;
}

const char *aws_profile_get(const struct aws_profile *profile, const char *key)
{
    const struct aws_setting *const setting = aws_profile_setting(profile, key);
    return setting == NULL ? NULL : setting->value;
}

static enum status config_no_memory(struct config_loader *loader)
{
    return fault_set(loader->fault, STATUS_IO, "no memory for the profiles of %s", loader->config_file);
}

/* The environment's value kept in the arena: the caller's may change. */
static const char *config_variable(struct config_loader *loader, const char *name)
{
    const char *const value = aws_config_variable(loader->config, name);
    return value == NULL ? NULL : arena_text(&loader->config->arena, value, strlen(value));
}

static struct aws_profile *config_profile_of(struct config_loader *loader, const char *name)
{
    struct aws_profile **at = &loader->config->profiles;
    for (; *at != NULL; at = &(*at)->next)
        if (strcmp((*at)->name, name) == 0) return *at;
    *at = arena_alloc(&loader->config->arena, sizeof **at);
    if (*at != NULL) (*at)->name = name;
    return *at;
}

/* Sections of one name are one profile. The config file's come first, so that the credentials file's win. */
static enum status config_count(struct config_loader *loader, const struct aws_ini *ini)
{
    for (const struct aws_ini_section *s = ini->first; s != NULL; s = s->next) {
        if (s->kind != AWS_INI_PROFILE) continue;
        struct aws_profile *const profile = config_profile_of(loader, s->name);
        if (profile == NULL) return config_no_memory(loader);
        profile->count += s->count;
    }
    return STATUS_OK;
}

static enum status config_fill(struct config_loader *loader, const struct aws_ini *ini)
{
    for (const struct aws_ini_section *s = ini->first; s != NULL; s = s->next) {
        if (s->kind != AWS_INI_PROFILE || s->count == 0) continue;
        struct aws_profile *const profile = config_profile_of(loader, s->name);
        if (profile == NULL) return config_no_memory(loader);
        memcpy(profile->settings + profile->count, s->settings, s->count * sizeof *s->settings);
        profile->count += s->count;
    }
    return STATUS_OK;
}

static enum status config_profiles(struct config_loader *loader)
{
    enum status status = config_count(loader, &loader->ini);
    if (status == STATUS_OK) status = config_count(loader, &loader->credentials);
    if (status != STATUS_OK) return status;
    for (struct aws_profile *p = loader->config->profiles; p != NULL; p = p->next) {
        p->settings = arena_array(&loader->config->arena, p->count, sizeof *p->settings);
        if (p->settings == NULL) return config_no_memory(loader);
        p->count = 0;
    }
    status = config_fill(loader, &loader->ini);
    return status == STATUS_OK ? config_fill(loader, &loader->credentials) : status;
}

static enum status config_choose(struct config_loader *loader)
{
    struct aws_config *const config = loader->config;
    const char *variable = "AWS_PROFILE";
    const char *name = aws_config_variable(config, variable);
    if (name == NULL) name = aws_config_variable(config, variable = "AWS_DEFAULT_PROFILE");
    config->profile_was_named = name != NULL;
    config->profile = aws_config_profile(config, name == NULL ? "default" : name);
    if (config->profile != NULL || name == NULL) return STATUS_OK;
    return fault_set(
        loader->fault, STATUS_RIGHTS,
        "%s names the profile '%s', which is neither in %s nor in %s; name one that is there, or unset "
        "%s",
        variable, name, loader->config_file, loader->credentials_file, variable);
}

/* `services = x` in the profile: the section [services x] holds endpoints a service. */
static enum status config_services(struct config_loader *loader)
{
    const struct aws_setting *const setting = aws_profile_setting(loader->config->profile, "services");
    if (setting == NULL) return STATUS_OK;
    for (const struct aws_ini_section *s = loader->ini.first; s != NULL; s = s->next)
        if (s->kind == AWS_INI_SERVICES && strcmp(s->name, setting->value) == 0) loader->services = s;
    if (loader->services != NULL) return STATUS_OK;
    return fault_set(loader->fault, STATUS_RIGHTS, "%s:%u: services = %s: there is no section [services %s]",
                     setting->file, setting->line, setting->value, setting->value);
}

static enum status config_bad_value(struct config_loader *loader, const char *variable,
                                    const struct aws_setting *setting, const char *allowed)
{
    if (variable != NULL)
        return fault_set(loader->fault, STATUS_RIGHTS, "%s: allowed are %s", variable, allowed);
    return fault_set(loader->fault, STATUS_RIGHTS, "%s:%u: %s: allowed are %s", setting->file, setting->line,
                     setting->key, allowed);
}

/* A switch from the environment (NULL: it has no variable), else from the profile. A word that is neither is
 * an error: a FIPS endpoint must not get lost to a typing mistake. */
static enum status config_switch(struct config_loader *loader, const char *variable, const char *key,
                                 enum aws_tristate *out)
{
    const struct aws_setting *setting = NULL;
    const char *value = variable == NULL ? NULL : aws_config_variable(loader->config, variable);
    if (value == NULL) {
        variable = NULL;
        setting = aws_profile_setting(loader->config->profile, key);
        if (setting == NULL) return STATUS_OK;
        value = setting->value;
    }
    if (strcasecmp(value, "true") == 0)
        *out = AWS_TRUE;
    else if (strcasecmp(value, "false") == 0)
        *out = AWS_FALSE;
    else
        return config_bad_value(loader, variable, setting, "true and false");
    return STATUS_OK;
}

static enum status config_switches(struct config_loader *loader)
{
    struct aws_config *const config = loader->config;
    enum aws_tristate fips = AWS_UNSET, dual = AWS_UNSET, dual_s3 = AWS_UNSET, accelerate = AWS_UNSET;
    enum status status = config_switch(loader, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint", &fips);
    if (status == STATUS_OK)
        status = config_switch(loader, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint", &dual);
    if (status == STATUS_OK) status = config_switch(loader, NULL, "s3.use_dualstack_endpoint", &dual_s3);
    if (status == STATUS_OK) status = config_switch(loader, NULL, "s3.use_accelerate_endpoint", &accelerate);
    if (status == STATUS_OK)
        status = config_switch(loader, NULL, "s3.payload_signing_enabled", &config->payload_signing);
    config->use_fips = fips == AWS_TRUE;
    config->use_dualstack = dual_s3 == AWS_TRUE || (dual == AWS_TRUE && dual_s3 == AWS_UNSET);
    config->use_accelerate = accelerate == AWS_TRUE;
    return status;
}

static enum status config_addressing(struct config_loader *loader)
{
    const struct aws_setting *const setting =
        aws_profile_setting(loader->config->profile, "s3.addressing_style");
    if (setting == NULL || strcmp(setting->value, "auto") == 0) return STATUS_OK;
    if (strcmp(setting->value, "virtual") == 0)
        loader->config->addressing = AWS_ADDRESSING_VIRTUAL;
    else if (strcmp(setting->value, "path") == 0)
        loader->config->addressing = AWS_ADDRESSING_PATH;
    else
        return config_bad_value(loader, NULL, setting, "auto, virtual and path");
    return STATUS_OK;
}

/* The guide's order: the service's variable, the variable for all, the profile's services, the profile's own.
 */
static const char *config_endpoint(struct config_loader *loader, const char *variable, const char *key)
{
    const char *const own = config_variable(loader, variable);
    if (own != NULL) return own;
    const char *const all = config_variable(loader, "AWS_ENDPOINT_URL");
    if (all != NULL) return all;
    const struct aws_ini_section *const services = loader->services;
    const struct aws_setting *const setting =
        services == NULL ? NULL : aws_ini_get(services->settings, services->count, key);
    if (setting != NULL && setting->value[0] != '\0') return setting->value;
    return aws_profile_get(loader->config->profile, "endpoint_url");
}

static enum status config_endpoints(struct config_loader *loader)
{
    enum aws_tristate ignored = AWS_UNSET;
    enum status status = config_switch(loader, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
                                       "ignore_configured_endpoint_urls", &ignored);
    if (status != STATUS_OK || ignored == AWS_TRUE) return status;
    status = config_services(loader);
    if (status != STATUS_OK) return status;
    loader->config->endpoint_url = config_endpoint(loader, "AWS_ENDPOINT_URL_S3", "s3.endpoint_url");
    loader->config->sts_endpoint_url = config_endpoint(loader, "AWS_ENDPOINT_URL_STS", "sts.endpoint_url");
    return STATUS_OK;
}

static enum status config_values(struct config_loader *loader)
{
    struct aws_config *const config = loader->config;
    config->region = config_variable(loader, "AWS_REGION");
    if (config->region == NULL) config->region = config_variable(loader, "AWS_DEFAULT_REGION");
    if (config->region == NULL) config->region = aws_profile_get(config->profile, "region");
    config->ca_bundle = config_variable(loader, "AWS_CA_BUNDLE");
    if (config->ca_bundle == NULL) config->ca_bundle = aws_profile_get(config->profile, "ca_bundle");
    enum status status = config_endpoints(loader);
    if (status == STATUS_OK) status = config_switches(loader);
    return status == STATUS_OK ? config_addressing(loader) : status;
}

static enum status config_files(struct config_loader *loader)
{
    struct aws_config *const config = loader->config;
    enum status status =
        aws_config_file_path(config, "AWS_CONFIG_FILE", ".aws/config", &loader->config_file, loader->fault);
    if (status == STATUS_OK)
        status = aws_config_file_path(config, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials",
                                      &loader->credentials_file, loader->fault);
    if (status == STATUS_OK)
        status = aws_config_file_read(config, loader->config_file, false, &loader->ini, loader->fault);
    if (status == STATUS_OK)
        status =
            aws_config_file_read(config, loader->credentials_file, true, &loader->credentials, loader->fault);
    return status;
}

enum status aws_config_load(aws_environment_fn *environment, void *context, struct aws_config *config,
                            struct fault *fault)
{
    *config =
        (struct aws_config){.arena.secret = true, .environment = environment, .environment_context = context};
    struct config_loader loader = {.config = config, .fault = fault};
    enum status status = config_files(&loader);
    if (status == STATUS_OK) status = config_profiles(&loader);
    if (status == STATUS_OK) status = config_choose(&loader);
    if (status == STATUS_OK) status = config_values(&loader);
    if (status == STATUS_OK && arena_failed(&config->arena)) status = config_no_memory(&loader);
    if (status != STATUS_OK) aws_config_free(config);
    return status;
}

void aws_config_free(struct aws_config *config)
{
    arena_free(&config->arena);
    *config = (struct aws_config){0};
}
