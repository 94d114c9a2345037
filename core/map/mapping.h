/* mapping.h - what the rows of an output look like: the part of a job that core works with.
 *
 * Built by io/job (from YAML or from --id and --column), then read-only and shared by all threads.
 * All pointers lie in the job's arena. */
#ifndef PENSTOCK_CORE_MAP_MAPPING_H
#define PENSTOCK_CORE_MAP_MAPPING_H

#include "core/base/limits.h"
#include "core/map/path.h"

#include <stdbool.h>
#include <stddef.h>

/* Columns, the identity column included: Pega Cloud's hard limit of customer attributes (CDH 8.7 limits
 * page). */
#define MAPPING_COLUMNS_MAX        500
#define MAPPING_COLUMNS_WARN       250
#define MAPPING_HEADER_WARN        64 /* Pega property names end there; characters */
#define MAPPING_FALLBACKS_MAX      16
#define MAPPING_TRANSFORMS_MAX     8
#define MAPPING_IDENTITY_PATHS_MAX 16
#define MAPPING_TEXT_MAX           4096 /* bytes of a constant, default, null text or list separator */
/* Each segment costs a slot of the plan; AEP's dumps name some thousand in all. */
#define MAPPING_SEGMENTS_MAX 1024
/* segments.split: each segment is a delivery with a file open of its own (AEP: 250 audiences a destination).
 */
#define MAPPING_SPLIT_MAX          256
#define MAPPING_SEGMENT_ID_MAX     1024 /* bytes; AEP's own are UUIDs */
#define MAPPING_STATUSES_MAX       16
#define MAPPING_CONSENT_RULES_MAX  LIMIT_CONSENT_RULES
#define MAPPING_CONSENT_VALUES_MAX 64

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

enum identity_multiple { IDENTITY_PRIMARY, IDENTITY_FIRST, IDENTITY_EXPLODE };
enum identity_missing { IDENTITY_REJECT, IDENTITY_SKIP };
enum identity_deduplicate { IDENTITY_KEEP_ALL, IDENTITY_KEEP_LATEST };

struct identity {
    const char *column; /* header; NULL: this job has no identity column */
    const struct path
        *paths; /* the first that gives a value; `identityMap.NS` means the ids of that namespace */
    size_t path_count;
    enum identity_multiple multiple;
    enum identity_missing missing;
    enum identity_deduplicate deduplicate;
    struct path
        timestamp; /* what IDENTITY_KEEP_LATEST compares; part_count 0: none, the later record stays */
};

struct segment {
    const char *id; /* a key of segmentMembership.NAMESPACE, literally */
    size_t id_length;
    const char *name; /* {segment_name}; NULL: none was given */
};

/* Who goes out: members, by a status of the list, of any of the segments. */
struct segments {
    const char *name_space; /* matched without regard to ASCII case */
    const struct segment *list;
    size_t count; /* 0: the job has no segments, all records go out */
    const char *const *statuses;
    size_t status_count;
    bool split; /* a delivery for each segment: a row goes to those whose member it is, in this order */
};

enum consent_missing { CONSENT_DENY, CONSENT_ALLOW };

/* Consent is given when each of the path's values but nulls is one of `allow`; without any it is missing. */
struct consent_rule {
    struct path path;
    const char *const *allow;
    size_t allow_count;
    enum consent_missing missing;
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
    struct segments segments;
    struct identity identity;
    const struct consent_rule *consent; /* all must be given */
    size_t consent_count;
    const struct column *columns; /* in output order, behind the identity column */
    size_t column_count;
    struct csv_options csv;
};

#endif
