/**
 * The stream: cuts it into lines, and takes the ordinary ones the short way.
 *
 * Pushers send the same series in the same order. So the next line is compared, byte for byte, with what most likely
 * follows: the next record of the family; or, where a push goes from family to family, in the family created next the
 * record behind the metric that was pushed last (pushers in turn), or the one in the same slot (one of many pushers, each
 * with a metric in every family). Where it is the same, its name and labels need no parsing and no checking (they were,
 * when they came), and only the value is read. A line in another order is looked up by its name and labels as they stand,
 * again without checking them: only what is in the cache can be found. Of a new series like others of its family, only
 * the label values are checked. All else goes the long way, by line.ts and sample.ts.
 */

import {
  classOf,
  FLAGS_AT,
  familyOf,
  kindOf,
  LABELS_AT,
  loadOffset,
  namesAt,
  nextBlock,
  offsetsOf,
  recordAt,
  recordsOf,
  STAMP_AT,
  slotsOf,
} from "./block";
import { nextMetric } from "./bucket";
import { find } from "./bytes";
import { advance } from "./cache";
import { classOfTtl, loadStamp, stampOf, storeStamp, unitsOf } from "./clock";
import { endPush, takeComment } from "./comment";
import { LAST_METRIC, ROUND, SKIPPING, TTL } from "./connection";
import {
  findFamily,
  flags,
  hasDeclaredType,
  lastBlock,
  name,
  nameLength,
  nextFamily,
  pushed,
  setPushed,
  UNEXPECTED,
} from "./family";
import {
  BAD,
  count,
  countMany,
  FAMILY_FIRST,
  header,
  INCOMPLETE,
  keepsTimestamps,
  MAX_LINE,
  SAMPLES,
  TOO_LONG,
} from "./header";
import { address, addressOf, BLOCK, loadRef, smallText, textAddress } from "./heap";
import { BLOCK_METRICS, OFFSET, STAMP_MASK } from "./layout";
import { keyEnd, labelCount, nameAt, nameBytes, readKey, readLine, reason } from "./line";
import { firstMetric, hasLineNames } from "./metric";
import { packedBytes, readShort, readValue, storePacked } from "./number";
import { takeSample } from "./sample";
import { labelNumber, labelRef, NO_NUMBER, readLabel, TEXT_LENGTH } from "./text";

/** The first bad line of the last call: its reason, -1: none, address and bytes. */
export let badReason: i32 = -1;
export let badAt: usize = 0;
export let badBytes: usize = 0;

function bad(why: i32, at: usize, bytes: usize): void {
  count(BAD + (why as u32));
  if (badReason >= 0) return;
  badReason = why;
  badAt = at;
  badBytes = bytes;
}

/** The class of the connection's time to live. */
function classNow(): u32 {
  const ttl = load<u32>(TTL);
  return ttl == 0 ? 0 : classOfTtl(ttl);
}

/** The block and slot that are expected next, block 0: none; and what the block's metrics have in common. */
let block: u32 = 0;
let blockAt: usize = 0;
let slot: u32 = 0;
let slots: u32 = 0;
let offsets: usize = 0;
let records: usize = 0;
let owner: usize = 0;
let expectedName: usize = 0;
let expectedBytes: usize = 0;
let expectedLabels: usize = 0;

/** Expects the metric `ref`, or the next one if its slot is free; its family is at `family`, its block at `at`. */
function enter(family: usize, ref: u32, at: usize): void {
  owner = family;
  block = ref >> 4;
  blockAt = at;
  slot = ref & 15;
  offsets = offsetsOf(at);
  records = recordsOf(at);
  slots = kindOf(at) == 0 && (flags(family) & UNEXPECTED) == 0 && hasDeclaredType(family) ? slotsOf(at) : 0;
  expectedName = name(family);
  expectedBytes = nameLength(family);
  expectedLabels = namesAt(at);
}

