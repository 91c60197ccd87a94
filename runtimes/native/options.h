/* The command line and its environment variables, made into options. The Node host's host/cli.ts is the model. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* The longest path that fits a socket address, its closing NUL not counted. */
enum { SOCKET_PATH_LIMIT = 107 };
/* Push sockets, and addresses to listen on, that can be named. */
enum { ADDRESS_LIMIT = 8 };

/* An address to listen on. */
struct address {
  struct sockaddr_storage bytes;
  socklen_t length;
  /* As the user wrote it: for a Unix socket its path. */
  const char *text;
};

/* Everything that the daemon can be told. Sizes in bytes, durations in milliseconds, 0 for never. */
struct options {
  struct address sockets[ADDRESS_LIMIT];
  struct address listen[ADDRESS_LIMIT];
  uint64_t socket_count;
  uint64_t listen_count;
  uint64_t socket_mode;
  uint64_t cache_bytes;
  uint64_t ttl_ms;
  uint64_t reject_when_full;
  uint64_t keep_timestamps;
  uint64_t max_line_bytes;
  uint64_t max_connections;
  uint64_t idle_timeout_ms;
  uint64_t max_http_connections;
  uint64_t max_scrapes;
  uint64_t max_header_bytes;
  uint64_t max_body_bytes;
  uint64_t header_timeout_ms;
  uint64_t keep_alive_ms;
  uint64_t stall_timeout_ms;
  uint64_t log_level;
  uint64_t log_json;
};

/*
 * Makes the options from the command line, the environment and the defaults, in this order of precedence.
 * Prints and ends the program for --help and --version, and with status 2 and one line for anything that is wrong.
 */
void options_parse(struct options *options, int count, char **arguments);

/* Parses an address as --listen takes it; a mistake ends the program, named after where it was made. */
void options_address(const char *where, struct address *address, const char *text);

/* Parses the path of a Unix socket; a mistake ends the program with a status. */
void options_path(const char *where, int status, struct address *address, const char *text);

#endif
