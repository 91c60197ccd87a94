/**
 * Metrics that hold many samples: histograms, summaries, gauge histograms, and counters with `_created`. Behind its
 * labels such a record has
 *
 *   +0      ref  schema: which samples these are (a text, shared by metrics alike)
 *   +REF    u8   round under way (round.ts), 0: none
 *           u8   samples
 *           for each sample: u8, low half: bytes of the value; SEEN: pushed in this round
 *                            value (number.ts), and i64 time stamp in ms where those are kept
 *
 * and a schema is
 *
 *   +0      u8   place of `le` or `quantile` among the labels as pushed
 *           for each sample: u8 part, u8 length of the text of `le` or `quantile`, that text
 */

import { classOf, FLAGS_AT, HIDDEN, MANY, MULTI, recordAt, shrinkRecord } from "./block";
import { copy, equal } from "./bytes";
import { add, countMany, SAMPLES_GONE, SERIES } from "./header";
import { address, loadRef, storeRef, textAddress } from "./heap";
import { REF, SAMPLE_LIMIT, TEXT } from "./layout";
import { behindLabels, growMetric, metricAddress, moveMetric, SAMPLES_HEAD, timestampBytes } from "./metric";
import { part, special, specialAt, specialBytes, TOTAL } from "./owner";
import { dropText, fitsText, textBytes, textLength, useText } from "./text";

export const SEEN: u32 = 0x80;
const ROUND_AT: usize = REF;
const COUNT_AT: usize = REF + 1;
/** Flags of a record of many samples that is not complete. */
export const INCOMPLETE: u32 = MANY | (HIDDEN << 4);

/** Address behind a metric's labels: the head of its samples; the value of one that has one sample. */
export function samplesAt(ref: u32): usize {
  const at = address(ref >> 4);
  return behindLabels(at, recordAt(at, ref & 15));
}

/** Address of the first sample behind a head. */
export function firstSample(head: usize): usize {
  return head + SAMPLES_HEAD;
}

/** Number of samples behind a head. */
export function sampleCount(head: usize): u32 {
  return load<u8>(head, COUNT_AT);
}

export function schemaOf(head: usize): usize {
  return textBytes(textAddress(loadRef(head)));
}

export function nextSample(sample: usize): usize {
  return sample + 1 + (((load<u8>(sample) as u32) & 15) as usize) + timestampBytes();
}

/** Number of the metric's round under way, 0: none. */
export function roundOf(head: usize): u32 {
  return load<u8>(head, ROUND_AT);
}

export function setRound(head: usize, round: u32): void {
  store<u8>(head, round, ROUND_AT);
}

/** Notes of all samples that the round has not seen them. */
export function clearSeen(head: usize): void {
  let sample = firstSample(head);
  for (let i = sampleCount(head); i > 0; --i) {
    store<u8>(sample, (load<u8>(sample) as u32) & ~SEEN);
    sample = nextSample(sample);
  }
}

/** Part and length at the begin of the entry of the line's sample, as this part. */
function entryKey(as: u32): u32 {
  return as | ((specialBytes as u32) << 8);
}

function nextEntry(entry: usize): usize {
  return entry + 2 + (load<u8>(entry, 1) as usize);
}

/** Looks for the line's sample. Returns its address, 0: there is none. */
export function findSample(head: usize): usize {
  const key = entryKey(part);
  let entry = schemaOf(head) + 1;
  let sample = firstSample(head);
  for (let i = sampleCount(head); i > 0; --i) {
    if ((load<u16>(entry) as u32) == key && equal(entry + 2, specialAt, specialBytes)) return sample;
    entry = nextEntry(entry);
    sample = nextSample(sample);
  }
  return 0;
}

/** Writes the line's sample as an entry of a schema, as this part. */
function writeEntry(to: usize, as: u32): void {
  store<u16>(to, entryKey(as));
  copy(to + 2, specialAt, specialBytes);
}

/** The schema of a metric with the line's sample only, as this part. 0: there is no room. */
export function createSchema(as: u32): u32 {
  store<u8>(TEXT, special);
  writeEntry(TEXT + 1, as);
  return useText(TEXT, 3 + specialBytes, 0);
}

/** Writes what a metric has before the value of its first sample, of `length` bytes. */
export function initializeSamples(ref: u32, schema: u32, length: u32): void {
  const head = samplesAt(ref);
  storeRef(head, schema);
  setRound(head, 0);
  store<u8>(head, 1, COUNT_AT);
  store<u8>(firstSample(head), length);
}

/**
 * Makes a metric with one sample one that can hold many, that sample its TOTAL. Returns its new reference; 0: there is
 * no room, and nothing has changed.
 */
