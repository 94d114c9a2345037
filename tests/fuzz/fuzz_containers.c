/* fuzz_containers.c - texts as sources of whatever form they have: the rows, rejects and counts are the same
 * in one shard and in many, by both walks, and read front to back; and so are the records that are looked at
 * as a whole.
 *
 * Byte 0 chooses the shards' size, byte 1 the form that is asked for and --strict; the rest is the text, in
 * which `$` stands for the beginning of a record, so that lookalikes are found soon, and the first `%` for
 * nearly what may be around an entity. */
#include "tests/unit/form_desk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 4096, MAX_RECORD = 600, FILLING = FORM_BESIDE_MAX - MAX_RECORD };

static void must_equal(const struct form_outcome *a, const struct form_outcome *b)
{
    if (strcmp((char *)a->rows.bytes, (char *)b->rows.bytes) == 0 &&
        strcmp((char *)a->rejects.bytes, (char *)b->rejects.bytes) == 0 &&
        memcmp(&a->tally, &b->tally, sizeof a->tally) == 0)
        return;
    fprintf(stderr, "other outcome:\n%s%s---\n%s%s", a->rows.bytes, a->rejects.bytes, b->rows.bytes,
            b->rejects.bytes);
    abort();
}

static struct memory_job *the_job(void)
{
    static struct memory_job job;
    if (job.columns != NULL) return &job;
    memory_job_start(&job, "id");
    memory_column(&job, "a.b");
    memory_column(&job, "a[*]");
    memory_job_compile(&job);
    return &job;
}

static struct memory_text unfold(const uint8_t *data, size_t size, bool *filled)
{
    struct memory_text text = {0};
    *filled = false;
    for (size_t i = 0; i < size; i++)
        if (data[i] == '$') {
            memory_print(&text, "{\"id\":");
        } else if (data[i] == '%' && !*filled) {
            memory_fill(&text, 'y', FILLING);
            *filled = true;
        } else {
            memory_append(&text, data + i, 1);
        }
    return text;
}

/* Records that are looked at as a whole: the same ones, each once. */
static void fuzz_visits(const uint8_t *bytes, size_t length, struct form_run run)
{
    struct form_outcome whole, other;
    run.visits = true;
    run.strict = false;
    form_desk_run(the_job(), bytes, length, &run, &whole);
    run.stream = false;
    run.threads++;
    form_desk_run(the_job(), bytes, length, &run, &other);
    must_equal(&whole, &other);
    form_outcome_free(&other);
    form_outcome_free(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum form_kind kinds[] = {FORM_ARRAY, FORM_CONCATENATED, FORM_ENTITIES};
    if (size < 2 || size > INPUT_MAX) return 0;
    bool filled;
    struct memory_text text = unfold(data + 2, size - 2, &filled);
    uint8_t *bytes = memory_must(malloc(text.length + LIMIT_PADDING));
    if (text.length != 0) memcpy(bytes, text.bytes, text.length);
    memset(bytes + text.length, data[0], LIMIT_PADDING);
    struct form_run run = {.threads = 1, .shard_bytes = FILLING + INPUT_MAX * 8, .max_record = MAX_RECORD};
    run.strict = (data[1] & 8) != 0;
    if (data[1] % 4 != 3) run.kind = &kinds[data[1] % 4];
    struct form_outcome whole, other;
    if (form_desk_run(the_job(), bytes, text.length, &run, &whole)) {
        run.threads = 1 + data[0] % 2;
        run.shard_bytes = 1 + data[0] % 64 * (filled ? 64u : 1u) + (filled ? 1000 : 0);
        run.walk = data[1] & 4 ? CONVERT_ON_DEMAND : CONVERT_FAST;
        form_desk_run(the_job(), bytes, text.length, &run, &other);
        must_equal(&whole, &other);
        form_outcome_free(&other);
        run.stream = true;
        form_desk_run(the_job(), bytes, text.length, &run, &other);
        must_equal(&whole, &other);
        form_outcome_free(&other);
        form_outcome_free(&whole);
        fuzz_visits(bytes, text.length, run);
    }
    free(bytes);
    memory_text_free(&text);
    return 0;
}
