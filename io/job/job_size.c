/* job_size.c - sizes and budgets as people write them, exact in whole numbers. Pure; owns nothing. */
#include "io/job/job_build.h"

#include <string.h>

enum {
    /* Digits behind the point of a size. 10^6 times the largest unit (2^40) stays below 2^60. */
    JOB_SIZE_FRACTION_MAX = 6,
    /* A share is held in millionths: 4 digits of a percentage. */
    JOB_SHARE_FRACTION_MAX = 4,
    JOB_SHARE_ONE = 1000000
};

struct job_unit {
    const char *name;
    uint64_t bytes;
};

bool job_digits(const char *text, uint64_t *number, const char **end)
{
    uint64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
            return false;
    }
    *number = value;
    *end = at;
    /* 010 is 8 to a YAML 1.1 reader, 10 to a person: refused. */
    return at != text && (text[0] != '0' || at == text + 1);
}

/* The digits behind a point at *at, if there is one, as a number of `most` digits ("5" of 4 is 5000). */
static bool job_fraction(const char **at, unsigned most, uint64_t *number, bool *given)
{
    *number = 0;
    *given = **at == '.';
    if (!*given) return true;
    unsigned digits = 0;
    for (++*at; **at >= '0' && **at <= '9'; ++*at, digits++) {
        if (digits == most) return false;
        *number = *number * 10 + (uint64_t)(**at - '0');
    }
    for (unsigned i = digits; i < most; i++)
        *number *= 10;
    return digits > 0;
}

bool job_parse_size(const char *text, uint64_t *bytes)
{
    static const struct job_unit units[] = {
        {"", 1},
        {"B", 1},
        {"KB", 1000},
        {"MB", 1000000},
        {"GB", 1000000000},
        {"TB", 1000000000000},
        {"KiB", 1ull << 10},
        {"MiB", 1ull << 20},
        {"GiB", 1ull << 30},
        {"TiB", 1ull << 40},
        {"K", 1ull << 10},
        {"M", 1ull << 20},
        {"G", 1ull << 30},
        {"T", 1ull << 40},
    };
    static const uint64_t one = 1000000; /* 10^JOB_SIZE_FRACTION_MAX */
    uint64_t whole = 0, fraction = 0;
    bool fractional = false;
    const char *at = text;
    if (!job_digits(text, &whole, &at) || !job_fraction(&at, JOB_SIZE_FRACTION_MAX, &fraction, &fractional))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        uint64_t const unit = units[i].bytes;
        if (strcmp(at, units[i].name) != 0) continue;
        if (fractional && unit == 1) return false; /* no half bytes */
        uint64_t sum = 0;
        if (__builtin_mul_overflow(whole, unit, &sum) ||
            __builtin_add_overflow(sum, fraction * unit / one, &sum))
            return false;
        *bytes = sum;
        return true;
    }
    return false;
}

bool job_parse_budget(const char *text, struct job_budget *budget)
{
    uint64_t whole = 0, fraction = 0;
    bool fractional = false;
    const char *at = text;
    if (!job_digits(text, &whole, &at) || !job_fraction(&at, JOB_SHARE_FRACTION_MAX, &fraction, &fractional))
        return false;
    if (*at == '\0' && !fractional) {
        *budget = (struct job_budget){.records = whole, .text = text};
        return true;
    }
    /* 1% is 10000 millionths, and `fraction` counts ten-thousandths of a percent: millionths too. */
    if (strcmp(at, "%") != 0 || whole > 100 || whole * 10000 + fraction > JOB_SHARE_ONE) return false;
    *budget = (struct job_budget){
        .is_share = true, .millionths = (uint32_t)(whole * 10000 + fraction), .text = text};
    return true;
}
