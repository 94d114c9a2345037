/* profilegen.c - a fast, seeded generator of invented AEP profiles, for tests and measurements.
 *
 * Records are written straight into one large buffer; what --irregular and --nasty change takes a detour
 * through a second one. Owns the output file and the truth file. One thread. */
#include "datasets/profilegen_nasty.h"
#include "datasets/profilegen_options.h"
#include "datasets/profilegen_record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_USAGE 2
#define EXIT_IO    74

/* Written to the file at once: fits a level 2 cache, and makes the calls rare. */
#define OUTPUT_FLUSH (512u * 1024)
/* Behind that there is room for the longest record of all. */
#define OUTPUT_BYTES (OUTPUT_FLUSH + TEXT_BYTES_MAX + RECORD_BYTES_MAX)

/* Which records --nasty and --irregular change must not depend on what is in them: streams of their own. */
#define NASTY_STREAM     0x6e61737479u
#define IRREGULAR_STREAM 0x6972726567u

struct output {
    const char *path; /* for messages */
    int file;
    char *buffer;
    size_t fill;
    uint64_t flushed; /* bytes that left the buffer */
    uint64_t lines;
};

struct run {
    struct options options;
    struct generator generator;
    struct output output;
    FILE *truth;
    char *scratch; /* TEXT_BYTES_MAX and RECORD_BYTES_MAX more: a record on its detour */
};

static int io_error(const char *path, const char *what, int error)
{
    fprintf(stderr, "profilegen: %s: %s: %s\n", path, what, strerror(error));
    return EXIT_IO;
}

static int output_flush(struct output *output)
{
    size_t done = 0;
    while (done < output->fill) {
        ssize_t const written = write(output->file, output->buffer + done, output->fill - done);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return io_error(output->path, "can't be written", written < 0 ? errno : ENOSPC);
        done += (size_t)written;
    }
    output->flushed += output->fill;
    output->fill = 0;
    return 0;
}

/* One line of the truth file. Kinds and codes are plain words: nothing to escape. */
static int tell_truth(struct run *run, uint64_t index, const struct nasty *nasty)
{
    struct output const *const output = &run->output;
    if (run->truth == NULL) return 0;
    if (fprintf(run->truth,
                "{\"record\":%" PRIu64 ",\"line\":%" PRIu64 ",\"offset\":%" PRIu64
                ",\"length\":%zu,\"kind\":\"%s\",\"code\":\"%s\"}\n",
                index + 1, output->lines + nasty->lines_before + 1,
                output->flushed + output->fill + nasty->offset, nasty->length, nasty->kind, nasty->code) < 0)
        return io_error(run->options.truth, "can't be written", errno);
    return 0;
}

/* A record that --nasty chose: broken, or odd. */
static int write_nasty(struct run *run, struct prng *prng, uint64_t index, bool broken)
{
    struct output *const output = &run->output;
    struct text text = {.data = run->scratch};
    struct nasty nasty;
    text.length = (size_t)(record_write(&run->generator, index, true, text.data) - text.data);
    if (broken)
        nasty_break(prng, &text, &nasty);
    else
        nasty_oddify(prng, &text, &nasty);
    int const status = broken ? tell_truth(run, index, &nasty) : 0;
    memcpy(output->buffer + output->fill, text.data, text.length);
    output->fill += text.length;
    output->lines += nasty.lines_before + 1;
    return status;
}

static void write_irregular(struct run *run, uint64_t index)
{
    struct output *const output = &run->output;
    struct prng prng = prng_stream(run->options.seed ^ IRREGULAR_STREAM, index);
    char *const begin = output->buffer + output->fill;
    char *const end = record_write(&run->generator, index, false, run->scratch);
    char *const after =
        text_drop_members(&prng, run->options.irregular, run->scratch, (size_t)(end - run->scratch), begin);
    *after = '\n';
    output->fill += (size_t)(after + 1 - begin);
    output->lines++;
}

static void write_plain(struct run *run, uint64_t index)
{
    struct output *const output = &run->output;
    char *const begin = output->buffer + output->fill;
    char *const end = record_write(&run->generator, index, false, begin);
    *end = '\n';
    output->fill += (size_t)(end + 1 - begin);
    output->lines++;
}

/* The first record is never nasty: by the first one a reader tells which kind of file this is. */
static int write_record(struct run *run, uint64_t index)
{
    struct options const *const options = &run->options;
    if (options->nasty > 0 && index > 0) {
        struct prng prng = prng_stream(options->seed ^ NASTY_STREAM, index);
        uint32_t const draw = prng_below(&prng, PRNG_SHARE_ONE);
        if (draw < options->nasty) return write_nasty(run, &prng, index, true);
        if (draw - options->nasty < options->nasty) return write_nasty(run, &prng, index, false);
    }
    if (options->irregular > 0)
        write_irregular(run, index);
    else
        write_plain(run, index);
    return 0;
}

static int write_records(struct run *run)
{
    int status = 0;
    for (uint64_t index = 0; index < run->options.rows && status == 0; index++) {
        status = write_record(run, index);
        if (status == 0 && run->output.fill >= OUTPUT_FLUSH) status = output_flush(&run->output);
    }
    return status != 0 ? status : output_flush(&run->output);
}

/* Truth and records must not go to the same file: one would overwrite the other. Devices may be shared. */
static bool same_file(int a, int b)
{
    struct stat x;
    struct stat y;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && S_ISREG(x.st_mode) && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

static int open_files(struct run *run)
{
    struct options const *const options = &run->options;
    run->output.path = options->out != NULL ? options->out : "standard output";
    run->output.file = STDOUT_FILENO;
    if (options->out != NULL)
        run->output.file = open(options->out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (run->output.file < 0) return io_error(options->out, "can't be opened for writing", errno);
    if (options->truth == NULL) return 0;
    run->truth = fopen(options->truth, "we");
    if (run->truth == NULL) return io_error(options->truth, "can't be opened for writing", errno);
    if (same_file(run->output.file, fileno(run->truth))) {
        fprintf(stderr, "profilegen: --truth: '%s' is the file the records go to; give another path\n",
                options->truth);
        return EXIT_USAGE;
    }
    return 0;
}

/* A full disk may show as late as now. */
static int close_files(struct run *run, int status)
{
    if (run->truth != NULL && fclose(run->truth) != 0 && status == 0)
        status = io_error(run->options.truth, "can't be written", errno);
    if (run->output.file >= 0 && close(run->output.file) != 0 && status == 0)
        status = io_error(run->output.path, "can't be written", errno);
    return status;
}

int main(int count, char **arguments)
{
    struct run run = {.output.file = -1};
    switch (options_read(count, arguments, &run.options)) {
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_HELP:
        return fputs(options_help(), stdout) < 0 || fflush(stdout) != 0
                   ? io_error("standard output", "can't be written", errno)
                   : 0;
    case OPTIONS_RUN: break;
    }
    generator_init(&run.generator, run.options.seed, run.options.duplicates);
    run.output.buffer = malloc(OUTPUT_BYTES);
    run.scratch = malloc(TEXT_BYTES_MAX + RECORD_BYTES_MAX);
    if (run.output.buffer == NULL || run.scratch == NULL) text_own_error("out of memory", "");
    int status = open_files(&run);
    if (status == 0) status = write_records(&run);
    status = close_files(&run, status);
    free(run.scratch);
    free(run.output.buffer);
    return status;
}
