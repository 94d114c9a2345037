/* s3_port.c - the port over a real client. Thread: main. Owns nothing. */
#include "io/s3/s3_port.h"

#include <time.h>

static enum status run(void *context, struct s3_call *call, bool uninterrupted)
{
    return s3_client_run(context, call, uninterrupted);
}

static void pause_for(void *context, uint32_t ms)
{
    (void)context;
    struct timespec const pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&pause, NULL); /* a signal may cut it short: whoever waits looks for it next */
}

struct s3_port s3_port_of(struct s3_client *client, const char *bucket, const char *expected_owner)
{
    return (struct s3_port){.context = client,
                            .run = run,
                            .pause = pause_for,
                            .bucket = bucket,
                            .expected_owner = expected_owner};
}

enum status s3_port_run(const struct s3_port *port, struct s3_call *call, bool uninterrupted,
                        struct fault *fault)
{
    call->op.expected_owner = port->expected_owner;
    enum status const status = port->run(port->context, call, uninterrupted);
    if (status == STATUS_OK) return STATUS_OK;
    return fault_set(fault, status, "%s", call->fault.message);
}
