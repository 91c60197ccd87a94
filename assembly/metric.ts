/**
 * Metrics: found by name and set of labels, created, moved, removed. The layout of a record is in block.ts.
 *
 * Identity is a sum of hashes, one for each label that is not empty, so the order of labels does not matter to it;
 * a hash is never believed, labels are compared.
 */

import {
  addRecord,
  canAdd,
  classOf,
  createBlock,
  FLAGS_AT,
  familyOf,
  freeBlock,
  kindOf,
  LABELS_AT,
  labelsOf,
  MANY,
  META,
  MULTI,
  namesAt,
  nextBlock,
  oldestOf,
  previousBlock,
  recordAt,
  removeRecord,
  STAMP_AT,
  setOldest,
  slotsOf,
} from "./block";
import { copy, equal, hash } from "./bytes";
import { dueAt, stampOf, storeStamp } from "./clock";
import { isInside, metricGone } from "./cursor";
import { flags, freeFamily, HAS_HOLES, helpOf, lastBlock, setFlag, setHelp } from "./family";
import { add, GENERATION, HOLE, keepsTimestamps, METRIC_MASK, METRICS, NEXT_DUE, PASS_DUE, SERIES } from "./header";
import { address, addressOf, BLOCK, loadRef, storeRef, textAddress } from "./heap";
import { releaseHelp } from "./help";
import { REF, SEARCH_BLOCKS, TEXT, WIDE } from "./layout";
import {
  HASH,
  labelCount,
  labelHash,
  NAME_AT,
  NAME_BYTES,
  NAME_HASH,
  NUMBER,
  row,
  STEM_BYTES,
  VALUE_AT,
  VALUE_BYTES,
} from "./line";
import {
  dropText,
  labelBytes,
  labelNumber,
  labelRef,
  NO_NUMBER,
  readLabel,
  textBytes,
  textLength,
  useText,
  writeLabel,
} from "./text";

/** Address of the metrics' buckets. */
let buckets: usize = 0;

export function initialize(at: usize): void {
  buckets = at;
}

function bucketOf(h: u32): usize {
  return buckets + ((h & load<u32>(METRIC_MASK)) as usize) * REF;
}

/** Address of the record of a metric known to live. */
export function metricAddress(ref: u32): usize {
  return recordAt(address(ref >> 4), ref & 15);
}

function familyHash(family: u32): u32 {
  return family * 0x9e3779b1;
}

function fold(h: u32): u32 {
  return h ^ (h >> 15);
}

/** The hash of the line's labels, without label number `skip`, in this family. */
export function lineHash(family: u32, skip: i32): u32 {
  let h = familyHash(family);
  for (let i: u32 = 0; i < labelCount; ++i) if ((i as i32) != skip) h += load<u32>(row(i), HASH);
  return fold(h);
}

/** The same of a record in the block `at`. */
function recordHash(at: usize, record: usize): u32 {
  let h = familyHash(familyOf(at));
  let names = namesAt(at);
  let value = record + LABELS_AT;
  for (let i = load<u8>(names++) as u32; i > 0; --i) {
    const bytes = load<u8>(names) as usize;
    value = readLabel(value);
    const nameHash = hash(names + 1, bytes);
    if (labelRef == 0) h += labelHash(nameHash, 0, 0, labelNumber);
    else {
      const text = textAddress(labelRef);
      h += labelHash(nameHash, textBytes(text), textLength(text), labelNumber);
    }
    names += bytes + 1;
  }
  return fold(h);
}

/** Whether the label value that readLabel read is that of a row. */
function sameValue(at: usize): bool {
  if (labelNumber != load<u32>(at, NUMBER)) return false;
  const bytes = load<u32>(at, STEM_BYTES) as usize;
  if (labelRef == 0) return bytes == 0;
  const text = textAddress(labelRef);
  return textLength(text) == bytes && equal(textBytes(text), load<u32>(at, VALUE_AT) as usize, bytes);
}

/** Whether the line's labels are the record's in the same order. */
function sameSequence(at: usize, record: usize, skip: i32): bool {
  let names = namesAt(at);
  let count = load<u8>(names++) as u32;
  let value = record + LABELS_AT;
  for (let i: u32 = 0; i < labelCount; ++i) {
    if ((i as i32) == skip) continue;
    if (count-- == 0) return false;
    const label = row(i);
    const bytes = load<u8>(names) as usize;
    if ((load<u32>(label, NAME_BYTES) as usize) != bytes) return false;
    if (!equal(names + 1, load<u32>(label, NAME_AT) as usize, bytes)) return false;
    value = readLabel(value);
    if (!sameValue(label)) return false;
    names += bytes + 1;
  }
  return count == 0;
}

