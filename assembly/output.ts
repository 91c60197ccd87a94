/**
 * The output window, and the format of what is written to it. What does not fit is not written: then the next byte's
 * place is LIMIT or above, and stays there until it is set back. So nobody asks before writing, but once behind it.
 */

import { OUTPUT, OUTPUT_BYTES } from "./layout";
import { writeValue } from "./number";
import { writeInteger } from "./numeral";
import { wordBytes } from "./word";

/** Flags of a page (docs/ABI.md). */
const OPENMETRICS: u32 = 1;
const ALLOW_UTF8: u32 = 2;

/** The page is OpenMetrics, else text 0.0.4. Not 0: names are written raw, else in the escaping. */
export let open: bool = false;
export let raw: u32 = 0;

/** Where the next byte goes. */
export let to: usize = 0;
/** Texts and bytes end before it; two numbers and what is between them may go beyond, texts are copied in words. */
const LIMIT: usize = OUTPUT + OUTPUT_BYTES - 64;

/** Begins a piece of a page with these flags. */
export function begin(flags: u32): void {
  to = OUTPUT;
  open = (flags & OPENMETRICS) != 0;
  raw = flags & ALLOW_UTF8;
}

/** Makes `at` the place of the next byte. */
export function seek(at: usize): void {
  to = at;
}

/** Whether all that was written from `start` on has fitted; if not, it is taken back. */
export function fitted(start: usize): bool {
  if (to < LIMIT) return true;
  to = start;
  return false;
}

/** Writes a byte. */
export function put(byte: u32): void {
  store<u8>(to, byte);
  to += to < LIMIT ? 1 : 0;
}

/** Writes a text, in words: up to eight bytes behind it are overwritten. */
export function putText(at: usize, bytes: usize): void {
  let next = to;
  const end = min(next + bytes, LIMIT);
  do {
    store<u64>(next, load<u64>(at));
    at += 8;
    next += 8;
  } while (next < end);
  to = end;
}

/** Writes a word of word.ts. */
export function putWord(word: usize): void {
  putText(word + 1, wordBytes(word));
}

/** Writes a whole number in decimal. */
export function putInteger(value: u64): void {
  to = writeInteger(to, value);
}

/** Writes the value kept in `length` bytes at `at`. */
export function putValue(at: usize, length: u32): void {
  to = writeValue(to, at, length);
}

/** Writes the begin of a line of metadata, or `# EOF`. */
export function putKeyword(word: usize): void {
  put(35);
  put(32);
  putWord(word);
}
