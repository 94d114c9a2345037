/* test_s3_uploads.c - listing and aborting unfinished uploads, against a scripted store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/s3/s3_uploads.h"
#include "tests/unit/fake_s3.h"

struct seen {
    char ids[256];
    size_t count, stop_at;
    int64_t now;
};

static enum status see(void *context, const struct s3_listed_upload *upload, int64_t now, struct fault *fault)
{
    struct seen *const seen = context;
    size_t const used = strlen(seen->ids);
    snprintf(seen->ids + used, sizeof seen->ids - used, "%s ", upload->upload_id);
    seen->now = now;
    if (++seen->count == seen->stop_at) return fault_set(fault, STATUS_INPUT, "enough");
    return STATUS_OK;
}

static void test_list(void **state)
{
    (void)state;
    struct fault fault;
    for (size_t page = 0; page <= 6; page++) {
        struct fake_s3 fake = {.page = page, .date = 5000};
        struct s3_port const port = fake_port(&fake);
        struct seen seen = {.count = 0};
        for (int i = 0; i < 5; i++)
            fake_add(&fake, i == 2 ? "q/other" : "p/a", 100 + i);
        assert_int_equal(s3_uploads_list(&port, "p/", see, &seen, &fault), STATUS_OK);
        assert_string_equal(seen.ids, "id1 id2 id4 id5 ");
        assert_int_equal(seen.now, 5000);
        assert_int_equal(fake.calls, page == 0 || page >= 4 ? 1 : (4 + page - 1) / page);
    }
    struct fake_s3 none = {.page = 1};
    struct s3_port const port = fake_port(&none);
    struct seen seen = {.count = 0};
    assert_int_equal(s3_uploads_list(&port, "", see, &seen, &fault), STATUS_OK);
    assert_int_equal(seen.count, 0);
}

static void test_list_ends(void **state)
{
    (void)state;
    struct fault fault;
    struct fake_s3 fake = {.page = 2};
    struct s3_port const port = fake_port(&fake);
    for (int i = 0; i < 5; i++)
        fake_add(&fake, "k", 1);
    struct seen seen = {.stop_at = 3};
    assert_int_equal(s3_uploads_list(&port, "", see, &seen, &fault), STATUS_INPUT);
    assert_string_equal(fault.message, "enough");
    assert_int_equal(seen.count, 3);
    /* a store whose list never ends */
    fake.stuck_list = true;
    seen = (struct seen){.count = 0};
    assert_int_equal(s3_uploads_list(&port, "", see, &seen, &fault), STATUS_IO);
    assert_non_null(strstr(fault.message, "does not go on"));
    /* denied, interrupted */
    fake = (struct fake_s3){.denied = 1u << S3_LIST_UPLOADS};
    assert_int_equal(s3_uploads_list(&port, "", see, &seen, &fault), STATUS_RIGHTS);
    assert_string_equal(fault.message, "list: AccessDenied");
    fake = (struct fake_s3){.page = 1, .stop_after = 1};
    for (int i = 0; i < 3; i++)
        fake_add(&fake, "k", 1);
    assert_int_equal(s3_uploads_list(&port, "", see, &seen, &fault), STATUS_INTERRUPTED);
}

struct keys {
    char text[512];
};

static enum status see_key(void *context, const struct s3_listed_upload *upload, int64_t now,
                           struct fault *fault)
{
    struct keys *const keys = context;
    size_t const used = strlen(keys->text);
    (void)now;
    (void)fault;
    snprintf(keys->text + used, sizeof keys->text - used, "[%s]", upload->key);
    return STATUS_OK;
}