/** The row of this label, 0: the line has none, or only label number `skip`. */
function rowOf(name: usize, bytes: usize, skip: i32): usize {
  for (let i: u32 = 0; i < labelCount; ++i) {
    const label = row(i);
    if ((i as i32) == skip || (load<u32>(label, NAME_BYTES) as usize) != bytes) continue;
    if (equal(load<u32>(label, NAME_AT) as usize, name, bytes)) return label;
  }
  return 0;
}

/** Whether the line's set of labels is the record's; empty ones do not count. */
function sameSet(at: usize, record: usize, skip: i32): bool {
  let left: u32 = 0;
  for (let i: u32 = 0; i < labelCount; ++i) {
    if ((i as i32) != skip && load<u32>(row(i), VALUE_BYTES) != 0) ++left;
  }
  let names = namesAt(at);
  let value = record + LABELS_AT;
  for (let i = load<u8>(names++) as u32; i > 0; --i) {
    const bytes = load<u8>(names) as usize;
    value = readLabel(value);
    if (labelRef != 0 || labelNumber != NO_NUMBER) {
      const label = rowOf(names + 1, bytes, skip);
      if (label == 0 || !sameValue(label)) return false;
      --left;
    }
    names += bytes + 1;
  }
  return left == 0;
}

/** Whether the line, without label number `skip`, names this metric of its family. */
export function isSame(ref: u32, skip: i32): bool {
  const at = address(ref >> 4);
  const record = recordAt(at, ref & 15);
  return sameSequence(at, record, skip) || sameSet(at, record, skip);
}

/** The metric of this family that the line, without label number `skip`, names; 0: there is none. */
export function findMetric(family: u32, h: u32, skip: i32): u32 {
  let ref = loadRef(bucketOf(h));
  while (ref != 0) {
    const at = address(ref >> 4);
    const record = recordAt(at, ref & 15);
    if (familyOf(at) == family && (sameSequence(at, record, skip) || sameSet(at, record, skip))) return ref;
    ref = loadRef(record);
  }
  return 0;
}

/** Address behind the labels of a record: its value or samples. */
export function behindLabels(at: usize, record: usize): usize {
  let value = record + LABELS_AT;
  for (let i = load<u8>(namesAt(at)) as u32; i > 0; --i) value = readLabel(value);
  return value;
}

/** Bytes of a kept time stamp. */
export function timestampBytes(): usize {
  return keepsTimestamps() ? 8 : 0;
}

/** Bytes of what goes before the samples of a metric that holds many (samples.ts). */
export const SAMPLES_HEAD: usize = REF + 2;

/** Bytes of the record. */
export function recordSize(at: usize, record: usize): usize {
  let end = behindLabels(at, record);
  const length = (load<u8>(record, FLAGS_AT) as u32) & 15;
  if (length != MANY) return end + (length as usize) + timestampBytes() - record;
  let samples = load<u8>(end, REF + 1) as u32;
  for (end += SAMPLES_HEAD; samples > 0; --samples) {
    end += 1 + (((load<u8>(end) as u32) & 15) as usize) + timestampBytes();
  }
  return end - record;
}

/** Number of samples of a metric. */
export function samplesOf(at: usize, record: usize): u32 {
  if (((load<u8>(record, FLAGS_AT) as u32) & 15) != MANY) return 1;
  return load<u8>(behindLabels(at, record), REF + 1);
}

/** Writes the line's label names as a block keeps them, without label number `skip`; returns the bytes. */
function writeNames(to: usize, skip: i32): usize {
  const start = to;
  store<u8>(to++, labelCount - (skip < 0 ? 0 : 1));
  for (let i: u32 = 0; i < labelCount; ++i) {
    if ((i as i32) == skip) continue;
    const bytes = load<u32>(row(i), NAME_BYTES) as usize;
    store<u8>(to++, bytes as u32);
    copy(to, load<u32>(row(i), NAME_AT) as usize, bytes);
    to += bytes;
  }
  return to - start;
}

/** Whether a block takes a record of these bytes. */
function takes(ref: u32, labels: u32, index: u32, kind: u32, bytes: usize): bool {
  const at = address(ref);
  return labelsOf(at) == labels && classOf(at) == index && kindOf(at) == kind && canAdd(ref, at, bytes);
}

