import { hash } from "../../assembly/bytes";
import {
  BAD_ESCAPE,
  BAD_EXEMPLAR,
  BAD_LABEL,
  BAD_NAME,
  BAD_TIMESTAMP,
  BAD_VALUE,
  HAS_NUL,
  LABEL_TWICE,
  NOT_UTF8,
  SYNTAX,
  TOO_MANY_LABELS,
} from "../../assembly/header";
import {
  HASH,
  keyEnd,
  labelCount,
  lineTimestampMs,
  NAME_AT,
  NAME_BYTES,
  NO_TIMESTAMP,
  nameAt,
  nameBytes,
  putBackRow,
  readKey,
  readLine,
  reason,
  row,
  skipName,
  takeRow,
  VALUE_AT,
  VALUE_BYTES,
  valueBytes,
} from "../../assembly/line";
import { LINE, put } from "./scratch";

/** Writes a line; returns where it ends. */
function putLine(text: string): usize {
  return LINE + put(text);
}

function label(index: u32, at: usize, bytes: usize): string {
  return String.UTF8.decodeUnsafe(load<u32>(row(index) + at) as usize, load<u32>(row(index) + bytes) as usize);
}

/** What was read of a line: name, and labels in their order; "bad" and the reason if it is bad. */
function read(text: string): string {
  if (!readLine(LINE, putLine(text), 0)) return `bad ${reason}`;
  let all = String.UTF8.decodeUnsafe(nameAt, nameBytes);
  for (let i: u32 = 0; i < labelCount; ++i)
    all += ` ${label(i, NAME_AT, NAME_BYTES)}=${label(i, VALUE_AT, VALUE_BYTES)}`;
  return all;
}

function bad(why: i32): string {
  return `bad ${why}`;
}

