/* output_name.h - the whole names of a run's files below their destination: folders that depend on the
 * segment, then the file's name. And the names of tokens, made from those.
 *
 *   s3://b/x/{segment_name}/y/   base s3://b/x/, folders {segment_name}/y/, names loyal/y/acme_0001.csv
 *
 * Pure and reentrant. */
#ifndef PENSTOCK_IO_OUTPUT_OUTPUT_NAME_H
#define PENSTOCK_IO_OUTPUT_OUTPUT_NAME_H

#include "core/base/arena.h"
#include "io/output/file_name.h"

/* Bytes of a name with its folders: a whole key of S3 (1,024), which other destinations can take too. */
#define OUTPUT_NAME_BYTES_MAX 1024u
#define OUTPUT_NAME_SIZE      (OUTPUT_NAME_BYTES_MAX + 1u)

/* A destination's URL in two. Its placeholders have been checked (job_names_check). */
struct output_place {
    const char *base;    /* no placeholder: what a sink is made for */
    const char *folders; /* "", or what stands before each file's name, with its last slash */
};

/* Cuts before the first folder with a placeholder. The texts lie in `arena`, or are `url` itself. False: no
 * memory. */
bool output_place_split(struct arena *arena, const char *url, struct output_place *place);

/* Folders and the file's name. As file_name_expand(), and STATUS_JOB when both are too long together. */
enum status output_name_expand(const char *folders, const struct file_name_pattern *pattern,
                               const struct file_name_values *values, char out[OUTPUT_NAME_SIZE],
                               struct fault *fault);

/* Bytes of a file's name, which has no folders, without its extension: the last one, and a .gz or .zst behind
 * it. */
size_t output_name_stem(const char *name);

/* The name of the token of the file `name` (folders stay): with `suffix` behind it, or (`replaces`) in place
 * of its extension: a.csv.gz gives a.TOK. STATUS_JOB when that is the file's own name, or too long. */
enum status output_name_token(const char *name, const char *suffix, bool replaces, const char *run_id,
                              char out[OUTPUT_NAME_SIZE], struct fault *fault);

#endif
