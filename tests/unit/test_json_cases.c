/* test_json_cases.c - the texts of tests/data/json_cases.txt (its head says what they are) between good
 * records, in each container, with and without --strict: a good one comes out, a bad one fails alone and by
 * its code, and the records around it come out; the same by both walks, in tiny shards by several threads,
 * and front to back.
 *
 * All texts stand in one input, every other record a good one. A container's first records teach what its
 * records look like, so some texts are tried in small inputs of their own, too: with `all` as argument, all
 * of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/form_desk.h"

#define CASES_FILE  TESTS_DATA "/json_cases.txt"
#define COUNT(list) (sizeof(list) / sizeof *(list))

enum { CASES_MAX = 1000, LINE_SIZE = 2048, TOLD_MAX = 20, RECORD_MAX = 4096, ALONE_STEP = 16 };

/* ---- cases ---- */

enum kind { KIND_VALUE, KIND_RECORD };
enum where { ANYWHERE, OPEN, MAP, JOINT, LINE }; /* see the file's head */

struct json_case {
    enum kind kind;
    enum where where;
    char word[5], name[64];
    char text[LINE_SIZE]; /* as it stands in the file */
};

static struct json_case cases[CASES_MAX];
static size_t case_count;

static uint8_t from_hex(const char *digits)
{
    char const two[] = {digits[0], digits[1], '\0'};
    return (uint8_t)strtoul(two, NULL, 16);
}

/* \xNN is a byte, $ the id of the record. */
static void put_text(struct memory_text *out, const char *at, const char *id)
{
    for (; *at != '\0'; at++) {
        uint8_t byte = (uint8_t)*at;
        if (at[0] == '$') {
            memory_print(out, id);
            continue;
        }
        if (at[0] == '\\' && at[1] == 'x') {
            byte = from_hex(at + 2);
            at += 3;
        }
        memory_append(out, &byte, 1);
    }
}

/* The number of a word among others. */
static unsigned find_word(const char *word, const char *const *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(word, words[i]) == 0) return i;
    fail_msg("%s: no such word: %s", CASES_FILE, word);
    return 0;
}

/* False: a comment, or nothing. */
static bool read_case(char *line, struct json_case *json)
{
    static const char *const kinds[] = {"value", "record"};
    static const char *const wheres[] = {"", "/open", "/map", "/joint", "/line"};
    char kind[16];
    int text = 0;
    line[strcspn(line, "\n")] = '\0';
    if (line[0] == '#' || line[0] == '\0') return false;
    *json = (struct json_case){.kind = KIND_VALUE};
    int const fields = sscanf(line, "%15s %4s %63s%n", kind, json->word, json->name, &text);
    if (fields != 3 || strlen(json->word) != 4 || line[text] != ' ') fail_msg("%s: %s", CASES_FILE, line);
    size_t const slash = strcspn(kind, "/");
    json->where = (enum where)find_word(kind + slash, wheres, COUNT(wheres));
    kind[slash] = '\0';
    json->kind = (enum kind)find_word(kind, kinds, COUNT(kinds));
    snprintf(json->text, sizeof json->text, "%s", line + text + 1);
    return true;
}

static enum defect defect_of(char letter)
{
    switch (letter) {
    case '+': return DEFECT_NONE;
    case 's': return DEFECT_SYNTAX;
    case 'u': return DEFECT_UTF8;
    case 'o': return DEFECT_UNCLOSED_STRING;
    case 't': return DEFECT_TRAILING_CONTENT;
    case 'n': return DEFECT_NOT_AN_OBJECT;
    case 'm': return DEFECT_MISSING_IDENTITY;
    case 'l': return DEFECT_LONE_SURROGATE;
    case '0': return DEFECT_NULL_CHARACTER;
    default: fail_msg("%s: no such letter: %c", CASES_FILE, letter); return DEFECT_NONE;
    }
}

/* ---- where a case stands ---- */

/* READ: a column has its member; SKIPPED: none has; NESTED: none has, and nothing enters what is around it.
 */
enum place { PLACE_READ, PLACE_SKIPPED, PLACE_NESTED, PLACE_COUNT };

static enum defect wanted(const struct json_case *json, enum place place, bool strict)
{
    /* of a record, as it is the second time, when nothing is nested */
    unsigned const way = place == PLACE_NESTED ? PLACE_SKIPPED : place;
    if (json->kind != KIND_VALUE) return defect_of(json->word[way + (strict ? 2 : 0)]);
    return defect_of(strict && json->word[3] != '+' ? json->word[3] : json->word[place]);
}

/* How records are put together; %u is a number. */
struct container {
    const char *name, *before, *record_before, *between, *record_after, *after;
    bool pretty, map;
};

