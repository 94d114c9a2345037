/* test_s3_probe.c - which right is missing, and that nothing stays behind, against a scripted store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/s3/s3_probe.h"
#include "tests/unit/fake_s3.h"

#define BIT(kind) (1u << (kind))
#define USUAL     "bucket head create part parts abort parts"

/* One probe: what it is asked with, and what came of it. */
struct trial {
    struct fake_s3 fake;
    bool replace;
    enum checksum_kind checksum;
    struct s3_object_options object;
    struct s3_probe_result result;
    struct fault fault;
    enum status status;
    char warnings[8192];
    uint32_t warning_count;
};

/* The interruption is a matter of the process, so its question has no context. */
static struct fake_s3 *asked;

static enum status interrupted(void)
{
    return asked->stop_after != 0 && asked->calls >= asked->stop_after ? STATUS_INTERRUPTED : STATUS_OK;
}

static void keep_warning(void *context, const char *message)
{
    struct trial *const trial = context;
    size_t const used = strlen(trial->warnings);
    snprintf(trial->warnings + used, sizeof trial->warnings - used, "%s\n", message);
    trial->warning_count++;
}

static void probe(struct trial *trial)
{
    struct s3_port const port = fake_port(&trial->fake);
    struct s3_probe_request const request = {.key = "p/first.csv",
                                             .replace = trial->replace,
                                             .checksum = trial->checksum,
                                             .object = &trial->object,
                                             .interrupted = interrupted,
                                             .warn = keep_warning,
                                             .warn_context = trial};
    asked = &trial->fake;
    trial->fault.message[0] = '\0';
    trial->status = s3_probe(&port, &request, &trial->result, &trial->fault);
}

static void assert_says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) fail_msg("\"%s\" lacks \"%s\"", text, part);
}

static void test_good(void **state)
{
    (void)state;
    static const enum checksum_kind kinds[] = {CHECKSUM_CRC64NVME, CHECKSUM_CRC32C, CHECKSUM_CRC32,
                                               CHECKSUM_NONE};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct trial trial = {.checksum = kinds[i], .fake = {.abort_date = 7777}};
        probe(&trial);
        assert_int_equal(trial.status, STATUS_OK);
        assert_string_equal(trial.fake.log, USUAL);
        assert_int_equal(trial.warning_count, 0);
        assert_int_equal(fake_left(&trial.fake), 0);
        assert_false(trial.result.taken);
        assert_true(trial.result.lists_bucket && trial.result.lists_parts);
        assert_int_equal(trial.result.abort_date, 7777);
        assert_string_equal(trial.fake.last_create.expected_owner, "123456789012");
        assert_ptr_equal(trial.fake.last_create.object, &trial.object);
        assert_int_equal(trial.fake.last_create.checksum_kind, kinds[i]);
        const struct s3_op *const part = &trial.fake.last_part;
        assert_int_equal(part->part, 1);
        assert_int_equal(part->body_length, 1);
        assert_int_equal(part->checksum_kind, kinds[i]);
        assert_int_equal(part->checksum, checksum_update(kinds[i], 0, &trial.fake.part_byte, 1));
    }
}

static void test_taken(void **state)
{
    (void)state;
    struct trial trial = {.fake = {.taken = true}};
    probe(&trial);
    assert_int_equal(trial.status, STATUS_EXISTS);
    assert_says(trial.fault.message, "s3://bucket/p/first.csv: exists already");
    assert_string_equal(trial.fake.log, "bucket head");
    trial = (struct trial){.fake = {.taken = true}, .replace = true};
    probe(&trial);
    assert_int_equal(trial.status, STATUS_OK);
    assert_true(trial.result.taken);
    assert_string_equal(trial.fake.log, USUAL);
}

/* Names of other files: one look, and a denied one is no failure. */
static void test_other_names(void **state)
{
    (void)state;
    static const struct {
        bool taken, denied, replace;
        enum status status;
    } cases[] = {{false, false, false, STATUS_OK},
                 {true, false, false, STATUS_EXISTS},
                 {true, false, true, STATUS_OK},
                 {false, true, false, STATUS_OK},
                 {false, true, true, STATUS_OK}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fake_s3 fake = {.taken = cases[i].taken, .denied = cases[i].denied ? BIT(S3_HEAD_OBJECT) : 0};
        struct s3_port const port = fake_port(&fake);
        struct fault fault = {0};
        bool taken = !cases[i].taken;
        asked = &fake;
        assert_int_equal(s3_probe_name(&port, "p/m.xml", cases[i].replace, &taken, &fault), cases[i].status);
        assert_int_equal(taken, cases[i].taken);
        assert_string_equal(fake.log, "head");
        if (cases[i].status == STATUS_EXISTS)
            assert_says(fault.message, "s3://bucket/p/m.xml: exists already");
    }
}

