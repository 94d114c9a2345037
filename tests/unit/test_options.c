/* test_options.c - the command line, the environment and their precedence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/cli/help.h"
#include "io/cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX 16

/* One parse: its options, its fault, and what it was given. */
struct line {
    struct options options;
    struct fault fault;
    enum status status;
};

static const char *lookup(void *context, const char *name)
{
    const char *const *pairs = context;
    for (; pairs != NULL && *pairs != NULL; pairs += 2)
        if (strcmp(pairs[0], name) == 0) return pairs[1];
    return NULL;
}

static void parse_in(struct line *line, const char *const *environment, const char *const *arguments)
{
    char *argv[ARGUMENTS_MAX + 2] = {(char *)"penstock"};
    int argc = 1;
    for (; arguments[argc - 1] != NULL; argc++) {
        assert_true(argc < ARGUMENTS_MAX);
        argv[argc] = (char *)arguments[argc - 1];
    }
    memset(line, 0xA5, sizeof *line);
    line->fault.message[0] = '\0';
    line->status = options_parse(argc, argv, lookup, (void *)environment, &line->options, &line->fault);
}

#define ENVIRONMENT(...) ((const char *const[]){__VA_ARGS__, NULL})
#define ARGUMENTS(...)   ((const char *const[]){__VA_ARGS__, NULL})
#define PARSE(line, ...) parse_in(line, NULL, ARGUMENTS(__VA_ARGS__))

/* The line is refused with `part` in its message. */
static void refused(const char *const *environment, const char *const *arguments, const char *part)
{
    struct line line;
    parse_in(&line, environment, arguments);
    if (line.status != STATUS_USAGE || strstr(line.fault.message, part) == NULL)
        fail_msg("status %d, message \"%s\" lacks \"%s\"", (int)line.status, line.fault.message, part);
    assert_int_equal(line.fault.status, STATUS_USAGE);
    assert_non_null(strstr(line.fault.message, "--help`)"));
    options_free(&line.options);
}
#define REFUSED(part, ...)                 refused(NULL, ARGUMENTS(__VA_ARGS__), part)
#define REFUSED_IN(environment, part, ...) refused(environment, ARGUMENTS(__VA_ARGS__), part)

static void test_defaults(void **state)
{
    (void)state;
    struct line line;
    PARSE(&line, "export", "-j", "job.yaml");
    assert_int_equal(line.status, STATUS_OK);
    assert_int_equal(line.options.action, OPTIONS_RUN);
    assert_int_equal(line.options.command, COMMAND_EXPORT);
    assert_string_equal(line.options.job, "job.yaml");
    assert_int_equal(line.options.source_count, 0);
    assert_null(line.options.to);
    assert_int_equal(line.options.threads, 0);
    assert_int_equal(line.options.memory_limit, 0);
    assert_int_equal(line.options.shard_size, 1024 * 1024);
    assert_int_equal(line.options.progress, OPTIONS_PROGRESS_AUTO);
    assert_int_equal(line.options.input_mode, OPTIONS_INPUT_AUTO);
    assert_int_equal(line.options.log_format, LOG_FORMAT_TEXT);
    assert_int_equal(line.options.verbosity, OPTIONS_USUAL);
    for (int i = 0; i < OPTION_COUNT; i++)
        assert_int_equal(options_is_set(&line.options, (enum option_id)i), i == OPTION_JOB);
    options_free(&line.options);
}

