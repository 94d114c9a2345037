/* test_csv_row.c - records to rows: identity, required, columns, values, and what is named when one is bad.
 * Records go through On-Demand to their cells. SHA-256 is played here, so that it can fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/row_desk.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- a hasher that shows what it was given ---- */

struct sha256 {
    bool fails;
};

struct sha256 *sha256_create(void)
{
    return calloc(1, sizeof(struct sha256));
}

/* The text in hexadecimal, filled up with dots. */
bool sha256_hex(struct sha256 *hasher, const void *bytes, size_t length, char *hex)
{
    if (hasher->fails) return false;
    memset(hex, '.', SHA256_HEX_LENGTH);
    for (size_t i = 0; i < length && 2 * i < SHA256_HEX_LENGTH; i++) {
        char digits[3];
        snprintf(digits, sizeof digits, "%02x", ((const uint8_t *)bytes)[i]);
        memcpy(hex + 2 * i, digits, 2);
    }
    return true;
}

void sha256_destroy(struct sha256 *hasher)
{
    free(hasher);
}

/* ---- values ---- */

static void writes_values_of_all_types(void **state)
{
    (void)state;
    static const struct row_desk_pair pairs[] = {
        {"{\"id\":\"1\",\"a\":\"text\",\"b\":true}", "1,text,true\n"},
        {"{\"id\":12345678901234567890123456789,\"a\":-0.10E+05,\"b\":false}",
         "12345678901234567890123456789,-0.10E+05,false\n"},
        {"{\"id\":\"1\",\"a\":null}", "1,,\n"},
        {"{\"id\":\"1\",\"a\":\"\",\"b\":\"x,y\"}", "1,,\"x,y\"\n"},
        {"{\"id\":\"1\",\"a\":\"say \\\"hi\\\"\",\"b\":\"two\\nlines\"}",
         "1,\"say \"\"hi\"\"\",\"two\nlines\"\n"},
        {"{\"id\":\"1\",\"a\":{ \"k\" : [ 1 , \"\\u00e9\" ] },\"b\":[ ]}",
         "1,\"{\"\"k\"\":[1,\"\"\\u00e9\"\"]}\",[]\n"},
        {"{\"id\":\"1\",\"a\":\"\\u00e9\\ud83d\\ude00\",\"b\":\"16 bytes exactly\"}",
         "1,\xC3\xA9\xF0\x9F\x98\x80,16 bytes exactly\n"},
        {"{\"id\":\"1\",\"a\":\"sixteen bytes ok,\",\"b\":\"15 bytes are her\"}",
         "1,\"sixteen bytes ok,\",15 bytes are her\n"},
        {"{\"id\":\"1\",\"a\":\"x\",\"a\":\"the last wins\"}", "1,the last wins,\n"},
        {"{\"id\":\"\\r\",\"a\":\"\\t\",\"b\":\"'\"}", "\"\r\",\t,'\n"},
    };
    struct row_desk desk;
    row_desk_start(&desk, "id");
    memory_column(&desk.job, "a");
    memory_column(&desk.job, "b");
    row_desk_check(&desk, pairs, COUNT(pairs));
}

/* A delimiter or quote at each place of a text that is copied 16 bytes at a time. */
static void finds_delimiters_at_every_place(void **state)
{
    (void)state;
    struct row_desk desk;
    row_desk_start(&desk, "id");
    memory_column(&desk.job, "a");
    row_desk_ready(&desk);
    for (size_t length = 1; length <= 70; length++)
        for (size_t at = 0; at <= length; at++) { /* at == length: none */
            char record[120], wanted[120], value[80];
            memset(value, 'v', length);
            value[length] = '\0';
            if (at < length) value[at] = ',';
            snprintf(record, sizeof record, "{\"id\":1,\"a\":\"%s\"}", value);
            snprintf(wanted, sizeof wanted, at < length ? "1,\"%s\"\n" : "1,%s\n", value);
            assert_string_equal(row_desk_says(&desk, record), wanted);
        }
    row_desk_end(&desk);
}

