/* test_catalogue_walk.c - what is counted of records, what maps do to it, and that parts add up to the whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/catalogue_desk.h"

#define DEPTH      64
#define RECORD_MAX (256u * 1024)

static void add(struct catalogue_desk *desk, const char *line, uint64_t offset)
{
    assert_true(catalogue_desk_line(desk, line, strlen(line), offset));
}

/* The finished catalogue of some lines. */
static void expect(const char *const *lines, size_t count, const char *expected)
{
    struct catalogue_desk desk;
    catalogue_desk_open(&desk, DEPTH, RECORD_MAX);
    for (size_t i = 0; i < count; i++)
        add(&desk, lines[i], i * 1000);
    catalogue_finish(&desk.catalogue);
    char *const text = catalogue_desk_text(&desk.catalogue);
    assert_string_equal(text, expected);
    free(text);
    catalogue_desk_close(&desk);
}

#define EXPECT(expected, ...)                                     \
    do {                                                          \
        const char *const lines_[] = {__VA_ARGS__};               \
        expect(lines_, sizeof lines_ / sizeof *lines_, expected); \
    } while (0)

static void test_types(void **state)
{
    (void)state;
    EXPECT("", "{}", " { } ");
    EXPECT("a 3 s1n1b1z1 5 ~3\n", "{\"a\":\"x\"}", "{\"a\":12}", "{\"a\":null}", "{\"a\" : false }");
    EXPECT("a 1 o1\na.b 1 a1\na.b[*] 1 n2z1 2 ~2\n", "{\"a\":{\"b\":[1,null, 20 ]}}");
    EXPECT("a 1 a1\n", "{\"a\":[]}");
    EXPECT("a 0 z1\n", "{\"a\":null}");
    EXPECT("a 1 s2 1 ~1\n", "{\"a\":\"x\",\"a\":\"x\"}"); /* a key twice */
    EXPECT("a 1 a1\na[*] 1 o2\na[*].b 1 s1n1 1 ~1\n", "{\"a\":[{\"b\":\"1\"},{\"b\":1}]}");
}

static void test_texts(void **state)
{
    (void)state;
    EXPECT("a 3 s3 2 ~1\n", "{\"a\":\"\\u00e9\"}", "{\"a\":\"\xc3\xa9\"}", "{\"a\":\"\\u00E9\"}");
    EXPECT("['a\"b'] 1 n1 1 ~1\n['a.b'] 1 n1 1 ~1\n", "{\"a\\\"b\":1,\"a.b\":1}");
}

/* Texts with escapes that no room is for: spelled, but shown as any other. */
static void test_long_texts(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 13; shift++) {
        size_t const length = CATALOGUE_WALK_TEXT + 64;
        char *const line = malloc(length + 64);
        assert_non_null(line);
        size_t at = (size_t)sprintf(line, "{\"a\":\"%.*s", (int)shift, "plain letters");
        while (at < length)
            at += (size_t)sprintf(line + at, "\\ud83d\\ude00");
        strcpy(line + at, "\"}");
        struct catalogue_desk desk;
        catalogue_desk_open(&desk, DEPTH, RECORD_MAX);
        add(&desk, line, 0);
        const struct catalogue_node *const node = catalogue_first(&desk.catalogue);
        assert_int_equal(node->longest, (at - shift - 6) / 12 * 4 + shift);
        assert_int_equal(node->example_length, node->longest);
        assert_memory_equal(node->example, "plain letters", shift);
        assert_memory_equal(node->example + shift, "\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 8);
        catalogue_desk_close(&desk);
        free(line);
    }
}

