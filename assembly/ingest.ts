/**
 * The stream: cuts it into lines, and takes the ordinary ones the short way.
 *
 * Pushers send the same series in the same order. So the next line is compared, byte for byte, with the metric that
 * followed last time: the next record of the block, the next block of the family, the first metric of the family that
 * followed this one. Where it is the same, its name and labels need no parsing and no checking (they were, when they
 * came), and only the value is read. A line in another order is looked up by its name and labels as they stand, again
 * without checking them: only what is in the cache can be found. All others go the long way, by line.ts and sample.ts.
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
import { find } from "./bytes";
import { advance } from "./cache";
import { classOf as classOfTtl, isExpired, loadStamp, stampOf, storeStamp, unitsOf } from "./clock";
import { endPush, takeComment } from "./comment";
import { LAST_METRIC, ROUND, SKIPPING, TTL } from "./connection";
import { flags, follow, lastBlock, name, nameLength, setFollow, UNEXPECTED } from "./family";
import { BAD, count, countMany, INCOMPLETE, keepsTimestamps, MAX_LINE, SAMPLES, TOO_LONG } from "./header";
import { address, addressOf, BLOCK, FAMILY, loadRef, smallText, textAddress } from "./heap";
import { OFFSET, STAMP_MASK } from "./layout";
import { keyHash, readLine, reason } from "./line";
import { firstMetric } from "./metric";
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
let expectedName: usize = 0;
let expectedBytes: usize = 0;
let expectedLabels: usize = 0;

/** Expects the metrics of the block `next`, which has the address `at`, from slot `from` on. */
function enter(next: u32, at: usize, from: u32): void {
  block = next;
  blockAt = at;
  slot = from;
  offsets = offsetsOf(at);
  records = recordsOf(at);
  const owner = address(familyOf(at));
  slots = kindOf(at) == 0 && (flags(owner) & UNEXPECTED) == 0 ? slotsOf(at) : 0;
  expectedName = name(owner);
  expectedBytes = nameLength(owner);
  expectedLabels = namesAt(at);
}

/** Expects the metric behind `ref`, any number. */
function expect(ref: u32): void {
  const at = addressOf(ref >> 4, BLOCK);
  block = 0;
  slots = 0;
  if (at != 0) enter(ref >> 4, at, (ref & 15) + 1);
}

/** Goes on to the block that is expected behind this one: of its family, or the first of the family that followed. */
function enterNext(): void {
  if (block == 0) return;
  let next = nextBlock(blockAt);
  const owner = address(familyOf(blockAt));
  if (lastBlock(owner) == block) {
    const after = addressOf(follow(owner), FAMILY);
    if (after != 0) next = nextBlock(address(lastBlock(after)));
  }
  enter(next, address(next), 0);
}

/** The offset of the next record from `slot` on in the block, 0: there is none. */
function seek(): usize {
  for (; slot < slots; ++slot) {
    const offset = loadOffset(offsets + (slot as usize) * OFFSET);
    if (offset != 0) return offset;
  }
  return 0;
}

/** Where the value of the line begins whose metric was looked up; 0: the next line is only guessed at. */
let foundValue: usize = 0;
/** Where skipKey ended in the record: its value. */
let valueAt: usize = 0;

/**
 * Compares the line at `at` with the expected name and the labels of a record. Returns where its value begins, 0: it
 * is another. This is where the time goes: what equal, readLabel and the like do is written out for ordinary labels.
 */
