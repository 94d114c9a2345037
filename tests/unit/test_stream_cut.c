/* test_stream_cut.c - streams in blocks of every small size: lines stay whole, offsets true, long records
 * find the large block or lose all but their front; ends by damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/flow/stream_cut.h"
#include "tests/unit/memory_ports.h"
#include "tests/unit/memory_stream.h"

enum { BLOCK_MIN = 3, BLOCK_MAX = 4096 }; /* a byte order mark lies in one block */

struct desk {
    struct memory_stream stream;
    struct stream_cut cut;
    struct stream_block block, large;
    size_t larges;
    struct memory_text told; /* one line a record: offset, text */
};

static void note_record(struct desk *desk, uint64_t offset, const uint8_t *bytes, size_t length)
{
    char line[64];
    while (length > 0 && (*bytes == ' ' || *bytes == '\r')) {
        bytes++;
        length--;
        offset++;
    }
    while (length > 0 && (bytes[length - 1] == ' ' || bytes[length - 1] == '\r'))
        length--;
    if (length == 0) return;
    snprintf(line, sizeof line, "%llu ", (unsigned long long)offset);
    memory_print(&desk->told, line);
    memory_append(&desk->told, bytes, length);
    memory_print(&desk->told, "\n");
}

static void note_block(struct desk *desk, const struct stream_block *block)
{
    char line[96];
    if (block->kind != STREAM_LINES) {
        static const char *const kinds[] = {"", "too large", "truncated", "broken"};
        snprintf(line, sizeof line, "%s %llu+%llu ", kinds[block->kind], (unsigned long long)block->offset,
                 (unsigned long long)block->record_length);
        memory_print(&desk->told, line);
        memory_append(&desk->told, block->bytes, block->length);
        memory_print(&desk->told, "\n");
        return;
    }
    assert_true(block->length <= block->capacity);
    for (size_t at = 0; at < block->length;) {
        const uint8_t *const feed = memchr(block->bytes + at, '\n', block->length - at);
        assert_true(feed != NULL || block->final || desk->cut.state == STREAM_CUT_FAILED);
        size_t const end = feed == NULL ? block->length : (size_t)(feed - block->bytes);
        note_record(desk, block->offset + at, block->bytes + at, end - at);
        at = end + 1;
    }
}

/* What comes out of a text, one line a record. Odd seeds: the stream has text in memory of its own. */
static void cut_all(struct desk *desk, const struct memory_text *text, size_t block_bytes,
                    uint64_t max_record, size_t fails_at, bool damage, bool forgives, uint32_t seed)
{
    *desk = (struct desk){.larges = 0};
    memory_stream_start(&desk->stream, "s", text->bytes, text->length, seed);
    desk->stream.fails_at = fails_at;
    desk->stream.damage = damage;
    if (seed % 2 != 0) memory_stream_swaps(&desk->stream, block_bytes, seed / 2 % (block_bytes / 2 + 1));
    desk->block.capacity = block_bytes;
    desk->block.bytes = memory_must(malloc(block_bytes + LIMIT_PADDING));
    struct stream_cut_rules const rules = {
        .max_record = max_record, .forgives = forgives, .block_bytes = block_bytes};
    desk->large.capacity = stream_cut_large_bytes(&rules);
    desk->large.bytes = memory_must(malloc(desk->large.capacity + LIMIT_PADDING));
    stream_cut_start(&desk->cut, &desk->stream.port, &rules);
    for (bool final = false; !final;) {
        struct stream_block *block = &desk->block;
        if (stream_cut_next(&desk->cut, block) == STREAM_CUT_WANTS_LARGE) {
            desk->larges++;
            block = &desk->large;
            stream_cut_large(&desk->cut, block);
        }
        note_block(desk, block);
        final = block->final;
    }
    stream_cut_end(&desk->cut);
    assert_int_equal(desk->stream.opened, 1);
    assert_int_equal(desk->stream.closed, 1);
    assert_int_equal(desk->stream.wrong, 0);
    memory_append(&desk->told, "", 1);
}