static void test_keys(void **state)
{
    (void)state;
    EXPECT("['a.b'] 1 n1 1 ~1\n[''] 1 n1 1 ~1\n['it\\'s'] 1 n1 1 ~1\n['\\u0001'] 1 n1 1 ~1\n",
           "{\"a.b\":1,\"\":1,\"it's\":1,\"\\u0001\":1}");
    EXPECT("\xc3\xa9-:_ 2 n2 1 ~1\n", "{\"\xc3\xa9-:_\":1}", "{\"\\u00e9-:_\":1}");
    /* its text and colon stand in another record's bytes */
    EXPECT("['a\":1'] 1 n1 1 ~1\na 1 n1 1 ~1\nb 1 n1 1 ~1\n", "{\"a\\\":1\":1}", "{\"a\":1,\"b\":1}");
}

/* In the order of the input, whatever came first to whom. */
static void test_order(void **state)
{
    (void)state;
    EXPECT("b 2 n2 1 ~2\na 1 o1\na.y 1 n1 1 ~1\na.x 1 n1 1 ~1\nc 1 n1 1 ~1\n", "{\"b\":1}",
           "{\"a\":{\"y\":1,\"x\":2},\"b\":2,\"c\":1}");
}

static void test_known_maps(void **state)
{
    (void)state;
    EXPECT("segmentMembership 1 o1\nsegmentMembership[*] 1 o2\nsegmentMembership[*][*] 1 o3\n"
           "segmentMembership[*][*].status 1 s2 8 ~2\n",
           "{\"segmentMembership\":{\"ups\":{\"a\":{\"status\":\"realized\"},\"b\":{\"status\":\"x\"}},"
           "\"aam\":{\"a\":{}}}}");
    EXPECT("identityMap 1 o1\nidentityMap[*] 1 a1\nidentityMap[*][*] 1 o1\nidentityMap[*][*].id 1 s1 1 ~1\n",
           "{\"identityMap\":{\"crm\":[{\"id\":\"1\"}]}}");
    EXPECT("c 1 o1\nc.idSpecific 1 o1\nc.idSpecific[*] 1 o1\nc.idSpecific[*][*] 1 n1 1 ~1\n",
           "{\"c\":{\"idSpecific\":{\"Email\":{\"x@y\":1}}}}");
    EXPECT("c 1 o1\nc.identityMap 1 o1\nc.identityMap.crm 1 n1 1 ~1\n",
           "{\"c\":{\"identityMap\":{\"crm\":1}}}");
}

static void test_segments(void **state)
{
    (void)state;
    struct catalogue_desk desk;
    catalogue_desk_open(&desk, DEPTH, RECORD_MAX);
    add(&desk,
        "{\"segmentMembership\":{\"ups\":{\"a\":{\"status\":\"realized\"},\"b\":{\"xdm:status\":\"exited\"}}}"
        "}",
        0);
    add(&desk,
        "{\"xdm:segmentMembership\":{\"UPS\":{\"a\":{\"status\":\"existing\"},\"b\":{\"status\":1},"
        "\"\\u0061\":null}}}",
        1000);
    add(&desk,
        "{\"segmentMembership\":[{\"a\":{\"status\":\"realized\"}}],\"x\":{\"segmentMembership\":{\"n\":{"
        "\"c\":{}}}}}",
        2000);
    catalogue_finish(&desk.catalogue);
    const struct census *const segments = &desk.catalogue.segments;
    assert_int_equal(segments->count, 2);
    assert_string_equal(segments->entries[0].id, "a");
    assert_int_equal(segments->entries[0].counts[SEGMENT_REALIZED], 1);
    assert_int_equal(segments->entries[0].counts[SEGMENT_EXISTING], 1);
    assert_int_equal(segments->entries[0].counts[SEGMENT_OTHER], 1);
    assert_int_equal(segments->entries[1].counts[SEGMENT_EXITED], 1);
    assert_int_equal(segments->entries[1].counts[SEGMENT_OTHER], 1);
    catalogue_desk_close(&desk);
}

