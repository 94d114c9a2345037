/* walk_skip.c - see the header. Thread: the walk's. Owns nothing. */
#include "core/record/walk_skip.h"

/* Which bytes are brackets. */
static const bool is_bracket[256] = {['{'] = true, ['}'] = true, ['['] = true, [']'] = true};

/* The next bracket from `token` on, or a token at or behind the record's end. Two tokens at a time: two
 * entries at least stand behind the index. */
static inline __attribute__((always_inline)) const uint32_t *next_bracket(const uint8_t *bytes,
                                                                          const uint32_t *token, uint32_t end)
{
    for (; token[1] < end; token += 2) {
        if (is_bracket[bytes[token[0]]]) return token;
        if (is_bracket[bytes[token[1]]]) return token + 1;
    }
    return token[0] >= end || is_bracket[bytes[token[0]]] ? token : token + 1;
}

/* '{' + 2 == '}' and '[' + 2 == ']'. */
const uint32_t *walk_skip_container(struct index_walk *walk, const uint32_t *token, uint32_t depth)
{
    const uint8_t *const bytes = walk->bytes;
    uint8_t *const brackets = walk->brackets;
    uint32_t const end = walk->end;
    uint32_t now = depth;
    do {
        token = next_bracket(bytes, token, end);
        uint32_t const offset = *token++;
        if (offset >= end) return walk_defect(walk, DEFECT_SYNTAX, end);
        uint8_t const byte = bytes[offset];
        if (walk_skip_opens(byte)) {
            if (now == walk->depth_max) return walk_defect(walk, DEFECT_DEPTH, offset);
            brackets[++now] = byte;
        } else {
            if (brackets[now] + 2 != byte) return walk_defect(walk, DEFECT_SYNTAX, offset);
            now--;
        }
    } while (now != depth);
    return token;
}
