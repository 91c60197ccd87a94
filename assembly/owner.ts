/**
 * The owner of a sample: the family whose metric it is a part of. A histogram `x` owns `x_bucket`, `x_sum` and
 * `x_count`; what nobody owns is a family of its own. What a line's owner is, and all that a family takes over or
 * gives up when it becomes one, is here.
 */

import { freeBlock, kindOf, META, slotsOf } from "./block";
import { hash } from "./bytes";
import { LAST_TYPE, TYPED_NAME } from "./connection";
import {
  BY_BASE,
  COUNTER,
  createFamily,
  declaredOf,
  findFamily,
  findRelative,
  flags,
  GAUGE_HISTOGRAM,
  HISTOGRAM,
  helpOf,
  INFO,
  lastBlock,
  SUMMARY,
  setFlag,
  setHelp,
  setTypes,
  setUnit,
  TYPED,
  typeOf,
  UNEXPECTED,
  unitOf,
} from "./family";
import { CLASHES, count } from "./header";
import { address } from "./heap";
import { NAME_LIMIT } from "./layout";
import {
  labelCount,
  NAME_AT,
  NAME_BYTES,
  nameAt,
  nameBytes,
  putBackRow,
  row,
  takeRow,
  VALUE_AT,
  VALUE_BYTES,
} from "./line";
import { dropFamily, findMetric, hold, removeMetric } from "./metric";
import { readValue } from "./number";
import {
  bytesBefore,
  EXACT,
  INFO_SUFFIX,
  isWord,
  LE,
  nth,
  QUANTILE_WORD,
  SUFFIXES,
  suffixBytes,
  suffixOf,
  TOTAL_SUFFIX,
} from "./word";

/** Parts of a metric: what a sample's name has behind the family's (word.ts), or the label that names it. */
export const TOTAL: u32 = 0;
export const SUM: u32 = 1;
export const COUNT: u32 = 2;
export const BUCKET: u32 = 3;
export const QUANTILE: u32 = 4;
export const CREATED_PART: u32 = 5;
export const GSUM: u32 = 6;
export const GCOUNT: u32 = 7;

/** For each type the names of its samples: bit n, the suffix of part n. */
const NAMES: usize = memory.data<u8>([0x01, 0x01, 0x01, 0x2e, 0x26, 0xc8, 0x01, 0x01]);

/** The owner of the line's sample: its family, 0: it is new; that is called like the line's first `ownerBytes` bytes. */
export let owner: u32 = 0;
export let ownerBytes: usize = 0;
/** The type that the owner's next samples have to fit, 0: none was declared. */
export let wanted: u32 = 0;
/** The part of the metric, and the text of the label that names it, if one does. */
export let part: u32 = 0;
export let specialAt: usize = 0;
export let specialBytes: usize = 0;

/** Where a new owner's name is x_total or x_info, and OpenMetrics declared x: the family x, and the bytes of its name. */
let base: u32 = 0;
/** 0: there is no such declaration. */
export let baseBytes: usize = 0;

/** Whether a type's metrics hold many samples. */
export function holdsMany(type: u32): bool {
  return (type & 7) - HISTOGRAM <= GAUGE_HISTOGRAM - HISTOGRAM;
}

/** Whether the family has metrics. */
export function hasMetrics(family: u32): bool {
  const last = lastBlock(address(family));
  return last != 0 && kindOf(address(last)) != META;
}

/** Whether metrics of a type have samples with the suffix of a part. */
function owns(type: u32, suffix: u32): bool {
  return (((load<u8>(NAMES + ((type & 7) as usize)) as u32) >> suffix) & 1) != 0;
}

/** What findNamed found. */
let named: u32 = 0;
/** The family that is called as the line's name is, where that is known already; 0: it is not. */
let lineFamily: u32 = 0;

/** Tells the family that is called as the line's name is; 0: it is not known. */
export function tellFamily(family: u32): void {
  lineFamily = family;
}

/**
 * Looks for the family that is called like the line's first bytes, which is left in `named`. Returns the type that it
 * was declared with, in the last TYPE line if there is no such family; 0: none.
 */
function findNamed(bytes: usize): u32 {
  named = bytes == nameBytes ? lineFamily : 0;
  if (named == 0) named = findFamily(nameAt, bytes);
  if (named != 0) return declaredOf(address(named));
  return load<u32>(TYPED_NAME) == hash(nameAt, bytes) ? (load<u8>(LAST_TYPE) as u32) : 0;
}

/** Takes the label of this name, which names the part, out of the line's. False: it lacks, or its value is no number. */
function findSpecial(word: usize): bool {
  for (let i: u32 = 0; i < labelCount; ++i) {
    const label = row(i);
    const name = load<u32>(label, NAME_AT) as usize;
    if (!isWord(name, name + (load<u32>(label, NAME_BYTES) as usize), word, EXACT)) continue;
    specialAt = load<u32>(label, VALUE_AT) as usize;
    specialBytes = load<u32>(label, VALUE_BYTES) as usize;
    takeRow(i);
    return specialBytes <= NAME_LIMIT && readValue(specialAt, specialAt + specialBytes);
  }
  return false;
}

