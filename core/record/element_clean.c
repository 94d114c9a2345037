/* element_clean.c - see the header. Pure. Thread: any. Owns nothing.
 *
 * Masks of 64 bytes, of which each has a bit for each byte, say where tokens begin; each token then is one
 * step in a table of what may follow what. */
#include "core/record/element_clean.h"

#include "core/record/block_masks.h"
#include "core/record/json_text.h"

#if defined(__x86_64__)

#define BLOCK BLOCK_MASKS_BYTES

/* ---- what may follow what ---- */

/* Tokens by their first bytes. */
enum token { SCALAR, STRING, COLON, COMMA, OPEN_OBJECT, OPEN_ARRAY, CLOSE_OBJECT, CLOSE_ARRAY, TOKENS };

static const uint8_t token_of[256] = {
    ['"'] = STRING,     [':'] = COLON,        [','] = COMMA,      ['{'] = OPEN_OBJECT,
    ['['] = OPEN_ARRAY, ['}'] = CLOSE_OBJECT, [']'] = CLOSE_ARRAY};

/* Where the walk is: a row of the table, or what a token does that goes to another bracket's row. */
enum place {
    ODD = 0, /* the token may not stand there */
    ENTERS_OBJECT,
    ENTERS_ARRAY,
    LEAVES,
    MEMBER_OR_END = TOKENS,
    MEMBER = 2 * TOKENS,
    JOINT = 3 * TOKENS, /* a colon is due */
    VALUE = 4 * TOKENS,
    NEXT_MEMBER = 5 * TOKENS, /* a comma is due, or the object's end */
    ITEM_OR_END = 6 * TOKENS,
    ITEM = 7 * TOKENS,
    NEXT_ITEM = 8 * TOKENS,
    PLACES = 9 * TOKENS
};

static const uint8_t follows[PLACES] = {
    [MEMBER_OR_END + STRING] = JOINT,
    [MEMBER_OR_END + CLOSE_OBJECT] = LEAVES,
    [MEMBER + STRING] = JOINT,
    [JOINT + COLON] = VALUE,
    [VALUE + SCALAR] = NEXT_MEMBER,
    [VALUE + STRING] = NEXT_MEMBER,
    [VALUE + OPEN_OBJECT] = ENTERS_OBJECT,
    [VALUE + OPEN_ARRAY] = ENTERS_ARRAY,
    [NEXT_MEMBER + COMMA] = MEMBER,
    [NEXT_MEMBER + CLOSE_OBJECT] = LEAVES,
    [ITEM_OR_END + SCALAR] = NEXT_ITEM,
    [ITEM_OR_END + STRING] = NEXT_ITEM,
    [ITEM_OR_END + OPEN_OBJECT] = ENTERS_OBJECT,
    [ITEM_OR_END + OPEN_ARRAY] = ENTERS_ARRAY,
    [ITEM_OR_END + CLOSE_ARRAY] = LEAVES,
    [ITEM + SCALAR] = NEXT_ITEM,
    [ITEM + STRING] = NEXT_ITEM,
    [ITEM + OPEN_OBJECT] = ENTERS_OBJECT,
    [ITEM + OPEN_ARRAY] = ENTERS_ARRAY,
    [NEXT_ITEM + COMMA] = ITEM,
    [NEXT_ITEM + CLOSE_ARRAY] = LEAVES,
};

/* In an object or an array, where `expect` is due: ELEMENT_KEY and ELEMENT_COLON are an object's. */
static const uint8_t places[2][6] = {
    [false] =
        {[ELEMENT_VALUE] = ITEM, [ELEMENT_VALUE_OR_END] = ITEM_OR_END, [ELEMENT_COMMA_OR_END] = NEXT_ITEM},
    [true] = {[ELEMENT_VALUE] = VALUE,
              [ELEMENT_KEY] = MEMBER,
              [ELEMENT_KEY_OR_END] = MEMBER_OR_END,
              [ELEMENT_COLON] = JOINT,
              [ELEMENT_COMMA_OR_END] = NEXT_MEMBER}};