static void test_every_flag(void **state)
{
    (void)state;
    struct line line;
    PARSE(&line, "export", "--job=j.yaml", "a", "--to", "out/", "--threads=1024", "--memory-limit", "64MiB",
          "b", "--run-time", "2026-11-22T03:00:00.9+01:00", "--run-id", "nightly-1_a.b");
    assert_int_equal(line.status, STATUS_OK);
    assert_int_equal(line.options.source_count, 2);
    assert_string_equal(line.options.sources[0], "a");
    assert_string_equal(line.options.sources[1], "b");
    assert_string_equal(line.options.to, "out/");
    assert_int_equal(line.options.threads, 1024);
    assert_int_equal(line.options.memory_limit, 64 * 1024 * 1024);
    assert_int_equal(line.options.run_time, 1795312800);
    assert_true(options_is_set(&line.options, OPTION_RUN_TIME));
    assert_string_equal(line.options.run_id, "nightly-1_a.b");
    options_free(&line.options);

    PARSE(&line, "export", "-j", "j", "--report", "-", "--rejects=r", "--max-rejects", "0.5%",
          "--progress=none", "--log-format=json", "-v", "--input-mode=read", "--shard-size=1");
    assert_int_equal(line.status, STATUS_OK);
    assert_string_equal(line.options.report, "-");
    assert_string_equal(line.options.rejects, "r");
    assert_true(line.options.max_rejects.is_share);
    assert_int_equal(line.options.max_rejects.millionths, 5000);
    assert_int_equal(line.options.progress, OPTIONS_PROGRESS_NONE);
    assert_int_equal(line.options.log_format, LOG_FORMAT_JSON);
    assert_int_equal(line.options.verbosity, OPTIONS_VERBOSE);
    assert_int_equal(line.options.input_mode, OPTIONS_INPUT_READ);
    assert_int_equal(line.options.shard_size, 1);
    options_free(&line.options);
}

static void test_short_form(void **state)
{
    (void)state;
    struct line line;
    PARSE(&line, "export", "d.ndjson", "--column", "B=a.b", "--id", "identityMap.X",
          "--column=A=x[?@.k == 1]", "--to=o");
    assert_int_equal(line.status, STATUS_OK);
    assert_null(line.options.job);
    assert_string_equal(line.options.id, "identityMap.X");
    assert_int_equal(line.options.column_count, 2);
    assert_string_equal(line.options.columns[0].name, "B");
    assert_string_equal(line.options.columns[0].path, "a.b");
    assert_string_equal(line.options.columns[1].name, "A");
    assert_string_equal(line.options.columns[1].path, "x[?@.k == 1]");
    options_free(&line.options);
    /* --id alone and --column alone say it all */
    PARSE(&line, "export", "d", "--id=a", "--to=o");
    assert_int_equal(line.status, STATUS_OK);
    options_free(&line.options);
    PARSE(&line, "export", "d", "--column=A=a", "--to=o");
    assert_int_equal(line.status, STATUS_OK);
    options_free(&line.options);

    REFUSED("--job can't stand together with --id", "export", "-j", "x", "--id=a", "d", "--to=o");
    REFUSED("together with --column", "export", "--column=A=a", "d", "--to=o", "-j", "x");
    REFUSED("no job", "export", "d", "--to=o");
    REFUSED("no source", "export", "--id=a", "--to=o");
    REFUSED("no destination", "export", "--id=a", "d");
    REFUSED("not a column", "export", "--column", "A");
    REFUSED("not a column", "export", "--column", "=a");
    REFUSED("not a column", "export", "--column", "A=");
}

static void test_too_many_columns(void **state)
{
    (void)state;
    enum { COUNT = MAPPING_COLUMNS_MAX + 1 };
    char **const argv = calloc(COUNT + 5, sizeof *argv);
    struct options options;
    struct fault fault;
    assert_non_null(argv);
    int argc = 0;
    argv[argc++] = (char *)"penstock";
    argv[argc++] = (char *)"export";
    argv[argc++] = (char *)"d";
    argv[argc++] = (char *)"--to=o";
    for (int i = 0; i < COUNT; i++)
        argv[argc++] = (char *)"--column=A=a";
    assert_int_equal(options_parse(argc, argv, lookup, NULL, &options, &fault), STATUS_USAGE);
    assert_non_null(strstr(fault.message, "allowed: 500"));
    options_free(&options);
    assert_int_equal(options_parse(argc - 1, argv, lookup, NULL, &options, &fault), STATUS_OK);
    assert_int_equal(options.column_count, MAPPING_COLUMNS_MAX);
    options_free(&options);
    free(argv);
}

