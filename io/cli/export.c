/* export.c - one run from options to exit status, in the order in which things can fail:
 *
 *   job -> plan -> sources -> memory -> destination -> report path, reject file -> names of manifests ->
 *   pipeline -> checks -> manifests -> commit -> report
 *
 * Thread: main. struct delivery owns everything that the run opens. */
#include "io/cli/export.h"

#include "io/cli/run.h"
#include "io/cli/run_convert.h"
#include "io/cli/run_names.h"
#include "io/cli/run_pega.h"
#include "io/cli/run_places.h"
#include "io/cli/run_report.h"
#include "io/cli/run_tracks.h"
#include "io/cli/signals.h"
#include "io/output/rejects.h"

/* One delivery: a run, and what comes out of it. */
struct delivery {
    struct run run;
    struct rejects *rejects;
    struct pega_delivery pega;
    struct pipeline_result result;
    bool delivered;
    bool no_report; /* its path was refused: said once, not tried again */
};

/* ---- the steps ---- */

/* Behind the destination, whose directory may be made by this run and may be the report's. */
static enum status check_report(struct delivery *delivery, struct fault *fault)
{
    enum status const status = run_places_check_report(&delivery->run, fault);
    delivery->no_report = status != STATUS_OK;
    return status;
}

static enum status check_trace(struct delivery *delivery, struct fault *fault)
{
    enum status const status = run_places_check_trace(&delivery->run, fault);
    if (status != STATUS_OK) delivery->run.trace_path = NULL; /* said once, not tried again */
    return status;
}

static enum status open_rejects(struct delivery *delivery, struct fault *fault)
{
    enum status const status = run_places_check_rejects(&delivery->run, fault);
    if (status != STATUS_OK || delivery->run.rejects_path == NULL) return status;
    delivery->rejects = rejects_open(delivery->run.rejects_path, fault);
    return delivery->rejects == NULL ? fault->status : STATUS_OK;
}

/* All that can still fail between the last row and the delivery. */
static enum status deliver(struct delivery *delivery, struct fault *fault)
{
    struct sink *const sink = delivery->run.destination.sink;
    enum status status = run_convert(&delivery->run, sink, (uint32_t)delivery->pega.count, delivery->rejects,
                                     &delivery->result, fault);
    struct fault close_fault;
    enum status const closed = rejects_close(delivery->rejects, &close_fault);
    if (status == STATUS_OK && closed != STATUS_OK) {
        *fault = close_fault;
        status = closed;
    }
    if (status == STATUS_OK && signals_caught() != STATUS_OK)
        status = fault_set(fault, signals_caught(), "stopped by %s before the delivery", signals_name());
    struct track *const track = run_tracks_main(&delivery->run);
    struct track_mark const mark = track_begin(track);
    if (status == STATUS_OK)
        status = run_pega_write(&delivery->run, &delivery->pega, sink, &delivery->result.assemble, fault);
    if (status == STATUS_OK) status = sink->commit(sink, fault);
    track_end(track, mark, TRACK_FINISH, 0);
    delivery->delivered = status == STATUS_OK;
    if (!delivery->delivered)
        sink->abort(sink);
    else if (rejects_remove_former(delivery->rejects, &close_fault) != STATUS_OK)
        log_warning(delivery->run.logger, "%s; the delivery stands", close_fault.message);
    return status;
}

static enum status prepare(struct delivery *delivery, struct fault *fault)
{
    enum status status = run_prepare(&delivery->run, fault);
    if (status == STATUS_OK) status = run_open_destination(&delivery->run, fault);
    if (status == STATUS_OK) status = check_report(delivery, fault);
    if (status == STATUS_OK) status = open_rejects(delivery, fault);
    if (status == STATUS_OK) status = check_trace(delivery, fault);
    if (status == STATUS_OK)
        status = run_pega_begin(&delivery->run, &delivery->pega, delivery->run.destination.sink, fault);
    return status;
}

static uint64_t rows_of(const struct assemble *assemble, uint32_t stream)
{
    uint64_t rows = 0;
    for (uint32_t f = 0; f < assemble->file_count; f++)
        if (assemble->files[f].stream == stream) rows += assemble->files[f].rows;
    return rows;
}

/* Of a delivery that stands: is something missing that the person may have expected? */
static void warn_of_nothing(const struct delivery *delivery)
{
    const struct run *const run = &delivery->run;
    const struct assemble *const assemble = &delivery->result.assemble;
    const struct segments *const segments = &run->job.mapping.segments;
    if (assemble->tally.delivered == 0)
        log_warning(run->logger, "no record was delivered: %s%s",
                    run->job.empty_header ? "the file has no rows" : "no file is written",
                    run->job.pega.wanted ? "; the manifest's total is 0" : "");
    for (uint32_t s = 0; run_stream_count(run) > 1 && s < segments->count; s++)
        if (rows_of(assemble, s) == 0)
            log_warning(run->logger, "segment %s: no record was delivered for it", segments->list[s].id);
}

enum status export_run(const struct options *options, const struct log *logger)
{
    struct delivery delivery = {.delivered = false};
    struct fault fault = {.status = STATUS_OK};
    enum status status = run_start(&delivery.run, options, logger, &fault);
    if (status == STATUS_OK) status = prepare(&delivery, &fault);
    if (status == STATUS_OK) status = deliver(&delivery, &fault);
    if (status != STATUS_OK) log_error(logger, "%s", fault.message);
    if (status == STATUS_OK) warn_of_nothing(&delivery);
    struct run_outcome const outcome = {.result = &delivery.result,
                                        .pega = &delivery.pega,
                                        .delivered = delivery.delivered,
                                        .no_report = delivery.no_report,
                                        .status = status,
                                        .fault = &fault};
    status = run_report(&delivery.run, &outcome);
    run_stop(&delivery.run);
    run_tracks_write(&delivery.run);
    assemble_free(&delivery.result.assemble);
    rejects_destroy(delivery.rejects);
    run_close(&delivery.run);
    pega_delivery_free(&delivery.pega); /* the sink is gone */
    return status;
}
