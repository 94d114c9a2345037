/* test_job.c - job files: what every key becomes, YAML's forms, every refusal with file, line and key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/job_desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_defaults(void **state)
{
    (void)state;
    struct job job;
    load(JOB_BEGIN, &job);
    assert_string_equal(job.file, "jobs/acme.yaml");
    assert_string_equal(job.name, "acme");
    assert_null(job.description);
    assert_int_equal(job.source_count, 0);
    assert_int_equal(job.max_record, 16 * 1024 * 1024);
    assert_int_equal(job.max_depth, 1024);
    assert_null(job.destination.url);
    assert_int_equal(job.destination.if_exists, JOB_EXISTS_FAIL);
    assert_string_equal(job.file_name, "{name}_{run_time}_{part}.csv");
    assert_int_equal(job.max_rows, 5000000);
    assert_int_equal(job.max_bytes, 0);
    assert_null(job.rejects_path);
    assert_false(job.budget.is_share);
    assert_int_equal(job.budget.records, 0);
    assert_string_equal(job.budget.text, "0");
    assert_int_equal(job.warning_count, 0);
    const struct csv_options *csv = &job.mapping.csv;
    assert_int_equal(csv->delimiter, ',');
    assert_int_equal(csv->quote, CSV_QUOTE_NECESSARY);
    assert_int_equal(csv->header, CSV_HEADER_EVERY);
    assert_int_equal(csv->line_end, CSV_LINE_LF);
    assert_string_equal(csv->null_text, "");
    assert_string_equal(csv->list_separator, "|");
    assert_false(csv->newline_to_space || csv->null_character_drop || csv->formula_escape);
    const struct identity *identity = &job.mapping.identity;
    assert_string_equal(identity->column, "CustomerID");
    assert_int_equal(identity->path_count, 1);
    assert_int_equal(identity->multiple, IDENTITY_PRIMARY);
    assert_int_equal(identity->missing, IDENTITY_REJECT);
    assert_int_equal(job.mapping.column_count, 0);
    job_free(&job);
    job_free(&job); /* twice is fine */
}

