/**
 * Long decimals made short: a text of any length becomes one of at most 24 characters that is the same double.
 *
 * An exact decimal of up to 800 digits is shifted by powers of two, once to find the 53 bits of the nearest double
 * (ties to even), once to expand those bits; 17 digits of that, correctly rounded, are enough to name a double (IEEE
 * 754-2019, section 5.12.2). The method is Nigel Tao's "simple decimal conversion". Slow, and rarely needed: most
 * long texts have no more than 17 digits that count.
 */
import { TEXT, TEXT_BYTES } from "./layout";

/** Digits that can matter: the longest exact half-way point has 767. */
const DIGITS: i32 = 800;
/** The decimal's digits as bytes 0 to 9, and room to multiply in, in the text scratch. */
const Digits: usize = TEXT;
const Products: usize = TEXT + 1024;
/** The shortened text. */
export const Shortened: usize = TEXT + 2048;
export let shortenedBytes: usize = 0;
if ((2048 as usize) + 64 > TEXT_BYTES) ERROR("the decimal does not fit the text scratch");

/** 0.d0 d1 d2... times ten to the power of `point`. */
let count: i32 = 0;
let point: i32 = 0;
/** Digits that are not zero were cut off behind the last. */
let sticky: bool = false;

function digit(index: i32): u32 {
  return load<u8>(Digits + (index as usize));
}

function trim(): void {
  while (count > 0 && digit(count - 1) == 0) --count;
}

/** Multiplies by two to the power of `bits`, at most 56. */
function shiftLeft(bits: u32): void {
  let carry: u64 = 0;
  let at = Products + (DIGITS as usize) + 20;
  const end = at;
  for (let i = count - 1; i >= 0; --i) {
    carry += (digit(i) as u64) << (bits as u64);
    store<u8>(--at, (carry % 10) as u32);
    carry /= 10;
  }
  const whole = at;
  while (carry != 0) {
    store<u8>(--at, (carry % 10) as u32);
    carry /= 10;
  }
  point += (whole - at) as i32;
  const total = (end - at) as i32;
  count = min(total, DIGITS);
  for (let i = 0; i < total; ++i) {
    const value = load<u8>(at + (i as usize));
    if (i < DIGITS) store<u8>(Digits + (i as usize), value);
    else if (value != 0) sticky = true;
  }
  trim();
}

/** Divides by two to the power of `bits`, at most 56. */
function shiftRight(bits: u32): void {
  let read: i32 = 0;
  let rest: u64 = 0;
  const shift = bits as u64;
  // Gather digits until the quotient begins.
  while (rest >> shift == 0) {
    if (read < count) rest = rest * 10 + (digit(read) as u64);
    else if (rest == 0) {
      count = 0;
      return;
    } else rest *= 10;
    ++read;
  }
  point -= read - 1;
  const mask: u64 = ((1 as u64) << shift) - 1;
  let wrote: i32 = 0;
  while (read < count || rest != 0) {
    const next = rest >> shift;
    rest &= mask;
    if (wrote < DIGITS) store<u8>(Digits + (wrote++ as usize), next as u32);
    else if (next != 0) sticky = true;
    rest *= 10;
    if (read < count) rest += digit(read) as u64;
    ++read;
    if (read > count && rest == 0) break;
  }
  count = wrote;
  trim();
}

/** Multiplies by two to the power of `bits`, which may be negative. */
function shift(bits: i32): void {
  for (; bits > 56; bits -= 56) shiftLeft(56);
  for (; bits < -56; bits += 56) shiftRight(56);
  if (bits > 0) shiftLeft(bits);
  else if (bits < 0) shiftRight(-bits);
}

/** The decimal rounded to a whole number, ties to even. */
function rounded(): u64 {
  if (point > 18) return -1;
  let value: u64 = 0;
  for (let i = 0; i < point; ++i) value = value * 10 + (i < count ? (digit(i) as u64) : 0);
  if (point < 0 || point >= count) return value;
  const next = digit(point);
  if (next > 5 || (next == 5 && (point + 1 < count || sticky || (value & 1) == 1))) return value + 1;
  return value;
}

