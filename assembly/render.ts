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
import { character, sequence } from "./bytes";
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
  findRelative,
  flags,
  GAUGE,
  GAUGE_HISTOGRAM,
  helpOf,
  INFO,
  lastBlock,
  name,
  nameLength,
  nextFamily,
  STATESET,
  typeOf,
  unitOf,
} from "./family";
import { FAMILY_FIRST, GENERATION, GENERATION_USED, keepsTimestamps } from "./header";
import { address, textAddress } from "./heap";
import { helpLength, helpText } from "./help";
import { OUTPUT, OUTPUT_BYTES, RENDER_LIMIT, TEXT } from "./layout";
import { behindLabels } from "./metric";
import { writeValue } from "./number";
import { writeInteger } from "./numeral";
import { holdsMany, NO_TIMESTAMP } from "./sample";
import { BUCKET, CREATED_PART, firstSample, GSUM, nextSample, QUANTILE, sampleCount, schemaOf, TOTAL } from "./samples";
import { labelNumber, labelRef, NO_NUMBER, readLabel, textBytes, textLength } from "./text";
import {
  EOF,
  EQUALS,
  endsIn,
  HELP,
  INFO_SUFFIX,
  LE,
  nth,
  QUANTILE_WORD,
  SUFFIXES,
  suffixOf,
  TOTAL_SUFFIX,
  TYPE,
  TYPES,
  UNIT,
  wordBytes,
} from "./word";

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
/** The part that the pass is about alone, TOTAL: it is about the whole family. */
let only: u32 = TOTAL;
/** The block's label names need no quotes or escapes. */
let plainLabels: bool = true;

function put(byte: u32): void {
  if (to >= LIMIT) full = true;
  else store<u8>(to++, byte);
}

