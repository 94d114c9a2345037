/* test_unpack.c - gzip and zstd streams, whole, in pieces of every size, cut at every byte, damaged, and such
 * that stand for far more than they are. The files are of tests/data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/codec/unpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM (1u << 20)

struct bytes {
    uint8_t *at;
    size_t length;
};

static struct bytes load(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", TESTS_DATA, name);
    FILE *const file = fopen(path, "rb");
    assert_non_null(file);
    struct bytes bytes = {.at = malloc(ROOM)};
    assert_non_null(bytes.at);
    bytes.length = fread(bytes.at, 1, ROOM, file);
    (void)fclose(file);
    return bytes;
}

/* What all the files but the zeros hold. */
static struct bytes text(void)
{
    struct bytes bytes = {.at = malloc(ROOM)};
    assert_non_null(bytes.at);
    for (unsigned i = 0; i < 400; i++)
        bytes.length += (size_t)sprintf((char *)bytes.at + bytes.length, "row %u,%u\n", i, i * i);
    return bytes;
}

/* In steps of `in_step` and `out_step` bytes, from copies without a byte too many. */
static enum unpack_state run(struct unpack *unpack, const uint8_t *in, size_t length, size_t in_step,
                             size_t out_step, struct bytes *out)
{
    enum unpack_state state = UNPACK_GOES_ON;
    uint8_t *const room = malloc(out_step);
    assert_non_null(room);
    size_t at = 0, idle = 0;
    out->length = 0;
    while (state == UNPACK_GOES_ON) {
        size_t const piece = length - at < in_step ? length - at : in_step;
        uint8_t *const copy = malloc(piece + (piece == 0));
        assert_non_null(copy);
        memcpy(copy, in + at, piece);
        struct unpack_step step = {
            .in = copy, .in_left = piece, .out = room, .out_left = out_step, .last = at + piece == length};
        state = unpack_run(unpack, &step);
        size_t const taken = piece - step.in_left, given = out_step - step.out_left;
        at += taken;
        assert_true(out->length + given <= ROOM);
        memcpy(out->at + out->length, room, given);
        out->length += given;
        idle = taken == 0 && given == 0 ? idle + 1 : 0;
        assert_true(idle < 3); /* else it would go on for ever */
        free(copy);
    }
    free(room);
    return state;
}

static const struct sample {
    const char *name;
    enum unpack_form form;
    uint64_t members;
} samples[] = {{"one.gz", UNPACK_GZIP, 1},    {"headers.gz", UNPACK_GZIP, 1}, {"stored.gz", UNPACK_GZIP, 1},
               {"fixed.gz", UNPACK_GZIP, 1},  {"members.gz", UNPACK_GZIP, 4}, {"one.zst", UNPACK_ZSTD, 1},
               {"frames.zst", UNPACK_ZSTD, 4}};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void reads_all_forms_in_pieces_of_any_size(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 2, 3, 7, 64, 1000, ROOM};
    struct bytes const wanted = text();
    struct bytes out = {.at = malloc(ROOM)};
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct bytes const in = load(samples[i].name);
        assert_int_equal(unpack_recognise(in.at, in.length), samples[i].form);
        struct unpack *const unpack = unpack_create(samples[i].form, UNPACK_WINDOW_LOG_LEAST);
        assert_non_null(unpack);
        for (size_t a = 0; a < COUNT(steps); a++)
            for (size_t b = 0; b < COUNT(steps); b++) {
                unpack_restart(unpack);
                assert_int_equal(run(unpack, in.at, in.length, steps[a], steps[b], &out), UNPACK_ENDED);
                assert_int_equal(out.length, wanted.length);
                assert_memory_equal(out.at, wanted.at, wanted.length);
                assert_int_equal(unpack_members(unpack), samples[i].members);
            }
        unpack_destroy(unpack);
        free(in.at);
    }
    free(out.at);
    free(wanted.at);
}

/* Is a stream that ends at `length` whole? Members end there. */
static bool is_end(const char *name, size_t length, const struct bytes *out, size_t whole)
{
    if (length == 0) return true;
    bool const several = strcmp(name, "members.gz") == 0 || strcmp(name, "frames.zst") == 0;
    return several && (out->length == 1000 || out->length == 1001) && length < whole;
}

