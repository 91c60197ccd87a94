/**
 * Decimal numerals: a sign, digits with at most one point among them, and an exponent. Reading leaves the parts in the
 * variables below until the next one is read.
 */

/** The digits, perhaps with a point, from the first that is not zero; of zero, the last. */
let digitsAt: usize = 0;
export let digitsEnd: usize = 0;
/** The place of the point, counted from the first digit that is not zero: 0.05 has -1, 5 has 1, 5e3 has 4; 0: zero. */
export let point: i32 = 0;
export let isNegative: bool = false;
export let isZero: bool = true;
/** There is neither a point nor an exponent. */
export let isWhole: bool = false;

/** Exponents are as good as infinite long before they overflow. */
const EXPONENT_LIMIT: i32 = 100000;

/** Bytes of the sign at `at`: 1, or 0 where there is none. */
export function signBytes(at: usize): usize {
  const byte = load<u8>(at) as u32;
  return byte == 43 || byte == 45 ? 1 : 0;
}

/** Reads the numeral that is all of [at, end). False: it is none. */
export function readNumeral(at: usize, end: usize): bool {
  isNegative = load<u8>(at) == 45;
  isZero = true;
  digitsAt = 0;
  let dot: usize = 0;
  for (at += signBytes(at); at < end; ++at) {
    const byte = load<u8>(at) as u32;
    if (byte == 46 && dot == 0) dot = at;
    else {
      if (byte - 48 > 9) break;
      if (isZero) digitsAt = at;
      if (byte != 48) isZero = false;
    }
  }
  if (digitsAt == 0) return false;
  digitsEnd = at;
  isWhole = dot == 0;
  if (isWhole) dot = at;
  point = (dot - digitsAt) as i32;
  // The point itself stands between.
  if (point < 0) ++point;
  if (at != end && !readExponent(at, end)) return false;
  if (isZero) point = 0;
  return true;
}

/** Reads the exponent that is all of [at, end), and moves the point by it. */
function readExponent(at: usize, end: usize): bool {
  if (((load<u8>(at++) as u32) | 32) != 101) return false;
  isWhole = false;
  const isDown = load<u8>(at) == 45;
  at += signBytes(at);
  if (at >= end) return false;
  let exponent: i32 = 0;
  for (; at < end; ++at) {
    const digit = (load<u8>(at) as u32) - 48;
    if (digit > 9) return false;
    if (exponent < EXPONENT_LIMIT) exponent = exponent * 10 + (digit as i32);
  }
  point += isDown ? -exponent : exponent;
  return true;
}

/** Behind the digits that `firstDigits` read. */
export let restAt: usize = 0;

/** The first `count` digits of the numeral that was read last, with zeros behind them where it has fewer. */
export function firstDigits(count: i32): u64 {
  let value: u64 = 0;
  let at = digitsAt;
  for (; count > 0; ++at) {
    const digit: u32 = at < digitsEnd ? (load<u8>(at) as u32) - 48 : 0;
    if (digit > 9) continue;
    value = value * 10 + (digit as u64);
    --count;
  }
  restAt = at;
  return value;
}

/** Writes a whole number in decimal; returns the address behind it. */
export function writeInteger(to: usize, value: u64): usize {
  let end = to;
  for (let rest = value; rest >= 10; rest /= 10) ++end;
  for (let at = end; at >= to; --at) {
    store<u8>(at, 48 + ((value % 10) as u32));
    value /= 10;
  }
  return end + 1;
}
