/* test_name_set.c - sets of names, against a list that is gone through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/output/name_set.h"

#include <stdio.h>
#include <string.h>

static void finds_what_was_added(void **state)
{
    (void)state;
    struct name_set set = {.names = NULL};
    assert_false(name_set_has(&set, ""));
    static const char *const names[] = {"b", "a", "ab", "b", "", "b/c", "\xC3\xA4"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_true(name_set_add(&set, names[i]));
        assert_true(name_set_has(&set, names[i])); /* also between two additions */
    }
    assert_int_equal(set.count, 6);
    assert_false(name_set_has(&set, "abc"));
    assert_false(name_set_has(&set, "b/"));
    name_set_free(&set);
    assert_false(name_set_has(&set, "a"));
}

static void finds_the_first_bytes(void **state)
{
    (void)state;
    struct name_set set = {.names = NULL};
    assert_true(name_set_add(&set, "acme.xml") && name_set_add(&set, "acme") && name_set_add(&set, "acme_1"));
    static const char text[] = "acme.xml.TOK";
    for (size_t length = 0; length <= strlen(text); length++)
        assert_int_equal(name_set_has_first(&set, text, length), length == 4 || length == 8);
    name_set_free(&set);
}

static void holds_many(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static char names[COUNT][8];
    struct name_set set = {.names = NULL};
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "%u", i * 7919 % COUNT);
        if (i % 3 != 0) assert_true(name_set_add(&set, names[i]));
        if (i % 3 != 0 && i % 5 == 0) assert_true(name_set_add(&set, names[i]));
    }
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(name_set_has(&set, names[i]), i % 3 != 0);
    name_set_sort(&set);
    for (size_t i = 1; i < set.count; i++)
        assert_true(strcmp(set.names[i - 1], set.names[i]) < 0);
    name_set_free(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_what_was_added),
                                       cmocka_unit_test(finds_the_first_bytes), cmocka_unit_test(holds_many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
