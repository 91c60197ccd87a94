#include "options.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "text.h"

#define KIB 1024ull
#define GIB (KIB * KIB * KIB)
#define COUNT_LIMIT 1000000ull
/* The longest time to live that the module takes, and the longest of all others, as on Node. */
#define TTL_LIMIT_MS 4294967294ull
#define DURATION_LIMIT_MS 2147483647ull

/* White space around values. */
#define SPACES " \t\n\v\f\r"

#define OFFSET(field) offsetof(struct options, field)

enum kind { PATHS, ADDRESSES, MODE, SIZE, DURATION, LIMITED_DURATION, COUNT, WORD };

struct definition {
  const char *name;
  /* What follows the name in the help. */
  const char *value;
  const char *description;
  /* The default as a user would write it; for lists what the help says of it. */
  const char *fallback;
  enum kind kind;
  /* Where the value belongs; for lists the count of them. */
  size_t offset;
  /* Smallest and largest value. */
  uint64_t least, most;
  /* The words, in the order of their values. */
  const char *const *words;
};

static const char *const when_full[] = {"evict", "reject", NULL};
static const char *const timestamps[] = {"drop", "keep", NULL};
static const char *const log_levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const log_formats[] = {"text", "json", NULL};

/* clang-format off */
static const struct definition definitions[] = {
  {"socket", "<path>", "Unix socket that metrics are pushed to; repeatable",
   "push-gateway.sock in $RUNTIME_DIRECTORY, /run (root), $XDG_RUNTIME_DIR or the temp folder", PATHS,
   OFFSET(socket_count), 0, 0, NULL},
  {"socket-mode", "<mode>", "file mode of the Unix sockets", "0660", MODE, OFFSET(socket_mode), 0, 0, NULL},
  {"listen", "<address>", "address that /metrics is served on: host:port, :port or unix:/path; repeatable",
   "127.0.0.1:9091", ADDRESSES, OFFSET(listen_count), 0, 0, NULL},
  {"cache-size", "<size>", "memory for metrics, all that grows with data", "10KiB", SIZE, OFFSET(cache_bytes), KIB, GIB,
   NULL},
  {"ttl", "<duration>", "how long a metric lives after its last push, or never to keep it", "1m", DURATION,
   OFFSET(ttl_ms), 0, TTL_LIMIT_MS, NULL},
  {"when-full", "<action>", "what a new metric does to a full cache: evict or reject", "evict", WORD,
   OFFSET(reject_when_full), 0, 0, when_full},
  {"timestamps", "<action>", "what happens to the timestamps of samples: drop or keep", "drop", WORD,
   OFFSET(keep_timestamps), 0, 0, timestamps},
  {"max-line", "<size>", "longest line that is taken", "4KiB", SIZE, OFFSET(max_line_bytes), 16, KIB * KIB, NULL},
  {"max-connections", "<count>", "push connections open at once", "64", COUNT, OFFSET(max_connections), 1, COUNT_LIMIT,
   NULL},
  {"idle-timeout", "<duration>", "close a push connection that has been silent for so long", "never", DURATION,
   OFFSET(idle_timeout_ms), 0, DURATION_LIMIT_MS, NULL},
  {"max-http-connections", "<count>", "HTTP connections open at once", "64", COUNT, OFFSET(max_http_connections), 1,
   COUNT_LIMIT, NULL},
  {"max-scrapes", "<count>", "scrapes answered at once", "16", COUNT, OFFSET(max_scrapes), 1, COUNT_LIMIT, NULL},
  {"max-header-size", "<size>", "largest header of an HTTP request", "8KiB", SIZE, OFFSET(max_header_bytes), 256,
   KIB * KIB, NULL},
  {"max-body", "<size>", "largest body of an HTTP request", "64KiB", SIZE, OFFSET(max_body_bytes), 0, GIB, NULL},
  {"header-timeout", "<duration>", "longest wait for the header of an HTTP request", "10s", LIMITED_DURATION,
   OFFSET(header_timeout_ms), 0, DURATION_LIMIT_MS, NULL},
  {"keep-alive", "<duration>", "how long an idle HTTP connection is kept", "90s", LIMITED_DURATION,
   OFFSET(keep_alive_ms), 0, DURATION_LIMIT_MS, NULL},
  {"stall-timeout", "<duration>", "cut off a scraper that has not read for so long", "30s", LIMITED_DURATION,
   OFFSET(stall_timeout_ms), 0, DURATION_LIMIT_MS, NULL},
  {"log-level", "<level>", "error, warn, info or debug", "info", WORD, OFFSET(log_level), 0, 0, log_levels},
  {"log-format", "<format>", "text or json", "text", WORD, OFFSET(log_json), 0, 0, log_formats},
};
/* clang-format on */
enum { DEFINITIONS = sizeof definitions / sizeof *definitions };

