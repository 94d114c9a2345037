/* test_aws_ini.c - the shared files' form: sections, nesting, comments, and what is wrong with a place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/aws/aws_ini.h"

#include <stdlib.h>
#include <string.h>

struct parsed {
    struct arena arena;
    struct aws_ini ini;
    struct fault fault;
    enum status status;
};

static struct parsed parse_as(const char *text, size_t length, bool credentials)
{
    struct parsed parsed = {.arena.secret = true};
    /* A copy of exactly that length: a sanitizer sees what is read behind it. */
    char *const copy = malloc(length == 0 ? 1 : length);
    assert_non_null(copy);
    memcpy(copy, text, length);
    parsed.status = aws_ini_parse(&parsed.arena, "f", copy, length, credentials, &parsed.ini, &parsed.fault);
    free(copy);
    return parsed;
}

static struct parsed parse(const char *text)
{
    struct parsed const parsed = parse_as(text, strlen(text), false);
    if (parsed.status != STATUS_OK) print_message("%s\n", parsed.fault.message);
    assert_int_equal(parsed.status, STATUS_OK);
    return parsed;
}

static const char *value(const struct aws_ini_section *section, const char *key)
{
    const struct aws_setting *const setting = aws_ini_get(section->settings, section->count, key);
    return setting == NULL ? NULL : setting->value;
}

static void expect_setting(const char *text, const char *key, const char *expected)
{
    struct parsed parsed = parse(text);
    assert_non_null(parsed.ini.first);
    const char *const got = value(parsed.ini.first, key);
    if (expected == NULL)
        assert_null(got);
    else
        assert_string_equal(got, expected);
    arena_free(&parsed.arena);
}

static void expect_fault(const char *text, size_t length, const char *message)
{
    struct parsed parsed = parse_as(text, length, false);
    assert_int_equal(parsed.status, STATUS_RIGHTS);
    assert_string_equal(parsed.fault.message, message);
    assert_null(parsed.ini.first);
    arena_free(&parsed.arena);
}

static void expect_section(const char *text, bool credentials, enum aws_ini_kind kind, const char *name)
{
    struct parsed parsed = parse_as(text, strlen(text), credentials);
    assert_int_equal(parsed.status, STATUS_OK);
    assert_int_equal(parsed.ini.count, 1);
    assert_int_equal(parsed.ini.first->kind, kind);
    assert_string_equal(parsed.ini.first->name, name);
    arena_free(&parsed.arena);
}

static void knows_sections(void **state)
{
    (void)state;
    expect_section("[default]", false, AWS_INI_PROFILE, "default");
    expect_section("[profile x]", false, AWS_INI_PROFILE, "x");
    expect_section(" [ profile\tx y ] # why\n", false, AWS_INI_PROFILE, "x y");
    expect_section("[profile \"a b\"];c", false, AWS_INI_PROFILE, "a b");
    expect_section("[profile 'a']", false, AWS_INI_PROFILE, "a");
    expect_section("[profile default]", false, AWS_INI_PROFILE, "default");
    expect_section("[x]", false, AWS_INI_OTHER, "x");
    expect_section("[profilex]", false, AWS_INI_OTHER, "profilex");
    expect_section("[profile]", false, AWS_INI_OTHER, "profile");
    expect_section("[services s]", false, AWS_INI_SERVICES, "s");
    expect_section("[sso-session s]", false, AWS_INI_SSO_SESSION, "s");
    expect_section("[x]", true, AWS_INI_PROFILE, "x");
    expect_section("[default]", true, AWS_INI_PROFILE, "default");
    expect_section("[profile x]", true, AWS_INI_PROFILE, "profile x");
}

static void knows_settings(void **state)
{
    (void)state;
    expect_setting("[default]\nregion = eu-central-1\n", "region", "eu-central-1");
    expect_setting("[default]\nregion=x", "region", "x");
    expect_setting("[default]\r\nREGION\t=\t x \r\n", "region", "x");
    expect_setting("\xEF\xBB\xBF[default]\nregion = x\n", "region", "x");
    expect_setting("[default]\nregion : x\n", "region", "x");
    expect_setting("[default]\nendpoint_url = http://h:1/\n", "endpoint_url", "http://h:1/");
    expect_setting("[default]\na = b=c==\n", "a", "b=c==");
    expect_setting("[default]\na =\n", "a", "");
    expect_setting("[default]\na = 1\na = 2\n", "a", "2");
    expect_setting("[default]\nb = 1\n", "a", NULL);
    expect_setting("  [default]\n  a = 1\n  b = 2\n", "b", "2");
    expect_setting("[default]\na = \xC3\xA4\n", "a", "\xC3\xA4");
}

static void passes_over_comments(void **state)
{
    (void)state;
    expect_setting("# c\n; c\n\n[default] # c\n  # c\n\t; c\na = 1 # c\n", "a", "1");
    expect_setting("[default]\na = 1#2\n", "a", "1#2");
    expect_setting("[default]\na =#2\n", "a", "#2");
    expect_setting("[default]\na = # c\n", "a", "");
    expect_setting("[default]\na = sh -c 'x ; y'\n", "a", "sh -c 'x ; y'");
    expect_setting("[default]\na = 1\t#c\n", "a", "1");
    expect_setting("[default]\n#a = 1\n", "a", NULL);
}

