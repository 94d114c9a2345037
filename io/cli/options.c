/* options.c - the command line, then the environment, over the table of options.def.
 * Thread rule: main thread. Owns nothing but what it puts into the options' arena. */
#include "io/cli/options.h"

#include "io/cli/options_rules.h"
#include "io/cli/options_value.h"

#include <stdio.h>
#include <string.h>

/* "environment variable " and the variable, or two dashes and a name. */
#define LABEL_MAX (OPTIONS_VARIABLE_MAX + 32)

struct parser {
    struct options *options;
    struct fault *fault;
    int argc;
    char *const *argv;
    int next; /* the argument to look at next */
    const char **sources;
};

bool options_is_set(const struct options *options, enum option_id id)
{
    return options->origin[id] != OPTIONS_UNSET;
}

static enum status unknown_command(const char *typed, struct fault *fault)
{
    const char *const nearest = options_nearest_command(typed);
    if (nearest != NULL)
        return fault_set(fault, STATUS_USAGE, "'%.100s' is not a command; did you mean '%s'?", typed,
                         nearest);
    return fault_set(
        fault, STATUS_USAGE,
        "'%.100s' is not a command; the command comes first: export, check, inspect, verify, commit, "
        "cleanup or schedule",
        typed);
}

static bool names(enum option_id id, const char *name, size_t length)
{
    const char *const known = options_row(id)->name;
    return strlen(known) == length && memcmp(known, name, length) == 0;
}

/* Says the flag's name only: what follows a '=' may be something that the person would not want to see
 * logged. */
static enum status unknown_flag(const struct parser *parser, const char *name, size_t length)
{
    enum command const command = parser->options->command;
    for (int i = 0; i < OPTION_COUNT; i++)
        if (names((enum option_id)i, name, length))
            return fault_set(parser->fault, STATUS_USAGE, "--%s is not a flag of %s",
                             options_row((enum option_id)i)->name, options_command(command)->name);
    int const shown = length > 100 ? 100 : (int)length;
    const char *const nearest = options_nearest_flag(command, name, length);
    if (nearest == NULL) return fault_set(parser->fault, STATUS_USAGE, "unknown flag --%.*s", shown, name);
    return fault_set(parser->fault, STATUS_USAGE, "unknown flag --%.*s; did you mean --%s?", shown, name,
                     nearest);
}

/* ---- fields ---- */

static enum status no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_IO, "out of memory while the command line was read");
}

static enum status add_column(struct parser *parser, const char *text)
{
    struct options *const options = parser->options;
    if (options->column_count == MAPPING_COLUMNS_MAX)
        return fault_set(parser->fault, STATUS_USAGE, "--column: more than %d columns; allowed: %d",
                         MAPPING_COLUMNS_MAX, MAPPING_COLUMNS_MAX);
    if (options->columns == NULL)
        options->columns = arena_array(&options->arena, MAPPING_COLUMNS_MAX, sizeof *options->columns);
    size_t const name_length = strcspn(text, "=");
    char *const name = arena_text(&options->arena, text, name_length);
    if (options->columns == NULL || name == NULL) return no_memory(parser->fault);
    options->columns[options->column_count].name = name;
    options->columns[options->column_count].path = text + name_length + 1;
    options->column_count++;
    return STATUS_OK;
}

