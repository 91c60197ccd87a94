/**
 * The grammar of a sample line: text 0.0.4 (Prometheus, "Exposition formats") and OpenMetrics 1.0 (section "ABNF"),
 * with the quoted names of both's UTF-8 extension. A line is what it is: no mode tells the formats apart.
 *
 * The parts are left in the variables below, and the labels in a table, a row each:
 *
 *   +0  u32  address of the name      +16  u32  bytes of the value's stem
 *   +4  u32  its bytes                +20  u32  the number behind it, or NO_NUMBER
 *   +8  u32  address of the value     +24  u32  hash of name and value
 *   +12 u32  its bytes                +28  u32  hash of the name
 *
 * Addresses point into the line and live as long as it does. Names and values are the text between their quotes,
 * escapes as they were.
 */

import { checkText, equal, find, findEither, hash, mix } from "./bytes";
import {
  BAD_ESCAPE,
  BAD_EXEMPLAR,
  BAD_LABEL,
  BAD_NAME,
  BAD_TIMESTAMP,
  BAD_VALUE,
  LABEL_TWICE,
  SYNTAX,
  TOO_MANY_LABELS,
} from "./header";
import { LABEL_BYTES, LABEL_LIMIT, LABELS, NAME_LIMIT } from "./layout";
import { high, low, packedBytes, readTimestamp, readValue, timestampMs } from "./number";
import { split, stemBytes, stemNumber } from "./text";

export const NAME_AT: usize = 0;
export const NAME_BYTES: usize = 4;
export const VALUE_AT: usize = 8;
export const VALUE_BYTES: usize = 12;
export const STEM_BYTES: usize = 16;
export const NUMBER: usize = 20;
export const HASH: usize = 24;
export const NAME_HASH: usize = 28;

/** The metric name of the line. */
export let nameAt: usize = 0;
export let nameBytes: usize = 0;
export let labelCount: u32 = 0;
/** The line's time stamp in milliseconds, if it has one. */
export let hasTimestamp: bool = false;
export let lineTimestampMs: i64 = 0;

/** Why the line is bad, if it is. */
export let reason: i32 = SYNTAX;
let labelsEnd: usize = 0;
/** The first label that a later one may not repeat: an exemplar's are apart from the sample's. */
let firstLabel: u32 = 0;

/** The line has a label that is written in the escaping, and one that looks so. */
let foreign: bool = false;
let escaped: bool = false;

function fail(why: i32): bool {
  reason = why;
  return false;
}

/** Row of a label. */
export function row(index: u32): usize {
  return LABELS + (index as usize) * LABEL_BYTES;
}

function isSpace(byte: u32): bool {
  return byte == 32 || byte == 9;
}

function skipSpace(at: usize, end: usize): usize {
  while (at < end && isSpace(load<u8>(at))) ++at;
  return at;
}

function isNameStart(byte: u32): bool {
  return (byte | 32) - 97 < 26 || byte == 95;
}

/** Address behind the name at `at`: [a-zA-Z_:][a-zA-Z0-9_:]*, the colons only where told. */
export function skipName(at: usize, end: usize, colons: bool): usize {
  if (at >= end) return at;
  const first = load<u8>(at) as u32;
  if (!isNameStart(first) && !(colons && first == 58)) return at;
  for (++at; at < end; ++at) {
    const byte = load<u8>(at) as u32;
    if (!isNameStart(byte) && byte - 48 > 9 && !(colons && byte == 58)) break;
  }
  return at;
}

/** Address of the quote that ends the text at `at`, behind its first quote; 0: there is none, or a bad escape. */
export function skipQuoted(at: usize, end: usize): usize {
  for (; at < end; ++at) {
    const byte = load<u8>(at) as u32;
    if (byte == 34) return at;
    if (byte != 92) continue;
    if (++at == end) break;
    const escaped = load<u8>(at) as u32;
    if (escaped != 92 && escaped != 34 && escaped != 110) {
      reason = BAD_ESCAPE;
      return 0;
    }
  }
  reason = SYNTAX;
  return 0;
}

