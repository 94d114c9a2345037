/* machine.h - what this machine gives the process: CPUs, memory, clocks. Main thread. */
#ifndef PENSTOCK_IO_CLI_MACHINE_H
#define PENSTOCK_IO_CLI_MACHINE_H

#include "core/flow/prepare.h"

#include <stddef.h>
#include <stdint.h>

/* CPUs that this process may use: its affinity, and the cgroup's quota rounded up (cgroup v2 cpu.max, v1
 * cpu.cfs_quota_us). At least 1, at most LIMIT_THREADS. */
uint32_t machine_cpus(void);
/* Of the machine or of the cgroup, page cache included. */
uint64_t machine_memory(void);
/* The default of --memory-limit: min(2 GiB, a quarter of the machine's memory or of the cgroup's). */
uint64_t machine_memory_default(void);
/* The same of cgroups alone, whose files are looked for below `root` ("", but in tests): what is given, or
 * the least quota on the way to the process's cgroup when that is less. */
uint64_t machine_cgroup_cpus(const char *root, uint64_t cpus);
uint64_t machine_cgroup_memory(const char *root, uint64_t bytes);
/* Lets the process open `count` files at once, as far as its hard limit goes. */
void machine_raise_files(uint64_t count);
uint64_t machine_peak_rss(void);         /* bytes */
uint64_t machine_now(void);              /* nanoseconds, steady */
int64_t machine_wall_milliseconds(void); /* since 1970 */
/* prepare_fn. */
void machine_prepare_memory(void *memory, size_t bytes, enum prepare_use use);
/* 16 lower-case hex digits and a terminator, random. */
void machine_run_id(char out[17]);

#endif