static enum status assign(struct parser *parser, enum option_id id, const struct options_value *value)
{
    struct options *const options = parser->options;
    switch (id) {
    case OPTION_JOB: options->job = value->text; break;
    case OPTION_TO: options->to = value->text; break;
    case OPTION_ID: options->id = value->text; break;
    case OPTION_COLUMN: return add_column(parser, value->text);
    case OPTION_THREADS: options->threads = (uint32_t)value->number; break;
    case OPTION_MEMORY_LIMIT: options->memory_limit = value->number; break;
    case OPTION_CONNECTIONS: options->connections = (uint32_t)value->number; break;
    case OPTION_PART_SIZE: options->part_size = value->number; break;
    case OPTION_SHARD_SIZE: options->shard_size = value->number; break;
    case OPTION_RUN_TIME: options->run_time = value->time; break;
    case OPTION_RUN_ID: options->run_id = value->text; break;
    case OPTION_REPORT: options->report = value->text; break;
    case OPTION_REJECTS: options->rejects = value->text; break;
    case OPTION_MAX_REJECTS: options->max_rejects = value->budget; break;
    case OPTION_SAMPLE: options->sample = value->number; break;
    case OPTION_STRICT: options->strict = value->number != 0; break;
    case OPTION_NO_VALUES: options->no_values = value->number != 0; break;
    case OPTION_JSON: options->as_json = value->number != 0; break;
    case OPTION_INSPECT_JOB: options->as_job = value->number != 0; break;
    case OPTION_OLDER_THAN: options->older_than = value->number; break;
    case OPTION_DRY_RUN: options->dry_run = value->number != 0; break;
    case OPTION_PROGRESS: options->progress = (enum options_progress)value->number; break;
    case OPTION_WALK: options->walk = (enum options_walk)value->number; break;
    case OPTION_INPUT_MODE: options->input_mode = (enum options_input_mode)value->number; break;
    case OPTION_LOG_FORMAT: options->log_format = (enum log_format)value->number; break;
    case OPTION_VERBOSE:
        if (value->number != 0) options->verbosity = OPTIONS_VERBOSE;
        break;
    case OPTION_QUIET:
        if (value->number != 0) options->verbosity = OPTIONS_QUIET;
        break;
    default:
        return fault_set(parser->fault, STATUS_INTERNAL, "--%s is in the table but has no field",
                         options_row(id)->name);
    }
    return STATUS_OK;
}

static enum status store(struct parser *parser, enum option_id id, const char *label, const char *text,
                         enum options_origin origin)
{
    struct options_value value;
    enum status status = options_value_read(options_row(id), label, text, &value, parser->fault);
    if (status == STATUS_OK) status = assign(parser, id, &value);
    if (status == STATUS_OK) parser->options->origin[id] = origin;
    return status;
}

/* ---- the line ---- */

/* The value of a flag: what stands behind it in the same argument, or the next argument. */
static enum status take_value(struct parser *parser, enum option_id id, const char *label,
                              const char *attached)
{
    if (attached != NULL) return store(parser, id, label, attached, OPTIONS_FROM_FLAG);
    const char *const argument = options_row(id)->argument;
    if (parser->next == parser->argc)
        return fault_set(parser->fault, STATUS_USAGE, "%s needs a value: %s %s", label, label, argument);
    const char *const text = parser->argv[parser->next];
    if (text[0] == '-' && text[1] != '\0')
        return fault_set(
            parser->fault, STATUS_USAGE,
            "%s needs a value, but '%.100s' looks like a flag; if it is the value, write --%s=VALUE", label,
            text, options_row(id)->name);
    parser->next++;
    return store(parser, id, label, text, OPTIONS_FROM_FLAG);
}

/* One flag; `attached` is NULL when nothing stands behind it in its argument. */
static enum status take_flag(struct parser *parser, enum option_id id, const char *label,
                             const char *attached)
{
    struct options *const options = parser->options;
    enum option_kind const kind = options_row(id)->kind;
    bool const bare = kind == OPTION_KIND_SWITCH || kind == OPTION_KIND_HELP || kind == OPTION_KIND_VERSION;
    if (options_later(id))
        return fault_set(parser->fault, STATUS_USAGE, "%s is not supported yet in this version", label);
    if (!bare) return take_value(parser, id, label, attached);
    if (attached != NULL) return fault_set(parser->fault, STATUS_USAGE, "%s takes no value", label);
    if (kind == OPTION_KIND_SWITCH) return store(parser, id, label, "1", OPTIONS_FROM_FLAG);
    if (kind == OPTION_KIND_VERSION)
        options->action = OPTIONS_VERSION;
    else
        options->action = label[1] == '-' ? OPTIONS_HELP_LONG : OPTIONS_HELP_SHORT;
    return STATUS_OK;
}

static enum status take_long(struct parser *parser, const char *argument)
{
    const char *const name = argument + 2;
    size_t const length = strcspn(name, "=");
    for (int i = 0; i < OPTION_COUNT; i++) {
        enum option_id const id = (enum option_id)i;
        if (!names(id, name, length) || !options_belongs(id, parser->options->command)) continue;
        char label[LABEL_MAX];
        snprintf(label, sizeof label, "--%s", options_row(id)->name);
        return take_flag(parser, id, label, name[length] == '=' ? name + length + 1 : NULL);
    }
    return unknown_flag(parser, name, length);
}

