/**
 * What a sample line does: finds the family that owns its name, the metric, the sample; creates what is new.
 */

import {
  canGrowRecord,
  classOf,
  FLAGS_AT,
  familyOf,
  firstRecord,
  growRecord,
  HIDDEN,
  kindOf,
  liveRecords,
  MANY,
  META,
  MULTI,
  nextBlock,
  recordAt,
  STAMP_AT,
  setClass,
  setOldest,
} from "./block";
import { hash } from "./bytes";
import { beginRoom, makeRoom } from "./cache";
import { isExpired, loadStamp, stampOf, storeStamp } from "./clock";
import { LAST_METRIC, LAST_TYPE, ROUND, TYPED_NAME } from "./connection";
import {
  BY_BASE,
  COUNTER,
  createFamily,
  declaredOf,
  findFamily,
  findRelative,
  GAUGE_HISTOGRAM,
  HISTOGRAM,
  helpOf,
  INFO,
  lastBlock,
  SUMMARY,
  setFlag,
  setHelp,
  setTypes,
  setUnit,
  TYPED,
  typeOf,
  unitOf as unitOfFamily,
} from "./family";
import {
  add,
  CACHE_SIZE,
  CLASHES,
  CREATED,
  count,
  EXPIRED,
  keepsTimestamps,
  NOT_ITS_SAMPLE,
  rejects,
  SAMPLES,
  SERIES,
  TOO_BIG,
} from "./header";
import { address, addressOf, BLOCK } from "./heap";
import { NAME_LIMIT, OUTPUT_BYTES, VALUE_CHARS, WIDE } from "./layout";
import {
  hasTimestamp,
  labelCount,
  lineTimestampMs,
  NAME_AT,
  NAME_BYTES,
  nameAt,
  nameBytes,
  row,
  STEM_BYTES,
  VALUE_AT,
  VALUE_BYTES,
  valueBytes,
  valueHigh,
  valueLow,
} from "./line";
import {
  behindLabels,
  createMetric,
  dropBlock,
  dropFamily,
  findMetric,
  hold,
  isSame,
  lineHash,
  metricAddress,
  moveMetric,
  noticeDue,
  recordSize,
  removeMetric,
  SAMPLES_HEAD,
  timestampBytes,
} from "./metric";
import { readValue, setPacked, storePacked } from "./number";
import {
  addFailure,
  addSample,
  BUCKET,
  beginRound,
  COUNT,
  CREATED_PART,
  convert,
  emptySchema,
  endRound,
  findSample,
  foundSample,
  GCOUNT,
  GSUM,
  initializeSamples,
  markSeen,
  QUANTILE,
  roundOf,
  SUM,
  sampleCountOf,
  samplesAt,
  TOTAL,
} from "./samples";
import { dropText, fitsText } from "./text";
import {
  EXACT,
  endsIn,
  INFO_SUFFIX,
  isWord,
  LE,
  nth,
  QUANTILE_WORD,
  SUFFIXES,
  suffixOf,
  TOTAL_SUFFIX,
  wordBytes,
} from "./word";

/** What the metadata before a series may take of a piece. */
const METADATA_BYTES: usize = 7168;
/** A value's bytes where growing could not make room. */
const RESERVED: u32 = VALUE_CHARS >> 1;
/** A time stamp that is none. */
export const NO_TIMESTAMP: i64 = i64.MIN_VALUE;

/** Why a sample was not taken, a reason of a bad line, or REFUSED. */
export const TAKEN: i32 = -1;
export const REFUSED: i32 = -2;
/** The owner has expired. */
const GONE: i32 = -3;

/** The owner of the line's sample: its family, 0: new; the part of the metric; the label that names the part. */
let owner: u32 = 0;
let part: u32 = 0;
let special: i32 = -1;
/** The family's name is the line's first bytes. */
let ownerBytes: usize = 0;

/** Where the time to live of a push leads: class of the connection. */
let index: u32 = 0;

