/* job_build.h - what the files of io/job share while a job is being built. Internal to io/job.
 *
 * One builder serves one job_load() or job_from_flags(). Drafts and places lie in `scratch`, which dies with
 * the builder; what the job keeps is copied into job->arena. */
#ifndef PENSTOCK_IO_JOB_JOB_BUILD_H
#define PENSTOCK_IO_JOB_JOB_BUILD_H

#include "io/job/job_yaml.h"

/* Room for the longest full key ("destination.if_exists", "columns[499].fallback[15]") with an unknown key,
 * cut by job_show(), behind it. */
#define JOB_PLACE_MAX 160
/* Entries of the table of keys; checked when the table is compiled. */
#define JOB_KEYS_MAX 112
/* destination.kms_key_id: an ARN of a key or alias; 2048 is what KMS takes. */
#define JOB_KMS_KEY_MAX 2048
/* For each column its header, its labels, or that it was dropped; then single ones: the number of columns,
 * csv.null, identity.deduplicate, pega.path_prefix. */
#define JOB_WARNINGS_MAX (3 * MAPPING_COLUMNS_MAX + 8)
/* Pega's own texts in the manifest, and files.name: far above what a name can be, so that messages stay
 * readable. */
#define JOB_NAME_TEXT_MAX 1024
/* Bytes of a text that a message repeats. */
#define JOB_SHOWN_MAX 60

struct job_builder;
struct job_key;

/* What reads one key's value into `target`; `place` is the full key for messages. */
typedef enum status job_read_fn(struct job_builder *builder, const struct job_key *key, const char *place,
                                const struct job_node *value, void *target);

/* How a value is read. */
enum job_key_kind {
    JOB_KEY_SECTION, /* a mapping of further keys of the table */
    JOB_KEY_TEXT,    /* const char *, at most `most` bytes */
    JOB_KEY_CHOICE,  /* an enum whose values stand in the order of `choices` */
    JOB_KEY_SWITCH,  /* a bool, true for the second of `choices` */
    JOB_KEY_BOOL,    /* a bool: true or false */
    JOB_KEY_READ,    /* by `read` */
    JOB_KEY_LATER    /* refused, but for `accepted` */
};

struct job_key {
    const char *name; /* full key, "[]" for the items of a list */
    enum job_key_kind kind;
    size_t
        at; /* offset in struct job; in struct job_column for columns[], consent_rule for consent.require[] */
    const char *choices; /* "a, b, c": all that the contract allows; NULL: not a choice */
    const char
        *accepted; /* LATER: the default, which may be written out; "{}": an empty mapping; NULL: only null */
    size_t most;
    job_read_fn *read;
    bool reads_null; /* a plain null is a value of this key, not "not set" */
};

/* A column on its way: what its keys said, before they are weighed together. */
struct job_column {
    struct column column; /* name is NULL until it is known */
    struct path path;     /* part_count 0: none */
    struct path *fallbacks;
    size_t fallback_count;
    const char *place; /* "columns[3]", or "--column" */
    unsigned line;
    unsigned name_line;
};

struct job_builder {
    struct job *job;
    struct arena scratch;
    const char *file;    /* NULL: the short form, whose messages have no file and line */
    enum status refusal; /* STATUS_JOB or STATUS_USAGE */
    struct fault *fault;
    unsigned top_line;
    unsigned seen[JOB_KEYS_MAX]; /* line where a key stands (0: nowhere), null or not */
    unsigned set[JOB_KEYS_MAX];  /* line where it has a value */
    bool dialect_pega;
    struct job_column *columns;
    size_t column_count;
    struct segment *segments;             /* mapping.segments.list while names are still missing */
    const struct job_node *segment_names; /* segments.names; NULL: none */
    struct job_text labels;               /* of governance.labels */
    unsigned marketing_action;            /* a number of governance.h */
    const char *warnings[JOB_WARNINGS_MAX];
    size_t warning_count;
};

/* A text for messages: cut at a whole character, control characters as "?". Used as job_show(…).text. */
struct job_shown {
    char text[JOB_SHOWN_MAX + 4];
};
struct job_shown job_show(const char *text, size_t length);

