/* What a request is answered with, and what every response says: its status line, the fields that none is without. */
#ifndef REPLY_H
#define REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "http.h"
#include "text.h"

struct reply {
  uint16_t status;
  /* A line of text; null: it is a page. */
  const char *line;
};

/* What a request is answered with, by its path, method and fields. The gateway may be stopping: then it is not ready. */
struct reply reply_to(const struct http_request *request, bool is_stopping);

/* The reason phrase of a status (RFC 9110, section 15). */
const char *reply_reason(uint16_t status);

/* Appends a response's head up to the type of its content. `keep_alive_s` is -1 where the connection ends behind it. */
void reply_add_head(struct text *text, uint16_t status, int64_t keep_alive_s);

/* Appends the rest of a head behind that type, of a line of text that is all of the content, and that line if told. */
void reply_add_line(struct text *text, const char *line, bool has_body);

#endif