static void test_forms(void **state)
{
    (void)state;
    struct line line;
    static const char *const spellings[][4] = {
        {"-jx", NULL},        {"-j", "x", NULL}, {"-j=x", NULL},
        {"--job", "x", NULL}, {"--job=x", NULL}, {"-vjx", NULL},
    };
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        const char *const *const s = spellings[i];
        PARSE(&line, "export", s[0], s[1], s[1] != NULL ? s[2] : NULL);
        assert_int_equal(line.status, STATUS_OK);
        assert_string_equal(line.options.job, "x");
        options_free(&line.options);
    }
    /* -- ends the flags, a lone - is a source, the last of two counts, = in a value stays */
    PARSE(&line, "export", "-j", "x", "-", "--to=a=b", "--to", "c=d", "--", "--to", "-v", "--");
    assert_int_equal(line.status, STATUS_OK);
    assert_int_equal(line.options.source_count, 4);
    assert_string_equal(line.options.sources[0], "-");
    assert_string_equal(line.options.sources[1], "--to");
    assert_string_equal(line.options.sources[3], "--");
    assert_string_equal(line.options.to, "c=d");
    assert_int_equal(line.options.verbosity, OPTIONS_USUAL);
    options_free(&line.options);

    PARSE(&line, "export", "-jx", "-vq");
    assert_int_equal(line.options.verbosity, OPTIONS_QUIET);
    options_free(&line.options);
    PARSE(&line, "export", "-jx", "-qvv");
    assert_int_equal(line.options.verbosity, OPTIONS_VERBOSE);
    options_free(&line.options);
    PARSE(&line, "export", "-jx", "--to=--odd");
    assert_string_equal(line.options.to, "--odd");
    options_free(&line.options);

    REFUSED("-j needs a value: -j FILE", "export", "-j");
    REFUSED("--to needs a value: --to URL", "export", "-jx", "--to");
    REFUSED("write --to=VALUE", "export", "-jx", "--to", "--threads", "3");
    REFUSED("write --job=VALUE", "export", "-j", "-v");
    REFUSED("--verbose takes no value", "export", "-jx", "--verbose=1");
    REFUSED("-q takes no value", "export", "-jx", "-q=1");
    REFUSED("the value is empty", "export", "-jx", "--to=");
    REFUSED("the value is empty", "export", "-j", "");
    REFUSED("the value is empty", "export", "-j=");
    REFUSED("SOURCE: the value is empty", "export", "-jx", "");
}

static void test_unknown(void **state)
{
    (void)state;
    struct line line;
    REFUSED("no command given", NULL);
    REFUSED("did you mean 'export'", "exprot");
    REFUSED("is not a command", "");
    REFUSED("is not a command; the command comes first", "dump.ndjson");
    REFUSED("comes before its flags", "-v", "export");
    REFUSED("comes before its flags", "--", "export");
    REFUSED("unknown flag --thread; did you mean --threads?", "export", "--thread=3");
    REFUSED("did you mean --max-rejects?", "export", "--max-reject", "3");
    REFUSED("did you mean --memory-limit?", "export", "--memorylimit", "3");
    REFUSED("did you mean --run-id?", "export", "--runid=3");
    REFUSED("unknown flag --xyzzy (see", "export", "--xyzzy");
    REFUSED("unknown flag -- (see", "export", "--==");
    REFUSED("unknown flag -x (see", "export", "-x");
    REFUSED("unknown flag -x in -vx", "export", "-vx");
    REFUSED("--older-than is not a flag of export", "export", "--older-than", "3d");
    REFUSED("see `penstock export --help`", "export", "--xyzzy");
    REFUSED("see `penstock --help`", "xyzzy");
    REFUSED(
        "unknown flag --aaaa", "export",
        "--"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaa");
    /* what stands behind the = may be a secret */
    PARSE(&line, "export", "--secret-key=hunter2");
    assert_int_equal(line.status, STATUS_USAGE);
    assert_null(strstr(line.fault.message, "hunter2"));
    options_free(&line.options);
}

static void test_later(void **state)
{
    (void)state;
    struct line line;
    static const char *const later[] = {"commit", "schedule"};
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        REFUSED("is not supported yet in this version", later[i]);
        REFUSED("is not supported yet in this version", later[i], "--anything", "--", "--help");
        PARSE(&line, later[i], "x", "--help");
        assert_int_equal(line.status, STATUS_OK);
        assert_int_equal(line.options.action, OPTIONS_HELP_LONG);
        assert_int_equal(line.options.command, options_find_command(later[i]));
        options_free(&line.options);
    }
    static const char *const flags[] = {"--resume",        "--journal=x",    "--metrics=x",
                                        "--array-index=1", "--array-size=2", "--array-size"};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        REFUSED("is not supported yet in this version", "export", "-jx", flags[i]);
    REFUSED("'bar' is not supported yet", "export", "-jx", "--progress", "bar");
    REFUSED("'plain' is not supported yet", "export", "-jx", "--progress", "plain");
    REFUSED("'json' is not supported yet in this version; supported: auto, none", "export",
            "--progress=json");
    REFUSED("'xml' is not allowed; allowed: text, json", "export", "-jx", "--log-format=xml");
    REFUSED("'aut' is not allowed; allowed: auto, mmap, read, direct", "export", "-jx", "--input-mode=aut");
    REFUSED("'auto|mmap' is not allowed", "export", "-jx", "--input-mode=auto|mmap");
}