/** A block of the family that takes a record of these bytes, other than `except`; 0: none was found. */
function findBlock(family: u32, labels: u32, index: u32, kind: u32, bytes: usize, except: u32): u32 {
  const owner = address(family);
  const last = lastBlock(owner);
  if (last == 0) return 0;
  if (last != except && takes(last, labels, index, kind, bytes)) return last;
  const at = address(last);
  const alike = labelsOf(at) == labels && classOf(at) == index && kindOf(at) == kind;
  if (alike && (flags(owner) & HAS_HOLES) == 0) return 0;
  const hole = load<u32>(HOLE);
  const holeAt: usize = hole == except ? 0 : addressOf(hole, BLOCK);
  if (holeAt != 0 && familyOf(holeAt) == family && takes(hole, labels, index, kind, bytes)) return hole;
  let ref = last;
  for (let i: u32 = WIDE ? 8 : SEARCH_BLOCKS; i > 0; --i) {
    ref = WIDE ? previousBlock(ref, address(ref)) : nextBlock(address(ref));
    if (ref != except && takes(ref, labels, index, kind, bytes)) return ref;
    if (ref == last) {
      if (alike) setFlag(owner, HAS_HOLES, false);
      break;
    }
  }
  return 0;
}

/** Notes that a metric of this class, pushed now, will expire. */
export function noticeDue(index: u32): void {
  const due = dueAt(index, stampOf(index));
  if (due < load<f64>(NEXT_DUE)) store<f64>(NEXT_DUE, due);
  if (due < load<f64>(PASS_DUE)) store<f64>(PASS_DUE, due);
}

/** Adds an undefined record to a block of the family; `labels` is used by it. Returns the metric, 0: no room. */
function place(family: u32, labels: u32, index: u32, kind: u32, bytes: usize, except: u32): u32 {
  let block = findBlock(family, labels, index, kind, bytes, except);
  if (block != 0) {
    dropText(labels);
  } else {
    const last = lastBlock(address(family));
    block = createBlock(family, labels, index, kind, bytes);
    if (block == 0) {
      dropText(labels);
      return 0;
    }
    if (last != 0 && kindOf(address(last)) == META) freeBlock(last);
    noticeDue(index);
  }
  return (block << 4) | addRecord(block, bytes);
}

/** The line's labels as references, in their rows' NAME_HASH; returns the bytes they take, or -1: no room. */
function useLabels(skip: i32, near: u32): isize {
  let bytes: usize = 0;
  for (let i: u32 = 0; i < labelCount; ++i) {
    if ((i as i32) == skip) continue;
    const label = row(i);
    const stem = load<u32>(label, STEM_BYTES) as usize;
    let ref: u32 = 0;
    if (stem != 0) {
      ref = useText(load<u32>(label, VALUE_AT) as usize, stem, near);
      if (ref == 0) {
        dropLabels(skip, i);
        return -1;
      }
    }
    store<u32>(label, ref, NAME_HASH);
    bytes += labelBytes(ref, load<u32>(label, NUMBER));
  }
  return bytes as isize;
}

function dropLabels(skip: i32, count: u32): void {
  for (let i: u32 = 0; i < count; ++i) if ((i as i32) != skip) dropText(load<u32>(row(i), NAME_HASH));
}

/**
 * Creates the metric that the line, without label number `skip`, names in this family. `h` is its lineHash, `index`
 * its class, `rest` the bytes behind its labels, which are left undefined. `kind` is MULTI or 0; then `length` is
 * MANY, or the bytes of the value. 0: there is no room, and nothing has changed.
 */
export function createMetric(family: u32, h: u32, skip: i32, index: u32, kind: u32, length: u32, rest: usize): u32 {
  const near = lastBlock(address(family));
  let labels: u32 = 0;
  if (labelCount != (skip < 0 ? 0 : 1)) {
    labels = useText(TEXT, writeNames(TEXT, skip), near);
    if (labels == 0) return 0;
  }
  const bytes = useLabels(skip, near);
  if (bytes < 0) {
    dropText(labels);
    return 0;
  }
  const ref = place(family, labels, index, kind, LABELS_AT + (bytes as usize) + rest, 0);
  if (ref == 0) {
    dropLabels(skip, labelCount);
    return 0;
  }
  const record = metricAddress(ref);
  const bucket = bucketOf(h);
  storeRef(record, loadRef(bucket));
  storeRef(bucket, ref);
  storeStamp(record + STAMP_AT, stampOf(index));
  store<u8>(record, length | (load<u32>(GENERATION) << 4), FLAGS_AT);
  let to = record + LABELS_AT;
  for (let i: u32 = 0; i < labelCount; ++i) {
    if ((i as i32) != skip) to = writeLabel(to, load<u32>(row(i), NAME_HASH), load<u32>(row(i), NUMBER));
  }
  add(METRICS, 1);
  return ref;
}

