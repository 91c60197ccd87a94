/**
 * Families: a name, its metadata, and the list of blocks that hold its metrics.
 *
 *   +0      ref  next family of the bucket
 *   +REF    ref  next family in order of creation, 0: the last
 *   +2*REF  ref  last block; its next is the first: the list is a ring
 *   +3*REF  ref  the metric pushed last
 *   +4*REF  ref  bytes: this object, and its blocks
 *   +5*REF  u8   flags
 *           u8   types: of the metrics (low half), and as last declared (high half)
 *           u8   length of the name
 *                wide: ref  previous family in order of creation
 *                      ref  help, 0: none
 *                      u8   length of the unit, the end of the name without its suffix; 0: none
 *                      name
 *                narrow: name
 *                        ref  with HAS_HELP: help
 *                        u8   with HAS_UNIT: length of the unit
 */

import { familyBucket } from "./bucket";
import { clear, copy, equal, hash } from "./bytes";
import { familyGone } from "./cursor";
import {
  add,
  FAMILIES,
  FAMILY_FIRST,
  FAMILY_LAST,
  HELP_HAND,
  header,
  LARGEST,
  LARGEST_HAND,
  NAME_BYTES,
  replace,
} from "./header";
import { address, alloc, canGrow, FAMILY, loadRef, release, resize, storeRef } from "./heap";
import { REF, SEARCH_FAMILIES, TEXT, WIDE } from "./layout";
import { wordBytes } from "./word";

const NEXT: usize = REF;
const LAST: usize = REF * 2;
const PUSHED: usize = REF * 3;
const BYTES: usize = REF * 4;
const FLAGS: usize = REF * 5;
const TYPES: usize = FLAGS + 1;
const LENGTH: usize = FLAGS + 2;
const PREVIOUS: usize = FLAGS + 3;
/** Wide families have the room for help and unit from the start: their segment may be full later. */
const HELP: usize = PREVIOUS + REF;
const UNIT: usize = HELP + REF;
const NAME: usize = WIDE ? UNIT + 1 : PREVIOUS;

const HAS_HELP: u32 = 4;
const HAS_UNIT: u32 = 8;
/** TYPE named it without its suffix, as OpenMetrics does: `x` for `x_total` or `x_info`. */
export const BY_BASE: u32 = 1;
/** Its lines have to be read: a name is beyond [a-zA-Z0-9_:], or that of a declared histogram's or summary's sample. */
export const UNEXPECTED: u32 = 2;

/** Types; `TYPED` is set where a TYPE line said so. */
export const UNTYPED: u32 = 0;
export const COUNTER: u32 = 1;
export const GAUGE: u32 = 2;
export const HISTOGRAM: u32 = 3;
export const SUMMARY: u32 = 4;
export const GAUGE_HISTOGRAM: u32 = 5;
export const INFO: u32 = 6;
export const STATESET: u32 = 7;
export const TYPED: u32 = 8;

/** Length of the name. */
export function nameLength(at: usize): usize {
  return load<u8>(at, LENGTH) as usize;
}

/** Address of the name. */
export function name(at: usize): usize {
  return at + NAME;
}

/** BY_BASE and UNEXPECTED. */
export function flags(at: usize): u32 {
  return load<u8>(at, FLAGS);
}

/** Sets a flag. */
export function setFlag(at: usize, flag: u32): void {
  store<u8>(at, flags(at) | flag, FLAGS);
}

/** Type of the metrics, and whether TYPE said so. */
export function typeOf(at: usize): u32 {
  return (load<u8>(at, TYPES) as u32) & 15;
}

/** Type as last declared. */
export function declaredOf(at: usize): u32 {
  return (load<u8>(at, TYPES) as u32) >> 4;
}

/** Whether the type that was declared last is that of the metrics. */
export function hasDeclaredType(at: usize): bool {
  return typeOf(at) == declaredOf(at);
}

/** Notes the type of the metrics, and the one last declared. */
export function setTypes(at: usize, type: u32, declared: u32): void {
  store<u8>(at, type | (declared << 4), TYPES);
}

/** The last block, 0: there is none. */
export function lastBlock(at: usize): u32 {
  return loadRef(at + LAST);
}

/** Makes a block the last; 0: there is none. */
export function setLastBlock(at: usize, block: u32): void {
  storeRef(at + LAST, block);
}

/** The metric that was pushed last: a hint, it may be gone, and its block another family's. */
export function pushed(at: usize): u32 {
  return loadRef(at + PUSHED);
}

/** Notes the metric that was pushed last. */
export function setPushed(at: usize, metric: u32): void {
  storeRef(at + PUSHED, metric);
}

/** The family created after this one, 0: it is the last. */
export function nextFamily(at: usize): u32 {
  return loadRef(at + NEXT);
}

/** Bytes of the family and its blocks. */
export function familyBytes(at: usize): u32 {
  return loadRef(at + BYTES);
}

function has(at: usize, flag: u32): bool {
  return WIDE || (flags(at) & flag) != 0;
}

function helpAt(at: usize): usize {
  return WIDE ? at + HELP : at + NAME + nameLength(at);
}

function unitAt(at: usize): usize {
  return WIDE ? at + UNIT : helpAt(at) + (has(at, HAS_HELP) ? REF : 0);
}

/** The help's reference, or 0. */
export function helpOf(at: usize): u32 {
  return has(at, HAS_HELP) ? loadRef(helpAt(at)) : 0;
}

/** Length of the unit, or 0. */
export function unitOf(at: usize): usize {
  return has(at, HAS_UNIT) ? (load<u8>(unitAt(at)) as usize) : 0;
}

