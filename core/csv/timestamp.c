/* timestamp.c - RFC 3339 texts and epoch milliseconds to seconds or microseconds, and back to text.
 *
 * Days are counted from 0000-01-01 of the proleptic Gregorian calendar, so that all numbers of a date that
 * can be written are positive; only seconds, which count from 1970, have a sign.
 *
 * Thread rule: pure and reentrant. Owns nothing. */
#include "core/csv/timestamp.h"

#include <assert.h>
#include <string.h>

#define DAY_SECONDS    INT64_C(86400)
#define HOUR_SECONDS   3600
#define MINUTE_SECONDS 60

/* Days from 0000-01-01 to 1970-01-01: 1970 years of 365, and 478 leap days in them. */
#define EPOCH_DAYS INT64_C(719528)

/* The Gregorian calendar repeats itself after 400 years of 146097 days. */
#define CYCLE_YEARS 400
#define CYCLE_DAYS  146097

/* Decimal digits that stand between milliseconds, as numbers have them, and what is read. */
#define DIGITS_TO_SECONDS (-3)
#define DIGITS_TO_MICROS  3

#define SECOND_MICROS INT64_C(1000000)
#define MICROS_MIN    (TIMESTAMP_SECONDS_MIN * SECOND_MICROS)
#define MICROS_MAX    (TIMESTAMP_SECONDS_MAX * SECOND_MICROS + SECOND_MICROS - 1)

/* Where exponents saturate: larger than any token has digits (so a saturated one is still far out of range or
 * far below a second), and small enough that adding the number of digits can't overflow. */
#define EXPONENT_MAX INT64_C(100000000000000000)

struct cursor {
    const char *at, *end;
};

struct civil {
    int year, month, day; /* month and day from 1 */
};

/* ---- calendar ---- */

/* 1: `year` >= 0 is a leap year: of the multiples of 4 all but those of 100 that aren't of 400. No branches:
 * years come in no order. */
static int is_leap(int year)
{
    return (int)((year & 3) == 0) & ((int)(year % 100 != 0) | (int)((year & 15) == 0));
}

/* Days of a year before month `month` (from 1; 13 gives the year's length). */
static int days_before_month(int year, int month)
{
    static const short before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    return before[month - 1] + ((int)(month > 2) & is_leap(year));
}

static int days_of_month(int year, int month)
{
    return days_before_month(year, month + 1) - days_before_month(year, month);
}

/* Days from 0000-01-01 to 1 January of `year` >= 0. In the years 0 to year-1 there are ceil(year/k) multiples
 * of k. */
static int days_before_year(int year)
{
    return 365 * year + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
}

static struct civil civil_from_days(int days)
{
    /* The mean year's guess is at most one off: leap days run ahead of or behind their mean by less than two.
     */
    int year = (int)((int64_t)days * CYCLE_YEARS / CYCLE_DAYS);
    if (days < days_before_year(year))
        year--;
    else if (days >= days_before_year(year + 1))
        year++;

    int const day_of_year = days - days_before_year(year);
    int month = day_of_year / 31 + 1; /* months have at most 31 days: the right one or the one before it */
    if (day_of_year >= days_before_month(year, month + 1)) month++;
    return (struct civil){year, month, day_of_year - days_before_month(year, month) + 1};
}

/* Days since 0000-01-01 of a time in range; *second is the second of that day. */
static int split_seconds(int64_t seconds, int *second)
{
    assert(seconds >= TIMESTAMP_SECONDS_MIN && seconds <= TIMESTAMP_SECONDS_MAX);
    int64_t const since_year_0 = seconds + EPOCH_DAYS * DAY_SECONDS;
    *second = (int)(since_year_0 % DAY_SECONDS);
    return (int)(since_year_0 / DAY_SECONDS);
}

static bool in_range(int64_t seconds)
{
    return seconds >= TIMESTAMP_SECONDS_MIN && seconds <= TIMESTAMP_SECONDS_MAX;
}

/* Whether the second that begins at `seconds` is the last of a month in UTC: only there is a leap second. */
static bool ends_month(int64_t seconds)
{
    int second;
    struct civil const date = civil_from_days(split_seconds(seconds, &second));
    return second == DAY_SECONDS - 1 && date.day == days_of_month(date.year, date.month);
}

