/* timestamp.h - the times that AEP writes, as Pega reads them.
 *
 * Text (contract: "Values"), exactly one of
 *
 *   yyyy-MM-dd                                          a date alone: its midnight, UTC
 *   yyyy-MM-ddTHH:mm:ss[.digits][Z | +hh:mm | +hhmm]    T may be t or a blank, Z may be z, + may be -
 *
 * No zone is UTC; a fraction is cut, never rounded. All fields have all their digits and are in range
 * (proleptic Gregorian; hours 0 to 23, in offsets too). Hours alone (+01), 24:00:00, times without seconds,
 * week and ordinal dates, a zone behind a date alone are refused: RFC 3339 has none of them.
 *
 * Leap second: :60 is accepted where there can be one, in the last second of a month in UTC (RFC 3339 5.7,
 * ITU-R TF.460), and is the same as :59 of that minute. So what is written is valid, keeps its day and
 * month, and never runs backwards; a built-in list of leap seconds would be out of date one day.
 *
 * Number: any JSON number, as milliseconds since 1970; its exact decimal value counts, never a double's:
 * 1.7e12 and 1700000000000.5 are 1700000000 s. A text of digits is no time.
 *
 * Years are 0000 to 9999, before and after the shift to UTC. Seconds are POSIX seconds: days have 86400.
 *
 * Thread rule: pure and reentrant. */
#ifndef PENSTOCK_CORE_CSV_TIMESTAMP_H
#define PENSTOCK_CORE_CSV_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMESTAMP_TEXT_LENGTH 19 /* yyyy-MM-dd HH:mm:ss */
#define TIMESTAMP_DATE_LENGTH 10

/* What the readers give and the writers take: 0000-01-01 00:00:00 to 9999-12-31 23:59:59. */
#define TIMESTAMP_SECONDS_MIN INT64_C(-62167219200)
#define TIMESTAMP_SECONDS_MAX INT64_C(253402300799)

/* Seconds since 1970-01-01T00:00:00Z of a text (exactly the text: no blanks around it). False: not a time;
 * *seconds is then unchanged. */
bool timestamp_from_text(const char *text, size_t length, int64_t *seconds);
/* The same of a JSON number token, milliseconds since 1970; cut towards the past (-1 is 1969-12-31 23:59:59).
 * False: no JSON number, or a time outside of the years above. */
bool timestamp_from_number(const char *token, size_t length, int64_t *seconds);
/* The same in microseconds since 1970: what times are compared by. Fractions are cut to them, towards the
 * past.
 */
bool timestamp_micros_from_text(const char *text, size_t length, int64_t *micros);
bool timestamp_micros_from_number(const char *token, size_t length, int64_t *micros);
/* Write exactly the length above in UTC, no terminator. `seconds` must be in the range above. */
void timestamp_write(int64_t seconds, char *out);
void timestamp_write_date(int64_t seconds, char *out);

#endif
