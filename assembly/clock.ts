/**
 * Time and times to live. The host's milliseconds become stamps of a few bits, counted in the unit of a class:
 *
 *   +0  u32  time to live in ms, or ENDLESS             +12 u32  stamp of the time that is now
 *   +4  u32  unit in ms, 0: never in use                +16 u32  blocks of this class
 *   +8  u32  time to live in units
 *
 * A metric whose age in units has reached its class' is expired. For times to live up to a minute (narrow, 16-bit
 * stamps) the unit is a millisecond and expiry exact; else it comes up to two 60,000ths of the time to live late,
 * never early. Wide stamps of 32 bits are exact up to 34 days. Stamps are looked at often enough that an age never
 * wraps while its metric lives (cache.ts, sweepAll).
 */

import { CLASS_BYTES, CLASSES, header, NEXT_DUE, NOW, PASS_DUE } from "./header";
import { CLASS_LIMIT, STAMP, STAMP_MASK, WIDE } from "./layout";

const TTL: usize = CLASSES;
const UNIT: usize = CLASSES + 4;
const UNITS: usize = CLASSES + 8;
const STAMP_NOW: usize = CLASSES + 12;
const BLOCKS: usize = CLASSES + 16;

/** The time to live of what never expires. */
export const ENDLESS: u32 = 0xffffffff;

const NEVER_UNIT: u32 = WIDE ? 1000 : 60000;
/** Age in units at which a metric that never expires stays. */
const AGE_LIMIT: u32 = WIDE ? 3000000000 : 60000;
/** Milliseconds after which all stamps are looked at again. */
export const SWEEP_MS: f64 = WIDE ? 864000000 : 4000;
/** Latest time: a whole number of milliseconds that a double holds. */
const TIME_MAX: f64 = 9007199254740991;

/** Where the fields of a class are offsets from. */
function at(index: u32): usize {
  return header + (index as usize) * CLASS_BYTES;
}

/** Loads and stores a stamp. */
export function loadStamp(address: usize): u32 {
  return WIDE ? load<u32>(address) : (load<u16>(address) as u32);
}

export function storeStamp(address: usize, stamp: u32): void {
  if (WIDE) store<u32>(address, stamp);
  else store<u16>(address, stamp);
}

/** `nowMs` made a time that never runs back and fits. */
export function clamped(nowMs: f64): f64 {
  const last = load<f64>(header, NOW);
  return nowMs > last ? min(nowMs, TIME_MAX) : last;
}

/** Units of a class from the clock's zero to `ms`. */
export function unitsAt(index: u32, ms: f64): u64 {
  return (ms / (load<u32>(at(index), UNIT) as f64)) as u64;
}

/** Notes the stamp of the time that is now. */
function tick(index: u32): void {
  store<u32>(at(index), (unitsAt(index, load<f64>(header, NOW)) as u32) & STAMP_MASK, STAMP_NOW);
}

/** Makes `ms`, a clamped time, the time that is now. */
export function setNow(ms: f64): void {
  store<f64>(header, ms, NOW);
  for (let i: u32 = 0; i < CLASS_LIMIT; ++i) if (load<u32>(at(i), UNIT) != 0) tick(i);
}

/** Makes a class that has no blocks that of a time to live. */
function define(index: u32, ttlMs: u32): void {
  let unit = NEVER_UNIT;
  let units: u32 = -1;
  if (ttlMs != ENDLESS) {
    unit = (ttlMs - 1) / AGE_LIMIT + 1;
    units = (ttlMs - 1) / unit + (unit > 1 ? 2 : 1);
  }
  store<u32>(at(index), ttlMs, TTL);
  store<u32>(at(index), unit, UNIT);
  store<u32>(at(index), units, UNITS);
  tick(index);
}

/** Begins with one class, the default: 0. */
export function initialize(ttlMs: u32): void {
  define(0, ttlMs);
}

