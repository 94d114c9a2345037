/* file_name.c - expands patterns and makes temporary names. Pure; any thread; owns nothing. */
#include "io/output/file_name.h"

#include "core/csv/timestamp.h"
#include "io/output/output_text.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

_Static_assert(FILE_NAME_BYTES_MAX == NAME_MAX, "a name of a directory entry");
_Static_assert(FILE_NAME_RUN_ID_MAX + FILE_NAME_TEMPORARY_EXTRA < FILE_NAME_BYTES_MAX, "room for a name");

bool file_name_run_id_valid(const char *run_id)
{
    size_t const length = strspn(run_id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    bool const is_folder = strcmp(run_id, ".") == 0 || strcmp(run_id, "..") == 0;
    return run_id[length] == '\0' && length >= 1 && length <= FILE_NAME_RUN_ID_MAX && !is_folder;
}

size_t file_name_bytes_max(const char *run_id)
{
    return FILE_NAME_BYTES_MAX - FILE_NAME_TEMPORARY_EXTRA - strlen(run_id);
}

static enum status check_run_id(const char *run_id, struct fault *fault)
{
    if (file_name_run_id_valid(run_id)) return STATUS_OK;
    char shown[OUTPUT_TEXT_PRINTABLE];
    return fault_set(
        fault, STATUS_USAGE,
        "--run-id %s: not allowed: 1 to %u letters, digits, '.', '_' and '-', but not '.' or '..'",
        output_text_printable(run_id, shown, sizeof shown), FILE_NAME_RUN_ID_MAX);
}

static bool has_control_or_slash(const char *name)
{
    for (; *name != '\0'; name++)
        if (*name == '/' || (unsigned char)*name < 0x20 || *name == 0x7F) return true;
    return false;
}

static enum status check_name(const char *key, const char *name, const char *run_id, struct fault *fault)
{
    char shown[OUTPUT_TEXT_PRINTABLE];
    output_text_printable(name, shown, sizeof shown);
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return fault_set(fault, STATUS_JOB, "%s: gives \"%s\", which can't be the name of a file", key,
                         shown);
    if (has_control_or_slash(name))
        return fault_set(fault, STATUS_JOB,
                         "%s: gives \"%s\": \"/\" and control characters are not allowed; folders belong to "
                         "destination.url",
                         key, shown);
    size_t const most = file_name_bytes_max(run_id);
    if (strlen(name) > most)
        return fault_set(fault, STATUS_JOB,
                         "%s: gives a name of %zu bytes: \"%s\"; at most %zu are allowed (%u less what the "
                         "temporary name adds): shorten %s or name",
                         key, strlen(name), shown, most, FILE_NAME_BYTES_MAX, key);
    return STATUS_OK;
}

enum status file_name_check(const char *name, const char *run_id, struct fault *fault)
{
    enum status const status = check_run_id(run_id, fault);
    return status == STATUS_OK ? check_name("files.name", name, run_id, fault) : status;
}

/* A text that grows up to its size and counts on beyond. */
struct expansion {
    char *out;
    size_t size;   /* terminator included */
    size_t length; /* wanted; the text is cut at `size` */
};

static void append(struct expansion *expansion, const char *text, size_t length)
{
    if (expansion->length < expansion->size - 1) {
        size_t const room = expansion->size - 1 - expansion->length;
        size_t const copied = length < room ? length : room;
        memcpy(expansion->out + expansion->length, text, copied);
        expansion->out[expansion->length + copied] = '\0';
    }
    expansion->length += length;
}

/* Values of the placeholders, those of a run made text. */
struct placeholder {
    const char *name;
    const char *value; /* NULL: has none here */
};
enum { PLACEHOLDERS = 6 };

struct placeholders {
    struct placeholder list[PLACEHOLDERS];
    char time[FILE_NAME_TIME_SIZE];
    char part[sizeof "4294967295"];
};

static void fill(struct placeholders *all, const struct file_name_values *values)
{
    file_name_write_time(values->run_time, all->time);
    snprintf(all->part, sizeof all->part, "%04u", (unsigned)values->part);
    const char *const name = values->segment_name != NULL ? values->segment_name : values->segment_id;
    struct placeholder const list[PLACEHOLDERS] = {
        {"{name}", values->name},
        {"{run_time}", all->time},
        {"{run_id}", values->run_id},
        {"{part}", values->part == 0 ? NULL : all->part},
        {"{segment_id}", values->segment_id},
        {"{segment_name}", values->segment_id == NULL ? NULL : name}};
    memcpy(all->list, list, sizeof list);
}

static enum status unknown_placeholder(const char *key, const char *text, size_t length,
                                       const struct placeholders *all, struct fault *fault)
{
    char name[FILE_NAME_SIZE], printable[OUTPUT_TEXT_PRINTABLE], allowed[128] = "";
    size_t const cut = length < sizeof name ? length : sizeof name - 1;
    memcpy(name, text, cut);
    name[cut] = '\0';
    for (size_t i = 0, used = 0; i < PLACEHOLDERS; i++)
        if (all->list[i].value != NULL)
            used += (size_t)snprintf(allowed + used, sizeof allowed - used, " %s", all->list[i].name);
    return fault_set(fault, STATUS_JOB, "%s: unknown placeholder %s; allowed are%s", key,
                     output_text_printable(name, printable, sizeof printable), allowed);
}

/* Appends the value of one placeholder, given with its braces. */
static enum status append_value(struct expansion *expansion, const char *key, const char *text, size_t length,
                                const struct placeholders *all, struct fault *fault)
{
    for (size_t i = 0; i < PLACEHOLDERS; i++) {
        const struct placeholder *const one = &all->list[i];
        if (one->value == NULL || strlen(one->name) != length || memcmp(one->name, text, length) != 0)
            continue;
        append(expansion, one->value, strlen(one->value));
        return STATUS_OK;
    }
    return unknown_placeholder(key, text, length, all, fault);
}

static enum status expand(struct expansion *expansion, const char *key, const char *text,
                          const struct file_name_values *values, struct fault *fault)
{
    struct placeholders all;
    fill(&all, values);
    expansion->out[0] = '\0';
    while (*text != '\0') {
        size_t const plain = strcspn(text, "{}");
        append(expansion, text, plain);
        text += plain;
        if (*text == '\0') break;
        size_t const inside = *text == '{' ? strcspn(text + 1, "{}") : 0;
        if (*text != '{' || text[1 + inside] != '}')
            return fault_set(fault, STATUS_JOB,
                             "%s: a \"%c\" without its partner: braces are for placeholders only", key,
                             *text);
        enum status const status = append_value(expansion, key, text, inside + 2, &all, fault);
        if (status != STATUS_OK) return status;
        text += inside + 2;
    }
    return STATUS_OK;
}

enum status file_name_expand(const struct file_name_pattern *pattern, const struct file_name_values *values,
                             char out[FILE_NAME_SIZE], struct fault *fault)
{
    struct expansion expansion = {.out = out, .size = FILE_NAME_SIZE};
    enum status status = check_run_id(values->run_id, fault);
    if (status == STATUS_OK) status = expand(&expansion, pattern->key, pattern->text, values, fault);
    if (status != STATUS_OK) return status;
    if (expansion.length > 0) append(&expansion, pattern->suffix, strlen(pattern->suffix));
    if (expansion.length > FILE_NAME_BYTES_MAX) {
        char shown[OUTPUT_TEXT_PRINTABLE];
        return fault_set(
            fault, STATUS_JOB,
            "%s: gives a name of %zu bytes that begins \"%s\"; at most %zu are allowed (%u less what the "
            "temporary name adds): shorten %s or name",
            pattern->key, expansion.length, output_text_printable(out, shown, sizeof shown),
            file_name_bytes_max(values->run_id), FILE_NAME_BYTES_MAX, pattern->key);
    }
    return check_name(pattern->key, out, values->run_id, fault);
}

enum status file_name_expand_text(const char *key, const char *text, const struct file_name_values *values,
                                  char *out, size_t size, struct fault *fault)
{
    struct expansion expansion = {.out = out, .size = size};
    enum status const status = expand(&expansion, key, text, values, fault);
    if (status != STATUS_OK || expansion.length < size) return status;
    return fault_set(fault, STATUS_JOB, "%s: gives a text of %zu bytes; at most %zu are allowed", key,
                     expansion.length, size - 1);
}

/* The parts were checked: what they make fits. */
static void surround(const char *name, const char *run_id, const char *suffix, char out[FILE_NAME_SIZE])
{
    struct expansion expansion = {.out = out, .size = FILE_NAME_SIZE};
    append(&expansion, ".", 1);
    append(&expansion, name, strlen(name));
    append(&expansion, ".", 1);
    append(&expansion, run_id, strlen(run_id));
    append(&expansion, suffix, strlen(suffix));
}

void file_name_temporary(const char *name, const char *run_id, char out[FILE_NAME_SIZE])
{
    surround(name, run_id, ".tmp", out);
}

void file_name_old(const char *name, const char *run_id, char out[FILE_NAME_SIZE])
{
    surround(name, run_id, ".old", out);
}

void file_name_write_time(int64_t seconds, char out[FILE_NAME_TIME_SIZE])
{
    char text[TIMESTAMP_TEXT_LENGTH + 1] = {0};
    timestamp_write(seconds, text); /* yyyy-MM-dd HH:mm:ss */
    snprintf(out, FILE_NAME_TIME_SIZE, "%.4s%.2s%.2sT%.2s%.2s%.2sZ", text, text + 5, text + 8, text + 11,
             text + 14, text + 17);
}
