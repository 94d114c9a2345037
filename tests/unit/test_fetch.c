/* test_fetch.c - objects of a scripted S3 (s3_desk.h) as sources, through the port: found, looked at, read by
 * several threads from a shelf that is too small for all, or front to back; over faults, changes and wrong
 * checksums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/fetch/fetch.h"
#include "io/s3/s3_client_inside.h"
#include "io/s3/s3_tender.h"
#include "tests/unit/s3_desk.h"

#include <inttypes.h>

#define OBJECTS_MAX 8u
#define BUCKET      "acme"
#define HERE        "s3://" BUCKET "/"
#define PAGE        2u

enum sum { NO_SUM, RIGHT_SUM, WRONG_SUM, OTHER_ETAG, COMPOSITE };

struct stored {
    const char *key;
    size_t size;
    enum sum sum;
};

struct store {
    struct stored objects[OBJECTS_MAX];
    size_t count;
    unsigned slow;       /* GETs that are told to slow down, from the second on */
    unsigned changes_at; /* GETs from this one on are told that it is another object; 0: none */
    unsigned stalls_at;  /* likewise: no answer */
    bool loops;          /* its list never goes on */
};

struct rig {
    struct s3_desk desk;
    struct store store;
    struct aws_config config;
    struct wait arrivals;
    struct s3_client *client;
    struct s3_pump *pump;
    struct s3_tender *tender;
    struct fetch_bucket bucket;
    struct fetch *fetch;
    const struct source_remote *port;
    struct arena arena;
    struct fault fault;
    char endpoint[64];
};

static uint8_t object_byte(const struct stored *stored, uint64_t i)
{
    return (uint8_t)('a' + (i * 7 + stored->size + (i >> 8)) % 23);
}

/* ---- the store ---- */

static const struct stored *stored_at(const struct store *store, const char *target)
{
    size_t const length = strcspn(target, "?");
    for (size_t i = 0; i < store->count; i++)
        if (strlen(store->objects[i].key) == length && strncmp(store->objects[i].key, target, length) == 0)
            return &store->objects[i];
    return NULL;
}

static uint64_t sum_of(const struct stored *stored)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < stored->size; i++) {
        uint8_t const byte = object_byte(stored, i);
        sum = checksum_update(CHECKSUM_CRC64NVME, sum, &byte, 1);
    }
    return sum;
}

static void add_facts(const struct stored *stored, bool with_sum, struct s3_desk_reply *reply)
{
    char text[CHECKSUM_TEXT_SIZE];
    reply->headers[0] = '\0';
    s3_desk_add(reply, "ETag", stored->sum == OTHER_ETAG && with_sum ? "\"other\"" : "\"one\"");
    if (stored->sum == NO_SUM || !with_sum) return;
    checksum_text(CHECKSUM_CRC64NVME, sum_of(stored) + (stored->sum != RIGHT_SUM), text);
    s3_desk_add(reply, "x-amz-checksum-crc64nvme", text);
    s3_desk_add(reply, "x-amz-checksum-type", stored->sum == COMPOSITE ? "COMPOSITE" : "FULL_OBJECT");
}

static void serve_get(const struct store *store, const struct stored *stored,
                      const struct s3_desk_request *request, struct s3_desk_reply *reply)
{
    char text[96];
    uint64_t begin = 0, end = stored->size - 1;
    s3_desk_header(request->head, "Range", text, sizeof text);
    bool const is_whole = text[0] == '\0';
    add_facts(stored, is_whole, reply);
    memset(reply->body, 0, sizeof reply->body);
    if (!is_whole) {
        assert_int_equal(sscanf(text, "bytes=%" SCNu64 "-%" SCNu64, &begin, &end), 2);
        reply->status = 206;
        (void)snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%zu", begin, end, stored->size);
        s3_desk_add(reply, "Content-Range", text);
    }
    assert_true(end < stored->size && end - begin < sizeof reply->body - 1);
    for (uint64_t i = begin; i <= end; i++)
        reply->body[i - begin] = (char)object_byte(stored, i);
    s3_desk_header(request->head, "If-Match", text, sizeof text);
    assert_string_equal(text, "\"one\"");
    if (request->nth >= 1 && request->nth <= store->slow) s3_desk_error(reply, 503, "SlowDown", "");
    if (store->changes_at != 0 && request->nth >= store->changes_at)
        s3_desk_error(reply, 412, "PreconditionFailed", "");
    if (store->stalls_at != 0 && request->nth >= store->stalls_at) reply->act = S3_DESK_STALL;
}

