/*
 * The load generator for pushes: sends prepared files again and again, each on a connection of its own.
 * usage: push lines|pages|http ADDRESS LIMIT WRITE FILE...
 *
 * ADDRESS is the path of a Unix socket, or IPv4:PORT. LIMIT is seconds: each file is sent whole, as often as fits, at
 * least once; 0 sends it once. Or it is how often each file is sent, with an x at its end (not for http).
 * lines: the files are streams; a write has as many whole lines as fit in WRITE bytes. A connection is over when the
 *        other side has closed it in answer to its end: everything was taken.
 * pages: the same, but each write has a connection of its own; the next begins when the last one is over.
 * http:  a file is requests, each after its length (32 bits, the machine's order). The next is sent when the answer is
 *        there, which must be 200 or 202 with an empty body; time may end between any two.
 * Prints one line of JSON: files (or requests) sent on each connection, bytes, seconds, and its own CPU seconds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 64, ANSWER_BYTES = 4096, FILES = 5 };

struct connection {
  const char *data;
  size_t size;     /* of the file */
  size_t at;       /* next byte to be sent */
  size_t end;      /* of the request, or of the file */
  unsigned long sent;
  size_t answered; /* bytes of an answer that are there */
  char answer[ANSWER_BYTES];
};

/* When it is enough: after so many files, or if that is 0 at some time. */
struct limit {
  double until;
  unsigned long times;
};

static struct connection connections[CONNECTIONS];
static struct pollfd fds[CONNECTIONS];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int connect_to(const char *text) {
  int fd;
  const char *colon = strrchr(text, ':');
  if (text[0] == '/' || colon == NULL) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(text) >= sizeof address.sun_path) {
      errno = ENAMETOOLONG;
      fail(text);
    }
    strcpy(address.sun_path, text);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail(text);
  } else {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
    char host[16] = {0};
    int one = 1;
    if ((size_t)(colon - text) < sizeof host) memcpy(host, text, (size_t)(colon - text));
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
      errno = EINVAL;
      fail(text);
    }
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail(text);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
  if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0) fail(text);
  return fd;
}

