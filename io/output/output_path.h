/* output_path.h - a name with folders (output_name.h) as a path below a destination directory: what is
 * allowed in it, and what its last part is called while the file is not yet whole.
 *
 * Pure and reentrant. */
#ifndef PENSTOCK_IO_OUTPUT_OUTPUT_PATH_H
#define PENSTOCK_IO_OUTPUT_OUTPUT_PATH_H

#include "core/base/status.h"
#include "io/output/output_name.h"

#include <stddef.h>

/* With what the temporary name adds. */
#define OUTPUT_PATH_OTHER_SIZE (OUTPUT_NAME_SIZE + FILE_NAME_TEMPORARY_EXTRA + FILE_NAME_RUN_ID_MAX)

/* STATUS_JOB when a folder is empty, "." or "..", has a control character or is too long for a directory
 * entry, when the whole is too long, or by file_name_check() of the last part. STATUS_USAGE for a run id that
 * is not valid. */
enum status output_path_check(const char *name, const char *run_id, struct fault *fault);

/* Bytes of the folders with their last '/'; 0: it stands in the destination itself. */
size_t output_path_folders(const char *name);

/* FOLDERS/.NAME.RUNID.tmp and .old (file_name.h), of a name that was checked. */
void output_path_temporary(const char *name, const char *run_id, char out[OUTPUT_PATH_OTHER_SIZE]);
void output_path_old(const char *name, const char *run_id, char out[OUTPUT_PATH_OTHER_SIZE]);

#endif