static void writes_other_dialects(void **state)
{
    (void)state;
    static const struct row_desk_pair pairs[] = {
        {"{\"id\":1,\"a\":\"=x\"}", "\"1\";\"'=x\";\"NULL\"\r\n"},
        {"{\"id\":1,\"a\":\"NULL\",\"b\":-5}", "\"1\";\"NULL\";\"-5\"\r\n"},
        {"{\"id\":\"-1\",\"a\":\"a\\r\\nb\\u0000c\",\"b\":\"\\u0000=\"}", "\"'-1\";\"a bc\";\"'=\"\r\n"},
    };
    struct row_desk desk;
    row_desk_start(&desk, "id");
    memory_column(&desk.job, "a");
    memory_column(&desk.job, "b");
    desk.job.mapping.csv = (struct csv_options){.delimiter = ';',
                                                .quote = CSV_QUOTE_ALL,
                                                .line_end = CSV_LINE_CRLF,
                                                .null_text = "NULL",
                                                .newline_to_space = true,
                                                .null_character_drop = true,
                                                .formula_escape = true,
                                                .list_separator = "|"};
    row_desk_check(&desk, pairs, COUNT(pairs));
}

static void counts_changes_of_the_last_row(void **state)
{
    (void)state;
    struct row_desk desk;
    row_desk_start(&desk, "id");
    memory_column(&desk.job, "a");
    memory_column(&desk.job, "a");
    desk.job.mapping.csv.newline_to_space = true;
    desk.job.mapping.csv.formula_escape = true;
    row_desk_ready(&desk);
    assert_string_equal(row_desk_says(&desk, "{\"id\":1,\"a\":\"=\\n\\n\"}"), "1,'=  ,'=  \n");
    assert_int_equal(desk.row.changed[CHANGE_NEWLINE], 2);
    assert_int_equal(desk.row.changed[CHANGE_FORMULA], 2);
    assert_string_equal(row_desk_says(&desk, "{\"id\":1,\"a\":\"x\"}"), "1,x,x\n");
    assert_int_equal(desk.row.changed[CHANGE_NEWLINE] + desk.row.changed[CHANGE_FORMULA], 0);
    row_desk_end(&desk);
}

/* Delimiters that numbers and literals may hold. */
static void quotes_for_odd_delimiters(void **state)
{
    (void)state;
    static const char delimiters[] = "5e.-t\\";
    static const struct row_desk_pair pairs[] = {
        {"{\"a\":-5.5e1,\"b\":true}", "\"-5.5e1\"5true\n"},
        {"{\"a\":-5.5e1,\"b\":true}", "\"-5.5e1\"e\"true\"\n"},
        {"{\"a\":-5.5e1,\"b\":true}", "\"-5.5e1\".true\n"},
        {"{\"a\":-5.5e1,\"b\":true}", "\"-5.5e1\"-true\n"},
        {"{\"a\":-5.5e1,\"b\":true}", "-5.5e1t\"true\"\n"},
        {"{\"a\":\"x\\\\y\",\"b\":\"\\t\"}", "\"x\\y\"\\\t\n"},
    };
    for (size_t i = 0; i < COUNT(pairs); i++) {
        struct row_desk desk;
        row_desk_start(&desk, NULL);
        memory_column(&desk.job, "a");
        memory_column(&desk.job, "b");
        desk.job.mapping.csv.delimiter = delimiters[i];
        row_desk_check(&desk, &pairs[i], 1);
    }
}

static void keeps_rows_of_one_field_visible(void **state)
{
    (void)state;
    static const struct row_desk_pair pairs[] = {
        {"{}", "\"\"\n"}, {"{\"a\":\"\"}", "\"\"\n"}, {"{\"a\":null}", "\"\"\n"}, {"{\"a\":\"x\"}", "x\n"}};
    struct row_desk desk;
    row_desk_start(&desk, NULL);
    memory_column(&desk.job, "a");
    row_desk_check(&desk, pairs, COUNT(pairs));
}

/* ---- columns ---- */

