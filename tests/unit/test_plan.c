/* test_plan.c - the trie of a mapping: shared slots, ranges, what a node enters, and look-ups of keys of
 * every length and in every table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/map/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 600 };

struct fixture {
    struct arena arena;
    struct path paths[COLUMNS], identity_paths[4];
    struct column columns[COLUMNS];
    struct mapping mapping;
    struct plan plan;
    struct fault fault;
};

static void parse(struct fixture *f, const char *text, struct path *path)
{
    if (path_parse(&f->arena, text, strlen(text), path, &f->fault) != STATUS_OK)
        fail_msg("%s", f->fault.message);
}

static void add(struct fixture *f, const char *text)
{
    size_t const i = f->mapping.column_count++;
    parse(f, text, &f->paths[i]);
    f->columns[i] = (struct column){.name = "c", .paths = &f->paths[i], .path_count = 1};
}

static void add_identity(struct fixture *f, const char *text)
{
    parse(f, text, &f->identity_paths[f->mapping.identity.path_count++]);
}

static struct fixture *fixture_new(void)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->mapping.columns = f->columns;
    f->mapping.identity.paths = f->identity_paths;
    return f;
}

static void compile(struct fixture *f)
{
    if (plan_compile(&f->arena, &f->mapping, &f->plan, &f->fault) != STATUS_OK)
        fail_msg("%s", f->fault.message);
}

static void fixture_free(struct fixture *f)
{
    arena_free(&f->arena);
    free(f);
}

static uint32_t slot(const struct fixture *f, size_t column)
{
    return f->plan.columns[column].slots[0];
}

/* A key as in a record: any bytes may stand behind it. */
static uint32_t find(const struct plan_node *node, const char *key, size_t length, bool folds)
{
    static const char behinds[] = {0, '"', 'x'};
    uint32_t found = PLAN_NONE;
    for (size_t i = 0; i < sizeof behinds; i++) {
        uint8_t *copy = malloc(length + 8);
        assert_non_null(copy);
        memset(copy, behinds[i], length + 8);
        memcpy(copy, key, length);
        uint32_t const now =
            folds ? plan_find_fold(node, copy, (uint32_t)length) : plan_find(node, copy, (uint32_t)length);
        assert_true(i == 0 || now == found);
        found = now;
        free(copy);
    }
    return found;
}

static const struct plan_node *child(const struct fixture *f, const struct plan_node *node, const char *key)
{
    uint32_t const id = find(node, key, strlen(key), node->fold);
    if (id == PLAN_NONE) fail_msg("no edge %s", key);
    return &f->plan.nodes[id];
}

static void paths_share_their_way(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    add(f, "person.name.firstName");
    add(f, "person.name.lastName");
    add(f, "$.person['name'].firstName");
    add(f, "person.name");
    add(f, "tags[*]");
    compile(f);
    assert_int_equal(f->plan.node_count, 7); /* root person name firstName lastName tags [*] */
    assert_int_equal(f->plan.slot_count, 4);
    assert_int_equal(slot(f, 0), slot(f, 2));
    assert_int_not_equal(slot(f, 0), slot(f, 1));
    const struct plan_node *root = f->plan.nodes, *name = child(f, child(f, root, "person"), "name");
    assert_int_equal(root->slot, PLAN_NONE);
    assert_int_equal(name->slot, slot(f, 3));
    assert_int_equal(name->slot_end - name->slot_first, 3);
    assert_int_equal(child(f, name, "lastName")->slot, slot(f, 1));
    assert_true(name->enters_object && !name->enters_array && !name->several);
    const struct plan_node *tags = child(f, root, "tags");
    assert_true(tags->enters_object && tags->enters_array && tags->branches && tags->several &&
                !tags->negative);
    assert_false(tags->many);
    assert_true(f->plan.nodes[tags->wildcard].many);
    assert_true(f->plan.slot_many[slot(f, 4)] && !f->plan.slot_many[slot(f, 0)] && f->plan.has_many);
    assert_int_equal(root->slot_first, 0);
    assert_int_equal(root->slot_end, 4);
    assert_int_equal(f->plan.depth_max, 3);
    assert_string_equal(f->plan.slot_path[slot(f, 2)]->text, "person.name.firstName");
    fixture_free(f);
}

/* Nodes and slots are numbered depth first: children lie inside their parent's range and do not overlap. */
static void check_ranges(const struct fixture *f, const struct plan_node *node)
{
    assert_true(node->slot_first <= node->slot_end && node->slot_end <= f->plan.slot_count);
    if (node->slot == PLAN_NONE) return;
    assert_true(node->slot >= node->slot_first && node->slot < node->slot_end);
    assert_int_equal(node->many, f->plan.slot_many[node->slot]);
}

