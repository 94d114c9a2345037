/* test_file_name.c - names of data files, and the escaping of texts (output_text.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/output/file_name.h"
#include "io/output/output_text.h"

#include <string.h>

#define RUN_ID "0123456789abcdef"

static struct file_name_values values(uint32_t part)
{
    return (struct file_name_values){.name = "acme", .run_time = 1795316400, .run_id = RUN_ID, .part = part};
}

static struct file_name_pattern pattern_of(const char *text)
{
    return (struct file_name_pattern){.key = "files.name", .text = text, .suffix = ""};
}

static void expect_name(const char *pattern, uint32_t part, const char *expected)
{
    struct file_name_values const given = values(part);
    struct file_name_pattern const key = pattern_of(pattern);
    struct fault fault = {0};
    char out[FILE_NAME_SIZE];
    enum status const status = file_name_expand(&key, &given, out, &fault);
    assert_string_equal(fault.message, "");
    assert_int_equal(status, STATUS_OK);
    assert_string_equal(out, expected);
}

static void expect_refused(const char *pattern, const char *words)
{
    struct file_name_values const given = values(1);
    struct file_name_pattern const key = pattern_of(pattern);
    struct fault fault = {0};
    char out[FILE_NAME_SIZE];
    assert_int_equal(file_name_expand(&key, &given, out, &fault), STATUS_JOB);
    assert_int_equal(fault.status, STATUS_JOB);
    if (strstr(fault.message, words) == NULL) fail_msg("'%s' not in: %s", words, fault.message);
}

static void expands(void **state)
{
    (void)state;
    expect_name("{name}_{run_time}_{part}.csv", 1, "acme_20261122T030000Z_0001.csv");
    expect_name("{run_id}", 1, RUN_ID);
    expect_name("{part}", 9999, "9999");
    expect_name("{part}", 10000, "10000");
    expect_name("{part}", UINT32_MAX, "4294967295");
    expect_name("{name}{name}-\xC3\xA4.csv", 1, "acmeacme-\xC3\xA4.csv");
    expect_name("plain", 7, "plain");
}

static void refuses(void **state)
{
    (void)state;
    expect_refused("", "can't be the name");
    expect_refused(".", "can't be the name");
    expect_refused("..", "can't be the name");
    expect_refused("a/{name}", "destination.url");
    expect_refused("a\tb", "a\\x09b");
    expect_refused("{nome}", "{nome}; allowed are {name} {run_time} {run_id} {part}");
    expect_refused("{no\nme}", "{no\\x0ame}");
    expect_refused("{}", "unknown placeholder {}");
    expect_refused("{name", "\"{\" without its partner");
    expect_refused("{na{me}", "\"{\" without its partner");
    expect_refused("name}", "\"}\" without its partner");
    expect_refused("{segment_id}.csv", "unknown placeholder {segment_id}; allowed are {name}");
    expect_refused("{segment_name}.csv", "unknown placeholder {segment_name}");
}

static void knows_segments_and_suffixes(void **state)
{
    (void)state;
    struct file_name_values given = values(2);
    given.segment_id = "59bd{part}";
    struct file_name_pattern pattern = {
        .key = "files.name", .text = "{segment_name}_{part}.csv", .suffix = ".gz"};
    struct fault fault = {0};
    char out[FILE_NAME_SIZE];
    /* without a name the id stands there; what a value holds is no placeholder */
    assert_int_equal(file_name_expand(&pattern, &given, out, &fault), STATUS_OK);
    assert_string_equal(out, "59bd{part}_0002.csv.gz");
    given.segment_name = "loyal";
    pattern.text = "{segment_name}-{segment_id}";
    assert_int_equal(file_name_expand(&pattern, &given, out, &fault), STATUS_OK);
    assert_string_equal(out, "loyal-59bd{part}.gz");
    given.segment_name = "a/b";
    assert_int_equal(file_name_expand(&pattern, &given, out, &fault), STATUS_JOB);
    /* a manifest has no parts */
    given.part = 0;
    pattern = (struct file_name_pattern){.key = "pega.manifest", .text = "{part}.xml", .suffix = ""};
    assert_int_equal(file_name_expand(&pattern, &given, out, &fault), STATUS_JOB);
    assert_string_equal(fault.message,
                        "pega.manifest: unknown placeholder {part}; allowed are {name} {run_time} "
                        "{run_id} {segment_id} {segment_name}");
    pattern.text = "";
    assert_int_equal(file_name_expand(&pattern, &given, out, &fault), STATUS_JOB);
    /* the suffix alone makes no name, and counts */
    pattern.suffix = ".gz";
    assert_int_equal(file_name_expand(&pattern, &given, out, &fault), STATUS_JOB);
    assert_non_null(strstr(fault.message, "can't be the name"));
}

static void expands_texts(void **state)
{
    (void)state;
    struct file_name_values const given = values(0);
    struct fault fault = {0};
    char out[16];
    assert_int_equal(file_name_expand_text("pega.path_prefix", "a/{name}/", &given, out, sizeof out, &fault),
                     STATUS_OK);
    assert_string_equal(out, "a/acme/");
    assert_int_equal(file_name_expand_text("pega.path_prefix", "", &given, out, sizeof out, &fault),
                     STATUS_OK);
    assert_string_equal(out, "");
    assert_int_equal(
        file_name_expand_text("pega.path_prefix", "0123456789{name}", &given, out, sizeof out - 1, &fault),
        STATUS_OK);
    assert_int_equal(
        file_name_expand_text("pega.path_prefix", "0123456789{name}x", &given, out, sizeof out - 1, &fault),
        STATUS_JOB);
    assert_string_equal(fault.message, "pega.path_prefix: gives a text of 15 bytes; at most 14 are allowed");
}