/**
 * The class of this time to live, made where there is none. If all are in use, the one with the next longer time to
 * live, or else the longest.
 */
export function classOfTtl(ttlMs: u32): u32 {
  let unused: u32 = 0;
  let best: u32 = 0;
  for (let i: u32 = 0; i < CLASS_LIMIT; ++i) {
    const ttl = ttlOf(i);
    if (ttl == ttlMs) return i;
    // The default stays, with blocks or not: 0 is none.
    if (load<u32>(at(i), BLOCKS) == 0) unused = i;
    // Counted from it upwards, a shorter one is farther than any longer one.
    if (ttlOf(best) < ttlMs ? ttl > ttlOf(best) : ttl - ttlMs < ttlOf(best) - ttlMs) best = i;
  }
  if (unused == 0) return best;
  define(unused, ttlMs);
  return unused;
}

/** Time to live of a class in ms, or ENDLESS; 0: the class was never in use. */
export function ttlOf(index: u32): u32 {
  return load<u32>(at(index), TTL);
}

/** The class' stamp of the time that is now. */
export function stampOf(index: u32): u32 {
  return load<u32>(at(index), STAMP_NOW);
}

/** Counts the blocks of a class. */
export function addBlocks(index: u32, by: i32): void {
  store<u32>(at(index), load<u32>(at(index), BLOCKS) + (by as u32), BLOCKS);
}

/** Number of blocks of a class. */
export function blocksOf(index: u32): u32 {
  return load<u32>(at(index), BLOCKS);
}

/** Age of a stamp in units of its class. */
export function age(index: u32, stamp: u32): u32 {
  return (load<u32>(at(index), STAMP_NOW) - stamp) & STAMP_MASK;
}

/** Age in milliseconds. */
export function ageMs(index: u32, stamp: u32): f64 {
  return (age(index, stamp) as f64) * (load<u32>(at(index), UNIT) as f64);
}

/** Age in units at which a metric of the class is expired. */
export function unitsOf(index: u32): u32 {
  return load<u32>(at(index), UNITS);
}

/** Whether a metric with this stamp is expired now. */
export function isExpired(index: u32, stamp: u32): bool {
  return age(index, stamp) >= unitsOf(index);
}

/** Whether a stamp is expired `passed` units from now; where nothing expires, whether its age would soon wrap. */
export function isOver(index: u32, stamp: u32, passed: u64): bool {
  const limit = ttlOf(index) == ENDLESS ? AGE_LIMIT : unitsOf(index);
  return (age(index, stamp) as u64) + passed >= (limit as u64);
}

/** The stamp whose age `passed` units from now is the one at which metrics that never expire stay. */
export function limitStamp(index: u32, passed: u64): u32 {
  return stampOf(index) - AGE_LIMIT + (passed as u32);
}

/** The earliest time at which a metric with this stamp can be expired; where nothing expires, one in decades. */
export function dueAt(index: u32, stamp: u32): f64 {
  const units = unitsOf(index);
  const unit = load<u32>(at(index), UNIT) as f64;
  const left = units - min(units, age(index, stamp));
  return (floor(load<f64>(header, NOW) / unit) + (left as f64)) * unit;
}

/** Makes the time in `field`, NEXT_DUE or PASS_DUE, no later than that. */
export function noticeDue(field: usize, index: u32, stamp: u32): void {
  const due = dueAt(index, stamp);
  if (due < load<f64>(header + field)) store<f64>(header + field, due);
}

/** Notes that a metric of the class, pushed now, will expire. */
export function noticePushed(index: u32): void {
  noticeDue(NEXT_DUE, index, stampOf(index));
  noticeDue(PASS_DUE, index, stampOf(index));
}

/** Whether a metric with this stamp has not been pushed for a quarter of its time to live. */
export function isSilent(index: u32, stamp: u32): bool {
  return age(index, stamp) >= unitsOf(index) >> 2;
}

if (STAMP != 2 && STAMP != 4) ERROR("stamps have two or four bytes");
