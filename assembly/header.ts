/**
 * The header: all state that is not in the cache itself, in one place before it, so that header and cache together
 * are the whole state. Fields are 32-bit unless said otherwise.
 */
import { CLASS_LIMIT, HEADER, HEADER_BYTES } from "./layout";

/** f64: the time, and the last time that all stamps were looked at. */
export const NOW: usize = HEADER;
export const SWEPT: usize = HEADER + 8;
/** f64: no metric expires before this time; the same of the sweep that is under way. */
export const NEXT_DUE: usize = HEADER + 16;
export const PASS_DUE: usize = HEADER + 24;
/** f64: metrics of `OLDEST_HAND` pushed before this time are older than those of all other blocks searched. */
export const OLDEST_UNTIL: usize = HEADER + 32;
/** 32 counters of 64 bits. */
export const COUNTERS: usize = HEADER + 40;
/** The gauges of docs/ABI.md, by index: how many there are now, and bytes; 4 to 6 are not kept but counted. */
export const GAUGES: usize = HEADER + 296;
export const SERIES: usize = GAUGES;
export const METRICS: usize = GAUGES + 4;
export const FAMILIES: usize = GAUGES + 8;
export const CACHE_SIZE: usize = GAUGES + 12;
export const NAME_BYTES: usize = GAUGES + 28;
export const LABEL_TEXT_BYTES: usize = GAUGES + 32;
export const METRIC_BYTES: usize = GAUGES + 36;
export const HELP_BYTES: usize = GAUGES + 40;
export const FLAGS: usize = HEADER + 340;
export const MAX_LINE: usize = HEADER + 344;
/** Number of buckets less one, for metrics, and for families and for texts. */
export const METRIC_MASK: usize = HEADER + 348;
export const FEW_MASK: usize = HEADER + 352;
/** Address of the first segment, behind the buckets, and how many there are. */
export const SEGMENTS: usize = HEADER + 356;
export const SEGMENT_COUNT: usize = HEADER + 360;
/** Bytes that are free in all segments. */
export const FREE_BYTES: usize = HEADER + 364;
/** The segment that room was made in last, and the one where the search for room goes on. */
export const SEGMENT_FREED: usize = HEADER + 368;
export const SEGMENT_HAND: usize = HEADER + 372;
/** The object that the sweep under way has come to. */
export const SWEEP_HAND: usize = HEADER + 376;
/** First and last family in order of creation. */
export const FAMILY_FIRST: usize = HEADER + 380;
export const FAMILY_LAST: usize = HEADER + 384;
/** The family that holds most, and where the search for it goes on. */
export const LARGEST: usize = HEADER + 388;
export const LARGEST_HAND: usize = HEADER + 392;
/** The block where the search for the oldest metric goes on. */
export const OLDEST_HAND: usize = HEADER + 400;
/** How many families are without metrics; the family where the search for one, or for a help, goes on. */
export const METAS: usize = HEADER + 412;
export const HELP_HAND: usize = HEADER + 416;
/** The generation that metrics are created in. */
export const GENERATION: usize = HEADER + 420;
/** The last round of a histogram's or summary's samples. */
export const ROUND: usize = HEADER + 428;
/** Times to live: `CLASS_LIMIT` of 20 bytes (clock.ts). */
export const CLASSES: usize = HEADER + 432;
export const CLASS_BYTES: usize = 20;

if (CLASSES + CLASS_BYTES * (CLASS_LIMIT as usize) > HEADER + HEADER_BYTES) ERROR("the classes do not fit the header");

export const FLAG_REJECT: u32 = 1;
export const FLAG_TIMESTAMPS: u32 = 2;

export function rejects(): bool {
  return (load<u32>(FLAGS) & FLAG_REJECT) != 0;
}

export function keepsTimestamps(): bool {
  return (load<u32>(FLAGS) & FLAG_TIMESTAMPS) != 0;
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
  const at = COUNTERS + ((counter << 3) as usize);
  store<u64>(at, load<u64>(at) + (by as u64));
}

/** Adds `by`, which may be negative, to a 32-bit field. */
export function add(field: usize, by: i32): void {
  store<u32>(field, load<u32>(field) + (by as u32));
}

/** Makes a 32-bit field that refers to `from` refer to `to`. */
export function replace(field: usize, from: u32, to: u32): void {
  if (load<u32>(field) == from) store<u32>(field, to);
}
