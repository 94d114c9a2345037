/* test_verify_place.c - names of a manifest as places: with a job's prefix, without one, and names that lead
 * elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/verify/verify_place.h"

#include <string.h>

static struct verify_place place;
static char out[VERIFY_PLACE_MAX];

static void goes_to(const char *name, const char *wanted, const char *wanted_relative)
{
    const char *relative = NULL;
    assert_int_equal(verify_place_of(&place, name, out, &relative), VERIFY_PLACE_FINE);
    assert_string_equal(out, wanted);
    assert_string_equal(relative, wanted_relative);
}

static void takes_off_the_prefix_of_a_job(void **state)
{
    (void)state;
    assert_true(verify_place_make(&place, "DataJobs/CustomerData/m.xml", "CustomerData/", "acme"));
    goes_to("CustomerData/a.csv", "DataJobs/CustomerData/a.csv", "a.csv");
    goes_to("CustomerData/x/a.csv", "DataJobs/CustomerData/x/a.csv", "x/a.csv");
    assert_int_equal(verify_place_of(&place, "Other/a.csv", out, NULL), VERIFY_PLACE_PREFIX);
    assert_int_equal(verify_place_of(&place, "CustomerData/", out, NULL), VERIFY_PLACE_OUTSIDE);
    assert_true(verify_place_make(&place, "m.xml", "in/{name}_", "acme"));
    goes_to("in/acme_a.csv", "a.csv", "a.csv");
    assert_true(verify_place_make(&place, "m.xml", "", "acme"));
    goes_to("x/a.csv", "x/a.csv", "x/a.csv");
}

static void strips_folders_without_a_prefix(void **state)
{
    (void)state;
    /* only the run knew its time: as if there were no job */
    assert_true(verify_place_make(&place, "out/m.xml", "in/{run_time}/", "acme"));
    assert_false(place.has_prefix);
    assert_true(verify_place_make(&place, "out/m.xml", NULL, ""));
    assert_int_equal(verify_place_folders("a/b/c.csv"), 2);
    static const unsigned strips[] = {2, 0, 1};
    static const char *const wanted[] = {"out/c.csv", "out/a/b/c.csv", "out/b/c.csv"};
    for (unsigned nth = 0; nth <= 2; nth++) {
        place.strip = verify_place_strip(2, nth);
        assert_int_equal(place.strip, strips[nth]);
        goes_to("a/b/c.csv", wanted[nth], wanted[nth] + 4);
    }
    place.strip = 5; /* more than there are */
    goes_to("c.csv", "out/c.csv", "c.csv");
}

static void stays_below_the_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"../a.csv", "x/../../a.csv", "/etc/passwd", "x//a.csv",
                                        "./a.csv",  "x/.",           "x/..",        ""};
    assert_true(verify_place_make(&place, "out/m.xml", NULL, ""));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(verify_place_of(&place, names[i], out, NULL), VERIFY_PLACE_OUTSIDE);
    goes_to("...", "out/...", "...");
    goes_to("..a/b.", "out/..a/b.", "..a/b.");
}

static void holds_its_bounds(void **state)
{
    (void)state;
    static char name[VERIFY_PLACE_MAX + 8];
    memset(name, 'n', VERIFY_PLACE_MAX);
    assert_true(verify_place_make(&place, "m.xml", NULL, ""));
    assert_int_equal(verify_place_of(&place, name, out, NULL), VERIFY_PLACE_OUTSIDE);
    name[VERIFY_PLACE_MAX - 1] = '\0';
    assert_int_equal(verify_place_of(&place, name, out, NULL), VERIFY_PLACE_FINE);
    name[VERIFY_PLACE_MAX - 1] = '/';
    assert_false(verify_place_make(&place, name, NULL, ""));
    assert_true(verify_place_make(&place, "m.xml", name, ""));
    assert_false(place.has_prefix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_off_the_prefix_of_a_job),
        cmocka_unit_test(strips_folders_without_a_prefix),
        cmocka_unit_test(stays_below_the_folder),
        cmocka_unit_test(holds_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
