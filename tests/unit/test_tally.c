/* test_tally.c - sums lose nothing, the balance is exact, the names are the contract's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/tally.h"

#include <string.h>

#define NUMBERS (sizeof(struct tally) / sizeof(uint64_t))

/* Every number of a tally, so that a field that is added later can't be forgotten by tally_add(). */
static void adds_every_number(void **state)
{
    (void)state;
    uint64_t numbers[NUMBERS], more[NUMBERS];
    for (size_t i = 0; i < NUMBERS; i++) {
        numbers[i] = 1000 + i;
        more[i] = (UINT64_C(1) << 40) + 7 * i;
    }
    struct tally sum, other;
    memcpy(&sum, numbers, sizeof sum);
    memcpy(&other, more, sizeof other);
    tally_add(&sum, &other);
    assert_memory_equal(&other, more, sizeof other);
    memcpy(numbers, &sum, sizeof sum);
    for (size_t i = 0; i < NUMBERS; i++)
        assert_true(numbers[i] == 1000 + i + more[i]);
}

static void adds_in_any_order(void **state)
{
    (void)state;
    struct tally parts[3] = {
        {.input = 3, .delivered = 1, .failed[DEFECT_UTF8] = 2, .lines = 9},
        {.input = 5, .delivered = 4, .rows = 8, .skipped[SKIP_SEGMENT] = 1},
        {.input = 1, .failed[DEFECT_NULL_CHARACTER] = 1, .changed[CHANGE_FORMULA] = 6},
    };
    struct tally forward = {0}, backward = {0};
    for (int i = 0; i < 3; i++) {
        assert_true(tally_balanced(&parts[i]));
        tally_add(&forward, &parts[i]);
        tally_add(&backward, &parts[2 - i]);
    }
    assert_memory_equal(&forward, &backward, sizeof forward);
    assert_true(tally_balanced(&forward));
    assert_true(forward.input == 9 && forward.delivered == 5 && forward.rows == 8);
    assert_true(tally_failed(&forward) == 3 && tally_skipped(&forward) == 1);
}

static void balances_exactly(void **state)
{
    (void)state;
    struct tally tally = {0};
    assert_true(tally_balanced(&tally));
    tally.input = 1;
    assert_false(tally_balanced(&tally));
    tally.delivered = 1;
    assert_true(tally_balanced(&tally));
    tally.rows = 17; /* rows are no part of it: a record may have several */
    assert_true(tally_balanced(&tally));
    for (size_t i = 0; i < SKIP_COUNT; i++) {
        tally.skipped[i]++;
        assert_false(tally_balanced(&tally));
        tally.input++;
        assert_true(tally_balanced(&tally));
    }
    for (size_t i = DEFECT_NONE + 1; i < DEFECT_COUNT; i++) {
        tally.failed[i]++;
        assert_false(tally_balanced(&tally));
        tally.input++;
        assert_true(tally_balanced(&tally));
    }
    assert_true(tally_failed(&tally) == DEFECT_COUNT - 1 && tally_skipped(&tally) == SKIP_COUNT);
    tally.input++;
    tally.failed[DEFECT_NONE]++; /* a failure without a reason is a fault of ours: it must show */
    assert_false(tally_balanced(&tally));
}

static void names_are_the_contracts(void **state)
{
    (void)state;
    static const char *const defects[DEFECT_COUNT] = {
        "none",           "syntax",
        "utf8",           "unclosed_string",
        "truncated",      "depth",
        "too_large",      "trailing_content",
        "not_an_object",  "missing_identity",
        "bad_timestamp",  "lone_surrogate",
        "null_character",
    };
    static const char *const skips[SKIP_COUNT] = {"segment",   "consent",   "required",
                                                  "duplicate", "unchanged", "identity"};
    static const char *const changes[CHANGE_COUNT] = {"newline", "null_character", "formula"};
    for (unsigned i = 0; i < DEFECT_COUNT; i++)
        assert_string_equal(tally_defect_name((enum defect)i), defects[i]);
    for (unsigned i = 0; i < SKIP_COUNT; i++)
        assert_string_equal(tally_skip_name((enum skip)i), skips[i]);
    for (unsigned i = 0; i < CHANGE_COUNT; i++)
        assert_string_equal(tally_change_name((enum change)i), changes[i]);
    assert_string_equal(tally_defect_name(DEFECT_COUNT), "unknown");
    assert_string_equal(tally_skip_name(SKIP_COUNT), "unknown");
    assert_string_equal(tally_change_name(CHANGE_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_every_number),
        cmocka_unit_test(adds_in_any_order),
        cmocka_unit_test(balances_exactly),
        cmocka_unit_test(names_are_the_contracts),
    };
    return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}
