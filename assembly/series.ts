/**
 * Sample lines: name, labels, value, time stamp. The labels are those of the block and the record, with `le` or
 * `quantile` among them where the sample has one.
 */

import { isPlain, putName } from "./escape";
import { keepsTimestamps } from "./header";
import { textAddress } from "./heap";
import { NO_TIMESTAMP } from "./line";
import { open, put, putInteger, putText, putValue, putWord, raw, to } from "./output";
import { BUCKET, QUANTILE } from "./owner";
import { beginLabels, labelName, labelNameBytes, nextLabel, nextValue } from "./record";
import { labelNumber, labelRef, NO_NUMBER, textBytes, textLength } from "./text";
import { plainLabels, plainName, putSampleName } from "./title";
import { EQUALS, LE, nth, SUFFIXES } from "./word";

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
function putSeries(metric: u32, entry: usize, place: u32): void {
  const part = load<u8>(entry) as u32;
  brace = 123;
  if (!plainName && raw != 0) putBrace();
  putSampleName(part);
  let labels = beginLabels(metric);
  let special: u32 = -1;
  if (part - BUCKET <= QUANTILE - BUCKET) special = min(place, labels++);
  for (let i: u32 = 0; i < labels; ++i) {
    putBrace();
    if (i == special) {
      putWord(nth(LE, part - BUCKET));
      putWord(EQUALS);
      putText(entry + 2, load<u8>(entry, 1));
    } else {
      nextLabel();
      if (plainLabels || isPlain(labelName, labelNameBytes, false)) putText(labelName, labelNameBytes);
      else putName(labelName, labelNameBytes, SUFFIXES, false, false);
      putWord(EQUALS);
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
 * Writes the line of a sample of a metric of the family at hand, with its value of `length` bytes at `at`, 0: behind the
 * labels, and the time stamp kept behind it. `entry` is the sample's in its schema, and `place` where the label that names it goes.
 */
export function putSample(metric: u32, entry: usize, place: u32, at: usize, length: u32): void {
  putSeries(metric, entry, place);
  if (at == 0) at = nextValue;
  put(32);
  putValue(at, length);
  if (keepsTimestamps()) putTimestamp(load<i64>(at + (length as usize)));
  put(10);
}
