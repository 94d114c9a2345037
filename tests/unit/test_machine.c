/* test_machine.c - quotas of cgroups in a made-up /proc and /sys, and the clocks of this machine. */
#define _GNU_SOURCE 1 /* sched_setaffinity() */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "io/cli/machine.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- a made-up machine ---- */

struct file {
    const char *path, *text;
};

static char root[] = "/tmp/test_machine_XXXXXX";

static int make_root(void **state)
{
    (void)state;
    memcpy(root + sizeof root - 7, "XXXXXX", 6);
    return mkdtemp(root) == NULL;
}

static int remove_root(void **state)
{
    char command[sizeof root + 20];
    (void)state;
    snprintf(command, sizeof command, "rm -r '%s'", root);
    return system(command);
}

static void put(const struct file *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s%s", root, files[i].path);
        for (char *slash = path + sizeof root; (slash = strchr(slash, '/')) != NULL; slash++) {
            *slash = '\0';
            (void)mkdir(path, 0777); /* it may be there */
            *slash = '/';
        }
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(files[i].text, file);
        assert_int_equal(fclose(file), 0);
    }
}

/* ---- quotas ---- */

static void has_no_quota_without_cgroups(void **state)
{
    (void)state;
    assert_int_equal(machine_cgroup_cpus(root, 7), 7);
    assert_int_equal(machine_cgroup_memory(root, 1000), 1000);
    static const struct file files[] = {{"/proc/self/cgroup", "nonsense\n\n1:\n0::\n"}};
    put(files, COUNT(files));
    assert_int_equal(machine_cgroup_cpus(root, 7), 7);
}

static void reads_version_2(void **state)
{
    (void)state;
    static const struct file files[] = {
        {"/proc/self/cgroup", "0::/a/b\n"},
        {"/sys/fs/cgroup/a/b/cpu.max", "max 100000\n"},
        {"/sys/fs/cgroup/a/b/memory.max", "5000000\n"},
        {"/sys/fs/cgroup/a/cpu.max", "250000 100000\n"},
        {"/sys/fs/cgroup/a/memory.max", "4000000\n"},
        {"/sys/fs/cgroup/memory.max", "max\n"},
    };
    put(files, COUNT(files));
    assert_int_equal(machine_cgroup_cpus(root, 64), 3); /* 2.5, rounded up */
    assert_int_equal(machine_cgroup_cpus(root, 2), 2);
    assert_int_equal(machine_cgroup_memory(root, UINT64_MAX), 4000000);
    assert_int_equal(machine_cgroup_memory(root, 1000), 1000);
}

/* In a container the path of the host may not be there: the mount's root counts. */
static void reads_the_root_in_a_container(void **state)
{
    (void)state;
    static const char *const cgroups[] = {"0::/\n", "0::/docker/0123/x\n", "0::/../../outside\n"};
    for (size_t i = 0; i < COUNT(cgroups); i++) {
        struct file const files[] = {{"/proc/self/cgroup", cgroups[i]},
                                     {"/sys/fs/cgroup/cpu.max", "100000 100000\n"},
                                     {"/sys/fs/cgroup/memory.max", "12345678\n"}};
        put(files, COUNT(files));
        assert_int_equal(machine_cgroup_cpus(root, 64), 1);
        assert_int_equal(machine_cgroup_memory(root, UINT64_MAX), 12345678);
    }
}

static void reads_version_1(void **state)
{
    (void)state;
    static const struct file files[] = {
        {"/proc/self/cgroup", "12:memory:/m\n3:name=systemd:/s\n4:cpuset,cpu,cpuacct:/quota/c\n"},
        /* a folder that is called as the file's name is split */
        {"/sys/fs/cgroup/cpu/quota/c/cpu.cfs_quota_us", "-1\n"},
        {"/sys/fs/cgroup/cpu/quota/c/cpu.cfs_period_us", "100000\n"},
        {"/sys/fs/cgroup/cpu/quota/cpu.cfs_quota_us", "150000\n"},
        {"/sys/fs/cgroup/cpu/quota/cpu.cfs_period_us", "50000\n"},
        {"/sys/fs/cgroup/memory/m/memory.limit_in_bytes", "9223372036854771712\n"},
        {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "777777\n"},
    };
    put(files, COUNT(files));
    assert_int_equal(machine_cgroup_cpus(root, 64), 3);
    assert_int_equal(machine_cgroup_memory(root, UINT64_MAX), 777777);
}

static void passes_over_broken_files(void **state)
{
    (void)state;
    static const struct file files[] = {
        {"/proc/self/cgroup", "0::/a\n4:cpu:/b\n"},
        {"/sys/fs/cgroup/a/cpu.max", "100000 0\n"},
        {"/sys/fs/cgroup/cpu.max", ""},
        {"/sys/fs/cgroup/a/memory.max", "many\n"},
        {"/sys/fs/cgroup/cpu/b/cpu.cfs_quota_us", "100000\n"}, /* no period */
        {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "0\n"},
    };
    put(files, COUNT(files));
    assert_int_equal(machine_cgroup_cpus(root, 5), 5);
    assert_int_equal(machine_cgroup_memory(root, 5), 5);
}

/* ---- this machine ---- */

static void counts_cpus(void **state)
{
    (void)state;
    uint32_t const all = machine_cpus();
    assert_in_range(all, 1, LIMIT_THREADS);
    cpu_set_t before, one;
    if (sched_getaffinity(0, sizeof before, &before) != 0) skip(); /* more CPUs than a cpu_set_t holds */
    size_t first = 0;
    while (!CPU_ISSET(first, &before))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(machine_cpus(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    assert_int_equal(machine_cpus(), all);
}

static void knows_memory_and_time(void **state)
{
    (void)state;
    assert_in_range(machine_memory_default(), LIMIT_MIB, 2048 * LIMIT_MIB);
    assert_true(machine_peak_rss() >= 100 * LIMIT_KIB);
    uint64_t last = machine_now();
    for (int i = 0; i < 1000; i++) {
        uint64_t const now = machine_now();
        assert_true(now >= last);
        last = now;
    }
    assert_true(machine_wall_milliseconds() > INT64_C(1577836800000)); /* 2020 */
}

static void makes_run_ids(void **state)
{
    (void)state;
    char ids[64][17];
    for (size_t i = 0; i < COUNT(ids); i++) {
        memset(ids[i], 'Z', sizeof ids[i]);
        machine_run_id(ids[i]);
        assert_int_equal(strlen(ids[i]), 16);
        assert_int_equal(strspn(ids[i], "0123456789abcdef"), 16);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(ids[i], ids[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(has_no_quota_without_cgroups, make_root, remove_root),
        cmocka_unit_test_setup_teardown(reads_version_2, make_root, remove_root),
        cmocka_unit_test_setup_teardown(reads_the_root_in_a_container, make_root, remove_root),
        cmocka_unit_test_setup_teardown(reads_version_1, make_root, remove_root),
        cmocka_unit_test_setup_teardown(passes_over_broken_files, make_root, remove_root),
        cmocka_unit_test(counts_cpus),
        cmocka_unit_test(knows_memory_and_time),
        cmocka_unit_test(makes_run_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
