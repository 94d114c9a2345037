/* file_name.c - expands files.name and makes temporary names. Pure; any thread; owns nothing. */
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

enum status file_name_check(const char *name, const char *run_id, struct fault *fault)
{
    enum status const status = check_run_id(run_id, fault);
    if (status != STATUS_OK) return status;
    char shown[OUTPUT_TEXT_PRINTABLE];
    output_text_printable(name, shown, sizeof shown);
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return fault_set(fault, STATUS_JOB, "files.name: gives \"%s\", which can't be the name of a file",
                         shown);
    if (has_control_or_slash(name))
        return fault_set(
            fault, STATUS_JOB,
            "files.name: gives \"%s\": \"/\" and control characters are not allowed; folders belong to "
            "destination.url",
            shown);
    size_t const most = file_name_bytes_max(run_id);
    if (strlen(name) > most)
        return fault_set(
            fault, STATUS_JOB,
            "files.name: gives a name of %zu bytes: \"%s\"; at most %zu are allowed (%u less what the "
            "temporary name adds): shorten files.name or name",
            strlen(name), shown, most, FILE_NAME_BYTES_MAX);
    return STATUS_OK;
}

/* A text that grows up to FILE_NAME_SIZE and counts on beyond. */
struct expansion {
    char *out;
    size_t length; /* wanted; the text is cut at FILE_NAME_BYTES_MAX */
};

static void append(struct expansion *expansion, const char *text, size_t length)
{
    if (expansion->length < FILE_NAME_BYTES_MAX) {
        size_t const room = FILE_NAME_BYTES_MAX - expansion->length;
        size_t const copied = length < room ? length : room;
        memcpy(expansion->out + expansion->length, text, copied);
        expansion->out[expansion->length + copied] = '\0';
    }
    expansion->length += length;
}

static bool is_name(const char *text, size_t length, const char *name)
{
    return strlen(name) == length && memcmp(text, name, length) == 0;
}

/* Appends the value of one placeholder, given without its braces. */
static enum status append_value(struct expansion *expansion, const char *text, size_t length,
                                const struct file_name_values *values, struct fault *fault)
{
    char shown[FILE_NAME_TIME_SIZE];
    const char *value = shown;
    if (is_name(text, length, "name")) {
        value = values->name;
    } else if (is_name(text, length, "run_id")) {
        value = values->run_id;
    } else if (is_name(text, length, "run_time")) {
        file_name_write_time(values->run_time, shown);
    } else if (is_name(text, length, "part")) {
        snprintf(shown, sizeof shown, "%04u", (unsigned)values->part);
    } else if (is_name(text, length, "segment_id") || is_name(text, length, "segment_name")) {
        return fault_set(fault, STATUS_JOB, "files.name: {%.*s} is not supported by this version",
                         (int)length, text);
    } else {
        char name[FILE_NAME_SIZE];
        size_t const cut = length < sizeof name ? length : sizeof name - 1;
        memcpy(name, text, cut);
        name[cut] = '\0';
        char printable[OUTPUT_TEXT_PRINTABLE];
        return fault_set(
            fault, STATUS_JOB,
            "files.name: unknown placeholder {%s}: {name}, {run_time}, {run_id} and {part} are allowed",
            output_text_printable(name, printable, sizeof printable));
    }
    append(expansion, value, strlen(value));
    return STATUS_OK;
}

enum status file_name_expand(const char *pattern, const struct file_name_values *values,
                             char out[FILE_NAME_SIZE], struct fault *fault)
{
    enum status status = check_run_id(values->run_id, fault);
    struct expansion expansion = {.out = out, .length = 0};
    out[0] = '\0';
    while (status == STATUS_OK && *pattern != '\0') {
        size_t const plain = strcspn(pattern, "{}");
        append(&expansion, pattern, plain);
        pattern += plain;
        if (*pattern == '\0') break;
        size_t const inside = *pattern == '{' ? strcspn(pattern + 1, "{}") : 0;
        if (*pattern != '{' || pattern[1 + inside] != '}')
            return fault_set(fault, STATUS_JOB,
                             "files.name: a \"%c\" without its partner: braces are for placeholders only",
                             *pattern);
        status = append_value(&expansion, pattern + 1, inside, values, fault);
        pattern += inside + 2;
    }
    if (status != STATUS_OK) return status;
    if (expansion.length > FILE_NAME_BYTES_MAX) {
        char shown[OUTPUT_TEXT_PRINTABLE];
        return fault_set(
            fault, STATUS_JOB,
            "files.name: gives a name of %zu bytes that begins \"%s\"; at most %zu are allowed (%u less "
            "what the temporary name adds): shorten files.name or name",
            expansion.length, output_text_printable(out, shown, sizeof shown),
            file_name_bytes_max(values->run_id), FILE_NAME_BYTES_MAX);
    }
    return file_name_check(out, values->run_id, fault);
}

/* The parts were checked: what they make fits. */
static void surround(const char *name, const char *run_id, const char *suffix, char out[FILE_NAME_SIZE])
{
    struct expansion expansion = {.out = out, .length = 0};
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