/** Expects the metric behind `ref`, any number. */
function expect(ref: u32): void {
  const at = addressOf(ref >> 4, BLOCK);
  block = 0;
  slots = 0;
  if (at == 0) return;
  enter(address(familyOf(at)), ref, at);
  ++slot;
}

/** The record of the first metric from `slot` on in the block, 0: there is none. */
function seek(): usize {
  for (; slot < slots; ++slot) {
    const offset = loadOffset(offsets + (slot as usize) * OFFSET);
    if (offset != 0) return records + offset;
  }
  return 0;
}

/** Goes on to the next metric, which is in this block or the family's next one. Returns its record, 0: it has none. */
function step(): usize {
  const record = seek();
  if (record != 0) return record;
  const next = nextBlock(blockAt);
  enter(owner, next << 4, address(next));
  return seek();
}

/**
 * Goes on in the next family, behind the metric pushed last there; or `beside` the metric that was expected last, in its
 * slot of the same block. Returns the record, 0: there is none.
 */
function leap(beside: bool): usize {
  const own = slot - 1;
  let family = nextFamily(owner);
  if (family == 0) family = load<u32>(header, FAMILY_FIRST);
  const after = address(family);
  let ref = pushed(after);
  let at = addressOf(ref >> 4, BLOCK);
  if (at == 0 || familyOf(at) != family) {
    // It has gone: behind the last one is the first.
    ref = (lastBlock(after) << 4) | (BLOCK_METRICS - 1);
    at = address(ref >> 4);
  }
  enter(after, ref, at);
  slot = beside ? own : slot + 1;
  return step();
}

/** Where skipKey ended in the record: its value. */
let valueAt: usize = 0;

/**
 * Compares the line at `at` with the expected name and the labels of a record, 0: there is none. Returns where its
 * value begins, 0: it is another. This is where the time goes: what equal, readLabel and the like do is written out for
 * ordinary labels.
 */
function skipKey(at: usize, record: usize): usize {
  if (record == 0) return 0;
  let text = expectedName;
  let left = expectedBytes;
  for (; left > 8; left -= 8) {
    if (load<u64>(text) != load<u64>(at)) return 0;
    text += 8;
    at += 8;
  }
  if ((load<u64>(text) ^ load<u64>(at)) << ((64 - (left << 3)) as u64) != 0) return 0;
  at += left;
  valueAt = record + LABELS_AT;
  let label = expectedLabels;
  if (load<u8>(label) == 0) return load<u8>(at) == 32 ? at + 1 : 0;
  let value = valueAt;
  let brace: u32 = 123;
  let count = load<u8>(label++) as u32;
  do {
    if (load<u8>(at) != brace) return 0;
    brace = 44;
    left = load<u8>(label++) as usize;
    for (++at; left > 8; left -= 8) {
      if (load<u64>(label) != load<u64>(at)) return 0;
      label += 8;
      at += 8;
    }
    if ((load<u64>(label) ^ load<u64>(at)) << ((64 - (left << 3)) as u64) != 0) return 0;
    at += left;
    label += left;
    // ="
    if (load<u16>(at) != 0x223d) return 0;
    at += 2;
    let ref = load<u8>(value) as u32;
    let number = NO_NUMBER;
    if (ref < 128) {
      ++value;
      if ((ref & 1) != 0) {
        number = load<u8>(value++);
        for (let bits: u32 = 7; bits < 35 && number >> bits != 0; bits += 7) {
          number = (number ^ (1 << bits)) | ((load<u8>(value++) as u32) << bits);
        }
      }
      ref >>= 1;
      text = smallText(ref);
    } else {
      value = readLabel(value);
      ref = labelRef;
      number = labelNumber;
      text = textAddress(ref);
    }
    if (ref != 0) {
      left = load<u8>(text, TEXT_LENGTH) as usize;
      if (left > 127) return 0;
      for (text += TEXT_LENGTH + 1; left > 8; left -= 8) {
        if (load<u64>(text) != load<u64>(at)) return 0;
        text += 8;
        at += 8;
      }
      if ((load<u64>(text) ^ load<u64>(at)) << ((64 - (left << 3)) as u64) != 0) return 0;
      at += left;
    }
    let digit = load<u8>(at) as u32;
    if (number != NO_NUMBER) {
      // A zero stands alone: the stem has all others. Ten digits are no number, and might overflow.
      const limit = at + (digit == 48 ? 1 : 9);
      let read: u32 = 0;
      if (digit - 48 > 9) return 0;
      do {
        read = read * 10 + digit - 48;
        digit = load<u8>(++at);
      } while (digit - 48 < 10 && at < limit);
      if (read != number) return 0;
    }
    if (digit != 34) return 0;
    ++at;
  } while (--count != 0);
  valueAt = value;
  return load<u16>(at) == 0x207d ? at + 2 : 0;
}