static void test_everything(void **state)
{
    (void)state;
    struct job job;
    load(
        "name: acme-customer_1\n"
        "description: 'Customer entity, nightly'\n"
        "source: { paths: [ /data/a/, \"-\", y ], max_record: 1.5MiB, max_depth: 65536 }\n"
        "destination:\n  url: out/x\n  if_exists: replace\n"
        "files: { name: \"{run_id}-{name}.{part}\", max_rows: 10, max_bytes: 1KB }\n"
        "csv: { delimiter: \"\\t\", quote: all, header: first, line_end: crlf, null: NULL, newline_in_value: "
        "space,\n"
        "       null_character: drop, list_separator: ';', formula_escape: true }\n"
        "identity: { column: Id, paths: [ identityMap.CustomerID, $.b ], multiple: first, missing: skip }\n"
        "rejects: { path: bad/r.jsonl, max: 0.25% }\n"
        "columns:\n"
        "  - { name: Vorname, path: person.name.firstName }\n"
        "  - name: Email\n    path: a.b\n    fallback: [ c, 'd[0]' ]\n    default: \"\"\n    required: true\n"
        "    transform: [trim, lower, sha256]\n"
        "  - { name: Joined, path: j, type: timestamp, required: false }\n"
        "  - { name: Day, path: j, type: date }\n"
        "  - { name: Source, constant: y }\n",
        &job);
    assert_string_equal(job.name, "acme-customer_1");
    assert_string_equal(job.description, "Customer entity, nightly");
    assert_int_equal(job.source_count, 3);
    assert_string_equal(job.source_paths[2], "y");
    assert_int_equal(job.max_record, 3 * 512 * 1024);
    assert_int_equal(job.max_depth, 65536);
    assert_string_equal(job.destination.url, "out/x");
    assert_int_equal(job.destination.if_exists, JOB_EXISTS_REPLACE);
    assert_string_equal(job.file_name, "{run_id}-{name}.{part}");
    assert_int_equal(job.max_rows, 10);
    assert_int_equal(job.max_bytes, 1000);
    assert_string_equal(job.rejects_path, "jobs/bad/r.jsonl");
    assert_true(job.budget.is_share);
    assert_int_equal(job.budget.millionths, 2500);
    assert_string_equal(job.budget.text, "0.25%");
    const struct csv_options *csv = &job.mapping.csv;
    assert_int_equal(csv->delimiter, '\t');
    assert_int_equal(csv->quote, CSV_QUOTE_ALL);
    assert_int_equal(csv->header, CSV_HEADER_FIRST);
    assert_int_equal(csv->line_end, CSV_LINE_CRLF);
    assert_string_equal(csv->null_text, "NULL");
    assert_true(csv->newline_to_space && csv->null_character_drop && csv->formula_escape);
    assert_string_equal(csv->list_separator, ";");
    const struct identity *identity = &job.mapping.identity;
    assert_string_equal(identity->column, "Id");
    assert_int_equal(identity->path_count, 2);
    assert_string_equal(identity->paths[1].parts[0].name, "b");
    assert_int_equal(identity->multiple, IDENTITY_FIRST);
    assert_int_equal(identity->missing, IDENTITY_SKIP);
    assert_int_equal(job.mapping.column_count, 5);
    const struct column *columns = job.mapping.columns;
    assert_string_equal(columns[0].name, "Vorname");
    assert_int_equal(columns[0].path_count, 1);
    assert_false(columns[0].required);
    assert_null(columns[0].default_text);
    assert_int_equal(columns[0].type, COLUMN_TEXT);
    assert_int_equal(columns[1].path_count, 3);
    assert_string_equal(columns[1].paths[2].text, "d[0]");
    assert_string_equal(columns[1].default_text, "");
    assert_true(columns[1].required);
    assert_int_equal(columns[1].transform_count, 3);
    assert_int_equal(columns[1].transforms[2], TRANSFORM_SHA256);
    assert_int_equal(columns[2].type, COLUMN_TIMESTAMP);
    assert_int_equal(columns[2].transform_count, 0);
    assert_int_equal(columns[3].type, COLUMN_DATE);
    assert_string_equal(columns[4].constant, "y");
    assert_int_equal(columns[4].path_count, 0);
    assert_int_equal(job.warning_count, 0);
    job_free(&job);
}

static void test_yaml_forms(void **state)
{
    (void)state;
    struct job job;
    /* Byte order mark, CRLF, comments, document marks, quotes of every kind, a folded text, quoted keys. */
    load("\xEF\xBB\xBF%YAML 1.1\r\n---\r\n# comment\r\n\"name\": 'acme'\r\ndescription: >\r\n  a\r\n  b\r\n"
         "identity:\r\n  paths:\r\n  - \"a['\\u00e9']\"\r\n...\r\n",
         &job);
    assert_string_equal(job.description, "a b\n");
    assert_string_equal(job.mapping.identity.paths[0].parts[1].name, "\xC3\xA9");
    job_free(&job);
    /* Scalars are text. */
    load("name: 12\ndescription: yes\nsource: { paths: [ y, 0x10, 1_0, 2022-11-22, .inf ] }\n" JOB_ID, &job);
    assert_string_equal(job.name, "12");
    assert_string_equal(job.description, "yes");
    assert_string_equal(job.source_paths[1], "0x10");
    assert_string_equal(job.source_paths[3], "2022-11-22");
    job_free(&job);
    /* Not set: null, ~, nothing; the texts "null" and "~" are something. */
    load(
        JOB_BEGIN
        "description: ~\nsource:\ndestination: { url: null }\nfiles: { name: ~, max_bytes: }\nrejects: null\n"
        "csv: { delimiter: null, dialect: ~ }\ncolumns:\n",
        &job);
    assert_null(job.description);
    assert_null(job.destination.url);
    assert_int_equal(job.mapping.csv.delimiter, ',');
    job_free(&job);
    load(JOB_BEGIN "description: \"null\"\ncsv: { null: '~' }\ncolumns: [ { name: 'null', path: 'null', "
                   "default: 'null' } ]\n",
         &job);
    assert_string_equal(job.description, "null");
    assert_string_equal(job.mapping.csv.null_text, "~");
    assert_string_equal(job.mapping.columns[0].default_text, "null");
    job_free(&job);
    load("name: 'null'\n" JOB_ID, &job);
    assert_string_equal(job.name, "null");
    job_free(&job);
    load(JOB_BEGIN "csv: { null: null }\n", &job);
    assert_string_equal(job.mapping.csv.null_text, "");
    assert_int_equal(job.warning_count, 1);
    assert_non_null(strstr(job.warnings[0], "jobs/acme.yaml:3: csv.null: "));
    job_free(&job);
}

