/* test_s3_withdraw.c - if_exists: replace on S3: at no moment, whatever fails, stands a token or a manifest
 * beside data files of another delivery, and before the first Delete the former deliveries stand whole. */
#include "tests/unit/sink_s3_rig.h"

#include "io/output/s3_former.h"

static const struct {
    const char *name;
    enum sink_stage stage;
    size_t size;
} files[] = {{"1.xml", SINK_MANIFEST, 50},      {"2.xml", SINK_MANIFEST, 60},
             {"1.xml.TOK", SINK_TOKEN, 0},      {"2.xml.TOK", SINK_TOKEN, 0},
             {"s1/a.csv", SINK_DATA, 20},       {"s1/b.csv", SINK_DATA, 3 * PART + 7},
             {"s2/a.csv", SINK_DATA, 2 * PART}, {"s2/b.csv", SINK_DATA, 0}};
#define FILES  (sizeof files / sizeof *files)
#define FORMER 4u /* tokens and manifests */

static char generation(const struct s3_client *client, size_t file) /* 'o'ld, 'n'ew, '-' for none */
{
    char key[64];
    snprintf(key, sizeof key, PREFIX "%s", files[file].name);
    const struct fake_object *const object = fake_find(client, key);
    if (object == NULL) return '-';
    return strcmp(object->token, TOKEN) == 0 ? 'n' : 'o';
}

static void expect_all(const struct s3_client *client, enum sink_stage stage, char wanted)
{
    for (size_t i = 0; i < FILES; i++)
        if (files[i].stage == stage) assert_int_equal(generation(client, i), wanted);
}

static unsigned deletes, made;

/* After every operation. */
static void expect_no_mixture(const struct s3_client *client, const struct s3_op *op, enum s3_verdict verdict)
{
    (void)verdict;
    deletes += op->kind == S3_DELETE_OBJECT;
    made += op->kind == S3_PUT_OBJECT || op->kind == S3_COMPLETE_UPLOAD;
    for (size_t i = 0; i < FILES; i++) {
        char const found = generation(client, i);
        if (files[i].stage == SINK_DATA || found == '-') continue;
        expect_all(client, SINK_DATA, found);
        if (files[i].stage == SINK_TOKEN) expect_all(client, SINK_MANIFEST, found);
    }
}

static struct rig *rig_replacing(uint32_t seed)
{
    struct rig *const rig = rig_new(CHECKSUM_CRC64NVME, true, PART);
    rig->client->random = seed;
    deletes = made = 0;
    rig_open(rig);
    return rig;
}

static void put_former(struct rig *rig)
{
    for (size_t i = 0; i < FILES; i++) {
        char key[64];
        snprintf(key, sizeof key, PREFIX "%s", files[i].name);
        put_foreign(rig, key);
    }
    rig->client->witness = expect_no_mixture;
}

static enum status deliver(struct rig *rig)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < FILES && status == STATUS_OK; i++) {
        status = rig_begin_staged(rig, files[i].name, files[i].stage);
        if (status == STATUS_OK && files[i].size != 0) status = rig_write(rig, files[i].size);
        if (status == STATUS_OK) status = rig_end(rig);
    }
    return status == STATUS_OK ? rig_commit(rig) : status;
}

static void test_replaces_without_a_mixture(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        struct rig *const rig = rig_replacing(seed);
        put_former(rig);
        ok(deliver(rig));
        check_delivered(rig);
        assert_int_equal(deletes, FORMER);
        assert_int_equal(made, FILES);
        rig_free(rig);
    }
}

/* New names need no right to delete. */
static void test_deletes_nothing_under_new_names(void **state)
{
    (void)state;
    struct rig *const rig = rig_replacing(3);
    put_foreign(rig, PREFIX "another.xml.TOK");
    ok(deliver(rig));
    assert_int_equal(rig->client->by_kind[S3_DELETE_OBJECT], 0);
    assert_non_null(rig_object(rig, "another.xml.TOK"));
    rig_free(rig);
}

/* Rows alone, no manifest: one look at the folder. */
static void test_rows_alone(void **state)
{
    (void)state;
    struct rig *const rig = rig_replacing(4);
    put_foreign(rig, PREFIX "a.csv");
    ok(rig_put(rig, "a.csv", 3 * PART, CHUNK));
    ok(rig_commit(rig));
    assert_int_equal(rig->client->by_kind[S3_HEAD_OBJECT], 1); /* what was completed */
    assert_int_equal(rig->client->by_kind[S3_LIST_OBJECTS], 1);
    check_delivered(rig);
    rig_free(rig);
}

