/* log.h - what penstock tells the person while it works: lines on standard error.
 *
 * Text: `penstock: message`, `penstock: warning: message`, `penstock: error: message`. JSON: one object a
 * line,
 * {"time","level","message"}, time in UTC. Each line leaves in one write. What a message quotes (paths, keys)
 * is foreign text: control characters and broken UTF-8 are escaped in both forms, so that no file name can
 * forge a line or steer a terminal.
 *
 * Never log a field value of a profile or a secret.
 * Thread rule: main thread only; other threads hand it a struct fault. */
#ifndef PENSTOCK_IO_CLI_LOG_H
#define PENSTOCK_IO_CLI_LOG_H

#include <stdio.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DETAIL };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct log {
    FILE *stream;        /* not owned */
    enum log_level most; /* -q: error; usual: info; -v: detail */
    enum log_format format;
};

/* A message longer than the bound (a fault's longest message and room for a phrase before it) is cut and ends
 * in
 * "...". A line that can't be written is dropped: there is no place left to say so. */
void log_error(const struct log *logger, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_warning(const struct log *logger, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_info(const struct log *logger, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_detail(const struct log *logger, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
