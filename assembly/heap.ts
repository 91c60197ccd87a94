/**
 * The heap: objects of any size that can grow and shrink, without fragmentation, and references that stay.
 *
 * A segment is, from its begin (in the first one, perhaps later than SEGMENT_BYTES before its end)
 *
 *           text directory, u16 each, growing upwards
 *           objects, without gaps
 *           free
 *           objects, without gaps
 *           object directory, u16 each, growing downwards
 *   -16     u16  slots of the text directory          -10  u16  none of it free below this slot
 *   -14     u16  none of it free below this slot      -8   u16  where the free bytes begin, an offset
 *   -12     u16  slots of the object directory        -6   u16  where they end
 *   end
 *
 * A directory entry is the object's offset, counted from SEGMENT_BYTES before the segment's end; 0: the slot is free.
 * In the object directory its two highest bits say what the object is. A reference is segment << SLOT_BITS | slot,
 * slots counted from 1; texts have references of their own, so that theirs are small numbers. Both directories grow in
 * steps of four slots.
 *
 * The free bytes lie where something changed last (a gap buffer: Finseth, "The Craft of Text Editing", chapter 6). When
 * an object grows, shrinks or goes, they are moved to before it, by moving what lies between, and no reference changes.
 * So a cache in which the oldest metrics make room for new ones moves little: new blocks come to lie beside the oldest.
 *
 * The narrow cache is one segment, so nothing is ever lost to fragmentation. In a wide one each segment has less free
 * than the next object needs when the cache counts as full: below one per cent.
 *
 * Costs: alloc O(1) besides the search for a segment (bounded) and for a free slot (bounded by the segment); where a
 * directory grows or becomes smaller, in resize and in free O(SEGMENT_BYTES), by 16 bytes a step.
 */

import { copy } from "./bytes";
import { add, FREE_BYTES, FREED, header, SEGMENT_COUNT, SEGMENT_HAND } from "./header";
import { CACHE, SEARCH_LONG, SEARCH_SEGMENTS, SEGMENT_BYTES, SLOT_BITS, SLOT_LIMIT, WIDE } from "./layout";

export const TEXT_KIND: u32 = 0;
export const BLOCK: u32 = 1;
export const FAMILY: u32 = 2;
export const HELP: u32 = 3;

const TAIL: usize = 16;
const TEXT_SLOTS: usize = SEGMENT_BYTES - 16;
const SLOTS: usize = SEGMENT_BYTES - 12;
const FREE: usize = SEGMENT_BYTES - 8;
const FREE_END: usize = SEGMENT_BYTES - 6;
/** Behind the number of a directory's slots. */
const HINT: usize = 2;
const STEP: u32 = 4;
const STEP_BYTES: usize = 8;
const PLACE: u32 = 0x3fff;
/** The least that is worth a segment. */
const SEGMENT_LEAST: usize = 512;

/** SEGMENT_BYTES before the end of the first segment, and where it really begins. */
let origin: usize = 0;
let begin: usize = 0;

/** Loads and stores a reference. */
export function loadRef(at: usize): u32 {
  return WIDE ? load<u32>(at) : (load<u16>(at) as u32);
}

export function storeRef(at: usize, ref: u32): void {
  if (WIDE) store<u32>(at, ref);
  else store<u16>(at, ref);
}

/** What a segment's offsets are counted from. */
function base(index: u32): usize {
  return WIDE ? origin + (index as usize) * SEGMENT_BYTES : origin;
}

/** Address of a slot's entry in the object directory. */
function entry(base: usize, slot: u32): usize {
  return base + (SEGMENT_BYTES - TAIL) - ((slot as usize) << 1);
}

/** Where the text directory begins, two bytes before its first entry: an offset of 0 is no object's. */
function texts(base: usize): usize {
  return !WIDE || base == origin ? begin : base;
}

/** Where a directory has its number of slots. */
function fieldOf(segment: usize, isText: bool): usize {
  return segment + (isText ? TEXT_SLOTS : SLOTS);
}

/** Address of a slot's entry in a directory. */
function entryOf(segment: usize, isText: bool, slot: u32): usize {
  return isText ? texts(segment) + ((slot as usize) << 1) : entry(segment, slot);
}

