/* test_source_frames.c - files of many frames by several decoders: what comes out, and what is wrong, must be
 * what one decoder says of the whole file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/input/source_frames.h"
#include "tests/unit/memory_ports.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 << 18 };

struct bytes {
    uint8_t at[ROOM];
    size_t length;
};

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void append(struct bytes *bytes, const void *more, size_t length)
{
    assert_true(bytes->length + length <= ROOM);
    memcpy(bytes->at + bytes->length, more, length);
    bytes->length += length;
}

static void append_block(struct bytes *file, uint32_t kind, bool last, size_t size)
{
    uint32_t const header = (uint32_t)size << 3 | kind << 1 | last;
    uint8_t const bytes[] = {(uint8_t)header, (uint8_t)(header >> 8), (uint8_t)(header >> 16)};
    append(file, bytes, sizeof bytes);
}

/* A frame of raw blocks and runs (RFC 8878, 3.1.1), or a skippable one; what it holds goes to `text`. */
static void append_frame(struct bytes *file, struct bytes *text, uint32_t *seed)
{
    if (next_random(seed) % 8 == 0) {
        append(file, "\x53\x2a\x4d\x18\x05\0\0\0hello", 13);
        return;
    }
    append(file, "\x28\xb5\x2f\xfd\x00\x00", 6);
    size_t const blocks = 1 + next_random(seed) % 6;
    for (size_t i = 0; i < blocks; i++) {
        size_t const size = next_random(seed) % 900;
        uint8_t content[900];
        bool const is_run = size > 0 && next_random(seed) % 3 == 0;
        memset(content, (int)('a' + next_random(seed) % 26), size);
        for (size_t k = 0; !is_run && k < size; k++)
            content[k] = (uint8_t)next_random(seed);
        append_block(file, is_run ? 1 : 0, i + 1 == blocks, size);
        append(file, content, is_run ? 1 : size);
        append(text, content, size);
    }
}

/* Empty, or random frames. */
static void make(struct bytes *file, struct bytes *text, size_t frames, uint32_t seed)
{
    file->length = text->length = 0;
    for (size_t i = 0; i < frames; i++)
        append_frame(file, text, &seed);
}

/* By one decoder. UNPACK_FINE: to the end. */
static struct unpack_defect decode(const struct bytes *file, struct bytes *text)
{
    struct unpack *const unpack = unpack_create(UNPACK_ZSTD, UNPACK_WINDOW_LOG_LEAST);
    assert_non_null(unpack);
    struct unpack_step step = {
        .in = file->at, .in_left = file->length, .out = text->at, .out_left = ROOM, .last = true};
    enum unpack_state const state = unpack_run(unpack, &step);
    text->length = ROOM - step.out_left;
    struct unpack_defect const defect = *unpack_defect(unpack);
    assert_int_equal(state, defect.kind == UNPACK_FINE ? UNPACK_ENDED : UNPACK_BROKEN);
    unpack_destroy(unpack);
    return defect;
}

/* From one piece on, which is less than runs leave to the one that is read, to more than there is text for.
 */
static struct source_frames_rules rules_of(struct memory_source *source, uint32_t decoders, size_t piece)
{
    return (struct source_frames_rules){.source = &source->port,
                                        .decoders = decoders,
                                        .pieces = 1 + piece % (2 * SOURCE_FRAMES_RESERVE + 3),
                                        .piece_bytes = piece + piece % 11,
                                        .lead = piece % 11,
                                        .run_bytes = 1 + piece % 3000,
                                        .walk_max = SOURCE_FRAMES_WALK_MAX,
                                        .window_log_max = UNPACK_WINDOW_LOG_LEAST};
}

/* The next text by source_frames_swap(), to the end of `got`. What is exchanged is full of other bytes. */
static enum status swap(struct source_frames *frames, const struct stream *stream,
                        const struct source_frames_rules *rules, uint8_t **memory, struct bytes *got,
                        size_t *length, struct unpack_defect *defect, struct fault *fault)
{
    size_t const size = rules->piece_bytes + LIMIT_PADDING;
    size_t begin = 0;
    if (*memory == NULL) *memory = memory_must(malloc(size));
    memset(*memory, 'x', size);
    uint8_t *const given = *memory;
    enum status const status = source_frames_swap(frames, stream, memory, &begin, length, defect, fault);
    assert_true(status == STATUS_OK || *length == 0);
    assert_true((*length == 0) == (*memory == given));
    if (*length == 0) return status;
    assert_true(begin >= rules->lead && begin + *length <= rules->piece_bytes);
    append(got, *memory + begin, *length);
    got->length -= *length; /* the caller counts it */
    return status;
}

