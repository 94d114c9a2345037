/* test_source_list.c - which paths and which first bytes are taken, refused, and in what order. Thread: main.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* needs those above */

#include "core/base/checksum.h"
#include "io/input/source_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char before[512]; /* working directory */
    char folder[64];
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    if (fixture == NULL || getcwd(fixture->before, sizeof fixture->before) == NULL) return -1;
    memcpy(fixture->folder, "/tmp/test_source_list.XXXXXX", sizeof "/tmp/test_source_list.XXXXXX");
    *state = fixture;
    return mkdtemp(fixture->folder) != NULL ? chdir(fixture->folder) : -1;
}

/* Tests remove what they make: the folder must be empty. */
static int teardown(void **state)
{
    struct fixture *fixture = *state;
    int const back = chdir(fixture->before);
    int const gone = rmdir(fixture->folder);
    free(fixture);
    return back != 0 ? back : gone;
}

static void put(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void put_text(const char *path, const char *text)
{
    put(path, text, strlen(text));
}

static enum status build(const char *const *paths, size_t count, struct source_list *list,
                         struct fault *fault)
{
    struct source_list_rules const rules = {.paths = paths, .count = count};
    return source_list_build(&rules, list, fault);
}

static void expect_refused(const char *const *paths, size_t count, enum status status, const char *begin,
                           const char *part)
{
    struct source_list list;
    struct fault fault = {.status = STATUS_OK};
    assert_int_equal(build(paths, count, &list, &fault), status);
    assert_int_equal(fault.status, status);
    if (strncmp(fault.message, begin, strlen(begin)) != 0 || strstr(fault.message, part) == NULL)
        fail_msg("\"%s\" is not \"%s…%s\"", fault.message, begin, part);
    assert_int_equal(list.count, 0);
    assert_null(list.items);
    assert_int_equal(build(paths, count, &list, NULL), status);
}

static void expect_path(const char *path, enum status status, const char *part)
{
    char begin[256];
    (void)snprintf(begin, sizeof begin, "%s: ", path[0] == '\0' ? "(empty path)" : path);
    expect_refused(&path, 1, status, begin, part);
}

static void expect_content(const void *bytes, size_t length, const char *part)
{
    put("f", bytes, length);
    expect_path("f", STATUS_INPUT, part);
    assert_int_equal(unlink("f"), 0);
}

#define EXPECT_CONTENT(literal, part) expect_content(literal, sizeof(literal) - 1, part)

static void expect_fine(const void *bytes, size_t length, uint64_t content_start)
{
    put("f", bytes, length);
    const char *path = "f";
    struct source_list list;
    struct fault fault;
    if (build(&path, 1, &list, &fault) != STATUS_OK) fail_msg("%s", fault.message);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.items[0].path, "f");
    assert_int_equal(list.items[0].stamp.size, length);
    assert_int_equal(list.items[0].kind, SOURCE_KIND_FILE);
    assert_int_equal(list.items[0].content_start, content_start);
    source_list_free(&list);
    assert_int_equal(list.count, 0);
    assert_int_equal(unlink("f"), 0);
}

#define EXPECT_FINE(literal, content_start) expect_fine(literal, sizeof(literal) - 1, content_start)

static void forms_of_paths(void **state)
{
    (void)state;
    expect_path("s3://bucket/key", STATUS_NO_SOURCE, "no such file"); /* without a remote it is a path */
    expect_path("*.json", STATUS_NO_SOURCE, "no file has such a name");
    expect_path("none/?.json", STATUS_NO_SOURCE, "no file has such a name");
    expect_path("[ab]", STATUS_NO_SOURCE, "no file has such a name");
    expect_path("", STATUS_NO_SOURCE, "no such file");
    expect_path("none.json", STATUS_NO_SOURCE, "no such file");
    expect_path(".", STATUS_NO_SOURCE, "holds no data files");
    expect_path("/dev/null", STATUS_INPUT, "device, which is read as standard input only");
    assert_int_equal(mkfifo("fifo", 0600), 0);
    expect_path("fifo", STATUS_INPUT, "FIFO, which is read as standard input only");
    assert_int_equal(unlink("fifo"), 0);
    assert_int_equal(symlink("nowhere", "link"), 0);
    expect_path("link", STATUS_NO_SOURCE, "no such file");
    assert_int_equal(unlink("link"), 0);
    put_text("file", "{}\n");
    expect_path("file/in", STATUS_NO_SOURCE, "no such file");
    if (geteuid() != 0) {
        assert_int_equal(chmod("file", 0), 0);
        expect_path("file", STATUS_NO_SOURCE, "may not be read");
    }
    assert_int_equal(unlink("file"), 0);
}

