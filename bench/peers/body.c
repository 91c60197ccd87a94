/*
 * The floor of every scrape: answers each request with the same body, prepared with its header. One connection at a time.
 * usage: body PORT FILE        until SIGTERM
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REQUEST_BYTES = 8192, HEAD_BYTES = 256 };

static char *answer;
static size_t answer_bytes;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void prepare(const char *path) {
  struct stat status;
  int fd = open(path, O_RDONLY);
  if (fd < 0 || fstat(fd, &status) < 0) fail(path);
  size_t size = (size_t)status.st_size;
  answer = malloc(HEAD_BYTES + size);
  if (answer == NULL) fail("no memory");
  answer_bytes = (size_t)snprintf(answer, HEAD_BYTES,
                                  "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                                  "Content-Length: %zu\r\n\r\n",
                                  size);
  for (size_t at = 0; at < size;) {
    ssize_t length = read(fd, answer + answer_bytes + at, size - at);
    if (length <= 0) fail(path);
    at += (size_t)length;
  }
  answer_bytes += size;
  close(fd);
}

static void serve(int fd) {
  char request[REQUEST_BYTES + 1];
  for (size_t held = 0;;) {
    ssize_t length = read(fd, request + held, REQUEST_BYTES - held);
    if (length <= 0) break;
    held += (size_t)length;
    request[held] = 0;
    if (strstr(request, "\r\n\r\n") == NULL) continue;
    held = 0;
    for (size_t at = 0; at < answer_bytes;) {
      ssize_t written = write(fd, answer + at, answer_bytes - at);
      if (written <= 0) return;
      at += (size_t)written;
    }
  }
}

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: body PORT FILE\n");
    return 2;
  }
  prepare(arguments[2]);
  signal(SIGPIPE, SIG_IGN);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1]))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) fail("socket");
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 16) < 0) fail("listen");
  fprintf(stderr, "ready\n");
  for (;;) {
    int connection = accept(fd, NULL, NULL);
    if (connection < 0) continue;
    serve(connection);
    close(connection);
  }
}