/* Ends the program over a value: where it was given, the value, what is wrong with it. */
_Noreturn static void refuse(const char *where, const char *value, const char *what) {
  char cited[1024];
  struct text text = TEXT(cited);
  text_add_cited(&text, value);
  fail(STATUS_USAGE, where, ": ", text_end(&text), what, NULL);
}

_Noreturn static void refuse_range(const char *where, const char *value, const char *before, uint64_t least,
                                   uint64_t most, void (*add)(struct text *, uint64_t)) {
  char bytes[128];
  struct text text = TEXT(bytes);
  text_add(&text, before);
  if (least < most) {
    add(&text, least);
    text_add(&text, " to ");
  }
  add(&text, most);
  text_add(&text, ")");
  refuse(where, value, text_end(&text));
}

/* Takes the white space off both ends of a run of bytes. Returns where what is left begins. */
static const char *trim(const char *bytes, size_t *length) {
  while (*length > 0 && strchr(SPACES, bytes[*length - 1]) != NULL) --*length;
  while (*length > 0 && strchr(SPACES, *bytes) != NULL) bytes++, --*length;
  return bytes;
}

/* Copies a value without the white space around it, in lower case. Null: it is too long to mean anything. */
static const char *trimmed(const char *value, char *bytes, size_t limit) {
  size_t length = strlen(value);
  value = trim(value, &length);
  if (length >= limit) return NULL;
  for (size_t i = 0; i < length; i++) bytes[i] = value[i] >= 'A' && value[i] <= 'Z' ? value[i] | 0x20 : value[i];
  bytes[length] = 0;
  return bytes;
}

/* A decimal number such as 1.5, as a whole number of millionths; at most 12 digits before the point and 6 after it. */
static bool decimal(const char **at, uint64_t *millionths) {
  const char *byte = *at;
  uint64_t number = 0;
  int digits = 0;
  for (; *byte >= '0' && *byte <= '9'; byte++, digits++) number = number * 10 + (uint64_t)(*byte - '0');
  if (digits == 0 || digits > 12) return false;
  int places = 0;
  if (*byte == '.') {
    for (byte++; *byte >= '0' && *byte <= '9'; byte++, places++) number = number * 10 + (uint64_t)(*byte - '0');
    if (places == 0 || places > 6) return false;
  }
  for (; places < 6; places++) number *= 10;
  *at = byte;
  *millionths = number;
  return true;
}

static uint64_t parse_size(const char *where, const char *value, uint64_t least, uint64_t most) {
  static const struct {
    const char *name;
    uint32_t bytes;
  } units[] = {
      {"", 1},          {"b", 1},           {"k", 1 << 10},   {"kib", 1 << 10}, {"kb", 1000},       {"m", 1 << 20},
      {"mib", 1 << 20}, {"mb", 1000 * 1000}, {"g", 1 << 30}, {"gib", 1 << 30}, {"gb", 1000000000},
  };
  char bytes[32];
  const char *at = trimmed(value, bytes, sizeof bytes);
  uint64_t millionths;
  if (at != NULL && decimal(&at, &millionths)) {
    while (*at == ' ') at++;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
      if (strcmp(at, units[i].name) != 0) continue;
      uint64_t whole = millionths / 1000000 * units[i].bytes;
      uint64_t part = millionths % 1000000 * units[i].bytes;
      if (part % 1000000 != 0) refuse(where, value, " is not a whole number of bytes");
      uint64_t size = whole + part / 1000000;
      if (size < least || size > most) refuse_range(where, value, " is out of range (", least, most, text_add_size);
      return size;
    }
  }
  refuse(where, value, " is not a size (like 10KiB, 1MiB or 4096)");
}

