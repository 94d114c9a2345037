/* test_convert_form.c - containers that are no lines: found as what they are, every record found in them, and
 * the same whatever the shards, the threads, the walk, and whether the source is read anywhere or front to
 * back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/form_desk.h"
#include "tests/unit/under_tsan.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- containers ---- */

/* How records are put together; $ stands for a record, a list of them for the rest. */
struct container {
    const char *name;
    enum form_kind kind;
    const char *before, *record_before, *between, *record_after, *after;
};

static const struct container containers[] = {
    {"array", FORM_ARRAY, "[", "", ",", "", "]"},
    {"array, blanks", FORM_ARRAY, " \r\n[ ", "", " ,\r\n ", "", "\n]\n"},
    {"array, lines", FORM_ARRAY, "[\n", "  ", ",\n", "", "\n]\n"},
    {"concatenated", FORM_CONCATENATED, "", "", "", "", ""},
    {"concatenated, lines", FORM_CONCATENATED, "{\"id\":\"zero\"\n}\n", "", "\n \n", "", "\n"},
    {"concatenated, mark", FORM_CONCATENATED, "\xef\xbb\xbf ", "", " ", "", ""},
    {"under a key", FORM_KEYED_ARRAY, "{\"results\":[", "", ",", "", "]}"},
    {"under a key, scalars", FORM_KEYED_ARRAY, "{\"n\":5, \"results\" : [\n", "", ",\n", "",
     "\n], \"next\": null, \"s\":\"]}\" }\n"},
    {"under a key, a page", FORM_KEYED_ARRAY, "{\"_page\":{\"n\":[1,{\"id\":7}]},\"children\":[", "", ",", "",
     "],\"_links\":{\"next\":[{\"href\":\"]}\"}]}}\n"},
    {"entities", FORM_ENTITIES, "{", "\"k%u\":{\"entity\":", ",", "}", "}"},
    {"entities, more", FORM_ENTITIES, "{\n", "  \"k\\\"%u\": {\n    \"entityId\": \"k\",\n    \"entity\": ",
     ",\n", ",\n    \"lastModifiedAt\": \"x\"\n  }", "\n}\n"},
};

/* `pretty`: a record's own lines. */
static void write_container(struct memory_text *text, const struct container *container,
                            const char *const *records, size_t count)
{
    char front[200];
    text->length = 0;
    memory_print(text, container->before);
    for (size_t i = 0; i < count; i++) {
        if (i != 0) memory_print(text, container->between);
        snprintf(front, sizeof front, container->record_before, (unsigned)i);
        memory_print(text, front);
        memory_print(text, records[i]);
        memory_print(text, container->record_after);
    }
    memory_print(text, container->after);
}

/* ---- runs ---- */

static struct memory_job job;

static int make_job(void **state)
{
    (void)state;
    memory_job_start(&job, "id");
    memory_column(&job, "a");
    memory_job_compile(&job);
    return 0;
}

static int free_job(void **state)
{
    (void)state;
    memory_job_free(&job);
    return 0;
}

/* The text with room behind it, at an end that a sanitizer sees. */
static uint8_t *padded(const struct memory_text *text)
{
    uint8_t *bytes = memory_must(malloc(text->length + LIMIT_PADDING));
    memcpy(bytes, text->bytes, text->length);
    memset(bytes + text->length, '{', LIMIT_PADDING);
    return bytes;
}

static struct form_outcome run_text(const struct memory_text *text, const struct form_run *run)
{
    struct form_outcome outcome;
    uint8_t *bytes = padded(text);
    assert_true(form_desk_run(&job, bytes, text->length, run, &outcome));
    free(bytes);
    return outcome;
}

static struct form_outcome run_once(const struct memory_text *text)
{
    return run_text(text, &(struct form_run){.threads = 1, .shard_bytes = 1 << 20});
}

/* From where they begin to differ. */
static void print_difference(const struct memory_text *a, const struct memory_text *b)
{
    size_t at = 0;
    while (at < a->length && at < b->length && a->bytes[at] == b->bytes[at])
        at++;
    size_t const from = at < 60 ? 0 : at - 60;
    if (at < a->length || at < b->length)
        print_message("at %zu: %.200s\n---\n%.200s\n", at, a->bytes + from, b->bytes + from);
}

static void must_equal(const struct form_outcome *a, const struct form_outcome *b, const char *what,
                       uint64_t number)
{
    bool const same = strcmp((char *)a->rows.bytes, (char *)b->rows.bytes) == 0 &&
                      strcmp((char *)a->rejects.bytes, (char *)b->rejects.bytes) == 0 &&
                      memcmp(&a->tally, &b->tally, sizeof a->tally) == 0;
    if (same) return;
    print_message("%s %llu: other outcome; lines %llu, %llu\n", what, (unsigned long long)number,
                  (unsigned long long)a->tally.lines, (unsigned long long)b->tally.lines);
    print_difference(&a->rows, &b->rows);
    print_difference(&a->rejects, &b->rejects);
    fflush(stdout);
    fail();
}

