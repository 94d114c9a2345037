/* test_output_path.c - names with folders: what is allowed, and the names of files that are not yet whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/output/output_path.h"

#include <string.h>

static void checks_every_part(void **state)
{
    (void)state;
    struct fault fault;
    static const char *const allowed[] = {"x", "a/x", "a/b/c/x", ".a/x", "..a/x", "a b/\xC3\xA4", "-/x"};
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        assert_int_equal(output_path_check(allowed[i], "run", &fault), STATUS_OK);
    static const char *const refused[] = {"",     "/",     "/x",     "x/",  "a//x",  "./x",    "../x",
                                          "a/..", "a/./x", "a/../x", "a/.", "a\n/x", "\x7F/x", "a/x\x1B"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_equal(output_path_check(refused[i], "run", &fault), STATUS_JOB);
        assert_int_equal(fault.status, STATUS_JOB);
    }
    assert_int_equal(output_path_check("a/x", "no/id", &fault), STATUS_USAGE);
}

static void bounds_lengths(void **state)
{
    (void)state;
    struct fault fault;
    char name[OUTPUT_NAME_SIZE + 1];
    memset(name, 'n', sizeof name);
    name[255] = '/';
    name[257] = '\0';
    assert_int_equal(output_path_check(name, "run", &fault), STATUS_OK);
    memset(name, 'n', sizeof name);
    name[256] = '/';
    name[258] = '\0';
    assert_int_equal(output_path_check(name, "run", &fault), STATUS_JOB);
    memset(name, 'n', sizeof name);
    for (size_t i = 100; i < sizeof name; i += 100)
        name[i] = '/';
    name[OUTPUT_NAME_BYTES_MAX] = '\0';
    assert_int_equal(output_path_check(name, "run", &fault), STATUS_OK);
    name[OUTPUT_NAME_BYTES_MAX] = 'n';
    name[OUTPUT_NAME_BYTES_MAX + 1] = '\0';
    assert_int_equal(output_path_check(name, "run", &fault), STATUS_JOB);
    assert_non_null(strstr(fault.message, "1025 bytes"));
}

static void other_names_stand_beside(void **state)
{
    (void)state;
    char out[OUTPUT_PATH_OTHER_SIZE];
    output_path_temporary("x.csv", "run", out);
    assert_string_equal(out, ".x.csv.run.tmp");
    output_path_temporary("a/b/x.csv", "run", out);
    assert_string_equal(out, "a/b/.x.csv.run.tmp");
    output_path_old("a/x", "run", out);
    assert_string_equal(out, "a/.x.run.old");
    assert_int_equal(output_path_folders("x"), 0);
    assert_int_equal(output_path_folders("a/b/x"), 4);
    /* the longest of all */
    char name[OUTPUT_NAME_SIZE], run_id[FILE_NAME_RUN_ID_MAX + 1];
    memset(name, 'n', sizeof name);
    memset(run_id, 'r', sizeof run_id);
    run_id[FILE_NAME_RUN_ID_MAX] = '\0';
    for (size_t i = OUTPUT_NAME_BYTES_MAX - 186; i < sizeof name; i -= 200)
        name[i] = '/';
    name[OUTPUT_NAME_BYTES_MAX] = '\0';
    struct fault fault;
    assert_int_equal(output_path_check(name, run_id, &fault), STATUS_OK);
    output_path_temporary(name, run_id, out);
    assert_int_equal(strlen(out), sizeof out - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(checks_every_part), cmocka_unit_test(bounds_lengths),
                                       cmocka_unit_test(other_names_stand_beside)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