/** Adds a label of the line; its value's text is [at, end). */
function addLabel(name: usize, bytes: usize, at: usize, end: usize): bool {
  if (bytes == 0 || bytes > NAME_LIMIT) return fail(BAD_LABEL);
  // "__name__"
  if (bytes == 8 && load<u64>(name) == 0x5f5f656d616e5f5f) return fail(BAD_LABEL);
  if (labelCount == LABEL_LIMIT) return fail(TOO_MANY_LABELS);
  // Names outside of [a-zA-Z0-9_] are written as U__...: they must not meet one that is called so.
  if (skipName(name, name + bytes, false) != name + bytes) foreign = true;
  else if (((load<u32>(name) & 0xffffff) as u32) == 0x5f5f55) escaped = true;
  if (foreign && escaped) return fail(BAD_LABEL);
  const nameHash = hash(name, bytes);
  for (let i = firstLabel; i < labelCount; ++i) {
    const other = row(i);
    if (load<u32>(other, NAME_HASH) != nameHash || (load<u32>(other, NAME_BYTES) as usize) != bytes) continue;
    if (equal(load<u32>(other, NAME_AT) as usize, name, bytes)) return fail(LABEL_TWICE);
  }
  writeRow(name, bytes, nameHash, at, end - at);
  return true;
}

/** Writes the next row. */
function writeRow(name: usize, bytes: usize, nameHash: u32, at: usize, count: usize): void {
  const to = row(labelCount++);
  split(at, count);
  store<u32>(to, name as u32, NAME_AT);
  store<u32>(to, bytes as u32, NAME_BYTES);
  store<u32>(to, at as u32, VALUE_AT);
  store<u32>(to, count as u32, VALUE_BYTES);
  store<u32>(to, stemBytes as u32, STEM_BYTES);
  store<u32>(to, stemNumber, NUMBER);
  store<u32>(to, nameHash, NAME_HASH);
  store<u32>(to, labelHash(nameHash, at, stemBytes, stemNumber), HASH);
}

/** The hash of a label: 0 for an empty value, which is as no label. */
export function labelHash(nameHash: u32, stem: usize, bytes: usize, number: u32): u32 {
  if (bytes == 0 && number == <u32>-1) return 0;
  return mix(nameHash, hash(stem, bytes) + (number + 1) * 0x9e3779b1);
}

/**
 * Reads labels behind their brace, up to and with the closing one. A quoted text alone is the metric's name, where
 * `named` says that there is none yet.
 */
function readLabels(at: usize, end: usize, named: bool): bool {
  for (;;) {
    at = skipSpace(at, end);
    if (at == end) return fail(SYNTAX);
    let byte = load<u8>(at) as u32;
    if (byte == 125) break;
    let name = at;
    let bytes: usize = 0;
    if (byte == 34) {
      const quote = skipQuoted(++name, end);
      if (quote == 0) return false;
      bytes = quote - name;
      at = quote + 1;
    } else {
      at = skipName(at, end, false);
      bytes = at - name;
      if (bytes == 0) return fail(BAD_LABEL);
    }
    at = skipSpace(at, end);
    if (at == end) return fail(SYNTAX);
    const quoted = byte == 34;
    byte = load<u8>(at);
    if (byte == 61) {
      at = skipSpace(at + 1, end);
      if (at == end || load<u8>(at) != 34) return fail(SYNTAX);
      const quote = skipQuoted(at + 1, end);
      if (quote == 0) return false;
      if (!addLabel(name, bytes, at + 1, quote)) return false;
      at = skipSpace(quote + 1, end);
      if (at == end) return fail(SYNTAX);
      byte = load<u8>(at);
    } else if (quoted && !named && (byte == 44 || byte == 125)) {
      if (bytes == 0 || bytes > NAME_LIMIT) return fail(BAD_NAME);
      named = true;
      nameAt = name;
      nameBytes = bytes;
    } else return fail(quoted ? SYNTAX : BAD_LABEL);
    if (byte == 44) ++at;
    else if (byte != 125) return fail(SYNTAX);
  }
  labelsEnd = at + 1;
  return true;
}

/** Address behind the text without spaces that begins at `at`. */
function skipWord(at: usize, end: usize): usize {
  while (at < end && !isSpace(load<u8>(at))) ++at;
  return at;
}

