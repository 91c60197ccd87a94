/*
 * The floor of every gateway: takes streams on a Unix socket, and only counts their bytes.
 * usage: counter SOCKET        SIGTERM: prints {"bytes":N} and ends
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CONNECTIONS = 64, READ_BYTES = 65536 };

static volatile sig_atomic_t stopped;

static void stop(int signal) {
  (void)signal;
  stopped = 1;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int listen_on(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    fail(path);
  }
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, CONNECTIONS) < 0) fail(path);
  return fd;
}

int main(int count, char **arguments) {
  if (count != 2) {
    fprintf(stderr, "usage: counter SOCKET\n");
    return 2;
  }
  /* Without SA_RESTART: the signal ends the poll. */
  struct sigaction action = {.sa_handler = stop};
  sigaction(SIGTERM, &action, NULL);
  static struct pollfd fds[1 + CONNECTIONS];
  static char buffer[READ_BYTES];
  unsigned long long bytes = 0;
  nfds_t open = 1;
  fds[0] = (struct pollfd){.fd = listen_on(arguments[1]), .events = POLLIN};
  fprintf(stderr, "ready\n");
  while (!stopped) {
    if (poll(fds, open, -1) < 0) continue;
    for (nfds_t i = open; i-- > 1;) {
      if (fds[i].revents == 0) continue;
      ssize_t length = read(fds[i].fd, buffer, sizeof buffer);
      if (length > 0) {
        bytes += (unsigned long long)length;
      } else {
        close(fds[i].fd);
        fds[i] = fds[--open];
      }
    }
    if ((fds[0].revents & POLLIN) && open <= CONNECTIONS) {
      int fd = accept(fds[0].fd, NULL, NULL);
      if (fd >= 0) fds[open++] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
  }
  printf("{\"bytes\":%llu}\n", bytes);
  return 0;
}