/* ---- former deliveries of other names ---- */

static const char other_manifest[] = "<manifest><totalRecordCount>3</totalRecordCount><files>"
                                     "<file><name>in/a.csv</name><recordCount>1</recordCount></file>"
                                     "<file><name>in/b.csv</name><recordCount>1</recordCount></file>"
                                     "<file><name>in/c.csv</name><recordCount>1</recordCount></file>"
                                     "</files></manifest>";
static const char *const others[] = {"s1/all.xml", "s1/all.xml.DONE", "s1/c.TOK", "s1/c.csv"};
#define OTHERS (sizeof others / sizeof *others)

static void put_text(struct rig *rig, const char *name, const char *text)
{
    char key[64];
    snprintf(key, sizeof key, PREFIX "%s", name);
    fake_put(rig->client, key,
             (struct fake_bytes){.bytes = fake_must((uint8_t *)strdup(text)), .size = strlen(text)},
             "another");
}

static bool stands(const struct s3_client *client, const char *name)
{
    char key[64];
    snprintf(key, sizeof key, PREFIX "%s", name);
    return fake_find(client, key) != NULL;
}

/* Over a file of the run's folder s1, and over one that it does not write. */
static void put_others(struct rig *rig)
{
    static const char *const prefixes[] = {"in/"};
    rig->sink->destroy(rig->sink);
    rig->options.former =
        (struct former_rules){.prefixes = prefixes, .prefix_count = 1, .warn = warn, .warn_context = rig};
    rig_open(rig);
    put_text(rig, others[0], other_manifest);
    put_text(rig, others[1], "");
    put_text(rig, others[2], "");
    put_text(rig, others[3], "old");
    put_text(rig, "s1/note.txt", "not ours");
    put_text(rig, "s1/deep/c.csv", "not ours");
    put_text(rig, "s3/all.xml", other_manifest);
    put_text(rig, "s3/all.xml.DONE", "");
}

static void expect_foreign(const struct rig *rig)
{
    assert_true(stands(rig->client, "s1/note.txt") && stands(rig->client, "s1/deep/c.csv"));
    assert_true(stands(rig->client, "s3/all.xml") && stands(rig->client, "s3/all.xml.DONE"));
}

static void expect_no_other_mixture(const struct s3_client *client, const struct s3_op *op,
                                    enum s3_verdict verdict)
{
    bool const token = stands(client, others[1]) || stands(client, others[2]);
    if (token) assert_true(stands(client, others[0]));
    if (token || stands(client, others[0]))
        for (size_t i = 0; i < FILES; i++)
            if (strncmp(files[i].name, "s1/", 3) == 0) assert_int_equal(generation(client, i), 'o');
    if (stands(client, others[0])) assert_true(stands(client, others[3]));
    expect_no_mixture(client, op, verdict);
}

static struct rig *rig_over_others(uint32_t seed)
{
    struct rig *const rig = rig_replacing(seed);
    put_others(rig);
    put_former(rig);
    for (size_t i = 0; i < 2; i++)
        put_text(rig, files[i].name, "<manifest><totalRecordCount>0</totalRecordCount><files/></manifest>");
    rig->client->witness = expect_no_other_mixture;
    return rig;
}

static void test_other_names_go(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 20; seed++) {
        struct rig *const rig = rig_over_others(seed);
        ok(deliver(rig));
        for (size_t i = 0; i < OTHERS; i++)
            assert_false(stands(rig->client, others[i]));
        for (size_t i = 0; i < FILES; i++)
            assert_int_equal(generation(rig->client, i), 'n');
        expect_foreign(rig);
        assert_int_equal(deletes, FORMER + OTHERS);
        assert_int_equal(rig->warnings, 0);
        rig_free(rig);
    }
}

