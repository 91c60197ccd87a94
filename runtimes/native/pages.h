/* Pages under way: a place for each that the module can have open, with a batch of what it rendered. */
#ifndef PAGES_H
#define PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

/* What may stand before a batch: a response's head and a chunk's. */
enum { PAGE_HEAD_BYTES = 384 };

struct page;

/* Reserves zeroed memory that is never given back, or fails in the name of the option that asks for it. */
void *pages_reserve(size_t bytes, const char *option);

/* Reserves all batches. The cache is open by then. */
void pages_open(void);

/* Begins a page, with flags of renderOpen. NULL: all places are taken. */
struct page *page_begin(uint32_t flags);

/* Renders the next batch. Returns its length. */
uint32_t page_render(struct page *page);

/* Whether the batch rendered last was the last one. */
bool page_is_rendered(const struct page *page);

/* Sends all batches of the page as chunks. */
void page_chunk(struct page *page);

/* Puts a head before the batch, and where it is a chunk, that chunk's ends around it. Returns all of it; `count` bytes. */
const uint8_t *page_frame(struct page *page, struct text *head, uint32_t length, size_t *count);

/* Ends the page, rendered or not, and gives back its place. */
void page_end(struct page *page);

#endif