/* ---- reading text ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool at_digit(const struct cursor *cursor)
{
    return cursor->at != cursor->end && is_digit(*cursor->at);
}

static bool take(struct cursor *cursor, char c)
{
    if (cursor->at == cursor->end || *cursor->at != c) return false;
    cursor->at++;
    return true;
}

static bool take_two_digits(struct cursor *cursor, int max, int *value)
{
    if (cursor->end - cursor->at < 2 || !is_digit(cursor->at[0]) || !is_digit(cursor->at[1])) return false;
    *value = (cursor->at[0] - '0') * 10 + (cursor->at[1] - '0');
    cursor->at += 2;
    return *value <= max;
}

/* full-date; *seconds is its midnight. */
static bool take_date(struct cursor *cursor, int64_t *seconds)
{
    int century, year_of_century, month, day;
    if (!take_two_digits(cursor, 99, &century) || !take_two_digits(cursor, 99, &year_of_century))
        return false;
    if (!take(cursor, '-') || !take_two_digits(cursor, 12, &month) || month == 0) return false;
    if (!take(cursor, '-') || !take_two_digits(cursor, 31, &day) || day == 0) return false;

    int const year = century * 100 + year_of_century;
    if (day > 28 && day > days_of_month(year, month)) return false; /* all months have 28 */
    int const days = days_before_year(year) + days_before_month(year, month) + day - 1;
    *seconds = (days - EPOCH_DAYS) * DAY_SECONDS;
    return true;
}

/* The digits behind a decimal point, cut to microseconds. */
static bool take_fraction(struct cursor *cursor, int *micros)
{
    if (!at_digit(cursor)) return false;
    for (int place = (int)SECOND_MICROS / 10; at_digit(cursor); place /= 10)
        *micros += (*cursor->at++ - '0') * place;
    return true;
}

/* partial-time; *leap when it says :60, of which *seconds is then the :59. */
static bool take_time(struct cursor *cursor, int *seconds, int *micros, bool *leap)
{
    int hour, minute, second;
    if (!take_two_digits(cursor, 23, &hour) || !take(cursor, ':')) return false;
    if (!take_two_digits(cursor, 59, &minute) || !take(cursor, ':')) return false;
    if (!take_two_digits(cursor, 60, &second)) return false;
    if (take(cursor, '.') && !take_fraction(cursor, micros)) return false;
    *leap = second == 60;
    if (*leap) second = 59;
    *seconds = hour * HOUR_SECONDS + minute * MINUTE_SECONDS + second;
    return true;
}

/* time-offset, or nothing, which is UTC; *seconds is what the local time is ahead of UTC. -00:00 (RFC
 * 3339 4.3: the zone is unknown, the time is UTC) is 0 like +00:00. */
static bool take_offset(struct cursor *cursor, int *seconds)
{
    *seconds = 0;
    if (cursor->at == cursor->end || take(cursor, 'Z') || take(cursor, 'z')) return true;

    bool const behind = take(cursor, '-');
    if (!behind && !take(cursor, '+')) return false;
    int hour, minute;
    if (!take_two_digits(cursor, 23, &hour)) return false;
    (void)take(cursor, ':');
    if (!take_two_digits(cursor, 59, &minute)) return false;
    *seconds = hour * HOUR_SECONDS + minute * MINUTE_SECONDS;
    if (behind) *seconds = -*seconds;
    return true;
}

/* ---- the usual form, eight characters at once ---- */

/* yyyy-MM-ddTHH:mm:ss, of which Z, an offset or a fraction may follow. */
#define USUAL_LENGTH 19

/* Eight characters against a form of '0', which stands for any digit, and others, which stand for themselves:
 * bytes 0 to 9, and 0. Bytes are little-endian, as plan.h asserts. False: another form. */
static inline bool read_form(const char *text, const char form[static 8], uint64_t *digits)
{
    uint64_t characters, wanted, most = 0;
    memcpy(&characters, text, sizeof characters);
    memcpy(&wanted, form, sizeof wanted);
    for (int i = 0; i < 8; i++) /* what may be added to a byte before its highest bit is set */
        most |= (uint64_t)(form[i] == '0' ? 0x7f - 9 : 0x7f) << 8 * i;
    *digits = characters ^ wanted;
    return ((*digits | (*digits + most)) & UINT64_C(0x8080808080808080)) == 0;
}

/* Of digits: each with the one behind it, as a number below 100. */
static inline uint64_t in_pairs(uint64_t digits)
{
    return digits * 10 + (digits >> 8);
}

