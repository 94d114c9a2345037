/* walk_defect.c - see the header. Thread: the walk's. Owns nothing. */
#include "core/record/walk_defect.h"

#include "core/record/json_text.h"

const uint32_t *walk_defect(struct index_walk *walk, enum defect defect, uint32_t at)
{
    if (at > walk->end) at = walk->end;
    if (walk->exact && walk->defect != DEFECT_NONE && walk->defect_at <= at) return NULL;
    walk->defect = defect;
    walk->defect_at = at;
    return NULL;
}

const uint32_t *walk_defect_syntax(struct index_walk *walk, const uint32_t *token)
{
    return walk_defect(walk, DEFECT_SYNTAX, *token);
}

const uint32_t *walk_defect_open_string(struct index_walk *walk, uint32_t begin, bool matters)
{
    const uint8_t *const raw = walk->bytes + begin + 1;
    uint32_t const length = walk->end - begin - 1;
    struct json_string string;
    if (walk->exact && matters && !json_unescape(raw, length, NULL, &string) &&
        !json_escape_is_cut(raw + string.bad, length - string.bad))
        return walk_defect(walk, DEFECT_SYNTAX, begin + 1 + (uint32_t)string.bad);
    return walk_defect(walk, DEFECT_UNCLOSED_STRING, walk->end);
}
