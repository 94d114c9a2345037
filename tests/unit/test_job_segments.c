/* test_job_segments.c - the keys of `segments`, and names that tell segments apart. */
#include "tests/unit/job_desk.h"

#include <stdio.h>

static void reads_all_keys(void **state)
{
    (void)state;
    struct job job;
    load(JOB_BEGIN "segments:\n  names: { b: loyal, 'a.b/c': \"{part}\" }\n  namespace: UPS\n"
                   "  ids: [ 'a.b/c', b, ' ', '12' ]\n  statuses: [ exited, realized ]\n  split: true\n"
                   "files: { name: \"{segment_name}_{part}.csv\" }\n",
         &job);
    const struct segments *segments = &job.mapping.segments;
    assert_string_equal(segments->name_space, "UPS");
    assert_int_equal(segments->count, 4);
    assert_string_equal(segments->list[0].id, "a.b/c");
    assert_int_equal(segments->list[0].id_length, 5);
    assert_string_equal(segments->list[0].name, "{part}");
    assert_string_equal(segments->list[1].name, "loyal");
    assert_null(segments->list[2].name);
    assert_string_equal(segments->list[3].id, "12");
    assert_int_equal(segments->status_count, 2);
    assert_string_equal(segments->statuses[0], "exited");
    assert_string_equal(segments->statuses[1], "realized");
    assert_true(segments->split);
    job_free(&job);
}

static void has_defaults(void **state)
{
    (void)state;
    static const char *const texts[] = {JOB_BEGIN, JOB_BEGIN "segments: ~\n",
                                        JOB_BEGIN "segments: { ids: [ x ], names: ~, statuses: ~ }\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct job job;
        load(texts[i], &job);
        const struct segments *segments = &job.mapping.segments;
        assert_string_equal(segments->name_space, "ups");
        assert_int_equal(segments->count, i == 2);
        assert_int_equal(segments->status_count, 2);
        assert_string_equal(segments->statuses[0], "realized");
        assert_string_equal(segments->statuses[1], "existing");
        assert_false(segments->split);
        job_free(&job);
    }
    struct job job;
    assert_int_equal(job_from_flags("id", NULL, 0, &job, NULL), STATUS_OK);
    assert_int_equal(job.mapping.segments.count, 0);
    assert_string_equal(job.mapping.segments.name_space, "ups");
    assert_int_equal(job.mapping.segments.status_count, 2);
    job_free(&job);
}

static void refuses_keys(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"segments: {}\n", "3: segments.ids: is missing; at least one id"},
        {"segments: { split: true }\n", "3: segments.ids: is missing"},
        {"segments: { ids: [] }\n", "3: segments.ids: is missing"},
        {"segments: { ids: x }\n", "3: segments.ids: is not a list; write [ x ]"},
        {"segments: { ids: [ '' ] }\n", "3: segments.ids[0]: is empty; the id"},
        {"segments: { ids: [ ~ ] }\n", "3: segments.ids[0]: is empty"},
        {"segments: { ids: [ \"a\\0\" ] }\n", "3: segments.ids[0]: holds a NUL"},
        {"segments:\n  ids:\n  - a\n  - b\n  - 'a'\n", "7: segments.ids[2]: \"a\" stands here twice"},
        {"segments: { id: [ a ] }\n",
         "3: segments.id: there is no such key; allowed here are namespace, ids, "},
        {"segments: { ids: [ a ], namespace: '' }\n", "3: segments.namespace: is empty"},
        {"segments: { ids: [ a ], statuses: [] }\n",
         "3: segments.statuses: is empty; name at least one of realized, existing, exited"},
        {"segments: { ids: [ a ], statuses: [ realised ] }\n",
         "3: segments.statuses[0]: \"realised\" is not one of realized, existing, exited"},
        {"segments: { ids: [ a ], statuses: [ exited, exited ] }\n",
         "3: segments.statuses[1]: \"exited\" stands here twice"},
        {"segments: { ids: [ a ], split: yes }\n", "3: segments.split: \"yes\" is not one of true, false"},
        {"segments: { ids: [ a ], names: [ b ] }\n",
         "3: segments.names: is not a mapping; write { id: name }"},
        {"segments:\n  ids: [ a ]\n  names:\n    b: x\n", "6: segments.names.b: is the name of no segment"},
        {"segments:\n  ids: [ a ]\n  names:\n    a: x\n    a: y\n", "7: segments.names.a: stands here twice"},
        {"segments: { ids: [ a ], names: { a: ~ } }\n", "3: segments.names.a: has no name; leave it out"},
        {"segments: { ids: [ a ], names: { a: '' } }\n", "3: segments.names.a: is empty"},
        {"segments: { ids: [ a ], names: { a: [ x ] } }\n", "3: segments.names.a: is a list"},
        {"segments: { ids: [ a ], names: { a: x/y } }\n", "3: segments.names.a: \"x/y\" holds a slash; "},
        {"segments: { ids: [ a ], names: { a: .x } }\n", "3: segments.names.a: \".x\" begins with a dot; "},
        {"segments: { ids: [ a ], names: { a: \"x\\n\" } }\n", "3: segments.names.a: \"x?\" holds a control"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused_behind(cases[i][0], cases[i][1]);
}