/** Where the next line may be: behind the last one in its family, or one of the two places of leap. */
const BEHIND: u32 = 0;
const LEAP: u32 = 1;
const BESIDE: u32 = 2;

/** The guess that was right the last time. */
let guess: u32 = BEHIND;

/**
 * Compares the line at `at` with those that may be next behind `last`, the one that is expected now; first with that
 * which was right the last time. Returns where the line's value begins, 0: it is none of them.
 */
function skipExpected(at: usize, last: u32): usize {
  if (block == 0) return 0;
  const isLast = slot >= slots && lastBlock(owner) == block;
  let next = isLast ? LEAP : guess;
  for (let left: u32 = 3; left > 0; --left) {
    const value = skipKey(at, next == BEHIND ? step() : leap(next == BESIDE));
    if (value != 0) {
      if (!isLast) guess = next;
      return value;
    }
    next = next == BESIDE ? BEHIND : next + 1;
    expect(last);
  }
  return 0;
}

/** Lines in turn that did not come as expected, or for which nothing was guessed. */
let misses: u32 = 0;
/** Where the line ends that takeKnown left, if readKey has read it; else 0. */
let readEnd: usize = 0;

/**
 * Takes lines as long as each is known, and needs nothing but its value changed: the expected one, or else one that is
 * found by its name and labels. Returns the rest's begin.
 */
function takeKnown(at: usize, end: usize, index: u32, stamp: u32): usize {
  const life = unitsOf(index);
  let taken: u32 = 0;
  let last = load<u32>(LAST_METRIC);
  for (;;) {
    readEnd = 0;
    if (at >= end || load<u8>(at) == 35) break;
    let value: usize = 0;
    // Where nothing is as expected, it is looked at now and then whether that has changed.
    if (misses < 4 || (misses++ & 31) == 0) {
      if (taken == 0) expect(last);
      value = skipExpected(at, last);
      misses = value == 0 ? misses + 1 : 0;
    }
    if (value == 0) {
      const feed = find(at, end, 10);
      if (feed >= end || feed - at >= longest) break;
      readEnd = feed;
      value = lookUp(at, feed);
      if (value == 0) break;
    }
    let feed = readShort(value);
    if (feed == 0 || load<u8>(feed) != 10) {
      feed = find(value, end, 10);
      if (!readValue(value, feed)) break;
    }
    if (feed >= end || feed - at >= longest) break;
    const record = records + loadOffset(offsets + (slot as usize) * OFFSET);
    const length = (load<u8>(record, FLAGS_AT) as u32) & 15;
    if (packedBytes > length || classOf(blockAt) != index) break;
    if (((stamp - loadStamp(record + STAMP_AT)) & STAMP_MASK) >= life) break;
    storePacked(valueAt, length);
    storeStamp(record + STAMP_AT, stamp);
    at = feed + 1;
    last = (block << 4) | slot++;
    setPushed(owner, last);
    ++taken;
  }
  if (taken != 0) {
    countMany(SAMPLES, taken);
    store<u32>(LAST_METRIC, last);
  }
  return at;
}

