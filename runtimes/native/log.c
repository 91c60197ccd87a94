#include "log.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

static const double WARNING_INTERVAL_MS = 60000;

static enum log_level least = LOG_INFO;
static bool json;
static char buffer[2048];
static struct text line;
static struct {
  double next_ms;
  uint32_t suppressed;
} kinds[LOG_KINDS];
/* How many were suppressed before the line that is being written. */
static uint32_t suppressed;

void log_open(enum log_level level, bool as_json) {
  least = level;
  json = as_json;
}

/* Appends the time as ISO 8601 writes it in UTC, to the millisecond. */
static void add_time(struct text *text) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  int64_t days = now.tv_sec / 86400;
  uint32_t seconds = (uint32_t)(now.tv_sec % 86400);
  /* Days since 0000-03-01, in eras of 400 years, each of 146,097 days; a year that begins in March ends in a leap day. */
  days += 719468;
  int64_t era = days / 146097;
  uint32_t day = (uint32_t)(days % 146097);
  uint32_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
  day -= 365 * year + year / 4 - year / 100;
  uint32_t month = (5 * day + 2) / 153;
  day = day - (153 * month + 2) / 5 + 1;
  text_add_padded(text, (uint64_t)(era * 400 + year + (month >= 10)), 4);
  text_add(text, "-");
  text_add_padded(text, month < 10 ? month + 3 : month - 9, 2);
  text_add(text, "-");
  text_add_padded(text, day, 2);
  text_add(text, "T");
  text_add_padded(text, seconds / 3600, 2);
  text_add(text, ":");
  text_add_padded(text, seconds / 60 % 60, 2);
  text_add(text, ":");
  text_add_padded(text, seconds % 60, 2);
  text_add(text, ".");
  text_add_padded(text, (uint64_t)now.tv_nsec / 1000000, 3);
  text_add(text, "Z");
}

/* Whether logfmt writes these bytes without quotes. */
static bool is_plain(const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    char byte = bytes[i], letter = byte | 0x20;
    bool word = (letter >= 'a' && letter <= 'z') || (byte >= '0' && byte <= '9');
    if (!word && (byte == 0 || strchr("_.:/@+[],-", byte) == NULL)) return false;
  }
  return length > 0;
}

static void add_value(const void *bytes, size_t length) {
  if (json || !is_plain(bytes, length)) text_add_quoted(&line, bytes, length);
  else text_add_bytes(&line, bytes, length);
}

static void add_name(const char *name) {
  text_add(&line, json ? ",\"" : " ");
  text_add(&line, name);
  text_add(&line, json ? "\":" : "=");
}

bool log_begin(enum log_level level, const char *message) {
  static const char *const names[] = {"error", "warn", "info", "debug"};
  if (level > least) return false;
  line = TEXT(buffer);
  /* Room for what closes a line that is cut. */
  line.limit -= 2;
  text_add(&line, json ? "{\"time\":\"" : "time=");
  add_time(&line);
  if (json) text_add(&line, "\"");
  log_text("level", names[level]);
  log_text("msg", message);
  suppressed = 0;
  return true;
}

bool log_wants(enum log_kind kind, double now_ms) { return least >= LOG_WARN && now_ms >= kinds[kind].next_ms; }

bool log_warn(enum log_kind kind, double now_ms, const char *message) {
  if (!log_wants(kind, now_ms)) {
    kinds[kind].suppressed++;
    return false;
  }
  log_begin(LOG_WARN, message);
  suppressed = kinds[kind].suppressed;
  kinds[kind].suppressed = 0;
  kinds[kind].next_ms = now_ms + WARNING_INTERVAL_MS;
  return true;
}

void log_bytes(const char *name, const void *value, size_t length) {
  add_name(name);
  add_value(value, length);
}

void log_text(const char *name, const char *value) { log_bytes(name, value, strlen(value)); }

void log_number(const char *name, uint64_t value) {
  add_name(name);
  text_add_number(&line, value);
}

void log_seconds(const char *name, uint64_t ms) {
  add_name(name);
  text_add_number(&line, ms / 1000);
  if (ms % 1000 == 0) return;
  text_add(&line, ".");
  text_add_padded(&line, ms % 1000, 3);
}

void log_list(const char *name, const char *const *values, size_t count) {
  add_name(name);
  if (json) text_add(&line, "[");
  for (size_t i = 0; i < count; i++) {
    if (i > 0) text_add(&line, ",");
    add_value(values[i], strlen(values[i]));
  }
  if (json) text_add(&line, "]");
}

void log_end(void) {
  if (suppressed > 0) log_number("suppressed", suppressed);
  line.limit += 2;
  text_add(&line, json ? "}\n" : "\n");
  ssize_t written = write(STDERR_FILENO, line.bytes, line.length);
  (void)written;
}

_Noreturn void fail(int status, ...) {
  line = TEXT(buffer);
  line.limit--;
  text_add(&line, "push-gateway: ");
  va_list strings;
  va_start(strings, status);
  for (const char *string; (string = va_arg(strings, const char *)) != NULL;) text_add(&line, string);
  va_end(strings);
  line.limit++;
  text_add(&line, "\n");
  ssize_t written = write(STDERR_FILENO, line.bytes, line.length);
  (void)written;
  exit(status);
}