/* --- job_values.c: messages and single values --- */
enum status job_refuse(const struct job_builder *builder, unsigned line, const char *place,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));
enum status job_no_memory(const struct job_builder *builder);
void job_warn(struct job_builder *builder, unsigned line, const char *place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Copies into the job's arena; the texts keep at most `most` bytes and no NUL. */
enum status job_value_text(struct job_builder *builder, const char *place, const struct job_node *value,
                           size_t most, const char **text);
/* Number of the choice in key->choices. */
enum status job_value_choice(struct job_builder *builder, const struct job_key *key, const char *place,
                             const struct job_node *value, unsigned *choice);
enum status job_value_bool(struct job_builder *builder, const char *place, const struct job_node *value,
                           bool *on);
enum status job_value_count(struct job_builder *builder, const char *place, const struct job_node *value,
                            uint64_t least, uint64_t most, uint64_t *count);
enum status job_value_size(struct job_builder *builder, const char *place, const struct job_node *value,
                           uint64_t least, uint64_t most, uint64_t *bytes);
enum status job_value_later(struct job_builder *builder, const struct job_key *key, const char *place,
                            const struct job_node *value);
/* Checks that `value` is a list of texts of at most `most` items, none of them null. */
enum status job_value_list(struct job_builder *builder, const char *place, const struct job_node *value,
                           size_t most);
enum status job_value_path(struct job_builder *builder, const char *place, const struct job_node *value,
                           struct path *path);
/* The path of a file, taken from the job file's directory when it is relative. */
enum status job_value_file(struct job_builder *builder, const char *place, const struct job_node *value,
                           const char **file);
/* A list of texts of at most `most_bytes` each, in the job's arena. */
enum status job_value_texts(struct job_builder *builder, const char *place, const struct job_node *value,
                            size_t most, size_t most_bytes, const char *const **texts, size_t *count);
/* Refuses a text that is empty or holds a control character. */
enum status job_value_word(struct job_builder *builder, const char *place, const struct job_node *value,
                           size_t most, const char **text);
/* A list of paths, in the job's arena. */
enum status job_value_paths(struct job_builder *builder, const char *place, const struct job_node *value,
                            size_t most, struct path **paths, size_t *count);
/* Digits only, no leading zeros. Common to sizes, budgets and counts; *end is the first byte behind. */
bool job_digits(const char *text, uint64_t *number, const char **end);

/* --- job_keys.c: the table and the walk over it --- */
/* Reads the keys of `map`, which stands at `place` ("" or "csv" or "columns[3]"); `pattern` is its name in
 * the table ("columns[]"). */
enum status job_section(struct job_builder *builder, const char *place, const char *pattern,
                        const struct job_node *map, void *base);
/* Lines where a key of the table stands with a value; 0: it does not. */
unsigned job_set_line(const struct job_builder *builder, const char *name);
/* Forgets the keys below `pattern`: before each item of a list of sections. */
void job_forget(struct job_builder *builder, const char *pattern);

/* --- job_sections.c: keys that need a reader of their own --- */
job_read_fn job_read_name, job_read_sources, job_read_format, job_read_record_size, job_read_depth,
    job_read_max_rows, job_read_max_bytes, job_read_file_count, job_read_dialect, job_read_delimiter,
    job_read_null_text, job_read_rejects_path, job_read_rejects_max;
/* What keys of `files` ask of each other. */
enum status job_files_check(struct job_builder *builder);

/* --- job_destination.c --- */
job_read_fn job_read_account, job_read_url, job_read_region, job_read_endpoint, job_read_sse,
    job_read_storage_class, job_read_acl, job_read_tags;
/* What keys of the destination ask of each other. */
enum status job_destination_check(const struct job_builder *builder);

/* --- job_columns.c --- */
job_read_fn job_read_header, job_read_identity_paths, job_read_path, job_read_fallback, job_read_transform,
    job_read_columns;
enum status job_header_check(const struct job_builder *builder, unsigned line, const char *place,
                             const char *header, size_t length);
/* Headers differ, numbers are in bounds, the long ones are warned of; moves the drafts into job->mapping. */
enum status job_columns_finish(struct job_builder *builder);
/* Texts of the job itself hold no newline where values can't. */
enum status job_newlines_check(const struct job_builder *builder);

/* --- job_segments.c --- */
job_read_fn job_read_namespace, job_read_segment_ids, job_read_segment_names, job_read_statuses;
/* Names find their ids; what keys of `segments` ask of each other. */
enum status job_segments_check(struct job_builder *builder);

/* --- job_consent.c --- */
job_read_fn job_read_consent, job_read_allow;
enum status job_consent_check(const struct job_builder *builder);

/* --- job_pega.c --- */
job_read_fn job_read_pega, job_read_pega_text, job_read_path_prefix, job_read_token_suffix;

/* --- governance.c --- */
job_read_fn job_read_labels, job_read_marketing_action;
/* Judges the columns by their labels, when all of them are known; may drop some. */
enum status job_governance_check(struct job_builder *builder);

/* --- job_load.c --- */
void job_defaults(struct job *job);
/* The end of both ways to a job: warnings move over, memory is checked; a job that failed is freed. */
enum status job_finish(struct job_builder *builder, enum status status);

/* Reads a whole file of at most JOB_FILE_BYTES_MAX bytes. When that fails *problem says why, without naming
 * the file: STATUS_JOB, or STATUS_IO for no memory. The caller frees *bytes in any case. */
enum status job_file_read(const char *file, char **bytes, size_t *length, const char **problem);

/* --- job_file_name.c: patterns of names --- */

/* Placeholders that a pattern may hold. */
enum {
    JOB_HOLDS_RUN = 1,    /* {name} {run_time} {run_id} */
    JOB_HOLDS_PART = 2,   /* {part} */
    JOB_HOLDS_SEGMENT = 4 /* {segment_id} {segment_name} */
};

struct job_pattern {
    const char *place; /* the key, for messages */
    const char *text;
    unsigned line;
    unsigned holds;
};

/* Placeholders are known, allowed here and closed; what they stand for can stand in a name. */
enum status job_pattern_check(const struct job_builder *builder, const struct job_pattern *pattern);
/* The longest name that the pattern makes for a segment (NULL: none), in `arena`: values of a run have
 * stand-ins of their greatest length. Two that are equal are equal in every run. NULL: no memory. */
const char *job_pattern_longest(const struct job *job, struct arena *arena, const char *pattern,
                                const struct segment *segment);
/* All patterns of a job but destination.url. */
enum status job_file_name_check(struct job_builder *builder);

/* --- job_split.c --- */
/* The placeholders of `url`; `place` is its key or flag. */
enum status job_url_check(const struct job_builder *builder, const char *place, unsigned line,
                          const char *url);

#endif