/** Bytes of the family object at `at`. */
export function familySize(at: usize): usize {
  if (WIDE) return NAME + nameLength(at);
  return unitAt(at) - at + (has(at, HAS_UNIT) ? 1 : 0);
}

function bytesOf(ref: u32): u32 {
  return ref == 0 ? 0 : familyBytes(address(ref));
}

/** Changes what a family holds. */
export function charge(ref: u32, by: i32): void {
  const bytes = address(ref) + BYTES;
  storeRef(bytes, loadRef(bytes) + (by as u32));
}

/** The family that holds most of the cache, of those that a call looks at and the one found last; 0: there is none. */
export function largestFamily(): u32 {
  let largest = load<u32>(header, LARGEST);
  let ref = load<u32>(header, LARGEST_HAND);
  for (let i = min(load<u32>(header, FAMILIES), SEARCH_FAMILIES); i > 0; --i) {
    if (ref == 0) ref = load<u32>(header, FAMILY_FIRST);
    const at = address(ref);
    if (familyBytes(at) > bytesOf(largest)) largest = ref;
    ref = nextFamily(at);
  }
  store<u32>(header, ref, LARGEST_HAND);
  store<u32>(header, largest, LARGEST);
  return largest;
}

/** The family of this name, or 0. */
export function findFamily(text: usize, count: usize): u32 {
  let ref = loadRef(familyBucket(hash(text, count)));
  while (ref != 0) {
    const at = address(ref);
    if (nameLength(at) == count && equal(name(at), text, count)) return ref;
    ref = loadRef(at);
  }
  return 0;
}

/** The family that is called like this text with a word behind it, or 0. */
export function findRelative(text: usize, count: usize, suffix: usize): u32 {
  copy(TEXT, text, count);
  copy(TEXT + count, suffix + 1, wordBytes(suffix));
  return findFamily(TEXT, count + wordBytes(suffix));
}

/** Makes a family without blocks. 0: there is no room. */
export function createFamily(text: usize, count: usize): u32 {
  const bytes = NAME + count;
  const ref = alloc(FAMILY, bytes, 0, 0);
  if (ref == 0) return 0;
  const at = address(ref);
  const bucket = familyBucket(hash(text, count));
  clear(at, NAME);
  storeRef(at, loadRef(bucket));
  storeRef(bucket, ref);
  store<u8>(at, count as u32, LENGTH);
  copy(at + NAME, text, count);
  const last = load<u32>(header, FAMILY_LAST);
  if (WIDE) storeRef(at + PREVIOUS, last);
  if (last == 0) store<u32>(header, ref, FAMILY_FIRST);
  else storeRef(address(last) + NEXT, ref);
  store<u32>(header, ref, FAMILY_LAST);
  add(FAMILIES, 1);
  add(NAME_BYTES, bytes as i32);
  charge(ref, (bytes as i32) + 2);
  return ref;
}

/** The family created before this one, or 0. */
function previousFamily(ref: u32, at: usize): u32 {
  if (WIDE) return loadRef(at + PREVIOUS);
  let before: u32 = 0;
  for (let other = load<u32>(header, FAMILY_FIRST); other != ref; other = nextFamily(address(other))) before = other;
  return before;
}

/** Frees a family that has no blocks and no help. */
export function freeFamily(ref: u32): void {
  const at = address(ref);
  let link = familyBucket(hash(name(at), nameLength(at)));
  while (loadRef(link) != ref) link = address(loadRef(link));
  storeRef(link, loadRef(at));
  const before = previousFamily(ref, at);
  const next = nextFamily(at);
  if (before == 0) store<u32>(header, next, FAMILY_FIRST);
  else storeRef(address(before) + NEXT, next);
  if (next == 0) store<u32>(header, before, FAMILY_LAST);
  else if (WIDE) storeRef(address(next) + PREVIOUS, before);
  replace(LARGEST, ref, 0);
  replace(LARGEST_HAND, ref, next);
  replace(HELP_HAND, ref, next);
  familyGone(ref, next);
  const bytes = familySize(at);
  release(ref, bytes);
  add(FAMILIES, -1);
  add(NAME_BYTES, -(bytes as i32));
}

/** Makes room in a narrow family for what `flag` says that it has, or takes it away. False: there is no room. */
function setOptional(ref: u32, flag: u32, place: usize, bytes: usize, wanted: bool): bool {
  const at = address(ref);
  if (has(at, flag) == wanted) return true;
  if (wanted && !canGrow(ref, bytes)) return false;
  const by = wanted ? (bytes as i32) : -(bytes as i32);
  store<u8>(at, flags(at) ^ flag, FLAGS);
  resize(ref, place - at, by);
  add(NAME_BYTES, by);
  charge(ref, by);
  return true;
}

/** Notes the family's help; 0: it has none. False: there is no room to note it, in a narrow family. */
export function setHelp(ref: u32, help: u32): bool {
  if (!WIDE && !setOptional(ref, HAS_HELP, helpAt(address(ref)), REF, help != 0)) return false;
  if (WIDE || help != 0) storeRef(helpAt(address(ref)), help);
  return true;
}

/** Notes the length of the family's unit; 0: it has none. False: there is no room to note it, in a narrow family. */
export function setUnit(ref: u32, count: usize): bool {
  if (!WIDE && !setOptional(ref, HAS_UNIT, unitAt(address(ref)), 1, count != 0)) return false;
  if (WIDE || count != 0) store<u8>(unitAt(address(ref)), count as u32);
  return true;
}
