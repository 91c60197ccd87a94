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

import { Shortened, shorten, shortenedBytes } from "./decimal";
import { VALUE_CHARS } from "./layout";

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

/** 2^1024 - 2^970, from where on a decimal rounds to infinity: its first 24 of 309 digits. */
const OVERFLOW: usize = memory.data<u8>([
  49, 55, 57, 55, 54, 57, 51, 49, 51, 52, 56, 54, 50, 51, 49, 53, 56, 48, 55, 57, 51, 55, 50, 56,
]);
const OVERFLOW_DIGITS: u32 = 24;

function pack(index: u32, nibble: u32): void {
  if (index < 16) low ^= ((nibble ^ 15) as u64) << ((index << 2) as u64);
  else high ^= (nibble ^ 15) << ((index - 16) << 2);
}

function packWord(word: u32): void {
  low = 0xffffffffffffff00 | ((word << 4) as u64) | (WORD as u64);
  high = 0xffffffff;
  packedBytes = 1;
}

/** Lower case of the ASCII letter at `at`. */
function letter(at: usize): u32 {
  return (load<u8>(at) as u32) | 32;
}

/** nan, inf, infinity in any case, the last two with a sign. */
function word(at: usize, end: usize): bool {
  const first = load<u8>(at) as u32;
  const signed = first == 43 || first == 45;
  if (signed) ++at;
  const count = end - at;
  if (!signed && count == 3 && letter(at) == 110 && letter(at + 1) == 97 && letter(at + 2) == 110) {
    packWord(0);
    return true;
  }
  if (count != 3 && count != 8) return false;
  if (letter(at) != 105 || letter(at + 1) != 110 || letter(at + 2) != 102) return false;
  // "inity", the rest of the longer word.
  if (count == 8) {
    if (letter(at + 3) != 105 || letter(at + 4) != 110 || letter(at + 5) != 105) return false;
    if (letter(at + 6) != 116 || letter(at + 7) != 121) return false;
  }
  packWord(first == 45 ? 2 : 1);
  return true;
}

/** Whether the digits from `at` on, points left out, zeros added, are OVERFLOW or more. */
function overflows(at: usize, end: usize): bool {
  let index: u32 = 0;
  let started = false;
  while (index < OVERFLOW_DIGITS) {
    let digit: u32 = 48;
    if (at < end) {
      digit = load<u8>(at++);
      if (digit == 46) continue;
      if ((digit | 32) == 101) {
        end = at;
        digit = 48;
      }
    }
    if (!started && digit == 48) continue;
    started = true;
    const bound = load<u8>(OVERFLOW + (index as usize)) as u32;
    if (digit != bound) return digit > bound;
    ++index;
  }
  return true;
}

/** Reads and packs the decimal in [at, end). False: it is none, or too large for a double. */
function decimal(at: usize, end: usize): bool {
  const start = at;
  let byte = load<u8>(at) as u32;
  if (byte == 43 || byte == 45) ++at;
  const mantissa = at;
  let digits: u32 = 0;
  // The place of the first digit that is not zero, counted from the point: 0.05 has -1, 5 has 1.
  let place: i32 = 0;
  let point = false;
  let zero = true;
  while (at < end) {
    byte = load<u8>(at);
    if (byte - 48 < 10) {
      ++digits;
      if (zero && byte != 48) zero = false;
      if (point) {
        if (zero) --place;
      } else if (!zero) ++place;
    } else if (byte == 46 && !point) point = true;
    else break;
    ++at;
  }
  if (digits == 0) return false;
  let exponent: i32 = 0;
  const hasExponent = at < end;
  if (hasExponent) {
    if ((byte | 32) != 101) return false;
    ++at;
    const sign = at < end ? (load<u8>(at) as u32) : 0;
    if (sign == 43 || sign == 45) ++at;
    if (at == end) return false;
    for (; at < end; ++at) {
      byte = (load<u8>(at) as u32) - 48;
      if (byte > 9) return false;
      if (exponent < 100000) exponent = exponent * 10 + (byte as i32);
    }
    if (sign == 45) exponent = -exponent;
  }
  if (!zero) {
    if (place + exponent > 309) return false;
    if (end - start <= (VALUE_CHARS as usize) && place + exponent == 309 && overflows(mantissa, end)) return false;
  }
  if (end - start > (VALUE_CHARS as usize)) {
    if (!shorten(start, end)) return false;
    packText(Shortened, Shortened + shortenedBytes);
  } else packText(start, end);
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
  if (letter(end - 1) > 96 || letter(at) > 96) return word(at, end);
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
      const name = pair >> 4;
      // "NaN", "+Inf", "-Inf"
      if (name == 0) {
        store<u32>(to, 0x004e614e);
        return to + 3;
      }
      store<u32>(to, name == 1 ? 0x666e492b : 0x666e492d);
      return to + 4;
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

/** Writes a whole number in decimal; returns the address behind it. */
export function writeInteger(to: usize, value: u64): usize {
  let digits: usize = 1;
  for (let rest = value; rest >= 10; rest /= 10) ++digits;
  const end = to + digits;
  let at = end;
  do {
    store<u8>(--at, 48 + ((value % 10) as u32));
    value /= 10;
  } while (value != 0);
  return end;
}

/** The time stamp that readTimestamp read, in milliseconds. */
export let timestampMs: i64 = 0;

/**
 * Reads the time stamp that is all of [at, end): an integer from 1e11 up is milliseconds (text 0.0.4), everything
 * else seconds (OpenMetrics, section "Timestamps"). False: it is none, or out of range.
 */
export function readTimestamp(at: usize, end: usize): bool {
  const negative = at < end && load<u8>(at) == 45;
  if (at < end && (negative || load<u8>(at) == 43)) ++at;
  let value: u64 = 0;
  let digits: u32 = 0;
  let shift: i32 = 0;
  let point = false;
  let byte: u32 = 0;
  for (; at < end; ++at) {
    byte = load<u8>(at);
    if (byte - 48 < 10) {
      ++digits;
      if (value < 100000000000000000) {
        value = value * 10 + ((byte - 48) as u64);
        if (point) --shift;
      } else if (!point) ++shift;
    } else if (byte == 46 && !point) point = true;
    else break;
  }
  if (digits == 0) return false;
  const integer = !point && at == end;
  if (at < end) {
    if ((byte | 32) != 101 || ++at == end) return false;
    const sign = load<u8>(at) as u32;
    if (sign == 43 || sign == 45) ++at;
    if (at == end) return false;
    let exponent: i32 = 0;
    for (; at < end; ++at) {
      byte = (load<u8>(at) as u32) - 48;
      if (byte > 9) return false;
      if (exponent < 1000) exponent = exponent * 10 + (byte as i32);
    }
    shift += sign == 45 ? -exponent : exponent;
  }
  if (!integer || shift != 0 || value < 100000000000) shift += 3;
  for (; shift > 0 && value != 0; --shift) {
    if (value >= 900000000000000000) return false;
    value *= 10;
  }
  for (; shift < 0 && value != 0; ++shift) value /= 10;
  timestampMs = negative ? -(value as i64) : (value as i64);
  return true;
}