static enum option_id find_letter(char letter, enum command command)
{
    int id = 0;
    while (id < OPTION_COUNT && (options_row((enum option_id)id)->letter != letter ||
                                 !options_belongs((enum option_id)id, command)))
        id++;
    return (enum option_id)id;
}

/* -vq, -jFILE, -j=FILE, -vj FILE */
static enum status take_letters(struct parser *parser, const char *argument)
{
    for (const char *at = argument + 1; *at != '\0'; at++) {
        enum option_id const id = find_letter(*at, parser->options->command);
        if (id == OPTION_COUNT)
            return fault_set(parser->fault, STATUS_USAGE, "unknown flag -%.1s%s%.20s", at,
                             argument[2] == '\0' ? "" : " in ", argument[2] == '\0' ? "" : argument);
        char const label[] = {'-', *at, '\0'};
        bool const takes_value = options_row(id)->argument[0] != '\0';
        const char *attached = NULL;
        if (at[1] == '=')
            attached = at + 2;
        else if (takes_value && at[1] != '\0')
            attached = at + 1;
        enum status const status = take_flag(parser, id, label, attached);
        if (takes_value || status != STATUS_OK || parser->options->action != OPTIONS_RUN) return status;
    }
    return STATUS_OK;
}

static enum status take_source(struct parser *parser, const char *text)
{
    struct options_value value; /* a source is a TEXT like --to: not empty, no credentials */
    enum command const command = parser->options->command;
    const char *const label = command == COMMAND_CLEANUP  ? "URL"
                              : command == COMMAND_VERIFY ? "MANIFEST_URL"
                                                          : "SOURCE";
    enum status const status = options_value_read(options_row(OPTION_TO), label, text, &value, parser->fault);
    if (status == STATUS_OK) parser->sources[parser->options->source_count++] = text;
    return status;
}

static enum status take_arguments(struct parser *parser)
{
    struct options *const options = parser->options;
    parser->sources = arena_array(&options->arena, (size_t)parser->argc, sizeof *parser->sources);
    if (parser->sources == NULL) return no_memory(parser->fault);
    options->sources = parser->sources;
    enum status status = STATUS_OK;
    bool flags = true;
    while (status == STATUS_OK && parser->next < parser->argc && options->action == OPTIONS_RUN) {
        const char *const argument = parser->argv[parser->next++];
        if (!flags || argument[0] != '-' || argument[1] == '\0')
            status = take_source(parser, argument);
        else if (strcmp(argument, "--") == 0)
            flags = false;
        else if (argument[1] == '-')
            status = take_long(parser, argument);
        else
            status = take_letters(parser, argument);
    }
    return status;
}

/* ---- the environment ---- */

static bool set_by_flag(const struct options *options, enum option_id id)
{
    if (id == OPTION_VERBOSE || id == OPTION_QUIET)
        return options->origin[OPTION_VERBOSE] == OPTIONS_FROM_FLAG ||
               options->origin[OPTION_QUIET] == OPTIONS_FROM_FLAG;
    return options->origin[id] == OPTIONS_FROM_FLAG;
}

static enum status take_variable(struct parser *parser, enum option_id id, const char *name, const char *text)
{
    struct options *const options = parser->options;
    const struct option_row *const row = options_row(id);
    char label[LABEL_MAX];
    snprintf(label, sizeof label, "environment variable %s", name);
    if (options_later(id)) {
        if (row->kind == OPTION_KIND_SWITCH && strcmp(text, "0") == 0) return STATUS_OK;
        return fault_set(parser->fault, STATUS_USAGE,
                         "%s: --%s is not supported yet in this version; unset the variable", label,
                         row->name);
    }
    /* getenv() promises its text only until the environment changes. */
    const char *const copy = arena_text(&options->arena, text, strlen(text));
    if (copy == NULL) return no_memory(parser->fault);
    bool const was_verbose = options->verbosity == OPTIONS_VERBOSE;
    enum status const status = store(parser, id, label, copy, OPTIONS_FROM_ENVIRONMENT);
    if (status == STATUS_OK && was_verbose && options->verbosity == OPTIONS_QUIET)
        return fault_set(
            parser->fault, STATUS_USAGE,
            "environment variables PENSTOCK_VERBOSE and PENSTOCK_QUIET are both 1; set one of them "
            "to 0");
    return status;
}

