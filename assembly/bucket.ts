/**
 * Buckets: the hash tables of metrics, families and texts, at the begin of the cache. Each is a reference to the first
 * object of a chain. Those of metrics come first, behind them one of families and one of texts in turn.
 *
 * A chain of metrics ends with the number of its bucket: so the bucket of a metric that goes is found by walking on from
 * it, and its name and labels need not be hashed again.
 */

import { header, METRIC_MASK } from "./header";
import { loadRef } from "./heap";
import { CACHE, REF } from "./layout";

/** Address of the first bucket of families: behind those of metrics. */
let families: usize = 0;

/** Number of the buckets of families less one, which is that of texts: a quarter of those of metrics, and at least 8. */
function fewMask(): u32 {
  return (load<u32>(header, METRIC_MASK) >> 2) | 7;
}

/** Lays out the buckets of a cache of `bytes` bytes. Returns the address behind them. */
export function initialize(bytes: u32): usize {
  // For metrics the largest power of two that is no more than one for each 64 bytes.
  const mask = (-1 as u32) >> (clz(bytes) + 7);
  store<u32>(header, mask, METRIC_MASK);
  families = CACHE + ((mask + 1) as usize) * REF;
  return familyBucket(fewMask()) + REF * 2;
}

/** The highest bit of a reference, which no metric's has: set where a chain ends, and the rest is its bucket's number. */
export const END: u32 = 1 << ((REF as u32) * 8 - 1);

/** The number of the bucket of metrics with this hash. */
export function metricNumber(h: u32): u32 {
  return (h ^ (h >> 15)) & load<u32>(header, METRIC_MASK);
}

/** The bucket of metrics of this number; one that was never used is 0. */
export function metricBucket(number: u32): usize {
  return CACHE + (number as usize) * REF;
}

/** The metric that the bucket or record at `at` leads to, 0: the chain ends. */
export function nextMetric(at: usize): u32 {
  const ref = loadRef(at);
  return (ref & END) == 0 ? ref : 0;
}

/** The bucket of families with this hash. */
export function familyBucket(h: u32): usize {
  return families + ((h & fewMask()) as usize) * REF * 2;
}

/** The bucket of texts with this hash. */
export function textBucket(h: u32): usize {
  return familyBucket(h) + REF;
}