/* A file whose name looks like a pattern is a file. */
static void names_like_globs(void **state)
{
    (void)state;
    static const char *const paths[] = {"a*b", "[x]", "q?", "./-"};
    for (size_t i = 0; i < 4; i++)
        put_text(paths[i], "{}\n");
    struct source_list list;
    struct fault fault;
    assert_int_equal(build(paths, 4, &list, &fault), STATUS_OK);
    assert_int_equal(list.count, 4);
    source_list_free(&list);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(unlink(paths[i]), 0);
}

static void order_and_twice(void **state)
{
    struct fixture *fixture = *state;
    char absolute[96];
    (void)snprintf(absolute, sizeof absolute, "%s/b", fixture->folder);
    put_text("b", "{}\n");
    put_text("a", "{\"x\":1}\n");
    put_text("\xc3\xa4", "");
    put_text("B", "\xef\xbb\xbf{}");
    assert_int_equal(symlink("b", "z"), 0);
    assert_int_equal(link("a", "hard"), 0); /* another name of the same bytes is another file */
    const char *const paths[] = {"z", "\xc3\xa4", "b", "a", "b", "./a", "B", absolute, "hard"};
    struct source_list list;
    struct fault fault;
    assert_int_equal(build(paths, 9, &list, &fault), STATUS_OK);
    assert_int_equal(list.count, 5);
    static const char *const order[] = {"./a", "", "B", "hard", "\xc3\xa4"};
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(list.items[i].path, i == 1 ? absolute : order[i]);
    assert_int_equal(list.items[0].stamp.size, 8);
    assert_int_equal(list.items[2].stamp.size, 5);
    assert_int_equal(list.items[2].content_start, 3);
    assert_int_equal(list.items[4].stamp.size, 0);
    source_list_free(&list);
    static const char *const made[] = {"a", "b", "B", "z", "hard", "\xc3\xa4"};
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(unlink(made[i]), 0);
}

static void first_problem_in_path_order(void **state)
{
    (void)state;
    put_text("b", "PAR1");
    put_text("fine", "{}\n");
    expect_refused((const char *const[]){"zz", "fine", "b"}, 3, STATUS_INPUT, "b: ", "Parquet");
    expect_refused((const char *const[]){"fine", "b", "a"}, 3, STATUS_NO_SOURCE, "a: ", "no such file");
    expect_refused((const char *const[]){"fine", "s3://x/y", "zz"}, 3, STATUS_NO_SOURCE, "s3://x/y: ", "");
    expect_refused((const char *const[]){"zz", "-", "fine"}, 3, STATUS_NO_SOURCE, "zz: ", "no such file");
    assert_int_equal(unlink("b"), 0);
    assert_int_equal(unlink("fine"), 0);
}

static void empty_list(void **state)
{
    (void)state;
    struct source_list list;
    assert_int_equal(build(NULL, 0, &list, NULL), STATUS_OK);
    assert_int_equal(list.count, 0);
    source_list_free(&list);
}

static void binary_contents(void **state)
{
    (void)state;
    EXPECT_CONTENT("BZh9\x31\x41\x59\x26\x53\x59...", "bzip2");
    EXPECT_CONTENT("BZh1\x17\x72\x45\x38\x50\x90", "bzip2");
    EXPECT_CONTENT("\xfd"
                   "7zXZ\0\0\4",
                   "xz");
    EXPECT_CONTENT("\x04\x22\x4d\x18", "lz4");
    EXPECT_CONTENT("PK\3\4\x14", "zip");
    EXPECT_CONTENT("PK\5\6", "zip");
    EXPECT_CONTENT("PK\7\x8", "zip");
    EXPECT_CONTENT("7z\xbc\xaf\x27\x1c", "7-Zip");
    EXPECT_CONTENT("PAR1\x15\4", "Parquet");
    EXPECT_CONTENT("Obj\1", "Avro");
    EXPECT_CONTENT("ORC\n\3\0\0", "ORC");
    char tar[512] = "dump.json";
    memcpy(tar + 257, "ustar", 5);
    expect_content(tar, sizeof tar, "tar archive");
}

