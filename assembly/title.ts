/**
 * The title of a family: what a page calls it, and its metadata.
 *
 * A family is written in passes, each with a title of its own: one pass, where the format knows all samples that the
 * family's type has; else one for each kind of sample, which are families of their own then: a gauge histogram's
 * buckets, sum and count in text 0.0.4, say.
 */

import { find } from "./bytes";
import { isPlain, putEscaped, putName } from "./escape";
import {
  BY_BASE,
  COUNTER,
  findFamily,
  findRelative,
  flags,
  GAUGE,
  GAUGE_HISTOGRAM,
  HISTOGRAM,
  helpOf,
  INFO,
  name,
  nameLength,
  STATESET,
  SUMMARY,
  typeOf,
  UNEXPECTED,
  unitOf,
} from "./family";
import { address } from "./heap";
import { helpLength, helpText } from "./help";
import { TEXT } from "./layout";
import { open, put, putKeyword, putText, putWord, raw, seek, to } from "./output";
import { BUCKET, CREATED_PART, GCOUNT, GSUM, holdsMany, TOTAL } from "./owner";

import {
  bytesBefore,
  HELP,
  INFO_SUFFIX,
  nth,
  SUFFIXES,
  suffixBytes,
  suffixOf,
  TOTAL_SUFFIX,
  TYPE,
  TYPES,
  UNIT,
} from "./word";

/** In the names of types, behind those of families: "unknown". */
const UNKNOWN: u32 = STATESET + 1;

/** The types, a bit each, of which OpenMetrics knows all parts. */
const KNOWN: u32 = (1 << COUNTER) | (1 << HISTOGRAM) | (1 << SUMMARY) | (1 << GAUGE_HISTOGRAM);

/** Behind the pass about a part, the pass about this one, four bits each; TOTAL: it is the last. */
const PASSES: u32 = (CREATED_PART << (TOTAL * 4)) | (GSUM << (BUCKET * 4)) | (GCOUNT << (GSUM * 4));

/** The family at hand, and its name. */
let family: usize = 0;
let nameAt: usize = 0;
let nameBytes: usize = 0;
/**
 * Bytes of the name that its parts' suffixes are behind. What has one sample a metric has to be called like a counter,
 * whose `_created` takes the place of `_total`; 0: it is not.
 */
let stemBytes: usize = 0;
/** The name needs no quotes or escapes. */
export let plainName: bool = true;
/** The title is so many bytes of the name, and the suffix of `part`; its type is `said`. */
let titleBytes: usize = 0;
let said: u32 = 0;
/** The part that the pass is about alone; TOTAL: it is about the whole family, or all but `_created`. */
export let part: u32 = 0;
/** The format knows all parts that the family's type has. */
let whole: bool = false;

/** Whether the label names of the family's metrics need no quotes or escapes, without a look at them. */
export function hasPlainLabels(): bool {
  return (flags(family) & UNEXPECTED) == 0;
}

/** Whether another family is called as this one is written in the escaping: then that is the one to be written. */
function hasEscaped(): bool {
  const before = to;
  seek(TEXT);
  putEscaped(nameAt, nameBytes, true);
  const bytes = to - TEXT;
  seek(before);
  return findFamily(TEXT, bytes) != 0;
}

/** Whether the name's first bytes are the name of a family that owns samples called like it with a suffix. */
function isOwner(bytes: usize): bool {
  const owner = findFamily(nameAt, bytes);
  return owner != 0 && holdsMany(typeOf(address(owner)));
}

/**
 * Whether samples of a part can have a title of their own, or a counter's be under its own: no other family is called
 * like these, or has such samples.
 */
function isFree(suffixPart: u32): bool {
  if (stemBytes == 0 || (stemBytes != nameBytes && isOwner(stemBytes))) return false;
  return findRelative(nameAt, stemBytes, nth(SUFFIXES, suffixPart)) == 0;
}

/**
 * Cuts a suffix from the title, if the name has it and without it is no other family's, nor a sample of one. Of a
 * counter and an info that would have the same title then, the counter has it.
 */