static void steps_of_every_kind(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    add(f, "a[0]");
    add(f, "a[-1].b");
    add(f, "a[?@.k == 'v'].b");
    add(f, "a[?@.k == 1]");
    add(f, "a[?@.k == \"v\"].c");
    compile(f);
    for (uint32_t n = 0; n < f->plan.node_count; n++)
        check_ranges(f, &f->plan.nodes[n]);
    const struct plan_node *a = child(f, f->plan.nodes, "a");
    assert_int_equal(a->index_count, 2);
    assert_int_equal(a->indexes[0].index, 0);
    assert_int_equal(a->indexes[1].index, -1);
    assert_true(a->negative && a->enters_array && a->branches);
    assert_int_equal(a->filter_count, 2); /* 'v' and "v" are the same */
    assert_string_equal(a->filters[0].literal, "\"v\"");
    assert_string_equal(a->filters[1].literal, "1");
    for (uint32_t i = 0; i < a->filter_count; i++) {
        const struct plan_filter *filter = &a->filters[i];
        const struct plan_node *test = &f->plan.nodes[filter->test_node];
        assert_int_equal(child(f, test, "k")->slot, filter->test_slot);
        assert_true(f->plan.slot_use[filter->test_slot] == PLAN_USED &&
                    !f->plan.slot_many[filter->test_slot]);
        assert_true(filter->test_slot >= a->slot_first && filter->test_slot < a->slot_end);
        assert_true(f->plan.nodes[filter->node].many == (f->plan.nodes[filter->node].slot != PLAN_NONE) ||
                    f->plan.nodes[filter->node].slot == PLAN_NONE);
    }
    assert_false(f->plan.slot_many[slot(f, 0)]);
    assert_false(f->plan.slot_many[slot(f, 1)]);
    assert_true(f->plan.slot_many[slot(f, 2)]);
    fixture_free(f);
}

static void identity_map_folds(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    add(f, "identityMap.ECID[*].id");
    add(f, "identityMap.ecid[0].id");
    add(f, "x.identityMap.Ecid");
    add(f, "identitymap.A");
    compile(f);
    const struct plan_node *map = child(f, f->plan.nodes, "identityMap");
    assert_true(map->fold && !map->under_fold && map->key_count == 1);
    assert_ptr_equal(child(f, map, "ECID"), child(f, map, "eCiD"));
    assert_true(child(f, map, "ecid")->under_fold);
    assert_int_equal(find(map, "ecid2", 5, true), PLAN_NONE);
    assert_int_equal(find(map, "eci\x44", 4, true), find(map, "ecid", 4, true));
    assert_true(f->plan.slot_many[slot(f, 1)]); /* several keys may lead there */
    assert_true(child(f, child(f, f->plan.nodes, "x"), "identityMap")->fold);
    assert_false(child(f, f->plan.nodes, "identitymap")->fold);
    assert_int_equal(find(child(f, f->plan.nodes, "identitymap"), "a", 1, false), PLAN_NONE);
    char *name = malloc(PATH_TEXT_MAX + 100); /* longer than any path's name */
    assert_non_null(name);
    memset(name, 'e', PATH_TEXT_MAX + 100);
    assert_int_equal(find(map, name, PATH_TEXT_MAX + 1, true), PLAN_NONE);
    assert_int_equal(find(map, name, PATH_TEXT_MAX, true), PLAN_NONE);
    free(name);
    fixture_free(f);
}

static void namespaces_of_the_identity(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    add(f, "identityMap.CRM[*]");
    add_identity(f, "identityMap.ECID");
    add_identity(f, "identityMap.CRM[0].id");
    add_identity(f, "identityMap.crm");
    compile(f);
    const struct plan_identity_path *paths = f->plan.identity_paths;
    assert_true(paths[0].is_namespace && !paths[1].is_namespace && paths[2].is_namespace);
    assert_int_equal(f->plan.slot_use[paths[0].name_space.element], PLAN_IGNORED);
    assert_int_equal(f->plan.slot_use[paths[0].name_space.list], PLAN_TYPED);
    assert_true(f->plan.slot_use[paths[0].name_space.id] == PLAN_USED &&
                f->plan.slot_use[paths[0].name_space.primary] == PLAN_USED);
    assert_true(f->plan.slot_use[paths[2].name_space.element] == PLAN_USED); /* a column writes it */
    assert_int_equal(paths[2].name_space.element, slot(f, 0));
    assert_true(f->plan.slot_many[paths[0].name_space.id] && f->plan.slot_many[paths[0].name_space.element]);
    fixture_free(f);
}

