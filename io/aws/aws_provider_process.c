/* aws_provider_process.c - credential_process: a helper program that prints credentials as JSON.
 *
 * Facts: "Process credential provider" of the SDK guide; the words of its command line as botocore parts
 * them. It is started without a shell, in a process group of its own, so that a helper that hangs is ended
 * with all that it started. Its standard error is ours: its words for the person; its standard output is
 * secret and is never shown. Its command line isn't either: people put passwords there. Thread rule:
 * reentrant. Owns the child and the pipe until the helper has ended. */
#include "io/aws/aws_json.h"
#include "io/aws/aws_source.h"
#include "io/aws/aws_words.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How often it is asked whether the run shall stop, or whether the child has ended after its output did. */
#define PROCESS_SLICE_MS 50

struct process {
    const struct aws_source *source;
    const char *where;
    struct fault *fault;
    pid_t child;
    int output; /* the pipe's end to read; -1: closed */
    int64_t deadline_ms;
    char *text; /* AWS_JSON_BYTES_MAX + 1 */
    size_t length;
};

static bool process_refuse(struct process *process, enum status status, const char *what)
{
    fault_set(process->fault, status, "%s: %s", process->where, what);
    return false;
}

/* The child reads nothing, gets signals as a new program does, and writes into the pipe. */
static int process_spawn(struct process *process, char *const words[], int write_end)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return error;
    error = posix_spawnattr_init(&attributes);
    if (error != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return error;
    }
    error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, write_end, STDOUT_FILENO);
    if (error == 0)
        error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                          POSIX_SPAWN_SETSIGDEF);
    if (error == 0) error = posix_spawnattr_setsigmask(&attributes, &none);
    if (error == 0) error = posix_spawnattr_setsigdefault(&attributes, &all);
    if (error == 0) error = posix_spawnp(&process->child, words[0], &actions, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static bool process_start(struct process *process, char *const words[])
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return process_refuse(process, STATUS_IO, strerror(errno));
    /* Where standard input or output are closed, a new descriptor may be one of them; dup2 onto itself would
     * then leave it to be closed by exec. */
    int const write_end =
        ends[1] > STDERR_FILENO ? ends[1] : fcntl(ends[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int const error = write_end < 0 ? errno : process_spawn(process, words, write_end);
    if (write_end >= 0 && write_end != ends[1]) close(write_end);
    close(ends[1]);
    process->output = ends[0];
    if (error == 0) return true;
    close(ends[0]);
    process->output = -1;
    fault_set(process->fault, STATUS_RIGHTS, "%s: the program can't be started: %s", process->where,
              strerror(error));
    return false;
}

/* False: no time is left, or the run stops. */
static bool process_may_go_on(struct process *process)
{
    if (!aws_source_pause(process->source, 0, process->fault)) return false;
    if (aws_source_milliseconds() < process->deadline_ms) return true;
    fault_set(process->fault, STATUS_TRY_AGAIN, "%s: it had not ended after %u seconds", process->where,
              process->source->tuning->process_ms / 1000);
    return false;
}

/* Reads to the end of its output. */
static bool process_read(struct process *process)
{
    for (;;) {
        if (!process_may_go_on(process)) return false;
        struct pollfd ready = {.fd = process->output, .events = POLLIN};
        if (poll(&ready, 1, PROCESS_SLICE_MS) <= 0) continue;
        ssize_t const got =
            read(process->output, process->text + process->length, AWS_JSON_BYTES_MAX + 1 - process->length);
        if (got == 0) return true;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return process_refuse(process, STATUS_IO, strerror(errno));
        process->length += (size_t)got;
        if (process->length > AWS_JSON_BYTES_MAX)
            return process_refuse(process, STATUS_RIGHTS, "it printed more than 64 KiB");
    }
}

static bool process_ended_well(struct process *process, int end)
{
    if (WIFEXITED(end) && WEXITSTATUS(end) == 0) return true;
    if (WIFEXITED(end))
        fault_set(process->fault, STATUS_RIGHTS, "%s: it ended with %d; what it says is on standard error",
                  process->where, WEXITSTATUS(end));
    else
        fault_set(process->fault, STATUS_RIGHTS, "%s: it was ended by signal %d", process->where,
                  WTERMSIG(end));
    return false;
}

static bool process_wait(struct process *process)
{
    for (;;) {
        int end = 0;
        pid_t const waited = waitpid(process->child, &end, WNOHANG);
        if (waited == process->child) {
            process->child = 0;
            return process_ended_well(process, end);
        }
        if (waited < 0 && errno != EINTR) return process_refuse(process, STATUS_IO, strerror(errno));
        if (!process_may_go_on(process)) return false;
        poll(NULL, 0, PROCESS_SLICE_MS);
    }
}

static void process_end(struct process *process)
{
    if (process->output >= 0) close(process->output);
    if (process->child <= 0) return;
    /* Not reaped yet, so the group's number is still its own. */
    kill(-process->child, SIGKILL);
    while (waitpid(process->child, NULL, 0) < 0 && errno == EINTR)
        continue;
}

static enum aws_found process_run(struct process *process, char *const words[], struct aws_credentials *out)
{
    enum aws_found found = AWS_FAILED;
    process->deadline_ms = aws_source_milliseconds() + process->source->tuning->process_ms;
    if (process_start(process, words) && process_read(process) && process_wait(process))
        found = aws_source_json(process->source, process->text, process->length, true, "credential_process",
                                process->where, out, process->fault);
    process_end(process);
    return found;
}

/* The command line in words, then the run. `room` is of the command line's length and one. */
static enum aws_found process_parted(struct process *process, const char *command, char *room,
                                     struct aws_credentials *out)
{
    char *words[AWS_WORDS_MAX + 1];
    size_t count = 0;
    switch (aws_words_split(command, room, words, &count)) {
    case AWS_WORDS_OK: break;
    case AWS_WORDS_QUOTE:
        return aws_source_fail(process->fault, STATUS_RIGHTS, "%s: a quotation mark is not closed",
                               process->where);
    case AWS_WORDS_ESCAPE:
        return aws_source_fail(process->fault, STATUS_RIGHTS, "%s: nothing follows the last backslash",
                               process->where);
    case AWS_WORDS_MANY:
        return aws_source_fail(process->fault, STATUS_RIGHTS, "%s: more than %u words", process->where,
                               AWS_WORDS_MAX);
    }
    if (count == 0)
        return aws_source_fail(process->fault, STATUS_RIGHTS, "%s: names no program", process->where);
    return process_run(process, words, out);
}

enum aws_found aws_profile_process(struct aws_source *source, const struct aws_profile *profile,
                                   struct aws_credentials *out, struct fault *fault)
{
    const struct aws_setting *const setting = aws_profile_setting(profile, "credential_process");
    if (setting == NULL) return AWS_ABSENT;
    char where[1024];
    snprintf(where, sizeof where, "%s:%u: credential_process of profile '%s'", setting->file, setting->line,
             profile->name);
    size_t const room_size = strlen(setting->value) + 1;
    char *const room = malloc(room_size);
    struct process process = {.source = source,
                              .where = where,
                              .fault = fault,
                              .output = -1,
                              .text = malloc(AWS_JSON_BYTES_MAX + 1)};
    source->skew = 0; /* no server's clock is known */
    enum aws_found found = AWS_FAILED;
    if (room == NULL || process.text == NULL)
        fault_set(fault, STATUS_IO, "%s: no memory to run it", where);
    else
        found = process_parted(&process, setting->value, room, out);
    aws_wipe_free(process.text, AWS_JSON_BYTES_MAX + 1);
    aws_wipe_free(room, room_size);
    return found;
}

enum aws_found aws_source_process(struct aws_source *source, struct aws_credentials *out, struct fault *fault)
{
    return aws_profile_process(source, source->config->profile, out, fault);
}
