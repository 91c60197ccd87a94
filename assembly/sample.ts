/**
 * What a sample line does: finds the metric of the family that owns its name, and the sample; creates what is new.
 *
 * A line is attempted from its owner on. Where there is no room, or what has expired or has changed its type is in the
 * way, that is dealt with and the line attempted anew: whatever went, may have been the owner.
 */

import { classOf, FLAGS_AT, kindOf, liveRecords, MULTI, recordAt, STAMP_AT, setClass, setOldest } from "./block";
import { beginRoom, makeRoom } from "./cache";
import { isExpired, loadStamp, stampOf, storeStamp } from "./clock";
import { LAST_METRIC, ROUND } from "./connection";
import {
  add,
  CACHE_SIZE,
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
import { address } from "./heap";
import { OUTPUT_BYTES, VALUE_CHARS, WIDE } from "./layout";
import {
  hasTimestamp,
  labelCount,
  lineTimestampMs,
  NAME_BYTES,
  nameBytes,
  row,
  STEM_BYTES,
  VALUE_BYTES,
  valueBytes,
  valueHigh,
  valueLow,
} from "./line";
import {
  behindLabels,
  createMetric,
  findMetric,
  growMetric,
  lineHash,
  metricAddress,
  moveMetric,
  noticeDue,
  recordSize,
  removeMetric,
  SAMPLES_HEAD,
  timestampBytes,
} from "./metric";
import { setPacked, storePacked } from "./number";
import {
  adoptBase,
  claimNames,
  conform,
  createOwner,
  findOwner,
  hasMetrics,
  leaveOwner,
  owner,
  part,
  special,
  TOTAL,
} from "./owner";
import { closeRound, openRound } from "./round";
import {
  addedSample,
  addSample,
  canAddSample,
  convert,
  createSchema,
  findSample,
  INCOMPLETE,
  initializeSamples,
  roundOf,
  SEEN,
  samplesAt,
} from "./samples";
import { dropText, fitsText } from "./text";

/** What the metadata before a series may take of a piece. */
const METADATA_BYTES: usize = 7168;
/** A value's bytes where growing could not make room. */
const RESERVED: u32 = VALUE_CHARS >> 1;
/** A time stamp that is none. */
export const NO_TIMESTAMP: i64 = i64.MIN_VALUE;

/** What became of a sample, if not a reason of a bad line: REFUSED, there is no room. */
export const TAKEN: i32 = -1;
const REFUSED: i32 = -2;

/** The class of the line's time to live. */
let ttlClass: u32 = 0;
/** The line's metric, which is not to go for it; 0: it is new. */
let kept: u32 = 0;
/** No more room can be made: this is the line's last attempt. */
let isFull: bool = false;

/** Whether the line's series is small enough to be kept, and its lines to be written. */
function fits(): bool {
  let names = nameBytes;
  let values: usize = 0;
  let longest: usize = 0;
  for (let i: u32 = 0; i < labelCount; ++i) {
    const label = row(i);
    names += load<u32>(label, NAME_BYTES) as usize;
    values += load<u32>(label, VALUE_BYTES) as usize;
    longest = max(longest, load<u32>(label, STEM_BYTES) as usize);
  }
  // A character outside of [a-zA-Z0-9_:] is escaped by up to four for each of its bytes.
  const written: usize = 64 + (names << 2) + values + ((labelCount << 2) as usize);
  return (
    fitsText(max(names, longest)) &&
    ((names + values) as u32) + 64 <= load<u32>(CACHE_SIZE) >> 1 &&
    written <= OUTPUT_BYTES - METADATA_BYTES
  );
}

/** Bytes kept for a value: where newcomers are refused, known series must be able to grow without room. */
function allotted(): u32 {
  if (rejects()) return RESERVED;
  if (!WIDE) return valueBytes;
  return valueBytes > 8 ? RESERVED : 8;
}

/** Creates the line's metric, and its family if that is new. 0: there is no room, and nothing has changed. */
function create(): u32 {
  const length = allotted();
  let rest = (length as usize) + timestampBytes();
  let kind: u32 = 0;
  let flags = length;
  let schema: u32 = 0;
  if (part != TOTAL) {
    if (owner == 0 || !hasMetrics(owner)) claimNames();
    rest += SAMPLES_HEAD + 1;
    kind = MULTI;
    flags = INCOMPLETE;
    schema = createSchema(part);
    if (schema == 0) return 0;
  }
  let ref: u32 = 0;
  if (createOwner()) ref = createMetric(owner, lineHash(owner, special), special, ttlClass, kind, flags, rest);
  if (ref == 0) {
    dropText(schema);
    return 0;
  }
  if (schema != 0) initializeSamples(ref, schema, length);
  count(CREATED);
  add(SERIES, 1);
  adoptBase();
  return ref;
}

/**
 * Gives a metric the push's time, and its time to live. Returns its reference, which may have changed; 0: there is no
 * room for its time to live to change.
 */
function touch(ref: u32): u32 {
  const at = address(ref >> 4);
  const record = recordAt(at, ref & 15);
  if (classOf(at) != ttlClass && liveRecords(at) == 1) {
    setClass(at, ttlClass);
    setOldest(at, stampOf(ttlClass));
    noticeDue(ttlClass);
  }
  storeStamp(record + STAMP_AT, stampOf(classOf(at)));
  return classOf(at) == ttlClass ? ref : moveMetric(ref, ttlClass, kindOf(at), recordSize(at, record), 0);
}

/**
 * Stores the line's value and time stamp at `place` bytes behind the metric's begin. The byte `lengthPlace` bytes
 * behind it has the value's length in its low half, and gets the bits of `mark`.
 */
function putValue(ref: u32, lengthPlace: usize, place: usize, mark: u32): i32 {
  let length = (load<u8>(metricAddress(ref) + lengthPlace) as u32) & 15;
  if (length < valueBytes) {
    const more = allotted() - length;
    const grown = growMetric(ref, place, more as usize);
    if (grown == 0) {
      // Better no sample than one with an old value.
      if (isFull && mark == 0) removeMetric(ref);
      return REFUSED;
    }
    ref = grown;
    length += more;
  }
  const at = metricAddress(ref);
  const byte = at + lengthPlace;
  store<u8>(byte, ((load<u8>(byte) as u32) & 0xf0) | length | mark);
  setPacked(valueLow, valueHigh, valueBytes);
  storePacked(at + place, length);
  if (keepsTimestamps()) store<i64>(at + place + (length as usize), hasTimestamp ? lineTimestampMs : NO_TIMESTAMP);
  store<u32>(LAST_METRIC, ref);
  return TAKEN;
}

/** Takes the line as a sample of a metric that holds many. */
function putSample(ref: u32): i32 {
  openRound(ref);
  const head = samplesAt(ref);
  let sample = findSample(head);
  if (sample == 0) {
    if (!canAddSample(head)) return TOO_BIG;
    ref = addSample(ref, allotted());
    if (ref == 0) return REFUSED;
    sample = addedSample;
  } else if ((load<u8>(sample) & SEEN) != 0 && roundOf(head) == load<u8>(ROUND)) {
    // The same sample again: the next round of the same metric.
    closeRound();
    openRound(ref);
    sample = findSample(samplesAt(ref));
  }
  const place = sample - metricAddress(ref);
  return putValue(ref, place, place + 1, SEEN);
}

/** Takes the line if there is room for it. */
function attempt(): i32 {
  if (!findOwner()) return NOT_ITS_SAMPLE;
  kept = 0;
  if (owner != 0) {
    if (conform()) return attempt();
    kept = findMetric(owner, lineHash(owner, special), special);
  }
  let ref = kept;
  if (ref != 0) {
    const at = address(ref >> 4);
    if (isExpired(classOf(at), loadStamp(recordAt(at, ref & 15) + STAMP_AT))) {
      removeMetric(ref);
      count(EXPIRED);
      return attempt();
    }
  }
  if (ref != load<u32>(LAST_METRIC)) closeRound();
  if (ref == 0) {
    const isSmall = fits();
    if (isSmall) ref = create();
    if (ref == 0) {
      leaveOwner();
      return isSmall ? REFUSED : TOO_BIG;
    }
  } else {
    ref = touch(ref);
    if (ref == 0) {
      if (!isFull) return REFUSED;
      ref = kept;
    }
    kept = ref;
  }
  const at = address(ref >> 4);
  if (kindOf(at) != MULTI) {
    if (part == TOTAL) return putValue(ref, FLAGS_AT, behindLabels(at, recordAt(at, ref & 15)) - metricAddress(ref), 0);
    ref = convert(ref);
    if (ref == 0) return REFUSED;
    kept = ref;
  }
  return putSample(ref);
}

/**
 * Takes the line that line.ts has read, for the class of time to live `index`.
 * TAKEN; another negative number: there was no room, counted; else why it is bad.
 */
export function takeSample(index: u32): i32 {
  ttlClass = index;
  isFull = false;
  beginRoom();
  let result = attempt();
  while (result == REFUSED && !isFull) {
    isFull = !makeRoom(owner, kept);
    if (isFull && kept == 0) break;
    result = attempt();
  }
  if (result == TAKEN) count(SAMPLES);
  return result;
}
