#include "scrape.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core.h"
#include "http.h"
#include "log.h"
#include "loop.h"
#include "pages.h"
#include "reply.h"
#include "text.h"

/* Most requests of one connection that are answered before others have their turn. */
enum { TURN_REQUESTS = 16 };
/* A scraper that has not read for so long may lose its place to another. */
static const double STALL_GRACE_MS = 250;

enum state {
  /* A request is awaited, or some of its header is there. */
  READING,
  /* The header is there, the body is read and dropped. */
  BODY,
  /* A page waits for a place. */
  WAITING,
  /* A response is on its way. */
  SENDING,
  /* The last response is out; what the client still sends is dropped, so that it gets to read. */
  LINGERING,
};

struct client {
  struct source source;
  enum state state;
  /* Bytes in its header buffer. */
  uint32_t buffered;
  /* The request being answered; its path is gone: that was judged when the header was there. */
  struct http_request request;
  struct reply reply;
  /* It is a page under way. */
  bool is_page;
  /* A request was answered already: from then on silence is idleness. */
  bool is_known;
  /* The buffer may hold a whole request: it is looked at again when the socket takes bytes. */
  bool is_pending;
  /* What is left of the body. */
  uint64_t body_left;
  struct http_chunks chunks;
  /* The page on its way. */
  struct page *page;
  /* What is left to be sent of what is in the small response or in the page's batch. */
  const uint8_t *out;
  size_t out_left;
  /* When something must have happened; and when the scraper last took something, or the page began to wait. */
  double deadline_ms, progress_ms;
  char small[448];
};

static const struct options *settings;
static struct client *clients;
static char *buffers;
static size_t open_count, page_count, waiting_count;
static bool is_stopping;

static void ready(struct source *source, uint32_t events);

void scrape_open(const struct options *options) {
  settings = options;
  size_t count = options->max_http_connections;
  clients = pages_reserve(count * (sizeof *clients + options->max_header_bytes), "--max-http-connections");
  buffers = (char *)(clients + count);
  pages_open();
}

size_t scrape_count(void) { return open_count; }

static bool is_open(const struct client *client) { return client->source.ready != NULL && client->source.fd >= 0; }

static char *buffer_of(const struct client *client) {
  return buffers + (size_t)(client - clients) * settings->max_header_bytes;
}

static void set_deadline(struct client *client, uint64_t in_ms) {
  client->deadline_ms = loop_now_ms + (double)in_ms;
  loop_alarm(client->deadline_ms);
}

/* Counts a page as no longer under way, and gives back its place. */
static void end_page(struct client *client) {
  if (!client->is_page) return;
  client->is_page = false;
  page_count--;
  if (client->state == WAITING) waiting_count--;
  if (client->page == NULL) return;
  page_end(client->page);
  client->page = NULL;
  /* Those that wait have their turn at the end of this one. */
  if (waiting_count > 0) loop_alarm(loop_now_ms);
}

static void drop(struct client *client) {
  end_page(client);
  loop_close(&client->source);
  open_count--;
}

/* Ends a connection in order. What was not read yet would make the system cut off the response: so that is read first. */
static void linger(struct client *client) {
  shutdown(client->source.fd, SHUT_WR);
  client->state = LINGERING;
  client->body_left = settings->max_body_bytes;
  set_deadline(client, settings->header_timeout_ms);
  loop_change(&client->source, EPOLLIN);
}

/* A response is complete: the next request may come, or the connection ends. */
static void end_response(struct client *client) {
  end_page(client);
  if (!client->request.keep_alive || is_stopping) {
    if (client->buffered > 0 || client->reply.status >= 400) linger(client);
    else drop(client);
    return;
  }
  client->state = READING;
  client->is_known = true;
  client->progress_ms = loop_now_ms;
  set_deadline(client, client->buffered > 0 ? settings->header_timeout_ms : settings->keep_alive_ms);
}

/* Sends what there is to send, as far as the socket takes it. */
static void flush(struct client *client) {
  while (client->out_left > 0) {
    ssize_t count = send(client->source.fd, client->out, client->out_left, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN) {
      drop(client);
      return;
    }
    if (count < 0) {
      loop_change(&client->source, EPOLLOUT);
      loop_alarm(client->progress_ms + (double)settings->stall_timeout_ms);
      return;
    }
    client->progress_ms = loop_now_ms;
    client->out += count;
    client->out_left -= (size_t)count;
  }
  /* The next batch is rendered when others have had their turn. */
  if (client->page != NULL && !page_is_rendered(client->page)) loop_change(&client->source, EPOLLOUT);
  else end_response(client);
}

