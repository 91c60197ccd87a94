import { digitsEnd, firstDigits, isNegative, isWhole, point, readNumeral, restAt } from "../../assembly/numeral";
import { LINE, put } from "./scratch";

function read(text: string): void {
  const bytes = put(text);
  readNumeral(LINE, LINE + bytes);
}

/** Where the point of a numeral is. */
function pointOf(text: string): i32 {
  read(text);
  return point;
}

describe("readNumeral", () => {
  it("counts the place of the point from the first digit that is not zero", () => {
    const digits = "12345";
    for (let zeros = 0; zeros < 4; ++zeros) {
      for (let place = 0; place <= zeros + digits.length; ++place) {
        for (let exponent = -30; exponent <= 30; exponent += 15) {
          const all = "0".repeat(zeros) + digits;
          const text = `${all.substring(0, place)}.${all.substring(place)}`;
          expect<i32>(pointOf(`${text}e${exponent}`)).toBe(place - zeros + exponent, text);
          expect<u64>(firstDigits(5)).toBe(12345);
        }
      }
    }
    expect<i32>(pointOf("0.05")).toBe(-1);
    expect<i32>(pointOf("5")).toBe(1);
    expect<i32>(pointOf("5.")).toBe(1);
    expect<i32>(pointOf("5e3")).toBe(4);
    expect<i32>(pointOf("-5E+3")).toBe(4);
    expect<i32>(pointOf("+.5E-3")).toBe(-3);
  });
  it("has zero below all others, and exponents of any length beyond all that count", () => {
    const zeros = ["0", "-0", "0.000", ".0", "0e5", "00000e99999999999999999999"];
    for (let i = 0; i < zeros.length; ++i) expect<bool>(pointOf(zeros[i]) < -10000).toBe(true, zeros[i]);
    expect<bool>(pointOf("1e99999999999999999999") > 10000).toBe(true);
    expect<bool>(pointOf("1e-99999999999999999999") < -10000).toBe(true);
    expect<bool>(pointOf("1e4294967301") > 10000).toBe(true, "5 in 32 bits");
    expect<i32>(pointOf("1e00000000000000000000001")).toBe(2);
  });
  it("knows what is negative, and what is whole: 1e5 and 1. are not", () => {
    const texts = ["5", "-5", "+5", "5.", "5.0", "-5e0", "5E1", "-0"];
    const negative = [false, true, false, false, false, true, false, true];
    const whole = [true, true, true, false, false, false, false, true];
    for (let i = 0; i < texts.length; ++i) {
      read(texts[i]);
      expect<bool>(isNegative).toBe(negative[i], texts[i]);
      expect<bool>(isWhole).toBe(whole[i], texts[i]);
    }
  });
});

describe("firstDigits", () => {
  it("leaves the point out, and has zeros behind the last digit", () => {
    const texts = ["123.456", "0.00123456", "123456", ".123456e7"];
    for (let i = 0; i < texts.length; ++i) {
      read(texts[i]);
      let expected: u64 = 0;
      for (let count = 1; count <= 19; ++count) {
        expected = expected * 10 + (count <= 6 ? count : 0);
        expect<u64>(firstDigits(count)).toBe(expected, texts[i]);
      }
    }
  });
  it("ends behind what it has read, at the digits' end at the latest", () => {
    read("12.34e5");
    firstDigits(3);
    expect<usize>(restAt).toBe(LINE + 4);
    firstDigits(4);
    expect<usize>(restAt).toBe(digitsEnd);
    expect<usize>(digitsEnd).toBe(LINE + 5);
  });
});
