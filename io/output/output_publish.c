/* output_publish.c - renames that never overwrite by accident and can be undone. Thread: the one that owns
 * the sink. Owns nothing: directory and files are the sink's. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* renameat2 */
#endif
#include "io/output/output_publish.h"

#include "io/output/output_fs.h"
#include "io/output/output_path.h"
#include "io/output/output_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* "DIRECTORY/NAME" for a message, which cuts it. */
#define PATH_SHOWN (OUTPUT_TEXT_PRINTABLE + OUTPUT_PATH_OTHER_SIZE)
/* Exchanges tried when others keep making and removing the final name. */
#define RACE_TRIES 8

/* The file system, or an old kernel, does not know a flag of renameat2(2). */
static bool is_unsupported(int error)
{
    return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP;
}

static int look(const struct output_target *place, const char *name, struct stat *found)
{
    return fstatat(place->directory->fd, name, found, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
}

static bool stands_under(const struct output_target *place, const char *name, dev_t device, ino_t inode)
{
    struct stat found;
    return look(place, name, &found) == 0 && found.st_dev == device && found.st_ino == inode;
}

static bool is_ours(const struct output_target *place, const struct output_file *file, const char *name)
{
    return stands_under(place, name, file->device, file->inode);
}

static bool may_be_replaced(const struct stat *found)
{
    return S_ISREG(found->st_mode) || S_ISLNK(found->st_mode);
}

static enum status place_fault(const struct output_target *place, enum status status, int error,
                               const char *doing, const char *name, struct fault *fault)
{
    char path[PATH_SHOWN];
    snprintf(path, sizeof path, "%s/%s", place->directory->path, name);
    return output_fs_fault(fault, status, error, doing, path);
}

static enum status taken(const struct output_target *place, const char *name, const struct stat *found,
                         struct fault *fault)
{
    char folder[OUTPUT_TEXT_PRINTABLE];
    char shown[OUTPUT_TEXT_PRINTABLE];
    output_text_printable(place->directory->path, folder, sizeof folder);
    output_text_printable(name, shown, sizeof shown);
    if (!place->replace)
        return fault_set(
            fault, STATUS_EXISTS,
            "%s/%s: exists already%s; nothing was delivered. if_exists: replace replaces files, also those "
            "that a killed run left; else give another destination, or have {run_time} or {run_id} in "
            "files.name",
            folder, shown, S_ISDIR(found->st_mode) ? " (a directory)" : "");
    return fault_set(
        fault, STATUS_JOB,
        "%s/%s: exists and is %s, which is never replaced: remove it, or give another destination or "
        "files.name",
        folder, shown, S_ISDIR(found->st_mode) ? "a directory" : "no regular file");
}

enum status output_publish_check(const struct output_target *place, const char *name, struct fault *fault)
{
    struct stat found;
    int const error = look(place, name, &found);
    if (error == ENOENT) return STATUS_OK;
    if (error != 0)
        return place_fault(place, output_fs_place_status(error), error, "looking up the name", name, fault);
    return place->replace && may_be_replaced(&found) ? STATUS_OK : taken(place, name, &found, fault);
}

static int move_by_link(const struct output_target *place, const struct output_file *file, const char *from,
                        const char *to)
{
    int const fd = place->directory->fd;
    if (linkat(fd, from, fd, to, 0) != 0) {
        int const error = errno;
        /* over NFS the answer to a link that was made can get lost, and the second try finds it */
        if (error != EEXIST || !is_ours(place, file, to)) return error;
    }
    if (unlinkat(fd, from, 0) == 0) return 0;
    int const error = errno;
    if (is_ours(place, file, to)) unlinkat(fd, to, 0);
    return error;
}

/* Moves `file` between two names, never over a third file: EEXIST. 0 or errno. */
static int move_keep(const struct output_target *place, const struct output_file *file, const char *from,
                     const char *to)
{
    int const fd = place->directory->fd;
    if (renameat2(fd, from, fd, to, RENAME_NOREPLACE) == 0) return 0;
    return is_unsupported(errno) ? move_by_link(place, file, from, to) : errno;
}

enum status output_publish_probe(const struct output_target *place, const struct output_file *file,
                                 struct fault *fault)
{
    char temporary[OUTPUT_PATH_OTHER_SIZE];
    char other[OUTPUT_PATH_OTHER_SIZE];
    output_path_temporary(file->name, place->run_id, temporary);
    output_path_old(file->name, place->run_id, other);
    int error = move_keep(place, file, temporary, other);
    if (error == 0) {
        error = move_keep(place, file, other, temporary);
        if (error != 0 && is_ours(place, file, other)) unlinkat(place->directory->fd, other, 0);
    }
    if (error == 0) return STATUS_OK;
    if (is_unsupported(error) || error == EPERM) {
        char shown[OUTPUT_TEXT_PRINTABLE];
        return fault_set(
            fault, STATUS_JOB,
            "%s: this file system has neither renameat2(RENAME_NOREPLACE) nor hard links, so a file can't "
            "be delivered without the risk of overwriting another: give a directory of another file system",
            output_text_printable(place->directory->path, shown, sizeof shown));
    }
    return place_fault(place, STATUS_IO, error, "trying a rename in the destination directory",
                       error == EEXIST ? other : temporary, fault);
}

/* What RENAME_EXCHANGE does, for file systems without it: the former file under the final name and ours
 * change places. The final name is never free for a moment where hard links work. 0 or errno, undone after an
 * error. */
static int exchange_by_steps(const struct output_target *place, const struct output_file *file,
                             const char *temporary)
{
    int const fd = place->directory->fd;
    char old[OUTPUT_PATH_OTHER_SIZE];
    output_path_old(file->name, place->run_id, old);
    bool const linked = linkat(fd, file->name, fd, old, 0) == 0;
    if (!linked && (errno == ENOENT || errno == EEXIST)) return errno;
    if (!linked && renameat(fd, file->name, fd, old) != 0) return errno;
    if (renameat(fd, temporary, fd, file->name) != 0) {
        int const error = errno;
        /* two names of one file: renaming one to the other would do nothing (rename(2)), so unlink */
        if (linked)
            unlinkat(fd, old, 0);
        else
            renameat(fd, old, fd, file->name);
        return error;
    }
    if (renameat(fd, old, fd, temporary) == 0) return 0;
    int const error = errno;
    renameat(fd, old, fd, file->name); /* ours is dropped by this: the caller's failure removes it anyway */
    return error;
}

static int exchange(const struct output_target *place, struct output_file *file, const char *temporary)
{
    int const fd = place->directory->fd;
    int error = renameat2(fd, temporary, fd, file->name, RENAME_EXCHANGE) == 0 ? 0 : errno;
    if (is_unsupported(error)) error = exchange_by_steps(place, file, temporary);
    return error;
}

/* Notes what came out from under the final name. Something that is never replaced and got there since the
 * check is put back. */
static enum status note_former(const struct output_target *place, struct output_file *file,
                               const char *temporary, struct fault *fault)
{
    struct stat former;
    int const error = look(place, temporary, &former);
    if (error == 0 && may_be_replaced(&former)) {
        file->old_device = former.st_dev;
        file->old_inode = former.st_ino;
        file->state = OUTPUT_FILE_EXCHANGED;
        return STATUS_OK;
    }
    if (error == 0) {
        int const back = exchange(place, file, temporary);
        if (back == 0) return taken(place, file->name, &former, fault);
        file->state = OUTPUT_FILE_PLACED; /* at least ours is taken back */
        return place_fault(place, STATUS_IO, back, "putting back what is never replaced", file->name, fault);
    }
    file->state =
        OUTPUT_FILE_PLACED; /* another hand took the former file away: ours stays to be taken back */
    return place_fault(place, STATUS_IO, error, "looking up the replaced file", temporary, fault);
}

static enum status publish_replacing(const struct output_target *place, struct output_file *file,
                                     const char *temporary, struct fault *fault)
{
    int error = 0;
    for (int i = 0; i < RACE_TRIES; i++) {
        enum status const status = output_publish_check(place, file->name, fault);
        if (status != STATUS_OK) return status;
        error = exchange(place, file, temporary);
        if (error == 0) return note_former(place, file, temporary, fault);
        if (error != ENOENT) break;
        error = move_keep(place, file, temporary, file->name);
        if (error == 0) file->state = OUTPUT_FILE_PLACED;
        if (error == 0) return STATUS_OK;
        if (error != EEXIST) break;
    }
    return place_fault(place, STATUS_IO, error, "replacing it with the new file", file->name, fault);
}

/* Moves what stands under the final name to `old`. Status of the last step; ENOENT: nothing stood there. */
static int move_aside(const struct output_target *place, struct output_file *file, const char *old)
{
    struct stat former;
    int error = look(place, file->name, &former);
    if (error != 0) return error;
    struct output_file const theirs = {.device = former.st_dev, .inode = former.st_ino};
    error = move_keep(place, &theirs, file->name, old);
    if (error != 0) return error;
    /* another hand may have been between the look and the move: what was moved counts */
    if (look(place, old, &former) != 0) return ENOENT;
    file->old_device = former.st_dev;
    file->old_inode = former.st_ino;
    file->aside = true;
    return may_be_replaced(&former) ? 0 : EISDIR;
}

enum status output_publish_withdraw(const struct output_target *place, struct output_file *file,
                                    struct fault *fault)
{
    char old[OUTPUT_PATH_OTHER_SIZE];
    output_path_old(file->name, place->run_id, old);
    enum status const status = output_publish_check(place, file->name, fault);
    if (status != STATUS_OK) return status;
    int const error = move_aside(place, file, old);
    file->withdrawn = error == 0 || error == ENOENT;
    if (file->withdrawn) return STATUS_OK;
    if (file->aside) output_publish_restore(place, file);
    return place_fault(place, STATUS_IO, error, "moving the former file aside",
                       error == EEXIST ? old : file->name, fault);
}

/* EEXIST at a name that was free: of a withdrawn file, or without `replace`. */
static enum status lost_race(const struct output_target *place, const struct output_file *file,
                             struct fault *fault)
{
    struct stat found = {0};
    char path[PATH_SHOWN], shown[OUTPUT_TEXT_PRINTABLE];
    look(place, file->name, &found); /* only for the words; it may be gone again */
    if (!file->withdrawn) return taken(place, file->name, &found, fault);
    snprintf(path, sizeof path, "%s/%s", place->directory->path, file->name);
    return fault_set(
        fault, STATUS_IO,
        "%s: another program wrote it while this run replaced the delivery: run again without it",
        output_text_printable(path, shown, sizeof shown));
}

enum status output_publish(const struct output_target *place, struct output_file *file, struct fault *fault)
{
    char temporary[OUTPUT_PATH_OTHER_SIZE];
    output_path_temporary(file->name, place->run_id, temporary);
    if (!is_ours(place, file, temporary))
        return place_fault(place, STATUS_IO, ENOENT,
                           "the file was removed or replaced while this run went on", temporary, fault);
    if (place->replace && !file->withdrawn) return publish_replacing(place, file, temporary, fault);
    int const error = move_keep(place, file, temporary, file->name);
    if (error == 0) {
        file->state = OUTPUT_FILE_PLACED;
        return STATUS_OK;
    }
    if (error == EEXIST) return lost_race(place, file, fault);
    return place_fault(place, STATUS_IO, error, "giving the file its final name", file->name, fault);
}

enum status output_publish_verify(const struct output_target *place, const struct output_file *file,
                                  struct fault *fault)
{
    struct stat found;
    int const error = look(place, file->name, &found);
    if (error != 0)
        return place_fault(place, STATUS_IO, error, "looking it up after it was delivered", file->name,
                           fault);
    bool const is_same = found.st_dev == file->device && found.st_ino == file->inode;
    if (is_same && (uint64_t)found.st_size == file->size) return STATUS_OK;
    char path[PATH_SHOWN], shown[OUTPUT_TEXT_PRINTABLE];
    snprintf(path, sizeof path, "%s/%s", place->directory->path, file->name);
    return fault_set(
        fault, STATUS_IO,
        "%s: was %s just after it was delivered: another program writes the same names; run again "
        "without it",
        output_text_printable(path, shown, sizeof shown), is_same ? "changed" : "replaced");
}

/* Ours is under the final name, the former file under the temporary name. */
static bool put_former_back(const struct output_target *place, struct output_file *file,
                            const char *temporary)
{
    int const fd = place->directory->fd;
    if (!stands_under(place, temporary, file->old_device, file->old_inode)) {
        if (is_ours(place, file, file->name)) unlinkat(fd, file->name, 0);
        return false;
    }
    if (is_ours(place, file, file->name)) /* atomic: ours is dropped by it */
        return renameat(fd, temporary, fd, file->name) == 0;
    int const error = move_keep(place, file, temporary, file->name);
    if (error != EEXIST) return error == 0;
    unlinkat(fd, temporary, 0);
    file->overtaken = true;
    return true;
}

bool output_publish_take_back(const struct output_target *place, struct output_file *file)
{
    char temporary[OUTPUT_PATH_OTHER_SIZE];
    output_path_temporary(file->name, place->run_id, temporary);
    enum output_file_state const state = file->state;
    file->state = OUTPUT_FILE_DONE;
    if (state == OUTPUT_FILE_TEMPORARY && is_ours(place, file, temporary))
        unlinkat(place->directory->fd, temporary, 0);
    struct stat found;
    if (state == OUTPUT_FILE_PLACED && is_ours(place, file, file->name))
        unlinkat(place->directory->fd, file->name, 0);
    else if (state == OUTPUT_FILE_PLACED)
        file->overtaken = look(place, file->name, &found) == 0;
    return state != OUTPUT_FILE_EXCHANGED || put_former_back(place, file, temporary);
}

bool output_publish_restore(const struct output_target *place, struct output_file *file)
{
    char old[OUTPUT_PATH_OTHER_SIZE];
    output_path_old(file->name, place->run_id, old);
    if (!file->aside) return true;
    if (!stands_under(place, old, file->old_device, file->old_inode)) return false;
    struct output_file const former = {.device = file->old_device, .inode = file->old_inode};
    file->aside = move_keep(place, &former, old, file->name) != 0;
    return !file->aside;
}

enum status output_publish_settle(const struct output_target *place, struct output_file *file,
                                  struct fault *fault)
{
    char former[OUTPUT_PATH_OTHER_SIZE];
    bool const exchanged = file->state == OUTPUT_FILE_EXCHANGED;
    file->state = OUTPUT_FILE_DONE;
    if (!exchanged && !file->aside) return STATUS_OK;
    if (exchanged)
        output_path_temporary(file->name, place->run_id, former);
    else
        output_path_old(file->name, place->run_id, former);
    file->aside = false;
    if (!stands_under(place, former, file->old_device, file->old_inode)) return STATUS_OK;
    if (unlinkat(place->directory->fd, former, 0) == 0 || errno == ENOENT) return STATUS_OK;
    return place_fault(place, STATUS_IO, errno,
                       "everything is delivered, but the replaced content could not be removed from here",
                       former, fault);
}
