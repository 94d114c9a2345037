/* test_source_stream.c - files and pipes read front to back: whole, slow, cut off at every byte, changed
 * meanwhile, stopped. The files are of tests/data (test_unpack.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/stream_cut.h"
#include "io/input/source_stream.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ROOM (1u << 16)

struct bytes {
    uint8_t at[ROOM];
    size_t length;
};

static struct bytes load(const char *name)
{
    char path[512];
    struct bytes bytes;
    (void)snprintf(path, sizeof path, "%s/%s", TESTS_DATA, name);
    FILE *const file = fopen(path, "rb");
    assert_non_null(file);
    bytes.length = fread(bytes.at, 1, sizeof bytes.at, file);
    (void)fclose(file);
    return bytes;
}

/* What the files but the zeros hold. */
static struct bytes text(void)
{
    struct bytes bytes = {.length = 0};
    for (unsigned i = 0; i < 400; i++)
        bytes.length += (size_t)sprintf((char *)bytes.at + bytes.length, "row %u,%u\n", i, i * i);
    return bytes;
}

/* ---- files ---- */

static char file[64]; /* of this process alone */

static void put(const void *bytes, size_t length)
{
    FILE *const out = fopen(file, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, length, out), length);
    assert_int_equal(fclose(out), 0);
}

/* The file as a list would have it. */
static struct source *listed(const void *bytes, size_t length)
{
    struct stat about;
    struct fault fault;
    put(bytes, length);
    assert_int_equal(stat(file, &about), 0);
    struct source_stream_rules const rules = {.path = file,
                                              .form = source_head_form(bytes, length, true),
                                              .stamp = source_stamp_of(&about),
                                              .window_log_max = UNPACK_WINDOW_LOG_LEAST};
    struct source *const source = source_stream_create(&rules, &fault);
    assert_non_null(source);
    return source;
}

/* `lines`: what it holds is not judged. */
static struct source *standard_input(bool lines)
{
    struct fault fault;
    struct source_stream_rules const rules = {.path = "-",
                                              .is_standard_input = true,
                                              .window_log_max = UNPACK_WINDOW_LOG_LEAST,
                                              .format = lines ? FORM_CHOICE_NDJSON : FORM_CHOICE_AUTO};
    struct source *const source = source_stream_create(&rules, &fault);
    assert_non_null(source);
    return source;
}

/* Reads to the end, in pieces of `room` bytes. */
static enum status read_all(struct source *source, size_t room, struct bytes *out, struct fault *fault)
{
    struct stream *const stream = source->stream;
    size_t length = 1;
    out->length = 0;
    enum status status = stream->open(stream, fault);
    while (status == STATUS_OK && length != 0) {
        length = 0;
        assert_true(out->length + room <= ROOM);
        status = stream->read(stream, out->at + out->length, room, &length, fault);
        out->length += length;
    }
    stream->close(stream);
    return status;
}

static int open_descriptors(void)
{
    int count = 0;
    for (int descriptor = 0; descriptor < 256; descriptor++)
        count += fcntl(descriptor, F_GETFD) != -1;
    return count;
}

static void reads_files_of_all_forms(void **state)
{
    (void)state;
    static const char *const names[] = {"one.gz",    "members.gz", "headers.gz", "fixed.gz",
                                        "stored.gz", "one.zst",    "frames.zst"};
    struct bytes const wanted = text();
    int const descriptors = open_descriptors();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct bytes const stored = load(names[i]);
        for (size_t room = 1; room < 10000; room = room * 3 + 1) {
            struct bytes got;
            struct fault fault;
            struct source *const source = listed(stored.at, stored.length);
            assert_int_equal(source->size, 0);
            if (read_all(source, room, &got, &fault) != STATUS_OK)
                fail_msg("%s: %s", names[i], fault.message);
            assert_int_equal(got.length, wanted.length);
            assert_memory_equal(got.at, wanted.at, wanted.length);
            assert_int_equal(source_stream_check(source, &fault), STATUS_OK);
            assert_int_equal(source_stream_stored(source), stored.length);
            assert_int_equal(open_descriptors(), descriptors);
            source_stream_destroy(source);
        }
    }
}