/** Whether the line is the `_created` of a counter that is known: it is a part of that metric then. */
function findTotal(): bool {
  const family = findRelative(nameAt, nameBytes - suffixBytes(CREATED_PART), TOTAL_SUFFIX);
  if (family == 0) return false;
  const type = declaredOf(address(family));
  if ((type & 7) != COUNTER || findMetric(family) == 0) return false;
  owner = family;
  wanted = type;
  part = CREATED_PART;
  return true;
}

/** Finds out who owns the line's sample. False: it is a sample that its owner cannot have. */
export function findOwner(): bool {
  putBackRow();
  specialBytes = 0;
  baseBytes = 0;
  const suffix = suffixOf(nameAt, nameBytes);
  part = suffix;
  for (;;) {
    ownerBytes = nameBytes - suffixBytes(part);
    wanted = findNamed(ownerBytes);
    owner = named;
    if (part == TOTAL || owns(wanted, part)) break;
    // What owned the name until now was declared to be another shape, whose first sample this is.
    if (owner != 0 && wanted != 0 && owns(typeOf(address(owner)), part)) {
      noteType(wanted, nameAt, ownerBytes);
      drop(owner);
    }
    part = TOTAL;
  }
  // What happens from now on may drop it.
  lineFamily = 0;
  if (part == TOTAL) {
    if (suffix == CREATED_PART && (owner | wanted) == 0 && findTotal()) return true;
    if ((wanted & 7) == SUMMARY) part = QUANTILE;
  }
  if (part - BUCKET > QUANTILE - BUCKET) return owns(wanted, part);
  return findSpecial(part == BUCKET ? LE : QUANTILE_WORD);
}

/** Removes all blocks of a family, which stays. */
function purge(family: u32): void {
  hold(family);
  for (;;) {
    const last = lastBlock(address(family));
    if (last == 0) break;
    const slots = slotsOf(address(last));
    // The last slot is never free; metadata only have none.
    if (slots == 0) freeBlock(last);
    else removeMetric((last << 4) | (slots - 1));
  }
  hold(0);
}

/** Makes the owner's metrics be of the type that was declared last: those of another shape go. */
export function conform(): void {
  if (wanted == typeOf(address(owner))) return;
  purge(owner);
  setTypes(address(owner), wanted, wanted);
}

/**
 * Claims the families that are called as samples of one of this type, which has many, and of the name at `at`. They go
 * `now` that there is such a metric; before, it is noted that they may have to.
 */
export function claimNames(type: u32, at: usize, bytes: usize, now: bool): void {
  for (let suffix = SUM; suffix <= GCOUNT; ++suffix) {
    if (!owns(type, suffix)) continue;
    const family = findRelative(at, bytes, nth(SUFFIXES, suffix));
    // Histograms have no sample that is called as they are.
    if (family == 0 || owns(typeOf(address(family)), BUCKET)) continue;
    setFlag(address(family), UNEXPECTED);
    if (!now) continue;
    if (hasMetrics(family)) count(CLASHES);
    drop(family);
  }
}

/** Removes a family with all that it has. */
function drop(family: u32): void {
  purge(family);
  dropFamily(family);
}

/** Looks whether the owner, which is new, was declared by its name without this suffix. */
function findBase(suffix: usize, type: u32): void {
  const bytes = bytesBefore(nameAt, nameBytes, suffix);
  if (bytes == 0 || findNamed(bytes) != type || (named != 0 && hasMetrics(named))) return;
  base = named;
  baseBytes = bytes;
  wanted = type;
}

/** Makes the owner's family if it is new. False: there is no room. */
export function createOwner(): bool {
  if (owner != 0) return true;
  if (part == TOTAL) {
    findBase(TOTAL_SUFFIX, COUNTER | TYPED);
    findBase(INFO_SUFFIX, INFO | TYPED);
  }
  owner = createFamily(nameAt, ownerBytes);
  if (owner == 0) return false;
  setTypes(address(owner), wanted, wanted);
  // There is none yet: so createMetric knows the hash.
  findMetric(owner);
  return true;
}

/** Makes the owner, which createOwner made and that has metrics now, take over what was declared of its base. */
export function adoptBase(): void {
  if (baseBytes != 0) adopt(owner, base);
}

/** Makes a family declared by its base's name, and take over what was declared of that: the family `from`, 0: none. */
export function adopt(family: u32, from: u32): void {
  if ((flags(address(family)) & BY_BASE) != 0) return;
  setFlag(address(family), BY_BASE);
  // A unit was the end of the whole name until now.
  setUnit(family, from == 0 ? 0 : unitOf(address(from)));
  if (from == 0) return;
  const help = helpOf(address(from));
  if (help != 0 && helpOf(address(family)) == 0 && setHelp(family, help)) setHelp(from, 0);
  drop(from);
}

/** Notes a type, 0: none, as that of the connection's last TYPE line, about a name. */
export function noteType(type: u32, at: usize, bytes: usize): void {
  store<u32>(TYPED_NAME, hash(at, bytes));
  store<u8>(LAST_TYPE, type);
}

/** Drops the owner if it has no blocks. Its type is noted: to make room for the line, what was declared may have to go. */
export function leaveOwner(): void {
  if (wanted != 0) noteType(wanted, nameAt, baseBytes != 0 ? baseBytes : ownerBytes);
  if (owner == 0 || lastBlock(address(owner)) != 0) return;
  dropFamily(owner);
  owner = 0;
}