static uint64_t parse_duration(const char *where, const char *value, uint64_t most) {
  static const struct {
    const char *name;
    uint32_t ms;
  } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
  char bytes[64];
  const char *at = trimmed(value, bytes, sizeof bytes);
  if (at != NULL && (strcmp(at, "never") == 0 || strcmp(at, "0") == 0)) return 0;
  bool is_duration = at != NULL && *at != 0;
  /* In millionths of a millisecond; what would not fit is far too long anyway. */
  double total = 0;
  while (is_duration && *at != 0) {
    uint64_t millionths;
    is_duration = decimal(&at, &millionths);
    size_t unit = 0;
    while (unit < 5 && strncmp(at, units[unit].name, strlen(units[unit].name)) != 0) unit++;
    is_duration = is_duration && unit < 5;
    if (!is_duration) break;
    at += strlen(units[unit].name);
    total += (double)millionths * units[unit].ms;
  }
  if (!is_duration) refuse(where, value, " is not a duration (like 90s, 5m, 24h or never)");
  double ms = total / 1e6;
  if (ms >= (double)most + 0.5) refuse_range(where, value, " is too long (at most ", most, most, text_add_duration);
  /* Only 0 itself means never. */
  return ms > 0 && ms < 1 ? 1 : (uint64_t)(ms + 0.5);
}

static uint64_t parse_count(const char *where, const char *value, uint64_t least, uint64_t most) {
  char bytes[32];
  int64_t number = text_whole(trimmed(value, bytes, sizeof bytes));
  if (number < 0) refuse(where, value, " is not a whole number");
  uint64_t count = (uint64_t)number;
  if (count < least || count > most) refuse_range(where, value, " is out of range (", least, most, text_add_number);
  return count;
}

static uint64_t parse_mode(const char *where, const char *value) {
  char bytes[8];
  const char *at = trimmed(value, bytes, sizeof bytes);
  if (at != NULL) {
    size_t length = strlen(at);
    if (length > 3 && *at == '0') at += at[1] == 'o' ? 2 : 1;
    if (strlen(at) == 3 && strspn(at, "01234567") == 3)
      return (uint64_t)((at[0] - '0') << 6 | (at[1] - '0') << 3 | (at[2] - '0'));
  }
  refuse(where, value, " is not a file mode (like 0660)");
}

static uint64_t parse_word(const char *where, const char *value, const char *const *words) {
  char bytes[128];
  for (uint64_t i = 0; words[i] != NULL; i++)
    if (strcmp(value, words[i]) == 0) return i;
  struct text text = TEXT(bytes);
  text_add(&text, " is not one of ");
  for (size_t i = 0; words[i] != NULL; i++) {
    if (i > 0) text_add(&text, ", ");
    text_add(&text, words[i]);
  }
  refuse(where, value, text_end(&text));
}

void options_path(const char *where, int status, struct address *address, const char *text) {
  struct sockaddr_un *unix_address = (struct sockaddr_un *)&address->bytes;
  size_t length = strlen(text);
  if (length == 0) fail(status, where, ": the path of the socket is empty", NULL);
  char bytes[1024];
  struct text message = TEXT(bytes);
  text_add(&message, ": the path ");
  text_add_cited(&message, text);
  if (text[length - 1] == '/') fail(status, where, text_end(&message), " is a folder's", NULL);
  if (length > SOCKET_PATH_LIMIT) {
    text_add(&message, " has ");
    text_add_number(&message, length);
    text_add(&message, " bytes: a socket's has 107 at most");
    fail(status, where, text_end(&message), NULL);
  }
  unix_address->sun_family = AF_UNIX;
  memcpy(unix_address->sun_path, text, length + 1);
  address->length = sizeof *unix_address;
  address->text = text;
}

/* Fills in a host, numbers only: names need a resolver, which is larger than this program. False: it is none. */
static bool parse_host(struct address *address, const char *host, size_t length, bool bracketed, uint16_t port) {
  char bytes[64];
  struct sockaddr_in *v4 = (struct sockaddr_in *)&address->bytes;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address->bytes;
  if (length >= sizeof bytes) return false;
  memcpy(bytes, host, length);
  bytes[length] = 0;
  if (!bracketed && length > 0) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address->length = sizeof *v4;
    return inet_pton(AF_INET, strcmp(bytes, "localhost") == 0 ? "127.0.0.1" : bytes, &v4->sin_addr) == 1;
  }
  /* No host means all interfaces: the IPv6 wildcard takes IPv4, too. */
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(port);
  address->length = sizeof *v6;
  if (length == 0) return !bracketed;
  char *scope = strchr(bytes, '%');
  if (scope != NULL) {
    *scope = 0;
    v6->sin6_scope_id = if_nametoindex(scope + 1);
    if (v6->sin6_scope_id == 0) return false;
  }
  return inet_pton(AF_INET6, bytes, &v6->sin6_addr) == 1;
}

