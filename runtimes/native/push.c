#include "push.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core.h"
#include "log.h"
#include "loop.h"
#include "sniff.h"
#include "text.h"

/* A tail up to this size is kept in the connection; a longer one in its slot, whose pages are touched only then. */
enum { SHORT_TAIL = 152 };
/* Reads of one connection before others have their turn. */
enum { READS = 4 };

enum state { UNDECIDED, METRICS, HTTP };

struct pusher {
  struct source source;
  enum state state;
  uint32_t tail_length;
  struct core_connection connection;
  /* When to close it; infinite: never. */
  double deadline_ms;
  /* Bytes that were read of an HTTP request. */
  uint64_t discarded;
  uint8_t tail[SHORT_TAIL];
};

static const struct options *settings;
static struct pusher *pushers;
static uint8_t *slots;
static size_t slot_bytes, open_count;

static void ready(struct source *source, uint32_t events);

void push_open(const struct options *options) {
  settings = options;
  slot_bytes = core.tail_limit;
  size_t count = options->max_connections;
  pushers = mmap(NULL, count * (sizeof *pushers + slot_bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pushers == MAP_FAILED) fail(STATUS_FAILURE, "--max-connections: there is no memory for so many", NULL);
  slots = (uint8_t *)(pushers + count);
}

size_t push_count(void) { return open_count; }

/* A place for a connection, the first that is free, so that few pages are touched. A place that was never used is zero. */
static struct pusher *free_place(void) {
  for (size_t i = 0; i < settings->max_connections; i++)
    if (pushers[i].source.ready == NULL || pushers[i].source.fd < 0) return &pushers[i];
  return NULL;
}

/* Sets when to close a connection, so many milliseconds from now; 0: never. */
static void set_deadline(struct pusher *pusher, uint64_t in_ms) {
  pusher->deadline_ms = in_ms > 0 ? loop_now_ms + (double)in_ms : INFINITY;
  if (in_ms > 0) loop_alarm(pusher->deadline_ms);
}

void push_take(int fd) {
  struct pusher *pusher = open_count < settings->max_connections ? free_place() : NULL;
  if (pusher == NULL) {
    close(fd);
    if (log_warn(LOG_REFUSED, loop_now_ms, "push connection refused: too many are open")) {
      log_number("limit", settings->max_connections);
      log_end();
    }
    return;
  }
  *pusher = (struct pusher){.source = {.fd = fd, .ready = ready}};
  set_deadline(pusher, settings->idle_timeout_ms);
  if (loop_add(&pusher->source, EPOLLIN)) open_count++;
  else loop_close(&pusher->source);
}

static void warn_bad_line(int32_t reason, const uint8_t *bytes, size_t length) {
  if (!log_warn((enum log_kind)(LOG_BAD_LINE + reason), loop_now_ms, "bad line skipped")) return;
  char excerpt[320];
  struct text text = TEXT(excerpt);
  text_add_excerpt(&text, bytes, length);
  log_text("reason", core_bad_reasons[reason]);
  log_bytes("line", text.bytes, text.length);
  log_end();
}

static uint8_t *tail_of(struct pusher *pusher) {
  return pusher->tail_length <= SHORT_TAIL ? pusher->tail : slots + (size_t)(pusher - pushers) * slot_bytes;
}

/* The end of what the connection sends, however it came. */
static void finish(struct pusher *pusher) {
  if (pusher->state != HTTP) {
    if (pusher->tail_length > 0) warn_bad_line(CORE_INCOMPLETE, tail_of(pusher), pusher->tail_length);
    core_finish(&pusher->connection, pusher->tail_length, loop_now_ms);
  }
  loop_close(&pusher->source);
  open_count--;
}

/* Answers HTTP, and reads on for a while so that the client gets to see it. */
static void answer(struct pusher *pusher, const uint8_t *method, size_t length) {
  static const char head[] =
      "HTTP/1.1 501 Not Implemented\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Content-Length: 75\r\n\r\n";
  static const char body[] = "HTTP is not served on this socket: push metrics as a plain stream of lines\n";
  _Static_assert(sizeof body - 1 == 75, "the length in the head is the body's");
  char whole[sizeof head + sizeof body], excerpt[96];
  struct text text = TEXT(excerpt);
  if (log_warn(LOG_HTTP, loop_now_ms, "HTTP request on the push socket answered with 501")) {
    text_add_excerpt(&text, method, length);
    log_bytes("method", text.bytes, text.length);
    log_end();
  }
  text = TEXT(whole);
  text_add(&text, head);
  if (length != 4 || memcmp(method, "HEAD", 4) != 0) text_add(&text, body);
  pusher->state = HTTP;
  pusher->tail_length = 0;
  /* The answer is the first that is written, so there is room for it. */
  ssize_t written = send(pusher->source.fd, text.bytes, text.length, MSG_NOSIGNAL);
  (void)written;
  shutdown(pusher->source.fd, SHUT_WR);
  set_deadline(pusher, settings->header_timeout_ms);
}

/* Keeps the bytes of an incomplete line until the next read. */
static void keep(struct pusher *pusher, const uint8_t *bytes, uint32_t length) {
  if (length > slot_bytes) __builtin_trap(); /* The module promised that this cannot be. */
  pusher->tail_length = length;
  memcpy(tail_of(pusher), bytes, length);
}

/* Takes bytes that were read into the region. */
static void take_bytes(struct pusher *pusher, uint32_t length) {
  uint32_t start = core.read_offset - pusher->tail_length;
  uint32_t total = pusher->tail_length + length;
  uint8_t *bytes = core.input + start;
  memcpy(bytes, tail_of(pusher), pusher->tail_length);
  if (pusher->state == UNDECIDED) {
    const uint8_t *method;
    size_t method_length;
    enum verdict verdict = sniff(bytes, total, &method, &method_length);
    if (verdict == SNIFF_HTTP) {
      answer(pusher, method, method_length);
      return;
    }
    if (verdict == SNIFF_UNDECIDED && total <= core.tail_limit) {
      keep(pusher, bytes, total);
      return;
    }
    pusher->state = METRICS;
  }
  uint32_t consumed = core_ingest(&pusher->connection, start, total, loop_now_ms);
  uint32_t offset, bad_length;
  int32_t reason = core_bad_line(&offset, &bad_length);
  if (reason >= 0) warn_bad_line(reason, core.input + offset, bad_length);
  keep(pusher, bytes + consumed, total - consumed);
}

static void ready(struct source *source, uint32_t events) {
  (void)events;
  struct pusher *pusher = (struct pusher *)source;
  for (int i = 0; i < READS; i++) {
    ssize_t count = read(source->fd, core.input + core.read_offset, core.read_bytes);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) {
      finish(pusher);
      return;
    }
    if (pusher->state == HTTP) {
      pusher->discarded += (uint64_t)count;
      if (pusher->discarded > settings->max_body_bytes) {
        finish(pusher);
        return;
      }
    } else {
      take_bytes(pusher, (uint32_t)count);
      if (pusher->state != HTTP && settings->idle_timeout_ms > 0) set_deadline(pusher, settings->idle_timeout_ms);
    }
    if ((uint32_t)count < core.read_bytes) return;
  }
}

void push_check(void) {
  size_t left = open_count;
  for (struct pusher *pusher = pushers; left > 0; pusher++) {
    if (pusher->source.ready == NULL || pusher->source.fd < 0) continue;
    left--;
    if (loop_now_ms >= pusher->deadline_ms) finish(pusher);
    else if (pusher->deadline_ms < INFINITY) loop_alarm(pusher->deadline_ms);
  }
}

void push_close(void) {
  for (struct pusher *pusher = pushers; open_count > 0; pusher++)
    if (pusher->source.ready != NULL && pusher->source.fd >= 0) finish(pusher);
}
