/**
 * The cache: what a sample does to it, how room is made, how metrics expire.
 *
 * Room is made for a newcomer in this order: expired metrics; HELP texts; families that have metadata only; of the
 * family that holds most of the cache the metric that was pushed longest ago. Every search looks at a bounded number of blocks or families.
 *
 *   sweep    SWEEP_BLOCKS blocks for expired metrics, only after NEXT_DUE: nothing expires before that time. It is
 *            done whenever the time has changed, and when room is needed. Where there are more blocks, the next one
 *            goes on with the next of them; what is expired is never found meanwhile.
 *   oldest   SEARCH_BLOCKS blocks by the stamp that each notes for its oldest metric; in a larger family the next
 *            search goes on behind them.
 */

import {
  classOf,
  familyOf,
  kindOf,
  liveRecords,
  META,
  nextBlock,
  oldestOf,
  recordAt,
  refreshOldest,
  STAMP_AT,
  setOldest,
  slotsOf,
} from "./block";
import {
  AGE_LIMIT,
  age,
  ageMs,
  clamped,
  dueAt,
  isExpired,
  isSilent,
  loadStamp,
  SWEEP_MS,
  setNow,
  stampOf,
  storeStamp,
  ttlOf,
  unitOf,
  unitsAt,
} from "./clock";
import { helpOf, largestFamily, lastBlock, nextFamily, setHelp } from "./family";
import {
  count,
  EVICTED,
  EXPIRED,
  FAMILY_FIRST,
  HELP_DROPPED,
  HELP_HAND,
  HELPS,
  METAS,
  NEXT_DUE,
  NOW,
  OLDEST_HAND,
  OLDEST_UNTIL,
  PASS_DUE,
  REFUSED_FAMILY,
  REFUSED_FULL,
  rejects,
  SWEEP_BLOCK,
  SWEEP_FAMILY,
  SWEPT,
} from "./header";
import { address } from "./heap";
import { releaseHelp } from "./help";
import { EVICTIONS, SEARCH_BLOCKS, SEARCH_FAMILIES, SWEEP_BLOCKS, WIDE } from "./layout";
import { dropBlock, removeMetric } from "./metric";

/** Makes `nowMs` the time. Every export that has a time calls it first. */
export function advance(nowMs: f64): void {
  const now = clamped(nowMs);
  if (now == load<f64>(NOW)) return;
  if (now - load<f64>(SWEPT) >= SWEEP_MS) sweepAll(now);
  setNow(now);
  // The narrow cache is swept whole, so that what expired is gone before anything else happens.
  do sweep(SWEEP_BLOCKS);
  while (!WIDE && now >= load<f64>(NEXT_DUE));
}

/** The family and block that a walk over all blocks comes to next. */
let walkFamily: u32 = 0;
let walkBlock: u32 = 0;

function walkFrom(family: u32): void {
  walkFamily = family;
  walkBlock = family == 0 ? 0 : nextBlock(address(lastBlock(address(family))));
}

/** Steps from `walkBlock` to the block behind it, perhaps of the next family. */
function walkOn(): void {
  const owner = address(walkFamily);
  if (walkBlock == lastBlock(owner)) walkFrom(nextFamily(owner));
  else walkBlock = nextBlock(address(walkBlock));
}

/** Looks at all stamps before the time becomes `now`, while their ages still say what they mean. */
function sweepAll(now: f64): void {
  walkFrom(load<u32>(FAMILY_FIRST));
  while (walkFamily != 0) {
    const family = walkFamily;
    const block = walkBlock;
    walkOn();
    ageBlock(block, family, now);
  }
  store<f64>(SWEPT, now);
}

/** Removes what is expired at `now` of a block, and keeps the ages of the rest from wrapping. */
function ageBlock(block: u32, family: u32, now: f64): void {
  const at = address(block);
  const index = classOf(at);
  const passed = unitsAt(index, now) - unitsAt(index, load<f64>(NOW));
  const mortal = ttlOf(index) != 0;
  const limit: u64 = mortal ? ((ttlOf(index) / (unitOf(index) as f64)) as u64) + 2 : (AGE_LIMIT as u64);
  if (kindOf(at) == META) {
    const old = (age(index, oldestOf(at)) as u64) + passed;
    if (old < limit) return;
    if (mortal) dropBlock(block, family);
    else setOldest(at, stampOf(index) - (limit - passed > limit ? 0 : ((limit - passed) as u32)));
    return;
  }
  const slots = slotsOf(at);
  for (let slot: u32 = 0; slot < slots; ++slot) {
    if (slot >= slotsOf(address(block))) break;
    const record = recordAt(address(block), slot);
    if (record == 0) continue;
    const old = (age(index, loadStamp(record + STAMP_AT)) as u64) + passed;
    if (old < limit) continue;
    if (mortal) {
      const last = liveRecords(address(block)) == 1;
      removeMetric((block << 4) | slot);
      count(EXPIRED);
      if (last) return;
    } else
      storeStamp(
        record + STAMP_AT,
        stampOf(index) - ((limit as u32) - (passed > limit ? (limit as u32) : (passed as u32))),
      );
  }
  refreshOldest(address(block));
}

