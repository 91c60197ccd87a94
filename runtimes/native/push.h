/*
 * The push side: bytes of many connections into the one module. All connections read into the same region of the module's
 * input window; what a connection owns is 16 opaque bytes and its incomplete last line.
 */
#ifndef PUSH_H
#define PUSH_H

#include <stdbool.h>
#include <stddef.h>

#include "options.h"

/* Reserves what all connections can ever need. The cache is open by then. */
void push_open(const struct options *options);

/* Takes a new connection, or refuses it if too many are open. */
void push_take(int fd);

/* How many connections are open. */
size_t push_count(void);

/* Closes connections that have been silent for too long, and sets the alarm for the next. */
void push_check(void);

/* Ends all connections: their pushes count as ended where they are. */
void push_close(void);

#endif
