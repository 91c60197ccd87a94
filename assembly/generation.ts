/**
 * Generations order the creation of metrics against the begin of renders: what is of a later generation than a render
 * is not on its page. Four bits of a record number them, so they are numbered afresh once in a dozen pages.
 */

import { FLAGS_AT, HIDDEN } from "./block";
import { metricBucket, nextMetric } from "./bucket";
import { BORN, RENDERS_END } from "./cursor";
import { GENERATION, header, METRIC_MASK } from "./header";
import { RENDER_BYTES, RENDERS } from "./layout";
import { metricAddress } from "./record";

/** The new number of a generation: only its order to the renders' matters, whose generations are a bit each. */
function rank(births: u32, generation: u32): u32 {
  return popcnt(births & ((1 << generation) - 1));
}

/** Numbers the generations afresh: of the renders, of all metrics, by their buckets, and the one that is now. */
function renumber(): void {
  let births: u32 = 0;
  let at = RENDERS;
  do {
    births |= 1 << load<u32>(at, BORN);
    at += RENDER_BYTES;
  } while (at < RENDERS_END);
  do {
    at -= RENDER_BYTES;
    store<u32>(at, rank(births, load<u32>(at, BORN)), BORN);
  } while (at > RENDERS);
  let number = load<u32>(header, METRIC_MASK) + 1;
  do {
    // A record begins with a link, as a bucket is one.
    let link = metricBucket(--number);
    for (let metric = nextMetric(link); metric != 0; metric = nextMetric(link)) {
      link = metricAddress(metric);
      const flags = load<u8>(link, FLAGS_AT) as u32;
      if (flags >> 4 != HIDDEN) store<u8>(link, (flags & 15) | (rank(births, flags >> 4) << 4), FLAGS_AT);
    }
  } while (number != 0);
  store<u32>(header, popcnt(births), GENERATION);
}

/** Ends the generation that is now, and returns it. */
export function endGeneration(): u32 {
  if (load<u32>(header, GENERATION) == HIDDEN - 1) renumber();
  const generation = load<u32>(header, GENERATION);
  store<u32>(header, generation + 1, GENERATION);
  return generation;
}