/* The value of a query's parameter, with %2F decoded. */
static void parameter(const char *target, const char *name, char *out, size_t size)
{
    char wanted[64];
    size_t length = 0;
    (void)snprintf(wanted, sizeof wanted, "&%s=", name);
    const char *at = strstr(target, wanted + 1);
    if (at != NULL && at[-1] != '&' && at[-1] != '?') at = strstr(target, wanted) + 1;
    for (at = at == NULL ? "" : at + strlen(wanted) - 1; *at != '\0' && *at != '&' && length + 1 < size;
         at++) {
        bool const slash = strncmp(at, "%2F", 3) == 0;
        out[length++] = slash ? '/' : *at;
        at += slash ? 2 : 0;
    }
    out[length] = '\0';
}

/* Pages of PAGE objects; a token is the number of the next object. */
static void serve_list(const struct store *store, const struct s3_desk_request *request,
                       struct s3_desk_reply *reply)
{
    char prefix[200], token[20], inner[1600] = "";
    size_t shown = 0, i;
    parameter(request->target, "prefix", prefix, sizeof prefix);
    parameter(request->target, "continuation-token", token, sizeof token);
    for (i = strtoul(token, NULL, 10); i < store->count && shown < PAGE; i++) {
        if (strncmp(store->objects[i].key, prefix, strlen(prefix)) != 0) continue;
        size_t const used = strlen(inner);
        (void)snprintf(inner + used, sizeof inner - used,
                       "<Contents><Key>%s</Key><Size>%zu</Size><ETag>&quot;one&quot;</ETag></Contents>",
                       store->objects[i].key, store->objects[i].size);
        shown++;
    }
    if (store->loops) i = 1;
    (void)snprintf(reply->body, sizeof reply->body,
                   "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>%s</IsTruncated>"
                   "<NextContinuationToken>%zu</NextContinuationToken>%s</ListBucketResult>",
                   i < store->count ? "true" : "false", i, inner);
}

static void serve(struct s3_desk *desk, const struct s3_desk_request *request, struct s3_desk_reply *reply)
{
    struct store *const store = desk->context;
    const char *const key = strchr(request->target + 1, '/');
    const struct stored *const stored = key == NULL ? NULL : stored_at(store, key + 1);
    if (request->kind == S3_LIST_OBJECTS) {
        serve_list(store, request, reply);
    } else if (stored == NULL) {
        s3_desk_error(reply, 404, "NoSuchKey", "");
    } else if (request->kind == S3_GET_OBJECT) {
        serve_get(store, stored, request, reply);
    } else {
        add_facts(stored, true, reply);
        memset(reply->body, 0, sizeof reply->body);
        memset(reply->body, 'x', stored->size < 2000 ? stored->size : 2000);
    }
}

/* ---- the rig ---- */

static _Atomic bool interrupt;

static enum status interrupted(void)
{
    return interrupt ? STATUS_INTERRUPTED : STATUS_OK;
}

static void open_client(struct rig *rig)
{
    struct s3_limits const limits = {
        .connect_ms = 5000, .stall_seconds = 30, .delay_percent = 1, .renew_step_ms = 5};
    struct s3_client_options const options = {.config = &rig->config,
                                              .bucket = BUCKET,
                                              .region = "us-east-1",
                                              .endpoint = rig->endpoint,
                                              .connections = 4,
                                              .threads = 1,
                                              .user_agent = "test/1",
                                              .is_source = true,
                                              .arrivals = &rig->arrivals,
                                              .now = s3_desk_now,
                                              .wall_milliseconds = s3_desk_wall};
    rig->client = s3_client_create_with(&options, &limits, false, &rig->fault);
    if (rig->client == NULL) fail_msg("%s", rig->fault.message);
    rig->pump = s3_pump_create(rig->client, &rig->arrivals);
    assert_non_null(rig->pump);
}

/* What ranges' times are taken by. */
static uint64_t (*measures)(void) = s3_desk_now;

