/**
 * Texts, each kept once: stems of label values, and the label names of a block as one text.
 *
 *   +0       ref  next text of the bucket
 *   +REF     u16 or u32  uses
 *   +2*REF   length: one byte below 128, else two, the higher first with its highest bit set
 *            bytes
 *
 * A label value is a stem and the whole number behind it, where it ends in one of at most nine digits without leading
 * zeros: "eth0" is "eth" and 0, "0.005" is "0.00" and 5. In a record it is twice the stem's reference, plus one if there
 * is a number, which then follows; both as LEB128. Reference 0 is the empty stem.
 */

import { textBucket } from "./bucket";
import { copy, equal, hash } from "./bytes";
import { add, CACHE_SIZE, header, LABEL_TEXT_BYTES } from "./header";
import { alloc, loadRef, releaseText, storeRef, TEXT_KIND, textAddress } from "./heap";
import { OBJECT_BYTES_MAX, REF, TEXT_BYTES } from "./layout";

const USES: usize = REF;
/** Where a text object has its length. */
export const TEXT_LENGTH: usize = REF * 2;
/** No number follows the stem. */
export const NO_NUMBER: u32 = 0xffffffff;

/** Length of the text object at `at`. */
export function textLength(at: usize): usize {
  const first = load<u8>(at, TEXT_LENGTH) as usize;
  return first < 128 ? first : ((first & 127) << 8) | (load<u8>(at, TEXT_LENGTH + 1) as usize);
}

/** Address of the bytes of the text object at `at`. */
export function textBytes(at: usize): usize {
  return at + TEXT_LENGTH + (load<u8>(at, TEXT_LENGTH) < 128 ? 1 : 2);
}

/** Whether the text object at `object` is this text. */
export function isText(object: usize, at: usize, count: usize): bool {
  return textLength(object) == count && equal(textBytes(object), at, count);
}

/** The reference of a text in its bucket, or 0. */
export function findText(at: usize, count: usize, bucket: usize): u32 {
  let ref = loadRef(bucket);
  while (ref != 0) {
    const object = textAddress(ref);
    if (isText(object, at, count)) return ref;
    ref = loadRef(object);
  }
  return 0;
}

/** Whether a text of this length can be kept at all, and the scratch holds it. */
export function fitsText(count: usize): bool {
  return (
    count <= min(OBJECT_BYTES_MAX - TEXT_LENGTH - 2, TEXT_BYTES) && (count as u32) <= load<u32>(header, CACHE_SIZE) >> 1
  );
}

/** Uses the text once more, keeping it first if it is new. Returns its reference; 0: there is no room. */
export function useText(at: usize, count: usize, near: u32): u32 {
  const bucket = textBucket(hash(at, count));
  let ref = findText(at, count, bucket);
  if (ref != 0) {
    useAgain(ref);
    return ref;
  }
  const bytes = TEXT_LENGTH + (count < 128 ? 1 : 2) + count;
  ref = alloc(TEXT_KIND, bytes, near, 0);
  if (ref == 0) return 0;
  const object = textAddress(ref);
  storeRef(object, loadRef(bucket));
  storeRef(bucket, ref);
  storeRef(object + USES, 1);
  if (count < 128) store<u8>(object, count as u32, TEXT_LENGTH);
  else {
    store<u8>(object, 128 | ((count as u32) >> 8), TEXT_LENGTH);
    store<u8>(object, count as u32, TEXT_LENGTH + 1);
  }
  copy(textBytes(object), at, count);
  add(LABEL_TEXT_BYTES, bytes as i32);
  return ref;
}

/** Uses a text that is kept once more. Reference 0 is no text. */
export function useAgain(ref: u32): void {
  if (ref == 0) return;
  const uses = textAddress(ref) + USES;
  storeRef(uses, loadRef(uses) + 1);
}

/** Uses the text once less; it goes with its last use. Reference 0 is no text. */
export function dropText(ref: u32): void {
  if (ref == 0) return;
  const object = textAddress(ref);
  const uses = loadRef(object + USES) - 1;
  if (uses != 0) {
    storeRef(object + USES, uses);
    return;
  }
  const count = textLength(object);
  let link = textBucket(hash(textBytes(object), count));
  for (;;) {
    const next = loadRef(link);
    if (next == ref) break;
    link = textAddress(next);
  }
  storeRef(link, loadRef(object));
  const bytes = textBytes(object) + count - object;
  releaseText(ref, bytes);
  add(LABEL_TEXT_BYTES, -(bytes as i32));
}

/** What split found: bytes of the stem, and the number behind it or NO_NUMBER. */
export let stemBytes: usize = 0;
export let stemNumber: u32 = 0;

/** Splits a label value into stem and number. */
export function split(at: usize, count: usize): void {
  let stem = count;
  let number: u32 = 0;
  let unit: u32 = 1;
  for (let place = count; place > 0; unit *= 10) {
    const digit = (load<u8>(at + --place) as u32) - 48;
    if (digit > 9) break;
    // Zeros that lead are the stem's, but for a zero that stands alone.
    if (digit == 0 && unit != 1) continue;
    stem = place;
    // Ten digits are no number.
    if (count - place > 9) {
      stem = count;
      break;
    }
    number += digit * unit;
  }
  stemBytes = stem;
  stemNumber = stem == count ? NO_NUMBER : number;
}

/** Writes a label value; returns the address behind it. */
export function writeLabel(to: usize, ref: u32, number: u32): usize {
  if (number == NO_NUMBER) return writeNumber(to, ref << 1);
  return writeNumber(writeNumber(to, (ref << 1) | 1), number);
}

function writeNumber(to: usize, number: u32): usize {
  for (; number > 127; number >>= 7) store<u8>(to++, number | 128);
  store<u8>(to, number);
  return to + 1;
}

/** What readLabel read: the stem's reference, and the number or NO_NUMBER. */
export let labelRef: u32 = 0;
export let labelNumber: u32 = 0;

/** Reads a label value; returns the address behind it. */
export function readLabel(at: usize): usize {
  at = readNumber(at);
  labelRef = number >> 1;
  const isNumbered = (number & 1) != 0;
  if (isNumbered) at = readNumber(at);
  labelNumber = isNumbered ? number : NO_NUMBER;
  return at;
}

/** What readNumber read. */
let number: u32 = 0;

function readNumber(at: usize): usize {
  let bits: u32 = 0;
  let byte: u32 = 0;
  number = 0;
  do {
    byte = load<u8>(at++);
    number |= (byte & 127) << bits;
    bits += 7;
  } while (byte > 127);
  return at;
}
