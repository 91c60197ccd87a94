// The value that is scraped is the same double as the value that was pushed, whatever text it was pushed as; and what Go's
// ParseFloat refuses is refused.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { scrape, TEXT } from "./compare.js";
import { ARTEFACTS, type Artefact, Module } from "./module.js";
import { runs } from "./properties.js";

const BATCH = 60;
const OPTIONS = { cacheBytes: 16_000 };

const fromBits = fc.tuple(fc.integer(), fc.integer()).map(([high, low]) => {
  const view = new DataView(new ArrayBuffer(8));
  view.setInt32(0, high);
  view.setInt32(4, low);
  return view.getFloat64(0);
});
const double: fc.Arbitrary<number> = fc
  .oneof(fromBits, fc.double(), fc.integer(), fc.double({ min: -1e6, max: 1e6 }), fc.float().map(Math.fround))
  .filter(Number.isFinite);

/** All digits of a double, as `toFixed` would give if it knew no limit. */
function expand(value: number): string {
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  let scale = 0;
  let rest = Math.abs(value);
  while (rest !== Math.trunc(rest)) {
    rest *= 2;
    scale++;
  }
  const digits = BigInt(rest) * 5n ** BigInt(scale);
  const text = digits.toString().padStart(scale + 1, "0");
  return `${sign}${text.slice(0, text.length - scale)}${scale === 0 ? "" : `.${text.slice(text.length - scale)}`}`;
}

/** The text half way between a double and the next one away from zero, with or without a digit that decides. */
function halfway(value: number, tail: string): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + 1n);
  const next = view.getFloat64(0);
  if (!Number.isFinite(next)) return expand(value);
  const [low, high] = [expand(value), expand(next)];
  const places = Math.max(low.split(".")[1]?.length ?? 0, high.split(".")[1]?.length ?? 0) + 1;
  const units = (text: string) => {
    const [whole = "", fraction = ""] = text.replace("-", "").split(".");
    return BigInt(whole + fraction.padEnd(places, "0"));
  };
  const middle = ((units(low) + units(high)) / 2n).toString().padStart(places + 1, "0");
  return `${value < 0 ? "-" : ""}${middle.slice(0, -places)}.${middle.slice(-places)}${tail}`;
}

const FORMS: readonly ((value: number) => string)[] = [
  (value) => (Object.is(value, -0) ? "-0" : String(value)),
  (value) => value.toPrecision(17),
  (value) => value.toExponential(16),
  (value) => value.toExponential(20),
  (value) => value.toPrecision(25),
  (value) => `+${Math.abs(value)}`,
  (value) => value.toExponential().toUpperCase(),
  (value) => value.toExponential().replace("e", "00e"),
  expand,
  (value) => `${expand(value)}${expand(value).includes(".") ? "" : "."}${"0".repeat(40)}`,
  (value) => halfway(value, ""),
  (value) => halfway(value, "0000000001"),
  (value) => `${halfway(value, "").slice(0, -1)}4${"9".repeat(30)}`,
  (value) => halfway(value, `${"0".repeat(800)}1`),
  (value) => halfway(value, "0".repeat(800)),
  (value) => halfway(value, "").slice(0, 19),
  (value) => `${halfway(value, "").replace(".", "")}e-${(halfway(value, "").split(".")[1] ?? "").length}`,
  (value) => `${expand(value).slice(0, 30)}`,
  (value) => `${expand(value)}e${Math.trunc(value) % 300}`,
];

const text: fc.Arbitrary<string> = fc.tuple(double, fc.constantFrom(...FORMS)).map(([value, form]) => form(value));
const valid = text.filter((one) => /^[+-]?[0-9]/.test(one) && Number.isFinite(Number(one)) && one.length < 1500);

/** What Go's strconv.ParseFloat takes, less what Prometheus takes away from it. */
function goValue(one: string): number | undefined {
  if (/^[+-]?inf(inity)?$/i.test(one)) return one.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(one)) return Number.NaN;
  if (!/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$/i.test(one)) return undefined;
  return Number.isFinite(Number(one)) ? Number(one) : undefined;
}

function push(module: Module, texts: readonly string[]): void {
  module.push(texts.map((one, index) => `m{i="${index}"} ${one}\n`).join(""), 0);
}

function values(module: Module): Map<string, number> {
  const samples = scrape(module, TEXT, 0).flatMap((family) => family.samples);
  return new Map(samples.map(({ labels, value }) => [labels[0]?.[1] ?? "", value]));
}

function scrapesAsPushed(artefact: Artefact, texts: readonly string[], again: readonly string[]): void {
  const module = new Module(artefact, OPTIONS);
  for (const round of [texts, again]) {
    push(module, round);
    const scraped = values(module);
    round.forEach((one, index) => {
      assert.ok(
        Object.is(scraped.get(String(index)), Number(one)),
        `${one} came back as ${scraped.get(String(index))}`,
      );
    });
  }
  assert.equal(module.bad(), 0);
}

for (const artefact of ARTEFACTS) {
  describe(`values: ${artefact.name}`, () => {
    test("7 · every double in every form comes back as the same double, also over another value", () => {
      const texts = fc.array(valid, { minLength: 1, maxLength: BATCH });
      fc.assert(
        fc.property(texts, texts, (first, second) => scrapesAsPushed(artefact, first, second)),
        runs(artefact, 400),
      );
    });

    test("7 · powers of ten and of two, and their neighbours", () => {
      const powers = Array.from({ length: 632 }, (_, index) => `1e${index - 323}`);
      const twos = Array.from({ length: 2098 }, (_, index) => 2 ** (index - 1074)).filter((two) =>
        Number.isFinite(two),
      );
      const texts = [...powers, ...twos.flatMap((two) => [two.toPrecision(17), halfway(two, "1"), halfway(two, "")])];
      const step = artefact.debug ? 20 * BATCH : BATCH;
      for (let at = 0; at < texts.length; at += step) scrapesAsPushed(artefact, texts.slice(at, at + BATCH), ["1"]);
    });

    test("6, 7 · of random texts exactly those are taken that Prometheus takes", () => {
      const character = fc.constantFrom(..."00112359..+-eExXpP_iInNfFaAtTyY ");
      const odd = fc.array(character, { minLength: 1, maxLength: 8 }).map((characters) => characters.join("").trim());
      const word = fc.constantFrom(
        "inf",
        "nan",
        "Infinity",
        "1e5",
        "1.5",
        "0x1p1",
        "1e308",
        "2e308",
        ".5",
        "5.",
        "-",
        "+",
      );
      const joined = fc.tuple(word, odd).map(([one, other]) => (other.length % 2 === 0 ? one : other + one));
      const one = fc.oneof(odd, joined).filter((candidate) => candidate !== "" && !candidate.includes(" "));
      fc.assert(
        fc.property(fc.array(one, { minLength: 1, maxLength: BATCH }), (texts) => {
          const module = new Module(artefact, OPTIONS);
          push(module, texts);
          const scraped = values(module);
          texts.forEach((candidate, index) => {
            const got = scraped.get(String(index));
            assert.ok(Object.is(got, goValue(candidate)), `"${candidate}" gave ${got}`);
          });
          assert.equal(module.bad(), texts.filter((candidate) => goValue(candidate) === undefined).length);
        }),
        runs(artefact, 500),
      );
    });
  });
}