function putWord(word: usize): void {
  putText(word + 1, wordBytes(word));
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

/** Writes a name in the `U__` escaping (Prometheus' UTF-8 support, "value encoding"), without its first letters. */
function putEscaped(at: usize, bytes: usize, colons: bool): void {
  const start = at;
  const end = at + bytes;
  while (at < end) {
    let step = sequence(at, end);
    let code = character;
    if (code == 92) {
      code = load<u8>(at, 1);
      if (code == 110) code = 10;
      step = 2;
    }
    if (code == 95) put(95);
    if (code == 95 || (code | 32) - 97 < 26 || (code - 48 < 10 && at != start) || (colons && code == 58)) put(code);
    else putCode(code);
    at += step;
  }
}

/** Writes a name that needs quotes or escapes, with a suffix. */
function putForeign(at: usize, bytes: usize, suffix: usize, colons: bool): void {
  if (raw) {
    put(34);
    putText(at, bytes);
    putWord(suffix);
    put(34);
    return;
  }
  put(85);
  put(95);
  put(95);
  putEscaped(at, bytes, colons);
  putWord(suffix);
}

/** Whether another family is called as this one is written in the escaping: then that is the one to be written. */
function hasEscaped(): bool {
  const before = to;
  to = TEXT;
  putForeign(name(family), nameLength(family), SUFFIXES, true);
  const bytes = to - TEXT;
  to = before;
  return findFamily(TEXT, bytes) != 0;
}

/**
 * Writes the name of the family without its last `without` bytes, with the suffix of a part. A counter's `_created`
 * takes the place of `_total`.
 */
function putName(without: usize, part: u32): void {
  const suffix = nth(SUFFIXES, part);
  if (part == CREATED_PART && !holdsMany(typeOf(family) & 7)) without = wordBytes(TOTAL_SUFFIX);
  const bytes = nameLength(family) - without;
  if (plainName) {
    putText(name(family), bytes);
    putWord(suffix);
  } else putForeign(name(family), bytes, suffix, true);
}

/** Passes over a family of this type; one of single samples may have `_created` of counters. */
function passes(type: u32): u32 {
  if (whole) return 1;
  return type == GAUGE_HISTOGRAM ? 3 : 2;
}

/** The part that this pass is about alone, TOTAL: it is about the whole family. */
function passPart(type: u32, pass: u32): u32 {
  if (whole) return TOTAL;
  if (type == GAUGE_HISTOGRAM) return pass == 0 ? BUCKET : GSUM - 1 + pass;
  return pass == 1 ? CREATED_PART : TOTAL;
}

/** Whether a sample of this part is written in the pass at hand. */
function isPart(part: u32): bool {
  return only == TOTAL ? whole || part != CREATED_PART : part == only;
}

/** Whether there is a family called like this one with another suffix. */
function hasRelative(without: usize, suffix: usize): bool {
  return findRelative(name(family), nameLength(family) - without, suffix) != 0;
}

/** Whether the family's name without its last `without` bytes, no family's, is a sample's of a histogram or summary. */
function isSample(without: usize): bool {
  const bytes = nameLength(family) - without;
  const suffix = nth(SUFFIXES, suffixOf(name(family), bytes));
  const other = findFamily(name(family), bytes - wordBytes(suffix));
  return other != 0 && holdsMany(typeOf(address(other)) & 7);
}

/** Whether the family is called like a counter, and `_created` in place of `_total` is no other family. */
function mayBeCreated(): bool {
  const bytes = wordBytes(TOTAL_SUFFIX);
  return endsIn(name(family), nameLength(family), TOTAL_SUFFIX) && !hasRelative(bytes, nth(SUFFIXES, CREATED_PART));
}

/** Cuts a suffix from the title, if the name has it and without it is no other family's, nor a sample of one. */
function cutSuffix(suffix: usize): bool {
  const bytes = wordBytes(suffix);
  if (!endsIn(name(family), nameLength(family), suffix) || hasRelative(bytes, SUFFIXES) || isSample(bytes))
    return false;
  cut = bytes;
  return true;
}

/** The type that the title says; behind the types there is the word "unknown". Sets `cut`. */
function titleType(type: u32): u32 {
  cut = 0;
  if (only != TOTAL) return GAUGE;
  if (!open) return type < INFO ? type : GAUGE;
  if (type == INFO) return cutSuffix(INFO_SUFFIX) ? INFO : GAUGE;
  if (type > COUNTER) return type;
  if (type == COUNTER && mayBeCreated() && cutSuffix(TOTAL_SUFFIX)) return type;
  return STATESET + 1;
}

/** Begins a line of metadata. */
function putTitle(keyword: usize): void {
  put(35);
  put(32);
  putWord(keyword);
  put(32);
  putName(cut, only);
  put(32);
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
function putMetadata(type: u32): void {
  const said = titleType(type);
  const help = only == TOTAL || type == GAUGE_HISTOGRAM ? helpOf(family) : 0;
  if (!open && help != 0) putHelpLine(help);
  putTitle(TYPE);
  putWord(nth(TYPES, said));
  put(10);
  if (!open) return;
  const unit = unitOf(family);
  const rest = nameLength(family) - cut;
  const named = (flags(family) & BY_BASE) != 0;
  if (unit != 0 && named == (cut != 0) && unit < rest) {
    putTitle(UNIT);
    putText(name(family) + rest - unit, unit);
    put(10);
  }
  if (help != 0) putHelpLine(help);
}

function putHelpLine(help: u32): void {
  putTitle(HELP);
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

function putBrace(): void {
  put(brace);
  brace = 44;
}

function putLabelName(at: usize, bytes: usize): void {
  putBrace();
  if (plainLabels || isPlain(at, bytes, false)) putText(at, bytes);
  else putForeign(at, bytes, SUFFIXES, false);
  putWord(EQUALS);
}

/** Writes `le` or `quantile`, of a schema's entry. */
function putSpecial(entry: usize): void {
  putBrace();
  putWord((load<u8>(entry) as u32) == BUCKET ? LE : QUANTILE_WORD);
  putWord(EQUALS);
  putText(entry + 2, load<u8>(entry, 1));
  put(34);
}

/** The schema's entry of a metric that has one sample. */
const SINGLE: usize = SUFFIXES;

/** Writes name and labels of a sample. `entry` is its schema's, and `place` where the label that names it goes. */
function putSeries(block: usize, record: usize, entry: usize, place: u32): void {
  const part = load<u8>(entry) as u32;
  const isSpecial = part == BUCKET || part == QUANTILE;
  brace = 123;
  if (!plainName && raw) putBrace();
  putName(0, part);
  let label = namesAt(block);
  let value = record + LABELS_AT;
  const labels: u32 = label == 0 ? 0 : load<u8>(label++);
  for (let i: u32 = 0; i < labels; ++i) {
    if (isSpecial && i == place) putSpecial(entry);
    const bytes = load<u8>(label) as usize;
    putLabelName(label + 1, bytes);
    label += bytes + 1;
    value = readLabel(value);
    putValue();
    put(34);
  }
  if (isSpecial && place >= labels) putSpecial(entry);
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
  let rest = (absolute % 1000) as u32;
  if (rest == 0) return;
  put(46);
  for (let place: u32 = 100; place > 0; place /= 10) {
    put(48 + rest / place);
    rest %= place;
  }
}

/**
 * Writes the samples of a metric that holds many, from the render's one on. In pieces, where the metric may be larger
 * than the window, it stops before the one that does not fit. Returns whether it is done.
 */
function putMany(block: usize, record: usize, inPieces: bool): bool {
  const head = behindLabels(block, record);
  const samples = sampleCount(head);
  let entry = schemaOf(head);
  const place = load<u8>(entry++) as u32;
  let sample = firstSample(head);
  for (let i: u32 = 0; i < samples; ++i) {
    if (i >= load<u32>(row, AT_SAMPLE) && isPart(load<u8>(entry))) {
      const start = to;
      putSeries(block, record, entry, place);
      putSample(sample + 1, (load<u8>(sample) as u32) & 15);
      if (full && inPieces) {
        to = start;
        full = false;
        store<u32>(row, i, AT_SAMPLE);
        return false;
      }
    }
    entry = nextEntry(entry);
    sample = nextSample(sample);
  }
  return true;
}

/** The schema's entry behind another. */
function nextEntry(entry: usize): usize {
  return entry + 2 + (load<u8>(entry, 1) as usize);
}

/** Whether a metric of many samples has one for this pass. */
function hasPart(block: usize, record: usize): bool {
  const head = behindLabels(block, record);
  let entry = schemaOf(head) + 1;
  for (let i = sampleCount(head); i > 0; --i) {
    if (isPart(load<u8>(entry))) return true;
    entry = nextEntry(entry);
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
  const isMany = kindOf(block) == MULTI;
  only = passPart(type, load<u32>(row, PASS));
  if (isMany && !hasPart(block, record)) return true;
  const start = to;
  const isAlone = start == OUTPUT;
  let done = true;
  if (load<u32>(row, TITLED) == 0) putMetadata(type);
  if (isMany) done = putMany(block, record, isAlone);
  else {
    putSeries(block, record, SINGLE, 0);
    putSample(behindLabels(block, record), (load<u8>(record, FLAGS_AT) as u32) & 15);
  }
  if (full) {
    // Alone it has to fit (sample.ts sees to it), if it is not many samples.
    to = start;
    full = false;
    return isAlone;
  }
  store<u32>(row, 1, TITLED);
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
  return mayBeCreated();
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
    only = TOTAL;
    const said = titleType(type);
    whole = open && (said == COUNTER || holdsMany(said));
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
    const start = to;
    put(35);
    put(32);
    putWord(EOF);
    put(10);
    if (full) return (start - OUTPUT) as u32;
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
