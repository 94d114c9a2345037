/* test_source_list.c - which paths and which first bytes are taken, refused, and in what order. Thread: main.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* needs those above */

#include "io/input/source_list.h"

#include <stdbool.h>
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

static void expect_refused(const char *const *paths, size_t count, enum status status, const char *begin,
                           const char *part)
{
    struct source_list list;
    struct fault fault = {.status = STATUS_OK};
    assert_int_equal(source_list_build(paths, count, &list, &fault), status);
    assert_int_equal(fault.status, status);
    if (strncmp(fault.message, begin, strlen(begin)) != 0 || strstr(fault.message, part) == NULL)
        fail_msg("\"%s\" is not \"%s…%s\"", fault.message, begin, part);
    assert_int_equal(list.count, 0);
    assert_null(list.items);
    assert_int_equal(source_list_build(paths, count, &list, NULL), status);
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
    if (source_list_build(&path, 1, &list, &fault) != STATUS_OK) fail_msg("%s", fault.message);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.items[0].path, "f");
    assert_int_equal(list.items[0].size, length);
    assert_int_equal(list.items[0].content_start, content_start);
    source_list_free(&list);
    assert_int_equal(list.count, 0);
    assert_int_equal(unlink("f"), 0);
}

#define EXPECT_FINE(literal, content_start) expect_fine(literal, sizeof(literal) - 1, content_start)

static void forms_of_paths(void **state)
{
    (void)state;
    expect_path("-", STATUS_INPUT, "standard input is not supported yet");
    expect_path("s3://bucket/key", STATUS_INPUT, "S3 is not supported yet");
    expect_path("*.json", STATUS_INPUT, "globs are not supported yet");
    expect_path("none/?.json", STATUS_INPUT, "globs are not supported yet");
    expect_path("[ab]", STATUS_INPUT, "globs are not supported yet");
    expect_path("", STATUS_NO_SOURCE, "no such file");
    expect_path("none.json", STATUS_NO_SOURCE, "no such file");
    expect_path(".", STATUS_INPUT, "directory, which is not supported yet");
    expect_path("/dev/null", STATUS_INPUT, "device, which is not supported yet");
    assert_int_equal(mkfifo("fifo", 0600), 0);
    expect_path("fifo", STATUS_INPUT, "FIFO, which is not supported yet");
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
    assert_int_equal(source_list_build(paths, 4, &list, &fault), STATUS_OK);
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
    assert_int_equal(source_list_build(paths, 9, &list, &fault), STATUS_OK);
    assert_int_equal(list.count, 5);
    static const char *const order[] = {"./a", "", "B", "hard", "\xc3\xa4"};
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(list.items[i].path, i == 1 ? absolute : order[i]);
    assert_int_equal(list.items[0].size, 8);
    assert_int_equal(list.items[2].size, 5);
    assert_int_equal(list.items[2].content_start, 3);
    assert_int_equal(list.items[4].size, 0);
    source_list_free(&list);
    static const char *const made[] = {"a", "b", "B", "z", "hard", "\xc3\xa4"};
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(unlink(made[i]), 0);
}

static void first_problem_in_path_order(void **state)
{
    (void)state;
    put_text("b", "[1]");
    put_text("fine", "{}\n");
    expect_refused((const char *const[]){"zz", "fine", "b"}, 3, STATUS_INPUT, "b: ", "array");
    expect_refused((const char *const[]){"fine", "b", "a"}, 3, STATUS_NO_SOURCE, "a: ", "no such file");
    expect_refused((const char *const[]){"fine", "s3://x/y", "zz"}, 3, STATUS_INPUT, "s3://x/y: ", "S3");
    expect_refused((const char *const[]){"zz", "fine", "-"}, 3, STATUS_INPUT, "-: ", "standard input");
    assert_int_equal(unlink("b"), 0);
    assert_int_equal(unlink("fine"), 0);
}

static void empty_list(void **state)
{
    (void)state;
    struct source_list list;
    assert_int_equal(source_list_build(NULL, 0, &list, NULL), STATUS_OK);
    assert_int_equal(list.count, 0);
    source_list_free(&list);
}

static void binary_contents(void **state)
{
    (void)state;
    EXPECT_CONTENT("\x1f\x8b", "gzip, which is not supported yet");
    EXPECT_CONTENT("\x1f\x8b\x08\0\0", "gzip");
    EXPECT_CONTENT("\x28\xb5\x2f\xfd\0", "zstd, which is not supported yet");
    EXPECT_CONTENT("\x50\x2a\x4d\x18", "zstd");
    EXPECT_CONTENT("\x5f\x2a\x4d\x18zz", "zstd");
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

static void text_contents(void **state)
{
    (void)state;
    EXPECT_CONTENT("[", "JSON array, which is not supported yet");
    EXPECT_CONTENT("[\n{}]", "array");
    EXPECT_CONTENT(" \t\r\n[]", "array");
    EXPECT_CONTENT("\xef\xbb\xbf[{}]", "array");
    EXPECT_CONTENT("\xef\xbb\xbf\n [{}]", "array");
    EXPECT_CONTENT("{\n  \"a\": 1\n}\n", "pretty-printed");
    EXPECT_CONTENT("\r\n{ \t\r\n\r\n\"a\": 1\n}\n", "pretty-printed");
    EXPECT_CONTENT("\xef\xbb\xbf{\n\"a\":1}", "pretty-printed");
    EXPECT_CONTENT("{\n}\n{\n}\n", "pretty-printed");
}

static void containers_of_records(void **state)
{
    (void)state;
    EXPECT_CONTENT("{\"results\":[{\"a\":\"]}\\\"\"},{\"b\":[1]}]}", "array under a key");
    EXPECT_CONTENT("\n {\"r\" : [ {} ] } \r\n \n", "array under a key");
    EXPECT_CONTENT("\xef\xbb\xbf{\"r\":[{}]}\n", "array under a key");
    EXPECT_CONTENT("{\"r\":[\n{\"a\":1},\n{\"a\":2}\n]}\n", "array under a key");
    EXPECT_CONTENT("{\"r\": [\r\n  {\n \"a\":1}]}", "array under a key");
    EXPECT_CONTENT("{\"r\":[\n]}\n", "array under a key");
    EXPECT_CONTENT("{\"x1\":{\"entity\":{\"a\":1}},\"x2\":{}}\n", "map of entities");
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
    EXPECT_FINE("{\"a\":{\"b\":1,\"entity\":{}}}\n", 0);
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
    size_t const size = SOURCE_LIST_HEAD_BYTES + 100;
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
    size_t const size = SOURCE_LIST_HEAD_BYTES + 10;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, ' ', size);
    text[SOURCE_LIST_HEAD_BYTES] = '[';
    expect_fine(text, size, 0);
    text[SOURCE_LIST_HEAD_BYTES - 1] = '[';
    expect_content(text, size, "array");
    memset(text, ' ', size);
    memcpy(text, "{\n", 2);
    text[SOURCE_LIST_HEAD_BYTES] = '"';
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
        cmocka_unit_test_setup_teardown(text_contents, setup, teardown),
        cmocka_unit_test_setup_teardown(containers_of_records, setup, teardown),
        cmocka_unit_test_setup_teardown(long_containers, setup, teardown),
        cmocka_unit_test_setup_teardown(fine_contents, setup, teardown),
        cmocka_unit_test_setup_teardown(only_the_head_counts, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