static void rig_open(struct rig *rig, const struct stored *objects, size_t count)
{
    memset(rig, 0, sizeof *rig);
    interrupt = false;
    memcpy(rig->store.objects, objects, count * sizeof *objects);
    rig->store.count = count;
    s3_desk_open(&rig->desk, serve, &rig->store);
    (void)snprintf(rig->endpoint, sizeof rig->endpoint, "http://127.0.0.1:%u", rig->desk.desk.port);
    assert_true(wait_init(&rig->arrivals));
    assert_int_equal(aws_config_load(s3_desk_environment, NULL, &rig->config, &rig->fault), STATUS_OK);
    open_client(rig);
    struct s3_tender_options const tender = {.pumps = &rig->pump,
                                             .count = 1,
                                             .arrivals = &rig->arrivals,
                                             .interrupted = interrupted,
                                             .now = s3_desk_now};
    rig->tender = s3_tender_start(&tender, &rig->fault);
    assert_non_null(rig->tender);
    rig->bucket = (struct fetch_bucket){.name = BUCKET, .pump = rig->pump};
    struct fetch_options const fetch = {
        .buckets = &rig->bucket, .bucket_count = 1, .heads = 3, .now = measures};
    rig->fetch = fetch_create(&fetch, &rig->fault);
    assert_non_null(rig->fetch);
    rig->port = fetch_port(rig->fetch);
}

static void rig_close(struct rig *rig)
{
    s3_tender_stop(rig->tender);
    fetch_destroy(rig->fetch);
    s3_pump_destroy(rig->pump);
    s3_client_destroy(rig->client);
    s3_desk_close(&rig->desk);
    aws_config_free(&rig->config);
    wait_destroy(&rig->arrivals);
    arena_free(&rig->arena);
}

static void start(struct rig *rig, size_t range_bytes, uint32_t slots, uint32_t ahead)
{
    struct fetch_plan const plan = {.range_bytes = range_bytes, .slots = slots, .ahead = ahead};
    assert_int_equal(fetch_start(rig->fetch, &plan, &rig->fault), STATUS_OK);
}

static struct source_found find(struct rig *rig, const char *path)
{
    struct source_found found = {.items = NULL};
    enum status const status =
        rig->port->find(rig->port->self, path, false, &rig->arena, &found, &rig->fault);
    if (status != STATUS_OK) fail_msg("%s", rig->fault.message);
    return found;
}

/* ---- finding ---- */

static const struct stored many[] = {{"in/b.json", 100, NO_SUM},  {"in/a.json", 50, NO_SUM},
                                     {"in/_SUCCESS", 0, NO_SUM},  {"in/", 0, NO_SUM},
                                     {"in/c/d.json", 10, NO_SUM}, {"in/c/.d.crc", 10, NO_SUM},
                                     {"other", 7, NO_SUM},        {"other/x", 8, NO_SUM}};
#define MANY (sizeof many / sizeof *many)

static void expect_found(struct rig *rig, const char *path, const char *wanted)
{
    char names[400] = "";
    struct source_found found = find(rig, path);
    for (size_t i = 0; i < found.count; i++) {
        assert_memory_equal(found.items[i].path, HERE, strlen(HERE));
        (void)snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i > 0 ? " " : "",
                       found.items[i].path + strlen(HERE));
        assert_string_equal(found.items[i].etag, "\"one\"");
    }
    assert_string_equal(names, wanted);
    free(found.items);
}

static void expect_none(struct rig *rig, const char *path, enum status status, const char *words)
{
    struct source_found found = {.items = NULL};
    assert_int_equal(rig->port->find(rig->port->self, path, false, &rig->arena, &found, &rig->fault), status);
    if (strstr(rig->fault.message, words) == NULL) fail_msg("%s", rig->fault.message);
    if (status == STATUS_NO_SOURCE) assert_int_equal(found.count, 0);
    free(found.items);
}

