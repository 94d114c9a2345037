/* test_form.c - containers told by their first bytes: each kind, what is nearly one, and heads that end
 * early. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/record/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct form_case {
    const char *text;
    enum form_kind kind;
    const char *first; /* the text at `begin`; NULL: not looked at */
};

static void must_be(const struct form_case *wanted, const struct form *form)
{
    const char *const at = wanted->text + form->begin;
    bool const there = wanted->first == NULL || strncmp(at, wanted->first, strlen(wanted->first)) == 0;
    if (form->kind != wanted->kind || !there)
        print_message("%s: kind %d, records at %s\n", wanted->text, form->kind, at);
    assert_int_equal(form->kind, wanted->kind);
    assert_true(there);
}

static const struct form_case wholes[] = {
    /* lines */
    {"", FORM_NDJSON, NULL},
    {" \n\n", FORM_NDJSON, NULL},
    {"{\"id\":1}", FORM_NDJSON, NULL},
    {"{\"id\":1}\n{\"id\":2}\n", FORM_NDJSON, NULL},
    {"\n\n{\"id\":1}\r\n", FORM_NDJSON, NULL},
    {"{\"id\":1\n{\"id\":2}\n{\"id\":3}\n", FORM_NDJSON, NULL}, /* the first one is broken */
    {"{\"id\":1,\"a\":\"open}\n{\"id\":2}\n", FORM_NDJSON, NULL},
    {"[1,2]\n{\"id\":2}\n", FORM_NDJSON, NULL}, /* a bad record in front */
    {"text\n{\"id\":2}\n", FORM_NDJSON, NULL},
    {"{\"id\":1} x\n{\"id\":2}\n", FORM_NDJSON, NULL},
    /* arrays */
    {"[{\"id\":1},{\"id\":2}]", FORM_ARRAY, "{\"id\":1}"},
    {" [\n {\"id\":1}\n]\n", FORM_ARRAY, "\n {\"id\":1}"},
    {"[]", FORM_ARRAY, "]"},
    {"[", FORM_ARRAY, ""},
    {"[\n\n]\n{\"id\":1}", FORM_ARRAY, NULL}, /* something behind it */
    /* texts one behind the other */
    {"{\"id\":1}{\"id\":2}", FORM_CONCATENATED, "{\"id\":1}"},
    {"{\"id\":1} {\"id\":2}\n", FORM_CONCATENATED, "{\"id\":1}"},
    {"{\n  \"id\": 1\n}\n{\n  \"id\": 2\n}\n", FORM_CONCATENATED, "{\n"},
    {"{\n  \"id\": 1\n}\n", FORM_CONCATENATED, "{\n"},
    {"{\n  \"id\": 1,\n  \"a\": [1\n}\n{\n  \"id\": 2\n}\n", FORM_CONCATENATED, "{\n"},
    /* maps of entities */
    {"{\"k\":{\"entity\":{\"id\":1}}}", FORM_ENTITIES, "\"k\""},
    {"{\"k\":{\"entityId\":\"k\",\"entity\":{}},\"l\":{\"entity\":{}}}\n", FORM_ENTITIES, "\"k\""},
    {"{\n \"k\": {\n \"sources\": [{}],\n \"entity\": {}\n }\n}", FORM_ENTITIES, "\n \"k\""},
    {"{\"k\":{\"entity\":{}}}\n{\"k\":{\"entity\":{}}}\n", FORM_NDJSON, NULL}, /* two such records */
    {"{\"k\":{\"other\":{\"entity\":1}}}", FORM_NDJSON, NULL},
    {"{\"k\":1,\"l\":{\"entity\":{}}}", FORM_NDJSON, NULL},
    /* arrays under a key */
    {"{\"a\":[{\"id\":1},{\"id\":2}]}", FORM_KEYED_ARRAY, "{\"id\":1}"},
    {"{\n\"a\":[\n{\"id\":1}\n],\n\"n\":1}\n", FORM_KEYED_ARRAY, "\n{\"id\":1}"},
    {"{\n\"n\":1,\n\"a\":[{\"id\":1}]\n}", FORM_KEYED_ARRAY, "{\"id\":1}"},
    {"{\"results\":[{\"id\":1}],\"next\":null}", FORM_KEYED_ARRAY, "{\"id\":1}"},
    {"{\"total\":1,\"results\":[{\"id\":1}],\"next\":{\"href\":\"\"}}", FORM_KEYED_ARRAY, "{\"id\":1}"},
    {"{\"_page\":{\"count\":1},\"profiles\":[{\"id\":1}],\"_links\":{}}", FORM_KEYED_ARRAY, "{\"id\":1}"},
    {"{\"_page\":{\"count\":1},\"children\":[{\"id\":1}]}", FORM_KEYED_ARRAY, "{\"id\":1}"},
    {"{\"_links\":[{\"rel\":1}],\"results\":[{\"id\":1}]}", FORM_KEYED_ARRAY, "{\"id\":1}"},
    {"{\"_page\":{},\"tags\":[],\"results\":[]}", FORM_KEYED_ARRAY, "]}"},
    {"{\"results\":[]}", FORM_KEYED_ARRAY, "]}"},
    {"{\"results\":[{\"id\":1,},{\"id\":2}],\"n\":{}}", FORM_KEYED_ARRAY, "{\"id\":1,}"},
    {"{\"results\":[{\"id\":[1},{\"id\":2}],\"n\":{}}", FORM_KEYED_ARRAY, "{\"id\":[1}"},
    {"{\"results\":[{\"id\":\"1},{\"id\":2}],\"n\":{}}\n", FORM_KEYED_ARRAY, "{\"id\":\"1}"},
    /* records with arrays in them */
    {"{\"id\":1,\"orders\":[{\"o\":1}]}", FORM_NDJSON, NULL},
    {"{\"orders\":[{\"o\":1}],\"id\":1}", FORM_NDJSON, NULL},
    {"{\"results\":[1,2],\"id\":1}", FORM_NDJSON, NULL},
    {"{\"results\":[{\"id\":1}]}\n{\"results\":[{\"id\":2}]}\n", FORM_NDJSON, NULL},
    {"{\"x\":{},\"orders\":[{\"o\":1}]}", FORM_NDJSON, NULL},
    {"{\n\"x\":{},\n\"orders\":[{\"o\":1}]}", FORM_CONCATENATED, NULL},
    {"{\n\"orders\":[{\"o\":1}],\n\"x\":{}}", FORM_CONCATENATED, NULL},
};

