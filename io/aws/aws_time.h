/* aws_time.h - the two forms of time that AWS's services write, as seconds since 1970. Pure and reentrant. */
#ifndef PENSTOCK_IO_AWS_AWS_TIME_H
#define PENSTOCK_IO_AWS_AWS_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* RFC 3339, as in the Expiration of credentials: "2026-11-23T10:00:00Z", with a fraction (cut), with an
 * offset
 * ("+01:00", "+0100"). False: anything else, years before 1970 among it. */
bool aws_time_rfc3339(const char *text, int64_t *seconds);

/* The Date header (RFC 9110, 5.6.7, IMF-fixdate): "Mon, 23 Nov 2026 10:00:00 GMT". */
bool aws_time_http(const char *text, int64_t *seconds);

#endif