static void finds_what_a_url_stands_for(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, many, MANY);
    expect_found(&rig, HERE "in/", "in/a.json in/b.json in/c/d.json");
    expect_found(&rig, HERE "in", "in/a.json in/b.json in/c/d.json");
    expect_found(&rig, "S3://" BUCKET, "in/a.json in/b.json in/c/d.json other other/x");
    expect_found(&rig, HERE "in/a.json", "in/a.json");
    expect_found(&rig, HERE "in/_SUCCESS", "in/_SUCCESS"); /* who names it gets it */
    expect_found(&rig, HERE "other", "other");
    expect_found(&rig, HERE "other/", "other/x");
    expect_found(&rig, HERE "in/?.json", "in/a.json in/b.json");
    expect_found(&rig, HERE "in/*", "in/a.json in/b.json in/c/d.json");
    expect_found(&rig, HERE "*/*/*.json", "in/c/d.json");
    expect_found(&rig, HERE "i*/", "in/a.json in/b.json in/c/d.json");
    expect_found(&rig, HERE "[a-z]*/[ab].json", "in/a.json in/b.json");
    expect_none(&rig, HERE "none", STATUS_NO_SOURCE, "there is no such object");
    expect_none(&rig, HERE "none/", STATUS_NO_SOURCE, "holds no data files");
    expect_none(&rig, HERE "in/*.gz", STATUS_NO_SOURCE, "no object has such a name");
    expect_none(&rig, HERE "in/.*", STATUS_NO_SOURCE, "no object has such a name");
    expect_none(&rig, "s3://A_/x", STATUS_USAGE, "");
    rig.store.loops = true;
    expect_none(&rig, HERE "in/", STATUS_IO, "does not go on");
    rig_close(&rig);
}

static void everything_is_without_rules(void **state)
{
    (void)state;
    struct rig rig;
    struct source_found found = {.items = NULL};
    rig_open(&rig, many, MANY);
    assert_int_equal(rig.port->find(rig.port->self, HERE "in/", true, &rig.arena, &found, &rig.fault),
                     STATUS_OK);
    assert_int_equal(found.count, 5); /* markers are nothing */
    free(found.items);
    rig_close(&rig);
}

static void expect_head(struct rig *rig, const struct source_found *found, size_t i, size_t room)
{
    uint8_t bytes[200];
    size_t length = 0;
    assert_int_equal(rig->port->head(rig->port->self, found, i, bytes, room, &length, &rig->fault),
                     STATUS_OK);
    const struct stored *const stored = stored_at(&rig->store, found->items[i].path + strlen(HERE));
    assert_int_equal(length, stored->size < room ? stored->size : room);
    for (size_t k = 0; k < length; k++)
        assert_int_equal(bytes[k], object_byte(stored, k));
}

static void looks_at_heads(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, many, MANY);
    struct source_found found = find(&rig, HERE), other = find(&rig, HERE "in/");
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < found.count; i++)
            expect_head(&rig, &found, i, 60);
        expect_head(&rig, &other, 0, 200); /* others are on their way: they are let go */
        expect_head(&rig, &found, 2, 200);
        expect_head(&rig, &found, 3, 200);
    }
    free(found.items);
    free(other.items);
    rig_close(&rig);
}

/* ---- windows ---- */

#define SHARD   700u
#define OVERLAP 90u
#define WINDOW  256u

struct crew {
    struct rig *rig;
    struct source **sources;
    size_t count;
    _Atomic uint64_t next; /* shard, over all sources */
    _Atomic enum status status;
};

static void compare(const struct rig *rig, const struct source *source, uint64_t offset,
                    const struct source_window *window)
{
    const struct stored *const stored = stored_at(&rig->store, source->name + strlen(HERE));
    for (size_t i = 0; i < window->length; i++)
        if (window->bytes[i] != object_byte(stored, offset + i)) fail_msg("byte %zu", (size_t)offset + i);
}

/* As a worker does: from the byte before its shard to some behind its end, windows that overlap. */
static enum status read_shard(const struct crew *crew, struct source *source, struct source_reader *reader,
                              uint64_t begin, struct fault *fault)
{
    uint64_t const end = begin + SHARD + OVERLAP < source->size ? begin + SHARD + OVERLAP : source->size;
    enum status status = STATUS_OK;
    for (uint64_t at = begin > 0 ? begin - 1 : 0; at < end && status == STATUS_OK; at += WINDOW - 13) {
        struct source_window window;
        status = source->window(reader, at, at % 5 == 0 ? 3 * WINDOW : WINDOW, &window, fault);
        if (status == STATUS_OK) compare(crew->rig, source, at, &window);
    }
    return status;
}

static enum status read_once(const struct crew *crew, struct source *source, uint64_t begin,
                             struct fault *fault)
{
    struct source_reader *const reader = source->open_reader(source, 3 * WINDOW);
    enum status const status = read_shard(crew, source, reader, begin, fault);
    source->close_reader(reader);
    return status;
}

