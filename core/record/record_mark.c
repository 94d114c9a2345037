/* record_mark.c - see the header. Pure. Thread: any. */
#include "core/record/record_mark.h"

#include "core/base/scan.h"
#include "core/record/json_text.h"

#include <string.h>

/* ---- small steps ---- */

/* Passes blanks from `at` on, RECORD_MARK_BLANKS at most. */
static size_t pass_blanks(const uint8_t *bytes, size_t length, size_t at)
{
    size_t const end = length - at > RECORD_MARK_BLANKS ? at + RECORD_MARK_BLANKS : length;
    while (at < end && json_is_blank(bytes[at]))
        at++;
    return at;
}

/* Where the blanks that end at `at` begin. */
static size_t blanks_before(const uint8_t *bytes, size_t at)
{
    size_t const end = at > RECORD_MARK_BLANKS ? at - RECORD_MARK_BLANKS : 0;
    while (at > end && json_is_blank(bytes[at - 1]))
        at--;
    return at;
}

/* The key of the first member of the object at `brace`, between its quotes. */
static bool first_key(const uint8_t *bytes, size_t length, size_t brace, size_t *key, size_t *key_length)
{
    size_t at = pass_blanks(bytes, length, brace + 1);
    if (at >= length || bytes[at] != '"') return false;
    *key = ++at;
    size_t const end = length - at > RECORD_MARK_KEY_MAX ? at + RECORD_MARK_KEY_MAX : length;
    while (at < end && bytes[at] != '"')
        at += bytes[at] == '\\' ? 2 : 1;
    if (at >= end || bytes[at] != '"') return false;
    *key_length = at - *key;
    at = pass_blanks(bytes, length, at + 1);
    return at < length && bytes[at] == ':';
}

/* The quote that the id before `"id": {` begins with; SIZE_MAX: there is no id. */
static size_t id_before(const uint8_t *bytes, size_t brace)
{
    size_t at = blanks_before(bytes, brace);
    if (at == 0 || bytes[at - 1] != ':') return SIZE_MAX;
    at = blanks_before(bytes, at - 1);
    if (at == 0 || bytes[at - 1] != '"') return SIZE_MAX;
    at--;
    size_t const end = at > RECORD_MARK_ID_MAX ? at - RECORD_MARK_ID_MAX : 0;
    while (at > end) {
        if (bytes[--at] != '"') continue;
        if (at == 0 || bytes[at - 1] != '\\') return at;
    }
    return SIZE_MAX;
}

/* The object behind `"id": ` at `at`. */
static size_t brace_behind(const uint8_t *bytes, size_t length, size_t at)
{
    size_t const end = length - at > RECORD_MARK_ID_MAX + 2 ? at + RECORD_MARK_ID_MAX + 2 : length;
    for (at++; at < end && bytes[at] != '"'; at++)
        if (bytes[at] == '\\') at++;
    if (at >= end || bytes[at] != '"') return SIZE_MAX;
    at = pass_blanks(bytes, length, at + 1);
    if (at >= length || bytes[at] != ':') return SIZE_MAX;
    at = pass_blanks(bytes, length, at + 1);
    return at < length && bytes[at] == '{' ? at : SIZE_MAX;
}

/* ---- what a beginning looks like ---- */

static bool knows_key(const struct record_mark *mark, const uint8_t *key, size_t length)
{
    for (uint32_t i = 0; i < mark->key_count; i++)
        if (mark->key_lengths[i] == length && memcmp(mark->keys[i], key, length) == 0) return true;
    return false;
}

/* The blanks before `at`, back to a line feed. */
static bool line_indent(const uint8_t *bytes, size_t at, size_t *begin)
{
    size_t const blanks = blanks_before(bytes, at);
    for (size_t i = at; i > blanks; i--)
        if (bytes[i - 1] == '\n') {
            *begin = i;
            return true;
        }
    return false;
}