static const struct container containers[] = {
    {"lines", "", "", "\n", "", "\n", false, false},
    {"array", "[", "", ",", "", "]", false, false},
    {"array, pretty", "[\n", "  ", ",\n", "", "\n]\n", true, false},
    {"concatenated", "", "", " ", "", "\n", false, false},
    {"concatenated, pretty", "", "", "\n", "", "\n", true, false},
    {"under a key", "{\"results\":[", "", ",", "", "]}", false, false},
    {"entities", "{", "\"k%u\":{\"entityId\":\"k\",\"entity\":", ",", "}", "}", false, true},
    {"entities, pretty", "{\n", "  \"k%u\": {\n    \"entity\": ", ",\n", ",\n    \"more\": [1, \"}\"]\n  }",
     "\n}\n", true, true},
};

/* The record of a case: what is before the text and behind it. */
static void put_case(struct memory_text *out, const struct json_case *json, enum place place, bool pretty,
                     const char *id)
{
    static const char *const compact[][2] = {{"{\"id\":\"$\",\"k\":", ",\"z\":1}"},
                                             {"{\"id\":\"$\",\"z\":{\"y\":[0,", ",1]}}"}};
    static const char *const lines[][2] = {
        {"{\n    \"id\": \"$\",\n    \"k\": ", ",\n    \"z\": 1\n  }"},
        {"{\n    \"id\": \"$\",\n    \"z\": {\n      \"y\": [\n        0,\n        ",
         ",\n        1\n      ]\n    }\n  }"}};
    const char *const *const around = (pretty ? lines : compact)[place == PLACE_NESTED];
    if (json->kind == KIND_VALUE) put_text(out, around[0], id);
    put_text(out, json->text, id);
    if (json->kind == KIND_VALUE) put_text(out, around[1], id);
}

static void put_good(struct memory_text *out, bool pretty, unsigned number)
{
    char good[100];
    snprintf(good, sizeof good,
             pretty ? "{\n    \"id\": \"g%u\",\n    \"k\": 0\n  }" : "{\"id\":\"g%u\",\"k\":0}", number);
    memory_print(out, good);
}

/* Cases in an input: the records with odd numbers, as far as the container takes them. */
struct input {
    const struct container *container;
    enum place place;
    bool strict;
    struct memory_text text;
    const struct json_case *list[CASES_MAX];
    uint64_t begin[CASES_MAX], end[CASES_MAX]; /* of each one's record, with what a map has around it */
    size_t count;
};

static void put_record(struct input *input, unsigned number, const struct json_case *json)
{
    const struct container *const container = input->container;
    struct memory_text *const text = &input->text;
    char front[100], id[20];
    if (number != 0) memory_print(text, container->between);
    snprintf(front, sizeof front, container->record_before, number);
    uint64_t const begin = text->length;
    memory_print(text, front);
    snprintf(id, sizeof id, "c%zu", input->count);
    if (json == NULL)
        put_good(text, container->pretty, number);
    else
        put_case(text, json, input->place, container->pretty, id);
    memory_print(text, container->record_after);
    if (json == NULL) return;
    input->list[input->count] = json;
    input->begin[input->count] = begin;
    input->end[input->count++] = text->length;
}

static bool stands_in(const struct json_case *json, const struct container *container, bool among_others)
{
    bool const is_lines = container == containers;
    switch (json->where) {
    case ANYWHERE: return true;
    case OPEN: return is_lines || !among_others;
    case MAP: return !container->map || !among_others;
    case JOINT: return strcmp(container->between, " ") != 0;
    case LINE: return is_lines;
    }
    return false;
}

/* Every `step`-th case, from number `from` on. Two good records are the first. */
static void fill(struct input *input, size_t from, size_t step)
{
    unsigned number = 0;
    input->text.length = 0;
    input->count = 0;
    memory_print(&input->text, input->container->before);
    put_record(input, number++, NULL);
    put_record(input, number++, NULL);
    for (size_t i = from; i < case_count; i += step) {
        if (!stands_in(&cases[i], input->container, step == 1)) continue;
        put_record(input, number++, &cases[i]);
        put_record(input, number++, NULL);
    }
    put_record(input, number++, NULL);
    memory_print(&input->text, input->container->after);
}

/* ---- runs ---- */

static struct memory_job jobs[2]; /* without a column for k, and with one */

