/**
 * The heap: objects of any size that can grow and shrink, without fragmentation, and references that stay.
 *
 * A segment is, from its begin (in the first one, perhaps later than SEGMENT_BYTES before its end)
 *
 *           text directory, u16 each, growing upwards in steps of four; its first entry is not used
 *           objects, without gaps
 *           free
 *           object directory, u16 each, growing downwards
 *   -16     u16  entries of the text directory        -10  u16  none of it free below this slot
 *   -14     u16  none of it free below this slot      -8   u16  end of the objects, an offset
 *   -12     u16  slots of the object directory        -6        unused
 *   end
 *
 * A directory entry is the object's offset, counted from SEGMENT_BYTES before the segment's end; 0: the slot is free.
 * In the object directory its two highest bits say what the object is. A reference is segment << SLOT_BITS | slot,
 * slots counted from 1; texts have references of their own, so that theirs are small numbers. When an object grows,
 * shrinks or goes, all that lies behind it in the segment is moved: at most SEGMENT_BYTES, and no reference changes.
 *
 * The narrow cache is one segment, so nothing is ever lost to fragmentation. In a wide one each segment has less free
 * than the next object needs when the cache counts as full: below one per cent.
 *
 * Costs: alloc O(1) besides the search for a segment (bounded) and for a free slot (bounded by the segment);
 * resize and free O(SEGMENT_BYTES), by 32 bytes a step.
 */

import { copy } from "./bytes";
import { SEGMENT_COUNT, SEGMENT_FREED, SEGMENT_HAND, SEGMENTS } from "./header";
import { SEARCH_SEGMENTS, SEGMENT_BYTES, SLOT_BITS, SLOT_LIMIT, WIDE } from "./layout";

export const TEXT_KIND: u32 = 0;
export const BLOCK: u32 = 1;
export const FAMILY: u32 = 2;
export const HELP: u32 = 3;

const TAIL: usize = 16;
const TEXT_SLOTS: usize = SEGMENT_BYTES - 16;
const TEXT_HINT: usize = SEGMENT_BYTES - 14;
const SLOTS: usize = SEGMENT_BYTES - 12;
const HINT: usize = SEGMENT_BYTES - 10;
const TOP: usize = SEGMENT_BYTES - 8;
const TEXT_STEP: u32 = 4;
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

/** Begin of the text directory: a slot's entry is two bytes a slot behind it. */
function texts(base: usize): usize {
  return !WIDE || base == origin ? begin : base;
}

/** Begin of the objects. */
function objects(base: usize): usize {
  return texts(base) + ((load<u16>(base, TEXT_SLOTS) as usize) << 1);
}

function free(base: usize): usize {
  return SEGMENT_BYTES - TAIL - ((load<u16>(base, SLOTS) as usize) << 1) - (load<u16>(base, TOP) as usize);
}

