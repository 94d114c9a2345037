/* test_aws_roles.c - roles by STS: chains of profiles, web identities, errors, the clock, where STS is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/aws_stage.h"

static const char role_keys[] = "[profile base]\naws_access_key_id = BASE\naws_secret_access_key = HIDDEN\n"
                                "[profile r]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n"
                                "external_id = a/b c\nrole_session_name = me@x\nduration_seconds = 900\n";

static void assumes_a_role(void **state)
{
    struct stage *const stage = *state;
    set_sts(stage);
    rig_write("config", role_keys);
    rig_set(&stage->environment, "AWS_PROFILE", "r");
    expect_keys(stage, "STS1", "HIDDEN1", "TOKEN1", "assumed role");
    assert_string_equal(stage->cloud.last_body,
                        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&"
                        "RoleSessionName=me%40x&ExternalId=a%2Fb%20c&DurationSeconds=900");
    assert_non_null(strstr(stage->cloud.last_authorization,
                           "AWS4-HMAC-SHA256 Credential=BASE/20261123/eu-central-1/sts/aws4_request"));
}

/* Two steps: the second is signed with what the first gave. A profile may be its own source. */
static void follows_chains(void **state)
{
    struct stage *const stage = *state;
    set_sts(stage);
    stage->cloud.fresh = true;
    rig_write("config",
              "[profile a]\nrole_arn = A\nsource_profile = b\naws_access_key_id = IGNORED\n"
              "aws_secret_access_key = HIDDEN\n[profile b]\nrole_arn = B\nsource_profile = c\n"
              "[profile c]\naws_access_key_id = C\naws_secret_access_key = HIDDEN\nrole_arn = UNUSED\n"
              "[profile self]\nrole_arn = S\nsource_profile = self\naws_access_key_id = SELF\n"
              "aws_secret_access_key = HIDDEN\n"
              "[profile p]\nrole_arn = P\nsource_profile = q\n[profile q]\ncredential_process = sh helper\n");
    rig_write("helper", "echo '" STAGE_PROCESS_KEYS "'");
    rig_set(&stage->environment, "AWS_PROFILE", "a");
    expect_keys(stage, "STS3", "HIDDEN3", "TOKEN3", "assumed role");
    assert_int_equal(stage->cloud.asked, 2);
    assert_non_null(strstr(stage->cloud.last_authorization, "Credential=STS2/"));
    assert_non_null(strstr(stage->cloud.last_authorization, "x-amz-security-token"));
    rig_set(&stage->environment, "AWS_PROFILE", "self");
    expect_keys(stage, "STS4", "HIDDEN4", "TOKEN4", "assumed role");
    assert_non_null(strstr(stage->cloud.last_authorization, "Credential=SELF/"));
    rig_set(&stage->environment, "AWS_PROFILE", "p");
    expect_keys(stage, "STS5", "HIDDEN5", "TOKEN5", "assumed role");
    assert_non_null(strstr(stage->cloud.last_authorization, "Credential=PID/"));
}

static void takes_credential_sources(void **state)
{
    struct stage *const stage = *state;
    set_sts(stage);
    set_imds(stage);
    set_ecs(stage);
    rig_set(&stage->environment, "AWS_PROFILE", "r");
    rig_write("config", "[profile r]\nrole_arn = R\ncredential_source = Ec2InstanceMetadata\n");
    expect_keys(stage, "STS1", "HIDDEN1", "TOKEN1", "assumed role");
    assert_int_equal(stage->cloud.asked, 4);
    assert_non_null(strstr(stage->cloud.last_authorization, "Credential=ID1/"));
    rig_write("config", "[profile r]\nrole_arn = R\ncredential_source = EcsContainer\n");
    expect_keys(stage, "STS1", "HIDDEN1", "TOKEN1", "assumed role");
    assert_int_equal(stage->cloud.asked, 6);
    rig_write("config", "[profile r]\nrole_arn = R\ncredential_source = Environment\n");
    expect_none(stage, STATUS_RIGHTS, "credential_source = Environment has no credentials");
    rig_write("config", "[profile r]\nrole_arn = R\ncredential_source = Elsewhere\n");
    expect_none(stage, STATUS_RIGHTS, "config:3: profile 'r': credential_source: allowed are");
}

