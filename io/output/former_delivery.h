/* former_delivery.h - with if_exists: replace: which files of former deliveries must go so that no token and
 * no manifest stands beside data files of another delivery, and nothing is left of a delivery that is
 * replaced.
 *
 *     former_start -> former_own (each file of this run) -> former_seen (each file that stands in its
 * folders)
 *     -> former_take (the text of each that may be a manifest) -> former_judge -> list
 *
 * What may be a manifest: every file of 1 byte on, whatever its extension, but those that end as data files
 * do (former_delivery.c has the list; the extension of the run's own counts, too); .xml and the extension of
 * the run's own manifests always may. Its first bytes then tell what it is.
 *
 * What goes, beside the names that the run writes itself (which are no part of the list):
 * - manifests: those in a folder of this run's files that name a data file which this run writes;
 * - tokens: empty files whose name is that of a manifest that goes or is replaced, of a data file that one of
 *   these names, or of one that this run writes, and a suffix: behind the whole name one that begins with no
 *   letter or digit, in place of the extension one that begins with a dot; or in both places the job's own
 *   suffix. Where several names fit the longest counts, and when that belongs to a delivery that stays, the
 *   token does, too.
 * - surplus data files: named by a manifest that goes or is replaced, and not written by this run. Only such
 *   as lie beside that manifest: one of the job's pega.path_prefix is taken off, and what is left is a plain
 *   name, which doesn't begin with a dot. What a manifest that stays names, stays.
 *
 * A manifest that a killed run had moved aside (.NAME.RUNID.old) tells like one of its name what is surplus,
 * and goes with that. Both parts may have dots: NAME ends with the last extension of a manifest in it, if
 * there is one; else it is all but the last part. So another job's a.xml, aside by a run "ID", is never taken
 * for the run's own "a", aside by a run "xml.ID".
 *
 * A text that may be a manifest of another name but can't be read (damaged, too large) is refused with
 * STATUS_JOB: what it names is not known. The run's own manifest is replaced whatever it holds, with a
 * warning.
 *
 * Names are below the destination, with their folders. Pure but for malloc and the rules' warn(). Thread
 * rule: one thread. Ownership: former_free() frees all; rules and place are lent. */
#ifndef PENSTOCK_IO_OUTPUT_FORMER_DELIVERY_H
#define PENSTOCK_IO_OUTPUT_FORMER_DELIVERY_H

#include "core/base/arena.h"
#include "core/base/status.h"
#include "core/flow/sink.h"
#include "io/manifest/manifest_read.h"
#include "io/output/name_set.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of one manifest: 100,000 files (MANIFEST_FILES_MAX) of 160 bytes each. Of all of them together, so that
 * their names, which are kept until the judgement, have a bound, too: at that time the converters' memory is
 * free. */
#define FORMER_TEXT_MAX (16u * 1024 * 1024)
#define FORMER_ALL_MAX  (64u * 1024 * 1024)
/* What is looked at first of a larger one, to see whether it is a manifest at all. */
#define FORMER_HEAD_MAX (64u * 1024)
/* Names of manifests and of empty files that are kept: some 10 MB. A run every three hours leaves 3,000 a
 * year. */
#define FORMER_NAMES_MAX 100000u
/* Texts that are read: a request each, on S3. */
#define FORMER_TEXTS_MAX 10000u

struct former_rules {
    const char *const *prefixes; /* pega.path_prefix of each stream; none: "" */
    size_t prefix_count;
    const char *token_suffix; /* NULL: no token is written */
    /* {run_time} or {run_id} is in the names of data files: as long as none of the run's names is taken, and
     * no killed run left something aside, no former delivery is in its way, and no text is read. */
    bool fresh_names;
    void (*warn)(void *context, const char *message);
    void *warn_context;
};

struct former_file {
    const char *name;
    enum sink_stage
        stage; /* SINK_DATA: surplus, or a manifest that stands aside: goes when the delivery stands */
};

struct former_text {
    const char *name;
    const char *stands_for; /* the same, or what it was called before it was moved aside */
    uint64_t size;
    bool own;         /* the name is a manifest's of this run */
    bool usual;       /* it is called like a manifest: its name counts even if it is none */
    bool aside;       /* it is hidden: a killed run moved it aside. Nobody else reads it */
    bool is_manifest; /* it was read: */
    bool goes;
    struct manifest manifest;
};

struct former {
    const struct former_rules *rules;
    const char *place; /* stands before names in messages, with its last slash */
    struct arena arena;
    struct name_set own, own_manifests, folders, empty;
    struct name_set extensions, data_extensions; /* of the run's manifests, of its data files */
    struct former_text *texts;
    size_t text_count, text_room;
    uint64_t text_bytes;      /* of all that were taken */
    bool own_seen;            /* a name of the run is taken */
    bool aside_seen;          /* something stands aside that may be a manifest */
    struct former_file *list; /* what goes: tokens, then manifests, then data files */
    size_t count, room;
};

void former_start(struct former *former, const struct former_rules *rules, const char *place);
void former_free(struct former *former); /* zeroed is fine */

/* A file that this run writes. STATUS_IO: no memory, here as below. */
enum status former_own(struct former *former, const char *name, enum sink_stage stage, struct fault *fault);
/* The folders of the run's files are former->folders, "" or with their last slash. A regular file that stands
 * in one of them. STATUS_JOB: there are too many that may be of former deliveries. */
enum status former_seen(struct former *former, const char *name, uint64_t size, struct fault *fault);
/* Have texts to be read at all? former->texts are those; former_take() for each. */
bool former_wants_texts(const struct former *former);
/* Is its head, of FORMER_HEAD_MAX bytes, to be looked at before all of it is read? Then it is read only when
 * manifest_may_be() says so. */
bool former_wants_head(const struct former_text *text);
/* How many bytes of it from its first on: all, or a head. */
size_t former_wanted(const struct former_text *text);
/* These bytes. STATUS_JOB as said above. */
enum status former_take(struct former *former, struct former_text *text, const uint8_t *bytes, size_t length,
                        struct fault *fault);
/* Fills the list. */
enum status former_judge(struct former *former, struct fault *fault);

#endif
