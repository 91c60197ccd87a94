/**
 * The module's exports: docs/ABI.md has an entry for each. Arguments are checked here, and nowhere below.
 */

import { initialize as initializeBuckets } from "./bucket";
import { clear } from "./bytes";
import { advance, expire as expireSome } from "./cache";
import { ENDLESS, initialize as initializeClock } from "./clock";
import { openRenders, RENDERS_END } from "./cursor";
import {
  BAD,
  CACHE_SIZE,
  COUNTER_LIMIT,
  COUNTERS,
  FLAG_REJECT,
  FLAG_TIMESTAMPS,
  FLAGS,
  FREE_BYTES,
  GAUGES,
  header,
  initialize as initializeHeader,
  MAX_LINE,
  PASS_DUE,
  SAMPLES_GONE,
} from "./header";
import { initialize as initializeHeap } from "./heap";
import { badAt, badBytes, badReason as reasonOfBad, takeEnd, takeLines } from "./ingest";
import {
  CACHE,
  CACHE_BYTES_MAX,
  CACHE_BYTES_MIN,
  CHECKED,
  CONNECTION,
  CONNECTION_BYTES,
  FIXED_BYTES,
  HEADER,
  HEADER_BYTES,
  INPUT,
  INPUT_BYTES,
  INPUT_TAIL,
  LINE_LIMIT,
  OUTPUT,
  OUTPUT_BYTES,
  PAGE_BYTES,
} from "./layout";
import { closeRender, isOpen, openRender, writePiece } from "./render";
import { check } from "./validate";

const VERSION: u32 = 1;
/** The first of the counters below BAD that nothing is counted in. */
const UNUSED: u32 = SAMPLES_GONE + 1;
/** Gauges that are not just kept. */
const USED_BYTES: u32 = 4;
const INDEX_BYTES: u32 = 6;
const OPEN_RENDERS: u32 = 11;
const TTL_MAX: f64 = 4294967294;
/** Shortest longest line. */
const LINE_MIN: u32 = 16;

/** Whether init has succeeded. */
let ready: bool = false;

/** Debug builds stop at the first call that leaves the structure wrong. */
function checked<T>(result: T): T {
  if (CHECKED && ready && check() != 0) unreachable();
  return result;
}

/** The version of this interface. */
export function abiVersion(): u32 {
  return VERSION;
}

