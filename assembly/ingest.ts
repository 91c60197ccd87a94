/**
 * The stream: cuts it into lines, and takes the ordinary ones the short way.
 *
 * Pushers send the same series in the same order. So the next line is compared, byte for byte, with the metric that
 * followed last time: the next record of the block, the next block of the family, the first metric of the family that
 * followed this one. Where it is the same, its name and labels need no parsing and no checking (they were, when they
 * came), and only the value is read. All others go the long way, by line.ts and sample.ts.
 */
import { equal, find } from "./bytes";
import { address, addressOf, textAddress, BLOCK, FAMILY } from "./heap";
import {
  MAX_LINE,
  SAMPLES,
  BAD,
  TOO_LONG,
  INCOMPLETE,
  count,
  keepsTimestamps,
} from "./header";
import { classOf as classOfTtl, stampOf, storeStamp } from "./clock";
import { textBytes, textLength, readLabel, labelRef, labelNumber, NO_NUMBER } from "./text";
import { readLine, reason } from "./line";
import { readDigits, readValue, packedBytes, storePacked } from "./number";
import { name, nameLength, lastBlock, follow, setFollow } from "./family";
import {
  recordAt,
  nextBlock,
  slotsOf,
  familyOf,
  namesAt,
  classOf,
  kindOf,
  STAMP_AT,
  FLAGS_AT,
  LABELS_AT,
} from "./block";
import { takeSample } from "./sample";
import { takeComment, endPush } from "./comment";
import { LAST_METRIC, ROUND, TTL, TTL_NEVER, SKIPPING } from "./connection";

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
  if (ttl == 0) return 0;
  return classOfTtl(ttl == TTL_NEVER ? 0 : (ttl as f64));
}

/** The block and slot that are expected next, 0: none; the address of the block. */
let block: u32 = 0;
let blockAt: usize = 0;
let slot: u32 = 0;
/** Expects the metric behind `ref`, any number. */
function expect(ref: u32): void {
  block = ref >> 4;
  blockAt = block == 0 ? 0 : addressOf(block, BLOCK);
  slot = (ref & 15) + 1;
  if (blockAt == 0) block = 0;
}

/** Address of the expected record, stepping over free slots and the ends of blocks; 0: none is expected. */
function expected(): usize {
  if (block == 0) return 0;
  const slots = slotsOf(blockAt);
  while (slot < slots) {
    const record = recordAt(blockAt, slot);
    if (record != 0) return record;
    ++slot;
  }
  const family = familyOf(blockAt);
  const owner = address(family);
  if (lastBlock(owner) != block) return enter(nextBlock(blockAt));
  const next = follow(owner);
  if (next == 0 || next == family) return enter(nextBlock(blockAt));
  return enterFamily(next);
}

function enter(next: u32): usize {
  block = next;
  blockAt = address(next);
  for (slot = 0; slot < slotsOf(blockAt); ++slot) {
    const record = recordAt(blockAt, slot);
    if (record != 0) return record;
  }
  return 0;
}

/** Expects the first metric of the family that followed. */
function enterFamily(family: u32): usize {
  const owner = addressOf(family, FAMILY);
  if (owner == 0) return 0;
  return enter(nextBlock(address(lastBlock(owner))));
}

/** Address behind the number `value` in decimal at `at`, 0: it is not there. */
function skipNumber(at: usize, value: u32): usize {
  const start = at;
  let digit = (load<u8>(at) as u32) - 48;
  if (digit == 0) return value == 0 ? at + 1 : 0;
  let read: u32 = 0;
  while (digit < 10) {
    read = read * 10 + digit;
    digit = (load<u8>(++at) as u32) - 48;
  }
  return read == value && at - start < 10 && at != start ? at : 0;
}

/** Where skipKey ended in the record: its value. */
let valueAt: usize = 0;