static void map(struct connection *connection, const char *path) {
  struct stat status;
  int fd = open(path, O_RDONLY);
  if (fd < 0 || fstat(fd, &status) < 0) fail(path);
  connection->size = (size_t)status.st_size;
  connection->data = mmap(NULL, connection->size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  if (connection->data == MAP_FAILED) fail(path);
  close(fd);
}

/* The next request of the file; after the last one comes the first. */
static void next_request(struct connection *connection) {
  uint32_t length;
  if (connection->at >= connection->size) connection->at = 0;
  memcpy(&length, connection->data + connection->at, sizeof length);
  connection->at += sizeof length;
  connection->end = connection->at + length;
}

/* How many bytes the next write has: whole lines, unless one is longer than a write. */
static size_t write_size(const struct connection *connection, size_t most) {
  size_t rest = connection->end - connection->at;
  if (rest <= most) return rest;
  const char *begin = connection->data + connection->at, *last = memrchr(begin, '\n', most);
  return last == NULL ? most : (size_t)(last + 1 - begin);
}

/* Writes what the socket takes. 0: there is more. */
static int write_some(struct connection *connection, int fd, size_t most) {
  while (connection->at < connection->end) {
    size_t size = write_size(connection, most);
    ssize_t length = write(fd, connection->data + connection->at, size);
    if (length < 0 && errno == EAGAIN) return 0;
    if (length < 0) fail("write");
    connection->at += (size_t)length;
    if ((size_t)length < size) return 0;
  }
  return 1;
}

/* Reads an answer. 1: it is complete. */
static int read_answer(struct connection *connection, int fd) {
  ssize_t length = read(fd, connection->answer + connection->answered, ANSWER_BYTES - 1 - connection->answered);
  if (length < 0 && errno == EAGAIN) return 0;
  if (length <= 0) fail("no answer");
  connection->answered += (size_t)length;
  connection->answer[connection->answered] = 0;
  if (strstr(connection->answer, "\r\n\r\n") == NULL) return 0;
  int accepted = !strncmp(connection->answer, "HTTP/1.1 200 ", 13) || !strncmp(connection->answer, "HTTP/1.1 202 ", 13);
  if (!accepted || strcasestr(connection->answer, "\r\nContent-Length: 0\r\n") == NULL) {
    fprintf(stderr, "refused: %s\n", connection->answer);
    exit(1);
  }
  connection->answered = 0;
  return 1;
}

/* Whether the other side has not closed the connection yet. */
static int is_open(int fd) {
  char byte;
  ssize_t length = read(fd, &byte, 1);
  return length > 0 || (length < 0 && errno == EAGAIN);
}

/* The end of a file. 1: it is to be sent once more. */
static int again(struct connection *connection, struct limit limit) {
  connection->sent++;
  connection->at = 0;
  return limit.times > 0 ? connection->sent < limit.times : now() < limit.until;
}

/* One turn of a stream. 0: it is over. */
static int turn_lines(struct connection *connection, struct pollfd *poller, struct limit limit, size_t most) {
  if (poller->events == POLLIN) return is_open(poller->fd);
  if (!write_some(connection, poller->fd, most) || again(connection, limit)) return 1;
  shutdown(poller->fd, SHUT_WR);
  poller->events = POLLIN;
  return 1;
}

/* The next page of the file. */
static void next_page(struct connection *connection, size_t most) {
  connection->end = connection->size;
  connection->end = connection->at + write_size(connection, most);
}

/* One turn of pages, on one connection after the other. 0: they are over. */
static int turn_pages(struct connection *connection, struct pollfd *poller, struct limit limit, size_t most,
                      const char *address) {
  if (poller->events == POLLOUT) {
    if (!write_some(connection, poller->fd, most)) return 1;
    shutdown(poller->fd, SHUT_WR);
    poller->events = POLLIN;
  }
  if (is_open(poller->fd)) return 1;
  if (connection->at == connection->size && !again(connection, limit)) return 0;
  next_page(connection, most);
  close(poller->fd);
  *poller = (struct pollfd){.fd = connect_to(address), .events = POLLOUT};
  return 1;
}

/* One turn of requests. 0: they are over. */
static int turn_http(struct connection *connection, struct pollfd *poller, double until) {
  if (poller->events == POLLIN) {
    if (!read_answer(connection, poller->fd)) return 1;
    connection->sent++;
    int once = until == 0 && connection->end >= connection->size;
    if (once || (until > 0 && now() >= until)) return 0;
    next_request(connection);
  }
  poller->events = write_some(connection, poller->fd, SIZE_MAX) ? POLLIN : POLLOUT;
  return 1;
}

int main(int count, char **arguments) {
  if (count < 6 || count - FILES > CONNECTIONS) {
    fprintf(stderr, "usage: push lines|pages|http ADDRESS LIMIT WRITE FILE...\n");
    return 2;
  }
  int http = !strcmp(arguments[1], "http"), pages = !strcmp(arguments[1], "pages");
  size_t most = strtoul(arguments[4], NULL, 10);
  nfds_t total = (nfds_t)(count - FILES);
  for (nfds_t i = 0; i < total; i++) {
    map(&connections[i], arguments[(nfds_t)FILES + i]);
    fds[i] = (struct pollfd){.fd = connect_to(arguments[2]), .events = POLLOUT};
    connections[i].end = connections[i].size;
    if (http) next_request(&connections[i]);
    if (pages) next_page(&connections[i], most);
  }
  char *unit;
  double amount = strtod(arguments[3], &unit), began = now();
  struct limit limit = {.until = amount > 0 ? began + amount : 0, .times = *unit == 'x' ? (unsigned long)amount : 0};
  unsigned long long bytes = 0;
  for (nfds_t open = total; open > 0;) {
    if (poll(fds, total, -1) < 0) fail("poll");
    for (nfds_t i = 0; i < total; i++) {
      if (fds[i].fd < 0 || fds[i].revents == 0) continue;
      struct connection *connection = &connections[i];
      int more = http    ? turn_http(connection, &fds[i], limit.until)
                 : pages ? turn_pages(connection, &fds[i], limit, most, arguments[2])
                         : turn_lines(connection, &fds[i], limit, most);
      if (more) continue;
      close(fds[i].fd);
      fds[i].fd = -1;
      open--;
    }
  }
  double took = now() - began;
  printf("{\"sent\":[");
  for (nfds_t i = 0; i < total; i++) {
    printf("%s%lu", i ? "," : "", connections[i].sent);
    bytes += (unsigned long long)connections[i].size * connections[i].sent;
  }
  printf("],\"bytes\":%llu,\"seconds\":%.6f,\"cpuSeconds\":%.6f}\n", http ? 0 : bytes, took, cpu());
  return 0;
}