static void bounds_length(void **state)
{
    (void)state;
    char pattern[1024];
    size_t const most = file_name_bytes_max(RUN_ID);
    assert_int_equal(most, 255 - 6 - 16);
    memset(pattern, 'x', sizeof pattern);
    pattern[most] = '\0';
    expect_name(pattern, 1, pattern);
    char temporary[FILE_NAME_SIZE];
    file_name_temporary(pattern, RUN_ID, temporary);
    assert_int_equal(strlen(temporary), 255);
    assert_string_equal(temporary + 1 + most, "." RUN_ID ".tmp");
    file_name_old(pattern, RUN_ID, temporary);
    assert_string_equal(temporary + 1 + most, "." RUN_ID ".old");
    for (size_t length = most + 1; length < 700; length++) {
        memset(pattern, 'x', sizeof pattern);
        pattern[length] = '\0';
        expect_refused(pattern, "at most 233");
    }
    memset(pattern, 'x', 300);
    memcpy(pattern + 300, "{part}", 7);
    expect_refused(pattern, "304 bytes");
    memset(pattern, 'x', 999);
    pattern[0] = '{';
    pattern[998] = '}';
    expect_refused(pattern, "unknown placeholder");
}

static void knows_run_ids(void **state)
{
    (void)state;
    char id[FILE_NAME_RUN_ID_MAX + 2];
    memset(id, 'a', sizeof id);
    id[FILE_NAME_RUN_ID_MAX + 1] = '\0';
    assert_false(file_name_run_id_valid(id));
    id[FILE_NAME_RUN_ID_MAX] = '\0';
    assert_true(file_name_run_id_valid(id));
    assert_true(file_name_run_id_valid("a"));
    assert_true(file_name_run_id_valid("scheduled__2026-11-22.1"));
    assert_false(file_name_run_id_valid(""));
    assert_false(file_name_run_id_valid("."));
    assert_false(file_name_run_id_valid(".."));
    assert_true(file_name_run_id_valid("-.a"));
    assert_false(file_name_run_id_valid("a/b"));
    assert_false(file_name_run_id_valid("a b"));
    assert_false(file_name_run_id_valid("\xC3\xA4"));
    struct file_name_values given = values(1);
    given.run_id = "../x";
    char out[FILE_NAME_SIZE];
    struct fault fault;
    struct file_name_pattern const pattern = pattern_of("{run_id}");
    assert_int_equal(file_name_expand(&pattern, &given, out, &fault), STATUS_USAGE);
    assert_non_null(strstr(fault.message, "../x"));
}

static void writes_run_time(void **state)
{
    (void)state;
    char text[FILE_NAME_TIME_SIZE];
    file_name_write_time(0, text);
    assert_string_equal(text, "19700101T000000Z");
    file_name_write_time(-1, text);
    assert_string_equal(text, "19691231T235959Z");
}

static void expect_json(const char *text, size_t length, const char *expected)
{
    char out[256];
    size_t const written = output_text_json(text, length, out, sizeof out);
    assert_string_equal(out, expected);
    assert_int_equal(written, strlen(expected));
}

#define JSON(text, expected) expect_json(text, sizeof text - 1, expected)

static void escapes_json(void **state)
{
    (void)state;
    JSON("", "");
    JSON("a\"b\\c/d", "a\\\"b\\\\c/d");
    JSON("\b\f\n\r\t", "\\b\\f\\n\\r\\t");
    JSON("\0\x01\x1f\x7f", "\\u0000\\u0001\\u001f\x7f");
    JSON("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
    JSON("a\xFF\x62", "a\xEF\xBF\xBD\x62");
    JSON("\xC3", "\xEF\xBF\xBD");
    JSON("\xE2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD");
    JSON("\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");                 /* a surrogate */
    JSON("\xC0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD");                                 /* overlong */
    JSON("\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"); /* beyond U+10FFFF */
    char small[4];
    assert_int_equal(output_text_json("ab\xE2\x82\xAC", 5, small, sizeof small), 2);
    assert_string_equal(small, "ab");
    assert_int_equal(output_text_json("a\n", 2, small, 3), 1);
    assert_int_equal(output_text_json("a", 1, small, 1), 0);
}

static void escapes_messages(void **state)
{
    (void)state;
    char out[64];
    assert_string_equal(output_text_printable("a b\xC3\xA4", out, sizeof out), "a b\xC3\xA4");
    assert_string_equal(output_text_printable("\x1b[2J\n\\", out, sizeof out), "\\x1b[2J\\x0a\\\\");
    assert_string_equal(output_text_printable("\xC2\x9b\xFF\x7f", out, sizeof out), "\\xc2\\x9b\\xff\\x7f");
    assert_string_equal(output_text_printable("", out, 8), "");
    assert_string_equal(output_text_printable("1234567", out, 8), "1234567");
    assert_string_equal(output_text_printable("12345678", out, 8), "1234...");
    assert_string_equal(output_text_printable("123\n", out, 8), "123\\x0a");
    assert_string_equal(output_text_printable("1234\n", out, 8), "1234...");
    assert_string_equal(output_text_printable("\n\n", out, 8), "\\x0a...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expands),         cmocka_unit_test(refuses),
        cmocka_unit_test(bounds_length),   cmocka_unit_test(knows_segments_and_suffixes),
        cmocka_unit_test(expands_texts),   cmocka_unit_test(knows_run_ids),
        cmocka_unit_test(writes_run_time), cmocka_unit_test(escapes_json),
        cmocka_unit_test(escapes_messages)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
