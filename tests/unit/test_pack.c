/* test_pack.c - both formats: what other readers make of them, bounds, sameness, the arithmetic of the ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/checksum.h"
#include "core/codec/pack.h"
#include "core/codec/pack_zstd.h"
#include "tests/unit/pack_desk.h"

static struct pack_tool *make_tool(enum pack_kind kind)
{
    return desk_must(pack_tool_create(kind));
}

/* A unit alone, in a buffer of exactly its room, so that a sanitizer sees a byte too many. */
static uint8_t *pack_alone(struct pack_tool *tool, enum pack_kind kind, const uint8_t *bytes, size_t length,
                           size_t *written)
{
    uint8_t *const out = desk_must(malloc(pack_room(kind, length) + 1));
    uint8_t *const in = desk_must(malloc(length + 1));
    memcpy(in + 1, bytes, length);
    assert_true(pack_unit(tool, in + 1, length, out, written));
    assert_true(*written <= pack_room(kind, length));
    free(in);
    return out;
}

/* A whole file of units, as the sink makes it. */
static uint8_t *pack_file(enum pack_kind kind, const uint8_t *bytes, size_t length, size_t unit, size_t *size)
{
    struct pack_tool *const tool = make_tool(kind);
    size_t const units = length / unit + 2;
    uint8_t *const out = desk_must(malloc(units * pack_room(kind, unit) + 2 * PACK_ENDS_MAX));
    uint32_t crc32 = 0;
    *size = pack_head(kind, out);
    size_t at = 0;
    do {
        size_t const step = length - at < unit ? length - at : unit;
        size_t written;
        uint8_t *const one = pack_alone(tool, kind, bytes + at, step, &written);
        memcpy(out + *size, one, written);
        free(one);
        *size += written;
        uint64_t const part = checksum_update(CHECKSUM_CRC32, 0, bytes + at, step);
        crc32 = (uint32_t)checksum_combine(CHECKSUM_CRC32, crc32, part, step);
        at += step;
    } while (at < length);
    *size += pack_tail(kind, crc32, length, out + *size);
    pack_tool_destroy(tool);
    return out;
}

static struct desk_text desk_unpack(enum pack_kind kind, const uint8_t *bytes, size_t length, size_t room)
{
    return kind == PACK_GZIP ? desk_gunzip(bytes, length, room) : desk_unzstd(bytes, length, room);
}

static void expect_round_trip(enum pack_kind kind, enum desk_sort sort, size_t length, size_t unit)
{
    uint8_t *const bytes = desk_make(sort, length);
    size_t size;
    uint8_t *const packed = pack_file(kind, bytes, length, unit, &size);
    struct desk_text const text = desk_unpack(kind, packed, size, length);
    assert_true(text.good);
    assert_int_equal(text.length, length);
    assert_memory_equal(text.bytes, bytes, length);
    free(text.bytes);
    free(packed);
    free(bytes);
}

static const size_t lengths[] = {0,
                                 1,
                                 2,
                                 7,
                                 100,
                                 4096,
                                 65535,
                                 65536,
                                 PACK_UNIT - 1,
                                 PACK_UNIT,
                                 PACK_UNIT + 1,
                                 3 * PACK_UNIT,
                                 3 * PACK_UNIT + 12345};

static void others_read_it(void **state)
{
    (void)state;
    for (enum pack_kind kind = PACK_GZIP; kind <= PACK_ZSTD; kind++)
        for (enum desk_sort sort = DESK_ROWS; sort <= DESK_ZEROS; sort++)
            for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
                expect_round_trip(kind, sort, lengths[i], PACK_UNIT);
}

static void units_may_be_tiny(void **state)
{
    (void)state;
    for (enum pack_kind kind = PACK_GZIP; kind <= PACK_ZSTD; kind++)
        for (size_t unit = 1; unit < 20; unit++)
            expect_round_trip(kind, DESK_ROWS, 700, unit);
}

