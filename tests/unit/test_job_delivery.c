/* test_job_delivery.c - who goes out and how it is delivered: identity.multiple, deduplicate, consent, files,
 * pega. */
#include "tests/unit/job_desk.h"

#include <stdio.h>

static void reads_identities(void **state)
{
    (void)state;
    struct job job;
    load(JOB_HEAD
         "identity: { paths: [ id, identityMap.CRM ], multiple: explode, deduplicate: latest, timestamp: "
         "_repo.modifyDate }\n",
         &job);
    const struct identity *identity = &job.mapping.identity;
    assert_int_equal(identity->multiple, IDENTITY_EXPLODE);
    assert_int_equal(identity->deduplicate, IDENTITY_KEEP_LATEST);
    assert_int_equal(identity->timestamp.part_count, 2);
    assert_int_equal(job.warning_count, 0);
    job_free(&job);
    load(JOB_HEAD "identity: { paths: [ id ], timestamp: t }\n", &job);
    assert_int_equal(identity->deduplicate, IDENTITY_KEEP_ALL);
    assert_int_equal(identity->timestamp.part_count, 1);
    job_free(&job);
    load(JOB_HEAD "identity: { paths: [ id ], deduplicate: latest, timestamp: ~ }\n", &job);
    assert_int_equal(identity->timestamp.part_count, 0);
    assert_int_equal(job.warning_count, 1);
    assert_non_null(strstr(job.warnings[0], "jobs/acme.yaml:2: identity.deduplicate: is latest without"));
    job_free(&job);
    load(JOB_HEAD "identity: { paths: [ id, 'identityMap.CRM[*].id' ], multiple: explode }\n", &job);
    assert_int_equal(job.warning_count, 1);
    assert_non_null(strstr(job.warnings[0], "jobs/acme.yaml:2: identity.multiple: explode has no effect"));
    job_free(&job);
    load(JOB_BEGIN, &job);
    assert_int_equal(identity->multiple, IDENTITY_PRIMARY);
    assert_int_equal(identity->deduplicate, IDENTITY_KEEP_ALL);
    assert_int_equal(identity->timestamp.part_count, 0);
    job_free(&job);
    refused(JOB_HEAD "identity: { paths: [ id ], deduplicate: last }\n",
            "acme.yaml:2: identity.deduplicate: \"last\" is not one of none, latest");
    refused(JOB_HEAD "identity: { paths: [ id ], timestamp: 'a[' }\n",
            "acme.yaml:2: identity.timestamp: path \"a[\"");
    refused(JOB_HEAD "identity: { paths: [ id ], timestamp: 't[*]' }\n",
            "acme.yaml:2: identity.timestamp: may select several values");
    refused(JOB_HEAD "identity: { paths: [ id ], timestamp: \"t[?@.a == 1].b\" }\n",
            "acme.yaml:2: identity.timestamp: may select several values");
}

static void reads_consent(void **state)
{
    (void)state;
    struct job job;
    load(JOB_BEGIN "consent:\n  require:\n  - { path: consents.marketing.email.val, allow: [ y, dy ] }\n"
                   "  - { missing: allow, allow: [ '' ], path: \"optInOut['https://x/email']\" }\n",
         &job);
    assert_int_equal(job.mapping.consent_count, 2);
    const struct consent_rule *rules = job.mapping.consent;
    assert_string_equal(rules[0].path.text, "consents.marketing.email.val");
    assert_int_equal(rules[0].allow_count, 2);
    assert_string_equal(rules[0].allow[1], "dy");
    assert_int_equal(rules[0].missing, CONSENT_DENY);
    assert_int_equal(rules[1].path.part_count, 2);
    assert_string_equal(rules[1].allow[0], "");
    assert_int_equal(rules[1].missing, CONSENT_ALLOW);
    job_free(&job);
    load(JOB_BEGIN "consent: null\n", &job);
    assert_int_equal(job.mapping.consent_count, 0);
    job_free(&job);
}

