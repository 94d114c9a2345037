/* test_aws_config.c - environment and files against each other; what is wrong with a place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/aws/aws_config.h"

#include "tests/unit/aws_rig.h"

#include <sys/stat.h>

struct loaded {
    struct rig_environment environment;
    struct aws_config config;
    struct fault fault;
};

/* NULL: there is no such file. The variables of `environment` may name others. */
static enum status load(struct loaded *loaded, const char *config, const char *credentials)
{
    unlink("config");
    unlink("credentials");
    if (config != NULL) rig_write("config", config);
    if (credentials != NULL) rig_write("credentials", credentials);
    if (rig_variable(&loaded->environment, "AWS_CONFIG_FILE") == NULL)
        rig_set(&loaded->environment, "AWS_CONFIG_FILE", "config");
    if (rig_variable(&loaded->environment, "AWS_SHARED_CREDENTIALS_FILE") == NULL)
        rig_set(&loaded->environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
    return aws_config_load(rig_variable, &loaded->environment, &loaded->config, &loaded->fault);
}

static void expect_load(struct loaded *loaded, const char *config, const char *credentials)
{
    enum status const status = load(loaded, config, credentials);
    if (status != STATUS_OK) print_message("%s\n", loaded->fault.message);
    assert_int_equal(status, STATUS_OK);
}

static void expect_fault(struct loaded *loaded, const char *config, const char *message)
{
    assert_int_equal(load(loaded, config, NULL), STATUS_RIGHTS);
    assert_string_equal(loaded->fault.message, message);
    assert_null(loaded->config.profiles);
}

static void works_without_files(void **state)
{
    (void)state;
    struct loaded loaded = {0};
    expect_load(&loaded, NULL, NULL);
    assert_null(loaded.config.profile);
    assert_null(loaded.config.region);
    assert_null(loaded.config.endpoint_url);
    assert_null(loaded.config.sts_endpoint_url);
    assert_null(loaded.config.ca_bundle);
    assert_false(loaded.config.use_fips || loaded.config.use_dualstack || loaded.config.use_accelerate);
    assert_int_equal(loaded.config.addressing, AWS_ADDRESSING_AUTO);
    assert_int_equal(loaded.config.payload_signing, AWS_UNSET);
    assert_null(aws_profile_get(NULL, "region"));
    aws_config_free(&loaded.config);
    aws_config_free(&loaded.config);
}

static void joins_both_files(void **state)
{
    (void)state;
    struct loaded loaded = {0};
    expect_load(&loaded,
                "[default]\nregion = a\noutput = json\n[profile x]\nregion = b\naws_access_key_id = "
                "config\n[y]\nz = 1\n",
                "[x]\naws_access_key_id = credentials\n[default]\nregion = c\n[y]\nz = 2\n");
    assert_string_equal(loaded.config.region, "c");
    assert_false(loaded.config.profile_was_named);
    const struct aws_profile *const x = aws_config_profile(&loaded.config, "x");
    assert_non_null(x);
    assert_string_equal(aws_profile_get(x, "aws_access_key_id"), "credentials");
    assert_string_equal(aws_profile_get(x, "region"), "b");
    assert_null(aws_profile_get(x, "output"));
    const struct aws_setting *const setting = aws_profile_setting(x, "aws_access_key_id");
    assert_string_equal(setting->file, "credentials");
    assert_int_equal(setting->line, 2);
    assert_string_equal(aws_profile_get(aws_config_profile(&loaded.config, "y"), "z"), "2");
    assert_null(aws_config_profile(&loaded.config, "z"));
    aws_config_free(&loaded.config);
}

static void finds_the_profile(void **state)
{
    (void)state;
    static const char text[] = "[default]\nregion = d\n[profile x]\nregion = x\n[profile y]\nregion = y\n";
    struct loaded loaded = {0};
    rig_set(&loaded.environment, "AWS_DEFAULT_PROFILE", "x");
    expect_load(&loaded, text, NULL);
    assert_string_equal(loaded.config.region, "x");
    assert_true(loaded.config.profile_was_named);
    aws_config_free(&loaded.config);
    rig_set(&loaded.environment, "AWS_PROFILE", "y");
    expect_load(&loaded, text, NULL);
    assert_string_equal(loaded.config.region, "y");
    aws_config_free(&loaded.config);
    rig_set(&loaded.environment, "AWS_PROFILE", "%s", "");
    expect_load(&loaded, text, NULL);
    assert_string_equal(loaded.config.region, "x");
    aws_config_free(&loaded.config);
    rig_set(&loaded.environment, "AWS_PROFILE", "z");
    expect_fault(
        &loaded, text,
        "AWS_PROFILE names the profile 'z', which is neither in config nor in credentials; name one that is "
        "there, or unset AWS_PROFILE");
}

static void prefers_the_environment(void **state)
{
    (void)state;
    static const char text[] = "[default]\nregion = file\nca_bundle = file.pem\nuse_fips_endpoint = true\n"
                               "use_dualstack_endpoint = true\n";
    struct loaded loaded = {0};
    expect_load(&loaded, text, NULL);
    assert_string_equal(loaded.config.region, "file");
    assert_string_equal(loaded.config.ca_bundle, "file.pem");
    assert_true(loaded.config.use_fips && loaded.config.use_dualstack);
    aws_config_free(&loaded.config);
    rig_set(&loaded.environment, "AWS_DEFAULT_REGION", "second");
    rig_set(&loaded.environment, "AWS_CA_BUNDLE", "env.pem");
    rig_set(&loaded.environment, "AWS_USE_FIPS_ENDPOINT", "FALSE");
    rig_set(&loaded.environment, "AWS_USE_DUALSTACK_ENDPOINT", "false");
    expect_load(&loaded, text, NULL);
    assert_string_equal(loaded.config.region, "second");
    assert_string_equal(loaded.config.ca_bundle, "env.pem");
    assert_false(loaded.config.use_fips || loaded.config.use_dualstack);
    aws_config_free(&loaded.config);
    rig_set(&loaded.environment, "AWS_REGION", "first");
    expect_load(&loaded, text, NULL);
    assert_string_equal(loaded.config.region, "first");
    aws_config_free(&loaded.config);
}

static void reads_the_s3_block(void **state)
{
    (void)state;
    struct loaded loaded = {0};
    expect_load(&loaded,
                "[default]\ns3 =\n  addressing_style = path\n  payload_signing_enabled = True\n"
                "  use_accelerate_endpoint = true\n  use_dualstack_endpoint = true\n",
                NULL);
    assert_int_equal(loaded.config.addressing, AWS_ADDRESSING_PATH);
    assert_int_equal(loaded.config.payload_signing, AWS_TRUE);
    assert_true(loaded.config.use_accelerate && loaded.config.use_dualstack);
    aws_config_free(&loaded.config);
    expect_load(&loaded,
                "[default]\nuse_dualstack_endpoint = true\ns3 =\n  addressing_style = virtual\n"
                "  payload_signing_enabled = false\n  use_dualstack_endpoint = false\n",
                NULL);
    assert_int_equal(loaded.config.addressing, AWS_ADDRESSING_VIRTUAL);
    assert_int_equal(loaded.config.payload_signing, AWS_FALSE);
    assert_false(loaded.config.use_dualstack);
    aws_config_free(&loaded.config);
    expect_fault(&loaded, "[default]\ns3 =\n  addressing_style = vhost\n",
                 "config:3: s3.addressing_style: allowed are auto, virtual and path");
    expect_fault(&loaded, "[default]\ns3 =\n  payload_signing_enabled = yes\n",
                 "config:3: s3.payload_signing_enabled: allowed are true and false");
    rig_set(&loaded.environment, "AWS_USE_FIPS_ENDPOINT", "1");
    expect_fault(&loaded, "[default]\n", "AWS_USE_FIPS_ENDPOINT: allowed are true and false");
}

/* From the weakest to the strongest, each on top of what was there. */
static void finds_the_endpoint(void **state)
{
    (void)state;
    static const char profile[] = "[default]\nendpoint_url = http://profile\n";
    static const char services[] = "[services s]\ns3 =\n  endpoint_url = http://s3\n"
                                   "[default]\nservices = s\nendpoint_url = http://profile\n";
    struct loaded loaded = {0};
    expect_load(&loaded, profile, NULL);
    assert_string_equal(loaded.config.endpoint_url, "http://profile");
    assert_string_equal(loaded.config.sts_endpoint_url, "http://profile");
    aws_config_free(&loaded.config);
    expect_load(&loaded, services, NULL);
    assert_string_equal(loaded.config.endpoint_url, "http://s3");
    assert_string_equal(loaded.config.sts_endpoint_url, "http://profile");
    aws_config_free(&loaded.config);
    rig_set(&loaded.environment, "AWS_ENDPOINT_URL", "http://all");
    expect_load(&loaded, services, NULL);
    assert_string_equal(loaded.config.endpoint_url, "http://all");
    assert_string_equal(loaded.config.sts_endpoint_url, "http://all");
    aws_config_free(&loaded.config);
    rig_set(&loaded.environment, "AWS_ENDPOINT_URL_S3", "http://one");
    rig_set(&loaded.environment, "AWS_ENDPOINT_URL_STS", "http://two");
    expect_load(&loaded, services, NULL);
    assert_string_equal(loaded.config.endpoint_url, "http://one");
    assert_string_equal(loaded.config.sts_endpoint_url, "http://two");
    aws_config_free(&loaded.config);
    rig_set(&loaded.environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
    expect_load(&loaded, services, NULL);
    assert_null(loaded.config.endpoint_url);
    assert_null(loaded.config.sts_endpoint_url);
    aws_config_free(&loaded.config);
}

static void ignores_endpoints_by_profile(void **state)
{
    (void)state;
    struct loaded loaded = {0};
    expect_load(&loaded, "[default]\nendpoint_url = http://h\nignore_configured_endpoint_urls = true\n",
                NULL);
    assert_null(loaded.config.endpoint_url);
    aws_config_free(&loaded.config);
    expect_fault(&loaded, "[default]\nservices = none\n",
                 "config:2: services = none: there is no section [services none]");
}

static void names_file_and_line(void **state)
{
    (void)state;
    struct loaded loaded = {0};
    expect_fault(&loaded, "[default]\naws_secret_access_key\n",
                 "config:2: neither a section ([name]) nor a setting (key = value)");
}

static void finds_the_home_directory(void **state)
{
    struct loaded loaded = {0};
    assert_int_equal(mkdir(".aws", 0700), 0);
    rig_write(".aws/config", "[default]\nregion = home\n");
    rig_set(&loaded.environment, "HOME", "%s", (const char *)*state);
    assert_int_equal(aws_config_load(rig_variable, &loaded.environment, &loaded.config, &loaded.fault),
                     STATUS_OK);
    assert_string_equal(loaded.config.region, "home");
    aws_config_free(&loaded.config);
    rig_write("other", "[default]\nregion = other\n");
    rig_set(&loaded.environment, "AWS_CONFIG_FILE", "~/other");
    assert_int_equal(aws_config_load(rig_variable, &loaded.environment, &loaded.config, &loaded.fault),
                     STATUS_OK);
    assert_string_equal(loaded.config.region, "other");
    aws_config_free(&loaded.config);
    /* The user database, whatever it says. */
    struct loaded homeless = {0};
    rig_set(&homeless.environment, "AWS_CONFIG_FILE", "/dev/null");
    assert_int_equal(aws_config_load(rig_variable, &homeless.environment, &homeless.config, &homeless.fault),
                     STATUS_OK);
    aws_config_free(&homeless.config);
}

static void passes_over_odd_files(void **state)
{
    (void)state;
    struct loaded loaded = {0};
    rig_set(&loaded.environment, "AWS_CONFIG_FILE", "/dev/null");
    rig_set(&loaded.environment, "AWS_SHARED_CREDENTIALS_FILE", "/");
    expect_load(&loaded, NULL, NULL);
    aws_config_free(&loaded.config);
    rig_set(&loaded.environment, "AWS_CONFIG_FILE", "/dev/null/config");
    expect_load(&loaded, NULL, NULL);
    aws_config_free(&loaded.config);
    rig_set(&loaded.environment, "AWS_CONFIG_FILE", "/dev/zero");
    assert_int_equal(load(&loaded, NULL, NULL), STATUS_RIGHTS);
    assert_non_null(strstr(loaded.fault.message, "/dev/zero: larger than"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(works_without_files),
        cmocka_unit_test(joins_both_files),
        cmocka_unit_test(finds_the_profile),
        cmocka_unit_test(prefers_the_environment),
        cmocka_unit_test(reads_the_s3_block),
        cmocka_unit_test(finds_the_endpoint),
        cmocka_unit_test(ignores_endpoints_by_profile),
        cmocka_unit_test(names_file_and_line),
        cmocka_unit_test(finds_the_home_directory),
        cmocka_unit_test(passes_over_odd_files),
    };
    return cmocka_run_group_tests(tests, rig_enter_scratch, rig_leave_scratch);
}