static void falls_back_and_defaults(void **state)
{
    (void)state;
    static const char *const paths[] = {"a", "b.c", "d[*]"};
    static const struct row_desk_pair pairs[] = {
        {"{\"a\":1,\"b\":{\"c\":2}}", "1,AEP\n"},
        {"{\"a\":null,\"b\":{\"c\":2},\"d\":[3]}", "2,AEP\n"},
        {"{\"b\":{\"c\":null},\"d\":[null,3]}", "3,AEP\n"},
        {"{\"d\":[null,null]}", "\"de,f\",AEP\n"},
        {"{\"d\":[]}", "\"de,f\",AEP\n"},
        {"{\"b\":{\"c\":\"\"},\"d\":[3]}", ",AEP\n"}, /* an empty text is a value */
        {"{}", "\"de,f\",AEP\n"},
    };
    struct row_desk desk;
    row_desk_start(&desk, NULL);
    struct column *column = memory_column(&desk.job, NULL);
    column->paths = memory_paths(&desk.job.arena, paths, COUNT(paths));
    column->path_count = COUNT(paths);
    column->default_text = "de,f";
    memory_column(&desk.job, NULL)->constant = "AEP";
    row_desk_check(&desk, pairs, COUNT(pairs));
}

static void joins_lists(void **state)
{
    (void)state;
    static const struct row_desk_pair pairs[] = {
        {"{\"a\":[1,\"two\",null,true,{\"x\":[]}]}", "\"1, two, true, {\"\"x\"\":[]}\",\n"},
        {"{\"a\":[\"only\"]}", "only,\n"},
        {"{\"a\":[null,\"\\u0041\",null]}", "A,\n"},
        {"{\"a\":[\"\",\"\"]}", "\", \",\n"},
        {"{\"a\":{\"k\":\"v\",\"l\":\"w\"}}", "\"v, w\",\n"},
        {"{\"a\":\"no list\"}", ",\n"},
        {"{\"a\":[1,2,3],\"b\":[{\"t\":\"x\",\"v\":1},{\"t\":\"y\",\"v\":2},{\"t\":\"x\",\"v\":\"3\"}]}",
         "\"1, 2, 3\",\"1, 3\"\n"},
    };
    struct row_desk desk;
    row_desk_start(&desk, NULL);
    memory_column(&desk.job, "a[*]");
    memory_column(&desk.job, "b[?@.t == 'x'].v");
    desk.job.mapping.csv.list_separator = ", ";
    row_desk_check(&desk, pairs, COUNT(pairs));
}

static void transforms_texts(void **state)
{
    (void)state;
    static const struct row_desk_pair pairs[] = {
        {"{\"a\":\" \\t\\u00c9X \\n\"}",
         "\xC3\x89X,\xC3\xA9x,\xC3\x89X,c3a978.........................................................."
         "\n"},
        {"{\"a\":\"  \"}", ",,,\n"},
        {"{}", ",,,\n"},
        {"{\"a\":null}", ",,,\n"},
    };
    struct row_desk desk;
    row_desk_start(&desk, NULL);
    static const enum transform chains[4][3] = {{TRANSFORM_TRIM},
                                                {TRANSFORM_TRIM, TRANSFORM_LOWER},
                                                {TRANSFORM_LOWER, TRANSFORM_UPPER, TRANSFORM_TRIM},
                                                {TRANSFORM_LOWER, TRANSFORM_TRIM, TRANSFORM_SHA256}};
    static const size_t counts[] = {1, 2, 3, 3};
    for (size_t c = 0; c < COUNT(chains); c++) {
        struct column *column = memory_column(&desk.job, "a");
        memcpy(column->transforms, chains[c], sizeof chains[c]);
        column->transform_count = counts[c];
    }
    row_desk_check(&desk, pairs, COUNT(pairs));
}

/* JSON text is none of the texts that transforms are for, alone or in a list. */
static void leaves_json_in_lists(void **state)
{
    (void)state;
    static const struct row_desk_pair pairs[] = {
        {"{\"a\":[\" x\",1,\"Y \"]}", "X|1|Y,x|1|y\n"},
        {"{\"a\":[{\"a\":\"x\\n\"}]}", "\"{\"\"a\"\":\"\"x\\n\"\"}\",\"{\"\"a\"\":\"\"x\\n\"\"}\"\n"},
        {"{\"a\":[\" Xy\",[\"\\n\"]]}", "\" Xy|[\"\"\\n\"\"]\",\" Xy|[\"\"\\n\"\"]\"\n"},
        {"{\"a\":[[\"\\n\"],null,\"Xy \"]}", "\"[\"\"\\n\"\"]|Xy \",\"[\"\"\\n\"\"]|Xy \"\n"},
        /* csv options see a text all the same */
        {"{\"a\":[\"=\\n\",[]]}", "'= |[],'= |[]\n"},
    };
    struct row_desk desk;
    row_desk_start(&desk, NULL);
    static const enum transform cases[] = {TRANSFORM_UPPER, TRANSFORM_LOWER};
    for (size_t c = 0; c < COUNT(cases); c++) {
        struct column *column = memory_column(&desk.job, "a[*]");
        column->transforms[0] = TRANSFORM_TRIM;
        column->transforms[1] = cases[c];
        column->transform_count = 2;
    }
    desk.job.mapping.csv.newline_to_space = true;
    desk.job.mapping.csv.formula_escape = true;
    row_desk_check(&desk, pairs, COUNT(pairs));
}

