/**
 * Lines that begin with "#": TYPE, HELP and UNIT of a family, `# EOF`, and our own `# TTL`. All others are comments.
 */

import { createBlock, META } from "./block";
import { checkText, equal } from "./bytes";
import { makeMetadataRoom, renew } from "./cache";
import { ENDLESS } from "./clock";
import { LAST_TYPE, TTL } from "./connection";
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
  setTypes,
  setUnit,
  TYPED,
  typeOf,
} from "./family";
import { BAD_METADATA, BAD_TTL, CLASHES, count, HELP_DROPPED, METADATA, PUSHES, UNIT_DROPPED } from "./header";
import { address } from "./heap";
import { createHelp, dropHelp, HELP_LIMIT, helpLength, helpText } from "./help";
import { TEXT } from "./layout";
import {
  atEnd,
  begin,
  cursor,
  isApart,
  isEscaped,
  isNameSize,
  readName,
  readWord,
  textAt,
  textBytes,
  wordAt,
  wordEnd,
} from "./line";
import { adopt, claimNames, hasMetrics, holdsMany, noteType } from "./owner";
import { closeRound } from "./round";
import { TAKEN } from "./sample";
import { EOF, EXACT, INFO_SUFFIX, isWord, NEVER, nth, TOTAL_SUFFIX, TYPES } from "./word";

/** Units of a duration, each its letter and how many the next one has of it (u8): s, m, h, d, w. */
const UNITS: usize = memory.data<u8>([115, 60, 109, 60, 104, 24, 100, 7, 119, 0]);

/** "ms", as two bytes. */
const MILLISECONDS: u32 = 0x736d;

/** Kinds of lines, in the order of their words; the last is UNIT. */
const EOF_LINE: u32 = 0;
const TTL_LINE: u32 = 1;
const TYPE_LINE: u32 = 2;
const HELP_LINE: u32 = 3;
const KINDS: u32 = 5;

/** Which of `count` words, `word` and those behind it, was read last; `count`: none. */
function which(word: usize, count: u32): u32 {
  let index: u32 = 0;
  while (index < count && !isWord(wordAt, wordEnd, nth(word, index), EXACT)) ++index;
  return index;
}

/**
 * The family called like the line's name with the suffix of a type, if it was declared by that name without it, or was
 * not declared to be another; or 0.
 * `type` is what a TYPE line says, else 0.
 */
function suffixed(suffix: usize, own: u32, type: u32): u32 {
  if (type != 0 && type != own) return 0;
  const family = findRelative(textAt, textBytes, suffix);
  if (family == 0) return 0;
  const at = address(family);
  if ((flags(at) & BY_BASE) != 0) return family;
  return type != 0 && hasMetrics(family) && (typeOf(at) == 0 || typeOf(at) == type) ? family : 0;
}

/**
 * The family that the line is about, or 0. OpenMetrics declares `x`, and samples are `x_total` or `x_info`: the family
 * is called like its sample here, as in text 0.0.4.
 */
function target(type: u32): u32 {
  const family = findFamily(textAt, textBytes);
  if (family != 0 && hasMetrics(family)) return family;
  let other = suffixed(TOTAL_SUFFIX, COUNTER | TYPED, type);
  if (other == 0) other = suffixed(INFO_SUFFIX, INFO | TYPED, type);
  return other != 0 ? other : family;
}

/** Makes the line's family, with metadata only. 0: there is no room. */
function createMetadata(index: u32): u32 {
  const family = createFamily(textAt, textBytes);
  if (family == 0 || createBlock(family, 0, index | META, 0, 0) != 0) return family;
  freeFamily(family);
  return 0;
}

/** The family of a metadata line, made if it is new. 0: there is no room; metrics do not make it. */
function family(type: u32, index: u32): u32 {
  let ref = target(type);
  while (ref == 0) {
    ref = createMetadata(index);
    if (ref == 0 && !makeMetadataRoom(type != 0)) return 0;
  }
  // A family with metadata only lives by them.
  if (!hasMetrics(ref)) renew(address(lastBlock(address(ref))), index);
  return ref;
}

/** A TYPE line says what the family's next samples are; where that is another shape, its metrics keep their type. */
function declare(ref: u32, type: u32): void {
  // Not called by the line's name: that is its sample's name without the suffix.
  if (nameLength(address(ref)) != textBytes) adopt(ref, findFamily(textAt, textBytes));
  const at = address(ref);
  const current = typeOf(at);
  const stays = hasMetrics(ref) && current != type && (holdsMany(current) || holdsMany(type));
  const known = stays ? declaredOf(at) : current;
  if (known != type && (stays || known != 0)) count(CLASHES);
  setTypes(at, stays ? current : type, type);
}

