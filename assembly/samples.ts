/**
 * Metrics that hold many samples: histograms, summaries, gauge histograms, and counters with `_created`. Behind its
 * labels such a record has
 *
 *   +0      ref  schema: which samples these are (a text, shared by metrics alike)
 *   +REF    u8   round under way, 0: none
 *           u8   samples
 *           for each sample: u8, low half: bytes of the value; SEEN: pushed in this round
 *                            value (number.ts), and i64 time stamp in ms where those are kept
 *
 * and a schema is
 *
 *   +0      u8   place of `le` or `quantile` among the labels as pushed
 *           for each sample: u8 part, u8 length of the text of `le` or `quantile`, that text
 *
 * A round is one push of such a metric. When it ends, samples that it did not have go, and a new metric shows. A round
 * of buckets only, or sums only, takes nothing away: some exporters write all buckets of a family before all sums.
 */

import { canGrowRecord, classOf, FLAGS_AT, growRecord, HIDDEN, MANY, MULTI, recordAt, shrinkRecord } from "./block";
import { copy, equal } from "./bytes";
import { add, count as countUp, GENERATION, ROUND, SAMPLES_GONE, SERIES, TOO_BIG } from "./header";
import { address, loadRef, storeRef, textAddress } from "./heap";
import { REF, SAMPLE_LIMIT, TEXT, TEXT_BYTES } from "./layout";
import { behindLabels, metricAddress, moveMetric, SAMPLES_HEAD, timestampBytes } from "./metric";
import { dropText, fitsText, textBytes, textLength, useText } from "./text";

/** Parts: what a sample's name has behind the family's, or the label that names it. */
export const TOTAL: u32 = 0;
export const SUM: u32 = 1;
export const COUNT: u32 = 2;
export const BUCKET: u32 = 3;
export const QUANTILE: u32 = 4;
export const CREATED_PART: u32 = 5;
export const GSUM: u32 = 6;
export const GCOUNT: u32 = 7;

const SEEN: u32 = 0x80;
const ROUND_AT: usize = REF;
const COUNT_AT: usize = REF + 1;

/** Address of the samples' head of a metric. */
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

export function sampleCountOf(ref: u32): u32 {
  return sampleCount(samplesAt(ref));
}

export function schemaOf(head: usize): usize {
  return textBytes(textAddress(loadRef(head)));
}

export function nextSample(sample: usize): usize {
  return sample + 1 + (((load<u8>(sample) as u32) & 15) as usize) + timestampBytes();
}

