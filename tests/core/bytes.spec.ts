import { checkText, clear, copy, equal, find, hash } from "../../assembly/bytes";

/** Scratch that the core does not use here: the tests' build puts its own data above 1 MiB. */
const A: usize = 524288;
const B: usize = 528384;

function put(at: usize, text: string): usize {
  return String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, at);
}

describe("equal", () => {
  it("compares every length from 0 to 40, and sees each single difference", () => {
    for (let i: usize = 0; i < 64; ++i) {
      store<u8>(A + i, i as u8);
      store<u8>(B + i, i as u8);
    }
    for (let count: usize = 0; count <= 40; ++count) {
      expect<bool>(equal(A, B, count)).toBe(true);
      for (let i: usize = 0; i < count; ++i) {
        store<u8>(B + i, 255);
        expect<bool>(equal(A, B, count)).toBe(false);
        store<u8>(B + i, i as u8);
      }
      store<u8>(B + count, 255);
      expect<bool>(equal(A, B, count)).toBe(true, "what is behind does not matter");
      store<u8>(B + count, count as u8);
    }
  });
});

describe("copy", () => {
  it("moves overlapping ranges both ways by any distance", () => {
    for (let count: usize = 0; count <= 70; count += 7) {
      for (let by: isize = -9; by <= 9; ++by) {
        for (let i: usize = 0; i < 128; ++i) store<u8>(A + i, (i * 7) as u8);
        copy(A + 16 + (by as usize), A + 16, count);
        for (let i: usize = 0; i < count; ++i) {
          expect<u8>(load<u8>(A + 16 + (by as usize) + i)).toBe(((i + 16) * 7) as u8);
        }
      }
    }
  });
});

describe("clear", () => {
  it("clears the range and nothing behind it", () => {
    for (let i: usize = 0; i < 40; ++i) store<u8>(A + i, 255);
    clear(A + 1, 21);
    expect<u8>(load<u8>(A)).toBe(255);
    for (let i: usize = 1; i < 22; ++i) expect<u8>(load<u8>(A + i)).toBe(0);
    expect<u8>(load<u8>(A + 22)).toBe(255);
  });
});

describe("find", () => {
  it("finds the first of a byte at every place, and not behind the end", () => {
    for (let place: usize = 0; place < 30; ++place) {
      for (let i: usize = 0; i < 40; ++i) store<u8>(A + i, 11);
      store<u8>(A + place, 10);
      expect<usize>(find(A, A + 30, 10)).toBe(A + place);
      expect<usize>(find(A, A + place, 10)).toBe(A + place, "the end, where there is none before it");
    }
  });
  it("is not deceived by bytes above 127", () => {
    for (let i: usize = 0; i < 16; ++i) store<u8>(A + i, 138);
    expect<usize>(find(A, A + 16, 10)).toBe(A + 16);
  });
});

describe("hash", () => {
  it("depends on every byte and on the length", () => {
    for (let i: usize = 0; i < 32; ++i) store<u8>(A + i, 97);
    const whole = hash(A, 20);
    expect<bool>(whole != hash(A, 19)).toBe(true);
    for (let i: usize = 0; i < 20; ++i) {
      store<u8>(A + i, 98);
      expect<bool>(hash(A, 20) != whole).toBe(true);
      store<u8>(A + i, 97);
    }
    store<u8>(A + 20, 98);
    expect<u32>(hash(A, 20)).toBe(whole);
  });
});

describe("checkText", () => {
  it("6: takes UTF-8, and tells what is not from what has a NUL", () => {
    expect<i32>(checkText(A, put(A, "plain ASCII text, longer than a word"))).toBe(0);
    expect<i32>(checkText(A, put(A, "Größe, 長さ, 📏 and so on"))).toBe(0);
    const bytes = put(A, "abcdefghij");
    for (let i: usize = 0; i < bytes; ++i) {
      const byte = load<u8>(A + i);
      store<u8>(A + i, 0);
      expect<i32>(checkText(A, bytes)).toBe(2);
      store<u8>(A + i, 0x80);
      expect<i32>(checkText(A, bytes)).toBe(1);
      store<u8>(A + i, byte);
    }
  });
  it("6: refuses surrogates, overlong forms, and what is cut short", () => {
    store<u32>(A, 0x80a0ed);
    expect<i32>(checkText(A, 3)).toBe(1, "U+D800");
    store<u32>(A, 0xafc0);
    expect<i32>(checkText(A, 2)).toBe(1, "overlong slash");
    store<u32>(A, 0x8080f090);
    expect<i32>(checkText(A, 4)).toBe(1);
    expect<i32>(checkText(A, put(A, "é") - 1)).toBe(1, "half a character");
    store<u32>(A, 0x808090f4);
    expect<i32>(checkText(A, 4)).toBe(1, "above U+10FFFF");
  });
});