/* The same records are looked at as a whole, each once. */
static void check_visits(const struct memory_text *text, const char *what, uint64_t step)
{
    struct form_run run = {.threads = 1, .shard_bytes = 1 << 20, .visits = true};
    struct form_outcome const whole = run_text(text, &run);
    for (uint64_t shard = 1; shard <= text->length;
         shard += (UNDER_TSAN ? 19 : 7) * step + (shard < 90 ? 0 : 60)) {
        run.threads = 1 + (uint32_t)(shard % 4);
        run.shard_bytes = shard;
        struct form_outcome cut = run_text(text, &run);
        must_equal(&whole, &cut, what, shard);
        form_outcome_free(&cut);
    }
    run.stream = true;
    struct form_outcome front = run_text(text, &run);
    must_equal(&whole, &front, what, 0);
    form_outcome_free(&front);
    form_outcome_free((struct form_outcome *)&whole);
}

/* However it is cut. */
static void check_cuts(const struct memory_text *text, const char *what, uint64_t step)
{
    struct form_outcome const whole = run_once(text);
    for (uint64_t shard = 1; shard <= text->length;
         shard += (UNDER_TSAN ? 7 : 1) * step + (shard < 90 ? 0 : 60)) {
        struct form_outcome const cut =
            run_text(text, &(struct form_run){.threads = 1 + (uint32_t)(shard % 3), .shard_bytes = shard});
        must_equal(&whole, &cut, what, shard);
        form_outcome_free((struct form_outcome *)&cut);
    }
    struct form_outcome slow =
        run_text(text, &(struct form_run){.threads = 2, .shard_bytes = 100, .walk = CONVERT_ON_DEMAND});
    must_equal(&whole, &slow, "on demand", 0);
    form_outcome_free(&slow);
    struct form_outcome front =
        run_text(text, &(struct form_run){.threads = 2, .shard_bytes = 100, .stream = true});
    must_equal(&whole, &front, what, 0);
    form_outcome_free(&front);
    form_outcome_free((struct form_outcome *)&whole);
    check_visits(text, what, step);
}

/* ---- tests ---- */

static void records_are_found(void **state)
{
    static const char *const records[] = {
        "{\"id\":1,\"a\":\"x\"}",
        "{\"id\":2,\"a\":{\"id\":7,\"b\":[{\"id\":8},{\"id\":9}]}}",
        "{\"id\": 3,\n \"a\": \"],[{}\\\"{\\\"id\\\":5}\"\n}",
        "{\"a\":\"other key\",\"id\":4}",
        "{\"id\":5}",
    };
    static const char rows[] = "1,x\n2,\"{\"\"id\"\":7,\"\"b\"\":[{\"\"id\"\":8},{\"\"id\"\":9}]}\"\n"
                               "3,\"],[{}\"\"{\"\"id\"\":5}\"\n4,other key\n5,\n";
    (void)state;
    struct memory_text text = {0};
    for (size_t c = 0; c < COUNT(containers); c++) {
        write_container(&text, &containers[c], records, COUNT(records));
        struct form_outcome outcome = run_once(&text);
        if (outcome.kind != containers[c].kind || strstr((char *)outcome.rows.bytes, rows) == NULL)
            print_message("%s: kind %d\n%s%s", containers[c].name, outcome.kind, outcome.rows.bytes,
                          outcome.rejects.bytes);
        assert_int_equal(outcome.kind, containers[c].kind);
        assert_int_equal(outcome.tally.delivered, COUNT(records) + (*containers[c].before == '{' &&
                                                                    outcome.kind == FORM_CONCATENATED));
        assert_int_equal(outcome.tally.input, outcome.tally.delivered);
        assert_non_null(strstr((char *)outcome.rows.bytes, rows));
        form_outcome_free(&outcome);
        check_cuts(&text, containers[c].name, 1);
    }
    memory_text_free(&text);
}

/* Each between two good records in front and two behind. */
static const char *const bad_records[] = {
    "{\"id\":1,\"a\":[1}",
    "{\"id\":1,\"a\":\"open}",
    "{\"id\":1,\"a\":{\"b\":1}",
    "{\"id\":1,\"a\":",
    "{\"id\":1,\"a\"",
    "{\"id\":1,",
    "{\"id\":1",
    "{\"id\":",
    "{\"id\"",
    "{\"id",
    "{\"",
    "{",
    "{\"id\":1]",
    "{]",
    "[",
    "[1",
    "[[",
    "[[1",
    "[1]",
    "[{\"id\":1}",
    "5",
    "nul",
    "null",
    "\"text\"",
    "\"open",
    "\"",
    "\\",
    "-",
    "{\"id\":1}}",
    "{\"id\":1}]",
    "{\"id\":1} x",
    "{\"id\":1}:",
    "}",
    "]",
    "}}",
    "{\"id\":1,\"a\":\"\x01\"}",
    "{\"id\":1,\"a\":\"\xff\"}",
    "{\"id\":1,\"a\":\"\\x\"}",
    "{\"id\":1,}",
    "{\"id\" 1}",
    "{id:1}",
    "{\"id\":1,\"a\":01}",
    "{\"a\":1}",
    "{}",
    "{\"id\":\"\"}",
    "{\"id\":1,\"b\":[\"open]}",
    "{\"id\":1,\"b\":{\"c\":\"open}}",
    "\xff",
    "//",
    "{\"id\":1,\"a\":\"\n\"}",
};

