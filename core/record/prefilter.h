/* prefilter.h - which lines can't name any wanted segment: told from their raw bytes, before they are parsed.
 *
 * Sound: a member of a segment has its id as a key, and a JSON string spells its text by the bytes themselves
 * between two quotes, or by escapes (RFC 8259, section 7). So a line without any id between quotes, and
 * without an escape that may stand for a character of one, names none. Such an escape is \u before the number
 * of an ASCII character that stands in an id, before that of any other character when ids have such, before
 * 0000 (which may be dropped) and before what is no number; and every escape when an id holds a character
 * that has a short one or needs one ( " \ / and control characters). What is left over is parsed and judged
 * as ever: that the id stands elsewhere, in a value or another namespace, does no harm.
 *
 * One or two ids are looked for by their first and last byte, at 16 places at a time. For more, each string
 * is looked at that may be a key, one behind { or , or a blank: by a table of how ids begin, then by its
 * hash.
 *
 * Ownership: lies in the arena given. Thread rule: read-only once made; a scan belongs to one thread. */
#ifndef PENSTOCK_CORE_RECORD_PREFILTER_H
#define PENSTOCK_CORE_RECORD_PREFILTER_H

#include "core/base/arena.h"
#include "core/map/mapping.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prefilter;

/* For segments->count ids, at least 1. NULL: no memory. */
const struct prefilter *prefilter_create(struct arena *arena, const struct segments *segments);

/* Bytes of the longest id with its prefix and quotes: what two windows of one line must share, less one, to
 * be looked at one by one. */
size_t prefilter_key_max(const struct prefilter *filter);

/* One way through some bytes, front to back; LIMIT_PADDING readable bytes behind them. */
struct prefilter_scan {
    const struct prefilter *filter;
    const uint8_t *bytes;
    size_t length;
    size_t id_at, escape_at; /* the next ones, at or behind what was asked last; `length`: none */
};

void prefilter_begin(struct prefilter_scan *scan, const struct prefilter *filter, const uint8_t *bytes,
                     size_t length);
/* May the bytes [begin, end) name an id? `begin` and `end` never go back from call to call. */
bool prefilter_may_name(struct prefilter_scan *scan, size_t begin, size_t end);

#endif
