/* test_row_identity.c - whose row it is: namespaces, the identities array, plain paths, one id or all of
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/row_desk.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void start(struct row_desk *desk, const char *const *paths, size_t count,
                  enum identity_multiple multiple)
{
    row_desk_start(desk, "id");
    struct identity *identity = &desk->job.mapping.identity;
    identity->paths = memory_paths(&desk->job.arena, paths, count);
    identity->path_count = count;
    identity->multiple = multiple;
    memory_column(&desk->job, "a");
}

static void check(const char *const *paths, size_t count, enum identity_multiple multiple,
                  const struct row_desk_pair *pairs, size_t pair_count)
{
    struct row_desk desk;
    start(&desk, paths, count, multiple);
    row_desk_check(&desk, pairs, pair_count);
}

static const char *const crm_or_id[] = {"identityMap.CRM", "id"};

static void reads_the_identities_array(void **state)
{
    (void)state;
    static const struct row_desk_pair pairs[] = {
        {"{\"identities\":[{\"id\":\"e\",\"namespace\":{\"code\":\"crm\"}}]}", "e,\n"},
        {"{\"identities\":[{\"id\":\"x\",\"namespace\":{\"code\":\"ECID\"}},{\"id\":\"e\",\"namespace\":{"
         "\"code\":"
         "\"CRM\"}}]}",
         "e,\n"},
        {"{\"identities\":[{\"id\":\"e\",\"namespace\":{\"code\":\"\\u0043rM\"}}]}", "e,\n"},
        {"{\"identities\":[{\"id\":\"e\",\"namespace\":{\"code\":\"crm2\"}}],\"id\":7}", "7,\n"},
        {"{\"identities\":[{\"id\":\"e\",\"namespace\":{\"code\":\"CR[\"}}],\"id\":7}", "7,\n"},
        {"{\"identities\":[{\"id\":\"e\",\"namespace\":{\"code\":3}}],\"id\":7}", "7,\n"},
        {"{\"identities\":[{\"id\":\"e\",\"namespace\":\"CRM\"},{\"id\":\"f\"}],\"id\":7}", "7,\n"},
        /* a code counts for its own element only */
        {"{\"identities\":[{\"id\":\"e\"},{\"namespace\":{\"code\":\"CRM\"}},{\"id\":\"f\"}],\"id\":7}",
         "7,\n"},
        {"{\"identities\":[{\"namespace\":{\"code\":\"CRM\"},\"id\":\"e\"},{\"id\":\"f\"}]}", "e,\n"},
        {"{\"identities\":[{\"id\":null,\"namespace\":{\"code\":\"CRM\"}},{\"id\":\"\",\"namespace\":{"
         "\"code\":"
         "\"CRM\"}},{\"id\":5,\"namespace\":{\"code\":\"CRM\"}}]}",
         "5,\n"},
        {"{\"xdm:identities\":[{\"xdm:id\":\"e\",\"xdm:namespace\":{\"xdm:code\":\"CRM\"}}]}", "e,\n"},
        /* no array, no identities */
        {"{\"identities\":{\"x\":{\"id\":\"e\",\"namespace\":{\"code\":\"CRM\"}}},\"id\":7}", "7,\n"},
        {"{\"identities\":\"CRM\",\"id\":7}", "7,\n"},
        {"{\"identities\":null,\"id\":7}", "7,\n"},
        /* the map's entries come first, wherever the array stands */
        {"{\"identities\":[{\"id\":\"e\",\"namespace\":{\"code\":\"CRM\"}}],\"identityMap\":{\"CRM\":[{"
         "\"id\":"
         "\"m\"}]}}",
         "m,\n"},
        {"{\"identities\":[{\"id\":\"e\",\"namespace\":{\"code\":\"CRM\"},\"primary\":true}],\"identityMap\":"
         "{"
         "\"CRM\":[{\"id\":\"m\",\"primary\":false}]}}",
         "e,\n"},
        {"{\"identities\":[{\"id\":\"e\",\"namespace\":{\"code\":\"x\"},\"primary\":true}],\"identityMap\":{"
         "\"CRM\":[{\"id\":\"m\"},{\"id\":\"n\"}]}}",
         "m,\n"},
        /* what is compared must be text; what is not may be anything */
        {"{\"identities\":[{\"id\":\"e\",\"namespace\":{\"code\":\"\\ud800\"}}]}",
         "fail lone_surrogate identityMap.CRM"},
        {"{\"identities\":[{\"namespace\":{\"code\":\"\\ud800\"}}],\"id\":7}", "7,\n"},
        {"{\"identities\":[{\"id\":\"\\ud800\",\"namespace\":{\"code\":\"x\"}}],\"id\":7}", "7,\n"},
        {"{\"identities\":[{\"id\":tru,\"namespace\":{\"code\":\"x\"}}],\"id\":7}", "fail syntax -"},
        {"{\"identities\":[{\"id\":1,\"namespace\":{\"code\":tru}}],\"id\":7}", "fail syntax -"},
    };
    check(crm_or_id, 2, IDENTITY_PRIMARY, pairs, COUNT(pairs));
}