static void says_where_it_is_cut(void **state)
{
    (void)state;
    struct bytes const wanted = text();
    struct bytes out = {.at = malloc(ROOM)};
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct bytes const in = load(samples[i].name);
        struct unpack *const unpack = unpack_create(samples[i].form, UNPACK_WINDOW_LOG_LEAST);
        size_t ends = 0;
        for (size_t length = 0; length < in.length; length++) {
            unpack_restart(unpack);
            enum unpack_state const found = run(unpack, in.at, length, 13, 97, &out);
            assert_true(out.length <= wanted.length);
            assert_memory_equal(out.at, wanted.at, out.length);
            if (found == UNPACK_ENDED) {
                assert_true(is_end(samples[i].name, length, &out, in.length));
                ends++;
                continue;
            }
            assert_int_equal(found, UNPACK_BROKEN);
            assert_int_equal(unpack_defect(unpack)->kind, UNPACK_TRUNCATED);
            assert_int_equal(unpack_defect(unpack)->offset, length);
            assert_true(unpack_defect(unpack)->member < length);
        }
        assert_int_equal(ends, samples[i].members); /* the empty one, and behind each member but the last */
        unpack_destroy(unpack);
        free(in.at);
    }
    free(out.at);
    free(wanted.at);
}

static enum unpack_defect_kind defect_of(const char *name, struct bytes in, size_t step, uint64_t *offset)
{
    struct bytes out = {.at = malloc(ROOM)};
    enum unpack_form const form = strstr(name, ".gz") != NULL ? UNPACK_GZIP : UNPACK_ZSTD;
    struct unpack *const unpack = unpack_create(form, UNPACK_WINDOW_LOG_LEAST);
    enum unpack_state const state = run(unpack, in.at, in.length, step, 50, &out);
    enum unpack_defect_kind const kind = unpack_defect(unpack)->kind;
    assert_int_equal(state == UNPACK_BROKEN, kind != UNPACK_FINE);
    *offset = unpack_defect(unpack)->offset;
    char words[UNPACK_DEFECT_TEXT];
    unpack_defect_text(form, unpack_defect(unpack), words);
    assert_true(strlen(words) < sizeof words - 1);
    unpack_destroy(unpack);
    free(out.at);
    return kind;
}

static void finds_garbage_behind_the_last_member(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
        bool cut; /* it begins as a member does */
    } tails[] = {{"\0", 1, false},       {"\0\0\0\0\0\0\0\0", 8, false},
                 {"\x1F\x8A", 2, false}, {"row\n", 4, false},
                 {"\x1F", 1, true},      {"\x1F\x8B\x08", 3, true}};
    struct bytes in = load("one.gz");
    for (size_t i = 0; i < COUNT(tails); i++)
        for (size_t step = 1; step < 40; step += 5) {
            uint64_t offset;
            memcpy(in.at + in.length, tails[i].bytes, tails[i].length);
            struct bytes const longer = {in.at, in.length + tails[i].length};
            enum unpack_defect_kind const kind = defect_of("one.gz", longer, step, &offset);
            assert_int_equal(kind, tails[i].cut ? UNPACK_TRUNCATED : UNPACK_GARBAGE);
            assert_int_equal(offset, tails[i].cut ? longer.length : in.length);
        }
    free(in.at);
}

static void finds_damage(void **state)
{
    (void)state;
    uint64_t offset;
    struct bytes in = load("one.gz");
    in.at[in.length - 1] ^= 1; /* length */
    assert_int_equal(defect_of("one.gz", in, 11, &offset), UNPACK_BAD_CHECKSUM);
    in.at[in.length - 1] ^= 1;
    in.at[in.length - 5] ^= 0x80; /* CRC-32 */
    assert_int_equal(defect_of("one.gz", in, 11, &offset), UNPACK_BAD_CHECKSUM);
    in.at[in.length - 5] ^= 0x80;
    in.at[2] = 7; /* method */
    assert_int_equal(defect_of("one.gz", in, 1, &offset), UNPACK_BAD_HEADER);
    free(in.at);
    in = load("one.zst");
    in.at[in.length - 1] ^= 1;
    assert_int_equal(defect_of("one.zst", in, 11, &offset), UNPACK_BAD_CHECKSUM);
    in.at[0] ^= 1;
    assert_int_equal(defect_of("one.zst", in, 11, &offset), UNPACK_BAD_HEADER);
    assert_int_equal(offset, 0);
    free(in.at);
    in = load("window.zst"); /* 256 MiB */
    assert_int_equal(defect_of("window.zst", in, 100, &offset), UNPACK_WINDOW);
    free(in.at);
    in = load("window23.zst"); /* 8 MiB, and empty */
    assert_int_equal(defect_of("window23.zst", in, 100, &offset), UNPACK_FINE);
    free(in.at);
}

/* Every bit of a small file: never more than is there, never an end that is none. */
static void survives_any_flipped_bit(void **state)
{
    (void)state;
    struct bytes const wanted = text();
    struct bytes out = {.at = malloc(ROOM)};
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct bytes const in = load(samples[i].name);
        struct unpack *const unpack = unpack_create(samples[i].form, UNPACK_WINDOW_LOG_LEAST);
        for (size_t bit = 0; bit < in.length * 8; bit += 3) {
            in.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
            unpack_restart(unpack);
            if (run(unpack, in.at, in.length, 4096, 8192, &out) == UNPACK_ENDED &&
                samples[i].form == UNPACK_GZIP) {
                /* a bit that says nothing of the bytes: time, system, name */
                assert_int_equal(out.length, wanted.length);
                assert_memory_equal(out.at, wanted.at, wanted.length);
            }
            in.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        unpack_destroy(unpack);
        free(in.at);
    }
    free(out.at);
    free(wanted.at);
}

