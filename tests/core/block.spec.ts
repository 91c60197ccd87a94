import {
  addRecord,
  blockSize,
  canAdd,
  canGrowRecord,
  createBlock,
  FLAGS_AT,
  freeBlock,
  LABELS_AT,
  nextBlock,
  oldestOf,
  previousBlock,
  recordAt,
  refreshOldest,
  removeRecord,
  resizeRecord,
  STAMP_AT,
  setOldest,
  slotsOf,
} from "../../assembly/block";
import { initialize as initializeBuckets } from "../../assembly/bucket";
import { blocksOf, initialize as initializeClock, setNow, stampOf, storeStamp } from "../../assembly/clock";
import { createFamily, familyBytes, familySize, lastBlock } from "../../assembly/family";
import { header, initialize as initializeHeader, METRIC_BYTES } from "../../assembly/header";
import { address, freeBytes, initialize as initializeHeap } from "../../assembly/heap";
import {
  BLOCK_METRICS,
  CACHE,
  CACHE_BYTES_MIN,
  HEADER,
  HEADER_BYTES,
  OFFSET,
  OFFSET_MAX,
  REF,
  STAMP_MASK,
  WIDE,
} from "../../assembly/layout";
import { random } from "./scratch";

const BYTES: usize = WIDE ? 40000 : 16000;
/** Bytes of a block without records. */
const HEAD: usize = WIDE ? 24 : 12;
/** Blocks and bytes of a record, at most: there is always room for all of them. */
const BLOCKS: i32 = 5;
const RECORD_BYTES: u32 = 60;
const MINUTE: u32 = 60000;

/** What the test knows of a metric: its slot, when it was pushed, and its record's bytes. */
class Metric {
  slot: u32 = 0;
  pushed: f64 = 0;
  bytes: u8[] = [];
}

/** What it knows of a block: its metrics in the order of their records, where each new one is the last. */
class Block {
  ref: u32 = 0;
  metrics: Metric[] = [];

  /** Bytes of the records before the one at `index`. */
  bytesBefore(index: i32): usize {
    let sum: usize = 0;
    for (let i = 0; i < index; ++i) sum += this.metrics[i].bytes.length as usize;
    return sum;
  }

  /** Whether a record at `index` can lie `by` bytes behind where it does. */
  reaches(index: i32, by: usize): bool {
    return this.bytesBefore(index) + 1 + by <= OFFSET_MAX;
  }

  /** The metric in a slot. */
  at(slot: u32): Metric | null {
    for (let i = 0; i < this.metrics.length; ++i) if (this.metrics[i].slot == slot) return this.metrics[i];
    return null;
  }

  /** The lowest slot that is free. */
  free(): u32 {
    let slot: u32 = 0;
    while (this.at(slot) != null) ++slot;
    return slot;
  }

  /** Slots up to the last one in use. */
  slots(): u32 {
    let slots: u32 = 0;
    for (let i = 0; i < this.metrics.length; ++i) slots = max(slots, this.metrics[i].slot + 1);
    return slots;
  }
}

/** The family's blocks in the order of its ring; and what is free without any. */
let family: u32 = 0;
let blocks: Block[] = [];
let fresh: u32 = 0;
/** The time comes by steps of a millisecond, and stamps wrap on the way. */
let now: f64 = 0;

function begin(bytes: usize = BYTES): void {
  memory.fill(HEADER, 0, HEADER_BYTES + BYTES);
  initializeHeader();
  initializeHeap(initializeBuckets(CACHE_BYTES_MIN), CACHE + bytes);
  initializeClock(MINUTE);
  now = (STAMP_MASK as f64) - 2000;
  setNow(now);
  store<u8>(CACHE + BYTES, 109);
  family = createFamily(CACHE + BYTES, 1);
  blocks = [];
  fresh = freeBytes();
}