static const uint8_t expects[PLACES] = {[MEMBER_OR_END] = ELEMENT_KEY_OR_END,
                                        [MEMBER] = ELEMENT_KEY,
                                        [JOINT] = ELEMENT_COLON,
                                        [VALUE] = ELEMENT_VALUE,
                                        [NEXT_MEMBER] = ELEMENT_COMMA_OR_END,
                                        [ITEM_OR_END] = ELEMENT_VALUE_OR_END,
                                        [ITEM] = ELEMENT_VALUE,
                                        [NEXT_ITEM] = ELEMENT_COMMA_OR_END};

/* ---- masks ---- */

/* Of a block. */
struct masks {
    uint64_t tokens;  /* first bytes of them */
    uint64_t strings; /* from a string's first quote to before its last one */
    uint64_t opens;   /* quotes that begin strings */
    uint64_t scalars; /* bytes of numbers, names, and whatever else is no string, no sign and no blank */
    uint64_t escapes; /* backslashes that the byte behind them is escaped by */
    uint64_t feeds;   /* line feeds in strings, where none may be */
};

/* What one block leaves to the next: 0 or 1, but for `string`, of which all bits are the same. */
struct carry {
    uint64_t string, escape, scalar;
};

/* Those of the backslashes that are not escaped themselves. `escape`: the first byte is. */
BLOCK_MASKS_PART uint64_t find_escapes(uint64_t slashes, uint64_t escape)
{
    uint64_t escapes = 0;
    slashes &= ~escape;
    while (slashes != 0) {
        uint64_t const first = slashes & (0 - slashes);
        escapes |= first;
        slashes &= ~(first | first << 1);
    }
    return escapes;
}

BLOCK_MASKS_PART struct masks masks_of(const uint8_t *bytes, const struct carry *carry)
{
    struct block const block = block_load(bytes);
    struct masks masks = {.escapes = 0};
    uint64_t quotes = block_equal(block, '"'), signs = block_separators(block), feeds = 0;
    if (__builtin_expect(_mm256_movemask_epi8(block_rare(block)) != 0 || carry->escape != 0, 0)) {
        masks.escapes = find_escapes(block_equal(block, '\\'), carry->escape);
        quotes &= ~(masks.escapes << 1 | carry->escape);
        signs &= ~block_control_characters(block);
        feeds = block_equal(block, '\n');
    }
    masks.strings = block_parity(quotes) ^ carry->string;
    masks.opens = quotes & masks.strings;
    masks.feeds = feeds & masks.strings;
    masks.scalars = ~(masks.strings | signs | block_blanks(block) | quotes);
    masks.tokens =
        (signs & ~masks.strings) | masks.opens | (masks.scalars & ~(masks.scalars << 1 | carry->scalar));
    return masks;
}

/* ---- the walk ---- */

BLOCK_MASKS_PART bool is_object(const struct element_scan *scan, uint64_t depth)
{
    return scan->kinds[(depth - 1) / 8] >> ((depth - 1) % 8) & 1;
}

/* Returns where the walk is then; ODD: it is too deep. */
BLOCK_MASKS_PART size_t enter(struct element_scan *scan, bool object)
{
    uint64_t const level = scan->depth, depth = level + 1;
    if (level >= LIMIT_DEPTH_MAX) return ODD;
    uint8_t *const kinds = &scan->kinds[level / 8];
    *kinds = (uint8_t)((*kinds & ~(1u << level % 8)) | (unsigned)object << level % 8);
    scan->depth = depth;
    if (depth <= ELEMENT_SCAN_LEVELS) {
        scan->marks[depth] = (struct element_mark){.at = UINT64_MAX};
        scan->met[depth] = 0;
        if (depth > scan->deepest) scan->deepest = (uint32_t)depth;
    }
    return object ? MEMBER_OR_END : ITEM_OR_END;
}

/* By a bracket before `behind`. ODD: it ends the element, which others see to. */
BLOCK_MASKS_PART size_t leave(struct element_scan *scan, uint64_t behind)
{
    uint64_t const depth = scan->depth;
    if (depth == 1) return ODD;
    scan->closed = behind;
    if (scan->form->beside && depth <= ELEMENT_SCAN_LEVELS && scan->marks[depth].at != UINT64_MAX &&
        !is_object(scan, depth))
        scan->in_closed = scan->marks[depth];
    scan->depth = depth - 1;
    return is_object(scan, depth - 1) ? NEXT_MEMBER : NEXT_ITEM;
}

