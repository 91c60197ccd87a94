/**
 * The heap: objects of any size that can grow and shrink, without fragmentation, and references that stay.
 *
 * A segment is
 *
 *   +0  u16  slots of the text directory         +8   u16  bytes of objects
 *   +2  u16  none of it free below this          +10  u16  bytes of the segment
 *   +4  u16  slots of the object directory       +12  u32  unused
 *   +6  u16  none of it free below this
 *   +16      text directory, u16 each, growing upwards in steps of eight
 *            objects, without gaps
 *            free
 *   end      object directory, u16 each, growing downwards
 *
 * A directory entry is the object's offset behind the text directory, plus one; 0: the slot is free. In the object
 * directory its two highest bits say what the object is. A reference is segment << SLOT_BITS | slot, slots counted
 * from 1; texts have references of their own, so that theirs are small numbers. When an object grows, shrinks or
 * goes, all that lies behind it in the segment is moved: at most SEGMENT_BYTES, and no reference changes.
 *
 * The narrow cache is one segment, so nothing is ever lost to fragmentation. In a wide one each segment has less free
 * than the next object needs when the cache counts as full: below one per cent.
 *
 * Costs: alloc O(1) besides the search for a segment (bounded) and for a free slot (bounded by the segment);
 * resize and free O(SEGMENT_BYTES), by 32 bytes a step.
 */
import {
  REF,
  WIDE,
  SEGMENT_BYTES,
  SLOT_BITS,
  SLOT_LIMIT,
  SEARCH_SEGMENTS,
  CHECKED,
} from "./layout";
import { copy } from "./bytes";
import { SEGMENTS, SEGMENT_COUNT, SEGMENT_FILL, SEGMENT_FREED, SEGMENT_HAND } from "./header";

export const TEXT_KIND: u32 = 0;
export const BLOCK: u32 = 1;
export const FAMILY: u32 = 2;
export const HELP: u32 = 3;

const TEXT_SLOTS: usize = 0;
const TEXT_HINT: usize = 2;
const SLOTS: usize = 4;
const HINT: usize = 6;
const TOP: usize = 8;
const SIZE: usize = 10;
const PREFIX: usize = 16;
const TEXT_STEP: u32 = 8;
const PLACE: u32 = 0x3fff;

/** Loads and stores a reference. */
export function loadRef(at: usize): u32 {
  return WIDE ? load<u32>(at) : (load<u16>(at) as u32);
}

export function storeRef(at: usize, ref: u32): void {
  if (WIDE) store<u32>(at, ref);
  else store<u16>(at, ref);
}

function segment(index: u32): usize {
  return (load<u32>(SEGMENTS) as usize) + (index as usize) * SEGMENT_BYTES;
}

function objects(base: usize): usize {
  return base + PREFIX + ((load<u16>(base, TEXT_SLOTS) as usize) << 1);
}

function entry(base: usize, slot: u32): usize {
  return base + (load<u16>(base, SIZE) as usize) - ((slot as usize) << 1);
}

function textEntry(base: usize, slot: u32): usize {
  return base + PREFIX - 2 + ((slot as usize) << 1);
}

function free(base: usize): usize {
  return (
    (load<u16>(base, SIZE) as usize) -
    PREFIX -
    ((load<u16>(base, TEXT_SLOTS) as usize) << 1) -
    ((load<u16>(base, SLOTS) as usize) << 1) -
    (load<u16>(base, TOP) as usize)
  );
}

/** Lays empty segments over [at, end). The memory is zero. */
export function initialize(at: usize, end: usize): void {
  let index: u32 = 0;
  store<u32>(SEGMENTS, at as u32);
  while (at + 256 <= end) {
    store<u16>(at, min(SEGMENT_BYTES, end - at) & ~1, SIZE);
    at += SEGMENT_BYTES;
    ++index;
  }
  store<u32>(SEGMENT_COUNT, index);
}

/** Address of an object known to live. */
export function address(ref: u32): usize {
  const base = WIDE ? segment(ref >> SLOT_BITS) : (load<u32>(SEGMENTS) as usize);
  const slot = WIDE ? ref & SLOT_LIMIT : ref;
  return objects(base) - 1 + (((load<u16>(entry(base, slot)) as u32) & PLACE) as usize);
}

/** Address of a text known to live. */
export function textAddress(ref: u32): usize {
  const base = WIDE ? segment(ref >> SLOT_BITS) : (load<u32>(SEGMENTS) as usize);
  const slot = WIDE ? ref & SLOT_LIMIT : ref;
  return objects(base) - 1 + (load<u16>(textEntry(base, slot)) as usize);
}

