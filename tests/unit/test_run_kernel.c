/* test_run_kernel.c - what is said when this CPU, or the environment, gives a kernel that may not run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/record/record_walk.h"
#include "io/cli/run_kernel.h"

#include <stdlib.h>
#include <string.h>

static void names_the_variable(void **state)
{
    (void)state;
    struct fault fault;
    assert_int_equal(run_kernel_refuse("fallback", "haswell, westmere", &fault), STATUS_USAGE);
    assert_non_null(strstr(fault.message, "SIMDJSON_FORCE_IMPLEMENTATION: 'fallback'"));
    assert_non_null(strstr(fault.message, "allowed are haswell, westmere"));
}

static void names_what_the_cpu_lacks(void **state)
{
    (void)state;
    struct fault fault;
    assert_int_equal(run_kernel_refuse(NULL, "", &fault), STATUS_USAGE);
    assert_non_null(strstr(fault.message, "SSE4.2 or PCLMULQDQ"));
    assert_int_equal(run_kernel_refuse("fallback", "", &fault), STATUS_USAGE);
    assert_non_null(strstr(fault.message, "SSE4.2 or PCLMULQDQ")); /* unsetting it would not help */
}

/* simdjson reads its variable once: before this program asks it for anything. */
static void refuses_fallback(void **state)
{
    (void)state;
    struct fault fault;
    char names[128];
    assert_int_equal(setenv("SIMDJSON_FORCE_IMPLEMENTATION", "fallback", 1), 0);
    assert_false(record_parser_kernel_is_good());
    assert_int_equal(run_kernel_check(&fault), STATUS_USAGE);
    record_parser_kernels(names, sizeof names);
    assert_null(strstr(names, "fallback"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_the_variable),
        cmocka_unit_test(names_what_the_cpu_lacks),
        cmocka_unit_test(refuses_fallback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
