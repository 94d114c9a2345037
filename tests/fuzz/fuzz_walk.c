/* fuzz_walk.c - lines of JSON by both walkers: the fast one over one index of the whole block and over an
 * index of each line, On-Demand on each line. All three must agree, whatever stands behind the block, and
 * record_defect must name a defect for exactly what is not good.
 *
 * Byte 0 chooses the mapping, byte 1 the greatest depth and what stands behind the block; the rest are the
 * lines. */
#include "tests/unit/walk_desk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 16, DEPTHS = 4 };

static const uint32_t depths[DEPTHS] = {1, 3, 5, 64};

static void expect(bool holds, const char *what)
{
    walk_desk_must(holds, what);
}

/* Desks are kept: what walks learn from one input must not change the next. */
static struct walk_desk *desk_of(const uint8_t *data)
{
    static struct walk_desk *desks[WALK_MAPPINGS][DEPTHS];
    unsigned const mapping = data[0] % WALK_MAPPINGS, depth = data[1] % DEPTHS;
    if (desks[mapping][depth] == NULL) {
        desks[mapping][depth] = malloc(sizeof(struct walk_desk));
        expect(desks[mapping][depth] != NULL, "no memory");
        walk_desk_open(desks[mapping][depth], &walk_mappings[mapping], depths[depth], INPUT_MAX);
    }
    return desks[mapping][depth];
}

/* Exactly LIMIT_PADDING readable bytes behind the block, of several kinds. */
static uint8_t *block_of(const uint8_t *bytes, size_t length, uint8_t kind)
{
    static const char *const tails[] = {"",  "\"", ":",       "\"a\":1,\"b\":{",
                                        "}", "]",  "{\"a\":", "  \n,\"k\":\"v\""};
    const char *tail = tails[kind % (sizeof tails / sizeof *tails)];
    size_t const tail_length = strlen(tail);
    uint8_t *block = malloc(length + LIMIT_PADDING);
    expect(block != NULL, "no memory");
    memcpy(block, bytes, length);
    for (size_t i = 0; i < LIMIT_PADDING; i++)
        block[length + i] = tail_length == 0 ? 0 : (uint8_t)tail[i % tail_length];
    return block;
}

/* What stands behind a record never changes its code. */
static void check_code(struct walk_desk *desk, const uint8_t *line, size_t length, enum defect defect)
{
    uint8_t *copy = block_of(line, length, 0);
    expect(walk_desk_defect(desk, copy, length) == defect, "the code depends on what follows");
    free(copy);
}

static void check_alone(struct walk_desk *desk, const uint8_t *line, size_t length)
{
    bool const slow = walk_desk_slow(desk, line, length);
    if (walk_desk_index(desk, line, length)) {
        const uint32_t *next = walk_desk_fast(desk, line, desk->tokens, length);
        expect((next != NULL) == slow, "alone: one walk refuses, the other does not");
        expect(!slow || walk_desk_same(&desk->fast, &desk->slow), "alone: other cells");
        expect(!slow || next == desk->tokens + desk->token_count, "alone: not at the end");
    } else {
        expect(!slow, "not clean, and yet accepted");
    }
    bool const overflow = desk->slow.overflow;
    bool const good = slow && walk_desk_values_good(desk, &desk->slow);
    enum defect const defect = walk_desk_defect(desk, line, length);
    if (good) expect(defect == DEFECT_NONE, "a defect in a good record");
    if (slow && !good) expect(defect == DEFECT_SYNTAX, "a bad value and no defect");
    if (!slow && !overflow) expect(defect != DEFECT_NONE, "refused, and no defect");
    check_code(desk, line, length, defect);
    expect((defect == DEFECT_UTF8) == !record_is_utf8(line, length), "UTF-8 goes before all");
}

static void check_line(struct walk_desk *desk, const uint8_t *block, size_t begin, size_t end)
{
    while (begin < end && json_is_blank(block[begin]))
        begin++;
    while (end > begin && json_is_blank(block[end - 1]))
        end--;
    if (begin < end) check_alone(desk, block + begin, end - begin);
}

/* All lines over one index; token: of the next record. */
static void check_block(struct walk_desk *desk, const uint8_t *block, size_t length)
{
    if (!walk_desk_index(desk, block, length)) return;
    const uint32_t *token = desk->tokens;
    for (size_t at = 0; at < length;) {
        const uint8_t *feed = memchr(block + at, '\n', length - at);
        size_t const end = feed == NULL ? length : (size_t)(feed - block);
        at = end + 1;
        if (*token >= end) continue;
        const uint32_t *next = walk_desk_fast(desk, block, token, end);
        const uint32_t *behind = token;
        size_t text_end = end;
        while (*behind < end)
            behind++;
        while (json_is_blank(block[text_end - 1]))
            text_end--;
        bool const slow = walk_desk_slow(desk, block + *token, text_end - *token);
        expect((next != NULL) == slow, "block: one walk refuses, the other does not");
        expect(!slow || walk_desk_same(&desk->fast, &desk->slow), "block: other cells");
        expect(next == NULL || next == behind, "block: not at the record's end");
        token = behind;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > INPUT_MAX) return 0;
    struct walk_desk *desk = desk_of(data);
    size_t const length = size - 2;
    uint8_t *block = block_of(data + 2, length, (uint8_t)(data[1] / DEPTHS));
    check_block(desk, block, length);
    for (size_t at = 0; at < length;) {
        const uint8_t *feed = memchr(block + at, '\n', length - at);
        size_t const end = feed == NULL ? length : (size_t)(feed - block);
        check_line(desk, block, at, end);
        at = end + 1;
    }
    free(block);
    return 0;
}