/** Removes the expired metrics of a block. Returns how many. */
function expireBlock(block: u32, family: u32): u32 {
  const at = address(block);
  const index = classOf(at);
  if (!isExpired(index, oldestOf(at))) {
    notice(dueAt(index, oldestOf(at)));
    return 0;
  }
  if (kindOf(at) == META) {
    dropBlock(block, family);
    return 1;
  }
  let removed: u32 = 0;
  for (let slot: u32 = 0; slot < slotsOf(address(block)); ++slot) {
    const record = recordAt(address(block), slot);
    if (record == 0 || !isExpired(index, loadStamp(record + STAMP_AT))) continue;
    const last = liveRecords(address(block)) == 1;
    removeMetric((block << 4) | slot);
    count(EXPIRED);
    ++removed;
    if (last) return removed;
  }
  refreshOldest(address(block));
  notice(dueAt(index, oldestOf(address(block))));
  return removed;
}

function notice(due: f64): void {
  if (due < load<f64>(PASS_DUE)) store<f64>(PASS_DUE, due);
}

/** Looks at up to `blocks` blocks for expired metrics. Returns how many metrics it removed. */
function sweep(blocks: u32): u32 {
  let removed: u32 = 0;
  if (load<f64>(NOW) < load<f64>(NEXT_DUE)) return 0;
  for (; blocks > 0; --blocks) {
    let family = load<u32>(SWEEP_FAMILY);
    if (family == 0) {
      family = load<u32>(FAMILY_FIRST);
      store<u32>(SWEEP_FAMILY, family);
      store<u32>(SWEEP_BLOCK, 0);
      if (family == 0) {
        store<f64>(NEXT_DUE, load<f64>(PASS_DUE));
        store<f64>(PASS_DUE, Infinity);
        return removed;
      }
    }
    let block = load<u32>(SWEEP_BLOCK);
    if (block == 0) block = nextBlock(address(lastBlock(address(family))));
    walkFamily = family;
    walkBlock = block;
    walkOn();
    store<u32>(SWEEP_FAMILY, walkFamily);
    store<u32>(SWEEP_BLOCK, walkBlock);
    removed += expireBlock(block, family);
    if (load<u32>(SWEEP_FAMILY) == 0) {
      // A whole pass: nothing expires before the earliest time that it met.
      store<f64>(NEXT_DUE, load<f64>(PASS_DUE));
      store<f64>(PASS_DUE, Infinity);
      break;
    }
  }
  return removed;
}

/** Removes expired metrics, in bounded work. Returns whether there may be more. */
export function expire(): bool {
  sweep(SWEEP_BLOCKS);
  return load<f64>(NOW) >= load<f64>(NEXT_DUE);
}

/** Drops one HELP text. Returns whether there was one to be found. */
function dropHelp(): bool {
  if (load<u32>(HELPS) == 0) return false;
  let family = load<u32>(HELP_HAND);
  for (let i: u32 = 0; i < SEARCH_FAMILIES; ++i) {
    if (family == 0) family = load<u32>(FAMILY_FIRST);
    const at = address(family);
    const help = helpOf(at);
    if (help != 0) {
      store<u32>(HELP_HAND, nextFamily(at));
      setHelp(family, 0);
      releaseHelp(help);
      count(HELP_DROPPED);
      return true;
    }
    family = nextFamily(at);
  }
  store<u32>(HELP_HAND, family);
  return false;
}

/** Drops one family without metrics, other than `keep`. Returns whether there was one to be found. */
function dropMetadata(keep: u32): bool {
  if (load<u32>(METAS) == 0) return false;
  let family = load<u32>(HELP_HAND);
  for (let i: u32 = 0; i < SEARCH_FAMILIES; ++i) {
    if (family == 0) family = load<u32>(FAMILY_FIRST);
    const at = address(family);
    const block = lastBlock(at);
    store<u32>(HELP_HAND, nextFamily(at));
    if (family != keep && kindOf(address(block)) == META) {
      dropBlock(block, family);
      return true;
    }
    family = nextFamily(at);
  }
  return false;
}

