/**
 * Decimal numerals: a sign, digits with at most one point among them, and an exponent. Reading leaves the parts in the
 * variables below until the next one is read.
 */

import { find } from "./bytes";

/** The digits, perhaps with a point, from the first that is not zero; of zero, none. */
let digitsAt: usize = 0;
export let digitsEnd: usize = 0;
/** The place of the point, counted from the first digit that is not zero: 0.05 has -1, 5 has 1, 5e3 has 4. */
export let point: i32 = 0;
export let isNegative: bool = false;
/** There is neither a point nor an exponent. */
export let isWhole: bool = false;

/** Exponents are as good as infinite long before they overflow; and zero is as far down as it gets. */
const EXPONENT_LIMIT: i32 = 100000;

/** Bytes of the sign at `at`: 1, or 0 where there is none. */
export function signBytes(at: usize): usize {
  const byte = load<u8>(at) as u32;
  return byte == 43 || byte == 45 ? 1 : 0;
}

/** Takes the numeral that is all of [at, end) apart; that it is one has been checked. */
export function readNumeral(at: usize, end: usize): void {
  isNegative = load<u8>(at) == 45;
  at += signBytes(at);
  let tail = at;
  while (tail < end && load<u8>(tail) < 64) ++tail;
  digitsEnd = tail;
  const dot = find(at, tail, 46);
  isWhole = dot == end;
  // Zeros, and the point among them.
  while (at < tail && load<u8>(at) <= 48) ++at;
  digitsAt = at;
  // Behind the e, if there is one.
  const isDown = load<u8>(++tail) == 45;
  let exponent: i32 = 0;
  for (tail += signBytes(tail); tail < end; ++tail) {
    if (exponent < EXPONENT_LIMIT) exponent = exponent * 10 + (load<u8>(tail) as i32) - 48;
  }
  // The point itself stands between where it is before the digits.
  point = ((dot - at) as i32) + (dot < at ? 1 : 0) + (isDown ? -exponent : exponent);
  if (at == digitsEnd) point = -EXPONENT_LIMIT;
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
  if (value >= 10) to = writeInteger(to, value / 10);
  store<u8>(to, 48 + ((value % 10) as u32));
  return to + 1;
}
