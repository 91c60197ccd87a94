// What the specs share: texts in memory, and numbers that are random but the same in every run.

/** Where texts are put: beyond all that the core uses in a test. */
export const LINE: usize = 524288;

/** Writes a text to LINE, an LF behind it; returns its bytes. */
export function put(text: string): usize {
  const bytes = String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, LINE);
  store<u8>(LINE + bytes, 10);
  return bytes;
}

let seed: u32 = 1;

/** A number below a limit (a linear congruential generator). */
export function random(below: u32): u32 {
  seed = seed * 1664525 + 1013904223;
  return (seed >> 8) % below;
}