/** Address of sample number `index`. */
function sampleAt(head: usize, index: u32): usize {
  let sample = firstSample(head);
  for (; index > 0; --index) sample = nextSample(sample);
  return sample;
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

/** Writes the head of a new metric, without samples, whose labels have `le` or `quantile` at `place`. */
export function initializeSamples(head: usize, schema: u32): void {
  storeRef(head, schema);
  store<u8>(head, 0, ROUND_AT);
  store<u8>(head, 0, COUNT_AT);
}

/** The schema of a metric without samples. 0: there is no room. */
export function emptySchema(place: u32): u32 {
  store<u8>(TEXT, place);
  return useText(TEXT, 1, 0);
}

/**
 * Makes a metric with one sample one that can hold many, that sample its TOTAL. Returns its new reference; 0: there is
 * no room, and nothing has changed.
 */
export function convert(ref: u32): u32 {
  store<u8>(TEXT, 255);
  store<u16>(TEXT, TOTAL, 1);
  const schema = useText(TEXT, 3, 0);
  if (schema == 0) return 0;
  const at = address(ref >> 4);
  const record = recordAt(at, ref & 15);
  const length = (load<u8>(record, FLAGS_AT) as u32) & 15;
  const moved = moveMetric(ref, classOf(at), MULTI, behindLabels(at, record) - record, SAMPLES_HEAD + 1);
  if (moved == 0) {
    dropText(schema);
    return 0;
  }
  const to = metricAddress(moved);
  store<u8>(to, ((load<u8>(to, FLAGS_AT) as u32) & 0xf0) | MANY, FLAGS_AT);
  const head = samplesAt(moved);
  initializeSamples(head, schema);
  store<u8>(head, 1, COUNT_AT);
  store<u8>(firstSample(head), length);
  return moved;
}

/** What findSample found: the sample's address, its number, or 0 and the number of samples. */
export let foundSample: usize = 0;
export let foundIndex: u32 = 0;

/** Looks for the sample of this part and `le` or `quantile`. */
export function findSample(head: usize, part: u32, text: usize, bytes: usize): bool {
  let entry = schemaOf(head) + 1;
  const samples = sampleCount(head);
  foundSample = firstSample(head);
  for (foundIndex = 0; foundIndex < samples; ++foundIndex) {
    const length = load<u8>(entry, 1) as usize;
    if ((load<u8>(entry) as u32) == part && length == bytes && equal(entry + 2, text, bytes)) return true;
    entry += 2 + length;
    foundSample = nextSample(foundSample);
  }
  foundSample = 0;
  return false;
}

/** Whether the sample was pushed in the round under way; notes that it was. */
export function markSeen(sample: usize): bool {
  const byte = load<u8>(sample) as u32;
  store<u8>(sample, byte | SEEN);
  return (byte & SEEN) != 0;
}

/** Number of the metric's round under way, 0: none. */
export function roundOf(head: usize): u32 {
  return load<u8>(head, ROUND_AT);
}

/** Begins a round: no sample is seen. Returns its number. */
export function beginRound(head: usize): u32 {
  let sample = firstSample(head);
  for (let i = sampleCount(head); i > 0; --i) {
    store<u8>(sample, (load<u8>(sample) as u32) & ~SEEN);
    sample = nextSample(sample);
  }
  const round = load<u32>(ROUND) == 255 ? 1 : load<u32>(ROUND) + 1;
  store<u32>(ROUND, round);
  store<u8>(head, round, ROUND_AT);
  return round;
}

/** Why addSample could not: 0, there is no room; else TOO_BIG. */
export let addFailure: i32 = 0;

/** Samples up to the last one that the round has seen, and the bytes of their schema. */
let seenSamples: u32 = 0;
let seenBytes: usize = 0;

function findSeen(head: usize): void {
  const schema = schemaOf(head);
  let entry = schema + 1;
  let sample = firstSample(head);
  seenSamples = 0;
  seenBytes = 1;
  for (let i: u32 = 1; i <= sampleCount(head); ++i) {
    entry += (load<u8>(entry, 1) as usize) + 2;
    if ((load<u8>(sample) & SEEN) != 0) {
      seenSamples = i;
      seenBytes = entry - schema;
    }
    sample = nextSample(sample);
  }
}

/**
 * Adds an undefined sample with a value of `length` bytes to a metric, behind the last one that the round has seen: so
 * samples are in the order of the last round. Returns the metric's reference, which may have changed; 0: it could not,
 * nothing has changed, see `addFailure`.
 */
export function addSample(ref: u32, part: u32, text: usize, bytes: usize, length: u32): u32 {
  const head = samplesAt(ref);
  const old = textAddress(loadRef(head));
  const oldBytes = textLength(old);
  const samples = sampleCount(head);
  addFailure = TOO_BIG;
  if (samples == SAMPLE_LIMIT || oldBytes + 2 + bytes > TEXT_BYTES || !fitsText(oldBytes + 2 + bytes)) return 0;
  addFailure = 0;
  findSeen(head);
  const index = seenSamples;
  const entry = TEXT + seenBytes;
  copy(TEXT, textBytes(old), seenBytes);
  store<u8>(entry, part);
  store<u8>(entry, bytes as u32, 1);
  copy(entry + 2, text, bytes);
  copy(entry + 2 + bytes, textBytes(old) + seenBytes, oldBytes - seenBytes);
  const schema = useText(TEXT, oldBytes + 2 + bytes, ref >> 4);
  if (schema == 0) return 0;
  const more = (length as usize) + timestampBytes() + 1;
  const place = sampleAt(samplesAt(ref), index);
  if (canGrowRecord(ref >> 4, ref & 15, more)) growRecord(ref >> 4, ref & 15, place, more);
  else {
    const moved = moveMetric(ref, classOf(address(ref >> 4)), MULTI, place - metricAddress(ref), more);
    if (moved == 0) {
      dropText(schema);
      return 0;
    }
    ref = moved;
  }
  store<u8>(sampleAt(samplesAt(ref), index), length);
  changeSchema(ref, schema, 1);
  return ref;
}

/** Whether the round had samples of more than one part: one of a single part may be a piece of what is to come. */
function isWhole(head: usize): bool {
  let entry = schemaOf(head) + 1;
  let sample = firstSample(head);
  let part: u32 = 255;
  for (let i = sampleCount(head); i > 0; --i) {
    if ((load<u8>(sample) & SEEN) != 0) {
      if (part != 255 && part != (load<u8>(entry) as u32)) return true;
      part = load<u8>(entry);
    }
    entry += (load<u8>(entry, 1) as usize) + 2;
    sample = nextSample(sample);
  }
  return false;
}

/** Removes the samples that the round did not have. */
function dropUnseen(ref: u32): void {
  const head = samplesAt(ref);
  if (!isWhole(head)) return;
  const samples = sampleCount(head);
  let entry = schemaOf(head);
  let to: usize = TEXT;
  store<u8>(to++, load<u8>(entry++));
  let sample = firstSample(head);
  let gone: u32 = 0;
  for (let i: u32 = 0; i < samples; ++i) {
    const bytes = (load<u8>(entry, 1) as usize) + 2;
    if ((load<u8>(sample) & SEEN) != 0) {
      copy(to, entry, bytes);
      to += bytes;
    } else ++gone;
    entry += bytes;
    sample = nextSample(sample);
  }
  if (gone == 0 || gone == samples) return;
  const schema = useText(TEXT, to - TEXT, ref >> 4);
  if (schema == 0) return;
  removeUnseen(ref, samples);
  changeSchema(ref, schema, -(gone as i32));
  countUp(SAMPLES_GONE, gone);
}

function removeUnseen(ref: u32, samples: u32): void {
  let place = firstSample(samplesAt(ref)) - metricAddress(ref);
  for (let i = samples; i > 0; --i) {
    const sample = metricAddress(ref) + place;
    const bytes = nextSample(sample) - sample;
    if ((load<u8>(sample) & SEEN) != 0) place += bytes;
    else shrinkRecord(ref >> 4, ref & 15, sample, bytes);
  }
}

/** Ends the round of a metric, if it is this one: the metric shows, and has the round's samples only. */
export function endRound(ref: u32, round: u32): void {
  const head = samplesAt(ref);
  if (round == 0 || roundOf(head) != round) return;
  store<u8>(head, 0, ROUND_AT);
  dropUnseen(ref);
  const record = metricAddress(ref);
  const flags = load<u8>(record, FLAGS_AT) as u32;
  if (flags >> 4 != HIDDEN) return;
  store<u8>(record, (flags & 15) | (load<u32>(GENERATION) << 4), FLAGS_AT);
}