/** Makes the link of the bucket that leads to `ref` lead to `to`. */
function relink(h: u32, ref: u32, to: u32): void {
  let link = bucketOf(h);
  for (;;) {
    const next = loadRef(link);
    if (next == ref) break;
    link = metricAddress(next);
  }
  storeRef(link, to);
}

/** Whether the bucket of its hash leads to the metric. */
export function isLinked(ref: u32): bool {
  const at = address(ref >> 4);
  let other = loadRef(bucketOf(recordHash(at, recordAt(at, ref & 15))));
  while (other != 0 && other != ref) other = loadRef(metricAddress(other));
  return other == ref;
}

/** Removes a metric; its block and its family go with their last one. */
export function removeMetric(ref: u32): void {
  const block = ref >> 4;
  const at = address(block);
  const record = recordAt(at, ref & 15);
  relink(recordHash(at, record), ref, loadRef(record));
  add(METRICS, -1);
  add(SERIES, -(samplesOf(at, record) as i32));
  // Dropping texts moves the record, so their references are noted first.
  let noted: usize = TEXT;
  let value = record + LABELS_AT;
  for (let i = load<u8>(namesAt(at)) as u32; i > 0; --i) {
    value = readLabel(value);
    store<u32>(noted, labelRef);
    noted += 4;
  }
  if (((load<u8>(record, FLAGS_AT) as u32) & 15) == MANY) {
    store<u32>(noted, loadRef(value));
    noted += 4;
  }
  removeFromBlock(ref, recordSize(at, record));
  for (let note: usize = TEXT; note < noted; note += 4) dropText(load<u32>(note));
}

function removeFromBlock(ref: u32, bytes: usize): void {
  const block = ref >> 4;
  const family = familyOf(address(block));
  metricGone(ref);
  removeRecord(block, ref & 15, bytes);
  store<u32>(HOLE, block);
  if (slotsOf(address(block)) == 0) dropBlock(block, family);
}

/** The family that stays although it has no blocks for a moment. */
let held: u32 = 0;

/** Makes a family, 0: none, stay when it loses its last block. */
export function hold(family: u32): void {
  held = family;
}

/** Frees a block without metrics, and its family if that was the last. */
export function dropBlock(block: u32, family: u32): void {
  freeBlock(block);
  if (family != held && lastBlock(address(family)) == 0) dropFamily(family);
}

/** Frees a family without blocks, and its help. */
export function dropFamily(family: u32): void {
  const help = helpOf(address(family));
  if (help != 0) {
    setHelp(family, 0);
    releaseHelp(help);
  }
  freeFamily(family);
}

/** The generation of a metric that is moved to the end of its family, so that no open page has it twice. */
function movedGeneration(family: u32, generation: u32): u32 {
  if (!isInside(family)) return generation;
  return load<u32>(GENERATION);
}

/**
 * Moves a metric to another block of its family, of class `index` and this kind, with `more` undefined bytes inserted
 * `before` bytes behind its record's begin. Returns its new reference; 0: there is no room, and nothing has changed.
 */
export function moveMetric(ref: u32, index: u32, kind: u32, before: usize, more: usize): u32 {
  const from = ref >> 4;
  let at = address(from);
  let record = recordAt(at, ref & 15);
  const bytes = recordSize(at, record);
  const family = familyOf(at);
  const labels = labelsOf(at);
  if (labels != 0) useAgain(labels);
  const moved = place(family, labels, index, kind, bytes + more, from);
  if (moved == 0) return 0;
  at = address(from);
  record = recordAt(at, ref & 15);
  const to = metricAddress(moved);
  copy(to, record, before);
  copy(to + before + more, record + before, bytes - before);
  const flags = load<u8>(to, FLAGS_AT) as u32;
  const generation = flags >> 4 == 15 ? 15 : movedGeneration(family, flags >> 4);
  store<u8>(to, (flags & 15) | (generation << 4), FLAGS_AT);
  storeStamp(to + STAMP_AT, stampOf(index));
  relink(recordHash(at, record), ref, moved);
  removeFromBlock(ref, bytes);
  return moved;
}

/** Uses a text, known to live, once more. */
function useAgain(ref: u32): void {
  const uses = textAddress(ref) + REF;
  storeRef(uses, loadRef(uses) + 1);
}
