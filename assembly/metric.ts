/**
 * Metrics: found by name and set of labels, created, moved, removed. The layout of a record is in block.ts.
 *
 * Identity is a sum of hashes, one for each label that is not empty, so the order of labels does not matter to it;
 * a hash is never believed, labels are compared.
 */

import {
  addRecord,
  canAdd,
  canGrowRecord,
  classOf,
  createBlock,
  FLAGS_AT,
  familyOf,
  freeBlock,
  HIDDEN,
  kindOf,
  LABELS_AT,
  labelsOf,
  META,
  namesAt,
  nextBlock,
  previousBlock,
  removeRecord,
  resizeRecord,
  STAMP_AT,
  shapeOf,
  slotsOf,
} from "./block";
import { END, metricBucket, metricNumber, nextMetric } from "./bucket";
import { copy, equal, hash } from "./bytes";
import { noticePushed, stampOf, storeStamp } from "./clock";
import { isBehind, isInside, metricGone } from "./cursor";
import { freeFamily, lastBlock, name, nameLength } from "./family";
import { add, FREED, header, METRICS, SERIES } from "./header";
import { address, canGrow, loadRef, nextBlockOf, storeRef, textAddress } from "./heap";
import { dropHelp } from "./help";
import { OFFSET, SEARCH_BEFORE, SLOT_LIMIT, TEXT, WIDE } from "./layout";
import { EQUALS, HASH, labelCount, labelHash, NAME_AT, NAME_BYTES, row, STEM, VALUE_AT, VALUE_BYTES } from "./line";
import { writeInteger } from "./numeral";
import {
  beginCreated,
  beginLabels,
  COUNT_AT,
  isMany,
  labelName,
  labelNameBytes,
  metricAddress,
  nextLabel,
  nextValue,
  recordSize,
  setFlags,
  valueSize,
} from "./record";
import {
  dropText,
  isText,
  labelNumber,
  labelRef,
  NO_NUMBER,
  split,
  stemBytes,
  stemNumber,
  textBytes,
  textLength,
  useAgain,
  useText,
  writeLabel,
} from "./text";

/** The first metric of those whose hash may be this one, 0: none; nextMetric of its record is the next. */
export function firstMetric(h: u32): u32 {
  return nextMetric(metricBucket(metricNumber(h)));
}

function familyHash(family: u32): u32 {
  const at = address(family);
  return hash(name(at), nameLength(at));
}

/** The hash of a metric, as findMetric has it. The labels are written to the text scratch for it. */
function recordHash(ref: u32): u32 {
  let h = familyHash(familyOf(address(ref >> 4)));
  beginLabels(ref);
  while (nextLabel()) {
    copy(TEXT, labelName, labelNameBytes);
    const value = TEXT + labelNameBytes + 2;
    let end = value;
    store<u16>(value - 2, EQUALS);
    if (labelRef != 0) {
      const text = textAddress(labelRef);
      copy(value, textBytes(text), textLength(text));
      end += textLength(text);
    }
    if (labelNumber != NO_NUMBER) end = writeInteger(end, labelNumber as u64);
    h += labelHash(TEXT, labelNameBytes, value, end - value);
  }
  return h;
}

/** The row of the label that nextLabel read, 0: the line has none. */
function rowOf(): usize {
  for (let i: u32 = 0; i < labelCount; ++i) {
    const label = row(i);
    if ((load<u32>(label, NAME_BYTES) as usize) != labelNameBytes) continue;
    if (equal(load<u32>(label, NAME_AT) as usize, labelName, labelNameBytes)) return label;
  }
  return 0;
}

/** Whether the label value that nextLabel read is that of a row, 0: none. */
function sameValue(at: usize): bool {
  if (at == 0) return false;
  const value = load<u32>(at, VALUE_AT) as usize;
  split(value, load<u32>(at, VALUE_BYTES) as usize);
  if (labelNumber != stemNumber) return false;
  if (labelRef == 0) return stemBytes == 0;
  return isText(textAddress(labelRef), value, stemBytes);
}

/** Whether the line's set of labels is the metric's; empty ones do not count. */
function sameSet(ref: u32): bool {
  let left: u32 = 0;
  for (let i: u32 = 0; i < labelCount; ++i) if (load<u32>(row(i), VALUE_BYTES) != 0) ++left;
  beginLabels(ref);
  while (nextLabel()) {
    if (labelRef == 0 && labelNumber == NO_NUMBER) continue;
    if (!sameValue(rowOf())) return false;
    --left;
  }
  return left == 0;
}

/** The hash of the line in the family that findMetric looked in last: the sum of the name's and its labels'. */
let lineHash: u32 = 0;

/** The metric of this family that the line names; 0: there is none. */
export function findMetric(family: u32): u32 {
  lineHash = familyHash(family);
  for (let i: u32 = 0; i < labelCount; ++i) lineHash += load<u32>(row(i), HASH);
  let ref = firstMetric(lineHash);
  while (ref != 0) {
    if (familyOf(address(ref >> 4)) == family && sameSet(ref)) return ref;
    ref = nextMetric(metricAddress(ref));
  }
  return 0;
}

