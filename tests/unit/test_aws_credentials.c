/* test_aws_credentials.c - credentials as a value; times as AWS's services write them; command lines in
 * words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/aws/aws_credentials.h"
#include "io/aws/aws_time.h"
#include "io/aws/aws_words.h"

#include <stdlib.h>
#include <string.h>

static void copies_deeply(void **state)
{
    (void)state;
    struct aws_credentials first = {0}, second = {0};
    char token[] = "token";
    assert_true(aws_credentials_set(&first, "id", "secret", token, 77, "test"));
    token[0] = 'X';
    assert_true(aws_credentials_copy(&second, &first));
    assert_ptr_not_equal(first.session_token, second.session_token);
    aws_credentials_wipe(&first);
    assert_null(first.access_key_id);
    assert_null(first.session_token);
    assert_null(first.provider);
    assert_string_equal(second.access_key_id, "id");
    assert_string_equal(second.secret_access_key, "secret");
    assert_string_equal(second.session_token, "token");
    assert_string_equal(second.provider, "test");
    assert_int_equal(second.expires, 77);
    aws_credentials_wipe(&second);
    aws_credentials_wipe(&second);
}

static void needs_no_token(void **state)
{
    (void)state;
    struct aws_credentials first = {0}, second = {0};
    assert_true(aws_credentials_set(&first, "", "", NULL, 0, "test"));
    assert_true(aws_credentials_copy(&second, &first));
    assert_null(second.session_token);
    aws_credentials_wipe(&first);
    aws_credentials_wipe(&second);
    aws_wipe_free(NULL, 10);
}

static void expect_rfc3339(const char *text, int64_t expected)
{
    int64_t seconds = -1;
    bool const read = aws_time_rfc3339(text, &seconds);
    if (!read && expected >= 0) print_message("not read: %s\n", text);
    assert_int_equal(read, expected >= 0);
    if (read) assert_int_equal(seconds, expected);
}

static void reads_rfc3339(void **state)
{
    (void)state;
    expect_rfc3339("1970-01-01T00:00:00Z", 0);
    expect_rfc3339("2026-11-23T10:00:00Z", 1795428000);
    expect_rfc3339("2026-11-23t10:00:00z", 1795428000);
    expect_rfc3339("2026-11-23 10:00:00Z", 1795428000);
    expect_rfc3339("2026-11-23T10:00:00.999999999Z", 1795428000);
    expect_rfc3339("2026-11-23T11:00:00+01:00", 1795428000);
    expect_rfc3339("2026-11-23T11:00:00+0100", 1795428000);
    expect_rfc3339("2026-11-23T04:30:00-05:30", 1795428000);
    expect_rfc3339("2000-02-29T00:00:00Z", 951782400);
    expect_rfc3339("2100-03-01T00:00:00Z", 4107542400);
    expect_rfc3339("2016-12-31T23:59:60Z", 1483228800);
    expect_rfc3339("9999-12-31T23:59:59Z", 253402300799);
    static const char *const wrong[] = {"",
                                        "2026",
                                        "2026-11-23",
                                        "2026-11-23T10:00:00",
                                        "2026-11-23T10:00:00Zx",
                                        "2026-11-23T10:00:00.Z",
                                        "2026-11-23T10:00Z",
                                        "2026-02-29T10:00:00Z",
                                        "2100-02-29T10:00:00Z",
                                        "2026-13-01T10:00:00Z",
                                        "2026-00-01T10:00:00Z",
                                        "2026-01-00T10:00:00Z",
                                        "2026-01-32T10:00:00Z",
                                        "2026-11-23T24:00:00Z",
                                        "2026-11-23T10:60:00Z",
                                        "2026-11-23T10:00:61Z",
                                        "2026-11-23T10:00:00+1",
                                        "2026-11-23T10:00:00+24:00",
                                        "2026-11-23T10:00:00+01:60",
                                        "1969-12-31T23:59:59Z",
                                        "1970-01-01T00:00:00+01:00",
                                        "+026-11-23T10:00:00Z",
                                        "1795428000"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect_rfc3339(wrong[i], -1);
}

static void reads_http_dates(void **state)
{
    (void)state;
    int64_t seconds = 0;
    assert_true(aws_time_http("Mon, 23 Nov 2026 10:00:00 GMT", &seconds));
    assert_int_equal(seconds, 1795428000);
    assert_true(aws_time_http("Thu, 01 Jan 1970 00:00:01 GMT", &seconds));
    assert_int_equal(seconds, 1);
    static const char *const wrong[] = {"",
                                        "Mon, 23 Nov 2026 10:00:00 UTC",
                                        "Mon, 23 Xxx 2026 10:00:00 GMT",
                                        "Mon, 31 Nov 2026 10:00:00 GMT",
                                        "Monday, 23-Nov-26 10:00:00 GMT",
                                        "Mon, 23 Nov 2026 10:00:00 GMT ",
                                        "Mon  23 Nov 2026 10:00:00 GMT"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(aws_time_http(wrong[i], &seconds));
}

/* Words are given one after the other, each with its terminator. */
static void expect_words(const char *line, size_t expected, const char *words)
{
    char *const room = malloc(strlen(line) + 1);
    char *parts[AWS_WORDS_MAX + 1];
    size_t count = 0;
    assert_non_null(room);
    assert_int_equal(aws_words_split(line, room, parts, &count), AWS_WORDS_OK);
    assert_int_equal(count, expected);
    assert_null(parts[count]);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(parts[i], words);
        words += strlen(words) + 1;
    }
    free(room);
}

