import { initialize as initializeHeader } from "../../assembly/header";
import {
  address,
  addressOf,
  alloc,
  BLOCK,
  canGrow,
  directoryBytes,
  FAMILY,
  freeBytes,
  HELP,
  initialize,
  release,
  releaseText,
  resize as resizeObject,
  TEXT_KIND,
  textAddress,
} from "../../assembly/heap";
import { CACHE, HEADER, HEADER_BYTES, SEGMENT_BYTES, WIDE } from "../../assembly/layout";
import { random } from "./scratch";

const BYTES: usize = WIDE ? 20000 : 10240;
/** What the test knows of each object: its reference, kind, length and the byte that fills it. */
const refs: u32[] = [];
const kinds: u32[] = [];
const sizes: usize[] = [];
const fills: u8[] = [];

function begin(): void {
  memory.fill(HEADER, 0, HEADER_BYTES + BYTES);
  initializeHeader();
  initialize(CACHE, CACHE + BYTES);
  refs.length = kinds.length = sizes.length = fills.length = 0;
}

function place(i: i32): usize {
  return kinds[i] == TEXT_KIND ? textAddress(refs[i]) : address(refs[i]);
}

/** Whether every object is where its reference says, with its bytes. */
function intact(): bool {
  for (let i = 0; i < refs.length; ++i) {
    const at = place(i);
    if (kinds[i] != TEXT_KIND && addressOf(refs[i], kinds[i]) != at) return false;
    for (let j: usize = 0; j < sizes[i]; ++j) if (load<u8>(at + j) != fills[i]) return false;
  }
  return true;
}

function sum(): usize {
  let total: usize = 0;
  for (let i = 0; i < sizes.length; ++i) total += sizes[i];
  return total;
}

function add(): void {
  const kind = random(4);
  const size = (random(90) + 1) as usize;
  const ref = alloc(kind, size, 0, 0);
  if (ref == 0) return;
  refs.push(ref);
  kinds.push(kind);
  sizes.push(size);
  fills.push(random(256) as u8);
  memory.fill(place(refs.length - 1), fills[fills.length - 1], size);
}

function drop(i: i32): void {
  if (kinds[i] == TEXT_KIND) releaseText(refs[i], sizes[i]);
  else release(refs[i], sizes[i]);
  refs.splice(i, 1);
  kinds.splice(i, 1);
  sizes.splice(i, 1);
  fills.splice(i, 1);
}

function resize(i: i32): void {
  if (kinds[i] == TEXT_KIND) return;
  const at = random((sizes[i] as u32) + 1) as usize;
  const by = (random(20) + 1) as usize;
  if (random(2) == 0) {
    if (!canGrow(refs[i], by)) return;
    resizeObject(refs[i], at, by as i32);
    memory.fill(place(i) + at, fills[i], by);
    sizes[i] += by;
  } else if (at + by < sizes[i]) {
    resizeObject(refs[i], at, -(by as i32));
    sizes[i] -= by;
  }
}

describe("heap", () => {
  it("keeps every object's bytes and reference while others come, grow, shrink and go", () => {
    begin();
    for (let step = 0; step < 4000; ++step) {
      const what = random(8);
      if (what < 3 || refs.length == 0) add();
      else if (what < 5) drop(random(refs.length) as i32);
      else resize(random(refs.length) as i32);
      if (step % 16 == 0) expect<bool>(intact()).toBe(true);
    }
    expect<bool>(intact()).toBe(true);
  });
  it("20: counts every byte, and gives all of them back", () => {
    begin();
    const fresh = freeBytes();
    const own = directoryBytes();
    // 18 a segment, of which the first one's first two bytes are before it.
    expect<u32>(own).toBe((((BYTES + SEGMENT_BYTES - 1) / SEGMENT_BYTES) as u32) * 18 - 2);
    expect<u32>(fresh + own).toBe(BYTES as u32);
    for (let i = 0; i < 300; ++i) add();
    expect<usize>((fresh - freeBytes()) as usize).toBe(sum() + ((directoryBytes() - own) as usize));
    while (refs.length != 0) drop(random(refs.length) as i32);
    expect<u32>(freeBytes()).toBe(fresh);
  });
  it("refuses what does not fit, and leaves all as it was", () => {
    begin();
    for (let i = 0; i < 2000; ++i) add();
    expect<bool>(refs.length > 200).toBe(true);
    expect<u32>(alloc(BLOCK, 8000, 0, 0)).toBe(0);
    expect<bool>(intact()).toBe(true);
  });
  it("answers any number that is no reference of a kind with 0", () => {
    begin();
    const ref = alloc(FAMILY, 10, 0, 0);
    expect<usize>(addressOf(ref, FAMILY)).toBe(address(ref));
    expect<usize>(addressOf(ref, HELP)).toBe(0);
    for (let i: u32 = 0; i < 2000; ++i)
      if (i != ref) expect<usize>(addressOf(i * 7919, FAMILY)).toBe(i * 7919 == ref ? address(ref) : 0);
    expect<usize>(addressOf(0xffffffff, FAMILY)).toBe(0);
  });
});
