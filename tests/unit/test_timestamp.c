/* test_timestamp.c - every day of ten thousand years, every form of the contract, and what must be refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/csv/timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNTOUCHED INT64_C(-777)

typedef bool reader_fn(const char *text, size_t length, int64_t *seconds);

/* Reads from memory of exactly the text's size, so that the address sanitizer sees one byte too many. */
static bool read_exactly(reader_fn *reader, const char *text, size_t length, int64_t *seconds)
{
    char *copy = malloc(length + (length == 0));
    assert_non_null(copy);
    memcpy(copy, text, length);
    *seconds = UNTOUCHED;
    bool const ok = reader(copy, length, seconds);
    free(copy);
    return ok;
}

static void expect_written(reader_fn *reader, const char *text, const char *wanted)
{
    int64_t seconds;
    char out[TIMESTAMP_TEXT_LENGTH + 2];
    memset(out, '#', sizeof out);
    if (!read_exactly(reader, text, strlen(text), &seconds)) fail_msg("refused: %s", text);
    timestamp_write(seconds, out + 1);
    assert_true(out[0] == '#' && out[TIMESTAMP_TEXT_LENGTH + 1] == '#');
    out[TIMESTAMP_TEXT_LENGTH + 1] = '\0';
    if (strcmp(out + 1, wanted) != 0) fail_msg("%s: got %s, not %s", text, out + 1, wanted);

    memset(out, '#', sizeof out);
    timestamp_write_date(seconds, out + 1);
    assert_true(out[0] == '#' && out[TIMESTAMP_DATE_LENGTH + 1] == '#');
    assert_memory_equal(out + 1, wanted, TIMESTAMP_DATE_LENGTH);
}

static void expect_text(const char *text, const char *wanted)
{
    expect_written(timestamp_from_text, text, wanted);
}

static void expect_number(const char *token, const char *wanted)
{
    expect_written(timestamp_from_number, token, wanted);
}

static void expect_refused(reader_fn *reader, const char *text, size_t length)
{
    int64_t seconds;
    if (read_exactly(reader, text, length, &seconds)) fail_msg("accepted: %.*s", (int)length, text);
    assert_true(seconds == UNTOUCHED);
}

static void refuse_text(const char *text)
{
    expect_refused(timestamp_from_text, text, strlen(text));
}

static void refuse_number(const char *token)
{
    expect_refused(timestamp_from_number, token, strlen(token));
}

/* ---- calendar ---- */

/* A calendar that only ever goes to the next day, beside ours. */
static void knows_every_day(void **state)
{
    (void)state;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = 0, month = 1, day = 1;
    char wanted[40], got[TIMESTAMP_DATE_LENGTH];
    int64_t seconds = TIMESTAMP_SECONDS_MIN, read;
    for (; year < 10000; seconds += 86400) {
        wanted[0] = (char)('0' + year / 1000), wanted[1] = (char)('0' + year / 100 % 10);
        wanted[2] = (char)('0' + year / 10 % 10), wanted[3] = (char)('0' + year % 10);
        wanted[5] = (char)('0' + month / 10), wanted[6] = (char)('0' + month % 10);
        wanted[8] = (char)('0' + day / 10), wanted[9] = (char)('0' + day % 10);
        wanted[4] = wanted[7] = '-';
        timestamp_write_date(seconds, got);
        if (memcmp(got, wanted, sizeof got) != 0) fail_msg("%.10s written as %.10s", wanted, got);
        timestamp_write_date(seconds + 86399, got);
        if (memcmp(got, wanted, sizeof got) != 0) fail_msg("end of %.10s written as %.10s", wanted, got);
        if (!timestamp_from_text(wanted, sizeof got, &read) || read != seconds)
            fail_msg("%.10s misread", wanted);

        bool const leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        if (++day <= lengths[month - 1] + leap) continue;
        day = 1;
        if (++month <= 12) continue;
        month = 1;
        year++;
    }
    assert_true(seconds == TIMESTAMP_SECONDS_MAX + 1);
}