static void whole_texts(void **state)
{
    (void)state;
    for (size_t c = 0; c < COUNT(wholes); c++) {
        struct form form;
        form_find(&form, (const uint8_t *)wholes[c].text, strlen(wholes[c].text), 0, true);
        must_be(&wholes[c], &form);
    }
}

static void marks_and_lines(void **state)
{
    static const char text[] = "\xef\xbb\xbf\n {\n\"results\":\n[ {\"id\":1},\n{\"id\":2}]}";
    struct form form;
    (void)state;
    form_find(&form, (const uint8_t *)text, sizeof text - 1, 3, true);
    assert_int_equal(form.kind, FORM_KEYED_ARRAY);
    assert_int_equal(form.lines, 3);
    assert_memory_equal(text + form.begin, " {\"id\":1}", 9);
    assert_int_equal(form_closer(&form), ']');
    assert_int_equal(form.mark.key_count, 1);
}

/* Heads that end in the first record. */
static void long_first_records(void **state)
{
    static const struct form_case heads[] = {
        {"[{\"id\":1,\"a\":\"", FORM_ARRAY, "{\"id\":1"},
        {"[\n  {\n    \"id\": 1,\n    \"a\": \"", FORM_ARRAY, "\n  {"},
        {"{\n  \"id\": 1,\n  \"a\": \"", FORM_CONCATENATED, "{\n"},
        {"{\"id\":1,\"a\":\"", FORM_NDJSON, NULL},
        {"{\"k\":{\"entityId\":\"k\",\"entity\":{\"id\":1,\"a\":\"", FORM_ENTITIES, "\"k\""},
        {"{\n\"k\":{\n\"entity\":{\n\"id\":1,\"a\":\"", FORM_ENTITIES, "\n\"k\""},
        {"{\"k\":{\"entity\":{\"id\":1,\"a\":\"", FORM_NDJSON, NULL}, /* a long record, for all one can see */
        {"{\"results\":[{\"id\":1,\"a\":\"", FORM_KEYED_ARRAY, "{\"id\":1"},
        {"{\"_page\":{\"n\":1},\"children\":[{\"id\":1,\"a\":\"", FORM_KEYED_ARRAY, "{\"id\":1"},
        {"{\"orders\":[{\"id\":1,\"a\":\"", FORM_NDJSON, NULL},
        {"{\"id\":1,\"events\":[{\"id\":1},{\"id\":2},{\"a\":\"", FORM_NDJSON, NULL}, /* all on one line */
    };
    (void)state;
    for (size_t c = 0; c < COUNT(heads); c++) {
        struct form form;
        size_t const length = strlen(heads[c].text);
        uint8_t *head = malloc(FORM_HEAD_BYTES);
        assert_non_null(head);
        memcpy(head, heads[c].text, length);
        memset(head + length, 'a', FORM_HEAD_BYTES - length);
        form_find(&form, head, FORM_HEAD_BYTES, 0, false);
        must_be(&heads[c], &form);
        bool const marked = form.kind == FORM_NDJSON || form.mark.key_count == 1;
        assert_true(marked);
        free(head);
    }
}

