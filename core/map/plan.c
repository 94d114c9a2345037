/* plan.c - compiles a mapping: all its paths into one trie (plan_draft.c), that into arrays (plan_freeze.c),
 * and which slot serves what. Thread: main, before the run. */
#include "core/map/plan.h"

#include "core/map/plan_draft.h"
#include "core/map/plan_freeze.h"

#include <string.h>

/* Every path is added twice: before the trie is frozen, to be in it, and afterwards, to find its slot. */

bool plan_is_namespace(const struct path *path)
{
    return path->part_count == 2 && plan_draft_is_identity_map(&path->parts[0]) &&
           path->parts[1].kind == PATH_NAME;
}

/* ---- identity ---- */

/* Below `list`, the value of a namespace or of `identities`: its elements, their ids and primary flags. */
static bool add_entries(struct plan_drafts *drafts, struct plan_draft *list, const struct path *path,
                        struct plan_entries *out)
{
    struct path_part const wildcard = {.kind = PATH_WILDCARD};
    struct plan_draft *const element = plan_draft_follow(drafts, list, &wildcard);
    if (element == NULL) return false;
    struct plan_draft *const id = plan_draft_name(drafts, element, "id");
    struct plan_draft *const primary = plan_draft_name(drafts, element, "primary");
    if (id == NULL || primary == NULL) return false;
    plan_draft_select(list, path, PLAN_TYPED);
    plan_draft_select(element, path, PLAN_IGNORED);
    plan_draft_select(id, path, PLAN_USED);
    plan_draft_select(primary, path, PLAN_USED);
    *out = (struct plan_entries){
        .list = list->slot, .element = element->slot, .id = id->slot, .primary = primary->slot};
    return true;
}

/* The entities form: "identities":[{"id":…,"namespace":{"code":…},"primary":…}]. */
static bool add_identities(struct plan_drafts *drafts, const struct path *path,
                           struct plan_identity_path *out)
{
    struct path_part const wildcard = {.kind = PATH_WILDCARD};
    struct plan_draft *const list = plan_draft_name(drafts, drafts->root, "identities");
    if (list == NULL || !add_entries(drafts, list, path, &out->identities)) return false;
    struct plan_draft *code = plan_draft_follow(drafts, list, &wildcard);
    if (code != NULL) code = plan_draft_name(drafts, code, "namespace");
    if (code != NULL) code = plan_draft_name(drafts, code, "code");
    if (code == NULL) return false;
    plan_draft_select(code, path, PLAN_USED);
    out->code = code->slot;
    return true;
}

static bool add_namespace(struct plan_drafts *drafts, const struct path *path, struct plan_identity_path *out)
{
    struct plan_draft *list = plan_draft_follow(drafts, drafts->root, &path->parts[0]);
    if (list != NULL) list = plan_draft_follow(drafts, list, &path->parts[1]);
    return list != NULL && add_entries(drafts, list, path, &out->name_space) &&
           add_identities(drafts, path, out);
}

static bool add_identity(struct plan_drafts *drafts, const struct identity *identity,
                         struct plan_identity_path *out)
{
    for (size_t i = 0; i < identity->path_count; i++) {
        const struct path *path = &identity->paths[i];
        out[i].is_namespace = plan_is_namespace(path);
        if (out[i].is_namespace) {
            if (!add_namespace(drafts, path, &out[i])) return false;
            continue;
        }
        const struct plan_draft *draft = plan_draft_add(drafts, path);
        if (draft == NULL) return false;
        out[i].slot = draft->slot;
    }
    return true;
}

/* ---- columns, consent, time ---- */

static bool add_path(struct plan_drafts *drafts, const struct path *path, uint32_t *slot)
{
    const struct plan_draft *draft = plan_draft_add(drafts, path);
    if (draft != NULL) *slot = draft->slot;
    return draft != NULL;
}

