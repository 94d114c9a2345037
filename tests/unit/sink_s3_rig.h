/* sink_s3_rig.h - the S3 sink over a store in memory (fake_s3_client.h), fed by a pool of chunks whose pieces
 * are counted home, and what was written to compare with what was delivered.
 *
 * One test program includes it once. */
#ifndef PENSTOCK_TESTS_UNIT_SINK_S3_RIG_H
#define PENSTOCK_TESTS_UNIT_SINK_S3_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/output/sink_s3.h"
#include "tests/unit/fake_s3_client.h"

#define PART   1000u
#define CHUNK  256u
#define TOKEN  "token-of-this-process"
#define BUCKET "acme"
#define PREFIX "in/"

/* A chunk with one piece, or with several for several files. */
struct piece {
    struct piece *next;
    struct rig *rig;
    uint8_t *bytes; /* freed when all are home: whoever reads later dies under ASan */
    unsigned uses;  /* pieces not yet home, and one of the assembler's while it hands them out */
    bool home;
};

/* The rows of a chunk that are one file's. */
struct run {
    uint32_t file;
    size_t length;
};

struct file {
    char name[64];
    uint8_t *bytes;
    size_t size, room;
};

struct rig {
    struct s3_client *client;
    struct sink *sink;
    struct sink_s3_options options;
    struct fault fault;
    struct piece *pieces;
    size_t out, most_out; /* chunks not yet home */
    size_t limit;         /* 0: none; else as many can be out: a pool of chunks */
    struct file *files;
    size_t file_count;
    uint32_t random;
    unsigned warnings;
    char warning[FAULT_MESSAGE_MAX];
};

static enum status stop_with;
static inline enum status interrupted(void)
{
    return stop_with;
}

static inline void warn(void *context, const char *message)
{
    struct rig *const rig = context;
    if (rig->warnings++ == 0) snprintf(rig->warning, sizeof rig->warning, "%s", message);
}

static inline void piece_release(struct piece *piece)
{
    assert_false(piece->home);
    assert_true(piece->uses > 0);
    if (--piece->uses > 0) return;
    piece->home = true;
    free(piece->bytes);
    piece->rig->out--;
}

static inline void piece_home(void *context, const struct sink_piece *sink_piece)
{
    (void)context;
    assert_non_null(sink_piece->owner);
    piece_release(sink_piece->owner);
}

static inline uint32_t below(struct rig *rig, uint32_t limit)
{
    rig->random = rig->random * 1103515245u + 12345u;
    return (uint32_t)((uint64_t)(rig->random >> 8) * limit >> 24);
}

static inline struct rig *rig_new(enum checksum_kind kind, bool replace, uint64_t part_size)
{
    struct rig *const rig = fake_must(calloc(1, sizeof *rig));
    stop_with = STATUS_OK;
    rig->random = 7;
    rig->client = s3_client_create(NULL, false, NULL);
    rig->client->checksum = kind;
    rig->client->part_size = part_size;
    rig->options = (struct sink_s3_options){.client = rig->client,
                                            .bucket = BUCKET,
                                            .prefix = PREFIX,
                                            .token = TOKEN,
                                            .replace = replace,
                                            .checksum = kind,
                                            .part_size = part_size,
                                            .hold = 1u << 30,
                                            .connections = 3,
                                            .chunk_bytes = CHUNK,
                                            .interrupted = interrupted,
                                            .warn = warn,
                                            .warn_context = rig};
    return rig;
}

static inline void rig_open(struct rig *rig)
{
    rig->sink = sink_s3_create(&rig->options, &rig->fault);
    assert_non_null(rig->sink);
    rig->sink->home = piece_home;
    rig->sink->home_context = rig;
}

/* By default: parts of PART, CRC-64/NVME, if_exists: fail. */
static inline struct rig *rig_default(void)
{
    struct rig *const rig = rig_new(CHECKSUM_CRC64NVME, false, PART);
    rig_open(rig);
    return rig;
}