/** Writes the line's label names as a block keeps them; returns the bytes. */
function writeNames(to: usize): usize {
  const start = to;
  store<u8>(to++, labelCount);
  for (let i: u32 = 0; i < labelCount; ++i) {
    const bytes = load<u32>(row(i), NAME_BYTES) as usize;
    store<u8>(to++, bytes as u32);
    copy(to, load<u32>(row(i), NAME_AT) as usize, bytes);
    to += bytes;
  }
  return to - start;
}

/** Whether the label names of the block at `at` are those of the line, in the same order. */
export function hasLineNames(at: usize): bool {
  let text = namesAt(at);
  if ((load<u8>(text++) as u32) != labelCount) return false;
  for (let i: u32 = 0; i < labelCount; ++i) {
    const bytes = load<u8>(text++) as usize;
    const label = row(i);
    if (load<u32>(label, NAME_BYTES) != (bytes as u32) || !equal(text, load<u32>(label, NAME_AT), bytes)) return false;
    text += bytes;
  }
  return true;
}

/** Whether a block has these label names and this shape, and takes a record of these bytes. */
function takes(block: u32, labels: u32, shape: u32, bytes: usize): bool {
  const at = address(block);
  return labelsOf(at) == labels && shapeOf(at) == shape && canAdd(block, at, bytes);
}

/**
 * A block of the family with these label names and this shape that takes a record of these bytes, other than `except`:
 * the last, in a large cache one of some before it, or one in the segment where room was made last, from there on.
 * 0: none was found.
 */
function findBlock(family: u32, labels: u32, shape: u32, bytes: usize, except: u32): u32 {
  let ref = lastBlock(address(family));
  if (ref == 0) return 0;
  for (let i: u32 = SEARCH_BEFORE; i > 0; --i) {
    if (ref != except && takes(ref, labels, shape, bytes)) return ref;
    ref = previousBlock(ref, address(ref));
  }
  const freed = load<u32>(header, FREED);
  if (!canGrow(freed, bytes)) return 0;
  // First the block that something went from, and those behind it.
  ref = WIDE ? freed - 1 : 0;
  let turns: u32 = WIDE ? 2 : 1;
  do {
    do ref = nextBlockOf(family, ref);
    while (ref != 0 && (ref == except || !takes(ref, labels, shape, bytes)));
    if (ref != 0) return ref;
    ref = freed & ~SLOT_LIMIT;
  } while (--turns != 0);
  return 0;
}

/**
 * Adds an undefined record to a block of the family other than `except`; `next`: to the one behind that, or a new one
 * there. Returns the metric, 0: no room.
 */
function place(family: u32, labels: u32, shape: u32, bytes: usize, except: u32, next: bool): u32 {
  let block: u32 = 0;
  if (!next) block = findBlock(family, labels, shape, bytes, except);
  else if (except != lastBlock(address(family))) {
    block = nextBlock(address(except));
    if (!takes(block, labels, shape, bytes)) block = 0;
  }
  if (block == 0) {
    const last = lastBlock(address(family));
    block = createBlock(family, labels, shape, bytes, next ? except : 0);
    if (block == 0) return 0;
    useAgain(labels);
    if (last != 0 && kindOf(address(last)) == META) freeBlock(last);
    noticePushed(shape & 15);
  }
  return (block << 4) | addRecord(block, bytes);
}

/** Makes a metric, whose record is at `record`, one that is found by this hash. */
function link(ref: u32, record: usize, h: u32): void {
  const number = metricNumber(h);
  const bucket = metricBucket(number);
  const first = loadRef(bucket);
  storeRef(record, first == 0 ? END | number : first);
  storeRef(bucket, ref);
}

/** The link that leads to a metric. */
function linkTo(ref: u32): usize {
  let end = ref;
  do end = loadRef(metricAddress(end));
  while ((end & END) == 0);
  let link = metricBucket(end ^ END);
  while (loadRef(link) != ref) link = metricAddress(loadRef(link));
  return link;
}

/** Whether the bucket of its hash leads to the metric. */
export function isLinked(ref: u32): bool {
  let next = firstMetric(recordHash(ref));
  while (next != ref && next != 0) next = nextMetric(metricAddress(next));
  return next == ref && loadRef(linkTo(ref)) == ref;
}

/**
 * Uses the texts of the line's labels, which stay in their rows' STEM, and writes the labels as a record has them
 * into the text scratch. Returns the address behind them, 0: no room for some.
 */
function useLabels(near: u32): usize {
  let to: usize = TEXT;
  let isFull = false;
  for (let i: u32 = 0; i < labelCount; ++i) {
    const label = row(i);
    const value = load<u32>(label, VALUE_AT) as usize;
    split(value, load<u32>(label, VALUE_BYTES) as usize);
    const ref = stemBytes == 0 ? 0 : useText(value, stemBytes, near);
    if (ref == 0 && stemBytes != 0) isFull = true;
    store<u32>(label, ref, STEM);
    to = writeLabel(to, ref, stemNumber);
  }
  return isFull ? 0 : to;
}