static void test_spaces(void **state)
{
    (void)state;
    struct catalogue_desk desk;
    catalogue_desk_open(&desk, DEPTH, RECORD_MAX);
    add(&desk,
        "{\"identityMap\":{\"CRM\":[{\"id\":\"1\",\"primary\":true},{\"id\":2},{\"id\":\"\"},{\"id\":null},{}"
        ",5]}}",
        0);
    add(&desk,
        "{\"identityMap\":{\"crm\":[{\"primary\":\"true\",\"xdm:id\":\"\\u0031\"}],\"e\":{\"id\":\"x\"}}}",
        1000);
    add(&desk,
        "{\"identities\":[{\"id\":\"9\",\"namespace\":{\"code\":\"ecid\"}},{\"id\":\"9\"}],\"identityMap\":[["
        "{\"id\":1}]]}",
        2000);
    catalogue_finish(&desk.catalogue);
    const struct census *const spaces = &desk.catalogue.spaces;
    assert_int_equal(spaces->count, 2);
    assert_string_equal(spaces->entries[0].name, "CRM");
    assert_int_equal(spaces->entries[0].records, 2);
    assert_int_equal(spaces->entries[0].counts[SPACE_IDS], 3);
    assert_int_equal(spaces->entries[0].counts[SPACE_PRIMARY], 1);
    assert_int_equal(hyperloglog_estimate(&spaces->entries[0].distinct), 2);
    assert_string_equal(spaces->entries[1].name, "ecid");
    assert_int_equal(spaces->entries[1].counts[SPACE_IDS], 1);
    catalogue_desk_close(&desk);
}

static void test_times(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        uint8_t readings;
    } cases[] = {{"{\"t\":\"2024-02-29\"}", READS_DATE},
                 {"{\"t\":\"2024-02-29T10:00:00Z\"}", READS_TIME},
                 {"{\"t\":\"2023-02-29\"}", READS_NO_TIME},
                 {"{\"t\":\"\"}", 0},
                 {"{\"t\":\"ab\"}", READS_NO_TIME},
                 {"{\"t\":[\"2024-02-29\"]}", 0},
                 {"{\"t\":\"2024-02-29T10:00:00\\u005a\"}", READS_TIME},
                 {"{\"t\":\"\\u0000\"}", READS_NULL_CHAR | READS_NO_TIME}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct catalogue_desk desk;
        catalogue_desk_open(&desk, DEPTH, RECORD_MAX);
        add(&desk, cases[i].line, 0);
        assert_int_equal(catalogue_first(&desk.catalogue)->readings, cases[i].readings);
        catalogue_desk_close(&desk);
    }
}

static void test_bad_records(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      " ",
                                      "[]",
                                      "1",
                                      "{",
                                      "}",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\":1,}",
                                      "{,}",
                                      "{\"a\":1 \"b\":2}",
                                      "{\"a\" 1}",
                                      "{\"a\":1}}",
                                      "{\"a\":1}{}",
                                      "{\"a\":[1,]}",
                                      "{\"a\":[1 2]}",
                                      "{\"a\":[}",
                                      "{\"a\":{]}",
                                      "{\"a\":[1}}",
                                      "{1:2}",
                                      "{\"a\":tru}",
                                      "{\"a\":01}",
                                      "{\"a\":1.}",
                                      "{\"a\":\"\\x\"}",
                                      "{\"a\\u12\":1}",
                                      "{\"a\":\"open}",
                                      "{\"a\":\"\xff\"}",
                                      "{\"a\":\"\t\"}",
                                      "{\"a\":[[[[[[[[[1]]]]]]]]]}" /* deeper than 9 */};
    struct catalogue_desk desk;
    catalogue_desk_open(&desk, 9, RECORD_MAX);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (catalogue_desk_line(&desk, bad[i], strlen(bad[i]), 0)) fail_msg("counted: %s", bad[i]);
    assert_null(catalogue_first(&desk.catalogue)); /* they left nothing */
    add(&desk, "{\"a\":[[[[[[[[1]]]]]]]]}", 0);
    catalogue_desk_close(&desk);
}

/* A line with a member `key`N in an object `m`, and its value. */
static void add_member(struct catalogue_desk *desk, unsigned number, const char *value, uint64_t offset)
{
    char line[128];
    snprintf(line, sizeof line, "{\"m\":{\"k%u\":%s}}", number, value);
    add(desk, line, offset);
}

