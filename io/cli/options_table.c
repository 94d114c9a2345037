/* options_table.c - the table of options.def in memory, and what can be asked of it. Pure: constant data
 * only. */
#include "io/cli/options.h"

#include <stdio.h>
#include <string.h>

#define NOW    "now"
#define LATER  "later"
#define ENV    true
#define NO_ENV false
/* Longest name that suggestions look at; every name of the table is shorter. */
#define SUGGEST_MAX 32

static const struct command_row command_rows[COMMAND_COUNT] = {
    {0, "", NOW, "", ""},
#define COMMAND(id, ...) {__VA_ARGS__},
#include "io/cli/options.def"
#undef COMMAND
};

static const struct option_row option_rows[OPTION_COUNT] = {
#define OPTION(id, name, letter, kind, ...) {name, letter, OPTION_KIND_##kind, __VA_ARGS__},
#include "io/cli/options.def"
#undef OPTION
};

const struct option_row *options_row(enum option_id id)
{
    return &option_rows[id];
}

const struct command_row *options_command(enum command command)
{
    return &command_rows[command];
}

bool options_belongs(enum option_id id, enum command command)
{
    return command != COMMAND_NONE && strchr(option_rows[id].commands, command_rows[command].letter) != NULL;
}

bool options_later(enum option_id id)
{
    return strcmp(option_rows[id].support, LATER) == 0;
}

bool options_command_later(enum command command)
{
    return strcmp(command_rows[command].support, LATER) == 0;
}

void options_variable(enum option_id id, char name[OPTIONS_VARIABLE_MAX])
{
    int const length = snprintf(name, OPTIONS_VARIABLE_MAX, "PENSTOCK_%s", option_rows[id].name);
    for (int i = 0; i < length && i < OPTIONS_VARIABLE_MAX - 1; i++) {
        if (name[i] == '-') name[i] = '_';
        if (name[i] >= 'a' && name[i] <= 'z') name[i] = (char)(name[i] - 'a' + 'A');
    }
}

enum command options_find_command(const char *name)
{
    for (int i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++)
        if (strcmp(command_rows[i].name, name) == 0) return (enum command)i;
    return COMMAND_NONE;
}

static size_t least_of(size_t a, size_t b, size_t c)
{
    size_t const ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Levenshtein distance; a name that continues what was typed counts as one step away. */
static size_t distance(const char *typed, size_t length, const char *name)
{
    size_t const name_length = strlen(name);
    if (length >= 3 && length < name_length && memcmp(typed, name, length) == 0) return 1;
    size_t row[SUGGEST_MAX + 1];
    for (size_t j = 0; j <= name_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= name_length; j++) {
            size_t const above = row[j];
            row[j] = least_of(above + 1, row[j - 1] + 1, diagonal + (typed[i - 1] != name[j - 1]));
            diagonal = above;
        }
    }
    return row[name_length];
}

/* Close enough to be a slip: one step in three letters, at least one. Keeps the best in *best and *name. */
static void consider(const char *typed, size_t length, const char *candidate, size_t *best, const char **name)
{
    if (length > SUGGEST_MAX || strlen(candidate) > SUGGEST_MAX) return;
    size_t const steps = distance(typed, length, candidate);
    if (steps > (length < 6 ? 1 : length / 3) || steps >= *best) return;
    *best = steps;
    *name = candidate;
}

const char *options_nearest_command(const char *typed)
{
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (int i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++)
        consider(typed, strlen(typed), command_rows[i].name, &best, &nearest);
    return nearest;
}

const char *options_nearest_flag(enum command command, const char *typed, size_t length)
{
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (int i = 0; i < OPTION_COUNT; i++)
        if (options_belongs((enum option_id)i, command))
            consider(typed, length, option_rows[i].name, &best, &nearest);
    return nearest;
}
