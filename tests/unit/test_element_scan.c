/* test_element_scan.c - where records of a container end, good and bad ones; and the same whatever is shown
 * at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/record/element_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { LIMIT = 6000 };

/* A text with LIMIT_PADDING bytes behind it that would be a record, if they counted. */
static uint8_t *padded(const char *text, size_t length)
{
    uint8_t *const bytes = malloc(length + LIMIT_PADDING);
    assert_non_null(bytes);
    memcpy(bytes, text, length);
    for (size_t i = 0; i < LIMIT_PADDING; i++)
        bytes[length + i] = (uint8_t) ",{\"id\":"[i % 7];
    return bytes;
}

/* One element, of which `step` bytes more are shown each time (0: all at once). */
static enum element_end scan_one(struct element_scan *scan, const uint8_t *bytes, size_t length, size_t step)
{
    uint64_t const begin = scan->begin;
    size_t shown = step == 0 ? length : (size_t)begin;
    for (;;) {
        shown = length - shown > step && step != 0 ? shown + step : length;
        uint64_t const behind =
            scan->at - scan->begin < RECORD_MARK_BEHIND ? scan->begin : scan->at - RECORD_MARK_BEHIND;
        enum element_end const end =
            element_scan_run(scan, bytes + behind, shown - (size_t)behind, behind, shown == length);
        if (end != ELEMENT_MORE) return end;
        assert_true(shown < length);
    }
}

/* Appends the elements of a text, one a line, broken ones with ! before them. `anew`: nothing is known of the
 * text behind an element. */
static char *elements_of(const char *text, size_t length, size_t step, bool anew)
{
    uint8_t *const bytes = padded(text, length);
    struct form form;
    struct element_scan scan;
    form_find(&form, bytes, length < FORM_HEAD_BYTES ? length : FORM_HEAD_BYTES, 0, length < FORM_HEAD_BYTES);
    char *const out = malloc(2 * length + 100);
    assert_non_null(out);
    size_t used = 0;
    enum element_end end = ELEMENT_COMMA;
    element_scan_begin(&scan, &form, LIMIT, form.begin);
    for (uint64_t at = form.begin; end == ELEMENT_COMMA || end == ELEMENT_NEXT || end == ELEMENT_BROKEN;) {
        while (at < length && strchr(" \t\r\n", text[at]) != NULL)
            at++;
        if (at == length) break;
        if (anew)
            element_scan_begin(&scan, &form, LIMIT, at);
        else
            element_scan_again(&scan, at);
        end = scan_one(&scan, bytes, length, step);
        assert_true(scan.text_end >= at && scan.text_end <= length);
        if (end == ELEMENT_BROKEN || scan.lost) out[used++] = '!';
        memcpy(out + used, text + at, (size_t)(scan.text_end - at));
        used += (size_t)(scan.text_end - at);
        out[used++] = '\n';
        if (end == ELEMENT_CLOSES) memcpy(out + used, "#", 1), used++;
        assert_true(end == ELEMENT_SOURCE || scan.next > at);
        at = scan.next;
    }
    out[used] = '\0';
    free(bytes);
    return out;
}

static void must_be(const char *text, const char *wanted)
{
    for (int anew = 0; anew < 2; anew++) {
        char *const got = elements_of(text, strlen(text), 0, anew != 0);
        if (strcmp(got, wanted) != 0) print_message("%s:\n%s---\n%s\n", text, got, wanted);
        assert_string_equal(got, wanted);
        free(got);
    }
}

/* Good elements: # where the container is closed. */
static void good_ones(void **state)
{
    (void)state;
    must_be("[{\"id\":1},{\"id\":2}]", "{\"id\":1}\n{\"id\":2}\n#");
    must_be("[ {\"id\":1} , {\"id\":2} ] ", "{\"id\":1}\n{\"id\":2}\n#");
    must_be("[{\"id\":\"],[{}\\\"\\\\\"},5,\"a\",null]", "{\"id\":\"],[{}\\\"\\\\\"}\n5\n\"a\"\nnull\n#");
    must_be("[{\"id\":1,\"a\":[{\"id\":2},{\"id\":3}]},{\"id\":4}]",
            "{\"id\":1,\"a\":[{\"id\":2},{\"id\":3}]}\n{\"id\":4}\n#");
    must_be("{\"id\":1}{\"id\":2} {\"id\":3}\n", "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n");
    must_be("{\n\"id\":1\n}\n{\n\"id\":2\n}\n", "{\n\"id\":1\n}\n{\n\"id\":2\n}\n");
    must_be("{\"k\":{\"entity\":{\"id\":1}},\"l\":{\"entity\":{\"id\":2}}}",
            "\"k\":{\"entity\":{\"id\":1}}\n\"l\":{\"entity\":{\"id\":2}}\n#");
    must_be("{\"results\":[{\"id\":1},{\"id\":2}],\"n\":1}", "{\"id\":1}\n{\"id\":2}\n#");
}

