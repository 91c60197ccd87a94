/**
 * Blocks: up to sixteen metrics of one family, with the same label names and the same time to live, side by side.
 *
 *   +0      ref  family
 *   +REF    ref  next block; the last one's is the first
 *   +2*REF  ref  label names (a text), 0: none
 *   +3*REF  stamp  as old as the oldest metric, or older
 *           u8   class of the time to live (low half); MULTI, META
 *           u8   slots
 *           u16  bytes of the block
 *           ref  wide only: previous block
 *           offset of each slot's record behind the slots, plus one; 0: free
 *           records
 *
 * The text of label names: their number (u8), then for each its length (u8) and bytes.
 *
 * A record is a metric:
 *
 *   +0      ref  next metric of the bucket, at the end of the chain that bucket's number (bucket.ts)
 *   +REF    stamp of the last push
 *           u8   low half: bytes of the value, 0 to 12, or 15: the metric holds many samples
 *                high half: generation it was created in; HIDDEN: it is not complete yet
 *           label values (text.ts)
 *           value (number.ts), and i64 time stamp in ms where those are kept
 *      or   samples (samples.ts)
 *
 * A metric's reference is block << 4 | slot. Records have no gaps between them: a block is as large as what it holds.
 */

import { find } from "./bytes";
import { addBlocks, age, loadStamp, stampOf, storeStamp } from "./clock";
import { blockGone } from "./cursor";
import { charge, lastBlock, setLastBlock } from "./family";
import { add, METAS, METRIC_BYTES, OLDEST_HAND, replace } from "./header";
import { address, alloc, BLOCK, canGrow, loadRef, release, resize, storeRef, textAddress } from "./heap";
import { BLOCK_METRICS, OFFSET, OFFSET_MAX, REF, STAMP, WIDE } from "./layout";
import { dropText, textBytes } from "./text";
import { SUFFIXES } from "./word";

const NEXT: usize = REF;
const LABELS: usize = REF * 2;
const OLDEST: usize = REF * 3;
const CLASS: usize = OLDEST + STAMP;
const SLOTS: usize = CLASS + 1;
const SIZE: usize = CLASS + 2;
const PREVIOUS: usize = CLASS + 4;
const HEAD: usize = WIDE ? PREVIOUS + REF : PREVIOUS;

/** The block's metrics hold many samples. */
export const MULTI: u32 = 0x10;
/** The block holds no metrics, only the family's metadata in life. */
export const META: u32 = 0x20;

/** Parts of a record. */
export const STAMP_AT: usize = REF;
export const FLAGS_AT: usize = REF + STAMP;
export const LABELS_AT: usize = REF + STAMP + 1;
/** Most bytes of a block: in a wide one no offset is larger than it can note. */
const BLOCK_BYTES_MAX: usize = 0x3fff;
/** Value length that means many samples, and the generation of a metric that is not complete. */
export const MANY: u32 = 15;
export const HIDDEN: u32 = 15;

/** Reference of the family of the block at `at`. */
export function familyOf(at: usize): u32 {
  return loadRef(at);
}

/** Reference of the block behind the one at `at` in its ring. */
export function nextBlock(at: usize): u32 {
  return loadRef(at + NEXT);
}

/** Reference of the text of the label names, 0: none. */
export function labelsOf(at: usize): u32 {
  return loadRef(at + LABELS);
}

/** Class of the time to live of the metrics. */
export function classOf(at: usize): u32 {
  return (load<u8>(at, CLASS) as u32) & 15;
}

/** Class and kind: metrics of another shape go to another block. */
export function shapeOf(at: usize): u32 {
  return load<u8>(at, CLASS);
}

/** MULTI or META; 0: the metrics have one sample each. */
export function kindOf(at: usize): u32 {
  return (load<u8>(at, CLASS) as u32) & (MULTI | META);
}

/** Number of slots, of which the last is never free. */
export function slotsOf(at: usize): u32 {
  return load<u8>(at, SLOTS);
}

/** Bytes of the block. */
export function blockSize(at: usize): usize {
  return load<u16>(at, SIZE) as usize;
}

/** Stamp that no metric of the block is older than. */
export function oldestOf(at: usize): u32 {
  return loadStamp(at + OLDEST);
}

/** Notes the stamp that no metric of the block is older than. */
export function setOldest(at: usize, stamp: u32): void {
  storeStamp(at + OLDEST, stamp);
}

