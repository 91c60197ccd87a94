/**
 * The page: text 0.0.4 or OpenMetrics 1.0, in pieces of whole lines. A render keeps only its place (cursor.ts); nothing
 * of the cache is changed by it, or copied for it.
 *
 * A family is written in passes: one, where the format knows its type; else one for each kind of sample, which are
 * families of their own then: a gauge histogram's buckets, sum and count in text 0.0.4, say.
 */

import {
  classOf,
  FLAGS_AT,
  HIDDEN,
  kindOf,
  LABELS_AT,
  META,
  MULTI,
  namesAt,
  nextBlock,
  recordAt,
  STAMP_AT,
  slotsOf,
} from "./block";
import { copy, equal, sequence } from "./bytes";
import { isExpired, loadStamp } from "./clock";
import {
  AT_BLOCK,
  AT_FAMILY,
  AT_SAMPLE,
  AT_SLOT,
  BLOCKS_DONE,
  BORN,
  BORN_NEXT,
  COMPLETE,
  countOpen,
  enterFamily,
  enterPass,
  OPEN,
  openRenders,
  PASS,
  RENDER_FLAGS,
  render,
  TITLED,
} from "./cursor";
import {
  BY_BASE,
  COUNTER,
  findFamily,
  flags,
  GAUGE,
  GAUGE_HISTOGRAM,
  HISTOGRAM,
  helpOf,
  INFO,
  lastBlock,
  name,
  nameLength,
  nextFamily,
  STATESET,
  SUMMARY,
  typeOf,
  unitOf,
} from "./family";
import { FAMILY_FIRST, GENERATION, GENERATION_USED, keepsTimestamps } from "./header";
import { address, textAddress } from "./heap";
import { helpLength, helpText } from "./help";
import { OUTPUT, OUTPUT_BYTES, RENDER_LIMIT, TEXT } from "./layout";
import { behindLabels } from "./metric";
import { writeInteger, writeValue } from "./number";
import { holdsMany, NO_TIMESTAMP } from "./sample";
import {
  BUCKET,
  COUNT,
  CREATED_PART,
  firstSample,
  GCOUNT,
  GSUM,
  nextSample,
  QUANTILE,
  SUM,
  sampleCount,
  schemaOf,
  TOTAL,
} from "./samples";
import { labelNumber, labelRef, NO_NUMBER, readLabel, textBytes, textLength } from "./text";

export const OPENMETRICS: u32 = 1;
export const ALLOW_UTF8: u32 = 2;

/** Generations before those of living metrics are counted afresh. */
const GENERATIONS: u32 = 13;

/** Where the next byte goes, and where none may go. Words are written whole, so seven bytes behind are free. */
let to: usize = OUTPUT;
const LIMIT: usize = OUTPUT + OUTPUT_BYTES - 8;
/** Something did not fit. */
let full: bool = false;

/** The render at hand: its row, flags, family and what is known of it. */
let row: usize = 0;
let open: bool = false;
let raw: bool = false;
let family: usize = 0;
/** The family's name needs no quotes or escapes; its title is its name without the last `cut` bytes. */
let plainName: bool = true;
let cut: usize = 0;
/** The format knows all parts that the family's type has. */
let whole: bool = false;
/** The block's label names need no quotes or escapes. */
let plainLabels: bool = true;

function put(byte: u32): void {
  if (to >= LIMIT) full = true;
  else store<u8>(to++, byte);
}

/** Writes up to eight bytes, given as a word. */
function putWord(word: u64, bytes: usize): void {
  if (to + bytes > LIMIT) {
    full = true;
    return;
  }
  store<u64>(to, word);
  to += bytes;
}

function putText(at: usize, bytes: usize): void {
  if (to + bytes > LIMIT) {
    full = true;
    return;
  }
  const end = to + bytes;
  for (; to < end; to += 8) {
    store<u64>(to, load<u64>(at));
    at += 8;
  }
  to = end;
}