static void bad_ones_fail_alone(void **state)
{
    (void)state;
    struct memory_text text = {0};
    for (size_t c = 0; c < COUNT(containers); c++)
        for (size_t b = 0; b < COUNT(bad_records); b++) {
            const char *const records[] = {"{\"id\":\"first\"}", "{\"id\":\"second\"}", bad_records[b],
                                           "{\"id\":\"third\"}", "{\"id\":\"fourth\"}"};
            /* with nothing in between, what follows may as well be its value */
            bool const runs_on = strchr(":,[", bad_records[b][strlen(bad_records[b]) - 1]) != NULL;
            if (runs_on && containers[c].kind == FORM_CONCATENATED &&
                strchr(containers[c].between, '\n') == NULL)
                continue;
            write_container(&text, &containers[c], records, COUNT(records));
            struct form_outcome outcome = run_once(&text);
            if (containers[c].kind == FORM_ENTITIES && strcmp(bad_records[b], "}}") == 0) {
                form_outcome_free(&outcome);
                continue; /* closes the map; what else an entity has stands behind it */
            }
            bool good = outcome.kind == containers[c].kind && tally_failed(&outcome.tally) >= 1;
            for (size_t r = 0; r < COUNT(records); r++) {
                char row[64];
                if (r == 2) continue; /* the bad one */
                snprintf(row, sizeof row, "\n%.*s,\n", (int)strcspn(records[r] + 7, "\""), records[r] + 7);
                good = good && strstr((char *)outcome.rows.bytes, row) != NULL;
            }
            if (!good)
                print_message("%s, %s: kind %d\n%s%s", containers[c].name, bad_records[b], outcome.kind,
                              outcome.rows.bytes, outcome.rejects.bytes);
            assert_true(good);
            if (containers[c].kind != FORM_ENTITIES) assert_int_equal(tally_failed(&outcome.tally), 1);
            form_outcome_free(&outcome);
            check_cuts(&text, bad_records[b], 23);
        }
    memory_text_free(&text);
}

/* The blocks of a larger text, with records beside blocks' ends, and longer than blocks. */
static void blocks_end_anywhere(void **state)
{
    (void)state;
    struct memory_text text = {0}, record = {0};
    for (size_t c = 0; c < COUNT(containers); c++) {
        const struct container *const container = &containers[c];
        char front[200];
        text.length = 0;
        memory_print(&text, container->before);
        for (unsigned i = 0; i < 800; i++) {
            if (i != 0) memory_print(&text, container->between);
            snprintf(front, sizeof front, container->record_before, i);
            memory_print(&text, front);
            snprintf(front, sizeof front, "{\"id\":%u,\"x\":[{\"id\":1},{\"id\":2}],\"a\":\"", i);
            memory_print(&text, front);
            memory_fill(&text, 'a', i % 211 == 100 ? 70000 : i * 7919 % 401);
            memory_print(&text, i % 97 == 50 ? "}" : "\"}");
            memory_print(&text, container->record_after);
        }
        memory_print(&text, container->after);
        struct form_outcome whole = run_once(&text);
        if (tally_failed(&whole.tally) != 8)
            print_message("%s: failed %d of %d %s\n", container->name, (int)tally_failed(&whole.tally),
                          (int)whole.tally.input, whole.rejects.bytes);
        for (uint64_t shard = 1000; shard < text.length; shard = shard * 5 / 2) {
            struct form_run const run = {.threads = 1 + (uint32_t)(shard % 4),
                                         .shard_bytes = shard,
                                         .block = shard % 3 == 0 ? PIPELINE_BLOCK_MAX : 0};
            struct form_outcome cut = run_text(&text, &run);
            must_equal(&whole, &cut, container->name, shard);
            form_outcome_free(&cut);
        }
        for (size_t block = PIPELINE_STREAM_BLOCK_MIN; block <= STREAM_BLOCK_BYTES; block *= 2) {
            struct form_run const run = {
                .threads = 3, .shard_bytes = 1, .stream = true, .stream_block = block};
            struct form_outcome cut = run_text(&text, &run);
            must_equal(&whole, &cut, container->name, block);
            form_outcome_free(&cut);
        }
        form_outcome_free(&whole);
    }
    memory_text_free(&text);
    memory_text_free(&record);
}

/* A record whose bracket is missing swallows those behind it up to one that is broken as well: both fail
 * alone.
 */
