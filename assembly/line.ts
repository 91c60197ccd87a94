/**
 * The grammar of a sample line: text 0.0.4 (Prometheus, "Exposition formats") and OpenMetrics 1.0 (section "ABNF"),
 * with the quoted names of both's UTF-8 extension. A line is what it is: no mode tells the formats apart.
 *
 * The parts are left in the variables below, and the labels in a table, a row each:
 *
 *   +0  u32  address of the name      +12 u32  bytes of the value
 *   +4  u32  its bytes                +16 u32  hash of name and value, 0: the value is empty
 *   +8  u32  address of the value     +20 u32  reference of the value's stem, once it is used
 *
 * Addresses point into the line and live as long as it does. Names and values are the text between their quotes,
 * escapes as they were.
 */

import { checkText, copy, equal, find, hash, isUsual } from "./bytes";
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
import { LABEL_BYTES, LABEL_LIMIT, LABELS, NAME_LIMIT, TEXT } from "./layout";
import { high, low, packedBytes, readTimestamp, readValue, timestampMs } from "./number";

export const NAME_AT: usize = 0;
export const NAME_BYTES: usize = 4;
export const VALUE_AT: usize = 8;
export const VALUE_BYTES: usize = 12;
export const HASH: usize = 16;
export const STEM: usize = 20;

const NO_ROW: u32 = -1;

/** The metric name of the line. */
export let nameAt: usize = 0;
export let nameBytes: usize = 0;
/** It was in quotes. */
export let isQuoted: bool = false;
export let labelCount: u32 = 0;
/** The place of the label that names the sample, `le` or `quantile`, which is not among the rows then; NO_ROW: none. */
export let taken: u32 = 0;
/** A time stamp that is none. */
export const NO_TIMESTAMP: i64 = i64.MIN_VALUE;
/** The line's time stamp in milliseconds, or NO_TIMESTAMP. */
export let lineTimestampMs: i64 = 0;

/** Why the line is bad, if it is: its syntax, where nothing else was found. */
export let reason: i32 = 0;
/** The first label that a later one may not repeat: an exemplar's are apart from the sample's. */
let firstLabel: u32 = 0;

/** The line has a label that is written in the escaping, and one that looks so. */
export let foreign: bool = false;
let escaped: bool = false;

function fail(why: i32): bool {
  reason = why;
  return false;
}

/** Row of a label. */
export function row(index: u32): usize {
  return LABELS + ((index + (index >= taken ? 1 : 0)) as usize) * LABEL_BYTES;
}

/** Takes a row out of the table: those behind it come one place nearer. */
export function takeRow(index: u32): void {
  taken = index;
  --labelCount;
}

/** Puts the row back that was taken, if one was. */
export function putBackRow(): void {
  if (taken != NO_ROW) ++labelCount;
  taken = NO_ROW;
}

/**
 * The place in the line that is read, and the line's end. An LF or CR is behind each line, which no rule takes: so what
 * looks for a character or a name needs no end.
 */
export let cursor: usize = 0;
let lineEnd: usize = 0;
/** The text between quotes, or the plain name, that was read last. */
export let textAt: usize = 0;
export let textBytes: usize = 0;
/** The word that was read last: anything without spaces, perhaps nothing. */
export let wordAt: usize = 0;
export let wordEnd: usize = 0;

/** Begins to read the line [at, end). */
export function begin(at: usize, end: usize): void {
  cursor = at;
  lineEnd = end;
}

function isSpace(at: usize): bool {
  return load<u8>(at) == 32 || load<u8>(at) == 9;
}

/** Whether nothing but spaces is left; skips these. */
export function atEnd(): bool {
  while (isSpace(cursor)) ++cursor;
  return cursor == lineEnd;
}

/** Whether a space or the end of the line is next; skips the spaces. */
export function isApart(): bool {
  const at = cursor;
  return atEnd() || cursor != at;
}

/** Takes this character, and the spaces before it. False: it is not the next. */
function take(character: u32): bool {
  if (load<u8>(cursor) != character) {
    atEnd();
    if (load<u8>(cursor) != character) return false;
  }
  ++cursor;
  return true;
}

/** Reads the next word. */
export function readWord(): void {
  atEnd();
  wordAt = cursor;
  while (cursor < lineEnd && !isSpace(cursor)) ++cursor;
  wordEnd = cursor;
}

/** The letters and the underscore: a bit for each byte, from 64 on. */
const LETTERS: u64 = 0x07fffffe87fffffe;