static void wide_contents(void **state)
{
    (void)state;
    EXPECT_CONTENT("\xff\xfe{\0", "UTF-16");
    EXPECT_CONTENT("\xfe\xff\0{", "UTF-16");
    EXPECT_CONTENT("\xff\xfe", "UTF-16");
    EXPECT_CONTENT("\xff\xfe\0\0{\0\0\0", "UTF-32");
    EXPECT_CONTENT("\0\0\xfe\xff\0\0\0{", "UTF-32");
    EXPECT_CONTENT("{\0\"\0a\0", "UTF-16");
    EXPECT_CONTENT("\0{\0\"", "UTF-16");
    EXPECT_CONTENT("\n\0", "UTF-16");
    EXPECT_CONTENT("\0\n", "UTF-16");
    EXPECT_CONTENT("{\0\0\0", "UTF-32");
    EXPECT_CONTENT("\0\0\0{", "UTF-32");
}

static void expect_records(const char *text, enum form_kind kind, uint64_t content_start)
{
    const char *path = "f";
    struct source_list list;
    struct fault fault;
    put_text("f", text);
    assert_int_equal(build(&path, 1, &list, &fault), STATUS_OK);
    assert_int_equal(list.items[0].content_start, content_start);
    assert_int_equal(list.items[0].records == NULL ? FORM_NDJSON : list.items[0].records->kind, kind);
    source_list_free(&list);
    assert_int_equal(unlink("f"), 0);
}

static void containers(void **state)
{
    (void)state;
    expect_records("[", FORM_ARRAY, 1);
    expect_records("[\n{}]", FORM_ARRAY, 1);
    expect_records(" \t\r\n[]", FORM_ARRAY, 5);
    expect_records("\xef\xbb\xbf[{}]", FORM_ARRAY, 4);
    expect_records("{\n  \"a\": 1\n}\n", FORM_CONCATENATED, 0);
    expect_records("\xef\xbb\xbf{\n\"a\":1}", FORM_CONCATENATED, 3);
    expect_records("{\"k\":[{\"a\":1}]}", FORM_KEYED_ARRAY, 6);
    expect_records("{\"k\":{\"entity\":{\"a\":1}}}", FORM_ENTITIES, 1);
    expect_records("{\"a\":1}\n", FORM_NDJSON, 0);
}

/* Alike files share what is known of their records. */
static void containers_are_shared(void **state)
{
    (void)state;
    struct source_list list;
    put_text("a", "[{\"a\":1}]");
    put_text("b", "[{\"a\":22}]");
    put_text("c", "[{\"b\":1}]");
    assert_int_equal(build((const char *const[]){"a", "b", "c"}, 3, &list, NULL), STATUS_OK);
    assert_ptr_equal(list.items[0].records, list.items[1].records);
    assert_ptr_not_equal(list.items[0].records, list.items[2].records);
    source_list_free(&list);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(unlink((const char *const[]){"a", "b", "c"}[i]), 0);
}

/* source.format: what does not begin so is refused. */
static void formats_asked_for(void **state)
{
    (void)state;
    const char *const path = "f";
    struct source_list list;
    struct fault fault;
    struct source_list_rules rules = {.paths = &path, .count = 1, .format = FORM_CHOICE_ARRAY};
    put_text("f", "{\"a\":1}\n");
    assert_int_equal(source_list_build(&rules, &list, &fault), STATUS_INPUT);
    assert_non_null(strstr(fault.message, "f: does not begin as a JSON array does"));
    rules.format = FORM_CHOICE_CONCATENATED;
    assert_int_equal(source_list_build(&rules, &list, &fault), STATUS_OK);
    assert_int_equal(list.items[0].records->kind, FORM_CONCATENATED);
    source_list_free(&list);
    assert_int_equal(unlink("f"), 0);
}

