/* test_aws_sources.c - each source of credentials but roles: environment, profile, process, container,
 * instance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/aws_stage.h"

static void environment_comes_first(void **state)
{
    struct stage *const stage = *state;
    rig_write("credentials", "[default]\naws_access_key_id = P\naws_secret_access_key = Q\n[x]\na = 1\n");
    rig_set(&stage->environment, "AWS_SECRET_ACCESS_KEY", "HIDDEN");
    expect_keys(stage, "P", "Q", NULL, "profile");
    rig_set(&stage->environment, "AWS_ACCESS_KEY_ID", "ID");
    rig_set(&stage->environment, "AWS_PROFILE", "x");
    expect_keys(stage, "ID", "HIDDEN", NULL, "environment");
    rig_set(&stage->environment, "AWS_SECURITY_TOKEN", "OLD");
    expect_keys(stage, "ID", "HIDDEN", "OLD", "environment");
    rig_set(&stage->environment, "AWS_SESSION_TOKEN", "TOKEN");
    expect_keys(stage, "ID", "HIDDEN", "TOKEN", "environment");
    assert_false(aws_provider_renew(stage->provider, 1));
    assert_true(aws_provider_settled(stage->provider));
}

static void refuses_halves_and_line_ends(void **state)
{
    struct stage *const stage = *state;
    rig_set(&stage->environment, "AWS_ACCESS_KEY_ID", "ID");
    expect_none(stage, STATUS_RIGHTS, "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY isn't");
    rig_set(&stage->environment, "AWS_SECRET_ACCESS_KEY", "HIDDEN\r\nx-evil: 1");
    expect_none(stage, STATUS_RIGHTS, "the secret access key is not of printable ASCII");
    rig_set(&stage->environment, "AWS_SECRET_ACCESS_KEY", "HIDDEN");
    rig_set(&stage->environment, "AWS_SESSION_TOKEN", "TOKEN1 ");
    expect_none(stage, STATUS_RIGHTS, "the session token is not of printable ASCII");
}

static void says_what_it_looked_at(void **state)
{
    struct stage *const stage = *state;
    expect_none(stage, STATUS_RIGHTS, "no AWS credentials: ");
    assert_non_null(strstr(stage->fault.message, "profile 'default' is in neither"));
    assert_non_null(strstr(stage->fault.message, "switched off by AWS_EC2_METADATA_DISABLED"));
    rig_write("config", "[profile p]\nregion = x\n");
    rig_set(&stage->environment, "AWS_PROFILE", "p");
    expect_none(stage, STATUS_RIGHTS, "profile 'p' has no keys");
    rig_write("config", "[profile p]\nsso_session = s\n");
    expect_none(stage, STATUS_RIGHTS, "logs in by SSO");
}

static void reads_profiles(void **state)
{
    struct stage *const stage = *state;
    rig_write("config", "[default]\naws_session_token = TOKEN\n");
    rig_write("credentials", "[default]\naws_access_key_id = P\naws_secret_access_key = Q # main\n");
    expect_keys(stage, "P", "Q", "TOKEN", "profile");
    rig_write("credentials", "[default]\naws_access_key_id = P\n");
    expect_none(stage, STATUS_RIGHTS,
                "credentials:2: profile 'default' has aws_access_key_id, but no aws_secret_access_key");
    rig_write("credentials", "[default]\naws_secret_access_key = HIDDEN\n");
    expect_none(stage, STATUS_RIGHTS, "but no aws_access_key_id");
}

static void expect_process(struct stage *stage, const char *line, const char *script, const char *part,
                           enum status status)
{
    char config[1024];
    snprintf(config, sizeof config, "[default]\ncredential_process = %s\n", line);
    rig_write("config", config);
    rig_write("helper", script);
    if (part == NULL)
        expect_keys(stage, "PID", "PHIDDEN", "PTOKEN", "credential_process");
    else
        expect_none(stage, status, part);
}

static void runs_a_process(void **state)
{
    struct stage *const stage = *state;
    expect_process(stage, "sh helper", "echo '" STAGE_PROCESS_KEYS "'", NULL, STATUS_OK);
    assert_false(aws_provider_renew(stage->provider, 1));
    expect_process(stage, "sh helper 'a  b' \"c\\\"d\" $HOME",
                   "test \"$#$1$2$3\" = '3a  bc\"d$HOME' && echo '" STAGE_PROCESS_KEYS "'", NULL, STATUS_OK);
    expect_process(stage, "sh helper", "test -z \"$(cat)\"; echo '" STAGE_PROCESS_KEYS "'", NULL, STATUS_OK);
    expect_process(stage, "sh helper",
                   "printf '{\"Version\":1,'; sleep 0.1; echo '\"AccessKeyId\":\"PID\",'\n"
                   "echo '\"SecretAccessKey\":\"PHIDDEN\",\"SessionToken\":\"PTOKEN\"}'",
                   NULL, STATUS_OK);
}

static void refuses_a_bad_process(void **state)
{
    struct stage *const stage = *state;
    expect_process(stage, "sh helper HIDDEN", "echo HIDDEN; exit 3",
                   "config:2: credential_process of profile 'default': it ended with 3", STATUS_RIGHTS);
    expect_process(stage, "sh helper", "kill -9 $$", "ended by signal 9", STATUS_RIGHTS);
    expect_process(stage, "sh helper", "echo HIDDEN", "not a JSON object", STATUS_RIGHTS);
    expect_process(stage, "sh helper", "", "not a JSON object", STATUS_RIGHTS);
    expect_process(stage, "sh helper", "echo '{\"AccessKeyId\":\"a\"}'", "\"Version\": 1 is missing",
                   STATUS_RIGHTS);
    expect_process(stage, "sh helper", "echo '{\"Version\":2}'", "\"Version\" is 2", STATUS_RIGHTS);
    expect_process(stage, "sh helper", "echo '{\"Version\":1}'", "the access key id is missing",
                   STATUS_RIGHTS);
    expect_process(stage, "sh helper", "echo '{\"Version\":1,\"AccessKeyId\":\"a\"}'",
                   "the secret access key is missing", STATUS_RIGHTS);
    expect_process(stage, "sh helper", "head -c 70000 /dev/zero", "more than 64 KiB", STATUS_RIGHTS);
    expect_process(stage, "/nonexistent/HIDDEN x", "", "can't be started: No such file", STATUS_RIGHTS);
    expect_process(stage, "sh 'HIDDEN", "", "a quotation mark is not closed", STATUS_RIGHTS);
    expect_process(stage, "sh \\", "", "nothing follows the last backslash", STATUS_RIGHTS);
    stage->tuning.process_ms = 200;
    /* Both hang for as long as they are let: with the output open, and closed. */
    expect_process(stage, "sh helper", "sleep 1000", "it had not ended after 0 seconds", STATUS_TRY_AGAIN);
    expect_process(stage, "sh helper", "exec >&-; sleep 1000", "it had not ended", STATUS_TRY_AGAIN);
    stage->tuning.process_ms = 60000;
    atomic_store(&stage->stop, true);
    expect_process(stage, "sh helper", "sleep 1000", "stopped while", STATUS_TRY_AGAIN);
}

