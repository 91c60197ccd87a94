// Renders under way while pushes, evictions and expiries happen between their pieces.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { anyLine } from "./arbitraries.js";
import { seriesOf, TEXT, UTF8_TEXT, VIEWS, type View } from "./compare.js";
import { identity, parsePage } from "./exposition.js";
import { keyOf, line, range } from "./filling.js";
import { type Metric, Model } from "./model.js";
import { ARTEFACTS, type Artefact, bytesOf, Module } from "./module.js";
import { runs } from "./properties.js";

const TTL_MS = 20_000;
const decoder = new TextDecoder();

/** What a scraper has of a page so far. */
class Reading {
  readonly handle: number;
  readonly view: View;
  readonly pieces: Uint8Array[] = [];
  readonly #module: Module;
  done = false;

  constructor(module: Module, view: View, nowMs: number) {
    this.#module = module;
    this.view = view;
    this.handle = module.open(view.flags, nowMs);
  }

  next(nowMs: number): string {
    const piece = this.done ? undefined : this.#module.next(this.handle, nowMs);
    this.done = piece === undefined;
    if (piece !== undefined) this.pieces.push(piece);
    return decoder.decode(piece ?? new Uint8Array(0));
  }

  page(): Uint8Array {
    return Buffer.concat(this.pieces);
  }

  keys(): string[] {
    return parsePage(this.page(), this.view)
      .flatMap(({ samples }) => samples)
      .map(({ name, labels }) => identity(name, labels));
  }
}

function prefill(module: Module, lines: readonly string[], nowMs: number): void {
  module.push(lines.join(""), nowMs);
}

type Step =
  | { readonly kind: "push"; readonly family: number; readonly index: number }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "open" | "next"; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("push" as const), family: fc.nat(3), index: fc.nat(60) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(9000) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom("open" as const, "next" as const), which: fc.nat(6) }) },
);

/** Follows the model: which metrics were there when each render began, and whether they still are the same ones. */
class Watched {
  readonly reading: Reading;
  readonly #model: Model;
  readonly #begun: ReadonlyMap<string, Metric>;
  readonly #seen = new Map<string, number>();

  constructor(module: Module, model: Model, nowMs: number) {
    this.#model = model;
    this.#begun = metricsOf(model, nowMs);
    this.reading = new Reading(module, TEXT, nowMs);
  }

