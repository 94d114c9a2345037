/* file_name.h - the names of files: a pattern of the job with its placeholders filled in, and what stands
 * around a name while the file is not yet whole.
 *
 * Pure and reentrant. */
#ifndef PENSTOCK_IO_OUTPUT_FILE_NAME_H
#define PENSTOCK_IO_OUTPUT_FILE_NAME_H

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a name in a directory: NAME_MAX of Linux (limits.h); S3 keys may be longer, but one job must fit
 * both. */
#define FILE_NAME_BYTES_MAX 255u
#define FILE_NAME_SIZE      (FILE_NAME_BYTES_MAX + 1u) /* with terminator */
/* What `.NAME.RUNID.tmp` has besides NAME and RUNID. */
#define FILE_NAME_TEMPORARY_EXTRA 6u
/* Bytes of a run id: ours have 16, a UUID 36, an AWS Batch or Airflow id up to 64 or so. */
#define FILE_NAME_RUN_ID_MAX 64u

#define FILE_NAME_TIME_LENGTH 16 /* yyyyMMddTHHmmssZ */
#define FILE_NAME_TIME_SIZE   (FILE_NAME_TIME_LENGTH + 1)

struct file_name_values {
    const char *name;         /* {name}: the job's */
    int64_t run_time;         /* {run_time}: seconds since 1970, from year 0000 to 9999 */
    const char *run_id;       /* {run_id}, file_name_run_id_valid() */
    uint32_t part;            /* {part}: from 1; four digits, more above 9999; 0: not for what has no parts */
    const char *segment_id;   /* {segment_id}; NULL: the job does not split by segments */
    const char *segment_name; /* {segment_name}; NULL: the segment has none, its id stands there */
};

/* A key of the job that makes names. */
struct file_name_pattern {
    const char *key; /* for messages: "files.name" */
    const char *text;
    const char *suffix; /* what compression puts behind: "", ".gz" or ".zst" */
};

/* 1 to FILE_NAME_RUN_ID_MAX letters, digits, ".", "_" and "-", but not "." or "..": what --run-id allows too.
 */
bool file_name_run_id_valid(const char *run_id);

/* The longest final name that leaves room for the temporary name with this run id. */
size_t file_name_bytes_max(const char *run_id);

/* Expands the pattern into `out`. STATUS_JOB when a placeholder is unknown or has no value here, a brace has
 * no partner, or the result is no name for a file: empty, "." or "..", with a "/" or a control character, or
 * longer than file_name_bytes_max(). STATUS_USAGE for a run id that is not valid. */
enum status file_name_expand(const struct file_name_pattern *pattern, const struct file_name_values *values,
                             char out[FILE_NAME_SIZE], struct fault *fault);

/* The same for texts that are no names of files: the result is not looked at, but it must fit into `size`
 * bytes, terminator included. */
enum status file_name_expand_text(const char *key, const char *text, const struct file_name_values *values,
                                  char *out, size_t size, struct fault *fault);

/* The checks of the result alone, for names that come from elsewhere. */
enum status file_name_check(const char *name, const char *run_id, struct fault *fault);

/* `.NAME.RUNID.tmp`: where a file is written before it is whole; and `.NAME.RUNID.old`: where a file that is
 * being replaced stands for a moment on file systems that can't exchange two names. Both have been checked.
 */
void file_name_temporary(const char *name, const char *run_id, char out[FILE_NAME_SIZE]);
void file_name_old(const char *name, const char *run_id, char out[FILE_NAME_SIZE]);

/* yyyyMMddTHHmmssZ in UTC. */
void file_name_write_time(int64_t seconds, char out[FILE_NAME_TIME_SIZE]);

#endif
