/**
 * Buckets: the hash tables of metrics, families and texts, at the begin of the cache. Each is a reference to the first
 * object of a chain. Those of metrics come first, behind them one of families and one of texts in turn.
 */

import { header, METRIC_MASK } from "./header";
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

/** The bucket of metrics with this hash. */
export function metricBucket(h: u32): usize {
  return CACHE + (((h ^ (h >> 15)) & load<u32>(header, METRIC_MASK)) as usize) * REF;
}

/** The bucket of families with this hash. */
export function familyBucket(h: u32): usize {
  return families + ((h & fewMask()) as usize) * REF * 2;
}

/** The bucket of texts with this hash. */
export function textBucket(h: u32): usize {
  return familyBucket(h) + REF;
}