/** Address behind the name at `at`: [a-zA-Z_:][a-zA-Z0-9_:]*, the colons only where told. */
export function skipName(at: usize, end: usize, colons: bool): usize {
  // A colon is behind the digits.
  const others: u32 = colons ? 11 : 10;
  if ((load<u8>(at) as u32) - 48 < 10) return at;
  for (; at < end; ++at) {
    const byte = load<u8>(at) as u32;
    if (byte - 64 < 64 ? ((LETTERS >> ((byte & 63) as u64)) & 1) == 0 : byte - 48 >= others) break;
  }
  return at;
}

/** Whether a name may have so many bytes. */
export function isNameSize(bytes: usize): bool {
  return bytes - 1 < NAME_LIMIT;
}

/** Reads a name without quotes. False: there is none. */
function readPlain(colons: bool): bool {
  atEnd();
  textAt = cursor;
  cursor = skipName(cursor, lineEnd, colons);
  textBytes = cursor - textAt;
  return textBytes != 0;
}

/** Whether a backslash may stand before the character at `at`: another, a quote, or an n. */
export function isEscaped(at: usize): bool {
  const byte = load<u8>(at) as u32;
  return byte == 92 || byte == 34 || byte == 110;
}

/** Reads a text in quotes, behind the first; its escapes stay as they are. False: a quote lacks, or an escape is bad. */
function readQuoted(): bool {
  for (textAt = cursor; cursor < lineEnd; ++cursor) {
    const byte = load<u8>(cursor) as u32;
    if (byte == 34) {
      textBytes = cursor++ - textAt;
      return true;
    }
    if (byte == 92 && !isEscaped(++cursor)) return fail(BAD_ESCAPE);
  }
  return false;
}

/** Reads a name, in quotes or plain. False: there is none. */
export function readName(colons: bool): bool {
  return take(34) ? readQuoted() : readPlain(colons);
}

/** Adds a label of the line, whose value is the text that was read last. Its name was perhaps in quotes. */
function addLabel(name: usize, bytes: usize, quoted: bool): bool {
  if (quoted && skipName(name, name + bytes, false) != name + bytes) foreign = true;
  else if ((load<u32>(name) & 0xffffff) == 0x5f5f55) escaped = true;
  // "__name__" is the metric's.
  const isMetric = bytes == 8 && load<u64>(name) == 0x5f5f656d616e5f5f;
  if (!isNameSize(bytes) || isMetric) return fail(BAD_LABEL);
  if (labelCount == LABEL_LIMIT) return fail(TOO_MANY_LABELS);
  const to = row(labelCount);
  for (let other = row(firstLabel); other != to; other += LABEL_BYTES) {
    if ((load<u32>(other, NAME_BYTES) as usize) != bytes) continue;
    if (equal(load<u32>(other, NAME_AT) as usize, name, bytes)) return fail(LABEL_TWICE);
  }
  addRow(name, bytes, textAt, textBytes);
  return true;
}

/** Adds a row to the table, and returns its hash. */
function addRow(name: usize, bytes: usize, value: usize, valueBytes: usize): u32 {
  const to = row(labelCount++);
  const h = labelHash(name, bytes, value, valueBytes);
  store<u32>(to, name as u32, NAME_AT);
  store<u32>(to, bytes as u32, NAME_BYTES);
  store<u32>(to, value as u32, VALUE_AT);
  store<u32>(to, valueBytes as u32, VALUE_BYTES);
  store<u32>(to, h, HASH);
  return h;
}

/** `="`, between a label's name and its value. */
export const EQUALS: u32 = 0x223d;

/**
 * The hash of a label: that of its usual text, name="value; 0 for an empty value, which is as no label. Where the two
 * are apart, that text is made in the scratch.
 */
export function labelHash(name: usize, bytes: usize, value: usize, valueBytes: usize): u32 {
  if (valueBytes == 0) return 0;
  if (value - name != bytes + 2) {
    copy(TEXT, name, bytes);
    name = TEXT + bytes;
    store<u16>(name, EQUALS);
    copy(name + 2, value, valueBytes);
    name = TEXT;
  }
  return hash(name, bytes + 2 + valueBytes);
}

