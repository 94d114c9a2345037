/* test_output_name.c - whole names: the URL cut in two, folders with names behind them, and tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/output/output_name.h"

#include <string.h>

#define RUN_ID "0123456789abcdef"

static void splits_urls(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"s3://b/x/{segment_name}/y/", "s3://b/x/", "{segment_name}/y/"},
        {"s3://b/x/{segment_name}/y", "s3://b/x/", "{segment_name}/y/"},
        {"s3://b/{segment_id}", "s3://b/", "{segment_id}/"},
        {"s3://b/x-{segment_id}-y/{segment_name}/", "s3://b/", "x-{segment_id}-y/{segment_name}/"},
        {"s3://b/x/", "s3://b/x/", ""},
        {"out/{segment_id}", "out/", "{segment_id}/"},
        {"{segment_id}", ".", "{segment_id}/"},
        {"/{segment_id}/", "/", "{segment_id}/"},
        {"null:", "null:", ""},
        {"", "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena = {0};
        struct output_place place;
        assert_true(output_place_split(&arena, cases[i][0], &place));
        assert_string_equal(place.base, cases[i][1]);
        assert_string_equal(place.folders, cases[i][2]);
        arena_free(&arena);
    }
}

static struct file_name_values values(void)
{
    return (struct file_name_values){.name = "acme",
                                     .run_time = 1795316400,
                                     .run_id = RUN_ID,
                                     .part = 1,
                                     .segment_id = "59bd",
                                     .segment_name = "loyal"};
}

static void joins_folders_and_names(void **state)
{
    (void)state;
    struct file_name_pattern const pattern = {
        .key = "files.name", .text = "{name}_{part}.csv", .suffix = ".zst"};
    struct file_name_values const given = values();
    struct fault fault = {0};
    char out[OUTPUT_NAME_SIZE];
    assert_int_equal(output_name_expand("{segment_name}/y/", &pattern, &given, out, &fault), STATUS_OK);
    assert_string_equal(out, "loyal/y/acme_0001.csv.zst");
    assert_int_equal(output_name_expand("", &pattern, &given, out, &fault), STATUS_OK);
    assert_string_equal(out, "acme_0001.csv.zst");
    /* exactly as long as a key may be, then one byte more */
    char folders[OUTPUT_NAME_SIZE + 1];
    size_t const most = OUTPUT_NAME_BYTES_MAX - strlen("acme_0001.csv.zst");
    memset(folders, 'x', sizeof folders);
    folders[most - 1] = '/';
    folders[most] = '\0';
    assert_int_equal(output_name_expand(folders, &pattern, &given, out, &fault), STATUS_OK);
    assert_int_equal(strlen(out), OUTPUT_NAME_BYTES_MAX);
    folders[most - 1] = 'x';
    strcpy(folders + most, "/");
    assert_int_equal(output_name_expand(folders, &pattern, &given, out, &fault), STATUS_JOB);
    assert_non_null(strstr(fault.message, "files.name: gives a name that begins"));
    memset(folders, 'x', sizeof folders);
    folders[sizeof folders - 1] = '\0';
    assert_int_equal(output_name_expand(folders, &pattern, &given, out, &fault), STATUS_JOB);
    assert_non_null(strstr(fault.message, "destination.url: gives a text of 1025 bytes"));
}

static void names_tokens(void **state)
{
    (void)state;
    static const struct {
        const char *name, *suffix;
        bool replaces;
        const char *token;
    } cases[] = {
        {"acme.xml", ".TOK", false, "acme.xml.TOK"},
        {"acme.xml", ".TOK", true, "acme.TOK"},
        {"acme_0001.csv.gz", ".TOK", true, "acme_0001.TOK"},
        {"acme_0001.csv.zst", "_done", true, "acme_0001_done"},
        {"acme_0001.csv.gz", ".TOK", false, "acme_0001.csv.gz.TOK"},
        {"acme.v2_20261122.csv", ".TOK", true, "acme.v2_20261122.TOK"},
        {"acme.v2.gz", ".TOK", true, "acme.TOK"},
        {"acme", ".TOK", true, "acme.TOK"},
        {"acme.gz", ".TOK", true, "acme.TOK"},
        {"a.b/acme", ".TOK", true, "a.b/acme.TOK"},
        {"a.b/acme.csv", ".TOK", true, "a.b/acme.TOK"},
        {"a.b/acme.csv", "x", false, "a.b/acme.csvx"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fault fault = {0};
        char out[OUTPUT_NAME_SIZE];
        assert_int_equal(
            output_name_token(cases[i].name, cases[i].suffix, cases[i].replaces, RUN_ID, out, &fault),
            STATUS_OK);
        assert_string_equal(out, cases[i].token);
    }
}

static void refuses_tokens(void **state)
{
    (void)state;
    struct fault fault = {0};
    char out[OUTPUT_NAME_SIZE], name[OUTPUT_NAME_SIZE];
    assert_int_equal(output_name_token("x/a.xml", ".xml", true, RUN_ID, out, &fault), STATUS_JOB);
    assert_string_equal(fault.message,
                        "pega.token.suffix: gives the token of \"a.xml\" that name itself; take "
                        "another suffix");
    assert_int_equal(output_name_token("a.csv.gz", ".csv.gz", true, RUN_ID, out, &fault), STATUS_JOB);
    memset(name, 'x', sizeof name);
    name[file_name_bytes_max(RUN_ID) - 4] = '\0';
    assert_int_equal(output_name_token(name, ".TOK", false, RUN_ID, out, &fault), STATUS_OK);
    assert_int_equal(output_name_token(name, ".TOKE", false, RUN_ID, out, &fault), STATUS_JOB);
    assert_non_null(strstr(fault.message, "a name of 234 bytes; at most 233"));
    memset(name, 'x', sizeof name);
    name[900] = '/';
    name[OUTPUT_NAME_BYTES_MAX - 3] = '\0';
    assert_int_equal(output_name_token(name, ".TOK", false, RUN_ID, out, &fault), STATUS_JOB);
    assert_non_null(strstr(fault.message, "too long with its folders"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(splits_urls),
                                       cmocka_unit_test(joins_folders_and_names),
                                       cmocka_unit_test(names_tokens), cmocka_unit_test(refuses_tokens)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