/** The part that the name's end says, and its bytes in `suffixBytes`; TOTAL: none. */
let suffixBytes: usize = 0;
function suffixPart(): u32 {
  const suffix = suffixOf(nameAt, nameBytes);
  suffixBytes = wordBytes(nth(SUFFIXES, suffix));
  return suffix;
}

/** The type that a family's next samples have to fit. */
function wantedType(family: usize): u32 {
  const declared = declaredOf(family);
  return (declared != 0 ? declared : typeOf(family)) & 7;
}

/** Whether metrics of this type have samples with the suffix of a part. */
function owns(type: u32, suffix: u32): bool {
  if (type == GAUGE_HISTOGRAM) return suffix == BUCKET || suffix >= GSUM;
  if (type == HISTOGRAM && suffix == BUCKET) return true;
  return (type == HISTOGRAM || type == SUMMARY) && (suffix == SUM || suffix == COUNT || suffix == CREATED_PART);
}

/** Whether the type's metrics hold many samples. */
export function holdsMany(type: u32): bool {
  return type >= HISTOGRAM && type <= GAUGE_HISTOGRAM;
}

/** The number of the label of this name with a number for a value, or -1. */
function findSpecial(word: usize): i32 {
  for (let i: u32 = 0; i < labelCount; ++i) {
    const label = row(i);
    const name = load<u32>(label, NAME_AT) as usize;
    if (!isWord(name, name + (load<u32>(label, NAME_BYTES) as usize), word, EXACT)) continue;
    const at = load<u32>(label, VALUE_AT) as usize;
    const length = load<u32>(label, VALUE_BYTES) as usize;
    return length <= NAME_LIMIT && readValue(at, at + length) ? (i as i32) : -1;
  }
  return -1;
}

/** The type that the last TYPE line gave the name that is the line's first bytes; 0: none. */
function pendingType(bytes: usize): u32 {
  const type = load<u8>(LAST_TYPE) as u32;
  return type != 0 && load<u32>(TYPED_NAME) == hash(nameAt, bytes) ? type : 0;
}

/** Makes the family that is called like the line's first bytes the owner; returns the type that it has or is to have. */
function ownBy(bytes: usize): u32 {
  ownerBytes = bytes;
  owner = findFamily(nameAt, bytes);
  return owner != 0 ? wantedType(address(owner)) : pendingType(bytes) & 7;
}

/** Finds out who owns the line's sample. False: it is a sample that its owner cannot have. */
function resolve(): bool {
  special = -1;
  const suffix = suffixPart();
  part = suffix;
  let type = ownBy(nameBytes - suffixBytes);
  if (part != TOTAL && !owns(type, part)) {
    part = TOTAL;
    type = ownBy(nameBytes);
    if (owner == 0 && suffix == CREATED_PART && pendingType(nameBytes) == 0 && findTotal()) return true;
  }
  if (part == TOTAL && type == SUMMARY) part = QUANTILE;
  if (part != BUCKET && part != QUANTILE) return part != TOTAL || !holdsMany(type);
  special = findSpecial(part == BUCKET ? LE : QUANTILE_WORD);
  return special >= 0;
}

/** Whether the line is the `_created` of a counter that is known: it is a part of that metric then. */
function findTotal(): bool {
  const family = findRelative(nameAt, nameBytes - suffixBytes, TOTAL_SUFFIX);
  if (family == 0 || wantedType(address(family)) != COUNTER) return false;
  if (findMetric(family, lineHash(family, -1), -1) == 0) return false;
  owner = family;
  part = CREATED_PART;
  return true;
}

/** Removes all blocks of a family, and the family itself unless it is to stay. */
function purge(family: u32, stays: bool): void {
  hold(stays ? family : 0);
  for (;;) {
    const last = lastBlock(address(family));
    const block = nextBlock(address(last));
    const at = address(block);
    const live = liveRecords(at);
    if (kindOf(at) == META) dropBlock(block);
    else removeMetric((block << 4) | firstRecord(at));
    if (block == last && live < 2) break;
  }
  hold(0);
}

