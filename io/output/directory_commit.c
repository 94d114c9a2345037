/* directory_commit.c - the order in which names change. Thread: the one that owns the sink. Owns nothing: the
 * files are the sink's. */
#include "io/output/directory_commit.h"

#include "io/output/output_lock.h"

#include <stdio.h>
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

/* Files that may be aside: the run's own, then those that were found beside them. */
static size_t places(const struct directory_files *files)
{
    return files->count + files->found.count;
}

static struct output_file *file_at(struct directory_files *files, size_t i, enum sink_stage *stage)
{
    if (i < files->count) {
        *stage = files->list[i].stage;
        return &files->list[i].file;
    }
    *stage = files->found.former.list[i - files->count].stage;
    return &files->found.files[i - files->count];
}

/* What was withdrawn of a stage stands again, also after a power failure. */
static bool restore_stage(struct directory_files *files, enum sink_stage wanted)
{
    bool whole = true;
    /* in vain where nothing changed, and of no use where it fails: the names stand all the same */
    (void)output_folders_sync(&files->folders, NULL);
    for (size_t i = 0; i < places(files); i++) {
        enum sink_stage stage;
        struct output_file *const file = file_at(files, i, &stage);
        if (stage != wanted || !file->aside) continue;
        whole &= output_publish_restore(&files->place, file);
        output_folders_note(&files->folders, file->name);
    }
    return whole;
}

static bool is_any_aside(struct directory_files *files)
{
    enum sink_stage stage;
    for (size_t i = 0; i < places(files); i++)
        if (file_at(files, i, &stage)->aside) return true;
    return false;
}

static bool is_any_overtaken(const struct directory_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        if (files->list[i].file.overtaken) return true;
    return false;
}

bool directory_take_back(struct directory_files *files)
{
    bool const whole = take_ours_back(files);
    if (!is_any_aside(files)) return whole;
    if (!whole || is_any_overtaken(files) || !restore_stage(files, SINK_MANIFEST)) return false;
    return restore_stage(files, SINK_TOKEN);
}

/* Adds to the message what does not stand as it stood before. It is left at that: a later abort() must not
 * bring back the manifest of files that are gone. */
static enum status give_up(struct directory_files *files, enum status status, struct fault *fault)
{
    char told[FAULT_MESSAGE_MAX];
    bool const aside = is_any_aside(files);
    enum sink_stage stage;
    for (size_t i = 0; i < places(files); i++)
        file_at(files, i, &stage)->aside = false;
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
static enum status withdraw_stage(struct directory_files *files, enum sink_stage wanted, struct fault *fault)
{
    enum status status = STATUS_OK;
    bool changed = false;
    for (size_t i = 0; i < places(files) && status == STATUS_OK; i++) {
        enum sink_stage stage;
        struct output_file *const file = file_at(files, i, &stage);
        if (stage != wanted) continue;
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

/* ---- behind the delivery ---- */

/* What could not be removed: how many, and the first one's fault. */
struct left {
    size_t count;
    struct fault first;
};

static void note_left(struct left *left, enum status status, const struct fault *fault)
{
    if (status != STATUS_OK && left->count++ == 0) left->first = *fault;
}

static void tell_left(const struct directory_files *files, const struct left *left)
{
    const struct former_rules *const rules = files->rules;
    char message[FAULT_MESSAGE_MAX];
    if (left->count == 0 || rules == NULL || rules->warn == NULL) return;
    snprintf(
        message, sizeof message,
        "the delivery stands, but %zu of the files that it replaces could not be removed: %.1600s; remove "
        "them, nothing reads them any more",
        left->count, left->first.message);
    rules->warn(rules->warn_context, message);
}

/* Data files that only a former manifest named go, and then what was exchanged or moved aside: as long as
 * that manifest stands, hidden, the next run knows of them. */
static void settle_all(struct directory_files *files)
{
    const struct former *const former = &files->found.former;
    struct left left = {.count = 0};
    struct fault fault = {.status = STATUS_OK};
    enum sink_stage stage;
    for (size_t i = files->found.count; i < former->count; i++) {
        note_left(&left, directory_former_remove(&files->place, former->list[i].name, &fault), &fault);
        output_folders_note(&files->folders, former->list[i].name);
    }
    for (size_t i = 0; i < places(files); i++)
        note_left(&left, output_publish_settle(&files->place, file_at(files, i, &stage), &fault), &fault);
    if (former->count != 0) (void)output_folders_sync(&files->folders, NULL); /* would come back: harmless */
    tell_left(files, &left);
}

/* ---- all of it ---- */

static enum status find_former(struct directory_files *files, struct fault *fault)
{
    static const struct former_rules none = {.prefixes = NULL};
    const struct former_rules *const rules = files->rules != NULL ? files->rules : &none;
    struct directory_former *const found = &files->found;
    if (!files->place.replace) return STATUS_OK;
    enum status status = directory_former_start(found, files->place.directory, rules, fault);
    for (size_t i = 0; i < files->count && status == STATUS_OK; i++)
        status = former_own(&found->former, files->list[i].file.name, files->list[i].stage, fault);
    return status == STATUS_OK ? directory_former_find(found, &files->place, fault) : status;
}

static enum status commit_locked(struct directory_files *files, struct fault *fault)
{
    enum status status = find_former(files, fault);
    if (status == STATUS_OK) status = publish_all(files, fault);
    if (status == STATUS_OK)
        settle_all(files);
    else if (!directory_take_back(files))
        status = give_up(files, status, fault);
    directory_former_free(&files->found);
    return status;
}

enum status directory_commit(struct directory_files *files, struct fault *fault)
{
    enum status status = output_lock_take(files->place.directory, files->interrupted, fault);
    if (status != STATUS_OK) return status; /* abort() takes back what there is */
    status = commit_locked(files, fault);
    output_lock_release(files->place.directory);
    return status;
}
