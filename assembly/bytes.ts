/**
 * Bytes: compare, copy, hash, search and check, eight at a time. Loads may touch up to eight bytes behind a range;
 * the memory map leaves that room.
 */

const HIGH: u64 = 0x8080808080808080;
const LOW: u64 = 0x0101010101010101;

/** The lowest `count` bytes of a word, 1 to 8. */
function mask(count: usize): u64 {
  return (-1 as u64) >> (((8 - count) << 3) as u64);
}

/** Whether `count` bytes at `a` and `b` are the same. */
export function equal(a: usize, b: usize, count: usize): bool {
  while (count >= 8) {
    if (load<u64>(a) != load<u64>(b)) return false;
    a += 8;
    b += 8;
    count -= 8;
  }
  // Twice, as a shift by all 64 bits is none.
  return ((load<u64>(a) ^ load<u64>(b)) << 8) << ((56 - (count << 3)) as u64) == 0;
}

/** Copies `count` bytes; the ranges may overlap. */
export function copy(to: usize, from: usize, count: usize): void {
  // From the end that the other range does not overwrite before it is read.
  let step: isize = 8;
  if (to > from) {
    to += count - 8;
    from += count - 8;
    step = -8;
  }
  for (; count >= 8; count -= 8) {
    store<u64>(to, load<u64>(from));
    to += step;
    from += step;
  }
  if (count == 0) return;
  // Of the last word, its low or its high bytes.
  const kept = step > 0 ? (-1 as u64) << ((count << 3) as u64) : (-1 as u64) >> ((count << 3) as u64);
  const word = load<u64>(to);
  store<u64>(to, word ^ ((word ^ load<u64>(from)) & ~kept));
}

/** Sets `count` bytes to zero. */
export function clear(at: usize, count: usize): void {
  while (count >= 8) {
    count -= 8;
    store<u64>(at + count, 0);
  }
  while (count != 0) store<u8>(at + --count, 0);
}

/** Address of the first `byte` in [at, end), or `end`. */
export function find(at: usize, end: usize, byte: u32): usize {
  const wanted = LOW * (byte as u64);
  while (at < end) {
    const word = load<u64>(at) ^ wanted;
    const hit = (word - LOW) & ~word & HIGH;
    if (hit != 0) return min(at + ((ctz(hit) >> 3) as usize), end);
    at += 8;
  }
  return end;
}

/** A hash of `count` bytes: multiply and fold, a word at a time. */
export function hash(at: usize, count: usize): u32 {
  let h: u64 = 0x9e3779b97f4a7c15 ^ (count as u64);
  while (count > 8) {
    h = (h ^ load<u64>(at)) * 0xff51afd7ed558ccd;
    h ^= h >> 32;
    at += 8;
    count -= 8;
  }
  if (count != 0) h = (h ^ (load<u64>(at) & mask(count))) * 0xff51afd7ed558ccd;
  return (h ^ (h >> 29) ^ (h >> 43)) as u32;
}

/** The character of the UTF-8 sequence that `sequence` found. */
export let character: u32 = 0;

/** Bytes of the UTF-8 sequence at `at` (RFC 3629, section 4), 0 if it is none. `end` bounds it. */
export function sequence(at: usize, end: usize): usize {
  character = load<u8>(at);
  if (character < 0x80) return 1;
  // The others only continue a sequence, or would be longer than they need be, or too large.
  if (character - 0xc2 > 0x32) return 0;
  const count = clz(~character << 24);
  if (at + (count as usize) > end) return 0;
  character &= 0x7f >> count;
  for (let i: u32 = 1; i < count; ++i) {
    const byte = load<u8>(at + (i as usize)) as u32;
    if ((byte & 0xc0) != 0x80) return 0;
    character = (character << 6) | (byte & 0x3f);
  }
  // Three bytes are for 11 bits and more, four for 16; surrogates are no characters.
  const isShort = character >> (count * 5 - 4) == 0;
  return isShort || character >> 11 == 27 || character > 0x10ffff ? 0 : (count as usize);
}

/**
 * Whether checkText met nothing but ASCII, no NUL and no backslash. It looks at up to seven bytes behind the text, too: a
 * false alarm only costs the long way.
 */
export let isUsual: bool = false;

/** Checks text: 0 if it is UTF-8 without NUL, 1 if it is not UTF-8, 2 if it has a NUL. */
export function checkText(at: usize, count: usize): i32 {
  const end = at + count;
  isUsual = true;
  while (at < end) {
    const word = load<u64>(at);
    // Eight of ASCII, none of them NUL or a backslash.
    if (((word | (word - LOW) | ((word ^ (LOW * 92)) - LOW)) & HIGH) == 0) at += 8;
    else {
      isUsual = false;
      if (load<u8>(at) == 0) return 2;
      const step = sequence(at, end);
      if (step == 0) return 1;
      at += step;
    }
  }
  return 0;
}