/** The family that is called as a sample of the histogram or summary at hand goes: it has an owner now. */
function claim(suffix: u32): void {
  const family = findRelative(nameAt, ownerBytes, nth(SUFFIXES, suffix));
  if (family == 0 || holdsMany(typeOf(address(family)) & 7)) return;
  if (hasMetrics(family)) count(CLASHES);
  purge(family, false);
}

/** Claims the names of the samples that a type has. */
function claimAll(type: u32): void {
  for (let suffix = SUM; suffix <= GCOUNT; ++suffix) if (suffix != BUCKET && owns(type, suffix)) claim(suffix);
  if (owns(type, BUCKET)) claim(BUCKET);
}

/** Whether the family has metrics. */
export function hasMetrics(family: u32): bool {
  const last = lastBlock(address(family));
  return last != 0 && kindOf(address(last)) != META;
}

/** Makes the owner's metrics be of the type that was declared last: those of another shape go. */
function conform(): void {
  const at = address(owner);
  const declared = declaredOf(at);
  if (declared == 0 || declared == typeOf(at)) return;
  if (hasMetrics(owner)) purge(owner, true);
  setTypes(address(owner), declared, declared);
}

/** Whether the line's series is small enough to be kept, and its lines to be written. */
function fits(): bool {
  let kept = nameBytes;
  let names = nameBytes;
  let written: usize = 64;
  for (let i: u32 = 0; i < labelCount; ++i) {
    const label = row(i);
    const value = load<u32>(label, VALUE_BYTES) as usize;
    names += load<u32>(label, NAME_BYTES) as usize;
    kept += (load<u32>(label, NAME_BYTES) as usize) + value;
    written += value + 4;
    if (!fitsText(load<u32>(label, STEM_BYTES) as usize)) return false;
  }
  // A character outside of [a-zA-Z0-9_:] is escaped by up to four for each of its bytes.
  written += names << 2;
  return (
    fitsText(names) && (kept as u32) + 64 <= load<u32>(CACHE_SIZE) >> 1 && written <= OUTPUT_BYTES - METADATA_BYTES
  );
}

/** Bytes of `x` if OpenMetrics declared `x`, whose sample this is: `x_total` of a counter, `x_info`. Else 0. */
function declaredBase(): usize {
  const isTotal = endsIn(nameAt, nameBytes, TOTAL_SUFFIX);
  if (!isTotal && !endsIn(nameAt, nameBytes, INFO_SUFFIX)) return 0;
  const bytes = nameBytes - wordBytes(isTotal ? TOTAL_SUFFIX : INFO_SUFFIX);
  const type = (isTotal ? COUNTER : INFO) | TYPED;
  const base = findFamily(nameAt, bytes);
  if (base == 0) return pendingType(bytes) == type ? bytes : 0;
  return !hasMetrics(base) && declaredOf(address(base)) == type ? bytes : 0;
}

/** Takes over what was declared of the base, the line's first bytes, for the new owner. */
function adopt(bytes: usize): void {
  const type = (nameBytes - bytes == wordBytes(TOTAL_SUFFIX) ? COUNTER : INFO) | TYPED;
  setTypes(address(owner), type, type);
  setFlag(address(owner), BY_BASE, true);
  const base = findFamily(nameAt, bytes);
  if (base == 0 || hasMetrics(base)) return;
  const help = helpOf(address(base));
  if (help != 0 && helpOf(address(owner)) == 0 && setHelp(owner, help)) setHelp(base, 0);
  setUnit(owner, unitOfFamily(address(base)));
  purge(base, false);
}

