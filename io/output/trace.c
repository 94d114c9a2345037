/* trace.c - see the header. Thread: main's, after the run. Owns nothing beyond each call.
 *
 * The format: "Trace Event Format" of the Chromium project (JSON object format, events X and M). */
#include "io/output/trace.h"

#include "io/output/output_text.h"
#include "io/output/output_whole.h"

#include <inttypes.h>
#include <string.h>

/* What every trace begins with; what does not is another's and is left alone. */
#define FIRST_BYTES "{\"otherData\":{\"tool\":\"penstock\""

/* All threads are of one process, whose number says nothing. */
#define PROCESS 1

/* Longest run id that is told. */
#define RUN_ID_MAX 64u

static double microseconds(uint64_t nanoseconds)
{
    return (double)nanoseconds / 1e3;
}

/* `brief`: those that took time. */
static void put_acts(FILE *out, const struct track *sum, bool brief)
{
    const char *comma = "";
    for (enum track_act a = 0; a < TRACK_ACTS; a++) {
        if (brief && sum->spent[a] == 0) continue;
        fprintf(out, "%s\"%s\":{\"microseconds\":%.3f,\"bytes\":%" PRIu64 "}", comma, track_act_name(a),
                microseconds(sum->spent[a]), sum->bytes[a]);
        comma = ",";
    }
}

/* The version is plain text. */
static void put_sums(FILE *out, const struct trace *trace)
{
    struct track sum = {.now = NULL};
    char run_id[RUN_ID_MAX * OUTPUT_TEXT_JSON_GROWTH + 1];
    output_text_json(trace->run_id, strnlen(trace->run_id, RUN_ID_MAX), run_id, sizeof run_id);
    track_add(trace->tracks, trace->workers + 1, &sum);
    for (uint32_t b = 0; b < trace->beside_count; b++)
        sum.dropped += trace->beside[b].track->dropped;
    fprintf(out,
            FIRST_BYTES ",\"version\":\"%s\",\"runId\":\"%s\",\"workers\":%" PRIu32
                        ",\"droppedSpans\":%" PRIu64 ",\"acts\":{",
            trace->version, run_id, trace->workers, sum.dropped);
    put_acts(out, &sum, false);
    fputs("},\"beside\":{", out);
    for (uint32_t b = 0; b < trace->beside_count; b++) {
        const struct trace_beside *const beside = &trace->beside[b];
        fprintf(out, "%s\"%s %" PRIu32 "\":{", b == 0 ? "" : ",", beside->kind, beside->number);
        put_acts(out, beside->track, true);
        fputc('}', out);
    }
    fputs("}},\n\"displayTimeUnit\":\"ms\",\n\"traceEvents\":[\n", out);
}

static void put_span(FILE *out, const struct trace *trace, uint32_t thread, const struct track_span *span)
{
    fprintf(
        out,
        ",\n{\"ph\":\"X\",\"pid\":%d,\"tid\":%" PRIu32
        ",\"cat\":\"%s\",\"name\":\"%s\",\"ts\":%.3f,\"dur\":%.3f,\"args\":{\"own\":%.3f,\"bytes\":%" PRIu64
        "}}",
        PROCESS, thread, track_is_wait(span->act) ? "waiting" : "busy", track_act_name(span->act),
        microseconds(span->began - trace->began), microseconds(span->took), microseconds(span->own),
        span->bytes);
}

/* Thread 0 is the main one, so that it stands first; behind the workers come those beside. */
static const struct track *find_thread(const struct trace *trace, uint32_t thread, char name[32])
{
    if (thread > trace->workers) {
        const struct trace_beside *const beside = &trace->beside[thread - trace->workers - 1];
        snprintf(name, 32, "%s %" PRIu32, beside->kind, beside->number);
        return beside->track;
    }
    uint32_t const number = thread == 0 ? trace->workers : thread - 1;
    if (thread == 0)
        snprintf(name, 32, "assembler");
    else
        snprintf(name, 32, "worker %" PRIu32, number);
    return &trace->tracks[number];
}

static void put_thread(FILE *out, const struct trace *trace, uint32_t thread)
{
    char name[32];
    const struct track *const track = find_thread(trace, thread, name);
    fprintf(out,
            "%s{\"ph\":\"M\",\"pid\":%d,\"tid\":%" PRIu32
            ",\"name\":\"thread_name\",\"args\":{\"name\":\"%s\",\"droppedSpans\":%" PRIu64 "}}",
            thread == 0 ? "" : ",\n", PROCESS, thread, name, track->dropped);
    for (uint32_t s = 0; s < track->span_count; s++)
        put_span(out, trace, thread, &track->spans[s]);
}

static bool print_trace(FILE *out, void *context)
{
    const struct trace *const trace = context;
    put_sums(out, trace);
    for (uint32_t t = 0; t <= trace->workers + trace->beside_count; t++)
        put_thread(out, trace, t);
    fputs("\n]}\n", out);
    return true;
}

static struct output_whole file_of(const char *path, const char *run_id)
{
    return (struct output_whole){
        .path = path, .run_id = run_id, .kind = "trace", .setting = "PENSTOCK_TRACE", .first = FIRST_BYTES};
}

enum status trace_write(const struct trace *trace, const char *path, struct fault *fault)
{
    struct output_whole const file = file_of(path, trace->run_id);
    struct trace copy = *trace; /* print_trace() takes what is not constant */
    return output_whole_write(&file, print_trace, &copy, "", fault);
}

enum status trace_check(const char *path, const char *run_id, struct fault *fault)
{
    struct output_whole const file = file_of(path, run_id);
    return output_whole_check(&file, fault);
}
