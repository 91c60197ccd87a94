/**
 * Lines that begin with "#": TYPE, HELP and UNIT of a family, `# EOF`, and our own `# TTL`. All others are comments.
 */

import { classOf, createBlock, META, setClass, setOldest } from "./block";
import { checkText, copy, equal, hash, sequence } from "./bytes";
import { makeMetadataRoom } from "./cache";
import { ENDLESS, stampOf } from "./clock";
import { LAST_TYPE, TTL, TYPED_NAME } from "./connection";
import {
  BY_BASE,
  COUNTER,
  createFamily,
  declaredOf,
  findFamily,
  findRelative,
  flags,
  freeFamily,
  helpOf,
  INFO,
  lastBlock,
  nameLength,
  STATESET,
  setFlag,
  setHelp,
  setTypes,
  setUnit,
  TYPED,
  typeOf,
  unitOf,
} from "./family";
import { BAD_METADATA, BAD_TTL, CLASHES, count, HELP_DROPPED, METADATA, PUSHES, UNIT_DROPPED } from "./header";
import { address } from "./heap";
import { createHelp, HELP_LIMIT, helpLength, helpText, releaseHelp } from "./help";
import { NAME_LIMIT, TEXT } from "./layout";
import { skipName, skipQuoted } from "./line";
import { noticeDue } from "./metric";
import { hasMetrics, holdsMany } from "./owner";
import { closeRound } from "./round";
import { TAKEN } from "./sample";
import {
  EOF,
  EXACT,
  HELP,
  INFO_SUFFIX,
  isWord as isWordIn,
  NEVER,
  TOTAL_SUFFIX,
  TTL_WORD,
  TYPE,
  TYPES,
  UNIT,
  wordBytes,
} from "./word";

/** The name that the line is about, between its quotes if it has them, and where the rest begins. */
let nameAt: usize = 0;
let nameBytes: usize = 0;
let restAt: usize = 0;

function isSpace(byte: u32): bool {
  return byte == 32 || byte == 9;
}

function skipSpace(at: usize, end: usize): usize {
  while (at < end && isSpace(load<u8>(at))) ++at;
  return at;
}

/** The end of the line without the spaces there. */
function trimEnd(at: usize, end: usize): usize {
  while (end > at && isSpace(load<u8>(end - 1))) --end;
  return end;
}

/** Reads the name at `at`, and the space behind it. */
function readName(at: usize, end: usize): bool {
  at = skipSpace(at, end);
  nameAt = at;
  if (at < end && load<u8>(at) == 34) {
    const quote = skipQuoted(++nameAt, end);
    if (quote == 0) return false;
    nameBytes = quote - nameAt;
    at = quote + 1;
  } else {
    at = skipName(at, end, true);
    nameBytes = at - nameAt;
  }
  if (nameBytes == 0 || nameBytes > NAME_LIMIT || (at < end && !isSpace(load<u8>(at)))) return false;
  restAt = skipSpace(at, end);
  return true;
}

/** Whether [at, end) is this word. */
function isWord(at: usize, end: usize, word: usize): bool {
  return isWordIn(at, end, word, EXACT);
}

/** The type that the word [at, end) names, with TYPED; 0: none. Behind the last one is "unknown", which is untyped. */
function readType(at: usize, end: usize): u32 {
  let word = TYPES;
  for (let type: u32 = 0; type <= STATESET + 1; ++type) {
    if (isWord(at, end, word)) return (type & STATESET) | TYPED;
    word += wordBytes(word) + 1;
  }
  return 0;
}

/** The family called like the line's name with a suffix, if it was declared by that name without it; or 0. */
function suffixed(suffix: usize, type: u32): u32 {
  const family = findRelative(nameAt, nameBytes, suffix);
  if (family == 0) return 0;
  const at = address(family);
  if ((flags(at) & BY_BASE) != 0) return family;
  return type != 0 && hasMetrics(family) && !holdsMany(typeOf(at)) ? family : 0;
}

/**
 * The family that the line is about, or 0. OpenMetrics declares `x`, and samples are `x_total` or `x_info`: the family
 * is called like its sample here, as in text 0.0.4. `type` is what a TYPE line says, else 0.
 */
