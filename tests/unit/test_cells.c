/* test_cells.c - what cells keep when keys come again: duplicates, prefixes, namespaces in several spellings,
 * members under [*], and their bounds. The walks' side of it is in test_walk.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/walk_desk.h"

static const uint8_t record[256] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

static const uint32_t object = 77; /* any number; others follow */

struct fixture {
    struct walk_desk desk;
    struct cells *cells;
    struct walk_text text;
};

static void open_desk(struct fixture *f, const char *const *columns)
{
    *f = (struct fixture){0};
    struct walk_mapping mapping = {.columns = {NULL}};
    for (size_t i = 0; columns[i] != NULL; i++)
        mapping.columns[i] = columns[i];
    walk_desk_open(&f->desk, &mapping, 8, 256);
    f->cells = &f->desk.fast;
    cells_begin(f->cells, record);
}

static void close_desk(struct fixture *f)
{
    free(f->text.at);
    walk_desk_close(&f->desk);
}

static uint32_t slot(const struct fixture *f, size_t column)
{
    return f->desk.plan.columns[column].slots[0];
}

static uint32_t node_of_slot(const struct fixture *f, uint32_t wanted)
{
    for (uint32_t n = 0; n < f->desk.plan.node_count; n++)
        if (f->desk.plan.nodes[n].slot == wanted) return n;
    fail();
    return PLAN_NONE;
}

static uint32_t child(const struct fixture *f, uint32_t node, const char *key)
{
    uint8_t padded[64] = {0};
    memcpy(padded, key, strlen(key));
    const struct plan_node *from = &f->desk.plan.nodes[node];
    uint32_t const found = from->fold ? plan_find_fold(from, padded, (uint32_t)strlen(key))
                                      : plan_find(from, padded, (uint32_t)strlen(key));
    assert_int_not_equal(found, PLAN_NONE);
    return found;
}

/* The one byte of the record at `at` as a value. */
static void put(struct fixture *f, uint32_t s, uint32_t at)
{
    cells_put(f->cells, s, f->desk.plan.slot_many[s], record + at, 1);
}

static void expect_cells(struct fixture *f, const char *wanted)
{
    walk_text_cells(&f->text, f->cells);
    assert_string_equal(f->text.at, wanted);
}

static void values_are_kept_in_order(void **state)
{
    (void)state;
    struct fixture f;
    open_desk(&f, (const char *const[]){"a", "b[*]", "c", NULL});
    expect_cells(&f, "- ; - ; -");
    put(&f, slot(&f, 0), 1);
    put(&f, slot(&f, 1), 2);
    put(&f, slot(&f, 1), 3);
    put(&f, slot(&f, 1), 5);
    expect_cells(&f, "1 ; 2|3|5 ; -");
    put(&f, slot(&f, 0), 7);
    expect_cells(&f, "7 ; 2|3|5 ; -");
    cells_begin(f.cells, record + 10);
    expect_cells(&f, "- ; - ; -");
    close_desk(&f);
}

static void a_key_that_comes_again_wins(void **state)
{
    (void)state;
    struct fixture f;
    open_desk(&f, (const char *const[]){"a", "a.x", "a.y[*]", "b", NULL});
    uint32_t const a = child(&f, 0, "a");
    assert_true(cells_enter(f.cells, object, a, true));
    put(&f, slot(&f, 0), 1);
    put(&f, slot(&f, 1), 2);
    put(&f, slot(&f, 2), 3);
    put(&f, slot(&f, 3), 4);
    assert_true(cells_enter(f.cells, object, a, true));
    expect_cells(&f, "- ; - ; - ; 4 !");
    put(&f, slot(&f, 2), 5);
    expect_cells(&f, "- ; - ; 5 ; 4 !");
    cells_begin(f.cells, record); /* another record: nothing is remembered */
    assert_true(cells_enter(f.cells, object + 1, a, true));
    expect_cells(&f, "- ; - ; - ; -");
    close_desk(&f);
}

/* In an array of objects only the values of the object that holds the key twice go. */
static void a_duplicate_leaves_other_objects_alone(void **state)
{
    (void)state;
    struct fixture f;
    open_desk(&f, (const char *const[]){"a[*].x", "a[*].x.y[*]", NULL});
    uint32_t const x = node_of_slot(&f, slot(&f, 0));
    assert_true(cells_enter(f.cells, 1, x, true));
    put(&f, slot(&f, 0), 1);
    put(&f, slot(&f, 1), 2);
    assert_true(cells_enter(f.cells, 2, x, true));
    put(&f, slot(&f, 0), 3);
    put(&f, slot(&f, 1), 4);
    put(&f, slot(&f, 1), 5);
    assert_true(cells_enter(f.cells, 2, x, true));
    expect_cells(&f, "1 ; 2 !");
    put(&f, slot(&f, 0), 6);
    expect_cells(&f, "1|6 ; 2 !");
    close_desk(&f);
}