/**
 * Creates the metric that the line names in this family, where findMetric has just not found it. `shape` is its block's,
 * `rest` the bytes behind its labels, which are left undefined. `length` is INCOMPLETE (samples.ts), or the bytes of the
 * value; the walk over samples (record.ts) stands there then. 0: there is no room, and nothing has changed.
 */
export function createMetric(family: u32, shape: u32, length: u32, rest: usize): u32 {
  // In a full narrow cache no text is looked for in vain: where there is less room than a usual record needs, two bytes
  // a label, it has to be made first.
  if (!WIDE && !canGrow(0, LABELS_AT + (labelCount as usize) * 2 + rest + OFFSET)) return 0;
  const near = lastBlock(address(family));
  let names: u32 = 0;
  let used: u32 = 0;
  if (near != 0 && hasLineNames(address(near))) names = labelsOf(address(near));
  else if (labelCount != 0) {
    used = useText(TEXT, writeNames(TEXT), near);
    if (used == 0) return 0;
    names = used;
  }
  const end = useLabels(near);
  const ref = end == 0 ? 0 : place(family, names, shape, LABELS_AT + (end - TEXT) + rest, 0, false);
  if (ref != 0) {
    const record = metricAddress(ref);
    setFlags(record, length);
    copy(record + LABELS_AT, TEXT, end - TEXT);
    beginCreated(record, end - TEXT);
    storeStamp(record + STAMP_AT, stampOf(shape & 15));
    link(ref, record, lineHash);
    add(METRICS, 1);
  } else for (let i: u32 = 0; i < labelCount; ++i) dropText(load<u32>(row(i), STEM));
  dropText(used);
  return ref;
}

/** Removes a metric; its block and its family go with their last one. */
export function removeMetric(ref: u32): void {
  const record = metricAddress(ref);
  storeRef(linkTo(ref), loadRef(record));
  add(METRICS, -1);
  // Dropping texts moves the record, so their references are noted first.
  let noted: usize = TEXT;
  beginLabels(ref);
  while (nextLabel()) {
    store<u32>(noted, labelRef);
    noted += 4;
  }
  let samples: i32 = 1;
  let bytes = nextValue - record + valueSize((load<u8>(record, FLAGS_AT) as u32) & 15);
  if (isMany(record)) {
    store<u32>(noted, loadRef(nextValue));
    noted += 4;
    samples = load<u8>(nextValue, COUNT_AT);
    bytes = recordSize(ref);
  }
  add(SERIES, -samples);
  removePlaced(ref, bytes);
  for (let note: usize = TEXT; note < noted; note += 4) dropText(load<u32>(note));
}

/** Takes a metric, whose record has `bytes` bytes, out of its block; what it refers to stays. */
function removePlaced(ref: u32, bytes: usize): void {
  const block = ref >> 4;
  metricGone(ref);
  removeRecord(block, ref & 15, bytes);
  if (slotsOf(address(block)) == 0) dropBlock(block);
}

/** The family that stays although it has no blocks for a moment. */
let held: u32 = 0;

/** Makes a family, 0: none, stay when it loses its last block. */
export function hold(family: u32): void {
  held = family;
}

/** Frees a block without metrics, and its family if that was the last. */
export function dropBlock(block: u32): void {
  const family = familyOf(address(block));
  freeBlock(block);
  if (family != held && lastBlock(address(family)) == 0) dropFamily(family);
}

/** Frees a family without blocks, and its help. */
export function dropFamily(family: u32): void {
  dropHelp(family);
  freeFamily(family);
}

/**
 * Moves a metric to another block of its family, of this shape, with `more` undefined bytes inserted
 * `before` bytes behind its record's begin. Returns its new reference; 0: there is no room, and nothing has changed.
 */
export function moveMetric(ref: u32, shape: u32, before: usize, more: usize): u32 {
  const from = ref >> 4;
  const at = address(from);
  const family = familyOf(at);
  const bytes = recordSize(ref);
  // No open page may have it twice, or miss it: it stays where it is in the order of those that stand in its family.
  const moved = place(family, labelsOf(at), shape, bytes + more, from, isInside(family));
  if (moved == 0) return 0;
  const record = metricAddress(ref);
  const to = metricAddress(moved);
  copy(to, record, before);
  copy(to + before + more, record + before, bytes - before);
  const flags = load<u8>(to, FLAGS_AT) as u32;
  if (flags >> 4 != HIDDEN && (isBehind(from, ref) || isBehind(moved >> 4, 0))) setFlags(to, flags & 15);
  storeRef(linkTo(ref), moved);
  storeStamp(to + STAMP_AT, stampOf(shape & 15));
  removePlaced(ref, bytes);
  return moved;
}

/**
 * Inserts `more` undefined bytes `place` bytes behind the begin of a metric's record. Returns its reference, which may
 * have changed; 0: there is no room, and nothing has changed.
 */
export function growMetric(ref: u32, place: usize, more: usize): u32 {
  const block = ref >> 4;
  const at = address(block);
  if (!canGrowRecord(block, ref & 15, more)) return moveMetric(ref, shapeOf(at), place, more);
  resizeRecord(block, ref & 15, metricAddress(ref) + place, more as i32);
  return ref;
}
