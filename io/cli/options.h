/* options.h - the command line and the PENSTOCK_ environment variables as a value.
 *
 * All commands and flags stand in one table, options.def. The order of precedence is flag, environment, job
 * file, default; the job file's part is export.c's: options_is_set() says whether a field came from a flag or
 * the environment, and outranks the job, or still holds its default.
 *
 * Rules of the line: the command comes first; flags and sources mix freely; `--` ends the flags; a lone `-`
 * is a source; `--flag=value` and `--flag value`, `-jFILE` and `-j FILE`, `-vq`; a flag given twice: the last
 * counts. A value in an argument of its own may not begin with `--`, so that a forgotten value never swallows
 * a flag. An environment variable that is set to nothing is an invalid value like any other.
 *
 * Ownership: texts point into argv or lie in options->arena; options_free() frees the latter.
 * Thread rule: main thread parses; read-only afterwards. */
#ifndef PENSTOCK_IO_CLI_OPTIONS_H
#define PENSTOCK_IO_CLI_OPTIONS_H

#include "core/base/arena.h"
#include "core/base/limits.h"
#include "core/base/status.h"
#include "io/cli/log.h"
#include "io/job/job.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --memory-limit: more than any machine has, and far from where sums of sizes overflow 64 bits. */
#define OPTIONS_MEMORY_MAX (1ull << 60)
/* --shard-size: the range of the contract of this flag; the default keeps a shard and its output inside one
 * core's share of the outer cache. */
#define OPTIONS_SHARD_MAX     (1024 * LIMIT_MIB)
#define OPTIONS_SHARD_DEFAULT LIMIT_MIB
/* --older-than: a hundred years of 365 days; S3 is not as old. */
#define OPTIONS_AGE_MAX (100ull * 365 * 24 * 60 * 60)
/* --run-id: fits a file name together with the other parts (255 bytes, ext4 and XFS). */
#define OPTIONS_RUN_ID_MAX 64
/* PENSTOCK_ and the longest long name, with room; checked where names are made. */
#define OPTIONS_VARIABLE_MAX 64

enum command {
    COMMAND_NONE, /* help and version only */
#define COMMAND(id, ...) COMMAND_##id,
#include "io/cli/options.def"
#undef COMMAND
    COMMAND_COUNT
};

enum option_id {
#define OPTION(id, ...) OPTION_##id,
#include "io/cli/options.def"
#undef OPTION
    OPTION_COUNT
};

enum option_kind {
    OPTION_KIND_SWITCH,
    OPTION_KIND_TEXT,
    OPTION_KIND_NUMBER,
    OPTION_KIND_SIZE,
    OPTION_KIND_BUDGET,
    OPTION_KIND_TIME,
    OPTION_KIND_AGE,
    OPTION_KIND_RUN_ID,
    OPTION_KIND_CHOICE,
    OPTION_KIND_COLUMN,
    OPTION_KIND_HELP,
    OPTION_KIND_VERSION
};

/* A row of the table; options.def explains the fields. */
struct option_row {
    const char *name;
    char letter; /* 0: none */
    enum option_kind kind;
    const char *argument; /* "" for a switch */
    uint64_t least;
    uint64_t most;
    const char *default_text; /* "": off or not set */
    const char *commands;
    bool environment;
    const char *support; /* "now", "later", or "|word|word|": these words of a choice come later */
    const char *line;
    const char *more;
};

struct command_row {
    char letter; /* what option_row.commands calls it */
    const char *name;
    const char *support; /* "now" or "later" */
    const char *arguments;
    const char *line;
};

enum options_action { OPTIONS_RUN, OPTIONS_HELP_SHORT, OPTIONS_HELP_LONG, OPTIONS_VERSION };
enum options_origin { OPTIONS_UNSET, OPTIONS_FROM_ENVIRONMENT, OPTIONS_FROM_FLAG };
enum options_verbosity { OPTIONS_USUAL, OPTIONS_VERBOSE, OPTIONS_QUIET };

/* In the order of the words in options.def. */
enum options_input_mode { OPTIONS_INPUT_AUTO, OPTIONS_INPUT_MMAP, OPTIONS_INPUT_READ, OPTIONS_INPUT_DIRECT };
enum options_walk { OPTIONS_WALK_AUTO, OPTIONS_WALK_ON_DEMAND };
enum options_progress {
    OPTIONS_PROGRESS_AUTO,
    OPTIONS_PROGRESS_BAR,
    OPTIONS_PROGRESS_PLAIN,
    OPTIONS_PROGRESS_JSON,
    OPTIONS_PROGRESS_NONE
};

struct options {
    struct arena arena;
    enum options_action action;
    enum command command;
    enum options_origin origin[OPTION_COUNT];

    const char *job;            /* NULL: the short form of --id and --column */
    const char *const *sources; /* as written, none empty; the URL of cleanup or verify */
    size_t source_count;
    const char *to; /* NULL: the job's */

    const char *id; /* NULL: no identity column */
    struct job_flag_column *columns;
    size_t column_count;

    uint32_t threads;              /* 0: as many as this process may use */
    uint64_t memory_limit;         /* 0: the default */
    uint32_t connections;          /* 0: derived */
    uint64_t part_size;            /* 0: derived */
    uint64_t shard_size;           /* always set */
    int64_t run_time;              /* seconds since 1970 in UTC, cut; valid when set */
    const char *run_id;            /* NULL: random */
    const char *report;            /* NULL: none; "-": standard output */
    const char *rejects;           /* NULL: the job's */
    struct job_budget max_rejects; /* valid when set */
    uint64_t sample;               /* records; 0: all */
    bool strict, no_values;
    bool as_json, as_job; /* inspect */
    uint64_t older_than;  /* seconds; valid when set */
    bool dry_run;

    enum options_progress progress;
    enum options_input_mode input_mode;
    enum options_walk walk;
    enum log_format log_format;
    enum options_verbosity verbosity;
};

/* The value of an environment variable, NULL when it is not set. */
typedef const char *options_environment_fn(void *context, const char *name);

/* Fills `options` (whatever was in it is overwritten). STATUS_USAGE: the fault says what is wrong, what is
 * allowed, and which help to read; options_free() is due then too. With an action other than OPTIONS_RUN only
 * `action` and `command` are of use. log_format and verbosity hold what was read until the mistake. */
enum status options_parse(int argc, char *const *argv, options_environment_fn *environment, void *context,
                          struct options *options, struct fault *fault);
void options_free(struct options *options);

bool options_is_set(const struct options *options, enum option_id id);

/* The table (options_table.c). */
const struct option_row *options_row(enum option_id id);
const struct command_row *options_command(enum command command); /* not for COMMAND_NONE */
bool options_belongs(enum option_id id, enum command command);
/* Not supported yet in this version; of a flag with words that come later: the whole flag. */
bool options_later(enum option_id id);
bool options_command_later(enum command command);
enum command options_find_command(const char *name); /* COMMAND_NONE: no such command */
/* What a mistyped name probably meant; NULL when nothing comes close. */
const char *options_nearest_command(const char *typed);
const char *options_nearest_flag(enum command command, const char *typed, size_t length);
/* Writes PENSTOCK_MAX_REJECTS for max-rejects. */
void options_variable(enum option_id id, char name[OPTIONS_VARIABLE_MAX]);

#endif
