/* options_value.c - reads the values of flags and environment variables. Pure: no state, reentrant.
 *
 * Messages quote at most OPTIONS_QUOTE_MAX bytes of a value: enough to recognise it. */
#include "io/cli/options_value.h"

#include "core/csv/timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OPTIONS_QUOTE_MAX 200
#define QUOTED            "'%.*s'"
#define QUOTE(text)       OPTIONS_QUOTE_MAX, (text)

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static enum status read_switch(const char *label, const char *text, struct options_value *value,
                               struct fault *fault)
{
    if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
        return fault_set(fault, STATUS_USAGE, "%s: " QUOTED " is not a switch; allowed: 1 or 0", label,
                         QUOTE(text));
    value->number = text[0] == '1';
    return STATUS_OK;
}

static enum status read_text(const char *label, const char *text, struct fault *fault)
{
    /* user:password@ in a URL would be seen by everyone who lists processes; the message must not repeat it.
     */
    const char *authority = strstr(text, "://");
    if (authority == NULL) return STATUS_OK;
    authority += 3;
    if (memchr(authority, '@', strcspn(authority, "/?#")) == NULL) return STATUS_OK;
    return fault_set(
        fault, STATUS_USAGE,
        "%s: the URL holds credentials, which are never taken from the command line; leave out what "
        "stands before the '@'",
        label);
}

static enum status read_number(const struct option_row *row, const char *label, const char *text,
                               struct options_value *value, struct fault *fault)
{
    uint64_t number = 0;
    bool fine = text[0] != '\0';
    for (const char *at = text; fine && *at != '\0'; at++) {
        fine = is_digit(*at) && number <= (row->most - (uint64_t)(is_digit(*at) ? *at - '0' : 0)) / 10;
        if (fine) number = number * 10 + (uint64_t)(*at - '0');
    }
    if (!fine || number < row->least)
        return fault_set(fault, STATUS_USAGE,
                         "%s: " QUOTED " is not allowed; allowed: a whole number from %" PRIu64
                         " to %" PRIu64,
                         label, QUOTE(text), row->least, row->most);
    value->number = number;
    return STATUS_OK;
}

static enum status read_size(const struct option_row *row, const char *label, const char *text,
                             struct options_value *value, struct fault *fault)
{
    if (!job_parse_size(text, &value->number))
        return fault_set(fault, STATUS_USAGE,
                         "%s: " QUOTED
                         " is not a size; allowed: bytes, or a number with B, KB, MB, GB, TB, KiB, "
                         "MiB, GiB or TiB, such as 512MiB",
                         label, QUOTE(text));
    if (value->number < row->least || value->number > row->most)
        return fault_set(fault, STATUS_USAGE,
                         "%s: " QUOTED " is out of range; allowed: %" PRIu64 " to %" PRIu64 " bytes", label,
                         QUOTE(text), row->least, row->most);
    return STATUS_OK;
}

static enum status read_budget(const char *label, const char *text, struct options_value *value,
                               struct fault *fault)
{
    if (job_parse_budget(text, &value->budget)) return STATUS_OK;
    return fault_set(fault, STATUS_USAGE,
                     "%s: " QUOTED
                     " is not allowed; allowed: a number of records such as 1000, or a share of the "
                     "input such as 0.5%%",
                     label, QUOTE(text));
}

/* Digits and one unit. */
static enum status read_age(const struct option_row *row, const char *label, const char *text,
                            struct options_value *value, struct fault *fault)
{
    static const char units[] = "smhd";
    static const uint64_t seconds[] = {1, 60, 60 * 60, 24 * 60 * 60};
    size_t const digits = strspn(text, "0123456789");
    const char *const unit = text[digits] == '\0' ? NULL : strchr(units, text[digits]);
    if (digits == 0 || unit == NULL || text[digits + 1] != '\0')
        return fault_set(fault, STATUS_USAGE,
                         "%s: " QUOTED
                         " is not an age; allowed: a whole number with s, m, h or d, such as 90m, 36h or 7d",
                         label, QUOTE(text));
    uint64_t const scale = seconds[unit - units];
    for (size_t i = 0; i < digits && value->number <= row->most; i++)
        value->number = value->number * 10 + (uint64_t)(text[i] - '0');
    if (value->number > row->most / scale || value->number * scale < row->least)
        return fault_set(fault, STATUS_USAGE,
                         "%s: " QUOTED " is out of range; allowed: %" PRIu64 "s to %" PRIu64 "d", label,
                         QUOTE(text), row->least, row->most / seconds[3]);
    value->number *= scale;
    return STATUS_OK;
}

/* RFC 3339 section 5.6, which is stricter than what timestamp.h reads of the data: full date, T or blank,
 * full time, zone with a colon. Field ranges are timestamp.h's. */
static bool is_rfc3339(const char *text)
{
    static const char shape[] = "0000-00-00T00:00:00";
    for (size_t i = 0; shape[i] != '\0'; i++) {
        if (shape[i] == '0' && !is_digit(text[i])) return false;
        if (shape[i] == 'T' && strchr("Tt ", text[i]) == NULL) return false;
        if (strchr("-:", shape[i]) != NULL && text[i] != shape[i]) return false;
        if (text[i] == '\0') return false; /* strchr() finds the terminator too */
    }
    const char *at = text + sizeof shape - 1;
    if (*at == '.') {
        at++;
        if (!is_digit(*at)) return false;
        while (is_digit(*at))
            at++;
    }
    if (*at == 'Z' || *at == 'z') return at[1] == '\0';
    return (*at == '+' || *at == '-') && is_digit(at[1]) && is_digit(at[2]) && at[3] == ':' &&
           is_digit(at[4]) && is_digit(at[5]) && at[6] == '\0';
}

