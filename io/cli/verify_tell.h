/* verify_tell.h - what is wrong with a delivery, a line each, and a summary: the standard output of `verify`.
 *
 *     NAME: WHAT: expected E, found F
 *
 * in the order of the manifest; then what the report has beside it, by its URLs. Names are those of the
 * manifest, escaped; no value of a row is told. Thread: main. */
#ifndef PENSTOCK_IO_CLI_VERIFY_TELL_H
#define PENSTOCK_IO_CLI_VERIFY_TELL_H

#include "io/verify/verify.h"

/* Lines of one run; of the rest only the number is told. */
#define VERIFY_TELL_MAX 100u

/* All things wrong are counted and the first VERIFY_TELL_MAX printed. Returns how many there are. `manifest`:
 * its URL or path, for what is wrong with itself; `prefix`: pega.path_prefix, NULL: none is known. */
uint64_t verify_tell(const struct verify *verify, const char *manifest, const char *prefix);
/* One thing that is wrong before there is a delivery to tell about: the manifest can't be read. */
void verify_tell_manifest(const char *words);

#endif
