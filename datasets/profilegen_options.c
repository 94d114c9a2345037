/* profilegen_options.c - reads the command line strictly: no abbreviations, whole numbers, plain decimals.
 * The paths in the result point into the arguments. Thread rule: reentrant but for standard error. */
#include "datasets/profilegen_options.h"

#include "datasets/profilegen_prng.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SHARE_DECIMALS 9 /* PRNG_SHARE_ONE is 10^9 */

const char *options_help(void)
{
    return "profilegen - writes invented AEP profiles as NDJSON, about 1,600 bytes each\n"
           "\n"
           "usage: profilegen [options]\n"
           "\n"
           "  --rows N       records to write                                [default: 1000]\n"
           "  --seed S       start of the random numbers, 0 to 2^64-1        [default: 1]\n"
           "  --out PATH     where to; replaced if it exists                 [default: standard output]\n"
           "  --irregular P  drop each member of each object with the probability P (0 to 1), except\n"
           "                 what leads to the customer id                   [default: 0]\n"
           "  --duplicates P share of records with the customer id of an earlier one, the rest their own\n"
           "                 (0 to 1)                                        [default: 0]\n"
           "  --nasty P      share of broken records (0 to 1); as many more are odd but valid. The\n"
           "                 first record is never changed                   [default: 0]\n"
           "  --truth PATH   a JSON line for each broken record: record, line, offset, length, kind\n"
           "                 and code, which is the reject code that a converter must give\n"
           "  -h, --help     this text\n"
           "\n"
           "Same seed, same bytes; a longer file begins with the shorter one.\n"
           "Exit status: 0 written, 2 usage, 74 a file can't be written.\n";
}

static bool parse_whole(const char *text, uint64_t maximum, uint64_t *value)
{
    uint64_t sum = 0;
    if (*text == '\0') return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') return false;
        uint64_t const digit = (uint64_t)(*text - '0');
        if (sum > (maximum - digit) / 10) return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}

/* "0.05", ".5", "1", "1.": exact, without floating point, so that every machine cuts in the same way. */
static bool parse_share(const char *text, uint32_t *share)
{
    uint64_t value = 0;
    int decimals = -1; /* no point yet */
    bool digits = false;
    for (; *text != '\0'; text++) {
        if (*text == '.' && decimals < 0) {
            decimals = 0;
            continue;
        }
        if (*text < '0' || *text > '9' || decimals == SHARE_DECIMALS || value > PRNG_SHARE_ONE) return false;
        value = value * 10 + (uint64_t)(*text - '0');
        digits = true;
        if (decimals >= 0) decimals++;
    }
    for (int i = decimals < 0 ? 0 : decimals; i < SHARE_DECIMALS; i++) {
        if (value > PRNG_SHARE_ONE) return false;
        value *= 10;
    }
    *share = (uint32_t)value;
    return digits && value <= PRNG_SHARE_ONE;
}

static bool wrong(const char *option, const char *value, const char *allowed)
{
    fprintf(stderr, "profilegen: %s: '%s' is not allowed; %s\n", option, value, allowed);
    return false;
}

static bool set_share(const char *name, const char *value, uint32_t *share)
{
    return parse_share(value, share) ||
           wrong(name, value, "a number from 0 to 1 with up to 9 decimals, such as 0.05");
}

static bool set_path(const char *name, const char *value, const char **path)
{
    *path = value;
    return *value != '\0' || wrong(name, value, "the path of a file");
}

/* `name` is one of the options that take a value; false: the sentence is written. */
static bool set_option(const char *name, const char *value, struct options *options)
{
    if (strcmp(name, "--rows") == 0)
        return parse_whole(value, OPTIONS_ROWS_MAX, &options->rows) ||
               wrong(name, value, "a whole number from 0 to 1000000000000");
    if (strcmp(name, "--seed") == 0)
        return parse_whole(value, UINT64_MAX, &options->seed) ||
               wrong(name, value, "a whole number from 0 to 18446744073709551615");
    if (strcmp(name, "--irregular") == 0) return set_share(name, value, &options->irregular);
    if (strcmp(name, "--nasty") == 0) return set_share(name, value, &options->nasty);
    if (strcmp(name, "--duplicates") == 0) return set_share(name, value, &options->duplicates);
    if (strcmp(name, "--out") == 0) return set_path(name, value, &options->out);
    return set_path(name, value, &options->truth);
}

static bool takes_value(const char *argument, size_t length)
{
    static const char *const names[] = {"--rows",       "--seed", "--irregular", "--nasty",
                                        "--duplicates", "--out",  "--truth"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == length && memcmp(names[i], argument, length) == 0) return true;
    return false;
}

enum options_result options_read(int count, char **arguments, struct options *options)
{
    *options = (struct options){.rows = 1000, .seed = 1};
    for (int i = 1; i < count; i++) {
        char *const argument = arguments[i];
        size_t const length = strcspn(argument, "=");
        if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) return OPTIONS_HELP;
        if (!takes_value(argument, length)) {
            fprintf(stderr, "profilegen: '%s' is no option; `profilegen --help` lists them\n", argument);
            return OPTIONS_WRONG;
        }
        const char *value;
        if (argument[length] == '=') {
            argument[length] = '\0';
            value = argument + length + 1;
        } else if (i + 1 < count) {
            value = arguments[++i];
        } else {
            fprintf(stderr, "profilegen: %s: the value is missing\n", argument);
            return OPTIONS_WRONG;
        }
        if (!set_option(argument, value, options)) return OPTIONS_WRONG;
    }
    return OPTIONS_RUN;
}
