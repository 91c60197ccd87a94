/* The parts of HTTP/1.1 (RFC 9112) that a server of pages needs, as functions over bytes: no state but what is passed. */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept.h"

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_CONNECT, HTTP_OTHER };

/* The header of a request. What it points to is in the bytes that were parsed. */
struct http_request {
  enum http_method method;
  /* The path of the target, without scheme, host and query. */
  const char *path;
  size_t path_length;
  bool has_host;
  /* HTTP/1.1, else 1.0. */
  bool is_1_1;
  bool keep_alive;
  bool expects_continue;
  bool is_chunked;
  /* Bytes of the body, if it is not chunked. */
  uint64_t content_length;
  /* What the Accept fields ask for. */
  struct accept accept;
};

enum { HTTP_BAD = -1, HTTP_INCOMPLETE = 0 };

/*
 * Parses the header of a request: its line, its fields, and the empty line, each ended by CRLF. Empty lines before it are
 * skipped. Strict, so that nothing has two readings: no folded fields, no white space before a colon, one length only.
 * Returns how many bytes the header has, HTTP_INCOMPLETE if more are needed, HTTP_BAD if no more can help.
 */
ptrdiff_t http_parse(const char *bytes, size_t length, struct http_request *request);

/* Where a chunked body is (RFC 9112, 7.1). Zero at first. */
struct http_chunks {
  uint8_t state;
  /* Digits of the size, or bytes of its extension or the trailer, that were read. */
  uint16_t count;
  uint64_t left;
  /* Bytes of content so far. */
  uint64_t total;
};

/*
 * Takes bytes of a chunked body and drops its content. is_done is set when it is complete.
 * Returns how many bytes were taken: all of them, if it is not done; HTTP_BAD if they are no such body.
 */
ptrdiff_t http_skip_chunks(struct http_chunks *chunks, const char *bytes, size_t length, bool *is_done);

#endif