/* True: it could be shared, and gave what one decoder gives: by reads, by swaps, by both in turn. */
static bool compare_within(const struct bytes *file, uint32_t decoders, size_t piece, uint64_t walk_max)
{
    static struct bytes wanted, got;
    size_t const swaps = piece % 3 == 0 ? SIZE_MAX : piece % 3; /* never (but first), always, when even */
    struct unpack_defect const expected = decode(file, &wanted);
    struct memory_source source;
    memory_source_start(&source, "frames", file->at, file->length);
    struct source_frames_rules rules = rules_of(&source, decoders, piece);
    rules.walk_max = walk_max;
    struct source_frames *const frames = source_frames_start(&rules);
    struct stream const stream = {.name = "frames"};
    struct unpack_defect defect = {.kind = UNPACK_FINE};
    enum status status = frames == NULL ? STATUS_IO : STATUS_OK;
    uint8_t *memory = NULL;
    size_t length = 1;
    for (got.length = 0; status == STATUS_OK && length != 0; got.length += length) {
        struct fault fault;
        size_t const room = 1 + got.length % 700;
        assert_true(got.length + room <= ROOM);
        status =
            got.length % swaps == 0
                ? swap(frames, &stream, &rules, &memory, &got, &length, &defect, &fault)
                : source_frames_read(frames, &stream, got.at + got.length, room, &length, &defect, &fault);
    }
    free(memory);
    if (frames != NULL) {
        assert_int_equal(defect.kind, expected.kind);
        assert_int_equal(status, defect.kind == UNPACK_FINE ? STATUS_OK : STATUS_IO);
        assert_int_equal(got.length, wanted.length);
        assert_memory_equal(got.at, wanted.at, wanted.length);
        assert_int_equal(defect.member, expected.kind == UNPACK_FINE ? 0 : expected.member);
        bool const is_exact = expected.kind == UNPACK_TRUNCATED || expected.kind == UNPACK_GARBAGE;
        if (is_exact) assert_int_equal(defect.offset, expected.offset);
        assert_in_range(defect.offset, defect.member, file->length);
        if (defect.kind == UNPACK_FINE) assert_int_equal(source_frames_stored(frames), file->length);
    }
    source_frames_stop(frames);
    assert_int_equal(source.readers, 0);
    assert_int_equal(source.wrong, 0);
    return frames != NULL;
}

static bool compare(const struct bytes *file, uint32_t decoders, size_t piece)
{
    return compare_within(file, decoders, piece, SOURCE_FRAMES_WALK_MAX);
}

static void gives_what_one_decoder_gives(void **state)
{
    (void)state;
    static struct bytes file, text, again;
    size_t shared = 0;
    for (uint32_t seed = 0; seed < 200; seed++) {
        make(&file, &text, 1 + seed % 60, seed);
        assert_int_equal(decode(&file, &again).kind, UNPACK_FINE);
        assert_int_equal(again.length, text.length);
        assert_memory_equal(again.at, text.at, text.length);
        shared += compare(&file, 2 + seed % 4, 1 + seed * 37);
    }
    assert_true(shared > 150);
}

static void ends_as_one_decoder_does_at_every_byte(void **state)
{
    (void)state;
    static struct bytes file, text;
    size_t shared = 0;
    make(&file, &text, 5, 7);
    size_t const length = file.length;
    for (file.length = 0; file.length <= length; file.length++)
        shared += compare(&file, 2, 100);
    assert_true(shared > length / 2);
}

static void meets_damage_as_one_decoder_does(void **state)
{
    (void)state;
    static struct bytes file, text;
    size_t shared = 0;
    for (uint32_t seed = 0; seed < 600; seed++) {
        make(&file, &text, 12, seed / 20);
        uint32_t random = seed;
        uint8_t *const victim = &file.at[next_random(&random) % file.length];
        *victim = (uint8_t)(*victim ^ 1u << next_random(&random) % 8);
        shared += compare(&file, 3, 400);
    }
    assert_true(shared > 300);
    make(&file, &text, 12, 1);
    append(&file, "x", 1);
    assert_true(compare(&file, 3, 400));
    append(&file, "garbage that is longer", 22);
    assert_true(compare(&file, 3, 400));
}

