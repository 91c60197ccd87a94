/**
 * The page: text 0.0.4 or OpenMetrics 1.0, in pieces of whole lines. A render keeps only its place (cursor.ts); nothing
 * of the cache is changed by it, or copied for it.
 */

import { classOf, FLAGS_AT, kindOf, MULTI, nextBlock, recordAt, STAMP_AT, slotsOf } from "./block";
import { clear } from "./bytes";
import { isExpired, loadStamp } from "./clock";
import { AT_FAMILY, AT_METRIC, AT_SAMPLE, BORN, DONE, enter, OPEN, PASS, RENDER_FLAGS, render, TITLED } from "./cursor";
import { lastBlock, nextFamily } from "./family";
import { endGeneration } from "./generation";
import { FAMILY_FIRST, header } from "./header";
import { address } from "./heap";
import { OUTPUT, RENDER_BYTES, RENDER_LIMIT } from "./layout";
import { begin, fitted, open, put, putKeyword, to } from "./output";
import { TOTAL } from "./owner";
import { beginPageSamples, entry, nextSample, valueAt, valueLength } from "./record";
import { beginLines, putSample } from "./series";
import { enterTitle, isPart, isWritten, nextPass, part, putMetadata } from "./title";
import { EOF } from "./word";

/** The row of the render at hand. */
let row: usize = 0;

/**
 * Writes the samples of a metric, from the render's one on, before them the metadata if they are the first. It goes
 * into the piece whole or not at all; but one that is alone in its piece may be larger than the window: then what fits
 * of it is the piece. A line alone always fits (sample.ts sees to it). Returns whether it is done.
 */
function putMetric(metric: u32, record: usize): bool {
  const isAlone = to == OUTPUT;
  let kept = to;
  const samples = beginPageSamples(metric, record);
  const place = load<u8>(entry - 1);
  let isTitled = load<u32>(row, TITLED);
  for (let i: u32 = 0; ; ) {
    if (i >= load<u32>(row, AT_SAMPLE) && isPart(load<u8>(entry))) {
      if (isTitled == 0) putMetadata();
      isTitled = 1;
      if (isAlone) kept = to;
      putSample(record, entry, place, valueAt, valueLength());
      if (!fitted(kept)) {
        if (isAlone) {
          store<u32>(row, 1, TITLED);
          store<u32>(row, i, AT_SAMPLE);
        }
        return false;
      }
    }
    if (++i >= samples) break;
    nextSample();
  }
  store<u32>(row, isTitled, TITLED);
  return true;
}

/** Writes the metrics of a block from a slot on. Returns false if the piece is full, and notes where. */
function putBlock(ref: u32, slot: u32): bool {
  const block = address(ref);
  if (part != TOTAL && kindOf(block) != MULTI) return true;
  beginLines(block);
  do {
    const record = recordAt(block, slot);
    const metric = (ref << 4) | slot;
    if (
      record != 0 &&
      (load<u8>(record, FLAGS_AT) as u32) >> 4 <= load<u32>(row, BORN) &&
      !isExpired(classOf(block), loadStamp(record + STAMP_AT)) &&
      !putMetric(metric, record)
    ) {
      store<u32>(row, metric, AT_METRIC);
      return false;
    }
    store<u32>(row, 0, AT_SAMPLE);
  } while (++slot < slotsOf(block));
  return true;
}

/** Writes the blocks of the family where the render stands, in this pass. Returns false if the piece is full. */
function putPass(family: usize): bool {
  const at = load<u32>(row, AT_METRIC);
  if (at == DONE) return true;
  const last = lastBlock(family);
  let block = at == 0 ? nextBlock(address(last)) : at >> 4;
  let slot = at & 15;
  while (putBlock(block, slot)) {
    if (block == last) return true;
    block = nextBlock(address(block));
    slot = 0;
  }
  return false;
}

/** Whether this handle is an open render. */
export function isOpen(handle: u32): bool {
  return handle < RENDER_LIMIT && load<u32>(render(handle), RENDER_FLAGS) != 0;
}

/** Begins a page. Returns its handle, -1: all are in use. */
export function openRender(how: u32): i32 {
  let handle: u32 = 0;
  while (isOpen(handle)) ++handle;
  if (handle == RENDER_LIMIT) return -1;
  const at = render(handle);
  store<u32>(at, how | OPEN, RENDER_FLAGS);
  store<u32>(at, endGeneration(), BORN);
  enter(at + AT_FAMILY, load<u32>(header, FAMILY_FIRST));
  return handle as i32;
}

/** Ends a render that is open. */
export function closeRender(handle: u32): void {
  clear(render(handle), RENDER_BYTES);
}

/** Writes the families from the render's one on. Returns false if the piece is full. */
function putFamilies(): bool {
  while (load<u32>(row, AT_FAMILY) != 0) {
    const family = address(load<u32>(row, AT_FAMILY));
    enterTitle(family, load<u32>(row, PASS));
    if (isWritten() && !putPass(family)) return false;
    const next = nextPass();
    if (next != TOTAL) enter(row + PASS, next);
    else enter(row + AT_FAMILY, nextFamily(family));
  }
  return true;
}

/** Writes the next piece of an open render. Returns its bytes, 0: the page is complete. */
export function writePiece(handle: u32): u32 {
  row = render(handle);
  begin(load<u32>(row, RENDER_FLAGS));
  if (putFamilies() && open) {
    const start = to;
    putKeyword(EOF);
    put(10);
    // What is left of the page is that of a text page at its end: nothing.
    if (fitted(start)) store<u32>(row, OPEN, RENDER_FLAGS);
  }
  return (to - OUTPUT) as u32;
}