/* Takes the tokens of a block at `at`; *place: where the walk is. Returns the first that may not be taken,
 * BLOCK: all were. */
BLOCK_MASKS_PART size_t take_tokens(struct element_scan *scan, const uint8_t *bytes, uint64_t at,
                                    uint64_t tokens, size_t *place)
{
    size_t here = *place;
    for (; tokens != 0; tokens &= tokens - 1) {
        size_t const bit = (size_t)__builtin_ctzll(tokens);
        size_t next = follows[here + token_of[bytes[bit]]];
        if (next < TOKENS) {
            if (next == LEAVES)
                next = leave(scan, at + bit + 1);
            else if (next != ODD)
                next = enter(scan, next == ENTERS_OBJECT);
            if (next == ODD) {
                *place = here;
                return bit;
            }
        }
        here = next;
    }
    *place = here;
    return BLOCK;
}

/* ---- blocks ---- */

/* Bits below number `count`, of which there may be 64. */
BLOCK_MASKS_PART uint64_t below(size_t count)
{
    return count == BLOCK ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

/* Is the byte before number `count` in the mask? */
BLOCK_MASKS_PART uint64_t ends_with(uint64_t mask, size_t count)
{
    return mask >> (count - 1) & 1;
}

/* What text ends with, as if its bytes had been seen one by one. */
static void leave_text(struct element_scan *scan, const uint8_t *bytes, size_t length)
{
    size_t end = length;
    while (end > 0 && json_is_blank(bytes[end - 1]))
        end--;
    if (end > 0) {
        size_t before = end - 1;
        scan->comma_last = bytes[before] == ',';
        while (scan->comma_last && before > 0 && json_is_blank(bytes[before - 1]))
            before--;
        if (scan->comma_last) scan->comma_text = before > 0 ? scan->at + before : scan->text_end;
        scan->text_end = scan->at + end;
    }
    scan->at += length;
}

BLOCK_MASKS_TARGET void element_clean_pass(struct element_scan *scan, const uint8_t *bytes, uint64_t to)
{
    size_t const length = (size_t)(to - scan->at);
    size_t passed = 0;
    uint64_t opens = 0;
    struct carry carry = {
        .string = scan->string_open ? UINT64_MAX : 0, .escape = scan->escaped, .scalar = scan->scalar};
    size_t place = places[is_object(scan, scan->depth)][scan->expect];
    if (place == ODD) return;
    for (size_t taken = BLOCK; taken == BLOCK && passed < length; passed += taken) {
        struct masks const masks = masks_of(bytes + passed, &carry);
        size_t most = length - passed < BLOCK ? length - passed : BLOCK;
        if (masks.feeds != 0 && (size_t)__builtin_ctzll(masks.feeds) < most)
            most = (size_t)__builtin_ctzll(masks.feeds);
        taken = take_tokens(scan, bytes + passed, scan->at + passed, masks.tokens & below(most), &place);
        if (taken > most) taken = most;
        if (taken == 0) break;
        opens |= masks.opens & below(taken);
        carry.string = 0 - ends_with(masks.strings, taken);
        carry.escape = ends_with(masks.escapes, taken);
        carry.scalar = ends_with(masks.scalars, taken);
    }
    if (opens != 0) scan->in_string = (struct element_mark){.at = UINT64_MAX};
    scan->string_open = carry.string != 0;
    scan->escaped = carry.escape != 0;
    scan->scalar = carry.scalar != 0;
    scan->expect = expects[place];
    leave_text(scan, bytes, passed);
}

bool element_clean_here(void)
{
    return block_masks_here();
}

#else

void element_clean_pass(struct element_scan *scan, const uint8_t *bytes, uint64_t to)
{
    (void)scan, (void)bytes, (void)to;
}

bool element_clean_here(void)
{
    return false;
}

#endif
