import {
  high,
  low,
  packedBytes,
  readShort,
  readTimestamp,
  readValue,
  setPacked,
  storePacked,
  timestampMs,
  writeInteger,
  writeValue,
} from "../../assembly/number";
import { LINE, put } from "./scratch";

const KEPT: usize = 526336;
const OUT: usize = 528384;

/** Writes a text; returns where it ends. */
function putLine(text: string): usize {
  return LINE + put(text);
}

/** The text that the packed value is rendered as. */
function packed(): string {
  const bytes = packedBytes;
  storePacked(KEPT, bytes);
  return String.UTF8.decodeUnsafe(OUT, writeValue(OUT, KEPT, bytes) - OUT);
}

/** The text that a pushed value is rendered as, "refused" if it is not a number. */
function kept(text: string): string {
  return readValue(LINE, putLine(text + "\n") - 1) ? packed() : "refused";
}

describe("readValue", () => {
  it("7: keeps a text of up to 24 characters as it is", () => {
    const texts = [
      "0",
      "-0",
      "5",
      "17",
      "1.5",
      ".5",
      "5.",
      "1e5",
      "1e-5",
      "1e+5",
      "123456789012345",
      "1234567890123456",
    ];
    for (let i = 0; i < texts.length; ++i) expect<string>(kept(texts[i])).toBe(texts[i]);
    expect<string>(kept("-1.7976931348623157e+308")).toBe("-1.7976931348623157e+308");
    expect<string>(kept("4.9406564584124654e-324")).toBe("4.9406564584124654e-324");
    expect<string>(kept("0.30000000000000004")).toBe("0.30000000000000004");
    expect<string>(kept("1E5")).toBe("1e5");
  });
  it("7: knows the words of strconv.ParseFloat", () => {
    const words = ["NaN", "nan", "NAN", "Inf", "inf", "+Inf", "+inf", "Infinity", "+INFINITY", "-Inf", "-infinity"];
    const texts = ["NaN", "NaN", "NaN", "+Inf", "+Inf", "+Inf", "+Inf", "+Inf", "+Inf", "-Inf", "-Inf"];
    for (let i = 0; i < words.length; ++i) expect<string>(kept(words[i])).toBe(texts[i]);
  });
  it("6: refuses what Prometheus refuses", () => {
    const texts = [
      "",
      "-",
      "+",
      ".",
      "e5",
      "1e",
      "1e+",
      "1.2.3",
      "0x10",
      "1_000",
      "5x",
      "--5",
      "+NaN",
      "-nan",
      "infi",
      "1e5.0",
    ];
    for (let i = 0; i < texts.length; ++i) expect<string>(kept(texts[i])).toBe("refused");
  });
  it("6: refuses overflow exactly where a double ends", () => {
    expect<string>(kept("1.7976931348623157e308")).toBe("1.7976931348623157e308");
    expect<string>(kept("1.7976931348623158e308")).toBe("1.7976931348623158e308");
    expect<string>(kept("1.7976931348623159e308")).toBe("refused");
    expect<string>(kept("1e309")).toBe("refused");
    expect<string>(kept("0.00001e314")).toBe("refused");
    expect<string>(kept("0.00001e313")).toBe("0.00001e313");
    expect<string>(kept("100000e303")).toBe("100000e303");
    expect<string>(kept("100000e304")).toBe("refused");
    expect<string>(kept("1e-400")).toBe("1e-400");
    expect<string>(kept("0e999999999999")).toBe("0e999999999999");
  });
  it("7: makes longer texts short without changing their double", () => {
    expect<string>(kept("1.00000000000000000000000000000000")).toBe("1");
    expect<string>(kept("0.1000000000000000055511151231257827021181583404541015625")).toBe("1e-1");
    expect<string>(kept("1.00000000000000011102230246251565404236316680908203125")).toBe(
      "10000000000000001e-16",
      "a tie goes to even: this is 1",
    );
    expect<string>(kept("1.00000000000000011102230246251565404236316680908203126")).toBe("10000000000000002e-16");
    expect<string>(kept("9007199254740993.000000000000000000000000001")).toBe("90071992547409931e-1");
    expect<string>(kept("-000000000000000000000000000000000012.5")).toBe("-125e-1");
    expect<string>(kept("0.00000000000000000000000000000000000000000000")).toBe("0");
  });
  it("7: knows the ends of the doubles by their long texts, too", () => {
    let digits =
      "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880177904174497791";
    expect<string>(kept(digits)).toBe("17976931348623158e292", "one below half an ulp above the largest");
    digits = digits.substring(0, digits.length - 1) + "2";
    expect<string>(kept(digits)).toBe("refused");
    expect<string>(kept("0." + "0".repeat(323) + "49406564584124654417656879286822137236505980")).toBe(
      "49406564584124654e-340",
    );
    expect<string>(kept("0." + "0".repeat(323) + "2470328229206232720882843964341")).toBe(
      "24703282292062327e-340",
      "below half the smallest: this is 0",
    );
    expect<string>(kept("0." + "0".repeat(323) + "2470328229206232720882843964342")).toBe("24703282292062328e-340");
  });
});