/** Reads mantissa and exponent of a decimal known to be one. */
function read(at: usize, end: usize): void {
  count = 0;
  point = 0;
  sticky = false;
  let seenPoint = false;
  for (; at < end; ++at) {
    const byte = load<u8>(at) as u32;
    if (byte == 46) seenPoint = true;
    else if ((byte | 32) == 101) break;
    else {
      if (count == 0 && byte == 48) {
        if (seenPoint) --point;
        continue;
      }
      if (count < DIGITS) store<u8>(Digits + (count++ as usize), byte - 48);
      else if (byte != 48) sticky = true;
      if (!seenPoint) ++point;
    }
  }
  if (at < end) {
    ++at;
    const sign = load<u8>(at) as u32;
    if (sign == 43 || sign == 45) ++at;
    let exponent: i32 = 0;
    for (; at < end; ++at) if (exponent < 100000) exponent = exponent * 10 + (load<u8>(at) as i32) - 48;
    point += sign == 45 ? -exponent : exponent;
  }
  trim();
}

/** Makes the decimal the exact value of the double nearest to it. False: that is infinite. */
function toDouble(): bool {
  if (point > 310) return false;
  if (point < -340) {
    count = 0;
    return true;
  }
  // Scale into [1/2, 1), counting the power of two.
  let exponent: i32 = 0;
  while (point > 0) {
    const bits = point > 15 ? 50 : 3 * point;
    shift(-bits);
    exponent += bits;
  }
  while (point < 0 || (point == 0 && digit(0) < 5)) {
    const bits = point < -15 ? 50 : point < 0 ? 3 * -point : 1;
    shift(bits);
    exponent -= bits;
    while (point > 0) {
      shift(-1);
      ++exponent;
    }
  }
  // Below 2^-1022 fewer bits are left.
  const bits = exponent < -1021 ? 53 - (-1021 - exponent) : 53;
  if (bits < 0) {
    count = 0;
    return true;
  }
  shift(bits);
  let mantissa = rounded();
  exponent -= bits;
  if (mantissa == (1 as u64) << 53) {
    mantissa >>= 1;
    ++exponent;
  }
  if (exponent + 53 > 1024 && mantissa >> 52 != 0) return false;
  count = 0;
  point = 0;
  sticky = false;
  if (mantissa == 0) return true;
  let place: i32 = 0;
  for (let rest = mantissa; rest != 0; rest /= 10) ++place;
  point = place;
  count = place;
  for (let rest = mantissa; rest != 0; rest /= 10) store<u8>(Digits + (--place as usize), (rest % 10) as u32);
  trim();
  shift(exponent);
  return true;
}

/** Rounds to 17 digits, half up: no double lies so close to a half that it would matter. */
function round17(): void {
  if (count <= 17) return;
  const up = digit(17) >= 5;
  count = 17;
  if (up) {
    let i = 16;
    while (i >= 0 && digit(i) == 9) --i;
    if (i < 0) {
      store<u8>(Digits, 1);
      count = 1;
      ++point;
      return;
    }
    store<u8>(Digits + (i as usize), digit(i) + 1);
    count = i + 1;
  }
  trim();
}

/**
 * Shortens the decimal in [at, end), leaving its text in `Shortened` and its length in `shortenedBytes`.
 * False: the nearest double is infinite.
 */
export function shorten(at: usize, end: usize): bool {
  let to = Shortened;
  const sign = load<u8>(at) as u32;
  if (sign == 45) store<u8>(to++, 45);
  if (sign == 43 || sign == 45) ++at;
  read(at, end);
  if (count > 17 || point > 308) {
    if (!toDouble()) return false;
    round17();
  }
  if (count == 0 || point < -400) {
    store<u8>(to++, 48);
  } else {
    for (let i = 0; i < count; ++i) {
      store<u8>(to++, 48 + digit(i));
      if (i == 0 && count > 1) store<u8>(to++, 46);
    }
    to = writeExponent(to, point - 1);
  }
  shortenedBytes = to - Shortened;
  return true;
}

function writeExponent(to: usize, exponent: i32): usize {
  if (exponent == 0) return to;
  store<u8>(to++, 101);
  if (exponent < 0) {
    store<u8>(to++, 45);
    exponent = -exponent;
  }
  if (exponent > 99) store<u8>(to++, 48 + exponent / 100);
  if (exponent > 9) store<u8>(to++, 48 + ((exponent / 10) % 10));
  store<u8>(to++, 48 + (exponent % 10));
  return to;
}