static void can_be_read_again(void **state)
{
    (void)state;
    struct bytes const stored = load("one.gz"), wanted = text();
    struct bytes got;
    struct fault fault;
    struct source *const source = listed(stored.at, stored.length);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(read_all(source, 100, &got, &fault), STATUS_OK);
        assert_int_equal(got.length, wanted.length);
        assert_int_equal(source_stream_stored(source), stored.length);
    }
    source_stream_destroy(source);
}

/* ---- damage ---- */

/* All that a cut at `end` leaves comes first, then the failure. */
static void expect_cut_off(const struct bytes *stored, size_t end, const struct bytes *wanted)
{
    struct bytes got;
    struct fault fault;
    struct source *const source = listed(stored->at, end);
    enum status const status = read_all(source, 333, &got, &fault);
    assert_true(got.length <= wanted->length);
    assert_memory_equal(got.at, wanted->at, got.length);
    if (status == STATUS_OK) { /* between two members */
        assert_false(source->stream->damaged);
        assert_true(end < 2 || got.length < wanted->length);
    } else {
        assert_int_equal(status, STATUS_IO);
        assert_true(source->stream->damaged);
        assert_non_null(strstr(fault.message, file));
        assert_non_null(strstr(fault.message, "cut off"));
        assert_non_null(strstr(fault.message, "skip_rest"));
    }
    assert_int_equal(source_stream_check(source, &fault), STATUS_OK);
    source_stream_destroy(source);
}

static void is_cut_off_at_every_byte(void **state)
{
    (void)state;
    static const char *const names[] = {"one.gz", "members.gz", "one.zst", "frames.zst"};
    struct bytes const wanted = text();
    for (size_t i = 0; i < 4; i++) {
        struct bytes const stored = load(names[i]);
        for (size_t end = 2; end < stored.length; end++)
            expect_cut_off(&stored, end, &wanted);
    }
}

/* The same through the cutter: whole lines first, then one block that says what happened, forgiven or not. */
static void is_forgiven_at_every_byte(void **state)
{
    (void)state;
    struct bytes const stored = load("one.gz"), wanted = text();
    for (size_t end = 2; end < stored.length; end++) {
        for (int forgives = 0; forgives < 2; forgives++) {
            struct stream_cut cut;
            static uint8_t room[ROOM + LIMIT_PADDING];
            struct stream_block block = {.bytes = room, .capacity = ROOM};
            struct stream_cut_rules const rules = {
                .max_record = 1000, .forgives = forgives != 0, .block_bytes = ROOM};
            struct source *const source = listed(stored.at, end);
            size_t lines = 0, in_record = 0;
            stream_cut_start(&cut, source->stream, &rules);
            do {
                assert_int_equal(stream_cut_next(&cut, &block), STREAM_CUT_BLOCK);
                if (block.kind == STREAM_LINES) lines += block.length;
                in_record = block.length;
            } while (!block.final);
            assert_int_equal(block.kind, forgives ? STREAM_TRUNCATED : STREAM_BROKEN);
            assert_true(lines == 0 || wanted.at[lines - 1] == '\n');
            assert_true(lines + in_record <= wanted.length);
            stream_cut_end(&cut);
            source_stream_destroy(source);
        }
    }
}

static void expect_failure(const void *bytes, size_t length, enum status status, bool damaged,
                           const char *part)
{
    struct bytes got;
    struct fault fault;
    struct source *const source = listed(bytes, length);
    assert_int_equal(read_all(source, 1000, &got, &fault), status);
    if (strstr(fault.message, part) == NULL) fail_msg("\"%s\" does not say \"%s\"", fault.message, part);
    assert_int_equal(source->stream->damaged, damaged);
    source_stream_destroy(source);
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    struct bytes stored = load("one.gz");
    stored.at[stored.length] = 'x';
    expect_failure(stored.at, stored.length + 1, STATUS_IO, true, "stands behind a member, at byte 2060");
    stored.at[stored.length - 8] ^= 1;
    expect_failure(stored.at, stored.length, STATUS_IO, true, "another checksum");
    expect_failure("\x1f\x8b\x07\0", 4, STATUS_IO, true, "header");
    stored = load("window.zst");
    expect_failure(stored.at, stored.length, STATUS_INPUT, false, "raise --memory-limit");
    static const uint8_t dictionary[] = {0x28, 0xb5, 0x2f, 0xfd, 0x01, 0x58, 0x09,
                                         0x19, 0,    0,    '{',  '}',  '\n'};
    expect_failure(dictionary, sizeof dictionary, STATUS_INPUT, false, "-D DICTIONARY");
}

