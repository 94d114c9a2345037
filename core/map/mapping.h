/* mapping.h - what the rows of an output look like: the part of a job that core works with.
 *
 * Built by io/job (from YAML or from --id and --column), then read-only and shared by all threads.
 * All pointers lie in the job's arena. */
#ifndef PENSTOCK_CORE_MAP_MAPPING_H
#define PENSTOCK_CORE_MAP_MAPPING_H

#include "core/map/path.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Columns, the identity column included: Pega Cloud's hard limit of customer attributes (CDH 8.7 limits
 * page). */
#define MAPPING_COLUMNS_MAX        500
#define MAPPING_COLUMNS_WARN       250
#define MAPPING_HEADER_WARN        64 /* Pega property names end there; characters */
#define MAPPING_FALLBACKS_MAX      16
#define MAPPING_TRANSFORMS_MAX     8
#define MAPPING_IDENTITY_PATHS_MAX 16
#define MAPPING_TEXT_MAX           4096 /* bytes of a constant, default, null text or list separator */

enum column_type { COLUMN_TEXT, COLUMN_TIMESTAMP, COLUMN_DATE };
enum transform { TRANSFORM_TRIM, TRANSFORM_LOWER, TRANSFORM_UPPER, TRANSFORM_SHA256 };

struct column {
    const char *name;         /* header; never NULL */
    const struct path *paths; /* the path, then its fallbacks; none when constant */
    size_t path_count;
    const char *default_text; /* NULL: none */
    const char *constant;     /* NULL: not a constant column */
    bool required;
    enum column_type type;
    enum transform transforms[MAPPING_TRANSFORMS_MAX];
    size_t transform_count;
};

enum identity_multiple { IDENTITY_PRIMARY, IDENTITY_FIRST };
enum identity_missing { IDENTITY_REJECT, IDENTITY_SKIP };

struct identity {
    const char *column; /* header; NULL: this job has no identity column */
    const struct path
        *paths; /* the first that gives a value; `identityMap.NS` means the ids of that namespace */
    size_t path_count;
    enum identity_multiple multiple;
    enum identity_missing missing;
};

enum csv_quote { CSV_QUOTE_NECESSARY, CSV_QUOTE_ALL };
enum csv_header { CSV_HEADER_EVERY, CSV_HEADER_FIRST, CSV_HEADER_NONE };
enum csv_line_end { CSV_LINE_LF, CSV_LINE_CRLF };

struct csv_options {
    char delimiter;
    enum csv_quote quote;
    enum csv_header header;
    enum csv_line_end line_end;
    const char *null_text;      /* never NULL */
    bool newline_to_space;      /* csv.newline_in_value: space */
    bool null_character_drop;   /* csv.null_character: drop (else a record with one is rejected) */
    const char *list_separator; /* never NULL */
    bool formula_escape;
};

struct mapping {
    struct identity identity;
    const struct column *columns; /* in output order, behind the identity column */
    size_t column_count;
    struct csv_options csv;
};

#endif