static int make_jobs(void **state)
{
    char line[LINE_SIZE];
    (void)state;
    for (int i = 0; i < 2; i++) {
        memory_job_start(&jobs[i], "id");
        if (i == 1) memory_column(&jobs[i], "k");
        memory_job_compile(&jobs[i]);
    }
    FILE *const file = fopen(CASES_FILE, "r");
    if (file == NULL) fail_msg("%s: can't be read", CASES_FILE);
    while (case_count < CASES_MAX && fgets(line, sizeof line, file) != NULL)
        case_count += read_case(line, &cases[case_count]);
    return fclose(file);
}

static int free_jobs(void **state)
{
    (void)state;
    memory_job_free(&jobs[0]);
    memory_job_free(&jobs[1]);
    return 0;
}

static struct form_outcome run_input(const struct input *input, const struct form_run *run)
{
    struct form_outcome outcome;
    const struct memory_text *const text = &input->text;
    uint8_t *bytes = memory_must(malloc(text->length + LIMIT_PADDING));
    memcpy(bytes, text->bytes, text->length);
    memset(bytes + text->length, '"', LIMIT_PADDING);
    assert_true(form_desk_run(&jobs[input->place == PLACE_READ], bytes, text->length, run, &outcome));
    free(bytes);
    return outcome;
}

/* ---- outcomes ---- */

static unsigned told;

static void tell(const struct input *input, const char *name, const char *what)
{
    static const char *const places[] = {"read", "skipped", "nested"};
    if (told++ < TOLD_MAX)
        print_message("%s (%s%s) in %s: %s\n", name, places[input->place], input->strict ? ", strict" : "",
                      input->container->name, what);
}

static bool is_row(const struct form_outcome *outcome, char kind, unsigned number)
{
    char id[20];
    snprintf(id, sizeof id, "\n%c%u", kind, number);
    const char *const row = strstr((const char *)outcome->rows.bytes, id);
    char const behind = row == NULL ? 'x' : row[strlen(id)];
    if (behind >= '0' && behind <= '9') { /* of another number: g1 of g10 */
        strcat(id,
               outcome->rows.bytes[0] == '[' && strstr((const char *)outcome->rows.bytes, ",") ? "," : "\n");
        return strstr((const char *)outcome->rows.bytes, id) != NULL;
    }
    return behind == ',' || behind == '\n';
}

/* One line of the rejects. */
struct rejected {
    unsigned long long offset, length;
    char code[32];
};

/* Moves *at behind it. False: there is none. */
static bool next_rejected(const struct form_outcome *outcome, size_t *at, struct rejected *rejected)
{
    const char *const line = (const char *)outcome->rejects.bytes + *at;
    int read = 0;
    if (*at >= outcome->rejects.length) return false;
    int const fields =
        sscanf(line, "s:%*u %llu+%llu %31s%n", &rejected->offset, &rejected->length, rejected->code, &read);
    assert_int_equal(fields, 3);
    const char *const path_end = strchr(line + read + 1, ' ');
    assert_non_null(path_end);
    *at += (size_t)(path_end + 1 - line) + rejected->length + 1;
    return true;
}

static bool is_vague(enum defect defect)
{
    return defect == DEFECT_SYNTAX || defect == DEFECT_UNCLOSED_STRING || defect == DEFECT_NOT_AN_OBJECT;
}

/* A record that does not end as it should is longer in a container, up to a line feed in an open string or to
 * what is around an entity: its code may be another one of these. */
static bool is_code(const struct input *input, const struct json_case *json, const char *code,
                    enum defect defect)
{
    if (strcmp(code, tally_defect_name(defect)) == 0) return true;
    bool const may_differ = json->kind == KIND_RECORD && (input->container->pretty || input->container->map);
    for (enum defect other = DEFECT_NONE; other < DEFECT_COUNT; other++)
        if (may_differ && is_vague(defect) && is_vague(other) && strcmp(code, tally_defect_name(other)) == 0)
            return true;
    return false;
}

/* The rejects are those of the bad cases, one each, in order, none beyond its record. */
static void check_rejects(const struct input *input, const struct form_outcome *outcome)
{
    struct rejected rejected = {.length = 0};
    size_t at = 0;
    bool more = next_rejected(outcome, &at, &rejected);
    for (size_t i = 0; i < input->count; i++) {
        const char *const name = input->list[i]->name;
        enum defect const defect = wanted(input->list[i], input->place, input->strict);
        for (; more && rejected.offset < input->begin[i]; more = next_rejected(outcome, &at, &rejected))
            tell(input, name, "what is before it is refused");
        bool const fails =
            more && rejected.offset >= input->begin[i] && rejected.offset + rejected.length <= input->end[i];
        if (fails != (defect != DEFECT_NONE)) tell(input, name, fails ? "is refused" : "does not fail alone");
        if (!fails) continue;
        if (!is_code(input, input->list[i], rejected.code, defect)) tell(input, name, rejected.code);
        more = next_rejected(outcome, &at, &rejected);
    }
    if (more) tell(input, "another record", "is refused");
}