/** Creates the line's metric in `owner`, which it may create. 0: there is no room, and nothing has changed. */
function attempt(types: u32, kind: u32, length: u32, rest: usize): u32 {
  let schema: u32 = 0;
  if (kind == MULTI) {
    schema = emptySchema(special < 0 ? 255 : (special as u32));
    if (schema == 0) return 0;
  }
  if (owner == 0) {
    owner = createFamily(nameAt, ownerBytes);
    if (owner == 0) {
      dropText(schema);
      return 0;
    }
    setTypes(address(owner), types & 15, types >> 4);
  }
  const ref = createMetric(owner, lineHash(owner, special), special, index | kind, length, rest);
  if (ref == 0) {
    dropText(schema);
    if (lastBlock(address(owner)) == 0) dropFamily(owner);
    return 0;
  }
  if (kind == MULTI) initializeSamples(samplesAt(ref), schema);
  return ref;
}

/** Creates the line's metric, making room for it. 0: it is refused, and counted. */
function create(kind: u32, length: u32, rest: usize): u32 {
  const types: u32 =
    owner == 0 ? pendingType(ownerBytes) * 17 : typeOf(address(owner)) | (declaredOf(address(owner)) << 4);
  if (kind == MULTI && (owner == 0 || !hasMetrics(owner))) {
    claimAll(types & 7);
    owner = findFamily(nameAt, ownerBytes);
  }
  const base = owner == 0 && kind == 0 ? declaredBase() : 0;
  beginRoom();
  let ref = attempt(types, kind, length, rest);
  while (ref == 0) {
    if (!makeRoom(findFamily(nameAt, ownerBytes), 0)) return 0;
    owner = findFamily(nameAt, ownerBytes);
    ref = attempt(types, kind, length, rest);
  }
  count(CREATED);
  if (base != 0) adopt(base);
  return ref;
}

/** Gives up a sample that is too big; the owner goes if conform has left it without blocks. */
function abandon(): i32 {
  if (owner != 0 && lastBlock(address(owner)) == 0) dropFamily(owner);
  return TOO_BIG;
}

/** Bytes kept for a value: where newcomers are refused, known series must be able to grow without room. */
function allotted(): u32 {
  if (rejects()) return RESERVED;
  if (!WIDE) return valueBytes;
  return valueBytes > 8 ? RESERVED : 8;
}

/**
 * Inserts `more` bytes at `place` bytes behind the metric's record, and makes it one of class `to`, making room.
 * Returns the metric; 0: there is no room.
 */
function grow(ref: u32, to: u32, place: usize, more: usize): u32 {
  beginRoom();
  let grown = tryGrow(ref, to, place, more);
  while (grown == 0 && makeRoom(0, ref)) grown = tryGrow(ref, to, place, more);
  return grown;
}

function tryGrow(ref: u32, to: u32, place: usize, more: usize): u32 {
  const block = ref >> 4;
  const at = address(block);
  if (classOf(at) != to || !canGrowRecord(block, ref & 15, more)) return moveMetric(ref, to | kindOf(at), place, more);
  growRecord(block, ref & 15, metricAddress(ref) + place, more);
  return ref;
}

/** Class of the metric. */
function metricClass(ref: u32): u32 {
  return classOf(address(ref >> 4));
}

/** Makes the value's low half of the byte at `at` say `length`. */
function storeLength(at: usize, length: u32): void {
  store<u8>(at, ((load<u8>(at) as u32) & 0xf0) | length);
}

/** Stores the line's value and time stamp at an address of the right size. */
function storeValue(at: usize, length: u32): void {
  setPacked(valueLow, valueHigh, valueBytes);
  storePacked(at, length);
  if (keepsTimestamps()) store<i64>(at + (length as usize), hasTimestamp ? lineTimestampMs : NO_TIMESTAMP);
}

