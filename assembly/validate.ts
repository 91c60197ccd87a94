/**
 * Walks the whole structure and compares what is kept twice. Debug builds do it after every call; anything but 0 is a
 * bug of ours. The number says which relation does not hold.
 */

import {
  blockSize,
  classOf,
  familyOf,
  kindOf,
  META,
  nextBlock,
  oldestOf,
  previousBlock,
  recordAt,
  STAMP_AT,
  slotsOf,
} from "./block";
import { metricBucket, nextMetric } from "./bucket";
import { age, blocksOf, loadStamp } from "./clock";
import { familyBytes, familySize, findFamily, lastBlock, name, nameLength, nextFamily } from "./family";
import {
  CACHE_SIZE,
  FAMILIES,
  FAMILY_FIRST,
  FAMILY_LAST,
  HELP_BYTES,
  header,
  LABEL_TEXT_BYTES,
  METAS,
  METRIC_BYTES,
  METRIC_MASK,
  METRICS,
  NAME_BYTES,
  SERIES,
} from "./header";
import { address, addressOf, BLOCK, directoryBytes, FAMILY, freeBytes } from "./heap";
import { CLASS_LIMIT, OFFSET_MAX, WIDE } from "./layout";
import { isLinked } from "./metric";
import { beginSamples, recordSize } from "./record";

let metrics: u32 = 0;
let series: u32 = 0;
let blocks: u32 = 0;
let metas: u32 = 0;

function checkBlock(family: u32, ref: u32): i32 {
  const at = addressOf(ref, BLOCK);
  if (at == 0) return 10;
  if (familyOf(at) != family) return 11;
  if (WIDE && previousBlock(nextBlock(at), address(nextBlock(at))) != ref) return 12;
  const slots = slotsOf(at);
  if ((slots == 0) != (kindOf(at) == META)) return 13;
  ++blocks;
  if (slots == 0) ++metas;
  let bytes: usize = 0;
  for (let slot: u32 = 0; slot < slots; ++slot) {
    const record = recordAt(at, slot);
    if (record == 0) {
      if (slot + 1 == slots) return 14;
      continue;
    }
    ++metrics;
    series += beginSamples((ref << 4) | slot);
    bytes += recordSize((ref << 4) | slot);
    if (record - at > OFFSET_MAX + 64) return 15;
    if (age(classOf(at), loadStamp(record + STAMP_AT)) > age(classOf(at), oldestOf(at))) return 16;
    if (!isLinked((ref << 4) | slot)) return 17;
  }
  return slots != 0 && recordsStart(at, slots) + bytes != at + blockSize(at) ? 18 : 0;
}

/** Where the records of a block begin: one of its records, less its offset, says it. */
function recordsStart(at: usize, slots: u32): usize {
  let first: usize = -1;
  for (let slot: u32 = 0; slot < slots; ++slot) {
    const record = recordAt(at, slot);
    if (record != 0 && record < first) first = record;
  }
  return first;
}

function checkFamily(ref: u32): i32 {
  const at = addressOf(ref, FAMILY);
  if (at == 0) return 20;
  if (findFamily(name(at), nameLength(at)) != ref) return 21;
  const last = lastBlock(at);
  if (last == 0) return 22;
  let block = last;
  let bytes: u32 = 0;
  do {
    block = nextBlock(address(block));
    const fault = checkBlock(ref, block);
    if (fault != 0) return fault;
    bytes += (blockSize(address(block)) as u32) + 2;
  } while (block != last);
  return bytes + (familySize(at) as u32) + 2 != familyBytes(at) ? 24 : 0;
}

/** What `check` finds; 0 before init. */
export function validate(): i32 {
  return load<u32>(header, CACHE_SIZE) == 0 ? 0 : check();
}

/** 0, or the number of the relation that does not hold: a bug of ours. */
export function check(): i32 {
  metrics = 0;
  series = 0;
  blocks = 0;
  metas = 0;
  let families: u32 = 0;
  let last: u32 = 0;
  for (let ref = load<u32>(header, FAMILY_FIRST); ref != 0; ref = nextFamily(address(ref))) {
    const fault = checkFamily(ref);
    if (fault != 0) return fault;
    last = ref;
    ++families;
  }
  if (last != load<u32>(header, FAMILY_LAST)) return 1;
  if (families != load<u32>(header, FAMILIES)) return 2;
  if (metrics != load<u32>(header, METRICS)) return 3;
  if (series != load<u32>(header, SERIES)) return 4;
  if (metas != load<u32>(header, METAS)) return 7;
  for (let index: u32 = 0; index < CLASS_LIMIT; ++index) blocks -= blocksOf(index);
  if (blocks != 0) return 8;
  let linked: u32 = 0;
  for (let i: u32 = 0; i <= load<u32>(header, METRIC_MASK); ++i) {
    let ref = nextMetric(metricBucket(i));
    for (; ref != 0; ref = nextMetric(recordAt(address(ref >> 4), ref & 15))) ++linked;
  }
  if (linked != metrics) return 5;
  const used =
    load<u32>(header, NAME_BYTES) +
    load<u32>(header, LABEL_TEXT_BYTES) +
    load<u32>(header, METRIC_BYTES) +
    load<u32>(header, HELP_BYTES);
  return used + directoryBytes() + freeBytes() != load<u32>(header, CACHE_SIZE) ? 6 : 0;
}