describe("readShort", () => {
  it("reads what is usual, up to what ends it", () => {
    const texts = ["0", "-4", "12.5", "1.234567e+09", "1e-05", "123456789", "12345678.12345678", "-.5", "5.", "+1.e2"];
    const ends = ["\n", " ", "\r\n", " 1763820000\n"];
    for (let i = 0; i < texts.length; ++i) {
      for (let j = 0; j < ends.length; ++j) {
        putLine(texts[i] + ends[j]);
        expect<usize>(readShort(LINE)).toBe(LINE + texts[i].length);
        expect<string>(packed()).toBe(texts[i]);
      }
    }
  });
  it("reads digits in any number up to 24, a point anywhere among them", () => {
    const digits = "123456789012345678901234";
    for (let count = 1; count <= 24; ++count) {
      const text = digits.substring(0, count);
      putLine(text + "\n");
      expect<usize>(readShort(LINE)).toBe(LINE + count);
      expect<string>(packed()).toBe(text);
      for (let point = 0; point < count && count < 24; ++point) {
        putLine(text.substring(0, point) + "." + text.substring(point) + "\n");
        expect<usize>(readShort(LINE)).toBe(LINE + count + 1);
        expect<string>(packed()).toBe(text.substring(0, point) + "." + text.substring(point));
      }
    }
  });
  it("leaves all else to readValue", () => {
    const texts = [
      "",
      "-",
      ".",
      "1e",
      "1e+",
      "1e5.0",
      "1-1",
      "1.5.2",
      "1e5e5",
      "e5",
      "-+1",
      "NaN",
      "1e-320",
      "1x",
      "1:",
    ];
    for (let i = 0; i < texts.length; ++i) {
      putLine(texts[i] + "\n");
      expect<usize>(readShort(LINE)).toBe(0, texts[i]);
    }
    putLine("1234567890123456789012345\n");
    expect<usize>(readShort(LINE)).toBe(0);
    putLine("1e12345678901\n");
    expect<usize>(readShort(LINE)).toBe(0);
  });
});

describe("storePacked", () => {
  it("fills the room that a shorter value leaves, and touches nothing behind it", () => {
    for (let room: u32 = 1; room <= 12; ++room) {
      readValue(LINE, putLine("7\n") - 1);
      const first = low;
      const second = high;
      memory.fill(KEPT, 0x55, 32);
      setPacked(first, second, 1);
      storePacked(KEPT, room);
      expect<string>(String.UTF8.decodeUnsafe(OUT, writeValue(OUT, KEPT, room) - OUT)).toBe("7");
      expect<u8>(load<u8>(KEPT + (room as usize))).toBe(0x55);
    }
  });
});

describe("writeInteger", () => {
  it("writes what it is given", () => {
    const values: u64[] = [0, 9, 10, 99, 100, 4294967295, 18446744073709551615];
    for (let i = 0; i < values.length; ++i) {
      expect<string>(String.UTF8.decodeUnsafe(OUT, writeInteger(OUT, values[i]) - OUT)).toBe(values[i].toString());
    }
  });
});

function stamp(text: string): i64 {
  return readTimestamp(LINE, putLine(text + "\n") - 1) ? timestampMs : i64.MIN_VALUE;
}

describe("readTimestamp", () => {
  it("13: takes an integer from 1e11 up as milliseconds, everything else as seconds", () => {
    expect<i64>(stamp("100000000000")).toBe(100000000000);
    expect<i64>(stamp("1763820000123")).toBe(1763820000123);
    expect<i64>(stamp("99999999999")).toBe(99999999999000);
    expect<i64>(stamp("1763820000")).toBe(1763820000000);
    expect<i64>(stamp("1763820000.123")).toBe(1763820000123);
    expect<i64>(stamp("1.5e3")).toBe(1500000);
    expect<i64>(stamp("-5")).toBe(-5000);
    expect<i64>(stamp("0")).toBe(0);
  });
  it("13: refuses what is none", () => {
    const texts = ["", "x", "1x", "-", ".", "1e", "NaN"];
    for (let i = 0; i < texts.length; ++i) expect<i64>(stamp(texts[i])).toBe(i64.MIN_VALUE);
  });
});
