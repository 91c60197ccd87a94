/* The HTTP side: /metrics, and whether the daemon is healthy and ready. */
#ifndef SCRAPE_H
#define SCRAPE_H

#include <stddef.h>

#include "options.h"

/* Reserves what all connections can ever need. The cache is open by then. */
void scrape_open(const struct options *options);

/* Takes a new connection, or refuses it if too many are busy. An idle one makes room. */
void scrape_take(int fd);

/* How many connections are open. */
size_t scrape_count(void);

/* Gives free places to pages that wait, ends what has taken too long, and sets the alarm for what is next. */
void scrape_check(void);

/* Begins to stop: connections without a request end, the others when they are answered. */
void scrape_stop(void);

/* Ends all connections. */
void scrape_close(void);

#endif
