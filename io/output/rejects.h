/* rejects.h - the reject file: one JSON line for each failed record,
 *     {"source","offset","length","line","code","path","raw"}   (raw: base64 of at most 64 KiB)
 *
 * - It holds profile data, so it is made with mode 0600 and never through a symbolic link to a file.
 * - It is made by the first rejects_add(): a run without failed records has no reject file. A reject file of
 * an earlier run at the same path is replaced then; when no record failed, rejects_remove_former() removes it
 * at the end of a run that went well, as it would be taken for this run's. A run that fails before any record
 * does leaves it. A file there that does not look like a reject file (it begins otherwise than `{"source":`)
 * is refused, never removed: a mistyped --rejects must not cost a dump.
 * - It is written in place, in whole lines, and kept when the run fails (rejects_close() in any case).
 * - A pipe, a terminal or a device (/dev/null, /dev/stderr, a shell's process substitution) is written to as
 * it is.
 * - A source name that is not UTF-8 has U+FFFD for each byte that is not (output_text.h).
 *
 * Lines come in the order of the calls: the assembler's, which is input order. Thread rule: one thread.
 * Every function takes NULL for "no reject file is wanted" and then does nothing. */
#ifndef PENSTOCK_IO_OUTPUT_REJECTS_H
#define PENSTOCK_IO_OUTPUT_REJECTS_H

#include "core/base/status.h"
#include "core/flow/reject.h"

struct rejects;

/* Run start: checks that a file can be made at `path`; changes nothing. The text is copied.
 * NULL with the fault filled: STATUS_JOB for a path that can't be, STATUS_IO for rights and the rest. */
struct rejects *rejects_open(const char *path, struct fault *fault);

/* Appends one line (buffered). After a failure every further call fails. */
enum status rejects_add(struct rejects *rejects, const struct reject *reject, struct fault *fault);

/* After a run that went well: removes an earlier run's file if this run did not replace it. */
enum status rejects_remove_former(struct rejects *rejects, struct fault *fault);

/* Writes what is buffered, syncs and closes. Called once, whether the run succeeded or not; only
 * rejects_remove_former() and rejects_destroy() follow. */
enum status rejects_close(struct rejects *rejects, struct fault *fault);

/* Frees; a file that was not closed keeps the whole lines written so far. */
void rejects_destroy(struct rejects *rejects);

#endif
