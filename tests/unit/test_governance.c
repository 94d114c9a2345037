/* test_governance.c - labels of paths, the table of policies, and what both make of a job's columns. */
#include "tests/unit/job_desk.h"

#include "io/job/governance.h"

#include <stdio.h>
#include <unistd.h>

/* ---- the table ---- */

static uint32_t mask_of(const char *labels)
{
    uint32_t mask = 0;
    for (unsigned i = 0; i < LABEL_COUNT; i++) {
        char wanted[32], all[256];
        snprintf(wanted, sizeof wanted, " %s ", governance_label_name(i));
        snprintf(all, sizeof all, " %s ", labels);
        if (strstr(all, wanted) != NULL) mask |= 1u << i;
    }
    return mask;
}

static void names_agree(void **state)
{
    (void)state;
    char all[256] = "";
    for (unsigned i = 0; i < LABEL_COUNT; i++)
        sprintf(all + strlen(all), "%s%s", i == 0 ? "" : ", ", governance_label_name(i));
    assert_string_equal(all, GOVERNANCE_LABELS);
}

static void forbids_as_the_reference_says(void **state)
{
    (void)state;
    static const struct {
        enum governance_action action;
        const char *labels; /* that are forbidden by themselves */
    } cases[] = {
        {ACTION_NONE, "C1 C12"},
        {ACTION_ANALYTICS, "C1 C8 C12"},
        {ACTION_COMBINE, "C1 C3 C12"},
        {ACTION_CROSS_SITE, "C1 C4 C5 C12"},
        {ACTION_DATA_SCIENCE, "C1 C9 C12"},
        {ACTION_EMAIL, "C1 C4 C12"},
        {ACTION_EXPORT, "C1 C2 C12"},
        {ACTION_ONSITE_ADVERTISING, "C1 C4 C6 C12"},
        {ACTION_ONSITE_PERSONALIZATION, "C1 C4 C7 C12"},
        {ACTION_SEGMENT_MATCH, "C1 C11 C12"},
        {ACTION_SINGLE_IDENTITY, "C1 C10 C12"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t forbidden = 0, beside = 0, warned = 0;
        const struct governance_policy *policy;
        for (unsigned label = 0; label < LABEL_COUNT; label++)
            for (size_t k = 0; (policy = governance_policy_of(label, cases[i].action, k)) != NULL; k++)
                *(policy->warns ? &warned : policy->beside != 0 ? &beside : &forbidden) |= 1u << label;
        assert_int_equal(forbidden, mask_of(cases[i].labels));
        assert_int_equal(beside, mask_of("C3"));
        assert_int_equal(warned, mask_of("S1 S2 PSPD RHD Third-Party"));
    }
}

/* ---- labels of paths ---- */

static void finds_labels(void **state)
{
    (void)state;
    static const char labels_text[] = "_acme: [ C2 ]\n"
                                      "_acme.crm: [ C4, C5 ]\n"
                                      "_acme.crm.free: []\n"
                                      "_acme.products[*].code: [ C6 ]\n"
                                      "_acme.tags: [ C7 ]\n"
                                      "person.name: [ I1 ]\n"
                                      "person.birthDate: [ C12 ]\n"
                                      "identityMap: [ I2 ]\n"
                                      "identityMap.CRM: [ I1 ]\n"
                                      "identityMap['ECID']: []\n"
                                      "xdm:loyalty.tier: [ C9 ]\n"
                                      "'[''a.b'']': [ C8 ]\n"
                                      "consents[*].val: [ S1 ]\n"
                                      "consents.share.val: [ S2 ]\n";
    static const char *const cases[][2] = {
        /* the nearest prefix by whole parts */
        {"_acme.crm.clv", "C4 C5"},
        {"_acme.crm", "C4 C5"},
        {"_acme.crmx", "C2"},
        {"_acme.crm.free", ""},
        {"_acme.crm.free.x", ""},
        {"_acmex", ""},
        {"other", ""},
        /* elements of arrays are the field, a schema names arrays or not */
        {"_acme.products[0].code", "C6"},
        {"_acme.products[*].code.x", "C6"},
        {"_acme.products[?@.kind == 'x'].code", "C6"},
        {"_acme.products.code", "C6"},
        {"_acme.products[*].name", "C2"},
        {"_acme.products[0].name", "C2"},
        {"_acme.products[?@.code == 1].name[0]", "C2"},
        {"_acme.products[*]", "C2 C6"},
        {"_acme.products[0]", "C2 C6"},
        {"_acme.products[0][*].code", "C6"},
        {"_acme.tags[*]", "C7"},
        {"_acme.tags[-1]", "C7"},
        /* what lies below is in the value */
        {"person", "I1 C12"},
        {"person.name.firstName", "I1"},
        {"_acme", "C2 C4 C5 C6 C7"},
        {"_acme.products", "C2 C6"},
        /* [*] of a path may select any key */
        {"person[*]", "I1 C12"},
        {"_acme[*].code", "C2 C4 C5 C6 C7"},
        {"identityMap[*][0].id", "I1 I2"},
        /* names of namespaces have no case, others have */
        {"identityMap.crm", "I1"},
        {"identityMap.CRM[0].id", "I1"},
        {"identityMap.ecid[*].id", ""},
        {"identityMap.Email", "I2"},
        {"identitymap.Email", ""},
        {"Person.name", ""},
        /* xdm: on either side */
        {"loyalty.tier", "C9"},
        {"xdm:loyalty.xdm:tier", "C9"},
        {"xdm:person.xdm:name", "I1"},
        /* keys are literal */
        {"['a.b'].c", "C8"},
        {"a.b", ""},
        /* a name is nearer than [*] */
        {"consents.share.val", "S2"},
        {"consents.collect.val", "S1"},
        {"consents.val", "S1"},
        {"consents[*][*].time", "S1 S2"},
        {"consents[*].time", ""},
    };
    struct job job = {0};
    struct fault fault = {0};
    struct job_builder builder = {.job = &job, .refusal = STATUS_JOB, .fault = &fault};
    struct job_text const text = {.bytes = labels_text, .length = strlen(labels_text)};
    struct governance_labels labels;
    assert_int_equal(governance_labels_read(&builder, "labels.yaml", text, &labels), STATUS_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct path path;
        struct governance_found found = {0};
        assert_int_equal(path_parse(&job.arena, cases[i][0], strlen(cases[i][0]), &path, &fault), STATUS_OK);
        governance_labels_find(&labels, &path, &found);
        if (found.labels != mask_of(cases[i][1])) fail_msg("%s: %x", cases[i][0], found.labels);
    }
    struct path path;
    struct governance_found found = {0};
    assert_int_equal(path_parse(&job.arena, "person", 6, &path, &fault), STATUS_OK);
    governance_labels_find(&labels, &path, &found);
    assert_int_equal(found.line[LABEL_I1], 6);
    assert_int_equal(found.line[LABEL_C12], 7);
    arena_free(&builder.scratch);
    arena_free(&job.arena);
}

/* ---- jobs ---- */

static enum status load_governed(const char *text, const char *labels, struct job *job, struct fault *fault)
{
    struct job_text const job_bytes = {.bytes = text, .length = strlen(text)};
    struct job_text const label_bytes = {.bytes = labels, .length = strlen(labels)};
    return job_load_texts("jobs/acme.yaml", job_bytes, label_bytes, job, fault);
}

static void expect_refused(const char *text, const char *labels, const char *message)
{
    struct job job;
    struct fault fault = {0};
    char whole[2048];
    snprintf(whole, sizeof whole, JOB_HEAD "%s", text);
    assert_int_equal(load_governed(whole, labels, &job, &fault), STATUS_JOB);
    if (strcmp(fault.message, message) != 0 &&
        (message[strlen(message) - 1] != '~' || strncmp(fault.message, message, strlen(message) - 1) != 0))
        fail_msg("message: %s\nwanted:  %s", fault.message, message);
    job_free(&job);
}

#define GOVERNED "governance: { labels: l.yaml }\n"
#define THIRD    "governance: { labels: l.yaml, marketing_action: Export to Third Party }\n"
#define DROPPING \
    "governance: { labels: l.yaml, marketing_action: Export to Third Party, on_violation: drop_column }\n"
#define REMEDY ". Take these columns out of the job, or set governance.on_violation: drop_column"

static void refuses_keys(void **state)
{
    (void)state;
    expect_refused(JOB_ID "governance: {}\n", "", "jobs/acme.yaml:3: governance.labels: is missing; ~");
    expect_refused(JOB_ID "governance: { labels: '' }\n", "",
                   "jobs/acme.yaml:3: governance.labels: \"\" is not the path of a file");
    expect_refused(
        JOB_ID "governance: { labels: x, marketing_action: export to third party }\n", "a: []\n",
        "jobs/acme.yaml:3: governance.marketing_action: \"export to third party\" is not one of "
        "Analytics, Combine with directly identifiable data, Cross Site Targeting, Data Science, Email "
        "Targeting, Export to Third Party, Onsite Advertising, Onsite Personalization, Segment Match, "
        "Single Identity Personalization");
    expect_refused(JOB_ID "governance: { labels: x, on_violation: drop }\n", "a: []\n",
                   "jobs/acme.yaml:3: governance.on_violation: \"drop\" is not one of fail, drop_column");
    expect_refused(JOB_ID "governance: { label: x }\n", "a: []\n",
                   "jobs/acme.yaml:3: governance.label: there is no such key; allowed here are labels, "
                   "marketing_action, on_violation");
}

static void refuses_labels(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "jobs/l.yaml:1: the file is empty"},
        {"- a\n", "jobs/l.yaml:1: the labels: are no mapping; ~"},
        {"a: [ C1 ]\n\nb:\n- C2\n- C13\n", "jobs/l.yaml:5: b[1]: \"C13\" is not one of " GOVERNANCE_LABELS},
        {"a: [ c2 ]\n", "jobs/l.yaml:1: a[0]: \"c2\" is not one of ~"},
        {"a: C2\n", "jobs/l.yaml:1: a: is not a list; write [ C2 ]"},
        {"a:\n", "jobs/l.yaml:1: a: has no list; write [] for no labels"},
        {"a: { C2: x }\n", "jobs/l.yaml:1: a: is not a list; ~"},
        {"a: []\n'b[': []\n", "jobs/l.yaml:2: b[: path \"b[\", character 3: ~"},
        {"a[0]: []\n", "jobs/l.yaml:1: a[0]: holds an index or a filter; ~"},
        {"\"a[?@.b == 1]\": []\n", "jobs/l.yaml:1: a[?@.b == 1]: holds an index or a filter; ~"},
        {"a: []\nb: []\n$.a: []\n", "jobs/l.yaml:3: $.a: stands twice, first in line 1; once is allowed"},
        {"a: &x []\n", "jobs/l.yaml:1: a: anchors (&name) are not allowed here"},
        {"a: [\n", "jobs/l.yaml:2: column 1 is not valid YAML~"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refused(JOB_ID GOVERNED, cases[i][0], cases[i][1]);
    char *many = malloc((GOVERNANCE_PATHS_MAX + 1) * 12 + 1), *at = many;
    assert_non_null(many);
    for (int i = 0; i <= GOVERNANCE_PATHS_MAX; i++)
        at += sprintf(at, "p%d: []\n", i);
    expect_refused(JOB_ID GOVERNED, many,
                   "jobs/l.yaml:1: the labels: name 10001 paths; at most 10000 are allowed");
    free(many);
}

static void names_every_violation(void **state)
{
    (void)state;
    expect_refused(
        JOB_ID THIRD "columns: [ { name: Email, path: mail.address } ]\n", "mail: [ C2 ]\n",
        "jobs/acme.yaml:3: governance: 1 violation of the labels in jobs/l.yaml: columns[0] \"Email\": "
        "mail.address has C2 (line 1), which forbids Export to Third Party" REMEDY);
    /* every label, fallbacks, identities */
    expect_refused(
        "identity: { paths: [ a, b ] }\n" THIRD "columns: [ { name: X, path: c, fallback: [ d ] } ]\n",
        "b: [ C12, I1 ]\nd: [ C1, C2 ]\n",
        "jobs/acme.yaml:3: governance: 3 violations of the labels in jobs/l.yaml: identity "
        "\"CustomerID\": b has C12 (line 1), which forbids every export; columns[0] \"X\": d has C1 "
        "(line 2), which allows aggregates only, and rows are single persons; columns[0] \"X\": d has C2 "
        "(line 2), which forbids Export to Third Party" REMEDY);
    /* what a filter compares */
    expect_refused(
        JOB_ID GOVERNED "columns: [ { name: X, path: \"p[?@.kind == 'x'].code\" } ]\n",
        "p[*].kind: [ C12 ]\n",
        "jobs/acme.yaml:3: governance: 1 violation of the labels in jobs/l.yaml: columns[0] \"X\": "
        "p[?@.kind == 'x'].code has C12 (line 1), which forbids every export" REMEDY);
    /* C3 beside I1, by a column or the identity */
    expect_refused(
        "identity: { paths: [ id ] }\n" GOVERNED "columns: [ { path: a }, { path: b } ]\n",
        "a: [ C3 ]\nid: [ I2 ]\n",
        "jobs/acme.yaml:3: governance: 1 violation of the labels in jobs/l.yaml: columns[0] \"a\": a has C3 "
        "(line 1), which can't stand beside a column with I1 or I2" REMEDY);
    struct job job;
    struct fault fault = {0};
    char text[4096] = JOB_HEAD THIRD "columns:\n";
    for (int i = 0; i < 8; i++)
        sprintf(text + strlen(text), "- { path: a.c%d }\n", i);
    assert_int_equal(load_governed(text, "a: [ C2 ]\n", &job, &fault), STATUS_JOB);
    assert_non_null(strstr(fault.message, "8 violations"));
    assert_non_null(strstr(fault.message, "columns[4] \"a_c4\""));
    assert_null(strstr(fault.message, "columns[5]"));
    assert_non_null(strstr(fault.message, "; and 3 more. Take"));
    assert_int_equal(job.governance.violation_count, 8);
    assert_string_equal(job.governance.violations[7],
                        "columns[7] \"a_c7\": a.c7 has C2 (line 1), which forbids Export to Third Party");
    job_free(&job);
    assert_int_equal(job.governance.violation_count, 0);
}

/* An identity path that is a namespace reads the array `identities`, too. */
static void judges_the_identities_array(void **state)
{
    (void)state;
    static const char *const labels[] = {"identities: [ C12 ]\n", "identities[*]: [ C12 ]\n",
                                         "identities.id: [ C12 ]\n", "xdm:identities[*].xdm:id: [ C12 ]\n",
                                         "identityMap: []\nidentities: []\nidentities[*].id: [ C12 ]\n"};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        char message[256];
        snprintf(message, sizeof message,
                 "jobs/acme.yaml:3: governance: 1 violation of the labels in jobs/l.yaml: identity "
                 "\"CustomerID\": identities[*].id has C12 (line %d), which forbids every export" REMEDY,
                 i == 4 ? 3 : 1);
        expect_refused("identity: { paths: [ id, identityMap.CRM ] }\n" GOVERNED, labels[i], message);
    }
    static const char *const others[][2] = {
        {"[ identityMap.CRM ]", "identities: [ C12 ]\nidentities[*].id: []\n"},
        {"[ identityMap.CRM ]", "identities[*].primary: [ C12 ]\n"},
        {"[ id, 'identityMap.CRM[0].id' ]", "identities: [ C12 ]\n"}, /* that alone is read */
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct job job;
        struct fault fault = {0};
        char text[256];
        snprintf(text, sizeof text, JOB_HEAD "identity: { paths: %s }\n" GOVERNED, others[i][0]);
        assert_int_equal(load_governed(text, others[i][1], &job, &fault), STATUS_OK);
        job_free(&job);
    }
}

