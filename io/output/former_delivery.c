/* former_delivery.c - names and texts of what stands there; former_judge.c judges them. Thread: one. Owns
 * copies of names in its arena, and the manifests. */
#include "io/output/former_delivery.h"

#include "io/output/former_inside.h"
#include "io/output/output_path.h"
#include "io/output/output_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The extension of most manifests. */
#define USUAL_EXTENSION ".xml"

/* Of files that hold rows, plain and compressed: there may be many, and large ones. No manifest is called so
 * unless it is the run's own. */
static const char *const data_like[] = {".csv",     ".tsv", ".gz",   ".zst",  ".bz2",   ".zip",
                                        ".parquet", ".orc", ".avro", ".json", ".jsonl", ".ndjson"};

enum status former_no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_IO, "no memory left to look for former deliveries");
}

void former_warn(const struct former *former, const char *format, ...)
{
    char message[FAULT_MESSAGE_MAX];
    va_list arguments;
    if (former->rules->warn == NULL) return;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    former->rules->warn(former->rules->warn_context, message);
}

struct former_shown former_show(const struct former *former, const char *name)
{
    struct former_shown shown;
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
    name_set_free(&former->data_extensions);
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

const char *former_beside(const char *of, const char *name, struct former_path *path)
{
    size_t const folders = output_path_folders(of);
    memcpy(path->text, of, folders);
    memcpy(path->text + folders, name, strlen(name) + 1);
    return path->text;
}

bool former_keep(struct former *former, struct name_set *set, const char *name)
{
    const char *const kept = arena_text(&former->arena, name, strlen(name));
    return kept != NULL && name_set_add(set, kept);
}

bool former_is_plain(const char *name)
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
    bool good = former_keep(former, &former->own, name) &&
                add_other(former, &former->folders, name, output_path_folders(name));
    if (good && stage == SINK_DATA) good = add_other(former, &former->data_extensions, found, strlen(found));
    if (good && stage == SINK_MANIFEST)
        good = former_keep(former, &former->own_manifests, name) &&
               add_other(former, &former->extensions, found, strlen(found));
    return good ? STATUS_OK : former_no_memory(fault);
}

/* ---- what stands there ---- */

static bool is_usual(struct former *former, const char *name)
{
    const char *const found = extension(name);
    if (strcasecmp(found, USUAL_EXTENSION) == 0) return true;
    return found[0] != '\0' && name_set_has(&former->extensions, found);
}

static bool may_be_manifest(struct former *former, const char *name)
{
    const char *const found = extension(name);
    if (found[0] == '\0' || is_usual(former, name)) return true;
    for (size_t i = 0; i < sizeof data_like / sizeof *data_like; i++)
        if (strcasecmp(found, data_like[i]) == 0) return false;
    return !name_set_has(&former->data_extensions, found);
}

static enum status add_text(struct former *former, const char *name, const char *stands_for, uint64_t size,
                            struct fault *fault)
{
    if (former->text_count == former->text_room) {
        size_t const room = former->text_room == 0 ? 8 : 2 * former->text_room;
        struct former_text *const texts = reallocarray(former->texts, room, sizeof *texts);
        if (texts == NULL) return former_no_memory(fault);
        former->texts = texts;
        former->text_room = room;
    }
    const char *const kept = arena_text(&former->arena, name, strlen(name));
    bool const aside = strcmp(name, stands_for) != 0;
    const char *const was = aside ? arena_text(&former->arena, stands_for, strlen(stands_for)) : kept;
    if (kept == NULL || was == NULL) return former_no_memory(fault);
    former->texts[former->text_count++] =
        (struct former_text){.name = kept,
                             .stands_for = was,
                             .size = size,
                             .own = name_set_has(&former->own_manifests, was),
                             .usual = is_usual(former, was),
                             .aside = aside};
    return STATUS_OK;
}

/* `path` holds NAME.RUNID: where may NAME end, the last such place before `end`? NULL: nowhere. */
static char *split_before(char *name, char *end)
{
    for (char *dot = end - 1; dot > name; dot--) {
        char id[FILE_NAME_RUN_ID_MAX + 1];
        int const length = *dot != '.' ? 0 : snprintf(id, sizeof id, "%s", dot + 1);
        if (length > (int)FILE_NAME_RUN_ID_MAX) return NULL;
        if (length > 0 && file_name_run_id_valid(id)) return dot;
    }
    return NULL;
}