static void nests_by_indentation(void **state)
{
    (void)state;
    static const char text[] = "[default]\ns3 =\n  addressing_style = path\n\n # c\n\tMax = 3\nregion = x\n";
    expect_setting(text, "s3.addressing_style", "path");
    expect_setting(text, "s3.max", "3");
    expect_setting(text, "region", "x");
    expect_setting(text, "addressing_style", NULL);
    expect_setting("[default]\n  s3 = # c\n    a = 1\n  b = 2\n", "s3.a", "1");
    expect_setting("[default]\n  s3 =\n    a = 1\n  b = 2\n", "b", "2");
    expect_setting("[default]\ns3 =\n  a : 1 = 2\n", "s3.a : 1", "2");
    expect_setting("[services x]\ns3 =\n  endpoint_url = http://h\nsts =\n  endpoint_url = http://i\n",
                   "sts.endpoint_url", "http://i");
    /* A section ends what was open. */
    expect_setting("[default]\n  a = 1\n", "a", "1");
}

static void joins_longer_values(void **state)
{
    (void)state;
    expect_setting("[default]\na = 1\n  2 # c\n   3\nb = 4\n", "a", "1\n2\n3");
    expect_setting("[default]\na = 1\n  2\nb = 4\n", "b", "4");
    expect_setting("[default]\na = 1\n  b = 2\n", "a", "1\nb = 2");
}

static void keeps_order_and_lines(void **state)
{
    (void)state;
    struct parsed parsed = parse("[profile a]\nx = 1\n\n[profile b]\n[profile a]\nx = 2\n");
    assert_int_equal(parsed.ini.count, 3);
    const struct aws_ini_section *s = parsed.ini.first;
    assert_string_equal(value(s, "x"), "1");
    assert_int_equal(s->settings[0].line, 2);
    assert_string_equal(s->settings[0].file, "f");
    s = s->next;
    assert_int_equal(s->count, 0);
    assert_int_equal(s->line, 4);
    s = s->next;
    assert_string_equal(value(s, "x"), "2");
    assert_null(s->next);
    arena_free(&parsed.arena);
}

#define EXPECT_FAULT(text, message) expect_fault(text, sizeof(text) - 1, message)

static void refuses_with_a_place(void **state)
{
    (void)state;
    EXPECT_FAULT("a = 1\n",
                 "f:1: a setting before the first section; profiles begin with [default] or [profile NAME]");
    EXPECT_FAULT("[default]\n\nsecret\n", "f:3: neither a section ([name]) nor a setting (key = value)");
    EXPECT_FAULT("[default]\n= 1\n", "f:2: neither a section ([name]) nor a setting (key = value)");
    EXPECT_FAULT("[default\n", "f:1: a section begins with [ and lacks its ]");
    EXPECT_FAULT("[default] x\n", "f:1: only a comment may stand behind a section's ]");
    EXPECT_FAULT("[]\n", "f:1: the section has no name");
    EXPECT_FAULT("[ ]\n", "f:1: the section has no name");
    EXPECT_FAULT("[profile \"\"]\n", "f:1: the section has no name");
    EXPECT_FAULT("[default]\ns3 =\n  path\n",
                 "f:3: an indented line under a key without value must be a setting (key = value)");
    EXPECT_FAULT("[default]\na = \xFF\n", "f:2: not UTF-8 text");
    EXPECT_FAULT("[default]\na = \0\n", "f:2: a control character");
    EXPECT_FAULT("[default]\na = \x1B[0m\n", "f:2: a control character");
}

static void takes_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n", "\r\n", "\xEF\xBB\xBF", "# c", ";"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct parsed parsed = parse(texts[i]);
        assert_int_equal(parsed.ini.count, 0);
        assert_null(parsed.ini.first);
        arena_free(&parsed.arena);
    }
}

static void is_bounded(void **state)
{
    (void)state;
    size_t const many = AWS_INI_SECTIONS_MAX;
    char *const text = malloc(4 * (many + 1));
    assert_non_null(text);
    for (size_t i = 0; i <= many; i++)
        memcpy(text + 4 * i, "[a]\n", 4);
    struct parsed parsed = parse_as(text, 4 * many, false);
    assert_int_equal(parsed.status, STATUS_OK);
    assert_int_equal(parsed.ini.count, many);
    arena_free(&parsed.arena);
    expect_fault(text, 4 * (many + 1), "f:16385: more than 16384 sections");
    free(text);

    char key[AWS_INI_KEY_MAX + 32] = "[a]\n";
    memset(key + 4, 'k', AWS_INI_KEY_MAX + 1);
    strcpy(key + 4 + AWS_INI_KEY_MAX + 1, "=1\n");
    expect_fault(key, strlen(key), "f:2: the key is too long");

    size_t const lines = AWS_INI_LONG_VALUE_MAX / 2 + 8;
    char *const value_text = malloc(8 + 3 * lines);
    assert_non_null(value_text);
    memcpy(value_text, "[a]\nb=c\n", 8);
    for (size_t i = 0; i < lines; i++)
        memcpy(value_text + 8 + 3 * i, " d\n", 3);
    parsed = parse_as(value_text, 8 + 3 * lines, false);
    assert_int_equal(parsed.status, STATUS_RIGHTS);
    assert_non_null(strstr(parsed.fault.message, "a value of several lines is too long"));
    arena_free(&parsed.arena);
    free(value_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_sections),       cmocka_unit_test(knows_settings),
        cmocka_unit_test(passes_over_comments), cmocka_unit_test(nests_by_indentation),
        cmocka_unit_test(joins_longer_values),  cmocka_unit_test(keeps_order_and_lines),
        cmocka_unit_test(refuses_with_a_place), cmocka_unit_test(takes_nothing),
        cmocka_unit_test(is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
