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
import { SHORTENED, shorten, shortenedEnd } from "./decimal";
import { VALUE_CHARS } from "./layout";
import { digitsAt, digitsEnd, isNegative, isWhole, isZero, point, readNumeral, signAt } from "./numeral";
import { ANY_CASE, INF, INFINITY, isWord, nth, VALUES, wordBytes } from "./word";

export { writeInteger } from "./numeral";

/** The packed value's characters 0 to 15 and 16 to 23. */
export let low: u64 = 0;
export let high: u32 = 0;
/** Bytes that the packed value takes, 1 to 12. */
export let packedBytes: u32 = 0;

const DOT: u32 = 10;
const EXPONENT: u32 = 11;
const PLUS: u32 = 12;
const MINUS: u32 = 13;
const WORD: u32 = 14;

/** Places before the point of the largest double. */
const PLACES: i32 = 309;

function pack(index: u32, nibble: u32): void {
  if (index < 16) low ^= ((nibble ^ 15) as u64) << ((index << 2) as u64);
  else high ^= (nibble ^ 15) << ((index - 16) << 2);
}

function packWord(word: u32): void {
  low = 0xffffffffffffff00 | ((word << 4) as u64) | (WORD as u64);
  high = 0xffffffff;
  packedBytes = 1;
}

/** Whether the byte at `at` is a letter or what else is as high. */
function isHigh(at: usize): bool {
  return ((load<u8>(at) as u32) | 32) > 96;
}

/** nan, inf, infinity in any case, the last two with a sign. */
function word(at: usize, end: usize): bool {
  if (isWord(at, end, VALUES, ANY_CASE)) {
    packWord(0);
    return true;
  }
  const sign = signAt(at, end);
  if (sign != 0) ++at;
  packWord(sign == 45 ? 2 : 1);
  return isWord(at, end, INF, ANY_CASE) || isWord(at, end, INFINITY, ANY_CASE);
}

/** Reads and packs the decimal in [at, end). False: it is none, or too large for a double. */
function decimal(at: usize, end: usize): bool {
  if (!readNumeral(at, end)) return false;
  if (!isZero && point > PLACES) return false;
  const isLong = end - at > (VALUE_CHARS as usize);
  if ((isLong || (!isZero && point == PLACES)) && !shorten()) return false;
  if (isLong) packText(SHORTENED, shortenedEnd);
  else packText(at, end);
  return true;
}

/** Packs a text of at most 24 characters that is known to be a number. */
function packText(at: usize, end: usize): void {
  low = -1;
  high = -1;
  const count = (end - at) as u32;
  for (let i: u32 = 0; i < count; ++i) {
    const byte = load<u8>(at + (i as usize)) as u32;
    if (byte - 48 < 10) pack(i, byte - 48);
    else if (byte == 46) pack(i, DOT);
    else if (byte == 43) pack(i, PLUS);
    else if (byte == 45) pack(i, MINUS);
    else pack(i, EXPONENT);
  }
  packedBytes = (count + 1) >> 1;
}

/**
 * Reads the number that is all of [at, end) and leaves it packed in `low`, `high` and `packedBytes`.
 * False: Prometheus would refuse it; the variables are then undefined.
 */
export function readValue(at: usize, end: usize): bool {
  if (at >= end) return false;
  if (isHigh(end - 1) || isHigh(at)) return word(at, end);
  return decimal(at, end);
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
  for (let i: u32 = 0; i < count; ++i) {
    const pair = load<u8>(from + (i as usize)) as u32;
    const first = pair & 15;
    if (first == 15) break;
    if (first == WORD) {
      const name = nth(VALUES, pair >> 4);
      copy(to, name + 1, wordBytes(name));
      return to + wordBytes(name);
    }
    store<u8>(to++, character(first));
    const second = pair >> 4;
    if (second == 15) break;
    store<u8>(to++, character(second));
  }
  return to;
}

function character(nibble: u32): u32 {
  if (nibble < 10) return 48 + nibble;
  return nibble == EXPONENT ? 101 : nibble == DOT ? 46 : nibble == PLUS ? 43 : 45;
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
  let places = isZero ? 0 : point;
  if (!isWhole || places <= SECONDS_PLACES) places += 3;
  if (places > STAMP_PLACES) return false;
  const value = firstDigits(places);
  timestampMs = isNegative ? -(value as i64) : (value as i64);
  return value < STAMP_LIMIT;
}

/** The first `count` digits of the numeral that was read last, from the one on that is not zero. */
function firstDigits(count: i32): u64 {
  let value: u64 = 0;
  for (let at = digitsAt; count > 0; ++at) {
    const digit: u32 = at < digitsEnd ? (load<u8>(at) as u32) - 48 : 0;
    if (digit > 9 || (value == 0 && digit == 0 && at < digitsEnd)) continue;
    value = value * 10 + (digit as u64);
    --count;
  }
  return value;
}
