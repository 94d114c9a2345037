/* former_delivery.c - see the header. Thread: one. Owns copies of names in its arena, and the manifests. */
#include "io/output/former_delivery.h"

#include "io/output/output_name.h"
#include "io/output/output_path.h"
#include "io/output/output_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The extension of manifests of former jobs, beside that of the run's own. */
#define USUAL_EXTENSION ".xml"

static enum status no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_IO, "no memory left to look for former deliveries");
}

__attribute__((format(printf, 2, 3))) static void warn(const struct former *former, const char *format, ...)
{
    char message[FAULT_MESSAGE_MAX];
    va_list arguments;
    if (former->rules->warn == NULL) return;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    former->rules->warn(former->rules->warn_context, message);
}

/* The name with its place, as a value. */
struct shown {
    char text[2 * OUTPUT_TEXT_PRINTABLE];
};

static struct shown show(const struct former *former, const char *name)
{
    struct shown shown;
    char place[OUTPUT_TEXT_PRINTABLE], printable[OUTPUT_TEXT_PRINTABLE];
    snprintf(shown.text, sizeof shown.text, "%s%s", output_text_printable(former->place, place, sizeof place),
             output_text_printable(name, printable, sizeof printable));
    return shown;
}

void former_start(struct former *former, const struct former_rules *rules, const char *place)
{
    *former = (struct former){.rules = rules, .place = place};
}

void former_free(struct former *former)
{
    for (size_t i = 0; i < former->text_count; i++)
        manifest_free(&former->texts[i].manifest);
    name_set_free(&former->own);
    name_set_free(&former->own_manifests);
    name_set_free(&former->folders);
    name_set_free(&former->extensions);
    name_set_free(&former->empty);
    free(former->texts);
    free(former->list);
    arena_free(&former->arena);
    *former = (struct former){.rules = former->rules};
}

/* ---- names ---- */

static const char *bare(const char *name)
{
    return name + output_path_folders(name);
}

/* ".xml" of "a.b.xml"; "": none. */
static const char *extension(const char *name)
{
    const char *const dot = strrchr(bare(name), '.');
    return dot == NULL || dot == bare(name) ? "" : dot;
}

/* A file of that bare name beside `of`, in a buffer that holds all folders of ours and all names of a
 * manifest. */
struct path {
    char text[OUTPUT_NAME_SIZE + MANIFEST_NAME_MAX];
};

static const char *beside(const char *of, const char *name, struct path *path)
{
    size_t const folders = output_path_folders(of);
    memcpy(path->text, of, folders);
    memcpy(path->text + folders, name, strlen(name) + 1);
    return path->text;
}

/* A copy of it in the set. */
static bool keep(struct former *former, struct name_set *set, const char *name)
{
    const char *const kept = arena_text(&former->arena, name, strlen(name));
    return kept != NULL && name_set_add(set, kept);
}

/* Could it be of a delivery? Hidden files are unfinished ones; no run makes names with control characters. */
static bool is_plain(const char *name)
{
    size_t length = 0;
    if (name[0] == '.') return false;
    for (; name[length] != '\0'; length++)
        if ((unsigned char)name[length] < 0x20 || name[length] == 0x7F || name[length] == '/') return false;
    return length > 0 && length <= FILE_NAME_BYTES_MAX;
}

/* Adds the first `length` bytes unless they were the last that were added: files of a folder come together.
 */
static bool add_other(struct former *former, struct name_set *set, const char *name, size_t length)
{
    const char *const last = set->count == 0 ? NULL : set->names[set->count - 1];
    if (last != NULL && strncmp(last, name, length) == 0 && last[length] == '\0') return true;
    const char *const kept = arena_text(&former->arena, name, length);
    return kept != NULL && name_set_add(set, kept);
}

enum status former_own(struct former *former, const char *name, enum sink_stage stage, struct fault *fault)
{
    const char *const found = extension(name);
    bool good = keep(former, &former->own, name) &&
                add_other(former, &former->folders, name, output_path_folders(name));
    if (good && stage == SINK_MANIFEST)
        good = keep(former, &former->own_manifests, name) &&
               add_other(former, &former->extensions, found, strlen(found));
    return good ? STATUS_OK : no_memory(fault);
}