static void *work(void *context)
{
    struct crew *const crew = context;
    struct fault fault;
    struct source *source = NULL; /* whose reader it has */
    struct source_reader *reader = NULL;
    for (;;) {
        uint64_t shard = crew->next++;
        size_t i = 0;
        while (i < crew->count && shard >= (crew->sources[i]->size + SHARD - 1) / SHARD)
            shard -= (crew->sources[i++]->size + SHARD - 1) / SHARD;
        if (source != NULL && (i == crew->count || source != crew->sources[i])) source->close_reader(reader);
        if (i == crew->count) return NULL;
        if (source != crew->sources[i]) reader = crew->sources[i]->open_reader(crew->sources[i], 3 * WINDOW);
        source = crew->sources[i];
        enum status const status = read_shard(crew, source, reader, shard * SHARD, &fault);
        if (status != STATUS_OK) crew->status = status;
    }
}

static enum status read_all(struct rig *rig, struct source **sources, size_t count, unsigned threads)
{
    pthread_t ids[4];
    struct crew crew = {.rig = rig, .sources = sources, .count = count};
    for (unsigned i = 0; i < threads; i++)
        assert_int_equal(pthread_create(&ids[i], NULL, work, &crew), 0);
    for (unsigned i = 0; i < threads; i++)
        assert_int_equal(pthread_join(ids[i], NULL), 0);
    return crew.status;
}

static const struct stored plain[] = {{"p/a", 5000, RIGHT_SUM},
                                      {"p/b", 0, NO_SUM},
                                      {"p/c", 900, RIGHT_SUM},
                                      {"p/d", 7777, NO_SUM},
                                      {"p/e", 1, RIGHT_SUM}};
#define PLAIN (sizeof plain / sizeof *plain)

static size_t open_all(struct rig *rig, struct source *sources[OBJECTS_MAX], struct source_found *found)
{
    *found = find(rig, HERE "p/");
    for (size_t i = 0; i < found->count; i++) {
        sources[i] = rig->port->open(rig->port->self, &found->items[i], &rig->fault);
        assert_non_null(sources[i]);
    }
    return found->count;
}

static void close_all(struct rig *rig, struct source *sources[OBJECTS_MAX], struct source_found *found)
{
    for (size_t i = 0; i < found->count; i++)
        rig->port->close(sources[i]);
    free(found->items);
}

static void reads_by_many_threads(void **state)
{
    (void)state;
    static const struct {
        size_t range;
        uint32_t slots;
        unsigned threads;
    } cases[] = {{1000, 8, 1}, {1000, 8, 3}, {500, 2, 3}, {333, 5, 4}, {2000, 1, 2}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct rig rig;
        struct source *sources[OBJECTS_MAX];
        struct source_found found;
        rig_open(&rig, plain, PLAIN);
        rig.store.slow = k == 1 ? 3 : 0;
        size_t const count = open_all(&rig, sources, &found);
        assert_int_equal(count, PLAIN);
        start(&rig, cases[k].range, cases[k].slots, 0);
        assert_int_equal(read_all(&rig, sources, count, cases[k].threads), STATUS_OK);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(rig.port->check(sources[i], &rig.fault), STATUS_OK);
        close_all(&rig, sources, &found);
        rig_close(&rig);
    }
}

/* With room for all shards in hand every range comes once. */
static void fetches_ranges_once(void **state)
{
    (void)state;
    struct rig rig;
    struct source *sources[OBJECTS_MAX];
    struct source_found found;
    rig_open(&rig, plain, PLAIN);
    size_t const count = open_all(&rig, sources, &found);
    start(&rig, 1000, 8, 0);
    assert_int_equal(read_all(&rig, sources, count, 1), STATUS_OK);
    assert_int_equal(rig.desk.counts[S3_GET_OBJECT], 5 + 1 + 8 + 1);
    assert_int_equal(rig.desk.counts[S3_HEAD_OBJECT], 2); /* of the two that have several ranges */
    close_all(&rig, sources, &found);
    rig_close(&rig);
}

static uint64_t still(void)
{
    return 7;
}

/* How far the store is, is not known as long as nobody has waited for a range: few are asked for then, and
 * all that there is room for when nobody measures. */
