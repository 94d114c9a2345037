/* harness.c - see the header. Thread: main. Owns nothing but whether all results were right. */
#include "bench/harness.h"

#include "core/base/sha256.h"
#include "core/record/record_walk.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_DEFAULT 5u
#define TEXT_MAX       256

static bool any_wrong; /* set by the main thread only, for harness_status() */

_Noreturn void harness_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

/* ---- flags ---- */

static _Noreturn void usage(const struct harness_wants *wants, int status)
{
    fprintf(status == 0 ? stdout : stderr,
            "usage: %s [--rounds N] [--cpu N] [--no-verify]%s%s%s\n\n%s\n\n"
            "  --rounds N         laps of each measurement, in turn [default: %u]\n"
            "  --cpu N            stay on this CPU\n"
            "  --no-verify        only compare the laps with each other, not with an independent result\n%s",
            wants->name, wants->file ? " [--mode read|mmap|both]" : "", wants->job ? " --job FILE" : "",
            wants->file ? " DUMP" : "", wants->about, ROUNDS_DEFAULT,
            wants->file ? "  --mode M           how the dump is read [default: both]\n" : "");
    exit(status);
}

static _Noreturn void refuse(const char *flag, const char *value, const char *allowed)
{
    fprintf(stderr, "bench: %s %s: allowed is %s\n", flag, value == NULL ? "(nothing)" : value, allowed);
    exit(2);
}

static unsigned long number(const char *flag, const char *text, unsigned long least, unsigned long most)
{
    char *end = NULL;
    unsigned long const value = text == NULL ? 0 : strtoul(text, &end, 10);
    char allowed[TEXT_MAX];
    snprintf(allowed, sizeof allowed, "a number from %lu to %lu", least, most);
    if (text == NULL || end == text || *end != '\0' || value < least || value > most)
        refuse(flag, text, allowed);
    return value;
}

void harness_pin(const char *cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(number("--cpu", cpu, 0, CPU_SETSIZE - 1), &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) refuse("--cpu", cpu, "a CPU that this process may use");
}

static void set_mode(struct harness_options *options, const char *mode)
{
    bool const both = mode != NULL && strcmp(mode, "both") == 0;
    options->read = mode != NULL && (both || strcmp(mode, "read") == 0);
    options->mmap = mode != NULL && (both || strcmp(mode, "mmap") == 0);
    if (!options->read && !options->mmap) refuse("--mode", mode, "read, mmap or both");
}

struct harness_options harness_options(int argc, char **argv, const struct harness_wants *wants)
{
    struct harness_options options = {.read = true, .mmap = true, .verify = true, .rounds = ROUNDS_DEFAULT};
    for (int i = 1; i < argc; i++) {
        const char *flag = argv[i], *value = argv[i + 1]; /* argv ends with NULL */
        if (strcmp(flag, "--help") == 0 || strcmp(flag, "-h") == 0) usage(wants, 0);
        if (strcmp(flag, "--no-verify") == 0) {
            options.verify = false;
            continue;
        }
        if (flag[0] != '-' && wants->file && options.file == NULL) {
            options.file = flag;
            continue;
        }
        if (strcmp(flag, "--rounds") == 0)
            options.rounds = (unsigned)number(flag, value, 1, HARNESS_ROUNDS_MAX);
        else if (strcmp(flag, "--cpu") == 0)
            harness_pin(value);
        else if (strcmp(flag, "--mode") == 0 && wants->file)
            set_mode(&options, value);
        else if (strcmp(flag, "--job") == 0 && wants->job && value != NULL)
            options.job = value;
        else
            usage(wants, 2);
        i++;
    }
    if ((wants->file && options.file == NULL) || (wants->job && options.job == NULL)) usage(wants, 2);
    return options;
}

const char *harness_mode_name(enum source_mode mode)
{
    return mode == SOURCE_MODE_MMAP ? "mmap" : "read";
}

/* ---- memory ---- */