static inline void rig_free(struct rig *rig)
{
    rig->sink->destroy(rig->sink);
    assert_int_equal(rig->out, 0);
    assert_int_equal(s3_client_out(rig->client), 0);
    assert_null(rig->client->complaint);
    while (rig->pieces != NULL) {
        struct piece *const piece = rig->pieces;
        rig->pieces = piece->next;
        assert_true(piece->home);
        free(piece);
    }
    for (size_t i = 0; i < rig->file_count; i++)
        free(rig->files[i].bytes);
    free(rig->files);
    s3_client_destroy(rig->client);
    free(rig);
}

/* ---- rows ---- */

static inline struct file *rig_file(struct rig *rig)
{
    return &rig->files[rig->file_count - 1];
}

static inline enum status rig_begin_staged(struct rig *rig, const char *name, enum sink_stage stage)
{
    rig->files = fake_must(realloc(rig->files, (rig->file_count + 1) * sizeof *rig->files));
    struct file *const file = &rig->files[rig->file_count];
    *file = (struct file){.size = 0};
    snprintf(file->name, sizeof file->name, "%s", name);
    return rig->sink->begin(rig->sink, (uint32_t)rig->file_count++, name, stage, &rig->fault);
}

static inline enum status rig_begin(struct rig *rig, const char *name)
{
    return rig_begin_staged(rig, name, SINK_DATA);
}

/* A chunk full of random bytes. */
static inline struct piece *rig_chunk(struct rig *rig, size_t length)
{
    struct piece *const piece = fake_must(calloc(1, sizeof *piece));
    *piece =
        (struct piece){.next = rig->pieces, .rig = rig, .bytes = fake_must(malloc(length + 1)), .uses = 1};
    rig->pieces = piece;
    for (size_t i = 0; i < length; i++)
        piece->bytes[i] = (uint8_t)below(rig, 256);
    if (++rig->out > rig->most_out) rig->most_out = rig->out;
    return piece;
}

/* `corrupt`: the byte at this place changes after the piece was made; SIZE_MAX: none. */
static inline enum status rig_write_slice(struct rig *rig, uint32_t number, struct piece *piece, size_t at,
                                          size_t length, bool has_checksum, size_t corrupt)
{
    struct file *const file = &rig->files[number];
    if (file->size + length > file->room) {
        file->room = 2 * file->room + length;
        file->bytes = fake_must(realloc(file->bytes, file->room));
    }
    memcpy(file->bytes + file->size, piece->bytes + at, length);
    file->size += length;
    struct sink_piece const given = {
        .bytes = piece->bytes + at,
        .length = length,
        .owner = piece,
        .checksum = has_checksum ? checksum_update(rig->options.checksum, 0, piece->bytes + at, length) : 99,
        .has_checksum = has_checksum};
    if (corrupt != SIZE_MAX) piece->bytes[at + corrupt] ^= 1;
    piece->uses++;
    return rig->sink->write(rig->sink, number, &given, &rig->fault);
}

static inline enum status rig_write_piece(struct rig *rig, size_t length, bool has_checksum, size_t corrupt)
{
    struct piece *const piece = rig_chunk(rig, length);
    enum status const status =
        rig_write_slice(rig, (uint32_t)rig->file_count - 1, piece, 0, length, has_checksum, corrupt);
    piece_release(piece);
    return status;
}

/* A chunk whose rows go to several files. */
static inline enum status rig_write_runs(struct rig *rig, const struct run *runs, size_t count)
{
    size_t length = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        length += runs[i].length;
    struct piece *const piece = rig_chunk(rig, length);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = rig_write_slice(rig, runs[i].file, piece, at, runs[i].length, true, SIZE_MAX);
        at += runs[i].length;
    }
    piece_release(piece);
    return status;
}

static inline enum status rig_write(struct rig *rig, size_t length)
{
    return rig_write_piece(rig, length, below(rig, 4) != 0, SIZE_MAX);
}

static const uint8_t header[] = "CustomerID,Email\r\n";

