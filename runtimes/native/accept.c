#include "accept.h"

#include <string.h>

enum { FULL_QUALITY = 1000000 };

/* A run of bytes. */
struct run {
  const char *at;
  size_t length;
};

static struct run trim(struct run run) {
  while (run.length > 0 && (*run.at == ' ' || *run.at == '\t')) run.at++, run.length--;
  while (run.length > 0 && (run.at[run.length - 1] == ' ' || run.at[run.length - 1] == '\t')) run.length--;
  return run;
}

/* Takes what stands before a separator off the front of the rest. */
static struct run split(struct run *rest, char separator) {
  const char *found = memchr(rest->at, separator, rest->length);
  struct run head = {rest->at, found == NULL ? rest->length : (size_t)(found - rest->at)};
  size_t taken = head.length + (found != NULL);
  rest->at += taken;
  rest->length -= taken;
  return head;
}

static bool is(struct run run, const char *word) { return same_word(run.at, run.length, word); }

/* RFC 9110, 12.4.2, in millionths. What is no quality counts as none given. */
static uint32_t quality(struct run run) {
  uint32_t number = 0, unit = FULL_QUALITY;
  bool has_point = false, has_digit = false;
  for (size_t i = 0; i < run.length; i++) {
    char byte = run.at[i];
    if (byte == '.' && !has_point) {
      has_point = true;
      continue;
    }
    if (byte < '0' || byte > '9') return FULL_QUALITY;
    has_digit = true;
    if (has_point) number += (uint32_t)(byte - '0') * (unit /= 10);
    else number = number * 10 + (uint32_t)(byte - '0') * FULL_QUALITY;
    if (number > FULL_QUALITY) return FULL_QUALITY;
  }
  return has_digit ? number : FULL_QUALITY;
}

/* One media range with its parameters. */
static void add_range(struct accept *accept, struct run rest) {
  struct run name = trim(split(&rest, ';')), version = {0}, escaping = {0};
  uint32_t liking = FULL_QUALITY;
  while (rest.length > 0) {
    struct run value = split(&rest, ';');
    struct run key = trim(split(&value, '='));
    value = trim(value);
    if (value.length >= 2 && value.at[0] == '"' && value.at[value.length - 1] == '"') value.at++, value.length -= 2;
    if (is(key, "version")) version = value;
    else if (is(key, "escaping")) escaping = value;
    else if (is(key, "q")) liking = quality(value);
  }
  bool is_old = is(version, "0.0.1");
  bool is_openmetrics =
      is(name, "application/openmetrics-text") && (version.length == 0 || is_old || is(version, "1.0.0"));
  bool is_text = is(name, "text/plain") && (version.length == 0 || is(version, "0.0.4"));
  bool is_wildcard = is(name, "*/*") || is(name, "text/*");
  uint32_t rank = liking * 2 + !is_wildcard;
  if (liking == 0 || rank <= accept->rank || !(is_openmetrics || is_text || is_wildcard)) return;
  *accept = (struct accept){.rank = rank};
  if (is_wildcard) return;
  accept->is_openmetrics = is_openmetrics;
  accept->is_old = is_openmetrics && is_old;
  accept->is_utf8 = is(escaping, "allow-utf-8");
  accept->has_escaping =
      accept->is_utf8 || is(escaping, "underscores") || is(escaping, "dots") || is(escaping, "values");
}

void accept_add(struct accept *accept, const char *value, size_t length) {
  struct run rest = {value, length};
  while (rest.length > 0) add_range(accept, split(&rest, ','));
}

void accept_add_type(const struct accept *accept, struct text *text) {
  text_add(text, accept->is_openmetrics ? "application/openmetrics-text; version=" : "text/plain; version=");
  text_add(text, !accept->is_openmetrics ? "0.0.4" : accept->is_old ? "0.0.1" : "1.0.0");
  text_add(text, "; charset=utf-8");
  if (accept->has_escaping) text_add(text, accept->is_utf8 ? "; escaping=allow-utf-8" : "; escaping=values");
}
