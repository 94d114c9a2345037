/* test_pega_manifest.c - the manifest's bytes: order, sums, every text escaped, what XML can't hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/pega/pega_manifest.h"

#include <stdlib.h>
#include <string.h>

static void expect(const struct pega_manifest *manifest, const char *wanted)
{
    struct fault fault;
    struct pega_manifest_text text;
    assert_int_equal(pega_manifest_write(manifest, &text, &fault), STATUS_OK);
    assert_int_equal(text.length, strlen(wanted));
    assert_memory_equal(text.bytes, wanted, text.length);
    free(text.bytes);
}

/* The sample of reference documents: one file, two records. */
static void one_file(void **state)
{
    (void)state;
    struct pega_manifest_file const file = {
        .name = "CustomerData/CustomerDataIngest.csv", .size = 589, .records = 2};
    struct pega_manifest const manifest = {
        .process_type = "CustomerDataIngestion", .files = &file, .count = 1};
    expect(&manifest, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                      "<manifest>\n"
                      "  <processType>CustomerDataIngestion</processType>\n"
                      "  <totalRecordCount>2</totalRecordCount>\n"
                      "  <files>\n"
                      "    <file>\n"
                      "      <name>CustomerData/CustomerDataIngest.csv</name>\n"
                      "      <size>589</size>\n"
                      "      <recordCount>2</recordCount>\n"
                      "    </file>\n"
                      "  </files>\n"
                      "</manifest>\n");
}

static void no_file(void **state)
{
    (void)state;
    struct pega_manifest const manifest = {.process_type = "X"};
    expect(&manifest, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                      "<manifest>\n"
                      "  <processType>X</processType>\n"
                      "  <totalRecordCount>0</totalRecordCount>\n"
                      "  <files>\n"
                      "  </files>\n"
                      "</manifest>\n");
}

static void texts_are_escaped_and_counts_summed(void **state)
{
    (void)state;
    struct pega_manifest_file const files[] = {
        {.name = "a&b/<c>\"d'.csv", .size = UINT64_MAX, .records = UINT64_C(5000000000)},
        {.name = "M\xc3\xbcller &amp;.csv", .size = 0, .records = 1}};
    struct pega_manifest const manifest = {.process_type = "<&>", .files = files, .count = 2};
    expect(&manifest, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                      "<manifest>\n"
                      "  <processType>&lt;&amp;&gt;</processType>\n"
                      "  <totalRecordCount>5000000001</totalRecordCount>\n"
                      "  <files>\n"
                      "    <file>\n"
                      "      <name>a&amp;b/&lt;c&gt;\"d'.csv</name>\n"
                      "      <size>18446744073709551615</size>\n"
                      "      <recordCount>5000000000</recordCount>\n"
                      "    </file>\n"
                      "    <file>\n"
                      "      <name>M\xc3\xbcller &amp;amp;.csv</name>\n"
                      "      <size>0</size>\n"
                      "      <recordCount>1</recordCount>\n"
                      "    </file>\n"
                      "  </files>\n"
                      "</manifest>\n");
}

static void what_xml_cannot_hold_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"a\x01", "\n", "\xef\xbf\xbe", "x\xef\xbf\xbf", "\xff", "\xc3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct fault fault;
        struct pega_manifest_text text;
        struct pega_manifest_file const file = {.name = bad[i]};
        struct pega_manifest const name = {.process_type = "X", .files = &file, .count = 1};
        assert_int_equal(pega_manifest_write(&name, &text, &fault), STATUS_JOB);
        assert_non_null(strstr(fault.message, "pega.path_prefix"));
        struct pega_manifest const type = {.process_type = bad[i]};
        assert_int_equal(pega_manifest_write(&type, &text, &fault), STATUS_JOB);
        assert_non_null(strstr(fault.message, "pega.process_type"));
    }
    struct pega_manifest const good = {.process_type = "\xef\xbf\xbd\t"};
    struct pega_manifest_text text;
    assert_int_equal(pega_manifest_write(&good, &text, NULL), STATUS_OK);
    free(text.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_file),
        cmocka_unit_test(no_file),
        cmocka_unit_test(texts_are_escaped_and_counts_summed),
        cmocka_unit_test(what_xml_cannot_hold_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
