/* path.h - the text of a path (a subset of RFC 9535 JSONPath) as a list of parts.
 *
 * Grammar, the leading "$." or "$" left out or not:
 *   part   = "." name | "[" text "]" | "[" number "]" | "[*]" | "[?@" key " == " literal "]"
 *   name   = letters, digits, "_", "-", ":" and any non-ASCII character (a path may begin with a bare name)
 *   text   = RFC 9535 string literal in '…' or "…", with its escapes
 *   key    = "." name | "[" text "]"          one member of the element that is tested
 *   literal= text | JSON number | true | false | null
 * Blanks (RFC 9535: space, TAB, LF, CR) may stand inside brackets.
 * Everything else of JSONPath (slices, "..", unions, functions, &&) is refused with its place.
 *
 * Ownership: a parsed path lies in the arena that was given. Thread rule: read-only after path_parse(). */
#ifndef PENSTOCK_CORE_MAP_PATH_H
#define PENSTOCK_CORE_MAP_PATH_H

#include "core/base/arena.h"
#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Parts in one path. XDM nests 8 or so deep; 64 leaves room and bounds the walkers' descent. */
#define PATH_PARTS_MAX 64
/* Bytes of a path's text and largest |index|: generous, and keeps both in 32 bits. */
#define PATH_TEXT_MAX  4096
#define PATH_INDEX_MAX 1000000000

enum path_part_kind { PATH_NAME, PATH_INDEX, PATH_WILDCARD, PATH_FILTER };

/* What a filter compares with: the literal as JSON text ("\"home\"", "true", "12.50"), checked when parsed.
 */
struct path_part {
    enum path_part_kind kind;
    const char *name;   /* PATH_NAME: the key, unescaped; PATH_FILTER: the key of the member that is tested */
    size_t name_length; /* a key may hold NUL */
    int64_t index;      /* PATH_INDEX: negative counts from the end */
    const char *literal; /* PATH_FILTER: JSON text of the literal; strings re-encoded as JSON with "…" */
    size_t literal_length;
};

struct path {
    const char *text; /* as written, for messages and reject lines */
    const struct path_part *parts;
    size_t part_count; /* at least 1 */
};

/* Parses `length` bytes. STATUS_JOB: the fault says what is wrong at which character (from 1), without naming
 * file or line: the caller knows them. The text must be valid UTF-8 (refused if not). */
enum status path_parse(struct arena *arena, const char *text, size_t length, struct path *path,
                       struct fault *fault);

/* True when both select the same by construction (equal parts, whatever the spelling). */
bool path_equal(const struct path *a, const struct path *b);

#endif
