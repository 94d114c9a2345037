/* test_row_select.c - members of segments, consent by rule, and the order in which a record is judged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/row_desk.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const statuses[] = {"realized", "existing"};

/* Segments by their ids, in `list`, which lives as long as the desk. */
static void segments(struct row_desk *desk, struct segment *list, const char *const *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        list[i] = (struct segment){.id = ids[i], .id_length = strlen(ids[i])};
    desk->job.mapping.segments = (struct segments){.name_space = "ups",
                                                   .list = list,
                                                   .count = count,
                                                   .statuses = statuses,
                                                   .status_count = COUNT(statuses)};
}

/* {"segmentMembership":{NAMESPACE:{ID:{"status":STATUS}}}} and the row's field. */
#define MEMBER(name_space, id, status) \
    "{\"segmentMembership\":{\"" name_space "\":{\"" id "\":{\"status\":" status "}}},\"a\":1}"

static void keeps_members(void **state)
{
    (void)state;
    static const char *const ids[] = {"s.1", "59bd2fcd-3c48-4b18-bf56-4f5c5e6967ae"};
    static const struct row_desk_pair pairs[] = {
        {MEMBER("ups", "s.1", "\"realized\""), "1\n"},
        {MEMBER("UPS", "s.1", "\"existing\""), "1\n"},
        {MEMBER("xdm:Ups", "xdm:s.1", "\"\\u0065xisting\""), "1\n"},
        {MEMBER("ups", "59bd2fcd-3c48-4b18-bf56-4f5c5e6967ae", "\"realized\""), "1\n"},
        {MEMBER("ups", "59bd2fcd-3c48-4b18-bf56-4f5c5e6967a\\u0065", "\"realized\""), "1\n"},
        {MEMBER("ups", "s.1", "\"exited\""), "skip segment"},
        {MEMBER("ups", "s.1", "\"Realized\""), "skip segment"},
        {MEMBER("ups", "s.1", "\"\""), "skip segment"},
        {MEMBER("ups", "s.1", "null"), "skip segment"},
        {MEMBER("ups", "s.1", "[\"realized\"]"), "skip segment"},
        {MEMBER("ups", "s.1", "true"), "skip segment"},
        {MEMBER("ups", "S.1", "\"realized\""), "skip segment"},
        {MEMBER("ups", "59BD2FCD-3c48-4b18-bf56-4f5c5e6967ae", "\"realized\""), "skip segment"},
        {MEMBER("aam", "s.1", "\"realized\""), "skip segment"},
        {"{\"a\":\"s.1 realized\"}", "skip segment"},
        {"{\"segmentMembership\":{\"ups\":{\"s.1\":\"realized\"}}}", "skip segment"},
        {"{\"segmentMembership\":{\"ups\":{\"x\":{\"s.1\":{\"status\":\"realized\"}}}}}", "skip segment"},
        /* any spelling of the namespace counts, and of one spelling the last */
        {"{\"segmentMembership\":{\"ups\":{\"s.1\":{\"status\":\"exited\"}},\"UPS\":{\"s.1\":{\"status\":"
         "\"realized\"}}},\"a\":1}",
         "1\n"},
        {"{\"segmentMembership\":{\"UPS\":{\"s.1\":{\"status\":\"realized\"}},\"ups\":{\"s.1\":{\"status\":"
         "\"exited\"}}},\"a\":1}",
         "1\n"},
        {"{\"segmentMembership\":{\"ups\":{\"s.1\":{\"status\":\"realized\"}},\"ups\":{}},\"a\":1}",
         "skip segment"},
        {"{\"segmentMembership\":{\"ups\":{\"s.1\":{\"status\":\"realized\",\"status\":\"exited\"}}}}",
         "skip segment"},
        /* syntax goes before, compared text must be text */
        {"{\"segmentMembership\":{\"ups\":{\"s.1\":{\"status\":tru}}}}", "fail syntax -"},
        {"{\"segmentMembership\":{\"ups\":{\"s.1\":{\"status\":{\"x\" 1}}}}}", "fail syntax -"},
        {"{\"segmentMembership\":{\"ups\":{\"s.1\":{\"status\":\"realized\"},\"59bd2fcd-3c48-4b18-bf56-"
         "4f5c5e6967ae\":{\"status\":nul}}},\"a\":1}",
         "fail syntax -"},
        {"{\"a\":tru}", "fail syntax -"},
        {MEMBER("ups", "s.1", "\"\\ud800\""), "fail lone_surrogate segmentMembership.ups['s.1'].status"},
        {MEMBER("ups", "s.1", "\"realized\\u0000\""),
         "fail null_character segmentMembership.ups['s.1'].status"},
        {"{\"segmentMembership\":{\"ups\":{\"s.1\":{\"status\":\"\\ud800\"}}},\"a\":tru}", "fail syntax -"},
        {"{}", "skip segment"},
    };
    struct row_desk desk;
    struct segment list[COUNT(ids)];
    row_desk_start(&desk, NULL);
    memory_column(&desk.job, "a");
    segments(&desk, list, ids, COUNT(ids));
    row_desk_check(&desk, pairs, COUNT(pairs));
}