static void knows_every_second_of_a_day(void **state)
{
    (void)state;
    for (int second = 0; second < 86400; second++) {
        char wanted[40], got[TIMESTAMP_TEXT_LENGTH];
        int64_t read;
        snprintf(wanted, sizeof wanted, "1969-12-31 %02d:%02d:%02d", second / 3600, second / 60 % 60,
                 second % 60);
        timestamp_write(second - 86400, got);
        assert_memory_equal(got, wanted, sizeof got);
        assert_true(timestamp_from_text(wanted, sizeof got, &read) && read == second - 86400);
    }
}

static void knows_the_days_of_months(void **state)
{
    (void)state;
    expect_text("2000-02-29", "2000-02-29 00:00:00");
    expect_text("2024-02-29", "2024-02-29 00:00:00");
    expect_text("0000-02-29", "0000-02-29 00:00:00");
    refuse_text("1900-02-29");
    refuse_text("2023-02-29");
    refuse_text("2100-02-29");
    refuse_text("2024-02-30");
    refuse_text("2024-04-31");
    refuse_text("2024-06-31");
    refuse_text("2024-01-32");
    refuse_text("2024-00-10");
    refuse_text("2024-13-01");
    refuse_text("2024-01-00");
}

/* ---- text ---- */

static void reads_what_platform_writes(void **state)
{
    (void)state;
    expect_text("2022-01-11T21:24:39Z", "2022-01-11 21:24:39");
    expect_text("2018-04-26T15:52:25+00:00", "2018-04-26 15:52:25");
    expect_text("2019-04-15T02:41:50+0000", "2019-04-15 02:41:50");
    expect_text("2021-03-10 10:03:08", "2021-03-10 10:03:08");
    expect_text("2021-03-10T10:03:08.000Z", "2021-03-10 10:03:08");
    expect_text("2021-03-10", "2021-03-10 00:00:00");
}

static void reads_rfc_3339(void **state)
{
    (void)state;
    expect_text("1985-04-12T23:20:50.52Z", "1985-04-12 23:20:50"); /* section 5.8 */
    expect_text("1996-12-19T16:39:57-08:00", "1996-12-20 00:39:57");
    expect_text("1937-01-01T12:00:27.87+00:20", "1937-01-01 11:40:27");
    expect_text("2020-01-01t00:00:00z", "2020-01-01 00:00:00");
    expect_text("2020-01-01 00:00:00z", "2020-01-01 00:00:00");
    expect_text("2020-01-01T00:00:00", "2020-01-01 00:00:00");
    expect_text("2020-01-01T00:00:00-00:00", "2020-01-01 00:00:00");
}

static void shifts_offsets(void **state)
{
    (void)state;
    expect_text("2024-03-01T00:30:00+0100", "2024-02-29 23:30:00");
    expect_text("2023-12-31T23:30:00-0045", "2024-01-01 00:15:00");
    expect_text("2024-01-01T00:00:00+23:59", "2023-12-31 00:01:00");
    expect_text("2024-01-01 00:00:00-23:59", "2024-01-01 23:59:00");
    expect_text("2024-01-01T05:45:00.123456789+05:45", "2024-01-01 00:00:00");
}

static void cuts_fractions(void **state)
{
    (void)state;
    expect_text("2020-01-01T23:59:59.9", "2020-01-01 23:59:59");
    expect_text("2020-01-01T23:59:59.999999999999999999999999999999Z", "2020-01-01 23:59:59");
    expect_text("1969-12-31T23:59:59.999Z", "1969-12-31 23:59:59");
}