static void broken_ones_far_apart(void **state)
{
    static const char *const front[] = {"{\"id\":\"bad\",\"x\":[1", "{\"id\":\"bad\",\"x\":[[2,[3]"};
    static const char *const behind[] = {"{\"id\":\"too\",\"x\" \"y\"}", "{\"id\":\"too\",\"x\":1]"};
    enum { BETWEEN = 40, RECORDS = BETWEEN + 6 };
    static char texts[RECORDS][64];
    const char *records[RECORDS];
    (void)state;
    struct memory_text text = {0};
    for (size_t c = 0; c < COUNT(containers); c++)
        for (size_t b = 0; b < COUNT(front); b++) {
            for (unsigned r = 0; r < RECORDS; r++) {
                snprintf(texts[r], sizeof texts[r], "{\"id\":%u,\"y\":[{\"id\":1},{\"id\":2}]}", r);
                records[r] = texts[r];
            }
            records[2] = front[b];
            records[RECORDS - 3] = behind[b];
            write_container(&text, &containers[c], records, RECORDS);
            struct form_outcome outcome = run_once(&text);
            bool const more = *containers[c].before == '{' && outcome.kind == FORM_CONCATENATED;
            uint64_t const good = RECORDS - 2u + more, failed = tally_failed(&outcome.tally);
            if (outcome.tally.delivered != good || failed != 2)
                print_message("%s, %s:\n%s%s", containers[c].name, front[b], outcome.rows.bytes,
                              outcome.rejects.bytes);
            assert_int_equal(outcome.tally.delivered, good);
            assert_int_equal(failed, 2);
            form_outcome_free(&outcome);
            check_cuts(&text, containers[c].name, 97);
        }
    memory_text_free(&text);
}

/* Elements one by one in front of one in which no mark is seen: lines are counted from behind the window's
 * front. */
static void tiny_ones_before_a_long_one(void **state)
{
    static const char *const front[] = {"[{\"id\":1},\n5,\n\"",
                                        "{\"a\":{\"entity\":{\"id\":1}},\n;\n\"b\":{\"more\":\""};
    static const char *const back[] = {"\",{\"id\":2}]", "\",\"entity\":{\"id\":2}}}"};
    (void)state;
    struct memory_text text = {0};
    for (size_t f = 0; f < COUNT(front); f++) {
        text.length = 0;
        memory_print(&text, front[f]);
        memory_fill(&text, 'y', 2 * PIPELINE_BLOCK_MIN);
        memory_print(&text, back[f]);
        check_cuts(&text, front[f], 9973);
    }
    memory_text_free(&text);
}

/* The end is missing, far behind the source's begin: nothing before a shard is read again for that. */
static void no_end(void **state)
{
    (void)state;
    struct memory_text text = {0};
    memory_print(&text, "[{\"id\":0}");
    for (unsigned i = 1; i < 150; i++)
        memory_print(&text, ",{\"id\":7}");
    check_cuts(&text, "no end", 97);
    memory_fill(&text, ' ', 3000);
    check_cuts(&text, "no end, blanks", 397);
    memory_text_free(&text);
}

/* A record whose bracket is missing swallows those behind it up to max_record: they are turned back to. */
static void long_ones_are_turned_back_to(void **state)
{
    static const char *const broken[] = {"{\"id\":\"bad\",\"x\":[1", "{\"id\":\"bad\",\"x\":[[2]", "[[[3"};
    enum { RECORDS = 4000, MAX_RECORD = 300000 };
    (void)state;
    struct memory_text text = {0};
    for (size_t c = 0; c < COUNT(containers); c++)
        for (size_t b = 0; b < COUNT(broken); b++) {
            const struct container *const container = &containers[c];
            char front[200];
            uint64_t good = 0;
            if (*container->record_before != 0 && b == 2) continue; /* no value that holds members of a map */
            text.length = 0;
            memory_print(&text, container->before);
            for (unsigned i = 0; i < RECORDS; i++) {
                bool const bad = i % 1000 == 500;
                if (i != 0) memory_print(&text, container->between);
                snprintf(front, sizeof front, container->record_before, i);
                memory_print(&text, front);
                snprintf(front, sizeof front,
                         "{\"id\":%u,\"a\":\"a text that makes records longer\",\"y\":[{\"z\":%u}]}", i, i);
                memory_print(&text, bad ? broken[b] : front);
                memory_print(&text, container->record_after);
                good += !bad;
            }
            memory_print(&text, container->after);
            struct form_run const files = {.threads = 1, .shard_bytes = 1 << 20, .max_record = MAX_RECORD};
            struct form_run const shards = {.threads = 3, .shard_bytes = 20000, .max_record = MAX_RECORD};
            struct form_run const stream = {
                .threads = 2, .shard_bytes = 1, .max_record = MAX_RECORD, .stream = true};
            struct form_outcome whole = run_text(&text, &files);
            struct form_outcome cut = run_text(&text, &shards), front_to_back = run_text(&text, &stream);
            if (whole.tally.delivered < good)
                print_message("%s, %s: %llu of %llu\n", container->name, broken[b],
                              (unsigned long long)whole.tally.delivered, (unsigned long long)good);
            assert_true(whole.tally.delivered >= good);
            must_equal(&whole, &cut, container->name, b);
            must_equal(&whole, &front_to_back, container->name, b);
            form_outcome_free(&whole);
            form_outcome_free(&cut);
            form_outcome_free(&front_to_back);
        }
    memory_text_free(&text);
}