/* Is more of the text wanted? */
static void unsure_heads(void **state)
{
    static const struct {
        const char *text;
        bool unsure;
    } heads[] = {
        {"{\"id\":1,\"a\":\"", true},
        {"{\"id\":1,\"events\":[{\"id\":1},{\"id\":2},{\"a\":\"", true},
        {"{\"events\":[{\"id\":1},{\"id\":2},{\"a\":\"", true},
        {"{\n\"events\":[{\"id\":1},{\"id\":2},{\"a\":\"", true},
        {"{\n  \"id\": 1,\n  \"a\": \"", true},
        {"{\"k\":{\"a\":\"", true},
        {"{\"id\":1}", true}, /* nothing behind it is seen */
        {"{\"id\":1}{", false},
        {"{\"id\":1}\n", false},
        {"{\"id\":1\n{\"id\":2}\n{\"id\":3}\n", false},
        {"{\"k\":{\"entity\":{}},\"l\":{\"entity\":{}},\"m\":{\"a\":\"", false},
        {"{\"results\":[{\"id\":1},{\"id\":2},{\"a\":\"", false},
        {"[{\"id\":1,\"a\":\"", false},
        {"", false},
        {"text", false},
    };
    (void)state;
    for (size_t h = 0; h < COUNT(heads); h++) {
        struct form form;
        size_t const length = strlen(heads[h].text);
        form_find(&form, (const uint8_t *)heads[h].text, length, 0, false);
        if (form.unsure != heads[h].unsure) print_message("%s: kind %d\n", heads[h].text, form.kind);
        assert_int_equal(form.unsure, heads[h].unsure);
        form_find(&form, (const uint8_t *)heads[h].text, length, 0, true);
        assert_false(form.unsure);
    }
}

/* An array that is on one line, as far as the head goes: what stands behind it is no part of a container. */
static void alone_on_a_line(void **state)
{
    static const char text[] = "{\"events\":[{\"id\":1},{\"id\":2},{\"a\":\"";
    struct form form;
    (void)state;
    form_find(&form, (const uint8_t *)text, sizeof text - 1, 0, false);
    assert_int_equal(form.kind, FORM_KEYED_ARRAY);
    assert_true(form_ends_object(&form, (const uint8_t *)" } \n", 4));
    assert_false(form_ends_object(&form, (const uint8_t *)",\"m\":1}\n", 8));
    assert_true(form_ends_object(&form, (const uint8_t *)",\n\"m\":1}", 8));
}

struct choice_case {
    const char *text;
    enum form_choice choice;
    bool fits;
    enum form_kind kind;
};

