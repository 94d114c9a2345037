/* bench_command.c - runs a command and says what it took, as one JSON line on standard output:
 *
 *   bench_command [--cpu N] [--stdout PATH] COMMAND [ARGUMENT...]
 *
 * Wall time is from before the start of the process to its end, CPU time and peak memory are the kernel's
 * (wait4), grandchildren that it waited for included. A process of its own, small, because a child's peak
 * memory is never less than that of who forked it. The command's standard output is dropped unless --stdout
 * names a file. Ends with the command's status, 128 + N after signal N. Thread: main. */
#include "bench/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static _Noreturn void run(char **command, const char *cpu, int output)
{
    if (cpu != NULL) harness_pin(cpu);
    if (dup2(output, STDOUT_FILENO) < 0) harness_fail("standard output: %s", strerror(errno));
    execvp(command[0], command);
    harness_fail("%s: %s", command[0], strerror(errno));
}

int main(int argc, char **argv)
{
    const char *cpu = NULL, *output = "/dev/null";
    int at = 1;
    for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
        if (strcmp(argv[at], "--cpu") == 0)
            cpu = argv[at + 1];
        else if (strcmp(argv[at], "--stdout") == 0)
            output = argv[at + 1];
        else
            break;
    }
    if (at >= argc || argv[at][0] == '-') {
        fputs("usage: bench_command [--cpu N] [--stdout PATH] COMMAND [ARGUMENT...]\n", stderr);
        return 2;
    }
    int const descriptor = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor < 0) harness_fail("%s: %s", output, strerror(errno));
    struct harness_time const began = harness_now();
    pid_t const child = fork();
    if (child < 0) harness_fail("fork: %s", strerror(errno));
    if (child == 0) run(argv + at, cpu, descriptor);
    struct rusage usage;
    int status;
    while (wait4(child, &status, 0, &usage) < 0)
        if (errno != EINTR) harness_fail("wait4: %s", strerror(errno));
    double const wall = (double)(harness_now().wall - began.wall) / 1e9;
    int const ended = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    printf("{\"wall_s\":%.9f,\"user_s\":%.6f,\"sys_s\":%.6f,\"peak_rss_bytes\":%lld,\"status\":%d}\n", wall,
           seconds(usage.ru_utime), seconds(usage.ru_stime), (long long)usage.ru_maxrss * 1024, ended);
    return ended;
}