/* Appends the status line and the fields that every response has. */
static void add_head(struct text *text, const struct client *client) {
  bool keeps_alive = client->request.keep_alive && !is_stopping;
  reply_add_head(text, client->reply.status, keeps_alive ? (int64_t)(settings->keep_alive_ms / 1000) : -1);
}

/* Sends these bytes, and no batch of a page behind them. */
static void send_bytes(struct client *client, const uint8_t *bytes, size_t count) {
  client->state = SENDING;
  client->progress_ms = loop_now_ms;
  client->out = bytes;
  client->out_left = count;
  flush(client);
}

/* Sends a line of text. */
static void send_text(struct client *client, uint16_t status, const char *line) {
  struct text text = TEXT(client->small);
  client->reply.status = status;
  add_head(&text, client);
  text_add(&text, "text/plain; charset=utf-8\r\n");
  if (status == 503 && !is_stopping) text_add(&text, "Retry-After: 1\r\n");
  reply_add_line(&text, line, client->request.method != HTTP_HEAD);
  send_bytes(client, (const uint8_t *)text.bytes, text.length);
}

/* Answers what is no request, and ends the connection. */
static void send_error(struct client *client, uint16_t status) {
  char bytes[64];
  struct text line = TEXT(bytes);
  text_add_number(&line, status);
  text_add(&line, " ");
  text_add(&line, reply_reason(status));
  client->request.method = HTTP_OTHER;
  client->request.keep_alive = false;
  send_text(client, status, text_end(&line));
}

/* Sends a batch that was rendered, with a head before it. */
static void send_batch(struct client *client, struct text *head, uint32_t length) {
  size_t count;
  const uint8_t *bytes = page_frame(client->page, head, length, &count);
  send_bytes(client, bytes, count);
}

static void send_next(struct client *client) {
  char bytes[16];
  struct text head = TEXT(bytes);
  uint32_t length = page_render(client->page);
  send_batch(client, &head, length);
}

/* Appends the head of a page. */
static void add_page_head(struct text *text, const struct client *client) {
  add_head(text, client);
  accept_add_type(&client->request.accept, text);
  text_add(text, "\r\nVary: Accept\r\n");
}

/* Takes a place and begins to send a page. False: there is none. */
static bool start_page(struct client *client) {
  char bytes[PAGE_HEAD_BYTES];
  struct text head = TEXT(bytes);
  const struct accept *accept = &client->request.accept;
  uint32_t flags = (accept->is_openmetrics ? CORE_OPENMETRICS : 0u) | (accept->is_utf8 ? CORE_UTF8 : 0u);
  struct page *page = page_begin(flags);
  if (page == NULL) return false;
  if (client->state == WAITING) waiting_count--;
  client->page = page;
  uint32_t length = page_render(page);
  /* A page in one batch has its length. A longer one comes in chunks, or to HTTP/1.0 up to the connection's end. */
  bool is_whole = page_is_rendered(page);
  if (!is_whole && client->request.is_1_1) page_chunk(page);
  else if (!is_whole) client->request.keep_alive = false;
  add_page_head(&head, client);
  if (is_whole) {
    text_add(&head, "Content-Length: ");
    text_add_number(&head, length);
    text_add(&head, "\r\n");
  } else if (client->request.is_1_1) {
    text_add(&head, "Transfer-Encoding: chunked\r\n");
  }
  text_add(&head, "\r\n");
  send_batch(client, &head, length);
  return true;
}

/* That of two connections which has been without progress for longer; `one` may be none. */
static struct client *elder(struct client *one, struct client *other) {
  return one == NULL || other->progress_ms < one->progress_ms ? other : one;
}

/* Cuts off the page whose scraper has stalled longest, if one has stalled at all. */
static bool cut_one(void) {
  struct client *longest = NULL;
  for (size_t i = 0; i < settings->max_http_connections; i++) {
    struct client *client = &clients[i];
    if (is_open(client) && client->page != NULL) longest = elder(longest, client);
  }
  if (longest == NULL) return false;
  double due_ms = longest->progress_ms + STALL_GRACE_MS;
  if (loop_now_ms < due_ms) {
    if (waiting_count > 0) loop_alarm(due_ms);
    return false;
  }
  drop(longest);
  if (log_warn(LOG_CUT, loop_now_ms, "scraper cut off: it stalled longest, and others wait")) log_end();
  return true;
}