/* The rest of the line behind `key` and blanks and a colon; "" key: the first line. */
static void look_up(const char *path, const char *key, char out[TEXT_MAX])
{
    char line[TEXT_MAX];
    FILE *file = fopen(path, "r");
    snprintf(out, TEXT_MAX, "unknown");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, key, strlen(key)) != 0) continue;
        const char *value = line + strlen(key);
        value += strspn(value, " \t:");
        snprintf(out, TEXT_MAX, "%.*s", (int)strcspn(value, "\n"), value);
        break;
    }
    if (file != NULL) fclose(file);
}

static uint64_t peak_bytes(void)
{
    char text[TEXT_MAX];
    look_up("/proc/self/status", "VmHWM",
            text); /* ru_maxrss would count the memory of who started us, and can't be reset */
    return strtoull(text, NULL, 10) * 1024;
}

/* Since Linux 4.0; where it can't be done the peak is the process's. */
static void reset_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file == NULL) return;
    fputs("5\n", file);
    fclose(file);
}

/* ---- time ---- */

static uint64_t of_timeval(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_usec * 1000u;
}

struct harness_time harness_now(void)
{
    struct timespec wall;
    struct rusage usage;
    clock_gettime(CLOCK_MONOTONIC, &wall);
    getrusage(RUSAGE_SELF, &usage);
    return (struct harness_time){.wall = (uint64_t)wall.tv_sec * 1000000000u + (uint64_t)wall.tv_nsec,
                                 .cpu = of_timeval(usage.ru_utime) + of_timeval(usage.ru_stime)};
}

struct harness_time harness_begin(void)
{
    reset_peak();
    return harness_now();
}

void harness_lap(struct harness_laps *laps, struct harness_time began)
{
    struct harness_time const now = harness_now();
    if (laps->count == HARNESS_ROUNDS_MAX) harness_fail("more than %u laps", HARNESS_ROUNDS_MAX);
    laps->laps[laps->count++] =
        (struct harness_time){.wall = now.wall - began.wall, .cpu = now.cpu - began.cpu};
    uint64_t const peak = peak_bytes();
    if (peak > laps->peak) laps->peak = peak;
}

struct spread { /* seconds */
    double median, least, most;
};

static int compare(const void *a, const void *b)
{
    double const x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct spread spread_of(double *values, unsigned count)
{
    if (count == 0) return (struct spread){0, 0, 0};
    qsort(values, count, sizeof *values, compare);
    double const median =
        count % 2 != 0 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
    return (struct spread){median, values[0], values[count - 1]};
}

/* ---- the environment ---- */

static void put_text(const char *key, const char *text)
{
    printf("\"%s\":\"", key);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') putchar('\\');
        if ((unsigned char)*text >= ' ') putchar(*text);
    }
    printf("\",");
}

static void put_dataset(const struct harness_options *options)
{
    struct fault fault;
    struct stat about;
    char hex[SHA256_HEX_LENGTH + 1] = "";
    int const descriptor = source_file_descriptor(options->file, &about, &fault);
    if (descriptor < 0) harness_fail("%s", fault.message);
    if (about.st_size == 0) harness_fail("%s: empty: nothing to measure", options->file);
    size_t const size = (size_t)about.st_size;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, descriptor, 0);
    struct sha256 *hasher = sha256_create();
    if (bytes == MAP_FAILED || hasher == NULL || !sha256_hex(hasher, bytes, size, hex))
        harness_fail("%s: can't be hashed", options->file);
    sha256_destroy(hasher);
    munmap(bytes, size);
    close(descriptor);
    printf("\"dataset_bytes\":%zu,", size);
    put_text("dataset_sha256", hex);
}