static void other_texts(void **state)
{
    (void)state;
    EXPECT_CONTENT("<!DOCTYPE html>\n<p>", "HTML page");
    EXPECT_CONTENT(" \n<HTML lang=\"en\">{", "HTML page");
    EXPECT_CONTENT("\xef\xbb\xbf<html>", "HTML page");
    EXPECT_CONTENT("<?xml version=\"1.0\"?><Error>", "XML document");
    EXPECT_CONTENT("<Error><Code>AccessDenied</Code></Error>", "XML");
    EXPECT_CONTENT("CustomerID,A\n1,x\n", "CSV");
    EXPECT_CONTENT("a;b;c\r\n\r\n1;2;3", "CSV");
    EXPECT_CONTENT("\"a, b\"\tc\n1\t2\n", "CSV");
    EXPECT_CONTENT("a|b\n1|\"{}\"\n", "CSV");
    /* broken records */
    EXPECT_FINE("a,b\n", 0);
    EXPECT_FINE("a,b\n1\n", 0);
    EXPECT_FINE("a,b\n1,2\n{}\n", 0);
    EXPECT_FINE("\"a\":1,\"b\":2}\n\"a\":1,\"b\":2}\n", 0);
    EXPECT_FINE("\"a,b\"\n\"c,d\"\n", 0);
    EXPECT_FINE("<p>\n{}\n", 0);
    EXPECT_FINE("ORC {}\n", 0);
}

/* source.format: ndjson: texts are lines, whatever they look like. */
static void lines_by_order(void **state)
{
    (void)state;
    static const char *const texts[] = {"[\n{}]", "{\n\"a\":1}\n", "a,b\n1,2\n"};
    const char *const path = "f";
    struct source_list_rules const rules = {.paths = &path, .count = 1, .format = FORM_CHOICE_NDJSON};
    struct source_list list;
    struct fault fault;
    for (size_t i = 0; i < 3; i++) {
        put_text("f", texts[i]);
        assert_int_equal(source_list_build(&rules, &list, &fault), STATUS_OK);
        source_list_free(&list);
    }
    put_text("f", "PAR1");
    assert_int_equal(source_list_build(&rules, &list, &fault), STATUS_INPUT);
    put_text("f", "<html>");
    assert_int_equal(source_list_build(&rules, &list, &fault), STATUS_INPUT);
    assert_int_equal(unlink("f"), 0);
}

/* ---- compressed files ---- */

/* Deflate's stored block, so that tests need no library. */
static size_t gzip_of(const char *text, size_t length, uint8_t *out)
{
    static const uint8_t head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1};
    size_t at = sizeof head;
    memcpy(out, head, at);
    out[at++] = (uint8_t)length;
    out[at++] = (uint8_t)(length >> 8);
    out[at++] = (uint8_t)~length;
    out[at++] = (uint8_t)(~length >> 8);
    memcpy(out + at, text, length);
    at += length;
    uint32_t const crc = (uint32_t)checksum_update(CHECKSUM_CRC32, 0, (const uint8_t *)text, length);
    for (int i = 0; i < 4; i++)
        out[at++] = (uint8_t)(crc >> (8 * i));
    for (int i = 0; i < 4; i++)
        out[at++] = (uint8_t)(length >> (8 * i));
    return at;
}

static void expect_packed(const void *bytes, size_t length, enum unpack_form form, unsigned window_log)
{
    put("f", bytes, length);
    const char *path = "f";
    struct source_list list;
    struct fault fault;
    if (build(&path, 1, &list, &fault) != STATUS_OK) fail_msg("%s", fault.message);
    assert_int_equal(list.items[0].kind, SOURCE_KIND_PACKED);
    assert_int_equal(list.items[0].form, form);
    assert_int_equal(list.items[0].window_log, window_log);
    source_list_free(&list);
    assert_int_equal(unlink("f"), 0);
}

static void compressed_files(void **state)
{
    (void)state;
    uint8_t bytes[2048];
    size_t const length = gzip_of("{}\n", 3, bytes);
    for (size_t i = 2; i <= length; i++) /* cut off or not: the run says so */
        expect_packed(bytes, i, UNPACK_GZIP, 0);
    expect_packed("\x1f\x8b\0", 3, UNPACK_GZIP, 0);
    static const uint8_t zstd[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x19, 0, 0, '{', '}', '\n'};
    for (size_t i = 2; i <= sizeof zstd; i++)
        expect_packed(zstd, i, UNPACK_ZSTD, i < 6 ? 0 : 21);
    expect_packed("\x50\x2a\x4d\x18", 4, UNPACK_ZSTD, 0);
    EXPECT_FINE("\x1f", 0);
    EXPECT_FINE("(", 0);
    static const uint8_t huge[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x98, 0x19, 0, 0, '{', '}', '\n'};
    expect_content(huge, sizeof huge, "needs a zstd window of 2^29 bytes");
}