static void reads_times(void **state)
{
    (void)state;
    static const struct row_desk_pair pairs[] = {
        {"{\"a\":\"2026-11-22T03:00:00.5+01:00\",\"b\":1700000000123}", "2026-11-22 02:00:00,2023-11-14\n"},
        {"{\"a\":\"\",\"b\":null}", ",\n"},
        {"{}", ",\n"},
        {"{\"a\":\"soon\"}", "fail bad_timestamp a"},
        {"{\"a\":true}", "fail bad_timestamp a"},
        {"{\"a\":\"1700000000123\"}", "fail bad_timestamp a"},
        {"{\"b\":{\"x\":1},\"a\":[]}", "fail bad_timestamp b"}, /* the first in the record */
        {"{\"a\":\"soon\",\"b\":{\"x\":1}}", "fail bad_timestamp a"},
    };
    struct row_desk desk;
    row_desk_start(&desk, NULL);
    memory_column(&desk.job, "a")->type = COLUMN_TIMESTAMP;
    memory_column(&desk.job, "b")->type = COLUMN_DATE;
    row_desk_check(&desk, pairs, COUNT(pairs));
}

/* ---- identity ---- */

static void takes_the_identity(void **state)
{
    (void)state;
    static const char *const paths[] = {"identityMap.CRM", "ids[*]", "n.id"};
    static const struct row_desk_pair pairs[] = {
        {"{\"identityMap\":{\"crm\":[{\"id\":\"a\"},{\"id\":\"b\",\"primary\":true}]}}", "b,\n"},
        {"{\"identityMap\":{\"Crm\":[{\"id\":\"a\"},{\"id\":\"b\"}]}}", "a,\n"},
        {"{\"identityMap\":{\"CRM\":[{\"id\":\"\",\"primary\":true},{\"id\":null},{\"id\":7}]}}", "7,\n"},
        {"{\"identityMap\":{\"CRM\":[]},\"ids\":[null,\"\",{},\"x,y\"]}", "\"x,y\",\n"},
        {"{\"identityMap\":{\"other\":[{\"id\":\"z\"}]},\"n\":{\"id\":\"last\"}}", "last,\n"},
        {"{\"n\":{\"id\":\"\"}}", "fail missing_identity identityMap.CRM"},
        {"{\"n\":{\"id\":{\"x\":1}}}", "fail missing_identity identityMap.CRM"},
        {"{}", "fail missing_identity identityMap.CRM"},
    };
    for (int skip = 0; skip < 2; skip++) {
        struct row_desk desk;
        row_desk_start(&desk, "id");
        desk.job.mapping.identity.paths = memory_paths(&desk.job.arena, paths, COUNT(paths));
        desk.job.mapping.identity.path_count = COUNT(paths);
        desk.job.mapping.identity.missing = skip != 0 ? IDENTITY_SKIP : IDENTITY_REJECT;
        memory_column(&desk.job, "a");
        row_desk_ready(&desk);
        for (size_t i = 0; i < COUNT(pairs); i++)
            assert_string_equal(row_desk_says(&desk, pairs[i].record),
                                i >= 5 && skip != 0 ? "skip identity" : pairs[i].wanted);
        row_desk_end(&desk);
    }
}

