import {
  addBlocks,
  age,
  clamped,
  classOfTtl,
  dueAt,
  ENDLESS,
  initialize,
  isExpired,
  isOver,
  isSilent,
  limitStamp,
  SWEEP_MS,
  setNow,
  stampOf,
  ttlOf,
  unitsAt,
  unitsOf,
} from "../../assembly/clock";
import { initialize as initializeHeader } from "../../assembly/header";
import { CLASS_LIMIT, HEADER, HEADER_BYTES, STAMP_MASK, WIDE } from "../../assembly/layout";

const MINUTE: u32 = 60000;
/** Units that a time to live is counted in, at most: so what is longer has units of more than a millisecond. */
const UNITS: u32 = WIDE ? 3000000000 : 60000;

function begin(ttlMs: u32): void {
  memory.fill(HEADER, 0, HEADER_BYTES);
  initializeHeader();
  initialize(ttlMs);
}

/** A class with a block, which keeps it from being made another. */
function used(ttlMs: u32): u32 {
  const index = classOfTtl(ttlMs);
  addBlocks(index, 1);
  return index;
}

describe("clamped", () => {
  it("17: never runs back, stands still at NaN, and stops where milliseconds are no longer whole", () => {
    begin(MINUTE);
    expect<f64>(clamped(-5)).toBe(0);
    expect<f64>(clamped(1000.5)).toBe(1000.5);
    setNow(1000.5);
    expect<f64>(clamped(999)).toBe(1000.5);
    expect<f64>(clamped(NaN)).toBe(1000.5);
    expect<f64>(clamped(Infinity)).toBe(9007199254740991);
  });
});

describe("isExpired", () => {
  it("16: at the time to live, not a millisecond before", () => {
    begin(MINUTE);
    setNow(123);
    const stamp = stampOf(0);
    setNow(60122);
    expect<bool>(isExpired(0, stamp)).toBe(false);
    expect<u32>(age(0, stamp)).toBe(59999);
    setNow(60123);
    expect<bool>(isExpired(0, stamp)).toBe(true);
  });
  it("16: never early and at most two units late where a unit is more than a millisecond", () => {
    const ttlMs: f64 = 4000000000;
    const unit = ceil(ttlMs / (UNITS as f64));
    // Pushed at the begin of a unit, and at its end.
    for (let pushed = unit; pushed < unit * 2; pushed += unit - 1) {
      begin(ttlMs as u32);
      setNow(pushed);
      const stamp = stampOf(0);
      setNow(pushed + ttlMs - 1);
      expect<bool>(isExpired(0, stamp)).toBe(false);
      setNow(pushed + ttlMs + unit * 2);
      expect<bool>(isExpired(0, stamp)).toBe(true);
    }
  });
  it("16: never where there is no end", () => {
    begin(ENDLESS);
    const stamp = stampOf(0);
    setNow(3e12);
    expect<bool>(isExpired(0, stamp)).toBe(false);
    expect<bool>(dueAt(0, stamp) > 4e12).toBe(true);
  });
});

describe("dueAt", () => {
  it("16: is the time from which a metric is expired", () => {
    begin(MINUTE);
    setNow(500);
    const stamp = stampOf(0);
    expect<f64>(dueAt(0, stamp)).toBe(60500);
    setNow(40000.75);
    expect<f64>(dueAt(0, stamp)).toBe(60500, "however late it is asked");
    setNow(60500);
    expect<bool>(isExpired(0, stamp)).toBe(true);
  });
});

describe("isSilent", () => {
  it("18: from a quarter of the time to live on", () => {
    begin(MINUTE);
    const stamp = stampOf(0);
    setNow(14999);
    expect<bool>(isSilent(0, stamp)).toBe(false);
    setNow(15000);
    expect<bool>(isSilent(0, stamp)).toBe(true);
  });
});

describe("isOver", () => {
  it("17: looks ahead by units that have yet to pass", () => {
    begin(MINUTE);
    const stamp = stampOf(0);
    setNow(1000);
    expect<bool>(isOver(0, stamp, 58999)).toBe(false);
    expect<bool>(isOver(0, stamp, 59000)).toBe(true);
    expect<bool>(isOver(0, stamp, 1 << 40)).toBe(true);
  });
  it("17: the stamps of what never expires stay at an age that does not wrap", () => {
    begin(ENDLESS);
    const first = stampOf(0);
    const centuries: f64 = 1e13;
    const passed = unitsAt(0, centuries);
    expect<bool>(isOver(0, first, passed)).toBe(true);
    const stamp = limitStamp(0, passed);
    setNow(centuries);
    expect<u32>(age(0, stamp)).toBe(UNITS);
    expect<bool>(isExpired(0, stamp)).toBe(false);
  });
  it("17: no age wraps before all stamps are looked at again", () => {
    const ttls: u32[] = [1, MINUTE, MINUTE + 1, 86400000, UNITS, ENDLESS - 1];
    for (let i = 0; i < ttls.length; ++i) {
      begin(ttls[i]);
      expect<bool>((unitsOf(0) as u64) + unitsAt(0, SWEEP_MS) <= (STAMP_MASK as u64)).toBe(true);
    }
    begin(ENDLESS);
    expect<bool>((UNITS as u64) + unitsAt(0, SWEEP_MS) <= (STAMP_MASK as u64)).toBe(true);
  });
});

describe("classOfTtl", () => {
  it("12: is one for each time to live, the default first", () => {
    begin(MINUTE);
    expect<u32>(classOfTtl(MINUTE)).toBe(0);
    const hour = used(3600000);
    expect<bool>(hour != 0).toBe(true);
    expect<u32>(classOfTtl(3600000)).toBe(hour);
    expect<u32>(ttlOf(hour)).toBe(3600000);
    // Narrow, a 60,000th is 60 ms; one more, as what is pushed may be at the end of a unit.
    expect<u32>(unitsOf(hour)).toBe(WIDE ? 3600000 : 60001);
  });
  it("12: is made of one that has no blocks, but never of the default", () => {
    begin(MINUTE);
    const first = classOfTtl(1);
    expect<u32>(classOfTtl(2)).toBe(first);
    expect<u32>(ttlOf(0)).toBe(MINUTE);
    addBlocks(first, 1);
    expect<bool>(classOfTtl(3) != first).toBe(true);
    expect<u32>(ttlOf(first)).toBe(2);
  });
  it("12: where all are in use, is the next longer one, or else the longest", () => {
    begin(MINUTE);
    for (let i: u32 = 1; i < CLASS_LIMIT; ++i) used(i * 10000000);
    expect<u32>(ttlOf(classOfTtl(10000001))).toBe(20000000);
    expect<u32>(ttlOf(classOfTtl(5))).toBe(MINUTE);
    expect<u32>(ttlOf(classOfTtl(900000000))).toBe(150000000);
    expect<u32>(ttlOf(classOfTtl(ENDLESS))).toBe(150000000);
    addBlocks(classOfTtl(30000000), -1);
    expect<u32>(ttlOf(classOfTtl(900000000))).toBe(900000000);
  });
  it("17: has the stamp of the time that is now from the start", () => {
    begin(MINUTE);
    setNow(5000000);
    const index = used(30000);
    const stamp = stampOf(index);
    setNow(5029999);
    expect<bool>(isExpired(index, stamp)).toBe(false);
    setNow(5030000);
    expect<bool>(isExpired(index, stamp)).toBe(true);
  });
});
