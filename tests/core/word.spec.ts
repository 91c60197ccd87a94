import {
  ANY_CASE,
  bytesBefore,
  EOF,
  EQUALS,
  ESCAPED,
  EXACT,
  HELP,
  INF,
  INFINITY,
  INFO_SUFFIX,
  isWord,
  LE,
  NEVER,
  nth,
  QUANTILE_WORD,
  SUFFIXES,
  suffixBytes,
  suffixOf,
  TOTAL_SUFFIX,
  TYPE,
  TYPES,
  UNIT,
  VALUES,
  wordBytes,
} from "../../assembly/word";
import { LINE, put } from "./scratch";

function text(word: usize): string {
  return String.UTF8.decodeUnsafe(word + 1, wordBytes(word));
}

/** The texts of `count` words from one on. */
function texts(word: usize, count: u32): string {
  let all = text(word);
  for (let i: u32 = 1; i < count; ++i) all += ` ${text(nth(word, i))}`;
  return all;
}

/** The suffix that a name ends in. */
function suffix(name: string): string {
  return text(nth(SUFFIXES, suffixOf(LINE, put(name))));
}

function is(name: string, word: usize, mask: u32): bool {
  return isWord(LINE, LINE + put(name), word, mask);
}

describe("nth", () => {
  it("walks from each word to those behind it", () => {
    expect<string>(texts(SUFFIXES, 8)).toBe(" _sum _count _bucket  _created _gsum _gcount");
    expect<string>(texts(TYPES, 9)).toBe(
      "untyped counter gauge histogram summary gaugehistogram info stateset unknown",
    );
    expect<string>(texts(VALUES, 5)).toBe("NaN +Inf -Inf inf infinity");
    expect<string>(texts(EOF, 5)).toBe("EOF TTL TYPE HELP UNIT");
    expect<string>(texts(NEVER, 2)).toBe("never 0");
  });
  it("is the word that is named by its own address", () => {
    const words = [TOTAL_SUFFIX, INFO_SUFFIX, INF, INFINITY, TYPE, HELP, UNIT, LE, QUANTILE_WORD, EQUALS, ESCAPED];
    const named = ["_total", "_info", "inf", "infinity", "TYPE", "HELP", "UNIT", "le", "quantile", '="', "U__"];
    for (let i = 0; i < words.length; ++i) expect<string>(text(words[i])).toBe(named[i]);
  });
});

describe("suffixOf", () => {
  it("11: knows the suffix of each sample's name", () => {
    const suffixes = ["_sum", "_count", "_bucket", "_created", "_gsum", "_gcount"];
    for (let i = 0; i < suffixes.length; ++i) {
      expect<string>(suffix(`x${suffixes[i]}`)).toBe(suffixes[i]);
      expect<string>(suffix(`x_sum_total${suffixes[i]}`)).toBe(suffixes[i]);
      expect<usize>(suffixBytes(suffixOf(LINE, put(`x${suffixes[i]}`)))).toBe(suffixes[i].length as usize);
      // With no name before it; cut short; with other ends.
      expect<string>(suffix(suffixes[i])).toBe("");
      expect<string>(suffix(suffixes[i].substring(1))).toBe("");
      expect<string>(suffix(`x${suffixes[i].substring(1)}`)).toBe("");
      expect<string>(suffix(`x${suffixes[i]}s`)).toBe("");
      expect<string>(suffix(`x${suffixes[i].toUpperCase()}`)).toBe("");
    }
    const names = [
      "x",
      "x_total",
      "x_info",
      "x_seconds",
      "x_read",
      "x_limit",
      "x_maximum",
      "m",
      "x_sum:",
      "x_su\u{6d0}",
    ];
    for (let i = 0; i < names.length; ++i) expect<string>(suffix(names[i])).toBe("", names[i]);
  });
});

describe("isWord", () => {
  it("compares every character, and the length", () => {
    for (let i: u32 = 0; i < 9; ++i) {
      const word = nth(TYPES, i);
      const own = text(word);
      expect<bool>(is(own, word, EXACT)).toBe(true);
      expect<bool>(is(own.toUpperCase(), word, EXACT)).toBe(false);
      expect<bool>(is(own.toUpperCase(), word, ANY_CASE)).toBe(true);
      expect<bool>(is(`${own}s`, word, EXACT)).toBe(false);
      for (let j = 0; j < own.length; ++j) {
        expect<bool>(is(own.substring(0, j), word, EXACT)).toBe(false);
        expect<bool>(is(`${own.substring(0, j)}z${own.substring(j + 1)}`, word, ANY_CASE)).toBe(false);
      }
    }
  });
});

describe("bytesBefore", () => {
  it("21: is what a name is without a suffix, 0 where there is nothing else or no suffix", () => {
    expect<usize>(bytesBefore(LINE, put("x_total"), TOTAL_SUFFIX)).toBe(1);
    expect<usize>(bytesBefore(LINE, put("x_total_total"), TOTAL_SUFFIX)).toBe(7);
    expect<usize>(bytesBefore(LINE, put("_total"), TOTAL_SUFFIX)).toBe(0);
    store<u8>(LINE - 1, 95);
    expect<usize>(bytesBefore(LINE, put("total"), TOTAL_SUFFIX)).toBe(0, "whatever is before it");
    expect<usize>(bytesBefore(LINE, put("x_totals"), TOTAL_SUFFIX)).toBe(0);
    expect<usize>(bytesBefore(LINE, put("x_info"), TOTAL_SUFFIX)).toBe(0);
  });
});
