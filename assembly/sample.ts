/**
 * What a sample line does: finds the metric of the family that owns its name, and the sample; creates what is new.
 *
 * A line is attempted from its owner on. Where there is no room, or what has expired or has changed its type is in the
 * way, that is dealt with and the line attempted anew: whatever went, may have been the owner.
 */

import { classOf, kindOf, MULTI, STAMP_AT, slotsOf } from "./block";
import { beginRoom, makeRoom, renew } from "./cache";
import { isExpired, loadStamp, stampOf, storeStamp } from "./clock";
import { LAST_METRIC, ROUND } from "./connection";
import { setFlag, setPushed, UNEXPECTED } from "./family";
import {
  add,
  CACHE_SIZE,
  CREATED,
  count,
  EXPIRED,
  header,
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
  foreign,
  isQuoted,
  labelCount,
  lineTimestampMs,
  NAME_BYTES,
  nameAt,
  nameBytes,
  row,
  VALUE_BYTES,
  valueBytes,
  valueHigh,
  valueLow,
} from "./line";
import { createMetric, findMetric, growMetric, hold, moveMetric, removeMetric } from "./metric";
import { setPacked, storePacked } from "./number";
import {
  adoptBase,
  baseBytes,
  claimNames,
  conform,
  createOwner,
  findOwner,
  leaveOwner,
  owner,
  ownerBytes,
  part,
  specialBytes,
  TOTAL,
  tellFamily,
  wanted,
} from "./owner";
import {
  beginSamples,
  lengthAt,
  metricAddress,
  recordSize,
  SAMPLES_HEAD,
  valueAt,
  valueLength,
  valueSize,
} from "./record";
import { closeRound, openRound } from "./round";
import {
  addSample,
  canAddSample,
  convert,
  createSchema,
  findSample,
  INCOMPLETE,
  initializeSamples,
  isSeen,
  roundOf,
  SEEN,
} from "./samples";
import { dropText, fitsText } from "./text";

/** What the metadata before a series may take of a piece. */
const METADATA_BYTES: usize = 7168;
/** A value's bytes where growing could not make room. */
const RESERVED: u32 = VALUE_CHARS >> 1;

/** What became of a sample, if not a reason of a bad line: REFUSED, there is no room. */
export const TAKEN: i32 = -1;
const REFUSED: i32 = -2;

/** The class of the line's time to live. */
let ttlClass: u32 = 0;
/** The line's metric, which may move when it grows; 0: there is none yet. */
let metric: u32 = 0;
/** No more room can be made: this is the line's last attempt. */
let isFull: bool = false;

/** Whether the line's series is small enough to be kept, and its lines to be written. */
function fits(): bool {
  // Names with a byte for the length of each.
  let names = nameBytes;
  let values = specialBytes;
  let longest: usize = 0;
  for (let i: u32 = 0; i < labelCount; ++i) {
    const label = row(i);
    names += (load<u32>(label, NAME_BYTES) as usize) + 1;
    const value = load<u32>(label, VALUE_BYTES) as usize;
    values += value;
    longest = max(longest, value);
  }
  // A character outside of [a-zA-Z0-9_:] is escaped by up to four for each of its bytes.
  const written: usize = 64 + (names << 2) + values;
  return (
    // No line of the narrow module has a name or value that is too long for an object.
    (!WIDE || fitsText(max(names, longest))) &&
    ((names + values) as u32) + 64 <= load<u32>(header, CACHE_SIZE) >> 1 &&
    written <= OUTPUT_BYTES - METADATA_BYTES
  );
}

/** Bytes to keep for the line's value: where newcomers are refused, known series must be able to grow without room. */
function allotted(): u32 {
  if (rejects()) return RESERVED;
  if (!WIDE) return valueBytes;
  return valueBytes > 8 ? RESERVED : 8;
}

/** Creates the line's metric, and its family if that is new. Answers TAKEN, REFUSED or TOO_BIG. */
function create(): i32 {
  if (!fits()) return TOO_BIG;
  const length = allotted();
  let rest = valueSize(length);
  let shape = ttlClass;
  let flags = length;
  let schema: u32 = 0;
  if (part != TOTAL) {
    claimNames(wanted, nameAt, ownerBytes, true);
    schema = createSchema(part);
    if (schema == 0) return REFUSED;
    rest += SAMPLES_HEAD + 1;
    shape |= MULTI;
    flags = INCOMPLETE;
  }
  if (createOwner()) metric = createMetric(owner, shape, flags, rest);
  if (metric == 0) {
    dropText(schema);
    return REFUSED;
  }
  if (schema != 0) initializeSamples(metric, schema, length);
  if (foreign || isQuoted) setFlag(address(owner), UNEXPECTED);
  count(CREATED);
  add(SERIES, 1);
  adoptBase();
  return TAKEN;
}