/* NAME of .NAME.RUNID.old, with its folders, as the header has it. False: it is none. */
static bool was_called(struct former *former, const char *name, struct former_path *path)
{
    static const char end[] = ".old";
    size_t const folders = output_path_folders(name), length = strlen(bare(name));
    if (name[folders] != '.' || length <= sizeof end || length > FILE_NAME_BYTES_MAX) return false;
    if (strcmp(name + folders + length - strlen(end), end) != 0) return false;
    former_beside(name, bare(name) + 1, path);
    char *const text = path->text + folders, *const last = text + length - 1 - strlen(end);
    *last = '\0';
    if (!former_is_plain(text)) return false;
    char *const longest = split_before(text, last);
    if (longest == NULL) return false;
    char *found = longest;
    for (char *dot = longest; dot != NULL; dot = split_before(text, dot)) {
        *dot = '\0';
        bool const usual = is_usual(former, path->text);
        *dot = '.';
        if (!usual) continue;
        found = dot;
        break;
    }
    *found = '\0';
    return true;
}

static enum status too_many(const struct former *former, struct fault *fault)
{
    return fault_set(
        fault, STATUS_JOB,
        "%s: there are more than %u files that may be manifests, and empty ones, too many to find those of "
        "former deliveries (if_exists: replace): remove old ones, or give another destination",
        former_show(former, "").text, FORMER_NAMES_MAX);
}

/* Whatever it was called: a run id may look like the end of a data file's name. Its first bytes will tell. */
static enum status see_hidden(struct former *former, const char *name, uint64_t size, struct fault *fault)
{
    struct former_path path;
    if (size == 0 || !was_called(former, name, &path)) return STATUS_OK;
    if (former->text_count + former->empty.count >= FORMER_NAMES_MAX) return too_many(former, fault);
    former->aside_seen = true;
    return add_text(former, name, path.text, size, fault);
}

enum status former_seen(struct former *former, const char *name, uint64_t size, struct fault *fault)
{
    if (bare(name)[0] == '.') return see_hidden(former, name, size, fault);
    if (!former_is_plain(bare(name))) return STATUS_OK;
    if (name_set_has(&former->own, name)) {
        former->own_seen = true;
        if (size == 0 || !name_set_has(&former->own_manifests, name)) return STATUS_OK;
        return add_text(former, name, name, size, fault);
    }
    if (size > 0 && !may_be_manifest(former, name)) return STATUS_OK;
    if (former->text_count + former->empty.count >= FORMER_NAMES_MAX) return too_many(former, fault);
    if (size > 0) return add_text(former, name, name, size, fault);
    return former_keep(former, &former->empty, name) ? STATUS_OK : former_no_memory(fault);
}

/* ---- texts ---- */

bool former_wants_texts(const struct former *former)
{
    return former->own_seen || former->aside_seen || !former->rules->fresh_names;
}

bool former_wants_head(const struct former_text *text)
{
    return !text->own && text->size > FORMER_HEAD_MAX && text->size <= FORMER_TEXT_MAX;
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
    former_warn(
        former,
        "%s; the former manifest can't be read, so data files that it named and this run does not write are "
        "left where they are",
        why);
    return STATUS_OK;
}

/* Nothing at all is in it: no manifest that was cut off. */
static bool is_blank(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != ' ' && (bytes[i] < '\t' || bytes[i] > '\r')) return false;
    return true;
}

enum status former_take(struct former *former, struct former_text *text, const uint8_t *bytes, size_t length,
                        struct fault *fault)
{
    struct former_shown const shown = former_show(former, text->name);
    char why[FAULT_MESSAGE_MAX];
    struct fault found;
    if (is_blank(bytes, length) || !manifest_may_be(bytes, length)) {
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
    text->is_manifest = manifest_read_names(shown.text, bytes, length, &text->manifest, &found) == STATUS_OK;
    if (text->is_manifest) return STATUS_OK;
    manifest_free(&text->manifest);
    return unreadable(former, text, found.message, fault);
}