static enum status take_environment(struct parser *parser, options_environment_fn *environment, void *context)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        enum option_id const id = (enum option_id)i;
        if (!options_row((enum option_id)i)->environment || !options_belongs(id, parser->options->command))
            continue;
        if (set_by_flag(parser->options, id)) continue;
        char name[OPTIONS_VARIABLE_MAX];
        options_variable(id, name);
        const char *const text = environment(context, name);
        if (text == NULL) continue;
        enum status const status = take_variable(parser, id, name, text);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

/* ---- the whole ---- */

/* A command that comes later has its help already. */
static enum status later_command(struct parser *parser)
{
    for (int i = parser->next; i < parser->argc && strcmp(parser->argv[i], "--") != 0; i++) {
        if (strcmp(parser->argv[i], "--help") == 0) parser->options->action = OPTIONS_HELP_LONG;
        if (strcmp(parser->argv[i], "-h") == 0) parser->options->action = OPTIONS_HELP_SHORT;
        if (parser->options->action != OPTIONS_RUN) return STATUS_OK;
    }
    return fault_set(parser->fault, STATUS_USAGE, "penstock %s is not supported yet in this version",
                     options_command(parser->options->command)->name);
}

/* `penstock help [COMMAND]`, as aws and rclone have it. */
static enum status help_command(struct parser *parser)
{
    parser->options->action = OPTIONS_HELP_LONG;
    if (parser->argc < 3) return STATUS_OK;
    parser->options->command = options_find_command(parser->argv[2]);
    if (parser->options->command != COMMAND_NONE) return STATUS_OK;
    return unknown_command(parser->argv[2], parser->fault);
}

static enum status parse(struct parser *parser, options_environment_fn *environment, void *context)
{
    struct options *const options = parser->options;
    if (parser->argc < 2) return fault_set(parser->fault, STATUS_USAGE, "no command given");
    const char *const first = parser->argv[1];
    parser->next = 2;
    if (strcmp(first, "--help") == 0) options->action = OPTIONS_HELP_LONG;
    if (strcmp(first, "-h") == 0) options->action = OPTIONS_HELP_SHORT;
    if (strcmp(first, "--version") == 0) options->action = OPTIONS_VERSION;
    if (options->action != OPTIONS_RUN) return STATUS_OK;
    if (strcmp(first, "help") == 0) return help_command(parser);
    if (first[0] == '-')
        return fault_set(parser->fault, STATUS_USAGE,
                         "the command comes before its flags: penstock COMMAND [FLAG...]");
    options->command = options_find_command(first);
    if (options->command == COMMAND_NONE) return unknown_command(first, parser->fault);
    if (options_command_later(options->command)) return later_command(parser);

    enum status status = take_arguments(parser);
    if (options->action != OPTIONS_RUN) return status;
    if (status == STATUS_OK) status = take_environment(parser, environment, context);
    if (status == STATUS_OK) status = options_rules_check(options, parser->fault);
    return status;
}

enum status options_parse(int argc, char *const *argv, options_environment_fn *environment, void *context,
                          struct options *options, struct fault *fault)
{
    memset(options, 0, sizeof *options);
    options->shard_size = OPTIONS_SHARD_DEFAULT;
    struct fault mistake = {0};
    struct parser parser = {.options = options, .fault = &mistake, .argc = argc, .argv = argv};
    enum status const status = parse(&parser, environment, context);
    if (status == STATUS_OK) return status;
    if (status != STATUS_USAGE) return fault_set(fault, status, "%s", mistake.message);
    const char *const command = options_command(options->command)->name;
    return fault_set(fault, status, "%s (see `penstock %s%s--help`)", mistake.message, command,
                     command[0] == '\0' ? "" : " ");
}

void options_free(struct options *options)
{
    arena_free(&options->arena);
}