/** The block behind those that the last search looked at. */
let searchEnd: u32 = 0;

/** When the oldest metric of a block was pushed, or before. */
function pushedAt(block: usize): f64 {
  return load<f64>(NOW) - ageMs(classOf(block), oldestOf(block));
}

/**
 * The block of the family whose noted oldest stamp is the oldest, of those that are looked at. As long as the one found
 * last has a metric that is older than all of the others, no other is looked at: what is pushed only gets younger.
 */
function oldestBlock(family: u32): u32 {
  const last = lastBlock(address(family));
  let block = load<u32>(OLDEST_HAND);
  if (block == 0 || familyOf(address(block)) != family) block = nextBlock(address(last));
  else if (pushedAt(address(block)) <= load<f64>(OLDEST_UNTIL)) {
    searchEnd = nextBlock(address(block));
    return block;
  }
  const first = block;
  let best = block;
  let earliest: f64 = Infinity;
  let second: f64 = Infinity;
  for (let i: u32 = WIDE ? SEARCH_BLOCKS : SEARCH_BLOCKS * 8; i > 0; --i) {
    const pushed = pushedAt(address(block));
    if (pushed < earliest) {
      second = earliest;
      earliest = pushed;
      best = block;
    } else second = min(second, pushed);
    block = nextBlock(address(block));
    if (block == first) break;
  }
  searchEnd = block;
  store<f64>(OLDEST_UNTIL, second);
  return best;
}

/** The metric of the family that was pushed longest ago, or its block << 4 | 15 if it has metadata only. */
function oldestMetric(family: u32): u32 {
  let block: u32 = 0;
  let slot: u32 = 0;
  for (let i: u32 = 0; i < 64; ++i) {
    block = oldestBlock(family);
    const at = address(block);
    if (kindOf(at) == META) return (block << 4) | 15;
    const noted = oldestOf(at);
    slot = refreshOldest(at);
    if (oldestOf(at) == noted) break;
  }
  const at = address(block);
  store<u32>(OLDEST_HAND, block);
  return slot < slotsOf(at) ? (block << 4) | slot : (block << 4) | 15;
}

/** Evicts the metric that was pushed longest ago from the family that holds most. False: a refusal, counted. */
function evict(newcomers: u32, keep: u32): bool {
  const family = largestFamily();
  if (family == 0) return refuse(REFUSED_FULL);
  const oldest = oldestMetric(family);
  if (oldest == keep) return refuse(REFUSED_FULL);
  const at = address(oldest >> 4);
  const record = recordAt(at, oldest & 15);
  const stamp = record == 0 ? oldestOf(at) : loadStamp(record + STAMP_AT);
  if (family == newcomers && !isSilent(classOf(at), stamp)) {
    // In a family of more blocks than one search looks at, the next one goes on behind these.
    store<u32>(OLDEST_HAND, searchEnd);
    store<f64>(OLDEST_UNTIL, -Infinity);
    return refuse(REFUSED_FAMILY);
  }
  if (record == 0) {
    if (kindOf(at) != META) return refuse(REFUSED_FULL);
    dropBlock(oldest >> 4, family);
  } else {
    removeMetric(oldest);
    count(EVICTED);
  }
  return true;
}

function refuse(counter: u32): bool {
  count(counter);
  return false;
}

/** Metrics that one push has evicted so far. */
let evictions: u32 = 0;

/** Begins to make room: what follows counts as one push. */
export function beginRoom(): void {
  evictions = 0;
}

/**
 * Makes some room for a newcomer to the family `newcomers` (0: a new family), or, where `keep` is not 0, for that
 * metric to grow, which is not evicted for it. False: there is none to be made; counted.
 */
export function makeRoom(newcomers: u32, keep: u32): bool {
  if (sweep(SWEEP_BLOCKS) != 0) return true;
  if (dropHelp() || dropMetadata(newcomers)) return true;
  if (rejects() || ++evictions > EVICTIONS) return refuse(REFUSED_FULL);
  return evict(keep == 0 ? newcomers : 0, keep);
}

/** Room for metadata: only what is expired goes, and for a family, HELP texts. */
export function makeMetadataRoom(forFamily: bool): bool {
  return sweep(SWEEP_BLOCKS) != 0 || (forFamily && dropHelp());
}