void options_address(const char *where, struct address *address, const char *text) {
  address->text = text;
  if (strncmp(text, "unix:", 5) == 0) {
    const char *path = text + 5;
    while (path[0] == '/' && path[1] == '/') path++;
    options_path(where, STATUS_USAGE, address, path);
    return;
  }
  const char *colon = strrchr(text, ':');
  const char *digits = colon == NULL ? text : colon + 1;
  size_t length = colon == NULL ? 0 : (size_t)(colon - text);
  int64_t port = strlen(digits) <= 5 ? text_whole(digits) : -1;
  bool bracketed = length >= 2 && text[0] == '[' && text[length - 1] == ']';
  bool is_address = port >= 0 && port <= 65535;
  if (!bracketed && strcspn(text, SPACES ":[]/") < length) is_address = false;
  if (!is_address)
    refuse(where, text, " is not an address (like 127.0.0.1:9091, :9091, [::1]:9091 or unix:/path)");
  if (!parse_host(address, text + bracketed, length - 2 * bracketed, bracketed, (uint16_t)port))
    fail(STATUS_FAILURE, "cannot listen on ", text, ": the host is not known (names are not looked up)", NULL);
}

static void parse(struct options *options, const struct definition *definition, const char *where, const char *value) {
  uint64_t *field = (uint64_t *)((char *)options + definition->offset);
  struct address *list = definition->kind == PATHS ? options->sockets : options->listen;
  switch (definition->kind) {
    case PATHS:
    case ADDRESSES:
      if (*field == ADDRESS_LIMIT) fail(STATUS_USAGE, where, ": there is room for 8 addresses", NULL);
      if (definition->kind == PATHS) options_path(where, STATUS_USAGE, &list[*field], value);
      else options_address(where, &list[*field], value);
      ++*field;
      break;
    case MODE:
      *field = parse_mode(where, value);
      break;
    case SIZE:
      *field = parse_size(where, value, definition->least, definition->most);
      break;
    case DURATION:
    case LIMITED_DURATION:
      *field = parse_duration(where, value, definition->most);
      if (*field == 0 && definition->kind == LIMITED_DURATION)
        refuse(where, value, " is no limit (give a duration like 10s)");
      break;
    case COUNT:
      *field = parse_count(where, value, definition->least, definition->most);
      break;
    case WORD:
      *field = parse_word(where, value, definition->words);
      break;
  }
}

/* The environment variable of an option, as its name in a buffer. */
static const char *variable_of(const struct definition *definition, char *bytes, size_t limit) {
  struct text text = {.bytes = bytes, .limit = limit};
  text_add(&text, "PUSH_GATEWAY_");
  for (const char *byte = definition->name; *byte != 0; byte++) {
    char upper = *byte == '-' ? '_' : (char)(*byte & ~0x20);
    text_add_bytes(&text, &upper, 1);
  }
  return text_end(&text);
}

static bool is_list(const struct definition *definition) {
  return definition->kind == PATHS || definition->kind == ADDRESSES;
}

/* Takes an option's value from its variable, whose lists have commas, or from the default. */
static void parse_rest(struct options *options, const struct definition *definition) {
  /* Values without the white space around them, which the options point to: the environment itself stays as it is. */
  static char values[4096];
  static size_t used;
  char variable[64], flag[64];
  const char *at = getenv(variable_of(definition, variable, sizeof variable));
  size_t left = at == NULL ? 0 : strlen(at);
  at = trim(at, &left);
  if (left == 0) {
    struct text text = TEXT(flag);
    text_add(&text, "--");
    text_add(&text, definition->name);
    if (!is_list(definition)) parse(options, definition, text_end(&text), definition->fallback);
    return;
  }
  for (bool is_last = false; !is_last;) {
    const char *comma = is_list(definition) ? memchr(at, ',', left) : NULL;
    size_t taken = comma == NULL ? left : (size_t)(comma - at), length = taken;
    const char *bytes = trim(at, &length);
    if (length >= sizeof values - used) fail(STATUS_USAGE, variable, ": the value is too long", NULL);
    char *value = memcpy(values + used, bytes, length);
    value[length] = 0;
    used += length + 1;
    parse(options, definition, variable, value);
    is_last = comma == NULL;
    if (!is_last) at += taken + 1, left -= taken + 1;
  }
}

