import { SHORTENED, shorten } from "../../assembly/decimal";
import { readNumeral } from "../../assembly/numeral";
import { LINE, put, random } from "./scratch";

/**
 * Texts are made around half-way points between doubles, whose digits are computed exactly here. So which of the two
 * doubles beside it a text is, is told by comparing digits: no number is parsed.
 */

const BILLION: u64 = 1000000000;
/** Doubles are whole numbers below HIDDEN * 2, times two to the power of LEAST to MOST. */
const HIDDEN: u64 = 1 << 52;
const LEAST: i32 = -1074;
const MOST: i32 = 971;

function randomDigits(count: i32): string {
  let digits = "";
  while (digits.length < count) digits += random(10).toString();
  return digits;
}

/** What a numeral is shortened to. */
function short(text: string): string {
  readNumeral(LINE, LINE + put(text));
  if (!shorten()) return "infinite";
  let end = SHORTENED;
  while (load<u8>(end) != 10) ++end;
  return String.UTF8.decodeUnsafe(SHORTENED, end - SHORTENED);
}

/** A half-way point: the digits of the whole number that it is, times ten to the power of `exponent`; the double below. */
let digits: string = "";
let exponent: i32 = 0;
let isOdd: bool = false;
let isLargest: bool = false;

/** Makes the half-way point above mantissa * 2^power: (2 * mantissa + 1) * 2^(power - 1), where 1 / 2 is 5 / 10. */
function halfWay(mantissa: u64, power: i32): void {
  const whole = mantissa * 2 + 1;
  const limbs: u64[] = [whole % BILLION, whole / BILLION];
  const factor: u64 = power > 0 ? 2 : 5;
  for (let i = abs(power - 1); i > 0; --i) {
    let carry: u64 = 0;
    for (let j = 0; j < limbs.length; ++j) {
      carry += limbs[j] * factor;
      limbs[j] = carry % BILLION;
      carry /= BILLION;
    }
    if (carry != 0) limbs.push(carry);
  }
  digits = "";
  for (let j = 0; j < limbs.length; ++j) digits = limbs[j].toString().padStart(9, "0") + digits;
  while (digits.startsWith("0")) digits = digits.substring(1);
  exponent = min(power - 1, 0);
  isOdd = (mantissa & 1) != 0;
  isLargest = power == MOST && mantissa == HIDDEN * 2 - 1;
}

/** Whether a number that begins where the half-way point does is the double above it: a tie is the even one. */
function isAbove(other: string): bool {
  const own = digits.padEnd(1200, "0");
  const all = other.padEnd(1200, "0");
  return all == own ? isOdd : all > own;
}

/** What a number that begins where the half-way point does is to be: its first 17 digits, or the next such decimal. */
function expected(other: string): string {
  if (isLargest && isAbove(other)) return "infinite";
  const first = other.padEnd(17, "0").substring(0, 17);
  let value = U64.parseInt(first) + (isAbove(other) != isAbove(first) ? 1 : 0);
  let power = exponent + digits.length - 17;
  for (; value % 10 == 0; ++power) value /= 10;
  return power == 0 ? value.toString() : `${value}e${power}`;
}

/** Shortens a number that begins where the half-way point does, its point and sign anywhere. */
function check(other: string): void {
  const power = exponent + digits.length - other.length;
  const place = random(other.length + 1);
  const text = `${other.substring(0, place)}.${other.substring(place)}e${power + other.length - place}`;
  const result = expected(other);
  expect<string>(short(text)).toBe(result, text);
  expect<string>(short(`-${other}e${power}`)).toBe(result == "infinite" ? result : `-${result}`);
}

/** Shortens numbers at the half-way point and beside it, of 17 to 40 digits and of all that it has. */
function checkAround(): void {
  for (let i = 0; i < 3; ++i) {
    check(digits.padEnd(17, "0").substring(0, 17) + randomDigits(random(24)));
    check(digits.padEnd(40, "0").substring(0, 17 + random(21)) + randomDigits(random(3) + 1));
  }
  check(digits);
  check(`${digits}${"0".repeat(random(200))}1`);
  check(digits.substring(0, digits.length - 1));
}

describe("shorten", () => {
  it("7: finds the same double around half-way points of all sizes", () => {
    for (let i = 0; i < 40; ++i) {
      const mantissa = HIDDEN | ((random(1 << 20) as u64) << 32) | ((random(1 << 16) as u64) << 16) | random(1 << 16);
      halfWay(mantissa, LEAST + (random(MOST - LEAST + 1) as i32));
      checkAround();
    }
  });
  it("7: around those of a few digits, which 17 name exactly", () => {
    for (let power = -8; power <= 8; ++power) {
      halfWay(HIDDEN + random(1000), power);
      checkAround();
    }
  });
  it("7: where the size of doubles changes", () => {
    for (let power = LEAST; power < MOST; power += 60) {
      halfWay(HIDDEN * 2 - 1, power);
      checkAround();
      halfWay(HIDDEN, power);
      checkAround();
    }
  });
  it("7: just below powers of ten, which are the next decimals of 17 digits then", () => {
    // Of 1e-292, 1e-5, 1e54 and 1e301.
    const mantissas: u64[] = [8988465674311579, 5902958103587056, 5877471754111437, 8406091369059074];
    const powers = [-1023, -69, 127, 947];
    for (let i = 0; i < mantissas.length; ++i) {
      halfWay(mantissas[i], powers[i]);
      expect<bool>(digits.startsWith("9".repeat(17))).toBe(true);
      checkAround();
    }
  });
  it("7: between subnormals, and below the least of them", () => {
    for (let bits: u64 = 0; bits < 52; bits += 3) {
      halfWay((((1 as u64) << bits) - 1) ^ (random(2) as u64), LEAST);
      checkAround();
    }
    expect<string>(short("1e-324")).toBe("1e-324");
    expect<string>(short(`0.${"0".repeat(400)}1`)).toBe("0");
    expect<string>(short("-1e-99999")).toBe("-0");
  });
  it("6: up to where a double would be infinite", () => {
    halfWay(HIDDEN * 2 - 1, MOST);
    checkAround();
    expect<string>(expected(digits)).toBe("infinite");
    expect<string>(short("1.7976931348623158e308")).toBe("17976931348623158e292");
    expect<string>(short("1.7976931348623159e308")).toBe("infinite");
    expect<string>(short("1e309")).toBe("infinite");
    expect<string>(short(`1${"0".repeat(308)}`)).toBe("1e308");
    expect<string>(short(`1${"0".repeat(309)}`)).toBe("infinite");
  });
  it("7: leaves few digits as they are, and no zeros behind them", () => {
    expect<string>(short("0.1000000000000000000000000000")).toBe("1e-1");
    expect<string>(short("-12500000000000000000000000000")).toBe("-125e26");
    expect<string>(short("0000000000000000000000000017.0")).toBe("17");
    expect<string>(short("99999999999999999999999999999")).toBe(
      "99999999999999999e12",
      "as far from 1e29 as doubles see",
    );
  });
});
