import { isPlain, putEscaped, putName } from "../../assembly/escape";
import { OUTPUT } from "../../assembly/layout";
import { begin, to } from "../../assembly/output";
import { TOTAL_SUFFIX } from "../../assembly/word";
import { LINE, put } from "./scratch";

/** The page's flag: names may be written raw. */
const ALLOW_UTF8: u32 = 2;

function written(): string {
  return String.UTF8.decodeUnsafe(OUTPUT, to - OUTPUT);
}

function escaped(name: string, colons: bool): string {
  begin(0);
  putEscaped(LINE, put(name), colons);
  return written();
}

/** A name as it is written with the suffix `_total`. */
function total(name: string, flags: u32): string {
  begin(flags);
  const bytes = put(name);
  putName(LINE, bytes, TOTAL_SUFFIX, isPlain(LINE, bytes, true), true);
  return written();
}

/** What is in the escaping: `__` is `_`, and between two of these is a character's number. */
function unescaped(text: string): string {
  if (!text.startsWith("U__")) return "no escaping";
  let name = "";
  for (let i = 3; i < text.length; ++i) {
    if (text.charAt(i) != "_") name += text.charAt(i);
    else {
      const end = text.indexOf("_", i + 1);
      if (end < 0) return "cut short";
      name += end == i + 1 ? "_" : String.fromCodePoint(I32.parseInt(text.substring(i + 1, end), 16));
      i = end;
    }
  }
  return name;
}

describe("isPlain", () => {
  it("21: is what needs no quotes; colons are metrics' names' own", () => {
    const names = ["a", "Z", "_", "a0", "http_requests_total", "_9"];
    for (let i = 0; i < names.length; ++i) {
      expect<bool>(isPlain(LINE, put(names[i]), true)).toBe(true, names[i]);
      expect<bool>(isPlain(LINE, put(names[i]), false)).toBe(true, names[i]);
    }
    const others = ["0a", "a.b", "a b", "é", "a-", "a\\n", 'a"'];
    for (let i = 0; i < others.length; ++i) expect<bool>(isPlain(LINE, put(others[i]), true)).toBe(false, others[i]);
    expect<bool>(isPlain(LINE, put("a:b"), true)).toBe(true);
    expect<bool>(isPlain(LINE, put("a:b"), false)).toBe(false);
  });
});

describe("putEscaped", () => {
  it("21: writes what is not plain as its number in hexadecimal, and underscores twice", () => {
    expect<string>(escaped("mysystem.prod.west.cpu.load_total", true)).toBe(
      "U__mysystem_2e_prod_2e_west_2e_cpu_2e_load__total",
    );
    expect<string>(escaped("http.status:sum", true)).toBe("U__http_2e_status:sum");
    expect<string>(escaped("http.status:sum", false)).toBe("U__http_2e_status_3a_sum");
    expect<string>(escaped("花火 😱", true)).toBe("U___82b1__706b__20__1f631_");
    expect<string>(escaped("0.0", true)).toBe("U___30__2e_0", "a digit is plain, but not in front");
  });
  it("21: takes the escapes of text 0.0.4 for the characters that they are", () => {
    expect<string>(escaped("a\\\\b", true)).toBe("U__a_5c_b");
    expect<string>(escaped('a\\"b', true)).toBe("U__a_22_b");
    expect<string>(escaped("a\\nb\\n", true)).toBe("U__a_a_b_a_");
    expect<string>(escaped("a\\\\n", true)).toBe("U__a_5c_n");
  });
  it("21: loses nothing: what is read back is the name", () => {
    const codes: i32[] = [1, 32, 46, 47, 48, 57, 58, 64, 65, 90, 91, 95, 96, 97, 110, 122, 123, 127, 128, 2047, 2048];
    codes.push(0xd7ff);
    codes.push(0xffff);
    codes.push(0x10000);
    codes.push(0x10ffff);
    for (let i = 0; i < codes.length; ++i) {
      const character = String.fromCodePoint(codes[i]);
      for (let j = 0; j < codes.length; ++j) {
        const name = character + String.fromCodePoint(codes[j]) + character + ".";
        const text = escaped(name, true);
        expect<string>(unescaped(text)).toBe(name);
        expect<bool>(isPlain(LINE, put(text), true)).toBe(true, text);
      }
    }
  });
});

describe("putName", () => {
  it("21: has the suffix inside of the quotes, or behind the escaping", () => {
    expect<string>(total("a:b", 0)).toBe("a:b_total");
    expect<string>(total("a:b", ALLOW_UTF8)).toBe("a:b_total");
    expect<string>(total("a.b", 0)).toBe("U__a_2e_b_total");
    expect<string>(total("a.b", ALLOW_UTF8)).toBe('"a.b_total"');
    expect<string>(total('a\\"b', ALLOW_UTF8)).toBe('"a\\"b_total"');
  });
});