static void asks_for_few_until_it_knows_the_store(void **state)
{
    (void)state;
    static const struct stored large[] = {{"p/a", 40000, NO_SUM}};
    for (int measured = 0; measured < 2; measured++) {
        struct rig rig;
        struct source *sources[OBJECTS_MAX];
        struct source_found found;
        struct crew const crew = {.rig = &rig};
        measures = measured ? still : NULL;
        rig_open(&rig, large, 1);
        (void)open_all(&rig, sources, &found);
        start(&rig, 1000, 20, 0);
        struct fault fault;
        for (uint64_t at = 0; at < 20 * SHARD; at += SHARD)
            assert_int_equal(read_once(&crew, sources[0], at, &fault), STATUS_OK);
        uint64_t const read = 20 * SHARD / 1000 + 1;
        close_all(&rig, sources, &found);
        rig_close(&rig);
        if (measured) assert_true(rig.desk.counts[S3_GET_OBJECT] <= read + 5);
        if (!measured) assert_true(rig.desk.counts[S3_GET_OBJECT] >= read + 10);
    }
    measures = s3_desk_now;
}

static void begins_anew_and_reads_no_further_than_the_cut(void **state)
{
    (void)state;
    struct rig rig;
    struct source *sources[OBJECTS_MAX];
    struct source_found found;
    struct crew const crew = {.rig = &rig};
    rig_open(&rig, plain, PLAIN);
    size_t const count = open_all(&rig, sources, &found);
    start(&rig, 1000, 8, 0);
    assert_int_equal(read_once(&crew, sources[0], 0, &rig.fault), STATUS_OK);
    fetch_cut(sources[0], 1500);
    for (size_t i = 1; i < count; i++)
        fetch_cut(sources[i], 0);
    fetch_restart(rig.fetch);
    unsigned const before = rig.desk.counts[S3_GET_OBJECT];
    assert_int_equal(read_once(&crew, sources[0], 0, &rig.fault), STATUS_OK);
    assert_int_equal(read_once(&crew, sources[0], SHARD, &rig.fault), STATUS_OK);
    assert_int_equal(rig.desk.counts[S3_GET_OBJECT] - before, 2);
    assert_int_equal(read_once(&crew, sources[3], 3000, &rig.fault), STATUS_OK); /* all the same */
    close_all(&rig, sources, &found);
    rig_close(&rig);
}

static void expect_sum(enum sum sum, size_t size, enum status wanted)
{
    struct rig rig;
    struct source *sources[OBJECTS_MAX];
    struct source_found found;
    struct stored const stored = {"p/x", size, sum};
    rig_open(&rig, &stored, 1);
    (void)open_all(&rig, sources, &found);
    start(&rig, 1000, 8, 0);
    assert_int_equal(read_all(&rig, sources, 1, 2), STATUS_OK);
    assert_int_equal(rig.port->check(sources[0], &rig.fault), wanted);
    if (wanted != STATUS_OK)
        assert_non_null(strstr(rig.fault.message, HERE "p/x: the bytes that came are not"));
    close_all(&rig, sources, &found);
    rig_close(&rig);
}

static void compares_with_the_stores_checksum(void **state)
{
    (void)state;
    for (size_t size = 700; size <= 4700; size += 4000) {
        expect_sum(RIGHT_SUM, size, STATUS_OK);
        expect_sum(WRONG_SUM, size, STATUS_IO);
        expect_sum(COMPOSITE, size, STATUS_OK);
        expect_sum(NO_SUM, size, STATUS_OK);
    }
    expect_sum(OTHER_ETAG, 4700, STATUS_OK); /* HEAD is of another object: says nothing */
}

static void says_that_an_object_changed(void **state)
{
    (void)state;
    struct rig rig;
    struct source *sources[OBJECTS_MAX];
    struct source_found found;
    rig_open(&rig, plain, PLAIN);
    rig.store.changes_at = 6;
    size_t const count = open_all(&rig, sources, &found);
    start(&rig, 1000, 8, 0);
    assert_int_equal(read_all(&rig, sources, count, 3), STATUS_IO);
    close_all(&rig, sources, &found);
    rig_close(&rig);
}

static void *interrupt_soon(void *context)
{
    (void)context;
    (void)usleep(100000);
    interrupt = true;
    return NULL;
}

static void ends_when_it_is_interrupted(void **state)
{
    (void)state;
    struct rig rig;
    struct source *sources[OBJECTS_MAX];
    struct source_found found;
    pthread_t thread;
    rig_open(&rig, plain, PLAIN);
    rig.store.stalls_at = 3;
    size_t const count = open_all(&rig, sources, &found);
    start(&rig, 1000, 8, 0);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, NULL), 0);
    assert_int_equal(read_all(&rig, sources, count, 3), STATUS_INTERRUPTED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    close_all(&rig, sources, &found);
    rig_close(&rig);
}

