/* element_scan.h - where a record of a container ends: found byte by byte, whatever is wrong with it. (Bytes
 * with which nothing is wrong are passed 64 at a time where the CPU can: element_clean.h. That never shows.)
 *
 * This is what says where records are in arrays, concatenated texts and maps; the fast way (convert_form.c)
 * may take a record by stage 1's index only where it is bound to find the same. From the place where an
 * element is due everything follows from the bytes behind it: so workers that begin at different places of a
 * file agree as soon as they meet at one.
 *
 * An element goes to the comma behind its value, or to the container's end; in concatenated texts to the
 * bracket that closes it, or what begins with none to the line's end or the next brace. Quotes, backslashes
 * and brackets count as they do for stage 1. An element that is not closed so is broken, and so is one in
 * which something is out of place and behind that a mark (record_mark.h): a broken element goes to the next
 * mark, whatever is in between. Out of place is what no JSON text may hold there; of a string that was left
 * open, the place is where it began.
 *
 *   where marks are                             the element goes to
 *   more than ELEMENT_SCAN_MARKS directly in    the first one in a bracket that is open there
 *   one bracket that is open at what is out
 *   of place
 *   behind what is out of place                 the first of them
 *   in arrays, the element's outermost ones     the first of them
 *   in more than ELEMENT_SCAN_NESTED brackets   the first one in a bracket that is still open
 *   none of these, and it is longer than        the first one in a bracket that is still open, or was
 *   `limit`                                     closed last
 *   none of these, and the source ends          the same, when what closes a bracket in it ends the source,
 *                                               which was not cut off (in concatenated texts: when one is
 *                                               open)
 *
 * Beyond the limit nothing is turned back to but in the string at hand: so whoever reads front to back has to
 * keep `limit` bytes of an element, and some more.
 *
 * Thread rule: one struct a thread. Never allocates. */
#ifndef PENSTOCK_CORE_RECORD_ELEMENT_SCAN_H
#define PENSTOCK_CORE_RECORD_ELEMENT_SCAN_H

#include "core/base/limits.h"
#include "core/record/form.h"

/* Marks are kept for so many open brackets; deeper ones are not turned back to. */
#define ELEMENT_SCAN_LEVELS 64u
/* Records that are never closed seem to lie in each other: each would be looked through to the limit, for
 * nothing but the first mark in it. Half of this many objects that look like records, one in the other, are
 * in no record. */
#define ELEMENT_SCAN_NESTED 256u
/* What looks like so many records in one bracket is taken for records: lists in a record (of its identities,
 * say) that begin like records are seldom longer in one that is broken, too. Below that a broken record keeps
 * its lists: so they don't come out as records. */
#define ELEMENT_SCAN_MARKS 16u

enum element_end {
    ELEMENT_MORE,   /* not seen yet */
    ELEMENT_COMMA,  /* `next` is behind the comma that follows */
    ELEMENT_CLOSES, /* `next` is behind the byte that closes the container */
    ELEMENT_SOURCE, /* the source ends */
    ELEMENT_NEXT,   /* concatenated: what is at `next` is another one */
    ELEMENT_BROKEN  /* `next` is the mark that it goes to */
};

struct element_mark {
    uint64_t at;       /* UINT64_MAX: there is none */
    uint64_t text_end; /* behind the text before it, the comma between left out */
};

struct element_scan {
    const struct form *form;
    uint64_t limit;      /* bytes of an element after which it may be broken off */
    uint64_t begin, at;  /* of the element; the next byte */
    uint64_t text_end;   /* behind the last byte of it that is no blank */
    uint64_t comma_text; /* the same before that byte, when it is a comma: comma_last */
    uint64_t next;
    uint64_t next_mark;            /* at or behind `at`; UINT64_MAX: the bytes at hand show none */
    struct element_mark in_string; /* the first mark in the string at hand, or the last one */
    struct element_mark in_closed; /* form->beside: the first one in the array that was closed last */
    uint64_t depth;
    uint64_t arrays;  /* the outermost open brackets that are arrays': the element is bad, and records in them
                         may be the container's */
    uint64_t closed;  /* behind the bracket closed last */
    uint32_t deepest; /* how many of `marks` are set */
    uint8_t expect;
    bool behind; /* the value is closed: what follows up to the end is out of place */
    bool string_open, escaped, scalar, wrong, lost, over, comma_last;
    /* Kept from element to element: no mark is in [clear_from, clear_to), and whether one is at clear_to. */
    uint64_t clear_from, clear_to;
    bool mark_ends_it;
    bool has_clean; /* element_clean_here() */
    bool cut_off;   /* the caller's: the source does not end, it can't be read on */
    /* written before they are read: */
    struct element_mark marks[ELEMENT_SCAN_LEVELS + 1]; /* the first ones directly in each open bracket */
    uint32_t met[ELEMENT_SCAN_LEVELS + 1];              /* how many there are of those */
    uint8_t kinds[LIMIT_DEPTH_MAX / 8];                 /* bit: an object */
};

/* At the first byte of an element, no blank and not the source's end: of any source, not cut off. */
void element_scan_begin(struct element_scan *scan, const struct form *form, uint64_t limit, uint64_t begin);
/* The same at another element of the source that was scanned last, anywhere in it: where marks are is not
 * looked for again, so that a great many short elements cost no more than their bytes. */
void element_scan_again(struct element_scan *scan, uint64_t begin);
/* Looks at bytes [scan->at, …) of the source, of which `bytes` shows `length` from `offset` on (at most
 * scan->at - RECORD_MARK_BEHIND, or scan->begin). Unless `ends` (the source ends with them) the last
 * RECORD_MARK_AHEAD are left for the next call. */
enum element_end element_scan_run(struct element_scan *scan, const uint8_t *bytes, size_t length,
                                  uint64_t offset, bool ends);
/* Behind ELEMENT_SOURCE: is it one object or array that was closed, and nothing behind it? */
static inline bool element_scan_is_closed(const struct element_scan *scan)
{
    return scan->behind && !scan->lost && !scan->string_open && scan->closed == scan->text_end;
}

#endif
