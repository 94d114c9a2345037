/* help.c - prints help texts from the table of commands and flags. Owns nothing, keeps no state. */
#include "io/cli/help.h"

#include "io/cli/options_value.h"

#include <stdio.h>
#include <string.h>

/* Where the second column begins: behind the widest flag of the short help. */
#define HELP_FLAG_WIDTH    30
#define HELP_COMMAND_WIDTH 10
#define HELP_LABEL_MAX     (OPTIONS_WORDS_MAX + OPTIONS_VARIABLE_MAX + 16)
/* Sentences are broken at this width: 80 columns and the habit of leaving the last one free. */
#define HELP_WIDTH  79
#define HELP_INDENT 6
/* All sentences about one flag; the longest of the table take some 300 characters. */
#define HELP_TEXT_MAX 1024

static const char exit_statuses[] =
    "Exit statuses:\n"
    "    0  delivered and verified; check: ready; verify: all is as the manifest says\n"
    "    2  usage: command line, environment variable, or not supported yet\n"
    "   65  input: more failed records than allowed, or no record at all\n"
    "   66  a source, or the manifest to verify, is missing or may not be read\n"
    "   70  an invariant of the program failed: report it\n"
    "   73  the destination exists already\n"
    "   74  input or output failed for good\n"
    "   75  gave up on a passing fault: try again\n"
    "   77  credentials or rights\n"
    "   78  job file, mapping, governance, or a destination that does not exist\n"
    "  130  stopped by SIGINT\n"
    "  143  stopped by SIGTERM or SIGHUP\n";

static const char export_examples[] =
    "Examples:\n"
    "  penstock export -j customer.yaml\n"
    "  penstock export -j customer.yaml /data/aep/run7/ --to out/ --report run7.json\n"
    "  penstock export dump.ndjson --id identityMap.CustomerID \\\n"
    "      --column Email=personalEmail.address --to out/\n";

static const char check_examples[] =
    "Examples:\n"
    "  penstock check -j customer.yaml\n"
    "  penstock check -j customer.yaml --sample 10000 --to s3://acme-pega/test/\n";

static const char inspect_examples[] = "Examples:\n"
                                       "  penstock inspect dump.ndjson --sample 10000 --no-values\n"
                                       "  penstock inspect /data/aep/part-*.json --job > customer.yaml\n";

static const char verify_examples[] =
    "Examples:\n"
    "  penstock verify -j customer.yaml s3://acme-pega/DataJobs/CustomerData/acme_run7.xml\n"
    "  penstock verify -j customer.yaml --report run7.json out/acme_run7.xml\n";

static const char cleanup_examples[] =
    "Examples:\n"
    "  penstock cleanup s3://acme-pega/DataJobs/\n"
    "  penstock cleanup s3://acme-pega/DataJobs/ --older-than 7d --dry-run\n"
    "  penstock cleanup s3://acme-pega/DataJobs/ --older-than 7d\n"
    "  penstock cleanup out/ --older-than 1d\n";

/* What the table has no room for; NULL: nothing. */
struct command_text {
    const char *about, *examples;
};

static const struct command_text command_texts[COMMAND_COUNT] = {
    [COMMAND_EXPORT] =
        {"Reads profile dumps, writes CSV files, and shows them under their final names only when "
         "all of them are whole. A SOURCE is a file, a directory (read recursively), a quoted glob, the "
         "manifest of an AEP export, or - for standard input; gzip and zstd are recognised by content. "
         "Sources replace source.paths of the job.",
         export_examples},
    [COMMAND_CHECK] =
        {"Prints the plan of an export and ends with the status that it would end with: reads job and "
         "sources, converts all records (or the first N with --sample N) and drops the rows, tries "
         "credentials and rights of an S3 destination with an upload that it aborts. The reject file "
         "is not written. The last line is \"ready\" when all is fine. With --report - the plan goes "
         "to standard error.",
         check_examples},
    [COMMAND_INSPECT] =
        {"Reads all records, or the first N with --sample N, and prints the paths they have: fill rate, "
         "types, "
         "about how many different values (standard error 2.3 %), longest value, an example; identity "
         "namespaces; segment ids by status. [*] stands for the elements of a list and for the members of an "
         "object whose keys are data. --job prints a job file for the dump that `penstock check` accepts as "
         "it "
         "is, --json the catalogue for machines.",
         inspect_examples},
    [COMMAND_VERIFY] =
        {"Reads all files of a manifest again, from a directory or from S3, unpacks them (gzip, zstd) and "
         "compares: every file is there, has its size, its header equals the first file's, its rows are "
         "as many as the manifest says, all rows have as many columns, quotes and line ends are the "
         "dialect's, and with --report rows, bytes and checksum are the report's. Each thing that is "
         "wrong is a line of standard output; the last line is \"verified: ...\" (status 0) or "
         "\"not verified: ...\" (74). Without a job the defaults of the CSV dialect hold.",
         verify_examples},
    [COMMAND_CLEANUP] =
        {"Lists the multipart uploads under URL that were begun and never finished, of any program: "
         "S3 keeps and charges their parts until they are aborted. One line each: when it was begun "
         "(UTC), its age, the object, the upload's id. With --older-than the older ones are aborted. "
         "Credentials, region and endpoint come from the AWS_ variables and the profile. Under a "
         "directory it lists the hidden files that killed runs left (.NAME.RUNID.tmp and .old), and removes "
         "the older ones.",
         cleanup_examples},
};

