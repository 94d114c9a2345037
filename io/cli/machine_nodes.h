/* machine_nodes.h - the NUMA nodes of this machine, as far as this process may use them, and threads that
 * stay on one (PENSTOCK_PIN=numa).
 *
 * A thread is pinned to all allowed CPUs of its node, not to one: the kernel still chooses among them, and
 * memory that the thread touches first is its node's.
 *
 * Thread rule: any; a struct is not changed once it was read. Owns nothing but what is in it. */
#ifndef PENSTOCK_IO_CLI_MACHINE_NODES_H
#define PENSTOCK_IO_CLI_MACHINE_NODES_H

#include <stdbool.h>
#include <stdint.h>

/* Linux's largest configurations (MAXSMP): 8,192 CPUs, and far fewer nodes than 1,024 that have any. */
#define MACHINE_CPUS_MAX  8192u
#define MACHINE_NODES_MAX 64u

struct machine_cpus_of_node {
    uint64_t bits[MACHINE_CPUS_MAX / 64]; /* CPU n is bit n % 64 of word n / 64 */
    uint32_t count;
};

struct machine_nodes {
    uint32_t count; /* with CPUs that this process may use; 0: not known */
    struct machine_cpus_of_node list[MACHINE_NODES_MAX];
};

/* A list as the kernel writes it ("0-3,8,10-11\n"; empty is fine): sets its bits. False: it is none, or has
 * CPUs from MACHINE_CPUS_MAX on. Pure. */
bool machine_nodes_parse(const char *text, struct machine_cpus_of_node *cpus);
/* The nodes below `root`/sys/devices/system/node (`root` is "", but in tests), in the order of their numbers;
 * those without CPUs of `allowed` are left out. Nothing there: count is 0. */
void machine_nodes_read(const char *root, const struct machine_cpus_of_node *allowed,
                        struct machine_nodes *nodes);
/* The CPUs that the calling thread may use. False: not known. */
bool machine_nodes_allowed(struct machine_cpus_of_node *cpus);
/* The node of worker number `worker` of `workers`: in proportion to the nodes' CPUs, neighbours together. 0
 * when no node is known. Pure. */
uint32_t machine_nodes_place(const struct machine_nodes *nodes, uint32_t worker, uint32_t workers);
/* Keeps the calling thread on the node. False: the kernel says no, and it goes on unpinned. */
bool machine_nodes_pin(const struct machine_nodes *nodes, uint32_t node);

#endif