/* ---- the limit ---- */

/* A member of a map: `length` bytes of entity, and so many that all of it has `whole` (0: as few as may be).
 */
static void print_member(struct memory_text *text, unsigned number, uint64_t length, uint64_t whole)
{
    char front[96];
    int const around = snprintf(front, sizeof front, "\"k%u\":{\"more\":\"\",\n\"entity\":}", number);
    uint64_t const beside = whole == 0 ? 0 : whole - length - (uint64_t)around;
    snprintf(front, sizeof front, "\"k%u\":{\"more\":\"", number);
    memory_print(text, front);
    memory_fill(text, 'y', beside);
    memory_print(text, "\",\n\"entity\":");
    int const own = snprintf(front, sizeof front, "{\"id\":%u,\"a\":\"", number);
    memory_print(text, front);
    memory_fill(text, 'x', length - (uint64_t)own - 2);
    memory_print(text, "\"}}");
}

struct sized {
    uint64_t length, whole;
    bool entity_fits, whole_fits;
};

/* One of the map's members is of this size: it alone fails when it is too large. */
static void check_sized(const struct sized *sized, uint64_t max_record)
{
    struct memory_text text = {0};
    memory_print(&text, "{");
    print_member(&text, 1, 40, 0);
    memory_print(&text, ",\n");
    size_t const begin = text.length;
    print_member(&text, 2, sized->length, sized->whole);
    size_t const end = text.length;
    memory_print(&text, ",\n");
    print_member(&text, 3, 40, 0);
    memory_print(&text, "}\n");
    bool const fits = sized->entity_fits && sized->whole_fits;
    size_t const offset = sized->whole_fits ? end - 1 - sized->length : begin;
    uint64_t const length = sized->whole_fits ? sized->length : end - begin;
    char wanted[64] = "";
    if (!fits)
        snprintf(wanted, sizeof wanted, "s:%u %zu+%llu too_large  ", sized->whole_fits ? 4u : 3u, offset,
                 (unsigned long long)length);
    static const struct form_run runs[] = {
        {.threads = 1, .shard_bytes = 1 << 30},
        {.threads = 1, .shard_bytes = 1 << 30, .strict = true},
        {.threads = 2, .shard_bytes = 1 << 30, .walk = CONVERT_ON_DEMAND},
        {.threads = 3, .shard_bytes = 10000, .block = PIPELINE_BLOCK_MAX},
        {.threads = 2, .shard_bytes = 1 << 30, .stream = true},
        {.threads = 3, .shard_bytes = 1, .stream = true, .stream_block = STREAM_BLOCK_BYTES, .strict = true},
    };
    struct form_outcome first;
    for (size_t r = 0; r < COUNT(runs); r++) {
        struct form_run run = runs[r];
        run.max_record = max_record;
        struct form_outcome outcome = run_text(&text, &run);
        const char *const rejects = (char *)outcome.rejects.bytes;
        bool const good = outcome.kind == FORM_ENTITIES && outcome.tally.input == 3 &&
                          outcome.tally.delivered == 2u + fits &&
                          strncmp(rejects, wanted, strlen(wanted)) == 0;
        if (!good)
            print_message("limit %llu, entity %llu, all %llu, run %zu: kind %d, %llu of %llu, wanted %s, is "
                          "%.60s\n",
                          (unsigned long long)max_record, (unsigned long long)sized->length,
                          (unsigned long long)(end - begin), r, outcome.kind,
                          (unsigned long long)outcome.tally.delivered,
                          (unsigned long long)outcome.tally.input, wanted, rejects);
        assert_true(good);
        if (r == 0)
            first = outcome;
        else
            must_equal(&first, &outcome, "limit", r);
        if (r != 0) form_outcome_free(&outcome);
    }
    form_outcome_free(&first);
    memory_text_free(&text);
}

/* In a map source.max_record is held against the entity; what stands around it has a bound of its own. */
static void an_entity_may_be_as_long_as_a_record(void **state)
{
    /* in a block, longer than one, and longer than any */
    static const uint64_t limits[] = {60, 5000, 300000, 1200000};
    (void)state;
    for (size_t l = 0; l < COUNT(limits); l++) {
        uint64_t const limit = limits[l], whole = limit + FORM_BESIDE_MAX;
        struct sized const sizes[] = {
            {limit - 1, 0, true, true},     {limit, 0, true, true},         {limit + 1, 0, false, true},
            {limit, whole - 1, true, true}, {limit, whole, true, true},     {limit, whole + 1, true, false},
            {50, whole, true, true},        {50, whole + 1, true, false},   {limit + 1, whole, false, true},
            {limit - 1, whole, true, true}, {limit + 5000, 0, false, true}, {whole, 0, false, false},
            {50, 3 * whole, true, false},
        };
        for (size_t s = 0; s < COUNT(sizes); s += UNDER_TSAN ? 3 : 1)
            check_sized(&sizes[s], limit);
    }
}

