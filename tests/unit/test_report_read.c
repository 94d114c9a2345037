/* test_report_read.c - a run's report: its files, found by where they lie; what is no report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/verify/report_read.h"

#include <string.h>

#define REPORT(files)            "{\"tool\":\"penstock\",\"version\":\"9\",\"files\":[" files "]}"
#define FILE_OF(url, kind, more) "{\"url\":\"" url "\",\"kind\":\"" kind "\",\"rows\":7,\"bytes\":90" more "}"

static void reads_files(void **state)
{
    (void)state;
    static const char text[] = REPORT(
        FILE_OF("out/a.csv", "data", ",\"crc64nvme\":\"rosUhgp5mIg=\"") "," FILE_OF("out/b.csv", "purge", ",\"crc32c\":\"4waSgw==\"") "," FILE_OF(
            "out/c.csv", "data",
            ",\"crc32\":\"y/Q5Jg==\"") "," FILE_OF("out/d.csv", "data",
                                                   "") "," FILE_OF("out/m.xml", "manifest",
                                                                   "") "," FILE_OF("out/m.TOK", "token", ""));
    struct report_files files;
    struct fault fault;
    if (report_read("r.json", text, strlen(text), &files, &fault) != STATUS_OK) fail_msg("%s", fault.message);
    assert_int_equal(files.data.count, 4);
    const struct report_entry *entry = report_find(&files.data, "out/a.csv", "a.csv");
    assert_non_null(entry);
    assert_string_equal(entry->url, "out/a.csv");
    assert_int_equal(entry->rows, 7);
    assert_int_equal(entry->bytes, 90);
    assert_int_equal(entry->checksum_kind, CHECKSUM_CRC64NVME);
    assert_true(entry->checksum == UINT64_C(0xae8b14860a799888)); /* of "123456789" */
    entry = report_find(&files.data, "/tmp/out/b.csv", "b.csv");
    assert_int_equal(entry->checksum_kind, CHECKSUM_CRC32C);
    assert_true(entry->checksum == UINT64_C(0xe3069283));
    entry = report_find(&files.data, "b/c.csv", "c.csv");
    assert_int_equal(entry->checksum_kind, CHECKSUM_CRC32);
    assert_true(entry->checksum == UINT64_C(0xcbf43926));
    assert_int_equal(report_find(&files.data, "d.csv", "d.csv")->checksum_kind, CHECKSUM_NONE);
    assert_null(report_find(&files.data, "out/m.xml", "m.xml"));
    assert_int_equal(files.manifests.count, 1);
    assert_string_equal(report_find(&files.manifests, "m.xml", "m.xml")->url, "out/m.xml");
    assert_int_equal(files.tokens.count, 1);
    assert_string_equal(files.tokens.entries[0].url, "out/m.TOK");
    assert_null(report_find(&files.data, "out/e.csv", "e.csv"));
    assert_null(report_find(&files.data, "out/.csv", ".csv"));
    report_read_free(&files);
}

/* Several deliveries of one run have files of the same name. */
static void finds_what_has_most_of_the_place(void **state)
{
    (void)state;
    static const char text[] = REPORT(FILE_OF("s3://b/in/loyal/p.csv", "data", "") "," FILE_OF(
        "s3://b/in/gold/p.csv", "data", "") "," FILE_OF("s3://b/in/gold/xp.csv", "data",
                                                        "") "," FILE_OF("/srv/gold/p.csv", "data", ""));
    struct report_files files;
    struct fault fault;
    assert_int_equal(report_read("r", text, strlen(text), &files, &fault), STATUS_OK);
    static const struct {
        const char *place, *relative, *url;
    } cases[] = {{"s3://b/in/loyal/p.csv", "p.csv", "s3://b/in/loyal/p.csv"},
                 {"s3://b/in/gold/p.csv", "p.csv", "s3://b/in/gold/p.csv"},
                 {"/srv/gold/p.csv", "gold/p.csv", "/srv/gold/p.csv"},
                 {"/mnt/loyal/p.csv", "loyal/p.csv", "s3://b/in/loyal/p.csv"},
                 {"s3://b/in/gold/xp.csv", "xp.csv", "s3://b/in/gold/xp.csv"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct report_entry *const entry = report_find(&files.data, cases[i].place, cases[i].relative);
        assert_non_null(entry);
        assert_string_equal(entry->url, cases[i].url);
    }
    assert_null(report_find(&files.data, "s3://b/in/silver/p.csv", "silver/p.csv"));
    report_read_free(&files);
}

static void refuses(const char *text, const char *reason)
{
    struct report_files files;
    struct fault fault = {.message = ""};
    assert_int_equal(report_read("r.json", text, strlen(text), &files, &fault), STATUS_IO);
    if (strstr(fault.message, reason) == NULL) fail_msg("%s", fault.message);
    report_read_free(&files);
}

static void refuses_what_is_no_report(void **state)
{
    (void)state;
    refuses("", "line 1 is not JSON");
    refuses("{\"a\":1}\n{\"secret\":2}", "line 2 is not JSON");
    refuses("[]", "its \"tool\" is not \"penstock\"");
    refuses("{\"tool\":\"rclone\",\"files\":[]}", "its \"tool\"");
    refuses("{\"tool\":\"penstock\"}", "no list of files");
    refuses(REPORT("{\"kind\":\"data\"}"), "a file has no url");
    refuses(REPORT("{\"kind\":\"data\",\"url\":\"a\",\"rows\":-1,\"bytes\":1}"), "rows are no number");
    refuses(REPORT("{\"kind\":\"data\",\"url\":\"a\",\"rows\":1,\"bytes\":\"1\"}"), "bytes are no number");
    refuses(REPORT(FILE_OF("a", "data", ",\"crc64nvme\":\"rosUhgp5mIg\"")), "checksum");
    refuses(REPORT(FILE_OF("a", "data", ",\"crc32\":\"y/Q5Jh==\"")), "checksum");
    refuses(REPORT(FILE_OF("a", "data", ",\"crc32c\":12")), "checksum");
    struct report_files files;
    struct fault fault;
    assert_int_equal(report_read("r", REPORT(""), strlen(REPORT("")), &files, &fault), STATUS_OK);
    assert_null(report_find(&files.data, "a", "a"));
    report_read_free(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_files),
        cmocka_unit_test(finds_what_has_most_of_the_place),
        cmocka_unit_test(refuses_what_is_no_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