/** Offset at which the objects begin: behind the text directory; or at which they end: before the object directory. */
function edge(segment: usize, isText: bool): u32 {
  const last = entryOf(segment, isText, load<u16>(fieldOf(segment, isText)));
  return (last - segment + (isText ? 2 : 0)) as u32;
}

function free(base: usize): usize {
  return (load<u16>(base, FREE_END) as usize) - (load<u16>(base, FREE) as usize);
}

/** Lays empty segments over [at, end). The memory is zero. */
export function initialize(at: usize, end: usize): void {
  let whole = (end - at) / SEGMENT_BYTES;
  if (end - at - whole * SEGMENT_BYTES >= SEGMENT_LEAST) ++whole;
  origin = end - whole * SEGMENT_BYTES;
  begin = max(at - 2, origin);
  store<u32>(header, whole as u32, SEGMENT_COUNT);
  store<u32>(header, whole > 1 ? 1 : 0, SEGMENT_HAND);
  if (WIDE) store<u32>(header, whole > 1 ? (1 << SLOT_BITS) + 1 : 1, FREED);
  for (let i: usize = 0; i < whole; ++i) {
    const segment = origin + i * SEGMENT_BYTES;
    store<u16>(segment, 1, TEXT_SLOTS + HINT);
    store<u16>(segment, 1, SLOTS + HINT);
    store<u16>(segment, edge(segment, true), FREE);
    store<u16>(segment, edge(segment, false), FREE_END);
    add(FREE_BYTES, free(segment) as i32);
  }
}

/** Address of an object known to live. */
export function address(ref: u32): usize {
  if (!WIDE) return origin + (((load<u16>(entry(origin, ref)) as u32) & PLACE) as usize);
  const segment = base(ref >> SLOT_BITS);
  return segment + (((load<u16>(entry(segment, ref & SLOT_LIMIT)) as u32) & PLACE) as usize);
}

/** Address of a text known to live. */
export function textAddress(ref: u32): usize {
  if (!WIDE) return origin + (load<u16>(begin + ((ref as usize) << 1)) as usize);
  const segment = base(ref >> SLOT_BITS);
  return segment + (load<u16>(texts(segment) + (((ref & SLOT_LIMIT) as usize) << 1)) as usize);
}

/** Address of a text known to live whose reference is one of the first segment. */
export function smallText(ref: u32): usize {
  return origin + (load<u16>(begin + ((ref as usize) << 1)) as usize);
}

/** Address of the object if `ref`, any number, is one of this kind, else 0. */
export function addressOf(ref: u32, kind: u32): usize {
  const index = ref >> SLOT_BITS;
  const slot = WIDE ? ref & SLOT_LIMIT : ref;
  if (WIDE && index >= load<u32>(header, SEGMENT_COUNT)) return 0;
  const segment = base(index);
  if (slot - 1 >= (load<u16>(segment, SLOTS) as u32)) return 0;
  const place = load<u16>(entry(segment, slot)) as u32;
  return place >> 14 == kind ? segment + ((place & PLACE) as usize) : 0;
}

/** The reference behind `ref` of those that objects may have, in a fixed order; 0: there is none. 0 begins. */
export function nextObject(ref: u32): u32 {
  ++ref;
  if (!WIDE) return ref > (load<u16>(origin, SLOTS) as u32) ? 0 : ref;
  const index = ref >> SLOT_BITS;
  if ((ref & SLOT_LIMIT) <= (load<u16>(base(index), SLOTS) as u32)) return ref;
  return index + 1 < load<u32>(header, SEGMENT_COUNT) ? (index + 1) << SLOT_BITS : 0;
}

/** The next block of this family behind the object `ref` in its segment, 0: there is none. A block begins with it. */
export function nextBlockOf(family: u32, ref: u32): u32 {
  const segment = base(ref >> SLOT_BITS);
  // `ref` may be behind the last slot by now.
  for (let left = (load<u16>(segment, SLOTS) as i32) - ((ref & SLOT_LIMIT) as i32); left > 0; --left) {
    const place = load<u16>(entry(segment, ++ref & SLOT_LIMIT)) as u32;
    if (place >> 14 == BLOCK && loadRef(segment + ((place & PLACE) as usize)) == family) return ref;
  }
  return 0;
}