static void test_wide_objects(void **state)
{
    (void)state;
    for (unsigned keys = CATALOGUE_KEYS_MAX; keys <= CATALOGUE_KEYS_MAX + 1; keys++) {
        struct catalogue_desk desk;
        catalogue_desk_open(&desk, DEPTH, RECORD_MAX);
        for (unsigned twice = 0; twice < 6; twice++) /* often enough not to be sparse */
            for (unsigned i = 0; i < keys; i++) {
                char line[8 * 32];
                size_t at = (size_t)snprintf(line, sizeof line, "{\"m\":{");
                for (unsigned more = 0; more < 6; more++)
                    at += (size_t)snprintf(line + at, sizeof line - at, "%s\"k%u\":{\"x\":%u}",
                                           more == 0 ? "" : ",", (i + more) % keys, more);
                snprintf(line + at, sizeof line - at, "}}");
                add(&desk, line, (twice * keys + i) * 1000ull);
            }
        catalogue_finish(&desk.catalogue);
        const struct catalogue_node *const map = catalogue_first(&desk.catalogue);
        bool const folds = keys > CATALOGUE_KEYS_MAX;
        assert_int_equal(map->is_map, folds);
        if (folds) {
            char *const text = catalogue_desk_text(&desk.catalogue);
            assert_string_equal(text, "m 3078 o3078\nm[*] <3078 o18468\nm[*].x <3078 n18468 1 ~6\n");
            free(text);
        }
        catalogue_desk_close(&desk);
    }
}

static void test_sparse_objects(void **state)
{
    (void)state;
    struct catalogue_desk desk;
    catalogue_desk_open(&desk, DEPTH, RECORD_MAX);
    for (unsigned i = 0; i <= CATALOGUE_SPARSE_KEYS; i++)
        add_member(&desk, i, "\"x\"", i * 1000);
    catalogue_finish(&desk.catalogue);
    char *text = catalogue_desk_text(&desk.catalogue);
    assert_string_equal(text, "m 101 o101\nm[*] <101 s101 1 ~1\n");
    free(text);
    catalogue_desk_close(&desk);
}

static void test_long_keys(void **state)
{
    (void)state;
    char line[CATALOGUE_KEY_MAX + 64], key[CATALOGUE_KEY_MAX + 2];
    for (unsigned over = 0; over < 2; over++) {
        struct catalogue_desk desk;
        catalogue_desk_open(&desk, DEPTH, RECORD_MAX);
        memset(key, 'k', sizeof key);
        key[CATALOGUE_KEY_MAX + over] = '\0';
        snprintf(line, sizeof line, "{\"m\":{\"%s\":1}}", key);
        add(&desk, line, 0);
        assert_int_equal(catalogue_first(&desk.catalogue)->is_map, over);
        catalogue_desk_close(&desk);
    }
}

/* Deeper containers are counted, not entered. */
static void test_levels(void **state)
{
    (void)state;
    char line[DEPTH * 8] = "";
    for (unsigned i = 0; i < CATALOGUE_DEPTH_MAX + 3; i++)
        strcat(line, "{\"a\":");
    strcat(line, "[1,{\"b\":[2]}]");
    for (unsigned i = 0; i < CATALOGUE_DEPTH_MAX + 3; i++)
        strcat(line, "}");
    struct catalogue_desk desk;
    catalogue_desk_open(&desk, DEPTH, RECORD_MAX);
    add(&desk, line, 0);
    unsigned nodes = 0;
    for (const struct catalogue_node *node = catalogue_first(&desk.catalogue); node != NULL;
         node = catalogue_next(node))
        assert_int_equal(node->level, ++nodes);
    assert_int_equal(nodes, CATALOGUE_DEPTH_MAX);
    assert_false(desk.catalogue.full);
    catalogue_desk_close(&desk);
}