static void keeps_years_in_four_digits(void **state)
{
    (void)state;
    int64_t seconds;
    expect_text("0000-01-01T00:00:00Z", "0000-01-01 00:00:00");
    expect_text("9999-12-31T23:59:59Z", "9999-12-31 23:59:59");
    expect_text("9999-12-31T23:59:59.999+00:00", "9999-12-31 23:59:59");
    expect_text("0000-01-01T01:00:00+01:00", "0000-01-01 00:00:00");
    expect_text("9999-12-31T22:59:59-01:00", "9999-12-31 23:59:59");
    refuse_text("0000-01-01T00:59:59+01:00");
    refuse_text("0000-01-01T00:00:00+00:01");
    refuse_text("9999-12-31T23:00:00-01:00");
    refuse_text("9999-12-31T23:59:00-00:01");
    assert_true(timestamp_from_text("0000-01-01", 10, &seconds) && seconds == TIMESTAMP_SECONDS_MIN);
    assert_true(timestamp_from_text("9999-12-31 23:59:59", 19, &seconds) && seconds == TIMESTAMP_SECONDS_MAX);
    assert_true(timestamp_from_text("1970-01-01", 10, &seconds) && seconds == 0);
}

static void takes_leap_seconds_at_the_end_of_months(void **state)
{
    (void)state;
    expect_text("1990-12-31T23:59:60Z", "1990-12-31 23:59:59"); /* RFC 3339, section 5.8 */
    expect_text("1990-12-31T15:59:60-08:00", "1990-12-31 23:59:59");
    expect_text("2016-12-31 23:59:60", "2016-12-31 23:59:59");
    expect_text("2016-12-31T23:59:60.999Z", "2016-12-31 23:59:59");
    expect_text("2015-07-01T08:59:60+09:00", "2015-06-30 23:59:59");
    expect_text("2024-02-29T23:59:60Z", "2024-02-29 23:59:59");
    expect_text("9999-12-31T23:59:60Z", "9999-12-31 23:59:59");
    refuse_text("2016-12-31T23:59:61Z");
    refuse_text("2016-12-31T23:58:60Z");
    refuse_text("2016-12-31T12:59:60Z");
    refuse_text("2016-12-30T23:59:60Z");
    refuse_text("2024-02-28T23:59:60Z");
    refuse_text("2016-12-31T23:59:60+01:00");
    refuse_text("2016-12-31T23:59:60-00:01");
    refuse_text("9999-12-31T23:59:60-01:00");
    refuse_text("0000-01-01T00:59:60+01:00"); /* would be the year before 0 */
}

static void refuses_other_texts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "2020",
        "2020-01",
        "2020-01-0",
        "20200101",
        "2020-1-1",
        "2020/01/01",
        " 2020-01-01",
        "2020-01-01 ",
        "2020-01-01T",
        "2020-01-01Z",
        "2020-01-01+00:00",
        "2020-01-01T00",
        "2020-01-01T00:00",
        "2020-01-01T00:00Z",
        "2020-01-01T00:00:",
        "2020-01-01T00:00:0",
        "2020-01-01T000000Z",
        "2020-01-01T24:00:00Z",
        "2020-01-01T24:00:00",
        "2020-01-01T23:60:00Z",
        "2020-01-01T23:59:99Z",
        "2020-01-01  00:00:00",
        "2020-01-01_00:00:00",
        "2020-01-01\t00:00:00",
        "2020-01-01T00:00:00.",
        "2020-01-01T00:00:00.Z",
        "2020-01-01T00:00:00,5Z",
        "2020-01-01T00:00:00.5.5Z",
        "2020-01-01T00:00:00ZZ",
        "2020-01-01T00:00:00 Z",
        "2020-01-01T00:00:00Z ",
        "2020-01-01T00:00:00Z\n",
        "2020-01-01T00:00:00+",
        "2020-01-01T00:00:00+1",
        "2020-01-01T00:00:00+01",
        "2020-01-01T00:00:00+010",
        "2020-01-01T00:00:00+01:",
        "2020-01-01T00:00:00+01:0",
        "2020-01-01T00:00:00+1:00",
        "2020-01-01T00:00:00+01:000",
        "2020-01-01T00:00:00+24:00",
        "2020-01-01T00:00:00+00:60",
        "2020-01-01T00:00:00+01:00:00",
        "2020-01-01T00:00:00 +0000",
        "2020-01-01T00:00:00−01:00", /* a true minus sign */
        "2020-01-01T00:00:00+00:00[UTC]",
        "2020-01-01T00:00:00GMT",
        "-2020-01-01T00:00:00Z",
        "+2020-01-01T00:00:00Z",
        "12020-01-01T00:00:00Z",
        "2020-W01-1",
        "2020-001",
        "1700000000000",
        "0x20-01-01",
        "\xD9\xA2\xD9\xA0-01-01", /* digits, but not ASCII's */
        "Wed, 01 Jan 2020 00:00:00 GMT",
        "null",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        refuse_text(texts[i]);
    expect_refused(timestamp_from_text, "2020-01-01\0", 11);
    expect_refused(timestamp_from_text, "2020-01-01T00:00:00\0Z", 21);
    int64_t seconds;
    assert_false(timestamp_from_text(NULL, 0, &seconds));
}