static void test_yaml_refusals(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "acme.yaml:1: the file is empty"},
        {"# nothing\n", "acme.yaml:1: the file is empty"},
        {"hello", "acme.yaml:1: the job file: is a text; a mapping"},
        {"- a", "acme.yaml:1: the job file: is a list; a mapping"},
        {"~", "acme.yaml:1: the job file: is a text; a mapping"},
        {"name: &x acme\n", "acme.yaml:1: name: anchors"},
        {"name: a\nsource: &x { paths: [ a ] }\n", "acme.yaml:2: source: anchors"},
        {"name: a\nsource: { paths: &p [ a ] }\n", "acme.yaml:2: source.paths: anchors"},
        {"name: a\ncolumns:\n- { path: a }\n- { path: *x }\n", "acme.yaml:4: columns[1].path: aliases"},
        {"name: a\ncolumns:\n- { path: a, fallback: [ b, !!str x ] }\n",
         "acme.yaml:3: columns[0].fallback[1]: tags"},
        {"name: ! a\n", "acme.yaml:1: name: tags"},
        {"name: a\n<<: { b: c }\n", "acme.yaml:2: <<: there is no such key"},
        {"name: a\n---\nname: b\n", "acme.yaml:2: a second document"},
        {"name: a\n...\n---\n", "acme.yaml:3: a second document"},
        {"? [ a ]\n: b\n", "acme.yaml:1: a key must be a text"},
        {"name: a\nsource:\n  ? { a: b }\n  : c\n", "acme.yaml:3: source: a key must be a text"},
        {"name: a\n\tsource: b\n", "acme.yaml:2: column 1 is not valid YAML"},
        {"name: [ a\n", "acme.yaml:2: column 1 is not valid YAML"},
        {"name: a\ndescription: a: b\n", "acme.yaml:2: column 15 is not valid YAML"},
        {"name: a\ndescription: \"\\ud800\"\n", "acme.yaml:2: column "},
        {"name: a\ndescription: \x80\n", "acme.yaml:2: is not YAML text in UTF-8"},
        {"name: a\n\ndescription: a\x01 b\n", "acme.yaml:3: is not YAML text in UTF-8"},
        {"name: [[[[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]]]\n",
         "acme.yaml:1: name[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: more than 16"},
        {"name: a\nname: a\n", "acme.yaml:2: name: stands twice, first in line 1"},
        {"name: a\nname: ~\n", "acme.yaml:2: name: stands twice, first in line 1"},
        {"name: a\ncsv: { quote: all, quote: all }\n",
         "acme.yaml:2: csv.quote: stands twice, first in line 2"},
        {"name: a\ncolumns:\n- path: a\n  path: b\n",
         "acme.yaml:4: columns[0].path: stands twice, first in line 3"},
        {"name: a\ncolumns:\n- path: a\n- path: b\n  'path': ~\n",
         "acme.yaml:5: columns[1].path: stands twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused(cases[i][0], cases[i][1]);
}