describe("readLine", () => {
  it("2: reads name, labels and value, spaces between them or not", () => {
    expect<string>(read("m 1")).toBe("m");
    expect<u32>(valueBytes).toBe(1);
    expect<i64>(lineTimestampMs).toBe(NO_TIMESTAMP);
    expect<string>(read("m{} 1")).toBe("m");
    expect<string>(read('m{a="b",c="d"} 1')).toBe("m a=b c=d");
    expect<string>(read(' m\t{ a = "b" , c="d" , } 1 ')).toBe("m a=b c=d");
    expect<string>(read('m{a="b"}1')).toBe("m a=b");
    expect<string>(read('a:b_9{_x="{,}= #"} 1')).toBe("a:b_9 _x={,}= #");
  });
  it("2: reads names in quotes, wherever they stand in the braces", () => {
    expect<string>(read('{"my.name"} 1')).toBe("my.name");
    expect<string>(read('{"my.name",a="b"} 1')).toBe("my.name a=b");
    expect<string>(read('{a="b","my.name"} 1')).toBe("my.name a=b");
    expect<string>(read('m{"a.b"="c"} 1')).toBe("m a.b=c");
    expect<string>(read('m{"a"="c"} 1')).toBe("m a=c");
  });
  it("6: leaves escapes as they are", () => {
    expect<string>(read('m{a="\\\\\\"\\n"} 1')).toBe('m a=\\\\\\"\\n');
    expect<string>(read('{"a\\"b"} 1')).toBe('a\\"b');
  });
  it("6, 13: says why a line is bad", () => {
    expect<string>(read("")).toBe(bad(BAD_NAME));
    expect<string>(read("9m 1")).toBe(bad(BAD_NAME));
    expect<string>(read("m.n 1")).toBe(bad(BAD_NAME));
    expect<string>(read('{a="b"} 1')).toBe(bad(BAD_NAME));
    expect<string>(read('{""} 1')).toBe(bad(BAD_NAME));
    expect<string>(read('m{"n"} 1')).toBe(bad(SYNTAX));
    expect<string>(read('m{a="b"')).toBe(bad(SYNTAX));
    expect<string>(read('m{a="b" c="d"} 1')).toBe(bad(SYNTAX));
    expect<string>(read('m{a="b')).toBe(bad(SYNTAX));
    expect<string>(read("m{a=b} 1")).toBe(bad(SYNTAX));
    expect<string>(read('m{9="b"} 1')).toBe(bad(BAD_LABEL));
    expect<string>(read('m{a:b="c"} 1')).toBe(bad(BAD_LABEL));
    expect<string>(read('m{""="b"} 1')).toBe(bad(BAD_LABEL));
    expect<string>(read('m{__name__="b"} 1')).toBe(bad(BAD_LABEL));
    expect<string>(read('m{"__name__"="b"} 1')).toBe(bad(BAD_LABEL));
    expect<string>(read('m{"a.b"="1",U__a_2e_b="2"} 1')).toBe(bad(BAD_LABEL), "the two are written alike");
    expect<string>(read('m{a="b",c="d",a="b"} 1')).toBe(bad(LABEL_TWICE));
    expect<string>(read('m{a="b",a=""} 1')).toBe(bad(LABEL_TWICE));
    expect<string>(read('m{a="\\t"} 1')).toBe(bad(BAD_ESCAPE));
    expect<string>(read('m{a="\\')).toBe(bad(BAD_ESCAPE));
    expect<string>(read("m")).toBe(bad(BAD_VALUE));
    expect<string>(read("m x")).toBe(bad(BAD_VALUE));
    expect<string>(read('m{a="b"}')).toBe(bad(BAD_VALUE));
    expect<string>(read("m 1 x")).toBe(bad(BAD_TIMESTAMP));
    expect<string>(read("m 1 2 3")).toBe(bad(BAD_TIMESTAMP));
    expect<string>(read("m 1 # x")).toBe(bad(BAD_EXEMPLAR));
    expect<string>(read("m 1 # {}")).toBe(bad(BAD_EXEMPLAR));
  });
  it("6: refuses what is no text", () => {
    const end = putLine('m{a="xx"} 1');
    store<u8>(LINE + 5, 0xff);
    expect<bool>(readLine(LINE, end, 0)).toBe(false);
    expect<i32>(reason).toBe(NOT_UTF8);
    store<u8>(LINE + 5, 0);
    expect<bool>(readLine(LINE, end, 0)).toBe(false);
    expect<i32>(reason).toBe(HAS_NUL);
  });
  it("6: takes names of up to 255 bytes", () => {
    const name = "n".repeat(255);
    expect<string>(read(`${name}{${name}="x"} 1`)).toBe(`${name} ${name}=x`);
    expect<string>(read(`${name}n 1`)).toBe(bad(BAD_NAME));
    expect<string>(read(`m{${name}n="x"} 1`)).toBe(bad(BAD_LABEL));
    expect<string>(read(`{"${name}n"} 1`)).toBe(bad(BAD_NAME));
  });
  it("6: takes up to 128 labels", () => {
    let labels = 'l0="0"';
    for (let i = 1; i < 128; ++i) labels += `,l${i}="${i}"`;
    expect<bool>(read(`m{${labels}} 1`).endsWith("l127=127")).toBe(true);
    expect<string>(read(`m{${labels},m="x"} 1`)).toBe(bad(TOO_MANY_LABELS));
  });
  it("13: reads a time stamp", () => {
    expect<string>(read("m 1 1700000000123")).toBe("m");
    expect<i64>(lineTimestampMs).toBe(1700000000123);
  });
  it("9: checks an exemplar, whose labels are no labels of the sample", () => {
    expect<string>(read('m{a="b"} 1 # {a="x",trace="y"} 0.5 1.5')).toBe("m a=b");
    expect<i64>(lineTimestampMs).toBe(NO_TIMESTAMP);
    expect<string>(read('m{a="b"} 1 5 # {} 0.5')).toBe("m a=b");
    expect<i64>(lineTimestampMs).toBe(5000);
    expect<string>(read('m 1 # {a="x",a="y"} 1')).toBe(bad(BAD_EXEMPLAR));
    expect<string>(read('m 1 # {a="x"} 1 2 3')).toBe(bad(BAD_EXEMPLAR));
  });
  it("8: hashes a label as it is usually written, and an empty one as none", () => {
    read('m{a="eth12",b="",c="x"} 1');
    const first = load<u32>(row(0) + HASH);
    expect<u32>(first).toBe(hash(nameAt + 2, 8));
    expect<u32>(load<u32>(row(1) + HASH)).toBe(0);
    read('m { c = "x" , "a" = "eth12" } 1');
    expect<u32>(load<u32>(row(1) + HASH)).toBe(first);
  });
  it("takes names that are known as they are", () => {
    const end = putLine('m{a="b"} 1.5 7');
    readKey(LINE, end);
    expect<bool>(readLine(LINE, end, keyEnd + 1)).toBe(true);
    expect<i64>(lineTimestampMs).toBe(7000);
    expect<string>(label(0, VALUE_AT, VALUE_BYTES)).toBe("b");
    const bad = putLine('m{a="b"} x');
    readKey(LINE, bad);
    expect<bool>(readLine(LINE, bad, keyEnd + 1)).toBe(false);
    expect<i32>(reason).toBe(BAD_VALUE);
  });
});