function putInteger(value: u64): void {
  if (to + 20 > LIMIT) full = true;
  else to = writeInteger(to, value);
}

/** Whether text 0.0.4 can have this name without quotes. */
function isPlain(at: usize, bytes: usize, colons: bool): bool {
  for (let i: usize = 0; i < bytes; ++i) {
    const byte = load<u8>(at + i) as u32;
    if ((byte | 32) - 97 < 26 || byte == 95 || (colons && byte == 58)) continue;
    if (i == 0 || byte - 48 > 9) return false;
  }
  return true;
}

/** Writes a character as `_hex_`. */
function putCode(code: u32): void {
  put(95);
  let digits: u32 = 1;
  while (code >> (digits << 2) != 0) ++digits;
  for (; digits > 0; --digits) {
    const digit = (code >> ((digits - 1) << 2)) & 15;
    put(digit < 10 ? 48 + digit : 87 + digit);
  }
  put(95);
}

/** The character of the UTF-8 sequence of this length. */
function character(at: usize, bytes: usize): u32 {
  const first = load<u8>(at) as u32;
  if (bytes == 1) return first;
  let code = first & (0xff >> ((bytes as u32) + 1));
  for (let i: usize = 1; i < bytes; ++i) code = (code << 6) | ((load<u8>(at + i) as u32) & 63);
  return code;
}

/** Writes a name in the `U__` escaping (Prometheus' UTF-8 support, "value encoding"), without its first letters. */
function putEscaped(at: usize, bytes: usize, colons: bool): void {
  const start = at;
  const end = at + bytes;
  while (at < end) {
    let step = sequence(at, end);
    let code = character(at, step);
    if (code == 92) {
      code = load<u8>(at, 1);
      if (code == 110) code = 10;
      step = 2;
    }
    if (code == 95) putWord(0x5f5f, 2);
    else if ((code | 32) - 97 < 26 || (code - 48 < 10 && at != start) || (colons && code == 58)) put(code);
    else putCode(code);
    at += step;
  }
}

/** Writes a name that needs quotes or escapes, with a suffix. */
function putForeign(at: usize, bytes: usize, suffix: u64, suffixBytes: usize, colons: bool): void {
  if (raw) {
    put(34);
    putText(at, bytes);
    putWord(suffix, suffixBytes);
    put(34);
    return;
  }
  putWord(0x5f5f55, 3);
  putEscaped(at, bytes, colons);
  putWord(suffix, suffixBytes);
}

/** Whether another family is called as this one is written in the escaping: then that is the one to be written. */
function hasEscaped(): bool {
  const before = to;
  to = TEXT;
  putForeign(name(family), nameLength(family), 0, 0, true);
  const bytes = to - TEXT;
  to = before;
  return findFamily(TEXT, bytes) != 0;
}

/** The suffix of a part's sample name, and its bytes in `suffixBytes`. */
let suffixBytes: usize = 0;
function suffixOf(part: u32): u64 {
  suffixBytes = 0;
  if (part == SUM) {
    suffixBytes = 4;
    return 0x6d75735f;
  }
  if (part == COUNT) {
    suffixBytes = 6;
    return 0x746e756f635f;
  }
  if (part == BUCKET) {
    suffixBytes = 7;
    return 0x74656b6375625f;
  }
  if (part == CREATED_PART) {
    suffixBytes = 8;
    return 0x646574616572635f;
  }
  if (part == GSUM) {
    suffixBytes = 5;
    return 0x6d7573675f;
  }
  if (part == GCOUNT) {
    suffixBytes = 7;
    return 0x746e756f63675f;
  }
  return 0;
}

/** Passes over a family of this type; one of single samples may have `_created` of counters. */
function passes(type: u32): u32 {
  if (whole) return 1;
  return type == GAUGE_HISTOGRAM ? 3 : 2;
}

/** The part that this pass is about alone, TOTAL: it is about the whole family. */
function passPart(type: u32, pass: u32): u32 {
  if (whole) return TOTAL;
  if (type == GAUGE_HISTOGRAM) return pass == 0 ? BUCKET : pass == 1 ? GSUM : GCOUNT;
  return pass == 1 ? CREATED_PART : TOTAL;
}

