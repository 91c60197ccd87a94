import { initialize as initializeBuckets } from "../../assembly/bucket";
import {
  BY_BASE,
  charge,
  createFamily,
  declaredOf,
  familyBytes,
  familySize,
  findFamily,
  findRelative,
  flags,
  freeFamily,
  helpOf,
  largestFamily,
  name,
  nameLength,
  nextFamily,
  setFlag,
  setHelp,
  setTypes,
  setUnit,
  typeOf,
  unitOf,
} from "../../assembly/family";
import { FAMILIES, FAMILY_FIRST, header, initialize as initializeHeader, NAME_BYTES } from "../../assembly/header";
import { address, alloc, freeBytes, HELP, initialize as initializeHeap } from "../../assembly/heap";
import { CACHE, CACHE_BYTES_MIN, HEADER, HEADER_BYTES, REF, SEARCH_FAMILIES, WIDE } from "../../assembly/layout";
import { TOTAL_SUFFIX } from "../../assembly/word";
import { LINE, put, random } from "./scratch";

const BYTES: usize = WIDE ? 40000 : 16000;
/** A reference as large as they get. */
const REFERENCE: u32 = WIDE ? 0x7fffffff : 0x7fff;
/** What the test knows of each family, in order of creation. */
const refs: u32[] = [];
const names: string[] = [];
const helps: u32[] = [];
const units: u32[] = [];

/** An empty heap; few buckets, so that families share them. */
function begin(bytes: usize = BYTES): void {
  memory.fill(HEADER, 0, HEADER_BYTES + BYTES);
  initializeHeader();
  initializeHeap(initializeBuckets(CACHE_BYTES_MIN), CACHE + bytes);
  refs.length = names.length = helps.length = units.length = 0;
}

function find(text: string): u32 {
  return findFamily(LINE, put(text));
}

function create(text: string): bool {
  const ref = createFamily(LINE, put(text));
  if (ref == 0) return false;
  refs.push(ref);
  names.push(text);
  helps.push(0);
  units.push(0);
  return true;
}

function free(i: i32): void {
  const ref = refs[i];
  freeFamily(ref);
  refs.splice(i, 1);
  names.splice(i, 1);
  helps.splice(i, 1);
  units.splice(i, 1);
}

/** Whether all families are there in order of creation, each with what the test knows of it, and nothing else. */
function intact(): bool {
  let ref = load<u32>(header, FAMILY_FIRST);
  let bytes: usize = 0;
  for (let i = 0; i < refs.length; ++i) {
    const at = address(ref);
    if (ref != refs[i] || find(names[i]) != ref) return false;
    if (String.UTF8.decodeUnsafe(name(at), nameLength(at)) != names[i]) return false;
    if (helpOf(at) != helps[i] || (unitOf(at) as u32) != units[i]) return false;
    if ((familyBytes(at) as usize) != familySize(at) + 2) return false;
    bytes += familySize(at);
    ref = nextFamily(at);
  }
  return ref == 0 && load<u32>(header, FAMILIES) == refs.length && load<u32>(header, NAME_BYTES) == (bytes as u32);
}

