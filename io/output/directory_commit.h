/* directory_commit.h - the files of a run get their final names, stage by stage, or the names stay as they
 * were.
 *
 * Where former files are replaced, whoever reads manifests and tokens must never find one beside data files
 * of another delivery. So, with `replace`:
 *
 *   old tokens aside -> old manifests aside -> data files exchanged -> new manifests -> new tokens
 *   -> surplus data files away
 *
 * Each step is on stable storage before the next begins, over all deliveries of a run that writes several.
 * Old ones are those of the names that the run writes, and those that directory_former.h finds beside them.
 * After a failure it goes back the same way: ours are taken away, tokens first; when all former data files
 * stand again, the former manifests and then the former tokens come back. When one of them does not, or
 * another program's file stands in the place of one, they stay aside and the message says so: a delivery
 * without a token is imported by nobody.
 *
 * All of it under a lock (output_lock.h), so that two runs of penstock never do this at once.
 *
 * Thread rule: one thread. Ownership: the list is the caller's; place, folders and rules are lent to it. */
#ifndef PENSTOCK_IO_OUTPUT_DIRECTORY_COMMIT_H
#define PENSTOCK_IO_OUTPUT_DIRECTORY_COMMIT_H

#include "core/flow/sink.h"
#include "io/output/directory_former.h"
#include "io/output/output_folders.h"
#include "io/output/output_publish.h"

#include <stddef.h>
#include <stdint.h>

struct directory_file {
    struct output_file file;
    enum sink_stage stage;
    int fd;           /* -1: it has ended */
    uint64_t started; /* the bytes before this are on their way to the disk */
};

struct directory_files {
    struct output_target place;
    struct output_folders folders;
    struct directory_file *list;
    size_t count, room;
    struct directory_former found; /* what goes of former deliveries, inside directory_commit() */
    const struct former_rules *rules;
    enum status (*interrupted)(void); /* asked before names change; NULL: never */
};

/* All have ended. After a failure everything was taken back. STATUS_TRY_AGAIN: another run delivers there; or
 * what `interrupted` said. What could not be removed behind a whole delivery is told by a warning. */
enum status directory_commit(struct directory_files *files, struct fault *fault);
/* Ours go, under whatever name, and what they replaced comes back. False: something former could not. */
bool directory_take_back(struct directory_files *files);

#endif
