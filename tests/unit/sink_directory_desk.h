/* sink_directory_desk.h - what the tests of the directory sink share: a scratch folder for each, files
 * written and looked at, and a file system that lacks a call.
 *
 * renameat2, linkat, unlinkat, fsync and nanosleep are defined here, in front of the C library's: they do the
 * system call (nanosleep does not) unless a test wants them to be missing, to fail, or something to happen
 * just before. So one file of a program includes this. */
#ifndef PENSTOCK_TESTS_UNIT_SINK_DIRECTORY_DESK_H
#define PENSTOCK_TESTS_UNIT_SINK_DIRECTORY_DESK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/output/sink_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUN_ID "0123456789abcdef"

static bool no_noreplace;         /* renameat2(RENAME_NOREPLACE) is not supported */
static bool no_exchange;          /* nor RENAME_EXCHANGE */
static bool no_links;             /* nor hard links */
static int renames_until_failure; /* the n-th renameat2 from now fails with EIO; 0: none */
static int renames_until_event;   /* before the n-th renameat2 from now `event` is called; 0: none */
static void (*event)(void);
static int syncs_until_failure; /* the n-th fsync from now fails with EIO; 0: none */

static int calls_until_death; /* before the n-th call of these the process ends as by kill -9; 0: never */

static void die_in_time(void)
{
    if (calls_until_death > 0 && --calls_until_death == 0) _exit(9);
}

int renameat2(int old_fd, const char *old, int new_fd, const char *new, unsigned flags)
{
    die_in_time();
    if (renames_until_event > 0 && --renames_until_event == 0) event();
    if (renames_until_failure > 0 && --renames_until_failure == 0) {
        errno = EIO;
        return -1;
    }
    if ((no_noreplace && flags == RENAME_NOREPLACE) || (no_exchange && flags == RENAME_EXCHANGE)) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_renameat2, old_fd, old, new_fd, new, flags);
}

int linkat(int old_fd, const char *old, int new_fd, const char *new, int flags)
{
    if (no_links) {
        errno = EPERM;
        return -1;
    }
    return (int)syscall(SYS_linkat, old_fd, old, new_fd, new, flags);
}

static int unlinks_until_failure; /* from the n-th unlinkat on all fail with EACCES; 0: none */

int unlinkat(int fd, const char *path, int flags)
{
    die_in_time();
    if (unlinks_until_failure == 1) {
        errno = EACCES;
        return -1;
    }
    if (unlinks_until_failure > 1) unlinks_until_failure--;
    return (int)syscall(SYS_unlinkat, fd, path, flags);
}

static unsigned pauses;
static void (*on_pause)(void);

int nanosleep(const struct timespec *time, struct timespec *rest)
{
    (void)time;
    (void)rest;
    pauses++;
    if (on_pause != NULL) on_pause();
    return 0;
}

int fsync(int fd)
{
    die_in_time();
    if (syncs_until_failure > 0 && --syncs_until_failure == 0) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

static inline int enter_scratch(void **state)
{
    no_noreplace = no_exchange = no_links = false;
    calls_until_death = 0;
    renames_until_failure = renames_until_event = syncs_until_failure = unlinks_until_failure = 0;
    on_pause = NULL;
    char *const folder = strdup("/tmp/test_sink_XXXXXX");
    *state = folder;
    return folder == NULL || mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static inline int leave_scratch(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", (char *)*state);
    int const failed = chdir("/") != 0 || system(command) != 0;
    free(*state);
    return failed;
}

static size_t homes;

static inline void home(void *context, const struct sink_piece *piece)
{
    assert_ptr_equal(context, &homes);
    assert_ptr_equal(piece->owner, &homes);
    homes++;
}

static char warned[FAULT_MESSAGE_MAX];

static inline void note_warning(void *context, const char *message)
{
    (void)context;
    snprintf(warned, sizeof warned, "%s", message);
}

static inline struct sink *create_as(const char *path, const char *run_id, bool replace)
{
    struct fault fault = {0};
    struct sink_directory_options const options = {
        .path = path, .run_id = run_id, .replace = replace, .former = {.warn = note_warning}};
    struct sink *const sink = sink_directory_create(&options, &fault);
    if (sink == NULL) fail_msg("%s", fault.message);
    sink->home = home;
    sink->home_context = &homes;
    homes = 0;
    return sink;
}

static inline struct sink *create(const char *path, bool replace)
{
    return create_as(path, RUN_ID, replace);
}

static inline void expect_status(enum status status, enum status expected, const struct fault *fault)
{
    if (status != expected) fail_msg("status %d, not %d: %s", status, expected, fault->message);
    if (status != STATUS_OK) assert_int_equal(fault->status, status);
}

static inline void expect_words(const struct fault *fault, const char *words)
{
    if (strstr(fault->message, words) == NULL) fail_msg("'%s' not in: %s", words, fault->message);
}

static inline void write_file(struct sink *sink, uint32_t file, const char *name, const char *text)
{
    struct fault fault = {0};
    struct sink_piece const piece = {.bytes = (const uint8_t *)text, .length = strlen(text), .owner = &homes};
    expect_status(sink->begin(sink, file, name, SINK_DATA, &fault), STATUS_OK, &fault);
    expect_status(sink->write(sink, file, &piece, &fault), STATUS_OK, &fault);
    expect_status(sink->end(sink, file, 0, strlen(text), &fault), STATUS_OK, &fault);
}

static inline void put(const char *path, const char *text)
{
    FILE *const file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static inline void expect_content(const char *path, const char *expected)
{
    char text[256] = {0};
    FILE *const file = fopen(path, "r");
    if (file == NULL) fail_msg("no %s", path);
    fread(text, 1, sizeof text - 1, file);
    fclose(file);
    assert_string_equal(text, expected);
}

/* Entries of the folder but "." and ".."; -1 when there is none. */
static inline int entries(const char *path)
{
    DIR *const folder = opendir(path);
    if (folder == NULL) return -1;
    int count = -2;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static inline void expect_commit(struct sink *sink, enum status expected, const char *words)
{
    struct fault fault = {0};
    expect_status(sink->commit(sink, &fault), expected, &fault);
    expect_words(&fault, words);
}

static inline void abort_and_destroy(struct sink *sink)
{
    sink->abort(sink);
    sink->abort(sink);
    sink->destroy(sink);
}

static inline void refuse_begin(const char *name, enum status status)
{
    struct fault fault = {0};
    struct sink *const sink = create("out", false);
    expect_status(sink->begin(sink, 0, name, SINK_DATA, &fault), status, &fault);
    abort_and_destroy(sink);
    assert_int_equal(entries("."), 0);
}

#endif