/** Address of the object if `ref`, any number, is one of this kind, else 0. */
export function addressOf(ref: u32, kind: u32): usize {
  const index = ref >> SLOT_BITS;
  const slot = ref & SLOT_LIMIT;
  if (index >= load<u32>(SEGMENT_COUNT) || slot == 0) return 0;
  const base = segment(index);
  if (slot > (load<u16>(base, SLOTS) as u32)) return 0;
  const place = load<u16>(entry(base, slot)) as u32;
  if (place >> 14 != kind) return 0;
  return objects(base) - 1 + ((place & PLACE) as usize);
}

/** Bytes that are free in all segments: what alloc can hand out, if it need not be in one piece. */
export function freeBytes(): u32 {
  let sum: u32 = 0;
  const segments = load<u32>(SEGMENT_COUNT);
  for (let i: u32 = 0; i < segments; ++i) sum += free(segment(i)) as u32;
  return sum;
}

/** Bytes of directories and of the segments' own fields. */
export function directoryBytes(): u32 {
  let sum: u32 = 0;
  const segments = load<u32>(SEGMENT_COUNT);
  for (let i: u32 = 0; i < segments; ++i) {
    const base = segment(i);
    sum += (PREFIX as u32) + (((load<u16>(base, TEXT_SLOTS) as u32) + (load<u16>(base, SLOTS) as u32)) << 1);
  }
  return sum;
}

/** Whether the segment of an object has `bytes` free for it to grow. */
export function canGrow(ref: u32, bytes: usize): bool {
  return free(segment(ref >> SLOT_BITS)) >= bytes;
}

/** Bytes that a slot for this kind adds. */
function slotBytes(base: usize, kind: u32): usize {
  if (kind == TEXT_KIND) {
    const slots = load<u16>(base, TEXT_SLOTS) as u32;
    for (let slot = load<u16>(base, TEXT_HINT) as u32; slot < slots; ++slot) {
      if (load<u16>(textEntry(base, slot + 1)) == 0) {
        store<u16>(base, slot, TEXT_HINT);
        return 0;
      }
    }
    store<u16>(base, slots, TEXT_HINT);
    return slots + TEXT_STEP > SLOT_LIMIT ? SEGMENT_BYTES : (TEXT_STEP << 1) as usize;
  }
  const slots = load<u16>(base, SLOTS) as u32;
  for (let slot = load<u16>(base, HINT) as u32; slot < slots; ++slot) {
    if (load<u16>(entry(base, slot + 1)) == 0) {
      store<u16>(base, slot, HINT);
      return 0;
    }
  }
  store<u16>(base, slots, HINT);
  return slots >= SLOT_LIMIT ? SEGMENT_BYTES : 2;
}

/** Allocates in this segment, or returns 0. */
function allocIn(index: u32, kind: u32, bytes: usize): u32 {
  const base = segment(index);
  const room = free(base);
  if (room < bytes) return 0;
  const added = slotBytes(base, kind);
  if (room < bytes + added) return 0;
  const top = load<u16>(base, TOP) as u32;
  let slot: u32 = 0;
  if (kind == TEXT_KIND) {
    if (added != 0) growTexts(base);
    slot = (load<u16>(base, TEXT_HINT) as u32) + 1;
    store<u16>(base, slot, TEXT_HINT);
    store<u16>(textEntry(base, slot), top + 1);
  } else {
    if (added != 0) store<u16>(base, (load<u16>(base, SLOTS) as u32) + 1, SLOTS);
    slot = (load<u16>(base, HINT) as u32) + 1;
    store<u16>(base, slot, HINT);
    store<u16>(entry(base, slot), (kind << 14) | (top + 1));
  }
  store<u16>(base, top + (bytes as u32), TOP);
  return (index << SLOT_BITS) | slot;
}

function growTexts(base: usize): void {
  const from = objects(base);
  copy(from + ((TEXT_STEP << 1) as usize), from, load<u16>(base, TOP) as usize);
  store<u64>(from, 0);
  store<u64>(from, 0, 8);
  store<u16>(base, (load<u16>(base, TEXT_SLOTS) as u32) + TEXT_STEP, TEXT_SLOTS);
}

/** Gives back the last eight text slots while they are free. */
function shrinkTexts(base: usize): void {
  for (;;) {
    const slots = load<u16>(base, TEXT_SLOTS) as u32;
    if (slots == 0) return;
    const last = textEntry(base, slots - TEXT_STEP + 1);
    if (load<u64>(last) != 0 || load<u64>(last, 8) != 0) return;
    copy(last, objects(base), load<u16>(base, TOP) as usize);
    store<u16>(base, slots - TEXT_STEP, TEXT_SLOTS);
    if ((load<u16>(base, TEXT_HINT) as u32) > slots - TEXT_STEP) store<u16>(base, slots - TEXT_STEP, TEXT_HINT);
  }
}

/**
 * Allocates an object of `bytes` bytes, their content undefined, near the object `near` (0: anywhere).
 * 0: no segment that was looked at has the room.
 */
