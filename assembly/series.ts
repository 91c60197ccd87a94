/**
 * Sample lines: name, labels, value, time stamp. The labels are those of the block and the record, with `le` or
 * `quantile` among them where the sample has one.
 *
 * What is before, between and behind the label values is the same in all lines of a block about the same part. The
 * first of these lines notes in the text scratch where its pieces begin in the window and their bytes, u32 each; the
 * others copy them.
 */

import { LABELS_AT, namesAt } from "./block";
import { isPlain, putName } from "./escape";
import { keepsTimestamps } from "./header";
import { textAddress } from "./heap";
import { LABEL_LIMIT, TEXT, TEXT_BYTES } from "./layout";
import { NO_TIMESTAMP } from "./line";
import { open, put, putInteger, putText, putValue, putWord, raw, to } from "./output";
import { BUCKET, QUANTILE } from "./owner";
import { labelNumber, labelRef, NO_NUMBER, readLabel, textBytes, textLength } from "./text";
import { hasPlainLabels, plainName, putSampleName } from "./title";
import { EQUALS, LE, nth, SUFFIXES } from "./word";

/** Bytes of a note of a piece. */
const PIECE_BYTES: usize = 8;

/** The label names of the block at hand (block.ts). */
let names: usize = 0;
/**
 * Which lines the pieces are noted of: the place of `le` or `quantile` in them, of which a family has but one; else the
 * complement of their part. NONE: of none yet.
 */
let noted: u32 = 0;
const NONE: u32 = -64;

/** Begins the lines of a block. */
export function beginLines(block: usize): void {
  names = namesAt(block);
  noted = NONE;
}

/** Writes the label value that readLabel has read. */
function putLabelValue(): void {
  if (labelRef != 0) {
    const text = textAddress(labelRef);
    putText(textBytes(text), textLength(text));
  }
  if (labelNumber != NO_NUMBER) putInteger(labelNumber as u64);
}

/**
 * Writes name and labels of a sample of the metric at `record`, and the space behind them. `entry` is the sample's in
 * its schema, and `place` where the label that names it goes. Returns the address behind the record's labels.
 */
function putSeries(record: usize, entry: usize, place: u32): usize {
  const part = load<u8>(entry) as u32;
  let labels = load<u8>(names) as u32;
  let special = ~part;
  if (part - BUCKET <= QUANTILE - BUCKET) special = min(place, labels++);
  const isNoted = special == noted;
  noted = special;
  let piece = TEXT;
  let name = names + 1;
  let value = record + LABELS_AT;
  for (let i: u32 = 0; ; ++i) {
    if (isNoted) putText(load<u32>(piece), load<u32>(piece, 4));
    else {
      const start = to;
      // Not 0: the brace is open. A name in quotes is in it.
      let inside: u32 = plainName ? 0 : raw;
      if (i == 0) {
        if (inside != 0) put(123);
        putSampleName(part);
      } else {
        put(34);
        inside = 1;
      }
      if (i == labels) {
        if (inside != 0) put(125);
        put(32);
      } else {
        put(inside != 0 ? 44 : 123);
        if (i == special) putWord(nth(LE, part - BUCKET));
        else {
          const bytes = load<u8>(name++) as usize;
          putName(name, bytes, SUFFIXES, hasPlainLabels() || isPlain(name, bytes, false), false);
          name += bytes;
        }
        putWord(EQUALS);
      }
      store<u32>(piece, start);
      store<u32>(piece, to - start, 4);
    }
    if (i == labels) break;
    piece += PIECE_BYTES;
    if (i == special) putText(entry + 2, load<u8>(entry, 1));
    else {
      value = readLabel(value);
      putLabelValue();
    }
  }
  return value;
}

/** Writes a time stamp: milliseconds in text 0.0.4, seconds in OpenMetrics. */
function putTimestamp(ms: i64): void {
  if (ms == NO_TIMESTAMP) return;
  put(32);
  if (ms < 0) {
    put(45);
    ms = -ms;
  }
  const unit: i64 = open ? 1000 : 1;
  putInteger(ms / unit);
  const rest = ms % unit;
  if (rest == 0) return;
  // Of 1 and the three digits behind the point, the point takes the place of the 1.
  const dot = to;
  putInteger(1000 + rest);
  store<u8>(dot, 46);
}

/**
 * Writes the line of a sample of the metric at `record`, which is in the block at hand and of the family at hand. Its
 * value is `length` bytes at `at`, 0: behind the labels; the time stamp is kept behind it. `entry` is the sample's in
 * its schema, and `place` where the label that names it goes.
 */
export function putSample(record: usize, entry: usize, place: u32, at: usize, length: u32): void {
  const behind = putSeries(record, entry, place);
  if (at == 0) at = behind;
  putValue(at, length);
  if (keepsTimestamps()) putTimestamp(load<i64>(at + (length as usize)));
  put(10);
}

// One before each label value, `le` or `quantile` among them, and one behind the last.
if (((LABEL_LIMIT as usize) + 2) * PIECE_BYTES > TEXT_BYTES) ERROR("the pieces run out of the text scratch");