/* Broken ones between good ones. */
static void broken_ones(void **state)
{
    (void)state;
    must_be("[{\"id\":1},{\"id\":\"x},{\"id\":2},{\"id\":3}]",
            "{\"id\":1}\n!{\"id\":\"x}\n{\"id\":2}\n{\"id\":3}\n#");
    must_be("[{\"id\":1},{\"id\":[5},{\"id\":2},{\"id\":3}]",
            "{\"id\":1}\n!{\"id\":[5}\n{\"id\":2}\n{\"id\":3}\n#");
    must_be("[{\"id\":1},{\"id\":{\"a\":1},{\"id\":2},{\"id\":3}]",
            "{\"id\":1}\n!{\"id\":{\"a\":1}\n{\"id\":2}\n{\"id\":3}\n#");
    must_be("[{\"id\":1},{\"id\":9}},{\"id\":2}]", "{\"id\":1}\n{\"id\":9}}\n{\"id\":2}\n#");
    must_be("[{\"id\":1},{\"id\":9}],{\"id\":2}]", "{\"id\":1}\n{\"id\":9}]\n{\"id\":2}\n#");
    must_be("[{\"id\":1}, [[5 , {\"id\":2},{\"id\":3}]", "{\"id\":1}\n![[5\n{\"id\":2}\n{\"id\":3}\n#");
    must_be("[{\"id\":1},,{\"id\":2}]", "{\"id\":1}\n\n{\"id\":2}\n#");
    must_be("{\"id\":1}{\"id\":[2}\n{\"id\":3}\n", "{\"id\":1}\n!{\"id\":[2}\n{\"id\":3}\n");
    must_be("{\"results\":[{\"id\":1},{\"id\":[5,{\"id\":2},{\"id\":3}]}",
            "{\"id\":1}\n!{\"id\":[5\n{\"id\":2}\n{\"id\":3}\n#");
}

/* Without an end: what is there is one element, that nothing says is broken. */
static void cut_ones(void **state)
{
    (void)state;
    must_be("[{\"id\":1},{\"id\":2", "{\"id\":1}\n{\"id\":2\n");
    must_be("[{\"id\":1},{\"id\":2,\"a\":[{\"id\":3},{\"id\":4},5",
            "{\"id\":1}\n{\"id\":2,\"a\":[{\"id\":3},{\"id\":4},5\n");
    must_be("[{\"id\":1}", "{\"id\":1}\n");
}

/* A missing bracket swallows records up to the limit: then the first of them is where it ends. */
static void limits(void **state)
{
    enum { RECORDS = 1000 };
    char *const text = malloc(RECORDS * 40);
    assert_non_null(text);
    (void)state;
    size_t length = (size_t)sprintf(text, "[{\"id\":\"bad\",\"a\":[0");
    for (int i = 0; i < RECORDS; i++)
        length += (size_t)sprintf(text + length, ", {\"id\":%d}", i);
    length += (size_t)sprintf(text + length, "]]\n");
    char *const whole = elements_of(text, length, 0, false);
    assert_memory_equal(whole, "!{\"id\":\"bad\",\"a\":[0\n{\"id\":0}\n{\"id\":1}\n", 38);
    size_t lines = 0;
    for (const char *at = whole; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, RECORDS + 1);
    free(whole);
    free(text);
}

/* Records that are never closed: those that lie in too many others are not looked through to their ends. */
static void nested(const char *front, const char *unit, unsigned count, const char *wanted)
{
    size_t const step = strlen(unit);
    char *const text = malloc(strlen(front) + count * step + 1);
    assert_non_null(text);
    size_t length = (size_t)sprintf(text, "%s", front);
    for (unsigned i = 0; i < count; i++)
        length += (size_t)sprintf(text + length, "%s", unit);
    for (int anew = 0; anew < 2; anew++) {
        char *const got = elements_of(text, length, 0, anew != 0);
        assert_memory_equal(got, wanted, strlen(wanted));
        free(got);
    }
    free(text);
}

static void never_closed(void **state)
{
    (void)state;
    nested("{\"id\":1}{\"id\":2}\n", "{\"id\":3,\"a\":[\n", 200,
           "{\"id\":1}\n{\"id\":2}\n!{\"id\":3,\"a\":[\n!{\"id\":3");
    nested("[{\"id\":1}", ",{\"id\":3,\"a\":[1", 200, "{\"id\":1}\n!{\"id\":3,\"a\":[1\n!{\"id\":3");
    nested("[{\"id\":1}", ",{\"id\":3,\"a\":[1", 100, "{\"id\":1}\n{\"id\":3,\"a\":[1,{\"id\":3");
}

