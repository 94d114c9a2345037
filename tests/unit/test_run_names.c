/* test_run_names.c - what a run's files are called, from the job's keys. */
#include "tests/unit/job_desk.h"

#include "io/cli/run_names.h"

#include <string.h>

/* A run of `text`, to the job's own URL. The caller frees with close_run(). */
static void open_run(struct run *run, const char *text)
{
    *run = (struct run){.run_id = "0123456789abcdef", .run_time = 1795316400};
    load(text, &run->job);
    const char *url = run->job.destination.url != NULL ? run->job.destination.url : "out";
    assert_int_equal(job_names_check(&run->job, url, true, NULL), STATUS_OK);
    assert_true(output_place_split(&run->arena, url, &run->place));
}

static void close_run(struct run *run)
{
    arena_free(&run->arena);
    job_free(&run->job);
}

static void names_one_stream(void **state)
{
    (void)state;
    struct run run;
    char out[OUTPUT_NAME_SIZE];
    open_run(&run, JOB_BEGIN "files: { compression: gzip }\npega: { path_prefix: \"Data/{name}/\" }\n");
    assert_int_equal(run_stream_count(&run), 1);
    assert_int_equal(run_file_name(&run, 0, 3, out, NULL), STATUS_OK);
    assert_string_equal(out, "acme_20261122T030000Z_0003.csv.gz");
    assert_int_equal(run_manifest_name(&run, 0, out, NULL), STATUS_OK);
    assert_string_equal(out, "acme_20261122T030000Z.xml");
    assert_int_equal(run_token_name(&run, "x/acme.xml", out, NULL), STATUS_OK);
    assert_string_equal(out, "x/acme.xml.TOK");
    assert_int_equal(run_path_prefix(&run, 0, out, NULL), STATUS_OK);
    assert_string_equal(out, "Data/acme/");
    assert_int_equal(run_names_check(&run, NULL), STATUS_OK);
    assert_string_equal(run_names_bare("a/b/c.csv"), "c.csv");
    assert_string_equal(run_names_bare("c.csv"), "c.csv");
    close_run(&run);
}

static void names_streams_of_segments(void **state)
{
    (void)state;
    struct run run;
    char out[OUTPUT_NAME_SIZE];
    open_run(&run,
             JOB_BEGIN "segments: { ids: [ a, b ], names: { b: loyal }, split: true }\n"
                       "destination: { url: \"s3://acme-pega/x/{segment_name}/y\" }\n"
                       "pega: { path_prefix: \"{segment_id}/\", token: { replace_extension: true } }\n");
    assert_int_equal(run_stream_count(&run), 2);
    assert_string_equal(run.place.base, "s3://acme-pega/x/");
    assert_int_equal(run_file_name(&run, 0, 1, out, NULL), STATUS_OK);
    assert_string_equal(out, "a/y/acme_20261122T030000Z_0001.csv");
    assert_int_equal(run_manifest_name(&run, 1, out, NULL), STATUS_OK);
    assert_string_equal(out, "loyal/y/acme_20261122T030000Z.xml");
    char token[OUTPUT_NAME_SIZE];
    assert_int_equal(run_token_name(&run, out, token, NULL), STATUS_OK);
    assert_string_equal(token, "loyal/y/acme_20261122T030000Z.TOK");
    assert_int_equal(run_path_prefix(&run, 1, out, NULL), STATUS_OK);
    assert_string_equal(out, "b/");
    assert_int_equal(run_names_check(&run, NULL), STATUS_OK);
    close_run(&run);
}

static void finds_names_that_cannot_be(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{ token: { suffix: .xml, replace_extension: true } }", "pega.token.suffix: gives the token of"},
        {"{ token: { suffix: .csv, per: file, replace_extension: true } }",
         "pega.token.suffix: gives the token"},
        {"{ manifest: \"{name}_{run_time}_0001.csv.TOK\", token: { per: file } }",
         "pega.token: a token would be called acme_20261122T030000Z_0001.csv.TOK, like the manifest"},
        {"{ manifest: \"{name}_{run_time}_0001.csv\", token: { per: none } }",
         "pega.manifest: a manifest would be called acme_20261122T030000Z_0001.csv, like a data file"},
        {"{ manifest: \"{name}_{run_time}_0100.csv\" }",
         "pega.manifest: a manifest would be called acme_20261122T030000Z_0100.csv, like a data file"},
        {"{ manifest: \"{name}_{run_time}_0002\", token: { suffix: .csv } }",
         "pega.token: a token would be called acme_20261122T030000Z_0002.csv, like a data file"},
        {"{ manifest: \"{name}_{run_time}_0007.csv.TOK\", token: { per: file } }",
         "pega.token: a token would be called acme_20261122T030000Z_0007.csv.TOK, like the manifest"},
        {"{ process_type: \"a\\uFFFFb\" }", "pega.process_type: holds a character"},
        {"{ manifest: \"{name}_{run_time}.csv\", token: { suffix: .csv, per: none, replace_extension: true } "
         "}",
         ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run run;
        struct fault fault = {0};
        char text[512];
        snprintf(text, sizeof text, JOB_BEGIN "pega: %s\n", cases[i][0]);
        open_run(&run, text);
        bool const good = cases[i][1][0] == '\0';
        assert_int_equal(run_names_check(&run, &fault), good ? STATUS_OK : STATUS_JOB);
        if (strncmp(fault.message, cases[i][1], strlen(cases[i][1])) != 0)
            fail_msg("message: %s", fault.message);
        close_run(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_one_stream),
                                       cmocka_unit_test(names_streams_of_segments),
                                       cmocka_unit_test(finds_names_that_cannot_be)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
