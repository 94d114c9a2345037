/* test_census.c - counts by key, and the bound, which chooses the same whatever the order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/inspect/census.h"

static struct census_entry *find(struct census *census, const char *name, const char *id, uint64_t offset)
{
    struct census_key const key = {.name = (const uint8_t *)name,
                                   .name_length = (uint32_t)strlen(name),
                                   .id = (const uint8_t *)id,
                                   .id_length = (uint32_t)strlen(id),
                                   .place = {.offset = offset}};
    return census_find(census, &key);
}

static void count(struct census *census, const char *name, const char *id, uint64_t offset)
{
    struct census_entry *const entry = find(census, name, id, offset);
    if (entry != NULL) entry->counts[offset % CENSUS_COUNTS]++;
}

static void test_names_fold_ids_do_not(void **state)
{
    (void)state;
    struct census census;
    assert_true(census_create(&census, 10));
    count(&census, "ups", "a", 4);
    count(&census, "UPS", "a", 8);
    count(&census, "ups", "A", 12);
    count(&census, "AAM", "a", 16);
    census_finish(&census);
    assert_int_equal(census.count, 3);
    assert_false(census.over);
    assert_string_equal(census.entries[0].name, "AAM");
    assert_string_equal(census.entries[1].id, "A");
    assert_string_equal(census.entries[2].id, "a");
    assert_string_equal(census.entries[2].name, "ups"); /* as first seen */
    assert_int_equal(census.entries[2].counts[0], 2);
    census_destroy(&census);
}

static void test_long_texts(void **state)
{
    (void)state;
    char name[CENSUS_NAME_MAX + 20], id[CENSUS_ID_MAX + 20];
    memset(name, 'n', sizeof name);
    memset(id, 'i', sizeof id);
    name[sizeof name - 1] = id[sizeof id - 1] = '\0';
    struct census census;
    assert_true(census_create(&census, 10));
    count(&census, name, id, 1);
    id[sizeof id - 2] = 'j'; /* told apart behind what is kept */
    count(&census, name, id, 2);
    census_finish(&census);
    assert_int_equal(census.count, 2);
    assert_int_equal(strlen(census.entries[0].name), CENSUS_NAME_MAX);
    assert_int_equal(strlen(census.entries[1].id), CENSUS_ID_MAX);
    census_destroy(&census);
}

static void assert_same(const struct census *a, const struct census *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->over, b->over);
    for (uint32_t i = 0; i < a->count; i++) {
        assert_string_equal(a->entries[i].name, b->entries[i].name);
        assert_string_equal(a->entries[i].id, b->entries[i].id);
        assert_memory_equal(a->entries[i].counts, b->entries[i].counts, sizeof a->entries[i].counts);
        assert_int_equal(a->entries[i].first.offset, b->entries[i].first.offset);
    }
}

/* `ids` keys `times` times each, at once and in parts that are merged in either direction. */
static void compare(uint32_t limit, uint32_t ids, uint32_t times)
{
    struct census all, parts[3];
    assert_true(census_create(&all, limit));
    for (size_t p = 0; p < 3; p++)
        assert_true(census_create(&parts[p], limit));
    for (uint32_t i = 0; i < ids * times; i++) {
        char id[16];
        snprintf(id, sizeof id, "%u", i * 7919 % ids);
        count(&all, i % 2 == 0 ? "Ups" : "ups", id, i);
        count(&parts[i % 3], i % 2 == 0 ? "Ups" : "ups", id, i);
    }
    assert_true(census_merge(&parts[2], &parts[0]));
    assert_true(census_merge(&parts[2], &parts[1]));
    census_finish(&all);
    census_finish(&parts[2]);
    assert_same(&all, &parts[2]);
    assert_int_equal(all.over, ids > limit);
    assert_int_equal(all.count, ids < limit ? ids : limit);
    for (uint32_t i = 0; i < all.count; i++) { /* what stays was counted from its first sight on */
        uint64_t sum = 0;
        for (unsigned c = 0; c < CENSUS_COUNTS; c++)
            sum += all.entries[i].counts[c];
        assert_int_equal(sum, times);
    }
    census_destroy(&all);
    for (size_t p = 0; p < 3; p++)
        census_destroy(&parts[p]);
}

static void test_bound(void **state)
{
    (void)state;
    for (uint32_t ids = 1; ids < 40; ids++)
        compare(8, ids, 5);
    compare(8, 1000, 3);
    compare(100, 1000, 3);
    compare(1, 50, 2);
}

static void test_distinct(void **state)
{
    (void)state;
    struct census a, b;
    assert_true(census_create(&a, 4));
    assert_true(census_create(&b, 4));
    for (uint64_t i = 0; i < 100; i++) {
        uint64_t const hash = key_digest_of(&i, sizeof i).low;
        assert_true(hyperloglog_add(&find(i % 2 == 0 ? &a : &b, "crm", "", i)->distinct, hash));
    }
    assert_true(census_merge(&a, &b));
    census_finish(&a);
    uint64_t const estimate = hyperloglog_estimate(&a.entries[0].distinct);
    assert_true(estimate > 90 && estimate < 110);
    census_destroy(&a);
    census_destroy(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_fold_ids_do_not),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_distinct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
