/* test_manifest_read.c - manifests as Pega's guide shows them, with what may stand in them besides; broken
 * ones, each refused with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/manifest/manifest_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From a copy without a byte too many, so that a sanitizer sees what reads too far. */
static enum status read_text(const char *text, struct manifest *manifest, struct fault *fault)
{
    size_t const length = strlen(text);
    uint8_t *const copy = malloc(length + (length == 0));
    assert_non_null(copy);
    memcpy(copy, text, length);
    enum status const status = manifest_read("m.xml", copy, length, manifest, fault);
    free(copy);
    return status;
}

static void refuses(const char *text, const char *reason)
{
    struct manifest manifest;
    struct fault fault = {.message = ""};
    assert_int_equal(read_text(text, &manifest, &fault), STATUS_IO);
    if (strstr(fault.message, reason) == NULL) fail_msg("%s: not: %s", fault.message, reason);
    assert_memory_equal(fault.message, "m.xml: ", 7);
    manifest_free(&manifest);
}

static void reads_the_form_of_the_guide(void **state)
{
    (void)state;
    struct manifest manifest;
    struct fault fault;
    assert_int_equal(read_text("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                               "<manifest>\n"
                               "  <processType>CustomerDataIngestion</processType>\n"
                               "  <totalRecordCount>1300</totalRecordCount>\n"
                               "  <files>\n"
                               "    <file>\n"
                               "      <name>CustomerData/a &amp; b&#233;.csv</name>\n"
                               "      <size>1437966</size>\n"
                               "      <recordCount>700</recordCount>\n"
                               "    </file>\n"
                               "    <file><name>b.csv</name><recordCount>600</recordCount></file>\n"
                               "  </files>\n"
                               "</manifest>\n",
                               &manifest, &fault),
                     STATUS_OK);
    assert_string_equal(manifest.process_type, "CustomerDataIngestion");
    assert_int_equal(manifest.total, 1300);
    assert_int_equal(manifest.file_count, 2);
    assert_string_equal(manifest.files[0].name, "CustomerData/a & b\xC3\xA9.csv");
    assert_true(manifest.files[0].has_size);
    assert_int_equal(manifest.files[0].size, 1437966);
    assert_int_equal(manifest.files[0].records, 700);
    assert_false(manifest.files[1].has_size);
    assert_int_equal(manifest.files[1].records, 600);
    manifest_free(&manifest);
}

static void passes_over_what_it_does_not_know(void **state)
{
    (void)state;
    struct manifest manifest;
    struct fault fault;
    assert_int_equal(read_text("<m:manifest xmlns:m=\"urn:x\" version=\"2\">"
                               "<files><file><recordCount> 7\n</recordCount><name>\n a.csv </name>"
                               "<checksum><name>crc</name></checksum></file><note>x</note></files>"
                               "<customAttributes><files><file/></files></customAttributes>"
                               "<!-- <files/> --><totalRecordCount>7</totalRecordCount></m:manifest>",
                               &manifest, &fault),
                     STATUS_OK);
    assert_string_equal(manifest.process_type, "");
    assert_int_equal(manifest.file_count, 1);
    assert_string_equal(manifest.files[0].name, "a.csv");
    assert_int_equal(manifest.files[0].records, 7);
    manifest_free(&manifest);
    assert_int_equal(
        read_text("<manifest><totalRecordCount>0</totalRecordCount><files/></manifest>", &manifest, &fault),
        STATUS_OK);
    assert_int_equal(manifest.file_count, 0);
    manifest_free(&manifest);
}

#define FILES(inside) "<manifest><totalRecordCount>1</totalRecordCount><files>\n" inside "</files></manifest>"

static void refuses_what_is_no_manifest(void **state)
{
    (void)state;
    refuses("", "is not XML");
    refuses("a,b\n1,2\n", "is not XML");
    refuses("<manifest>\n<files>", "line 2: it is not XML");
    refuses("<Error><Code>NoSuchKey</Code></Error>", "the root is not <manifest>");
    refuses("<manifest><files/></manifest>", "it has no <totalRecordCount>");
    refuses("<manifest><totalRecordCount>1</totalRecordCount></manifest>", "it has no <files>");
    refuses("<manifest><totalRecordCount>1</totalRecordCount><totalRecordCount>1</totalRecordCount><files/>"
            "</manifest>",
            "<totalRecordCount> is there twice");
    refuses("<manifest><totalRecordCount>1<b/></totalRecordCount><files/></manifest>",
            "an element stands inside <totalRecordCount>");
    refuses("<manifest><totalRecordCount>one</totalRecordCount><files/></manifest>",
            "<totalRecordCount> is not a number");
    refuses("<manifest><totalRecordCount></totalRecordCount><files/></manifest>",
            "<totalRecordCount> is not a number");
    refuses("<manifest><totalRecordCount>1234567890123456789</totalRecordCount><files/></manifest>",
            "<totalRecordCount> is not a number");
    refuses(FILES("<file><recordCount>1</recordCount></file>"), "line 2: a <file> has no <name>");
    refuses(FILES("<file><name>a</name></file>"), "line 2: a <file> has no <recordCount>");
    refuses(FILES("<file><name> </name><recordCount>1</recordCount></file>"), "<name> is empty");
    refuses(FILES("<file><name>a</name><name>b</name><recordCount>1</recordCount></file>"),
            "<name> is there twice");
    refuses(FILES("<file><name>a</name><size>-1</size><recordCount>1</recordCount></file>"),
            "<size> is not a number");
}

