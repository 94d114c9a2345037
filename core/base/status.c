/* status.c - fills faults and names statuses. Pure: formats into the caller's memory. */
#include "core/base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum status fault_set(struct fault *fault, enum status status, const char *format, ...)
{
    if (fault == NULL) return status;
    fault->status = status;
    va_list arguments;
    va_start(arguments, format);
    int const length = vsnprintf(fault->message, sizeof fault->message, format, arguments);
    va_end(arguments);
    if (length < 0)
        memcpy(fault->message, "unprintable message", sizeof "unprintable message");
    else if ((size_t)length >= sizeof fault->message)
        memcpy(fault->message + sizeof fault->message - 4, "...", 4);
    return status;
}

const char *status_name(enum status status)
{
    switch (status) {
    case STATUS_OK: return "ok";
    case STATUS_USAGE: return "usage";
    case STATUS_INPUT: return "input";
    case STATUS_NO_SOURCE: return "no_source";
    case STATUS_INTERNAL: return "internal";
    case STATUS_EXISTS: return "exists";
    case STATUS_IO: return "io";
    case STATUS_TRY_AGAIN: return "try_again";
    case STATUS_RIGHTS: return "rights";
    case STATUS_JOB: return "job";
    case STATUS_INTERRUPTED: return "interrupted";
    case STATUS_TERMINATED: return "terminated";
    }
    return "unknown";
}
