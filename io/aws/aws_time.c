/* aws_time.c - reads RFC 3339 and HTTP dates without the C library's, which depend on the locale.
 *
 * Thread rule: pure and reentrant. Owns nothing. */
#include "io/aws/aws_time.h"

#include <stddef.h>
#include <string.h>

struct time_fields {
    int64_t year, month, day, hour, minute, second;
};

/* Exactly `digits` of them; moves on. False: something else stands there. */
static bool time_number(const char **at, unsigned digits, int64_t *out)
{
    int64_t value = 0;
    for (unsigned i = 0; i < digits; i++) {
        char const c = (*at)[i];
        if (c < '0' || c > '9') return false;
        value = value * 10 + (c - '0');
    }
    *at += digits;
    *out = value;
    return true;
}

static bool time_literal(const char **at, char c)
{
    if (**at != c) return false;
    (*at)++;
    return true;
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar: years counted from March, so that the leap day
 * is a year's last. */
static int64_t time_days(int64_t year, int64_t month, int64_t day)
{
    int64_t const y = month <= 2 ? year - 1 : year;
    int64_t const m = (month + 9) % 12;
    int64_t const since_march = (153 * m + 2) / 5 + day - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 + since_march - 719468;
}

static int64_t time_month_days(int64_t year, int64_t month)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool const leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool time_seconds(const struct time_fields *fields, int64_t *seconds)
{
    if (fields->year < 1970 || fields->month < 1 || fields->month > 12 || fields->day < 1 ||
        fields->day > time_month_days(fields->year, fields->month))
        return false;
    /* 60: a leap second, which Unix time counts as the next one. */
    if (fields->hour > 23 || fields->minute > 59 || fields->second > 60) return false;
    *seconds = time_days(fields->year, fields->month, fields->day) * 86400 + fields->hour * 3600 +
               fields->minute * 60 + fields->second;
    return true;
}

static bool time_clock(const char **at, struct time_fields *fields)
{
    return time_number(at, 2, &fields->hour) && time_literal(at, ':') &&
           time_number(at, 2, &fields->minute) && time_literal(at, ':') &&
           time_number(at, 2, &fields->second);
}

static bool time_fraction(const char **at)
{
    if (**at != '.') return true;
    const char *const first = ++*at;
    while (**at >= '0' && **at <= '9')
        (*at)++;
    return *at != first;
}

/* "Z", "+hh:mm", "+hhmm": seconds that the clock is ahead of UTC. */
static bool time_offset(const char **at, int64_t *ahead)
{
    *ahead = 0;
    if (**at == 'Z' || **at == 'z') {
        (*at)++;
        return true;
    }
    if (**at != '+' && **at != '-') return false;
    int64_t const sign = *(*at)++ == '+' ? 1 : -1;
    int64_t hours = 0, minutes = 0;
    if (!time_number(at, 2, &hours)) return false;
    if (**at == ':') (*at)++;
    if (!time_number(at, 2, &minutes) || hours > 23 || minutes > 59) return false;
    *ahead = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool aws_time_rfc3339(const char *text, int64_t *seconds)
{
    const char *at = text;
    struct time_fields fields = {0};
    if (!time_number(&at, 4, &fields.year) || !time_literal(&at, '-') ||
        !time_number(&at, 2, &fields.month) || !time_literal(&at, '-') || !time_number(&at, 2, &fields.day))
        return false;
    if (*at != 'T' && *at != 't' && *at != ' ') return false;
    at++;
    int64_t ahead = 0, local = 0;
    if (!time_clock(&at, &fields) || !time_fraction(&at) || !time_offset(&at, &ahead) || *at != '\0')
        return false;
    if (!time_seconds(&fields, &local) || local < ahead) return false;
    *seconds = local - ahead;
    return true;
}

bool aws_time_http(const char *text, int64_t *seconds)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    /* The weekday says nothing that the date doesn't. */
    if (strlen(text) != sizeof "Mon, 23 Nov 2026 10:00:00 GMT" - 1 || text[3] != ',' || text[4] != ' ')
        return false;
    const char *at = text + 5;
    struct time_fields fields = {0};
    if (!time_number(&at, 2, &fields.day) || !time_literal(&at, ' ')) return false;
    for (size_t i = 0; i < 12; i++)
        if (memcmp(at, months + 3 * i, 3) == 0) fields.month = (int64_t)i + 1;
    at += 3;
    if (!time_literal(&at, ' ') || !time_number(&at, 4, &fields.year) || !time_literal(&at, ' ') ||
        !time_clock(&at, &fields) || strcmp(at, " GMT") != 0)
        return false;
    return time_seconds(&fields, seconds);
}