function target(type: u32): u32 {
  const family = findFamily(nameAt, nameBytes);
  if (family != 0 && hasMetrics(family)) return family;
  let other: u32 = 0;
  if (type == 0 || type == (COUNTER | TYPED)) other = suffixed(TOTAL_SUFFIX, type);
  if (other == 0 && (type == 0 || type == (INFO | TYPED))) other = suffixed(INFO_SUFFIX, type);
  return other != 0 ? other : family;
}

/** Makes the line's family, with metadata only. 0: there is no room; metrics do not make it. */
function createMetadata(index: u32, isType: bool): u32 {
  let family = tryMetadata(index);
  while (family == 0) {
    if (!makeMetadataRoom(isType)) return 0;
    family = tryMetadata(index);
  }
  noticeDue(index);
  return family;
}

function tryMetadata(index: u32): u32 {
  const family = createFamily(nameAt, nameBytes);
  if (family == 0) return 0;
  if (createBlock(family, 0, index | META, 0) != 0) return family;
  freeFamily(family);
  return 0;
}

/** A family with metadata only lives by them. */
function renew(family: u32, index: u32): void {
  if (hasMetrics(family)) return;
  const block = address(lastBlock(address(family)));
  if (classOf(block) != index) {
    setClass(block, index);
    noticeDue(index);
  }
  setOldest(block, stampOf(index));
}

/** The family of a metadata line, made if it is new. 0: there is no room. */
function family(type: u32, index: u32): u32 {
  const found = target(type);
  if (found == 0) return createMetadata(index, type != 0);
  renew(found, index);
  return found;
}

/** A TYPE line says what the family's next samples are; where that is another shape, its metrics keep their type. */
function declare(ref: u32, type: u32): void {
  const at = address(ref);
  const current = typeOf(at);
  // Not called by the line's name: that is its sample's name without the suffix.
  if (nameLength(at) != nameBytes && (flags(at) & BY_BASE) == 0) {
    // A unit was the end of the whole name until now.
    setUnit(ref, 0);
    setFlag(address(ref), BY_BASE, true);
  }
  const stays = hasMetrics(ref) && current != type && (holdsMany(current) || holdsMany(type));
  const known = stays ? declaredOf(at) : current;
  if (known != type && (stays || known != 0)) count(CLASHES);
  setTypes(at, stays ? current : type, type);
}

function takeType(end: usize, index: u32): i32 {
  end = trimEnd(restAt, end);
  const type = readType(restAt, end);
  if (type == 0) return BAD_METADATA;
  const ref = family(type, index);
  store<u32>(TYPED_NAME, hash(nameAt, nameBytes));
  store<u8>(LAST_TYPE, ref == 0 ? type : 0);
  if (ref != 0) declare(ref, type);
  return TAKEN;
}

/** Writes the text [at, end) of a HELP line to `to` with text 0.0.4's escapes, cut to fit; returns its end. */
function escapeHelp(to: usize, at: usize, end: usize): usize {
  const limit = to + HELP_LIMIT;
  while (at < end) {
    const byte = load<u8>(at) as u32;
    if (byte != 92) {
      const bytes = sequence(at, end);
      if (to + bytes > limit) break;
      copy(to, at, bytes);
      to += bytes;
      at += bytes;
      continue;
    }
    const next = at + 1 < end ? (load<u8>(at, 1) as u32) : 0;
    at += next == 92 || next == 110 || next == 34 ? 2 : 1;
    if (to + 2 > limit) break;
    if (next == 34) {
      store<u8>(to++, 34);
    } else {
      store<u8>(to++, 92);
      store<u8>(to++, next == 110 ? 110 : 92);
    }
  }
  return to;
}

/** Keeps the text in the scratch as the family's help. */
function keepHelp(ref: u32, bytes: usize): void {
  const old = helpOf(address(ref));
  if (old != 0) {
    const at = address(old);
    if (helpLength(at) == bytes && equal(helpText(at), TEXT, bytes)) return;
    setHelp(ref, 0);
    releaseHelp(old);
  }
  if (bytes == 0) return;
  const help = createHelp(TEXT, bytes, ref);
  if (help != 0 && setHelp(ref, help)) return;
  if (help != 0) releaseHelp(help);
  count(HELP_DROPPED);
}