/** Whether a sample of this part is written in this pass. */
function isPart(type: u32, pass: u32, part: u32): bool {
  if (whole) return true;
  if (type == GAUGE_HISTOGRAM) return part == passPart(type, pass);
  return (part == CREATED_PART) == (pass == 1);
}

/** Whether there is a family called like this one without its last `without` bytes, and with a suffix. */
function hasRelative(without: usize, suffix: u64, bytes: usize): bool {
  const count = nameLength(family) - without;
  copy(TEXT, name(family), count);
  store<u64>(TEXT + count, suffix);
  return findFamily(TEXT, count + bytes) != 0;
}

/** Whether the family's name without its last `without` bytes is a sample's of a histogram or summary. */
function isSample(without: usize): bool {
  const end = name(family) + nameLength(family) - without;
  for (let part = SUM; part <= GCOUNT; ++part) {
    const suffix = suffixOf(part);
    const bytes = end - name(family);
    if (part == QUANTILE || bytes <= suffixBytes) continue;
    store<u64>(TEXT, suffix);
    if (!equal(end - suffixBytes, TEXT, suffixBytes)) continue;
    const other = findFamily(name(family), bytes - suffixBytes);
    if (other != 0 && holdsMany(typeOf(address(other)) & 7)) return true;
  }
  return false;
}

function endsIn(suffix: u64, bytes: usize): bool {
  const count = nameLength(family);
  if (count <= bytes) return false;
  return (load<u64>(name(family) + count - bytes) & (((1 as u64) << ((bytes << 3) as u64)) - 1)) == suffix;
}

/** The type that the title says, a word of up to 14 bytes in two halves; sets `cut`. */
let typeLow: u64 = 0;
let typeHigh: u64 = 0;
let typeBytes: usize = 0;

function say(bytes: usize, first: u64, second: u64): void {
  typeBytes = bytes;
  typeLow = first;
  typeHigh = second;
}

/** Chooses type and cut of a title in OpenMetrics, for types that it has and text 0.0.4 has not. */
function chooseOpen(type: u32): void {
  if (type == STATESET) say(8, 0x7465736574617473, 0);
  else if (type == INFO && endsIn(0x6f666e695f, 5) && !hasRelative(5, 0, 0) && !isSample(5)) {
    cut = 5;
    say(4, 0x6f666e69, 0);
  } else if (type == INFO) say(5, 0x6567756167, 0);
  else if (type == COUNTER && endsIn(0x6c61746f745f, 6) && isCounterFree()) {
    cut = 6;
    say(7, 0x7265746e756f63, 0);
  } else say(7, 0x6e776f6e6b6e75, 0);
}

/** Whether the counter's name without `_total` is nobody else's. */
function isCounterFree(): bool {
  return !hasRelative(6, 0, 0) && !hasRelative(6, 0x646574616572635f, 8) && !isSample(6);
}

/** Chooses what the title of this pass over a family of this type says. */
function chooseTitle(type: u32, part: u32): void {
  cut = 0;
  if (part != TOTAL || type == GAUGE) say(5, 0x6567756167, 0);
  else if (type == HISTOGRAM) say(9, 0x6172676f74736968, 0x6d);
  else if (type == SUMMARY) say(7, 0x7972616d6d7573, 0);
  else if (type == GAUGE_HISTOGRAM) say(14, 0x7369686567756167, 0x6d6172676f74);
  else if (open) chooseOpen(type);
  else if (type == COUNTER) say(7, 0x7265746e756f63, 0);
  else if (type == INFO || type == STATESET) say(5, 0x6567756167, 0);
  else say(7, 0x64657079746e75, 0);
}

/** Bytes of the family's name before the part's suffix: a counter's `_created` takes the place of `_total`. */
function stemBytes(part: u32): usize {
  const isCounter = part == CREATED_PART && !holdsMany(typeOf(family) & 7);
  return nameLength(family) - (isCounter ? 6 : 0);
}

