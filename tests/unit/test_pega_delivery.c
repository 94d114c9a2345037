/* test_pega_delivery.c - what is written behind the data files, in which stages, under which names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/pega/pega_delivery.h"

#include <stdio.h>
#include <string.h>

/* A sink that writes down what it is told. */
struct desk {
    struct sink sink;
    char told[4096];
    size_t used;
    int calls, fails_at;
    uint64_t bytes;
};

static void tell(struct desk *desk, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void tell(struct desk *desk, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    desk->used +=
        (size_t)vsnprintf(desk->told + desk->used, sizeof desk->told - desk->used, format, arguments);
    va_end(arguments);
    assert_true(desk->used < sizeof desk->told);
}

static enum status answer(struct desk *desk, struct fault *fault)
{
    return ++desk->calls == desk->fails_at ? fault_set(fault, STATUS_EXISTS, "taken") : STATUS_OK;
}

static enum status desk_begin(struct sink *sink, uint32_t file, const char *name, enum sink_stage stage,
                              struct fault *fault)
{
    struct desk *const desk = sink->self;
    tell(desk, "%u %s %s\n", file,
         stage == SINK_TOKEN      ? "token"
         : stage == SINK_MANIFEST ? "manifest"
                                  : "?",
         name);
    return answer(desk, fault);
}

static enum status desk_write(struct sink *sink, uint32_t file, const struct sink_piece *piece,
                              struct fault *fault)
{
    struct desk *const desk = sink->self;
    (void)file;
    assert_null(piece->owner);
    assert_true(piece->has_checksum);
    assert_true(piece->checksum == checksum_update(CHECKSUM_CRC32, 0, piece->bytes, piece->length));
    desk->bytes += piece->length;
    return answer(desk, fault);
}

static enum status desk_end(struct sink *sink, uint32_t file, uint64_t rows, uint64_t bytes,
                            struct fault *fault)
{
    struct desk *const desk = sink->self;
    assert_int_equal(rows, 0);
    assert_int_equal(bytes, desk->bytes);
    desk->bytes = 0;
    tell(desk, "end %u%s\n", file, bytes == 0 ? " empty" : "");
    return answer(desk, fault);
}

static void open_desk(struct desk *desk)
{
    *desk = (struct desk){.sink = {.begin = desk_begin, .write = desk_write, .end = desk_end}};
    desk->sink.self = desk;
}

static struct pega_rules const rules = {.checksum = CHECKSUM_CRC32, .token_suffix = ".TOK", .run_id = "r"};
static struct pega_file const files[] = {{"loyal/a_0001.csv.gz", 100, 7}, {"loyal/a_0002.csv.gz", 60, 3}};
static struct pega_set const sets[] = {{"loyal/a.xml", "Ingest", "CustomerData/", files, 2},
                                       {"other/a.xml", "Ingest", "", NULL, 0}};

/* Begins with names alone, as before the first row; then writes. */
static enum status deliver(struct desk *desk, struct pega_delivery *delivery, const struct pega_rules *with,
                           const struct pega_set *all, size_t count, struct fault *fault)
{
    enum status status = pega_delivery_begin(delivery, with, all, count, &desk->sink, fault);
    tell(desk, "rows\n");
    if (status == STATUS_OK) status = pega_delivery_write(delivery, with, all, count, &desk->sink, 10, fault);
    return status;
}

static void manifests_then_a_token_for_each(void **state)
{
    (void)state;
    struct desk desk;
    struct fault fault;
    struct pega_delivery delivery = {0};
    open_desk(&desk);
    assert_int_equal(deliver(&desk, &delivery, &rules, sets, 2, &fault), STATUS_OK);
    assert_string_equal(desk.told, "0 manifest loyal/a.xml\n1 manifest other/a.xml\n"
                                   "2 token loyal/a.xml.TOK\n3 token other/a.xml.TOK\nrows\n"
                                   "end 0\nend 1\nend 2 empty\nend 3 empty\n");
    assert_int_equal(delivery.count, 4);
    assert_non_null(strstr(delivery.objects[0].text.bytes, "<totalRecordCount>10<"));
    assert_non_null(strstr(delivery.objects[0].text.bytes, "<name>CustomerData/a_0001.csv.gz</name>"));
    assert_non_null(strstr(delivery.objects[0].text.bytes, "<size>60</size>"));
    assert_true(delivery.objects[3].is_token);
    pega_delivery_free(&delivery);
}

static void a_token_for_each_file(void **state)
{
    (void)state;
    struct desk desk;
    struct fault fault;
    struct pega_delivery delivery = {0};
    struct pega_rules per_file = rules;
    per_file.tokens = PEGA_TOKENS_PER_FILE;
    per_file.token_replaces_extension = true;
    open_desk(&desk);
    assert_int_equal(deliver(&desk, &delivery, &per_file, sets, 2, &fault), STATUS_OK);
    assert_string_equal(desk.told, "0 manifest loyal/a.xml\n1 manifest other/a.xml\nrows\n"
                                   "10 token loyal/a_0001.TOK\n11 token loyal/a_0002.TOK\n"
                                   "end 0\nend 1\nend 10 empty\nend 11 empty\n");
    pega_delivery_free(&delivery);
}

static void no_tokens(void **state)
{
    (void)state;
    struct desk desk;
    struct fault fault;
    struct pega_delivery delivery = {0};
    struct pega_rules none = rules;
    none.tokens = PEGA_TOKENS_NONE;
    open_desk(&desk);
    assert_int_equal(deliver(&desk, &delivery, &none, sets, 1, &fault), STATUS_OK);
    assert_string_equal(desk.told, "0 manifest loyal/a.xml\nrows\nend 0\n");
    pega_delivery_free(&delivery);
}

static void names_that_meet_are_refused(void **state)
{
    (void)state;
    struct desk desk;
    struct fault fault;
    struct pega_delivery delivery = {0};
    struct pega_set const same = {"loyal/a_0001.csv.gz", "Ingest", "", files, 2};
    open_desk(&desk);
    assert_int_equal(deliver(&desk, &delivery, &rules, &same, 1, &fault), STATUS_JOB);
    assert_non_null(strstr(fault.message, "loyal/a_0001.csv.gz"));
    pega_delivery_free(&delivery);
}

static void stops_where_the_sink_says_no(void **state)
{
    (void)state;
    for (int call = 1; call <= 10; call++) { /* 2 manifests of 3 calls, 2 tokens of 2 */
        struct desk desk;
        struct fault fault;
        struct pega_delivery delivery = {0};
        open_desk(&desk);
        desk.fails_at = call;
        assert_int_equal(deliver(&desk, &delivery, &rules, sets, 2, &fault), STATUS_EXISTS);
        assert_int_equal(desk.calls, call);
        pega_delivery_free(&delivery);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manifests_then_a_token_for_each),
        cmocka_unit_test(a_token_for_each_file),
        cmocka_unit_test(no_tokens),
        cmocka_unit_test(names_that_meet_are_refused),
        cmocka_unit_test(stops_where_the_sink_says_no),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