static void check_rows(const struct input *input, const struct form_outcome *outcome)
{
    unsigned number = 0;
    if (!is_row(outcome, 'g', number++) || !is_row(outcome, 'g', number++))
        tell(input, "the first ones", "do not come out");
    for (size_t i = 0; i < input->count; i++) {
        const char *const name = input->list[i]->name;
        bool const good = wanted(input->list[i], input->place, input->strict) == DEFECT_NONE;
        if (is_row(outcome, 'c', (unsigned)i) != good) tell(input, name, good ? "no row" : "a row");
        if (!is_row(outcome, 'g', number + 1)) tell(input, name, "the record behind it does not come out");
        number += 2;
    }
    if (!is_row(outcome, 'g', number)) tell(input, "the last one", "does not come out");
    if (outcome->tally.input != number + 1) tell(input, "the input", "has another number of records");
}

static void check_same(const struct input *input, const struct form_outcome *a, const struct form_outcome *b,
                       const char *way)
{
    if (strcmp((char *)a->rows.bytes, (char *)b->rows.bytes) != 0) tell(input, "other rows", way);
    if (strcmp((char *)a->rejects.bytes, (char *)b->rejects.bytes) != 0) tell(input, "other rejects", way);
    if (memcmp(&a->tally, &b->tally, sizeof a->tally) != 0) tell(input, "other counts", way);
}

/* Ways to run that must not show. */
static const struct {
    const char *name;
    struct form_run run;
} ways[] = {{"in shards of 61 bytes", {.threads = 2, .shard_bytes = 61}},
            {"in shards of 500 bytes", {.threads = 3, .shard_bytes = 500}},
            {"by On-Demand", {.threads = 1, .shard_bytes = 1 << 20, .walk = CONVERT_ON_DEMAND}},
            {"in shards, by On-Demand", {.threads = 2, .shard_bytes = 150, .walk = CONVERT_ON_DEMAND}},
            {"front to back", {.threads = 2, .shard_bytes = 1 << 20, .stream = true}}};

static void check_way(const struct input *input, const struct form_outcome *whole, size_t number)
{
    struct form_run run = ways[number].run;
    run.max_record = RECORD_MAX;
    run.strict = input->strict;
    struct form_outcome other = run_input(input, &run);
    check_same(input, whole, &other, ways[number].name);
    form_outcome_free(&other);
}

/* `way` > COUNT(ways): all of them. */
static void check_input(const struct input *input, size_t way)
{
    struct form_run const run = {
        .threads = 1, .shard_bytes = 1 << 20, .max_record = RECORD_MAX, .strict = input->strict};
    struct form_outcome whole = run_input(input, &run);
    check_rejects(input, &whole);
    check_rows(input, &whole);
    for (size_t i = 0; i < COUNT(ways); i++)
        if (way >= COUNT(ways) || way == i) check_way(input, &whole, i);
    form_outcome_free(&whole);
}

/* ---- tests ---- */

/* Calls `check` with an input for each container, each place, without and with --strict. */
static void in_each_container(void (*check)(struct input *input))
{
    static struct input input;
    for (size_t c = 0; c < COUNT(containers); c++)
        for (int place = 0; place < PLACE_COUNT; place++)
            for (int strict = 0; strict < 2; strict++) {
                input.container = &containers[c];
                input.place = (enum place)place;
                input.strict = strict != 0;
                check(&input);
            }
    memory_text_free(&input.text);
    if (told != 0) fail_msg("%u outcomes are not as they should be", told);
}

static void check_together(struct input *input)
{
    fill(input, 0, 1);
    check_input(input, COUNT(ways));
}

static void cases_come_out_or_fail_alone(void **state)
{
    (void)state;
    assert_true(case_count > 500);
    in_each_container(check_together);
}

static size_t alone_step = ALONE_STEP;

static void check_alone(struct input *input)
{
    static size_t turn;
    for (size_t i = turn++ % alone_step; i < case_count; i += alone_step) {
        fill(input, i, case_count);
        check_input(input, i / alone_step % COUNT(ways));
    }
}

static void cases_alone_in_an_input(void **state)
{
    (void)state;
    in_each_container(check_alone);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(cases_come_out_or_fail_alone),
                                              cmocka_unit_test(cases_alone_in_an_input)};
    if (argc > 1 && strcmp(argv[1], "all") == 0) alone_step = 1;
    return cmocka_run_group_tests_name("json_cases", tests, make_jobs, free_jobs);
}
