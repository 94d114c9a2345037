/* test_output_check.c - a look at a destination directory that changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/output/output_check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static int enter(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_output_check.XXXXXX");
    return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    char command[256];
    snprintf(command, sizeof command, "chmod -R u+rwx %s && rm -r %s", folder, folder);
    return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static void touch(const char *path)
{
    int const fd = open(path, O_CREAT | O_WRONLY, 0666);
    assert_true(fd >= 0);
    close(fd);
}

static enum status look(const char *path, bool *there, struct fault *fault)
{
    struct output_check check;
    enum status const status = output_check_open(path, "run", false, &check, fault);
    if (status != STATUS_OK) return status;
    *there = output_check_is_there(&check);
    output_check_close(&check);
    return STATUS_OK;
}

static void test_places(void **state)
{
    (void)state;
    struct fault fault;
    bool there = false;
    assert_int_equal(mkdir("here", 0777), 0);
    touch("file");
    assert_int_equal(symlink("nowhere", "dangling"), 0);
    static const char *const present[] = {".", "here", "here/", "./here//", "/"};
    for (size_t i = 0; i < sizeof present / sizeof *present; i++) {
        there = false;
        if (strcmp(present[i], "/") == 0 && access("/", W_OK) != 0) continue;
        assert_int_equal(look(present[i], &there, &fault), STATUS_OK);
        assert_true(there);
    }
    static const char *const missing[] = {"new", "new/", "a/b/c", "here/x/y/", "./new", "1a://x", "a/b://c"};
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        there = true;
        assert_int_equal(look(missing[i], &there, &fault), STATUS_OK);
        assert_false(there);
        struct stat found;
        assert_int_not_equal(lstat(missing[i], &found), 0); /* nothing was made */
    }
    assert_int_not_equal(access("a", F_OK), 0);
    assert_int_not_equal(access("1a:", F_OK), 0);
    static const char *const refused[] = {"",         "file",       "file/x",     "file/x/y",
                                          "dangling", "dangling/x", "http://x/y", "ftp://x"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (look(refused[i], &there, &fault) != STATUS_JOB) fail_msg("%s", refused[i]);
        assert_true(fault.message[0] != '\0');
    }
    assert_int_not_equal(access("nowhere", F_OK), 0);
}

static void test_long_parts(void **state)
{
    (void)state;
    struct fault fault;
    bool there = true;
    char path[600];
    memset(path, 'x', sizeof path);
    memcpy(path, "new/", 4);
    path[4 + 255] = '\0';
    assert_int_equal(look(path, &there, &fault), STATUS_OK);
    assert_false(there);
    path[4 + 255] = 'x';
    path[4 + 256] = '\0';
    assert_int_equal(look(path, &there, &fault), STATUS_JOB);
    assert_int_not_equal(access("new", F_OK), 0);
}

static void test_rights(void **state)
{
    (void)state;
    struct fault fault;
    bool there = false;
    if (geteuid() == 0) skip(); /* root may write anywhere */
    assert_int_equal(mkdir("closed", 0555), 0);
    assert_int_equal(look("closed", &there, &fault), STATUS_IO);
    assert_int_equal(look("closed/x/y", &there, &fault), STATUS_IO);
    assert_non_null(strstr(fault.message, "closed"));
}

static void test_names(void **state)
{
    (void)state;
    struct output_check check;
    struct fault fault;
    assert_int_equal(mkdir("out", 0777), 0);
    touch("out/taken");
    assert_int_equal(mkdir("out/folder", 0777), 0);
    assert_int_equal(output_check_open("out", "run", false, &check, &fault), STATUS_OK);
    assert_int_equal(output_check_name(&check, "free", &fault), STATUS_OK);
    assert_int_equal(output_check_name(&check, "taken", &fault), STATUS_EXISTS);
    assert_int_equal(output_check_name(&check, "folder", &fault), STATUS_EXISTS);
    output_check_close(&check);
    assert_int_equal(output_check_open("out", "run", true, &check, &fault), STATUS_OK);
    assert_int_equal(output_check_name(&check, "taken", &fault), STATUS_OK);
    assert_int_equal(output_check_name(&check, "folder", &fault), STATUS_JOB);
    output_check_close(&check);
    /* in a directory that is to be made every name is free */
    assert_int_equal(output_check_open("later", "run", false, &check, &fault), STATUS_OK);
    assert_int_equal(output_check_name(&check, "taken", &fault), STATUS_OK);
    output_check_close(&check);
}

static enum status look_name(const char *name, struct fault *fault)
{
    struct output_check check;
    assert_int_equal(output_check_open("out", "run", false, &check, fault), STATUS_OK);
    enum status const status = output_check_name(&check, name, fault);
    output_check_close(&check);
    return status;
}

static void test_folders(void **state)
{
    (void)state;
    struct fault fault;
    assert_int_equal(mkdir("out", 0777), 0);
    assert_int_equal(mkdir("out/folder", 0777), 0);
    touch("out/folder/taken");
    touch("out/file");
    assert_int_equal(symlink("nowhere", "out/dangling"), 0);
    assert_int_equal(symlink("folder", "out/link"), 0);
    assert_int_equal(look_name("folder/free", &fault), STATUS_OK);
    assert_int_equal(look_name("folder/taken", &fault), STATUS_EXISTS);
    assert_non_null(strstr(fault.message, "out/folder/taken"));
    assert_int_equal(look_name("link/free", &fault), STATUS_OK);
    assert_int_equal(look_name("link/taken", &fault), STATUS_EXISTS);
    assert_int_equal(look_name("new/deep/x", &fault), STATUS_OK);
    assert_int_equal(look_name("folder/new/x", &fault), STATUS_OK);
    static const char *const refused[] = {"file/x",      "file/deep/x", "dangling/x", "dangling/deep/x",
                                          "folder/../x", "/x",          "a//x",       "folder/taken/x"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (look_name(refused[i], &fault) != STATUS_JOB) fail_msg("%s", refused[i]);
    assert_int_not_equal(access("out/new", F_OK), 0); /* nothing was made */
    if (geteuid() == 0) return;                       /* root may write anywhere */
    assert_int_equal(mkdir("out/closed", 0555), 0);
    assert_int_equal(look_name("closed/x", &fault), STATUS_IO);
    assert_int_equal(look_name("closed/deep/x", &fault), STATUS_IO);
    assert_non_null(strstr(fault.message, "out/closed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_places, enter, leave),
        cmocka_unit_test_setup_teardown(test_long_parts, enter, leave),
        cmocka_unit_test_setup_teardown(test_rights, enter, leave),
        cmocka_unit_test_setup_teardown(test_names, enter, leave),
        cmocka_unit_test_setup_teardown(test_folders, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
