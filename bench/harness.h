/* harness.h - what the benchmark programs share: their flags, time, medians, one JSON line a result.
 *
 * A benchmark verifies first and then times: every program works out what its laps must find in another way,
 * compares each lap with that, and prints "correct":false and ends with 1 when one differs. JSON lines go to
 * standard output (the first one is the environment), a table for people to standard error.
 *
 * Thread rule: main thread. A program of ours: what goes wrong ends it, with a message (harness_fail). */
#ifndef PENSTOCK_BENCH_HARNESS_H
#define PENSTOCK_BENCH_HARNESS_H

#include "io/input/source_file.h"

#include <stdbool.h>
#include <stdint.h>

/* Laps of one measurement: more say nothing new. */
#define HARNESS_ROUNDS_MAX 1000u

/* Of the tree that was built, "-dirty" behind it when files differ; made by commit.cmake. */
extern const char harness_commit[];

struct harness_options {
    const char *file, *job; /* NULL: not given */
    bool read, mmap;        /* which ways of reading */
    bool verify;
    unsigned rounds;
};

/* What a program takes besides --rounds, --cpu and --no-verify. */
struct harness_wants {
    const char *name, *about;
    bool file, job;
};

/* Ends the program with 2 on wrong usage, with 0 after --help. */
struct harness_options harness_options(int argc, char **argv, const struct harness_wants *wants);
/* The benchmark can't go on: message, exit status 1. */
_Noreturn void harness_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Keeps the calling thread on one CPU; ends the program when it can't. */
void harness_pin(const char *cpu);

struct harness_time {
    uint64_t wall, cpu; /* nanoseconds: CLOCK_MONOTONIC; user and system time of the process (getrusage) */
};

struct harness_laps {
    struct harness_time laps[HARNESS_ROUNDS_MAX];
    unsigned count;
    uint64_t peak; /* resident bytes of the process, the most in any of these laps */
};

struct harness_time harness_now(void);
/* Begins a lap: the peak of memory counts from here. */
struct harness_time harness_begin(void);
void harness_lap(struct harness_laps *laps, struct harness_time began);

struct harness_result {
    const char *bench, *variant, *mode; /* mode: how the file was read; NULL: no file */
    const char *unit;                   /* what an item is: "record", "hand-off" */
    uint64_t items, bytes;              /* of one lap; bytes of input, 0: none */
    unsigned threads;
    bool verified; /* the laps were compared with an independent result */
    bool correct;
    const struct harness_laps *laps;
};

/* The environment block. Hashes the dataset when options->verify is set. */
void harness_environment(const struct harness_wants *wants, const struct harness_options *options);
void harness_print(const struct harness_result *result);
/* 1 when any printed result was wrong. */
int harness_status(void);

const char *harness_mode_name(enum source_mode mode);

#endif
