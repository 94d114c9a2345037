/* run_kernel.c - see the header. Thread: main. Owns nothing. */
#include "io/cli/run_kernel.h"

#include "core/record/record_walk.h"

#include <stdlib.h>

/* simdjson's own variable, which it reads itself; empty is a name like any other to it. */
#define VARIABLE "SIMDJSON_FORCE_IMPLEMENTATION"

enum status run_kernel_refuse(const char *wanted, const char *names, struct fault *fault)
{
    if (names[0] == '\0')
        return fault_set(
            fault, STATUS_USAGE,
            "this CPU lacks SSE4.2 or PCLMULQDQ, without which simdjson finds other defects in "
            "records: run penstock on an x86-64 CPU of 2011 or later (in a virtual machine: with "
            "a CPU model that has both)");
    return fault_set(fault, STATUS_USAGE,
                     VARIABLE ": '%.40s' is no kernel that finds the same defects everywhere and runs on "
                              "this CPU; allowed are %s: unset it or name one of them",
                     wanted == NULL ? "" : wanted, names);
}

enum status run_kernel_check(struct fault *fault)
{
    char names[128];
    if (record_parser_kernel_is_good()) return STATUS_OK;
    record_parser_kernels(names, sizeof names);
    return run_kernel_refuse(getenv(VARIABLE), names, fault);
}