/* A good text's beginnings: a date, no zone, fewer digits of the fraction are good; all others are refused.
 */
static void refuses_beginnings(void **state)
{
    (void)state;
    static const char text[] = "2021-03-10T10:03:08.25+01:30";
    for (size_t length = 0; length < sizeof text - 1; length++) {
        int64_t seconds;
        bool const good = length == 10 || length == 19 || length == 21 || length == 22;
        assert_int_equal(read_exactly(timestamp_from_text, text, length, &seconds), good);
    }
}

/* Each byte of a good text in turn replaced by each byte: what is accepted is written in the same shape
 * again. */
static void survives_every_changed_byte(void **state)
{
    (void)state;
    static const char good[] = "2021-03-10T10:03:08.2+01:30";
    for (size_t at = 0; at < sizeof good - 1; at++)
        for (int c = 0; c < 256; c++) {
            char text[sizeof good], out[TIMESTAMP_TEXT_LENGTH];
            int64_t seconds, again;
            memcpy(text, good, sizeof good);
            text[at] = (char)c;
            if (!read_exactly(timestamp_from_text, text, sizeof good - 1, &seconds)) continue;
            timestamp_write(seconds, out);
            assert_true(timestamp_from_text(out, sizeof out, &again) && again == seconds);
        }
}

/* ---- numbers ---- */

static void reads_milliseconds(void **state)
{
    (void)state;
    expect_number("0", "1970-01-01 00:00:00");
    expect_number("1700000000000", "2023-11-14 22:13:20");
    expect_number("1700000000999", "2023-11-14 22:13:20");
    expect_number("999", "1970-01-01 00:00:00");
    expect_number("1000", "1970-01-01 00:00:01");
    expect_number("-0", "1970-01-01 00:00:00");
    expect_number("-1", "1969-12-31 23:59:59");
    expect_number("-1000", "1969-12-31 23:59:59");
    expect_number("-1001", "1969-12-31 23:59:58");
    expect_number("-86400000", "1969-12-31 00:00:00");
    expect_number("-62167219200000", "0000-01-01 00:00:00");
    expect_number("253402300799999", "9999-12-31 23:59:59");
    expect_number("253402300799999.999", "9999-12-31 23:59:59");
    refuse_number("253402300800000");
    refuse_number("-62167219200001");
    refuse_number("-62167219200000.0001");
    refuse_number("9007199254740993");
    refuse_number("9223372036854775807");
    refuse_number("-9223372036854775808");
    refuse_number("18446744073709551616");
    refuse_number("340282366920938463463374607431768211456000");
}

