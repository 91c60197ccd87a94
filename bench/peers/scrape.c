/*
 * The load generator for scrapes: asks for /metrics again and again on one connection, and times each answer.
 * usage: scrape PORT SECONDS LEAST [HEADER...]
 *
 * At least LEAST scrapes of 127.0.0.1:PORT, and more while SECONDS last. Waits for the server if it does not listen yet.
 * An answer is timed from the request's write to the body's last byte; lengths and chunks are understood.
 * Prints one line of JSON: scrapes, bytes of the last body as sent, median and 99th percentile in microseconds,
 * seconds, and when the first answer was complete (seconds of CLOCK_MONOTONIC).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 18, REQUEST_BYTES = 4096, RETRY_NS = 100000, RETRY_SECONDS = 30 };

static char buffer[READ_BYTES + 1];
static size_t held, used; /* bytes read into the buffer, and taken from it */

static void fail(const char *what) {
  fprintf(stderr, "scrape: %s (%s)\n", what, strerror(errno));
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int connect_to(const char *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const struct timespec retry = {.tv_nsec = RETRY_NS};
  for (double until = now() + RETRY_SECONDS;;) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int one = 1;
    if (fd < 0) fail("socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      return fd;
    }
    close(fd);
    if (errno != ECONNREFUSED || now() > until) fail("connect");
    nanosleep(&retry, NULL);
  }
}

/* Reads more into the buffer; what was taken from it is gone. */
static void read_more(int fd) {
  memmove(buffer, buffer + used, held - used);
  held -= used;
  used = 0;
  ssize_t length = read(fd, buffer + held, READ_BYTES - held);
  if (length <= 0) fail("the answer ended early");
  held += (size_t)length;
  buffer[held] = 0;
}

/* Takes a line up to LF; it stands in the buffer until the next read. */
static char *take_line(int fd) {
  for (;;) {
    char *begin = buffer + used, *end = memchr(begin, '\n', held - used);
    if (end != NULL) {
      *end = 0;
      used = (size_t)(end + 1 - buffer);
      return begin;
    }
    if (held - used == READ_BYTES) fail("a line is too long");
    read_more(fd);
  }
}

/* Skips bytes of the body. */
static void skip(int fd, size_t length) {
  while (length > 0) {
    if (used == held) read_more(fd);
    size_t part = held - used < length ? held - used : length;
    used += part;
    length -= part;
  }
}

/* Reads one answer; the size of its body. */
static size_t read_answer(int fd) {
  long long length = -1;
  int chunked = 0;
  char *line = take_line(fd);
  if (strncmp(line, "HTTP/1.1 200 ", 13)) fail(line);
  while ((line = take_line(fd))[0] != '\r') {
    if (!strncasecmp(line, "content-length:", 15)) length = atoll(line + 15);
    if (!strncasecmp(line, "transfer-encoding: chunked", 26)) chunked = 1;
  }
  if (!chunked) {
    if (length < 0) fail("an answer without length");
    skip(fd, (size_t)length);
    return (size_t)length;
  }
  for (size_t body = 0;;) {
    size_t chunk = strtoul(take_line(fd), NULL, 16);
    if (chunk > 0) skip(fd, chunk);
    take_line(fd);
    if (chunk == 0) return body;
    body += chunk;
  }
}

static int by_size(const void *left, const void *right) {
  double difference = *(const double *)left - *(const double *)right;
  return (difference > 0) - (difference < 0);
}

int main(int count, char **arguments) {
  if (count < 4) {
    fprintf(stderr, "usage: scrape PORT SECONDS LEAST [HEADER...]\n");
    return 2;
  }
  char request[REQUEST_BYTES];
  int length = snprintf(request, sizeof request, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n");
  for (int i = 4; i < count && length < REQUEST_BYTES; i++)
    length += snprintf(request + length, sizeof request - (size_t)length, "%s\r\n", arguments[i]);
  if (length + 3 > REQUEST_BYTES) fail("too many headers");
  strcpy(request + length, "\r\n");
  length += 2;
  int fd = connect_to(arguments[1]);
  unsigned long least = strtoul(arguments[3], NULL, 10), scrapes = 0, room = 0;
  double began = now(), until = began + atof(arguments[2]), first = 0, *times = NULL;
  size_t body = 0;
  while (scrapes < least || now() < until) {
    if (scrapes == room) {
      room = room * 2 + 1024;
      times = realloc(times, room * sizeof *times);
      if (times == NULL) fail("no memory");
    }
    double sent = now();
    if (write(fd, request, (size_t)length) != length) fail("write");
    body = read_answer(fd);
    double answered = now();
    if (scrapes == 0) first = answered;
    times[scrapes++] = answered - sent;
  }
  double took = now() - began;
  if (scrapes == 0) fail("nothing was asked for");
  qsort(times, scrapes, sizeof *times, by_size);
  printf("{\"scrapes\":%lu,\"bytes\":%zu,\"p50\":%.1f,\"p99\":%.1f,\"seconds\":%.6f,\"first\":%.9f}\n", scrapes, body,
         times[scrapes / 2] * 1e6, times[scrapes * 99 / 100] * 1e6, took, first);
  return 0;
}