/* What comes before damage is the same whatever room there is, and for zstd however the bytes come in, too;
 * isa-l looks a few symbols further when it has more input. */
static void expect_same_before_damage(const struct sample *sample, struct unpack *unpack,
                                      const struct bytes *in)
{
    static const size_t steps[][2] = {{1, ROOM}, {100, 50}, {777, ROOM}, {ROOM, 1}, {ROOM, 333}};
    static struct bytes whole, out;
    if (whole.at == NULL) whole.at = malloc(ROOM);
    if (out.at == NULL) out.at = malloc(ROOM);
    unpack_restart(unpack);
    enum unpack_state const state = run(unpack, in->at, in->length, ROOM, ROOM, &whole);
    uint64_t const member = unpack_defect(unpack)->member;
    for (size_t k = 0; k < COUNT(steps); k++) {
        unpack_restart(unpack);
        assert_int_equal(run(unpack, in->at, in->length, steps[k][0], steps[k][1], &out), state);
        assert_int_equal(unpack_defect(unpack)->member, member);
        size_t length = out.length < whole.length ? out.length : whole.length;
        if (sample->form == UNPACK_ZSTD || steps[k][0] == ROOM)
            assert_int_equal(out.length, whole.length);
        else
            length = length < 300 ? 0 : length - 300;
        assert_memory_equal(out.at, whole.at, length);
    }
}

static void gives_the_same_before_damage(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct bytes const in = load(samples[i].name);
        struct unpack *const unpack = unpack_create(samples[i].form, UNPACK_WINDOW_LOG_LEAST);
        for (size_t bit = 0; bit < in.length * 8; bit += 61) {
            in.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
            expect_same_before_damage(&samples[i], unpack, &in);
            in.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        unpack_destroy(unpack);
        free(in.at);
    }
}

/* 32 MiB of zeros: out of a room of 4 KiB. */
static void gives_bombs_in_small_pieces(void **state)
{
    (void)state;
    static const char *const names[] = {"zeros.gz", "zeros.zst"};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct bytes const in = load(names[i]);
        struct unpack *const unpack =
            unpack_create(i == 0 ? UNPACK_GZIP : UNPACK_ZSTD, UNPACK_WINDOW_LOG_LEAST);
        uint8_t room[4096];
        struct unpack_step step = {.in = in.at, .in_left = in.length, .last = true};
        enum unpack_state found;
        uint64_t total = 0;
        do {
            step.out = room;
            step.out_left = sizeof room;
            found = unpack_run(unpack, &step);
            total += sizeof room - step.out_left;
        } while (found == UNPACK_GOES_ON);
        assert_int_equal(found, UNPACK_ENDED);
        assert_int_equal(total, 32u << 20);
        unpack_destroy(unpack);
        free(in.at);
    }
}

static void tells_forms_by_content(void **state)
{
    (void)state;
    assert_int_equal(unpack_recognise((const uint8_t *)"", 0), UNPACK_PLAIN);
    assert_int_equal(unpack_recognise((const uint8_t *)"a,b\n", 4), UNPACK_PLAIN);
    assert_int_equal(unpack_recognise((const uint8_t *)"\x1F\x8B", 2), UNPACK_PLAIN);
    assert_int_equal(unpack_recognise((const uint8_t *)"\x1F\x8B\x08", 3), UNPACK_GZIP);
    assert_int_equal(unpack_recognise((const uint8_t *)"\x28\xB5\x2F", 3), UNPACK_PLAIN);
    assert_int_equal(unpack_recognise((const uint8_t *)"\x5F\x2A\x4D\x18", 4), UNPACK_ZSTD);
    assert_int_equal(unpack_recognise((const uint8_t *)"\x60\x2A\x4D\x18", 4), UNPACK_PLAIN);
    assert_string_equal(unpack_form_name(UNPACK_ZSTD), "zstd");
    assert_true(unpack_memory(UNPACK_GZIP, 0) < (128u << 10));
    assert_true(unpack_memory(UNPACK_ZSTD, 23) > (8u << 20));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_forms_by_content),
        cmocka_unit_test(reads_all_forms_in_pieces_of_any_size),
        cmocka_unit_test(says_where_it_is_cut),
        cmocka_unit_test(finds_garbage_behind_the_last_member),
        cmocka_unit_test(finds_damage),
        cmocka_unit_test(survives_any_flipped_bit),
        cmocka_unit_test(gives_the_same_before_damage),
        cmocka_unit_test(gives_bombs_in_small_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
