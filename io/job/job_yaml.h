/* job_yaml.h - YAML text (a job file, a file of labels) as a tree of nodes that know their lines. Internal to
 * io/job; job_yaml.c is the one file that knows libyaml.
 *
 * The tree holds what a job file may hold: texts, lists, mappings with text keys. Anchors, aliases, tags and
 * a second document are refused, so that a tree is never larger than its text. Nothing is interpreted: `12`,
 * `yes` and `null` are texts; `plain` tells an unquoted null from a quoted one. Ownership: all lies in the
 * arena given. Thread rule: reentrant. */
#ifndef PENSTOCK_IO_JOB_JOB_YAML_H
#define PENSTOCK_IO_JOB_JOB_YAML_H

#include "io/job/job.h"

/* Lists and mappings inside each other: the contract's deepest (consent.require[].allow[]) has 5. */
#define JOB_DEPTH_MAX 16
/* Texts, lists and mappings in one file: twice the longest source.paths, so that the columns fit too (500
 * with 16 fallbacks each take under 20000). At some 72 bytes a node: 15 MB. */
#define JOB_NODES_MAX (2u * JOB_SOURCES_MAX)

enum job_node_kind { JOB_NODE_TEXT, JOB_NODE_LIST, JOB_NODE_MAP };

struct job_node {
    enum job_node_kind kind;
    bool plain;       /* TEXT: not quoted, no block */
    unsigned line;    /* from 1 */
    const char *text; /* TEXT: valid UTF-8, terminated, may hold NUL */
    size_t length;
    const struct job_node *key; /* in a mapping: this value's key, a TEXT */
    struct job_node *first;     /* LIST, MAP */
    struct job_node *next;      /* the next one in the same list or mapping */
    size_t count;
};

/* Parses one document. `file` is for messages. STATUS_JOB with file and line. */
enum status job_yaml_read(struct arena *arena, const char *file, const char *bytes, size_t length,
                          const struct job_node **root, struct fault *fault);

/* A plain null, ~ or nothing at all: "not set". */
bool job_node_is_null(const struct job_node *node);

/* Bytes of a file that was read. */
struct job_text {
    const char *bytes; /* NULL: not read yet */
    size_t length;
};

/* job_load() without the job file: for it, tests and fuzzing. `file` names the job and is the base of
 * relative paths; it is not opened. job_load_texts() takes the bytes of governance.labels too. */
enum status job_load_bytes(const char *file, const char *bytes, size_t length, struct job *job,
                           struct fault *fault);
enum status job_load_texts(const char *file, struct job_text text, struct job_text labels, struct job *job,
                           struct fault *fault);

#endif