/**
 * Expects the metric that the line [line, feed) names, if it is one with a single sample, written the usual way. Returns
 * where the line's value begins, 0: there is none.
 */
function lookUp(line: usize, feed: usize): usize {
  const h = readKey(line, feed);
  if (h == 0) return 0;
  let ref = firstMetric(h);
  while (ref != 0) {
    const at = address(ref >> 4);
    const family = address(familyOf(at));
    const record = recordAt(at, ref & 15);
    if (nameLength(family) == nameBytes) {
      enter(family, ref, at);
      const value: usize = slots == 0 ? 0 : skipKey(line, record);
      if (value != 0) return value;
    }
    ref = nextMetric(record);
  }
  return 0;
}

/** The family that is called as the line's name is, which knownEnd found. */
let knownFamily: u32 = 0;

/**
 * Where name and labels of the line end that readKey has just read, if they are known to be good where the line is
 * usual: the last block of the family has the same names, in the same order, which were checked. Else 0.
 */
function knownEnd(): usize {
  const at = keyEnd;
  if (at == 0) return 0;
  knownFamily = findFamily(nameAt, nameBytes);
  if (knownFamily == 0) return 0;
  const family = address(knownFamily);
  if (lastBlock(family) == 0 || (flags(family) & UNEXPECTED) != 0) return 0;
  const last = address(lastBlock(family));
  if (kindOf(last) != 0 || !hasLineNames(last)) return 0;
  if (labelCount == 0) return at;
  return load<u8>(at) == 125 ? at + 1 : 0;
}

/** Takes the line [at, end), without LF. `isRead`: readKey has just read it. */
function takeLine(at: usize, end: usize, index: u32, isRead: bool): void {
  const start = at;
  const whole = end - at;
  if (end > at && load<u8>(end - 1) == 13) --end;
  if (end - at > (load<u32>(header, MAX_LINE) as usize)) {
    bad(TOO_LONG, at, end - at);
    return;
  }
  while (at < end && (load<u8>(at) == 32 || load<u8>(at) == 9)) ++at;
  if (at == end) return;
  let result: i32 = 0;
  if (load<u8>(at) == 35) result = takeComment(at, end, index);
  else {
    const known = isRead ? knownEnd() : 0;
    result = readLine(at, end, known) ? takeSample(index, known != 0 ? knownFamily : 0) : reason;
  }
  if (result >= 0) bad(result, start, whole);
}

/** Longest line with its LF. */
let longest: usize = 0;

/**
 * Takes all complete lines in [at, end), which lies in the input window. Returns the address behind the last one; what
 * is left there is at most one line of the longest length, and a CR.
 */
export function takeLines(at: usize, end: usize, nowMs: f64): usize {
  badReason = -1;
  // A call that completes no line passes no time and makes no class: how the stream is cut must not matter.
  let index: u32 = 0;
  if (find(at, end, 10) != end) {
    advance(nowMs);
    index = classNow();
  }
  if (load<u8>(SKIPPING) != 0) {
    at = find(at, end, 10);
    if (at == end) return end;
    store<u8>(SKIPPING, 0);
    ++at;
  }
  const short = !keepsTimestamps();
  longest = (load<u32>(header, MAX_LINE) as usize) + 1;
  let stamp = stampOf(index);
  for (;;) {
    readEnd = 0;
    if (short && load<u8>(ROUND) == 0) at = takeKnown(at, end, index, stamp);
    const feed = readEnd != 0 ? readEnd : find(at, end, 10);
    if (feed >= end) break;
    takeLine(at, feed, index, readEnd != 0);
    index = classNow();
    stamp = stampOf(index);
    at = feed + 1;
  }
  if (end - at > longest) {
    bad(TOO_LONG, at, end - at);
    store<u8>(SKIPPING, 1);
    return end;
  }
  return at;
}

/** Ends a push of which `tail` bytes of an incomplete line are left. */
export function takeEnd(tail: u32): void {
  if (tail != 0) count(BAD + (INCOMPLETE as u32));
  endPush();
}
