/* tally.h - what is counted of records, per shard by its worker and per run by the assembler. Plain numbers:
 * added together they stay exact whatever the number of threads. */
#ifndef PENSTOCK_CORE_BASE_TALLY_H
#define PENSTOCK_CORE_BASE_TALLY_H

#include "core/base/limits.h"

#include <stdint.h>

/* Why a record failed: the codes of the contract ("A record is isolated"), in its order. */
enum defect {
    DEFECT_NONE = 0,
    DEFECT_SYNTAX,
    DEFECT_UTF8,
    DEFECT_UNCLOSED_STRING,
    DEFECT_TRUNCATED,
    DEFECT_DEPTH,
    DEFECT_TOO_LARGE,
    DEFECT_TRAILING_CONTENT,
    DEFECT_NOT_AN_OBJECT,
    DEFECT_MISSING_IDENTITY,
    DEFECT_BAD_TIMESTAMP,
    DEFECT_LONE_SURROGATE,
    DEFECT_NULL_CHARACTER,
    DEFECT_COUNT
};

/* Why a record was skipped, in the report's order. */
enum skip {
    SKIP_SEGMENT,
    SKIP_CONSENT,
    SKIP_REQUIRED,
    SKIP_DUPLICATE,
    SKIP_UNCHANGED,
    SKIP_IDENTITY,
    SKIP_COUNT
};

/* What csv options changed in values, in the report's order; counted in values of delivered rows. */
enum change { CHANGE_NEWLINE, CHANGE_NULL_CHARACTER, CHANGE_FORMULA, CHANGE_COUNT };

struct tally {
    uint64_t input;     /* records found, blank lines left out */
    uint64_t delivered; /* records with a row in the output */
    uint64_t rows;
    uint64_t skipped[SKIP_COUNT];
    uint64_t
        consent[LIMIT_CONSENT_RULES]; /* of those skipped for SKIP_CONSENT, by the rule that was not given */
    uint64_t failed[DEFECT_COUNT];
    uint64_t duplicate_keys; /* records that held an object with a key twice */
    uint64_t changed[CHANGE_COUNT];
    uint64_t lines; /* line ends passed */
};

void tally_add(struct tally *sum, const struct tally *more);
uint64_t tally_failed(const struct tally *tally);
uint64_t tally_skipped(const struct tally *tally);
/* input = delivered + skipped + failed: the promise of every report. */
int tally_balanced(const struct tally *tally);

/* "syntax", "utf8", …; "segment", …; "newline", …: the names of reports and reject lines. */
const char *tally_defect_name(enum defect defect);
const char *tally_skip_name(enum skip skip);
const char *tally_change_name(enum change change);

#endif
