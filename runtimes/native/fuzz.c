/*
 * Fuzzes what is parsed by hand: libFuzzer calls this with its bytes, under AddressSanitizer and UndefinedBehaviorSanitizer.
 * Each parser gets them in a block of exactly their size, so that one byte read too far is found, and must say the same
 * whether they come whole or cut in two.
 */
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "sniff.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) __builtin_trap();
}

/* A header is found at the same place however much of what follows is there, and never in less than it has. */
static void fuzz_header(const char *bytes, size_t size) {
  struct http_request request, again;
  ptrdiff_t length = http_parse(bytes, size, &request);
  require(length >= HTTP_BAD && length <= (ptrdiff_t)size);
  if (length <= 0) return;
  char *exact = malloc((size_t)length);
  memcpy(exact, bytes, (size_t)length);
  require(http_parse(exact, (size_t)length, &again) == length);
  require(http_parse(exact, (size_t)length - 1, &again) == HTTP_INCOMPLETE);
  free(exact);
  require(request.path >= bytes && request.path + request.path_length <= bytes + length);
  require(!request.is_chunked || request.content_length == 0);
  char type[128];
  struct text text = TEXT(type);
  accept_add_type(&request.accept, &text);
  require(text.length < sizeof type);
}

/* A chunked body ends at the same place when it comes in two parts. */
static void fuzz_chunks(const char *bytes, size_t size, size_t cut) {
  struct http_chunks whole = {0}, parts = {0};
  bool is_done, is_done_in_parts;
  ptrdiff_t taken = http_skip_chunks(&whole, bytes, size, &is_done);
  require(taken >= HTTP_BAD && taken <= (ptrdiff_t)size);
  require(taken == HTTP_BAD || is_done || taken == (ptrdiff_t)size);
  ptrdiff_t first = http_skip_chunks(&parts, bytes, cut, &is_done_in_parts);
  if (first == HTTP_BAD) {
    require(taken == HTTP_BAD);
    return;
  }
  ptrdiff_t second = is_done_in_parts ? 0 : http_skip_chunks(&parts, bytes + cut, size - cut, &is_done_in_parts);
  require(second == HTTP_BAD ? taken == HTTP_BAD : first + second == taken && is_done == is_done_in_parts);
  require(taken == HTTP_BAD || whole.total == parts.total);
}

/* What was decided about the first bytes stays so when more come. */
static void fuzz_sniff(const uint8_t *bytes, size_t size, size_t cut) {
  const uint8_t *method;
  size_t length;
  enum verdict whole = sniff(bytes, size, &method, &length);
  require(method >= bytes && method + length <= bytes + size);
  enum verdict part = sniff(bytes, cut, &method, &length);
  require(part == SNIFF_UNDECIDED || part == whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  size_t cut = data[0] * (size - 1) / 255;
  uint8_t *bytes = malloc(size - 1);
  memcpy(bytes, data + 1, size - 1);
  fuzz_header((char *)bytes, size - 1);
  fuzz_chunks((char *)bytes, size - 1, cut);
  fuzz_sniff(bytes, size - 1, cut);
  struct accept accept = {0};
  accept_add(&accept, (char *)bytes, size - 1);
  char line[512];
  struct text text = TEXT(line);
  text_add_quoted(&text, bytes, size - 1);
  text = TEXT(line);
  text_add_excerpt(&text, bytes, size - 1);
  free(bytes);
  return 0;
}