/* A record that is not closed swallows those behind it up to another that is broken: `count` records between
 * `front` and `back` come out by themselves, or stay in it. */
static void swallowed(const char *front, const char *record, const char *back, unsigned count, bool out)
{
    char *const text = malloc(strlen(front) + strlen(back) + count * (strlen(record) + 1) + 2);
    assert_non_null(text);
    size_t length = (size_t)sprintf(text, "%s", front);
    for (unsigned i = 0; i < count; i++)
        length += (size_t)sprintf(text + length, ",%s", record);
    length += (size_t)sprintf(text + length, ",%s", back);
    for (int anew = 0; anew < 2; anew++) {
        char *const got = elements_of(text, length, 0, anew != 0);
        unsigned lines = 0;
        for (const char *at = got; (at = strchr(at, '\n')) != NULL; at++)
            lines++;
        /* the first, the broken ones, the last; and with few in between the broken ones are one */
        assert_int_equal(lines, out ? count + 4 : 3);
        free(got);
    }
    free(text);
}

static void swallowed_ones(void **state)
{
    static const char array[] = "[{\"id\":1},{\"id\":2,\"a\":[1", closing[] = "{\"id\":3}},{\"id\":4}]";
    static const char missing[] = "{\"id\":3,\"a\" \"b\"},{\"id\":4}]";
    static const char map[] = "{\"k\":{\"entity\":{\"id\":1}},\"l\":{\"entity\":{\"id\":2}";
    static const char entity[] = "\"m\":{\"entity\":{\"id\":3}}";
    static const char of_map[] = "\"n\":{\"entity\":{\"id\":3,\"a\":[}}},\"o\":{\"entity\":{\"id\":4}}}";
    (void)state;
    for (unsigned more = 0; more < 2; more++) {
        unsigned const count = ELEMENT_SCAN_MARKS - 1 + more; /* the broken one is another */
        swallowed(array, "{\"id\":5}", closing, count, more != 0);
        swallowed(array, "{\"id\":5}", missing, count, more != 0);
        swallowed(map, entity, of_map, count, more != 0);
    }
    swallowed(array, "{\"id\":5,\"a\":[{\"id\":6},{\"id\":7}]}", closing, 500, true);
    /* a list in a broken record is no list of records once it is closed */
    static const char list[] = "[{\"id\":1},{\"id\":2,\"a\":[1", end[] = "3],\"b\":[1}},{\"id\":4}]";
    swallowed(list, "{\"id\":5}", end, 200, false);
}

/* More brackets than kinds are kept of, and what stands behind them. */
static void deep_ones(void **state)
{
    enum { DEPTH = 2000000 };
    static const char front[] = "[{\"id\":1},{\"id\":2,\"a\":", behind[] = "},5,{\"a\":1,\"b\"]},{\"id\":3}]";
    char *const text = malloc(DEPTH + 100);
    assert_non_null(text);
    (void)state;
    size_t length = (size_t)sprintf(text, "%s", front);
    memset(text + length, '[', DEPTH);
    length += DEPTH;
    length += (size_t)sprintf(text + length, "%s", behind);
    char *const got = elements_of(text, length, 0, false);
    assert_memory_equal(got, "{\"id\":1}\n!{\"id\":2,\"a\":[[", 24);
    static const char end[] = "\"b\"]}\n{\"id\":3}\n#";
    assert_string_equal(got + strlen(got) - strlen(end), end);
    free(got);
    free(text);
}

/* What is shown at a time never shows: long texts with a bit of everything. */
static void shown_in_pieces(void **state)
{
    static const char *const pieces[] = {"{\"id\":1,\"a\":\"}]\\\"{\\\"id\\\":1\"}",
                                         "{\"id\":2,\"a\":[{\"id\":7},{\"id\":8}]}",
                                         "{\"id\":3,\"a\":\"open}",
                                         "{\"id\":4,\"a\":[1}",
                                         "{\"id\":5}}",
                                         "[1",
                                         "nul",
                                         "{\"id\":6,\"b\":{\"c\":[[[]]]}}",
                                         "{\"id\":7,\"a\":[1"};
    size_t const room = 60000;
    char *const text = malloc(room);
    assert_non_null(text);
    (void)state;
    for (unsigned round = 0; round < 8; round++) {
        unsigned seed = round * 77 + 1;
        size_t length = 0;
        text[length++] = '[';
        length += (size_t)sprintf(text + length, "{\"id\":0}");
        while (length < room - 1000) {
            seed = seed * 1103515245u + 12345u;
            size_t const blanks = seed % 50 == 0 ? seed / 64 % 700 : seed / 64 % 3;
            text[length++] = ',';
            memset(text + length, round % 2 ? '\n' : ' ', blanks);
            length += blanks;
            bool const odd = seed / 4096 % 8 == 0;
            length += (size_t)sprintf(text + length, "%s", pieces[seed / 65536 % (odd ? COUNT(pieces) : 2)]);
        }
        text[length++] = ']';
        char *const whole = elements_of(text, length, 0, true);
        for (size_t step = 0; step < 24000; step += step == 0 ? 5000 : 1777) {
            for (int anew = 0; anew < 2; anew++) {
                char *const cut = elements_of(text, length, step, anew != 0);
                assert_string_equal(whole, cut);
                free(cut);
            }
        }
        free(whole);
    }
    free(text);
}