static void lets_others_pass(void **state)
{
    (void)state;
    struct job job;
    struct fault fault = {0};
    static const char text[] =
        JOB_BEGIN THIRD "columns: [ { path: a }, { path: b }, { name: K, constant: x } ]\n"
                        "consent: { require: [ { path: c, allow: [ y ] } ] }\n";
    assert_int_equal(load_governed(text, "a: [ C3, C4, C8 ]\nb: [ S1, RHD ]\nc: [ C12 ]\n", &job, &fault),
                     STATUS_OK);
    assert_int_equal(job.mapping.column_count, 3);
    assert_string_equal(job.governance.labels, "jobs/l.yaml");
    assert_string_equal(job.governance.marketing_action, "Export to Third Party");
    assert_false(job.governance.drops_columns);
    assert_int_equal(job.governance.dropped_count, 0);
    assert_int_equal(job.warning_count, 1);
    assert_string_equal(job.warnings[0],
                        "jobs/acme.yaml:4: columns[1]: \"b\" has S1 (is a precise place), RHD (is "
                        "regulated health data) by jobs/l.yaml");
    job_free(&job);
    load(JOB_BEGIN "governance: ~\n", &job);
    assert_null(job.governance.labels);
    job_free(&job);
}

static void drops_columns(void **state)
{
    (void)state;
    struct job job;
    struct fault fault = {0};
    static const char text[] =
        JOB_BEGIN DROPPING "columns: [ { path: a }, { path: b }, { path: c }, { path: d } ]\n";
    /* b goes by itself and takes its I1 along; c stays */
    assert_int_equal(load_governed(text, "b: [ C2, I1, S1 ]\nc: [ C3 ]\n", &job, &fault), STATUS_OK);
    assert_int_equal(job.mapping.column_count, 3);
    assert_string_equal(job.mapping.columns[0].name, "a");
    assert_string_equal(job.mapping.columns[1].name, "c");
    assert_int_equal(job.governance.dropped_count, 1);
    assert_string_equal(job.governance.dropped[0], "b");
    assert_int_equal(job.warning_count, 1);
    assert_string_equal(job.warnings[0],
                        "jobs/acme.yaml:3: governance: dropped columns[1] \"b\": b has C2 (line 1), "
                        "which forbids Export to Third Party");
    job_free(&job);
    /* C3 goes, what identifies stays */
    assert_int_equal(load_governed(text, "b: [ I1 ]\nc: [ C3 ]\nid: [ I2 ]\n", &job, &fault), STATUS_OK);
    assert_int_equal(job.mapping.column_count, 3);
    assert_string_equal(job.governance.dropped[0], "c");
    assert_int_equal(job.governance.violation_count, 0);
    job_free(&job);
    /* a column that breaks two policies is dropped once, both are told */
    assert_int_equal(load_governed(text, "b: [ C1, C2 ]\n", &job, &fault), STATUS_OK);
    assert_int_equal(job.governance.dropped_count, 1);
    assert_int_equal(job.warning_count, 2);
    job_free(&job);
}