static void refuses_bad_roles(void **state)
{
    struct stage *const stage = *state;
    static const struct {
        const char *config, *part;
    } cases[] = {
        {"[default]\nrole_arn = R\n", "config:2: profile 'default': role_arn needs source_profile or"},
        {"[default]\nrole_arn = R\nsource_profile = x\n", "its source_profile is in neither file"},
        {"[default]\nrole_arn = R\nsource_profile = default\n", "leads back"},
        {"[default]\nrole_arn = R\nsource_profile = x\n[profile x]\nrole_arn = R\nsource_profile = default\n",
         "config:6: profile 'x': its source_profile leads back"},
        {"[default]\nrole_arn = R\nsource_profile = x\n[profile x]\nregion = y\n",
         "profile 'x' is the source of a role, but has no credentials"},
        {"[default]\nrole_arn = R\nsource_profile = x\ncredential_source = Environment\n",
         "exclude each other"},
        {"[default]\nrole_arn = R\ncredential_source = Environment\nmfa_serial = m\n", "a second factor"},
        {"[default]\nrole_arn = R\nsource_profile = default\naws_access_key_id = A\naws_secret_access_key = "
         "HIDDEN\n"
         "duration_seconds = 899\n",
         "duration_seconds: allowed are 900 to 43200"},
        {"[default]\nrole_arn = R\nsource_profile = default\naws_access_key_id = A\naws_secret_access_key = "
         "HIDDEN\n"
         "role_session_name = a b\n",
         "role_session_name (AWS_ROLE_SESSION_NAME): 2 to 64"},
        {"[default]\nrole_arn = R\nsource_profile = 1\n[profile 1]\nrole_arn = R\nsource_profile = "
         "2\n[profile 2]\n"
         "role_arn = R\nsource_profile = 3\n[profile 3]\nrole_arn = R\nsource_profile = 4\n[profile "
         "4]\nrole_arn = R\n"
         "source_profile = 5\n[profile 5]\nrole_arn = R\nsource_profile = 6\n[profile 6]\nrole_arn = R\n"
         "source_profile = 7\n[profile 7]\nrole_arn = R\nsource_profile = 8\n[profile 8]\nrole_arn = R\n"
         "source_profile = 9\n",
         "more than 8 roles"},
    };
    set_sts(stage);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig_write("config", cases[i].config);
        expect_none(stage, STATUS_RIGHTS, cases[i].part);
    }
    assert_int_equal(stage->cloud.asked, 0);
}

static void fail_with(struct stage *stage, unsigned times, unsigned status, const char *code,
                      const char *message)
{
    pthread_mutex_lock(&stage->cloud.mutex);
    stage->cloud.asked = 0;
    stage->cloud.failures = times;
    stage->cloud.failure = status;
    snprintf(stage->cloud.failure_body, sizeof stage->cloud.failure_body,
             "<ErrorResponse><Error><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>", code,
             message);
    pthread_mutex_unlock(&stage->cloud.mutex);
}

static void understands_sts_errors(void **state)
{
    struct stage *const stage = *state;
    set_sts(stage);
    rig_write("config", role_keys);
    rig_set(&stage->environment, "AWS_PROFILE", "r");
    fail_with(stage, 1, 403, "AccessDenied", "User is not authorized");
    expect_none(stage, STATUS_RIGHTS, "the role arn:aws:iam::1:role/r: STS at http://127.0.0.1:");
    assert_non_null(strstr(stage->fault.message, "answered 403 AccessDenied: User is not authorized"));
    fail_with(stage, 1, 403, "SignatureDoesNotMatch", "the canonical string: HIDDEN");
    expect_none(stage, STATUS_RIGHTS, "answered 403 SignatureDoesNotMatch");
    assert_int_equal(stage->cloud.asked, 1);
    fail_with(stage, 2, 400, "Throttling", "slower");
    expect_keys(stage, "STS1", "HIDDEN1", "TOKEN1", "assumed role");
    assert_int_equal(stage->cloud.asked, 3);
    fail_with(stage, 9, 500, "InternalFailure", "HIDDEN");
    expect_none(stage, STATUS_TRY_AGAIN, "answered 500 InternalFailure");
    assert_int_equal(stage->cloud.asked, 3);
    fail_with(stage, 1, 200, "AccessDenied", "inside a 200");
    expect_none(stage, STATUS_RIGHTS, "answered 200 AccessDenied");
    fail_with(stage, 1, 200, "", "");
    expect_none(stage, STATUS_RIGHTS, "answered without a session token");
    strcpy(stage->cloud.failure_body, "<HIDDEN");
    stage->cloud.failures = 1;
    expect_none(stage, STATUS_RIGHTS, "answered 200");
    rig_set(&stage->environment, "AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1");
    expect_none(stage, STATUS_TRY_AGAIN, "the role arn:aws:iam::1:role/r: ");
    rig_set(&stage->environment, "AWS_ENDPOINT_URL_STS", "sts.example.net");
    expect_none(stage, STATUS_RIGHTS, "the endpoint for STS");
}

/* Our clock is two hours behind the server's: the Date says so, the second signature is right, and the
 * Expiration is understood by our clock. */
