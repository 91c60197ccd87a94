/* Text in a buffer of fixed size. What does not fit is cut; nothing fails. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
  char *bytes;
  size_t length;
  size_t limit;
};

/* A text over an array. */
#define TEXT(array) ((struct text){.bytes = (array), .limit = sizeof(array)})

/* Appends a string. */
void text_add(struct text *text, const char *string);

/* Appends bytes as they are. */
void text_add_bytes(struct text *text, const void *bytes, size_t length);

/* Appends a whole number in decimal, or in hexadecimal. */
void text_add_number(struct text *text, uint64_t number);
void text_add_hex(struct text *text, uint64_t number);

/* Appends a whole number in decimal, with zeros before it up to a width. */
void text_add_padded(struct text *text, uint64_t number, int width);

/* Appends bytes as a JSON string with its quotes (RFC 8259, 7). What is not UTF-8 becomes U+FFFD. */
void text_add_quoted(struct text *text, const void *bytes, size_t length);

/* Appends what a user wrote as a JSON string, cut to a readable length. */
void text_add_cited(struct text *text, const char *string);

/* Appends bytes that came from outside, on one line and without control or format characters: 80 of them at most. */
void text_add_excerpt(struct text *text, const void *bytes, size_t length);

/* Appends a size so that it can be read back: 10KiB, 1MiB, 1000B. */
void text_add_size(struct text *text, uint64_t bytes);

/* Appends a duration in milliseconds so that it can be read back: 1m, 1h30m, never for 0. */
void text_add_duration(struct text *text, uint64_t ms);

/* Ends the text with a NUL, over its last byte if it is full. Returns its bytes. */
char *text_end(struct text *text);

/* The whole number that a string is; -1 if it is none, or null, or has more than 15 digits. */
int64_t text_whole(const char *string);

/* Whether two runs of bytes are the same but for the case of ASCII letters. */
bool same_word(const char *bytes, size_t length, const char *word);

#endif
