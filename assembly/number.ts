/**
 * Values, kept as the text that was pushed: four bits a character, the first in the lowest bits.
 *
 *   0 to 9   the digit          12   e          10   a word follows: 0 NaN, 1 +Inf, 2 -Inf
 *   11       +                  13   -          15   nothing: fills the last byte
 *                               14   .
 *
 * So the double that is scraped is the double that was pushed, by construction. A text of more than 24 characters is
 * first made shorter, to another text of the same double (decimal.ts).
 *
 * What a number is: strconv.ParseFloat of Go without its hexadecimal floats and underscores, as Prometheus reads
 * both formats. Results are left in the variables below until the next call.
 */

import { SHORTENED, shorten } from "./decimal";
import { VALUE_CHARS } from "./layout";
import { firstDigits, isNegative, isWhole, point, readNumeral, signBytes } from "./numeral";
import { ANY_CASE, INF, INFINITY, isWord, nth, VALUES, wordBytes } from "./word";

export { writeInteger } from "./numeral";

/** The packed value's characters 0 to 15 and 16 to 23. */
export let low: u64 = 0;
export let high: u32 = 0;
/** Bytes that the packed value takes, 1 to 12. */
export let packedBytes: u32 = 0;
/** The address behind the number that was read last, however long it is; 0: it was none. */
let numberEnd: usize = 0;

/** A word follows; and the end of a text whose characters are odd. */
const WORD: u32 = 10;
const NOTHING: u32 = 15;
/** The characters, each at its number: 0 to 9, none, + e - . */
const CHARACTERS: usize = memory.data<u8>([48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 0, 43, 101, 45, 46]);

/** The words that readWord knows: nan, inf, infinity in any case, the last two with a sign. */
function readWord(at: usize, end: usize): bool {
  // Its number, in the upper half of the byte.
  let word: u64 = 0x00;
  if (!isWord(at, end, VALUES, ANY_CASE)) {
    word = load<u8>(at) == 45 ? 0x20 : 0x10;
    at += signBytes(at);
    if (!isWord(at, end, INF, ANY_CASE) && !isWord(at, end, INFINITY, ANY_CASE)) return false;
  }
  low = 0xffffffffffffff00 | word | (WORD as u64);
  high = -1;
  packedBytes = 1;
  return true;
}

/** How far a number has been read: nothing yet, its point, its e. Odd: no sign can follow. */
const START: u32 = 0;
const POINT: u32 = 3;
const EXPONENT: u32 = 4;
const VALUE_BITS: u64 = (VALUE_CHARS as u64) << 2;

/**
 * Reads the number at `at` and leaves it packed in `low`, `high` and `packedBytes`. Returns the address behind it. 0:
 * there is none, or it has more than 24 characters; or its exponent has more than two digits, so that it may overflow:
 * then it is packed all the same.
 */
export function readShort(at: usize): usize {
  let first: u64 = -1;
  let second: u64 = -1;
  // Where the characters go, the lower ones to `first`.
  let bits: u64 = 0;
  let firstMask: u64 = -1;
  let part = START;
  // Digits before the e, or behind it, and how many there may be.
  let seen: u64 = 0;
  let limit: u64 = VALUE_CHARS;
  let byte: u32 = 0;
  do {
    // Up to eight digits, the complement of each in four bits.
    const text = load<u64>(at) ^ 0x3030303030303030;
    const other = (text | (text + 0x7676767676767676)) & 0x8080808080808080;
    const count = ctz(other) >> 3;
    let digits = (text | (text >> 4)) & 0x00ff00ff00ff00ff;
    digits = (digits | (digits >> 8)) & 0x0000ffff0000ffff;
    let size = count << 2;
    digits = ~(digits | (digits >> 16) | ((-1 as u64) << size));
    seen += count;
    at += count as usize;
    numberEnd = at;
    // The character behind them: one more digit, one of the others, or what ends the number.
    byte = load<u8>(at);
    if (byte == 10 && bits == 0 && count != 0) {
      // Nothing but a few digits: the same in short.
      low = ~digits;
      high = -1;
      packedBytes = ((count + 1) >> 1) as u32;
      return at;
    }
    if (byte > 42 && byte - 48 > 9) {
      const before = part;
      if (byte == 46) part = POINT;
      else if (seen == 0) part |= byte == 43 || byte == 45 ? 1 : 0;
      else if ((byte | 32) == 101) {
        part = EXPONENT;
        limit = 2;
      }
      if (part <= before) {
        numberEnd = 0;
        return 0;
      }
      if (part == EXPONENT) seen = 0;
      // An e is the only letter.
      digits |= ((byte > 64 ? 3 : ~byte & 15) as u64) << size;
      size += 4;
      ++at;
    }
    digits = rotl(digits, bits);
    first ^= digits & firstMask;
    second ^= digits & ~firstMask;
    bits += size;
    firstMask <<= size;
  } while (byte > 42);
  low = first;
  high = second as u32;
  packedBytes = ((bits + 4) >> 3) as u32;
  if (seen == 0) numberEnd = 0;
  return seen - 1 < limit && bits <= VALUE_BITS ? at : 0;
}

/**
 * Reads the number or word that is all of [at, end), behind which no digit is, and leaves it packed as readShort does.
 * False: Prometheus would refuse it; the variables are then undefined.
 */
export function readValue(at: usize, end: usize): bool {
  if (readShort(at) == end || readWord(at, end)) return true;
  if (numberEnd != end) return false;
  readNumeral(at, end);
  if (!shorten()) return false;
  if (end - at > (VALUE_CHARS as usize)) readShort(SHORTENED);
  return true;
}

/** Makes a value that was packed before the packed one. */
export function setPacked(first: u64, second: u32, bytes: u32): void {
  low = first;
  high = second;
  packedBytes = bytes;
}

/** Stores the packed value in `count` bytes, 1 to 12 and at least `packedBytes`. */
export function storePacked(at: usize, count: u32): void {
  let value = low;
  if (count > 8) {
    store<u64>(at, value);
    value = high as u64;
    at += 8;
    count -= 8;
  }
  const keep = (-256 as u64) << (((count - 1) << 3) as u64);
  store<u64>(at, value ^ ((value ^ load<u64>(at)) & keep));
}

/** Writes the text of the value kept in `count` bytes at `from`; returns the address behind it. */
export function writeValue(to: usize, from: usize, count: u32): usize {
  let i: u32 = 0;
  do {
    const pair = load<u8>(from + ((i >> 1) as usize)) as u32;
    const nibble = (pair >> ((i & 1) << 2)) & 15;
    if (nibble == NOTHING) return to;
    if (nibble == WORD) {
      const word = nth(VALUES, pair >> 4);
      store<u32>(to, load<u32>(word + 1));
      return to + wordBytes(word);
    }
    store<u8>(to++, load<u8>(CHARACTERS + (nibble as usize)));
  } while (++i < count << 1);
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
  readShort(at);
  if (numberEnd != end) return false;
  readNumeral(at, end);
  let places = point;
  if (!isWhole || places <= SECONDS_PLACES) places += 3;
  if (places > STAMP_PLACES) return false;
  const value = firstDigits(places);
  timestampMs = isNegative ? -(value as i64) : (value as i64);
  return value < STAMP_LIMIT;
}
