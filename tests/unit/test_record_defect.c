/* test_record_defect.c - record to code: the first defect in byte order names a record, bad UTF-8 goes before
 * all, an unclosed string counts at the record's end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/walk_desk.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { DEPTH_MAX = 4, RECORD_MAX = 4096 };

struct defect_case {
    enum walk_mappings mapping;
    const char *record;
    enum defect defect;
};

#define SYNTAX   DEFECT_SYNTAX
#define UTF8     DEFECT_UTF8
#define UNCLOSED DEFECT_UNCLOSED_STRING
#define DEPTH    DEFECT_DEPTH
#define TRAILING DEFECT_TRAILING_CONTENT
#define OBJECT   DEFECT_NOT_AN_OBJECT

static const struct defect_case cases[] = {
    /* none: what the paths don't enter or use is not looked at */
    {WALK_PLAIN, "{}", DEFECT_NONE},
    {WALK_PLAIN, "{\"a\":{\"b\":1},\"b\":\"x\"}", DEFECT_NONE},
    {WALK_PLAIN, "{\"z\":[1 2,tru,\"\\q\",{1}]}", DEFECT_NONE},
    {WALK_PLAIN, "{\"b\":tru,\"b\":1}", DEFECT_NONE},
    {WALK_PLAIN, "{\"b\":[tru],\"b\":{}}", DEFECT_NONE},
    {WALK_PLAIN, "{\"xdm:b\":tru,\"b\":1}", DEFECT_NONE},
    {WALK_PLAIN, "{\"b\":1,\"xdm:b\":tru}", DEFECT_NONE},
    {WALK_INDEX, "{\"a\":[1,tru,2]}", DEFECT_NONE},
    {WALK_FILTER, "{\"a\":[{\"k\":2,\"b\":tru}]}", DEFECT_NONE},
    {WALK_WILDCARD, "{\"a\":{\"x\":tru,\"x\":1}}", DEFECT_NONE},
    {WALK_FOLD, "{\"identityMap\":{\"ECID\":[[1 2]]}}", DEFECT_NONE}, /* an element that is no identity */
    {WALK_PLAIN, "{\"b\":\"\\ud800\\u0000\"}", DEFECT_NONE},          /* for csv_row to say */

    /* syntax */
    {WALK_PLAIN, "{\"b\":tru}", SYNTAX},
    {WALK_PLAIN, "{\"b\":01}", SYNTAX},
    {WALK_PLAIN, "{\"b\":\"\\q\"}", SYNTAX},
    {WALK_PLAIN, "{\"b\":[1 2]}", SYNTAX},
    {WALK_PLAIN, "{\"b\":{\"x\":tru}}", SYNTAX},
    {WALK_PLAIN, "{\"b\":1\"x\"}", SYNTAX},
    {WALK_PLAIN, "{\"b\" 1}", SYNTAX},
    {WALK_PLAIN, "{\"b\":1", SYNTAX},
    {WALK_PLAIN, "{\"b\":1,", SYNTAX},
    {WALK_PLAIN, "{\"b\":", SYNTAX},
    {WALK_PLAIN, "{\"b\"", SYNTAX},
    {WALK_PLAIN, "{", SYNTAX},
    {WALK_PLAIN, "{\"z\":[", SYNTAX},
    {WALK_PLAIN, "{\"z\":[}", SYNTAX},
    {WALK_PLAIN, "}", SYNTAX},
    {WALK_PLAIN, ",{}", SYNTAX},
    {WALK_PLAIN, "abc", SYNTAX},
    {WALK_PLAIN, "tru", SYNTAX},
    {WALK_PLAIN, "01", SYNTAX},
    {WALK_PLAIN, "second half\",\"b\":1}", SYNTAX},
    {WALK_PLAIN, "{\"z\":\"\x01\"}", SYNTAX},
    {WALK_PLAIN, "{\"z\":\"\t\"}", SYNTAX},
    {WALK_PLAIN, "{\"\x1f\":1}", SYNTAX},
    {WALK_PLAIN, "\xef\xbb\xbf{}", SYNTAX},
    {WALK_PLAIN,
     "{\"z\":1\x0c"
     "2}",
     SYNTAX},
    {WALK_INDEX, "{\"a\":[1,tru]}", SYNTAX},
    {WALK_INDEX, "{\"a\":[{\"b\" 1},2]}", SYNTAX},
    {WALK_FILTER, "{\"a\":[{\"k\":tru}]}", SYNTAX},
    {WALK_FILTER, "{\"a\":[{\"k\":[1 2]}]}", SYNTAX},

    /* the others */
    {WALK_PLAIN, "{\"z\":\"open", UNCLOSED},
    {WALK_PLAIN, "{\"z", UNCLOSED},
    {WALK_PLAIN, "{\"b\":\"open\\\"}", UNCLOSED},
    {WALK_PLAIN, "{\"b\":\"open\\", UNCLOSED},
    {WALK_PLAIN, "{\"b\\\"", UNCLOSED},
    {WALK_PLAIN, "{\"b\":\"open\\u12", UNCLOSED},
    {WALK_PLAIN, "{\"z\":\"open\\q", UNCLOSED}, /* the text of z does not matter */
    {WALK_PLAIN, "{\"z\":1\"x}", UNCLOSED},
    {WALK_PLAIN, "{}x", TRAILING},
    {WALK_PLAIN, "{}{}", TRAILING},
    {WALK_PLAIN, "{}}", TRAILING},
    {WALK_PLAIN, "{} \"open", TRAILING},
    {WALK_PLAIN, "{}\"\x01\"", TRAILING},
    {WALK_PLAIN, "[]", OBJECT},
    {WALK_PLAIN, "[1 2", OBJECT},
    {WALK_PLAIN, "\"x\"", OBJECT},
    {WALK_PLAIN, "\"open", OBJECT},
    {WALK_PLAIN, "-1.5e3", OBJECT},
    {WALK_PLAIN, "null {}", OBJECT},
    {WALK_PLAIN, "{\"z\":[[[[]]]]}", DEPTH},
    {WALK_PLAIN, "{\"a\":{\"b\":{\"c\":{\"d\":[]}}}}", DEPTH},
    {WALK_PLAIN, "{\"b\":[[[{}]]]}", DEPTH},
    {WALK_FILTER, "{\"a\":[{\"k\":\"\\ud800\"}]}", DEFECT_LONE_SURROGATE},
    {WALK_FILTER, "{\"a\":[{\"k\":\"\\u0000\"}]}", DEFECT_NULL_CHARACTER},
    {WALK_FILTER, "{\"a\":[{\"k\":\"\\udfff\\u0000\"}]}", DEFECT_LONE_SURROGATE},

    /* UTF-8 goes before all */
    {WALK_PLAIN, "{\"b\":\"\xff\"}", UTF8},
    {WALK_PLAIN, "{\"z\":\"\xc3\"}", UTF8},
    {WALK_PLAIN, "{\"b\" 1,[[[[[[ \"\xed\xa0\x80", UTF8},
    {WALK_PLAIN, "[]\xc0\x80", UTF8},
    {WALK_PLAIN, "{\"z\":\"\xf4\x90\x80\x80\"}", UTF8},

    /* the first in byte order */
    {WALK_PLAIN, "{\"b\":tru,\"z\":[[[[]]]]}", SYNTAX},
    {WALK_PLAIN, "{\"z\":[[[[]]]],\"b\":tru}", DEPTH},
    {WALK_PLAIN, "{\"b\":tru}x", SYNTAX},
    {WALK_PLAIN, "{\"z\":tru}x", TRAILING},
    {WALK_PLAIN, "{\"b\":tru,\"b\":1}x", TRAILING},
    {WALK_PLAIN, "{\"b\":tru,\"z\":\"open", SYNTAX},
    {WALK_PLAIN, "{\"z\":\"open\",\"b\":\"\\q", SYNTAX},
    {WALK_PLAIN, "{\"a\":{\"b\":\"\\q", SYNTAX},
    {WALK_PLAIN, "{\"\\q", SYNTAX},
    {WALK_PLAIN, "{\"b\" \"x", SYNTAX},
    {WALK_PLAIN, "{\"z\":[[[[]]]] \"open", DEPTH},
    {WALK_PLAIN, "{\"z\":\"\x01\",\"y\":[[[[]]]]}", SYNTAX},
    {WALK_PLAIN, "{\"y\":[[[[]]]],\"z\":\"\x01\"}", DEPTH},
    {WALK_PLAIN, "{\"z\":\"\x01 open", SYNTAX},
    {WALK_PLAIN, "{\"b\":tru,\"z\":\"\x01", SYNTAX},
    {WALK_PLAIN, "{\"y\":[}],\"z\":[[[[]]]]}", SYNTAX},
    /* inside a value that is written: what the walk passes over counts, wherever its own defect stands */
    {WALK_PLAIN, "{\"a\":{\"z\":tru,\"b\":[[[]]]}}", SYNTAX},
    {WALK_PLAIN, "{\"a\":{\"z\":1 2,\"b\":[[[]]]}}", SYNTAX},
    {WALK_PLAIN, "{\"a\":{\"z\":[1 2],\"b\":\"open", SYNTAX},
    {WALK_PLAIN, "{\"a\":{\"z\":[1,2],\"b\":\"open", UNCLOSED},
    {WALK_PLAIN, "{\"a\":{\"z\":[[[]]],\"b\":tru}}", DEPTH},
    {WALK_PLAIN, "{\"b\":[tru,[[[]]]]}", SYNTAX},
    {WALK_PLAIN, "{\"b\":[1,[[[]]],tru]}", DEPTH},
    {WALK_PLAIN, "{\"b\":[tru", SYNTAX},
    {WALK_PLAIN, "{\"b\":[1,\"x\\q", SYNTAX},
    {WALK_PLAIN, "{\"b\":[1,\"x\\u1", UNCLOSED},
    /* of several nodes for one value, too */
    {WALK_MIX, "{\"a\":[{\"l\":[1 2],\"k\":[[]]}]}", SYNTAX},
    {WALK_INDEX, "{\"a\":[{\"b\":[[]],\"c\" 1},[]]}", DEPTH},
    {WALK_INDEX, "{\"a\":[1,{\"b\" 1,\"c\":[[]]}]}", SYNTAX},         /* a[-1].b is no path, a[1].b is */
    {WALK_INDEX, "{\"a\":[1,2,{\"b\" 1},4],\"z\":[[[[]]]]}", SYNTAX}, /* a[-2].b */
    {WALK_WILDCARD, "{\"a\":{\"x\":{\"b\":tru},\"y\":[[[]]]}}", SYNTAX},
    {WALK_FILTER, "{\"a\":[{\"k\":\"\\ud800\"},tru]}x", DEFECT_LONE_SURROGATE},
    {WALK_FILTER, "{\"a\":[{\"k\":1},{\"k\":\"\\ud800\",\"z\":1 2}]}",
     SYNTAX}, /* tested behind the whole element */
    {WALK_ROOT, "{\"a\":tru,\"b\":[[[[]]]]}", SYNTAX},
    {WALK_PREFIX, "{\"b\":{\"xdm:c\":{\"x\":[[]],\"y\" 1}}}", DEPTH},
    {WALK_BESIDE, "{\"segmentMembership\":{\"UPS\":{\"s2\" 1,\"s.1\":{}}},\"z\":[[[[]]]]}", SYNTAX},
    /* of a namespace only the type matters: a scalar is looked at, a container is not */
    {WALK_IDENTITIES, "{\"identityMap\":{\"CRM\":tru},\"z\":[[[[]]]]}", SYNTAX},
    {WALK_IDENTITIES, "{\"identityMap\":{\"CRM\":\"\\q\"},\"z\":[[[[]]]]}", SYNTAX},
    {WALK_IDENTITIES, "{\"identityMap\":{\"CRM\":[tru]},\"z\":[[[[]]]]}", DEPTH},
    {WALK_IDENTITIES, "{\"identityMap\":{\"CRM\":{\"x\":[1 2]}}}", DEFECT_NONE},
    {WALK_IDENTITIES, "{\"identityMap\":{\"CRM\":\"\\q", SYNTAX},
};

