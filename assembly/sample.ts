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
import { copy, hash } from "./bytes";
import { beginRoom, makeRoom } from "./cache";
import { isExpired, loadStamp, stampOf, storeStamp } from "./clock";
import { LAST_METRIC, LAST_TYPE, ROUND, TYPED_NAME } from "./connection";
import {
  BY_BASE,
  COUNTER,
  createFamily,
  declaredOf,
  findFamily,
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
import { NAME_LIMIT, OUTPUT_BYTES, TEXT, VALUE_CHARS, WIDE } from "./layout";
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

/** Whether the name ends in this suffix of up to eight bytes, given as a word. */
function endsIn(suffix: u64, bytes: usize): bool {
  if (nameBytes <= bytes) return false;
  const mask: u64 = bytes == 8 ? (-1 as u64) : ((1 as u64) << ((bytes << 3) as u64)) - 1;
  return (load<u64>(nameAt + nameBytes - bytes) & mask) == suffix;
}

/** The part that the name's end says, and its bytes in `suffixBytes`; 0: none. */
let suffixBytes: usize = 0;
function suffixPart(): u32 {
  const last = load<u8>(nameAt + nameBytes - 1) as u32;
  if (last == 116) {
    // "_count", "_bucket", "_gcount"
    suffixBytes = 6;
    if (endsIn(0x746e756f635f, 6)) return COUNT;
    suffixBytes = 7;
    if (endsIn(0x74656b6375625f, 7)) return BUCKET;
    if (endsIn(0x746e756f63675f, 7)) return GCOUNT;
  } else if (last == 109) {
    // "_sum", "_gsum"
    suffixBytes = 4;
    if (endsIn(0x6d75735f, 4)) return SUM;
    suffixBytes = 5;
    if (endsIn(0x6d7573675f, 5)) return GSUM;
  } else if (last == 100) {
    // "_created"
    suffixBytes = 8;
    if (endsIn(0x646574616572635f, 8)) return CREATED_PART;
  }
  return 0;
}

/** The type that a family's next samples have to fit. */
function wantedType(family: usize): u32 {
  const declared = declaredOf(family);
  return (declared != 0 ? declared : typeOf(family)) & 7;
}

function owns(type: u32, suffix: u32): bool {
  if (type == HISTOGRAM) return suffix == BUCKET || suffix == SUM || suffix == COUNT || suffix == CREATED_PART;
  if (type == SUMMARY) return suffix == SUM || suffix == COUNT || suffix == CREATED_PART;
  return type == GAUGE_HISTOGRAM && (suffix == BUCKET || suffix == GSUM || suffix == GCOUNT);
}

/** Whether the type's metrics hold many samples. */
export function holdsMany(type: u32): bool {
  return type >= HISTOGRAM && type <= GAUGE_HISTOGRAM;
}

/** The number of the label of this name with a number for a value, or -1. */
function findSpecial(name: u64, bytes: u32): i32 {
  for (let i: u32 = 0; i < labelCount; ++i) {
    const label = row(i);
    if (load<u32>(label, NAME_BYTES) != bytes) continue;
    const mask: u64 = bytes == 8 ? (-1 as u64) : ((1 as u64) << ((bytes << 3) as u64)) - 1;
    if ((load<u64>(load<u32>(label, NAME_AT) as usize) & mask) != name) continue;
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

/** The type of the family that is called like the line's first bytes, or is about to be. */
function typeBefore(family: u32, bytes: usize): u32 {
  return family != 0 ? wantedType(address(family)) : pendingType(bytes) & 7;
}

/** Finds out who owns the line's sample. False: it is a sample that its owner cannot have. */
function resolve(): bool {
  owner = 0;
  part = TOTAL;
  special = -1;
  ownerBytes = nameBytes;
  const suffix = suffixPart();
  if (suffix != 0) {
    const base = findFamily(nameAt, nameBytes - suffixBytes);
    if (owns(typeBefore(base, nameBytes - suffixBytes), suffix)) {
      owner = base;
      part = suffix;
      ownerBytes = nameBytes - suffixBytes;
      if (part == BUCKET) special = findSpecial(0x656c, 2);
      return part != BUCKET || special >= 0;
    }
  }
  owner = findFamily(nameAt, nameBytes);
  if (owner == 0 && suffix == CREATED_PART && pendingType(nameBytes) == 0 && findTotal()) return true;
  const type = typeBefore(owner, nameBytes);
  if (type == SUMMARY) {
    part = QUANTILE;
    special = findSpecial(0x656c69746e617571, 8);
    return special >= 0;
  }
  return !holdsMany(type);
}

/** Whether the line is the `_created` of a counter that is known: it is a part of that metric then. */
function findTotal(): bool {
  const bytes = nameBytes - suffixBytes;
  copy(TEXT, nameAt, bytes);
  store<u64>(TEXT + bytes, 0x6c61746f745f);
  const family = findFamily(TEXT, bytes + 6);
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
    if (kindOf(at) == META) dropBlock(block, family);
    else removeMetric((block << 4) | firstRecord(at));
    if (block == last && live < 2) break;
  }
  hold(0);
}

/** The family that is called as a sample of the histogram or summary at hand goes: it has an owner now. */
function claim(suffix: u64, bytes: usize): void {
  copy(TEXT, nameAt, ownerBytes);
  store<u64>(TEXT + ownerBytes, suffix);
  const family = findFamily(TEXT, ownerBytes + bytes);
  if (family == 0 || holdsMany(typeOf(address(family)) & 7)) return;
  if (kindOf(address(lastBlock(address(family)))) != META) count(CLASHES);
  purge(family, false);
}

/** Claims the names of the samples that a type has. */
function claimAll(type: u32): void {
  if (type == GAUGE_HISTOGRAM) {
    claim(0x6d7573675f, 5);
    claim(0x746e756f63675f, 7);
  } else {
    claim(0x6d75735f, 4);
    claim(0x746e756f635f, 6);
    claim(0x646574616572635f, 8);
  }
  if (type != SUMMARY) claim(0x74656b6375625f, 7);
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
  const isTotal = endsIn(0x6c61746f745f, 6);
  if (!isTotal && !endsIn(0x6f666e695f, 5)) return 0;
  const bytes = nameBytes - (isTotal ? 6 : 5);
  const type = (isTotal ? COUNTER : INFO) | TYPED;
  const base = findFamily(nameAt, bytes);
  if (base == 0) return pendingType(bytes) == type ? bytes : 0;
  return !hasMetrics(base) && declaredOf(address(base)) == type ? bytes : 0;
}

/** Takes over what was declared of the base, the line's first bytes, for the new owner. */
function adopt(bytes: usize): void {
  const type = (nameBytes - bytes == 6 ? COUNTER : INFO) | TYPED;
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
  const ref = createMetric(owner, lineHash(owner, special), special, index, kind, length, rest);
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

/** Inserts `more` bytes at `place` bytes behind the metric's record, making room. Returns the metric; 0: none. */
function grow(ref: u32, place: usize, more: usize): u32 {
  beginRoom();
  let grown = tryGrow(ref, place, more);
  while (grown == 0) {
    if (!makeRoom(0, ref)) return 0;
    grown = tryGrow(ref, place, more);
  }
  return grown;
}

/** Moves a metric to a block of the same kind. */
function moveHere(ref: u32, to: u32, place: usize, more: usize): u32 {
  return moveMetric(ref, to, kindOf(address(ref >> 4)), place, more);
}

function tryGrow(ref: u32, place: usize, more: usize): u32 {
  if (!canGrowRecord(ref >> 4, ref & 15, more)) return moveHere(ref, classOf(address(ref >> 4)), place, more);
  growRecord(ref >> 4, ref & 15, metricAddress(ref) + place, more);
  return ref;
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
  beginRoom();
  const bytes = recordSize(at, recordAt(at, ref & 15));
  let moved = moveHere(ref, index, bytes, 0);
  while (moved == 0) {
    if (!makeRoom(0, ref)) return ref;
    moved = moveHere(ref, index, bytes, 0);
  }
  return moved;
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
    const grown = grow(ref, place, (wanted - length) as usize);
    if (grown == 0) {
      removeMetric(ref);
      return REFUSED;
    }
    ref = grown;
    record = metricAddress(ref);
    length = wanted;
    store<u8>(record, ((load<u8>(record, FLAGS_AT) as u32) & 0xf0) | length, FLAGS_AT);
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
    if (ref == 0 && part == CREATED_PART && !holdsMany(typeBefore(owner, ownerBytes))) {
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
  while (converted == 0) {
    if (!makeRoom(0, ref)) return 0;
    converted = convert(ref);
  }
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
    const grown = grow(ref, place, (wanted - length) as usize);
    if (grown == 0) return REFUSED;
    ref = grown;
    const sample = metricAddress(ref) + place - 1;
    store<u8>(sample, ((load<u8>(sample) as u32) & 0xf0) | wanted);
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
