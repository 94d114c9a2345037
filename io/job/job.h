/* job.h - a job file as a value: what to read, how rows look, where they go.
 *
 * job_load() reads YAML (libyaml's events over one table of keys); job_from_flags() builds the short form of
 * `penstock export --id PATH --column NAME=PATH`. Both fill every field, defaults included (contract: "Job
 * file"), and check what can be checked without touching sources or destination.
 *
 * Ownership: all texts lie in job->arena; job_free() frees them. Thread rule: read-only once loaded. */
#ifndef PENSTOCK_IO_JOB_JOB_H
#define PENSTOCK_IO_JOB_JOB_H

#include "core/base/arena.h"
#include "core/base/checksum.h"
#include "core/base/status.h"
#include "core/map/mapping.h"
#include "core/record/form.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOB_FILE_BYTES_MAX (4u * 1024 * 1024) /* 500 columns take some 100 KiB */
#define JOB_SOURCES_MAX    100000             /* paths listed in one job */

enum job_if_exists { JOB_EXISTS_FAIL, JOB_EXISTS_REPLACE };
enum job_addressing { JOB_ADDRESSING_AUTO, JOB_ADDRESSING_VIRTUAL, JOB_ADDRESSING_PATH };

/* An S3 object's tag. */
struct job_tag {
    const char *name, *value;
};

/* Where files go. All but `url` and `if_exists` is for S3 only; NULL: not set. */
struct job_destination {
    const char *url; /* directory, "null:" or s3://bucket/prefix/; NULL when the job names none */
    enum job_if_exists if_exists;
    const char *account_id; /* 12 digits: who must own the bucket */
    const char *region, *endpoint;
    enum job_addressing addressing;
    const char *sse; /* AES256, aws:kms or aws:kms:dsse */
    const char *kms_key_id, *storage_class, *acl;
    const struct job_tag *tags;
    size_t tag_count;
    enum checksum_kind checksum;
};

/* rejects.max / --max-rejects: N records, or a share of the input records in millionths (5% = 50000). */
struct job_budget {
    bool is_share;
    uint64_t records;
    uint32_t millionths;
    const char *text; /* as written, for messages: "1000", "0.5%" */
};

enum job_compression { JOB_COMPRESSION_NONE, JOB_COMPRESSION_GZIP, JOB_COMPRESSION_ZSTD };
enum job_token { JOB_TOKEN_MANIFEST, JOB_TOKEN_FILE, JOB_TOKEN_NONE };

/* What Pega's data job waits for. Names have placeholders, their syntax is checked. */
struct job_pega {
    bool wanted; /* the job has the section: manifest and tokens are written */
    const char *process_type, *purge_process_type;
    const char *manifest, *purge_manifest;
    const char *path_prefix; /* "", or what stands before a file's name in the manifest */
    enum job_token token;
    const char *token_suffix;
    bool token_replaces_extension;
};

/* What the labels file and the policies make of the columns: judged when the job is loaded. */
struct job_governance {
    const char *labels;           /* the labels file, resolved like rejects_path; NULL: nothing is governed */
    const char *marketing_action; /* NULL: none */
    bool drops_columns;           /* on_violation: drop_column */
    const char *const *dropped;   /* headers of the columns that were dropped */
    size_t dropped_count;
    /* One sentence each. When job_load() fails because of them they are there until job_free(). */
    const char *const *violations;
    size_t violation_count;
};

/* Violations that the fault's own message holds; it tells how many there are in all. */
#define JOB_VIOLATIONS_SHOWN 5u

struct job {
    struct arena arena;
    const char *file; /* the job file's path as given; NULL for the short form */
    const char *name;
    const char *description; /* NULL: none */

    const char *const *source_paths; /* as written: relative to the working directory */
    size_t source_count;
    enum form_choice format; /* source.format */
    bool forgives_damage;    /* source.on_corrupt: skip_rest */
    uint64_t max_record;     /* bytes */
    uint32_t max_depth;

    struct job_destination destination;

    const char *file_name;  /* files.name with its placeholders, syntax checked */
    uint64_t max_rows;      /* 0: no limit */
    uint64_t max_bytes;     /* 0: no limit; uncompressed CSV bytes, header included */
    const char *purge_name; /* files.purge_name */
    enum job_compression compression;
    uint32_t file_count; /* files.count: even files; 0: cut by rows and bytes */
    bool empty_header;   /* files.empty: header */
    struct job_pega pega;
    struct job_governance governance;
    unsigned split_line; /* where segments.split stands, for job_names_check() */

    struct mapping mapping;

    const char *rejects_path; /* resolved against the job file's directory; NULL: none */
    struct job_budget budget;

    const char **warnings; /* sentences for the log: long header, over 250 columns, … */
    size_t warning_count;
};

/* One --column NAME=PATH of the short form. */
struct job_flag_column {
    const char *name;
    const char *path;
};

/* STATUS_JOB with "FILE:LINE: key: what is wrong; what is allowed", also when the file can't be read. Nothing
 * is left to free then but governance.violations, see there: job_free() is fine in any case. */
enum status job_load(const char *file, struct job *job, struct fault *fault);

/* The short form: name `export`, identity column CustomerID read from `id_path` (none when NULL).
 * STATUS_USAGE when a path does not parse or a name is not allowed. */
enum status job_from_flags(const char *id_path, const struct job_flag_column *columns, size_t column_count,
                           struct job *job, struct fault *fault);

/* Can files go to `url`, the job's or one in its place? Its placeholders are known and stand in folders, and
 * with segments.split no two segments get files or manifests of one name. STATUS_JOB, but STATUS_USAGE for
 * the syntax of a URL that is not the job's. */
enum status job_names_check(const struct job *job, const char *url, bool url_is_jobs, struct fault *fault);

/* Does a pattern of names give another name in each run? */
bool job_is_of_a_run(const char *pattern);

/* "16MiB", "1.5GB"-style sizes are shared by job keys and flags: digits with an optional fraction and one of
 * B, KB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB, or K, M, G, T (powers of 1024); no unit: bytes. */
bool job_parse_size(const char *text, uint64_t *bytes);
/* "1000" or "5%" or "0.25%". The text is kept by reference. */
bool job_parse_budget(const char *text, struct job_budget *budget);

void job_free(struct job *job);

#endif
