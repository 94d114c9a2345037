/* governance.h - labels of data, and what policies forbid under a marketing action. Internal to io/job.
 *
 * governance_policies.c is the table label x action (Adobe's core policies); governance_labels.c reads the
 * file that says which paths have which labels and finds those of a path; governance.c judges the columns of
 * a job with both. Thread rule: pure but for governance_labels_read(), which is the builder's. */
#ifndef PENSTOCK_IO_JOB_GOVERNANCE_H
#define PENSTOCK_IO_JOB_GOVERNANCE_H

#include "io/job/job_build.h"

/* Paths with labels in one file: an XDM schema may have 5,000 fields, few of them with a label of their own.
 */
#define GOVERNANCE_PATHS_MAX 10000

/* In the order of GOVERNANCE_LABELS. A set of labels has bit 1 << label. */
enum governance_label {
    LABEL_C1,
    LABEL_C2,
    LABEL_C3,
    LABEL_C4,
    LABEL_C5,
    LABEL_C6,
    LABEL_C7,
    LABEL_C8,
    LABEL_C9,
    LABEL_C10,
    LABEL_C11,
    LABEL_C12,
    LABEL_I1,
    LABEL_I2,
    LABEL_S1,
    LABEL_S2,
    LABEL_PSPD,
    LABEL_RHD,
    LABEL_THIRD_PARTY,
    LABEL_COUNT
};
#define GOVERNANCE_LABELS \
    "C1, C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, I1, I2, S1, S2, PSPD, RHD, Third-Party"

/* In the order of GOVERNANCE_ACTIONS, which begins with number 1. */
enum governance_action {
    ACTION_NONE,
    ACTION_ANALYTICS,
    ACTION_COMBINE,
    ACTION_CROSS_SITE,
    ACTION_DATA_SCIENCE,
    ACTION_EMAIL,
    ACTION_EXPORT,
    ACTION_ONSITE_ADVERTISING,
    ACTION_ONSITE_PERSONALIZATION,
    ACTION_SEGMENT_MATCH,
    ACTION_SINGLE_IDENTITY,
    ACTION_ANY /* of a policy: whatever is done with the data */
};
#define GOVERNANCE_ACTIONS                                                                                 \
    "Analytics, Combine with directly identifiable data, Cross Site Targeting, Data Science, Email "       \
    "Targeting, Export to Third Party, Onsite Advertising, Onsite Personalization, Segment Match, Single " \
    "Identity Personalization"

struct governance_policy {
    enum governance_label label;
    enum governance_action action;
    uint32_t beside;  /* forbids only where the same output has one of these labels; 0: always */
    bool warns;       /* does not forbid */
    const char *says; /* what is forbidden, behind "which" */
};

/* "C10" */
const char *governance_label_name(enum governance_label label);
/* Policy number `index` for the label under the action, in the order of the table; NULL: no more. */
const struct governance_policy *governance_policy_of(enum governance_label label,
                                                     enum governance_action action, size_t index);

/* One line of the labels file. */
struct governance_entry {
    struct path path;
    uint32_t labels;
    unsigned line;
};

struct governance_labels {
    const char *file;
    struct governance_entry *entries;
    size_t count;
};

/* What governs a path. */
struct governance_found {
    uint32_t labels;
    unsigned line[LABEL_COUNT]; /* of the entry that gives the label */
};

/* The entries lie in the builder's scratch, their paths in the job's arena. STATUS_JOB with file and line. */
enum status governance_labels_read(struct job_builder *builder, const char *file, struct job_text text,
                                   struct governance_labels *labels);
/* Adds to *found:
 *   - the labels of the nearest entry whose path is a prefix, part by part: it alone counts, so that one with
 *     no labels frees what lies below it;
 *   - the labels of all entries that lie below the path, or that its [*] and filters may select: they are in
 *     the value that is written.
 * Indexes say nothing, and [*] and filters stand for any element: a label belongs to all elements of an
 * array. `xdm:` before a name and the case of the key after identityMap don't matter, as for paths. */
void governance_labels_find(const struct governance_labels *labels, const struct path *path,
                            struct governance_found *found);

#endif