static void takes_the_first_or_the_primary(void **state)
{
    (void)state;
    static const char record[] =
        "{\"identityMap\":{\"crm\":[{\"id\":\"\",\"primary\":true},{\"id\":\"a\"}],\"CRM\":[{\"id\":\"b\","
        "\"primary\":true},{\"id\":\"c\",\"primary\":true}]}}";
    static const struct row_desk_pair first = {record, "a,\n"}, primary = {record, "b,\n"},
                                      all = {record, "a,\nb,\nc,\n"};
    check(crm_or_id, 2, IDENTITY_FIRST, &first, 1);
    check(crm_or_id, 2, IDENTITY_PRIMARY, &primary, 1);
    check(crm_or_id, 2, IDENTITY_EXPLODE, &all, 1);
}

static void a_namespace_of_another_type_fails_the_record(void **state)
{
    (void)state;
    static const struct row_desk_pair pairs[] = {
        {"{\"identityMap\":{\"CRM\":{\"id\":\"m\"}},\"id\":7}", "fail missing_identity identityMap.CRM"},
        {"{\"identityMap\":{\"CRM\":{\"x\":{\"id\":\"m\"}}}}", "fail missing_identity identityMap.CRM"},
        {"{\"identityMap\":{\"CRM\":\"m\"},\"id\":7}", "fail missing_identity identityMap.CRM"},
        {"{\"identityMap\":{\"crm\":[{\"id\":\"m\"}],\"CRM\":5}}", "fail missing_identity identityMap.CRM"},
        {"{\"identityMap\":{\"CRM\":true,\"crm\":[{\"id\":\"m\"}]}}",
         "fail missing_identity identityMap.CRM"},
        {"{\"identityMap\":{\"CRM\":null},\"id\":7}", "7,\n"},
        {"{\"identityMap\":{\"CRM\":[],\"crm\":null},\"id\":7}", "7,\n"},
        {"{\"identityMap\":{\"CRM\":null,\"crm\":[{\"id\":\"m\"}]}}", "m,\n"},
        {"{\"identityMap\":{\"ECID\":{}},\"id\":7}", "7,\n"},
        {"{\"identityMap\":[],\"id\":7}", "7,\n"},
        {"{\"identityMap\":{\"CRM\":tru}}", "fail syntax -"},
        {"{\"identityMap\":{\"CRM\":{\"x\":1}},\"a\":tru}", "fail syntax -"},
        {"{\"identityMap\":{\"CRM\":{}},\"b\":tru}", "fail missing_identity identityMap.CRM"},
        {"{}", "skip identity"},
    };
    struct row_desk desk;
    start(&desk, crm_or_id, 2, IDENTITY_PRIMARY);
    desk.job.mapping.identity.missing = IDENTITY_SKIP; /* which makes no difference here */
    row_desk_check(&desk, pairs, COUNT(pairs));
}

/* Namespaces behind the path that gives an id are not judged. */
static void judges_paths_in_their_order(void **state)
{
    (void)state;
    static const char *const id_or_crm[] = {"id", "identityMap.CRM"};
    static const struct row_desk_pair pairs[] = {
        {"{\"identityMap\":{\"CRM\":{}},\"id\":7}", "7,\n"},
        {"{\"identityMap\":{\"CRM\":{}}}", "fail missing_identity identityMap.CRM"},
        {"{\"identityMap\":{\"CRM\":[{\"id\":\"m\"}]},\"id\":\"\"}", "m,\n"},
    };
    check(id_or_crm, 2, IDENTITY_PRIMARY, pairs, COUNT(pairs));
}

