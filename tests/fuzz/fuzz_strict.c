/* fuzz_strict.c - lines of JSON as --strict judges them, against a grammar of its own (json_grammar.h): over
 * an index of the whole block and of each line, the same verdict, the same code, and the same keys that come
 * twice.
 *
 * Byte 0 chooses the greatest depth and whether NUL escapes are dropped; the rest are the lines. */
#include "core/base/limits.h"
#include "core/record/record_defect.h"
#include "core/record/record_walk.h"
#include "tests/unit/json_grammar.h"
#include "tests/unit/walk_desk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 15, KINDS = 4 };

static const uint32_t depths[KINDS] = {1, 3, 64, GRAMMAR_DEPTH_MAX};

/* A desk for each depth, with the walk that says what a record that is no object is. */
struct strict_desk {
    struct walk_desk walk;
    struct strict strict;
};

static struct strict_desk *desk_of(unsigned kind, bool drops_nulls)
{
    static struct strict_desk *desks[KINDS][2];
    struct strict_desk **const desk = &desks[kind][drops_nulls];
    if (*desk == NULL) {
        *desk = malloc(sizeof **desk);
        walk_desk_must(*desk != NULL, "no memory");
        walk_desk_open(&(*desk)->walk, &walk_mappings[WALK_PLAIN], depths[kind], INPUT_MAX);
        walk_desk_must(strict_create(&(*desk)->strict, INPUT_MAX, depths[kind], drops_nulls), "no memory");
    }
    return *desk;
}

static const struct grammar *model_of(const struct strict_desk *desk, const uint8_t *record, size_t length)
{
    static struct grammar grammar;
    grammar_record(&grammar, record, length, desk->strict.depth_max, desk->strict.drops_nulls);
    return &grammar;
}

static void check_verdict(struct strict_desk *desk, const uint8_t *bytes, const uint32_t *token, size_t end,
                          const struct grammar *model)
{
    const uint32_t *const next = strict_record(&desk->strict, bytes, token, (uint32_t)end);
    walk_desk_must((next != NULL) == (model->defect == DEFECT_NONE), "another verdict than the grammar's");
    if (next == NULL) return;
    walk_desk_must(*next >= end, "not at the record's end");
    walk_desk_must(model->many_keys || desk->strict.keys.duplicate == model->duplicate,
                   "other keys come twice");
}

/* A line without the blanks around it. */
static void check_alone(struct strict_desk *desk, const uint8_t *record, size_t length)
{
    if (*record != '{') return; /* named without --strict, too */
    const struct grammar *const model = model_of(desk, record, length);
    if (walk_desk_index(&desk->walk, record, length))
        check_verdict(desk, record, desk->walk.tokens, length, model);
    else
        walk_desk_must(model->defect != DEFECT_NONE, "not clean, and yet good");
    enum defect const defect = record_defect_strict(&desk->strict, &desk->walk.walk, record, (uint32_t)length,
                                                    record_parser_tokens(desk->walk.parser));
    walk_desk_must(defect == model->defect, "another code than the grammar's");
}

static void check_block(struct strict_desk *desk, const uint8_t *block, size_t length)
{
    if (!walk_desk_index(&desk->walk, block, length)) return;
    const uint32_t *token = desk->walk.tokens;
    for (size_t at = 0; at < length;) {
        const uint8_t *feed = memchr(block + at, '\n', length - at);
        size_t const end = feed == NULL ? length : (size_t)(feed - block);
        at = end + 1;
        if (*token >= end) continue;
        if (block[*token] == '{')
            check_verdict(desk, block, token, end, model_of(desk, block + *token, end - *token));
        while (*token < end)
            token++;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > INPUT_MAX) return 0;
    struct strict_desk *const desk = desk_of(data[0] % KINDS, data[0] & 16);
    size_t const length = size - 1;
    uint8_t *const block = malloc(length + LIMIT_PADDING);
    walk_desk_must(block != NULL, "no memory");
    memcpy(block, data + 1, length);
    memset(block + length, data[0] & 32 ? '"' : '{', LIMIT_PADDING);
    check_block(desk, block, length);
    for (size_t at = 0; at < length;) {
        const uint8_t *feed = memchr(block + at, '\n', length - at);
        size_t const end = feed == NULL ? length : (size_t)(feed - block);
        size_t begin = at, last = end;
        while (begin < last && json_is_blank(block[begin]))
            begin++;
        while (last > begin && json_is_blank(block[last - 1]))
            last--;
        if (begin < last) check_alone(desk, block + begin, last - begin);
        at = end + 1;
    }
    free(block);
    return 0;
}