static void refuses_consent(void **state)
{
    (void)state;
#define RULE "{ path: a, allow: [ y ] }, "
    static const char *const cases[][2] = {
        {"consent: {}\n", "3: consent.require: is missing; at least one rule"},
        {"consent: { require: [] }\n", "3: consent.require: is missing; at least one rule"},
        {"consent: { require: { path: a } }\n", "3: consent.require: is not a list of rules"},
        {"consent: { require: [ a ] }\n", "3: consent.require[0]: is a text; a mapping"},
        {"consent:\n  require:\n  - { allow: [ y ] }\n", "5: consent.require[0]: has no path"},
        {"consent:\n  require:\n  - { path: a }\n", "5: consent.require[0]: allows nothing; name at least"},
        {"consent: { require: [ { path: a, allow: [] } ] }\n", "3: consent.require[0]: allows nothing"},
        {"consent: { require: [ { path: a, allow: y } ] }\n", "3: consent.require[0].allow: is not a list"},
        {"consent: { require: [ { path: a, allow: [ ~ ] } ] }\n", "3: consent.require[0].allow[0]: is empty"},
        {"consent: { require: [ { path: 'a[', allow: [ y ] } ] }\n",
         "3: consent.require[0].path: path \"a[\""},
        {"consent: { require: [ { path: a, allow: [ y ], missing: no } ] }\n",
         "3: consent.require[0].missing: \"no\" is not one of deny, allow"},
        {"consent: { require: [ { path: a, allow: [ y ], deny: [ n ] } ] }\n",
         "3: consent.require[0].deny: there is no such key; allowed here are path, allow, missing"},
        {"consent: { require: [ { path: a, allow: [ y ] }, { allow: [ y ] } ] }\n",
         "3: consent.require[1]: has no path"},
        {"consent: { require: [ " RULE RULE RULE RULE RULE RULE RULE RULE RULE RULE RULE RULE RULE RULE RULE
             RULE RULE "] }\n",
         "3: consent.require: has 17 rules; at most 16"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused_behind(cases[i][0], cases[i][1]);
    char text[1024] = "consent: { require: [ { path: a, allow: [ ";
    for (int i = 0; i < 65; i++)
        strcat(text, "y,");
    strcat(text, " ] } ] }\n");
    refused_behind(text, "3: consent.require[0].allow[64]: is one too many; at most 64");
}

static void reads_files(void **state)
{
    (void)state;
    struct job job;
    load(JOB_BEGIN, &job);
    assert_string_equal(job.purge_name, "{name}_purge_{run_time}_{part}.csv");
    assert_int_equal(job.compression, JOB_COMPRESSION_NONE);
    assert_int_equal(job.file_count, 0);
    assert_false(job.empty_header);
    job_free(&job);
    load(JOB_BEGIN "files: { count: 10000, compression: zstd, empty: header, purge_name: \"p{part}\" }\n",
         &job);
    assert_int_equal(job.file_count, 10000);
    assert_int_equal(job.max_rows, 0); /* the default does not hold */
    assert_int_equal(job.compression, JOB_COMPRESSION_ZSTD);
    assert_true(job.empty_header);
    assert_string_equal(job.purge_name, "p{part}");
    job_free(&job);
    load(JOB_BEGIN "files: { count: 1, compression: gzip, name: x.csv, max_rows: null, max_bytes: ~ }\n",
         &job);
    assert_int_equal(job.file_count, 1);
    assert_int_equal(job.compression, JOB_COMPRESSION_GZIP);
    job_free(&job);
    load(JOB_BEGIN "files: { compression: none, empty: none, count: null }\n", &job);
    assert_int_equal(job.max_rows, 5000000);
    job_free(&job);
    static const char *const cases[][2] = {
        {"files: { count: 0 }\n", "3: files.count: \"0\" is not a whole number from 1 to 10000"},
        {"files: { count: 10001 }\n", "3: files.count: \"10001\" is not"},
        {"files:\n  count: 4\n  max_rows: 5\n", "5: files.max_rows: can't stand beside files.count"},
        {"files:\n  max_bytes: 1MB\n  count: 4\n", "4: files.max_bytes: can't stand beside files.count"},
        {"files: { count: 2, name: x.csv }\n", "3: files.count: makes 2 files, which one name"},
        {"files: { compression: zip }\n", "3: files.compression: \"zip\" is not one of none, gzip, zstd"},
        {"files: { empty: true }\n", "3: files.empty: \"true\" is not one of none, header"},
        {"files: { purge_name: '' }\n", "3: files.purge_name: is empty"},
        {"files: { purge_name: a/b }\n", "3: files.purge_name: holds a slash"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused_behind(cases[i][0], cases[i][1]);
    /* what compression and tokens add is part of the name */
    char text[512], filler[234];
    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    snprintf(text, sizeof text, JOB_BEGIN "files: { name: %s, compression: gzip }\n", filler + 4);
    load(text, &job);
    job_free(&job);
    snprintf(text, sizeof text, "files: { name: %s, compression: gzip }\n", filler + 3);
    refused_behind(text, "3: files.name: makes names of up to 234 bytes; at most 233");
    snprintf(text, sizeof text, "files: { name: %s }\npega: { token: { per: file } }\n", filler + 3);
    refused_behind(text, "3: files.name: makes names of up to 234 bytes");
    snprintf(text, sizeof text, "pega: { manifest: %s }\n", filler + 3);
    refused_behind(text, "3: pega.manifest: makes names of up to 234 bytes");
    snprintf(text, sizeof text, JOB_BEGIN "pega: { manifest: %s, token: { per: none } }\n", filler + 3);
    load(text, &job);
    job_free(&job);
}

static void reads_pega(void **state)
{
    (void)state;
    struct job job;
    static const char *const wanted[] = {JOB_BEGIN "pega: {}\n", JOB_BEGIN "pega:\n",
                                         JOB_BEGIN "pega: { token: ~, path_prefix: '' }\n"};
    static const char *const unwanted[] = {JOB_BEGIN, JOB_BEGIN "pega: ~\n", JOB_BEGIN "pega: null\n"};
    for (size_t i = 0; i < 6; i++) {
        load(i < 3 ? wanted[i] : unwanted[i - 3], &job);
        const struct job_pega *pega = &job.pega;
        assert_int_equal(pega->wanted, i < 3);
        assert_string_equal(pega->process_type, "CustomerDataIngestion");
        assert_string_equal(pega->purge_process_type, "CustomerDataPurge");
        assert_string_equal(pega->manifest, "{name}_{run_time}.xml");
        assert_string_equal(pega->purge_manifest, "{name}_purge_{run_time}.xml");
        assert_string_equal(pega->path_prefix, "");
        assert_int_equal(pega->token, JOB_TOKEN_MANIFEST);
        assert_string_equal(pega->token_suffix, ".TOK");
        assert_false(pega->token_replaces_extension);
        assert_int_equal(job.warning_count, 0);
        job_free(&job);
    }
    load(JOB_BEGIN
         "pega:\n  process_type: DI & <x>\n  purge_process_type: DD\n  manifest: \"m_{run_id}.xml\"\n"
         "  purge_manifest: p.xml\n  path_prefix: \"CustomerData/{name}/\"\n"
         "  token: { suffix: _done, per: file, replace_extension: true }\n",
         &job);
    const struct job_pega *pega = &job.pega;
    assert_string_equal(pega->process_type, "DI & <x>");
    assert_string_equal(pega->purge_process_type, "DD");
    assert_string_equal(pega->manifest, "m_{run_id}.xml");
    assert_string_equal(pega->purge_manifest, "p.xml");
    assert_string_equal(pega->path_prefix, "CustomerData/{name}/");
    assert_int_equal(pega->token, JOB_TOKEN_FILE);
    assert_string_equal(pega->token_suffix, "_done");
    assert_true(pega->token_replaces_extension);
    job_free(&job);
    load(JOB_BEGIN "pega: { path_prefix: /x/ }\n", &job);
    assert_non_null(strstr(job.warnings[0], "jobs/acme.yaml:3: pega.path_prefix: begins with a slash"));
    job_free(&job);
    load(JOB_BEGIN "pega: { path_prefix: x }\n", &job);
    assert_non_null(strstr(job.warnings[0], "does not end with a slash: file NAME will be called xNAME"));
    job_free(&job);
}

static void refuses_pega(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"pega: x\n", "3: pega: is a text; a mapping"},
        {"pega: { type: x }\n", "3: pega.type: there is no such key; allowed here are process_type, "},
        {"pega: { process_type: '' }\n", "3: pega.process_type: is empty"},
        {"pega: { process_type: \"a\\tb\" }\n", "3: pega.process_type: \"a?b\" holds a control"},
        {"pega: { manifest: '' }\n", "3: pega.manifest: is empty"},
        {"pega: { manifest: a/b.xml }\n", "3: pega.manifest: holds a slash; folders belong"},
        {"pega: { manifest: .a.xml }\n", "3: pega.manifest: begins with a dot"},
        {"pega: { manifest: \"{x}.xml\" }\n",
         "3: pega.manifest: \"{x}\" is not a placeholder; allowed are {name}"},
        {"pega: { path_prefix: \"a\\n/\" }\n", "3: pega.path_prefix: \"a?/\" holds a control"},
        {"pega: { path_prefix: \"{x}/\" }\n", "3: pega.path_prefix: \"{x}\" is not a placeholder"},
        {"pega: { token: x }\n", "3: pega.token: is a text; a mapping"},
        {"pega: { token: { sufix: x } }\n",
         "3: pega.token.sufix: there is no such key; allowed here are suffix, per, replace_extension"},
        {"pega: { token: { suffix: '' } }\n", "3: pega.token.suffix: is empty"},
        {"pega: { token: { suffix: a/b } }\n", "3: pega.token.suffix: \"a/b\" is not allowed"},
        {"pega: { token: { suffix: \"{part}\" } }\n", "3: pega.token.suffix: \"{part}\" is not allowed"},
        {"pega: { token: { per: run } }\n", "3: pega.token.per: \"run\" is not one of manifest, file, none"},
        {"pega: { token: { replace_extension: 1 } }\n",
         "3: pega.token.replace_extension: \"1\" is not one of"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused_behind(cases[i][0], cases[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_identities), cmocka_unit_test(reads_consent),
        cmocka_unit_test(refuses_consent),  cmocka_unit_test(reads_files),
        cmocka_unit_test(reads_pega),       cmocka_unit_test(refuses_pega),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