static void skips_records_without_required_values(void **state)
{
    (void)state;
    static const struct row_desk_pair pairs[] = {
        {"{\"id\":1,\"a\":\"x\"}", "1,x,\n"},
        {"{\"id\":1}", "skip required"},
        {"{\"id\":1,\"a\":\"\"}", "skip required"},
        {"{\"id\":1,\"a\":null}", "skip required"},
        {"{\"a\":\"x\"}", "fail missing_identity id"}, /* identity goes before */
        {"{\"b\":\"soon\"}", "fail missing_identity id"},
        {"{\"id\":1,\"b\":\"soon\"}", "skip required"}, /* and required before columns */
        {"{\"id\":1,\"a\":\"x\",\"b\":\"soon\"}", "fail bad_timestamp b"},
        {"{\"id\":1,\"b\":nul}", "fail syntax -"}, /* but nothing before syntax */
        {"{\"b\":tru}", "fail syntax -"},
        {"{\"id\":1,\"a\":\"\\ud800\"}", "fail lone_surrogate a"},
        {"{\"id\":1,\"a\":\"\\u0000\"}", "fail null_character a"},
        {"{\"id\":\"\\u0000\",\"a\":\"\\ud800\"}", "fail null_character id"},
    };
    struct row_desk desk;
    row_desk_start(&desk, "id");
    memory_column(&desk.job, "a")->required = true;
    memory_column(&desk.job, "b")->type = COLUMN_TIMESTAMP;
    row_desk_check(&desk, pairs, COUNT(pairs));
}

/* Defects of columns: the first in byte order, whatever the order of the columns. */
static void names_the_first_defect(void **state)
{
    (void)state;
    static const struct row_desk_pair pairs[] = {
        {"{\"a\":\"\\u0000\",\"b\":\"\\ud800\"}", "fail null_character a"},
        {"{\"b\":\"\\ud800\",\"a\":\"\\u0000\"}", "fail lone_surrogate b"},
        {"{\"b\":\"\\ud800\",\"a\":\"\\x\"}", "fail syntax -"},
        {"{\"b\":\"x\\u0000\\ud800\"}", "fail null_character b"},
        {"{\"b\":\"x\\ud800\\u0000\"}", "fail lone_surrogate b"},
        {"{\"a\":01}", "fail syntax -"},
        {"{\"a\":\"\\ud83d\\ude00\"}", "\xF0\x9F\x98\x80,\n"},
        {"{\"c\":\"\\ud800\\x\\u0000\"}", ",\n"}, /* nobody reads it */
    };
    struct row_desk desk;
    row_desk_start(&desk, NULL);
    memory_column(&desk.job, "a");
    memory_column(&desk.job, "b");
    row_desk_check(&desk, pairs, COUNT(pairs));
}

/* Short ones with a point at most are judged by one look, others byte by byte. */
static void judges_numbers(void **state)
{
    (void)state;
    static const struct row_desk_pair pairs[] = {
        {"{\"a\":0,\"b\":7}", "0,7\n"},
        {"{\"a\":10,\"b\":0.5}", "10,0.5\n"},
        {"{\"a\":-1,\"b\":10.025}", "-1,10.025\n"},
        {"{\"a\":1e5,\"b\":-0.0}", "1e5,-0.0\n"},
        {"{\"a\":123456789012345,\"b\":0.1234567890123}", "123456789012345,0.1234567890123\n"},
        {"{\"a\":1234567890123456,\"b\":0.12345678901234}", "1234567890123456,0.12345678901234\n"},
        {"{\"a\":01}", "fail syntax -"},
        {"{\"a\":00.5}", "fail syntax -"},
        {"{\"a\":01.5}", "fail syntax -"},
        {"{\"a\":1.}", "fail syntax -"},
        {"{\"a\":.5}", "fail syntax -"},
        {"{\"a\":1.2.3}", "fail syntax -"},
        {"{\"a\":1-2}", "fail syntax -"},
        {"{\"a\":-}", "fail syntax -"},
        {"{\"a\":012345678901234}", "fail syntax -"},
        {"{\"a\":123456789012345.}", "fail syntax -"},
    };
    struct row_desk desk;
    row_desk_start(&desk, NULL);
    memory_column(&desk.job, "a");
    memory_column(&desk.job, "b");
    row_desk_check(&desk, pairs, COUNT(pairs));
}

/* ---- room ---- */