/* Behind name and identity, i.e. from line 3 on. */
static void test_key_refusals(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"nam: x\n", "3: nam: there is no such key; allowed here are name, description, account_id, mode, "},
        {"\"na\\0me\": x\n", "3: na?me: there is no such key"},
        {"source: { path: x }\n", "3: source.path: there is no such key; allowed here are paths, format, "},
        {"source.paths: [ x ]\n", "3: source.paths: there is no such key"},
        {"csv:\n\n  delimitr: x\n",
         "5: csv.delimitr: there is no such key; allowed here are dialect, delimiter, "},
        {"columns:\n- { nme: x }\n", "4: columns[0].nme: there is no such key; allowed here are name, path, "
                                     "fallback, default, constant, required, "
                                     "type, transform"},
        {"description: [ x ]\n", "3: description: is a list; one text"},
        {"description: { x: y }\n", "3: description: is a mapping; one text"},
        {"description: \"a\\0b\"\n", "3: description: holds a NUL"},
        {"source: x\n", "3: source: is a text; a mapping of keys is allowed here"},
        {"source: [ x ]\n", "3: source: is a list; a mapping"},
        {"source: { paths: x }\n", "3: source.paths: is not a list; write [ x ]"},
        {"source: { paths: { a: b } }\n", "3: source.paths: is not a list"},
        {"source:\n  paths:\n  - a\n  - ''\n", "6: source.paths[1]: is empty"},
        {"source:\n  paths:\n  - a\n  - ~\n", "6: source.paths[1]: is empty"},
        {"source:\n  paths:\n  - a\n  - [ b ]\n", "6: source.paths[1]: is a list"},
        {"source: { max_record: 0 }\n", "3: source.max_record: \"0\" is not a size from 1 to 1073741824"},
        {"source: { max_record: 2GiB }\n", "3: source.max_record: \"2GiB\" is not a size"},
        {"source: { max_record: 16 MiB }\n", "3: source.max_record: \"16 MiB\" is not a size"},
        {"source: { max_depth: 0 }\n", "3: source.max_depth: \"0\" is not a whole number from 1 to 65536"},
        {"source: { max_depth: 65537 }\n", "3: source.max_depth: \"65537\""},
        {"source: { max_depth: 010 }\n", "3: source.max_depth: \"010\""},
        {"source: { max_depth: 1K }\n", "3: source.max_depth: \"1K\""},
        {"source: { max_depth: \"10\\0\" }\n", "3: source.max_depth: \"10?\""},
        {"destination: { url: 'https://acme/x/' }\n", "3: destination.url: \"https://\" is not a kind"},
        {"destination: { url: '' }\n", "3: destination.url: is empty"},
        {"destination: { if_exists: overwrite }\n",
         "3: destination.if_exists: \"overwrite\" is not one of fail, replace"},
        {"files: { max_rows: 0 }\n", "3: files.max_rows: \"0\" is not a whole number from 1"},
        {"files: { max_rows: -1 }\n", "3: files.max_rows: \"-1\""},
        {"files: { max_rows: 5e6 }\n", "3: files.max_rows: \"5e6\""},
        {"files: { max_rows: 18446744073709551617 }\n", "3: files.max_rows: "},
        {"files: { max_bytes: 0 }\n", "3: files.max_bytes: \"0\" is not a size"},
        {"csv: { dialect: excel }\n", "3: csv.dialect: \"excel\" is not one of rfc4180, pega"},
        {"csv: { delimiter: '' }\n", "3: csv.delimiter: \"\" is not allowed"},
        {"csv: { delimiter: ',,' }\n", "3: csv.delimiter: \",,\""},
        {"csv: { delimiter: '\\t' }\n", "3: csv.delimiter: \"\\t\""},
        {"csv: { delimiter: '\"' }\n", "3: csv.delimiter: "},
        {"csv: { delimiter: \"\\n\" }\n", "3: csv.delimiter: "},
        {"csv: { delimiter: \"\\r\" }\n", "3: csv.delimiter: "},
        {"csv: { delimiter: \"\\0\" }\n", "3: csv.delimiter: holds a NUL"},
        {"csv: { delimiter: § }\n", "3: csv.delimiter: \"§\""},
        {"csv: { quote: All }\n", "3: csv.quote: \"All\" is not one of necessary, all"},
        {"csv: { quote: \"necessary, all\" }\n", "3: csv.quote: \"necessary, all\" is not one of"},
        {"csv: { quote: '' }\n", "3: csv.quote: \"\" is not one of"},
        {"csv: { header: yes }\n", "3: csv.header: \"yes\" is not one of every, first, none"},
        {"csv: { line_end: cr }\n", "3: csv.line_end: \"cr\" is not one of lf, crlf"},
        {"csv: { newline_in_value: drop }\n", "3: csv.newline_in_value: \"drop\" is not one of keep, space"},
        {"csv: { null_character: keep }\n", "3: csv.null_character: \"keep\" is not one of reject, drop"},
        {"csv: { null: \"\\0\" }\n", "3: csv.null: holds a NUL"},
        {"csv: { formula_escape: yes }\n", "3: csv.formula_escape: \"yes\" is not one of true, false"},
        {"csv: { formula_escape: True }\n", "3: csv.formula_escape: \"True\" is not one of true, false"},
        {"csv: { formula_escape: 'true' }\n",
         "3: csv.formula_escape: the text \"true\" is not one of true, false"},
        {"csv: { formula_escape: 1 }\n", "3: csv.formula_escape: \"1\""},
        {"rejects: { path: '' }\n", "3: rejects.path: \"\" is not the path of a file"},
        {"rejects: { path: a/ }\n", "3: rejects.path: \"a/\" is not the path of a file"},
        {"rejects: { max: 1.5 }\n", "3: rejects.max: \"1.5\" is not allowed"},
        {"rejects: { max: 101% }\n", "3: rejects.max: \"101%\" is not allowed"},
        {"rejects: { max: many }\n", "3: rejects.max: \"many\" is not allowed"},
        {"columns: { path: x }\n", "3: columns: is not a list of columns"},
        {"columns: [ x ]\n", "3: columns[0]: is a text; a mapping"},
        {"columns:\n- ~\n", "4: columns[0]: is a text; a mapping"},
        {"columns:\n- { name: x }\n", "4: columns[0]: needs a path or a constant"},
        {"columns:\n- {}\n", "4: columns[0]: needs a path or a constant"},
        {"columns:\n- { name: x, path: ~ }\n", "4: columns[0]: needs a path or a constant"},
        {"columns:\n- { name: x, fallback: [ y ] }\n", "4: columns[0]: has a fallback, but no path"},
        {"columns:\n- { constant: x }\n", "4: columns[0]: has no name; a constant"},
        {"columns:\n- name: x\n  constant: x\n  path: y\n",
         "6: columns[0].path: can't stand beside constant"},
        {"columns:\n- { name: x, constant: x, fallback: [ y ] }\n",
         "4: columns[0].fallback: can't stand beside"},
        {"columns:\n- { name: x, constant: x, transform: [] }\n",
         "4: columns[0].transform: can't stand beside"},
        {"columns:\n- { name: x, constant: x, type: text }\n", "4: columns[0].type: can't stand beside"},
        {"columns:\n- { name: x, constant: x, required: false }\n",
         "4: columns[0].required: can't stand beside"},
        {"columns:\n- { name: x, constant: x, default: y }\n", "4: columns[0].default: can't stand beside"},
        {"columns:\n- { path: a }\n- { path: a }\n",
         "5: columns[1].name: \"a\" is the header of columns[0] already"},
        {"columns:\n- { path: a.b }\n- path: c\n  name: a_b\n",
         "6: columns[1].name: \"a_b\" is the header of columns[0] already"},
        {"columns:\n- { path: a, name: CustomerID }\n",
         "4: columns[0].name: \"CustomerID\" is the header of the identity column already"},
        {"columns:\n- { path: a, name: '' }\n", "4: columns[0].name: is empty"},
        {"columns:\n- { path: a, name: \"a\\nb\" }\n", "4: columns[0].name: \"a?b\" holds a control"},
        {"columns:\n- { path: a, name: \"a\\x85b\" }\n", "4: columns[0].name: "},
        {"columns:\n- { path: \"['a\\\\nb']\" }\n",
         "4: columns[0].name (made from the path): \"a?b\" holds a control"},
        {"columns:\n- { path: \"['a\\\\u0000b']\" }\n",
         "4: columns[0].name (made from the path): \"a?b\" holds a"},
        {"columns:\n- { path: '[0]', name: x }\n- { path: '[*]' }\n",
         "5: columns[1].name (made from the path): is empty"},
        {"columns:\n- { path: a..b }\n",
         "4: columns[0].path: path \"a..b\", character 3: \"..\" is not supported"},
        {"columns:\n- { path: [ a ] }\n", "4: columns[0].path: is a list"},
        {"columns:\n- path: a\n  fallback:\n  - b\n  - 'c['\n",
         "7: columns[0].fallback[1]: path \"c[\", character 3:"},
        {"columns:\n- { path: a, fallback: b }\n", "4: columns[0].fallback: is not a list; write [ b ]"},
        {"columns:\n- { path: a, fallback: [b,b,b,b,b,b,b,b,b,b,b,b,b,b,b,b,b] }\n",
         "4: columns[0].fallback[16]: is one too many; at most 16"},
        {"columns:\n- { path: a, type: time }\n",
         "4: columns[0].type: \"time\" is not one of text, timestamp, date"},
        {"columns:\n- { path: a, transform: trim }\n",
         "4: columns[0].transform: is not a list; write [ trim ]"},
        {"columns:\n- { path: a, transform: [ trim, md5 ] }\n",
         "4: columns[0].transform[1]: \"md5\" is not one of trim, lower, upper, sha256"},
        {"columns:\n- { path: a, transform: [trim,trim,trim,trim,trim,trim,trim,trim,trim] }\n",
         "4: columns[0].transform[8]: is one too many; at most 8"},
        {"columns:\n- { path: a, type: date, transform: [ trim, sha256 ] }\n",
         "4: columns[0]: sha256 makes a text"},
        {"columns:\n- { path: a, required: 1 }\n", "4: columns[0].required: \"1\" is not one of true, false"},
        {"columns:\n- { path: a, default: \"\\0\" }\n", "4: columns[0].default: holds a NUL"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512], message[512];
        snprintf(text, sizeof text, JOB_BEGIN "%s", cases[i][0]);
        snprintf(message, sizeof message, "acme.yaml:%s", cases[i][1]);
        refused(text, message);
    }
}