static void reads_fractions_and_exponents_exactly(void **state)
{
    (void)state;
    expect_number("1.7e12", "2023-11-14 22:13:20");
    expect_number("1.7E+12", "2023-11-14 22:13:20");
    expect_number("17e11", "2023-11-14 22:13:20");
    expect_number("1700000000000.5", "2023-11-14 22:13:20");
    expect_number("1700000000000.000", "2023-11-14 22:13:20");
    expect_number("17000000000005000e-4", "2023-11-14 22:13:20");
    expect_number("1699999999999.9999999999999999999999999",
                  "2023-11-14 22:13:19"); /* a double would round up */
    expect_number("0.0000000000017e24", "2023-11-14 22:13:20");
    expect_number("-0.5", "1969-12-31 23:59:59");
    expect_number("-1e-5", "1969-12-31 23:59:59");
    expect_number("-1e3", "1969-12-31 23:59:59");
    expect_number("-1000.0", "1969-12-31 23:59:59");
    expect_number("-1000.0001", "1969-12-31 23:59:58");
    expect_number("1e0", "1970-01-01 00:00:00");
    expect_number("1e00000000000000000000000003", "1970-01-01 00:00:01");
    expect_number("2.534023007999999e14", "9999-12-31 23:59:59");
    refuse_number("2.534023008e14");
    refuse_number("-6.21672192000001e13");
}

static void is_not_impressed_by_exponents(void **state)
{
    (void)state;
    refuse_number("1e15");
    refuse_number("1e400");
    refuse_number("-1e400");
    refuse_number("1e2147483648");
    refuse_number("1e9223372036854775808");
    refuse_number("1e99999999999999999999999999999999999999");
    refuse_number("0.0000000000000000000000000000000000000001e99999999999999999999");
    expect_number("0e99999999999999999999999999999999999999", "1970-01-01 00:00:00");
    expect_number("-0.000E+400", "1970-01-01 00:00:00");
    expect_number("1e-400", "1970-01-01 00:00:00");
    expect_number("1e-99999999999999999999999999999999999999", "1970-01-01 00:00:00");
    expect_number("-1e-99999999999999999999999999999999999999", "1969-12-31 23:59:59");

    static char token[4200]; /* 1 and 4000 zeros, brought back by an exponent: and the other way round */
    memset(token, '0', sizeof token);
    token[0] = '1';
    snprintf(token + 4001, 100, "e-3988");
    expect_number(token, "2001-09-09 01:46:40");
    memset(token, '0', sizeof token);
    token[1] = '.';
    token[4000] = '1';
    snprintf(token + 4001, 100, "e4011");
    expect_number(token, "2001-09-09 01:46:40");
}

static void refuses_what_is_no_json_number(void **state)
{
    (void)state;
    static const char *const tokens[] = {
        "",     "-",    "+1",    "--1", "01",  "-01",        "00",    "1.",    ".5",       "-.5",
        "1.e3", "1e",   "1e+",   "1e-", "e3",  "1e3.",       "1e++3", "1e3e3", "1.2.3",    "1_000",
        "1,5",  "0x10", " 1",    "1 ",  "1\n", "NaN",        "nan",   "inf",   "Infinity", "-Infinity",
        "true", "null", "\"1\"", "1L",  "1f",  "2020-01-01", "-e3",   "0.e1",  "1e 3",
    };
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
        refuse_number(tokens[i]);
    expect_refused(timestamp_from_number, "1\0", 2);
    int64_t seconds;
    assert_false(timestamp_from_number(NULL, 0, &seconds));
}

/* Against plain integer arithmetic: all milliseconds around zero, both signs. */
static void floors_every_millisecond(void **state)
{
    (void)state;
    for (int milliseconds = -5000; milliseconds <= 5000; milliseconds++) {
        char token[20];
        int64_t seconds;
        snprintf(token, sizeof token, "%d", milliseconds);
        assert_true(timestamp_from_number(token, strlen(token), &seconds));
        assert_true(seconds == (milliseconds + 10000) / 1000 - 10);
    }
}

/* ---- microseconds ---- */