static void the_identities_array_is_read_for_namespaces(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    add(f, "identities[*].id");
    add_identity(f, "identityMap.ECID");
    add_identity(f, "identityMap.crm");
    add_identity(f, "id");
    compile(f);
    const struct plan_identity_path *paths = f->plan.identity_paths;
    assert_memory_equal(&paths[0].identities, &paths[1].identities, sizeof paths[0].identities);
    assert_int_equal(paths[0].identities.id, slot(f, 0));
    assert_int_equal(paths[0].code, paths[1].code);
    assert_int_equal(f->plan.slot_use[paths[0].code], PLAN_USED);
    assert_int_equal(f->plan.slot_use[paths[0].identities.list], PLAN_TYPED);
    assert_int_equal(f->plan.slot_use[paths[0].identities.element], PLAN_IGNORED);
    assert_true(plan_reads(&f->plan, paths[0].name_space.list, '"'));
    assert_false(plan_reads(&f->plan, paths[0].name_space.list, '['));
    assert_false(plan_reads(&f->plan, paths[0].name_space.list, '{'));
    fixture_free(f);
    f = fixture_new(); /* and only for those */
    add_identity(f, "id");
    compile(f);
    assert_int_equal(f->plan.node_count, 2);
    fixture_free(f);
}

/* ---- segments ---- */

enum { SEGMENTS = MAPPING_SEGMENTS_MAX };

struct segment_list {
    char names[SEGMENTS][16];
    struct segment list[SEGMENTS];
};

static struct segment_list *add_segments(struct fixture *f, size_t count, const char *name_space)
{
    struct segment_list *segments = calloc(1, sizeof *segments);
    assert_non_null(segments);
    for (size_t i = 0; i < count; i++) {
        snprintf(segments->names[i], sizeof segments->names[i], "id.%zu", i);
        segments->list[i] =
            (struct segment){.id = segments->names[i], .id_length = strlen(segments->names[i])};
    }
    f->mapping.segments = (struct segments){.name_space = name_space, .list = segments->list, .count = count};
    return segments;
}

/* The slot of segmentMembership.NAMESPACE.ID.status below the node whose names fold. */
static uint32_t status_slot(const struct fixture *f, const struct plan_node *folds, const char *name_space,
                            const char *id)
{
    const struct plan_node *node = child(f, folds, name_space);
    assert_true(node->under_fold && !node->fold);
    return child(f, child(f, node, id), "status")->slot;
}

static void segments_have_the_last_slots(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct segment_list *segments = add_segments(f, SEGMENTS, "UPS");
    add(f, "segmentMembership[*].x.status");
    add(f, "zz");
    compile(f);
    assert_int_equal(f->plan.sparse_first, 2);
    assert_int_equal(f->plan.slot_count, 2 + SEGMENTS);
    const struct plan_node *membership = child(f, f->plan.nodes, "segmentMembership");
    assert_true(membership->fold && membership->folded == PLAN_NONE && membership->branches);
    for (size_t i = 0; i < SEGMENTS; i++) {
        uint32_t const at = status_slot(f, membership, "uPs", segments->names[i]);
        assert_int_equal(at, 2 + i);
        assert_true(f->plan.slot_many[at] && f->plan.slot_use[at] == PLAN_USED);
        char text[64];
        snprintf(text, sizeof text, "segmentMembership.UPS['%s'].status", segments->names[i]);
        assert_string_equal(f->plan.slot_path[at]->text, text);
    }
    assert_int_equal(find(child(f, membership, "ups"), "ID.0", 4, false), PLAN_NONE);
    free(segments);
    fixture_free(f);
}

/* Exact names of columns and the folded one of the segments, each in a table of its own. */
static void names_that_fold_stand_beside_exact_ones(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct segment_list *segments = add_segments(f, 2, "ups");
    add(f, "segmentMembership.UPS['id.0'].status");
    add(f, "zz");
    compile(f);
    const struct plan_node *membership = child(f, f->plan.nodes, "segmentMembership");
    assert_true(!membership->fold && membership->several && membership->folded != PLAN_NONE);
    const struct plan_node *folded = &f->plan.nodes[membership->folded];
    assert_true(folded->fold && !folded->twins);
    assert_int_equal(find(membership, "ups", 3, false), PLAN_NONE);
    assert_int_equal(child(f, child(f, child(f, membership, "UPS"), "id.0"), "status")->slot, slot(f, 0));
    assert_int_equal(f->plan.sparse_first, 2);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(status_slot(f, folded, "UPS", segments->names[i]), 2 + i);
    assert_true(membership->slot_first < 2 && membership->slot_end == 4); /* all of it is below the key */
    free(segments);
    fixture_free(f);
}

