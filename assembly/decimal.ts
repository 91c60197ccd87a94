/**
 * Long decimals made short: a text of any length becomes one of at most 24 characters that is the same double.
 *
 * The decimal is written out with all its digits, and multiplied by the power of two that leaves the 53 bits of the
 * nearest double before the point (ties to even); those bits are written out in the same way. 17 digits of that,
 * correctly rounded, are enough to name a double (IEEE 754-2019, section 5.12.2). Slow, and rarely needed: most long
 * texts have no more than 17 digits that count.
 */

import { clear } from "./bytes";
import { TEXT, TEXT_BYTES } from "./layout";
import { digitsAt, digitsEnd, isNegative, isZero, point, writeInteger } from "./numeral";

/**
 * A digit a byte, in the text scratch: those from UNITS on are behind the point. The longest exact half-way point has
 * 1,075 of these; the last digit is not zero where any behind it was not.
 */
const DIGITS: usize = TEXT;
const UNITS: usize = DIGITS + 320;
const END: usize = UNITS + 1088;
/** The digits that name a double; as many behind the last one are zero. */
const PRECISION: usize = 17;
/** The shortened text. */
export const SHORTENED: usize = TEXT + 2048;
export let shortenedEnd: usize = 0;
if (END + 32 > SHORTENED || (2048 as usize) + 64 > TEXT_BYTES) ERROR("the decimal does not fit the text scratch");

/** Below this place of the point, all is zero. */
const POINT_LEAST: i32 = -400;
/** Largest exponent of a double whose mantissa is a whole number, and the least. */
const EXPONENT_MOST: i32 = 971;
const EXPONENT_LEAST: i32 = -1074;
const MANTISSA_BITS: u64 = 53;

/** All digits outside of [first, last) are zero; neither its first nor its last digit is. */
let first: usize = 0;
let last: usize = 0;

function clearDigits(): void {
  clear(DIGITS, END + PRECISION + 8 - DIGITS);
}

function trim(): void {
  while (first < last && load<u8>(last - 1) == 0) --last;
  while (first < last && load<u8>(first) == 0) ++first;
}

/** Something was lost behind the last digit. */
function stick(): void {
  store<u8>(END - 1, load<u8>(END - 1) | 1);
}

/** Writes out the numeral that was read last. */
function writeOut(): void {
  clearDigits();
  let to = UNITS - (point as usize);
  first = to;
  for (let at = digitsAt; at < digitsEnd; ++at) {
    const digit = (load<u8>(at) as u32) - 48;
    if (digit > 9 || (to == first && digit == 0)) continue;
    if (to < END) store<u8>(to++, digit);
    else if (digit != 0) stick();
  }
  last = to;
  trim();
}

/** Multiplies by two to the power of `bits`, at most 56. */
function multiply(bits: u64): void {
  let carry: u64 = 0;
  let at = last;
  while (at > first || carry != 0) {
    carry += (load<u8>(--at) as u64) << bits;
    store<u8>(at, carry % 10);
    carry /= 10;
  }
  first = at;
}

/** Divides by two to the power of `bits`, at most 56. */
function divide(bits: u64): void {
  let rest: u64 = 0;
  let at = first;
  for (; at < END && (at < last || rest != 0); ++at) {
    rest = rest * 10 + (load<u8>(at) as u64);
    store<u8>(at, rest >> bits);
    rest &= ((1 as u64) << bits) - 1;
  }
  if (rest != 0) stick();
  last = at;
}

/** Multiplies by two to the power of `bits`, which may be negative. */
function shift(bits: i32): void {
  for (let left = abs(bits); left > 0; left -= 56) {
    const step = min(left, 56) as u64;
    if (bits > 0) multiply(step);
    else divide(step);
    trim();
  }
}

/** What is before the point; where it has more than 60 bits, some of it that has as many. */
function whole(): u64 {
  let value: u64 = 0;
  for (let at = first; at < UNITS && value >> 60 == 0; ++at) value = value * 10 + (load<u8>(at) as u64);
  return value;
}

/** What is before the point, rounded to even. */
function rounded(): u64 {
  const value = whole();
  const next = load<u8>(UNITS) as u32;
  return value + ((next > 5 || (next == 5 && ((value & 1) == 1 || last > UNITS + 1)) ? 1 : 0) as u64);
}

/** Makes the decimal the exact value of the double nearest to it. False: that is infinite. */
function toDouble(): bool {
  // 217705 / 65536 is the binary logarithm of ten; one bit too many is taken for what it lacks.
  let exponent = max((((point - 1) * 217705) >> 16) - (MANTISSA_BITS as i32), EXPONENT_LEAST);
  shift(-exponent);
  for (; whole() >> MANTISSA_BITS != 0; ++exponent) shift(-1);
  let mantissa = rounded();
  if (exponent + ((mantissa >> MANTISSA_BITS) as i32) > EXPONENT_MOST) return false;
  clearDigits();
  first = UNITS;
  last = UNITS;
  for (; mantissa != 0; mantissa /= 10) store<u8>(--first, mantissa % 10);
  trim();
  shift(exponent);
  return true;
}

/**
 * Shortens the numeral that was read last, leaving its text from `SHORTENED` to `shortenedEnd`.
 * False: the nearest double is infinite.
 */
export function shorten(): bool {
  let to = SHORTENED;
  if (isNegative) store<u8>(to++, 45);
  shortenedEnd = to + 1;
  store<u8>(to, 48);
  if (isZero || point < POINT_LEAST) return true;
  writeOut();
  if ((last - first > PRECISION || point > 308) && !toDouble()) return false;
  if (first != last) shortenedEnd = writeDigits(to);
  return true;
}

/** Writes 17 digits from `first` on, rounded half up: no double lies so close to a half that it would matter. */
function writeDigits(to: usize): usize {
  let value: u64 = 0;
  for (let at = first; at < first + PRECISION; ++at) value = value * 10 + (load<u8>(at) as u64);
  if (load<u8>(first + PRECISION) >= 5) ++value;
  let exponent = ((UNITS - first) as i32) - 1;
  if (value == 100000000000000000) ++exponent;
  while (value % 10 == 0) value /= 10;
  const end = writeInteger(to + 1, value);
  store<u8>(to, load<u8>(to, 1));
  store<u8>(to, 46, 1);
  return writeExponent(end == to + 2 ? to + 1 : end, exponent);
}

function writeExponent(to: usize, exponent: i32): usize {
  if (exponent == 0) return to;
  store<u8>(to++, 101);
  if (exponent < 0) store<u8>(to++, 45);
  return writeInteger(to, abs(exponent) as u64);
}