static void holds_its_bounds(void **state)
{
    (void)state;
    refuses("<!DOCTYPE manifest [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>"
            "<manifest><totalRecordCount>1</totalRecordCount><files/></manifest>",
            "it has a DTD");
    char deep[400] = "";
    for (unsigned i = 0; i < 20; i++)
        strcat(deep, i == 0 ? "<manifest>" : "<a>");
    refuses(deep, "elements nest deeper than 16");
    char name[MANIFEST_NAME_MAX + 2], text[MANIFEST_NAME_MAX + 400];
    memset(name, 'n', sizeof name);
    for (size_t length = MANIFEST_NAME_MAX; length <= MANIFEST_NAME_MAX + 1; length++) {
        struct manifest manifest;
        struct fault fault;
        (void)snprintf(text, sizeof text, FILES("<file><name>%.*s</name><recordCount>1</recordCount></file>"),
                       (int)length, name);
        if (length > MANIFEST_NAME_MAX) {
            refuses(text, "<name> is longer than 1024 bytes");
            continue;
        }
        assert_int_equal(read_text(text, &manifest, &fault), STATUS_OK);
        assert_int_equal(strlen(manifest.files[0].name), MANIFEST_NAME_MAX);
        manifest_free(&manifest);
    }
}

static void reads_many_files_and_not_too_many(void **state)
{
    (void)state;
    static const char head[] = "<manifest><totalRecordCount>0</totalRecordCount><files>";
    static const char tail[] = "</files></manifest>";
    size_t const room = (size_t)(MANIFEST_FILES_MAX + 2) * 64;
    char *const text = malloc(room);
    assert_non_null(text);
    for (size_t count = MANIFEST_FILES_MAX; count <= MANIFEST_FILES_MAX + 1; count++) {
        size_t length = (size_t)sprintf(text, "%s", head);
        for (size_t i = 0; i < count; i++)
            length += (size_t)sprintf(text + length,
                                      "<file><name>%zu</name><recordCount>0</recordCount></file>", i);
        (void)sprintf(text + length, "%s", tail);
        if (count > MANIFEST_FILES_MAX) {
            refuses(text, "more than 100000 files");
            continue;
        }
        struct manifest manifest;
        struct fault fault;
        assert_int_equal(read_text(text, &manifest, &fault), STATUS_OK);
        assert_int_equal(manifest.file_count, count);
        assert_string_equal(manifest.files[count - 1].name, "99999");
        manifest_free(&manifest);
    }
    free(text);
}

/* For whom names are enough: counts may be missing, or be no numbers. */
static void reads_names_alone(void **state)
{
    (void)state;
    static const char text[] =
        "<manifest><processType/><processType/><totalRecordCount>x</totalRecordCount><files>"
        "<file><name>a.csv</name></file><file><recordCount>many</recordCount><name> b.csv "
        "</name><size><x/></size>"
        "</file></files></manifest>";
    static const char *const bad[] = {"<manifest/>", "<manifest><files><file/></files></manifest>",
                                      "<manifest><files><file><name/></file></files></manifest>",
                                      "<other><files/></other>", "<manifest><files/>"};
    struct manifest manifest;
    struct fault fault;
    assert_int_equal(manifest_read_names("m.xml", (const uint8_t *)text, strlen(text), &manifest, &fault),
                     STATUS_OK);
    assert_int_equal(manifest.file_count, 2);
    assert_string_equal(manifest.files[0].name, "a.csv");
    assert_string_equal(manifest.files[1].name, "b.csv");
    manifest_free(&manifest);
    assert_int_equal(read_text(text, &manifest, &fault), STATUS_IO);
    manifest_free(&manifest);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(
            manifest_read_names("m.xml", (const uint8_t *)bad[i], strlen(bad[i]), &manifest, &fault),
            STATUS_IO);
        manifest_free(&manifest);
    }
}

static void tells_what_may_be_one(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool wanted;
    } cases[] = {{"<manifest>", true},
                 {"<manifest", true}, /* cut off */
                 {"\xEF\xBB\xBF<?xml version=\"1.0\"?><!-- x --><p:manifest a=\"1\"><<<", true},
                 {"<!DOCTYPE manifest []><manifest/>", true},
                 {"  \n", true},
                 {"", true},
                 /* of encodings that expat does not know */
                 {"<?xml version=\"1.0\" encoding=\"windows-1252\"?><manifest/>", true},
                 {"<?xml version=\"1.0\" encoding=\"utf8\"?><!-- x -->\n<manifest a=\"1\"/>", true},
                 {"<?xml version=\"1.0\" encoding=\"ascii\"?><other/>", false},
                 {"<other><manifest/></other>", false},
                 {"<manifests>", false},
                 {"<>", false},
                 {"xxxxxxxxxxxxxxxx", false},
                 {"{\"a\":1}", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (manifest_may_be((const uint8_t *)cases[i].text, strlen(cases[i].text)) != cases[i].wanted)
            fail_msg("%s", cases[i].text);
    static const uint8_t wide[] = {0xFF, 0xFE, '<', 0, 'm', 0, '/', 0, '>', 0};
    assert_false(manifest_may_be(wide, sizeof wide));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_form_of_the_guide),
        cmocka_unit_test(passes_over_what_it_does_not_know),
        cmocka_unit_test(refuses_what_is_no_manifest),
        cmocka_unit_test(holds_its_bounds),
        cmocka_unit_test(reads_many_files_and_not_too_many),
        cmocka_unit_test(reads_names_alone),
        cmocka_unit_test(tells_what_may_be_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