/** Whether everything is where it belongs: the ring, the records with their bytes, and what is counted. */
function intact(): bool {
  let sum: usize = 0;
  let held: usize = 0;
  for (let i = 0; i < blocks.length; ++i) {
    const block = blocks[i];
    const at = address(block.ref);
    const next = blocks[i + 1 < blocks.length ? i + 1 : 0].ref;
    if (nextBlock(at) != next || previousBlock(next, address(next)) != block.ref) return false;
    const slots = block.slots();
    const records = HEAD + (slots as usize) * OFFSET;
    const size = records + block.bytesBefore(block.metrics.length);
    if (slotsOf(at) != slots || blockSize(at) != size) return false;
    for (let slot: u32 = 0; slot <= slots; ++slot) if (block.at(slot) == null && recordAt(at, slot) != 0) return false;
    for (let j = 0; j < block.metrics.length; ++j) {
      const metric = block.metrics[j];
      const record = at + records + block.bytesBefore(j);
      if (recordAt(at, metric.slot) != record) return false;
      for (let k = 0; k < metric.bytes.length; ++k) {
        const isStamp = k >= (STAMP_AT as i32) && k < (FLAGS_AT as i32);
        if (!isStamp && load<u8>(record + (k as usize)) != metric.bytes[k]) return false;
      }
    }
    sum += size;
    held += size + 2;
  }
  const at = address(family);
  if (lastBlock(at) != (blocks.length == 0 ? 0 : blocks[blocks.length - 1].ref)) return false;
  if (blocksOf(0) != blocks.length || load<u32>(header, METRIC_BYTES) != (sum as u32)) return false;
  return (familyBytes(at) as usize) == familySize(at) + 2 + held;
}

/** Makes a block behind one of the others, or behind all. */
function create(): void {
  const i = random(blocks.length + 1) as i32;
  const block = new Block();
  block.ref = createBlock(family, 0, 0, 0, i == 0 ? 0 : blocks[i - 1].ref);
  expect<bool>(block.ref != 0).toBe(true);
  const place = i == 0 ? blocks.length : i;
  blocks = blocks.slice(0, place).concat([block]).concat(blocks.slice(place));
}

/** Stores random bytes, in the record and in what the test knows of it. */
function fill(block: Block, metric: Metric, from: i32, count: i32): void {
  const record = recordAt(address(block.ref), metric.slot);
  const bytes: u8[] = [];
  for (let i = 0; i < count; ++i) {
    bytes.push(random(256) as u8);
    store<u8>(record + ((from + i) as usize), bytes[i]);
  }
  metric.bytes = metric.bytes.slice(0, from).concat(bytes).concat(metric.bytes.slice(from));
}

function push(block: Block, metric: Metric): void {
  storeStamp(recordAt(address(block.ref), metric.slot) + STAMP_AT, stampOf(0));
  metric.pushed = now;
}

function add(block: Block): void {
  const count = LABELS_AT + (random(RECORD_BYTES >> 1) as usize);
  const index = block.metrics.length;
  const fits = index < (BLOCK_METRICS as i32) && block.reaches(index, 0);
  expect<bool>(canAdd(block.ref, address(block.ref), count)).toBe(fits);
  if (!fits) return;
  const metric = new Metric();
  metric.slot = block.free();
  expect<u32>(addRecord(block.ref, count)).toBe(metric.slot);
  block.metrics.push(metric);
  fill(block, metric, 0, count as i32);
  push(block, metric);
}

function remove(block: Block, index: i32): void {
  const metric = block.metrics.splice(index, 1)[0];
  removeRecord(block.ref, metric.slot, metric.bytes.length as usize);
}

/** A place anywhere behind the flags of a record, or its end. */
function placeIn(metric: Metric): usize {
  return LABELS_AT + (random((metric.bytes.length as u32) - (LABELS_AT as u32) + 1) as usize);
}

/** Inserts bytes anywhere behind the flags of a record, if those behind it are not pushed out of reach. */
function grow(block: Block, index: i32): void {
  const metric = block.metrics[index];
  const by = (random(20) + 1) as usize;
  if (metric.bytes.length + (by as i32) > (RECORD_BYTES as i32)) return;
  const last = block.metrics.length - 1;
  const fits = index == last || block.reaches(last, by);
  expect<bool>(canGrowRecord(block.ref, metric.slot, by)).toBe(fits);
  if (!fits) return;
  const from = placeIn(metric);
  resizeRecord(block.ref, metric.slot, recordAt(address(block.ref), metric.slot) + from, by as i32);
  fill(block, metric, from as i32, by as i32);
}

/** Removes bytes anywhere behind the flags of a record. */
function shrink(block: Block, index: i32): void {
  const metric = block.metrics[index];
  const from = placeIn(metric);
  const by = min((random(20) + 1) as usize, (metric.bytes.length as usize) - from);
  if (by == 0) return;
  resizeRecord(block.ref, metric.slot, recordAt(address(block.ref), metric.slot) + from, -(by as i32));
  metric.bytes.splice(from as i32, by as i32);
}

