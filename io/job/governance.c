/* governance.c - judges the columns of a job by the labels of what they read, before anything is read.
 *
 * What is written is judged: the identity and the columns, with their fallbacks and with the keys that their
 * filters compare (which rows have a value tells of them). What only decides who goes out (segments, consent,
 * identity.timestamp) is not.
 *
 * Thread rule: one thread a builder. Owns the text of the labels file while it is read. */
#include "io/job/governance.h"

#include "core/map/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One column, the identity included, with all labels of its paths. */
struct judged {
    const char *header, *place;
    unsigned line;
    uint32_t labels;
    unsigned label_line[LABEL_COUNT]; /* in the labels file */
    const char *path[LABEL_COUNT];    /* the first that has the label */
    bool violates, dropped;
};

struct violation {
    const struct judged *column;
    const char *sentence; /* in the job's arena */
};

struct judge {
    struct job_builder *builder;
    struct governance_labels labels;
    struct judged *columns;
    size_t count;
    bool has_identity; /* the first of `columns` */
    struct violation *violations;
    size_t violation_count;
};

enum status job_read_labels(struct job_builder *builder, const struct job_key *key, const char *place,
                            const struct job_node *value, void *target)
{
    (void)key;
    return job_value_file(builder, place, value, target);
}

enum status job_read_marketing_action(struct job_builder *builder, const struct job_key *key,
                                      const char *place, const struct job_node *value, void *target)
{
    unsigned choice = 0;
    enum status const status = job_value_choice(builder, key, place, value, &choice);
    if (status != STATUS_OK) return status;
    builder->marketing_action = ACTION_NONE + 1 + choice;
    return job_value_text(builder, place, value, SIZE_MAX, target);
}

/* ---- labels of columns ---- */

static void judge_path(const struct judge *judge, struct judged *column, const struct path *path,
                       const char *text)
{
    struct governance_found found = {0};
    governance_labels_find(&judge->labels, path, &found);
    for (unsigned label = 0; label < LABEL_COUNT; label++) {
        if ((found.labels & ~column->labels) >> label & 1) {
            column->label_line[label] = found.line[label];
            column->path[label] = text;
        }
    }
    column->labels |= found.labels;
}

/* The path, and for each filter the path of what it compares. */
static void judge_paths(const struct judge *judge, struct judged *column, const struct path *paths,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        judge_path(judge, column, &paths[i], paths[i].text);
        for (size_t k = 0; k < paths[i].part_count; k++) {
            const struct path_part *filter = &paths[i].parts[k];
            if (filter->kind != PATH_FILTER) continue;
            struct path_part parts[PATH_PARTS_MAX];
            memcpy(parts, paths[i].parts, (k + 1) * sizeof *parts);
            if (k + 1 == PATH_PARTS_MAX) continue; /* deeper than an entry can be */
            parts[k].kind = PATH_WILDCARD;
            parts[k + 1] = (struct path_part){
                .kind = PATH_NAME, .name = filter->name, .name_length = filter->name_length};
            struct path const compared = {.text = paths[i].text, .parts = parts, .part_count = k + 2};
            judge_path(judge, column, &compared, paths[i].text);
        }
    }
}

/* `identityMap.NS` reads the ids of `identities`, too: see plan.h. */
static void judge_identities(const struct judge *judge, struct judged *column,
                             const struct identity *identity)
{
    static const struct path_part parts[] = {{.kind = PATH_NAME, .name = "identities", .name_length = 10},
                                             {.kind = PATH_WILDCARD},
                                             {.kind = PATH_NAME, .name = "id", .name_length = 2}};
    static const struct path ids = {.text = "identities[*].id", .parts = parts, .part_count = 3};
    for (size_t i = 0; i < identity->path_count; i++)
        if (plan_is_namespace(&identity->paths[i])) judge_path(judge, column, &ids, ids.text);
}

static enum status judge_columns(struct judge *judge)
{
    struct job_builder *builder = judge->builder;
    const struct mapping *mapping = &builder->job->mapping;
    const struct identity *identity = &mapping->identity;
    judge->has_identity = identity->column != NULL;
    size_t const count = mapping->column_count + judge->has_identity;
    judge->columns = arena_array(&builder->scratch, count, sizeof *judge->columns);
    judge->violations = arena_array(&builder->scratch, count * LABEL_COUNT, sizeof *judge->violations);
    if (judge->columns == NULL || judge->violations == NULL) return job_no_memory(builder);
    if (judge->has_identity) {
        struct judged *column = &judge->columns[judge->count++];
        column->header = identity->column;
        column->place = "identity";
        column->line = job_set_line(builder, "identity");
        judge_paths(judge, column, identity->paths, identity->path_count);
        judge_identities(judge, column, identity);
    }
    for (size_t i = 0; i < mapping->column_count; i++) {
        struct judged *column = &judge->columns[judge->count++];
        column->header = mapping->columns[i].name;
        column->place = builder->columns[i].place;
        column->line = builder->columns[i].line;
        judge_paths(judge, column, mapping->columns[i].paths, mapping->columns[i].path_count);
    }
    return STATUS_OK;
}