/* ---- changes ---- */

static void sees_changes(void **state)
{
    (void)state;
    struct bytes const stored = load("one.gz");
    struct bytes got;
    struct fault fault;
    size_t length;
    /* before it is opened */
    struct source *source = listed(stored.at, stored.length);
    put(stored.at, stored.length - 1);
    assert_int_equal(read_all(source, 1000, &got, &fault), STATUS_IO);
    assert_non_null(strstr(fault.message, "became shorter"));
    source_stream_destroy(source);
    /* while it is read: said in place of the damage that comes of it */
    source = listed(stored.at, stored.length);
    assert_int_equal(source->stream->open(source->stream, &fault), STATUS_OK);
    assert_int_equal(truncate(file, 1000), 0);
    enum status status = STATUS_OK;
    while (status == STATUS_OK)
        status = source->stream->read(source->stream, got.at, 1000, &length, &fault);
    assert_false(source->stream->damaged);
    assert_non_null(strstr(fault.message, "became shorter"));
    source->stream->close(source->stream);
    assert_int_equal(source_stream_check(source, &fault), STATUS_IO);
    source_stream_destroy(source);
    /* with all that was asked for read */
    source = listed(stored.at, stored.length);
    assert_int_equal(source->stream->open(source->stream, &fault), STATUS_OK);
    assert_int_equal(source->stream->read(source->stream, got.at, 1000, &length, &fault), STATUS_OK);
    FILE *const more = fopen(file, "ab");
    assert_int_equal(fputc('x', more), 'x');
    assert_int_equal(fclose(more), 0);
    source->stream->close(source->stream);
    assert_int_equal(source_stream_check(source, &fault), STATUS_IO);
    assert_non_null(strstr(fault.message, "grew"));
    source_stream_destroy(source);
    /* gone */
    source = listed(stored.at, stored.length);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(read_all(source, 1000, &got, &fault), STATUS_NO_SOURCE);
    source_stream_destroy(source);
}

/* ---- standard input ---- */

struct writer {
    const uint8_t *bytes;
    size_t length, piece;
    long pause_ns;
    int out;
    pthread_t thread;
};

static void *write_slowly(void *argument)
{
    struct writer *const writer = argument;
    for (size_t at = 0; at < writer->length;) {
        size_t const left = writer->length - at, piece = left < writer->piece ? left : writer->piece;
        if (write(writer->out, writer->bytes + at, piece) != (ssize_t)piece) break;
        at += piece;
        struct timespec const pause = {.tv_nsec = writer->pause_ns};
        (void)nanosleep(&pause, NULL);
    }
    (void)close(writer->out);
    return NULL;
}

/* Standard input becomes the reading end of a pipe into which the bytes go. */
static void pipe_in(struct writer *writer)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    (void)close(ends[0]);
    writer->out = ends[1];
    assert_int_equal(pthread_create(&writer->thread, NULL, write_slowly, writer), 0);
}

static void pipe_out(struct writer *writer)
{
    assert_int_equal(pthread_join(writer->thread, NULL), 0);
    int const nothing = open("/dev/null", O_RDONLY);
    assert_int_equal(dup2(nothing, STDIN_FILENO), STDIN_FILENO);
    (void)close(nothing);
}

