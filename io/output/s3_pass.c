/* s3_pass.c - errands for many uploads, a bounded number at once. Thread: the assembler's. Owns nothing. */
#include "io/output/s3_pass.h"

struct passing {
    const struct s3_pass *pass;
    enum status status; /* the first failure */
    bool stopping;
};

static void stop(struct s3_delivery *delivery, struct passing *passing, enum status status)
{
    if (status == STATUS_OK) return;
    if (passing->status == STATUS_OK) passing->status = status;
    if (!passing->stopping) s3_client_hurry(delivery->options.client, S3_ABORT_SECONDS * 1000);
    passing->stopping = true;
}

static void look_at_the_clock(struct s3_delivery *delivery, struct passing *passing, struct fault *fault)
{
    const struct s3_pass *const pass = passing->pass;
    if (pass->deadline != 0 && !passing->stopping && s3_delivery_now() >= pass->deadline) {
        passing->stopping = true;
        s3_client_cancel(delivery->options.client);
    }
    if (!pass->uninterrupted && passing->status == STATUS_OK)
        stop(delivery, passing, s3_delivery_interrupted(delivery, fault));
}

/* Settles what came back, until at most `most` errands are out. */
static void drain(struct s3_delivery *delivery, struct passing *passing, size_t most, struct fault *fault)
{
    for (;;) {
        struct s3_errand *errand;
        while ((errand = s3_errand_reap(delivery)) != NULL)
            stop(delivery, passing,
                 passing->pass->finish(delivery, errand, passing->status == STATUS_OK ? fault : NULL));
        look_at_the_clock(delivery, passing, fault);
        if (delivery->out <= most) return;
        s3_client_wait(delivery->options.client);
    }
}

enum status s3_pass_run(struct s3_delivery *delivery, const struct s3_pass *pass, struct fault *fault)
{
    struct passing passing = {.pass = pass};
    size_t const most = (size_t)S3_ERRANDS_A_CONNECTION * delivery->options.connections;
    uint32_t const count = pass->over_found ? delivery->found_count : delivery->count;
    for (uint32_t i = 0; i < count && !passing.stopping; i++) {
        struct s3_upload *const upload = pass->over_found ? delivery->found[i] : delivery->uploads[i];
        if ((pass->of_stage && upload->stage != pass->stage) || !pass->wants(upload)) continue;
        drain(delivery, &passing, most - 1, fault);
        /* long lists of parts do not wait beside each other; and after a failure nothing more is begun */
        if (delivery->complete_parts + upload->part_count > S3_COMPLETE_PARTS_MAX || delivery->doubts != 0)
            drain(delivery, &passing, 0, fault);
        if (!passing.stopping) stop(delivery, &passing, pass->start(delivery, upload, fault));
    }
    drain(delivery, &passing, 0, fault);
    return passing.status;
}