static void expect_no_words(const char *line, enum aws_words_end end)
{
    char *const room = malloc(strlen(line) + 1);
    char *parts[AWS_WORDS_MAX + 1];
    size_t count = 0;
    assert_non_null(room);
    assert_int_equal(aws_words_split(line, room, parts, &count), end);
    free(room);
}

/* What Python's shlex.split() gives. */
static void parts_words(void **state)
{
    (void)state;
    expect_words("", 0, "");
    expect_words(" \t\r\n ", 0, "");
    expect_words("a", 1, "a");
    expect_words(" a  b\nc ", 3, "a\0b\0c");
    expect_words("''", 1, "");
    expect_words("a '' b", 3, "a\0\0b");
    expect_words("a'b c'd", 1, "ab cd");
    expect_words("\"a b\" 'c d'", 2, "a b\0c d");
    expect_words("\"a\\\"b\\\\c\\d\\$\"", 1, "a\"b\\c\\d\\$");
    expect_words("'a\\b'", 1, "a\\b");
    expect_words("a\\ b\\c \\'", 2, "a bc\0'");
    expect_words("a#b # c ; | $x *", 7, "a#b\0#\0c\0;\0|\0$x\0*");
    expect_words("\"it's\" 'say \"x\"'", 2, "it's\0say \"x\"");
    expect_no_words("a 'b", AWS_WORDS_QUOTE);
    expect_no_words("a \"b\\\"", AWS_WORDS_QUOTE);
    expect_no_words("a \\", AWS_WORDS_ESCAPE);
    char many[2 * (AWS_WORDS_MAX + 1) + 1] = "";
    for (size_t i = 0; i < AWS_WORDS_MAX; i++)
        strcat(many, "a ");
    char *parts[AWS_WORDS_MAX + 1], room[sizeof many];
    size_t count = 0;
    assert_int_equal(aws_words_split(many, room, parts, &count), AWS_WORDS_OK);
    assert_int_equal(count, AWS_WORDS_MAX);
    strcat(many, "a");
    expect_no_words(many, AWS_WORDS_MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_deeply),    cmocka_unit_test(needs_no_token), cmocka_unit_test(reads_rfc3339),
        cmocka_unit_test(reads_http_dates), cmocka_unit_test(parts_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