/** Gives a metric the push's time, and its time to live. Returns its reference, which may have changed. */
function touch(ref: u32): u32 {
  const at = address(ref >> 4);
  storeStamp(recordAt(at, ref & 15) + STAMP_AT, stampOf(classOf(at)));
  if (classOf(at) == index) return ref;
  if (liveRecords(at) == 1) {
    setClass(at, index);
    setOldest(at, stampOf(index));
    noticeDue(index);
    storeStamp(recordAt(at, ref & 15) + STAMP_AT, stampOf(index));
    return ref;
  }
  const moved = grow(ref, index, recordSize(at, recordAt(at, ref & 15)), 0);
  return moved != 0 ? moved : ref;
}

/** The owner went with its last metric: who owns the line's sample has to be found out anew. */
let ownerGone: bool = false;

/** The line's metric in `owner`, 0: there is none. One that is expired goes, and its family with its last one. */
function findLiving(skip: i32): u32 {
  const ref = findMetric(owner, lineHash(owner, skip), skip);
  if (ref == 0) return 0;
  const at = address(ref >> 4);
  if (!isExpired(classOf(at), loadStamp(recordAt(at, ref & 15) + STAMP_AT))) return ref;
  removeMetric(ref);
  count(EXPIRED);
  const before = owner;
  owner = findFamily(nameAt, ownerBytes);
  ownerGone = owner != before;
  return 0;
}

/** The sample of a metric that has one. */
function single(): i32 {
  let ref: u32 = 0;
  if (owner != 0) {
    conform();
    ref = findLiving(-1);
  }
  if (ref == 0) {
    if (!fits()) return abandon();
    const length = allotted();
    ref = create(0, length, (length as usize) + timestampBytes());
    if (ref == 0) return REFUSED;
    add(SERIES, 1);
  } else {
    ref = touch(ref);
    if (kindOf(address(ref >> 4)) == MULTI) {
      openRound(ref);
      return takePart(ref);
    }
  }
  let record = metricAddress(ref);
  let length = (load<u8>(record, FLAGS_AT) as u32) & 15;
  if (valueBytes > length) {
    const wanted = allotted();
    const place = behindLabels(address(ref >> 4), record) - record;
    const grown = grow(ref, metricClass(ref), place, (wanted - length) as usize);
    if (grown == 0) {
      removeMetric(ref);
      return REFUSED;
    }
    ref = grown;
    record = metricAddress(ref);
    length = wanted;
    storeLength(record + FLAGS_AT, length);
  }
  storeValue(behindLabels(address(ref >> 4), record), length);
  store<u32>(LAST_METRIC, ref);
  return TAKEN;
}

/** Whether `ref`, any number, is a metric of many samples. */
function isMany(ref: u32): bool {
  if (ref == 0) return false;
  const at = addressOf(ref >> 4, BLOCK);
  return at != 0 && kindOf(at) == MULTI && recordAt(at, ref & 15) != 0;
}

/** Ends the round of the connection's open metric: another metric's line, or the end of the push, came. */
export function closeOpen(): void {
  const round = load<u8>(ROUND) as u32;
  if (round == 0) return;
  store<u8>(ROUND, 0);
  const ref = load<u32>(LAST_METRIC);
  if (isMany(ref)) endRound(ref, round);
}

/** The line's metric, if it is the connection's open one, else 0. */
function openMetric(): u32 {
  const ref = load<u32>(LAST_METRIC);
  if (load<u8>(ROUND) == 0 || !isMany(ref) || familyOf(address(ref >> 4)) != owner || !isSame(ref, special)) return 0;
  return ref;
}

/** Makes the metric the connection's open one: begins its round, or joins the one under way. */
function openRound(ref: u32): void {
  const head = samplesAt(ref);
  const round = roundOf(head);
  store<u32>(LAST_METRIC, ref);
  store<u8>(ROUND, round != 0 ? round : beginRound(head));
}