/** Reads labels behind their brace, up to and with the closing one. A text in quotes alone is the metric's name. */
function readLabels(): bool {
  do {
    if (take(125)) return true;
    const quoted = load<u8>(cursor) == 34;
    if (!readName(false) && quoted) return false;
    const name = textAt;
    const bytes = textBytes;
    if (take(61)) {
      if (!take(34) || !readQuoted() || !addLabel(name, bytes, quoted)) return false;
    } else {
      if (!quoted && cursor != lineEnd) return fail(BAD_LABEL);
      if (!quoted || nameBytes != 0) return false;
      if (!isNameSize(bytes)) return fail(BAD_NAME);
      nameAt = name;
      nameBytes = bytes;
      isQuoted = true;
    }
  } while (take(44));
  return take(125);
}

/** Reads the word that is next as a value. */
function nextValue(): bool {
  readWord();
  return readValue(wordAt, wordEnd);
}

/** Reads the word that is next as a time stamp. */
function nextTimestamp(): bool {
  readWord();
  return readTimestamp(wordAt, wordEnd);
}

/** Checks an exemplar behind its "#": labels, a value, perhaps a time stamp. It is not kept. */
function checkExemplar(): bool {
  const isForeign = foreign;
  firstLabel = labelCount;
  const good = take(123) && readLabels();
  labelCount = firstLabel;
  firstLabel = 0;
  foreign = isForeign;
  return good && nextValue() && (atEnd() || (nextTimestamp() && atEnd()));
}

/** Where the labels end that readKey read, at their brace or at the space behind the name. 0: it could not. */
export let keyEnd: usize = 0;

/**
 * Reads name and labels of the line [at, end), if it is written the usual way. Nothing is checked: they are to be
 * compared with what was. Returns their hash, as findMetric of metric.ts has it; 0: the line has to be read by readLine.
 */
export function readKey(at: usize, end: usize): u32 {
  keyEnd = 0;
  labelCount = 0;
  taken = NO_ROW;
  nameAt = at;
  at = find(nameAt, end, 123);
  if (at == end) at = find(nameAt, end, 32);
  nameBytes = at - nameAt;
  let h = hash(nameAt, nameBytes);
  if (load<u8>(at) == 123) {
    do {
      const name = at + 1;
      at = find(name, end, 61);
      const bytes = at - name;
      const value = at + 2;
      const isWellFormed = (load<u16>(at) as u32) == EQUALS && isNameSize(bytes) && labelCount != LABEL_LIMIT;
      at = find(value, end, 34);
      if (at >= end || !isWellFormed) return 0;
      h += addRow(name, bytes, value, at - value);
    } while (load<u8>(++at) == 44);
  }
  keyEnd = at;
  return h;
}

/** The value of the line, as number.ts packs it. */
export let valueLow: u64 = 0;
export let valueHigh: u32 = 0;
export let valueBytes: u32 = 0;

/** Reads name and labels of the line. */
function readNames(): bool {
  labelCount = 0;
  taken = NO_ROW;
  readPlain(true);
  nameAt = textAt;
  nameBytes = textBytes;
  const apart = isApart();
  const braced = take(123);
  if (braced && !readLabels()) return false;
  // Names outside of [a-zA-Z0-9_] are written as U__...: they must not meet one that is called so.
  if (foreign && escaped) return fail(BAD_LABEL);
  return ((apart || braced) && isNameSize(nameBytes)) || fail(BAD_NAME);
}

/**
 * Reads the sample line [at, end), which has neither LF nor the CR before it. `known` is where name and labels end if
 * they were read by readKey, and it is known that they are good if the line is usual; else 0. False: the line is bad,
 * for `reason`.
 */
export function readLine(at: usize, end: usize, known: usize): bool {
  const text = checkText(at, end - at);
  if (text != 0) return fail(text);
  reason = SYNTAX;
  foreign = false;
  escaped = false;
  isQuoted = false;
  begin(at, end);
  if (known != 0 && isUsual) cursor = known;
  else if (!readNames()) return false;
  if (!nextValue()) return fail(BAD_VALUE);
  valueLow = low;
  valueHigh = high;
  valueBytes = packedBytes;
  lineTimestampMs = NO_TIMESTAMP;
  if (atEnd()) return true;
  if (load<u8>(cursor) != 35) {
    if (!nextTimestamp()) return fail(BAD_TIMESTAMP);
    lineTimestampMs = timestampMs;
    if (atEnd()) return true;
  }
  if (!take(35)) return fail(BAD_TIMESTAMP);
  return checkExemplar() || fail(BAD_EXEMPLAR);
}