static void cannot_drop_all(void **state)
{
    (void)state;
    expect_refused(
        JOB_ID DROPPING "columns: [ { path: a } ]\n", "id: [ C2 ]\na: [ C2 ]\n",
        "jobs/acme.yaml:3: governance: 1 violation of the labels in jobs/l.yaml: identity \"CustomerID\": id "
        "has C2 (line 1), which forbids Export to Third Party. The identity column can't be dropped: leave "
        "governed ids out");
    expect_refused(
        JOB_ID DROPPING "columns: [ { path: a }, { path: b } ]\n", "id: [ C3 ]\na: [ C2 ]\nb: [ I1 ]\n",
        "jobs/acme.yaml:3: governance: 1 violation of the labels in jobs/l.yaml: identity \"CustomerID\": id "
        "has C3 (line 1), which can't stand beside a column with I1 or I2. The identity column can't be "
        "dropped: leave governed ids out");
    expect_refused(
        JOB_ID DROPPING "columns: [ { path: a } ]\n", "a: [ C2 ]\n",
        "jobs/acme.yaml:3: governance: the labels in jobs/l.yaml leave no column (columns[0] \"a\": a has "
        "C2 (line 1), which forbids Export to Third Party); name columns that Export to Third Party may "
        "have");
}

static void reads_the_file(void **state)
{
    (void)state;
    struct job job;
    struct fault fault = {0};
    char folder[] = "/tmp/penstock-test-governance-XXXXXX", file[64], labels[64];
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/job.yaml", folder);
    snprintf(labels, sizeof labels, "%s/l.yaml", folder);
    FILE *stream = fopen(file, "w");
    assert_non_null(stream);
    fputs(JOB_BEGIN GOVERNED, stream);
    fclose(stream);
    assert_int_equal(job_load(file, &job, &fault), STATUS_JOB);
    assert_non_null(strstr(fault.message, "job.yaml:3: governance.labels: "));
    assert_non_null(strstr(fault.message, "l.yaml can't be read: No such file"));
    stream = fopen(labels, "w");
    assert_non_null(stream);
    fputs("id: [ C12 ]\n", stream);
    fclose(stream);
    assert_int_equal(job_load(file, &job, &fault), STATUS_JOB);
    assert_non_null(strstr(fault.message, "which forbids every export"));
    job_free(&job);
    unlink(file);
    unlink(labels);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_agree),
        cmocka_unit_test(forbids_as_the_reference_says),
        cmocka_unit_test(finds_labels),
        cmocka_unit_test(refuses_keys),
        cmocka_unit_test(refuses_labels),
        cmocka_unit_test(names_every_violation),
        cmocka_unit_test(judges_the_identities_array),
        cmocka_unit_test(lets_others_pass),
        cmocka_unit_test(drops_columns),
        cmocka_unit_test(cannot_drop_all),
        cmocka_unit_test(reads_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
