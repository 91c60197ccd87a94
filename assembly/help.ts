/**
 * HELP texts: the first thing to go when room is needed.
 *
 *   +0  u16  bytes of the text
 *       the text, a backslash and a line feed in it escaped as in text 0.0.4
 */

import { copy } from "./bytes";
import { helpOf, setHelp } from "./family";
import { add, HELP_BYTES } from "./header";
import { address, alloc, HELP, release } from "./heap";
import { WIDE } from "./layout";

const PREFIX: usize = 2;
/** Longest help that is kept; a longer one is cut at a character. */
export const HELP_LIMIT: usize = WIDE ? 4000 : 2000;

/** Bytes of the text of the help at `at`. */
export function helpLength(at: usize): usize {
  return load<u16>(at) as usize;
}

/** Address of that text. */
export function helpText(at: usize): usize {
  return at + PREFIX;
}

/** Keeps a text as the help of a family that has none. False: there is no room. */
export function createHelp(family: u32, text: usize, count: usize): bool {
  const ref = alloc(HELP, PREFIX + count, family, 0);
  if (ref == 0) return false;
  const at = address(ref);
  store<u16>(at, count as u32);
  copy(at + PREFIX, text, count);
  add(HELP_BYTES, (PREFIX + count) as i32);
  const isNoted = setHelp(family, ref);
  if (!WIDE && !isNoted) releaseHelp(ref);
  return WIDE || isNoted;
}

/** Frees a help that no family notes. */
function releaseHelp(ref: u32): void {
  const bytes = PREFIX + helpLength(address(ref));
  release(ref, bytes);
  add(HELP_BYTES, -(bytes as i32));
}

/** Takes the help from a family and frees it. False: it has none. */
export function dropHelp(family: u32): bool {
  const help = helpOf(address(family));
  if (help == 0) return false;
  setHelp(family, 0);
  releaseHelp(help);
  return true;
}
