#include "sniff.h"

#include <stdbool.h>
#include <string.h>

/* RFC 9110, 5.6.2. Methods in use begin with a letter, so `# comment` is none. */
static bool is_token_byte(uint8_t byte, bool first) {
  uint8_t letter = byte | 0x20;
  if (letter >= 'a' && letter <= 'z') return true;
  if (first || byte == 0) return false;
  return (byte >= '0' && byte <= '9') || strchr("!#$%&'*+-.^_`|~", byte) != NULL;
}

static bool is_method(const uint8_t *bytes, size_t length) {
  static const char *const methods[] = {"GET",     "HEAD",  "POST",  "PUT",     "DELETE",
                                        "OPTIONS", "PATCH", "TRACE", "CONNECT", "PROPFIND"};
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
    if (strlen(methods[i]) == length && memcmp(methods[i], bytes, length) == 0) return true;
  return false;
}

/*
 * Whether what stands before the next space or the line's end can be no value. Every target that a client sends has one of
 * these: a path, *, a whole URL, host:port.
 */
static bool has_mark(const uint8_t *at, const uint8_t *end) {
  for (; at < end && *at > ' '; at++)
    if (*at == '/' || *at == '*' || *at == ':') return true;
  return false;
}

/* Whether a line from its target on is `target HTTP/1.x`. */
static bool is_request_line(const uint8_t *at, const uint8_t *end) {
  if (end > at && end[-1] == '\r') end--;
  while (at < end && *at != ' ') at++;
  while (at < end && *at == ' ') at++;
  size_t length = (size_t)(end - at);
  if (length < 6 || memcmp(at, "HTTP/", 5) != 0 || at[5] < '0' || at[5] > '9') return false;
  return length == 6 || (length == 8 && at[6] == '.' && at[7] >= '0' && at[7] <= '9');
}

enum verdict sniff(const uint8_t *bytes, size_t length, const uint8_t **method, size_t *method_length) {
  const uint8_t *at = bytes, *end = bytes + length;
  while (at < end && (*at == '\n' || *at == '\r')) at++;
  const uint8_t *name = at;
  while (at < end && is_token_byte(*at, at == name)) at++;
  *method = name;
  *method_length = (size_t)(at - name);
  if (at == end) return SNIFF_UNDECIDED;
  if (at == name || *at != ' ') return SNIFF_METRICS;
  while (at < end && *at == ' ') at++;
  if (at == end) return SNIFF_UNDECIDED;
  if (*at == '{') return SNIFF_METRICS;
  if (has_mark(at, end) && is_method(name, *method_length)) return SNIFF_HTTP;
  const uint8_t *line_end = memchr(at, '\n', (size_t)(end - at));
  if (line_end == NULL) return SNIFF_UNDECIDED;
  return is_request_line(at, line_end) ? SNIFF_HTTP : SNIFF_METRICS;
}