/** Takes the rest of a TYPE line. False: it is bad. */
function takeType(index: u32): bool {
  readWord();
  // Behind the last type is "unknown", which is untyped.
  const word = which(TYPES, STATESET + 2);
  if (word > STATESET + 1 || !atEnd()) return false;
  const type = (word & STATESET) | TYPED;
  const ref = family(type, index);
  claimNames(type, textAt, textBytes, false);
  noteType(ref == 0 ? type : 0, textAt, textBytes);
  if (ref != 0) declare(ref, type);
  return true;
}

/** Writes the text [at, end) of a HELP line to `to` with text 0.0.4's escapes, cut to fit; returns its end. */
function escapeHelp(to: usize, at: usize, end: usize): usize {
  const limit = to + HELP_LIMIT;
  while (at < end && to < limit) {
    let byte = load<u8>(at++) as u32;
    if (byte == 92) {
      if (isEscaped(at)) byte = load<u8>(at++);
      if (byte != 34) {
        if (to + 2 > limit) break;
        store<u8>(to++, 92);
      }
    }
    store<u8>(to++, byte);
  }
  // The rest of a character: all of it goes.
  for (; (load<u8>(at) & 0xc0) == 0x80; --at) --to;
  return to;
}

/** Keeps the text in the scratch as the family's help. */
function keepHelp(ref: u32, bytes: usize): void {
  const old = helpOf(address(ref));
  if (old != 0) {
    const at = address(old);
    if (helpLength(at) == bytes && equal(helpText(at), TEXT, bytes)) return;
    dropHelp(ref);
  }
  if (bytes != 0 && !createHelp(ref, TEXT, bytes)) count(HELP_DROPPED);
}

function takeHelp(end: usize, index: u32): void {
  makeMetadataRoom(false);
  const ref = family(0, index);
  if (ref == 0) count(HELP_DROPPED);
  else keepHelp(ref, escapeHelp(TEXT, cursor, end) - TEXT);
}

/** Takes the rest of a UNIT line. False: it is no unit of this family, or there is no room. */
function takeUnit(index: u32): bool {
  readWord();
  const bytes = wordEnd - wordAt;
  const begin = textAt + textBytes - bytes;
  if (!atEnd() || bytes >= textBytes) return false;
  if (bytes != 0 && (load<u8>(begin - 1) != 95 || !equal(begin, wordAt, bytes))) return false;
  const ref = family(0, index);
  if (ref == 0) return true;
  const at = address(ref);
  const isBase = (flags(at) & BY_BASE) != 0;
  return isBase == (nameLength(at) != textBytes) && setUnit(ref, bytes);
}

/** Milliseconds of the unit with this letter, 0: none. */
function unitMs(letter: u32): u32 {
  let ms: u32 = 1000;
  for (let unit = UNITS; ms != 0 && load<u8>(unit) != letter; unit += 2) ms *= load<u8>(unit, 1) as u32;
  return ms;
}

/** Reads a duration as `# TTL` has it: "90s", "1h30m", "never", "0". False: it is none. */
function takeTtl(): bool {
  readWord();
  if (!atEnd()) return false;
  let ttl = ENDLESS;
  if (which(NEVER, 2) == 2) {
    let sum: f64 = 0;
    let at = wordAt;
    do {
      const start = at;
      let value: u64 = 0;
      for (; (load<u8>(at) as u32) - 48 < 10; ++at) value = value * 10 + (load<u8>(at) as u64) - 48;
      const digits = at - start;
      let unit: u32 = 1;
      if (load<u16>(at) == MILLISECONDS) at += 2;
      else unit = unitMs(load<u8>(at++));
      if (unit == 0 || digits - 1 > 11) return false;
      sum += (value as f64) * (unit as f64);
    } while (at < wordEnd);
    ttl = min<f64>(sum, ENDLESS - 1) as u32;
    if (ttl == 0) return false;
  }
  store<u32>(TTL, ttl);
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
  begin(at + 1, end);
  readWord();
  const kind = which(EOF, KINDS);
  if (kind == EOF_LINE) {
    if (atEnd()) endPush();
  } else if (kind == TTL_LINE) {
    if (!takeTtl()) count(BAD_TTL);
  } else if (kind != KINDS) return takeMetadata(kind, end, index);
  return TAKEN;
}

/** The same for the metadata of a family. */
function takeMetadata(kind: u32, end: usize, index: u32): i32 {
  closeRound();
  const text = checkText(cursor, end - cursor);
  if (text != 0) return text;
  if (!readName(true) || !isNameSize(textBytes) || !isApart()) return BAD_METADATA;
  if (kind == HELP_LINE) takeHelp(end, index);
  else if (kind == TYPE_LINE) {
    if (!takeType(index)) return BAD_METADATA;
  } else if (!takeUnit(index)) count(UNIT_DROPPED);
  count(METADATA);
  return TAKEN;
}