/** Pages of 64 KiB that the memory needs for a cache of `cacheBytes` bytes; 0: this artefact cannot have it. */
export function memoryPages(cacheBytes: u32): u32 {
  if (cacheBytes - CACHE_BYTES_MIN > CACHE_BYTES_MAX - CACHE_BYTES_MIN) return 0;
  return (FIXED_BYTES + cacheBytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

/**
 * Begins with an empty cache of `cacheBytes` bytes. `ttlMs`: default time to live in ms, 0: never. `flags`: 1 refuses
 * newcomers when full, 2 keeps time stamps. `maxLine`: longest line in bytes.
 * Status: 0 done, 1 cache size, 2 time to live, 3 line length, 4 flags out of range, 5 too little memory.
 */
export function init(cacheBytes: u32, ttlMs: f64, flags: u32, maxLine: u32): u32 {
  const pages = memoryPages(cacheBytes);
  if (pages == 0) return 1;
  let ttl = ENDLESS;
  if (ttlMs != 0) {
    if (!(ttlMs >= 1 && ttlMs <= TTL_MAX)) return 2;
    ttl = ceil(ttlMs) as u32;
  }
  if (maxLine - LINE_MIN > (LINE_LIMIT as u32) - LINE_MIN) return 3;
  if ((flags & ~(FLAG_REJECT | FLAG_TIMESTAMPS)) != 0) return 4;
  if ((memory.size() as u32) < pages) return 5;
  clear(CONNECTION, RENDERS_END - CONNECTION);
  clear(HEADER, HEADER_BYTES + (cacheBytes as usize));
  initializeHeader();
  store<u32>(header, cacheBytes, CACHE_SIZE);
  store<u32>(header, flags, FLAGS);
  store<u32>(header, maxLine, MAX_LINE);
  store<f64>(header, Infinity, PASS_DUE);
  initializeHeap(initializeBuckets(cacheBytes), CACHE + (cacheBytes as usize));
  initializeClock(ttl);
  ready = true;
  return checked<u32>(0);
}

/** Address of the input window. */
export function inputAddress(): u32 {
  return INPUT as u32;
}

/** Bytes of the input window. */
export function inputBytes(): u32 {
  return INPUT_BYTES as u32;
}

/** Offset in the input window where a host reads to; the room before it is for the tail. */
export function inputTail(): u32 {
  return INPUT_TAIL as u32;
}

/** Address of the output window. */
export function outputAddress(): u32 {
  return OUTPUT as u32;
}

/** Bytes of the output window. */
export function outputBytes(): u32 {
  return OUTPUT_BYTES as u32;
}

/** Address of the 16 bytes of the connection at hand. */
export function connectionAddress(): u32 {
  return CONNECTION as u32;
}

/** Address of the state: header and cache. */
export function cacheAddress(): u32 {
  return HEADER as u32;
}

/** Bytes of the state. */
export function cacheBytes(): u32 {
  return (HEADER_BYTES as u32) + load<u32>(header, CACHE_SIZE);
}

/**
 * Takes the bytes [offset, offset + length) of the input window as the connection's next ones, at the time `nowMs`.
 * Returns how many it consumed: all complete lines; -1: not ready, or not inside the window.
 */
export function ingest(offset: u32, length: u32, nowMs: f64): i32 {
  if (!ready || offset > (INPUT_BYTES as u32) || length > (INPUT_BYTES as u32) - offset) return -1;
  const at = INPUT + (offset as usize);
  return checked<i32>((takeLines(at, at + (length as usize), nowMs) - at) as i32);
}

/** Ends a push; `tailBytes` bytes of an incomplete line are left. 0; -1: not ready. */
export function finish(tailBytes: u32, nowMs: f64): i32 {
  if (!ready) return -1;
  advance(nowMs);
  takeEnd(tailBytes);
  clear(CONNECTION, CONNECTION_BYTES);
  return checked<i32>(0);
}

/** Removes expired metrics, in bounded work. 1: there may be more. */
export function expire(nowMs: f64): u32 {
  if (!ready) return 0;
  advance(nowMs);
  return checked<u32>(expireSome() ? 1 : 0);
}

/** Begins a page. Its handle; -1: all are open, or not ready; -2: unknown flags. */
export function renderOpen(flags: u32, nowMs: f64): i32 {
  if (!ready) return -1;
  if (flags > 3) return -2;
  advance(nowMs);
  return checked<i32>(openRender(flags));
}

/** Writes the next piece of a page to the output window. Its bytes; 0: complete, and closed; -1: not open. */
export function renderNext(handle: u32, nowMs: f64): i32 {
  if (!isOpen(handle)) return -1;
  advance(nowMs);
  const bytes = writePiece(handle);
  if (bytes == 0) closeRender(handle);
  return checked<i32>(bytes as i32);
}

/** Ends a page early. 0; -1: not open. */
export function renderClose(handle: u32): i32 {
  if (!isOpen(handle)) return -1;
  closeRender(handle);
  return 0;
}

/** The count of events `index` (docs/ABI.md); NaN for an unknown one. */
export function counter(index: u32): f64 {
  if (index >= COUNTER_LIMIT || index - UNUSED < BAD - UNUSED) return NaN;
  return load<u64>(header + ((index << 3) as usize), COUNTERS) as f64;
}

/** The value of gauge `index` (docs/ABI.md) now; NaN for an unknown one. */
export function gauge(index: u32): f64 {
  return index > OPEN_RENDERS ? NaN : (gaugeOf(index) as f64);
}

function gaugeOf(index: u32): u32 {
  if (index == OPEN_RENDERS) return openRenders();
  if (index != USED_BYTES && index != INDEX_BYTES) return kept(index);
  let bytes = load<u32>(header, CACHE_SIZE) - load<u32>(header, FREE_BYTES);
  if (index == USED_BYTES) return bytes;
  // What is in none of the categories behind it is index.
  while (++index < OPEN_RENDERS) bytes -= kept(index);
  return bytes;
}

/** The value of a gauge that is kept. */
function kept(index: u32): u32 {
  return load<u32>(header + ((index << 2) as usize), GAUGES);
}

/** The reason of the last ingest's first bad line; -1: it had none. */
export function badReason(): i32 {
  return reasonOfBad;
}

/** Where that line lies in the input window. */
export function badOffset(): u32 {
  return reasonOfBad < 0 ? 0 : ((badAt - INPUT) as u32);
}

/** Bytes of that line. */
export function badLength(): u32 {
  return reasonOfBad < 0 ? 0 : (badBytes as u32);
}