/** Changes the class of a block. */
export function setClass(at: usize, index: u32): void {
  addBlocks(classOf(at), -1);
  addBlocks(index, 1);
  store<u8>(at, kindOf(at) | index, CLASS);
}

/** Address of the text of the label names; that of a block without them begins with 0 like any other. */
export function namesAt(at: usize): usize {
  const labels = labelsOf(at);
  return labels == 0 ? SUFFIXES : textBytes(textAddress(labels));
}

/** An entry of the offsets: a record's, plus one; 0: the slot is free. */
export function loadOffset(at: usize): usize {
  return WIDE ? (load<u16>(at) as usize) : (load<u8>(at) as usize);
}

function storeOffset(at: usize, offset: usize): void {
  if (WIDE) store<u16>(at, offset as u32);
  else store<u8>(at, offset as u32);
}

function slotAt(at: usize, slot: u32): usize {
  return at + HEAD + (slot as usize) * OFFSET;
}

function records(at: usize): usize {
  return at + HEAD + (load<u8>(at, SLOTS) as usize) * OFFSET;
}

/** Where the offsets of slots begin, and what they are counted from: for callers that go through all of them. */
export function offsetsOf(at: usize): usize {
  return at + HEAD;
}

export function recordsOf(at: usize): usize {
  return records(at) - 1;
}

/** Address of the record in a slot, 0: the slot is free or there is none. */
export function recordAt(at: usize, slot: u32): usize {
  if (slot >= slotsOf(at)) return 0;
  const offset = loadOffset(slotAt(at, slot));
  return offset == 0 ? 0 : records(at) + offset - 1;
}

function resized(ref: u32, by: i32): void {
  const at = address(ref);
  store<u16>(at, (load<u16>(at, SIZE) as u32) + (by as u32), SIZE);
  add(METRIC_BYTES, by);
  charge(familyOf(at), by);
}

/**
 * Makes an empty block of the family, where a record of `bytes` bytes can be added, behind the block `before`, 0: behind
 * the last. `labels` is used by it from now on. 0: there is no room.
 */
export function createBlock(family: u32, labels: u32, shape: u32, bytes: usize, before: u32): u32 {
  if (before == 0) before = lastBlock(address(family));
  const ref = alloc(BLOCK, HEAD, before, bytes + OFFSET);
  if (ref == 0) return 0;
  const at = address(ref);
  const owner = address(family);
  storeRef(at, family);
  storeRef(at + LABELS, labels);
  setOldest(at, stampOf(shape & 15));
  store<u8>(at, shape, CLASS);
  store<u8>(at, 0, SLOTS);
  store<u16>(at, HEAD as u32, SIZE);
  if (before == lastBlock(owner)) setLastBlock(owner, ref);
  if (before == 0) before = ref;
  else storeRef(at + NEXT, nextBlock(address(before)));
  storeRef(address(before) + NEXT, ref);
  if (WIDE) {
    storeRef(at + PREVIOUS, before);
    storeRef(address(nextBlock(at)) + PREVIOUS, ref);
  }
  addBlocks(shape & 15, 1);
  if ((shape & META) != 0) add(METAS, 1);
  add(METRIC_BYTES, HEAD as i32);
  charge(family, (HEAD as i32) + 2);
  return ref;
}

/** The block before this one in its ring. */
export function previousBlock(ref: u32, at: usize): u32 {
  if (WIDE) return loadRef(at + PREVIOUS);
  let before = ref;
  for (let next = nextBlock(at); next != ref; next = nextBlock(address(next))) before = next;
  return before;
}

/** Frees a block without metrics. Its family may have none left then. */
export function freeBlock(ref: u32): void {
  const at = address(ref);
  const family = familyOf(at);
  const owner = address(family);
  const next = nextBlock(at);
  const isLast = lastBlock(owner) == ref;
  if (next == ref) setLastBlock(owner, 0);
  else {
    const before = previousBlock(ref, at);
    storeRef(address(before) + NEXT, next);
    if (WIDE) storeRef(address(next) + PREVIOUS, before);
    if (isLast) setLastBlock(owner, before);
  }
  const following = isLast ? 0 : next;
  replace(OLDEST_HAND, ref, following);
  blockGone(ref, following);
  addBlocks(classOf(at), -1);
  if (kindOf(at) == META) add(METAS, -1);
  dropText(labelsOf(at));
  const bytes = blockSize(address(ref));
  release(ref, bytes);
  add(METRIC_BYTES, -(bytes as i32));
  charge(family, -(bytes as i32) - 2);
}