static void put_machine(void)
{
    char text[TEXT_MAX];
    struct utsname about;
    cpu_set_t set;
    look_up("/proc/cpuinfo", "model name", text);
    put_text("cpu", text);
    look_up("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "", text);
    put_text("governor", text);
    if (sched_getaffinity(0, sizeof set, &set) == 0) printf("\"cores_used\":%d,", CPU_COUNT(&set));
    if (uname(&about) == 0) {
        snprintf(text, sizeof text, "%.80s %.80s %.80s", about.sysname, about.release, about.machine);
        put_text("kernel", text);
    }
}

void harness_environment(const struct harness_wants *wants, const struct harness_options *options)
{
    char text[TEXT_MAX];
    time_t const now = time(NULL);
    struct tm calendar;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &calendar));
    printf("{\"environment\":{");
    put_text("benchmark", wants->name);
    put_text("date", text);
    put_text("commit", harness_commit);
    put_machine();
    put_text("compiler", HARNESS_COMPILER);
    put_text("flags", HARNESS_FLAGS);
    record_parser_kernel(text, sizeof text);
    put_text("simdjson_kernel", text);
    put_text("simdjson_version", record_parser_version());
    if (confstr(_CS_GNU_LIBC_VERSION, text, sizeof text) != 0) put_text("libc_version", text);
    if (options->file != NULL && options->verify) put_dataset(options);
    printf("\"repetitions\":%u}}\n", options->rounds);
    fprintf(stderr, "%-34s %9s %9s %8s %9s %8s  %s\n", wants->name, "ns/item", "M/s", "GB/s", "CPU s/M",
            "spread", "correct");
}

/* ---- results ---- */

static void put_spread(const char *key, struct spread spread)
{
    printf("\"%s\":{\"median\":%.9f,\"min\":%.9f,\"max\":%.9f},", key, spread.median, spread.least,
           spread.most);
}

void harness_print(const struct harness_result *result)
{
    double wall[HARNESS_ROUNDS_MAX], cpu[HARNESS_ROUNDS_MAX];
    const struct harness_laps *laps = result->laps;
    for (unsigned i = 0; i < laps->count; i++) {
        wall[i] = (double)laps->laps[i].wall / 1e9;
        cpu[i] = (double)laps->laps[i].cpu / 1e9;
    }
    struct spread const walls = spread_of(wall, laps->count), cpus = spread_of(cpu, laps->count);
    double const items = (double)result->items, per_second = items / walls.median;
    double const rate = (double)result->bytes / walls.median / 1e9;
    printf("{");
    put_text("bench", result->bench);
    put_text("variant", result->variant);
    if (result->mode != NULL) put_text("mode", result->mode);
    printf("\"threads\":%u,\"items\":%llu,", result->threads, (unsigned long long)result->items);
    put_text("unit", result->unit);
    if (result->bytes != 0) printf("\"bytes\":%llu,", (unsigned long long)result->bytes);
    printf("\"repetitions\":%u,", laps->count);
    put_spread("wall_s", walls);
    put_spread("cpu_s", cpus);
    printf("\"ns_per_item\":%.3f,\"items_per_s\":%.0f,", 1e9 * walls.median / items, per_second);
    if (result->bytes != 0) printf("\"gb_per_s\":%.4f,", rate);
    printf("\"cpu_s_per_million\":%.5f,\"peak_rss_bytes\":%llu,\"verified\":%s,\"correct\":%s}\n",
           1e6 * cpus.median / items, (unsigned long long)laps->peak, result->verified ? "true" : "false",
           result->correct ? "true" : "false");
    fprintf(stderr, "  %-22s %-9s %9.1f %9.3f %8.3f %9.4f %7.1f%%  %s\n", result->variant,
            result->mode == NULL ? "" : result->mode, 1e9 * walls.median / items, per_second / 1e6, rate,
            1e6 * cpus.median / items, 100 * (walls.most - walls.least) / walls.median,
            !result->correct   ? "NO"
            : result->verified ? "yes"
                               : "not verified");
    any_wrong = any_wrong || !result->correct;
}

int harness_status(void)
{
    return any_wrong ? 1 : 0;
}
