/**
 * Values, kept as the text that was pushed: four bits a character, the first in the lowest bits.
 *
 *   0 to 9   the digit          11   e          13   -
 *   10       .                  12   +          14   a word follows: 0 NaN, 1 +Inf, 2 -Inf
 *                                               15   nothing: fills the last byte
 *
 * So the double that is scraped is the double that was pushed, by construction. A text of more than 24 characters is
 * first made shorter, to another text of the same double (decimal.ts).
 *
 * What a number is: strconv.ParseFloat of Go without its hexadecimal floats and underscores, as Prometheus reads
 * both formats. Results are left in the variables below until the next call.
 */

import { copy } from "./bytes";
import { PLACES, SHORTENED, shorten, shortenedEnd } from "./decimal";
import { VALUE_CHARS } from "./layout";
import { firstDigits, isNegative, isWhole, point, readNumeral, signBytes } from "./numeral";
import { ANY_CASE, INF, INFINITY, isWord, nth, VALUES, wordBytes } from "./word";

export { writeInteger } from "./numeral";

/** The packed value's characters 0 to 15 and 16 to 23. */
export let low: u64 = 0;
export let high: u32 = 0;
/** Bytes that the packed value takes, 1 to 12. */
export let packedBytes: u32 = 0;

/** A word follows; and the end of a text whose characters are odd. */
const WORD: u32 = 14;
const NOTHING: u32 = 15;
/** The characters, each at its number: 0 to 9 . e + - */
const CHARACTERS: usize = memory.data<u8>([48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 46, 101, 43, 45]);

/** The words that readWord knows: nan, inf, infinity in any case, the last two with a sign. */
function readWord(at: usize, end: usize): bool {
  let word: u32 = 0;
  if (!isWord(at, end, VALUES, ANY_CASE)) {
    word = load<u8>(at) == 45 ? 2 : 1;
    at += signBytes(at);
    if (!isWord(at, end, INF, ANY_CASE) && !isWord(at, end, INFINITY, ANY_CASE)) return false;
  }
  low = 0xffffffffffffff00 | ((word << 4) as u64) | (WORD as u64);
  high = -1;
  packedBytes = 1;
  return true;
}

/**
 * Reads the number that is all of [at, end) and leaves it packed in `low`, `high` and `packedBytes`.
 * False: Prometheus would refuse it; the variables are then undefined.
 */
export function readValue(at: usize, end: usize): bool {
  if (at >= end) return false;
  if (((load<u8>(end - 1) as u32) | 32) > 96) return readWord(at, end);
  if (!readNumeral(at, end)) return false;
  const isLong = end - at > (VALUE_CHARS as usize);
  if ((isLong || point >= PLACES) && !shorten()) return false;
  if (isLong) {
    at = SHORTENED;
    end = shortenedEnd;
  }
  packedBytes = ((end - at + 1) as u32) >> 1;
  low = -1;
  high = -1;
  while (end > at) {
    const byte = load<u8>(--end) as u32;
    let nibble = byte - 48;
    if (nibble > 9) for (nibble = 10; load<u8>(CHARACTERS + (nibble as usize)) != (byte | 32); ) ++nibble;
    high = (high << 4) | ((low >> 60) as u32);
    low = (low << 4) | (nibble as u64);
  }
  return true;
}

/**
 * The ordinary case: one to eight digits and an LF. Leaves them packed, and returns the address behind the LF, or 0
 * where the text is something else.
 */
export function readDigits(at: usize): usize {
  const text = load<u64>(at) ^ 0x3030303030303030;
  const other = (text | (text + 0x7676767676767676)) & 0x8080808080808080;
  const count: usize = other == 0 ? 8 : ((ctz(other) >> 3) as usize);
  if (count == 0 || load<u8>(at + count) != 10) return 0;
  let nibbles = text | (count == 8 ? 0 : (-1 as u64) << ((count << 3) as u64));
  nibbles &= 0x0f0f0f0f0f0f0f0f;
  nibbles = (nibbles | (nibbles >> 4)) & 0x00ff00ff00ff00ff;
  nibbles = (nibbles | (nibbles >> 8)) & 0x0000ffff0000ffff;
  low = nibbles | (nibbles >> 16) | 0xffffffff00000000;
  high = -1;
  packedBytes = ((count as u32) + 1) >> 1;
  return at + count + 1;
}

/** Makes a value that was packed before the packed one. */
export function setPacked(first: u64, second: u32, bytes: u32): void {
  low = first;
  high = second;
  packedBytes = bytes;
}

/** Stores the packed value in `count` bytes, at least `packedBytes`. */
export function storePacked(at: usize, count: u32): void {
  if (count <= 8) {
    if (count == 0) return;
    const keep: u64 = count == 8 ? 0 : (-1 as u64) << ((count << 3) as u64);
    store<u64>(at, (load<u64>(at) & keep) | (low & ~keep));
    return;
  }
  store<u64>(at, low);
  const rest = high;
  for (let i: u32 = 8; i < count; ++i) store<u8>(at + (i as usize), i < 12 ? rest >> ((i - 8) << 3) : 255);
}

/** Writes the text of the value kept in `count` bytes at `from`; returns the address behind it. */
export function writeValue(to: usize, from: usize, count: u32): usize {
  for (let i: u32 = 0; i < count << 1; ++i) {
    const pair = load<u8>(from + ((i >> 1) as usize)) as u32;
    const nibble = (pair >> ((i & 1) << 2)) & 15;
    if (nibble == NOTHING) break;
    if (nibble == WORD) {
      const word = nth(VALUES, pair >> 4);
      copy(to, word + 1, wordBytes(word));
      return to + wordBytes(word);
    }
    store<u8>(to++, load<u8>(CHARACTERS + (nibble as usize)));
  }
  return to;
}

/** The time stamp that readTimestamp read, in milliseconds. */
export let timestampMs: i64 = 0;

/** Decimal places before which a whole number is seconds, and what a time stamp may have. */
const SECONDS_PLACES: i32 = 11;
const STAMP_PLACES: i32 = 19;
const STAMP_LIMIT: u64 = 9000000000000000000;

/**
 * Reads the time stamp that is all of [at, end): an integer from 1e11 up is milliseconds (text 0.0.4), everything
 * else seconds (OpenMetrics, section "Timestamps"). False: it is none, or out of range.
 */
export function readTimestamp(at: usize, end: usize): bool {
  if (!readNumeral(at, end)) return false;
  let places = point;
  if (!isWhole || places <= SECONDS_PLACES) places += 3;
  if (places > STAMP_PLACES) return false;
  const value = firstDigits(places);
  timestampMs = isNegative ? -(value as i64) : (value as i64);
  return value < STAMP_LIMIT;
}