/* Whatever fails: no mixture, nothing foreign is touched, and the repeated run leaves nothing either. */
static void test_other_names_whatever_fails(void **state)
{
    (void)state;
    struct rig *rig = rig_over_others(1);
    ok(deliver(rig));
    unsigned const calls = rig->client->calls;
    rig_free(rig);
    for (unsigned k = 1; k <= 2 * calls; k++) {
        rig = rig_over_others(k);
        rule(rig, (struct fake_rule){
                      .kind = FAKE_ANY, .from = (k + 1) / 2, .verdict = k % 2 == 0 ? S3_FATAL : S3_DENIED});
        enum status const status = deliver(rig);
        expect_foreign(rig);
        if (status == STATUS_OK) {
            for (size_t i = 0; i < FILES; i++)
                assert_int_equal(generation(rig->client, i), 'n');
            assert_int_equal(stands(rig->client, others[3]), rig->warnings != 0);
        }
        rig->sink->abort(rig->sink);
        assert_int_equal(fake_uploads_alive(rig->client), 0);
        rig_free(rig);
    }
}

static void test_surplus_that_stays_is_told(void **state)
{
    (void)state;
    struct rig *const rig = rig_over_others(2);
    rule(rig, (struct fake_rule){
                  .kind = S3_DELETE_OBJECT, .key = PREFIX "s1/c.csv", .count = 99, .verdict = S3_DENIED});
    ok(deliver(rig));
    assert_int_equal(rig->warnings, 1);
    assert_non_null(strstr(rig->warning, "the delivery stands, but 1 data files"));
    assert_non_null(strstr(rig->warning, "s3://acme/in/s1/c.csv"));
    rig_free(rig);
}