static void send_page(struct client *client) {
  if (client->request.method == HTTP_HEAD) {
    struct text text = TEXT(client->small);
    add_page_head(&text, client);
    text_add(&text, "\r\n");
    send_bytes(client, (const uint8_t *)text.bytes, text.length);
    return;
  }
  if (page_count >= settings->max_scrapes && !cut_one()) {
    if (log_warn(LOG_SCRAPE_REFUSED, loop_now_ms, "scrape refused: too many are under way")) {
      log_number("limit", settings->max_scrapes);
      log_end();
    }
    send_text(client, 503, "Too many scrapes are under way.");
    return;
  }
  page_count++;
  client->is_page = true;
  if (waiting_count == 0 && start_page(client)) return;
  client->state = WAITING;
  client->progress_ms = loop_now_ms;
  waiting_count++;
  loop_change(&client->source, 0);
  loop_alarm(loop_now_ms);
}

/* Answers the request whose header and body are there. */
static void answer(struct client *client) {
  if (client->reply.status == 400) client->request.keep_alive = false;
  if (client->reply.line != NULL) send_text(client, client->reply.status, client->reply.line);
  else send_page(client);
}

/* Takes bytes off the front of the buffer. */
static void consume(struct client *client, size_t count) {
  char *buffer = buffer_of(client);
  client->buffered -= (uint32_t)count;
  memmove(buffer, buffer + count, client->buffered);
}

/* Looks at what the buffer has of a body. */
static void read_body(struct client *client) {
  bool is_done;
  size_t count = client->buffered;
  if (client->request.is_chunked) {
    ptrdiff_t taken = http_skip_chunks(&client->chunks, buffer_of(client), count, &is_done);
    if (taken < 0) {
      send_error(client, 400);
      return;
    }
    count = (size_t)taken;
  } else {
    if (count > client->body_left) count = (size_t)client->body_left;
    client->body_left -= count;
    is_done = client->body_left == 0;
  }
  consume(client, count);
  if (client->chunks.total > settings->max_body_bytes) {
    client->request.keep_alive = false;
    send_text(client, 413, "The body is too large.");
  } else if (is_done) {
    answer(client);
  }
}

/* Looks at what the buffer has of a request, and answers it if it is whole. False: more is needed. */
static bool read_request(struct client *client) {
  if (client->state == READING) {
    ptrdiff_t length = http_parse(buffer_of(client), client->buffered, &client->request);
    if (length == HTTP_INCOMPLETE && client->buffered < settings->max_header_bytes) return false;
    if (length <= 0) {
      send_error(client, length == HTTP_BAD ? 400 : 431);
      return true;
    }
    if (client->request.method == HTTP_CONNECT) {
      /* What follows would not be HTTP. */
      client->request.keep_alive = false;
      send_text(client, 405, "Method not allowed.");
      return true;
    }
    client->reply = reply_to(&client->request, is_stopping);
    client->state = BODY;
    client->body_left = client->request.content_length;
    client->chunks = (struct http_chunks){0};
    consume(client, (size_t)length);
    if (client->body_left > settings->max_body_bytes) {
      client->request.keep_alive = false;
      send_text(client, 413, "The body is too large.");
      return true;
    }
    bool has_body = client->request.is_chunked || client->body_left > 0;
    if (has_body && client->request.expects_continue && client->buffered == 0) {
      static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
      ssize_t count = send(client->source.fd, go_on, sizeof go_on - 1, MSG_NOSIGNAL);
      (void)count;
    }
    if (has_body) set_deadline(client, 2 * settings->header_timeout_ms);
  }
  read_body(client);
  return client->state != BODY;
}

/* Whether the buffer holds what can be answered, if only with an error. */
static bool is_answerable(struct client *client) {
  return client->buffered == settings->max_header_bytes ||
         http_parse(buffer_of(client), client->buffered, &client->request) != HTTP_INCOMPLETE;
}

/* Answers what the buffer holds, request by request, until one is on its way or more is needed. */
static void advance(struct client *client) {
  client->is_pending = false;
  for (int i = 0; i < TURN_REQUESTS; i++) {
    if (client->source.fd < 0 || (client->state != READING && client->state != BODY)) return;
    if (client->buffered == 0 && client->state == READING) break;
    if (!read_request(client)) break;
  }
  if (client->source.fd < 0 || (client->state != READING && client->state != BODY)) return;
  client->is_pending = client->buffered > 0 && client->state == READING && is_answerable(client);
  if (client->is_pending) loop_alarm(client->progress_ms + (double)settings->stall_timeout_ms);
  loop_change(&client->source, client->is_pending ? EPOLLOUT : EPOLLIN);
}

