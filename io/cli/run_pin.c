/* run_pin.c - see the header. Threads: main; start_worker() is each worker's. Owns the nodes of the run. */
#include "io/cli/run_pin.h"

#include "core/base/limits.h"
#include "io/cli/machine_nodes.h"

#include <stdlib.h>
#include <string.h>

/* A node that the kernel does not let the worker stay on costs speed alone. */
static void start_worker(void *context, uint32_t worker)
{
    const struct run *const run = context;
    (void)machine_nodes_pin(run->nodes, run->node_of[worker]);
}

enum status run_pin_read(struct run *run, struct fault *fault)
{
    const char *const wanted = getenv("PENSTOCK_PIN");
    if (wanted == NULL || wanted[0] == '\0' || strcmp(wanted, "none") == 0) return STATUS_OK;
    run->pins = strcmp(wanted, "numa") == 0;
    if (run->pins) return STATUS_OK;
    return fault_set(fault, STATUS_USAGE, "PENSTOCK_PIN: '%.40s' is not known; allowed are numa and none",
                     wanted);
}

static enum status read_nodes(struct run *run, struct fault *fault)
{
    struct machine_cpus_of_node allowed;
    run->nodes = malloc(sizeof *run->nodes);
    run->node_of = calloc(LIMIT_THREADS, sizeof *run->node_of);
    if (run->nodes == NULL || run->node_of == NULL)
        return fault_set(fault, STATUS_IO, "no memory for PENSTOCK_PIN");
    run->nodes->count = 0;
    if (machine_nodes_allowed(&allowed)) machine_nodes_read("", &allowed, run->nodes);
    log_detail(run->logger, "PENSTOCK_PIN: %u NUMA %s", run->nodes->count,
               run->nodes->count < 2 ? "node: nothing is pinned" : "nodes");
    return STATUS_OK;
}

enum status run_pin_start(struct run *run, struct fault *fault)
{
    if (!run->pins) return STATUS_OK;
    if (run->nodes == NULL && read_nodes(run, fault) != STATUS_OK) return STATUS_IO;
    if (run->nodes->count < 2) return STATUS_OK;
    for (uint32_t w = 0; w < run->pipeline.threads; w++)
        run->node_of[w] = (uint8_t)machine_nodes_place(run->nodes, w, run->pipeline.threads);
    run->pipeline.nodes = run->node_of;
    run->pipeline.start = start_worker;
    run->pipeline.start_context = run;
    return STATUS_OK;
}

_Static_assert(MACHINE_NODES_MAX <= UINT8_MAX && MACHINE_NODES_MAX <= CHUNK_POOL_NODES,
               "a node's number fits, and chunks are told apart by it");

void run_pin_close(struct run *run)
{
    free(run->nodes);
    free(run->node_of);
}