static void it_gets_smaller(void **state)
{
    (void)state;
    uint8_t *const bytes = desk_make(DESK_ROWS, 4 * PACK_UNIT);
    for (enum pack_kind kind = PACK_GZIP; kind <= PACK_ZSTD; kind++) {
        size_t size;
        free(pack_file(kind, bytes, 4 * PACK_UNIT, PACK_UNIT, &size));
        assert_true(size < 4 * PACK_UNIT / 2);
    }
    free(bytes);
}

/* What a tool did before must not show: not other units, and not what lay in its memory. */
static void a_unit_depends_on_its_own_bytes_only(void **state)
{
    (void)state;
    uint8_t *const rows = desk_make(DESK_ROWS, 4 * PACK_UNIT);
    uint8_t *const noise = desk_make(DESK_NOISE, PACK_UNIT);
    for (enum pack_kind kind = PACK_GZIP; kind <= PACK_ZSTD; kind++) {
        struct pack_tool *const used = make_tool(kind);
        for (size_t length = 1; length <= PACK_UNIT; length = length * 3 + 1) {
            struct pack_tool *const fresh = make_tool(kind);
            size_t wanted, got;
            uint8_t *const first = pack_alone(fresh, kind, rows + 1000, length, &wanted);
            for (int round = 0; round < 3; round++) {
                /* much the same bytes at other places, and others */
                free(pack_alone(used, kind, rows + 1000 * (size_t)round, PACK_UNIT, &got));
                free(pack_alone(used, kind, noise, length, &got));
                uint8_t *const again = pack_alone(used, kind, rows + 1000, length, &got);
                assert_int_equal(got, wanted);
                assert_memory_equal(again, first, wanted);
                free(again);
            }
            free(first);
            pack_tool_destroy(fresh);
        }
        pack_tool_destroy(used);
    }
    free(rows);
    free(noise);
}

/* Nor must the place where it lies: isa-l hashes its own address (see pack_gzip.c). */
static void a_units_bytes_do_not_tell_where_the_tool_is(void **state)
{
    (void)state;
    enum { TOOLS = 5, UNITS = 4000 };
    uint8_t *const rows = desk_make(DESK_ROWS, 100 * UNITS + 500);
    for (enum pack_kind kind = PACK_GZIP; kind <= PACK_ZSTD; kind++) {
        struct pack_tool *tools[TOOLS];
        for (int t = 0; t < TOOLS; t++)
            tools[t] = make_tool(kind);
        for (size_t u = 0; u < UNITS; u++) {
            size_t wanted, got;
            uint8_t *const first = pack_alone(tools[0], kind, rows + 100 * u, u % 500, &wanted);
            for (int t = 1; t < TOOLS; t++) {
                uint8_t *const other = pack_alone(tools[t], kind, rows + 100 * u, u % 500, &got);
                assert_int_equal(got, wanted);
                assert_memory_equal(other, first, wanted);
                free(other);
            }
            free(first);
        }
        for (int t = 0; t < TOOLS; t++)
            pack_tool_destroy(tools[t]);
    }
    free(rows);
}

/* Where compressing saves nothing or next to nothing, the room is short. */
static void what_hardly_gets_smaller_is_whole(void **state)
{
    (void)state;
    enum { LENGTH = 3000 };
    uint8_t *const bytes = desk_make(DESK_NOISE, LENGTH);
    for (size_t zeros = 0; zeros < 300; zeros++) {
        bytes[zeros * 7 % LENGTH] = bytes[LENGTH - 1 - zeros] = 0;
        for (enum pack_kind kind = PACK_GZIP; kind <= PACK_ZSTD; kind++) {
            size_t size;
            uint8_t *const packed = pack_file(kind, bytes, LENGTH, 1000, &size);
            struct desk_text const text = desk_unpack(kind, packed, size, LENGTH);
            assert_true(text.good);
            assert_int_equal(text.length, LENGTH);
            assert_memory_equal(text.bytes, bytes, LENGTH);
            free(text.bytes);
            free(packed);
        }
    }
    free(bytes);
}