static bool add_columns(struct plan_drafts *drafts, const struct mapping *mapping, struct plan_column *out)
{
    for (size_t c = 0; c < mapping->column_count; c++)
        for (size_t p = 0; p < mapping->columns[c].path_count; p++)
            if (!add_path(drafts, &mapping->columns[c].paths[p], &out[c].slots[p])) return false;
    return true;
}

static bool add_consent(struct plan_drafts *drafts, const struct mapping *mapping, uint32_t *out)
{
    for (size_t i = 0; i < mapping->consent_count; i++)
        if (!add_path(drafts, &mapping->consent[i].path, &out[i])) return false;
    return true;
}

static bool add_time(struct plan_drafts *drafts, const struct identity *identity, uint32_t *out)
{
    *out = PLAN_NONE;
    if (identity->deduplicate != IDENTITY_KEEP_LATEST || identity->timestamp.part_count == 0) return true;
    return add_path(drafts, &identity->timestamp, out);
}

/* ---- segments ---- */

/* segmentMembership.NAMESPACE.ID.status of each id, behind all else, so that their slots are the last ones.
 */
static bool add_segments(struct plan_drafts *drafts, const struct segments *segments,
                         const struct path *paths, uint32_t *first_slot)
{
    if (segments->count == 0) return true;
    struct plan_draft *const membership = plan_draft_name(drafts, drafts->root, "segmentMembership");
    if (membership == NULL) return false;
    struct plan_draft *const name_space = plan_draft_fold(drafts, membership, segments->name_space);
    if (name_space == NULL) return false;
    name_space->fold = false; /* ids are literal, whatever the namespace is called */
    for (size_t i = 0; i < segments->count; i++) {
        struct path_part const key = {
            .kind = PATH_NAME, .name = segments->list[i].id, .name_length = segments->list[i].id_length};
        struct plan_draft *const id = plan_draft_follow(drafts, name_space, &key);
        if (id == NULL) return false;
        id->fold = false;
        struct plan_draft *const status = plan_draft_name(drafts, id, "status");
        if (status == NULL) return false;
        plan_draft_select(status, &paths[i], PLAN_USED);
        if (i == 0) *first_slot = status->slot;
    }
    plan_draft_move_last(drafts->root, membership);
    return true;
}

static char *put(char *out, const char *text, size_t length)
{
    memcpy(out, text, length);
    return out + length;
}

/* What reject lines name: segmentMembership.NAMESPACE['ID'].status of each. */
static struct path *segment_paths(struct arena *arena, const struct segments *segments)
{
    static const char before[] = "segmentMembership.", between[] = "['", behind[] = "'].status";
    size_t const fixed = sizeof before + sizeof between + sizeof behind;
    struct path *paths = arena_array(arena, segments->count, sizeof *paths);
    for (size_t i = 0; i < segments->count && paths != NULL; i++) {
        const struct segment *segment = &segments->list[i];
        size_t const length = strlen(segments->name_space);
        char *const text = arena_alloc(arena, fixed + length + segment->id_length);
        if (text == NULL) return NULL;
        char *at = put(text, before, sizeof before - 1);
        at = put(at, segments->name_space, length);
        at = put(at, between, sizeof between - 1);
        at = put(at, segment->id, segment->id_length);
        put(at, behind, sizeof behind); /* with its terminator */
        paths[i].text = text;
    }
    return paths;
}

/* ---- all of it ---- */

struct links {
    struct plan_identity_path *identity_paths;
    struct plan_column *columns;
    uint32_t *consent_slots;
    struct word_list *consent_words;
    struct word_list status_words;
    uint32_t time_slot, segment_first;
    struct path *segment_paths;
};

static bool add_words(struct arena *arena, const struct mapping *mapping, struct links *links)
{
    const struct segments *const segments = &mapping->segments;
    links->consent_words = arena_array(arena, mapping->consent_count, sizeof *links->consent_words);
    for (size_t i = 0; i < mapping->consent_count && links->consent_words != NULL; i++) {
        const struct consent_rule *const rule = &mapping->consent[i];
        if (!word_list_make(arena, rule->allow, rule->allow_count, &links->consent_words[i])) return false;
    }
    return word_list_make(arena, segments->statuses, segments->status_count, &links->status_words);
}

