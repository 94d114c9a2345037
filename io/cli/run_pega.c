/* run_pega.c - see the header. Thread: main. Owns nothing beyond each call. */
#include "io/cli/run_pega.h"

#include "io/cli/run_names.h"

#include <stdlib.h>

struct sink_stored run_stored(const struct sink *sink, const struct assemble_file *file)
{
    struct sink_stored stored = {.bytes = file->bytes, .checksum = file->checksum};
    if (sink->stored != NULL) sink->stored(sink, file->number, &stored);
    return stored;
}

static struct pega_rules rules_of(const struct run *run)
{
    static const enum pega_tokens tokens[] = {[JOB_TOKEN_MANIFEST] = PEGA_TOKENS_PER_MANIFEST,
                                              [JOB_TOKEN_FILE] = PEGA_TOKENS_PER_FILE,
                                              [JOB_TOKEN_NONE] = PEGA_TOKENS_NONE};
    const struct job_pega *const pega = &run->job.pega;
    return (struct pega_rules){.checksum = destination_checksum(&run->destination),
                               .tokens = tokens[pega->token],
                               .token_suffix = pega->token_suffix,
                               .token_replaces_extension = pega->token_replaces_extension,
                               .run_id = run->run_id};
}

/* The sets of all streams, with room for their names and files. */
struct sets {
    struct pega_set *list;
    char (*names)[2][OUTPUT_NAME_SIZE]; /* manifest and prefix of each */
    struct pega_file *files;
    uint32_t count;
};

static void sets_free(struct sets *sets)
{
    free(sets->list);
    free(sets->names);
    free(sets->files);
}

static enum status sets_make(const struct run *run, size_t files, struct sets *sets, struct fault *fault)
{
    enum status status = STATUS_OK;
    *sets = (struct sets){.count = run_stream_count(run)};
    sets->list = calloc(sets->count, sizeof *sets->list);
    sets->names = calloc(sets->count, sizeof *sets->names);
    sets->files = calloc(files + 1, sizeof *sets->files);
    if (sets->list == NULL || sets->names == NULL || sets->files == NULL)
        status = fault_set(fault, STATUS_IO, "no memory for the manifests");
    for (uint32_t s = 0; s < sets->count && status == STATUS_OK; s++) {
        char *const manifest = sets->names[s][0], *const prefix = sets->names[s][1];
        status = run_manifest_name(run, s, manifest, fault);
        if (status == STATUS_OK) status = run_path_prefix(run, s, prefix, fault);
        sets->list[s] = (struct pega_set){.manifest = manifest,
                                          .process_type = run->job.pega.process_type,
                                          .path_prefix = prefix,
                                          .files = sets->files};
    }
    if (status != STATUS_OK) sets_free(sets);
    return status;
}

enum status run_pega_begin(const struct run *run, struct pega_delivery *pega, struct sink *sink,
                           struct fault *fault)
{
    struct sets sets;
    if (!run->job.pega.wanted) return STATUS_OK;
    enum status status = sets_make(run, 0, &sets, fault);
    if (status != STATUS_OK) return status;
    struct pega_rules const rules = rules_of(run);
    status = pega_delivery_begin(pega, &rules, sets.list, sets.count, sink, fault);
    sets_free(&sets);
    return status;
}

enum status run_pega_write(const struct run *run, struct pega_delivery *pega, struct sink *sink,
                           const struct assemble *assemble, struct fault *fault)
{
    struct sets sets;
    if (!run->job.pega.wanted) return STATUS_OK;
    enum status status = sets_make(run, assemble->file_count, &sets, fault);
    if (status != STATUS_OK) return status;
    for (uint32_t f = 0; f < assemble->file_count; f++) { /* by stream, then part */
        const struct assemble_file *const file = &assemble->files[f];
        struct pega_set *const set = &sets.list[file->stream];
        sets.files[f] = (struct pega_file){
            .name = file->name, .bytes = run_stored(sink, file).bytes, .records = file->rows};
        if (set->count++ == 0) set->files = &sets.files[f];
    }
    struct pega_rules const rules = rules_of(run);
    uint32_t const next = (uint32_t)pega->count + assemble->file_count;
    status = pega_delivery_write(pega, &rules, sets.list, sets.count, sink, next, fault);
    sets_free(&sets);
    return status;
}