static void expect_micros(reader_fn *reader, const char *text, int64_t wanted)
{
    int64_t micros;
    if (!read_exactly(reader, text, strlen(text), &micros)) fail_msg("refused: %s", text);
    if (micros != wanted) fail_msg("%s: got %lld", text, (long long)micros);
}

static void reads_microseconds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t micros;
    } texts[] = {{"1970-01-01", 0},
                 {"1970-01-01T00:00:01Z", 1000000},
                 {"1970-01-01T00:00:00.1Z", 100000},
                 {"1970-01-01T00:00:00.789Z", 789000},
                 {"1970-01-01T00:00:00.789z", 789000},
                 {"1970-01-01T00:00:00.7890", 789000},
                 {"1970-01-01T00:00:00.000001Z", 1},
                 {"1970-01-01T00:00:00.1234567890123456789Z", 123456},
                 {"1970-01-01T00:00:00.0000009Z", 0},
                 {"1970-01-01T01:00:00.5+01:00", 500000},
                 {"1969-12-31 23:59:59.999999", -1},
                 {"2016-12-31T23:59:60.25Z", INT64_C(1483228799250000)},
                 {"0000-01-01T00:00:00.000001Z", INT64_C(-62167219199999999)},
                 {"9999-12-31T23:59:59.9999999Z", INT64_C(253402300799999999)}},
      numbers[] = {{"0", 0},
                   {"-0", 0},
                   {"1", 1000},
                   {"0.001", 1},
                   {"0.0019", 1},
                   {"-0.0001", -1},
                   {"-1.5", -1500},
                   {"1.7e12", INT64_C(1700000000000000)},
                   {"1700000000123.4567", INT64_C(1700000000123456)},
                   {"1700000000000123456e-6", INT64_C(1700000000000123)},
                   {"253402300799999.9999", INT64_C(253402300799999999)},
                   {"-62167219200000", INT64_C(-62167219200000000)}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect_micros(timestamp_micros_from_text, texts[i].text, texts[i].micros);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        expect_micros(timestamp_micros_from_number, numbers[i].text, numbers[i].micros);
    static const char *const no_times[] = {
        "253402300800000", "-62167219200000.001", "1e300", "1e17", "01", ""};
    for (size_t i = 0; i < sizeof no_times / sizeof *no_times; i++)
        expect_refused(timestamp_micros_from_number, no_times[i], strlen(no_times[i]));
    static const char *const no_texts[] = {"",
                                           "soon",
                                           "1970-01-01T00:00:00.78:Z",
                                           "1970-01-01T00:00:00.7/9Z",
                                           "1970-01-01T00:00:00.789ZZ",
                                           "1970-01-01T00:00:00.Z",
                                           "0000-01-01T00:00:00.5+00:01"};
    for (size_t i = 0; i < sizeof no_texts / sizeof *no_texts; i++)
        expect_refused(timestamp_micros_from_text, no_texts[i], strlen(no_texts[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_every_day),
        cmocka_unit_test(knows_every_second_of_a_day),
        cmocka_unit_test(knows_the_days_of_months),
        cmocka_unit_test(reads_what_platform_writes),
        cmocka_unit_test(reads_rfc_3339),
        cmocka_unit_test(shifts_offsets),
        cmocka_unit_test(cuts_fractions),
        cmocka_unit_test(keeps_years_in_four_digits),
        cmocka_unit_test(takes_leap_seconds_at_the_end_of_months),
        cmocka_unit_test(refuses_other_texts),
        cmocka_unit_test(refuses_beginnings),
        cmocka_unit_test(survives_every_changed_byte),
        cmocka_unit_test(reads_milliseconds),
        cmocka_unit_test(reads_fractions_and_exponents_exactly),
        cmocka_unit_test(is_not_impressed_by_exponents),
        cmocka_unit_test(refuses_what_is_no_json_number),
        cmocka_unit_test(floors_every_millisecond),
        cmocka_unit_test(reads_microseconds),
    };
    return cmocka_run_group_tests_name("timestamp", tests, NULL, NULL);
}