static void the_first_defect_names_a_record(void **state)
{
    (void)state;
    static const char *const tails[] = {"", "\"", "}", "]", "{", ":", ",", "[", " ", "x", "\n{\"b\":1}"};
    for (size_t t = 0; t < COUNT(tails); t++)
        for (size_t i = 0; i < COUNT(cases); i++) {
            struct walk_desk desk;
            uint8_t record[512];
            size_t const length = strlen(cases[i].record), tail = strlen(tails[t]);
            memcpy(record, cases[i].record, length);
            for (size_t k = length; k < sizeof record; k++)
                record[k] = tail == 0 ? 0 : (uint8_t)tails[t][(k - length) % tail];
            walk_desk_open(&desk, &walk_mappings[cases[i].mapping], DEPTH_MAX, RECORD_MAX);
            enum defect const found = walk_desk_defect(&desk, record, length);
            if (found != cases[i].defect)
                fail_msg("%s: %s, not %s", cases[i].record, tally_defect_name(found),
                         tally_defect_name(cases[i].defect));
            bool const good =
                walk_desk_slow(&desk, record, length) && walk_desk_values_good(&desk, &desk.slow);
            if (good != (found == DEFECT_NONE)) fail_msg("%s: the walk says otherwise", cases[i].record);
            walk_desk_close(&desk);
        }
}