static void test_bucket_denied(void **state)
{
    (void)state;
    /* an export that looks for files needs the list ... */
    struct trial trial = {.fake = {.denied = BIT(S3_HEAD_BUCKET) | BIT(S3_HEAD_OBJECT)}};
    probe(&trial);
    assert_int_equal(trial.status, STATUS_RIGHTS);
    assert_says(trial.fault.message, "s3:GetObject and s3:ListBucket; if_exists: replace");
    assert_string_equal(trial.fake.log, USUAL);
    assert_int_equal(fake_left(&trial.fake), 0);
    /* ... one that replaces does without, and is warned */
    trial = (struct trial){.fake = {.denied = BIT(S3_HEAD_BUCKET) | BIT(S3_HEAD_OBJECT)}, .replace = true};
    probe(&trial);
    assert_int_equal(trial.status, STATUS_OK);
    assert_int_equal(trial.warning_count, 2);
    assert_says(trial.warnings, "s3:ListBucket is missing");
    assert_says(trial.warnings, "whether s3:GetObject is there can't be seen");
    assert_false(trial.result.lists_bucket);
    /* the bucket's HEAD alone */
    trial = (struct trial){.fake = {.denied = BIT(S3_HEAD_BUCKET)}};
    probe(&trial);
    assert_int_equal(trial.status, STATUS_OK);
    assert_int_equal(trial.warning_count, 1);
    assert_says(trial.warnings, "s3:ListBucket is missing");
}

static void test_key_denied(void **state)
{
    (void)state;
    struct trial trial = {.fake = {.denied = BIT(S3_HEAD_OBJECT)}};
    probe(&trial);
    assert_int_equal(trial.status, STATUS_RIGHTS);
    assert_says(trial.fault.message, "s3:ListBucket (the latter is there)");
    trial = (struct trial){.fake = {.denied = BIT(S3_HEAD_OBJECT)}, .replace = true};
    probe(&trial);
    assert_int_equal(trial.status, STATUS_RIGHTS);
    assert_says(trial.fault.message, "looks at what it wrote: that takes s3:GetObject");
    assert_int_equal(fake_left(&trial.fake), 0);
}

/* Bad keys deny the HEADs too: only the operation that says so is told. */
static void test_credentials(void **state)
{
    (void)state;
    static const char *const codes[] = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct trial trial = {
            .replace = i == 1,
            .fake = {.denied = BIT(S3_HEAD_BUCKET) | BIT(S3_HEAD_OBJECT) | BIT(S3_CREATE_UPLOAD),
                     .code = codes[i]}};
        trial.object.acl = "private";
        probe(&trial);
        assert_int_equal(trial.status, STATUS_RIGHTS);
        assert_string_equal(trial.fake.log, "bucket head create");
        assert_says(trial.fault.message, codes[i]);
        assert_int_equal(trial.warning_count, 0);
    }
}

static struct trial with_options(void)
{
    static const struct aws_pair tags[] = {{"team", "crm"}};
    return (struct trial){
        .object = {.sse = "aws:kms", .kms_key_id = "k", .acl = "private", .tags = tags, .tag_count = 1}};
}

static void test_create_denied(void **state)
{
    (void)state;
    struct trial trial = {.fake = {.denied = BIT(S3_CREATE_UPLOAD)}};
    probe(&trial);
    assert_int_equal(trial.status, STATUS_RIGHTS);
    assert_string_equal(trial.fault.message, "create: AccessDenied");
    assert_string_equal(trial.fake.log, "bucket head create");

    trial = with_options();
    trial.fake.denies_tags = true;
    probe(&trial);
    assert_int_equal(trial.status, STATUS_RIGHTS);
    assert_says(trial.fault.message, "what is missing is s3:PutObjectTagging");
    assert_string_equal(trial.fake.log, "bucket head create create abort parts");
    assert_int_equal(fake_left(&trial.fake), 0);

    trial = with_options();
    trial.fake.denies_acl = true;
    probe(&trial);
    assert_says(trial.fault.message, "what is missing is s3:PutObjectAcl");
    assert_int_equal(fake_left(&trial.fake), 0);

    trial = with_options();
    trial.fake.denies_kms = true;
    probe(&trial);
    assert_says(trial.fault.message, "what is missing is kms:GenerateDataKey");
    assert_int_equal(fake_left(&trial.fake), 0);

    /* more than one: the call's own message names them all */
    trial = with_options();
    trial.fake.denies_acl = trial.fake.denies_tags = true;
    probe(&trial);
    assert_string_equal(trial.fault.message, "create: AccessDenied");
    assert_string_equal(trial.fake.log, "bucket head create create create create");
    /* AES256 takes no right of its own */
    trial = (struct trial){.object = {.sse = "AES256"}, .fake = {.denied = BIT(S3_CREATE_UPLOAD)}};
    probe(&trial);
    assert_string_equal(trial.fake.log, "bucket head create");
}

