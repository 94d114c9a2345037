/* governance_policies.c - which label forbids what: data, no decisions.
 *
 * Source of labels: Adobe's data usage labels glossary (experienceleague.adobe.com, data-governance/labels/
 * reference); of actions: its policies overview. Adobe's own core policies are pairs of these, all disabled
 * by default there; naming an action in a job enables them here. Pure. */
#include "io/job/governance.h"

#include <string.h>

#define IDENTIFIABLE (1u << LABEL_I1 | 1u << LABEL_I2)

/* clang-format off */
static const struct governance_policy policies[] = {
    /* "can only be exported ... in an aggregated form": a row is a person */
    {LABEL_C1, ACTION_ANY, 0, false, "allows aggregates only, and rows are single persons"},
    /* "cannot be exported to a third-party" */
    {LABEL_C2, ACTION_EXPORT, 0, false, "forbids Export to Third Party"},
    /* "cannot be combined or otherwise used with directly identifiable information" */
    {LABEL_C3, ACTION_COMBINE, 0, false, "forbids Combine with directly identifiable data"},
    {LABEL_C3, ACTION_ANY, IDENTIFIABLE, false, "can't stand beside a column with I1 or I2"},
    /* "any ads or content, either on-site or cross-site"; "encompasses C5, C6, and C7" */
    {LABEL_C4, ACTION_CROSS_SITE, 0, false, "forbids Cross Site Targeting"},
    {LABEL_C4, ACTION_ONSITE_ADVERTISING, 0, false, "forbids Onsite Advertising"},
    {LABEL_C4, ACTION_ONSITE_PERSONALIZATION, 0, false, "forbids Onsite Personalization"},
    {LABEL_C4, ACTION_EMAIL, 0, false, "forbids Email Targeting"}, /* mail is content that is targeted */
    /* "interest-based, cross-site targeting of content or ads" */
    {LABEL_C5, ACTION_CROSS_SITE, 0, false, "forbids Cross Site Targeting"},
    /* "on-site ad targeting" */
    {LABEL_C6, ACTION_ONSITE_ADVERTISING, 0, false, "forbids Onsite Advertising"},
    /* "on-site targeting of content" */
    {LABEL_C7, ACTION_ONSITE_PERSONALIZATION, 0, false, "forbids Onsite Personalization"},
    /* "measurement of your organization's websites or apps" */
    {LABEL_C8, ACTION_ANALYTICS, 0, false, "forbids Analytics"},
    /* "Data Science workflows" */
    {LABEL_C9, ACTION_DATA_SCIENCE, 0, false, "forbids Data Science"},
    /* "stitched identity activation" */
    {LABEL_C10, ACTION_SINGLE_IDENTITY, 0, false, "forbids Single Identity Personalization"},
    /* "shared with Segment Match partners" */
    {LABEL_C11, ACTION_SEGMENT_MATCH, 0, false, "forbids Segment Match"},
    /* "cannot be exported in any way" */
    {LABEL_C12, ACTION_ANY, 0, false, "forbids every export"},
    /* sensitive and partners' data: no core policy names them, an organisation's own contracts may */
    {LABEL_S1, ACTION_ANY, 0, true, "is a precise place"},
    {LABEL_S2, ACTION_ANY, 0, true, "is a broad place"},
    {LABEL_PSPD, ACTION_ANY, 0, true, "is sensitive personal data"},
    {LABEL_RHD, ACTION_ANY, 0, true, "is regulated health data"},
    {LABEL_THIRD_PARTY, ACTION_ANY, 0, true, "comes from a third party"},
};
/* clang-format on */

const char *governance_label_name(enum governance_label label)
{
    static const char *const names[LABEL_COUNT] = {"C1", "C2", "C3",   "C4",  "C5",         "C6", "C7",
                                                   "C8", "C9", "C10",  "C11", "C12",        "I1", "I2",
                                                   "S1", "S2", "PSPD", "RHD", "Third-Party"};
    return names[label];
}

const struct governance_policy *governance_policy_of(enum governance_label label,
                                                     enum governance_action action, size_t index)
{
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
        if (policies[i].label == label &&
            (policies[i].action == ACTION_ANY || policies[i].action == action) && index-- == 0)
            return &policies[i];
    return NULL;
}