/* ---- violations ---- */

/* `columns[2] "Email": personalEmail.address has C2 (line 4), which forbids …` */
static enum status put_violation(struct judge *judge, struct judged *column,
                                 const struct governance_policy *policy)
{
    struct fault sentence;
    const char *path = column->path[policy->label];
    fault_set(&sentence, STATUS_OK, "%s \"%s\": %s has %s (line %u), which %s", column->place,
              job_show(column->header, strlen(column->header)).text, job_show(path, strlen(path)).text,
              governance_label_name(policy->label), column->label_line[policy->label], policy->says);
    const char *kept = arena_text(&judge->builder->job->arena, sentence.message, strlen(sentence.message));
    if (kept == NULL) return job_no_memory(judge->builder);
    column->violates = true;
    judge->violations[judge->violation_count++] = (struct violation){.column = column, .sentence = kept};
    return STATUS_OK;
}

/* The first policy that the label breaks: by itself, or (`output` not 0) beside one of the output's labels.
 */
static const struct governance_policy *broken(const struct judge *judge, enum governance_label label,
                                              uint32_t output)
{
    enum governance_action const action = judge->builder->marketing_action;
    const struct governance_policy *policy = governance_policy_of(label, action, 0);
    for (size_t i = 1; policy != NULL; i++) {
        bool const applies = output == 0 ? policy->beside == 0 : (policy->beside & output) != 0;
        if (applies && !policy->warns) break;
        policy = governance_policy_of(label, action, i);
    }
    return policy;
}

static enum status judge_once(struct judge *judge, uint32_t output)
{
    for (size_t i = 0; i < judge->count; i++) {
        struct judged *column = &judge->columns[i];
        for (unsigned label = 0; label < LABEL_COUNT && !column->dropped; label++) {
            const struct governance_policy *policy =
                (column->labels >> label & 1) != 0 ? broken(judge, label, output) : NULL;
            enum status const status = policy != NULL ? put_violation(judge, column, policy) : STATUS_OK;
            if (status != STATUS_OK) return status;
        }
    }
    return STATUS_OK;
}

static uint32_t output_labels(const struct judge *judge)
{
    uint32_t labels = 0;
    for (size_t i = 0; i < judge->count; i++)
        labels |= judge->columns[i].dropped ? 0 : judge->columns[i].labels;
    return labels;
}

/* ---- what follows ---- */

/* Names all violations, or (`of` not NULL) those of one column. The sentences stay with the job for whoever
 * wants more than the message holds. */
static enum status refuse(const struct judge *judge, const struct judged *of, const char *remedy)
{
    const struct job_builder *builder = judge->builder;
    struct job *job = builder->job;
    const char **sentences = arena_array(&job->arena, judge->violation_count, sizeof *sentences);
    if (sentences == NULL) return job_no_memory(builder);
    char list[FAULT_MESSAGE_MAX] = "";
    size_t count = 0, used = 0;
    for (size_t i = 0; i < judge->violation_count; i++) {
        if (of != NULL && judge->violations[i].column != of) continue;
        sentences[count++] = judge->violations[i].sentence;
        if (count > JOB_VIOLATIONS_SHOWN) continue;
        int const more = snprintf(list + used, sizeof list - used, "%s%s", count == 1 ? "" : "; ",
                                  judge->violations[i].sentence);
        used += more > 0 && (size_t)more < sizeof list - used ? (size_t)more : 0;
    }
    char rest[32] = "";
    if (count > JOB_VIOLATIONS_SHOWN)
        snprintf(rest, sizeof rest, "; and %zu more", count - JOB_VIOLATIONS_SHOWN);
    job->governance.violations = sentences;
    job->governance.violation_count = count;
    return job_refuse(builder, job_set_line(builder, "governance"), "governance",
                      "%zu %s of the labels in %s: %s%s. %s", count, count == 1 ? "violation" : "violations",
                      judge->labels.file, list, rest, remedy);
}

/* Drops the columns that violate, each with a warning; `first`: of the sentences that were not told yet. */
static void drop(struct judge *judge, size_t first)
{
    for (size_t i = 0; i < judge->count; i++)
        judge->columns[i].dropped |= judge->columns[i].violates;
    for (size_t i = first; i < judge->violation_count; i++)
        job_warn(judge->builder, job_set_line(judge->builder, "governance"), "governance", "dropped %s",
                 judge->violations[i].sentence);
}