static void leaves_no_trace_without_room(void **state)
{
    (void)state;
    static const char record[] =
        "{\"id\":\"first, quoted\",\"a\":\"16 bytes or more in here\",\"b\":[1,2,3]}";
    static const char wanted[] = "\"first, quoted\",16 bytes or more in here,1|2|3\r\n";
    struct row_desk desk;
    bool written = false;
    row_desk_start(&desk, "id");
    memory_column(&desk.job, "a");
    memory_column(&desk.job, "b[*]");
    desk.job.mapping.csv.line_end = CSV_LINE_CRLF;
    row_desk_ready(&desk);
    for (size_t room = 0; room < 200; room++) {
        uint8_t *bytes = memory_must(malloc(room + 1));
        struct csv_out out = {.begin = bytes, .at = bytes, .end = bytes + room};
        enum csv_row_result const result = row_desk_write(&desk, record, &out);
        if (result == ROW_WRITTEN) {
            written = true;
            assert_int_equal(out.at - bytes, sizeof wanted - 1);
            assert_memory_equal(bytes, wanted, sizeof wanted - 1);
        } else {
            assert_int_equal(result, ROW_NO_ROOM);
            assert_ptr_equal(out.at, bytes);
            assert_false(written); /* more room is never worse */
        }
        free(bytes);
    }
    assert_true(written);
    row_desk_end(&desk);
}

struct drain {
    struct memory_text text;
    uint64_t calls, stop_at; /* the call that gives no more room, 0: none */
};

static void drain_more(struct csv_out *out)
{
    struct drain *drain = out->context;
    if (drain->stop_at != 0 && drain->calls >= drain->stop_at) return;
    memory_append(&drain->text, out->begin, (size_t)(out->at - out->begin));
    out->at = out->begin;
    if (++drain->calls == drain->stop_at) out->end = out->begin;
}

static void writes_long_rows_in_pieces(void **state)
{
    (void)state;
    struct memory_text record = {0}, wanted = {0};
    memory_print(&record, "{\"id\":\"");
    memory_print(&wanted, "\"");
    for (unsigned i = 0; i < 9000; i++) {
        memory_print(&record, i % 3 == 0 ? "\\\"," : "no");
        memory_print(&wanted, i % 3 == 0 ? "\"\"," : "no");
    }
    memory_print(&record, "\",\"a\":\"");
    memory_print(&wanted, "\",");
    memory_fill(&record, 'p', 40000);
    memory_fill(&wanted, 'p', 40000);
    memory_print(&record, "\"}");
    memory_print(&wanted, ",\n");
    memory_append(&record, "", 1);
    struct row_desk desk;
    row_desk_start(&desk, "id");
    memory_column(&desk.job, "a");
    memory_column(&desk.job, "b");
    row_desk_ready(&desk);
    uint8_t *bytes = memory_must(malloc(CSV_OUT_ROOM_MIN + 3000));
    uint64_t calls = 0; /* with the least room */
    for (size_t room = CSV_OUT_ROOM_MIN; room <= CSV_OUT_ROOM_MIN + 3000; room += 97)
        for (size_t used = 0; used <= CSV_OUT_ROOM_MIN; used += 8191) { /* of the first room */
            struct drain drain = {.calls = 0};
            struct csv_out out = {.begin = bytes + used,
                                  .at = bytes + used,
                                  .end = bytes + room,
                                  .more = drain_more,
                                  .context = &drain};
            /* the room that more() gives is all of it */
            if (used != 0) out.begin = out.at = bytes;
            assert_int_equal(row_desk_write(&desk, (char *)record.bytes, &out), ROW_WRITTEN);
            memory_append(&drain.text, out.begin, (size_t)(out.at - out.begin));
            assert_int_equal(drain.text.length, wanted.length);
            assert_memory_equal(drain.text.bytes, wanted.bytes, wanted.length);
            memory_text_free(&drain.text);
            if (calls == 0) calls = drain.calls;
        }
    assert_true(calls >= 2);
    /* whoever gives no more room ends the row */
    for (uint64_t stop = 1; stop <= calls; stop++) {
        struct drain drain = {.stop_at = stop};
        struct csv_out out = {.begin = bytes,
                              .at = bytes,
                              .end = bytes + CSV_OUT_ROOM_MIN,
                              .more = drain_more,
                              .context = &drain};
        assert_int_equal(row_desk_write(&desk, (char *)record.bytes, &out), ROW_NO_ROOM);
        memory_text_free(&drain.text);
    }
    free(bytes);
    row_desk_end(&desk);
    memory_text_free(&record);
    memory_text_free(&wanted);
}

