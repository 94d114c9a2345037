/* fuzz_timestamp.c - any bytes as a text and as a number: what is accepted is in range, is written in the one
 * shape, and reads back as the same. */
#include "core/csv/timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -62167219200000 and a terminator, with room. */
#define TOKEN_BYTES 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): the properties must hold in builds with NDEBUG too. */
static void require(bool holds, const char *property)
{
    if (holds) return;
    fprintf(stderr, "fuzz_timestamp: violated: %s\n", property);
    abort();
}

static void check_shape(const char *out)
{
    static const char shape[] = "dddd-dd-dd dd:dd:dd";
    for (size_t i = 0; i < TIMESTAMP_TEXT_LENGTH; i++)
        require(shape[i] == 'd' ? out[i] >= '0' && out[i] <= '9' : out[i] == shape[i], "shape of the text");
}

static void check_round_trip(int64_t seconds)
{
    require(seconds >= TIMESTAMP_SECONDS_MIN && seconds <= TIMESTAMP_SECONDS_MAX, "range");

    char text[TIMESTAMP_TEXT_LENGTH], date[TIMESTAMP_DATE_LENGTH], token[TOKEN_BYTES];
    int64_t again;
    timestamp_write(seconds, text);
    check_shape(text);
    require(timestamp_from_text(text, sizeof text, &again) && again == seconds, "text reads back");

    timestamp_write_date(seconds, date);
    require(memcmp(date, text, sizeof date) == 0, "date begins the text");
    require(timestamp_from_text(date, sizeof date, &again), "date reads back");
    require(again <= seconds && seconds - again < 86400, "date is the midnight before");

    int const length = snprintf(token, sizeof token, "%lld", (long long)seconds * 1000);
    require(timestamp_from_number(token, (size_t)length, &again) && again == seconds, "number reads back");
}

/* Both units are read or neither, and a second begins with its first microsecond. */
static void check_micros(bool read, int64_t seconds, bool micros_read, int64_t micros)
{
    require(read == micros_read, "seconds and microseconds are read alike");
    require(!read || (micros >= seconds * 1000000 && micros < (seconds + 1) * 1000000),
            "micros of the second");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *const text = (const char *)data;
    int64_t seconds = 0, micros = 0;
    bool read = timestamp_from_text(text, size, &seconds);
    check_micros(read, seconds, timestamp_micros_from_text(text, size, &micros), micros);
    if (read) check_round_trip(seconds);
    read = timestamp_from_number(text, size, &seconds);
    check_micros(read, seconds, timestamp_micros_from_number(text, size, &micros), micros);
    if (read) check_round_trip(seconds);
    return 0;
}
