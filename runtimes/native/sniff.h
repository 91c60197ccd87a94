/* Tells HTTP from metrics by the first bytes of a connection. */
#ifndef SNIFF_H
#define SNIFF_H

#include <stddef.h>
#include <stdint.h>

enum verdict { SNIFF_UNDECIDED, SNIFF_METRICS, SNIFF_HTTP };

/*
 * Looks at all bytes that a connection has sent so far. HTTP is certain after a known method, a space and what can only be
 * a target, and on a whole line `METHOD target HTTP/1.x` with any method. No valid line of metrics looks like either:
 * labels or a value follow the name there, and no value has a /, * or :. Undecided: more bytes could decide; a connection
 * that ends so is one of metrics.
 * method is set to where the method is, as far as there is one.
 */
enum verdict sniff(const uint8_t *bytes, size_t length, const uint8_t **method, size_t *method_length);

#endif
