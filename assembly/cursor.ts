/**
 * Where open renders stand, kept right while blocks and families go. A row of the render table:
 *
 *   +0  u32  1: open                      +20 u32  pass over the family (render.ts)
 *   +4  u32  flags of renderOpen          +24 u32  generation: what was created later is not on the page
 *   +8  u32  family, 0: the end           +28 u32  next sample of a metric that fills more than one piece
 *   +12 u32  block, 0: before the first   +32 u32  1: the family's blocks are done
 *   +16 u32  slot in the block            +36 u32  1: the family's metadata are written
 */
import { RENDER_BYTES, RENDER_LIMIT, RENDERS } from "./layout";

export const OPEN: usize = 0;
export const RENDER_FLAGS: usize = 4;
export const AT_FAMILY: usize = 8;
export const AT_BLOCK: usize = 12;
export const AT_SLOT: usize = 16;
export const PASS: usize = 20;
export const BORN: usize = 24;
export const AT_SAMPLE: usize = 28;
export const BLOCKS_DONE: usize = 32;
export const TITLED: usize = 36;
export const COMPLETE: usize = 40;
export const BORN_NEXT: usize = 44;

/** Number of open renders. */
export let openRenders: u32 = 0;

export function render(handle: u32): usize {
  return RENDERS + (handle as usize) * RENDER_BYTES;
}

export function countOpen(by: i32): void {
  openRenders += by as u32;
}

/** Puts a render at the beginning of a family. */
export function enterFamily(at: usize, family: u32): void {
  store<u32>(at, family, AT_FAMILY);
  store<u32>(at, 0, PASS);
  enterPass(at);
}

/** Puts a render before the first block of its family. */
export function enterPass(at: usize): void {
  store<u32>(at, 0, AT_BLOCK);
  store<u32>(at, 0, AT_SLOT);
  store<u32>(at, 0, AT_SAMPLE);
  store<u32>(at, 0, BLOCKS_DONE);
  store<u32>(at, 0, TITLED);
}

/** A block goes; `next` follows it in its family, 0: none. */
export function blockGone(block: u32, next: u32): void {
  if (openRenders == 0) return;
  for (let i: u32 = 0; i < RENDER_LIMIT; ++i) {
    const at = render(i);
    if (load<u32>(at, OPEN) == 0 || load<u32>(at, AT_BLOCK) != block) continue;
    store<u32>(at, next, AT_BLOCK);
    store<u32>(at, 0, AT_SLOT);
    store<u32>(at, 0, AT_SAMPLE);
    if (next == 0) store<u32>(at, 1, BLOCKS_DONE);
  }
}

/** A family goes; `next` was created after it, 0: none. */
export function familyGone(family: u32, next: u32): void {
  if (openRenders == 0) return;
  for (let i: u32 = 0; i < RENDER_LIMIT; ++i) {
    const at = render(i);
    if (load<u32>(at, OPEN) != 0 && load<u32>(at, AT_FAMILY) == family) enterFamily(at, next);
  }
}

/** A metric goes or is moved: a render in the middle of it goes on with the next. */
export function metricGone(block: u32, slot: u32): void {
  if (openRenders == 0) return;
  for (let i: u32 = 0; i < RENDER_LIMIT; ++i) {
    const at = render(i);
    if (load<u32>(at, AT_BLOCK) == block && load<u32>(at, AT_SLOT) == slot) store<u32>(at, 0, AT_SAMPLE);
  }
}

/** Whether an open render stands in this family. */
export function isInside(family: u32): bool {
  if (openRenders == 0) return false;
  for (let i: u32 = 0; i < RENDER_LIMIT; ++i) {
    const at = render(i);
    if (load<u32>(at, OPEN) != 0 && load<u32>(at, AT_FAMILY) == family) return true;
  }
  return false;
}