/** Writes the name of a title, with the suffix of the part that is a family of its own in this pass. */
function putTitle(part: u32): void {
  const suffix = suffixOf(part);
  const bytes = stemBytes(part) - cut;
  if (plainName) {
    putText(name(family), bytes);
    putWord(suffix, suffixBytes);
  } else putForeign(name(family), bytes, suffix, suffixBytes, true);
}

/** Writes the HELP text; OpenMetrics has quotes escaped. */
function putHelp(help: u32): void {
  const at = address(help);
  let text = helpText(at);
  const bytes = helpLength(at);
  if (!open) {
    putText(text, bytes);
    return;
  }
  for (const end = text + bytes; text < end; ++text) {
    if (load<u8>(text) == 34) put(92);
    put(load<u8>(text));
  }
}

/** Writes the metadata of this pass over the family. */
function putMetadata(type: u32, part: u32): void {
  chooseTitle(type, part);
  const help = part == TOTAL || type == GAUGE_HISTOGRAM ? helpOf(family) : 0;
  if (!open && help != 0) putHelpLine(help, part);
  // "# TYPE "
  putWord(0x20455059542023, 7);
  putTitle(part);
  put(32);
  putWord(typeLow, typeBytes < 8 ? typeBytes : 8);
  if (typeBytes > 8) putWord(typeHigh, typeBytes - 8);
  put(10);
  if (!open) return;
  const unit = unitOf(family);
  const named = (flags(family) & BY_BASE) != 0;
  if (unit != 0 && named == (cut != 0) && unit < nameLength(family) - cut) {
    // "# UNIT "
    putWord(0x2054494e552023, 7);
    putTitle(part);
    put(32);
    putText(name(family) + nameLength(family) - cut - unit, unit);
    put(10);
  }
  if (help != 0) putHelpLine(help, part);
}

function putHelpLine(help: u32, part: u32): void {
  // "# HELP "
  putWord(0x20504c45482023, 7);
  putTitle(part);
  put(32);
  putHelp(help);
  put(10);
}

/** Writes a label value of a record, which readLabel has read. */
function putValue(): void {
  if (labelRef != 0) {
    const text = textAddress(labelRef);
    putText(textBytes(text), textLength(text));
  }
  if (labelNumber != NO_NUMBER) putInteger(labelNumber as u64);
}

/** The character before the next label: the brace, or a comma. */
let brace: u32 = 123;

function putLabelName(at: usize, bytes: usize): void {
  put(brace);
  brace = 44;
  if (plainLabels || isPlain(at, bytes, false)) putText(at, bytes);
  else putForeign(at, bytes, 0, 0, false);
  putWord(0x223d, 2);
}

/** Writes `le` or `quantile`. */
function putSpecial(part: u32, at: usize, bytes: usize): void {
  put(brace);
  brace = 44;
  if (part == BUCKET) putWord(0x223d656c, 4);
  else {
    putWord(0x656c69746e617571, 8);
    putWord(0x223d, 2);
  }
  putText(at, bytes);
  put(34);
}

/**
 * Writes name and labels of a sample. `special` is the address of its schema entry and `place` where its label
 * goes, or 0 and 255.
 */
function putSeries(block: usize, record: usize, part: u32, entry: usize, place: u32): void {
  const suffix = suffixOf(part);
  const bytes = stemBytes(part);
  brace = 123;
  if (plainName) {
    putText(name(family), bytes);
    putWord(suffix, suffixBytes);
  } else {
    if (raw) {
      put(123);
      brace = 44;
    }
    putForeign(name(family), bytes, suffix, suffixBytes, true);
  }
  let label = namesAt(block);
  let value = record + LABELS_AT;
  const labels: u32 = label == 0 ? 0 : load<u8>(label++);
  const isSpecial = part == BUCKET || part == QUANTILE;
  for (let i: u32 = 0; i < labels; ++i) {
    if (isSpecial && i == place) putSpecial(part, entry + 2, load<u8>(entry, 1));
    const length = load<u8>(label) as usize;
    putLabelName(label + 1, length);
    label += length + 1;
    value = readLabel(value);
    putValue();
    put(34);
  }
  if (isSpecial && place >= labels) putSpecial(part, entry + 2, load<u8>(entry, 1));
  if (brace == 44) put(125);
  put(32);
}