static bool fits_before(const struct record_mark *mark, const uint8_t *bytes, size_t at)
{
    size_t const before = blanks_before(bytes, at);
    size_t line;
    bool const on_line = line_indent(bytes, at, &line);
    if (mark->has_indent && (!on_line || at - line != mark->indent_length ||
                             memcmp(bytes + line, mark->indent, mark->indent_length) != 0))
        return false;
    uint8_t const joint = before > 0 ? bytes[before - 1] : ' ';
    if (mark->joint == RECORD_MARK_NOTHING) return on_line || (joint != ':' && joint != ',' && joint != '[');
    return joint == ',';
}

void record_mark_learn(struct record_mark *mark, const uint8_t *bytes, size_t length, size_t at, bool first)
{
    size_t const brace = mark->joint == RECORD_MARK_NAMED ? brace_behind(bytes, length, at) : at;
    size_t key, key_length, line;
    if (brace == SIZE_MAX || brace >= length || bytes[brace] != '{') return;
    if (first && line_indent(bytes, at, &line) && at - line <= RECORD_MARK_INDENT) {
        mark->has_indent = true;
        mark->indent_length = (uint32_t)(at - line);
        memcpy(mark->indent, bytes + line, at - line);
    }
    if (mark->key_count == RECORD_MARK_KEYS || !first_key(bytes, length, brace, &key, &key_length)) return;
    if (knows_key(mark, bytes + key, key_length)) return;
    memcpy(mark->keys[mark->key_count], bytes + key, key_length);
    mark->key_lengths[mark->key_count++] = (uint32_t)key_length;
}

/* May this byte stand right before the object of a record? Most braces are ruled out by that. */
static inline bool may_precede(enum record_mark_joint joint, uint8_t byte)
{
    if (byte <= ' ') return true;
    if (joint == RECORD_MARK_NOTHING) return byte != ':' && byte != ',' && byte != '[';
    return byte == (joint == RECORD_MARK_NAMED ? ':' : ',');
}

/* Is the object at `brace` a record's? *at: where the record's place begins. */
static inline bool brace_is(const struct record_mark *mark, const uint8_t *bytes, size_t length, size_t brace,
                            size_t *at)
{
    size_t key, key_length;
    if (brace > 0 && !may_precede(mark->joint, bytes[brace - 1])) return false;
    *at = brace;
    if (mark->joint != RECORD_MARK_NAMED && !fits_before(mark, bytes, brace)) return false;
    if (!first_key(bytes, length, brace, &key, &key_length)) return false;
    if (!knows_key(mark, bytes + key, key_length)) return false;
    if (mark->joint != RECORD_MARK_NAMED) return true;
    *at = id_before(bytes, brace);
    return *at != SIZE_MAX && fits_before(mark, bytes, *at);
}

bool record_mark_is(const struct record_mark *mark, const uint8_t *bytes, size_t length, size_t at)
{
    if (at >= length) return false;
    size_t const brace = mark->joint == RECORD_MARK_NAMED ? brace_behind(bytes, length, at) : at;
    size_t found;
    return brace != SIZE_MAX && bytes[brace] == '{' && brace_is(mark, bytes, length, brace, &found) &&
           found == at;
}

size_t record_mark_next(const struct record_mark *mark, const uint8_t *bytes, size_t length, size_t from)
{
    if (mark->key_count == 0) return RECORD_MARK_NONE;
    for (size_t step = from; step < length; step += 64) {
        uint64_t braces = scan_mask64(bytes + step, '{');
        for (; braces != 0; braces &= braces - 1) {
            size_t const brace = step + (size_t)__builtin_ctzll(braces);
            size_t at;
            if (brace >= length) return RECORD_MARK_NONE;
            if (brace_is(mark, bytes, length, brace, &at) && at >= from) return at;
        }
    }
    return RECORD_MARK_NONE;
}

size_t record_mark_last(const struct record_mark *mark, const uint8_t *bytes, size_t length, size_t from)
{
    if (mark->key_count == 0) return RECORD_MARK_NONE;
    for (size_t end = length; end > from;) {
        const uint8_t *const brace = memrchr(bytes + from, '{', end - from);
        size_t at;
        if (brace == NULL) return RECORD_MARK_NONE;
        end = (size_t)(brace - bytes);
        if (brace_is(mark, bytes, length, end, &at) && at >= from) return at;
    }
    return RECORD_MARK_NONE;
}
