/* test_former_delivery.c - what goes of former deliveries: a folder as a list of names and contents, a run as
 * a list of names, and what must come out; and its bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/output/former_search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 24u

/* A file that stands there. `text` NULL: some bytes. `names`: a manifest that names these, separated by
 * blanks. */
struct standing {
    const char *name, *text, *names;
    uint64_t size; /* with none of both; 0: it is empty */
};

struct desk {
    struct former_rules rules;
    struct standing files[FILES_MAX];
    size_t reads;
    struct former former;
    struct fault fault;
    unsigned warnings;
    char warning[FAULT_MESSAGE_MAX];
};

static void warn(void *context, const char *message)
{
    struct desk *const desk = context;
    if (desk->warnings++ == 0) snprintf(desk->warning, sizeof desk->warning, "%s", message);
}

static char *manifest_of(const char *names)
{
    char *text = NULL;
    size_t length = 0;
    FILE *const out = open_memstream(&text, &length);
    assert_non_null(out);
    fputs("<manifest><totalRecordCount>0</totalRecordCount><files>", out);
    for (const char *at = names; *at != '\0'; at += strspn(at, " ")) {
        size_t const end = strcspn(at, " ");
        fprintf(out, "<file><name>%.*s</name><recordCount>0</recordCount></file>", (int)end, at);
        at += end;
    }
    fputs("</files></manifest>", out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static char *text_of(const struct standing *file)
{
    return file->names != NULL ? manifest_of(file->names) : file->text != NULL ? strdup(file->text) : NULL;
}

/* Like a directory: of that folder alone. */
static enum status list(void *context, const char *folder, struct former *former, struct fault *fault)
{
    const struct desk *const desk = context;
    size_t const length = strlen(folder);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < FILES_MAX && desk->files[i].name != NULL && status == STATUS_OK; i++) {
        const struct standing *const file = &desk->files[i];
        if (strncmp(file->name, folder, length) != 0 || strchr(file->name + length, '/') != NULL) continue;
        char *const text = text_of(file);
        status = former_seen(former, file->name, text == NULL ? file->size : strlen(text), fault);
        free(text);
    }
    return status;
}

static enum status read_text(void *context, const char *name, size_t most, uint8_t **bytes, size_t *length,
                             struct fault *fault)
{
    struct desk *const desk = context;
    size_t i = 0;
    (void)fault;
    while (strcmp(desk->files[i].name, name) != 0)
        i++;
    desk->reads++;
    char *text = text_of(&desk->files[i]);
    if (text == NULL) {
        text = malloc(most);
        assert_non_null(text);
        memset(text, ' ', most);
        memcpy(text, "<manifest>", most < 10 ? most : 10);
        *length = most;
    } else {
        *length = strlen(text);
        if (*length > most) *length = most;
    }
    *bytes = (uint8_t *)text;
    return STATUS_OK;
}

/* `own`: data files, manifests and tokens of the run, each separated by blanks. */
static enum status search(struct desk *desk, const char *const own[3])
{
    struct former_port const port = {.context = desk, .list = list, .read = read_text};
    desk->rules.warn = warn;
    desk->rules.warn_context = desk;
    former_start(&desk->former, &desk->rules, "out/");
    for (int stage = SINK_DATA; stage <= SINK_TOKEN; stage++)
        for (const char *at = own[stage]; *at != '\0'; at += strspn(at, " ")) {
            char name[64];
            size_t const end = strcspn(at, " ");
            snprintf(name, sizeof name, "%.*s", (int)end, at);
            assert_int_equal(former_own(&desk->former, name, (enum sink_stage)stage, &desk->fault),
                             STATUS_OK);
            at += end;
        }
    return former_search(&desk->former, &port, &desk->fault);
}

static void expect_stage(const struct former *former, enum sink_stage stage, const char *wanted)
{
    char found[512] = "";
    for (size_t i = 0; i < former->count; i++)
        if (former->list[i].stage == stage) {
            strcat(found, found[0] == '\0' ? "" : " ");
            strcat(found, former->list[i].name);
        }
    assert_string_equal(found, wanted);
    for (size_t i = 1; i < former->count; i++)
        assert_true(former->list[i - 1].stage >= former->list[i].stage);
}

static const char *const usual[3] = {"a_1.csv a_2.csv", "a.xml", "a.xml.TOK"};

static void expect(struct desk *desk, const char *const own[3], const char *tokens, const char *manifests,
                   const char *surplus)
{
    if (search(desk, own) != STATUS_OK) fail_msg("%s", desk->fault.message);
    expect_stage(&desk->former, SINK_TOKEN, tokens);
    expect_stage(&desk->former, SINK_MANIFEST, manifests);
    expect_stage(&desk->former, SINK_DATA, surplus);
    former_free(&desk->former);
}

static void nothing_stands_there(void **state)
{
    (void)state;
    struct desk desk = {.reads = 0};
    expect(&desk, usual, "", "", "");
}

static void fewer_files(void **state)
{
    (void)state;
    struct desk desk = {.files = {{.name = "a.xml", .names = "a_1.csv a_2.csv a_3.csv a_4.csv"},
                                  {.name = "a.xml.TOK"},
                                  {.name = "a_1.csv", .size = 5},
                                  {.name = "a_3.csv", .size = 5},
                                  {.name = "a_3.csv.TOK"},
                                  {.name = "a_4.TOK"},
                                  {.name = "a_5.csv", .size = 5},
                                  {.name = "a_5.csv.TOK"}}};
    expect(&desk, usual, "a_3.csv.TOK a_4.TOK", "", "a_3.csv a_4.csv");
    assert_int_equal(desk.reads, 1);
    assert_int_equal(desk.warnings, 0);
}

static void other_names(void **state)
{
    (void)state;
    struct desk desk = {.files = {{.name = "b.XML", .names = "x/y/a_2.csv"},
                                  {.name = "b.done"},
                                  {.name = "b.XML_OK"},
                                  {.name = "bdone"},
                                  {.name = "a_11"},
                                  {.name = "b.txt", .text = "b"},
                                  {.name = "a_1.csv.ready"},
                                  {.name = "a_1.ok"},
                                  {.name = "a.flag"},
                                  {.name = "c.xml", .names = "c_1.csv"},
                                  {.name = "c.xml.TOK"}}};
    expect(&desk, usual, "a.flag a_1.csv.ready a_1.ok b.XML_OK b.done", "b.XML", "");
    desk.rules.token_suffix = "1"; /* the job's own need not begin with a dot */
    expect(&desk, usual, "a.flag a_1.csv.ready a_1.ok a_11 b.XML_OK b.done", "b.XML", "");
    static const char *const rows[3] = {"a_1.csv a_2.csv", "", ""};
    expect(&desk, rows, "a_1.csv.ready a_1.ok a_11 b.XML_OK b.done", "b.XML", "");
    static const char *const others[3] = {"d_1.csv", "d.xml", ""};
    expect(&desk, others, "", "", "");
}

static void the_longest_name_decides(void **state)
{
    (void)state;
    struct desk desk = {.files = {{.name = "a.b.xml", .names = "more.csv a.more.csv"},
                                  {.name = "a.b.xml.TOK"},
                                  {.name = "a.b.TOK"},
                                  {.name = "a.more.csv.TOK"},
                                  {.name = "a.none.xml.TOK"}, /* of a name that only begins like ours */
                                  {.name = "a.c.xml", .text = "no manifest"},
                                  {.name = "a.c.xml.TOK"}}};
    expect(&desk, usual, "a.none.xml.TOK", "", "");
}

static void what_stays_keeps_its_files(void **state)
{
    (void)state;
    struct desk desk = {.files = {{.name = "a.xml", .names = "a_1.csv both.csv b.xml mine.csv empty.csv"},
                                  {.name = "b.xml", .names = "both.csv"},
                                  {.name = "both.csv", .size = 1},
                                  {.name = "both.csv.TOK"},
                                  {.name = "empty.csv"},
                                  {.name = "mine.csv", .size = 1}}};
    expect(&desk, usual, "", "", "empty.csv mine.csv");
}

static void prefixes(void **state)
{
    (void)state;
    static const char *const list_of[] = {"in/", "x_"};
    struct desk desk = {
        .rules = {.prefixes = list_of, .prefix_count = 2},
        .files = {{.name = "a.xml", .names = "in/a_1.csv in/a_8.csv x_a_9.csv a_7.csv other/a_6.csv"},
                  {.name = "a_6.csv.TOK"}}};
    expect(&desk, usual, "a_6.csv.TOK", "", "a_8.csv a_9.csv");
    assert_int_equal(desk.warnings, 1);
    assert_non_null(strstr(desk.warning, "out/a.xml"));
    assert_non_null(strstr(desk.warning, "(2: a_7.csv, ...)"));
    assert_non_null(strstr(desk.warning, "pega.path_prefix"));
}

static void hostile_names(void **state)
{
    (void)state;
    struct desk desk = {
        .files = {{.name = "a.xml",
                   .names = "../up.csv /etc/passwd .. . sub/in.csv .hidden ./a_3.csv a//b ../a.xml.TOK "
                            "a.xml a.xml.TOK a_1.csv fine.csv tail/"}}};
    expect(&desk, usual, "", "", "fine.csv");
    assert_int_equal(desk.warnings, 1);
}

static void folders(void **state)
{
    (void)state;
    static const char *const own[3] = {"s1/a.csv s2/a.csv", "s1/m.xml s2/m.xml", "s1/m.xml.TOK s2/m.xml.TOK"};
    struct desk desk = {.files = {{.name = "s1/m.xml", .names = "a.csv b.csv"},
                                  {.name = "s2/old.xml", .names = "a.csv"},
                                  {.name = "s2/old.xml.TOK"},
                                  {.name = "s3/m.xml", .names = "a.csv"},
                                  {.name = "s3/m.xml.TOK"},
                                  {.name = "m.xml", .names = "a.csv"},
                                  {.name = "s1/deep/m.xml", .names = "a.csv"}}};
    expect(&desk, own, "s2/old.xml.TOK", "s2/old.xml", "s1/b.csv");
    assert_int_equal(desk.reads, 2);
}

/* Names that are the run's alone are looked for; texts are read only when one is taken. */
static void fresh_names(void **state)
{
    (void)state;
    struct desk desk = {.rules = {.fresh_names = true},
                        .files = {{.name = "b.xml", .names = "a_1.csv"}, {.name = "b.xml.TOK"}}};
    expect(&desk, usual, "", "", "");
    assert_int_equal(desk.reads, 0);
    desk.files[2] = (struct standing){.name = "a_2.csv", .size = 1};
    expect(&desk, usual, "b.xml.TOK", "b.xml", "");
    assert_int_equal(desk.reads, 1);
}

/* More than is looked at first. */
static const char *large(const char *begin)
{
    static char text[FORMER_HEAD_MAX + 64];
    memset(text, ' ', sizeof text - 1);
    memcpy(text, begin, strlen(begin));
    return text;
}

static void extensions(void **state)
{
    (void)state;
    static const char *const own[3] = {"a.csv", "a.manifest", ""};
    struct desk desk = {
        .files = {{.name = "b.manifest", .names = "a.csv"}, {.name = "b.other", .names = "a.csv"}}};
    expect(&desk, own, "", "b.manifest b.other", "");
    assert_int_equal(desk.reads, 2);
    static const char *const rows[3] = {"a.dat", "a.xml", "a.xml.TOK"};
    desk = (struct desk){.files = {{.name = "b.manifest", .names = "a.dat c.bin d.dat"},
                                   {.name = "b.manifest.TOK"},
                                   {.name = "MANIFEST", .names = "a.dat"},
                                   {.name = "MANIFEST.TOK"},
                                   {.name = "c.bin", .text = "rows"},
                                   {.name = "c.bin.TOK"},
                                   {.name = "a.log", .text = "not what a.TOK is called after"},
                                   {.name = "a.TOK"},
                                   {.name = "d.dat", .names = "a.dat"},
                                   {.name = "e.CSV", .names = "a.dat"},
                                   {.name = "e.csv.gz", .names = "a.dat"},
                                   {.name = "a.account.of", .names = "a.o.csv"},
                                   {.name = "a.account.TOK"}}};
    expect(&desk, rows, "MANIFEST.TOK a.TOK b.manifest.TOK c.bin.TOK", "b.manifest MANIFEST", "c.bin d.dat");
    assert_int_equal(desk.reads, 5);
    /* of a large one of another kind the head alone is read */
    desk =
        (struct desk){.files = {{.name = "b.bin", .text = large("rows")}, {.name = "c.flag", .text = "\n"}}};
    expect(&desk, rows, "", "", "");
    assert_int_equal(desk.reads, 2);
    desk = (struct desk){.files = {{.name = "b.bin", .text = large("<other/>")}}};
    expect(&desk, rows, "", "", "");
    assert_int_equal(desk.reads, 1);
    desk = (struct desk){
        .files = {
            {.name = "b.bin",
             .text = large("<manifest><totalRecordCount>0</totalRecordCount><files><file><name>a.dat</name>"
                           "<recordCount>0</recordCount></file></files></manifest>")}}};
    expect(&desk, rows, "", "b.bin", "");
    assert_int_equal(desk.reads, 2);
}

static void what_cant_be_read(void **state)
{
    (void)state;
    struct standing const bad[] = {{.name = "b.xml", .text = "<manifest><files></manifest>"},
                                   {.name = "b.xml", .text = "<manifest>"},
                                   {.name = "b.xml", .text = "<manifest/>"},
                                   {.name = "b.xml",
                                    .text =
                                        "<?xml version='1.0' encoding='windows-1252'?><manifest><files><file>"
                                        "<name>a_1.csv</name></file></files></manifest>"},
                                   {.name = "b.xml", .size = FORMER_TEXT_MAX + 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct desk desk = {.files = {bad[i]}};
        assert_int_equal(search(&desk, usual), STATUS_JOB);
        assert_non_null(strstr(desk.fault.message, "out/b.xml: "));
        assert_non_null(strstr(desk.fault.message, "remove it, or give another destination"));
        former_free(&desk.former);
        desk = (struct desk){.files = {bad[i]}};
        desk.files[0].name = "a.xml"; /* the run's own is replaced, whatever it holds */
        expect(&desk, usual, "", "", "");
        assert_int_equal(desk.warnings, 1);
        assert_non_null(strstr(desk.warning, "out/a.xml: "));
        assert_non_null(strstr(desk.warning, "are left where they are"));
    }
    static const char *const fine[] = {"x", "<html/>", "<a><manifest/></a>"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        struct desk desk = {.files = {{.name = "b.xml", .text = fine[i]}, {.name = "b.xml.TOK"}}};
        expect(&desk, usual, "", "", "");
        assert_int_equal(desk.warnings, 0);
    }
}

/* Other programs' manifests without counts: their names are enough. */
static void manifests_without_counts(void **state)
{
    (void)state;
    struct desk desk = {
        .files = {
            {.name = "b.xml",
             .text = "<manifest><files><file><name>a_1.csv</name></file></files></manifest>"},
            {.name = "b.xml.TOK"},
            {.name = "c.xml", .text = "<manifest><files><file><name>c.csv</name></file></files></manifest>"},
            {.name = "c.xml.TOK"}}};
    expect(&desk, usual, "b.xml.TOK", "b.xml", "");
}

static void bounds(void **state)
{
    (void)state;
    struct desk desk = {.reads = 0};
    former_start(&desk.former, &desk.rules, "out/");
    assert_int_equal(former_own(&desk.former, "a.csv", SINK_DATA, &desk.fault), STATUS_OK);
    enum status status = STATUS_OK;
    for (unsigned i = 0; i <= FORMER_NAMES_MAX; i++) {
        char name[32];
        snprintf(name, sizeof name, "%u%s", i, i % 2 == 0 ? "" : ".xml");
        assert_int_equal(status, STATUS_OK);
        status = former_seen(&desk.former, name, i % 2, &desk.fault);
    }
    assert_int_equal(status, STATUS_JOB);
    former_free(&desk.former);
    struct former_port const port = {.context = &desk, .list = list, .read = read_text};
    former_start(&desk.former, &desk.rules, "out/");
    for (unsigned i = 0; i <= FORMER_TEXTS_MAX; i++) {
        char name[32];
        snprintf(name, sizeof name, "%u.xml", i);
        assert_int_equal(former_seen(&desk.former, name, 1, &desk.fault), STATUS_OK);
    }
    assert_int_equal(former_search(&desk.former, &port, &desk.fault), STATUS_JOB);
    assert_int_equal(desk.reads, 0);
    former_free(&desk.former);
}

/* What a killed run had moved aside still tells what is surplus. */
static void asides(void **state)
{
    (void)state;
    struct desk desk = {.files = {{.name = ".a.xml.0123456789abcdef.old", .names = "a_1.csv a_7.csv"},
                                  {.name = ".b.xml.dead.old", .names = "a_2.csv a_8.csv"},
                                  {.name = ".c.xml.dead.old", .names = "c_1.csv a_9.csv"},
                                  {.name = "a.xml", .names = "a_1.csv a_9.csv"},
                                  {.name = ".d.xml.dead.old", .text = "<manifest>"},
                                  {.name = ".a.xml.no run.old", .names = "a_1.csv a_6.csv"},
                                  {.name = ".a.xml.TOK.dead.old"},
                                  {.name = ".a.xml.dead.tmp", .names = "a_1.csv a_5.csv"},
                                  {.name = ".a_1.csv.dead.old", .size = 3}}};
    expect(&desk, usual, "", "", "a_7.csv a_8.csv .a.xml.0123456789abcdef.old .b.xml.dead.old");
    assert_int_equal(desk.warnings, 0);
}

/* A run id may have dots, and look like an extension; no other run's manifest is taken for ours by that. */
static void asides_of_dotted_ids(void **state)
{
    (void)state;
    struct desk desk = {.rules = {.fresh_names = true},
                        .files = {{.name = ".a.xml.x.y.old", .names = "z_7.csv"},
                                  {.name = ".a.xml.v.csv.old", .names = "z_8.csv z_9.csv"},
                                  {.name = "other.of", .names = "z_9.csv"},
                                  {.name = ".b.xml.x.old", .names = "b_7.csv"},
                                  {.name = ".a_1.csv.x.y.old", .text = "rows"},
                                  {.name = ".old.old", .names = "y.csv"}}};
    expect(&desk, usual, "", "", "z_7.csv z_8.csv .a.xml.x.y.old .a.xml.v.csv.old");
    assert_int_equal(desk.reads, 5);
    static const char *const bare[3] = {"a_1.csv", "a", ""};
    desk = (struct desk){.files = {{.name = ".a.dead.old", .names = "z_7.csv"},
                                   {.name = ".a.xml.dead.old", .names = "z_8.csv"}}};
    expect(&desk, bare, "", "", "z_7.csv .a.dead.old");
}

/* Names that no run makes are passed by. */
static void strange_names(void **state)
{
    (void)state;
    static char longest[300];
    memset(longest, 'a', sizeof longest - 1);
    struct desk desk = {.files = {{.name = ".a.xml", .names = "a_1.csv"},
                                  {.name = "\n.xml", .names = "a_1.csv"},
                                  {.name = ".a_1.csv.TOK"},
                                  {.name = longest}}};
    expect(&desk, usual, "", "", "");
    assert_int_equal(desk.reads, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_stands_there),
                                       cmocka_unit_test(fewer_files),
                                       cmocka_unit_test(other_names),
                                       cmocka_unit_test(the_longest_name_decides),
                                       cmocka_unit_test(what_stays_keeps_its_files),
                                       cmocka_unit_test(prefixes),
                                       cmocka_unit_test(hostile_names),
                                       cmocka_unit_test(folders),
                                       cmocka_unit_test(fresh_names),
                                       cmocka_unit_test(extensions),
                                       cmocka_unit_test(what_cant_be_read),
                                       cmocka_unit_test(manifests_without_counts),
                                       cmocka_unit_test(bounds),
                                       cmocka_unit_test(asides),
                                       cmocka_unit_test(asides_of_dotted_ids),
                                       cmocka_unit_test(strange_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