/** Writes a value of `length` bytes, the time stamp kept behind it, and the end of the line. */
function putSample(at: usize, length: u32): void {
  if (to + 32 > LIMIT) {
    full = true;
    return;
  }
  to = writeValue(to, at, length);
  if (keepsTimestamps()) putTimestamp(load<i64>(at + (length as usize)));
  put(10);
}

function putTimestamp(ms: i64): void {
  if (ms == NO_TIMESTAMP) return;
  put(32);
  if (ms < 0) put(45);
  const absolute: u64 = ms < 0 ? ((0 - ms) as u64) : (ms as u64);
  if (!open) {
    putInteger(absolute);
    return;
  }
  putInteger(absolute / 1000);
  const rest = (absolute % 1000) as u32;
  if (rest == 0) return;
  put(46);
  put(48 + rest / 100);
  put(48 + ((rest / 10) % 10));
  put(48 + (rest % 10));
}

/** Writes the samples of a metric that holds many, from sample `from` on; leaves in AT_SAMPLE where it stopped. */
function putMany(block: usize, record: usize, type: u32, pass: u32): void {
  const head = behindLabels(block, record);
  const samples = sampleCount(head);
  let entry = schemaOf(head);
  const place = load<u8>(entry++) as u32;
  let sample = firstSample(head);
  const from = load<u32>(row, AT_SAMPLE);
  for (let i: u32 = 0; i < samples; ++i) {
    const part = load<u8>(entry) as u32;
    if (i >= from && isPart(type, pass, part)) {
      putSeries(block, record, part, entry, place);
      putSample(sample + 1, (load<u8>(sample) as u32) & 15);
    }
    entry += 2 + (load<u8>(entry, 1) as usize);
    sample = nextSample(sample);
  }
}

/** The same one sample at a time: the metric is larger than the window. Returns whether it is done. */
function putSome(block: usize, record: usize, type: u32, pass: u32): bool {
  const head = behindLabels(block, record);
  const samples = sampleCount(head);
  let entry = schemaOf(head);
  const place = load<u8>(entry++) as u32;
  let sample = firstSample(head);
  for (let i: u32 = 0; i < samples; ++i) {
    const part = load<u8>(entry) as u32;
    if (i >= load<u32>(row, AT_SAMPLE) && isPart(type, pass, part)) {
      const start = to;
      putSeries(block, record, part, entry, place);
      putSample(sample + 1, (load<u8>(sample) as u32) & 15);
      if (full) {
        to = start;
        full = false;
        store<u32>(row, i, AT_SAMPLE);
        return false;
      }
    }
    entry += 2 + (load<u8>(entry, 1) as usize);
    sample = nextSample(sample);
  }
  return true;
}

/** Whether a metric of many samples has one for this pass. */
function hasPart(block: usize, record: usize, type: u32, pass: u32): bool {
  const head = behindLabels(block, record);
  let entry = schemaOf(head) + 1;
  for (let i = sampleCount(head); i > 0; --i) {
    if (isPart(type, pass, load<u8>(entry))) return true;
    entry += 2 + (load<u8>(entry, 1) as usize);
  }
  return false;
}

/** Whether a metric is on this page. */
function isVisible(block: usize, record: usize): bool {
  const born = (load<u8>(record, FLAGS_AT) as u32) >> 4;
  if (born > load<u32>(row, BORN) || born == HIDDEN) return false;
  return !isExpired(classOf(block), loadStamp(record + STAMP_AT));
}