static inline enum status rig_write_header(struct rig *rig)
{
    struct file *const file = rig_file(rig);
    size_t const length = sizeof header - 1;
    file->room = length;
    file->bytes = fake_must(malloc(length));
    memcpy(file->bytes, header, length);
    file->size = length;
    struct sink_piece const given = {.bytes = header, .length = length};
    return rig->sink->write(rig->sink, (uint32_t)rig->file_count - 1, &given, &rig->fault);
}

static inline enum status rig_end_file(struct rig *rig, uint32_t file)
{
    return rig->sink->end(rig->sink, file, 0, rig->files[file].size, &rig->fault);
}

static inline enum status rig_end(struct rig *rig)
{
    return rig_end_file(rig, (uint32_t)rig->file_count - 1);
}

/* With a pool: reaps until a piece may be given out, as the pipeline does. Nothing on its way then is a
 * lock-up. */
static inline enum status rig_wait(struct rig *rig)
{
    enum status status = rig->sink->reap(rig->sink, &rig->fault);
    while (status == STATUS_OK && rig->limit != 0 && rig->out >= rig->limit) {
        assert_true(s3_client_out(rig->client) > 0);
        s3_client_wait(rig->client);
        status = rig->sink->reap(rig->sink, &rig->fault);
    }
    return status;
}

/* A file of `size` bytes in pieces of 1 to `most`. */
static inline enum status rig_put(struct rig *rig, const char *name, size_t size, uint32_t most)
{
    enum status status = rig_begin(rig, name);
    if (status == STATUS_OK && size >= sizeof header && below(rig, 2) == 0) status = rig_write_header(rig);
    while (status == STATUS_OK && rig_file(rig)->size < size) {
        size_t const left = size - rig_file(rig)->size;
        size_t const length = 1 + below(rig, most);
        status = rig_wait(rig);
        if (status == STATUS_OK) status = rig_write(rig, length < left ? length : left);
    }
    return status == STATUS_OK ? rig_end(rig) : status;
}

static inline enum status rig_commit(struct rig *rig)
{
    return rig->sink->commit(rig->sink, &rig->fault);
}

static inline const struct fake_object *rig_object(const struct rig *rig, const char *name)
{
    char key[128];
    snprintf(key, sizeof key, PREFIX "%s", name);
    return fake_find(rig->client, key);
}

static inline void check_file(const struct rig *rig, const struct file *file)
{
    const struct fake_object *const object = rig_object(rig, file->name);
    assert_non_null(object);
    assert_int_equal(object->body.size, file->size);
    if (file->size != 0) assert_memory_equal(object->body.bytes, file->bytes, file->size);
    assert_string_equal(object->token, TOKEN);
}

static inline void check_delivered(const struct rig *rig)
{
    for (size_t i = 0; i < rig->file_count; i++)
        check_file(rig, &rig->files[i]);
    assert_int_equal(rig->client->object_count, rig->file_count);
    assert_int_equal(fake_uploads_alive(rig->client), 0);
    assert_int_equal(rig->out, 0);
}

static inline void check_nothing_left(struct rig *rig)
{
    rig->sink->abort(rig->sink);
    assert_int_equal(rig->out, 0);
    assert_int_equal(s3_client_out(rig->client), 0);
    assert_int_equal(fake_uploads_alive(rig->client), 0);
    assert_int_equal(rig->client->object_count, 0);
    unsigned const calls = rig->client->calls;
    rig->sink->abort(rig->sink);
    assert_int_equal(rig->client->calls, calls); /* the second one does nothing */
}

static inline void rule(struct rig *rig, struct fake_rule rule)
{
    assert_true(rig->client->rule_count < FAKE_RULES_MAX);
    if (rule.count == 0) rule.count = 1;
    if (rule.from == 0) rule.from = 1;
    rig->client->rules[rig->client->rule_count++] = rule;
}

static inline void put_foreign(struct rig *rig, const char *key)
{
    fake_put(rig->client, key, (struct fake_bytes){.bytes = fake_must(strdup("x")), .size = 1}, "another");
}

#define ok(call) assert_int_equal((call), STATUS_OK)

#endif