static void test_names(void **state)
{
    (void)state;
    char text[256], name[66];
    memset(name, 'a', sizeof name - 1);
    name[65] = '\0';
    static const char *const bad[] = {"-a", "_a", "a b", "a.b", "''", "\xC3\xA9", "a/b", "\"a\\n\""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "name: %s\n" JOB_ID, bad[i]);
        refused(text, "acme.yaml:1: name: \"");
    }
    snprintf(text, sizeof text, "name: %s\n" JOB_ID, name);
    refused(text, "acme.yaml:1: name: \"");
    struct job job;
    snprintf(text, sizeof text, "name: %s\n" JOB_ID, name + 1);
    load(text, &job);
    job_free(&job);
    refused("\n" JOB_ID, "acme.yaml:2: name: is missing");
    refused("name:\n" JOB_ID, "acme.yaml:1: name: is missing");
    refused("name: a\n", "acme.yaml:1: columns: there is nothing to write");
    refused("name: a\ncolumns: []\nidentity: ~\n", "acme.yaml:1: columns: there is nothing to write");
    refused("name: a\nidentity: {}\n", "acme.yaml:2: identity.paths: is missing");
    refused("name: a\nidentity: { paths: [] }\n", "acme.yaml:2: identity.paths: is missing");
    refused("name: a\nidentity: { column: X }\n", "acme.yaml:2: identity.paths: is missing");
    refused("name: a\nidentity:\n  paths: [ a, 'b[' ]\n", "acme.yaml:3: identity.paths[1]: path \"b[\"");
    refused("name: a\nidentity: { column: '', paths: [ a ] }\n", "acme.yaml:2: identity.column: is empty");
    refused("name: a\nidentity: { paths: [ a ], multiple: all }\n",
            "acme.yaml:2: identity.multiple: \"all\" is not one of primary, first, explode");
    refused("name: a\ncolumns: [ { path: b, name: X } ]\nidentity: { column: X, paths: [ a ] }\n",
            "acme.yaml:2: columns[0].name: \"X\" is the header of the identity column already");
    load("name: a\ncolumns: [ { path: b } ]\n", &job);
    assert_null(job.mapping.identity.column);
    job_free(&job);
}

