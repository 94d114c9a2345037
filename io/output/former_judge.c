/* former_judge.c - what goes: the rules of former_delivery.h. Thread: one. Owns its sets of names inside each
 * call; names are copied into former's arena. */
#include "io/output/former_delivery.h"

#include "io/output/former_inside.h"
#include "io/output/output_name.h"
#include "io/output/output_path.h"
#include "io/output/output_text.h"

#include <stdlib.h>
#include <string.h>

/* Names that tokens may be called after: whole, and without their extension. */
struct bases {
    struct name_set whole, stems;
};

struct judgement {
    struct former *former;
    struct name_set texts;      /* names of all that may be manifests */
    struct name_set stay_named; /* data files that manifests which stay name, wherever these lie */
    struct name_set gone_named; /* and those of manifests that go */
    struct name_set surplus;
    struct bases stay, gone;
};

static void judgement_free(struct judgement *judgement)
{
    struct name_set *const sets[] = {&judgement->texts,      &judgement->stay_named, &judgement->gone_named,
                                     &judgement->surplus,    &judgement->stay.whole, &judgement->stay.stems,
                                     &judgement->gone.whole, &judgement->gone.stems};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        name_set_free(sets[i]);
}

static bool add_base(struct former *former, struct bases *bases, const char *name)
{
    size_t const folders = output_path_folders(name);
    const char *const whole = arena_text(&former->arena, name, strlen(name));
    const char *const stem = arena_text(&former->arena, name, folders + output_name_stem(name + folders));
    return whole != NULL && stem != NULL && name_set_add(&bases->whole, whole) &&
           name_set_add(&bases->stems, stem);
}

/* The last part of a name in a manifest: where the file lies if it lies beside it, whatever the prefix. */
static const char *last_part(const char *named)
{
    const char *const slash = strrchr(named, '/');
    return slash == NULL ? named : slash + 1;
}

static bool goes(struct former *former, const struct former_text *text)
{
    struct former_path path;
    for (size_t i = 0; i < text->manifest.file_count; i++)
        if (name_set_has(&former->own,
                         former_beside(text->name, last_part(text->manifest.files[i].name), &path)))
            return true;
    return text->own;
}

/* Of what is no manifest and not called like one nothing is called after, and it may be surplus itself. */
static bool counts(const struct former_text *text)
{
    return text->is_manifest || text->own || text->usual;
}

/* Who is called after what: by all that goes, by all that stays. */
static bool note_names(struct judgement *judgement, const struct former_text *text)
{
    struct former *const former = judgement->former;
    struct bases *const bases = text->goes ? &judgement->gone : &judgement->stay;
    struct name_set *const named = text->goes ? &judgement->gone_named : &judgement->stay_named;
    struct former_path path;
    bool good = add_base(former, bases, text->stands_for) && name_set_add(&judgement->texts, text->name);
    for (size_t i = 0; i < text->manifest.file_count && good; i++) {
        const char *const part = last_part(text->manifest.files[i].name);
        if (!former_is_plain(part)) continue;
        former_beside(text->name, part, &path);
        good = former_keep(former, named, path.text) && add_base(former, bases, path.text);
    }
    return good;
}

/* The plain name that is left without a prefix of the job. NULL: it does not lie beside its manifest. */
static const char *without_prefix(const struct former_rules *rules, const char *named)
{
    if (rules->prefix_count == 0) return former_is_plain(named) ? named : NULL;
    for (size_t i = 0; i < rules->prefix_count; i++) {
        size_t const length = strlen(rules->prefixes[i]);
        if (strncmp(named, rules->prefixes[i], length) == 0 && former_is_plain(named + length))
            return named + length;
    }
    return NULL;
}