/** Checks that the block's oldest metric is found, however late, and its stamp noted. */
function findOldest(block: Block): void {
  let slot = block.slots();
  let pushed = now;
  for (let i = 0; i < block.metrics.length; ++i) {
    if (i != 0 && block.metrics[i].pushed > pushed) continue;
    slot = block.metrics[i].slot;
    pushed = block.metrics[i].pushed;
  }
  const at = address(block.ref);
  setOldest(at, random(STAMP_MASK));
  expect<u32>(refreshOldest(at)).toBe(slot);
  expect<u32>(oldestOf(at)).toBe((pushed as u64 as u32) & STAMP_MASK);
}

/** Does one of all that can be done to a block. */
function change(): void {
  const place = random(blocks.length) as i32;
  const block = blocks[place];
  const index = block.metrics.length == 0 ? 0 : (random(block.metrics.length) as i32);
  const what = random(12);
  if (block.metrics.length == 0 && what < 6) {
    freeBlock(block.ref);
    blocks.splice(place, 1);
  } else if (block.metrics.length == 0 || what < 4) add(block);
  else if (what < 7) remove(block, index);
  else if (what < 8) push(block, block.metrics[index]);
  else if (what < 10) grow(block, index);
  else shrink(block, index);
  if (blocks.length != 0) findOldest(blocks[random(blocks.length)]);
}

describe("blocks", () => {
  it("keep all records while some come, grow, shrink and go, and always know the oldest", () => {
    begin();
    for (let step = 0; step < 4000; ++step) {
      setNow(++now);
      if (blocks.length == 0 || (blocks.length < BLOCKS && random(40) == 0)) create();
      else change();
      if (step % 8 == 0) expect<bool>(intact()).toBe(true);
    }
    expect<bool>(intact()).toBe(true);
  });
  it("20: give all of their room back", () => {
    begin();
    while (blocks.length < BLOCKS) create();
    for (let i = 0; i < 100; ++i) add(blocks[i % BLOCKS]);
    expect<bool>(intact()).toBe(true);
    while (blocks.length != 0) {
      const place = random(blocks.length) as i32;
      const block = blocks[place];
      while (block.metrics.length != 0) remove(block, random(block.metrics.length) as i32);
      freeBlock(block.ref);
      blocks.splice(place, 1);
      expect<bool>(intact()).toBe(true);
    }
    expect<u32>(freeBytes()).toBe(fresh);
  });
  it("take sixteen metrics; narrow, as far as an offset of one byte reaches", () => {
    begin();
    create();
    for (let i: u32 = 0; i < BLOCK_METRICS; ++i) {
      expect<bool>(canAdd(blocks[0].ref, address(blocks[0].ref), 17)).toBe(true);
      addRecord(blocks[0].ref, 17 - (i == 0 ? 1 : 0));
    }
    expect<bool>(canAdd(blocks[0].ref, address(blocks[0].ref), 1)).toBe(false);
    // The last one's offset is 255: the first cannot grow, but the last can.
    expect<bool>(canGrowRecord(blocks[0].ref, 0, 1)).toBe(WIDE);
    expect<bool>(canGrowRecord(blocks[0].ref, BLOCK_METRICS - 1, 100)).toBe(true);
  });
  it("take what the room holds, a new slot's offset included", () => {
    begin(4000);
    create();
    addRecord(blocks[0].ref, 20);
    const room = freeBytes() as usize;
    expect<bool>(canAdd(blocks[0].ref, address(blocks[0].ref), room - OFFSET)).toBe(true);
    expect<bool>(canAdd(blocks[0].ref, address(blocks[0].ref), room - OFFSET + 1)).toBe(false);
    expect<bool>(canGrowRecord(blocks[0].ref, 0, room)).toBe(true);
    expect<bool>(canGrowRecord(blocks[0].ref, 0, room + 1)).toBe(false);
    const end = recordAt(address(blocks[0].ref), 0) + 20;
    resizeRecord(blocks[0].ref, 0, end, (room - HEAD - OFFSET - 1) as i32);
    // A block with room for a record from the start, or none.
    expect<u32>(createBlock(family, 0, 0, 2, 0)).toBe(0);
    expect<bool>(createBlock(family, 0, 0, 1, 0) != 0).toBe(true);
  });
});
