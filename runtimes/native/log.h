/* The log: standard error, one line an event, as text (logfmt) or JSON. And the end of a program that cannot go on. */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Warnings that share a limit of one line a minute; bad lines have one kind for each of their 16 reasons. */
enum log_kind {
  LOG_BAD_LINE,
  LOG_ACCEPT = LOG_BAD_LINE + 16,
  LOG_REFUSED,
  LOG_HTTP,
  LOG_HTTP_REFUSED,
  LOG_DISPLACED,
  LOG_SCRAPE_REFUSED,
  LOG_CUT,
  LOG_STALLED,
  LOG_COUNTER,
  LOG_KINDS = LOG_COUNTER + 16,
};

/* Exit status of a bad option, and of everything else that keeps the program from serving. */
enum { STATUS_FAILURE = 1, STATUS_USAGE = 2 };

/* Sets the least important level that is written, and whether lines are JSON. */
void log_open(enum log_level level, bool json);

/* Begins a line. False: the level is not wanted, and nothing must follow. */
bool log_begin(enum log_level level, const char *message);

/* Begins a warning, or counts it if one of its kind was written in the last minute. False: nothing must follow. */
bool log_warn(enum log_kind kind, double now_ms, const char *message);

/* Whether a warning of this kind would be written now. */
bool log_wants(enum log_kind kind, double now_ms);

/* Adds a field to the line that was begun. */
void log_text(const char *name, const char *value);
void log_bytes(const char *name, const void *value, size_t length);
void log_number(const char *name, uint64_t value);
/* Adds milliseconds as seconds. */
void log_seconds(const char *name, uint64_t ms);
/* Adds a list of texts. */
void log_list(const char *name, const char *const *values, size_t count);

/* Ends the line and writes it. A log that cannot be written stops nothing. */
void log_end(void);

/* Ends the program with a status and one line for the user, made of strings up to a null pointer. */
_Noreturn void fail(int status, ...);

#endif