static void asks_the_container(void **state)
{
    struct stage *const stage = *state;
    set_ecs(stage);
    expect_keys(stage, "ID1", "HIDDEN1", "TOKEN1", "container role");
    strcpy(stage->cloud.token, "Bearer abc");
    expect_none(stage, STATUS_RIGHTS, "it answered 401; AWS_CONTAINER_AUTHORIZATION_TOKEN");
    rig_set(&stage->environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer abc");
    expect_keys(stage, "ID1", "HIDDEN1", "TOKEN1", "container role");
    strcpy(stage->cloud.token, "from-file");
    rig_write("token", "from-file\n");
    rig_set(&stage->environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "token");
    expect_keys(stage, "ID1", "HIDDEN1", "TOKEN1", "container role");
    strcpy(stage->cloud.token, "Bearer from-file");
    rig_write("token", " Bearer from-file\r\n");
    expect_keys(stage, "ID1", "HIDDEN1", "TOKEN1", "container role");
    rig_write("token", "a\r\nb");
    expect_none(stage, STATUS_RIGHTS, "token (AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE): doesn't hold a token");
    unlink("token");
    expect_none(stage, STATUS_RIGHTS, "there is no such file");
}

static void repeats_what_passes(void **state)
{
    struct stage *const stage = *state;
    char base[64];
    snprintf(base, sizeof base, "http://127.0.0.1:%u", stage->rig.port);
    stage->tuning.container_base = base;
    rig_set(&stage->environment, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/ecs?id=1");
    rig_set(&stage->environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.net/");
    stage->cloud.failures = 2;
    stage->cloud.failure = 503;
    expect_keys(stage, "ID1", "HIDDEN1", "TOKEN1", "container role");
    assert_int_equal(stage->cloud.asked, 3);
    assert_string_equal(stage->cloud.last_path, "/ecs?id=1");
    stage->cloud.failures = 3;
    expect_none(stage, STATUS_TRY_AGAIN, "it answered 503");
    stage->cloud.failures = 1;
    stage->cloud.failure = 404;
    expect_none(stage, STATUS_RIGHTS, "it answered 404");
    stage->cloud.failures = 1;
    stage->cloud.failure = 200;
    strcpy(stage->cloud.failure_body, "HIDDEN");
    expect_none(stage, STATUS_RIGHTS, "not a JSON object");
    stage->cloud.failures = 0;
    strcpy(stage->cloud.code, "NoRole");
    expect_none(stage, STATUS_RIGHTS, "has no credentials: NoRole");
    rig_set(&stage->environment, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@example.net/");
    expect_none(stage, STATUS_RIGHTS, "a path that begins with /");
}

static void keeps_the_token_at_home(void **state)
{
    struct stage *const stage = *state;
    static const char *const wrong[] = {"http://example.net/",
                                        "http://127.0.0.1@example.net/",
                                        "http://127.0.0.1.example.net",
                                        "http://169.254.169.254/",
                                        "http://[::2]/",
                                        "http://[::1]x/",
                                        "http://[::1/",
                                        "http://",
                                        "ftp://127.0.0.1/",
                                        "http://0x7f.1/",
                                        "http://localhost.example/",
                                        "http://127.0.0.1\\@example.net/",
                                        "http:///x",
                                        "http://127.0.0.1/a b"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        rig_set(&stage->environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "%s", wrong[i]);
        expect_none(stage, STATUS_RIGHTS, "AWS_CONTAINER_CREDENTIALS_FULL_URI: allowed are");
    }
    /* Allowed, but nobody is there. */
    atomic_store(&stage->stop, true);
    static const char *const right[] = {
        "http://127.9.9.9:1/",     "http://localhost:1/",    "http://[::1]:1/",     "http://169.254.170.2/",
        "http://169.254.170.23/x", "http://[fd00:ec2::23]/", "https://127.0.0.1:1/"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        rig_set(&stage->environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "%s", right[i]);
        expect_none(stage, STATUS_TRY_AGAIN, "stopped");
    }
}

static void asks_the_instance(void **state)
{
    struct stage *const stage = *state;
    set_imds(stage);
    /* Never by a proxy: nobody listens there. */
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    expect_keys(stage, "ID1", "HIDDEN1", "TOKEN1", "instance role (IMDSv2)");
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    rig_set(&stage->environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:%u", stage->rig.port);
    expect_keys(stage, "ID1", "HIDDEN1", "TOKEN1", "instance role (IMDSv2)");
    char region[32];
    assert_true(aws_provider_instance_region(&stage->config, region, sizeof region));
    assert_string_equal(region, "eu-west-3");
    assert_false(aws_provider_instance_region(&stage->config, region, 4));
    rig_set(&stage->environment, "AWS_EC2_METADATA_DISABLED", "TRUE");
    assert_false(aws_provider_instance_region(&stage->config, region, sizeof region));
}

static void passes_over_no_instance(void **state)
{
    struct stage *const stage = *state;
    set_imds(stage);
    stage->cloud.no_token = 403;
    expect_none(stage, STATUS_RIGHTS, "the instance metadata service: it answered 403");
    stage->cloud.no_token = 404;
    expect_none(stage, STATUS_RIGHTS, "it has no version 2");
    assert_int_equal(stage->cloud.asked, 2); /* never version 1 */
    stage->cloud.no_token = 0;
    stage->cloud.no_role = 404;
    expect_none(stage, STATUS_RIGHTS, "this instance has no role");
    stage->cloud.no_role = 0;
    stage->cloud.bad_role = 500;
    expect_none(stage, STATUS_TRY_AGAIN, "role 'my-role': it answered 500");
    stage->cloud.bad_role = 0;
    strcpy(stage->cloud.code, "AssumeRoleUnauthorizedAccess");
    expect_none(stage, STATUS_RIGHTS, "AssumeRoleUnauthorizedAccess");
    stage->cloud.code[0] = '\0';
    rig_set(&stage->environment, "AWS_METADATA_SERVICE_NUM_ATTEMPTS", "3");
    stage->cloud.failures = 2;
    stage->cloud.failure = 500;
    expect_keys(stage, "ID1", "HIDDEN1", "TOKEN1", "instance role (IMDSv2)");
    rig_set(&stage->environment, "AWS_METADATA_SERVICE_NUM_ATTEMPTS", "0");
    expect_none(stage, STATUS_RIGHTS, "AWS_METADATA_SERVICE_NUM_ATTEMPTS: allowed are");
    rig_set(&stage->environment, "AWS_METADATA_SERVICE_NUM_ATTEMPTS", "1");
    rig_set(&stage->environment, "AWS_METADATA_SERVICE_TIMEOUT", "x");
    expect_none(stage, STATUS_RIGHTS, "AWS_METADATA_SERVICE_TIMEOUT: allowed are");
    rig_set(&stage->environment, "AWS_METADATA_SERVICE_TIMEOUT", "1");
    rig_set(&stage->environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipv5");
    expect_none(stage, STATUS_RIGHTS, "allowed are IPv4 and IPv6");
    rig_set(&stage->environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6");
    rig_set(&stage->environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "127.0.0.1");
    expect_none(stage, STATUS_RIGHTS, "a URL such as");
    rig_set(&stage->environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1");
    expect_none(stage, STATUS_RIGHTS, "no AWS credentials");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(environment_comes_first), STAGED(refuses_halves_and_line_ends),
        STAGED(says_what_it_looked_at),  STAGED(reads_profiles),
        STAGED(runs_a_process),          STAGED(refuses_a_bad_process),
        STAGED(asks_the_container),      STAGED(repeats_what_passes),
        STAGED(keeps_the_token_at_home), STAGED(asks_the_instance),
        STAGED(passes_over_no_instance),
    };
    return cmocka_run_group_tests(tests, group_enter, group_leave);
}