/** Lays empty segments over [at, end). The memory is zero. */
export function initialize(at: usize, end: usize): void {
  let whole = (end - at) / SEGMENT_BYTES;
  if (end - at - whole * SEGMENT_BYTES >= SEGMENT_LEAST) ++whole;
  origin = end - whole * SEGMENT_BYTES;
  begin = max(at, origin);
  store<u32>(SEGMENTS, begin as u32);
  store<u32>(SEGMENT_COUNT, whole as u32);
  store<u32>(SEGMENT_HAND, whole > 1 ? 1 : 0);
  store<u32>(SEGMENT_FREED, whole > 1 ? 1 : 0);
  for (let i: usize = 0; i < whole; ++i) {
    const segment = origin + i * SEGMENT_BYTES;
    store<u16>(segment, 1, TEXT_SLOTS);
    store<u16>(segment, 1, TEXT_HINT);
    store<u16>(segment, 1, HINT);
    store<u16>(segment, (objects(segment) - segment) as u32, TOP);
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
  if (WIDE && index >= load<u32>(SEGMENT_COUNT)) return 0;
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
  return index + 1 < load<u32>(SEGMENT_COUNT) ? (index + 1) << SLOT_BITS : 0;
}

/** The next block of this family behind the object `ref` in its segment, 0: there is none. A block begins with it. */
export function nextBlockOf(family: u32, ref: u32): u32 {
  const segment = base(ref >> SLOT_BITS);
  for (let left = (load<u16>(segment, SLOTS) as u32) - (ref & SLOT_LIMIT); left > 0; --left) {
    const place = load<u16>(entry(segment, ++ref & SLOT_LIMIT)) as u32;
    if (place >> 14 == BLOCK && loadRef(segment + ((place & PLACE) as usize)) == family) return ref;
  }
  return 0;
}

/** Bytes that are free in all segments: what alloc can hand out, if it need not be in one piece. */
export function freeBytes(): u32 {
  let sum: u32 = 0;
  for (let i = load<u32>(SEGMENT_COUNT); i > 0; --i) sum += free(base(i - 1)) as u32;
  return sum;
}

/** Whether the segment of an object has `bytes` free for it to grow. */
export function canGrow(ref: u32, bytes: usize): bool {
  return free(base(ref >> SLOT_BITS)) >= bytes;
}

/** The first free slot from `hint` on of `slots` slots, whose entries are `step` bytes apart; else `slots` + 1. */
function freeSlot(first: usize, hint: u32, slots: u32, step: isize): u32 {
  while (hint <= slots && load<u16>(first + (hint as isize) * step) != 0) ++hint;
  return hint;
}

/** Allocates in this segment, or returns 0. */
function allocIn(index: u32, kind: u32, bytes: usize, spare: usize): u32 {
  const segment = base(index);
  const whole = free(segment);
  if (whole < bytes + spare) return 0;
  const room = whole - spare;
  return kind == TEXT_KIND ? allocText(index, segment, room, bytes) : allocObject(index, segment, room, kind, bytes);
}

function allocText(index: u32, segment: usize, room: usize, bytes: usize): u32 {
  const slots = load<u16>(segment, TEXT_SLOTS) as u32;
  const slot = freeSlot(texts(segment), load<u16>(segment, TEXT_HINT), slots - 1, 2);
  store<u16>(segment, slot, TEXT_HINT);
  if (slot == slots) {
    const more = (TEXT_STEP << 1) as usize;
    if (room < bytes + more || slots + TEXT_STEP > SLOT_LIMIT) return 0;
    const from = objects(segment);
    slide(segment, 0, from, more as i32);
    store<u64>(from, 0);
    store<u16>(segment, slots + TEXT_STEP, TEXT_SLOTS);
  }
  store<u16>(texts(segment) + ((slot as usize) << 1), extend(segment, bytes));
  return (index << SLOT_BITS) | slot;
}

function allocObject(index: u32, segment: usize, room: usize, kind: u32, bytes: usize): u32 {
  const slots = load<u16>(segment, SLOTS) as u32;
  const slot = freeSlot(entry(segment, 0), load<u16>(segment, HINT), slots, -2);
  store<u16>(segment, slot, HINT);
  if (slot > slots) {
    if (room < bytes + 2 || slot > SLOT_LIMIT) return 0;
    store<u16>(segment, slot, SLOTS);
  }
  store<u16>(entry(segment, slot), (kind << 14) | extend(segment, bytes));
  return (index << SLOT_BITS) | slot;
}

/** Adds `bytes` to the objects; returns the offset where they begin. */
function extend(segment: usize, bytes: usize): u32 {
  const top = load<u16>(segment, TOP) as u32;
  store<u16>(segment, top + (bytes as u32), TOP);
  return top;
}

/** Gives back the last text slots, a step of them at a time, while they are free. */
function shrinkTexts(segment: usize): void {
  let slots = load<u16>(segment, TEXT_SLOTS) as u32;
  while (slots > TEXT_STEP) {
    const last = objects(segment) - ((TEXT_STEP << 1) as usize);
    if (load<u64>(last) != 0) break;
    slots -= TEXT_STEP;
    store<u16>(segment, slots, TEXT_SLOTS);
    slide(segment, 0, last + ((TEXT_STEP << 1) as usize), -((TEXT_STEP << 1) as i32));
    if ((load<u16>(segment, TEXT_HINT) as u32) > slots) store<u16>(segment, slots, TEXT_HINT);
  }
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
  if (ref == 0) ref = allocIn(load<u32>(SEGMENT_FREED), kind, bytes, spare);
  for (let i = SEARCH_SEGMENTS; ref == 0 && i > 0; --i) {
    const hand = load<u32>(SEGMENT_HAND);
    ref = allocIn(hand, kind, bytes, spare);
    if (ref == 0) store<u32>(SEGMENT_HAND, hand + 1 < load<u32>(SEGMENT_COUNT) ? hand + 1 : 0);
  }
  return ref;
}

/** Adds `by` to the offsets in [at, end) that are behind `place`. */
function relocate(at: usize, end: usize, place: u32, by: i32): void {
  for (; at < end; at += 2) {
    const value = load<u16>(at) as u32;
    if ((value & PLACE) > place) store<u16>(at, value + (by as u32));
  }
}

/** Moves all from `at` on, which belongs to objects behind offset `place`, by `by` bytes. */
function slide(segment: usize, place: u32, at: usize, by: i32): void {
  const top = load<u16>(segment, TOP) as u32;
  const end = segment + (top as usize);
  copy(at + (by as usize), at, end - at);
  store<u16>(segment, top + (by as u32), TOP);
  if (at == end) return;
  const first = texts(segment);
  relocate(first, first + ((load<u16>(segment, TEXT_SLOTS) as usize) << 1), place, by);
  const slots = load<u16>(segment, SLOTS) as u32;
  relocate(entry(segment, slots), entry(segment, 0), place, by);
}

/** Offset of an object. */
function placeOf(segment: usize, ref: u32): u32 {
  return (load<u16>(entry(segment, ref & SLOT_LIMIT)) as u32) & PLACE;
}

/** Inserts `bytes` bytes, their content undefined, before `at` in an object. canGrow must hold. */
export function insert(ref: u32, at: usize, bytes: usize): void {
  const segment = base(ref >> SLOT_BITS);
  slide(segment, placeOf(segment, ref), at, bytes as i32);
}

/** Removes the `bytes` bytes from `at` on of an object. */
export function remove(ref: u32, at: usize, bytes: usize): void {
  const segment = base(ref >> SLOT_BITS);
  slide(segment, placeOf(segment, ref), at + bytes, -(bytes as i32));
  if (WIDE) store<u32>(SEGMENT_FREED, ref >> SLOT_BITS);
}

/** Frees an object of `bytes` bytes. */
export function release(ref: u32, bytes: usize): void {
  const slot = ref & SLOT_LIMIT;
  const segment = base(ref >> SLOT_BITS);
  remove(ref, segment + (placeOf(segment, ref) as usize), bytes);
  store<u16>(entry(segment, slot), 0);
  let slots = load<u16>(segment, SLOTS) as u32;
  while (slots != 0 && load<u16>(entry(segment, slots)) == 0) --slots;
  store<u16>(segment, slots, SLOTS);
  store<u16>(segment, min(load<u16>(segment, HINT) as u32, min(slot, slots + 1)), HINT);
}

/** Frees a text of `bytes` bytes. */
export function releaseText(ref: u32, bytes: usize): void {
  const slot = ref & SLOT_LIMIT;
  const segment = base(ref >> SLOT_BITS);
  const at = texts(segment) + ((slot as usize) << 1);
  const place = load<u16>(at) as u32;
  slide(segment, place, segment + (place as usize) + bytes, -(bytes as i32));
  store<u16>(at, 0);
  store<u16>(segment, min(load<u16>(segment, TEXT_HINT) as u32, slot), TEXT_HINT);
  shrinkTexts(segment);
}

/** Bytes of directories and of the segments' own fields. */
export function directoryBytes(): u32 {
  let sum: u32 = 0;
  for (let i = load<u32>(SEGMENT_COUNT); i > 0; --i) {
    const segment = base(i - 1);
    sum += (TAIL as u32) + (((load<u16>(segment, TEXT_SLOTS) as u32) + (load<u16>(segment, SLOTS) as u32)) << 1);
  }
  return sum;
}