static void an_exact_key_beats_the_prefixed_one(void **state)
{
    (void)state;
    struct fixture f;
    open_desk(&f, (const char *const[]){"a", NULL});
    uint32_t const a = child(&f, 0, "a");
    assert_true(cells_enter(f.cells, 1, a, false)); /* xdm:a, a, xdm:a */
    put(&f, slot(&f, 0), 1);
    assert_true(cells_enter(f.cells, 1, a, true));
    expect_cells(&f, "-");
    put(&f, slot(&f, 0), 2);
    assert_false(cells_enter(f.cells, 1, a, false));
    expect_cells(&f, "2 !");
    cells_begin(f.cells, record); /* a, xdm:a, xdm:a */
    assert_true(cells_enter(f.cells, 2, a, true));
    put(&f, slot(&f, 0), 3);
    assert_false(cells_enter(f.cells, 2, a, false));
    expect_cells(&f, "3");
    assert_false(cells_enter(f.cells, 2, a, false));
    expect_cells(&f, "3 !");
    cells_begin(f.cells, record); /* xdm:a, a, a */
    assert_true(cells_enter(f.cells, 3, a, false));
    assert_true(cells_enter(f.cells, 3, a, true));
    put(&f, slot(&f, 0), 4);
    expect_cells(&f, "4");
    assert_true(cells_enter(f.cells, 3, a, true));
    expect_cells(&f, "- !");
    close_desk(&f);
}

/* ---- namespaces ---- */

static void fold(struct fixture *f, uint64_t number, const char *key, bool exact, uint32_t at)
{
    uint32_t const node = child(f, child(f, 0, "identityMap"), "ecid");
    if (!cells_enter_fold(f->cells, number, node, exact, (const uint8_t *)key + 1, (uint32_t)strlen(key) - 2))
        return;
    put(f, slot(f, 0), at);
    cells_leave_fold(f->cells, node);
}

static const char *const fold_columns[] = {"identityMap.ecid[*]", NULL};

static void spellings_are_joined_and_replace_themselves(void **state)
{
    (void)state;
    struct fixture f;
    open_desk(&f, fold_columns);
    fold(&f, 1, "\"ECID\"", true, 1);
    fold(&f, 1, "\"ecid\"", true, 2);
    fold(&f, 1, "\"Ecid\"", true, 3);
    expect_cells(&f, "1|2|3");
    fold(&f, 1, "\"ECID\"", true, 4);
    expect_cells(&f, "2|3|4 !");
    fold(&f, 1, "\"ecid\"", true, 5);
    fold(&f, 1, "\"ecid\"", true, 6);
    fold(&f, 1, "\"\\u0045CID\"", true, 7); /* ECID in other letters of JSON */
    expect_cells(&f, "3|6|7 !");
    fold(&f, 2, "\"ECID\"", true, 8); /* another object */
    expect_cells(&f, "3|6|7|8 !");
    close_desk(&f);
}

static void prefixed_spellings_give_way(void **state)
{
    (void)state;
    struct fixture f;
    open_desk(&f, fold_columns);
    fold(&f, 1, "\"xdm:ECID\"", false, 1);
    fold(&f, 1, "\"xdm:ecid\"", false, 2);
    expect_cells(&f, "1|2");
    fold(&f, 1, "\"Ecid\"", true, 3);
    expect_cells(&f, "3");
    fold(&f, 1, "\"xdm:eCID\"", false, 4);
    expect_cells(&f, "3");
    fold(&f, 1, "\"xdm:ecid\"", false, 5);
    expect_cells(&f, "3 !");
    cells_begin(f.cells, record);
    fold(&f, 2, "\"ECID\"", true, 1);
    fold(&f, 3, "\"xdm:ECID\"", false, 2); /* the exact one is another object's */
    fold(&f, 3, "\"ecid\"", true, 3);
    expect_cells(&f, "1|3");
    close_desk(&f);
}

/* Beyond the bound a spelling is not remembered: its values stay. */
static void spellings_have_a_bound(void **state)
{
    (void)state;
    struct fixture f;
    open_desk(&f, fold_columns);
    static char keys[16][7];
    for (uint32_t i = 0; i < 16; i++) { /* all 16 spellings */
        memcpy(keys[i], "\"ecid\"", sizeof keys[i]);
        for (uint32_t c = 0; c < 4; c++)
            if ((i >> c & 1) != 0) keys[i][1 + c] = (char)(keys[i][1 + c] - 'a' + 'A');
        fold(&f, 1, keys[i], true, i);
    }
    expect_cells(&f, "0|1|2|3|4|5|6|7|8|9|a|b|c|d|e|f");
    fold(&f, 1, "\"ecid\"", true, 20); /* the first of those that were remembered: its place is free again */
    expect_cells(&f, "1|2|3|4|5|6|7|8|9|a|b|c|d|e|f|k !");
    fold(&f, 1, "\"ECID\"", true, 21);
    expect_cells(&f, "1|2|3|4|5|6|7|8|9|a|b|c|d|e|f|k|l !");
    fold(&f, 1, "\"ecid\"", true, 22);
    expect_cells(&f, "1|2|3|4|5|6|7|8|9|a|b|c|d|e|f|l|m !");
    close_desk(&f);
}

