/* pega_manifest.h - the XML by which a Pega data job learns what was delivered.
 *
 * Element order and names are those of Pega's Data-Ingestion-Manifest class ("Creating a manifest file to
 * ingest customer data", CDH Implementation Guide 8.7): processType, totalRecordCount, files, and of each
 * file name, size, recordCount. A run whose count of records differs from the manifest's is a failed run for
 * Pega, so the total is summed here and nowhere else.
 *
 * Pure and reentrant. */
#ifndef PENSTOCK_IO_PEGA_PEGA_MANIFEST_H
#define PENSTOCK_IO_PEGA_PEGA_MANIFEST_H

#include "core/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct pega_manifest_file {
    const char *name; /* relative to the root of Pega's repository */
    uint64_t size;    /* bytes of the object as stored: of the compressed file when it is compressed */
    uint64_t records; /* rows without the header */
};

struct pega_manifest {
    const char *process_type;
    const struct pega_manifest_file *files;
    size_t count; /* 0: a delivery without rows, total 0 */
};

struct pega_manifest_text {
    char *bytes; /* the caller frees them */
    size_t length;
};

/* Can a manifest say `text`, which `what` gave? STATUS_JOB: it holds a character that XML 1.0 (section 2.2)
 * has no way to write. */
enum status pega_manifest_check(const char *what, const char *text, struct fault *fault);
/* UTF-8, LF, a declaration first. The same bytes for the same manifest. STATUS_JOB: pega_manifest_check()'s;
 * STATUS_IO: no memory. */
enum status pega_manifest_write(const struct pega_manifest *manifest, struct pega_manifest_text *text,
                                struct fault *fault);

#endif