static void head_names_nothing(void **state)
{
    (void)state;
    uint8_t head[PACK_ENDS_MAX];
    assert_int_equal(pack_head(PACK_GZIP, head), 10);
    assert_memory_equal(head, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
    assert_int_equal(pack_head(PACK_ZSTD, head), 0);
}

static void tail_counts_modulo_two_to_the_32nd(void **state)
{
    (void)state;
    static const struct {
        uint64_t length;
        const char *size;
    } cases[] = {{0, "\0\0\0\0"},
                 {0x01020304, "\x04\x03\x02\x01"},
                 {UINT32_MAX, "\xff\xff\xff\xff"},
                 {UINT64_C(1) << 32, "\0\0\0\0"},
                 {(UINT64_C(5) << 32) + 0xfffefdfc, "\xfc\xfd\xfe\xff"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t tail[PACK_ENDS_MAX];
        assert_int_equal(pack_tail(PACK_GZIP, 0xa1b2c3d4, cases[i].length, tail), 10);
        assert_memory_equal(tail, "\x03\0\xd4\xc3\xb2\xa1", 6);
        assert_memory_equal(tail + 6, cases[i].size, 4);
    }
    uint8_t tail[PACK_ENDS_MAX];
    assert_int_equal(pack_tail(PACK_ZSTD, 1, 2, tail), 0);
}

/* RFC 8878, 3.1.1: the content's size stands in each frame, and a checksum behind it. */
static void zstd_frames_say_their_size_and_have_a_checksum(void **state)
{
    (void)state;
    struct pack_tool *const tool = make_tool(PACK_ZSTD);
    uint8_t *const rows = desk_make(DESK_ROWS, PACK_UNIT);
    for (size_t length = 0; length <= PACK_UNIT; length += PACK_UNIT / 4) {
        size_t size;
        uint8_t *const frame = pack_alone(tool, PACK_ZSTD, rows, length, &size);
        assert_int_equal(ZSTD_getFrameContentSize(frame, size), length);
        assert_int_equal(ZSTD_findFrameCompressedSize(frame, size), size);
        assert_int_equal(frame[4] & 4, 4); /* Content_Checksum_flag */
        frame[size - 1] ^= 1;
        struct desk_text const text = desk_unzstd(frame, size, length);
        assert_false(text.good);
        free(text.bytes);
        free(frame);
    }
    free(rows);
    pack_tool_destroy(tool);
}

static void zstd_memory_is_what_it_says(void **state)
{
    (void)state;
    ZSTD_CCtx *const context = desk_must(ZSTD_createCCtx());
    uint8_t *const rows = desk_make(DESK_ROWS, PACK_UNIT);
    uint8_t *const out = desk_must(malloc(ZSTD_compressBound(PACK_UNIT)));
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1);
    assert_false(ZSTD_isError(ZSTD_compress2(context, out, ZSTD_compressBound(PACK_UNIT), rows, PACK_UNIT)));
    assert_in_range(ZSTD_sizeof_CCtx(context), 256 * 1024, pack_zstd_memory());
    ZSTD_freeCCtx(context);
    free(rows);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_read_it),
        cmocka_unit_test(units_may_be_tiny),
        cmocka_unit_test(it_gets_smaller),
        cmocka_unit_test(a_unit_depends_on_its_own_bytes_only),
        cmocka_unit_test(a_units_bytes_do_not_tell_where_the_tool_is),
        cmocka_unit_test(what_hardly_gets_smaller_is_whole),
        cmocka_unit_test(head_names_nothing),
        cmocka_unit_test(tail_counts_modulo_two_to_the_32nd),
        cmocka_unit_test(zstd_frames_say_their_size_and_have_a_checksum),
        cmocka_unit_test(zstd_memory_is_what_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
