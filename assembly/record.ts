/**
 * Walks over a metric's record: its labels, and its samples. The layout of a record is in block.ts, that of the samples
 * of a metric that holds many in samples.ts. There is one walk of each kind at a time.
 */

import { FLAGS_AT, LABELS_AT, MANY, namesAt, recordAt } from "./block";
import { GENERATION, header, keepsTimestamps } from "./header";
import { address, loadRef, textAddress } from "./heap";
import { REF } from "./layout";
import { readLabel, textBytes } from "./text";

/** Parts of what is before the samples of a metric that holds many, and its bytes. */
export const ROUND_AT: usize = REF;
export const COUNT_AT: usize = REF + 1;
export const SAMPLES_HEAD: usize = REF + 2;

/** The schema of a metric that has one sample: of part 0, without `le` or `quantile`. */
const SINGLE: usize = memory.data<u8>([0, 0, 0]);

/** Address of the record of a metric known to live. */
export function metricAddress(ref: u32): usize {
  return recordAt(address(ref >> 4), ref & 15);
}

/** The name of the label that nextLabel read; readLabel has its value. */
export let labelName: usize = 0;
export let labelNameBytes: usize = 0;
/** How many labels are left. */
let labelsLeft: u32 = 0;
/** The next label value; behind the last: the head of the samples, or the value of a metric that has one. */
export let nextValue: usize = 0;

/** Begins a walk over the labels of a metric. */
export function beginLabels(ref: u32): void {
  // The number of labels, as a name that is before the first.
  labelName = namesAt(address(ref >> 4));
  labelNameBytes = 1;
  labelsLeft = load<u8>(labelName);
  nextValue = metricAddress(ref) + LABELS_AT;
}

/** Reads the next label; false: there is none left. */
export function nextLabel(): bool {
  if (labelsLeft == 0) return false;
  --labelsLeft;
  const length = labelName + labelNameBytes;
  labelName = length + 1;
  labelNameBytes = load<u8>(length) as usize;
  nextValue = readLabel(nextValue);
  return true;
}

/** Address behind the labels: the head of the samples; the value of a metric that has one sample. */
export function headOf(ref: u32): usize {
  beginLabels(ref);
  for (; labelsLeft > 0; --labelsLeft) nextValue = readLabel(nextValue);
  return nextValue;
}

/** Whether the metric at `record` holds many samples. */
export function isMany(record: usize): bool {
  return ((load<u8>(record, FLAGS_AT) as u32) & MANY) == MANY;
}

/** Bytes of a kept time stamp. */
function timestampBytes(): usize {
  return keepsTimestamps() ? 8 : 0;
}

/** Bytes of a value of `length` bytes with its time stamp. */
export function valueSize(length: u32): usize {
  return (length as usize) + timestampBytes();
}

/** Where the walk over samples stands: the sample's entry in the schema, the byte with its value's length, its value. */
export let entry: usize = 0;
export let lengthAt: usize = 0;
export let valueAt: usize = 0;

/** Bytes of the value where the walk stands. */
export function valueLength(): u32 {
  return (load<u8>(lengthAt) as u32) & 15;
}

/**
 * Begins a walk over the samples of a metric, at the first. Returns how many there are. Where the metric has one, its
 * value is 0: behind the labels, which a page goes through anyway.
 */
export function beginPageSamples(ref: u32, record: usize): u32 {
  entry = SINGLE + 1;
  lengthAt = record + FLAGS_AT;
  valueAt = 0;
  if (!isMany(record)) return 1;
  const head = headOf(ref);
  entry = textBytes(textAddress(loadRef(head))) + 1;
  lengthAt = head + SAMPLES_HEAD;
  valueAt = lengthAt + 1;
  return load<u8>(head, COUNT_AT);
}

/** The same, with the value of a metric that has one sample. */
export function beginSamples(ref: u32): u32 {
  const samples = beginPageSamples(ref, metricAddress(ref));
  if (valueAt == 0) valueAt = headOf(ref);
  return samples;
}

/** Begins a walk over the one sample of a metric whose record was just made, with labels of so many bytes. */
export function beginCreated(record: usize, labels: usize): void {
  lengthAt = record + FLAGS_AT;
  valueAt = record + LABELS_AT + labels;
}

/** Goes on to the next sample, or behind the last one. */
export function nextSample(): void {
  entry += 2 + (load<u8>(entry, 1) as usize);
  lengthAt = valueAt + valueSize(valueLength());
  valueAt = lengthAt + 1;
}

/** Bytes of the record. */
export function recordSize(ref: u32): usize {
  for (let i = beginSamples(ref); i > 0; --i) nextSample();
  return lengthAt - metricAddress(ref);
}

/** Writes a record's byte of flags: bytes of the value, MANY, or INCOMPLETE (samples.ts); created now. */
export function setFlags(record: usize, length: u32): void {
  store<u8>(record, length | (load<u32>(header, GENERATION) << 4), FLAGS_AT);
}