static void explodes(void **state)
{
    (void)state;
    static const struct row_desk_pair pairs[] = {
        {"{\"a\":1,\"identityMap\":{\"CRM\":[{\"id\":\"x,y\"},{\"id\":null},{\"id\":\"b\\n\"},{\"id\":0.10}]}"
         "}",
         "\"x,y\",1\n\"b\n\",1\n0.10,1\n"},
        {"{\"a\":1,\"identityMap\":{\"CRM\":[{\"id\":\"m\"}]},\"identities\":[{\"id\":\"e\",\"namespace\":{"
         "\"code\":\"crm\"}},{\"id\":\"f\",\"namespace\":{\"code\":\"x\"}},{\"id\":\"g\",\"namespace\":{"
         "\"code\":"
         "\"CRM\"}}]}",
         "m,1\ne,1\ng,1\n"},
        {"{\"identityMap\":{\"CRM\":[{\"id\":\"m\"},{\"id\":\"m\"}]}}", "m,\n"},
        {"{\"identityMap\":{\"CRM\":[{\"id\":7},{\"id\":\"x\"},{\"id\":\"\\u0037\"},{\"id\":\"y\"},{\"id\":"
         "\"x\"}]}}",
         "7,\nx,\ny,\n"}, /* once, at its first place, whatever its spelling */
        {"{\"identityMap\":{\"CRM\":[{\"id\":\"\"}]},\"ids\":[1,2]}", "1,\n"}, /* a plain path: its first */
        {"{\"identityMap\":{\"CRM\":[{\"id\":\"m\"},{\"id\":\"\\ud800\"}]}}",
         "fail lone_surrogate identityMap.CRM"},
        {"{\"identityMap\":{\"CRM\":[{\"id\":\"m\"},{\"id\":\"n\"}]},\"a\":tru}", "fail syntax -"},
        {"{\"identityMap\":{\"CRM\":[]}}", "fail missing_identity identityMap.CRM"},
    };
    static const char *const paths[] = {"identityMap.CRM", "ids[*]"};
    check(paths, 2, IDENTITY_EXPLODE, pairs, COUNT(pairs));
}

/* The shortest entries that there are: the room for ids is enough. */
static void has_room_for_every_id(void **state)
{
    (void)state;
    struct row_desk desk;
    struct memory_text record = {0}, wanted = {0};
    start(&desk, crm_or_id, 2, IDENTITY_EXPLODE);
    memory_print(&record, "{\"identityMap\":{\"CRM\":[{\"id\":0}");
    memory_print(&wanted, "0,\n");
    for (unsigned i = 1; i < 1000; i++) { /* most of them twice */
        char text[32];
        snprintf(text, sizeof text, ",{\"id\":%u}", i % 500);
        memory_print(&record, text);
        snprintf(text, sizeof text, "%u,\n", i);
        if (i < 500) memory_print(&wanted, text);
    }
    memory_append(&record, "]}}", 4);
    memory_append(&wanted, "", 1);
    desk.text_max = record.length - 1;
    row_desk_ready(&desk);
    assert_string_equal(row_desk_says(&desk, (char *)record.bytes), (char *)wanted.bytes);
    assert_int_equal(desk.row.id_count, 500);
    row_desk_end(&desk);
    memory_text_free(&record);
    memory_text_free(&wanted);
}

static void rows_may_be_written_in_any_order(void **state)
{
    (void)state;
    struct row_desk desk;
    uint8_t room[64];
    start(&desk, crm_or_id, 2, IDENTITY_EXPLODE);
    desk.job.mapping.csv.newline_to_space = true;
    row_desk_ready(&desk);
    (void)row_desk_says(&desk,
                        "{\"a\":\"\\n\",\"identityMap\":{\"CRM\":[{\"id\":\"\\n1\"},{\"id\":\"2\"}]}}");
    static const char *const wanted[] = {" 1, \n", "2, \n"};
    static const uint32_t changes[] = {2, 1}; /* counted for each row */
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t const id = i % 3 % 2;
        struct csv_out out = {.begin = room, .at = room, .end = room + sizeof room};
        assert_int_equal(csv_row_write(&desk.row, &desk.cells, id, &out), ROW_WRITTEN);
        assert_int_equal(out.at - room, strlen(wanted[id]));
        assert_memory_equal(room, wanted[id], strlen(wanted[id]));
        assert_int_equal(desk.row.changed[CHANGE_NEWLINE], changes[id]);
    }
    row_desk_end(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_identities_array),
        cmocka_unit_test(takes_the_first_or_the_primary),
        cmocka_unit_test(a_namespace_of_another_type_fails_the_record),
        cmocka_unit_test(judges_paths_in_their_order),
        cmocka_unit_test(explodes),
        cmocka_unit_test(has_room_for_every_id),
        cmocka_unit_test(rows_may_be_written_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