/* What is inside is refused like what is outside. */
static void inside_compressed_files(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"PAR1\x15", "f (gzip): is a Parquet file"},
                                           {"<html>", "f (gzip): is an HTML page"},
                                           {"a,b\n1,2\n", "f (gzip): is CSV"},
                                           {"<html>", "f (gzip): is an HTML page"},
                                           {"\xff\xfe{", "f (gzip): is UTF-16 text"},
                                           {"\x1f\x8b\x08", "f (gzip): is compressed more than once"},
                                           {"\x28\xb5\x2f\xfd", "f (gzip): is compressed more than once"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[256];
        const char *const path = "f";
        size_t const length = gzip_of(cases[i][0], strlen(cases[i][0]), bytes);
        put("f", bytes, length);
        expect_refused(&path, 1, STATUS_INPUT, cases[i][1], "");
    }
    assert_int_equal(unlink("f"), 0);
}

/* ---- many files ---- */

static void expect_files(const char *const *paths, size_t count, const char *const *files, size_t file_count)
{
    struct source_list list;
    struct fault fault;
    if (build(paths, count, &list, &fault) != STATUS_OK) fail_msg("%s", fault.message);
    for (size_t i = 0; i < list.count && i < file_count; i++)
        assert_string_equal(list.items[i].path, files[i]);
    assert_int_equal(list.count, file_count);
    source_list_free(&list);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__})

/* All of them, files before the folders they are in. */
static void remove_all(const char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(remove(paths[i]), 0);
}

static void directories(void **state)
{
    (void)state;
    assert_int_equal(
        mkdir("d", 0700) + mkdir("d/b", 0700) + mkdir("d/_delta_log", 0700) + mkdir("d/.git", 0700), 0);
    expect_path("d", STATUS_NO_SOURCE, "holds no data files");
    static const char *const files[] = {"d/b/x",          "d/b.json", "d/b/_SUCCESS", "d/.x.crc", "d/x.crc",
                                        "d/_delta_log/x", "d/.git/x", "d/crc",        "d/-"};
    for (size_t i = 0; i < 9; i++)
        put_text(files[i], "{}\n");
    assert_int_equal(symlink("..", "d/b/up"), 0);
    assert_int_equal(symlink("b", "d/c"), 0);
    expect_files(NAMES("d"), 1, NAMES("d/-", "d/b.json", "d/b/x", "d/crc"), 4);
    expect_files(NAMES("d/"), 1, NAMES("d/-", "d/b.json", "d/b/x", "d/crc"), 4);
    /* what leads back up is followed as far as to where the walk was */
    expect_files(NAMES("d/c"), 1, NAMES("d/c/up/-", "d/c/up/b.json", "d/c/up/crc", "d/c/x"), 4);
    expect_files(NAMES("d/b/x", "d", "d//b/x"), 3, NAMES("d/-", "d//b/x", "d/b.json", "d/crc"), 4);
    expect_files(NAMES("d/b/_SUCCESS"), 1, NAMES("d/b/_SUCCESS"), 1); /* named, it counts */
    put_text("d/b/x", "PAR1");
    expect_refused(NAMES("d"), 1, STATUS_INPUT, "d/b/x: ", "Parquet");
    if (geteuid() != 0) {
        assert_int_equal(chmod("d/b", 0), 0);
        expect_refused(NAMES("d"), 1, STATUS_NO_SOURCE, "d/b: ", "grant read permission");
        assert_int_equal(chmod("d/b", 0700), 0);
    }
    remove_all(NAMES("d/b/up", "d/c"), 2);
    remove_all(files, 9);
    remove_all(NAMES("d/b", "d/_delta_log", "d/.git", "d"), 4);
}

static void too_deep(void **state)
{
    (void)state;
    char path[400] = "d";
    size_t depth = 1;
    for (; depth <= 65; depth++) {
        assert_int_equal(mkdir(path, 0700), 0);
        (void)strcat(path, "/d");
    }
    expect_refused(NAMES("d"), 1, STATUS_INPUT, "d/d/", "more than 64 directories deep");
    for (; depth > 1; depth--) {
        path[strlen(path) - 2] = '\0';
        assert_int_equal(rmdir(path), 0);
    }
}

