/**
 * Where open renders stand, kept right while metrics, blocks and families go. A row of the render table, all zero for a
 * render that is closed:
 *
 *   +0  u32  flags of renderOpen, and OPEN           +16 u32  1: this pass' metadata are written
 *   +4  u32  generation: what was created            +20 u32  metric (block << 4 | slot), 0: before the first,
 *            later is not on the page                         DONE: behind the last
 *   +8  u32  family, 0: the end                      +24 u32  its next sample, if it fills more than one piece
 *   +12 u32  pass over the family (title.ts)
 *
 * Each place is one inside of the place before it: whoever leaves one begins anew in all behind it.
 */
import { clear } from "./bytes";
import { RENDER_BYTES, RENDER_LIMIT, RENDERS } from "./layout";

export const RENDER_FLAGS: usize = 0;
export const BORN: usize = 4;
export const AT_FAMILY: usize = 8;
export const PASS: usize = 12;
export const TITLED: usize = 16;
export const AT_METRIC: usize = 20;
export const AT_SAMPLE: usize = 24;

/** In the flags of a row: the render is open. */
export const OPEN: u32 = 4;
/** No metric: all blocks of the family are done. */
export const DONE: u32 = -1;

/** Behind the last row. */
export const RENDERS_END: usize = RENDERS + RENDER_BYTES * (RENDER_LIMIT as usize);

/** Row of a render. */
export function render(handle: u32): usize {
  return RENDERS + (handle as usize) * RENDER_BYTES;
}

/** Number of rows that have this value in a field. */
function rowsWith(field: usize, value: u32): u32 {
  let rows: u32 = 0;
  let at = RENDERS;
  do {
    if (load<u32>(at + field) == value) ++rows;
    at += RENDER_BYTES;
  } while (at < RENDERS_END);
  return rows;
}

/** Number of open renders. */
export function openRenders(): u32 {
  return RENDER_LIMIT - rowsWith(RENDER_FLAGS, 0);
}

/** Whether an open render stands in this family. */
export function isInside(family: u32): bool {
  return rowsWith(AT_FAMILY, family) != 0;
}

/** Whether an open render stands in this block, behind the metric `done` or in the middle of it. */
export function isBehind(block: u32, done: u32): bool {
  let at = RENDERS;
  do {
    const place = load<u32>(at, AT_METRIC);
    if (place >> 4 == block && place + (load<u32>(at, AT_SAMPLE) != 0 ? 1 : 0) > done) return true;
    at += RENDER_BYTES;
  } while (at < RENDERS_END);
  return false;
}

/** Puts a render at `place`, in the field at `at` of its row, and at the begin of all inside of it. */
export function enter(at: usize, place: u32): void {
  const end = (at | (RENDER_BYTES - 1)) + 1;
  clear(at, end - at);
  store<u32>(at, place);
}

/** Makes renders that stand at `from` stand at `to`; `bits` of the field are inside of that place. */
function leave(field: usize, bits: u32, from: u32, to: u32): void {
  let at = RENDERS + field;
  do {
    if (load<u32>(at) >> bits == from) enter(at, to);
    at += RENDER_BYTES;
  } while (at < RENDERS_END);
}

/** A family goes; `next` was created after it, 0: none. */
export function familyGone(family: u32, next: u32): void {
  leave(AT_FAMILY, 0, family, next);
}

/** A block goes; `next` follows it in its family, 0: none. */
export function blockGone(block: u32, next: u32): void {
  leave(AT_METRIC, 4, block, next == 0 ? DONE : next << 4);
}

/** A metric goes or is moved: a render in the middle of it goes on with the next. */
export function metricGone(metric: u32): void {
  leave(AT_METRIC, 0, metric, metric);
}

/** A sample comes (`by` 1) or goes (-1) before the sample `index` of a metric: renders behind that stay where they are. */
export function sampleMoved(metric: u32, index: u32, by: i32): void {
  let at = RENDERS;
  do {
    const next = load<u32>(at, AT_SAMPLE);
    if (load<u32>(at, AT_METRIC) == metric && next > index) store<u32>(at, next + (by as u32), AT_SAMPLE);
    at += RENDER_BYTES;
  } while (at < RENDERS_END);
}

if (RENDERS % RENDER_BYTES != 0) ERROR("a row's address does not tell where it ends");