/* ---- slots of which a record fills few ---- */

static void the_slots_of_segments_are_listed_when_filled(void **state)
{
    (void)state;
    struct fixture f = {0};
    struct walk_mapping const mapping = {
        .columns = {"b"}, .name_space = "ups", .segments = {"s1", "s2", "s3"}};
    walk_desk_open(&f.desk, &mapping, 8, 256);
    f.cells = &f.desk.fast;
    uint32_t const first = f.desk.plan.sparse_first;
    uint32_t const membership = child(&f, 0, "segmentMembership");
    cells_begin(f.cells, record);
    put(&f, first + 2, 1);
    put(&f, first, 2);
    put(&f, first + 2, 3);
    expect_cells(&f, "- ; 2 ; - ; 1|3");
    assert_int_equal(f.cells->filled_count, 2);
    assert_int_equal(f.cells->filled[0], first + 2);
    assert_int_equal(f.cells->filled[1], first);
    cells_begin(f.cells, record); /* nothing is left of the record before */
    expect_cells(&f, "- ; - ; - ; -");
    assert_int_equal(f.cells->filled_count, 0);
    /* a key that comes again: its values go, and a slot is listed once, however often it is filled */
    for (uint32_t i = 0; i < 10; i++) {
        assert_true(cells_enter(f.cells, 7, membership, true));
        put(&f, first + 1, i);
        put(&f, slot(&f, 0), i);
    }
    expect_cells(&f, "9 ; - ; 9 ; - !");
    assert_int_equal(f.cells->filled_count, 1);
    f.cells->item_count = f.cells->item_max; /* also when there is no room for the value */
    put(&f, first, 4);
    assert_true(f.cells->overflow);
    cells_begin(f.cells, record);
    expect_cells(&f, "- ; - ; - ; -");
    close_desk(&f);
}

/* ---- members under [*] ---- */

static void members_replace_themselves(void **state)
{
    (void)state;
    struct fixture f;
    open_desk(&f, (const char *const[]){"m[*]", "m[?@.k == 1]", NULL});
    const struct plan_node *m = &f.desk.plan.nodes[child(&f, 0, "m")];
    static const char *const keys[] = {"\"a\"", "\"b\"", "\"\\u0061\"", "\"c\"", "\"b\""};
    for (uint32_t i = 0; i < 5; i++) {
        uint32_t const member =
            cells_enter_member(f.cells, 1, m, (const uint8_t *)keys[i] + 1, (uint32_t)strlen(keys[i]) - 2);
        assert_int_not_equal(member, CELLS_NO_MEMBER);
        put(&f, slot(&f, 0), i);
        if (i != 3) put(&f, slot(&f, 1), i);
        cells_leave_member(f.cells, member);
    }
    expect_cells(&f, "2|3|4 ; 2|4 !");
    /* the same key in another object is another one, and an inner object's end leaves the outer one's members
     */
    uint32_t const inner = cells_enter_member(f.cells, 2, m, (const uint8_t *)keys[0] + 1, 1);
    put(&f, slot(&f, 0), 8);
    cells_leave_member(f.cells, inner);
    cells_leave_object(f.cells, 2);
    expect_cells(&f, "2|3|4|8 ; 2|4 !");
    cells_leave_member(f.cells, cells_enter_member(f.cells, 1, m, (const uint8_t *)keys[3] + 1, 1));
    expect_cells(&f, "2|4|8 ; 2|4 !");
    assert_int_equal(f.cells->member_count, 3);
    cells_leave_object(f.cells, 1);
    assert_int_equal(f.cells->member_count, 0);
    close_desk(&f);
}