static void test_check(void **state)
{
    (void)state;
    struct line line;
    PARSE(&line, "check", "-j", "x", "a", "--sample=1000", "--no-values", "--to=s3://bucket/p/",
          "--connections=4", "--part-size=8MiB", "--strict");
    assert_int_equal(line.status, STATUS_OK);
    assert_int_equal(line.options.command, COMMAND_CHECK);
    assert_true(line.options.strict);
    assert_int_equal(line.options.sample, 1000);
    assert_true(line.options.no_values);
    assert_int_equal(line.options.connections, 4);
    assert_int_equal(line.options.part_size, 8 * 1024 * 1024);
    assert_int_equal(line.options.source_count, 1);
    options_free(&line.options);
    PARSE(&line, "check", "-j", "x");
    assert_int_equal(line.options.sample, 0);
    assert_false(line.options.no_values);
    options_free(&line.options);
    parse_in(&line, ENVIRONMENT("PENSTOCK_SAMPLE", "7", "PENSTOCK_NO_VALUES", "0"),
             ARGUMENTS("check", "-j", "x"));
    assert_int_equal(line.options.sample, 7);
    assert_false(line.options.no_values);
    options_free(&line.options);
    REFUSED("a whole number from 1 to 4294967295", "check", "-jx", "--sample=0");
    REFUSED("a whole number from 1", "check", "-jx", "--sample", "1k");
    REFUSED("--sample is not a flag of export", "export", "-jx", "--sample=1");
    REFUSED("--dry-run is not a flag of check", "check", "-jx", "--dry-run");
    /* the rules of export's short form are check's */
    REFUSED("no job", "check", "d", "--to=o");
    REFUSED("no source", "check", "--id=a", "--to=o");
    REFUSED("no destination", "check", "--id=a", "d");
}

static void test_verify(void **state)
{
    (void)state;
    struct line line;
    PARSE(&line, "verify", "s3://b/m.xml");
    assert_int_equal(line.status, STATUS_OK);
    assert_int_equal(line.options.command, COMMAND_VERIFY);
    assert_null(line.options.job);
    assert_string_equal(line.options.sources[0], "s3://b/m.xml");
    options_free(&line.options);
    PARSE(&line, "verify", "-j", "a.yaml", "--report", "r.json", "--threads=3", "--memory-limit=64MiB", "-v",
          "--log-format=json", "--progress=none", "out/m.xml");
    assert_int_equal(line.status, STATUS_OK);
    assert_string_equal(line.options.job, "a.yaml");
    assert_string_equal(line.options.report, "r.json");
    assert_int_equal(line.options.threads, 3);
    options_free(&line.options);
    REFUSED("no manifest: name it", "verify");
    REFUSED("'n.xml' is a second manifest", "verify", "m.xml", "n.xml");
    REFUSED("--report can't be standard input", "verify", "--report=-", "m.xml");
    REFUSED("--to is not a flag of verify", "verify", "--to=x", "m.xml");
    REFUSED("MANIFEST_URL", "verify", "");
}