/** Gives the metric at `record` in the block at `at` the push's time, and its time to live. False: there is no room. */
function touch(at: usize, record: usize): bool {
  if (classOf(at) != ttlClass && slotsOf(at) == 1) renew(at, ttlClass);
  storeStamp(record + STAMP_AT, stampOf(classOf(at)));
  return classOf(at) == ttlClass || become(moveMetric(metric, ttlClass | kindOf(at), recordSize(metric), 0));
}

/** Makes the line's metric what it has become where it grew. False: it has not, there was no room. */
function become(ref: u32): bool {
  if (ref != 0) metric = ref;
  return ref != 0;
}

/** Stores the line's value and time stamp in its sample, where findSample stands, and gives that the bits of `mark`. */
function putValue(mark: u32): i32 {
  let length = valueLength();
  if (length < valueBytes) {
    const more = allotted() - length;
    if (!become(growMetric(metric, valueAt - metricAddress(metric), more as usize))) {
      // Better no sample than one with an old value.
      if (isFull && mark == 0) removeMetric(metric);
      return REFUSED;
    }
    findSample(metric);
    length += more;
  }
  store<u8>(lengthAt, ((load<u8>(lengthAt) as u32) & 0xf0) | length | mark);
  setPacked(valueLow, valueHigh, valueBytes);
  storePacked(valueAt, length);
  if (keepsTimestamps()) store<i64>(valueAt + (length as usize), lineTimestampMs);
  store<u32>(LAST_METRIC, metric);
  setPushed(address(owner), metric);
  return TAKEN;
}

/** Takes the line as a sample of a metric that holds many. */
function putSample(): i32 {
  openRound(metric);
  if (!findSample(metric)) {
    if (!canAddSample(metric)) return TOO_BIG;
    if (!become(addSample(metric, allotted()))) return REFUSED;
    findSample(metric);
  } else if (isSeen() && roundOf(metric) == load<u8>(ROUND)) {
    // The same sample again: the next round of the same metric.
    closeRound();
    openRound(metric);
    findSample(metric);
  }
  return putValue(SEEN);
}

/** Finds the line's owner and its metric, unless that has expired. False: it is a sample that its owner cannot have. */
function find(): bool {
  metric = 0;
  if (!findOwner()) return false;
  if (owner != 0) {
    conform();
    metric = findMetric(owner);
  }
  if (metric != load<u32>(LAST_METRIC)) closeRound();
  if (metric == 0) return true;
  if (!isExpired(classOf(address(metric >> 4)), loadStamp(metricAddress(metric) + STAMP_AT))) return true;
  removeMetric(metric);
  count(EXPIRED);
  return find();
}

/** Takes the line, whose owner and metric were found, if there is room for it. */
function attempt(): i32 {
  if (metric == 0) {
    const result = create();
    if (result != TAKEN) {
      leaveOwner();
      return result;
    }
    // createMetric left the walk over samples at the new value, unless adopting a base has moved it since.
    if (part == TOTAL && baseBytes == 0) return putValue(0);
  } else if (!touch(address(metric >> 4), metricAddress(metric)) && !isFull) return REFUSED;
  if (kindOf(address(metric >> 4)) != MULTI) {
    if (part == TOTAL) {
      beginSamples(metric);
      return putValue(0);
    }
    if (!become(convert(metric))) return REFUSED;
  }
  return putSample();
}

/**
 * Takes the line that line.ts has read, for the class of time to live `index`. `family` is called as its name is, 0: it
 * is not known which.
 * TAKEN; another negative number: there was no room, counted; else why it is bad.
 */
export function takeSample(index: u32, family: u32): i32 {
  tellFamily(family);
  ttlClass = index;
  isFull = false;
  beginRoom();
  if (!find()) return NOT_ITS_SAMPLE;
  let result = attempt();
  while (result == REFUSED && !isFull) {
    // The owner stays, even if all that it had makes room.
    hold(owner);
    isFull = !makeRoom(owner, metric);
    hold(0);
    // Metrics may have moved.
    if (metric == 0 ? isFull : !find()) break;
    result = attempt();
  }
  if (result == TAKEN) count(SAMPLES);
  return result;
}