/** Writes a metric, before it the metadata if it is the first. Returns whether it is done; if not, the piece is full. */
function putMetric(block: usize, record: usize): bool {
  const type = typeOf(family) & 7;
  const pass = load<u32>(row, PASS);
  const isMany = kindOf(block) == MULTI;
  if (isMany && !hasPart(block, record, type, pass)) return true;
  const start = to;
  if (load<u32>(row, TITLED) == 0) putMetadata(type, passPart(type, pass));
  if (isMany) putMany(block, record, type, pass);
  else {
    putSeries(block, record, TOTAL, 0, 255);
    putSample(behindLabels(block, record), (load<u8>(record, FLAGS_AT) as u32) & 15);
  }
  if (!full) {
    store<u32>(row, 1, TITLED);
    store<u32>(row, 0, AT_SAMPLE);
    return true;
  }
  to = start;
  full = false;
  if (start != OUTPUT) return false;
  // Alone it has to fit (sample.ts sees to it), if it is not many samples.
  if (!isMany) return true;
  if (load<u32>(row, TITLED) == 0) putMetadata(type, passPart(type, pass));
  store<u32>(row, 1, TITLED);
  const done = putSome(block, record, type, pass);
  if (done) store<u32>(row, 0, AT_SAMPLE);
  return done;
}

/** Writes the metrics of the block where the render stands. Returns false if the piece is full. */
function putBlock(ref: u32): bool {
  const block = address(ref);
  const kind = kindOf(block);
  if (kind == META || (kind == 0 && load<u32>(row, PASS) != 0)) return true;
  plainLabels = true;
  let label = namesAt(block);
  if (label != 0) {
    for (let i = load<u8>(label++) as u32; i > 0; --i) {
      const bytes = load<u8>(label) as usize;
      if (!isPlain(label + 1, bytes, false)) plainLabels = false;
      label += bytes + 1;
    }
  }
  const slots = slotsOf(block);
  for (let slot = load<u32>(row, AT_SLOT); slot < slots; ++slot) {
    store<u32>(row, slot, AT_SLOT);
    const record = recordAt(block, slot);
    if (record != 0 && isVisible(block, record) && !putMetric(block, record)) return false;
  }
  return true;
}

/** Whether there is anything to be written in this pass: `_created` of a counter, unless a family is called so. */
function hasPass(type: u32): bool {
  if (load<u32>(row, PASS) == 0 || holdsMany(type)) return true;
  return endsIn(0x6c61746f745f, 6) && !hasRelative(6, 0x646574616572635f, 8);
}

/** Writes the blocks of the family where the render stands, in this pass. Returns false if the piece is full. */
function putPass(): bool {
  const last = lastBlock(family);
  if (load<u32>(row, AT_BLOCK) == 0 && load<u32>(row, BLOCKS_DONE) == 0)
    store<u32>(row, nextBlock(address(last)), AT_BLOCK);
  while (load<u32>(row, BLOCKS_DONE) == 0) {
    const ref = load<u32>(row, AT_BLOCK);
    if (!putBlock(ref)) return false;
    store<u32>(row, 0, AT_SLOT);
    if (ref == lastBlock(family)) store<u32>(row, 1, BLOCKS_DONE);
    else store<u32>(row, nextBlock(address(ref)), AT_BLOCK);
  }
  return true;
}

/** Whether this handle is an open render. */
export function isOpen(handle: u32): bool {
  return handle < RENDER_LIMIT && load<u32>(render(handle), OPEN) != 0;
}

/** Begins a page. Returns its handle, -1: all are in use. */
export function openRender(how: u32): i32 {
  let handle: u32 = 0;
  while (handle < RENDER_LIMIT && load<u32>(render(handle), OPEN) != 0) ++handle;
  if (handle == RENDER_LIMIT) return -1;
  const at = render(handle);
  if (load<u32>(GENERATION) >= GENERATIONS) renumber();
  if (load<u32>(GENERATION_USED) != 0) {
    store<u32>(GENERATION, load<u32>(GENERATION) + 1);
    store<u32>(GENERATION_USED, 0);
  }
  store<u32>(at, 1, OPEN);
  store<u32>(at, how, RENDER_FLAGS);
  store<u32>(at, load<u32>(GENERATION) - 1, BORN);
  store<u32>(at, 0, COMPLETE);
  enterFamily(at, load<u32>(FAMILY_FIRST));
  countOpen(1);
  return handle as i32;
}