static void test_later(void **state)
{
    (void)state;
    struct job job;
    load(JOB_BEGIN
         "mode: full\naccount_id: ~\nincremental: { state: null, deletes: purge }\n"
         "source: { format: auto, on_corrupt: fail }\n"
         "destination: { region: ~, endpoint: null, addressing: auto, sse: none, kms_key_id: null,\n"
         "  storage_class: null, acl: null, tags: {}, checksum: crc64nvme }\n"
         "alerts: ~\n",
         &job);
    job_free(&job);
    static const char *const cases[][2] = {
        {"mode: incremental\n", "3: mode: not supported yet; leave it out, or set it to its default full"},
        {"mode: fast\n", "3: mode: \"fast\" is not one of full, incremental"},
        {"mode: [ full ]\n", "3: mode: is a list"},
        {"incremental: { state: /x }\n", "3: incremental.state: not supported yet"},
        {"incremental: { deletes: none }\n", "3: incremental.deletes: not supported yet"},
        {"source: { format: csv }\n", "3: source.format: \"csv\" is not one of auto, ndjson, "},
        {"alerts:\n  url: x\n", "3: alerts: not supported yet"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512], message[512];
        snprintf(text, sizeof text, JOB_BEGIN "%s", cases[i][0]);
        snprintf(message, sizeof message, "acme.yaml:%s", cases[i][1]);
        refused(text, message);
    }
}

