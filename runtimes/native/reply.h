/* What every response says: its status line, and the fields that none is without. */
#ifndef REPLY_H
#define REPLY_H

#include <stdint.h>

#include "text.h"

/* The reason phrase of a status (RFC 9110, section 15). */
const char *reply_reason(uint16_t status);

/* Appends a response's head up to the type of its content. `keep_alive_s` is -1 where the connection ends behind it. */
void reply_add_head(struct text *text, uint16_t status, int64_t keep_alive_s);

#endif