  next(nowMs: number): void {
    const now = metricsOf(this.#model, nowMs);
    for (const match of this.reading.next(nowMs).matchAll(/^(\w+)\{instance="device-(\d+)"/gm)) {
      const key = keyOf(match[1] ?? "", Number(match[2]));
      assert.ok(this.#begun.has(key), `${key} was created meanwhile`);
      assert.equal(now.get(key), this.#begun.get(key), `${key} has expired`);
      this.#seen.set(key, (this.#seen.get(key) ?? 0) + 1);
    }
    if (!this.reading.done) return;
    for (const [key, metric] of this.#begun) {
      if (now.get(key) === metric) assert.equal(this.#seen.get(key), 1, `${key} lived through the render`);
    }
    this.reading.keys();
  }
}

function metricsOf(model: Model, nowMs: number): Map<string, Metric> {
  model.expire(nowMs);
  const families = [...model.families.values()];
  return new Map(
    families.flatMap(({ name, metrics }) =>
      [...metrics.values()].map((metric) => [identity(name, metric.labels), metric] as const),
    ),
  );
}

/** Long, so that a page is longer than the output window; a family's name takes its room only once. */
function nameOf(family: number): string {
  return `family_${family}_${"long".repeat(40)}`;
}

class Watch {
  readonly module: Module;
  readonly model = new Model(TTL_MS);
  readonly watched: (Watched | undefined)[] = [];
  nowMs = 0;

  constructor(artefact: Artefact) {
    this.module = new Module(artefact, { cacheBytes: 16_000, ttlMs: TTL_MS });
    for (let family = 0; family < 4; family++) for (const index of range(30)) this.#push(family, index);
  }

  #push(family: number, index: number): void {
    const name = nameOf(family);
    this.module.push(line(name, index), this.nowMs);
    const labels = [
      ["instance", `device-${index}`],
      ["mode", "some"],
    ] as const;
    this.model.push(name, labels, index, this.nowMs);
  }

  apply(one: Step): void {
    this.nowMs = this.model.clearTime(this.nowMs);
    if (one.kind === "push") this.#push(one.family, one.index);
    else if (one.kind === "pass") this.nowMs += one.ms;
    else if (one.kind === "open") this.watched[one.which] ??= new Watched(this.module, this.model, this.nowMs);
    else this.#next(one.which);
  }

  #next(which: number): void {
    const watched = this.watched[which];
    watched?.next(this.nowMs);
    if (watched?.reading.done === true) this.watched[which] = undefined;
  }

  end(): void {
    this.nowMs = this.model.clearTime(this.nowMs);
    for (let which = 0; which < this.watched.length; which++) while (this.watched[which]) this.#next(which);
    assert.equal(this.module.gauge("renders"), 0);
    assert.equal(this.module.counter("evicted"), 0);
  }
}

const PAD = `pad="${"p".repeat(500)}"`;

/** Families of several types, with a page several times as long as the output window. */
function startingLines(): string[] {
  const lines = ["# TYPE x_total counter\n", "# HELP x_total Some help.\n"];
  for (const index of range(60)) lines.push(`x_total{i="${index}",${PAD}} ${index}\n`);
  for (const index of range(40)) lines.push(`y_seconds{i="${index}",${PAD}} ${index}\n`);
  for (const index of range(8)) {
    for (const le of ["1", "2", "+Inf"]) lines.push(`z_bucket{i="${index}",${PAD},le="${le}"} 1\n`);
    lines.push(`z_sum{i="${index}",${PAD}} 1\n`, `z_count{i="${index}",${PAD}} 1\n`);
  }
  return ["# TYPE z histogram\n", ...lines];
}

interface Moment {
  readonly line: string;
  readonly passedMs: number;
  readonly next: number;
}

const moment: fc.Arbitrary<Moment> = fc.record({
  line: anyLine,
  passedMs: fc.constantFrom(0, 0, 0, 0, 10, 5000),
  next: fc.nat(12),
});

for (const artefact of ARTEFACTS) {
  describe(`renders: ${artefact.name}`, () => {
    test("23 · what lives through a render is in it once, what is created meanwhile or has expired is not", () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
          const watch = new Watch(artefact);
          for (const one of steps) watch.apply(one);
          watch.end();
        }),
        runs(artefact, 300),
      );
    });

    test("18, 23 · the same while metrics are evicted: seven renders, one watching page after every push", () => {
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.nat(5), fc.nat(400), fc.nat(3)), { maxLength: 60 }), (pushes) => {
          const module = new Module(artefact, { cacheBytes: 12_000, ttlMs: 0 });
          for (const index of range(400)) prefill(module, [line(nameOf(0), index)], 0);
          const all = seriesOf(module, 0);
          const readings = VIEWS.slice(0, 2).flatMap((view) => range(3).map(() => new Reading(module, view, 0)));
          readings.push(new Reading(module, TEXT, 0));
          const lived = new Set(all.keys());
          for (const [family, index, which] of pushes) {
            module.push(line(nameOf(family), index), 1000);
            const now = seriesOf(module, 1000);
            for (const key of lived) if (!now.has(key)) lived.delete(key);
            readings[which]?.next(1000);
          }
          for (const reading of readings) {
            while (!reading.done) reading.next(1000);
            const keys = reading.keys();
            const once = new Set(keys);
            assert.equal(once.size, keys.length);
            for (const key of lived) assert.ok(once.has(key), `${key} lived through the render`);
            for (const key of keys) assert.ok(all.has(key), `${key} was created meanwhile`);
          }
        }),
        runs(artefact, 60),
      );
    });

    test("6, 22, 23 · a page parses whatever happens to types, owners and help between its pieces", () => {
      fc.assert(
        fc.property(fc.array(moment, { maxLength: 60 }), fc.nat(3), (moments, first) => {
          const module = new Module(artefact, { cacheBytes: 14_000, ttlMs: TTL_MS });
          prefill(module, startingLines(), 0);
          const readings = range(7).map((index) => new Reading(module, VIEWS[(index + first) % 4] ?? TEXT, 0));
          const connection = module.connect();
          let nowMs = 0;
          for (const { line: text, passedMs, next } of moments) {
            nowMs += passedMs;
            module.send(connection, `${text}\n`, nowMs);
            readings[next]?.next(nowMs);
          }
          for (const reading of readings) {
            while (!reading.done) reading.next(nowMs);
            reading.keys();
          }
        }),
        runs(artefact, 400),
      );
    });

    test("12, 23 · a metric that has to be moved while a page stands in its family is in the page once", () => {
      const count = artefact.imported ? 2000 : 250;
      const long = `m_${"long".repeat(40)}`;
      for (const grown of [`# TTL 1h\n`, ""]) {
        const module = new Module(artefact, { cacheBytes: artefact.imported ? 500_000 : 14_000 });
        const push = (index: number, text: string) => module.push(`${text}${long}{i="${index}"} 1.23456789012345\n`, 0);
        module.push(
          range(count)
            .map((index) => `${long}{i="${index}"} 1\n`)
            .join(""),
          0,
        );
        const reading = new Reading(module, TEXT, 0);
        reading.next(0);
        for (let index = 0; index < count; index += 7) push(index, grown);
        while (!reading.done) reading.next(0);
        assert.ok(reading.pieces.length > 1, "a page of several pieces");
        assert.equal(reading.keys().length, count);
        assert.equal(module.counter("evicted"), 0);
      }
    });

    test("19, 23 · a histogram longer than a piece is in a page once, whatever becomes of its buckets meanwhile", () => {
      const bounds = range(200).map(String);
      const label = `l="${"long".repeat(artefact.imported ? 120 : 30)}"`;
      const push = (module: Module, all: readonly string[]) =>
        module.push(
          ["# TYPE h histogram\n", ...all.map((le) => `h_bucket{${label},le="${le}"} 1\n`), `h_sum{${label}} 1\n`].join(
            "",
          ),
          0,
        );
      for (const changed of [["0.5", ...bounds], bounds.slice(10)]) {
        const module = new Module(artefact, { cacheBytes: 16_000 });
        push(module, bounds);
        const reading = new Reading(module, TEXT, 0);
        reading.next(0);
        push(module, changed);
        while (!reading.done) reading.next(0);
        assert.ok(reading.pieces.length > 1, "a page of several pieces");
        assert.equal(reading.keys().length, bounds.length + 1);
      }
    });

    test("23 · eight renders that were begun together give the same page, one after another", () => {
      const module = new Module(artefact, { cacheBytes: 14_000, ttlMs: TTL_MS });
      prefill(module, startingLines(), 0);
      const readings = range(8).map(() => new Reading(module, TEXT, 0));
      for (let turn = 0; readings.some(({ done }) => !done); turn = (turn + 1) % 8) readings[turn]?.next(0);
      assert.ok((readings[0]?.pieces.length ?? 0) > 1, "a page of several pieces");
      const pages = readings.map((reading) => decoder.decode(reading.page()));
      for (const page of pages) assert.equal(page, pages[0]);
      assert.equal(decoder.decode(module.page(0, 0)), pages[0]);
    });

    test("23 · a page is longer than the output window and comes in whole lines", () => {
      const cacheBytes = artefact.imported ? 500_000 : 16_320;
      const module = new Module(artefact, { cacheBytes });
      const count = artefact.imported ? 5000 : 150;
      module.push(
        range(count)
          .map((index) => `m{${PAD},i="${index}"} 1\n`)
          .join(""),
        0,
      );
      const reading = new Reading(module, TEXT, 0);
      while (!reading.done) reading.next(0);
      assert.equal(reading.keys().length, module.gauge("series"));
      assert.ok(reading.page().length > module.api.outputBytes());
      assert.ok(reading.pieces.length > 1);
    });

    test("6, 23 · a page is the lines that were pushed, wherever its pieces end in them", () => {
      const escapes = ['\\"', "\\\\", "\\n", "é", "𝄞"];
      const digits = "9876543210".repeat(3);
      const lines = range(artefact.imported ? 900 : 240).map((index) => {
        const stem = "stem-of-twenty-bytes".slice(0, index % 21);
        const number = digits.slice(0, index % 11);
        const escaped = `${"x".repeat(index % 9)}${escapes[index % 5]}${"y".repeat(index % 8)}`;
        return `a_metric_of_thirty_characters_{i="${index}",a="${stem}${number}",b="${escaped}"} ${digits.slice(0, 1 + (index % 24))}\n`;
      });
      for (const shift of range(artefact.debug ? 3 : 120)) {
        const page = `# TYPE shift untyped\nshift{a="${"s".repeat(shift)}"} 1\n# TYPE a_metric_of_thirty_characters_ untyped\n${lines.join("")}`;
        const module = new Module(artefact, { cacheBytes: artefact.imported ? 200_000 : 16_320 });
        module.push(page, 0);
        const reading = new Reading(module, TEXT, 0);
        while (!reading.done) reading.next(0);
        assert.ok(reading.pieces.length > 1, "a page of several pieces");
        // Blocks of a large cache need not be in the order in which their series were pushed.
        const inOrder = (text: string) => (artefact.imported ? text.split("\n").sort() : text);
        assert.deepEqual(inOrder(decoder.decode(reading.page())), inOrder(page));
      }
    });

    test("6, 22 · labels that name samples stay in the places where they were pushed, in one block, too", () => {
      const rest = (labels: string) => `h_sum${labels} 3.5\nh_count${labels} 2\n`;
      const first = ["0.5", "1", "+Inf"].map((le, index) => `h_bucket{le="${le}",a="x",b="1"} ${index}\n`);
      const between = ["1", "2", "+Inf"].map((le, index) => `h_bucket{a="y",le="${le}",b="2"} ${index}\n`);
      const last = ["1", "+Inf"].map((le, index) => `h_bucket{a="",b="",le="${le}"} ${index}\n`);
      const page = `# TYPE h histogram\n${[
        ...[...first, rest('{a="x",b="1"}')],
        ...[...between, rest('{a="y",b="2"}')],
        ...[...last, rest('{a="",b=""}')],
        ...[...first, rest('{a="x",b="1"}')].map((text) => text.replaceAll('"x"', '"z"')),
      ].join("")}# TYPE s summary
s{quantile="0.5",a="x"} 1
s{quantile="0.9",a="x"} 2
s{a="y",quantile="0.5"} 3
s{a="y",quantile="0.9"} 4
# TYPE "é" gauge
{"é",a="1"} 1
{"é",a="2"} 2
{"é"} 3
`;
      const module = new Module(artefact, {});
      module.push(page, 0);
      assert.equal(module.bad(), 0);
      assert.equal(decoder.decode(module.page(UTF8_TEXT.flags, 0)), page);
    });

    test("23 · a render that is closed early frees its place and its pins", () => {
      const module = new Module(artefact, { ttlMs: 1000 });
      for (let round = 0; round < 100; round++) {
        module.push(
          range(80)
            .map((index) => line(`family_${round}`, index))
            .join(""),
          round * 400,
        );
        const handle = module.open(round & 3, round * 400);
        if (round % 3 > 0) module.next(handle, round * 400);
        assert.equal(module.api.renderClose(handle), 0);
      }
      module.expire(100_000);
      assert.deepEqual([module.gauge("metrics"), module.gauge("families"), module.gauge("renders")], [0, 0, 0]);
      assert.equal(module.page(0, 100_000).length, 0);
    });

    test("16, 23 · a render that stays open for ever does not keep the room of what has expired", () => {
      const stalled = new Module(artefact, { ttlMs: 1000 });
      const free = new Module(artefact, { ttlMs: 1000 });
      for (const module of [stalled, free])
        module.push(
          range(60)
            .map((index) => line("old", index))
            .join(""),
          0,
        );
      for (const view of VIEWS) new Reading(stalled, view, 0);
      for (let round = 1; round < 30; round++) {
        const text = range(60)
          .map((index) => line(`new_${round}`, index))
          .join("");
        for (const module of [stalled, free]) module.push(text, round * 1100);
        assert.deepEqual(seriesOf(stalled, round * 1100), seriesOf(free, round * 1100));
      }
    });
  });
}