static void desk_close(struct desk *desk)
{
    free(desk->block.bytes - desk->block.lead);
    free(desk->large.bytes);
    memory_text_free(&desk->told);
}

static void expect(const struct memory_text *text, uint64_t max_record, size_t fails_at, bool damage,
                   bool forgives, const char *wanted)
{
    for (size_t block_bytes = BLOCK_MIN; block_bytes <= BLOCK_MAX; block_bytes += 1 + block_bytes / 7) {
        struct desk desk;
        for (uint32_t seed = 0; seed < 8; seed++) {
            cut_all(&desk, text, block_bytes, max_record, fails_at, damage, forgives,
                    seed * (uint32_t)block_bytes + seed);
            if (strcmp((char *)desk.told.bytes, wanted) != 0)
                fail_msg("blocks of %zu, seed %u:\n%.600s\nexpected\n%.600s", block_bytes, seed,
                         (char *)desk.told.bytes, wanted);
            desk_close(&desk);
        }
    }
}

static struct memory_text text_of(const char *text)
{
    struct memory_text copy = {0};
    memory_print(&copy, text);
    return copy;
}

static void lines_stay_whole(void **state)
{
    (void)state;
    struct memory_text text =
        text_of("\xEF\xBB\xBF{1}\n{22}\r\n\n   \n  {333}  \n{4444}\n          {5}\n\n{6}");
    expect(&text, 100, SIZE_MAX, false, false, "3 {1}\n7 {22}\n20 {333}\n28 {4444}\n45 {5}\n50 {6}\n");
    memory_text_free(&text);
    struct memory_text const empty = {.bytes = (uint8_t *)"", .length = 0};
    expect(&empty, 100, SIZE_MAX, false, false, "");
    struct memory_text feeds = text_of("\n\n\n{1}\n");
    expect(&feeds, 100, SIZE_MAX, false, false, "3 {1}\n");
    memory_text_free(&feeds);
}

static void long_records(void **state)
{
    (void)state;
    struct memory_text text = text_of("{a}\n  ");
    struct memory_text wanted = text_of("0 {a}\n6 ");
    memory_fill(&text, 'x', 5000); /* as long as may be, blanks behind it */
    memory_fill(&wanted, 'x', 5000);
    memory_fill(&text, ' ', 9000);
    memory_print(&text, "\n{b}\n");
    memory_fill(&text, 'y', 5001);
    memory_print(&text, "\r\n{c}\n");
    memory_print(&wanted, "\n14007 {b}\n" /* 6 + 5000 + 9000 + 1 */);
    memory_print(&wanted, "too large 14011+5001 ");
    memory_fill(&wanted, 'y', 5001);
    memory_print(&wanted, "\n19014 {c}\n");
    memory_fill(&text, ' ', 20000); /* blanks without end */
    memory_append(&wanted, "", 1);
    for (size_t block_bytes = BLOCK_MIN; block_bytes <= BLOCK_MAX; block_bytes = block_bytes * 3 + 1) {
        struct desk desk;
        cut_all(&desk, &text, block_bytes, 5000, SIZE_MAX, false, false, 1);
        assert_true(desk.larges >= 2);
        if (strcmp((char *)desk.told.bytes, (char *)wanted.bytes) != 0)
            fail_msg("blocks of %zu:\n%.200s", block_bytes, (char *)desk.told.bytes);
        desk_close(&desk);
    }
    memory_text_free(&text);
    memory_text_free(&wanted);
}

static void shows_the_front_of_what_is_too_large(void **state)
{
    (void)state;
    struct memory_text text = {0};
    struct desk desk;
    memory_fill(&text, 'z', 1000000);
    cut_all(&desk, &text, 512, 100, SIZE_MAX, false, false, 7);
    char head[64];
    int const length = snprintf(head, sizeof head, "too large 0+1000000 ");
    assert_memory_equal(desk.told.bytes, head, (size_t)length);
    assert_int_equal(desk.told.length, (size_t)length + LIMIT_REJECT_RAW + 2);
    desk_close(&desk);
    memory_text_free(&text);
}