static inline int pair_at(uint64_t pairs, int byte)
{
    return (int)(pairs >> 8 * byte & 0xff);
}

/* What follows a second: mostly Z, or milliseconds and Z. */
static inline bool read_usual_end(const char *text, size_t length, int *micros, int *offset)
{
    struct cursor cursor = {text, text + length};
    *micros = *offset = 0;
    if (length == 1 && text[0] == 'Z') return true;
    if (length == 5 && text[0] == '.' && text[4] == 'Z' && is_digit(text[1]) && is_digit(text[2]) &&
        is_digit(text[3])) {
        *micros = (text[1] - '0') * 100000 + (text[2] - '0') * 10000 + (text[3] - '0') * 1000;
        return true;
    }
    if (take(&cursor, '.') && !take_fraction(&cursor, micros)) return false;
    return take_offset(&cursor, offset) && cursor.at == cursor.end;
}

/* What most texts are. False: it is for the general reader to say what is wrong, if anything is. */
static bool read_usual(const char *text, size_t length, int64_t *seconds, int *micros)
{
    uint64_t date, hour, second;
    if (length < USUAL_LENGTH || !read_form(text, "0000-00-", &date) ||
        !read_form(text + 8, "00T00:00", &hour) || !read_form(text + 11, "00:00:00", &second))
        return false;
    date = in_pairs(date);
    hour = in_pairs(hour);
    int const year = 100 * pair_at(date, 0) + pair_at(date, 2), month = pair_at(date, 5);
    int const day = pair_at(hour, 0), of_hour = pair_at(hour, 6), of_minute = pair_at(in_pairs(second), 6);
    if (month < 1 || month > 12 || day < 1 || pair_at(hour, 3) > 23 || of_hour > 59 || of_minute > 59)
        return false;
    if (day > 28 && day > days_of_month(year, month)) return false;
    int offset;
    if (!read_usual_end(text + USUAL_LENGTH, length - USUAL_LENGTH, micros, &offset)) return false;
    int64_t const days = days_before_year(year) + days_before_month(year, month) + day - 1 - EPOCH_DAYS;
    *seconds =
        days * DAY_SECONDS + pair_at(hour, 3) * HOUR_SECONDS + of_hour * MINUTE_SECONDS + of_minute - offset;
    return in_range(*seconds);
}

static bool read_text(const char *text, size_t length, int64_t *seconds, int *micros)
{
    if (length < TIMESTAMP_DATE_LENGTH) return false; /* an empty text may be NULL */
    int64_t usual;
    if (read_usual(text, length, &usual, micros)) {
        *seconds = usual;
        return true;
    }
    struct cursor cursor = {text, text + length};
    int64_t midnight;
    int time = 0, offset = 0;
    bool leap = false;

    *micros = 0;
    if (!take_date(&cursor, &midnight)) return false;
    if (cursor.at != cursor.end) {
        if (!take(&cursor, 'T') && !take(&cursor, 't') && !take(&cursor, ' ')) return false;
        if (!take_time(&cursor, &time, micros, &leap) || !take_offset(&cursor, &offset)) return false;
        if (cursor.at != cursor.end) return false;
    }
    int64_t const utc = midnight + time - offset;
    if (!in_range(utc) || (leap && !ends_month(utc))) return false;
    *seconds = utc;
    return true;
}

bool timestamp_from_text(const char *text, size_t length, int64_t *seconds)
{
    int ignored;
    return read_text(text, length, seconds, &ignored);
}

bool timestamp_micros_from_text(const char *text, size_t length, int64_t *micros)
{
    int64_t seconds;
    int fraction;
    if (!read_text(text, length, &seconds, &fraction)) return false;
    *micros = seconds * SECOND_MICROS + fraction;
    return true;
}

/* ---- reading numbers ---- */

/* A JSON number, taken apart: its value is 0.D * 10^(whole_count + exponent), D its digits without the point.
 */
struct decimal {
    bool negative;
    const char *whole, *fraction;
    size_t whole_count, fraction_count; /* digits */
    int64_t exponent;                   /* saturates at +-EXPONENT_MAX */
};

static size_t take_digits(struct cursor *cursor)
{
    const char *begin = cursor->at;
    while (at_digit(cursor))
        cursor->at++;
    return (size_t)(cursor->at - begin);
}

