#include "http.h"

#include <string.h>

#include "text.h"

/* Most bytes of a chunk's extension, or of a trailer: nobody needs either. */
enum { EXTRA_LIMIT = 1024 };
/* A size above this is no honest one, and could overflow. */
#define LENGTH_LIMIT 1000000000000000ull

/* RFC 9110, 5.6.2. */
static bool is_token_byte(char byte) {
  char letter = byte | 0x20;
  if ((letter >= 'a' && letter <= 'z') || (byte >= '0' && byte <= '9')) return true;
  return byte != 0 && strchr("!#$%&'*+-.^_`|~", byte) != NULL;
}

/* Splits off a line that ends in CRLF. Null: there is none yet. A line feed alone ends none: then is_bad is set. */
static const char *line_end(const char *at, const char *end, bool *is_bad) {
  const char *feed = memchr(at, '\n', (size_t)(end - at));
  *is_bad = feed != NULL && (feed == at || feed[-1] != '\r');
  return feed == NULL || *is_bad ? NULL : feed - 1;
}

static bool starts_with(const char *bytes, size_t length, const char *word) {
  size_t word_length = strlen(word);
  return length >= word_length && same_word(bytes, word_length, word);
}

/* RFC 9112, 3.2: a path, an asterisk, or a whole URL, as far as anybody looks at it. */
static bool is_target(const char *at, const char *end) {
  const char *stop = at;
  if (*at == '/' || *at == '*') return true;
  while (stop < end && (*stop | 0x20) >= 'a' && (*stop | 0x20) <= 'z') stop++;
  return stop > at && starts_with(stop, (size_t)(end - stop), "://");
}

/* The path of a target, which may be a whole URL. */
static void take_target(struct http_request *request, const char *at, const char *end) {
  size_t length = (size_t)(end - at);
  size_t scheme = starts_with(at, length, "http://") ? 7 : starts_with(at, length, "https://") ? 8 : 0;
  if (scheme > 0)
    for (at += scheme; at < end && *at != '/'; at++);
  const char *query = memchr(at, '?', (size_t)(end - at));
  request->path = at;
  request->path_length = (size_t)((query == NULL ? end : query) - at);
}

/* RFC 9112, 3: method SP target SP HTTP/1.x */
static bool take_request_line(struct http_request *request, const char *at, const char *end) {
  const char *method = at;
  while (at < end && is_token_byte(*at)) at++;
  size_t length = (size_t)(at - method);
  if (length == 0 || at == end || *at != ' ') return false;
  if (length == 3 && memcmp(method, "GET", 3) == 0) request->method = HTTP_GET;
  else if (length == 4 && memcmp(method, "HEAD", 4) == 0) request->method = HTTP_HEAD;
  else if (length == 7 && memcmp(method, "CONNECT", 7) == 0) request->method = HTTP_CONNECT;
  else request->method = HTTP_OTHER;
  const char *target = ++at;
  while (at < end && *at > ' ' && *at != 0x7f) at++;
  if (at == target || end - at != 9 || memcmp(at, " HTTP/1.", 8) != 0) return false;
  if (at[8] != '0' && at[8] != '1') return false;
  if (request->method != HTTP_CONNECT && !is_target(target, at)) return false;
  request->is_1_1 = request->keep_alive = at[8] == '1';
  take_target(request, target, at);
  return true;
}

/* A field's value: visible bytes, spaces and tabs, and what is beyond ASCII (RFC 9110, 5.5). */
static bool is_value(const char *at, const char *end) {
  for (; at < end; at++)
    if (((uint8_t)*at < ' ' && *at != '\t') || *at == 0x7f) return false;
  return true;
}

/* Each option of a Connection field; the last of them counts. */
static void take_connection(struct http_request *request, const char *at, const char *end) {
  while (at < end) {
    const char *comma = memchr(at, ',', (size_t)(end - at));
    const char *stop = comma == NULL ? end : comma;
    while (at < stop && (*at == ' ' || *at == '\t')) at++;
    const char *last = stop;
    while (last > at && (last[-1] == ' ' || last[-1] == '\t')) last--;
    if (same_word(at, (size_t)(last - at), "close")) request->keep_alive = false;
    else if (same_word(at, (size_t)(last - at), "keep-alive")) request->keep_alive = true;
    at = comma == NULL ? end : comma + 1;
  }
}

/* What of the fields must not come twice. */
struct seen {
  bool host, length;
};

static bool take_length(struct http_request *request, struct seen *seen, const char *at, const char *end) {
  if (seen->length || at == end) return false;
  seen->length = true;
  for (; at < end; at++) {
    if (*at < '0' || *at > '9') return false;
    request->content_length = request->content_length * 10 + (uint64_t)(*at - '0');
    if (request->content_length > LENGTH_LIMIT) return false;
  }
  return true;
}

