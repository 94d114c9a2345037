/* test_trace.c - the trace's text, what it replaces and what not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/output/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/test_trace_XXXXXX";
static uint64_t clock_by_hand;

static uint64_t now(void)
{
    return clock_by_hand;
}

static int enter(void **state)
{
    (void)state;
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int leave(void **state)
{
    char command[sizeof folder + 20];
    (void)state;
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return chdir("/") != 0 || system(command) != 0;
}

/* One worker, with room for one span, and main; beside them the second of two decoders. */
struct desk {
    struct track tracks[2], decoder;
    struct trace_beside beside;
    struct trace trace;
};

static void desk_start(struct desk *desk)
{
    clock_by_hand = 1000000;
    assert_true(track_init(&desk->tracks[0], now, 1) && track_init(&desk->tracks[1], now, 4));
    desk->trace = (struct trace){.version = "1.0",
                                 .run_id = "a\"b",
                                 .began = 1000000,
                                 .tracks = desk->tracks,
                                 .workers = 1,
                                 .beside = &desk->beside,
                                 .beside_count = 1};
    assert_true(track_init(&desk->decoder, now, 1));
    desk->beside = (struct trace_beside){.kind = "decoder", .number = 1, .track = &desk->decoder};
    struct track_mark const convert = track_begin(&desk->tracks[0]);
    clock_by_hand += 1500;
    struct track_mark const wait = track_begin(&desk->tracks[0]);
    clock_by_hand += 2000;
    track_end(&desk->tracks[0], wait, TRACK_WAIT_CHUNK, 0);
    track_end(&desk->tracks[0], convert, TRACK_CONVERT, 99);
    struct track_mark const write = track_begin(&desk->tracks[1]);
    clock_by_hand += 1;
    track_end(&desk->tracks[1], write, TRACK_WRITE, 5);
    for (unsigned i = 0; i < 3; i++) {
        struct track_mark const inflate = track_begin(&desk->decoder);
        clock_by_hand += 3000;
        track_end(&desk->decoder, inflate, TRACK_INFLATE, 7);
    }
}

static void desk_end(struct desk *desk)
{
    track_free(&desk->tracks[0]);
    track_free(&desk->tracks[1]);
    track_free(&desk->decoder);
}

static void read_all(const char *path, char text[4096])
{
    FILE *const file = fopen(path, "r");
    assert_non_null(file);
    memset(text, 0, 4096);
    (void)fread(text, 1, 4095, file);
    fclose(file);
}

static const char spans[] =
    "\"displayTimeUnit\":\"ms\",\n"
    "\"traceEvents\":[\n"
    "{\"ph\":\"M\",\"pid\":1,\"tid\":0,\"name\":\"thread_name\",\"args\":{\"name\":\"assembler\","
    "\"droppedSpans\":0}},\n"
    "{\"ph\":\"X\",\"pid\":1,\"tid\":0,\"cat\":\"busy\",\"name\":\"write\",\"ts\":3.500,\"dur\":0.001,"
    "\"args\":{\"own\":0.001,\"bytes\":5}},\n"
    "{\"ph\":\"M\",\"pid\":1,\"tid\":1,\"name\":\"thread_name\",\"args\":{\"name\":\"worker 0\","
    "\"droppedSpans\":1}},\n"
    "{\"ph\":\"X\",\"pid\":1,\"tid\":1,\"cat\":\"waiting\",\"name\":\"wait for an empty chunk\",\"ts\":1.500,"
    "\"dur\":2.000,\"args\":{\"own\":2.000,\"bytes\":0}},\n"
    "{\"ph\":\"M\",\"pid\":1,\"tid\":2,\"name\":\"thread_name\",\"args\":{\"name\":\"decoder 1\","
    "\"droppedSpans\":2}},\n"
    "{\"ph\":\"X\",\"pid\":1,\"tid\":2,\"cat\":\"busy\",\"name\":\"inflate\",\"ts\":3.501,\"dur\":3.000,"
    "\"args\":{\"own\":3.000,\"bytes\":7}}\n"
    "]}\n";

static void writes_threads_and_sums(void **state)
{
    (void)state;
    struct desk desk;
    struct fault fault = {0};
    char text[4096];
    desk_start(&desk);
    assert_int_equal(trace_write(&desk.trace, "t.json", &fault), STATUS_OK);
    read_all("t.json", text);
    const char *const events = strstr(text, "\"displayTimeUnit\"");
    assert_non_null(events);
    assert_string_equal(events, spans);
    assert_non_null(strstr(text, "{\"otherData\":{\"tool\":\"penstock\",\"version\":\"1.0\",\"runId\":"
                                 "\"a\\\"b\",\"workers\":1,\"droppedSpans\":3,\"acts\":{\"read\":"));
    assert_non_null(strstr(text, "\"convert\":{\"microseconds\":1.500,\"bytes\":99}"));
    assert_non_null(strstr(text, "\"inflate\":{\"microseconds\":0.000,\"bytes\":0},"));
    assert_non_null(strstr(text, "\"wait for the network\":{\"microseconds\":0.000,\"bytes\":0}},\"beside\":{"
                                 "\"decoder 1\":{\"inflate\":{\"microseconds\":9.000,\"bytes\":21}}}},\n"));
    desk_end(&desk);
}

static void replaces_a_trace_alone(void **state)
{
    (void)state;
    struct desk desk;
    struct fault fault = {0};
    char text[4096];
    desk_start(&desk);
    assert_int_equal(trace_check("t.json", "r", &fault), STATUS_OK);
    assert_int_equal(trace_write(&desk.trace, "t.json", &fault), STATUS_OK);
    assert_int_equal(trace_check("t.json", "r", &fault), STATUS_OK);
    assert_int_equal(trace_write(&desk.trace, "t.json", &fault), STATUS_OK);
    FILE *const other = fopen("other", "w");
    assert_true(other != NULL && fputs("{\"my\":\"data\"}", other) >= 0 && fclose(other) == 0);
    assert_int_equal(trace_check("other", "r", &fault), STATUS_USAGE);
    assert_non_null(strstr(fault.message, "not a trace"));
    assert_non_null(strstr(fault.message, "PENSTOCK_TRACE"));
    assert_int_equal(trace_write(&desk.trace, "other", &fault), STATUS_IO);
    read_all("other", text);
    assert_string_equal(text, "{\"my\":\"data\"}");
    assert_int_equal(trace_check("no/such/t.json", "r", &fault), STATUS_IO);
    assert_int_equal(trace_write(&desk.trace, "/dev/full", &fault), STATUS_IO);
    desk_end(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_threads_and_sums, enter, leave),
        cmocka_unit_test_setup_teardown(replaces_a_trace_alone, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
