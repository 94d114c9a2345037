/* test_stream_head.c - the first records of a stream, wherever its reads end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/stream_head.h"
#include "tests/unit/memory_stream.h"

static bool never(void *context)
{
    (void)context;
    return false;
}

static void expect(const char *text, uint64_t records, size_t length)
{
    for (uint32_t seed = 0; seed < 40; seed++) {
        struct memory_stream memory;
        struct stream_head head;
        struct fault fault;
        char got[256];
        size_t at = 0, piece = 1;
        memory_stream_start(&memory, "name", text, strlen(text), seed);
        stream_head_start(&head, &memory.port, records);
        assert_string_equal(head.port.name, "name");
        head.port.stopped = never;
        assert_int_equal(head.port.open(&head.port, &fault), STATUS_OK);
        while (piece != 0) {
            size_t const room = 1 + (seed + at) % 7;
            assert_int_equal(head.port.read(&head.port, (uint8_t *)got + at, room, &piece, &fault),
                             STATUS_OK);
            assert_true(piece <= room);
            at += piece;
        }
        assert_int_equal(at, length);
        assert_memory_equal(got, text, length);
        if (records != 0) assert_ptr_equal(memory.port.stopped, never);
        head.port.close(&head.port);
        assert_int_equal(memory.opened, records != 0);
        assert_int_equal(memory.closed, records != 0);
        assert_int_equal(memory.wrong, 0);
    }
}

static void ends_behind_the_last_record(void **state)
{
    (void)state;
    expect("{1}\n\n {2}\r\n\n{3}", 1, 4);
    expect("{1}\n\n {2}\r\n\n{3}", 2, 11);
    expect("{1}\n\n {2}\r\n\n{3}", 3, 15);
    expect("{1}\n\n {2}\r\n\n{3}", 4, 15);
    expect("\n \n", 1, 3);
    expect("", 1, 0);
    expect("{1}\n", 0, 0);
}

static void passes_failures_on(void **state)
{
    (void)state;
    struct memory_stream memory;
    struct stream_head head;
    struct fault fault;
    uint8_t got[16];
    size_t length = 1;
    memory_stream_start(&memory, "s", "{}", 2, 1);
    memory.fails_at = 0;
    memory.damage = true;
    stream_head_start(&head, &memory.port, 1);
    assert_int_equal(head.port.open(&head.port, &fault), STATUS_OK);
    assert_int_equal(head.port.read(&head.port, got, sizeof got, &length, &fault), STATUS_IO);
    assert_true(head.port.damaged);
    head.port.close(&head.port);
    assert_int_equal(memory.closed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ends_behind_the_last_record),
                                       cmocka_unit_test(passes_failures_on)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
