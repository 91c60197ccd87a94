/**
 * Decimal numerals: a sign, digits with at most one point among them, and an exponent. Reading leaves the parts in the
 * variables below until the next one is read.
 */

/** The digits, perhaps with a point. */
export let digitsAt: usize = 0;
export let digitsEnd: usize = 0;
/** The place of the point, counted from the first digit that is not zero: 0.05 has -1, 5 has 1, 5e3 has 4; 0: zero. */
export let point: i32 = 0;
export let isNegative: bool = false;
export let isZero: bool = true;
/** There is neither a point nor an exponent. */
export let isWhole: bool = false;

/** Exponents are as good as infinite long before they overflow. */
const EXPONENT_LIMIT: i32 = 100000;

/** The sign at `at`, 0: there is none. */
export function signAt(at: usize): u32 {
  const byte = load<u8>(at) as u32;
  return byte == 43 || byte == 45 ? byte : 0;
}

/** Reads the numeral that is all of [at, end). False: it is none. */
export function readNumeral(at: usize, end: usize): bool {
  let sign = signAt(at);
  isNegative = sign == 45;
  isZero = true;
  isWhole = true;
  if (sign != 0) ++at;
  digitsAt = at;
  let places: i32 = 0;
  let digits: u32 = 0;
  for (; at < end; ++at) {
    const byte = load<u8>(at) as u32;
    if (byte == 46 && isWhole) isWhole = false;
    else {
      if (byte - 48 > 9) break;
      ++digits;
      if (byte != 48) isZero = false;
      if (isZero != isWhole) places += isWhole ? 1 : -1;
    }
  }
  digitsEnd = at;
  if (digits == 0) return false;
  let exponent: i32 = 0;
  if (at != end) {
    if (((load<u8>(at++) as u32) | 32) != 101) return false;
    isWhole = false;
    sign = signAt(at);
    if (sign != 0) ++at;
    const start = at;
    for (; at < end; ++at) {
      const digit = (load<u8>(at) as u32) - 48;
      if (digit > 9) return false;
      if (exponent < EXPONENT_LIMIT) exponent = exponent * 10 + (digit as i32);
    }
    if (start >= end) return false;
    if (sign == 45) exponent = -exponent;
  }
  point = isZero ? 0 : places + exponent;
  return true;
}

/** Behind the digits that `firstDigits` read. */
export let restAt: usize = 0;

/** The first `count` digits of the numeral that was read last, from the one on that is not zero. */
export function firstDigits(count: i32): u64 {
  let value: u64 = 0;
  let at = digitsAt;
  for (; count > 0; ++at) {
    const digit: u32 = at < digitsEnd ? (load<u8>(at) as u32) - 48 : 0;
    if (digit > 9 || (value == 0 && digit == 0 && at < digitsEnd)) continue;
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
