/* test_status.c - faults are filled whole or visibly cut; statuses are the contract's numbers and names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/status.h"

#include <string.h>

static void fills_and_returns(void **state)
{
    (void)state;
    struct fault fault;
    memset(&fault, 0xAA, sizeof fault);
    assert_int_equal(fault_set(&fault, STATUS_JOB, "%s:%d: %s", "job.yaml", 12, "unknown key"), STATUS_JOB);
    assert_int_equal(fault.status, STATUS_JOB);
    assert_string_equal(fault.message, "job.yaml:12: unknown key");
    assert_int_equal(fault_set(&fault, STATUS_IO, "%s", ""), STATUS_IO); /* a later one replaces it */
    assert_int_equal(fault.status, STATUS_IO);
    assert_string_equal(fault.message, "");
}

static void takes_null(void **state)
{
    (void)state;
    assert_int_equal(fault_set(NULL, STATUS_RIGHTS, "%s", "dropped"), STATUS_RIGHTS);
}

static void cuts_what_is_too_long(void **state)
{
    (void)state;
    static char text[FAULT_MESSAGE_MAX + 10];
    struct fault fault;
    for (size_t length = FAULT_MESSAGE_MAX - 4; length < FAULT_MESSAGE_MAX + 9; length++) {
        memset(text, 'x', length);
        text[length] = '\0';
        memset(&fault, 0xAA, sizeof fault);
        fault_set(&fault, STATUS_IO, "%s", text);
        size_t const got = strnlen(fault.message, sizeof fault.message);
        if (length < FAULT_MESSAGE_MAX) {
            assert_string_equal(fault.message, text);
        } else {
            assert_int_equal(got, FAULT_MESSAGE_MAX - 1);
            assert_string_equal(fault.message + got - 4, "x...");
        }
    }
}

static void statuses_are_the_contracts(void **state)
{
    (void)state;
    static const struct {
        enum status status;
        int number;
        const char *name;
    } rows[] = {
        {STATUS_OK, 0, "ok"},
        {STATUS_USAGE, 2, "usage"},
        {STATUS_INPUT, 65, "input"},
        {STATUS_NO_SOURCE, 66, "no_source"},
        {STATUS_INTERNAL, 70, "internal"},
        {STATUS_EXISTS, 73, "exists"},
        {STATUS_IO, 74, "io"},
        {STATUS_TRY_AGAIN, 75, "try_again"},
        {STATUS_RIGHTS, 77, "rights"},
        {STATUS_JOB, 78, "job"},
        {STATUS_INTERRUPTED, 130, "interrupted"},
        {STATUS_TERMINATED, 143, "terminated"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal((int)rows[i].status, rows[i].number);
        assert_string_equal(status_name(rows[i].status), rows[i].name);
    }
    assert_string_equal(status_name((enum status)1), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_and_returns),
        cmocka_unit_test(takes_null),
        cmocka_unit_test(cuts_what_is_too_long),
        cmocka_unit_test(statuses_are_the_contracts),
    };
    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
