import assert from "node:assert/strict";
import { test } from "node:test";
import { excerptOf, Log, WARNING_INTERVAL_MS } from "../../host/log.js";
import type { LogFormat, LogLevel } from "../../host/options.js";

function create(level: LogLevel, format: LogFormat): { log: Log; lines: string[] } {
  const lines: string[] = [];
  return { log: new Log(level, format, (line) => lines.push(line)), lines };
}

test("31: text lines are one line each, whatever they say", () => {
  const { log, lines } = create("info", "text");
  log.info("two words", { plain: "a/b:1", spaced: "a b", broken: 'a\nb"', list: ["x", "y"], none: undefined, n: 1 });
  assert.equal(lines.length, 1);
  assert.match(
    lines[0]!,
    /^time=\S+Z level=info msg="two words" plain=a\/b:1 spaced="a b" broken="a\\nb\\"" list=x,y n=1\n$/,
  );
});

test("31: JSON lines are JSON", () => {
  const { log, lines } = create("info", "json");
  log.error("it broke", { code: 1, list: ["x"] });
  const { time, ...rest } = JSON.parse(lines[0]!) as Record<string, unknown>;
  assert.match(String(time), /^\d{4}-\d\d-\d\dT/);
  assert.deepEqual(rest, { level: "error", msg: "it broke", code: 1, list: ["x"] });
  assert.ok(lines[0]!.endsWith("}\n"));
});

test("31: levels", () => {
  const { log, lines } = create("warn", "json");
  log.info("no");
  log.debug("no");
  log.warn("kind", 0, "yes");
  log.error("yes");
  assert.equal(lines.length, 2);
  const quiet = create("error", "json");
  quiet.log.warn("kind", 0, "no");
  assert.equal(quiet.log.wants("kind", 0), false);
  assert.equal(quiet.lines.length, 0);
});

test("31: warnings of a kind are limited, and the next tells how many were left out", () => {
  const { log, lines } = create("info", "json");
  let made = 0;
  const fields = (): { n: number } => {
    made++;
    return { n: made };
  };
  for (let i = 0; i < 10; i++) log.warn("a", 1000 + i, "a", fields);
  log.warn("b", 1000, "b");
  assert.equal(log.wants("a", 1000), false);
  log.warn("a", 1000 + WARNING_INTERVAL_MS, "a", fields);
  const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    parsed.map(({ msg, n, suppressed }) => ({ msg, n, suppressed })),
    [
      { msg: "a", n: 1, suppressed: undefined },
      { msg: "b", n: undefined, suppressed: undefined },
      { msg: "a", n: 2, suppressed: 9 },
    ],
  );
});

test("31: excerpts are short and printable", () => {
  assert.equal(excerptOf(Buffer.from("plain ü")), "plain ü");
  assert.equal(excerptOf(Buffer.from("a\r\n\u0000\u001b[31m\u2028b")), "a\ufffd\ufffd\ufffd\ufffd[31m\ufffdb");
  assert.equal(excerptOf(Buffer.from([0x61, 0xff])), "a\ufffd");
  assert.equal(excerptOf(Buffer.from("x".repeat(100)), 10), `${"x".repeat(10)}...`);
});