/** The sample of a metric that holds many. */
function many(): i32 {
  if (owner != 0) conform();
  let ref = openMetric();
  const isOpen = ref != 0;
  if (!isOpen) {
    closeOpen();
    if (owner != 0) ref = findLiving(special);
    if (ownerGone) return GONE;
    if (ref == 0 && part == CREATED_PART && !holdsMany(ownBy(ownerBytes))) {
      // The counter has expired, or is no counter any more.
      if (owner != 0 && lastBlock(address(owner)) == 0) dropFamily(owner);
      owner = 0;
      part = TOTAL;
      return single();
    }
  }
  if (ref == 0) {
    if (!fits()) return abandon();
    ref = create(MULTI, MANY, SAMPLES_HEAD);
    if (ref == 0) return REFUSED;
    store<u8>(metricAddress(ref), MANY | (HIDDEN << 4), FLAGS_AT);
  } else {
    ref = touch(ref);
    if (kindOf(address(ref >> 4)) != MULTI) ref = convertHere(ref);
    if (ref == 0) return REFUSED;
  }
  if (!isOpen) openRound(ref);
  else store<u32>(LAST_METRIC, ref);
  return takePart(ref);
}

/** Makes the metric one of many samples, making room for it. 0: there is none. */
function convertHere(ref: u32): u32 {
  beginRoom();
  let converted = convert(ref);
  while (converted == 0 && makeRoom(0, ref)) converted = convert(ref);
  return converted;
}

/** Stores the line's value as a part of the open metric. */
function takePart(ref: u32): i32 {
  const text: usize = special < 0 ? 0 : (load<u32>(row(special), VALUE_AT) as usize);
  const bytes: usize = special < 0 ? 0 : (load<u32>(row(special), VALUE_BYTES) as usize);
  let head = samplesAt(ref);
  if (findSample(head, part, text, bytes) && markSeen(foundSample) && roundOf(head) == load<u8>(ROUND)) {
    // The same sample again: the next round of the same metric.
    endRound(ref, load<u8>(ROUND));
    openRound(ref);
    findSample(samplesAt(ref), part, text, bytes);
    markSeen(foundSample);
  }
  if (foundSample == 0) {
    beginRoom();
    for (;;) {
      const added = addSample(ref, part, text, bytes, allotted());
      if (added != 0) {
        ref = added;
        break;
      }
      const failure = addFailure;
      if (failure != 0 || !makeRoom(0, ref)) {
        if (sampleCountOf(ref) == 0) removeMetric(ref);
        return failure != 0 ? failure : REFUSED;
      }
    }
  } else if (((load<u8>(foundSample) as u32) & 15) < valueBytes) {
    const length = (load<u8>(foundSample) as u32) & 15;
    const wanted = allotted();
    const place = foundSample + 1 - metricAddress(ref);
    const grown = grow(ref, metricClass(ref), place, (wanted - length) as usize);
    if (grown == 0) return REFUSED;
    ref = grown;
    storeLength(metricAddress(ref) + place - 1, wanted);
  }
  head = samplesAt(ref);
  findSample(head, part, text, bytes);
  markSeen(foundSample);
  storeValue(foundSample + 1, (load<u8>(foundSample) as u32) & 15);
  store<u32>(LAST_METRIC, ref);
  return TAKEN;
}

/**
 * Takes the line that line.ts has read, for the class of time to live `ttlClass`.
 * TAKEN; REFUSED: there was no room, counted; else why it is bad.
 */
export function takeSample(ttlClass: u32): i32 {
  index = ttlClass;
  ownerGone = false;
  if (!resolve()) return NOT_ITS_SAMPLE;
  let result = isPart() ? many() : takeSingle();
  if (result == GONE) {
    ownerGone = false;
    if (!resolve()) return NOT_ITS_SAMPLE;
    result = isPart() ? many() : takeSingle();
  }
  if (result == TAKEN) count(SAMPLES);
  return result;
}

/** Whether the line is one of many samples of its metric. */
function isPart(): bool {
  return part != TOTAL;
}

function takeSingle(): i32 {
  if (load<u8>(ROUND) != 0) {
    closeOpen();
    owner = owner == 0 ? 0 : findFamily(nameAt, ownerBytes);
  }
  return single();
}