static bool identity_violates(const struct judge *judge)
{
    return judge->has_identity && judge->columns[0].violates;
}

/* The mapping without the columns that were dropped. */
static enum status keep_others(struct judge *judge)
{
    struct job_builder *builder = judge->builder;
    struct job *job = builder->job;
    struct column *columns = arena_array(&job->arena, job->mapping.column_count, sizeof *columns);
    const char **dropped = arena_array(&job->arena, job->mapping.column_count, sizeof *dropped);
    if (columns == NULL || dropped == NULL) return job_no_memory(builder);
    size_t kept = 0;
    for (size_t i = 0; i < job->mapping.column_count; i++) {
        const struct judged *column = &judge->columns[i + judge->has_identity];
        if (column->dropped)
            dropped[job->governance.dropped_count++] = column->header;
        else
            columns[kept++] = job->mapping.columns[i];
    }
    job->governance.dropped = dropped;
    if (job->governance.dropped_count == 0) return STATUS_OK;
    if (kept == 0)
        return job_refuse(builder, job_set_line(builder, "governance"), "governance",
                          "the labels in %s leave no column (%s); name columns that %s may have",
                          judge->labels.file, judge->violations[0].sentence,
                          job->governance.marketing_action != NULL ? job->governance.marketing_action
                                                                   : "an export");
    job->mapping.columns = columns;
    job->mapping.column_count = kept;
    return STATUS_OK;
}

static enum status drop_columns(struct judge *judge)
{
    enum status status = judge_once(judge, 0);
    size_t const alone = judge->violation_count;
    if (status == STATUS_OK && !identity_violates(judge)) {
        drop(judge, 0);
        status = judge_once(judge, output_labels(judge)); /* of those that are left */
    }
    if (status != STATUS_OK) return status;
    if (!identity_violates(judge)) {
        drop(judge, alone);
        return keep_others(judge);
    }
    return refuse(judge, &judge->columns[0], "The identity column can't be dropped: leave governed ids out");
}

/* Labels that forbid nothing, but should be seen. One warning a column. */
static void warn_of_others(struct judge *judge)
{
    for (size_t i = 0; i < judge->count; i++) {
        const struct judged *column = &judge->columns[i];
        char list[256] = "";
        size_t used = 0;
        for (unsigned label = 0; label < LABEL_COUNT; label++) {
            if ((column->labels >> label & 1) == 0 || column->dropped) continue;
            const struct governance_policy *policy =
                governance_policy_of(label, judge->builder->marketing_action, 0);
            if (policy == NULL || !policy->warns) continue;
            int const more = snprintf(list + used, sizeof list - used, "%s%s (%s)", used == 0 ? "" : ", ",
                                      governance_label_name(label), policy->says);
            used += more > 0 && (size_t)more < sizeof list - used ? (size_t)more : 0;
        }
        if (used > 0)
            job_warn(judge->builder, column->line, column->place, "\"%s\" has %s by %s",
                     job_show(column->header, strlen(column->header)).text, list, judge->labels.file);
    }
}

/* ---- the whole ---- */

static enum status read_labels(struct judge *judge, const char *file)
{
    struct job_builder *builder = judge->builder;
    if (builder->labels.bytes != NULL)
        return governance_labels_read(builder, file, builder->labels, &judge->labels);
    char *bytes;
    size_t length = 0;
    const char *problem;
    enum status status = job_file_read(file, &bytes, &length, &problem);
    if (status == STATUS_OK) {
        struct job_text const text = {.bytes = bytes, .length = length};
        status = governance_labels_read(builder, file, text, &judge->labels);
    } else {
        status = job_refuse(builder, job_set_line(builder, "governance.labels"), "governance.labels",
                            "%s can't be read: %s", file, problem);
    }
    free(bytes);
    return status;
}

enum status job_governance_check(struct job_builder *builder)
{
    const struct job_governance *governance = &builder->job->governance;
    unsigned const line = job_set_line(builder, "governance");
    if (line == 0) return STATUS_OK;
    if (governance->labels == NULL)
        return job_refuse(builder, line, "governance.labels",
                          "is missing; a file of paths and their labels is needed, or leave governance out");
    struct judge judge = {.builder = builder};
    enum status status = read_labels(&judge, governance->labels);
    if (status == STATUS_OK) status = judge_columns(&judge);
    if (status == STATUS_OK && governance->drops_columns) {
        status = drop_columns(&judge);
    } else if (status == STATUS_OK) {
        status = judge_once(&judge, 0);
        if (status == STATUS_OK) status = judge_once(&judge, output_labels(&judge));
        if (status == STATUS_OK && judge.violation_count > 0)
            status = refuse(&judge, NULL,
                            "Take these columns out of the job, or set governance.on_violation: drop_column");
    }
    if (status == STATUS_OK) warn_of_others(&judge);
    return status;
}
