#include "pages.h"

#include <string.h>
#include <sys/mman.h>

#include "core.h"
#include "log.h"
#include "loop.h"

/* A batch ends with the piece that reaches this size: it is what is held for a scraper that does not read. */
enum { BATCH_BYTES = 65536 };
/* Behind a batch: the chunk's end and the last chunk. */
enum { END_BYTES = 8 };

struct page {
  bool is_taken, is_chunked;
  /* Of the module; -1: all of the page is rendered. */
  int32_t handle;
};

static struct page pages[CORE_RENDERS];
static uint8_t *batches;
static size_t place_bytes;

void *pages_reserve(size_t bytes, const char *option) {
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail(STATUS_FAILURE, option, ": there is no memory for so many", NULL);
  return memory;
}

void pages_open(void) {
  place_bytes = PAGE_HEAD_BYTES + BATCH_BYTES + core.output_bytes + END_BYTES;
  batches = pages_reserve(CORE_RENDERS * place_bytes, "--max-scrapes");
}

static uint8_t *batch_of(const struct page *page) {
  return batches + (size_t)(page - pages) * place_bytes + PAGE_HEAD_BYTES;
}

struct page *page_begin(uint32_t flags) {
  for (struct page *page = pages; page < pages + CORE_RENDERS; page++) {
    if (page->is_taken) continue;
    *page = (struct page){.is_taken = true, .handle = core_render_open(flags, loop_now_ms)};
    return page;
  }
  return NULL;
}

uint32_t page_render(struct page *page) {
  uint8_t *batch = batch_of(page);
  uint32_t length = 0;
  while (length < BATCH_BYTES) {
    uint32_t piece = core_render_next(page->handle, loop_now_ms);
    if (piece == 0) {
      page->handle = -1;
      break;
    }
    memcpy(batch + length, core.output, piece);
    length += piece;
  }
  return length;
}

bool page_is_rendered(const struct page *page) { return page->handle < 0; }

void page_chunk(struct page *page) { page->is_chunked = true; }

const uint8_t *page_frame(struct page *page, struct text *head, uint32_t length, size_t *count) {
  uint8_t *batch = batch_of(page);
  struct text end = {.bytes = (char *)batch + length, .limit = END_BYTES};
  if (page->is_chunked) {
    if (length > 0) {
      text_add_hex(head, length);
      text_add(head, "\r\n");
      text_add(&end, "\r\n");
    }
    if (page_is_rendered(page)) text_add(&end, "0\r\n\r\n");
  }
  memcpy(batch - head->length, head->bytes, head->length);
  *count = head->length + length + end.length;
  return batch - head->length;
}

void page_end(struct page *page) {
  if (!page_is_rendered(page)) core_render_close(page->handle);
  page->is_taken = false;
}
