/**
 * Sample lines: name, labels, value, time stamp. The labels are those of the block and the record, with `le` or
 * `quantile` among them where the sample has one.
 */

import { LABELS_AT, namesAt } from "./block";
import { isPlain, putForeign } from "./escape";
import { keepsTimestamps } from "./header";
import { textAddress } from "./heap";
import { open, put, putInteger, putText, putValue, putWord, raw, to } from "./output";
import { BUCKET, QUANTILE } from "./owner";
import { NO_TIMESTAMP } from "./sample";
import { labelNumber, labelRef, NO_NUMBER, readLabel, textBytes, textLength } from "./text";
import { plainName, putName } from "./title";
import { EQUALS, LE, QUANTILE_WORD, SUFFIXES } from "./word";

/** The block's label names need no quotes or escapes. */
let plainLabels: bool = true;

/** Makes the block at `at` the one at hand. */
export function enterBlock(at: usize): void {
  plainLabels = true;
  let label = namesAt(at);
  for (let i = load<u8>(label++) as u32; i > 0; --i) {
    const bytes = load<u8>(label++) as usize;
    if (!isPlain(label, bytes, false)) plainLabels = false;
    label += bytes;
  }
}

/** The character before the next label: the brace, or a comma. */
let brace: u32 = 123;

function putBrace(): void {
  put(brace);
  brace = 44;
}

/** Writes the label value that readLabel has read. */
function putLabelValue(): void {
  if (labelRef != 0) {
    const text = textAddress(labelRef);
    putText(textBytes(text), textLength(text));
  }
  if (labelNumber != NO_NUMBER) putInteger(labelNumber as u64);
}

/** Writes name and labels of a sample. `entry` is its schema's, and `place` where the label that names it goes. */
function putSeries(block: usize, record: usize, entry: usize, place: u32): void {
  const part = load<u8>(entry) as u32;
  brace = 123;
  if (!plainName && raw != 0) putBrace();
  putName(0, part);
  let label = namesAt(block);
  let value = record + LABELS_AT;
  let labels = load<u8>(label++) as u32;
  let special: u32 = -1;
  if (part == BUCKET || part == QUANTILE) special = min(place, labels++);
  for (let i: u32 = 0; i < labels; ++i) {
    putBrace();
    if (i == special) {
      putWord(part == BUCKET ? LE : QUANTILE_WORD);
      putWord(EQUALS);
      putText(entry + 2, load<u8>(entry, 1));
    } else {
      const bytes = load<u8>(label++) as usize;
      if (plainLabels || isPlain(label, bytes, false)) putText(label, bytes);
      else putForeign(label, bytes, SUFFIXES, false);
      putWord(EQUALS);
      label += bytes;
      value = readLabel(value);
      putLabelValue();
    }
    put(34);
  }
  if (brace == 44) put(125);
}

/** Writes a time stamp: milliseconds in text 0.0.4, seconds in OpenMetrics. */
function putTimestamp(ms: i64): void {
  if (ms == NO_TIMESTAMP) return;
  put(32);
  if (ms < 0) {
    put(45);
    ms = -ms;
  }
  if (!open) {
    putInteger(ms);
    return;
  }
  putInteger(ms / 1000);
  if (ms % 1000 == 0) return;
  // Of 1 and the three digits behind the point, the point takes the place of the 1.
  const dot = to;
  putInteger(1000 + (ms % 1000));
  store<u8>(dot, 46);
}

/**
 * Writes the line of a sample of a record in the block at hand, with its value of `length` bytes at `at` and the time
 * stamp kept behind it. `entry` is the sample's in its schema, and `place` where the label that names it goes.
 */
export function putSample(block: usize, record: usize, entry: usize, place: u32, at: usize, length: u32): void {
  putSeries(block, record, entry, place);
  put(32);
  putValue(at, length);
  if (keepsTimestamps()) putTimestamp(load<i64>(at + (length as usize)));
  put(10);
}