static void refuses_values_longer_than_its_buffers(void **state)
{
    (void)state;
    struct row_desk desk;
    row_desk_start(&desk, NULL);
    desk.text_max = 64;
    memory_column(&desk.job, "a[*]");
    memory_column(&desk.job, "b");
    desk.job.mapping.csv.list_separator = "==========";
    row_desk_ready(&desk);
    assert_string_equal(row_desk_says(&desk, "{\"a\":[1,2,3,4,5,6]}"),
                        "1==========2==========3==========4==========5==========6,\n");
    assert_string_equal(row_desk_says(&desk, "{\"a\":[1,2,3,4,5,6,7]}"), "too long a[*]");
    /* a syntax error goes before it, wherever it stands */
    assert_string_equal(row_desk_says(&desk, "{\"a\":[1,2,3,4,5,6,7],\"b\":nul}"), "fail syntax -");
    row_desk_end(&desk);
}

/* ---- all the rest ---- */

/* A hash that can't be had is no empty field. */
static void breaks_when_hashing_fails(void **state)
{
    (void)state;
    struct row_desk desk;
    row_desk_start(&desk, "id");
    struct column *column = memory_column(&desk.job, "a");
    column->transforms[0] = TRANSFORM_SHA256;
    column->transform_count = 1;
    memory_column(&desk.job, "b")->required = true;
    row_desk_ready(&desk);
    desk.row.hasher->fails = true;
    assert_string_equal(row_desk_says(&desk, "{\"id\":1,\"a\":\"x\",\"b\":2}"), "broken");
    assert_string_equal(row_desk_says(&desk, "{\"id\":1,\"b\":2}"), "1,,2\n");
    row_desk_end(&desk);
}

static void writes_headers(void **state)
{
    (void)state;
    struct memory_job job;
    memory_job_start(&job, "id");
    memory_column(&job, "a")->name = "plain";
    memory_column(&job, "a")->name = "with, comma";
    memory_column(&job, "a")->name = "with \"quotes\"";
    struct csv_text header = csv_row_header(&job.arena, &job.mapping);
    static const char wanted[] = "Id,plain,\"with, comma\",\"with \"\"quotes\"\"\"\n";
    assert_int_equal(header.length, sizeof wanted - 1);
    assert_memory_equal(header.bytes, wanted, header.length);
    job.mapping.identity.column = NULL;
    job.mapping.csv.quote = CSV_QUOTE_ALL;
    job.mapping.csv.line_end = CSV_LINE_CRLF;
    job.mapping.csv.delimiter = '\t';
    header = csv_row_header(&job.arena, &job.mapping);
    static const char all[] = "\"plain\"\t\"with, comma\"\t\"with \"\"quotes\"\"\"\r\n";
    assert_int_equal(header.length, sizeof all - 1);
    assert_memory_equal(header.bytes, all, header.length);
    memory_job_free(&job);
}

static void destroys_nothing(void **state)
{
    (void)state;
    struct csv_row row = {0};
    csv_row_destroy(&row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_values_of_all_types),
        cmocka_unit_test(finds_delimiters_at_every_place),
        cmocka_unit_test(writes_other_dialects),
        cmocka_unit_test(counts_changes_of_the_last_row),
        cmocka_unit_test(quotes_for_odd_delimiters),
        cmocka_unit_test(keeps_rows_of_one_field_visible),
        cmocka_unit_test(falls_back_and_defaults),
        cmocka_unit_test(joins_lists),
        cmocka_unit_test(transforms_texts),
        cmocka_unit_test(leaves_json_in_lists),
        cmocka_unit_test(reads_times),
        cmocka_unit_test(takes_the_identity),
        cmocka_unit_test(skips_records_without_required_values),
        cmocka_unit_test(names_the_first_defect),
        cmocka_unit_test(judges_numbers),
        cmocka_unit_test(leaves_no_trace_without_room),
        cmocka_unit_test(writes_long_rows_in_pieces),
        cmocka_unit_test(refuses_values_longer_than_its_buffers),
        cmocka_unit_test(breaks_when_hashing_fails),
        cmocka_unit_test(writes_headers),
        cmocka_unit_test(destroys_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