/** Checks an exemplar behind its "#": labels, a value, perhaps a time stamp. It is not kept. */
function checkExemplar(at: usize, end: usize): bool {
  at = skipSpace(at, end);
  if (at == end || load<u8>(at) != 123) return fail(BAD_EXEMPLAR);
  firstLabel = labelCount;
  const good = readLabels(at + 1, end, true);
  labelCount = firstLabel;
  firstLabel = 0;
  if (!good) return fail(BAD_EXEMPLAR);
  at = skipSpace(labelsEnd, end);
  const word = skipWord(at, end);
  if (!readValue(at, word)) return fail(BAD_EXEMPLAR);
  at = skipSpace(word, end);
  if (at == end) return true;
  const stamp = skipWord(at, end);
  if (!readTimestamp(at, stamp) || skipSpace(stamp, end) != end) return fail(BAD_EXEMPLAR);
  return true;
}

/** Whether the name may be that of a histogram's or summary's sample. */
function mayBePart(): bool {
  const end = nameAt + nameBytes;
  const last = load<u8>(end - 1) as u32;
  // _bucket _count _gcount, _sum _gsum, _created
  if (last == 116) return load<u8>(end - 6) == 95 || load<u8>(end - 7) == 95;
  if (last == 109) return load<u8>(end - 4) == 95 || load<u8>(end - 5) == 95;
  return last == 100 && load<u8>(end - 8) == 95;
}

/**
 * Reads name and labels of a line written the usual way, without checking them: what is found in the cache by them was
 * checked when it came. Returns the address of the value, 0: the line has to be read by readLine.
 */
export function readKey(at: usize, end: usize): usize {
  nameAt = at;
  at = findEither(at, end, 123, 32);
  if (at == end) return 0;
  nameBytes = at - nameAt;
  labelCount = 0;
  hasTimestamp = false;
  if (nameBytes == 0 || mayBePart()) return 0;
  if (load<u8>(at) == 32) return at + 1;
  do {
    const name = at + 1;
    at = find(name, end, 61);
    const value = at + 2;
    if (value >= end || load<u8>(value - 1) != 34 || labelCount == LABEL_LIMIT) return 0;
    const bytes = at - name;
    at = find(value, end, 34);
    if (bytes == 0 || at + 2 >= end) return 0;
    writeRow(name, bytes, hash(name, bytes), value, at - value);
    ++at;
  } while (load<u8>(at) == 44);
  return load<u16>(at) == 0x207d ? at + 2 : 0;
}

/** The value of the line, as number.ts packs it. */
export let valueLow: u64 = 0;
export let valueHigh: u32 = 0;
export let valueBytes: u32 = 0;

/**
 * Reads the sample line [at, end), which has neither LF nor the CR before it.
 * False: it is bad, for `reason`.
 */
export function readLine(at: usize, end: usize): bool {
  const text = checkText(at, end - at);
  if (text != 0) return fail(text);
  at = skipSpace(at, end);
  nameAt = at;
  at = skipName(at, end, true);
  nameBytes = at - nameAt;
  if (nameBytes > NAME_LIMIT) return fail(BAD_NAME);
  labelCount = 0;
  foreign = false;
  escaped = false;
  const behind = skipSpace(at, end);
  if (behind < end && load<u8>(behind) == 123) {
    if (!readLabels(behind + 1, end, nameBytes != 0)) return false;
    at = labelsEnd;
    if (nameBytes == 0) return fail(BAD_NAME);
    if (at == end) return fail(BAD_VALUE);
  } else if (nameBytes == 0 || (at < end && at == behind)) return fail(BAD_NAME);
  at = skipSpace(at, end);
  const word = skipWord(at, end);
  if (!readValue(at, word)) return fail(BAD_VALUE);
  valueLow = low;
  valueHigh = high;
  valueBytes = packedBytes;
  return readRest(skipSpace(word, end), end);
}

/** Reads what may follow the value: a time stamp, an exemplar. */
function readRest(at: usize, end: usize): bool {
  hasTimestamp = false;
  if (at == end) return true;
  if (load<u8>(at) != 35) {
    const word = skipWord(at, end);
    if (!readTimestamp(at, word)) return fail(BAD_TIMESTAMP);
    hasTimestamp = true;
    lineTimestampMs = timestampMs;
    at = skipSpace(word, end);
    if (at == end) return true;
  }
  if (load<u8>(at) != 35) return fail(BAD_TIMESTAMP);
  return checkExemplar(at + 1, end);
}
