/* test_pipeline_split.c - the pipeline with several streams of rows and with even files: the same bytes
 * whatever the threads, and an orderly end whatever fails. */
#include "tests/unit/pipeline_desk.h"

/* Is record `i` for the stream? Some are for one, some for many; the last of 50 streams has no rows. */
static bool is_member(uint32_t i, uint32_t stream, uint32_t streams)
{
    if (streams == SCENE_SEGMENTS && stream == streams - 1) return false;
    return stream == i % (streams - 1) || (i * 13 + stream * 7) % 11 == 0;
}

static void print_members(struct memory_text *dump, uint32_t i, uint32_t streams)
{
    char text[64];
    const char *comma = "";
    memory_print(dump, "\"m\":\":");
    for (uint32_t s = 0; s < streams; s++)
        if (is_member(i, s, streams)) {
            snprintf(text, sizeof text, "%u:", s);
            memory_print(dump, text);
        }
    memory_print(dump, "\",\"segmentMembership\":{\"ups\":{");
    for (uint32_t s = streams; s-- > 0;) /* the order in which they come doesn't count */
        if (is_member(i, s, streams)) {
            snprintf(text, sizeof text, "%s\"seg%02u\":{\"status\":\"realized\"}", comma, s);
            memory_print(dump, text);
            comma = ",";
        }
    memory_print(dump, "}}");
}

static void print_split_dump(struct memory_text *dump, uint32_t records, uint32_t streams)
{
    char text[64];
    for (uint32_t i = 0; i < records; i++) {
        snprintf(text, sizeof text, "{\"id\":%u,", i);
        memory_print(dump, text);
        print_members(dump, i, streams);
        memory_print(dump, ",\"a\":\"");
        memory_fill(dump, (char)('a' + i % 26), i % 83);
        if (i % 53 == 30) memory_fill(dump, 'L', PIPELINE_BLOCK_MIN + 500); /* longer than a block */
        if (i % 211 == 60) memory_fill(dump, 'G', CHUNK_BYTES_MIN + 500);   /* its row: than a chunk */
        memory_print(dump, i % 29 == 7 ? "}\n" : "\"}\n");
    }
}

/* Records that are members of so many segments, in a run that splits its rows by them or doesn't. */
static struct scene *scene_with_segments(uint32_t records, uint32_t streams, bool split)
{
    static const char *const statuses[] = {"realized"};
    struct scene *scene = scene_create(0);
    memory_job_free(&scene->job);
    memory_job_start(&scene->job, "id");
    memory_column(&scene->job, "a");
    memory_column(&scene->job, "m");
    for (uint32_t s = 0; s < streams; s++) {
        snprintf(scene->segment_ids[s], sizeof scene->segment_ids[s], "seg%02u", s);
        scene->segments[s] = (struct segment){.id = scene->segment_ids[s], .id_length = 5};
    }
    if (split)
        scene->job.mapping.segments = (struct segments){.name_space = "ups",
                                                        .list = scene->segments,
                                                        .count = streams,
                                                        .statuses = statuses,
                                                        .status_count = 1,
                                                        .split = true};
    memory_job_compile(&scene->job);
    scene->rules.streams = split ? streams : 1;
    print_split_dump(&scene->dumps[0], records, streams);
    print_split_dump(&scene->dumps[2], records / 3, streams);
    return scene;
}

/* The lines of `all` that name the stream in their last field. */
static struct memory_text lines_of(const struct memory_text *all, uint32_t stream, uint64_t *count)
{
    struct memory_text lines = {0};
    char name[16];
    snprintf(name, sizeof name, ":%u:", stream);
    *count = 0;
    for (size_t at = 0; at < all->length;) {
        const uint8_t *const line = all->bytes + at;
        const uint8_t *const end = (const uint8_t *)memchr(line, '\n', all->length - at) + 1;
        const uint8_t *const last = memrchr(line, ',', (size_t)(end - line));
        if (memmem(last, (size_t)(end - last), name, strlen(name)) != NULL) {
            memory_append(&lines, line, (size_t)(end - line));
            ++*count;
        }
        at += (size_t)(end - line);
    }
    return lines;
}

/* Each stream has the rows that a run without streams has for it. */
static void check_streams(const struct scene *scene, const struct memory_text *all, uint32_t streams)
{
    static const char header[] = "Id,A,K\n";
    const struct assemble *assemble = &scene->result.assemble;
    uint32_t f = 0;
    for (uint32_t s = 0; s < streams; s++) {
        uint64_t count, rows = 0;
        struct memory_text wanted = lines_of(all, s, &count), got = {0};
        for (; f < assemble->file_count && assemble->files[f].stream == s; f++) {
            const struct memory_text *text = &scene->sink.files[assemble->files[f].number].text;
            assert_memory_equal(text->bytes, header, strlen(header));
            memory_append(&got, text->bytes + strlen(header), text->length - strlen(header));
            rows += assemble->files[f].rows;
        }
        assert_int_equal(rows, count);
        assert_int_equal(got.length, wanted.length);
        if (got.length != 0) assert_memory_equal(got.bytes, wanted.bytes, got.length);
        memory_text_free(&wanted);
        memory_text_free(&got);
    }
    assert_int_equal(f, assemble->file_count);
}

