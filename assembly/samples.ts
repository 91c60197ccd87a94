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

import { classOf, FLAGS_AT, HIDDEN, MANY, MULTI, resizeRecord } from "./block";
import { copy, equal } from "./bytes";
import { sampleMoved } from "./cursor";
import { add, countMany, SAMPLES_GONE, SERIES } from "./header";
import { address, loadRef, storeRef, textAddress } from "./heap";
import { REF, SAMPLE_LIMIT, TEXT } from "./layout";
import { taken } from "./line";
import { growMetric, moveMetric } from "./metric";
import { part, specialAt, specialBytes, TOTAL } from "./owner";
import {
  beginSamples,
  COUNT_AT,
  entry,
  headOf,
  lengthAt,
  metricAddress,
  nextSample,
  ROUND_AT,
  SAMPLES_HEAD,
  valueLength,
  valueSize,
} from "./record";
import { dropText, fitsText, textLength, useText } from "./text";

export const SEEN: u32 = 0x80;
/** Flags of a record of many samples that is not complete. */
export const INCOMPLETE: u32 = MANY | (HIDDEN << 4);

/** Number of the metric's round under way, 0: none. */
export function roundOf(ref: u32): u32 {
  return load<u8>(headOf(ref), ROUND_AT);
}

/** Whether the round has seen the sample where the walk stands. */
export function isSeen(): bool {
  return (load<u8>(lengthAt) & SEEN) != 0;
}

/** Notes of all samples that the round has not seen them. */
export function clearSeen(ref: u32): void {
  for (let i = beginSamples(ref); i > 0; --i) {
    store<u8>(lengthAt, valueLength());
    nextSample();
  }
}

/** Part and length at the begin of the entry of the line's sample, as this part. */
function entryKey(as: u32): u32 {
  return as | ((specialBytes as u32) << 8);
}

/** Looks for the line's sample, and stays there. False: there is none. */
export function findSample(ref: u32): bool {
  const key = entryKey(part);
  for (let i = beginSamples(ref); i > 0; --i) {
    if ((load<u16>(entry) as u32) == key && equal(entry + 2, specialAt, specialBytes)) return true;
    nextSample();
  }
  return false;
}

/** Writes the line's sample as an entry of a schema, as this part. */
function writeEntry(to: usize, as: u32): void {
  store<u16>(to, entryKey(as));
  copy(to + 2, specialAt, specialBytes);
}

/** The schema of a metric with the line's sample only, as this part. 0: there is no room. */
export function createSchema(as: u32): u32 {
  store<u8>(TEXT, taken);
  writeEntry(TEXT + 1, as);
  return useText(TEXT, 3 + specialBytes, 0);
}

/** Writes what a metric has before the value of its first sample, of `length` bytes. */
export function initializeSamples(ref: u32, schema: u32, length: u32): void {
  const head = headOf(ref);
  storeRef(head, schema);
  store<u8>(head, 0, ROUND_AT);
  store<u8>(head, 1, COUNT_AT);
  store<u8>(head, length, SAMPLES_HEAD);
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
  const moved = moveMetric(ref, classOf(address(ref >> 4)) | MULTI, headOf(ref) - record, SAMPLES_HEAD + 1);
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
  const head = headOf(ref);
  const before = loadRef(head);
  storeRef(head, schema);
  store<u8>(head, (load<u8>(head, COUNT_AT) as u32) + (by as u32), COUNT_AT);
  dropText(before);
  add(SERIES, by);
}

/** What copySchema found: where the copy ends, how many samples the round has not seen, a bit for each seen one's part. */
let copyEnd: usize = 0;
let unseenSamples: u32 = 0;
let seenParts: u32 = 0;
/** Behind the last of these: the next one's index, its entry's place in the copy, and its in bytes from the record's begin. */
let seenEnd: u32 = 0;
let seenEntry: usize = 0;
let seenPlace: usize = 0;

/** Copies a schema to the scratch: all of it, or the samples that the round has seen. */
function copySchema(ref: u32, all: bool): void {
  const record = metricAddress(ref);
  const samples = beginSamples(ref);
  store<u8>(TEXT, load<u8>(entry - 1));
  copyEnd = TEXT + 1;
  unseenSamples = 0;
  seenParts = 0;
  seenEnd = 0;
  seenEntry = copyEnd;
  seenPlace = lengthAt - record;
  for (let i: u32 = 1; i <= samples; ++i) {
    const from = entry;
    const seen = isSeen();
    nextSample();
    if (seen || all) {
      copy(copyEnd, from, entry - from);
      copyEnd += entry - from;
    }
    if (!seen) ++unseenSamples;
    else {
      seenParts |= 1 << (load<u8>(from) as u32);
      seenEnd = i;
      seenEntry = copyEnd;
      seenPlace = lengthAt - record;
    }
  }
}

/** Whether a metric can have one more sample, the line's. */
export function canAddSample(ref: u32): bool {
  const head = headOf(ref);
  const bytes = textLength(textAddress(loadRef(head))) + 2 + specialBytes;
  return load<u8>(head, COUNT_AT) != SAMPLE_LIMIT && fitsText(bytes);
}

/**
 * Adds the line's sample, with a value of `length` bytes that is undefined, to a metric, behind the last one that the
 * round has seen: so samples are in the order of the last round. canAddSample must hold. Returns the
 * metric's reference, which may have changed; 0: there is no room, and nothing has changed.
 */
export function addSample(ref: u32, length: u32): u32 {
  copySchema(ref, true);
  const bytes: usize = 2 + specialBytes;
  copy(seenEntry + bytes, seenEntry, copyEnd - seenEntry);
  writeEntry(seenEntry, part);
  const schema = useText(TEXT, copyEnd + bytes - TEXT, ref >> 4);
  if (schema == 0) return 0;
  const grown = growMetric(ref, seenPlace, valueSize(length) + 1);
  if (grown == 0) {
    dropText(schema);
    return 0;
  }
  changeSchema(grown, schema, 1);
  sampleMoved(grown, seenEnd, 1);
  store<u8>(metricAddress(grown) + seenPlace, length);
  return grown;
}

/**
 * Removes the samples that the round did not have, if it had some of more than one part: a round of one part may be a
 * piece of what is to come.
 */
export function dropUnseen(ref: u32): void {
  copySchema(ref, false);
  const gone = unseenSamples;
  if (gone == 0 || (seenParts & (seenParts - 1)) == 0) return;
  const schema = useText(TEXT, copyEnd - TEXT, ref >> 4);
  if (schema == 0) return;
  let samples = beginSamples(ref);
  let end = lengthAt;
  let kept: u32 = 0;
  for (; samples > 0; --samples) {
    const from = lengthAt;
    const seen = isSeen();
    nextSample();
    if (seen) {
      copy(end, from, lengthAt - from);
      end += lengthAt - from;
      ++kept;
    } else sampleMoved(ref, kept, -1);
  }
  resizeRecord(ref >> 4, ref & 15, end, (end - lengthAt) as i32);
  changeSchema(ref, schema, -(gone as i32));
  countMany(SAMPLES_GONE, gone);
}