static bool take_exponent(struct cursor *cursor, int64_t *exponent)
{
    *exponent = 0;
    if (!take(cursor, 'e') && !take(cursor, 'E')) return true;
    bool const negative = take(cursor, '-');
    if (!negative) (void)take(cursor, '+');
    if (!at_digit(cursor)) return false;
    for (; at_digit(cursor); cursor->at++) {
        *exponent = *exponent * 10 + (*cursor->at - '0');
        if (*exponent > EXPONENT_MAX) *exponent = EXPONENT_MAX;
    }
    if (negative) *exponent = -*exponent;
    return true;
}

/* RFC 8259, section 6. */
static bool take_number(struct cursor *cursor, struct decimal *decimal)
{
    decimal->negative = take(cursor, '-');
    decimal->whole = cursor->at;
    decimal->whole_count = take_digits(cursor);
    if (decimal->whole_count == 0) return false;
    if (decimal->whole_count > 1 && decimal->whole[0] == '0') return false;

    bool const point = take(cursor, '.');
    decimal->fraction = cursor->at;
    decimal->fraction_count = point ? take_digits(cursor) : 0;
    if (point && decimal->fraction_count == 0) return false;
    return take_exponent(cursor, &decimal->exponent);
}

/* Adds digits to *whole while *places (how many still stand before the point) lasts; of the rest is only
 * noted whether they are all zero. False: *whole is larger than `max`. */
static bool add_digits(const char *digits, size_t count, int64_t max, int64_t *places, int64_t *whole,
                       bool *rest)
{
    for (size_t i = 0; i < count; i++) {
        int const digit = digits[i] - '0';
        if (*places > 0) {
            (*places)--;
            *whole = *whole * 10 + digit;
            if (*whole > max) return false;
        } else if (digit != 0) {
            *rest = true;
        }
    }
    return true;
}

/* The number times 10^digits, cut towards the past, when that is from `min` to `max`. */
static bool read_number(const char *token, size_t length, int digits, int64_t min, int64_t max, int64_t *out)
{
    if (length == 0) return false; /* the token may be NULL then */
    struct cursor cursor = {token, token + length};
    struct decimal decimal;
    if (!take_number(&cursor, &decimal) || cursor.at != cursor.end) return false;

    int64_t const most = -min > max ? -min : max;
    int64_t places = (int64_t)decimal.whole_count + decimal.exponent + digits;
    int64_t whole = 0;
    bool rest = false;
    if (!add_digits(decimal.whole, decimal.whole_count, most, &places, &whole, &rest)) return false;
    if (!add_digits(decimal.fraction, decimal.fraction_count, most, &places, &whole, &rest)) return false;
    /* Zeros that the exponent stands for: some twenty at most, whatever the exponent, and none behind a zero.
     */
    for (; whole != 0 && places > 0; places--) {
        whole *= 10;
        if (whole > most) return false;
    }
    int64_t const value = decimal.negative ? -whole - (rest ? 1 : 0) : whole;
    if (value < min || value > max) return false;
    *out = value;
    return true;
}

bool timestamp_from_number(const char *token, size_t length, int64_t *seconds)
{
    return read_number(token, length, DIGITS_TO_SECONDS, TIMESTAMP_SECONDS_MIN, TIMESTAMP_SECONDS_MAX,
                       seconds);
}

bool timestamp_micros_from_number(const char *token, size_t length, int64_t *micros)
{
    return read_number(token, length, DIGITS_TO_MICROS, MICROS_MIN, MICROS_MAX, micros);
}

/* ---- writing ---- */

static char *put_two_digits(char *out, int value)
{
    out[0] = (char)('0' + value / 10);
    out[1] = (char)('0' + value % 10);
    return out + 2;
}

static char *put_date(char *out, int days)
{
    struct civil const date = civil_from_days(days);
    out = put_two_digits(out, date.year / 100);
    out = put_two_digits(out, date.year % 100);
    *out++ = '-';
    out = put_two_digits(out, date.month);
    *out++ = '-';
    return put_two_digits(out, date.day);
}

void timestamp_write(int64_t seconds, char *out)
{
    int second;
    out = put_date(out, split_seconds(seconds, &second));
    *out++ = ' ';
    out = put_two_digits(out, second / HOUR_SECONDS);
    *out++ = ':';
    out = put_two_digits(out, second / MINUTE_SECONDS % 60);
    *out++ = ':';
    (void)put_two_digits(out, second % 60);
}

void timestamp_write_date(int64_t seconds, char *out)
{
    int second;
    (void)put_date(out, split_seconds(seconds, &second));
}
