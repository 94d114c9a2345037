/* job_consent.c - readers of the keys of `consent`: rules that a row must fulfil.
 *
 * Thread rule: one thread a builder. Owns nothing; rules and texts go into the job's arena. */
#include "io/job/job_build.h"

#include <stdio.h>

/* Any text may be allowed: besides Adobe's values (y, n, p, u, dy, dn, LI, CT, CP, VI, PI) older profiles
 * have in, out, pending and what an organisation made up. */
enum status job_read_allow(struct job_builder *builder, const struct job_key *key, const char *place,
                           const struct job_node *value, void *target)
{
    (void)key;
    struct consent_rule *rule = target;
    return job_value_texts(builder, place, value, MAPPING_CONSENT_VALUES_MAX, MAPPING_TEXT_MAX, &rule->allow,
                           &rule->allow_count);
}

static enum status job_rule_check(const struct job_builder *builder, const char *place, unsigned line,
                                  const struct consent_rule *rule)
{
    if (rule->path.part_count == 0)
        return job_refuse(builder, line, place, "has no path; name what holds the consent");
    if (rule->allow_count == 0)
        return job_refuse(builder, line, place, "allows nothing; name at least one value, like allow: [ y ]");
    return STATUS_OK;
}

enum status job_read_consent(struct job_builder *builder, const struct job_key *key, const char *place,
                             const struct job_node *value, void *target)
{
    static const char pattern[] = "consent.require[]";
    (void)key, (void)target;
    struct mapping *mapping = &builder->job->mapping;
    if (value->kind != JOB_NODE_LIST)
        return job_refuse(builder, value->line, place,
                          "is not a list of rules; write - { path: …, allow: [ y ] }");
    if (value->count > MAPPING_CONSENT_RULES_MAX)
        return job_refuse(builder, value->line, place, "has %zu rules; at most %d are allowed", value->count,
                          MAPPING_CONSENT_RULES_MAX);
    struct consent_rule *rules = arena_array(&builder->job->arena, value->count, sizeof *rules);
    if (rules == NULL) return job_no_memory(builder);
    size_t count = 0;
    for (const struct job_node *item = value->first; item != NULL; item = item->next, count++) {
        char here[JOB_PLACE_MAX];
        snprintf(here, sizeof here, "%s[%zu]", place, count);
        job_forget(builder, pattern);
        enum status status = job_section(builder, here, pattern, item, &rules[count]);
        if (status == STATUS_OK) status = job_rule_check(builder, here, item->line, &rules[count]);
        if (status != STATUS_OK) return status;
    }
    mapping->consent = rules;
    mapping->consent_count = count;
    return STATUS_OK;
}

enum status job_consent_check(const struct job_builder *builder)
{
    unsigned const line = job_set_line(builder, "consent");
    if (line == 0 || builder->job->mapping.consent_count > 0) return STATUS_OK;
    return job_refuse(builder, line, "consent.require",
                      "is missing; at least one rule is needed, or leave consent out");
}
