/* HTTP content negotiation (RFC 9110, 12.5.1), as Prometheus' own exporters do it. The Node host's negotiate.ts is the model. */
#ifndef ACCEPT_H
#define ACCEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

/* The best of the media ranges so far. Zero: text 0.0.4, nothing was asked for. */
struct accept {
  /* Quality in millionths, and whether the range is no wildcard: the higher the better. */
  uint32_t rank;
  bool is_openmetrics;
  /* OpenMetrics 0.0.1, else 1.0.0. */
  bool is_old;
  /* Names beyond the classic alphabet raw in quotes. */
  bool is_utf8;
  /* The range named an escaping. */
  bool has_escaping;
};

/* Takes the value of an Accept field; a second field goes on where the first ended. */
void accept_add(struct accept *accept, const char *value, size_t length);

/* Appends the content type of the answer. */
void accept_add_type(const struct accept *accept, struct text *text);

#endif
