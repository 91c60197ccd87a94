/**
 * The cache: how time passes, how metrics expire, how room is made.
 *
 * Room is made for a newcomer in this order: expired metrics; HELP texts; families that have metadata only; of the
 * family that holds most of the cache the metric that was pushed longest ago. Every search looks at a bounded number of
 * blocks or families.
 *
 *   sweep    SWEEP_OBJECTS objects for blocks with expired metrics, only after NEXT_DUE: nothing expires before that
 *            time. It is done whenever the time has changed, and when room is needed. Where there are more, the next
 *            one goes on with the next of them; what is expired is never found meanwhile.
 *   oldest   SEARCH_BLOCKS blocks by the stamp that each notes for its oldest metric; in a larger family the next
 *            search goes on behind them.
 */

import {
  classOf,
  familyOf,
  kindOf,
  META,
  nextBlock,
  oldestOf,
  recordAt,
  refreshOldest,
  STAMP_AT,
  setClass,
  setOldest,
  slotsOf,
} from "./block";
import {
  ageMs,
  clamped,
  ENDLESS,
  isExpired,
  isOver,
  isSilent,
  limitStamp,
  loadStamp,
  noticeDue,
  noticePushed,
  SWEEP_MS,
  setNow,
  stampOf,
  storeStamp,
  ttlOf,
  unitsAt,
} from "./clock";
import { largestFamily, lastBlock, nextFamily } from "./family";
import {
  count,
  EVICTED,
  EXPIRED,
  FAMILY_FIRST,
  HELP_BYTES,
  HELP_DROPPED,
  HELP_HAND,
  header,
  METAS,
  NEXT_DUE,
  NOW,
  OLDEST_HAND,
  OLDEST_UNTIL,
  PASS_DUE,
  REFUSED_FAMILY,
  REFUSED_FULL,
  rejects,
  SWEEP_HAND,
  SWEPT,
} from "./header";
import { address, addressOf, BLOCK, nextBlockOf, nextObject } from "./heap";
import { dropHelp } from "./help";
import { EVICTIONS, SEARCH_BLOCKS, SEARCH_FAMILIES, SEARCH_SWEEPS, SLOT_LIMIT, SWEEP_OBJECTS, WIDE } from "./layout";
import { dropBlock, removeMetric } from "./metric";

/** Makes `nowMs` the time. Every export that has a time calls it first. */
export function advance(nowMs: f64): void {
  const now = clamped(nowMs);
  if (now == load<f64>(header, NOW)) return;
  if (now - load<f64>(header, SWEPT) >= SWEEP_MS) sweepAll(now);
  setNow(now);
  // The narrow cache is swept whole, so that what expired is gone before anything else happens.
  do sweep();
  while (!WIDE && isDue());
}

/** Looks at all stamps before the time becomes `now`, while their ages still say what they mean. */
function sweepAll(now: f64): void {
  for (let ref = nextObject(0); ref != 0; ref = nextObject(ref)) {
    const at = addressOf(ref, BLOCK);
    if (at == 0) continue;
    const index = classOf(at);
    expireBlock(ref, unitsAt(index, now) - unitsAt(index, load<f64>(header, NOW)), true);
  }
  store<f64>(header, now, SWEPT);
}

/** Whether anything has expired since sweepForRoom began. */
let removed: bool = false;

/**
 * Removes what is expired of a block `passed` units from now, and keeps the ages of the rest from wrapping.
 * A sweep over `all` has the block's oldest stamp noted afresh, and is no pass.
 */
function expireBlock(block: u32, passed: u64, all: bool): void {
  const at = address(block);
  const index = classOf(at);
  const isOld = isOver(index, oldestOf(at), passed);
  const stays = ttlOf(index) == ENDLESS;
  if (kindOf(at) != META) {
    if (isOld || all) {
      expireRecords(block, index, passed, stays);
      if (addressOf(block, BLOCK) == 0) return;
      refreshOldest(address(block));
    }
  } else if (isOld) {
    if (!stays) {
      removed = true;
      dropBlock(block);
      return;
    }
    setOldest(at, limitStamp(index, passed));
  }
  if (!all) noticeDue(PASS_DUE, index, oldestOf(address(block)));
}

/** The same of its records; the block goes with the last. */
function expireRecords(block: u32, index: u32, passed: u64, stays: bool): void {
  for (let slot: u32 = 0; slot < slotsOf(address(block)); ++slot) {
    const record = recordAt(address(block), slot);
    if (record == 0 || !isOver(index, loadStamp(record + STAMP_AT), passed)) continue;
    if (stays) storeStamp(record + STAMP_AT, limitStamp(index, passed));
    else {
      removeMetric((block << 4) | slot);
      count(EXPIRED);
      removed = true;
      if (addressOf(block, BLOCK) == 0) break;
    }
  }
}

/** Makes the life of a block that has no metrics, or one, begin anew, in this class. */
export function renew(at: usize, index: u32): void {
  setClass(at, index);
  setOldest(at, stampOf(index));
  noticePushed(index);
}

/** Whether a sweep may find something that is expired. */
function isDue(): bool {
  return load<f64>(header, NOW) >= load<f64>(header, NEXT_DUE);
}