/* ---- what stands there ---- */

static enum status add_text(struct former *former, const char *name, const char *stands_for, uint64_t size,
                            struct fault *fault)
{
    if (former->text_count == former->text_room) {
        size_t const room = former->text_room == 0 ? 8 : 2 * former->text_room;
        struct former_text *const texts = reallocarray(former->texts, room, sizeof *texts);
        if (texts == NULL) return no_memory(fault);
        former->texts = texts;
        former->text_room = room;
    }
    const char *const kept = arena_text(&former->arena, name, strlen(name));
    bool const aside = strcmp(name, stands_for) != 0;
    const char *const was = aside ? arena_text(&former->arena, stands_for, strlen(stands_for)) : kept;
    if (kept == NULL || was == NULL) return no_memory(fault);
    former->texts[former->text_count++] =
        (struct former_text){.name = kept,
                             .stands_for = was,
                             .size = size,
                             .own = name_set_has(&former->own_manifests, was),
                             .aside = aside};
    return STATUS_OK;
}

static bool may_be_manifest(struct former *former, const char *name)
{
    const char *const found = extension(name);
    if (strcasecmp(found, USUAL_EXTENSION) == 0) return true;
    return found[0] != '\0' && name_set_has(&former->extensions, found);
}

/* NAME of .NAME.RUNID.old, with its folders. False: it is none. */
static bool was_called(const char *name, struct path *path)
{
    static const char end[] = ".old";
    size_t const folders = output_path_folders(name), length = strlen(bare(name));
    if (name[folders] != '.' || length <= sizeof end || length > FILE_NAME_BYTES_MAX) return false;
    if (strcmp(name + folders + length - strlen(end), end) != 0) return false;
    beside(name, bare(name) + 1, path);
    path->text[folders + length - 1 - strlen(end)] = '\0';
    char *const dot = strrchr(path->text + folders, '.');
    if (dot == NULL || !file_name_run_id_valid(dot + 1)) return false;
    *dot = '\0';
    return is_plain(path->text + folders);
}

static enum status see_hidden(struct former *former, const char *name, uint64_t size, struct fault *fault)
{
    struct path path;
    if (size == 0 || !was_called(name, &path)) return STATUS_OK;
    if (!may_be_manifest(former, path.text) && !name_set_has(&former->own_manifests, path.text))
        return STATUS_OK;
    return add_text(former, name, path.text, size, fault);
}

enum status former_seen(struct former *former, const char *name, uint64_t size, struct fault *fault)
{
    if (bare(name)[0] == '.') return see_hidden(former, name, size, fault);
    if (!is_plain(bare(name))) return STATUS_OK;
    if (name_set_has(&former->own, name)) {
        former->own_seen = true;
        if (size == 0 || !name_set_has(&former->own_manifests, name)) return STATUS_OK;
        return add_text(former, name, name, size, fault);
    }
    if (size > 0 && !may_be_manifest(former, name)) return STATUS_OK;
    if (former->text_count + former->empty.count >= FORMER_NAMES_MAX)
        return fault_set(
            fault, STATUS_JOB,
            "%s: there are more than %u manifests and empty files, too many to find those of "
            "former deliveries (if_exists: replace): remove old ones, or give another destination",
            show(former, "").text, FORMER_NAMES_MAX);
    if (size > 0) return add_text(former, name, name, size, fault);
    return keep(former, &former->empty, name) ? STATUS_OK : no_memory(fault);
}

/* ---- texts ---- */

bool former_wants_texts(const struct former *former)
{
    return former->own_seen || !former->rules->fresh_names;
}

size_t former_wanted(const struct former_text *text)
{
    return text->size <= FORMER_TEXT_MAX ? (size_t)text->size : FORMER_HEAD_MAX;
}

/* `why` begins with its name. */
static enum status unreadable(const struct former *former, const struct former_text *text, const char *why,
                              struct fault *fault)
{
    if (text->aside) return STATUS_OK; /* nobody imports by it */
    if (!text->own)
        return fault_set(fault, STATUS_JOB,
                         "%s; so it is not known whether this run would replace data files under it and its "
                         "token (if_exists: replace): remove it, or give another destination",
                         why);
    warn(former,
         "%s; the former manifest can't be read, so data files that it named and this run does not write are "
         "left where they are",
         why);
    return STATUS_OK;
}

