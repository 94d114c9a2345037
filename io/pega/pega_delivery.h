/* pega_delivery.h - the last files of a delivery: manifests, and the tokens by which a data job begins.
 *
 * They are files of the sink like the data files, of later stages (sink.h): nothing of them is visible before
 * every data file is whole and verified, and no token before every manifest is. What names are known before
 * the first row is begun then, so that a name that is taken ends the run at once and not after a night.
 *
 * Ownership: names and texts of what was written live in the delivery until pega_delivery_free(), which must
 * come after the sink's commit() or abort(). Thread rule: the assembler's, as the sink's. */
#ifndef PENSTOCK_IO_PEGA_PEGA_DELIVERY_H
#define PENSTOCK_IO_PEGA_PEGA_DELIVERY_H

#include "core/base/checksum.h"
#include "core/flow/sink.h"
#include "io/pega/pega_manifest.h"

#include <stdbool.h>

enum pega_tokens { PEGA_TOKENS_PER_MANIFEST, PEGA_TOKENS_PER_FILE, PEGA_TOKENS_NONE };

struct pega_rules {
    enum checksum_kind checksum; /* of the run: what the sink compares and the report shows */
    enum pega_tokens tokens;
    const char *token_suffix;
    bool token_replaces_extension;
    const char *run_id;
};

/* A data file, as it is stored. */
struct pega_file {
    const char *name; /* below the destination, folders included */
    uint64_t bytes, records;
};

/* What one manifest speaks of: the files of one stream. */
struct pega_set {
    const char *manifest; /* its name, as a file's */
    const char *process_type;
    const char *path_prefix; /* stands before each file's bare name */
    const struct pega_file *files;
    size_t count;
};

/* What is written. */
struct pega_object {
    char *name;
    bool is_token;
    uint32_t file; /* the sink's number */
    struct pega_manifest_text text;
    uint64_t checksum;
};

struct pega_delivery {
    struct pega_object *objects; /* a manifest for each set, then tokens */
    size_t count, room;
};

/* Begins the manifests of all sets, whose files are not known yet, and their tokens, as the sink's files from
 * 0 on; data files follow from delivery->count on. `delivery` is empty before; it is to be freed in any case.
 * STATUS_JOB: a name can't be; or what the sink says. */
enum status pega_delivery_begin(struct pega_delivery *delivery, const struct pega_rules *rules,
                                const struct pega_set *sets, size_t count, struct sink *sink,
                                struct fault *fault);
/* Writes and ends them, the same sets now with their files; tokens of files are begun from number `file` on.
 * STATUS_JOB: two files would have one name, or a text can't be written; or what the sink says. */
enum status pega_delivery_write(struct pega_delivery *delivery, const struct pega_rules *rules,
                                const struct pega_set *sets, size_t count, struct sink *sink, uint32_t file,
                                struct fault *fault);
void pega_delivery_free(struct pega_delivery *delivery); /* zeroed is fine */

#endif