static void asked_for(void **state)
{
    static const struct choice_case choices[] = {
        {"{\"id\":1}", FORM_CHOICE_NDJSON, true, FORM_NDJSON},
        {"[{\"id\":1}]", FORM_CHOICE_NDJSON, true, FORM_NDJSON},
        {"[{\"id\":1}]", FORM_CHOICE_ARRAY, true, FORM_ARRAY},
        {"{\"id\":1,\"orders\":[{\"o\":1}],\"x\":{}}", FORM_CHOICE_ARRAY, true, FORM_KEYED_ARRAY},
        {"{\"id\":1}", FORM_CHOICE_ARRAY, false, FORM_NDJSON},
        {" \n", FORM_CHOICE_ARRAY, true, FORM_NDJSON},
        {"{\"id\":1}\n{\"id\":2}", FORM_CHOICE_CONCATENATED, true, FORM_CONCATENATED},
        {"[1]", FORM_CHOICE_CONCATENATED, true, FORM_CONCATENATED},
        {"{\"id\":1}", FORM_CHOICE_ENTITIES, true, FORM_ENTITIES},
        {"[]", FORM_CHOICE_ENTITIES, false, FORM_NDJSON},
        {"", FORM_CHOICE_ENTITIES, true, FORM_NDJSON},
        {"[]", FORM_CHOICE_AUTO, true, FORM_ARRAY},
    };
    (void)state;
    for (size_t c = 0; c < COUNT(choices); c++) {
        const struct choice_case *const choice = &choices[c];
        struct form form;
        bool const fits =
            form_choose(&form, choice->choice, (const uint8_t *)choice->text, strlen(choice->text), 0, true);
        if (fits != choice->fits || (fits && form.kind != choice->kind))
            print_message("%s as %d: %d, kind %d\n", choice->text, choice->choice, fits, form.kind);
        assert_int_equal(fits, choice->fits);
        if (fits) assert_int_equal(form.kind, choice->kind);
    }
}

static void ends_of_objects(void **state)
{
    static const struct {
        const char *text;
        bool alone, beside; /* do they end it: with scalars alone, with anything */
    } ends[] = {
        {"}", true, true},
        {" } \n", true, true},
        {",\"n\":1}", true, true},
        {", \"n\" : \"}]\", \"m\":null}", true, true},
        {",\"n\":{\"a\":[1]}}", false, true},
        {",\"n\":[],\"m\":1}\n", false, true},
        {",\"n\":[1,{}],\"m\":1}\n", false, true},
        {",\"n\":[ {\"id\":1}]}", false, false}, /* these would be lost without a count */
        {"", false, false},
        {",", false, false},
        {",}", false, false},
        {",\"n\":}", false, false},
        {",\"n\"}", false, false},
        {"]}", false, false},
        {"}}", false, false},
        {"}{\"id\":1}", false, false},
        {",\"n\":{\"a\":1}", false, false},
        {",\"n\":\"open}", false, false},
    };
    (void)state;
    for (size_t e = 0; e < COUNT(ends); e++) {
        const uint8_t *const text = (const uint8_t *)ends[e].text;
        struct form const alone = {.kind = FORM_KEYED_ARRAY};
        struct form const beside = {.kind = FORM_KEYED_ARRAY, .beside = true};
        assert_int_equal(form_ends_object(&alone, text, strlen(ends[e].text)), ends[e].alone);
        assert_int_equal(form_ends_object(&beside, text, strlen(ends[e].text)), ends[e].beside);
    }
}

/* Every prefix of every text, at an end that a sanitizer sees. */
static void cut_anywhere(void **state)
{
    (void)state;
    for (size_t c = 0; c < COUNT(wholes); c++)
        for (size_t length = 0; length <= strlen(wholes[c].text); length++) {
            struct form form;
            uint8_t *head = malloc(length + 1);
            assert_non_null(head);
            if (length != 0) memcpy(head + 1, wholes[c].text, length);
            for (int whole = 0; whole < 2; whole++) {
                form_find(&form, head + 1, length, 0, whole);
                assert_true(form.begin <= length);
                for (int choice = FORM_CHOICE_NDJSON; choice <= FORM_CHOICE_ENTITIES; choice++)
                    if (form_choose(&form, (enum form_choice)choice, head + 1, length, 0, whole))
                        assert_true(form.begin <= length);
            }
            free(head);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_texts),        cmocka_unit_test(marks_and_lines),
        cmocka_unit_test(long_first_records), cmocka_unit_test(unsure_heads),
        cmocka_unit_test(alone_on_a_line),    cmocka_unit_test(asked_for),
        cmocka_unit_test(ends_of_objects),    cmocka_unit_test(cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