/** Compares the line at `at` with the name and labels of a record. Returns where its value begins, 0: another. */
function skipKey(at: usize, record: usize): usize {
  const owner = address(familyOf(blockAt));
  const bytes = nameLength(owner);
  if (!equal(name(owner), at, bytes)) return 0;
  at += bytes;
  let label = namesAt(blockAt);
  let value = record + LABELS_AT;
  if (label != 0) {
    let brace: u32 = 123;
    for (let left: u32 = load<u8>(label++); left > 0; --left) {
      if (load<u8>(at) != brace) return 0;
      brace = 44;
      const length = load<u8>(label) as usize;
      if (!equal(label + 1, at + 1, length)) return 0;
      at += length + 1;
      label += length + 1;
      // ="
      if (load<u16>(at) != 0x223d) return 0;
      at += 2;
      value = readLabel(value);
      if (labelRef != 0) {
        const text = textAddress(labelRef);
        const stem = textLength(text);
        if (!equal(textBytes(text), at, stem)) return 0;
        at += stem;
      }
      if (labelNumber != NO_NUMBER) {
        at = skipNumber(at, labelNumber);
        if (at == 0) return 0;
      }
      if (load<u8>(at) != 34) return 0;
      ++at;
    }
    if (load<u8>(at) != 125) return 0;
    ++at;
  }
  valueAt = value;
  return load<u8>(at) == 32 ? at + 1 : 0;
}

/** Reads the value at `at` up to the LF before `end`. Returns the address behind the LF, 0: not that simple. */
function readLast(at: usize, end: usize): usize {
  const behind = readDigits(at);
  if (behind != 0) return behind;
  const feed = find(at, end, 10);
  if (feed == end) return 0;
  return readValue(at, feed) ? feed + 1 : 0;
}

/** Takes the line at `at` if it is the expected one, and needs nothing but its value changed. 0: it is not. */
function takeExpected(at: usize, end: usize, index: u32): usize {
  const record = expected();
  if (record == 0) return 0;
  const value = skipKey(at, record);
  if (value == 0) return 0;
  const next = readLast(value, end);
  if (next == 0 || next > end || next - at > (load<u32>(MAX_LINE) as usize) + 1) return 0;
  const length = (load<u8>(record, FLAGS_AT) as u32) & 15;
  if (packedBytes > length || kindOf(blockAt) != 0 || classOf(blockAt) != index) return 0;
  storePacked(valueAt, length);
  storeStamp(record + STAMP_AT, stampOf(index));
  ++slot;
  return next;
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
  if (after == before) return;
  const from = addressOf(before >> 4, BLOCK);
  const to = addressOf(after >> 4, BLOCK);
  if (from == 0 || to == 0 || familyOf(from) == familyOf(to)) return;
  setFollow(address(familyOf(from)), familyOf(to));
}

/**
 * Takes all complete lines in [at, end), which lies in the input window. Returns the address behind the last one; what
 * is left there is at most one line of the longest length, and a CR.
 */
export function takeLines(at: usize, end: usize): usize {
  badReason = -1;
  if (load<u8>(SKIPPING) != 0) {
    at = find(at, end, 10);
    if (at == end) return end;
    store<u8>(SKIPPING, 0);
    ++at;
  }
  const short = !keepsTimestamps();
  let index = classNow();
  let taken: u32 = 0;
  let last: u32 = load<u32>(LAST_METRIC);
  expect(last);
  while (at < end) {
    if (short && load<u8>(ROUND) == 0) {
      const next = takeExpected(at, end, index);
      if (next != 0) {
        at = next;
        ++taken;
        last = (block << 4) | (slot - 1);
        continue;
      }
    }
    const feed = find(at, end, 10);
    if (feed == end) break;
    store<u32>(LAST_METRIC, last);
    takeUnexpected(at, feed, index);
    index = classNow();
    last = load<u32>(LAST_METRIC);
    expect(last);
    at = feed + 1;
  }
  store<u32>(LAST_METRIC, last);
  count(SAMPLES, taken);
  if (end - at > (load<u32>(MAX_LINE) as usize) + 1) {
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
