/* test_machine_nodes.c - lists of CPUs, a made-up /sys with nodes, which worker goes where, and pinning. */
#define _GNU_SOURCE 1 /* sched_getcpu() */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/cli/machine_nodes.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool has(const struct machine_cpus_of_node *cpus, uint32_t cpu)
{
    return (cpus->bits[cpu / 64] >> cpu % 64 & 1) != 0;
}

static void parses_lists(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t count, first, last;
    } good[] = {{"0", 1, 0, 0},         {"0-3\n", 4, 0, 3},        {"0-3,8-11,64", 9, 0, 64},
                {"5,5,4-6\n", 3, 4, 6}, {"8191\n", 1, 8191, 8191}, {"0-8191", 8192, 0, 8191},
                {"63-64\n", 2, 63, 64}};
    struct machine_cpus_of_node cpus;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_true(machine_nodes_parse(good[i].text, &cpus));
        assert_int_equal(cpus.count, good[i].count);
        assert_true(has(&cpus, good[i].first) && has(&cpus, good[i].last));
    }
    assert_true(machine_nodes_parse("", &cpus) && cpus.count == 0);
    assert_true(machine_nodes_parse("\n", &cpus) && cpus.count == 0); /* a node with memory alone */
    static const char *const bad[] = {"x",    "-1",  "1-",   "3-1",   "0-8192",
                                      "8192", "1 2", "1,,2", "1-2-3", "99999999999999999999",
                                      " 1",   "0x1"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(machine_nodes_parse(bad[i], &cpus));
}

/* ---- a made-up machine ---- */

static char root[] = "/tmp/test_machine_nodes_XXXXXX";

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

static void put_node(unsigned number, const char *list)
{
    char command[256];
    snprintf(command, sizeof command,
             "mkdir -p '%s/sys/devices/system/node/node%u' && printf '%s\\n' > "
             "'%s/sys/devices/system/node/node%u/cpulist'",
             root, number, list, root, number);
    assert_int_equal(system(command), 0);
}

static void reads_nodes_that_may_be_used(void **state)
{
    (void)state;
    static struct machine_nodes nodes;
    struct machine_cpus_of_node allowed;
    assert_true(machine_nodes_parse("0-23", &allowed));
    machine_nodes_read(root, &allowed, &nodes);
    assert_int_equal(nodes.count, 0);
    put_node(0, "0-7,16-31");
    put_node(1, "8-15");
    put_node(2, "");      /* memory alone */
    put_node(3, "32-63"); /* not ours */
    put_node(7, "24,23");
    put_node(8, "nonsense");
    machine_nodes_read(root, &allowed, &nodes);
    assert_int_equal(nodes.count, 3);
    assert_int_equal(nodes.list[0].count, 16);
    assert_false(has(&nodes.list[0], 24));
    assert_int_equal(nodes.list[1].count, 8);
    assert_int_equal(nodes.list[2].count, 1);
    assert_true(has(&nodes.list[2], 23));
}

/* ---- places ---- */

static void places_in_proportion(void **state)
{
    (void)state;
    static struct machine_nodes nodes = {.count = 3, .list = {{.count = 4}, {.count = 8}, {.count = 4}}};
    for (uint32_t workers = 1; workers <= 64; workers++) {
        uint32_t got[3] = {0}, last = 0;
        for (uint32_t w = 0; w < workers; w++) {
            uint32_t const node = machine_nodes_place(&nodes, w, workers);
            assert_in_range(node, last, 2); /* neighbours together */
            got[last = node]++;
        }
        /* no node has more than its share, rounded up */
        for (uint32_t n = 0; n < 3; n++)
            assert_in_range(got[n], 0, (workers * nodes.list[n].count + 15) / 16);
        if (workers % 16 == 0) assert_int_equal(got[1], workers / 2);
    }
    nodes.count = 0;
    assert_int_equal(machine_nodes_place(&nodes, 3, 4), 0);
    nodes.count = 1;
    assert_int_equal(machine_nodes_place(&nodes, 3, 4), 0);
    assert_int_equal(machine_nodes_place(&nodes, 0, 0), 0);
}

/* ---- this machine ---- */

static void *pin_to_one(void *argument)
{
    struct machine_nodes *const nodes = argument;
    struct machine_cpus_of_node left;
    assert_true(machine_nodes_pin(nodes, 0));
    assert_true(machine_nodes_allowed(&left));
    assert_int_equal(left.count, 1);
    assert_true(has(&nodes->list[0], (uint32_t)sched_getcpu()));
    memset(&nodes->list[1], 0, sizeof nodes->list[1]);
    assert_false(machine_nodes_pin(nodes, 1)); /* no CPU at all */
    return NULL;
}

static void pins_the_calling_thread_alone(void **state)
{
    (void)state;
    static struct machine_nodes nodes = {.count = 2};
    struct machine_cpus_of_node before, after;
    assert_true(machine_nodes_allowed(&before));
    assert_true(before.count >= 1);
    uint32_t cpu = 0;
    while (!has(&before, cpu))
        cpu++;
    nodes.list[0].bits[cpu / 64] = UINT64_C(1) << cpu % 64;
    nodes.list[0].count = 1;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, pin_to_one, &nodes), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(machine_nodes_allowed(&after));
    assert_memory_equal(&before, &after, sizeof before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_lists),
        cmocka_unit_test_setup_teardown(reads_nodes_that_may_be_used, make_root, remove_root),
        cmocka_unit_test(places_in_proportion),
        cmocka_unit_test(pins_the_calling_thread_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
