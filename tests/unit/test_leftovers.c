/* test_leftovers.c - which hidden files are unfinished ones of other runs, and what is said of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/output/leftovers.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OURS "0123456789abcdef"

static void tells_their_names(void **state)
{
    (void)state;
    static const char *const others[] = {
        ".a.csv.fedcba9876543210.tmp", ".a.csv.fedcba9876543210.old", ".a.x.tmp",
        ".a.0123456789abcde.tmp",      ".0123456789abcdef.x.tmp",     "..a.b.old"};
    static const char *const none[] = {"",
                                       ".",
                                       "..",
                                       ".tmp",
                                       ".a.tmp",
                                       "..a.tmp",
                                       "a.csv.fedcba9876543210.tmp",
                                       ".a.csv.fedcba9876543210.tmp2",
                                       ".a.csv.fedcba 9876543210.tmp",
                                       ".a..tmp",
                                       ".a.csv.swp",
                                       ".a.csv." OURS ".tmp",
                                       ".a.csv." OURS ".old"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!leftovers_is_one(others[i], OURS)) fail_msg("%s", others[i]);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (leftovers_is_one(none[i], OURS)) fail_msg("%s", none[i]);
    assert_true(leftovers_is_one(".a.csv." OURS ".tmp", NULL));
    assert_false(leftovers_is_one(".a.tmp", NULL));
    assert_false(leftovers_is_one(".a.csv.run.7.tmp", "run.7")); /* an id with a dot */
    assert_true(leftovers_is_one(".a.csv.run.8.tmp", "run.7"));
}

static char told[FAULT_MESSAGE_MAX];

static void warn(void *context, const char *message)
{
    assert_ptr_equal(context, told);
    snprintf(told, sizeof told, "%s", message);
}

static void make(const char *path)
{
    int const fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void counts_them_in_folders(void **state)
{
    (void)state;
    char scratch[] = "/tmp/test_leftovers_XXXXXX";
    assert_non_null(mkdtemp(scratch));
    assert_int_equal(chdir(scratch), 0);
    assert_int_equal(mkdir("s", 0700), 0);
    struct output_directory directory;
    struct fault fault;
    struct leftovers leftovers = {.count = 0};
    assert_int_equal(output_directory_open(scratch, &directory, &fault), STATUS_OK);
    leftovers_count(&directory, "", OURS, &leftovers);
    leftovers_count(&directory, "missing", OURS, &leftovers);
    leftovers_tell(&leftovers, &directory, warn, told);
    assert_string_equal(told, "");
    make(".a.csv.x.tmp");
    make(".a.csv." OURS ".tmp");
    make("s/.a.csv.x.old");
    leftovers_count(&directory, "", OURS, &leftovers);
    leftovers_count(&directory, "s", OURS, &leftovers);
    assert_int_equal(leftovers.count, 2);
    leftovers_tell(&leftovers, &directory, warn, told);
    assert_non_null(strstr(told, scratch));
    assert_non_null(strstr(told, "holds 2 unfinished files, such as .a.csv.x.tmp, of runs"));
    output_directory_close(&directory);
    assert_int_equal(unlink(".a.csv.x.tmp") | unlink(".a.csv." OURS ".tmp") | unlink("s/.a.csv.x.old"), 0);
    assert_int_equal(rmdir("s") | chdir("/") | rmdir(scratch), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tells_their_names),
                                       cmocka_unit_test(counts_them_in_folders)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