describe("takeRow", () => {
  it("takes a label out of the others, until it is put back", () => {
    read('m{a="1",b="2",c="3"} 1');
    takeRow(1);
    expect<u32>(labelCount).toBe(2);
    expect<string>(label(0, NAME_AT, NAME_BYTES)).toBe("a");
    expect<string>(label(1, NAME_AT, NAME_BYTES)).toBe("c");
    putBackRow();
    putBackRow();
    expect<u32>(labelCount).toBe(3);
    expect<string>(label(1, NAME_AT, NAME_BYTES)).toBe("b");
  });
});

describe("skipName", () => {
  it("goes up to what no name has, or to the end", () => {
    const end = putLine("a_Z9:b-c");
    expect<usize>(skipName(LINE, end, true)).toBe(LINE + 6);
    expect<usize>(skipName(LINE, end, false)).toBe(LINE + 4);
    expect<usize>(skipName(LINE, LINE + 3, true)).toBe(LINE + 3);
    expect<usize>(skipName(LINE + 3, end, true)).toBe(LINE + 3, "a digit begins no name");
  });
});

/** What findMetric of metric.ts makes of the line that was read. */
function sum(): u32 {
  let h = hash(nameAt, nameBytes);
  for (let i: u32 = 0; i < labelCount; ++i) h += load<u32>(row(i) + HASH);
  return h;
}

describe("readKey", () => {
  it("8: has the hash of the line when it is read, in any order of labels", () => {
    const lines = ["m 1", 'm{a="b"} 1', 'm{a="eth0",b="007",c=""} 1', 'm{a="4294967301",bb="é"} 1 5', 'm{a="{,}"} 1'];
    for (let i = 0; i < lines.length; ++i) {
      read(lines[i]);
      const whole = sum();
      expect<u32>(readKey(LINE, putLine(lines[i]))).toBe(whole, lines[i]);
    }
    const one = readKey(LINE, putLine('m{a="1",b="2"} 1'));
    expect<u32>(readKey(LINE, putLine('m{b="2",a="1"} 7'))).toBe(one);
    expect<bool>(readKey(LINE, putLine('m{a="2",b="1"} 1')) != one).toBe(true);
  });
  it("is for lines that are written the usual way", () => {
    expect<u32>(readKey(LINE, putLine('m{a= "b"} 1'))).toBe(0);
    expect<u32>(readKey(LINE, putLine("m{a} 1"))).toBe(0);
    readKey(LINE, putLine('m{a="b"'));
    expect<u32>(load<u8>(keyEnd)).toBe(10, "the labels do not end");
    readKey(LINE, putLine('m{a="b" ,c="d"} 1'));
    expect<u32>(load<u8>(keyEnd)).toBe(32, "nor do they here");
    readKey(LINE, putLine('m{a="b",c="d"} 1'));
    expect<u32>(load<u8>(keyEnd)).toBe(125);
  });
  it("takes no name that is too long for one", () => {
    const name = "n".repeat(255);
    expect<bool>(readKey(LINE, putLine(`m{${name}="b"} 1`)) != 0).toBe(true);
    expect<u32>(readKey(LINE, putLine(`m{${name}n="b"} 1`))).toBe(0);
  });
  it("does not leave the line where that is broken", () => {
    const lines = ["", "m", "m{", "m{a", "m{a=", 'm{a="', 'm{a="b', 'm{a="b"', 'm{a="b",', "{", "="];
    for (let i = 0; i < lines.length; ++i) {
      const end = putLine(lines[i]);
      memory.fill(end + 1, 0x22, 64);
      const first = readKey(LINE, end);
      memory.fill(end + 1, 0x61, 64);
      expect<u32>(readKey(LINE, end)).toBe(first, lines[i]);
    }
  });
});