static void ids_are_literal(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct segment list[] = {{.id = "identityMap", .id_length = 11}, {.id = "a\0b", .id_length = 3}};
    f->mapping.segments = (struct segments){.name_space = "identityMap", .list = list, .count = 2};
    compile(f);
    const struct plan_node *membership = child(f, f->plan.nodes, "segmentMembership");
    assert_int_equal(status_slot(f, membership, "IDENTITYMAP", "identityMap"), 0);
    assert_int_equal(find(child(f, membership, "identitymap"), "identitymap", 11, false), PLAN_NONE);
    assert_int_not_equal(find(child(f, membership, "identitymap"), "a\0b", 3, false), PLAN_NONE);
    fixture_free(f);
    f = fixture_new();
    char *name = calloc(1, MAPPING_SEGMENT_ID_MAX + 2);
    assert_non_null(name);
    memset(name, 'e', MAPPING_SEGMENT_ID_MAX + 1);
    list[0] = (struct segment){.id = name, .id_length = MAPPING_SEGMENT_ID_MAX + 1};
    f->mapping.segments = (struct segments){.name_space = "ups", .list = list, .count = 1};
    assert_int_equal(plan_compile(&f->arena, &f->mapping, &f->plan, &f->fault), STATUS_JOB);
    assert_non_null(strstr(f->fault.message, "1024"));
    list[0].id_length--;
    compile(f);
    free(name);
    fixture_free(f);
}

static void consent_and_times_have_slots(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct consent_rule rules[2] = {{.missing = CONSENT_DENY}, {.missing = CONSENT_ALLOW}};
    add(f, "c.val");
    parse(f, "c.val", &rules[0].path);
    parse(f, "d[*]", &rules[1].path);
    parse(f, "t", &f->mapping.identity.timestamp);
    f->mapping.consent = rules;
    f->mapping.consent_count = 2;
    compile(f);
    assert_int_equal(f->plan.consent_slots[0], slot(f, 0));
    assert_true(f->plan.slot_many[f->plan.consent_slots[1]]);
    assert_int_equal(f->plan.time_slot, PLAN_NONE); /* nobody compares */
    assert_int_equal(f->plan.sparse_first, f->plan.slot_count);
    f->mapping.identity.deduplicate = IDENTITY_KEEP_LATEST;
    compile(f);
    assert_string_equal(f->plan.slot_path[f->plan.time_slot]->text, "t");
    fixture_free(f);
}

static void twins_are_told(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    add(f, "a.b");
    add(f, "a['xdm:b']");
    add(f, "xdm:c");
    add(f, "identityMap.E");
    add(f, "identityMap['XDM:e']");
    compile(f);
    const struct plan_node *a = child(f, f->plan.nodes, "a");
    assert_true(a->twins && a->several && !a->branches && !a->enters_array);
    assert_true(child(f, f->plan.nodes, "identityMap")->twins);
    assert_false(f->plan.nodes->twins || f->plan.nodes->several);
    fixture_free(f);
}

/* Names of all lengths around the words that a hash reads, alike in front or behind. */
static void every_name_is_found(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    char name[COLUMNS][64], text[80];
    size_t count = 0;
    for (size_t length = 0; length < 40; length++)
        for (int variant = 0; variant < 3; variant++) {
            if (length < 2 && variant > 0) continue;
            memset(name[count], 'n', length);
            name[count][length] = '\0';
            if (variant == 1) name[count][0] = 'y';
            if (variant == 2) name[count][length - 1] = 'z';
            snprintf(text, sizeof text, "['%s']", name[count++]);
            add(f, text);
        }
    for (int i = 0; i < 300; i++) {
        snprintf(name[count], sizeof name[count], "attribute_%04d_of_many", i);
        add(f, name[count++]);
    }
    compile(f);
    for (size_t i = 0; i < count; i++) {
        size_t const length = strlen(name[i]);
        uint32_t const id = find(f->plan.nodes, name[i], length, false);
        assert_int_not_equal(id, PLAN_NONE);
        assert_int_equal(f->plan.nodes[id].slot, slot(f, i));
        for (size_t at = 0; at < length; at++) { /* one byte off: not found */
            char other[64];
            memcpy(other, name[i], length + 1);
            other[at] = '#';
            assert_int_equal(find(f->plan.nodes, other, length, false), PLAN_NONE);
        }
        char longer[66];
        snprintf(longer, sizeof longer, "%s#", name[i]);
        assert_int_equal(find(f->plan.nodes, longer, length + 1, false), PLAN_NONE);
    }
    fixture_free(f);
}

