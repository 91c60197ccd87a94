/* The program: options, signals, housekeeping, exit status. */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core.h"
#include "log.h"
#include "loop.h"
#include "options.h"
#include "program.h"
#include "push.h"
#include "scrape.h"
#include "sockets.h"
#include "text.h"

/* How often expired metrics are removed and counters looked at, and how long that may hold up everybody else. */
static const double HOUSEKEEPING_MS = 1000, EXPIRE_SLICE_MS = 2;
/* How long a stop takes connections that wait, reads what pushers have already written, and waits in all. */
static const double ACCEPT_MS = 50, DRAIN_MS = 400, STOP_MS = 1500;
enum { SIGNAL_STATUS = 128 };

static int stop_signal;
static double housekeeping_at_ms;

/* Counters whose movement is worth a warning. */
static struct {
  uint32_t index;
  const char *message;
  double seen;
} watched[] = {
    {CORE_EVICTED, "metrics evicted: the cache is full", 0},
    {CORE_REFUSED_FAMILY, "new metrics refused: their family holds most of the cache", 0},
    {CORE_REFUSED_FULL, "new metrics refused: the cache is full", 0},
    {CORE_HELP_DROPPED, "HELP texts dropped: the cache is full", 0},
    {CORE_TYPE_CLASHES, "metrics with clashing types", 0},
    {CORE_UNITS_DROPPED, "UNIT lines dropped: not the suffix of the name", 0},
    {CORE_BAD_TTL_LINES, "malformed TTL lines", 0},
};

/*
 * Warns of counters that moved since they were looked at last. Every warning is due at infinity, however lately one of
 * its kind was written.
 */
static void watch_counters(double now_ms) {
  static double expired_seen;
  double expired = core_counter(CORE_EXPIRED);
  if (expired > expired_seen && log_begin(LOG_DEBUG, "metrics expired")) {
    log_number("count", (uint64_t)(expired - expired_seen));
    log_end();
  }
  expired_seen = expired;
  for (size_t i = 0; i < sizeof watched / sizeof *watched; i++) {
    enum log_kind kind = (enum log_kind)(LOG_COUNTER + i);
    double count = core_counter(watched[i].index);
    if (count == watched[i].seen || !log_wants(kind, now_ms)) continue;
    log_warn(kind, now_ms, watched[i].message);
    log_number("count", (uint64_t)(count - watched[i].seen));
    log_end();
    watched[i].seen = count;
  }
}

/* Removes expired metrics that nobody looks at. Sleeps while there is nothing to keep. */
static void keep_house(void) {
  if (housekeeping_at_ms == 0) return;
  if (loop_now_ms < housekeeping_at_ms) {
    loop_alarm(housekeeping_at_ms);
    return;
  }
  double began_ms = loop_now_ms;
  while (core_expire(loop_now_ms)) {
    loop_read_clock();
    if (loop_now_ms < began_ms + EXPIRE_SLICE_MS) continue;
    loop_alarm(loop_now_ms);
    return;
  }
  watch_counters(loop_now_ms);
  bool is_needed = push_count() > 0 || core_gauge(CORE_FAMILIES) > 0 || core_gauge(CORE_SERIES) > 0;
  housekeeping_at_ms = is_needed ? loop_now_ms + HOUSEKEEPING_MS : 0;
  if (is_needed) loop_alarm(housekeeping_at_ms);
}

static void keep(void) {
  push_check();
  scrape_check();
  keep_house();
}

/* A push connection: from now on there is something to keep. */
static void take_push(int fd) {
  push_take(fd);
  if (housekeeping_at_ms > 0) return;
  housekeeping_at_ms = loop_now_ms + HOUSEKEEPING_MS;
  loop_alarm(housekeeping_at_ms);
}

/* A second signal ends the program at once. */
static void take_signal(struct source *source, uint32_t events) {
  (void)events;
  struct signalfd_siginfo info;
  if (read(source->fd, &info, sizeof info) != sizeof info) return;
  if (stop_signal != 0) _exit(SIGNAL_STATUS + (int)info.ssi_signo);
  stop_signal = (int)info.ssi_signo;
}

