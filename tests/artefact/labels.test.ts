// Label names that are as long as what stands for their lengths would have them, but are other names.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seriesOf } from "./compare.js";
import { ARTEFACTS, Module } from "./module.js";

const TTL_MS = 1000;
const NAME_BYTES = 112;
/** A length that does not fit a byte, as a byte has it: that of the first name. */
const FIRST_BYTES = 257;

/** Names of valid labels, whose text with a length before each is that of `forged`, where lengths wrap at 256. */
function pair(): { valid: string[]; forged: string[] } {
  const names = [..."bcde"].map((letter) => letter.repeat(NAME_BYTES).split(""));
  const lengths = [48, 48, 48, 48];
  // Each forged name but the first has 48 bytes ("0"), and begins behind the character that says so.
  let at = FIRST_BYTES - 1;
  for (const length of lengths) {
    const name = names[Math.floor(at / (NAME_BYTES + 1))];
    assert.ok(name !== undefined);
    name[(at % (NAME_BYTES + 1)) - 1] = String.fromCharCode(length);
    at += length + 1;
  }
  const text = `a${names.map((name) => String.fromCharCode(NAME_BYTES) + name.join("")).join("")}`;
  const forged = [text.slice(0, FIRST_BYTES)];
  for (let from = FIRST_BYTES; from < text.length; from += 49) forged.push(text.slice(from + 1, from + 49));
  return { valid: ["a", ...names.map((name) => name.join(""))], forged };
}

const line = (names: readonly string[], first: number) =>
  `m{${names.map((name, i) => `${name}="${first + i}"`).join(",")}} 1\n`;

for (const artefact of ARTEFACTS) {
  describe(`labels: ${artefact.name}`, () => {
    test("6 · a label name that is too long is bad, also where a series like it is known", () => {
      const { valid, forged } = pair();
      assert.equal(valid.join("").length + valid.length, forged.join("").length + forged.length);
      const module = new Module(artefact, { ttlMs: TTL_MS });
      const lines = line(valid, 1) + line(forged, 7);
      for (const nowMs of [0, TTL_MS + 1, 2 * TTL_MS + 2]) {
        module.push(lines, nowMs);
        assert.equal(seriesOf(module, nowMs).size, 1);
      }
      assert.equal(module.counter("taken"), 3);
      assert.equal(module.counter("bad.label"), 3);
    });

    test("6 · a name of 255 bytes is taken, one of 256 is not", () => {
      const module = new Module(artefact);
      for (const bytes of [255, 256]) {
        for (const value of [1, 2, 3]) module.push(`m{a="1",${"n".repeat(bytes)}="${value}"} 1\n`, 0);
      }
      assert.equal(module.counter("taken"), 3);
      assert.equal(module.counter("bad.label"), 3);
    });
  });
}