static void globs(void **state)
{
    (void)state;
    assert_int_equal(mkdir("e", 0700) + mkdir("e/s", 0700), 0);
    static const char *const files[] = {"e/a1", "e/a2", "e/_SUCCESS", "e/b.crc", "e/s/x", "-", "e/s/.h"};
    for (size_t i = 0; i < 7; i++)
        put_text(files[i], "{}\n");
    expect_files(NAMES("e/a?"), 1, NAMES("e/a1", "e/a2"), 2);
    expect_files(NAMES("e/a[2-9]"), 1, NAMES("e/a2"), 1);
    expect_files(NAMES("e/*"), 1, NAMES("e/a1", "e/a2", "e/s/x"), 3);
    expect_files(NAMES("*/a1", "e/a1"), 2, NAMES("e/a1"), 1);
    expect_files(NAMES("e/_*"), 1, NAMES("e/_SUCCESS"), 1);
    expect_files(NAMES("?"), 1, NAMES("-", "e/a1", "e/a2", "e/s/x"), 4); /* a file of that name */
    expect_files(NAMES("e/s/.*"), 1, NAMES("e/s/.h"), 1);                /* not the directories . and .. */
    expect_files(NAMES("e/s/../s/x*"), 1, NAMES("e/s/../s/x"), 1);
    expect_path("e/*.crc", STATUS_NO_SOURCE, "no file has such a name");
    remove_all(files, 7);
    remove_all(NAMES("e/s", "e"), 2);
}

static void standard_input(void **state)
{
    (void)state;
    put_text("a", "{}\n");
    put_text("+", "{}\n");
    struct source_list list;
    struct fault fault;
    assert_int_equal(build(NAMES("a", "-", "+", "-"), 4, &list, &fault), STATUS_OK);
    assert_int_equal(list.count, 3);
    assert_string_equal(list.items[1].path, "-");
    assert_int_equal(list.items[1].kind, SOURCE_KIND_STANDARD);
    source_list_free(&list);
    remove_all(NAMES("a", "+"), 2);
}

static void manifests(void **state)
{
    (void)state;
    static const char entries[] =
        "{\"flowRunId\":\"x\",\"scheduledTime\":\"2023-08-18T01:00:00Z\",\"exportResults\":["
        "{\"sinkPath\":\"/out/b\",\"name\":\"x.json\",\"size\":3},\n"
        "{\"sinkPath\":\"/out/other\",\"name\":\"y.json\",\"size\":4}]}";
    assert_int_equal(mkdir("m", 0700) + mkdir("m/b", 0700), 0);
    put_text("m/manifest.json", entries);
    put_text("m/b/x.json", "{}\n");
    put_text("m/x.json", "{} \n"); /* that of sinkPath is nearer */
    expect_path("m/y.json", STATUS_NO_SOURCE, "no such file");
    expect_refused(NAMES("m/manifest.json"), 1, STATUS_NO_SOURCE, "m/y.json: is not there",
                   "m/manifest.json names it");
    put_text("m/y.json", "{}\n");
    expect_refused(NAMES("m/manifest.json"), 1, STATUS_NO_SOURCE, "m/y.json: has 3 bytes", "says 4");
    put_text("m/y.json", "{} \n");
    expect_files(NAMES("m/manifest.json"), 1, NAMES("m/b/x.json", "m/y.json"), 2);
    expect_files(NAMES("m"), 1, NAMES("m/b/x.json", "m/x.json", "m/y.json"), 3);
    static const char *const bad[][2] = {
        {"{\"exportResults\":[]}", "names no file"},
        {"{\"exportResults\":[{\"name\":\"x.json\"}]}", "entry 1: has no size"},
        {"{\"exportResults\":[{\"name\":\"x.json\",\"size\":-1}]}", "has no size"},
        {"{\"exportResults\":[{\"size\":1}]}", "has no name"},
        {"{\"exportResults\":[7]}", "has no name"},
        {"{\"exportResults\":[{\"name\":\"x\",\"sinkPath\":7,\"size\":1}]}", "sinkPath is no text"},
        {"{\"exportResults\":[{\"name\":\"../x\",\"size\":1}]}", "leads out"},
        {"{\"exportResults\":[{\"name\":\"x\",\"sinkPath\":\"/a/../..\",\"size\":1}]}", "leads out"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_text("m/manifest.json", bad[i][0]);
        expect_refused(NAMES("m/manifest.json"), 1, i == 0 ? STATUS_NO_SOURCE : STATUS_INPUT,
                       "m/manifest.json: ", bad[i][1]);
    }
    /* cut off, or damaged */
    static const char *const damaged[] = {"{\"exportResults\":[{\"name\":\"x.json\"",
                                          "{ \n\"flowRunId\":\"\\\"x\", \"exportResults\" : [7",
                                          "{\"exportResults\"", "\xef\xbb\xbf{\"exportResults\":[7,]}",
                                          "{\"n\":1,\"exportResults\":[{\"name\":\"x\",\"size\":1}\n"};
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        put_text("m/manifest.json", damaged[i]);
        expect_refused(NAMES("m/manifest.json"), 1, STATUS_INPUT, "m/manifest.json: begins as a manifest",
                       "get it again");
    }
    put_text("m/manifest.json", "\xef\xbb\xbf{\"exportResults\":[{\"name\":\"y.json\",\"size\":4}]}\n");
    expect_files(NAMES("m/manifest.json"), 1, NAMES("m/y.json"), 1);
    /* records that speak of one are records */
    put_text("m/manifest.json", "{\"exportResults\":[1]}\n{\"exportResults\":[1]}\n");
    expect_files(NAMES("m/manifest.json"), 1, NAMES("m/manifest.json"), 1);
    put_text("m/manifest.json", "{\"a\":\"exportResults\"}\n");
    expect_files(NAMES("m/manifest.json"), 1, NAMES("m/manifest.json"), 1);
    put_text("m/manifest.json", "{\"a\":{\"exportResults\":[\n");
    expect_files(NAMES("m/manifest.json"), 1, NAMES("m/manifest.json"), 1);
    remove_all(NAMES("m/manifest.json", "m/b/x.json", "m/x.json", "m/y.json", "m/b", "m"), 6);
}