static unsigned chance(unsigned *seed, unsigned of)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed / 65536 % of;
}

/* Records with a bit of everything, in a container that may lack its end, and some bytes of them changed. */
static size_t put_odd_text(char *text, size_t room, unsigned seed)
{
    static const char *const fronts[] = {"{\"id\":1}", "[{\"id\":0}", "{\"results\":[{\"id\":0}",
                                         "{\"_page\":{},\"results\":[{\"id\":0}",
                                         "{\"k\":{\"entity\":{\"id\":0}}"};
    static const char *const values[] = {"5",
                                         "null , ",
                                         "\"text, more of it\"",
                                         "[1,\"two\",{}, -1.5e3]",
                                         "{\"a\":{\"b\":[]}, \"c\" :[[]]}",
                                         "\"\\\\ and \\\"\\\\\"",
                                         "\n\t\r  [ {\"id\":7},{\"id\":8}\n]",
                                         "\"\\\\\\\\\""};
    static const char *const ends[] = {"", "]", "}", "]}", "}]", "}}", "]}]}", "\""};
    static const char changes[] = "\"\\{}[]:,\n\f\x1a\x01 5";
    unsigned const front = chance(&seed, COUNT(fronts));
    size_t length = (size_t)sprintf(text, "%s", fronts[front]);
    while (length + 160 < room) {
        const char *const begin = front == 0  ? "{\"id\":1"
                                  : front < 4 ? ",{\"id\":2"
                                              : ",\"l\":{\"entity\":{\"id\":3";
        length += (size_t)sprintf(text + length, "%s", begin);
        for (unsigned members = chance(&seed, 4); members > 0; members--)
            length +=
                (size_t)sprintf(text + length, ",\"k%u\":%s", members, values[chance(&seed, COUNT(values))]);
        length += (size_t)sprintf(text + length, "%s", front == 4 ? "}}" : "}");
    }
    size_t const first = strlen(fronts[front]);
    for (unsigned changed = chance(&seed, 5); changed > 0; changed--) {
        char *const at = text + first + chance(&seed, (unsigned)(length - first));
        char const alike = *at == ',' ? '\f' : *at == ':' ? '\x1a' : '\0'; /* to a look at some bits */
        *at = alike != '\0' ? alike : changes[chance(&seed, sizeof changes - 1)];
    }
    if (chance(&seed, 2) != 0) length -= chance(&seed, 40);
    return length + (size_t)sprintf(text + length, "%s", ends[chance(&seed, COUNT(ends))]);
}

/* What is passed 64 bytes at a time is found as byte by byte, which is all that can be when one byte more is
 * shown each time. Behind the texts stand more blanks than are left for a next call. */
static void passed_in_blocks(void **state)
{
    enum { TEXTS = 3000, ROOM = 900, LONG = 9000 };
    char *const text = malloc(LONG + RECORD_MARK_AHEAD + 100);
    assert_non_null(text);
    (void)state;
    for (unsigned i = 0; i < TEXTS; i++) {
        size_t length = put_odd_text(text, i % 40 == 0 ? LONG : 200 + i * 97 % ROOM, i * 7919u + 1);
        memset(text + length, ' ', RECORD_MARK_AHEAD + 100);
        length += RECORD_MARK_AHEAD + 100;
        char *const bytes = elements_of(text, length, 1, false);
        for (size_t step = 0; step < 400; step += 133) {
            char *const blocks = elements_of(text, length, step, false);
            assert_string_equal(bytes, blocks);
            free(blocks);
        }
        free(bytes);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones),        cmocka_unit_test(broken_ones),
        cmocka_unit_test(cut_ones),         cmocka_unit_test(limits),
        cmocka_unit_test(never_closed),     cmocka_unit_test(deep_ones),
        cmocka_unit_test(swallowed_ones),   cmocka_unit_test(shown_in_pieces),
        cmocka_unit_test(passed_in_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