static void dropped_nuls_may_be_compared(void **state)
{
    (void)state;
    struct walk_desk desk;
    static const uint8_t record[64 + LIMIT_PADDING] = "{\"a\":[{\"k\":\"\\u0000\"}]}";
    walk_desk_open(&desk, &walk_mappings[WALK_FILTER], DEPTH_MAX, RECORD_MAX);
    desk.mapping.csv.null_character_drop = true;
    assert_int_equal(walk_desk_defect(&desk, record, strlen((const char *)record)), DEFECT_NONE);
    assert_true(walk_desk_slow(&desk, record, strlen((const char *)record)));
    walk_desk_close(&desk);
}

/* Every front part of a record that is good in the end has a defect, whatever stands behind it. */
static void every_cut_has_a_name(void **state)
{
    (void)state;
    static const char whole[] =
        "{\"a\":[{\"k\":\"v\\u0041\",\"b\":{\"x\":[1,-2.5e+3,true]}},null],\"m\":{\"p\":{\"x y\":"
        "true,\"z\":\"\\\"\"}},\"identityMap\":{\"ECID\":[{\"id\":\"1\"}]},\"b\":{}}";
    for (int m = 0; m < WALK_MAPPINGS; m++) {
        struct walk_desk desk;
        uint8_t record[sizeof whole + LIMIT_PADDING] = {0};
        memcpy(record, whole, sizeof whole);
        walk_desk_open(&desk, &walk_mappings[m], 16, RECORD_MAX);
        for (size_t length = 1; length < sizeof whole - 1; length++) {
            enum defect const defect = walk_desk_defect(&desk, record, length);
            if (defect != DEFECT_SYNTAX && defect != DEFECT_UNCLOSED_STRING)
                fail_msg("mapping %d, %zu bytes: %s", m, length, tally_defect_name(defect));
            assert_false(walk_desk_slow(&desk, record, length));
        }
        assert_int_equal(walk_desk_defect(&desk, record, sizeof whole - 1), DEFECT_NONE);
        walk_desk_close(&desk);
    }
}

/* The walk is used again for good records: nothing of the exact one may stay. */
static void the_walk_is_left_as_it_was(void **state)
{
    (void)state;
    struct walk_desk desk;
    static const uint8_t bad[32 + LIMIT_PADDING] = "{\"b\":[1,{\"z\":}",
                                  good[32 + LIMIT_PADDING] = "{\"b\":[1,{\"z\":tru}]}";
    walk_desk_open(&desk, &walk_mappings[WALK_PLAIN], DEPTH_MAX, RECORD_MAX);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(walk_desk_defect(&desk, bad, strlen((const char *)bad)), DEFECT_SYNTAX);
        size_t const length = strlen((const char *)good);
        assert_true(walk_desk_index(&desk, good, length));
        assert_non_null(walk_desk_fast(&desk, good, desk.tokens, length));
        assert_false(desk.walk.exact);
    }
    walk_desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_defect_names_a_record),
        cmocka_unit_test(dropped_nuls_may_be_compared),
        cmocka_unit_test(every_cut_has_a_name),
        cmocka_unit_test(the_walk_is_left_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