test("23 · lines of any length fit a piece", () => {
  for (const artefact of ARTEFACTS) {
    const module = new Module(artefact, { cacheBytes: 16_000 });
    for (const length of [10, 1000, 3000, 4000]) {
      module.push(bytesOf(`m_${length}{a="${"\\n".repeat(length / 2)}"} 1\n`), 0);
      module.push(bytesOf(`{"é${"ü".repeat(length / 2)}"} 1\n`), 0);
    }
    for (const view of VIEWS) {
      const reading = new Reading(module, view, 0);
      while (!reading.done) reading.next(0);
      assert.ok(reading.keys().length >= 2);
    }
  }
});

test("23 · the longest line that is kept and the longest metadata fit a piece together", () => {
  const name = `"${"-".repeat(255)}"`;
  const labels = range(10).map((index) => `"${index}${"-".repeat(200)}"="x"`);
  for (const artefact of ARTEFACTS) {
    const module = new Module(artefact, { cacheBytes: 16_000 });
    module.push(`# HELP ${name} ${'"'.repeat(2000)}\n# TYPE ${name} gauge\n{${[name, ...labels].join(",")}} 1\n`, 0);
    for (const view of VIEWS) {
      const reading = new Reading(module, view, 0);
      while (!reading.done) reading.next(0);
      assert.equal(reading.keys().length, 1);
    }
  }
});