/* Where the entity can't be made out, or what is around it is wrong, that is the record: no limit but the
 * element's holds for it, so that what is wrong is named. */
static void around_an_entity_what_is_wrong_is_named(void **state)
{
    enum { MAX_RECORD = 1000 };
    static const struct {
        const char *front, *back, *code;
        bool strict;
    } broken[] = {
        {"{\"entity\":5,\"a\":\"", "\"}", "not_an_object", false},
        {"{\"entity\":{\"id\":1},\"a\":\"\\x", "\"}", "syntax", true},
        {"{\"entity\":{\"a\":\"\xff", "\"}}", "utf8", false},
        {"{\"entity\":{\"id\":1,\"a\":[[", "}}", "syntax", false},
    };
    (void)state;
    struct memory_text text = {0};
    for (size_t b = 0; b < COUNT(broken); b++)
        for (unsigned beyond = 0; beyond < 3; beyond++) {
            size_t const around = strlen(broken[b].front) + strlen(broken[b].back);
            size_t const length = beyond == 0 ? MAX_RECORD : MAX_RECORD + FORM_BESIDE_MAX + beyond - 1;
            char wanted[64];
            text.length = 0;
            memory_print(&text, "{\"k\":{\"entity\":{\"id\":1}},\"l\":");
            size_t const begin = text.length - 4, value = text.length;
            memory_print(&text, broken[b].front);
            memory_fill(&text, 'y', length - 4 - around);
            memory_print(&text, broken[b].back);
            memory_print(&text, ",\"m\":{\"entity\":{\"id\":3}}}");
            if (beyond < 2)
                snprintf(wanted, sizeof wanted, "s:1 %zu+%zu %s ", value, length - 4, broken[b].code);
            else
                snprintf(wanted, sizeof wanted, "s:1 %zu+%zu too_large ", begin, length);
            struct form_run run = {
                .threads = 1, .shard_bytes = 1 << 20, .max_record = MAX_RECORD, .strict = broken[b].strict};
            struct form_outcome whole = run_text(&text, &run);
            if (strncmp((char *)whole.rejects.bytes, wanted, strlen(wanted)) != 0)
                print_message("%s: wanted %s, is %.60s\n", broken[b].front, wanted, whole.rejects.bytes);
            assert_memory_equal(whole.rejects.bytes, wanted, strlen(wanted));
            assert_int_equal(whole.tally.delivered, 2);
            run.stream = true;
            run.threads = 2;
            struct form_outcome front = run_text(&text, &run);
            must_equal(&whole, &front, broken[b].front, length);
            form_outcome_free(&whole);
            form_outcome_free(&front);
        }
    memory_text_free(&text);
}

/* Until another thread has met a record, too, which it does in another shard. */
struct meeting {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t first;
    bool one, both;
};

static void meet(void *context)
{
    struct meeting *const meeting = context;
    pthread_mutex_lock(&meeting->mutex);
    if (!meeting->one) meeting->first = pthread_self();
    meeting->both = meeting->both || (meeting->one && !pthread_equal(meeting->first, pthread_self()));
    meeting->one = true;
    if (meeting->both) pthread_cond_broadcast(&meeting->changed);
    while (!meeting->both)
        pthread_cond_wait(&meeting->changed, &meeting->mutex);
    pthread_mutex_unlock(&meeting->mutex);
}

/* Who keeps what a record did need not wait until the shards before are written. */
static void shards_are_looked_at_side_by_side(void **state)
{
    enum { RECORDS = 40 }; /* longer in all than what stands around them */
    const char *records[RECORDS];
    struct meeting meeting = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    (void)state;
    struct memory_text text = {0};
    for (size_t r = 0; r < RECORDS; r++)
        records[r] = "{\"id\":1,\"a\":\"text\"}";
    for (size_t c = 0; c < COUNT(containers); c++) {
        if (containers[c].kind == FORM_CONCATENATED && containers[c].between[0] == '\0')
            continue; /* no marks */
        write_container(&text, &containers[c], records, RECORDS);
        meeting.one = meeting.both = false;
        struct form_run const run = {.threads = 2,
                                     .shard_bytes = text.length / 2 + 1,
                                     .visits = true,
                                     .met = meet,
                                     .met_context = &meeting};
        struct form_outcome outcome = run_text(&text, &run);
        assert_true(meeting.both);
        form_outcome_free(&outcome);
    }
    memory_text_free(&text);
}

