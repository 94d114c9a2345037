/* directory_commit.c - the order in which names change. Thread: the one that owns the sink. Owns nothing: the
 * files are the sink's. */
#include "io/output/directory_commit.h"

#include <string.h>

/* ---- back ---- */

/* The last stage first and in it the newest, as things are undone: at no moment is a manifest there whose
 * files are gone. */
static bool take_ours_back(struct directory_files *files)
{
    bool whole = true;
    for (int stage = SINK_TOKEN; stage >= SINK_DATA; stage--)
        for (size_t i = files->count; i > 0; i--)
            if ((int)files->list[i - 1].stage == stage)
                whole &= output_publish_take_back(&files->place, &files->list[i - 1].file);
    return whole;
}

/* What was withdrawn of a stage stands again, also after a power failure. */
static bool restore_stage(struct directory_files *files, enum sink_stage stage)
{
    bool whole = true;
    /* in vain where nothing changed, and of no use where it fails: the names stand all the same */
    (void)output_folders_sync(&files->folders, NULL);
    for (size_t i = 0; i < files->count; i++) {
        struct output_file *const file = &files->list[i].file;
        if (files->list[i].stage != stage || !file->aside) continue;
        whole &= output_publish_restore(&files->place, file);
        output_folders_note(&files->folders, file->name);
    }
    return whole;
}

static bool is_any_aside(const struct directory_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        if (files->list[i].file.aside) return true;
    return false;
}

bool directory_take_back(struct directory_files *files)
{
    bool const whole = take_ours_back(files);
    if (!is_any_aside(files)) return whole;
    if (!whole || !restore_stage(files, SINK_MANIFEST)) return false;
    return restore_stage(files, SINK_TOKEN);
}

/* Adds to the message what does not stand as it stood before. It is left at that: a later abort() must not
 * bring back the manifest of files that are gone. */
static enum status give_up(struct directory_files *files, enum status status, struct fault *fault)
{
    char told[FAULT_MESSAGE_MAX];
    bool const aside = is_any_aside(files);
    for (size_t i = 0; i < files->count; i++)
        files->list[i].file.aside = false;
    if (fault == NULL) return status;
    memcpy(told, fault->message, sizeof told);
    return fault_set(
        fault, status,
        "%s; the former files could not all be put back%s: run again, and remove what is left as "
        ".*.%s.old and .*.%s.tmp in the destination",
        told, aside ? ", so its manifest or token stays aside and nobody imports a mixture" : "",
        files->place.run_id, files->place.run_id);
}

/* ---- forth ---- */

/* The former files of the stage make room, and have done so after a power failure too. */
static enum status withdraw_stage(struct directory_files *files, enum sink_stage stage, struct fault *fault)
{
    enum status status = STATUS_OK;
    bool changed = false;
    for (size_t i = 0; i < files->count && status == STATUS_OK; i++) {
        struct output_file *const file = &files->list[i].file;
        if (files->list[i].stage != stage) continue;
        status = output_publish_withdraw(&files->place, file, fault);
        if (!file->aside) continue;
        output_folders_note(&files->folders, file->name);
        changed = true;
    }
    return status == STATUS_OK && changed ? output_folders_sync(&files->folders, fault) : status;
}

/* All files of the stage get their names, which are then on stable storage. */
static enum status publish_stage(struct directory_files *files, enum sink_stage stage, struct fault *fault)
{
    enum status status = STATUS_OK;
    size_t published = 0;
    for (size_t i = 0; i < files->count && status == STATUS_OK; i++) {
        struct output_file *const file = &files->list[i].file;
        if (files->list[i].stage != stage) continue;
        status = output_publish(&files->place, file, fault);
        output_folders_note(&files->folders, file->name);
        published++;
    }
    if (published == 0 && stage != SINK_DATA) return STATUS_OK;
    if (status == STATUS_OK) status = output_folders_sync(&files->folders, fault);
    for (size_t i = 0; i < files->count && status == STATUS_OK; i++)
        if (files->list[i].stage == stage)
            status = output_publish_verify(&files->place, &files->list[i].file, fault);
    return status;
}

static enum status publish_all(struct directory_files *files, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (int stage = SINK_TOKEN; files->place.replace && stage > SINK_DATA && status == STATUS_OK; stage--)
        status = withdraw_stage(files, (enum sink_stage)stage, fault);
    for (int stage = SINK_DATA; stage <= SINK_TOKEN && status == STATUS_OK; stage++)
        status = publish_stage(files, (enum sink_stage)stage, fault);
    return status;
}

static enum status settle_all(struct directory_files *files, struct fault *fault)
{
    enum status first = STATUS_OK;
    for (size_t i = 0; i < files->count; i++) {
        struct fault *const told = first == STATUS_OK ? fault : NULL;
        enum status const status = output_publish_settle(&files->place, &files->list[i].file, told);
        if (first == STATUS_OK) first = status;
    }
    return first;
}

enum status directory_commit(struct directory_files *files, bool *delivered, struct fault *fault)
{
    enum status const status = publish_all(files, fault);
    *delivered = status == STATUS_OK;
    if (*delivered) return settle_all(files, fault);
    return directory_take_back(files) ? status : give_up(files, status, fault);
}