static void mends_the_clock(void **state)
{
    struct stage *const stage = *state;
    set_sts(stage);
    rig_write("config", role_keys);
    rig_set(&stage->environment, "AWS_PROFILE", "r");
    fail_with(stage, 1, 403, "SignatureDoesNotMatch", "Signature expired");
    strcpy(stage->cloud.failure_headers, "Date: Tue, 24 Nov 2026 12:00:00 GMT\r\n");
    expect_keys(stage, "STS1", "HIDDEN1", "TOKEN1", "assumed role");
    assert_int_equal(stage->cloud.asked, 2);
    assert_non_null(strstr(stage->cloud.last_authorization, "Credential=BASE/20261124/"));
    fail_with(stage, 2, 403, "SignatureDoesNotMatch", "Signature expired");
    expect_none(stage, STATUS_RIGHTS, "SignatureDoesNotMatch");
    assert_int_equal(stage->cloud.asked, 2);
}

static void takes_a_web_identity(void **state)
{
    struct stage *const stage = *state;
    set_sts(stage);
    rig_write("token", "JWT.a.b\n");
    rig_set(&stage->environment, "AWS_WEB_IDENTITY_TOKEN_FILE", "token");
    expect_none(stage, STATUS_RIGHTS, "no role for it: set AWS_ROLE_ARN");
    rig_set(&stage->environment, "AWS_ROLE_ARN", "W");
    expect_keys(stage, "STS1", "HIDDEN1", "TOKEN1", "web identity");
    assert_string_equal(stage->cloud.last_body,
                        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=W&"
                        "RoleSessionName=penstock-1795428000&WebIdentityToken=JWT.a.b");
    assert_string_equal(stage->cloud.last_authorization, "");
    /* A profile's, with everything from there, as the base of a role too. */
    rig_set(&stage->environment, "AWS_WEB_IDENTITY_TOKEN_FILE", "%s", "");
    rig_set(&stage->environment, "AWS_ROLE_ARN", "%s", "");
    rig_write("config", "[default]\nrole_arn = V\nweb_identity_token_file = token\nrole_session_name = me\n"
                        "[profile r]\nrole_arn = R\nsource_profile = default\n");
    expect_keys(stage, "STS1", "HIDDEN1", "TOKEN1", "web identity");
    assert_non_null(strstr(stage->cloud.last_body, "RoleArn=V&RoleSessionName=me&"));
    rig_set(&stage->environment, "AWS_PROFILE", "r");
    expect_keys(stage, "STS1", "HIDDEN1", "TOKEN1", "assumed role");
    fail_with(stage, 1, 400, "InvalidIdentityToken", "TOKEN1");
    expect_none(stage, STATUS_RIGHTS, "answered 400 InvalidIdentityToken");
    unlink("token");
    expect_none(stage, STATUS_RIGHTS, "token (web identity token): there is no such file");
}

static void expect_sts(struct stage *stage, const char *region, bool fips, bool dual, const char *expected)
{
    char url[AWS_STS_URL_MAX], got[64];
    struct aws_config config = stage->config;
    config.use_fips = fips;
    config.use_dualstack = dual;
    struct aws_source const source = {.config = &config, .tuning = &stage->tuning, .region = region};
    assert_true(aws_sts_endpoint(&source, url, got, &stage->fault));
    assert_string_equal(url, expected);
    assert_string_equal(got, region == NULL ? "us-east-1" : region);
}

static void finds_sts(void **state)
{
    struct stage *const stage = *state;
    assert_null(create(stage));
    expect_sts(stage, NULL, false, false, "https://sts.amazonaws.com");
    expect_sts(stage, "eu-central-1", false, false, "https://sts.eu-central-1.amazonaws.com");
    expect_sts(stage, "us-east-1", true, false, "https://sts-fips.us-east-1.amazonaws.com");
    expect_sts(stage, "us-east-1", false, true, "https://sts.us-east-1.api.aws");
    expect_sts(stage, "us-gov-west-1", true, false, "https://sts.us-gov-west-1.amazonaws.com");
    expect_sts(stage, "cn-north-1", false, false, "https://sts.cn-north-1.amazonaws.com.cn");
    expect_sts(stage, "us-isob-east-1", false, true, "https://sts.us-isob-east-1.sc2s.sgov.gov");
    static const char *const wrong[] = {"", "-a", "a-", "A", "a.b", "a/b", "eu@x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char url[AWS_STS_URL_MAX], region[64];
        struct aws_source const source = {
            .config = &stage->config, .tuning = &stage->tuning, .region = wrong[i]};
        assert_false(aws_sts_endpoint(&source, url, region, &stage->fault));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(assumes_a_role),           STAGED(follows_chains),
        STAGED(takes_credential_sources), STAGED(refuses_bad_roles),
        STAGED(understands_sts_errors),   STAGED(mends_the_clock),
        STAGED(takes_a_web_identity),     STAGED(finds_sts),
    };
    return cmocka_run_group_tests(tests, group_enter, group_leave);
}