static void listed(bool encodes, const char *prefix, const char *const *names, const char *wanted)
{
    struct fake_s3 fake = {.encodes = encodes};
    struct s3_port const port = fake_port(&fake);
    struct fault fault;
    struct keys keys = {.text = ""};
    for (; *names != NULL; names++)
        fake_add(&fake, *names, 1);
    assert_int_equal(s3_uploads_list(&port, prefix, see_key, &keys, &fault), STATUS_OK);
    assert_string_equal(keys.text, wanted);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Keys that a store encodes without saying so, and keys that only look encoded. */
static void test_encoded_keys(void **state)
{
    (void)state;
    for (int encodes = 0; encodes <= 1; encodes++) {
        /* the prefix tells, or the marker */
        listed(encodes, "dt=1/", NAMES("dt=1/a b", "dt=1/c"), "[dt=1/a b][dt=1/c]");
        listed(encodes, "", NAMES("a b", "c+d=e%"), "[a b][c+d=e%]");
        listed(encodes, "", NAMES("a%20b"), "[a%20b]");
        listed(encodes, "p%20q/", NAMES("p%20q/x%2Fy", "p%20q/z"), "[p%20q/x%2Fy][p%20q/z]");
    }
    listed(false, "", NAMES("a%20b", "c"), "[a%20b][c]");
    listed(false, "", NAMES("a%zz", "50%", "%00", "x%2"), "[a%zz][50%][%00][x%2]");
    /* nothing tells: as it came, and abort finds it all the same */
    listed(true, "", NAMES("a b", "c"), "[a%20b][c]");
    struct fake_s3 fake = {.encodes = true};
    struct s3_port const port = fake_port(&fake);
    struct fault fault;
    bool proven = false;
    fake_add(&fake, "a b", 1);
    assert_int_equal(s3_uploads_abort(&port, "a%20b", "id1", NULL, &proven, &fault), STATUS_OK);
    assert_string_equal(fake.log, "abort abort parts");
    assert_int_equal(fake_left(&fake), 0);
    /* what is listed as it is is aborted as it is */
    fake = (struct fake_s3){.stubborn = 1};
    fake_add(&fake, "a%20b", 1);
    assert_int_equal(s3_uploads_abort(&port, "a%20b", "id1", NULL, &proven, &fault), STATUS_OK);
    assert_string_equal(fake.log, "abort parts abort parts");
}

static void test_long_key(void **state)
{
    (void)state;
    struct fake_s3 fake = {.calls = 0};
    struct s3_port const port = fake_port(&fake);
    struct fault fault;
    char key[S3_KEY_MAX + 2];
    memset(key, 'k', sizeof key);
    key[S3_KEY_MAX + 1] = '\0';
    assert_int_equal(s3_uploads_abort(&port, key, "id1", NULL, NULL, &fault), STATUS_IO);
    assert_int_equal(fake.calls, 0);
    key[S3_KEY_MAX] = '\0';
    assert_int_equal(s3_uploads_abort(&port, key, "id1", NULL, NULL, &fault), STATUS_OK);
}

static void abort_it(struct fake_s3 *fake, enum status wanted, bool proven, const char *log)
{
    struct fault fault;
    struct s3_port const port = fake_port(fake);
    bool seen = !proven;
    fake_add(fake, "k", 1);
    enum status const status = s3_uploads_abort(&port, "k", "id1", NULL, &seen, &fault);
    assert_int_equal(status, wanted);
    if (log != NULL) assert_string_equal(fake->log, log);
    if (status == STATUS_OK) assert_int_equal(seen, proven);
}

static void test_abort(void **state)
{
    (void)state;
    struct fake_s3 fake = {.calls = 0};
    abort_it(&fake, STATUS_OK, true, "abort parts");
    assert_int_equal(fake_left(&fake), 0);
    assert_int_equal(fake.pauses, 0);
    /* parts that land after the abort */
    fake = (struct fake_s3){.stubborn = 2};
    abort_it(&fake, STATUS_OK, true, "abort parts abort parts abort parts");
    assert_int_equal(fake.pauses, 2);
    fake = (struct fake_s3){.stubborn = 1000};
    abort_it(&fake, STATUS_TRY_AGAIN, true, NULL);
    assert_int_equal(fake.calls, 2 * S3_UPLOADS_ROUNDS);
    /* gone before we came */
    fake = (struct fake_s3){.fails = S3_ABORT_UPLOAD, .verdict = S3_NO_UPLOAD, .status = STATUS_IO};
    abort_it(&fake, STATUS_OK, true, "abort");
    /* may not look: the Abort's word */
    fake = (struct fake_s3){.denied = 1u << S3_LIST_PARTS};
    abort_it(&fake, STATUS_OK, false, "abort parts");
    fake = (struct fake_s3){.denied = 1u << S3_ABORT_UPLOAD};
    abort_it(&fake, STATUS_RIGHTS, true, "abort");
    fake = (struct fake_s3){.fails = S3_LIST_PARTS, .verdict = S3_TRANSIENT, .status = STATUS_TRY_AGAIN};
    abort_it(&fake, STATUS_TRY_AGAIN, true, "abort parts");
    /* a Complete is at work */
    fake = (struct fake_s3){.fails = S3_ABORT_UPLOAD, .verdict = S3_CONFLICT, .status = STATUS_TRY_AGAIN};
    abort_it(&fake, STATUS_TRY_AGAIN, true, "abort abort abort abort abort abort");
}

static enum status interrupted(void)
{
    return STATUS_TERMINATED;
}

static void test_abort_interrupted(void **state)
{
    (void)state;
    struct fault fault;
    struct fake_s3 fake = {.stubborn = 1000};
    struct s3_port const port = fake_port(&fake);
    fake_add(&fake, "k", 1);
    assert_int_equal(s3_uploads_abort(&port, "k", "id1", interrupted, NULL, &fault), STATUS_TERMINATED);
    assert_string_equal(fake.log, "abort parts"); /* a round is finished */
    /* nobody may stop this one */
    fake = (struct fake_s3){.stop_after = 1, .stubborn = 1};
    fake.calls = 1;
    fake_add(&fake, "k", 1);
    assert_int_equal(s3_uploads_abort(&port, "k", "id1", NULL, NULL, &fault), STATUS_OK);
    assert_int_equal(fake_left(&fake), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),         cmocka_unit_test(test_list_ends),
        cmocka_unit_test(test_encoded_keys), cmocka_unit_test(test_long_key),
        cmocka_unit_test(test_abort),        cmocka_unit_test(test_abort_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