static void open_signals(void) {
  static struct source source = {.ready = take_signal};
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  source.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (source.fd < 0 || !loop_add(&source, EPOLLIN)) fail(STATUS_FAILURE, "cannot wait for signals", NULL);
}

/* Makes the cache; its complaints are named after the options. */
static void open_core(const struct options *options) {
  uint32_t flags = (options->reject_when_full ? CORE_REJECT : 0u) | (options->keep_timestamps ? CORE_KEEP_TIMESTAMPS : 0u);
  char bytes[32];
  struct text limit = TEXT(bytes);
  switch (core_open(options->cache_bytes, (double)options->ttl_ms, flags, (uint32_t)options->max_line_bytes)) {
    case 0:
      return;
    case CORE_BAD_CACHE:
      fail(STATUS_USAGE, "--cache-size: the cache size is out of range", NULL);
    case CORE_BAD_TTL:
      fail(STATUS_USAGE, "--ttl: the TTL is out of range", NULL);
    case CORE_BAD_LINE:
      text_add_number(&limit, core.line_limit);
      fail(STATUS_USAGE, "--max-line: the line length is out of range (16 to ", text_end(&limit), ")", NULL);
    case CORE_NO_MEMORY:
      fail(STATUS_USAGE, "--cache-size: there is no memory for such a cache", NULL);
    default:
      fail(STATUS_FAILURE, "the module refused to start", NULL);
  }
}

static void log_started(const struct options *options) {
  const char *addresses[2 * ADDRESS_LIMIT];
  char bytes[64];
  if (!log_begin(LOG_INFO, "started")) return;
  log_text("version", VERSION);
  log_list("push", addresses, sockets_addresses(SOCKET_PUSH, addresses, 2 * ADDRESS_LIMIT));
  log_list("http", addresses, sockets_addresses(SOCKET_HTTP, addresses, 2 * ADDRESS_LIMIT));
  struct text text = TEXT(bytes);
  text_add_size(&text, options->cache_bytes);
  log_text("cache", text_end(&text));
  text = TEXT(bytes);
  text_add_duration(&text, options->ttl_ms);
  log_text("ttl", text_end(&text));
  log_end();
}

/* Takes what the kernel already holds, until there is nothing more, or for pushers that never pause until a time. */
static void drain(double until_ms) {
  while (loop_turn(0, keep) > 0 && loop_now_ms < until_ms) continue;
}

/* Stops: accepts nothing more, finishes what was read, answers open scrapes, closes everything. */
static void stop(void) {
  double began_ms = loop_now_ms;
  sockets_notify("STOPPING=1");
  /* Whoever has connected by now was accepted by the kernel: closing would lose what he has written. */
  drain(began_ms + ACCEPT_MS);
  sockets_close();
  drain(began_ms + DRAIN_MS);
  push_close();
  scrape_stop();
  while (scrape_count() > 0 && loop_now_ms < began_ms + STOP_MS) {
    loop_alarm(began_ms + STOP_MS);
    loop_turn(-1, keep);
  }
  scrape_close();
  /* The last look: what has no warning yet is never told later. */
  watch_counters(INFINITY);
  if (!log_begin(LOG_INFO, "stopped")) return;
  log_text("reason", stop_signal == SIGTERM ? "SIGTERM" : "SIGINT");
  log_number("samples", (uint64_t)core_counter(CORE_SAMPLES));
  log_number("pushes", (uint64_t)core_counter(CORE_PUSHES));
  log_end();
}

int main(int count, char **arguments) {
  static struct options options;
  options_parse(&options, count, arguments);
  if (!program_choose(program_is_wide(options.cache_bytes), arguments))
    fail(STATUS_FAILURE, "--cache-size: above 16320 bytes it takes push-gateway-wide beside push-gateway", NULL);
  log_open((enum log_level)options.log_level, options.log_json);
  open_core(&options);
  loop_open();
  push_open(&options);
  scrape_open(&options);
  open_signals();
  sockets_open(&options, take_push, scrape_take);
  log_started(&options);
  sockets_notify("READY=1");
  while (stop_signal == 0) loop_turn(-1, keep);
  stop();
  return 0;
}