static void reads_pipes(void **state)
{
    (void)state;
    static const char *const names[] = {"one.gz", "frames.zst", NULL};
    struct bytes const wanted = text();
    for (size_t i = 0; i < 3; i++) {
        struct bytes const stored = names[i] == NULL ? wanted : load(names[i]);
        static const size_t pieces[] = {1, 100, ROOM};
        for (size_t p = 0; p < 3; p++) {
            struct writer writer = {.bytes = stored.at, .length = stored.length, .piece = pieces[p]};
            writer.pause_ns = pieces[p] == 100 ? 1000000 : 0;
            struct bytes got;
            struct fault fault;
            struct source *const source = standard_input(true);
            pipe_in(&writer);
            if (read_all(source, 777, &got, &fault) != STATUS_OK) fail_msg("%s", fault.message);
            pipe_out(&writer);
            assert_int_equal(got.length, wanted.length);
            assert_memory_equal(got.at, wanted.at, wanted.length);
            assert_int_equal(source_stream_check(source, &fault), STATUS_OK);
            assert_int_equal(source_stream_stored(source), stored.length);
            assert_int_equal(source_stream_form(source), i == 0   ? UNPACK_GZIP
                                                         : i == 1 ? UNPACK_ZSTD
                                                                  : UNPACK_PLAIN);
            source_stream_destroy(source);
        }
    }
}