static void damage_ends_behind_whole_lines(void **state)
{
    (void)state;
    struct memory_text text = text_of("{1}\n{2}\n  {333}\n{4}\n");
    expect(&text, 100, 13, true, true, "0 {1}\n4 {2}\ntruncated 10+3 {33\n");
    expect(&text, 100, 8, true, true, "0 {1}\n4 {2}\ntruncated 8+0 \n");
    expect(&text, 100, 0, true, true, "truncated 0+0 \n");
    expect(&text, 100, 13, false, true, "0 {1}\n4 {2}\nbroken 10+3 {33\n");
    expect(&text, 100, 13, true, false, "0 {1}\n4 {2}\nbroken 10+3 {33\n");
    memory_text_free(&text);
}

/* A record whose last bracket came before the damage is whole, whatever would have stood behind it. */
static void damage_spares_what_came_whole(void **state)
{
    (void)state;
    struct memory_text text = text_of("{1}\n  {\"}\\\"}\":[2]}  x\n");
    expect(&text, 100, 15, true, true, "0 {1}\ntruncated 6+9 {\"}\\\"}\":[\n");
    expect(&text, 100, 18, true, true, "0 {1}\n6 {\"}\\\"}\":[2]}\ntruncated 18+0 \n");
    expect(&text, 100, 18, true, false, "0 {1}\n6 {\"}\\\"}\":[2]}\nbroken 18+0 \n");
    expect(&text, 100, 20, true, true, "0 {1}\n6 {\"}\\\"}\":[2]}\ntruncated 20+0 \n");
    expect(&text, 12, 20, true, true, "0 {1}\n6 {\"}\\\"}\":[2]}\ntruncated 20+0 \n");
    expect(&text, 11, 20, true, true, "0 {1}\ntruncated 6+12 {\"}\\\"}\":[2]}\n"); /* longer than may be */
    expect(&text, 100, 21, true, true, "0 {1}\ntruncated 6+15 {\"}\\\"}\":[2]}  x\n");
    memory_text_free(&text);
    struct memory_text words = text_of("{1}\n12345");
    expect(&words, 100, 9, true, true, "0 {1}\ntruncated 4+5 12345\n");
    memory_text_free(&words);
}

/* Lines from short ones to ones that no block holds; by reads alone, and out of the stream's own memory. */
static void takes_text_where_it_lies(void **state)
{
    (void)state;
    struct memory_text text = {0};
    uint32_t random = 1, swaps = 0;
    for (size_t i = 0; i < 3000; i++) {
        random = random * 1664525u + 1013904223u;
        memory_fill(&text, (char)('a' + i % 26), (random >> 8) % ((random >> 28) == 0 ? 3000 : 90));
        memory_print(&text, "\n");
    }
    for (size_t block_bytes = 16; block_bytes <= 16384; block_bytes += 1 + block_bytes / 2) {
        struct desk read, swapped;
        cut_all(&read, &text, block_bytes, 5000, SIZE_MAX, false, false, 2);
        for (uint32_t seed = 1; seed < 1000; seed += 98) {
            cut_all(&swapped, &text, block_bytes, 5000, SIZE_MAX, false, false, seed);
            swaps += swapped.stream.swaps;
            assert_int_equal(swapped.told.length, read.told.length);
            assert_memory_equal(swapped.told.bytes, read.told.bytes, read.told.length);
            desk_close(&swapped);
        }
        assert_int_equal(read.stream.swaps, 0);
        desk_close(&read);
    }
    assert_true(swaps > 1000);
    memory_text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_stay_whole),
        cmocka_unit_test(long_records),
        cmocka_unit_test(shows_the_front_of_what_is_too_large),
        cmocka_unit_test(damage_ends_behind_whole_lines),
        cmocka_unit_test(damage_spares_what_came_whole),
        cmocka_unit_test(takes_text_where_it_lies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