/* Who may not list or read can't know: nothing is touched. */
static void test_looks_before_it_touches(void **state)
{
    (void)state;
    static const struct {
        enum s3_op_kind kind;
        const char *said;
    } cases[] = {{S3_LIST_OBJECTS, "s3:ListBucket"}, {S3_GET_OBJECT, "s3:GetObject"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig *const rig = rig_over_others(3);
        rule(rig, (struct fake_rule){.kind = cases[i].kind, .count = 99, .verdict = S3_DENIED});
        assert_int_equal(deliver(rig), STATUS_RIGHTS);
        assert_non_null(strstr(rig->fault.message, cases[i].said));
        assert_int_equal(deletes + made, 0);
        rig->sink->abort(rig->sink);
        rig_free(rig);
    }
    struct rig *const rig = rig_over_others(4);
    put_text(rig, "s2/broken.xml", "<manifest>");
    assert_int_equal(deliver(rig), STATUS_JOB);
    assert_non_null(strstr(rig->fault.message, "s3://acme/in/s2/broken.xml"));
    assert_int_equal(deletes + made, 0);
    rig->sink->abort(rig->sink);
    rig_free(rig);
}

/* A folder that holds more objects than are looked through. */
static void test_lists_have_a_bound(void **state)
{
    (void)state;
    struct rig *const rig = rig_over_others(5);
    rig->client->witness = NULL;
    for (unsigned i = 0; i <= FAKE_PAGE * S3_FORMER_PAGES_MAX; i++) {
        char name[32];
        snprintf(name, sizeof name, "other/%u", i);
        put_text(rig, name, "");
    }
    assert_int_equal(deliver(rig), STATUS_JOB);
    assert_non_null(strstr(rig->fault.message, "objects to look through"));
    assert_int_equal(rig->client->by_kind[S3_DELETE_OBJECT], 0);
    rig->sink->abort(rig->sink);
    rig_free(rig);
}

/* What the message owes: that the run must be repeated when a token is gone, and only then. */
static void check_failure(struct rig *rig, unsigned k)
{
    rig->sink->abort(rig->sink);
    assert_int_equal(fake_uploads_alive(rig->client), 0);
    expect_no_mixture(rig->client, &(struct s3_op){.kind = S3_HEAD_OBJECT}, S3_DONE);
    bool const told = strstr(rig->fault.message, "the run must be repeated") != NULL;
    bool whole = true;
    for (size_t i = 0; i < FILES; i++)
        whole &= generation(rig->client, i) == 'o';
    if (told == whole) fail_msg("call %u: %s", k, rig->fault.message);
}

static void every_call(struct fake_rule what)
{
    struct rig *rig = rig_replacing(1);
    put_former(rig);
    ok(deliver(rig));
    unsigned const calls = rig->client->calls;
    rig_free(rig);
    for (unsigned k = 1; k <= calls; k++) {
        rig = rig_replacing(k);
        put_former(rig);
        what.kind = FAKE_ANY;
        what.from = k;
        rule(rig, what);
        if (deliver(rig) == STATUS_OK)
            check_delivered(rig);
        else
            check_failure(rig, k);
        rig_free(rig);
    }
}

static void test_every_call_fails(void **state)
{
    (void)state;
    every_call((struct fake_rule){.verdict = S3_FATAL});
    every_call((struct fake_rule){.verdict = S3_DENIED});
    every_call((struct fake_rule){.verdict = S3_TRANSIENT, .carried_out = true});
    every_call((struct fake_rule){.carried_out = true, .again = true});
}

static void test_denied_delete_touches_nothing(void **state)
{
    (void)state;
    struct rig *const rig = rig_replacing(5);
    put_former(rig);
    rule(rig, (struct fake_rule){.kind = S3_DELETE_OBJECT, .count = 99, .verdict = S3_DENIED});
    assert_int_equal(deliver(rig), STATUS_RIGHTS);
    assert_non_null(strstr(rig->fault.message, "s3:DeleteObject"));
    assert_null(strstr(rig->fault.message, "repeated"));
    rig->sink->abort(rig->sink);
    for (size_t i = 0; i < FILES; i++)
        assert_int_equal(generation(rig->client, i), 'o');
    rig_free(rig);
}

/* Without s3:ListBucket a look at what is not there is denied; deleting it all the same is right. */
static void test_denied_look_deletes(void **state)
{
    (void)state;
    struct rig *const rig = rig_replacing(6);
    rule(rig, (struct fake_rule){.kind = S3_HEAD_OBJECT, .count = FORMER, .verdict = S3_DENIED});
    ok(deliver(rig));
    assert_int_equal(rig->client->by_kind[S3_DELETE_OBJECT], FORMER);
    check_delivered(rig);
    rig_free(rig);
}

static void test_message_of_a_failure_in_the_midst(void **state)
{
    (void)state;
    struct rig *const rig = rig_replacing(7);
    put_former(rig);
    rule(rig, (struct fake_rule){.kind = S3_COMPLETE_UPLOAD, .from = 2, .count = 99, .verdict = S3_FATAL});
    assert_int_equal(deliver(rig), STATUS_IO);
    static const char *const words[] = {"no manifest and no token is written",
                                        "files are complete and stay: s3://acme/in/", "taken away first",
                                        "the run must be repeated"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_non_null(strstr(rig->fault.message, words[i]));
    rig->sink->abort(rig->sink);
    rig_free(rig);
}

static enum s3_op_kind stop_at;
static unsigned stop_after;

static void stop_there(const struct s3_client *client, const struct s3_op *op, enum s3_verdict verdict)
{
    expect_no_mixture(client, op, verdict);
    if (op->kind == stop_at && stop_after > 0 && --stop_after == 0) stop_with = STATUS_TERMINATED;
}

/* Before the first Delete all stands as it was; behind it the delivery is brought to its end. */
static void test_signals(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct rig *const rig = rig_replacing(8 + i);
        put_former(rig);
        stop_at = i == 0 ? S3_HEAD_OBJECT : i == 1 ? S3_DELETE_OBJECT : S3_COMPLETE_UPLOAD;
        stop_after = 1;
        rig->client->witness = stop_there;
        enum status const status = deliver(rig);
        if (i == 0) {
            assert_int_equal(status, STATUS_TERMINATED);
            assert_int_equal(deletes, 0);
            check_failure(rig, 0);
        } else {
            assert_int_equal(status, STATUS_OK);
            check_delivered(rig);
        }
        rig_free(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replaces_without_a_mixture),
        cmocka_unit_test(test_deletes_nothing_under_new_names),
        cmocka_unit_test(test_rows_alone),
        cmocka_unit_test(test_every_call_fails),
        cmocka_unit_test(test_other_names_go),
        cmocka_unit_test(test_other_names_whatever_fails),
        cmocka_unit_test(test_surplus_that_stays_is_told),
        cmocka_unit_test(test_looks_before_it_touches),
        cmocka_unit_test(test_lists_have_a_bound),
        cmocka_unit_test(test_denied_delete_touches_nothing),
        cmocka_unit_test(test_denied_look_deletes),
        cmocka_unit_test(test_message_of_a_failure_in_the_midst),
        cmocka_unit_test(test_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