describe("families", () => {
  it("10: keep name, help and unit while others come, change and go", () => {
    begin();
    const fresh = freeBytes();
    for (let step = 0; step < 3000; ++step) {
      const what = random(8);
      const i = refs.length == 0 ? 0 : (random(refs.length) as i32);
      if (refs.length == 0 || (what < 3 && refs.length < 100)) {
        expect<bool>(create(`${"m".repeat(random(40))}${step}`)).toBe(true);
      } else if (what < 4) free(i);
      else if (what < 6) {
        const help = random(2) * (random(REFERENCE) + 1);
        expect<bool>(setHelp(refs[i], help)).toBe(true);
        helps[i] = help;
      } else {
        const unit = random(2) * random(256);
        expect<bool>(setUnit(refs[i], unit)).toBe(true);
        units[i] = unit;
      }
      if (step % 16 == 0) expect<bool>(intact()).toBe(true);
    }
    expect<bool>(intact()).toBe(true);
    while (refs.length != 0) free(random(refs.length) as i32);
    expect<bool>(intact()).toBe(true);
    expect<u32>(freeBytes()).toBe(fresh);
  });
  it("22: stay in order of creation, whichever of them goes", () => {
    for (let i = 0; i < 3; ++i) {
      begin();
      for (let j = 0; j < 3; ++j) create(`m${j}`);
      free(i);
      expect<bool>(intact()).toBe(true);
      create("last");
      expect<bool>(intact()).toBe(true);
    }
  });
  it("have names of any length, and are found by all of it", () => {
    begin();
    for (let length = 1; length <= 255; length += 127) expect<bool>(create("n".repeat(length))).toBe(true);
    expect<bool>(intact()).toBe(true);
    expect<u32>(find("n".repeat(127))).toBe(0);
    expect<u32>(find(`${"n".repeat(254)}m`)).toBe(0);
  });
  it("are refused where there is no room, and leave all as it was", () => {
    begin();
    let count = 0;
    while (create(`${count}`.padStart(200, "-"))) ++count;
    const free = freeBytes();
    expect<bool>(create("-".repeat(200))).toBe(false);
    expect<u32>(freeBytes()).toBe(free);
    expect<bool>(count > 50 && intact()).toBe(true);
  });
  it("10: narrow: have no help or unit where there is no room; wide ones have it from the start", () => {
    begin(4000);
    create("m");
    alloc(HELP, freeBytes() as usize, 0, 0);
    expect<u32>(freeBytes()).toBe(0);
    expect<bool>(setHelp(refs[0], 5)).toBe(WIDE);
    expect<bool>(setUnit(refs[0], 1)).toBe(WIDE);
    helps[0] = WIDE ? 5 : 0;
    units[0] = WIDE ? 1 : 0;
    expect<bool>(intact()).toBe(true);
  });
  it("11: keep flags and both types apart", () => {
    begin();
    create("m");
    const at = address(refs[0]);
    setTypes(at, 15, 9);
    setFlag(at, BY_BASE);
    setHelp(refs[0], 7);
    expect<u32>(typeOf(address(refs[0]))).toBe(15);
    expect<u32>(declaredOf(address(refs[0]))).toBe(9);
    expect<u32>(flags(address(refs[0])) & BY_BASE).toBe(BY_BASE);
    expect<u32>(helpOf(address(refs[0]))).toBe(7);
  });
});

describe("findRelative", () => {
  it("21: finds what is called alike, with a suffix behind it", () => {
    begin();
    create("m_total");
    expect<u32>(findRelative(LINE, put("m"), TOTAL_SUFFIX)).toBe(refs[0]);
    expect<u32>(findRelative(LINE, put("m_"), TOTAL_SUFFIX)).toBe(0);
  });
});

describe("largestFamily", () => {
  it("18: is the one that holds most, while others grow, shrink and go", () => {
    begin();
    expect<u32>(largestFamily()).toBe(0);
    for (let i = 0; i < 60; ++i) create(`m${i}`);
    while (refs.length > 1) {
      charge(refs[random(refs.length)], (random(200) as i32) + 1);
      const found = refs.indexOf(largestFamily());
      for (let i = 0; i < refs.length; ++i) {
        expect<bool>(familyBytes(address(refs[i])) <= familyBytes(address(refs[found]))).toBe(true);
      }
      if (random(2) == 0) free(found);
      else charge(refs[found], -(random(familyBytes(address(refs[found]))) as i32));
    }
    free(0);
    expect<u32>(largestFamily()).toBe(0);
  });
  it("18: is looked for behind the families of the last call, where there are more, and the next of them has gone", () => {
    begin();
    for (let i: u32 = 0; i < SEARCH_FAMILIES + 9; ++i) create(`m${i}`);
    charge(refs[3], 10);
    charge(refs[refs.length - 1], 20);
    expect<u32>(largestFamily()).toBe(refs[3]);
    free(SEARCH_FAMILIES as i32);
    expect<u32>(largestFamily()).toBe(refs[refs.length - 1]);
  });
});