/* Reads what fits the buffer. False: nothing came, or the connection is over. */
static bool receive(struct client *client) {
  char *buffer = buffer_of(client);
  ssize_t count = recv(client->source.fd, buffer + client->buffered, settings->max_header_bytes - client->buffered, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (count <= 0) {
    drop(client);
    return false;
  }
  if (client->state == LINGERING) {
    if ((uint64_t)count > client->body_left) drop(client);
    else client->body_left -= (uint64_t)count;
    client->buffered = 0;
    return false;
  }
  if (client->state == READING && client->buffered == 0 && client->is_known)
    set_deadline(client, settings->header_timeout_ms);
  client->buffered += (uint32_t)count;
  return true;
}

static void ready(struct source *source, uint32_t events) {
  struct client *client = (struct client *)source;
  if (client->state == SENDING) {
    if (client->out_left > 0) flush(client);
    else if (client->page != NULL) send_next(client);
    if (source->fd >= 0 && client->state == READING) advance(client);
  } else if (client->state == WAITING) {
    if (events & (EPOLLHUP | EPOLLERR)) drop(client);
  } else if (client->is_pending) {
    advance(client);
  } else if (client->state == LINGERING) {
    client->buffered = 0;
    receive(client);
  } else if (receive(client)) {
    advance(client);
  }
}

/*
 * Closes a connection in favour of a new one: that which has been idle between requests for longest, or else that whose
 * request has been awaited for longest. Those that are being answered stay. False: all are.
 */
static bool make_room(void) {
  static const char warning[] = "HTTP connection closed: its request had not come, and others wait";
  struct client *idle = NULL, *slow = NULL;
  for (size_t i = 0; i < settings->max_http_connections; i++) {
    struct client *client = &clients[i];
    if (!is_open(client) || client->is_pending) continue;
    bool is_reading = client->state == READING;
    bool is_idle = is_reading && client->is_known && client->buffered == 0;
    if (is_idle || client->state == LINGERING) idle = elder(idle, client);
    else if (is_reading || client->state == BODY) slow = elder(slow, client);
  }
  if (idle == NULL && slow == NULL) return false;
  drop(idle != NULL ? idle : slow);
  if (idle == NULL && log_warn(LOG_DISPLACED, loop_now_ms, warning)) {
    log_number("limit", settings->max_http_connections);
    log_end();
  }
  return true;
}

void scrape_take(int fd) {
  if (is_stopping || (open_count >= settings->max_http_connections && !make_room())) {
    close(fd);
    if (log_warn(LOG_HTTP_REFUSED, loop_now_ms, "HTTP connection refused: too many are open")) {
      log_number("limit", settings->max_http_connections);
      log_end();
    }
    return;
  }
  struct client *client = clients;
  while (is_open(client)) client++;
  *client = (struct client){.source = {.fd = fd, .ready = ready}, .progress_ms = loop_now_ms};
  set_deadline(client, settings->header_timeout_ms);
  if (loop_add(&client->source, EPOLLIN)) open_count++;
  else loop_close(&client->source);
}

/* The page that has waited longest. */
static struct client *next_waiting(void) {
  struct client *next = NULL;
  for (size_t i = 0; i < settings->max_http_connections; i++) {
    struct client *client = &clients[i];
    if (is_open(client) && client->state == WAITING) next = elder(next, client);
  }
  return next;
}

static void start_waiting(void) {
  while (waiting_count > 0) {
    struct client *client = next_waiting();
    if (!start_page(client) && !cut_one()) return;
    if (client->source.fd >= 0 && client->state == READING) advance(client);
  }
}

/* Ends what has taken too long. */
static void check(struct client *client) {
  double due_ms = client->deadline_ms;
  /* What is pending waits for room for its answer. */
  bool is_unread = client->state == SENDING || client->is_pending;
  if (client->state == WAITING) return;
  if (is_unread) due_ms = client->progress_ms + (double)settings->stall_timeout_ms;
  if (loop_now_ms < due_ms) {
    loop_alarm(due_ms);
    return;
  }
  if (is_unread) {
    drop(client);
    if (log_warn(LOG_STALLED, loop_now_ms, "scraper cut off: it stalled")) {
      log_seconds("seconds", settings->stall_timeout_ms);
      log_end();
    }
  } else if (client->state == BODY || (client->state == READING && (!client->is_known || client->buffered > 0))) {
    send_error(client, 408);
  } else {
    drop(client);
  }
}

void scrape_check(void) {
  start_waiting();
  size_t left = open_count;
  for (struct client *client = clients; left > 0; client++) {
    if (!is_open(client)) continue;
    left--;
    check(client);
  }
}

void scrape_stop(void) {
  is_stopping = true;
  size_t left = open_count;
  for (struct client *client = clients; left > 0; client++) {
    if (!is_open(client)) continue;
    left--;
    if (client->state == READING || client->state == LINGERING) drop(client);
  }
}

void scrape_close(void) {
  for (struct client *client = clients; open_count > 0; client++)
    if (is_open(client)) drop(client);
}