/** Bytes that are free in all segments: what alloc can hand out, if it need not be in one piece. */
export function freeBytes(): u32 {
  return load<u32>(header, FREE_BYTES);
}

/** Whether the segment of an object has `bytes` free for it to grow. */
export function canGrow(ref: u32, bytes: usize): bool {
  return free(base(ref >> SLOT_BITS)) >= bytes;
}

/** Allocates in this segment, or returns 0. */
function allocIn(index: u32, kind: u32, bytes: usize, spare: usize): u32 {
  const segment = base(index);
  const whole = free(segment);
  if (whole < bytes + spare) return 0;
  const isText = kind == TEXT_KIND;
  const field = fieldOf(segment, isText);
  const slots = load<u16>(field) as u32;
  let slot = load<u16>(field, HINT) as u32;
  while (slot <= slots && load<u16>(entryOf(segment, isText, slot)) != 0) ++slot;
  store<u16>(field, slot, HINT);
  if (slot > slots) {
    if (whole < bytes + spare + STEP_BYTES || slots + STEP > SLOT_LIMIT) return 0;
    resizeDirectory(segment, isText, slots + STEP);
    store<u64>(lastEntries(segment, isText), 0);
  }
  store<u16>(entryOf(segment, isText, slot), (kind << 14) | extend(segment, bytes));
  return (index << SLOT_BITS) | slot;
}

/** Address of a directory's last step of entries. */
function lastEntries(segment: usize, isText: bool): usize {
  return segment + (edge(segment, isText) as usize) - (isText ? STEP_BYTES : 0);
}

/** Makes a directory have so many slots, from or to the free bytes. */
function resizeDirectory(segment: usize, isText: bool, slots: u32): void {
  const field = fieldOf(segment, isText);
  add(FREE_BYTES, ((load<u16>(field) as i32) - (slots as i32)) << 1);
  moveFree(segment, edge(segment, isText));
  store<u16>(field, slots);
  store<u16>(segment + (isText ? FREE : FREE_END), edge(segment, isText));
}

/** Takes `bytes` of the free bytes for an object; returns its offset. */
function extend(segment: usize, bytes: usize): u32 {
  const at = load<u16>(segment, FREE) as u32;
  store<u16>(segment, at + (bytes as u32), FREE);
  add(FREE_BYTES, -(bytes as i32));
  return at;
}

/**
 * Allocates an object of `bytes` bytes, their content undefined, near the object `near` (0: anywhere), where it can
 * grow by `spare` bytes. 0: no segment that was looked at has the room.
 */
export function alloc(kind: u32, bytes: usize, near: u32, spare: usize): u32 {
  if (!WIDE) return allocIn(0, kind, bytes, spare);
  // Texts go to the first segment if they can, where their references are small; others if they must.
  const first = kind == TEXT_KIND ? 0 : near >> SLOT_BITS;
  let ref: u32 = kind == TEXT_KIND || first != 0 ? allocIn(first, kind, bytes, spare) : 0;
  if (ref == 0) ref = allocIn(load<u32>(header, FREED) >> SLOT_BITS, kind, bytes, spare);
  // Where many segments have room, one is found: before anything alive goes, it is looked for longer.
  const isSparse = load<u32>(header, FREE_BYTES) >> 6 > load<u32>(header, SEGMENT_COUNT);
  for (let i = isSparse ? SEARCH_LONG : SEARCH_SEGMENTS; ref == 0 && i > 0; --i) {
    const hand = load<u32>(header, SEGMENT_HAND);
    ref = allocIn(hand, kind, bytes, spare);
    if (ref == 0) store<u32>(header, hand + 1 < load<u32>(header, SEGMENT_COUNT) ? hand + 1 : 0, SEGMENT_HAND);
  }
  return ref;
}

