/**
 * Names outside of [a-zA-Z_:][a-zA-Z0-9_:]*: in quotes where the scraper allows UTF-8, else in the `U__` escaping
 * (Prometheus, "UTF-8 in Prometheus": values escaping).
 */

import { character, sequence } from "./bytes";
import { skipName } from "./line";
import { put, putText, putWord, raw } from "./output";
import { ESCAPED } from "./word";

/** Whether text 0.0.4 can have this name without quotes; metrics' names may have colons. */
export function isPlain(at: usize, bytes: usize, colons: bool): bool {
  return skipName(at, at + bytes, colons) == at + bytes;
}

/** Writes a number in hexadecimal. */
function putHex(code: u32): void {
  if (code > 15) putHex(code >> 4);
  const digit = code & 15;
  put(digit + (digit < 10 ? 48 : 87));
}

/** Writes a name that is not plain in the escaping. The escapes in it are those of text 0.0.4. */
export function putEscaped(at: usize, bytes: usize, colons: bool): void {
  const end = at + bytes;
  putWord(ESCAPED);
  let next = at;
  do {
    const from = next;
    next += sequence(next, end);
    let code = character;
    if (code == 92) {
      code = load<u8>(next++);
      if (code == 110) code = 10;
    }
    if (skipName(from, next, colons) == next || (code - 48 < 10 && from != at)) {
      if (code == 95) put(95);
      put(code);
    } else {
      put(95);
      putHex(code);
      put(95);
    }
  } while (next < end);
}

/** Writes a name with a suffix: as it is, in quotes if it is not plain, or in the escaping. */
export function putName(at: usize, bytes: usize, suffix: usize, plain: bool, colons: bool): void {
  if (!plain && raw == 0) putEscaped(at, bytes, colons);
  else {
    if (!plain) put(34);
    putText(at, bytes);
  }
  putWord(suffix);
  if (!plain && raw != 0) put(34);
}