/* ---- streams ---- */

static enum status read_stream(struct rig *rig, const struct stored *stored, uint64_t most)
{
    uint8_t piece[300];
    size_t length = 1;
    uint64_t at = 0;
    struct source_found found = find(rig, HERE "p/"); /* HEAD would tell 2,000 bytes at most */
    struct source_bytes *const bytes = rig->port->bytes(rig->port->self, &found.items[0], &rig->fault);
    assert_non_null(bytes);
    enum status status = bytes->open(bytes, &rig->fault);
    while (status == STATUS_OK && length > 0 && at < most) {
        status = bytes->read(bytes, piece, sizeof piece, &length, &rig->fault);
        for (size_t i = 0; status == STATUS_OK && i < length; i++)
            assert_int_equal(piece[i], object_byte(stored, at++));
    }
    if (status == STATUS_OK && most > stored->size) assert_int_equal(at, stored->size);
    bytes->close(bytes);
    bytes->destroy(bytes);
    free(found.items);
    return status;
}

static void reads_streams(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        enum sum sum;
        unsigned slow, changes_at;
        uint64_t most;
        enum status wanted;
    } cases[] = {
        {0, NO_SUM, 0, 0, UINT64_MAX, STATUS_OK},       {1, RIGHT_SUM, 0, 0, UINT64_MAX, STATUS_OK},
        {5001, RIGHT_SUM, 2, 0, UINT64_MAX, STATUS_OK}, {5001, WRONG_SUM, 0, 0, UINT64_MAX, STATUS_IO},
        {5001, WRONG_SUM, 0, 0, 800, STATUS_OK},        {5001, OTHER_ETAG, 0, 0, UINT64_MAX, STATUS_OK},
        {5001, COMPOSITE, 0, 0, UINT64_MAX, STATUS_OK}, {900, WRONG_SUM, 0, 0, UINT64_MAX, STATUS_IO},
        {5001, RIGHT_SUM, 0, 3, UINT64_MAX, STATUS_IO}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct rig rig;
        struct stored const stored = {"p/x", cases[k].size, cases[k].sum};
        rig_open(&rig, &stored, 1);
        rig.store.slow = cases[k].slow;
        rig.store.changes_at = cases[k].changes_at;
        start(&rig, 1000, 0, 3);
        assert_int_equal(read_stream(&rig, &stored, cases[k].most), cases[k].wanted);
        rig_close(&rig);
    }
}

static void reads_parts(void **state)
{
    (void)state;
    struct rig rig;
    uint8_t bytes[600];
    struct stored const stored = {"p/x", 5000, NO_SUM};
    rig_open(&rig, &stored, 1);
    struct source_found found = find(&rig, HERE "p/");
    assert_int_equal(rig.port->read(rig.port->self, &found.items[0], 4400, bytes, 600, &rig.fault),
                     STATUS_OK);
    for (size_t i = 0; i < 600; i++)
        assert_int_equal(bytes[i], object_byte(&stored, 4400 + i));
    assert_int_equal(rig.port->read(rig.port->self, &found.items[0], 0, bytes, 0, &rig.fault), STATUS_OK);
    free(found.items);
    rig_close(&rig);
}

int main(void)
{
    assert_int_equal(http_global_start(NULL), STATUS_OK);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_a_url_stands_for),
        cmocka_unit_test(everything_is_without_rules),
        cmocka_unit_test(looks_at_heads),
        cmocka_unit_test(reads_by_many_threads),
        cmocka_unit_test(fetches_ranges_once),
        cmocka_unit_test(asks_for_few_until_it_knows_the_store),
        cmocka_unit_test(begins_anew_and_reads_no_further_than_the_cut),
        cmocka_unit_test(compares_with_the_stores_checksum),
        cmocka_unit_test(says_that_an_object_changed),
        cmocka_unit_test(ends_when_it_is_interrupted),
        cmocka_unit_test(reads_streams),
        cmocka_unit_test(reads_parts),
    };
    int const failed = cmocka_run_group_tests(tests, NULL, NULL);
    http_global_stop();
    return failed;
}