/** Looks at up to SWEEP_OBJECTS objects for blocks with expired metrics. */
function sweep(): void {
  if (!isDue()) return;
  let hand = load<u32>(header, SWEEP_HAND);
  for (let objects = SWEEP_OBJECTS; objects > 0; --objects) {
    hand = nextObject(hand);
    if (hand == 0) {
      // A whole pass: nothing expires before the earliest time that it met.
      store<f64>(header, load<f64>(header, PASS_DUE), NEXT_DUE);
      store<f64>(header, Infinity, PASS_DUE);
      break;
    }
    if (addressOf(hand, BLOCK) != 0) expireBlock(hand, 0, false);
  }
  store<u32>(header, hand, SWEEP_HAND);
}

/** Sweeps until expired metrics went, of a large cache SEARCH_SWEEPS steps at most. Returns whether any did. */
function sweepForRoom(): bool {
  removed = false;
  for (let left = SEARCH_SWEEPS; isDue() && left > 0 && !removed; --left) sweep();
  return removed;
}

/** Removes expired metrics, in bounded work. Returns whether there may be more. */
export function expire(): bool {
  sweep();
  return isDue();
}

/** The family at the hand that looks for metadata to drop, which goes on to the next. */
function handFamily(): u32 {
  const hand = load<u32>(header, HELP_HAND);
  const family = hand != 0 ? hand : load<u32>(header, FAMILY_FIRST);
  store<u32>(header, nextFamily(address(family)), HELP_HAND);
  return family;
}

/** Drops one of those that are counted in a field: HELP_BYTES, or METAS other than `keep`. False: none was found. */
function dropMetadata(field: usize, keep: u32): bool {
  if (load<u32>(header + field) == 0) return false;
  for (let i: u32 = 0; i < SEARCH_FAMILIES; ++i) {
    const family = handFamily();
    if (field == HELP_BYTES) {
      if (!dropHelp(family)) continue;
      count(HELP_DROPPED);
    } else {
      const block = lastBlock(address(family));
      if (family == keep || kindOf(address(block)) != META) continue;
      dropBlock(block);
    }
    return true;
  }
  return false;
}

/** The block behind those that the last search looked at. */
let searchEnd: u32 = 0;

/** When the oldest metric of a block was pushed, or before. */
function pushedAt(block: usize): f64 {
  return load<f64>(header, NOW) - ageMs(classOf(block), oldestOf(block));
}

/**
 * The block of the family whose noted oldest stamp is the oldest, of those that are looked at. As long as the one found
 * last has a metric that is older than all of the others, no other is looked at: what is pushed only gets younger.
 */
function oldestBlock(family: u32): u32 {
  const last = lastBlock(address(family));
  let block = load<u32>(header, OLDEST_HAND);
  if (block == 0 || familyOf(address(block)) != family) {
    // Where another family's search ended: so no part of a large cache is left out.
    if (block != 0) block = WIDE ? nextBlockOf(family, block & ~SLOT_LIMIT) : 0;
    if (block == 0) block = nextBlock(address(last));
  } else if (pushedAt(address(block)) <= load<f64>(header, OLDEST_UNTIL)) {
    searchEnd = nextBlock(address(block));
    return block;
  }
  const first = block;
  let best = block;
  let earliest: f64 = Infinity;
  let second: f64 = Infinity;
  for (let i: u32 = SEARCH_BLOCKS; i > 0; --i) {
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
  store<f64>(header, second, OLDEST_UNTIL);
  return best;
}

/** The metric of the family that was pushed longest ago; its block notes its stamp. 0: there are metadata only. */
function oldestMetric(family: u32): u32 {
  let tries: u32 = 64;
  let slot: u32 = 0;
  let noted: u32 = 0;
  let at: usize = 0;
  do {
    const block = oldestBlock(family);
    store<u32>(header, block, OLDEST_HAND);
    at = address(block);
    if (kindOf(at) == META) return 0;
    noted = oldestOf(at);
    slot = refreshOldest(at);
  } while (oldestOf(at) != noted && --tries != 0);
  return (load<u32>(header, OLDEST_HAND) << 4) | slot;
}

/** Evicts the metric that was pushed longest ago from the family that holds most. False: a refusal, counted. */
function evict(newcomers: u32, keep: u32): bool {
  const family = largestFamily();
  let oldest = family == 0 ? 0 : oldestMetric(family);
  if (oldest != 0 && oldest == keep) {
    // All are as young as this one: then the last of the next block goes, which may be its own.
    const next = nextBlock(address(oldest >> 4));
    oldest = (next << 4) | (slotsOf(address(next)) - 1);
  }
  if (oldest == 0 || oldest == keep) return refuse(REFUSED_FULL);
  const at = address(oldest >> 4);
  if (family == newcomers && !isSilent(classOf(at), oldestOf(at))) {
    // In a family of more blocks than one search looks at, the next one goes on behind these.
    store<u32>(header, searchEnd, OLDEST_HAND);
    store<f64>(header, -Infinity, OLDEST_UNTIL);
    return refuse(REFUSED_FAMILY);
  }
  // In a large cache it may have expired, and no sweep have come to it yet.
  count(isExpired(classOf(at), oldestOf(at)) ? EXPIRED : EVICTED);
  removeMetric(oldest);
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
  if (sweepForRoom()) return true;
  if (dropMetadata(HELP_BYTES, 0) || dropMetadata(METAS, newcomers)) return true;
  if (rejects() || ++evictions > EVICTIONS) return refuse(REFUSED_FULL);
  return evict(keep == 0 ? newcomers : 0, keep);
}

/** Room for metadata: only what is expired goes, and for a family, HELP texts. */
export function makeMetadataRoom(forFamily: bool): bool {
  return sweepForRoom() || (forFamily && dropMetadata(HELP_BYTES, 0));
}