static void containers_of_records(void **state)
{
    (void)state;
    expect_records("{\"results\":[{\"a\":\"]}\\\"\"},{\"b\":[1]}]}", FORM_KEYED_ARRAY, 12);
    expect_records("\n {\"r\" : [ {} ] } \r\n \n", FORM_KEYED_ARRAY, 10);
    expect_records("\xef\xbb\xbf{\"r\":[{}]}\n", FORM_KEYED_ARRAY, 9);
    expect_records("{\"r\":[\n{\"a\":1},\n{\"a\":2}\n]}\n", FORM_KEYED_ARRAY, 6);
    expect_records("{\"r\": [\r\n  {\n \"a\":1}]}", FORM_KEYED_ARRAY, 7);
    expect_records("{\"n\":1,\"r\":[{}],\n\"m\":\"{}\"}\n", FORM_KEYED_ARRAY, 12);
    expect_records("{\"n\":1,\"r\":[{}],\"m\":\"{}\"}\n", FORM_NDJSON, 0);
    expect_records("{\"x1\":{\"entity\":{\"a\":1}},\"x2\":{}}\n", FORM_ENTITIES, 1);
    expect_records("{\"a\":{\"b\":1,\"entity\":{}}}\n", FORM_ENTITIES, 1);
    /* records that look alike */
    EXPECT_FINE("{\"identities\":[{\"id\":1}],\"a\":2}\n", 0);
    EXPECT_FINE("{\"r\":[1,2]}\n", 0);
    EXPECT_FINE("{\"r\":[]}\n", 0);
    EXPECT_FINE("{\"r\":[{}]}\n{\"r\":[{}]}\n", 0);
    EXPECT_FINE("{\"r\":[{}]}\n\nx", 0);
    EXPECT_FINE("{\"r\":[{}", 0);
    EXPECT_FINE("{\"r\":[", 0);
    EXPECT_FINE("{\"r\":[\n", 0);
    EXPECT_FINE("{\"r\":[\n{\"a\":1}\n{\"a\":2}\n", 0); /* a torn record, then whole ones */
    EXPECT_FINE("{\"a\":{\"entity2\":{}}}\n", 0);
    EXPECT_FINE("{\"a\":{\"entity\":{}}}\n{\"a\":{\"entity\":{}}}\n", 0);
    EXPECT_FINE("{\"a", 0);
    EXPECT_FINE("{\"a\\", 0);
    EXPECT_FINE("{\"a\":", 0);
    EXPECT_FINE("{\"entity\":{\"a\":1}}\n", 0);
}