/* Where the first shard was found to end, another record begins than the one that it is converted up to. */
static void changes_between_looks_are_found(void **state)
{
    /* the second shard's worker does not look as far back as to the front */
    enum { RECORDS = 600, RECORD = 11, SHARD = 182 * RECORD, JOINED = 1 + SHARD - 2 };
    _Static_assert(SHARD > RECORD_MARK_BEHIND, "far enough");
    struct memory_text first = {0}, second = {0};
    (void)state;
    memory_print(&first, "[");
    for (unsigned i = 0; i < RECORDS; i++) {
        char record[16];
        snprintf(record, sizeof record, "%s{\"id\":%u}", i == 0 ? "" : ",", 100 + i);
        memory_print(&first, record);
    }
    memory_print(&first, "]");
    memory_append(&second, first.bytes, first.length);
    memcpy(second.bytes + JOINED, " , \"b\": 282", RECORD); /* in place of },{"id":282 */
    uint8_t *const later = padded(&second);
    struct form_outcome outcome =
        run_text(&first, &(struct form_run){.threads = 2,
                                            .shard_bytes = SHARD,
                                            .visits = true,
                                            .later = later,
                                            .fails = "s: changed while it was read"});
    form_outcome_free(&outcome);
    free(later);
    memory_text_free(&first);
    memory_text_free(&second);
}

/* By many threads and shards as by one. */
static void check_seams(const struct memory_text *text, const char *what, uint64_t max_record)
{
    struct form_run run = {.threads = 1, .shard_bytes = 1 << 30, .visits = true, .max_record = max_record};
    struct form_outcome whole = run_text(text, &run);
    for (uint64_t shard = 100; shard < text->length; shard = shard * 3 / 2) {
        run.threads = 2 + (uint32_t)(shard % 3);
        run.shard_bytes = shard;
        struct form_outcome cut = run_text(text, &run);
        must_equal(&whole, &cut, what, shard);
        form_outcome_free(&cut);
    }
    form_outcome_free(&whole);
}

/* A record that is not closed seems to hold those behind it, until it is gone back to the first of them: when
 * that is not at hand any more. */
static void seams_behind_what_was_swallowed(void **state)
{
    static const struct {
        const char *front, *good, *bad, *back;
    } shapes[] = {
        {"[", "{\"id\":%u,\"a\":\"%s\"}", "{\"id\":%u,\"a\":[1", "]"},
        {"{", "\"k%u\":{\"entity\":{\"id\":1,\"a\":\"%s\"}}", "\"k%u\":{\"entity\":{\"id\":1}", "}"},
        {"{\"results\":[", "{\"id\":%u,\"a\":\"%s\"}", "{\"id\":%u,\"a\":[1", "]}"},
    };
    static const char pad[] =
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567";
    (void)state;
    struct memory_text text = {0};
    for (size_t s = 0; s < COUNT(shapes); s++) {
        text.length = 0;
        memory_print(&text, shapes[s].front);
        for (unsigned i = 0; i < 200; i++) {
            char record[200];
            if (i == 50)
                snprintf(record, sizeof record, shapes[s].bad, i);
            else
                snprintf(record, sizeof record, shapes[s].good, i, pad);
            if (i > 0) memory_print(&text, ",\n");
            memory_print(&text, record);
        }
        memory_print(&text, shapes[s].back);
        check_seams(&text, shapes[s].front, 0);
    }
    memory_text_free(&text);
}

/* A member that is longer than max_record, but not its entity, and holds what looks like one. */
static void seams_by_members_as_long_as_they_may_be(void **state)
{
    (void)state;
    struct memory_text text = {0};
    memory_print(&text, "{");
    for (unsigned i = 0; i < 30; i++) {
        char front[120];
        snprintf(front, sizeof front,
                 "%s\"k%u\":{\"entity\":{\"id\":%u},\"x\":{\"z\":0,\"q\":{\"entity\":{\"id\":0}}},\"pad\":\"",
                 i > 0 ? "," : "", i, i);
        memory_print(&text, front);
        memory_fill(&text, 'p', i % 10 == 5 ? 6000 : 3);
        memory_print(&text, "\"}");
    }
    memory_print(&text, "}");
    check_seams(&text, "long members", 4000);
    memory_text_free(&text);
}

/* Shards inside of a long element, or behind the last place that looks like a record's begin, don't each look
 * through all that is behind them. */
static void long_ways_are_gone_once(void **state)
{
    enum { SHARD = 1000, SHARDS = 300 };
    static const char *const fronts[] = {
        "[{\"id\":1},{\"id\":2},{\"id\":3,\"a\":\"", /* one long element */
        "[{\"id\":1},{\"id\":2},{\"a\":\"",          /* another key first from there on */
    };
    (void)state;
    for (size_t f = 0; f < COUNT(fronts); f++)
        for (uint32_t threads = 1; threads <= 3; threads += 2) {
            struct memory_text text = {0};
            memory_print(&text, fronts[f]);
            while (text.length < SHARDS * SHARD) {
                memory_fill(&text, 'x', 400);
                if (f == 1) memory_print(&text, "\"},{\"a\":\"");
            }
            memory_print(&text, "\"},{\"id\":4}]");
            struct form_outcome outcome =
                run_text(&text, &(struct form_run){.threads = threads, .shard_bytes = SHARD, .visits = true});
            assert_in_range(outcome.windows, SHARDS, 10 * SHARDS);
            form_outcome_free(&outcome);
            memory_text_free(&text);
        }
}

