/*
 * Plays recorded calls (tests/runtimes/README.md says how they are written) on the translated module, and writes what
 * comes out to standard output: what the tests hold this runtime against all others with.
 *
 *   player <path of a script>           on the one-page artefact
 *   player-wide <path of a script>      on the imported-memory artefact
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

enum { CONNECTIONS = 16, LINE_BYTES = 4 * 4096 };

static struct {
  struct core_connection connection;
  uint32_t tail_length;
  uint8_t tail[32768];
} connections[CONNECTIONS];
static int32_t pages[CORE_RENDERS];
static char line[LINE_BYTES];

_Noreturn static void refuse(const char *why) {
  fprintf(stderr, "player: %s: %.80s\n", why, line);
  exit(1);
}

/* The next word as a number. */
static double number(char **at) {
  char *end;
  double value = strtod(*at, &end);
  if (end == *at) refuse("a number is missing");
  *at = end;
  return value;
}

static uint32_t index_below(char **at, uint32_t limit) {
  double value = number(at);
  if (!(value >= 0 && value < limit)) refuse("out of range");
  return (uint32_t)value;
}

static void init(char *at) {
  double cache_bytes = number(&at), ttl_ms = number(&at), flags = number(&at), max_line = number(&at);
  memset(connections, 0, sizeof connections);
  if (core_open((uint64_t)cache_bytes, ttl_ms, (uint32_t)flags, (uint32_t)max_line) != 0) refuse("refused");
}

static int hex_digit(char byte) { return byte >= 'A' ? byte - 'A' + 10 : byte - '0'; }

static void push(char *at) {
  uint32_t index = index_below(&at, CONNECTIONS);
  double now_ms = number(&at);
  if (*at++ != ' ') refuse("the bytes are missing");
  uint32_t tail_length = connections[index].tail_length, start = core.read_offset - tail_length, length = tail_length;
  uint8_t *bytes = core.input + start;
  memcpy(bytes, connections[index].tail, tail_length);
  for (; *at != 0; at++) {
    if (length - tail_length == core.read_bytes) refuse("too many bytes");
    bool is_escaped = *at == '%';
    bytes[length++] = is_escaped ? (uint8_t)(hex_digit(at[1]) << 4 | hex_digit(at[2])) : (uint8_t)*at;
    if (is_escaped) at += 2;
  }
  uint32_t consumed = core_ingest(&connections[index].connection, start, length, now_ms);
  if (consumed > length || length - consumed > core.tail_limit) refuse("a tail that is too long");
  connections[index].tail_length = length - consumed;
  memcpy(connections[index].tail, bytes + consumed, length - consumed);
}

static void finish(char *at) {
  uint32_t index = index_below(&at, CONNECTIONS);
  core_finish(&connections[index].connection, connections[index].tail_length, number(&at));
  memset(&connections[index], 0, sizeof connections[index]);
}

static void next(char *at) {
  uint32_t page = index_below(&at, CORE_RENDERS);
  uint32_t length = core_render_next(pages[page], number(&at));
  printf("next %u\n", length);
  fwrite(core.output, 1, length, stdout);
}

static void rest(char *at) {
  static char *bytes;
  static size_t limit;
  uint32_t page = index_below(&at, CORE_RENDERS);
  double now_ms = number(&at);
  size_t length = 0;
  for (uint32_t piece; (piece = core_render_next(pages[page], now_ms)) > 0; length += piece) {
    if (length + piece > limit) bytes = realloc(bytes, limit = 2 * (length + piece));
    if (bytes == NULL) refuse("no memory");
    memcpy(bytes + length, core.output, piece);
  }
  printf("rest %zu\n", length);
  fwrite(bytes, 1, length, stdout);
}

static void numbers(void) {
  char bytes[1024];
  int length = 0;
  for (uint32_t i = 0; i < 44; i++) {
    if (i >= 13 && i < 16) continue;
    double value = i < 32 ? core_counter(i) : core_gauge(i - 32);
    length += snprintf(bytes + length, sizeof bytes - (size_t)length, "%s%.0f", i == 0 ? "" : " ", value);
  }
  printf("numbers %d\n%s", length, bytes);
}

static void open_page(char *at) {
  uint32_t page = index_below(&at, CORE_RENDERS), flags = (uint32_t)number(&at);
  pages[page] = core_render_open(flags, number(&at));
}

static void call(char *word) {
  char *at = word + strcspn(word, " ");
  size_t length = (size_t)(at - word);
#define IS(name) (length == sizeof name - 1 && memcmp(word, name, length) == 0)
  if (word[0] == '#') return;
  if (IS("init")) init(at);
  else if (IS("push")) push(at);
  else if (IS("finish")) finish(at);
  else if (IS("expire")) for (double now_ms = number(&at); core_expire(now_ms););
  else if (IS("open")) open_page(at);
  else if (IS("next")) next(at);
  else if (IS("rest")) rest(at);
  else if (IS("close")) core_render_close(pages[index_below(&at, CORE_RENDERS)]);
  else if (IS("numbers")) numbers();
  else if (IS("state")) {
    printf("state %u\n", core.state_bytes);
    fwrite(core.state, 1, core.state_bytes, stdout);
  } else refuse("an unknown call");
#undef IS
}

int main(int count, char **arguments) {
  FILE *script = count == 2 ? fopen(arguments[1], "r") : NULL;
  if (script == NULL) {
    fprintf(stderr, "usage: player <script>\n");
    return 2;
  }
  while (fgets(line, sizeof line, script) != NULL) {
    line[strcspn(line, "\n")] = 0;
    call(line);
  }
  return fflush(stdout) == 0 ? 0 : 1;
}