static void test_cleanup(void **state)
{
    (void)state;
    struct line line;
    static const struct {
        const char *text;
        uint64_t seconds;
    } ages[] = {{"0s", 0},      {"1s", 1},         {"90m", 5400},           {"36h", 129600},
                {"7d", 604800}, {"0007d", 604800}, {"36500d", 3153600000u}, {"3153600000s", 3153600000u}};
    for (size_t i = 0; i < sizeof ages / sizeof *ages; i++) {
        PARSE(&line, "cleanup", "s3://bucket/p/", "--older-than", ages[i].text);
        assert_int_equal(line.status, STATUS_OK);
        assert_true(options_is_set(&line.options, OPTION_OLDER_THAN));
        assert_int_equal(line.options.older_than, ages[i].seconds);
        options_free(&line.options);
    }
    PARSE(&line, "cleanup", "--dry-run", "s3://bucket");
    assert_int_equal(line.status, STATUS_OK);
    assert_true(line.options.dry_run);
    assert_false(options_is_set(&line.options, OPTION_OLDER_THAN));
    assert_string_equal(line.options.sources[0], "s3://bucket");
    options_free(&line.options);
    parse_in(&line, ENVIRONMENT("PENSTOCK_OLDER_THAN", "2h", "PENSTOCK_DRY_RUN", "1", "PENSTOCK_JOB", "j"),
             ARGUMENTS("cleanup", "s3://b/"));
    assert_int_equal(line.options.older_than, 7200);
    assert_true(line.options.dry_run);
    options_free(&line.options);

    static const char *const bad[] = {"7",   "d",   "7D", "7 d", "-7d", "+7d", "1.5h",
                                      "7dd", "7d1", "1w", "ten", " 7d", "7d ", "0x7d"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char flag[64];
        snprintf(flag, sizeof flag, "--older-than=%s", bad[i]);
        REFUSED("is not an age; allowed: a whole number with s, m, h or d", "cleanup", "s3://b/", flag);
    }
    static const char *const large[] = {"36501d", "3153600001s", "99999999999999999999d",
                                        "18446744073709551617s"};
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        REFUSED("out of range; allowed: 0s to 36500d", "cleanup", "s3://b/", "--older-than", large[i]);
    REFUSED("the value is empty", "cleanup", "s3://b/", "--older-than=");
    REFUSED("--older-than needs a value: --older-than AGE", "cleanup", "s3://b/", "--older-than");
    REFUSED("no URL: name where to look", "cleanup");
    REFUSED("no URL", "cleanup", "--older-than", "7d");
    REFUSED("'s3://c/' is a second URL", "cleanup", "s3://b/", "s3://c/");
    REFUSED("URL: the value is empty", "cleanup", "");
    REFUSED("holds credentials", "cleanup", "s3://key:secret@bucket/");
    REFUSED("--job is not a flag of cleanup", "cleanup", "--job=x", "s3://b/");
    REFUSED("see `penstock cleanup --help`", "cleanup", "s3://b/", "--xyzzy");
}

static void test_values(void **state)
{
    (void)state;
    struct line line;
    static const char *const threads[] = {
        "0", "1025", "-1", "+1", "1.0", "1x", " 1", "0x10", "99999999999999999999"};
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        char flag[64];
        snprintf(flag, sizeof flag, "--threads=%s", threads[i]);
        REFUSED("a whole number from 1 to 1024", "export", "-jx", flag);
    }
    PARSE(&line, "export", "-jx", "--threads=0001");
    assert_int_equal(line.options.threads, 1);
    options_free(&line.options);

    REFUSED("is not a size", "export", "-jx", "--memory-limit=lots");
    REFUSED("out of range", "export", "-jx", "--memory-limit=0");
    REFUSED("out of range; allowed: 1 to 1073741824 bytes", "export", "-jx", "--shard-size=1073741825");
    REFUSED("out of range", "export", "-jx", "--shard-size=0");
    PARSE(&line, "export", "-jx", "--shard-size=1GiB");
    assert_int_equal(line.options.shard_size, 1024 * 1024 * 1024);
    options_free(&line.options);

    REFUSED("a share of the input such as 0.5%", "export", "-jx", "--max-rejects=many");
    REFUSED("a share of the input", "export", "-jx", "--max-rejects=101%");
    REFUSED("can't be standard output", "export", "-jx", "--rejects=-");
    REFUSED("name the same file", "export", "-jx", "--rejects=a", "--report=a");
}

