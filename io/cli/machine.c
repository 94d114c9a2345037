/* machine.c - /proc, cgroups, clocks. Thread: main; machine_now() any. Owns nothing. */
#include "io/cli/machine.h"

#include "core/base/limits.h"

#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 4096, FILE_PATH = 3 * LINE };

/* The first line of a small file of the kernel's. */
static bool read_line(const char *path, char line[LINE])
{
    FILE *file = fopen(path, "re");
    if (file == NULL) return false;
    bool const good = fgets(line, LINE, file) != NULL;
    fclose(file);
    return good;
}

/* The path of this process in the hierarchy of a controller ("" is cgroup v2's); false: not in one. */
static bool cgroup_path(const char *root, const char *controller, char path[LINE])
{
    char line[FILE_PATH];
    snprintf(line, sizeof line, "%s/proc/self/cgroup", root);
    FILE *file = fopen(line, "re");
    bool found = false;
    if (file == NULL) return false;
    while (!found && fgets(line, LINE, file) != NULL) {
        char *names = strchr(line, ':');
        char *at = names == NULL ? NULL : strchr(names + 1, ':');
        if (at == NULL) continue;
        *at++ = '\0';
        at[strcspn(at, "\n")] = '\0';
        for (char *name = strtok(names + 1, ","); name != NULL && !found; name = strtok(NULL, ","))
            found = strcmp(name, controller) == 0;
        found = found || (controller[0] == '\0' && names[1] == '\0');
        if (found) memcpy(path, at, strlen(at) + 1);
    }
    fclose(file);
    return found;
}

/* Calls `read` for the file in this process's cgroup and in each one above it: a limit anywhere on the way
 * holds. Inside a container the path may not exist below the mount: then the mount's own root is what counts.
 */
static void cgroup_each(const char *root, const char *mount, const char *controller, const char *name,
                        void (*read)(const char *file, void *context), void *context)
{
    char path[LINE], file[FILE_PATH];
    if (!cgroup_path(root, controller, path)) return;
    for (;;) {
        snprintf(file, sizeof file, "%s/sys/fs/cgroup%s%s/%s", root, mount,
                 strcmp(path, "/") == 0 ? "" : path, name);
        read(file, context);
        char *slash = strrchr(path, '/');
        if (slash == NULL || path[0] == '\0' || strcmp(path, "/") == 0) return;
        *slash = '\0';
    }
}

static void keep_least(uint64_t *least, uint64_t value)
{
    if (value < *least) *least = value;
}

static void read_cpu_max(const char *file, void *context)
{
    char line[LINE];
    uint64_t quota, period;
    if (read_line(file, line) && sscanf(line, "%" SCNu64 " %" SCNu64, &quota, &period) == 2 && period != 0)
        keep_least(context, (quota + period - 1) / period);
}

static void read_cfs_quota(const char *file, void *context)
{
    char line[LINE], period_file[FILE_PATH + sizeof "/cpu.cfs_period_us"];
    int64_t quota;
    uint64_t period;
    if (!read_line(file, line) || sscanf(line, "%" SCNd64, &quota) != 1 || quota <= 0) return;
    snprintf(period_file, sizeof period_file, "%s", file);
    memcpy(strrchr(period_file, '/'), "/cpu.cfs_period_us", sizeof "/cpu.cfs_period_us");
    if (read_line(period_file, line) && sscanf(line, "%" SCNu64, &period) == 1 && period != 0)
        keep_least(context, ((uint64_t)quota + period - 1) / period);
}

static void read_bytes(const char *file, void *context)
{
    char line[LINE];
    uint64_t bytes; /* "max" is no number */
    if (read_line(file, line) && sscanf(line, "%" SCNu64, &bytes) == 1) keep_least(context, bytes);
}

uint64_t machine_cgroup_cpus(const char *root, uint64_t cpus)
{
    cgroup_each(root, "", "", "cpu.max", read_cpu_max, &cpus);
    cgroup_each(root, "/cpu", "cpu", "cpu.cfs_quota_us", read_cfs_quota, &cpus);
    return cpus;
}

uint64_t machine_cgroup_memory(const char *root, uint64_t bytes)
{
    cgroup_each(root, "", "", "memory.max", read_bytes, &bytes);
    cgroup_each(root, "/memory", "memory", "memory.limit_in_bytes", read_bytes, &bytes);
    return bytes;
}

uint32_t machine_cpus(void)
{
    uint64_t cpus = UINT64_MAX;
    /* as many bits as the largest Linux can have; a fixed cpu_set_t ends at 1,024 */
    size_t const bytes = CPU_ALLOC_SIZE(8192);
    cpu_set_t *set = CPU_ALLOC(8192);
    if (set != NULL && sched_getaffinity(0, bytes, set) == 0) cpus = (uint64_t)CPU_COUNT_S(bytes, set);
    if (set != NULL) CPU_FREE(set);
    if (cpus == UINT64_MAX) cpus = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
    cpus = machine_cgroup_cpus("", cpus);
    if (cpus < 1) cpus = 1;
    return cpus > LIMIT_THREADS ? LIMIT_THREADS : (uint32_t)cpus;
}

uint64_t machine_memory(void)
{
    uint64_t const memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    return machine_cgroup_memory("", memory);
}

uint64_t machine_memory_default(void)
{
    uint64_t const memory = machine_memory();
    uint64_t const most = 2048 * LIMIT_MIB;
    return memory / 4 < most ? memory / 4 : most;
}

void machine_raise_files(uint64_t count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= count) return;
    limit.rlim_cur = count < limit.rlim_max ? count : limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* whoever opens one too many says so */
}

uint64_t machine_peak_rss(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss * LIMIT_KIB : 0;
}

uint64_t machine_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int64_t machine_wall_milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void machine_prepare_memory(void *memory, size_t bytes, enum prepare_use use)
{
    uintptr_t const page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t const from = ((uintptr_t)memory + page - 1) / page * page;
    uintptr_t const to = ((uintptr_t)memory + bytes) / page * page;
    if (from >= to) return;
    /* EINVAL: a kernel without large pages, or before 5.14, where each page has its fault */
    if (use == PREPARE_SCATTERED) (void)madvise((void *)from, to - from, MADV_HUGEPAGE);
    (void)madvise((void *)from, to - from, MADV_POPULATE_WRITE);
}

void machine_run_id(char out[17])
{
    uint64_t id = 0;
    if (getrandom(&id, sizeof id, 0) != (ssize_t)sizeof id)
        id = machine_now() ^ (uint64_t)getpid() << 40; /* before the kernel's pool is ready: unique enough */
    snprintf(out, 17, "%016" PRIx64, id);
}