/** Ends a render that is open. */
export function closeRender(handle: u32): void {
  store<u32>(render(handle), 0, OPEN);
  countOpen(-1);
}

/** Begins all renders as closed. */
export function initialize(): void {
  countOpen(-(openRenders as i32));
  for (let i: u32 = 0; i < RENDER_LIMIT; ++i) store<u32>(render(i), 0, OPEN);
}

/** Writes the next piece of an open render. Returns its bytes, 0: the page is complete. */
export function writePiece(handle: u32): u32 {
  row = render(handle);
  to = OUTPUT;
  full = false;
  open = (load<u32>(row, RENDER_FLAGS) & OPENMETRICS) != 0;
  raw = (load<u32>(row, RENDER_FLAGS) & ALLOW_UTF8) != 0;
  for (;;) {
    const ref = load<u32>(row, AT_FAMILY);
    if (ref == 0) break;
    family = address(ref);
    const type = typeOf(family) & 7;
    plainName = isPlain(name(family), nameLength(family), true);
    chooseTitle(type, TOTAL);
    whole = open && (holdsMany(type) || (type == COUNTER && cut != 0));
    if (!plainName && !raw && hasEscaped()) {
      enterFamily(row, nextFamily(family));
      continue;
    }
    if (hasPass(type) && !putPass()) return (to - OUTPUT) as u32;
    const pass = load<u32>(row, PASS) + 1;
    if (pass < passes(type)) {
      store<u32>(row, pass, PASS);
      enterPass(row);
    } else enterFamily(row, nextFamily(family));
  }
  if (load<u32>(row, COMPLETE) == 0 && open) {
    // "# EOF\n"
    putWord(0x0a464f452023, 6);
    if (full) return (to - OUTPUT) as u32;
    store<u32>(row, 1, COMPLETE);
  }
  return (to - OUTPUT) as u32;
}

/** The number of different births of open renders before generation `born`: its new number. */
function rank(born: u32): u32 {
  let count: u32 = 0;
  for (let value: u32 = 0; value < born; ++value) {
    for (let i: u32 = 0; i < RENDER_LIMIT; ++i) {
      if (load<u32>(render(i), OPEN) != 0 && load<u32>(render(i), BORN) == value) {
        ++count;
        break;
      }
    }
  }
  return count;
}

/** Counts generations afresh: only their order to the open renders matters. Once in a dozen pages; looks at all. */
function renumber(): void {
  for (let ref = load<u32>(FAMILY_FIRST); ref != 0; ref = nextFamily(address(ref))) {
    const last = lastBlock(address(ref));
    let block = last;
    do {
      block = nextBlock(address(block));
      renumberBlock(address(block));
    } while (block != last);
  }
  const generation = rank(load<u32>(GENERATION));
  for (let i: u32 = 0; i < RENDER_LIMIT; ++i) store<u32>(render(i), rank(load<u32>(render(i), BORN)), BORN_NEXT);
  for (let i: u32 = 0; i < RENDER_LIMIT; ++i) store<u32>(render(i), load<u32>(render(i), BORN_NEXT), BORN);
  store<u32>(GENERATION, generation + 1);
  store<u32>(GENERATION_USED, 1);
}

function renumberBlock(block: usize): void {
  for (let slot = slotsOf(block); slot > 0; --slot) {
    const record = recordAt(block, slot - 1);
    if (record == 0) continue;
    const value = load<u8>(record, FLAGS_AT) as u32;
    if (value >> 4 != HIDDEN) store<u8>(record, (value & 15) | (rank(value >> 4) << 4), FLAGS_AT);
  }
}