function takeHelp(end: usize, index: u32): i32 {
  makeMetadataRoom(false);
  const ref = family(0, index);
  if (ref == 0) count(HELP_DROPPED);
  else keepHelp(ref, escapeHelp(TEXT, restAt, end) - TEXT);
  return TAKEN;
}

function takeUnit(end: usize, index: u32): i32 {
  end = trimEnd(restAt, end);
  const bytes = end - restAt;
  const begin = nameAt + nameBytes - bytes;
  if (bytes >= nameBytes || (bytes != 0 && (load<u8>(begin - 1) != 95 || !equal(begin, restAt, bytes)))) {
    count(UNIT_DROPPED);
    return TAKEN;
  }
  const ref = family(0, index);
  if (ref == 0) return TAKEN;
  const isBase = nameLength(address(ref)) != nameBytes;
  if (isBase != ((flags(address(ref)) & BY_BASE) != 0)) {
    count(UNIT_DROPPED);
    return TAKEN;
  }
  if (unitOf(address(ref)) != bytes && !setUnit(ref, bytes)) count(UNIT_DROPPED);
  return TAKEN;
}

/** Milliseconds of the unit at `at`, 0: none; its bytes are left in `unitBytes`. */
let unitBytes: usize = 0;
function unitMs(at: usize, end: usize): u32 {
  unitBytes = 1;
  if (at >= end) return 0;
  const byte = load<u8>(at) as u32;
  if (byte == 109 && at + 1 < end && load<u8>(at, 1) == 115) {
    unitBytes = 2;
    return 1;
  }
  if (byte == 115) return 1000;
  if (byte == 109) return 60000;
  if (byte == 104) return 3600000;
  if (byte == 100) return 86400000;
  return byte == 119 ? 604800000 : 0;
}

/** Reads a duration as `# TTL` has it: "90s", "1h30m", "never", "0". False: it is none. */
function takeTtl(at: usize, end: usize): bool {
  if (isWord(at, end, NEVER) || (end - at == 1 && load<u8>(at) == 48)) {
    store<u32>(TTL, ENDLESS);
    return true;
  }
  let sum: f64 = 0;
  while (at < end) {
    const start = at;
    let value: f64 = 0;
    while (at < end && (load<u8>(at) as u32) - 48 < 10) value = value * 10 + ((load<u8>(at++) - 48) as f64);
    const unit = unitMs(at, end);
    if (at == start || at - start > 12 || unit == 0) return false;
    sum += value * (unit as f64);
    at += unitBytes;
  }
  if (sum == 0) return false;
  store<u32>(TTL, min(sum, 4294967294) as u32);
  return true;
}

/** Ends a push: `# EOF`, or the end of the connection. */
export function endPush(): void {
  closeRound();
  store<u32>(TTL, 0);
  store<u8>(LAST_TYPE, 0);
  count(PUSHES);
}

/**
 * Takes the line [at, end) whose first byte is "#", for the class of time to live `index`.
 * TAKEN, or why it is bad.
 */
export function takeComment(at: usize, end: usize, index: u32): i32 {
  at = skipSpace(at + 1, end);
  const word = at;
  while (at < end && !isSpace(load<u8>(at))) ++at;
  if (isWord(word, at, EOF)) {
    if (skipSpace(at, end) == end) endPush();
    return TAKEN;
  }
  if (isWord(word, at, TTL_WORD)) {
    if (!takeTtl(skipSpace(at, end), trimEnd(at, end))) count(BAD_TTL);
    return TAKEN;
  }
  const isType = isWord(word, at, TYPE);
  const isHelp = isWord(word, at, HELP);
  if (!isType && !isHelp && !isWord(word, at, UNIT)) return TAKEN;
  closeRound();
  const text = checkText(at, end - at);
  if (text != 0) return text;
  if (!readName(at, end)) return BAD_METADATA;
  const result = isType ? takeType(end, index) : isHelp ? takeHelp(end, index) : takeUnit(end, index);
  if (result == TAKEN) count(METADATA);
  return result;
}