static void members_have_a_bound(void **state)
{
    (void)state;
    struct fixture f;
    open_desk(&f, (const char *const[]){"m[*]", NULL});
    const struct plan_node *m = &f.desk.plan.nodes[child(&f, 0, "m")];
    static char keys[CELLS_MEMBERS_MAX + 1][10];
    for (int round = 0; round < 3; round++) {
        cells_begin(f.cells, record); /* of a walk that was broken off, the second time */
        for (uint32_t i = 0; i <= CELLS_MEMBERS_MAX; i++) {
            snprintf(keys[i], sizeof keys[i], "\"%06x\"", i * 7919u & 0xffffffu);
            uint32_t const member =
                cells_enter_member(f.cells, 5 + (uint64_t)round, m, (const uint8_t *)keys[i] + 1, 6);
            assert_int_equal(member, i < CELLS_MEMBERS_MAX ? i : CELLS_NO_MEMBER);
            cells_leave_member(f.cells, member);
        }
        assert_false(f.cells->duplicate);
        for (uint32_t i = 0; i < CELLS_MEMBERS_MAX; i++) /* each is found again */
            assert_int_equal(
                cells_enter_member(f.cells, 5 + (uint64_t)round, m, (const uint8_t *)keys[i] + 1, 6), i);
        assert_true(f.cells->duplicate);
        if (round == 1) cells_leave_object(f.cells, 6);
    }
    cells_leave_object(f.cells, 7);
    for (uint32_t i = 0; i < 2 * CELLS_MEMBERS_MAX; i++)
        assert_int_equal(f.cells->member_table[i], 0);
    close_desk(&f);
}

static void items_have_a_bound(void **state)
{
    (void)state;
    struct fixture f;
    open_desk(&f, (const char *const[]){"a[*]", "b", NULL});
    assert_int_equal(f.cells->item_max, CELLS_ITEMS_MIN); /* for records of 256 bytes */
    for (uint32_t i = 0; i < CELLS_ITEMS_MIN; i++)
        put(&f, slot(&f, 0), i % 60);
    assert_false(f.cells->overflow);
    put(&f, slot(&f, 1), 1);
    assert_false(f.cells->overflow);
    put(&f, slot(&f, 0), 1);
    assert_true(f.cells->overflow);
    cells_begin(f.cells, record);
    assert_false(f.cells->overflow);
    close_desk(&f);
}

static void memory_is_what_is_told(void **state)
{
    (void)state;
    struct fixture f;
    open_desk(&f, (const char *const[]){"a", "b.c", NULL});
    assert_int_equal(f.cells->item_max, 0);
    assert_int_equal(f.cells->member_max, 0);
    assert_int_equal(cells_bytes(&f.desk.plan, 1 << 20),
                     2 * sizeof(struct cell) + 4 * sizeof(struct cells_seen));
    close_desk(&f);
    open_desk(&f, (const char *const[]){"a[*]", NULL});
    assert_int_equal(cells_bytes(&f.desk.plan, 1 << 20) - cells_bytes(&f.desk.plan, 1 << 19),
                     (1 << 19) / CELLS_BYTES_PER_ITEM * sizeof(struct cells_item));
    close_desk(&f);
    struct cells none = {0};
    cells_destroy(&none);
}

/* ---- values that filters compare ---- */

static enum defect compared(struct fixture *f, const char *token, size_t *bad)
{
    return cells_compared(f->cells, (const uint8_t *)token, (uint32_t)strlen(token), bad);
}

static void what_cannot_be_compared(void **state)
{
    (void)state;
    struct fixture f;
    size_t bad = 99;
    open_desk(&f, (const char *const[]){"a", NULL});
    assert_int_equal(compared(&f, "\"plain\"", &bad), DEFECT_NONE);
    assert_int_equal(compared(&f, "\"\\n\\u0041\"", &bad), DEFECT_NONE);
    assert_int_equal(compared(&f, "12", &bad), DEFECT_NONE);
    assert_int_equal(compared(&f, "[\"\\ud800\"]", &bad), DEFECT_NONE);
    assert_int_equal(compared(&f, "\"x\\ud800\\u0000\"", &bad), DEFECT_LONE_SURROGATE);
    assert_int_equal(bad, 2);
    assert_int_equal(compared(&f, "\"\\u0000\\ud800\"", &bad), DEFECT_NULL_CHARACTER);
    assert_int_equal(bad, 1);
    f.desk.mapping.csv.null_character_drop = true;
    assert_int_equal(compared(&f, "\"\\u0000\"", &bad), DEFECT_NONE);
    assert_int_equal(compared(&f, "\"\\u0000\\ud800\"", &bad), DEFECT_LONE_SURROGATE);
    close_desk(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_kept_in_order),
        cmocka_unit_test(a_key_that_comes_again_wins),
        cmocka_unit_test(a_duplicate_leaves_other_objects_alone),
        cmocka_unit_test(an_exact_key_beats_the_prefixed_one),
        cmocka_unit_test(spellings_are_joined_and_replace_themselves),
        cmocka_unit_test(prefixed_spellings_give_way),
        cmocka_unit_test(spellings_have_a_bound),
        cmocka_unit_test(the_slots_of_segments_are_listed_when_filled),
        cmocka_unit_test(members_replace_themselves),
        cmocka_unit_test(members_have_a_bound),
        cmocka_unit_test(items_have_a_bound),
        cmocka_unit_test(memory_is_what_is_told),
        cmocka_unit_test(what_cannot_be_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
