/* test_log.c - log lines: levels, forms, escapes; and the signals' flag. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/status.h"
#include "io/cli/log.h"
#include "io/cli/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Logs `text` as an error and returns the line, to be freed. */
static char *logged(enum log_format format, const char *text)
{
    char *line = NULL;
    size_t size = 0;
    struct log logger = {.most = LOG_LEVEL_INFO, .format = format};
    logger.stream = open_memstream(&line, &size);
    assert_non_null(logger.stream);
    log_error(&logger, "%s", text);
    assert_int_equal(fclose(logger.stream), 0);
    return line;
}

static void check_text(const char *text, const char *expected)
{
    char *const line = logged(LOG_FORMAT_TEXT, text);
    char whole[256];
    snprintf(whole, sizeof whole, "penstock: error: %s\n", expected);
    assert_string_equal(line, whole);
    free(line);
}

static void check_json(const char *text, const char *expected)
{
    char *const line = logged(LOG_FORMAT_JSON, text);
    char whole[256];
    /* {"time":"2026-11-22T03:00:00.000Z", */
    assert_int_equal(strlen("{\"time\":\"2026-11-22T03:00:00.000Z\","), strcspn(line, ",") + 1);
    snprintf(whole, sizeof whole, "\"level\":\"error\",\"message\":\"%s\"}\n", expected);
    assert_string_equal(line + strcspn(line, ",") + 1, whole);
    free(line);
}

static void test_escapes(void **state)
{
    (void)state;
    check_text("plain \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80",
               "plain \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80");
    check_text("a\nb\x1B[31m\x7F\t", "a\\nb\\x1b[31m\\x7f\\x09");
    check_text("\xC2\x9B"
               "C1",
               "\\xc2\\x9b"
               "C1");
    check_text("\xFF\xC0\xAF\xED\xA0\x80\xE2\x82", "\\xff\\xc0\\xaf\\xed\\xa0\\x80\\xe2\\x82");
    check_json("say \"hi\\\"\n\x01", "say \\\"hi\\\\\\\"\\u000a\\u0001");
    check_json("\xC2\x9B\x7F\xC3\xA9\xFF", "\\u009b\\u007f\xC3\xA9\xEF\xBF\xBD");
}

static void test_long_message(void **state)
{
    (void)state;
    static char text[20000];
    for (size_t i = 0; i + 3 < sizeof text; i += 3)
        memcpy(text + i, "\xE2\x82\xAC", 3);
    char *line = logged(LOG_FORMAT_TEXT, text);
    assert_null(strstr(line, "\\x")); /* cut between characters */
    assert_string_equal(line + strlen(line) - 4, "...\n");
    free(line);
    memset(text, 1, sizeof text - 1); /* every byte becomes six */
    line = logged(LOG_FORMAT_JSON, text);
    assert_string_equal(line + strlen(line) - 6, "...\"}\n");
    free(line);
}

static void test_levels(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "penstock: error: e\n",
        "penstock: error: e\npenstock: warning: w\n",
        "penstock: error: e\npenstock: warning: w\npenstock: i\n",
        "penstock: error: e\npenstock: warning: w\npenstock: i\npenstock: d\n",
    };
    for (int most = LOG_LEVEL_ERROR; most <= LOG_LEVEL_DETAIL; most++) {
        char *lines = NULL;
        size_t size = 0;
        struct log logger = {.most = (enum log_level)most, .format = LOG_FORMAT_TEXT};
        logger.stream = open_memstream(&lines, &size);
        assert_non_null(logger.stream);
        log_error(&logger, "%s", "e");
        log_warning(&logger, "%s", "w");
        log_info(&logger, "%s", "i");
        log_detail(&logger, "%s", "d");
        assert_int_equal(fclose(logger.stream), 0);
        assert_string_equal(lines, expected[most]);
        free(lines);
    }
}

static void test_signals(void **state)
{
    (void)state;
    struct fault fault;
    signals_reset();
    assert_int_equal(signals_install(&fault), STATUS_OK);
    assert_int_equal(signals_caught(), STATUS_OK);
    assert_int_equal(raise(SIGINT), 0);
    assert_int_equal(signals_caught(), STATUS_INTERRUPTED);
    assert_int_equal(raise(SIGTERM), 0); /* the first one counts */
    assert_int_equal(signals_caught(), STATUS_INTERRUPTED);

    signals_reset();
    assert_int_equal(signals_install(&fault), STATUS_OK);
    assert_int_equal(raise(SIGTERM), 0);
    assert_int_equal(signals_caught(), STATUS_TERMINATED);

    assert_string_equal(signals_name(), "SIGTERM");

    signal(SIGHUP, SIG_DFL); /* whatever the tests were started with */
    signals_reset();
    assert_int_equal(signals_install(&fault), STATUS_OK);
    assert_int_equal(raise(SIGHUP), 0);
    assert_int_equal(signals_caught(), STATUS_TERMINATED);
    assert_string_equal(signals_name(), "SIGHUP");

    signals_reset();
    signal(SIGHUP, SIG_IGN); /* nohup */
    assert_int_equal(signals_install(&fault), STATUS_OK);
    assert_int_equal(raise(SIGHUP), 0);
    assert_int_equal(signals_caught(), STATUS_OK);
    signal(SIGHUP, SIG_DFL);

    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_int_equal(write(ends[1], "x", 1), -1); /* and not killed by SIGPIPE */
    assert_int_equal(errno, EPIPE);
    close(ends[1]);
}

static void test_second_signal(void **state)
{
    (void)state;
    pid_t const child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signals_reset();
        if (signals_install(NULL) != STATUS_OK) _exit(1);
        raise(SIGINT);
        raise(SIGINT);
        _exit(2);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGINT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes), cmocka_unit_test(test_long_message),  cmocka_unit_test(test_levels),
        cmocka_unit_test(test_signals), cmocka_unit_test(test_second_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