function skipKey(at: usize, record: usize): usize {
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

/** Takes lines as long as each is the expected one, and needs nothing but its value changed. Returns the rest's begin. */
function takeExpected(at: usize, end: usize, index: u32, stamp: u32): usize {
  const life = unitsOf(index);
  let taken: u32 = 0;
  let last: u32 = 0;
  while (at < end) {
    let offset = seek();
    if (offset == 0) {
      enterNext();
      offset = seek();
      if (offset == 0) break;
    }
    const record = records + offset;
    const value = foundValue == 0 ? skipKey(at, record) : foundValue;
    foundValue = 0;
    if (value == 0) break;
    let feed = readShort(value);
    if (feed == 0 || load<u8>(feed) != 10) {
      feed = find(value, end, 10);
      if (!readValue(value, feed)) break;
    }
    if (feed >= end || feed - at >= longest) break;
    const length = (load<u8>(record, FLAGS_AT) as u32) & 15;
    if (packedBytes > length || classOf(blockAt) != index) break;
    if (((stamp - loadStamp(record + STAMP_AT)) & STAMP_MASK) >= life) break;
    storePacked(valueAt, length);
    storeStamp(record + STAMP_AT, stamp);
    at = feed + 1;
    last = (block << 4) | slot++;
    ++taken;
  }
  if (taken != 0) {
    countMany(SAMPLES, taken);
    store<u32>(LAST_METRIC, last);
  }
  return at;
}

/** Expects the metric that the line [at, feed) names, if it is one with a single sample, written the usual way. */
function expectNamed(at: usize, feed: usize): bool {
  const h = keyHash(at, feed);
  if (h == 0) return false;
  let ref = firstMetric(h);
  while (ref != 0) {
    enter(ref >> 4, address(ref >> 4), ref & 15);
    const record = recordAt(blockAt, slot);
    foundValue = slots == 0 ? 0 : skipKey(at, record);
    if (foundValue != 0) return true;
    ref = loadRef(record);
  }
  return false;
}

/** Notes the family of metric `after` as the one that follows that of `before`, any number. */
function learn(before: u32, after: u32): void {
  const from = addressOf(before >> 4, BLOCK);
  const to = addressOf(after >> 4, BLOCK);
  if (from == 0 || to == 0 || familyOf(from) == familyOf(to)) return;
  setFollow(address(familyOf(from)), familyOf(to));
}

/** Takes the line [at, end), without LF. */
function takeLine(at: usize, end: usize, index: u32): void {
  const start = at;
  const whole = end - at;
  if (end > at && load<u8>(end - 1) == 13) --end;
  if (end - at > (load<u32>(MAX_LINE) as usize)) {
    bad(TOO_LONG, at, end - at);
    return;
  }
  while (at < end && (load<u8>(at) == 32 || load<u8>(at) == 9)) ++at;
  if (at == end) return;
  let result: i32 = 0;
  if (load<u8>(at) == 35) result = takeComment(at, end, index);
  else result = readLine(at, end) ? takeSample(index) : reason;
  if (result >= 0) bad(result, start, whole);
}

/** Takes a line the long way, and learns what follows what. */
function takeUnexpected(at: usize, end: usize, index: u32): void {
  const before = load<u32>(LAST_METRIC);
  takeLine(at, end, index);
  const after = load<u32>(LAST_METRIC);
  if (after != before) learn(before, after);
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
  longest = (load<u32>(MAX_LINE) as usize) + 1;
  let stamp = stampOf(index);
  let from: usize = 0;
  expect(load<u32>(LAST_METRIC));
  for (;;) {
    const isShort = short && load<u8>(ROUND) == 0;
    // Behind a line that had to be looked up the next one is most likely another.
    if (isShort && from == 0) at = takeExpected(at, end, index, stamp);
    const feed = find(at, end, 10);
    if (feed >= end) break;
    // A line that is too long is not taken, so nothing is learnt from it either.
    if (isShort && feed - at < longest && expectNamed(at, feed)) {
      learn(load<u32>(LAST_METRIC), (block << 4) | slot);
      from = at;
      at = takeExpected(at, end, index, stamp);
      if (at != from) continue;
    }
    from = 0;
    takeUnexpected(at, feed, index);
    index = classNow();
    stamp = stampOf(index);
    expect(load<u32>(LAST_METRIC));
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