/* What stands before an array under a key may be longer than a stream's block. */
static void records_may_begin_behind_a_block(void **state)
{
    (void)state;
    struct memory_text text = {0};
    memory_print(&text, "\xEF\xBB\xBF{\"_page\":{\"a\":\"");
    memory_fill(&text, 'x', 60000);
    memory_print(&text, "\"},\n\n\"results\":[{\"id\":1},\n{\"id\":2},bad,{\"id\":3}]}");
    struct form_outcome whole = run_once(&text);
    assert_int_equal(whole.kind, FORM_KEYED_ARRAY);
    assert_int_equal(whole.tally.delivered, 3);
    for (size_t block = 500; block <= STREAM_BLOCK_BYTES; block = block * 3 / 2) {
        struct form_run const run = {.threads = 3, .shard_bytes = 1, .stream = true, .stream_block = block};
        struct form_outcome cut = run_text(&text, &run);
        must_equal(&whole, &cut, "a long front", block);
        form_outcome_free(&cut);
    }
    form_outcome_free(&whole);
    memory_text_free(&text);
}

/* Where each record of a text ends, with what belongs to it. */
static size_t ends_of(const struct memory_text *text, const struct container *container,
                      const char *const *records, size_t count, size_t *ends)
{
    const uint8_t *const end = text->bytes + text->length;
    const uint8_t *at = text->bytes + strlen(container->before);
    size_t found = 0;
    if (*container->before == '{' && container->kind == FORM_CONCATENATED)
        ends[found++] = strlen("{\"id\":\"zero\"\n}");
    for (size_t i = 0; i < count; i++) {
        at = memmem(at, (size_t)(end - at), records[i], strlen(records[i]));
        assert_non_null(at);
        at += strlen(records[i]) + strlen(container->record_after);
        ends[found++] = (size_t)(at - text->bytes);
    }
    return found;
}

/* A stream that is damaged at any byte: what came with its last bracket is a record, lists in it are none,
 * and the place counts as one. */
static void damage_spares_what_came_whole(void **state)
{
    static const char *const records[] = {
        "{\"id\":1,\"a\":\"]}\",\"l\":[{\"id\":7},{\"id\":8}]}",
        "{\"id\":2,\"a\":{\"l\":[{\"id\":7},{\"id\":8}]}}",
        "{\"id\":3}",
        "{\"id\":4,\"l\":[[{\"id\":7},{\"id\":8}]]}",
    };
    static const size_t blocks[] = {40, 200, PIPELINE_STREAM_BLOCK_MIN};
    (void)state;
    struct memory_text text = {0};
    for (size_t c = 0; c < COUNT(containers); c++) {
        size_t ends[COUNT(records) + 1];
        write_container(&text, &containers[c], records, COUNT(records));
        size_t const count = ends_of(&text, &containers[c], records, COUNT(records), ends);
        struct form_outcome whole = run_once(&text);
        assert_int_equal(whole.tally.delivered, count);
        for (size_t at = 1; at <= text.length; at++) {
            uint64_t wanted = 0;
            for (size_t i = 0; i < count; i++)
                wanted += ends[i] <= at;
            struct form_run const run = {.threads = at % 2 == 0 ? 1 : 3,
                                         .shard_bytes = 1,
                                         .stream = true,
                                         .stream_block = blocks[at % COUNT(blocks)],
                                         .max_record = 4096,
                                         .damaged_at = at};
            struct form_outcome cut = run_text(&text, &run);
            const char *const rows = strchr((char *)cut.rows.bytes, '\n');
            bool const same =
                rows == NULL || strncmp(rows, strchr((char *)whole.rows.bytes, '\n'), strlen(rows)) == 0;
            if (cut.tally.delivered != wanted || tally_failed(&cut.tally) != 1 || !same)
                fail_msg("%s, damaged at %zu: %d of %d records, failed %d\n%s%s", containers[c].name, at,
                         (int)cut.tally.delivered, (int)wanted, (int)tally_failed(&cut.tally), cut.rows.bytes,
                         cut.rejects.bytes);
            form_outcome_free(&cut);
        }
        form_outcome_free(&whole);
    }
    memory_text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_found),
        cmocka_unit_test(records_may_begin_behind_a_block),
        cmocka_unit_test(damage_spares_what_came_whole),
        cmocka_unit_test(bad_ones_fail_alone),
        cmocka_unit_test(blocks_end_anywhere),
        cmocka_unit_test(broken_ones_far_apart),
        cmocka_unit_test(tiny_ones_before_a_long_one),
        cmocka_unit_test(no_end),
        cmocka_unit_test(long_ones_are_turned_back_to),
        cmocka_unit_test(an_entity_may_be_as_long_as_a_record),
        cmocka_unit_test(around_an_entity_what_is_wrong_is_named),
        cmocka_unit_test(shards_are_looked_at_side_by_side),
        cmocka_unit_test(changes_between_looks_are_found),
        cmocka_unit_test(seams_behind_what_was_swallowed),
        cmocka_unit_test(seams_by_members_as_long_as_they_may_be),
        cmocka_unit_test(long_ways_are_gone_once),
    };
    return cmocka_run_group_tests(tests, make_job, free_job);
}
