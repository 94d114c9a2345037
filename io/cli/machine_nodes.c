/* machine_nodes.c - see the header. Any thread. Owns nothing. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "io/cli/machine_nodes.h"

#include <ctype.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longest list: "8191," for every other CPU. */
enum { LIST_SIZE = 32768, PATH_SIZE = 4096 };

/* Node numbers that are looked at: Linux's largest NODES_SHIFT is 10. */
#define NODE_NUMBERS 1024u

static bool has_cpu(const struct machine_cpus_of_node *cpus, uint32_t cpu)
{
    return (cpus->bits[cpu / 64] >> cpu % 64 & 1) != 0;
}

static void add_cpu(struct machine_cpus_of_node *cpus, uint32_t cpu)
{
    cpus->count += !has_cpu(cpus, cpu);
    cpus->bits[cpu / 64] |= UINT64_C(1) << cpu % 64;
}

/* A number at *at, which is moved behind it. */
static bool parse_cpu(const char **at, uint32_t *cpu)
{
    if (!isdigit((unsigned char)**at)) return false;
    char *end;
    unsigned long const number = strtoul(*at, &end, 10);
    *at = end;
    *cpu = (uint32_t)number;
    return number < MACHINE_CPUS_MAX;
}

bool machine_nodes_parse(const char *text, struct machine_cpus_of_node *cpus)
{
    uint32_t first, last;
    *cpus = (struct machine_cpus_of_node){.count = 0};
    while (*text != '\0' && *text != '\n') {
        if (!parse_cpu(&text, &first)) return false;
        last = first;
        if (*text == '-') {
            text++;
            if (!parse_cpu(&text, &last) || last < first) return false;
        }
        for (uint32_t cpu = first; cpu <= last; cpu++)
            add_cpu(cpus, cpu);
        if (*text != ',') return *text == '\0' || *text == '\n';
        text++;
    }
    return true;
}

/* False: there is no such node, or its list is not understood. */
static bool read_node(const char *root, uint32_t number, struct machine_cpus_of_node *cpus)
{
    char path[PATH_SIZE], text[LIST_SIZE];
    snprintf(path, sizeof path, "%s/sys/devices/system/node/node%u/cpulist", root, number);
    FILE *const file = fopen(path, "re");
    if (file == NULL) return false;
    bool const good = fgets(text, sizeof text, file) != NULL && machine_nodes_parse(text, cpus);
    fclose(file);
    return good;
}

static void keep_allowed(struct machine_cpus_of_node *cpus, const struct machine_cpus_of_node *allowed)
{
    cpus->count = 0;
    for (size_t w = 0; w < sizeof cpus->bits / sizeof cpus->bits[0]; w++) {
        cpus->bits[w] &= allowed->bits[w];
        cpus->count += (uint32_t)__builtin_popcountll(cpus->bits[w]);
    }
}

void machine_nodes_read(const char *root, const struct machine_cpus_of_node *allowed,
                        struct machine_nodes *nodes)
{
    nodes->count = 0;
    for (uint32_t n = 0; n < NODE_NUMBERS && nodes->count < MACHINE_NODES_MAX; n++) {
        struct machine_cpus_of_node *const cpus = &nodes->list[nodes->count];
        if (!read_node(root, n, cpus)) continue;
        keep_allowed(cpus, allowed);
        if (cpus->count != 0) nodes->count++;
    }
}

bool machine_nodes_allowed(struct machine_cpus_of_node *cpus)
{
    size_t const bytes = CPU_ALLOC_SIZE(MACHINE_CPUS_MAX);
    cpu_set_t *const set = CPU_ALLOC(MACHINE_CPUS_MAX);
    *cpus = (struct machine_cpus_of_node){.count = 0};
    bool const known = set != NULL && sched_getaffinity(0, bytes, set) == 0;
    for (uint32_t cpu = 0; known && cpu < MACHINE_CPUS_MAX; cpu++)
        if (CPU_ISSET_S(cpu, bytes, set)) add_cpu(cpus, cpu);
    if (set != NULL) CPU_FREE(set);
    return known;
}

uint32_t machine_nodes_place(const struct machine_nodes *nodes, uint32_t worker, uint32_t workers)
{
    uint64_t all = 0, passed = 0;
    for (uint32_t n = 0; n < nodes->count; n++)
        all += nodes->list[n].count;
    uint64_t const cpu = workers == 0 ? 0 : (2 * (uint64_t)worker + 1) * all / (2 * (uint64_t)workers);
    for (uint32_t n = 0; n < nodes->count; n++) {
        passed += nodes->list[n].count;
        if (cpu < passed) return n;
    }
    return 0;
}

bool machine_nodes_pin(const struct machine_nodes *nodes, uint32_t node)
{
    size_t const bytes = CPU_ALLOC_SIZE(MACHINE_CPUS_MAX);
    cpu_set_t *const set = CPU_ALLOC(MACHINE_CPUS_MAX);
    if (set == NULL) return false;
    CPU_ZERO_S(bytes, set);
    for (uint32_t cpu = 0; cpu < MACHINE_CPUS_MAX; cpu++)
        if (has_cpu(&nodes->list[node], cpu)) CPU_SET_S(cpu, bytes, set);
    bool const pinned = sched_setaffinity(0, bytes, set) == 0; /* of this thread alone */
    CPU_FREE(set);
    return pinned;
}
