/* test_walk.c - index_walk and record_walk over the same records: the same verdict and the same cells,
 * whatever stands behind a record, whatever came before it, and at the very end of readable memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/walk_cases.h"

#include <sys/mman.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { RECORD_MAX = 1 << 14, DEPTH_MAX = 64 };

/* What may stand behind a block: other lines, or what a buffer held before. */
static const char *const tails[] = {
    "",       "\"",        ":",    "}", "]",  ",", "{", "[",   "\n{\"b\":1}\n", "\"b\":2,\"a\":{\"b\":3}}",
    "b\":1}", ",\"b\":5}", "\n\n", " ", "\\", "x", "1", "\xff"};

struct desks {
    struct walk_desk desk[WALK_MAPPINGS];
    struct walk_text text;
};

static void desks_open(struct desks *desks)
{
    *desks = (struct desks){0};
    for (int m = 0; m < WALK_MAPPINGS; m++)
        walk_desk_open(&desks->desk[m], &walk_mappings[m], DEPTH_MAX, RECORD_MAX);
}

static void desks_close(struct desks *desks)
{
    for (int m = 0; m < WALK_MAPPINGS; m++)
        walk_desk_close(&desks->desk[m]);
    free(desks->text.at);
}

/* ---- memory that ends LIMIT_PADDING bytes behind a text ---- */

struct guarded {
    uint8_t *pages;
    size_t size, page;
};