static void expect_refused(const void *bytes, size_t length, enum status status, bool damaged,
                           const char *part)
{
    struct writer writer = {.bytes = bytes, .length = length, .piece = 1};
    struct bytes got;
    struct fault fault;
    struct source *const source = standard_input(damaged);
    pipe_in(&writer);
    assert_int_equal(read_all(source, 1000, &got, &fault), status);
    pipe_out(&writer);
    if (strncmp(fault.message, "-", 1) != 0 || strstr(fault.message, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", fault.message, part);
    assert_int_equal(source->stream->damaged, damaged);
    source_stream_destroy(source);
}

static void judges_standard_input(void **state)
{
    (void)state;
    struct bytes const stored = load("one.gz");
    expect_refused("PAR1\x15\4", 6, STATUS_INPUT, false, "-: is a Parquet file");
    expect_refused("{\0\"\0", 4, STATUS_INPUT, false, "-: is UTF-16 text");
    expect_refused("a,b\n1,2\n", 8, STATUS_INPUT, false, "-: is CSV");
    expect_refused("<html>", 6, STATUS_INPUT, false, "-: is an HTML page");
    expect_refused("\x28\xb5\x2f\xfd\x20\x06\x31\0\0<html>", 15, STATUS_INPUT, false,
                   "- (zstd): is an HTML page");
    expect_refused(stored.at, 1000, STATUS_IO, true, "cut off");
    expect_refused(stored.at, 2, STATUS_IO, true, "cut off");
    struct writer writer = {.length = 0};
    struct bytes got;
    struct fault fault;
    struct source *const source = standard_input(true);
    pipe_in(&writer);
    assert_int_equal(read_all(source, 1000, &got, &fault), STATUS_OK);
    pipe_out(&writer);
    assert_int_equal(got.length, 0);
    source_stream_destroy(source);
}

/* Standard input whose first record ends `pad` bytes behind its front: the kind that is told, and its bytes.
 */
static void expect_told(const char *before, size_t pad, const char *after, enum form_kind kind)
{
    size_t const length = strlen(before) + pad + strlen(after);
    uint8_t *const bytes = malloc(length), *const got = malloc(length + 1);
    assert_true(bytes != NULL && got != NULL);
    memcpy(bytes, before, strlen(before));
    memset(bytes + strlen(before), 'x', pad);
    memcpy(bytes + strlen(before) + pad, after, strlen(after));
    struct writer writer = {.bytes = bytes, .length = length, .piece = 100000};
    struct fault fault;
    struct source *const source = standard_input(false);
    struct stream *const stream = source->stream;
    pipe_in(&writer);
    assert_int_equal(stream->open(stream, &fault), STATUS_OK);
    size_t at = 0;
    for (size_t more = 1; more != 0; at += more)
        assert_int_equal(stream->read(stream, got + at, length + 1 - at, &more, &fault), STATUS_OK);
    assert_int_equal(stream->form == NULL ? FORM_NDJSON : stream->form->kind, kind);
    stream->close(stream);
    pipe_out(&writer);
    assert_int_equal(at, length);
    assert_memory_equal(got, bytes, length);
    source_stream_destroy(source);
    free(bytes);
    free(got);
}

static void looks_as_far_as_into_files(void **state)
{
    (void)state;
    for (size_t pad = SOURCE_HEAD_BYTES / 2; pad < SOURCE_HEAD_BYTES_MAX; pad = pad * 3 + 1000) {
        expect_told("{\"k\":{\"entity\":{\"a\":\"", pad, "\"}},\"l\":{\"entity\":{}}}", FORM_ENTITIES);
        expect_told("{\"all\":[{\"a\":\"", pad, "\"},{\"b\":1}]}", FORM_KEYED_ARRAY);
        expect_told("{\"a\":\"", pad, "\"}{\"b\":1}", FORM_CONCATENATED);
        expect_told("{\"a\":\"", pad, "\"}\n{\"b\":1}\n", FORM_NDJSON);
        expect_told("{\n\"a\":\"", pad, "\"\n}\n{\n\"b\":1\n}\n", FORM_CONCATENATED);
    }
    expect_told("{\"a\":\"", SOURCE_HEAD_BYTES_MAX, "\"}{\"b\":1}", FORM_NDJSON); /* no further */
}

static atomic_uint looks;

static bool stopped(void *context)
{
    (void)context;
    return atomic_fetch_add(&looks, 1) == 2;
}

static void ends_when_it_is_stopped(void **state)
{
    (void)state;
    int ends[2];
    struct bytes got;
    struct fault fault;
    struct source *const source = standard_input(true);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    source->stream->stopped = stopped;
    assert_int_equal(read_all(source, 1000, &got, &fault), STATUS_IO); /* nobody ever writes */
    assert_int_equal(atomic_load(&looks), 3);
    assert_false(source->stream->damaged);
    (void)close(ends[0]);
    (void)close(ends[1]);
    source_stream_destroy(source);
}

/* Redirected, it can be seen to change. */
static void standard_input_may_be_a_file(void **state)
{
    (void)state;
    struct bytes const wanted = text();
    struct bytes got;
    struct fault fault;
    size_t length;
    put(wanted.at, wanted.length);
    int const in = open(file, O_RDONLY);
    assert_int_equal(dup2(in, STDIN_FILENO), STDIN_FILENO);
    struct source *source = standard_input(true);
    assert_int_equal(read_all(source, 1000, &got, &fault), STATUS_OK);
    assert_int_equal(got.length, wanted.length);
    assert_int_equal(source_stream_check(source, &fault), STATUS_OK);
    source_stream_destroy(source);
    assert_int_equal(lseek(STDIN_FILENO, 0, SEEK_SET), 0);
    source = standard_input(true);
    assert_int_equal(source->stream->open(source->stream, &fault), STATUS_OK);
    assert_int_equal(source->stream->read(source->stream, got.at, 1000, &length, &fault), STATUS_OK);
    assert_int_equal(truncate(file, 5), 0);
    source->stream->close(source->stream);
    assert_int_equal(source_stream_check(source, &fault), STATUS_IO);
    source_stream_destroy(source);
    (void)close(in);
    assert_int_equal(unlink(file), 0);
}

int main(void)
{
    (void)snprintf(file, sizeof file, "/tmp/test_source_stream.%ld", (long)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_files_of_all_forms),
        cmocka_unit_test(can_be_read_again),
        cmocka_unit_test(is_cut_off_at_every_byte),
        cmocka_unit_test(is_forgiven_at_every_byte),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(sees_changes),
        cmocka_unit_test(reads_pipes),
        cmocka_unit_test(judges_standard_input),
        cmocka_unit_test(looks_as_far_as_into_files),
        cmocka_unit_test(ends_when_it_is_stopped),
        cmocka_unit_test(standard_input_may_be_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