/** A free slot of the block, or the number of its slots. */
function freeSlot(at: usize): u32 {
  const slots = slotsOf(at);
  const first = slotAt(at, 0);
  if (!WIDE) return (find(first, first + (slots as usize), 0) - first) as u32;
  for (let slot: u32 = 0; slot < slots; ++slot) if (loadOffset(slotAt(at, slot)) == 0) return slot;
  return slots;
}

/** Whether a record of `bytes` bytes can be added to the block, with room for a new slot even where one is free. */
export function canAdd(ref: u32, at: usize, bytes: usize): bool {
  bytes += OFFSET;
  // First what fails in a full cache.
  if (!canGrow(ref, bytes) || blockSize(at) + bytes > BLOCK_BYTES_MAX) return false;
  if (!WIDE && blockSize(at) + at - records(at) + 1 > OFFSET_MAX) return false;
  return freeSlot(at) != BLOCK_METRICS;
}

/** Adds a record of `bytes` bytes, content undefined; canAdd must hold. Returns its slot. */
export function addRecord(ref: u32, bytes: usize): u32 {
  let at = address(ref);
  const size = blockSize(at);
  const slot = freeSlot(at);
  const head = records(at) - at;
  at = resize(ref, size, bytes as i32);
  if (slot == slotsOf(at)) {
    at = resize(ref, head, OFFSET as i32);
    bytes += OFFSET;
    store<u8>(at, slot + 1, SLOTS);
  }
  storeOffset(slotAt(at, slot), size - head + 1);
  resized(ref, bytes as i32);
  return slot;
}

/** Moves the offsets of records behind `offset`. */
function shift(at: usize, offset: usize, by: isize): void {
  const end = slotAt(at, slotsOf(at));
  for (let slot = slotAt(at, 0); slot < end; slot += OFFSET) {
    const other = loadOffset(slot);
    if (other > offset) storeOffset(slot, other + (by as usize));
  }
}

/** Removes the record of `bytes` bytes in a slot; its last slots go with it if they are free. */
export function removeRecord(ref: u32, slot: u32, bytes: usize): void {
  resizeRecord(ref, slot, recordAt(address(ref), slot), -(bytes as i32));
  const at = address(ref);
  storeOffset(slotAt(at, slot), 0);
  let slots = slotsOf(at);
  while (slots != 0 && loadOffset(slotAt(at, slots - 1)) == 0) --slots;
  const gone = ((slotsOf(at) - slots) as usize) * OFFSET;
  if (gone == 0) return;
  resize(ref, slotAt(at, slots) - at, -(gone as i32));
  store<u8>(address(ref), slots, SLOTS);
  resized(ref, -(gone as i32));
}

/** Whether the record in a slot can grow by `bytes` where it is. */
export function canGrowRecord(ref: u32, slot: u32, bytes: usize): bool {
  if (!canGrow(ref, bytes)) return false;
  const at = address(ref);
  if (blockSize(at) + bytes > BLOCK_BYTES_MAX) return false;
  if (WIDE) return true;
  const offset = loadOffset(slotAt(at, slot));
  const end = slotAt(at, slotsOf(at));
  for (let other = slotAt(at, 0); other < end; other += OFFSET) {
    const place = loadOffset(other);
    if (place > offset && place + bytes > OFFSET_MAX) return false;
  }
  return true;
}

/**
 * Inserts `by` bytes, content undefined, before `place` in the record of a slot; canGrowRecord must hold. Where `by` is
 * negative, removes so many from there on.
 */
export function resizeRecord(ref: u32, slot: u32, place: usize, by: i32): void {
  const at = address(ref);
  shift(at, loadOffset(slotAt(at, slot)), by);
  resize(ref, place - at, by);
  resized(ref, by);
}

/** Makes the block's oldest stamp exact, and returns its slot; the number of slots if it has no metrics. */
export function refreshOldest(at: usize): u32 {
  const index = classOf(at);
  const slots = slotsOf(at);
  let found = slots;
  let oldest: u32 = 0;
  const start = recordsOf(at);
  for (let slot: u32 = 0; slot < slots; ++slot) {
    const offset = loadOffset(slotAt(at, slot));
    if (offset == 0) continue;
    const own = age(index, loadStamp(start + offset + STAMP_AT));
    if (found != slots && own <= oldest) continue;
    found = slot;
    oldest = own;
  }
  setOldest(at, stampOf(index) - oldest);
  return found;
}
