/* log.c - formats log lines and writes each with one call.
 * Thread rule: main thread only. Owns nothing: the stream is the caller's. */
#include "io/cli/log.h"

#include "core/base/status.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

/* A fault's message and a phrase before it ("job.yaml: ", …). */
#define LOG_MESSAGE_MAX (FAULT_MESSAGE_MAX + 512)
/* One byte becomes at most six (\u001f); what stands around the message takes less than 128. */
#define LOG_LINE_MAX (6 * LOG_MESSAGE_MAX + 128)
#define LOG_TIME_MAX 64

struct line {
    char bytes[LOG_LINE_MAX];
    size_t length;
};

static void add(struct line *line, const char *bytes, size_t length)
{
    memcpy(line->bytes + line->length, bytes, length); /* LOG_LINE_MAX is the sum of all that is added */
    line->length += length;
}

static void add_text(struct line *line, const char *text)
{
    add(line, text, strlen(text));
}

/* Length of the well-formed UTF-8 sequence at `text` (RFC 3629, table of section 4), 0 when there is none. */
static size_t sequence_length(const unsigned char *text)
{
    unsigned const first = text[0];
    if (first < 0x80) return 1;
    if (first < 0xC2 || first > 0xF4) return 0;
    size_t const length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    unsigned const least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned const most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (text[1] < least || text[1] > most) return 0; /* the terminator is below every bound */
    for (size_t i = 2; i < length; i++)
        if (text[i] < 0x80 || text[i] > 0xBF) return 0;
    return length;
}

/* C0, DEL, and C1 as UTF-8 writes it (C2 80 to C2 9F): terminals obey all three. */
static bool is_control(const unsigned char *text)
{
    return text[0] < 0x20 || text[0] == 0x7F || (text[0] == 0xC2 && text[1] < 0xA0);
}

static void add_escaped_text(struct line *line, const char *message)
{
    const unsigned char *at = (const unsigned char *)message;
    while (*at != '\0') {
        size_t const length = sequence_length(at);
        if (length == 0 || is_control(at)) {
            char escape[8];
            if (length != 0 && *at == '\n')
                add_text(line, "\\n");
            else
                add(line, escape, (size_t)snprintf(escape, sizeof escape, "\\x%02x", (unsigned)*at));
            at++; /* a C1 control's second byte is broken UTF-8 by itself, so it is escaped next */
        } else {
            add(line, (const char *)at, length);
            at += length;
        }
    }
}

static void add_escaped_json(struct line *line, const char *message)
{
    const unsigned char *at = (const unsigned char *)message;
    while (*at != '\0') {
        size_t const length = sequence_length(at);
        char escape[8];
        if (length == 0) {
            add_text(line, "\xEF\xBF\xBD"); /* U+FFFD: JSON has no way to carry a broken byte */
            at++;
        } else if (*at == '"' || *at == '\\') {
            char const pair[] = {'\\', (char)*at++};
            add(line, pair, sizeof pair);
        } else if (is_control(at)) {
            unsigned const code = length == 2 ? at[1] : at[0];
            add(line, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", code));
            at += length;
        } else {
            add(line, (const char *)at, length);
            at += length;
        }
    }
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR: return "error";
    case LOG_LEVEL_WARNING: return "warning";
    case LOG_LEVEL_INFO: return "info";
    case LOG_LEVEL_DETAIL: return "detail";
    }
    return "info";
}

static void add_time(struct line *line)
{
    struct timespec now = {0};
    struct tm parts = {0};
    char text[LOG_TIME_MAX];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    size_t const length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    add(line, text, length);
    add(line, text, (size_t)snprintf(text, sizeof text, ".%03dZ", (int)(now.tv_nsec / 1000000 % 1000)));
}

/* Formats into `message`; a text that is too long ends in "..." and never inside a character. */
static void format_message(char message[LOG_MESSAGE_MAX], const char *format, va_list arguments)
{
    int const length = vsnprintf(message, LOG_MESSAGE_MAX, format, arguments);
    if (length < 0) {
        memcpy(message, "unprintable message", sizeof "unprintable message");
    } else if (length >= LOG_MESSAGE_MAX) {
        size_t end = LOG_MESSAGE_MAX - sizeof "...";
        while (end > 0 && ((unsigned char)message[end] & 0xC0) == 0x80)
            end--;
        memcpy(message + end, "...", sizeof "...");
    }
}

static void write_line(const struct log *logger, enum log_level level, const char *format, va_list arguments)
{
    if (level > logger->most) return;
    char message[LOG_MESSAGE_MAX];
    format_message(message, format, arguments);
    struct line line;
    line.length = 0;
    if (logger->format == LOG_FORMAT_JSON) {
        add_text(&line, "{\"time\":\"");
        add_time(&line);
        add_text(&line, "\",\"level\":\"");
        add_text(&line, level_name(level));
        add_text(&line, "\",\"message\":\"");
        add_escaped_json(&line, message);
        add_text(&line, "\"}\n");
    } else {
        add_text(&line, "penstock: ");
        if (level == LOG_LEVEL_ERROR || level == LOG_LEVEL_WARNING) {
            add_text(&line, level_name(level));
            add_text(&line, ": ");
        }
        add_escaped_text(&line, message);
        add_text(&line, "\n");
    }
    fwrite(line.bytes, 1, line.length, logger->stream);
    fflush(logger->stream);
}

void log_error(const struct log *logger, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(logger, LOG_LEVEL_ERROR, format, arguments);
    va_end(arguments);
}

void log_warning(const struct log *logger, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(logger, LOG_LEVEL_WARNING, format, arguments);
    va_end(arguments);
}

void log_info(const struct log *logger, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(logger, LOG_LEVEL_INFO, format, arguments);
    va_end(arguments);
}

void log_detail(const struct log *logger, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(logger, LOG_LEVEL_DETAIL, format, arguments);
    va_end(arguments);
}