export function alloc(kind: u32, bytes: usize, near: u32): u32 {
  if (!WIDE) return allocIn(0, kind, bytes);
  let ref: u32 = 0;
  if (near != 0) {
    ref = allocIn(near >> SLOT_BITS, kind, bytes);
    if (ref != 0) return ref;
  }
  ref = allocIn(load<u32>(SEGMENT_FREED), kind, bytes);
  if (ref != 0) return ref;
  const fill = load<u32>(SEGMENT_FILL);
  ref = allocIn(fill, kind, bytes);
  if (ref != 0) return ref;
  const segments = load<u32>(SEGMENT_COUNT);
  if (fill + 1 < segments) {
    store<u32>(SEGMENT_FILL, fill + 1);
    ref = allocIn(fill + 1, kind, bytes);
    if (ref != 0) return ref;
  }
  let hand = load<u32>(SEGMENT_HAND);
  for (let i: u32 = min(SEARCH_SEGMENTS, segments); i > 0; --i) {
    if (++hand >= segments) hand = 0;
    ref = allocIn(hand, kind, bytes);
    if (ref != 0) break;
  }
  store<u32>(SEGMENT_HAND, hand);
  return ref;
}

/** Adds `by` to the places of all objects behind `place`. */
function relocate(base: usize, place: u32, by: i32): void {
  let at = base + PREFIX;
  let end = at + ((load<u16>(base, TEXT_SLOTS) as usize) << 1);
  for (; at < end; at += 2) {
    const value = load<u16>(at) as u32;
    if (value > place) store<u16>(at, value + (by as u32));
  }
  end = base + (load<u16>(base, SIZE) as usize);
  at = end - ((load<u16>(base, SLOTS) as usize) << 1);
  for (; at < end; at += 2) {
    const value = load<u16>(at) as u32;
    if ((value & PLACE) > place) store<u16>(at, value + (by as u32));
  }
}

function slide(base: usize, place: u32, at: usize, by: i32): void {
  const top = load<u16>(base, TOP) as usize;
  const end = objects(base) + top;
  if (by < 0) {
    if (CHECKED) fill(at + (by as usize), end);
    copy(at + (by as usize), at, end - at);
  } else copy(at + (by as usize), at, end - at);
  store<u16>(base, (top as u32) + (by as u32), TOP);
  if (at < end) relocate(base, place, by);
}

/** Debug builds trap if something outside the objects is moved. */
function fill(at: usize, end: usize): void {
  if (at > end) unreachable();
}

/** Inserts `bytes` bytes, their content undefined, before `at` in an object. canGrow must hold. */
export function insert(ref: u32, at: usize, bytes: usize): void {
  const base = segment(ref >> SLOT_BITS);
  slide(base, (load<u16>(entry(base, ref & SLOT_LIMIT)) as u32) & PLACE, at, bytes as i32);
}

/** Removes the `bytes` bytes from `at` on of an object. */
export function remove(ref: u32, at: usize, bytes: usize): void {
  const base = segment(ref >> SLOT_BITS);
  slide(base, (load<u16>(entry(base, ref & SLOT_LIMIT)) as u32) & PLACE, at + bytes, -(bytes as i32));
  if (WIDE) store<u32>(SEGMENT_FREED, ref >> SLOT_BITS);
}

/** Frees an object of `bytes` bytes. */
export function release(ref: u32, bytes: usize): void {
  const index = ref >> SLOT_BITS;
  const slot = ref & SLOT_LIMIT;
  const base = segment(index);
  const at = entry(base, slot);
  const place = (load<u16>(at) as u32) & PLACE;
  slide(base, place, objects(base) - 1 + (place as usize) + bytes, -(bytes as i32));
  store<u16>(at, 0);
  if ((load<u16>(base, HINT) as u32) >= slot) store<u16>(base, slot - 1, HINT);
  let slots = load<u16>(base, SLOTS) as u32;
  while (slots != 0 && load<u16>(entry(base, slots)) == 0) --slots;
  store<u16>(base, slots, SLOTS);
  if ((load<u16>(base, HINT) as u32) > slots) store<u16>(base, slots, HINT);
  if (WIDE) store<u32>(SEGMENT_FREED, index);
}

/** Frees a text of `bytes` bytes. */
export function releaseText(ref: u32, bytes: usize): void {
  const index = ref >> SLOT_BITS;
  const slot = ref & SLOT_LIMIT;
  const base = segment(index);
  const at = textEntry(base, slot);
  const place = load<u16>(at) as u32;
  slide(base, place, objects(base) - 1 + (place as usize) + bytes, -(bytes as i32));
  store<u16>(at, 0);
  if ((load<u16>(base, TEXT_HINT) as u32) >= slot) store<u16>(base, slot - 1, TEXT_HINT);
  shrinkTexts(base);
  if (WIDE) store<u32>(SEGMENT_FREED, index);
}

