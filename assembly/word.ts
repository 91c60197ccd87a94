/**
 * The words of the formats, in static data: each is its length (u8) and its characters, and is named by its address.
 */

const WORDS: usize = memory.data<u8>([
  // Behind a sample's name, in the order of parts (owner.ts): "", _sum, _count, _bucket
  0, 4, 95, 115, 117, 109, 6, 95, 99, 111, 117, 110, 116, 7, 95, 98, 117, 99, 107, 101, 116,
  // "", _created, _gsum, _gcount
  0, 8, 95, 99, 114, 101, 97, 116, 101, 100, 5, 95, 103, 115, 117, 109, 7, 95, 103, 99, 111, 117, 110, 116,
  // _total, _info
  6, 95, 116, 111, 116, 97, 108, 5, 95, 105, 110, 102, 111,
  // Types, in their order (family.ts): untyped, counter, gauge
  7, 117, 110, 116, 121, 112, 101, 100, 7, 99, 111, 117, 110, 116, 101, 114, 5, 103, 97, 117, 103, 101,
  // histogram, summary
  9, 104, 105, 115, 116, 111, 103, 114, 97, 109, 7, 115, 117, 109, 109, 97, 114, 121,
  // gaugehistogram, info
  14, 103, 97, 117, 103, 101, 104, 105, 115, 116, 111, 103, 114, 97, 109, 4, 105, 110, 102, 111,
  // stateset, unknown
  8, 115, 116, 97, 116, 101, 115, 101, 116, 7, 117, 110, 107, 110, 111, 119, 110,
  // Values, in the order of number.ts: NaN, +Inf, -Inf; inf, infinity
  3, 78, 97, 78, 4, 43, 73, 110, 102, 4, 45, 73, 110, 102, 3, 105, 110, 102, 8, 105, 110, 102, 105, 110, 105, 116, 121,
  // Comments, in the order of comment.ts: EOF, TTL, TYPE, HELP, UNIT
  3, 69, 79, 70, 3, 84, 84, 76, 4, 84, 89, 80, 69, 4, 72, 69, 76, 80, 4, 85, 78, 73, 84,
  // never, 0, le, quantile, =", U__
  5, 110, 101, 118, 101, 114, 1, 48, 2, 108, 101, 8, 113, 117, 97, 110, 116, 105, 108, 101, 2, 61, 34, 3, 85, 95, 95,
]);

/** The first of the suffixes, types, values, comments and lives without end: `nth` finds the others. */
export const SUFFIXES: usize = WORDS;
const SUFFIX_COUNT: u32 = 8;
/** The last characters of the suffixes: a bit for each letter. */
const LAST_CHARACTERS: u32 = (1 << 4) | (1 << 13) | (1 << 20);
export const TOTAL_SUFFIX: usize = SUFFIXES + 45;
export const INFO_SUFFIX: usize = TOTAL_SUFFIX + 7;
export const TYPES: usize = INFO_SUFFIX + 6;
export const VALUES: usize = TYPES + 77;
export const INF: usize = VALUES + 14;
export const INFINITY: usize = INF + 4;
export const EOF: usize = INFINITY + 9;
export const TYPE: usize = EOF + 8;
export const HELP: usize = TYPE + 5;
export const UNIT: usize = HELP + 5;
export const NEVER: usize = UNIT + 5;
export const LE: usize = NEVER + 8;
export const QUANTILE_WORD: usize = LE + 3;
export const EQUALS: usize = QUANTILE_WORD + 9;
export const ESCAPED: usize = EQUALS + 3;

/** Words are compared exactly, or letters in any case. */
export const EXACT: u32 = 0xff;
export const ANY_CASE: u32 = 0xdf;

/** Characters of a word. */
export function wordBytes(word: usize): usize {
  return load<u8>(word) as usize;
}

/** The word `index` places behind another. */
export function nth(word: usize, index: u32): usize {
  for (; index > 0; --index) word += wordBytes(word) + 1;
  return word;
}

/** Characters of the suffix of a part. */
export function suffixBytes(part: u32): usize {
  return wordBytes(nth(SUFFIXES, part));
}

/** Whether the text [at, end) is this word, compared in the bits that `mask` says. */
export function isWord(at: usize, end: usize, word: usize, mask: u32): bool {
  if (end - at != wordBytes(word)) return false;
  while (at < end) if ((((load<u8>(at++) as u32) ^ (load<u8>(++word) as u32)) & mask) != 0) return false;
  return true;
}

/** Bytes of the text of `bytes` bytes at `at` before the word that it ends in; 0: it does not, or is no more than it. */
export function bytesBefore(at: usize, bytes: usize, word: usize): usize {
  const rest = bytes - wordBytes(word);
  return bytes > wordBytes(word) && isWord(at + rest, at + bytes, word, EXACT) ? rest : 0;
}

/** The number of the suffix of a sample's name that the text ends in, 0: none. */
export function suffixOf(at: usize, bytes: usize): u32 {
  // All of them end in d, m or t: most names do not.
  if (((LAST_CHARACTERS >> ((load<u8>(at + bytes - 1) as u32) - 96)) & 1) == 0) return 0;
  let word = SUFFIXES;
  for (let suffix: u32 = 1; suffix < SUFFIX_COUNT; ++suffix) {
    word = nth(word, 1);
    if (wordBytes(word) != 0 && bytesBefore(at, bytes, word) != 0) return suffix;
  }
  return 0;
}