static void test_too_many_paths(void **state)
{
    (void)state;
    struct catalogue_desk desk;
    catalogue_desk_open(&desk, DEPTH, RECORD_MAX);
    for (unsigned i = 0; i < 30; i++) {
        char *const line = malloc(RECORD_MAX);
        size_t at = (size_t)snprintf(line, RECORD_MAX, "{\"o%u\":{", i);
        for (unsigned k = 0; k < 300; k++)
            at += (size_t)snprintf(line + at, RECORD_MAX - at, "%s\"k%u\":[1]", k == 0 ? "" : ",", k);
        snprintf(line + at, RECORD_MAX - at, "}}");
        assert_true(catalogue_desk_line(&desk, line, strlen(line), i * 100000ull));
        free(line);
    }
    assert_true(desk.catalogue.full);
    catalogue_finish(&desk.catalogue);
    unsigned nodes = 0;
    for (const struct catalogue_node *node = catalogue_first(&desk.catalogue); node != NULL;
         node = catalogue_next(node))
        nodes++;
    assert_int_equal(nodes, CATALOGUE_PATHS_MAX);
    catalogue_desk_close(&desk);
}

/* Lines dealt to three catalogues, merged in some order, are as one. */
static void compare_parts(unsigned keys, size_t into)
{
    struct catalogue_desk all, parts[3];
    catalogue_desk_open(&all, DEPTH, RECORD_MAX);
    for (size_t p = 0; p < 3; p++)
        catalogue_desk_open(&parts[p], DEPTH, RECORD_MAX);
    for (unsigned i = 0; i < 3000; i++) {
        char line[256];
        snprintf(line, sizeof line, "{\"i\":%u,\"z%u\":\"%u\",\"m\":{\"k%u\":{\"x%u\":[%u]},\"k%u\":null}}",
                 i, i % 7, i * 31, i * 13 % keys, i % 5, i, i * 17 % keys);
        add(&all, line, i * 1000);
        add(&parts[i * 7 / 5 % 3], line, i * 1000);
    }
    for (size_t p = 0; p < 3; p++)
        if (p != into) catalogue_merge(&parts[into].catalogue, &parts[p].catalogue);
    catalogue_finish(&all.catalogue);
    catalogue_finish(&parts[into].catalogue);
    char *const expected = catalogue_desk_text(&all.catalogue), *const text = catalogue_desk_text(
                                                                    &parts[into].catalogue);
    assert_string_equal(text, expected);
    const struct catalogue_node *other = catalogue_first(&parts[into].catalogue);
    for (const struct catalogue_node *node = catalogue_first(&all.catalogue); node != NULL;
         node = catalogue_next(node)) {
        assert_int_equal(node->example_length, other->example_length);
        assert_memory_equal(node->example, other->example, CATALOGUE_EXAMPLE);
        other = catalogue_next(other);
    }
    free(expected);
    free(text);
    catalogue_desk_close(&all);
    for (size_t p = 0; p < 3; p++)
        catalogue_desk_close(&parts[p]);
}

static void test_parts(void **state)
{
    (void)state;
    static const unsigned keys[] = {
        1, 10, 101, CATALOGUE_KEYS_MAX - 1, CATALOGUE_KEYS_MAX, CATALOGUE_KEYS_MAX + 1, 2000};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        compare_parts(keys[i], i % 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),          cmocka_unit_test(test_texts),
        cmocka_unit_test(test_long_texts),     cmocka_unit_test(test_keys),
        cmocka_unit_test(test_order),          cmocka_unit_test(test_known_maps),
        cmocka_unit_test(test_segments),       cmocka_unit_test(test_spaces),
        cmocka_unit_test(test_times),          cmocka_unit_test(test_bad_records),
        cmocka_unit_test(test_wide_objects),   cmocka_unit_test(test_sparse_objects),
        cmocka_unit_test(test_long_keys),      cmocka_unit_test(test_levels),
        cmocka_unit_test(test_too_many_paths), cmocka_unit_test(test_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
