import { initialize as initializeBuckets, textBucket } from "../../assembly/bucket";
import { hash } from "../../assembly/bytes";
import { CACHE_SIZE, header, initialize as initializeHeader, LABEL_TEXT_BYTES } from "../../assembly/header";
import { freeBytes, initialize as initializeHeap, textAddress } from "../../assembly/heap";
import { CACHE, HEADER, HEADER_BYTES, OBJECT_BYTES_MAX, REF, TEXT_BYTES, WIDE } from "../../assembly/layout";
import {
  dropText,
  findText,
  fitsText,
  isText,
  labelNumber,
  labelRef,
  NO_NUMBER,
  readLabel,
  split,
  stemBytes,
  stemNumber,
  textBytes,
  textLength,
  useAgain,
  useText,
  writeLabel,
} from "../../assembly/text";
import { LINE, put } from "./scratch";

const OUT: usize = 540672;
const BYTES: usize = WIDE ? 40000 : 16000;

/** An empty heap; few buckets, so that texts share them. */
function begin(): void {
  memory.fill(HEADER, 0, HEADER_BYTES + BYTES);
  initializeHeader();
  store<u32>(header, BYTES as u32, CACHE_SIZE);
  initializeHeap(initializeBuckets(1024), CACHE + BYTES);
}

function use(text: string): u32 {
  return useText(LINE, put(text), 0);
}

function kept(ref: u32): string {
  const at = textAddress(ref);
  return String.UTF8.decodeUnsafe(textBytes(at), textLength(at));
}

/** The stem and the number of a label value, as one text. */
function parts(text: string): string {
  split(LINE, put(text));
  const stem = String.UTF8.decodeUnsafe(LINE, stemBytes);
  return stemNumber == NO_NUMBER ? stem : `${stem}|${stemNumber}`;
}

describe("split", () => {
  it("8: takes the whole number off that a value ends in", () => {
    expect<string>(parts("eth0")).toBe("eth|0");
    expect<string>(parts("dev-17")).toBe("dev-|17");
    expect<string>(parts("123")).toBe("|123");
    expect<string>(parts("0")).toBe("|0");
    expect<string>(parts("0.5")).toBe("0.|5");
    expect<string>(parts("10.0.0.12")).toBe("10.0.0.|12");
  });
  it("8: leaves what has none", () => {
    expect<string>(parts("")).toBe("");
    expect<string>(parts("eth")).toBe("eth");
    expect<string>(parts("1a")).toBe("1a");
    expect<string>(parts("+Inf")).toBe("+Inf");
  });
  it("8: leaves zeros in front to the stem, so that no two values are one", () => {
    expect<string>(parts("0.005")).toBe("0.00|5");
    expect<string>(parts("007")).toBe("00|7");
    expect<string>(parts("00")).toBe("0|0");
    expect<string>(parts("a000")).toBe("a00|0");
  });
  it("8: takes nine digits, and leaves ten to the stem", () => {
    expect<string>(parts("a999999999")).toBe("a|999999999");
    expect<string>(parts("a1000000000")).toBe("a1000000000");
    expect<string>(parts("4294967301")).toBe("4294967301");
    expect<string>(parts("a0999999999")).toBe("a0|999999999");
  });
});

describe("writeLabel", () => {
  it("writes what readLabel reads, in as few bytes as it needs", () => {
    const refs: u32[] = [0, 1, 63, 64, 95, 8191, 8192, 0x3ffffff];
    const numbers: u32[] = [NO_NUMBER, 0, 1, 127, 128, 16383, 16384, 999999999];
    for (let i = 0; i < refs.length; ++i) {
      for (let j = 0; j < numbers.length; ++j) {
        const end = writeLabel(OUT, refs[i], numbers[j]);
        expect<usize>(readLabel(OUT)).toBe(end);
        expect<u32>(labelRef).toBe(refs[i]);
        expect<u32>(labelNumber).toBe(numbers[j]);
      }
    }
    expect<usize>(writeLabel(OUT, 63, NO_NUMBER) - OUT).toBe(1);
    expect<usize>(writeLabel(OUT, 64, NO_NUMBER) - OUT).toBe(2);
    expect<usize>(writeLabel(OUT, 63, 127) - OUT).toBe(2);
    expect<usize>(writeLabel(OUT, 0, 999999999) - OUT).toBe(6);
  });
});

