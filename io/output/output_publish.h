/* output_publish.h - one file's way from its temporary name to its final name, and back.
 *
 * A file is published in one step that never replaces what it should not, and can be taken back until it is
 * settled. What is not ours is never removed: device and inode are compared first. (Between that look and the
 * removal a foreign hand could still change the name; Linux has no call that does both.)
 * How, on which file systems:
 * - keep: renameat2(RENAME_NOREPLACE); where that is not supported (EINVAL: NFS, some FUSE), link and unlink,
 * which is as safe against races.
 * - replace: renameat2(RENAME_EXCHANGE): the former file is then under the temporary name, and one rename
 * puts it back. Where that is not supported, the former file gets the name `.NAME.RUNID.old` for a moment.
 * - withdraw: what may not stand beside files of another delivery (manifests, tokens) is renamed to
 * `.NAME.RUNID.old` before the first of these is exchanged, and renamed back when the run fails.
 *
 * Thread rule: one thread. */
#ifndef PENSTOCK_IO_OUTPUT_OUTPUT_PUBLISH_H
#define PENSTOCK_IO_OUTPUT_OUTPUT_PUBLISH_H

#include "core/base/status.h"
#include "io/output/output_directory.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum output_file_state {
    OUTPUT_FILE_TEMPORARY, /* ours under the temporary name */
    OUTPUT_FILE_PLACED,    /* ours under the final name, which was free */
    OUTPUT_FILE_EXCHANGED, /* ours under the final name, the former file under the temporary name */
    OUTPUT_FILE_DONE       /* settled, or taken away: nothing more to do */
};

struct output_file {
    const char *name; /* final, below the destination */
    uint64_t size;    /* bytes written */
    dev_t device;
    ino_t inode;
    dev_t old_device; /* of the file that was replaced; OUTPUT_FILE_EXCHANGED, or `aside` */
    ino_t old_inode;
    bool withdrawn; /* the final name was made free: by now it is nobody's but ours */
    bool aside;     /* the former file waits as .NAME.RUNID.old */
    bool overtaken; /* when ours was taken back, another's stood in its place, and stays */
    enum output_file_state state;
};

/* Where all files of a run go. */
struct output_target {
    const struct output_directory *directory;
    const char *run_id;
    bool replace;
};

/* What stands under the final name allows a file of ours there? STATUS_EXISTS when it is taken; STATUS_JOB
 * for something that is never replaced (a directory, a device). */
enum status output_publish_check(const struct output_target *place, const char *name, struct fault *fault);

/* Can this file system publish without the risk of overwriting? Tried on the temporary name of `file`. */
enum status output_publish_probe(const struct output_target *place, const struct output_file *file,
                                 struct fault *fault);

/* With `replace`: the former file, if there is one, makes room under the final name, aside of it. After a
 * failure it stands as it stood. */
enum status output_publish_withdraw(const struct output_target *place, struct output_file *file,
                                    struct fault *fault);

/* From OUTPUT_FILE_TEMPORARY to PLACED or EXCHANGED. After a failure the state says what there is to take
 * back. */
enum status output_publish(const struct output_target *place, struct output_file *file, struct fault *fault);

/* Does it stand under its final name, as it was written? STATUS_IO when another hand was quicker. */
enum status output_publish_verify(const struct output_target *place, const struct output_file *file,
                                  struct fault *fault);

/* PLACED, EXCHANGED: the former state of the final name is restored, and ours is gone. TEMPORARY: ours is
 * removed. Leaves DONE. False: the former file could not be put back, and keeps its other name. Another's
 * file that was put over ours stays, as it would over the former one, which goes: file->overtaken. */
bool output_publish_take_back(const struct output_target *place, struct output_file *file);

/* After ours was taken back: the file that was withdrawn gets its final name again. False: it could not, as
 * when another's has it now, and stays aside. */
bool output_publish_restore(const struct output_target *place, struct output_file *file);

/* After everything is published and synced: the former file goes, withdrawn or exchanged. Leaves DONE in any
 * case. */
enum status output_publish_settle(const struct output_target *place, struct output_file *file,
                                  struct fault *fault);

#endif