/* A first line longer than the head. */
static void long_containers(void **state)
{
    (void)state;
    size_t const size = SOURCE_HEAD_BYTES + 100;
    char *const text = malloc(size);
    assert_non_null(text);
    static const char *const begins[] = {"{\"r\":[{\"a\":\"", "{\"x\":{\"entity\":{\"a\":\""};
    for (size_t i = 0; i < 2; i++) {
        memset(text, 'x', size);
        memcpy(text, begins[i], strlen(begins[i]));
        expect_fine(text, size, 0); /* may be the first of many records: how it goes on is not known */
    }
    static const char record[] = "{\"r\":[{\"a\":1}],\"b\":\"";
    memset(text, 'x', size);
    memcpy(text, record, sizeof record - 1);
    expect_fine(text, size, 0);
    static const char two[] = "{\"r\":[{\"a\":1}]}\n";
    memset(text, ' ', size);
    memcpy(text, two, sizeof two - 1);
    text[size - 1] = '{'; /* a second record, behind the head */
    expect_fine(text, size, 0);
    free(text);
}

static void fine_contents(void **state)
{
    (void)state;
    EXPECT_FINE("", 0);
    EXPECT_FINE("\n", 0);
    EXPECT_FINE("{}", 0);
    EXPECT_FINE("{\"a\":1}\n{\"a\":2}\n", 0);
    EXPECT_FINE("{ \"a\":1}\n", 0);
    EXPECT_FINE("\xef\xbb\xbf", 3);
    EXPECT_FINE("\xef\xbb\xbf{}\n", 3);
    EXPECT_FINE("\xef\xbb", 0); /* no mark: a record that is not UTF-8 */
    EXPECT_FINE("\xef\xbb\xbf\x1f\x8b", 3);
    /* broken first records must not take their neighbours with them */
    EXPECT_FINE("{", 0);
    EXPECT_FINE("{\n", 0);
    EXPECT_FINE("{\n{\"a\":1}\n", 0);
    EXPECT_FINE("{\0{}\n{}\n", 0);
    EXPECT_FINE("\0\0\0\0\n{}\n", 0);
    EXPECT_FINE("\0", 0);
    EXPECT_FINE("\x1f", 0);
    EXPECT_FINE("BZh9{}\n{}\n", 0);
    EXPECT_FINE("PARENT\n{}\n", 0);
    EXPECT_FINE("]\n{}\n", 0);
    EXPECT_FINE("\x60\x2a\x4d\x18", 0); /* one behind the skippable frames */
}

/* What stands behind the head does not matter; a head that is blank says nothing. */
static void only_the_head_counts(void **state)
{
    (void)state;
    size_t const size = SOURCE_HEAD_BYTES + 10;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, ' ', size);
    text[SOURCE_HEAD_BYTES] = '[';
    expect_fine(text, size, 0);
    text[SOURCE_HEAD_BYTES - 1] = '[';
    expect_fine(text, size, SOURCE_HEAD_BYTES);
    memset(text, ' ', size);
    memcpy(text, "{\n", 2);
    text[SOURCE_HEAD_BYTES] = '"';
    expect_fine(text, size, 0);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(forms_of_paths, setup, teardown),
        cmocka_unit_test_setup_teardown(names_like_globs, setup, teardown),
        cmocka_unit_test_setup_teardown(order_and_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(first_problem_in_path_order, setup, teardown),
        cmocka_unit_test_setup_teardown(empty_list, setup, teardown),
        cmocka_unit_test_setup_teardown(binary_contents, setup, teardown),
        cmocka_unit_test_setup_teardown(wide_contents, setup, teardown),
        cmocka_unit_test_setup_teardown(containers, setup, teardown),
        cmocka_unit_test_setup_teardown(containers_are_shared, setup, teardown),
        cmocka_unit_test_setup_teardown(formats_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(other_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_by_order, setup, teardown),
        cmocka_unit_test_setup_teardown(compressed_files, setup, teardown),
        cmocka_unit_test_setup_teardown(inside_compressed_files, setup, teardown),
        cmocka_unit_test_setup_teardown(directories, setup, teardown),
        cmocka_unit_test_setup_teardown(too_deep, setup, teardown),
        cmocka_unit_test_setup_teardown(globs, setup, teardown),
        cmocka_unit_test_setup_teardown(standard_input, setup, teardown),
        cmocka_unit_test_setup_teardown(manifests, setup, teardown),
        cmocka_unit_test_setup_teardown(containers_of_records, setup, teardown),
        cmocka_unit_test_setup_teardown(long_containers, setup, teardown),
        cmocka_unit_test_setup_teardown(fine_contents, setup, teardown),
        cmocka_unit_test_setup_teardown(only_the_head_counts, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