describe("useText", () => {
  it("keeps a text once, whatever its length", () => {
    begin();
    const lengths: i32[] = [1, 7, 8, 9, 126, 127, 128, 129, 255, 256, 1000, 4000];
    for (let i = 0; i < lengths.length; ++i) {
      const text = "t".repeat(lengths[i]);
      const ref = use(text);
      expect<bool>(ref != 0).toBe(true);
      const free = freeBytes();
      expect<u32>(use(text)).toBe(ref);
      expect<u32>(freeBytes()).toBe(free);
      expect<string>(kept(ref)).toBe(text);
      expect<bool>(isText(textAddress(ref), LINE, put(text))).toBe(true);
      expect<bool>(isText(textAddress(ref), LINE, put(text) - 1)).toBe(false);
    }
  });
  it("knows many from each other, in buckets that they share", () => {
    begin();
    const refs: u32[] = [];
    for (let i = 0; i < 300; ++i) refs.push(use(`text ${i}`));
    for (let i = 0; i < 300; ++i) {
      const bytes = put(`text ${i}`);
      expect<u32>(findText(LINE, bytes, textBucket(hash(LINE, bytes)))).toBe(refs[i]);
      expect<string>(kept(refs[i])).toBe(`text ${i}`);
    }
    const bytes = put("text 300");
    expect<u32>(findText(LINE, bytes, textBucket(hash(LINE, bytes)))).toBe(0);
  });
  it("answers 0 where there is no room, and leaves all as it was", () => {
    begin();
    let last: u32 = 0;
    let count = 0;
    for (; count < 100; ++count) {
      const ref = use(`${count}`.padStart(4000, "-"));
      if (ref == 0) break;
      last = ref;
    }
    // Two in each of four segments, and one in what is left; narrow, in the one there is.
    expect<i32>(count).toBe(WIDE ? 9 : 3);
    const free = freeBytes();
    expect<u32>(use("-".repeat(4000))).toBe(0);
    expect<u32>(freeBytes()).toBe(free);
    expect<string>(kept(last)).toBe(`${count - 1}`.padStart(4000, "-"));
  });
});

describe("dropText", () => {
  it("20: lets a text go with its last use, and its room", () => {
    begin();
    const fresh = freeBytes();
    const ref = use("text");
    const bytes = load<u32>(header, LABEL_TEXT_BYTES);
    expect<bool>(bytes != 0).toBe(true);
    use("text");
    useAgain(ref);
    dropText(ref);
    dropText(ref);
    expect<string>(kept(ref)).toBe("text");
    expect<u32>(load<u32>(header, LABEL_TEXT_BYTES)).toBe(bytes);
    dropText(ref);
    expect<u32>(load<u32>(header, LABEL_TEXT_BYTES)).toBe(0);
    expect<u32>(freeBytes()).toBe(fresh);
    expect<u32>(findText(LINE, put("text"), textBucket(hash(LINE, 4)))).toBe(0);
  });
  it("20: takes any of those that share a bucket, in any order", () => {
    begin();
    const fresh = freeBytes();
    const refs: u32[] = [];
    for (let i = 0; i < 200; ++i) refs.push(use(`text ${i}`));
    for (let i = 0; i < 200; ++i) dropText(refs[(i * 77) % 200]);
    expect<u32>(freeBytes()).toBe(fresh);
    expect<u32>(load<u32>(header, LABEL_TEXT_BYTES)).toBe(0);
  });
  it("does nothing with 0, which is no text", () => {
    begin();
    dropText(0);
    useAgain(0);
    expect<u32>(load<u32>(header, LABEL_TEXT_BYTES)).toBe(0);
  });
});

describe("fitsText", () => {
  it("6: is half the cache, or what an object holds, or narrow, the scratch", () => {
    begin();
    const most = WIDE ? OBJECT_BYTES_MAX - REF * 2 - 2 : TEXT_BYTES;
    expect<bool>(fitsText(most)).toBe(true);
    expect<bool>(fitsText(most + 1)).toBe(false);
    store<u32>(header, 1024, CACHE_SIZE);
    expect<bool>(fitsText(512)).toBe(true);
    expect<bool>(fitsText(513)).toBe(false);
  });
});
