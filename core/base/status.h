/* status.h - how every module says that something went wrong.
 *
 * A function that can fail returns an `enum status` and takes a `struct fault *` last. The status is the
 * program's exit status (the table "Exit statuses" of the README); the fault holds the sentence for the
 * person: what happened, where (file, line, key or byte), and the remedy. STATUS_OK leaves the fault alone.
 *
 * Thread rule: a fault belongs to the thread that fills it; it reaches another one by the pipeline's latch
 * only. */
#ifndef PENSTOCK_CORE_BASE_STATUS_H
#define PENSTOCK_CORE_BASE_STATUS_H

enum status {
    STATUS_OK = 0,
    STATUS_USAGE = 2,      /* command line */
    STATUS_INPUT = 65,     /* reject budget passed, no record at all, a form of input that is not supported */
    STATUS_NO_SOURCE = 66, /* a source is missing or may not be read */
    STATUS_INTERNAL = 70,  /* an invariant of ours failed */
    STATUS_EXISTS = 73,    /* a destination file exists already */
    STATUS_IO = 74,        /* input or output failed for good */
    STATUS_TRY_AGAIN = 75, /* gave up on a passing fault */
    STATUS_RIGHTS = 77,    /* credentials or rights */
    STATUS_JOB = 78,       /* job file, mapping, destination that does not exist */
    STATUS_INTERRUPTED = 130, /* SIGINT */
    STATUS_TERMINATED = 143   /* SIGTERM */
};

/* Longest message, terminator included; a longer one is cut and ends in "...". Room for two paths and a
 * sentence. */
#define FAULT_MESSAGE_MAX 2048

struct fault {
    enum status status;
    char message[FAULT_MESSAGE_MAX];
};

/* Fills `fault` (NULL is allowed: the text is dropped) and returns `status`, so that a failing function ends
 * with `return fault_set(fault, STATUS_IO, "%s: ...", path);`. */
enum status fault_set(struct fault *fault, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The status's name in reports and logs: "ok", "usage", "input", "no_source", ... Never NULL. */
const char *status_name(enum status status);

#endif