/* `count` ids. */
static char *many_segments(size_t count, const char *behind)
{
    size_t const room = 128 + count * 16 + strlen(behind);
    char *text = malloc(room);
    assert_non_null(text);
    size_t used = (size_t)snprintf(text, room, JOB_BEGIN "segments:\n  ids: [ ");
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, room - used, "s%zu,", i);
    snprintf(text + used, room - used, "]\n%s", behind);
    return text;
}

static void bounds_ids(void **state)
{
    (void)state;
    char text[2048], id[MAPPING_SEGMENT_ID_MAX + 2];
    memset(id, 'x', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    struct job job;
    snprintf(text, sizeof text, JOB_BEGIN "segments: { ids: [ %s ] }\n", id + 1);
    load(text, &job);
    assert_int_equal(job.mapping.segments.list[0].id_length, MAPPING_SEGMENT_ID_MAX);
    job_free(&job);
    snprintf(text, sizeof text, JOB_BEGIN "segments: { ids: [ %s ] }\n", id);
    refused(text, "acme.yaml:3: segments.ids[0]: is 1025 bytes long; at most 1024 are allowed");
}

static void bounds_their_number(void **state)
{
    (void)state;
    static const struct {
        size_t count;
        const char *behind, *message;
    } cases[] = {
        {MAPPING_SEGMENTS_MAX, "", NULL},
        {MAPPING_SEGMENTS_MAX + 1, "", "acme.yaml:4: segments.ids[1024]: is one too many; at most 1024"},
        {MAPPING_SPLIT_MAX, "  split: true\n", NULL},
        {MAPPING_SPLIT_MAX + 1, "  split: true\n",
         "acme.yaml:5: segments.split: makes 257 deliveries; at most 256"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = many_segments(cases[i].count, cases[i].behind);
        struct job job;
        if (cases[i].message != NULL) {
            refused(text, cases[i].message);
        } else {
            load(text, &job);
            assert_int_equal(job.mapping.segments.count, cases[i].count);
            job_free(&job);
        }
        free(text);
    }
}

#define SPLIT(ids) "segments: { ids: [ " ids " ], split: true }\n"

static void knows_where_placeholders_stand(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"files: { name: \"{segment_id}.csv\" }\n", "3: files.name: {segment_id} is for jobs that split by "
                                                    "segments (segments.split: true); allowed here are "
                                                    "{name} {run_time} {run_id} {part}"},
        {"files: { purge_name: \"{segment_name}.csv\" }\n",
         "3: files.purge_name: {segment_name} is for jobs"},
        {"pega: { manifest: \"{segment_name}.xml\" }\n", "3: pega.manifest: {segment_name} is for jobs"},
        {"pega: { purge_manifest: \"{segment_name}.xml\" }\n", "3: pega.purge_manifest: {segment_name} is"},
        {"pega: { path_prefix: \"{segment_name}/\" }\n", "3: pega.path_prefix: {segment_name} is for jobs"},
        {"destination: { url: \"out/{segment_id}/\" }\n", "3: destination.url: {segment_id} is for jobs"},
        {"pega: { manifest: \"{part}.xml\" }\n",
         "3: pega.manifest: {part} can't stand here; allowed are {name} {run_time} {run_id}"},
        {"destination: { url: \"out/{name}/\" }\n",
         "3: destination.url: {name} can't stand here; allowed are {segment_id} {segment_name}, with "
         "segments.split: true"},
        {"destination: { url: \"out/{date}/\" }\n", "3: destination.url: \"{date}\" is not a placeholder; "},
        {"destination: { url: \"out/{\" }\n", "3: destination.url: has a \"{\" without"},
        {"destination: { url: \"out/}\" }\n", "3: destination.url: has a \"}\" without"},
        {SPLIT("a") "files: { name: \"{segment}\" }\n",
         "4: files.name: \"{segment}\" is not a placeholder; allowed are {name} {run_time} {run_id} {part} "
         "{segment_id} {segment_name}"},
        {SPLIT("a") "pega: { path_prefix: \"{part}/\" }\n", "4: pega.path_prefix: {part} can't stand here"},
        {SPLIT("a") "destination: { url: \"s3://{segment_id}/\" }\n",
         "4: destination.url: has a placeholder in the name of the bucket"},
        {SPLIT("a") "destination: { url: \"s3://b-{segment_id}\" }\n",
         "4: destination.url: has a placeholder in"},
        {SPLIT("a") "destination: { url: \"out/{segment_id}/../x\" }\n",
         "4: destination.url: makes the folder \"..\" behind a placeholder"},
        {SPLIT("a") "destination: { url: \"out/{segment_id}//x\" }\n",
         "4: destination.url: makes the folder \"\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused_behind(cases[i][0], cases[i][1]);
    struct job job;
    load(JOB_BEGIN SPLIT("a, b") "destination: { url: \"s3://b/x/{segment_id}-{segment_name}/y/\" }\n"
                                 "pega: { path_prefix: \"x/{segment_id}/{name}{run_time}{run_id}/\" }\n",
         &job);
    job_free(&job);
}

static void refuses_ids_that_make_no_names(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {SPLIT("a/b") "files: { name: \"{segment_id}.csv\" }\n",
         "4: files.name: the segment id \"a/b\" holds a slash, which can't stand in a name; give the segment "
         "one in "
         "segments.names, and use {segment_name}"},
        {SPLIT("a, .b") "files: { name: \"x{segment_name}.csv\" }\n",
         "4: files.name: the segment id \".b\" begins with a dot"},
        {SPLIT("\"a\\x01\"") "destination: { url: \"out/{segment_name}\" }\n",
         "4: destination.url: the segment id \"a?\" holds a control character"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused_behind(cases[i][0], cases[i][1]);
    struct job job;
    load(JOB_BEGIN "segments: { ids: [ a/b ], names: { a/b: x }, split: true }\n"
                   "files: { name: \"{segment_name}.csv\" }\n",
         &job);
    job_free(&job);
    /* the longest of all segments counts */
    char text[1024], filler[240];
    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    snprintf(text, sizeof text, SPLIT("a, %s") "files: { name: \"{segment_id}\" }\n", filler);
    refused_behind(text, "4: files.name: makes names of up to 239 bytes; at most 233");
    snprintf(text, sizeof text, SPLIT("a, %s") "destination: { url: \"out/{segment_id}{segment_id}/\" }\n",
             filler);
    refused_behind(text, "4: destination.url: makes the folder \"xxx");
}

/* With `url`, "" or what the names can't be. */
static void names_checked(const char *text, const char *url, bool url_is_jobs, const char *message)
{
    struct job job;
    struct fault fault = {0};
    char whole[1024];
    snprintf(whole, sizeof whole, JOB_BEGIN "%s", text);
    load(whole, &job);
    enum status const status = job_names_check(&job, url, url_is_jobs, &fault);
    bool const usage = strncmp(message, "--to", 4) == 0;
    assert_int_equal(status, message[0] == '\0' ? STATUS_OK : usage ? STATUS_USAGE : STATUS_JOB);
    if (strncmp(fault.message, message, strlen(message)) != 0)
        fail_msg("%s\nmessage: %s\nwanted:  %s", text, fault.message, message);
    job_free(&job);
}

static void tells_segments_apart(void **state)
{
    (void)state;
#define BOTH "segments: { ids: [ a, b ], names: { a: x, b: x }, split: true }\n"
    names_checked(
        SPLIT("a, b"), "out/", true,
        "jobs/acme.yaml:3: segments.split: segments \"a\" and \"b\" would write to one place: files.name and "
        "destination.url hold neither {segment_id} nor {segment_name}; put one of them into either");
    names_checked(SPLIT("a"), "out/", true, "");
    names_checked(SPLIT("a, b"), "out/{segment_name}", true, "");
    names_checked(SPLIT("a, b") "files: { name: \"{segment_id}.csv\" }\n", "out/", true, "");
    names_checked(
        BOTH "files: { name: \"{segment_name}.csv\" }\n", "out/", true,
        "jobs/acme.yaml:3: segments.split: segments \"a\" and \"b\" would write to one place: files.name and "
        "destination.url give both the same name; give them different segments.names");
    names_checked(BOTH "files: { name: \"{segment_name}.csv\" }\n", "out/{segment_id}/", false, "");
    names_checked(BOTH, "s3://b/{segment_name}/", false,
                  "jobs/acme.yaml:3: segments.split: segments \"a\" and \"b\"");
    /* a name may be another's id; two that meet only when they are joined */
    names_checked("segments: { ids: [ a, b ], names: { a: b }, split: true }\n", "out/{segment_name}/", true,
                  "jobs/acme.yaml:3: segments.split: segments \"a\" and \"b\" would");
    names_checked("segments: { ids: [ a, ab ], names: { a: bc, ab: c }, split: true }\n"
                  "files: { name: \"{segment_id}{segment_name}\" }\n",
                  "out/", true, "jobs/acme.yaml:3: segments.split: segments \"a\" and \"ab\" would");
    names_checked("segments: { ids: [ a, ab ], names: { a: bc, ab: c }, split: true }\n",
                  "{segment_id}{segment_name}/", false,
                  "jobs/acme.yaml:3: segments.split: segments \"a\" and \"ab\" would");
    /* manifests too, when there are any */
    names_checked(
        SPLIT("a, b") "files: { name: \"{segment_id}.csv\" }\npega: {}\n", "out/", true,
        "jobs/acme.yaml:3: segments.split: segments \"a\" and \"b\" would write to one place: pega.manifest");
    names_checked(SPLIT("a, b") "files: { name: \"{segment_id}.csv\" }\n"
                                "pega: { manifest: \"{segment_name}.xml\" }\n",
                  "out/", true, "");
    names_checked(SPLIT("a, b") "pega: {}\n", "out/{segment_id}/", true, "");
}

static void looks_at_urls_of_flags(void **state)
{
    (void)state;
    names_checked("", "out/", false, "");
    names_checked("", "out/{segment_id}", false, "--to: {segment_id} is for jobs that split by segments");
    names_checked("", "out/{x}", false, "--to: \"{x}\" is not a placeholder");
    names_checked(SPLIT("a/b"), "out/{segment_id}", false, "--to: the segment id \"a/b\" holds a slash");
    names_checked(SPLIT("a"), "s3://{segment_id}/", false,
                  "--to: has a placeholder in the name of the bucket");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_keys),
        cmocka_unit_test(has_defaults),
        cmocka_unit_test(refuses_keys),
        cmocka_unit_test(bounds_ids),
        cmocka_unit_test(bounds_their_number),
        cmocka_unit_test(knows_where_placeholders_stand),
        cmocka_unit_test(refuses_ids_that_make_no_names),
        cmocka_unit_test(tells_segments_apart),
        cmocka_unit_test(looks_at_urls_of_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