static void test_source(void **state)
{
    (void)state;
    struct job job;
    load(JOB_BEGIN, &job);
    assert_true(job.format == FORM_CHOICE_AUTO && !job.forgives_damage);
    job_free(&job);
    load(JOB_BEGIN "source: { format: auto, on_corrupt: fail }\n", &job);
    assert_true(job.format == FORM_CHOICE_AUTO && !job.forgives_damage);
    job_free(&job);
    load(JOB_BEGIN "source: { format: ndjson, on_corrupt: skip_rest }\n", &job);
    assert_true(job.format == FORM_CHOICE_NDJSON && job.forgives_damage);
    job_free(&job);
    refused(JOB_BEGIN "source: { on_corrupt: skip }\n",
            "acme.yaml:3: source.on_corrupt: \"skip\" is not one of fail, skip_rest");
}

/* Where newlines in values become blanks, the job's own texts hold none. */
static void test_newlines_in_texts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "csv: { %s, null: \"a\\nb\" }\n", "csv: { %s }\ncolumns: [ { name: c, constant: \"\\r\" } ]\n",
        "columns: [ { path: a }, { path: b, default: \"\\r\\n\" } ]\ncsv: { %s }\n"};
    static const char *const messages[] = {"3: csv.null: holds a CR or LF, which csv.newline_in_value: space",
                                           "4: columns[0].constant: holds a CR or LF",
                                           "3: columns[1].default: holds a CR or LF"};
    static const char *const options[] = {"newline_in_value: space", "dialect: pega",
                                          "dialect: pega, newline_in_value: keep", "quote: all"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        for (size_t k = 0; k < sizeof options / sizeof *options; k++) {
            struct job job;
            char text[256], whole[512];
            snprintf(text, sizeof text, texts[i], options[k]);
            snprintf(whole, sizeof whole, JOB_BEGIN "%s", text);
            if (k < 2) {
                refused_behind(text, messages[i]);
            } else {
                load(whole, &job);
                job_free(&job);
            }
        }
    }
}