static void test_run_time(void **state)
{
    (void)state;
    struct line line;
    static const char *const good[] = {"2026-11-22T03:00:00Z",      "2026-11-22t03:00:00z",
                                       "2026-11-22 03:00:00Z",      "2026-11-22T03:00:00.123456789Z",
                                       "2026-11-22T04:00:00+01:00", "2026-11-21T22:00:00-05:00"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        PARSE(&line, "export", "-jx", "--run-time", good[i]);
        assert_int_equal(line.status, STATUS_OK);
        assert_int_equal(line.options.run_time, 1795316400);
        options_free(&line.options);
    }
    static const char *const bad[] = {"now",
                                      "2026-11-22",
                                      "2026-11-22T03:00:00",
                                      "2026-11-22T03:00Z",
                                      "2026-11-22T03:00:00+0100",
                                      "2026-11-22T03:00:00+01",
                                      "2026-11-22T03:00:00.Z",
                                      "2026-11-22T03:00:00Zx",
                                      "2026-11-22T03:00:00+01:00x",
                                      "2026-13-22T03:00:00Z",
                                      "2026-02-29T03:00:00Z",
                                      "2026-11-22T25:00:00Z",
                                      "2026-11-22T03:60:00Z",
                                      "1795316400",
                                      "2026-11-2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        REFUSED("RFC 3339 with its zone", "export", "-jx", "--run-time", bad[i]);
}

static void test_run_id(void **state)
{
    (void)state;
    struct line line;
    char id[OPTIONS_RUN_ID_MAX + 2];
    memset(id, 'a', sizeof id);
    id[OPTIONS_RUN_ID_MAX + 1] = '\0';
    REFUSED("is not a run id", "export", "-jx", "--run-id", id);
    id[OPTIONS_RUN_ID_MAX] = '\0';
    PARSE(&line, "export", "-jx", "--run-id", id);
    assert_int_equal(line.status, STATUS_OK);
    options_free(&line.options);
    static const char *const bad[] = {"a/b", "a b", "..", ".", "\xC3\xA9", "a\n", "%"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        REFUSED("is not a run id", "export", "-jx", "--run-id", bad[i]);
}

static void test_credentials(void **state)
{
    (void)state;
    struct line line;
    REFUSED("holds credentials", "export", "-jx", "s3://key:secret@bucket/x");
    REFUSED("holds credentials", "export", "-jx", "--report=https://u@h");
    PARSE(&line, "export", "-jx", "--to", "s3://key:hunter2@bucket/x");
    assert_int_equal(line.status, STATUS_USAGE);
    assert_null(strstr(line.fault.message, "hunter2"));
    options_free(&line.options);
    PARSE(&line, "export", "-jx", "s3://bucket/a@b", "./a@b", "--to=s3://bucket/a@b/");
    assert_int_equal(line.status, STATUS_OK);
    options_free(&line.options);
}

static void test_environment(void **state)
{
    (void)state;
    struct line line;
    parse_in(&line,
             ENVIRONMENT("PENSTOCK_JOB", "e.yaml", "PENSTOCK_TO", "e/", "PENSTOCK_THREADS", "3",
                         "PENSTOCK_MAX_REJECTS", "5%", "PENSTOCK_QUIET", "1", "PENSTOCK_VERBOSE", "0",
                         "PENSTOCK_INPUT_MODE", "mmap", "PENSTOCK_RESUME", "0", "PENSTOCK_SAMPLE", "nonsense",
                         "PENSTOCK_ID", "x", "PENSTOCK_COLUMN", "A=a", "PENSTOCK_HELP", "1"),
             ARGUMENTS("export", "--threads=4"));
    assert_int_equal(line.status, STATUS_OK);
    assert_string_equal(line.options.job, "e.yaml");
    assert_string_equal(line.options.to, "e/");
    assert_int_equal(line.options.threads, 4);
    assert_int_equal(line.options.origin[OPTION_THREADS], OPTIONS_FROM_FLAG);
    assert_int_equal(line.options.origin[OPTION_TO], OPTIONS_FROM_ENVIRONMENT);
    assert_int_equal(line.options.max_rejects.millionths, 50000);
    assert_int_equal(line.options.verbosity, OPTIONS_QUIET);
    assert_int_equal(line.options.input_mode, OPTIONS_INPUT_MMAP);
    assert_null(line.options.id);
    assert_int_equal(line.options.column_count, 0);
    assert_int_equal(line.options.action, OPTIONS_RUN);
    options_free(&line.options);

    /* a flag hides even a wrong variable */
    parse_in(&line, ENVIRONMENT("PENSTOCK_THREADS", "x"), ARGUMENTS("export", "-jx", "--threads=4"));
    assert_int_equal(line.status, STATUS_OK);
    options_free(&line.options);
    /* -v on the line outranks quiet in the environment, whatever the table's order */
    parse_in(&line, ENVIRONMENT("PENSTOCK_QUIET", "1"), ARGUMENTS("export", "-jx", "-v"));
    assert_int_equal(line.options.verbosity, OPTIONS_VERBOSE);
    options_free(&line.options);
    /* the columns on the line outrank the job in the environment */
    parse_in(&line, ENVIRONMENT("PENSTOCK_JOB", "e.yaml"), ARGUMENTS("export", "d", "--id=a", "--to=o"));
    assert_int_equal(line.status, STATUS_OK);
    assert_null(line.options.job);
    assert_false(options_is_set(&line.options, OPTION_JOB));
    options_free(&line.options);
}

static void test_environment_mistakes(void **state)
{
    (void)state;
    REFUSED_IN(ENVIRONMENT("PENSTOCK_THREADS", "0"), "environment variable PENSTOCK_THREADS: '0'", "export",
               "-jx");
    REFUSED_IN(ENVIRONMENT("PENSTOCK_TO", ""), "PENSTOCK_TO: the value is empty", "export", "-jx");
    REFUSED_IN(ENVIRONMENT("PENSTOCK_QUIET", "yes"), "PENSTOCK_QUIET: 'yes' is not a switch; allowed: 1 or 0",
               "export", "-jx");
    REFUSED_IN(ENVIRONMENT("PENSTOCK_QUIET", "1", "PENSTOCK_VERBOSE", "1"), "both 1", "export", "-jx");
    REFUSED_IN(ENVIRONMENT("PENSTOCK_RESUME", "1"), "PENSTOCK_RESUME: --resume is not supported yet",
               "export", "-jx");
    REFUSED_IN(ENVIRONMENT("PENSTOCK_METRICS", "m"), "PENSTOCK_METRICS", "export", "-jx");
    REFUSED_IN(ENVIRONMENT("PENSTOCK_PROGRESS", "bar"), "PENSTOCK_PROGRESS: 'bar' is not supported yet",
               "export", "-jx");
    REFUSED_IN(ENVIRONMENT("PENSTOCK_RUN_TIME", "2026"), "PENSTOCK_RUN_TIME", "export", "-jx");
}

static void test_help(void **state)
{
    (void)state;
    struct line line;
    static const struct {
        const char *arguments[3];
        enum options_action action;
        enum command command;
    } cases[] = {
        {{"-h", NULL, NULL}, OPTIONS_HELP_SHORT, COMMAND_NONE},
        {{"--help", NULL, NULL}, OPTIONS_HELP_LONG, COMMAND_NONE},
        {{"--version", "x", NULL}, OPTIONS_VERSION, COMMAND_NONE},
        {{"help", NULL, NULL}, OPTIONS_HELP_LONG, COMMAND_NONE},
        {{"help", "check", NULL}, OPTIONS_HELP_LONG, COMMAND_CHECK},
        {{"export", "-h", NULL}, OPTIONS_HELP_SHORT, COMMAND_EXPORT},
        {{"export", "-vh", NULL}, OPTIONS_HELP_SHORT, COMMAND_EXPORT},
        {{"export", "--help", "--xyzzy"}, OPTIONS_HELP_LONG, COMMAND_EXPORT},
        {{"export", "--version", NULL}, OPTIONS_VERSION, COMMAND_EXPORT},
        {{"cleanup", "-h", NULL}, OPTIONS_HELP_SHORT, COMMAND_CLEANUP},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const *const a = cases[i].arguments;
        parse_in(&line, ENVIRONMENT("PENSTOCK_THREADS", "x"),
                 ARGUMENTS(a[0], a[1], a[1] != NULL ? a[2] : NULL));
        assert_int_equal(line.status, STATUS_OK);
        assert_int_equal(line.options.action, cases[i].action);
        assert_int_equal(line.options.command, cases[i].command);
        options_free(&line.options);
    }
    REFUSED("--help takes no value", "export", "--help=1");
    REFUSED("is not a command", "help", "xyzzy");
    REFUSED("unknown flag --xyzzy", "export", "--xyzzy", "--help");
}

/* Every flag of a command is in its long help; no line of any help passes 100 columns. */
static void test_help_text(void **state)
{
    (void)state;
    for (int c = COMMAND_NONE; c < COMMAND_COUNT; c++) {
        for (int action = OPTIONS_HELP_SHORT; action <= OPTIONS_VERSION; action++) {
            struct options const options = {.action = (enum options_action)action,
                                            .command = (enum command)c};
            char *text = NULL;
            size_t size = 0;
            FILE *const out = open_memstream(&text, &size);
            assert_non_null(out);
            help_write(out, &options, "1.2.3");
            assert_int_equal(fclose(out), 0);
            if (action == OPTIONS_VERSION) assert_string_equal(text, "penstock 1.2.3\n");
            for (int i = 0; i < OPTION_COUNT && action == OPTIONS_HELP_LONG; i++) {
                char flag[64];
                snprintf(flag, sizeof flag, "--%s", options_row((enum option_id)i)->name);
                if (options_belongs((enum option_id)i, (enum command)c)) assert_non_null(strstr(text, flag));
            }
            for (const char *at = text; *at != '\0'; at += strcspn(at, "\n") + 1)
                assert_true(strcspn(at, "\n") <= 100);
            free(text);
        }
    }
}

/* What the parser takes for granted of the table. */
static void test_table(void **state)
{
    (void)state;
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *const row = options_row((enum option_id)i);
        char name[OPTIONS_VARIABLE_MAX];
        options_variable((enum option_id)i, name);
        assert_int_equal(strlen(name), strlen("PENSTOCK_") + strlen(row->name));
        assert_true(row->support[0] == '|' || strcmp(row->support, "now") == 0 ||
                    strcmp(row->support, "later") == 0);
        bool const bare = row->kind == OPTION_KIND_SWITCH || row->kind == OPTION_KIND_HELP ||
                          row->kind == OPTION_KIND_VERSION;
        assert_int_equal(bare, row->argument[0] == '\0');
        for (int j = 0; j < i; j++) {
            const struct option_row *const other = options_row((enum option_id)j);
            if (strpbrk(row->commands, other->commands) == NULL) continue;
            assert_string_not_equal(row->name, other->name);
            if (row->letter != 0) assert_int_not_equal(row->letter, other->letter);
        }
    }
    char name[OPTIONS_VARIABLE_MAX];
    options_variable(OPTION_MAX_REJECTS, name);
    assert_string_equal(name, "PENSTOCK_MAX_REJECTS");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),    cmocka_unit_test(test_every_flag),
        cmocka_unit_test(test_short_form),  cmocka_unit_test(test_too_many_columns),
        cmocka_unit_test(test_forms),       cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_later),       cmocka_unit_test(test_check),
        cmocka_unit_test(test_verify),      cmocka_unit_test(test_cleanup),
        cmocka_unit_test(test_values),      cmocka_unit_test(test_run_time),
        cmocka_unit_test(test_run_id),      cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_environment), cmocka_unit_test(test_environment_mistakes),
        cmocka_unit_test(test_help),        cmocka_unit_test(test_help_text),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