function cutSuffix(suffix: usize): bool {
  const bytes = bytesBefore(nameAt, nameBytes, suffix);
  if (bytes == 0) return false;
  if (suffix != TOTAL_SUFFIX && findRelative(nameAt, bytes, TOTAL_SUFFIX) != 0) return false;
  if (findFamily(nameAt, bytes) != 0) return false;
  if (isOwner(bytes - suffixBytes(suffixOf(nameAt, bytes)))) return false;
  titleBytes = bytes;
  return true;
}

/** The type that the format says of a whole family of this type. Sets `titleBytes`. */
function titleType(type: u32): u32 {
  titleBytes = nameBytes;
  if (!open) return type < INFO ? type : GAUGE;
  if (type == INFO) return cutSuffix(INFO_SUFFIX) ? INFO : GAUGE;
  if (type > COUNTER) return type;
  return type == COUNTER && isFree(CREATED_PART) && cutSuffix(TOTAL_SUFFIX) ? COUNTER : UNKNOWN;
}

/** Makes the family at `at` the one at hand, in the pass about a part. */
export function enterTitle(at: usize, pass: u32): void {
  family = at;
  nameAt = name(at);
  nameBytes = nameLength(at);
  const type = typeOf(at) & 7;
  stemBytes = holdsMany(type) ? nameBytes : bytesBefore(nameAt, nameBytes, TOTAL_SUFFIX);
  plainName = isPlain(nameAt, nameBytes, true);
  said = titleType(type);
  whole = open && ((KNOWN >> said) & 1) != 0;
  part = pass == TOTAL && type == GAUGE_HISTOGRAM && !whole ? BUCKET : pass;
  if (part == TOTAL) return;
  said = GAUGE;
  titleBytes = nameBytes;
}

/** Whether the pass may have something to be written, and no other family has its name. */
export function isWritten(): bool {
  if (part != TOTAL && !isFree(part)) return false;
  return plainName || raw != 0 || !hasEscaped();
}

/** The part that the next pass is about; TOTAL: this was the last one. */
export function nextPass(): u32 {
  return whole ? TOTAL : (PASSES >> (part << 2)) & 15;
}

/** Whether a sample of this part is written in this pass. */
export function isPart(other: u32): bool {
  return part == TOTAL ? whole || other != CREATED_PART : other == part;
}

/** Writes `bytes` bytes of the family's name, or what `_created` is behind, with the suffix of a part. */
function putPartName(bytes: usize, suffixPart: u32): void {
  if (suffixPart == CREATED_PART) bytes = stemBytes;
  putName(nameAt, bytes, nth(SUFFIXES, suffixPart), plainName, true);
}

/** Writes the name of samples of a part. */
export function putSampleName(suffixPart: u32): void {
  putPartName(nameBytes, suffixPart);
}

/** Begins a line of metadata. */
function putTitle(keyword: usize): void {
  putKeyword(keyword);
  put(32);
  putPartName(titleBytes, part);
  put(32);
}

/** Writes the HELP line, if the family has a help; OpenMetrics has quotes escaped. */
function putHelp(): void {
  const help = helpOf(family);
  if (help == 0 || part == CREATED_PART) return;
  putTitle(HELP);
  let at = helpText(address(help));
  const end = at + helpLength(address(help));
  for (;;) {
    const quote = open ? find(at, end, 34) : end;
    putText(at, quote - at);
    if (quote == end) break;
    put(92);
    put(34);
    at = quote + 1;
  }
  put(10);
}

/** Writes the metadata of this pass over the family. */
export function putMetadata(): void {
  if (!open) putHelp();
  putTitle(TYPE);
  putWord(nth(TYPES, said));
  put(10);
  if (!open) return;
  const unit = unitOf(family);
  const isBase = (flags(family) & BY_BASE) != 0;
  // Only of the name that it is the end of: not of a name in the escaping, or of one with another suffix.
  if (unit != 0 && isBase == (titleBytes != nameBytes) && part == TOTAL && (plainName || raw != 0)) {
    putTitle(UNIT);
    putText(nameAt + titleBytes - unit, unit);
    put(10);
  }
  putHelp();
}
