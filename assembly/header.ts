/**
 * The header: all state that is not in the cache itself, in one place before it, so that header and cache together
 * are the whole state. Fields are 32-bit unless said otherwise, and named by their offset. Those that are used most come
 * first: the code of an offset below 64, or 128, is shorter.
 */
import { CLASS_LIMIT, HEADER, HEADER_BYTES } from "./layout";

/**
 * Address of the header: a variable, whose code is shorter than that of the large number it is. Before `initialize` all
 * fields are read as 0: nothing is at the begin of the memory.
 */
export let header: usize = 0;

/** The gauges of docs/ABI.md, by index: how many there are now, and bytes; 4 and 6 are not kept but counted. */
export const GAUGES: usize = 0;
export const SERIES: usize = GAUGES;
export const METRICS: usize = GAUGES + 4;
export const FAMILIES: usize = GAUGES + 8;
export const CACHE_SIZE: usize = GAUGES + 12;
/** Bytes that are free in all segments. */
export const FREE_BYTES: usize = GAUGES + 20;
export const NAME_BYTES: usize = GAUGES + 28;
export const LABEL_TEXT_BYTES: usize = GAUGES + 32;
export const METRIC_BYTES: usize = GAUGES + 36;
export const HELP_BYTES: usize = GAUGES + 40;
/** How many families are without metrics; the family where the search for one, or for a help, goes on. */
export const METAS: usize = 44;
export const HELP_HAND: usize = 48;
/** The family that holds most, and where the search for it goes on. */
export const LARGEST: usize = 52;
export const LARGEST_HAND: usize = 56;
/** The block where the search for the oldest metric goes on. */
export const OLDEST_HAND: usize = 60;
/** f64: the time. */
export const NOW: usize = 64;
/** f64: no metric expires before this time; the same of the sweep that is under way. */
export const NEXT_DUE: usize = 72;
export const PASS_DUE: usize = 80;
/** First and last family in order of creation. */
export const FAMILY_FIRST: usize = 88;
export const FAMILY_LAST: usize = 92;
/** The generation that metrics are created in. */
export const GENERATION: usize = 96;
/** How many segments there are, the reference that went or shrank last (wide), and where the search for room goes on. */
export const SEGMENT_COUNT: usize = 100;
export const FREED: usize = 104;
export const SEGMENT_HAND: usize = 108;
/** Number of the metrics' buckets less one. */
export const METRIC_MASK: usize = 112;
export const FLAGS: usize = 116;
export const MAX_LINE: usize = 120;
/** The object that the sweep under way has come to. */
export const SWEEP_HAND: usize = 124;
/** f64: metrics of `OLDEST_HAND` pushed before this time are older than those of all other blocks searched. */
export const OLDEST_UNTIL: usize = 128;
/** f64: the last time that all stamps were looked at. */
export const SWEPT: usize = 136;
/** The last round of a histogram's or summary's samples. */
export const LAST_ROUND: usize = 144;
/** Times to live: `CLASS_LIMIT` of 20 bytes (clock.ts). */
export const CLASSES: usize = 148;
export const CLASS_BYTES: usize = 20;
/** 32 counters of 64 bits. */
export const COUNTERS: usize = 472;

/** Makes the fields those of the header, which is zero then. */
export function initialize(): void {
  header = HEADER;
}

export const FLAG_REJECT: u32 = 1;
export const FLAG_TIMESTAMPS: u32 = 2;

export function rejects(): bool {
  return (load<u32>(header, FLAGS) & FLAG_REJECT) != 0;
}

export function keepsTimestamps(): bool {
  return (load<u32>(header, FLAGS) & FLAG_TIMESTAMPS) != 0;
}

/** Counters (docs/ABI.md). */
export const SAMPLES: u32 = 0;
export const METADATA: u32 = 1;
export const PUSHES: u32 = 2;
export const CREATED: u32 = 3;
export const EXPIRED: u32 = 4;
export const EVICTED: u32 = 5;
export const REFUSED_FAMILY: u32 = 6;
export const REFUSED_FULL: u32 = 7;
export const HELP_DROPPED: u32 = 8;
export const CLASHES: u32 = 9;
export const UNIT_DROPPED: u32 = 10;
export const BAD_TTL: u32 = 11;
export const SAMPLES_GONE: u32 = 12;
export const BAD: u32 = 16;
export const COUNTER_LIMIT: u32 = 32;

/** Reasons of bad lines (docs/ABI.md). */
export const SYNTAX: i32 = 0;
export const NOT_UTF8: i32 = 1;
export const HAS_NUL: i32 = 2;
export const BAD_NAME: i32 = 3;
export const BAD_LABEL: i32 = 4;
export const LABEL_TWICE: i32 = 5;
export const BAD_ESCAPE: i32 = 6;
export const BAD_VALUE: i32 = 7;
export const BAD_TIMESTAMP: i32 = 8;
export const BAD_EXEMPLAR: i32 = 9;
export const TOO_LONG: i32 = 10;
export const INCOMPLETE: i32 = 11;
export const TOO_BIG: i32 = 12;
export const TOO_MANY_LABELS: i32 = 13;
export const BAD_METADATA: i32 = 14;
export const NOT_ITS_SAMPLE: i32 = 15;

/** Adds one to a counter. */
export function count(counter: u32): void {
  countMany(counter, 1);
}

/** Adds `by` to a counter. */
export function countMany(counter: u32, by: u32): void {
  const at = header + ((counter << 3) as usize);
  store<u64>(at, load<u64>(at, COUNTERS) + (by as u64), COUNTERS);
}

/** Adds `by`, which may be negative, to a 32-bit field. */
export function add(field: usize, by: i32): void {
  const at = header + field;
  store<u32>(at, load<u32>(at) + (by as u32));
}

/** Makes a 32-bit field that refers to `from` refer to `to`. */
export function replace(field: usize, from: u32, to: u32): void {
  if (load<u32>(header + field) == from) store<u32>(header + field, to);
}

if (CLASSES + CLASS_BYTES * (CLASS_LIMIT as usize) > COUNTERS) ERROR("the classes run into the counters");
if (COUNTERS + 8 * (COUNTER_LIMIT as usize) > HEADER_BYTES) ERROR("the counters do not fit the header");