/* Prints words of `text` from column `at`, breaking lines so that none passes HELP_WIDTH; ends the line. */
static void write_wrapped(FILE *out, const char *text, int indent)
{
    int column = 0;
    while (*text != '\0') {
        int const length = (int)strcspn(text, " ");
        if (column > 0 && column + 1 + length > HELP_WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        column += fprintf(out, "%*s%.*s", column == 0 ? indent : 1, "", length, text);
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

/* "-j, --job FILE", "--to URL"; of words the ones that this version has, unless there is none yet. */
static void make_label(char label[HELP_LABEL_MAX], const struct option_row *row, const char *no_letter)
{
    char letter[] = "-x, ";
    letter[1] = row->letter;
    char words[OPTIONS_WORDS_MAX] = "";
    if (row->kind == OPTION_KIND_CHOICE) options_value_words(row, false, "|", words);
    const char *const argument = words[0] != '\0' ? words : row->argument;
    snprintf(label, HELP_LABEL_MAX, "%s--%s%s%s", row->letter != 0 ? letter : no_letter, row->name,
             argument[0] != '\0' ? " " : "", argument);
}

static void write_flag_short(FILE *out, const struct option_row *row)
{
    char label[HELP_LABEL_MAX];
    make_label(label, row, "    ");
    if (strlen(label) > HELP_FLAG_WIDTH)
        fprintf(out, "  %s\n  %*s  %s\n", label, HELP_FLAG_WIDTH, "", row->line);
    else
        fprintf(out, "  %-*s  %s\n", HELP_FLAG_WIDTH, label, row->line);
}

static void write_flag_long(FILE *out, enum option_id id)
{
    const struct option_row *const row = options_row(id);
    char label[HELP_LABEL_MAX];
    char words[OPTIONS_WORDS_MAX];
    char variable[OPTIONS_VARIABLE_MAX];
    char text[HELP_TEXT_MAX];
    make_label(label, row, "");
    options_value_words(row, true, ", ", words);
    options_variable(id, variable);
    bool const some_later = row->support[0] == '|';
    bool const has_default = row->default_text[0] != '\0';
    snprintf(text, sizeof text, "%s%s. %s%s%s%s %s%s%s %s%s%s", row->line,
             options_later(id) ? " (not supported yet in this version)" : "", row->more,
             some_later ? " Not supported yet in this version: " : "", some_later ? words : "",
             some_later ? "." : "", has_default ? "Default: " : "", row->default_text, has_default ? "." : "",
             row->environment ? "Environment: " : "", row->environment ? variable : "",
             row->environment ? "." : "");
    fprintf(out, "  %s\n", label);
    write_wrapped(out, text, HELP_INDENT);
}

static void write_flags(FILE *out, enum command command, bool longer)
{
    fputs("\nFlags:\n", out);
    for (int i = 0; i < OPTION_COUNT; i++) {
        enum option_id const id = (enum option_id)i;
        if (!options_belongs(id, command)) continue;
        if (longer)
            write_flag_long(out, id);
        else if (!options_later(id) || options_command_later(command))
            write_flag_short(out, options_row(id));
    }
}

static void write_command(FILE *out, enum command command, bool longer)
{
    const struct command_row *const row = options_command(command);
    fprintf(out, "penstock %s %s\n\n  %s%s\n", row->name, row->arguments, row->line,
            options_command_later(command) ? " (not supported yet in this version)" : "");
    const struct command_text *const text = &command_texts[command];
    if (longer && text->about != NULL) {
        fputc('\n', out);
        write_wrapped(out, text->about, 2);
    }
    write_flags(out, command, longer);
    if (!longer) {
        fprintf(out, "\n`penstock %s --help` says more.\n", row->name);
        return;
    }
    fputs("\nA flag outranks its environment variable (1 or 0 for a switch), which outranks the job\n"
          "file, which outranks the default. `--` ends the flags.\n",
          out);
    if (text->examples != NULL) fprintf(out, "\n%s", text->examples);
    fprintf(out, "\n%s", exit_statuses);
}

static void write_main(FILE *out, bool longer)
{
    fputs("penstock COMMAND [FLAG...] [ARGUMENT...]\n\n"
          "  converts Adobe Experience Platform profile dumps to CSV deliveries for Pega\n\nCommands:\n",
          out);
    for (int i = COMMAND_NONE + 1; i < COMMAND_COUNT; i++) {
        const struct command_row *const row = options_command((enum command)i);
        fprintf(out, "  %-*s%s%s\n", HELP_COMMAND_WIDTH, row->name, row->line,
                options_command_later((enum command)i) ? " (not supported yet)" : "");
    }
    fputs("\n  penstock COMMAND --help   all of a command; -h the short of it\n"
          "  penstock --version        the version\n",
          out);
    if (longer) fprintf(out, "\n%s", exit_statuses);
}

void help_write(FILE *out, const struct options *options, const char *version)
{
    bool const longer = options->action == OPTIONS_HELP_LONG;
    if (options->action == OPTIONS_VERSION)
        fprintf(out, "penstock %s\n", version);
    else if (options->action != OPTIONS_RUN && options->command == COMMAND_NONE)
        write_main(out, longer);
    else if (options->action != OPTIONS_RUN)
        write_command(out, options->command, longer);
}