enum status former_take(struct former *former, struct former_text *text, const uint8_t *bytes, size_t length,
                        struct fault *fault)
{
    struct shown const shown = show(former, text->name);
    char why[FAULT_MESSAGE_MAX];
    struct fault found;
    if (!manifest_may_be(bytes, length)) {
        snprintf(why, sizeof why, "%s: is no manifest", shown.text);
        return text->own ? unreadable(former, text, why, fault) : STATUS_OK;
    }
    if (text->size > FORMER_TEXT_MAX || former->text_bytes + length > FORMER_ALL_MAX) {
        snprintf(why, sizeof why,
                 "%s: has %" PRIu64 " bytes; a former manifest is read up to %u MiB, all of them up to %u",
                 shown.text, text->size, FORMER_TEXT_MAX >> 20, FORMER_ALL_MAX >> 20);
        return unreadable(former, text, why, fault);
    }
    former->text_bytes += length;
    text->is_manifest = manifest_read(shown.text, bytes, length, &text->manifest, &found) == STATUS_OK;
    if (text->is_manifest) return STATUS_OK;
    manifest_free(&text->manifest);
    return unreadable(former, text, found.message, fault);
}

/* ---- the judgement ---- */

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
    struct path path;
    for (size_t i = 0; i < text->manifest.file_count; i++)
        if (name_set_has(&former->own, beside(text->name, last_part(text->manifest.files[i].name), &path)))
            return true;
    return text->own;
}

/* Who is called after what: by all that goes, by all that stays. */
static bool note_names(struct judgement *judgement, const struct former_text *text)
{
    struct former *const former = judgement->former;
    struct bases *const bases = text->goes ? &judgement->gone : &judgement->stay;
    struct name_set *const named = text->goes ? &judgement->gone_named : &judgement->stay_named;
    struct path path;
    bool good = add_base(former, bases, text->stands_for) && name_set_add(&judgement->texts, text->name);
    for (size_t i = 0; i < text->manifest.file_count && good; i++) {
        const char *const part = last_part(text->manifest.files[i].name);
        if (!is_plain(part)) continue;
        beside(text->name, part, &path);
        good = keep(former, named, path.text) && add_base(former, bases, path.text);
    }
    return good;
}

/* The plain name that is left without a prefix of the job. NULL: it does not lie beside its manifest. */
static const char *without_prefix(const struct former_rules *rules, const char *named)
{
    if (rules->prefix_count == 0) return is_plain(named) ? named : NULL;
    for (size_t i = 0; i < rules->prefix_count; i++) {
        size_t const length = strlen(rules->prefixes[i]);
        if (strncmp(named, rules->prefixes[i], length) == 0 && is_plain(named + length))
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
    struct path path;
    for (size_t i = 0; i < text->manifest.file_count; i++) {
        const char *const named = text->manifest.files[i].name;
        const char *const part = without_prefix(former->rules, named);
        beside(text->name, part == NULL ? last_part(named) : part, &path);
        if (name_set_has(&former->own, path.text)) continue;
        if (part == NULL && elsewhere++ == 0) first = named;
        if (part == NULL || name_set_has(&judgement->stay_named, path.text) ||
            name_set_has(&judgement->texts, path.text))
            continue;
        if (!keep(former, &judgement->surplus, path.text)) return false;
    }
    char shown[OUTPUT_TEXT_PRINTABLE];
    if (elsewhere != 0)
        warn(former,
             "%s: is replaced; it named data files that this run does not write and that do not lie beside "
             "it by "
             "the job's pega.path_prefix: they are left where they are (%zu: %s, ...)",
             show(former, text->name).text, elsewhere, output_text_printable(first, shown, sizeof shown));
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
        good = note_names(judgement, &former->texts[i]);
    for (size_t i = 0; i < former->text_count && good; i++)
        if (former->texts[i].goes) good = find_surplus(judgement, &former->texts[i]);
    return good && list_all(judgement);
}

enum status former_judge(struct former *former, struct fault *fault)
{
    struct judgement judgement = {.former = former};
    bool const good = judge(&judgement);
    judgement_free(&judgement);
    return good ? STATUS_OK : no_memory(fault);
}