static bool links_start(struct arena *arena, const struct mapping *mapping, struct links *links)
{
    links->identity_paths = arena_array(arena, mapping->identity.path_count, sizeof *links->identity_paths);
    links->columns = arena_array(arena, mapping->column_count, sizeof *links->columns);
    links->consent_slots = arena_array(arena, mapping->consent_count, sizeof *links->consent_slots);
    links->segment_paths = segment_paths(arena, &mapping->segments);
    for (size_t c = 0; c < mapping->column_count && links->columns != NULL; c++) {
        links->columns[c].column = &mapping->columns[c];
        links->columns[c].slots =
            arena_array(arena, mapping->columns[c].path_count, sizeof *links->columns[c].slots);
    }
    return add_words(arena, mapping, links) && !arena_failed(arena);
}

static bool links_add(struct plan_drafts *drafts, const struct mapping *mapping, struct links *links)
{
    return add_identity(drafts, &mapping->identity, links->identity_paths) &&
           add_columns(drafts, mapping, links->columns) &&
           add_consent(drafts, mapping, links->consent_slots) &&
           add_time(drafts, &mapping->identity, &links->time_slot) &&
           add_segments(drafts, &mapping->segments, links->segment_paths, &links->segment_first);
}

_Static_assert(MAPPING_SEGMENT_ID_MAX <= PATH_TEXT_MAX, "keys are looked up up to that length");

static enum status check_segments(const struct segments *segments, struct fault *fault)
{
    for (size_t i = 0; i < segments->count; i++)
        if (segments->list[i].id_length > MAPPING_SEGMENT_ID_MAX)
            return fault_set(fault, STATUS_JOB, "segment id number %zu has %zu bytes; at most %d are allowed",
                             i + 1, segments->list[i].id_length, MAPPING_SEGMENT_ID_MAX);
    return STATUS_OK;
}

enum status plan_compile(struct arena *arena, const struct mapping *mapping, struct plan *plan,
                         struct fault *fault)
{
    struct plan_drafts drafts = {.arena = arena};
    struct links links = {0};
    enum status const status = check_segments(&mapping->segments, fault);
    if (status != STATUS_OK) return status;
    drafts.root = plan_draft_new(&drafts);
    if (drafts.root == NULL || !links_start(arena, mapping, &links) || !links_add(&drafts, mapping, &links))
        return fault_set(fault, STATUS_IO, "no memory for the mapping's paths");
    if (drafts.count > PLAN_NODES_MAX)
        return fault_set(fault, STATUS_JOB, "the columns' paths have %u parts; at most %u are supported",
                         drafts.count, PLAN_NODES_MAX);
    *plan = (struct plan){.mapping = mapping};
    if (!plan_freeze(&drafts, plan) || !links_add(&drafts, mapping, &links))
        return fault_set(fault, STATUS_IO, "no memory for the mapping's paths");
    plan->identity_paths = links.identity_paths;
    plan->columns = links.columns;
    plan->consent_slots = links.consent_slots;
    plan->consent_words = links.consent_words;
    plan->status_words = links.status_words;
    plan->time_slot = links.time_slot;
    plan->sparse_first = mapping->segments.count == 0 ? plan->slot_count : links.segment_first;
    return STATUS_OK;
}

uint32_t plan_find_fold(const struct plan_node *node, const uint8_t *key, uint32_t length)
{
    enum { FOLD_MAX = PATH_TEXT_MAX }; /* no path holds a longer name, so none can match */
    uint8_t folded[FOLD_MAX + 8];
    if (length > FOLD_MAX) return PLAN_NONE;
    for (uint32_t i = 0; i < length; i++)
        folded[i] = key[i] >= 'A' && key[i] <= 'Z' ? (uint8_t)(key[i] | 0x20) : key[i];
    memset(folded + length, 0, 8);
    return plan_find(node, folded, length);
}