/* What is behind a frame whose end is too far away is one run, wherever it stands. */
static void goes_on_alone_behind_a_long_frame(void **state)
{
    (void)state;
    static struct bytes file, text;
    size_t shared = 0;
    for (uint32_t seed = 0; seed < 200; seed++) {
        make(&file, &text, 20, seed);
        shared += compare_within(&file, 2 + seed % 3, 300, 20 * seed);
    }
    assert_true(shared > 20 && shared < 200);
}

/* Nothing to share. */
static void leaves_single_frames_alone(void **state)
{
    (void)state;
    static struct bytes file;
    file.length = 0;
    append(&file, "\x28\xb5\x2f\xfd\x00\x00\x19\0\0{}\n", 12);
    assert_false(compare(&file, 2, 100));
}

static bool stopped(void *context)
{
    return atomic_fetch_add((atomic_uint *)context, 1) == 1;
}

static void ends_in_the_middle(void **state)
{
    (void)state;
    static struct bytes file, text;
    struct fault fault;
    make(&file, &text, 60, 3);
    for (size_t reads = 0; reads < 40; reads++) {
        struct memory_source source;
        memory_source_start(&source, "frames", file.at, file.length);
        struct source_frames_rules const rules = rules_of(&source, 3, 50);
        struct source_frames *const frames = source_frames_start(&rules);
        struct stream const stream = {.name = "frames"};
        struct unpack_defect defect;
        for (size_t i = 0; i < reads; i++) {
            uint8_t into[60];
            size_t length;
            assert_int_equal(source_frames_read(frames, &stream, into, 60, &length, &defect, &fault),
                             STATUS_OK);
        }
        source_frames_stop(frames);
        assert_int_equal(source.readers, 0);
    }
}

/* All there is until a read fails, or the stream says that it is stopped. */
static enum status read_until(struct memory_source *source, const struct stream *stream, struct bytes *got,
                              struct fault *fault)
{
    struct source_frames_rules const rules = rules_of(source, 2, 50);
    struct source_frames *const frames = source_frames_start(&rules);
    struct unpack_defect defect = {.kind = UNPACK_FINE};
    enum status status = STATUS_OK;
    got->length = 0;
    for (size_t length = 1; frames != NULL && status == STATUS_OK && length != 0; got->length += length)
        status = source_frames_read(frames, stream, got->at + got->length, 60, &length, &defect, fault);
    assert_int_equal(defect.kind, UNPACK_FINE);
    source_frames_stop(frames);
    assert_int_equal(source->readers, 0);
    return status;
}

/* A source that can't be read: what comes before is right, and the source's words are told. */
static void tells_what_the_source_says(void **state)
{
    (void)state;
    static struct bytes file, text, got;
    size_t failed = 0;
    make(&file, &text, 60, 3);
    for (uint64_t number = 1; number < 400; number++) {
        struct memory_source source;
        struct fault fault;
        struct stream const stream = {.name = "frames"};
        memory_source_start(&source, "frames", file.at, file.length);
        source.fail_at = number;
        enum status const status = read_until(&source, &stream, &got, &fault);
        assert_true(got.length <= text.length);
        assert_memory_equal(got.at, text.at, got.length);
        if (status == STATUS_OK) continue; /* it was a look for a frame's end: the rest went to one decoder */
        failed++;
        assert_int_equal(status, STATUS_IO);
        assert_string_equal(fault.message, "frames: read failed");
    }
    assert_true(failed > 0);
}

static void stops_when_the_stream_does(void **state)
{
    (void)state;
    static struct bytes file, text, got;
    struct memory_source source;
    struct fault fault;
    atomic_uint looks = 0;
    struct stream const stream = {.name = "frames", .stopped = stopped, .stopped_context = &looks};
    make(&file, &text, 60, 3);
    memory_source_start(&source, "frames", file.at, file.length);
    enum status status = STATUS_OK;
    for (int tries = 0; status == STATUS_OK && tries < 100; tries++) /* whether it has to wait is chance */
        status = read_until(&source, &stream, &got, &fault);
    assert_int_equal(status, STATUS_IO);
    assert_non_null(strstr(fault.message, "stopped"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_what_one_decoder_gives),
        cmocka_unit_test(ends_as_one_decoder_does_at_every_byte),
        cmocka_unit_test(meets_damage_as_one_decoder_does),
        cmocka_unit_test(leaves_single_frames_alone),
        cmocka_unit_test(goes_on_alone_behind_a_long_frame),
        cmocka_unit_test(ends_in_the_middle),
        cmocka_unit_test(tells_what_the_source_says),
        cmocka_unit_test(stops_when_the_stream_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
