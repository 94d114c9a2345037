/* run_pega.h - the manifests and tokens of a run: from its job and its files to io/pega. Thread: main. */
#ifndef PENSTOCK_IO_CLI_RUN_PEGA_H
#define PENSTOCK_IO_CLI_RUN_PEGA_H

#include "io/cli/run.h"
#include "io/pega/pega_delivery.h"

/* Both do nothing for a job without `pega`. Before the first row: as the first files of the sink. */
enum status run_pega_begin(const struct run *run, struct pega_delivery *pega, struct sink *sink,
                           struct fault *fault);
/* Behind the last one, when all files are ended and what is stored of them is known. */
enum status run_pega_write(const struct run *run, struct pega_delivery *pega, struct sink *sink,
                           const struct assemble *assemble, struct fault *fault);

/* Bytes and checksum of a data file as they lie at the destination. */
struct sink_stored run_stored(const struct sink *sink, const struct assemble_file *file);

#endif
