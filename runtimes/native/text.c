#include "text.h"

#include <string.h>

enum { CITED_BYTES = 160, EXCERPT_BYTES = 80, REPLACEMENT = 0xfffd };

void text_add_bytes(struct text *text, const void *bytes, size_t length) {
  size_t room = text->limit - text->length;
  if (length > room) length = room;
  memcpy(text->bytes + text->length, bytes, length);
  text->length += length;
}

void text_add(struct text *text, const char *string) { text_add_bytes(text, string, strlen(string)); }

static void add_digits(struct text *text, uint64_t number, unsigned base, int width) {
  char digits[24];
  size_t at = sizeof digits;
  do {
    digits[--at] = "0123456789abcdef"[number % base];
    number /= base;
    width--;
  } while (number > 0 || width > 0);
  text_add_bytes(text, digits + at, sizeof digits - at);
}

void text_add_number(struct text *text, uint64_t number) { add_digits(text, number, 10, 1); }
void text_add_hex(struct text *text, uint64_t number) { add_digits(text, number, 16, 1); }
void text_add_padded(struct text *text, uint64_t number, int width) { add_digits(text, number, 10, width); }

/* The next code point of UTF-8 (RFC 3629), and how many bytes it has; U+FFFD and 1 for a byte that begins none. */
static uint32_t next_code(const uint8_t *bytes, size_t length, size_t *count) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  uint32_t code = bytes[0];
  size_t need = code < 0x80 ? 1 : code < 0xc2 ? 0 : code < 0xe0 ? 2 : code < 0xf0 ? 3 : code < 0xf5 ? 4 : 0;
  *count = 1;
  if (need == 1) return code;
  if (need == 0 || need > length) return REPLACEMENT;
  code &= 0x7fu >> need;
  for (size_t i = 1; i < need; i++) {
    if ((bytes[i] & 0xc0) != 0x80) return REPLACEMENT;
    code = code << 6 | (bytes[i] & 0x3f);
  }
  if (code < least[need] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return REPLACEMENT;
  *count = need;
  return code;
}

/* Unicode's Cc, Cf, Zl and Zp in the basic plane, and the plane of tags: what could disturb a log's reader. */
static bool is_disturbing(uint32_t code) {
  static const uint16_t ranges[][2] = {
      {0x0000, 0x001f}, {0x007f, 0x009f}, {0x00ad, 0x00ad}, {0x0600, 0x0605}, {0x061c, 0x061c}, {0x06dd, 0x06dd},
      {0x070f, 0x070f}, {0x0890, 0x0891}, {0x08e2, 0x08e2}, {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},
      {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb},
  };
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
    if (code >= ranges[i][0] && code <= ranges[i][1]) return true;
  return code >= 0xe0000;
}

/* Appends a code point that stands at bytes, or U+FFFD. */
static void add_code(struct text *text, uint32_t code, const uint8_t *bytes, size_t count) {
  if (code == REPLACEMENT) text_add(text, "\xef\xbf\xbd");
  else text_add_bytes(text, bytes, count);
}

void text_add_quoted(struct text *text, const void *from, size_t length) {
  const uint8_t *bytes = from;
  size_t count;
  text_add(text, "\"");
  for (size_t at = 0; at < length; at += count) {
    uint32_t code = next_code(bytes + at, length - at, &count);
    if (code == '"' || code == '\\') {
      text_add(text, "\\");
      text_add_bytes(text, bytes + at, 1);
    } else if (code == '\n') {
      text_add(text, "\\n");
    } else if (code < 0x20) {
      text_add(text, code < 0x10 ? "\\u000" : "\\u00");
      text_add_hex(text, code);
    } else {
      add_code(text, code, bytes + at, count);
    }
  }
  text_add(text, "\"");
}

void text_add_cited(struct text *text, const char *string) {
  char cut[CITED_BYTES + 1];
  size_t length = strlen(string);
  if (length > CITED_BYTES) {
    memcpy(cut, string, CITED_BYTES - 3);
    memcpy(cut + CITED_BYTES - 3, "...", 3);
    string = cut;
    length = CITED_BYTES;
  }
  text_add_quoted(text, string, length);
}

void text_add_excerpt(struct text *text, const void *from, size_t length) {
  const uint8_t *bytes = from;
  size_t shown = length > EXCERPT_BYTES ? EXCERPT_BYTES : length;
  size_t count;
  for (size_t at = 0; at < shown; at += count) {
    uint32_t code = next_code(bytes + at, shown - at, &count);
    add_code(text, is_disturbing(code) ? REPLACEMENT : code, bytes + at, count);
  }
  if (shown < length) text_add(text, "...");
}

void text_add_size(struct text *text, uint64_t bytes) {
  static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
  size_t unit = 0;
  while (unit < 3 && bytes >= 1024 && bytes % 1024 == 0) {
    bytes /= 1024;
    unit++;
  }
  text_add_number(text, bytes);
  text_add(text, units[unit]);
}

void text_add_duration(struct text *text, uint64_t ms) {
  static const struct {
    uint32_t ms;
    const char *name;
  } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
  if (ms == 0) text_add(text, "never");
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    if (ms < units[i].ms) continue;
    text_add_number(text, ms / units[i].ms);
    text_add(text, units[i].name);
    ms %= units[i].ms;
  }
}

char *text_end(struct text *text) {
  if (text->length == text->limit) text->length--;
  text->bytes[text->length] = 0;
  return text->bytes;
}

int64_t text_whole(const char *string) {
  int64_t number = 0;
  size_t length = string == NULL ? 0 : strspn(string, "0123456789");
  if (length == 0 || length > 15 || string[length] != 0) return -1;
  for (; *string != 0; string++) number = number * 10 + (*string - '0');
  return number;
}

bool same_word(const char *bytes, size_t length, const char *word) {
  for (size_t i = 0; i < length; i++) {
    char byte = bytes[i];
    if (byte >= 'A' && byte <= 'Z') byte |= 0x20;
    if (word[i] == 0 || byte != word[i]) return false;
  }
  return word[length] == 0;
}