static void expect_members(struct row_desk *desk, const char *record, const uint32_t *wanted, uint32_t count)
{
    (void)row_desk_says(desk, record);
    assert_int_equal(desk->row.member_count, count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(desk->row.members[i], wanted[i]);
}

/* With split, and only then, the segments of a record are listed, in the job's order. */
static void lists_the_segments_of_a_record(void **state)
{
    (void)state;
    enum { IDS = 200 };
    static char names[IDS][8];
    const char *ids[IDS];
    struct segment list[IDS];
    static const char record[] =
        "{\"segmentMembership\":{\"ups\":{\"s199\":{\"status\":\"realized\"},\"s63\":{"
        "\"status\":\"existing\"},\"s7\":{\"status\":\"exited\"},\"s0\":{\"status\":"
        "\"realized\"}},\"UPS\":{\"s64\":{\"status\":\"realized\"},\"s0\":{\"status\":"
        "\"realized\"}}}}";
    for (unsigned i = 0; i < IDS; i++) {
        snprintf(names[i], sizeof names[i], "s%u", i);
        ids[i] = names[i];
    }
    for (int split = 0; split < 2; split++) {
        struct row_desk desk;
        row_desk_start(&desk, NULL);
        memory_column(&desk.job, "a");
        segments(&desk, list, ids, IDS);
        desk.job.mapping.segments.split = split != 0;
        row_desk_ready(&desk);
        expect_members(&desk, record, (uint32_t[]){0, 63, 64, 199}, split != 0 ? 4 : 0);
        expect_members(&desk, MEMBER("ups", "s5", "\"realized\""), (uint32_t[]){5}, split != 0 ? 1 : 0);
        expect_members(&desk, MEMBER("ups", "s5", "\"exited\""), NULL, 0);
        expect_members(&desk, "{}", NULL, 0);
        row_desk_end(&desk);
    }
}

static struct consent_rule rule(struct row_desk *desk, const char *path, const char *const *allow,
                                size_t count, enum consent_missing missing)
{
    return (struct consent_rule){.path = *memory_paths(&desk->job.arena, &path, 1),
                                 .allow = allow,
                                 .allow_count = count,
                                 .missing = missing};
}

static void asks_for_consent(void **state)
{
    (void)state;
    static const char *const yes[] = {"y", "dy"}, *const other[] = {"true", "1.0", "", "[1]"};
    static const struct row_desk_pair pairs[] = {
        {"{\"c\":\"y\",\"a\":1}", "1\n"},
        {"{\"c\":\"dy\",\"a\":1}", "1\n"},
        {"{\"c\":\"\\u0079\",\"a\":1}", "1\n"},
        {"{\"c\":\"n\"}", "skip consent 0"},
        {"{\"c\":\"Y\"}", "skip consent 0"},
        {"{\"c\":\"\"}", "skip consent 0"},
        {"{\"c\":null}", "skip consent 0"},
        {"{}", "skip consent 0"},
        {"{\"c\":{\"y\":1}}", "skip consent 0"},
        {"{\"c\":\"y\",\"d\":[true],\"a\":1}", "1\n"},
        {"{\"c\":\"y\",\"d\":[1.0],\"a\":1}", "1\n"},
        {"{\"c\":\"y\",\"d\":[\"\"],\"a\":1}", "1\n"},
        {"{\"c\":\"y\",\"d\":[[1]],\"a\":1}", "skip consent 1"}, /* no text */
        {"{\"c\":{}}", "skip consent 0"},
        {"{\"c\":\"y\",\"d\":[1]}", "skip consent 1"},
        /* every value is asked but nulls */
        {"{\"c\":\"y\",\"d\":[false,true]}", "skip consent 1"},
        {"{\"c\":\"y\",\"d\":[true,false]}", "skip consent 1"},
        {"{\"c\":\"y\",\"d\":[true,1.0,\"\"],\"a\":1}", "1\n"},
        {"{\"c\":\"y\",\"d\":[true,[1]]}", "skip consent 1"},
        {"{\"c\":\"y\",\"d\":[{},true]}", "skip consent 1"},
        {"{\"c\":\"y\",\"d\":[null,false]}", "skip consent 1"},
        {"{\"c\":\"y\",\"d\":[null,true,null],\"a\":1}", "1\n"},
        {"{\"c\":\"y\",\"d\":[null,null],\"a\":1}", "1\n"},
        {"{\"c\":\"y\",\"d\":[],\"a\":1}", "1\n"},
        {"{\"c\":\"n\",\"d\":[false]}", "skip consent 0"},
        {"{\"c\":\"n\",\"d\":[fals]}", "fail syntax -"},
        {"{\"c\":\"n\",\"a\":nul}", "fail syntax -"},
        {"{\"c\":\"y\",\"d\":[true,tru]}", "fail syntax -"},
        {"{\"c\":\"\\ud800\"}", "fail lone_surrogate c"},
        {"{\"c\":\"n\",\"d\":[\"\\ud800\"]}", "skip consent 0"}, /* not compared any more */
        {"{\"c\":\"y\",\"d\":[\"\\u0000\"]}", "fail null_character d[*]"},
        {"{\"c\":\"y\",\"d\":[\"no\",\"\\ud800\",\"\\u0000\"]}", "fail lone_surrogate d[*]"},
    };
    struct row_desk desk;
    row_desk_start(&desk, NULL);
    memory_column(&desk.job, "a");
    struct consent_rule const rules[] = {rule(&desk, "c", yes, COUNT(yes), CONSENT_DENY),
                                         rule(&desk, "d[*]", other, COUNT(other), CONSENT_ALLOW)};
    desk.job.mapping.consent = rules;
    desk.job.mapping.consent_count = COUNT(rules);
    row_desk_check(&desk, pairs, COUNT(pairs));
}

/* Each stage drops what it has to say before the next is asked; syntax goes before all. */
static void judges_in_the_order_of_the_contract(void **state)
{
    (void)state;
    static const char *const ids[] = {"s"}, *const yes[] = {"y"};
#define IN          "\"segmentMembership\":{\"ups\":{\"s\":{\"status\":\"realized\"}}}"
#define LONE_STATUS "\"segmentMembership\":{\"ups\":{\"s\":{\"status\":\"\\ud800\"}}}"
    static const struct row_desk_pair pairs[] = {
        {"{" IN ",\"id\":1,\"t\":0,\"c\":\"y\",\"r\":2,\"b\":\"2026-01-01\"}", "1,2,2026-01-01 00:00:00\n"},
        {"{\"t\":\"x\",\"b\":\"x\"}", "skip segment"},
        {"{" IN ",\"t\":\"x\",\"b\":\"x\"}", "fail missing_identity id"},
        {"{" IN ",\"id\":1,\"t\":\"x\",\"b\":\"x\"}", "fail bad_timestamp t"},
        {"{" IN ",\"id\":1,\"t\":1,\"b\":\"x\"}", "skip consent 0"},
        {"{" IN ",\"id\":1,\"t\":1,\"c\":\"y\",\"b\":\"x\"}", "skip required"},
        {"{" IN ",\"id\":1,\"t\":1,\"c\":\"y\",\"r\":2,\"b\":\"x\"}", "fail bad_timestamp b"},
        /* defects of an earlier stage, wherever they stand */
        {"{\"id\":\"\\u0000\"," LONE_STATUS "}", "fail lone_surrogate segmentMembership.ups['s'].status"},
        {"{\"c\":\"\\ud800\",\"t\":\"\\ud800\",\"id\":\"\\u0000\"," IN "}", "fail null_character id"},
        {"{\"c\":\"\\u0000\",\"t\":\"\\ud800\",\"id\":1," IN "}", "fail lone_surrogate t"},
        {"{\"r\":\"\\ud800\",\"c\":\"\\u0000\",\"id\":1," IN "}", "fail null_character c"},
        /* syntax before any */
        {"{" LONE_STATUS ",\"id\":1,\"b\":tru}", "fail syntax -"},
        {"{\"t\":tru}", "fail syntax -"},
        {"{\"c\":tru}", "fail syntax -"},
        {"{" IN ",\"r\":tru}", "fail syntax -"},
        {"{" IN ",\"id\":1,\"t\":\"x\",\"f\":tru}", "fail syntax -"},
        {"{" IN ",\"id\":1,\"c\":\"n\",\"f\":tru}", "fail syntax -"},
    };
    struct row_desk desk;
    struct segment list[1];
    row_desk_start(&desk, "id");
    segments(&desk, list, ids, 1);
    struct consent_rule const rules[] = {rule(&desk, "c", yes, 1, CONSENT_DENY)};
    desk.job.mapping.consent = rules;
    desk.job.mapping.consent_count = 1;
    desk.job.mapping.identity.deduplicate = IDENTITY_KEEP_LATEST;
    desk.job.mapping.identity.timestamp = *memory_paths(&desk.job.arena, &(const char *){"t"}, 1);
    memory_column(&desk.job, "r")->required = true;
    struct column *column = memory_column(&desk.job, NULL);
    column->paths = memory_paths(&desk.job.arena, (const char *const[]){"b", "f"}, 2);
    column->path_count = 2;
    column->type = COLUMN_TIMESTAMP;
    row_desk_check(&desk, pairs, COUNT(pairs));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_members),
        cmocka_unit_test(lists_the_segments_of_a_record),
        cmocka_unit_test(asks_for_consent),
        cmocka_unit_test(judges_in_the_order_of_the_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
