/* tally.c - sums of tallies, and the names that reports and reject lines use.
 *
 * Thread rule: a tally belongs to one thread at a time; nothing here is shared. 64 bits hold more records
 * than there are bytes in any input, so no sum can wrap. */
#include "core/base/tally.h"

#include <stddef.h>

void tally_add(struct tally *sum, const struct tally *more)
{
    sum->input += more->input;
    sum->delivered += more->delivered;
    sum->rows += more->rows;
    for (size_t i = 0; i < SKIP_COUNT; i++)
        sum->skipped[i] += more->skipped[i];
    for (size_t i = 0; i < LIMIT_CONSENT_RULES; i++)
        sum->consent[i] += more->consent[i];
    for (size_t i = 0; i < DEFECT_COUNT; i++)
        sum->failed[i] += more->failed[i];
    sum->duplicate_keys += more->duplicate_keys;
    for (size_t i = 0; i < CHANGE_COUNT; i++)
        sum->changed[i] += more->changed[i];
    sum->lines += more->lines;
}

uint64_t tally_failed(const struct tally *tally)
{
    uint64_t failed = 0;
    /* DEFECT_NONE is no failure: a record charged to it by mistake must unbalance the tally, not vanish in
     * it. */
    for (size_t i = DEFECT_NONE + 1; i < DEFECT_COUNT; i++)
        failed += tally->failed[i];
    return failed;
}

uint64_t tally_skipped(const struct tally *tally)
{
    uint64_t skipped = 0;
    for (size_t i = 0; i < SKIP_COUNT; i++)
        skipped += tally->skipped[i];
    return skipped;
}

int tally_balanced(const struct tally *tally)
{
    return tally->input == tally->delivered + tally_skipped(tally) + tally_failed(tally);
}

/* No default labels below: the compiler then names the value that a new enumerator forgot. */
const char *tally_defect_name(enum defect defect)
{
    switch (defect) {
    case DEFECT_NONE: return "none";
    case DEFECT_SYNTAX: return "syntax";
    case DEFECT_UTF8: return "utf8";
    case DEFECT_UNCLOSED_STRING: return "unclosed_string";
    case DEFECT_TRUNCATED: return "truncated";
    case DEFECT_DEPTH: return "depth";
    case DEFECT_TOO_LARGE: return "too_large";
    case DEFECT_TRAILING_CONTENT: return "trailing_content";
    case DEFECT_NOT_AN_OBJECT: return "not_an_object";
    case DEFECT_MISSING_IDENTITY: return "missing_identity";
    case DEFECT_BAD_TIMESTAMP: return "bad_timestamp";
    case DEFECT_LONE_SURROGATE: return "lone_surrogate";
    case DEFECT_NULL_CHARACTER: return "null_character";
    case DEFECT_COUNT: break;
    }
    return "unknown";
}

const char *tally_skip_name(enum skip skip)
{
    switch (skip) {
    case SKIP_SEGMENT: return "segment";
    case SKIP_CONSENT: return "consent";
    case SKIP_REQUIRED: return "required";
    case SKIP_DUPLICATE: return "duplicate";
    case SKIP_UNCHANGED: return "unchanged";
    case SKIP_IDENTITY: return "identity";
    case SKIP_COUNT: break;
    }
    return "unknown";
}

const char *tally_change_name(enum change change)
{
    switch (change) {
    case CHANGE_NEWLINE: return "newline";
    case CHANGE_NULL_CHARACTER: return "null_character";
    case CHANGE_FORMULA: return "formula";
    case CHANGE_COUNT: break;
    }
    return "unknown";
}
