/* Listening sockets: Unix paths taken with care, TCP addresses, and descriptors handed over by systemd. */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "options.h"

enum socket_role { SOCKET_PUSH, SOCKET_HTTP };

/* Takes a new connection: a descriptor that does not block and is not inherited. */
typedef void socket_taker(int fd);

/*
 * Opens what systemd handed over, what the options name, and the defaults of a side that has nothing else. The loop is
 * open by then. What cannot be opened ends the program, and removes the files that were made.
 */
void sockets_open(const struct options *options, socket_taker *push, socket_taker *http);

/* Stops accepting. A socket file is removed if it is still ours. */
void sockets_close(void);

/* Where one side listens. Returns how many addresses were written, at most limit. */
size_t sockets_addresses(enum socket_role role, const char **addresses, size_t limit);

/* Tells systemd something (sd_notify), if it asked to be told. */
void sockets_notify(const char *state);

#endif