static void names_with_nul_are_exact(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    add(f, "['a\\u0000']");
    add(f, "a");
    compile(f);
    assert_int_not_equal(find(f->plan.nodes, "a\0", 2, false), find(f->plan.nodes, "a", 1, false));
    assert_int_not_equal(find(f->plan.nodes, "a\0", 2, false), PLAN_NONE);
    assert_int_equal(find(f->plan.nodes, "a\0\0", 3, false), PLAN_NONE);
    assert_int_equal(find(f->plan.nodes, "", 0, false), PLAN_NONE);
    fixture_free(f);
}

static void a_node_without_names_finds_nothing(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    add(f, "a[*]");
    compile(f);
    const struct plan_node *a = child(f, f->plan.nodes, "a");
    assert_int_equal(find(a, "", 0, false), PLAN_NONE);
    assert_int_equal(find(a, "a", 1, false), PLAN_NONE);
    assert_int_equal(find(a, "a key of some length here", 25, false), PLAN_NONE);
    fixture_free(f);
}

static void a_mapping_of_constants_is_fine(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    f->columns[0] = (struct column){.name = "c", .constant = "x"};
    f->mapping.column_count = 1;
    compile(f);
    assert_int_equal(f->plan.slot_count, 0);
    assert_int_equal(f->plan.node_count, 1);
    assert_false(f->plan.has_many);
    fixture_free(f);
}

static void the_longest_path_is_fine(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    char text[4 * PATH_PARTS_MAX] = "a";
    for (int i = 1; i < PATH_PARTS_MAX; i++)
        strcat(text, i % 2 != 0 ? "[*]" : ".b");
    add(f, text);
    compile(f);
    assert_int_equal(f->plan.depth_max, PATH_PARTS_MAX);
    fixture_free(f);
}

/* `count` paths that begin with a name of their own and go on with PATH_PARTS_MAX - 1 times `part`; 16 a
 * column. */
static struct path *add_long_paths(struct fixture *f, size_t count, const char *part)
{
    struct path *paths = calloc(count, sizeof *paths);
    char text[PATH_TEXT_MAX];
    assert_non_null(paths);
    for (size_t p = 0; p < count; p++) {
        int used = snprintf(text, sizeof text, "p%zu", p);
        for (int i = 1; i < PATH_PARTS_MAX; i++)
            used += snprintf(text + used, sizeof text - (size_t)used, "%s", part);
        parse(f, text, &paths[p]);
    }
    for (size_t c = 0; c * 16 < count; c++)
        f->columns[f->mapping.column_count++] =
            (struct column){.name = "c", .paths = paths + 16 * c, .path_count = 16};
    return paths;
}

static void a_plan_has_a_bound(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    struct path *paths = add_long_paths(f, 160, "[?@.k==1]"); /* a filter is three nodes */
    compile(f);
    assert_int_equal(f->plan.node_count, 1 + 160 * (1 + 3 * (PATH_PARTS_MAX - 1)));
    assert_int_equal(f->plan.slot_count, 160 * PATH_PARTS_MAX);
    free(paths);
    fixture_free(f);
    f = fixture_new();
    paths = add_long_paths(f, 3200, "[?@.k==1]");
    assert_int_equal(plan_compile(&f->arena, &f->mapping, &f->plan, &f->fault), STATUS_JOB);
    assert_non_null(strstr(f->fault.message, "600000"));
    free(paths);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_share_their_way),
        cmocka_unit_test(steps_of_every_kind),
        cmocka_unit_test(identity_map_folds),
        cmocka_unit_test(namespaces_of_the_identity),
        cmocka_unit_test(the_identities_array_is_read_for_namespaces),
        cmocka_unit_test(segments_have_the_last_slots),
        cmocka_unit_test(names_that_fold_stand_beside_exact_ones),
        cmocka_unit_test(ids_are_literal),
        cmocka_unit_test(consent_and_times_have_slots),
        cmocka_unit_test(twins_are_told),
        cmocka_unit_test(every_name_is_found),
        cmocka_unit_test(names_with_nul_are_exact),
        cmocka_unit_test(a_node_without_names_finds_nothing),
        cmocka_unit_test(a_mapping_of_constants_is_fine),
        cmocka_unit_test(the_longest_path_is_fine),
        cmocka_unit_test(a_plan_has_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