static bool take_field(struct http_request *request, struct seen *seen, const char *at, const char *end) {
  const char *name = at;
  while (at < end && is_token_byte(*at)) at++;
  size_t length = (size_t)(at - name);
  if (length == 0 || at == end || *at != ':') return false;
  for (at++; at < end && (*at == ' ' || *at == '\t'); at++);
  while (end > at && (end[-1] == ' ' || end[-1] == '\t')) end--;
  size_t value_length = (size_t)(end - at);
  if (!is_value(at, end)) return false;
  if (same_word(name, length, "host")) {
    if (seen->host) return false;
    seen->host = request->has_host = true;
  } else if (same_word(name, length, "connection")) {
    take_connection(request, at, end);
  } else if (same_word(name, length, "accept")) {
    accept_add(&request->accept, at, value_length);
  } else if (same_word(name, length, "content-length")) {
    return take_length(request, seen, at, end);
  } else if (same_word(name, length, "transfer-encoding")) {
    if (request->is_chunked || !request->is_1_1 || !same_word(at, value_length, "chunked")) return false;
    request->is_chunked = true;
  } else if (same_word(name, length, "expect")) {
    request->expects_continue = same_word(at, value_length, "100-continue");
  }
  return true;
}

ptrdiff_t http_parse(const char *bytes, size_t length, struct http_request *request) {
  const char *at = bytes, *end = bytes + length;
  struct seen seen = {false, false};
  *request = (struct http_request){0};
  bool is_bad;
  while (end - at >= 2 && at[0] == '\r' && at[1] == '\n') at += 2;
  const char *stop = line_end(at, end, &is_bad);
  if (stop == NULL) return is_bad ? HTTP_BAD : HTTP_INCOMPLETE;
  if (!take_request_line(request, at, stop)) return HTTP_BAD;
  for (at = stop + 2;; at = stop + 2) {
    stop = line_end(at, end, &is_bad);
    if (stop == NULL) return is_bad ? HTTP_BAD : HTTP_INCOMPLETE;
    if (stop == at) break;
    if (!take_field(request, &seen, at, stop)) return HTTP_BAD;
  }
  if (request->is_chunked && seen.length) return HTTP_BAD;
  return stop + 2 - bytes;
}

enum { SIZE, EXTENSION, SIZE_FEED, DATA, DATA_RETURN, DATA_FEED, TRAILER, TRAILER_FEED, TRAILER_LINE };

static int hex_digit(char byte) {
  if (byte >= '0' && byte <= '9') return byte - '0';
  byte |= 0x20;
  return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Takes one byte that is no content. Returns whether it may stand there. */
static bool step(struct http_chunks *chunks, char byte) {
  int digit = hex_digit(byte);
  switch (chunks->state) {
    case SIZE:
      if (digit >= 0) {
        chunks->left = chunks->left * 16 + (uint64_t)digit;
        chunks->count++;
        return chunks->left <= LENGTH_LIMIT && chunks->count <= 16;
      }
      chunks->state = byte == '\r' ? SIZE_FEED : EXTENSION;
      return chunks->count > 0 && (byte == '\r' || byte == ';' || byte == ' ' || byte == '\t');
    case EXTENSION:
      if (byte == '\r') chunks->state = SIZE_FEED;
      return byte != '\n' && chunks->count++ < EXTRA_LIMIT;
    case SIZE_FEED:
      chunks->state = chunks->left > 0 ? DATA : TRAILER;
      chunks->count = 0;
      return byte == '\n';
    case DATA_RETURN:
      chunks->state = DATA_FEED;
      return byte == '\r';
    case DATA_FEED:
      chunks->state = SIZE;
      return byte == '\n';
    case TRAILER:
      chunks->state = byte == '\r' ? TRAILER_FEED : TRAILER_LINE;
      return byte != '\n' && chunks->count++ < EXTRA_LIMIT;
    case TRAILER_LINE:
      if (byte == '\n') chunks->state = TRAILER;
      return chunks->count++ < EXTRA_LIMIT;
    default:
      return byte == '\n';
  }
}

ptrdiff_t http_skip_chunks(struct http_chunks *chunks, const char *bytes, size_t length, bool *is_done) {
  *is_done = false;
  for (size_t at = 0; at < length;) {
    if (chunks->state == DATA) {
      size_t count = length - at < chunks->left ? length - at : (size_t)chunks->left;
      at += count;
      chunks->left -= count;
      chunks->total += count;
      if (chunks->left == 0) chunks->state = DATA_RETURN;
      continue;
    }
    bool is_last = chunks->state == TRAILER_FEED;
    if (!step(chunks, bytes[at++])) return HTTP_BAD;
    if (is_last) {
      *is_done = true;
      return (ptrdiff_t)at;
    }
  }
  return (ptrdiff_t)length;
}