/** Adds `by` to the offsets in [at, end) that are among the `count` ones from `first` on. */
function relocate(at: usize, end: usize, first: u32, count: u32, by: i32): void {
  for (; at < end; at += 2) {
    const value = load<u16>(at) as u32;
    if ((value & PLACE) - first < count) store<u16>(at, value + (by as u32));
  }
}

/** Moves the free bytes to before the offset `to`, where an object begins or all of them end. */
function moveFree(segment: usize, to: u32): void {
  const low = load<u16>(segment, FREE) as u32;
  const high = load<u16>(segment, FREE_END) as u32;
  if (to == high) return;
  let first = to;
  let count = low - to;
  let by = (high - low) as i32;
  if (to > low) {
    first = high;
    count = to - high;
    by = -by;
    store<u16>(segment, low + count, FREE);
    store<u16>(segment, to, FREE_END);
  } else {
    store<u16>(segment, to, FREE);
    store<u16>(segment, high - count, FREE_END);
  }
  if (by == 0) return;
  const from = segment + (first as usize);
  copy(from + (by as usize), from, count as usize);
  relocate(entryOf(segment, true, 1), segment + (edge(segment, true) as usize), first, count, by);
  relocate(segment + (edge(segment, false) as usize), entry(segment, 0), first, count, by);
}

/** Moves the free bytes to before the object of a directory entry, and returns the object's address. */
function approach(segment: usize, entry: usize): usize {
  moveFree(segment, (load<u16>(entry) as u32) & PLACE);
  return segment + (load<u16>(segment, FREE_END) as usize);
}

/** Makes the free bytes more by `bytes`, which may be negative, at their end. */
function addFree(segment: usize, bytes: i32): void {
  store<u16>(segment, (load<u16>(segment, FREE_END) as u32) + (bytes as u32), FREE_END);
  add(FREE_BYTES, bytes);
}

/**
 * Inserts `by` bytes, their content undefined, at the offset `at` of an object; canGrow must hold. Where `by` is
 * negative, removes so many from there on. Returns the object's address, which is another one then.
 */
export function resize(ref: u32, at: usize, by: i32): usize {
  const segment = base(ref >> SLOT_BITS);
  const slot = entry(segment, ref & SLOT_LIMIT);
  const begin = approach(segment, slot);
  copy(begin - (by as usize), begin, at);
  store<u16>(slot, (load<u16>(slot) as u32) - (by as u32));
  addFree(segment, -by);
  if (WIDE && by < 0) store<u32>(header, ref, FREED);
  return begin - (by as usize);
}

/** Frees an object of `bytes` bytes. */
export function release(ref: u32, bytes: usize): void {
  freeSlot(ref, false, bytes);
  if (WIDE) store<u32>(header, ref, FREED);
}

/** Frees a text of `bytes` bytes. */
export function releaseText(ref: u32, bytes: usize): void {
  freeSlot(ref, true, bytes);
}

/** Frees a slot with its object. Directories give back their last steps when these are free. */
function freeSlot(ref: u32, isText: bool, bytes: usize): void {
  const slot = ref & SLOT_LIMIT;
  const segment = base(ref >> SLOT_BITS);
  const field = fieldOf(segment, isText);
  const at = entryOf(segment, isText, slot);
  approach(segment, at);
  addFree(segment, bytes as i32);
  store<u16>(at, 0);
  for (;;) {
    const slots = load<u16>(field) as u32;
    store<u16>(field, min(load<u16>(field, HINT) as u32, min(slot, slots + 1)), HINT);
    if (slots == 0 || load<u64>(lastEntries(segment, isText)) != 0) break;
    resizeDirectory(segment, isText, slots - STEP);
  }
}

/** Bytes of what is before the segments, of directories, and of the segments' own fields. */
export function directoryBytes(): u32 {
  let sum = (begin - CACHE) as u32;
  for (let i = load<u32>(header, SEGMENT_COUNT); i > 0; --i) {
    const segment = base(i - 1);
    sum += (TAIL as u32) + 2 + (((load<u16>(segment, TEXT_SLOTS) as u32) + (load<u16>(segment, SLOTS) as u32)) << 1);
  }
  return sum;
}