/* The rows of a run without streams, no header. */
static struct memory_text rows_unsplit(uint32_t records, uint32_t streams)
{
    struct scene *scene = scene_with_segments(records, streams, false);
    assert_int_equal(scene_run(scene, 1, UINT64_C(1) << 40, NULL, 0), STATUS_OK);
    assert_int_equal(scene->sink.file_count, 1);
    struct memory_text rows = {0};
    memory_append(&rows, scene->sink.files[0].text.bytes + 7, scene->sink.files[0].text.length - 7);
    scene_end(scene);
    scene_destroy(scene);
    return rows;
}

static void splits_to_the_same_bytes(void **state)
{
    (void)state;
    static const uint32_t counts[] = {2, 3, SCENE_SEGMENTS};
    static const uint64_t shards[] = {1000, 40000, UINT64_C(1) << 40};
    for (size_t c = 0; c < COUNT(counts); c++) {
        struct scene *scene = scene_with_segments(500, counts[c], true);
        struct memory_text rows = rows_unsplit(500, counts[c]);
        scene->options.assemble.max_rows = 40;
        struct memory_text wanted = scene_reference(scene);
        for (size_t t = 0; t < COUNT(scene_threads); t++)
            for (size_t s = 0; s < COUNT(shards); s++)
                for (size_t chunk = CHUNK_BYTES_MIN; chunk <= CHUNK_BYTES_MAX; chunk *= 4) {
                    scene->options.sizes.chunk = chunk;
                    assert_int_equal(scene_run(scene, scene_threads[t], shards[s], NULL, 0), STATUS_OK);
                    scene_same_as(scene, &wanted);
                    check_streams(scene, &rows, counts[c]);
                    scene_end(scene);
                }
        memory_text_free(&wanted);
        memory_text_free(&rows);
        scene_destroy(scene);
    }
}

static void splits_for_a_sink_that_keeps_pieces(void **state)
{
    (void)state;
    static const struct memory_sink sinks[] = {
        {.hold = 3, .random = 5}, {.hold = 100000}, {.hold = 100000, .random = 9, .undrained = 50}};
    struct scene *scene = scene_with_segments(700, SCENE_SEGMENTS, true);
    struct memory_text wanted = scene_reference(scene);
    for (size_t i = 0; i < COUNT(sinks); i++)
        for (uint32_t threads = 1; threads <= 4; threads += 3)
            for (uint64_t shard = 10000; shard < 100000000; shard *= 100) {
                assert_int_equal(scene_run(scene, threads, shard, &sinks[i], 0), STATUS_OK);
                scene_same_as(scene, &wanted);
                scene_end(scene);
            }
    memory_text_free(&wanted);
    scene_destroy(scene);
}

/* Even files depend on the shards' size, on nothing else. */
static void fills_even_files_alike(void **state)
{
    (void)state;
    static const uint64_t shards[] = {3000, 40000, UINT64_C(1) << 40};
    for (int split = 0; split < 2; split++) {
        struct scene *scene = scene_with_segments(300, 6, split);
        scene->options.assemble.file_count = 4;
        scene->options.assemble.empty_header = true;
        for (size_t s = 0; s < COUNT(shards); s++) {
            struct memory_text wanted = {0};
            for (size_t t = 0; t < COUNT(scene_threads); t++)
                for (size_t chunk = CHUNK_BYTES_MIN; chunk <= CHUNK_BYTES_MAX; chunk *= 4) {
                    scene->options.sizes.chunk = chunk;
                    assert_int_equal(scene_run(scene, scene_threads[t], shards[s], NULL, 0), STATUS_OK);
                    if (wanted.length == 0) wanted = scene_text(scene);
                    scene_same_as(scene, &wanted);
                    scene_end(scene);
                }
            memory_text_free(&wanted);
        }
        scene_destroy(scene);
    }
}

static void survives_failures_of_a_split_run(void **state)
{
    (void)state;
    struct scene *scene = scene_with_segments(130, 5, true);
    scene->options.assemble.max_rows = 20;
    scene->options.assemble.empty_header = true;
    for (uint32_t threads = 1; threads <= 3; threads += 2)
        for (uint64_t k = 1;; k += 1 + k / 8) {
            struct memory_sink const like = {.hold = 4, .random = 1, .fail_at = k};
            enum status const status = scene_run(scene, threads, 20000, &like, 0);
            bool const end = scene->sink.calls < k;
            assert_int_equal(status, end ? STATUS_OK : STATUS_IO);
            if (!end) assert_int_equal(scene->sink.calls, k);
            scene_end(scene);
            if (end) break;
        }
    for (scene_stop_at_poll = 1;; scene_stop_at_poll += 3) {
        enum status const status = scene_run(scene, 3, 20000, NULL, 0);
        bool const end = scene_polls < scene_stop_at_poll;
        assert_int_equal(status, end ? STATUS_OK : STATUS_TERMINATED);
        scene_end(scene);
        if (end) break;
    }
    scene_stop_at_poll = 0;
    scene_destroy(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_to_the_same_bytes),
        cmocka_unit_test(splits_for_a_sink_that_keeps_pieces),
        cmocka_unit_test(fills_even_files_alike),
        cmocka_unit_test(survives_failures_of_a_split_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