_Noreturn static void print(struct text *text) {
  ssize_t written = write(STDOUT_FILENO, text->bytes, text->length);
  (void)written;
  exit(0);
}

_Noreturn static void print_help(void) {
  static char bytes[4096];
  char variable[64];
  struct text text = TEXT(bytes);
  text_add(&text,
           "Usage: push-gateway [options]\n\n"
           "Takes Prometheus metrics on a Unix socket, keeps them for a while, and serves them on /metrics.\n\n"
           "Options:\n  --version  print the version\n");
  for (const struct definition *one = definitions; one < definitions + DEFINITIONS; one++) {
    const char *const parts[] = {"  --",           one->name,     " ",       one->value, "  ", one->description,
                                 " (default: ", one->fallback, ", env: "};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) text_add(&text, parts[i]);
    text_add(&text, variable_of(one, variable, sizeof variable));
    text_add(&text, ")\n");
  }
  text_add(&text,
           "  -h, --help  print this help\n\n"
           "Sizes are written 10KiB, 4096 or 1MiB; durations 90s, 5m, 24h or never; lists in variables with commas.\n");
  print(&text);
}

_Noreturn static void print_version(void) {
  char bytes[32];
  struct text text = TEXT(bytes);
  text_add(&text, VERSION "\n");
  print(&text);
}

/* The definition of a flag, and where in the argument its value begins, if it is there. */
static const struct definition *find(const char *flag, const char **value) {
  size_t length = strcspn(flag, "=");
  *value = flag[length] == '=' ? flag + length + 1 : NULL;
  for (const struct definition *one = definitions; one < definitions + DEFINITIONS; one++)
    if (strlen(one->name) == length && memcmp(one->name, flag, length) == 0) return one;
  return NULL;
}

void options_parse(struct options *options, int count, char **arguments) {
  bool given[DEFINITIONS] = {false};
  const char *values[ADDRESS_LIMIT * 4], *unknown = NULL;
  const struct definition *flags[ADDRESS_LIMIT * 4];
  int found = 0, strays = 0;
  bool help = false, ended = false;
  for (int i = 1; i < count; i++) {
    const char *argument = arguments[i], *value;
    if (ended || argument[0] != '-' || argument[1] == 0) {
      strays++;
    } else if (strcmp(argument, "--") == 0) {
      ended = true;
    } else if (strcmp(argument, "--version") == 0) {
      print_version();
    } else if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
      help = true;
    } else {
      const struct definition *one = strncmp(argument, "--", 2) == 0 ? find(argument + 2, &value) : NULL;
      if (one == NULL) {
        if (unknown == NULL) unknown = argument;
        continue;
      }
      if (value == NULL) value = arguments[++i];
      if (value == NULL)
        fail(STATUS_USAGE, "option '--", one->name, " ", one->value, "' argument missing", NULL);
      if (found == ADDRESS_LIMIT * 4) fail(STATUS_USAGE, "too many options", NULL);
      given[one - definitions] = true;
      flags[found] = one;
      values[found++] = value;
    }
  }
  if (help) print_help();
  if (unknown != NULL) fail(STATUS_USAGE, "unknown option '", unknown, "'", NULL);
  if (strays > 0) {
    char bytes[32];
    struct text text = TEXT(bytes);
    text_add_number(&text, (uint64_t)strays);
    fail(STATUS_USAGE, "too many arguments. Expected 0 arguments but got ", text_end(&text), ".", NULL);
  }
  for (int i = 0; i < found; i++) {
    char flag[64];
    struct text text = TEXT(flag);
    text_add(&text, "--");
    text_add(&text, flags[i]->name);
    parse(options, flags[i], text_end(&text), values[i]);
  }
  for (int i = 0; i < DEFINITIONS; i++)
    if (!given[i]) parse_rest(options, &definitions[i]);
}