static struct guarded guarded_new(void)
{
    struct guarded guarded = {.page = (size_t)sysconf(_SC_PAGESIZE)};
    guarded.size = RECORD_MAX + guarded.page - RECORD_MAX % guarded.page;
    guarded.pages =
        mmap(NULL, guarded.size + guarded.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(guarded.pages, MAP_FAILED);
    assert_int_equal(mprotect(guarded.pages + guarded.size, guarded.page, PROT_NONE), 0);
    return guarded;
}

static void guarded_free(struct guarded *guarded)
{
    assert_int_equal(munmap(guarded->pages, guarded->size + guarded->page), 0);
}

static uint8_t *guarded_put(struct guarded *guarded, const char *text, size_t length, const char *tail)
{
    uint8_t *at = guarded->pages + guarded->size - LIMIT_PADDING - length;
    memcpy(at, text, length);
    for (size_t i = 0; i < LIMIT_PADDING; i++)
        at[length + i] = *tail == '\0' ? 0 : (uint8_t)tail[i % strlen(tail)];
    return at;
}

/* ---- one record ---- */

static void check(struct desks *desks, const struct walk_case *wanted, const uint8_t *record, size_t length,
                  const uint32_t *next, const uint32_t *behind)
{
    struct walk_desk *desk = &desks->desk[wanted->mapping];
    bool const good = wanted->cells != NULL;
    if ((next != NULL) != good) fail_msg("index_walk %s %s", good ? "refuses" : "takes", wanted->record);
    if (walk_desk_slow(desk, record, length) != good)
        fail_msg("record_walk %s %s", good ? "refuses" : "takes", wanted->record);
    if (!good) return;
    walk_text_cells(&desks->text, &desk->slow);
    if (strcmp(desks->text.at, wanted->cells) != 0)
        fail_msg("record_walk: %s\n%s\n%s", wanted->record, desks->text.at, wanted->cells);
    walk_text_cells(&desks->text, &desk->fast);
    if (strcmp(desks->text.at, wanted->cells) != 0)
        fail_msg("index_walk: %s\n%s\n%s", wanted->record, desks->text.at, wanted->cells);
    assert_true(walk_desk_same(&desk->fast, &desk->slow));
    assert_ptr_equal(next, behind);
}

/* The record as a block of its own; `blanks` behind it belong to its line. */
static void check_alone(struct desks *desks, const struct walk_case *wanted, const uint8_t *record,
                        size_t blanks)
{
    struct walk_desk *desk = &desks->desk[wanted->mapping];
    size_t const length = strlen(wanted->record), front = strspn(wanted->record, " \t\r\n");
    const uint32_t *next = NULL;
    if (walk_desk_index(desk, record, length + blanks))
        next = walk_desk_fast(desk, record, desk->tokens, length + blanks);
    check(desks, wanted, record + front, length - front, next, desk->tokens + desk->token_count);
}

static void both_walks_find_the_same(void **state)
{
    (void)state;
    struct desks desks;
    struct guarded guarded = guarded_new();
    char line[1024];
    desks_open(&desks);
    for (size_t t = 0; t < COUNT(tails); t++)
        for (size_t i = 0; i < COUNT(walk_cases); i++) {
            size_t const length = strlen(walk_cases[i].record);
            check_alone(&desks, &walk_cases[i], guarded_put(&guarded, walk_cases[i].record, length, tails[t]),
                        0);
            snprintf(line, sizeof line, "%s \r\n", walk_cases[i].record);
            check_alone(&desks, &walk_cases[i], guarded_put(&guarded, line, length + 3, tails[t]), 3);
        }
    desks_close(&desks);
    guarded_free(&guarded);
}

/* A plan walks a record the same way whether its keys were learnt or not. */
static void a_first_record_is_like_any(void **state)
{
    (void)state;
    struct desks desks;
    struct guarded guarded = guarded_new();
    for (size_t i = 0; i < COUNT(walk_cases); i += 3) {
        desks_open(&desks);
        const char *record = walk_cases[i].record;
        check_alone(&desks, &walk_cases[i], guarded_put(&guarded, record, strlen(record), ""), 0);
        desks_close(&desks);
    }
    guarded_free(&guarded);
}

/* ---- blocks ---- */

/* The records of a mapping that are clean by themselves, as lines; blank ones between. */
static size_t block_fill(struct desks *desks, int mapping, bool backwards, char *block,
                         const struct walk_case **wanted, size_t *count)
{
    size_t length = 0;
    *count = 0;
    for (size_t k = 0; k < COUNT(walk_cases); k++) {
        const struct walk_case *c = &walk_cases[backwards ? COUNT(walk_cases) - 1 - k : k];
        uint8_t alone[1024] = {0};
        if ((int)c->mapping != mapping) continue;
        memcpy(alone, c->record, strlen(c->record));
        if (!walk_desk_index(&desks->desk[mapping], alone, strlen(c->record))) continue;
        wanted[(*count)++] = c;
        length += (size_t)sprintf(block + length, "%s%s\n%s", k % 3 == 0 ? "  " : "", c->record,
                                  k % 4 == 0 ? " \t\r\n\n" : "");
    }
    return length;
}

static void walk_block(struct desks *desks, int mapping, const uint8_t *block, size_t length,
                       const struct walk_case **wanted, size_t count)
{
    struct walk_desk *desk = &desks->desk[mapping];
    assert_true(walk_desk_index(desk, block, length));
    const uint32_t *token = desk->tokens;
    size_t found = 0;
    for (size_t at = 0; at < length;) {
        const uint8_t *feed = memchr(block + at, '\n', length - at);
        size_t const end = feed == NULL ? length : (size_t)(feed - block);
        at = end + 1;
        if (*token >= end) continue;
        assert_true(found < count);
        const uint32_t *behind = token;
        while (*behind < end)
            behind++;
        const uint8_t *record = block + *token;
        const uint32_t *next = walk_desk_fast(desk, block, token, end);
        size_t text_end = end;
        while (json_is_blank(block[text_end - 1]))
            text_end--;
        check(desks, wanted[found++], record, (size_t)(block + text_end - record), next, behind);
        token = behind;
    }
    assert_int_equal(found, count);
}

static void broken_records_leave_their_neighbours_alone(void **state)
{
    (void)state;
    static char block[RECORD_MAX];
    const struct walk_case *wanted[COUNT(walk_cases)];
    struct desks desks;
    struct guarded guarded = guarded_new();
    desks_open(&desks);
    for (int mapping = 0; mapping < WALK_MAPPINGS; mapping++)
        for (int way = 0; way < 4; way++) {
            size_t count;
            size_t length = block_fill(&desks, mapping, way % 2 != 0, block, wanted, &count);
            if (way >= 2) /* no line feed behind the last one */
                while (json_is_blank((uint8_t)block[length - 1]))
                    length--;
            assert_true(count > 5);
            walk_block(&desks, mapping, guarded_put(&guarded, block, length, tails[way * 3]), length, wanted,
                       count);
        }
    desks_close(&desks);
    guarded_free(&guarded);
}

/* A record whose end is missing must not go on in what stands behind its line, keys that were learnt least of
 * all. */
static void a_record_never_reaches_into_the_next_line(void **state)
{
    (void)state;
    static const char *const fronts[] = {
        "{",          "{\"b\":1,",       "{\"b\"",           "{\"b\":",
        "{\"b\":1",   "{\"a\":{",        "{\"a\":{\"b\":1,", "{\"b\":[",
        "{\"b\":[1,", "{\"a\":{\"b\":{", "{\"z\":[",         "{\"z\":{\"k\":1,"};
    static const char *const backs[] = {
        "\"b\":1}", "\"b\":{\"c\":1}}}", "}",   ":1}",        "1}",  "]}",
        "}}",       ",\"b\":2}",         "[]}", "{\"b\":1}}", "{}}", "\"a\":{}}"};
    struct desks desks;
    struct walk_desk *desk = &desks.desk[WALK_PLAIN];
    desks_open(&desks);
    for (int warm = 0; warm < 2; warm++) /* the second time the keys are known */
        for (size_t f = 0; f < COUNT(fronts); f++)
            for (size_t b = 0; b < COUNT(backs); b++)
                for (int split = 0; split < 3;
                     split++) { /* within a block; at its end, with a line feed and without */
                    uint8_t bytes[256] = {0};
                    size_t const front = strlen(fronts[f]);
                    int const all =
                        sprintf((char *)bytes, split == 2 ? "%s%s" : "%s\n%s", fronts[f], backs[b]);
                    size_t const length = split == 0 ? (size_t)all : front + (split == 1);
                    if (!walk_desk_index(desk, bytes, length)) continue;
                    if (walk_desk_fast(desk, bytes, desk->tokens, front) != NULL)
                        fail_msg("%s takes %s", fronts[f], backs[b]);
                    const char *good = "{\"a\":{\"b\":{\"c\":1}},\"b\":2,\"z\":3}";
                    memset(bytes, 0, sizeof bytes);
                    memcpy(bytes, good, strlen(good));
                    assert_true(walk_desk_index(desk, bytes, strlen(good)));
                    assert_non_null(walk_desk_fast(desk, bytes, desk->tokens, strlen(good)));
                }
    desks_close(&desks);
}

/* ---- the order of members ---- */

/* One of each kind of value for names that lead somewhere, that lead nowhere, and that come with a prefix. */
static const char *const members[] = {"\"a\":{\"b\":\"x\"}",
                                      "\"a\":\"s\"",
                                      "\"b\":\"y\"",
                                      "\"b\" : 1",
                                      "\"z\":\"0\"",
                                      "\"z\":{\"k\":[]}",
                                      "\"xdm:a\":\"p\"",
                                      "\"xdm:b\":{\"c\":\"q\"}",
                                      "\"person\":{\"name\":{\"firstName\":\"n\",\"firstName\":\"m\"}}"};

/* What was learnt of one record's members must not hide that others come twice, or before them. */
static void members_come_in_any_order(void **state)
{
    (void)state;
    static const char *const joints[] = {",", ", ", " ,\t"};
    struct desks desks;
    desks_open(&desks);
    for (int mapping = 0; mapping < WALK_MAPPINGS; mapping++)
        for (size_t i = 0; i < 4 * COUNT(members) * COUNT(members) * COUNT(members); i++) {
            struct walk_desk *desk = &desks.desk[mapping];
            uint8_t record[512] = {0};
            size_t const n = COUNT(members), style = i / (n * n * n) % COUNT(joints);
            size_t const length =
                (size_t)sprintf((char *)record, "{%s%s%s%s%s}", members[i % n], joints[style],
                                members[i / n % n], joints[style], members[i / n / n % n]);
            assert_true(walk_desk_index(desk, record, length));
            bool const fast = walk_desk_fast(desk, record, desk->tokens, length) != NULL;
            if (!fast || !walk_desk_slow(desk, record, length) || !walk_desk_same(&desk->fast, &desk->slow))
                fail_msg("mapping %d: %s", mapping, (const char *)record);
        }
    desks_close(&desks);
}

/* ---- depth ---- */

/* {"key":[[…]]} or with objects, `levels` deep in all. */
static size_t nested(char *out, const char *key, unsigned levels, unsigned kind)
{
    size_t length = (size_t)sprintf(out, "{\"%s\":", key);
    for (unsigned i = 1; i < levels; i++) {
        bool const object = kind == 1 || (kind == 2 && i % 2 != 0);
        length += (size_t)sprintf(out + length, "%s", !object ? "[" : i + 1 == levels ? "{" : "{\"k\":");
    }
    if (levels == 1) length += (size_t)sprintf(out + length, "1");
    for (unsigned i = levels - 1; i > 0; i--)
        out[length++] = kind == 1 || (kind == 2 && i % 2 != 0) ? '}' : ']';
    out[length++] = '}';
    return length;
}

static void depth_is_bounded(void **state)
{
    (void)state;
    static const uint32_t depths[] = {1, 2, 3, 7, 1024};
    static const char *const keys[] = {"a", "z", "m", "b"};
    char *text = malloc(RECORD_MAX);
    struct guarded guarded = guarded_new();
    assert_non_null(text);
    for (int mapping = 0; mapping < WALK_MAPPINGS; mapping++)
        for (size_t d = 0; d < COUNT(depths); d++) {
            struct walk_desk desk;
            walk_desk_open(&desk, &walk_mappings[mapping], depths[d], RECORD_MAX);
            for (size_t k = 0; k < COUNT(keys) * 3; k++)
                for (uint32_t more = 0; more < 2; more++) {
                    size_t const length = nested(text, keys[k / 3], depths[d] + more, (unsigned)(k % 3));
                    uint8_t *record = guarded_put(&guarded, text, length, "");
                    assert_true(walk_desk_index(&desk, record, length));
                    bool const fast = walk_desk_fast(&desk, record, desk.tokens, length) != NULL;
                    if (fast != (more == 0) || walk_desk_slow(&desk, record, length) != (more == 0))
                        fail_msg("mapping %d, depth %u, %.40s", mapping, depths[d] + more, text);
                    if (more == 0) assert_true(walk_desk_same(&desk.fast, &desk.slow));
                    enum defect const defect = walk_desk_defect(&desk, record, length);
                    assert_int_equal(defect, more == 0 ? DEFECT_NONE : DEFECT_DEPTH);
                }
            walk_desk_close(&desk);
        }
    guarded_free(&guarded);
    free(text);
}

/* ---- many records by chance ---- */

struct chance {
    uint32_t state;
    char *at, *end;
};

static uint32_t chance_below(struct chance *chance, uint32_t limit)
{
    chance->state = chance->state * 1664525u + 1013904223u; /* Numerical Recipes */
    return (chance->state >> 16) % limit;
}

static void chance_text(struct chance *chance, const char *text)
{
    size_t const length = strlen(text);
    if ((size_t)(chance->end - chance->at) <= length) return;
    memcpy(chance->at, text, length + 1);
    chance->at += length;
}

static void chance_value(struct chance *chance, unsigned depth)
{
    static const char *const keys[] = {"a",           "b",
                                       "c",           "k",
                                       "l",           "m",
                                       "x",           "z",
                                       "id",          "xdm:a",
                                       "xdm:c",       "\\u0062",
                                       "ECID",        "ecid",
                                       "identityMap", "primary",
                                       "x y",         "p",
                                       "\\ud800",     "name",
                                       "person",      "segmentMembership",
                                       "ups",         "UPS",
                                       "s.1",         "s2",
                                       "status",      "xdm:s2",
                                       "identities",  "namespace",
                                       "code",        "CRM"};
    static const char *const scalars[] = {"1",           "\"v\"",      "null", "true", "1.0",
                                          "\"\\u0076\"", "\"a\\\"b\"", "2",    "\"\"", "tru"};
    uint32_t const kind = depth == 0 ? 0 : chance_below(chance, 10);
    if (depth != 0 && kind > 2 && depth < 6) {
        bool const object = kind > 5 || depth == 5;
        uint32_t const count = chance_below(chance, 5) + (depth == 5 ? 3 : 0);
        chance_text(chance, object ? "{" : "[");
        for (uint32_t i = 0; i < count; i++) {
            if (i != 0) chance_text(chance, chance_below(chance, 60) == 0 ? " " : ",");
            if (chance_below(chance, 20) == 0) chance_text(chance, " ");
            if (object) {
                chance_text(chance, "\"");
                chance_text(chance, keys[chance_below(chance, COUNT(keys))]);
                chance_text(chance, chance_below(chance, 12) == 0 ? "\" :" : "\":");
            }
            chance_value(chance, depth - 1);
        }
        chance_text(chance, chance_below(chance, 150) == 0 ? "" : object ? "}" : "]");
        return;
    }
    chance_text(chance, scalars[chance_below(chance, COUNT(scalars))]);
}

static void records_by_chance(void **state)
{
    (void)state;
    struct desks desks;
    char text[2048];
    uint8_t record[2048 + LIMIT_PADDING];
    struct chance chance = {.state = 20261123};
    unsigned good = 0;
    desks_open(&desks);
    for (unsigned i = 0; i < 60000; i++) {
        struct walk_desk *desk = &desks.desk[i % WALK_MAPPINGS];
        chance.at = text;
        chance.end = text + sizeof text;
        chance_value(&chance, 5);
        size_t const length = strlen(text);
        memset(record, 0, sizeof record);
        memcpy(record, text, length);
        bool const slow = walk_desk_slow(desk, record, length);
        const uint32_t *next = NULL;
        if (walk_desk_index(desk, record, length)) next = walk_desk_fast(desk, record, desk->tokens, length);
        if ((next != NULL) != slow) fail_msg("index_walk %s %s", slow ? "refuses" : "takes", text);
        if (slow && !walk_desk_same(&desk->fast, &desk->slow)) fail_msg("other cells: %s", text);
        bool const values_good = slow && walk_desk_values_good(desk, &desk->slow);
        if ((walk_desk_defect(desk, record, length) == DEFECT_NONE) != values_good)
            fail_msg("defect of %s", text);
        good += slow;
    }
    assert_true(good > 20000 && good < 59000);
    desks_close(&desks);
}

/* ---- bounds ---- */

static void too_many_values_overflow_both(void **state)
{
    (void)state;
    struct desks desks;
    desks_open(&desks);
    struct walk_desk *desk = &desks.desk[WALK_ROOT];
    desk->fast.item_max = desk->slow.item_max = 1024; /* one path with [*] never needs all there are */
    uint32_t const most = desk->fast.item_max / 2;    /* [*][*] selects each, [*] the array itself */
    for (uint32_t elements = most - 1; elements <= most; elements++) {
        uint8_t *record = calloc(1, 4 * (size_t)elements + 64 + LIMIT_PADDING);
        assert_non_null(record);
        size_t length = (size_t)sprintf((char *)record, "{\"a\":[");
        for (uint32_t i = 0; i < 2 * elements; i++)
            length += (size_t)sprintf((char *)record + length, i == 0 ? "1" : ",1");
        length += (size_t)sprintf((char *)record + length, "]}");
        bool const fits = 2 * elements + 1 <= desk->fast.item_max;
        assert_true(walk_desk_index(desk, record, length));
        assert_int_equal(walk_desk_fast(desk, record, desk->tokens, length) != NULL, fits);
        assert_int_equal(walk_desk_slow(desk, record, length), fits);
        assert_int_equal(desk->fast.overflow, !fits);
        assert_int_equal(desk->slow.overflow, !fits);
        free(record);
    }
    desks_close(&desks);
}

static void long_keys_are_fine(void **state)
{
    (void)state;
    enum { LONGEST = 6 * PATH_TEXT_MAX };
    struct walk_desk desk;
    uint8_t *record = calloc(1, LONGEST + 100 + LIMIT_PADDING);
    assert_non_null(record);
    walk_desk_open(&desk, &walk_mappings[WALK_FOLD], 8, LONGEST + 100);
    for (size_t length = LONGEST - 6; length <= LONGEST + 6; length += 6)
        for (int escaped = 0; escaped < 2; escaped++) {
            size_t at = (size_t)sprintf((char *)record, "{\"identityMap\":{\"");
            for (size_t i = 0; i < length; i += 6)
                at += (size_t)sprintf((char *)record + at, escaped ? "\\u0065" : "eeeeee");
            at += (size_t)sprintf((char *)record + at, "\":[{\"id\":1}]},\"b\":2}");
            assert_true(walk_desk_index(&desk, record, at));
            assert_non_null(walk_desk_fast(&desk, record, desk.tokens, at));
            assert_true(walk_desk_slow(&desk, record, at));
            assert_true(walk_desk_same(&desk.fast, &desk.slow));
        }
    walk_desk_close(&desk);
    free(record);
}

/* More members under [*] than are remembered: all values are kept, by both. */
static void more_members_than_remembered(void **state)
{
    (void)state;
    enum { MEMBERS = CELLS_MEMBERS_MAX + 50, ROOM = MEMBERS * 20 };
    struct walk_desk desk;
    uint8_t *record = calloc(1, ROOM + LIMIT_PADDING);
    assert_non_null(record);
    walk_desk_open(&desk, &walk_mappings[WALK_WILDCARD], 8, ROOM);
    size_t at = (size_t)sprintf((char *)record, "{\"a\":{");
    for (unsigned i = 0; i < MEMBERS; i++)
        at += (size_t)sprintf((char *)record + at, "\"k%u\":%u,", i, i);
    at += (size_t)sprintf((char *)record + at, "\"k0\":7,\"k%u\":8}}", MEMBERS - 1);
    assert_true(walk_desk_index(&desk, record, at));
    assert_non_null(walk_desk_fast(&desk, record, desk.tokens, at));
    assert_true(walk_desk_slow(&desk, record, at));
    assert_true(walk_desk_same(&desk.fast, &desk.slow));
    uint32_t values = 0;
    for (uint32_t n = desk.fast.slots[desk.plan.columns[0].slots[0]].last; n != 0;
         n = desk.fast.items[n - 1].before)
        values++;
    assert_int_equal(values, MEMBERS + 1); /* k0 was replaced, the last one was not remembered */
    walk_desk_close(&desk);
    free(record);
}

static void nul_bytes_are_no_blanks(void **state)
{
    (void)state;
    struct desks desks;
    desks_open(&desks);
    struct walk_desk *desk = &desks.desk[WALK_PLAIN];
    static const uint8_t outside[16 + LIMIT_PADDING] = "{\"b\":1\0}",
                                      behind[16 + LIMIT_PADDING] = "{\"b\":1}\0",
                                      inside[16 + LIMIT_PADDING] = "{\"b\":\"\0\"}";
    assert_true(walk_desk_index(desk, outside, 8));
    assert_non_null(walk_desk_fast(desk, outside, desk->tokens, 8)); /* the value 1 NUL: csv_row refuses it */
    assert_true(walk_desk_slow(desk, outside, 8));
    assert_int_equal(walk_desk_defect(desk, outside, 8), DEFECT_SYNTAX);
    assert_true(walk_desk_index(desk, behind, 8));
    assert_null(walk_desk_fast(desk, behind, desk->tokens, 8));
    assert_int_equal(walk_desk_defect(desk, behind, 8), DEFECT_TRAILING_CONTENT);
    assert_false(walk_desk_index(desk, inside, 9));
    assert_false(walk_desk_slow(desk, inside, 9));
    assert_int_equal(walk_desk_defect(desk, inside, 9), DEFECT_SYNTAX);
    desks_close(&desks);
}

/* ---- the parser's own promises ---- */

static void blank_blocks_are_clean(void **state)
{
    (void)state;
    static const uint8_t blanks[16 + LIMIT_PADDING] = " \n\t\r\n";
    struct record_index index;
    struct record_parser *parser = record_parser_create(64, 4);
    assert_non_null(parser);
    for (size_t length = 0; length <= 5; length++) {
        assert_true(record_parser_index(parser, blanks, length, &index));
        assert_int_equal(index.count, 0);
        assert_int_equal(index.tokens[0], length);
        assert_int_equal(index.tokens[1], length);
    }
    record_parser_destroy(parser);
    record_parser_destroy(NULL);
}

static void capacity_is_kept(void **state)
{
    (void)state;
    struct desks desks;
    struct record_index index;
    static uint8_t record[RECORD_MAX + 1 + LIMIT_PADDING];
    desks_open(&desks);
    struct walk_desk *desk = &desks.desk[WALK_PLAIN];
    for (size_t length = RECORD_MAX - 1; length <= RECORD_MAX + 1; length++) {
        memset(record, 'x', sizeof record);
        memcpy(record, "{\"b\":\"", 6);
        memcpy(record + length - 2, "\"}", 2);
        bool const fits = length <= RECORD_MAX;
        assert_int_equal(record_parser_index(desk->parser, record, length, &index), fits);
        assert_int_equal(walk_desk_slow(desk, record, length), fits);
        if (fits) assert_int_equal(desk->slow.slots[desk->plan.columns[3].slots[0]].length, length - 6);
    }
    assert_false(walk_desk_slow(desk, record, 0));
    desks_close(&desks);
}

static void the_kernel_has_a_name(void **state)
{
    (void)state;
    char name[32] = "", cut[4];
    record_parser_kernel(name, sizeof name);
    assert_true(strlen(name) > 0);
    record_parser_kernel(cut, sizeof cut);
    assert_true(strlen(cut) == 3 && strncmp(cut, name, 3) == 0);
    assert_true(strstr(record_parser_version(), "3.") != NULL);
    assert_true(record_parser_bytes(1 << 20, 64) > 8 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_walks_find_the_same),
        cmocka_unit_test(a_first_record_is_like_any),
        cmocka_unit_test(broken_records_leave_their_neighbours_alone),
        cmocka_unit_test(a_record_never_reaches_into_the_next_line),
        cmocka_unit_test(members_come_in_any_order),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(records_by_chance),
        cmocka_unit_test(too_many_values_overflow_both),
        cmocka_unit_test(long_keys_are_fine),
        cmocka_unit_test(more_members_than_remembered),
        cmocka_unit_test(nul_bytes_are_no_blanks),
        cmocka_unit_test(blank_blocks_are_clean),
        cmocka_unit_test(capacity_is_kept),
        cmocka_unit_test(the_kernel_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