static void test_upload_denied(void **state)
{
    (void)state;
    struct trial trial = {.fake = {.denied = BIT(S3_UPLOAD_PART)}};
    probe(&trial);
    assert_int_equal(trial.status, STATUS_RIGHTS);
    assert_string_equal(trial.fault.message, "part: AccessDenied");
    assert_string_equal(trial.fake.log, USUAL);
    assert_int_equal(fake_left(&trial.fake), 0);
    trial = with_options();
    trial.fake.denied = BIT(S3_UPLOAD_PART);
    probe(&trial);
    assert_says(trial.fault.message, "what is missing is kms:Decrypt");
    assert_int_equal(fake_left(&trial.fake), 0);

    trial = (struct trial){.fake = {.denied = BIT(S3_LIST_PARTS)}};
    probe(&trial);
    assert_int_equal(trial.status, STATUS_OK);
    assert_int_equal(trial.warning_count, 1);
    assert_says(trial.warnings, "can't prove that nothing stays behind");
    assert_false(trial.result.lists_parts);
    assert_int_equal(fake_left(&trial.fake), 0);

    trial = (struct trial){.fake = {.denied = BIT(S3_ABORT_UPLOAD)}};
    probe(&trial);
    assert_int_equal(trial.status, STATUS_RIGHTS);
    assert_says(trial.fault.message, "abort: AccessDenied; the upload id1 stays unfinished");

    /* two at once: the first is the result, the other one is told */
    trial = (struct trial){.fake = {.denied = BIT(S3_UPLOAD_PART) | BIT(S3_ABORT_UPLOAD)}};
    probe(&trial);
    assert_string_equal(trial.fault.message, "part: AccessDenied");
    assert_int_equal(trial.warning_count, 1);
    assert_says(trial.warnings, "abort: AccessDenied");
}

static void test_other_failures(void **state)
{
    (void)state;
    static const struct {
        enum s3_op_kind kind;
        enum s3_verdict verdict;
        enum status status;
        const char *log;
    } cases[] = {{S3_HEAD_BUCKET, S3_NO_BUCKET, STATUS_JOB, "bucket"},
                 {S3_HEAD_BUCKET, S3_TRANSIENT, STATUS_TRY_AGAIN, "bucket"},
                 {S3_HEAD_OBJECT, S3_THROTTLED, STATUS_TRY_AGAIN, "bucket head"},
                 {S3_CREATE_UPLOAD, S3_NOT_SUPPORTED, STATUS_JOB, "bucket head create"},
                 {S3_UPLOAD_PART, S3_NOT_SUPPORTED, STATUS_JOB, USUAL},
                 {S3_UPLOAD_PART, S3_CORRUPTED, STATUS_IO, USUAL},
                 {S3_LIST_PARTS, S3_TRANSIENT, STATUS_TRY_AGAIN, USUAL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trial trial = {
            .fake = {.fails = cases[i].kind, .verdict = cases[i].verdict, .status = cases[i].status}};
        probe(&trial);
        assert_int_equal(trial.status, cases[i].status);
        assert_string_equal(trial.fake.log, cases[i].log);
        assert_says(trial.fault.message, "Scripted");
        assert_int_equal(fake_left(&trial.fake), 0);
    }
}

static void test_lost_answer(void **state)
{
    (void)state;
    struct trial trial = {.fake = {.attempts = 2}};
    probe(&trial);
    assert_int_equal(trial.status, STATUS_OK);
    assert_says(trial.warnings, "one more unfinished upload");
}

/* Whenever the person interrupts: no upload is left, and the status says so unless all was done. */
static void test_interrupted(void **state)
{
    (void)state;
    for (uint32_t after = 1; after <= 8; after++) {
        struct trial trial = {.fake = {.stop_after = after}};
        probe(&trial);
        assert_int_equal(fake_left(&trial.fake), 0);
        assert_int_equal(trial.status, after <= 4 ? STATUS_INTERRUPTED : STATUS_OK);
        assert_int_equal(trial.warning_count, 0);
    }
    struct trial trial = with_options();
    trial.fake.denies_kms = true;
    trial.fake.stop_after = 4;
    probe(&trial);
    assert_int_equal(fake_left(&trial.fake), 0);
    assert_int_equal(trial.status, STATUS_INTERRUPTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),          cmocka_unit_test(test_taken),
        cmocka_unit_test(test_bucket_denied), cmocka_unit_test(test_key_denied),
        cmocka_unit_test(test_credentials),   cmocka_unit_test(test_create_denied),
        cmocka_unit_test(test_upload_denied), cmocka_unit_test(test_other_failures),
        cmocka_unit_test(test_lost_answer),   cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_other_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