static enum status read_time(const char *label, const char *text, struct options_value *value,
                             struct fault *fault)
{
    if (is_rfc3339(text) && timestamp_from_text(text, strlen(text), &value->time)) return STATUS_OK;
    return fault_set(fault, STATUS_USAGE,
                     "%s: " QUOTED
                     " is not a time; allowed: RFC 3339 with its zone, such as 2026-11-22T03:00:00Z "
                     "or 2026-11-22T04:00:00+01:00",
                     label, QUOTE(text));
}

/* The id becomes part of file names: "." and ".." alone would name folders where a job's file name is the id.
 */
static enum status read_run_id(const char *label, const char *text, struct fault *fault)
{
    size_t const length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    bool const folder = strcmp(text, ".") == 0 || strcmp(text, "..") == 0;
    if (text[length] == '\0' && length >= 1 && length <= OPTIONS_RUN_ID_MAX && !folder) return STATUS_OK;
    return fault_set(fault, STATUS_USAGE,
                     "%s: " QUOTED
                     " is not a run id; allowed: 1 to %d letters, digits, '.', '_' and '-', but not "
                     "'.' or '..'",
                     label, QUOTE(text), OPTIONS_RUN_ID_MAX);
}

/* "|bar|plain|" holds the word? */
static bool comes_later(const char *support, const char *word, size_t length)
{
    for (const char *at = strchr(support, '|'); at != NULL; at = strchr(at + 1, '|'))
        if (strncmp(at + 1, word, length) == 0 && at[1 + length] == '|') return true;
    return false;
}

void options_value_words(const struct option_row *row, bool later, const char *separator,
                         char list[OPTIONS_WORDS_MAX])
{
    size_t used = 0;
    list[0] = '\0';
    for (const char *word = row->argument; *word != '\0';) {
        size_t const length = strcspn(word, "|");
        if (comes_later(row->support, word, length) == later && used < OPTIONS_WORDS_MAX)
            used += (size_t)snprintf(list + used, OPTIONS_WORDS_MAX - used, "%s%.*s",
                                     used == 0 ? "" : separator, (int)length, word);
        word += length + (word[length] == '|');
    }
}

static enum status read_choice(const struct option_row *row, const char *label, const char *text,
                               struct options_value *value, struct fault *fault)
{
    char list[OPTIONS_WORDS_MAX];
    options_value_words(row, false, ", ", list);
    size_t const length = strlen(text);
    uint64_t place = 0;
    for (const char *word = row->argument; *word != '\0'; place++) {
        size_t const word_length = strcspn(word, "|");
        if (word_length == length && memcmp(word, text, length) == 0) {
            value->number = place;
            if (!comes_later(row->support, word, word_length)) return STATUS_OK;
            return fault_set(fault, STATUS_USAGE,
                             "%s: '%s' is not supported yet in this version; supported: %s", label, text,
                             list);
        }
        word += word_length + (word[word_length] == '|');
    }
    return fault_set(fault, STATUS_USAGE, "%s: " QUOTED " is not allowed; allowed: %s", label, QUOTE(text),
                     list);
}

static enum status read_column(const char *label, const char *text, struct fault *fault)
{
    const char *const equals = strchr(text, '=');
    if (equals != NULL && equals != text && equals[1] != '\0') return STATUS_OK;
    return fault_set(fault, STATUS_USAGE,
                     "%s: " QUOTED
                     " is not a column; allowed: NAME=PATH, such as Email=personalEmail.address",
                     label, QUOTE(text));
}

enum status options_value_read(const struct option_row *row, const char *label, const char *text,
                               struct options_value *value, struct fault *fault)
{
    memset(value, 0, sizeof *value);
    value->text = text;
    if (text[0] == '\0')
        return fault_set(fault, STATUS_USAGE, "%s: the value is empty; give one (%s) or leave it out", label,
                         row->argument[0] != '\0' ? row->argument : "1 or 0");
    switch (row->kind) {
    case OPTION_KIND_SWITCH: return read_switch(label, text, value, fault);
    case OPTION_KIND_TEXT: return read_text(label, text, fault);
    case OPTION_KIND_NUMBER: return read_number(row, label, text, value, fault);
    case OPTION_KIND_SIZE: return read_size(row, label, text, value, fault);
    case OPTION_KIND_BUDGET: return read_budget(label, text, value, fault);
    case OPTION_KIND_TIME: return read_time(label, text, value, fault);
    case OPTION_KIND_AGE: return read_age(row, label, text, value, fault);
    case OPTION_KIND_RUN_ID: return read_run_id(label, text, fault);
    case OPTION_KIND_CHOICE: return read_choice(row, label, text, value, fault);
    case OPTION_KIND_COLUMN: return read_column(label, text, fault);
    case OPTION_KIND_HELP:
    case OPTION_KIND_VERSION: break;
    }
    return fault_set(fault, STATUS_INTERNAL, "%s: a flag without a value was given one", label);
}
