/**
 * Long decimals made short: a text of any length becomes one of at most 24 characters that is the same double.
 *
 * Decimals of 17 digits lie closer together than doubles, and than the half-way points between them (IEEE 754-2019,
 * section 5.12.2). So there is at most one such point between the number's first 17 digits and the next such decimal,
 * and one of the two is the same double as the whole number. Which one is found by comparing doubles, made exactly:
 * the digits as a binary number, times or divided by ten as often as the point wants. Slow, and rarely needed: most
 * long texts have no more than 17 digits that count.
 */

import { clear } from "./bytes";
import { TEXT } from "./layout";
import { digitsEnd, firstDigits, isNegative, point, restAt, writeInteger } from "./numeral";

/** Places before the point of the largest double, and least place of the point that is not all zero. */
const PLACES: i32 = 309;
const POINT_LEAST: i32 = -323;
/** The digits that name a double, and those that may decide: the longest half-way point has 767. */
const PRECISION: i32 = 17;
const DIGITS: i32 = 800;

/**
 * A binary number in the text scratch, its lowest bits first: those from UNITS on are before the point. Behind the
 * least half-way point there is room for a bit that says that more was lost.
 */
const NUMBER: usize = TEXT;
const FRACTION_BITS: i64 = 1088;
const UNITS: usize = NUMBER + (FRACTION_BITS as usize) / 8;
const NUMBER_BYTES: usize = 480;
/** The bit of the least double. */
const LEAST_BIT: i64 = FRACTION_BITS - 1074;
const MANTISSA_BITS: i64 = 53;
const EXPONENT_MOST: u64 = 2046;
/** The number is divided by ten nine times at once: what is more would not fit 64 bits. */
const AT_ONCE: i32 = 9;
const DIVISOR: u64 = 1000000000;
/** Behind the number's highest bits. */
let top: usize = 0;

/** The shortened text. */
export const SHORTENED: usize = NUMBER + NUMBER_BYTES;

/** Multiplies the number, which is whole, by ten and adds a digit. */
function multiply(digit: u32): void {
  let carry = digit as u64;
  let at = UNITS;
  for (; at < top || carry != 0; at += 4) {
    carry += (load<u32>(at) as u64) * 10;
    store<u32>(at, carry as u32);
    carry >>= 32;
  }
  top = at;
}

/** Divides the number by ten as often as AT_ONCE. Its lowest bit is set, and stays so, where anything was lost. */
function divide(): void {
  let rest: u64 = 0;
  for (let at = top; at > NUMBER; ) {
    at -= 4;
    rest = (rest << 32) | (load<u32>(at) as u64);
    store<u32>(at, (rest / DIVISOR) as u32);
    rest %= DIVISOR;
  }
  lose(rest != 0);
}

/** Notes whether anything was lost below the number's lowest bit. */
function lose(any: bool): void {
  store<u8>(NUMBER, load<u8>(NUMBER) | (any ? 1 : 0));
}

/** The bits of the double nearest to the numeral of 17 digits, `value`, and those in [at, end); ties to even. */
function bitsOf(value: u64, at: usize, end: usize): u64 {
  clear(NUMBER, NUMBER_BYTES);
  store<u64>(UNITS, value);
  top = UNITS + 8;
  let digits = PRECISION;
  for (; at < end && digits < DIGITS; ++at) {
    const digit = (load<u8>(at) as u32) - 48;
    if (digit > 9) continue;
    multiply(digit);
    ++digits;
  }
  lose(at < end);
  // So many zeros behind that the division comes out even.
  for (; digits < point || (digits - point) % AT_ONCE != 0; ++digits) multiply(0);
  for (; digits > point; digits -= AT_ONCE) divide();
  while (load<u8>(top - 1) == 0) --top;
  // The highest 57 bits or more, and whether any is set behind them.
  const from = max(top - 8, NUMBER);
  let bits = load<u64>(from);
  for (at = NUMBER; at < from; ++at) if (load<u8>(at) != 0) bits |= 1;
  // So many bits of these are below the mantissa, which is below bits of the least double only where that is larger.
  const place = ((from - NUMBER) << 3) as i64;
  const below = max(64 - MANTISSA_BITS - (clz(bits) as i64), LEAST_BIT - place);
  const mantissa = bits >> below;
  const rest = bits - (mantissa << below);
  const half = (1 as u64) << (below - 1);
  return mantissa + (rest + (mantissa & 1) > half ? 1 : 0) + (((place + below - LEAST_BIT) as u64) << 52);
}

/**
 * Shortens the numeral that was read last, leaving its text at `SHORTENED`, with an LF behind it.
 * False: the nearest double is infinite.
 */
export function shorten(): bool {
  if (point > PLACES) return false;
  let value: u64 = 0;
  let exponent = 0;
  if (point >= POINT_LEAST) {
    value = firstDigits(PRECISION);
    let end = digitsEnd;
    // Zeros at the end, and the point before them.
    while (load<u8>(end - 1) <= 48) --end;
    if (restAt < end || point == PLACES) {
      const bits = bitsOf(value, restAt, end);
      if (bits >> 52 > EXPONENT_MOST) return false;
      if (bits != bitsOf(value, end, end)) ++value;
    }
    for (exponent = point - PRECISION; value % 10 == 0; ++exponent) value /= 10;
  }
  let to = SHORTENED;
  if (isNegative) store<u8>(to++, 45);
  to = writeInteger(to, value);
  if (exponent != 0) {
    store<u8>(to++, 101);
    if (exponent < 0) {
      store<u8>(to++, 45);
      exponent = -exponent;
    }
    to = writeInteger(to, exponent as u64);
  }
  store<u8>(to, 10);
  return true;
}