export function convert(ref: u32): u32 {
  const schema = createSchema(TOTAL);
  if (schema == 0) return 0;
  const record = metricAddress(ref);
  const flags = load<u8>(record, FLAGS_AT) as u32;
  const moved = moveMetric(ref, classOf(address(ref >> 4)) | MULTI, samplesAt(ref) - record, SAMPLES_HEAD + 1);
  if (moved == 0) {
    dropText(schema);
    return 0;
  }
  const to = metricAddress(moved);
  store<u8>(to, (load<u8>(to, FLAGS_AT) as u32) | MANY, FLAGS_AT);
  initializeSamples(moved, schema, flags & 15);
  return moved;
}

/** Gives a metric another schema, of `by` more samples. */
function changeSchema(ref: u32, schema: u32, by: i32): void {
  const head = samplesAt(ref);
  const before = loadRef(head);
  storeRef(head, schema);
  store<u8>(head, sampleCount(head) + (by as u32), COUNT_AT);
  dropText(before);
  add(SERIES, by);
}

/** What copySchema found: where the copy ends, how many samples the round has seen, and a bit for each of their parts. */
let copyEnd: usize = 0;
let seenSamples: u32 = 0;
let seenParts: u32 = 0;
/** The last of these: where its entry ends in the copy, and how many bytes behind the record's begin it ends. */
let seenEntry: usize = 0;
export let seenPlace: usize = 0;

/** Copies a schema to the scratch: all of it, or the samples that the round has seen. */
function copySchema(ref: u32, all: bool): void {
  const record = metricAddress(ref);
  const head = samplesAt(ref);
  let entry = schemaOf(head);
  let sample = firstSample(head);
  store<u8>(TEXT, load<u8>(entry++));
  copyEnd = TEXT + 1;
  seenSamples = 0;
  seenParts = 0;
  seenEntry = copyEnd;
  seenPlace = sample - record;
  for (let i = sampleCount(head); i > 0; --i) {
    const isSeen = (load<u8>(sample) & SEEN) != 0;
    const bytes = nextEntry(entry) - entry;
    sample = nextSample(sample);
    if (isSeen || all) {
      copy(copyEnd, entry, bytes);
      copyEnd += bytes;
    }
    if (isSeen) {
      ++seenSamples;
      seenParts |= 1 << (load<u8>(entry) as u32);
      seenEntry = copyEnd;
      seenPlace = sample - record;
    }
    entry += bytes;
  }
}

/** Whether a metric can have one more sample, the line's. */
export function canAddSample(head: usize): bool {
  const bytes = textLength(textAddress(loadRef(head))) + 2 + specialBytes;
  return sampleCount(head) != SAMPLE_LIMIT && fitsText(bytes);
}

/**
 * Adds the line's sample, with a value of `length` bytes that is undefined, to a metric, behind the last one that the
 * round has seen, at `seenPlace`: so samples are in the order of the last round. canAddSample must hold. Returns the
 * metric's reference, which may have changed; 0: there is no room, and nothing has changed.
 */
export function addSample(ref: u32, length: u32): u32 {
  copySchema(ref, true);
  const bytes: usize = 2 + specialBytes;
  copy(seenEntry + bytes, seenEntry, copyEnd - seenEntry);
  writeEntry(seenEntry, part);
  const schema = useText(TEXT, copyEnd + bytes - TEXT, ref >> 4);
  if (schema == 0) return 0;
  const grown = growMetric(ref, seenPlace, (length as usize) + timestampBytes() + 1);
  if (grown == 0) {
    dropText(schema);
    return 0;
  }
  changeSchema(grown, schema, 1);
  store<u8>(metricAddress(grown) + seenPlace, length);
  return grown;
}

/**
 * Removes the samples that the round did not have, if it had some of more than one part: a round of one part may be a
 * piece of what is to come.
 */
export function dropUnseen(ref: u32): void {
  const samples = sampleCount(samplesAt(ref));
  copySchema(ref, false);
  if (seenSamples == samples || (seenParts & (seenParts - 1)) == 0) return;
  const schema = useText(TEXT, copyEnd - TEXT, ref >> 4);
  if (schema == 0) return;
  let sample = firstSample(samplesAt(ref));
  let end = sample;
  for (let i = samples; i > 0; --i) {
    const next = nextSample(sample);
    if ((load<u8>(sample) & SEEN) != 0) {
      copy(end, sample, next - sample);
      end += next - sample;
    }
    sample = next;
  }
  shrinkRecord(ref >> 4, ref & 15, end, sample - end);
  changeSchema(ref, schema, (seenSamples - samples) as i32);
  countMany(SAMPLES_GONE, samples - seenSamples);
}