static void test_files(void **state)
{
    (void)state;
    struct job job;
    struct fault fault = {0};
    char folder[] = "/tmp/penstock-test-job-XXXXXX", file[64];
    assert_non_null(mkdtemp(folder));
    assert_int_equal(job_load(folder, &job, &fault), STATUS_JOB);
    assert_non_null(strstr(fault.message, "can't be read: Is a directory"));
    snprintf(file, sizeof file, "%s/job.yaml", folder);
    assert_int_equal(job_load(file, &job, &fault), STATUS_JOB);
    assert_int_equal(strncmp(fault.message, file, strlen(file)), 0);
    assert_non_null(strstr(fault.message, "No such file"));
    job_free(&job);
    FILE *stream = fopen(file, "w");
    assert_non_null(stream);
    fputs(JOB_BEGIN "rejects: { path: r.jsonl }\n", stream);
    fclose(stream);
    assert_int_equal(job_load(file, &job, &fault), STATUS_OK);
    assert_string_equal(job.file, file);
    assert_int_equal(strncmp(job.rejects_path, folder, strlen(folder)), 0);
    job_free(&job);
    /* Exactly the largest file, then one byte more. */
    assert_int_equal(truncate(file, 0), 0);
    stream = fopen(file, "w");
    assert_non_null(stream);
    long written = fputs(JOB_BEGIN "#", stream) >= 0 ? ftell(stream) : 0;
    for (; written < (long)JOB_FILE_BYTES_MAX; written++)
        fputc('x', stream);
    fclose(stream);
    assert_int_equal(job_load(file, &job, &fault), STATUS_OK);
    job_free(&job);
    stream = fopen(file, "a");
    assert_non_null(stream);
    fputc('x', stream);
    fclose(stream);
    assert_int_equal(job_load(file, &job, &fault), STATUS_JOB);
    assert_non_null(strstr(fault.message, "too large; at most 4194304 bytes"));
    unlink(file);
    rmdir(folder);
}

static void test_many_nodes(void **state)
{
    (void)state;
    static const char head[] = JOB_BEGIN "source: { paths: [";
    size_t const count = JOB_NODES_MAX + 1, room = sizeof head + 2 * count + 8;
    char *text = malloc(room);
    assert_non_null(text);
    size_t used = (size_t)snprintf(text, room, "%s", head);
    for (size_t i = 0; i < count; i++) {
        memcpy(text + used, "a,", 2);
        used += 2;
        if (i + 1 == JOB_SOURCES_MAX) {
            struct job job;
            snprintf(text + used, room - used, "] }\n");
            load(text, &job);
            assert_int_equal(job.source_count, JOB_SOURCES_MAX);
            job_free(&job);
        }
        if (i == JOB_SOURCES_MAX) {
            snprintf(text + used, room - used, "] }\n");
            refused(text, "acme.yaml:3: source.paths[100000]: is one too many; at most 100000");
        }
    }
    snprintf(text + used, room - used, "] }\n");
    refused(text, "acme.yaml:3: source.paths[199988]: more than 200000 values");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_yaml_forms),
        cmocka_unit_test(test_yaml_refusals),
        cmocka_unit_test(test_key_refusals),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_later),
        cmocka_unit_test(test_source),
        cmocka_unit_test(test_newlines_in_texts),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_many_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