/* What a manifest that goes names and this run does not write. */
static bool find_surplus(struct judgement *judgement, const struct former_text *text)
{
    struct former *const former = judgement->former;
    size_t elsewhere = 0;
    const char *first = NULL;
    struct former_path path;
    for (size_t i = 0; i < text->manifest.file_count; i++) {
        const char *const named = text->manifest.files[i].name;
        const char *const part = without_prefix(former->rules, named);
        former_beside(text->name, part == NULL ? last_part(named) : part, &path);
        if (name_set_has(&former->own, path.text)) continue;
        if (part == NULL && elsewhere++ == 0) first = named;
        if (part == NULL || name_set_has(&judgement->stay_named, path.text) ||
            name_set_has(&judgement->texts, path.text))
            continue;
        if (!former_keep(former, &judgement->surplus, path.text)) return false;
    }
    char shown[OUTPUT_TEXT_PRINTABLE];
    if (elsewhere != 0)
        former_warn(
            former,
            "%s: is replaced; it named data files that this run does not write and that do not lie beside "
            "it by "
            "the job's pega.path_prefix: they are left where they are (%zu: %s, ...)",
            former_show(former, text->name).text, elsewhere,
            output_text_printable(first, shown, sizeof shown));
    return true;
}

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* The longest name that it may be called after decides; of one that goes and one that stays, the latter. */
static bool is_token_that_goes(struct judgement *judgement, const char *name)
{
    const char *const suffix = judgement->former->rules->token_suffix;
    size_t const folders = output_path_folders(name);
    for (size_t end = strlen(name) - 1; end > folders; end--) {
        const char *const rest = name + end;
        bool const jobs = suffix != NULL && strcmp(rest, suffix) == 0;
        bool const whole = jobs || !is_letter_or_digit(rest[0]), stem = jobs || rest[0] == '.';
        if ((whole && name_set_has_first(&judgement->stay.whole, name, end)) ||
            (stem && name_set_has_first(&judgement->stay.stems, name, end)))
            return false;
        if ((whole && name_set_has_first(&judgement->gone.whole, name, end)) ||
            (stem && name_set_has_first(&judgement->gone.stems, name, end)))
            return true;
    }
    return false;
}

static bool list_file(struct former *former, const char *name, enum sink_stage stage)
{
    if (former->count == former->room) {
        size_t const room = former->room == 0 ? 16 : 2 * former->room;
        struct former_file *const list = reallocarray(former->list, room, sizeof *list);
        if (list == NULL) return false;
        former->list = list;
        former->room = room;
    }
    former->list[former->count++] = (struct former_file){.name = name, .stage = stage};
    return true;
}

static bool list_all(struct judgement *judgement)
{
    struct former *const former = judgement->former;
    bool good = true;
    name_set_sort(&former->empty);
    name_set_sort(&judgement->surplus);
    for (size_t i = 0; i < former->empty.count && good; i++) {
        const char *const name = former->empty.names[i];
        bool const is_data =
            name_set_has(&judgement->gone_named, name) || name_set_has(&judgement->stay_named, name);
        if (!is_data && is_token_that_goes(judgement, name)) good = list_file(former, name, SINK_TOKEN);
    }
    for (size_t i = 0; i < former->text_count && good; i++)
        if (former->texts[i].goes && !former->texts[i].own && !former->texts[i].aside)
            good = list_file(former, former->texts[i].name, SINK_MANIFEST);
    for (size_t i = 0; i < judgement->surplus.count && good; i++)
        good = list_file(former, judgement->surplus.names[i], SINK_DATA);
    /* last: as long as one of the others stands, it tells so */
    for (size_t i = 0; i < former->text_count && good; i++)
        if (former->texts[i].goes && former->texts[i].aside && former->texts[i].is_manifest)
            good = list_file(former, former->texts[i].name, SINK_DATA);
    return good;
}

static bool judge(struct judgement *judgement)
{
    struct former *const former = judgement->former;
    bool good = true;
    for (size_t i = 0; i < former->text_count; i++)
        former->texts[i].goes = goes(former, &former->texts[i]);
    for (size_t i = 0; i < former->own.count && good; i++)
        good = add_base(former, &judgement->gone, former->own.names[i]);
    for (size_t i = 0; i < former->text_count && good; i++)
        good = !counts(&former->texts[i]) || note_names(judgement, &former->texts[i]);
    for (size_t i = 0; i < former->text_count && good; i++)
        if (former->texts[i].goes) good = find_surplus(judgement, &former->texts[i]);
    return good && list_all(judgement);
}

enum status former_judge(struct former *former, struct fault *fault)
{
    struct judgement judgement = {.former = former};
    bool const good = judge(&judgement);
    judgement_free(&judgement);
    return good ? STATUS_OK : former_no_memory(fault);
}
