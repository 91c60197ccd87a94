/*
 * CPU time of a gateway from its start to its first answer. A process that Node.js starts is charged with giving back the
 * copy of Node's memory map that it begins with; this small process has none to speak of, and shares even that.
 * usage: launch PORT PROGRAM ARGUMENTS...
 *
 * Starts the program, asks for /metrics on the port of 127.0.0.1 until that is answered with 200, and ends the program by
 * SIGTERM. Prints one line of JSON: nanoseconds of CPU, as the scheduler counts them.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 30000 };

static const char request[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
extern char **environ;
static pid_t program;

static void fail(const char *what) {
  fprintf(stderr, "launch: %s\n", what);
  kill(program, SIGKILL);
  exit(1);
}

/* Connects, once a millisecond. */
static int connect_to(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < TRIES; i++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    if (waitpid(program, NULL, WNOHANG) != 0) fail("the program has ended");
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
  fail("nobody listens");
  return -1;
}

/* Makes the request, and waits for the answer's end. */
static void ask(int port) {
  char answer[65536];
  size_t total = 0;
  int fd = connect_to(port);
  if (write(fd, request, sizeof request - 1) != sizeof request - 1) fail("the request was not taken");
  for (;;) {
    ssize_t count = read(fd, answer + total, sizeof answer - total);
    if (count < 0) fail("the answer broke off");
    if (count == 0) break;
    total += (size_t)count;
  }
  if (total < 13 || memcmp(answer, "HTTP/1.1 200 ", 13) != 0) fail("the answer is not 200");
  close(fd);
}

static unsigned long long cpu_ns(void) {
  char path[64];
  unsigned long long ns;
  snprintf(path, sizeof path, "/proc/%d/schedstat", (int)program);
  FILE *file = fopen(path, "r");
  if (file == NULL || fscanf(file, "%llu", &ns) != 1) fail(path);
  fclose(file);
  return ns;
}

int main(int count, char **arguments) {
  int status;
  if (count < 3) {
    fprintf(stderr, "usage: launch PORT PROGRAM ARGUMENTS...\n");
    return 2;
  }
  if (posix_spawnp(&program, arguments[2], NULL, NULL, arguments + 2, environ) != 0) {
    perror(arguments[2]);
    return 1;
  }
  ask(atoi(arguments[1]));
  unsigned long long ns = cpu_ns();
  kill(program, SIGTERM);
  if (waitpid(program, &status, 0) != program || status != 0) fail("the program did not end as it should");
  printf("{\"cpuNs\":%llu}\n", ns);
  return 0;
}
